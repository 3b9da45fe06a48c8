/** to_char of numbers, and to_number. */
import { asBigInt, asDecimal, asNumber, asText } from '../datum.ts'
import { fromFloat, round } from '../decimal.ts'
import { SqlError } from '../error.ts'
import { exactDecimal, formatDecimal, parseDecimal } from '../text/number.ts'
import { NUMERIC, TEXT } from '../type.ts'
import type { Decimal, Value } from '../value.ts'
import { value } from './body.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'

type Key = '9' | '0' | '.' | 'D' | ',' | 'G' | 'L' | 'S' | 'MI' | 'PL' | 'SG' | 'PR' | 'RN' | 'rn' | 'TH' | 'th' | 'V' | 'EEEE' | 'FM' | 'B' | 'C'
type Node = { readonly key: Key } | { readonly text: string }

const KEYS: readonly (readonly [string, Key])[] = [
  ['EEEE', 'EEEE'], ['eeee', 'EEEE'], ['MI', 'MI'], ['mi', 'MI'], ['PL', 'PL'], ['pl', 'PL'], ['SG', 'SG'], ['sg', 'SG'], ['PR', 'PR'], ['pr', 'PR'], ['RN', 'RN'], ['rn', 'rn'], ['TH', 'TH'], ['th', 'th'],
  ['FM', 'FM'], ['fm', 'FM'], ['9', '9'], ['0', '0'], ['.', '.'], ['D', 'D'], ['d', 'D'], [',', ','], ['G', 'G'], ['g', 'G'], ['L', 'L'], ['l', 'L'], ['S', 'S'], ['s', 'S'], ['V', 'V'], ['v', 'V'],
  ['B', 'B'], ['b', 'B'], ['C', 'C'], ['c', 'C'],
]

/** What a format says as a whole. */
class Format {
  readonly nodes: Node[] = []
  /** Digits before and behind the point, and behind V. */
  before = 0
  behind = 0
  shift = 0
  /** Digits before the first 0; undefined without one. */
  zeroStart: number | undefined
  zeroEnd = 0
  point = false
  multiplied = false
  fill = false
  roman = false
  exponent = false
  bracket = false
  minus = false
  plus = false
  sign: 'none' | 'before' | 'behind' = 'none'
  digitsBeforeSign = 0
}

const wrong = (message: string): SqlError => new SqlError('42601', message)

function readFormat(text: string): Format {
  const format = new Format()
  for (let i = 0; i < text.length;) {
    if (text[i] === '"') {
      let literal = ''
      for (i++; i < text.length && text[i] !== '"'; i++) {
        if (text[i] === '\\' && i + 1 < text.length) i++
        literal += text[i] ?? ''
      }
      i++
      format.nodes.push({ text: literal })
      continue
    }
    if (text[i] === '\\' && text[i + 1] === '"') {
      format.nodes.push({ text: '"' })
      i += 2
      continue
    }
    const found = KEYS.find(([word]) => text.startsWith(word, i))
    if (found === undefined) {
      const c = String.fromCodePoint(text.codePointAt(i) ?? 0)
      format.nodes.push({ text: c })
      i += c.length
      continue
    }
    note(format, found[1])
    format.nodes.push({ key: found[1] })
    i += found[0].length
  }
  return format
}

/** What a key adds to the format. */
function note(format: Format, key: Key): void {
  if (format.exponent && key !== 'EEEE') throw wrong('"EEEE" must be the last pattern used')
  switch (key) {
    case '9':
      if (format.bracket) throw wrong('"9" must be ahead of "PR"')
      if (format.multiplied) format.shift++
      else if (format.point) format.behind++
      else format.before++
      break
    case '0':
      if (format.bracket) throw wrong('"0" must be ahead of "PR"')
      if (!format.point && format.zeroStart === undefined) format.zeroStart = format.before
      if (format.point) format.behind++
      else format.before++
      format.zeroEnd = format.before + format.behind
      break
    case '.': case 'D':
      if (format.point) throw wrong('multiple decimal points')
      if (format.multiplied) throw wrong('cannot use "V" and decimal point together')
      format.point = true
      break
    case 'FM': format.fill = true; break
    case 'S':
      if (format.sign !== 'none' && format.sign !== 'behind') throw wrong('cannot use "S" twice')
      if (format.plus || format.minus || format.bracket) throw wrong('cannot use "S" and "PL"/"MI"/"SG"/"PR" together')
      if (!format.point) {
        format.sign = 'before'
        format.digitsBeforeSign = format.before
      } else if (format.sign === 'none') format.sign = 'behind'
      break
    case 'MI': case 'PL': case 'SG':
      if (format.sign !== 'none') throw wrong(`cannot use "S" and "${key}" together`)
      if (key !== 'PL') format.minus = true
      if (key !== 'MI') format.plus = true
      break
    case 'PR':
      if (format.sign !== 'none' || format.plus || format.minus) throw wrong('cannot use "PR" and "S"/"PL"/"MI"/"SG" together')
      format.bracket = true
      break
    case 'RN': case 'rn': format.roman = true; break
    case 'V':
      if (format.point) throw wrong('cannot use "V" and decimal point together')
      format.multiplied = true
      format.digitsBeforeSign = format.before
      break
    case 'EEEE':
      if (format.exponent) throw wrong('cannot use "EEEE" twice')
      if (format.fill || format.bracket || format.roman || format.sign !== 'none' || format.plus || format.minus || format.multiplied) {
        throw new SqlError('42601', '"EEEE" is incompatible with other formats', { detail: '"EEEE" may only be used together with digit and decimal point patterns.' })
      }
      format.exponent = true
      break
    default: break
  }
}

const formats = new Map<string, Format>()

function formatOf(text: string): Format {
  let format = formats.get(text)
  if (format === undefined) {
    if (formats.size > 200) formats.clear()
    formats.set(text, format = readFormat(text))
  }
  return format
}

function romanOf(number: bigint, lower: boolean, fill: boolean): string {
  const n = Number(number)
  let out = ''
  if (n < 1 || n > 3999) out = '#'.repeat(15)
  else {
    let rest = n
    for (const [size, letters] of [[1000, 'M'], [900, 'CM'], [500, 'D'], [400, 'CD'], [100, 'C'], [90, 'XC'], [50, 'L'], [40, 'XL'], [10, 'X'], [9, 'IX'], [5, 'V'], [4, 'IV'], [1, 'I']] as const) {
      for (; rest >= size; rest -= size) out += letters
    }
  }
  if (lower) out = out.toLowerCase()
  return fill ? out : out.padStart(15)
}

export function ordinalSuffix(digits: string, upper: boolean): string {
  const last = digits.slice(-1)
  const suffix = digits.slice(-2, -1) === '1' ? 'th' : last === '1' ? 'st' : last === '2' ? 'nd' : last === '3' ? 'rd' : 'th'
  return upper ? suffix.toUpperCase() : suffix
}

function inExponentForm(value: Decimal, digits: number): string {
  const negative = value.unscaled < 0n
  const all = (negative ? -value.unscaled : value.unscaled).toString()
  let exponent = value.unscaled === 0n ? 0 : all.length - 1 - value.scale
  const cut = round({ unscaled: BigInt(all), scale: all.length - 1 }, digits)
  let mantissa = value.unscaled === 0n ? { unscaled: 0n, scale: digits } : cut
  if (mantissa.unscaled >= 10n ** BigInt(mantissa.scale + 1)) {
    mantissa = { unscaled: mantissa.unscaled / 10n, scale: mantissa.scale }
    exponent++
  }
  const padded = { unscaled: mantissa.unscaled * 10n ** BigInt(digits - mantissa.scale), scale: digits }
  const size = Math.abs(exponent)
  return `${negative ? '-' : ' '}${formatDecimal(padded)}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`
}

/** Rounded as numerics are, halves away from zero; floats as printf rounds their exact value, halves to even. */
function wholeOf(number: Decimal, places: number, floatDigits: number | undefined): Decimal {
  if (floatDigits === undefined || number.scale <= places) return round(number, places)
  const unit = 10n ** BigInt(number.scale - places)
  const below = number.unscaled / unit
  if ((number.unscaled - below * unit) * 2n !== (number.unscaled < 0n ? -unit : unit)) return round(number, places)
  return { unscaled: below % 2n === 0n ? below : below + (number.unscaled < 0n ? -1n : 1n), scale: places }
}

/** A number in a format. Floats keep 15 digits, as PostgreSQL's do; `digits` is undefined for exact numbers. */
function toChar(given: Decimal, text: string, floatDigits?: number): string {
  const format = formatOf(text)
  if (format.roman) {
    if (given.special !== undefined && floatDigits === undefined) throw new SqlError('0A000', `cannot convert ${given.special === 'NaN' ? 'NaN' : 'infinity'} to integer`)
    const whole = given.special === undefined ? wholeOf(given, 0, floatDigits).unscaled : 0n
    if (floatDigits === undefined && (whole > 2147483647n || whole < -2147483648n)) throw new SqlError('22003', 'integer out of range')
    return written(format, { sign: '+', digits: '', blanks: 0, before: 0, roman: whole })
  }
  if (format.exponent) return given.special === undefined ? inExponentForm(given, format.behind) : ` ${'#'.repeat(format.before)}.${'#'.repeat(format.behind + 4)}`
  let number = given
  let before = format.before
  if (format.multiplied) {
    number = given.special === undefined ? { unscaled: given.unscaled * 10n ** BigInt(format.shift), scale: given.scale } : given
    before += format.shift
  }
  let behind = format.behind
  let shown: string
  if (number.special !== undefined) shown = number.special
  else {
    if (floatDigits !== undefined) {
      const whole = formatDecimal(wholeOf(number, 0, floatDigits)).replace('-', '').length
      behind = whole >= floatDigits ? 0 : Math.min(behind, floatDigits - whole)
    }
    const rounded = wholeOf(number, behind, floatDigits)
    shown = formatDecimal({ unscaled: rounded.unscaled * 10n ** BigInt(Math.max(0, behind - rounded.scale)), scale: Math.max(behind, rounded.scale) })
  }
  const negative = shown.startsWith('-')
  const digits = negative ? shown.slice(1) : shown
  const whole = digits.includes('.') ? digits.indexOf('.') : digits.length
  const overflow = whole > before
  return written(format, {
    sign: negative ? '-' : '+', before, blanks: overflow ? 0 : before - whole, roman: 0n,
    digits: overflow ? `${'#'.repeat(before)}${format.point ? '.' : ''}${'#'.repeat(format.point ? behind : 0)}` : digits,
  })
}

interface Prepared {
  readonly sign: '+' | '-'
  /** Digits with the point, without sign. */
  readonly digits: string
  /** Positions before the point that stay empty. */
  readonly blanks: number
  readonly before: number
  readonly roman: bigint
}

/** The format walked from left to right, a digit for each position. */
function written(format: Format, n: Prepared): string {
  const { fill } = format
  const zeroStart = format.zeroStart
  let out = ''
  let at = 0
  let position = 0
  let begun = false
  let bracket = format.bracket
  // `before` plus digits behind the point, less one; one more where no blank can take the sign.
  let count = format.behind + n.before - 1
  const locate = format.sign === 'before' && n.before === format.digitsBeforeSign ? 'behind' : format.sign
  let signed: boolean
  if (format.plus || format.minus) signed = !(format.plus && !format.minus)
  else {
    if (n.sign !== '-' && bracket && fill) bracket = false
    signed = n.sign === '+' && fill && locate === 'none'
  }
  // The last digit behind the point that FM keeps: the last that is not 0, or under a 0 of the format.
  let relevant: number | undefined
  if (fill && format.point && n.digits.includes('.')) {
    relevant = n.digits.indexOf('.')
    for (let i = relevant + 1; i < n.digits.length; i++) if (n.digits[i] !== '0') relevant = i
    if (format.zeroEnd > n.blanks) relevant = Math.max(relevant, Math.min(n.digits.length - 1, format.zeroEnd - n.blanks))
  }
  if (!signed && n.blanks === 0) count++
  const bareZero = (): boolean => zeroStart === undefined && at === 0 && n.digits[0] === '0' && format.behind !== 0
  const pointKept = (): boolean => relevant !== undefined && n.digits[relevant] === '.'
  const digit = (isZero: boolean): void => {
    if (!signed && (position >= n.blanks || (zeroStart !== undefined && zeroStart === position)) && (!bareZero() || pointKept())) {
      if (locate !== 'none') { if (locate === 'before') out += n.sign }
      else if (bracket) out += n.sign === '+' ? ' ' : '<'
      else if (n.sign === '+') { if (!fill) out += ' ' }
      else out += '-'
      signed = true
    }
    if (position < n.blanks && (zeroStart === undefined || zeroStart > position)) { if (!fill) out += ' ' }
    else if (position < n.blanks && zeroStart !== undefined) {
      out += '0'
      begun = true
    } else {
      if (n.digits[at] === '.') {
        if (!pointKept() || fill) out += '.'
      } else if (relevant !== undefined && at > relevant && !isZero) { /* FM drops it */ }
      else if (bareZero()) {
        if (!fill) out += ' '
        else if (pointKept()) out += '0'
      } else if (at < n.digits.length) {
        out += n.digits[at]
        begun = true
      }
      if (at < n.digits.length) at++
    }
    let end = count + (n.blanks > 0 ? 1 : 0) + (format.point ? 1 : 0)
    if (relevant !== undefined && relevant === at) end = position
    if (position + 1 === end) {
      if (signed && bracket) out += n.sign === '+' ? ' ' : '>'
      else if (locate === 'behind') out += n.sign
    }
    position++
  }
  for (const node of format.nodes) {
    if ('text' in node) { out += node.text; continue }
    switch (node.key) {
      case '9': case '0': case '.': case 'D': digit(node.key === '0'); break
      case ',': case 'G': if (begun) out += ','; else if (!fill) out += ' '; break
      case 'L': out += fill ? '' : ' '; break
      case 'RN': case 'rn': out += romanOf(n.roman, node.key === 'rn', fill); break
      case 'TH': case 'th':
        if (/^[A-Z]/i.test(n.digits)) throw new SqlError('22P02', `"${n.digits}" is not a number`)
        if (!format.roman && n.digits[0] !== '#' && n.sign !== '-' && !format.point) out += ordinalSuffix(n.digits, node.key === 'TH')
        break
      case 'MI': if (n.sign === '-') out += '-'; else if (!fill) out += ' '; break
      case 'PL': if (n.sign === '+') out += '+'; else if (!fill) out += ' '; break
      case 'SG': out += n.sign; break
      default: break
    }
  }
  return out
}

/** A number read by a format: its digits, point and sign, whatever else stands between them. */
function toNumber(text: string, template: string): Value {
  const format = formatOf(template)
  if (format.roman) throw new SqlError('0A000', '"RN" not supported for input')
  if (format.exponent) throw new SqlError('0A000', '"EEEE" not supported for input')
  let at = 0
  let digits = ''
  let negative = false
  let point = false
  const blanks = (): void => { while (text[at] === ' ') at++ }
  const sign = (): void => {
    blanks()
    if (text[at] === '-' || (text[at] === '<' && format.bracket)) { negative = true; at++ }
    else if (text[at] === '+') at++
  }
  for (const node of format.nodes) {
    if (at >= text.length) break
    if ('text' in node) { at += node.text.length; continue }
    switch (node.key) {
      case '9': case '0':
        if (digits === '' && !point) sign()
        if (/[0-9]/.test(text[at] ?? '')) digits += text[at++] ?? ''
        else if (text[at] === '.' && !point && format.point) { digits += '.'; point = true; at++; if (/[0-9]/.test(text[at] ?? '')) digits += text[at++] ?? '' }
        break
      case '.': case 'D':
        if (text[at] === '.' && !point) { digits += '.'; point = true; at++ }
        break
      case ',': case 'G': if (text[at] === ',') at++; break
      case 'S': case 'MI': case 'PL': case 'SG': sign(); break
      case 'PR': if (text[at] === '>') at++; break
      case 'L': if (/[^0-9.+-]/.test(text[at] ?? '')) at++; break
      case 'TH': case 'th': at += 2; break
      default: break
    }
  }
  if (format.sign !== 'none' && /-\s*$/.test(text.slice(at))) negative = true
  if (digits === '' || digits === '.') throw new SqlError('22P02', `invalid input syntax for type numeric: "${negative ? '-' : ' '}"`)
  const number = parseDecimal(`${negative ? '-' : ''}${digits}`)
  if (!format.multiplied) return number
  return { unscaled: number.unscaled, scale: number.scale + format.shift }
}

/** A float's exact value; in exponent form PostgreSQL takes the digits a numeric would. */
function decimalOf(n: number, digits: 15 | 6): Decimal {
  return Number.isFinite(n) ? exactDecimal(n) : fromFloat(n, digits)
}

const str = (v: Value | undefined): string => asText(v ?? null)
const nonEmpty = (template: string, run: () => string): string => template === '' ? '' : run()

export const numberFormatFunctions: readonly ScalarFunction[] = [
  ...(['int4', 'int8'] as const).map(kind => scalar('to_char', [kind, 'text'], TEXT, value(([n, template]) =>
    nonEmpty(str(template), () => toChar({ unscaled: kind === 'int4' ? BigInt(asNumber(n ?? null)) : asBigInt(n ?? null), scale: 0 }, str(template)))), 'a number in a format')),
  scalar('to_char', ['numeric', 'text'], TEXT, value(([n, template]) => nonEmpty(str(template), () => toChar(asDecimal(n ?? null), str(template)))), 'a number in a format'),
  ...([['float4', 6], ['float8', 15]] as const).map(([kind, digits]) => scalar('to_char', [kind, 'text'], TEXT, value(([n, template]) =>
    nonEmpty(str(template), () => toChar(decimalOf(asNumber(n ?? null), digits), str(template), digits))), 'a number in a format')),
  scalar('to_number', ['text', 'text'], NUMERIC, value(([text, template]) => str(template) === '' ? null : toNumber(str(text), str(template))), 'a number read by a format'),
]
