/**
 * A join whose sides both change. Each side keeps its rows, told apart to the last byte, with how often each occurs; a change of one side meets what
 * the other holds. A row that comes out even without a match (outer, semi and anti joins) also knows how many matches it has; what follows from
 * there being some or none is put right when the epoch ends.
 */
import type { Batch, Column } from '../batch.ts'
import type { Address, Arena } from '../memory.ts'
import type { JoinKind, JoinPlan } from '../plan.ts'
import type { Schema } from '../type.ts'
import { tooManyTimes } from './consolidate.ts'
import type { Machine } from './gather.ts'
import { gather, weighted } from './gather.ts'
import { Growing } from './growing.ts'
import { HashTable, NONE } from './hash.ts'
import { JoinKeys, keyTable, padded } from './join-keys.ts'
import { Condition } from './linear.ts'
import type { Context, Operator } from './operator.ts'

const PIECE = 16384

/** One side's rows. Everything is indexed by the row's id in `rows`. */
class Side {
  readonly rows: HashTable
  /** How often each row occurs, i64. */
  readonly totals: Growing
  /** How often rows of the other side match it, i64. */
  readonly matches: Growing
  /** 1 where what was given so far says that there is a match. */
  readonly flags: Growing
  readonly links: Growing
  /** First row of each key. */
  readonly heads: Growing
  readonly marks: Growing
  readonly dirty: Growing
  dirtyCount = 0

  constructor(schema: Schema, machine: Machine) {
    const { memory } = machine
    this.rows = new HashTable(schema, machine, { equality: 'same' })
    this.totals = new Growing(memory, true)
    this.matches = new Growing(memory, true)
    this.flags = new Growing(memory, true)
    this.links = new Growing(memory, true)
    this.heads = new Growing(memory, true)
    this.marks = new Growing(memory, true)
    this.dirty = new Growing(memory)
  }

  ensure(keys: number): void {
    const { end } = this.rows
    this.totals.ensure(8 * end)
    this.matches.ensure(8 * end)
    this.flags.ensure(end)
    this.links.ensure(16 * end)
    this.heads.ensure(4 * keys)
    this.marks.ensure(end)
    this.dirty.ensure(4 * end)
  }

  touch(rows: Address, n: number, { kernel }: Machine): void {
    this.dirtyCount = kernel.mark_ids(rows, n, this.marks.address, this.dirty.address, this.dirtyCount)
  }

  free(): void {
    this.rows.free()
    for (const growing of [this.totals, this.matches, this.flags, this.links, this.heads, this.marks, this.dirty]) growing.free()
  }
}

export class StateJoin implements Operator {
  readonly schema: Schema
  readonly #how: JoinKind
  readonly #context: Context
  readonly #schemas: readonly [Schema, Schema]
  readonly #both: Schema
  readonly #keys: readonly [JoinKeys, JoinKeys]
  readonly #residual: Condition | undefined
  readonly #table: HashTable
  readonly #sides: readonly [Side, Side]
  readonly #arena: Arena
  readonly #pieces: Arena

  constructor(plan: JoinPlan, context: Context) {
    this.schema = plan.schema
    this.#how = plan.how
    this.#context = context
    this.#schemas = [plan.left.schema, plan.right.schema]
    this.#both = [...plan.left.schema, ...plan.right.schema]
    this.#keys = [new JoinKeys(plan.keys.map(key => key.left), plan.left.schema, context), new JoinKeys(plan.keys.map(key => key.right), plan.right.schema, context)]
    this.#residual = plan.residual === undefined ? undefined : new Condition(plan.residual, context)
    this.#table = keyTable(plan, context)
    this.#sides = [new Side(plan.left.schema, context), new Side(plan.right.schema, context)]
    this.#arena = context.arena()
    this.#pieces = context.arena()
  }

  /** Rows of this side come out (or, anti, do not) whether or not they have a match. */
  #kept(side: 0 | 1): boolean {
    const how = this.#how
    return side === 0 ? how !== 'inner' && how !== 'right' : how === 'right' || how === 'full'
  }

  get #givesPairs(): boolean { return this.#how !== 'semi' && this.#how !== 'anti' }

  *push(port: number, delta: Batch): Iterable<Batch> {
    const { kernel, memory } = this.#context, arena = this.#arena, n = delta.length
    const at: 0 | 1 = port === 0 ? 0 : 1, self = this.#sides[at], other = this.#sides[1 - at] ?? self
    arena.reset()
    const keys = this.#table.find(this.#keys[at].of(delta, arena), n, arena), rows = self.rows.find(delta.columns, n, arena)
    self.ensure(this.#table.end)
    other.ensure(this.#table.end)
    const fresh = arena.alloc(n), cursor = arena.zeroed(8), keptSelf = this.#kept(at), keptOther = this.#kept(at === 0 ? 1 : 0)
    kernel.link_rows(rows, keys, n, self.heads.address, self.links.address, fresh)
    if (this.#givesPairs || keptSelf || keptOther) for (;;) {
      this.#context.check()
      this.#pieces.reset()
      const out = this.#pieces, found: Found = { places: out.alloc(4 * PIECE), others: out.alloc(4 * PIECE), count: 0 }
      found.count = kernel.link_pairs(keys, n, other.heads.address, other.links.address, cursor, PIECE, found.places, found.others)
      const through = (memory.refresh().u32[cursor / 4] ?? n) >= n
      const pairs = this.#match(at, delta, other, found)
      if (found.count > 0 && keptOther) this.#addMatches(found, delta, other)
      if (found.count > 0 && keptSelf) this.#countFresh(found, fresh, rows, self, other)
      if (pairs !== undefined && found.count > 0 && this.#givesPairs) {
        const joined = this.#weigh(pairs, delta, other, found)
        if (joined !== undefined) yield joined
      }
      if (through) break
    }
    if (keptSelf) {
      // what a row says for itself follows from what was said of it so far; a new row says what is true now
      const some = arena.alloc(4 * n), count = kernel.rows_where(fresh, n, 1, some), freshRows = arena.alloc(4 * count), turned = arena.alloc(4 * count)
      kernel.gather_32(rows, some, count, freshRows)
      kernel.rows_turned(freshRows, count, self.matches.address, self.flags.address, turned)
      const places = arena.alloc(4 * n), alone = kernel.places_where(rows, n, self.flags.address, this.#how === 'semi' ? 1 : 0, places)
      if (alone > 0) {
        const columns = delta.columns.map(column => gather(column, places, alone, this.#context, arena))
        let weights: Address | undefined
        if (delta.weights !== undefined) kernel.gather_32(delta.weights, places, alone, weights = arena.alloc(4 * alone))
        yield this.#alone(at, columns, alone, weights, arena)
      }
    }
    kernel.add_amounts(rows, delta.weights ?? 0, n, self.totals.address)
    self.touch(rows, n, this.#context)
  }

  /** The pairs that meet the residual condition, as rows of both sides. `found` is cut down to them. */
  #match(at: 0 | 1, delta: Batch, other: Side, found: Found): Batch | undefined {
    if (found.count === 0 || (!this.#givesPairs && this.#residual === undefined)) return undefined
    const { kernel } = this.#context, arena = this.#pieces
    const own = delta.columns.map(column => gather(column, found.places, found.count, this.#context, arena)), others = other.rows.decode(found.others, found.count, arena)
    const pairs: Batch = { schema: this.#both, length: found.count, columns: at === 0 ? [...own, ...others] : [...others, ...own] }
    if (this.#residual === undefined) return pairs
    const selection = this.#residual.select(pairs, arena)
    if (selection === 'all') return pairs
    const kept = this.#residual.pick(pairs, selection, arena), pick = (list: Address): Address => {
      const out = arena.alloc(4 * selection.count)
      kernel.gather_32(list, selection.rows, selection.count, out)
      return out
    }
    found.places = pick(found.places)
    found.others = pick(found.others)
    found.count = selection.count
    return kept
  }

  /** Rows of the other side have more, or fewer, matches now. */
  #addMatches({ places, others, count }: Found, delta: Batch, other: Side): void {
    const { kernel } = this.#context
    let amounts: Address = 0
    if (delta.weights !== undefined) kernel.gather_32(delta.weights, places, count, amounts = this.#pieces.alloc(4 * count))
    kernel.add_amounts(others, amounts, count, other.matches.address)
    other.touch(others, count, this.#context)
  }

  /** The matches of rows that were not here before. */
  #countFresh({ places, others, count }: Found, fresh: Address, rows: Address, self: Side, other: Side): void {
    const { kernel } = this.#context, arena = this.#pieces, some = arena.alloc(4 * count), n = kernel.places_where(places, count, fresh, 1, some)
    if (n === 0) return
    const own = arena.alloc(4 * n), met = arena.alloc(4 * n), amounts = arena.alloc(4 * n), at = arena.alloc(4 * n)
    kernel.gather_32(places, some, n, at)
    kernel.gather_32(rows, at, n, own)
    kernel.gather_32(others, some, n, met)
    if (kernel.get_amounts(met, n, other.totals.address, amounts) === 1) throw tooManyTimes()
    kernel.add_amounts(own, amounts, n, self.matches.address)
  }

  /** Pairs with the product of both rows' weights; those of weight 0 are left out. */
  #weigh(pairs: Batch, delta: Batch, other: Side, { places, others, count }: Found): Batch | undefined {
    const { kernel } = this.#context, arena = this.#pieces, totals = arena.alloc(4 * count), weights = arena.alloc(4 * count), every = arena.alloc(4 * count)
    kernel.count_up(every, count, 0)
    if (kernel.get_amounts(others, count, other.totals.address, totals) === 1) throw tooManyTimes()
    if (kernel.pair_weights(delta.weights ?? 0, totals, places, every, count, weights) === 1) throw tooManyTimes()
    return this.#withoutZero(weighted({ ...pairs, schema: this.schema }, weights), arena)
  }

  #withoutZero(batch: Batch, arena: Arena): Batch | undefined {
    const { kernel } = this.#context, rows = arena.alloc(4 * batch.length), count = kernel.rows_equal_32(batch.weights ?? 0, batch.length, 0, 0, rows)
    if (count === batch.length) return batch
    if (count === 0) return undefined
    const weights = arena.alloc(4 * count)
    kernel.gather_32(batch.weights ?? 0, rows, count, weights)
    return weighted({ schema: batch.schema, length: count, columns: batch.columns.map(column => gather(column, rows, count, this.#context, arena)) }, weights)
  }

  /** Rows of one side that come out for themselves: NULL-extended, or (semi, anti) as they are. */
  #alone(at: 0 | 1, columns: readonly Column[], length: number, weights: Address | undefined, arena: Arena): Batch {
    const batch = weighted({ schema: this.#givesPairs ? this.#schemas[at] : this.schema, length, columns }, weights)
    return this.#givesPairs ? padded(batch, at, this.#schemas[at === 0 ? 1 : 0], this.schema, arena) : batch
  }

  *flush(): Iterable<Batch> {
    for (const at of [0, 1] as const) if (this.#kept(at)) yield* this.#turn(at)
    for (const side of this.#sides) this.#forget(side)
  }

  /** Rows that got their first match, or lost their last. */
  *#turn(at: 0 | 1): Iterable<Batch> {
    const { kernel, memory } = this.#context, side = this.#sides[at], arena = this.#arena
    for (let from = 0; from < side.dirtyCount; from += PIECE) {
      this.#context.check()
      arena.reset()
      const n = Math.min(PIECE, side.dirtyCount - from), turned = arena.alloc(4 * n)
      const count = kernel.rows_turned(side.dirty.address + 4 * from, n, side.matches.address, side.flags.address, turned)
      if (count === 0) continue
      const weights = arena.alloc(4 * count)
      if (kernel.get_amounts(turned, count, side.totals.address, weights) === 1) throw tooManyTimes()
      const { u8, u32, i32 } = memory.refresh(), gives = this.#how === 'semi' ? 1 : 0
      for (let i = 0; i < count; i++) if (u8[side.flags.address + (u32[turned / 4 + i] ?? 0)] !== gives) i32[weights / 4 + i] = -(i32[weights / 4 + i] ?? 0)
      const columns = side.rows.decode(turned, count, arena), all = this.#alone(at, columns, count, weights, arena), kept = this.#withoutZero(all, arena)
      if (kept !== undefined) yield kept
    }
  }

  /** Rows that no longer occur are removed, and keys that no row has. */
  #forget(side: Side): void {
    const { kernel, memory } = this.#context, arena = this.#arena, n = side.dirtyCount
    side.dirtyCount = 0
    if (n === 0) return
    arena.reset()
    const rows = side.dirty.address, gone = arena.alloc(4 * n)
    kernel.put_marks(rows, n, 0, side.marks.address)
    const count = kernel.rows_of_zero(rows, n, side.totals.address, 1, gone), keys = arena.alloc(4 * count), free = arena.alloc(4 * count)
    if (count === 0) return
    kernel.link_keys(gone, count, side.links.address, keys)
    kernel.unlink_rows(gone, count, side.heads.address, side.links.address)
    kernel.clear_states(gone, count, 8, side.matches.address)
    kernel.clear_states(gone, count, 1, side.flags.address)
    side.rows.release(gone, count)
    const [a, b] = this.#sides.map(each => each.heads.address / 4), { u32 } = memory.refresh(), seen = new Set<number>()
    let freed = 0
    for (let i = 0; i < count; i++) {
      const key = u32[keys / 4 + i] ?? NONE
      if (key === NONE || seen.has(key) || u32[(a ?? 0) + key] !== 0 || u32[(b ?? 0) + key] !== 0) continue
      seen.add(key)
      u32[free / 4 + freed++] = key
    }
    this.#table.release(free, freed)
  }

  close(): void {
    this.#table.free()
    for (const side of this.#sides) side.free()
    this.#arena.free()
    this.#pieces.free()
  }
}

/** Pairs of a row's place in the change and a row of the other side. */
interface Found {
  places: Address
  others: Address
  count: number
}
