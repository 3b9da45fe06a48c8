/** Rows as a data file of a Paimon table: its bytes, and what a manifest says of it. */
import type { ArrowColumn } from '../../arrow.ts'
import type { Batch, Column } from '../../batch.ts'
import { columnReader, constColumn } from '../../column.ts'
import { SqlError, invariant } from '../../error.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Arena, Memory } from '../../memory.ts'
import { INT2, INT8, layoutOf, widthOf } from '../../type.ts'
import type { Field } from '../../type.ts'
import { TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY, DATE_INFINITY, DATE_MINUS_INFINITY } from '../../text/calendar.ts'
import type { Value } from '../../value.ts'
import { columnRange } from '../column-range.ts'
import type { ColumnRange } from '../column-range.ts'
import { ROW_GROUP_ROWS, writeParquetFile } from '../parquet-write.ts'
import { serializeRow } from './binaryrow.ts'
import { NO_KEY } from './manifest.ts'
import type { DataFile } from './manifest.ts'
import { fieldsOf } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { EMPTY_STATS } from './stats.ts'
import { toSqlType } from './types.ts'
import type { PaimonField, PaimonType } from './types.ts'
import type { WriteOptions } from './write-options.ts'
import { fullStats, valueStats } from './write-stats.ts'

/** Ids of the columns that Paimon adds. */
const KEY_FIELD_ID = 1073741823, SEQUENCE_FIELD_ID = 2147483646, KIND_FIELD_ID = 2147483645

/** Data up to both is a small file. */
const SMALL_BYTES = 16 * 1024, SMALL_ROWS = 4096
/** In fewer rows values are not looked for twice. */
const DICTIONARY_ROWS = 64

/** Rows of a table with a key, sorted by it; only then files have numbers and kinds. */
export interface KeyedRows {
  /** Of each row its sequence number (int8) and its kind (int2). */
  readonly number: Column
  readonly kind: Column
  readonly removals: number
}

export interface NewDataFile {
  readonly file: DataFile
  readonly bytes: Uint8Array
}

/** A file of the table's columns of `rows`. `first` and `last` are its sequence numbers. */
export async function makeDataFile(rows: Batch, keyed: KeyedRows | undefined, schema: PaimonSchema, options: WriteOptions, name: string, first: bigint, last: bigint, kernel: Kernel, arena: Arena): Promise<NewDataFile> {
  const { memory } = arena
  const ranges = rows.columns.map((column, i) => checkedRange(column, schema.fields[i], memory))
  const values = schema.fields.map((field, i) => arrowColumnOf(field, field.id, field.type.nullable || (keyed !== undefined && keyed.removals > 0 && (ranges[i]?.nulls ?? 0) > 0)))
  const keyFields = fieldsOf(schema, options.key)
  const keyColumns = keyFields.map(field => columnOf(rows, schema, field))
  const columns: { readonly column: Column; readonly as: ArrowColumn }[] = []
  if (keyed !== undefined) {
    if (!options.thin) keyFields.forEach((field, i) => columns.push({ column: keyColumns[i] ?? keyed.kind, as: { ...arrowColumnOf(field, KEY_FIELD_ID + field.id, false), name: `_KEY_${field.name}` } }))
    columns.push({ column: keyed.number, as: { name: '_SEQUENCE_NUMBER', type: INT8, nullable: false, id: SEQUENCE_FIELD_ID } })
    columns.push({ column: keyed.kind, as: { name: '_VALUE_KIND', type: INT2, nullable: false, id: KIND_FIELD_ID, as: 'int8' } })
  }
  values.forEach((as, i) => columns.push({ column: rows.columns[i] ?? constColumn(null, as.type, rows.length, arena), as }))
  const fields: Field[] = columns.map(({ as }) => ({ name: as.name, type: as.type, nullable: as.nullable }))
  const { toArrow } = await import('../../arrow.ts') // late: only writers need it
  const record = toArrow({ schema: fields, length: rows.length, columns: columns.map(({ column }) => column) }, memory, kernel, columns.map(({ as }) => as))
  const isSmall = rows.length <= SMALL_ROWS && columns.reduce((sum, { column }) => sum + bytesOf(column, memory), 0) <= SMALL_BYTES
  const bytes = await writeParquetFile([record], { compression: isSmall ? options.smallCompression : options.compression, rowGroupRows: ROW_GROUP_ROWS, dictionaries: rows.length >= DICTIONARY_ROWS })
  const { stats, columns: statsColumns } = valueStats(schema, schema.fields, ranges)
  const keyTypes = keyFields.map(field => field.type)
  const keyRanges = keyFields.map(field => ranges[schema.fields.indexOf(field)] ?? { min: null, max: null, nulls: 0 })
  const now = new Date()
  return {
    bytes,
    file: {
      fileName: name,
      fileSize: BigInt(bytes.length),
      rowCount: BigInt(rows.length),
      minKey: keyed === undefined ? NO_KEY : serializeRow(keyTypes, valuesAt(keyColumns, 0, memory)),
      maxKey: keyed === undefined ? NO_KEY : serializeRow(keyTypes, valuesAt(keyColumns, rows.length - 1, memory)),
      keyStats: keyed === undefined ? EMPTY_STATS : fullStats(keyTypes, keyRanges),
      valueStats: stats,
      minSequenceNumber: first,
      maxSequenceNumber: last,
      schemaId: schema.id,
      level: 0,
      extraFiles: [],
      // the wall clock, as if it were UTC: Java's readers and ours take it for that
      creationTime: BigInt(now.getTime() - now.getTimezoneOffset() * 60_000),
      deleteRowCount: BigInt(keyed?.removals ?? 0),
      fileSource: 'append',
      ...(statsColumns === undefined ? {} : { valueStatsCols: statsColumns }),
    },
  }
}

/** Bytes of a column's values, as if none occurred twice. */
function bytesOf({ type, data, length }: Column, memory: Memory): number {
  const width = widthOf(layoutOf(type))
  if (width > 0 || data.kind !== 'var') return Math.max(width, 1) * length
  const { u32 } = memory.refresh()
  return (u32[data.offsets / 4 + length] ?? 0) - (u32[data.offsets / 4] ?? 0)
}

function valuesAt(columns: readonly Column[], row: number, memory: Memory): Value[] {
  return columns.map(column => columnReader(column, memory)(row))
}

function columnOf(rows: Batch, schema: PaimonSchema, field: PaimonField): Column {
  const column = rows.columns[schema.fields.indexOf(field)]
  invariant(column !== undefined, `no column ${field.name}`)
  return column
}

/** The range of a column, all of whose values Paimon can hold. */
function checkedRange(column: Column, field: PaimonField | undefined, memory: Memory): ColumnRange {
  const range = columnRange(column, memory)
  const { min, max } = range
  switch (field?.type.kind) {
    case 'TINYINT':
      if (typeof min === 'number' && typeof max === 'number' && (min < -128 || max > 127)) throw new SqlError('22003', `value ${min < -128 ? min : max} is out of range for Paimon type TINYINT of column "${field.name}"`, { column: field.name })
      break
    case 'DATE':
      if (min === DATE_MINUS_INFINITY || max === DATE_INFINITY) throw infinite(field)
      break
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ':
      if (min === TIMESTAMP_MINUS_INFINITY || max === TIMESTAMP_INFINITY) throw infinite(field)
      break
    default:
  }
  return range
}

function infinite(field: PaimonField): SqlError {
  return new SqlError('22008', `column "${field.name}" cannot hold infinity`, { column: field.name, detail: 'Paimon has no infinite dates and timestamps.' })
}

/** How a Parquet file holds a column. */
function arrowColumnOf(field: PaimonField, id: number, nullable: boolean): ArrowColumn {
  return arrowOf(field.name, field.type, id, nullable, field.id, 1)
}

/** `root` is the id of the top-level column and `depth` how deep below it the type's parts are: their ids follow from both. */
function arrowOf(name: string, type: PaimonType, id: number, nullable: boolean, root: number, depth: number): ArrowColumn {
  const base = { name, type: toSqlType(type), nullable, id }
  const above = 536870911 + 1024 * root + depth, below = 536870911 - 1024 * root - depth
  switch (type.kind) {
    case 'TINYINT': return { ...base, as: 'int8' }
    case 'TIME': return { ...base, as: 'milliseconds' }
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ': return type.precision <= 3 ? { ...base, as: 'milliseconds' } : base
    case 'ARRAY': return { ...base, children: [arrowOf('element', type.element, above, type.element.nullable, root, depth + 1)] }
    case 'MAP': return { ...base, children: [arrowOf('key', type.key, below, false, root, depth + 1), arrowOf('value', type.value, above, type.value.nullable, root, depth + 1)] }
    case 'MULTISET': return { ...base, children: [arrowOf('key', type.element, below, false, root, depth + 1), { name: 'value', type: { kind: 'int4' }, nullable: false, id: above }] }
    case 'ROW': return { ...base, children: type.fields.map(field => arrowOf(field.name, field.type, field.id, field.type.nullable, field.id, 1)) }
    default: return base
  }
}
