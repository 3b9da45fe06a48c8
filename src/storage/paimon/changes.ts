/**
 * The change from one snapshot to a later one as splits. The law: their signed sum is always the rows of the later snapshot minus those of the earlier,
 * as `snapshotSplits` gives them. Changelog files are used only where they are known to add up to that.
 */
import { SqlError } from '../../error.ts'
import type { FileSplit, ScanStats, VectorPlace } from '../table.ts'
import { KeyOrder } from './keys.ts'
import type { ManifestEntry } from './manifest.ts'
import type { Pruner } from './pruning.ts'
import { byBucket, keepByValues, keepSection, prunePlaces, visible } from './scan.ts'
import { fieldsOf, trimmedPrimaryKey } from './schema.ts'
import type { Snapshot } from './snapshot.ts'
import type { MergeFile, SplitMaker, TableContext } from './splits.ts'
import type { State } from './state.ts'

interface Request {
  readonly table: TableContext
  readonly pruner: Pruner
  readonly maker: SplitMaker
  readonly stats: ScanStats
}

export async function* changeSplits(table: TableContext, from: Snapshot, to: Snapshot, pruner: Pruner, maker: SplitMaker, stats: ScanStats): AsyncGenerator<FileSplit, void, undefined> {
  const request: Request = { table, pruner, maker, stats }
  const commits = await commitsBetween(table, from, to)
  if (table.schema.primaryKeys.length === 0) {
    yield* appendChanges(request, from, commits)
    return
  }
  const [before, after] = await Promise.all([table.files.state(from), table.files.state(to)])
  if (await changelogAddsUp(table, before, after, commits)) {
    const entries: ManifestEntry[] = []
    for (const commit of commits) entries.push(...visibleAdds(await table.files.changelog(commit)))
    const kept = await keepByValues(table, prunePlaces(table, entries, pruner, stats), pruner, stats)
    yield* await maker.signed(kept)
    return
  }
  const touched = await touchedFiles(table, before, commits)
  yield* keyedChanges(request, before, after, touched)
}

/** The snapshots after `from` up to `to`; 55000 when one of them is gone. */
async function commitsBetween(table: TableContext, from: Snapshot, to: Snapshot): Promise<readonly Snapshot[]> {
  const commits: Snapshot[] = []
  for (let id = from.id + 1n; id < to.id; id++) {
    const snapshot = await table.files.snapshot(id)
    if (snapshot === undefined) throw new SqlError('55000', `snapshot ${id} of table ${table.name} has expired`, { table: table.name })
    commits.push(snapshot)
  }
  if (to.id > from.id) commits.push(to)
  return commits
}

function visibleAdds(entries: readonly ManifestEntry[]): readonly ManifestEntry[] {
  return entries.filter(entry => entry.kind === 'add' && entry.bucket >= 0)
}

/** Commit by commit: files that came, files that left, files whose deletion vectors grew. Compactions change no rows. */
async function* appendChanges({ table, pruner, maker, stats }: Request, from: Snapshot, commits: readonly Snapshot[]): AsyncGenerator<FileSplit, void, undefined> {
  let previous = from
  for (const commit of commits) {
    if (commit.commitKind === 'APPEND' || commit.commitKind === 'OVERWRITE') {
      const delta = await table.files.delta(commit)
      const vectorsBefore = await table.files.vectors(previous), vectorsAfter = commit.indexManifest === previous.indexManifest ? vectorsBefore : await table.files.vectors(commit)
      const added = new Set(delta.filter(entry => entry.kind === 'add').map(entry => entry.file.fileName)), removed = new Set(delta.filter(entry => entry.kind === 'delete').map(entry => entry.file.fileName))
      const plus = prunePlaces(table, delta.filter(entry => entry.kind === 'add' && !removed.has(entry.file.fileName)), pruner, stats)
      const minus = prunePlaces(table, delta.filter(entry => entry.kind === 'delete' && !added.has(entry.file.fileName)), pruner, stats)
      yield* await maker.raw((await keepByValues(table, minus, pruner, stats)).map(entry => ({ entry, deleted: vectorsBefore.get(entry.file.fileName) })), -1)
      yield* await maker.raw((await keepByValues(table, plus, pruner, stats)).map(entry => ({ entry, deleted: vectorsAfter.get(entry.file.fileName) })), 1)
      if (vectorsAfter !== vectorsBefore) {
        const changed = (entry: ManifestEntry): boolean => !removed.has(entry.file.fileName) && !added.has(entry.file.fileName) && !samePlace(vectorsBefore.get(entry.file.fileName), vectorsAfter.get(entry.file.fileName))
        const state = await table.files.state(commit)
        const kept = await keepByValues(table, prunePlaces(table, state.entries.filter(changed), pruner, stats), pruner, stats)
        yield* await vectorChanges(maker, kept, vectorsBefore, vectorsAfter)
      }
    }
    previous = commit
  }
}

/** Files that stayed while their vectors changed: the rows that only the new vector removes leave, those that only the old one removed come back. */
async function vectorChanges(maker: SplitMaker, entries: readonly ManifestEntry[], before: ReadonlyMap<string, VectorPlace>, after: ReadonlyMap<string, VectorPlace>): Promise<readonly FileSplit[]> {
  const restricted = (own: ReadonlyMap<string, VectorPlace>, other: ReadonlyMap<string, VectorPlace>): { entry: ManifestEntry; deleted: VectorPlace | undefined; only: VectorPlace }[] =>
    entries.flatMap(entry => {
      const only = other.get(entry.file.fileName)
      return only === undefined ? [] : [{ entry, deleted: own.get(entry.file.fileName), only }]
    })
  return [...await maker.raw(restricted(before, after), -1), ...await maker.raw(restricted(after, before), 1)]
}

function samePlace(a: VectorPlace | undefined, b: VectorPlace | undefined): boolean {
  return a?.path === b?.path && a?.start === b?.start && a?.end === b?.end
}

/**
 * True when the changelog files of these commits sum up to the difference of the states. That a producer's changelog is complete is sure only between
 * states in which its compaction has seen every file; overwrites write no changelog; and one that leaves out unimportant updates does not add up.
 */
async function changelogAddsUp(table: TableContext, before: State, after: State, commits: readonly Snapshot[]): Promise<boolean> {
  const { options } = table
  const producer = options.changelogProducer
  if ((producer !== 'lookup' && producer !== 'full-compaction') || options.changelogIsPartial || options.expiresRecords) return false
  if (commits.some(commit => commit.commitKind === 'OVERWRITE')) return false
  for (const id of new Set([before.snapshot.schemaId, ...commits.map(commit => commit.schemaId)])) {
    if ((await table.files.schema(id)).options['changelog-producer'] !== producer) return false
  }
  const settled = (state: State): boolean => state.entries.every(entry => entry.bucket < 0 || (producer === 'lookup' ? entry.file.level > 0 : entry.file.level === options.topLevel))
  // where level 0 is not shown, what lookup compactions saw is all there is to see
  return (options.skipsLevelZero && producer === 'lookup') || (settled(before) && settled(after))
}

/** The files whose keys may have changed, by name: what was written, and what was removed without being rewritten. */
async function touchedFiles(table: TableContext, before: State, commits: readonly Snapshot[]): Promise<ReadonlyMap<string, ManifestEntry>> {
  const touched = new Map<string, ManifestEntry>()
  // what waited in level 0 becomes visible when it is compacted
  if (table.options.skipsLevelZero) for (const entry of before.entries) if (entry.file.level === 0 && entry.bucket >= 0) touched.set(entry.file.fileName, entry)
  for (const commit of commits) {
    const delta = await table.files.delta(commit)
    // a compaction that takes postponed files makes their rows visible
    const removes = commit.commitKind === 'OVERWRITE' || table.options.expiresRecords || delta.some(entry => entry.bucket < 0 && entry.kind === 'delete')
    if (commit.commitKind !== 'APPEND' && !removes) continue
    for (const entry of delta) if (entry.bucket >= 0 && (entry.kind === 'add' || removes)) touched.set(entry.file.fileName, entry)
  }
  return touched
}

/** Minus the rows that touched keys had, plus those they have. */
async function* keyedChanges({ table, pruner, maker, stats }: Request, before: State, after: State, touched: ReadonlyMap<string, ManifestEntry>): AsyncGenerator<FileSplit, void, undefined> {
  const order = new KeyOrder(fieldsOf(table.schema, trimmedPrimaryKey(table.schema)).map(field => field.type))
  const sides: readonly Side[] = [sideOf(table, before, -1), sideOf(table, after, 1)]
  const all = new Map<string, ManifestEntry>(touched)
  for (const side of sides) for (const [name, entry] of side.files) all.set(name, entry)
  for (const bucket of byBucket(prunePlaces(table, [...all.values()], pruner, stats)).values()) {
    if (!bucket.some(entry => touched.has(entry.file.fileName))) continue
    for (const section of order.sections(table.name, bucket)) {
      if (!section.some(entry => touched.has(entry.file.fileName))) continue
      for (const side of sides) {
        // Files that both sides show alike and one by one cancel out; where files are merged they count, for they may hide each other's rows.
        const alike = (entry: ManifestEntry): boolean => table.options.skipsLevelZero && sides.every(each => each.files.has(entry.file.fileName)) && samePlace(before.vectors.get(entry.file.fileName), after.vectors.get(entry.file.fileName))
        const own = section.filter(entry => side.files.has(entry.file.fileName) && !alike(entry))
        const kept = await keepSection(table, own, pruner, stats)
        if (kept.length === 0) continue
        const marking = section.filter(entry => touched.has(entry.file.fileName) && pruner.keys(entry))
        const files: MergeFile[] = kept.map(entry => ({ entry: side.files.get(entry.file.fileName) ?? entry, marks: marking.includes(entry), keysOnly: false, deleted: side.state.vectors.get(entry.file.fileName) }))
        for (const entry of marking) if (!kept.includes(entry)) files.push({ entry, marks: true, keysOnly: true, deleted: undefined })
        yield await maker.merge(files, side.sign, true)
      }
    }
  }
}

interface Side {
  readonly state: State
  readonly sign: 1 | -1
  /** Files that are visible, by name. */
  readonly files: ReadonlyMap<string, ManifestEntry>
}

function sideOf(table: TableContext, state: State, sign: 1 | -1): Side {
  return { state, sign, files: new Map(visible(table, state.entries).map(entry => [entry.file.fileName, entry])) }
}
