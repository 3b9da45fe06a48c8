/** JSON: its syntax, kept exactly (numbers keep their digits), jsonb's canonical text, and SQL values as JSON. */
import { SqlError } from '../error.ts'
import { formatDecimal, parseDecimal } from './number.ts'
import { compareText, utf8 } from './settings.ts'

/** A number as its text: JSON's numbers have any number of digits. */
export interface JsonNumber {
  readonly number: string
}

/** Text of json that stands inside another value as it was written. */
export interface JsonText {
  readonly raw: string
}

export type Json = null | boolean | string | JsonNumber | JsonText | readonly Json[] | ReadonlyMap<string, Json>

/** Reads JSON text; of keys that repeat the last counts, at the place of the first. 22P02 with PostgreSQL's details. */
export function parseJson(text: string): Json {
  return new JsonReader(text, 'decoded').whole()
}

/** The text, if it is JSON: what the json type keeps. */
export function checkJson(text: string): string {
  new JsonReader(text, 'as written').whole()
  return text
}

/** Reads JSON text whose members or elements stay as they were written: how json (not jsonb) is taken apart. */
export function parseJsonShallow(text: string): Json {
  return new JsonReader(text, 'decoded', true).whole()
}

/** The canonical text of jsonb: keys sorted by length, then bytes, the last of equal ones; numbers in numeric's form; PostgreSQL's spacing. */
export function jsonbText(text: string): string {
  return formatJson(canonical(parseJson(text)), 'jsonb')
}

/** The value as jsonb keeps it. */
export function canonical(json: Json): Json {
  if (json === null || typeof json !== 'object') return json
  if ('number' in json) return { number: formatDecimal(parseDecimal(json.number)) }
  if ('raw' in json) return canonical(parseJson(json.raw))
  if (json instanceof Map) {
    const members: [string, Json][] = [...json].map(([key, value]) => [key, canonical(value)])
    return new Map(members.sort(([a], [b]) => utf8(a).length - utf8(b).length || compareText(a, b)))
  }
  return isList(json) ? json.map(canonical) : json
}

export function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json)
}

/** Writes JSON with jsonb's spacing (`{"a": 1, "b": 2}`) or none. */
export function formatJson(json: Json, spacing: 'jsonb' | 'none'): string {
  const [comma, colon] = spacing === 'jsonb' ? [', ', ': '] : [',', ':']
  const write = (value: Json): string => {
    if (value === null) return 'null'
    if (typeof value === 'boolean') return value ? 'true' : 'false'
    if (typeof value === 'string') return quoteJson(value)
    if (value instanceof Map) return `{${[...value].map(([key, member]) => quoteJson(key) + colon + write(member)).join(comma)}}`
    if (isList(value)) return `[${value.map(write).join(comma)}]`
    if ('number' in value) return value.number
    if ('raw' in value) return value.raw
    return ''
  }
  return write(json)
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A JSON string. */
export function quoteJson(text: string): string {
  return `"${text.replace(/["\\\u0000-\u001f]/g, c => ESCAPES[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
// A token of PostgreSQL's lexer, for its error messages.
const WORD = /-?[0-9][A-Za-z0-9_+.\u0080-\uffff-]*|[A-Za-z0-9_\u0080-\uffff]+|-[A-Za-z0-9_\u0080-\uffff]*/y

class JsonReader {
  readonly #text: string
  /** Escapes of strings are only decoded, and refused if they mean no character, where the text is wanted. */
  readonly #strings: 'decoded' | 'as written'
  readonly #shallow: boolean
  #at = 0

  constructor(text: string, strings: 'decoded' | 'as written', shallow = false) {
    this.#shallow = shallow
    this.#text = text
    this.#strings = strings
  }

  whole(): Json {
    this.#blanks()
    if (this.#at >= this.#text.length) throw this.#ended()
    const value = this.#value(0)
    this.#blanks()
    if (this.#at < this.#text.length) throw this.#unexpected('Expected end of input, but found')
    return value
  }

  #blanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return
      this.#at++
    }
  }

  #value(depth: number): Json {
    if (depth > 6000) throw new SqlError('54001', 'stack depth limit exceeded')
    const c = this.#text[this.#at]
    switch (c) {
      case '{': return this.#object(depth)
      case '[': return this.#array(depth)
      case '"': return this.#string()
      case undefined: throw this.#ended()
      default: {
        NUMBER.lastIndex = this.#at
        const number = NUMBER.exec(this.#text)?.[0]
        const word = this.#word()
        if (number !== undefined && number === word) {
          this.#at += number.length
          return { number }
        }
        if (word === 'true' || word === 'false' || word === 'null') {
          this.#at += word.length
          return word === 'null' ? null : word === 'true'
        }
        if (c === '}' || c === ']' || c === ',' || c === ':') throw this.#unexpected('Expected JSON value, but found')
        throw this.#bad(`Token "${word}" is invalid.`)
      }
    }
  }

  #child(depth: number): Json {
    const start = this.#at
    const value = this.#value(depth + 1)
    return this.#shallow && depth === 0 ? { raw: this.#text.slice(start, this.#at) } : value
  }

  #object(depth: number): Json {
    const members = new Map<string, Json>()
    this.#at++
    this.#blanks()
    if (this.#text[this.#at] === '}') { this.#at++; return members }
    for (let first = true; ; first = false) {
      this.#blanks()
      if (this.#at >= this.#text.length) throw this.#ended()
      if (this.#text[this.#at] !== '"') throw this.#unexpected(first ? 'Expected string or "}", but found' : 'Expected string, but found')
      const key = this.#string()
      this.#blanks()
      if (this.#at >= this.#text.length) throw this.#ended()
      if (this.#text[this.#at] !== ':') throw this.#unexpected('Expected ":", but found')
      this.#at++
      this.#blanks()
      members.set(key, this.#child(depth))
      this.#blanks()
      const c = this.#text[this.#at]
      if (c === undefined) throw this.#ended()
      if (c !== ',' && c !== '}') throw this.#unexpected('Expected "," or "}", but found')
      this.#at++
      if (c === '}') return members
    }
  }

  #array(depth: number): Json {
    const values: Json[] = []
    this.#at++
    this.#blanks()
    if (this.#text[this.#at] === ']') { this.#at++; return values }
    for (;;) {
      this.#blanks()
      values.push(this.#child(depth))
      this.#blanks()
      const c = this.#text[this.#at]
      if (c === undefined) throw this.#ended()
      if (c !== ',' && c !== ']') throw this.#unexpected('Expected "," or "]", but found')
      this.#at++
      if (c === ']') return values
    }
  }

  #string(): string {
    const start = this.#at++
    let plain = this.#at
    let out = ''
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (Number.isNaN(code)) throw this.#bad(`Token "${this.#text.slice(start)}" is invalid.`)
      if (code === 34) {
        out += this.#text.slice(plain, this.#at++)
        if (this.#strings === 'decoded' && !out.isWellFormed()) throw this.#bad(/[\ud800-\udbff][\ud800-\udbff]/.test(out) ? 'Unicode high surrogate must not follow a high surrogate.' : 'Unicode low surrogate must follow a high surrogate.')
        return out
      }
      if (code < 32) throw this.#bad(`Character with value 0x${code.toString(16).padStart(2, '0')} must be escaped.`)
      if (code !== 92) { this.#at++; continue }
      out += this.#text.slice(plain, this.#at)
      const c = this.#text[this.#at + 1]
      if (c === 'u') {
        const digits = this.#text.slice(this.#at + 2, this.#at + 6)
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#bad('"\\u" must be followed by four hexadecimal digits.')
        const unit = Number.parseInt(digits, 16)
        if (unit === 0 && this.#strings === 'decoded') throw new SqlError('22P05', 'unsupported Unicode escape sequence', { detail: '\\u0000 cannot be converted to text.' })
        out += String.fromCharCode(unit)
        this.#at += 6
      } else {
        const plainCharacter = c === undefined ? undefined : UNESCAPES[c]
        if (plainCharacter === undefined) throw this.#bad(c === undefined ? `Token "${this.#text.slice(start)}" is invalid.` : `Escape sequence "\\${c}" is invalid.`)
        out += plainCharacter
        this.#at += 2
      }
      plain = this.#at
    }
  }

  #word(): string {
    WORD.lastIndex = this.#at
    return WORD.exec(this.#text)?.[0] ?? this.#text[this.#at] ?? ''
  }

  #unexpected(what: string): SqlError {
    const c = this.#text[this.#at]
    if (c === '"') {
      const from = this.#at
      this.#string()
      const token = this.#text.slice(from, this.#at)
      this.#at = from
      return this.#bad(`${what} "${token}".`)
    }
    const word = this.#word()
    NUMBER.lastIndex = this.#at
    // The lexer comes before the grammar: what is no token at all is said to be that.
    const token = /^[{}[\],:]$/.test(word) || word === 'true' || word === 'false' || word === 'null' || NUMBER.exec(this.#text)?.[0] === word
    return this.#bad(token ? `${what} "${word}".` : `Token "${word}" is invalid.`)
  }

  #ended(): SqlError {
    return this.#bad('The input string ended unexpectedly.')
  }

  #bad(detail: string): SqlError {
    return new SqlError('22P02', 'invalid input syntax for type json', { detail })
  }
}

const UNESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }
