import type { Type } from '../type.ts'

const KINDS = ['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'text', 'bytea', 'date', 'interval', 'uuid', 'json', 'jsonb', 'oid', 'name', '"char"'] as const

/** The type of a PostgreSQL type name, as far as the recorded answers name types. */
export function typeOf(name: string): Type {
  if (name.endsWith('[]')) return { kind: 'array', element: typeOf(name.slice(0, -2)) }
  const [, word = '', a, b] = /^("?[a-z0-9]+"?)(?:\((\d+)(?:,(-?\d+))?\))?$/.exec(name) ?? []
  const first = a === undefined ? undefined : Number(a)
  switch (word) {
    case 'numeric': return first === undefined ? { kind: word } : { kind: word, precision: first, scale: Number(b ?? 0) }
    case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return first === undefined ? { kind: word } : { kind: word, precision: first }
    case 'varchar': return first === undefined ? { kind: word } : { kind: word, length: first }
    // `char` alone is char(1); an unlimited one is called bpchar.
    case 'char': return { kind: word, length: first ?? 1 }
    case 'bpchar': return { kind: 'char' }
  }
  const kind = KINDS.find(known => known === word)
  if (kind === undefined) throw new Error(`no such type in these tests: ${name}`)
  return { kind }
}
