/** Conditions that are always or never true, limits of 0, and what follows from an input without rows. */
import { column, literal } from '../../expr.ts'
import type { Plan } from '../../plan.ts'
import { columnsFor, mapPlan, none, project, union } from '../node.ts'
import type { Rule } from './rule.ts'

export const removeEmpty: Rule = { name: 'remove-empty', apply: plan => mapPlan(plan, step) }

const empty = (plan: Plan): boolean => plan.kind === 'values' && plan.rows.length === 0

function step(plan: Plan): Plan {
  switch (plan.kind) {
    case 'filter': {
      const { condition } = plan
      if (empty(plan.input)) return none(plan.schema)
      if (condition.kind !== 'literal') return plan
      return condition.value === true ? plan.input : none(plan.schema)
    }
    case 'scan': {
      if (plan.filter?.kind !== 'literal') return plan
      if (plan.filter.value !== true) return none(plan.schema)
      const { filter: _, ...rest } = plan
      return rest
    }
    case 'project': case 'window': case 'negate': return empty(plan.input) ? none(plan.schema) : plan
    case 'aggregate': return empty(plan.input) && plan.keys.length > 0 ? none(plan.schema) : plan
    case 'top': return empty(plan.input) || (plan.limit?.kind === 'literal' && plan.limit.value === 0n) ? none(plan.schema) : plan
    case 'union': {
      const inputs = plan.inputs.filter(input => !empty(input))
      if (inputs.length === plan.inputs.length) return plan
      const [only] = inputs
      return only === undefined ? none(plan.schema) : inputs.length === 1 ? named(only, plan) : { ...union(inputs), schema: plan.schema }
    }
    case 'join': return emptyJoin(plan)
    case 'values': return plan
  }
}

/** The input under the names that the union had. */
function named(input: Plan, plan: Plan): Plan {
  return input.schema.every((field, i) => field.name === plan.schema[i]?.name) ? input : project(input, columnsFor(input.schema), plan.schema.map(field => field.name))
}

function emptyJoin(plan: Extract<Plan, { kind: 'join' }>): Plan {
  const left = empty(plan.left), right = empty(plan.right)
  const never = plan.residual?.kind === 'literal' && plan.residual.value !== true
  const always = plan.residual?.kind === 'literal' && plan.residual.value === true
  const width = plan.left.schema.length
  switch (plan.how) {
    case 'inner': case 'semi': if (left || right || never) return none(plan.schema); break
    case 'anti': if (left) return none(plan.schema); if (right || never) return plan.left; break
    case 'left':
      if (left) return none(plan.schema)
      if (right || never) return project(plan.left, plan.schema.map((field, i) => i < width ? column(i, field.type) : literal(null, field.type)), plan.schema.map(field => field.name))
      break
    case 'right':
      if (right) return none(plan.schema)
      if (left || never) return project(plan.right, plan.schema.map((field, i) => i < width ? literal(null, field.type) : column(i - width, field.type)), plan.schema.map(field => field.name))
      break
    case 'full': if (left && right) return none(plan.schema); break
  }
  if (!always) return plan
  const { residual: _, ...rest } = plan
  return rest
}

