/** RETURNING: what a change tells of its rows, as columns behind those that it needs itself. */
import { TEXT } from '../type.ts'
import type { Plan } from '../plan.ts'
import type { BoundField } from './bind.ts'
import { bindTargets } from './bind-select.ts'
import type { Tables } from './facts.ts'
import { columnsFor, pick, project, shift } from './node.ts'
import type { Binding, Frame, Scope, ScopeColumn } from './scope.ts'
import { attach } from './subquery.ts'
import type { Target } from './syntax.ts'

/** A plan of `width` columns of a change, and then of what it returns. */
export interface Returning {
  readonly plan: Plan
  /** Undefined: there is no RETURNING. */
  readonly returning: readonly BoundField[] | undefined
}

/** Puts the outputs of RETURNING behind the first `width` columns of the plan; names mean what the frame's scope says. */
export function withReturning(binding: Binding, frame: Frame, tables: Tables, plan: Plan, width: number, targets: readonly Target[] | undefined): Returning {
  const own = plan.schema.map((_, i) => i).slice(0, width)
  if (targets === undefined) return { plan: pick(plan, own), returning: undefined }
  const outputs = bindTargets(binding, { ...frame, aggregates: undefined, clause: 'RETURNING' }, { targets }, false)
  const attached = attach(binding, tables, plan, outputs.map(output => output.expr))
  const names = [...plan.schema.slice(0, width).map(field => field.name), ...outputs.map(output => output.name)]
  const whole = project(attached.plan, [...columnsFor(attached.plan.schema).slice(0, width), ...attached.exprs], names)
  return { plan: whole, returning: outputs.map((output, i) => ({ name: output.name, type: whole.schema[width + i]?.type ?? TEXT, ...(output.origin === undefined ? {} : { origin: output.origin }) })) }
}

/** The same names, their columns `by` positions further. */
export function shiftScope(scope: Scope, by: number): Scope {
  const moved = <T extends ScopeColumn>(column: T): T => ({ ...column, expr: shift(column.expr, by) })
  return { relations: scope.relations.map(relation => ({ ...relation, columns: relation.columns.map(moved) })), columns: scope.columns.map(moved) }
}
