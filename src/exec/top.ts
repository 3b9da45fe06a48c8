/** ORDER BY, LIMIT and OFFSET in one epoch without removals: rows are kept, cut down to those that can still come out, and sorted at the end. */
import type { Batch } from '../batch.ts'
import { SqlError, invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import type { Address, Arena } from '../memory.ts'
import type { TopPlan } from '../plan.ts'
import type { Schema } from '../type.ts'
import { valueOf } from './constant.ts'
import { repeated } from './consolidate.ts'
import { RowBuffer, gatherBatch, sliceBatch } from './gather.ts'
import type { Context, Life, Operator } from './operator.ts'
import { SortKeys, sortedRows } from './sort.ts'
import { StateTop } from './top-state.ts'

const PIECE = 16384
/** Rows that are kept before the first cut, at least. */
const ROOM = 65536

/** Rows [from, to) of the order come out. */
export interface Window {
  readonly from: number
  readonly to: number
}

export function makeTop(plan: TopPlan, life: Life, context: Context): Operator {
  const window = windowOf(plan, context)
  if (life.epochs === 'one' && life.appendOnly[0] === true) return plan.order.length === 0 ? new Limit(plan.schema, window, context) : new Sort(plan, window, context)
  if (life.epochs === 'many' && window.from === 0 && window.to === Infinity) return new Unordered(plan.schema)
  return new StateTop(plan, window, context)
}

function windowOf(plan: TopPlan, context: Context): Window {
  const count = (expr: Expr | undefined, code: string, clause: string): number | undefined => {
    const value = expr === undefined ? null : valueOf(expr, context)
    if (value === null) return undefined
    invariant(typeof value === 'bigint' || typeof value === 'number', `${clause} is a number`)
    if (value < 0) throw new SqlError(code, `${clause} must not be negative`)
    return Number(value)
  }
  const from = count(plan.offset, '2201X', 'OFFSET') ?? 0, limit = count(plan.limit, '2201W', 'LIMIT')
  return { from, to: limit === undefined ? Infinity : from + limit }
}

/** LIMIT and OFFSET without an order: whichever rows come first. */
class Limit implements Operator {
  readonly schema: Schema
  readonly #window: Window
  readonly #context: Context
  readonly #arena: Arena
  #seen = 0

  constructor(schema: Schema, window: Window, context: Context) {
    this.schema = schema
    this.#window = window
    this.#context = context
    this.#arena = context.arena()
  }

  get done(): boolean { return this.#seen >= this.#window.to }

  *push(_port: number, delta: Batch): Iterable<Batch> {
    const { from, to } = this.#window
    for (const batch of repeated(delta, this.#context, this.#arena)) {
      const first = Math.max(0, from - this.#seen), last = Math.min(batch.length, to - this.#seen)
      this.#seen += batch.length
      if (first < last) yield { ...sliceBatch(batch, first, last), schema: this.schema }
    }
  }

  flush(): Iterable<Batch> { return [] }
  close(): void { this.#arena.free() }
}

/** Changes have no order: without a limit they pass. */
class Unordered implements Operator {
  readonly schema: Schema
  constructor(schema: Schema) { this.schema = schema }
  *push(_port: number, delta: Batch): Iterable<Batch> { yield { ...delta, schema: this.schema } }
  flush(): Iterable<Batch> { return [] }
  close(): void { /* keeps nothing */ }
}

class Sort implements Operator {
  readonly schema: Schema
  readonly #context: Context
  readonly #window: Window
  readonly #keys: SortKeys
  readonly #all: Schema
  readonly #arena: Arena
  #rows: RowBuffer
  /** First eight bytes of the last record that can still come out; 0: not known. */
  #limit: Address = 0
  readonly #limitArena: Arena
  readonly #spread: Arena

  constructor(plan: TopPlan, window: Window, context: Context) {
    this.schema = plan.schema
    this.#context = context
    this.#window = window
    this.#keys = new SortKeys(plan.order, plan.input.schema, context)
    this.#all = [...plan.schema, ...this.#keys.schema]
    this.#arena = context.arena()
    this.#limitArena = context.arena()
    this.#spread = context.arena()
    this.#rows = new RowBuffer(this.#all, context)
  }

  get done(): boolean { return this.#window.to === 0 }

  push(_port: number, delta: Batch): Iterable<Batch> {
    for (const batch of repeated(delta, this.#context, this.#spread)) this.#add(batch)
    return []
  }

  #add(delta: Batch): void {
    const arena = this.#arena
    arena.reset()
    const keys = this.#keys.of(delta, arena)
    let batch: Batch = { ...delta, schema: this.#all, columns: [...delta.columns, ...keys] }
    if (this.#limit !== 0) {
      const records = this.#keys.encode(keys, delta.length, this.#context, arena), rows = arena.alloc(4 * delta.length)
      const count = this.#context.kernel.sort_rows_below(records.bytes, records.ends, records.stride, delta.length, this.#limit, rows)
      if (count === 0) return
      if (count < delta.length) batch = gatherBatch(batch, rows, count, this.#context, arena)
    }
    this.#rows.append(batch)
    if (this.#rows.length > Math.max(ROOM, 4 * this.#window.to)) this.#cut()
  }

  /** Keeps the rows before the window's end. */
  #cut(): void {
    const { memory } = this.#context, kept = new RowBuffer(this.#all, this.#context), n = this.#window.to
    using arena = this.#context.arena()
    const all = this.#rows.batch(), records = this.#keys.encode(all.columns.slice(this.schema.length), all.length, this.#context, arena)
    const rows = sortedRows(records, 0, all.length, this.#context, arena)
    for (let from = 0; from < n; from += PIECE) {
      using piece = this.#context.arena()
      kept.append(gatherBatch(all, rows + 4 * from, Math.min(PIECE, n - from), this.#context, piece))
    }
    this.#rows.free()
    this.#rows = kept
    if (this.#keys.ranked) return
    if (this.#limit === 0) this.#limit = this.#limitArena.alloc(8)
    const { u32, u8 } = memory.refresh(), last = u32[rows / 4 + n - 1] ?? 0
    const at = records.bytes + (records.ends === 0 ? last * records.stride : u32[records.ends / 4 + last] ?? 0)
    u8.copyWithin(this.#limit, at, at + 8)
  }

  *flush(): Iterable<Batch> {
    const all = this.#rows.batch(), to = Math.min(this.#window.to, all.length)
    if (to <= this.#window.from) return
    using arena = this.#context.arena()
    const records = this.#keys.encode(all.columns.slice(this.schema.length), all.length, this.#context, arena)
    const rows = sortedRows(records, 0, all.length, this.#context, arena)
    const payload: Batch = { ...all, schema: this.schema, columns: all.columns.slice(0, this.schema.length) }
    for (let from = this.#window.from; from < to; from += PIECE) {
      this.#context.check()
      this.#arena.reset()
      yield gatherBatch(payload, rows + 4 * from, Math.min(PIECE, to - from), this.#context, this.#arena)
    }
  }

  close(): void {
    this.#rows.free()
    this.#arena.free()
    this.#limitArena.free()
    this.#spread.free()
  }
}
