/** CREATE, DROP and what else defines things: the dispatch, and everything but tables (`statement-table.ts`) and ALTER (`statement-alter.ts`). */
import { unsupported } from '../error.ts'
import { emitAt, readQueryRange } from './fragment.ts'
import { readOptions } from './statement-option.ts'
import { ended } from './statement-session.ts'
import { acceptIfNotExists, readClauses, readCreateStreaming, readCreateTable } from './statement-table.ts'
import type { CommentOn, CreateTable, CreateView, Drop, Statement, Truncate } from './statement-syntax.ts'
import type { Query } from './syntax.ts'
import { reads, tokenAt } from './token-reader.ts'
import type { TokenReader } from './token-reader.ts'

/** CREATE of something we have a node for; undefined leaves the whole statement to Postgres's grammar. */
export function readCreate(t: TokenReader): Statement | undefined {
  const at = t.at
  t.expect('create')
  const replace = t.accept('or', 'replace')
  let persistence: CreateTable['persistence'] = 'permanent'
  if (t.is('local', 'view')) return { kind: 'other', name: 'CREATE LOCAL VIEW', at }
  if (t.is('local', 'temporary') || t.is('local', 'temp') || t.is('global', 'temporary') || t.is('global', 'temp')) t.next()
  if (t.accept('temporary') || t.accept('temp')) persistence = 'temporary'
  else if (t.accept('unlogged')) persistence = 'unlogged'
  if (t.accept('table')) return readCreateTable(t, { replace, persistence, at })
  if (t.is('view') || t.is('recursive', 'view') || t.is('materialized', 'view')) return readCreateView(t, { replace, persistence, at })
  const streaming = (['source', 'sink', 'subscription', 'connection', 'catalog'] as const).find(object => t.is(object))
  if (streaming !== undefined) {
    // a subscription of Postgres says CONNECTION: it is another thing
    if (streaming === 'subscription' && t.source.tokens.some(token => reads(token, 'publication'))) return undefined
    t.next()
    return readCreateStreaming(t, streaming, at)
  }
  if (t.is('schema')) {
    t.next()
    const ifNotExists = acceptIfNotExists(t)
    if (t.accept('authorization')) { const name = t.name(); return ended(t, { kind: 'createSchema', name, ifNotExists, options: [], elements: 0, at }) }
    const name = t.name()
    if (t.accept('authorization')) t.name()
    // elements of the schema in the same statement are left to the grammar to count
    if (t.is('create') || t.is('grant')) return { kind: 'createSchema', name, ifNotExists, options: [], elements: 1, at }
    const clauses = readClauses(t, [])
    return { kind: 'createSchema', name, ifNotExists, options: clauses.options, ...(clauses.comment === undefined ? {} : { comment: clauses.comment }), elements: 0, at }
  }
  if (t.is('database')) {
    t.next()
    const ifNotExists = acceptIfNotExists(t), name = t.name()
    if (!t.atEnd && !t.is('with', '(') && !t.is('comment')) return { kind: 'other', name: 'CREATE DATABASE with options', at }
    const clauses = readClauses(t, [])
    return { kind: 'createDatabase', name, ifNotExists, options: clauses.options, ...(clauses.comment === undefined ? {} : { comment: clauses.comment }), at }
  }
  if (t.is('cluster')) return { kind: 'other', name: 'CREATE CLUSTER', at }
  if (t.is('materialized', 'table')) return { kind: 'other', name: 'CREATE MATERIALIZED TABLE', at }
  return undefined
}

/** From VIEW, RECURSIVE VIEW or MATERIALIZED VIEW. */
function readCreateView(t: TokenReader, head: Pick<CreateView, 'replace' | 'persistence' | 'at'>): CreateView {
  const recursive = t.accept('recursive'), materialized = t.accept('materialized')
  t.expect('view')
  const ifNotExists = acceptIfNotExists(t), viewAt = t.at, view: CreateView['view'] = { path: t.path(), only: false, at: viewAt }
  let comment: string | undefined, options: CreateView['options'] = []
  // Flink allows a comment behind a column's name
  const columns = t.is('(') ? t.parenthesised(() => { const name = t.name(); if (t.accept('comment')) t.string(); return name }) : []
  while (!t.accept('as')) {
    if (t.accept('with') || t.accept('tblproperties')) options = [...options, ...readOptions(t)]
    else if (t.accept('comment')) { t.accept('='); comment = t.string() }
    else if (t.is('using') || t.is('tablespace') || t.is('into') || t.is('in', 'cluster') || t.is('partitioned', 'by')) throw unsupported(`CREATE VIEW … ${t.token.text.toUpperCase()}`, { position: t.at })
    else throw t.error()
  }
  const { source } = t, from = t.index
  const last = source.tokens.length - 1
  let to = last
  const behind = (...words: readonly string[]): boolean => words.every((word, i) => reads(tokenAt(source, to - words.length + i), word))
  let checkOption: CreateView['checkOption'], withData = true
  if (behind('with', 'check', 'option')) { checkOption = 'cascaded'; to -= 3 }
  else if (behind('with', 'cascaded', 'check', 'option')) { checkOption = 'cascaded'; to -= 4 }
  else if (behind('with', 'local', 'check', 'option')) { checkOption = 'local'; to -= 4 }
  else if (behind('with', 'no', 'data')) { withData = false; to -= 3 }
  else if (behind('with', 'data')) to -= 2
  const query = readQueryRange(source, from, to)
  let end = to
  for (let i = from; i < to; i++) if (emitAt(source, i)) end = i
  t.moveTo(last)
  return {
    kind: 'createView', view, columns, query: recursive ? recursiveQuery(view.path[view.path.length - 1] ?? '', columns, query) : query,
    sql: source.sql.slice(tokenAt(source, from).start, tokenAt(source, end - 1).end),
    ...head, ifNotExists, materialized, recursive, options, ...(checkOption === undefined ? {} : { checkOption }), withData, ...(comment === undefined ? {} : { comment }),
  }
}

/** CREATE RECURSIVE VIEW v (a, b) AS q is a view of WITH RECURSIVE v (a, b) AS (q) SELECT a, b FROM v. */
function recursiveQuery(name: string, columns: readonly string[], query: Query): Query {
  const { at } = query
  return {
    kind: 'query', with: { recursive: true, tables: [{ name, columns, materialized: 'default', statement: query, at }], at },
    body: {
      kind: 'select', targets: columns.map(column => ({ expression: { kind: 'column', path: [column], at }, at })),
      from: [{ kind: 'table', path: [name], only: false, hints: [], at }], groupBy: [], groupDistinct: false, windows: [], hints: [], at,
    },
    orderBy: [], withTies: false, locking: [], at,
  }
}

const DROPPED: readonly string[] = ['materialized view', 'materialized table', 'foreign table', 'table', 'view', 'schema', 'database', 'source', 'sink', 'subscription', 'connection', 'catalog', 'cluster', 'index', 'sequence', 'type', 'domain',
  'function', 'procedure', 'aggregate', 'routine', 'extension', 'role', 'user', 'collation', 'statistics', 'secret']

/** DROP of what has a name of its own; undefined leaves it to Postgres's grammar (DROP TRIGGER x ON t, DROP CAST …). */
export function readDrop(t: TokenReader): Drop | undefined {
  const at = t.at
  t.expect('drop')
  t.accept('temporary')
  const object = DROPPED.find(name => t.is(...name.split(' ')))
  if (object === undefined) return undefined
  t.accept(...object.split(' '))
  if (object === 'index') t.accept('concurrently')
  const ifExists = t.accept('if')
  if (ifExists) t.expect('exists')
  const names = t.separated(() => {
    const nameAt = t.at, path = t.path()
    if (t.is('(') && object !== 'database') t.skipBracket()
    return { path, at: nameAt }
  })
  if (object === 'database') { t.accept('with'); if (t.is('(')) t.skipBracket() }
  const cascade = t.accept('cascade')
  if (!cascade) t.accept('restrict')
  return ended(t, { kind: 'drop', object, names, ifExists, cascade, at })
}

export function readTruncate(t: TokenReader): Truncate {
  const at = t.at
  t.expect('truncate')
  t.accept('table')
  const tables = t.separated(() => {
    const only = t.accept('only'), tableAt = t.at, path = t.path()
    t.accept('*')
    return { path, only, at: tableAt }
  })
  const restartIdentity = t.accept('restart', 'identity')
  if (!restartIdentity) t.accept('continue', 'identity')
  const cascade = t.accept('cascade')
  if (!cascade) t.accept('restrict')
  return ended(t, { kind: 'truncate', tables, restartIdentity, cascade, at })
}

const COMMENTED: readonly string[] = ['materialized view', 'foreign table', 'table', 'view', 'column', 'schema', 'database', 'index', 'sequence', 'type', 'domain', 'extension', 'source', 'sink']

export function readComment(t: TokenReader): CommentOn | undefined {
  const at = t.at
  t.expect('comment', 'on')
  const object = COMMENTED.find(name => t.is(...name.split(' ')))
  if (object === undefined) return undefined
  t.accept(...object.split(' '))
  const name = t.path()
  t.expect('is')
  const comment = t.accept('null') ? undefined : t.string()
  return ended(t, { kind: 'comment', object, name, comment, at })
}
