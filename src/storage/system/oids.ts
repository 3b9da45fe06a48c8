/** Object ids of what has no counter: made from the full name, so that they stay the same without being kept anywhere. */
import type { TableName } from '../../plan.ts'

/** FNV-1a over UTF-8, in the range of the oids of users' objects. */
function hashed(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return 16384 + ((hash ^ (hash >>> 15)) >>> 0) % (2 ** 31 - 16384)
}

const FIXED: Readonly<Record<string, number>> = { pg_catalog: 11, public: 2200, information_schema: 13000 }

/** A schema's oid. */
export function schemaOid(schema: string): number { return FIXED[schema] ?? hashed(`schema ${schema}`) }

/** Ids that clients have built in (`'pg_class'::regclass` in their queries). */
const CATALOG: Readonly<Record<string, number>> = { pg_type: 1247, pg_attribute: 1249, pg_proc: 1255, pg_class: 1259, pg_database: 1262, pg_namespace: 2615, pg_constraint: 2606, pg_index: 2610, pg_attrdef: 2604, pg_description: 2609 }

/** A relation's oid. */
export function relationOid(name: TableName): number {
  const fixed = name.schema === 'pg_catalog' ? CATALOG[name.name] : undefined
  return fixed ?? hashed(`relation ${name.schema}\0${name.name}`)
}

/** The oid of the index that stands for a table's primary key. */
export function keyOid(name: TableName): number { return hashed(`key ${name.schema}\0${name.name}`) }

/** The oid of a column's default. */
export function defaultOid(name: TableName, column: string): number { return hashed(`default ${name.schema}\0${name.name}\0${column}`) }
export const USER_OID = 10
export const DATABASE_OID = 16383
