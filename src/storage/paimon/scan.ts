/** The rows of one snapshot as splits. */
import type { FileSplit, ScanStats, VectorPlace } from '../table.ts'
import { parseRow } from './binaryrow.ts'
import { KeyOrder } from './keys.ts'
import type { ManifestEntry } from './manifest.ts'
import { POSTPONE_BUCKET } from './paths.ts'
import type { Pruner } from './pruning.ts'
import { fieldsOf, trimmedPrimaryKey } from './schema.ts'
import type { SplitMaker, TableContext } from './splits.ts'
import { partitionKey } from './state.ts'
import type { State } from './state.ts'

/** The entries that a reader sees: without postponed files, and without level 0 where that is hidden. */
export function visible(table: TableContext, entries: readonly ManifestEntry[]): readonly ManifestEntry[] {
  return entries.filter(entry => entry.bucket !== POSTPONE_BUCKET && !(table.options.skipsLevelZero && entry.file.level === 0))
}

/** What is left of some entries when those of partitions and buckets that do not matter are gone. Counts them. */
export function prunePlaces(table: TableContext, entries: readonly ManifestEntry[], pruner: Pruner, stats: ScanStats): readonly ManifestEntry[] {
  const types = fieldsOf(table.schema, table.schema.partitionKeys).map(field => field.type)
  const partitions = new Map<string, boolean>()
  const kept = entries.filter(entry => {
    const key = partitionKey(entry)
    let matters = partitions.get(key)
    if (matters === undefined) {
      matters = pruner.partition(parseRow(table.name, entry.partition, types))
      partitions.set(key, matters)
      stats.partitionsTotal++
      if (!matters) stats.partitionsPruned++
    }
    return matters && pruner.bucket(entry)
  })
  stats.filesTotal += entries.length
  stats.filesPruned += entries.length - kept.length
  return kept
}

/** Entries of one bucket of one partition at a time. */
export function byBucket(entries: readonly ManifestEntry[]): ReadonlyMap<string, readonly ManifestEntry[]> {
  const buckets = new Map<string, ManifestEntry[]>()
  for (const entry of entries) {
    const key = `${entry.bucket} ${partitionKey(entry)}`
    const bucket = buckets.get(key)
    if (bucket === undefined) buckets.set(key, [entry])
    else bucket.push(entry)
  }
  return buckets
}

/** All rows of a state, each with weight +1. */
export async function* snapshotSplits(table: TableContext, state: State, pruner: Pruner, maker: SplitMaker, stats: ScanStats): AsyncGenerator<FileSplit, void, undefined> {
  const entries = prunePlaces(table, visible(table, state.entries), pruner, stats)
  const deletedIn = (entry: ManifestEntry): VectorPlace | undefined => state.vectors.get(entry.file.fileName)
  if (table.schema.primaryKeys.length === 0 || table.options.skipsLevelZero) {
    const kept = await keepByValues(table, entries, pruner, stats)
    yield* await maker.raw(kept.map(entry => ({ entry, deleted: deletedIn(entry) })), 1)
    return
  }
  const order = new KeyOrder(fieldsOf(table.schema, trimmedPrimaryKey(table.schema)).map(field => field.type))
  const alone: ManifestEntry[] = []
  for (const bucket of byBucket(entries).values()) {
    for (const section of order.sections(table.name, bucket)) {
      const [first] = section
      if (section.length === 1 && first !== undefined) { alone.push(first); continue }
      const kept = await keepSection(table, section, pruner, stats)
      if (kept.length > 0) yield await maker.merge(kept.map(entry => ({ entry, marks: false, keysOnly: false, deleted: deletedIn(entry) })), 1, false)
    }
  }
  const kept = await keepByValues(table, alone, pruner, stats)
  yield* await maker.raw(kept.map(entry => ({ entry, deleted: deletedIn(entry) })), 1)
}

/** For files that are read alone: each may be left out by its own statistics. */
export async function keepByValues(table: TableContext, entries: readonly ManifestEntry[], pruner: Pruner, stats: ScanStats): Promise<readonly ManifestEntry[]> {
  const kept: ManifestEntry[] = []
  for (const entry of entries) if (pruner.keys(entry) && pruner.values(entry, await table.files.schema(entry.file.schemaId))) kept.push(entry)
  stats.filesPruned += entries.length - kept.length
  return kept
}

/** For files that are merged: by keys each alone; by values only all together, for an old version of a row may match where the newest does not. */
export async function keepSection(table: TableContext, section: readonly ManifestEntry[], pruner: Pruner, stats: ScanStats): Promise<readonly ManifestEntry[]> {
  const kept = section.filter(entry => pruner.keys(entry))
  let some = false
  if (table.options.mergeEngine === 'deduplicate') {
    for (const entry of kept) some ||= pruner.values(entry, await table.files.schema(entry.file.schemaId))
  } else some = true
  stats.filesPruned += section.length - (some ? kept.length : 0)
  return some ? kept : []
}
