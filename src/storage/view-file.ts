/**
 * Views, each a small file beside the tables of its schema: `x.db/.views/v.json` has the text of the query, what its names are looked up with, and its columns.
 * Folders whose names begin with a dot are no tables, to us and to Paimon.
 */
import { SqlError, corrupt } from '../error.ts'
import type { TableName } from '../plan.ts'
import type { Field, Type } from '../type.ts'
import type { RelationShape, ViewDefinition } from './catalog.ts'
import { JsonFields, parseJsonBytes, printJson } from './json.ts'
import type { Json } from './json.ts'
import type { ObjectStore } from './store.ts'

const folderOf = (schema: string): string => `${schema}.db/.views`
const pathOf = ({ schema, name }: TableName): string => `${folderOf(schema)}/${name}.json`
const SUFFIX = '.json', VERSION = 1

/** The names of the views of a schema. */
export async function viewNames(store: ObjectStore, schema: string): Promise<readonly string[]> {
  const folder = folderOf(schema)
  return (await store.list(folder)).map(({ path }) => path.slice(folder.length + 1)).filter(name => name.endsWith(SUFFIX)).map(name => name.slice(0, -SUFFIX.length))
}

/** The view as a relation; undefined when there is none of this name. */
export async function readView(store: ObjectStore, name: TableName): Promise<RelationShape | undefined> {
  const path = pathOf(name)
  let bytes
  try {
    bytes = await store.read(path)
  } catch (error) {
    if (error instanceof SqlError && error.code === '58P01') return undefined
    throw error
  }
  const fields = new JsonFields(path, parseJsonBytes(path, bytes))
  if (fields.int('version') !== VERSION) throw corrupt(path, `version ${fields.int('version')} of view files is not understood`)
  const comment = fields.optionalText('comment')
  return {
    name, kind: 'view', key: [], partitionedBy: [], options: {}, columns: fields.list('columns').map(column => fieldFrom(path, column)),
    view: { sql: fields.text('query'), searchPath: fields.texts('searchPath') }, ...(comment === undefined ? {} : { comment }),
  }
}

/** Writes a view; false when there is one of this name and it is not to be replaced. */
export async function writeView(store: ObjectStore, { name, columns, view, comment }: ViewDefinition, replace: boolean): Promise<boolean> {
  const json: Json = { version: BigInt(VERSION), query: view.sql, searchPath: view.searchPath, columns: columns.map(fieldJson), ...(comment === undefined ? {} : { comment }) }
  return store.write(pathOf(name), new TextEncoder().encode(printJson(json)), replace ? 'replace' : 'create')
}

/** Removes a view; false when there is none. */
export async function removeView(store: ObjectStore, name: TableName): Promise<boolean> {
  if (await store.stat(pathOf(name)) === undefined) return false
  await store.remove(pathOf(name))
  // an empty schema can be dropped: nothing is left in it
  if ((await store.list(folderOf(name.schema))).length === 0) await store.removeFolder(folderOf(name.schema))
  return true
}

function fieldJson({ name, type, nullable }: Field): Json { return { name, type: typeJson(type), nullable } }

function typeJson(type: Type): Json {
  switch (type.kind) {
    case 'array': return { kind: type.kind, element: typeJson(type.element) }
    case 'map': return { kind: type.kind, key: typeJson(type.key), value: typeJson(type.value) }
    case 'row': return { kind: type.kind, fields: type.fields.map(fieldJson) }
    case 'numeric': return { kind: type.kind, ...(type.precision === undefined ? {} : { precision: BigInt(type.precision) }), ...(type.scale === undefined ? {} : { scale: BigInt(type.scale) }) }
    case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return { kind: type.kind, ...(type.precision === undefined ? {} : { precision: BigInt(type.precision) }) }
    case 'varchar': case 'char': return { kind: type.kind, ...(type.length === undefined ? {} : { length: BigInt(type.length) }) }
    default: return { kind: type.kind }
  }
}

function fieldFrom(path: string, json: Json | undefined): Field {
  const fields = new JsonFields(path, json, 'a column')
  return { name: fields.text('name'), type: typeFrom(path, fields.get('type')), nullable: fields.get('nullable') !== false }
}

function typeFrom(path: string, json: Json | undefined): Type {
  const fields = new JsonFields(path, json, 'a type'), kind = fields.text('kind')
  const length = fields.optionalInt('length'), precision = fields.optionalInt('precision'), scale = fields.optionalInt('scale')
  switch (kind) {
    case 'array': return { kind, element: typeFrom(path, fields.get('element')) }
    case 'map': return { kind, key: typeFrom(path, fields.get('key')), value: typeFrom(path, fields.get('value')) }
    case 'row': return { kind, fields: fields.list('fields').map(field => fieldFrom(path, field)) }
    case 'numeric': return { kind, ...(precision === undefined ? {} : { precision }), ...(scale === undefined ? {} : { scale }) }
    case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return { kind, ...(precision === undefined ? {} : { precision }) }
    case 'varchar': case 'char': return { kind, ...(length === undefined ? {} : { length }) }
    case 'bool': case 'int2': case 'int4': case 'int8': case 'float4': case 'float8': case 'text': case 'bytea': case 'date': case 'interval': case 'uuid': case 'json': case 'jsonb': case 'oid':
    case 'regclass': case 'regtype': case 'regproc': case 'regnamespace': case 'name': case '"char"': case 'void': case 'record': return { kind }
    default: throw corrupt(path, `there is no type "${kind}"`)
  }
}
