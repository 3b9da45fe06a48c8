/**
 * `sum(CASE WHEN c THEN x ELSE 0 END)` where x has a scale and 0 has none would be added up digit by digit, each value with its own scale. The rows of the two arms are
 * added apart instead: `sum(x) FILTER (WHERE c)` in plain integers, and 0 when only the other arm occurred. The digits of the result are PostgreSQL's.
 */
import { call, column, literal } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import { aggregateById, castBetween } from '../../function/table.ts'
import type { AggregateCall, AggregatePlan, Plan } from '../../plan.ts'
import { BOOL, INT8, NUMERIC } from '../../type.ts'
import { volatilityOf } from '../facts.ts'
import { aggregate, both, columnsFor, mapPlan, project } from '../node.ts'
import type { Rule } from './rule.ts'

export const splitSums: Rule = { name: 'split-sums', apply: plan => mapPlan(plan, node => node.kind === 'aggregate' ? split(node) : node) }

interface Sum {
  /** What is added up where the condition holds: a numeric with precision. */
  readonly value: Expr
  readonly when: Expr
}

/** The parts of such a sum: one arm whose value is a numeric with precision made one without, and zero without a scale otherwise. */
function partsOf(each: AggregateCall): Sum | undefined {
  const [arg] = each.args
  if (each.fn !== 'sum(numeric)' || each.distinct || arg?.kind !== 'case' || arg.arms.length !== 1) return undefined
  const [arm] = arg.arms, { otherwise } = arg
  if (arm === undefined || otherwise.kind !== 'literal' || typeof otherwise.value !== 'object' || otherwise.value === null || !('unscaled' in otherwise.value)) return undefined
  if (otherwise.value.unscaled !== 0n || otherwise.value.scale !== 0 || otherwise.value.special !== undefined || volatilityOf(arm.when) === 'volatile') return undefined
  const value = arm.then
  if (value.kind !== 'call' || value.fn !== castBetween('numeric', 'numeric')?.fn?.id || value.type.kind !== 'numeric' || value.type.precision !== undefined) return undefined
  const [exact] = value.args
  return exact?.type.kind === 'numeric' && exact.type.precision !== undefined ? { value: exact, when: arm.when } : undefined
}

function split(plan: AggregatePlan): Plan {
  if (plan.stage !== undefined && plan.stage !== 'whole') return plan
  const sums = plan.aggregates.map(partsOf)
  if (sums.every(sum => sum === undefined)) return plan
  const count = plan.keys.length, calls: AggregateCall[] = [], outputs: Expr[] = []
  plan.aggregates.forEach((each, i) => {
    const sum = sums[i]
    const at = count + calls.length
    if (sum === undefined) {
      calls.push(each)
      outputs.push(column(at, each.type))
      return
    }
    const filtered = (condition: Expr): Expr => both(each.filter, condition) ?? condition
    // values of the arm, and rows of the other one: the condition false or NULL
    calls.push({ fn: 'sum(numeric)', args: [sum.value], distinct: false, filter: filtered(sum.when), type: sumType(sum.value) })
    calls.push({ fn: 'count(*)', args: [], distinct: false, filter: filtered(call('is not true', [sum.when], BOOL)), type: INT8 })
    const cast = castBetween('numeric', 'numeric')?.fn?.id ?? ''
    const added = column(at, sumType(sum.value)), whole = added.type.kind === 'numeric' && added.type.precision === undefined ? added : call(cast, [added], NUMERIC)
    const others: Expr = { kind: 'case', type: NUMERIC, arms: [{ when: call('is distinct from', [column(at + 1, INT8), literal(0n, INT8)], BOOL), then: literal({ unscaled: 0n, scale: 0 }, NUMERIC) }], otherwise: literal(null, NUMERIC) }
    outputs.push(call('coalesce', [whole, others], NUMERIC))
  })
  const names = plan.schema.map(field => field.name)
  const inner = aggregate(plan.input, plan.keys, calls, names.slice(0, count))
  return project(inner, [...columnsFor(inner.schema).slice(0, count), ...outputs], names)
}

const sumType = (value: Expr): Expr['type'] => aggregateById('sum(numeric)').result([value.type])
