/** Queries inside expressions, as placeholders: `call` of `subquery N` over the tested values and the captured outer columns. */
import { SqlError, unsupported } from '../error.ts'
import { arrayOf } from '../datum.ts'
import { call, column, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { Plan } from '../plan.ts'
import { BOOL } from '../type.ts'
import { callOperator } from './bind-call.ts'
import { coerce } from './coerce.ts'
import { quantified } from './subquery.ts'
import { bindTerm, equalTypes } from './bind-term.ts'
import { sameExpr } from './equal.ts'
import { aggregate, project } from './node.ts'
import { newFrame } from './scope.ts'
import type { Binding, BoundRelation, BoundSubquery, Frame } from './scope.ts'
import type { Expression, QuantifiedQueryExpression, Query, SubqueryExpression } from './syntax.ts'

function bindInner(binding: Binding, frame: Frame, query: Query): { readonly relation: BoundRelation; readonly inner: Frame } {
  const inner = newFrame(frame, frame.searchPath)
  return { relation: binding.query(query, inner), inner }
}

function placeholder(binding: Binding, subquery: BoundSubquery, tests: readonly Expr[], type: Expr['type']): Expr {
  const index = binding.subqueries.push(subquery) - 1
  return call(`subquery ${index}`, [...tests, ...subquery.captures.map(capture => capture.outer)], type, subquery.at)
}

/** `(query)` as a value, EXISTS, ARRAY. */
export function bindSubquery(binding: Binding, frame: Frame, e: SubqueryExpression): Expr {
  const { relation, inner } = bindInner(binding, frame, e.query)
  if (e.how === 'exists') return placeholder(binding, { how: 'exists', plan: relation.plan, captures: inner.captures, at: e.at }, [], BOOL)
  const [only, ...more] = relation.plan.schema
  if (only === undefined || more.length > 0) throw new SqlError('42601', 'subquery must return only one column', { position: e.at })
  if (e.how === 'array') {
    if (only.type.kind === 'array') throw unsupported('ARRAY(subquery) of arrays', { position: e.at })
    const type = { kind: 'array', element: only.type } as const
    const list = aggregate(relation.plan, [], [{ fn: 'array_agg(anynonarray)', args: [column(0, only.type)], distinct: false, type }])
    const plan = project(list, [inOrder(relation.plan, inner.captures.length > 0, call('coalesce', [column(0, type), literal(arrayOf([]), type)], type), e.at)], ['array'])
    return placeholder(binding, { how: 'scalar', plan, captures: inner.captures, at: e.at }, [], type)
  }
  return placeholder(binding, { how: 'scalar', plan: relation.plan, captures: inner.captures, at: e.at }, [], only.type)
}

/** `left IN (query)`; the caller negates. The query's columns are brought to the types that `=` compares. */
export function bindInQuery(binding: Binding, frame: Frame, left: Expression, query: Query, at: number): Expr {
  const lefts = left.kind === 'row' ? left.fields : [left]
  const terms = lefts.map(e => bindTerm(binding, frame, e))
  const { relation, inner } = bindInner(binding, frame, query)
  const { schema } = relation.plan
  if (schema.length > terms.length) throw new SqlError('42601', 'subquery has too many columns', { position: at })
  if (schema.length < terms.length) throw new SqlError('42601', 'subquery has too few columns', { position: at })
  const pairs = terms.map((term, i) => equalTypes(binding, term, { expr: column(i, schema[i]?.type ?? term.expr.type), at }, at))
  const plan = projected(relation.plan, pairs.map(([, right]) => right))
  return placeholder(binding, { how: 'in', plan, captures: inner.captures, at }, pairs.map(([test]) => test), BOOL)
}

/** `left op ANY (query)` and `left op ALL (query)`: one row that says so, `left` being an outer column of the query. */
export function bindQuantifiedQuery(binding: Binding, frame: Frame, e: QuantifiedQueryExpression): Expr {
  if (e.left.kind === 'row') throw unsupported(`${e.symbol} ${e.how.toUpperCase()} between rows`, { position: e.at })
  const bound = bindTerm(binding, frame, e.left)
  const { relation, inner } = bindInner(binding, frame, e.query)
  const [only, ...more] = relation.plan.schema
  if (only === undefined || more.length > 0) throw new SqlError('42601', 'subquery has too many columns', { position: e.at })
  const left = bound.expr.type.kind === 'unknown' ? coerce(binding, bound, only.type, 'implicit') : bound.expr
  const param = { kind: 'param', index: -(binding.outerCount += 1), type: left.type } as const
  const condition = callOperator(binding, e.symbol, [{ expr: param, at: bound.at }, { expr: column(0, only.type), at: e.at }], e.at)
  const captures = [{ param: param.index, outer: left }, ...inner.captures]
  return placeholder(binding, { how: 'scalar', plan: quantified(relation.plan, condition, e.how), captures, at: e.at }, [], BOOL)
}

/** The array in the order of its query. What is correlated loses its order on the way to a join, and is put in order at the end. */
function inOrder(query: Plan, correlated: boolean, array: Expr, at: number): Expr {
  const sorted = query.kind === 'project' ? query.input : query
  if (!correlated || sorted.kind !== 'top' || sorted.order.length === 0) return array
  const [key] = sorted.order, element = query.kind === 'project' ? query.exprs[0] : column(0, query.schema[0]?.type ?? array.type)
  if (key === undefined || sorted.limit !== undefined || sorted.offset !== undefined || element === undefined || !sameExpr(key.expr, element)) throw unsupported('ARRAY(subquery) of outer columns, ordered by anything but its elements,', { position: at })
  return call('array_sort(anyarray,bool,bool)', [array, literal(key.descending, BOOL), literal(key.nullsFirst, BOOL)], array.type)
}

function projected(plan: Plan, exprs: readonly Expr[]): Plan {
  if (exprs.every((expr, i) => sameExpr(expr, column(i, plan.schema[i]?.type ?? expr.type)))) return plan
  return { kind: 'project', input: plan, exprs, schema: exprs.map((expr, i) => ({ name: plan.schema[i]?.name ?? '?column?', type: expr.type, nullable: true })) }
}
