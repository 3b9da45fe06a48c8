/** A worker thread: its only task is `serve`, which works off morsels until there are none. */
import { deserialize, serialize } from 'node:v8'
import type { Batch } from '../batch.ts'
import { SqlError, errorToData } from '../error.ts'
import type { ErrorData } from '../error.ts'
import { loadKernel } from '../kernel/kernel.ts'
import type { Arena, MemoryHandle } from '../memory.ts'
import { Memory } from '../memory.ts'
import type { Parameters, Plan } from '../plan.ts'
import type { ScanStats, Split } from '../storage/table.ts'
import { emptyScanStats } from '../storage/table.ts'
import { Fragment, copyBatch } from './fragment.ts'
import type { Context } from './operator.ts'
import { Queue } from './queue.ts'

/** What a worker needs to know of the process. The same for every task. */
export interface Shared {
  readonly memory: MemoryHandle
  readonly module: WebAssembly.Module
  readonly queue: SharedArrayBuffer
}

/** One query's work, as bytes in the shared memory. */
export interface Task {
  readonly plan: Plan
  readonly parameters: Parameters
  readonly morsels: readonly Split[]
}

/** What a worker gives: batches, and the memory they are in, which becomes the reader's. */
export interface Message {
  readonly batches: readonly Batch[]
  readonly chunks: readonly { readonly address: number; readonly count: number }[]
  readonly stats: ScanStats | undefined
  readonly error: ErrorData | undefined
}

interface Surroundings {
  readonly memory: Memory
  readonly queue: Queue
  readonly kernel: ReturnType<typeof loadKernel>
}

let surroundings: Surroundings | undefined

function surroundingsOf({ memory: handle, module, queue }: Shared): Surroundings {
  if (surroundings === undefined) {
    const memory = new Memory(handle)
    surroundings = { memory, kernel: loadKernel(memory, module), queue: new Queue(memory, queue) }
  }
  return surroundings
}

/** A query that this worker takes part in. */
class Part {
  readonly query: number
  readonly name: number
  readonly #task: Task
  readonly #fragment: Fragment
  readonly #stats = emptyScanStats()
  readonly #around: Surroundings

  constructor(query: number, name: number, around: Surroundings) {
    this.query = query
    this.name = name
    this.#around = around
    const { memory, kernel, queue } = around, task: Task = deserialize(queue.task(query))
    this.#task = task
    const context: Context = {
      memory, kernel, parameters: task.parameters, arena: () => memory.arena(),
      check: () => { if (queue.ended(query)) throw new SqlError('57014', 'canceling statement due to user request') },
    }
    this.#fragment = new Fragment(task.plan, context, this.#stats)
  }

  get stateful(): boolean { return this.#fragment.stateful }

  async morsel(number: number): Promise<void> {
    const split = this.#task.morsels[number]
    if (split === undefined) return
    using arena = this.#around.memory.arena()
    const batches: Batch[] = []
    for await (const batch of this.#fragment.morsel(split)) batches.push(copyBatch(batch, this.#around, arena))
    if (batches.length > 0 || !this.stateful) this.#send(batches, arena, undefined)
  }

  /** Gives what was kept. */
  finish(): void {
    if (!this.stateful || this.#around.queue.ended(this.query)) return
    using arena = this.#around.memory.arena()
    const batches: Batch[] = []
    for (const batch of this.#fragment.flush()) batches.push(copyBatch(batch, this.#around, arena))
    this.#send(batches, arena, undefined)
  }

  #send(batches: readonly Batch[], arena: Arena, error: ErrorData | undefined): void {
    const stats = { ...this.#stats }
    Object.assign(this.#stats, emptyScanStats())
    sendMessage(this.#around, this.query, batches, arena, stats, error)
  }

  close(): void { this.#fragment.close() }
}

function sendMessage({ queue }: Surroundings, query: number, batches: readonly Batch[], arena: Arena, stats: ScanStats | undefined, error: ErrorData | undefined): void {
  // the message lies in the memory that it hands over: once to learn its length, once for good
  const draft = serialize({ batches, chunks: [], stats, error } satisfies Message), place = arena.alloc(draft.length + 65536)
  const chunks = arena.release(), text = serialize({ batches, chunks, stats, error } satisfies Message)
  queue.send(query, text, place)
}

/** Takes the next morsel of the least-served query until no query has any. `ticket` tells the workers apart while they serve. */
export default async function serve({ ticket, shared }: { readonly ticket: number; readonly shared: Shared }): Promise<void> {
  const around = surroundingsOf(shared), { queue, memory } = around, parts = new Map<number, Part>()
  try {
    for (;;) {
      memory.refresh()
      const taken = queue.take(ticket)
      if (taken === undefined) {
        finishParts(parts, around, ticket)
        if (!queue.hasWork) return
        continue
      }
      const { query, name, morsel } = taken, begun = performance.now()
      let held = false
      try {
        let part = parts.get(query)
        if (part?.name !== name) {
          part?.close()
          parts.set(query, part = new Part(query, name, around))
        }
        await part.morsel(morsel)
        held = part.stateful
      } catch (error) {
        fail(around, query, error)
      } finally {
        // nothing may be left when the reader sees that this was the last
        if (!held && queue.exhausted(query)) { parts.get(query)?.close(); parts.delete(query) }
        queue.done(ticket, query, performance.now() - begun, held)
      }
      if (held && queue.exhausted(query)) finishParts(parts, around, ticket)
    }
  } finally {
    for (const part of parts.values()) part.close()
  }
}

/** Gives the states of queries that have no morsel left. */
function finishParts(parts: Map<number, Part>, around: Surroundings, ticket: number): void {
  for (const [query, part] of parts) {
    if (!part.stateful || !around.queue.exhausted(query)) continue
    parts.delete(query)
    try {
      part.finish()
    } catch (error) {
      fail(around, query, error)
    } finally {
      part.close()
      around.queue.finished(ticket, query)
    }
  }
}

function fail(around: Surroundings, query: number, error: unknown): void {
  const already = around.queue.ended(query)
  around.queue.end(query)
  if (already) return
  using arena = around.memory.arena()
  sendMessage(around, query, [], arena, undefined, errorToData(error))
}
