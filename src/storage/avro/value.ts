/**
 * Avro's binary encoding. Values as plain data: int, float, double number · long bigint · bytes and fixed Uint8Array · array [] ·
 * map Map · record object · enum its symbol · union the value of its branch.
 */
import { corrupt, invariant } from '../../error.ts'
import type { AvroType } from './schema.ts'

export type AvroValue = null | boolean | number | bigint | string | Uint8Array | readonly AvroValue[] | ReadonlyMap<string, AvroValue> | AvroRecord
export interface AvroRecord { readonly [field: string]: AvroValue }

/** Recursive types must end somewhere. */
const MAX_DEPTH = 200
/** Items that take no bytes (nulls, empty records) are counted against this instead of the bytes left. */
const MAX_EMPTY_ITEMS = 1 << 20

/** Decodes values from bytes; every length is checked against the bytes that are there. */
export class AvroDecoder {
  readonly #path: string
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  at = 0

  constructor(path: string, bytes: Uint8Array, at = 0) {
    this.#path = path
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) // a Buffer's slice is no copy
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = at
  }

  get left(): number { return this.#bytes.length - this.at }

  value(type: AvroType, depth = 0): AvroValue {
    if (depth > MAX_DEPTH) throw this.error('an Avro value is nested too deeply')
    switch (type.kind) {
      case 'null': return null
      case 'boolean': {
        const byte = this.#byte()
        if (byte > 1) throw this.error(`an Avro boolean of value ${byte}`)
        return byte === 1
      }
      case 'int': return this.int()
      case 'long': return this.long()
      case 'float': return this.#view.getFloat32(this.#take(4), true)
      case 'double': return this.#view.getFloat64(this.#take(8), true)
      case 'bytes': return this.bytes()
      case 'string': return this.string()
      case 'fixed': return this.fixed(type.size)
      case 'enum': {
        const symbol = type.symbols[this.int()]
        if (symbol === undefined) throw this.error('an Avro enum beyond its symbols')
        return symbol
      }
      case 'union': {
        const branch = type.branches[this.int()]
        if (branch === undefined) throw this.error('an Avro union beyond its branches')
        return this.value(branch, depth + 1)
      }
      case 'array': {
        const items: AvroValue[] = []
        let empty = 0
        for (let count = this.#blockCount(); count > 0; count = this.#blockCount()) {
          for (let i = 0; i < count; i++) {
            const before = this.at
            items.push(this.value(type.items, depth + 1))
            if (this.at === before && ++empty > MAX_EMPTY_ITEMS) throw this.error('an Avro array has too many empty items')
          }
        }
        return items
      }
      case 'map': {
        const entries = new Map<string, AvroValue>()
        for (let count = this.#blockCount(); count > 0; count = this.#blockCount()) {
          for (let i = 0; i < count; i++) entries.set(this.string(), this.value(type.values, depth + 1))
        }
        return entries
      }
      case 'record': {
        const record: Record<string, AvroValue> = {}
        for (const field of type.fields) {
          const value = this.value(field.type, depth + 1)
          if (field.name === '__proto__') Object.defineProperty(record, field.name, { value, enumerable: true })
          else record[field.name] = value
        }
        return record
      }
    }
  }

  int(): number {
    const value = this.long()
    if (value !== BigInt.asIntN(32, value)) throw this.error('an Avro int beyond 32 bits')
    return Number(value)
  }

  long(): bigint {
    // most are short: five bytes fit a double's mantissa with room to spare
    let low = 0, shift = 1
    for (let i = 0; i < 5; i++) {
      const byte = this.#byte()
      low += (byte & 0x7f) * shift
      if (byte < 0x80) return BigInt(low % 2 === 0 ? low / 2 : -(low + 1) / 2)
      shift *= 128
    }
    let value = BigInt(low), bits = 35n
    for (let i = 0; i < 5; i++) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << bits
      if (byte < 0x80) {
        const unsigned = BigInt.asUintN(64, value)
        return BigInt.asIntN(64, (unsigned >> 1n) ^ -(unsigned & 1n))
      }
      bits += 7n
    }
    throw this.error('an Avro number of more than ten bytes')
  }

  /** A copy: the block it comes from is not kept alive by it. */
  bytes(): Uint8Array { return this.fixed(this.length()) }

  string(): string {
    const length = this.length()
    const at = this.#take(length)
    try {
      return this.#text.decode(this.#bytes.subarray(at, at + length))
    } catch (cause) {
      throw corrupt(this.#path, `an Avro string at byte ${at} is not UTF-8`, cause)
    }
  }

  fixed(size: number): Uint8Array {
    const at = this.#take(size)
    return this.#bytes.slice(at, at + size)
  }

  length(): number {
    const length = this.long()
    if (length < 0n || length > BigInt(this.left)) throw this.error(`an Avro length of ${length} with ${this.left} bytes left`)
    return Number(length)
  }

  error(what: string): Error { return corrupt(this.#path, `${what} (at byte ${this.at})`) }

  #blockCount(): number {
    let count = this.long()
    if (count < 0n) {
      this.long() // bytes of the block, for readers that skip it
      count = -count
    }
    if (count > BigInt(Math.max(this.left, MAX_EMPTY_ITEMS))) throw this.error(`an Avro block of ${count} items`)
    return Number(count)
  }

  #byte(): number { return this.#bytes[this.#take(1)] ?? 0 }

  #take(count: number): number {
    const at = this.at
    if (at + count > this.#bytes.length) throw this.error('Avro data ends early')
    this.at = at + count
    return at
  }
}

/** Encodes values; the inverse of `AvroDecoder`. */
export class AvroEncoder {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  readonly #text = new TextEncoder()
  #length = 0

  get length(): number { return this.#length }

  /** What was encoded since the last take. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return bytes
  }

  value(type: AvroType, value: AvroValue): void {
    switch (type.kind) {
      case 'null': invariant(value === null, 'an Avro null'); return
      case 'boolean': invariant(typeof value === 'boolean', 'an Avro boolean'); this.#byte(value ? 1 : 0); return
      case 'int': invariant(typeof value === 'number' && (value | 0) === value, 'an Avro int'); this.long(BigInt(value)); return
      case 'long': invariant(typeof value === 'bigint', 'an Avro long'); this.long(value); return
      case 'float': invariant(typeof value === 'number', 'an Avro float'); this.#room(4); this.#view.setFloat32(this.#length, value, true); this.#length += 4; return
      case 'double': invariant(typeof value === 'number', 'an Avro double'); this.#room(8); this.#view.setFloat64(this.#length, value, true); this.#length += 8; return
      case 'bytes': invariant(value instanceof Uint8Array, 'Avro bytes'); this.bytes(value); return
      case 'fixed': invariant(value instanceof Uint8Array && value.length === type.size, 'an Avro fixed'); this.raw(value); return
      case 'string': invariant(typeof value === 'string', 'an Avro string'); this.bytes(this.#text.encode(value)); return
      case 'enum': {
        invariant(typeof value === 'string' && type.symbols.includes(value), 'an Avro enum')
        this.long(BigInt(type.symbols.indexOf(value)))
        return
      }
      case 'union': {
        const index = type.branches.findIndex(branch => (branch.kind === 'null') === (value === null))
        const branch = type.branches[index]
        invariant(branch !== undefined && type.branches.length <= 2, 'a nullable Avro union')
        this.long(BigInt(index))
        this.value(branch, value)
        return
      }
      case 'array': {
        invariant(isList(value), 'an Avro array')
        if (value.length > 0) {
          this.long(BigInt(value.length))
          for (const item of value) this.value(type.items, item)
        }
        this.#byte(0)
        return
      }
      case 'map': {
        invariant(value instanceof Map, 'an Avro map')
        if (value.size > 0) {
          this.long(BigInt(value.size))
          for (const [key, item] of value) {
            this.bytes(this.#text.encode(String(key)))
            this.value(type.values, item)
          }
        }
        this.#byte(0)
        return
      }
      case 'record': {
        invariant(isRecord(value), 'an Avro record')
        for (const field of type.fields) this.value(field.type, value[field.name] ?? null)
      }
    }
  }

  long(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    this.#room(10)
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  bytes(bytes: Uint8Array): void {
    this.long(BigInt(bytes.length))
    this.raw(bytes)
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #byte(byte: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = byte
  }

  #room(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    bigger.set(this.#bytes)
    this.#bytes = bigger
    this.#view = new DataView(bigger.buffer)
  }
}

export function isList(value: AvroValue | undefined): value is readonly AvroValue[] {
  return Array.isArray(value)
}

export function isRecord(value: AvroValue | undefined): value is AvroRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Map)
}
