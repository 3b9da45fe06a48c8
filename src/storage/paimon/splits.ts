/** Splits of a table's files: which columns of which file become the wanted columns, and what merges with what. */
import { invariant, unsupported } from '../../error.ts'
import { INT2, INT8, TEXT } from '../../type.ts'
import type { Schema } from '../../type.ts'
import type { FileSplit, Merge, SplitColumn, SplitFile, VectorPlace, Want } from '../table.ts'
import { parseRow } from './binaryrow.ts'
import { columnFrom, constantColumn, sqlField } from './evolution.ts'
import type { ManifestEntry } from './manifest.ts'
import type { TableOptions } from './options.ts'
import { fieldsOf, trimmedPrimaryKey } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { partitionKey, requireWholeFile } from './state.ts'
import type { TableFiles } from './state.ts'
import { fieldNamed, paimonTypeText } from './types.ts'
import type { PaimonField } from './types.ts'

/** Small files are read together up to this. */
const MOST_FILES = 128
const MOST_BYTES = 16n * 2n ** 20n

const SEQUENCE_NUMBER: SplitColumn = { kind: 'file', name: '_SEQUENCE_NUMBER', field: { name: '_SEQUENCE_NUMBER', type: INT8, nullable: false } }
const VALUE_KIND: SplitColumn = { kind: 'file', name: '_VALUE_KIND', field: { name: '_VALUE_KIND', type: INT2, nullable: false } }

/** A file among those that are merged. */
export interface MergeFile {
  readonly entry: ManifestEntry
  readonly marks: boolean
  readonly keysOnly: boolean
  readonly deleted: VectorPlace | undefined
}

export interface TableContext {
  /** As people name it. */
  readonly name: string
  readonly files: TableFiles
  readonly schema: PaimonSchema
  readonly options: TableOptions
}

/** Makes splits for one want of one table. */
export class SplitMaker {
  readonly #table: TableContext
  readonly #schema: Schema
  readonly #fields: readonly PaimonField[]
  /** Columns that a merge reads behind the wanted ones: those that are not wanted anyway. */
  readonly #mergeFields: readonly PaimonField[]
  readonly #partition: ReadonlyMap<string, number>
  readonly #columns = new Map<string, readonly SplitColumn[]>()

  constructor(table: TableContext, want: Want) {
    this.#table = table
    this.#fields = want.columns.map(position => {
      const field = table.schema.fields[position]
      invariant(field !== undefined, `no column ${position} in table ${table.name}`)
      return field
    })
    this.#schema = this.#fields.map(field => sqlField(field, table.schema))
    this.#partition = new Map(table.schema.partitionKeys.map((name, i) => [name, i]))
    const keys = table.schema.primaryKeys.length === 0 ? [] : fieldsOf(table.schema, trimmedPrimaryKey(table.schema))
    const sequence = table.options.sequence.map(({ column }) => fieldNamed(table.name, table.schema.fields, column))
    this.#mergeFields = [...keys, ...sequence]
  }

  /** Splits that read files one by one. A file of a keyed table that may hold removals is read as a merge of one, which drops them. */
  async raw(entries: readonly { readonly entry: ManifestEntry; readonly deleted?: VectorPlace | undefined; readonly only?: VectorPlace | undefined }[], sign: 1 | -1): Promise<readonly FileSplit[]> {
    const splits: FileSplit[] = []
    let files: SplitFile[] = [], bytes = 0n
    const close = (): void => {
      if (files.length > 0) splits.push(this.#split(files, sign, undefined))
      files = []
      bytes = 0n
    }
    for (const { entry, deleted, only } of entries) {
      if (this.#table.schema.primaryKeys.length > 0 && entry.file.deleteRowCount !== 0n) {
        invariant(only === undefined, 'files whose vectors change hold no removals')
        splits.push(await this.merge([{ entry, marks: false, keysOnly: false, deleted }], sign, false))
        continue
      }
      if (files.length >= MOST_FILES || (files.length > 0 && bytes + entry.file.fileSize > MOST_BYTES)) close()
      files.push(await this.#file(entry, [], { ...(deleted === undefined ? {} : { deleted }), ...(only === undefined ? {} : { only }) }))
      bytes += entry.file.fileSize
    }
    close()
    return splits
  }

  /** Splits of changelog files: each row says by its kind whether it comes or goes. */
  async signed(entries: readonly ManifestEntry[]): Promise<readonly FileSplit[]> {
    const splits: FileSplit[] = []
    for (const entry of entries) splits.push(this.#split([await this.#file(entry, [VALUE_KIND], {})], 'column', undefined))
    return splits
  }

  /** One split of files that may share keys. */
  async merge(files: readonly MergeFile[], sign: 1 | -1, onlyMarked: boolean): Promise<FileSplit> {
    const { options } = this.#table
    const several = files.filter(file => !file.keysOnly).length > 1
    // where level 0 is not shown, no key is in two files: then merging only picks the marked ones
    if (several && options.mergeEngine !== 'deduplicate' && !options.skipsLevelZero) throw this.#refusedMerge()
    if (several || onlyMarked) this.#requireComparable()
    const wanted = this.#fields.length
    const keys = this.#table.schema.primaryKeys.length === 0 ? 0 : this.#mergeFields.length - options.sequence.length
    const merge: Merge = {
      key: Array.from({ length: keys }, (_, i) => wanted + i),
      sequence: options.sequence.map(({ descending }, i) => ({ column: wanted + keys + i, descending })),
      number: wanted + this.#mergeFields.length,
      kind: wanted + this.#mergeFields.length + 1,
      ignoreDelete: options.ignoreDelete,
      ...(onlyMarked ? { onlyMarked } : {}),
    }
    const read: SplitFile[] = []
    for (const { entry, marks, keysOnly, deleted } of files) {
      const extra: SplitColumn[] = []
      for (const field of this.#mergeFields) {
        const out = field.type.kind === 'CHAR' ? { name: field.name, type: TEXT, nullable: true } : sqlField(field, this.#table.schema)
        extra.push(columnFrom(this.#table.name, field, out, await this.#table.files.schema(entry.file.schemaId)))
      }
      read.push(await this.#file(entry, [...extra, SEQUENCE_NUMBER, VALUE_KIND], { ...(deleted === undefined ? {} : { deleted }), ...(marks ? { marks } : {}), ...(keysOnly ? { keysOnly } : {}) }))
    }
    return this.#split(read, sign, merge)
  }

  #refusedMerge(): Error {
    const { options, name } = this.#table
    return unsupported(`merge engine ${options.mergeEngine}`, { table: name, detail: `Files of table ${name} must be merged to be read.`, hint: 'After a full compaction the table can be read.' })
  }

  #requireComparable(): void {
    for (const { name, type } of this.#mergeFields) {
      if ((type.kind === 'TIMESTAMP' || type.kind === 'TIMESTAMP_LTZ') && type.precision > 6) throw unsupported(`merging by column "${name}" of type ${paimonTypeText(type)} of table ${this.#table.name}`, { table: this.#table.name })
    }
  }

  #split(files: readonly SplitFile[], sign: 1 | -1 | 'column', merge: Merge | undefined): FileSplit {
    return {
      kind: 'files', store: this.#table.files.store.spec, schema: this.#schema, files, sign, ...(merge === undefined ? {} : { merge }),
      estimate: files.reduce((rows, file) => rows + (file.keysOnly === true ? 0 : file.rows), 0),
    }
  }

  async #file(entry: ManifestEntry, extra: readonly SplitColumn[], more: Partial<SplitFile>): Promise<SplitFile> {
    const { files, schema, name } = this.#table
    const written = await files.schema(entry.file.schemaId)
    requireWholeFile(name, entry, written)
    const columns = this.#columnsOf(entry, written), path = files.dataFilePath(schema, entry)
    return { path, format: formatOf(name, path), size: Number(entry.file.fileSize), rows: Number(entry.file.rowCount), columns: extra.length === 0 ? columns : [...columns, ...extra], ...more }
  }

  /** Where the wanted columns are: the same for all files of one schema and partition. */
  #columnsOf(entry: ManifestEntry, written: PaimonSchema): readonly SplitColumn[] {
    const { schema, name } = this.#table, key = `${written.id} ${partitionKey(entry)}`
    let columns = this.#columns.get(key)
    if (columns === undefined) {
      const partition = parseRow(name, entry.partition, fieldsOf(schema, schema.partitionKeys).map(field => field.type))
      columns = this.#fields.map((field, i): SplitColumn => {
        const out = this.#schema[i]
        invariant(out !== undefined, 'a column of the split')
        const at = this.#partition.get(field.name)
        return at === undefined ? columnFrom(name, field, out, written) : constantColumn(field, out, partition[at] ?? null)
      })
      this.#columns.set(key, columns)
    }
    return columns
  }
}

/** The format is told by the file's name: it can differ from file to file. */
function formatOf(table: string, path: string): SplitFile['format'] {
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  if (extension === 'parquet' || extension === 'orc' || extension === 'avro') return extension
  throw unsupported(`file format ${extension} in table ${table}`, { table, where: path })
}
