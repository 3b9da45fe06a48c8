/** `INSERT INTO t [(a, b)] VALUES (1, 'x', NULL), …` of nothing but literals, straight from the tokens: ten thousand rows take milliseconds, not a third of a second. */
import { characterOf, charactersOf } from './position.ts'
import { RESERVED, Scanner } from './lexer.ts'
import type { Insert } from './statement-syntax.ts'
import type { LiteralExpression, Path } from './syntax.ts'

/** The statement, in the same form as by the grammar; undefined for anything else, which is then read in full. */
export function readLiteralInsert(sql: string): Insert | undefined {
  if (!/^\s*insert\s+into\s/i.test(sql)) return undefined
  const s = new Scanner(sql), at = charactersOf(sql)
  s.next()
  const start = s.start
  s.next()
  s.next()
  const tableAt = at(s.start), path = readPath(s)
  if (path === undefined) return undefined
  let columns: { readonly name: string; readonly indirection: boolean; readonly at: number }[] | undefined
  if (symbol(s, 40)) {
    columns = []
    do {
      s.next()
      if (!isName(s)) return undefined
      columns.push({ name: s.text(), indirection: false, at: at(s.start) })
      s.next()
    } while (symbol(s, 44))
    if (!symbol(s, 41)) return undefined
    s.next()
  }
  if (!word(s, 'values')) return undefined
  const rows = readRows(s, at)
  if (rows === undefined) return undefined
  if (symbol(s, 59)) s.next()
  if (!ended(s)) return undefined
  const first = rows[0]?.[0]?.at ?? characterOf(sql, start)
  return {
    kind: 'insert', table: { path, only: false, at: tableAt }, ...(columns === undefined ? {} : { columns }),
    source: { kind: 'query', body: { kind: 'values', rows, at: first }, orderBy: [], withTies: false, locking: [], at: first },
    overwrite: false, partition: [], upsert: false, hints: [], at: at(start),
  }
}

const isName = (s: Scanner): boolean => s.kind === 'quoted' || (s.kind === 'name' && !RESERVED.has(s.text()))
const word = (s: Scanner, text: string): boolean => s.kind === 'name' && s.text() === text
const ended = (s: Scanner): boolean => s.kind === 'end'

/** True when the scanner stands on this one-character symbol. */
function symbol(s: Scanner, code: number): boolean {
  return s.kind === 'symbol' && s.end === s.start + 1 && s.sql.charCodeAt(s.start) === code
}

function readPath(s: Scanner): Path | undefined {
  const path: string[] = []
  for (;;) {
    if (!isName(s)) return undefined
    path.push(s.text())
    s.next()
    if (!symbol(s, 46)) return path
    s.next()
  }
}

/** From VALUES to the token behind the last row. */
function readRows(s: Scanner, at: (unit: number) => number): LiteralExpression[][] | undefined {
  const rows: LiteralExpression[][] = []
  let width = -1
  do {
    s.next()
    if (!symbol(s, 40)) return undefined
    const row: LiteralExpression[] = []
    do {
      const value = readLiteral(s, at)
      if (value === undefined) return undefined
      row.push(value)
    } while (symbol(s, 44))
    if (!symbol(s, 41)) return undefined
    // rows of unequal length are an error that the full way reports
    if (width >= 0 && row.length !== width) return undefined
    width = row.length
    rows.push(row)
    s.next()
  } while (symbol(s, 44))
  return rows
}

/** A literal alone between commas; the scanner then stands behind it. */
function readLiteral(s: Scanner, at: (unit: number) => number): LiteralExpression | undefined {
  let kind = s.next()
  const start = at(s.start)
  let sign = ''
  if (kind === 'symbol' && symbol(s, 45)) { sign = '-'; kind = s.next() }
  let value: LiteralExpression | undefined
  if (kind === 'number') {
    const text = s.sql.slice(s.start, s.end)
    if (isPlainNumber(s.sql, s.start, s.end)) value = { kind: 'number', text: sign === '' || text === '0' ? text : sign + text, at: start }
  } else if (sign === '') {
    if (kind === 'string') {
      if (s.sql.charCodeAt(s.start) === 39) {
        const body = s.sql.slice(s.start + 1, s.end - 1)
        value = { kind: 'string', value: body.includes("'") ? s.text() : body, at: start }
      }
    } else if (kind === 'name') {
      const text = s.text()
      if (text === 'null') value = { kind: 'null', at: start }
      else if (text === 'true' || text === 'false') value = { kind: 'boolean', value: text === 'true', at: start }
    }
  }
  s.next()
  return value
}

/** Other radixes, underscores, exponents and leading zeros are for the grammar to judge. */
function isPlainNumber(sql: string, start: number, end: number): boolean {
  if (sql.charCodeAt(start) === 48 && end > start + 1 && sql.charCodeAt(start + 1) !== 46) return false
  for (let i = start; i < end; i++) {
    const c = sql.charCodeAt(i)
    if ((c < 48 || c > 57) && c !== 46) return false
  }
  return true
}
