/** ORDER BY … LIMIT below a projection and into the inputs of a union: fewer rows to compute with. */
import { columnsOf, literal } from '../../expr.ts'
import { withInputs } from '../../plan.ts'
import type { Plan, TopPlan } from '../../plan.ts'
import { INT8 } from '../../type.ts'
import { volatilityOf } from '../facts.ts'
import { mapPlan, substitute, top } from '../node.ts'
import type { Rule } from './rule.ts'

export const pushTop: Rule = { name: 'push-top', apply: plan => mapPlan(plan, node => node.kind === 'top' ? push(node) : node) }

function push(plan: TopPlan): Plan {
  const { input } = plan
  if (plan.limit === undefined) return plan
  if (input.kind === 'project' && input.exprs.every(expr => volatilityOf(expr) !== 'volatile') && columnsOf(...plan.order.map(order => order.expr)).every(index => input.exprs[index]?.kind === 'column')) {
    const order = plan.order.map(each => ({ ...each, expr: substitute(each.expr, input.exprs) }))
    return withInputs(input, [push(top(input.input, order, plan.limit, plan.offset))])
  }
  if (input.kind === 'union' && plan.limit.kind === 'literal' && typeof plan.limit.value === 'bigint' && (plan.offset === undefined || plan.offset.kind === 'literal')) {
    const skipped = plan.offset?.kind === 'literal' && typeof plan.offset.value === 'bigint' ? plan.offset.value : 0n
    const limit = literal(plan.limit.value + skipped, INT8)
    const inputs = input.inputs.map(each => each.kind === 'top' && each.limit !== undefined || each.kind === 'values' ? each : top(each, plan.order, limit, undefined))
    return withInputs(plan, [withInputs(input, inputs)])
  }
  return plan
}

