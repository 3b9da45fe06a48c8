/** INSERT … ON CONFLICT: the rows of an INSERT beside those that the table has under their keys. */
import { SqlError } from '../error.ts'
import { call, column, conjunction, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { Plan, ScanPlan } from '../plan.ts'
import { BOOL } from '../type.ts'
import type { Value } from '../value.ts'
import { bindAssignments } from './bind-assignment.ts'
import type { ChangedTable } from './bind-change.ts'
import { bindTerm } from './bind-term.ts'
import { coerceToBool } from './coerce.ts'
import { exprKey } from './equal.ts'
import type { Tables } from './facts.ts'
import { columnsFor, join, project } from './node.ts'
import type { Binding, Frame, ScopeColumn, ScopeRelation } from './scope.ts'
import type { Insert, OnConflict } from './statement-syntax.ts'
import { attach } from './subquery.ts'

/** What happens to a row whose key the table has: nothing, an update of the table's row, or the statement fails. */
export type ConflictAction = 'nothing' | 'update' | 'error'

/** 42P10 or 42704 when the target of ON CONFLICT is not the primary key. */
export function checkConflictTarget(conflict: OnConflict, { name, schema, key }: ChangedTable): void {
  const unmatched = (): SqlError => new SqlError('42P10', 'there is no unique or exclusion constraint matching the ON CONFLICT specification')
  if (conflict.constraint !== undefined) {
    if (key.length === 0 || conflict.constraint !== `${name.name}_pkey`) throw new SqlError('42704', `constraint "${conflict.constraint}" for table "${name.name}" does not exist`)
    return
  }
  if (conflict.columns.length === 0) {
    if (conflict.action === 'update') throw new SqlError('42601', 'ON CONFLICT DO UPDATE requires inference specification or constraint name', { position: conflict.at, hint: 'For example, ON CONFLICT (column_name).' })
    return
  }
  const found = new Set<number>()
  for (const { expression, at } of conflict.columns) {
    if (expression.kind !== 'column' || expression.path.length !== 1) throw unmatched()
    const [written = ''] = expression.path, position = schema.findIndex(field => field.name === written)
    if (position < 0) throw new SqlError('42703', `column "${written}" does not exist`, { position: at })
    found.add(position)
  }
  if (key.length === 0 || conflict.columnsWhere !== undefined || found.size !== key.length || !key.every(position => found.has(position))) throw unmatched()
}

/**
 * The rows of `plan` joined with the table's. The columns that come out: the table's row (NULLs when there is none), the row as it is after the
 * statement, whether there is a row in the table, and whether the row is written.
 */
export function bindConflict(binding: Binding, frame: Frame, tables: Tables, insert: Insert, table: ChangedTable, constants: ReadonlyMap<string, Value>, plan: Plan): Plan {
  const { name, schema, key } = table, width = schema.length
  const scan: ScanPlan = { kind: 'scan', table: name, columns: schema.map((_, i) => i), schema, ...withFilter(plan, table) }
  const joined = join('left', plan, scan, undefined, key.map(position => { const type = schema[position]?.type ?? BOOL; return { left: column(position, type), right: column(position, type) } }))
  const all = columnsFor(joined.schema), given = all.slice(0, width), old = all.slice(width)
  const exists = call('is not null', old.filter((_, i) => i === key[0]), BOOL)
  const names = [...schema.map(field => field.name), ...schema.map(field => field.name), 'exists', 'written']
  const conflict = insert.onConflict
  if (conflict?.action !== 'update') return project(joined, [...old, ...given, exists, call('not', [exists], BOOL)], names)
  const columnsOf = (exprs: readonly Expr[]): ScopeColumn[] => schema.map((field, i) => ({ name: field.name, expr: exprs[i] ?? column(i, field.type), nullable: true, origin: { table: name, column: i } }))
  const target: ScopeRelation = { ...targetRelation(insert, table), columns: columnsOf(old) }
  const inside: Frame = { ...frame, clause: 'WHERE', scope: { relations: [target, { name: 'excluded', columns: columnsOf(given), key: [] }], columns: target.columns.map(each => ({ ...each, relation: target.name })) } }
  const values = bindAssignments(binding, inside, name, schema, constants, conflict.set)
  for (const position of key) if (values.has(position)) throw new SqlError('0A000', `changing key column "${schema[position]?.name ?? ''}" in ON CONFLICT DO UPDATE is not supported`, { position: conflict.at })
  const condition = conflict.where === undefined ? undefined : coerceToBool(binding, bindTerm(binding, inside, conflict.where), 'WHERE')
  // rows without a conflict must not be touched by what may fail
  const final = schema.map((field, i): Expr => {
    const value = values.get(i), row = given[i] ?? literal(null, field.type)
    return { kind: 'case', arms: [{ when: exists, then: value ?? old[i] ?? row }], otherwise: row, type: field.type }
  })
  const attached = attach(binding, tables, joined, [...final, ...(condition === undefined ? [] : [condition])])
  const met = attached.exprs[width]
  const written: Expr = met === undefined ? literal(true, BOOL) : { kind: 'case', arms: [{ when: exists, then: call('is true', [met], BOOL) }], otherwise: literal(true, BOOL), type: BOOL }
  return project(attached.plan, [...old, ...attached.exprs.slice(0, width), exists, written], names)
}

/** The table of an INSERT as names see it. */
export function targetRelation(insert: Insert, { name, schema, key }: ChangedTable): ScopeRelation {
  const { alias } = insert.table
  const columns = schema.map((field, i): ScopeColumn => ({ name: field.name, expr: column(i, field.type), nullable: field.nullable, origin: { table: name, column: i } }))
  return alias === undefined ? { name: name.name, schema: name.schema, columns, key } : { name: alias.name, hidden: name.name, columns, key }
}

/** More values than this are not looked for one by one. */
const MOST_KEYS = 64

/** Only the rows of the table with the given keys matter: files without them need not be read. */
function withFilter(plan: Plan, { schema, key }: ChangedTable): { readonly filter?: Expr } {
  if (plan.kind !== 'values' || plan.rows.length > MOST_KEYS) return {}
  const parts = key.flatMap((position): Expr[] => {
    const type = schema[position]?.type, values = new Map<string, Expr>()
    for (const row of plan.rows) {
      const value = row[position]
      if (value === undefined || type === undefined || (value.kind !== 'literal' && value.kind !== 'param')) return []
      if (value.kind === 'param' || value.value !== null) values.set(exprKey(value), value)
    }
    return type === undefined || values.size === 0 ? [] : [call('in', [column(position, type), ...values.values()], BOOL)]
  })
  const filter = conjunction(parts)
  return filter === undefined ? {} : { filter }
}
