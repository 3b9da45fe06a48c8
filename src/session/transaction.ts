/**
 * What a transaction holds: the version of each table that it read, what it has written and not yet made visible, and how to take back what it
 * defined. Each table's writes become visible at COMMIT, atomically.
 */
import type { Engine } from '../engine.ts'
import { SqlError, unsupported } from '../error.ts'
import type { TableName } from '../plan.ts'
import type { Table, TableWriter, Version } from '../storage/table.ts'

interface Written {
  readonly name: TableName
  readonly writer: TableWriter
}

const keyOf = (name: TableName): string => `${name.schema}\0${name.name}`

export class Transaction {
  /** Tables as this transaction sees them; shared with every statement in it. */
  readonly versions = new Map<string, { readonly table: Table; readonly version: Version | undefined }>()
  readonly readOnly: boolean
  readonly #engine: Engine
  readonly #written = new Map<string, Written>()
  readonly #undo: (() => Promise<void>)[] = []
  readonly #atCommit: (() => Promise<void>)[] = []
  readonly #dropped = new Set<string>()
  readonly #savepoints: { readonly name: string; readonly changes: number }[] = []
  /** Counts what was written or defined, so that a savepoint knows whether anything followed it. */
  #changes = 0

  constructor(engine: Engine, readOnly: boolean) {
    this.#engine = engine
    this.readOnly = readOnly
  }

  /** 25006 when this transaction may not write. `command` as Postgres names it: INSERT, CREATE TABLE. */
  mayWrite(command: string): void {
    if (this.readOnly) throw new SqlError('25006', `cannot execute ${command} in a read-only transaction`)
    this.#changes++
  }

  /** The writer of a table; one per table and transaction. */
  writer(name: TableName, table: Table): TableWriter {
    const found = this.#written.get(keyOf(name))
    if (found !== undefined) return found.writer
    if (table.writer === undefined) throw new SqlError('42809', `cannot change relation "${name.name}"`, { detail: 'This relation can only be read.', schema: name.schema, table: name.name })
    const writer = table.writer()
    this.#written.set(keyOf(name), { name, writer })
    return writer
  }

  /** Refuses to read a table whose changes of this transaction a read would not show. */
  mayRead(name: TableName): void {
    if (this.#written.has(keyOf(name))) throw unsupported(`reading table "${name.name}" after writing it in the same transaction`, { hint: 'COMMIT first.', schema: name.schema, table: name.name })
  }

  isDropped(name: TableName): boolean { return this.#dropped.has(keyOf(name)) }

  /** Something was defined at once; `undo` takes it back. */
  defined(undo: () => Promise<void>): void { this.#undo.push(undo) }

  /** A table is to be dropped at COMMIT, and is gone for this transaction already. */
  drop(name: TableName, work: () => Promise<void>): void {
    this.#dropped.add(keyOf(name))
    this.#atCommit.push(work)
  }

  savepoint(name: string): void { this.#savepoints.push({ name, changes: this.#changes }) }

  release(name: string): void { this.#savepoints.length = this.#find(name) }

  /** Goes back to a savepoint; 0A000 when something was changed since, which cannot be taken back alone. */
  rollbackTo(name: string): void {
    const at = this.#find(name)
    if ((this.#savepoints[at]?.changes ?? 0) !== this.#changes) throw unsupported('ROLLBACK TO SAVEPOINT after changes', { hint: 'ROLLBACK the whole transaction.' })
    this.#savepoints.length = at + 1
  }

  #find(name: string): number {
    const at = this.#savepoints.findLastIndex(savepoint => savepoint.name === name)
    if (at < 0) throw new SqlError('3B001', `savepoint "${name}" does not exist`)
    return at
  }

  /** Makes everything visible. When one table fails, those before it are committed: the error says so. */
  async commit(): Promise<void> {
    const committed: string[] = []
    try {
      for (const [key, { name, writer }] of this.#written) {
        await writer.commit()
        this.#written.delete(key)
        committed.push(name.name)
      }
      for (const work of this.#atCommit) await work()
    } catch (error) {
      await this.#abandon()
      if (committed.length > 0 && error instanceof SqlError) throw error.with({ detail: `Already committed: ${committed.join(', ')}.` })
      throw error
    } finally {
      if (committed.length > 0 || this.#atCommit.length > 0) this.#engine.commits.announce()
    }
  }

  async rollback(): Promise<void> {
    await this.#abandon()
    for (const undo of this.#undo.reverse()) await undo()
  }

  async #abandon(): Promise<void> {
    for (const { writer } of this.#written.values()) await writer.abort()
    this.#written.clear()
  }
}
