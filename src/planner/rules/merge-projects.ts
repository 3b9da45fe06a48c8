/** Two projections in a row are one, where no work is done twice by it; a projection that changes nothing is none. */
import { visitExpr } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import type { Plan, ProjectPlan } from '../../plan.ts'
import { volatilityOf } from '../facts.ts'
import { mapPlan, substitute } from '../node.ts'
import type { Rule } from './rule.ts'

export const mergeProjects: Rule = { name: 'merge-projects', apply: plan => mapPlan(plan, node => node.kind === 'project' ? merge(node) : node) }

const cheap = (expr: Expr): boolean => expr.kind === 'column' || expr.kind === 'literal' || expr.kind === 'param'

function merge(plan: ProjectPlan): Plan {
  const { input } = plan
  if (input.kind === 'project' && inlinable(plan, input)) return merge({ ...plan, input: input.input, exprs: plan.exprs.map(expr => substitute(expr, input.exprs)) })
  if (input.kind === 'values' && input.rows.length === 1 && inlinable(plan, { ...plan, exprs: input.rows[0] ?? [] })) {
    return { kind: 'values', rows: input.rows.map(row => plan.exprs.map(expr => substitute(expr, row))), schema: plan.schema }
  }
  const same = plan.exprs.length === input.schema.length && plan.exprs.every((expr, i) => expr.kind === 'column' && expr.index === i && input.schema[i]?.name === plan.schema[i]?.name && JSON.stringify(expr.type) === JSON.stringify(input.schema[i]?.type))
  return same ? input : plan
}

/** What is computed below is read at most once above, and nothing volatile is. */
function inlinable(plan: ProjectPlan, below: { readonly exprs: readonly Expr[] }): boolean {
  const reads = new Map<number, number>()
  for (const expr of plan.exprs) visitExpr(expr, node => { if (node.kind === 'column') reads.set(node.index, (reads.get(node.index) ?? 0) + 1) })
  return below.exprs.every((expr, i) => cheap(expr) || ((reads.get(i) ?? 0) <= 1 && volatilityOf(expr) !== 'volatile'))
}
