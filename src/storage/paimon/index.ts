/** Index manifests: the complete list of a snapshot's index files (deletion vectors, hash indexes, global indexes). Avro files. */
import { corrupt, unsupported } from '../../error.ts'
import { writeAvro } from '../avro/container.ts'
import type { AvroCodec } from '../avro/codec.ts'
import { isRecord } from '../avro/value.ts'
import type { AvroRecord } from '../avro/value.ts'
import type { Json, JsonObject } from '../json.ts'
import { metadataRecords } from './manifest.ts'
import { AvroFields } from './record.ts'

export interface IndexEntry {
  readonly kind: 'add' | 'delete'
  readonly partition: Uint8Array
  readonly bucket: number
  /** `HASH`, `DELETION_VECTORS`, or the name of a global index. */
  readonly indexType: string
  readonly fileName: string
  readonly fileSize: bigint
  readonly rowCount: bigint
  /** Where in the file the deletion vector of each data file is. */
  readonly vectors?: readonly VectorRange[]
  readonly externalPath?: string
  /** What we do not interpret, kept for the next index manifest. */
  readonly globalIndex?: AvroRecord
}

export interface VectorRange {
  readonly dataFile: string
  readonly offset: number
  readonly length: number
  readonly cardinality?: bigint
}

export const DELETION_VECTORS = 'DELETION_VECTORS'
export const HASH = 'HASH'

const nullable = (type: Json): Json => ['null', type]
const optionalField = (name: string, type: Json): Json => ({ name, type: nullable(type), default: null })

function schema(global: boolean): JsonObject {
  return {
    type: 'record', name: 'record', namespace: 'org.apache.paimon.avro.generated', fields: [
      { name: '_VERSION', type: 'int' }, { name: '_KIND', type: 'int' }, { name: '_PARTITION', type: 'bytes' }, { name: '_BUCKET', type: 'int' },
      { name: '_INDEX_TYPE', type: 'string' }, { name: '_FILE_NAME', type: 'string' }, { name: '_FILE_SIZE', type: 'long' }, { name: '_ROW_COUNT', type: 'long' },
      optionalField('_DELETIONS_VECTORS_RANGES', { type: 'array', items: nullable({ type: 'record', name: 'record__DELETIONS_VECTORS_RANGES', fields: [
        { name: 'f0', type: 'string' }, { name: 'f1', type: 'int' }, { name: 'f2', type: 'int' }, optionalField('_CARDINALITY', 'long'),
      ] }) }),
      optionalField('_EXTERNAL_PATH', 'string'),
      ...(global ? [optionalField('_GLOBAL_INDEX', { type: 'record', name: 'record__GLOBAL_INDEX', fields: [
        { name: '_ROW_RANGE_START', type: 'long' }, { name: '_ROW_RANGE_END', type: 'long' }, { name: '_INDEX_FIELD_ID', type: 'int' },
        optionalField('_EXTRA_FIELD_IDS', { type: 'array', items: 'int' }), optionalField('_INDEX_META', 'bytes'), optionalField('_SOURCE_META', 'bytes'),
      ] })] : []),
    ],
  }
}

export function parseIndexManifest(path: string, bytes: Uint8Array): readonly IndexEntry[] {
  const entries: IndexEntry[] = []
  for (const record of metadataRecords(path, bytes)) {
    const fields = new AvroFields(path, record)
    const version = fields.int('_VERSION')
    if (version !== 1) throw unsupported(`version ${version} of Paimon index manifests`, { where: path })
    const kind = fields.int('_KIND')
    if (kind !== 0 && kind !== 1) throw corrupt(path, `an index entry of kind ${kind}`)
    const ranges = fields.list('_DELETIONS_VECTORS_RANGES')
    const global = fields.get('_GLOBAL_INDEX')
    entries.push({
      kind: kind === 0 ? 'add' : 'delete',
      partition: fields.bytes('_PARTITION'),
      bucket: fields.int('_BUCKET'),
      indexType: fields.text('_INDEX_TYPE'),
      fileName: fields.text('_FILE_NAME'),
      fileSize: fields.long('_FILE_SIZE'),
      rowCount: fields.long('_ROW_COUNT'),
      ...(ranges === undefined ? {} : { vectors: ranges.filter(range => range !== null).map(range => vectorRange(path, range)) }),
      ...fields.optionalText('_EXTERNAL_PATH', 'externalPath'),
      ...(isRecord(global) ? { globalIndex: global } : {}),
    })
  }
  return entries
}

function vectorRange(path: string, value: unknown): VectorRange {
  if (typeof value !== 'object' || value === null) throw corrupt(path, 'a range of a deletion vector that is no record')
  const fields = new AvroFields(path, { ...value })
  return { dataFile: fields.text('f0'), offset: fields.int('f1'), length: fields.int('f2'), ...fields.optionalLong('_CARDINALITY', 'cardinality') }
}

export function printIndexManifest(entries: readonly IndexEntry[], codec: AvroCodec): Uint8Array {
  const global = entries.some(entry => entry.globalIndex !== undefined)
  return writeAvro(schema(global), entries.map(entry => ({
    _VERSION: 1, _KIND: entry.kind === 'add' ? 0 : 1, _PARTITION: entry.partition, _BUCKET: entry.bucket, _INDEX_TYPE: entry.indexType,
    _FILE_NAME: entry.fileName, _FILE_SIZE: entry.fileSize, _ROW_COUNT: entry.rowCount,
    _DELETIONS_VECTORS_RANGES: entry.vectors?.map(range => ({ f0: range.dataFile, f1: range.offset, f2: range.length, _CARDINALITY: range.cardinality ?? null })) ?? null,
    _EXTERNAL_PATH: entry.externalPath ?? null, _GLOBAL_INDEX: entry.globalIndex ?? null,
  })), codec)
}
