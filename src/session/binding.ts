/** The binder seen from a session: relations looked up in its catalog, constants computed with its settings, plans optimized as it wants them. */
import type { Running } from '../engine.ts'
import { SqlError, invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import type { Parameters, Plan, TableName } from '../plan.ts'
import { tablesOf } from '../plan.ts'
import { bindChange } from '../planner/bind-change.ts'
import type { BoundChange } from '../planner/bind-change.ts'
import { bindInsert } from '../planner/bind-insert.ts'
import type { BoundInsert } from '../planner/bind-insert.ts'
import { bindQuery, bindType, constantValue, tablesNamed } from '../planner/bind.ts'
import type { BoundQuery } from '../planner/bind.ts'
import type { TableFacts } from '../planner/facts.ts'
import { optimize } from '../planner/optimize.ts'
import { parseQuery } from '../planner/statement.ts'
import type { Environment, FoundRelation } from '../planner/scope.ts'
import type { Delete, Insert, Update } from '../planner/statement-syntax.ts'
import type { Expression, Path, Query, TypeName } from '../planner/syntax.ts'
import type { RelationShape, ViewQuery } from '../storage/catalog.ts'
import { relationOid } from '../storage/system/oids.ts'
import { SYSTEM_SCHEMAS, systemShape } from '../storage/system/system.ts'
import { asBigInt, asInterval } from '../datum.ts'
import { INT8, INTERVAL, TIMESTAMPTZ } from '../type.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { AnswerField } from './face.ts'
import type { Session } from './session.ts'
import { milliseconds } from './settings.ts'

/** What names were found to mean when a statement was bound; a plan stays good as long as they mean the same. */
export type Found = ReadonlyMap<string, RelationShape | undefined>

const keyOf = (path: Path, searchPath: readonly string[]): string => JSON.stringify([path, searchPath])

/** Looks up the relations of a statement. */
export async function findRelations(session: Session, paths: readonly Path[]): Promise<Found> {
  const found = new Map<string, RelationShape | undefined>()
  const find = async (names: readonly Path[], searchPath: readonly string[]): Promise<void> => {
    for (const path of names) {
      const key = keyOf(path, searchPath)
      if (found.has(key)) continue
      const shape = await shapeOf(session, path, searchPath)
      found.set(key, shape)
      // names in a view are looked up as its maker would have
      if (shape?.view !== undefined) await find(tablesNamed(await viewQuery(shape.view.sql)), shape.view.searchPath)
    }
  }
  await find(paths, session.settings.searchPath)
  return found
}

/** Queries of views by their text. */
const queries = new Map<string, Query>()

/** The query of a view, the same object for the same text. */
async function viewQuery(sql: string): Promise<Query> {
  const known = queries.get(sql)
  if (known !== undefined) return known
  if (queries.size >= 1000) queries.clear()
  const query = await parseQuery(sql)
  queries.set(sql, query)
  return query
}

/** The relation that a dotted name means to a session; undefined when there is none. */
export async function shapeOf(session: Session, path: Path, searchPath = session.settings.searchPath): Promise<RelationShape | undefined> {
  for (const name of candidates(session, path, searchPath)) {
    const shape = SYSTEM_SCHEMAS.includes(name.schema) ? systemShape(name) : session.block?.transaction.isDropped(name) === true ? undefined : await session.engine.catalog.shape(name)
    if (shape !== undefined) return shape
  }
  return undefined
}

/** The full names that a name may stand for, in the order in which they are tried: pg_catalog first, then the search path. */
function candidates(session: Session, path: Path, searchPath: readonly string[]): TableName[] {
  const name = path.at(-1) ?? ''
  if (path.length >= 2) {
    const database = path.length > 2 ? path.at(-3) : undefined
    if (database !== undefined && database !== session.engine.database) throw new SqlError('0A000', `cross-database references are not implemented: "${path.join('.')}"`)
    return [{ schema: path.at(-2) ?? '', name }]
  }
  return [...searchPath.includes('pg_catalog') ? [] : ['pg_catalog'], ...searchPath].map(schema => ({ schema, name }))
}

function environment(session: Session, found: Found, types: readonly (Type | undefined)[]): Environment {
  const { searchPath } = session.settings
  return {
    lookup(path, under): FoundRelation | undefined {
      const shape = found.get(keyOf(path, under))
      if (shape === undefined) return undefined
      const query = shape.view === undefined ? undefined : queries.get(shape.view.sql)
      if (shape.view !== undefined && query !== undefined) return { kind: 'view', name: shape.name, query, columns: shape.columns.map(column => column.name), searchPath: shape.view.searchPath }
      return { kind: 'table', name: shape.name, schema: shape.columns, key: shape.key.map(name => shape.columns.findIndex(field => field.name === name)) }
    },
    searchPath,
    parameterTypes: types,
    fold: expr => session.engine.evaluate(expr, constants(session)),
    database: session.engine.database,
  }
}

function constants(session: Session): Parameters {
  return session.parameters([])
}

/** A bound statement, and what its names meant. */
export interface QueryBound extends BoundQuery { readonly found: Found; readonly searchPath: readonly string[] }
/** A bound INSERT, UPDATE or DELETE, and the table that it changes. */
export type ChangeBound = (BoundInsert | BoundChange) & { readonly found: Found; readonly searchPath: readonly string[]; readonly shape: RelationShape; /** What `insert_conflict` was. */ readonly existing: string }
export type Bound = QueryBound | ChangeBound

export async function bindQueryFor(session: Session, query: Query, types: readonly (Type | undefined)[]): Promise<QueryBound> {
  const found = await findRelations(session, tablesNamed(query))
  return { ...bindQuery(query, environment(session, found, types)), found, searchPath: session.settings.searchPath }
}

/** Binds a statement that changes a table. */
export async function bindChangeFor(session: Session, statement: Insert | Update | Delete, types: readonly (Type | undefined)[]): Promise<ChangeBound> {
  const found = await findRelations(session, tablesNamed(statement))
  const shapeNamed = (name: TableName): RelationShape | undefined => [...found.values()].find(shape => shape !== undefined && shape.name.schema === name.schema && shape.name.name === name.name)
  const defaults = (name: TableName): ReadonlyMap<string, Value> => shapeNamed(name)?.defaults ?? new Map()
  const existing = session.settings.need('insert_conflict')
  const bound = statement.kind === 'insert' ? bindInsert(statement, environment(session, found, types), defaults, existing === 'error' ? 'error' : 'replace') : bindChange(statement, environment(session, found, types), defaults)
  const shape = shapeNamed(bound.name)
  invariant(shape !== undefined, 'a table that was found')
  return { ...bound, found, searchPath: session.settings.searchPath, shape, existing }
}

/** The columns of a bound query as a client is told of them. */
export function answerFields(bound: Bound): AnswerField[] {
  return ('change' in bound ? bound.returning ?? [] : bound.fields).map(field => ({ name: field.name, type: field.type, tableOid: field.origin === undefined ? 0 : relationOid(field.origin.table), columnNumber: field.origin === undefined ? 0 : field.origin.column + 1 }))
}

/** True when the names of a bound statement still mean the same relations, with the same columns. */
export async function stillGood(session: Session, bound: Bound): Promise<boolean> {
  const { found } = bound
  // the names of the statement itself were looked up with the search path of then
  if (JSON.stringify(bound.searchPath) !== JSON.stringify(session.settings.searchPath)) return false
  if ('change' in bound && bound.existing !== session.settings.need('insert_conflict')) return false
  for (const [key, shape] of found) {
    const [path, searchPath]: [Path, readonly string[]] = JSON.parse(key)
    const now = await shapeOf(session, path, searchPath)
    if (now !== shape && JSON.stringify(now) !== JSON.stringify(shape)) return false
  }
  return true
}

/** The plan to run, by all rules unless the session switched them off. */
export async function planned(session: Session, bound: Bound, running: Running): Promise<Plan> {
  return planOf(session, bound.plan, running)
}

/** `planned`, of a plan alone. */
export async function planOf(session: Session, plan: Plan, running: Running): Promise<Plan> {
  const facts = new Map<string, TableFacts>(), key = (name: TableName): string => `${name.schema}\0${name.name}`
  for (const scan of tablesOf(plan)) {
    session.current.mayRead(scan.table)
    if (facts.has(key(scan.table))) continue
    const { table, version } = await session.engine.source(scan.table, scan.asOf, running)
    facts.set(key(scan.table), { key: table.key, appendOnly: table.appendOnly, rows: await table.estimate(version) })
  }
  return optimize(plan, {
    ...(session.settings.get('sluice.rules') === 'off' ? { off: 'all' as const } : {}),
    tables: name => facts.get(key(name)),
    fold: (expr: Expr) => session.engine.evaluate(expr, running.parameters),
  })
}

/** The value of an expression without columns, as a value of `type` (assignment casts). */
export function constantOf(session: Session, expression: Expression, type: Type): Value {
  return constantValue(expression, environment(session, new Map(), []), { clause: 'constant', to: type }).value
}

/** A time as SUBSCRIBE takes it: a number of milliseconds since 1970, or a timestamp; in milliseconds. */
export function timeOf(session: Session, expression: Expression, clause: string): number {
  const number = expression.kind === 'number' || (expression.kind === 'string' && /^\d+$/.test(expression.value))
  const value = constantOf(session, expression, number ? INT8 : TIMESTAMPTZ)
  if (value === null) throw new SqlError('22004', `${clause} must not be NULL`)
  return number ? Number(asBigInt(value)) : Number(asBigInt(value) / 1000n)
}

/** A span of time given as text, in milliseconds: `1s`, `500ms`, or an interval. */
export function intervalMilliseconds(session: Session, text: string): number {
  const simple = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : milliseconds(text)
  if (simple !== undefined) return simple
  const value = asInterval(constantOf(session, { kind: 'string', value: text, at: 1 }, INTERVAL))
  return Number((BigInt(value.months) * 30n + BigInt(value.days)) * 86_400_000n + value.micros / 1000n)
}

/** The type that a name means. */
export function typeNamed(name: TypeName): Type { return bindType(name) }

/** The relations that the query of a view names; those that its text alone seems to name when it cannot be bound any more. */
export async function relationsOfView(session: Session, view: ViewQuery): Promise<readonly TableName[]> {
  const query = await viewQuery(view.sql), found = new Map<string, RelationShape | undefined>(), met: TableName[] = []
  for (const path of tablesNamed(query)) found.set(keyOf(path, view.searchPath), await shapeOf(session, path, view.searchPath))
  const own = environment(session, found, [])
  const asTable = (shape: RelationShape): FoundRelation => ({ kind: 'table', name: shape.name, schema: shape.columns, key: shape.key.map(name => shape.columns.findIndex(field => field.name === name)) })
  const lookup: Environment['lookup'] = (path, under) => {
    const shape = found.get(keyOf(path, under))
    if (shape !== undefined) met.push(shape.name)
    return shape === undefined ? undefined : asTable(shape)
  }
  try {
    bindQuery(query, { ...own, lookup, searchPath: view.searchPath })
    return met
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    return [...found.values()].flatMap(shape => shape?.name ?? [])
  }
}
