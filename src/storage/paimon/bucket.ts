/** Which bucket a row belongs to: a function of its bucket-key columns that every engine must compute alike. */
import { SqlError, invariant, unsupported } from '../../error.ts'
import type { Value } from '../../value.ts'
import { bigEndian, encodeRow, unscaledOf } from './binaryrow.ts'
import { bucketKey, fieldsOf } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { paimonTypeText } from './types.ts'
import type { PaimonType } from './types.ts'

/** The bucket of a row, given the values of its bucket key in the key's order. */
export type BucketFunction = (key: readonly Value[], buckets: number) => number

/** The function that a table's options ask for. */
export function bucketFunction(schema: PaimonSchema): BucketFunction {
  const key = bucketKey(schema), types = fieldsOf(schema, key).map(field => field.type)
  const kind = schema.options['bucket-function.type'] ?? 'default'
  switch (kind.toLowerCase()) {
    case 'default': return (values, buckets) => bucketOf(rowHash(types, values), buckets)
    case 'mod': {
      const type = types[0]
      if (types.length !== 1 || (type?.kind !== 'INT' && type?.kind !== 'BIGINT')) throw new SqlError('22023', 'bucket function mod needs one bucket key of type INT or BIGINT')
      return ([value], buckets) => {
        invariant(typeof value === 'number' || typeof value === 'bigint', 'an integer bucket key')
        const n = BigInt(buckets), rest = BigInt(value) % n
        return Number(rest < 0n ? rest + n : rest)
      }
    }
    case 'hive': return (values, buckets) => (hiveHash(types, values) & 0x7fffffff) % buckets
    default: throw unsupported(`option bucket-function.type = ${kind}`)
  }
}

/** The hash of a row for fixed and dynamic buckets. */
export function rowHash(types: readonly PaimonType[], values: readonly Value[]): number {
  return murmur(encodeRow(types, values))
}

/** The bucket for a hash: Java's `Math.abs(hash % buckets)`. */
export function bucketOf(hash: number, buckets: number): number {
  return Math.abs((hash | 0) % buckets)
}

/** Murmur3, x86, 32 bits, seed 42, of bytes whose length is a multiple of four. */
export function murmur(bytes: Uint8Array): number {
  let hash = 42
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    let word = Math.imul(view.getInt32(at, true), 0xcc9e2d51)
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593)
    hash ^= word
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
}

function hiveHash(types: readonly PaimonType[], values: readonly Value[]): number {
  return types.reduce((hash, type, i) => (Math.imul(hash, 31) + hiveHashOf(type, values[i] ?? null)) | 0, 0)
}

function hiveHashOf(type: PaimonType, value: Value): number {
  if (value === null) return 0
  switch (type.kind) {
    case 'BOOLEAN': return value === true ? 1 : 0
    case 'TINYINT': case 'SMALLINT': case 'INT': case 'DATE': return Number(value)
    case 'TIME': return Number(BigInt(String(value)) / 1000n)
    case 'BIGINT': return foldLong(BigInt.asUintN(64, BigInt(String(value))))
    case 'FLOAT': {
      const view = new DataView(new ArrayBuffer(4))
      view.setFloat32(0, Number(value) === 0 ? 0 : Number(value))
      return view.getInt32(0)
    }
    case 'DOUBLE': {
      const view = new DataView(new ArrayBuffer(8))
      view.setFloat64(0, Number(value) === 0 ? 0 : Number(value))
      return foldLong(view.getBigUint64(0))
    }
    case 'CHAR': case 'VARCHAR': return bytesHash(new TextEncoder().encode(String(value)))
    case 'BINARY': case 'VARBINARY':
      invariant(value instanceof Uint8Array, 'a bytea value')
      return bytesHash(value)
    case 'DECIMAL': {
      let unscaled = unscaledOf(value, type.scale), scale = type.scale
      while (scale > 0 && unscaled % 10n === 0n) { unscaled /= 10n; scale-- }
      return (Math.imul(31, javaBigIntegerHash(unscaled)) + scale) | 0
    }
    default: throw unsupported(`bucket function hive on a column of type ${paimonTypeText(type)}`)
  }
}

function foldLong(bits: bigint): number {
  return Number(BigInt.asIntN(32, bits ^ (bits >> 32n)))
}

function bytesHash(bytes: Uint8Array): number {
  let hash = 0
  for (const byte of bytes) hash = (Math.imul(hash, 31) + ((byte << 24) >> 24)) | 0
  return hash
}

/** `BigInteger.hashCode`: 31-polynomial over the magnitude's 32-bit words, times the sign. */
function javaBigIntegerHash(value: bigint): number {
  const magnitude = value < 0n ? -value : value
  const bytes = bigEndian(magnitude)
  let hash = 0
  for (let start = bytes.length % 4 - 4; start < bytes.length; start += 4) {
    let word = 0
    for (let i = start; i < start + 4; i++) word = (word << 8) | (i < 0 ? 0 : bytes[i] ?? 0)
    hash = (Math.imul(hash, 31) + word) | 0
  }
  return value < 0n ? -hash | 0 : hash
}
