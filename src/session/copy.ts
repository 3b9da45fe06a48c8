/** COPY … TO STDOUT, of a table, a query or a subscription. */
import type { Running } from '../engine.ts'
import { SqlError, unsupported } from '../error.ts'
import type { Copy, CopyOptions } from '../planner/statement-syntax.ts'
import type { Query } from '../planner/syntax.ts'
import type { Type } from '../type.ts'
import { fieldsOf } from './answers.ts'
import { answerFields, bindQueryFor, planned } from './binding.ts'
import type { QueryBound } from './binding.ts'
import type { Answer, AnswerField, CopyFormat } from './face.ts'
import type { Session } from './session.ts'
import { subscribeSchema, subscriptionRows } from './subscribe.ts'
import { beginSubscription, subscribedPlan } from './subscription.ts'

/** Binds what is copied, and the columns that go out. */
export async function bindCopy(session: Session, statement: Copy, types: readonly (Type | undefined)[]): Promise<{ readonly bound: QueryBound; readonly fields: readonly AnswerField[] }> {
  if (statement.place.kind !== 'client') throw unsupported(`COPY TO a ${statement.place.kind} of the server`, { position: statement.at, hint: 'COPY … TO STDOUT, and let the client write it (psql: \\copy).' })
  const { what } = statement
  if (what.kind === 'statement' && what.statement.kind === 'subscribe') {
    const bound = await subscribedPlan(session, what.statement, types)
    return { bound, fields: fieldsOf(subscribeSchema(bound.plan.schema, what.statement.progress === true)) }
  }
  if (what.kind === 'statement' && what.statement.kind !== 'select') throw unsupported(`COPY of ${what.statement.kind.toUpperCase()}`, { position: statement.at })
  const bound = await bindQueryFor(session, what.kind === 'table' ? columnsQuery(what, statement.at) : what.statement.kind === 'select' ? what.statement.query : columnsQuery({ table: { path: [], only: false, at: 1 } }, 1), types)
  return { bound, fields: answerFields(bound) }
}

/** `SELECT a, b FROM t` for COPY t (a, b). */
function columnsQuery(what: Pick<Extract<Copy['what'], { kind: 'table' }>, 'table' | 'columns'>, at: number): Query {
  const targets = what.columns === undefined ? [{ expression: { kind: 'star' as const, path: [], at }, at }] : what.columns.map(column => ({ expression: { kind: 'column' as const, path: [column.name], at: column.at }, at: column.at }))
  return { kind: 'query', orderBy: [], withTies: false, locking: [], at, body: { kind: 'select', targets, from: [{ kind: 'table', ...what.table, hints: [] }], groupBy: [], groupDistinct: false, windows: [], hints: [], at } }
}

export async function copyAnswer(session: Session, statement: Copy, bound: QueryBound, running: Running): Promise<Answer> {
  const copy = formatOf(statement.options, 'to'), tag = (rows: number): string => `COPY ${rows}`, { what } = statement
  if (what.kind === 'statement' && what.statement.kind === 'subscribe') {
    const { subscription, schema } = await beginSubscription(session, what.statement, bound, running)
    const progress = what.statement.progress === true, rows = subscribeSchema(schema, progress)
    return { fields: fieldsOf(rows), schema: rows, live: true, copy, tag, batches: subscriptionRows(subscription, schema, progress, session.engine.memory) }
  }
  const plan = await planned(session, bound, running)
  return { fields: answerFields(bound), schema: plan.schema, copy, tag, batches: session.engine.run(plan, running) }
}

/** The options, checked as PostgreSQL checks them. */
export function formatOf(options: CopyOptions, direction: 'from' | 'to'): CopyFormat {
  const format = options.format ?? 'text'
  if (format !== 'text' && format !== 'csv' && format !== 'binary') throw new SqlError('22023', `COPY format "${format}" not recognized`)
  const [other] = options.others
  if (other !== undefined) throw new SqlError('42601', `option "${other.key}" not recognized`, { position: other.at })
  if (options.encoding !== undefined && !/^utf-?8$/i.test(options.encoding)) throw unsupported(`the encoding ${options.encoding}`)
  const delimiter = options.delimiter ?? (format === 'csv' ? ',' : '\t'), quote = options.quote ?? '"'
  if (format === 'binary' && (options.delimiter !== undefined || options.null !== undefined)) throw new SqlError('42601', `cannot specify ${options.delimiter === undefined ? 'NULL' : 'DELIMITER'} in BINARY mode`)
  if (Buffer.byteLength(delimiter) !== 1) throw new SqlError('0A000', 'COPY delimiter must be a single one-byte character')
  if (delimiter === '\n' || delimiter === '\r') throw new SqlError('22023', 'COPY delimiter cannot be newline or carriage return')
  if (format !== 'csv' && /^[\\.a-z0-9]$/.test(delimiter)) throw new SqlError('22023', `COPY delimiter cannot be "${delimiter}"`)
  if (format !== 'csv' && options.quote !== undefined) throw new SqlError('0A000', 'COPY quote available only in CSV mode')
  if (format !== 'csv' && options.escape !== undefined) throw new SqlError('0A000', 'COPY escape available only in CSV mode')
  if (format !== 'csv' && options.forceQuote !== undefined) throw new SqlError('0A000', 'COPY force quote available only in CSV mode')
  if (direction === 'from' && options.forceQuote !== undefined) throw new SqlError('0A000', 'COPY force quote only available using COPY TO')
  if (format === 'binary' && options.header === 'true') throw new SqlError('0A000', 'cannot specify HEADER in BINARY mode')
  if (options.header === 'match' && direction === 'to') throw new SqlError('0A000', 'cannot use "match" with HEADER in COPY TO')
  return { format, delimiter, null: options.null ?? (format === 'csv' ? '' : '\\N'), header: options.header === 'true', quote, escape: options.escape ?? quote, forceQuote: options.forceQuote }
}
