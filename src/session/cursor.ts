/** Cursors: an answer that is read in pieces, forward only, by FETCH. */
import type { Batch } from '../batch.ts'
import { sliceBatch } from '../column.ts'
import type { Running } from '../engine.ts'
import { SqlError } from '../error.ts'
import type { Schema } from '../type.ts'
import type { AnswerField } from './face.ts'

/** Where a cursor's batches come from. A batch is valid until the next is asked for. */
export interface CursorSource {
  /** What is cancelled when a FETCH is. */
  readonly running: Running
  readonly fields: readonly AnswerField[]
  readonly schema: Schema
  /** The next batch; 'waiting' when none came within `timeout` milliseconds (undefined: waits), undefined at the end. */
  next(timeout: number | undefined): Promise<Batch | 'waiting' | undefined>
  /** FETCH stops at what is ready, after at least one row: a subscription. Otherwise it goes on to the end. */
  readonly live: boolean
  close(): Promise<void>
}

export class Cursor {
  readonly name: string
  readonly source: CursorSource
  /** Outlives the transaction. */
  readonly hold: boolean
  #batch: Batch | undefined
  #offset = 0
  #ended = false
  #busy = false

  constructor(name: string, source: CursorSource, hold: boolean) {
    this.name = name
    this.source = source
    this.hold = hold
  }

  /** Up to `count` rows. `timeout` in milliseconds bounds the wait for rows of a live cursor. */
  async *fetch(count: number, timeout: number | undefined): AsyncGenerator<Batch, void, undefined> {
    if (this.#busy) throw new SqlError('55006', `cursor "${this.name}" is being used by an active query`)
    this.#busy = true
    try {
      const deadline = timeout === undefined ? undefined : Date.now() + timeout
      let left = count, some = false
      while (left > 0 && !this.#ended) {
        if (this.#batch === undefined || this.#offset >= this.#batch.length) {
          const wait = !this.source.live ? undefined : deadline !== undefined ? Math.max(0, deadline - Date.now()) : some ? 0 : undefined
          const next = await this.source.next(wait)
          if (next === 'waiting') return
          if (next === undefined) { this.#ended = true; return }
          this.#batch = next
          this.#offset = 0
          continue
        }
        const rows = Math.min(left, this.#batch.length - this.#offset), from = this.#offset
        this.#offset += rows
        left -= rows
        some = true
        yield sliceBatch(this.#batch, from, from + rows)
      }
    } finally {
      this.#busy = false
    }
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#batch = undefined
    await this.source.close()
  }
}
