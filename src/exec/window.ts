/**
 * Window functions. Rows are sorted by partition and order, and each call walks over them. In one epoch all rows are kept and sorted at its end; in many,
 * rows are kept by partition, and the partitions that an epoch touched are computed anew: what they gave before and no longer give is taken back.
 */
import type { Batch, Column } from '../batch.ts'
import { columnFromValues, columnReader } from '../column.ts'
import { invariant } from '../error.ts'
import { column } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { windowById } from '../function/table.ts'
import type { Address, Arena } from '../memory.ts'
import type { Order, WindowBound, WindowPlan } from '../plan.ts'
import type { Field, Schema } from '../type.ts'
import type { Value } from '../value.ts'
import { zoneNamed } from '../zone.ts'
import { repeated } from './consolidate.ts'
import { valueOf } from './constant.ts'
import { RowBuffer, gather, gatherBatch, weighted } from './gather.ts'
import { Growing } from './growing.ts'
import { HashTable } from './hash.ts'
import { Expressions } from './linear.ts'
import type { Context, Life, Operator } from './operator.ts'
import { SortKeys, sortedRows } from './sort.ts'
import type { SortRecords } from './sort.ts'
import { framesOf } from './window-frame.ts'
import type { Frames, Sorted } from './window-frame.ts'
import { resultsOf } from './window-function.ts'

const PIECE = 16384

export function makeWindow(plan: WindowPlan, life: Life, context: Context): Operator {
  const computer = new Computer(plan, context)
  return life.epochs === 'one' && life.appendOnly[0] === true ? new Window(plan.schema, computer, context) : new StateWindow(plan.schema, computer, context)
}

/** The results of a plan's calls for rows. */
class Computer {
  /** The input's columns, then partition keys, order keys, and what the calls take. */
  readonly schema: Schema
  readonly width: number
  readonly keys: number
  readonly #plan: WindowPlan
  readonly #context: Context
  readonly #expressions: Expressions
  /** Where each call's arguments and filter are. */
  readonly #places: readonly { readonly args: readonly number[]; readonly filter: number | undefined }[]
  readonly #sort: SortKeys
  readonly #partition: SortKeys
  readonly #order: SortKeys

  constructor(plan: WindowPlan, context: Context) {
    const { partition, order, calls, input } = plan, exprs: Expr[] = [...partition, ...order.map(each => each.expr)]
    const place = (expr: Expr): number => input.schema.length + exprs.push(expr) - 1
    this.#plan = plan
    this.#context = context
    this.width = input.schema.length
    this.keys = partition.length
    this.#places = calls.map(call => ({ args: call.args.map(place), filter: call.filter === undefined ? undefined : place(call.filter) }))
    this.#expressions = new Expressions(exprs, input.schema, context)
    this.schema = [...input.schema, ...exprs.map((expr, i): Field => ({ name: `window${i}`, type: expr.type, nullable: true }))]
    const at = (expr: Expr, i: number): Expr => column(this.width + i, expr.type)
    const byPartition = partition.map((expr, i): Order => ({ expr: at(expr, i), descending: false, nullsFirst: false }))
    const byOrder = order.map((each, i): Order => ({ ...each, expr: at(each.expr, partition.length + i) }))
    this.#sort = new SortKeys([...byPartition, ...byOrder], this.schema, context)
    this.#partition = new SortKeys(byPartition, this.schema, context)
    this.#order = new SortKeys(byOrder, this.schema, context)
  }

  /** The batch with the columns of `schema`, without weights. */
  extended(batch: Batch, arena: Arena): Batch {
    return { schema: this.schema, length: batch.length, columns: [...batch.columns, ...this.#expressions.run(batch, arena)] }
  }

  /** The input's columns and the results, for rows that are whole partitions; each batch is valid until the next. */
  *results(all: Batch, schema: Schema): Iterable<Batch> {
    const context = this.#context, n = all.length, { calls, input } = this.#plan
    if (n === 0) return
    using arena = context.arena()
    const { rows, sorted } = this.#sorted(all, arena), read = (index: number): Value[] => valuesAt(all.columns[index], rows, n, context)
    const results = calls.map((call, c) => {
      const place = this.#places[c]
      invariant(place !== undefined, 'a place for each call')
      let frames: Frames | undefined
      context.check()
      return resultsOf({
        fn: windowById(call.fn), args: place.args.map(read), types: call.args.map(arg => arg.type), filter: place.filter === undefined ? undefined : read(place.filter), type: call.type, exclude: call.frame.exclude,
        frames: () => frames ??= this.#frames(c, sorted, read),
      }, sorted)
    })
    const payload: Batch = { schema: input.schema, length: n, columns: all.columns.slice(0, this.width) }
    for (let from = 0; from < n; from += PIECE) {
      context.check()
      using piece = context.arena()
      const count = Math.min(PIECE, n - from), batch = gatherBatch(payload, rows + 4 * from, count, context, piece)
      yield { schema, length: count, columns: [...batch.columns, ...calls.map((call, c) => columnFromValues(results[c]?.slice(from, from + count) ?? [], call.type, piece))] }
    }
  }

  #frames(c: number, sorted: Sorted, read: (index: number) => Value[]): Frames {
    const { calls, order } = this.#plan, frame = calls[c]?.frame, [key] = order
    invariant(frame !== undefined, 'a call has a frame')
    const offset = (bound: WindowBound): Value => 'offset' in bound ? valueOf(bound.offset, this.#context) : null
    const moved = frame.unit === 'range' && ('offset' in frame.start || 'offset' in frame.end)
    const range = moved && key !== undefined ? { order: key, values: read(this.width + this.keys), zone: zoneNamed(this.#context.parameters.timeZone) } : undefined
    return framesOf(frame, { start: offset(frame.start), end: offset(frame.end) }, sorted, range)
  }

  /** The order of the rows (their numbers, u32), and where partitions and peers end in it. */
  #sorted(all: Batch, arena: Arena): { readonly rows: Address; readonly sorted: Sorted } {
    const context = this.#context, n = all.length, keys = this.#sort.of(all, arena)
    let rows: Address
    if (keys.length === 0) context.kernel.count_up(rows = arena.alloc(4 * n), n, 0)
    else rows = sortedRows(this.#sort.encode(keys, n, context, arena), 0, n, context, arena)
    const starts = this.#changes(this.#partition, all, rows, arena), peers = this.#changes(this.#order, all, rows, arena)
    const peerStart = new Int32Array(n), peerEnd = new Int32Array(n), partitions: number[] = []
    for (let i = 0; i < n; i++) {
      if (i === 0 || starts[i] === 1) { partitions.push(i); peerStart[i] = i } else peerStart[i] = peers[i] === 1 ? i : peerStart[i - 1] ?? 0
    }
    for (let i = n - 1; i >= 0; i--) peerEnd[i] = i + 1 < n && peerStart[i + 1] === peerStart[i] ? peerEnd[i + 1] ?? n : i + 1
    return { rows, sorted: { n, partitions: [...partitions, n], peerStart, peerEnd } }
  }

  /** 1 for each position whose keys differ from those of the one before. */
  #changes(keys: SortKeys, all: Batch, rows: Address, arena: Arena): Uint8Array {
    const changed = new Uint8Array(all.length), columns = keys.of(all, arena)
    if (columns.length > 0) markChanges(keys.encode(columns, all.length, this.#context, arena), this.#context.memory.refresh(), rows, changed)
    return changed
  }
}

function markChanges(records: SortRecords, { u8, u32 }: Context['memory'], rows: Address, changed: Uint8Array): void {
  const { bytes, ends, sizes, stride } = records
  for (let i = 1; i < changed.length; i++) {
    const a = u32[rows / 4 + i - 1] ?? 0, b = u32[rows / 4 + i] ?? 0
    const size = ends === 0 ? stride : u32[sizes / 4 + a] ?? 0
    if (ends !== 0 && size !== u32[sizes / 4 + b]) { changed[i] = 1; continue }
    const x = bytes + (ends === 0 ? a * stride : u32[ends / 4 + a] ?? 0), y = bytes + (ends === 0 ? b * stride : u32[ends / 4 + b] ?? 0)
    for (let k = 0; k < size; k++) if (u8[x + k] !== u8[y + k]) { changed[i] = 1; break }
  }
}

function valuesAt(of: Column | undefined, rows: Address, n: number, context: Context): Value[] {
  invariant(of !== undefined, 'a column that was computed')
  using arena = context.arena()
  const read = columnReader(gather(of, rows, n, context, arena), context.memory)
  return Array.from({ length: n }, (_, i) => read(i))
}

/** One epoch, nothing is ever removed. */
class Window implements Operator {
  readonly schema: Schema
  readonly #computer: Computer
  readonly #context: Context
  readonly #rows: RowBuffer
  readonly #arena: Arena
  readonly #spread: Arena

  constructor(schema: Schema, computer: Computer, context: Context) {
    this.schema = schema
    this.#computer = computer
    this.#context = context
    this.#rows = new RowBuffer(computer.schema, context)
    this.#arena = context.arena()
    this.#spread = context.arena()
  }

  push(_port: number, delta: Batch): Iterable<Batch> {
    for (const batch of repeated(delta, this.#context, this.#spread)) {
      this.#arena.reset()
      this.#rows.append(this.#computer.extended(batch, this.#arena))
    }
    return []
  }

  flush(): Iterable<Batch> { return this.#computer.results(this.#rows.batch(), this.schema) }

  close(): void {
    this.#rows.free()
    this.#arena.free()
    this.#spread.free()
  }
}

/** A partition of a continuous query. */
interface Partition {
  /** Ids of its rows. */
  readonly rows: Set<number>
  /** What it gave: how often each of the rows given. */
  shown: Map<number, number>
}

class StateWindow implements Operator {
  readonly schema: Schema
  readonly #computer: Computer
  readonly #context: Context
  /** Rows with what is computed of them, and how often each occurs. */
  readonly #rows: HashTable
  readonly #totals: Growing
  readonly #keys: HashTable | undefined
  readonly #given: HashTable
  readonly #partitions = new Map<number, Partition>()
  readonly #touched = new Set<number>()
  readonly #arena: Arena

  constructor(schema: Schema, computer: Computer, context: Context) {
    this.schema = schema
    this.#computer = computer
    this.#context = context
    this.#rows = new HashTable(computer.schema, context, { equality: 'same' })
    this.#totals = new Growing(context.memory, true)
    this.#keys = computer.keys === 0 ? undefined : new HashTable(computer.schema.slice(computer.width, computer.width + computer.keys), context)
    this.#given = new HashTable(schema, context, { equality: 'same' })
    this.#arena = context.arena()
  }

  push(_port: number, delta: Batch): Iterable<Batch> {
    const { kernel, memory } = this.#context, { width, keys } = this.#computer, arena = this.#arena, n = delta.length
    arena.reset()
    const { columns } = this.#computer.extended(delta, arena)
    const ids = this.#rows.find(columns, n, arena), partitions = this.#keys?.find(columns.slice(width, width + keys), n, arena)
    kernel.add_amounts(ids, delta.weights ?? 0, n, this.#totals.ensure(8 * this.#rows.end))
    const { u32 } = memory.refresh()
    for (let i = 0; i < n; i++) {
      const id = partitions === undefined ? 0 : u32[partitions / 4 + i] ?? 0
      let partition = this.#partitions.get(id)
      if (partition === undefined) this.#partitions.set(id, partition = { rows: new Set(), shown: new Map() })
      partition.rows.add(u32[ids / 4 + i] ?? 0)
      this.#touched.add(id)
    }
    return []
  }

  *flush(): Iterable<Batch> {
    const touched = [...this.#touched]
    this.#touched.clear()
    if (touched.length === 0) return
    const gone: number[] = [], now = this.#present(touched, gone)
    const shown = new Map<number, number>(), owners = new Map<number, number>()
    for (const batch of this.#computed(now.ids)) {
      this.#arena.reset()
      const ids = this.#given.find(batch.columns, batch.length, this.#arena), { u32 } = this.#context.memory.refresh()
      for (let i = 0; i < batch.length; i++) {
        const id = u32[ids / 4 + i] ?? 0
        shown.set(id, (shown.get(id) ?? 0) + 1)
      }
      this.#own(batch, ids, owners)
    }
    yield* this.#difference(touched, shown, owners)
    this.#release(this.#rows, gone)
    const dead = touched.filter(id => this.#partitions.get(id)?.rows.size === 0)
    for (const id of dead) this.#partitions.delete(id)
    if (this.#keys !== undefined) this.#release(this.#keys, dead)
  }

  /** The rows of partitions, each as often as it occurs. Rows that no longer do leave their partition. */
  #present(touched: readonly number[], gone: number[]): { readonly ids: readonly number[] } {
    const { i64 } = this.#context.memory.refresh(), totals = this.#totals.address / 8, ids: number[] = []
    for (const id of touched) {
      const rows = this.#partitions.get(id)?.rows ?? new Set()
      for (const row of rows) {
        const total = Number(i64[totals + row] ?? 0n)
        for (let k = 0; k < total; k++) ids.push(row)
        if (total === 0) { gone.push(row); rows.delete(row) }
      }
    }
    return { ids }
  }

  *#computed(ids: readonly number[]): Iterable<Batch> {
    using arena = this.#context.arena()
    const rows = arena.alloc(4 * ids.length)
    this.#context.memory.refresh().u32.set(ids, rows / 4)
    yield* this.#computer.results({ schema: this.#computer.schema, length: ids.length, columns: this.#rows.decode(rows, ids.length, arena) }, this.schema)
  }

  /** The partition of each row given. */
  #own(batch: Batch, ids: Address, owners: Map<number, number>): void {
    const { memory } = this.#context, { width, keys } = this.#computer
    const input: Batch = { schema: this.#computer.schema.slice(0, width), length: batch.length, columns: batch.columns.slice(0, width) }
    const columns = this.#computer.extended(input, this.#arena).columns.slice(width, width + keys)
    const partitions = this.#keys?.lookup(columns, batch.length, this.#arena), { u32 } = memory.refresh()
    for (let i = 0; i < batch.length; i++) owners.set(u32[ids / 4 + i] ?? 0, partitions === undefined ? 0 : u32[partitions / 4 + i] ?? 0)
  }

  /** What the partitions give now less what they gave. */
  *#difference(touched: readonly number[], shown: ReadonlyMap<number, number>, owners: ReadonlyMap<number, number>): Iterable<Batch> {
    const ids: number[] = [], weights: number[] = [], forgotten: number[] = []
    for (const partition of touched) {
      const state = this.#partitions.get(partition)
      if (state === undefined) continue
      for (const [id, count] of state.shown) {
        const left = shown.get(id) ?? 0
        if (left < count) { ids.push(id); weights.push(left - count) }
        if (left === 0) forgotten.push(id)
      }
    }
    for (const [id, count] of shown) {
      const before = this.#partitions.get(owners.get(id) ?? 0)?.shown.get(id) ?? 0
      if (count > before) { ids.push(id); weights.push(count - before) }
    }
    for (const partition of touched) { const state = this.#partitions.get(partition); if (state !== undefined) state.shown = new Map() }
    for (const [id, count] of shown) this.#partitions.get(owners.get(id) ?? 0)?.shown.set(id, count)
    for (let from = 0; from < ids.length; from += PIECE) {
      this.#context.check()
      using arena = this.#context.arena()
      const n = Math.min(PIECE, ids.length - from), rows = arena.alloc(4 * n), amounts = arena.alloc(4 * n), { u32, i32 } = this.#context.memory.refresh()
      u32.set(ids.slice(from, from + n), rows / 4)
      i32.set(weights.slice(from, from + n), amounts / 4)
      yield weighted({ schema: this.schema, length: n, columns: this.#given.decode(rows, n, arena) }, amounts)
    }
    this.#release(this.#given, forgotten)
  }

  #release(table: HashTable, ids: readonly number[]): void {
    if (ids.length === 0) return
    using arena = this.#context.arena()
    const at = arena.alloc(4 * ids.length)
    this.#context.memory.refresh().u32.set(ids, at / 4)
    table.release(at, ids.length)
  }

  close(): void {
    this.#rows.free()
    this.#totals.free()
    this.#keys?.free()
    this.#given.free()
    this.#arena.free()
  }
}
