/** Accumulators of inputs that lose rows: the values of each group are kept, with how often each occurs. */
import type { Column } from '../batch.ts'
import { invariant } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { Type } from '../type.ts'
import { INT4 } from '../type.ts'
import type { Accumulator, Groups, Input, Result } from './accumulator.ts'
import { Extreme, flat } from './accumulator.ts'
import type { Machine } from './gather.ts'
import { flatten, gather, gatherWeights } from './gather.ts'
import { Growing } from './growing.ts'
import { HashTable, NONE } from './hash.ts'

const KEYS = (types: readonly Type[]): { type: Type; nullable: boolean }[] => [{ type: INT4, nullable: false }, ...types.map(type => ({ type, nullable: true }))]

/** Ids as a column, so that they can be part of a key. */
function idColumn(ids: Address, n: number, arena: Arena): Column {
  return flat(INT4, n, undefined, ids === 0 ? arena.zeroed(4 * n) : ids)
}

/** min, max and any_value under removal. The extreme of what ever came in is kept as if nothing were removed; where it is gone, it is found again among what is left. */
export class RemovableExtreme implements Accumulator {
  readonly partialTypes: readonly Type[] = []
  readonly #machine: Machine
  readonly #best: Extreme
  readonly #type: Type
  readonly #values: HashTable
  readonly #totals: Growing
  readonly #links: Growing
  readonly #heads: Growing
  readonly #shrunk: Growing
  readonly #shrunkMarks: Growing
  readonly #scratch: Arena
  #shrunkCount = 0
  #end = 0

  constructor(argument: Type, most: boolean, machine: Machine) {
    const { memory } = machine
    this.#machine = machine
    this.#type = argument
    this.#best = new Extreme(argument, most, machine)
    this.#values = new HashTable(KEYS([argument]), machine, { equality: 'same' })
    this.#totals = new Growing(memory, true)
    this.#links = new Growing(memory, true)
    this.#heads = new Growing(memory, true)
    this.#shrunk = new Growing(memory)
    this.#shrunkMarks = new Growing(memory, true)
    this.#scratch = memory.arena()
  }

  ensure(end: number): void {
    this.#end = end
    this.#best.ensure(end)
    this.#heads.ensure(4 * end)
    this.#shrunk.ensure(4 * end)
    this.#shrunkMarks.ensure(end)
  }

  update(input: Input): void {
    const { kernel, memory } = this.#machine, arena = this.#scratch
    let { ids, n, column, weights } = input
    invariant(column !== undefined, 'min and max have an argument')
    arena.reset()
    if (ids === 0) ids = arena.zeroed(4 * n)
    if (column.valid !== undefined) {
      const rows = arena.alloc(4 * n)
      n = kernel.rows_where(column.valid, n, 1, rows)
      column = { ...gather(column, rows, n, this.#machine, arena), valid: undefined }
      const some = arena.alloc(4 * n)
      kernel.gather_32(ids, rows, n, some)
      ids = some
      weights = weights === 0 ? 0 : gatherWeights(weights, rows, n, this.#machine, arena) ?? 0
    }
    if (n === 0) return
    this.#best.update({ ids, n, column, weights })
    const entries = this.#values.find([idColumn(ids, n, arena), column], n, arena)
    this.#totals.ensure(8 * this.#values.end)
    this.#links.ensure(16 * this.#values.end)
    kernel.add_amounts(entries, weights, n, this.#totals.address)
    kernel.link_rows(entries, ids, n, this.#heads.address, this.#links.address, 0)
    if (weights === 0) return
    const negative = arena.alloc(4 * n), { i32, u32 } = memory.refresh()
    let count = 0
    for (let i = 0; i < n; i++) if ((i32[weights / 4 + i] ?? 0) < 0) u32[negative / 4 + count++] = u32[ids / 4 + i] ?? 0
    this.#shrunkCount = kernel.mark_ids(negative, count, this.#shrunkMarks.address, this.#shrunk.address, this.#shrunkCount)
  }

  settle(): void {
    const { kernel, memory } = this.#machine, arena = this.#scratch, n = this.#shrunkCount
    if (n === 0) return
    arena.reset()
    const ids = this.#shrunk.address
    kernel.put_marks(ids, n, 0, this.#shrunkMarks.address)
    this.#shrunkCount = 0
    // whose extreme is gone
    const best = this.#best.result('min', this.#type, { ids, n, totals: 0 }, arena), entries = this.#values.lookup([idColumn(ids, n, arena), best], n, arena)
    const lost = arena.alloc(4 * n), { u32, i64 } = memory.refresh()
    let count = 0
    for (let i = 0; i < n; i++) {
      const entry = u32[entries / 4 + i] ?? 0
      if (entry === NONE || (i64[this.#totals.address / 8 + entry] ?? 0n) <= 0n) u32[lost / 4 + count++] = u32[ids / 4 + i] ?? 0
    }
    this.#best.clear(lost, count)
    // and which of their values are left; those that are not are forgotten, in the other groups that shrank, too
    this.#each(ids, n, arena, (groups, values, found) => {
      const none = arena.alloc(4 * found), gone = kernel.rows_of_zero(values, found, this.#totals.address, 1, none)
      kernel.unlink_rows(none, gone, this.#heads.address, this.#links.address)
      this.#values.release(none, gone)
      void groups
    })
    this.#each(lost, count, arena, (groups, values, found) => {
      const rows = arena.alloc(4 * found), marks = memory.refresh()
      let left = 0
      for (let i = 0; i < found; i++) if ((marks.i64[this.#totals.address / 8 + (marks.u32[values / 4 + i] ?? 0)] ?? 0n) > 0n) marks.u32[rows / 4 + left++] = i
      const entries = arena.alloc(4 * left), owners = arena.alloc(4 * left)
      kernel.gather_32(values, rows, left, entries)
      kernel.gather_32(groups, rows, left, owners)
      const column = this.#values.decode(entries, left, arena)[1]
      if (column !== undefined) this.#best.update({ ids: owners, n: left, column, weights: 0 })
    })
  }

  /** Calls with (group, value entry) pairs of the groups. A call may unlink what it was given: each group's chain is walked to its end before. */
  #each(ids: Address, n: number, arena: Arena, f: (groups: Address, values: Address, count: number) => void): void {
    const { kernel, memory } = this.#machine, cursor = arena.zeroed(8)
    const places: Address[] = [], entries: Address[] = [], counts: number[] = []
    for (;;) {
      const room = 4096, at = arena.alloc(4 * room), found = arena.alloc(4 * room)
      const count = kernel.link_pairs(ids, n, this.#heads.address, this.#links.address, cursor, room, at, found)
      places.push(at)
      entries.push(found)
      counts.push(count)
      if ((memory.refresh().u32[cursor / 4] ?? n) >= n) break
    }
    counts.forEach((count, i) => {
      const groups = arena.alloc(4 * count)
      kernel.gather_32(ids, places[i] ?? 0, count, groups)
      f(groups, entries[i] ?? 0, count)
    })
  }

  result(what: Result, type: Type, groups: Groups, arena: Arena): Column { return this.#best.result(what, type, groups, arena) }

  clear(ids: Address, n: number): void { this.#best.clear(ids, n) }
  partial(): Column[] { invariant(false, 'rows are not removed within one epoch on a worker') }
  merge(): void { invariant(false, 'rows are not removed within one epoch on a worker') }

  free(): void {
    this.#best.free()
    this.#values.free()
    for (const growing of [this.#totals, this.#links, this.#heads, this.#shrunk, this.#shrunkMarks]) growing.free()
    this.#scratch.free()
  }
}

/** Passes on each different argument of a group once, however often it occurs: what DISTINCT in an aggregate means. */
export class DistinctRows {
  readonly #machine: Machine
  readonly #rows: HashTable
  readonly #totals: Growing
  readonly #present: Growing
  readonly #marks: Growing
  readonly #dirty: Growing
  readonly #scratch: Arena
  #count = 0

  constructor(argument: Type, machine: Machine) {
    const { memory } = machine
    this.#machine = machine
    this.#rows = new HashTable(KEYS([argument]), machine)
    this.#totals = new Growing(memory, true)
    this.#present = new Growing(memory, true)
    this.#marks = new Growing(memory, true)
    this.#dirty = new Growing(memory)
    this.#scratch = memory.arena()
  }

  push({ ids, n, column, weights }: Input): void {
    const { kernel } = this.#machine, arena = this.#scratch
    invariant(column !== undefined, 'DISTINCT has an argument')
    arena.reset()
    const entries = this.#rows.find([idColumn(ids, n, arena), column], n, arena), { end } = this.#rows
    this.#totals.ensure(8 * end)
    this.#present.ensure(end)
    this.#marks.ensure(end)
    kernel.add_amounts(entries, weights, n, this.#totals.address)
    this.#count = kernel.mark_ids(entries, n, this.#marks.address, this.#dirty.ensure(4 * end), this.#count)
  }

  /** What has to be added to (weight 1) and removed from (−1) the different arguments since the last time. */
  *changes(): Iterable<Input> {
    const { kernel, memory } = this.#machine, arena = this.#scratch, dirty = this.#dirty.address
    for (let from = 0; from < this.#count; from += 16384) {
      arena.reset()
      const n = Math.min(16384, this.#count - from), rows = dirty + 4 * from, turned = arena.alloc(4 * n)
      kernel.put_marks(rows, n, 0, this.#marks.address)
      const count = kernel.rows_turned(rows, n, this.#totals.address, this.#present.address, turned)
      const [groups, column] = this.#rows.decode(turned, count, arena), weights = arena.alloc(4 * count)
      invariant(groups?.data.kind === 'flat' && column !== undefined, 'group and argument')
      const { u8, u32, i32 } = memory.refresh()
      let negative = false
      for (let i = 0; i < count; i++) {
        const present = u8[this.#present.address + (u32[turned / 4 + i] ?? 0)] === 1
        i32[weights / 4 + i] = present ? 1 : -1
        negative ||= !present
      }
      yield { ids: groups.data.values, n: count, column: flatten(column, this.#machine, arena), weights: negative ? weights : 0 }
      const gone = arena.alloc(4 * n)
      this.#rows.release(gone, kernel.rows_of_zero(rows, n, this.#totals.address, 1, gone))
    }
    this.#count = 0
  }

  free(): void {
    this.#rows.free()
    for (const growing of [this.#totals, this.#present, this.#marks, this.#dirty]) growing.free()
    this.#scratch.free()
  }
}
