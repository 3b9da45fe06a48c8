/**
 * Text input and output of every type, as PostgreSQL's: what literals, casts to and from text, the wire's text format, COPY and the
 * corpus runner share.
 */
import { asArray, asBigInt, asBytes, asDecimal, asInterval, asList, asNumber, asText, asTimeTz } from './datum.ts'
import { SqlError, unreachable, unsupported } from './error.ts'
import { formatArray, formatMap, formatRow, parseArray, parseMap, parseRow } from './text/nested.ts'
import { formatBytea, formatUuid, parseBytea, parseUuid } from './text/bytes.ts'
import { checkJson, jsonbText } from './text/json.ts'
import { formatInterval } from './text/interval.ts'
import { parseInterval } from './text/interval-input.ts'
import { coerceDecimal, formatDecimal, formatFloat4, formatFloat8, parseBool, parseDecimal, parseFloat4, parseFloat8, parseInteger, parseInt8, parseOid } from './text/number.ts'
import { DEFAULT_SETTINGS, trimBlanks, utf8 } from './text/settings.ts'
import type { Mode, ObjectKind, TextSettings } from './text/settings.ts'
import { formatDate, formatTime, formatTimestamp, formatTimestampTz, formatTimeTz } from './text/time.ts'
import { toJson } from './text/to-json.ts'
import { parseDate, parseTime, parseTimestamp, parseTimestampTz, parseTimeTz } from './text/time-input.ts'
import type { Type } from './type.ts'
import type { Value } from './value.ts'
import { zoneNamed } from './zone.ts'

export { DEFAULT_SETTINGS } from './text/settings.ts'
export type { Mode, ObjectKind, ObjectNames, TextSettings } from './text/settings.ts'

/** PostgreSQL's text of a value that is not NULL. For many values of one type take a `textWriter`. */
export function formatValue(value: Value, type: Type, settings: TextSettings = DEFAULT_SETTINGS): string {
  return textWriter(type, settings)(value)
}

/**
 * The value that a text means for a type: PostgreSQL's input function, with its errors. Modifiers hold: numerics and times are rounded,
 * text that is too long is 22001, or cut when `mode` is explicit.
 */
export function parseValue(text: string, type: Type, settings: TextSettings = DEFAULT_SETTINGS, mode: Mode = 'assignment'): Value {
  return textReader(type, settings, mode)(text)
}

/** `formatValue` with everything that depends on the type alone done once. Values must not be null. */
export function textWriter(type: Type, settings: TextSettings = DEFAULT_SETTINGS): (value: Value) => string {
  switch (type.kind) {
    case 'bool': return value => value === true ? 't' : 'f'
    case 'int2': case 'int4': case 'int8': case 'oid': return value => String(value)
    case 'float4': return value => formatFloat4(asNumber(value), settings.extraFloatDigits)
    case 'float8': return value => formatFloat8(asNumber(value), settings.extraFloatDigits)
    case 'numeric': return value => formatDecimal(asDecimal(value))
    case 'text': case 'varchar': case 'name': case '"char"': case 'json': case 'jsonb': case 'unknown': return asText
    case 'char': {
      const length = type.length
      return length === undefined ? asText : value => padded(asText(value), length)
    }
    case 'bytea': return value => formatBytea(asBytes(value), settings.byteaOutput)
    case 'uuid': return formatUuid
    case 'date': return value => formatDate(asNumber(value), settings)
    case 'time': return value => formatTime(asBigInt(value))
    case 'timetz': return value => { const { micros, zone } = asTimeTz(value); return formatTimeTz(micros, zone) }
    case 'timestamp': return value => formatTimestamp(asBigInt(value), settings)
    case 'timestamptz': {
      const zone = zoneNamed(settings.timeZone)
      return value => formatTimestampTz(asBigInt(value), zone, settings)
    }
    case 'interval': return value => formatInterval(asInterval(value), settings.intervalStyle)
    case 'array': {
      const element = textWriter(type.element, settings)
      return value => formatArray(asArray(value), element)
    }
    case 'row': {
      const fields = type.fields.map(field => textWriter(field.type, settings))
      return value => formatRow(asList(value), fields)
    }
    case 'map': {
      const key = textWriter(type.key, settings)
      return value => formatMap(asList(value), key, member => toJson(member, type.value, settings, formatValue))
    }
    case 'record': return value => formatRow(asList(value), [])
    case 'void': return () => ''
    case 'regclass': case 'regtype': case 'regproc': case 'regnamespace': {
      const { kind } = type
      return value => objectName(kind, asBigInt(value), settings)
    }
    default: return unreachable(type)
  }
}

/** `parseValue` with everything that depends on the type alone done once. */
export function textReader(type: Type, settings: TextSettings = DEFAULT_SETTINGS, mode: Mode = 'assignment'): (text: string) => Value {
  switch (type.kind) {
    case 'bool': return parseBool
    case 'int2': return text => parseInteger(text, type, -32768, 32767)
    case 'int4': return text => parseInteger(text, type, -2147483648, 2147483647)
    case 'int8': return parseInt8
    case 'oid': return parseOid
    case 'float4': return parseFloat4
    case 'float8': return parseFloat8
    case 'numeric': return text => coerceDecimal(parseDecimal(text), type)
    case 'text': case 'unknown': return checked
    case 'varchar': {
      const { length } = type
      return length === undefined ? checked : text => fitted(checked(text), length, `character varying(${length})`, mode)
    }
    case 'char': {
      const { length } = type
      return text => withoutTrailingBlanks(length === undefined ? checked(text) : fitted(checked(text), length, `character(${length})`, mode))
    }
    case 'name': return text => shortName(checked(text))
    case '"char"': return text => firstByte(checked(text))
    case 'json': return text => checkJson(checked(text))
    case 'jsonb': return text => jsonbText(checked(text))
    case 'bytea': return parseBytea
    case 'uuid': return parseUuid
    case 'date': return text => parseDate(text, settings)
    case 'time': return text => parseTime(text, settings, type.precision)
    case 'timetz': return text => parseTimeTz(text, settings, type.precision)
    case 'timestamp': return text => parseTimestamp(text, settings, type.precision)
    case 'timestamptz': return text => parseTimestampTz(text, settings, type.precision)
    case 'interval': return text => parseInterval(text, settings)
    case 'array': {
      const element = textReader(type.element, settings, mode)
      return text => parseArray(text, element)
    }
    case 'row': {
      const fields = type.fields.map(field => textReader(field.type, settings, mode))
      return text => parseRow(text, fields)
    }
    case 'map': return text => parseMap(text, textReader(type.key, settings, mode), textReader(type.value, settings, mode))
    case 'record': return () => { throw new SqlError('0A000', 'input of anonymous composite types is not implemented') }
    case 'void': return () => { throw unsupported('a value of type void') }
    case 'regclass': case 'regtype': case 'regproc': case 'regnamespace': {
      const { kind } = type
      return text => objectId(kind, text, settings)
    }
    default: return unreachable(type)
  }
}

function checked(text: string): string {
  if (text.includes('\0')) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00')
  return text
}

/** Text of at most `length` characters: cut when written so, or when only blanks go; else 22001. */
export function fitted(text: string, length: number, name: string, mode: Mode): string {
  if (text.length <= length) return text
  const characters = [...text]
  if (characters.length <= length) return text
  if (mode === 'assignment' && characters.slice(length).some(character => character !== ' ')) throw new SqlError('22001', `value too long for type ${name}`)
  return characters.slice(0, length).join('')
}

/** The text without blanks at its end: how char values are kept. */
export function withoutTrailingBlanks(text: string): string {
  let end = text.length
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--
  return end === text.length ? text : text.slice(0, end)
}

/** The first byte of a text as "char" shows it: a character of ASCII, or an octal escape. */
export function firstByte(text: string): string {
  const byte = utf8(text.slice(0, 2))[0]
  return byte === undefined ? '' : byte < 128 ? String.fromCharCode(byte) : `\\${byte.toString(8)}`
}

function padded(text: string, length: number): string {
  if (text.length >= length) {
    const missing = length - [...text].length
    return missing > 0 ? text + ' '.repeat(missing) : text
  }
  let count = text.length
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) count--
  return text + ' '.repeat(length - count)
}

/** Text cut to the 63 bytes of a name, at a character's edge. */
export function shortName(text: string): string {
  if (text.length <= 21 || utf8(text).length <= 63) return text
  let out = ''
  let size = 0
  for (const character of text) {
    size += utf8(character).length
    if (size > 63) break
    out += character
  }
  return out
}

function objectName(kind: ObjectKind, oid: bigint, settings: TextSettings): string {
  if (oid === 0n) return '-'
  return settings.objects?.nameOf(kind, oid) ?? oid.toString()
}

const MISSING_OBJECT = {
  regclass: ['42P01', 'relation'], regtype: ['42704', 'type'], regproc: ['42883', 'function'], regnamespace: ['3F000', 'schema'],
} as const

function objectId(kind: ObjectKind, text: string, settings: TextSettings): bigint {
  const name = trimBlanks(text)
  if (name === '-') return 0n
  if (/^[0-9]+$/.test(name)) return parseOid(name)
  const oid = settings.objects?.oidOf(kind, name)
  if (oid !== undefined) return oid
  const [code, noun] = MISSING_OBJECT[kind]
  throw new SqlError(code, `${noun} "${name}" does not exist`)
}
