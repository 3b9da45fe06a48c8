/** Columns of old files brought to the type that the table has now, by the rules of Paimon's schema evolution. */
import type { Column } from '../batch.ts'
import { columnFromValues, columnReader } from '../column.ts'
import { arrayOf, asArray, asBigInt, asBytes, asDecimal, asList, asNumber, asText } from '../datum.ts'
import { SqlError, unsupported } from '../error.ts'
import type { Arena, Memory } from '../memory.ts'
import { DEFAULT_SETTINGS } from '../text/settings.ts'
import { formatDecimal, parseDecimal } from '../text/number.ts'
import { formatDate, formatTime, formatTimestamp } from '../text/time.ts'
import { parseValue } from '../text.ts'
import { layoutOf, typeKey, typeName } from '../type.ts'
import type { Type } from '../type.ts'
import type { Decimal, Value } from '../value.ts'
import { javaFloat } from './paimon/paths.ts'

type Cast = (value: Exclude<Value, null>) => Value

/** The column as `to`; the same buffers when its values need no change. `where` names file and column. Refuses (0A000) casts that are not known. */
export function evolveColumn(column: Column, to: Type, arena: Arena, where: string): Column {
  const from = column.type
  if (typeKey(from) === typeKey(to)) return column
  const cast = castOf(from, to)
  if (cast === undefined) throw unsupported(`reading a column of type ${typeName(from)} as ${typeName(to)}`, { where })
  if (cast === 'same' && !needsCutting(column, to, arena.memory)) return relabel(column, to)
  const change: Cast = cast === 'same' ? value => cutText(asText(value), to) : cast
  try {
    const { data } = column
    if (data.kind === 'const') return { type: to, length: column.length, valid: undefined, data: { kind: 'const', one: changed(data.one, to, change, arena) } }
    if (data.kind === 'dict') {
      const dictionary = changed(data.dictionary, to, change, arena)
      // A cast may make NULL of a value, and a dictionary has no NULLs.
      if (dictionary.valid === undefined) return { type: to, length: column.length, valid: column.valid, data: { kind: 'dict', codes: data.codes, dictionary } }
    }
    return changed(column, to, change, arena)
  } catch (error) {
    throw error instanceof SqlError ? error.with({ where }) : error
  }
}

function changed(column: Column, to: Type, change: Cast, arena: Arena): Column {
  const read = columnReader(column, arena.memory)
  const values = Array.from({ length: column.length }, (_, row): Value => {
    const value = read(row)
    return value === null ? null : change(value)
  })
  return columnFromValues(values, to, arena)
}

/** The same buffers under another type of the same layout. */
export function relabel(column: Column, type: Type): Column {
  const { data } = column
  switch (data.kind) {
    case 'flat': case 'var': return { ...column, type }
    case 'dict': return { ...column, type, data: { ...data, dictionary: relabel(data.dictionary, type) } }
    case 'const': return { ...column, type, data: { ...data, one: relabel(data.one, type) } }
  }
}

/** The type with the names of row fields that `names`, a type of the same shape, has. */
export function renamed(type: Type, names: Type): Type {
  if (type.kind === 'row' && names.kind === 'row' && type.fields.length === names.fields.length) {
    return { kind: 'row', fields: type.fields.map((field, i) => ({ ...field, name: names.fields[i]?.name ?? field.name, type: renamed(field.type, names.fields[i]?.type ?? field.type) })) }
  }
  if (type.kind === 'array' && names.kind === 'array') return { kind: 'array', element: renamed(type.element, names.element) }
  if (type.kind === 'map' && names.kind === 'map') return { kind: 'map', key: renamed(type.key, names.key), value: renamed(type.value, names.value) }
  return type
}

/** A text that may be longer than its type, or a char that was stored with its blanks. */
function needsCutting(column: Column, to: Type, memory: Memory): boolean {
  if (to.kind !== 'varchar' && to.kind !== 'char') return false
  const { data } = column
  if (data.kind === 'dict') return needsCutting(data.dictionary, to, memory)
  if (data.kind === 'const') return needsCutting(data.one, to, memory)
  if (data.kind !== 'var') return false
  const { u32, u8 } = memory.refresh(), offsets = data.offsets / 4, limit = to.length ?? Infinity, blank = to.kind === 'char' ? 32 : 256
  for (let row = 0; row < column.length; row++) {
    const start = u32[offsets + row] ?? 0, end = u32[offsets + row + 1] ?? 0
    if (end - start > limit || (end > start && u8[data.bytes + end - 1] === blank)) return true
  }
  return false
}

function cutText(text: string, to: Type): string {
  const limit = to.kind === 'varchar' || to.kind === 'char' ? to.length ?? Infinity : Infinity
  const cut = text.length <= limit ? text : [...text].slice(0, limit).join('')
  return to.kind === 'char' ? cut.replace(/ +$/, '') : cut
}

/** What makes a `to` of a `from`; `same` when the bytes are those already; undefined when there is no such cast. */
function castOf(from: Type, to: Type): Cast | 'same' | undefined {
  switch (to.kind) {
    case 'text': case 'varchar': case 'char': return isText(from) ? 'same' : toText(from, to)
    case 'json': case 'jsonb': return from.kind === to.kind ? 'same' : undefined
    case 'int2': case 'int4':
      if (from.kind === 'int2') return 'same'
      return toInteger(from, to.kind === 'int2' ? 16 : 32)
    case 'int8': return toInteger(from, 64)
    case 'float4': return toFloat(from, Math.fround)
    case 'float8': return toFloat(from, value => value)
    case 'numeric': return toNumeric(from, to)
    case 'bool': return isInteger(from) ? value => Number(value) !== 0 : isText(from) ? value => parsed(value, to) : undefined
    case 'bytea': return from.kind === 'bytea' ? 'same' : isText(from) ? value => new TextEncoder().encode(asText(value)) : undefined
    case 'date':
      if (from.kind === 'timestamp') return value => Number(asBigInt(value) / DAY) // towards 1970, as Java does
      return isText(from) ? value => parsed(value, to) : undefined
    case 'time':
      if (from.kind === 'time') return precisionOf(from) <= precisionOf(to) ? 'same' : value => floored(asBigInt(value), precisionOf(to))
      return isText(from) ? value => parsed(value, to) : undefined
    case 'timestamp': case 'timestamptz':
      if (from.kind === to.kind) return precisionOf(from) <= precisionOf(to) ? 'same' : value => floored(asBigInt(value), precisionOf(to))
      if (from.kind === 'timestamp') return castOf({ ...from, kind: 'timestamptz' }, to) // Parquet's oldest timestamps do not say which they are
      if (from.kind === 'date' && to.kind === 'timestamp') return value => BigInt(asNumber(value)) * DAY
      return isText(from) && to.kind === 'timestamp' ? value => floored(asBigInt(parsed(value, { kind: 'timestamp' })), precisionOf(to)) : undefined
    case 'array': return from.kind === 'array' ? lifted(castOf(from.element, to.element), cast => value => arrayOf(asArray(value).values.map(nullSafe(cast)))) : undefined
    case 'map': {
      if (from.kind !== 'map') return undefined
      const key = castOf(from.key, to.key), value = castOf(from.value, to.value)
      if (key === undefined || value === undefined) return undefined
      if (key === 'same' && value === 'same') return 'same'
      return entries => asList(entries).map(entry => [nullSafe(key)(asList(entry)[0] ?? null), nullSafe(value)(asList(entry)[1] ?? null)])
    }
    case 'row': return from.kind === 'row' ? toRow(from, to) : undefined
    default: return typeKey(from) === typeKey(to) ? 'same' : undefined
  }
}

const DAY = 86_400_000_000n

function isText(type: Type): boolean { return type.kind === 'text' || type.kind === 'varchar' || type.kind === 'char' }
function isInteger(type: Type): boolean { return type.kind === 'int2' || type.kind === 'int4' || type.kind === 'int8' }
function precisionOf(type: Type): number { return 'precision' in type ? type.precision ?? 6 : 6 }

function floored(micros: bigint, precision: number): bigint {
  const unit = 10n ** BigInt(6 - precision), rest = micros % unit
  return micros - (rest < 0n ? rest + unit : rest)
}

function parsed(value: Value, type: Type): Value {
  return parseValue(asText(value), type, DEFAULT_SETTINGS)
}

function nullSafe(cast: Cast | 'same'): (value: Value) => Value {
  return cast === 'same' ? value => value : value => value === null ? null : cast(value)
}

function lifted(cast: Cast | 'same' | undefined, make: (cast: Cast) => Cast): Cast | 'same' | undefined {
  return cast === undefined || cast === 'same' ? cast : make(cast)
}

/** Fields are matched by name; those that the file lacks are NULL. */
function toRow(from: Extract<Type, { kind: 'row' }>, to: Extract<Type, { kind: 'row' }>): Cast | 'same' | undefined {
  const places = to.fields.map(field => from.fields.findIndex(other => other.name === field.name))
  const casts = to.fields.map((field, i) => {
    const source = from.fields[places[i] ?? -1]
    return source === undefined ? 'same' : castOf(source.type, field.type)
  })
  if (casts.includes(undefined)) return undefined
  if (from.fields.length === to.fields.length && places.every((place, i) => place === i) && casts.every(cast => cast === 'same')) return 'same'
  const changes = casts.map(cast => nullSafe(cast ?? 'same'))
  return value => places.map((place, i) => place < 0 ? null : changes[i]?.(asList(value)[place] ?? null) ?? null)
}

function toText(from: Type, to: Type): Cast | undefined {
  const show = textOf(from)
  return show === undefined ? undefined : value => cutText(show(value), to)
}

function textOf(from: Type): ((value: Exclude<Value, null>) => string) | undefined {
  switch (from.kind) {
    case 'bool': case 'int2': case 'int4': case 'int8': return String
    case 'float4': return value => javaFloat(asNumber(value), true)
    case 'float8': return value => javaFloat(asNumber(value), false)
    case 'numeric': return value => formatDecimal(asDecimal(value))
    case 'date': return value => formatDate(asNumber(value), DEFAULT_SETTINGS)
    case 'bytea': return value => new TextDecoder('utf-8', { ignoreBOM: true }).decode(asBytes(value))
    case 'time': {
      const digits = precisionOf(from)
      return value => {
        const fraction = String(asBigInt(value) % 1_000_000n).padStart(6, '0').slice(0, digits).replace(/0+$/, '')
        return `${formatTime(asBigInt(value)).slice(0, 8)}${digits === 0 ? '' : `.${fraction === '' ? '0' : fraction}`}`
      }
    }
    case 'timestamp': {
      const digits = precisionOf(from)
      return value => {
        const micros = asBigInt(value), below = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
        return `${formatTimestamp(micros - below, DEFAULT_SETTINGS)}${digits === 0 ? '' : `.${String(below).padStart(6, '0').slice(0, digits)}`}`
      }
    }
    default: return undefined
  }
}

/** Integers wrap, floats saturate, decimals lose their fraction. */
function toInteger(from: Type, bits: 16 | 32 | 64): Cast | undefined {
  const integer = (value: bigint): Value => bits === 64 ? BigInt.asIntN(64, value) : Number(BigInt.asIntN(bits, value))
  switch (from.kind) {
    case 'bool': return value => integer(value === true ? 1n : 0n)
    case 'int2': case 'int4': return value => integer(BigInt(asNumber(value)))
    case 'int8': return value => integer(asBigInt(value))
    case 'float4': case 'float8': return value => {
      const number = asNumber(value), limit = bits === 64 ? 63n : 31n
      if (Number.isNaN(number)) return integer(0n)
      const whole = Number.isFinite(number) ? BigInt(Math.trunc(number)) : number > 0 ? 1n << 64n : -(1n << 64n)
      const low = -(1n << limit), high = (1n << limit) - 1n
      return integer(whole < low ? low : whole > high ? high : whole)
    }
    case 'numeric': return value => integer(truncated(asDecimal(value)))
    case 'text': case 'varchar': case 'char': return value => {
      const text = asText(value)
      const kind = bits === 64 ? 'int8' : bits === 32 ? 'int4' : 'int2'
      if (!/^[+-]?[0-9]+$/.test(text)) throw new SqlError('22P02', `invalid input syntax for type ${typeName({ kind })}: "${text}"`)
      return parsed(text, { kind })
    }
    default: return undefined
  }
}

function toFloat(from: Type, round: (value: number) => number): Cast | undefined {
  switch (from.kind) {
    case 'bool': return value => value === true ? 1 : 0
    case 'int2': case 'int4': case 'float4': case 'float8': return value => round(asNumber(value))
    case 'int8': return value => round(Number(asBigInt(value)))
    case 'numeric': return value => round(Number(formatDecimal(asDecimal(value))))
    case 'text': case 'varchar': case 'char': return value => round(asNumber(parsed(value, { kind: 'float8' })))
    default: return undefined
  }
}

/** Rounds half away from zero; what has too many digits becomes NULL. */
function toNumeric(from: Type, to: Extract<Type, { kind: 'numeric' }>): Cast | 'same' | undefined {
  const { precision, scale = 0 } = to
  if (from.kind === 'numeric' && from.scale === to.scale && layoutOf(from) === layoutOf(to) && (from.precision ?? 0) <= (precision ?? 0)) return 'same'
  const fit = (value: Decimal): Value => {
    if (value.special !== undefined) throw new SqlError('22P02', `invalid input syntax for type numeric: "${value.special}"`)
    const unscaled = rescaled(value, scale)
    const size = unscaled < 0n ? -unscaled : unscaled
    return precision !== undefined && size >= 10n ** BigInt(precision) ? null : { unscaled, scale }
  }
  switch (from.kind) {
    case 'bool': return value => fit({ unscaled: value === true ? 1n : 0n, scale: 0 })
    case 'int2': case 'int4': return value => fit({ unscaled: BigInt(asNumber(value)), scale: 0 })
    case 'int8': return value => fit({ unscaled: asBigInt(value), scale: 0 })
    case 'numeric': return value => fit(asDecimal(value))
    case 'float4': case 'float8': return value => Number.isFinite(value) ? fit(parseDecimal(javaFloat(asNumber(value), from.kind === 'float4'))) : null
    case 'text': case 'varchar': case 'char': return value => fit(parseDecimal(asText(value)))
    default: return undefined
  }
}

function rescaled(value: Decimal, scale: number): bigint {
  if (value.scale <= scale) return value.unscaled * 10n ** BigInt(scale - value.scale)
  const unit = 10n ** BigInt(value.scale - scale), half = unit / 2n
  return (value.unscaled < 0n ? value.unscaled - half : value.unscaled + half) / unit
}

function truncated(value: Decimal): bigint {
  return value.unscaled / 10n ** BigInt(value.scale)
}
