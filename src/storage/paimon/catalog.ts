/** A warehouse directory as a catalog: a folder `x.db` is the schema `x`, a folder in it with a schema file is a table. */
import { SqlError, unsupported } from '../../error.ts'
import type { TableName } from '../../plan.ts'
import { formatValue, parseValue } from '../../text.ts'
import type { Value } from '../../value.ts'
import type { Catalog, Relation, RelationShape, TableDefinition } from '../catalog.ts'
import type { ObjectStore } from '../store.ts'
import type { Buffers, Table } from '../table.ts'
import { bucketFunction } from './bucket.ts'
import { sqlField } from './evolution.ts'
import { tableOptions } from './options.ts'
import { schemaPath } from './paths.ts'
import { bucketKey, fieldsOf, printSchema } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { MetadataCache, TableFiles } from './state.ts'
import { paimonTable } from './table.ts'
import { fromSqlType, undefinedColumn, withNullable } from './types.ts'
import type { PaimonField } from './types.ts'
import { writeOptions } from './write-options.ts'

/** The Paimon tables of a lake. Without `buffers` they can only be read. */
export function openPaimonCatalog(store: ObjectStore, buffers?: Buffers): Catalog {
  return new PaimonCatalog(store, buffers)
}

const SUFFIX = '.db'

class PaimonCatalog implements Catalog {
  readonly #store: ObjectStore
  readonly #cache = new MetadataCache()

  readonly #buffers: Buffers | undefined

  constructor(store: ObjectStore, buffers: Buffers | undefined) {
    this.#store = store
    this.#buffers = buffers
  }

  async schemas(): Promise<readonly string[]> {
    return (await this.#folders('')).filter(name => name.endsWith(SUFFIX) && name.length > SUFFIX.length).map(name => name.slice(0, -SUFFIX.length))
  }

  async relations(schema: string): Promise<readonly Relation[]> {
    if (!isName(schema)) return []
    const names = await this.#folders(`${schema}${SUFFIX}`)
    const present = await Promise.all(names.map(async name => isName(name) && await this.#hasSchema(`${schema}${SUFFIX}/${name}`)))
    return names.filter((_, i) => present[i]).map(name => ({ name: { schema, name }, kind: 'table' }))
  }

  async table(name: TableName): Promise<Table | undefined> {
    const files = this.#files(name), schema = await files?.latestSchema()
    return files === undefined || schema === undefined ? undefined : paimonTable(name, files, schema, this.#buffers)
  }

  async shape(name: TableName): Promise<RelationShape | undefined> {
    const schema = await this.#files(name)?.latestSchema()
    if (schema === undefined) return undefined
    return {
      name, kind: 'table', columns: schema.fields.map(field => sqlField(field, schema)), key: schema.primaryKeys, partitionedBy: schema.partitionKeys, options: schema.options,
      ...(schema.comment === undefined ? {} : { comment: schema.comment }),
      defaults: defaultsOf(schema),
    }
  }

  async createSchema(name: string): Promise<void> {
    requireName(name)
    if (name === 'sys') throw new SqlError('42939', `schema name "${name}" is reserved`)
    if (await this.#schemaExists(name)) throw new SqlError('42P06', `schema "${name}" already exists`, { schema: name })
    await this.#store.write(`${name}${SUFFIX}/`, new Uint8Array(0), 'create')
  }

  async dropSchema(name: string, cascade: boolean): Promise<void> {
    if (!isName(name) || !await this.#schemaExists(name)) throw undefinedSchema(name)
    if (!cascade && (await this.#store.list(`${name}${SUFFIX}`)).length > 0) {
      throw new SqlError('2BP01', `cannot drop schema ${name} because other objects depend on it`, { schema: name, hint: 'Use DROP ... CASCADE to drop the dependent objects too.' })
    }
    await this.#store.removeFolder(`${name}${SUFFIX}`)
  }

  async createTable(definition: TableDefinition): Promise<Table> {
    const { name } = definition
    requireName(name.name)
    if (!isName(name.schema) || !await this.#schemaExists(name.schema)) throw undefinedSchema(name.schema)
    const files = this.#filesAt(name)
    if (await files.latestSchema() !== undefined) throw new SqlError('42P07', `relation "${name.name}" already exists`, { table: name.name, schema: name.schema })
    const schema = schemaOf(definition)
    const table = paimonTable(name, files, schema, this.#buffers)
    if (!await this.#store.write(schemaPath(files.directory, 0n), printSchema(schema), 'create')) throw new SqlError('42P07', `relation "${name.name}" already exists`, { table: name.name, schema: name.schema })
    return table
  }

  async dropTable(name: TableName): Promise<void> {
    const files = this.#files(name)
    if (files === undefined || !await this.#hasSchema(files.directory)) throw new SqlError('42P01', `table "${name.name}" does not exist`, { table: name.name, schema: name.schema })
    await this.#store.removeFolder(files.directory)
  }

  async #folders(folder: string): Promise<readonly string[]> {
    const skip = folder === '' ? 0 : folder.length + 1
    return (await this.#store.list(folder)).filter(({ path }) => path.endsWith('/')).map(({ path }) => path.slice(skip, -1))
  }

  async #hasSchema(directory: string): Promise<boolean> {
    return (await this.#store.list(`${directory}/schema`)).some(({ path }) => /\/schema-[0-9]+$/.test(path))
  }

  async #schemaExists(name: string): Promise<boolean> {
    return (await this.#folders('')).includes(`${name}${SUFFIX}`)
  }

  /** Undefined for names that no table can have. */
  #files(name: TableName): TableFiles | undefined {
    return isName(name.schema) && isName(name.name) ? this.#filesAt(name) : undefined
  }

  #filesAt(name: TableName): TableFiles {
    return new TableFiles(this.#store, `${name.schema}${SUFFIX}/${name.name}`, this.#cache)
  }
}

/** Names are names of directories; `$` separates the names of Paimon's system tables. */
function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\$\0]/.test(name)
}

function requireName(name: string): void {
  if (!isName(name)) throw new SqlError('42602', `invalid name: "${name}"`, { detail: 'Names of Paimon schemas and tables are names of directories, without slashes and "$".' })
}

function undefinedSchema(name: string): SqlError {
  return new SqlError('3F000', `schema "${name}" does not exist`, { schema: name })
}

/** The first schema of a new table. Refuses (0A000) by name options that we do not know or could not write with. */
function schemaOf(definition: TableDefinition): PaimonSchema {
  const { name, columns, primaryKey, partitionedBy } = definition
  let next = 0
  const nextId = (): number => next++
  // ids of columns come before those of the fields inside them
  const ids = columns.map(nextId)
  const names = new Set<string>()
  const fields = columns.map((column, i): PaimonField => {
    if (names.has(column.name)) throw new SqlError('42701', `column "${column.name}" specified more than once`, { table: name.name, column: column.name })
    names.add(column.name)
    if (/^_KEY_|^_SEQUENCE_NUMBER$|^_VALUE_KIND$|^_LEVEL$|^_ROW_ID$|^rowkind$/.test(column.name)) throw new SqlError('42939', `column name "${column.name}" is reserved`, { table: name.name, column: column.name })
    const type = fromSqlType(column.type, column.nullable, nextId)
    return {
      id: ids[i] ?? 0, name: column.name, type: primaryKey.includes(column.name) ? withNullable(type, false) : type,
      ...(column.comment === undefined ? {} : { description: column.comment }),
      ...(column.default === undefined || column.default === null ? {} : { defaultValue: formatValue(column.default, column.type) }),
    }
  })
  for (const key of [...primaryKey, ...partitionedBy]) if (!names.has(key)) throw undefinedColumn(name.name, key)
  for (const keys of [primaryKey, partitionedBy]) if (new Set(keys).size !== keys.length) throw new SqlError('42701', 'a key names a column twice', { table: name.name })
  const schema: PaimonSchema = {
    version: 3, id: 0n, fields, highestFieldId: next - 1, partitionKeys: partitionedBy, primaryKeys: primaryKey, options: definition.options,
    ...(definition.comment === undefined ? {} : { comment: definition.comment }), timeMillis: BigInt(Date.now()),
  }
  checkNewTable(name, schema)
  return schema
}

function checkNewTable(name: TableName, schema: PaimonSchema): void {
  const shown = `${name.schema}.${name.name}`
  tableOptions(shown, schema)
  writeOptions(shown, schema)
  for (const column of bucketKey(schema)) if (!schema.fields.some(field => field.name === column)) throw undefinedColumn(name.name, column)
  bucketFunction(schema)
  if (schema.fields.every(field => schema.partitionKeys.includes(field.name))) throw new SqlError('42P16', `table ${shown} has no columns beside its partition columns`, { table: name.name })
  for (const field of fieldsOf(schema, [...schema.partitionKeys, ...schema.primaryKeys])) {
    switch (field.type.kind) {
      case 'ARRAY': case 'MAP': case 'MULTISET': case 'ROW': throw unsupported(`column "${field.name}" as a key of a Paimon table, of its type`, { table: name.name, column: field.name })
      default:
    }
  }
  if (schema.options['path'] !== undefined) throw new SqlError('22023', 'a table of the lake has no option path: its place follows from its name', { table: name.name })
}

/** What the schema says to put into columns that an INSERT leaves out. */
function defaultsOf(schema: PaimonSchema): ReadonlyMap<string, Value> {
  return new Map(schema.fields.flatMap(field => field.defaultValue === undefined ? [] : [[field.name, parseValue(field.defaultValue, sqlField(field, schema).type)] as const]))
}
