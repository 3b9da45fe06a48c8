/**
 * A Parquet file's metadata. The footer is walked once; column chunks and statistics are decoded when they are asked for, because a footer of many
 * row groups and columns is mostly never looked at.
 */
import { corrupt, unsupported } from '../../error.ts'
import type { Stats } from '../prune.ts'
import type { Converted, Leaf, Logical, ParquetField, SchemaElement, TimeUnit } from './schema.ts'
import { CONVERTED, PHYSICAL, fieldsOf, leavesOf } from './schema.ts'
import type { RawStatistics } from './statistics.ts'
import { statsOf } from './statistics.ts'
import { ThriftReader } from './thrift.ts'

export interface ParquetFile {
  readonly path: string
  readonly size: number
  readonly rows: number
  /** The columns, in file order. Names need not be distinct; the first of a name is meant. */
  readonly schema: readonly ParquetField[]
  readonly rowGroups: readonly RowGroup[]
  readonly keyValueMetadata: ReadonlyMap<string, string>
  readonly createdBy: string
  /** Dates and timestamps before 1582-10-15 are of the Julian calendar (Spark's legacy mode). */
  readonly julian: boolean
}

export interface RowGroup {
  readonly rows: number
  /** Statistics of the columns, by their position in the file's schema. */
  readonly stats: Stats
  /** Where a leaf's pages are. */
  chunk(leaf: Leaf): Chunk
}

/** One column of one row group. */
export interface Chunk {
  readonly codec: Codec
  /** Values and NULLs, elements of lists counted one by one. */
  readonly values: number
  readonly start: number
  readonly end: number
  readonly uncompressed: number
}

export type Codec = 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'LZO' | 'BROTLI' | 'LZ4' | 'ZSTD' | 'LZ4_RAW'
const CODECS: readonly Codec[] = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW']

/** Decodes a footer (the bytes between the last page and the footer's length). `size` is the file's. */
export function decodeFooter(bytes: Uint8Array, path: string, size: number): ParquetFile {
  const reader = new ThriftReader(bytes, 0, bytes.length, path, 'footer')
  const elements: SchemaElement[] = [], groups: GroupPlace[] = [], keyValueMetadata = new Map<string, string>()
  let rows = 0, createdBy = '', ordered = false
  reader.struct(id => {
    switch (id) {
      case 2: reader.list(() => elements.push(schemaElement(reader))); break
      case 3: rows = reader.int(); break
      case 4: reader.list(() => groups.push(groupPlace(reader))); break
      case 5: reader.list(() => keyValue(reader, keyValueMetadata)); break
      case 6: createdBy = reader.string(); break
      case 7: reader.list(() => { ordered = true; reader.skip() }); break
      case 8: throw unsupported('an encrypted Parquet file', { where: path })
      default: reader.skip()
    }
  })
  if (elements.length === 0) throw corrupt(path, 'the footer has no schema')
  const schema = fieldsOf(elements, path), leaves = schema.reduce((sum, field) => sum + leavesOf(field.shape).length, 0)
  const dataEnd = size - 8 - bytes.length
  const file: ParquetFile = {
    path, size, rows, schema, keyValueMetadata, createdBy,
    julian: keyValueMetadata.has('org.apache.spark.legacyDateTime') || keyValueMetadata.has('org.apache.spark.legacyINT96'),
    rowGroups: groups.map(place => new LazyRowGroup(place, bytes, path, dataEnd, () => ({ schema, ordered, julian: file.julian }))),
  }
  for (const [i, group] of groups.entries()) {
    if (group.columns.length !== leaves) throw corrupt(path, `row group ${i} has ${group.columns.length} columns, the schema has ${leaves}`)
    if (group.rows < 0 || group.rows > 2 ** 31 - 64) throw corrupt(path, `row group ${i} has ${group.rows} rows`)
  }
  return file
}

interface GroupPlace { readonly rows: number; readonly columns: readonly number[] }

function groupPlace(reader: ThriftReader): GroupPlace {
  let rows = -1
  const columns: number[] = []
  reader.field(id => {
    switch (id) {
      case 1: reader.list(() => { columns.push(reader.at); reader.skip() }); break
      case 3: rows = reader.int(); break
      default: reader.skip()
    }
  })
  return { rows, columns }
}

interface Decoded { readonly chunk: Chunk; readonly physical: number; readonly statistics: RawStatistics | undefined }

interface StatsContext { readonly schema: readonly ParquetField[]; readonly ordered: boolean; readonly julian: boolean }

class LazyRowGroup implements RowGroup {
  readonly rows: number
  readonly #columns: readonly number[]
  readonly #bytes: Uint8Array
  readonly #path: string
  readonly #dataEnd: number
  readonly #context: () => StatsContext
  readonly #decoded = new Map<number, Decoded>()
  #stats: Stats | undefined

  constructor(place: GroupPlace, bytes: Uint8Array, path: string, dataEnd: number, context: () => StatsContext) {
    this.rows = place.rows
    this.#columns = place.columns
    this.#bytes = bytes
    this.#path = path
    this.#dataEnd = dataEnd
    this.#context = context
  }

  get stats(): Stats {
    if (this.#stats === undefined) {
      const { schema, ordered, julian } = this.#context()
      this.#stats = statsOf(this.rows, schema, leaf => this.#decode(leaf).statistics, ordered, julian)
    }
    return this.#stats
  }

  chunk(leaf: Leaf): Chunk { return this.#decode(leaf).chunk }

  #decode(leaf: Leaf): Decoded {
    let decoded = this.#decoded.get(leaf.index)
    if (decoded === undefined) {
      const what = `metadata of column ${leaf.path}`
      decoded = columnChunk(new ThriftReader(this.#bytes, this.#columns[leaf.index] ?? 0, this.#bytes.length, this.#path, what), this.#path, what, this.#dataEnd)
      if (PHYSICAL[decoded.physical] !== leaf.physical) throw corrupt(this.#path, `${what}: its type is not that of the schema`)
      this.#decoded.set(leaf.index, decoded)
    }
    return decoded
  }
}

function columnChunk(reader: ThriftReader, path: string, what: string, dataEnd: number): Decoded {
  let physical = -1, codec = -1, values = -1, uncompressed = 0, compressed = -1, data = -1, dictionary = 0, elsewhere = false, encrypted = false
  let statistics: RawStatistics | undefined
  reader.struct(id => {
    if (id === 1) { elsewhere = reader.binary().length > 0; return }
    if (id === 8) { encrypted = true; reader.skip(); return }
    if (id !== 3) { reader.skip(); return }
    reader.field(id => {
      switch (id) {
        case 1: physical = reader.int(); break
        case 4: codec = reader.int(); break
        case 5: values = reader.int(); break
        case 6: uncompressed = reader.int(); break
        case 7: compressed = reader.int(); break
        case 9: data = reader.int(); break
        case 11: dictionary = reader.int(); break
        case 12: statistics = rawStatistics(reader); break
        default: reader.skip()
      }
    })
  })
  if (encrypted) throw unsupported('an encrypted Parquet column', { where: path })
  if (elsewhere) throw unsupported('Parquet data in another file than its footer', { where: path })
  const name = CODECS[codec]
  if (name === undefined) throw unsupported(`Parquet codec ${codec}`, { where: path })
  const start = dictionary > 0 && dictionary < data ? dictionary : data, end = start + compressed
  if (values < 0 || values > 2 ** 31 - 64 || compressed < 0 || start < 0 || end > dataEnd || uncompressed < 0) throw corrupt(path, `${what}: its pages are not inside of the file`)
  return { chunk: { codec: name, values, start, end, uncompressed }, physical, statistics }
}

function rawStatistics(reader: ThriftReader): RawStatistics {
  let oldMin: Uint8Array | undefined, oldMax: Uint8Array | undefined, min: Uint8Array | undefined, max: Uint8Array | undefined, nulls: number | undefined
  reader.field(id => {
    switch (id) {
      case 1: oldMax = reader.binary(); break
      case 2: oldMin = reader.binary(); break
      case 3: nulls = reader.int(); break
      case 5: max = reader.binary(); break
      case 6: min = reader.binary(); break
      default: reader.skip()
    }
  })
  return { oldMin, oldMax, min, max, nulls }
}

function keyValue(reader: ThriftReader, into: Map<string, string>): void {
  let key = '', value = ''
  reader.field(id => {
    if (id === 1) key = reader.string()
    else if (id === 2) value = reader.string()
    else reader.skip()
  })
  into.set(key, value)
}

function schemaElement(reader: ThriftReader): SchemaElement {
  let name = '', type = -1, length = 0, repetition = 0, children = 0, converted: Converted | undefined, logical: Logical | undefined, scale = 0, precision = 0, fieldId: number | undefined
  reader.field(id => {
    switch (id) {
      case 1: type = reader.int(); if (PHYSICAL[type] === undefined) reader.fail(`unknown physical type ${type}`); break
      case 2: length = reader.int(); break
      case 3: repetition = reader.int(); break
      case 4: name = reader.string(); break
      case 5: children = reader.int(); break
      case 6: converted = CONVERTED[reader.int()]; break
      case 7: scale = reader.int(); break
      case 8: precision = reader.int(); break
      case 9: fieldId = reader.int(); break
      case 10: logical = logicalType(reader); break
      default: reader.skip()
    }
  })
  return {
    name, physical: PHYSICAL[type], length, repetition: repetition === 2 ? 'repeated' : repetition === 1 ? 'optional' : 'required',
    children, converted, logical, scale, precision, fieldId,
  }
}

function logicalType(reader: ThriftReader): Logical | undefined {
  let logical: Logical | undefined
  reader.field(id => {
    switch (id) {
      case 5: logical = decimalType(reader); return
      case 7: logical = timeType(reader, 'TIME'); return
      case 8: logical = timeType(reader, 'TIMESTAMP'); return
      case 10: logical = integerType(reader); return
    }
    const kind = PLAIN_LOGICAL[id]
    logical = kind === undefined ? { kind: 'other', id } : { kind }
    reader.skip()
  })
  return logical
}

const PLAIN_LOGICAL: Readonly<Record<number, 'STRING' | 'MAP' | 'LIST' | 'ENUM' | 'DATE' | 'UNKNOWN' | 'JSON' | 'BSON' | 'UUID' | 'FLOAT16' | 'VARIANT' | 'GEOMETRY' | 'GEOGRAPHY'>> = {
  1: 'STRING', 2: 'MAP', 3: 'LIST', 4: 'ENUM', 6: 'DATE', 11: 'UNKNOWN', 12: 'JSON', 13: 'BSON', 14: 'UUID', 15: 'FLOAT16', 16: 'VARIANT', 17: 'GEOMETRY', 18: 'GEOGRAPHY',
}

function decimalType(reader: ThriftReader): Logical {
  let scale = 0, precision = 0
  reader.field(id => {
    if (id === 1) scale = reader.int()
    else if (id === 2) precision = reader.int()
    else reader.skip()
  })
  return { kind: 'DECIMAL', scale, precision }
}

function timeType(reader: ThriftReader, kind: 'TIME' | 'TIMESTAMP'): Logical {
  let utc = false, unit: TimeUnit | undefined
  reader.field(id => {
    if (id === 1) utc = reader.bool()
    else if (id === 2) reader.field(id => { unit = id === 1 ? 'millis' : id === 2 ? 'micros' : id === 3 ? 'nanos' : undefined; reader.skip() })
    else reader.skip()
  })
  return unit === undefined ? reader.fail('unknown time unit') : { kind, utc, unit }
}

function integerType(reader: ThriftReader): Logical {
  let bits = 0, signed = true
  reader.field(id => {
    if (id === 1) bits = reader.int()
    else if (id === 2) signed = reader.bool()
    else reader.skip()
  })
  return { kind: 'INTEGER', bits, signed }
}
