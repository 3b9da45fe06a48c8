/** Joins of every kind, on any keys or none. In one epoch the right side is kept and left rows stream past it; else see join-state.ts. */
import type { Batch } from '../batch.ts'
import { batchFromRows } from '../column.ts'
import type { Address, Arena } from '../memory.ts'
import type { JoinPlan } from '../plan.ts'
import type { Schema } from '../type.ts'
import { tooManyTimes } from './consolidate.ts'
import { RowBuffer, gather, gatherBatch, weighted } from './gather.ts'
import { Growing } from './growing.ts'
import { NONE } from './hash.ts'
import type { HashTable } from './hash.ts'
import { JoinKeys, keyTable, padded } from './join-keys.ts'
import { StateJoin } from './join-state.ts'
import { Condition } from './linear.ts'
import type { Context, Life, Operator } from './operator.ts'

const PIECE = 16384

export function makeJoin(plan: JoinPlan, life: Life, context: Context): Operator {
  const [left, right] = life.appendOnly, keepsRight = plan.how === 'right' || plan.how === 'full'
  return life.epochs === 'one' && right === true && (left === true || !keepsRight) ? new StreamJoin(plan, context) : new StateJoin(plan, context)
}

/** One epoch, and no rows to remove on the right (nor on the left of right and full joins). */
class StreamJoin implements Operator {
  readonly schema: Schema
  readonly #plan: JoinPlan
  readonly #context: Context
  readonly #both: Schema
  readonly #leftKeys: JoinKeys
  readonly #rightKeys: JoinKeys
  readonly #residual: Condition | undefined
  readonly #table: HashTable
  readonly #rows: RowBuffer
  readonly #heads: Growing
  readonly #next: Growing
  /** Of right and full joins: 1 for right rows that had a match. */
  readonly #matched: Growing
  readonly #arena: Arena
  readonly #pieces: Arena
  readonly #none: Batch
  /** Only whether there is a match matters: right rows are not kept. */
  readonly #exists: boolean
  #built: Batch | undefined

  constructor(plan: JoinPlan, context: Context) {
    const { memory } = context
    this.schema = plan.schema
    this.#plan = plan
    this.#context = context
    this.#both = [...plan.left.schema, ...plan.right.schema]
    this.#leftKeys = new JoinKeys(plan.keys.map(key => key.left), plan.left.schema, context)
    this.#rightKeys = new JoinKeys(plan.keys.map(key => key.right), plan.right.schema, context)
    this.#residual = plan.residual === undefined ? undefined : new Condition(plan.residual, context)
    this.#exists = (plan.how === 'semi' || plan.how === 'anti') && plan.residual === undefined
    this.#table = keyTable(plan, context)
    this.#rows = new RowBuffer(plan.right.schema, context)
    this.#heads = new Growing(memory, true)
    this.#next = new Growing(memory)
    this.#matched = new Growing(memory, true)
    this.#arena = context.arena()
    this.#pieces = context.arena()
    this.#none = batchFromRows(this.schema, [], this.#pieces)
  }

  push(port: number, delta: Batch): Iterable<Batch> {
    this.#arena.reset()
    if (port === 0) return this.#probe(delta)
    const ids = this.#table.find(this.#rightKeys.of(delta, this.#arena), delta.length, this.#arena)
    if (this.#exists) return []
    const first = this.#rows.length
    this.#rows.append(delta)
    this.#heads.ensure(4 * this.#table.end)
    this.#next.ensure(4 * this.#rows.length)
    this.#context.kernel.chain_rows(ids, delta.length, first, this.#heads.address, this.#next.address)
    return []
  }

  *#probe(delta: Batch): Iterable<Batch> {
    const { kernel, memory } = this.#context, arena = this.#arena, n = delta.length, { how } = this.#plan
    const ids = this.#table.lookup(this.#leftKeys.of(delta, arena), n, arena)
    if (this.#exists) {
      const rows = arena.alloc(4 * n), count = kernel.rows_equal_32(ids, n, NONE, how === 'anti' ? 1 : 0, rows)
      if (count > 0) yield this.#ofLeft(delta, rows, count, arena)
      return
    }
    const right = this.#built ??= this.#rows.batch(), keepsLeft = how !== 'inner' && how !== 'right', keepsRight = how === 'right' || how === 'full'
    this.#matched.ensure(keepsRight ? right.length : 0)
    this.#heads.ensure(4)
    this.#next.ensure(4)
    const marks = keepsLeft ? arena.zeroed(n) : 0, cursor = arena.zeroed(8)
    for (;;) {
      this.#context.check()
      this.#pieces.reset()
      let rows = this.#pieces.alloc(4 * PIECE), matches = this.#pieces.alloc(4 * PIECE)
      let count = kernel.chain_pairs(ids, n, this.#heads.address, this.#next.address, cursor, PIECE, rows, matches)
      const through = (memory.refresh().u32[cursor / 4] ?? n) >= n
      if (count > 0) {
        let pairs = this.#residual === undefined && (how === 'semi' || how === 'anti') ? undefined : this.#pair(delta, right, rows, matches, count)
        if (this.#residual !== undefined && pairs !== undefined) {
          const selection = this.#residual.select(pairs, this.#pieces), kept = this.#residual.pick(pairs, selection, this.#pieces)
          if (selection !== 'all') {
            rows = this.#chosen(rows, selection.rows, selection.count)
            matches = this.#chosen(matches, selection.rows, selection.count)
            count = selection.count
          }
          pairs = kept
        }
        if (keepsLeft) kernel.put_marks(rows, count, 1, marks)
        if (keepsRight) kernel.put_marks(matches, count, 1, this.#matched.address)
        // a piece without a match is told of, too: whoever drives this can do something else, or stop it
        yield pairs !== undefined && how !== 'semi' && how !== 'anti' ? pairs : this.#none
      }
      if (through) break
    }
    if (!keepsLeft) return
    const rows = arena.alloc(4 * n), count = kernel.rows_where(marks, n, how === 'semi' ? 1 : 0, rows)
    if (count === 0) return
    const alone = gatherBatch(delta, rows, count, this.#context, arena)
    yield how === 'semi' || how === 'anti' ? { ...alone, schema: this.schema } : padded(alone, 0, this.#plan.right.schema, this.schema, arena)
  }

  #chosen(list: Address, rows: Address, count: number): Address {
    const out = this.#pieces.alloc(4 * count)
    this.#context.kernel.gather_32(list, rows, count, out)
    return out
  }

  #ofLeft(delta: Batch, rows: Address, count: number, arena: Arena): Batch {
    return { ...(count === delta.length ? delta : gatherBatch(delta, rows, count, this.#context, arena)), schema: this.schema }
  }

  #pair(left: Batch, right: Batch, rows: Address, matches: Address, count: number): Batch {
    const arena = this.#pieces
    const columns = [...left.columns.map(column => gather(column, rows, count, this.#context, arena)), ...right.columns.map(column => gather(column, matches, count, this.#context, arena))]
    const batch: Batch = { schema: this.#both, length: count, columns }
    if (left.weights === undefined && right.weights === undefined) return batch
    const weights = arena.alloc(4 * count)
    if (this.#context.kernel.pair_weights(left.weights ?? 0, right.weights ?? 0, rows, matches, count, weights) === 1) throw tooManyTimes()
    return weighted(batch, weights)
  }

  *flush(): Iterable<Batch> {
    const { how } = this.#plan
    if (how !== 'right' && how !== 'full') return
    const { kernel } = this.#context, arena = this.#arena, right = this.#built ??= this.#rows.batch()
    this.#matched.ensure(right.length)
    for (let from = 0; from < right.length; from += PIECE) {
      this.#context.check()
      arena.reset()
      const n = Math.min(PIECE, right.length - from), places = arena.alloc(4 * n), rows = arena.alloc(4 * n)
      const count = kernel.rows_where(this.#matched.address + from, n, 0, places)
      kernel.add_32(places, count, from, rows)
      if (count > 0) yield padded(gatherBatch(right, rows, count, this.#context, arena), 1, this.#plan.left.schema, this.schema, arena)
    }
  }

  close(): void {
    this.#table.free()
    this.#rows.free()
    for (const growing of [this.#heads, this.#next, this.#matched]) growing.free()
    this.#arena.free()
    this.#pieces.free()
  }
}
