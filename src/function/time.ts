/** Functions and operators over dates, times, timestamps and intervals. */
import { asBigInt, asInterval, asNumber, asText, asTimeTz } from '../datum.ts'
import { SqlError } from '../error.ts'
import { FIRST_DAY, LAST_DAY, MICROS_PER_DAY, MICROS_PER_SECOND, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY, daysInMonth, daysOf, floorDivide, splitDay } from '../text/calendar.ts'
import { roundEven } from '../text/interval-input.ts'
import { formatDecimal, formatFloat8 } from '../text/number.ts'
import { checkTimestamp, instantOf, localTime, zoneOrAbbreviation } from '../text/time-input.ts'
import { BOOL, DATE, FLOAT8, INT4, INTERVAL, NUMERIC, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ } from '../type.ts'
import type { Type } from '../type.ts'
import type { Decimal, Interval, Value } from '../value.ts'
import { fixedZone, offsetOfAbbreviation, zoneNamed } from '../zone.ts'
import type { Zone } from '../zone.ts'
import { columns, value } from './body.ts'
import type { Body, Environment } from './body.ts'
import { timestampOfDate, toInstant, toLocal } from './cast.ts'
import { fieldColumns } from './column-body.ts'
import { epochOfInterval, extractFromDate, extractFromInterval, extractFromTime, extractFromTimeTz, extractFromTimestamp, fieldNamed, truncateInterval, truncateTimestamp } from './extract.ts'
import type { ArgumentKind, ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'
import { addDays, addIntervals, addToInstant, addToTime, addToTimestamp, age, binOf, divideInterval, interval, isInfinite, isInfiniteDate, justifyDays, justifyHours, justifyInterval, multiplyInterval, negateInterval, subtractDates, subtractTimestamps } from './time-arithmetic.ts'

const TIMETZ: Type = { kind: 'timetz' }
const micros = (v: Value | undefined): bigint => asBigInt(v ?? null)
const num = (v: Value | undefined): number => asNumber(v ?? null)
const str = (v: Value | undefined): string => asText(v ?? null)
const span = (v: Value | undefined): Interval => asInterval(v ?? null)
const sessionZone = (environment: Environment): Zone => zoneNamed(environment.timeZone)
const STABLE = { volatility: 'stable' } as const

/** The zone that AT TIME ZONE's left side means: a name, an abbreviation, or an interval east. */
export function zoneOfText(name: string): Zone {
  return zoneOrAbbreviation(name, offsetOfAbbreviation)
}

function zoneOfInterval(given: Interval): Zone {
  if (given.months !== 0 || given.days !== 0) throw new SqlError('22023', `interval time zone must not include months or days`)
  return fixedZone('interval', Number(given.micros / MICROS_PER_SECOND))
}

const atZone = (zone: Zone, local: bigint): bigint => checkTimestamp(instantOf(local, zone))
const inZone = (zone: Zone, instant: bigint): bigint => checkTimestamp(localTime(instant, zone))

/** date + time of day. */
function combine(days: number, time: bigint): bigint {
  const start = timestampOfDate(days)
  return isInfinite(start) ? start : checkTimestamp(start + time)
}

const plus: readonly ScalarFunction[] = [
  ...([['date', 'int4', 0], ['int4', 'date', 1]] as const).map(([a, b, at]) =>
    scalar('+', [a, b], DATE, value(args => addDays(num(args[at]), num(args[1 - at]))), 'so many days later')),
  ...([['date', 'interval', 0], ['interval', 'date', 1]] as const).map(([a, b, at]) =>
    scalar('+', [a, b], TIMESTAMP, value(args => addToTimestamp(timestampOfDate(num(args[at])), span(args[1 - at]))), 'an interval later')),
  ...([['date', 'time', 0], ['time', 'date', 1]] as const).map(([a, b, at]) =>
    scalar('+', [a, b], TIMESTAMP, value(args => combine(num(args[at]), micros(args[1 - at]))), 'a day at a time')),
  ...([['date', 'timetz', 0], ['timetz', 'date', 1]] as const).map(([a, b, at]) =>
    scalar('+', [a, b], TIMESTAMPTZ, value(args => {
      const time = asTimeTz(args[1 - at] ?? null)
      return combine(num(args[at]), time.micros + BigInt(time.zone) * MICROS_PER_SECOND)
    }), 'a day at a time')),
  ...([['timestamp', 'interval', 0], ['interval', 'timestamp', 1]] as const).map(([a, b, at]) =>
    scalar('+', [a, b], TIMESTAMP, value(args => addToTimestamp(micros(args[at]), span(args[1 - at]))), 'an interval later')),
  ...([['timestamptz', 'interval', 0], ['interval', 'timestamptz', 1]] as const).map(([a, b, at]) =>
    scalar('+', [a, b], TIMESTAMPTZ, value((args, environment) => addToInstant(micros(args[at]), span(args[1 - at]), sessionZone(environment))), 'an interval later', STABLE)),
  ...([['time', 'interval', 0], ['interval', 'time', 1]] as const).map(([a, b, at]) =>
    scalar('+', [a, b], TIME, value(args => addToTime(micros(args[at]), span(args[1 - at]).micros)), 'an interval later, around the clock')),
  ...([['timetz', 'interval', 0], ['interval', 'timetz', 1]] as const).map(([a, b, at]) =>
    scalar('+', [a, b], TIMETZ, value(args => {
      const time = asTimeTz(args[at] ?? null)
      return { micros: addToTime(time.micros, span(args[1 - at]).micros), zone: time.zone }
    }), 'an interval later, around the clock')),
  scalar('+', ['interval', 'interval'], INTERVAL, value(([a, b]) => addIntervals(span(a), span(b))), 'the sum of two intervals'),
  scalar('+', ['interval'], INTERVAL, value(([a]) => a ?? null), 'the interval itself'),
]

const minus: readonly ScalarFunction[] = [
  scalar('-', ['date', 'int4'], DATE, value(([days, n]) => addDays(num(days), -num(n))), 'so many days earlier'),
  scalar('-', ['date', 'date'], INT4, value(([a, b]) => subtractDates(num(a), num(b))), 'the days between'),
  scalar('-', ['date', 'interval'], TIMESTAMP, value(([days, by]) => addToTimestamp(timestampOfDate(num(days)), negateInterval(span(by)))), 'an interval earlier'),
  scalar('-', ['timestamp', 'interval'], TIMESTAMP, value(([a, by]) => addToTimestamp(micros(a), negateInterval(span(by)))), 'an interval earlier'),
  scalar('-', ['timestamptz', 'interval'], TIMESTAMPTZ, value(([a, by], environment) => addToInstant(micros(a), negateInterval(span(by)), sessionZone(environment))), 'an interval earlier', STABLE),
  scalar('-', ['timestamp', 'timestamp'], INTERVAL, value(([a, b]) => subtractTimestamps(micros(a), micros(b))), 'the time between'),
  scalar('-', ['timestamptz', 'timestamptz'], INTERVAL, value(([a, b]) => subtractTimestamps(micros(a), micros(b))), 'the time between'),
  scalar('-', ['time', 'time'], INTERVAL, value(([a, b]) => interval(0, 0, micros(a) - micros(b))), 'the time between'),
  scalar('-', ['time', 'interval'], TIME, value(([a, by]) => addToTime(micros(a), -span(by).micros)), 'an interval earlier, around the clock'),
  scalar('-', ['timetz', 'interval'], TIMETZ, value(([a, by]) => {
    const time = asTimeTz(a ?? null)
    return { micros: addToTime(time.micros, -span(by).micros), zone: time.zone }
  }), 'an interval earlier, around the clock'),
  scalar('-', ['interval', 'interval'], INTERVAL, value(([a, b]) => interval(span(a).months - span(b).months, span(a).days - span(b).days, span(a).micros - span(b).micros)), 'the difference of two intervals'),
  scalar('-', ['interval'], INTERVAL, value(([a]) => negateInterval(span(a))), 'the interval backwards'),
  scalar('*', ['interval', 'float8'], INTERVAL, value(([a, n]) => multiplyInterval(span(a), num(n))), 'the interval so many times'),
  scalar('*', ['float8', 'interval'], INTERVAL, value(([n, a]) => multiplyInterval(span(a), num(n))), 'the interval so many times'),
  scalar('/', ['interval', 'float8'], INTERVAL, value(([a, n]) => divideInterval(span(a), num(n))), 'a part of the interval'),
]

const clock: readonly ScalarFunction[] = [
  ...['now', 'current_timestamp', 'transaction_timestamp', 'statement_timestamp'].map(name => scalar(name, [], TIMESTAMPTZ, value((_, environment) => environment.now), 'the time of the transaction', STABLE)),
  scalar('clock_timestamp', [], TIMESTAMPTZ, value(() => BigInt(Date.now()) * 1000n), 'the time now', { volatility: 'volatile' }),
  scalar('current_date', [], DATE, value((_, environment) => splitDay(toLocal(environment.now, environment)).days), 'today', STABLE),
  scalar('localtimestamp', [], TIMESTAMP, value((_, environment) => toLocal(environment.now, environment)), 'the time of the transaction, as the session\'s clock shows it', STABLE),
  scalar('localtime', [], TIME, value((_, environment) => BigInt(splitDay(toLocal(environment.now, environment)).time)), 'the time of day of the transaction', STABLE),
  scalar('current_time', [], TIMETZ, value((_, environment) => {
    const east = sessionZone(environment).offsetAt(Number(floorDivide(environment.now, MICROS_PER_SECOND)))
    return { micros: BigInt(splitDay(environment.now + BigInt(east) * MICROS_PER_SECOND).time), zone: -east + 0 }
  }), 'the time of day of the transaction, with its zone', STABLE),
]

const toFloat = (result: Decimal | null): Value => result === null ? null : Number(formatDecimal(result))

/** Fields that are the same all day. */
const isDaily = (word: string, type: string): boolean => !['microseconds', 'milliseconds', 'second', 'minute', 'hour', 'julian', 'epoch'].includes(fieldNamed(word, type))

const dayOf = (v: bigint): number => isInfinite(v) ? (v > 0n ? Infinity : -Infinity) : splitDay(v).days

const extractColumns = (kind: 'date' | 'timestamp'): Body => kind === 'date'
  ? columns(fieldColumns(asNumber, extractFromDate, () => true, () => null))
  : columns(fieldColumns(
    v => dayOf(asBigInt(v)), (word, day) => extractFromTimestamp(word, day === Infinity ? TIMESTAMP_INFINITY : day === -Infinity ? TIMESTAMP_MINUS_INFINITY : BigInt(day) * MICROS_PER_DAY), word => isDaily(word, 'timestamp without time zone'),
    (word, v) => extractFromTimestamp(word, asBigInt(v)),
  ))

function floatPart(kind: ArgumentKind, word: string, v: Value, exact: () => Decimal | null): Value {
  if (kind === 'date') return toFloat(extractFromTimestamp(word, timestampOfDate(num(v))))
  if (kind === 'interval' && fieldNamed(word, kind) === 'epoch') return epochOfInterval(span(v))
  if (kind === 'timetz' && word.toLowerCase() === 'epoch') return Number(asTimeTz(v).micros) / 1e6 + asTimeTz(v).zone
  return toFloat(exact())
}

const EXTRACTS: readonly (readonly [ArgumentKind, (word: string, v: Value, environment: Environment) => Decimal | null])[] = [
  ['date', (word, v) => extractFromDate(word, num(v))],
  ['timestamp', (word, v) => extractFromTimestamp(word, micros(v))],
  ['timestamptz', (word, v, environment) => extractFromTimestamp(word, micros(v), sessionZone(environment))],
  ['time', (word, v) => extractFromTime(word, micros(v))],
  ['timetz', (word, v) => extractFromTimeTz(word, asTimeTz(v))],
  ['interval', (word, v) => extractFromInterval(word, span(v))],
]
const parts: readonly ScalarFunction[] = EXTRACTS.flatMap(([kind, run]) => {
  const options = kind === 'timestamptz' ? STABLE : {}
  return [
    scalar('extract', ['text', kind], NUMERIC, kind === 'date' || kind === 'timestamp' ? extractColumns(kind) : value(([word, v], environment) => run(str(word), v ?? null, environment)), 'a field, exactly', options),
    // date_part of a date goes by timestamp, so hours are 0 and not refused.
    scalar('date_part', ['text', kind], FLOAT8, value(([word, v], environment) => floatPart(kind, str(word), v ?? null, () => run(str(word), v ?? null, environment))), 'a field as a float', options),
  ]
})

const truncation: readonly ScalarFunction[] = [
  scalar('date_trunc', ['text', 'timestamp'], TIMESTAMP, value(([word, v]) => truncateTimestamp(str(word), micros(v), 'timestamp without time zone')), 'cut to a field'),
  scalar('date_trunc', ['text', 'timestamptz'], TIMESTAMPTZ, value(([word, v], environment) => truncateInZone(str(word), micros(v), sessionZone(environment))), 'cut to a field of the session\'s clock', STABLE),
  scalar('date_trunc', ['text', 'timestamptz', 'text'], TIMESTAMPTZ, value(([word, v, zone]) => truncateInZone(str(word), micros(v), zoneOfText(str(zone)))), 'cut to a field of a zone\'s clock', STABLE),
  scalar('date_trunc', ['text', 'interval'], INTERVAL, value(([word, v]) => truncateInterval(str(word), span(v))), 'cut to a field'),
  scalar('date_bin', ['interval', 'timestamp', 'timestamp'], TIMESTAMP, value(([stride, v, origin]) => binOf(span(stride), micros(v), micros(origin))), 'the start of the stride'),
  scalar('date_bin', ['interval', 'timestamptz', 'timestamptz'], TIMESTAMPTZ, value(([stride, v, origin]) => binOf(span(stride), micros(v), micros(origin))), 'the start of the stride'),
]

function truncateInZone(word: string, instant: bigint, zone: Zone): bigint {
  if (isInfinite(instant)) return instant
  const type = 'timestamp with time zone'
  const local = localTime(instant, zone)
  const cut = truncateTimestamp(word, local, type)
  const field = fieldNamed(word, type)
  // Below a day the offset stays, so that the hour that occurs twice is cut to itself.
  const east = local - instant
  return field === 'microseconds' || field === 'milliseconds' || field === 'second' || field === 'minute' || field === 'hour' ? cut - east : checkTimestamp(instantOf(cut, zone))
}

const ages: readonly ScalarFunction[] = [
  scalar('age', ['timestamp', 'timestamp'], INTERVAL, value(([a, b]) => age(micros(a), micros(b))), 'the difference in years, months and days'),
  scalar('age', ['timestamptz', 'timestamptz'], INTERVAL, value(([a, b], environment) => age(toLocal(micros(a), environment), toLocal(micros(b), environment))), 'the difference in years, months and days', STABLE),
  scalar('age', ['timestamp'], INTERVAL, value(([a], environment) => age(BigInt(splitDay(toLocal(environment.now, environment)).days) * MICROS_PER_DAY, micros(a))), 'the difference to today', STABLE),
  scalar('age', ['timestamptz'], INTERVAL, value(([a], environment) => age(BigInt(splitDay(toLocal(environment.now, environment)).days) * MICROS_PER_DAY, toLocal(micros(a), environment))), 'the difference to today', STABLE),
]

const zones: readonly ScalarFunction[] = ([['text', (v: Value) => zoneOfText(asText(v))], ['interval', (v: Value) => zoneOfInterval(asInterval(v))]] as const).flatMap(([kind, zone]) => [
  scalar('timezone', [kind, 'timestamp'], TIMESTAMPTZ, value(([name, v]) => isInfinite(micros(v)) ? micros(v) : atZone(zone(name ?? null), micros(v))), 'the instant at which a zone\'s clock shows it'),
  scalar('timezone', [kind, 'timestamptz'], TIMESTAMP, value(([name, v]) => isInfinite(micros(v)) ? micros(v) : inZone(zone(name ?? null), micros(v))), 'what a zone\'s clock shows'),
  scalar('timezone', [kind, 'timetz'], TIMETZ, value(([name, v], environment) => {
    const east = zone(name ?? null).offsetAt(Number(floorDivide(environment.now, MICROS_PER_SECOND)))
    const time = asTimeTz(v ?? null)
    return { micros: addToTime(time.micros, BigInt(time.zone + east) * MICROS_PER_SECOND), zone: -east + 0 }
  }), 'what a zone\'s clock shows', STABLE),
])

const fieldError = (what: string): SqlError => new SqlError('22008', what)

function makeDate(year: number, month: number, day: number): number {
  const y = year < 0 ? year + 1 : year
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysInMonth(y, month)) throw fieldError(`date field value out of range: ${y}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`)
  const days = daysOf(y, month, day)
  if (days < FIRST_DAY || days > LAST_DAY) throw fieldError(`date out of range: ${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`)
  return days
}

function makeTime(hour: number, minute: number, second: number): bigint {
  const total = BigInt(hour * 3600 + minute * 60) * MICROS_PER_SECOND + (Number.isNaN(second) ? -1n : BigInt(roundEven(Math.min(Math.max(second, -1), 1e6) * 1e6)))
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || !(second >= 0) || second > 60 || total > MICROS_PER_DAY) {
    throw fieldError(`time field value out of range: ${hour}:${String(minute).padStart(2, '0')}:${second < 10 ? '0' : ''}${Number(second.toPrecision(6))}`)
  }
  return total
}

const makeTimestamp = (args: readonly Value[]): bigint => checkTimestamp(BigInt(makeDate(num(args[0]), num(args[1]), num(args[2]))) * MICROS_PER_DAY + makeTime(num(args[3]), num(args[4]), num(args[5])))
const INTERVAL_ARGUMENTS: readonly ArgumentKind[] = ['int4', 'int4', 'int4', 'int4', 'int4', 'int4', 'float8']

function makeInterval(args: readonly Value[]): Interval {
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = args.map(asNumber)
  if (!Number.isFinite(seconds)) throw new SqlError('22008', 'interval out of range')
  return interval(years * 12 + months, weeks * 7 + days, BigInt(hours) * 3_600_000_000n + BigInt(minutes) * 60_000_000n + BigInt(roundEven(seconds * 1e6)))
}

function fromEpoch(seconds: number): bigint {
  if (Number.isNaN(seconds)) throw fieldError('timestamp cannot be NaN')
  if (seconds === Infinity) return TIMESTAMP_INFINITY
  if (seconds === -Infinity) return TIMESTAMP_MINUS_INFINITY
  if (Math.abs(seconds) > 9.3e12) throw fieldError(`timestamp out of range: "${formatFloat8(seconds, -9)}"`)
  // Counted from 2000 before rounding, as PostgreSQL does: doubles are finer there.
  return checkTimestamp(BigInt(roundEven((seconds - 946684800) * 1e6)) + 946684800_000_000n)
}

const makers: readonly ScalarFunction[] = [
  scalar('make_date', ['int4', 'int4', 'int4'], DATE, value(([y, m, d]) => makeDate(num(y), num(m), num(d))), 'a date of its fields'),
  scalar('make_time', ['int4', 'int4', 'float8'], TIME, value(([h, m, s]) => makeTime(num(h), num(m), num(s))), 'a time of its fields'),
  scalar('make_timestamp', ['int4', 'int4', 'int4', 'int4', 'int4', 'float8'], TIMESTAMP, value(makeTimestamp), 'a timestamp of its fields'),
  scalar('make_timestamptz', ['int4', 'int4', 'int4', 'int4', 'int4', 'float8'], TIMESTAMPTZ, value((args, environment) => toInstant(makeTimestamp(args), environment)), 'an instant of its fields', STABLE),
  scalar('make_timestamptz', ['int4', 'int4', 'int4', 'int4', 'int4', 'float8', 'text'], TIMESTAMPTZ, value(args => atZone(zoneOfText(str(args[6])), makeTimestamp(args))), 'an instant of its fields in a zone', STABLE),
  ...INTERVAL_ARGUMENTS.map((_, n) => scalar('make_interval', INTERVAL_ARGUMENTS.slice(0, n + 1), INTERVAL, value(makeInterval), 'an interval of its parts')),
  scalar('make_interval', [], INTERVAL, value(makeInterval), 'an interval of its parts'),
  scalar('to_timestamp', ['float8'], TIMESTAMPTZ, value(([seconds]) => fromEpoch(num(seconds))), 'the instant so many seconds after 1970-01-01'),
  scalar('justify_hours', ['interval'], INTERVAL, value(([a]) => justifyHours(span(a))), '24 hours as a day'),
  scalar('justify_days', ['interval'], INTERVAL, value(([a]) => justifyDays(span(a))), '30 days as a month'),
  scalar('justify_interval', ['interval'], INTERVAL, value(([a]) => justifyInterval(span(a))), 'both, with one sign'),
  scalar('isfinite', ['date'], BOOL, value(([days]) => !isInfiniteDate(num(days))), 'not infinity'),
  scalar('isfinite', ['timestamp'], BOOL, value(([v]) => !isInfinite(micros(v))), 'not infinity'),
  scalar('isfinite', ['timestamptz'], BOOL, value(([v]) => !isInfinite(micros(v))), 'not infinity'),
  scalar('isfinite', ['interval'], BOOL, value(() => true), 'not infinity'),
  scalar('timeofday', [], TEXT, value(() => new Date().toUTCString()), 'the time now as text', { volatility: 'volatile' }),
]

/** (a, b) OVERLAPS (c, d) of moments as bigint; ends may come in any order, a NULL end leaves what the other says. */
function overlaps(ends: readonly [Value, Value, Value, Value]): Value {
  const order = (a: Value, b: Value): readonly [bigint | null, bigint | null] => {
    const [x, y] = [a === null ? null : asBigInt(a), b === null ? null : asBigInt(b)]
    return x === null ? [y, null] : y !== null && y < x ? [y, x] : [x, y]
  }
  const [s1, e1] = order(ends[0], ends[1])
  const [s2, e2] = order(ends[2], ends[3])
  if (s1 === null || s2 === null) return null
  if (s1 > s2) return e2 === null ? null : s1 < e2 ? true : e1 === null ? null : false
  if (s1 < s2) return e1 === null ? null : s2 < e1 ? true : e2 === null ? null : false
  return e1 === null || e2 === null ? null : true
}

const overlapping: readonly ScalarFunction[] = (['timestamp', 'timestamptz', 'time'] as const).flatMap(kind => {
  const end = (from: Value, to: Value, byInterval: boolean, environment: Environment): Value => {
    if (!byInterval || from === null || to === null) return to
    return kind === 'timestamp' ? addToTimestamp(asBigInt(from), asInterval(to)) : kind === 'time' ? addToTime(asBigInt(from), asInterval(to).micros) : addToInstant(asBigInt(from), asInterval(to), sessionZone(environment))
  }
  return ([[false, false], [true, false], [false, true], [true, true]] as const).map(([first, second]) =>
    scalar('overlaps', [kind, first ? 'interval' : kind, kind, second ? 'interval' : kind], BOOL, value(([a = null, b = null, c = null, d = null], environment) =>
      overlaps([a, end(a, b, first, environment), c, end(c, d, second, environment)])), 'the stretches of time meet', { strict: false, ...(kind === 'timestamptz' ? STABLE : {}) }))
})

export const timeFunctions: readonly ScalarFunction[] = [...plus, ...minus, ...clock, ...parts, ...truncation, ...ages, ...zones, ...makers, ...overlapping]
