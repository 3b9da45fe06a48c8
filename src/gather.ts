/** Columns and batches made of the rows of others. */
import type { Batch, Column } from './batch.ts'
import { invariant, unreachable } from './error.ts'
import type { Kernel } from './kernel/kernel.ts'
import type { Address, Arena } from './memory.ts'
import { layoutOf, widthOf } from './type.ts'

/** A list of row numbers in the shared memory, u32 each. */
export interface Rows {
  readonly at: Address
  readonly count: number
}

/** Row numbers as kernels take them. */
export function rowsFrom(numbers: ArrayLike<number>, arena: Arena): Rows {
  const at = arena.alloc(4 * numbers.length)
  arena.memory.refresh().u32.set(numbers, at / 4)
  return { at, count: numbers.length }
}

/** A column of these rows of `column`, in this order; what is new of it is in `arena`. Dictionaries are shared, not copied. */
export function gatherColumn(column: Column, rows: Rows, kernel: Kernel, arena: Arena): Column {
  const { type, data } = column, length = rows.count
  if (data.kind === 'const') return { ...column, length }
  const valid = column.valid === undefined ? undefined : gatherFlat(column.valid, 1, rows, kernel, arena)
  switch (data.kind) {
    case 'flat': return { type, length, valid, data: { kind: 'flat', values: gatherFlat(data.values, widthOf(layoutOf(type)), rows, kernel, arena) } }
    case 'dict': return { type, length, valid, data: { kind: 'dict', codes: gatherFlat(data.codes, 4, rows, kernel, arena), dictionary: data.dictionary } }
    case 'var': {
      const offsets = arena.alloc(4 * (length + 1))
      const size = kernel.gather_offsets(data.offsets, rows.at, length, offsets) >>> 0
      const bytes = arena.alloc(size)
      kernel.gather_bytes(data.offsets, data.bytes, rows.at, length, offsets, bytes)
      return { type, length, valid, data: { kind: 'var', offsets, bytes } }
    }
    default: return unreachable(data)
  }
}

/** A batch of these rows of `batch`, in this order. */
export function gatherBatch(batch: Batch, rows: Rows, kernel: Kernel, arena: Arena): Batch {
  const columns = batch.columns.map(column => gatherColumn(column, rows, kernel, arena))
  const result: Batch = { schema: batch.schema, length: rows.count, columns }
  return batch.weights === undefined ? result : { ...result, weights: gatherFlat(batch.weights, 4, rows, kernel, arena) }
}

/** The same rows side by side: flat or var. */
export function flattenColumn(column: Column, kernel: Kernel, arena: Arena): Column {
  const { data, length } = column
  if (data.kind === 'dict') return { ...gatherColumn({ ...data.dictionary, valid: undefined }, { at: data.codes, count: length }, kernel, arena), valid: column.valid }
  if (data.kind === 'const') return gatherColumn(data.one, { at: arena.zeroed(4 * length), count: length }, kernel, arena)
  return column
}

/** Columns of one type, one behind the other: flat or var, all in `arena`. */
export function concatColumns(columns: readonly Column[], kernel: Kernel, arena: Arena): Column {
  const parts = columns.map(column => flattenColumn(column, kernel, arena)), { memory } = arena
  const type = columns[0]?.type
  invariant(type !== undefined, 'no columns to join')
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  let valid: Address | undefined
  if (parts.some(part => part.valid !== undefined)) {
    valid = arena.alloc(length)
    let row = 0
    for (const part of parts) {
      if (part.valid === undefined) kernel.fill_8(valid + row, part.length, 1)
      else kernel.move_bytes(valid + row, part.valid, part.length)
      row += part.length
    }
  }
  const width = widthOf(layoutOf(type))
  let row = 0, size = 0
  if (width > 0) {
    const values = arena.alloc(length * width)
    for (const { data, length: n } of parts) {
      invariant(data.kind === 'flat', 'a flat column')
      kernel.move_bytes(values + row * width, data.values, n * width)
      row += n
    }
    return { type, length, valid, data: { kind: 'flat', values } }
  }
  const spans = parts.map(({ data, length: n }) => {
    invariant(data.kind === 'var', 'a var column')
    const { u32 } = memory.refresh(), first = u32[data.offsets / 4] ?? 0
    return { offsets: data.offsets, n, from: data.bytes + first, bytes: (u32[data.offsets / 4 + n] ?? 0) - first }
  })
  const total = spans.reduce((sum, span) => sum + span.bytes, 0)
  invariant(total < 2 ** 32, 'a column of 4 GiB')
  const offsets = arena.zeroed(4 * (length + 1)), bytes = arena.alloc(total)
  for (const span of spans) {
    kernel.rebase_offsets(span.offsets, span.n, size, offsets + 4 * row)
    kernel.move_bytes(bytes + size, span.from, span.bytes)
    row += span.n
    size += span.bytes
  }
  return { type, length, valid, data: { kind: 'var', offsets, bytes } }
}

function gatherFlat(from: Address, width: number, rows: Rows, kernel: Kernel, arena: Arena): Address {
  const to = arena.alloc(rows.count * width)
  switch (width) {
    case 1: kernel.gather_8(from, rows.at, rows.count, to); break
    case 4: kernel.gather_32(from, rows.at, rows.count, to); break
    case 8: kernel.gather_64(from, rows.at, rows.count, to); break
    default: kernel.gather_128(from, rows.at, rows.count, to)
  }
  return to
}
