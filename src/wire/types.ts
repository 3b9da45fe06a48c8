/** Values on the wire: text and binary, of the types that exist. */
import { asArray, asBigInt, asBytes, asDecimal, asInterval, asList, asNumber, asText, asTimeTz } from '../datum.ts'
import { SqlError, unsupported } from '../error.ts'
import { oidOf, typeOfOid } from '../oid.ts'
import { parseValue, textWriter } from '../text.ts'
import { fromUtf8 } from '../text/settings.ts'
import type { TextSettings } from '../text.ts'
import type { Type } from '../type.ts'
import type { Decimal, Value } from '../value.ts'
import type { MessageWriter } from './codec.ts'

/** 2000-01-01 in days and in microseconds since 1970. */
const EPOCH_DAYS = 10_957, EPOCH_MICROS = 946_684_800_000_000n
const INFINITE_DAY = 2 ** 31 - 1, INFINITE_MICROS = 2n ** 63n - 1n

/** Writes a value that is not NULL, with its length in front. */
export type ValueWriter = (out: MessageWriter, value: Exclude<Value, null>) => void

/** Resolved once a column. Format 0 is text, 1 binary. */
export function valueWriter(type: Type, format: number, settings: TextSettings): ValueWriter {
  if (format === 0) {
    const text = textWriter(type, settings)
    return (out, value) => out.sizedText(text(value))
  }
  const write = binaryWriter(type, settings)
  return (out, value) => out.sized(() => write(out, value))
}

function binaryWriter(type: Type, settings: TextSettings): ValueWriter {
  switch (type.kind) {
    case 'bool': return (out, value) => out.byte(value === true ? 1 : 0)
    case 'int2': return (out, value) => out.int16(asNumber(value))
    case 'int4': return (out, value) => out.int32(asNumber(value))
    case 'int8': return (out, value) => out.int64(asBigInt(value))
    case 'oid': case 'regclass': case 'regtype': case 'regproc': case 'regnamespace': return (out, value) => out.int32(Number(asBigInt(value)))
    case 'float4': return (out, value) => out.float32(asNumber(value))
    case 'float8': return (out, value) => out.float64(asNumber(value))
    case 'numeric': return (out, value) => writeNumeric(out, asDecimal(value))
    case 'text': case 'varchar': case 'name': case '"char"': case 'json': case 'unknown': return (out, value) => out.text(asText(value))
    case 'char': { const text = textWriter(type, settings); return (out, value) => out.text(text(value)) }
    case 'jsonb': return (out, value) => out.byte(1).text(asText(value))
    case 'bytea': return (out, value) => out.bytes(asBytes(value))
    case 'uuid': return (out, value) => out.bytes(Buffer.from(asText(value).replaceAll('-', ''), 'hex'))
    case 'date': return (out, value) => { const days = asNumber(value); out.int32(days === INFINITE_DAY || days === -INFINITE_DAY - 1 ? days : days - EPOCH_DAYS) }
    case 'time': return (out, value) => out.int64(asBigInt(value))
    case 'timetz': return (out, value) => { const { micros, zone } = asTimeTz(value); out.int64(micros).int32(zone) }
    case 'timestamp': case 'timestamptz': return (out, value) => { const micros = asBigInt(value); out.int64(micros === INFINITE_MICROS || micros === -INFINITE_MICROS - 1n ? micros : micros - EPOCH_MICROS) }
    case 'interval': return (out, value) => { const { months, days, micros } = asInterval(value); out.int64(micros).int32(days).int32(months) }
    case 'array': {
      let { element } = type
      while (element.kind === 'array') ({ element } = element)
      const write = valueWriter(element, 1, settings)
      return (out, value) => {
        const { dims, lower, values } = flatten(value, type)
        out.int32(dims.length).int32(values.includes(null) ? 1 : 0).int32(oidOf(element))
        dims.forEach((length, i) => out.int32(length).int32(lower[i] ?? 1))
        for (const each of values) if (each === null) out.int32(-1); else write(out, each)
      }
    }
    case 'row': {
      const writers = type.fields.map(field => valueWriter(field.type, 1, settings))
      return (out, value) => {
        const fields = asList(value)
        out.int32(type.fields.length)
        type.fields.forEach((field, i) => {
          const each = fields[i] ?? null
          out.int32(oidOf(field.type))
          if (each === null) out.int32(-1); else writers[i]?.(out, each)
        })
      }
    }
    case 'map': { const text = textWriter(type, settings); return (out, value) => out.byte(1).text(text(value)) }
    case 'void': return () => undefined
    case 'record': throw unsupported('binary output of an anonymous record')
  }
}

/** Arrays of arrays as one array of several dimensions; 0A000 when they are ragged, which PostgreSQL's arrays cannot be. */
function flatten(value: Value, type: Type): { readonly dims: readonly number[]; readonly lower: readonly number[]; readonly values: readonly Value[] } {
  const array = asArray(value)
  if (type.kind !== 'array' || type.element.kind !== 'array') return array
  const parts = array.values.map(each => each === null ? undefined : flatten(each, type.element)), first = parts[0]
  if (first === undefined) return array.values.length === 0 ? array : ragged()
  const values = parts.flatMap(part => part === undefined || part.dims.join() !== first.dims.join() ? ragged() : part.values)
  return { dims: [...array.dims, ...first.dims], lower: [...array.lower, ...first.lower], values }
}
function ragged(): never { throw unsupported('binary output of an array whose parts differ in length', { hint: 'Ask for it as text.' }) }

/** PostgreSQL's numeric: base-10000 digits, the first with weight 10000^weight. */
function writeNumeric(out: MessageWriter, value: Decimal): void {
  if (value.special !== undefined) {
    out.int16(0).int16(0).int16({ NaN: 0xc000, Infinity: 0xd000, '-Infinity': 0xf000 }[value.special]).int16(value.special === 'NaN' ? 0 : 32)
    return
  }
  const negative = value.unscaled < 0n
  let text = (negative ? -value.unscaled : value.unscaled).toString().padStart(value.scale + 1, '0')
  const whole = text.length - value.scale
  text = '0'.repeat((4 - whole % 4) % 4) + text
  const wholeGroups = Math.ceil(whole / 4)
  text += '0'.repeat((4 - text.length % 4) % 4)
  const digits: number[] = []
  for (let i = 0; i < text.length; i += 4) digits.push(Number(text.slice(i, i + 4)))
  let weight = wholeGroups - 1
  while (digits.length > 0 && digits[0] === 0) { digits.shift(); weight-- }
  while (digits.length > 0 && digits.at(-1) === 0) digits.pop()
  if (digits.length === 0) weight = 0
  out.int16(digits.length).int16(weight).int16(negative ? 0x4000 : 0).int16(value.scale)
  for (const digit of digits) out.int16(digit)
}

/** Parameter `number` as bound. 22P03 when binary bytes are no value of the type. */
export function readParameter(bytes: Uint8Array | null, type: Type, format: number, settings: TextSettings, number: number): Value {
  if (bytes === null) return null
  if (format === 0) return parseValue(fromUtf8(bytes), type.kind === 'unknown' ? { kind: 'text' } : type, settings)
  if (format !== 1) throw new SqlError('22023', `unsupported format code: ${format}`)
  try {
    return readBinary(bytes, type)
  } catch (error) {
    throw error === MALFORMED ? new SqlError('22P03', `incorrect binary data format in bind parameter ${number}`) : error
  }
}

/** Bytes that are no value of the type; the parameter's number is said where it is known. */
const MALFORMED = new SqlError('22P03', 'incorrect binary data format in bind parameter')
const short = (): SqlError => new SqlError('08P01', 'insufficient data left in message')

function readBinary(bytes: Uint8Array, type: Type): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sized = (length: number): void => {
    if (bytes.length < length) throw short()
    if (bytes.length > length) throw MALFORMED
  }
  switch (type.kind) {
    case 'bool': sized(1); return bytes[0] !== 0
    case 'int2': sized(2); return view.getInt16(0)
    case 'int4': sized(4); return view.getInt32(0)
    case 'int8': sized(8); return view.getBigInt64(0)
    case 'oid': case 'regclass': case 'regtype': case 'regproc': case 'regnamespace': sized(4); return BigInt(view.getUint32(0))
    case 'float4': sized(4); return view.getFloat32(0)
    case 'float8': sized(8); return view.getFloat64(0)
    case 'numeric': return readNumeric(view, bytes.length)
    case 'text': case 'varchar': case 'char': case 'name': case '"char"': case 'json': case 'unknown': return fromUtf8(bytes)
    case 'jsonb':
      if (bytes[0] !== 1) throw new SqlError('22P03', `unsupported jsonb version number ${bytes[0] ?? 0}`)
      return parseValue(fromUtf8(bytes.subarray(1)), type)
    case 'bytea': return bytes.slice()
    case 'uuid': { sized(16); const hex = Buffer.from(bytes).toString('hex'); return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` }
    case 'date': { sized(4); const days = view.getInt32(0); return days === INFINITE_DAY || days === -INFINITE_DAY - 1 ? days : days + EPOCH_DAYS }
    case 'time': sized(8); return view.getBigInt64(0)
    case 'timetz': sized(12); return { micros: view.getBigInt64(0), zone: view.getInt32(8) }
    case 'timestamp': case 'timestamptz': { sized(8); const micros = view.getBigInt64(0); return micros === INFINITE_MICROS || micros === -INFINITE_MICROS - 1n ? micros : micros + EPOCH_MICROS }
    case 'interval': sized(16); return { micros: view.getBigInt64(0), days: view.getInt32(8), months: view.getInt32(12) }
    case 'array': return readArray(view, bytes, type)
    case 'row': case 'record': case 'map': case 'void': throw unsupported(`a binary parameter of type ${type.kind}`)
  }
}

function readArray(view: DataView, bytes: Uint8Array, type: Extract<Type, { kind: 'array' }>): Value {
  try {
    const count = view.getInt32(0), element = typeOfOid(view.getUint32(8)) ?? type.element
    if (count < 0 || count > 6) throw MALFORMED
    const dims: number[] = [], lower: number[] = []
    let at = 12, total = count === 0 ? 0 : 1
    for (let i = 0; i < count; i++, at += 8) { dims.push(view.getInt32(at)); lower.push(view.getInt32(at + 4)); total *= view.getInt32(at) }
    if (total < 0 || total > bytes.length) throw MALFORMED
    const values: Value[] = []
    for (let i = 0; i < total; i++) {
      const length = view.getInt32(at)
      at += 4
      if (length < 0) values.push(null)
      else {
        if (at + length > bytes.length) throw MALFORMED
        values.push(readBinary(bytes.subarray(at, at + length), element.kind === type.element.kind ? type.element : element))
        at += length
      }
    }
    if (at !== bytes.length) throw MALFORMED
    return { dims, lower, values }
  } catch (error) {
    throw error instanceof RangeError ? MALFORMED : error
  }
}

function readNumeric(view: DataView, length: number): Value {
  if (length < 8) throw MALFORMED
  const count = view.getInt16(0), weight = view.getInt16(2), sign = view.getUint16(4), scale = view.getUint16(6)
  if (count < 0 || length !== 8 + 2 * count) throw MALFORMED
  if (sign === 0xc000) return { unscaled: 0n, scale: 0, special: 'NaN' }
  if (sign === 0xd000) return { unscaled: 0n, scale: 0, special: 'Infinity' }
  if (sign === 0xf000) return { unscaled: 0n, scale: 0, special: '-Infinity' }
  if ((sign !== 0 && sign !== 0x4000) || scale > 0x3fff) throw MALFORMED
  let digits = 0n
  for (let i = 0; i < count; i++) {
    const digit = view.getInt16(8 + 2 * i)
    if (digit < 0 || digit > 9999) throw MALFORMED
    digits = digits * 10000n + BigInt(digit)
  }
  const shift = 4 * (weight - count + 1) + scale
  const unscaled = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift)
  return { unscaled: sign === 0x4000 ? -unscaled : unscaled, scale }
}
