/** Interval input: PostgreSQL's units, the SQL standard's `1-2 3 4:05:06`, and ISO 8601's `P1Y2M3DT4H`. */
import { SqlError } from '../error.ts'
import type { Interval } from '../value.ts'
import { invalidText } from './settings.ts'
import type { TextSettings } from './settings.ts'
import { tokensOf } from './tokens.ts'

export type IntervalUnit = 'microsecond' | 'millisecond' | 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year' | 'decade' | 'century' | 'millennium'

const SPELLINGS: Readonly<Record<IntervalUnit, string>> = {
  microsecond: 'us usec usecs useconds usecond microsecond microseconds microsecon', millisecond: 'ms msec msecs mseconds millisecond milliseconds millisecon',
  second: 's sec secs second seconds', minute: 'm min mins minute minutes', hour: 'h hour hours hr hrs', day: 'd day days', week: 'w week weeks',
  month: 'mon mons month months', year: 'y year years yr yrs', decade: 'dec decade decades decs', century: 'c cent century centuries',
  millennium: 'mil mils millennium millennia',
}
const UNITS: ReadonlyMap<string, IntervalUnit> = new Map(unitEntries())

function unitEntries(): [string, IntervalUnit][] {
  const units: readonly IntervalUnit[] = ['microsecond', 'millisecond', 'second', 'minute', 'hour', 'day', 'week', 'month', 'year', 'decade', 'century', 'millennium']
  return units.flatMap(unit => SPELLINGS[unit].split(' ').map((word): [string, IntervalUnit] => [word, unit]))
}

/** A sum in the making: whole numbers and what fractions carried down. Each part must stay in PostgreSQL's integers. */
class Sum {
  readonly #text: string
  #years = 0
  #months = 0
  #days = 0
  #micros = 0n
  readonly #seen = new Set<string>()

  constructor(text: string) {
    this.#text = text
  }

  /** Notes that a unit was given; false when it was before. */
  once(unit: string): boolean {
    if (this.#seen.has(unit)) return false
    this.#seen.add(unit)
    return true
  }

  get empty(): boolean {
    return this.#seen.size === 0
  }

  add(value: bigint, fraction: number, unit: IntervalUnit): void {
    switch (unit) {
      case 'microsecond': this.#time(value, fraction / 1e6, 1n); break
      case 'millisecond': this.#time(value, fraction / 1e3, 1000n); break
      case 'second': this.#time(value, fraction, 1_000_000n); break
      case 'minute': this.#time(value, fraction * 60, 60_000_000n); break
      case 'hour': this.#time(value, fraction * 3600, 3_600_000_000n); break
      case 'day': this.#addDays(value); this.#time(0n, fraction * 86400, 1n); break
      case 'week': this.#addDays(value * 7n); this.#dayFraction(fraction * 7); break
      case 'month': this.#months = this.#checked(BigInt(this.#months) + value); this.#dayFraction(fraction * 30); break
      case 'year': this.#addYears(value, fraction); break
      case 'decade': this.#addYears(value * 10n, fraction * 10); break
      case 'century': this.#addYears(value * 100n, fraction * 100); break
      case 'millennium': this.#addYears(value * 1000n, fraction * 1000); break
    }
  }

  #checked(value: bigint): number {
    if (value !== BigInt.asIntN(32, value)) throw overflow(this.#text)
    return Number(value)
  }

  #addDays(days: bigint): void {
    this.#days = this.#checked(BigInt(this.#days) + days)
  }

  #addYears(value: bigint, fraction: number): void {
    this.#years = this.#checked(BigInt(this.#years) + value)
    this.#months = this.#checked(BigInt(this.#months) + BigInt(roundEven(fraction * 12)))
  }

  #dayFraction(days: number): void {
    const whole = Math.trunc(days)
    this.#addDays(BigInt(whole))
    this.#time(0n, (days - whole) * 86400, 1n)
  }

  #time(value: bigint, seconds: number, unit: bigint): void {
    const whole = Math.trunc(seconds)
    this.#micros += value * unit + BigInt(whole) * 1_000_000n + BigInt(roundEven((seconds - whole) * 1e6))
    if (this.#micros !== BigInt.asIntN(64, this.#micros)) throw overflow(this.#text)
  }

  interval(sign: 1 | -1): Interval {
    const months = this.#years * 12 + this.#months
    if (months < -2147483648 || months > 2147483647) throw new SqlError('22008', 'interval out of range')
    return { months: months * sign + 0, days: this.#days * sign + 0, micros: this.#micros * BigInt(sign) }
  }
}

function overflow(text: string): SqlError {
  return new SqlError('22015', `interval field value out of range: "${text}"`)
}

/** Rounded to the nearest integer, halves to even, as rint() does. */
export function roundEven(value: number): number {
  const below = Math.floor(value)
  const rest = value - below
  if (rest !== 0.5) return Math.round(value) + 0
  return below % 2 === 0 ? below : below + 1
}

/** Reads an interval. `last` is the unit of a final number without one: what `INTERVAL '5' DAY` names. */
export function parseInterval(text: string, settings: TextSettings, last: IntervalUnit = 'second'): Interval {
  return wordyInterval(text, settings, last) ?? isoInterval(text) ?? raise(text)
}

function raise(text: string): never {
  throw new SqlError('22007', invalidText('interval', text).message)
}

function wordyInterval(text: string, settings: TextSettings, last: IntervalUnit): Interval | undefined {
  const tokens = tokensOf(text)
  if (tokens === undefined || tokens.length === 0) return undefined
  const sum = new Sum(text)
  // In the SQL standard's style a leading minus is meant for every field that has no sign of its own.
  const first = tokens[0]
  const allNegative = settings.intervalStyle === 'sql_standard' && first?.text.startsWith('-') === true
    && tokens.slice(1).every(({ text: word }) => !/^[-+]/.test(word))
  let unit: IntervalUnit | undefined
  let sign: 1 | -1 = 1
  for (let i = tokens.length - 1; i >= 0; i--) {
    const token = tokens[i]
    if (token === undefined) break
    const negative = token.text.startsWith('-') || (allNegative && i > 0)
    const body = token.text.replace(/^[-+]/, '')
    if (token.kind === 'time' || (token.kind === 'zone' && body.includes(':'))) {
      const time = timeOf(body, text)
      if (time === undefined) return undefined
      if (!sum.once('hour') || !sum.once('minute') || !sum.once('second')) return undefined
      sum.add(negative ? -time : time, 0, 'microsecond')
      unit = 'day'
    } else if (token.kind === 'number' || token.kind === 'date' || token.kind === 'zone') {
      const yearMonth = /^([0-9]+)-([0-9]+)$/.exec(body)
      if (yearMonth !== null) {
        if (Number(yearMonth[2]) >= 12) throw overflow(text)
        if (!sum.once('month')) return undefined
        const months = BigInt(yearMonth[1] ?? 0) * 12n + BigInt(yearMonth[2] ?? 0)
        sum.add(negative ? -months : months, 0, 'month')
        unit = 'month'
        continue
      }
      const parts = /^([0-9]*)(\.[0-9]*)?$/.exec(body)
      if (parts === null || body === '.') return undefined
      const value = BigInt(parts[1] ?? 0)
      unit ??= last
      if (!sum.once(unit)) return undefined
      const fraction = parts[2] === undefined || parts[2] === '.' ? 0 : Number(`0${parts[2]}`)
      sum.add(negative ? -value : value, negative ? -fraction : fraction, unit)
    } else if (token.kind === 'word') {
      if (token.text === 'ago') {
        sign = -1
        continue
      }
      unit = UNITS.get(token.text)
      if (unit === undefined) return undefined
    } else return undefined
  }
  return sum.empty ? undefined : sum.interval(sign)
}

/** Microseconds of h:mm, h:mm:ss.f, or m:ss.f: the last only when there is a fraction. */
function timeOf(text: string, whole: string): bigint | undefined {
  const parts = /^([0-9]+):([0-9]+)(?::([0-9]*))?(\.[0-9]*)?$/.exec(text)
  if (parts === null) return undefined
  let [hours, minutes, seconds] = [Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0)]
  const fraction = parts[4]
  if (parts[3] === undefined && fraction !== undefined) [hours, minutes, seconds] = [0, hours, minutes]
  const micros = fraction === undefined || fraction === '.' ? 0 : roundEven(Number(`0${fraction}`) * 1e6)
  if (minutes > 59 || seconds > 60 || hours > 2147483647) throw overflow(whole)
  return BigInt(hours * 3600 + minutes * 60 + seconds) * 1_000_000n + BigInt(micros)
}

const ISO_DATE: Readonly<Record<string, IntervalUnit>> = { Y: 'year', M: 'month', W: 'week', D: 'day' }
const ISO_TIME: Readonly<Record<string, IntervalUnit>> = { H: 'hour', M: 'minute', S: 'second' }

function isoInterval(text: string): Interval | undefined {
  if (!text.startsWith('P') || text.length < 2) return undefined
  const sum = new Sum(text)
  // Without unit letters: P2000-01-02T03:04:05, P20000102T030405, and beginnings of them.
  const basic = /^P(?:([0-9]{4})([0-9]{2})([0-9]{2}))?(?:T([0-9]{2})([0-9]{2})([0-9]{2}))?$/.exec(text)
  const alternative = basic ?? /^P(?:(-?[0-9]+)(?:-(-?[0-9]+)(?:-(-?[0-9]+))?)?)?(?:T(-?[0-9]+)(?::(-?[0-9]+)(?::(-?[0-9]+(?:\.[0-9]*)?))?)?)?$/.exec(text)
  if (alternative !== null) {
    const [, years, months, days, hours, minutes, seconds] = alternative
    for (const [value, unit] of [[years, 'year'], [months, 'month'], [days, 'day'], [hours, 'hour'], [minutes, 'minute'], [seconds, 'second']] as const) add(sum, value ?? '0', unit)
    return sum.interval(1)
  }
  if (text === 'PT') return sum.interval(1)
  const [date = '', time, more] = text.slice(1).split('T')
  if (more !== undefined || (time !== undefined && time === '')) return undefined
  const parts = /^(?:-?[0-9]*\.?[0-9]*[A-Z])*$/
  if (!parts.test(date) || !parts.test(time ?? '')) return undefined
  for (const [part, units] of [[date, ISO_DATE], [time ?? '', ISO_TIME]] as const) {
    for (const [, value = '', letter = ''] of part.matchAll(/(-?[0-9]*\.?[0-9]*)([A-Z])/g)) {
      const unit = units[letter]
      if (unit === undefined || !/[0-9]/.test(value) || !sum.once(part === date ? letter : `T${letter}`)) return undefined
      add(sum, value, unit)
    }
  }
  return sum.interval(1)
}

function add(sum: Sum, text: string, unit: IntervalUnit): void {
  const value = Number(text)
  const whole = Math.trunc(value)
  sum.add(BigInt(whole), value - whole, unit)
}
