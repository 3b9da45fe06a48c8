/**
 * What each node of a plan means, written down as plainly as possible: rows in, rows out, one at a time, with no regard for speed. Tests hold the
 * operators to it; nothing else uses it.
 */
import { add as addDecimals, divide, fromInteger, print } from '../decimal.ts'
import { asDecimal, asInterval } from '../datum.ts'
import { InternalError, invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import { compareValues } from '../function/comparison.ts'
import { aggregateById } from '../function/table.ts'
import type { AggregateCall, AggregatePlan, JoinPlan, Plan, TopPlan } from '../plan.ts'
import type { Type } from '../type.ts'
import { layoutOf } from '../type.ts'
import type { Decimal, Value } from '../value.ts'
import { listValue } from './accumulator-list.ts'
import { windowRows } from './reference-window.ts'

/** A row and how often it occurs. */
export interface Counted {
  readonly row: readonly Value[]
  readonly weight: number
}

/** Equal for values that are equal in SQL, and for NULLs. */
export function equalKey(value: Value, type: Type): string {
  if (value === null) return 'NULL'
  switch (type.kind) {
    case 'numeric': { const d = asDecimal(value); return d.special ?? print(d).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '') }
    case 'float4': case 'float8': return Number.isNaN(value) ? 'NaN' : String(value === 0 ? 0 : value)
    case 'interval': { const i = asInterval(value); return String((BigInt(i.months) * 30n + BigInt(i.days)) * 86_400_000_000n + i.micros) }
    default: return value instanceof Uint8Array ? [...value].join() : typeof value === 'object' ? JSON.stringify(value, (_, x: unknown) => typeof x === 'bigint' ? String(x) : x) : String(value)
  }
}

export const rowKey = (row: readonly Value[], types: readonly Type[]): string => JSON.stringify(row.map((value, i) => equalKey(value, types[i] ?? { kind: 'text' })))

/** Rows added up, by `rowKey`; those that cancel are gone. */
export function total(rows: Iterable<Counted>, types: readonly Type[]): Map<string, Counted> {
  const sum = new Map<string, Counted>()
  for (const { row, weight } of rows) {
    const key = rowKey(row, types), before = sum.get(key)
    const now = (before?.weight ?? 0) + weight
    if (now === 0) sum.delete(key)
    else sum.set(key, { row: before?.row ?? row, weight: now })
  }
  return sum
}

/** Evaluates the few expressions that random plans are made of. */
export function evaluate(expr: Expr, row: readonly Value[]): Value {
  switch (expr.kind) {
    case 'column': return row[expr.index] ?? null
    case 'literal': return expr.value
    case 'call': {
      const args = expr.args.map(arg => evaluate(arg, row)), [a, b] = args
      if (expr.fn === 'is null') return a === null
      if (expr.fn === 'is not null') return a !== null
      if (a === undefined || b === undefined || a === null || b === null) return null
      if (expr.fn.startsWith('<(')) return compareValues(a, b, expr.args[0]?.type ?? expr.type) < 0
      if (expr.fn.startsWith('<>(')) return compareValues(a, b, expr.args[0]?.type ?? expr.type) !== 0
      throw new InternalError(`the reference does not know ${expr.fn}`)
    }
    default: throw new InternalError(`the reference does not know ${expr.kind}`)
  }
}

/** What a node gives for these inputs. Of a top node's rows those that tie at the window's edges are chosen freely. */
export function definition(plan: Exclude<Plan, { kind: 'scan' | 'values' }>, inputs: readonly (readonly Counted[])[]): Counted[] {
  const [first = [], second = []] = inputs
  switch (plan.kind) {
    case 'filter': return first.filter(({ row }) => evaluate(plan.condition, row) === true)
    case 'project': return first.map(({ row, weight }) => ({ row: plan.exprs.map(expr => evaluate(expr, row)), weight }))
    case 'negate': return first.map(({ row, weight }) => ({ row, weight: -weight }))
    case 'union': return inputs.flat()
    case 'join': return joinDefinition(plan, first, second)
    case 'aggregate': return aggregateDefinition(plan, first)
    case 'window': {
      const rows = first.flatMap(({ row, weight }) => new Array<readonly Value[]>(Math.max(0, weight)).fill(row))
      return windowRows(plan, rows, { evaluate, aggregate: (call, own) => aggregateValue(call, own.map(row => ({ row, weight: 1 }))), key: rowKey }).map(row => ({ row, weight: 1 }))
    }
    case 'top': return topDefinition(plan, first)
  }
}

function joinDefinition(plan: JoinPlan, left: readonly Counted[], right: readonly Counted[]): Counted[] {
  const { how } = plan, out: Counted[] = [], rightMatches = right.map(() => 0)
  const nulls = (n: number): Value[] => new Array<Value>(n).fill(null)
  for (const l of left) {
    let matches = 0
    right.forEach((r, j) => {
      const equal = plan.keys.every(key => {
        const a = evaluate(key.left, l.row), b = evaluate(key.right, r.row)
        return a !== null && b !== null && equalKey(a, key.left.type) === equalKey(b, key.left.type)
      })
      const row = [...l.row, ...r.row]
      if (!equal || (plan.residual !== undefined && evaluate(plan.residual, row) !== true)) return
      matches += r.weight
      rightMatches[j] = (rightMatches[j] ?? 0) + l.weight
      if (how !== 'semi' && how !== 'anti') out.push({ row, weight: l.weight * r.weight })
    })
    if (how === 'semi' ? matches > 0 : how === 'anti' && matches <= 0) out.push(l)
    if ((how === 'left' || how === 'full') && matches <= 0) out.push({ row: [...l.row, ...nulls(plan.right.schema.length)], weight: l.weight })
  }
  if (how === 'right' || how === 'full') right.forEach((r, j) => { if ((rightMatches[j] ?? 0) <= 0) out.push({ row: [...nulls(plan.left.schema.length), ...r.row], weight: r.weight }) })
  return out
}

function aggregateDefinition(plan: AggregatePlan, input: readonly Counted[]): Counted[] {
  const groups = new Map<string, { key: Value[]; rows: Counted[] }>()
  if (plan.keys.length === 0) groups.set('', { key: [], rows: [] })
  for (const counted of input) {
    const key = plan.keys.map(expr => evaluate(expr, counted.row)), name = plan.keys.length === 0 ? '' : rowKey(key, plan.keys.map(expr => expr.type))
    const group = groups.get(name)
    if (group === undefined) groups.set(name, { key, rows: [counted] })
    else group.rows.push(counted)
  }
  const out: Counted[] = []
  for (const { key, rows } of groups.values()) {
    if (plan.keys.length > 0 && rows.reduce((sum, { weight }) => sum + weight, 0) <= 0) continue
    out.push({ row: [...key, ...plan.aggregates.map(call => aggregateValue(call, rows))], weight: 1 })
  }
  return out
}

function aggregateValue(call: AggregateCall, rows: readonly Counted[]): Value {
  const what = aggregateById(call.fn).accumulator, [argument] = call.args, { filter } = call
  const kept = filter === undefined ? rows : rows.filter(({ row }) => evaluate(filter, row) === true)
  if (what === 'list') {
    const kept = total(rows.filter(({ row }) => filter === undefined || evaluate(filter, row) === true).map(({ row, weight }) => ({ row: call.args.map(arg => evaluate(arg, row)), weight })), call.args.map(arg => arg.type))
    return listValue(call, [...kept.values()].map(({ row, weight }) => ({ values: row, count: weight })))
  }
  if (argument === undefined) return BigInt(kept.reduce((sum, { weight }) => sum + weight, 0))
  let values = [...total(kept.map(({ row, weight }) => ({ row: [evaluate(argument, row)], weight })), [argument.type]).values()]
    .filter(({ row, weight }) => row[0] !== null && weight > 0).map(({ row, weight }) => ({ value: row[0] ?? null, weight: BigInt(weight) }))
  if (call.distinct) values = values.map(({ value }) => ({ value, weight: 1n }))
  const count = values.reduce((sum, { weight }) => sum + weight, 0n)
  if (what === 'count') return count
  if (count === 0n) return null
  const sorted = values.map(({ value }) => value).sort((a, b) => compareValues(a, b, argument.type))
  switch (what) {
    case 'min': case 'any_value': return sorted[0] ?? null
    case 'max': return sorted.at(-1) ?? null
    case 'bool_and': return !values.some(({ value }) => value === false)
    case 'bool_or': return values.some(({ value }) => value === true)
    case 'sum': case 'avg': {
      const layout = layoutOf(argument.type)
      if (layout === 'f32' || layout === 'f64') {
        const sum = floatSum(values.map(({ value, weight }) => ({ value: Number(value), weight })))
        return what === 'avg' ? sum / Number(count) : layout === 'f32' ? Math.fround(sum) : sum
      }
      let sum: Decimal = fromInteger(0)
      for (const { value, weight } of values) {
        const d = typeof value === 'number' || typeof value === 'bigint' ? fromInteger(value) : asDecimal(value)
        sum = addDecimals(sum, d.special === undefined ? { unscaled: d.unscaled * weight, scale: d.scale } : d)
      }
      if (what === 'avg') return divide(sum, fromInteger(count))
      return call.type.kind === 'numeric' ? sum : sum.unscaled
    }
  }
}

/** The sum in integers of 2⁻¹⁰⁷⁴, rounded once. */
export function floatSum(values: readonly { readonly value: number; readonly weight: bigint }[]): number {
  let sum = 0n, plus = false, minus = false
  const view = new DataView(new ArrayBuffer(8))
  for (const { value, weight } of values) {
    if (Number.isNaN(value)) return NaN
    if (!Number.isFinite(value)) { if (value > 0) plus = true; else minus = true; continue }
    view.setFloat64(0, value)
    const bits = view.getBigUint64(0), exponent = (bits >> 52n) & 0x7ffn, digits = bits & 0xfffffffffffffn
    const units = exponent === 0n ? digits : (digits | 0x10000000000000n) << (exponent - 1n)
    sum += (value < 0 ? -units : units) * weight
  }
  if (plus && minus) return NaN
  if (plus || minus) return plus ? Infinity : -Infinity
  // cut to 64 bits, the last of them sticky: Number() then rounds to even
  const negative = sum < 0n, size = negative ? -sum : sum, length = size.toString(2).length
  const shift = BigInt(Math.max(0, length - 64)), top = (size >> shift) | (shift > 0n && size % (1n << shift) !== 0n ? 1n : 0n)
  let result = Number(top)
  for (let e = Number(shift) - 1074; e !== 0;) { const step = Math.max(-500, Math.min(500, e)); result *= 2 ** step; e -= step }
  return negative ? -result : result
}

/** Positions of rows compare as ORDER BY says. */
export function compareRows(plan: TopPlan, a: readonly Value[], b: readonly Value[]): number {
  for (const { expr, descending, nullsFirst } of plan.order) {
    const x = evaluate(expr, a), y = evaluate(expr, b)
    if (x === null && y === null) continue
    if (x === null || y === null) return (x === null) === nullsFirst ? -1 : 1
    const c = compareValues(x, y, expr.type)
    if (c !== 0) return descending ? -c : c
  }
  return 0
}

/** LIMIT and OFFSET of a plan whose are literals. */
export function windowOf(plan: TopPlan): { from: number; to: number } {
  const count = (expr: Expr | undefined): number | undefined => {
    if (expr === undefined) return undefined
    invariant(expr.kind === 'literal', 'a literal')
    return expr.value === null ? undefined : Number(expr.value)
  }
  const from = count(plan.offset) ?? 0, limit = count(plan.limit)
  return { from, to: limit === undefined ? Infinity : from + limit }
}

function topDefinition(plan: TopPlan, input: readonly Counted[]): Counted[] {
  const { from, to } = windowOf(plan), out: Counted[] = []
  let seen = 0
  for (const { row, weight } of [...input].sort((a, b) => compareRows(plan, a.row, b.row))) {
    const count = Math.min(seen + weight, to) - Math.max(seen, from)
    if (count > 0) out.push({ row, weight: count })
    seen += weight
  }
  return out
}
