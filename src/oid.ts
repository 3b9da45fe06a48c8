/** Object ids of types, as PostgreSQL numbers them: the wire, pg_type and the reg* types share this list. */
import type { Type, TypeKind } from './type.ts'

interface TypeEntry {
  readonly kind: TypeKind
  readonly oid: number
  /** Of the array type over it; 0 when there is none. */
  readonly array: number
  /** pg_type.typname */
  readonly name: string
  /** pg_type.typlen: bytes of PostgreSQL's own representation, −1 variable. */
  readonly length: number
  /** pg_type.typcategory */
  readonly category: string
}

/** Types without an oid of PostgreSQL's own (map) are text to clients. */
export const TYPE_ENTRIES: readonly TypeEntry[] = [
  { kind: 'bool', oid: 16, array: 1000, name: 'bool', length: 1, category: 'B' },
  { kind: 'bytea', oid: 17, array: 1001, name: 'bytea', length: -1, category: 'U' },
  { kind: '"char"', oid: 18, array: 1002, name: 'char', length: 1, category: 'Z' },
  { kind: 'name', oid: 19, array: 1003, name: 'name', length: 64, category: 'S' },
  { kind: 'int8', oid: 20, array: 1016, name: 'int8', length: 8, category: 'N' },
  { kind: 'int2', oid: 21, array: 1005, name: 'int2', length: 2, category: 'N' },
  { kind: 'int4', oid: 23, array: 1007, name: 'int4', length: 4, category: 'N' },
  { kind: 'regproc', oid: 24, array: 1008, name: 'regproc', length: 4, category: 'N' },
  { kind: 'text', oid: 25, array: 1009, name: 'text', length: -1, category: 'S' },
  { kind: 'oid', oid: 26, array: 1028, name: 'oid', length: 4, category: 'N' },
  { kind: 'json', oid: 114, array: 199, name: 'json', length: -1, category: 'U' },
  { kind: 'float4', oid: 700, array: 1021, name: 'float4', length: 4, category: 'N' },
  { kind: 'float8', oid: 701, array: 1022, name: 'float8', length: 8, category: 'N' },
  { kind: 'unknown', oid: 705, array: 0, name: 'unknown', length: -2, category: 'X' },
  { kind: 'char', oid: 1042, array: 1014, name: 'bpchar', length: -1, category: 'S' },
  { kind: 'varchar', oid: 1043, array: 1015, name: 'varchar', length: -1, category: 'S' },
  { kind: 'date', oid: 1082, array: 1182, name: 'date', length: 4, category: 'D' },
  { kind: 'time', oid: 1083, array: 1183, name: 'time', length: 8, category: 'D' },
  { kind: 'timestamp', oid: 1114, array: 1115, name: 'timestamp', length: 8, category: 'D' },
  { kind: 'timestamptz', oid: 1184, array: 1185, name: 'timestamptz', length: 8, category: 'D' },
  { kind: 'interval', oid: 1186, array: 1187, name: 'interval', length: 16, category: 'T' },
  { kind: 'timetz', oid: 1266, array: 1270, name: 'timetz', length: 12, category: 'D' },
  { kind: 'numeric', oid: 1700, array: 1231, name: 'numeric', length: -1, category: 'N' },
  { kind: 'regclass', oid: 2205, array: 2210, name: 'regclass', length: 4, category: 'N' },
  { kind: 'regtype', oid: 2206, array: 2211, name: 'regtype', length: 4, category: 'N' },
  { kind: 'record', oid: 2249, array: 2287, name: 'record', length: -1, category: 'P' },
  { kind: 'void', oid: 2278, array: 0, name: 'void', length: 4, category: 'P' },
  { kind: 'uuid', oid: 2950, array: 2951, name: 'uuid', length: 16, category: 'U' },
  { kind: 'jsonb', oid: 3802, array: 3807, name: 'jsonb', length: -1, category: 'U' },
  { kind: 'regnamespace', oid: 4089, array: 4090, name: 'regnamespace', length: 4, category: 'N' },
]

const byKind = new Map(TYPE_ENTRIES.map(entry => [entry.kind, entry]))
const byOid = new Map(TYPE_ENTRIES.map(entry => [entry.oid, entry]))
const byArray = new Map(TYPE_ENTRIES.filter(entry => entry.array !== 0).map(entry => [entry.array, entry]))

/** The oid that a client sees for a type. Maps show as jsonb, rows as record, arrays of arrays as arrays of their elements' elements. */
export function oidOf(type: Type): number {
  switch (type.kind) {
    case 'array': {
      let { element } = type
      while (element.kind === 'array') ({ element } = element)
      return byKind.get(element.kind)?.array ?? (element.kind === 'map' ? 3807 : 2287)
    }
    case 'map': return 3802
    case 'row': return 2249
    default: return byKind.get(type.kind)?.oid ?? 25
  }
}

/** The type of an oid, without modifiers; undefined when it is none of ours. 0 is no type. */
export function typeOfOid(oid: number): Type | undefined {
  const entry = byOid.get(oid)
  if (entry !== undefined) return typeOfKind(entry.kind)
  const element = byArray.get(oid)
  const type = element === undefined ? undefined : typeOfKind(element.kind)
  return type === undefined ? undefined : { kind: 'array', element: type }
}

function typeOfKind(kind: TypeKind): Type | undefined {
  switch (kind) {
    case 'array': case 'row': case 'map': return undefined
    case 'numeric': return { kind }
    case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return { kind }
    case 'varchar': case 'char': return { kind }
    default: return { kind }
  }
}

/** Bytes of PostgreSQL's representation, as RowDescription gives them. */
export function lengthOf(type: Type): number {
  return byKind.get(type.kind)?.length ?? -1
}

/** PostgreSQL's type modifier: numeric(p,s), varchar(n), timestamp(p); −1 for none. */
export function modifierOf(type: Type): number {
  switch (type.kind) {
    case 'numeric': return type.precision === undefined ? -1 : ((type.precision << 16) | (type.scale ?? 0)) + 4
    case 'varchar': case 'char': return type.length === undefined ? -1 : type.length + 4
    case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return type.precision ?? -1
    case 'array': return modifierOf(type.element)
    default: return -1
  }
}
