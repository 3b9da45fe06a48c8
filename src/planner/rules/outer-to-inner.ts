/** An outer join whose made-up rows cannot survive what is above it is an inner one. */
import { columnsOf, conjuncts } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import { inputsOf, withInputs } from '../../plan.ts'
import type { JoinKind, Plan } from '../../plan.ts'
import { nullOnNull, rejectsNulls } from '../facts.ts'
import { joinSchema } from '../node.ts'
import type { Rule } from './rule.ts'

export const outerToInner: Rule = { name: 'outer-to-inner', apply: plan => visit(plan, new Set()) }

/** Columns without which (NULL) one of the conditions is not true. */
function rejected(conditions: readonly Expr[]): Set<number> {
  const found = new Set<number>()
  for (const condition of conditions) for (const index of columnsOf(condition)) if (rejectsNulls(condition, new Set([index]))) found.add(index)
  return found
}

/** `needed`: columns such that a row with a NULL there is thrown away above. */
function visit(plan: Plan, needed: ReadonlySet<number>): Plan {
  switch (plan.kind) {
    case 'filter': return withInputs(plan, [visit(plan.input, new Set([...needed, ...rejected(conjuncts(plan.condition))]))])
    case 'project': {
      const below = new Set<number>()
      for (const index of needed) {
        const expr = plan.exprs[index]
        if (expr !== undefined) for (const each of columnsOf(expr)) if (nullOnNull(expr, new Set([each]))) below.add(each)
      }
      return withInputs(plan, [visit(plan.input, below)])
    }
    case 'aggregate': {
      const below = new Set<number>()
      if (plan.keys.length > 0) for (const index of needed) { const key = plan.keys[index]; if (key?.kind === 'column') below.add(key.index) }
      return withInputs(plan, [visit(plan.input, below)])
    }
    case 'window': {
      const keys = new Set(plan.partition.flatMap(key => key.kind === 'column' ? [key.index] : []))
      return withInputs(plan, [visit(plan.input, new Set([...needed].filter(index => keys.has(index))))])
    }
    case 'top': return withInputs(plan, [visit(plan.input, plan.limit === undefined && plan.offset === undefined ? needed : new Set())])
    case 'join': return visitJoin(plan, needed)
    case 'scan': case 'values': return plan
    case 'union': return withInputs(plan, inputsOf(plan).map(input => visit(input, needed)))
    case 'negate': return withInputs(plan, [visit(plan.input, needed)])
  }
}

function visitJoin(plan: Extract<Plan, { kind: 'join' }>, needed: ReadonlySet<number>): Plan {
  const width = plan.left.schema.length
  const left = [...needed].some(index => index < width), right = [...needed].some(index => index >= width)
  let how: JoinKind = plan.how
  if (how === 'full') how = left && right ? 'inner' : left ? 'left' : right ? 'right' : 'full'
  else if (how === 'left' && right) how = 'inner'
  else if (how === 'right' && left) how = 'inner'
  // what the match itself rejects holds for the sides that only matching rows come out of
  const match = rejected(conjuncts(plan.residual))
  for (const key of plan.keys) {
    for (const index of columnsOf(key.left)) if (nullOnNull(key.left, new Set([index]))) match.add(index)
    for (const index of columnsOf(key.right)) if (nullOnNull(key.right, new Set([index]))) match.add(index + width)
  }
  const leftNeeded = new Set<number>(), rightNeeded = new Set<number>()
  const take = (indexes: Iterable<number>, sideLeft: boolean, sideRight: boolean): void => {
    for (const index of indexes) {
      if (index < width) { if (sideLeft) leftNeeded.add(index) } else if (sideRight) rightNeeded.add(index - width)
    }
  }
  take(needed, how !== 'right' && how !== 'full', how !== 'left' && how !== 'full')
  take(match, how === 'inner' || how === 'semi' || how === 'right', how === 'inner' || how === 'semi' || how === 'left' || how === 'anti')
  const inner = withInputs(plan, [visit(plan.left, leftNeeded), visit(plan.right, rightNeeded)])
  if (how === plan.how || inner.kind !== 'join') return inner
  return { ...inner, how, schema: joinSchema(how, inner.left.schema, inner.right.schema) }
}
