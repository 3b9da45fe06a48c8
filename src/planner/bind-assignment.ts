/** SET of UPDATE and of ON CONFLICT DO UPDATE: an expression for each assigned column. */
import { SqlError, unsupported } from '../error.ts'
import { literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { TableName } from '../plan.ts'
import type { Field, Schema } from '../type.ts'
import type { Value } from '../value.ts'
import { bindTerm, leftmost } from './bind-term.ts'
import { canCoerceType, coerce, nameOf } from './coerce.ts'
import type { Term } from './coerce.ts'
import { newFrame } from './scope.ts'
import type { Binding, Frame } from './scope.ts'
import type { Assignment } from './statement-syntax.ts'
import type { Expression, Query } from './syntax.ts'

/** What changes need to know besides the shapes: the defaults of columns, already of their types. */
export type Defaults = (table: TableName) => ReadonlyMap<string, Value>

/** An expression stored into a column: 42804 when no assignment cast leads there. */
export function assigned(binding: Binding, term: Term, field: { readonly name: string; readonly type: Field['type'] }): Expr {
  if (!canCoerceType(term.expr.type, field.type, 'assignment')) {
    throw new SqlError('42804', `column "${field.name}" is of type ${nameOf(field.type)} but expression is of type ${nameOf(term.expr.type)}`, {
      ...(term.at > 0 ? { position: term.at } : {}), hint: 'You will need to rewrite or cast the expression.',
    })
  }
  return coerce(binding, term, field.type, 'assignment')
}

/** The new values by the column's position. They are over the rows of the frame's scope and may contain subqueries. */
export function bindAssignments(binding: Binding, frame: Frame, table: TableName, schema: Schema, constants: ReadonlyMap<string, Value>, assignments: readonly Assignment[]): ReadonlyMap<number, Expr> {
  const found = new Map<number, Expr>(), inside: Frame = { ...frame, aggregates: undefined, clause: 'UPDATE' }
  const assign = (name: string, at: number, value: Expression): void => {
    const position = schema.findIndex(field => field.name === name), field = schema[position]
    if (field === undefined) throw new SqlError('42703', `column "${name}" of relation "${table.name}" does not exist`, { position: at })
    if (found.has(position)) throw new SqlError('42601', `multiple assignments to same column "${name}"`, { position: at })
    found.set(position, value.kind === 'default' ? literal(constants.get(name) ?? null, field.type) : assigned(binding, bindTerm(binding, inside, value), field))
  }
  for (const assignment of assignments) {
    if (assignment.kind === 'one') {
      if (assignment.indirection) throw unsupported('a part of a column as a target', { position: assignment.at })
      assign(assignment.column, assignment.at, assignment.value)
      continue
    }
    const { columns } = assignment, sources = severalSources(binding, inside, columns.length, assignment.value)
    if (sources.length !== columns.length) throw new SqlError('42601', 'number of columns does not match number of values', { position: leftmost(assignment.value) })
    columns.forEach((column, i) => { const source = sources[i]; if (source !== undefined) assign(column.name, column.at, source) })
  }
  return found
}

/** The values of `(a, b) = …`: the fields of a row, or each column of a subquery as a subquery of its own. */
function severalSources(binding: Binding, frame: Frame, wanted: number, value: Expression): readonly Expression[] {
  if (value.kind === 'row') return value.fields
  if (value.kind !== 'subquery' || value.how !== 'scalar') {
    if (wanted === 1) return [value]
    throw new SqlError('0A000', 'source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression', { position: leftmost(value) })
  }
  const { at } = value, names = binding.query(value.query, newFrame(frame, frame.searchPath)).plan.schema.map((_, i) => `source${i + 1}`)
  return names.map((name): Expression => {
    const query: Query = {
      kind: 'query', orderBy: [], withTies: false, locking: [], at,
      body: {
        kind: 'select', targets: [{ expression: { kind: 'column', path: [name], at }, at }], from: [{ kind: 'subquery', query: value.query, lateral: false, alias: { name: 'source', columns: names }, at }],
        groupBy: [], groupDistinct: false, windows: [], hints: [], at,
      },
    }
    return { kind: 'subquery', how: 'scalar', query, at }
  })
}
