/** Statements of a session: what each returns is known when it is prepared, what each does happens while its answer is read. */
import type { Running } from '../engine.ts'
import { SqlError, unsupported } from '../error.ts'
import { EXPLAIN_SCHEMA, explainAnswer } from './explain.ts'
import type { Statement } from '../planner/statement-syntax.ts'
import type { Schema, Type } from '../type.ts'
import type { Value } from '../value.ts'
import { doing, done, fieldsOf } from './answers.ts'
import { answerFields, bindChangeFor, bindQueryFor, constantOf, planned, stillGood, typeNamed } from './binding.ts'
import type { Bound, ChangeBound, QueryBound } from './binding.ts'
import { bindCopy, copyAnswer } from './copy.ts'
import { checkCopyFrom, copyFromAnswer } from './copy-from.ts'
import { declareCursor, fetchAnswer } from './fetch.ts'
import { createSchema, createTable, createTableAs, dropObjects } from './define.ts'
import { changeAnswer, truncate } from './change.ts'
import { createView } from './create-view.ts'
import type { Answer, Prepared } from './face.ts'
import type { Session } from './session.ts'
import { objectSchema, showObjects, showSchema, showSetting } from './show.ts'
import { subscribeSchema, subscriptionRows } from './subscribe.ts'
import { beginSubscription, subscribedPlan } from './subscription.ts'

/** A statement as prepared: its syntax, and what it was bound to. */
export interface PreparedStatement extends Prepared {
  readonly statement: Statement
  readonly bound: Bound | undefined
}

const known = new WeakMap<Prepared, PreparedStatement>()

/** Commands of the transaction itself, which a failed block still takes. */
export function isTransactionControl(statement: Statement): boolean {
  return statement.kind === 'transaction' && ['commit', 'rollback', 'rollbackTo'].includes(statement.what)
}

/** Binds a statement as far as its parameters and columns. */
export async function prepareStatement(session: Session, sql: string, statement: Statement, types: readonly (Type | undefined)[]): Promise<PreparedStatement> {
  const plain = (schema: Schema | undefined, parameters: readonly Type[] = []): PreparedStatement => ({ sql, statement, bound: undefined, parameters, fields: schema === undefined ? undefined : fieldsOf(schema) })
  const prepared = await (async (): Promise<PreparedStatement> => {
    switch (statement.kind) {
      case 'select': {
        const bound = await bindQueryFor(session, statement.query, types)
        return { sql, statement, bound, parameters: bound.parameters, fields: answerFields(bound) }
      }
      case 'insert': case 'update': case 'delete': {
        const bound = await bindChangeFor(session, statement, types)
        return { sql, statement, bound, parameters: bound.parameters, fields: bound.returning === undefined ? undefined : answerFields(bound) }
      }
      case 'explain': {
        const inner = await prepareStatement(session, sql, statement.statement, types)
        return { ...plain(EXPLAIN_SCHEMA, inner.parameters), bound: inner.bound }
      }
      case 'subscribe': {
        const bound = await subscribedPlan(session, statement, types)
        return { sql, statement, bound, parameters: bound.parameters, fields: fieldsOf(subscribeSchema(bound.plan.schema, statement.progress === true)) }
      }
      case 'copy': {
        if (statement.direction === 'from') {
          await checkCopyFrom(session, statement)
          return { ...plain(undefined), copies: true }
        }
        const { bound, fields } = await bindCopy(session, statement, types)
        return { sql, statement, bound, parameters: bound.parameters, fields, copies: true }
      }
      case 'declare': {
        const bound = statement.query.kind === 'subscribe' ? await subscribedPlan(session, statement.query, types) : await bindQueryFor(session, statement.query, types)
        return { sql, statement, bound, parameters: bound.parameters, fields: undefined }
      }
      case 'createTable': {
        if (statement.as === undefined) return plain(undefined)
        const bound = await bindQueryFor(session, statement.as.query, types)
        return { sql, statement, bound, parameters: bound.parameters, fields: undefined }
      }
      case 'execute': {
        const inner = session.statements.get(statement.name)
        if (inner === undefined) throw noStatement(statement.name)
        return { sql, statement, bound: undefined, parameters: [], fields: inner.fields }
      }
      case 'fetch': {
        const cursor = session.cursors.get(statement.cursor)
        if (cursor === undefined) throw noCursor(statement.cursor)
        return { sql, statement, bound: undefined, parameters: [], fields: statement.move ? undefined : cursor.source.fields }
      }
      case 'show': return plain(showSchema(statement.name))
      case 'showObjects': return plain(objectSchema(statement.what))
      default: return plain(undefined)
    }
  })()
  known.set(prepared, prepared)
  return prepared
}

/** The statement behind what `prepare` gave, bound anew when a name in it has come to mean something else since (`isFresh`: it was bound just now). */
export async function currentStatement(session: Session, prepared: Prepared, isFresh = false): Promise<PreparedStatement> {
  const entry = known.get(prepared)
  if (entry === undefined) throw new SqlError('26000', 'prepared statement does not exist')
  if (entry.bound === undefined || isFresh || await stillGood(session, entry.bound)) return entry
  const again = await prepareStatement(session, prepared.sql, entry.statement, prepared.parameters)
  // the client was told the columns, and reads the rows by them
  const told = JSON.stringify(prepared.fields?.map(({ name, type }) => [name, type])), are = JSON.stringify(again.fields?.map(({ name, type }) => [name, type]))
  if (told !== are) throw new SqlError('0A000', 'cached plan must not change result type')
  return again
}

export function noStatement(name: string): SqlError { return new SqlError('26000', `prepared statement "${name}" does not exist`) }
export function noCursor(name: string): SqlError { return new SqlError('34000', `cursor "${name}" does not exist`) }

/** Begins a statement. */
export async function executeStatement(session: Session, prepared: PreparedStatement, running: Running): Promise<Answer> {
  const { statement, bound } = prepared
  switch (statement.kind) {
    case 'select': {
      const query = queryOf(bound)
      const plan = await planned(session, query, running)
      return { fields: answerFields(query), schema: plan.schema, batches: session.engine.run(plan, running), tag: rows => `SELECT ${rows}` }
    }
    case 'insert': case 'update': case 'delete': return changeAnswer(session, changeOf(bound), running)
    case 'explain': return explainAnswer(session, statement, bound, running)
    case 'subscribe': {
      const { subscription, schema } = await beginSubscription(session, statement, queryOf(bound), running)
      const progress = statement.progress === true
      return { fields: fieldsOf(subscribeSchema(schema, progress)), schema: subscribeSchema(schema, progress), live: true, batches: subscriptionRows(subscription, schema, progress, session.engine.memory), tag: rows => `SUBSCRIBE ${rows}` }
    }
    case 'copy': return statement.direction === 'from' ? copyFromAnswer(session, statement, running) : copyAnswer(session, statement, queryOf(bound), running)
    case 'createTable': return statement.as === undefined ? doing(() => createTable(session, statement)) : createTableAs(session, statement, queryOf(bound), running)
    case 'createSchema': case 'createDatabase': return doing(() => createSchema(session, statement))
    case 'truncate': return doing(() => truncate(session, statement, running))
    case 'drop': return doing(() => dropObjects(session, statement))
    case 'prepare': return doing(async () => {
      if (session.statements.has(statement.name)) throw new SqlError('42P05', `prepared statement "${statement.name}" already exists`)
      session.statements.set(statement.name, await prepareStatement(session, statement.sql, statement.statement, statement.types.map(typeNamed)))
      return 'PREPARE'
    })
    case 'execute': {
      const inner = session.statements.get(statement.name)
      if (inner === undefined) throw noStatement(statement.name)
      if (inner.parameters.length !== statement.args.length) throw new SqlError('42601', `wrong number of parameters for prepared statement "${statement.name}"`, { detail: `Expected ${inner.parameters.length} parameters but got ${statement.args.length}.` })
      await session.lookAround(inner.sql)
      const values = inner.parameters.map((type, i): Value => { const arg = statement.args[i]; return arg === undefined ? null : constantOf(session, arg, type) })
      return executeStatement(session, await currentStatement(session, inner), running.inside(session.parameters(values)))
    }
    case 'deallocate': return doing(async () => {
      if (statement.name === undefined) session.statements.clear()
      else if (!session.statements.delete(statement.name)) throw noStatement(statement.name)
      return statement.name === undefined ? 'DEALLOCATE ALL' : 'DEALLOCATE'
    })
    case 'declare': return doing(() => declareCursor(session, statement, queryOf(bound), running))
    case 'fetch': return fetchAnswer(session, statement, running)
    case 'close': return doing(async () => {
      const names = statement.name === undefined ? [...session.cursors.keys()] : [statement.name]
      for (const name of names) {
        const cursor = session.cursors.get(name)
        if (cursor === undefined) throw noCursor(name)
        session.cursors.delete(name)
        await cursor.close()
      }
      return statement.name === undefined ? 'CLOSE CURSOR ALL' : 'CLOSE CURSOR'
    })
    case 'transaction': return doing(() => controlTransaction(session, statement))
    case 'setTransaction': return doing(async () => {
      const { isolation, readOnly } = statement.modes, prefix = statement.session ? 'default_transaction' : 'transaction'
      if (isolation !== undefined) session.settings.set(`${prefix}_isolation`, isolation)
      if (readOnly !== undefined) session.settings.set(`${prefix}_read_only`, readOnly ? 'on' : 'off')
      return 'SET'
    })
    case 'set': return doing(async () => {
      session.assign(statement.name, statement.values === 'default' ? undefined : statement.values.join(', '), statement.local)
      return 'SET'
    })
    case 'reset': return doing(async () => {
      if (statement.name === undefined) session.settings.resetAll()
      else session.settings.set(statement.name, undefined)
      return 'RESET'
    })
    case 'show': return showSetting(session, statement.name)
    case 'showObjects': return showObjects(session, statement)
    case 'discard': return doing(async () => {
      if (statement.what === 'all') {
        if (session.block !== undefined) throw new SqlError('25001', 'DISCARD ALL cannot run inside a transaction block')
        for (const cursor of session.cursors.values()) await cursor.close()
        session.cursors.clear()
        session.statements.clear()
        session.settings.resetAll()
      } else if (statement.what === 'plans') { /* plans are bound for each execution */ }
      return statement.what === 'all' ? 'DISCARD ALL' : `DISCARD ${statement.what.toUpperCase()}`
    })
    case 'maintenance':
      // tables need no vacuum here and statistics are read from the files; clients send these as a courtesy
      if (statement.what === 'analyze' || statement.what === 'vacuum' || statement.what === 'checkpoint') return done(statement.what.toUpperCase())
      throw unsupported(statement.what.toUpperCase(), { position: statement.at })
    case 'unlisten': return done('UNLISTEN')
    case 'listen': case 'notify': throw unsupported(statement.kind.toUpperCase(), { position: statement.at })
    case 'use': throw unsupported('USE', { position: statement.at, hint: 'SET search_path = …' })
    case 'merge': case 'alter': throw unsupported(statement.kind.toUpperCase(), { position: statement.at })
    case 'createView': return doing(() => createView(session, statement))
    case 'createStreaming': throw unsupported(`CREATE ${statement.object.toUpperCase()}`, { position: statement.at })
    case 'comment': throw unsupported('COMMENT ON', { position: statement.at })
    case 'empty': return done('')
    case 'other': throw unsupported(statement.name, { position: statement.at })
  }
}

async function controlTransaction(session: Session, statement: Extract<Statement, { kind: 'transaction' }>): Promise<string> {
  const block = session.block
  switch (statement.what) {
    case 'begin':
      await session.beginBlock(statement.modes.readOnly)
      if (statement.modes.isolation !== undefined) session.settings.set('transaction_isolation', statement.modes.isolation)
      return 'BEGIN'
    case 'commit': case 'rollback': {
      const tag = await session.endBlock(statement.what === 'commit')
      if (statement.chain && block !== undefined) await session.beginBlock(block.transaction.readOnly)
      return tag
    }
    case 'savepoint': case 'release': case 'rollbackTo': {
      const name = statement.name ?? ''
      const command = { savepoint: 'SAVEPOINT', release: 'RELEASE SAVEPOINT', rollbackTo: 'ROLLBACK TO SAVEPOINT' }[statement.what]
      if (block === undefined) throw new SqlError('25P01', `${command} can only be used in transaction blocks`)
      if (statement.what === 'savepoint') block.transaction.savepoint(name)
      else if (statement.what === 'release') block.transaction.release(name)
      else { block.transaction.rollbackTo(name); block.failed = false }
      return statement.what === 'savepoint' ? 'SAVEPOINT' : statement.what === 'release' ? 'RELEASE' : 'ROLLBACK'
    }
    case 'prepareTransaction': case 'commitPrepared': case 'rollbackPrepared': throw unsupported('two-phase commit', { position: statement.at })
  }
}

function queryOf(bound: Bound | undefined): QueryBound {
  if (bound === undefined || 'change' in bound) throw new SqlError('XX000', 'the statement was not bound')
  return bound
}
function changeOf(bound: Bound | undefined): ChangeBound {
  if (bound === undefined || !('change' in bound)) throw new SqlError('XX000', 'the statement was not bound')
  return bound
}
