/** Text of intervals in the four styles of IntervalStyle. */
import type { Interval } from '../value.ts'
import type { TextSettings } from './settings.ts'
import { fractionText, two } from './time.ts'

/** An interval's fields, all of the sign of their part. */
export interface IntervalFields {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly hours: number
  readonly minutes: number
  readonly seconds: number
  readonly micros: number
}

/** The fields of an interval: its months and microseconds cut, towards zero, into larger units. */
export function intervalFields(interval: Interval): IntervalFields {
  const whole = Number(interval.micros / 1_000_000n)
  return {
    years: Math.trunc(interval.months / 12) + 0, months: interval.months % 12 + 0, days: interval.days,
    hours: Math.trunc(whole / 3600) + 0, minutes: Math.trunc(whole / 60) % 60 + 0, seconds: whole % 60 + 0, micros: Number(interval.micros % 1_000_000n),
  }
}

/** Writes an interval. */
export function formatInterval(interval: Interval, style: TextSettings['intervalStyle']): string {
  const fields = intervalFields(interval)
  switch (style) {
    case 'postgres': return postgresStyle(fields)
    case 'postgres_verbose': return verboseStyle(fields)
    case 'sql_standard': return standardStyle(fields)
    case 'iso_8601': return isoStyle(fields)
  }
}

function secondsText(seconds: number, micros: number, padded: boolean): string {
  const whole = Math.abs(seconds)
  return (padded ? two(whole) : String(whole)) + fractionText(Math.abs(micros))
}

function postgresStyle(f: IntervalFields): string {
  let out = ''
  let before = false
  const part = (value: number, unit: string): void => {
    if (value === 0) return
    out += `${out === '' ? '' : ' '}${before && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`
    before = value < 0
  }
  part(f.years, 'year')
  part(f.months, 'mon')
  part(f.days, 'day')
  if (out !== '' && f.hours === 0 && f.minutes === 0 && f.seconds === 0 && f.micros === 0) return out
  const minus = f.hours < 0 || f.minutes < 0 || f.seconds < 0 || f.micros < 0
  return `${out}${out === '' ? '' : ' '}${minus ? '-' : before ? '+' : ''}${two(Math.abs(f.hours))}:${two(Math.abs(f.minutes))}:${secondsText(f.seconds, f.micros, true)}`
}

function verboseStyle(f: IntervalFields): string {
  let out = '@'
  let zero = true
  let before = false
  const part = (value: number, unit: string): void => {
    if (value === 0) return
    if (zero) before = value < 0
    const shown = before ? -value : value
    out += ` ${shown} ${unit}${shown === 1 ? '' : 's'}`
    zero = false
  }
  part(f.years, 'year')
  part(f.months, 'mon')
  part(f.days, 'day')
  part(f.hours, 'hour')
  part(f.minutes, 'min')
  if (f.seconds !== 0 || f.micros !== 0) {
    const negative = f.seconds < 0 || f.micros < 0
    if (zero) before = negative
    out += ` ${negative !== before ? '-' : ''}${secondsText(f.seconds, f.micros, false)} sec${Math.abs(f.seconds) !== 1 || f.micros !== 0 ? 's' : ''}`
    zero = false
  }
  return `${out}${zero ? ' 0' : ''}${before ? ' ago' : ''}`
}

function standardStyle(f: IntervalFields): string {
  const all = [f.years, f.months, f.days, f.hours, f.minutes, f.seconds, f.micros]
  const negative = all.some(value => value < 0)
  const positive = all.some(value => value > 0)
  if (!negative && !positive) return '0'
  const yearMonth = f.years !== 0 || f.months !== 0
  const time = `${Math.abs(f.hours)}:${two(Math.abs(f.minutes))}:${secondsText(f.seconds, f.micros, true)}`
  const dayTime = f.days !== 0 || f.hours !== 0 || f.minutes !== 0 || f.seconds !== 0 || f.micros !== 0
  if ((negative && positive) || (yearMonth && dayTime)) {
    const sign = (...values: readonly number[]): string => values.some(value => value < 0) ? '-' : '+'
    return `${sign(f.years, f.months)}${Math.abs(f.years)}-${Math.abs(f.months)} ${sign(f.days)}${Math.abs(f.days)} ${sign(f.hours, f.minutes, f.seconds, f.micros)}${time}`
  }
  const minus = negative ? '-' : ''
  if (yearMonth) return `${minus}${Math.abs(f.years)}-${Math.abs(f.months)}`
  return f.days !== 0 ? `${minus}${Math.abs(f.days)} ${time}` : minus + time
}

function isoStyle(f: IntervalFields): string {
  const part = (value: number, unit: string): string => value === 0 ? '' : `${value}${unit}`
  const date = part(f.years, 'Y') + part(f.months, 'M') + part(f.days, 'D')
  const seconds = f.seconds === 0 && f.micros === 0 ? '' : `${f.seconds < 0 || f.micros < 0 ? '-' : ''}${secondsText(f.seconds, f.micros, false)}S`
  const time = part(f.hours, 'H') + part(f.minutes, 'M') + seconds
  if (date === '' && time === '') return 'PT0S'
  return `P${date}${time === '' ? '' : `T${time}`}`
}
