/** ORDER BY, LIMIT and OFFSET over rows that come and go: all are kept in order, and each epoch gives the change of the window. */
import type { Batch } from '../batch.ts'
import { unsupported } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { TopPlan } from '../plan.ts'
import type { Schema } from '../type.ts'
import { Growing } from './growing.ts'
import { HashTable } from './hash.ts'
import { weighted } from './gather.ts'
import type { Context, Operator } from './operator.ts'
import type { SortRecords } from './sort.ts'
import { SortKeys, sortedRows } from './sort.ts'
import type { Window } from './top.ts'

const PIECE = 16384

export class StateTop implements Operator {
  readonly schema: Schema
  readonly #context: Context
  readonly #window: Window
  readonly #keys: SortKeys
  /** The rows, told apart to the last byte, with their keys. */
  readonly #rows: HashTable
  readonly #totals: Growing
  readonly #marks: Growing
  readonly #dirty: Growing
  /** 1 for rows that are in `#order`. */
  readonly #listed: Growing
  /** Sort records by row id. */
  readonly #heap: Growing
  readonly #ends: Growing
  readonly #sizes: Growing
  #heapTop = 0
  #heapLive = 0
  /** All rows that occur, in order. */
  readonly #order: Growing
  readonly #spare: Growing
  #length = 0
  #dirtyCount = 0
  /** What was given: how often each row is in the window. */
  #shown = new Map<number, number>()
  readonly #arena: Arena

  constructor(plan: TopPlan, window: Window, context: Context) {
    const { memory } = context
    this.schema = plan.schema
    this.#context = context
    this.#window = window
    this.#keys = new SortKeys(plan.order, plan.input.schema, context)
    if (this.#keys.ranked) throw unsupported('ORDER BY an array, a row or json with LIMIT in a continuous query')
    this.#rows = new HashTable([...plan.schema, ...this.#keys.schema], context, { equality: 'same' })
    this.#totals = new Growing(memory, true)
    this.#marks = new Growing(memory, true)
    this.#dirty = new Growing(memory)
    this.#listed = new Growing(memory, true)
    this.#heap = new Growing(memory)
    this.#ends = new Growing(memory, true)
    this.#sizes = new Growing(memory, true)
    this.#order = new Growing(memory)
    this.#spare = new Growing(memory)
    this.#arena = context.arena()
  }

  push(_port: number, delta: Batch): Iterable<Batch> {
    const { kernel } = this.#context, arena = this.#arena, n = delta.length
    arena.reset()
    const ids = this.#rows.find([...delta.columns, ...this.#keys.of(delta, arena)], n, arena), { end } = this.#rows
    this.#totals.ensure(8 * end)
    this.#marks.ensure(end)
    this.#listed.ensure(end)
    kernel.add_amounts(ids, delta.weights ?? 0, n, this.#totals.address)
    this.#dirtyCount = kernel.mark_ids(ids, n, this.#marks.address, this.#dirty.ensure(4 * end), this.#dirtyCount)
    return []
  }

  *flush(): Iterable<Batch> {
    const { kernel } = this.#context, arena = this.#arena, n = this.#dirtyCount, dirty = this.#dirty.address
    if (n === 0) return
    this.#dirtyCount = 0
    arena.reset()
    kernel.put_marks(dirty, n, 0, this.#marks.address)
    const some = arena.alloc(4 * n), none = arena.alloc(4 * n), alive = kernel.split_ids(dirty, n, this.#totals.address, some, none)
    this.#drop(none, n - alive, arena)
    this.#insert(some, alive, arena)
    const shown = this.#count()
    yield* this.#difference(shown)
    this.#shown = shown
    const gone = arena.alloc(4 * n)
    this.#rows.release(gone, kernel.rows_of_zero(none, n - alive, this.#totals.address, 1, gone))
  }

  /** Takes rows out of the order. */
  #drop(ids: Address, n: number, arena: Arena): void {
    const { kernel, memory } = this.#context, listed = arena.alloc(4 * n), places = arena.alloc(4 * n)
    const count = kernel.places_where(ids, n, this.#listed.address, 1, places)
    if (count === 0) return
    kernel.gather_32(ids, places, count, listed)
    kernel.put_marks(listed, count, 0, this.#listed.address)
    const { u32 } = memory.refresh(), sizes = this.#sizes.address / 4
    for (let i = 0; i < count; i++) this.#heapLive -= u32[sizes + (u32[listed / 4 + i] ?? 0)] ?? 0
    const kept = arena.alloc(4 * this.#length), left = kernel.places_where(this.#order.address, this.#length, this.#listed.address, 1, kept)
    kernel.gather_32(this.#order.address, kept, left, this.#spare.ensure(4 * left))
    kernel.move_bytes(this.#order.address, this.#spare.address, 4 * left)
    this.#length = left
  }

  /** Puts rows that are not in the order yet into it. */
  #insert(ids: Address, n: number, arena: Arena): void {
    const { kernel } = this.#context, places = arena.alloc(4 * n), fresh = arena.alloc(4 * n)
    const count = kernel.places_where(ids, n, this.#listed.address, 0, places)
    if (count === 0) return
    kernel.gather_32(ids, places, count, fresh)
    kernel.put_marks(fresh, count, 1, this.#listed.address)
    if (this.#heapTop > 1 << 20 && this.#heapTop > 3 * this.#heapLive) { this.#heapTop = this.#heapLive = 0; this.#record(this.#order.address, this.#length) }
    this.#record(fresh, count)
    const records = this.#records(), sorted = sortedRows(records, fresh, count, this.#context, arena), total = this.#length + count
    kernel.sort_merge(this.#order.ensure(0), this.#length, sorted, count, records.bytes, records.ends, records.sizes, 0, this.#spare.ensure(4 * total))
    kernel.move_bytes(this.#order.ensure(4 * total), this.#spare.address, 4 * total)
    this.#length = total
  }

  #records(): SortRecords {
    return { n: this.#rows.end, bytes: this.#heap.address, ends: this.#ends.address, sizes: this.#sizes.address, stride: 0, total: this.#heapTop }
  }

  /** Makes the sort records of these rows. */
  #record(ids: Address, n: number): void {
    const { kernel, memory } = this.#context, width = this.schema.length
    this.#ends.ensure(4 * this.#rows.end)
    this.#sizes.ensure(4 * this.#rows.end)
    for (let from = 0; from < n; from += PIECE) {
      using arena = this.#context.arena()
      const count = Math.min(PIECE, n - from), columns = this.#rows.decode(ids + 4 * from, count, arena).slice(width)
      const records = this.#keys.encode(columns, count, this.#context, arena)
      this.#heap.ensure(this.#heapTop + records.total + 16)
      kernel.move_bytes(this.#heap.address + this.#heapTop, records.bytes, records.total)
      const { u32 } = memory.refresh(), ends = this.#ends.address / 4, sizes = this.#sizes.address / 4
      for (let i = 0; i < count; i++) {
        const id = u32[ids / 4 + from + i] ?? 0
        u32[ends + id] = this.#heapTop + (records.ends === 0 ? i * records.stride : u32[records.ends / 4 + i] ?? 0)
        u32[sizes + id] = records.sizes === 0 ? records.stride : u32[records.sizes / 4 + i] ?? 0
      }
      this.#heapTop += records.total
      this.#heapLive += records.total
    }
  }

  /** How often each row is in the window, in order. */
  #count(): Map<number, number> {
    const { i64, u32 } = this.#context.memory.refresh(), shown = new Map<number, number>(), { from, to } = this.#window
    let seen = 0
    for (let i = 0; i < this.#length && seen < to; i++) {
      const id = u32[this.#order.address / 4 + i] ?? 0, total = Number(i64[this.#totals.address / 8 + id] ?? 0n)
      const count = Math.min(seen + total, to) - Math.max(seen, from)
      if (count > 0) shown.set(id, count)
      seen += total
    }
    return shown
  }

  *#difference(shown: ReadonlyMap<number, number>): Iterable<Batch> {
    const ids: number[] = [], weights: number[] = []
    for (const [id, count] of this.#shown) {
      const left = shown.get(id) ?? 0
      if (left < count) { ids.push(id); weights.push(left - count) }
    }
    for (const [id, count] of shown) {
      const before = this.#shown.get(id) ?? 0
      if (count > before) { ids.push(id); weights.push(count - before) }
    }
    for (let from = 0; from < ids.length; from += PIECE) {
      this.#context.check()
      using arena = this.#context.arena()
      const n = Math.min(PIECE, ids.length - from), rows = arena.alloc(4 * n), amounts = arena.alloc(4 * n), { u32, i32 } = this.#context.memory
      u32.set(ids.slice(from, from + n), rows / 4)
      i32.set(weights.slice(from, from + n), amounts / 4)
      yield weighted({ schema: this.schema, length: n, columns: this.#rows.decode(rows, n, arena).slice(0, this.schema.length) }, amounts)
    }
  }

  close(): void {
    this.#rows.free()
    for (const growing of [this.#totals, this.#marks, this.#dirty, this.#listed, this.#heap, this.#ends, this.#sizes, this.#order, this.#spare]) growing.free()
    this.#arena.free()
  }
}
