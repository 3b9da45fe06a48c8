/**
 * Exact decimal arithmetic with PostgreSQL's result scales and rounding (half away from zero).
 */
import { SqlError } from './error.ts'
import type { Decimal } from './value.ts'

export const NAN: Decimal = { unscaled: 0n, scale: 0, special: 'NaN' }
export const INFINITY: Decimal = { unscaled: 0n, scale: 0, special: 'Infinity' }
export const MINUS_INFINITY: Decimal = { unscaled: 0n, scale: 0, special: '-Infinity' }

/** Largest display scale that division and the functions choose by themselves. */
const MAX_CHOSEN_SCALE = 1000
const MAX_SCALE = 16383
/** Digits before the point. */
const MAX_DIGITS = 131072
/** Division and the functions give at least so many significant digits. */
export const SIGNIFICANT = 16

const smallPowers = Array.from({ length: 64 }, (_, i) => 10n ** BigInt(i))
/** 10^exponent, for an exponent of 0 or more. */
export const powerOfTen = (exponent: number): bigint => smallPowers[exponent] ?? 10n ** BigInt(exponent)

const DIVISION_BY_ZERO = (): SqlError => new SqlError('22012', 'division by zero')
const OVERFLOW = (): SqlError => new SqlError('22003', 'value overflows numeric format')

/** A finite decimal. */
export const decimal = (unscaled: bigint, scale: number): Decimal => ({ unscaled, scale })

/** The same value, or 22003 when it has more digits than PostgreSQL's numeric may have. */
function bounded(value: Decimal): Decimal {
  const { unscaled, scale } = value
  if (BigInt.asIntN(64, unscaled) !== unscaled && digitsOf(unscaled) - scale > MAX_DIGITS) throw OVERFLOW()
  return scale > MAX_SCALE ? round(value, MAX_SCALE) : value
}

/** Decimal digits of an integer's absolute value; 0 has none. */
export function digitsOf(integer: bigint): number {
  if (integer === 0n) return 0
  return (integer < 0n ? -integer : integer).toString().length
}

export function signOf(value: Decimal): number {
  if (value.special !== undefined) return value.special === '-Infinity' ? -1 : 1
  return value.unscaled > 0n ? 1 : value.unscaled < 0n ? -1 : 0
}

const infinity = (sign: number): Decimal => sign < 0 ? MINUS_INFINITY : sign > 0 ? INFINITY : NAN

/** −1, 0 or 1. NaN is equal to itself and above everything. */
export function compare(a: Decimal, b: Decimal): number {
  if (a.special !== undefined || b.special !== undefined) return rank(a) - rank(b)
  if (a.scale === b.scale) return a.unscaled < b.unscaled ? -1 : a.unscaled > b.unscaled ? 1 : 0
  const scale = Math.max(a.scale, b.scale), x = a.unscaled * powerOfTen(scale - a.scale), y = b.unscaled * powerOfTen(scale - b.scale)
  return x < y ? -1 : x > y ? 1 : 0
}
const rank = (value: Decimal): number => value.special === 'NaN' ? 2 : value.special === 'Infinity' ? 1 : value.special === '-Infinity' ? -1 : 0

export function negate(value: Decimal): Decimal {
  if (value.special !== undefined) return value.special === 'NaN' ? NAN : infinity(-signOf(value))
  return decimal(-value.unscaled, value.scale)
}

export const absolute = (value: Decimal): Decimal => signOf(value) < 0 ? negate(value) : value

export function add(a: Decimal, b: Decimal): Decimal {
  if (a.special !== undefined || b.special !== undefined) {
    if (a.special === 'NaN' || b.special === 'NaN') return NAN
    if (a.special === undefined) return b
    return b.special === undefined || a.special === b.special ? a : NAN
  }
  if (a.scale === b.scale) return bounded(decimal(a.unscaled + b.unscaled, a.scale))
  const scale = Math.max(a.scale, b.scale)
  return bounded(decimal(a.unscaled * powerOfTen(scale - a.scale) + b.unscaled * powerOfTen(scale - b.scale), scale))
}

export const subtract = (a: Decimal, b: Decimal): Decimal => add(a, negate(b))

export function multiply(a: Decimal, b: Decimal): Decimal {
  if (a.special !== undefined || b.special !== undefined) return a.special === 'NaN' || b.special === 'NaN' ? NAN : infinity(signOf(a) * signOf(b))
  return bounded(decimal(a.unscaled * b.unscaled, a.scale + b.scale))
}

/** The quotient with PostgreSQL's scale. */
export function divide(a: Decimal, b: Decimal): Decimal {
  if (a.special !== undefined || b.special !== undefined) {
    if (a.special === 'NaN' || b.special === 'NaN') return NAN
    if (a.special === undefined) return decimal(0n, 0)
    if (b.special !== undefined) return NAN
    if (b.unscaled === 0n) throw DIVISION_BY_ZERO()
    return infinity(signOf(a) * signOf(b))
  }
  if (b.unscaled === 0n) throw DIVISION_BY_ZERO()
  return divideTo(a, b, divisionScale(a, b))
}

/** a / b rounded to a scale. Both finite, b not zero. */
export function divideTo(a: Decimal, b: Decimal, scale: number): Decimal {
  const shift = scale - a.scale + b.scale
  const numerator = shift >= 0 ? a.unscaled * powerOfTen(shift) : a.unscaled
  const denominator = shift >= 0 ? b.unscaled : b.unscaled * powerOfTen(-shift)
  return bounded(decimal(roundedQuotient(numerator, denominator), scale))
}

/** The integer nearest to a / b; halves go away from zero. */
export function roundedQuotient(a: bigint, b: bigint): bigint {
  const quotient = a / b, rest = a - quotient * b
  const twice = rest < 0n ? -2n * rest : 2n * rest
  if (twice < (b < 0n ? -b : b)) return quotient
  return (a < 0n) === (b < 0n) ? quotient + 1n : quotient - 1n
}

/** Of a finite number written in base 10,000, as PostgreSQL does: the exponent of the first digit that is not zero, and that digit. Zero: 0, 0. */
export function leadingDigit(value: Decimal): { weight: number; digit: number } {
  if (value.unscaled === 0n) return { weight: 0, digit: 0 }
  const text = (value.unscaled < 0n ? -value.unscaled : value.unscaled).toString()
  const exponent = text.length - value.scale - 1 // of the first decimal digit
  const weight = Math.floor(exponent / 4), take = exponent - 4 * weight + 1
  return { weight, digit: Number(text.slice(0, take).padEnd(take, '0')) }
}

/** The scale that PostgreSQL gives to a / b: at least 16 significant digits, and no less than either operand's. */
export function divisionScale(a: Decimal, b: Decimal): number {
  const x = leadingDigit(a), y = leadingDigit(b)
  const weight = x.weight - y.weight - (x.digit <= y.digit ? 1 : 0)
  return chosenScale(SIGNIFICANT - 4 * weight, a.scale, b.scale)
}

/** The largest of the wanted scales, within what PostgreSQL chooses by itself. */
export const chosenScale = (...wanted: readonly number[]): number => Math.min(Math.max(0, ...wanted), MAX_CHOSEN_SCALE)

/** div(a, b): the quotient without its fraction. */
export function divideWhole(a: Decimal, b: Decimal): Decimal {
  if (a.special !== undefined || b.special !== undefined) return divide(a, b)
  if (b.unscaled === 0n) throw DIVISION_BY_ZERO()
  const scale = Math.max(a.scale, b.scale)
  return decimal((a.unscaled * powerOfTen(scale - a.scale)) / (b.unscaled * powerOfTen(scale - b.scale)), 0)
}

/** a − b × div(a, b): has the sign of a. */
export function modulo(a: Decimal, b: Decimal): Decimal {
  if (a.special !== undefined || b.special !== undefined) {
    if (a.special === 'NaN' || b.special === 'NaN') return NAN
    if (a.special !== undefined) { if (b.special === undefined && b.unscaled === 0n) throw DIVISION_BY_ZERO(); return NAN }
    return a
  }
  if (b.unscaled === 0n) throw DIVISION_BY_ZERO()
  const scale = Math.max(a.scale, b.scale)
  return decimal((a.unscaled * powerOfTen(scale - a.scale)) % (b.unscaled * powerOfTen(scale - b.scale)), scale)
}

/** Rounded half away from zero. A negative place rounds to tens, hundreds, …; the result's scale is never below 0. */
export function round(value: Decimal, places: number): Decimal {
  if (value.special !== undefined) return value
  if (places >= value.scale) return places === value.scale ? value : decimal(value.unscaled * powerOfTen(places - value.scale), places)
  const drop = value.scale - places
  if (drop > digitsOf(value.unscaled) + 1) return decimal(0n, Math.max(places, 0))
  const kept = roundedQuotient(value.unscaled, powerOfTen(drop))
  return places >= 0 ? decimal(kept, places) : bounded(decimal(kept * powerOfTen(-places), 0))
}

/** Cut towards zero, otherwise as `round`. */
export function truncate(value: Decimal, places: number): Decimal {
  if (value.special !== undefined) return value
  if (places >= value.scale) return places === value.scale ? value : decimal(value.unscaled * powerOfTen(places - value.scale), places)
  const drop = value.scale - places
  if (drop > digitsOf(value.unscaled)) return decimal(0n, Math.max(places, 0))
  const kept = value.unscaled / powerOfTen(drop)
  return places >= 0 ? decimal(kept, places) : decimal(kept * powerOfTen(-places), 0)
}

export function floor(value: Decimal): Decimal {
  const whole = truncate(value, 0)
  return value.special === undefined && value.unscaled < 0n && compare(whole, value) !== 0 ? decimal(whole.unscaled - 1n, 0) : whole
}

export const ceiling = (value: Decimal): Decimal => negate(floor(negate(value)))

/** The value as numeric(precision, scale) holds it: rounded; 22003 when it does not fit. */
export function fit(value: Decimal, precision: number, scale: number): Decimal {
  if (value.special !== undefined) {
    const detail = value.special === 'NaN' ? `A field with precision ${precision}, scale ${scale} cannot hold NaN here.` : `A field with precision ${precision}, scale ${scale} cannot hold an infinite value.`
    throw new SqlError('22003', 'numeric field overflow', { detail })
  }
  const rounded = round(value, scale)
  if (digitsOf(rounded.unscaled) - (rounded.scale - scale) > precision) throw fieldOverflow(precision, scale)
  return rounded
}

/** 22003 as PostgreSQL words it. */
export function fieldOverflow(precision: number, scale: number): SqlError {
  return new SqlError('22003', 'numeric field overflow', { detail: `A field with precision ${precision}, scale ${scale} must round to an absolute value less than ${precision === scale ? '1' : `10^${precision - scale}`}.` })
}

const SPECIALS: ReadonlyMap<string, Decimal> = new Map([
  ['nan', NAN], ['infinity', INFINITY], ['+infinity', INFINITY], ['-infinity', MINUS_INFINITY], ['inf', INFINITY], ['+inf', INFINITY], ['-inf', MINUS_INFINITY],
])

/** The decimal that a text means, as PostgreSQL reads it (blanks around it, exponents, NaN, Infinity); undefined when it is none. 22003 when it is too large. */
export function parse(text: string): Decimal | undefined {
  const match = /^[ \t\n\r\f\v]*([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d+))?[ \t\n\r\f\v]*$/.exec(text)
  if (match === null) return SPECIALS.get(text.trim().toLowerCase())
  const [, sign, whole = '', fraction = match[4] ?? '', , exponentText] = match
  const exponent = exponentText === undefined ? 0 : Number(exponentText)
  if (Math.abs(exponent) > 200_000) throw OVERFLOW()
  let unscaled = BigInt(whole + fraction), scale = fraction.length - exponent
  if (scale < 0) { unscaled *= powerOfTen(-scale); scale = 0 }
  return bounded(decimal(sign === '-' ? -unscaled : unscaled, scale))
}

/** As PostgreSQL prints it: all digits of its scale. */
export function print(value: Decimal): string {
  if (value.special !== undefined) return value.special
  const { unscaled, scale } = value
  if (scale === 0) return unscaled.toString()
  const negative = unscaled < 0n
  const digits = (negative ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${negative ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

export const fromInteger = (value: bigint | number): Decimal => decimal(BigInt(value), 0)

/** The nearest float8. */
export function toFloat(value: Decimal): number {
  return value.special === undefined ? Number(print(value)) : value.special === 'NaN' ? Number.NaN : value.special === 'Infinity' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
}

/** What PostgreSQL makes of a float8 (15 significant digits) or float4 (6). */
export function fromFloat(value: number, digits: 15 | 6): Decimal {
  if (Number.isNaN(value)) return NAN
  if (!Number.isFinite(value)) return infinity(value)
  // %.15g: trailing zeros are not printed, so neither are they in the scale
  const [mantissa = '0', exponent = '0'] = value.toExponential(digits - 1).split('e')
  const trimmed = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  return parse(`${trimmed}e${exponent}`) ?? NAN
}

/** The value rounded to an integer (half away from zero); undefined for NaN and the infinities. */
export const toInteger = (value: Decimal): bigint | undefined => value.special === undefined ? round(value, 0).unscaled : undefined
