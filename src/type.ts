/**
 * SQL types, as PostgreSQL names them, and how each lies in memory. Plain data.
 */
import { unreachable } from './error.ts'

export type Type =
  | { readonly kind: 'bool' | 'int2' | 'int4' | 'int8' | 'float4' | 'float8' | 'text' | 'bytea' | 'date' | 'interval' | 'uuid' | 'json' | 'jsonb' | 'oid' | 'regclass' | 'regtype' | 'regproc' | 'regnamespace' | 'name' | '"char"' | 'void' | 'unknown' | 'record' }
  /** Without precision each value carries its own scale; with precision the scale is the type's. */
  | { readonly kind: 'numeric'; readonly precision?: number; readonly scale?: number }
  /** `precision`: digits of the fraction of a second that are kept, 0 to 6; absent means 6. */
  | { readonly kind: 'time' | 'timetz' | 'timestamp' | 'timestamptz'; readonly precision?: number }
  /** `length` in characters; char values are stored without their trailing blanks. */
  | { readonly kind: 'varchar' | 'char'; readonly length?: number }
  | { readonly kind: 'array'; readonly element: Type }
  | { readonly kind: 'row'; readonly fields: readonly Field[] }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type }

export type TypeKind = Type['kind']

/** A named column. `nullable` false is a promise: no value is NULL. */
export interface Field {
  readonly name: string
  readonly type: Type
  readonly nullable: boolean
}

export type Schema = readonly Field[]

/**
 * How the values of a type lie in memory:
 * u8 one byte (bool: 0 or 1) · i32 (int2, int4, date: days since 1970-01-01) · i64 (int8, oids, time and timestamps: microseconds since
 * 1970-01-01, numeric of precision ≤ 18: the unscaled value) · f32 · f64 · i128 (numeric of precision 19…38, little-endian two's
 * complement) · var (u32 offsets and bytes: everything else, each value encoded as `value.ts` says).
 */
export type Layout = 'u8' | 'i32' | 'i64' | 'f32' | 'f64' | 'i128' | 'var'

export function layoutOf(type: Type): Layout {
  switch (type.kind) {
    case 'bool': return 'u8'
    case 'int2': case 'int4': case 'date': return 'i32'
    case 'int8': case 'oid': case 'regclass': case 'regtype': case 'regproc': case 'regnamespace': case 'time': case 'timestamp': case 'timestamptz': return 'i64'
    case 'float4': return 'f32'
    case 'float8': return 'f64'
    case 'numeric': return type.precision === undefined || type.precision > 38 ? 'var' : type.precision > 18 ? 'i128' : 'i64'
    case 'text': case 'varchar': case 'char': case 'name': case '"char"': case 'bytea': case 'interval': case 'timetz': case 'uuid': case 'json': case 'jsonb':
    case 'array': case 'row': case 'record': case 'map': case 'void': case 'unknown': return 'var'
    default: return unreachable(type)
  }
}

/** Bytes a value takes; 0 for var. */
export function widthOf(layout: Layout): number {
  switch (layout) {
    case 'u8': return 1
    case 'i32': case 'f32': return 4
    case 'i64': case 'f64': return 8
    case 'i128': return 16
    case 'var': return 0
    default: return unreachable(layout)
  }
}

/**
 * Bytes at the end of a var value that say how it is shown but not what it equals: two values are equal, and order, by the bytes
 * before the tail (numeric: 2 bytes of display scale; interval: 16 bytes of months, days, microseconds).
 */
export function tailOf(type: Type): number {
  switch (type.kind) {
    case 'numeric': return layoutOf(type) === 'var' ? 2 : 0
    case 'interval': return 16
    default: return 0
  }
}

/** True when comparing the bytes (before the tail, unsigned, shorter first) of two var values orders them as SQL does. */
export function bytesOrder(type: Type): boolean {
  switch (type.kind) {
    case 'array': case 'row': case 'record': case 'map': case 'jsonb': case 'json': return false
    default: return true
  }
}

export const BOOL: Type = { kind: 'bool' }
export const INT2: Type = { kind: 'int2' }
export const INT4: Type = { kind: 'int4' }
export const INT8: Type = { kind: 'int8' }
export const FLOAT4: Type = { kind: 'float4' }
export const FLOAT8: Type = { kind: 'float8' }
export const NUMERIC: Type = { kind: 'numeric' }
export const TEXT: Type = { kind: 'text' }
export const BYTEA: Type = { kind: 'bytea' }
export const DATE: Type = { kind: 'date' }
export const TIME: Type = { kind: 'time' }
export const TIMESTAMP: Type = { kind: 'timestamp' }
export const TIMESTAMPTZ: Type = { kind: 'timestamptz' }
export const INTERVAL: Type = { kind: 'interval' }
export const UNKNOWN: Type = { kind: 'unknown' }
export const OID: Type = { kind: 'oid' }
export const NAME: Type = { kind: 'name' }

/** Structural equality, modifiers included. */
export function sameType(a: Type, b: Type): boolean {
  return typeKey(a) === typeKey(b)
}

/** A string that is equal for equal types; for maps and caches, not for people. */
export function typeKey(type: Type): string {
  switch (type.kind) {
    case 'numeric': return type.precision === undefined ? 'numeric' : `numeric(${type.precision},${type.scale ?? 0})`
    case 'varchar': case 'char': return type.length === undefined ? type.kind : `${type.kind}(${type.length})`
    case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return type.precision === undefined ? type.kind : `${type.kind}(${type.precision})`
    case 'array': return `${typeKey(type.element)}[]`
    case 'row': return `row(${type.fields.map(f => `${JSON.stringify(f.name)} ${typeKey(f.type)}`).join(',')})`
    case 'map': return `map(${typeKey(type.key)},${typeKey(type.value)})`
    default: return type.kind
  }
}

/** The type as `format_type` of PostgreSQL shows it: `character varying(10)`, `numeric(15,2)`, `timestamp(3) without time zone`. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case 'bool': return 'boolean'
    case 'int2': return 'smallint'
    case 'int4': return 'integer'
    case 'int8': return 'bigint'
    case 'float4': return 'real'
    case 'float8': return 'double precision'
    case 'numeric': return type.precision === undefined ? 'numeric' : `numeric(${type.precision},${type.scale ?? 0})`
    case 'varchar': return type.length === undefined ? 'character varying' : `character varying(${type.length})`
    case 'char': return type.length === undefined ? 'bpchar' : `character(${type.length})`
    case 'time': case 'timestamp': return `${type.kind}${type.precision === undefined ? '' : `(${type.precision})`} without time zone`
    case 'timetz': case 'timestamptz': return `${type.kind.slice(0, -2)}${type.precision === undefined ? '' : `(${type.precision})`} with time zone`
    case 'array': return `${typeName(type.element)}[]`
    case 'row': return `record`
    case 'map': return `map(${typeName(type.key)}, ${typeName(type.value)})`
    default: return type.kind
  }
}
