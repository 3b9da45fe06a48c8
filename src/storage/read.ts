/** Reads splits, on any thread: files row group by row group, rows that are removed or replaced left out. */
import type { Batch, Column } from '../batch.ts'
import { batchFromRows, constColumn } from '../column.ts'
import { InternalError, corrupt, invariant, unsupported } from '../error.ts'
import { gatherBatch, rowsFrom } from '../gather.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Address, Arena, Memory } from '../memory.ts'
import { layoutOf } from '../type.ts'
import type { Schema } from '../type.ts'
import { decodeDeletionVector } from './deletion-vector.ts'
import type { DeletionVector } from './deletion-vector.ts'
import { evolveColumn, relabel, renamed } from './evolve.ts'
import { KeyMerge } from './merge.ts'
import { openParquet, readRowGroup } from './parquet/reader.ts'
import type { ParquetField, ParquetFile } from './parquet/reader.ts'
import { leavesOf } from './parquet/schema.ts'
import { KEPT_BYTES, KeptColumns, isSmall, keepColumn, putBack, readingWhole } from './small-files.ts'
import type { KeptColumn } from './small-files.ts'
import type { ObjectStore, StoreSpec } from './store.ts'
import type { FileSplit, Merge, RowsSplit, ScanStats, Split, SplitColumn, SplitFile, VectorPlace } from './table.ts'

/** What reading needs; one a thread. */
export interface ReadContext {
  readonly memory: Memory
  readonly kernel: Kernel
  /** The store of a split. It may be asked again and again. */
  store(spec: StoreSpec | undefined): ObjectStore
  readonly footers: FooterCache
}

/** Footers of the files read last, and columns of those that are small. */
export class FooterCache {
  readonly columns: KeptColumns
  readonly #files = new Map<string, { readonly file: Promise<ParquetFile>; readonly weight: number }>()
  readonly #capacity: number
  #weight = 0

  /** `capacity` is a number of files; eight that are small count as one. `columnBytes` bounds what is kept of those. */
  constructor(capacity = 1024, columnBytes = KEPT_BYTES) {
    this.#capacity = 8 * capacity
    this.columns = new KeptColumns(columnBytes)
  }

  /** The metadata of a file; `stamp` tells it from others that had its name and size before. */
  open(store: ObjectStore, path: string, size: number, stamp = ''): Promise<ParquetFile> {
    const key = `${store.spec?.root ?? ''}\0${path}\0${size}\0${stamp}`
    const found = this.#files.get(key)
    if (found !== undefined) {
      this.#files.delete(key)
      this.#files.set(key, found)
      return found.file
    }
    const file = openParquet(store, path, size)
    this.#files.set(key, { file, weight: isSmall({ size }) ? 1 : 8 })
    this.#weight += isSmall({ size }) ? 1 : 8
    file.catch(() => { if (this.#files.get(key)?.file === file) this.#forget(key) })
    for (const oldest of this.#files.keys()) {
      if (this.#weight <= this.#capacity) break
      this.#forget(oldest)
    }
    return file
  }

  #forget(key: string): void {
    this.#weight -= this.#files.get(key)?.weight ?? 0
    this.#files.delete(key)
  }
}

/** The rows of a split, as signed batches of its schema, each valid until the next is asked for. */
export async function* readSplit(split: Split, context: ReadContext, stats: ScanStats): AsyncGenerator<Batch, void, undefined> {
  if (split.kind === 'rows') {
    if (split.rows.length === 0) return
    using arena = context.memory.arena()
    yield rowsBatch(split, arena)
    return
  }
  const store = context.store(split.store)
  if (split.merge !== undefined) {
    yield* mergeFiles(split, split.merge, store, context, stats)
    return
  }
  const wanted = split.schema.map((_, i) => i), positions = split.sign === 'column' ? [...wanted, wanted.length] : wanted
  let together = new Together()
  for (const file of split.files) {
    const reader = await FileReader.open(file, store, context, stats), kept = reader.keptNow(positions) ?? await reader.keep(positions)
    if (kept !== undefined) {
      together.add(kept, reader.rows)
      if (together.rows < TOGETHER_ROWS) continue
    }
    if (together.rows > 0) {
      using arena = context.memory.arena()
      yield signed(split, together.columns(arena), together.rows, context.memory, arena)
      together = new Together()
    }
    if (kept !== undefined) continue
    for (const part of reader.parts) {
      using arena = context.memory.arena()
      const removed = reader.removed(part)
      if (removed !== undefined && !removed.includes(0)) continue
      const batch = signed(split, await reader.read(part, positions, arena), part.rows, context.memory, arena)
      yield removed === undefined ? batch : gatherBatch(batch, rowsFrom(rowsWhere(removed, 0), arena), context.kernel, arena)
    }
  }
  if (together.rows === 0) return
  using arena = context.memory.arena()
  yield signed(split, together.columns(arena), together.rows, context.memory, arena)
}

/** Rows of small files that are given out as one batch: what comes after the scan pays per batch. */
const TOGETHER_ROWS = 16_384

class Together {
  readonly #files: (readonly KeptColumn[])[] = []
  rows = 0

  add(columns: readonly KeptColumn[], rows: number): void {
    this.#files.push(columns)
    this.rows += rows
  }

  columns(arena: Arena): Column[] {
    return (this.#files[0] ?? []).map((_, i) => putBack(this.#files.flatMap(columns => columns[i] ?? []), arena))
  }
}

function rowsBatch(split: RowsSplit, arena: Arena): Batch {
  return batchFromRows(split.schema, split.rows, arena, split.sign === 1 ? undefined : split.rows.map(() => -1))
}

/** The rows with their weights; with sign `column`, the last column tells. */
function signed(split: FileSplit, columns: readonly Column[], length: number, memory: Memory, arena: Arena): Batch {
  const { schema, sign } = split
  const batch: Batch = { schema, length, columns: columns.slice(0, schema.length) }
  if (sign === 1) return batch
  const weights = arena.alloc(4 * length)
  if (sign === -1) memory.refresh().i32.fill(-1, weights / 4, weights / 4 + length)
  else {
    const kinds = columns[schema.length]
    invariant(kinds !== undefined, 'a split whose rows have signs has a column that tells them')
    writeWeights(kinds, weights, memory.refresh())
  }
  return { ...batch, weights }
}

/** 0 and 2 (+I, +U) weigh 1; 1 and 3 (−U, −D) weigh −1. */
function writeWeights(kinds: Column, weights: Address, memory: Memory): void {
  const { i32, u32 } = memory, { data, length } = kinds, out = weights / 4
  const weight = (kind: number): number => 1 - 2 * (kind & 1)
  switch (data.kind) {
    case 'flat': for (let i = 0; i < length; i++) i32[out + i] = weight(i32[data.values / 4 + i] ?? 0); return
    case 'const': {
      invariant(data.one.data.kind === 'flat', 'row kinds are numbers')
      i32.fill(weight(i32[data.one.data.values / 4] ?? 0), out, out + length)
      return
    }
    case 'dict': {
      invariant(data.dictionary.data.kind === 'flat', 'row kinds are numbers')
      const entries = data.dictionary.data.values / 4
      for (let i = 0; i < length; i++) i32[out + i] = weight(i32[entries + (u32[data.codes / 4 + i] ?? 0)] ?? 0)
      return
    }
    case 'var': throw new InternalError('row kinds are numbers')
  }
}

/** The numbers of the bytes that are `value`. */
function rowsWhere(flags: Uint8Array, value: number): Uint32Array {
  const rows = new Uint32Array(flags.length)
  let count = 0
  for (let i = 0; i < flags.length; i++) if (flags[i] === value) rows[count++] = i
  return rows.subarray(0, count)
}

/** Keys of all files first, then the wanted columns of the rows that won. */
async function* mergeFiles(split: FileSplit, merge: Merge, store: ObjectStore, context: ReadContext, stats: ScanStats): AsyncGenerator<Batch, void, undefined> {
  const { memory } = context
  const readers: FileReader[] = []
  for (const file of split.files) readers.push(await FileReader.open(file, store, context, stats))
  const first = split.files[0]
  if (first === undefined) return
  const typeAt = (position: number): Schema[number]['type'] => columnAt(first, position).field.type
  const winner = new KeyMerge(memory, {
    key: merge.key.map(typeAt), sequence: merge.sequence.map(({ column, descending }) => ({ type: typeAt(column), descending })),
    ignoreDelete: merge.ignoreDelete, onlyMarked: merge.onlyMarked ?? false,
  }, readers.reduce((sum, reader) => sum + reader.parts.reduce((rows, part) => rows + part.rows, 0), 0))
  const positions = [...merge.key, ...merge.sequence.map(({ column }) => column), merge.number, merge.kind]
  const keepsBytes = positions.some(position => layoutOf(typeAt(position)) === 'var')
  using keys = memory.arena()
  for (const reader of readers) {
    for (const part of reader.parts) {
      using scratch = memory.arena()
      const columns = await reader.read(part, positions, keepsBytes ? keys : scratch)
      const at = (i: number): Column => {
        const column = columns[i]
        invariant(column !== undefined, 'as many columns as were asked for')
        return column
      }
      winner.add({
        key: merge.key.map((_, i) => at(i)), sequence: merge.sequence.map((_, i) => at(merge.key.length + i)),
        number: at(positions.length - 2), kind: at(positions.length - 1),
      }, part.rows, reader.file.marks ?? false, reader.removed(part), reader.file.keysOnly ?? false)
    }
  }
  const won = winner.winners()
  keys.free()
  let start = 0
  for (const reader of readers) {
    for (const part of reader.parts) {
      const rows = rowsWhere(won.subarray(start, start + part.rows), 1)
      start += part.rows
      if (rows.length === 0) continue
      using arena = memory.arena()
      const batch = signed(split, await reader.read(part, split.schema.map((_, i) => i), arena), part.rows, memory, arena)
      yield rows.length === part.rows ? batch : gatherBatch(batch, rowsFrom(rows, arena), context.kernel, arena)
    }
  }
}

function columnAt(file: SplitFile, position: number): SplitColumn {
  const column = file.columns[position]
  invariant(column !== undefined, `no column ${position} in ${file.path}`)
  return column
}

/** One row group of a file. */
interface Part {
  readonly group: number
  readonly rows: number
  /** Position of its first row in the file. */
  readonly first: number
}

/** One file of a split. */
class FileReader {
  readonly file: SplitFile
  readonly parts: readonly Part[]
  readonly #parquet: ParquetFile
  readonly #deleted: DeletionVector | undefined
  readonly #only: DeletionVector | undefined
  readonly #store: ObjectStore
  readonly #context: ReadContext
  readonly #stats: ScanStats

  static async open(file: SplitFile, store: ObjectStore, context: ReadContext, stats: ScanStats): Promise<FileReader> {
    if (file.format !== 'parquet') throw unsupported(`reading a file of format ${file.format}`, { where: file.path })
    const source = isSmall(file) ? readingWhole(store, file.path, file.size) : store
    const parquet = await context.footers.open(source, file.path, file.size, file.stamp)
    if (file.deleted === undefined && file.only === undefined) return new FileReader(file, parquet, undefined, undefined, source, context, stats)
    const vector = async (place: VectorPlace | undefined): Promise<DeletionVector | undefined> => {
      if (place === undefined) return undefined
      stats.bytesRead += place.end - place.start
      return decodeDeletionVector(await store.read(place.path, place.start, place.end), place.path)
    }
    const [deleted, only] = await Promise.all([vector(file.deleted), vector(file.only)])
    return new FileReader(file, parquet, deleted, only, source, context, stats)
  }

  private constructor(file: SplitFile, parquet: ParquetFile, deleted: DeletionVector | undefined, only: DeletionVector | undefined, store: ObjectStore, context: ReadContext, stats: ScanStats) {
    this.file = file
    this.#parquet = parquet
    this.#deleted = deleted
    this.#only = only
    this.#store = store
    this.#context = context
    this.#stats = stats
    const firsts: number[] = []
    let rows = 0
    for (const group of parquet.rowGroups) { firsts.push(rows); rows += group.rows }
    this.parts = (file.rowGroups ?? parquet.rowGroups.map((_, i) => i)).map(group => {
      const found = parquet.rowGroups[group]
      if (found === undefined) throw corrupt(file.path, `there is no row group ${group}`)
      return { group, rows: found.rows, first: firsts[group] ?? 0 }
    }).filter(part => part.rows > 0)
  }

  /** Rows of all parts. */
  get rows(): number { return this.parts.reduce((sum, part) => sum + part.rows, 0) }

  /** The columns at these positions of a small file, if they are known; a file with removed rows is none. */
  keptNow(positions: readonly number[]): readonly KeptColumn[] | undefined {
    if (!this.#keeps()) return undefined
    const kept: KeptColumn[] = [], { columns } = this.#context.footers
    for (const position of positions) {
      const column = columns.get(this.#parquet, columnAt(this.file, position))
      if (column === undefined) return undefined
      kept.push(column)
    }
    columns.touch(this.#parquet)
    return kept
  }

  /** The columns at these positions of a small file, read and kept for the next time; undefined when it is not small. */
  async keep(positions: readonly number[]): Promise<readonly KeptColumn[] | undefined> {
    const [part] = this.parts, { columns: known } = this.#context.footers
    if (!this.#keeps() || part === undefined) return undefined
    using arena = this.#context.memory.arena()
    const found = positions.map(position => known.get(this.#parquet, columnAt(this.file, position)))
    const read = await this.#read(part, positions.filter((_, i) => found[i] === undefined), arena)
    const kept: KeptColumn[] = []
    let next = 0
    for (const [i, position] of positions.entries()) {
      const column = found[i] === undefined ? read[next++] : undefined, fresh = column === undefined ? found[i] : keepColumn(column, this.#context.kernel, arena)
      if (fresh === undefined) { known.refuse(this.#parquet); return undefined }
      if (column !== undefined) known.add(this.#parquet, columnAt(this.file, position), fresh)
      kept.push(fresh)
    }
    return kept
  }

  #keeps(): boolean {
    return isSmall(this.file) && this.#deleted === undefined && this.#only === undefined && this.parts.length === 1 && this.#parquet.rowGroups.length === 1 && !this.#context.footers.columns.refuses(this.#parquet)
  }

  /** A 1 for each row of a part that is removed or not asked for; undefined when there is none. */
  removed(part: Part): Uint8Array | undefined {
    if (this.#deleted === undefined && this.#only === undefined) return undefined
    const flags = new Uint8Array(part.rows)
    if (this.#only !== undefined) {
      this.#only.mark(flags, part.first)
      for (let i = 0; i < flags.length; i++) flags[i] = 1 - (flags[i] ?? 0)
    }
    this.#deleted?.mark(flags, part.first)
    return flags.includes(1) ? flags : undefined
  }

  /** The columns at these positions, of all rows of a part; their buffers are in `arena`. */
  async read(part: Part, positions: readonly number[], arena: Arena): Promise<Column[]> {
    const kept = this.keptNow(positions) ?? await this.keep(positions)
    return kept === undefined ? this.#read(part, positions, arena) : kept.map(column => putBack([column], arena))
  }

  async #read(part: Part, positions: readonly number[], arena: Arena): Promise<Column[]> {
    const columns = positions.map(position => columnAt(this.file, position)), fields = new Map(this.#parquet.schema.toReversed().map(field => [field.name, field]))
    const names = new Set<string>()
    for (const column of columns) if (column.kind === 'file' && fields.has(column.name)) names.add(column.name)
    const ordered = [...names], found = new Map<string, Column>()
    if (ordered.length > 0) {
      const read = await readRowGroup(this.#parquet, this.#store, part.group, ordered, this.#context.kernel, arena)
      ordered.forEach((name, i) => { const column = read[i]; if (column !== undefined) found.set(name, column) })
      this.#count(part, ordered.flatMap(name => fields.get(name) ?? []))
    }
    return columns.map(column => {
      const { type } = column.field
      if (column.kind === 'constant') return constColumn(column.value, type, part.rows, arena)
      const read = found.get(column.name)
      if (read === undefined) return constColumn(null, type, part.rows, arena)
      const named = column.as === undefined ? read : relabel(read, renamed(read.type, column.as))
      return evolveColumn(named, type, arena, `${this.file.path}: column "${column.name}"`)
    })
  }

  #count(part: Part, fields: readonly ParquetField[]): void {
    const group = this.#parquet.rowGroups[part.group]
    if (group === undefined) return
    for (const field of fields) {
      for (const leaf of leavesOf(field.shape)) { const chunk = group.chunk(leaf); this.#stats.bytesRead += chunk.end - chunk.start }
    }
  }
}
