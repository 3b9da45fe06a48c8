/**
 * Time zones: what the wall clock of a place shows at an instant, and which instant a wall clock means. The rules of named zones come from
 * the runtime's Intl; their transitions are found once a year and zone and kept.
 */
import { SqlError } from './error.ts'
import { ABBREVIATIONS } from './text/abbreviations.ts'
import { dateOf, daysOf } from './text/calendar.ts'

export interface Zone {
  readonly name: string
  /** Seconds east of Greenwich at an instant (seconds since 1970). */
  offsetAt(seconds: number): number
  /** What clocks there call the time at an instant: `CET`, `+03`. */
  abbreviationAt(seconds: number): string
  /** True when daylight-saving time is kept at an instant. */
  savesAt(seconds: number): boolean
}

/** A stretch of time with one offset. */
interface Stretch {
  /** First second (since 1970) of it. */
  readonly start: number
  readonly offset: number
}

const zones = new Map<string, Zone | undefined>()

/** The zone of a name; 22023 as PostgreSQL words it when there is none. */
export function zoneNamed(name: string): Zone {
  const zone = findZone(name)
  if (zone === undefined) throw new SqlError('22023', `time zone "${name}" not recognized`)
  return zone
}

/**
 * The zone of a full name: IANA names in any case, and POSIX names with a fixed offset, which counts westwards: `UTC+3`, `<+07>-07`. A bare offset
 * (`+5:30`) counts eastwards, as the TimeZone setting shows it after SET TIME ZONE.
 */
export function findZone(name: string): Zone | undefined {
  const key = name.toLowerCase()
  if (!zones.has(key)) zones.set(key, makeZone(name))
  return zones.get(key)
}

function makeZone(name: string): Zone | undefined {
  const key = name.toLowerCase()
  if (key === 'utc' || key === 'gmt' || key === 'zulu' || key === 'etc/utc' || key === 'z' || key === 'uct') return fixedZone(key === 'gmt' ? 'GMT' : 'UTC', 0, key === 'gmt' ? 'GMT' : 'UTC')
  const bare = /^([+-]?)([0-9]{1,3})(?::([0-9]{2}))?(?::([0-9]{2}))?$/.exec(name)
  if (bare !== null) return fixedZone(name, (bare[1] === '-' ? -1 : 1) * (Number(bare[2]) * 3600 + Number(bare[3] ?? 0) * 60 + Number(bare[4] ?? 0)))
  // Intl takes the link names as well; Etc/GMT+3 is 3 hours west there too.
  if (/^[A-Za-z]/.test(name) && !/[^A-Za-z0-9_+/-]/.test(name)) {
    const zone = namedZone(name)
    if (zone !== undefined) return zone
  }
  const posix = /^(?:<([A-Za-z0-9+-]+)>|([A-Za-z]{3,}))([+-]?)([0-9]{1,3})(?::([0-9]{1,2}))?(?::([0-9]{1,2}))?$/.exec(name)
  if (posix !== null) {
    const west = (posix[3] === '-' ? -1 : 1) * (Number(posix[4]) * 3600 + Number(posix[5] ?? 0) * 60 + Number(posix[6] ?? 0))
    return fixedZone(name, -west + 0, posix[1] ?? posix[2])
  }
  return undefined
}

/** A zone with one offset for ever. */
export function fixedZone(name: string, offset: number, abbreviation?: string): Zone {
  const size = Math.abs(offset)
  const minutes = Math.floor(size / 60) % 60
  const shown = abbreviation ?? `${offset < 0 ? '-' : '+'}${String(Math.floor(size / 3600)).padStart(2, '0')}${minutes === 0 ? '' : String(minutes).padStart(2, '0')}`
  return { name, offsetAt: () => offset, abbreviationAt: () => shown, savesAt: () => false }
}

function namedZone(name: string): Zone | undefined {
  let format: Intl.DateTimeFormat
  let short: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: name, hourCycle: 'h23', era: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
    })
    short = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'short' })
  } catch {
    return undefined
  }
  return new NamedZone(name, format, short)
}

const SECONDS_PER_YEAR = 31556952

/** A zone of Intl. Offsets are looked up in a table of a year's transitions, made when the year is first asked for. */
class NamedZone implements Zone {
  readonly name: string
  readonly #format: Intl.DateTimeFormat
  readonly #short: Intl.DateTimeFormat
  readonly #years = new Map<number, readonly Stretch[]>()
  #last: Stretch = { start: Infinity, offset: 0 }
  #lastEnd = -Infinity

  constructor(name: string, format: Intl.DateTimeFormat, short: Intl.DateTimeFormat) {
    this.name = name
    this.#format = format
    this.#short = short
  }

  offsetAt(seconds: number): number {
    if (seconds >= this.#last.start && seconds < this.#lastEnd) return this.#last.offset
    const { year, shifted } = cycled(seconds)
    let stretches = this.#years.get(year)
    if (stretches === undefined) this.#years.set(year, stretches = this.#transitions(year))
    let found = stretches[0] ?? { start: -Infinity, offset: 0 }
    let end = daysOf(year + 1, 1, 1) * 86400
    for (const stretch of stretches) {
      if (stretch.start <= shifted) found = stretch
      else { end = stretch.start; break }
    }
    if (shifted === seconds) {
      this.#last = found
      this.#lastEnd = end
    }
    return found.offset
  }

  abbreviationAt(seconds: number): string {
    const { shifted } = cycled(seconds)
    const offset = this.offsetAt(seconds)
    const part = this.#short.formatToParts(new Date(shifted * 1000)).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    if (part !== '' && !/^(GMT|UTC)./.test(part)) return part
    return EUROPEAN[this.name.split('/')[0] === 'Europe' ? `${this.#standard(shifted)},${offset}` : ''] ?? fixedZone('', offset).abbreviationAt(0)
  }

  savesAt(seconds: number): boolean {
    const { shifted } = cycled(seconds)
    return this.offsetAt(seconds) > this.#standard(shifted)
  }

  /** The year's smaller offset. */
  #standard(seconds: number): number {
    const year = dateOf(Math.floor(seconds / 86400)).year
    return Math.min(this.#probe(daysOf(year, 1, 1) * 86400), this.#probe(daysOf(year, 7, 1) * 86400))
  }

  /** The stretches of a calendar year (UTC), the first beginning before it or with it. */
  #transitions(year: number): readonly Stretch[] {
    const start = daysOf(year, 1, 1) * 86400
    const end = daysOf(year + 1, 1, 1) * 86400
    const stretches: Stretch[] = [{ start, offset: this.#probe(start) }]
    let before = start
    let offset = stretches[0]?.offset ?? 0
    // Steps of 9 days: Morocco's pause of daylight saving in Ramadan is the shortest stretch there is.
    for (let at = start + 9 * 86400; before < end; at = Math.min(at + 9 * 86400, end)) {
      const next = this.#probe(at)
      if (next !== offset) {
        let low = before
        let high = at
        while (high - low > 1) {
          const middle = Math.floor((low + high) / 2)
          if (this.#probe(middle) === offset) low = middle
          else high = middle
        }
        stretches.push({ start: high, offset: next })
        offset = next
      }
      before = at
    }
    return stretches
  }

  #probe(seconds: number): number {
    let year = 0
    let month = 1
    let day = 1
    let time = 0
    let before = false
    for (const { type, value } of this.#format.formatToParts(new Date(seconds * 1000))) {
      switch (type) {
        case 'year': year = Number(value); break
        case 'month': month = Number(value); break
        case 'day': day = Number(value); break
        case 'hour': time += Number(value) * 3600; break
        case 'minute': time += Number(value) * 60; break
        case 'second': time += Number(value); break
        case 'era': before = value.startsWith('B'); break
        default: break
      }
    }
    return daysOf(before ? 1 - year : year, month, day) * 86400 + time - seconds
  }
}

/** Names that Intl's English does not give to Europe's times. */
const EUROPEAN: Readonly<Record<string, string>> = {
  '0,0': 'WET', '0,3600': 'WEST', '3600,3600': 'CET', '3600,7200': 'CEST', '7200,7200': 'EET', '7200,10800': 'EEST', '10800,10800': 'MSK',
}

/** Rules repeat every 400 years after 2400; before 1840 local mean time held. Keeps the tables few and inside what Date can show. */
function cycled(seconds: number): { readonly year: number; readonly shifted: number } {
  const year = Math.floor(seconds / SECONDS_PER_YEAR) + 1970
  if (year >= 1840 && year < 2400) {
    const exact = dateOf(Math.floor(seconds / 86400)).year
    return { year: exact, shifted: seconds }
  }
  if (year < 1840) return { year: 1840, shifted: daysOf(1840, 1, 1) * 86400 }
  const cycles = Math.floor((year - 2000) / 400)
  const shifted = seconds - cycles * 146097 * 86400
  return { year: dateOf(Math.floor(shifted / 86400)).year, shifted }
}

/**
 * The offset in force when a wall clock shows `local` (seconds since 1970 as if it were UTC). A time that is skipped is read with the offset before the
 * gap, one that occurs twice with the offset after: PostgreSQL's rule.
 */
export function offsetOfLocal(zone: Zone, local: number): number {
  const before = zone.offsetAt(local - 86400)
  const after = zone.offsetAt(local + 86400)
  if (before === after) return before
  const early = zone.offsetAt(local - before) === before
  const late = zone.offsetAt(local - after) === after
  if (early === late) return early ? after : before
  return early ? before : after
}

/** The fixed offset, in seconds east, of a zone abbreviation like EST or PDT; undefined when it is none. */
export function offsetOfAbbreviation(word: string): number | undefined {
  return ABBREVIATIONS.get(word.toLowerCase())
}
