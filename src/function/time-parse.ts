/** to_date and to_timestamp: times read by a format. */
import { asText } from '../datum.ts'
import { SqlError } from '../error.ts'
import { FIRST_DAY, LAST_DAY, MICROS_PER_DAY, MICROS_PER_SECOND, MONTHS, WEEKDAYS, dayOfIsoWeek, daysInMonth, daysOf, isoWeekday } from '../text/calendar.ts'
import { checkTimestamp, instantOf } from '../text/time-input.ts'
import { roundEven } from '../text/interval-input.ts'
import { DATE, TIMESTAMPTZ } from '../type.ts'
import type { Value } from '../value.ts'
import { zoneNamed } from '../zone.ts'
import { value } from './body.ts'
import type { Environment } from './body.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'
import { ROMAN_MONTHS, timeNodes } from './time-format.ts'
import type { TimeNode, TimeWord } from './time-format.ts'

const NUMERIC_WIDTH: Partial<Record<TimeWord, number>> = {
  HH24: 2, HH12: 2, HH: 2, MI: 2, SS: 2, MS: 3, US: 6, FF1: 1, FF2: 2, FF3: 3, FF4: 4, FF5: 5, FF6: 6, SSSS: 5, SSSSS: 5, MM: 2, DDD: 3, IDDD: 3, DD: 2, D: 1, ID: 1, WW: 2, IW: 2, W: 1, CC: 2,
  YYYY: 4, YYY: 3, YY: 2, Y: 1, IYYY: 4, IYY: 3, IY: 2, I: 1, J: 7, Q: 1,
}

interface Read {
  readonly fields: Map<TimeWord, number>
  yearDigits: number
  half: 'am' | 'pm' | undefined
  beforeChrist: boolean
  east: number | undefined
}

const separator = (c: string): boolean => /^[!-~]$/.test(c) && !/[A-Za-z0-9]/.test(c)
const blank = (c: string | undefined): boolean => c !== undefined && /\s/.test(c)

/** Reads a text by a format. */
function readBy(text: string, template: string): Read {
  const nodes = timeNodes(template)
  const exact = nodes.some(node => node.word === 'FX')
  const read: Read = { fields: new Map(), yearDigits: 0, half: undefined, beforeChrist: false, east: undefined }
  let at = 0
  let skipped = 0
  const put = (word: TimeWord, n: number): void => {
    const before = read.fields.get(word)
    if (before !== undefined && before !== n) {
      throw new SqlError('22007', `conflicting values for "${word}" field in formatting string`, { detail: 'This value contradicts a previous setting for the same field type.' })
    }
    read.fields.set(word, n)
  }
  for (const [i, node] of nodes.entries()) {
    if (at >= text.length) break
    const { word } = node
    if (word === 'FX') continue
    if (!exact && (word !== undefined || i === 0)) while (blank(text[at])) { at++; skipped++ }
    if (word === undefined) {
      const c = text[at] ?? ''
      if (exact) at += node.text.length
      else if (!node.quoted && (blank(node.text) || separator(node.text))) {
        // A blank or separator of the format takes one of the text, or none.
        skipped--
        if (blank(c) || separator(c)) { at++; skipped++ }
      } else {
        // Blanks that were skipped before stand for as many characters of the format.
        for (let left = node.text.length; left > 0; left--) if (skipped > 0) skipped--; else at++
      }
      continue
    }
    at = readWord(text, at, node, nodes[i + 1], read, put)
    if (node.ordinal !== '') at += 2
  }
  return read
}

function readWord(text: string, at: number, node: TimeNode, next: TimeNode | undefined, read: Read, put: (word: TimeWord, n: number) => void): number {
  const { word } = node
  if (word === undefined) return at
  const rest = text.slice(at)
  const width = NUMERIC_WIDTH[word]
  const invalid = (detail: string): SqlError => new SqlError('22007', `invalid value "${rest.slice(0, width ?? word.length)}" for "${node.text}"`, { detail })
  if (word === 'Y,YYY') {
    const parts = /^([+-]?[0-9]+),([0-9]{3})/.exec(rest)
    if (parts === null) throw new SqlError('22007', `invalid input string for "Y,YYY"`)
    put('YYYY', Number(parts[1]) * 1000 + Number(parts[2]))
    read.yearDigits = 4
    return at + parts[0].length
  }
  if (width !== undefined) {
    // A number may be longer than its word unless another number follows at once.
    const free = node.fill || next === undefined || (next.word === undefined && !/^[0-9]/.test(next.text)) || (next.word !== undefined && NUMERIC_WIDTH[next.word] === undefined && next.word !== 'Y,YYY')
    const digits = (free ? /^[+-]?[0-9]+/ : new RegExp(`^[+-]?[0-9]{1,${width}}`)).exec(free ? rest : rest.slice(0, width))?.[0]
    if (digits === undefined) throw invalid('Value must be an integer.')
    if (!free && digits.length < width) throw new SqlError('22007', `source string too short for "${node.text}" formatting field`, { detail: `Field requires ${width} characters, but only ${digits.length} remain.`, hint: 'If your source string is not fixed-width, try using the "FM" modifier.' })
    const n = Number(digits)
    if (n > 2147483647) throw new SqlError('22008', `value for "${node.text}" in source string is out of range`, { detail: 'Value must be in the range -2147483648 to 2147483647.' })
    switch (word) {
      case 'HH12': case 'HH': put('HH12', n); break
      case 'MS': case 'US': case 'FF1': case 'FF2': case 'FF3': case 'FF4': case 'FF5': case 'FF6': {
        // Digits of a fraction: .1 as MS is 100 milliseconds.
        const places = word === 'MS' ? 3 : word === 'US' ? 6 : Number(word[2])
        put('US', roundEven(n * 10 ** (6 - Math.max(digits.length, Math.min(digits.length, places)))))
        break
      }
      case 'SSSS': case 'SSSSS': put('SSSS', n); break
      case 'YYYY': case 'YYY': case 'YY': case 'Y':
        put('YYYY', shortYear(n, digits.length, word))
        read.yearDigits = digits.length
        break
      case 'IYYY': case 'IYY': case 'IY': case 'I': put('IYYY', shortYear(n, digits.length, word)); break
      case 'Q': break
      default: put(word, n)
    }
    return at + digits.length
  }
  const lower = rest.toLowerCase()
  switch (word) {
    case 'AM': case 'PM': case 'A.M.': case 'P.M.': {
      const half = /^(a\.m\.|p\.m\.|am|pm)/.exec(lower)?.[0]
      if (half === undefined || half.includes('.') !== word.includes('.')) throw invalid('The given value did not match any of the allowed values for this field.')
      read.half = half.startsWith('a') ? 'am' : 'pm'
      return at + half.length
    }
    case 'AD': case 'BC': case 'A.D.': case 'B.C.': {
      const era = /^(a\.d\.|b\.c\.|ad|bc)/.exec(lower)?.[0]
      if (era === undefined || era.includes('.') !== word.includes('.')) throw invalid('The given value did not match any of the allowed values for this field.')
      read.beforeChrist = era.startsWith('b')
      return at + era.length
    }
    case 'MONTH': case 'MON': {
      const month = MONTHS.findIndex(name => lower.startsWith(word === 'MON' ? name.slice(0, 3).toLowerCase() : name.toLowerCase()))
      if (month < 0) throw new SqlError('22007', `invalid value "${/^\S+/.exec(rest)?.[0] ?? rest}" for "${node.text}"`, { detail: 'The given value did not match any of the allowed values for this field.' })
      put('MM', month + 1)
      return at + (word === 'MON' ? 3 : (MONTHS[month] ?? '').length)
    }
    case 'DAY': case 'DY': {
      const day = WEEKDAYS.findIndex(name => lower.startsWith(word === 'DY' ? name.slice(0, 3).toLowerCase() : name.toLowerCase()))
      if (day < 0) throw new SqlError('22007', `invalid value "${/^\S+/.exec(rest)?.[0] ?? rest}" for "${node.text}"`, { detail: 'The given value did not match any of the allowed values for this field.' })
      put('D', day + 1)
      return at + (word === 'DY' ? 3 : (WEEKDAYS[day] ?? '').length)
    }
    case 'RM': {
      const roman = [...ROMAN_MONTHS].sort((a, b) => b.length - a.length).find(name => lower.startsWith(name.toLowerCase()))
      if (roman === undefined) throw invalid('The given value did not match any of the allowed values for this field.')
      put('MM', ROMAN_MONTHS.indexOf(roman) + 1)
      return at + roman.length
    }
    case 'TZH': {
      const hours = /^([+-]?)\s*([0-9]{1,2})/.exec(rest)
      if (hours === null) throw invalid('Value must be an integer.')
      read.east = (hours[1] === '-' ? -1 : 1) * Number(hours[2]) * 3600 + 0
      return at + hours[0].length
    }
    case 'TZM': {
      const minutes = /^[0-9]{1,2}/.exec(rest)?.[0]
      if (minutes === undefined) throw invalid('Value must be an integer.')
      const hours = read.east ?? 0
      read.east = hours + (hours < 0 ? -1 : 1) * Number(minutes) * 60
      return at + minutes.length
    }
    case 'TZ': case 'OF': throw new SqlError('0A000', `formatting field "${node.text}" is only supported in to_char`)
    default: return at
  }
}

/** Years of fewer than four digits are the nearest to 2020. */
function shortYear(n: number, digits: number, word: TimeWord): number {
  return digits >= 4 || word === 'YYYY' || word === 'IYYY' ? n : nearest(n, digits)
}

function nearest(n: number, digits: number): number {
  if (digits > 3 || n < 0) return n
  return n < 70 ? n + 2000 : n < 100 ? n + 1900 : n < 520 ? n + 2000 : n < 1000 ? n + 1000 : n
}

interface Moment {
  readonly days: number
  readonly time: number
  readonly east: number | undefined
}

function momentOf(text: string, template: string): Moment {
  const read = readBy(text, template)
  const get = (word: TimeWord): number | undefined => read.fields.get(word)
  const overflow = (): SqlError => new SqlError('22008', `date/time field value out of range: "${text}"`)
  let hour = get('HH24') ?? 0
  const half = get('HH12')
  if (half !== undefined) {
    if (read.half !== undefined) {
      if (half < 1 || half > 12) throw new SqlError('22007', `hour "${half}" is invalid for the 12-hour clock`, { hint: 'Use the 24-hour clock, or give an hour between 1 and 12.' })
      hour = read.half === 'pm' ? (half % 12) + 12 : half % 12
    } else hour = half
  } else if (read.half !== undefined) {
    if (hour < 1 || hour > 12) throw new SqlError('22007', `hour "${hour}" is invalid for the 12-hour clock`, { hint: 'Use the 24-hour clock, or give an hour between 1 and 12.' })
    hour = read.half === 'pm' ? (hour % 12) + 12 : hour % 12
  }
  let minute = get('MI') ?? 0
  let second = get('SS') ?? 0
  const sinceMidnight = get('SSSS')
  if (sinceMidnight !== undefined) {
    hour = Math.floor(sinceMidnight / 3600)
    minute = Math.floor(sinceMidnight / 60) % 60
    second = sinceMidnight % 60
  }
  if (hour > 24 || hour < 0 || minute > 59 || minute < 0 || second > 59 || second < 0) throw overflow()
  const time = (hour * 3600 + minute * 60 + second) * 1e6 + (get('US') ?? 0)
  if (time > 86400e6) throw overflow()
  return { days: daysBy(read, overflow), time, east: read.east }
}

function daysBy(read: Read, overflow: () => SqlError): number {
  const get = (word: TimeWord): number | undefined => read.fields.get(word)
  const julian = get('J')
  if (julian !== undefined) return julian - 2440588
  const isoYear = get('IYYY')
  const isoWeekNumber = get('IW')
  if (isoYear !== undefined || isoWeekNumber !== undefined || get('ID') !== undefined || get('IDDD') !== undefined) {
    if (get('YYYY') !== undefined || get('MM') !== undefined || get('DD') !== undefined || get('DDD') !== undefined) {
      throw new SqlError('22007', 'invalid combination of date conventions', { hint: 'Do not mix Gregorian and ISO week date conventions in a formatting template.' })
    }
    const monday = dayOfIsoWeek(isoYear ?? 1, 1)
    const day = get('IDDD')
    if (day !== undefined) return monday + day - 1
    return monday + ((isoWeekNumber ?? 1) - 1) * 7 + (get('ID') ?? 1) - 1
  }
  let year = get('YYYY')
  const century = get('CC')
  if (century !== undefined) {
    if (year === undefined) year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1
    else if (read.yearDigits <= 2) year = (century - 1) * 100 + (year % 100 === 0 ? 100 : year % 100)
  }
  let y = year ?? 0
  if (read.beforeChrist && y > 0) y = 1 - y
  else if (year === undefined || y === 0) y = 0
  else if (y < 0) y = read.beforeChrist ? -y : y + 1
  const dayOfYear = get('DDD')
  const week = get('WW')
  if (dayOfYear !== undefined && get('MM') === undefined && get('DD') === undefined) {
    if (year === undefined) throw new SqlError('22007', 'cannot calculate day of year without year information')
    if (dayOfYear < 1 || dayOfYear > daysOf(y + 1, 1, 1) - daysOf(y, 1, 1)) throw overflow()
    return daysOf(y, 1, 1) + dayOfYear - 1
  }
  if (week !== undefined && get('MM') === undefined && get('DD') === undefined) {
    const first = daysOf(y, 1, 1)
    const day = get('D')
    return day === undefined ? first + (week - 1) * 7 : first + (week - 1) * 7 - isoWeekday(first) % 7 + day - 1
  }
  const month = get('MM') ?? 1
  const weekOfMonth = get('W')
  const day = get('DD') ?? (weekOfMonth === undefined ? 1 : (weekOfMonth - 1) * 7 + 1)
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(y, month)) throw overflow()
  return daysOf(y, month, day)
}

const str = (v: Value | undefined): string => asText(v ?? null)

function toTimestamp(text: string, template: string, environment: Environment): bigint {
  const { days, time, east } = momentOf(text, template)
  const local = BigInt(days) * MICROS_PER_DAY + BigInt(time)
  return checkTimestamp(east === undefined ? instantOf(local, zoneNamed(environment.timeZone)) : local - BigInt(east) * MICROS_PER_SECOND)
}

export const timeParseFunctions: readonly ScalarFunction[] = [
  scalar('to_date', ['text', 'text'], DATE, value(([text, template]) => {
    const { days } = momentOf(str(text), str(template))
    if (days < FIRST_DAY || days > LAST_DAY) throw new SqlError('22008', `date out of range: "${str(text)}"`)
    return days
  }), 'a date read by a format', { volatility: 'stable' }),
  scalar('to_timestamp', ['text', 'text'], TIMESTAMPTZ, value(([text, template], environment) => toTimestamp(str(text), str(template), environment)), 'an instant read by a format', { volatility: 'stable' }),
]
