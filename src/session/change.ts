/** INSERT, UPDATE and DELETE: a plan whose rows go into a table's writer; visible when the transaction commits. */
import type { Batch, Column } from '../batch.ts'
import { batchFromRows, columnReader, rowsOf } from '../column.ts'
import type { Running } from '../engine.ts'
import { SqlError, invariant, unsupported } from '../error.ts'
import { column, literal } from '../expr.ts'
import { gatherBatch, rowsFrom } from '../gather.ts'
import { tablesOf } from '../plan.ts'
import type { Plan } from '../plan.ts'
import type { ChangedTable } from '../planner/bind-change.ts'
import type { Arena } from '../memory.ts'
import type { Truncate } from '../planner/statement-syntax.ts'
import type { RelationShape } from '../storage/catalog.ts'
import type { TableWriter } from '../storage/table.ts'
import { textWriter } from '../text.ts'
import type { Value } from '../value.ts'
import { answerFields, planOf, shapeOf } from './binding.ts'
import type { ChangeBound } from './binding.ts'
import type { Answer } from './face.ts'
import type { Session } from './session.ts'

/** Runs a bound change when its answer is read. With RETURNING all is written before the first row is given: a client that reads no further has changed no less. */
export function changeAnswer(session: Session, bound: ChangeBound, running: Running): Answer {
  const { memory } = session.engine, change = new Change(session, bound, running)
  const tag = (): string => `${{ insert: 'INSERT 0', update: 'UPDATE', delete: 'DELETE' }[bound.change]} ${change.rows}`
  async function* work(): AsyncGenerator<Batch, void, undefined> {
    await change.run()
    using arena = memory.arena()
    if (change.returned.length > 0) yield batchFromRows(schema, change.returned, arena)
  }
  const schema = bound.plan.schema.slice(change.width)
  return { fields: bound.returning === undefined ? undefined : answerFields(bound), schema, batches: work(), tag }
}

/** TRUNCATE: the tables lose all their rows. */
export async function truncate(session: Session, statement: Truncate, running: Running): Promise<string> {
  const shapes: RelationShape[] = []
  for (const { path, at } of statement.tables) {
    const shape = await shapeOf(session, path)
    if (shape === undefined) throw new SqlError('42P01', `relation "${path.join('.')}" does not exist`)
    if (shape.kind !== 'table') throw new SqlError(shape.kind === 'view' ? '42809' : '42501', shape.kind === 'view' ? `"${shape.name.name}" is not a table` : `permission denied: "${shape.name.name}" is a system catalog`, { position: at })
    shapes.push(shape)
  }
  const { current: transaction, engine } = session
  transaction.mayWrite('TRUNCATE TABLE')
  for (const shape of shapes) {
    transaction.mayRead(shape.name)
    overwrite(transaction.writer(shape.name, await engine.table(shape.name, running.session)), shape, 'all')
  }
  return 'TRUNCATE TABLE'
}

function overwrite(writer: TableWriter, { name }: RelationShape, what: 'all' | 'written'): void {
  if (writer.overwrite === undefined) throw unsupported(`overwriting table "${name.name}"`, { schema: name.schema, table: name.name })
  writer.overwrite(what)
}

class Change {
  /** How many rows were inserted, updated or deleted. */
  rows = 0
  /** What RETURNING gives. */
  readonly returned: Value[][] = []
  /** Columns of the plan before those that are returned. */
  readonly width: number
  readonly #session: Session
  readonly #bound: ChangeBound
  readonly #running: Running
  readonly #keys: Keys

  constructor(session: Session, bound: ChangeBound, running: Running) {
    this.#session = session
    this.#bound = bound
    this.#running = running
    this.#keys = new Keys(session, bound)
    const { length } = bound.schema
    this.width = bound.change === 'update' ? 2 * length : bound.change === 'insert' && bound.conflict !== undefined ? 2 * length + 2 : length
  }

  async run(): Promise<void> {
    const bound = this.#bound, { engine, current: transaction } = this.#session, running = this.#running
    transaction.mayWrite(bound.change.toUpperCase())
    refuseOptions(bound)
    const plan = await planOf(this.#session, bound.plan, running)
    const overwrites = bound.change === 'insert' && bound.overwrite
    if (overwrites) transaction.mayRead(bound.name)
    const writer = transaction.writer(bound.name, await engine.table(bound.name, running.session))
    if (overwrites) overwrite(writer, bound.shape, 'written')
    if (bound.change !== 'insert' || bound.conflict !== undefined || (overwrites && tablesOf(plan).some(scan => scan.table.schema === bound.name.schema && scan.table.name === bound.name.name))) {
      if (writer.expect === undefined) throw unsupported(`${bound.change.toUpperCase()} of table "${bound.name.name}"`, { table: bound.name.name })
      // what is written follows from what was read: nobody may have changed the table in between
      writer.expect((await engine.source(bound.name, undefined, running)).version)
    }
    for await (const batch of engine.run(plan, running)) {
      using arena = engine.memory.arena()
      const written = bound.change === 'insert' ? await this.#insert(batch, bound, writer, arena) : bound.change === 'delete' ? await this.#delete(batch, bound, writer, arena) : await this.#update(batch, writer, arena)
      this.rows += written.length
      if (bound.returning !== undefined) this.returned.push(...rowsOf(part(written, this.width, written.columns.length), engine.memory))
    }
    if (bound.change === 'update' && this.#assignsKey) await this.#keys.refuseTaken(running)
  }

  get #assignsKey(): boolean { return this.#bound.key.some(position => this.#bound.assigned.includes(position)) }

  /** The rows that were inserted, or updated instead. */
  async #insert(batch: Batch, bound: Extract<ChangeBound, { change: 'insert' }>, writer: TableWriter, arena: Arena): Promise<Batch> {
    const { length: n } = bound.schema, { conflict } = bound
    if (conflict === undefined) {
      await writer.write(part(batch, 0, n))
      return batch
    }
    const keys = this.#keys.of(part(batch, n, 2 * n)), exists = this.#flag(batch, 2 * n), isWritten = this.#flag(batch, 2 * n + 1)
    const inserts: number[] = [], updates: number[] = [], chosen: number[] = []
    for (let row = 0; row < batch.length; row++) {
      const key = keys[row] ?? '', known = this.#keys.affected.has(key)
      if (conflict === 'error' && (known || exists(row))) throw this.#keys.taken(key)
      if (conflict === 'nothing' && (known || exists(row))) continue
      if (known) throw new SqlError('21000', 'ON CONFLICT DO UPDATE command cannot affect row a second time', { hint: 'Ensure that no rows proposed for insertion within the same command have duplicate constrained values.' })
      if (!isWritten(row)) continue
      this.#keys.affected.add(key)
      chosen.push(row)
      if (exists(row)) updates.push(row)
      else inserts.push(row)
    }
    const picked = (rows: readonly number[]): Batch => gatherBatch(batch, rowsFrom(rows, arena), this.#session.engine.kernel, arena)
    if (updates.length > 0) {
      const rows = picked(updates)
      await writer.write(removed(part(rows, 0, n), arena))
      await writer.write(part(rows, n, 2 * n))
    }
    if (inserts.length > 0) await writer.write(part(picked(inserts), n, 2 * n))
    return picked(chosen)
  }

  async #delete(batch: Batch, bound: Extract<ChangeBound, { change: 'delete' | 'update' }>, writer: TableWriter, arena: Arena): Promise<Batch> {
    const rows = bound.repeats ? this.#firsts(batch, arena) : batch
    await writer.write(removed(part(rows, 0, bound.schema.length), arena))
    return rows
  }

  async #update(batch: Batch, writer: TableWriter, arena: Arena): Promise<Batch> {
    const bound = this.#bound, { length: n } = bound.schema
    const rows = bound.change === 'update' && bound.repeats ? this.#firsts(batch, arena) : batch
    if (this.#assignsKey) this.#keys.move(this.#keys.of(part(rows, 0, n)), this.#keys.of(part(rows, n, 2 * n)), part(rows, n, 2 * n))
    await writer.write(removed(part(rows, 0, n), arena))
    await writer.write(part(rows, n, 2 * n))
    return rows
  }

  /** The rows whose keys did not come before. */
  #firsts(batch: Batch, arena: Arena): Batch {
    const { affected } = this.#keys, rows: number[] = []
    this.#keys.of(batch).forEach((key, row) => {
      if (affected.has(key)) return
      affected.add(key)
      rows.push(row)
    })
    return gatherBatch(batch, rowsFrom(rows, arena), this.#session.engine.kernel, arena)
  }

  #flag(batch: Batch, position: number): (row: number) => boolean {
    const read = columnReader(columnAt(batch, position), this.#session.engine.memory)
    return row => read(row) === true
  }
}

/** The keys that a statement meets, each as the texts of its values, with zeros, which no text has, between them. */
class Keys {
  /** Keys of rows that were written already. */
  readonly affected = new Set<string>()
  readonly #old = new Set<string>()
  readonly #new = new Map<string, readonly Value[]>()
  readonly #session: Session
  readonly #table: ChangedTable
  readonly #texts: readonly ((value: Exclude<Value, null>) => string)[]

  constructor(session: Session, table: ChangedTable) {
    this.#session = session
    this.#table = table
    this.#texts = table.key.map(position => { const type = table.schema[position]?.type; invariant(type !== undefined, 'a column of the key'); return textWriter(type, session.text) })
  }

  /** The key of each row; the batch begins with the table's columns. */
  of(batch: Batch): string[] {
    const readers = this.#table.key.map(position => columnReader(columnAt(batch, position), this.#session.engine.memory))
    return Array.from({ length: batch.length }, (_, row) => readers.map((read, i) => { const value = read(row); return value === null ? 'null' : this.#texts[i]?.(value) ?? '' }).join('\0'))
  }

  /** Rows get other keys. 23505 when two get the same. */
  move(from: readonly string[], to: readonly string[], rows: Batch): void {
    const readers = this.#table.key.map(position => columnReader(columnAt(rows, position), this.#session.engine.memory))
    from.forEach(key => this.#old.add(key))
    to.forEach((key, row) => {
      if (this.#new.has(key)) throw this.taken(key)
      this.#new.set(key, readers.map(read => read(row)))
    })
  }

  /** 23505 when a row that did not move has a key that another one got. */
  async refuseTaken(running: Running): Promise<void> {
    const { name, schema, key } = this.#table, { engine } = this.#session
    const fields = key.flatMap(position => schema[position] ?? [])
    const rows = [...this.#new].filter(([text]) => !this.#old.has(text)).map(([, values]) => fields.map((field, i) => literal(values[i] ?? null, field.type)))
    if (rows.length === 0) return
    const columns = fields.map((field, i) => column(i, field.type))
    const plan: Plan = {
      kind: 'join', how: 'semi', left: { kind: 'scan', table: name, columns: key, schema: fields }, right: { kind: 'values', rows, schema: fields },
      keys: columns.map(each => ({ left: each, right: each })), schema: fields,
    }
    const texts = this.#texts
    for await (const batch of engine.run(plan, running)) {
      const [first] = rowsOf(batch, engine.memory)
      if (first !== undefined) throw this.taken(first.map((value, i) => value === null ? 'null' : texts[i]?.(value) ?? '').join('\0'))
    }
  }

  taken(key: string): SqlError {
    const { name, schema, key: positions } = this.#table, constraint = `${name.name}_pkey`
    return new SqlError('23505', `duplicate key value violates unique constraint "${constraint}"`, { detail: `Key (${positions.map(position => schema[position]?.name ?? '').join(', ')})=(${key.replaceAll('\0', ', ')}) already exists.`, schema: name.schema, table: name.name })
  }
}

/** Options of a table with which a change would silently not be what it says. */
function refuseOptions(bound: ChangeBound): void {
  const { options, name } = bound.shape, assigned = bound.assigned.map(position => bound.schema[position]?.name ?? '')
  const removes = bound.change === 'delete' || bound.key.some(position => bound.assigned.includes(position))
  const ignores = Object.entries(options).find(([key, value]) => /(?:^|\.)ignore-delete$/.test(key) && value.toLowerCase() === 'true')
  if (removes && ignores !== undefined) throw unsupported(`removing rows of table "${name.name}" with option ${ignores[0]} = ${ignores[1]}`, { schema: name.schema, table: name.name })
  const sequence = (options['sequence.field'] ?? '').split(',').map(part => part.trim()).find(part => assigned.includes(part))
  if (sequence !== undefined) throw unsupported(`assigning column "${sequence}", which is the sequence.field of table "${name.name}",`, { schema: name.schema, table: name.name, hint: 'INSERT the new row: the one with the highest sequence wins.' })
}

function columnAt(batch: Batch, position: number): Column {
  const found = batch.columns[position]
  invariant(found !== undefined, `no column ${position}`)
  return found
}

/** Columns [from, to) of a batch. */
function part(batch: Batch, from: number, to: number): Batch {
  return { schema: batch.schema.slice(from, to), length: batch.length, columns: batch.columns.slice(from, to) }
}

/** The rows as removals. */
function removed(batch: Batch, arena: Arena): Batch {
  const weights = arena.alloc(4 * batch.length)
  arena.memory.refresh().i32.fill(-1, weights / 4, weights / 4 + batch.length)
  return { ...batch, weights }
}
