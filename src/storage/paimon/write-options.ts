/** Whether and how a table can be written: every option that a writer must heed is understood here, or refused by name. */
import type { ParquetCompression } from '../parquet-write.ts'
import { SqlError, unsupported } from '../../error.ts'
import { tableOptions } from './options.ts'
import { bucketKey, trimmedPrimaryKey } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { notUnderstood, paimonTypeText } from './types.ts'

export interface WriteOptions {
  /** Buckets of a partition; −1: rows go to bucket 0, whatever their key. */
  readonly buckets: number
  /** Names of the columns that tell the bucket; empty when there is one. */
  readonly bucketKey: readonly string[]
  /** Names of the columns that files are sorted by and that tell rows apart; empty in append tables. */
  readonly key: readonly string[]
  readonly sequence: readonly { readonly column: string; readonly descending: boolean }[]
  readonly ignoreDelete: boolean
  /** Every change goes into a changelog file, too. */
  readonly changelog: boolean
  /** Files have no copies of the key columns. */
  readonly thin: boolean
  readonly compression: ParquetCompression
  /** Of files of a few KiB: what the table says, else none, for unpacking them would cost more than it saves. */
  readonly smallCompression: ParquetCompression
  readonly dataPrefix: string
  readonly changelogPrefix: string
  readonly suffix: string
  /** Bytes of rows, before compression, that make a file. */
  readonly fileBytes: number
  /** Bytes of rows of one bucket that are kept in memory until the commit; more go into files at once, unless there are removals among them. */
  readonly bufferBytes: number
}

/** Options that a writer must obey and that we do not, and the values with which they ask for nothing. */
const REFUSED: ReadonlyMap<string, readonly string[]> = new Map([
  ['row-tracking.enabled', ['false']],
  ['data-evolution.enabled', ['false']],
  ['rowkind.field', []],
  ['data-file.external-paths', []],
  ['metadata.iceberg.storage', ['disabled']],
  ['write.sequence-number-init-mode', []],
  ['manifest.format', ['avro']],
  ['branch', ['main']],
  ['scan.fallback-branch', []],
  ['clustering.columns', []],
  ['merge-engine', ['deduplicate']],
])

/** How the table is written. Refuses (0A000) by name what we cannot write right. */
export function writeOptions(table: string, schema: PaimonSchema): WriteOptions {
  const read = tableOptions(table, schema)
  const { options } = schema
  const refused = (name: string, hint?: string): SqlError => unsupported(`writing to table ${table} with option ${name} = ${options[name] ?? ''}`, { table, hint })
  const isTrue = (name: string): boolean => options[name]?.toLowerCase() === 'true'
  const keyed = schema.primaryKeys.length > 0
  for (const [name, harmless] of REFUSED) {
    const value = options[name]
    if (value === undefined || harmless.includes(value.toLowerCase())) continue
    if (name === 'merge-engine' && !keyed) continue
    throw refused(name)
  }
  for (const { name, type } of schema.fields) {
    if (notUnderstood(type) !== undefined) throw unsupported(`writing Paimon type ${paimonTypeText(type)} of column "${name}" of table ${table}`, { table, column: name })
    if ((type.kind === 'TIMESTAMP' || type.kind === 'TIMESTAMP_LTZ') && type.precision > 6) throw unsupported(`writing Paimon type ${paimonTypeText(type)} of column "${name}" of table ${table}`, { table, column: name, hint: 'Declare a precision of at most 6.' })
  }
  if (keyed && isTrue('deletion-vectors.enabled')) throw refused('deletion-vectors.enabled', 'Rows would be invisible until another engine compacts the table.')
  const buckets = bucketCount(table, options['bucket'] ?? '-1')
  if (keyed && buckets === -1) throw unsupported(`writing to table ${table} with dynamic buckets`, { table, hint: "Create it with option bucket = 'n', a fixed number of buckets." })
  const format = options['file.format'] ?? 'parquet'
  if (format.toLowerCase() !== 'parquet') throw refused('file.format', 'Only Parquet files can be written.')
  const perLevel = options['file.format.per.level']
  if (perLevel !== undefined && perLevel.split(',').some(part => /^\s*0\s*:/.test(part) && !/parquet\s*$/i.test(part))) throw refused('file.format.per.level')
  const changelog = keyed && read.changelogProducer === 'input'
  if (changelog && (options['changelog-file.format'] ?? 'parquet').toLowerCase() !== 'parquet') throw refused('changelog-file.format')
  const compression = compressionOf(options['file.compression'] ?? 'zstd')
  if (compression === undefined) throw refused('file.compression')
  const bucketed = keyed || (buckets > 0 && options['bucket-key'] !== undefined)
  if (!keyed && buckets > 0 && !bucketed) throw unsupported(`writing to table ${table} with buckets and without option bucket-key`, { table })
  return {
    buckets, changelog, compression, smallCompression: options['file.compression'] === undefined ? 'uncompressed' : compression,
    bucketKey: bucketed && buckets > 0 ? bucketKey(schema) : [],
    key: keyed ? trimmedPrimaryKey(schema) : [],
    sequence: read.sequence,
    ignoreDelete: read.ignoreDelete,
    thin: isTrue('data-file.thin-mode'),
    dataPrefix: options['data-file.prefix'] ?? 'data-',
    changelogPrefix: options['changelog-file.prefix'] ?? 'changelog-',
    suffix: isTrue('file.suffix.include.compression') ? `.${(options['file.compression'] ?? 'zstd').toLowerCase()}.parquet` : '.parquet',
    fileBytes: Math.min(bytesOf(options['target-file-size']) ?? Infinity, 256 * 2 ** 20),
    bufferBytes: bytesOf(options['write-buffer-size']) ?? 256 * 2 ** 20,
  }
}

function bucketCount(table: string, text: string): number {
  const buckets = Number(text)
  if (buckets === -2) throw unsupported(`writing to table ${table} with postponed buckets`, { table, hint: "Create it with option bucket = 'n', a fixed number of buckets." })
  if (!Number.isInteger(buckets) || buckets === 0 || buckets < -2) throw new SqlError('22023', `option bucket = ${text} of table ${table} is no number of buckets`, { table })
  return buckets
}

function compressionOf(text: string): ParquetCompression | undefined {
  switch (text.toLowerCase()) {
    case 'zstd': return 'zstd'
    case 'snappy': return 'snappy'
    case 'gzip': return 'gzip'
    case 'uncompressed': return 'uncompressed'
    default: return undefined // lz4 is Hadoop's own framing in Java
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, bytes: 1, k: 2 ** 10, kb: 2 ** 10, m: 2 ** 20, mb: 2 ** 20, g: 2 ** 30, gb: 2 ** 30 }

/** A size as Paimon writes it: `128 mb`. */
function bytesOf(text: string | undefined): number | undefined {
  const match = text === undefined ? null : /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(text)
  const unit = UNITS[(match?.[2] ?? '?').toLowerCase()]
  return match === null || unit === undefined ? undefined : Math.max(1, Number(match[1]) * unit)
}
