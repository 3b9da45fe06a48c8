/** Drives the operators: a plan once, batch by batch as they are asked for; or a plan over many epochs. */
import type { Batch } from '../batch.ts'
import type { AggregatePlan, Plan, ScanPlan } from '../plan.ts'
import type { ScanStats, Split, Table, Version, Want } from '../storage/table.ts'
import { invariant } from '../error.ts'
import type { Node, Wrap } from './build.ts'
import { build, closeNode, valuesBatch } from './build.ts'
import { Aggregate, partialSchema } from './aggregate.ts'
import { RowCounts, repeated } from './consolidate.ts'
import { fragmentScan } from './fragment.ts'
import type { Context, Operator } from './operator.ts'
import type { Pool } from './pool.ts'
import type { Scan } from './scan.ts'

/** A table, and the version of it that is read. */
export interface Source {
  readonly table: Table
  readonly version: Version | undefined
}

export type Resolve = (scan: ScanPlan) => Promise<Source>

export interface RunOptions {
  readonly epochs: 'one'
  /** Threads for large scans; undefined: this one. */
  readonly pool?: Pool | undefined
  /** Shared with the workers: 1 when the query is cancelled. */
  readonly flag: Int32Array
  readonly stats: ScanStats
  readonly wrap?: Wrap
}

/** The answer of a plan. Batches come as they are asked for and carry no weights; ending the iterator frees everything. */
export async function* runPlan(plan: Plan, resolve: Resolve, context: Context, options: RunOptions): AsyncGenerator<Batch, void, undefined> {
  context.check()
  const run = new Run(resolve, context, options)
  yield* run.answer(plan)
}

/** Milliseconds that queries work at a stretch before cancel requests and other clients get a turn. */
const STRETCH = 10
let turned = 0
const isDue = (): boolean => performance.now() - turned > STRETCH

/** Lets everything that waits in the process have a turn. */
function turn(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(() => {
      turned = performance.now()
      resolve()
    })
  })
}

class Run {
  readonly #resolve: Resolve
  readonly #context: Context
  readonly #options: RunOptions
  /** Morsels of scans that were looked at for the pool, and are read here after all. */
  readonly #morsels = new Map<ScanPlan, readonly Split[]>()

  constructor(resolve: Resolve, context: Context, options: RunOptions) {
    this.#resolve = resolve
    this.#context = context
    this.#options = options
  }

  async *answer(plan: Plan): AsyncGenerator<Batch, void, undefined> {
    const { stats, wrap } = this.#options, context = this.#context
    const root = build(plan, 'one', context, stats, wrap)
    try {
      if (root.appendOnly) {
        yield* this.#expanded(this.#stream(root))
        return
      }
      const counts = new RowCounts(plan.schema, context)
      try {
        for await (const batch of this.#stream(root)) counts.add(batch)
        yield* this.#expanded(counts.take())
      } finally {
        counts.close()
      }
    } finally {
      closeNode(root)
    }
  }

  async *#expanded(batches: AsyncIterable<Batch> | Iterable<Batch>): AsyncGenerator<Batch, void, undefined> {
    using arena = this.#context.arena()
    for await (const batch of batches) if (batch.length > 0) yield* repeated(batch, this.#context, arena)
  }

  /** What a node gives in the only epoch. */
  async *#stream(node: Node): AsyncGenerator<Batch, void, undefined> {
    const spread = await this.#spread(node)
    if (spread !== undefined) { yield* spread; return }
    switch (node.kind) {
      case 'source': yield* this.#scan(node.scan); return
      case 'values': {
        using arena = this.#context.arena()
        yield valuesBatch(node.plan, this.#context, arena)
        return
      }
      case 'operator': {
        const { operator } = node
        for (const port of node.order) {
          const input = node.inputs[port]
          invariant(input !== undefined, 'a port has an input')
          if (isDone(operator)) continue
          for await (const batch of this.#stream(input)) {
            if (isDue()) await turn()
            this.#context.check()
            if (batch.length > 0) yield* this.#paced(operator.push(port, batch))
            if (isDone(operator)) break
          }
        }
        this.#context.check()
        yield* this.#paced(operator.flush())
      }
    }
  }

  /** The same batches; between two of them the process may look at its sockets, and the query may be cancelled. */
  async *#paced(batches: Iterable<Batch>): AsyncGenerator<Batch, void, undefined> {
    for (const batch of batches) {
      yield batch
      if (isDue()) await turn()
      this.#context.check()
    }
  }

  async *#scan(scan: Scan): AsyncGenerator<Batch, void, undefined> {
    const ready = this.#morsels.get(scan.plan)
    for await (const morsel of ready ?? this.#split(scan)) {
      if (isDue()) await turn()
      this.#context.check()
      yield* scan.batches(morsel)
    }
  }

  async *#split(scan: Scan): AsyncGenerator<Split, void, undefined> {
    const { table, version } = await this.#resolve(scan.plan)
    if (version === undefined) return
    for await (const split of table.changes(undefined, version, scan.want, this.#options.stats)) {
      this.#context.check()
      yield* await scan.morsels(split)
    }
  }

  /** The node's rows, worked out by the pool; undefined when that is not possible or not worth it. */
  async #spread(node: Node): Promise<AsyncGenerator<Batch, void, undefined> | undefined> {
    const { pool } = this.#options, plan = node.kind === 'source' ? node.scan.plan : node.kind === 'operator' ? node.plan : undefined
    if (pool === undefined || plan === undefined || fragmentScan(plan) === undefined) return undefined
    const scan = scanOf(node)
    if (this.#morsels.has(scan.plan)) return undefined
    const morsels: Split[] = []
    for await (const morsel of this.#split(scan)) morsels.push(morsel)
    this.#morsels.set(scan.plan, morsels)
    if (!pool.accepts(morsels)) return undefined
    return plan.kind === 'aggregate' ? this.#merged(plan, pool, morsels) : pool.run(plan, morsels, this.#context, this.#options.stats)
  }

  /** An aggregate whose workers give states. */
  async *#merged(plan: AggregatePlan, pool: Pool, morsels: readonly Split[]): AsyncGenerator<Batch, void, undefined> {
    const schema = partialSchema(plan, this.#context), input: Plan = { ...plan, stage: 'partial', schema }
    const last = new Aggregate({ ...plan, stage: 'final', input }, { epochs: 'one', appendOnly: [true] }, this.#context)
    try {
      for await (const batch of pool.run({ ...plan, stage: 'partial' }, morsels, this.#context, this.#options.stats)) if (batch.length > 0) yield* last.push(0, batch)
      yield* last.flush()
    } finally {
      last.close()
    }
  }
}

function scanOf(node: Node): Scan {
  if (node.kind === 'source') return node.scan
  invariant(node.kind === 'operator' && node.inputs[0] !== undefined, 'a fragment has a scan')
  return scanOf(node.inputs[0])
}

function isDone(operator: Operator): boolean { return operator.done ?? false }

/** A plan that is kept up to date. Its scans are ports, numbered as `tablesOf` lists them. */
export interface Dataflow {
  /** What a port needs of its table. */
  want(port: number): Want
  /** Begins an epoch at this time (microseconds): what now() answers. */
  begin(now: bigint): void
  /** A change of the port's table. */
  push(port: number, split: Split): Promise<void>
  /** Ends the epoch: the change of the answer, no two rows equal and no weight 0. To be read to the end. */
  flush(): Iterable<Batch>
  close(): void
}

export function openDataflow(plan: Plan, context: Context, stats: ScanStats, wrap?: Wrap): Dataflow {
  return new Flow(plan, { ...context, parameters: context.parameters }, stats, wrap)
}

interface Place {
  readonly node: Node
  readonly parent: Place | undefined
  readonly port: number
  readonly inputs: readonly Place[]
}

class Flow implements Dataflow {
  readonly #context: Context
  readonly #root: Place
  readonly #scans: { readonly scan: Scan; readonly place: Place }[] = []
  readonly #counts: RowCounts
  #begun = false

  constructor(plan: Plan, context: Context, stats: ScanStats, wrap: Wrap | undefined) {
    this.#context = context
    this.#root = this.#place(build(plan, 'many', context, stats, wrap), undefined, 0)
    this.#counts = new RowCounts(plan.schema, context)
  }

  #place(node: Node, parent: Place | undefined, port: number): Place {
    const inputs: Place[] = [], place: Place = { node, parent, port, inputs }
    if (node.kind === 'source') this.#scans.push({ scan: node.scan, place })
    if (node.kind === 'operator') node.inputs.forEach((input, i) => inputs.push(this.#place(input, place, i)))
    return place
  }

  #port(port: number): { readonly scan: Scan; readonly place: Place } {
    const entry = this.#scans[port]
    invariant(entry !== undefined, 'a port of the plan')
    return entry
  }

  want(port: number): Want { return this.#port(port).scan.want }

  begin(now: bigint): void { this.#context.parameters = { ...this.#context.parameters, now } }

  async push(port: number, split: Split): Promise<void> {
    const { scan, place } = this.#port(port)
    for (const morsel of await scan.morsels(split)) for await (const batch of scan.batches(morsel)) {
      if (isDue()) await turn()
      this.#give(place, batch)
    }
  }

  /** Hands what a node gave to the nodes above it. */
  #give({ parent, port }: Place, batch: Batch): void {
    this.#context.check()
    if (batch.length === 0) return
    if (parent === undefined) { this.#counts.add(batch); return }
    invariant(parent.node.kind === 'operator', 'inputs belong to operators')
    for (const out of parent.node.operator.push(port, batch)) this.#give(parent, out)
  }

  *flush(): Iterable<Batch> {
    this.#flush(this.#root)
    this.#begun = true
    yield* this.#counts.take()
  }

  #flush(place: Place): void {
    const { node } = place
    for (const input of place.inputs) this.#flush(input)
    if (node.kind === 'operator') for (const batch of node.operator.flush()) this.#give(place, batch)
    if (node.kind === 'values' && !this.#begun) {
      using arena = this.#context.arena()
      this.#give(place, valuesBatch(node.plan, this.#context, arena))
    }
  }

  close(): void {
    closeNode(this.#root.node)
    this.#counts.close()
  }
}
