/** The threads: the only file that knows Piscina. Large scans are cut into morsels that workers take; what they make lies in the shared memory. */
import { deserialize, serialize } from 'node:v8'
import { availableParallelism } from 'node:os'
import type { Piscina } from 'piscina'
import type { Batch } from '../batch.ts'
import { SqlError, errorFromData } from '../error.ts'
import { kernelModule } from '../kernel/kernel.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Memory } from '../memory.ts'
import type { Plan } from '../plan.ts'
import type { ScanStats, Split } from '../storage/table.ts'
import { addScanStats } from './scan.ts'
import type { Context } from './operator.ts'
import { Queue } from './queue.ts'
import type { Message, Shared, Task } from './worker.ts'

export interface PoolOptions {
  readonly memory: Memory
  readonly kernel: Kernel
  /** Workers; 1 or less: none, everything runs on the thread that asks. */
  readonly threads?: number | undefined
  /** Rows of a morsel; only tests make it small. */
  readonly morselRows?: number | undefined
}

/** Work below this many rows is done sooner than it is handed out. */
const SMALL = 150_000
/** Below this many, workers that are yet to start are not waited for. */
const MODEST = 1_000_000
/** Milliseconds between looks whether the query was cancelled. */
const TICK = 20
/** After so many workers that died at once no more are started; everything runs on the thread that asks. */
const HOPELESS = 4
const MOST_WORKERS = 31

export interface Pool {
  /** True when these morsels are worth handing out. Starts the workers when there is more work than a little. */
  accepts(morsels: readonly Split[]): boolean
  /** What the plan's fragment gives for the morsels, in no order. Ending the iterator ends the work. */
  run(plan: Plan, morsels: readonly Split[], context: Context, stats: ScanStats): AsyncGenerator<Batch, void, undefined>
  close(): Promise<void>
}

export function openPool(options: PoolOptions): Pool { return new Threads(options) }

class Threads implements Pool {
  readonly #memory: Memory
  readonly #queue: Queue
  readonly #shared: Shared
  readonly #count: number
  readonly #small: number
  readonly #tickets: number[]
  #piscina: Piscina | undefined
  #starting: Promise<void> | undefined
  #ready = false
  /** Workers that ended one after the other, without one that served. */
  #deaths = 0

  constructor({ memory, threads, morselRows }: PoolOptions) {
    this.#memory = memory
    this.#queue = new Queue(memory)
    this.#shared = { memory: memory.handle, module: kernelModule(), queue: this.#queue.buffer }
    this.#count = Math.min(threads ?? availableParallelism(), MOST_WORKERS)
    this.#small = morselRows ?? SMALL
    this.#tickets = Array.from({ length: this.#count }, (_, i) => i)
  }

  accepts(morsels: readonly Split[]): boolean {
    if (this.#count <= 1 || morsels.length < 2 || this.#deaths >= HOPELESS) return false
    if (morsels.some(morsel => morsel.kind !== 'files' || morsel.store === undefined)) return false
    const rows = morsels.reduce((sum, { estimate }) => sum + estimate, 0)
    if (rows < this.#small) return false
    this.#start().catch(() => { /* `run` says so */ })
    return this.#ready || rows >= MODEST || this.#small < SMALL
  }

  /** Most processes never need threads: what makes them is loaded when they are. */
  #start(): Promise<void> { return this.#starting ??= this.#launch() }

  async #launch(): Promise<void> {
    const { Piscina } = await import('piscina')
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#piscina = new Piscina({
      filename: new URL(`./worker.${extension}`, import.meta.url).href,
      minThreads: this.#count, maxThreads: this.#count, idleTimeout: Infinity, concurrentTasksPerWorker: 1,
      atomics: 'disabled', // a worker that blocks in Atomics.wait cannot do its timers and I/O
    })
    for (let i = 0; i < this.#count; i++) this.#serve()
  }

  /** Sends a worker to look for work, if one is idle. */
  #serve(): void {
    const ticket = this.#tickets.pop()
    if (ticket === undefined || this.#piscina === undefined) return
    const back = (): void => {
      this.#tickets.push(ticket)
      if (this.#deaths < HOPELESS && this.#queue.hasWork) this.#serve()
    }
    this.#piscina.run({ ticket, shared: this.#shared }).then(() => {
      this.#ready = true
      this.#deaths = 0
      back()
    }, () => {
      this.#deaths++
      this.#queue.bury(ticket)
      back()
    })
  }

  async *run(plan: Plan, morsels: readonly Split[], context: Context, stats: ScanStats): AsyncGenerator<Batch, void, undefined> {
    await this.#start()
    const { session: _, ...parameters } = context.parameters, text = { ...parameters.text, objects: undefined } // what a session knows stays on its thread; `asksSession` keeps plans that need it there
    const task: Task = { plan, parameters: { ...parameters, text }, morsels }, bytes = serialize(task)
    using arena = this.#memory.arena()
    const at = arena.alloc(bytes.length)
    this.#memory.u8.set(bytes, at)
    const query = this.#queue.add(at, bytes.length, morsels.length, this.#count + 2, plan.kind === 'aggregate')
    if (query === undefined) throw new SqlError('53000', 'too many large queries run at once', { hint: 'Try again when some have ended.' })
    try {
      for (;;) {
        context.check()
        if (this.#deaths < HOPELESS) for (let i = 0; i < this.#count; i++) if (this.#queue.hasWork) this.#serve()
        const event = this.#queue.event(query), state = this.#queue.state(query), text = this.#queue.receive(query)
        if (text !== undefined) yield* this.#open(text, stats)
        else if (state === 'through') return
        else if (state === 'dead' || this.#deaths >= HOPELESS) throw new SqlError('XX000', 'a worker thread ended unexpectedly')
        else await this.#queue.wait(query, event, TICK)
      }
    } finally {
      await this.#leave(query)
    }
  }

  *#open(text: Buffer, stats: ScanStats): Iterable<Batch> {
    const message: Message = deserialize(text)
    using arena = this.#memory.arena()
    arena.claim(message.chunks)
    if (message.stats !== undefined) addScanStats(stats, message.stats)
    if (message.error !== undefined) throw errorFromData(message.error)
    yield* message.batches
  }

  /** Waits until no worker is at the query any more, and frees what nobody will read. */
  async #leave(query: number): Promise<void> {
    this.#queue.end(query)
    while (this.#queue.busy(query)) await this.#queue.wait(query, this.#queue.event(query), TICK)
    for (;;) {
      const text = this.#queue.receive(query)
      if (text === undefined) break
      const message: Message = deserialize(text)
      using arena = this.#memory.arena()
      arena.claim(message.chunks)
    }
    this.#queue.remove(query)
  }

  async close(): Promise<void> {
    await this.#starting?.catch(() => { /* there are none then */ })
    await this.#piscina?.destroy()
  }
}
