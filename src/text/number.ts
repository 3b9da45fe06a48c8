/** Text of integers, floats, numerics and booleans. */
import { SqlError } from '../error.ts'
import { typeName } from '../type.ts'
import type { Type } from '../type.ts'
import type { Decimal } from '../value.ts'
import { invalidText, trimBlanks } from './settings.ts'

const INT8_MIN = -9223372036854775808n
const INT8_MAX = 9223372036854775807n

function outOfRange(text: string, name: string): SqlError {
  return new SqlError('22003', `value "${text}" is out of range for type ${name}`)
}

/** Reads an int2 or int4. */
export function parseInteger(text: string, type: Type, min: number, max: number): number {
  const digits = trimBlanks(text)
  if (!/^[+-]?[0-9]+$/.test(digits)) throw invalidText(type, text)
  const value = Number(digits)
  if (value < min || value > max) throw outOfRange(text, typeName(type))
  return value + 0
}

/** Reads an int8. */
export function parseInt8(text: string): bigint {
  const digits = trimBlanks(text)
  if (!/^[+-]?[0-9]+$/.test(digits)) throw invalidText('bigint', text)
  const value = BigInt(digits.startsWith('+') ? digits.slice(1) : digits)
  if (value < INT8_MIN || value > INT8_MAX) throw outOfRange(text, 'bigint')
  return value
}

/** Reads an object id: 32 bits, negative numbers wrap as in PostgreSQL. */
export function parseOid(text: string): bigint {
  const digits = trimBlanks(text)
  if (!/^[+-]?[0-9]+$/.test(digits)) throw invalidText('oid', text)
  const value = BigInt(digits.startsWith('+') ? digits.slice(1) : digits)
  if (value < -2147483648n || value > 4294967295n) throw outOfRange(text, 'oid')
  return value & 0xffffffffn
}

/** Reads a bool: any unambiguous beginning of true, false, yes, no, on, off, or 1, 0. */
export function parseBool(text: string): boolean {
  const word = trimBlanks(text).toLowerCase()
  if (word !== '') {
    if ('true'.startsWith(word) || 'yes'.startsWith(word) || word === 'on' || word === '1') return true
    if ('false'.startsWith(word) || 'no'.startsWith(word) || (word.length > 1 && 'off'.startsWith(word)) || word === '0') return false
  }
  throw invalidText('boolean', text)
}

const SPECIAL_FLOAT: Readonly<Record<string, number>> = {
  nan: NaN, inf: Infinity, '+inf': Infinity, infinity: Infinity, '+infinity': Infinity, '-inf': -Infinity, '-infinity': -Infinity,
}

/** Reads a float8. */
export function parseFloat8(text: string): number {
  return parseFloating(text, 'double precision', value => value)
}

/** Reads a float4, rounded once from the decimal text. */
export function parseFloat4(text: string): number {
  return parseFloating(text, 'real', (value, digits) => {
    const single = Math.fround(value)
    if (single === value || !Number.isFinite(single)) return single
    // Rounding decimal → double → single differs from one rounding only when the double is exactly half way.
    const other = neighbour(single, value)
    if (Math.abs(value - single) !== Math.abs(other - value)) return single
    const side = compareDecimals(parseDecimalDigits(digits), exactDecimal(value))
    if (side === 0) return single
    return side > 0 === other > single ? other : single
  })
}

const bitsView = new DataView(new ArrayBuffer(8))

/** The single next to a finite one on the side of `toward`. */
function neighbour(single: number, toward: number): number {
  if (single === 0) return toward > 0 ? 1.401298464324817e-45 : -1.401298464324817e-45
  bitsView.setFloat32(0, single)
  bitsView.setInt32(0, bitsView.getInt32(0) + (toward > single === single > 0 ? 1 : -1))
  return bitsView.getFloat32(0)
}

function betweenSingles(read: number, single: number): boolean {
  return Math.abs(read - single) === Math.abs(neighbour(single, read) - read)
}

/** The double next to a finite one that is not 0, away from zero or towards it. */
function neighbourDouble(value: number, step: 1n | -1n): number {
  bitsView.setFloat64(0, value)
  bitsView.setBigInt64(0, bitsView.getBigInt64(0) + step)
  return bitsView.getFloat64(0)
}

/** The exact decimal of a finite float: every float has one. */
export function exactDecimal(value: number): Decimal {
  bitsView.setFloat64(0, value)
  const raw = bitsView.getBigUint64(0)
  const exponent = Number((raw >> 52n) & 0x7ffn)
  const fraction = raw & 0xfffffffffffffn
  const mantissa = (raw >> 63n === 1n ? -1n : 1n) * (exponent === 0 ? fraction : fraction | 0x10000000000000n)
  const power = (exponent === 0 ? 1 : exponent) - 1075
  return power >= 0 ? { unscaled: mantissa << BigInt(power), scale: 0 } : { unscaled: mantissa * 5n ** BigInt(-power), scale: -power }
}

function compareDecimals(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale)
  const x = a.unscaled * 10n ** BigInt(scale - a.scale)
  const y = b.unscaled * 10n ** BigInt(scale - b.scale)
  return x < y ? -1 : x > y ? 1 : 0
}

function parseFloating(text: string, name: string, round: (value: number, digits: string) => number): number {
  const digits = trimBlanks(text)
  const special = SPECIAL_FLOAT[digits.toLowerCase()]
  if (special !== undefined) return special
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(digits)) {
    if (/^[+-]?0[xX][0-9a-fA-F]+$/.test(digits)) return Number(digits.replace(/^[+-]/, '')) * (digits.startsWith('-') ? -1 : 1)
    throw invalidText(name, text)
  }
  const value = round(Number(digits), digits)
  if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(digits.replace(/[eE].*/, '')))) {
    throw new SqlError('22003', `"${digits}" is out of range for type ${name}`)
  }
  return value
}

/** Writes a float8 as float8out does: shortest digits that read back the same, or %.{15+n}g when extra_float_digits is not positive. */
export function formatFloat8(value: number, extraDigits: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  if (extraDigits <= 0) return general(value, Math.max(1, 15 + extraDigits))
  // JavaScript's shortest digits are the same; only where the exponent begins differs.
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e15) return String(value)
  const text = value.toExponential()
  return layOut(size >= 2 ** 53 && size < 1e40 && halfWay(text, value) ? withoutHalfWay(text, value) : text, 15)
}

/** True when the decimal lies exactly between the float and its neighbour: JavaScript takes such digits for even mantissas, PostgreSQL never. */
function halfWay(text: string, value: number): boolean {
  const decimal = parseDecimalDigits(text)
  const steps = [1n, -1n] as const
  return steps.some(step => {
    const other = exactDecimal(neighbourDouble(value, step))
    return compareDecimals({ unscaled: decimal.unscaled * 2n, scale: decimal.scale }, sum(exactDecimal(value), other)) === 0
  })
}

/** Both are integers. */
function sum(a: Decimal, b: Decimal): Decimal {
  return { unscaled: a.unscaled + b.unscaled, scale: 0 }
}

function withoutHalfWay(text: string, value: number): string {
  for (let digits = text.replace(/e.*|[^0-9]/g, '').length; digits < 17; digits++) {
    const longer = value.toExponential(digits - 1)
    if (Number(longer) === value && !halfWay(longer, value)) return longer
  }
  return value.toExponential(16)
}

/** Writes a float4 as float4out does. */
export function formatFloat4(value: number, extraDigits: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  if (extraDigits <= 0) return general(value, Math.max(1, 6 + extraDigits))
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value)
  // Most values have few digits or need nearly all; what reads back with n digits does with more.
  for (let digits = Math.fround(Number(value.toPrecision(6))) === value ? 1 : 6; digits < 9; digits++) {
    const text = value.toExponential(digits - 1)
    const read = Number(text)
    const single = Math.fround(read)
    if (read === value || (single === value && !betweenSingles(read, single))) return layOut(text, 6)
    // Half way to a neighbour as a double: the decimal itself decides, and if it is half way too, PostgreSQL does not rely on such digits.
    if (read !== single && betweenSingles(read, single) && parseFloat4(text) === value && compareDecimals(parseDecimalDigits(text), exactDecimal(read)) !== 0) return layOut(text, 6)
  }
  return layOut(value.toExponential(8), 6)
}

/** Plain notation for a decimal exponent from −4 to limit − 1, else `d.ddde±NN`, from toExponential's text. */
function layOut(text: string, limit: number): string {
  const at = text.indexOf('e')
  const exponent = Number(text.slice(at + 1))
  const negative = text.startsWith('-')
  const mantissa = text.slice(negative ? 1 : 0, at)
  const sign = negative ? '-' : ''
  if (exponent < -4 || exponent >= limit) {
    const size = Math.abs(exponent)
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${size < 10 ? '0' : ''}${size}`
  }
  const digits = mantissa.replace('.', '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return sign + digits + '0'.repeat(exponent + 1 - digits.length)
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

/** printf's %.{precision}g. */
function general(value: number, precision: number): string {
  const text = value.toExponential(precision - 1)
  const at = text.indexOf('e')
  const mantissa = text.slice(0, at).includes('.') ? text.slice(0, at).replace(/\.?0+$/, '') : text.slice(0, at)
  return layOut(mantissa + text.slice(at), precision)
}

const SPECIAL_NUMERIC: Readonly<Record<string, Decimal>> = {
  nan: { unscaled: 0n, scale: 0, special: 'NaN' },
  inf: { unscaled: 0n, scale: 0, special: 'Infinity' }, '-inf': { unscaled: 0n, scale: 0, special: '-Infinity' },
}
const NUMERIC_SYNTAX = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/

/** Reads a numeric with the scale its text shows; 22003 past PostgreSQL's 131,072 + 16,383 digits. */
export function parseDecimal(text: string): Decimal {
  const digits = trimBlanks(text)
  const special = SPECIAL_NUMERIC[digits.toLowerCase().replace(/^\+/, '').replace('infinity', 'inf')]
  if (special !== undefined) return special
  const parts = NUMERIC_SYNTAX.exec(digits)
  if (parts === null || (parts[2] === '' && (parts[3] ?? '') === '')) throw invalidText('numeric', text)
  const exponent = Number(parts[4] ?? 0)
  if (Math.abs(exponent) > 1_073_741_823) throw new SqlError('22003', 'value overflows numeric format')
  return scaled(parts[1] ?? '', parts[2] ?? '', parts[3] ?? '', exponent)
}

function parseDecimalDigits(digits: string): Decimal {
  const parts = NUMERIC_SYNTAX.exec(digits)
  return parts === null ? { unscaled: 0n, scale: 0 } : scaled(parts[1] ?? '', parts[2] ?? '', parts[3] ?? '', Number(parts[4] ?? 0), false)
}

function scaled(sign: string, whole: string, fraction: string, exponent: number, limited = true): Decimal {
  let unscaled = BigInt(whole + fraction)
  let scale = fraction.length - exponent
  const size = unscaled === 0n ? 0 : unscaled.toString().length
  if (limited && (size - scale > 131072 || exponent < -16383)) throw new SqlError('22003', 'value overflows numeric format')
  if (limited && scale > 16383) {
    if (exponent < 0 && size - scale < -16383 && unscaled === 0n) scale = 16383
    else {
      unscaled = roundedQuotient(unscaled, scale - 16383)
      scale = 16383
    }
  }
  if (scale < 0) {
    unscaled *= 10n ** BigInt(unscaled === 0n ? 0 : -scale)
    scale = 0
  }
  return { unscaled: sign === '-' ? -unscaled : unscaled, scale }
}

/** unscaled ÷ 10^digits, halves away from zero. */
function roundedQuotient(unscaled: bigint, digits: number): bigint {
  const unit = 10n ** BigInt(digits)
  const half = unit / 2n
  return unscaled < 0n ? -((-unscaled + half) / unit) : (unscaled + half) / unit
}

/** Writes a numeric with all digits of its scale. */
export function formatDecimal(value: Decimal): string {
  if (value.special !== undefined) return value.special
  const { unscaled, scale } = value
  // Numbers print several times faster than bigints do.
  const small = Number(unscaled)
  if (small >= -9007199254740991 && small <= 9007199254740991) return smallDecimal(small, scale)
  if (scale === 0) return unscaled.toString()
  const negative = value.unscaled < 0n
  let digits = (negative ? -value.unscaled : value.unscaled).toString()
  if (digits.length <= value.scale) digits = '0'.repeat(value.scale + 1 - digits.length) + digits
  const point = digits.length - value.scale
  return `${negative ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`
}

function smallDecimal(unscaled: number, scale: number): string {
  if (scale === 0) return String(unscaled)
  let digits = String(unscaled < 0 ? -unscaled : unscaled)
  if (digits.length <= scale) digits = '0'.repeat(scale + 1 - digits.length) + digits
  const point = digits.length - scale
  return `${unscaled < 0 ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`
}

/** A numeric rounded to the type's scale; 22003 with PostgreSQL's detail when it has too many digits. */
export function coerceDecimal(value: Decimal, type: Type): Decimal {
  if (type.kind !== 'numeric' || type.precision === undefined) return value
  const scale = type.scale ?? 0
  if (value.special !== undefined) {
    if (value.special === 'NaN') return value
    throw new SqlError('22003', 'numeric field overflow', { detail: `A field with precision ${type.precision}, scale ${scale} cannot hold an infinite value.` })
  }
  const unscaled = value.scale > scale ? roundedQuotient(value.unscaled, value.scale - scale) : value.unscaled * 10n ** BigInt(scale - value.scale)
  const size = unscaled < 0n ? -unscaled : unscaled
  if (size >= 10n ** BigInt(type.precision)) {
    const whole = type.precision - scale
    throw new SqlError('22003', 'numeric field overflow', {
      detail: `A field with precision ${type.precision}, scale ${scale} must round to an absolute value less than ${whole === 0 ? '' : '10^'}${whole === 0 ? 1 : whole}.`,
    })
  }
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 }
}

