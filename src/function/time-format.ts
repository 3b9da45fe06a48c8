/** to_char of timestamps and intervals. */
import { asBigInt, asInterval, asText } from '../datum.ts'
import { SqlError } from '../error.ts'
import { MICROS_PER_SECOND, MONTHS, WEEKDAYS, daysOf, fieldsOf, floorDivide, isoWeek, isoWeekday, splitDay } from '../text/calendar.ts'
import { intervalFields } from '../text/interval.ts'
import { TEXT } from '../type.ts'
import type { Interval, Value } from '../value.ts'
import { zoneNamed } from '../zone.ts'
import type { Zone } from '../zone.ts'
import { value } from './body.ts'
import type { ScalarFunction } from './function.ts'
import { ordinalSuffix } from './number-format.ts'
import { scalar } from './signature.ts'
import { isInfinite } from './time-arithmetic.ts'

/** The words of formats, longest first; each also in lower case, names of months and days also capitalised. */
const WORDS = [
  'A.D.', 'A.M.', 'AD', 'AM', 'B.C.', 'BC', 'CC', 'DAY', 'DDD', 'DD', 'DY', 'D', 'FF1', 'FF2', 'FF3', 'FF4', 'FF5', 'FF6', 'FX', 'HH24', 'HH12', 'HH', 'IDDD', 'ID', 'IW', 'IYYY', 'IYY', 'IY', 'I', 'J',
  'MI', 'MM', 'MONTH', 'MON', 'MS', 'OF', 'P.M.', 'PM', 'Q', 'RM', 'SSSSS', 'SSSS', 'SS', 'TZH', 'TZM', 'TZ', 'US', 'WW', 'W', 'Y,YYY', 'YYYY', 'YYY', 'YY', 'Y',
] as const
export type TimeWord = typeof WORDS[number]

export interface TimeNode {
  /** Undefined: `text` stands for itself. */
  readonly word: TimeWord | undefined
  /** As it was written: its case tells the case of names. */
  readonly text: string
  readonly fill: boolean
  readonly ordinal: '' | 'TH' | 'th'
  /** Text that was in quotes or behind a backslash. */
  readonly quoted: boolean
}

const SORTED: readonly TimeWord[] = [...WORDS].sort((a, b) => b.length - a.length)
const kept = new Map<string, readonly TimeNode[]>()

/** A format cut into words and plain text. */
export function timeNodes(template: string): readonly TimeNode[] {
  let nodes = kept.get(template)
  if (nodes === undefined) {
    if (kept.size > 200) kept.clear()
    kept.set(template, nodes = cut(template))
  }
  return nodes
}

function cut(template: string): readonly TimeNode[] {
  const nodes: TimeNode[] = []
  for (let i = 0; i < template.length;) {
    let fill = false
    for (;;) {
      const prefix = /^(FM|fm|TM|tm)/.exec(template.slice(i))?.[0]
      if (prefix === undefined) break
      if (prefix.toUpperCase() === 'FM') fill = true
      i += 2
    }
    const word = SORTED.find(each => template.startsWith(each, i) || template.startsWith(each.toLowerCase(), i) || ((each === 'MONTH' || each === 'MON' || each === 'DAY' || each === 'DY') && template.startsWith(capital(each), i)))
    if (word !== undefined) {
      const text = template.slice(i, i + word.length)
      i += word.length
      const ordinal = template.startsWith('TH', i) ? 'TH' : template.startsWith('th', i) ? 'th' : ''
      i += ordinal.length
      if (/^(SP|sp)/.test(template.slice(i))) i += 2
      nodes.push({ word, text, fill, ordinal, quoted: false })
      continue
    }
    if (i >= template.length) break
    let text = ''
    if (template[i] === '"') {
      for (i++; i < template.length && template[i] !== '"'; i++) {
        if (template[i] === '\\' && i + 1 < template.length) i++
        text += template[i] ?? ''
      }
      i++
    } else if (template[i] === '\\' && template[i + 1] === '"') {
      text = '"'
      i += 2
    } else {
      text = String.fromCodePoint(template.codePointAt(i) ?? 0)
      i += text.length
      nodes.push({ word: undefined, text, fill, ordinal: '', quoted: false })
      continue
    }
    nodes.push({ word: undefined, text, fill, ordinal: '', quoted: true })
  }
  return nodes
}

const capital = (word: string): string => word.charAt(0) + word.slice(1).toLowerCase()
export const ROMAN_MONTHS = ['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII']

interface Shown {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly micro: number
  /** Undefined for an interval. */
  readonly days: number | undefined
  /** Undefined without a zone. */
  readonly east: number | undefined
  readonly zoneName: string
}

const pad = (n: number, width: number, fill: boolean): string => {
  const digits = String(Math.abs(n))
  return (n < 0 ? '-' : '') + (fill ? digits : digits.padStart(width, '0'))
}

/** printf's %0*d: the sign counts. */
const printed = (n: number, width: number, fill: boolean): string => pad(n, n < 0 ? width - 1 : width, fill)

function written(template: string, t: Shown): string {
  let out = ''
  for (const node of timeNodes(template)) {
    if (node.word === undefined) { out += node.text; continue }
    const text = wordOf(node.word, node, t)
    out += text
    if (node.ordinal !== '' && /^-?[0-9,]+$/.test(text)) out += ordinalSuffix(text, node.ordinal === 'TH')
  }
  return out
}

function cased(name: string, node: TimeNode, width: number): string {
  const text = node.text === node.text.toUpperCase() ? name.toUpperCase() : node.text === node.text.toLowerCase() ? name.toLowerCase() : name
  return node.fill ? text : text.padEnd(width)
}

function wordOf(word: TimeWord, node: TimeNode, t: Shown): string {
  const { fill } = node
  const { days } = t
  const lower = node.text !== node.text.toUpperCase()
  const isInterval = days === undefined
  const date = (): number => {
    if (days === undefined) throw new SqlError('22007', 'invalid format specification for an interval value', { hint: 'Intervals are not tied to specific calendar dates.' })
    return days
  }
  const year = isInterval ? t.year : t.year > 0 ? t.year : 1 - t.year
  const isoYear = (): number => {
    if (isInterval) return t.year
    const iso = isoWeek(date()).year
    return iso > 0 ? iso : 1 - iso
  }
  const wide = (n: number, width: number): string => pad(n, width, fill)
  switch (word) {
    case 'HH24': return wide(t.hour, 2)
    case 'HH12': case 'HH': return wide(t.hour % 12 === 0 ? 12 : t.hour % 12, 2)
    case 'MI': return wide(t.minute, 2)
    case 'SS': return wide(t.second, 2)
    case 'MS': return pad(Math.trunc(t.micro / 1000), 3, false)
    case 'US': return pad(t.micro, 6, false)
    case 'FF1': case 'FF2': case 'FF3': case 'FF4': case 'FF5': case 'FF6': {
      const digits = Number(word[2])
      return pad(Math.trunc(t.micro / 10 ** (6 - digits)), digits, false)
    }
    case 'SSSS': case 'SSSSS': return String(t.hour * 3600 + t.minute * 60 + t.second)
    case 'AM': case 'PM': case 'A.M.': case 'P.M.': {
      const half = t.hour % 24 >= 12 ? 'PM' : 'AM'
      const shown = word.includes('.') ? `${half[0]}.M.` : half
      return lower ? shown.toLowerCase() : shown
    }
    case 'AD': case 'BC': case 'A.D.': case 'B.C.': {
      date()
      const era = t.year <= 0 ? 'BC' : 'AD'
      const shown = word.includes('.') ? `${era[0]}.${era[1]}.` : era
      return lower ? shown.toLowerCase() : shown
    }
    case 'MONTH': date(); return cased(MONTHS[t.month - 1] ?? '', node, 9)
    case 'MON': date(); return cased((MONTHS[t.month - 1] ?? '').slice(0, 3), node, 3)
    case 'MM': return wide(t.month, 2)
    case 'RM': {
      if (isInterval && t.month === 0 && t.year === 0) return ''
      const roman = ROMAN_MONTHS[isInterval ? (t.month === 0 ? (t.year >= 0 ? 11 : 0) : t.month < 0 ? 12 + t.month : t.month - 1) : t.month - 1] ?? ''
      const text = lower ? roman.toLowerCase() : roman
      return fill ? text : text.padEnd(4)
    }
    case 'DAY': return cased(WEEKDAYS[isoWeekday(date()) % 7] ?? '', node, 9)
    case 'DY': return cased((WEEKDAYS[isoWeekday(date()) % 7] ?? '').slice(0, 3), node, 3)
    case 'DDD': return printed(isInterval ? (t.year * 12 + t.month) * 30 + t.day : date() - daysOf(t.year, 1, 1) + 1, 3, fill)
    case 'IDDD': return pad((isoWeek(date()).week - 1) * 7 + isoWeekday(date()), 3, fill)
    case 'DD': return printed(t.day, 2, fill)
    case 'D': return String(isoWeekday(date()) % 7 + 1)
    case 'ID': return String(isoWeekday(date()))
    case 'WW': return pad(Math.trunc(((isInterval ? (t.year * 12 + t.month) * 30 + t.day : date() - daysOf(t.year, 1, 1) + 1) - 1) / 7) + 1, 2, fill)
    case 'IW': return pad(isoWeek(date()).week, 2, fill)
    case 'W': return String(Math.trunc((t.day - 1) / 7) + 1)
    case 'Q': return t.month === 0 ? '' : String(Math.trunc((t.month - 1) / 3) + 1)
    case 'CC': {
      const century = isInterval ? Math.trunc(t.year / 100) : t.year > 0 ? Math.floor((t.year - 1) / 100) + 1 : Math.trunc(t.year / 100) - 1
      return century <= 99 && century >= -99 ? pad(century, 2, fill) : String(century)
    }
    case 'Y,YYY': return fill || Math.floor(year / 1000) > 0 ? `${Math.floor(year / 1000)},${String(year % 1000).padStart(3, '0')}` : `0,${String(year).padStart(3, '0')}`
    case 'YYYY': return pad(year, 4, fill)
    case 'YYY': return pad(year % 1000, 3, fill)
    case 'YY': return pad(year % 100, 2, fill)
    case 'Y': return String(year % 10)
    case 'IYYY': return pad(isoYear(), 4, fill)
    case 'IYY': return pad(isoYear() % 1000, 3, fill)
    case 'IY': return pad(isoYear() % 100, 2, fill)
    case 'I': return String(isoYear() % 10)
    case 'J': return String((isInterval ? -2440588 + t.year * 365 + t.month * 30 + t.day : date()) + 2440588)
    case 'TZ': {
      date()
      return lower ? t.zoneName.toLowerCase() : t.zoneName
    }
    case 'TZH': {
      date()
      const east = t.east ?? 0
      return `${east < 0 ? '-' : '+'}${pad(Math.trunc(Math.abs(east) / 3600), 2, false)}`
    }
    case 'TZM': {
      date()
      return pad(Math.trunc(Math.abs(t.east ?? 0) / 60) % 60, 2, false)
    }
    case 'OF': {
      date()
      const size = Math.abs(t.east ?? 0)
      const minutes = Math.trunc(size / 60) % 60
      return `${(t.east ?? 0) < 0 ? '-' : '+'}${pad(Math.trunc(size / 3600), 2, fill)}${minutes === 0 ? '' : `:${pad(minutes, 2, false)}`}`
    }
    case 'FX': return ''
  }
}

function ofMoment(micros: bigint, template: string, zone?: Zone): Value {
  if (template === '' || isInfinite(micros)) return null
  const seconds = Number(floorDivide(micros, MICROS_PER_SECOND))
  const east = zone?.offsetAt(seconds)
  const local = micros + BigInt(east ?? 0) * MICROS_PER_SECOND
  return written(template, { ...fieldsOf(local), days: splitDay(local).days, east, zoneName: zone === undefined ? '' : zone.abbreviationAt(seconds) })
}

function ofInterval(given: Interval, template: string): Value {
  if (template === '') return null
  const f = intervalFields(given)
  return written(template, { year: f.years, month: f.months, day: f.days, hour: f.hours, minute: f.minutes, second: f.seconds, micro: f.micros, days: undefined, east: undefined, zoneName: '' })
}

const str = (v: Value | undefined): string => asText(v ?? null)

export const timeFormatFunctions: readonly ScalarFunction[] = [
  scalar('to_char', ['timestamp', 'text'], TEXT, value(([v, template]) => ofMoment(asBigInt(v ?? null), str(template))), 'a timestamp in a format', { volatility: 'stable' }),
  scalar('to_char', ['timestamptz', 'text'], TEXT, value(([v, template], environment) => ofMoment(asBigInt(v ?? null), str(template), zoneNamed(environment.timeZone))), 'an instant in a format', { volatility: 'stable' }),
  scalar('to_char', ['interval', 'text'], TEXT, value(([v, template]) => ofInterval(asInterval(v ?? null), str(template))), 'an interval in a format', { volatility: 'stable' }),
]
