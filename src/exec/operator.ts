/**
 * One node of a running query, the same for a batch query (one epoch) and a continuous one (many).
 *
 * The promise: after each `flush`, the sum of everything emitted since the beginning equals the node's definition applied to the sum of everything
 * pushed. Rows of an emitted batch may repeat or cancel within an epoch; only their sum counts.
 *
 * Memory: a batch handed to `push` is valid only during that call (until its iterator ends); who keeps rows copies them. A batch that an iterator
 * gives is valid until that iterator is advanced or ended. Operators are synchronous and used by one thread at a time.
 */
import type { Arena, Memory } from '../memory.ts'
import type { Batch } from '../batch.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Parameters } from '../plan.ts'
import type { ObjectStore, StoreSpec } from '../storage/store.ts'
import type { Schema } from '../type.ts'

export interface Operator {
  readonly schema: Schema
  /** True when nothing that may still be pushed in this epoch can change what it gives. Only asked in a single epoch. */
  readonly done?: boolean
  /** Takes a change of input `port`. */
  push(port: number, delta: Batch): Iterable<Batch>
  /** The epoch is over on all inputs: emits what was held back. */
  flush(): Iterable<Batch>
  /** Frees everything. The operator is dead then. */
  close(): void
}

/** What the planner proved, so that an operator may keep less. There are no operator variants. */
export interface Life {
  readonly epochs: 'one' | 'many'
  /** Per input: true when no row ever has a negative weight. */
  readonly appendOnly: readonly boolean[]
}

/** What every operator is given. */
export interface Context {
  readonly memory: Memory
  readonly kernel: Kernel
  parameters: Parameters
  /** Opens the store of a split; absent: the one that its description names. */
  readonly store?: (spec: StoreSpec | undefined) => ObjectStore
  /** Throws 57014 when the query was cancelled. Asked between batches. */
  check(): void
  /** An arena that belongs to the caller. */
  arena(): Arena
}
