/** The source of rows: reads splits, keeps the rows that the scan's filter wants, and drops the columns that only the filter needed. */
import type { Batch } from '../batch.ts'
import { invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import { column, columnsOf, mapExpr } from '../expr.ts'
import type { Arena } from '../memory.ts'
import type { Parameters, ScanPlan } from '../plan.ts'
import { splitMorsels } from '../storage/morsel.ts'
import { FooterCache, readSplit } from '../storage/read.ts'
import type { ReadContext } from '../storage/read.ts'
import { KEPT_BYTES } from '../storage/small-files.ts'
import { openStore } from '../storage/store-local.ts'
import type { ObjectStore, StoreSpec } from '../storage/store.ts'
import type { ScanStats, Split, Want } from '../storage/table.ts'
import type { Schema } from '../type.ts'
import { cut, weighted } from './gather.ts'
import { Condition } from './linear.ts'
import type { Context } from './operator.ts'

/** Rows that go through the operators at once: few enough that what is computed of them stays in the cache. */
export const PIECE = 16384

/** The store that a split names. One that has no name only its owner can open. */
function storeOf(spec: StoreSpec | undefined): ObjectStore {
  invariant(spec !== undefined, 'a store that can be opened by its description')
  return openStore(spec)
}

/** Columns of small files are kept beside the memory that is handed out: at most this part of it, on each thread. */
const KEPT_SHARE = 64

const contexts = new WeakMap<Context['memory'], ReadContext>()

/** Adds what another thread counted. */
export function addScanStats(stats: ScanStats, more: ScanStats): void {
  stats.partitionsTotal += more.partitionsTotal
  stats.partitionsPruned += more.partitionsPruned
  stats.filesTotal += more.filesTotal
  stats.filesPruned += more.filesPruned
  stats.rowGroupsTotal += more.rowGroupsTotal
  stats.rowGroupsPruned += more.rowGroupsPruned
  stats.bytesRead += more.bytesRead
}

/** What reading needs, once a memory and thread. */
function readContext({ memory, kernel, store }: Context): ReadContext {
  const open = store ?? storeOf
  let context = contexts.get(memory)
  if (context?.store !== open) contexts.set(memory, context = { memory, kernel, store: open, footers: context?.footers ?? new FooterCache(1024, Math.min(KEPT_BYTES, memory.budget / KEPT_SHARE)) })
  return context
}

/** The expression with its parameters' values in their place. */
export function bindParameters(expr: Expr, { values }: Parameters): Expr {
  return mapExpr(expr, node => node.kind === 'param' ? { kind: 'literal', value: values[node.index - 1] ?? null, type: node.type } : node)
}

/** The filter's columns that are not among those wanted, each once. */
function helpersOf({ columns, filter }: ScanPlan): readonly number[] {
  return filter === undefined ? [] : columnsOf(filter).filter(index => !columns.includes(index))
}

/** What a scan asks of its table: its columns, then those that only its filter needs. */
export function wantOf(plan: ScanPlan, parameters: Parameters): Want {
  const columns = [...plan.columns, ...helpersOf(plan)]
  return plan.filter === undefined ? { columns } : { columns, filter: bindParameters(plan.filter, parameters) }
}

export class Scan {
  readonly schema: Schema
  readonly plan: ScanPlan
  readonly #context: Context
  readonly #want: Want
  readonly #condition: Condition | undefined
  readonly #stats: ScanStats
  readonly #arena: Arena

  constructor(plan: ScanPlan, context: Context, stats: ScanStats) {
    this.plan = plan
    this.schema = plan.schema
    this.#context = context
    this.#want = wantOf(plan, context.parameters)
    this.#stats = stats
    this.#arena = context.arena()
    const { filter } = plan
    if (filter === undefined) return
    const { columns } = this.#want
    const over = mapExpr(filter, node => node.kind === 'column' ? column(columns.indexOf(node.index), node.type) : node)
    this.#condition = new Condition(over, context)
  }

  /** What to ask the table for. */
  get want(): Want { return this.#want }

  /** The split in pieces, without those that cannot match. */
  morsels(split: Split): Promise<readonly Split[]> { return splitMorsels(split, this.#want, readContext(this.#context), this.#stats) }

  /** A split's rows, piece by piece. A batch is valid until the next is asked for. */
  async *batches(split: Split): AsyncGenerator<Batch, void, undefined> {
    for await (const batch of readSplit(split, readContext(this.#context), this.#stats)) {
      this.#context.check()
      yield* this.#rows(batch)
    }
  }

  *#rows(batch: Batch): Iterable<Batch> {
    for (const piece of cut(batch, PIECE)) {
      this.#arena.reset()
      const columns = piece.columns.slice(0, this.schema.length)
      if (this.#condition === undefined) { yield weighted({ schema: this.schema, length: piece.length, columns }, piece.weights); continue }
      const selection = this.#condition.select(piece, this.#arena)
      const kept = this.#condition.pick(weighted({ schema: this.schema, length: piece.length, columns }, piece.weights), selection, this.#arena)
      if (kept !== undefined) yield kept
    }
  }

  close(): void {
    this.#arena.free()
  }
}
