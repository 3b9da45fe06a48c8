/**
 * Paimon's types: their text in schema files, and the SQL types they are shown as. The Paimon type is kept beside ours, because ours is
 * coarser (TINYINT and SMALLINT are both int2) and files, keys and bucket numbers depend on the exact one.
 */
import { SqlError, corrupt, unsupported } from '../../error.ts'
import { BOOL, BYTEA, DATE, FLOAT4, FLOAT8, INT2, INT4, INT8, TEXT, typeName } from '../../type.ts'
import type { Type } from '../../type.ts'
import { JsonFields } from '../json.ts'
import type { Json, JsonObject } from '../json.ts'

export type PaimonType = { readonly nullable: boolean } & (
  | { readonly kind: 'BOOLEAN' | 'TINYINT' | 'SMALLINT' | 'INT' | 'BIGINT' | 'FLOAT' | 'DOUBLE' | 'DATE' | 'VARIANT' }
  | { readonly kind: 'CHAR' | 'VARCHAR' | 'BINARY' | 'VARBINARY'; readonly length: number }
  | { readonly kind: 'DECIMAL'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'TIME' | 'TIMESTAMP' | 'TIMESTAMP_LTZ'; readonly precision: number }
  | { readonly kind: 'ARRAY' | 'MULTISET'; readonly element: PaimonType }
  | { readonly kind: 'MAP'; readonly key: PaimonType; readonly value: PaimonType }
  | { readonly kind: 'ROW'; readonly fields: readonly PaimonField[] }
  /** A type we do not understand, as it was written; it is refused by this text when a column of it is used. */
  | { readonly kind: 'OTHER'; readonly json: Json; readonly text: string }
)

/** A column of a schema, or a field of a ROW. Ids come from one counter of the table and are never used again. */
export interface PaimonField {
  readonly id: number
  readonly name: string
  readonly type: PaimonType
  readonly description?: string
  /** Text that writers cast to the type when they omit the column; readers do not apply it. */
  readonly defaultValue?: string
}

const UNBOUNDED = 2147483647

/** Reads a type from a schema file. What is not understood becomes kind OTHER. */
export function parsePaimonType(path: string, json: Json | undefined): PaimonType {
  if (typeof json === 'string') return parseAtomic(json)
  const object = new JsonFields(path, json, 'type')
  const text = object.text('type')
  const { name, nullable } = splitNullable(text)
  switch (name) {
    case 'ARRAY': case 'MULTISET': return { kind: name, nullable, element: parsePaimonType(path, object.get('element')) }
    case 'MAP': return { kind: 'MAP', nullable, key: parsePaimonType(path, object.get('key')), value: parsePaimonType(path, object.get('value')) }
    case 'ROW': return { kind: 'ROW', nullable, fields: object.list('fields').map(field => parsePaimonField(path, field)) }
    default: return { kind: 'OTHER', nullable, json: json ?? null, text: name }
  }
}

/** Reads a field from a schema file. */
export function parsePaimonField(path: string, json: Json): PaimonField {
  const object = new JsonFields(path, json, 'field')
  const description = object.optionalText('description')
  const defaultValue = object.optionalText('defaultValue')
  return {
    id: object.int('id'),
    name: object.text('name'),
    type: parsePaimonType(path, object.get('type')),
    ...(description === undefined ? {} : { description }),
    ...(defaultValue === undefined ? {} : { defaultValue }),
  }
}

function splitNullable(text: string): { name: string; nullable: boolean } {
  const upper = text.trim().replace(/\s+/g, ' ').toUpperCase()
  if (upper.endsWith(' NOT NULL')) return { name: upper.slice(0, -9).trim(), nullable: false }
  if (upper.endsWith(' NULL')) return { name: upper.slice(0, -5).trim(), nullable: true }
  return { name: upper, nullable: true }
}

function parseAtomic(text: string): PaimonType {
  const { name, nullable } = splitNullable(text)
  const other: PaimonType = { kind: 'OTHER', nullable, json: text, text: name }
  const match = /^([A-Z_]+(?: PRECISION)?) ?(?:\( ?([0-9]+) ?(?:, ?([0-9]+) ?)?\))?( WITH LOCAL TIME ZONE| WITHOUT TIME ZONE)?$/.exec(name)
  if (match === null) return other
  const [, word = '', first, second, zone] = match
  const number = (fallback: number): number => first === undefined ? fallback : Number(first)
  if (zone !== undefined && word !== 'TIMESTAMP' && !(word === 'TIME' && zone === ' WITHOUT TIME ZONE')) return other
  if (second !== undefined && word !== 'DECIMAL' && word !== 'NUMERIC' && word !== 'DEC') return other
  switch (word) {
    case 'STRING': return first === undefined ? { kind: 'VARCHAR', nullable, length: UNBOUNDED } : other
    case 'BYTES': return first === undefined ? { kind: 'VARBINARY', nullable, length: UNBOUNDED } : other
    case 'CHAR': case 'VARCHAR': case 'BINARY': case 'VARBINARY': return { kind: word, nullable, length: number(1) }
    case 'DECIMAL': case 'NUMERIC': case 'DEC': {
      const precision = number(10), scale = second === undefined ? 0 : Number(second)
      return precision < 1 || precision > 38 || scale > precision ? other : { kind: 'DECIMAL', nullable, precision, scale }
    }
    case 'TIME': return number(0) > 9 ? other : { kind: 'TIME', nullable, precision: number(0) }
    case 'TIMESTAMP': return number(6) > 9 ? other : { kind: zone === ' WITH LOCAL TIME ZONE' ? 'TIMESTAMP_LTZ' : 'TIMESTAMP', nullable, precision: number(6) }
    case 'TIMESTAMP_LTZ': return number(6) > 9 ? other : { kind: 'TIMESTAMP_LTZ', nullable, precision: number(6) }
    case 'INTEGER': return first === undefined ? { kind: 'INT', nullable } : other
    case 'DOUBLE PRECISION': return first === undefined ? { kind: 'DOUBLE', nullable } : other
    case 'BOOLEAN': case 'TINYINT': case 'SMALLINT': case 'INT': case 'BIGINT': case 'FLOAT': case 'DOUBLE': case 'DATE': case 'VARIANT':
      return first === undefined ? { kind: word, nullable } : other
    default: return other
  }
}

/** The type as a schema file holds it, in the canonical spelling. */
export function printPaimonType(type: PaimonType): Json {
  const suffix = type.nullable ? '' : ' NOT NULL'
  switch (type.kind) {
    case 'ARRAY': case 'MULTISET': return { type: type.kind + suffix, element: printPaimonType(type.element) }
    case 'MAP': return { type: `MAP${suffix}`, key: printPaimonType(type.key), value: printPaimonType(type.value) }
    case 'ROW': return { type: `ROW${suffix}`, fields: type.fields.map(printPaimonField) }
    case 'OTHER': return type.json
    default: return atomicText(type) + suffix
  }
}

/** The field as a schema file holds it. */
export function printPaimonField(field: PaimonField): JsonObject {
  return {
    id: BigInt(field.id),
    name: field.name,
    type: printPaimonType(field.type),
    ...(field.description === undefined ? {} : { description: field.description }),
    ...(field.defaultValue === undefined ? {} : { defaultValue: field.defaultValue }),
  }
}

function atomicText(type: PaimonType): string {
  switch (type.kind) {
    case 'CHAR': case 'BINARY': return `${type.kind}(${type.length})`
    case 'VARCHAR': return type.length === UNBOUNDED ? 'STRING' : `VARCHAR(${type.length})`
    case 'VARBINARY': return type.length === UNBOUNDED ? 'BYTES' : `VARBINARY(${type.length})`
    case 'DECIMAL': return `DECIMAL(${type.precision}, ${type.scale})`
    case 'TIME': case 'TIMESTAMP': return `${type.kind}(${type.precision})`
    case 'TIMESTAMP_LTZ': return `TIMESTAMP(${type.precision}) WITH LOCAL TIME ZONE`
    default: return type.kind
  }
}

/** The type in one line, for people: `ARRAY<INT>`, `DECIMAL(10, 2)`. */
export function paimonTypeText(type: PaimonType): string {
  switch (type.kind) {
    case 'ARRAY': case 'MULTISET': return `${type.kind}<${paimonTypeText(type.element)}>`
    case 'MAP': return `MAP<${paimonTypeText(type.key)}, ${paimonTypeText(type.value)}>`
    case 'ROW': return `ROW<${type.fields.map(field => `${field.name} ${paimonTypeText(field.type)}`).join(', ')}>`
    case 'OTHER': return type.text
    default: return atomicText(type)
  }
}

/** The name of the part of a type that we cannot read, or undefined when we can read it all. */
export function notUnderstood(type: PaimonType): string | undefined {
  switch (type.kind) {
    case 'VARIANT': return 'VARIANT'
    case 'OTHER': return type.text
    case 'ARRAY': case 'MULTISET': return notUnderstood(type.element)
    case 'MAP': return notUnderstood(type.key) ?? notUnderstood(type.value)
    case 'ROW': return type.fields.map(field => notUnderstood(field.type)).find(text => text !== undefined)
    default: return undefined
  }
}

/** The SQL type a column is shown as. Fractions of a second beyond microseconds are not shown. A type that is not understood shows as text, and is refused when used. */
export function toSqlType(type: PaimonType): Type {
  switch (type.kind) {
    case 'BOOLEAN': return BOOL
    case 'TINYINT': case 'SMALLINT': return INT2
    case 'INT': return INT4
    case 'BIGINT': return INT8
    case 'FLOAT': return FLOAT4
    case 'DOUBLE': return FLOAT8
    case 'DATE': return DATE
    case 'CHAR': return { kind: 'char', length: type.length }
    case 'VARCHAR': return type.length === UNBOUNDED ? TEXT : { kind: 'varchar', length: type.length }
    case 'BINARY': case 'VARBINARY': return BYTEA
    case 'DECIMAL': return { kind: 'numeric', precision: type.precision, scale: type.scale }
    case 'TIME': return { kind: 'time', precision: Math.min(type.precision, 3) } // files hold milliseconds whatever the type says
    case 'TIMESTAMP': return type.precision >= 6 ? { kind: 'timestamp' } : { kind: 'timestamp', precision: type.precision }
    case 'TIMESTAMP_LTZ': return type.precision >= 6 ? { kind: 'timestamptz' } : { kind: 'timestamptz', precision: type.precision }
    case 'ARRAY': return { kind: 'array', element: toSqlType(type.element) }
    case 'MULTISET': return { kind: 'map', key: toSqlType(type.element), value: INT4 }
    case 'MAP': return { kind: 'map', key: toSqlType(type.key), value: toSqlType(type.value) }
    case 'ROW': return { kind: 'row', fields: type.fields.map(field => ({ name: field.name, type: toSqlType(field.type), nullable: field.type.nullable })) }
    case 'VARIANT': return { kind: 'jsonb' }
    case 'OTHER': return TEXT
  }
}

/**
 * The Paimon type that a column of an SQL type gets. `nextId` hands out ids for fields of rows. Refuses (0A000) types that Paimon cannot hold
 * without loss; TIME keeps milliseconds, the most Paimon has.
 */
export function fromSqlType(type: Type, nullable: boolean, nextId: () => number): PaimonType {
  switch (type.kind) {
    case 'bool': return { kind: 'BOOLEAN', nullable }
    case 'int2': return { kind: 'SMALLINT', nullable }
    case 'int4': return { kind: 'INT', nullable }
    case 'int8': return { kind: 'BIGINT', nullable }
    case 'float4': return { kind: 'FLOAT', nullable }
    case 'float8': return { kind: 'DOUBLE', nullable }
    case 'date': return { kind: 'DATE', nullable }
    case 'text': return { kind: 'VARCHAR', nullable, length: UNBOUNDED }
    case 'varchar': return { kind: 'VARCHAR', nullable, length: type.length ?? UNBOUNDED }
    case 'char': return type.length === undefined ? { kind: 'VARCHAR', nullable, length: UNBOUNDED } : { kind: 'CHAR', nullable, length: type.length }
    case 'bytea': return { kind: 'VARBINARY', nullable, length: UNBOUNDED }
    case 'numeric':
      if (type.precision === undefined) throw unsupported('a column of type numeric without precision', { hint: 'Paimon keeps decimals of a fixed scale: declare numeric(precision, scale), precision at most 38.' })
      if (type.precision > 38) throw unsupported(`a column of type ${typeName(type)}`, { hint: 'Paimon keeps decimals of at most 38 digits.' })
      if ((type.scale ?? 0) < 0 || (type.scale ?? 0) > type.precision) throw unsupported(`a column of type ${typeName(type)}`, { hint: 'Paimon needs a scale between 0 and the precision.' })
      return { kind: 'DECIMAL', nullable, precision: type.precision, scale: type.scale ?? 0 }
    case 'time': return { kind: 'TIME', nullable, precision: Math.min(type.precision ?? 3, 3) }
    case 'timestamp': return { kind: 'TIMESTAMP', nullable, precision: type.precision ?? 6 }
    case 'timestamptz': return { kind: 'TIMESTAMP_LTZ', nullable, precision: type.precision ?? 6 }
    case 'array': return { kind: 'ARRAY', nullable, element: fromSqlType(type.element, true, nextId) }
    case 'map': return { kind: 'MAP', nullable, key: fromSqlType(type.key, false, nextId), value: fromSqlType(type.value, true, nextId) }
    case 'row': return { kind: 'ROW', nullable, fields: type.fields.map(field => ({ id: nextId(), name: field.name, type: fromSqlType(field.type, field.nullable, nextId) })) }
    default: throw unsupported(`a Paimon column of type ${typeName(type)}`)
  }
}

/** The same type with other nullability. */
export function withNullable(type: PaimonType, nullable: boolean): PaimonType {
  return type.nullable === nullable ? type : { ...type, nullable }
}

/** The highest id in a list of fields, nested ones included; −1 for none. */
export function highestId(fields: readonly PaimonField[]): number {
  return fields.reduce((highest, field) => Math.max(highest, field.id, ...nestedFields(field.type).map(nested => nested.id)), -1)
}

function nestedFields(type: PaimonType): readonly PaimonField[] {
  switch (type.kind) {
    case 'ARRAY': case 'MULTISET': return nestedFields(type.element)
    case 'MAP': return [...nestedFields(type.key), ...nestedFields(type.value)]
    case 'ROW': return type.fields.flatMap(field => [field, ...nestedFields(field.type)])
    default: return []
  }
}

/** Refuses (0A000) a column whose type is not understood, naming table, column and type. */
export function requireUnderstood(table: string, field: PaimonField): void {
  const text = notUnderstood(field.type)
  if (text !== undefined) throw unsupported(`Paimon type ${text} of column "${field.name}" of table ${table}`, { table, column: field.name })
}

/** A failure to find a column that a schema names elsewhere. */
export function fieldNamed(path: string, fields: readonly PaimonField[], name: string): PaimonField {
  const field = fields.find(candidate => candidate.name === name)
  if (field === undefined) throw corrupt(path, `column "${name}" is not among the fields`)
  return field
}

/** 42703 for a column that a user named and that is not there. */
export function undefinedColumn(table: string, name: string): SqlError {
  return new SqlError('42703', `column "${name}" of relation "${table}" does not exist`, { table, column: name })
}
