/** DECLARE and FETCH: queries and subscriptions read in pieces. */
import type { Batch } from '../batch.ts'
import { Running } from '../engine.ts'
import { SqlError, unsupported } from '../error.ts'
import type { Declare, Fetch } from '../planner/statement-syntax.ts'
import { done, fieldsOf } from './answers.ts'
import { answerFields, intervalMilliseconds, planned } from './binding.ts'
import type { QueryBound } from './binding.ts'
import { Cursor } from './cursor.ts'
import type { CursorSource } from './cursor.ts'
import type { Answer } from './face.ts'
import type { Session } from './session.ts'
import { epochRows, subscribeSchema } from './subscribe.ts'
import { beginSubscription } from './subscription.ts'

/** Opens a cursor; the tag. A cursor WITH HOLD, and one of a subscription, may be opened outside of a transaction block. */
export async function declareCursor(session: Session, statement: Declare, bound: QueryBound, running: Running): Promise<string> {
  if (statement.scroll === true) throw unsupported('SCROLL', { position: statement.at })
  if (statement.binary) throw unsupported('a BINARY cursor', { position: statement.at, hint: 'Ask for the binary format when FETCH is bound.' })
  if (session.block === undefined && !statement.hold && statement.query.kind !== 'subscribe') throw new SqlError('25P01', 'DECLARE CURSOR can only be used in transaction blocks')
  if (session.cursors.has(statement.name)) throw new SqlError('42P03', `cursor "${statement.name}" already exists`)
  // the cursor lives longer than the statement that opens it
  const own = new Running(session.system, running.parameters, running.versions)
  const source = statement.query.kind === 'subscribe' ? await liveSource(session, statement.query, bound, own) : await querySource(session, bound, own)
  session.cursors.set(statement.name, new Cursor(statement.name, source, statement.hold || session.block === undefined))
  return 'DECLARE CURSOR'
}

async function querySource(session: Session, bound: QueryBound, running: Running): Promise<CursorSource> {
  const plan = await planned(session, bound, running), batches = session.engine.run(plan, running)
  return {
    running, fields: answerFields(bound), schema: plan.schema, live: false,
    next: async () => { const item = await batches.next(); return item.done === true ? undefined : item.value },
    close: async () => { running.cancel(); await batches.return() },
  }
}

async function liveSource(session: Session, statement: Extract<Declare['query'], { kind: 'subscribe' }>, bound: QueryBound, running: Running): Promise<CursorSource> {
  const { subscription, schema } = await beginSubscription(session, statement, bound, running)
  const progress = statement.progress === true, rows = subscribeSchema(schema, progress)
  let epoch: AsyncGenerator<Batch, void, undefined> | undefined
  return {
    running, fields: fieldsOf(rows), schema: rows, live: true,
    async next(timeout) {
      const deadline = timeout === undefined ? undefined : Date.now() + timeout
      for (;;) {
        if (epoch !== undefined) {
          const item = await epoch.next()
          if (item.done !== true) return item.value
          epoch = undefined
        }
        const next = await subscription.next(deadline === undefined ? undefined : Math.max(0, deadline - Date.now()))
        if (next === undefined) return subscription.ended ? undefined : 'waiting'
        epoch = epochRows(next, schema, progress, session.engine.memory)
      }
    },
    async close() {
      running.cancel()
      await epoch?.return()
      subscription.close()
    },
  }
}

/** FETCH and MOVE, forward only. */
export async function fetchAnswer(session: Session, statement: Fetch, running: Running): Promise<Answer> {
  const cursor = session.cursors.get(statement.cursor)
  if (cursor === undefined) throw new SqlError('34000', `cursor "${statement.cursor}" does not exist`)
  if (statement.direction !== 'forward' && statement.direction !== 'relative' || (statement.count !== 'all' && statement.count < 0)) throw new SqlError('55000', 'cursor can only scan forward', { hint: 'Declare it with SCROLL option to enable backward scan.', position: statement.at })
  if (statement.direction === 'relative' && statement.count !== 1) throw unsupported('FETCH RELATIVE', { position: statement.at })
  const timeout = statement.timeout === undefined ? undefined : intervalMilliseconds(session, statement.timeout)
  const count = statement.count === 'all' ? Infinity : statement.count
  async function* rows(from: Cursor): AsyncGenerator<Batch, void, undefined> {
    const forget = running.onCancel(() => from.source.running.cancel())
    try {
      yield* from.fetch(count, timeout)
    } finally {
      forget()
    }
  }
  if (!statement.move) return { fields: cursor.source.fields, schema: cursor.source.schema, live: cursor.source.live, batches: rows(cursor), tag: n => `FETCH ${n}` }
  let moved = 0
  async function* skip(from: Cursor): AsyncGenerator<Batch, void, undefined> { for await (const batch of rows(from)) moved += batch.length }
  return { ...done(''), batches: skip(cursor), tag: () => `MOVE ${moved}` }
}
