/** Plan nodes with the schemas they must have, and the expressions inside them. */
import { childrenOf, column, conjunction, conjuncts, literal, mapExpr, visitExpr } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { inputsOf, withInputs } from '../plan.ts'
import type { AggregateCall, AggregatePlan, FilterPlan, JoinKind, JoinPlan, Order, Plan, ProjectPlan, TopPlan, UnionPlan, ValuesPlan, WindowBound, WindowCall, WindowPlan } from '../plan.ts'
import { BOOL } from '../type.ts'
import type { Field, Schema } from '../type.ts'
import { nullable } from './facts.ts'

export const TRUE: Expr = literal(true, BOOL)

/** The columns of a schema as expressions. */
export const columnsFor = (schema: Schema): Expr[] => schema.map((field, i) => column(i, field.type))

export function filter(input: Plan, condition: Expr | undefined): Plan {
  if (condition === undefined) return input
  const plan: FilterPlan = { kind: 'filter', input, condition, schema: input.schema }
  return plan
}

export function project(input: Plan, exprs: readonly Expr[], names: readonly string[]): ProjectPlan {
  const schema = exprs.map((expr, i): Field => ({ name: names[i] ?? nameFor(expr, input.schema), type: expr.type, nullable: nullable(expr, input.schema) }))
  return { kind: 'project', input, exprs, schema }
}

/** A readable name for an expression nobody named. */
export function nameFor(expr: Expr, schema: Schema): string {
  return expr.kind === 'column' ? schema[expr.index]?.name ?? '?column?' : '?column?'
}

/** Some columns of a plan, in the order given; the plan itself when that is all of them. */
export function pick(input: Plan, positions: readonly number[]): Plan {
  if (positions.length === input.schema.length && positions.every((p, i) => p === i)) return input
  return project(input, positions.flatMap(p => { const field = input.schema[p]; return field === undefined ? [] : [column(p, field.type)] }), positions.map(p => input.schema[p]?.name ?? ''))
}

const opened = (schema: Schema): Schema => schema.every(field => field.nullable) ? schema : schema.map(field => ({ ...field, nullable: true }))

export function joinSchema(how: JoinKind, left: Schema, right: Schema): Schema {
  switch (how) {
    case 'inner': return [...left, ...right]
    case 'left': return [...left, ...opened(right)]
    case 'right': return [...opened(left), ...right]
    case 'full': return [...opened(left), ...opened(right)]
    case 'semi': case 'anti': return left
  }
}

export function join(how: JoinKind, left: Plan, right: Plan, residual: Expr | undefined, keys: JoinPlan['keys'] = []): JoinPlan {
  return { kind: 'join', how, left, right, keys, ...(residual === undefined ? {} : { residual }), schema: joinSchema(how, left.schema, right.schema) }
}

/** `names` are the columns', keys first. */
export function aggregate(input: Plan, keys: readonly Expr[], aggregates: readonly AggregateCall[], names: readonly string[] = []): AggregatePlan {
  const schema = [
    ...keys.map((key, i): Field => ({ name: names[i] ?? nameFor(key, input.schema), type: key.type, nullable: nullable(key, input.schema) })),
    ...aggregates.map((each, i): Field => ({ name: names[keys.length + i] ?? (each.fn.split('(')[0] ?? each.fn), type: each.type, nullable: !each.fn.startsWith('count') })),
  ]
  return { kind: 'aggregate', input, keys, aggregates, schema }
}

/** Every different row once. */
export const distinct = (input: Plan): AggregatePlan => aggregate(input, columnsFor(input.schema), [], input.schema.map(field => field.name))

const COUNTING = new Set(['row_number', 'rank', 'dense_rank', 'percent_rank', 'cume_dist', 'count'])

export function window(input: Plan, partition: readonly Expr[], order: readonly Order[], calls: readonly WindowCall[]): WindowPlan {
  const results = calls.map((each): Field => { const name = each.fn.split('(')[0] ?? each.fn; return { name, type: each.type, nullable: !COUNTING.has(name) } })
  return { kind: 'window', input, partition, order, calls, schema: [...input.schema, ...results] }
}

const offsetsOf = ({ frame }: WindowCall): readonly Expr[] => [frame.start, frame.end].flatMap(bound => 'offset' in bound ? [bound.offset] : [])

/** The expressions of a call over its input's columns. */
export const partsOf = (each: WindowCall | AggregateCall): readonly Expr[] => each.filter === undefined ? each.args : [...each.args, each.filter]

export function top(input: Plan, order: readonly Order[], limit: Expr | undefined, offset: Expr | undefined): TopPlan {
  return { kind: 'top', input, order, ...(limit === undefined ? {} : { limit }), ...(offset === undefined ? {} : { offset }), schema: input.schema }
}

export function union(inputs: readonly Plan[]): Plan {
  const [first, ...rest] = inputs
  if (first === undefined) return EMPTY
  if (rest.length === 0) return first
  const schema = first.schema.map((field, i): Field => ({ ...field, nullable: inputs.some(input => input.schema[i]?.nullable ?? true) }))
  const plan: UnionPlan = { kind: 'union', inputs, schema }
  return plan
}

/** No rows. */
export const none = (schema: Schema): ValuesPlan => ({ kind: 'values', rows: [], schema })
const EMPTY: ValuesPlan = none([])
/** One row without columns. */
export const ONE_ROW: ValuesPlan = { kind: 'values', rows: [[]], schema: [] }

/** Moves every column by `by` positions. */
export function shift(expr: Expr, by: number): Expr {
  return by === 0 ? expr : mapExpr(expr, node => node.kind === 'column' ? column(node.index + by, node.type) : node)
}

/** Column i becomes `outputs[i]`. */
export function substitute(expr: Expr, outputs: readonly Expr[]): Expr {
  return mapExpr(expr, node => node.kind === 'column' ? outputs[node.index] ?? node : node)
}

/** The expressions of one node. */
export function exprsOf(plan: Plan): readonly Expr[] {
  switch (plan.kind) {
    case 'scan': return plan.filter === undefined ? [] : [plan.filter]
    case 'values': return plan.rows.flat()
    case 'filter': return [plan.condition]
    case 'project': return plan.exprs
    case 'join': return [...plan.keys.flatMap(key => [key.left, key.right]), ...(plan.residual === undefined ? [] : [plan.residual])]
    case 'aggregate': return [...plan.keys, ...plan.aggregates.flatMap(each => each.filter === undefined ? each.args : [...each.args, each.filter])]
    case 'window': return [...plan.partition, ...plan.order.map(order => order.expr), ...plan.calls.flatMap(each => [...partsOf(each), ...offsetsOf(each)])]
    case 'top': return [...plan.order.map(order => order.expr), ...(plan.limit === undefined ? [] : [plan.limit]), ...(plan.offset === undefined ? [] : [plan.offset])]
    case 'union': case 'negate': return []
  }
}

/** The same node with every expression replaced; the same object when none differs. */
export function mapExprs(plan: Plan, f: (expr: Expr) => Expr): Plan {
  const old = exprsOf(plan), replaced = old.map(f)
  if (replaced.every((expr, i) => expr === old[i])) return plan
  let next = 0
  const take = (expr: Expr): Expr => replaced[next++] ?? expr
  switch (plan.kind) {
    case 'scan': return plan.filter === undefined ? plan : { ...plan, filter: take(plan.filter) }
    case 'values': return { ...plan, rows: plan.rows.map(row => row.map(take)) }
    case 'filter': return { ...plan, condition: take(plan.condition) }
    case 'project': return { ...plan, exprs: plan.exprs.map(take) }
    case 'join': {
      const keys = plan.keys.map(key => ({ left: take(key.left), right: take(key.right) }))
      return { ...plan, keys, ...(plan.residual === undefined ? {} : { residual: take(plan.residual) }) }
    }
    case 'aggregate': return {
      ...plan, keys: plan.keys.map(take),
      aggregates: plan.aggregates.map(each => ({ ...each, args: each.args.map(take), ...(each.filter === undefined ? {} : { filter: take(each.filter) }) })),
    }
    case 'window': {
      const bound = (each: WindowBound): WindowBound => 'offset' in each ? { ...each, offset: take(each.offset) } : each
      return {
        ...plan, partition: plan.partition.map(take), order: plan.order.map(each => ({ ...each, expr: take(each.expr) })),
        calls: plan.calls.map(each => ({ ...each, args: each.args.map(take), ...(each.filter === undefined ? {} : { filter: take(each.filter) }), frame: { ...each.frame, start: bound(each.frame.start), end: bound(each.frame.end) } })),
      }
    }
    case 'top': {
      const order = plan.order.map(each => ({ ...each, expr: take(each.expr) }))
      return { ...plan, order, ...(plan.limit === undefined ? {} : { limit: take(plan.limit) }), ...(plan.offset === undefined ? {} : { offset: take(plan.offset) }) }
    }
    case 'union': case 'negate': return plan
  }
}

/** Rebuilds a plan from the leaves up; `f` sees each node after its inputs were rebuilt. */
export function mapPlan(plan: Plan, f: (plan: Plan) => Plan): Plan {
  return f(withInputs(plan, inputsOf(plan).map(input => mapPlan(input, f))))
}

export function visitPlan(plan: Plan, f: (plan: Plan) => void): void {
  f(plan)
  for (const input of inputsOf(plan)) visitPlan(input, f)
}

export function someExpr(expr: Expr, test: (expr: Expr) => boolean): boolean {
  return test(expr) || childrenOf(expr).some(child => someExpr(child, test))
}

/** True when any expression of the plan, or below it, has a node for which the test holds. */
export function planHas(plan: Plan, test: (expr: Expr) => boolean): boolean {
  return exprsOf(plan).some(expr => someExpr(expr, test)) || inputsOf(plan).some(input => planHas(input, test))
}

/** `a and b`, flat; undefined when both are. */
export const both = (a: Expr | undefined, b: Expr | undefined): Expr | undefined => conjunction([...conjuncts(a), ...conjuncts(b)])

/** True when the expression contains no column. */
export function constantExpr(expr: Expr): boolean {
  let constant = true
  visitExpr(expr, node => { if (node.kind === 'column') constant = false })
  return constant
}
