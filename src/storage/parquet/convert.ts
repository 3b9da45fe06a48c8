/** What is left to do once a chunk's values are side by side: byte arrays that stand for numbers and intervals, Julian dates. */
import type { Column } from '../../batch.ts'
import { columnFromValues, columnReader } from '../../column.ts'
import { asBytes } from '../../datum.ts'
import { corrupt } from '../../error.ts'
import type { Type } from '../../type.ts'
import { widthOf } from '../../type.ts'
import type { Value } from '../../value.ts'
import type { ChunkSource } from './page.ts'

/** The column in the leaf's type, with room for the chunk's NULLs, too. */
export function convertValues(column: Column, source: ChunkSource): Column {
  const { leaf } = source
  if (leaf.conversion === 'values') {
    if (column.data.kind === 'dict') return { ...column, type: leaf.type, data: { ...column.data, dictionary: oneByOne(column.data.dictionary, source) } }
    return oneByOne(column, source)
  }
  return leaf.conversion === 'decimal' && column.data.kind === 'var' ? decimals(column, source) : column
}

function decimals(column: Column, source: ChunkSource): Column {
  const { leaf, chunk, kernel, arena, path } = source, n = column.length
  const out = arena.alloc(chunk.values * widthOf(leaf.layout))
  if (column.data.kind === 'var') {
    const { offsets, bytes } = column.data
    const wrong = leaf.layout === 'i64' ? kernel.var_decimal64(offsets, bytes, n, out) : kernel.var_decimal128(offsets, bytes, n, out)
    if (wrong < 0) throw corrupt(path, `column ${leaf.path} has a value of more digits than its type`)
  }
  return { type: leaf.type, length: n, valid: undefined, data: { kind: 'flat', values: out } }
}

/** Types without a kernel: intervals, and decimals of more than 38 digits. */
function oneByOne(column: Column, source: ChunkSource): Column {
  const { arena, chunk, leaf: { type }, memory } = source
  const read = columnReader(column, memory), values: Value[] = []
  for (let i = 0; i < column.length; i++) values.push(valueOf(asBytes(read(i)), type))
  const converted = columnFromValues(values, type, arena)
  if (converted.data.kind !== 'var' || chunk.values <= column.length) return converted
  const offsets = arena.alloc(4 * (chunk.values + 1))
  memory.u8.copyWithin(offsets, converted.data.offsets, converted.data.offsets + 4 * (column.length + 1))
  return { ...converted, data: { ...converted.data, offsets } }
}

function valueOf(bytes: Uint8Array, type: Type): Value {
  if (type.kind === 'interval') {
    if (bytes.length < 12) return { months: 0, days: 0, micros: 0n }
    const view = new DataView(bytes.buffer, bytes.byteOffset, 12)
    return { months: view.getUint32(0, true), days: view.getUint32(4, true), micros: BigInt(view.getUint32(8, true)) * 1000n }
  }
  const scale = type.kind === 'numeric' ? type.scale ?? 0 : 0
  return { unscaled: bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`)), scale }
}
