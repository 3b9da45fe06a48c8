/** Avro schemas as plain data. Named types that refer to themselves are cycles in it. */
import { corrupt, unsupported } from '../../error.ts'
import { JsonFields, isArray } from '../json.ts'
import type { Json } from '../json.ts'

export type AvroType =
  | { readonly kind: 'null' | 'boolean' | 'float' | 'double' | 'string' }
  | { readonly kind: 'int' | 'long' | 'bytes'; readonly logical?: AvroLogical }
  | { readonly kind: 'fixed'; readonly size: number; readonly logical?: AvroLogical }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'array'; readonly items: AvroType; readonly logical?: AvroLogical }
  | { readonly kind: 'map'; readonly values: AvroType }
  | { readonly kind: 'union'; readonly branches: readonly AvroType[] }
  | AvroRecordType

export interface AvroRecordType {
  readonly kind: 'record'
  readonly name: string
  readonly fields: readonly { readonly name: string; readonly type: AvroType }[]
}

export interface AvroLogical {
  readonly name: string
  readonly precision?: number
  readonly scale?: number
}

const MAX_DEPTH = 100

/** Reads a schema. `path` names the file in errors. */
export function parseAvroSchema(path: string, json: Json): AvroType {
  return parse(path, json, '', new Map(), 0)
}

function parse(path: string, json: Json, namespace: string, named: Map<string, AvroType>, depth: number): AvroType {
  if (depth > MAX_DEPTH) throw corrupt(path, 'the Avro schema is nested too deeply')
  if (typeof json === 'string') return primitive(json) ?? named.get(json.includes('.') ? json : fullName(json, namespace)) ?? missing(path, json)
  if (json !== null && typeof json === 'object' && isArray(json)) {
    if (json.length === 0) throw corrupt(path, 'the Avro schema has a union of nothing')
    return { kind: 'union', branches: json.map(branch => parse(path, branch, namespace, named, depth + 1)) }
  }
  const object = new JsonFields(path, json, 'the Avro schema')
  const type = object.get('type')
  if (typeof type !== 'string') return parse(path, type ?? null, namespace, named, depth + 1)
  const logicalName = object.optionalText('logicalType')
  const precision = object.optionalInt('precision'), scale = object.optionalInt('scale')
  const logical = logicalName === undefined ? {} : { logical: { name: logicalName, ...(precision === undefined ? {} : { precision }), ...(scale === undefined ? {} : { scale }) } }
  switch (type) {
    case 'int': case 'long': case 'bytes': return { kind: type, ...logical }
    case 'array': return { kind: 'array', items: parse(path, object.get('items') ?? null, namespace, named, depth + 1), ...logical }
    case 'map': return { kind: 'map', values: parse(path, object.get('values') ?? null, namespace, named, depth + 1) }
    case 'fixed': {
      const size = object.int('size')
      if (size < 0) throw corrupt(path, `an Avro fixed of ${size} bytes`)
      return remember(object, namespace, named, { kind: 'fixed', size, ...logical })
    }
    case 'enum': return remember(object, namespace, named, { kind: 'enum', symbols: object.texts('symbols') })
    case 'record': case 'error': {
      const name = fullName(object.text('name'), object.optionalText('namespace') ?? namespace)
      const fields: { name: string; type: AvroType }[] = []
      const record: AvroRecordType = { kind: 'record', name, fields }
      named.set(name, record) // before its fields: they may refer to it
      const inner = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : ''
      for (const item of object.list('fields')) {
        const field = new JsonFields(path, item, `a field of Avro record ${name}`)
        fields.push({ name: field.text('name'), type: parse(path, field.get('type') ?? null, inner, named, depth + 1) })
      }
      return record
    }
    default: return primitive(type) ?? named.get(type.includes('.') ? type : fullName(type, namespace)) ?? missing(path, type)
  }
}

function primitive(name: string): AvroType | undefined {
  switch (name) {
    case 'null': case 'boolean': case 'int': case 'long': case 'float': case 'double': case 'bytes': case 'string': return { kind: name }
    default: return undefined
  }
}

function missing(path: string, name: string): never {
  throw unsupported(`Avro type "${name}"`, { where: path })
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function remember(object: JsonFields, namespace: string, named: Map<string, AvroType>, type: AvroType): AvroType {
  named.set(fullName(object.text('name'), object.optionalText('namespace') ?? namespace), type)
  return type
}

/** The branch beside null of a union of two, or the type itself. */
export function withoutNull(type: AvroType): AvroType {
  if (type.kind !== 'union') return type
  const others = type.branches.filter(branch => branch.kind !== 'null')
  return others.length === 1 ? others[0] ?? type : type
}
