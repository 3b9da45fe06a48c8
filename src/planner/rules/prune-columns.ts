/** Every node gives only the columns that something above it reads. */
import { columnsOf, mapExpr, column } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import type { Plan } from '../../plan.ts'
import { joinSchema, partsOf, pick } from '../node.ts'
import type { Rule } from './rule.ts'

export const pruneColumns: Rule = {
  name: 'prune-columns',
  apply: plan => {
    const pruned = prune(plan, new Set(plan.schema.keys()))
    return pick(pruned.plan, plan.schema.map((_, i) => at(pruned, i)))
  },
}

/** A plan with fewer columns, and where the old ones are. */
interface Pruned {
  readonly plan: Plan
  readonly at: ReadonlyMap<number, number>
}

const at = (pruned: Pruned, index: number): number => pruned.at.get(index) ?? 0
const all = (plan: Plan): Pruned => ({ plan, at: new Map(plan.schema.map((_, i) => [i, i])) })
const moved = (expr: Expr, where: (index: number) => number): Expr => mapExpr(expr, node => {
  if (node.kind !== 'column') return node
  const index = where(node.index)
  return index === node.index ? node : column(index, node.type)
})

/** At least the needed columns. */
function prune(plan: Plan, needed: ReadonlySet<number>): Pruned {
  const kept = [...plan.schema.keys()].filter(index => needed.has(index))
  const map = new Map(kept.map((index, i) => [index, i]))
  const schema = kept.flatMap(index => plan.schema[index] ?? [])
  const full = kept.length === plan.schema.length
  switch (plan.kind) {
    case 'scan': return full ? all(plan) : { plan: { ...plan, columns: kept.flatMap(index => plan.columns[index] ?? []), schema }, at: map }
    case 'values': return full ? all(plan) : { plan: { ...plan, rows: plan.rows.map(row => kept.flatMap(index => row[index] ?? [])), schema }, at: map }
    case 'filter': {
      const input = prune(plan.input, new Set([...needed, ...columnsOf(plan.condition)]))
      if (input.plan === plan.input) return all(plan)
      return { plan: { ...plan, input: input.plan, condition: moved(plan.condition, index => at(input, index)), schema: input.plan.schema }, at: input.at }
    }
    case 'top': {
      const input = prune(plan.input, new Set([...needed, ...columnsOf(...plan.order.map(order => order.expr))]))
      if (input.plan === plan.input) return all(plan)
      return { plan: { ...plan, input: input.plan, order: plan.order.map(order => ({ ...order, expr: moved(order.expr, index => at(input, index)) })), schema: input.plan.schema }, at: input.at }
    }
    case 'window': {
      const width = plan.input.schema.length, calls = plan.calls.flatMap((each, i) => needed.has(width + i) ? [{ each, i }] : [])
      const own = calls.length === 0 ? [] : [...plan.partition, ...plan.order.map(order => order.expr), ...calls.flatMap(({ each }) => partsOf(each))]
      const input = prune(plan.input, new Set([...[...needed].filter(index => index < width), ...columnsOf(...own)]))
      if (calls.length === 0) return input
      if (calls.length === plan.calls.length && input.plan === plan.input) return all(plan)
      const over = (expr: Expr): Expr => moved(expr, index => at(input, index)), newWidth = input.plan.schema.length
      return {
        plan: {
          ...plan, input: input.plan, partition: plan.partition.map(over), order: plan.order.map(order => ({ ...order, expr: over(order.expr) })),
          calls: calls.map(({ each }) => ({ ...each, args: each.args.map(over), ...(each.filter === undefined ? {} : { filter: over(each.filter) }) })),
          schema: [...input.plan.schema, ...calls.flatMap(({ i }) => plan.schema[width + i] ?? [])],
        },
        at: new Map([...input.at, ...calls.map(({ i }, position) => [width + i, newWidth + position] as const)]),
      }
    }
    case 'negate': {
      const input = prune(plan.input, needed)
      return input.plan === plan.input ? all(plan) : { plan: { ...plan, input: input.plan, schema: input.plan.schema }, at: input.at }
    }
    case 'project': {
      const exprs = kept.flatMap(index => plan.exprs[index] ?? [])
      const input = prune(plan.input, new Set(columnsOf(...exprs)))
      if (full && input.plan === plan.input) return all(plan)
      return { plan: { ...plan, input: input.plan, exprs: exprs.map(expr => moved(expr, index => at(input, index))), schema }, at: map }
    }
    case 'aggregate': {
      const count = plan.keys.length
      // without keys and aggregates it would be another thing: DISTINCT of nothing
      const calls = plan.aggregates.flatMap((each, i) => needed.has(count + i) || (count === 0 && i === 0 && ![...needed].some(index => index > 0)) ? [{ each, i }] : [])
      const input = prune(plan.input, new Set(columnsOf(...plan.keys, ...calls.flatMap(({ each }) => each.filter === undefined ? each.args : [...each.args, each.filter]))))
      if (calls.length === plan.aggregates.length && input.plan === plan.input) return all(plan)
      const over = (expr: Expr): Expr => moved(expr, index => at(input, index))
      return {
        plan: {
          ...plan, input: input.plan, keys: plan.keys.map(over), aggregates: calls.map(({ each }) => ({ ...each, args: each.args.map(over), ...(each.filter === undefined ? {} : { filter: over(each.filter) }) })),
          schema: [...plan.schema.slice(0, count), ...calls.flatMap(({ i }) => plan.schema[count + i] ?? [])],
        },
        at: new Map([...plan.keys.map((_, i) => [i, i] as const), ...calls.map(({ i }, position) => [count + i, count + position] as const)]),
      }
    }
    case 'union': {
      const inputs = plan.inputs.map(input => {
        const pruned = prune(input, needed)
        return pick(pruned.plan, kept.map(index => at(pruned, index)))
      })
      if (full && inputs.every((input, i) => input === plan.inputs[i])) return all(plan)
      return { plan: { ...plan, inputs, schema }, at: map }
    }
    case 'join': return pruneJoin(plan, needed)
  }
}

function pruneJoin(plan: Extract<Plan, { kind: 'join' }>, needed: ReadonlySet<number>): Pruned {
  const width = plan.left.schema.length
  const both = new Set([...needed, ...columnsOf(...(plan.residual === undefined ? [] : [plan.residual]))])
  const left = prune(plan.left, new Set([...[...both].filter(index => index < width), ...columnsOf(...plan.keys.map(key => key.left))]))
  const right = prune(plan.right, new Set([...[...both].filter(index => index >= width).map(index => index - width), ...columnsOf(...plan.keys.map(key => key.right))]))
  if (left.plan === plan.left && right.plan === plan.right) return all(plan)
  const newWidth = left.plan.schema.length
  const where = (index: number): number => index < width ? at(left, index) : newWidth + at(right, index - width)
  const oneSided = plan.how === 'semi' || plan.how === 'anti'
  return {
    plan: {
      ...plan, left: left.plan, right: right.plan,
      keys: plan.keys.map(key => ({ left: moved(key.left, index => at(left, index)), right: moved(key.right, index => at(right, index)) })),
      ...(plan.residual === undefined ? {} : { residual: moved(plan.residual, where) }),
      schema: joinSchema(plan.how, left.plan.schema, right.plan.schema),
    },
    at: new Map([...[...left.at].map(([old, position]) => [old, position] as const), ...(oneSided ? [] : [...right.at].map(([old, position]) => [old + width, newWidth + position] as const))]),
  }
}

