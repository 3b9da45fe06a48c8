/** SUBSCRIBE, and the cursors it and queries are read through. */
import { SqlError, unsupported } from '../error.ts'
import { readExpressionRange, readQueryRange } from './fragment.ts'
import { readOptions } from './statement-option.ts'
import type { Declare, Option, Other, Subscribe } from './statement-syntax.ts'
import type { Expression } from './syntax.ts'
import { closing, partOf, reads, tokenAt, TokenReader } from './token-reader.ts'

/** `SUBSCRIBE [TO] (query) | table [WITH (…)] [AS OF [AT LEAST] e] [UP TO e] [ENVELOPE …]`, clauses in any order. */
export function readSubscribe(t: TokenReader): Subscribe {
  const at = t.at
  t.expect('subscribe')
  t.accept('to')
  const { source } = t
  let what: Subscribe['what'], sql: string
  if (t.is('(')) {
    const open = t.index, close = closing(source, open)
    what = { kind: 'query', query: readQueryRange(source, open + 1, close) }
    sql = source.sql.slice(tokenAt(source, open + 1).start, tokenAt(source, close - 1).end)
    t.moveTo(close + 1)
  } else {
    const tableAt = t.at, from = t.index, path = t.path()
    what = { kind: 'table', table: { path, only: false, at: tableAt } }
    sql = source.sql.slice(tokenAt(source, from).start, tokenAt(source, t.index - 1).end)
  }
  return { kind: 'subscribe', what, sql, ...readSubscribeClauses(t), at }
}

function readSubscribeClauses(t: TokenReader): Omit<Subscribe, 'kind' | 'what' | 'sql' | 'at'> {
  let clauses: Omit<Subscribe, 'kind' | 'what' | 'sql' | 'at'> = { options: [] }
  while (!t.atEnd) {
    const at = t.at
    if (t.accept('with')) {
      const others: Option[] = []
      for (const option of readOptions(t)) {
        if (option.key === 'snapshot') clauses = { ...clauses, snapshot: boolean(option) }
        else if (option.key === 'progress') clauses = { ...clauses, progress: boolean(option) }
        else others.push(option)
      }
      clauses = { ...clauses, options: [...clauses.options, ...others] }
    } else if (clauses.asOf === undefined && t.accept('as', 'of')) {
      const atLeast = t.accept('at', 'least')
      clauses = { ...clauses, asOf: { value: readBound(t), atLeast } }
    } else if (clauses.upTo === undefined && t.accept('up', 'to')) clauses = { ...clauses, upTo: readBound(t) }
    else if (clauses.envelope === undefined && t.accept('envelope')) {
      const kind = t.acceptOne('upsert', 'debezium')
      if (kind === undefined) throw t.error()
      t.expect('(', 'key')
      const key = t.parenthesised(() => t.name())
      t.expect(')')
      clauses = { ...clauses, envelope: { kind, key, at } }
    } else if (t.is('within', 'timestamp')) throw unsupported('SUBSCRIBE … WITHIN TIMESTAMP ORDER BY', { position: at })
    else throw t.error()
  }
  return clauses
}

function boolean(option: Option): boolean {
  const text = option.value.toLowerCase()
  if (['true', 'on', '1', 'yes'].includes(text)) return true
  if (['false', 'off', '0', 'no'].includes(text)) return false
  throw new SqlError('42601', `${option.key} requires a Boolean value`, { position: option.at })
}

/** The expression up to the next clause of SUBSCRIBE. */
function readBound(t: TokenReader): Expression {
  const from = t.index, { source } = t
  let i = from
  for (; tokenAt(source, i).kind !== 'end'; i++) {
    const token = tokenAt(source, i), next = tokenAt(source, i + 1)
    if (reads(token, '(') || reads(token, '[')) { i = closing(source, i); continue }
    if ((reads(token, 'up') && reads(next, 'to')) || (reads(token, 'as') && reads(next, 'of')) || (reads(token, 'with') && reads(next, '(')) || reads(token, 'envelope') || reads(token, 'within')) break
  }
  t.moveTo(i)
  return readExpressionRange(source, from, i)
}

/** DECLARE c [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITH HOLD] FOR query | SUBSCRIBE … */
export function readDeclare(t: TokenReader): Declare | Other {
  const at = t.at
  t.expect('declare')
  if (t.is('recursive', 'view')) return { kind: 'other', name: 'DECLARE RECURSIVE VIEW', at }
  const name = t.name()
  let declared: Pick<Declare, 'binary' | 'scroll' | 'hold' | 'insensitive'> = { binary: false, hold: false }
  if (t.accept('subscription', 'cursor')) return { kind: 'other', name: 'DECLARE … SUBSCRIPTION CURSOR', at }
  while (!t.accept('cursor')) {
    if (t.accept('binary')) declared = { ...declared, binary: true }
    else if (t.accept('insensitive')) declared = { ...declared, insensitive: true }
    else if (t.accept('asensitive')) declared = { ...declared, insensitive: false }
    else if (t.accept('no', 'scroll')) declared = { ...declared, scroll: false }
    else if (t.accept('scroll')) declared = { ...declared, scroll: true }
    else throw t.error()
  }
  if (t.accept('with', 'hold')) declared = { ...declared, hold: true }
  else t.accept('without', 'hold')
  t.expect('for')
  const from = t.index, to = t.source.tokens.length - 1
  if (t.atEnd) throw t.error()
  const sql = t.source.sql.slice(t.token.start, tokenAt(t.source, to - 1).end)
  const query = t.is('subscribe') ? readSubscribe(new TokenReader(partOf(t.source, from, to))) : readQueryRange(t.source, from, to)
  return { kind: 'declare', name, ...declared, query, sql, at }
}

