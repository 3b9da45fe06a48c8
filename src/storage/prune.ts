/**
 * What a filter can still match when only bounds of the columns are known. Asked wherever there are statistics: partition, file, row group, page.
 * It may only say no when that is certain; whoever reads applies the filter again.
 */
import type { Expr } from '../expr.ts'
import { compareValues } from '../function/comparison.ts'
import { fromInteger, toFloat } from '../decimal.ts'
import type { Type, TypeKind } from '../type.ts'
import type { Value } from '../value.ts'

/** Statistics over some rows. Columns are those that the filter's positions mean. */
export interface Stats {
  readonly rows: number
  /** Undefined when nothing is known. */
  column(index: number): ColumnStats | undefined
}

/** Bounds of the values that are not NULL, in the type of the filter's column: each value is at least `min` and at most `max`, which need not occur. */
export interface ColumnStats {
  readonly min?: Value
  readonly max?: Value
  readonly nulls?: number
  /** False is a promise that no value is NaN. Otherwise NaN may be there, whatever `max` says: most formats leave it out of their bounds. */
  readonly nans?: false
}

/** False only when no row with these statistics can make the filter true. */
export function mightMatch(filter: Expr, stats: Stats): boolean {
  return stats.rows !== 0 && outcomes(filter, stats).true
}

/** Which results a condition may have for some row. */
interface Outcomes { readonly true: boolean; readonly false: boolean; readonly null: boolean }

const ANY: Outcomes = { true: true, false: true, null: true }

function outcomes(expr: Expr, stats: Stats): Outcomes {
  switch (expr.kind) {
    case 'literal': return { true: expr.value === true, false: expr.value === false, null: expr.value === null }
    case 'column': {
      const { min, max, nulls } = rangeOf(expr, stats)
      return nulls === 'all' ? { true: false, false: false, null: true } : { true: max !== false, false: min !== true, null: nulls === 'some' }
    }
    case 'call': return callOutcomes(expr.fn, expr.args, stats)
    case 'param': case 'case': return ANY
  }
}

function callOutcomes(fn: string, args: readonly Expr[], stats: Stats): Outcomes {
  const [a, b] = args
  if (a === undefined) return ANY
  switch (fn) {
    case 'and': { const all = args.map(arg => outcomes(arg, stats)); return { true: all.every(one => one.true), false: all.some(one => one.false), null: all.some(one => one.null) } }
    case 'or': { const all = args.map(arg => outcomes(arg, stats)); return { true: all.some(one => one.true), false: all.every(one => one.false), null: all.some(one => one.null) } }
    case 'not': { const one = outcomes(a, stats); return { true: one.false, false: one.true, null: one.null } }
    case 'is null': { const { nulls } = rangeOf(a, stats); return { true: nulls !== 'none', false: nulls !== 'all', null: false } }
    case 'is not null': { const { nulls } = rangeOf(a, stats); return { true: nulls !== 'all', false: nulls !== 'none', null: false } }
    case 'is true': { const one = outcomes(a, stats); return { true: one.true, false: one.false || one.null, null: false } }
    case 'is not true': { const one = outcomes(a, stats); return { true: one.false || one.null, false: one.true, null: false } }
    case 'is false': { const one = outcomes(a, stats); return { true: one.false, false: one.true || one.null, null: false } }
    case 'is not false': { const one = outcomes(a, stats); return { true: one.true || one.null, false: one.false, null: false } }
    case 'in': return inList(rangeOf(a, stats), args.slice(1).map(arg => rangeOf(arg, stats)))
  }
  if (b === undefined) return ANY
  const left = rangeOf(a, stats), right = rangeOf(b, stats)
  switch (fn) {
    case 'is distinct from': { const { true: same, false: other } = notDistinct(left, right); return { true: other, false: same, null: false } }
    case 'is not distinct from': return notDistinct(left, right)
  }
  const paren = fn.indexOf('(')
  switch (paren < 0 ? fn : fn.slice(0, paren)) {
    case '=': return compared(left, right, mayEqual(left, right), !mustEqual(left, right))
    case '<>': return compared(left, right, !mustEqual(left, right), mayEqual(left, right))
    case '<': return compared(left, right, mayBeLess(left, right, false), mayBeLess(right, left, true))
    case '<=': return compared(left, right, mayBeLess(left, right, true), mayBeLess(right, left, false))
    case '>': return compared(left, right, mayBeLess(right, left, false), mayBeLess(left, right, true))
    case '>=': return compared(left, right, mayBeLess(right, left, true), mayBeLess(left, right, false))
    // With a third argument another character escapes.
    case '~~': case 'like': return args.length === 2 ? like(left, right) : ANY
    default: return ANY
  }
}

// ---------- what an operand's values may be

interface Range {
  readonly type: Type
  /** Undefined: unbounded. NaN is not counted where `nans` says that it may be there. */
  readonly min: Value | undefined
  readonly max: Value | undefined
  readonly nulls: 'none' | 'some' | 'all'
  readonly nans: boolean
}

function rangeOf(expr: Expr, stats: Stats): Range {
  const { type } = expr
  switch (expr.kind) {
    case 'literal': {
      const nan = typeof expr.value === 'number' && Number.isNaN(expr.value)
      if (expr.value === null) return { type, min: undefined, max: undefined, nulls: 'all', nans: false }
      return ordered(type.kind) ? { type, min: expr.value, max: expr.value, nulls: 'none', nans: nan } : { ...unknown(type), nulls: 'none' }
    }
    case 'column': return columnRange(type, stats.column(expr.index), stats.rows)
    case 'call': {
      const [arg] = expr.args
      return expr.fn.startsWith('cast(') && arg !== undefined ? castRange(rangeOf(arg, stats), type) : unknown(type)
    }
    case 'param': case 'case': return unknown(type)
  }
}

function unknown(type: Type): Range { return { type, min: undefined, max: undefined, nulls: 'some', nans: true } }

function columnRange(type: Type, stats: ColumnStats | undefined, rows: number): Range {
  if (stats === undefined) return unknown(type)
  const nulls = stats.nulls === 0 ? 'none' : stats.nulls === rows ? 'all' : 'some'
  const nans = isFloat(type.kind) && stats.nans !== false
  const min = ordered(type.kind) ? inType(stats.min, type.kind) : undefined, max = ordered(type.kind) ? inType(stats.max, type.kind) : undefined
  // Bounds that contradict each other say nothing.
  if (min !== undefined && max !== undefined && compareValues(min, max, type) > 0) return { type, min: undefined, max: undefined, nulls, nans }
  return { type, min, max, nulls, nans }
}

/** A bound as a value of this kind; undefined when it is not one (a file of an older schema), or NaN. */
function inType(value: Value | undefined, kind: TypeKind): Value | undefined {
  if (value === undefined || value === null) return undefined
  switch (kind) {
    case 'int2': case 'int4': case 'date': return typeof value === 'number' && Number.isInteger(value) ? value : undefined
    case 'int8': return typeof value === 'bigint' ? value : typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined
    case 'time': case 'timestamp': case 'timestamptz': case 'oid': return typeof value === 'bigint' ? value : undefined
    case 'float4': case 'float8': return typeof value === 'number' && !Number.isNaN(value) ? value : undefined
    case 'numeric': return typeof value === 'object' && 'unscaled' in value && value.special === undefined ? value : undefined
    case 'bool': return typeof value === 'boolean' ? value : undefined
    case 'text': case 'varchar': case 'name': case 'uuid': return typeof value === 'string' ? value : undefined
    case 'bytea': return value instanceof Uint8Array ? value : undefined
    default: return undefined
  }
}

/** Kinds whose bounds are compared here. Not char: files may hold its trailing blanks, which do not count but order. */
function ordered(kind: TypeKind): boolean {
  switch (kind) {
    case 'int2': case 'int4': case 'int8': case 'float4': case 'float8': case 'numeric': case 'bool': case 'date': case 'time': case 'timestamp': case 'timestamptz': case 'oid':
    case 'text': case 'varchar': case 'name': case 'uuid': case 'bytea': return true
    default: return false
  }
}

function isFloat(kind: TypeKind): boolean { return kind === 'float4' || kind === 'float8' }

/** The range of a cast that keeps order; of any other nothing is known but the NULLs. */
function castRange(range: Range, type: Type): Range {
  const convert = orderedCast(range.type, type)
  const nans = isFloat(type.kind) && (convert === undefined || range.nans)
  const of = (value: Value | undefined): Value | undefined => value === undefined || value === null ? undefined : convert?.(value)
  return { type, min: of(range.min), max: of(range.max), nulls: range.nulls, nans }
}

const DAY = 86_400_000_000n

/** How a value is cast, when a ≤ b implies cast(a) ≤ cast(b) and the result does not depend on the session. */
function orderedCast(from: Type, to: Type): ((value: Exclude<Value, null>) => Value | undefined) | undefined {
  const same = (value: Exclude<Value, null>): Value => value
  switch (from.kind) {
    case 'int2': case 'int4': case 'int8':
      switch (to.kind) {
        case 'int2': case 'int4': return value => Number(value)
        case 'int8': return value => typeof value === 'number' || typeof value === 'bigint' ? BigInt(value) : undefined
        case 'float8': return value => Number(value)
        case 'float4': return value => Math.fround(Number(value))
        case 'numeric': return value => typeof value === 'number' || typeof value === 'bigint' ? fromInteger(value) : undefined
        default: return undefined
      }
    case 'float4': return to.kind === 'float8' ? same : undefined
    case 'numeric': return to.kind === 'float8' ? value => typeof value === 'object' && 'unscaled' in value ? toFloat(value) : undefined : to.kind === 'numeric' && to.precision === undefined ? same : undefined
    case 'text': case 'varchar': case 'name': return to.kind === 'text' || to.kind === 'varchar' && to.length === undefined ? same : undefined
    // The extremes are the infinities: nothing is said about them.
    case 'date': return to.kind === 'timestamp' && to.precision === undefined ? value => typeof value === 'number' && Math.abs(value) < 100_000_000 ? BigInt(value) * DAY : undefined : undefined
    case 'timestamp': return to.kind === 'timestamp' && to.precision === undefined ? same : undefined
    case 'timestamptz': return to.kind === 'timestamptz' && to.precision === undefined ? same : undefined
    default: return undefined
  }
}

// ---------- comparing ranges

/** The order of two bounds; undefined when one is unbounded or they cannot be compared. */
function order(a: Value | undefined, b: Value | undefined, left: Range, right: Range): number | undefined {
  if (a === undefined || b === undefined || a === null || b === null || typeof a !== typeof b) return undefined
  if (left.type.kind !== right.type.kind && !(textual(left.type.kind) && textual(right.type.kind)) && !(integral(left.type.kind) && integral(right.type.kind)) && !(isFloat(left.type.kind) && isFloat(right.type.kind))) return undefined
  return compareValues(a, b, left.type)
}

function textual(kind: TypeKind): boolean { return kind === 'text' || kind === 'varchar' || kind === 'name' }
function integral(kind: TypeKind): boolean { return kind === 'int2' || kind === 'int4' }

/** A comparison is NULL where an operand is; `yes` and `no` are what is possible otherwise. */
function compared(a: Range, b: Range, yes: boolean, no: boolean): Outcomes {
  if (a.nulls === 'all' || b.nulls === 'all') return { true: false, false: false, null: true }
  return { true: yes, false: no, null: a.nulls === 'some' || b.nulls === 'some' }
}

/** a < b (or a ≤ b) for some values of theirs. NaN is greater than every number. */
function mayBeLess(a: Range, b: Range, orEqual: boolean): boolean {
  if (b.nans) return true
  const low = order(a.min, b.max, a, b)
  return low === undefined || low < 0 || orEqual && low === 0
}

function mayEqual(a: Range, b: Range): boolean {
  if (a.nans && b.nans) return true
  const low = order(a.min, b.max, a, b), high = order(b.min, a.max, b, a)
  return (low === undefined || low <= 0) && (high === undefined || high <= 0)
}

/** Both sides have one value, and it is the same. */
function mustEqual(a: Range, b: Range): boolean {
  if (a.nans !== b.nans || a.nans && !(isNaNOnly(a) && isNaNOnly(b))) return false
  return order(a.min, a.max, a, a) === 0 && order(b.min, b.max, b, b) === 0 && order(a.min, b.min, a, b) === 0
}

/** A literal NaN: of a column it is never certain that all its values are. */
function isNaNOnly(range: Range): boolean { return typeof range.min === 'number' && Number.isNaN(range.min) }

function notDistinct(a: Range, b: Range): Outcomes {
  const bothNull = a.nulls !== 'none' && b.nulls !== 'none', oneNull = a.nulls !== b.nulls || a.nulls === 'some'
  const values = a.nulls !== 'all' && b.nulls !== 'all'
  return { true: bothNull || values && mayEqual(a, b), false: oneNull || values && !mustEqual(a, b), null: false }
}

function inList(a: Range, list: readonly Range[]): Outcomes {
  if (a.nulls === 'all') return { true: false, false: list.length === 0, null: true }
  const hasNull = list.some(item => item.nulls !== 'none')
  return { true: list.some(item => item.nulls !== 'all' && mayEqual(a, item)), false: !hasNull && !list.some(item => mustEqual(a, item)), null: a.nulls === 'some' || hasNull }
}

/** LIKE 'prefix%…': every match begins with what stands before the first wildcard. */
function like(a: Range, pattern: Range): Outcomes {
  const text = pattern.min
  if (a.nulls === 'all' || pattern.nulls === 'all') return { true: false, false: false, null: true }
  const result = (possible: boolean): Outcomes => ({ true: possible, false: true, null: a.nulls === 'some' })
  if (typeof text !== 'string' || text !== pattern.max || !textual(a.type.kind)) return ANY
  const wild = text.search(/[%_\\]/)
  const prefix = Buffer.from(wild < 0 ? text : text.slice(0, wild))
  if (typeof a.max === 'string' && Buffer.compare(Buffer.from(a.max), prefix) < 0) return result(false)
  if (typeof a.min === 'string' && Buffer.compare(Buffer.from(a.min).subarray(0, prefix.length), prefix) > 0) return result(false)
  return result(true)
}
