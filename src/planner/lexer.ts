/**
 * The tokens of SQL text, as Postgres's scanner sees them with standard_conforming_strings on; besides, `/*+ … *\/` hints are tokens and
 * `` `name` `` is a quoted name. Offsets are UTF-16 units of the text, 0-based; `position.ts` turns them into characters.
 */
import { SqlError } from '../error.ts'
import { characterOf } from './position.ts'

/**
 * `name`: unquoted; `quoted`: "…" or `…`; `unicode`: U&"…"; `string`: '…', E'…', $$…$$, N'…', U&'…'; `bits`: B'…', X'…'; `symbol`: an operator or one
 * of ( ) [ ] , ; . : :: := => ..; `other`: a character that starts no token (the grammar refuses it by name).
 */
export type TokenKind = 'name' | 'quoted' | 'unicode' | 'string' | 'bits' | 'number' | 'param' | 'symbol' | 'hint' | 'other' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** What it says: a name folded to lower case, a quoted name or string decoded, anything else as written. */
  readonly text: string
  readonly start: number
  readonly end: number
}

/** PostgreSQL 15's reserved words: no names without quotes. */
export const RESERVED: ReadonlySet<string> = new Set(('all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_catalog current_date current_role current_time '
  + 'current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral leading limit localtime localtimestamp not null '
  + 'offset on only or order placing primary references returning select session_user some symmetric system_user table then to trailing true union unique user using variadic when where window with').split(' '))

const NAME_START = 1, NAME_PART = 2, DIGIT = 4, SPACE = 8, OPERATOR = 16
const CLASS = new Uint8Array(128)
for (let c = 97; c <= 122; c++) CLASS[c] = NAME_START | NAME_PART, CLASS[c - 32] = NAME_START | NAME_PART
for (let c = 48; c <= 57; c++) CLASS[c] = DIGIT | NAME_PART
CLASS[95] = NAME_START | NAME_PART
CLASS[36] = NAME_PART
for (const c of ' \t\n\r\f\v') CLASS[c.charCodeAt(0)] = SPACE
for (const c of '~!@#^&|`?+-*/%<>=') CLASS[c.charCodeAt(0)] = OPERATOR

const classOf = (code: number): number => code < 128 ? CLASS[code] ?? 0 : NAME_START | NAME_PART

/** A cursor over the text that allocates nothing: `next` moves it to the next token, `kind`, `start` and `end` describe that token. */
export class Scanner {
  kind: TokenKind = 'end'
  start = 0
  end: number
  readonly sql: string

  constructor(sql: string, from = 0) {
    this.sql = sql
    this.end = from
  }

  next(): TokenKind {
    this.kind = this.#scan()
    return this.kind
  }

  /** What the token says; see `Token.text`. */
  text(): string {
    const raw = this.sql.slice(this.start, this.end)
    switch (this.kind) {
      case 'name': return foldName(raw)
      case 'quoted': { const quote = raw.charAt(0); return raw.slice(1, -1).replaceAll(quote + quote, quote) }
      case 'string': return stringValue(raw, () => characterOf(this.sql, this.start))
      case 'symbol': return raw === '!=' ? '<>' : raw
      default: return raw
    }
  }

  #fail(message: string, at: number): SqlError {
    return new SqlError('42601', `${message} at or near "${this.sql.slice(at, at + 2000)}"`, { position: characterOf(this.sql, at) })
  }

  #scan(): TokenKind {
    const sql = this.sql
    let i = this.#skipSpace(this.end)
    this.start = i
    if (i >= sql.length) { this.end = i; return 'end' }
    const c = sql.charCodeAt(i), kind = classOf(c), after = sql.charCodeAt(i + 1)
    if (c === 47 && after === 42) { this.end = this.#blockComment(i); return 'hint' }
    if ((kind & NAME_START) !== 0) {
      if (after === 39) {
        if (c === 69 || c === 101) { this.end = this.#string(i + 2, i, true); return 'string' }
        if (c === 66 || c === 98 || c === 88 || c === 120) { this.end = this.#string(i + 2, i, false); return 'bits' }
        if (c === 78 || c === 110) { this.end = this.#string(i + 2, i, false); return 'string' }
      }
      if ((c === 85 || c === 117) && after === 38) {
        const quote = sql.charCodeAt(i + 2)
        if (quote === 39) { this.end = this.#string(i + 3, i, false); return 'string' }
        if (quote === 34) { this.end = this.#quoted(i + 3, i, '"'); return 'unicode' }
      }
      i++
      while (i < sql.length && (classOf(sql.charCodeAt(i)) & NAME_PART) !== 0) i++
      this.end = i
      return 'name'
    }
    if ((kind & DIGIT) !== 0 || (c === 46 && (classOf(after) & DIGIT) !== 0)) { this.end = this.#number(i); return 'number' }
    switch (c) {
      case 39: this.end = this.#string(i + 1, i, false); return 'string'
      case 34: this.end = this.#quoted(i + 1, i, '"'); return 'quoted'
      case 36: {
        if ((classOf(after) & DIGIT) !== 0) {
          i += 2
          while ((classOf(sql.charCodeAt(i)) & DIGIT) !== 0) i++
          this.end = i
          return 'param'
        }
        const end = this.#dollar(i)
        this.end = end ?? i + 1
        return end === undefined ? 'other' : 'string'
      }
      case 58: this.end = after === 58 || after === 61 ? i + 2 : i + 1; return 'symbol'
      case 46: this.end = after === 46 ? i + 2 : i + 1; return 'symbol'
      case 40: case 41: case 44: case 59: case 91: case 93: this.end = i + 1; return 'symbol'
    }
    if (c === 96) {
      const close = sql.indexOf('`', i + 1)
      if (close > i + 1 && !/[\n"]/.test(sql.slice(i, close))) { this.end = close + 1; return 'quoted' }
    }
    if ((kind & OPERATOR) !== 0) { this.end = this.#operator(i); return 'symbol' }
    this.end = i + 1
    return 'other'
  }

  /** White space and comments, but not hints. */
  #skipSpace(i: number): number {
    const sql = this.sql
    for (;;) {
      const c = sql.charCodeAt(i)
      if ((classOf(c) & SPACE) !== 0 && c < 128) i++
      else if (c === 45 && sql.charCodeAt(i + 1) === 45) {
        while (i < sql.length && sql.charCodeAt(i) !== 10 && sql.charCodeAt(i) !== 13) i++
      } else if (c === 47 && sql.charCodeAt(i + 1) === 42 && sql.charCodeAt(i + 2) !== 43) i = this.#blockComment(i)
      else return i
    }
  }

  #blockComment(start: number): number {
    const sql = this.sql
    let depth = 1, i = start + 2
    while (i < sql.length) {
      const c = sql.charCodeAt(i)
      if (c === 47 && sql.charCodeAt(i + 1) === 42) { depth++; i += 2 }
      else if (c === 42 && sql.charCodeAt(i + 1) === 47) { i += 2; if (--depth === 0) return i }
      else i++
    }
    throw this.#fail('unterminated /* comment', start)
  }

  /** The end of a '…' string whose inside begins at `i`; a string goes on behind white space with a newline in it. */
  #string(i: number, start: number, escapes: boolean): number {
    const sql = this.sql
    for (;;) {
      for (;;) {
        if (i >= sql.length) throw this.#fail(`unterminated ${/^[bB]/.test(sql.charAt(start)) ? 'bit string literal' : /^[xX]/.test(sql.charAt(start)) ? 'hexadecimal string literal' : 'quoted string'}`, start)
        const c = sql.charCodeAt(i)
        if (c === 39) {
          if (sql.charCodeAt(i + 1) !== 39) break
          i += 2
        } else i += escapes && c === 92 ? 2 : 1
      }
      i++
      const next = this.#continued(i)
      if (next === undefined) return i
      i = next
    }
  }

  #continued(i: number): number | undefined {
    const c = this.sql.charCodeAt(i)
    if (c !== 10 && c !== 13 && c !== 32 && c !== 9 && c !== 12 && c !== 11 && c !== 45) return undefined
    let newline = false
    for (; ;) {
      const c = this.sql.charCodeAt(i)
      if (c === 10 || c === 13) { newline = true; i++ }
      else if (c < 128 && (classOf(c) & SPACE) !== 0) i++
      else if (c === 45 && this.sql.charCodeAt(i + 1) === 45) { while (i < this.sql.length && this.sql.charCodeAt(i) !== 10 && this.sql.charCodeAt(i) !== 13) i++ }
      else return newline && c === 39 ? i + 1 : undefined
    }
  }

  #quoted(i: number, start: number, quote: string): number {
    for (;;) {
      const close = this.sql.indexOf(quote, i)
      if (close < 0) throw this.#fail('unterminated quoted identifier', start)
      if (this.sql.charAt(close + 1) !== quote) {
        if (close === i && i === start + 1) throw this.#fail('zero-length delimited identifier', start)
        return close + 1
      }
      i = close + 2
    }
  }

  /** The end of $tag$ … $tag$; undefined when the $ starts no such string. */
  #dollar(start: number): number | undefined {
    const sql = this.sql
    let i = start + 1
    while (i < sql.length && sql.charCodeAt(i) !== 36) {
      const kind = classOf(sql.charCodeAt(i))
      if ((kind & (i === start + 1 ? NAME_START : NAME_PART)) === 0) return undefined
      i++
    }
    if (i >= sql.length) return undefined
    const tag = sql.slice(start, i + 1), close = sql.indexOf(tag, i + 1)
    if (close < 0) throw this.#fail('unterminated dollar-quoted string', start)
    return close + tag.length
  }

  #number(i: number): number {
    const sql = this.sql
    if (sql.charCodeAt(i) === 48 && /[xXoObB]/.test(sql.charAt(i + 1)) && /[0-9a-fA-F_]/.test(sql.charAt(i + 2))) {
      i += 2
      while (/[0-9a-fA-F_]/.test(sql.charAt(i))) i++
      return i
    }
    const digits = (): void => { while ((classOf(sql.charCodeAt(i)) & DIGIT) !== 0 || (sql.charCodeAt(i) === 95 && (classOf(sql.charCodeAt(i + 1)) & DIGIT) !== 0)) i++ }
    digits()
    if (sql.charCodeAt(i) === 46 && sql.charCodeAt(i + 1) !== 46) { i++; digits() }
    const e = sql.charCodeAt(i)
    if (e === 69 || e === 101) {
      const sign = sql.charCodeAt(i + 1), first = sign === 43 || sign === 45 ? i + 2 : i + 1
      if ((classOf(sql.charCodeAt(first)) & DIGIT) !== 0) { i = first; digits() }
    }
    return i
  }

  /** Postgres's rule: a comment ends an operator, and a longer one ends in + or - only if it holds one of ~ ! @ # % ^ & | ` ?. */
  #operator(start: number): number {
    const sql = this.sql
    let i = start
    while (i < sql.length) {
      const c = sql.charCodeAt(i)
      if (c >= 128 || (classOf(c) & OPERATOR) === 0) break
      if (i > start && ((c === 45 && sql.charCodeAt(i + 1) === 45) || (c === 47 && sql.charCodeAt(i + 1) === 42))) break
      i++
    }
    while (i > start + 1 && /[+-]/.test(sql.charAt(i - 1)) && !/[~!@#%^&|`?]/.test(sql.slice(start, i))) i--
    return i
  }
}

/** Postgres folds the ASCII letters only. */
function foldName(raw: string): string {
  if (!/[A-Z]/.test(raw)) return raw
  return raw.replace(/[A-Z]+/g, upper => upper.toLowerCase())
}

/** The value of a string constant as written, for the forms our own statements take (U&'…' is left to Postgres's grammar, which reads it). */
function stringValue(raw: string, at: () => number): string {
  if (raw.startsWith('$')) {
    const tag = raw.slice(0, raw.indexOf('$', 1) + 1)
    return raw.slice(tag.length, -tag.length)
  }
  const escapes = raw.startsWith('E') || raw.startsWith('e')
  if (/^[uU]&/.test(raw)) throw new SqlError('0A000', 'a string with Unicode escapes is not supported in this place', { position: at() })
  const open = raw.indexOf("'")
  const body = raw.slice(open + 1, -1)
  if (!escapes) {
    if (!body.includes("'")) return body
    return body.replace(/''|'[ \t\n\r\f\v]*(?:--[^\n\r]*[\n\r][ \t\n\r\f\v]*)*'/g, found => found === "''" ? "'" : '')
  }
  return body.replace(/''|'\s*'|\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))/g,
    (found, octal?: string, hex?: string, short?: string, long?: string, one?: string) => {
      if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 255)
      const code = hex ?? short ?? long
      if (code !== undefined) {
        const value = parseInt(code, 16)
        if (value > 0x10ffff || value === 0) throw new SqlError('22025', 'invalid Unicode escape value', { position: at() })
        return String.fromCodePoint(value)
      }
      if (one !== undefined) return { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[one] ?? one
      return found === "''" ? "'" : ''
    })
}

/** All tokens of the text, closed by one of kind `end`. */
export function tokenize(sql: string): Token[] {
  const scanner = new Scanner(sql), tokens: Token[] = []
  for (;;) {
    const kind = scanner.next()
    // a string's value may be in error only where it is asked for: Postgres's grammar reads it again in queries
    const text = kind === 'string' ? sql.slice(scanner.start, scanner.end) : scanner.text()
    tokens.push({ kind, text, start: scanner.start, end: scanner.end })
    if (kind === 'end') return tokens
  }
}

/** The value of a `string` token of `tokenize`, whose text is as written. */
export function stringOf(sql: string, token: Token): string {
  return stringValue(token.text, () => characterOf(sql, token.start))
}

/** One statement of a text of several: without its semicolon and what surrounds it; `at` is the 1-based character position where it begins. */
export interface StatementText { readonly text: string; readonly at: number }

/** Cuts a text at its top-level semicolons; empty statements vanish. Throws 42601 for a string, name or comment that does not end. */
export function splitStatements(sql: string): StatementText[] {
  const scanner = new Scanner(sql), found: StatementText[] = []
  let first = -1, last = 0, depth = 0, words = 0, routine = false, blocks = 0, begin = false
  const close = (): void => {
    if (first >= 0) found.push({ text: sql.slice(first, last), at: characterOf(sql, first) })
    first = -1; depth = 0; words = 0; routine = false; blocks = 0; begin = false
  }
  for (;;) {
    const kind = scanner.next()
    if (kind === 'end') { close(); return found }
    const c = sql.charCodeAt(scanner.start)
    if (kind === 'symbol') {
      if (c === 59 && depth <= 0 && blocks === 0) { close(); continue }
      if (c === 40) depth++
      else if (c === 41) depth--
    } else if (kind === 'name') {
      // CREATE FUNCTION … BEGIN ATOMIC …; …; END holds semicolons
      if (words < 4) { routine ||= (c | 32) === 102 || (c | 32) === 112 ? /^(function|procedure)$/i.test(sql.slice(scanner.start, scanner.end)) : false; words++ }
      if (routine) {
        const word = scanner.text()
        if (word === 'atomic' && begin) blocks = 1
        else if (blocks > 0 && word === 'case') blocks++
        else if (blocks > 0 && word === 'end') blocks--
        begin = word === 'begin'
      }
    }
    if (first < 0) first = scanner.start
    last = scanner.end
  }
}
