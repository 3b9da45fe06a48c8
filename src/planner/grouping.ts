/** GROUP BY: which expressions are grouped by, and in which sets (GROUPING SETS, ROLLUP, CUBE and their products). */
import { SqlError } from '../error.ts'
import type { Expr } from '../expr.ts'
import { sameExpr } from './equal.ts'
import type { Expression, GroupItem } from './syntax.ts'

/** Every expression of GROUP BY once, and the sets that rows are grouped by, as ascending positions among them. */
export interface Grouping {
  readonly keys: readonly Expr[]
  readonly sets: readonly (readonly number[])[]
}

const MOST_SETS = 4096, MOST_CUBE = 12

/** The sets of a GROUP BY clause: the product of its items' sets. With `unique`, equal sets count once (GROUP BY DISTINCT). */
export function groupingOf(items: readonly GroupItem[], unique: boolean, bindKey: (expression: Expression) => Expr): Grouping {
  const keys: Expr[] = []
  const position = (expression: Expression): number => {
    const key = bindKey(expression), known = keys.findIndex(each => sameExpr(each, key))
    return known < 0 ? keys.push(key) - 1 : known
  }
  /** The columns that an element stands for: several when it is a row. */
  const columns = (expression: Expression): number[] => expression.kind === 'row' ? expression.fields.flatMap(columns) : [position(expression)]
  const setsOf = (item: GroupItem): number[][] => {
    switch (item.kind) {
      case 'empty': return [[]]
      case 'expression': return [columns(item.expression)]
      case 'sets': return item.sets.flatMap(setsOf)
      case 'rollup': {
        const parts = item.items.map(columns)
        return Array.from({ length: parts.length + 1 }, (_, i) => parts.slice(0, parts.length - i).flat())
      }
      case 'cube': {
        if (item.items.length > MOST_CUBE) throw new SqlError('54011', `CUBE is limited to ${MOST_CUBE} elements`, { position: item.at })
        const parts = item.items.map(columns)
        return Array.from({ length: 2 ** parts.length }, (_, bits) => parts.filter((_, i) => (bits & (1 << i)) === 0).flat())
      }
    }
  }
  let sets: number[][] = [[]]
  for (const item of items) {
    const more = setsOf(item)
    if (sets.length * more.length > MOST_SETS) throw new SqlError('54001', `too many grouping sets present (maximum ${MOST_SETS})`, { position: item.at })
    sets = sets.flatMap(set => more.map(other => [...set, ...other]))
  }
  const ascending = sets.map(set => [...new Set(set)].sort((a, b) => a - b))
  return { keys, sets: unique ? [...new Map(ascending.map(set => [set.join(), set])).values()] : ascending }
}
