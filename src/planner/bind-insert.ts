/** INSERT as a plan that gives the table's columns in order. */
import { SqlError, unsupported } from '../error.ts'
import { column, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { Plan, TableName } from '../plan.ts'
import type { Field, Schema, Type } from '../type.ts'
import type { Value } from '../value.ts'
import { bindTerm } from './bind-term.ts'
import { bindQueryIn, positionOf, valuesPlan } from './bind-query.ts'
import { asQuery, newBinding } from './bind.ts'
import type { BoundQuery } from './bind.ts'
import { canCoerceType, coerce, nameOf } from './coerce.ts'
import type { Term } from './coerce.ts'
import { project } from './node.ts'
import { newFrame } from './scope.ts'
import type { Binding, Environment } from './scope.ts'
import type { Delete, Insert, Update } from './statement-syntax.ts'
import type { Expression, Path, Values } from './syntax.ts'

export interface BoundInsert extends BoundQuery {
  readonly table: TableName
  readonly overwrite: boolean
}

/** What INSERT needs to know besides the shapes: the defaults of columns, already of their types. */
export type Defaults = (table: TableName) => ReadonlyMap<string, Value>

/** The table that a change goes to. 42P01 when there is none, 42809 for a view. */
export function changedTable(environment: Environment, path: Path, at: number, what: string): { readonly name: TableName; readonly schema: Schema; readonly key: readonly number[] } {
  const found = environment.lookup(path, environment.searchPath)
  if (found === undefined) throw new SqlError('42P01', `relation "${path.join('.')}" does not exist`, { position: at })
  if (found.kind === 'view') throw new SqlError('42809', `cannot ${what} view "${found.name.name}"`, { position: at })
  return found
}

/** Binds INSERT: the plan's columns are the table's, in order, of exactly their types. */
export function bindInsert(insert: Insert, environment: Environment, defaults: Defaults): BoundInsert {
  refuse(insert)
  const { binding, tables } = newBinding(environment)
  const { name, schema } = changedTable(environment, insert.table.path, insert.table.at, 'insert into')
  const targets = targetColumns(insert, name, schema)
  const constants = defaults(name)
  const fallback = (field: Field): Expr => literal(constants.get(field.name) ?? null, field.type)
  const frame = { ...newFrame(undefined, environment.searchPath), clause: 'VALUES' }
  let plan: Plan
  if (insert.source === 'default') plan = { kind: 'values', rows: [schema.map(fallback)], schema }
  else if (insert.source.body.kind === 'values' && insert.source.with === undefined && insert.source.orderBy.length === 0 && insert.source.limit === undefined && insert.source.offset === undefined && insert.with === undefined) {
    const rows = bindRows(binding, insert, insert.source.body, targets, schema, fallback, frame)
    plan = valuesPlan(binding, tables, rows, schema.map((field, i) => ({ ...field, nullable: rows.some(row => { const expr = row[i]; return expr === undefined || expr.kind !== 'literal' || expr.value === null }) })))
  } else {
    const query = insert.with === undefined ? insert.source : { ...insert.source, with: insert.source.with === undefined ? insert.with : { ...insert.with, tables: [...insert.with.tables, ...insert.source.with.tables] } }
    const relation = bindQueryIn(binding, frame, tables, query, true)
    tooMany(relation.plan.schema.length, targets.length, insert, insert.source.at)
    const exprs = schema.map((field, i) => {
      const position = targets.indexOf(i), given = relation.plan.schema[position]
      if (position < 0 || given === undefined) return fallback(field)
      const inside = relation.plan.kind === 'project' ? relation.plan.exprs[position] : undefined
      const open = inside !== undefined && given.type.kind === 'unknown'
      return assigned(binding, { expr: open ? inside : column(position, given.type), at: positionOf(query, position) }, field)
    })
    const input = relation.plan.kind === 'project' && relation.plan.schema.some(field => field.type.kind === 'unknown') ? relation.plan : undefined
    plan = input === undefined ? project(relation.plan, exprs, schema.map(field => field.name)) : project(settledInput(input), exprs, schema.map(field => field.name))
  }
  const query = asQuery(binding, { plan, columns: schema.map((field, i) => ({ name: field.name, expr: column(i, field.type), nullable: field.nullable })) })
  return { ...query, table: name, overwrite: insert.overwrite }
}

/** Constants of unknown type are used by themselves; below, they are text. */
function settledInput(input: Extract<Plan, { kind: 'project' }>): Plan {
  const exprs = input.exprs.map((expr): Expr => expr.type.kind === 'unknown' ? literal(null, { kind: 'text' }) : expr)
  return project(input.input, exprs, input.schema.map(field => field.name))
}

function refuse(insert: Insert): void {
  if (insert.onConflict !== undefined) throw unsupported('ON CONFLICT', { position: insert.onConflict.at })
  if (insert.returning !== undefined) throw unsupported('RETURNING', { position: insert.at })
  if (insert.overriding !== undefined) throw unsupported('OVERRIDING', { position: insert.at })
  if (insert.partition.length > 0) throw unsupported('INSERT … PARTITION (…)', { position: insert.at })
}

/** Positions in the table's schema of the columns that are given. */
function targetColumns(insert: Insert, table: TableName, schema: Schema): number[] {
  if (insert.columns === undefined) return schema.map((_, i) => i)
  const found: number[] = []
  for (const target of insert.columns) {
    if (target.indirection) throw unsupported('a part of a column as a target', { position: target.at })
    const position = schema.findIndex(field => field.name === target.name)
    if (position < 0) throw new SqlError('42703', `column "${target.name}" of relation "${table.name}" does not exist`, { position: target.at })
    if (found.includes(position)) throw new SqlError('42701', `column "${target.name}" specified more than once`, { position: target.at })
    found.push(position)
  }
  return found
}

function tooMany(given: number, targets: number, insert: Insert, at: number): void {
  if (given > targets) throw new SqlError('42601', 'INSERT has more expressions than target columns', { position: at })
  if (given < targets && insert.columns !== undefined) throw new SqlError('42601', 'INSERT has more target columns than expressions', { position: insert.columns[given]?.at ?? at })
}

/** Rows of VALUES: each value goes to its column's type by itself, so thousands of literal rows cost one pass. */
function bindRows(binding: Binding, insert: Insert, values: Values, targets: readonly number[], schema: Schema, fallback: (field: Field) => Expr, frame: Parameters<typeof bindTerm>[1]): Expr[][] {
  const width = values.rows[0]?.length ?? 0
  return values.rows.map(row => {
    if (row.length !== width) throw new SqlError('42601', 'VALUES lists must all be the same length', { position: row[0]?.at ?? values.at })
    tooMany(row.length, targets.length, insert, row[targets.length]?.at ?? values.at)
    return schema.map((field, i) => {
      const position = targets.indexOf(i), e: Expression | undefined = position < 0 ? undefined : row[position]
      return e === undefined || e.kind === 'default' ? fallback(field) : assigned(binding, bindTerm(binding, frame, e), field)
    })
  })
}

/** An expression stored into a column: 42804 when no assignment cast leads there. */
export function assigned(binding: Binding, term: Term, field: { readonly name: string; readonly type: Type }): Expr {
  if (!canCoerceType(term.expr.type, field.type, 'assignment')) {
    throw new SqlError('42804', `column "${field.name}" is of type ${nameOf(field.type)} but expression is of type ${nameOf(term.expr.type)}`, {
      ...(term.at > 0 ? { position: term.at } : {}), hint: 'You will need to rewrite or cast the expression.',
    })
  }
  return coerce(binding, term, field.type, 'assignment')
}

/** UPDATE and DELETE: not yet. */
export function bindChange(change: Update | Delete): never {
  throw unsupported(change.kind === 'update' ? 'UPDATE' : 'DELETE', { position: change.at })
}
