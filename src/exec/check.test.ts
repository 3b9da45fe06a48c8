/** Random plans over random signed changes. SLUICE_CHECK=n runs n plans, SLUICE_SEED=n the one of that seed. Seeds that failed once stay. */
import { expect, test } from 'vitest'
import type { Expr } from '../expr.ts'
import { call, column, literal } from '../expr.ts'
import { aggregates } from '../function/aggregate.ts'
import type { AggregateFunction } from '../function/function.ts'
import { windowById } from '../function/table.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import type { AggregateCall, JoinKind, Order, Plan, ScanPlan, WindowBound, WindowCall, WindowFrame } from '../plan.ts'
import { tablesOf } from '../plan.ts'
import type { RowsSplit, Table } from '../storage/table.ts'
import { emptyScanStats } from '../storage/table.ts'
import type { Schema, Type } from '../type.ts'
import { BOOL, BYTEA, DATE, FLOAT4, FLOAT8, INT2, INT4, INT8, INTERVAL, NUMERIC, TEXT, TIMESTAMP } from '../type.ts'
import type { Value } from '../value.ts'
import { checking, randomNumbers } from './check.ts'
import type { Context } from './operator.ts'
import { offsetFor } from './reference-window.ts'
import { openDataflow, runPlan } from './run.ts'

/** Seeds whose plans once failed. */
const FAILED: readonly number[] = []

const TYPES: readonly Type[] = [BOOL, INT2, INT4, INT8, FLOAT4, FLOAT8, { kind: 'numeric', precision: 10, scale: 2 }, { kind: 'numeric', precision: 30, scale: 4 }, NUMERIC, TEXT, { kind: 'varchar', length: 20 }, BYTEA, DATE, TIMESTAMP, INTERVAL, { kind: 'timetz' }, { kind: 'uuid' }]

class Maker {
  readonly random: () => number
  constructor(random: () => number) { this.random = random }

  below(n: number): number { return Math.floor(this.random() * n) }
  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** Few different values, so that rows meet; some extremes. */
  value(type: Type, nullable: boolean): Value {
    if (nullable && this.random() < 0.15) return null
    const small = this.random() < 0.8 ? this.below(3) : this.below(40) - 20
    switch (type.kind) {
      case 'bool': return this.random() < 0.5
      case 'int2': case 'int4': case 'date': return small
      case 'int8': return this.random() < 0.05 ? this.pick([2n ** 62n, -(2n ** 63n), 2n ** 63n - 1n]) : BigInt(small)
      case 'timestamp': return BigInt(small) * 1_000_000n
      case 'float4': return this.random() < 0.1 ? this.pick([NaN, Infinity, -0, 1e30]) : Math.fround(small / 3)
      case 'float8': return this.random() < 0.1 ? this.pick([NaN, -Infinity, -0, 1e300, -1e300, 5e-324, 1e-200]) : small / 7
      case 'numeric': return type.precision === undefined
        ? this.random() < 0.05 ? { unscaled: 0n, scale: 0, special: 'NaN' } : { unscaled: BigInt(small) * 10n ** BigInt(this.below(2)), scale: this.below(3) }
        : { unscaled: type.precision > 18 && this.random() < 0.1 ? this.pick([10n ** 29n, -(10n ** 29n)]) : BigInt(small), scale: type.scale ?? 0 }
      case 'bytea': return Uint8Array.from({ length: this.below(3) }, () => this.pick([0, 1, 255]))
      case 'interval': return this.random() < 0.3 ? { months: 1, days: 0, micros: 0n } : { months: 0, days: this.random() < 0.3 ? 30 : small, micros: 0n }
      case 'timetz': return this.random() < 0.5 ? { micros: BigInt(small + 20) * 3_600_000_000n, zone: 0 } : { micros: BigInt(small + 19) * 3_600_000_000n, zone: 3600 }
      case 'uuid': return `00000000-0000-0000-0000-0000000000${(small + 30).toString(16).padStart(2, '0')}`
      default: return this.random() < 0.2 ? `${'long '.repeat(this.below(9))}${small}` : this.pick(['', 'a', 'b', 'ab', 'ü', '😀', '～'])
    }
  }

  schema(): Schema {
    return Array.from({ length: 2 + this.below(4) }, (_, i) => ({ name: `c${i}`, type: this.random() < 0.5 ? this.pick([INT4, INT8, TEXT]) : this.pick(TYPES), nullable: this.random() < 0.6 }))
  }

  columnOf(schema: Schema): Expr {
    const index = this.below(schema.length)
    return column(index, schema[index]?.type ?? INT4)
  }

  condition(schema: Schema): Expr {
    const a = this.columnOf(schema), same = schema.flatMap((field, i) => field.type === a.type ? [column(i, field.type)] : [])
    if (this.random() < 0.4 || a.type.kind !== 'int4') return call(this.random() < 0.5 ? 'is null' : 'is not null', [a], BOOL)
    return call(this.random() < 0.5 ? '<(int4,int4)' : '<>(int4,int4)', [a, this.random() < 0.5 ? literal(1, INT4) : this.pick(same)], BOOL)
  }

  plan(depth: number): Plan {
    if (depth === 0) {
      const schema = this.schema()
      return { kind: 'scan', table: { schema: 's', name: 't' }, columns: schema.map((_, i) => i), schema }
    }
    const how = this.random()
    if (how < 0.33) return this.join(depth)
    const input = this.plan(depth - 1), { schema } = input
    if (how < 0.42) return { kind: 'filter', input, condition: this.condition(schema), schema }
    if (how < 0.5) {
      const exprs = Array.from({ length: 1 + this.below(4) }, () => this.random() < 0.1 ? call('is null', [this.columnOf(schema)], BOOL) : this.columnOf(schema))
      return { kind: 'project', input, exprs, schema: exprs.map((expr, i) => ({ name: `p${i}`, type: expr.type, nullable: true })) }
    }
    if (how < 0.56) return { kind: 'union', inputs: [input, input], schema }
    if (how < 0.75) return this.aggregate(input)
    if (how < 0.88) return this.window(input)
    const order: Order[] = Array.from({ length: this.below(4) }, () => ({ expr: this.columnOf(schema), descending: this.random() < 0.5, nullsFirst: this.random() < 0.5 }))
    return { kind: 'top', input, order, schema, ...(this.random() < 0.7 ? { limit: literal(BigInt(this.below(8)), INT8) } : {}), ...(this.random() < 0.3 ? { offset: literal(BigInt(this.below(4)), INT8) } : {}) }
  }

  join(depth: number): Plan {
    const left = this.plan(depth - 1), right = this.plan(this.below(depth)), how = this.pick<JoinKind>(['inner', 'left', 'right', 'full', 'semi', 'anti'])
    const both = [...left.schema, ...right.schema], keys = []
    const candidates = left.schema.flatMap((a, i) => right.schema.flatMap((b, j) => JSON.stringify(a.type) === JSON.stringify(b.type) ? [{ left: column(i, a.type), right: column(j, b.type) }] : []))
    for (let n = this.below(3); n > 0 && candidates.length > 0; n--) keys.push(this.pick(candidates))
    const open = (schema: Schema): Schema => schema.map(field => ({ ...field, nullable: true }))
    return { kind: 'join', how, left, right, keys, schema: how === 'semi' || how === 'anti' ? left.schema : open(both), ...(this.random() < 0.4 ? { residual: this.condition(both) } : {}) }
  }

  /** Rows that tie are told apart by nothing, or by all columns. */
  window(input: Plan): Plan {
    const { schema } = input, some = (): Order => ({ expr: this.columnOf(schema), descending: this.random() < 0.5, nullsFirst: this.random() < 0.5 })
    const total = this.random() < 0.5, order = total ? [...Array.from({ length: this.below(2) }, some), ...schema.map((field, i): Order => ({ expr: column(i, field.type), descending: false, nullsFirst: false }))] : Array.from({ length: this.below(3) }, some)
    const partition = Array.from({ length: this.below(3) }, () => this.columnOf(schema))
    const calls = Array.from({ length: 1 + this.below(4) }, (): WindowCall => {
      const argument = this.columnOf(schema), frame = this.frame(order, total)
      if (this.random() < 0.5) {
        const entry = this.pick(aggregatesOf(argument)), args = entry.args.length === 0 ? [] : [argument]
        return { fn: entry.id, args, frame, type: entry.result(args.map(arg => arg.type)), ...(this.random() < 0.2 ? { filter: this.condition(schema) } : {}) }
      }
      const free = ['rank()', 'dense_rank()', 'percent_rank()', 'cume_dist()'], bound = ['row_number()', 'lag(anyelement,int4)', 'lead(anyelement,int4)', 'first_value(anyelement)', 'last_value(anyelement)', 'nth_value(anyelement,int4)']
      const entry = windowById(this.pick(total ? [...free, ...bound] : free)), args = entry.args.map((kind): Expr => kind === 'int4' ? literal(1 + this.below(3), INT4) : argument)
      return { fn: entry.id, args, frame, type: entry.result(args.map(arg => arg.type)) }
    })
    return { kind: 'window', input, partition, order, calls, schema: [...schema, ...calls.map(({ type }, i) => ({ name: `w${i}`, type, nullable: true }))] }
  }

  frame(order: readonly Order[], total: boolean): WindowFrame {
    const [key] = order, units: WindowFrame['unit'][] = ['range', ...(order.length > 0 ? ['groups' as const] : []), ...(total ? ['rows' as const] : [])], unit = this.pick(units)
    const bound = (own: 'unboundedPreceding' | 'unboundedFollowing'): WindowBound => {
      const size = this.below(4), offset = unit !== 'range' ? literal(BigInt(size), INT8) : order.length === 1 && key !== undefined ? movedBy(key, size) : undefined
      if (offset === undefined || this.random() < 0.3) return { kind: this.random() < 0.5 ? own : 'currentRow' }
      return { kind: this.random() < 0.5 ? 'preceding' : 'following', offset }
    }
    return { unit, start: bound('unboundedPreceding'), end: bound('unboundedFollowing'), exclude: this.random() < 0.5 ? 'none' : this.pick(['current row', 'group', 'ties'] as const) }
  }

  aggregate(input: Plan): Plan {
    const { schema } = input, keys = Array.from({ length: this.below(3) }, () => this.columnOf(schema)), calls: AggregateCall[] = []
    for (let n = keys.length === 0 ? 1 + this.below(4) : this.below(5); n > 0; n--) {
      const argument = this.columnOf(schema)
      const fits = aggregatesOf(argument)
      const entry = this.pick(fits), args = entry.args.length === 0 ? [] : [argument]
      calls.push({ fn: entry.id, args, distinct: args.length > 0 && this.random() < 0.25, type: entry.result(args.map(arg => arg.type)), ...(this.random() < 0.2 ? { filter: this.condition(schema) } : {}) })
    }
    return { kind: 'aggregate', input, keys, aggregates: calls, schema: [...keys.map((key, i) => ({ name: `k${i}`, type: key.type, nullable: true })), ...calls.map(({ type }, i) => ({ name: `a${i}`, type, nullable: true }))] }
  }
}

/** Not those whose result depends on an order that is free; lists only of values that have one form. */
function aggregatesOf({ type }: Expr): readonly AggregateFunction[] {
  return aggregates.filter(({ name, args, accumulator, orderedSet }) => {
    if (args.length === 0) return true
    if (args.length > 1 || orderedSet === true || (args[0] !== type.kind && args[0] !== 'any' && args[0] !== 'anyelement' && args[0] !== 'anynonarray')) return false
    if (accumulator === 'list') return name !== 'array_agg' && ['bool', 'int2', 'int4', 'int8', 'text', 'date'].includes(type.kind)
    return !(type.kind === 'interval' && (accumulator === 'sum' || accumulator === 'avg'))
  })
}

function movedBy({ expr: { type } }: Order, size: number): Expr | undefined {
  const offset = offsetFor(type, size)
  return offset === undefined ? undefined : literal(offset, typeof offset === 'object' && offset !== null && 'months' in offset ? INTERVAL : type.kind === 'float4' ? FLOAT8 : type.kind === 'numeric' ? NUMERIC : type)
}

const memory = Memory.create(), kernel = loadKernel(memory)

function contextOf(): Context {
  return { memory, kernel, parameters: { values: [], now: 0n, timeZone: 'UTC' }, check: () => undefined, arena: () => memory.arena() }
}

const splitOf = (schema: Schema, rows: readonly (readonly Value[])[], sign: 1 | -1): RowsSplit => ({ kind: 'rows', schema, rows, sign, estimate: rows.length })

/** Runs a seed's plan over a few epochs, and once in one. */
async function runSeed(seed: number): Promise<void> {
  const random = randomNumbers(seed), maker = new Maker(random), plan = maker.plan(1 + maker.below(3)), scans = tablesOf(plan), context = contextOf()
  const before = memory.used, flow = openDataflow(plan, context, emptyScanStats(), checking(random, context)), held: (readonly Value[])[][] = scans.map(() => [])
  // rows of joins multiply
  const joins = JSON.stringify(plan, (_, x: unknown) => typeof x === 'bigint' ? String(x) : x).split('"kind":"join"').length - 1
  const most = joins === 0 && random() < 0.5 ? 120 : joins < 2 ? 30 : 12
  try {
    for (let epoch = 0; epoch < 4; epoch++) {
      flow.begin(BigInt(epoch))
      for (const [port, { schema }] of scans.entries()) {
        const rows = held[port] ?? [], removed: (readonly Value[])[] = []
        const added = Array.from({ length: maker.below(epoch === 0 ? most : 8) }, () => rows.length > 0 && random() < 0.3 ? maker.pick(rows) : schema.map(field => maker.value(field.type, field.nullable)))
        for (let n = epoch === 0 ? 0 : maker.below(random() < 0.2 ? rows.length + 1 : 6); n > 0 && rows.length > 0; n--) removed.push(...rows.splice(maker.below(rows.length), 1))
        // what comes and goes within one epoch, removal first
        const passing = random() < 0.3 ? [schema.map(field => maker.value(field.type, field.nullable))] : []
        rows.push(...added)
        removed.push(...passing)
        added.push(...passing)
        await flow.push(port, splitOf(schema, removed, -1))
        await flow.push(port, splitOf(schema, added, 1))
      }
      for (const batch of flow.flush()) void batch
    }
  } finally {
    flow.close()
  }
  const table = (scan: ScanPlan): Table => tableOf(splitOf(scan.schema, held[scans.indexOf(scan)] ?? [], 1))
  const answer = runPlan(plan, scan => Promise.resolve({ table: table(scan), version: { id: '1', time: 0 } }), context, { epochs: 'one', flag: new Int32Array(1), stats: emptyScanStats(), wrap: checking(random, context) })
  for await (const batch of answer) expect(batch.weights).toBeUndefined()
  expect(memory.used).toBe(before)
}

function tableOf(split: RowsSplit): Table {
  const unused = (): never => { throw new Error('not asked for') }
  return {
    name: { schema: 's', name: 't' }, schema: split.schema, key: [], appendOnly: true, latest: unused, versionAt: unused, next: unused, schemaAt: unused, estimate: unused,
    changes: async function* () { yield split },
  }
}

const chosen = process.env.SLUICE_SEED, count = Number(process.env.SLUICE_CHECK ?? 0)

test('operators keep their promise on random plans', { timeout: 600_000 }, async () => {
  const end = Date.now() + 8000, seeds = chosen === undefined ? [...FAILED, ...Array.from({ length: Math.max(count, 400) }, (_, i) => i + 1)] : [Number(chosen)]
  for (const seed of seeds) {
    if (count === 0 && Date.now() > end) break
    try {
      await runSeed(seed)
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
})
