/** SUBSCRIBE: what is subscribed to, from when, until when. */
import type { Running } from '../engine.ts'
import { SqlError, unsupported } from '../error.ts'
import type { Subscribe } from '../planner/statement-syntax.ts'
import type { Query } from '../planner/syntax.ts'
import type { Schema, Type } from '../type.ts'
import { Subscription } from '../view.ts'
import { bindQueryFor, planned, timeOf } from './binding.ts'
import type { QueryBound } from './binding.ts'
import type { Session } from './session.ts'
import { milliseconds } from './settings.ts'

/** Binds what a subscription follows: its query, or all columns of its table. */
export function subscribedPlan(session: Session, statement: Subscribe, types: readonly (Type | undefined)[]): Promise<QueryBound> {
  if (statement.envelope !== undefined) throw unsupported(`ENVELOPE ${statement.envelope.kind.toUpperCase()}`, { position: statement.envelope.at })
  const option = statement.options[0]
  if (option !== undefined) throw new SqlError('22023', `unrecognized SUBSCRIBE option "${option.key}"`, { position: option.at, hint: 'The options are SNAPSHOT and PROGRESS.' })
  return bindQueryFor(session, statement.what.kind === 'query' ? statement.what.query : wholeTable(statement.what.table, statement.at), types)
}

/** `SELECT * FROM t` for SUBSCRIBE t. */
function wholeTable(table: Extract<Subscribe['what'], { kind: 'table' }>['table'], at: number): Query {
  return {
    kind: 'query', orderBy: [], withTies: false, locking: [], at,
    body: { kind: 'select', targets: [{ expression: { kind: 'star', path: [], at }, at }], from: [{ kind: 'table', ...table, hints: [] }], groupBy: [], groupDistinct: false, windows: [], hints: [], at },
  }
}

/** Begins to follow; nothing is read yet. */
export async function beginSubscription(session: Session, statement: Subscribe, bound: QueryBound, running: Running): Promise<{ subscription: Subscription; schema: Schema }> {
  const plan = await planned(session, bound, running)
  const subscription = await Subscription.begin(session.engine, plan, running, {
    snapshot: statement.snapshot ?? true,
    asOf: statement.asOf === undefined ? undefined : timeOf(session, statement.asOf.value, 'AS OF'),
    atLeast: statement.asOf?.atLeast ?? false,
    upTo: statement.upTo === undefined ? undefined : timeOf(session, statement.upTo, 'UP TO'),
    pollInterval: Math.max(1, milliseconds(session.settings.need('sluice.poll_interval')) ?? 200),
  })
  return { subscription, schema: plan.schema }
}
