/** CREATE and DROP of tables and schemas. */
import type { Running } from '../engine.ts'
import { SqlError, unsupported } from '../error.ts'
import type { TableName } from '../plan.ts'
import type { CreateDatabase, CreateSchema, CreateTable, Drop, TableColumn } from '../planner/statement-syntax.ts'
import type { TableReference } from '../planner/syntax.ts'
import type { ColumnDefinition, RelationShape, TableDefinition } from '../storage/catalog.ts'
import { SYSTEM_SCHEMAS } from '../storage/system/system.ts'
import type { Batch } from '../batch.ts'
import { constantOf, planned, shapeOf, typeNamed } from './binding.ts'
import type { QueryBound } from './binding.ts'
import type { Answer } from './face.ts'
import type { Session } from './session.ts'
import { dependents, dropView, dropWithDependents } from './dependents.ts'

/** The full name of a table or view that is to be made: the first schema of the search path that exists, when none is written. */
export async function newName(session: Session, table: TableReference): Promise<TableName> {
  const name = table.path.at(-1) ?? ''
  const schemas = await session.engine.catalog.schemas()
  const schema = table.path.length > 1 ? table.path.at(-2) : session.settings.searchPath.find(each => schemas.includes(each))
  if (schema === undefined) throw new SqlError('3F000', 'no schema has been selected to create in', { position: table.at })
  if (SYSTEM_SCHEMAS.includes(schema)) throw new SqlError('42501', `permission denied to create "${schema}.${name}"`, { detail: 'System catalog modifications are currently disallowed.', position: table.at })
  if (!schemas.includes(schema)) throw new SqlError('3F000', `schema "${schema}" does not exist`, { position: table.at })
  return { schema, name }
}

export async function createTable(session: Session, statement: CreateTable): Promise<string> {
  const definition = await definitionOf(session, statement, statement.columns.map(column => columnOf(session, column)))
  await define(session, statement, definition)
  return 'CREATE TABLE'
}

/** CREATE TABLE … AS: the table is made when the transaction's rows are known to be written. */
export async function createTableAs(session: Session, statement: CreateTable, bound: QueryBound, running: Running): Promise<Answer> {
  const names = statement.as?.columns ?? []
  if (names.length > bound.fields.length) throw new SqlError('42601', 'too many column names were specified', { position: statement.at })
  const columns = bound.fields.map((field, i): ColumnDefinition => ({ name: names[i] ?? field.name, type: field.type.kind === 'unknown' ? { kind: 'text' } : field.type, nullable: true }))
  let rows = 0
  async function* work(): AsyncGenerator<Batch, void, undefined> {
    const definition = await definitionOf(session, statement, columns)
    const table = await define(session, statement, definition)
    if (table === undefined || statement.as?.withData === false) return
    session.current.mayWrite('CREATE TABLE AS')
    const writer = session.current.writer(definition.name, table)
    for await (const batch of session.engine.run(await planned(session, bound, running), running)) {
      await writer.write(batch)
      rows += batch.length
    }
  }
  return { fields: undefined, schema: [], batches: work(), tag: () => `SELECT ${rows}` }
}

/** Makes the table, to be taken back if the transaction rolls back; undefined when it exists already and that is no error. */
async function define(session: Session, statement: CreateTable, definition: TableDefinition): Promise<Awaited<ReturnType<typeof session.engine.catalog.createTable>> | undefined> {
  const { catalog } = session.engine, { name } = definition
  session.current.mayWrite('CREATE TABLE')
  if (await catalog.shape(name) !== undefined) {
    if (!statement.ifNotExists) throw new SqlError('42P07', `relation "${name.name}" already exists`)
    session.notice({ severity: 'NOTICE', code: '42P07', message: `relation "${name.name}" already exists, skipping` })
    return undefined
  }
  const table = await catalog.createTable(definition)
  session.current.defined(() => catalog.dropTable(name))
  return table
}

async function definitionOf(session: Session, statement: CreateTable, columns: readonly ColumnDefinition[]): Promise<TableDefinition> {
  if (statement.persistence === 'temporary') throw unsupported('CREATE TEMPORARY TABLE', { position: statement.at })
  if (statement.replace) throw unsupported('CREATE OR REPLACE TABLE', { position: statement.at })
  if (statement.like[0] !== undefined) throw unsupported('LIKE in CREATE TABLE', { position: statement.like[0].at })
  if (statement.watermark !== undefined) throw unsupported('WATERMARK FOR', { position: statement.watermark.at })
  const [clause] = statement.otherClauses
  if (clause !== undefined) throw unsupported(clause.name, { position: clause.at })
  const seen = new Set<string>()
  for (const column of columns) {
    if (seen.has(column.name)) throw new SqlError('42701', `column "${column.name}" specified more than once`)
    seen.add(column.name)
  }
  const keys = [...statement.columns.filter(column => column.primaryKey).map(column => [column.name]), ...statement.constraints.filter(constraint => constraint.kind === 'primaryKey').map(constraint => constraint.columns)]
  const name = await newName(session, statement.table)
  if (keys.length > 1) throw new SqlError('42P16', `multiple primary keys for table "${name.name}" are not allowed`, { position: statement.at })
  for (const constraint of statement.constraints) {
    if (constraint.kind === 'primaryKey' || (constraint.notEnforced && constraint.kind !== 'check')) continue
    throw unsupported({ unique: 'UNIQUE', check: 'CHECK', foreignKey: 'FOREIGN KEY', exclude: 'EXCLUDE' }[constraint.kind], { position: constraint.at, hint: 'Lakes keep no constraint but the primary key; NOT ENFORCED says that you know.' })
  }
  const primaryKey = keys[0] ?? []
  for (const [list, what] of [[primaryKey, 'key'], [statement.partitionedBy, 'PARTITIONED BY']] as const) {
    for (const column of list) if (!seen.has(column)) throw new SqlError('42703', `column "${column}" named in ${what} does not exist`, { position: statement.at })
  }
  const options: Record<string, string> = {}
  for (const option of statement.options) options[option.key] = option.value
  if (primaryKey.length > 0 && options['bucket'] === undefined) {
    // Paimon's own default, dynamic buckets, needs an index that only one writer may keep
    options['bucket'] = '1'
    session.notice({ severity: 'NOTICE', code: '00000', message: `table "${name.name}" has one bucket`, hint: 'WITH (\'bucket\' = \'n\') spreads a large table over n.' })
  }
  return {
    name, primaryKey, partitionedBy: statement.partitionedBy, options,
    columns: columns.map(column => primaryKey.includes(column.name) ? { ...column, nullable: false } : column),
    ...(statement.comment === undefined ? {} : { comment: statement.comment }),
  }
}

function columnOf(session: Session, column: TableColumn): ColumnDefinition {
  const refuse = (what: string): never => { throw unsupported(what, { position: column.at, column: column.name }) }
  if (column.type === undefined || column.computed !== undefined) return refuse('a computed column')
  if (column.identity !== undefined) refuse('GENERATED AS IDENTITY')
  if (column.unique) refuse('UNIQUE')
  if (column.check.length > 0) refuse('CHECK')
  if (column.references !== undefined) refuse('REFERENCES')
  if (column.metadata !== undefined) refuse('METADATA')
  if (column.lateness !== undefined) refuse('LATENESS')
  const type = typeNamed(column.type)
  return {
    name: column.name, type, nullable: !column.notNull,
    ...(column.comment === undefined ? {} : { comment: column.comment }),
    ...(column.default === undefined ? {} : { default: constantOf(session, column.default, type) }),
  }
}

export async function createSchema(session: Session, statement: CreateSchema | CreateDatabase): Promise<string> {
  const { catalog } = session.engine, { name } = statement
  const command = statement.kind === 'createSchema' ? 'CREATE SCHEMA' : 'CREATE DATABASE'
  session.current.mayWrite(command)
  if (statement.kind === 'createSchema' && statement.elements > 0) throw unsupported('schema elements in CREATE SCHEMA', { position: statement.at })
  if (name.startsWith('pg_') || SYSTEM_SCHEMAS.includes(name)) throw new SqlError('42939', `unacceptable schema name "${name}"`, { detail: 'The prefix "pg_" is reserved for system schemas.' })
  if ((await catalog.schemas()).includes(name)) {
    if (!statement.ifNotExists) throw new SqlError('42P06', `schema "${name}" already exists`)
    session.notice({ severity: 'NOTICE', code: '42P06', message: `schema "${name}" already exists, skipping` })
    return command
  }
  await catalog.createSchema(name)
  session.current.defined(() => catalog.dropSchema(name, false))
  return command
}

export async function dropObjects(session: Session, statement: Drop): Promise<string> {
  const { catalog } = session.engine, tag = `DROP ${statement.object.toUpperCase()}`
  const { object } = statement
  if (object !== 'table' && object !== 'view' && object !== 'schema' && object !== 'database') throw unsupported(tag, { position: statement.at })
  session.current.mayWrite(tag)
  const shapes: RelationShape[] = []
  for (const { path, at } of statement.names) {
    if (object === 'table' || object === 'view') {
      const shape = await shapeOf(session, path), shown = path.join('.')
      if (shape === undefined) {
        if (!statement.ifExists) throw new SqlError('42P01', `${object} "${shown}" does not exist`, { position: at })
        session.notice({ severity: 'NOTICE', code: '00000', message: `${object} "${shown}" does not exist, skipping` })
        continue
      }
      if (shape.kind !== object) throw new SqlError('42809', `"${shown}" is not a ${object}`, { position: at, ...(shape.kind === 'system' ? {} : { hint: `Use DROP ${shape.kind.toUpperCase()} to remove a ${shape.kind}.` }) })
      shapes.push(shape)
    } else {
      const name = path.at(-1) ?? ''
      if (!(await catalog.schemas()).includes(name)) {
        if (!statement.ifExists) throw new SqlError('3F000', `schema "${name}" does not exist`, { position: at })
        session.notice({ severity: 'NOTICE', code: '00000', message: `schema "${name}" does not exist, skipping` })
        continue
      }
      const inside = await catalog.relations(name)
      if (!statement.cascade && inside.length > 0) throw new SqlError('2BP01', `cannot drop schema ${name} because other objects depend on it`, { hint: 'Use DROP ... CASCADE to drop the dependent objects too.' })
      for (const view of await dependents(session, inside.map(relation => relation.name))) if (view.schema !== name) dropView(session, view)
      session.current.drop({ schema: name, name: '' }, () => catalog.dropSchema(name, statement.cascade))
    }
  }
  await dropWithDependents(session, shapes, statement.cascade)
  for (const { name } of shapes) {
    if (object === 'view') dropView(session, name)
    else session.current.drop(name, () => catalog.dropTable(name))
  }
  return tag
}
