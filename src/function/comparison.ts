/** The six comparisons, for every type that PostgreSQL orders, and greatest and least. */
import { compareJson } from './json-order.ts'
import { compare as compareDecimals } from '../decimal.ts'
import { InternalError } from '../error.ts'
import type { Type, TypeKind } from '../type.ts'
import { BOOL, bytesOrder, layoutOf, tailOf, typeKey } from '../type.ts'
import type { Value } from '../value.ts'
import type { Code, Emitter, Func } from '../wasm.ts'
import { F64, I32, I64, block, choose, f32, f64, get, i32, i64, leave, loop, ret, select, seq, set, tee, when } from '../wasm.ts'
import { asArray, asDecimal, asInterval, asList, asTimeTz } from '../datum.ts'
import type { Body, Operand, Site } from './body.ts'
import { value, wasm } from './body.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'
import type { Relation, Wide } from './wide.ts'
import { wideCompare, wideScaleUp, widen } from './wide.ts'

export const RELATIONS: readonly Relation[] = ['=', '<>', '<', '<=', '>', '>=']

// ---- values -------------------------------------------------------------------------------------------------------

const textEncoder = new TextEncoder()
const bySign = (a: number | bigint, b: number | bigint): number => a < b ? -1 : a > b ? 1 : 0

/** Order of bytes, unsigned, shorter first. */
export function compareByteArrays(a: Uint8Array, b: Uint8Array): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) { const d = (a[i] ?? 0) - (b[i] ?? 0); if (d !== 0) return d < 0 ? -1 : 1 }
  return bySign(a.length, b.length)
}

/** Order of two texts by their UTF-8 bytes. */
export const compareTexts = (a: string, b: string): number => a === b ? 0 : compareByteArrays(textEncoder.encode(a), textEncoder.encode(b))

const DAY = 86_400_000_000n

/** Order of two values of a type as SQL has it: −1, 0 or 1. Inside arrays and rows NULL is equal to itself and last. */
export function compareValues(a: Value, b: Value, type: Type): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  switch (type.kind) {
    case 'numeric': return compareDecimals(asDecimal(a), asDecimal(b))
    case 'interval': {
      const x = asInterval(a), y = asInterval(b)
      return bySign((BigInt(x.months) * 30n + BigInt(x.days)) * DAY + x.micros, (BigInt(y.months) * 30n + BigInt(y.days)) * DAY + y.micros)
    }
    case 'timetz': {
      const x = asTimeTz(a), y = asTimeTz(b)
      return bySign(x.micros + BigInt(x.zone) * 1_000_000n, y.micros + BigInt(y.zone) * 1_000_000n) || bySign(x.zone, y.zone)
    }
    case 'jsonb': return compareJson(String(a), String(b))
    case 'array': {
      const x = asArray(a), y = asArray(b), n = Math.min(x.values.length, y.values.length)
      for (let i = 0; i < n; i++) { const order = compareValues(x.values[i] ?? null, y.values[i] ?? null, type.element); if (order !== 0) return order }
      const dimensions = bySign(x.values.length, y.values.length) || bySign(x.dims.length, y.dims.length)
      if (dimensions !== 0) return dimensions
      for (let i = 0; i < x.dims.length; i++) { const order = bySign(x.dims[i] ?? 0, y.dims[i] ?? 0) || bySign(x.lower[i] ?? 0, y.lower[i] ?? 0); if (order !== 0) return order }
      return 0
    }
    case 'row': {
      const x = asList(a), y = asList(b)
      for (let i = 0; i < type.fields.length; i++) {
        const field = type.fields[i]
        const order = field === undefined ? 0 : compareValues(x[i] ?? null, y[i] ?? null, field.type)
        if (order !== 0) return order
      }
      return 0
    }
    case 'map': {
      const x = asList(a), y = asList(b), n = Math.min(x.length, y.length)
      for (let i = 0; i < n; i++) {
        const p = asList(x[i] ?? []), q = asList(y[i] ?? [])
        const order = compareValues(p[0] ?? null, q[0] ?? null, type.key) || compareValues(p[1] ?? null, q[1] ?? null, type.value)
        if (order !== 0) return order
      }
      return bySign(x.length, y.length)
    }
    default:
      if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b)
      if (a instanceof Uint8Array && b instanceof Uint8Array) return compareByteArrays(a, b)
      if (typeof a === 'number' && typeof b === 'number') return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : bySign(a, b)
      if (typeof a === 'bigint' && typeof b === 'bigint') return bySign(a, b)
      if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
      throw new InternalError(`values of ${typeKey(type)} cannot be compared`)
  }
}

function holds(relation: Relation, order: number): boolean {
  switch (relation) {
    case '=': return order === 0
    case '<>': return order !== 0
    case '<': return order < 0
    case '<=': return order <= 0
    case '>': return order > 0
    case '>=': return order >= 0
  }
}

// ---- bytes --------------------------------------------------------------------------------------------------------

const word = (base: Code, i: Code): Code => i64.load(i32.add(base, i))

/** compare(a, aLength, b, bLength): negative, 0 or positive. Eight bytes at a time; 16 bytes behind either end are readable. */
function compareFunction(): Func {
  const [a, al, b, bl, i, n, x, difference] = [0, 1, 2, 3, 4, 5, 6, 7]
  return {
    name: 'compareBytes', params: [I32, I32, I32, I32], results: [I32], locals: [I32, I32, I64, I64],
    body: seq(
      set(n, select(get(al), get(bl), i32.ltu(get(al), get(bl)))),
      block(seq(
        leave(i32.eqz(get(n))),
        loop(seq(
          set(difference, i64.xor(tee(x, word(get(a), get(i))), word(get(b), get(i)))),
          when(i32.eqz(i64.eqz(get(difference))), seq(
            // the lowest differing byte decides, unless it lies behind the common length
            set(difference, i64.and(i64.ctz(get(difference)), i64.const(56))),
            leave(i32.geu(i32.add(get(i), i32.shru(i32.wrap(get(difference)), i32.const(3))), get(n)), 2),
            ret(i32.sub(
              i32.wrap(i64.and(i64.shru(get(x), get(difference)), i64.const(255))),
              i32.wrap(i64.and(i64.shru(word(get(b), get(i)), get(difference)), i64.const(255))))))),
          set(i, i32.add(get(i), i32.const(8)))),
        i32.ltu(get(i), get(n))))),
      i32.sub(get(al), get(bl))),
  }
}

/** equal(a, b, length): 1 or 0. */
function equalFunction(): Func {
  const [a, b, n, i] = [0, 1, 2, 3]
  return {
    name: 'equalBytes', params: [I32, I32, I32], results: [I32], locals: [I32],
    body: seq(
      block(seq(
        leave(i32.ltu(get(n), i32.const(8))),
        loop(seq(
          when(i64.ne(word(get(a), get(i)), word(get(b), get(i))), ret(i32.const(0))),
          set(i, i32.add(get(i), i32.const(8)))),
        i32.leu(i32.add(get(i), i32.const(8)), get(n))))),
      set(n, i32.sub(get(n), get(i))),
      // what is left is under eight bytes: shift out the others (a shift by 64 would be one by 0)
      choose(I32, i32.eqz(get(n)), i32.const(1),
        i64.eqz(i64.shl(i64.xor(word(get(a), get(i)), word(get(b), get(i))), i64.extendU(i32.sub(i32.const(64), i32.shl(get(n), i32.const(3)))))))),
  }
}

/** Negative, 0 or positive: how two byte strings compare. */
export const compareBytesCode = (e: Emitter, a: Code, aLength: Code, b: Code, bLength: Code): Code => e.help('compareBytes', compareFunction, a, aLength, b, bLength)

// ---- operands -----------------------------------------------------------------------------------------------------

/** Digits of a numeric type with precision. */
const digits = (type: Type): { precision: number; scale: number } => type.kind === 'numeric' ? { precision: type.precision ?? 0, scale: type.scale ?? 0 } : { precision: 0, scale: 0 }

/** The precision that holds both types at their larger scale. */
function commonDigits(a: Type, b: Type): { precision: number; scale: number } {
  const x = digits(a), y = digits(b), scale = Math.max(x.scale, y.scale)
  return { precision: Math.max(x.precision + scale - x.scale, y.precision + scale - y.scale), scale }
}

/** True when the operands of these types can be compared in generated code. */
export function comparable(a: Type, b: Type): boolean {
  const x = layoutOf(a), y = layoutOf(b)
  if (a.kind === 'numeric' && b.kind === 'numeric') return x === 'var' || y === 'var' ? x === y : commonDigits(a, b).precision <= 38
  return (x === 'var') === (y === 'var') && bytesOrder(a) && bytesOrder(b)
}

const DAY_CODE = i64.const(86_400_000_000n)
const asTimestamp = (e: Emitter, date: Code): Code => {
  const infinite = i32.or(i32.eq(date, i32.const(0x7fffffff)), i32.eq(date, i32.const(-0x80000000)))
  return e.let(I64, select(select(i64.const(0x7fffffffffffffffn), i64.const(-0x8000000000000000n), i32.gt(date, i32.const(0))), i64.mul(i64.extend(date), DAY_CODE), infinite))
}

/** The operand's value as a wide integer. */
export const wideOf = (e: Emitter, a: Operand): Wide => a.layout === 'i128' ? a : a.layout === 'i64' ? widen(e, a.value) : mismatch(a)
const mismatch = (a: Operand): never => { throw new InternalError(`operand of layout ${a.layout}`) }

/** Bytes before the tail; nothing when the value (a NULL) is shorter than the tail. */
function significant(e: Emitter, length: Code, type: Type): Code {
  const tail = tailOf(type)
  if (tail === 0) return length
  return e.let(I32, select(i32.sub(length, i32.const(tail)), i32.const(0), i32.geu(length, i32.const(tail))))
}

/** 1 or 0: how two operands, neither NULL, compare. `comparable` said yes. */
export function compareCode(e: Emitter, relation: Relation, a: Operand, b: Operand, aType: Type, bType: Type): Code {
  if (a.layout === 'var' || b.layout === 'var') {
    if (a.layout !== 'var' || b.layout !== 'var') return mismatch(a)
    const al = significant(e, a.length, aType), bl = significant(e, b.length, bType)
    if (relation === '=' || relation === '<>') {
      const equal = choose(I32, i32.eq(al, bl), e.help('equalBytes', equalFunction, a.address, b.address, al), i32.const(0))
      return relation === '=' ? equal : i32.eqz(equal)
    }
    return integerCompare(relation, compareBytesCode(e, a.address, al, b.address, bl), i32.const(0))
  }
  if (aType.kind === 'numeric' && bType.kind === 'numeric') {
    const common = commonDigits(aType, bType), up = (type: Type): number => common.scale - digits(type).scale
    if (common.precision <= 18 && a.layout === 'i64' && b.layout === 'i64') return longCompare(relation, scaleUp(a.value, up(aType)), scaleUp(b.value, up(bType)))
    return wideCompare(relation, wideScaleUp(e, wideOf(e, a), up(aType)), wideScaleUp(e, wideOf(e, b), up(bType)))
  }
  if (a.layout === 'i128' || b.layout === 'i128') return mismatch(a)
  if (a.layout === 'f64' || b.layout === 'f64' || a.layout === 'f32' || b.layout === 'f32') {
    if (a.layout === 'f32' && b.layout === 'f32') return floatCompare(f32, relation, a.value, b.value)
    return floatCompare(f64, relation, asDouble(e, a), asDouble(e, b))
  }
  if (a.layout === 'i64' || b.layout === 'i64') {
    const long = (x: Operand & { value: Code }, type: Type): Code => x.layout === 'i64' ? x.value : type.kind === 'date' ? asTimestamp(e, x.value) : i64.extend(x.value)
    return longCompare(relation, long(a, aType), long(b, bType))
  }
  return integerCompare(relation, a.value, b.value)
}

const scaleUp = (value: Code, places: number): Code => places === 0 ? value : i64.mul(value, i64.const(10n ** BigInt(places)))

/** A float operand as float8. */
function asDouble(e: Emitter, a: Operand): Code {
  switch (a.layout) {
    case 'f64': return a.value
    case 'f32': return e.let(F64, f64.promote(a.value))
    case 'i32': return e.let(F64, f64.convertI32(a.value))
    default: return mismatch(a)
  }
}

function integerCompare(relation: Relation, a: Code, b: Code): Code {
  switch (relation) {
    case '=': return i32.eq(a, b)
    case '<>': return i32.ne(a, b)
    case '<': return i32.lt(a, b)
    case '<=': return i32.le(a, b)
    case '>': return i32.gt(a, b)
    case '>=': return i32.ge(a, b)
  }
}

function longCompare(relation: Relation, a: Code, b: Code): Code {
  switch (relation) {
    case '=': return i64.eq(a, b)
    case '<>': return i64.ne(a, b)
    case '<': return i64.lt(a, b)
    case '<=': return i64.le(a, b)
    case '>': return i64.gt(a, b)
    case '>=': return i64.ge(a, b)
  }
}

/** NaN equals itself and is above everything. */
function floatCompare(f: typeof f32 | typeof f64, relation: Relation, a: Code, b: Code): Code {
  switch (relation) {
    case '=': return i32.or(f.eq(a, b), i32.and(f.ne(a, a), f.ne(b, b)))
    case '<>': return i32.eqz(floatCompare(f, '=', a, b))
    case '>=': return i32.or(f.ge(a, b), f.ne(a, a))
    case '<=': return i32.or(f.le(a, b), f.ne(b, b))
    case '<': return i32.eqz(floatCompare(f, '>=', a, b))
    case '>': return i32.eqz(floatCompare(f, '<=', a, b))
  }
}

// ---- the table ----------------------------------------------------------------------------------------------------

const typeAt = (site: Site, i: number): Type => {
  const type = site.args[i]
  if (type === undefined) throw new InternalError('a comparison has two arguments')
  return type
}

function comparisonBody(relation: Relation): Body {
  return wasm(
    (e, [a, b], site) => {
      if (a === undefined || b === undefined) throw new InternalError('a comparison has two arguments')
      return { layout: 'u8', value: compareCode(e, relation, a, b, typeAt(site, 0), typeAt(site, 1)), valid: undefined }
    },
    site => comparable(typeAt(site, 0), typeAt(site, 1)),
    ([a, b], _, site) => holds(relation, compareValues(a ?? null, b ?? null, typeAt(site, 0))),
  )
}

const SAME: readonly TypeKind[] = ['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'char', 'name', '"char"', 'bytea', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'uuid', 'oid', 'jsonb']
const MIXED: readonly (readonly [TypeKind, TypeKind])[] = [
  ['int2', 'int4'], ['int2', 'int8'], ['int4', 'int8'], ['float4', 'float8'], ['date', 'timestamp'], ['name', 'text'],
]
const ABOUT: Readonly<Record<Relation, string>> = { '=': 'equal', '<>': 'not equal', '<': 'less', '<=': 'less or equal', '>': 'greater', '>=': 'greater or equal' }

function extremeOf(name: 'greatest' | 'least'): ScalarFunction {
  const sign = name === 'greatest' ? 1 : -1
  return scalar(name, ['anycompatible'], args => args[0] ?? { kind: 'unknown' }, value((args, _, site) => {
    let best: Value = null
    for (const arg of args) if (arg !== null && (best === null || compareValues(arg, best, site.result) * sign > 0)) best = arg
    return best
  }), `the ${name} of the arguments that are not NULL`, { strict: false, variadic: 'anycompatible' })
}

export const comparisonFunctions: readonly ScalarFunction[] = [
  ...RELATIONS.flatMap(relation => {
    const body = comparisonBody(relation)
    return [
      ...SAME.map(kind => scalar(relation, [kind, kind], BOOL, body, ABOUT[relation])),
      ...MIXED.flatMap(([a, b]) => [scalar(relation, [a, b], BOOL, body, ABOUT[relation]), scalar(relation, [b, a], BOOL, body, ABOUT[relation])]),
      scalar(relation, ['anyarray', 'anyarray'], BOOL, body, ABOUT[relation]),
      scalar(relation, ['row', 'row'], BOOL, body, ABOUT[relation]),
      scalar(relation, ['record', 'record'], BOOL, body, ABOUT[relation]),
    ]
  }),
  extremeOf('greatest'),
  extremeOf('least'),
]
