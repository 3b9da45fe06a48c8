/**
 * Commits: new files become a snapshot, whole or not at all. The one decisive step is the exclusive creation of `snapshot-N`; what was written before it is
 * invisible, and what comes after it are hints.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { compareValues } from '../../function/comparison.ts'
import { SqlError } from '../../error.ts'
import type { Value } from '../../value.ts'
import { parseRow, serializeRow } from './binaryrow.ts'
import { entryIdentity, printManifest, printManifestList } from './manifest.ts'
import type { ManifestEntry, ManifestMeta } from './manifest.ts'
import { latestHintPath, manifestPath, snapshotPath } from './paths.ts'
import { fieldsOf } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { printSnapshot } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'
import type { TableFiles } from './state.ts'
import { isMissing } from './state.ts'
import type { SimpleStats } from './stats.ts'
import { EMPTY_STATS } from './stats.ts'
import { toSqlType } from './types.ts'

/** The identifier of a commit that belongs to no stream. */
export const BATCH_COMMIT = 9223372036854775807n

export interface CommitRequest {
  /** Who commits, and which of its commits it is: identifiers of one user increase. */
  readonly user: string
  readonly identifier: bigint
  readonly properties: Readonly<Record<string, string>> | undefined
  /** What the commit adds when it follows `base`. Asked anew whenever another commit came first. */
  changes(base: Snapshot | undefined): Promise<Changes>
}

export interface Changes {
  readonly files: readonly ManifestEntry[]
  readonly changelog: readonly ManifestEntry[]
  /** `all`: nothing of what was there is left; `some`: of some partitions. Absent: everything stays. */
  readonly overwrites?: 'all' | 'some'
}

/** It is not known whether a commit happened: nothing that it names may be removed. */
export class UnknownOutcome extends SqlError {
  constructor(table: string, cause: unknown) {
    super('08007', `it is not known whether the commit to table ${table} happened`, { table, cause, hint: 'Look at the table before writing the rows again.' })
  }
}

/** Commits, trying again behind other writers. The snapshot that holds the changes. Nothing but the caller's own files is left behind when it throws. */
export async function commit(files: TableFiles, table: string, schema: PaimonSchema, request: CommitRequest): Promise<Snapshot> {
  const retries = wholeNumber(schema.options['commit.max-retries']) ?? 10
  for (let attempt = 0; ; attempt++) {
    const committed = await attemptCommit(files, table, schema, request, await files.latest())
    if (committed !== undefined) return committed
    if (attempt >= retries) throw new SqlError('40001', `could not commit to table ${table}: other writers came first ${attempt + 1} times`, { table })
    await sleep(Math.random() * Math.min(10_000, 10 * 2 ** attempt))
  }
}

/** One attempt to follow `base`; undefined when another writer came first. */
async function attemptCommit(files: TableFiles, table: string, schema: PaimonSchema, request: CommitRequest, base: Snapshot | undefined): Promise<Snapshot | undefined> {
  const { store, directory } = files
  if (!await files.isStill(schema)) throw new SqlError('40001', `table ${table} was dropped, or made anew, before rows written to it were committed`, { table })
  const changes = await request.changes(base)
  const newest = await files.latestSchema() ?? schema
  const metadata = new MetadataWriter(files, schema)
  try {
    const before = base === undefined ? [] : await merged(files, schema, base, metadata)
    const baseList = metadata.list(before)
    const deltaList = metadata.list(changes.files.length === 0 ? [] : [metadata.manifest(changes.files)])
    const changelogList = changes.changelog.length === 0 ? undefined : metadata.list([metadata.manifest(changes.changelog)])
    const added = changes.files.reduce((sum, entry) => sum + (entry.kind === 'add' ? entry.file.rowCount : -entry.file.rowCount), 0n)
    const id = (base?.id ?? 0n) + 1n
    const snapshot: Snapshot = {
      version: 3, id, schemaId: newest.id,
      baseManifestList: baseList.name, baseManifestListSize: baseList.size,
      deltaManifestList: deltaList.name, deltaManifestListSize: deltaList.size,
      ...(changelogList === undefined ? {} : { changelogManifestList: changelogList.name, changelogManifestListSize: changelogList.size }),
      ...(base?.indexManifest === undefined || changes.overwrites === 'all' ? {} : { indexManifest: base.indexManifest }),
      commitUser: request.user, commitIdentifier: request.identifier, commitKind: changes.overwrites === undefined ? 'APPEND' : 'OVERWRITE', timeMillis: BigInt(Date.now()),
      totalRecordCount: (base?.totalRecordCount ?? 0n) + added, deltaRecordCount: added,
      changelogRecordCount: changes.changelog.reduce((sum, entry) => sum + entry.file.rowCount, 0n),
      ...(base?.watermark === undefined ? {} : { watermark: base.watermark }),
      ...(base?.statistics === undefined || base.schemaId !== newest.id ? {} : { statistics: base.statistics }),
      ...(request.properties === undefined ? {} : { properties: request.properties }),
      nextRowId: base?.nextRowId ?? 0n,
    }
    await metadata.written()
    if (!await created(files, table, snapshot)) {
      await metadata.remove()
      return undefined
    }
    // Only a hint: the snapshot is there whether this succeeds or not.
    await store.write(latestHintPath(directory), new TextEncoder().encode(String(id)), 'replace').catch(() => undefined)
    return snapshot
  } catch (error) {
    if (!(error instanceof UnknownOutcome)) await metadata.remove().catch(() => undefined)
    throw error
  }
}

/** Creates the snapshot; false when that number is taken. When the answer is lost, looks whether the snapshot there is ours. */
async function created(files: TableFiles, table: string, snapshot: Snapshot): Promise<boolean> {
  const { store, directory } = files
  try {
    return await store.write(snapshotPath(directory, snapshot.id), printSnapshot(snapshot), 'create')
  } catch (error) {
    let there: Snapshot | undefined
    try {
      there = await files.snapshot(snapshot.id)
    } catch {
      throw new UnknownOutcome(table, error)
    }
    if (there === undefined) throw error
    return there.deltaManifestList === snapshot.deltaManifestList
  }
}

/** Writes manifests and their lists under names of one uuid, all at the same time, and knows how to remove them again. */
class MetadataWriter {
  readonly #files: TableFiles
  readonly #schema: PaimonSchema
  readonly #uuid = randomUUID()
  readonly #paths: string[] = []
  readonly #writes: Promise<unknown>[] = []
  #manifests = 0
  #lists = 0

  constructor(files: TableFiles, schema: PaimonSchema) {
    this.#files = files
    this.#schema = schema
  }

  manifest(entries: readonly ManifestEntry[]): ManifestMeta {
    const name = `manifest-${this.#uuid}-${this.#manifests++}`
    const bytes = printManifest(entries, 'zstandard')
    this.#write(name, bytes)
    const buckets = entries.map(entry => entry.bucket), levels = entries.map(entry => entry.file.level)
    return {
      fileName: name, fileSize: BigInt(bytes.length),
      addedFiles: BigInt(entries.filter(entry => entry.kind === 'add').length), deletedFiles: BigInt(entries.filter(entry => entry.kind === 'delete').length),
      partitionStats: partitionStats(this.#schema, entries), schemaId: this.#schema.id,
      minBucket: Math.min(...buckets), maxBucket: Math.max(...buckets), minLevel: Math.min(...levels), maxLevel: Math.max(...levels),
    }
  }

  list(manifests: readonly ManifestMeta[]): { readonly name: string; readonly size: bigint } {
    const name = `manifest-list-${this.#uuid}-${this.#lists++}`
    const bytes = printManifestList(manifests, 'zstandard')
    this.#write(name, bytes)
    return { name, size: BigInt(bytes.length) }
  }

  /** Waits until all of it is durable. */
  async written(): Promise<void> { await Promise.all(this.#writes) }

  async remove(): Promise<void> {
    await Promise.allSettled(this.#writes) // what is still being written would come back
    for (const path of this.#paths.splice(0)) await this.#files.store.remove(path)
  }

  #write(name: string, bytes: Uint8Array): void {
    const path = manifestPath(this.#files.directory, name), write = this.#files.store.write(path, bytes, 'create')
    write.catch(() => undefined) // `written` tells
    this.#paths.push(path)
    this.#writes.push(write)
  }
}

/** The manifests that hold the state at `base`: small ones are put together when they have become many. */
async function merged(files: TableFiles, schema: PaimonSchema, base: Snapshot, metadata: MetadataWriter): Promise<readonly ManifestMeta[]> {
  const known = async <T>(reading: Promise<T>): Promise<T> => {
    try {
      return await reading
    } catch (error) {
      throw error instanceof SqlError && isMissing(error.cause) ? new SqlError('40001', `snapshot ${base.id} expired while a commit followed it`, { cause: error }) : error
    }
  }
  const manifests = await known(files.manifests(base))
  const most = wholeNumber(schema.options['manifest.merge-min-count']) ?? 30
  const isSmall = (meta: ManifestMeta): boolean => meta.fileSize < 8n * 2n ** 20n
  const from = manifests.findLastIndex(meta => !isSmall(meta)) + 1 // the small ones behind the last big one: order is kept
  const small = manifests.slice(from)
  if (small.length < most) return manifests
  const live = new Map<string, ManifestEntry>()
  for (const meta of small) {
    for (const entry of await known(files.entries(meta))) {
      const identity = entryIdentity(entry)
      const known = live.get(identity)
      // A removal cancels what was added here; of what was added in a big manifest it must be kept.
      if (entry.kind === 'delete' && known?.kind === 'add') live.delete(identity)
      else live.set(identity, entry)
    }
  }
  const entries = [...live.values()]
  return entries.length === 0 ? manifests.slice(0, from) : [...manifests.slice(0, from), metadata.manifest(entries)]
}

function partitionStats(schema: PaimonSchema, entries: readonly ManifestEntry[]): SimpleStats {
  if (schema.partitionKeys.length === 0) return EMPTY_STATS
  const types = fieldsOf(schema, schema.partitionKeys).map(field => field.type)
  const rows = entries.map(entry => parseRow('partition', entry.partition, types))
  const columns = types.map((type, i) => {
    const values = rows.map(row => row[i] ?? null), sql = toSqlType(type)
    const extreme = (sign: number): Value => values.reduce<Value>((best, value) => best === null || (value !== null && sign * compareValues(value, best, sql) < 0) ? value : best, null)
    return { min: extreme(1), max: extreme(-1), nulls: BigInt(values.filter(value => value === null).length) }
  })
  return { min: serializeRow(types, columns.map(column => column.min)), max: serializeRow(types, columns.map(column => column.max)), nulls: columns.map(column => column.nulls) }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text.trim()) ? undefined : Number(text)
}
