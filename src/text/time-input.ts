/** Date and time input: ISO 8601 first, then every order of words PostgreSQL understands. */
import { SqlError } from '../error.ts'
import type { TimeTz } from '../value.ts'
import { findZone, fixedZone, offsetOfLocal, zoneNamed } from '../zone.ts'
import type { Zone } from '../zone.ts'
import { DATE_INFINITY, DATE_MINUS_INFINITY, FIRST_DAY, FIRST_TIMESTAMP, LAST_DAY, MICROS_PER_DAY, MICROS_PER_SECOND, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY, daysInMonth, daysOf, floorDivide, splitDay } from './calendar.ts'
import { readMoment } from './moment.ts'
import type { Moment } from './moment.ts'
import { invalidText, nowOf } from './settings.ts'
import type { TextSettings } from './settings.ts'

/** Microseconds rounded to a number of digits of the second, halves away from zero. */
export function roundMicros(micros: bigint, precision: number | undefined): bigint {
  if (precision === undefined || precision >= 6) return micros
  const unit = 10n ** BigInt(6 - precision)
  const half = unit / 2n
  return micros < 0n ? -((-micros + half) / unit * unit) : (micros + half) / unit * unit
}

const MILLENNIUM = 946684800000000n

/** A timestamp rounded to a number of digits of the second; halves go away from 2000-01-01, from which PostgreSQL counts. */
export function roundTimestamp(micros: bigint, precision: number | undefined): bigint {
  if (precision === undefined || precision >= 6 || micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_MINUS_INFINITY) return micros
  return roundMicros(micros - MILLENNIUM, precision) + MILLENNIUM
}

/** 22008 unless PostgreSQL could keep the timestamp (and 64 bits from 1970 can). */
export function checkTimestamp(micros: bigint, text?: string): bigint {
  if (micros < FIRST_TIMESTAMP || micros >= TIMESTAMP_INFINITY) throw new SqlError('22008', text === undefined ? 'timestamp out of range' : `timestamp out of range: "${text}"`)
  return micros
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(?::?(\d\d))?|Z)?)?$/

/** Fields of an ISO text that is inside every limit: days, micros of the day, offset east when there is one. */
function isoFields(text: string): { readonly days: number; readonly time: number; readonly east: number | undefined } | undefined {
  const m = ISO.exec(text)
  if (m === null) return undefined
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])]
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  const days = daysOf(year, month, day)
  if (m[4] === undefined) return { days, time: 0, east: undefined }
  const [hour, minute, second] = [Number(m[4]), Number(m[5]), Number(m[6] ?? 0)]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const fraction = m[7] === undefined ? 0 : Number(m[7].padEnd(6, '0'))
  const time = (hour * 3600 + minute * 60 + second) * 1e6 + fraction
  if (m[8] === undefined) return { days, time, east: text.endsWith('Z') ? 0 : undefined }
  const [h, min] = [Number(m[9]), Number(m[10] ?? 0)]
  if (h > 15 || min > 59) return undefined
  return { days, time, east: (m[8] === '-' ? -1 : 1) * (h * 3600 + min * 60) }
}

/** Reads a date. */
export function parseDate(text: string, settings: TextSettings): number {
  const iso = isoFields(text)
  if (iso !== undefined) return iso.days
  const moment = readMoment(text, 'date', settings)
  if (moment.special === 'infinity') return DATE_INFINITY
  if (moment.special === '-infinity') return DATE_MINUS_INFINITY
  if (moment.special === 'epoch') return 0
  const days = moment.days ?? 0
  if (days < FIRST_DAY || days > LAST_DAY) throw new SqlError('22008', `date out of range: "${text}"`)
  return days
}

/** Reads a timestamp; a zone in the text is read and forgotten. */
export function parseTimestamp(text: string, settings: TextSettings, precision?: number): bigint {
  const iso = isoFields(text)
  if (iso !== undefined) return roundTimestamp(BigInt(iso.days) * MICROS_PER_DAY + BigInt(iso.time), precision)
  const moment = readMoment(text, 'timestamp', settings)
  switch (moment.special) {
    case 'infinity': return TIMESTAMP_INFINITY
    case '-infinity': return TIMESTAMP_MINUS_INFINITY
    case 'epoch': return 0n
    case undefined: return checkTimestamp(roundTimestamp(localOf(moment), precision), text)
  }
}

/** Reads a timestamptz; without a zone in the text the session's is meant. */
export function parseTimestampTz(text: string, settings: TextSettings, precision?: number): bigint {
  const iso = isoFields(text)
  if (iso !== undefined) {
    const local = roundTimestamp(BigInt(iso.days) * MICROS_PER_DAY + BigInt(iso.time), precision)
    return iso.east === undefined ? instantOf(local, zoneNamed(settings.timeZone)) : local - BigInt(iso.east) * MICROS_PER_SECOND
  }
  const moment = readMoment(text, 'timestamp with time zone', settings)
  switch (moment.special) {
    case 'infinity': return TIMESTAMP_INFINITY
    case '-infinity': return TIMESTAMP_MINUS_INFINITY
    case 'epoch': return 0n
    case undefined: return checkTimestamp(roundTimestamp(instantOf(localOf(moment), moment.zone ?? zoneNamed(settings.timeZone)), precision), text)
  }
}

/** Reads a time of day. */
export function parseTime(text: string, settings: TextSettings, precision?: number): bigint {
  return timeOfDay(readMoment(text, 'time', settings), text, 'time', precision)
}

/** Reads a time of day with a zone; without one, the session's offset (on the date given, or today) is meant. */
export function parseTimeTz(text: string, settings: TextSettings, precision?: number): TimeTz {
  const moment = readMoment(text, 'time with time zone', settings)
  const micros = timeOfDay(moment, text, 'time with time zone', precision)
  const zone = moment.zone ?? zoneNamed(settings.timeZone)
  const days = moment.days ?? splitDay(localTime(nowOf(settings), zoneNamed(settings.timeZone))).days
  return { micros, zone: -offsetOfLocal(zone, Number(floorDivide(BigInt(days) * MICROS_PER_DAY + micros, MICROS_PER_SECOND))) + 0 }
}

function timeOfDay(moment: Moment, text: string, name: string, precision: number | undefined): bigint {
  if (moment.special !== undefined) throw new SqlError('22007', invalidText(name, text).message)
  return roundMicros(BigInt(moment.time), precision)
}

function localOf(moment: Moment): bigint {
  return BigInt(moment.days ?? 0) * MICROS_PER_DAY + BigInt(moment.time)
}

/** The instant at which a zone's clock shows a timestamp. */
export function instantOf(local: bigint, zone: Zone): bigint {
  return local - BigInt(offsetOfLocal(zone, Number(floorDivide(local, MICROS_PER_SECOND)))) * MICROS_PER_SECOND
}

/** What a zone's clock shows at an instant. */
export function localTime(instant: bigint, zone: Zone): bigint {
  return instant + BigInt(zone.offsetAt(Number(floorDivide(instant, MICROS_PER_SECOND)))) * MICROS_PER_SECOND
}

/** A zone as AT TIME ZONE takes it: abbreviations first, then full and POSIX names; a bare offset is POSIX's, westwards. */
export function zoneOrAbbreviation(name: string, abbreviation: (word: string) => number | undefined): Zone {
  const offset = abbreviation(name)
  const bare = /^[+-]?[0-9]/.test(name)
  const zone = offset === undefined ? findZone(bare ? `<posix>${name}` : name) : fixedZone(name.toUpperCase(), offset)
  if (zone === undefined) throw new SqlError('22023', `time zone "${name}" not recognized`)
  return zone
}
