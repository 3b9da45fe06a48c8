/**
 * What a table's options mean to a reader. Each option is known harmless, or understood, or refused by name: a table whose options we do not
 * know might read wrong without a word.
 */
import { unsupported } from '../../error.ts'
import type { SqlError } from '../../error.ts'
import type { PaimonSchema } from './schema.ts'
import { fieldNamed } from './types.ts'

export interface TableOptions {
  readonly mergeEngine: 'deduplicate' | 'partial-update' | 'aggregation' | 'first-row'
  readonly changelogProducer: 'none' | 'input' | 'lookup' | 'full-compaction'
  /** Level 0 is not shown and files are read one by one with their deletion vectors; true for deletion vectors without merge-on-read, and for first-row. */
  readonly skipsLevelZero: boolean
  /** Columns that tell which of two rows with one key is newer, before the order of writing does. */
  readonly sequence: readonly { readonly column: string; readonly descending: boolean }[]
  readonly ignoreDelete: boolean
  /** A changelog that leaves out changes of some columns, so that it does not add up to the table. */
  readonly changelogIsPartial: boolean
  /** Compactions drop rows by age. */
  readonly expiresRecords: boolean
  /** The level on which a full compaction puts everything. */
  readonly topLevel: number
}

/** Options that say how to write, compact, keep, commit, show or tune; a reader's answer does not depend on them. */
const HARMLESS = new Set([
  'aggregation.remove-record-on-delete', 'async-file-write', 'auto-create', 'bucket', 'bucket-append-ordered', 'bucket-function.type', 'bucket-key', 'callback.async-timeout',
  'changelog-producer', 'changelog-producer.row-deduplicate', 'changelog-producer.row-deduplicate-ignore-fields', 'comment', 'connector', 'consumer-id',
  'cross-partition-upsert.bootstrap-parallelism', 'cross-partition-upsert.index-ttl', 'data-file.external-paths', 'data-file.external-paths.specific-fs', 'data-file.external-paths.strategy',
  'data-file.path-directory', 'data-file.prefix', 'data-file.thin-mode', 'delete-file.thread-num', 'delete.force-produce-changelog', 'disable-alter-column-null-to-not-null',
  'disable-explicit-type-casting', 'add-column-before-partition', 'alter-column-null-to-not-null.disabled', 'dynamic-partition-overwrite', 'end-input.check-partition-expire', 'file-operation.thread-num',
  'file-reader-async-threshold', 'file.block-size', 'file.compression', 'file.compression.per.level', 'file.compression.zstd-level', 'file.format', 'file.format.per.level', 'file.suffix.include.compression',
  'force-lookup', 'full-compaction.delta-commits', 'ignore-delete', 'ignore-update-before', 'index-file-in-data-file-dir', 'local-merge-buffer-size', 'local-sort.max-num-file-handles',
  'log.changelog-mode', 'log.consistency', 'log.system', 'materialized-table.definition-query', 'max-level0-files', 'merge-engine', 'metastore.partitioned-table', 'metastore.tag-to-partition', 'metastore.tag-to-partition.preview',
  'num-levels', 'num-sorted-run.compaction-trigger', 'num-sorted-run.stop-trigger', 'owner', 'page-size', 'partial-update.remove-record-on-delete', 'partial-update.remove-record-on-sequence-group', 'partition', 'path',
  'primary-key', 'precommit-compact', 'prepare-commit.thread-num', 'read.batch-size', 'rowkind.field', 'row-tracking.enabled', 'sequence.field', 'sequence.field.sort-order', 'sort-compaction.local-sample.magnification',
  'sort-compaction.range-strategy', 'sort-engine', 'sort-spill-buffer-size', 'sort-spill-threshold', 'spill-compression', 'spill-compression.zstd-level', 'streaming-read-append-overwrite', 'streaming-read-mode',
  'streaming-read-overwrite', 'target-file-size', 'type', 'write-only', 'write-buffer-size', 'write-buffer-spillable', 'write-manifest-cache', 'write-max-writers-to-spill',
  'deletion-vectors.enabled', 'deletion-vectors.bitmap64', 'deletion-vectors.merge-on-read', 'deletion-vector.index-file.target-size', 'visibility-callback.enabled',
])

/** The same, by how the name begins. */
const HARMLESS_PREFIXES = [
  'avro.', 'changelog-file.', 'changelog.', 'commit.', 'compaction.', 'consumer.', 'continuous.', 'csv.', 'delta.', 'dynamic-bucket.', 'end-input.', 'fields.', 'file-index.', 'format-table.', 'global-index.',
  'hive.', 'incremental-cluster', 'clustering.', 'kafka.', 'lineage.', 'lookup', 'manifest.', 'materialized-table.', 'metadata.stats-', 'metadata.iceberg.', 'metastore.', 'orc.', 'parquet.', 'partition.',
  'postpone.', 'rocksdb.', 'read.shuffle', 'snapshot.', 'sink.', 'sluice.', 'source.', 'spark.', 'sort-', 'streaming.', 'table-read.', 'tag.', 'unaware-bucket.', 'write.', 'write-', 'zorder.',
]

/** Options that change what a reader sees in a way that is not implemented, and the values with which they do nothing. */
const REFUSED: ReadonlyMap<string, readonly string[]> = new Map([
  ['data-evolution.enabled', ['false']],
  ['sequence.snapshot-ordering', ['false']],
  ['pk-clustering-override', ['false']],
  ['chain-table.enabled', ['false']],
  ['scan.fallback-branch', []],
  ['scan.primary-branch', []],
  ['postpone.merge-on-read', ['false']],
  ['query-auth.enabled', ['false']],
  ['primary-key.nullable', ['false']],
  ['branch', ['main']],
])

/** Reads the options of a table; refuses (0A000) by name what might make it read wrong. `table` is its name for errors. */
export function tableOptions(table: string, schema: PaimonSchema): TableOptions {
  for (const [name, value] of Object.entries(schema.options)) checkOption(table, name, value)
  const { options } = schema
  const type = options['type'] ?? 'table'
  if (type !== 'table' && type !== 'materialized-table') throw refused(table, 'type', type)
  const engine = options['merge-engine'] ?? 'deduplicate'
  if (engine !== 'deduplicate' && engine !== 'partial-update' && engine !== 'aggregation' && engine !== 'first-row') throw refused(table, 'merge-engine', engine)
  const producer = options['changelog-producer'] ?? 'none'
  if (producer !== 'none' && producer !== 'input' && producer !== 'lookup' && producer !== 'full-compaction') throw refused(table, 'changelog-producer', producer)
  const keyed = schema.primaryKeys.length > 0
  const vectors = isTrue(options['deletion-vectors.enabled']), mergeOnRead = isTrue(options['deletion-vectors.merge-on-read'])
  const order = options['sequence.field.sort-order'] ?? 'ascending'
  if (order !== 'ascending' && order !== 'descending') throw refused(table, 'sequence.field.sort-order', order)
  const sequence = (options['sequence.field'] ?? '').split(',').map(name => name.trim()).filter(name => name !== '')
  for (const name of sequence) fieldNamed(`option sequence.field of table ${table}`, schema.fields, name)
  return {
    mergeEngine: engine,
    changelogProducer: producer,
    skipsLevelZero: keyed && ((vectors && !mergeOnRead) || engine === 'first-row'),
    sequence: sequence.map(column => ({ column, descending: order === 'descending' })),
    ignoreDelete: ['ignore-delete', 'first-row.ignore-delete', 'deduplicate.ignore-delete', 'partial-update.ignore-delete'].some(name => isTrue(options[name])),
    changelogIsPartial: options['changelog-producer.row-deduplicate-ignore-fields'] !== undefined,
    expiresRecords: options['record-level.expire-time'] !== undefined,
    topLevel: Number(options['num-levels'] ?? Number(options['num-sorted-run.compaction-trigger'] ?? 5) + 1) - 1,
  }
}

function checkOption(table: string, name: string, value: string): void {
  const without = REFUSED.get(name)
  if (without !== undefined && !without.includes(value.toLowerCase())) throw refused(table, name, value)
  if (without !== undefined || HARMLESS.has(name) || HARMLESS_PREFIXES.some(prefix => name.startsWith(prefix))) return
  if (/^record-level\.|^(?:first-row|deduplicate|partial-update)\.ignore-delete$/.test(name)) return
  if (/^scan\.(?:parallelism|infer-parallelism|manifest\.parallelism|max-splits-per-task|plan-sort-partition|split-enumerator\..*|bounded\.watermark|watermark\..*|remove-normalize|push-down)$/.test(name)) return
  throw refused(table, name, value)
}

function refused(table: string, name: string, value: string): SqlError {
  return unsupported(`option ${name} = ${value} of table ${table}`, { table })
}

function isTrue(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true'
}
