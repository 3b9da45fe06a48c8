/** Changes added up: equal rows become one, rows that cancel are gone. */
import type { Batch } from '../batch.ts'
import { SqlError } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { Schema } from '../type.ts'
import type { Machine } from './gather.ts'
import { gatherBatch, weighted } from './gather.ts'
import { Growing } from './growing.ts'
import { HashTable } from './hash.ts'

const PIECE = 16384

/** 22003 for a row that occurs more often than a weight can say. */
export function tooManyTimes(): SqlError {
  return new SqlError('22003', 'a row occurs more than 2147483647 times')
}

/** Rows with the number of times each occurs: what came in, added up. Rows are told apart to the last byte. */
export class RowCounts {
  readonly schema: Schema
  readonly #machine: Machine
  readonly #table: HashTable
  readonly #totals: Growing
  readonly #arena: Arena

  constructor(schema: Schema, machine: Machine) {
    this.schema = schema
    this.#machine = machine
    this.#table = new HashTable(schema, machine, { equality: 'same' })
    this.#totals = new Growing(machine.memory, true)
    this.#arena = machine.memory.arena()
  }

  add(batch: Batch): void {
    this.#arena.reset()
    const ids = this.#table.find(batch.columns, batch.length, this.#arena)
    this.#totals.ensure(8 * this.#table.end)
    this.#machine.kernel.add_amounts(ids, batch.weights ?? 0, batch.length, this.#totals.address)
  }

  /** What does not cancel, each row once, with its weight; nothing is kept. */
  *take(): Iterable<Batch> {
    const { kernel, memory } = this.#machine, arena = this.#arena, end = this.#table.end
    for (let from = 0; from < end; from += PIECE) {
      arena.reset()
      const count = Math.min(PIECE, end - from), every = arena.alloc(4 * count), ids = arena.alloc(4 * count)
      kernel.count_up(every, count, from)
      const n = kernel.rows_of_zero(every, count, this.#totals.address, 0, ids), weights = arena.alloc(4 * n)
      if (kernel.get_amounts(ids, n, this.#totals.address, weights) === 1) throw tooManyTimes()
      if (n > 0) yield weighted({ schema: this.schema, length: n, columns: this.#table.decode(ids, n, arena) }, weights)
    }
    if (end === 0) return
    this.#table.clear()
    memory.refresh().u8.fill(0, this.#totals.address, this.#totals.address + 8 * end)
  }

  close(): void {
    this.#table.free()
    this.#totals.free()
    this.#arena.free()
  }
}

/** Each row as often as its weight says, without weights; rows of negative weight are not there. */
export function* repeated(batch: Batch, machine: Machine, arena: Arena): Iterable<Batch> {
  if (batch.weights === undefined) { yield batch; return }
  const { memory } = machine, weights = memory.refresh().i32.slice(batch.weights / 4, batch.weights / 4 + batch.length)
  const plain: Batch = { schema: batch.schema, length: batch.length, columns: batch.columns }
  let rows: Address = 0, count = 0
  for (let row = 0; row < batch.length; row++) {
    for (let left = weights[row] ?? 0; left > 0; left--) {
      if (count === 0) { arena.reset(); rows = arena.alloc(4 * PIECE) }
      memory.u32[rows / 4 + count++] = row
      if (count === PIECE) { yield gatherBatch(plain, rows, count, machine, arena); count = 0 }
    }
  }
  if (count > 0) yield gatherBatch(plain, rows, count, machine, arena)
}
