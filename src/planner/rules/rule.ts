/** What a rule of the optimizer is, and what it is given. */
import type { Expr } from '../../expr.ts'
import type { Plan } from '../../plan.ts'
import type { Value } from '../../value.ts'
import type { Tables } from '../facts.ts'

export interface RuleContext {
  readonly tables: Tables
  /** The value of an expression without columns and parameters; throws `SqlError` when computing it fails. */
  fold(expr: Expr): Value
}

/** An equivalence of plans: `apply` gives a plan with the same rows and the same schema, the same object when it has nothing to do. */
export interface Rule {
  readonly name: string
  apply(plan: Plan, context: RuleContext): Plan
}
