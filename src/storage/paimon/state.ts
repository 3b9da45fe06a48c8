/** The files of a table at its snapshots: manifests read and added up. */
import { SqlError, corrupt, unsupported } from '../../error.ts'
import type { ObjectStore } from '../store.ts'
import type { VectorPlace } from '../table.ts'
import { parseRow } from './binaryrow.ts'
import { DELETION_VECTORS, parseIndexManifest } from './index.ts'
import type { IndexEntry } from './index.ts'
import { entryIdentity, hex, parseManifest, parseManifestList } from './manifest.ts'
import type { ManifestEntry, ManifestMeta } from './manifest.ts'
import { bucketPath, externalToStore, listIds, manifestPath, readHint, latestHintPath, snapshotPath, tagPath, schemaPath } from './paths.ts'
import { fieldsOf, parseSchema } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { parseSnapshot } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'

/** Metadata files whose names are never used again (manifests, their lists), parsed. Bounded; the least recently used go first. */
export class MetadataCache {
  readonly #entries = new Map<string, { readonly value: unknown; readonly weight: number }>()
  #weight = 0

  /** What `read` gave for this path before, or gives now. */
  async get<T extends readonly unknown[]>(path: string, read: () => Promise<T>, is: (value: unknown) => value is T): Promise<T> {
    const known = this.#entries.get(path)
    if (known !== undefined && is(known.value)) {
      this.#entries.delete(path)
      this.#entries.set(path, known)
      return known.value
    }
    const value = await read()
    this.#entries.set(path, { value, weight: value.length + 1 })
    this.#weight += value.length + 1
    for (const [oldest, { weight }] of this.#entries) {
      if (this.#weight <= MAX_CACHED || oldest === path) break
      this.#entries.delete(oldest)
      this.#weight -= weight
    }
    return value
  }
}

/** Entries of manifests kept in memory. */
const MAX_CACHED = 200_000

/** Files of one snapshot. */
export interface State {
  readonly snapshot: Snapshot
  readonly entries: readonly ManifestEntry[]
  /** Where the deletion vector of a data file is, by the file's name. */
  readonly vectors: ReadonlyMap<string, VectorPlace>
}

/** Reads a table's snapshots and what they name. `directory` is the table's, within the store. */
export class TableFiles {
  readonly store: ObjectStore
  readonly directory: string
  readonly #cache: MetadataCache
  readonly #schemas = new Map<bigint, PaimonSchema>()

  constructor(store: ObjectStore, directory: string, cache: MetadataCache) {
    this.store = store
    this.directory = directory
    this.#cache = cache
  }

  /** A schema by its id; schemas never change. */
  async schema(id: bigint): Promise<PaimonSchema> {
    const known = this.#schemas.get(id)
    if (known !== undefined) return known
    const path = schemaPath(this.directory, id)
    const schema = parseSchema(path, await this.store.read(path))
    this.#schemas.set(id, schema)
    return schema
  }

  /** The newest schema; undefined when there is none, and so no table. */
  async latestSchema(): Promise<PaimonSchema | undefined> {
    const ids = await listIds(this.store, `${this.directory}/schema`, 'schema')
    const last = ids.at(-1)
    return last === undefined ? undefined : this.schema(last)
  }

  /** The id of the newest snapshot; undefined when there is none. */
  async latestId(): Promise<bigint | undefined> {
    const hint = await readHint(this.store, latestHintPath(this.directory))
    if (hint !== undefined && await this.#exists(hint) && !await this.#exists(hint + 1n)) return hint
    return (await this.snapshotIds()).at(-1)
  }

  async #exists(id: bigint): Promise<boolean> {
    return await this.store.stat(snapshotPath(this.directory, id)) !== undefined
  }

  /** Ids of the snapshots that are there, ascending. */
  async snapshotIds(): Promise<readonly bigint[]> {
    return listIds(this.store, `${this.directory}/snapshot`, 'snapshot')
  }

  /** A snapshot by its id; undefined when it is not (or no longer) there. Never cached: after a rollback ids are used again. */
  async snapshot(id: bigint): Promise<Snapshot | undefined> {
    return this.#snapshotAt(snapshotPath(this.directory, id))
  }

  /** The snapshot that a tag keeps. */
  async tag(name: string): Promise<Snapshot | undefined> {
    return /^[^/]+$/.test(name) ? this.#snapshotAt(tagPath(this.directory, name)) : undefined
  }

  async #snapshotAt(path: string): Promise<Snapshot | undefined> {
    let bytes: Uint8Array
    try {
      bytes = await this.store.read(path)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    return parseSnapshot(path, bytes)
  }

  /** All live files of a snapshot. `keep` may leave out manifests none of whose entries is wanted. */
  async state(snapshot: Snapshot, keep: (manifest: ManifestMeta) => boolean = () => true): Promise<State> {
    const lists = await Promise.all([this.#list(snapshot.baseManifestList), this.#list(snapshot.deltaManifestList)])
    const manifests = await Promise.all(lists.flat().filter(keep).map(meta => this.#manifest(meta.fileName)))
    const live = new Map<string, ManifestEntry>()
    for (const manifest of manifests) {
      for (const entry of manifest) {
        const identity = entryIdentity(entry)
        if (entry.kind === 'add') live.set(identity, entry)
        else if (!live.delete(identity)) throw corrupt(snapshotPath(this.directory, snapshot.id), `file ${entry.file.fileName} was removed, but is not there`)
      }
    }
    return { snapshot, entries: [...live.values()], vectors: await this.#vectors(snapshot) }
  }

  /** What a snapshot's commit added and removed, as it is in its manifests. */
  async delta(snapshot: Snapshot): Promise<readonly ManifestEntry[]> {
    return this.#listed(snapshot.deltaManifestList)
  }

  /** The changelog files that a snapshot's commit added. */
  async changelog(snapshot: Snapshot): Promise<readonly ManifestEntry[]> {
    return snapshot.changelogManifestList === undefined ? [] : this.#listed(snapshot.changelogManifestList)
  }

  /** The index files of a snapshot. */
  async indexes(snapshot: Snapshot): Promise<readonly IndexEntry[]> {
    if (snapshot.indexManifest === undefined) return []
    const path = manifestPath(this.directory, snapshot.indexManifest)
    const entries = await this.#cache.get(this.#cacheKey(path), async () => parseIndexManifest(path, await this.#read(path)), isIndexEntries)
    return entries.filter(entry => entry.kind === 'add')
  }

  /** The path of a data file in the store. */
  async dataFilePath(entry: ManifestEntry): Promise<string> {
    if (entry.file.externalPath !== undefined) return externalToStore(this.store.spec, entry.file.externalPath)
    return `${await this.#bucketPath(entry)}/${entry.file.fileName}`
  }

  async #bucketPath(entry: { readonly partition: Uint8Array; readonly bucket: number }): Promise<string> {
    const schema = await this.latestSchema()
    if (schema === undefined) throw new SqlError('42P01', `table directory ${this.directory} has no schema`)
    const values = parseRow(this.directory, entry.partition, fieldsOf(schema, schema.partitionKeys).map(field => field.type))
    return bucketPath(this.directory, schema, values, entry.bucket)
  }

  async #vectors(snapshot: Snapshot): Promise<ReadonlyMap<string, VectorPlace>> {
    const vectors = new Map<string, VectorPlace>()
    for (const entry of await this.indexes(snapshot)) {
      if (entry.indexType !== DELETION_VECTORS) continue
      const path = await this.#indexPath(entry)
      const size = Number(entry.fileSize)
      for (const range of entry.vectors ?? []) {
        // Version 1 does not count the size in front and the checksum behind, version 2 does: eight bytes more hold either.
        const end = Math.min(size, range.offset + range.length + 8)
        if (range.offset < 1 || range.length < 0 || range.offset + range.length > size) throw corrupt(path, `a deletion vector at ${range.offset} of ${range.length} bytes in a file of ${size}`)
        if (vectors.has(range.dataFile)) throw corrupt(manifestPath(this.directory, snapshot.indexManifest ?? ''), `two deletion vectors for file ${range.dataFile}`)
        vectors.set(range.dataFile, { path, start: range.offset, end })
      }
    }
    return vectors
  }

  async #indexPath(entry: IndexEntry): Promise<string> {
    if (entry.externalPath !== undefined && entry.externalPath.includes('/')) {
      try {
        return externalToStore(this.store.spec, entry.externalPath)
      } catch (error) {
        // a lake that was moved: index files in the bucket's directory are named absolutely, but they moved with it
        const near = `${await this.#bucketPath(entry)}/${entry.fileName}`
        if (await this.store.stat(near) !== undefined) return near
        throw error
      }
    }
    return `${this.directory}/index/${entry.fileName}`
  }

  async #listed(name: string): Promise<readonly ManifestEntry[]> {
    const manifests = await Promise.all((await this.#list(name)).map(meta => this.#manifest(meta.fileName)))
    return manifests.flat()
  }

  async #list(name: string): Promise<readonly ManifestMeta[]> {
    const path = manifestPath(this.directory, name)
    return this.#cache.get(this.#cacheKey(path), async () => parseManifestList(path, await this.#read(path)), isManifestMetas)
  }

  async #manifest(name: string): Promise<readonly ManifestEntry[]> {
    const path = manifestPath(this.directory, name)
    return this.#cache.get(this.#cacheKey(path), async () => parseManifest(path, await this.#read(path)), isManifestEntries)
  }

  #cacheKey(path: string): string { return path }

  async #read(path: string): Promise<Uint8Array> {
    try {
      return await this.store.read(path)
    } catch (error) {
      if (isMissing(error)) throw expired(path, error)
      throw error
    }
  }
}

// The cache holds what these parsers made; the checks tell lists of one kind from another by their first element.
function isManifestMetas(value: unknown): value is readonly ManifestMeta[] { return isListOf(value, 'partitionStats') }
function isManifestEntries(value: unknown): value is readonly ManifestEntry[] { return isListOf(value, 'totalBuckets') }
function isIndexEntries(value: unknown): value is readonly IndexEntry[] { return isListOf(value, 'indexType') }
function isListOf(value: unknown, key: string): boolean {
  return Array.isArray(value) && (value.length === 0 || (typeof value[0] === 'object' && value[0] !== null && key in value[0]))
}

export function isMissing(error: unknown): boolean {
  return error instanceof SqlError && error.code === '58P01'
}

/** A file that a snapshot names is gone: another process expired the snapshot while it was read. */
function expired(path: string, cause: unknown): SqlError {
  return new SqlError('55000', `${path} is gone: the snapshot that names it has expired`, { where: path, cause })
}

/** The partition of an entry as a key of maps. */
export function partitionKey(entry: { readonly partition: Uint8Array }): string {
  return hex(entry.partition)
}

/** Refuses (0A000) an entry whose file holds only some columns. */
export function requireWholeFile(table: string, entry: ManifestEntry): void {
  if (entry.file.writeCols !== undefined) throw unsupported(`a file that holds some columns only (data evolution) in table ${table}`, { table, where: entry.file.fileName })
}
