/** What PostgreSQL calls a column that has no alias. */
import type { Expression, Query, TypeName } from './syntax.ts'

/** The name, and how good it is: 0 none, 1 a type's, 2 a column's or function's. */
function figure(e: Expression): { readonly name: string; readonly strength: 0 | 1 | 2 } {
  const none = { name: '?column?', strength: 0 } as const
  switch (e.kind) {
    case 'column': return { name: e.path[e.path.length - 1] ?? '', strength: 2 }
    case 'field': return { name: e.name, strength: 2 }
    case 'subscript': return figure(e.of)
    case 'call': return { name: e.path[e.path.length - 1] ?? '', strength: 2 }
    case 'nullif': return { name: 'nullif', strength: 2 }
    case 'coalesce': return { name: 'coalesce', strength: 2 }
    case 'extreme': return { name: e.how, strength: 2 }
    case 'grouping': return { name: 'grouping', strength: 2 }
    case 'current': return { name: e.what, strength: 2 }
    case 'array': return { name: 'array', strength: 2 }
    case 'row': return { name: 'row', strength: 2 }
    case 'collate': return figure(e.arg)
    case 'cast': {
      const inner = figure(e.arg)
      return inner.strength > 1 ? inner : { name: typeLabel(e.type), strength: 1 }
    }
    case 'case': {
      const otherwise = e.otherwise === undefined ? none : figure(e.otherwise)
      return otherwise.strength > 1 ? otherwise : { name: 'case', strength: 1 }
    }
    case 'subquery': return e.how === 'scalar' ? firstName(e.query) : { name: e.how, strength: 2 }
    default: return none
  }
}

const typeLabel = (type: TypeName): string => type.path[type.path.length - 1] ?? ''

function firstName(query: Query): ReturnType<typeof figure> {
  switch (query.body.kind) {
    case 'select': {
      const target = query.body.targets[0]
      if (target === undefined) return { name: '?column?', strength: 0 }
      return { name: target.alias ?? columnName(target.expression), strength: 2 }
    }
    case 'values': return { name: 'column1', strength: 2 }
    case 'setOperation': return firstName(query.body.left)
  }
}

/** `count` for count(*), the column's name for a column, `int4` for 1::int4, `case`, `?column?`. */
export const columnName = (e: Expression): string => figure(e).name
