/** Manifests: which data files were added and removed. And manifest lists, which name manifests. Both are Avro files. */
import { corrupt, unsupported } from '../../error.ts'
import { readAvro, writeAvro, isAvro } from '../avro/container.ts'
import type { AvroCodec } from '../avro/codec.ts'
import type { AvroRecord } from '../avro/value.ts'
import type { Json, JsonObject } from '../json.ts'
import { AvroFields } from './record.ts'
import { EMPTY_ROW } from './binaryrow.ts'
import { readStats, writeStats } from './stats.ts'
import type { SimpleStats } from './stats.ts'

/** A manifest as a manifest list names it. */
export interface ManifestMeta {
  readonly fileName: string
  readonly fileSize: bigint
  readonly addedFiles: bigint
  readonly deletedFiles: bigint
  /** Over the partition columns of all its entries. */
  readonly partitionStats: SimpleStats
  readonly schemaId: bigint
  readonly minBucket?: number
  readonly maxBucket?: number
  readonly minLevel?: number
  readonly maxLevel?: number
  readonly minRowId?: bigint
  readonly maxRowId?: bigint
}

export interface ManifestEntry {
  readonly kind: 'add' | 'delete'
  /** Serialised row of the partition columns; of none when the table has no partitions. */
  readonly partition: Uint8Array
  /** −2: postponed. */
  readonly bucket: number
  /** Buckets of the partition when the file was written; −1 when their number is not fixed. */
  readonly totalBuckets: number
  readonly file: DataFile
}

export interface DataFile {
  readonly fileName: string
  readonly fileSize: bigint
  /** Rows in the file, removals included. */
  readonly rowCount: bigint
  /** Serialised rows of the trimmed primary key; of no columns in append tables. */
  readonly minKey: Uint8Array
  readonly maxKey: Uint8Array
  readonly keyStats: SimpleStats
  /** Over all columns, or over those of `valueStatsCols`. */
  readonly valueStats: SimpleStats
  readonly minSequenceNumber: bigint
  readonly maxSequenceNumber: bigint
  readonly schemaId: bigint
  readonly level: number
  readonly extraFiles: readonly string[]
  /** Wall clock of the writer's zone, as if it were UTC. */
  readonly creationTime?: bigint
  readonly deleteRowCount?: bigint
  readonly embeddedIndex?: Uint8Array
  readonly fileSource?: 'append' | 'compact'
  readonly valueStatsCols?: readonly string[]
  readonly externalPath?: string
  readonly firstRowId?: bigint
  readonly writeCols?: readonly string[]
}

const nullable = (type: Json): Json => ['null', type]
const field = (name: string, type: Json): Json => ({ name, type })
const optionalField = (name: string, type: Json): Json => ({ name, type: nullable(type), default: null })

function statsSchema(name: string): Json {
  return { type: 'record', name, fields: [field('_MIN_VALUES', 'bytes'), field('_MAX_VALUES', 'bytes'), optionalField('_NULL_COUNTS', { type: 'array', items: nullable('long') })] }
}

/** Files of fewer bytes are not compressed: unpacking them would cost more than it saves. */
const SMALL = 8 * 1024

const LIST_SCHEMA: JsonObject = {
  type: 'record', name: 'record', namespace: 'org.apache.paimon.avro.generated', fields: [
    field('_VERSION', 'int'), field('_FILE_NAME', 'string'), field('_FILE_SIZE', 'long'), field('_NUM_ADDED_FILES', 'long'), field('_NUM_DELETED_FILES', 'long'),
    field('_PARTITION_STATS', statsSchema('record__PARTITION_STATS')), field('_SCHEMA_ID', 'long'),
    optionalField('_MIN_BUCKET', 'int'), optionalField('_MAX_BUCKET', 'int'), optionalField('_MIN_LEVEL', 'int'), optionalField('_MAX_LEVEL', 'int'),
    optionalField('_MIN_ROW_ID', 'long'), optionalField('_MAX_ROW_ID', 'long'),
  ],
}

const ENTRY_SCHEMA: JsonObject = {
  type: 'record', name: 'record', namespace: 'org.apache.paimon.avro.generated', fields: [
    field('_VERSION', 'int'), field('_KIND', 'int'), field('_PARTITION', 'bytes'), field('_BUCKET', 'int'), field('_TOTAL_BUCKETS', 'int'),
    field('_FILE', { type: 'record', name: 'record__FILE', fields: [
      field('_FILE_NAME', 'string'), field('_FILE_SIZE', 'long'), field('_ROW_COUNT', 'long'), field('_MIN_KEY', 'bytes'), field('_MAX_KEY', 'bytes'),
      field('_KEY_STATS', statsSchema('record__FILE__KEY_STATS')), field('_VALUE_STATS', statsSchema('record__FILE__VALUE_STATS')),
      field('_MIN_SEQUENCE_NUMBER', 'long'), field('_MAX_SEQUENCE_NUMBER', 'long'), field('_SCHEMA_ID', 'long'), field('_LEVEL', 'int'),
      field('_EXTRA_FILES', { type: 'array', items: 'string' }), optionalField('_CREATION_TIME', { type: 'long', logicalType: 'timestamp-millis' }),
      optionalField('_DELETE_ROW_COUNT', 'long'), optionalField('_EMBEDDED_FILE_INDEX', 'bytes'), optionalField('_FILE_SOURCE', 'int'),
      optionalField('_VALUE_STATS_COLS', { type: 'array', items: 'string' }), optionalField('_EXTERNAL_PATH', 'string'), optionalField('_FIRST_ROW_ID', 'long'),
      optionalField('_WRITE_COLS', { type: 'array', items: 'string' }),
    ] }),
  ],
}

/** The records of an Avro metadata file; other formats (options of older releases) are refused by name. */
export function metadataRecords(path: string, bytes: Uint8Array): Iterable<AvroRecord> {
  if (isAvro(bytes)) return readAvro(path, bytes).records
  const magic = new TextDecoder().decode(bytes.subarray(0, 4))
  if (magic.startsWith('ORC')) throw unsupported('option manifest.format = orc', { where: path })
  if (magic === 'PAR1') throw unsupported('option manifest.format = parquet', { where: path })
  throw corrupt(path, 'is not an Avro container file')
}

export function parseManifestList(path: string, bytes: Uint8Array): readonly ManifestMeta[] {
  const metas: ManifestMeta[] = []
  for (const record of metadataRecords(path, bytes)) {
    const fields = new AvroFields(path, record)
    version(path, fields)
    metas.push({
      fileName: fields.text('_FILE_NAME'),
      fileSize: fields.long('_FILE_SIZE'),
      addedFiles: fields.long('_NUM_ADDED_FILES'),
      deletedFiles: fields.long('_NUM_DELETED_FILES'),
      partitionStats: readStats(path, fields.record('_PARTITION_STATS')),
      schemaId: fields.long('_SCHEMA_ID'),
      ...fields.optionalInt('_MIN_BUCKET', 'minBucket'), ...fields.optionalInt('_MAX_BUCKET', 'maxBucket'),
      ...fields.optionalInt('_MIN_LEVEL', 'minLevel'), ...fields.optionalInt('_MAX_LEVEL', 'maxLevel'),
      ...fields.optionalLong('_MIN_ROW_ID', 'minRowId'), ...fields.optionalLong('_MAX_ROW_ID', 'maxRowId'),
    })
  }
  return metas
}

export function printManifestList(metas: readonly ManifestMeta[], codec: AvroCodec): Uint8Array {
  return writeAvro(LIST_SCHEMA, metas.map(meta => ({
    _VERSION: 2, _FILE_NAME: meta.fileName, _FILE_SIZE: meta.fileSize, _NUM_ADDED_FILES: meta.addedFiles, _NUM_DELETED_FILES: meta.deletedFiles,
    _PARTITION_STATS: writeStats(meta.partitionStats), _SCHEMA_ID: meta.schemaId,
    _MIN_BUCKET: meta.minBucket ?? null, _MAX_BUCKET: meta.maxBucket ?? null, _MIN_LEVEL: meta.minLevel ?? null, _MAX_LEVEL: meta.maxLevel ?? null,
    _MIN_ROW_ID: meta.minRowId ?? null, _MAX_ROW_ID: meta.maxRowId ?? null,
  })), codec, SMALL)
}

export function parseManifest(path: string, bytes: Uint8Array): readonly ManifestEntry[] {
  const entries: ManifestEntry[] = []
  for (const record of metadataRecords(path, bytes)) {
    const fields = new AvroFields(path, record)
    version(path, fields)
    const kind = fields.int('_KIND')
    if (kind !== 0 && kind !== 1) throw corrupt(path, `an entry of kind ${kind}`)
    const bucket = fields.int('_BUCKET'), totalBuckets = fields.int('_TOTAL_BUCKETS')
    if (totalBuckets > 0 && (bucket < 0 || bucket >= totalBuckets)) throw corrupt(path, `bucket ${bucket} of ${totalBuckets}`)
    entries.push({
      kind: kind === 0 ? 'add' : 'delete',
      partition: fields.bytes('_PARTITION'),
      bucket,
      totalBuckets,
      file: dataFile(path, new AvroFields(path, fields.record('_FILE'))),
    })
  }
  return entries
}

function version(path: string, fields: AvroFields): void {
  const version = fields.int('_VERSION')
  if (version !== 2) throw unsupported(`version ${version} of Paimon manifests`, { where: path })
}

function dataFile(path: string, fields: AvroFields): DataFile {
  const source = fields.optionalInt('_FILE_SOURCE', 'source').source
  if (source !== undefined && source !== 0 && source !== 1) throw corrupt(path, `a file of source ${source}`)
  const rowCount = fields.long('_ROW_COUNT'), fileSize = fields.long('_FILE_SIZE')
  if (rowCount < 0n || fileSize < 0n) throw corrupt(path, `a file of ${rowCount} rows and ${fileSize} bytes`)
  return {
    fileName: fields.text('_FILE_NAME'),
    fileSize,
    rowCount,
    minKey: fields.bytes('_MIN_KEY'),
    maxKey: fields.bytes('_MAX_KEY'),
    keyStats: readStats(path, fields.record('_KEY_STATS')),
    valueStats: readStats(path, fields.record('_VALUE_STATS')),
    minSequenceNumber: fields.long('_MIN_SEQUENCE_NUMBER'),
    maxSequenceNumber: fields.long('_MAX_SEQUENCE_NUMBER'),
    schemaId: fields.long('_SCHEMA_ID'),
    level: fields.int('_LEVEL'),
    extraFiles: fields.texts('_EXTRA_FILES', 'extraFiles').extraFiles ?? [],
    ...fields.optionalLong('_CREATION_TIME', 'creationTime'),
    ...fields.optionalLong('_DELETE_ROW_COUNT', 'deleteRowCount'),
    ...fields.optionalBytes('_EMBEDDED_FILE_INDEX', 'embeddedIndex'),
    ...(source === undefined ? {} : { fileSource: source === 0 ? 'append' as const : 'compact' as const }),
    ...fields.texts('_VALUE_STATS_COLS', 'valueStatsCols'),
    ...fields.optionalText('_EXTERNAL_PATH', 'externalPath'),
    ...fields.optionalLong('_FIRST_ROW_ID', 'firstRowId'),
    ...fields.texts('_WRITE_COLS', 'writeCols'),
  }
}

export function printManifest(entries: readonly ManifestEntry[], codec: AvroCodec): Uint8Array {
  return writeAvro(ENTRY_SCHEMA, entries.map(entry => ({
    _VERSION: 2, _KIND: entry.kind === 'add' ? 0 : 1, _PARTITION: entry.partition, _BUCKET: entry.bucket, _TOTAL_BUCKETS: entry.totalBuckets,
    _FILE: {
      _FILE_NAME: entry.file.fileName, _FILE_SIZE: entry.file.fileSize, _ROW_COUNT: entry.file.rowCount, _MIN_KEY: entry.file.minKey, _MAX_KEY: entry.file.maxKey,
      _KEY_STATS: writeStats(entry.file.keyStats), _VALUE_STATS: writeStats(entry.file.valueStats),
      _MIN_SEQUENCE_NUMBER: entry.file.minSequenceNumber, _MAX_SEQUENCE_NUMBER: entry.file.maxSequenceNumber, _SCHEMA_ID: entry.file.schemaId, _LEVEL: entry.file.level,
      _EXTRA_FILES: entry.file.extraFiles, _CREATION_TIME: entry.file.creationTime ?? null, _DELETE_ROW_COUNT: entry.file.deleteRowCount ?? null,
      _EMBEDDED_FILE_INDEX: entry.file.embeddedIndex ?? null, _FILE_SOURCE: entry.file.fileSource === undefined ? null : entry.file.fileSource === 'append' ? 0 : 1,
      _VALUE_STATS_COLS: entry.file.valueStatsCols ?? null, _EXTERNAL_PATH: entry.file.externalPath ?? null, _FIRST_ROW_ID: entry.file.firstRowId ?? null,
      _WRITE_COLS: entry.file.writeCols ?? null,
    },
  })), codec, SMALL)
}

/** What a removal must have in common with the addition that it cancels. */
export function entryIdentity(entry: ManifestEntry): string {
  const { file } = entry
  return [hex(entry.partition), entry.bucket, file.level, file.fileName, file.extraFiles.join('\u0001'), file.embeddedIndex === undefined ? '' : hex(file.embeddedIndex), file.externalPath ?? ''].join('\u0000')
}

/** Bytes as text, for keys of maps. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** The keys of append tables' files: rows of no columns. */
export const NO_KEY: Uint8Array = EMPTY_ROW
