/**
 * BinaryRow: one row in Paimon's binary form, as it stands in manifests (partition, keys, statistics) and as it is hashed for buckets. Little-endian
 * throughout; only the arity in front of a serialised row is big-endian. Values are those of `value.ts` for the SQL type of the Paimon type.
 */
import { corrupt, invariant, unsupported } from '../../error.ts'
import type { ArrayValue, Decimal, Value } from '../../value.ts'
import { paimonTypeText } from './types.ts'
import type { PaimonType } from './types.ts'

/** The serialised row of no columns: twelve zero bytes. */
export const EMPTY_ROW: Uint8Array = new Uint8Array(12)

/** The row's bytes as they are hashed: without the arity in front. */
export function encodeRow(types: readonly PaimonType[], values: readonly Value[]): Uint8Array {
  const nulls = nullBytes(types.length)
  const writer = new SlotWriter(nulls + 8 * types.length)
  types.forEach((type, i) => {
    const value = values[i] ?? null
    const slot = nulls + 8 * i
    if (value === null) {
      writer.setBit(0, i + 8)
      const reserved = reservedBytes(type)
      if (reserved > 0) writer.reference(slot, new Uint8Array(reserved), 0) // the space is kept even for NULL: hashes depend on it
      return
    }
    writer.value(slot, type, value)
  })
  return writer.bytes()
}

/** The row as manifests hold it: its arity (big-endian), then the row. */
export function serializeRow(types: readonly PaimonType[], values: readonly Value[]): Uint8Array {
  const row = encodeRow(types, values)
  const out = new Uint8Array(row.length + 4)
  new DataView(out.buffer).setInt32(0, types.length)
  out.set(row, 4)
  return out
}

/** The values of a serialised row of these types. `path` names the file in errors. */
export function parseRow(path: string, bytes: Uint8Array, types: readonly PaimonType[]): readonly Value[] {
  if (rowArity(path, bytes) !== types.length) throw corrupt(path, `a row of ${rowArity(path, bytes)} columns where ${types.length} are expected`)
  return new SlotReader(path, bytes.subarray(4)).row(types)
}

/** One value of a serialised row of `arity` columns. */
export function parseColumn(path: string, bytes: Uint8Array, arity: number, column: number, type: PaimonType): Value {
  if (rowArity(path, bytes) !== arity) throw corrupt(path, `a row of ${rowArity(path, bytes)} columns where ${arity} are expected`)
  return new SlotReader(path, bytes.subarray(4)).column(arity, column, type)
}

/** How many columns a serialised row has. */
export function rowArity(path: string, bytes: Uint8Array): number {
  if (bytes.length < 4) throw corrupt(path, 'a row of less than four bytes')
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(0)
}

function nullBytes(arity: number): number {
  return Math.floor((arity + 63 + 8) / 64) * 8
}

/** Bytes of the variable part that a value takes whether it is NULL or not. */
function reservedBytes(type: PaimonType): number {
  if (type.kind === 'DECIMAL') return type.precision > 18 ? 16 : 0
  if (type.kind === 'TIMESTAMP' || type.kind === 'TIMESTAMP_LTZ') return type.precision > 3 ? 8 : 0
  return 0
}

/** Width of an element in an array: its own for primitives, a slot for the rest. */
function elementWidth(type: PaimonType): number {
  switch (type.kind) {
    case 'BOOLEAN': case 'TINYINT': return 1
    case 'SMALLINT': return 2
    case 'INT': case 'DATE': case 'TIME': case 'FLOAT': return 4
    default: return 8
  }
}

const INT: PaimonType = { kind: 'INT', nullable: true }

class SlotWriter {
  #bytes: Uint8Array
  #view: DataView
  #end: number

  constructor(fixed: number) {
    this.#bytes = new Uint8Array(Math.max(64, fixed))
    this.#view = new DataView(this.#bytes.buffer)
    this.#end = fixed
  }

  bytes(): Uint8Array { return this.#bytes.slice(0, this.#end) }

  setBit(start: number, bit: number): void {
    const at = start + (bit >> 3)
    this.#bytes[at] = (this.#bytes[at] ?? 0) | (1 << (bit & 7))
  }

  setInt(at: number, value: number): void { this.#view.setInt32(at, value, true) }

  /** Puts bytes into the variable part, padded to 8, and their place into a slot; `low` is the slot's low half. */
  reference(slot: number, bytes: Uint8Array, low: number): void {
    const offset = this.#end, end = offset + Math.ceil(bytes.length / 8) * 8
    if (end > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(end, this.#bytes.length * 2))
      bigger.set(this.#bytes)
      this.#bytes = bigger
      this.#view = new DataView(bigger.buffer)
    }
    this.#bytes.set(bytes, offset)
    this.#end = end
    this.#view.setInt32(slot, low, true)
    this.#view.setInt32(slot + 4, offset, true)
  }

  value(slot: number, type: PaimonType, value: Value): void {
    const view = this.#view
    switch (type.kind) {
      case 'BOOLEAN': view.setInt8(slot, value === true ? 1 : 0); return
      case 'TINYINT': view.setInt8(slot, number(value)); return
      case 'SMALLINT': view.setInt16(slot, number(value), true); return
      case 'INT': case 'DATE': view.setInt32(slot, number(value), true); return
      case 'TIME': view.setInt32(slot, Number(bigint(value) / 1000n), true); return
      case 'FLOAT': view.setFloat32(slot, number(value), true); return
      case 'DOUBLE': view.setFloat64(slot, number(value), true); return
      case 'BIGINT': view.setBigInt64(slot, bigint(value), true); return
      case 'DECIMAL': {
        const unscaled = unscaledOf(value, type.scale)
        if (type.precision <= 18) { view.setBigInt64(slot, unscaled, true); return }
        const minimal = bigEndian(unscaled)
        const reserved = new Uint8Array(16)
        reserved.set(minimal)
        this.reference(slot, reserved, minimal.length)
        return
      }
      case 'TIMESTAMP': case 'TIMESTAMP_LTZ': {
        const micros = bigint(value), below = ((micros % 1000n) + 1000n) % 1000n, millis = (micros - below) / 1000n
        if (type.precision <= 3) { view.setBigInt64(slot, millis, true); return }
        const bytes = new Uint8Array(8)
        new DataView(bytes.buffer).setBigInt64(0, millis, true)
        this.reference(slot, bytes, Number(below) * 1000)
        return
      }
      case 'CHAR': case 'VARCHAR':
        invariant(typeof value === 'string', 'a text value')
        this.#text(slot, new TextEncoder().encode(value))
        return
      case 'BINARY': case 'VARBINARY':
        invariant(value instanceof Uint8Array, 'a bytea value')
        this.#text(slot, value)
        return
      case 'ARRAY': this.#nested(slot, encodeArray(type.element, arrayValues(value))); return
      case 'MULTISET': this.#nested(slot, encodeMap(type.element, INT, value)); return
      case 'MAP': this.#nested(slot, encodeMap(type.key, type.value, value)); return
      case 'ROW': this.#nested(slot, encodeRow(type.fields.map(field => field.type), list(value))); return
      case 'VARIANT': case 'OTHER': throw unsupported(`a binary row with a value of type ${paimonTypeText(type)}`)
    }
  }

  #text(slot: number, bytes: Uint8Array): void {
    if (bytes.length > 7) { this.reference(slot, bytes, bytes.length); return }
    this.#bytes.set(bytes, slot)
    this.#bytes[slot + 7] = 0x80 | bytes.length
  }

  #nested(slot: number, bytes: Uint8Array): void { this.reference(slot, bytes, bytes.length) }
}

function encodeArray(element: PaimonType, values: readonly Value[]): Uint8Array {
  const header = 4 + Math.ceil(values.length / 32) * 4, width = elementWidth(element)
  const writer = new SlotWriter(Math.ceil((header + width * values.length) / 8) * 8)
  writer.setInt(0, values.length)
  values.forEach((value, i) => {
    if (value === null) {
      writer.setBit(4, i)
      const reserved = reservedBytes(element)
      if (reserved > 0) writer.reference(header + width * i, new Uint8Array(reserved), 0)
    } else writer.value(header + width * i, element, value)
  })
  return writer.bytes()
}

function encodeMap(keyType: PaimonType, valueType: PaimonType, value: Value): Uint8Array {
  const entries = list(value).map(list)
  const keys = encodeArray(keyType, entries.map(entry => entry[0] ?? null)), values = encodeArray(valueType, entries.map(entry => entry[1] ?? null))
  const out = new Uint8Array(4 + keys.length + values.length)
  new DataView(out.buffer).setInt32(0, keys.length, true)
  out.set(keys, 4)
  out.set(values, 4 + keys.length)
  return out
}

function number(value: Value): number {
  invariant(typeof value === 'number', 'a number value')
  return value
}
function bigint(value: Value): bigint {
  invariant(typeof value === 'bigint', 'a bigint value')
  return value
}
function list(value: Value | undefined): readonly Value[] {
  invariant(Array.isArray(value), 'a list value')
  return value
}
function arrayValues(value: Value): readonly Value[] {
  invariant(isArrayValue(value), 'an array value')
  return value.values
}
function isArrayValue(value: Value): value is ArrayValue {
  return value !== null && typeof value === 'object' && 'dims' in value
}
function isDecimal(value: Value): value is Decimal {
  return value !== null && typeof value === 'object' && 'unscaled' in value
}

/** The unscaled value at exactly this scale. */
export function unscaledOf(value: Value, scale: number): bigint {
  invariant(isDecimal(value) && value.special === undefined, 'a finite numeric value')
  if (value.scale <= scale) return value.unscaled * 10n ** BigInt(scale - value.scale)
  const divisor = 10n ** BigInt(value.scale - scale)
  invariant(value.unscaled % divisor === 0n, `a numeric value of at most ${scale} decimals`)
  return value.unscaled / divisor
}

/** Two's complement, big-endian, as few bytes as hold it. */
export function bigEndian(value: bigint): Uint8Array {
  let bits = 8
  while (BigInt.asIntN(bits, value) !== value) bits += 8
  const bytes = new Uint8Array(bits / 8)
  for (let i = bytes.length - 1, rest = value; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn)
  return bytes
}

/** The inverse of `bigEndian`, of any number of bytes. */
export function fromBigEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(Math.max(8, bytes.length * 8), value)
}

class SlotReader {
  readonly #path: string
  readonly #bytes: Uint8Array
  readonly #view: DataView

  constructor(path: string, bytes: Uint8Array) {
    this.#path = path
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) // a Buffer's slice is no copy
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  row(types: readonly PaimonType[]): readonly Value[] {
    const nulls = nullBytes(types.length)
    this.#need(0, nulls + 8 * types.length)
    return types.map((type, i) => this.#bit(0, i + 8) ? null : this.#value(nulls + 8 * i, type))
  }

  column(arity: number, column: number, type: PaimonType): Value {
    const nulls = nullBytes(arity)
    this.#need(0, nulls + 8 * arity)
    return this.#bit(0, column + 8) ? null : this.#value(nulls + 8 * column, type)
  }

  array(element: PaimonType): readonly Value[] {
    this.#need(0, 4)
    const count = this.#view.getInt32(0, true)
    const header = 4 + Math.ceil(count / 32) * 4, width = elementWidth(element)
    if (count < 0) throw this.#error('an array of negative length')
    this.#need(0, header + width * count)
    return Array.from({ length: count }, (_, i) => this.#bit(4, i) ? null : this.#value(header + width * i, element))
  }

  map(keyType: PaimonType, valueType: PaimonType): readonly (readonly Value[])[] {
    this.#need(0, 4)
    const size = this.#view.getInt32(0, true)
    if (size < 0) throw this.#error('a map of negative length')
    const keys = new SlotReader(this.#path, this.#slice(4, size)).array(keyType)
    const values = new SlotReader(this.#path, this.#slice(4 + size, this.#bytes.length - 4 - size)).array(valueType)
    if (keys.length !== values.length) throw this.#error('a map with more keys than values')
    return keys.map((key, i) => [key, values[i] ?? null])
  }

  #value(slot: number, type: PaimonType): Value {
    const view = this.#view
    switch (type.kind) {
      case 'BOOLEAN': return view.getInt8(slot) !== 0
      case 'TINYINT': return view.getInt8(slot)
      case 'SMALLINT': return view.getInt16(slot, true)
      case 'INT': case 'DATE': return view.getInt32(slot, true)
      case 'TIME': return BigInt(view.getInt32(slot, true)) * 1000n
      case 'FLOAT': return view.getFloat32(slot, true)
      case 'DOUBLE': return view.getFloat64(slot, true)
      case 'BIGINT': return view.getBigInt64(slot, true)
      case 'DECIMAL': {
        if (type.precision <= 18) return { unscaled: view.getBigInt64(slot, true), scale: type.scale }
        return { unscaled: fromBigEndian(this.#referenced(slot)), scale: type.scale }
      }
      case 'TIMESTAMP': case 'TIMESTAMP_LTZ': {
        if (type.precision <= 3) return view.getBigInt64(slot, true) * 1000n
        const nanos = view.getInt32(slot, true), offset = view.getInt32(slot + 4, true)
        this.#need(offset, 8)
        return view.getBigInt64(offset, true) * 1000n + BigInt(Math.floor(nanos / 1000))
      }
      case 'CHAR': case 'VARCHAR':
        try {
          return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#text(slot))
        } catch (cause) {
          throw corrupt(this.#path, 'a text in a row is not UTF-8', cause)
        }
      case 'BINARY': case 'VARBINARY': return this.#text(slot).slice()
      case 'ARRAY': {
        const values = new SlotReader(this.#path, this.#referenced(slot)).array(type.element)
        return { dims: values.length === 0 ? [] : [values.length], lower: values.length === 0 ? [] : [1], values }
      }
      case 'MULTISET': return new SlotReader(this.#path, this.#referenced(slot)).map(type.element, INT)
      case 'MAP': return new SlotReader(this.#path, this.#referenced(slot)).map(type.key, type.value)
      case 'ROW': return new SlotReader(this.#path, this.#referenced(slot)).row(type.fields.map(field => field.type))
      case 'VARIANT': case 'OTHER': throw unsupported(`a binary row with a value of type ${paimonTypeText(type)}`, { where: this.#path })
    }
  }

  #text(slot: number): Uint8Array {
    const mark = this.#bytes[slot + 7] ?? 0
    if ((mark & 0x80) === 0) return this.#referenced(slot)
    const length = mark & 0x7f
    if (length > 7) throw this.#error('a short text of more than seven bytes')
    return this.#slice(slot, length)
  }

  #referenced(slot: number): Uint8Array {
    return this.#slice(this.#view.getInt32(slot + 4, true), this.#view.getInt32(slot, true))
  }

  #slice(offset: number, length: number): Uint8Array {
    this.#need(offset, length)
    return this.#bytes.subarray(offset, offset + length)
  }

  #bit(start: number, bit: number): boolean {
    return ((this.#bytes[start + (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0
  }

  #need(offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > this.#bytes.length) throw this.#error(`a row that refers to bytes ${offset} to ${offset + length} of ${this.#bytes.length}`)
  }

  #error(what: string): Error { return corrupt(this.#path, what) }
}
