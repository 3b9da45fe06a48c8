/** One client's conversation: what it has set, prepared, opened and begun. Statements one at a time; `cancel` from any time. */
import type { Batch } from '../batch.ts'
import type { Engine } from '../engine.ts'
import { Running } from '../engine.ts'
import { SqlError } from '../error.ts'
import type { Parameters } from '../plan.ts'
import { loadParser } from '../planner/parse.ts'
import { parseStatement, splitStatements } from '../planner/statement.ts'
import type { StatementText } from '../planner/statement.ts'
import { DEFAULT_SETTINGS } from '../text.ts'
import type { TextSettings } from '../text.ts'
import { asksObjects, Objects, sessionInfo } from '../storage/system/objects.ts'
import type { SystemSession } from '../storage/system/system.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { Cursor } from './cursor.ts'
import { done } from './answers.ts'
import { currentStatement, executeStatement, isTransactionControl, prepareStatement } from './statement.ts'
import type { PreparedStatement } from './statement.ts'
import type { Answer, AnswerField, Notice, Prepared, SessionFace, TransactionStatus } from './face.ts'
import { Settings, milliseconds } from './settings.ts'
import { Transaction } from './transaction.ts'

export interface SessionOptions {
  readonly user: string
  /** What the start-up packet set. */
  readonly settings?: Readonly<Record<string, string>>
  /** The number that pg_backend_pid() gives. */
  readonly backendPid?: number
}

/** The same, but that the position of an error counts from `by` characters before. */
async function shifted<T>(work: Promise<T>, by: number): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof SqlError ? error.moved(by) : error
  }
}

/** Milliseconds for which the names of a statement mean what they meant when it was bound: those of one round of messages. */
const FRESH = 10

/** A statement whose bytes are zero: `;` or white space. */
const EMPTY: Prepared = { sql: '', parameters: [], fields: undefined }

export class Session implements SessionFace {
  readonly engine: Engine
  readonly settings = new Settings()
  readonly user: string
  readonly backendPid: number
  readonly statements = new Map<string, Prepared>()
  readonly cursors = new Map<string, Cursor>()
  onParameter: ((name: string, value: string) => void) | undefined
  onNotice: ((notice: Notice) => void) | undefined
  /** The explicit transaction (BEGIN), if one is open. */
  block: { readonly transaction: Transaction; readonly saved: ReadonlyMap<string, string>; failed: boolean } | undefined
  #implicit: Transaction | undefined
  #objects: Objects | undefined
  #running: Running | undefined
  #closed = false
  /** What was prepared last and not executed yet, and when (performance.now). */
  #fresh: { readonly prepared: Prepared; readonly at: number } | undefined

  constructor(engine: Engine, options: SessionOptions) {
    this.engine = engine
    this.user = options.user
    this.backendPid = options.backendPid ?? process.pid
    this.settings.startUser(options.user)
    for (const [name, value] of Object.entries(options.settings ?? {})) this.settings.start(name, value)
    this.settings.onReport = (name, value) => this.onParameter?.(name, value)
  }

  get transaction(): TransactionStatus {
    return this.block === undefined ? 'idle' : this.block.failed ? 'failed' : 'open'
  }
  get reported(): ReadonlyMap<string, string> { return this.settings.reported }
  setting(name: string): string | undefined { return this.settings.get(name) }
  notice(notice: Notice): void { this.onNotice?.(notice) }

  /** What the system relations and functions are told of this session. */
  get system(): SystemSession {
    return { catalog: this.engine.catalog, database: this.engine.database, user: this.user, backendPid: this.backendPid, searchPath: this.settings.searchPath, settings: () => this.settings.all(), setting: name => this.settings.get(name) }
  }

  /** The transaction that statements are part of: the block, or the implicit one that ends with `sync`. */
  get current(): Transaction {
    if (this.block !== undefined) return this.block.transaction
    return this.#implicit ??= new Transaction(this.engine, this.settings.get('default_transaction_read_only') === 'on')
  }

  /** Reads the names of the catalog's objects before a statement that may ask for them. */
  async lookAround(sql: string): Promise<void> {
    if (asksObjects(sql)) this.#objects = await Objects.load(this.system)
  }

  /** What a statement is handed at execution: its parameters, the time, and the session as functions see it. */
  parameters(values: readonly Value[]): Parameters {
    const { text } = this
    return { values, now: BigInt(Date.now()) * 1000n, timeZone: text.timeZone, text, session: sessionInfo(this.system, this.#objects, (name, value, local) => { this.assign(name, value, local); return this.settings.need(name) }) }
  }

  /** SET and SET LOCAL; undefined goes back to the initial value. */
  assign(name: string, value: string | undefined, local: boolean): void {
    if (!local) this.settings.set(name, value)
    else if (this.block !== undefined) this.settings.setLocal(name, value)
    else this.notice({ severity: 'WARNING', code: '25P01', message: 'SET LOCAL can only be used in transaction blocks' })
  }

  get text(): TextSettings {
    const [, order] = this.settings.need('DateStyle').split(', ')
    return { ...DEFAULT_SETTINGS, objects: this.#objects, timeZone: this.settings.need('TimeZone'), dateOrder: order === 'DMY' || order === 'YMD' ? order : 'MDY', extraFloatDigits: Number(this.settings.need('extra_float_digits')) }
  }

  async split(sql: string): Promise<readonly StatementText[]> {
    await loadParser()
    const parts = splitStatements(sql)
    // as PostgreSQL: a mistake in the last statement keeps the first from running
    if (parts.length > 1) for (const { text, at } of parts) await shifted(parseStatement(text), at - 1)
    return parts
  }

  async prepare(sql: string, types: readonly (Type | undefined)[] = []): Promise<Prepared> {
    const statement = await parseStatement(sql)
    if (statement.kind === 'empty') return EMPTY
    this.#refuseWhenFailed(isTransactionControl(statement))
    await this.lookAround(sql)
    const prepared = await prepareStatement(this, sql, statement, types)
    this.#fresh = { prepared, at: performance.now() }
    return prepared
  }

  async execute(prepared: Prepared, parameters: readonly Value[]): Promise<Answer> {
    if (prepared === EMPTY) return done('')
    if (parameters.length < prepared.parameters.length) throw new SqlError('42P02', `there is no parameter $${parameters.length + 1}`)
    await this.lookAround(prepared.sql)
    const fresh = this.#fresh
    this.#fresh = undefined
    const isFresh = fresh?.prepared === prepared && performance.now() - fresh.at < FRESH
    const statement: PreparedStatement = await currentStatement(this, prepared, isFresh)
    this.#refuseWhenFailed(isTransactionControl(statement.statement))
    const running = this.begin(parameters)
    try {
      const answer = await executeStatement(this, statement, running)
      return { ...answer, batches: this.#watched(answer.batches, running) }
    } catch (error) {
      this.#end(running)
      this.fail()
      throw error
    }
  }

  /** What a statement that begins now carries. */
  begin(values: readonly Value[]): Running {
    if (this.#closed) throw new SqlError('57P01', 'terminating connection due to administrator command', { severity: 'FATAL' })
    const running = new Running(this.system, this.parameters(values), this.block === undefined ? new Map() : this.block.transaction.versions)
    this.#running = running
    return running
  }

  async sync(failed: boolean): Promise<void> {
    const transaction = this.#implicit
    this.#implicit = undefined
    if (this.block === undefined) await this.#closeCursors(false)
    if (transaction === undefined) return
    if (failed) await transaction.rollback()
    else await transaction.commit()
  }

  fail(): void {
    if (this.block !== undefined) this.block.failed = true
  }

  cursorFields(name: string): readonly AnswerField[] | undefined { return this.cursors.get(name)?.source.fields }

  cancel(error?: SqlError): void { this.#running?.cancel(error) }

  async close(): Promise<void> {
    this.#closed = true
    this.#running?.cancel(new SqlError('57P01', 'terminating connection due to administrator command', { severity: 'FATAL' }))
    await this.#closeCursors(true)
    const transactions = [this.#implicit, this.block?.transaction]
    this.#implicit = undefined
    this.block = undefined
    for (const transaction of transactions) await transaction?.rollback()
  }

  // ---- transaction blocks ------------------------------------------------------------------------------------------

  async beginBlock(readOnly: boolean | undefined): Promise<void> {
    if (this.block !== undefined) {
      this.notice({ severity: 'WARNING', code: '25001', message: 'there is already a transaction in progress' })
      return
    }
    // statements of the same simple query before BEGIN become part of the block
    const transaction = this.#implicit ?? new Transaction(this.engine, readOnly ?? this.settings.get('default_transaction_read_only') === 'on')
    this.#implicit = undefined
    this.block = { transaction, saved: this.settings.save(), failed: false }
    this.settings.set('transaction_read_only', transaction.readOnly ? 'on' : 'off')
  }

  /** COMMIT (a failed block rolls back) or ROLLBACK; the tag. */
  async endBlock(commit: boolean): Promise<string> {
    const block = this.block
    if (block === undefined) {
      this.notice({ severity: 'WARNING', code: '25P01', message: 'there is no transaction in progress' })
      return commit ? 'COMMIT' : 'ROLLBACK'
    }
    this.block = undefined
    await this.#closeCursors(false)
    this.settings.endLocal()
    this.settings.set('transaction_read_only', undefined)
    this.settings.set('transaction_isolation', undefined)
    if (commit && !block.failed) {
      await block.transaction.commit()
      return 'COMMIT'
    }
    this.settings.restore(block.saved)
    await block.transaction.rollback()
    return 'ROLLBACK'
  }

  async #closeCursors(all: boolean): Promise<void> {
    for (const [name, cursor] of this.cursors) {
      if (!all && cursor.hold) continue
      this.cursors.delete(name)
      await cursor.close()
    }
  }

  #refuseWhenFailed(control: boolean): void {
    if (this.block?.failed === true && !control) throw new SqlError('25P02', 'current transaction is aborted, commands ignored until end of transaction block')
  }

  /** The batches of a statement, with its time limit, and the session's state kept right however they end. */
  async *#watched(batches: AsyncGenerator<Batch, void, undefined>, running: Running): AsyncGenerator<Batch, void, undefined> {
    const limit = milliseconds(this.settings.need('statement_timeout')) ?? 0
    const timer = limit > 0 ? setTimeout(() => running.cancel(new SqlError('57014', 'canceling statement due to statement timeout')), limit) : undefined
    try {
      yield* batches
    } catch (error) {
      this.fail()
      throw error
    } finally {
      clearTimeout(timer)
      this.#end(running)
    }
  }

  #end(running: Running): void {
    if (this.#running === running) this.#running = undefined
  }
}
