/** Arithmetic and the mathematical functions of float4 and float8. */
import { InternalError, SqlError } from '../error.ts'
import { FLOAT4, FLOAT8, INT4 } from '../type.ts'
import type { Code, Emitter, ValType } from '../wasm.ts'
import { F32, F64, OUT_OF_RANGE, ZERO_DIVISION, f32, f64, i32 } from '../wasm.ts'
import type { Body, Emit, Operand } from './body.ts'
import { value, wasm } from './body.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'

export const OVERFLOW = { code: '22003', message: 'value out of range: overflow' }
export const UNDERFLOW = { code: '22003', message: 'value out of range: underflow' }
const OUTSIDE = OUT_OF_RANGE('input is')

/** A float operand as float8. */
function double(operand: Operand | undefined): Code {
  if (operand?.layout === 'f64') return operand.value
  if (operand?.layout === 'f32') return f64.promote(operand.value)
  throw new InternalError('a float operand was expected')
}

const result64 = (value: Code): Operand => ({ layout: 'f64', value, valid: undefined })

const infinite = (value: Code): Code => f64.eq(f64.abs(value), f64.const(Number.POSITIVE_INFINITY))
const infinite32 = (value: Code): Code => f32.eq(f32.abs(value), f32.const(Number.POSITIVE_INFINITY))
const not = i32.eqz

type Arithmetic = '+' | '-' | '*' | '/'

function arithmetic64(op: Arithmetic): Emit {
  return (e, [x, y]) => {
    const a = e.let(F64, double(x)), b = e.let(F64, double(y)), zero = f64.const(0)
    if (op === '/') {
      e.raise(ZERO_DIVISION, i32.and(f64.eq(b, zero), f64.eq(a, a)))
      const r = e.let(F64, f64.div(a, b))
      e.raise(OVERFLOW, i32.and(i32.and(infinite(r), not(infinite(a))), f64.ne(b, zero)))
      e.raise(UNDERFLOW, i32.and(f64.eq(r, zero), i32.and(f64.ne(a, zero), not(infinite(b)))))
      return result64(r)
    }
    const r = e.let(F64, op === '+' ? f64.add(a, b) : op === '-' ? f64.sub(a, b) : f64.mul(a, b))
    e.raise(OVERFLOW, i32.and(infinite(r), not(i32.or(infinite(a), infinite(b)))))
    if (op === '*') e.raise(UNDERFLOW, i32.and(f64.eq(r, zero), i32.and(f64.ne(a, zero), f64.ne(b, zero))))
    return result64(r)
  }
}

function arithmetic32(op: Arithmetic): Emit {
  return (e, [x, y]) => {
    if (x?.layout !== 'f32' || y?.layout !== 'f32') throw new InternalError('two float4 were expected')
    const a = x.value, b = y.value, zero = f32.const(0)
    if (op === '/') {
      e.raise(ZERO_DIVISION, i32.and(f32.eq(b, zero), f32.eq(a, a)))
      const r = e.let(F32, f32.div(a, b))
      e.raise(OVERFLOW, i32.and(i32.and(infinite32(r), not(infinite32(a))), f32.ne(b, zero)))
      e.raise(UNDERFLOW, i32.and(f32.eq(r, zero), i32.and(f32.ne(a, zero), not(infinite32(b)))))
      return { layout: 'f32', value: r, valid: undefined }
    }
    const r = e.let(F32, op === '+' ? f32.add(a, b) : op === '-' ? f32.sub(a, b) : f32.mul(a, b))
    e.raise(OVERFLOW, i32.and(infinite32(r), not(i32.or(infinite32(a), infinite32(b)))))
    if (op === '*') e.raise(UNDERFLOW, i32.and(f32.eq(r, zero), i32.and(f32.ne(a, zero), f32.ne(b, zero))))
    return { layout: 'f32', value: r, valid: undefined }
  }
}

// ---- functions that WebAssembly has no instruction for ---------------------------------------------------------------

const failure = (code: string, message: string): SqlError => new SqlError(code, message)
const overflow = (): SqlError => failure('22003', OVERFLOW.message)
const underflow = (): SqlError => failure('22003', UNDERFLOW.message)
const outside = (): SqlError => failure('22003', OUTSIDE.message)

/** Infinite although no argument is: overflow. */
const finite = (r: number, ...args: readonly number[]): number => {
  if (!Number.isFinite(r) && !Number.isNaN(r) && args.every(Number.isFinite)) throw overflow()
  return r
}

function logarithm(f: (x: number) => number): (x: number) => number {
  return x => {
    if (x === 0) throw failure('2201E', 'cannot take logarithm of zero')
    if (x < 0) throw failure('2201E', 'cannot take logarithm of a negative number')
    return f(x)
  }
}

function power(a: number, b: number): number {
  // C, unlike JavaScript: 1^NaN = 1, NaN^0 = 1, (−1)^±∞ = 1
  if (b === 0 || a === 1) return 1
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN
  if (a === 0 && b < 0) throw failure('2201F', 'zero raised to a negative power is undefined')
  if (a < 0 && Number.isFinite(b) && !Number.isInteger(b)) throw failure('2201F', 'a negative number raised to a non-integer power yields a complex result')
  if (a === -1 && !Number.isFinite(b)) return 1
  const r = finite(a ** b, a, b)
  if (r === 0 && a !== 0 && Number.isFinite(a) && Number.isFinite(b)) throw underflow()
  return r
}

/** A function of angles: of ±∞ it is not defined. */
const angle = (f: (x: number) => number) => (x: number): number => {
  if (x === Number.POSITIVE_INFINITY || x === Number.NEGATIVE_INFINITY) throw outside()
  return f(x)
}
const within = (f: (x: number) => number) => (x: number): number => {
  if (x < -1 || x > 1) throw outside()
  return f(x)
}

/** Sine of an angle in degrees, exact at the multiples of 30. */
function sinDegrees(x: number): number {
  let a = x % 360, sign = 1
  if (a < 0) { a = -a; sign = -1 }
  if (a > 180) { a = 360 - a; sign = -sign }
  if (a > 90) a = 180 - a
  return sign * sinQuadrant(a)
}
function cosDegrees(x: number): number {
  let a = Math.abs(x % 360), sign = 1
  if (a > 180) a = 360 - a
  if (a > 90) { a = 180 - a; sign = -1 }
  return sign * cosQuadrant(a)
}
const RADIAN = Math.PI / 180
const SIN30 = Math.sin(30 * RADIAN), ONE_MINUS_COS60 = 1 - Math.cos(60 * RADIAN), TAN45 = sinQuadrant(45) / cosQuadrant(45), COT45 = cosQuadrant(45) / sinQuadrant(45)
function sinQuadrant(a: number): number { return a <= 30 ? Math.sin(a * RADIAN) / SIN30 / 2 : cosTo60(90 - a) }
function cosQuadrant(a: number): number { return a <= 60 ? cosTo60(a) : Math.sin((90 - a) * RADIAN) / SIN30 / 2 }
function cosTo60(a: number): number { return 1 - (1 - Math.cos(a * RADIAN)) / ONE_MINUS_COS60 / 2 }
function tanDegrees(x: number): number {
  let a = x % 360, sign = 1
  if (a < 0) { a = -a; sign = -1 }
  if (a > 180) { a = 360 - a; sign = -sign }
  if (a > 90) { a = 180 - a; sign = -sign }
  const r = sign * (sinQuadrant(a) / cosQuadrant(a) / TAN45)
  return r === 0 ? 0 : r
}
function cotDegrees(x: number): number {
  let a = x % 360, sign = 1
  if (a < 0) { a = -a; sign = -1 }
  if (a > 180) { a = 360 - a; sign = -sign }
  if (a > 90) { a = 180 - a; sign = -sign }
  const r = sign * (cosQuadrant(a) / sinQuadrant(a) / COT45)
  return r === 0 ? 0 : r
}
const ASIN05 = Math.asin(0.5), ACOS05 = Math.acos(0.5), ATAN1 = Math.atan(1)
const asinQuadrant = (x: number): number => x <= 0.5 ? Math.asin(x) / ASIN05 * 30 : 90 - Math.acos(x) / ACOS05 * 60
const acosQuadrant = (x: number): number => x <= 0.5 ? 90 - Math.asin(x) / ASIN05 * 30 : Math.acos(x) / ACOS05 * 60

const UNARY: Readonly<Record<string, { readonly run: (x: number) => number; readonly about: string }>> = {
  cbrt: { run: Math.cbrt, about: 'cube root' },
  exp: { run: x => { const r = finite(Math.exp(x), x); if (r === 0 && Number.isFinite(x)) throw underflow(); return r }, about: 'e to the power' },
  ln: { run: logarithm(Math.log), about: 'natural logarithm' },
  log: { run: logarithm(Math.log10), about: 'logarithm to base 10' },
  log10: { run: logarithm(Math.log10), about: 'logarithm to base 10' },
  sin: { run: angle(Math.sin), about: 'sine' }, cos: { run: angle(Math.cos), about: 'cosine' }, tan: { run: angle(Math.tan), about: 'tangent' },
  cot: { run: angle(x => 1 / Math.tan(x)), about: 'cotangent' },
  asin: { run: within(Math.asin), about: 'inverse sine' }, acos: { run: within(Math.acos), about: 'inverse cosine' }, atan: { run: Math.atan, about: 'inverse tangent' },
  sind: { run: angle(sinDegrees), about: 'sine of degrees' }, cosd: { run: angle(cosDegrees), about: 'cosine of degrees' }, tand: { run: angle(tanDegrees), about: 'tangent of degrees' }, cotd: { run: angle(cotDegrees), about: 'cotangent of degrees' },
  asind: { run: within(x => x >= 0 ? asinQuadrant(x) : -asinQuadrant(-x)), about: 'inverse sine in degrees' },
  acosd: { run: within(x => x >= 0 ? acosQuadrant(x) : 180 - acosQuadrant(-x)), about: 'inverse cosine in degrees' },
  atand: { run: x => Math.atan(x) / ATAN1 * 45, about: 'inverse tangent in degrees' },
  sinh: { run: Math.sinh, about: 'hyperbolic sine' }, cosh: { run: Math.cosh, about: 'hyperbolic cosine' }, tanh: { run: Math.tanh, about: 'hyperbolic tangent' },
  asinh: { run: Math.asinh, about: 'inverse hyperbolic sine' },
  acosh: { run: x => { if (x < 1) throw outside(); return Math.acosh(x) }, about: 'inverse hyperbolic cosine' },
  atanh: { run: within(Math.atanh), about: 'inverse hyperbolic tangent' },
  degrees: { run: x => finite(x / RADIAN, x), about: 'radians as degrees' },
  radians: { run: x => { const r = x * RADIAN; if (r === 0 && x !== 0) throw underflow(); return r }, about: 'degrees as radians' },
}

const BINARY: Readonly<Record<string, { readonly run: (x: number, y: number) => number; readonly about: string }>> = {
  power: { run: power, about: 'first to the power of the second' },
  atan2: { run: Math.atan2, about: 'inverse tangent of the quotient' },
  atan2d: { run: (y, x) => Math.atan2(y, x) / ATAN1 * 45, about: 'inverse tangent of the quotient in degrees' },
}

/** The JavaScript functions that generated code may call, by name. */
export const externals: Readonly<Record<string, (x: number, y: number) => number>> = {
  ...Object.fromEntries(Object.entries(UNARY).map(([name, { run }]) => [name, (x: number) => run(x)])),
  ...Object.fromEntries(Object.entries(BINARY).map(([name, { run }]) => [name, run])),
  random: () => Math.random(),
}

/** Calls an external only for rows that count: it may throw. */
function guarded(e: Emitter, name: string, ...args: readonly Code[]): Operand {
  const params: readonly ValType[] = args.map(() => F64)
  const call = e.external(name, params, F64, ...args)
  return result64(e.let(F64, e.guard === undefined ? call : choose64(e.guard, call)))
}
const choose64 = (condition: Code, call: Code): Code => [...condition, 0x04, F64, ...call, 0x05, ...f64.const(0), 0x0b]

const unaryBody = (name: string): Body => wasm((e, [x]) => guarded(e, name, e.let(F64, double(x))))
const binaryBody = (name: string): Body => wasm((e, [x, y]) => guarded(e, name, e.let(F64, double(x)), e.let(F64, double(y))))
const instruction = (f: (value: Code) => Code): Body => wasm((_, [x]) => result64(f(double(x))))
const instruction32 = (f: (value: Code) => Code): Body => wasm((_, [x]) => ({ layout: 'f32', value: f(x?.layout === 'f32' ? x.value : f32.const(0)), valid: undefined }))

const sqrt = wasm((e, [x]) => {
  const a = double(x)
  e.raise({ code: '2201F', message: 'cannot take square root of a negative number' }, f64.lt(a, f64.const(0)))
  return result64(f64.sqrt(a))
})

/** Bucket of an operand among `count` equal ones between two bounds. */
function widthBucket(operand: number, low: number, high: number, count: number): number {
  const invalid = (message: string): SqlError => failure('2201G', message)
  if (count <= 0) throw invalid('count must be greater than zero')
  if (Number.isNaN(operand) || Number.isNaN(low) || Number.isNaN(high)) throw invalid('operand, lower bound, and upper bound cannot be NaN')
  if (!Number.isFinite(low) || !Number.isFinite(high)) throw invalid('lower and upper bounds must be finite')
  const above = (): number => { if (count === 0x7fffffff) throw failure('22003', 'integer out of range'); return count + 1 }
  const bucket = (distance: number, range: number): number => Math.min(Math.floor(count * (distance / range)), count - 1) + 1
  if (low < high) return operand < low ? 0 : operand >= high ? above() : bucket(Number.isFinite(high - low) ? operand - low : operand / 2 - low / 2, Number.isFinite(high - low) ? high - low : high / 2 - low / 2)
  if (low > high) return operand > low ? 0 : operand <= high ? above() : bucket(Number.isFinite(low - high) ? low - operand : low / 2 - operand / 2, Number.isFinite(low - high) ? low - high : low / 2 - high / 2)
  throw invalid('lower bound cannot equal upper bound')
}

const OPS: readonly Arithmetic[] = ['+', '-', '*', '/']
const ABOUT: Readonly<Record<Arithmetic, string>> = { '+': 'sum', '-': 'difference', '*': 'product', '/': 'quotient' }
const num = (v: unknown): number => typeof v === 'number' ? v : Number.NaN

const POWER_ABOUT = 'first to the power of the second'

export const floatFunctions: readonly ScalarFunction[] = [
  ...OPS.flatMap(op => [
    scalar(op, ['float4', 'float4'], FLOAT4, wasm(arithmetic32(op)), ABOUT[op]),
    scalar(op, ['float8', 'float8'], FLOAT8, wasm(arithmetic64(op)), ABOUT[op]),
    scalar(op, ['float4', 'float8'], FLOAT8, wasm(arithmetic64(op)), ABOUT[op]),
    scalar(op, ['float8', 'float4'], FLOAT8, wasm(arithmetic64(op)), ABOUT[op]),
  ]),
  scalar('-', ['float4'], FLOAT4, instruction32(f32.neg), 'negated'),
  scalar('-', ['float8'], FLOAT8, instruction(f64.neg), 'negated'),
  scalar('+', ['float4'], FLOAT4, instruction32(x => x), 'itself'),
  scalar('+', ['float8'], FLOAT8, instruction(x => x), 'itself'),
  ...['abs', '@'].flatMap(name => [
    scalar(name, ['float4'], FLOAT4, instruction32(f32.abs), 'absolute value'),
    scalar(name, ['float8'], FLOAT8, instruction(f64.abs), 'absolute value'),
  ]),
  ...['sqrt', '|/'].map(name => scalar(name, ['float8'], FLOAT8, sqrt, 'square root')),
  scalar('||/', ['float8'], FLOAT8, unaryBody('cbrt'), 'cube root'),
  scalar('round', ['float8'], FLOAT8, instruction(f64.nearest), 'nearest integer, halves to the even one'),
  ...['ceil', 'ceiling'].map(name => scalar(name, ['float8'], FLOAT8, instruction(f64.ceil), 'nearest integer not below')),
  scalar('floor', ['float8'], FLOAT8, instruction(f64.floor), 'nearest integer not above'),
  scalar('trunc', ['float8'], FLOAT8, instruction(f64.trunc), 'without its fraction'),
  ...Object.entries(UNARY).map(([name, { about }]) => scalar(name, ['float8'], FLOAT8, unaryBody(name), about)),
  ...Object.entries(BINARY).map(([name, { about }]) => scalar(name, ['float8', 'float8'], FLOAT8, binaryBody(name), about)),
  ...['^', 'pow'].map(name => scalar(name, ['float8', 'float8'], FLOAT8, binaryBody('power'), POWER_ABOUT)),
  scalar('pi', [], FLOAT8, wasm(() => result64(f64.const(Math.PI))), 'the number pi'),
  scalar('random', [], FLOAT8, wasm(e => guarded(e, 'random')), 'a number from 0 up to 1', { volatility: 'volatile' }),
  scalar('width_bucket', ['float8', 'float8', 'float8', 'int4'], INT4, value(([a, b, c, d]) => widthBucket(num(a), num(b), num(c), num(d))), 'number of the bucket among equal ones'),
]

