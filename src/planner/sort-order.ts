/** What an item of ORDER BY means. */
import { SqlError, unsupported } from '../error.ts'
import type { Expr } from '../expr.ts'
import type { Order } from '../plan.ts'
import type { Type } from '../type.ts'
import { leftmost } from './bind-term.ts'
import { nameOf } from './coerce.ts'
import type { Expression, SortItem } from './syntax.ts'

/** How a sort item orders the values of an expression. */
export function sortOrder(expr: Expr, item: SortItem, expression: Expression): Order {
  unordered(expr.type, leftmost(expression))
  if (item.using !== undefined && item.using !== '<' && item.using !== '>') throw unsupported(`ORDER BY … USING ${item.using}`, { position: item.at })
  const descending = item.descending || item.using === '>'
  return { expr, descending, nullsFirst: item.nulls === undefined ? descending : item.nulls === 'first' }
}

function unordered(type: Type, at: number): void {
  if (type.kind === 'json' || type.kind === 'map') {
    throw new SqlError('42883', `could not identify an ordering operator for type ${nameOf(type)}`, { position: at, hint: 'Use an explicit ordering operator or modify the query.' })
  }
}
