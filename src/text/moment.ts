/** The general reader of dates and times: which token is the year, the month, the time and the zone. */
import { SqlError } from '../error.ts'
import { findZone, fixedZone, offsetOfAbbreviation, zoneNamed } from '../zone.ts'
import type { Zone } from '../zone.ts'
import { MICROS_PER_SECOND, daysInMonth, daysOf, floorDivide, splitDay } from './calendar.ts'
import { roundEven } from './interval-input.ts'
import { invalidText, nowOf } from './settings.ts'
import type { TextSettings } from './settings.ts'
import { tokensOf } from './tokens.ts'
import type { Token } from './tokens.ts'

/** What a text said: a day, the microseconds of the day (24:00 and a 60th second carry over), a zone; or a special moment alone. */
export interface Moment {
  readonly special: 'infinity' | '-infinity' | 'epoch' | undefined
  readonly days: number | undefined
  readonly time: number
  readonly zone: Zone | undefined
}

export type MomentKind = 'date' | 'time' | 'time with time zone' | 'timestamp' | 'timestamp with time zone'

/** Reads a text as a date, time or timestamp. Throws 22007, 22008, 22009 or 22023 in PostgreSQL's words. */
export function readMoment(text: string, kind: MomentKind, settings: TextSettings): Moment {
  const tokens = tokensOf(text)
  if (tokens === undefined || tokens.length === 0) throw badFormat(text, kind)
  return new MomentReader(text, kind, settings, tokens).read()
}

function badFormat(text: string, kind: MomentKind): SqlError {
  return new SqlError('22007', invalidText(kind, text).message)
}

const MONTH_WORDS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH_NAMES = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']
const WEEKDAY_WORDS = new Set('sunday sun monday mon tuesday tue tues wednesday wed weds thursday thu thur thurs friday fri saturday sat'.split(' '))

function monthOf(word: string): number {
  const short = MONTH_WORDS.indexOf(word)
  if (short >= 0) return short + 1
  return word === 'sept' ? 9 : MONTH_NAMES.indexOf(word) + 1
}

type Part = 'year' | 'month' | 'day' | 'time' | 'zone' | 'weekday' | 'dayOfYear' | 'era' | 'half'

class MomentReader {
  readonly #text: string
  readonly #kind: MomentKind
  readonly #settings: TextSettings
  readonly #tokens: readonly Token[]
  readonly #seen = new Set<Part>()
  #year = 0
  #month = 0
  #day = 0
  #dayOfYear = 0
  #julian: number | undefined
  /** Year of one or two digits, which means 1970 to 2069. */
  #shortYear = false
  #textMonth = false
  #beforeChrist = false
  #half: 'am' | 'pm' | undefined
  #hour = 0
  #minute = 0
  #second = 0
  #micro = 0
  #zone: Zone | undefined

  constructor(text: string, kind: MomentKind, settings: TextSettings, tokens: readonly Token[]) {
    this.#text = text
    this.#kind = kind
    this.#settings = settings
    this.#tokens = tokens
  }

  read(): Moment {
    let prefix: 'julian' | 'time' | undefined
    const wantsTime = this.#kind.startsWith('time') && !this.#kind.startsWith('timestamp')
    for (const [i, token] of this.#tokens.entries()) {
      switch (token.kind) {
        case 'date':
          if (prefix === undefined && !this.#hasDate() && (!wantsTime || this.#startsWithDate(i))) this.#readDate(token.text)
          else if (/^[0-9]/.test(token.text)) this.#runTogether(token.text)
          else this.#namedZone(token.text)
          prefix = undefined
          break
        case 'time':
          this.#readTime(token.text)
          prefix = undefined
          break
        case 'zone':
          this.#see('zone')
          this.#zone = fixedZone(token.text, this.#offset(token.text))
          break
        case 'number':
          if (prefix === 'julian') this.#readJulian(token.text)
          else if (prefix === 'time') { this.#see('time'); this.#digitsTime(token.text) }
          else this.#readNumber(token.text, wantsTime && !this.#startsWithDate(i))
          prefix = undefined
          break
        case 'word': case 'special': {
          const special = this.#specialMoment(token.text)
          if (special !== undefined) return special
          prefix = this.#readWord(token.text)
        }
      }
    }
    if (prefix !== undefined) throw this.#bad()
    return this.#moment(wantsTime)
  }

  /** Where only a time is wanted, the first token is a date if a time or, at the end, a place follows. */
  #startsWithDate(i: number): boolean {
    return i === 0 && this.#tokens.length >= 2 && (this.#tokens[this.#tokens.length - 1]?.kind === 'date' || this.#tokens[1]?.kind === 'time')
  }

  #moment(wantsTime: boolean): Moment {
    if (this.#half !== undefined) {
      if (this.#hour > 12) throw this.#overflow()
      if (this.#half === 'am' && this.#hour === 12) this.#hour = 0
      else if (this.#half === 'pm' && this.#hour !== 12) this.#hour += 12
    }
    const anyDate = this.#seen.has('year') || this.#seen.has('month') || this.#seen.has('day')
    const complete = wantsTime ? this.#seen.has('time') : this.#hasDate()
    // A field that cannot be is noticed before one that is missing.
    if (!complete && !this.#fieldsAreSane()) throw this.#overflow('Perhaps you need a different "datestyle" setting.')
    if (!complete) throw this.#bad()
    if (wantsTime && this.#kind === 'time with time zone' && this.#zone !== undefined && !this.#hasDate() && this.#zone.name.includes('/')) {
      // A place has no offset without a date.
      throw this.#bad()
    }
    const days = anyDate || this.#julian !== undefined ? this.#days() : undefined
    return { special: undefined, days, time: (this.#hour * 3600 + this.#minute * 60 + this.#second) * 1e6 + this.#micro, zone: this.#zone }
  }

  #fieldsAreSane(): boolean {
    return (!this.#seen.has('month') || (this.#month >= 1 && this.#month <= 12)) && (!this.#seen.has('day') || (this.#day >= 1 && this.#day <= 31))
  }

  #days(): number {
    if (this.#julian !== undefined) return this.#julian
    let year = this.#year
    if (this.#seen.has('year')) {
      if (this.#beforeChrist) {
        if (year <= 0) throw this.#overflow()
        year = 1 - year
      } else if (this.#shortYear) year += year < 70 ? 2000 : year < 100 ? 1900 : 0
      else if (year <= 0) throw this.#overflow()
    }
    if (this.#seen.has('dayOfYear')) return daysOf(year, 1, this.#dayOfYear)
    if (this.#month < 1 || this.#month > 12 || this.#day < 1 || this.#day > 31) throw this.#overflow('Perhaps you need a different "datestyle" setting.')
    if (this.#day > daysInMonth(year, this.#month)) throw this.#overflow()
    return daysOf(year, this.#month, this.#day)
  }

  #bad(): SqlError {
    return badFormat(this.#text, this.#kind)
  }

  #overflow(hint?: string): SqlError {
    return new SqlError('22008', `date/time field value out of range: "${this.#text}"`, { hint })
  }

  #see(...parts: readonly Part[]): void {
    for (const part of parts) {
      if (this.#seen.has(part)) throw this.#bad()
      this.#seen.add(part)
    }
  }

  #hasDate(): boolean {
    return this.#seen.has('month') && this.#seen.has('day') && this.#seen.has('year')
  }

  #noDate(): boolean {
    return !this.#seen.has('month') && !this.#seen.has('day') && !this.#seen.has('year')
  }

  /** 1999-01-08, 8-Jan-1999, 1/8/99, Jan-08-1999, 1999.008, … */
  #readDate(text: string): void {
    const parts = text.match(/[0-9]+|[a-z]+/g) ?? []
    const rest: string[] = []
    for (const part of parts) {
      if (/^[0-9]/.test(part)) rest.push(part)
      else {
        const month = monthOf(part)
        if (month === 0) throw /^[a-z]/.test(text) && this.#tokens.length > 1 ? this.#unknownZoneOr(text) : this.#bad()
        this.#see('month')
        this.#month = month
        this.#textMonth = true
      }
    }
    for (const part of rest) this.#assign(part)
    if (!this.#hasDate()) throw this.#bad()
  }

  #unknownZoneOr(text: string): SqlError {
    return text.includes('/') ? new SqlError('22023', `time zone "${text}" not recognized`) : this.#bad()
  }

  /** Gives one number of a date its meaning from what is known so far and the session's order. */
  #assign(digits: string): void {
    const value = Number(digits)
    const [hasYear, hasMonth, hasDay] = [this.#seen.has('year'), this.#seen.has('month'), this.#seen.has('day')]
    const order = this.#settings.dateOrder
    const year = (): void => {
      this.#see('year')
      this.#year = value
      this.#shortYear = digits.length <= 2
    }
    const month = (): void => { this.#see('month'); this.#month = value }
    const day = (): void => { this.#see('day'); this.#day = value }
    if (digits.length === 3 && hasYear && !hasMonth && !hasDay && value >= 1 && value <= 366) {
      this.#see('month', 'day', 'dayOfYear')
      this.#dayOfYear = value
    } else if (!hasYear && !hasMonth && !hasDay) {
      if (digits.length >= 3 || order === 'YMD') year()
      else if (order === 'DMY') day()
      else month()
    } else if (hasYear && !hasMonth && !hasDay) month()
    else if (!hasYear && hasMonth && !hasDay) {
      if (this.#textMonth && (digits.length >= 3 || order === 'YMD')) year()
      else day()
    } else if (hasYear && hasMonth && !hasDay) {
      if (this.#textMonth && digits.length >= 3 && this.#shortYear) {
        // DD-MON-YYYY in year-first mode: the first guess was the day.
        this.#see('day')
        this.#day = this.#year
        this.#year = value
        this.#shortYear = false
      } else day()
    } else if (!hasYear && !hasMonth && hasDay) month()
    else if (!hasYear && hasMonth && hasDay) year()
    else if (hasYear && hasMonth && hasDay) this.#digits(digits)
    else throw this.#bad()
  }

  #readNumber(text: string, timeOnly: boolean): void {
    const point = text.indexOf('.')
    if (timeOnly) {
      this.#see('time')
      this.#digitsTime(text)
    } else if (point >= 0 && this.#noDate()) this.#readDate(text)
    else if (point >= 0) {
      if (point > 2) this.#digits(text)
      else throw this.#bad()
    } else if (text.length > 4) this.#digits(text)
    else this.#assign(text)
  }

  /** Digits without marks: yyyymmdd or yymmdd first, then hhmmss or hhmm. */
  #digits(text: string): void {
    if (!text.includes('.') && !this.#hasDate() && text.length >= 6) {
      this.#see('year', 'month', 'day')
      this.#day = Number(text.slice(-2))
      this.#month = Number(text.slice(-4, -2))
      this.#year = Number(text.slice(0, -4))
      this.#shortYear = text.length === 6
      return
    }
    this.#see('time')
    this.#digitsTime(text)
  }

  #digitsTime(text: string): void {
    const parts = /^([0-9]{2})([0-9]{2})(?:([0-9]{2})(\.[0-9]*)?)?$/.exec(text)
    if (parts === null) throw this.#bad()
    this.#setTime(Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0), fraction(parts[4]))
  }

  #readTime(text: string): void {
    this.#see('time')
    const parts = /^([0-9]+):([0-9]*)(?::([0-9]*))?(\.[0-9]*)?$/.exec(text)
    if (parts === null) throw this.#bad()
    const [hour, minute, second] = [Number(parts[1]), Number(parts[2]), Number(parts[3] ?? 0)]
    // A fraction after two fields makes them minutes and seconds.
    if (parts[3] === undefined && parts[4] !== undefined) this.#setTime(0, hour, minute, fraction(parts[4]))
    else this.#setTime(hour, minute, second, fraction(parts[4]))
  }

  #setTime(hour: number, minute: number, second: number, micro: number): void {
    const total = (hour * 3600 + minute * 60 + second) * 1e6 + micro
    if (hour > 24 || minute > 59 || second > 60 || total > 86400e6) throw this.#overflow()
    this.#hour = hour
    this.#minute = minute
    this.#second = second
    this.#micro = micro
  }

  /** hhmmss-zz in one token. */
  #runTogether(text: string): void {
    const parts = /^([0-9.]+)([-+].*)$/.exec(text)
    if (parts === null) throw this.#bad()
    this.#see('time')
    this.#digitsTime(parts[1] ?? '')
    this.#see('zone')
    this.#zone = fixedZone(text, this.#offset(parts[2] ?? ''))
  }

  #readJulian(text: string): void {
    this.#see('year', 'month', 'day')
    const value = Number(text)
    if (value > 2147483647) throw this.#overflow()
    this.#julian = Math.floor(value) - 2440588
    if (text.includes('.')) {
      this.#see('time')
      this.#micro = roundEven((value - Math.floor(value)) * 86400e6)
    }
  }

  /** Seconds east: +h, +hh, +hh:mm, +hh:mm:ss, +hhmm. */
  #offset(text: string): number {
    const parts = /^([-+])([0-9]+)(?::([0-9]+)(?::([0-9]+))?)?$/.exec(text)
    if (parts === null) throw this.#bad()
    let [hour, minute] = [Number(parts[2]), Number(parts[3] ?? 0)]
    const second = Number(parts[4] ?? 0)
    if (parts[3] === undefined && (parts[2] ?? '').length > 2) [hour, minute] = [Math.floor(hour / 100), hour % 100]
    if (hour > 15 || minute > 59 || second > 59) throw new SqlError('22009', `time zone displacement out of range: "${this.#text}"`)
    return (parts[1] === '-' ? -1 : 1) * (hour * 3600 + minute * 60 + second) + 0
  }

  #namedZone(name: string): void {
    this.#see('zone')
    const zone = findZone(name)
    if (zone === undefined) throw new SqlError('22023', `time zone "${name}" not recognized`)
    this.#zone = zone
  }

  #specialMoment(word: string): Moment | undefined {
    const special = word === 'infinity' || word === '+infinity' ? 'infinity' : word === '-infinity' ? '-infinity' : word === 'epoch' ? 'epoch' : undefined
    if (special === undefined) return undefined
    if (this.#tokens.length !== 1) throw this.#bad()
    return { special, days: undefined, time: 0, zone: undefined }
  }

  #readWord(word: string): 'julian' | 'time' | undefined {
    switch (word) {
      case 'now': {
        const zone = zoneNamed(this.#settings.timeZone)
        this.#see('year', 'month', 'day', 'time', 'zone')
        const now = nowOf(this.#settings)
        const east = zone.offsetAt(Number(floorDivide(now, MICROS_PER_SECOND)))
        const { days, time } = splitDay(now + BigInt(east) * MICROS_PER_SECOND)
        this.#julian = days
        this.#micro = time
        this.#zone = fixedZone('now', east)
        return undefined
      }
      case 'today': case 'tomorrow': case 'yesterday': {
        this.#see('year', 'month', 'day')
        const now = nowOf(this.#settings)
        const east = zoneNamed(this.#settings.timeZone).offsetAt(Number(floorDivide(now, MICROS_PER_SECOND)))
        this.#julian = splitDay(now + BigInt(east) * MICROS_PER_SECOND).days + (word === 'tomorrow' ? 1 : word === 'yesterday' ? -1 : 0)
        return undefined
      }
      case 'allballs':
        this.#see('time', 'zone')
        this.#zone = fixedZone('UTC', 0)
        return undefined
      case 'am': case 'pm':
        this.#see('half')
        this.#half = word
        return undefined
      case 'ad': case 'bc':
        this.#see('era')
        this.#beforeChrist = word === 'bc'
        return undefined
      case 'dst': {
        const east = this.#zone?.offsetAt(0)
        if (east === undefined) throw this.#bad()
        this.#zone = fixedZone('dst', east + 3600)
        return undefined
      }
      case 't':
        if (!this.#hasDate() && !this.#kind.startsWith('time')) throw this.#bad()
        return 'time'
      case 'j': case 'jd': case 'julian': return 'julian'
      case 'at': case 'on': return undefined
      default: break
    }
    const month = monthOf(word)
    if (month > 0) {
      // `Jan 8 1999` after a first number: that was the day.
      if (this.#seen.has('month') && !this.#textMonth && !this.#seen.has('day') && this.#month >= 1 && this.#month <= 31) {
        this.#see('day')
        this.#day = this.#month
        this.#seen.delete('month')
      }
      this.#see('month')
      this.#month = month
      this.#textMonth = true
      return undefined
    }
    if (WEEKDAY_WORDS.has(word)) {
      this.#see('weekday')
      return undefined
    }
    const offset = offsetOfAbbreviation(word)
    if (offset !== undefined) {
      this.#see('zone')
      this.#zone = fixedZone(word.toUpperCase(), offset)
      return undefined
    }
    const zone = findZone(word)
    if (zone === undefined) throw this.#bad()
    this.#see('zone')
    this.#zone = zone
    return undefined
  }
}

function fraction(text: string | undefined): number {
  return text === undefined || text === '.' ? 0 : roundEven(Number(`0${text}`) * 1e6)
}
