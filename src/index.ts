/**
 * Sluice as a library.
 *
 *     import { open } from 'sluice'
 *     const lake = await open('./lake')
 *     for (const row of await lake.query('SELECT a, b FROM t WHERE a > $1', [10]).rows()) console.log(row)
 *     for await (const epoch of lake.subscribe('SELECT count(*) FROM t')) console.log(epoch.timestamp, epoch.changes)
 */
import type { RecordBatch } from './arrow.ts'
import type { Batch } from './batch.ts'
import { rowsOf } from './column.ts'
import { asBigInt, asBytes, asList, asNumber, asText, arrayOf, asArray } from './datum.ts'
import { Engine } from './engine.ts'
import type { EngineOptions } from './engine.ts'
import { SqlError } from './error.ts'
import type { Answer, AnswerField } from './session/face.ts'
import { Session } from './session/session.ts'
import { parseValue, textWriter } from './text.ts'
import type { Type } from './type.ts'
import type { Value } from './value.ts'

export { SqlError } from './error.ts'
export { VERSION } from './version.ts'
export type { EngineOptions } from './engine.ts'
export type { AnswerField } from './session/face.ts'
export type { Type } from './type.ts'
export type { RecordBatch } from './arrow.ts'

/**
 * What a row holds in JavaScript: NULL is null; bool boolean; int2, int4, float4, float8 number; int8 and oid bigint; bytea Uint8Array; date,
 * timestamp and timestamptz Date (milliseconds; infinities are text); arrays arrays; everything else its PostgreSQL text.
 */
export type RowValue = null | boolean | number | bigint | string | Uint8Array | Date | readonly RowValue[]
export type Row = Readonly<Record<string, RowValue>>

/** What a parameter may be: text is read as PostgreSQL reads it for the parameter's type. */
export type Parameter = null | boolean | number | bigint | string | Uint8Array | Date | readonly Parameter[]

/** An answer: an async iterable of Arrow record batches, read once, or its rows. */
export interface QueryResult extends AsyncIterable<RecordBatch> {
  /** Columns of the answer, known before its rows. */
  fields(): Promise<readonly AnswerField[]>
  /** All rows; columns of one name: the last one's value. */
  rows(): Promise<Row[]>
  /** Runs a statement to its end; the command tag: `INSERT 0 3`. */
  done(): Promise<string>
}

/** What changed in one step of a subscription. */
export interface SubscriptionEpoch {
  /** Commit time, milliseconds since 1970; greater than that of the epoch before. */
  readonly timestamp: number
  /** Each row, and how many times it came (positive) or went (negative). */
  readonly changes: readonly { readonly diff: number; readonly row: Row }[]
}

export interface SubscribeOptions {
  /** False: only changes after now. */
  readonly snapshot?: boolean
  readonly parameters?: readonly Parameter[]
  /** Ends it. */
  readonly signal?: AbortSignal
}

/** A lake, open in this process. */
export interface Lake {
  query(sql: string, parameters?: readonly Parameter[]): QueryResult
  /** Follows a query: the first epoch is its answer, each later one a change of it. Ends when the loop is left. */
  subscribe(sql: string, options?: SubscribeOptions): AsyncIterable<SubscriptionEpoch>
  /** The engine itself, for `listen` and for tools. */
  readonly engine: Engine
  close(): Promise<void>
}

/** Opens a lake: a folder on this machine, created if absent. */
export async function open(folder: string, options: Omit<EngineOptions, 'lake'> = {}): Promise<Lake> {
  const engine = await Engine.open({ ...options, lake: folder })
  return {
    engine,
    query: (sql, parameters = []) => new Query(engine, sql, parameters),
    subscribe: (sql, subscribeOptions = {}) => follow(engine, sql, subscribeOptions),
    close: () => engine.close(),
  }
}

/** Begins a statement. 08P01 when it has another number of parameters. */
async function execute(session: Session, sql: string, parameters: readonly Parameter[]): Promise<Answer> {
  const prepared = await session.prepare(sql)
  if (prepared.parameters.length !== parameters.length) throw new SqlError('08P01', `the statement has ${prepared.parameters.length} parameters, ${parameters.length} were given`)
  return session.execute(prepared, prepared.parameters.map((type, i) => valueOf(parameters[i] ?? null, type)))
}

class Query implements QueryResult {
  readonly #engine: Engine
  readonly #sql: string
  readonly #parameters: readonly Parameter[]
  #read = false
  #begun: Promise<{ readonly session: Session; readonly answer: Answer }> | undefined

  constructor(engine: Engine, sql: string, parameters: readonly Parameter[]) {
    this.#engine = engine
    this.#sql = sql
    this.#parameters = parameters
  }

  #begin(): Promise<{ readonly session: Session; readonly answer: Answer }> {
    return this.#begun ??= (async () => {
      const session = new Session(this.#engine, { user: 'sluice' })
      return { session, answer: await execute(session, this.#sql, this.#parameters) }
    })()
  }

  async fields(): Promise<readonly AnswerField[]> { return (await this.#begin()).answer.fields ?? [] }

  /** The batches of the answer; the transaction ends with them. 55000 when they were asked for before. */
  async *#batches(): AsyncGenerator<Batch, number> {
    if (this.#read) throw new SqlError('55000', 'the answer was read already', { hint: 'Ask the query again: an answer can be read once.' })
    this.#read = true
    const { session, answer } = await this.#begin()
    let rows = 0, failed = true
    try {
      for await (const batch of answer.batches) { rows += batch.length; yield batch }
      failed = false
      return rows
    } finally {
      await session.sync(failed)
      await session.close()
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordBatch> {
    const { arrowColumn, toArrow } = await import('./arrow.ts') // late: `rows()` does without
    const { answer } = await this.#begin(), columns = answer.schema.map(arrowColumn)
    for await (const batch of this.#batches()) yield toArrow(batch, this.#engine.memory, this.#engine.kernel, columns)
  }

  async rows(): Promise<Row[]> {
    const fields = await this.fields(), rows: Row[] = [], read = rowReader(fields)
    for await (const batch of this.#batches()) for (const row of rowsOf(batch, this.#engine.memory)) rows.push(read(row))
    return rows
  }

  async done(): Promise<string> {
    const { answer } = await this.#begin()
    let rows = 0
    for await (const batch of this.#batches()) rows += batch.length
    return answer.tag(rows)
  }
}

async function* follow(engine: Engine, sql: string, options: SubscribeOptions): AsyncGenerator<SubscriptionEpoch> {
  const session = new Session(engine, { user: 'sluice' }), cancel = (): void => session.cancel(), snapshot = options.snapshot ?? true
  options.signal?.addEventListener('abort', cancel)
  try {
    const answer = await execute(session, `SUBSCRIBE (${sql}\n) WITH (PROGRESS, SNAPSHOT = ${snapshot})`, options.parameters ?? [])
    if (options.signal?.aborted === true) return // before there was anything to cancel
    const read = rowReader((answer.fields ?? []).slice(3))
    let changes: { diff: number; row: Row }[] = [], first = snapshot
    for await (const batch of answer.batches) {
      let timestamp = 0
      for (const row of rowsOf(batch, engine.memory)) {
        // a progress row closes what came before it
        if (row[1] === true) {
          timestamp = Number(asBigInt(row[0] ?? null)) - 1
          // an empty first answer is one, too
          if (changes.length > 0 || first) yield { timestamp, changes }
          changes = []
          first = false
        } else changes.push({ diff: Number(asBigInt(row[2] ?? null)), row: read(row.slice(3)) })
      }
    }
  } catch (error) {
    if (!(options.signal?.aborted === true && error instanceof SqlError && error.code === '57014')) throw error
  } finally {
    options.signal?.removeEventListener('abort', cancel)
    await session.close()
  }
}

function rowReader(fields: readonly AnswerField[]): (values: readonly Value[]) => Row {
  const readers = fields.map(field => valueReader(field.type))
  return values => Object.fromEntries(fields.map((field, i) => { const value = values[i] ?? null; return [field.name, value === null ? null : readers[i]?.(value) ?? null] }))
}

function valueReader(type: Type): (value: Exclude<Value, null>) => RowValue {
  switch (type.kind) {
    case 'bool': return value => value === true
    case 'int2': case 'int4': case 'float4': case 'float8': return asNumber
    case 'int8': case 'oid': return asBigInt
    case 'bytea': return asBytes
    case 'date': { const text = textWriter(type); return value => { const days = asNumber(value); return Math.abs(days) > 100_000_000 ? text(value) : new Date(days * 86_400_000) } }
    case 'timestamp': case 'timestamptz': { const text = textWriter(type); return value => { const micros = asBigInt(value), ms = Number(micros / 1000n) - (micros % 1000n < 0n ? 1 : 0); return Math.abs(ms) > 8.64e15 ? text(value) : new Date(ms) } }
    case 'array': { const read = valueReader(type.element); return value => asArray(value).values.map(each => each === null ? null : read(each)) }
    case 'row': { const readers = type.fields.map(field => valueReader(field.type)); return value => asList(value).map((each, i) => each === null ? null : readers[i]?.(each) ?? null) }
    default: return textWriter(type)
  }
}

/** A JavaScript value as a value of the parameter's type. */
function valueOf(parameter: Parameter, type: Type): Value {
  if (parameter === null) return null
  if (parameter instanceof Uint8Array) return type.kind === 'bytea' ? parameter : parseValue(Buffer.from(parameter).toString('utf8'), type)
  if (Array.isArray(parameter)) return type.kind === 'array' ? arrayOf(parameter.map(each => valueOf(each, type.element))) : refuseArray(type)
  if (parameter instanceof Date) return parseValue(parameter.toISOString(), type)
  const text = typeof parameter === 'string' ? asText(parameter) : String(parameter)
  return parseValue(text, type.kind === 'unknown' ? { kind: 'text' } : type)
}
function refuseArray(type: Type): never { throw new SqlError('42804', `an array was given for a parameter of type ${type.kind}`) }
