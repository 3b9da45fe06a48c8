/** COPY … FROM STDIN: rows of the client into a table, in the session's transaction. */
import { batchFromRows } from '../column.ts'
import type { Running } from '../engine.ts'
import { SqlError, unsupported } from '../error.ts'
import type { TableWriter } from '../storage/table.ts'
import { textReader, textWriter } from '../text.ts'
import type { Copy } from '../planner/statement-syntax.ts'
import type { RelationShape } from '../storage/catalog.ts'
import type { Field } from '../type.ts'
import type { Value } from '../value.ts'
import { shapeOf } from './binding.ts'
import { formatOf } from './copy.ts'
import { CopyLines, shown } from './copy-lines.ts'
import type { CopyInOptions, CopyRow } from './copy-lines.ts'
import type { Answer, CopyInput } from './face.ts'
import type { Session } from './session.ts'

/** Rows are written this many at a time. */
const ROWS = 16_384

/** Checks a COPY FROM as far as that is possible without data. */
export async function checkCopyFrom(session: Session, statement: Copy): Promise<{ readonly shape: RelationShape; readonly targets: readonly number[] }> {
  const { what, place } = statement
  if (place.kind !== 'client') throw unsupported(`COPY FROM a ${place.kind} of the server`, { position: statement.at, hint: 'COPY … FROM STDIN, and let the client read it (psql: \\copy).' })
  if (statement.where !== undefined) throw unsupported('COPY FROM … WHERE', { position: statement.at })
  if (what.kind !== 'table') throw unsupported('COPY FROM into a query', { position: statement.at })
  const { path } = what.table, shape = await shapeOf(session, path)
  if (shape === undefined) throw new SqlError('42P01', `relation "${path.join('.')}" does not exist`)
  if (shape.kind === 'view') throw new SqlError('42809', `cannot copy to view "${shape.name.name}"`)
  if (session.settings.need('insert_conflict') === 'error') throw unsupported("COPY FROM with insert_conflict = 'error'", { position: statement.at, hint: "SET insert_conflict = 'replace'" })
  return { shape, targets: positionsOf(shape, (what.columns ?? shape.columns).map(column => column.name)) }
}

function positionsOf(shape: RelationShape, columns: readonly string[]): number[] {
  const found: number[] = []
  for (const name of columns) {
    const position = shape.columns.findIndex(column => column.name === name)
    if (position < 0) throw new SqlError('42703', `column "${name}" of relation "${shape.name.name}" does not exist`)
    if (found.includes(position)) throw new SqlError('42701', `column "${name}" specified more than once`)
    found.push(position)
  }
  return found
}

/** Begins a COPY FROM: the client's data goes to `input`. */
export async function copyFromAnswer(session: Session, statement: Copy, running: Running): Promise<Answer> {
  const { shape, targets } = await checkCopyFrom(session, statement), { engine } = session
  session.current.mayWrite('COPY FROM')
  const copy = formatOf(statement.options, 'from')
  if (copy.format === 'binary') throw unsupported('COPY FROM … BINARY', { position: statement.at, hint: 'Send text or csv.' })
  const positions = (columns: readonly string[] | '*' | undefined, option: string): ReadonlySet<number> => {
    if (columns !== undefined && copy.format !== 'csv') throw new SqlError('0A000', `COPY ${option} available only in CSV mode`)
    return new Set((columns === '*' ? shape.columns.map(column => column.name) : columns ?? []).map(name => {
      const position = targets.findIndex(target => shape.columns[target]?.name === name)
      if (position < 0) throw new SqlError('42P10', `${option.toUpperCase().replaceAll(' ', '_')} column "${name}" not referenced by COPY`)
      return position
    }))
  }
  const options: CopyInOptions = { ...copy, format: copy.format, header: statement.options.header ?? 'false', forceNotNull: positions(statement.options.forceNotNull, 'force not null'), forceNull: positions(statement.options.forceNull, 'force null') }
  const writer = session.current.writer(shape.name, await engine.table(shape.name, running.session))
  const input = new RowInput(session, shape, targets, options, writer, running)
  async function* nothing(): AsyncGenerator<never, void, undefined> {
    // only who speaks the protocol can give the data
    if (!input.finished) throw unsupported('COPY FROM STDIN without a client that sends the data', { hint: 'INSERT the rows.' })
  }
  return { fields: undefined, schema: [], batches: nothing(), tag: () => `COPY ${input.rows}`, input }
}

class RowInput implements CopyInput {
  readonly columns: number
  rows = 0
  finished = false
  readonly #session: Session
  readonly #shape: RelationShape
  readonly #writer: TableWriter
  readonly #running: Running
  readonly #lines: CopyLines
  readonly #targets: readonly { readonly position: number; readonly field: Field; readonly read: (text: string) => Value }[]
  readonly #template: readonly Value[]
  readonly #texts: readonly ((value: Exclude<Value, null>) => string)[]
  #waiting: Value[][] = []

  constructor(session: Session, shape: RelationShape, targets: readonly number[], options: CopyInOptions, writer: TableWriter, running: Running) {
    this.#session = session
    this.#shape = shape
    this.#writer = writer
    this.#running = running
    this.columns = targets.length
    this.#targets = targets.flatMap(position => { const field = shape.columns[position]; return field === undefined ? [] : [{ position, field, read: textReader(field.type, session.text, 'assignment') }] })
    this.#template = shape.columns.map(field => shape.defaults?.get(field.name) ?? null)
    this.#texts = shape.columns.map(field => textWriter(field.type, session.text))
    this.#lines = new CopyLines(options, this.#targets.map(({ field }) => field.name))
  }

  get place(): string { return `COPY ${this.#shape.name.name}, line ${this.#lines.line + 1}` }

  async write(bytes: Uint8Array): Promise<void> { await this.#take(bytes, false) }

  async finish(): Promise<void> {
    await this.#take(new Uint8Array(0), true)
    await this.#flush()
    this.finished = true
  }

  async #take(bytes: Uint8Array, last: boolean): Promise<void> {
    this.#running.check()
    try {
      for (const row of this.#lines.push(bytes, last)) {
        this.#waiting.push(this.#valuesOf(row))
        if (this.#waiting.length >= ROWS) await this.#flush()
      }
    } catch (error) {
      // an error of a field says where already; one of a line says only which
      const where = error instanceof SqlError ? error.details.where : undefined
      if (!(error instanceof SqlError) || where?.startsWith('COPY ') === true) throw error
      throw new SqlError(error.code, error.message, { ...error.details, where: `COPY ${this.#shape.name.name}, ${where?.startsWith('line ') === true ? where : `line ${this.#lines.line}`}` })
    }
  }

  #valuesOf(row: CopyRow): Value[] {
    const { name } = this.#shape.name, wholeLine = `COPY ${name}, line ${row.line}: "${shown(row.text)}"`, values = [...this.#template]
    const missing = this.#targets[row.fields.length]
    if (missing !== undefined) throw new SqlError('22P04', `missing data for column "${missing.field.name}"`, { where: wholeLine })
    if (row.fields.length > this.#targets.length) throw new SqlError('22P04', 'extra data after last expected column', { where: wholeLine })
    this.#targets.forEach(({ position, field, read }, i) => {
      const text = row.fields[i]
      if (text === undefined) { values[position] = null; return }
      try {
        values[position] = read(text)
      } catch (error) {
        throw error instanceof SqlError ? new SqlError(error.code, error.message, { ...error.details, position: undefined, where: `COPY ${name}, line ${row.line}, column ${field.name}: "${shown(text)}"` }) : error
      }
    })
    this.#shape.columns.forEach((field, i) => {
      if (field.nullable || values[i] !== null) return
      throw new SqlError('23502', `null value in column "${field.name}" of relation "${name}" violates not-null constraint`, { detail: `Failing row contains (${values.map((value, k) => value === null ? 'null' : this.#texts[k]?.(value) ?? '').join(', ')}).`, where: wholeLine, schema: this.#shape.name.schema, table: name, column: field.name })
    })
    return values
  }

  async #flush(): Promise<void> {
    const rows = this.#waiting
    if (rows.length === 0) return
    this.#waiting = []
    using arena = this.#session.engine.memory.arena()
    await this.#writer.write(batchFromRows(this.#shape.columns, rows, arena))
    this.rows += rows.length
  }
}
