/** EXTRACT, date_part and date_trunc. */
import { SqlError } from '../error.ts'
import { MICROS_PER_DAY, MICROS_PER_SECOND, dateOf, dayOfIsoWeek, daysOf, fieldsOf, floorDivide, isoWeek, isoWeekday, microsOf, splitDay, timeFieldsOf } from '../text/calendar.ts'
import type { Fields } from '../text/calendar.ts'
import { DATE_INFINITY, TIMESTAMP_INFINITY } from '../text/calendar.ts'
import { intervalFields } from '../text/interval.ts'
import type { Decimal, Interval, TimeTz } from '../value.ts'
import type { Zone } from '../zone.ts'
import { interval, isInfinite, isInfiniteDate } from './time-arithmetic.ts'

export type FieldName = 'microseconds' | 'milliseconds' | 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year' | 'decade' | 'century' | 'millennium'
  | 'dow' | 'isodow' | 'doy' | 'isoyear' | 'julian' | 'epoch' | 'timezone' | 'timezone_h' | 'timezone_m'

const NAMES: Readonly<Record<FieldName, string>> = {
  microseconds: 'us usec usecs microsecond microseconds microsecon useconds usecond', milliseconds: 'ms msec msecs millisecond milliseconds millisecon mseconds', second: 's sec secs second seconds',
  minute: 'm min mins minute minutes', hour: 'h hr hrs hour hours', day: 'd day days', week: 'w week weeks', month: 'mon mons month months', quarter: 'qtr quarter',
  year: 'y yr yrs year years', decade: 'dec decs decade decades', century: 'c cent century centuries', millennium: 'mil mils millennium millennia',
  dow: 'dow', isodow: 'isodow', doy: 'doy', isoyear: 'isoyear', julian: 'j jd julian', epoch: 'epoch', timezone: 'timezone', timezone_h: 'timezone_h timezone_hour', timezone_m: 'timezone_m timezone_minute',
}
const FIELD_ORDER: readonly FieldName[] = ['microseconds', 'milliseconds', 'second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year', 'decade', 'century', 'millennium', 'dow', 'isodow', 'doy',
  'isoyear', 'julian', 'epoch', 'timezone', 'timezone_h', 'timezone_m']
const FIELDS: ReadonlyMap<string, FieldName> = new Map(FIELD_ORDER.flatMap(field => NAMES[field].split(' ').map((word): [string, FieldName] => [word, field])))

/** The field a word names; 22023 when none. `type` is for the message. */
export function fieldNamed(word: string, type: string): FieldName {
  const field = FIELDS.get(word.toLowerCase())
  if (field === undefined) throw new SqlError('22023', `unit "${word.toLowerCase()}" not recognized for type ${type}`)
  return field
}

function notSupported(word: string, type: string): SqlError {
  return new SqlError('0A000', `unit "${word.toLowerCase()}" not supported for type ${type}`)
}

const whole = (n: number | bigint): Decimal => ({ unscaled: BigInt(n), scale: 0 })
const decimal = (unscaled: bigint, scale: number): Decimal => ({ unscaled, scale })
const INFINITE: Readonly<Record<'1' | '-1', Decimal>> = {
  '1': { unscaled: 0n, scale: 0, special: 'Infinity' }, '-1': { unscaled: 0n, scale: 0, special: '-Infinity' },
}
const GROWING = new Set<FieldName>(['year', 'decade', 'century', 'millennium', 'julian', 'isoyear', 'epoch'])

/** Years as people count them: no year 0. */
const shown = (year: number): number => year > 0 ? year : year - 1

const perHundred = (year: number, n: number): number => year > 0 ? Math.floor((year + n - 1) / n) : -Math.floor((n - 1 - (year - 1)) / n)

function ofDate(field: FieldName, days: number): Decimal | undefined {
  const { year, month, day } = dateOf(days)
  switch (field) {
    case 'day': return whole(day)
    case 'month': return whole(month)
    case 'quarter': return whole(Math.floor((month - 1) / 3) + 1)
    case 'week': return whole(isoWeek(days).week)
    case 'year': return whole(shown(year))
    case 'isoyear': return whole(shown(isoWeek(days).year))
    case 'decade': return whole(year >= 0 ? Math.floor(year / 10) : -Math.floor((8 - (year - 1)) / 10))
    case 'century': return whole(perHundred(year, 100))
    case 'millennium': return whole(perHundred(year, 1000))
    case 'dow': return whole(isoWeekday(days) % 7)
    case 'isodow': return whole(isoWeekday(days))
    case 'doy': return whole(days - daysOf(year, 1, 1) + 1)
    default: return undefined
  }
}

function ofTime(field: FieldName, time: { readonly hour: number; readonly minute: number; readonly second: number; readonly micro: number }): Decimal | undefined {
  switch (field) {
    case 'microseconds': return whole(time.second * 1e6 + time.micro)
    case 'milliseconds': return decimal(BigInt(time.second * 1e6 + time.micro), 3)
    case 'second': return decimal(BigInt(time.second * 1e6 + time.micro), 6)
    case 'minute': return whole(time.minute)
    case 'hour': return whole(time.hour)
    default: return undefined
  }
}

function ofOffset(field: FieldName, east: number): Decimal | undefined {
  switch (field) {
    case 'timezone': return whole(east)
    case 'timezone_h': return whole(Math.trunc(east / 3600))
    case 'timezone_m': return whole(Math.trunc(east / 60) % 60)
    default: return undefined
  }
}

/** A field of a date. Infinite dates give ±Infinity for fields that grow with time, NULL for others. */
export function extractFromDate(word: string, days: number): Decimal | null {
  const field = fieldNamed(word, 'date')
  if (isInfiniteDate(days)) {
    if (ofDate(field, 0) === undefined && field !== 'julian' && field !== 'epoch') throw notSupported(word, 'date')
    return GROWING.has(field) ? INFINITE[days === DATE_INFINITY ? '1' : '-1'] : null
  }
  if (field === 'julian') return whole(days + 2440588)
  if (field === 'epoch') return whole(days * 86400)
  const result = ofDate(field, days)
  if (result === undefined) throw notSupported(word, 'date')
  return result
}

/** A field of a timestamp; with a zone, of an instant as the zone's clock shows it. */
export function extractFromTimestamp(word: string, micros: bigint, zone?: Zone): Decimal | null {
  const type = zone === undefined ? 'timestamp without time zone' : 'timestamp with time zone'
  const field = fieldNamed(word, type)
  if (isInfinite(micros)) return GROWING.has(field) ? INFINITE[micros === TIMESTAMP_INFINITY ? '1' : '-1'] : null
  if (zone === undefined && field.startsWith('timezone')) throw notSupported(word, type)
  if (field === 'epoch') return decimal(micros, 6)
  const east = zone === undefined ? 0 : zone.offsetAt(Number(floorDivide(micros, MICROS_PER_SECOND)))
  const { days, time } = splitDay(micros + BigInt(east) * MICROS_PER_SECOND)
  if (field === 'julian') return julian(days, time)
  return ofDate(field, days) ?? ofTime(field, timeFieldsOf(time)) ?? ofOffset(field, east) ?? null
}

/** Days and their fraction, with the digits that numeric division gives. */
function julian(days: number, time: number): Decimal {
  const day = 2440588 + days
  // The quotient of numeric division has at least 16 significant digits; a fraction's leading zeros, by fours, do not count.
  const ratio = time / 86400e6
  const scale = time === 0 ? 28 : ratio >= 1e-4 ? 20 : ratio >= 1e-8 ? 24 : 28
  const unscaled = (BigInt(time) * 10n ** BigInt(scale) + 43200_000_000n) / 86400_000_000n
  return { unscaled: BigInt(day) * 10n ** BigInt(scale) + unscaled, scale }
}

/** A field of a time of day. */
export function extractFromTime(word: string, time: bigint): Decimal {
  const type = 'time without time zone'
  const field = fieldNamed(word, type)
  if (field === 'epoch') return decimal(time, 6)
  const result = ofTime(field, timeFieldsOf(Number(time)))
  if (result === undefined) throw notSupported(word, type)
  return result
}

export function extractFromTimeTz(word: string, { micros, zone }: TimeTz): Decimal {
  const type = 'time with time zone'
  const field = fieldNamed(word, type)
  if (field === 'epoch') return decimal(micros + BigInt(zone) * MICROS_PER_SECOND, 6)
  const result = ofTime(field, timeFieldsOf(Number(micros))) ?? ofOffset(field, -zone)
  if (result === undefined) throw notSupported(word, type)
  return result
}

export function extractFromInterval(word: string, given: Interval): Decimal {
  const field = fieldNamed(word, 'interval')
  const f = intervalFields(given)
  const seconds = BigInt(f.seconds * 1e6 + f.micros)
  switch (field) {
    case 'microseconds': return whole(seconds)
    case 'milliseconds': return decimal(seconds, 3)
    case 'second': return decimal(seconds, 6)
    case 'minute': return whole(f.minutes)
    case 'hour': return whole(f.hours)
    case 'day': return whole(f.days)
    case 'month': return whole(f.months)
    case 'quarter': return whole(Math.trunc(f.months / 3) + 1)
    case 'year': return whole(f.years)
    case 'decade': return whole(Math.trunc(f.years / 10))
    case 'century': return whole(Math.trunc(f.years / 100))
    case 'millennium': return whole(Math.trunc(f.years / 1000))
    // A year is 365.25 days here, a month of the rest 30.
    case 'epoch': return decimal((BigInt(f.years) * 36525n * 864n + BigInt(f.months * 30 + f.days) * 86400n) * 1_000_000n + given.micros, 6)
    default: throw notSupported(word, 'interval')
  }
}

/** The words of intervals are the ones date_trunc knows. */
function notTruncated(word: string, type: string, field: FieldName): SqlError {
  return field.startsWith('timezone') ? notSupported(word, type) : new SqlError('22023', `unit "${word.toLowerCase()}" not recognized for type ${type}`)
}

const START: Fields = { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, micro: 0 }

/** A timestamp (a zone's wall clock) cut to a field. */
export function truncateTimestamp(word: string, micros: bigint, type: string): bigint {
  const field = fieldNamed(word, type)
  if (isInfinite(micros)) return micros
  const f = fieldsOf(micros)
  switch (field) {
    case 'microseconds': return micros
    case 'milliseconds': return microsOf({ ...f, micro: Math.floor(f.micro / 1000) * 1000 })
    case 'second': return microsOf({ ...f, micro: 0 })
    case 'minute': return microsOf({ ...f, micro: 0, second: 0 })
    case 'hour': return microsOf({ ...f, micro: 0, second: 0, minute: 0 })
    case 'day': return microsOf({ ...START, year: f.year, month: f.month, day: f.day })
    case 'week': {
      const { year, week } = isoWeek(splitDay(micros).days)
      return BigInt(dayOfIsoWeek(year, week)) * MICROS_PER_DAY
    }
    case 'month': return microsOf({ ...START, year: f.year, month: f.month })
    case 'quarter': return microsOf({ ...START, year: f.year, month: Math.floor((f.month - 1) / 3) * 3 + 1 })
    case 'year': return microsOf({ ...START, year: f.year })
    case 'decade': return microsOf({ ...START, year: f.year > 0 ? Math.floor(f.year / 10) * 10 : -Math.floor((8 - (f.year - 1)) / 10) * 10 })
    case 'century': return microsOf({ ...START, year: f.year > 0 ? Math.floor((f.year + 99) / 100) * 100 - 99 : -Math.floor((99 - (f.year - 1)) / 100) * 100 + 1 })
    case 'millennium': return microsOf({ ...START, year: f.year > 0 ? Math.floor((f.year + 999) / 1000) * 1000 - 999 : -Math.floor((999 - (f.year - 1)) / 1000) * 1000 + 1 })
    default: throw notTruncated(word, type, field)
  }
}

/** An interval cut to a field, towards zero. */
export function truncateInterval(word: string, given: Interval): Interval {
  const field = fieldNamed(word, 'interval')
  const f = intervalFields(given)
  const cut = (n: number, unit: number): number => Math.trunc(n / unit) * unit
  const time = (unit: bigint): Interval => interval(given.months, given.days, given.micros / unit * unit)
  switch (field) {
    case 'microseconds': return given
    case 'milliseconds': return time(1000n)
    case 'second': return time(MICROS_PER_SECOND)
    case 'minute': return time(60_000_000n)
    case 'hour': return time(3_600_000_000n)
    case 'day': return interval(given.months, given.days, 0n)
    case 'month': return interval(given.months, 0, 0n)
    case 'quarter': return interval(f.years * 12 + cut(f.months, 3), 0, 0n)
    case 'year': return interval(f.years * 12, 0, 0n)
    case 'decade': return interval(cut(f.years, 10) * 12, 0, 0n)
    case 'century': return interval(cut(f.years, 100) * 12, 0, 0n)
    case 'millennium': return interval(cut(f.years, 1000) * 12, 0, 0n)
    case 'week': throw new SqlError('0A000', `unit "${word.toLowerCase()}" not supported for type interval`, { detail: 'Months usually have fractional weeks.' })
    default: throw notTruncated(word, 'interval', field)
  }
}

/** The epoch of an interval as date_part computes it: in floats, a year as 365.25 days. */
export function epochOfInterval(given: Interval): number {
  return Number(given.micros) / 1e6 + 365.25 * 86400 * Math.trunc(given.months / 12) + 86400 * 30 * (given.months % 12) + 86400 * given.days
}
