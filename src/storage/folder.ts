/**
 * A folder of loose Parquet files as a table: its rows are those of all files below it. Parts of a path like `year=2024` are columns. A version is the list
 * of the files; files that came are added rows. Nothing tells what was in a file that is gone, so a table that lost one has no change, only a new state.
 */
import { createHash } from 'node:crypto'
import { SqlError, unsupported } from '../error.ts'
import type { AsOf, TableName } from '../plan.ts'
import { DATE, FLOAT8, INT8, TEXT, typeKey, typeName } from '../type.ts'
import type { Field, Schema, Type } from '../type.ts'
import { daysOf, daysInMonth } from '../text/calendar.ts'
import type { Value } from '../value.ts'
import { compareText } from '../text/settings.ts'
import { mightMatch } from './prune.ts'
import type { ParquetFile } from './parquet/reader.ts'
import type { FooterCache } from './read.ts'
import type { ObjectInfo, ObjectStore } from './store.ts'
import type { FileSplit, ScanStats, Split, SplitColumn, Table, Version, Want } from './table.ts'

/** Deeper folders are not looked into. */
const DEPTH = 12
/** Versions of one folder that are remembered, so that changes since them can be told. */
const REMEMBERED = 1000

/** The versions of a folder that this process has seen: whoever follows it keeps one of these. */
export class FolderHistory {
  readonly #versions = new Map<string, readonly ObjectInfo[]>()

  remember(id: string, files: readonly ObjectInfo[]): void {
    this.#versions.delete(id)
    this.#versions.set(id, files)
    for (const oldest of this.#versions.keys()) {
      if (this.#versions.size <= REMEMBERED) break
      this.#versions.delete(oldest)
    }
  }

  files(id: string): readonly ObjectInfo[] | undefined { return this.#versions.get(id) }
}

/** True when there is a Parquet file in the folder or below it. */
export async function isFolderTable(store: ObjectStore, folder: string): Promise<boolean> {
  for await (const _ of filesBelow(store, folder, DEPTH)) return true
  return false
}

/** The folder as a table. Its columns are those that its files have now; files that disagree about a type are refused (0A000). */
export async function openFolderTable(store: ObjectStore, folder: string, name: TableName, footers: FooterCache, history: FolderHistory = new FolderHistory()): Promise<Table> {
  const { version, files } = await newest(store, folder)
  if (version !== undefined) history.remember(version.id, files)
  const columns = await columnsOf(store, folder, files, footers, name.name)
  return new FolderTable(store, folder, name, columns, footers, history)
}

/** Data files: names that begin with '.' or '_' are marks and leftovers of other programs. */
async function* filesBelow(store: ObjectStore, folder: string, depth: number): AsyncGenerator<ObjectInfo, void, undefined> {
  for (const object of await store.list(folder)) {
    const isFolder = object.path.endsWith('/')
    const name = (isFolder ? object.path.slice(0, -1) : object.path).replace(/^.*\//, '')
    if (name.startsWith('.') || name.startsWith('_')) continue
    if (!isFolder) { if (name.endsWith('.parquet') && object.size > 0) yield object }
    else if (depth > 0) yield* filesBelow(store, object.path, depth - 1)
  }
}

async function newest(store: ObjectStore, folder: string): Promise<{ readonly version: Version | undefined; readonly files: readonly ObjectInfo[] }> {
  const files: ObjectInfo[] = []
  for await (const file of filesBelow(store, folder, DEPTH)) files.push(file)
  if (files.length === 0) return { version: undefined, files }
  files.sort((a, b) => compareText(a.path, b.path))
  const hash = createHash('sha256')
  for (const file of files) hash.update(identityOf(file))
  return { version: { id: hash.digest('hex').slice(0, 16), time: files.reduce((latest, file) => Math.max(latest, file.modified), 0) }, files }
}

/** What is equal for two sights of the same bytes. */
function identityOf(file: ObjectInfo): string { return `${file.path}\0${file.size}\0${file.modified}\n` }

// ---- columns ----------------------------------------------------------------------------------------------------

interface FolderColumns {
  readonly schema: Schema
  /** Names and types of the columns that paths tell. */
  readonly partition: ReadonlyMap<string, Type>
}

async function columnsOf(store: ObjectStore, folder: string, files: readonly ObjectInfo[], footers: FooterCache, table: string): Promise<FolderColumns> {
  const fields = new Map<string, { readonly field: Field; readonly path: string; readonly count: number }>()
  for (const file of files) {
    for (const { name, type, nullable } of (await footers.open(store, file.path, file.size, String(file.modified))).schema) {
      const known = fields.get(name)
      if (known === undefined) { fields.set(name, { field: { name, type, nullable }, path: file.path, count: 1 }); continue }
      const common = commonType(known.field.type, type)
      if (common === undefined) throw unsupported(`table ${table}, whose column "${name}" is ${typeName(known.field.type)} in ${known.path} and ${typeName(type)} in ${file.path},`, { table, column: name, where: file.path })
      fields.set(name, { field: { name, type: common, nullable: known.field.nullable || nullable }, path: known.path, count: known.count + 1 })
    }
  }
  const partition = partitionTypes(folder, files)
  const schema: Field[] = [...fields.values()].map(({ field, count }) => ({ ...field, nullable: field.nullable || count < files.length }))
    .map(field => ({ ...field, type: partition.get(field.name) ?? field.type, nullable: field.nullable || partition.has(field.name) }))
  for (const [name, type] of partition) if (!fields.has(name)) schema.push({ name, type, nullable: true })
  return { schema, partition }
}

/** The type that holds the values of both without loss. */
function commonType(a: Type, b: Type): Type | undefined {
  if (typeKey(a) === typeKey(b)) return a
  const integers = ['int2', 'int4', 'int8'], x = integers.indexOf(a.kind), y = integers.indexOf(b.kind)
  if (x >= 0 && y >= 0) return x > y ? a : b
  if ((a.kind === 'float4' && b.kind === 'float8') || (a.kind === 'float8' && b.kind === 'float4')) return FLOAT8
  if ((a.kind === 'float8' && (b.kind === 'int2' || b.kind === 'int4')) || (b.kind === 'float8' && (a.kind === 'int2' || a.kind === 'int4'))) return FLOAT8
  if (a.kind === 'numeric' && b.kind === 'numeric' && a.precision !== undefined && b.precision !== undefined) {
    const scale = Math.max(a.scale ?? 0, b.scale ?? 0), precision = Math.max(a.precision - (a.scale ?? 0), b.precision - (b.scale ?? 0)) + scale
    return precision <= 38 ? { kind: 'numeric', precision, scale } : undefined
  }
  if (a.kind === b.kind && (a.kind === 'timestamp' || a.kind === 'timestamptz' || a.kind === 'time')) return { kind: a.kind }
  return undefined
}

const DEFAULT_PARTITION = '__HIVE_DEFAULT_PARTITION__'

/** The `name=value` parts of a file's path below the folder. */
function partitionOf(folder: string, path: string): ReadonlyMap<string, string | null> {
  const values = new Map<string, string | null>()
  for (const part of path.slice(folder.length).split('/').slice(0, -1)) {
    const equals = part.indexOf('=')
    if (equals <= 0) continue
    const value = unescaped(part.slice(equals + 1))
    values.set(unescaped(part.slice(0, equals)), value === DEFAULT_PARTITION ? null : value)
  }
  return values
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a '%' that escapes nothing
  }
}

/** int8 when all values are integers, date when all are dates, otherwise text. */
function partitionTypes(folder: string, files: readonly ObjectInfo[]): ReadonlyMap<string, Type> {
  const texts = new Map<string, string[]>()
  for (const file of files) for (const [name, value] of partitionOf(folder, file.path)) texts.set(name, [...texts.get(name) ?? [], ...(value === null ? [] : [value])])
  return new Map([...texts].map(([name, values]) => [name, values.length > 0 && values.every(isInteger) ? INT8 : values.length > 0 && values.every(text => dateFrom(text) !== undefined) ? DATE : TEXT]))
}

/** Integers as they are shown: what has leading zeros is a text that would come back changed. */
function isInteger(text: string): boolean {
  return /^(?:0|-?[1-9][0-9]{0,18})$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
}

function dateFrom(text: string): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  return year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month) ? undefined : daysOf(year, month, day)
}

function partitionValue(text: string | null | undefined, type: Type): Value {
  if (text === null || text === undefined) return null
  return type.kind === 'int8' ? BigInt(text) : type.kind === 'date' ? dateFrom(text) ?? null : text
}

// ---- the table --------------------------------------------------------------------------------------------------

class FolderTable implements Table {
  readonly name: TableName
  readonly schema: Schema
  readonly key: readonly number[] = []
  readonly appendOnly = true
  readonly #store: ObjectStore
  readonly #folder: string
  readonly #columns: FolderColumns
  readonly #footers: FooterCache
  readonly #history: FolderHistory

  constructor(store: ObjectStore, folder: string, name: TableName, columns: FolderColumns, footers: FooterCache, history: FolderHistory) {
    this.name = name
    this.schema = columns.schema
    this.#store = store
    this.#folder = folder.endsWith('/') ? folder : `${folder}/`
    this.#columns = columns
    this.#footers = footers
    this.#history = history
  }

  async latest(): Promise<Version | undefined> {
    const { version, files } = await newest(this.#store, this.#folder)
    if (version !== undefined) this.#history.remember(version.id, files)
    return version
  }

  async versionAt(asOf: AsOf): Promise<Version | undefined> {
    if (asOf.kind === 'timestamp') throw unsupported(`FOR SYSTEM_TIME AS OF on table ${this.name.name}, a folder of files,`, { table: this.name.name })
    const latest = await this.latest()
    if (latest?.id === asOf.id) return latest
    const files = this.#history.files(asOf.id)
    if (files === undefined) throw new SqlError('22023', `table "${this.name.name}" has no version "${asOf.id}"`, { table: this.name.name })
    return { id: asOf.id, time: files.reduce((time, file) => Math.max(time, file.modified), 0) }
  }

  async next(from: Version | undefined): Promise<Version | undefined> {
    const latest = await this.latest()
    return latest?.id === from?.id ? undefined : latest
  }

  async schemaAt(): Promise<Schema> { return this.schema }

  async *changes(from: Version | undefined, to: Version, want: Want, stats: ScanStats): AsyncGenerator<Split, void, undefined> {
    const before = from === undefined ? [] : this.#filesOf(from), after = this.#filesOf(to)
    const old = new Set(before.map(identityOf)), now = new Set(after.map(identityOf))
    const came = after.filter(file => !old.has(identityOf(file))), went = before.filter(file => !now.has(identityOf(file)))
    if (went.length > 0) {
      const there = new Set((await newest(this.#store, this.#folder)).files.map(identityOf))
      const gone = went.find(file => !there.has(identityOf(file)))
      if (gone !== undefined) throw new SqlError('55000', `file ${gone.path} of table "${this.name.name}" was removed or replaced: what it held cannot be taken back`, { table: this.name.name, where: gone.path })
    }
    for (const [files, sign] of [[went, -1], [came, 1]] as const) {
      for (const file of files) {
        const split = await this.#split(file, sign, want, stats)
        if (split !== undefined) yield split
      }
    }
  }

  async estimate(version: Version | undefined): Promise<number> {
    let rows = 0
    for (const file of version === undefined ? [] : this.#filesOf(version)) rows += (await this.#footers.open(this.#store, file.path, file.size, String(file.modified))).rows
    return rows
  }

  #filesOf(version: Version): readonly ObjectInfo[] {
    const files = this.#history.files(version.id)
    if (files === undefined) throw new SqlError('55000', `version ${version.id} of table "${this.name.name}" is not known any more`, { table: this.name.name })
    return files
  }

  async #split(file: ObjectInfo, sign: 1 | -1, want: Want, stats: ScanStats): Promise<FileSplit | undefined> {
    stats.filesTotal++
    const partition = partitionOf(this.#folder, file.path)
    const value = (name: string): Value => partitionValue(partition.get(name), this.#columns.partition.get(name) ?? TEXT)
    const parquet = await this.#footers.open(this.#store, file.path, file.size, String(file.modified))
    if (want.filter !== undefined && !mightMatch(want.filter, { rows: parquet.rows, column: index => {
      const field = this.schema[index]
      if (field === undefined || !this.#columns.partition.has(field.name)) return undefined
      const known = value(field.name)
      return known === null ? { nulls: parquet.rows } : { min: known, max: known, nulls: 0 }
    } })) {
      stats.filesPruned++
      return undefined
    }
    const schema = want.columns.map(position => {
      const field = this.schema[position]
      if (field === undefined) throw new SqlError('42703', `table "${this.name.name}" has no column ${position + 1}`)
      return field
    })
    return {
      kind: 'files', store: this.#store.spec, schema, sign, estimate: parquet.rows,
      files: [{ path: file.path, format: 'parquet', size: file.size, stamp: String(file.modified), rows: parquet.rows, columns: schema.map(field => this.#column(field, parquet, value)) }],
    }
  }

  #column(field: Field, parquet: ParquetFile, value: (name: string) => Value): SplitColumn {
    if (this.#columns.partition.has(field.name)) return { kind: 'constant', value: value(field.name), field }
    const source = parquet.schema.find(candidate => candidate.name === field.name)
    // A file that came after the columns were looked at may have another type.
    const common = source === undefined ? field.type : commonType(field.type, source.type)
    if (source !== undefined && (common === undefined || typeKey(common) !== typeKey(field.type))) {
      throw unsupported(`reading column "${field.name}" of type ${typeName(source.type)} as ${typeName(field.type)}`, { table: this.name.name, where: parquet.path })
    }
    return { kind: 'file', name: field.name, field }
  }
}
