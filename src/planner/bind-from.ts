/** FROM: relations, joins and the names they bring. */
import { SqlError, invariant, unreachable, unsupported } from '../error.ts'
import { call, column, columnsOf, conjunction, conjuncts, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { AsOf, Plan } from '../plan.ts'
import { BOOL, INT4, INT8, TEXT, TIMESTAMPTZ } from '../type.ts'
import { bindTerm } from './bind-term.ts'
import { MOST_ORDINALS } from '../function/array.ts'
import type { Term } from './coerce.ts'
import { canCoerceType, coerce, coerceToBool, commonType, nameOf } from './coerce.ts'
import { callOperator } from './bind-call.ts'
import { join, ONE_ROW, project, shift, someExpr } from './node.ts'
import { newFrame } from './scope.ts'
import type { Binding, BoundRelation, Frame, Scope, ScopeColumn, ScopeRelation } from './scope.ts'
import { filterWith, hasSubquery } from './subquery.ts'
import type { AsOfClause, FromItem, FunctionFrom, JoinFrom, TableFrom } from './syntax.ts'
import type { Tables } from './facts.ts'

/** A part of FROM: its rows and its names. */
export interface BoundFrom {
  readonly plan: Plan
  readonly scope: Scope
}

/** The items of FROM, crossed; one row without columns when there is none. */
export function bindFrom(binding: Binding, frame: Frame, tables: Tables, items: readonly FromItem[]): BoundFrom {
  let result: BoundFrom | undefined
  for (const item of items) {
    const next = bindItem(binding, frame, tables, item)
    result = result === undefined ? next : crossed(result, next, item.at)
  }
  return result ?? { plan: ONE_ROW, scope: { relations: [], columns: [] } }
}

/** Both parts side by side. 42712 when both bring the same name. */
export function crossed(left: BoundFrom, right: BoundFrom, at: number): BoundFrom {
  return { plan: join('inner', left.plan, right.plan, undefined), scope: merged(left, right, at, false, false) }
}

/** Both sides' names; sides that an outer join may fill with NULLs are nullable. */
function merged(left: BoundFrom, right: BoundFrom, at: number, openLeft: boolean, openRight: boolean): Scope {
  const width = left.plan.schema.length
  const lift = (by: number, open: boolean) => <T extends ScopeColumn>(column: T): T => ({ ...column, expr: shift(column.expr, by), nullable: column.nullable || open })
  const relations = [
    ...left.scope.relations.map((relation): ScopeRelation => ({ ...relation, columns: relation.columns.map(lift(0, openLeft)) })),
    ...right.scope.relations.map((relation): ScopeRelation => ({ ...relation, columns: relation.columns.map(lift(width, openRight)) })),
  ]
  for (const relation of right.scope.relations) {
    if (left.scope.relations.some(other => other.name === relation.name && (other.schema === undefined || relation.schema === undefined || other.schema === relation.schema))) {
      throw new SqlError('42712', `table name "${relation.name}" specified more than once`)
    }
  }
  return { relations, columns: [...left.scope.columns.map(lift(0, openLeft)), ...right.scope.columns.map(lift(width, openRight))] }
}

function bindItem(binding: Binding, frame: Frame, tables: Tables, item: FromItem): BoundFrom {
  switch (item.kind) {
    case 'table': return bindTable(binding, frame, item)
    case 'subquery': {
      if (item.lateral) throw unsupported('LATERAL', { position: item.at })
      const inner = newFrame(frame.outer, frame.searchPath)
      const relation = binding.query(item.query, { ...inner, tables: frame.tables, captures: frame.captures })
      return named(relation, item.alias?.name ?? '', item.alias?.columns ?? [], item.at)
    }
    case 'function': return bindFunction(binding, frame, item)
    case 'join': return bindJoin(binding, frame, tables, item)
    default: return unreachable(item)
  }
}

/** A relation under an alias; the alias may rename its first columns. */
function named(relation: BoundRelation, name: string, columns: readonly string[], at: number, more: { readonly schema?: string; readonly hidden?: string; readonly key?: readonly number[] } = {}): BoundFrom {
  if (columns.length > relation.columns.length) {
    throw new SqlError('42P10', `table "${name}" has ${relation.columns.length} columns available but ${columns.length} columns specified`)
  }
  const own = relation.columns.map((each, i) => ({ ...each, name: columns[i] ?? each.name }))
  const { key, ...rest } = more
  return {
    plan: relation.plan,
    scope: { relations: name === '' ? [] : [{ name, columns: own, key: key ?? [], ...rest }], columns: own.map(each => ({ ...each, relation: name })) },
  }
}

function bindTable(binding: Binding, frame: Frame, item: TableFrom): BoundFrom {
  const shown = item.path.join('.'), last = item.path[item.path.length - 1] ?? ''
  if (item.sample !== undefined) throw unsupported('TABLESAMPLE', { position: item.at })
  const alias = item.alias?.name ?? last, columns = item.alias?.columns ?? []
  const common = item.path.length === 1 ? frame.tables.get(last) : undefined
  if (common === 'recursive') throw unsupported('WITH RECURSIVE', { position: item.at })
  if (common !== undefined) {
    if (item.asOf !== undefined) throw unsupported('AS OF of a common table', { position: item.asOf.at })
    return named(common, alias, columns, item.at, alias === last ? {} : { hidden: last })
  }
  const found = binding.environment.lookup(item.path, frame.searchPath)
  if (found === undefined) throw new SqlError('42P01', `relation "${shown}" does not exist`, { position: item.at })
  const more = item.alias === undefined ? { schema: found.name.schema } : { hidden: last }
  if (found.kind === 'view') {
    if (item.asOf !== undefined) throw unsupported('AS OF of a view', { position: item.asOf.at })
    const relation = inView(item.at, () => binding.query(found.query, newFrame(undefined, found.searchPath)))
    const origin = relation.columns.map((each, i): ScopeColumn => ({ name: found.columns[i] ?? each.name, expr: each.expr, nullable: each.nullable, origin: { table: found.name, column: i } }))
    return named({ plan: relation.plan, columns: origin }, alias, columns, item.at, more)
  }
  const asOf = item.asOf === undefined ? undefined : bindAsOf(binding, item.asOf)
  const plan: Plan = { kind: 'scan', table: found.name, ...(asOf === undefined ? {} : { asOf }), columns: found.schema.map((_, i) => i), schema: found.schema }
  const own = found.schema.map((field, i): ScopeColumn => ({ name: field.name, expr: column(i, field.type), nullable: field.nullable, origin: { table: found.name, column: i } }))
  return named({ plan, columns: own }, alias, columns, item.at, { ...more, key: found.key })
}

/** Places in the text of a view's query are none of the statement's: what is wrong there is wrong where the view is named. */
function inView<T>(position: number, bind: () => T): T {
  try {
    return bind()
  } catch (error) {
    throw error instanceof SqlError ? new SqlError(error.code, error.message, { ...error.details, position }) : error
  }
}

/** The version that AS OF names: a constant number or tag, or a constant time. */
export function bindAsOf(binding: Binding, clause: AsOfClause): AsOf {
  const frame = { ...newFrame(undefined, []), clause: 'AS OF' }
  const term = bindTerm(binding, frame, clause.value)
  if (clause.what === 'time') {
    const expr = coerce(binding, term, TIMESTAMPTZ, 'assignment'), micros = binding.fold(expr)
    if (typeof micros !== 'bigint') throw new SqlError('22004', 'the time of AS OF must not be null', { position: clause.at })
    return { kind: 'timestamp', micros }
  }
  const type = term.expr.type.kind === 'unknown' ? TEXT : term.expr.type
  if (type.kind !== 'text' && !canCoerceType(type, INT8, 'implicit')) throw new SqlError('42804', `argument of AS OF must be a version number or a tag, not type ${nameOf(type)}`, { position: term.at })
  const value = binding.fold(coerce(binding, term, type, 'implicit'))
  if (value === null) throw new SqlError('22004', 'the version of AS OF must not be null', { position: clause.at })
  return { kind: 'version', id: String(value) }
}

/** Functions in FROM: generate_series and unnest of constants, as rows. */
function bindFunction(binding: Binding, frame: Frame, item: FunctionFrom): BoundFrom {
  const only = item.functions[0]
  if (item.functions.length !== 1 || only === undefined || item.rowsFrom || item.columns.length > 0 || only.columns.length > 0) throw unsupported('ROWS FROM', { position: item.at })
  const { call: written } = only
  const name = written.kind === 'call' ? written.path[written.path.length - 1] ?? '' : ''
  if (written.kind !== 'call' || (name !== 'generate_series' && name !== 'unnest')) throw unsupported(`the function ${name} in FROM`, { position: item.at })
  const terms = written.args.map(arg => bindTerm(binding, frame, arg.value))
  const values = terms.map(term => constant(binding, term.expr))
  if (values.includes(undefined) && terms.every(({ expr }) => !someExpr(expr, each => each.kind === 'column') && !hasSubquery(expr))) return bindOrdinals(binding, item, name, terms)
  let rows: Expr[], type: Expr['type']
  const array = values[0]
  if (name === 'unnest') {
    if (array === undefined || array.kind !== 'literal' || array.type.kind !== 'array') throw unsupported('unnest of an array that is not constant', { position: item.at })
    const { element } = array.type
    type = element
    rows = typeof array.value === 'object' && array.value !== null && 'dims' in array.value ? array.value.values.map(value => literal(value, element)) : []
  } else {
    if (values.length < 2 || values.some(value => value === undefined || value.kind !== 'literal' || (value.type.kind !== 'int4' && value.type.kind !== 'int8' && value.type.kind !== 'int2'))) throw unsupported('generate_series of anything but constant integers', { position: item.at })
    type = values.some(value => value?.type.kind === 'int8') ? INT8 : INT4
    const [start, stop, step] = values.map(value => value?.kind === 'literal' ? value.value : null)
    rows = start === null || stop === null || step === null ? [] : series(BigInt(String(start)), BigInt(String(stop)), BigInt(String(step ?? 1)), type, item.at)
  }
  const ordinality = item.ordinality
  const alias = item.alias?.name ?? name, own = item.alias !== undefined && item.alias.columns.length === 0 ? alias : name
  const plan: Plan = {
    kind: 'values', rows: rows.map((row, i) => ordinality ? [row, literal(BigInt(i + 1), INT8)] : [row]),
    schema: [{ name: own, type, nullable: true }, ...(ordinality ? [{ name: 'ordinality', type: INT8, nullable: false }] : [])],
  }
  return named({ plan, columns: plan.schema.map((field, i) => ({ name: field.name, expr: column(i, field.type), nullable: field.nullable })) }, alias, item.alias?.columns ?? [], item.at)
}

/**
 * `unnest` and `generate_series` of what an outer query tells: each element beside its ordinal, of a list of ordinals that is long enough. (It is a
 * filter over constants, so that the rules for correlated subqueries hold.)
 */
function bindOrdinals(binding: Binding, item: FunctionFrom, name: string, terms: readonly Term[]): BoundFrom {
  const [first, second] = terms, ordinal = column(0, INT4)
  let count: Expr, element: Expr
  if (name === 'unnest' && first?.expr.type.kind === 'array' && second === undefined) {
    count = call('unnest count(anyarray)', [first.expr], INT4)
    element = call('unnest element(anyarray,int4)', [first.expr, ordinal], first.expr.type.element)
  } else {
    if (first === undefined || second === undefined || terms.length !== 2 || terms.some(({ expr }) => !['int2', 'int4', 'int8'].includes(expr.type.kind))) throw unsupported(`${name} of these arguments`, { position: item.at })
    count = call('series count(int8,int8)', [coerce(binding, first, INT8, 'implicit'), coerce(binding, second, INT8, 'implicit')], INT4)
    const type = [first, second].some(({ expr }) => expr.type.kind === 'int8') ? INT8 : INT4
    const before = callOperator(binding, '-', [{ expr: ordinal, at: item.at }, { expr: literal(1, INT4), at: item.at }], item.at)
    element = callOperator(binding, '+', [{ expr: coerce(binding, first, type, 'implicit'), at: item.at }, { expr: before, at: item.at }], item.at)
  }
  const alias = item.alias?.name ?? name, own = item.alias !== undefined && item.alias.columns.length === 0 ? alias : name
  const list: Plan = { kind: 'values', rows: Array.from({ length: MOST_ORDINALS }, (_, i) => [literal(i + 1, INT4)]), schema: [{ name: 'ordinal', type: INT4, nullable: false }] }
  const within = callOperator(binding, '<=', [{ expr: ordinal, at: item.at }, { expr: count, at: item.at }], item.at)
  const exprs = item.ordinality ? [element, coerce(binding, { expr: ordinal, at: item.at }, INT8, 'implicit')] : [element]
  const plan = project({ kind: 'filter', input: list, condition: within, schema: list.schema }, exprs, item.ordinality ? [own, 'ordinality'] : [own])
  return named({ plan, columns: plan.schema.map((field, i) => ({ name: field.name, expr: column(i, field.type), nullable: field.nullable })) }, alias, item.alias?.columns ?? [], item.at)
}

function constant(binding: Binding, expr: Expr): Expr | undefined {
  if (expr.kind === 'literal') return expr
  if (expr.kind === 'column' || expr.kind === 'param' || hasSubquery(expr)) return undefined
  try {
    return literal(binding.fold(expr), expr.type)
  } catch (error) {
    if (error instanceof SqlError) return undefined
    throw error
  }
}

const MOST_ROWS = 1_000_000n

function series(start: bigint, stop: bigint, step: bigint, type: Expr['type'], at: number): Expr[] {
  if (step === 0n) throw new SqlError('22023', 'step size cannot equal zero', { position: at })
  if ((stop - start) / step > MOST_ROWS) throw unsupported(`generate_series of more than ${MOST_ROWS} rows`, { position: at })
  const rows: Expr[] = []
  for (let i = start; step > 0n ? i <= stop : i >= stop; i += step) rows.push(literal(type.kind === 'int8' ? i : Number(i), type))
  return rows
}

function bindJoin(binding: Binding, frame: Frame, tables: Tables, item: JoinFrom): BoundFrom {
  if (item.asof) throw unsupported('ASOF JOIN', { position: item.at })
  const left = bindItem(binding, frame, tables, item.left), right = bindItem(binding, frame, tables, item.right)
  const scope = merged(left, right, item.right.at, item.how === 'right' || item.how === 'full', item.how === 'left' || item.how === 'full')
  const using = item.using ?? (item.natural ? commonNames(left.scope, right.scope) : undefined)
  let result: BoundFrom
  if (using !== undefined) result = joinUsing(binding, item, left, right, scope, using)
  else {
    const inside: Frame = { ...frame, scope, aggregates: undefined, clause: 'JOIN conditions' }
    const on = item.on === undefined ? undefined : coerceToBool(binding, bindTerm(binding, inside, item.on), 'JOIN/ON')
    if (on !== undefined && hasSubquery(on)) {
      result = { plan: item.how === 'inner' ? filterWith(binding, tables, join('inner', left.plan, right.plan, undefined), on) : outerOn(binding, tables, item, left.plan, right.plan, on), scope }
    } else result = { plan: join(item.how, left.plan, right.plan, on), scope }
  }
  if (item.usingAlias !== undefined) throw unsupported('an alias of USING', { position: item.at })
  if (item.alias === undefined) return result
  // the alias hides the names inside
  const { columns } = result.scope
  const plan = project(result.plan, columns.map(each => each.expr), columns.map(each => each.name))
  return named({ plan, columns: columns.map((each, i) => ({ ...each, expr: column(i, each.expr.type) })) }, item.alias.name, item.alias.columns, item.at)
}

/** An outer join whose condition contains queries: those that concern only the side that may be NULL-extended are conditions on that side. */
function outerOn(binding: Binding, tables: Tables, item: JoinFrom, left: Plan, right: Plan, on: Expr): Plan {
  const width = left.schema.length, parts = conjuncts(on)
  const inner = parts.filter(hasSubquery), plain = parts.filter(part => !hasSubquery(part))
  const own = inner.every(part => columnsOf(part).every(index => item.how === 'left' ? index >= width : index < width))
  if (!own || item.how === 'full') throw unsupported(`a subquery over both sides in the condition of a ${item.how} join`, { position: item.at })
  const filtered = (side: Plan, by: number): Plan => inner.reduce((plan, part) => filterWith(binding, tables, plan, shift(part, -by)), side)
  return item.how === 'left' ? join('left', left, filtered(right, width), conjunction(plain)) : join('right', filtered(left, 0), right, conjunction(plain))
}

function commonNames(left: Scope, right: Scope): string[] {
  return left.columns.map(each => each.name).filter((name, i, all) => all.indexOf(name) === i && right.columns.some(other => other.name === name))
}

/** USING and NATURAL: the named columns are equal and appear once, first. */
function joinUsing(binding: Binding, item: JoinFrom, left: BoundFrom, right: BoundFrom, scope: Scope, using: readonly string[]): BoundFrom {
  const count = left.scope.columns.length
  const sides = [scope.columns.slice(0, count), scope.columns.slice(count)] as const
  const find = (side: 0 | 1, name: string): ScopeColumn => {
    const found = sides[side].filter(each => each.name === name), which = side === 0 ? 'left' : 'right'
    if (found.length > 1) throw new SqlError('42702', `common column name "${name}" appears more than once in ${which} table`)
    if (found[0] === undefined) throw new SqlError('42703', `column "${name}" specified in USING clause does not exist in ${which} table`)
    return found[0]
  }
  const conditions: Expr[] = []
  const common = using.map((name, i) => {
    if (using.indexOf(name) !== i) throw new SqlError('42701', `column name "${name}" appears more than once in USING clause`)
    const l = find(0, name), r = find(1, name)
    const terms = [{ expr: l.expr, at: item.at }, { expr: r.expr, at: item.at }] as const
    conditions.push(callOperator(binding, '=', terms, item.at))
    const type = commonType(terms, 'JOIN/USING')
    invariant(type !== undefined, 'a common type')
    const as = (expr: Expr): Expr => coerce(binding, { expr, at: item.at }, type, 'implicit')
    const expr = item.how === 'full' ? call('coalesce', [as(l.expr), as(r.expr)], type) : item.how === 'right' ? as(r.expr) : as(l.expr)
    const kept = item.how === 'right' ? r : l
    const nullable = item.how === 'full' ? l.nullable && r.nullable : kept.nullable
    return { name, expr, nullable, relation: '', ...(kept.origin !== undefined && expr.kind === 'column' && item.how !== 'full' ? { origin: kept.origin } : {}) }
  })
  const condition = conditions.length === 0 ? undefined : conditions.length === 1 ? conditions[0] : call('and', conditions, BOOL)
  return {
    plan: join(item.how, left.plan, right.plan, condition),
    scope: { relations: scope.relations, columns: [...common, ...sides[0].filter(each => !using.includes(each.name)), ...sides[1].filter(each => !using.includes(each.name))] },
  }
}
