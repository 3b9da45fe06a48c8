/**
 * What names mean: the relations of FROM with their columns, the queries around a subquery, and the errors of names that mean nothing or too much.
 * A reference to a column of a query further out becomes a parameter with a negative index ("captured"): `subquery.ts` takes it away again.
 */
import { SqlError, unsupported } from '../error.ts'
import type { Expr } from '../expr.ts'
import type { AggregateCall, Order, Plan, TableName, WindowCall, WindowFrame } from '../plan.ts'
import type { Schema, Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { Coercion } from './coerce.ts'
import type { Expression, Path, Query } from './syntax.ts'

/** What the binder is told of a relation. */
export type FoundRelation =
  | { readonly kind: 'table'; readonly name: TableName; readonly schema: Schema; readonly key: readonly number[] }
  /** A view: its query, and the search path that names in it are looked up with. */
  | { readonly kind: 'view'; readonly name: TableName; readonly query: Query; readonly columns: readonly string[]; readonly searchPath: readonly string[] }

/** What binding depends on besides the statement itself. */
export interface Environment {
  /** The relation a dotted name means under a search path; undefined when there is none. */
  lookup(path: Path, searchPath: readonly string[]): FoundRelation | undefined
  readonly searchPath: readonly string[]
  /** Declared types of $1, $2, …; undefined ones are inferred. */
  readonly parameterTypes: readonly (Type | undefined)[]
  /** The value of an expression without columns, computed by the compiled expression itself in the session's time zone. */
  fold(expr: Expr): Value
  /** The name of the database, for three-part names; absent: any is taken. */
  readonly database?: string
}

/** A column as a name may mean it. */
export interface ScopeColumn {
  readonly name: string
  /** Over the rows of FROM. */
  readonly expr: Expr
  readonly nullable: boolean
  readonly origin?: Origin
}

/** The table's column that a column is, unchanged. */
export interface Origin {
  readonly table: TableName
  readonly column: number
}

export interface ScopeRelation {
  readonly name: string
  /** The schema of a table without an alias: it may be referred to by schema.table. */
  readonly schema?: string
  /** The table's own name behind an alias, for hints. */
  readonly hidden?: string
  readonly columns: readonly ScopeColumn[]
  /** Positions of a primary key. */
  readonly key: readonly number[]
}

/** The names that FROM brings. */
export interface Scope {
  readonly relations: readonly ScopeRelation[]
  /** What `*` means, and what unqualified names are looked for in. */
  readonly columns: readonly (ScopeColumn & { readonly relation: string })[]
}

export const EMPTY_SCOPE: Scope = { relations: [], columns: [] }

/** A column of a query further out, as a subquery sees it. */
export interface Capture {
  /** The negative parameter that stands for it. */
  readonly param: number
  /** What it is over the rows of the query directly around. */
  readonly outer: Expr
}

/** A common table: bound once, read by every reference. */
export interface BoundCommonTable {
  readonly plan: Plan
  readonly columns: readonly ScopeColumn[]
}

/** An aggregate call found in a select list, HAVING or ORDER BY. */
export interface FoundAggregate {
  readonly call: AggregateCall
  readonly key: string
}

/** A GROUPING(…) found in the same places. */
export interface FoundGrouping {
  readonly args: readonly Expr[]
  readonly at: number
}

/** What OVER (…) says. */
export interface BoundWindow {
  readonly partition: readonly Expr[]
  readonly order: readonly Order[]
  readonly frame: WindowFrame
  /** The frame was written. */
  readonly framed: boolean
}

/** A call with OVER found in a select list or ORDER BY. */
export interface FoundWindow {
  readonly call: WindowCall
  readonly window: BoundWindow
}

/** One query level while it is bound. */
export interface Frame {
  scope: Scope
  readonly outer: Frame | undefined
  readonly captures: Capture[]
  readonly tables: ReadonlyMap<string, BoundCommonTable | 'recursive'>
  readonly searchPath: readonly string[]
  /** Where aggregates may stand, they are collected here. */
  aggregates: FoundAggregate[] | undefined
  readonly groupings: FoundGrouping[]
  /** Where window functions may stand: the windows of WINDOW, and the calls found. */
  windows: { readonly named: Map<string, BoundWindow>; readonly calls: FoundWindow[] } | undefined
  insideWindow: 'arguments' | 'definition' | undefined
  /** What is being bound, for messages: WHERE, GROUP BY, JOIN conditions, … */
  clause: string
  insideAggregate: boolean
}

export function newFrame(outer: Frame | undefined, searchPath: readonly string[]): Frame {
  return { scope: EMPTY_SCOPE, outer, captures: [], tables: outer?.tables ?? new Map(), searchPath, aggregates: undefined, groupings: [], windows: undefined, insideWindow: undefined, clause: 'SELECT', insideAggregate: false }
}

/** A subquery of an expression, until `subquery.ts` joins it to the rows it belongs to. */
export interface BoundSubquery {
  readonly how: 'scalar' | 'exists' | 'in'
  readonly plan: Plan
  readonly captures: readonly Capture[]
  readonly at: number
}

/** The state of binding one statement. */
export interface Binding extends Coercion {
  readonly environment: Environment
  readonly subqueries: BoundSubquery[]
  /** Where a column expression was read from the text, and how it was written; for the errors of GROUP BY. */
  readonly written: WeakMap<Expr, { readonly at: number; readonly name: string }>
  outerCount: number
  /** Binds an expression. */
  expression(frame: Frame, e: Expression): Expr
  /** Binds a query inside an expression or FROM. */
  query(query: Query, frame: Frame): BoundRelation
}

/** A bound query: its plan, and what its columns are called. */
export interface BoundRelation {
  readonly plan: Plan
  readonly columns: readonly ScopeColumn[]
}

const quoted = (...parts: readonly string[]): string => parts.join('.')

/** The column that a dotted name means, over the rows of the frame's FROM. */
export function resolveColumn(binding: Binding, frame: Frame, path: Path, at: number): Expr {
  return path.length === 1 ? findUnqualified(binding, frame, path[0] ?? '', at) : findQualified(binding, frame, path, at)
}

/** `table.column`, as PostgreSQL's grouping errors show it. */
function writtenName(frame: Frame, expr: Expr, path: Path): string {
  for (const relation of frame.scope.relations) {
    const column = relation.columns.find(column => column.expr.kind === 'column' && expr.kind === 'column' && column.expr.index === expr.index)
    if (column !== undefined) return `${relation.name}.${column.name}`
  }
  return path.join('.')
}

/** A fresh object for every mention, so that each keeps its own place in the text. */
const mention = (expr: Expr): Expr => ({ ...expr })

function findUnqualified(binding: Binding, frame: Frame, name: string, at: number): Expr {
  for (let level: Frame | undefined = frame; level !== undefined; level = level.outer) {
    const matches = level.scope.columns.filter(column => column.name === name)
    if (matches.length > 1) throw new SqlError('42702', `column reference "${name}" is ambiguous`, { position: at })
    const match = matches[0]
    if (match !== undefined) return captured(binding, frame, level, match.expr, at, [name])
  }
  for (let level: Frame | undefined = frame; level !== undefined; level = level.outer) {
    if (level.scope.relations.some(relation => relation.name === name)) throw unsupported(`a whole row (${name}) as a value`, { position: at })
  }
  throw new SqlError('42703', `column "${name}" does not exist`, { position: at, hint: suggestion(frame, undefined, name) })
}

function findQualified(binding: Binding, frame: Frame, path: Path, at: number): Expr {
  const name = path[path.length - 1] ?? ''
  const { relation, level } = findRelation(binding, frame, path.slice(0, -1), at, path)
  const matches = relation.columns.filter(column => column.name === name)
  if (matches.length > 1) throw new SqlError('42702', `column reference "${name}" is ambiguous`, { position: at })
  const match = matches[0]
  if (match === undefined) throw new SqlError('42703', `column ${quoted(...path)} does not exist`, { position: at, hint: suggestion(frame, path[path.length - 2], name) })
  return captured(binding, frame, level, match.expr, at, path)
}

/** The relation of FROM that a qualifier means, here or in a query around. 42P01 when there is none. */
export function findRelation(binding: Binding, frame: Frame, qualifier: Path, at: number, written: Path = qualifier): { readonly relation: ScopeRelation; readonly level: Frame } {
  const name = qualifier[qualifier.length - 1] ?? '', schema = qualifier[qualifier.length - 2]
  const database = qualifier[qualifier.length - 3]
  if (database !== undefined && binding.environment.database !== undefined && database !== binding.environment.database) {
    throw new SqlError('0A000', `cross-database references are not implemented: ${quoted(...written)}`, { position: at })
  }
  for (let level: Frame | undefined = frame; level !== undefined; level = level.outer) {
    const matches = level.scope.relations.filter(relation => relation.name === name && (schema === undefined || relation.schema === schema))
    if (matches.length > 1) throw new SqlError('42P09', `table reference "${name}" is ambiguous`, { position: at })
    if (matches[0] !== undefined) return { relation: matches[0], level }
  }
  for (let level: Frame | undefined = frame; level !== undefined; level = level.outer) {
    const aliased = level.scope.relations.find(relation => relation.hidden === name)
    if (aliased !== undefined) throw new SqlError('42P01', `invalid reference to FROM-clause entry for table "${name}"`, { position: at, hint: `Perhaps you meant to reference the table alias "${aliased.name}".` })
  }
  throw new SqlError('42P01', `missing FROM-clause entry for table "${name}"`, { position: at })
}

/** The expression in `frame` for one over the rows of `level`: itself, or a parameter for each level between. */
function captured(binding: Binding, frame: Frame, level: Frame, expr: Expr, at: number, path: Path): Expr {
  const outer = frame.outer
  if (frame === level || outer === undefined) {
    const found = mention(expr)
    binding.written.set(found, { at, name: writtenName(frame, found, path) })
    return found
  }
  const inner = captured(binding, outer, level, expr, at, path)
  const known = frame.captures.find(capture => sameReference(capture.outer, inner))
  if (known !== undefined) return { kind: 'param', index: known.param, type: expr.type }
  binding.outerCount += 1
  const param = -binding.outerCount
  frame.captures.push({ param, outer: inner })
  return { kind: 'param', index: param, type: expr.type }
}

function sameReference(a: Expr, b: Expr): boolean {
  return (a.kind === 'column' && b.kind === 'column' && a.index === b.index) || (a.kind === 'param' && b.kind === 'param' && a.index === b.index)
}

/** "Perhaps you meant to reference the column …": the one or two nearest names, by PostgreSQL's measure. */
function suggestion(frame: Frame, qualifier: string | undefined, name: string): string | undefined {
  let nearest = 4
  let found: string[] = []
  for (let level: Frame | undefined = frame; level !== undefined; level = level.outer) {
    for (const relation of level.scope.relations) {
      const penalty = qualifier === undefined ? 0 : distance(qualifier, relation.name)
      if (penalty > 3) continue
      for (const column of relation.columns) {
        const apart = distance(column.name, name)
        if (apart > name.length / 2) continue
        const total = apart + penalty, label = `"${relation.name}.${column.name}"`
        if (total < nearest) {
          nearest = total
          found = [label]
        } else if (total === nearest) found = found.length === 1 ? [...found, label] : []
      }
    }
  }
  return found.length === 0 ? undefined : `Perhaps you meant to reference the column ${found.join(' or the column ')}.`
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length] ?? 0
}
