/** Tables for the planner's tests, written in a line each: `table('t', 'a int4!, b text', ['a'], rows)`; `!` is NOT NULL. */
import { invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import type { Field, Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { Tables } from './facts.ts'
import type { Environment } from './scope.ts'

export interface SampleTable {
  readonly name: string
  readonly schema: readonly Field[]
  readonly key: readonly number[]
  readonly rows: number
}

const KINDS = ['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'text', 'bytea', 'date', 'interval', 'uuid', 'json', 'jsonb', 'oid', 'name'] as const
const MODIFIED = ['numeric', 'varchar', 'char', 'time', 'timestamp', 'timestamptz'] as const

function typeOf(text: string): Type {
  const [, name = '', first, second] = /^(\w+)(?:\((\d+)(?:,(\d+))?\))?$/.exec(text) ?? []
  const plain = KINDS.find(kind => kind === name), kind = MODIFIED.find(each => each === name)
  if (plain !== undefined) return { kind: plain }
  invariant(kind !== undefined, `a type of the sample: ${text}`)
  if (first === undefined) return { kind }
  if (kind === 'numeric') return { kind, precision: Number(first), scale: Number(second ?? 0) }
  return kind === 'varchar' || kind === 'char' ? { kind, length: Number(first) } : { kind, precision: Number(first) }
}

export function table(name: string, columns: string, key: readonly string[] = [], rows = 1000): SampleTable {
  const schema = columns.split(/, (?=\w)/).map((column): Field => {
    const [field = '', type = ''] = column.trim().split(' ')
    return { name: field, type: typeOf(type.replace('!', '')), nullable: !type.endsWith('!') }
  })
  return { name, schema, key: key.map(column => schema.findIndex(field => field.name === column)), rows }
}

/** An environment over the tables, all in schema public. */
export function lake(samples: readonly SampleTable[], fold: (expr: Expr) => Value): { readonly environment: Environment; readonly tables: Tables } {
  const find = (name: string): SampleTable | undefined => samples.find(sample => sample.name === name)
  return {
    environment: {
      searchPath: ['public'], parameterTypes: [], fold, database: 'postgres',
      lookup: path => {
        const found = path.length > 2 || (path.length === 2 && path[0] !== 'public') ? undefined : find(path.at(-1) ?? '')
        return found === undefined ? undefined : { kind: 'table', name: { schema: 'public', name: found.name }, schema: found.schema, key: found.key }
      },
    },
    tables: name => {
      const found = name.schema === 'public' ? find(name.name) : undefined
      return found === undefined ? undefined : { key: found.key, appendOnly: false, rows: found.rows }
    },
  }
}
