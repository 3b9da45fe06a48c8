/** Functions and operators over json and jsonb. */
import { asArray, asList, asNumber, asText } from '../datum.ts'
import { SqlError } from '../error.ts'
import { formatValue } from '../text.ts'
import { canonical, formatJson, isList, parseJson, parseJsonShallow, quoteJson } from '../text/json.ts'
import type { Json } from '../text/json.ts'
import { toJson } from '../text/to-json.ts'
import { BOOL, INT4, TEXT } from '../type.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import { value } from './body.ts'
import type { Environment, Run, Site } from './body.ts'
import { settingsOf, typeAt } from './environment.ts'
import { compareJson } from './json-order.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'

const JSON_TYPE: Type = { kind: 'json' }
const JSONB: Type = { kind: 'jsonb' }
const str = (v: Value | undefined): string => asText(v ?? null)
const num = (v: Value | undefined): number => asNumber(v ?? null)
type Kind = 'json' | 'jsonb'
const KINDS = ['json', 'jsonb'] as const
const typeOf = (kind: Kind): Type => kind === 'json' ? JSON_TYPE : JSONB

/** Writes jsonb. */
const write = (json: Json): string => formatJson(json, 'jsonb')
const normal = (json: Json): string => write(canonical(json))

function member(text: string, key: string | number, kind: Kind): Json | undefined {
  const json = kind === 'json' ? parseJsonShallow(text) : parseJson(text)
  if (typeof key === 'string') return json instanceof Map ? json.get(key) : undefined
  if (isList(json)) return json[key < 0 ? json.length + key : key]
  // A bare scalar of jsonb is kept as an array of one.
  return kind === 'jsonb' && !(json instanceof Map) && (key === 0 || key === -1) ? json : undefined
}

/** As ->> shows it: strings without quotes, null as NULL. */
function asPlainText(json: Json | undefined): Value {
  if (json === undefined || json === null) return null
  if (typeof json === 'string') return json
  if (typeof json === 'object' && 'raw' in json) {
    const c = json.raw[0]
    return c === '"' || c === 'n' ? asPlainText(parseJson(json.raw)) : json.raw
  }
  return write(json)
}

/** The value at a path of keys and positions. */
function atPath(json: Json, path: readonly Value[]): Json | undefined {
  let at: Json | undefined = json
  for (const step of path) {
    if (step === null || at === undefined) return undefined
    if (at instanceof Map) at = at.get(str(step))
    else if (at !== null && typeof at === 'object' && isList(at)) {
      if (!/^-?[0-9]+$/.test(str(step))) return undefined
      const index = Number(step)
      at = at[index < 0 ? at.length + index : index]
    } else return undefined
  }
  return at
}

function pathIn(text: string, path: readonly Value[], kind: Kind): Json | undefined {
  if (path.includes(null)) return undefined
  if (kind === 'jsonb') return atPath(parseJson(text), path)
  let raw = text
  for (const step of path) {
    const json = parseJsonShallow(raw)
    const next = atPath(json, [step])
    if (next === undefined || next === null || typeof next !== 'object' || !('raw' in next)) return undefined
    raw = next.raw
  }
  return { raw }
}

const out = (json: Json | undefined): Value => json === undefined ? null : write(json)

/** True when `a` contains `b` as jsonb's @> has it. */
function contains(a: Json, b: Json, top: boolean): boolean {
  if (a instanceof Map) {
    if (!(b instanceof Map)) return false
    for (const [key, wanted] of b) {
      const have = a.get(key)
      if (have === undefined || !(scalarEqual(have, wanted) || (isNested(wanted) && contains(have, wanted, false)))) return false
    }
    return true
  }
  if (isListJson(a)) {
    // At the top an array contains a bare scalar.
    if (!isListJson(b)) return top && !(b instanceof Map) && a.some(item => scalarEqual(item, b))
    return b.every(wanted => a.some(item => isNested(wanted) ? isNested(item) && contains(item, wanted, false) : scalarEqual(item, wanted)))
  }
  return !isNested(b) && scalarEqual(a, b)
}

const isListJson = (json: Json): json is readonly Json[] => Array.isArray(json)
const isNested = (json: Json): boolean => json instanceof Map || Array.isArray(json)

function scalarEqual(a: Json, b: Json): boolean {
  if (isNested(a) || isNested(b)) return false
  return compareJson(write(a), write(b)) === 0
}

function hasKey(json: Json, key: string): boolean {
  return json instanceof Map ? json.has(key) : isListJson(json) ? json.includes(key) : json === key
}

function typeName(json: Json): string {
  if (json === null) return 'null'
  if (typeof json === 'boolean') return 'boolean'
  if (typeof json === 'string') return 'string'
  return json instanceof Map ? 'object' : isListJson(json) ? 'array' : 'number'
}

function lengthOf(text: string): number {
  const json = parseJson(text)
  if (isListJson(json)) return json.length
  throw new SqlError('22023', json instanceof Map ? 'cannot get array length of a non-array' : 'cannot get array length of a scalar')
}

function concat(a: Json, b: Json): Json {
  if (a instanceof Map && b instanceof Map) return new Map([...a, ...b])
  return [...(isListJson(a) ? a : [a]), ...(isListJson(b) ? b : [b])]
}

function without(json: Json, keys: readonly string[]): Json {
  if (json instanceof Map) return new Map([...json].filter(([key]) => !keys.includes(key)))
  if (isListJson(json)) return json.filter(item => typeof item !== 'string' || !keys.includes(item))
  throw new SqlError('22023', 'cannot delete from scalar')
}

function withoutIndex(json: Json, index: number): Json {
  if (json instanceof Map) throw new SqlError('22023', 'cannot delete from object using integer index')
  if (!isListJson(json)) throw new SqlError('22023', 'cannot delete from scalar')
  const at = index < 0 ? json.length + index : index
  return json.filter((_, i) => i !== at)
}

type Change = { readonly how: 'set'; readonly value: Json; readonly create: boolean } | { readonly how: 'insert'; readonly value: Json; readonly after: boolean } | { readonly how: 'delete' }

/** The value with what is at the path changed. */
function change(json: Json, path: readonly string[], depth: number, what: Change): Json {
  const step = path[depth]
  if (step === undefined) return json
  const last = depth === path.length - 1
  if (json instanceof Map) {
    const have = json.get(step)
    if (!last) return have === undefined ? json : new Map(json).set(step, change(have, path, depth + 1, what))
    if (what.how === 'delete') return without(json, [step])
    if (what.how === 'insert') {
      if (have !== undefined) throw new SqlError('22023', 'cannot replace existing key', { hint: 'Try using the function jsonb_set to replace key value.' })
      return new Map(json).set(step, what.value)
    }
    return have === undefined && !what.create ? json : new Map(json).set(step, what.value)
  }
  if (!isListJson(json) || (json.length === 0 && what.how === 'delete')) return json
  if (!/^-?[0-9]+$/.test(step)) throw new SqlError('22P02', `path element at position ${depth + 1} is not an integer: "${step}"`)
  let index = Number(step)
  if (index < 0) index += json.length
  const inside = index >= 0 && index < json.length
  const items = [...json]
  if (!last) {
    if (inside) items[index] = change(items[index] ?? null, path, depth + 1, what)
    return items
  }
  if (what.how === 'delete') return inside ? items.filter((_, i) => i !== index) : items
  const place = Math.min(Math.max(index, 0), items.length)
  if (what.how === 'insert') {
    items.splice(inside && what.after ? place + 1 : place, 0, what.value)
    return items
  }
  if (inside) items[index] = what.value
  else if (what.create) items.splice(place, 0, what.value)
  return items
}

function changed(text: Value | undefined, path: Value | undefined, what: Change): string {
  const json = parseJson(str(text))
  if (!isNested(json)) throw new SqlError('22023', what.how === 'delete' ? 'cannot delete path in scalar' : 'cannot set path in scalar')
  return normal(change(json, texts(path), 0, what))
}

const texts = (v: Value | undefined): string[] => asArray(v ?? null).values.map((item, i) => {
  if (item === null) throw new SqlError('22004', `path element at position ${i + 1} is null`)
  return str(item)
})

function stripNulls(json: Json): Json {
  if (json instanceof Map) return new Map([...json].filter(([, item]) => item !== null).map(([key, item]): [string, Json] => [key, stripNulls(item)]))
  return isListJson(json) ? json.map(stripNulls) : json
}

function pretty(json: Json, indent: string): string {
  const deeper = `${indent}    `
  if (json instanceof Map) {
    return json.size === 0 ? `{\n${indent}}` : `{\n${[...json].map(([key, item]) => `${deeper}${quoteJson(key)}: ${pretty(item, deeper)}`).join(',\n')}\n${indent}}`
  }
  if (isListJson(json)) return json.length === 0 ? `[\n${indent}]` : `[\n${json.map(item => deeper + pretty(item, deeper)).join(',\n')}\n${indent}]`
  return write(json)
}

const jsonOf = (v: Value, type: Type, environment: Environment): Json => toJson(v, type, settingsOf(environment), formatValue)

/** A value as text of json or jsonb. */
function convert(v: Value, type: Type, kind: Kind, environment: Environment): string {
  const json = jsonOf(v, type, environment)
  return kind === 'jsonb' ? normal(json) : formatJson(json, 'none')
}

const buildObject = (kind: Kind): Run => (args, environment, site) => {
  if (args.length % 2 !== 0) throw new SqlError('22023', 'argument list must have even number of elements', { hint: `The arguments of ${kind}_build_object() must consist of alternating keys and values.` })
  const parts: string[] = []
  const members: [string, Json][] = []
  for (let i = 0; i < args.length; i += 2) {
    const key = args[i] ?? null
    if (key === null) throw new SqlError('22023', kind === 'json' ? `argument ${i + 1} cannot be null` : `argument ${i + 1}: key must not be null`)
    const name = formatValue(key, typeAt(site, i), settingsOf(environment))
    const json = jsonOf(args[i + 1] ?? null, typeAt(site, i + 1), environment)
    if (kind === 'json') parts.push(`${quoteJson(name)} : ${formatJson(json, 'none')}`)
    else members.push([name, json])
  }
  return kind === 'json' ? `{${parts.join(', ')}}` : normal(new Map(members))
}

const buildArray = (kind: Kind): Run => (args, environment, site) => {
  const items = args.map((arg, i) => jsonOf(arg, typeAt(site, i), environment))
  return kind === 'json' ? `[${items.map(item => formatJson(item, 'none')).join(', ')}]` : normal(items)
}

const rowToJson = (args: readonly Value[], environment: Environment, site: Site): Value => {
  asList(args[0] ?? null)
  return convert(args[0] ?? null, typeAt(site, 0), 'json', environment)
}

function objectOf(keys: readonly Value[], values: readonly Value[], kind: Kind): string {
  if (keys.length !== values.length) throw new SqlError('2202E', 'mismatched array dimensions')
  const entries = keys.map((key, i): [string, Json] => {
    if (key === null) throw new SqlError('22004', 'null value not allowed for object key')
    const item = values[i] ?? null
    return [str(key), item === null ? null : str(item)]
  })
  if (kind === 'jsonb') return normal(new Map(entries))
  return `{${entries.map(([key, item]) => `${quoteJson(key)} : ${formatJson(item, 'none')}`).join(', ')}}`
}

function pairs(v: Value): readonly [readonly Value[], readonly Value[]] {
  const array = asArray(v)
  if (array.dims.length === 2 && array.dims[1] !== 2) throw new SqlError('2202E', 'array must have two columns')
  if (array.dims.length > 2) throw new SqlError('2202E', 'wrong number of array subscripts')
  if (array.values.length % 2 !== 0) throw new SqlError('2202E', 'array must have even number of elements')
  return [array.values.filter((_, i) => i % 2 === 0), array.values.filter((_, i) => i % 2 === 1)]
}

const access: readonly ScalarFunction[] = KINDS.flatMap(kind => [
  scalar('->', [kind, 'text'], typeOf(kind), value(([json, key]) => out(member(str(json), str(key), kind))), 'a member'),
  scalar('->', [kind, 'int4'], typeOf(kind), value(([json, index]) => out(member(str(json), num(index), kind))), 'an element, from the end when negative'),
  scalar('->>', [kind, 'text'], TEXT, value(([json, key]) => asPlainText(member(str(json), str(key), kind))), 'a member as text'),
  scalar('->>', [kind, 'int4'], TEXT, value(([json, index]) => asPlainText(member(str(json), num(index), kind))), 'an element as text'),
  scalar('#>', [kind, 'array'], typeOf(kind), value(([json, path]) => out(pathIn(str(json), asArray(path ?? null).values, kind))), 'the value at a path'),
  scalar('#>>', [kind, 'array'], TEXT, value(([json, path]) => asPlainText(pathIn(str(json), asArray(path ?? null).values, kind))), 'the value at a path as text'),
  scalar(`${kind}_extract_path`, [kind], typeOf(kind), value(([json, ...path]) => out(pathIn(str(json), path, kind))), 'the value at a path', { variadic: 'text' }),
  scalar(`${kind}_extract_path_text`, [kind], TEXT, value(([json, ...path]) => asPlainText(pathIn(str(json), path, kind))), 'the value at a path as text', { variadic: 'text' }),
  scalar(`${kind}_typeof`, [kind], TEXT, value(([json]) => typeName(parseJson(str(json)))), 'object, array, string, number, boolean or null'),
  scalar(`${kind}_array_length`, [kind], INT4, value(([json]) => lengthOf(str(json))), 'the number of elements'),
  scalar(`${kind}_strip_nulls`, [kind], typeOf(kind), value(([json]) => formatJson(stripNulls(parseJson(str(json))), kind === 'jsonb' ? 'jsonb' : 'none')), 'without members that are null'),
  scalar(`to_${kind}`, ['anyelement'], typeOf(kind), value(([v], environment, site) => convert(v ?? null, typeAt(site, 0), kind, environment)), 'any value as JSON', { volatility: 'stable' }),
  scalar(`${kind}_build_object`, [], typeOf(kind), value(buildObject(kind)), 'an object of keys and values in turn', { strict: false, variadic: 'any', volatility: 'stable' }),
  scalar(`${kind}_build_array`, [], typeOf(kind), value(buildArray(kind)), 'an array of the arguments', { strict: false, variadic: 'any', volatility: 'stable' }),
  scalar(`${kind}_object`, ['array'], typeOf(kind), value(([array]) => objectOf(...pairs(array ?? null), kind)), 'an object of keys and values in an array'),
  scalar(`${kind}_object`, ['array', 'array'], typeOf(kind), value(([keys, items]) => objectOf(asArray(keys ?? null).values, asArray(items ?? null).values, kind)), 'an object of an array of keys and one of values'),
])

export const jsonFunctions: readonly ScalarFunction[] = [
  ...access,
  scalar('@>', ['jsonb', 'jsonb'], BOOL, value(([a, b]) => contains(parseJson(str(a)), parseJson(str(b)), true)), 'contains'),
  scalar('<@', ['jsonb', 'jsonb'], BOOL, value(([a, b]) => contains(parseJson(str(b)), parseJson(str(a)), true)), 'is contained in'),
  scalar('?', ['jsonb', 'text'], BOOL, value(([json, key]) => hasKey(parseJson(str(json)), str(key))), 'has the key or string'),
  scalar('?|', ['jsonb', 'array'], BOOL, value(([json, keys]) => { const parsed = parseJson(str(json)); return asArray(keys ?? null).values.some(key => key !== null && hasKey(parsed, str(key))) }), 'has any of the keys'),
  scalar('?&', ['jsonb', 'array'], BOOL, value(([json, keys]) => { const parsed = parseJson(str(json)); return asArray(keys ?? null).values.every(key => key === null || hasKey(parsed, str(key))) }), 'has all of the keys'),
  scalar('||', ['jsonb', 'jsonb'], JSONB, value(([a, b]) => normal(concat(parseJson(str(a)), parseJson(str(b))))), 'objects merged, arrays joined'),
  scalar('-', ['jsonb', 'text'], JSONB, value(([json, key]) => write(without(parseJson(str(json)), [str(key)]))), 'without a key or string'),
  scalar('-', ['jsonb', 'int4'], JSONB, value(([json, index]) => write(withoutIndex(parseJson(str(json)), num(index)))), 'without an element'),
  scalar('-', ['jsonb', 'array'], JSONB, value(([json, keys]) => write(without(parseJson(str(json)), asArray(keys ?? null).values.filter(key => key !== null).map(str)))), 'without keys'),
  scalar('#-', ['jsonb', 'array'], JSONB, value(([json, path]) => changed(json, path, { how: 'delete' })), 'without what is at a path'),
  scalar('jsonb_set', ['jsonb', 'array', 'jsonb'], JSONB, value(([json, path, v]) => changed(json, path, { how: 'set', value: parseJson(str(v)), create: true })), 'with the value at a path replaced'),
  scalar('jsonb_set', ['jsonb', 'array', 'jsonb', 'bool'], JSONB, value(([json, path, v, create]) => changed(json, path, { how: 'set', value: parseJson(str(v)), create: create === true })), 'with the value at a path replaced'),
  scalar('jsonb_insert', ['jsonb', 'array', 'jsonb'], JSONB, value(([json, path, v]) => changed(json, path, { how: 'insert', value: parseJson(str(v)), after: false })), 'with a value put in at a path'),
  scalar('jsonb_insert', ['jsonb', 'array', 'jsonb', 'bool'], JSONB, value(([json, path, v, after]) => changed(json, path, { how: 'insert', value: parseJson(str(v)), after: after === true })), 'with a value put in at a path'),
  scalar('jsonb_pretty', ['jsonb'], TEXT, value(([json]) => pretty(parseJson(str(json)), '')), 'over several lines'),
  scalar('row_to_json', ['record'], JSON_TYPE, value(rowToJson), 'a row as a JSON object', { volatility: 'stable' }),
  scalar('array_to_json', ['anyarray'], JSON_TYPE, value(([v], environment, site) => convert(v ?? null, typeAt(site, 0), 'json', environment)), 'an array as JSON', { volatility: 'stable' }),
]
