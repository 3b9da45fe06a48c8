/**
 * Relational algebra, logical and physical at once. Plain data: printable, comparable, cloneable to a worker. Every node knows its schema,
 * and column positions in an expression refer to the schema of the node's input (join: left columns, then right columns).
 */
import type { Expr } from './expr.ts'
import type { SessionInfo } from './function/body.ts'
import type { TextSettings } from './text/settings.ts'
import type { Schema, Type } from './type.ts'
import type { Value } from './value.ts'

/** A table, view or system relation by its full name: schema is the Paimon database. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

/** Which version of a table to read. Without one: the newest when the statement began. */
export type AsOf =
  | { readonly kind: 'version'; readonly id: string }      // FOR SYSTEM_VERSION AS OF 7 (also 'tag')
  | { readonly kind: 'timestamp'; readonly micros: bigint } // FOR SYSTEM_TIME AS OF …

export type Plan = ScanPlan | ValuesPlan | FilterPlan | ProjectPlan | JoinPlan | AggregatePlan | WindowPlan | TopPlan | UnionPlan | NegatePlan

export interface ScanPlan {
  readonly kind: 'scan'
  readonly table: TableName
  readonly asOf?: AsOf
  /** Positions in the table's schema that come out, in this order; `schema` is theirs. */
  readonly columns: readonly number[]
  /** Rows for which this is not true do not come out. Its columns are positions in the TABLE's schema, not in `columns`. */
  readonly filter?: Expr
  readonly schema: Schema
}

export interface ValuesPlan {
  readonly kind: 'values'
  /** Expressions without columns. A table of no columns and one row is the FROM of `SELECT 1`. */
  readonly rows: readonly (readonly Expr[])[]
  readonly schema: Schema
}

export interface FilterPlan {
  readonly kind: 'filter'
  readonly input: Plan
  readonly condition: Expr
  readonly schema: Schema
}

export interface ProjectPlan {
  readonly kind: 'project'
  readonly input: Plan
  readonly exprs: readonly Expr[]
  readonly schema: Schema
}

/** `semi` and `anti` give left columns only. `full` and `right` NULL-extend the other side. */
export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti'

export interface JoinPlan {
  readonly kind: 'join'
  readonly how: JoinKind
  readonly left: Plan
  readonly right: Plan
  /** Rows match when every pair is equal (SQL equality: NULL matches nothing). `right` is over the right input alone; types are equal. Empty: every row meets every row. */
  readonly keys: readonly { readonly left: Expr; readonly right: Expr }[]
  /** Over left columns, then right columns; part of the match, not a filter behind it. */
  readonly residual?: Expr
  readonly schema: Schema
}

export interface AggregateCall {
  /** Id of an aggregate in the function table. */
  readonly fn: string
  readonly args: readonly Expr[]
  readonly distinct: boolean
  readonly filter?: Expr
  /** ORDER BY inside of the call, or WITHIN GROUP: the last arguments, one for each entry, are what rows are sorted by. */
  readonly order?: readonly { readonly descending: boolean; readonly nullsFirst: boolean }[]
  readonly type: Type
}

/** Keys first, then aggregates. No keys: exactly one row. No aggregates: DISTINCT. */
export interface AggregatePlan {
  readonly kind: 'aggregate'
  readonly input: Plan
  readonly keys: readonly Expr[]
  readonly aggregates: readonly AggregateCall[]
  /** `partial` gives states instead of results, `final` takes them; `whole`, the default, does both. Set when work is spread over threads. */
  readonly stage?: 'whole' | 'partial' | 'final'
  readonly schema: Schema
}

export interface Order {
  readonly expr: Expr
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** Where a frame begins or ends, from the current row. Offsets are constants: int8 for rows and groups, what the order's type is moved by for range. */
export type WindowBound =
  | { readonly kind: 'unboundedPreceding' | 'currentRow' | 'unboundedFollowing' }
  | { readonly kind: 'preceding' | 'following'; readonly offset: Expr }

/** The rows of the partition that a frame function sees. A range with an offset has one order key. */
export interface WindowFrame {
  readonly unit: 'rows' | 'range' | 'groups'
  readonly start: WindowBound
  readonly end: WindowBound
  readonly exclude: 'none' | 'current row' | 'group' | 'ties'
}

export interface WindowCall {
  /** Id of a window function or an aggregate in the function table. */
  readonly fn: string
  readonly args: readonly Expr[]
  readonly filter?: Expr
  readonly frame: WindowFrame
  readonly type: Type
}

/** Every row with the results of the calls behind its columns. Without partition keys all rows are one partition; rows that tie are ordered freely. */
export interface WindowPlan {
  readonly kind: 'window'
  readonly input: Plan
  readonly partition: readonly Expr[]
  readonly order: readonly Order[]
  readonly calls: readonly WindowCall[]
  readonly schema: Schema
}

/** ORDER BY, LIMIT and OFFSET; a sort when there is no limit. */
export interface TopPlan {
  readonly kind: 'top'
  readonly input: Plan
  readonly order: readonly Order[]
  /** Constant expressions of int8 (parameters allowed); NULL means no limit. */
  readonly limit?: Expr
  readonly offset?: Expr
  readonly schema: Schema
}

/** UNION ALL. Inputs have equal column types. */
export interface UnionPlan {
  readonly kind: 'union'
  readonly inputs: readonly Plan[]
  readonly schema: Schema
}

/** Every row with its weight negated. */
export interface NegatePlan {
  readonly kind: 'negate'
  readonly input: Plan
  readonly schema: Schema
}

export function inputsOf(plan: Plan): readonly Plan[] {
  switch (plan.kind) {
    case 'scan': case 'values': return []
    case 'filter': case 'project': case 'aggregate': case 'window': case 'top': case 'negate': return [plan.input]
    case 'join': return [plan.left, plan.right]
    case 'union': return plan.inputs
  }
}

/** The same node over other inputs; the same object when none differs. */
export function withInputs(plan: Plan, inputs: readonly Plan[]): Plan {
  const old = inputsOf(plan)
  if (inputs.length === old.length && inputs.every((input, i) => input === old[i])) return plan
  switch (plan.kind) {
    case 'scan': case 'values': return plan
    case 'filter': case 'project': case 'aggregate': case 'window': case 'top': case 'negate': return { ...plan, input: inputs[0] ?? plan.input }
    case 'join': return { ...plan, left: inputs[0] ?? plan.left, right: inputs[1] ?? plan.right }
    case 'union': return { ...plan, inputs }
  }
}

/** The tables a plan reads, each once per version asked for. */
export function tablesOf(plan: Plan): readonly ScanPlan[] {
  return plan.kind === 'scan' ? [plan] : inputsOf(plan).flatMap(tablesOf)
}

/** What a plan is handed at execution. */
export interface Parameters {
  readonly values: readonly Value[]
  /** Microseconds since 1970: what now() answers; pinned for a statement, per epoch in a continuous query. */
  readonly now: bigint
  /** IANA name of the session's TimeZone. */
  readonly timeZone: string
  /** Settings of the session that change text input and output. */
  readonly text?: Partial<TextSettings>
  /** What functions ask of the session; it cannot leave its thread. */
  readonly session?: SessionInfo
}
