/** INSERT as a plan that gives the table's columns in order. */
import { SqlError, unsupported } from '../error.ts'
import { column, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { Plan, TableName } from '../plan.ts'
import type { Field, Schema, Type } from '../type.ts'
import type { Value } from '../value.ts'
import { assigned } from './bind-assignment.ts'
import type { Defaults } from './bind-assignment.ts'
import { changedTable } from './bind-change.ts'
import type { ChangedTable } from './bind-change.ts'
import { bindConflict, checkConflictTarget, targetRelation } from './bind-conflict.ts'
import type { ConflictAction } from './bind-conflict.ts'
import { shiftScope, withReturning } from './bind-returning.ts'
import { bindTerm } from './bind-term.ts'
import { bindQueryIn, positionOf, valuesPlan } from './bind-query.ts'
import { asQuery, newBinding } from './bind.ts'
import type { BoundField } from './bind.ts'
import type { Tables } from './facts.ts'
import { project } from './node.ts'
import { newFrame } from './scope.ts'
import type { Binding, Environment, Frame } from './scope.ts'
import type { Insert } from './statement-syntax.ts'
import type { Expression, Values } from './syntax.ts'

/** A bound INSERT. */
export interface BoundInsert extends ChangedTable {
  readonly change: 'insert'
  /**
   * The columns of the table in order, then what is returned. With `conflict` the rows of the table come first (NULLs where there is none), then the rows as
   * they will be, whether the table has the row, and whether it is written: see `bindConflict`.
   */
  readonly plan: Plan
  readonly parameters: readonly Type[]
  readonly returning: readonly BoundField[] | undefined
  /** What happens to rows whose keys the table has; undefined: they replace the table's. */
  readonly conflict: ConflictAction | undefined
  /** The rows that the table has, or its partitions that are written to, go. */
  readonly overwrite: boolean
  /** Positions of the columns that ON CONFLICT DO UPDATE assigns. */
  readonly assigned: readonly number[]
}

/** Binds INSERT: the columns of the rows are the table's, in order, of exactly their types. `existing` says what a plain INSERT does with a key that the table has. */
export function bindInsert(insert: Insert, environment: Environment, defaults: Defaults, existing: 'replace' | 'error' = 'replace'): BoundInsert {
  refuse(insert)
  const { binding, tables } = newBinding(environment)
  const table = changedTable(environment, insert.table.path, insert.table.at, 'insert into'), { name, schema, key } = table
  const targets = targetColumns(insert, name, schema)
  const constants = defaults(name)
  if (insert.onConflict !== undefined) checkConflictTarget(insert.onConflict, table)
  const frame = { ...newFrame(undefined, environment.searchPath), clause: 'VALUES' }
  let plan = bindRowsOf(binding, tables, insert, table, targets, constants, frame)
  let { scope } = frame, width = schema.length
  const conflict = key.length === 0 || insert.overwrite ? undefined : insert.onConflict?.action ?? (existing === 'error' ? 'error' : undefined)
  const target = targetRelation(insert, table)
  scope = { relations: [target], columns: target.columns.map(each => ({ ...each, relation: target.name })) }
  if (conflict !== undefined) {
    plan = bindConflict(binding, frame, tables, insert, table, constants, plan)
    scope = shiftScope(scope, width)
    width = plan.schema.length
  }
  const { plan: whole, returning } = withReturning(binding, { ...frame, scope }, tables, plan, width, insert.returning)
  const query = asQuery(binding, { plan: whole, columns: [] })
  const assigned = insert.onConflict?.set.flatMap(each => each.kind === 'one' ? [each.column] : each.columns.map(column => column.name)) ?? []
  return { ...table, change: 'insert', plan: query.plan, parameters: query.parameters, returning, conflict, overwrite: insert.overwrite, assigned: schema.flatMap((field, i) => assigned.includes(field.name) ? [i] : []) }
}

/** The rows that are given, as a plan of the table's columns. */
function bindRowsOf(binding: Binding, tables: Tables, insert: Insert, { schema }: ChangedTable, targets: readonly number[], constants: ReadonlyMap<string, Value>, frame: Frame): Plan {
  const fallback = (field: Field): Expr => literal(constants.get(field.name) ?? null, field.type)
  if (insert.source === 'default') return { kind: 'values', rows: [schema.map(fallback)], schema }
  if (insert.source.body.kind === 'values' && insert.source.with === undefined && insert.source.orderBy.length === 0 && insert.source.limit === undefined && insert.source.offset === undefined && insert.with === undefined) {
    const rows = bindRows(binding, insert, insert.source.body, targets, schema, fallback, frame)
    return valuesPlan(binding, tables, rows, schema.map((field, i) => ({ ...field, nullable: rows.some(row => { const expr = row[i]; return expr === undefined || expr.kind !== 'literal' || expr.value === null }) })))
  }
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
  return input === undefined ? project(relation.plan, exprs, schema.map(field => field.name)) : project(settledInput(input), exprs, schema.map(field => field.name))
}

/** Constants of unknown type are used by themselves; below, they are text. */
function settledInput(input: Extract<Plan, { kind: 'project' }>): Plan {
  const exprs = input.exprs.map((expr): Expr => expr.type.kind === 'unknown' ? literal(null, { kind: 'text' }) : expr)
  return project(input.input, exprs, input.schema.map(field => field.name))
}

function refuse(insert: Insert): void {
  if (insert.overwrite && insert.onConflict !== undefined) throw unsupported('INSERT OVERWRITE with ON CONFLICT', { position: insert.onConflict.at })
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
