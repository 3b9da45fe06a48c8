/** Casts among bool, the integers, the floats, numeric and oid. */
import { fit, fromFloat, fromInteger, toFloat, toInteger } from '../decimal.ts'
import { asDecimal } from '../datum.ts'
import { InternalError, SqlError } from '../error.ts'
import type { Type, TypeKind } from '../type.ts'
import { BOOL, FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC, OID, layoutOf } from '../type.ts'
import type { Decimal, Value } from '../value.ts'
import type { Code, Emitter, Fault } from '../wasm.ts'
import { F32, F64, I32, I64, f32, f64, i32, i64, select } from '../wasm.ts'
import type { Body, Operand, Site } from './body.ts'
import { value, wasm } from './body.ts'
import { OVERFLOW, UNDERFLOW } from './float.ts'
import type { Cast } from './function.ts'
import { cast } from './signature.ts'
import { narrowResult, scaleOf, precisionOf, wideOperand } from './decimal.ts'
import { wideExceeds, wideScaleUp, widen } from './wide.ts'

type IntegerKind = 'int2' | 'int4' | 'int8'
const RANGE_FAULT: Readonly<Record<IntegerKind, Fault>> = {
  int2: { code: '22003', message: 'smallint out of range' }, int4: { code: '22003', message: 'integer out of range' }, int8: { code: '22003', message: 'bigint out of range' },
}
const LIMIT: Readonly<Record<IntegerKind, bigint>> = { int2: 1n << 15n, int4: 1n << 31n, int8: 1n << 63n }

const code = (operand: Operand | undefined): Code => {
  if (operand === undefined || operand.layout === 'var' || operand.layout === 'i128') throw new InternalError('a fixed-width operand was expected')
  return operand.value
}

const resultOf = (layout: 'u8' | 'i32' | 'i64' | 'f32' | 'f64', value: Code): Operand => ({ layout, value, valid: undefined })

function narrowSmall(e: Emitter, value: Code): Operand {
  const result = e.let(I32, value)
  e.raise(RANGE_FAULT.int2, i32.ne(i32.extend16(result), result))
  return resultOf('i32', result)
}

/** An i64 as int2 or int4. */
function narrowLong(e: Emitter, x: Code, kind: IntegerKind): Operand {
  if (kind === 'int8') return resultOf('i64', x)
  const wide = e.let(I64, x), result = e.let(I32, i32.wrap(wide))
  e.raise(RANGE_FAULT[kind], i64.ne(i64.extend(kind === 'int2' ? i32.extend16(result) : result), wide))
  return resultOf('i32', result)
}

/** Rounded half to even; what is outside (NaN too) is noted. */
function floatToInteger(kind: IntegerKind): Body {
  return wasm((e, [x]) => {
    const single = x?.layout === 'f32'
    const rounded = e.let(F64, single ? f64.promote(f32.nearest(code(x))) : f64.nearest(code(x)))
    const limit = Number(LIMIT[kind])
    const inside = e.let(I32, i32.and(f64.ge(rounded, f64.const(-limit)), f64.lt(rounded, f64.const(limit))))
    e.raise(RANGE_FAULT[kind], i32.eqz(inside))
    return kind === 'int8' ? resultOf('i64', i64.truncF64(rounded)) : resultOf('i32', i32.truncF64(rounded))
  })
}

const isFixed = (type: Type | undefined): boolean => type !== undefined && layoutOf(type) !== 'var'
const argument = (site: Site): Type => site.args[0] ?? NUMERIC

/** The value as the target numeric type of the call holds it. */
export function toNumericType(amount: Decimal, type: Type): Value {
  if (type.kind !== 'numeric' || type.precision === undefined) return amount
  return fit(amount, type.precision, type.scale ?? 0)
}

const FIELD_OVERFLOW = (type: Type): Fault => ({
  code: '22003', message: 'numeric field overflow',
  ...(type.kind === 'numeric' ? { detail: `A field with precision ${type.precision ?? 0}, scale ${type.scale ?? 0} must round to an absolute value less than ${type.precision === type.scale ? '1' : `10^${(type.precision ?? 0) - (type.scale ?? 0)}`}.` } : {}),
})

/** numeric(p, s) or an integer to another numeric(p, s), in generated code. */
function rescale(e: Emitter, operand: Operand, from: { precision: number; scale: number }, target: Type): Operand {
  const places = scaleOf(target) - from.scale, precision = precisionOf(target)
  const wholeFits = from.precision - from.scale + (places < 0 ? 1 : 0) <= precision - scaleOf(target)
  if (operand.layout === 'i64' && places < 0) {
    // half away from zero
    const divisor = 10n ** BigInt(-places), half = divisor / 2n
    const x = e.let(I64, operand.value)
    const result = e.let(I64, i64.div(i64.add(x, select(i64.const(half), i64.const(-half), i64.ge(x, i64.const(0)))), i64.const(divisor)))
    if (!wholeFits) e.raise(FIELD_OVERFLOW(target), wideExceeds(e, widen(e, result), 10n ** BigInt(precision)))
    return narrowResult(widen(e, result), target)
  }
  const result = wideScaleUp(e, wideOperand(e, operand), places)
  if (!wholeFits) e.raise(FIELD_OVERFLOW(target), wideExceeds(e, result, 10n ** BigInt(precision)))
  return narrowResult(result, target)
}

/** Whether `rescale` can: no division of 128 bits, no product beyond them. */
function rescales(from: { precision: number; scale: number }, target: Type): boolean {
  const places = scaleOf(target) - from.scale
  if (places < 0) return from.precision <= 18 && -places <= 18
  return from.precision + places <= 38
}

const INTEGER_DIGITS: Readonly<Record<IntegerKind, number>> = { int2: 5, int4: 10, int8: 19 }
const big = (v: Value | undefined): bigint => typeof v === 'bigint' ? v : typeof v === 'number' ? BigInt(v) : 0n
const num = (v: Value | undefined): number => typeof v === 'number' ? v : Number.NaN
const dec = (v: Value | undefined): Decimal => asDecimal(v ?? null)

const integerToNumeric = (kind: IntegerKind): Body => wasm(
  (e, [x], site) => rescale(e, resultOf('i64', kind === 'int8' ? code(x) : i64.extend(code(x))), { precision: INTEGER_DIGITS[kind], scale: 0 }, site.result),
  site => isFixed(site.result) && rescales({ precision: INTEGER_DIGITS[kind], scale: 0 }, site.result),
  ([x], _, site) => toNumericType(fromInteger(big(x)), site.result))

const numericToNumeric: Body = wasm(
  (e, [x], site) => rescale(e, x ?? resultOf('i64', i64.const(0)), { precision: precisionOf(argument(site)), scale: scaleOf(argument(site)) }, site.result),
  site => isFixed(argument(site)) && isFixed(site.result) && rescales({ precision: precisionOf(argument(site)), scale: scaleOf(argument(site)) }, site.result),
  ([x], _, site) => toNumericType(dec(x), site.result))

function checkedInteger(amount: Decimal, kind: IntegerKind): bigint {
  const whole = toInteger(amount)
  const name = kind === 'int2' ? 'smallint' : kind === 'int4' ? 'integer' : 'bigint'
  if (whole === undefined) throw new SqlError('0A000', `cannot convert ${amount.special === 'NaN' ? 'NaN' : 'infinity'} to ${name}`)
  if (whole >= LIMIT[kind] || whole < -LIMIT[kind]) throw new SqlError('22003', RANGE_FAULT[kind].message)
  return whole
}

const numericToInteger = (kind: IntegerKind): Body => wasm(
  (e, [x], site) => {
    const scale = scaleOf(argument(site)), divisor = 10n ** BigInt(scale), half = divisor / 2n, a = e.let(I64, code(x))
    const whole = scale === 0 ? a : i64.div(i64.add(a, select(i64.const(half), i64.const(-half), i64.ge(a, i64.const(0)))), i64.const(divisor))
    return narrowLong(e, whole, kind)
  },
  site => layoutOf(argument(site)) === 'i64' && scaleOf(argument(site)) <= 18,
  ([x]) => { const whole = checkedInteger(dec(x), kind); return kind === 'int8' ? whole : Number(whole) })

const floatRange = (r: number, amount: Decimal): number => {
  if (!Number.isFinite(r) && amount.special === undefined) throw new SqlError('22003', `"${'out of range'}" for type double precision`)
  return r
}

const numericToFloat = (single: boolean): Body => wasm(
  (e, [x], site) => {
    // at most 15 digits and a power of ten that floats hold exactly: one rounding, as from the text
    const scale = scaleOf(argument(site)), double = f64.convertI64(code(x))
    const result = scale === 0 ? double : f64.div(double, f64.const(10 ** scale))
    return single ? resultOf('f32', f32.demote(result)) : resultOf('f64', result)
  },
  site => !single && layoutOf(argument(site)) === 'i64' && scaleOf(argument(site)) <= 18 && (precisionOf(argument(site)) <= 15 || scaleOf(argument(site)) === 0),
  ([x]) => {
    const amount = dec(x), r = toFloat(amount)
    if (!single) return floatRange(r, amount)
    const s = Math.fround(r)
    if (!Number.isFinite(s) && amount.special === undefined) throw new SqlError('22003', 'value out of range: overflow')
    return s
  })

const NUMERIC_OF: Readonly<Record<IntegerKind, Type>> = { int2: { kind: 'numeric', precision: 5, scale: 0 }, int4: { kind: 'numeric', precision: 10, scale: 0 }, int8: { kind: 'numeric', precision: 19, scale: 0 } }

/** Bytes stay as they are. */
const same = (from: TypeKind, to: TypeKind, context: Cast['context'], target: Type): Cast => cast(from, to, context, target, undefined)

const REGISTERED = ['regclass', 'regtype', 'regproc', 'regnamespace'] as const
const unsignedLong = wasm((_, [x]) => resultOf('i64', i64.extendU(code(x))))

export const numberCasts: readonly Cast[] = [
  cast('bool', 'int4', 'explicit', INT4, wasm((_, [x]) => resultOf('i32', code(x)))),
  cast('int4', 'bool', 'explicit', BOOL, wasm((_, [x]) => resultOf('u8', i32.ne(code(x), i32.const(0))))),
  same('int2', 'int4', 'implicit', INT4),
  cast('int2', 'int8', 'implicit', INT8, wasm((_, [x]) => resultOf('i64', i64.extend(code(x))))),
  cast('int4', 'int8', 'implicit', INT8, wasm((_, [x]) => resultOf('i64', i64.extend(code(x))))),
  cast('int4', 'int2', 'assignment', INT2, wasm((e, [x]) => narrowSmall(e, code(x)))),
  cast('int8', 'int2', 'assignment', INT2, wasm((e, [x]) => narrowLong(e, code(x), 'int2'))),
  cast('int8', 'int4', 'assignment', INT4, wasm((e, [x]) => narrowLong(e, code(x), 'int4'))),
  ...(['int2', 'int4', 'int8'] as const).flatMap(kind => [
    cast(kind, 'float4', 'implicit', FLOAT4, wasm((_, [x]) => resultOf('f32', kind === 'int8' ? f32.convertI64(code(x)) : f32.convertI32(code(x))))),
    cast(kind, 'float8', 'implicit', FLOAT8, wasm((_, [x]) => resultOf('f64', kind === 'int8' ? f64.convertI64(code(x)) : f64.convertI32(code(x))))),
    cast('float4', kind, 'assignment', kind === 'int2' ? INT2 : kind === 'int4' ? INT4 : INT8, floatToInteger(kind)),
    cast('float8', kind, 'assignment', kind === 'int2' ? INT2 : kind === 'int4' ? INT4 : INT8, floatToInteger(kind)),
    cast(kind, 'numeric', 'implicit', NUMERIC_OF[kind], integerToNumeric(kind)),
    cast('numeric', kind, 'assignment', kind === 'int2' ? INT2 : kind === 'int4' ? INT4 : INT8, numericToInteger(kind)),
  ]),
  cast('float4', 'float8', 'implicit', FLOAT8, wasm((_, [x]) => resultOf('f64', f64.promote(code(x))))),
  cast('float8', 'float4', 'assignment', FLOAT4, wasm((e, [x]) => {
    const a = code(x), r = e.let(F32, f32.demote(a))
    e.raise(OVERFLOW, i32.and(f32.eq(f32.abs(r), f32.const(Number.POSITIVE_INFINITY)), f64.ne(f64.abs(a), f64.const(Number.POSITIVE_INFINITY))))
    e.raise(UNDERFLOW, i32.and(f32.eq(r, f32.const(0)), f64.ne(a, f64.const(0))))
    return resultOf('f32', r)
  })),
  cast('float4', 'numeric', 'assignment', NUMERIC, value(([x], _, site) => toNumericType(fromFloat(num(x), 6), site.result))),
  cast('float8', 'numeric', 'assignment', NUMERIC, value(([x], _, site) => toNumericType(fromFloat(num(x), 15), site.result))),
  cast('numeric', 'float4', 'implicit', FLOAT4, numericToFloat(true)),
  cast('numeric', 'float8', 'implicit', FLOAT8, numericToFloat(false)),
  cast('numeric', 'numeric', 'implicit', NUMERIC, numericToNumeric),
  same('int8', 'oid', 'implicit', OID),
  cast('int2', 'oid', 'implicit', OID, unsignedLong),
  cast('int4', 'oid', 'implicit', OID, unsignedLong),
  same('oid', 'int8', 'assignment', INT8),
  cast('oid', 'int4', 'assignment', INT4, wasm((_, [x]) => resultOf('i32', i32.wrap(code(x))))),
  ...REGISTERED.flatMap(kind => [
    same('oid', kind, 'implicit', { kind }), same(kind, 'oid', 'implicit', OID),
    same('int8', kind, 'implicit', { kind }), same(kind, 'int8', 'assignment', INT8),
    cast('int4', kind, 'implicit', { kind }, unsignedLong),
    cast(kind, 'int4', 'assignment', INT4, wasm((_, [x]) => resultOf('i32', i32.wrap(code(x))))),
  ]),
]

