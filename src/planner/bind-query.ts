/** Whole queries: WITH, SELECT, VALUES, set operations, ORDER BY and LIMIT. */
import { SqlError, unreachable, unsupported } from '../error.ts'
import { call, column, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { Plan } from '../plan.ts'
import { BOOL, INT8, TEXT } from '../type.ts'
import type { Field, Type } from '../type.ts'
import { bindTerm, leftmost } from './bind-term.ts'
import { bindSelect } from './bind-select.ts'
import { bounded, numberedCopies } from './bounds.ts'
import type { Bounds } from './bounds.ts'
import { canCoerceType, coerce, coerceToCommon, commonType, nameOf, settle } from './coerce.ts'
import type { Term } from './coerce.ts'
import { sameExpr } from './equal.ts'
import type { Tables } from './facts.ts'
import { aggregate, columnsFor, constantExpr, distinct, filter, ONE_ROW, project, someExpr, union } from './node.ts'
import { newFrame } from './scope.ts'
import type { Binding, BoundCommonTable, BoundRelation, Frame, ScopeColumn } from './scope.ts'
import { sortOrder } from './sort-order.ts'
import { attach, hasSubquery } from './subquery.ts'
import type { Query, SetOperation, SortItem, Values, With } from './syntax.ts'

/** Binds a query at a level of its own. With `open`, constants of unknown type stay unknown where the query is a plain SELECT. */
export function bindQueryIn(binding: Binding, frame: Frame, tables: Tables, query: Query, open = false): BoundRelation {
  if (query.locking.length > 0) throw unsupported(`FOR ${(query.locking[0]?.strength ?? '').toUpperCase()}`, { position: query.at })
  if (query.emit !== undefined) throw unsupported(`EMIT ${query.emit.toUpperCase()} in a query`, { position: query.at })
  const inner = query.with === undefined ? frame : { ...frame, tables: bindWith(binding, frame, tables, query.with) }
  const bounds = (level: Frame): Bounds => ({ limit: bindBound(binding, level, query.limit, 'LIMIT'), offset: bindBound(binding, level, query.offset, 'OFFSET'), ties: query.withTies ? query.at : undefined })
  const { body } = query
  switch (body.kind) {
    case 'select': return bindSelect(binding, inner, tables, body, query.orderBy, bounds, open)
    case 'values': return sorted(bindValues(binding, inner, tables, body), query.orderBy, bounds(inner), binding, 'VALUES')
    case 'setOperation': return sorted(bindSetOperation(binding, inner, tables, body), query.orderBy, bounds(inner), binding, 'UNION/INTERSECT/EXCEPT')
    default: return unreachable(body)
  }
}

/** The common tables of a WITH clause, besides those that are known already. */
export function bindWith(binding: Binding, frame: Frame, tables: Tables, clause: With): Frame['tables'] {
  const known = new Map(frame.tables)
  const names = new Set<string>()
  for (const table of clause.tables) {
    if (names.has(table.name)) throw new SqlError('42712', `WITH query name "${table.name}" specified more than once`, { position: table.at })
    names.add(table.name)
  }
  if (clause.recursive) for (const table of clause.tables) known.set(table.name, 'recursive')
  for (const table of clause.tables) {
    if (table.statement.kind !== 'query') throw unsupported(`${table.statement.kind.toUpperCase()} in WITH`, { position: table.at })
    if (table.clause !== undefined) throw unsupported(table.clause, { position: table.at })
    const inner: Frame = { ...newFrame(frame.outer, frame.searchPath), tables: new Map(known), captures: frame.captures }
    const relation = bindQueryIn(binding, inner, tables, table.statement)
    if (table.columns.length > relation.columns.length) {
      throw new SqlError('42P10', `WITH query "${table.name}" has ${relation.columns.length} columns available but ${table.columns.length} columns specified`, { position: table.at })
    }
    const bound: BoundCommonTable = { plan: relation.plan, columns: relation.columns.map((each, i) => ({ ...each, name: table.columns[i] ?? each.name })) }
    known.set(table.name, bound)
  }
  return known
}

/** LIMIT or OFFSET as a constant expression of type int8. */
function bindBound(binding: Binding, frame: Frame, e: Query['limit'], clause: 'LIMIT' | 'OFFSET'): Expr | undefined {
  if (e === undefined) return undefined
  frame.clause = clause
  const inner = frame
  const term = bindTerm(binding, inner, e)
  if (!constantExpr(term.expr)) throw new SqlError('42P10', `argument of ${clause} must not contain variables`, { position: term.at })
  if (hasSubquery(term.expr)) throw unsupported(`a subquery in ${clause}`, { position: term.at })
  if (!canCoerceType(term.expr.type, INT8, 'assignment')) throw new SqlError('42804', `argument of ${clause} must be type bigint, not type ${nameOf(term.expr.type)}`, { position: term.at })
  const expr = coerce(binding, term, INT8, 'assignment')
  if (someExpr(expr, node => node.kind === 'param' && node.index < 0)) throw unsupported(`an outer column in ${clause}`, { position: term.at })
  if (someExpr(expr, node => node.kind === 'param')) return expr
  const value = binding.fold(expr)
  if (value === null) return undefined
  if (typeof value === 'bigint' && value < 0n) throw new SqlError(clause === 'LIMIT' ? '2201W' : '2201X', `${clause} must not be negative`)
  return clause === 'OFFSET' && value === 0n ? undefined : literal(value, INT8)
}

/** ORDER BY behind VALUES and set operations: only the result's own columns can be meant. */
function sorted(relation: BoundRelation, orderBy: readonly SortItem[], bounds: Bounds, binding: Binding, what: string): BoundRelation {
  if (orderBy.length === 0 && bounds.limit === undefined && bounds.offset === undefined && bounds.ties === undefined) return relation
  const { plan, columns } = relation
  const order = orderBy.map(item => {
    const { expression } = item
    let position = -1
    if (expression.kind === 'number') {
      position = Number(expression.text) - 1
      if (columns[position] === undefined) throw new SqlError('42P10', `ORDER BY position ${expression.text} is not in select list`, { position: expression.at })
    } else if (expression.kind === 'column' && expression.path.length === 1) {
      position = columns.findIndex(each => each.name === expression.path[0])
      if (position < 0) throw new SqlError('42703', `column "${expression.path[0] ?? ''}" does not exist`, { position: expression.at })
    } else if (what === 'VALUES') throw unsupported('an expression in ORDER BY of VALUES', { position: expression.at })
    else {
      throw new SqlError('0A000', `invalid ${what} ORDER BY clause`, {
        position: leftmost(expression), detail: 'Only result column names can be used, not expressions or functions.', hint: 'Add the expression/function to every SELECT, or move the UNION into a FROM clause.',
      })
    }
    return sortOrder(column(position, plan.schema[position]?.type ?? TEXT), item, expression)
  })
  return { plan: bounded(plan, order, bounds), columns }
}

/** VALUES: each column of the type that its expressions have in common. */
function bindValues(binding: Binding, frame: Frame, tables: Tables, values: Values): BoundRelation {
  frame.clause = 'VALUES'
  const width = values.rows[0]?.length ?? 0
  const rows = values.rows.map(row => {
    if (row.length !== width) throw new SqlError('42601', 'VALUES lists must all be the same length', { position: row[0]?.at ?? values.at })
    return row.map(e => bindTerm(binding, frame, e))
  })
  const columns = Array.from({ length: width }, (_, i): { readonly type: Type; readonly exprs: readonly Expr[] } => {
    const terms = rows.flatMap(row => row[i] ?? [])
    const type = commonType(terms, 'VALUES') ?? TEXT
    return { type, exprs: coerceToCommon(binding, terms, type, 'VALUES') }
  })
  const plan = valuesPlan(binding, tables, rows.map((_, r) => columns.map(each => each.exprs[r] ?? literal(null, each.type))), columns.map((each, i) => ({ name: `column${i + 1}`, type: each.type, nullable: each.exprs.some(expr => expr.kind !== 'literal' || expr.value === null) })))
  return { plan, columns: plan.schema.map((field, i) => ({ name: field.name, expr: column(i, field.type), nullable: field.nullable })) }
}

/** Rows of expressions; those with subqueries become projections of one row. */
export function valuesPlan(binding: Binding, tables: Tables, rows: readonly (readonly Expr[])[], schema: readonly Field[]): Plan {
  if (!rows.some(row => row.some(hasSubquery))) return { kind: 'values', rows, schema }
  return union(rows.map(row => {
    const attached = attach(binding, tables, ONE_ROW, row)
    return project(attached.plan, attached.exprs, schema.map(field => field.name))
  }))
}

function bindSetOperation(binding: Binding, frame: Frame, tables: Tables, operation: SetOperation): BoundRelation {
  const name = operation.how.toUpperCase()
  const side = (query: Query): BoundRelation => bindQueryIn(binding, { ...newFrame(frame.outer, frame.searchPath), tables: frame.tables, captures: frame.captures }, tables, query, true)
  const left = side(operation.left), right = side(operation.right)
  if (left.columns.length !== right.columns.length) throw new SqlError('42601', `each ${name} query must have the same number of columns`, { position: firstPosition(operation.right) })
  const types = left.columns.map((_, i) => commonType([outputTerm(left, i, operation.left), outputTerm(right, i, operation.right)], name) ?? TEXT)
  const inputs = [converted(binding, left, operation.left, types, name), converted(binding, right, operation.right, types, name)] as const
  const named = (plan: Plan): BoundRelation => ({
    plan, columns: left.columns.map((each, i): ScopeColumn => ({ name: each.name, expr: column(i, types[i] ?? TEXT), nullable: plan.schema[i]?.nullable ?? true })),
  })
  if (operation.how === 'union') {
    const all = union(inputs.flatMap(input => input.kind === 'union' && operation.all ? input.inputs : [input]))
    return named(operation.all ? all : distinct(all))
  }
  for (const type of types) if (type.kind === 'json') throw new SqlError('42883', 'could not identify an equality operator for type json', { position: operation.at })
  // which sides a row occurs on, by aggregates, so that NULLs are equal; with ALL each of its copies is a row of its own
  const sides = operation.all ? inputs.map(numberedCopies) : inputs, width = types.length + (operation.all ? 1 : 0)
  const marked = union(sides.map((input, i) => project(input, [...columnsFor(input.schema), literal(i === 0, BOOL)], [...input.schema.map(field => field.name), 'left'])))
  const mark = column(width, BOOL)
  const counted = aggregate(marked, columnsFor(marked.schema).slice(0, width), ['bool_or(bool)', 'bool_and(bool)'].map(fn => ({ fn, args: [mark], distinct: false, type: BOOL })), marked.schema.map(field => field.name))
  const some = column(width, BOOL), every = column(width + 1, BOOL)
  const kept = filter(counted, operation.how === 'except' ? every : call('and', [some, call('not', [every], BOOL)], BOOL))
  return named(project(kept, columnsFor(kept.schema).slice(0, types.length), left.columns.map(each => each.name)))
}

function firstPosition(query: Query): number {
  const { body } = query
  switch (body.kind) {
    case 'select': return body.targets[0]?.at ?? body.at
    case 'values': return body.rows[0]?.[0]?.at ?? body.at
    case 'setOperation': return firstPosition(body.left)
  }
}

/** Where output i of a query is written. */
export function positionOf(query: Query, i: number): number {
  return query.body.kind === 'select' && query.body.targets.every(target => target.expression.kind !== 'star') ? query.body.targets[i]?.at ?? firstPosition(query) : firstPosition(query)
}

/** Output i as a term: a constant of unknown type is still one. */
function outputTerm(relation: BoundRelation, i: number, query: Query): Term {
  const { plan } = relation, at = positionOf(query, i)
  const inside = plan.kind === 'project' ? plan.exprs[i] : undefined
  if (inside !== undefined && inside.type.kind === 'unknown') return { expr: inside, at }
  return { expr: column(i, plan.schema[i]?.type ?? TEXT), at }
}

/** The side with its columns brought to the common types. */
function converted(binding: Binding, relation: BoundRelation, query: Query, types: readonly Type[], context: string): Plan {
  const { plan } = relation
  if (plan.kind === 'project' && plan.exprs.some(expr => expr.type.kind === 'unknown')) {
    const exprs = plan.exprs.map((expr, i) => coerceToCommon(binding, [{ expr, at: positionOf(query, i) }], types[i] ?? TEXT, context)[0] ?? expr)
    return project(plan.input, exprs, plan.schema.map(field => field.name))
  }
  const exprs = types.map((type, i) => coerceToCommon(binding, [{ expr: column(i, plan.schema[i]?.type ?? type), at: positionOf(query, i) }], type, context)[0] ?? column(i, type))
  return exprs.every((expr, i) => sameExpr(expr, column(i, plan.schema[i]?.type ?? expr.type))) ? plan : project(plan, exprs, plan.schema.map(field => field.name))
}

/** Outputs of unknown type become text: what a query gives when nobody asks for more. */
export function settleOutputs(binding: Binding, relation: BoundRelation): BoundRelation {
  if (relation.plan.schema.every(field => field.type.kind !== 'unknown')) return relation
  const plan = project(relation.plan, columnsFor(relation.plan.schema).map(expr => settle(binding, { expr, at: 0 })), relation.plan.schema.map(field => field.name))
  return { plan, columns: relation.columns.map((each, i) => ({ ...each, expr: column(i, plan.schema[i]?.type ?? each.expr.type) })) }
}
