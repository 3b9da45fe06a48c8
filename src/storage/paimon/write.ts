/** Writes rows into a Paimon table: data files per partition and bucket, and one commit that shows them. Never compacts: that is another job's work. */
import { randomUUID } from 'node:crypto'
import type { Batch, Column } from '../../batch.ts'
import { SqlError, invariant, unsupported } from '../../error.ts'
import { concatColumns, flattenColumn, gatherBatch, gatherColumn, rowsFrom } from '../../gather.ts'
import type { Rows } from '../../gather.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Arena, Memory } from '../../memory.ts'
import { INT2, INT8 } from '../../type.ts'
import type { Schema } from '../../type.ts'
import type { Value } from '../../value.ts'
import type { TableWriter, Version } from '../table.ts'
import { serializeRow } from './binaryrow.ts'
import { BATCH_COMMIT, UnknownOutcome, commit } from './commit.ts'
import type { Changes } from './commit.ts'
import { makeDataFile } from './data-file.ts'
import type { KeyedRows } from './data-file.ts'
import type { DataFile, ManifestEntry } from './manifest.ts'
import { hex } from './manifest.ts'
import { bucketPath } from './paths.ts'
import { Router } from './route.ts'
import type { PaimonSchema } from './schema.ts'
import { fieldsOf } from './schema.ts'
import type { Snapshot } from './snapshot.ts'
import type { TableFiles } from './state.ts'
import { settleKeys } from './settle.ts'
import type { Settled } from './settle.ts'
import { writeOptions } from './write-options.ts'
import type { WriteOptions } from './write-options.ts'

export interface PaimonWriterOptions {
  /** Name of the table, for errors. */
  readonly table: string
  readonly files: TableFiles
  readonly schema: PaimonSchema
  /** The same columns as SQL sees them: those of the batches. */
  readonly columns: Schema
  readonly memory: Memory
  readonly kernel: Kernel
  /** Who commits; a new name by default. One user's identifiers must increase. */
  readonly user?: string
  readonly identifier?: bigint
}

/** One transaction on a Paimon table. Refuses (0A000) by name a table that cannot be written right. */
export function openPaimonWriter(options: PaimonWriterOptions): TableWriter {
  return new PaimonWriter(options, writeOptions(options.table, options.schema))
}

/** What goes into one bucket of one partition. */
interface Bucket {
  readonly partition: Uint8Array
  readonly path: string
  readonly bucket: number
  readonly chunks: Batch[]
  readonly arena: Arena
  bytes: number
  rows: number
  removals: boolean
  /** Files that are complete, and where their sequence numbers begin. */
  readonly done: DataFile[]
  readonly doneChangelog: DataFile[]
  doneStart: bigint | undefined
  doneRows: bigint
}

/** Files that were made for one commit attempt of a table whose numbers continue, and the number they begin with. */
interface Attempt {
  readonly start: bigint
  readonly files: readonly DataFile[]
  readonly changelog: readonly DataFile[]
}

class PaimonWriter implements TableWriter {
  readonly #options: PaimonWriterOptions
  readonly #write: WriteOptions
  readonly #router: Router
  readonly #buckets = new Map<string, Bucket>()
  readonly #attempts = new Map<Bucket, Attempt>()
  /** Paths of data files that no snapshot names yet. */
  readonly #loose = new Set<string>()
  readonly #uuid = randomUUID()
  #count = 0
  #state: 'open' | 'done' | 'broken' = 'open'
  #overwrites: 'all' | 'written' | undefined
  #expected: { readonly version: Version | undefined } | undefined

  constructor(options: PaimonWriterOptions, write: WriteOptions) {
    this.#options = options
    this.#write = write
    this.#router = new Router(options.schema, write, options.memory)
  }

  get #keyed(): boolean { return this.#write.key.length > 0 }

  async write(batch: Batch): Promise<void> {
    this.#requireOpen()
    if (batch.length === 0) return
    using scratch = this.#options.memory.arena()
    const { rows, signs } = this.#expanded(batch, scratch)
    this.#checkNulls(batch, signs)
    for (const route of this.#router.routes(batch, rows)) {
      const bucket = this.#bucketOf(route.partition, route.bucket)
      const picked = rowsFrom(route.rows, scratch)
      const columns = this.#options.columns.map((_, i) => this.#copied(batch.columns[i], picked, scratch, bucket.arena))
      const chunk: Batch = { schema: this.#options.columns, length: picked.count, columns }
      const removals = signs !== undefined && route.rows.some(row => (signs[row] ?? 1) < 0)
      bucket.chunks.push(removals ? { ...chunk, weights: signsAt(signs, route.rows, bucket.arena) } : chunk)
      bucket.removals ||= removals
      bucket.rows += picked.count
      bucket.bytes = bucket.arena.size
      const limit = this.#keyed ? this.#write.bufferBytes : this.#write.fileBytes
      if (bucket.bytes >= limit && !bucket.removals) await this.#spill(bucket)
    }
  }

  expect(version: Version | undefined): void {
    this.#expected ??= { version }
  }

  overwrite(what: 'all' | 'written'): void {
    const { schema } = this.#options
    this.#overwrites = what === 'all' || schema.partitionKeys.length === 0 || schema.options['dynamic-partition-overwrite']?.toLowerCase() === 'false' ? 'all' : 'written'
  }

  async commit(note?: Readonly<Record<string, string>>): Promise<Version | undefined> {
    this.#requireOpen()
    try {
      if (this.#buckets.size === 0 && note === undefined && (this.#overwrites !== 'all' || await this.#newest() === undefined)) { this.#state = 'done'; return undefined }
      // A table without numbers in its files can have them written before anything is known of the snapshot they will follow.
      if (!this.#keyed) for (const bucket of this.#buckets.values()) await this.#spill(bucket)
      const { files, table, schema, user = randomUUID(), identifier = BATCH_COMMIT } = this.#options
      const snapshot = await commit(files, table, schema, { user, identifier, properties: note, changes: base => this.#changes(base) })
      this.#state = 'done'
      this.#loose.clear()
      return { id: String(snapshot.id), time: Number(snapshot.timeMillis) }
    } catch (error) {
      this.#state = 'broken'
      if (error instanceof UnknownOutcome) this.#loose.clear() // they may be part of the table now
      await this.#removeLoose().catch(() => undefined) // what failed first is told
      throw error
    } finally {
      for (const bucket of this.#buckets.values()) bucket.arena.free()
    }
  }

  async abort(): Promise<void> {
    if (this.#state === 'done') return
    this.#state = 'broken'
    for (const bucket of this.#buckets.values()) bucket.arena.free()
    await this.#removeLoose()
  }

  #requireOpen(): void {
    if (this.#state !== 'open') throw new SqlError('55000', `the transaction on table ${this.#options.table} has ended`)
  }

  async #removeLoose(): Promise<void> {
    for (const path of [...this.#loose]) {
      await this.#options.files.store.remove(path)
      this.#loose.delete(path)
    }
  }

  /** Row numbers of a batch, each as often as it occurs, and the sign of each row. */
  #expanded(batch: Batch, scratch: Arena): { readonly rows: Uint32Array; readonly signs: Int32Array | undefined } {
    const all = Uint32Array.from({ length: batch.length }, (_, row) => row)
    if (batch.weights === undefined) return { rows: all, signs: undefined }
    const weights = scratch.memory.refresh().i32.slice(batch.weights / 4, batch.weights / 4 + batch.length)
    if (this.#keyed) return { rows: all, signs: weights.some(weight => weight < 0) ? weights : undefined } // a key occurs once
    if (weights.some(weight => weight < 0)) throw unsupported(`removing rows from table ${this.#options.table}, which has no primary key,`, { table: this.#options.table })
    if (weights.every(weight => weight === 1)) return { rows: all, signs: undefined }
    const rows = new Uint32Array(weights.reduce((sum, weight) => sum + weight, 0))
    let at = 0
    weights.forEach((weight, row) => { rows.fill(row, at, at + weight); at += weight })
    return { rows, signs: undefined }
  }

  #checkNulls(batch: Batch, signs: Int32Array | undefined): void {
    const { schema, table, memory } = this.#options
    const { u8 } = memory.refresh()
    schema.fields.forEach((field, i) => {
      if (field.type.nullable && !schema.primaryKeys.includes(field.name)) return
      const column = batch.columns[i]
      if (column === undefined) return
      const always = schema.primaryKeys.includes(field.name)
      const one = column.data.kind === 'const' ? column.data.one.valid : undefined
      const valid = one ?? column.valid
      if (valid === undefined) return
      for (let row = 0; row < batch.length; row++) {
        if (u8[valid + (one === undefined ? row : 0)] === 0 && (always || (signs?.[row] ?? 1) > 0)) {
          throw new SqlError('23502', `null value in column "${field.name}" of relation "${table}" violates not-null constraint`, { table, column: field.name })
        }
      }
    })
  }

  /** A copy of some rows that shares nothing with the batch. */
  #copied(column: Column | undefined, rows: Rows, scratch: Arena, arena: Arena): Column {
    invariant(column !== undefined, 'as many columns as the table has')
    const { kernel } = this.#options
    const isPlain = column.data.kind === 'flat' || column.data.kind === 'var'
    const picked = gatherColumn(column, rows, kernel, isPlain ? arena : scratch)
    if (isPlain) return picked
    const flat = flattenColumn(picked, kernel, arena)
    if (flat.valid === undefined || column.data.kind === 'const') return flat
    const valid = arena.alloc(flat.length)
    kernel.move_bytes(valid, flat.valid, flat.length)
    return { ...flat, valid }
  }

  #bucketOf(values: readonly Value[], number: number): Bucket {
    const { schema, files, memory } = this.#options
    const partition = serializeRow(fieldsOf(schema, schema.partitionKeys).map(field => field.type), values)
    const key = `${hex(partition)}/${number}`
    const found = this.#buckets.get(key)
    if (found !== undefined) return found
    const bucket: Bucket = {
      partition, bucket: number, path: bucketPath(files.directory, schema, values, number), chunks: [], arena: memory.arena(), bytes: 0, rows: 0, removals: false,
      done: [], doneChangelog: [], doneStart: undefined, doneRows: 0n,
    }
    this.#buckets.set(key, bucket)
    return bucket
  }

  /** Writes what a bucket holds into files, before it is known which snapshot the commit will follow. */
  async #spill(bucket: Bucket): Promise<void> {
    if (bucket.chunks.length === 0) return
    if (this.#keyed) {
      bucket.doneStart ??= await this.#nextNumber(await this.#newest(), bucket)
      const { files, changelog } = await this.#makeKeyed(bucket, bucket.doneStart + bucket.doneRows)
      bucket.done.push(...files)
      bucket.doneChangelog.push(...changelog)
      bucket.doneRows += BigInt(bucket.rows)
    } else {
      bucket.done.push(await this.#makePlain(bucket))
    }
    bucket.chunks.length = 0
    bucket.rows = bucket.bytes = 0
    bucket.arena.free()
  }

  /** What the commit adds behind `base`: numbers continue those that are there, so files may have to be made again. */
  async #changes(base: Snapshot | undefined): Promise<Changes> {
    await this.#requireUnchanged(base)
    const files: ManifestEntry[] = [], changelog: ManifestEntry[] = []
    const numbered = this.#keyed || this.#write.buckets > 0
    const last = numbered ? await this.#lastNumbers(base) : new Map<string, bigint>()
    for (const bucket of this.#buckets.values()) {
      const start = (last.get(bucketId(bucket.partition, bucket.bucket)) ?? -1n) + 1n
      const entry = (file: DataFile): ManifestEntry => ({ kind: 'add', partition: bucket.partition, bucket: bucket.bucket, totalBuckets: this.#write.buckets, file })
      if (!this.#keyed) {
        let next = start
        for (const file of bucket.done) {
          files.push(entry(numbered ? { ...file, minSequenceNumber: next, maxSequenceNumber: next + file.rowCount - 1n } : file))
          next += file.rowCount
        }
        continue
      }
      if (bucket.doneStart !== undefined && start > bucket.doneStart) {
        throw new SqlError('40001', `another writer changed table ${this.#options.table} while rows were written`, { table: this.#options.table })
      }
      const attempt = await this.#attempt(bucket, (bucket.doneStart ?? start) + bucket.doneRows)
      files.push(...[...bucket.done, ...attempt.files].map(entry))
      changelog.push(...[...bucket.doneChangelog, ...attempt.changelog].map(entry))
    }
    if (this.#overwrites === undefined || base === undefined) return { files, changelog }
    return { files: [...await this.#removals(base), ...files], changelog, overwrites: this.#overwrites === 'all' ? 'all' : 'some' }
  }

  /** The files that an overwrite takes away. */
  async #removals(base: Snapshot): Promise<readonly ManifestEntry[]> {
    const { files, table } = this.#options, all = this.#overwrites === 'all'
    if (!all && base.indexManifest !== undefined) throw unsupported(`overwriting partitions of table ${table}, which has an index,`, { table })
    const written = new Set([...this.#buckets.values()].map(bucket => hex(bucket.partition)))
    return (await files.state(base)).entries.filter(entry => all || written.has(hex(entry.partition))).map((entry): ManifestEntry => ({ ...entry, kind: 'delete' }))
  }

  /** 40001 when rows were changed between the version that was read and `base`; compactions change none. */
  async #requireUnchanged(base: Snapshot | undefined): Promise<void> {
    if (this.#expected === undefined) return
    const { version } = this.#expected, { table, files } = this.#options
    let snapshot = base
    while (snapshot !== undefined) {
      if (version !== undefined && String(snapshot.id) === version.id && Number(snapshot.timeMillis) === version.time) return
      if (snapshot.commitKind !== 'COMPACT' && snapshot.commitKind !== 'ANALYZE') break
      snapshot = await files.snapshot(snapshot.id - 1n)
    }
    if (snapshot !== undefined || version !== undefined) throw new SqlError('40001', 'could not serialize access due to concurrent update', { detail: `Another writer changed table ${table} since it was read.`, table, hint: 'Run the transaction again.' })
  }

  /** The files of a bucket with numbers from `start`; those of an earlier attempt when they fit. */
  async #attempt(bucket: Bucket, start: bigint): Promise<Attempt> {
    const earlier = this.#attempts.get(bucket)
    if (earlier?.start === start) return earlier
    for (const file of [...earlier?.files ?? [], ...earlier?.changelog ?? []]) {
      const path = `${bucket.path}/${file.fileName}`
      await this.#options.files.store.remove(path)
      this.#loose.delete(path)
    }
    const attempt: Attempt = { start, ...await this.#makeKeyed(bucket, start) }
    this.#attempts.set(bucket, attempt)
    return attempt
  }

  async #newest(): Promise<Snapshot | undefined> {
    return this.#options.files.latest()
  }

  async #nextNumber(base: Snapshot | undefined, bucket: Bucket): Promise<bigint> {
    return ((await this.#lastNumbers(base)).get(bucketId(bucket.partition, bucket.bucket)) ?? -1n) + 1n
  }

  /** The highest sequence number in each bucket. Refuses (55000) when a partition has another number of buckets. */
  async #lastNumbers(base: Snapshot | undefined): Promise<Map<string, bigint>> {
    const last = new Map<string, bigint>()
    if (base === undefined) return last
    const { files, table } = this.#options
    const touched = new Set([...this.#buckets.values()].map(bucket => hex(bucket.partition)))
    for (const entry of (await files.state(base)).entries) {
      if (!touched.has(hex(entry.partition))) continue
      if (entry.totalBuckets !== this.#write.buckets) {
        throw new SqlError('55000', `a partition of table ${table} has ${entry.totalBuckets} buckets, its option bucket says ${this.#write.buckets}`, { table, hint: 'Rescale the partition before writing to it.' })
      }
      const id = bucketId(entry.partition, entry.bucket), known = last.get(id)
      if (known === undefined || entry.file.maxSequenceNumber > known) last.set(id, entry.file.maxSequenceNumber)
    }
    return last
  }

  async #makePlain(bucket: Bucket): Promise<DataFile> {
    const { schema, kernel, memory } = this.#options
    using arena = memory.arena()
    const rows = joined(bucket.chunks, kernel, arena)
    const { file, bytes } = await makeDataFile(rows, undefined, schema, this.#write, this.#name(this.#write.dataPrefix), 0n, BigInt(rows.length - 1), kernel, arena)
    await this.#store(`${bucket.path}/${file.fileName}`, bytes)
    return file
  }

  /** Files of a bucket's rows, sorted by key, one row a key; and of the changes, for tables that keep a changelog. */
  async #makeKeyed(bucket: Bucket, start: bigint): Promise<{ readonly files: readonly DataFile[]; readonly changelog: readonly DataFile[] }> {
    if (bucket.chunks.length === 0) return { files: [], changelog: [] }
    const { schema, kernel, memory } = this.#options
    using arena = memory.arena()
    const rows = joined(bucket.chunks, kernel, arena)
    const settled = settleKeys(rows, schema, this.#write, memory)
    return {
      files: await this.#makeSettled(bucket, rows, settled.rows, start, this.#write.dataPrefix),
      changelog: this.#write.changelog ? await this.#makeSettled(bucket, rows, settled.changes, start, this.#write.changelogPrefix) : [],
    }
  }

  async #makeSettled(bucket: Bucket, rows: Batch, settled: Settled, start: bigint, prefix: string): Promise<readonly DataFile[]> {
    const { schema, kernel, memory } = this.#options
    const perFile = Math.max(1, Math.floor(settled.rows.length / Math.max(1, Math.ceil(bucket.bytes / this.#write.fileBytes))))
    const made: DataFile[] = []
    for (let from = 0; from < settled.rows.length; from += perFile) {
      using arena = memory.arena()
      const numbers = settled.rows.subarray(from, from + perFile), kinds = settled.kinds.subarray(from, from + perFile)
      const part = gatherBatch({ schema: rows.schema, length: rows.length, columns: rows.columns }, rowsFrom(numbers, arena), kernel, arena)
      let low = Infinity, high = -Infinity, removals = 0
      for (let i = 0; i < numbers.length; i++) {
        low = Math.min(low, numbers[i] ?? 0)
        high = Math.max(high, numbers[i] ?? 0)
        removals += (kinds[i] ?? 0) & 1
      }
      const keyed: KeyedRows = { number: numberColumn(numbers, start, arena), kind: kindColumn(kinds, arena), removals }
      const { file, bytes } = await makeDataFile(part, keyed, schema, this.#write, this.#name(prefix), start + BigInt(low), start + BigInt(high), kernel, arena)
      await this.#store(`${bucket.path}/${file.fileName}`, bytes)
      made.push(file)
    }
    return made
  }

  #name(prefix: string): string { return `${prefix}${this.#uuid}-${this.#count++}${this.#write.suffix}` }

  async #store(path: string, bytes: Uint8Array): Promise<void> {
    this.#loose.add(path)
    if (!await this.#options.files.store.write(path, bytes, 'create')) throw new SqlError('58P02', `file "${path}" exists`, { where: path })
  }
}

function bucketId(partition: Uint8Array, bucket: number): string { return `${hex(partition)}/${bucket}` }

function signsAt(signs: Int32Array, rows: Uint32Array, arena: Arena): number {
  const at = arena.alloc(4 * rows.length), { i32 } = arena.memory.refresh()
  for (let i = 0; i < rows.length; i++) i32[at / 4 + i] = signs[rows[i] ?? 0] ?? 1
  return at
}

/** The chunks as one batch; it has weights when one of them has. */
function joined(chunks: readonly Batch[], kernel: Kernel, arena: Arena): Batch {
  const [first] = chunks
  invariant(first !== undefined, 'no rows to write')
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  const columns = first.schema.map((_, i) => concatColumns(chunks.map(chunk => {
    const column = chunk.columns[i]
    invariant(column !== undefined, `no column ${i}`)
    return column
  }), kernel, arena))
  const batch: Batch = { schema: first.schema, length, columns }
  if (chunks.every(chunk => chunk.weights === undefined)) return batch
  const weights = arena.alloc(4 * length)
  let row = 0
  for (const chunk of chunks) {
    if (chunk.weights === undefined) kernel.fill_32(weights + 4 * row, chunk.length, 1)
    else kernel.move_bytes(weights + 4 * row, chunk.weights, 4 * chunk.length)
    row += chunk.length
  }
  return { ...batch, weights }
}

function numberColumn(rows: Uint32Array, start: bigint, arena: Arena): Column {
  const at = arena.alloc(8 * rows.length), { i64 } = arena.memory.refresh()
  for (let i = 0; i < rows.length; i++) i64[at / 8 + i] = start + BigInt(rows[i] ?? 0)
  return { type: INT8, length: rows.length, valid: undefined, data: { kind: 'flat', values: at } }
}

function kindColumn(kinds: Uint8Array, arena: Arena): Column {
  const at = arena.alloc(4 * kinds.length)
  arena.memory.refresh().i32.set(kinds, at / 4)
  return { type: INT2, length: kinds.length, valid: undefined, data: { kind: 'flat', values: at } }
}
