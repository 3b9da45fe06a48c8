/**
 * One client's conversation with the engine: settings, transaction, prepared statements, portals, cursors. The wire and the library are faces of it;
 * it knows neither sockets nor messages.
 */
import type { Batch } from '../batch.ts'
import type { SqlError } from '../error.ts'
import type { TextSettings } from '../text.ts'
import type { Schema, Type } from '../type.ts'
import type { Value } from '../value.ts'

/** A column of an answer. */
export interface AnswerField {
  readonly name: string
  readonly type: Type
  /** Object id and column number of the table's column it is, or 0. */
  readonly tableOid: number
  readonly columnNumber: number
}

/** A statement that was parsed and bound. */
export interface Prepared {
  readonly sql: string
  /** Types of $1, $2, …, declared or inferred. */
  readonly parameters: readonly Type[]
  /** Undefined: it returns no rows. */
  readonly fields: readonly AnswerField[] | undefined
  /** Its rows go out as copy data. */
  readonly copies?: boolean
}

/** A NoticeResponse: severity, SQLSTATE, message. */
export interface Notice {
  readonly severity: 'WARNING' | 'NOTICE' | 'INFO' | 'LOG' | 'DEBUG'
  readonly code: string
  readonly message: string
  readonly hint?: string
}

/** A running statement. Pull-based: nothing is computed ahead of the reader, so a slow reader slows the query and is not buffered for. */
export interface Answer {
  readonly fields: readonly AnswerField[] | undefined
  readonly schema: Schema
  /** A batch is valid until the next is asked for. Ending the iterator early (return) frees everything. Rows have no negative weights: a subscription's diff is a column. */
  readonly batches: AsyncGenerator<Batch, void, undefined>
  /** A subscription: the next rows may be long in coming, so that what is there must not wait for them. */
  readonly live?: boolean
  /** COPY … TO STDOUT: rows go out as copy data in this format instead of DataRows. */
  readonly copy?: CopyFormat
  /** COPY … FROM STDIN: the client's data goes here before the batches, of which there are none, are read. */
  readonly input?: CopyInput
  /** The command tag, asked for when the batches are through: `SELECT 5`, `INSERT 0 1`, `CREATE TABLE`, `FETCH 3`. */
  tag(rows: number): string
}

/** Takes the data of a COPY … FROM STDIN. An error ends the statement. */
export interface CopyInput {
  /** How many columns the data has; all of them as text. */
  readonly columns: number
  /** Where the input has come to, for errors: `COPY t, line 3`. */
  readonly place: string
  /** Data in pieces of any size. */
  write(bytes: Uint8Array): Promise<void>
  /** There is no more data. */
  finish(): Promise<void>
}

export interface CopyFormat {
  readonly format: 'text' | 'csv' | 'binary'
  readonly delimiter: string
  readonly null: string
  readonly header: boolean
  readonly quote: string
  readonly escape: string
  readonly forceQuote: readonly string[] | '*' | undefined
}

export type TransactionStatus = 'idle' | 'open' | 'failed'

/** What the wire needs of a session; `createSession` of the engine makes one. */
export interface SessionFace {
  readonly transaction: TransactionStatus
  /** Settings to report to the client at start-up and whenever they change (server_version, client_encoding, DateStyle, TimeZone, application_name, …). */
  readonly reported: ReadonlyMap<string, string>
  /** Value of a setting as SHOW gives it; undefined when there is none. */
  setting(name: string): string | undefined
  /** Called for each reported setting that changes, and for each notice. */
  onParameter: ((name: string, value: string) => void) | undefined
  onNotice: ((notice: Notice) => void) | undefined
  /** How values read and write as text under the session's settings. */
  readonly text: TextSettings
  /** Cuts a simple-query string into statements, of which each can be parsed if there are several; `at` is the 1-based character where each begins. */
  split(sql: string): Promise<readonly { readonly text: string; readonly at: number }[]>
  /** Parses and binds one statement (or an empty one: `fields` undefined, tag ''). `types` may leave parameters open. */
  prepare(sql: string, types?: readonly (Type | undefined)[]): Promise<Prepared>
  /** Begins a prepared statement. What it does, it does while its batches are read, to the end. A simple-query string of several statements is one implicit transaction: `implicit` says that more follow. */
  execute(prepared: Prepared, parameters: readonly Value[]): Promise<Answer>
  /** Ends the implicit transaction (at Sync, or at the end of a simple query): commits, or rolls back when a statement failed. */
  sync(failed: boolean): Promise<void>
  /** Marks an open transaction failed. */
  fail(): void
  /** SQL-level prepared statements and the protocol's share one namespace; '' is the unnamed one. 42P05 when the name is taken, 26000 when there is none. */
  readonly statements: Map<string, Prepared>
  /** The columns of an open cursor (DECLARE): the protocol describes it like a portal of its own. */
  cursorFields(name: string): readonly AnswerField[] | undefined
  /** Stops what is running: its iterator throws 57014, or `error`. From any time, any number of times. */
  cancel(error?: SqlError): void
  close(): Promise<void>
}
