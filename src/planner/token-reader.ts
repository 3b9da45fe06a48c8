/** Reading a statement by hand, token by token, with Postgres's words for what does not fit. */
import { SqlError } from '../error.ts'
import { RESERVED, stringOf, tokenize } from './lexer.ts'
import type { Token } from './lexer.ts'
import { charactersOf } from './position.ts'
import type { Path } from './syntax.ts'

/** A statement's text and its tokens, hints among them, closed by one of kind `end`. */
export interface Source {
  readonly sql: string
  readonly tokens: readonly Token[]
  /** Tokens that read otherwise for Postgres's grammar: no longer than what they stand for. */
  readonly patches: readonly Patch[]
  /** The 1-based character position of a UTF-16 offset. */
  at(unit: number): number
}

/** The text of the tokens `from` to `to` (exclusive) replaced, and filled up with blanks. */
export interface Patch { readonly from: number; readonly to: number; readonly text: string }

export function sourceOf(sql: string): Source {
  return { sql, tokens: tokenize(sql), patches: [], at: charactersOf(sql) }
}

/** The tokens `from` to `to` (exclusive) as a source of their own, of the same text; an error behind them names what follows. */
export function partOf(source: Source, from: number, to: number): Source {
  return { ...source, tokens: [...source.tokens.slice(from, to), { ...tokenAt(source, to), kind: 'end', text: '' }], patches: [] }
}

const END: Token = { kind: 'end', text: '', start: 0, end: 0 }

/** The token at an index; behind the last one stands `end`. */
export function tokenAt(source: Source, index: number): Token {
  return source.tokens[index] ?? source.tokens[source.tokens.length - 1] ?? END
}

/** True for an unquoted name or a symbol that reads so. */
export function reads(token: Token, text: string): boolean {
  return token.text === text && (token.kind === 'name' || token.kind === 'symbol')
}

/** 42601 at a token, as Postgres says it. */
export function errorAt(source: Source, token: Token): SqlError {
  const position = source.at(token.start)
  return token.start === token.end ? new SqlError('42601', 'syntax error at end of input', { position })
    : new SqlError('42601', `syntax error at or near "${source.sql.slice(token.start, token.end)}"`, { position })
}

/** The index of the bracket that closes the one at `open`. */
export function closing(source: Source, open: number): number {
  let depth = 0
  for (let i = open; ; i++) {
    const token = tokenAt(source, i)
    if (token.kind === 'end') throw errorAt(source, token)
    if (token.kind !== 'symbol') continue
    if (token.text === '(' || token.text === '[') depth++
    else if ((token.text === ')' || token.text === ']') && --depth === 0) return i
  }
}

/** A cursor over a source's tokens. Hints are not seen. */
export class TokenReader {
  readonly source: Source
  index: number

  constructor(source: Source, index = 0) {
    this.source = source
    this.index = index
    this.#skipHints()
  }

  #skipHints(): void {
    while (tokenAt(this.source, this.index).kind === 'hint') this.index++
  }

  get token(): Token { return tokenAt(this.source, this.index) }
  /** The 1-based character position of the next token. */
  get at(): number { return this.source.at(this.token.start) }
  get atEnd(): boolean { return this.token.kind === 'end' }

  /** True when the next tokens read so, one argument each. */
  is(...texts: readonly string[]): boolean {
    let index = this.index
    for (const text of texts) {
      while (tokenAt(this.source, index).kind === 'hint') index++
      if (!reads(tokenAt(this.source, index), text)) return false
      index++
    }
    return true
  }

  next(): Token {
    const token = this.token
    if (token.kind !== 'end') this.index++
    this.#skipHints()
    return token
  }

  accept(...texts: readonly string[]): boolean {
    if (!this.is(...texts)) return false
    for (const _ of texts) this.next()
    return true
  }

  /** The first of the words that comes next, taken. */
  acceptOne<T extends string>(...texts: readonly T[]): T | undefined {
    const found = texts.find(text => this.is(text))
    if (found !== undefined) this.next()
    return found
  }

  expect(...texts: readonly string[]): void {
    for (const text of texts) if (!this.accept(text)) throw this.error()
  }

  error(): SqlError { return errorAt(this.source, this.token) }

  /** Nothing may follow. */
  end(): void {
    if (!this.atEnd) throw this.error()
  }

  get isName(): boolean { return this.token.kind === 'name' || this.token.kind === 'quoted' }

  isString(): boolean { return this.token.kind === 'string' }

  /** A name: quoted, or not reserved. */
  name(): string {
    if (!this.isName || (this.token.kind === 'name' && RESERVED.has(this.token.text))) throw this.error()
    return this.next().text
  }

  /** A name in a place where even a reserved word is one: behind a dot, an option's key. */
  label(): string {
    if (!this.isName) throw this.error()
    return this.next().text
  }

  /** `a.b.c` */
  path(): Path {
    const parts = [this.name()]
    while (this.accept('.')) parts.push(this.label())
    return parts
  }

  string(): string {
    if (this.token.kind !== 'string') throw this.error()
    return stringOf(this.source.sql, this.next())
  }

  nameOrString(): string {
    return this.token.kind === 'string' ? this.string() : this.label()
  }

  /** A number as written, with its sign. */
  number(): string {
    const sign = this.accept('-') ? '-' : this.accept('+') ? '' : ''
    if (this.token.kind !== 'number') throw this.error()
    return sign + this.next().text
  }

  integer(): number {
    const token = this.token, text = this.number()
    if (!/^-?\d+$/.test(text)) throw errorAt(this.source, token)
    return Number(text)
  }

  /** `( a, b )` of whatever `item` reads. */
  parenthesised<T>(item: () => T): T[] {
    this.expect('(')
    const items = this.separated(item)
    this.expect(')')
    return items
  }

  separated<T>(item: () => T): T[] {
    const items = [item()]
    while (this.accept(',')) items.push(item())
    return items
  }

  /** Takes everything up to the end of the bracket that opens here. */
  skipBracket(): void {
    if (!this.is('(')) throw this.error()
    this.index = closing(this.source, this.index) + 1
    this.#skipHints()
  }

  /** Goes to a token by its index in the source. */
  moveTo(index: number): void {
    this.index = index
    this.#skipHints()
  }
}
