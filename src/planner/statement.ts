/**
 * Text to syntax: `parseStatement`, `parseExpression`, `splitStatements`. A statement's first words say who reads it: queries, INSERT and
 * expressions go to Postgres's own grammar (`parse.ts`), after what only the streaming dialects say was taken out (`dialect.ts`); session
 * statements, COPY, SUBSCRIBE and definitions are read here by hand.
 */
import { SqlError } from '../error.ts'
import { emitAt, readExpressionRange, readQueryRange, readRange, readTypeRange } from './fragment.ts'
import { splitStatements } from './lexer.ts'
import { readLiteralInsert } from './literal-insert.ts'
import { checkText, loadParser, tooDeep } from './parse.ts'
import { readAlter, readPartition } from './statement-alter.ts'
import { readCopy } from './statement-copy.ts'
import { readComment, readCreate, readDrop, readTruncate } from './statement-definition.ts'
import { readOptionValue } from './statement-option.ts'
import { ended, readClose, readDeallocate, readDescribe, readDiscard, readExecute, readFetch, readListen, readMaintenance, readReset, readSet, readShow, readTransaction } from './statement-session.ts'
import { readDeclare, readSubscribe } from './statement-subscribe.ts'
import type { Explain, Insert, Option, Prepare, Statement } from './statement-syntax.ts'
import type { Expression, Query } from './syntax.ts'
import { closing, errorAt, partOf, reads, sourceOf, tokenAt, TokenReader } from './token-reader.ts'
import type { Patch, Source } from './token-reader.ts'
import { readChange } from './tree-change.ts'
import { readQuery } from './tree-query.ts'
import { open } from './tree.ts'

export { splitStatements }
export type { StatementText } from './lexer.ts'

/** The one statement of the text, a trailing semicolon allowed; of kind `empty` when there is none. */
export async function parseStatement(sql: string): Promise<Statement> {
  await loadParser()
  return parseStatementSync(sql)
}

/** `parseStatement` after `loadParser`. */
export function parseStatementSync(sql: string): Statement {
  return guarded(sql, () => readLiteralInsert(sql) ?? readWhole(sql))
}

/** A text that is one expression: of a CHECK, a DEFAULT, a file of ours. */
export async function parseExpression(sql: string): Promise<Expression> {
  await loadParser()
  return guarded(sql, () => {
    const source = sourceOf(sql)
    return readExpressionRange(source, 0, source.tokens.length - 1)
  })
}

/** A text that is one query: a view's definition. */
export async function parseQuery(sql: string): Promise<Query> {
  await loadParser()
  return guarded(sql, () => {
    const source = sourceOf(sql)
    return readQueryRange(source, 0, source.tokens.length - 1)
  })
}

/** Our own recursion may run out of stack on what the grammar still took. */
function guarded<T>(sql: string, read: () => T): T {
  checkText(sql)
  try {
    return read()
  } catch (error) {
    throw error instanceof RangeError && error.message.includes('call stack') ? tooDeep() : error
  }
}

function readWhole(sql: string): Statement {
  let source = sourceOf(sql)
  let end = source.tokens.length - 1
  while (end > 0 && reads(tokenAt(source, end - 1), ';')) end--
  if (end < source.tokens.length - 1) source = { ...source, tokens: [...source.tokens.slice(0, end), { kind: 'end', text: '', start: sql.length, end: sql.length }] }
  if (source.tokens.every(token => token.kind === 'end' || token.kind === 'hint' || reads(token, ';'))) return { kind: 'empty', at: 1 }
  // a semicolon inside may still be one of a function's body
  if (source.tokens.some(token => reads(token, ';')) && splitStatements(sql).length > 1) throw new SqlError('42601', 'cannot insert multiple commands into a prepared statement')
  return readStatement(source)
}

/** Reads all tokens of the source as one statement. */
function readStatement(source: Source): Statement {
  const t = new TokenReader(source), at = t.at
  switch (t.token.kind === 'name' || t.is('(') ? t.token.text : '') {
    case 'select': case 'values': case 'table': case '(': return { kind: 'select', query: readQueryRange(source, t.index, source.tokens.length - 1), at }
    case 'with': return readGrammar(source)
    case 'insert': case 'upsert': return readInsertStatement(source)
    case 'set': return readSet(t)
    case 'show': return readShow(t)
    case 'describe': case 'desc': return readDescribe(t)
    case 'reset': return readReset(t)
    case 'discard': return readDiscard(t)
    case 'begin': case 'start': case 'commit': case 'end': case 'rollback': case 'abort': case 'savepoint': case 'release': return readTransaction(t)
    case 'declare': return readDeclare(t)
    case 'fetch': case 'move': return readFetch(t)
    case 'close': return readClose(t)
    case 'subscribe': return readSubscribe(t)
    case 'copy': return readCopy(t, readStatement)
    case 'explain': return readExplain(t)
    case 'prepare': return t.is('prepare', 'transaction') ? readTransaction(t) : readPrepare(t)
    case 'execute': return readExecute(t)
    case 'deallocate': return readDeallocate(t)
    case 'listen': case 'unlisten': case 'notify': return readListen(t)
    case 'vacuum': case 'analyze': case 'analyse': case 'checkpoint': case 'lock': case 'refresh': case 'flush': case 'wait': case 'recover': case 'cancel': case 'kill': return readMaintenance(t)
    case 'use': t.next(); return ended(t, { kind: 'use', path: t.path(), at })
    case 'create': return readCreate(t) ?? readGrammar(source)
    case 'drop': return readDrop(t) ?? readGrammar(source)
    case 'alter': return readAlter(t, () => { readGrammar(source) }) ?? readGrammar(source)
    case 'truncate': return readTruncate(t)
    case 'comment': return readComment(t) ?? readGrammar(source)
    default: return readGrammar(source)
  }
}

/** What Postgres's grammar reads whole: WITH …, UPDATE, DELETE, MERGE, and every statement that has no node. */
function readGrammar(source: Source): Statement {
  const t = new TokenReader(source), at = t.at, from = t.index, to = source.tokens.length - 1
  if (t.is('with') && hasEmit(source, from, to)) return { kind: 'select', query: readQueryRange(source, from, to), at }
  return readRange(source, from, to, (r, wrapped): Statement => {
    if (open(wrapped).tag === 'SelectStmt') return { kind: 'select', query: readQuery(r, wrapped), at }
    return readChange(r, wrapped) ?? { kind: 'other', name: commandName(source, from), at }
  })
}

function hasEmit(source: Source, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (tokenAt(source, i).text === 'emit' && emitAt(source, i)) return true
  return false
}

const PREFIXES: ReadonlySet<string> = new Set(['or', 'replace', 'temp', 'temporary', 'unique', 'trusted', 'procedural', 'constraint', 'global', 'local', 'unlogged', 'recursive'])
const LONG_NAMES: readonly string[] = ['access method', 'default privileges', 'event trigger', 'foreign data', 'foreign table', 'foreign schema', 'large object', 'materialized view', 'operator class', 'operator family', 'text search',
  'user mapping', 'owned by']

/** `CREATE TRIGGER`, `GRANT`, `SECURITY LABEL`: the command's words, without modifiers and names. */
function commandName(source: Source, from: number): string {
  const first = tokenAt(source, from).text
  if (!['create', 'alter', 'drop', 'comment', 'security', 'reassign', 'import'].includes(first)) return first.toUpperCase()
  let i = from + 1
  while (tokenAt(source, i).kind === 'name' && PREFIXES.has(tokenAt(source, i).text)) i++
  const two = `${tokenAt(source, i).text} ${tokenAt(source, i + 1).text}`
  return `${first} ${LONG_NAMES.includes(two) ? two : tokenAt(source, i).text}`.toUpperCase()
}

/** INSERT INTO; and INSERT OVERWRITE [TABLE] t [PARTITION (…)], UPSERT INTO, as INSERT INTO with a flag. */
function readInsertStatement(source: Source): Insert {
  const t = new TokenReader(source), patches: Patch[] = []
  const at = t.at, start = t.index
  const upsert = t.next().text === 'upsert'
  let overwrite = false, partition: Insert['partition'] = []
  if (upsert) { patches.push({ from: start, to: start + 1, text: 'INSERT' }); if (!t.is('into')) throw t.error() }
  if (t.is('overwrite')) {
    overwrite = true
    patches.push({ from: t.index, to: t.index + 1, text: 'INTO' })
    t.next()
    if (t.is('into')) throw t.error()
  } else t.accept('into')
  if (t.is('table') && !t.is('table', '(')) { patches.push({ from: t.index, to: t.index + 1, text: '' }); t.next() }
  if (t.isName) t.path()
  if (t.is('partition', '(')) {
    const clause = t.index
    t.next()
    partition = readPartition(t)
    patches.push({ from: clause, to: t.index, text: '' })
  }
  return readRange({ ...source, patches }, start, source.tokens.length - 1, (r, wrapped) => {
    const insert = readChange(r, wrapped)
    if (insert?.kind !== 'insert') throw errorAt(source, tokenAt(source, start))
    return { ...insert, overwrite, upsert, partition, at }
  })
}

const FLINK_DETAILS: readonly string[] = ['estimated_cost', 'changelog_mode', 'plan_advice', 'json_execution_plan']

function readExplain(t: TokenReader): Statement {
  const at = t.at, { source } = t
  t.expect('explain')
  let analyze = false, verbose = false, format: Explain['format'] = 'text'
  const options: Option[] = []
  if (t.is('(') && !['select', 'values', 'with', '(', 'table'].some(word => t.is('(', word))) {
    for (const option of t.parenthesised(() => {
      const here = t.at, key = t.acceptOne('analyze', 'analyse') ?? t.name()
      return { key, value: t.is(',') || t.is(')') ? 'true' : readOptionValue(t), at: here }
    })) {
      if (option.key === 'analyze' || option.key === 'analyse') analyze = boolean(option)
      else if (option.key === 'verbose') verbose = boolean(option)
      else if (option.key === 'format') {
        const value = option.value.toLowerCase()
        if (value !== 'text' && value !== 'json' && value !== 'xml' && value !== 'yaml') throw new SqlError('22023', `unrecognized value for EXPLAIN option "format": "${option.value}"`, { position: option.at })
        format = value
      } else options.push(option)
    }
  } else {
    if (t.accept('analyze') || t.accept('analyse')) analyze = true
    if (t.accept('verbose')) verbose = true
    while (FLINK_DETAILS.some(word => t.is(word))) { options.push({ key: t.token.text, value: 'true', at: t.at }); t.next(); t.accept(',') }
    for (const stage of ['physical', 'optimized', 'decorrelated', 'raw', 'logical']) if (t.is(stage, 'plan')) { options.push({ key: stage, value: 'true', at: t.at }); t.next() }
    if (t.accept('plan')) t.expect('for')
  }
  for (const words of [['materialized', 'view'], ['timestamp', 'for'], ['filter', 'pushdown'], ['memory'], ['hints']]) {
    if (t.is(...words)) return { kind: 'other', name: `EXPLAIN ${analyze ? 'ANALYZE ' : ''}${words.join(' ').toUpperCase()}`, at }
  }
  if (t.atEnd) throw t.error()
  return { kind: 'explain', statement: readStatement(partOf(source, t.index, source.tokens.length - 1)), analyze, verbose, format, options, at }
}

function boolean(option: Option): boolean {
  const text = option.value.toLowerCase()
  if (['true', 'on', '1'].includes(text)) return true
  if (['false', 'off', '0'].includes(text)) return false
  throw new SqlError('42601', `${option.key} requires a Boolean value`, { position: option.at })
}

function readPrepare(t: TokenReader): Prepare {
  const at = t.at, { source } = t
  t.expect('prepare')
  const name = t.name()
  const types: Prepare['types'][number][] = []
  if (t.is('(')) {
    const opening = t.index, close = closing(source, opening)
    for (let from = opening + 1, i = from; i <= close; i++) {
      if (i < close && reads(tokenAt(source, i), '(')) i = closing(source, i)
      if (i !== close && !reads(tokenAt(source, i), ',')) continue
      types.push(readTypeRange(source, from, i))
      from = i + 1
    }
    t.moveTo(close + 1)
  }
  t.expect('as')
  if (t.atEnd) throw t.error()
  const from = t.index, to = source.tokens.length - 1
  return { kind: 'prepare', name, types, statement: readStatement(partOf(source, from, to)), sql: source.sql.slice(tokenAt(source, from).start, tokenAt(source, to - 1).end), at }
}
