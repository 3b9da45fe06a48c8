/**
 * The bytes of a value whose layout is var, and of values inside arrays, rows and maps.
 *
 *   numeric   order-preserving prefix (class byte; for finite values a biased base-100 exponent and base-100 digits, complemented when negative),
 *             then the display scale as u16 big-endian. Equal numbers have equal prefixes whatever their scales.
 *   interval  the length in microseconds (30-day months) as 16 bytes big-endian with the sign flipped; tail: i32 months, i32 days, i64 micros, little-endian
 *   timetz    i64 UTC microseconds, i32 zone, both big-endian with the sign flipped
 *   uuid      16 bytes
 *   array     u32 dimensions, then for each u32 length and i32 lower bound; then a vector of the elements
 *   row       u32 number of fields; one validity byte a field; u32 offsets (one more than fields); the fields' bytes
 *   map       u32 entries; a vector of keys; a vector of values
 *   others    UTF-8 text, or the bytes themselves
 *
 * A vector of n values: u8 1 when validity bytes follow (n of them); then fixed-width values side by side, or u32 offsets (n + 1, from 0) and bytes.
 * Everything is little-endian unless said otherwise; nothing is aligned.
 */
import { InternalError, invariant } from './error.ts'
import type { Field, Type } from './type.ts'
import { layoutOf, widthOf } from './type.ts'
import type { ArrayValue, Decimal, Interval, TimeTz, Value } from './value.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const MINUS_INFINITY = 0x00, NEGATIVE = 0x7f, ZERO = 0x80, POSITIVE = 0x81, PLUS_INFINITY = 0xfe, NOT_A_NUMBER = 0xff
const DAY = 86_400_000_000n

/** Bytes of a non-NULL value of a var type. The result may be a view of the value: do not change it. */
export function encodeValue(value: Exclude<Value, null>, type: Type): Uint8Array {
  switch (type.kind) {
    case 'numeric': return encodeNumeric(asDecimal(value))
    case 'interval': return encodeInterval(asInterval(value))
    case 'timetz': return encodeTimeTz(asTimeTz(value))
    case 'uuid': return encodeUuid(asText(value))
    case 'bytea': invariant(value instanceof Uint8Array, 'bytea value'); return value
    case 'array': return encodeArray(asArray(value), type.element)
    case 'row': return encodeRow(asList(value), type.fields)
    case 'map': return encodeMap(asList(value), type.key, type.value)
    case 'void': return new Uint8Array(0)
    default: return encoder.encode(asText(value))
  }
}

/** The value whose bytes these are. */
export function decodeValue(bytes: Uint8Array, type: Type): Exclude<Value, null> {
  switch (type.kind) {
    case 'numeric': return decodeNumeric(bytes)
    case 'interval': {
      const view = viewOf(bytes)
      return { months: view.getInt32(16, true), days: view.getInt32(20, true), micros: view.getBigInt64(24, true) }
    }
    case 'timetz': {
      const view = viewOf(bytes), zone = view.getUint32(8) - 0x80000000
      return { micros: BigInt.asIntN(64, view.getBigInt64(0) ^ -0x8000000000000000n) - BigInt(zone) * 1_000_000n, zone }
    }
    case 'uuid': return decodeUuid(bytes)
    case 'bytea': return bytes.slice()
    case 'array': return decodeArray(bytes, type.element)
    case 'row': return decodeRow(bytes, type.fields)
    case 'map': return decodeMap(bytes, type.key, type.value)
    case 'void': return ''
    default: return bytes.buffer instanceof SharedArrayBuffer ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') : decoder.decode(bytes)
  }
}

// ---- numbers ----------------------------------------------------------------------------------------------------

function encodeNumeric(value: Decimal): Uint8Array {
  if (value.special !== undefined) return Uint8Array.of(value.special === 'NaN' ? NOT_A_NUMBER : value.special === 'Infinity' ? PLUS_INFINITY : MINUS_INFINITY, 0, 0)
  if (value.unscaled === 0n) return Uint8Array.of(ZERO, value.scale >> 8, value.scale & 255)
  const negative = value.unscaled < 0n
  let digits = (negative ? -value.unscaled : value.unscaled).toString()
  let scale = value.scale
  if (scale % 2 === 1) { digits += '0'; scale++ }             // base-100 digits are aligned to the decimal point
  if (digits.length % 2 === 1) digits = `0${digits}`
  const exponent = digits.length / 2 - scale / 2              // value = 0.d1 d2 … × 100^exponent
  let end = digits.length
  while (end > 2 && digits.charCodeAt(end - 1) === 48 && digits.charCodeAt(end - 2) === 48) end -= 2
  const count = end / 2
  const out = new Uint8Array(4 + count + (negative ? 1 : 0) + 2)
  const flip = negative ? 255 : 0, biased = exponent + 0x800000
  out[0] = negative ? NEGATIVE : POSITIVE
  out[1] = (biased >> 16) ^ flip
  out[2] = ((biased >> 8) & 255) ^ flip
  out[3] = (biased & 255) ^ flip
  for (let i = 0; i < count; i++) out[4 + i] = ((digits.charCodeAt(2 * i) - 48) * 10 + digits.charCodeAt(2 * i + 1) - 48 + 1) ^ flip
  if (negative) out[4 + count] = 255
  out[out.length - 2] = value.scale >> 8
  out[out.length - 1] = value.scale & 255
  return out
}

function decodeNumeric(bytes: Uint8Array): Decimal {
  const kind = bytes[0] ?? 0, end = bytes.length - 2
  const scale = ((bytes[end] ?? 0) << 8) | (bytes[end + 1] ?? 0)
  if (kind === ZERO) return { unscaled: 0n, scale }
  if (kind === NOT_A_NUMBER) return { unscaled: 0n, scale: 0, special: 'NaN' }
  if (kind === PLUS_INFINITY) return { unscaled: 0n, scale: 0, special: 'Infinity' }
  if (kind === MINUS_INFINITY) return { unscaled: 0n, scale: 0, special: '-Infinity' }
  const negative = kind === NEGATIVE, flip = negative ? 255 : 0
  const exponent = ((((bytes[1] ?? 0) ^ flip) << 16) | (((bytes[2] ?? 0) ^ flip) << 8) | ((bytes[3] ?? 0) ^ flip)) - 0x800000
  const count = end - 4 - (negative ? 1 : 0)
  let text = ''
  for (let i = 0; i < count; i++) { const pair = ((bytes[4 + i] ?? 0) ^ flip) - 1; text += pair < 10 ? `0${pair}` : pair }
  // digits stand for text × 10^(2·(exponent − count)); bring them to the display scale
  const shift = 2 * (exponent - count) + scale
  let unscaled = BigInt(text)
  unscaled = shift >= 0 ? unscaled * 10n ** BigInt(shift) : unscaled / 10n ** BigInt(-shift)
  return { unscaled: negative ? -unscaled : unscaled, scale }
}

function encodeInterval(value: Interval): Uint8Array {
  const out = new Uint8Array(32), view = viewOf(out)
  const total = (BigInt(value.months) * 30n + BigInt(value.days)) * DAY + value.micros
  view.setBigInt64(0, (total >> 64n) ^ -0x8000000000000000n)
  view.setBigUint64(8, total & 0xffffffffffffffffn)
  view.setInt32(16, value.months, true)
  view.setInt32(20, value.days, true)
  view.setBigInt64(24, value.micros, true)
  return out
}

function encodeTimeTz(value: TimeTz): Uint8Array {
  const out = new Uint8Array(12), view = viewOf(out)
  view.setBigInt64(0, (value.micros + BigInt(value.zone) * 1_000_000n) ^ -0x8000000000000000n)
  view.setUint32(8, value.zone + 0x80000000)
  return out
}

function encodeUuid(text: string): Uint8Array {
  const hex = text.replaceAll('-', '')
  const out = new Uint8Array(16)
  for (let i = 0; i < 16; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return out
}

function decodeUuid(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

// ---- values inside others ---------------------------------------------------------------------------------------

function encodeArray(value: ArrayValue, element: Type): Uint8Array {
  const head = new Uint8Array(4 + 8 * value.dims.length), view = viewOf(head)
  view.setUint32(0, value.dims.length, true)
  value.dims.forEach((length, i) => {
    view.setUint32(4 + 8 * i, length, true)
    view.setInt32(8 + 8 * i, value.lower[i] ?? 1, true)
  })
  return concat([head, encodeVector(value.values, element)])
}

function decodeArray(bytes: Uint8Array, element: Type): ArrayValue {
  const view = viewOf(bytes), count = view.getUint32(0, true)
  const dims: number[] = [], lower: number[] = []
  for (let i = 0; i < count; i++) { dims.push(view.getUint32(4 + 8 * i, true)); lower.push(view.getInt32(8 + 8 * i, true)) }
  const n = count === 0 ? 0 : dims.reduce((a, b) => a * b, 1)
  return { dims, lower, values: decodeVector(bytes.subarray(4 + 8 * count), n, element).values }
}

/** A one-dimensional array; an empty one has no dimensions, as in PostgreSQL. */
export function arrayOf(values: readonly Value[]): ArrayValue {
  return values.length === 0 ? { dims: [], lower: [], values } : { dims: [values.length], lower: [1], values }
}

function encodeRow(values: readonly Value[], fields: readonly Field[]): Uint8Array {
  const n = fields.length
  const parts = fields.map((field, i) => { const value = values[i] ?? null; return value === null ? new Uint8Array(0) : encodeAny(value, field.type) })
  const head = new Uint8Array(4 + n + 4 * (n + 1)), view = viewOf(head)
  view.setUint32(0, n, true)
  let at = 0
  for (let i = 0; i < n; i++) {
    head[4 + i] = (values[i] ?? null) === null ? 0 : 1
    view.setUint32(4 + n + 4 * i, at, true)
    at += parts[i]?.length ?? 0
  }
  view.setUint32(4 + n + 4 * n, at, true)
  return concat([head, ...parts])
}

function decodeRow(bytes: Uint8Array, fields: readonly Field[]): Value[] {
  const view = viewOf(bytes), n = view.getUint32(0, true), start = 4 + n + 4 * (n + 1)
  return fields.map((field, i) => i >= n || bytes[4 + i] === 0 ? null
    : decodeAny(bytes.subarray(start + view.getUint32(4 + n + 4 * i, true), start + view.getUint32(8 + n + 4 * i, true)), field.type))
}

function encodeMap(entries: readonly Value[], key: Type, value: Type): Uint8Array {
  const head = new Uint8Array(4), pairs = entries.map(entry => asList(entry))
  viewOf(head).setUint32(0, entries.length, true)
  return concat([head, encodeVector(pairs.map(pair => pair[0] ?? null), key), encodeVector(pairs.map(pair => pair[1] ?? null), value)])
}

function decodeMap(bytes: Uint8Array, key: Type, value: Type): Value[] {
  const n = viewOf(bytes).getUint32(0, true)
  const keys = decodeVector(bytes.subarray(4), n, key), values = decodeVector(bytes.subarray(4 + keys.size), n, value).values
  return keys.values.map((k, i) => [k, values[i] ?? null])
}

function encodeVector(values: readonly Value[], type: Type): Uint8Array {
  const n = values.length, hasNull = values.includes(null), layout = layoutOf(type), width = widthOf(layout)
  const valid = new Uint8Array(hasNull ? n + 1 : 1)
  if (hasNull) { valid[0] = 1; values.forEach((value, i) => { valid[1 + i] = value === null ? 0 : 1 }) }
  if (layout !== 'var') {
    const body = new Uint8Array(n * width), view = viewOf(body)
    values.forEach((value, i) => { if (value !== null) setFixed(view, i * width, value, type) })
    return concat([valid, body])
  }
  const parts = values.map(value => value === null ? new Uint8Array(0) : encodeValue(value, type))
  const offsets = new Uint8Array(4 * (n + 1)), view = viewOf(offsets)
  let at = 0
  parts.forEach((part, i) => { at += part.length; view.setUint32(4 * (i + 1), at, true) })
  return concat([valid, offsets, ...parts])
}

function decodeVector(bytes: Uint8Array, n: number, type: Type): { values: Value[]; size: number } {
  const hasNull = bytes[0] === 1, layout = layoutOf(type), width = widthOf(layout), view = viewOf(bytes)
  const start = hasNull ? 1 + n : 1, values: Value[] = []
  if (layout !== 'var') {
    for (let i = 0; i < n; i++) values.push(hasNull && bytes[1 + i] === 0 ? null : getFixed(view, start + i * width, type))
    return { values, size: start + n * width }
  }
  const body = start + 4 * (n + 1)
  for (let i = 0; i < n; i++) {
    values.push(hasNull && bytes[1 + i] === 0 ? null : decodeValue(bytes.subarray(body + view.getUint32(start + 4 * i, true), body + view.getUint32(start + 4 * i + 4, true)), type))
  }
  return { values, size: body + view.getUint32(start + 4 * n, true) }
}

function encodeAny(value: Exclude<Value, null>, type: Type): Uint8Array {
  const width = widthOf(layoutOf(type))
  if (width === 0) return encodeValue(value, type)
  const out = new Uint8Array(width)
  setFixed(viewOf(out), 0, value, type)
  return out
}

function decodeAny(bytes: Uint8Array, type: Type): Exclude<Value, null> {
  return layoutOf(type) === 'var' ? decodeValue(bytes, type) : getFixed(viewOf(bytes), 0, type)
}

// ---- fixed-width values -----------------------------------------------------------------------------------------

/** Writes a non-NULL value of a fixed-width type, little-endian. */
export function setFixed(view: DataView, at: number, value: Exclude<Value, null>, type: Type): void {
  switch (layoutOf(type)) {
    case 'u8': view.setUint8(at, value === true ? 1 : 0); return
    case 'i32': view.setInt32(at, asNumber(value), true); return
    case 'f32': view.setFloat32(at, asNumber(value), true); return
    case 'f64': view.setFloat64(at, asNumber(value), true); return
    case 'i64': view.setBigInt64(at, type.kind === 'numeric' ? unscaledAt(asDecimal(value), type.scale ?? 0) : asBigInt(value), true); return
    case 'i128': {
      const unscaled = unscaledAt(asDecimal(value), type.kind === 'numeric' ? type.scale ?? 0 : 0)
      view.setBigUint64(at, unscaled & 0xffffffffffffffffn, true)
      view.setBigInt64(at + 8, unscaled >> 64n, true)
      return
    }
    case 'var': throw new InternalError('a var value has no fixed width')
  }
}

/** Reads a value of a fixed-width type. */
export function getFixed(view: DataView, at: number, type: Type): Exclude<Value, null> {
  switch (layoutOf(type)) {
    case 'u8': return view.getUint8(at) !== 0
    case 'i32': return view.getInt32(at, true)
    case 'f32': return view.getFloat32(at, true)
    case 'f64': return view.getFloat64(at, true)
    case 'i64': return type.kind === 'numeric' ? { unscaled: view.getBigInt64(at, true), scale: type.scale ?? 0 } : view.getBigInt64(at, true)
    case 'i128': return { unscaled: (view.getBigInt64(at + 8, true) << 64n) | view.getBigUint64(at, true), scale: type.kind === 'numeric' ? type.scale ?? 0 : 0 }
    case 'var': throw new InternalError('a var value has no fixed width')
  }
}

/** The unscaled integer of a decimal at another scale; the decimal must have no digits beyond it. */
export function unscaledAt(value: Decimal, scale: number): bigint {
  if (value.scale === scale) return value.unscaled
  if (value.scale < scale) return value.unscaled * 10n ** BigInt(scale - value.scale)
  const factor = 10n ** BigInt(value.scale - scale)
  invariant(value.unscaled % factor === 0n, 'decimal was not rounded to its column\'s scale')
  return value.unscaled / factor
}

// ---- telling values apart -----------------------------------------------------------------------------------------

export function asNumber(value: Value): number {
  if (typeof value !== 'number') throw new InternalError(`a number was expected, not ${typeof value}`)
  return value
}
export function asBigInt(value: Value): bigint {
  if (typeof value !== 'bigint') throw new InternalError(`a bigint was expected, not ${typeof value}`)
  return value
}
export function asText(value: Value): string {
  if (typeof value !== 'string') throw new InternalError(`a string was expected, not ${typeof value}`)
  return value
}
export function asBytes(value: Value): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new InternalError(`bytes were expected, not ${typeof value}`)
  return value
}
export function asList(value: Value): readonly Value[] {
  if (!Array.isArray(value)) throw new InternalError(`a row was expected, not ${typeof value}`)
  return value
}
export function asDecimal(value: Value): Decimal {
  if (typeof value === 'object' && value !== null && 'unscaled' in value) return value
  throw new InternalError(`a decimal was expected, not ${typeof value}`)
}
export function asInterval(value: Value): Interval {
  if (typeof value === 'object' && value !== null && 'months' in value) return value
  throw new InternalError(`an interval was expected, not ${typeof value}`)
}
export function asTimeTz(value: Value): TimeTz {
  if (typeof value === 'object' && value !== null && 'zone' in value) return value
  throw new InternalError(`a timetz was expected, not ${typeof value}`)
}
export function asArray(value: Value): ArrayValue {
  if (typeof value === 'object' && value !== null && 'dims' in value) return value
  throw new InternalError(`an array was expected, not ${typeof value}`)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) { out.set(part, at); at += part.length }
  return out
}
