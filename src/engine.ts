/** Where the parts meet: one process's memory, kernels, threads and lake, and queries prepared, run and watched on them. */
import type { Batch } from './batch.ts'
import { SqlError, invariant } from './error.ts'
import type { Context } from './exec/operator.ts'
import { openPool } from './exec/pool.ts'
import type { Pool } from './exec/pool.ts'
import { evaluateConstant } from './exec/compile.ts'
import { openDataflow, runPlan } from './exec/run.ts'
import type { Dataflow, Source } from './exec/run.ts'
import type { Expr } from './expr.ts'
import { loadKernel } from './kernel/kernel.ts'
import type { Kernel } from './kernel/kernel.ts'
import { Memory } from './memory.ts'
import type { AsOf, Parameters, Plan, TableName } from './plan.ts'
import type { LakeCatalog } from './storage/catalog.ts'
import { openLake } from './storage/lake.ts'
import { openLocalStore, openStore } from './storage/store-local.ts'
import type { ObjectStore, StoreSpec } from './storage/store.ts'
import { isSystemSchema, openSystemTable } from './storage/system/system.ts'
import type { SystemSession } from './storage/system/system.ts'
import type { ScanStats, Table, Version } from './storage/table.ts'
import { emptyScanStats } from './storage/table.ts'
import type { Value } from './value.ts'

export interface EngineOptions {
  /** A folder on this machine (created if absent), or a store. */
  readonly lake: string | ObjectStore
  /** Name of the database that clients see; the folder's name by default. */
  readonly database?: string
  /** Worker threads for scans of more than a little; the number of cores by default, 1: everything on the main thread. */
  readonly threads?: number
  /** Bytes that all queries together may hold. */
  readonly memory?: number
  /** Rows of a morsel; only tests make it small. */
  readonly morselRows?: number
}

/** What a statement carries while it runs: whose it is, what it may not outlive, and what its scans did. */
export class Running {
  readonly session: SystemSession
  readonly parameters: Parameters
  readonly stats: ScanStats = emptyScanStats()
  /** The versions read so far: a table is looked at once in a statement, or in a transaction. */
  readonly versions: Map<string, { readonly table: Table; readonly version: Version | undefined }>
  /** Shared with the workers: 1 when the statement is to end. */
  readonly flag = new Int32Array(new SharedArrayBuffer(4))
  #cancelled: SqlError | undefined
  readonly #callbacks = new Set<() => void>()

  constructor(session: SystemSession, parameters: Parameters, versions: Map<string, { readonly table: Table; readonly version: Version | undefined }> = new Map()) {
    this.session = session
    this.parameters = parameters
    this.versions = versions
  }

  /** Makes the statement end with this error (57014 by default), soon, wherever it is. */
  cancel(error = new SqlError('57014', 'canceling statement due to user request')): void {
    this.#cancelled ??= error
    Atomics.store(this.flag, 0, 1)
    for (const callback of [...this.#callbacks]) callback()
  }

  /** A statement inside of this one (EXECUTE): its own parameters, the same versions, cancelled with it. */
  inside(parameters: Parameters): Running {
    const inner = new Running(this.session, parameters, this.versions)
    this.onCancel(() => inner.cancel(this.#cancelled))
    return inner
  }

  /** Throws when the statement was cancelled. */
  check(): void {
    if (this.#cancelled !== undefined) throw this.#cancelled
  }

  /** Calls back when the statement is cancelled, until the returned function is called. */
  onCancel(callback: () => void): () => void {
    this.#callbacks.add(callback)
    if (this.#cancelled !== undefined) callback()
    return () => this.#callbacks.delete(callback)
  }
}

/** Tells those who wait that something was committed in this process. */
export class Commits {
  readonly #waiting = new Set<() => void>()

  announce(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  /** Returns after a commit, after `milliseconds`, or when the statement is cancelled (then `running.check()` throws). */
  wait(milliseconds: number, running: Running): Promise<void> {
    return new Promise(resolve => {
      const finish = (): void => {
        clearTimeout(timer)
        forget()
        this.#waiting.delete(finish)
        resolve()
      }
      const timer = setTimeout(finish, Math.min(milliseconds, 2 ** 31 - 1))
      this.#waiting.add(finish)
      const forget = running.onCancel(() => setImmediate(finish))
    })
  }
}

export class Engine {
  readonly memory: Memory
  readonly kernel: Kernel
  readonly catalog: LakeCatalog
  readonly database: string
  readonly commits = new Commits()
  readonly #pool: Pool
  /** The store of a split: our own when it has no description. */
  readonly #openStore: (spec: StoreSpec | undefined) => ObjectStore

  static async open(options: EngineOptions): Promise<Engine> {
    const store = typeof options.lake === 'string' ? await openLocalStore(options.lake) : options.lake
    const memory = Memory.create(options.memory)
    const kernel = loadKernel(memory)
    const catalog = await openLake(store, { memory, kernel })
    // as every Paimon catalog does: there is always a database to create tables in
    if ((await catalog.schemas()).length === 0) {
      // another process may do the same at this moment
      await catalog.createSchema('default').catch((error: unknown) => { if (!(error instanceof SqlError && error.code === '42P06')) throw error })
    }
    const database = options.database ?? (typeof options.lake === 'string' ? databaseName(options.lake) : 'lake')
    return new Engine(memory, kernel, store, catalog, database, openPool({ memory, kernel, threads: options.threads, morselRows: options.morselRows }))
  }

  private constructor(memory: Memory, kernel: Kernel, store: ObjectStore, catalog: LakeCatalog, database: string, pool: Pool) {
    this.memory = memory
    this.kernel = kernel
    this.#openStore = spec => spec === undefined ? store : openStore(spec)
    this.catalog = catalog
    this.database = database
    this.#pool = pool
  }

  isSystem(name: TableName): boolean { return isSystemSchema(name.schema) }

  /** Opens a table or system relation; 42P01 when there is none. */
  async table(name: TableName, session: SystemSession): Promise<Table> {
    const table = isSystemSchema(name.schema) ? openSystemTable(name, session) : await this.catalog.table(name)
    if (table === undefined) throw new SqlError('42P01', `relation "${name.schema}.${name.name}" does not exist`)
    return table
  }

  /** Runs a plan once. Batches come as they are asked for; ending the iterator frees everything. */
  run(plan: Plan, running: Running): AsyncGenerator<Batch, void, undefined> {
    return runPlan(plan, scan => this.source(scan.table, scan.asOf, running), this.#context(running), { epochs: 'one', pool: this.#pool, flag: running.flag, stats: running.stats })
  }

  /** A plan that is kept up to date; see `view.ts`. */
  dataflow(plan: Plan, running: Running): Dataflow {
    return openDataflow(plan, this.#context(running), running.stats)
  }

  /** The value of an expression without columns: the very code that would run in a query, on one row. */
  evaluate(expr: Expr, parameters: Parameters): Value {
    return evaluateConstant(expr, parameters, this.#contextOf(parameters, () => undefined))
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }

  /** What a worker's, an operator's and a scan's surroundings are. */
  #context(running: Running): Context {
    return this.#contextOf(running.parameters, () => running.check())
  }

  #contextOf(parameters: Parameters, check: () => void): Context {
    return { memory: this.memory, kernel: this.kernel, parameters, check, arena: () => this.memory.arena(), store: this.#openStore }
  }

  /** A table as a statement sees it: the version is chosen when it is first looked at. */
  async source(name: TableName, asOf: AsOf | undefined, running: Running): Promise<Source> {
    const key = asOf === undefined ? `${name.schema}\0${name.name}` : `${name.schema}\0${name.name}\0${asOf.kind === 'version' ? `v${asOf.id}` : `t${asOf.micros}`}`
    let entry = running.versions.get(key)
    if (entry === undefined) {
      const table = await this.table(name, running.session)
      entry = { table, version: asOf === undefined ? await table.latest() : await table.versionAt(asOf) }
      running.versions.set(key, entry)
    }
    return entry
  }
}

/** The last part of a path, as a database name. */
function databaseName(folder: string): string {
  const parts = folder.split(/[\\/]/).filter(part => part !== '' && part !== '.')
  const name = parts.at(-1)
  invariant(name !== undefined || folder.length > 0, 'a lake without a name')
  return name ?? 'lake'
}
