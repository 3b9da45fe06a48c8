/** Statistics of a row group as the pruner wants them. What cannot be trusted is left out. */
import type { Value } from '../../value.ts'
import type { ColumnStats, Stats } from '../prune.ts'
import type { Leaf, ParquetField } from './schema.ts'

/** Bounds as they stand in the file. `oldMin` and `oldMax` were written before the format said in which order. */
export interface RawStatistics {
  readonly oldMin: Uint8Array | undefined
  readonly oldMax: Uint8Array | undefined
  readonly min: Uint8Array | undefined
  readonly max: Uint8Array | undefined
  readonly nulls: number | undefined
}

/** Statistics by position in the file's schema, decoded when asked for. `ordered`: the file says that its bounds are in the type's own order. */
export function statsOf(rows: number, schema: readonly ParquetField[], raw: (leaf: Leaf) => RawStatistics | undefined, ordered: boolean, julian: boolean): Stats {
  const known = new Map<number, ColumnStats | undefined>()
  return {
    rows,
    column(index) {
      if (!known.has(index)) {
        const shape = schema[index]?.shape
        const statistics = shape?.kind === 'leaf' ? raw(shape.leaf) : undefined
        known.set(index, shape?.kind !== 'leaf' || statistics === undefined ? undefined : columnStats(shape.leaf, statistics, rows, ordered, julian))
      }
      return known.get(index)
    },
  }
}

function columnStats(leaf: Leaf, raw: RawStatistics, rows: number, ordered: boolean, julian: boolean): ColumnStats {
  if (leaf.conversion === 'nothing') return { nulls: rows }
  const nulls = raw.nulls !== undefined && raw.nulls >= 0 && raw.nulls <= rows ? { nulls: raw.nulls } : {}
  if (julian && (leaf.type.kind === 'date' || leaf.type.kind === 'timestamp' || leaf.type.kind === 'timestamptz')) return nulls
  // The old fields were compared as signed whatever the type was; parquet-mr wrote wrong ones for byte arrays.
  const useNew = ordered && (raw.min !== undefined || raw.max !== undefined)
  if (!useNew && !(leaf.signed && leaf.conversion !== 'decimal')) return nulls
  const min = bound(leaf, useNew ? raw.min : raw.oldMin, 'min'), max = bound(leaf, useNew ? raw.max : raw.oldMax, 'max')
  return { ...nulls, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }
}

/** The value of a bound; undefined when it is absent, of the wrong size, NaN, or cut inside of a character in a way that would make it tighter. */
function bound(leaf: Leaf, bytes: Uint8Array | undefined, which: 'min' | 'max'): Value | undefined {
  if (bytes === undefined) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (leaf.width > 0 && leaf.physical !== 'FIXED_LEN_BYTE_ARRAY' && bytes.length !== leaf.width) return undefined
  switch (leaf.conversion) {
    case 'bits': return bytes.length === 1 ? bytes[0] !== 0 : undefined
    case 'same':
      switch (leaf.physical) {
        case 'INT32': return leaf.signed ? view.getInt32(0, true) : view.getUint32(0, true)
        case 'INT64': { const value = view.getBigInt64(0, true); return leaf.type.kind === 'numeric' ? { unscaled: value, scale: leaf.type.scale ?? 0 } : value }
        case 'FLOAT': return ordinary(view.getFloat32(0, true))
        case 'DOUBLE': return ordinary(view.getFloat64(0, true))
        default: return undefined
      }
    case 'widen': return { unscaled: BigInt(view.getInt32(0, true)), scale: leaf.type.kind === 'numeric' ? leaf.type.scale ?? 0 : 0 }
    case 'widen1000': return BigInt(view.getInt32(0, true)) * 1000n
    case 'widenUnsigned': return BigInt(view.getUint32(0, true))
    case 'millis': return view.getBigInt64(0, true) * 1000n
    case 'nanos': { const value = view.getBigInt64(0, true), micros = value / 1000n; return micros * 1000n > value ? micros - 1n : micros }
    case 'unsigned128': return { unscaled: view.getBigUint64(0, true), scale: 0 }
    case 'decimal': return bytes.length === 0 || bytes.length > 64 ? undefined : { unscaled: BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`)), scale: leaf.type.kind === 'numeric' ? leaf.type.scale ?? 0 : 0 }
    case 'bytes':
      if (leaf.type.kind === 'bytea') return bytes.slice()
      if (leaf.type.kind === 'uuid') return bytes.length === 16 ? Buffer.from(bytes).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : undefined
      return text(bytes, which)
    case 'nothing': case 'values': case 'int96': case 'float16': return undefined
  }
}

function ordinary(value: number): number | undefined { return Number.isNaN(value) ? undefined : value }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A lower bound that was cut inside of a character is made shorter, hence lower; an upper bound like that is not used. */
function text(bytes: Uint8Array, which: 'min' | 'max'): string | undefined {
  for (let end = bytes.length; end >= 0 && end >= bytes.length - 3; end--) {
    try {
      return decoder.decode(bytes.subarray(0, end))
    } catch {
      if (which === 'max') return undefined
    }
  }
  return undefined
}
