/** SELECT … FROM … WHERE … GROUP BY … HAVING … ORDER BY, in the order in which it means something. */
import { SqlError, unsupported } from '../error.ts'
import { childrenOf, column, literal, withChildren } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { scalarById } from '../function/table.ts'
import type { AggregateCall, Order, Plan } from '../plan.ts'
import { INT4 } from '../type.ts'
import { bindTerm } from './bind-term.ts'
import { bindNamedWindows, windowParts, withWindows } from './bind-window.ts'
import { bindFrom } from './bind-from.ts'
import { columnName } from './bind-name.ts'
import { bounded, firstOfEach } from './bounds.ts'
import type { Bounds } from './bounds.ts'
import { coerceToBool, settle } from './coerce.ts'
import { exprKey, sameExpr } from './equal.ts'
import { special } from './facts.ts'
import type { Tables } from './facts.ts'
import { aggregate, distinct, pick, planHas, project, someExpr, union } from './node.ts'
import { groupingOf } from './grouping.ts'
import type { Grouping } from './grouping.ts'
import { findRelation } from './scope.ts'
import type { Binding, BoundRelation, Frame, FoundAggregate, Origin, ScopeColumn } from './scope.ts'
import { sortOrder } from './sort-order.ts'
import { attach, filterWith, hasSubquery } from './subquery.ts'
import type { Expression, Select, SortItem } from './syntax.ts'

/** An output of a select list. */
export interface BoundTarget {
  readonly expr: Expr
  readonly name: string
  readonly at: number
  readonly origin: Origin | undefined
}

/** A SELECT with the ORDER BY and LIMIT of its query. With `open`, outputs of unknown type stay so, for whoever knows better. */
export function bindSelect(binding: Binding, frame: Frame, tables: Tables, select: Select, orderBy: readonly SortItem[], bindBounds: (frame: Frame) => Bounds, open: boolean): BoundRelation {
  refuse(select)
  const from = bindFrom(binding, frame, tables, select.from)
  frame.scope = from.scope
  let plan = from.plan
  if (select.where !== undefined) {
    frame.clause = 'WHERE'
    const condition = coerceToBool(binding, bindTerm(binding, frame, select.where), 'WHERE')
    plan = filterWith(binding, tables, plan, condition)
  }
  const aggregates: FoundAggregate[] = []
  frame.aggregates = aggregates
  const windows: NonNullable<Frame['windows']> = { named: new Map(), calls: [] }
  frame.windows = windows
  frame.clause = 'SELECT'
  bindNamedWindows(binding, frame, select.windows)
  const targets = bindTargets(binding, frame, select, open && select.distinct === undefined && orderBy.length === 0)
  frame.aggregates = frame.windows = undefined
  frame.clause = 'GROUP BY'
  const grouping = groupingOf(select.groupBy, select.groupDistinct, expression => bindGroupKey(binding, frame, expression, targets))
  frame.aggregates = aggregates
  frame.clause = 'HAVING'
  const having = select.having === undefined ? undefined : coerceToBool(binding, bindTerm(binding, frame, select.having), 'HAVING')
  frame.clause = 'ORDER BY'
  frame.windows = windows
  const orders = orderBy.map(item => bindOrder(binding, frame, targets, item))
  const on = (select.distinct?.on ?? []).map(expression => bindDistinctKey(binding, frame, targets, expression, orders))
  frame.aggregates = frame.windows = undefined
  const bounds = bindBounds(frame)
  const count = targets.length + orders.length + on.length
  let exprs: readonly Expr[] = [...targets.map(target => target.expr), ...orders.map(order => order.expr), ...on.map(key => key.expr), ...windowParts(windows.calls)]
  if (aggregates.length > 0 || frame.groupings.length > 0 || select.groupBy.length > 0 || having !== undefined) {
    const grouped = group(binding, frame, tables, plan, grouping, aggregates, [...exprs, ...(having === undefined ? [] : [having])])
    plan = grouped.plan
    exprs = grouped.exprs.slice(0, exprs.length)
    const condition = having === undefined ? undefined : grouped.exprs[exprs.length]
    if (condition !== undefined) plan = filterWith(binding, tables, plan, condition)
  }
  if (windows.calls.length > 0) {
    const attached = attach(binding, tables, plan, exprs)
    const windowed = withWindows(attached.plan, windows.calls, attached.exprs.slice(count), attached.exprs.slice(0, count))
    plan = windowed.plan
    exprs = windowed.exprs
  }
  return finish(binding, tables, plan, targets, exprs, orders, on, select.distinct !== undefined && on.length === 0, bounds)
}

function refuse(select: Select): void {
  if (select.into !== undefined) throw unsupported('SELECT INTO', { position: select.into.at })
}

/** The outputs that a select list, or RETURNING, asks for. With `open`, those of unknown type stay so. */
export function bindTargets(binding: Binding, frame: Frame, select: Pick<Select, 'targets'>, open: boolean): BoundTarget[] {
  return select.targets.flatMap(({ expression, alias, at }): BoundTarget[] => {
    if (expression.kind === 'star') return expandStar(binding, frame, expression.path, expression.at)
    const bound = bindTerm(binding, frame, expression)
    const expr = open ? bound.expr : settle(binding, bound)
    return [{ expr, name: alias ?? columnName(expression), at, origin: originOf(frame, expr) }]
  })
}

/** The table's column behind an expression that is just that. */
function originOf(frame: Frame, expr: Expr): Origin | undefined {
  if (expr.kind !== 'column') return undefined
  for (const relation of frame.scope.relations) {
    for (const each of relation.columns) if (each.expr.kind === 'column' && each.expr.index === expr.index) return each.origin
  }
  return undefined
}

function expandStar(binding: Binding, frame: Frame, path: readonly string[], at: number): BoundTarget[] {
  if (path.length === 0) {
    if (frame.scope.relations.length === 0 && frame.scope.columns.length === 0) throw new SqlError('42601', 'SELECT * with no tables specified is not valid', { position: at })
    return frame.scope.columns.map(each => target(binding, each, each.relation, at))
  }
  const { relation, level } = findRelation(binding, frame, path, at)
  if (level !== frame) throw unsupported(`${path.join('.')}.* of an outer query`, { position: at })
  return relation.columns.map(each => target(binding, each, relation.name, at))
}

function target(binding: Binding, each: ScopeColumn, relation: string, at: number): BoundTarget {
  const expr = { ...each.expr }
  binding.written.set(expr, { at, name: relation === '' ? each.name : `${relation}.${each.name}` })
  return { expr, name: each.name, at, origin: each.origin }
}

/** An expression of GROUP BY: an ordinal, a column of FROM, an output's name, or any expression. */
function bindGroupKey(binding: Binding, frame: Frame, expression: Expression, targets: readonly BoundTarget[]): Expr {
  const expr = groupExpression(binding, frame, expression, targets)
  if (expr.type.kind === 'json') throw new SqlError('42883', 'could not identify an equality operator for type json', { position: expression.at })
  return expr
}

function groupExpression(binding: Binding, frame: Frame, expression: Expression, targets: readonly BoundTarget[]): Expr {
  const position = ordinal(expression, 'GROUP BY', targets.length)
  let found: Expr | undefined
  if (position !== undefined) found = targets[position]?.expr
  else if (expression.kind === 'column' && expression.path.length === 1) {
    const [name] = expression.path
    if (!frame.scope.columns.some(each => each.name === name)) found = outputNamed(targets, name ?? '', 'GROUP BY', expression.at)
  }
  if (found === undefined) return settle(binding, bindTerm(binding, frame, expression))
  if (containsWindow(found)) throw new SqlError('42P20', 'window functions are not allowed in GROUP BY', { position: expression.at })
  if (containsAggregate(found)) throw new SqlError('42803', 'aggregate functions are not allowed in GROUP BY', { position: aggregatePosition(found) ?? expression.at })
  return found
}

function aggregatePosition(expr: Expr): number | undefined {
  if (expr.kind === 'call' && expr.fn.startsWith('aggregate ')) return expr.position
  for (const child of childrenOf(expr)) {
    const found = aggregatePosition(child)
    if (found !== undefined) return found
  }
  return undefined
}

const containsAggregate = (expr: Expr): boolean => (expr.kind === 'call' && expr.fn.startsWith('aggregate ')) || childrenOf(expr).some(containsAggregate)

const containsWindow = (expr: Expr): boolean => someExpr(expr, node => node.kind === 'call' && node.fn.startsWith('window '))

/** The 0-based output that an integer constant means; 42P10 when there is none. */
function ordinal(expression: Expression, clause: string, count: number): number | undefined {
  switch (expression.kind) {
    case 'number': {
      if (!/^\d+$/.test(expression.text)) {
        if (/^-\d+$/.test(expression.text)) throw new SqlError('42P10', `${clause} position ${expression.text} is not in select list`, { position: expression.at })
        break
      }
      const n = Number(expression.text)
      if (n < 1 || n > count) throw new SqlError('42P10', `${clause} position ${expression.text} is not in select list`, { position: expression.at })
      return n - 1
    }
    case 'string': case 'null': case 'bits': break
    default: return undefined
  }
  throw new SqlError('42601', `non-integer constant in ${clause}`, { position: expression.at })
}

function outputNamed(targets: readonly BoundTarget[], name: string, clause: string, at: number): Expr | undefined {
  const matches = targets.filter(each => each.name === name)
  const [first] = matches
  if (first !== undefined && matches.some(each => !sameExpr(each.expr, first.expr))) throw new SqlError('42702', `${clause} "${name}" is ambiguous`, { position: at })
  return first?.expr
}

function bindOrder(binding: Binding, frame: Frame, targets: readonly BoundTarget[], item: SortItem): Order {
  return sortOrder(outputOr(binding, frame, targets, item.expression, 'ORDER BY'), item, item.expression)
}

/** An output by its number or name, or any expression. */
function outputOr(binding: Binding, frame: Frame, targets: readonly BoundTarget[], expression: Expression, clause: string): Expr {
  const position = ordinal(expression, clause, targets.length)
  const found = position !== undefined ? targets[position]?.expr
    : expression.kind === 'column' && expression.path.length === 1 ? outputNamed(targets, expression.path[0] ?? '', clause, expression.at) : undefined
  return found ?? settle(binding, bindTerm(binding, frame, expression))
}

/** An expression of DISTINCT ON. */
interface DistinctKey {
  readonly expr: Expr
  readonly at: number
}

function bindDistinctKey(binding: Binding, frame: Frame, targets: readonly BoundTarget[], expression: Expression, orders: readonly Order[]): DistinctKey {
  const expr = outputOr(binding, frame, targets, expression, 'SELECT DISTINCT ON')
  if (expr.type.kind === 'json') throw new SqlError('42883', 'could not identify an equality operator for type json', { position: expression.at })
  // the very expression of ORDER BY, where it is the same
  return { expr: orders.find(order => sameExpr(order.expr, expr))?.expr ?? expr, at: expression.at }
}

/** What is sorted by first must be what rows are told apart by. */
function checkDistinctKeys(on: readonly DistinctKey[], keys: readonly Expr[], sorted: readonly Order[]): void {
  const isKey = (order: Order): boolean => keys.some(key => sameExpr(key, order.expr)), first = sorted.findIndex(order => !isKey(order))
  if (first < 0) return
  const late = on.findIndex((_, i) => { const key = keys[i]; return key !== undefined && !sorted.slice(0, first).some(order => sameExpr(order.expr, key)) })
  if (late >= 0) throw new SqlError('42P10', 'SELECT DISTINCT ON expressions must match initial ORDER BY expressions', { position: on[late]?.at })
}

interface Grouped {
  readonly plan: Plan
  readonly exprs: readonly Expr[]
}

/** The aggregate over the input, and the expressions over its rows. */
function group(binding: Binding, frame: Frame, tables: Tables, input: Plan, { keys, sets }: Grouping, aggregates: readonly FoundAggregate[], exprs: readonly Expr[]): Grouped {
  const common = keys.filter((_, i) => sets.every(set => set.includes(i)))
  const all = [...keys, ...dependentKeys(frame, common, exprs)]
  const parts = [...all, ...aggregates.flatMap(({ call }) => call.filter === undefined ? call.args : [...call.args, call.filter])]
  const attached = attach(binding, tables, input, parts)
  let next = all.length
  const calls = aggregates.map(({ call }) => {
    const args = call.args.map(arg => attached.exprs[next++] ?? arg)
    return { ...call, args, ...(call.filter === undefined ? {} : { filter: attached.exprs[next++] ?? call.filter }) }
  })
  const names = all.map(key => key.kind === 'column' ? input.schema[key.index]?.name ?? 'key' : 'key')
  const groupings = frame.groupings.map(found => found.args.map(arg => {
    const i = keys.findIndex(key => sameExpr(key, arg))
    if (i < 0) throw new SqlError('42803', 'arguments to GROUPING must be grouping expressions of the associated query level', { position: found.at })
    return i
  }))
  const dependent = all.slice(keys.length).map((_, i) => keys.length + i)
  const plan = groupedBy(attached.plan, attached.exprs.slice(0, all.length), sets.map(set => [...set, ...dependent]), calls, groupings, names)
  const positions = new Map(all.map((key, i) => [exprKey(key), i]))
  const over = (expr: Expr, insideSubquery: boolean): Expr => {
    const key = positions.get(exprKey(expr))
    if (key !== undefined) return column(key, expr.type)
    if (expr.kind === 'call' && expr.fn.startsWith('aggregate grouping ')) return column(all.length + calls.length + Number(expr.fn.slice('aggregate grouping '.length)), expr.type)
    if (expr.kind === 'call' && expr.fn.startsWith('aggregate ')) return column(all.length + Number(expr.fn.slice('aggregate '.length)), expr.type)
    if (expr.kind === 'column') {
      const written = binding.written.get(expr), name = written?.name ?? input.schema[expr.index]?.name ?? ''
      if (insideSubquery) throw new SqlError('42803', `subquery uses ungrouped column "${name}" from outer query`, { position: written?.at })
      throw new SqlError('42803', `column "${name}" must appear in the GROUP BY clause or be used in an aggregate function`, { position: written?.at })
    }
    return withChildren(expr, childrenOf(expr).map(child => over(child, insideSubquery || hasSubquery(expr))))
  }
  return { plan, exprs: exprs.map(expr => over(expr, false)) }
}

/** All keys (NULL where a set leaves them out), the aggregates, and what each GROUPING(…) is: an aggregate over the input for each set. */
function groupedBy(input: Plan, keys: readonly Expr[], sets: readonly (readonly number[])[], calls: readonly AggregateCall[], groupings: readonly (readonly number[])[], names: readonly string[]): Plan {
  const [only] = sets
  if (sets.length === 1 && only?.length === keys.length && groupings.length === 0) return aggregate(input, keys, calls, names)
  if (sets.length > 1 && planHas(input, expr => expr.kind === 'call' && !special(expr.fn) && scalarById(expr.fn).volatility === 'volatile')) throw unsupported('several grouping sets over a volatile function')
  return union(sets.map(set => {
    const grouped = aggregate(input, set.flatMap(i => keys[i] ?? []), calls, set.map(i => names[i] ?? 'key'))
    const shown = keys.map((key, i) => set.includes(i) ? column(set.indexOf(i), key.type) : literal(null, key.type))
    const results = calls.map((each, i) => column(set.length + i, each.type))
    const bits = groupings.map(args => literal(args.reduce((sum, i) => (sum * 2) + (set.includes(i) ? 0 : 1), 0), INT4))
    return project(grouped, [...shown, ...results, ...bits], [...names, ...calls.map(each => each.fn.split('(')[0] ?? each.fn), ...groupings.map(() => 'grouping')])
  }))
}

/** Columns of a relation whose primary key is grouped by are determined by it: they join the keys. */
function dependentKeys(frame: Frame, keys: readonly Expr[], exprs: readonly Expr[]): Expr[] {
  const grouped = new Set(keys.map(exprKey)), found: Expr[] = []
  for (const relation of frame.scope.relations) {
    const key = relation.key.flatMap(position => relation.columns[position] ?? [])
    if (key.length === 0 || !key.every(each => grouped.has(exprKey(each.expr)))) continue
    const own = new Map(relation.columns.map(each => [exprKey(each.expr), each.expr]))
    const visit = (expr: Expr): void => {
      const each = exprKey(expr)
      if (own.has(each) && !grouped.has(each)) {
        grouped.add(each)
        found.push(expr)
      }
      childrenOf(expr).forEach(visit)
    }
    exprs.forEach(visit)
  }
  return found
}

function finish(binding: Binding, tables: Tables, input: Plan, targets: readonly BoundTarget[], exprs: readonly Expr[], orders: readonly Order[], on: readonly DistinctKey[], unique: boolean, bounds: Bounds): BoundRelation {
  const attached = attach(binding, tables, input, exprs)
  const outputs = attached.exprs.slice(0, targets.length)
  const extra: Expr[] = []
  const place = (expr: Expr): number => {
    const position = [...outputs, ...extra].findIndex(each => sameExpr(each, expr))
    return position < 0 ? outputs.length + extra.push(expr) - 1 : position
  }
  const sorted = orders.map((order, i): Order => {
    const expr = attached.exprs[targets.length + i] ?? order.expr
    if (unique && !outputs.some(output => sameExpr(output, expr))) throw new SqlError('42P10', 'for SELECT DISTINCT, ORDER BY expressions must appear in select list', { position: binding.written.get(order.expr)?.at ?? (order.expr.kind === 'call' ? order.expr.position : undefined) })
    return { ...order, expr: column(place(expr), expr.type) }
  })
  const keys = on.map((key, i) => { const expr = attached.exprs[targets.length + orders.length + i] ?? key.expr; return column(place(expr), expr.type) })
  checkDistinctKeys(on, keys, sorted)
  const names = targets.map(each => each.name)
  let plan: Plan = project(attached.plan, [...outputs, ...extra], [...names, ...extra.map(() => 'sort')])
  if (unique) {
    for (const each of targets) if (each.expr.type.kind === 'json') throw new SqlError('42883', 'could not identify an equality operator for type json', { position: each.at })
    plan = distinct(plan)
  }
  if (keys.length > 0) plan = firstOfEach(plan, keys, sorted)
  plan = bounded(plan, sorted, bounds)
  plan = pick(plan, targets.map((_, i) => i))
  return {
    plan,
    columns: targets.map((each, i): ScopeColumn => ({ name: each.name, expr: column(i, plan.schema[i]?.type ?? each.expr.type), nullable: plan.schema[i]?.nullable ?? true, ...(each.origin === undefined ? {} : { origin: each.origin }) })),
  }
}
