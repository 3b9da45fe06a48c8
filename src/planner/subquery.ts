/**
 * Takes subqueries out of expressions: each placeholder becomes a join with the rows it belongs to. A correlated query is first made independent of the outer
 * row: conditions on outer columns are pulled up to the join; where something is in the way (an aggregate under an inequality, the inner side of an outer
 * join), the different outer values (the "domain") are joined into the query instead, and the join is by those.
 */
import { invariant, unsupported } from '../error.ts'
import { call, childrenOf, column, conjunction, conjuncts, literal, mapExpr } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { scalarsNamed } from '../function/table.ts'
import type { AggregateCall, Plan } from '../plan.ts'
import { BOOL, INT8 } from '../type.ts'
import { atMostOneRow, equality, exactlyOneRow, nullOnNull, nullable, uniqueSets } from './facts.ts'
import type { Tables } from './facts.ts'
import { TRUE, aggregate, both, columnsFor, constantExpr, exprsOf, filter, join, mapExprs, planHas, project, shift, someExpr, substitute, top, union, window } from './node.ts'
import type { Binding, BoundSubquery } from './scope.ts'

/** A plan, and expressions over its columns. */
export interface Attached {
  readonly plan: Plan
  readonly exprs: readonly Expr[]
}

const PLACEHOLDER = /^subquery (\d+)$/

function subqueryOf(binding: Binding, expr: Expr): BoundSubquery | undefined {
  const match = expr.kind === 'call' ? PLACEHOLDER.exec(expr.fn) : null
  return match === null ? undefined : binding.subqueries[Number(match[1])]
}

const isPlaceholder = (expr: Expr): boolean => expr.kind === 'call' && PLACEHOLDER.test(expr.fn)

/** True when a query stands inside the expression. */
export const hasSubquery = (expr: Expr): boolean => someExpr(expr, isPlaceholder)

/** The expressions without placeholders, over the plan joined with the queries; the plan's own columns stay where they are. */
export function attach(binding: Binding, tables: Tables, input: Plan, exprs: readonly Expr[]): Attached {
  let plan = input
  const done = new Map<Expr, Expr>()
  const replace = (expr: Expr): Expr => {
    const known = done.get(expr)
    if (known !== undefined) return known
    const children = childrenOf(expr)
    if (children.length === 0 && !isPlaceholder(expr)) return expr
    const inner = children.some(hasSubquery) ? mapExprOnce(expr, replace) : expr
    const subquery = subqueryOf(binding, inner)
    if (subquery === undefined || inner.kind !== 'call') return inner
    const joined = value(binding, tables, plan, subquery, inner.args)
    plan = joined.plan
    done.set(expr, joined.expr)
    return joined.expr
  }
  const result = exprs.map(replace)
  return { plan, exprs: result }
}

/** The node with its direct children replaced. */
function mapExprOnce(expr: Expr, f: (expr: Expr) => Expr): Expr {
  switch (expr.kind) {
    case 'call': return { ...expr, args: expr.args.map(f) }
    case 'case': return { ...expr, arms: expr.arms.map(arm => ({ when: f(arm.when), then: f(arm.then) })), otherwise: f(expr.otherwise) }
    default: return expr
  }
}

/** The rows for which the condition is true. EXISTS and IN among its conjuncts become semi and anti joins. The columns are those of `input`. */
export function filterWith(binding: Binding, tables: Tables, input: Plan, condition: Expr): Plan {
  const width = input.schema.length
  const parts = conjuncts(condition)
  let plan = filter(input, conjunction(parts.filter(part => !hasSubquery(part))))
  for (const part of parts.filter(hasSubquery)) {
    const negated = part.kind === 'call' && part.fn === 'not'
    const inside = negated ? part.args[0] ?? part : part
    const semi = isPlaceholder(inside) ? semiJoin(binding, tables, plan, inside, negated) : undefined
    if (semi !== undefined) {
      plan = semi
      continue
    }
    const attached = attach(binding, tables, plan, [part])
    plan = filter(attached.plan, attached.exprs[0])
  }
  if (plan.schema.length === width) return plan
  return project(plan, columnsFor(plan.schema).slice(0, width), input.schema.map(field => field.name))
}

/** EXISTS or IN as a condition; undefined when only its three-valued value will do. */
function semiJoin(binding: Binding, tables: Tables, input: Plan, expr: Expr, negated: boolean): Plan | undefined {
  const subquery = subqueryOf(binding, expr)
  if (subquery === undefined || subquery.how === 'scalar' || expr.kind !== 'call') return undefined
  if (subquery.captures.length > 0 && overAggregate(stripped(subquery)) !== undefined) return undefined
  let plan = input
  const count = expr.args.length - subquery.captures.length
  const attached = expr.args.some(hasSubquery) ? attach(binding, tables, plan, expr.args) : { plan, exprs: expr.args }
  plan = attached.plan
  const tests = attached.exprs.slice(0, count), outers = attached.exprs.slice(count)
  const inner = unnest(subquery, plan, outers, stripped(subquery))
  const width = plan.schema.length
  const equalities = tests.map((test, i) => equal(test, shift(inner.outputs[i] ?? test, width)))
  if (subquery.how === 'in' && negated && (tests.some(test => nullable(test, plan.schema)) || inner.outputs.some(output => nullable(output, inner.plan.schema)))) return undefined
  const predicates = inner.predicates.map(predicate => bound(predicate, subquery, outers, width))
  const residual = conjunction([...equalities, ...predicates])
  const right = residual === undefined ? top(inner.plan, [], literal(1n, INT8), undefined) : inner.plan
  return join(negated ? 'anti' : 'semi', plan, right, residual)
}

/** An aggregate without keys under projections and filters: it has a row even for outer rows to which no rows belong. */
interface OverAggregate {
  readonly aggregate: Plan
  /** Over the aggregate's columns. */
  readonly outputs: readonly Expr[]
  readonly conditions: readonly Expr[]
}

function overAggregate(plan: Plan): OverAggregate | undefined {
  switch (plan.kind) {
    case 'aggregate': return plan.keys.length > 0 ? undefined : { aggregate: plan, outputs: columnsFor(plan.schema), conditions: [] }
    case 'project': {
      const below = overAggregate(plan.input)
      return below === undefined ? undefined : { ...below, outputs: plan.exprs.map(expr => substitute(expr, below.outputs)) }
    }
    case 'filter': {
      const below = overAggregate(plan.input)
      return below === undefined ? undefined : { ...below, conditions: [...below.conditions, ...conjuncts(plan.condition).map(expr => substitute(expr, below.outputs))] }
    }
    case 'top': return plan.limit === undefined && plan.offset === undefined ? overAggregate(plan.input) : undefined
    default: return undefined
  }
}

/**
 * A correlated subquery over an aggregate without keys as a scalar one whose row is never missing: HAVING becomes a condition on the value, EXISTS that
 * condition, and IN a comparison with the one value. The tested values become outer columns.
 */
function oneRow(binding: Binding, subquery: BoundSubquery, tests: readonly Expr[]): BoundSubquery | undefined {
  const found = overAggregate(stripped(subquery))
  if (found === undefined) return undefined
  const condition = conjunction(found.conditions)
  const params = tests.map(test => ({ kind: 'param', index: -(binding.outerCount += 1), type: test.type }) as const)
  const output = subquery.how === 'scalar' ? found.outputs[0] ?? TRUE : subquery.how === 'exists' ? TRUE : conjunction(params.map((param, i) => equal(param, found.outputs[i] ?? param))) ?? TRUE
  const missing = literal(subquery.how === 'scalar' ? null : false, output.type)
  const result: Expr = condition === undefined ? output : { kind: 'case', arms: [{ when: condition, then: output }], otherwise: missing, type: output.type }
  return {
    how: 'scalar', plan: project(found.aggregate, [result], ['value']), at: subquery.at,
    captures: [...params.map((param, i) => ({ param: param.index, outer: tests[i] ?? param })), ...subquery.captures],
  }
}

/** Of an EXISTS only the number of rows matters. */
function stripped(subquery: BoundSubquery): Plan {
  let { plan } = subquery
  if (subquery.how !== 'exists') return plan
  for (;;) {
    if (plan.kind === 'project') plan = plan.input
    else if (plan.kind === 'top' && plan.offset === undefined && (plan.limit === undefined || (plan.limit.kind === 'literal' && plan.limit.value !== 0n))) plan = plan.input
    else return plan
  }
}

/** `a = b`, null-safe where asked. Both are of one type. */
function equal(a: Expr, b: Expr): Expr {
  return call(`=(${a.type.kind},${a.type.kind})`, [a, b], BOOL)
}

/** A pulled-up condition over the outer row and, behind it, the inner one. */
function bound(predicate: Expr, subquery: BoundSubquery, outers: readonly Expr[], width: number): Expr {
  return mapExpr(shift(predicate, width), node => {
    if (node.kind !== 'param' || node.index >= 0) return node
    const i = subquery.captures.findIndex(capture => capture.param === node.index)
    return i < 0 ? node : outers[i] ?? node
  })
}

interface Value {
  readonly plan: Plan
  readonly expr: Expr
}

/** A subquery's value as an expression over the plan joined with it. */
function value(binding: Binding, tables: Tables, plan: Plan, subquery: BoundSubquery, args: readonly Expr[]): Value {
  const count = args.length - subquery.captures.length
  const tests = args.slice(0, count), outers = args.slice(count)
  const one = subquery.captures.length === 0 ? undefined : oneRow(binding, subquery, tests)
  if (one !== undefined) return scalarValue(tables, plan, one, [...tests, ...outers])
  switch (subquery.how) {
    case 'scalar': return scalarValue(tables, plan, subquery, outers)
    case 'exists': return existsValue(plan, subquery, outers)
    case 'in': return tests.length > 1 ? rowInValue(binding, tables, plan, subquery, tests, outers) : inValue(plan, subquery, tests, outers)
  }
}

/** `CASE WHEN only one row(n) THEN value END`: 21000 when n > 1. */
const single = (count: Expr, result: Expr): Expr =>
  ({ kind: 'case', arms: [{ when: call('single row(int8)', [count], BOOL), then: result }], otherwise: literal(null, result.type), type: result.type })

function scalarValue(tables: Tables, plan: Plan, subquery: BoundSubquery, outers: readonly Expr[]): Value {
  const width = plan.schema.length, type = subquery.plan.schema[0]?.type ?? BOOL
  if (subquery.captures.length === 0) {
    const right = subquery.plan
    if (atMostOneRow(right, tables)) {
      const how = exactlyOneRow(right) ? 'inner' : 'left'
      return { plan: join(how, plan, right, undefined), expr: column(width, type) }
    }
    const counted = aggregate(right, [], [COUNT, anyValue(column(0, type))])
    return { plan: join('inner', plan, counted, undefined), expr: single(column(width, INT8), column(width + 1, type)) }
  }
  const fallback = emptyRow(subquery.plan)?.[0] ?? literal(null, type)
  const inner = unnest(subquery, plan, outers, subquery.plan)
  const pairs = inner.predicates.map(predicate => keyPair(predicate))
  const output = inner.outputs[0] ?? literal(null, type)
  const equated = new Set(pairs.flatMap(pair => pair?.inner.kind === 'column' ? [pair.inner.index] : []))
  let right = inner.plan, predicates = inner.predicates, result: Expr = output
  const unique = uniqueOver(right, equated, tables)
  if (!unique) {
    // several rows may belong to one outer row: count them by what the join equates
    const keyed = keyedBy(inner, subquery, plan, outers)
    if (hasOuter(output)) throw unsupported('a correlated subquery that may return more than one row and computes with outer columns', { position: subquery.at })
    right = aggregate(keyed.plan, keyed.keys, [COUNT, anyValue(keyed.outputs[0] ?? output)])
    predicates = keyed.predicates
    result = single(column(keyed.keys.length, INT8), column(keyed.keys.length + 1, type))
  }
  // NULL when nothing matched, unless the value of an empty group is something else (count)
  const columns = new Set(right.schema.keys())
  const moved = (expr: Expr): Expr => bound(expr, subquery, outers, width)
  const plainNull = fallback.kind === 'literal' && fallback.value === null
  if (plainNull && nullOnNull(result, columns)) return { plan: join('left', plan, right, conjunction(predicates.map(moved))), expr: moved(result) }
  const marked = project(right, [...columnsFor(right.schema), TRUE], [...right.schema.map(field => field.name), 'matched'])
  const matched = call('is not null', [column(width + right.schema.length, BOOL)], BOOL)
  return {
    plan: join('left', plan, marked, conjunction(predicates.map(moved))),
    expr: { kind: 'case', arms: [{ when: matched, then: moved(result) }], otherwise: bound(fallback, subquery, outers, width), type },
  }
}

const COUNT: AggregateCall = { fn: 'count(*)', args: [], distinct: false, type: INT8 }
const anyValue = (expr: Expr): AggregateCall => ({ fn: 'any_value(anyelement)', args: [expr], distinct: false, type: expr.type })

function uniqueOver(plan: Plan, equated: ReadonlySet<number>, tables: Tables): boolean {
  return uniqueSets(plan, tables).some(set => set.every(index => equated.has(index)))
}

/** `outer = inner` of a pulled-up condition: outer without columns, inner without outer columns. */
function keyPair(predicate: Expr): { readonly outer: Expr; readonly inner: Expr } | undefined {
  const pair = equality(predicate)
  if (pair === undefined && !(predicate.kind === 'call' && predicate.fn === 'is not distinct from')) return undefined
  const [a, b] = pair ?? (predicate.kind === 'call' ? [predicate.args[0], predicate.args[1]] : [])
  if (a === undefined || b === undefined) return undefined
  if (constantExpr(a) && hasOuter(a) && !hasOuter(b) && !constantExpr(b)) return { outer: a, inner: b }
  if (constantExpr(b) && hasOuter(b) && !hasOuter(a) && !constantExpr(a)) return { outer: b, inner: a }
  return undefined
}

const hasOuter = (expr: Expr): boolean => someExpr(expr, node => node.kind === 'param' && node.index < 0)

interface Unnested {
  readonly plan: Plan
  /** Over the plan's columns and the outer ones. */
  readonly predicates: readonly Expr[]
  /** The query's columns, over the plan's columns and the outer ones. */
  readonly outputs: readonly Expr[]
}

/** The query with its predicates as pairs `outer = key` only, and the keys as expressions. */
interface Keyed {
  readonly plan: Plan
  readonly keys: readonly Expr[]
  readonly outputs: readonly Expr[]
  /** Over the columns 0 … keys.length−1 of a plan that starts with the keys. */
  readonly predicates: readonly Expr[]
}

function keyedBy(inner: Unnested, subquery: BoundSubquery, outer: Plan, outers: readonly Expr[]): Keyed {
  let current = inner
  let pairs = current.predicates.map(keyPair)
  if (pairs.some(pair => pair === undefined)) {
    current = withDomain(inner, new Domain(subquery, outer, outers))
    pairs = current.predicates.map(keyPair)
  }
  const keys = pairs.map(pair => { invariant(pair !== undefined, 'a key'); return pair.inner })
  const predicates = current.predicates.map((predicate, i) => replaceInner(predicate, keys[i] ?? TRUE, column(i, keys[i]?.type ?? BOOL)))
  return { plan: current.plan, keys, outputs: current.outputs, predicates }
}

const replaceInner = (predicate: Expr, inner: Expr, by: Expr): Expr => predicate.kind === 'call' ? { ...predicate, args: predicate.args.map(arg => arg === inner ? by : arg) } : predicate

function existsValue(plan: Plan, subquery: BoundSubquery, outers: readonly Expr[]): Value {
  const width = plan.schema.length, query = stripped(subquery)
  if (subquery.captures.length === 0) {
    const counted = aggregate(top(query, [], literal(1n, INT8), undefined), [], [COUNT])
    return { plan: join('inner', plan, counted, undefined), expr: call('is distinct from', [column(width, INT8), literal(0n, INT8)], BOOL) }
  }
  const keyed = keyedBy(unnest(subquery, plan, outers, query), subquery, plan, outers)
  const matches = aggregate(keyed.plan, keyed.keys, [])
  const marked = project(matches, [...columnsFor(matches.schema), TRUE], [...matches.schema.map(field => field.name), 'matched'])
  const on = conjunction(keyed.predicates.map(predicate => bound(predicate, subquery, outers, width)))
  return { plan: join('left', plan, marked, on), expr: call('is not null', [column(width + matches.schema.length, BOOL)], BOOL) }
}

/** x IN (query) with all three answers: true when there is an equal row; NULL when there is none but x or some row is NULL; false otherwise. */
function inValue(input: Plan, subquery: BoundSubquery, tests: readonly Expr[], outers: readonly Expr[]): Value {
  const query = subquery.plan
  const inner = subquery.captures.length === 0 ? { plan: query, predicates: [], outputs: columnsFor(query.schema) } : unnest(subquery, input, outers, query)
  const keyed = keyedBy(inner, subquery, input, outers)
  if (keyed.outputs.some(hasOuter)) throw unsupported('IN with a subquery whose result depends on outer columns', { position: subquery.at })
  const [test] = tests, [output] = keyed.outputs
  invariant(test !== undefined && output !== undefined, 'IN of one column')
  const keyCount = keyed.keys.length, on = (width: number): Expr[] => keyed.predicates.map(predicate => bound(predicate, subquery, outers, width))
  // every group: its rows, and those that are not NULL
  const groups = aggregate(keyed.plan, keyed.keys, [COUNT, { fn: 'count(any)', args: [output], distinct: false, type: INT8 }])
  const first = input.schema.length
  let plan: Plan = join(keyCount === 0 ? 'inner' : 'left', input, groups, conjunction(on(first)))
  const rows = column(first + keyCount, INT8), values = column(first + keyCount + 1, INT8)
  // every different value of every group
  const second = plan.schema.length
  const found = aggregate(filter(keyed.plan, call('is not null', [output], BOOL)), [...keyed.keys, output], [])
  const marked = project(found, [...columnsFor(found.schema), TRUE], [...found.schema.map(field => field.name), 'matched'])
  plan = join('left', plan, marked, conjunction([...on(second), equal(test, column(second + keyCount, output.type))]))
  const matched = call('is not null', [column(second + keyCount + 1, BOOL)], BOOL)
  const empty = call('is not distinct from', [call('coalesce', [rows, literal(0n, INT8)], INT8), literal(0n, INT8)], BOOL)
  const open = call('or', [call('is null', [test], BOOL), call('is distinct from', [rows, values], BOOL)], BOOL)
  return {
    plan,
    expr: { kind: 'case', type: BOOL, arms: [{ when: matched, then: literal(true, BOOL) }, { when: empty, then: literal(false, BOOL) }, { when: open, then: literal(null, BOOL) }], otherwise: literal(false, BOOL) },
  }
}

/** (a, b) IN (query) as a value: the comparison with every row, as if the tested values were outer columns of the query. */
function rowInValue(binding: Binding, tables: Tables, plan: Plan, subquery: BoundSubquery, tests: readonly Expr[], outers: readonly Expr[]): Value {
  const params = tests.map(test => ({ kind: 'param', index: -(binding.outerCount += 1), type: test.type }) as const)
  const matches = conjunction(params.map((param, i) => equal(param, column(i, param.type)))) ?? TRUE
  const captures = [...params.map((param, i) => ({ param: param.index, outer: tests[i] ?? param })), ...subquery.captures]
  return scalarValue(tables, plan, { how: 'scalar', plan: quantified(subquery.plan, matches, 'any'), captures, at: subquery.at }, [...tests, ...outers])
}

/** One row: whether the condition is true for any, or for all, of the plan's rows; NULL where only rows decide for which it is NULL. */
export function quantified(plan: Plan, condition: Expr, how: 'any' | 'all'): Plan {
  const found = column(0, BOOL), open = call('is distinct from', [column(1, INT8), column(2, INT8)], BOOL)
  const counted = aggregate(project(plan, [condition], ['match']), [], [
    { fn: how === 'any' ? 'bool_or(bool)' : 'bool_and(bool)', args: [column(0, BOOL)], distinct: false, type: BOOL },
    COUNT, { fn: 'count(any)', args: [column(0, BOOL)], distinct: false, type: INT8 },
  ])
  const decided: Expr = how === 'any' ? found : call('not', [found], BOOL), any = how === 'any'
  const answer: Expr = { kind: 'case', type: BOOL, arms: [{ when: decided, then: literal(any, BOOL) }, { when: open, then: literal(null, BOOL) }], otherwise: literal(!any, BOOL) }
  return project(counted, [answer], [how])
}

/** The different values that the captured outer columns have. */
class Domain {
  readonly #subquery: BoundSubquery
  readonly #outer: Plan
  readonly #outers: readonly Expr[]
  constructor(subquery: BoundSubquery, outer: Plan, outers: readonly Expr[]) {
    this.#subquery = subquery
    this.#outer = outer
    this.#outers = outers
  }
  plan(): Plan { return aggregate(this.#outer, this.#outers, []) }
  get width(): number { return this.#outers.length }
  owns(expr: Expr): boolean { return expr.kind === 'param' && this.#subquery.captures.some(capture => capture.param === expr.index) }
  /** Captured columns become the domain's, which are the first columns; the expression's own columns move behind them. */
  over(expr: Expr): Expr {
    return mapExpr(shift(expr, this.width), node => {
      if (node.kind !== 'param') return node
      const i = this.#subquery.captures.findIndex(capture => capture.param === node.index)
      return i < 0 ? node : column(i, node.type)
    })
  }
  /** The outer row's values are those of the domain's row. */
  predicates(): Expr[] {
    return this.#subquery.captures.map((capture, i) => {
      const type = this.#outers[i]?.type ?? BOOL
      const nullSafe = this.#outers[i] === undefined || nullable(this.#outers[i], this.#outer.schema)
      const outer: Expr = { kind: 'param', index: capture.param, type }
      return nullSafe || !scalarsNamed('=').some(fn => fn.id === `=(${type.kind},${type.kind})`) ? call('is not distinct from', [outer, column(i, type)], BOOL) : equal(outer, column(i, type))
    })
  }
  get at(): number { return this.#subquery.at }
}

/** Joins the domain in front of the plan: what depended on outer columns depends on the domain's instead. */
function withDomain(inner: Unnested, domain: Domain): Unnested {
  const plan = join('inner', domain.plan(), inner.plan, conjunction(inner.predicates.map(predicate => domain.over(predicate))))
  return { plan, predicates: domain.predicates(), outputs: inner.outputs.map(output => domain.over(output)) }
}

/** The plan of a subquery without its captured columns. */
function unnest(subquery: BoundSubquery, outer: Plan, outers: readonly Expr[], plan: Plan): Unnested {
  return pullUp(plan, new Domain(subquery, outer, outers))
}

function pullUp(plan: Plan, domain: Domain): Unnested {
  if (!planHas(plan, expr => domain.owns(expr))) return { plan, predicates: [], outputs: columnsFor(plan.schema) }
  switch (plan.kind) {
    case 'filter': {
      const inner = pullUp(plan.input, domain)
      const parts = conjuncts(plan.condition).map(part => substitute(part, inner.outputs))
      const own = parts.filter(part => !hasOuter(part)), outer = parts.filter(hasOuter)
      return { plan: filter(inner.plan, conjunction(own)), predicates: [...inner.predicates, ...outer], outputs: inner.outputs }
    }
    case 'project': {
      const inner = pullUp(plan.input, domain)
      return { ...inner, outputs: plan.exprs.map(expr => substitute(expr, inner.outputs)) }
    }
    case 'join': return pullUpJoin(plan, domain)
    case 'aggregate': return pullUpAggregate(plan, domain)
    case 'window': return pullUpWindow(plan, domain)
    case 'top': {
      if (plan.limit === undefined && plan.offset === undefined) return pullUp(plan.input, domain)
      throw unsupported('LIMIT in a correlated subquery', { position: domain.at })
    }
    case 'union': {
      // such an aggregate has a row even for outer rows that nothing belongs to
      if (plan.inputs.some(input => overAggregate(input) !== undefined && planHas(input, expr => domain.owns(expr)))) throw unsupported('a correlated subquery with a union of aggregates without keys', { position: domain.at })
      const inputs = plan.inputs.map(input => {
        const each = withDomain(pullUp(input, domain), domain)
        return project(each.plan, [...columnsFor(each.plan.schema).slice(0, domain.width), ...each.outputs], [])
      })
      const all = union(inputs)
      return { plan: all, predicates: domain.predicates(), outputs: columnsFor(all.schema).slice(domain.width) }
    }
    case 'values': {
      const [row, ...more] = plan.rows
      if (row !== undefined && more.length === 0) return { plan: { kind: 'values', rows: [[]], schema: [] }, predicates: [], outputs: row }
      throw unsupported('VALUES with outer columns', { position: domain.at })
    }
    case 'scan': case 'negate': throw unsupported('this correlated subquery', { position: domain.at })
  }
}

/** Outputs as columns of the plan itself: needed where rows may be made up of NULLs. */
function settled(inner: Unnested): Unnested {
  if (inner.outputs.every(output => output.kind === 'column')) return inner
  const width = inner.plan.schema.length
  const plan = project(inner.plan, [...columnsFor(inner.plan.schema), ...inner.outputs], inner.plan.schema.map(field => field.name))
  return { plan, predicates: inner.predicates, outputs: inner.outputs.map((output, i) => column(width + i, output.type)) }
}

function pullUpJoin(plan: Extract<Plan, { kind: 'join' }>, domain: Domain): Unnested {
  let left = pullUp(plan.left, domain), right = pullUp(plan.right, domain)
  const condition = both(conjunction(plan.keys.map(key => equal(key.left, shift(key.right, plan.left.schema.length)))), plan.residual)
  if (plan.how !== 'inner') {
    const depends = right.predicates.length > 0 || right.outputs.some(hasOuter) || (condition !== undefined && hasOuter(condition))
    if ((plan.how === 'right' || plan.how === 'full') && planHas(plan, expr => domain.owns(expr))) throw unsupported(`a correlated subquery over a ${plan.how} join`, { position: domain.at })
    if (depends || left.outputs.some(hasOuter)) left = withDomain(left, domain)
    if (depends) {
      // the domain is on the left: conditions of the right side on outer columns are conditions of the match
      const toDomain = (expr: Expr): Expr => ownParams(expr, domain)
      const width = left.plan.schema.length
      const predicates = right.predicates.map(predicate => toDomain(shift(predicate, width)))
      if (plan.how === 'left' && right.outputs.some(hasOuter)) throw unsupported('a correlated subquery with outer columns on the inner side of a left join', { position: domain.at })
      const inner = plan.how === 'left' ? settled({ ...right, predicates: [] }) : right
      const outputs = [...left.outputs, ...inner.outputs.map(output => shift(output, width))]
      const on = condition === undefined ? undefined : toDomain(substitute(condition, outputs))
      const joined = join(plan.how, left.plan, inner.plan, conjunction([...conjuncts(on), ...predicates]))
      return { plan: joined, predicates: left.predicates, outputs: plan.how === 'left' ? outputs : left.outputs }
    }
  }
  if (plan.how === 'left') right = settled(right)
  const width = left.plan.schema.length
  const outputs = [...left.outputs, ...right.outputs.map(output => shift(output, width))]
  const parts = conjuncts(condition).map(part => substitute(part, outputs))
  const own = parts.filter(part => !hasOuter(part)), outer = parts.filter(hasOuter)
  const joined = join(plan.how, left.plan, right.plan, conjunction(own))
  return {
    plan: joined, predicates: [...left.predicates, ...right.predicates.map(predicate => shift(predicate, width)), ...outer],
    outputs: plan.how === 'semi' || plan.how === 'anti' ? left.outputs : outputs,
  }
}

/** Captured columns become the first columns, where the domain was put. */
function ownParams(expr: Expr, domain: Domain): Expr {
  return mapExpr(expr, node => domain.owns(node) ? domain.over(node) : node)
}

function pullUpAggregate(plan: Extract<Plan, { kind: 'aggregate' }>, domain: Domain): Unnested {
  let inner = pullUp(plan.input, domain)
  const over = (expr: Expr): Expr => substitute(expr, inner.outputs)
  const blocked = inner.predicates.some(predicate => keyPair(predicate) === undefined) || exprsOf(plan).some(expr => hasOuter(over(expr)))
  if (blocked) inner = withDomain(inner, domain)
  const pairs = inner.predicates.map(keyPair)
  const keys = pairs.map(pair => { invariant(pair !== undefined, 'a key'); return pair.inner })
  const own = mapExprs(plan, expr => blocked ? ownParams(over(expr), domain) : over(expr))
  invariant(own.kind === 'aggregate', 'an aggregate')
  const result = aggregate(inner.plan, [...keys, ...own.keys], own.aggregates, [...keys.map(() => 'key'), ...plan.schema.map(field => field.name)])
  return {
    plan: result,
    predicates: inner.predicates.map((predicate, i) => replaceInner(predicate, keys[i] ?? TRUE, column(i, keys[i]?.type ?? BOOL))),
    outputs: columnsFor(result.schema).slice(keys.length),
  }
}

/** What the outer row is joined by partitions the rows, too. */
function pullUpWindow(plan: Extract<Plan, { kind: 'window' }>, domain: Domain): Unnested {
  let inner = pullUp(plan.input, domain)
  const over = (expr: Expr): Expr => substitute(expr, inner.outputs)
  const blocked = inner.predicates.some(predicate => keyPair(predicate) === undefined) || exprsOf(plan).some(expr => hasOuter(over(expr)))
  if (blocked) inner = withDomain(inner, domain)
  const keys = inner.predicates.map(predicate => { const pair = keyPair(predicate); invariant(pair !== undefined, 'a key'); return pair.inner })
  const own = mapExprs(plan, expr => blocked ? ownParams(over(expr), domain) : over(expr))
  invariant(own.kind === 'window', 'a window')
  const result = window(inner.plan, [...keys, ...own.partition], own.order, own.calls)
  return { plan: result, predicates: inner.predicates, outputs: [...inner.outputs, ...columnsFor(result.schema).slice(inner.plan.schema.length)] }
}

/** The row that the query gives when no input row belongs to it: an aggregate without keys gives one even then. Undefined: no row. */
function emptyRow(plan: Plan): readonly Expr[] | undefined {
  switch (plan.kind) {
    case 'aggregate': return plan.keys.length > 0 ? undefined : plan.aggregates.map(each => each.fn.startsWith('count(') ? literal(0n, INT8) : literal(null, each.type))
    case 'project': {
      const below = emptyRow(plan.input)
      return below === undefined ? undefined : plan.exprs.map(expr => nullFolded(substitute(expr, below)))
    }
    case 'top': return plan.limit === undefined && plan.offset === undefined ? emptyRow(plan.input) : undefined
    default: return undefined
  }
}

/** Strict functions of NULL are NULL. */
function nullFolded(expr: Expr): Expr {
  return mapExpr(expr, node => node.kind === 'call' && nullOnNull(node, NOTHING) ? literal(null, node.type) : node)
}
const NOTHING: ReadonlySet<number> = new Set()
