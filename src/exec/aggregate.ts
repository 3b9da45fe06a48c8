/**
 * GROUP BY, DISTINCT and aggregates without GROUP BY. Keys go into the hash table, and aggregates are arrays by the group's number.
 *
 * In one epoch everything comes out at the end. In many, each flush takes back a changed group's old row and gives its new one.
 */
import type { Batch, Column } from '../batch.ts'
import { invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import { column, literal } from '../expr.ts'
import { aggregateById } from '../function/table.ts'
import type { Address, Arena } from '../memory.ts'
import type { AggregateCall, AggregatePlan } from '../plan.ts'
import type { Field, Schema, Type } from '../type.ts'
import { INT8, layoutOf } from '../type.ts'
import type { Accumulator, Family, Groups, Input, Result } from './accumulator.ts'
import { Bools, Count, Extreme, FloatSum, IntegerSum, flat, noAggregate, ordersByBytes, valuesOf } from './accumulator.ts'
import { ListStates } from './accumulator-list.ts'
import { DistinctRows, RemovableExtreme } from './accumulator-removal.ts'
import { ValueSums, isValueSum } from './accumulator-values.ts'
import type { Machine } from './gather.ts'
import { flatten, gather, gatherWeights, weighted } from './gather.ts'
import { Growing } from './growing.ts'
import { HashTable } from './hash.ts'
import { Expressions } from './linear.ts'
import type { Context, Life, Operator } from './operator.ts'

const PIECE = 16384

const FAMILY: Readonly<Record<Result, Family>> = { count: 'count', sum: 'sum', avg: 'sum', min: 'min', max: 'max', any_value: 'any', bool_and: 'bool', bool_or: 'bool', list: 'list' }

function makeAccumulator(family: Family, call: AggregateCall, removal: boolean, machine: Machine): Accumulator {
  const argument = call.args[0]?.type
  if (family === 'count') return new Count(machine)
  invariant(argument !== undefined, `${family} has an argument`)
  const layout = layoutOf(argument)
  switch (family) {
    case 'list': return new ListStates(call, removal, machine)
    case 'sum':
      if (isValueSum(argument)) return new ValueSums(argument, machine)
      if (layout === 'f32' || layout === 'f64') return new FloatSum(layout === 'f64', machine)
      if (layout === 'i32' || layout === 'i64' || layout === 'i128') return new IntegerSum(argument, layout, machine)
      throw noAggregate('sum', argument)
    case 'bool': return new Bools(machine)
    case 'min': case 'max':
      if (!ordersByBytes(argument)) throw noAggregate(family, argument)
      return removal ? new RemovableExtreme(argument, family === 'max', machine) : new Extreme(argument, family === 'max', machine)
    case 'any': return removal ? new RemovableExtreme(argument, false, machine) : new Extreme(argument, false, machine)
  }
}

/** Equal for equal expressions. */
function keyOf(value: unknown): string {
  return JSON.stringify(value, (_, x: unknown) => typeof x === 'bigint' ? `${x}n` : x instanceof Uint8Array ? [...x] : x) ?? ''
}

/** One accumulator with what goes into it. Aggregates that need the same (sum and avg of one expression) share it. */
class Slot {
  readonly accumulator: Accumulator
  readonly argument: number | undefined
  readonly #others: readonly number[]
  readonly filter: number | undefined
  readonly #distinct: DistinctRows | undefined
  /** How many rows went in, when these are not all rows of the group. */
  readonly #totals: Growing | undefined
  readonly #machine: Machine

  constructor(family: Family, call: AggregateCall, [argument, ...others]: readonly number[], filter: number | undefined, removal: boolean, machine: Machine) {
    const type = call.args[0]?.type
    this.#machine = machine
    this.argument = argument
    this.#others = others
    this.filter = filter
    this.accumulator = makeAccumulator(family, call, removal, machine)
    this.#distinct = call.distinct && family !== 'list' && type !== undefined ? new DistinctRows(type, machine) : undefined
    this.#totals = this.#distinct !== undefined || filter !== undefined ? new Growing(machine.memory, true) : undefined
  }

  ensure(end: number): void {
    this.#totals?.ensure(8 * end)
    this.accumulator.ensure(end)
  }

  push(ids: Address, n: number, columns: readonly Column[], weights: Address, arena: Arena): void {
    const { kernel } = this.#machine
    let argument = this.argument === undefined ? undefined : columns[this.argument], others = this.#others.flatMap(at => columns[at] ?? [])
    if (this.filter !== undefined) {
      const condition = columns[this.filter]
      invariant(condition !== undefined, 'the condition of FILTER')
      const { valid, data } = flatten(condition, this.#machine, arena), rows = arena.alloc(4 * n)
      invariant(data.kind === 'flat', 'a condition is a bool')
      n = valid === undefined ? kernel.rows_where(data.values, n, 1, rows) : kernel.rows_where_valid(data.values, valid, n, rows)
      if (n === 0) return
      if (ids !== 0) ids = gatherWeights(ids, rows, n, this.#machine, arena) ?? 0
      if (weights !== 0) weights = gatherWeights(weights, rows, n, this.#machine, arena) ?? 0
      if (argument !== undefined) argument = gather(argument, rows, n, this.#machine, arena)
      const kept = n
      others = others.map(other => gather(other, rows, kept, this.#machine, arena))
    }
    if (this.#distinct !== undefined) { this.#distinct.push({ ids, n, column: argument, weights }); return }
    this.#update({ ids, n, column: argument === undefined ? undefined : flatten(argument, this.#machine, arena), others, weights })
  }

  #update(input: Input): void {
    if (this.#totals !== undefined) this.#machine.kernel.count_rows(input.ids, 0, input.weights, input.n, this.#totals.address)
    this.accumulator.update(input)
  }

  settle(): void {
    if (this.#distinct !== undefined) for (const input of this.#distinct.changes()) if (input.n > 0) this.#update(input)
    this.accumulator.settle?.()
  }

  result(what: Result, type: Type, groups: Groups, arena: Arena): Column {
    return this.accumulator.result(what, type, this.#own(groups), arena)
  }

  #own(groups: Groups): Groups { return this.#totals === undefined ? groups : { ...groups, totals: this.#totals.address } }

  clear(ids: Address, n: number): void {
    if (this.#totals !== undefined) this.#machine.kernel.clear_states(ids, n, 8, this.#totals.address)
    this.accumulator.clear(ids, n)
  }

  get partialTypes(): readonly Type[] { return this.#totals === undefined ? this.accumulator.partialTypes : [INT8, ...this.accumulator.partialTypes] }

  partial(groups: Groups, arena: Arena): Column[] {
    const columns = this.accumulator.partial(this.#own(groups), arena)
    if (this.#totals === undefined) return columns
    const counts = arena.alloc(8 * groups.n)
    this.#machine.kernel.counts_get(this.#totals.address, 0, groups.ids, groups.n, counts, arena.alloc(groups.n))
    return [flat(INT8, groups.n, undefined, counts), ...columns]
  }

  merge(ids: Address, n: number, columns: readonly Column[]): void {
    if (this.#totals === undefined) { this.accumulator.merge(ids, n, columns); return }
    const [totals, ...rest] = columns
    invariant(totals !== undefined, 'the number of rows')
    this.#machine.kernel.add_counts(ids, valuesOf(totals), n, this.#totals.address)
    this.accumulator.merge(ids, n, rest)
  }

  free(): void {
    this.accumulator.free()
    this.#distinct?.free()
    this.#totals?.free()
  }
}

/** An argument, which is not evaluated (and does not fail) in rows that FILTER leaves out. */
function guarded(argument: Expr, filter: Expr | undefined): Expr {
  if (filter === undefined || argument.kind === 'column' || argument.kind === 'literal') return argument
  return { kind: 'case', arms: [{ when: filter, then: argument }], otherwise: literal(null, argument.type), type: argument.type }
}

/** The accumulators of a plan, and the expressions they take. */
class Slots {
  readonly slots: Slot[] = []
  readonly exprs: Expr[] = []
  readonly results: { readonly slot: Slot; readonly what: Result; readonly type: Type }[] = []

  constructor(plan: AggregatePlan, removal: boolean, machine: Machine) {
    const byKey = new Map<string, Slot>(), byExpr = new Map<string, number>()
    const place = (expr: Expr | undefined): number | undefined => {
      if (expr === undefined) return undefined
      const key = keyOf(expr)
      let at = byExpr.get(key)
      if (at === undefined) { byExpr.set(key, at = this.exprs.length); this.exprs.push(expr) }
      return at
    }
    for (const call of plan.aggregates) {
      const what = aggregateById(call.fn).accumulator, family = FAMILY[what], places = call.args.flatMap(arg => place(guarded(arg, call.filter)) ?? []), filter = place(call.filter)
      const key = family === 'list' ? keyOf(call) : `${family} ${places.join()} ${filter ?? ''} ${call.distinct}`
      let slot = byKey.get(key)
      if (slot === undefined) {
        byKey.set(key, slot = new Slot(family, call, places, filter, removal, machine))
        this.slots.push(slot)
      }
      this.results.push({ slot, what, type: call.type })
    }
  }
}

/** True when the plan's work can be spread: partial states that are merged afterwards. */
export function canSplit(plan: AggregatePlan): boolean {
  return plan.aggregates.every(call => !call.distinct && aggregateById(call.fn).accumulator !== 'list')
}

/** What the `partial` stage of a plan gives: keys, the number of rows, then the states. */
export function partialSchema(plan: AggregatePlan, machine: Machine): Schema {
  const { slots } = new Slots(plan, false, machine)
  const states = slots.flatMap(slot => slot.partialTypes), keys = plan.schema.slice(0, plan.keys.length)
  for (const slot of slots) slot.free()
  return [...keys, ...[INT8, ...states].map((type, i): Field => ({ name: `state${i}`, type, nullable: true }))]
}

export class Aggregate implements Operator {
  readonly schema: Schema
  readonly #context: Context
  readonly #stage: 'whole' | 'partial' | 'final'
  readonly #many: boolean
  readonly #keys: number
  readonly #expressions: Expressions
  readonly #slots: Slots
  readonly #table: HashTable | undefined
  readonly #totals: Growing
  readonly #arena: Arena
  /** Many epochs only: the groups that changed, and the row that each last gave (its number in `given` + 1). */
  readonly #marks: Growing
  readonly #dirty: Growing
  readonly #last: Growing
  readonly #given: HashTable | undefined
  #dirtyCount = 0
  #begun = false

  constructor(plan: AggregatePlan, life: Life, context: Context) {
    const { memory } = context, many = life.epochs === 'many', stage = plan.stage ?? 'whole'
    invariant(stage === 'whole' || !many, 'work is spread over threads in one epoch only')
    this.#context = context
    this.#stage = stage
    this.#many = many
    this.#keys = plan.keys.length
    this.#slots = new Slots(plan, !(life.appendOnly[0] ?? false), context)
    this.schema = stage === 'partial' ? partialSchema(plan, context) : plan.schema
    const input = plan.input.schema
    const exprs = stage === 'final' ? input.map((field, i) => column(i, field.type)) : [...plan.keys, ...this.#slots.exprs]
    this.#expressions = new Expressions(exprs, input, context)
    const keyFields = plan.keys.map((key, i) => ({ type: key.type, nullable: plan.schema[i]?.nullable ?? true }))
    this.#table = this.#keys === 0 ? undefined : new HashTable(keyFields, context)
    this.#totals = new Growing(memory, true)
    this.#marks = new Growing(memory, true)
    this.#dirty = new Growing(memory)
    this.#last = new Growing(memory, true)
    this.#given = many ? new HashTable(this.schema, context, { equality: 'same' }) : undefined
    this.#arena = context.arena()
    this.#ensure()
  }

  get #end(): number { return this.#table === undefined ? 1 : this.#table.end }

  #ensure(): void {
    const end = this.#end
    this.#totals.ensure(8 * end)
    for (const slot of this.#slots.slots) slot.ensure(end)
    if (!this.#many) return
    this.#marks.ensure(end)
    this.#dirty.ensure(4 * end)
    this.#last.ensure(4 * end)
  }

  push(_port: number, delta: Batch): Iterable<Batch> {
    const { kernel } = this.#context, arena = this.#arena, n = delta.length, weights = delta.weights ?? 0
    arena.reset()
    const columns = this.#expressions.run(delta, arena)
    const ids = this.#table === undefined ? 0 : this.#table.find(columns.slice(0, this.#keys), n, arena)
    this.#ensure()
    const rest = columns.slice(this.#keys)
    if (this.#stage === 'final') this.#merge(ids, n, rest, arena)
    else {
      kernel.count_rows(ids, 0, weights, n, this.#totals.address)
      for (const slot of this.#slots.slots) slot.push(ids, n, rest, weights, arena)
    }
    if (this.#many) {
      if (ids !== 0) this.#dirtyCount = kernel.mark_ids(ids, n, this.#marks.address, this.#dirty.address, this.#dirtyCount)
      else this.#dirtyCount = 1
    }
    return []
  }

  #merge(ids: Address, n: number, columns: readonly Column[], arena: Arena): void {
    const plain = columns.map(column => flatten(column, this.#context, arena)), [totals] = plain
    invariant(totals !== undefined, 'the number of rows')
    this.#context.kernel.add_counts(ids, valuesOf(totals), n, this.#totals.address)
    let at = 1
    for (const slot of this.#slots.slots) {
      const width = slot.partialTypes.length
      slot.merge(ids, n, plain.slice(at, at + width))
      at += width
    }
  }

  *flush(): Iterable<Batch> {
    for (const slot of this.#slots.slots) slot.settle()
    if (this.#many) yield* this.#changes()
    else yield* this.#all()
  }

  /** All groups that have rows. */
  *#all(): Iterable<Batch> {
    const { kernel } = this.#context, arena = this.#arena, end = this.#end
    for (let from = 0; from < end; from += PIECE) {
      this.#context.check()
      arena.reset()
      const count = Math.min(PIECE, end - from), every = arena.alloc(4 * count), none = arena.alloc(4 * count)
      let ids = arena.alloc(4 * count), n = count
      kernel.count_up(every, count, from)
      if (this.#table === undefined) ids = every
      else n = kernel.split_ids(every, count, this.#totals.address, ids, none)
      if (n > 0) yield { schema: this.schema, length: n, columns: this.#rows(ids, n, arena) }
    }
  }

  #rows(ids: Address, n: number, arena: Arena): Column[] {
    const keys = this.#table?.decode(ids, n, arena) ?? []
    const groups: Groups = { ids: this.#table === undefined ? 0 : ids, n, totals: this.#totals.address }
    if (this.#stage === 'partial') {
      const counts = arena.alloc(8 * n)
      this.#context.kernel.counts_get(this.#totals.address, 0, groups.ids, n, counts, arena.alloc(n))
      return [...keys, flat(INT8, n, undefined, counts), ...this.#slots.slots.flatMap(slot => slot.partial(groups, arena))]
    }
    return [...keys, ...this.#slots.results.map(({ slot, what, type }) => slot.result(what, type, groups, arena))]
  }

  /** The old and the new rows of the groups that changed. */
  *#changes(): Iterable<Batch> {
    const { kernel } = this.#context, arena = this.#arena
    if (this.#table === undefined && !this.#begun) this.#dirtyCount = 1
    this.#begun = true
    const count = this.#dirtyCount
    this.#dirtyCount = 0
    for (let from = 0; from < count; from += PIECE) {
      this.#context.check()
      arena.reset()
      const n = Math.min(PIECE, count - from), ids = arena.alloc(4 * n)
      if (this.#table === undefined) kernel.fill_32(ids, n, 0)
      else kernel.move_bytes(ids, this.#dirty.address + 4 * from, 4 * n)
      kernel.put_marks(ids, n, 0, this.#marks.address)
      yield* this.#change(ids, n, arena)
      const dead = arena.alloc(4 * n), gone = this.#table === undefined ? 0 : kernel.rows_of_zero(ids, n, this.#totals.address, 1, dead)
      for (const slot of this.#slots.slots) if (gone > 0) slot.clear(dead, gone)
      this.#table?.release(dead, gone)
    }
  }

  *#change(ids: Address, n: number, arena: Arena): Iterable<Batch> {
    const { kernel, memory } = this.#context, given = this.#given
    invariant(given !== undefined, 'rows given before are kept')
    const some = arena.alloc(4 * n), none = arena.alloc(4 * n)
    const alive = this.#table === undefined ? n : kernel.split_ids(ids, n, this.#totals.address, some, none)
    if (this.#table === undefined) kernel.move_bytes(some, ids, 4 * n)
    const columns = this.#rows(some, alive, arena), rows = given.find(columns, alive, arena)
    // a group whose row is the same as before says nothing
    const fresh = arena.alloc(4 * n), old = arena.alloc(4 * n), { u32 } = memory.refresh(), last = this.#last.address / 4
    let freshCount = 0, oldCount = 0
    for (let i = 0; i < alive; i++) {
      const id = u32[some / 4 + i] ?? 0, row = u32[rows / 4 + i] ?? 0, before = u32[last + id] ?? 0
      if (before === row + 1) continue
      if (before !== 0) u32[old / 4 + oldCount++] = before - 1
      u32[fresh / 4 + freshCount++] = i
      u32[last + id] = row + 1
    }
    for (let i = 0; i < n - alive; i++) {
      const id = u32[none / 4 + i] ?? 0, before = u32[last + id] ?? 0
      if (before !== 0) u32[old / 4 + oldCount++] = before - 1
      u32[last + id] = 0
    }
    if (oldCount > 0) {
      const weights = arena.alloc(4 * oldCount)
      kernel.fill_32(weights, oldCount, 0xffffffff)
      yield weighted({ schema: this.schema, length: oldCount, columns: given.decode(old, oldCount, arena) }, weights)
      given.release(old, oldCount)
    }
    if (freshCount > 0) yield { schema: this.schema, length: freshCount, columns: columns.map(column => gather(column, fresh, freshCount, this.#context, arena)) }
  }

  close(): void {
    this.#table?.free()
    this.#given?.free()
    for (const slot of this.#slots.slots) slot.free()
    for (const growing of [this.#totals, this.#marks, this.#dirty, this.#last]) growing.free()
    this.#arena.free()
  }
}
