/** Window functions: their calls, OVER (…), WINDOW, frames, and the plan nodes that compute them. */
import { SqlError, unsupported } from '../error.ts'
import { call, childrenOf, column, withChildren } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { aggregatesNamed, scalarsNamed, windowsNamed } from '../function/table.ts'
import type { Order, Plan, WindowBound, WindowCall, WindowFrame } from '../plan.ts'
import { FLOAT8, INT2, INT4, INT8, INTERVAL, NUMERIC } from '../type.ts'
import type { Type } from '../type.ts'
import { bindFilter, bindTerm } from './bind-term.ts'
import { canCoerceType, coerce, exactly, nameOf, settle } from './coerce.ts'
import type { Term } from './coerce.ts'
import { exprKey } from './equal.ts'
import { constantExpr, partsOf, someExpr, window } from './node.ts'
import { findAggregate, findWindow, noFunction } from './resolve.ts'
import type { Binding, BoundWindow, FoundWindow, Frame } from './scope.ts'
import { sortOrder } from './sort-order.ts'
import type { CallExpression, Expression, FrameBound, WindowFrame as FrameSyntax, WindowSpecification } from './syntax.ts'

const USUAL: WindowFrame = { unit: 'range', start: { kind: 'unboundedPreceding' }, end: { kind: 'currentRow' }, exclude: 'none' }

/** The windows of a WINDOW clause, each over those before it. */
export function bindNamedWindows(binding: Binding, frame: Frame, windows: readonly { readonly name: string; readonly window: WindowSpecification }[]): void {
  for (const { name, window: specification } of windows) {
    const named = frame.windows?.named
    if (named?.has(name) === true) throw new SqlError('42P20', `window "${name}" is already defined`, { position: specification.at })
    named?.set(name, bindWindow(binding, frame, specification))
  }
}

/** A call with OVER: a placeholder for its result. */
export function bindWindowCall(binding: Binding, frame: Frame, e: CallExpression, over: WindowSpecification, name: string): Expr {
  const at = e.at, shown = e.path.join('.'), schema = e.path[e.path.length - 2]
  if (frame.insideAggregate) throw new SqlError('42803', 'aggregate function calls cannot contain window function calls', { position: at })
  if (frame.insideWindow === 'arguments') throw new SqlError('42P20', 'window function calls cannot be nested', { position: at })
  if (frame.insideWindow === 'definition') throw new SqlError('42P20', 'window functions are not allowed in window definitions', { position: at })
  const { windows } = frame
  if (windows === undefined) throw new SqlError('42P20', `window functions are not allowed in ${frame.clause}`, { position: at })
  if (e.withinGroup) throw unsupported('OVER behind WITHIN GROUP', { position: at })
  const known = schema === undefined || schema === 'pg_catalog', aggregates = known ? aggregatesNamed(name) : [], own = known ? windowsNamed(name) : []
  frame.insideWindow = 'arguments'
  let terms: Term[], filter: Expr | undefined
  try {
    terms = e.args.map(arg => bindTerm(binding, frame, arg.value))
    filter = e.filter === undefined ? undefined : bindFilter(binding, frame, e.filter)
  } finally {
    frame.insideWindow = undefined
  }
  const types = terms.map(term => term.expr.type)
  if (aggregates.length === 0 && own.length === 0) {
    if (!known || scalarsNamed(name).length === 0) throw noFunction(shown, types, false, at)
    throw new SqlError('42809', `OVER specified, but ${name} is not a window function nor an aggregate function`, { position: at })
  }
  if (aggregates.length > 0 && !e.star && terms.length === 0) {
    if (name === 'count') throw new SqlError('42809', `${name}(*) must be used to call a parameterless aggregate function`, { position: at })
    throw noFunction(name, types, false, at)
  }
  const found = aggregates.length > 0 ? findAggregate(name, types) : findWindow(name, types)
  if (found === 'none' || found === 'many') throw noFunction(shown, types, found === 'many', at)
  if ('orderedSet' in found.fn && found.fn.orderedSet === true) throw new SqlError('0A000', `OVER is not supported for ordered-set aggregate ${name}`, { position: at })
  if (e.distinct) throw new SqlError('0A000', 'DISTINCT is not implemented for window functions', { position: at })
  if (e.orderBy.length > 0) throw new SqlError('0A000', 'aggregate ORDER BY is not implemented for window functions', { position: at })
  if (filter !== undefined && own.length > 0) throw new SqlError('0A000', 'FILTER is not implemented for non-aggregate window functions', { position: at })
  const args = terms.map((term, i) => {
    const goal = found.args[i] ?? term.expr.type, expr = settle(binding, { expr: coerce(binding, term, goal, 'implicit'), at: term.at })
    // the value and what stands for a missing one are of one type to the last modifier
    return found.args.length === 3 && i !== 1 ? exactly(binding, { expr, at: term.at }, goal) : expr
  })
  const specification = over.name === undefined ? bindWindow(binding, frame, over) : namedWindow(frame, over.name, over.at)
  const each: WindowCall = { fn: found.fn.id, args, ...(filter === undefined ? {} : { filter }), frame: specification.frame, type: found.fn.result(args.map(arg => arg.type)) }
  const index = windows.calls.push({ call: each, window: specification }) - 1
  return call(`window ${index}`, [], each.type, at)
}

function namedWindow(frame: Frame, name: string, at: number): BoundWindow {
  const found = frame.windows?.named.get(name)
  if (found === undefined) throw new SqlError('42704', `window "${name}" does not exist`, { position: at })
  return found
}

function bindWindow(binding: Binding, frame: Frame, e: WindowSpecification): BoundWindow {
  const base = e.base === undefined ? undefined : namedWindow(frame, e.base, e.at)
  frame.insideWindow = 'definition'
  try {
    const partition = e.partitionBy.map(each => bindPartitionKey(binding, frame, each))
    const order = e.orderBy.map((item): Order => sortOrder(settle(binding, bindTerm(binding, frame, item.expression)), item, item.expression))
    if (base !== undefined) {
      if (partition.length > 0) throw new SqlError('42P20', `cannot override PARTITION BY clause of window "${e.base ?? ''}"`, { position: e.at })
      if (order.length > 0 && base.order.length > 0) throw new SqlError('42P20', `cannot override ORDER BY clause of window "${e.base ?? ''}"`, { position: e.at })
      if (base.framed) {
        const bare = order.length === 0 && e.frame === undefined
        throw new SqlError('42P20', `cannot copy window "${e.base ?? ''}" because it has a frame clause`, { position: e.at, ...(bare ? { hint: 'Omit the parentheses in this OVER clause.' } : {}) })
      }
    }
    const sorted = base !== undefined && base.order.length > 0 ? base.order : order
    return { partition: base?.partition ?? partition, order: sorted, frame: e.frame === undefined ? USUAL : bindFrame(binding, frame, e.frame, sorted, e.at), framed: e.frame !== undefined }
  } finally {
    frame.insideWindow = undefined
  }
}

function bindPartitionKey(binding: Binding, frame: Frame, e: Expression): Expr {
  const term = bindTerm(binding, frame, e), expr = settle(binding, term)
  if (expr.type.kind === 'json') throw new SqlError('42883', 'could not identify an equality operator for type json', { position: term.at })
  return expr
}

function bindFrame(binding: Binding, frame: Frame, e: FrameSyntax, order: readonly Order[], at: number): WindowFrame {
  const offset = 'offset' in e.start || 'offset' in e.end, [key] = order
  if (e.unit === 'range' && offset && order.length !== 1) throw new SqlError('42P20', 'RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column', { position: at })
  if (e.unit === 'groups' && order.length === 0) throw new SqlError('42P20', 'GROUPS mode requires an ORDER BY clause', { position: at })
  const bound = (each: FrameBound): WindowBound => 'offset' in each ? { kind: each.kind, offset: bindOffset(binding, frame, each.offset, e.unit, key?.expr.type) } : each
  return { unit: e.unit, start: bound(e.start), end: bound(e.end), exclude: e.exclude }
}

function bindOffset(binding: Binding, frame: Frame, e: Expression, unit: FrameSyntax['unit'], key: Type | undefined): Expr {
  const clause = unit.toUpperCase()
  const term = bindTerm(binding, { ...frame, clause: `window ${clause}`, aggregates: undefined, windows: undefined, insideWindow: undefined }, e)
  if (!constantExpr(term.expr)) throw new SqlError('42P10', `argument of ${clause} must not contain variables`, { position: term.at })
  if (someExpr(term.expr, node => (node.kind === 'call' && node.fn.startsWith('subquery ')) || (node.kind === 'param' && node.index < 0))) throw unsupported(`a subquery or an outer column in ${clause}`, { position: term.at })
  if (unit !== 'range' || key === undefined) {
    if (!canCoerceType(term.expr.type, INT8, 'assignment')) throw new SqlError('42804', `argument of ${clause} must be type bigint, not type ${nameOf(term.expr.type)}`, { position: term.at })
    return coerce(binding, term, INT8, 'assignment')
  }
  const types = movedBy(key)
  if (types.length === 0) throw new SqlError('0A000', `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${nameOf(key)}`, { position: term.at })
  const own = term.expr.type, [only] = types
  const goal = types.find(type => type.kind === (own.kind === 'unknown' ? key.kind : own.kind)) ?? (types.length === 1 && only !== undefined && canCoerceType(own, only, 'implicit') ? only : undefined)
  if (goal === undefined) {
    throw new SqlError('0A000', `RANGE with offset PRECEDING/FOLLOWING is not supported for column type ${nameOf(key)} and offset type ${nameOf(own)}`, { position: term.at, hint: 'Cast the offset value to an appropriate type.' })
  }
  return coerce(binding, term, goal, 'implicit')
}

/** The types that values of a type may be moved by. */
function movedBy(type: Type): readonly Type[] {
  switch (type.kind) {
    case 'int2': case 'int4': return [INT8, INT4, INT2]
    case 'int8': return [INT8]
    case 'float4': case 'float8': return [FLOAT8]
    case 'numeric': return [NUMERIC]
    case 'date': case 'time': case 'timetz': case 'timestamp': case 'timestamptz': case 'interval': return [INTERVAL]
    default: return []
  }
}

/** The expressions of found calls, in the order that `withWindows` takes them back. */
export const windowParts = (calls: readonly FoundWindow[]): readonly Expr[] => calls.flatMap(each => [...partsOf(each.call), ...each.window.partition, ...each.window.order.map(order => order.expr)])

/** The plan with the calls' results behind its columns, one node for each different window; and the expressions with those in place of placeholders. */
export function withWindows(input: Plan, calls: readonly FoundWindow[], parts: readonly Expr[], exprs: readonly Expr[]): { readonly plan: Plan; readonly exprs: readonly Expr[] } {
  let next = 0
  const take = (expr: Expr): Expr => parts[next++] ?? expr
  const groups = new Map<string, { readonly partition: readonly Expr[]; readonly order: readonly Order[]; readonly calls: { readonly call: WindowCall; readonly index: number }[] }>()
  calls.forEach((found, index) => {
    const args = found.call.args.map(take), filter = found.call.filter === undefined ? {} : { filter: take(found.call.filter) }
    const partition = found.window.partition.map(take), order = found.window.order.map(each => ({ ...each, expr: take(each.expr) }))
    const key = JSON.stringify([partition.map(exprKey), order.map(each => [exprKey(each.expr), each.descending, each.nullsFirst])])
    const group = groups.get(key) ?? { partition, order, calls: [] }
    groups.set(key, group)
    group.calls.push({ call: { ...found.call, args, ...filter }, index })
  })
  let plan = input
  const positions: number[] = []
  for (const group of groups.values()) {
    group.calls.forEach(({ index }, i) => { positions[index] = plan.schema.length + i })
    plan = window(plan, group.partition, group.order, group.calls.map(each => each.call))
  }
  const over = (expr: Expr): Expr => {
    if (expr.kind === 'call' && expr.fn.startsWith('window ')) return column(positions[Number(expr.fn.slice('window '.length))] ?? -1, expr.type)
    return withChildren(expr, childrenOf(expr).map(over))
  }
  return { plan, exprs: exprs.map(over) }
}
