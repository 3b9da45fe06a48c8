/**
 * The proleptic Gregorian calendar. Days and microseconds count from 1970-01-01; years are astronomical (0 is 1 BC).
 */

export const MICROS_PER_SECOND = 1_000_000n
export const MICROS_PER_MINUTE = 60_000_000n
export const MICROS_PER_HOUR = 3_600_000_000n
export const MICROS_PER_DAY = 86_400_000_000n

export const DATE_INFINITY = 2147483647
export const DATE_MINUS_INFINITY = -2147483648
export const TIMESTAMP_INFINITY = 9223372036854775807n
export const TIMESTAMP_MINUS_INFINITY = -9223372036854775808n

/** 4713-11-24 BC, the first day PostgreSQL knows. */
export const FIRST_DAY = -2440588
/** 5874897-12-31, PostgreSQL's last date. */
export const LAST_DAY = 2145042905
/** The first timestamp PostgreSQL knows. */
export const FIRST_TIMESTAMP = BigInt(FIRST_DAY) * MICROS_PER_DAY

/** A moment's fields as a wall clock shows them. */
export interface Fields {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  /** 0 to 24. */
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** Microseconds of the second. */
  readonly micro: number
}

/** Days from 1970-01-01 to a date; a month outside 1 to 12 carries into the year, a day into the month. */
export function daysOf(year: number, month: number, day: number): number {
  const carried = year + Math.floor((month - 1) / 12)
  const m = (((month - 1) % 12) + 12) % 12 + 1
  // Years run from March, so that the leap day is the last of its year.
  const y = m <= 2 ? carried - 1 : carried
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (m > 2 ? m - 3 : m + 9) + 2) / 5) + day - 1
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468
}

/** The date of a day number. */
export function dateOf(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const z = days + 719468
  const era = Math.floor(z / 146097)
  const dayOfEra = z - era * 146097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

export function daysInMonth(year: number, month: number): number {
  return month === 2 ? (isLeap(year) ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Division of micros by a unit, rounded down. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const q = a / b
  return a % b < 0n ? q - 1n : q
}

/** Days and the microseconds of the day of a timestamp. */
export function splitDay(micros: bigint): { readonly days: number; readonly time: number } {
  const small = Number(micros)
  if (small > -9e15 && small < 9e15) {
    const day = Math.floor(small / 86400e6)
    return { days: day, time: small - day * 86400e6 }
  }
  const days = floorDivide(micros, MICROS_PER_DAY)
  return { days: Number(days), time: Number(micros - days * MICROS_PER_DAY) }
}

/** The fields of a timestamp. */
export function fieldsOf(micros: bigint): Fields {
  const { days, time } = splitDay(micros)
  return { ...dateOf(days), ...timeFieldsOf(time) }
}

/** The fields of the microseconds since midnight. */
export function timeFieldsOf(time: number): { readonly hour: number; readonly minute: number; readonly second: number; readonly micro: number } {
  const seconds = Math.floor(time / 1e6)
  return { hour: Math.floor(seconds / 3600), minute: Math.floor(seconds / 60) % 60, second: seconds % 60, micro: time - seconds * 1e6 }
}

/** The timestamp of fields; any field may be out of its range and carries. */
export function microsOf(fields: Fields): bigint {
  return BigInt(daysOf(fields.year, fields.month, fields.day)) * MICROS_PER_DAY
    + BigInt(fields.hour * 3600 + fields.minute * 60 + fields.second) * MICROS_PER_SECOND + BigInt(fields.micro)
}

/** ISO weekday: Monday is 1, Sunday 7. */
export function isoWeekday(days: number): number {
  return ((days + 3) % 7 + 7) % 7 + 1
}

/** The ISO 8601 year and week of a day. */
export function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const thursday = days - isoWeekday(days) + 4
  const { year } = dateOf(thursday)
  return { year, week: Math.floor((thursday - daysOf(year, 1, 1)) / 7) + 1 }
}

/** The Monday of an ISO week. */
export function dayOfIsoWeek(year: number, week: number): number {
  const fourth = daysOf(year, 1, 4)
  return fourth - isoWeekday(fourth) + 1 + (week - 1) * 7
}

export const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'] as const
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
