/** UPDATE and DELETE as plans that give the old rows of the table, the new ones, and what is returned. */
import { SqlError, unsupported } from '../error.ts'
import { column } from '../expr.ts'
import type { Plan, TableName } from '../plan.ts'
import type { Schema, Type } from '../type.ts'
import { bindAssignments } from './bind-assignment.ts'
import type { Defaults } from './bind-assignment.ts'
import { bindFrom, crossed } from './bind-from.ts'
import { bindWith } from './bind-query.ts'
import { shiftScope, withReturning } from './bind-returning.ts'
import { bindTerm } from './bind-term.ts'
import { asQuery, newBinding } from './bind.ts'
import type { BoundField } from './bind.ts'
import { coerceToBool } from './coerce.ts'
import { columnsFor, project } from './node.ts'
import { newFrame } from './scope.ts'
import type { Environment, Frame } from './scope.ts'
import type { Delete, Update } from './statement-syntax.ts'
import type { Path } from './syntax.ts'
import { attach, filterWith } from './subquery.ts'

/** A table that a statement changes. */
export interface ChangedTable {
  readonly name: TableName
  readonly schema: Schema
  readonly key: readonly number[]
}

/** A bound UPDATE or DELETE. */
export interface BoundChange extends ChangedTable {
  readonly change: 'update' | 'delete'
  /** All columns of the rows that go, for UPDATE those of the rows that come instead, then those that are returned. */
  readonly plan: Plan
  readonly parameters: readonly Type[]
  readonly returning: readonly BoundField[] | undefined
  /** A row of the table may come several times: only its first counts. */
  readonly repeats: boolean
  /** Positions of the columns that UPDATE assigns. */
  readonly assigned: readonly number[]
}

/** The table that a change goes to. 42P01 when there is none, 42809 for a view. */
export function changedTable(environment: Environment, path: Path, at: number, what: string): ChangedTable {
  const found = environment.lookup(path, environment.searchPath)
  if (found === undefined) throw new SqlError('42P01', `relation "${path.join('.')}" does not exist`, { position: at })
  if (found.kind === 'view') throw new SqlError('42809', `cannot ${what} view "${found.name.name}"`, { position: at })
  return { name: found.name, schema: found.schema, key: found.key }
}

/** Binds UPDATE or DELETE. Refuses (0A000) a table without a primary key: its rows cannot be told apart. */
export function bindChange(statement: Update | Delete, environment: Environment, defaults: Defaults): BoundChange {
  if (statement.currentOf !== undefined) throw unsupported('WHERE CURRENT OF', { position: statement.at })
  const { binding, tables } = newBinding(environment)
  const table = changedTable(environment, statement.table.path, statement.table.at, statement.kind === 'update' ? 'update' : 'delete from')
  const { name, schema, key } = table
  if (key.length === 0) {
    throw unsupported(`${statement.kind.toUpperCase()} of table "${name.name}", which has no primary key,`, { position: statement.table.at, schema: name.schema, table: name.name, hint: 'Create the table with a PRIMARY KEY.' })
  }
  const base = newFrame(undefined, environment.searchPath)
  const common: Frame = statement.with === undefined ? base : { ...base, tables: bindWith(binding, base, tables, statement.with) }
  // common tables cannot be changed: their names do not hide the table's
  const target = bindFrom(binding, base, tables, [{ kind: 'table', ...statement.table, hints: [] }])
  const others = statement.kind === 'update' ? statement.from : statement.using
  const from = others.length === 0 ? target : crossed(target, bindFrom(binding, common, tables, others), others[0]?.at ?? statement.at)
  const frame: Frame = { ...common, scope: from.scope, clause: 'WHERE' }
  let plan = from.plan
  if (statement.where !== undefined) plan = filterWith(binding, tables, plan, coerceToBool(binding, bindTerm(binding, frame, statement.where), 'WHERE'))
  const width = schema.length, assigned: number[] = []
  let returned
  if (statement.kind === 'delete') returned = withReturning(binding, frame, tables, plan, width, statement.returning)
  else {
    const values = bindAssignments(binding, frame, name, schema, defaults(name), statement.set)
    assigned.push(...values.keys())
    const attached = attach(binding, tables, plan, schema.map((field, i) => values.get(i) ?? column(i, field.type)))
    const all = columnsFor(plan.schema), names = plan.schema.map(field => field.name)
    plan = project(attached.plan, [...all.slice(0, width), ...attached.exprs, ...all.slice(width)], [...names.slice(0, width), ...names.slice(0, width), ...names.slice(width)])
    returned = withReturning(binding, { ...frame, scope: shiftScope(from.scope, width) }, tables, plan, 2 * width, statement.returning)
  }
  const query = asQuery(binding, { plan: returned.plan, columns: [] })
  return { name, schema, key, change: statement.kind, plan: query.plan, parameters: query.parameters, returning: returned.returning, repeats: others.length > 0, assigned }
}
