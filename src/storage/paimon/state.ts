/** The files of a table at its snapshots: manifests read and added up. */
import { SqlError, corrupt, unsupported } from '../../error.ts'
import type { ObjectInfo, ObjectStore } from '../store.ts'
import type { VectorPlace } from '../table.ts'
import { parseRow } from './binaryrow.ts'
import { DELETION_VECTORS, parseIndexManifest } from './index.ts'
import type { IndexEntry } from './index.ts'
import { entryIdentity, hex, parseManifest, parseManifestList } from './manifest.ts'
import type { ManifestEntry, ManifestMeta } from './manifest.ts'
import { bucketPath, externalToStore, listIds, listNumbered, manifestPath, readHint, latestHintPath, snapshotPath, tagPath, schemaPath } from './paths.ts'
import { fieldsOf, parseSchema } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { parseSnapshot } from './snapshot.ts'
import type { Snapshot } from './snapshot.ts'

/** Metadata files, parsed: those whose names are never used again, and those whose names may be. A lake has one; it is bounded. */
export class MetadataCache {
  readonly lists = new Recent<ManifestMeta>()
  readonly manifests = new Recent<ManifestEntry>()
  readonly indexes = new Recent<IndexEntry>()
  /** Live files, by the manifest lists that they are the sum of. */
  readonly states = new Recent<ManifestEntry>()
  readonly schemas = new Parsed(parseSchema)
  readonly snapshots = new Parsed(parseSnapshot)
}

/** Files kept in memory of each kind, and milliseconds after which a file that was written in the meantime has another time. */
const MAX_PARSED = 4096, CLOCK_STEP = 2000

/** Files whose paths may be used again (by a table that was dropped and made anew, after a rollback), parsed: good as long as their bytes are the same. */
class Parsed<T> {
  readonly #known = new Map<string, { readonly bytes: Uint8Array; readonly content: T; readonly modified: number; readonly sure: boolean }>()
  readonly #parse: (path: string, bytes: Uint8Array) => T
  constructor(parse: (path: string, bytes: Uint8Array) => T) { this.#parse = parse }

  /** What the file at `path` says; the very object that was given before when its bytes are the same. With `info` they need not be read to know it. */
  async get(path: string, info: ObjectInfo | undefined, read: () => Promise<Uint8Array>): Promise<T> {
    const known = this.#known.get(path)
    if (known?.sure === true && info !== undefined && info.modified === known.modified && info.size === known.bytes.length) return known.content
    const now = Date.now(), bytes = await read(), content = known !== undefined && Buffer.compare(known.bytes, bytes) === 0 ? known.content : this.#parse(path, bytes)
    this.#known.delete(path)
    this.#known.set(path, { bytes, content, modified: info?.modified ?? NaN, sure: info !== undefined && info.modified + CLOCK_STEP < now })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_PARSED) break
      this.#known.delete(oldest)
    }
    return content
  }
}

/** Entries kept in memory of each kind. */
const MAX_CACHED = 200_000

/** Lists by path; the least recently used go first. */
class Recent<T> {
  readonly #lists = new Map<string, readonly T[]>()
  #weight = 0

  has(path: string): boolean { return this.#lists.has(path) }

  async get(path: string, read: () => Promise<readonly T[]>): Promise<readonly T[]> {
    const known = this.#lists.get(path)
    if (known !== undefined) {
      this.#lists.delete(path)
      this.#lists.set(path, known)
      return known
    }
    const list = await read()
    if (!this.#lists.has(path)) this.#weight += list.length + 1
    this.#lists.set(path, list)
    for (const [oldest, { length }] of this.#lists) {
      if (this.#weight <= MAX_CACHED || oldest === path) break
      this.#lists.delete(oldest)
      this.#weight -= length + 1
    }
    return list
  }
}

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
  readonly #bucketPaths = new Map<string, string>()

  constructor(store: ObjectStore, directory: string, cache: MetadataCache) {
    this.store = store
    this.directory = directory
    this.#cache = cache
  }

  /** A schema by its id; schemas never change. `info` is what a listing says of its file. */
  async schema(id: bigint, info?: ObjectInfo): Promise<PaimonSchema> {
    const known = this.#schemas.get(id)
    if (known !== undefined) return known
    const path = schemaPath(this.directory, id)
    const schema = await this.#cache.schemas.get(path, info, () => this.store.read(path))
    this.#schemas.set(id, schema)
    return schema
  }

  /** The newest schema; undefined when there is none, and so no table. */
  async latestSchema(): Promise<PaimonSchema | undefined> {
    const last = (await listNumbered(this.store, `${this.directory}/schema`, 'schema')).at(-1)
    return last === undefined ? undefined : this.schema(last.id, last.info)
  }

  /** Whether the table is still the one whose schema this is; it may have been dropped, and another made under its name. Reads the file anew. */
  async isStill(schema: PaimonSchema): Promise<boolean> {
    const path = schemaPath(this.directory, schema.id), identity = (of: PaimonSchema): string => JSON.stringify([String(of.timeMillis), of.fields.map(field => [field.id, field.name]), of.partitionKeys, of.primaryKeys])
    try {
      return identity(parseSchema(path, await this.store.read(path))) === identity(schema)
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  /** The newest snapshot; undefined when there is none. */
  async latest(): Promise<Snapshot | undefined> {
    const hint = await readHint(this.store, latestHintPath(this.directory))
    if (hint !== undefined) {
      const [snapshot, isOld] = await Promise.all([this.snapshot(hint), this.#exists(hint + 1n)])
      if (snapshot !== undefined && !isOld) return snapshot
    }
    let last: bigint | undefined
    for (let attempt = 0; attempt < 10; attempt++) {
      last = (await this.snapshotIds()).at(-1)
      const snapshot = last === undefined ? undefined : await this.snapshot(last)
      if (last === undefined || snapshot !== undefined) return snapshot // else it was taken back in this moment
    }
    throw corrupt(snapshotPath(this.directory, last ?? 0n), 'is listed but cannot be opened')
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
    try {
      return await this.#cache.snapshots.get(path, undefined, () => this.store.read(path))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  /** All live files of a snapshot. `keep` may leave out manifests none of whose entries is wanted. */
  async state(snapshot: Snapshot, keep: (manifest: ManifestMeta) => boolean = () => true): Promise<State> {
    const metas = await this.manifests(snapshot), kept = metas.filter(keep), key = `${this.directory} ${snapshot.baseManifestList} ${snapshot.deltaManifestList}`
    const whole = kept.length === metas.length || this.#cache.states.has(key)
    const entries = whole ? await this.#cache.states.get(key, () => this.#live(snapshot, metas, true)) : await this.#live(snapshot, kept, false)
    return { snapshot, entries, vectors: await this.vectors(snapshot) }
  }

  /** What is left of the entries of some manifests. When they are all, every removal cancels an addition. */
  async #live(snapshot: Snapshot, metas: readonly ManifestMeta[], all: boolean): Promise<readonly ManifestEntry[]> {
    const manifests = await Promise.all(metas.map(meta => this.#manifest(meta.fileName)))
    // in any order: merging manifests may put a removal before the addition that it cancels
    const live = new Map<string, ManifestEntry>(), removed = new Set<string>()
    for (const entry of manifests.flat()) {
      if (entry.kind === 'add') live.set(entryIdentity(entry), entry)
      else removed.add(entryIdentity(entry))
    }
    for (const identity of removed) if (!live.delete(identity) && all) throw corrupt(snapshotPath(this.directory, snapshot.id), 'its manifests remove a file that they never added')
    return [...live.values()]
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
    const entries = await this.#cache.indexes.get(path, async () => parseIndexManifest(path, await this.#read(path)))
    return entries.filter(entry => entry.kind === 'add')
  }

  /** The path of a data file in the store. `schema` is any of the table's: partition columns never change. */
  dataFilePath(schema: PaimonSchema, entry: ManifestEntry): string {
    if (entry.file.externalPath !== undefined) return externalToStore(this.store.spec, entry.file.externalPath)
    return `${this.#bucketPath(schema, entry)}/${entry.file.fileName}`
  }

  #bucketPath(schema: PaimonSchema, entry: { readonly partition: Uint8Array; readonly bucket: number }): string {
    const key = `${entry.bucket} ${partitionKey(entry)}`
    let path = this.#bucketPaths.get(key)
    if (path === undefined) {
      const values = parseRow(this.directory, entry.partition, fieldsOf(schema, schema.partitionKeys).map(field => field.type))
      this.#bucketPaths.set(key, path = bucketPath(this.directory, schema, values, entry.bucket))
    }
    return path
  }

  /** Where the deletion vectors of a snapshot's data files are, by the names of those files. */
  async vectors(snapshot: Snapshot): Promise<ReadonlyMap<string, VectorPlace>> {
    const vectors = new Map<string, VectorPlace>()
    for (const entry of await this.indexes(snapshot)) {
      if (entry.indexType !== DELETION_VECTORS) continue
      const path = await this.#indexPath(entry, await this.schema(snapshot.schemaId))
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

  async #indexPath(entry: IndexEntry, schema: PaimonSchema): Promise<string> {
    if (entry.externalPath !== undefined && entry.externalPath.includes('/')) {
      try {
        return externalToStore(this.store.spec, entry.externalPath)
      } catch (error) {
        // a lake that was moved: index files in the bucket's directory are named absolutely, but they moved with it
        const near = `${this.#bucketPath(schema, entry)}/${entry.fileName}`
        if (await this.store.stat(near) !== undefined) return near
        throw error
      }
    }
    if (schema.options['index-file-in-data-file-dir']?.toLowerCase() === 'true') {
      const near = `${this.#bucketPath(schema, entry)}/${entry.fileName}`
      if (await this.store.stat(near) !== undefined) return near // the option may be younger than the file
    }
    return `${this.directory}/index/${entry.fileName}`
  }

  /** The manifests of a snapshot's state: those before its commit, then those of it. */
  async manifests(snapshot: Snapshot): Promise<readonly ManifestMeta[]> {
    return (await Promise.all([this.#list(snapshot.baseManifestList), this.#list(snapshot.deltaManifestList)])).flat()
  }

  /** The entries of a manifest. */
  async entries(manifest: ManifestMeta): Promise<readonly ManifestEntry[]> { return this.#manifest(manifest.fileName) }

  async #listed(name: string): Promise<readonly ManifestEntry[]> {
    const manifests = await Promise.all((await this.#list(name)).map(meta => this.#manifest(meta.fileName)))
    return manifests.flat()
  }

  async #list(name: string): Promise<readonly ManifestMeta[]> {
    const path = manifestPath(this.directory, name)
    return this.#cache.lists.get(path, async () => parseManifestList(path, await this.#read(path)))
  }

  async #manifest(name: string): Promise<readonly ManifestEntry[]> {
    const path = manifestPath(this.directory, name)
    return this.#cache.manifests.get(path, async () => parseManifest(path, await this.#read(path)))
  }

  async #read(path: string): Promise<Uint8Array> {
    try {
      return await this.store.read(path)
    } catch (error) {
      if (isMissing(error)) throw expired(path, error)
      throw error
    }
  }
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

/** Refuses (0A000) an entry whose file lacks columns of the schema that it was written with. */
export function requireWholeFile(table: string, entry: ManifestEntry, schema: PaimonSchema): void {
  const { writeCols } = entry.file
  if (writeCols !== undefined && !schema.fields.every(field => writeCols.includes(field.name))) throw unsupported(`a file that holds some columns only (data evolution) in table ${table}`, { table, where: entry.file.fileName })
}
