/** Casts but those among numbers: strings and their lengths, text input and output of every type, dates and times, JSON. */
import { asArray, asBigInt, asDecimal, asInterval, asList, asNumber, asText, asTimeTz } from '../datum.ts'
import { SqlError } from '../error.ts'
import { firstByte, fitted, formatValue, parseValue, shortName, withoutTrailingBlanks } from '../text.ts'
import { DATE_INFINITY, DATE_MINUS_INFINITY, MICROS_PER_DAY, MICROS_PER_SECOND, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY, floorDivide, splitDay } from '../text/calendar.ts'
import { canonical, formatJson, parseJson } from '../text/json.ts'
import { coerceDecimal, parseDecimal } from '../text/number.ts'
import { checkTimestamp, instantOf, localTime, roundMicros, roundTimestamp } from '../text/time-input.ts'
import { toJson } from '../text/to-json.ts'
import { BOOL, DATE, FLOAT4, FLOAT8, INT2, INT4, INT8, INTERVAL, NUMERIC, TEXT, TIME, TIMESTAMP, TIMESTAMPTZ, sameType, typeName } from '../type.ts'
import type { Type, TypeKind } from '../type.ts'
import type { Value } from '../value.ts'
import { offsetOfLocal, zoneNamed } from '../zone.ts'
import { value } from './body.ts'
import type { Body, Environment } from './body.ts'
import { readerOf, settingsOf, typeAt, writerOf } from './environment.ts'
import type { Cast, ScalarFunction } from './function.ts'
import { cast, scalar } from './signature.ts'

const VARCHAR: Type = { kind: 'varchar' }
const CHAR: Type = { kind: 'char' }
const NAME_TYPE: Type = { kind: 'name' }
const ONE_CHAR: Type = { kind: '"char"' }
const TIMETZ: Type = { kind: 'timetz' }
const JSON_TYPE: Type = { kind: 'json' }
const JSONB: Type = { kind: 'jsonb' }
const ANY_ARRAY: Type = { kind: 'array', element: TEXT }

const precisionOf = (type: Type): number | undefined => 'precision' in type ? type.precision : undefined
const strip: Body = value(([text]) => withoutTrailingBlanks(asText(text ?? null)))
const shorten: Body = value(([text]) => shortName(asText(text ?? null)))
const relabel = (from: TypeKind, to: TypeKind, context: Cast['context'], target: Type): Cast => cast(from, to, context, target, undefined)

const stringCasts: readonly Cast[] = [
  relabel('text', 'varchar', 'implicit', VARCHAR), relabel('varchar', 'text', 'implicit', TEXT),
  cast('text', 'char', 'implicit', CHAR, strip), cast('varchar', 'char', 'implicit', CHAR, strip),
  relabel('char', 'text', 'implicit', TEXT), relabel('char', 'varchar', 'implicit', VARCHAR),
  relabel('name', 'text', 'implicit', TEXT), relabel('name', 'varchar', 'assignment', VARCHAR), cast('name', 'char', 'assignment', CHAR, strip),
  cast('text', 'name', 'implicit', NAME_TYPE, shorten), cast('varchar', 'name', 'implicit', NAME_TYPE, shorten), cast('char', 'name', 'implicit', NAME_TYPE, shorten),
  relabel('"char"', 'text', 'implicit', TEXT),
  cast('text', '"char"', 'assignment', ONE_CHAR, value(([text]) => firstByte(asText(text ?? null)))),
  cast('"char"', 'int4', 'explicit', INT4, value(([text]) => asText(text ?? null).charCodeAt(0) || 0)),
  cast('int4', '"char"', 'explicit', ONE_CHAR, value(([code]) => {
    const n = asNumber(code ?? null)
    if (n < -128 || n > 127) throw new SqlError('22003', '"char" out of range')
    return n === 0 ? '' : String.fromCharCode(n & 0xff)
  })),
]

/** `fit` cuts text to the call's type, as a written cast does; `store` refuses text that is too long, as a column does. */
const lengthFunctions: readonly ScalarFunction[] = (['varchar', 'char'] as const).flatMap(kind => (['fit', 'store'] as const).map(name => scalar(
  name, [kind], { kind },
  value(([text], _, site) => {
    const type = site.result
    const length = type.kind === 'varchar' || type.kind === 'char' ? type.length : undefined
    const cut = length === undefined ? asText(text ?? null) : fitted(asText(text ?? null), length, typeName(type), name === 'fit' ? 'explicit' : 'assignment')
    return kind === 'char' ? withoutTrailingBlanks(cut) : cut
  }),
  name === 'fit' ? 'cuts text to the length of a type' : 'checks text against the length of a type',
)))

const output: Body = value(([given], environment, site) => writerOf(typeAt(site, 0), environment)(given ?? null))
const input: Body = value(([text], environment, site) => readerOf(site.result, environment)(asText(text ?? null)))

/** Kinds whose text does not depend on the session. */
const STEADY = new Set<TypeKind>(['bool', 'int2', 'int4', 'int8', 'oid', 'numeric', 'uuid', 'json', 'jsonb', 'time', 'timetz'])

const inputOutput: readonly Cast[] = (['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid', 'bytea', 'uuid', 'date', 'time', 'timetz', 'timestamp',
  'timestamptz', 'interval', 'json', 'jsonb', 'regclass', 'regtype', 'regproc', 'regnamespace', 'array', 'row', 'map', 'record', 'void'] as const).flatMap(kind => {
  const volatility = STEADY.has(kind) || kind === 'bytea' || kind === 'float4' || kind === 'float8' || kind === 'interval' ? 'immutable' : 'stable'
  const target: Type = kind === 'array' ? ANY_ARRAY : kind === 'row' ? { kind, fields: [] } : kind === 'map' ? { kind, key: TEXT, value: TEXT } : { kind }
  // As a cast a bool is written out; everywhere else it is t or f.
  const out = cast(kind, 'text', 'assignment', TEXT, kind === 'bool' ? value(([v]) => v === true ? 'true' : 'false') : output, volatility)
  return kind === 'record' || kind === 'void' ? [out] : [out, cast('text', kind, kind === 'regclass' ? 'implicit' : 'explicit', target, input, volatility)]
})

const infinite = (micros: bigint): boolean => micros === TIMESTAMP_INFINITY || micros === TIMESTAMP_MINUS_INFINITY
const zoneOf = (environment: Environment) => zoneNamed(environment.timeZone)

/** Midnight of a day; infinities stay. 22008 when a timestamp does not reach so far. */
export function timestampOfDate(days: number): bigint {
  if (days === DATE_INFINITY) return TIMESTAMP_INFINITY
  if (days === DATE_MINUS_INFINITY) return TIMESTAMP_MINUS_INFINITY
  try {
    return checkTimestamp(BigInt(days) * MICROS_PER_DAY)
  } catch {
    throw new SqlError('22008', 'date out of range for timestamp')
  }
}

/** The day of a timestamp; infinities stay. */
export function dateOfTimestamp(micros: bigint): number {
  if (micros === TIMESTAMP_INFINITY) return DATE_INFINITY
  if (micros === TIMESTAMP_MINUS_INFINITY) return DATE_MINUS_INFINITY
  return splitDay(micros).days
}

/** What the session's clock shows at an instant; infinities stay. */
export function toLocal(micros: bigint, environment: Environment): bigint {
  return infinite(micros) ? micros : localTime(micros, zoneOf(environment))
}

/** The instant at which the session's clock shows a timestamp; infinities stay. */
export function toInstant(micros: bigint, environment: Environment): bigint {
  return infinite(micros) ? micros : checkTimestamp(instantOf(micros, zoneOf(environment)))
}

const timeOf = (micros: bigint): Value => infinite(micros) ? null : micros - floorDivide(micros, MICROS_PER_DAY) * MICROS_PER_DAY
const rounded = (run: (micros: bigint, environment: Environment) => bigint): Body =>
  value(([micros], environment, site) => roundTimestamp(run(asBigInt(micros ?? null), environment), precisionOf(site.result)))

const timeCasts: readonly Cast[] = [
  cast('date', 'timestamp', 'implicit', TIMESTAMP, value(([days]) => timestampOfDate(asNumber(days ?? null)))),
  cast('date', 'timestamptz', 'implicit', TIMESTAMPTZ, value(([days], environment) => toInstant(timestampOfDate(asNumber(days ?? null)), environment)), 'stable'),
  cast('timestamp', 'date', 'assignment', DATE, value(([micros]) => dateOfTimestamp(asBigInt(micros ?? null)))),
  cast('timestamp', 'timestamptz', 'implicit', TIMESTAMPTZ, rounded(toInstant), 'stable'),
  cast('timestamp', 'time', 'assignment', TIME, value(([micros]) => timeOf(asBigInt(micros ?? null)))),
  cast('timestamp', 'timestamp', 'implicit', TIMESTAMP, rounded(micros => micros)),
  cast('timestamptz', 'timestamptz', 'implicit', TIMESTAMPTZ, rounded(micros => micros)),
  cast('timestamptz', 'timestamp', 'assignment', TIMESTAMP, rounded(toLocal), 'stable'),
  cast('timestamptz', 'date', 'assignment', DATE, value(([micros], environment) => dateOfTimestamp(toLocal(asBigInt(micros ?? null), environment))), 'stable'),
  cast('timestamptz', 'time', 'assignment', TIME, value(([micros], environment) => timeOf(toLocal(asBigInt(micros ?? null), environment))), 'stable'),
  cast('timestamptz', 'timetz', 'assignment', TIMETZ, value(([given], environment) => {
    const micros = asBigInt(given ?? null)
    if (infinite(micros)) return null
    const east = zoneOf(environment).offsetAt(Number(floorDivide(micros, MICROS_PER_SECOND)))
    return { micros: asBigInt(timeOf(micros + BigInt(east) * MICROS_PER_SECOND)), zone: -east + 0 }
  }), 'stable'),
  cast('time', 'time', 'implicit', TIME, value(([micros], _, site) => roundMicros(asBigInt(micros ?? null), precisionOf(site.result)))),
  cast('time', 'interval', 'implicit', INTERVAL, value(([micros]) => ({ months: 0, days: 0, micros: asBigInt(micros ?? null) }))),
  cast('time', 'timetz', 'implicit', TIMETZ, value(([given], environment) => {
    const micros = asBigInt(given ?? null)
    const today = splitDay(toLocal(environment.now, environment)).days
    return { micros, zone: -offsetOfLocal(zoneOf(environment), today * 86400 + Number(micros / MICROS_PER_SECOND)) + 0 }
  }), 'stable'),
  cast('timetz', 'time', 'assignment', TIME, value(([time]) => asTimeTz(time ?? null).micros)),
  cast('timetz', 'timetz', 'implicit', TIMETZ, value(([time], _, site) => {
    const { micros, zone } = asTimeTz(time ?? null)
    return { micros: roundMicros(micros, precisionOf(site.result)), zone }
  })),
  cast('interval', 'time', 'assignment', TIME, value(([interval]) => timeOf(asInterval(interval ?? null).micros))),
]

/** 22023 as PostgreSQL words a jsonb that is not what the cast wants. */
function cannotCastJson(what: string, type: Type): SqlError {
  return new SqlError('22023', `cannot cast jsonb ${what} to type ${typeName(type)}`)
}

const fromJsonb = (type: Type): Body => value(([text], environment, site) => {
  const json = parseJson(asText(text ?? null))
  const what = json === null ? 'null' : typeof json === 'boolean' ? 'boolean' : typeof json === 'string' ? 'string' : json instanceof Map ? 'object' : Array.isArray(json) ? 'array' : 'numeric'
  if (type.kind === 'bool') {
    if (typeof json !== 'boolean') throw cannotCastJson(what, type)
    return json
  }
  if (json === null || typeof json !== 'object' || !('number' in json)) throw cannotCastJson(what, type)
  return convertNumber(json.number, type.kind === 'numeric' ? site.result : type, environment)
})

/** A number's text as a value of a number type, rounded where the type has no fraction. */
function convertNumber(text: string, type: Type, environment: Environment): Value {
  if (type.kind === 'int2' || type.kind === 'int4' || type.kind === 'int8') {
    const whole = asDecimal(coerceDecimal(parseDecimal(text), { kind: 'numeric', precision: 1000, scale: 0 })).unscaled
    const bits = type.kind === 'int2' ? 16 : type.kind === 'int4' ? 32 : 64
    if (BigInt.asIntN(bits, whole) !== whole) throw new SqlError('22003', `${typeName(type)} out of range`)
    return type.kind === 'int8' ? whole : Number(whole)
  }
  return readerOf(type, environment)(text)
}

const jsonCasts: readonly Cast[] = [
  cast('json', 'jsonb', 'assignment', JSONB, value(([text]) => formatJson(canonical(parseJson(asText(text ?? null))), 'jsonb'))),
  relabel('jsonb', 'json', 'assignment', JSON_TYPE),
  ...[BOOL, INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC].map(type => cast('jsonb', type.kind, 'explicit', type, fromJsonb(type))),
  cast('map', 'jsonb', 'assignment', JSONB, value(([map], environment, site) =>
    formatJson(canonical(toJson(map ?? null, typeAt(site, 0), settingsOf(environment), formatValue)), 'jsonb'))),
]

const NUMBERS = new Set<TypeKind>(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid'])

/** One element as another type, by number or by text. */
function convert(item: Value, from: Type, to: Type, environment: Environment): Value {
  if (item === null || sameType(from, to)) return item
  if (from.kind === 'row' && to.kind === 'row') return asList(item).map((field, i) => convert(field, from.fields[i]?.type ?? TEXT, to.fields[i]?.type ?? TEXT, environment))
  if (from.kind === 'array' && to.kind === 'array') {
    const array = asArray(item)
    return { ...array, values: array.values.map(element => convert(element, from.element, to.element, environment)) }
  }
  if (from.kind === 'date' && to.kind === 'timestamp') return timestampOfDate(asNumber(item))
  if ((from.kind === 'timestamp' || from.kind === 'timestamptz') && to.kind === 'date') return dateOfTimestamp(from.kind === 'timestamp' ? asBigInt(item) : toLocal(asBigInt(item), environment))
  const text = formatValue(item, from, settingsOf(environment))
  return NUMBERS.has(from.kind) && NUMBERS.has(to.kind) ? convertNumber(text, to, environment) : parseValue(text, to, settingsOf(environment), 'explicit')
}

const nested: Body = value(([item], environment, site) => convert(item ?? null, typeAt(site, 0), site.result, environment))

const nestedCasts: readonly Cast[] = [
  cast('array', 'array', 'explicit', ANY_ARRAY, nested, 'stable'),
  cast('row', 'row', 'explicit', { kind: 'row', fields: [] }, nested, 'stable'),
  cast('map', 'map', 'explicit', { kind: 'map', key: TEXT, value: TEXT }, value(([map], environment, site) => {
    const [from, to] = [typeAt(site, 0), site.result]
    if (from.kind !== 'map' || to.kind !== 'map') return map ?? null
    return asList(map ?? null).map(entry => {
      const [key, item] = asList(entry)
      return [convert(key ?? null, from.key, to.key, environment), convert(item ?? null, from.value, to.value, environment)]
    })
  }), 'stable'),
]

/** Every cast of this file, none twice. */
export const textCasts: readonly Cast[] = [...stringCasts, ...inputOutput, ...timeCasts, ...jsonCasts, ...nestedCasts]
export const castFunctions: readonly ScalarFunction[] = lengthFunctions
