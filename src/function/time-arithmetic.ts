/** Sums, differences and products of dates, times, timestamps and intervals. */
import { SqlError } from '../error.ts'
import { DATE_INFINITY, DATE_MINUS_INFINITY, FIRST_DAY, LAST_DAY, MICROS_PER_DAY, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY, dateOf, daysInMonth, daysOf, fieldsOf, floorDivide, splitDay } from '../text/calendar.ts'
import { roundEven } from '../text/interval-input.ts'
import { checkTimestamp, instantOf, localTime } from '../text/time-input.ts'
import type { Interval } from '../value.ts'
import type { Zone } from '../zone.ts'

export const isInfinite = (micros: bigint): boolean => micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_MINUS_INFINITY
export const isInfiniteDate = (days: number): boolean => days === DATE_INFINITY || days === DATE_MINUS_INFINITY

const outOfRange = (): SqlError => new SqlError('22008', 'interval out of range')

/** An interval of these parts; 22008 when one does not fit. */
export function interval(months: number, days: number, micros: bigint): Interval {
  if (months < -2147483648 || months > 2147483647 || days < -2147483648 || days > 2147483647 || micros !== BigInt.asIntN(64, micros)) throw outOfRange()
  return { months: months + 0, days: days + 0, micros }
}

export const addIntervals = (a: Interval, b: Interval): Interval => interval(a.months + b.months, a.days + b.days, a.micros + b.micros)
export const negateInterval = (a: Interval): Interval => interval(-a.months, -a.days, -a.micros)

/** A date so many days later. */
export function addDays(days: number, n: number): number {
  if (isInfiniteDate(days)) return days
  const sum = days + n
  if (sum < FIRST_DAY || sum > LAST_DAY) throw new SqlError('22008', 'date out of range')
  return sum
}

export function subtractDates(a: number, b: number): number {
  if (isInfiniteDate(a) || isInfiniteDate(b)) throw new SqlError('22008', 'cannot subtract infinite dates')
  return a - b
}

function addMonths(micros: bigint, months: number): bigint {
  if (months === 0) return micros
  const { days, time } = splitDay(micros)
  const { year, month, day } = dateOf(days)
  const total = year * 12 + month - 1 + months
  const [y, m] = [Math.floor(total / 12), total - Math.floor(total / 12) * 12 + 1]
  return checkTimestamp(BigInt(daysOf(y, m, Math.min(day, daysInMonth(y, m)))) * MICROS_PER_DAY + BigInt(time))
}

/** A timestamp plus an interval: first months (to the month's last day at most), then days, then the rest. */
export function addToTimestamp(micros: bigint, by: Interval): bigint {
  if (isInfinite(micros)) return micros
  return checkTimestamp(checkTimestamp(addMonths(micros, by.months) + BigInt(by.days) * MICROS_PER_DAY) + by.micros)
}

/** The same for an instant: months and days are those of a zone's calendar. */
export function addToInstant(micros: bigint, by: Interval, zone: Zone): bigint {
  if (isInfinite(micros)) return micros
  let result = micros
  if (by.months !== 0) result = checkTimestamp(instantOf(addMonths(localTime(result, zone), by.months), zone))
  if (by.days !== 0) result = checkTimestamp(instantOf(checkTimestamp(localTime(result, zone) + BigInt(by.days) * MICROS_PER_DAY), zone))
  return checkTimestamp(result + by.micros)
}

/** The time between two timestamps, in days and what is left. */
export function subtractTimestamps(a: bigint, b: bigint): Interval {
  if (isInfinite(a) || isInfinite(b)) throw new SqlError('22008', 'cannot subtract infinite timestamps')
  return justifyHours({ months: 0, days: 0, micros: a - b })
}

/** Whole days out of the microseconds; days and the rest get one sign. */
export function justifyHours(a: Interval): Interval {
  let whole = a.micros / MICROS_PER_DAY
  let rest = a.micros % MICROS_PER_DAY
  const days = a.days + Number(whole)
  whole = 0n
  if (days > 0 && rest < 0n) { rest += MICROS_PER_DAY; whole = -1n }
  else if (days < 0 && rest > 0n) { rest -= MICROS_PER_DAY; whole = 1n }
  return interval(a.months, days + Number(whole), rest)
}

/** Whole 30-day months out of the days. */
export function justifyDays(a: Interval): Interval {
  let months = a.months + Math.trunc(a.days / 30)
  let days = a.days % 30
  if (months > 0 && days < 0) { days += 30; months-- }
  else if (months < 0 && days > 0) { days -= 30; months++ }
  return interval(months, days, a.micros)
}

/** Both, and one sign for all parts. */
export function justifyInterval(a: Interval): Interval {
  let { months, days, micros } = a
  // Days first go to months where they have one sign with the hours, so that nothing overflows on the way.
  if ((days > 0 && micros > 0n) || (days < 0 && micros < 0n)) {
    months += Math.trunc(days / 30)
    days %= 30
  }
  days += Number(micros / MICROS_PER_DAY)
  micros %= MICROS_PER_DAY
  months += Math.trunc(days / 30)
  days %= 30
  if (months > 0 && (days < 0 || (days === 0 && micros < 0n))) { days += 30; months-- }
  else if (months < 0 && (days > 0 || (days === 0 && micros > 0n))) { days -= 30; months++ }
  if (days > 0 && micros < 0n) { micros += MICROS_PER_DAY; days-- }
  else if (days < 0 && micros > 0n) { micros -= MICROS_PER_DAY; days++ }
  return interval(months, days, micros)
}

const roundMicro = (value: number): number => roundEven(value * 1e6) / 1e6

/** An interval times a factor; fractions of months become days, of days seconds. `apply` is × or ÷. */
function scaled(a: Interval, apply: (value: number) => number): Interval {
  const months = apply(a.months)
  const days = apply(a.days)
  if (Number.isNaN(months) || Math.abs(months) > 2147483647 || Math.abs(days) > 2147483647) throw outOfRange()
  let monthDays = roundMicro((months - Math.trunc(months)) * 30)
  let seconds = roundMicro((days - Math.trunc(days) + monthDays - Math.trunc(monthDays)) * 86400)
  let wholeDays = Math.trunc(days)
  if (Math.abs(seconds) >= 86400) {
    wholeDays += Math.trunc(seconds / 86400)
    seconds -= Math.trunc(seconds / 86400) * 86400
  }
  wholeDays += Math.trunc(monthDays)
  monthDays = 0
  const micros = roundEven(apply(Number(a.micros)) + seconds * 1e6)
  if (!Number.isFinite(micros)) throw outOfRange()
  return interval(Math.trunc(months), wholeDays, BigInt(micros))
}

export const multiplyInterval = (a: Interval, factor: number): Interval => scaled(a, value => value * factor)

export function divideInterval(a: Interval, divisor: number): Interval {
  if (divisor === 0) throw new SqlError('22012', 'division by zero')
  return scaled(a, value => value / divisor)
}

/** Time of day plus an interval, around the clock. */
export function addToTime(micros: bigint, by: bigint): bigint {
  const sum = micros + by
  return sum - floorDivide(sum, MICROS_PER_DAY) * MICROS_PER_DAY
}

/** The symbolic difference of two timestamps: years, months and days as a calendar counts them. */
export function age(a: bigint, b: bigint): Interval {
  if (isInfinite(a) || isInfinite(b)) throw new SqlError('22008', 'timestamp out of range')
  const sign = a < b ? -1 : 1
  const [x, y] = [fieldsOf(a), fieldsOf(b)]
  let micro = (x.micro - y.micro) * sign
  let second = (x.second - y.second) * sign
  let minute = (x.minute - y.minute) * sign
  let hour = (x.hour - y.hour) * sign
  let day = (x.day - y.day) * sign
  let month = (x.month - y.month) * sign
  let year = (x.year - y.year) * sign
  if (micro < 0) { micro += 1e6; second-- }
  if (second < 0) { second += 60; minute-- }
  if (minute < 0) { minute += 60; hour-- }
  if (hour < 0) { hour += 24; day-- }
  while (day < 0) {
    const earlier = sign < 0 ? x : y
    day += daysInMonth(earlier.year, earlier.month)
    month--
  }
  if (month < 0) { month += 12; year-- }
  const micros = BigInt(hour * 3600 + minute * 60 + second) * 1_000_000n + BigInt(micro)
  return interval((year * 12 + month) * sign, day * sign, micros * BigInt(sign))
}

/** The start of the stride that holds `micros`, counted from `origin`. */
export function binOf(stride: Interval, micros: bigint, origin: bigint): bigint {
  if (isInfinite(micros)) return micros
  if (isInfinite(origin)) throw new SqlError('22008', 'origin out of range')
  if (stride.months !== 0) throw new SqlError('0A000', 'timestamps cannot be binned into intervals containing months or years')
  const width = BigInt(stride.days) * MICROS_PER_DAY + stride.micros
  if (width <= 0n) throw new SqlError('22008', 'stride must be greater than zero')
  return origin + floorDivide(micros - origin, width) * width
}
