/** CREATE TABLE and CREATE SOURCE, SINK, …: heads and clauses by hand, columns by Postgres's grammar after the dialects' words were taken out. */
import { unsupported } from '../error.ts'
import { readElementRange, readExpressionRange, readQueryRange } from './fragment.ts'
import { stringOf } from './lexer.ts'
import { ended } from './statement-session.ts'
import { readOptions } from './statement-option.ts'
import type { CreateStreaming, CreateTable, Option, TableColumn, Watermark } from './statement-syntax.ts'
import type { Query } from './syntax.ts'
import { closing, errorAt, reads, tokenAt } from './token-reader.ts'
import type { Patch, Source, TokenReader } from './token-reader.ts'
import type { TableElements } from './tree-column.ts'
import { typeAt } from './type-text.ts'

/** The column list of a table: what Postgres knows, and what it does not. */
export interface ColumnList extends TableElements {
  readonly watermark?: Watermark
  /** Set when every element is a bare name: CREATE TABLE t (a, b) AS … */
  readonly names?: readonly string[]
}

type Extra = Pick<TableColumn, 'comment' | 'computed' | 'metadata' | 'lateness'> & { readonly untyped?: boolean }

/** The elements between the brackets: tokens `from` to `to` (exclusive). */
export function readColumnList(source: Source, from: number, to: number): ColumnList {
  const ranges = splitElements(source, from, to)
  if (ranges.length > 0 && ranges.every(([a, b]) => b === a + 1)) {
    const names = ranges.map(([a]) => tokenAt(source, a))
    if (names.every(token => token.kind === 'name' || token.kind === 'quoted')) return { columns: [], constraints: [], like: [], names: names.map(token => token.text) }
  }
  const patches: Patch[] = [], extras = new Map<number, Extra>(), notEnforced = new Set<number>()
  let watermark: Watermark | undefined
  ranges.forEach(([a, b], i) => {
    if (reads(tokenAt(source, a), 'watermark') && reads(tokenAt(source, a + 1), 'for')) {
      watermark = readWatermark(source, a, b)
      // with the comma before it, or the one behind
      patches.push(i > 0 && patches.at(-1)?.to !== a ? { from: a - 1, to: b, text: '' } : { from: a, to: Math.min(b + 1, to), text: '' })
      return
    }
    const at = source.at(tokenAt(source, a).start)
    for (let k = a; k < b - 1; k++) {
      if (reads(tokenAt(source, k), 'not') && reads(tokenAt(source, k + 1), 'enforced')) { patches.push({ from: k, to: k + 2, text: '' }); notEnforced.add(at) }
    }
    if (!isConstraint(source, a)) extras.set(at, readColumnExtras(source, a, b, patches))
  })
  const elements = readElementRange({ ...source, patches }, from, to)
  return {
    columns: elements.columns.map(column => {
      const { untyped, ...extra } = extras.get(column.at) ?? {}
      const { type: _, ...without } = column
      return untyped === true ? { ...without, ...extra } : { ...column, ...extra }
    }),
    constraints: elements.constraints.map(constraint => notEnforced.has(constraint.at) ? { ...constraint, notEnforced: true } : constraint),
    like: elements.like, ...(watermark === undefined ? {} : { watermark }),
  }
}

/** The token ranges between the commas of the outermost level, angle brackets of types included. */
export function splitElements(source: Source, from: number, to: number): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = []
  let start = from
  for (let i = from; i < to; i++) {
    const token = tokenAt(source, i)
    if (reads(token, '(') || reads(token, '[')) i = closing(source, i)
    else if (reads(token, ',')) { ranges.push([start, i]); start = i + 1 }
    else if (i === start + 1 && token.kind === 'name') { const type = typeAt(source, i); if (type !== undefined && type.next > i + 1 && type.next <= to) i = type.next - 1 }
  }
  if (start < to) ranges.push([start, to])
  return ranges
}

function isConstraint(source: Source, index: number): boolean {
  const first = tokenAt(source, index), second = tokenAt(source, index + 1)
  if (first.kind !== 'name') return false
  switch (first.text) {
    case 'constraint': case 'check': case 'unique': case 'primary': case 'foreign': case 'like': return true
    case 'exclude': return reads(second, '(') || reads(second, 'using')
    default: return false
  }
}

function readWatermark(source: Source, a: number, b: number): Watermark {
  const column = tokenAt(source, a + 2)
  if (column.kind !== 'name' && column.kind !== 'quoted') throw errorAt(source, column)
  if (!reads(tokenAt(source, a + 3), 'as')) throw errorAt(source, tokenAt(source, a + 3))
  if (reads(tokenAt(source, b - 2), 'with') && reads(tokenAt(source, b - 1), 'ttl')) throw unsupported('WATERMARK … WITH TTL', { position: source.at(tokenAt(source, b - 2).start) })
  return { column: column.text, expression: readExpressionRange(source, a + 4, b), at: source.at(tokenAt(source, a).start) }
}

const COLUMN_WORDS: ReadonlySet<string> = new Set(['not', 'null', 'primary', 'unique', 'check', 'default', 'references', 'constraint', 'comment', 'collate', 'generated', 'watermark'])

/** COMMENT '…', METADATA …, LATENESS e, and `c AS e`: taken out of the column's text. */
function readColumnExtras(source: Source, a: number, b: number, patches: Patch[]): Extra {
  let extra: Extra = {}, end = b
  if (reads(tokenAt(source, b - 2), 'comment') && tokenAt(source, b - 1).kind === 'string') {
    extra = { comment: stringOf(source.sql, tokenAt(source, b - 1)) }
    patches.push({ from: b - 2, to: b, text: '' })
    end = b - 2
  }
  if (reads(tokenAt(source, a + 1), 'as')) {
    patches.push({ from: a + 1, to: end, text: 'text' })
    return { ...extra, computed: readExpressionRange(source, a + 2, end), untyped: true }
  }
  const type = typeAt(source, a + 1)
  for (let i = type?.next ?? a + 2; i < end; i++) {
    const token = tokenAt(source, i)
    if (reads(token, '(') || reads(token, '[')) { i = closing(source, i); continue }
    if (reads(token, 'comment') && tokenAt(source, i + 1).kind === 'string') {
      extra = { ...extra, comment: stringOf(source.sql, tokenAt(source, i + 1)) }
      patches.push({ from: i, to: i + 2, text: '' })
      i++
    } else if (reads(token, 'metadata')) {
      let next = i + 1, key = tokenAt(source, a).text
      if (reads(tokenAt(source, next), 'from') && tokenAt(source, next + 1).kind === 'string') { key = stringOf(source.sql, tokenAt(source, next + 1)); next += 2 }
      if (reads(tokenAt(source, next), 'virtual')) next++
      extra = { ...extra, metadata: key }
      patches.push({ from: i, to: next, text: '' })
      i = next - 1
    } else if (reads(token, 'lateness')) {
      let next = i + 1
      while (next < end && !(tokenAt(source, next).kind === 'name' && COLUMN_WORDS.has(tokenAt(source, next).text))) next = reads(tokenAt(source, next), '(') ? closing(source, next) + 1 : next + 1
      extra = { ...extra, lateness: readExpressionRange(source, i + 1, next) }
      patches.push({ from: i, to: next, text: '' })
      i = next - 1
    }
  }
  return extra
}

/** What may follow a table's columns. */
export interface Clauses {
  readonly options: readonly Option[]
  readonly partitionedBy: readonly string[]
  readonly comment?: string
  readonly appendOnly: boolean
  readonly as?: { readonly query: Query; readonly withData: boolean }
  readonly otherClauses: readonly { readonly name: string; readonly at: number }[]
}

/** Clauses that have no node: words they begin with. Each reaches to the next clause or the end. */
const OTHER_CLAUSES: readonly string[] = ['partition by', 'partition of', 'inherits', 'on commit', 'on conflict', 'tablespace', 'using', 'distributed by', 'distributed into', 'cluster by', 'clustered by', 'format', 'include',
  'envelope', 'engine', 'location', 'stored as', 'row format', 'without oids', 'key', 'mode', 'refresh_mode', 'freshness', 'expose', 'from', 'into', 'to', 'size', 'replicas', 'in cluster', 'like', 'type', 'schema', 'validate']
const CLAUSES: readonly string[] = ['with', 'comment', 'partitioned by', 'append only', 'options', 'tblproperties', 'as', ...OTHER_CLAUSES]
/** INCLUDE key AS k: words that begin clauses elsewhere. */
const AFTER_INCLUDE: readonly string[] = ['with', 'include', 'format', 'envelope', 'partitioned by', 'append only']

const isClause = (t: TokenReader, clause: string): boolean => t.is(...clause.split(' '))

/** Reads the clauses up to the end. `allowed` narrows the ones without a node. */
export function readClauses(t: TokenReader, allowed: readonly string[] = OTHER_CLAUSES): Clauses {
  let clauses: Clauses = { options: [], partitionedBy: [], appendOnly: false, otherClauses: [] }
  while (!t.atEnd) {
    const at = t.at
    if (t.accept('with') || t.accept('options') || t.accept('tblproperties')) clauses = { ...clauses, options: [...clauses.options, ...readOptions(t)] }
    else if (t.accept('comment')) { t.accept('='); clauses = { ...clauses, comment: t.string() } }
    else if (t.accept('partitioned', 'by')) clauses = { ...clauses, partitionedBy: readPartitions(t) }
    else if (t.accept('append', 'only')) clauses = { ...clauses, appendOnly: true }
    else if (t.accept('as')) clauses = { ...clauses, as: readAs(t) }
    else {
      const name = allowed.find(clause => isClause(t, clause))
      if (name === undefined) throw t.error()
      for (const _ of name.split(' ')) t.next()
      const stops = name === 'include' ? AFTER_INCLUDE : CLAUSES
      while (!t.atEnd && !stops.some(clause => isClause(t, clause))) { if (t.is('(')) t.skipBracket(); else t.next() }
      clauses = { ...clauses, otherClauses: [...clauses.otherClauses, { name: name.toUpperCase(), at }] }
    }
  }
  return clauses
}

/** PARTITIONED BY (a, b); a declared type behind a name is Hive's and says nothing new. */
function readPartitions(t: TokenReader): string[] {
  return t.parenthesised(() => {
    const at = t.at, name = t.name()
    if (t.is('(')) throw unsupported(`the partition transform ${name}`, { position: at })
    const type = t.is(',') || t.is(')') ? undefined : typeAt(t.source, t.index)
    if (type !== undefined) t.moveTo(type.next)
    return name
  })
}

/** The query up to the end, with WITH [NO] DATA behind it. */
export function readAs(t: TokenReader): { readonly query: Query; readonly withData: boolean; readonly sql: string } {
  if (t.is('execute')) throw unsupported('CREATE TABLE AS EXECUTE', { position: t.at })
  const from = t.index, last = t.source.tokens.length - 1
  const data = reads(tokenAt(t.source, last - 1), 'data')
  const no = data && reads(tokenAt(t.source, last - 2), 'no') && reads(tokenAt(t.source, last - 3), 'with')
  const to = no ? last - 3 : data && reads(tokenAt(t.source, last - 2), 'with') ? last - 2 : last
  const query = readQueryRange(t.source, from, to)
  t.moveTo(last)
  return { query, withData: !no, sql: t.source.sql.slice(tokenAt(t.source, from).start, tokenAt(t.source, to - 1).end) }
}

export function acceptIfNotExists(t: TokenReader): boolean {
  if (!t.accept('if')) return false
  t.expect('not', 'exists')
  return true
}

/** From behind CREATE [OR REPLACE] [TEMPORARY | UNLOGGED] TABLE. */
export function readCreateTable(t: TokenReader, head: Pick<CreateTable, 'replace' | 'persistence' | 'at'>): CreateTable {
  const ifNotExists = acceptIfNotExists(t), tableAt = t.at
  const table: CreateTable['table'] = { path: t.path(), only: false, at: tableAt }
  let list: ColumnList = { columns: [], constraints: [], like: [] }, like: CreateTable['like'] = []
  if (t.is('(')) {
    const open = t.index, close = closing(t.source, open)
    list = readColumnList(t.source, open + 1, close)
    t.moveTo(close + 1)
  }
  like = list.like
  if (t.is('like')) {
    const at = t.at
    t.next()
    like = [...like, { path: t.path(), including: ['all'], at }]
  } else if (t.is('of') || t.is('partition', 'of')) throw unsupported(t.is('of') ? 'CREATE TABLE … OF a type' : 'CREATE TABLE … PARTITION OF', { position: t.at })
  // columns, LIKE, or options and a query: something must say what the table is
  else if (list.columns.length === 0 && tokenAt(t.source, t.index - 1).text !== ')' && t.atEnd) throw t.error()
  const { as, ...clauses } = readClauses(t)
  if (list.names !== undefined && as === undefined) throw errorAt(t.source, t.token)
  return {
    kind: 'createTable', table, ifNotExists, replace: head.replace, persistence: head.persistence,
    columns: list.columns, constraints: list.constraints, like, ...clauses,
    ...(list.watermark === undefined ? {} : { watermark: list.watermark }),
    ...(as === undefined ? {} : { as: { query: as.query, columns: list.names ?? [], withData: as.withData } }),
    at: head.at,
  }
}

/** From behind CREATE SOURCE, SINK, SUBSCRIPTION, CONNECTION, CATALOG. */
export function readCreateStreaming(t: TokenReader, object: CreateStreaming['object'], at: number): CreateStreaming {
  const ifNotExists = acceptIfNotExists(t), name = t.path()
  let list: ColumnList = { columns: [], constraints: [], like: [] }
  if (t.is('(')) {
    const open = t.index, close = closing(t.source, open)
    list = readColumnList(t.source, open + 1, close)
    t.moveTo(close + 1)
  }
  let places: Pick<CreateStreaming, 'from' | 'into'> = {}
  // FROM t, but not FROM KAFKA CONNECTION c: that one goes on with a word that is no clause
  if (t.is('from') && endsName(t)) { t.next(); places = { from: t.path() } }
  if (t.is('into') && endsName(t)) { t.next(); places = { ...places, into: t.path() } }
  const { as, options, otherClauses } = readSinkClauses(t)
  return ended(t, {
    kind: 'createStreaming', object, name, ifNotExists, columns: list.columns, constraints: list.constraints,
    ...(list.watermark === undefined ? {} : { watermark: list.watermark }), ...places, ...(as === undefined ? {} : { query: as }), options, otherClauses, at,
  })
}

/** True when `FROM a.b` or `INTO a.b` is followed by a clause or the end. */
function endsName(t: TokenReader): boolean {
  let i = t.index + 2
  while (reads(tokenAt(t.source, i), '.')) i += 2
  const next = tokenAt(t.source, i)
  return next.kind === 'end' || CLAUSES.some(clause => reads(next, clause.split(' ')[0] ?? ''))
}

/** A sink's query ends where WITH ( or FORMAT begins. */
function readSinkClauses(t: TokenReader): { readonly as?: Query; readonly options: readonly Option[]; readonly otherClauses: Clauses['otherClauses'] } {
  if (!t.accept('as')) return withoutQuery(readClauses(t))
  const from = t.index
  let i = from
  for (; tokenAt(t.source, i).kind !== 'end'; i++) {
    const token = tokenAt(t.source, i), next = tokenAt(t.source, i + 1)
    if (reads(token, '(')) i = closing(t.source, i)
    else if (i > from && ((reads(token, 'with') && reads(next, '(')) || (reads(token, 'format') && ['plain', 'upsert', 'debezium', 'native'].some(word => reads(next, word))))) break
  }
  const as = readQueryRange(t.source, from, i)
  t.moveTo(i)
  return { as, ...withoutQuery(readClauses(t)) }
}

function withoutQuery(clauses: Clauses): { readonly options: readonly Option[]; readonly otherClauses: Clauses['otherClauses'] } {
  const extra: Clauses['otherClauses'][number][] = []
  if (clauses.as !== undefined) extra.push({ name: 'AS', at: clauses.as.query.at })
  return { options: clauses.options, otherClauses: [...clauses.otherClauses, ...extra] }
}
