/** Runs the rules. Each keeps the plan's rows and schema; the driver checks the schema after each. */
import { InternalError } from '../error.ts'
import type { Plan } from '../plan.ts'
import { typeKey } from '../type.ts'
import { foldConstants } from './rules/fold-constants.ts'
import { joinKeys } from './rules/join-keys.ts'
import { mergeProjects } from './rules/merge-projects.ts'
import { orderJoins } from './rules/order-joins.ts'
import { outerToInner } from './rules/outer-to-inner.ts'
import { pruneColumns } from './rules/prune-columns.ts'
import { pushFilters } from './rules/push-filters.ts'
import { pushTop } from './rules/push-top.ts'
import { removeEmpty } from './rules/remove-empty.ts'
import type { Tables } from './facts.ts'
import { splitSums } from './rules/split-sums.ts'
import type { Rule, RuleContext } from './rules/rule.ts'

export type { Rule, RuleContext } from './rules/rule.ts'

/** In the order in which they run. Filters go down twice: joins that became inner, and conditions found by the order of joins, open new ways. */
const SEQUENCE: readonly Rule[] = [
  foldConstants, removeEmpty, mergeProjects, pushFilters, outerToInner, pushFilters, foldConstants, removeEmpty, mergeProjects, splitSums, orderJoins, pushFilters, joinKeys, pruneColumns, mergeProjects, pushTop, pruneColumns, mergeProjects,
]

/** The names of all rules, each once. */
export const RULE_NAMES: readonly string[] = [...new Set(SEQUENCE.map(rule => rule.name))]

/** What the optimizer is given besides the plan. `off`: names of rules that are not to run. */
export interface OptimizeOptions extends Pick<RuleContext, 'fold'> {
  /** Keys and row counts of tables: without them joins are ordered by guesses. */
  readonly tables?: Tables
  readonly off?: ReadonlySet<string> | 'all'
}

/** A plan with the same rows and schema that costs less. */
export function optimize(plan: Plan, options: OptimizeOptions): Plan {
  if (options.off === 'all') return plan
  const context: RuleContext = { tables: options.tables ?? (() => undefined), fold: options.fold }
  let current = plan
  for (const rule of SEQUENCE) {
    if (options.off?.has(rule.name) === true) continue
    const next = rule.apply(current, context)
    if (next !== current) checkSchema(rule, plan, next)
    current = next
  }
  return current
}

function checkSchema(rule: Rule, before: Plan, after: Plan): void {
  const same = before.schema.length === after.schema.length && before.schema.every((field, i) => {
    const other = after.schema[i]
    return other !== undefined && other.name === field.name && typeKey(other.type) === typeKey(field.type)
  })
  if (!same) throw new InternalError(`rule ${rule.name} changed the schema from ${describe(before)} to ${describe(after)}`)
}

const describe = (plan: Plan): string => `(${plan.schema.map(field => `${field.name} ${typeKey(field.type)}`).join(', ')})`
