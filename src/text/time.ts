/** Text of dates, times and timestamps. */
import type { Zone } from '../zone.ts'
import { DATE_INFINITY, DATE_MINUS_INFINITY, MONTHS, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY, WEEKDAYS, dateOf, splitDay } from './calendar.ts'
import type { TextSettings } from './settings.ts'

const TWO = Array.from({ length: 100 }, (_, n) => n < 10 ? `0${n}` : String(n))

/** At least two digits. */
export function two(n: number): string {
  return TWO[n] ?? String(n)
}

function four(n: number): string {
  return n >= 1000 ? String(n) : String(n).padStart(4, '0')
}

/** Writes a date. */
export function formatDate(days: number, settings: TextSettings): string {
  if (days === DATE_INFINITY) return 'infinity'
  if (days === DATE_MINUS_INFINITY) return '-infinity'
  return dateText(days, settings) + (days < -719162 ? ' BC' : '')
}

/** ISO dates written lately: a column has far fewer days than rows. */
const recentDates = new Map<number, string>()

function isoDate(days: number): string {
  let text = recentDates.get(days)
  if (text === undefined) {
    const { year, month, day } = dateOf(days)
    text = `${four(year > 0 ? year : 1 - year)}-${two(month)}-${two(day)}`
    if (recentDates.size >= 20_000) recentDates.clear()
    recentDates.set(days, text)
  }
  return text
}

/** The date without its era: 719162 days before 1970 began the year 1. */
function dateText(days: number, settings: TextSettings): string {
  if (settings.dateStyle === 'ISO') return isoDate(days)
  const { year, month, day } = dateOf(days)
  const shown = four(year > 0 ? year : 1 - year)
  switch (settings.dateStyle) {
    case 'SQL': return settings.dateOrder === 'DMY' ? `${two(day)}/${two(month)}/${shown}` : `${two(month)}/${two(day)}/${shown}`
    case 'German': return `${two(day)}.${two(month)}.${shown}`
    case 'Postgres': return settings.dateOrder === 'DMY' ? `${two(day)}-${two(month)}-${shown}` : `${two(month)}-${two(day)}-${shown}`
  }
}

/** hh:mm:ss, and the fraction without trailing zeros. */
export function timeText(time: number): string {
  const seconds = Math.floor(time / 1e6)
  const micro = time - seconds * 1e6
  const minutes = Math.floor(seconds / 60)
  const text = `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}`
  return micro === 0 ? text : text + fractionText(micro)
}

/** `.123` for 123000 microseconds; empty for none. */
export function fractionText(micro: number): string {
  if (micro === 0) return ''
  let digits = String(micro).padStart(6, '0')
  let end = 6
  while (digits.charCodeAt(end - 1) === 48) end--
  digits = digits.slice(0, end)
  return `.${digits}`
}

export function formatTime(micros: bigint): string {
  return timeText(Number(micros))
}

/** Writes a timetz; `west` is its zone in seconds west of Greenwich. */
export function formatTimeTz(micros: bigint, west: number): string {
  return timeText(Number(micros)) + offsetText(-west)
}

/** `+05:30` for seconds east of Greenwich; minutes and seconds only where they are not zero. */
export function offsetText(east: number): string {
  const size = Math.abs(east)
  const minutes = Math.floor(size / 60) % 60
  const seconds = size % 60
  const text = `${east < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}`
  return seconds !== 0 ? `${text}:${two(minutes)}:${two(seconds)}` : minutes !== 0 ? `${text}:${two(minutes)}` : text
}

/** Writes a timestamp without zone. */
export function formatTimestamp(micros: bigint, settings: TextSettings): string {
  if (micros === TIMESTAMP_INFINITY) return 'infinity'
  if (micros === TIMESTAMP_MINUS_INFINITY) return '-infinity'
  const { days, time } = splitDay(micros)
  return momentText(days, time, '', settings)
}

/** Writes a timestamptz as the zone's wall clock shows it, with the zone's offset then. */
export function formatTimestampTz(micros: bigint, zone: Zone, settings: TextSettings): string {
  if (micros === TIMESTAMP_INFINITY) return 'infinity'
  if (micros === TIMESTAMP_MINUS_INFINITY) return '-infinity'
  const { days: utcDays, time: utcTime } = splitDay(micros)
  const seconds = utcDays * 86400 + Math.floor(utcTime / 1e6)
  const east = zone.offsetAt(seconds)
  const shifted = utcTime + east * 1e6
  const days = shifted < 0 ? utcDays - 1 : shifted >= 86400e6 ? utcDays + 1 : utcDays
  const time = shifted - (days - utcDays) * 86400e6
  return momentText(days, time, settings.dateStyle === 'ISO' ? offsetText(east) : ` ${zone.abbreviationAt(seconds)}`, settings)
}

function momentText(days: number, time: number, zone: string, settings: TextSettings): string {
  const era = days < -719162 ? ' BC' : ''
  if (settings.dateStyle !== 'Postgres') return `${dateText(days, settings)} ${timeText(time)}${zone}${era}`
  const { year, month, day } = dateOf(days)
  const weekday = (WEEKDAYS[((days + 4) % 7 + 7) % 7] ?? '').slice(0, 3)
  const name = (MONTHS[month - 1] ?? '').slice(0, 3)
  return `${weekday} ${settings.dateOrder === 'DMY' ? `${two(day)} ${name}` : `${name} ${two(day)}`} ${timeText(time)} ${four(year > 0 ? year : 1 - year)}${zone}${era}`
}
