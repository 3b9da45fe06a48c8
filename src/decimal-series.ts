/**
 * Roots, exponentials and logarithms of decimals: computed with digits to spare, then rounded to the scale that PostgreSQL chooses.
 */
import { INFINITY, MINUS_INFINITY, NAN, SIGNIFICANT, chosenScale, compare, decimal, digitsOf, divideTo, leadingDigit, multiply, powerOfTen, round, roundedQuotient, signOf, toFloat } from './decimal.ts'
import { SqlError } from './error.ts'
import type { Decimal } from './value.ts'

const ONE = decimal(1n, 0)
const overflow = (): SqlError => new SqlError('22003', 'value overflows numeric format')
const LN10 = Math.LN10

/** Square root. */
export function squareRoot(a: Decimal): Decimal {
  if (a.special !== '-Infinity' && a.special !== undefined) return a
  if (signOf(a) < 0) throw new SqlError('2201F', 'cannot take square root of a negative number')
  const { weight } = leadingDigit(a)
  const resultWeight = weight >= 0 ? Math.floor(weight * 4 / 2) + 1 : 1 - Math.floor((1 - weight * 4) / 2)
  const scale = chosenScale(SIGNIFICANT - resultWeight, a.scale)
  if (a.unscaled === 0n) return decimal(0n, scale)
  // √(u / 10^s) at scale r is √(u × 10^(2r − s))
  const shift = 2 * scale + 2 - a.scale
  const root = integerRoot(shift >= 0 ? a.unscaled * powerOfTen(shift) : a.unscaled / powerOfTen(-shift))
  return decimal(roundedQuotient(root, 10n), scale)
}

/** ⌊√n⌋, by Newton; the upper half of the digits comes from the root of the upper half. */
function integerRoot(n: bigint): bigint {
  if (n < 2n) return n
  const bits = bitsOf(n)
  let x: bigint
  if (bits > 256) {
    const half = BigInt(bits >> 2)
    x = (integerRoot(n >> (2n * half)) + 1n) << half
  } else x = 1n << BigInt(Math.ceil(bits / 2))
  for (;;) {
    const y = (x + n / x) >> 1n
    if (y >= x) return x
    x = y
  }
}

/** Binary digits of a non-negative integer, up to three too many. */
const bitsOf = (n: bigint): number => n === 0n ? 0 : n.toString(16).length * 4

// Inside, numbers are integers times 2^bits: then a division by the unit is a shift.

/** Bits that hold so many decimal digits. */
const bitsFor = (digits: number): bigint => BigInt(Math.ceil(digits * 3.3219281) + 8)

/** e^(x / 10^digits), times 10^digits. */
function expFixed(x: bigint, digits: number): bigint {
  const size = Number(x / powerOfTen(digits))
  const work = digits + 10 + Math.max(0, Math.ceil(size / LN10))
  // e^x = (e^(x / 2^k))^(2^k), with k such that squarings and terms of the series are about as many
  const halvings = Math.ceil(Math.log2(Math.abs(size) + 1)) + Math.max(12, Math.ceil(Math.sqrt(work * 3.33)))
  const bits = bitsFor(work) + BigInt(halvings), unit = 1n << bits
  const reduced = ((x << bits) / powerOfTen(digits)) >> BigInt(halvings)
  let term = unit, sum = unit
  for (let i = 1n; term !== 0n && term !== -1n; i++) { term = ((term * reduced) >> bits) / i; sum += term }
  for (let i = 0; i < halvings; i++) sum = (sum * sum) >> bits
  return (sum * powerOfTen(digits) + (unit >> 1n)) >> bits
}

/** ln(x / 10^digits), times 10^digits; x > 0. */
function lnFixed(x: bigint, digits: number): bigint {
  const roots = Math.max(6, Math.ceil(Math.sqrt(digits * 3.33) / 3)), bits = bitsFor(digits + 12) + BigInt(roots), unit = 1n << bits
  // x = m × 2^k with m near 1, and ln m = 2^roots × 2 atanh((r − 1)/(r + 1)) with r the 2^roots-th root of m
  const one = powerOfTen(digits), k = bitsOf(x) - bitsOf(one), up = bits - BigInt(k)
  let root = up >= 0n ? (x << up) / one : x / (one << -up)
  for (let i = 0; i < roots; i++) root = integerRoot(root << bits)
  const lnM = (2n * atanhFixed(((root - unit) << bits) / (root + unit), bits)) << BigInt(roots)
  return roundedQuotient((lnM + BigInt(k) * lnTwo(bits)) * powerOfTen(digits), unit)
}

let lnTwoKnown: { readonly bits: bigint; readonly value: bigint } | undefined
function lnTwo(bits: bigint): bigint {
  // ln 2 = 2 atanh(1/3)
  if (lnTwoKnown === undefined || lnTwoKnown.bits < bits) lnTwoKnown = { bits: bits + 16n, value: 2n * atanhFixed((1n << (bits + 16n)) / 3n, bits + 16n) }
  return lnTwoKnown.value >> (lnTwoKnown.bits - bits)
}

function atanhFixed(z: bigint, bits: bigint): bigint {
  const square = (z * z) >> bits
  let term = z, sum = z
  for (let i = 3n; term !== 0n && term !== -1n; i += 2n) { term = (term * square) >> bits; sum += term / i }
  return sum
}

/** The decimal's value times 10^digits. */
const fixed = (a: Decimal, digits: number): bigint => round(a, digits).unscaled

/** e^a. */
export function exponential(a: Decimal): Decimal {
  if (a.special !== undefined) return a.special === '-Infinity' ? decimal(0n, 0) : a
  const weight = Math.max(-2000, Math.min(2000, toFloat(a) * 0.434294481903252))
  const scale = chosenScale(SIGNIFICANT - Math.trunc(weight), a.scale)
  const float = toFloat(a)
  if (float >= 2000 * 3) throw overflow()
  if (float < -5000) return decimal(0n, scale)
  return expTo(a, scale)
}

function expTo(a: Decimal, scale: number): Decimal {
  const digits = Math.max(scale, a.scale) + 8
  return round(decimal(expFixed(fixed(a, digits), digits), digits), scale)
}

function logarithmError(a: Decimal): void {
  const sign = signOf(a)
  if (a.special === 'NaN') return
  if (sign < 0) throw new SqlError('2201E', 'cannot take logarithm of a negative number')
  if (sign === 0) throw new SqlError('2201E', 'cannot take logarithm of zero')
}

/** Estimated decimal weight of ln(a), as PostgreSQL estimates it. */
function lnWeight(a: Decimal): number {
  if (a.unscaled <= 0n) return 0
  if (compare(a, decimal(9n, 1)) >= 0 && compare(a, decimal(11n, 1)) <= 0) {
    // near one, ln(1 + x) ≈ x
    const { unscaled, scale } = a, difference = unscaled - powerOfTen(scale)
    if (difference === 0n) return 0
    const x = leadingDigit(decimal(difference, scale))
    return x.weight * 4 + Math.trunc(Math.log10(x.digit))
  }
  const text = a.unscaled.toString(), { weight } = leadingDigit(a)
  if (text === '0') return 0
  // the first two digits of base 10,000
  const exponent = text.length - a.scale - 1, take = exponent - 4 * weight + 1 + 4
  const digits = Number(text.slice(0, take).padEnd(take, '0'))
  const ln = Math.log(digits) + (weight * 4 - 4) * LN10
  return Math.trunc(Math.log10(Math.abs(ln)))
}

/** Natural logarithm. */
export function naturalLogarithm(a: Decimal): Decimal {
  logarithmError(a)
  if (a.special !== undefined) return a.special === 'NaN' ? NAN : INFINITY
  return lnTo(a, chosenScale(SIGNIFICANT - lnWeight(a), a.scale))
}

function lnTo(a: Decimal, scale: number): Decimal {
  const digits = Math.max(scale, a.scale) + 8
  return round(decimal(lnFixed(fixed(a, digits), digits), digits), scale)
}

/** Logarithm of `a` to a base. */
export function logarithm(base: Decimal, a: Decimal): Decimal {
  if (base.special === 'NaN' || a.special === 'NaN') return NAN
  if (Math.min(signOf(base), signOf(a)) < 0) logarithmError(signOf(base) < 0 ? base : a)
  logarithmError(base)
  logarithmError(a)
  if (base.special !== undefined) return a.special === undefined ? decimal(0n, 0) : NAN
  if (a.special !== undefined) return INFINITY
  const scale = chosenScale(SIGNIFICANT - (lnWeight(a) - lnWeight(base)), base.scale, a.scale)
  const digits = scale + 30 + Math.abs(lnWeight(a)) + Math.abs(lnWeight(base))
  const divisor = lnTo(base, digits)
  if (divisor.unscaled === 0n) throw new SqlError('22012', 'division by zero')
  return divideTo(lnTo(a, digits), divisor, scale)
}

/** Decimal weight of base^exponent, from the first sixteen digits or so. */
function powerWeight(base: Decimal, exponent: number): number {
  const text = (base.unscaled < 0n ? -base.unscaled : base.unscaled).toString(), take = text.slice(0, 17)
  return exponent * (Math.log10(Number(take)) + text.length - take.length - base.scale)
}

/** a^b. */
export function power(a: Decimal, b: Decimal): Decimal {
  if (a.special !== undefined || b.special !== undefined) return specialPower(a, b)
  const integer = round(b, 0), isInteger = compare(integer, b) === 0
  if (a.unscaled === 0n && b.unscaled < 0n) throw new SqlError('2201F', 'zero raised to a negative power is undefined')
  if (a.unscaled < 0n && !isInteger) throw new SqlError('2201F', 'a negative number raised to a non-integer power yields a complex result')
  if (isInteger && integer.unscaled >= -0x80000000n && integer.unscaled <= 0x7fffffffn) return integerPower(a, Number(integer.unscaled), b.scale)
  if (a.unscaled === 0n) return decimal(0n, SIGNIFICANT)
  const negative = a.unscaled < 0n && integer.unscaled % 2n !== 0n, base = a.unscaled < 0n ? decimal(-a.unscaled, a.scale) : a
  // PostgreSQL estimates the result's size from a logarithm of about eight digits
  const rough = Math.max(0, 8 - lnWeight(base)), exponent = toFloat(round(multiplyPlain(lnTo(base, rough), b), rough))
  if (Math.abs(exponent) > 2000 * 3.01) {
    if (exponent > 0) throw overflow()
    return decimal(0n, 1000)
  }
  const magnitude = exponent * 0.434294481903252
  const scale = chosenScale(SIGNIFICANT - Math.trunc(magnitude), a.scale, b.scale)
  const digits = scale + Math.max(0, Math.ceil(magnitude)) + 20
  const result = expTo(round(multiplyPlain(lnTo(base, digits + digitsOf(b.unscaled)), b), digits), scale)
  return negative ? decimal(-result.unscaled, result.scale) : result
}

function integerPower(base: Decimal, exponent: number, exponentScale: number): Decimal {
  const weight = base.unscaled === 0n ? 0 : powerWeight(base, exponent)
  if (weight > 32768 * 4) throw overflow()
  const scale = chosenScale(SIGNIFICANT, base.scale, exponentScale)
  if (weight + 1 < -scale) return decimal(0n, scale)
  if (exponent === 0) return round(ONE, scale)
  if (exponent === 1) return round(base, scale)
  if (exponent === 2) return round(multiply(base, base), scale)
  if (exponent === -1) return divideTo(ONE, base, scale)
  if (base.unscaled === 0n) return decimal(0n, scale)
  // exact while it is small, else with digits to spare
  const count = Math.abs(exponent), keep = Math.ceil(Math.abs(weight)) + scale + 30
  let result: Decimal = ONE, square = base
  for (let rest = count; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = trimmed(multiplyPlain(result, square), keep)
    if (rest > 1) square = trimmed(multiplyPlain(square, square), keep)
  }
  return exponent > 0 ? round(result, scale) : divideTo(ONE, result, scale)
}

/** Without the limits of a displayed value. */
const multiplyPlain = (a: Decimal, b: Decimal): Decimal => decimal(a.unscaled * b.unscaled, a.scale + b.scale)

/** At most so many significant digits; the scale may become negative. */
function trimmed(a: Decimal, keep: number): Decimal {
  const drop = digitsOf(a.unscaled) - keep
  if (drop <= 0) return a
  const kept = roundedQuotient(a.unscaled, powerOfTen(drop))
  return a.scale - drop >= 0 ? decimal(kept, a.scale - drop) : decimal(kept * powerOfTen(drop - a.scale), 0)
}

function specialPower(a: Decimal, b: Decimal): Decimal {
  const one = (x: Decimal): boolean => x.special === undefined && compare(x, ONE) === 0, zero = (x: Decimal): boolean => x.special === undefined && x.unscaled === 0n
  if (a.special === 'NaN') return zero(b) ? ONE : NAN
  if (b.special === 'NaN') return one(a) ? ONE : NAN
  if (zero(b) || one(a)) return ONE
  if (zero(a) && signOf(b) < 0) throw new SqlError('2201F', 'zero raised to a negative power is undefined')
  if (b.special === undefined) {
    const whole = round(b, 0), isInteger = compare(whole, b) === 0
    if (a.special === '-Infinity' && !isInteger) throw new SqlError('2201F', 'a negative number raised to a non-integer power yields a complex result')
    if (signOf(b) < 0) return decimal(0n, 0)
    return a.special === '-Infinity' && whole.unscaled % 2n !== 0n ? MINUS_INFINITY : INFINITY
  }
  if (zero(a)) return decimal(0n, 0)
  const size = compare(a.special === undefined ? decimal(a.unscaled < 0n ? -a.unscaled : a.unscaled, a.scale) : INFINITY, ONE)
  if (size === 0) return ONE // (−1)^±∞
  return (size > 0) === (b.special === 'Infinity') ? INFINITY : decimal(0n, 0)
}

