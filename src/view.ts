/**
 * A query kept up to date. A subscription is a plan, the vector of versions it has reached, and a dataflow whose state answers for that vector. An
 * epoch moves the vector by one commit of one table (in the order of commit times), reads that change, and gives the change of the answer.
 *
 * Nothing runs ahead of the reader: an epoch is computed when it is asked for, so a slow reader is waited for and not buffered for. State is a function
 * of the inputs at the vector: after a crash it is built anew by reading them.
 */
import type { Batch } from './batch.ts'
import type { Engine, Running } from './engine.ts'
import { SqlError, invariant } from './error.ts'
import type { Dataflow } from './exec/run.ts'
import type { AsOf, Plan, ScanPlan } from './plan.ts'
import { tablesOf } from './plan.ts'
import type { Table, Version } from './storage/table.ts'

export interface SubscriptionOptions {
  /** False: only what changes after the start. */
  readonly snapshot: boolean
  /** Start at the versions that were current at this time (milliseconds since 1970); undefined: now. */
  readonly asOf: number | undefined
  /** The earliest version is good enough when there is none at `asOf` any more (AS OF AT LEAST). */
  readonly atLeast: boolean
  /** End before this time (milliseconds since 1970). */
  readonly upTo: number | undefined
  /** Milliseconds between looks for commits of other processes. */
  readonly pollInterval: number
}

/** The change of the answer in one step of its inputs. */
export interface Epoch {
  /** When the inputs were committed: milliseconds since 1970, greater than that of the epoch before. For the first: the time the snapshot answers for. */
  readonly timestamp: number
  /** Consolidated: no two rows of an epoch are equal, no weight is 0. Valid until the next epoch is asked for; to be read to the end. */
  readonly batches: AsyncIterable<Batch>
}

/** One input: a scan of the plan, its table, and how far it has come. */
interface Input {
  readonly scan: ScanPlan
  readonly port: number
  readonly table: Table
  /** AS OF in the query itself: read once, never followed. */
  readonly pinned: boolean
  reached: Version | undefined
  /** The next version, when it was seen already. */
  ahead: Version | undefined
}

export class Subscription {
  readonly plan: Plan
  readonly #engine: Engine
  readonly #options: SubscriptionOptions
  readonly #running: Running
  readonly #inputs: Input[]
  /** Made when the first epoch is asked for: a subscription that nobody reads holds nothing. */
  #flow: Dataflow | undefined
  #timestamp: number
  #state: 'new' | 'following' | 'ended' = 'new'

  /** Begins at the versions that are current (or were, at `asOf`); reads nothing yet. */
  static async begin(engine: Engine, plan: Plan, running: Running, options: SubscriptionOptions): Promise<Subscription> {
    const inputs: Input[] = [], opened = new Map<string, { table: Table; version: Version | undefined }>()
    for (const [port, scan] of tablesOf(plan).entries()) {
      const key = JSON.stringify([scan.table, scan.asOf?.kind, scan.asOf?.kind === 'version' ? scan.asOf.id : String(scan.asOf?.micros)])
      let entry = opened.get(key)
      if (entry === undefined) {
        const table = await engine.table(scan.table, running.session)
        opened.set(key, entry = { table, version: await startOf(table, scan.asOf, options) })
      }
      inputs.push({ scan, port, table: entry.table, pinned: scan.asOf !== undefined || engine.isSystem(scan.table), reached: entry.version, ahead: undefined })
    }
    const newest = Math.max(0, ...inputs.map(input => input.reached?.time ?? 0))
    const timestamp = options.asOf ?? Math.max(newest, Date.now())
    if (options.upTo !== undefined && options.upTo <= timestamp) throw new SqlError('22023', `UP TO (${options.upTo}) must lie after the time that the subscription begins at (${timestamp})`)
    return new Subscription(engine, plan, running, options, inputs, timestamp)
  }

  private constructor(engine: Engine, plan: Plan, running: Running, options: SubscriptionOptions, inputs: Input[], timestamp: number) {
    this.plan = plan
    this.#engine = engine
    this.#running = running
    this.#options = options
    this.#inputs = inputs
    this.#timestamp = timestamp
  }

  /** A time before which nothing can come any more: later epochs are given later times. */
  idle(): number {
    this.#timestamp = Math.max(this.#timestamp, Date.now() - 1)
    return this.#timestamp + 1
  }

  /** The versions that the answer so far is for, in the order of the plan's scans. */
  get versions(): readonly (Version | undefined)[] { return this.#inputs.map(input => input.reached) }

  /**
   * The next epoch; undefined when none came within `timeout` milliseconds (0: none is ready; undefined: waits), or when the subscription has ended.
   * Throws 57014 when it is cancelled. Ask for the next only when the last one's batches were read.
   */
  async next(timeout?: number): Promise<Epoch | undefined> {
    if (this.#state === 'ended') return undefined
    if (this.#state === 'new') {
      this.#state = 'following'
      const flow = this.#flow = this.#engine.dataflow(this.plan, this.#running)
      return { timestamp: this.#timestamp, batches: this.#snapshot(flow) }
    }
    const flow = this.#flow
    invariant(flow !== undefined, 'a subscription that has begun')
    const deadline = timeout === undefined ? Infinity : Date.now() + timeout
    for (;;) {
      this.#running.check()
      const input = await this.#pending()
      if (input?.ahead !== undefined) {
        const { ahead } = input
        const timestamp = Math.max(ahead.time, this.#timestamp + 1)
        if (this.#options.upTo !== undefined && timestamp >= this.#options.upTo) { this.close(); return undefined }
        const from = input.reached
        // every scan of the same table moves at once: a table is at one version in an answer
        const moved = this.#inputs.filter(other => other.table === input.table && !other.pinned)
        for (const other of moved) { other.reached = ahead; other.ahead = undefined }
        this.#timestamp = timestamp
        return { timestamp, batches: this.#change(flow, moved, from, ahead) }
      }
      const now = Date.now()
      if (this.#options.upTo !== undefined && now > this.#options.upTo) { this.close(); return undefined }
      if (now >= deadline) return undefined
      const wait = Math.min(this.#options.pollInterval, deadline - now, this.#options.upTo === undefined ? Infinity : Math.max(1, this.#options.upTo + 1 - now))
      await this.#engine.commits.wait(wait, this.#running)
    }
  }

  get ended(): boolean { return this.#state === 'ended' }

  /** Frees everything. */
  close(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#flow?.close()
  }

  /** The input whose next commit is the earliest. */
  async #pending(): Promise<Input | undefined> {
    let first: Input | undefined
    const seen = new Map<Table, Version | undefined>()
    for (const input of this.#inputs) {
      if (input.pinned) continue
      if (input.ahead === undefined) {
        if (!seen.has(input.table)) seen.set(input.table, await input.table.next(input.reached))
        input.ahead = seen.get(input.table)
      }
      if (input.ahead !== undefined && (first?.ahead === undefined || input.ahead.time < first.ahead.time)) first = input
    }
    return first
  }

  async *#snapshot(flow: Dataflow): AsyncGenerator<Batch> {
    for (const input of this.#inputs) {
      if (input.reached === undefined) continue
      await this.#push(flow, input, undefined, input.reached)
    }
    // without SNAPSHOT the state is built all the same, and what came out is forgotten
    for (const batch of flow.flush()) if (this.#options.snapshot) yield batch
  }

  async *#change(flow: Dataflow, moved: readonly Input[], from: Version | undefined, to: Version): AsyncGenerator<Batch> {
    flow.begin(BigInt(this.#timestamp) * 1000n)
    for (const input of moved) await this.#push(flow, input, from, to)
    yield* flow.flush()
  }

  async #push(flow: Dataflow, input: Input, from: Version | undefined, to: Version): Promise<void> {
    const want = flow.want(input.port)
    for await (const split of input.table.changes(from, to, want, this.#running.stats)) {
      this.#running.check()
      await flow.push(input.port, split)
    }
  }
}

async function startOf(table: Table, asOf: AsOf | undefined, options: SubscriptionOptions): Promise<Version | undefined> {
  if (asOf !== undefined) return table.versionAt(asOf)
  if (options.asOf === undefined) return table.latest()
  try {
    return await table.versionAt({ kind: 'timestamp', micros: BigInt(options.asOf) * 1000n })
  } catch (error) {
    // before the first commit the table is empty; after the first kept one it is gone
    if (!(error instanceof SqlError) || error.code !== '22023') throw error
    const first = await table.next(undefined)
    if (first === undefined || first.id === '1') return undefined
    if (options.atLeast) return first
    throw error
  }
}
