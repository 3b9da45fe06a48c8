/** Moves each condition as far down as it means the same: onto scans, into the sides of joins, below projections, aggregates and unions. */
import { columnsOf, conjunction, conjuncts, mapExpr, column } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import { withInputs } from '../../plan.ts'
import type { JoinPlan, Plan } from '../../plan.ts'
import { volatilityOf } from '../facts.ts'
import { filter, shift, substitute } from '../node.ts'
import type { Rule } from './rule.ts'

export const pushFilters: Rule = { name: 'push-filters', apply: plan => push(plan, []) }

const movable = (expr: Expr): boolean => volatilityOf(expr) !== 'volatile'

/** The plan's rows for which all conditions (over its columns) are true. */
function push(plan: Plan, conditions: readonly Expr[]): Plan {
  switch (plan.kind) {
    case 'filter': {
      const own = conjuncts(plan.condition)
      if (own.every(movable)) {
        const below = push(plan.input, [...conditions, ...own])
        return conditions.length === 0 && below.kind === 'filter' && below.input === plan.input && sameList(conjuncts(below.condition), own) ? plan : below
      }
      const moving = own.filter(movable)
      const below = push(plan.input, [...conditions, ...moving])
      return conditions.length === 0 && moving.length === 0 && below === plan.input ? plan : filter(below, conjunction(own.filter(expr => !movable(expr))))
    }
    case 'project': {
      const [down, stay] = split(conditions, expr => columnsOf(expr).every(index => { const each = plan.exprs[index]; return each !== undefined && movable(each) }))
      return filter(withInputs(plan, [push(plan.input, down.map(expr => substitute(expr, plan.exprs)))]), conjunction(stay))
    }
    case 'scan': {
      if (conditions.length === 0) return plan
      const own = conditions.map(expr => mapExpr(expr, node => node.kind === 'column' ? column(plan.columns[node.index] ?? -1, node.type) : node))
      const all = conjunction([...conjuncts(plan.filter), ...own])
      return all === undefined ? plan : { ...plan, filter: all }
    }
    case 'aggregate': {
      const [down, stay] = split(conditions, expr => plan.keys.length > 0 && columnsOf(expr).length > 0 && columnsOf(expr).every(index => index < plan.keys.length) && plan.keys.every(movable))
      return filter(withInputs(plan, [push(plan.input, down.map(expr => substitute(expr, plan.keys)))]), conjunction(stay))
    }
    case 'window': {
      // a whole partition goes or stays
      const keys = new Set(plan.partition.flatMap(key => key.kind === 'column' ? [key.index] : []))
      const [down, stay] = split(conditions, expr => movable(expr) && columnsOf(expr).length > 0 && columnsOf(expr).every(index => keys.has(index)))
      return filter(withInputs(plan, [push(plan.input, down)]), conjunction(stay))
    }
    case 'union': return withInputs(plan, plan.inputs.map(input => push(input, conditions)))
    case 'negate': return withInputs(plan, [push(plan.input, conditions)])
    case 'top': {
      const bounded = plan.limit !== undefined || plan.offset !== undefined
      const below = withInputs(plan, [push(plan.input, bounded ? [] : conditions)])
      return bounded ? filter(below, conjunction(conditions)) : below
    }
    case 'join': return pushJoin(plan, conditions)
    case 'values': return filter(plan, conjunction(conditions))
  }
}

const sameList = (a: readonly Expr[], b: readonly Expr[]): boolean => a.length === b.length && a.every((expr, i) => expr === b[i])

function split(exprs: readonly Expr[], test: (expr: Expr) => boolean): [Expr[], Expr[]] {
  const yes: Expr[] = [], no: Expr[] = []
  for (const expr of exprs) (test(expr) ? yes : no).push(expr)
  return [yes, no]
}

function pushJoin(plan: JoinPlan, above: readonly Expr[]): Plan {
  const width = plan.left.schema.length
  const onLeft = (expr: Expr): boolean => movable(expr) && columnsOf(expr).every(index => index < width) && columnsOf(expr).length > 0
  const onRight = (expr: Expr): boolean => movable(expr) && columnsOf(expr).every(index => index >= width) && columnsOf(expr).length > 0
  const left: Expr[] = [], right: Expr[] = [], match: Expr[] = [], stay: Expr[] = []
  const { how } = plan
  for (const expr of above) {
    if ((how === 'inner' || how === 'left' || how === 'semi' || how === 'anti') && onLeft(expr)) left.push(expr)
    else if ((how === 'inner' || how === 'right') && onRight(expr)) right.push(expr)
    else if (how === 'inner' && movable(expr)) match.push(expr)
    else stay.push(expr)
  }
  for (const expr of conjuncts(plan.residual)) {
    if ((how === 'inner' || how === 'right' || how === 'semi') && onLeft(expr)) left.push(expr)
    else if (how !== 'full' && how !== 'right' && onRight(expr)) right.push(expr)
    else match.push(expr)
  }
  const newLeft = push(plan.left, left), newRight = push(plan.right, right.map(expr => shift(expr, -width)))
  const same = newLeft === plan.left && newRight === plan.right && sameList(match, conjuncts(plan.residual))
  const residual = conjunction(match)
  const { residual: _, ...rest } = plan
  const joined: Plan = same ? plan : { ...rest, left: newLeft, right: newRight, ...(residual === undefined ? {} : { residual }) }
  return filter(joined, conjunction(stay))
}

