/**
 * Reads Parquet files into columns in the shared memory.
 *
 *   const file = await openParquet(store, path, size)                             // one read of the file's end; cache it by path and size
 *   file.schema, file.rowGroups[i].rows, file.rowGroups[i].stats                  // plan and prune: no I/O
 *   const columns = await readRowGroup(file, store, i, ['a', 'b'], kernel, arena) // whole row group, one column a name, in `arena`
 *
 * Reading only some rows of a row group (late materialisation) fits between `pagesOf` and `PageUnpacker.unpack` of page.ts: all page headers are
 * known before the first page is unpacked, so a page without a selected row can be passed over there (`rows` of a flat page are its `values`), its
 * rows left undefined. A caller will read the filter's columns first and hand their selection to a second call.
 */
import type { Column } from '../../batch.ts'
import { corrupt, unsupported } from '../../error.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Address, Arena } from '../../memory.ts'
import { layoutOf, widthOf } from '../../type.ts'
import type { ObjectStore } from '../store.ts'
import { decodeChunk } from './chunk.ts'
import type { Decoded } from './chunk.ts'
import type { ParquetFile, RowGroup } from './footer.ts'
import { decodeFooter } from './footer.ts'
import { fromJulian } from './julian.ts'
import { assemble } from './nested.ts'
import type { Leaf, ParquetField } from './schema.ts'
import { leavesOf } from './schema.ts'

export type { ParquetFile, RowGroup } from './footer.ts'
export type { ParquetField } from './schema.ts'

/** What is read of the end of a file at first: most footers are in it. */
const TAIL = 64 * 1024
/** Gaps between wanted column chunks up to this size are read, too: a request costs more. */
const GAP = 64 * 1024

/** The file's metadata. `size` is the file's size in bytes. Throws XX001 when it is no Parquet file, 0A000 for what is not understood. */
export async function openParquet(store: ObjectStore, path: string, size: number): Promise<ParquetFile> {
  if (size === 0) throw corrupt(path, 'not a Parquet file: it is empty')
  if (size < 12) throw corrupt(path, 'not a Parquet file: it is too short for a footer')
  const tailStart = Math.max(0, size - TAIL)
  const tail = await store.read(path, tailStart, size)
  const end = tail.length - 8, magic = Buffer.from(tail.subarray(end + 4)).toString('latin1')
  if (magic === 'PARE') throw unsupported('an encrypted Parquet file', { where: path })
  if (magic !== 'PAR1') throw corrupt(path, 'not a Parquet file, or cut short: it does not end in PAR1')
  const length = new DataView(tail.buffer, tail.byteOffset, tail.byteLength).getUint32(end, true)
  if (length === 0 || length > size - 12) throw corrupt(path, `the footer's length is ${length}, the file's ${size}`)
  const footerStart = size - 8 - length
  const footer = footerStart >= tailStart ? tail.slice(footerStart - tailStart, end) : await store.read(path, footerStart, size - 8)
  return decodeFooter(footer, path, size) // keeps the footer's bytes, not all of the tail
}

/** The columns of these names, in this order, of one row group; their buffers are in `arena`. 42703 is the caller's: a name that the file lacks is a mistake. */
export async function readRowGroup(file: ParquetFile, store: ObjectStore, group: number, columns: readonly string[], kernel: Kernel, arena: Arena): Promise<Column[]> {
  const rowGroup = file.rowGroups[group]
  if (rowGroup === undefined) throw corrupt(file.path, `there is no row group ${group}`)
  const fields = columns.map(name => file.schema.find(field => field.name === name) ?? missing(file, name))
  const scratch = arena.memory.arena()
  try {
    const places = await readChunks(file, store, rowGroup, [...new Set(fields.flatMap(field => leavesOf(field.shape)))], scratch)
    arena.memory.refresh()
    return fields.map(field => readField(file, rowGroup, field, leaf => places.get(leaf) ?? 0, kernel, arena, scratch))
  } finally {
    scratch.free()
  }
}

function missing(file: ParquetFile, name: string): never { throw corrupt(file.path, `it has no column "${name}"`) }

/** Reads the leaves' chunks into `scratch`, neighbours in one request; where each begins. */
async function readChunks(file: ParquetFile, store: ObjectStore, group: RowGroup, leaves: readonly Leaf[], scratch: Arena): Promise<Map<Leaf, Address>> {
  const chunks = leaves.map(leaf => ({ leaf, chunk: group.chunk(leaf) })).sort((a, b) => a.chunk.start - b.chunk.start)
  const ranges: { start: number; end: number; chunks: typeof chunks }[] = []
  for (const entry of chunks) {
    const last = ranges.at(-1)
    if (last !== undefined && entry.chunk.start - last.end <= GAP) {
      last.end = Math.max(last.end, entry.chunk.end)
      last.chunks.push(entry)
    } else ranges.push({ start: entry.chunk.start, end: entry.chunk.end, chunks: [entry] })
  }
  const places = new Map<Leaf, Address>()
  const reads = ranges.map(range => ({ range, at: scratch.alloc(range.end - range.start) }))
  await Promise.all(reads.map(({ range, at }) => range.end === range.start ? undefined
    : store.read(file.path, range.start, range.end, scratch.memory.u8.subarray(at, at + range.end - range.start))))
  for (const { range, at } of reads) for (const { leaf, chunk } of range.chunks) places.set(leaf, at + chunk.start - range.start)
  return places
}

function readField(file: ParquetFile, group: RowGroup, field: ParquetField, startOf: (leaf: Leaf) => Address, kernel: Kernel, arena: Arena, scratch: Arena): Column {
  const { path } = file, { memory } = arena, { shape } = field
  // What nested values are made of is gone when they are put together.
  const target = shape.kind === 'leaf' ? arena : scratch
  const decode = (leaf: Leaf): Decoded => {
    const decoded = decodeChunk({ path, leaf, chunk: group.chunk(leaf), start: startOf(leaf), memory, kernel, arena: target, scratch })
    if (file.julian) fromJulian(decoded.values, memory)
    return decoded
  }
  if (shape.kind !== 'leaf') return assemble(field, leavesOf(shape).map(decode), group.rows, memory, arena, path)
  const decoded = decode(shape.leaf)
  if (decoded.count !== group.rows) throw corrupt(path, `column ${field.name} has ${decoded.count} values, its row group ${group.rows} rows`)
  return withNulls(decoded, kernel)
}

/** A flat column of all rows: the values move, in place, to the rows that have one. */
function withNulls({ values, count, definitions }: Decoded, kernel: Kernel): Column {
  if (definitions === undefined || values.length === count) return values
  const { data, length: present } = values
  const column = (data: Column['data']): Column => ({ type: values.type, length: count, valid: definitions, data })
  switch (data.kind) {
    case 'const': return { ...values, length: count }
    case 'dict': kernel.spread4(data.codes, definitions, count, present); return column(data)
    case 'var': kernel.spread_offsets(data.offsets, definitions, count, present); return column(data)
    case 'flat':
      switch (widthOf(layoutOf(values.type))) {
        case 1: kernel.spread1(data.values, definitions, count, present); break
        case 4: kernel.spread4(data.values, definitions, count, present); break
        case 8: kernel.spread8(data.values, definitions, count, present); break
        default: kernel.spread16(data.values, definitions, count, present)
      }
      return column(data)
  }
}
