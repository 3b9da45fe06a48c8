/**
 * Columns of small files, decoded and kept outside of the shared memory. Files never change, so what was read once is good as long as the file is
 * asked for; a table of many small files is then put together with one copy a column instead of being opened and unpacked again.
 */
import type { Column } from '../batch.ts'
import { invariant } from '../error.ts'
import { flattenColumn } from '../gather.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Address, Arena } from '../memory.ts'
import { layoutOf, typeKey, widthOf } from '../type.ts'
import type { Type } from '../type.ts'
import type { ParquetFile } from './parquet/reader.ts'
import type { ObjectStore } from './store.ts'
import type { SplitColumn } from './table.ts'

/** A file of at most this many bytes is read whole, with one request. */
const FILE_BYTES = 64 * 1024
/** A column of more rows, or of more bytes when decoded, is not kept. */
const ROWS = 4096
const COLUMN_BYTES = 64 * 1024
/** Bytes kept by one thread, at most; the columns of the file that was asked for the longest ago go first. */
export const KEPT_BYTES = 32 * 2 ** 20
/** What a column costs beside its values. */
const OVERHEAD = 400

/** True for a file so small that reading all of it costs no more than reading its footer. */
export function isSmall(file: { readonly size: number }): boolean { return file.size <= FILE_BYTES }

/** A flat or var column whose buffers are its own. */
export interface KeptColumn {
  readonly type: Type
  readonly length: number
  readonly valid: Uint8Array | undefined
  /** Values side by side, or the bytes of a var column. */
  readonly bytes: Uint8Array
  /** Where the rows of a var column begin and end; the first is 0. */
  readonly offsets: Uint32Array | undefined
}

/** A copy of the column that shares nothing with it; undefined when it is too large to be kept. Scratch memory comes from `arena`. */
export function keepColumn(column: Column, kernel: Kernel, arena: Arena): KeptColumn | undefined {
  const { memory } = arena, { type, length } = column, width = widthOf(layoutOf(type))
  memory.refresh()
  if (length > ROWS || (width === 0 && varBytes(column, memory.u32) > COLUMN_BYTES)) return undefined
  const { data, valid } = flattenColumn(column, kernel, arena), { u8, u32 } = memory.refresh()
  const present = valid === undefined ? undefined : u8.slice(valid, valid + length)
  if (data.kind === 'flat') return { type, length, valid: present, bytes: u8.slice(data.values, data.values + width * length), offsets: undefined }
  invariant(data.kind === 'var', 'a flattened column')
  const first = u32[data.offsets / 4] ?? 0, offsets = Uint32Array.from({ length: length + 1 }, (_, i) => (u32[data.offsets / 4 + i] ?? 0) - first)
  return { type, length, valid: present, bytes: u8.slice(data.bytes + first, data.bytes + first + (offsets[length] ?? 0)), offsets }
}

/** Bytes of all values of a var column. */
function varBytes({ data, length }: Column, u32: Uint32Array): number {
  const size = (offsets: Address, row: number): number => (u32[offsets / 4 + row + 1] ?? 0) - (u32[offsets / 4 + row] ?? 0)
  switch (data.kind) {
    case 'flat': return 0
    case 'var': return (u32[data.offsets / 4 + length] ?? 0) - (u32[data.offsets / 4] ?? 0)
    case 'const': return length * varBytes(data.one, u32)
    case 'dict': {
      const { data: entries } = data.dictionary
      if (entries.kind !== 'var') return 0
      let sum = 0
      for (let row = 0; row < length; row++) sum += size(entries.offsets, u32[data.codes / 4 + row] ?? 0)
      return sum
    }
  }
}

/** Kept columns of one type, one behind the other, as a column in `arena`. */
export function putBack(parts: readonly KeptColumn[], arena: Arena): Column {
  const [first] = parts
  invariant(first !== undefined, 'no columns to put together')
  const { type } = first, { memory } = arena
  let length = 0, bytes = 0, nulls = false
  for (const part of parts) { length += part.length; bytes += part.bytes.length; nulls ||= part.valid !== undefined }
  const values = arena.alloc(bytes), offsets = first.offsets === undefined ? undefined : arena.alloc(4 * (length + 1)), valid = nulls ? arena.alloc(length) : undefined
  const { u8, u32 } = memory.refresh()
  let row = 0, at = 0
  for (const part of parts) {
    u8.set(part.bytes, values + at)
    if (offsets !== undefined && part.offsets !== undefined) for (let i = 0; i < part.length; i++) u32[offsets / 4 + row + i] = at + (part.offsets[i] ?? 0)
    if (valid !== undefined) {
      if (part.valid === undefined) u8.fill(1, valid + row, valid + row + part.length)
      else u8.set(part.valid, valid + row)
    }
    row += part.length
    at += part.bytes.length
  }
  if (offsets === undefined) return { type, length, valid, data: { kind: 'flat', values } }
  u32[offsets / 4 + length] = at
  return { type, length, valid, data: { kind: 'var', offsets, bytes: values } }
}

const keys = new WeakMap<SplitColumn, string>()

function keyOf(column: SplitColumn & { readonly kind: 'file' }): string {
  let key = keys.get(column)
  if (key === undefined) keys.set(column, key = `${typeKey(column.field.type)} ${column.as === undefined ? '' : typeKey(column.as)} ${column.name}`)
  return key
}

interface KeptFile {
  readonly columns: Map<string, KeptColumn>
  bytes: number
}

/** The columns of small files that were read last, by the files' metadata objects. */
export class KeptColumns {
  readonly #files = new Map<ParquetFile, KeptFile>()
  readonly #large = new WeakSet<ParquetFile>()
  readonly #most: number
  #bytes = 0
  constructor(most = KEPT_BYTES) { this.#most = most }

  /** A column as it is read from a file; undefined when it is not kept. */
  get(file: ParquetFile, column: SplitColumn): KeptColumn | undefined {
    return column.kind === 'file' ? this.#files.get(file)?.columns.get(keyOf(column)) : undefined
  }

  add(file: ParquetFile, column: SplitColumn, kept: KeptColumn): void {
    if (column.kind !== 'file') return
    const entry = this.#files.get(file) ?? { columns: new Map<string, KeptColumn>(), bytes: 0 }, key = keyOf(column)
    if (entry.columns.has(key)) return
    const size = kept.bytes.length + 5 * kept.length + OVERHEAD
    entry.columns.set(key, kept)
    entry.bytes += size
    this.#bytes += size
    this.#files.delete(file)
    this.#files.set(file, entry)
    for (const [oldest, { bytes }] of this.#files) {
      if (this.#bytes <= this.#most || oldest === file) break
      this.#files.delete(oldest)
      this.#bytes -= bytes
    }
  }

  /** Tells that a file has a column that is too large to be kept: it is read as other files are. */
  refuse(file: ParquetFile): void { this.#large.add(file) }

  refuses(file: ParquetFile): boolean { return this.#large.has(file) }

  /** Tells that a file was asked for again. */
  touch(file: ParquetFile): void {
    const entry = this.#files.get(file)
    if (entry === undefined) return
    this.#files.delete(file)
    this.#files.set(file, entry)
  }
}

/** A store for the reads of one small file: the first read fetches all of it. */
export function readingWhole(store: ObjectStore, path: string, size: number): ObjectStore {
  let whole: Promise<Uint8Array> | undefined
  return {
    spec: store.spec,
    stat: path => store.stat(path),
    list: folder => store.list(folder),
    write: (path, bytes, mode) => store.write(path, bytes, mode),
    remove: path => store.remove(path),
    removeFolder: folder => store.removeFolder(folder),
    async read(asked, start = 0, end = size, into) {
      if (asked !== path || end > size) return store.read(asked, start, end, into)
      const bytes = (await (whole ??= store.read(path, 0, size))).subarray(start, end)
      if (into === undefined) return bytes
      into.set(bytes)
      return into.subarray(0, bytes.length)
    },
  }
}
