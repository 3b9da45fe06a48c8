/** What a window node means, for `reference.ts`: each row's frame is found by looking at every row of its partition. */
import { asBigInt, asDecimal, asInterval, asNumber } from '../datum.ts'
import { add, fromInteger, negate } from '../decimal.ts'
import { InternalError } from '../error.ts'
import type { Expr } from '../expr.ts'
import { compareValues } from '../function/comparison.ts'
import type { AggregateCall, Order, WindowBound, WindowCall, WindowPlan } from '../plan.ts'
import type { Schema, Type } from '../type.ts'
import type { Value } from '../value.ts'

type Row = readonly Value[]

/** What the definition takes of `reference.ts`. */
export interface Meaning {
  evaluate(expr: Expr, row: Row): Value
  aggregate(call: AggregateCall, rows: readonly Row[]): Value
  /** Equal for rows that are equal. */
  key(values: Row, types: readonly Type[]): string
}

/** The rows with the calls' results. Rows that tie are ordered by all their columns. */
export function windowRows(plan: WindowPlan, rows: readonly Row[], meaning: Meaning): Row[] {
  const partitions = new Map<string, Row[]>()
  for (const row of rows) {
    const name = meaning.key(plan.partition.map(expr => meaning.evaluate(expr, row)), plan.partition.map(expr => expr.type))
    const partition = partitions.get(name)
    if (partition === undefined) partitions.set(name, [row])
    else partition.push(row)
  }
  return [...partitions.values()].flatMap(partition => {
    const sorted = [...partition].sort((a, b) => byOrder(plan.order, a, b, meaning) || byColumns(plan.input.schema, a, b))
    return sorted.map((row, i) => [...row, ...plan.calls.map(call => result(plan, call, sorted, i, meaning))])
  })
}

function byOrder(order: readonly Order[], a: Row, b: Row, { evaluate }: Meaning): number {
  for (const { expr, descending, nullsFirst } of order) {
    const x = evaluate(expr, a), y = evaluate(expr, b)
    if (x === null && y === null) continue
    if (x === null || y === null) return (x === null) === nullsFirst ? -1 : 1
    const c = compareValues(x, y, expr.type)
    if (c !== 0) return descending ? -c : c
  }
  return 0
}

function byColumns(schema: Schema, a: Row, b: Row): number {
  for (const [i, { type }] of schema.entries()) { const c = compareValues(a[i] ?? null, b[i] ?? null, type); if (c !== 0) return c }
  return 0
}

function result(plan: WindowPlan, call: WindowCall, rows: readonly Row[], i: number, meaning: Meaning): Value {
  const own = rows[i] ?? [], value = (at: number | undefined, arg = 0): Value => { const row = at === undefined ? undefined : rows[at], expr = call.args[arg]; return row === undefined || expr === undefined ? null : meaning.evaluate(expr, row) }
  const peers = rows.map(row => byOrder(plan.order, row, own, meaning) === 0), first = peers.indexOf(true), last = peers.lastIndexOf(true)
  const name = call.fn.slice(0, call.fn.indexOf('('))
  switch (name) {
    case 'row_number': return BigInt(i + 1)
    case 'rank': return BigInt(first + 1)
    case 'dense_rank': return BigInt(rows.filter((row, j) => j <= first && (j === 0 || byOrder(plan.order, row, rows[j - 1] ?? [], meaning) !== 0)).length)
    case 'percent_rank': return rows.length === 1 ? 0 : first / (rows.length - 1)
    case 'cume_dist': return (last + 1) / rows.length
    case 'lag': case 'lead': {
      const at = i + asNumber(value(i, 1)) * (name === 'lag' ? -1 : 1)
      return at in rows ? value(at) : value(i, 2)
    }
  }
  const frame = rows.flatMap((_, j) => inFrame(plan, call, rows, i, j, peers, meaning) ? [j] : [])
  switch (name) {
    case 'first_value': return value(frame[0])
    case 'last_value': return value(frame.at(-1))
    case 'nth_value': return value(frame[asNumber(value(i, 1)) - 1])
    default: return meaning.aggregate({ ...call, distinct: false }, frame.map(j => rows[j] ?? []))
  }
}

function inFrame(plan: WindowPlan, { frame }: WindowCall, rows: readonly Row[], i: number, j: number, peers: readonly boolean[], meaning: Meaning): boolean {
  if (!notBefore(plan, frame.unit, frame.start, rows, i, j, meaning) || !notBehind(plan, frame.unit, frame.end, rows, i, j, meaning)) return false
  switch (frame.exclude) {
    case 'none': return true
    case 'current row': return j !== i
    case 'group': return peers[j] !== true
    case 'ties': return j === i || peers[j] !== true
  }
}

/** Row j's distance behind row i in rows or groups. */
function distance(plan: WindowPlan, unit: 'rows' | 'groups', rows: readonly Row[], i: number, j: number, meaning: Meaning): number {
  if (unit === 'rows') return j - i
  let groups = 0
  for (let k = Math.min(i, j) + 1; k <= Math.max(i, j); k++) if (byOrder(plan.order, rows[k - 1] ?? [], rows[k] ?? [], meaning) !== 0) groups++
  return j < i ? -groups : groups
}

/** The order of row j's key and row i's moved by the bound, as the order has it; NULLs are level with each other only. */
function aside(plan: WindowPlan, bound: WindowBound, rows: readonly Row[], i: number, j: number, meaning: Meaning): number {
  const [key] = plan.order, current = rows[i] ?? [], other = rows[j] ?? []
  if (!('offset' in bound) || key === undefined) return byOrder(plan.order, other, current, meaning)
  const base = meaning.evaluate(key.expr, current), value = meaning.evaluate(key.expr, other)
  if (base === null || value === null) return byOrder(plan.order, other, current, meaning)
  const limit = moved(base, meaning.evaluate(bound.offset, []), (bound.kind === 'following') !== key.descending, key.expr.type)
  const c = typeof limit === 'bigint' && typeof value === 'number' ? Math.sign(Number(BigInt(value) - limit)) : typeof limit === 'bigint' ? Math.sign(Number(asBigInt(value) - limit)) : compareValues(value, limit, key.expr.type.kind === 'float4' ? { kind: 'float8' } : key.expr.type)
  return key.descending ? -c : c
}

function moved(base: Value, offset: Value, up: boolean, type: Type): Value {
  switch (type.kind) {
    case 'int2': case 'int4': case 'int8': { const by = BigInt(asNumber(typeof offset === 'bigint' ? Number(offset) : offset)); return BigInt(typeof base === 'bigint' ? base : asNumber(base)) + (up ? by : -by) }
    case 'float4': case 'float8': return asNumber(base) + (up ? asNumber(offset) : -asNumber(offset))
    case 'numeric': return add(asDecimal(base), up ? asDecimal(offset) : negate(asDecimal(offset)))
    case 'date': return asNumber(base) + (up ? 1 : -1) * asInterval(offset).days
    case 'timestamp': return asBigInt(base) + (up ? 1n : -1n) * BigInt(asInterval(offset).days) * 86_400_000_000n
    default: throw new InternalError(`the reference does not move ${type.kind}`)
  }
}

function signed(bound: WindowBound, meaning: Meaning): number {
  if (!('offset' in bound)) return 0
  const offset = Number(asBigInt(meaning.evaluate(bound.offset, [])))
  return bound.kind === 'preceding' ? -offset : offset
}

function notBefore(plan: WindowPlan, unit: WindowCall['frame']['unit'], bound: WindowBound, rows: readonly Row[], i: number, j: number, meaning: Meaning): boolean {
  if (bound.kind === 'unboundedPreceding') return true
  return unit === 'range' ? aside(plan, bound, rows, i, j, meaning) >= 0 : distance(plan, unit, rows, i, j, meaning) >= signed(bound, meaning)
}

function notBehind(plan: WindowPlan, unit: WindowCall['frame']['unit'], bound: WindowBound, rows: readonly Row[], i: number, j: number, meaning: Meaning): boolean {
  if (bound.kind === 'unboundedFollowing') return true
  return unit === 'range' ? aside(plan, bound, rows, i, j, meaning) <= 0 : distance(plan, unit, rows, i, j, meaning) <= signed(bound, meaning)
}

/** An offset that moves values of a type, of about this size; undefined when the reference cannot. */
export function offsetFor(type: Type, size: number): Value | undefined {
  switch (type.kind) {
    case 'int2': case 'int4': return size
    case 'int8': return BigInt(size)
    case 'float4': case 'float8': return size / 4
    case 'numeric': return fromInteger(size)
    case 'date': case 'timestamp': return { months: 0, days: size, micros: 0n }
    default: return undefined
  }
}
