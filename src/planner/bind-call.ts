/** Calls of functions, operators and aggregates. */
import { SqlError, invariant, unsupported } from '../error.ts'
import { call, columnsOf, literal, visitExpr } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { ScalarFunction } from '../function/function.ts'
import { aggregatesNamed, scalarsNamed, windowsNamed } from '../function/table.ts'
import type { AggregateCall } from '../plan.ts'
import { INT4, TEXT } from '../type.ts'
import type { Type } from '../type.ts'
import { bindFilter, bindTerm } from './bind-term.ts'
import { bindType } from './bind-type.ts'
import { bindWindowCall } from './bind-window.ts'
import { canCoerceType, coerce, settle } from './coerce.ts'
import type { Term } from './coerce.ts'
import { exprKey, sameExpr } from './equal.ts'
import { findAggregate, findScalar, noFunction, resolveOperator } from './resolve.ts'
import type { Resolved } from './resolve.ts'
import type { Binding, Frame } from './scope.ts'
import { sortOrder } from './sort-order.ts'
import type { CallExpression, CurrentExpression, Expression } from './syntax.ts'

const typesOf = (terms: readonly Term[]): Type[] => terms.map(term => term.expr.type)

function apply(binding: Binding, found: Resolved<ScalarFunction>, terms: readonly Term[], at: number): Expr {
  const args = terms.map((term, i) => coerce(binding, term, found.args[i] ?? term.expr.type, 'implicit'))
  return call(found.fn.id, args, found.fn.result(args.map(arg => arg.type)), at)
}

/** An operator between bound terms; one term for a prefix operator. */
export function callOperator(binding: Binding, symbol: string, terms: readonly Term[], at: number): Expr {
  return apply(binding, resolveOperator(symbol, typesOf(terms), at), terms, at)
}

/** A scalar function of the table by name. `missing` makes the error when the name has no function at all. */
export function callNamed(binding: Binding, name: string, terms: readonly Term[], at: number, missing?: () => SqlError): Expr {
  const types = typesOf(terms), found = findScalar(name, types)
  if (found === 'none' || found === 'many') throw missing !== undefined && scalarsNamed(name).length === 0 ? missing() : noFunction(name, types, found === 'many', at)
  return apply(binding, found, terms, at)
}

/** A function call as written: a scalar function, an aggregate, or a cast in the form of a call. */
export function bindCall(binding: Binding, frame: Frame, e: CallExpression): Expr {
  const name = e.path[e.path.length - 1] ?? '', schema = e.path[e.path.length - 2], at = e.at
  const shown = e.sqlSyntax ? `pg_catalog.${name}` : e.path.join('.')
  if (e.variadic) throw unsupported('VARIADIC', { position: at })
  if (e.args.some(arg => arg.name !== undefined)) throw unsupported('a named argument', { position: at })
  if (e.over !== undefined) return bindWindowCall(binding, frame, e, e.over, name)
  const known = schema === undefined || schema === 'pg_catalog'
  if (known && windowsNamed(name).length > 0) throw new SqlError('42809', `window function ${name} requires an OVER clause`, { position: at })
  if (known && aggregatesNamed(name).length > 0) return bindAggregate(binding, frame, e, name)
  const terms = e.args.map(arg => bindTerm(binding, frame, arg.value)), types = typesOf(terms)
  if (e.star) throw noFunction(shown, [], false, at)
  const found = known ? findScalar(name, types) : 'none'
  if (found === 'none' || found === 'many') {
    const cast = found === 'none' && known && terms.length === 1 && terms[0] !== undefined ? castCall(binding, name, terms[0], at) : undefined
    if (cast !== undefined) return cast
    throw noFunction(shown, types, found === 'many', at)
  }
  const wrong = e.distinct ? 'DISTINCT' : e.orderBy.length > 0 ? 'ORDER BY' : e.filter !== undefined ? 'FILTER' : undefined
  if (wrong !== undefined) throw new SqlError('42809', `${wrong} specified, but ${name} is not an aggregate function`, { position: at })
  return apply(binding, found, terms, at)
}

/** `int4(x)`, `date('…')`: the name of a type called with one argument is a cast. */
function castCall(binding: Binding, name: string, term: Term, at: number): Expr | undefined {
  let type: Type
  try {
    type = bindType({ path: [name], modifiers: [], dimensions: 0, setOf: false, at })
  } catch (error) {
    if (error instanceof SqlError) return undefined
    throw error
  }
  return canCoerceType(term.expr.type, type, 'explicit') ? coerce(binding, term, type, 'explicit') : undefined
}

const OUTER = 'an aggregate over columns of an outer query'

function bindAggregate(binding: Binding, frame: Frame, e: CallExpression, name: string): Expr {
  const at = e.at
  if (frame.insideAggregate) throw new SqlError('42803', 'aggregate function calls cannot be nested', { position: at })
  if (frame.aggregates === undefined) {
    if (frame.outer !== undefined && outerOnly(e.args.map(arg => bindTerm(binding, frame, arg.value).expr))) throw unsupported(OUTER, { position: at })
    throw new SqlError('42803', `aggregate functions are not allowed in ${frame.clause}`, { position: at })
  }
  frame.insideAggregate = true
  try {
    const sorted = e.orderBy.map(item => ({ item, term: bindTerm(binding, frame, item.expression) }))
    const terms = [...e.args.map(arg => bindTerm(binding, frame, arg.value)), ...(e.withinGroup ? sorted.map(each => each.term) : [])], types = typesOf(terms)
    if (!e.star && terms.length === 0 && e.args.length === 0) {
      if (name === 'count') throw new SqlError('42809', `${name}(*) must be used to call a parameterless aggregate function`, { position: at })
      throw noFunction(name, types, false, at)
    }
    const found = findAggregate(name, types)
    if (found === 'none' || found === 'many') throw noFunction(e.path.join('.'), types, found === 'many', at)
    if (e.withinGroup !== (found.fn.orderedSet ?? false)) throw new SqlError('42809', e.withinGroup ? `${name} is not an ordered-set aggregate, so it cannot have WITHIN GROUP` : `WITHIN GROUP is required for ordered-set aggregate ${name}`, { position: at })
    const args = terms.map((term, i) => {
      const expr = coerce(binding, term, found.args[i] ?? term.expr.type, 'implicit')
      return expr.type.kind === 'unknown' ? settle(binding, { expr, at: term.at }) : expr
    })
    const filter = e.filter === undefined ? undefined : bindFilter(binding, frame, e.filter)
    if (outerOnly([...args, ...(filter === undefined ? [] : [filter])])) throw unsupported(OUTER, { position: at })
    // an order matters to lists only
    const listed = found.fn.accumulator === 'list' ? sorted : []
    const keys = e.withinGroup ? args.slice(args.length - sorted.length) : listed.map(({ term }) => settle(binding, term))
    const order = listed.map(({ item }, i) => { const { descending, nullsFirst } = sortOrder(keys[i] ?? args[0] ?? literal(null, TEXT), item, item.expression); return { descending, nullsFirst } })
    if (e.distinct && !e.withinGroup && keys.some(key => !args.some(arg => sameExpr(arg, key)))) throw new SqlError('42P10', 'in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list', { position: sorted[0]?.term.at ?? at })
    const aggregate: AggregateCall = {
      fn: found.fn.id, args: e.withinGroup ? args : [...args, ...keys], ...(order.length === 0 ? {} : { order }), distinct: e.distinct && found.fn.accumulator !== 'min' && found.fn.accumulator !== 'max',
      ...(filter === undefined ? {} : { filter }), type: found.fn.result(args.map(arg => arg.type)),
    }
    return collect(frame, aggregate, at)
  } finally {
    frame.insideAggregate = false
  }
}

/** True when the expressions read columns, and all of them belong to queries further out. */
function outerOnly(exprs: readonly Expr[]): boolean {
  let outer = false
  for (const expr of exprs) visitExpr(expr, node => { if (node.kind === 'param' && node.index < 0) outer = true })
  return outer && columnsOf(...exprs).length === 0
}

/** A placeholder for the aggregate's result; equal calls share one. */
function collect(frame: Frame, aggregate: AggregateCall, at: number): Expr {
  invariant(frame.aggregates !== undefined, 'aggregates are allowed here')
  const key = JSON.stringify([aggregate.fn, aggregate.args.map(exprKey), aggregate.distinct, aggregate.order ?? [], aggregate.filter === undefined ? '' : exprKey(aggregate.filter)])
  let index = frame.aggregates.findIndex(known => known.key === key)
  if (index < 0) index = frame.aggregates.push({ call: aggregate, key }) - 1
  return call(`aggregate ${index}`, [], aggregate.type, at)
}

/** A placeholder for GROUPING(…), whose arguments are among the expressions of GROUP BY. */
export function bindGrouping(binding: Binding, frame: Frame, args: readonly Expression[], at: number): Expr {
  if (args.length > 31) throw new SqlError('54023', 'GROUPING must have fewer than 32 arguments', { position: at })
  if (frame.insideAggregate) throw unsupported('GROUPING inside an aggregate', { position: at })
  if (frame.aggregates === undefined) throw new SqlError('42803', `grouping operations are not allowed in ${frame.clause}`, { position: at })
  const terms = args.map(arg => bindTerm(binding, frame, arg))
  const index = frame.groupings.push({ args: terms.map(term => settle(binding, term)), at: terms[0]?.at ?? at }) - 1
  return call(`aggregate grouping ${index}`, [], INT4, at)
}

/** CURRENT_DATE and the other values without parentheses: functions of the table under their own names. */
export function bindCurrent(binding: Binding, e: CurrentExpression): Expr {
  const name = e.what === 'user' || e.what === 'current_role' ? 'current_user' : e.what === 'current_catalog' ? 'current_database' : e.what === 'current_timestamp' && scalarsNamed(e.what).length === 0 ? 'now' : e.what
  const value = callNamed(binding, name, [], e.at, () => unsupported(e.what.toUpperCase(), { position: e.at }))
  if (e.precision === undefined || e.precision >= 6) return value
  const { type } = value
  if (type.kind !== 'timestamptz' && type.kind !== 'timestamp' && type.kind !== 'time' && type.kind !== 'timetz') return value
  return coerce(binding, { expr: value, at: e.at }, { kind: type.kind, precision: e.precision }, 'explicit')
}
