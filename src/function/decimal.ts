/** Arithmetic and the mathematical functions of numeric. Fixed precision is computed in generated code, the rest by `src/decimal.ts`. */
import type { Decimal, Value } from '../value.ts'
import { asDecimal } from '../datum.ts'
import * as exact from '../decimal.ts'
import * as series from '../decimal-series.ts'
import { InternalError, SqlError } from '../error.ts'
import type { Type } from '../type.ts'
import { INT4, NUMERIC, layoutOf } from '../type.ts'
import type { Emitter, Fault } from '../wasm.ts'
import { F64, I32, I64, ZERO_DIVISION, f64, i32, i64, select } from '../wasm.ts'
import type { Body, Operand, Site } from './body.ts'
import { value, wasm } from './body.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'
import type { Wide } from './wide.ts'
import { differenceOverflows, isNarrow, multiplyEasily, multiplyNarrow, roughProduct, sumOverflows, wideAdd, wideExceeds, wideMultiply, wideNegate, wideScaleUp, wideSubtract, widen } from './wide.ts'

const MAX = 38
/** A product of more than 38 digits stays 128-bit (and is checked) when this many digits at least remain before the point. */
const WHOLE_DIGITS = 20

export const scaleOf = (type: Type): number => type.kind === 'numeric' ? type.scale ?? 0 : 0
export const precisionOf = (type: Type): number => type.kind === 'numeric' ? type.precision ?? 0 : 0
const isFixed = (type: Type | undefined): type is Type => type !== undefined && layoutOf(type) !== 'var'
const numeric = (precision: number, scale: number): Type => ({ kind: 'numeric', precision, scale })

const TOO_WIDE: Fault = { code: '22003', message: 'numeric value out of range', detail: 'The result has more than 38 digits.' }

/** The type of a + b and a − b. */
function sumType([a, b]: readonly Type[]): Type {
  if (!isFixed(a) || !isFixed(b)) return NUMERIC
  const scale = Math.max(scaleOf(a), scaleOf(b)), whole = Math.max(precisionOf(a) - scaleOf(a), precisionOf(b) - scaleOf(b))
  // with 39 digits only the carry may not fit: that is checked
  return whole + scale > MAX ? NUMERIC : numeric(Math.min(MAX, whole + scale + 1), scale)
}

/** The type of a × b. */
function productType([a, b]: readonly Type[]): Type {
  if (!isFixed(a) || !isFixed(b)) return NUMERIC
  const precision = precisionOf(a) + precisionOf(b), scale = scaleOf(a) + scaleOf(b)
  if (precision <= MAX) return numeric(precision, scale)
  return MAX - scale >= WHOLE_DIGITS ? numeric(MAX, scale) : NUMERIC
}

/** The type of a % b. */
function remainderType([a, b]: readonly Type[]): Type {
  if (!isFixed(a) || !isFixed(b)) return NUMERIC
  const scale = Math.max(scaleOf(a), scaleOf(b)), whole = Math.min(precisionOf(a) - scaleOf(a), precisionOf(b) - scaleOf(b))
  return Math.max(precisionOf(a) - scaleOf(a), precisionOf(b) - scaleOf(b)) + scale > MAX ? NUMERIC : numeric(Math.max(whole + scale, 1), scale)
}

/** The type of a value rounded to an integer. */
const wholeType = ([a]: readonly Type[]): Type => isFixed(a) ? numeric(Math.min(MAX, Math.max(1, precisionOf(a) - scaleOf(a) + 1)), 0) : NUMERIC

// ---- generated code -------------------------------------------------------------------------------------------------

/** A numeric operand as 128 bits. */
export function wideOperand(e: Emitter, operand: Operand | undefined): Wide {
  if (operand?.layout === 'i128') return operand
  if (operand?.layout === 'i64') return widen(e, operand.value)
  throw new InternalError('a numeric with precision was expected')
}

/** A value, known to fit, in the layout of its type. */
export function narrowResult(result: Wide, type: Type): Operand {
  return layoutOf(type) === 'i64' ? { layout: 'i64', value: result.low, valid: undefined } : { layout: 'i128', ...result, valid: undefined }
}

const typeAt = (site: Site, i: number): Type => site.args[i] ?? NUMERIC
const allFixed = (site: Site): boolean => isFixed(site.result) && site.args.every(isFixed)

function sum(op: '+' | '-'): Body {
  return wasm((e, [x, y], site) => {
    const scale = scaleOf(site.result), up = (i: number): number => scale - scaleOf(typeAt(site, i))
    if (layoutOf(site.result) === 'i64' && x?.layout === 'i64' && y?.layout === 'i64') {
      // the precision of the result has room for the carry
      const a = up(0) === 0 ? x.value : i64.mul(x.value, i64.const(10n ** BigInt(up(0)))), b = up(1) === 0 ? y.value : i64.mul(y.value, i64.const(10n ** BigInt(up(1))))
      return { layout: 'i64', value: op === '+' ? i64.add(a, b) : i64.sub(a, b), valid: undefined }
    }
    const a = wideScaleUp(e, wideOperand(e, x), up(0)), b = wideScaleUp(e, wideOperand(e, y), up(1))
    const result = op === '+' ? wideAdd(e, a, b) : wideSubtract(e, a, b)
    const whole = Math.max(precisionOf(typeAt(site, 0)) - scaleOf(typeAt(site, 0)), precisionOf(typeAt(site, 1)) - scaleOf(typeAt(site, 1)))
    if (whole + scale >= MAX) e.raise(TOO_WIDE, i32.or(op === '+' ? sumOverflows(a, b, result) : differenceOverflows(a, b, result), wideExceeds(e, result, 10n ** 38n)))
    return narrowResult(result, site.result)
  }, allFixed, ([a, b]) => op === '+' ? exact.add(dec(a), dec(b)) : exact.subtract(dec(a), dec(b)))
}

const product: Body = wasm((e, [x, y], site) => {
  const digits = precisionOf(typeAt(site, 0)) + precisionOf(typeAt(site, 1))
  if (x?.layout === 'i64' && y?.layout === 'i64') {
    if (digits <= 18) return { layout: 'i64', value: i64.mul(x.value, y.value), valid: undefined }
    const a = x.value, b = y.value
    return narrowResult(multiplyEasily(e, a, b, undefined, () => multiplyNarrow(e, a, b)), site.result)
  }
  const a = wideOperand(e, x), b = wideOperand(e, y)
  const result = multiplyEasily(e, a.low, b.low, e.let(I32, i32.and(isNarrow(a), isNarrow(b))), () => {
    const product = wideMultiply(e, a, b)
    if (digits > MAX) {
      // near the limit the product decides, which wraps only at 1.7 × 10^38
      const rough = e.let(F64, roughProduct(a, b))
      e.raise(TOO_WIDE, i32.or(f64.ge(rough, f64.const(1.6e38)), i32.and(f64.ge(rough, f64.const(9.9e37)), wideExceeds(e, product, 10n ** 38n))))
    }
    return product
  })
  return narrowResult(result, site.result)
}, allFixed, ([a, b]) => exact.multiply(dec(a), dec(b)))

const remainder: Body = wasm((e, [x, y], site) => {
  if (x?.layout !== 'i64' || y?.layout !== 'i64') throw new InternalError('% of two i64')
  const up = (i: number): bigint => 10n ** BigInt(scaleOf(site.result) - scaleOf(typeAt(site, i)))
  const zero = e.let(I32, i64.eqz(y.value))
  e.raise(ZERO_DIVISION, zero)
  const divisor = select(i64.const(1), i64.mul(y.value, i64.const(up(1))), zero)
  return { layout: 'i64', value: i64.rem(i64.mul(x.value, i64.const(up(0))), divisor), valid: undefined }
}, site => layoutOf(site.result) === 'i64' && [0, 1].every(i => isFixed(site.args[i]) && precisionOf(typeAt(site, i)) + scaleOf(site.result) - scaleOf(typeAt(site, i)) <= 18),
([a, b]) => exact.modulo(dec(a), dec(b)))

const negation: Body = wasm((e, [x], site) => {
  if (x?.layout === 'i64') return { layout: 'i64', value: i64.sub(i64.const(0), x.value), valid: undefined }
  return narrowResult(wideNegate(e, wideOperand(e, x)), site.result)
}, allFixed, ([a]) => exact.negate(dec(a)))

const absolute: Body = wasm((e, [x], site) => {
  if (x?.layout === 'i64') return { layout: 'i64', value: select(i64.sub(i64.const(0), x.value), x.value, i64.lt(x.value, i64.const(0))), valid: undefined }
  const a = wideOperand(e, x), opposite = wideNegate(e, a), negative = e.let(I32, i64.lt(a.high, i64.const(0)))
  return narrowResult({ low: e.let(I64, select(opposite.low, a.low, negative)), high: e.let(I64, select(opposite.high, a.high, negative)) }, site.result)
}, allFixed, ([a]) => exact.absolute(dec(a)))

/** To an integer: generated for 64 bits, where `adjust` tells what is added to the quotient cut towards zero. */
function whole(adjust: (e: Emitter, value: readonly number[], rest: readonly number[], divisor: bigint) => readonly number[], run: (a: Decimal) => Decimal): Body {
  return wasm((e, [x], site) => {
    const scale = scaleOf(typeAt(site, 0))
    if (x?.layout !== 'i64') throw new InternalError('an i64 was expected')
    if (scale === 0) return narrowResult(widen(e, x.value), site.result)
    const divisor = 10n ** BigInt(scale), a = e.let(I64, x.value), rest = e.let(I64, i64.rem(a, i64.const(divisor)))
    return narrowResult(widen(e, i64.add(i64.div(a, i64.const(divisor)), adjust(e, a, rest, divisor))), site.result)
  }, site => layoutOf(typeAt(site, 0)) === 'i64' && isFixed(site.result) && scaleOf(typeAt(site, 0)) <= 18 && scaleOf(site.result) === 0,
  ([a]) => run(dec(a)))
}

const floor = whole((_, _a, rest) => i64.extend(i32.sub(i32.const(0), i64.lt(rest, i64.const(0)))), exact.floor)
const ceiling = whole((_, _a, rest) => i64.extend(i64.gt(rest, i64.const(0))), exact.ceiling)
const round = whole((_, _a, rest, divisor) => i64.extend(i32.sub(i64.ge(rest, i64.const(divisor / 2n)), i64.le(rest, i64.const(-divisor / 2n)))), a => exact.round(a, 0))
const truncate = whole(() => i64.const(0), a => exact.truncate(a, 0))

// ---- the table ------------------------------------------------------------------------------------------------------

const dec = (v: Value | undefined): Decimal => asDecimal(v ?? null)
const num = (v: Value | undefined): number => typeof v === 'number' ? v : 0
/** PostgreSQL's limits of digits behind and before the point. */
const places = (v: Value | undefined): number => Math.min(Math.max(num(v), -131072), 16383)
const one = (run: (a: Decimal) => Value): Body => value(([a]) => run(dec(a)))
const two = (run: (a: Decimal, b: Decimal) => Value): Body => value(([a, b]) => run(dec(a), dec(b)))

function trimScale(a: Decimal): Decimal {
  let { unscaled, scale } = a
  while (scale > 0 && unscaled % 10n === 0n) { unscaled /= 10n; scale-- }
  return a.special === undefined ? exact.decimal(unscaled, scale) : a
}

const gcdOf = (a: bigint, b: bigint): bigint => { let x = a < 0n ? -a : a, y = b < 0n ? -b : b; while (y !== 0n) [x, y] = [y, x % y]; return x }
function gcd(a: Decimal, b: Decimal): Decimal {
  if (a.special !== undefined || b.special !== undefined) return exact.NAN
  const scale = Math.max(a.scale, b.scale)
  return exact.decimal(gcdOf(exact.round(a, scale).unscaled, exact.round(b, scale).unscaled), scale)
}
function lcm(a: Decimal, b: Decimal): Decimal {
  if (a.special !== undefined || b.special !== undefined) return exact.NAN
  const scale = Math.max(a.scale, b.scale), x = exact.round(a, scale).unscaled, y = exact.round(b, scale).unscaled, divisor = gcdOf(x, y)
  if (divisor === 0n) return exact.decimal(0n, scale)
  const result = x / divisor * y
  return exact.decimal(result < 0n ? -result : result, scale)
}

function widthBucket(operand: Decimal, low: Decimal, high: Decimal, count: number): number {
  const invalid = (message: string): SqlError => new SqlError('2201G', message)
  if (count <= 0) throw invalid('count must be greater than zero')
  if ([operand, low, high].some(x => x.special === 'NaN')) throw invalid('operand, lower bound, and upper bound cannot be NaN')
  if (low.special !== undefined || high.special !== undefined) throw invalid('lower and upper bounds must be finite')
  const direction = exact.compare(low, high)
  if (direction === 0) throw invalid('lower bound cannot equal upper bound')
  const position = direction < 0 ? exact.compare(operand, low) : exact.compare(low, operand), end = direction < 0 ? exact.compare(operand, high) : exact.compare(high, operand)
  if (position < 0) return 0
  if (end >= 0) { if (count === 0x7fffffff) throw new SqlError('22003', 'integer out of range'); return count + 1 }
  const scale = Math.max(operand.scale, low.scale, high.scale), at = (x: Decimal): bigint => exact.round(x, scale).unscaled
  const distance = at(operand) - at(low), range = at(high) - at(low)
  return Number(distance * BigInt(count) / range) + 1
}

function factorial(n: bigint): Decimal {
  if (n < 0n) throw new SqlError('22003', 'factorial of a negative number is undefined')
  if (n > 32177n) throw new SqlError('22003', 'value overflows numeric format')
  let result = 1n
  for (let i = 2n; i <= n; i++) result *= i
  return exact.decimal(result, 0)
}

const SIGN_TYPE = ([a]: readonly Type[]): Type => isFixed(a) ? numeric(1, 0) : NUMERIC
const sign: Body = wasm((e, [x]) => {
  const top = x?.layout === 'i64' ? x.value : wideOperand(e, x).high
  const zero = x?.layout === 'i64' ? i64.eqz(x.value) : i64.eqz(i64.or(wideOperand(e, x).low, top))
  return { layout: 'i64', value: select(i64.const(0), i64.or(i64.shr(top, i64.const(63)), i64.const(1)), zero), valid: undefined }
}, allFixed, ([a]) => dec(a).special === 'NaN' ? exact.NAN : exact.decimal(BigInt(exact.signOf(dec(a))), 0))

const same = ([a]: readonly Type[]): Type => isFixed(a) ? a : NUMERIC

export const decimalFunctions: readonly ScalarFunction[] = [
  scalar('+', ['numeric', 'numeric'], sumType, sum('+'), 'sum'),
  scalar('-', ['numeric', 'numeric'], sumType, sum('-'), 'difference'),
  scalar('*', ['numeric', 'numeric'], productType, product, 'product'),
  scalar('/', ['numeric', 'numeric'], NUMERIC, two(exact.divide), 'quotient with at least 16 significant digits'),
  ...['%', 'mod'].map(name => scalar(name, ['numeric', 'numeric'], remainderType, remainder, 'remainder, with the sign of the first')),
  scalar('-', ['numeric'], same, negation, 'negated'),
  scalar('+', ['numeric'], same, wasm((_, [x]) => x ?? { layout: 'i64', value: i64.const(0), valid: undefined }, allFixed, ([a]) => a ?? null), 'itself'),
  ...['abs', '@'].map(name => scalar(name, ['numeric'], same, absolute, 'absolute value')),
  scalar('sign', ['numeric'], SIGN_TYPE, sign, '−1, 0 or 1'),
  scalar('floor', ['numeric'], wholeType, floor, 'nearest integer not above'),
  ...['ceil', 'ceiling'].map(name => scalar(name, ['numeric'], wholeType, ceiling, 'nearest integer not below')),
  scalar('round', ['numeric'], wholeType, round, 'nearest integer, halves away from zero'),
  scalar('trunc', ['numeric'], wholeType, truncate, 'without its fraction'),
  scalar('round', ['numeric', 'int4'], NUMERIC, value(([a, b]) => exact.round(dec(a), places(b))), 'rounded to so many digits of the fraction, halves away from zero'),
  scalar('trunc', ['numeric', 'int4'], NUMERIC, value(([a, b]) => exact.truncate(dec(a), places(b))), 'cut to so many digits of the fraction'),
  scalar('div', ['numeric', 'numeric'], NUMERIC, two(exact.divideWhole), 'quotient without its fraction'),
  scalar('sqrt', ['numeric'], NUMERIC, one(series.squareRoot), 'square root'),
  scalar('exp', ['numeric'], NUMERIC, one(series.exponential), 'e to the power'),
  scalar('ln', ['numeric'], NUMERIC, one(series.naturalLogarithm), 'natural logarithm'),
  ...['log', 'log10'].map(name => scalar(name, ['numeric'], NUMERIC, one(a => series.logarithm(exact.decimal(10n, 0), a)), 'logarithm to base 10')),
  scalar('log', ['numeric', 'numeric'], NUMERIC, two(series.logarithm), 'logarithm of the second to the base of the first'),
  ...['power', 'pow', '^'].map(name => scalar(name, ['numeric', 'numeric'], NUMERIC, two(series.power), 'first to the power of the second')),
  scalar('gcd', ['numeric', 'numeric'], NUMERIC, two(gcd), 'greatest common divisor'),
  scalar('lcm', ['numeric', 'numeric'], NUMERIC, two(lcm), 'least common multiple'),
  scalar('scale', ['numeric'], INT4, one(a => a.special === undefined ? a.scale : null), 'digits of the fraction'),
  scalar('min_scale', ['numeric'], INT4, one(a => a.special === undefined ? trimScale(a).scale : null), 'digits of the fraction that are needed'),
  scalar('trim_scale', ['numeric'], NUMERIC, one(trimScale), 'without zeros at the end of the fraction'),
  scalar('factorial', ['int8'], NUMERIC, value(([n]) => factorial(typeof n === 'bigint' ? n : 0n)), 'product of the integers up to it'),
  scalar('width_bucket', ['numeric', 'numeric', 'numeric', 'int4'], INT4, value(([a, b, c, d]) => widthBucket(dec(a), dec(b), dec(c), num(d))), 'number of the bucket among equal ones'),
]

