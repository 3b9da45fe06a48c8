/**
 * JSON whose integers are exact. An integer literal becomes a bigint, any other number a number: a Paimon commit identifier is often
 * 9223372036854775807, which `JSON.parse` changes without a word.
 */
import { corrupt } from '../error.ts'

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject
export interface JsonObject { readonly [key: string]: Json }

/** Deeper nesting is refused: no metadata needs it, and recursion must end. */
const MAX_DEPTH = 200

/** Parses one JSON document. `path` names the file in the error (XX001). When a key repeats, the last one counts. */
export function parseJson(path: string, text: string): Json {
  return new Parser(path, text).document()
}

/** Parses UTF-8 bytes; bytes that are not UTF-8 are an error. */
export function parseJsonBytes(path: string, bytes: Uint8Array): Json {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw corrupt(path, 'is not UTF-8', cause)
  }
  return parseJson(path, text)
}

class Parser {
  readonly #path: string
  readonly #text: string
  #at = 0

  constructor(path: string, text: string) {
    this.#path = path
    this.#text = text
  }

  document(): Json {
    const value = this.#value(0)
    this.#blank()
    if (this.#at < this.#text.length) throw this.#error('more text after the JSON document')
    return value
  }

  #error(what: string): Error {
    return corrupt(this.#path, `${what} at character ${this.#at}`)
  }

  #blank(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at)
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return
      this.#at++
    }
  }

  #value(depth: number): Json {
    if (depth > MAX_DEPTH) throw this.#error('JSON is nested too deeply')
    this.#blank()
    const c = this.#text[this.#at]
    switch (c) {
      case '{': return this.#object(depth)
      case '[': return this.#array(depth)
      case '"': return this.#string()
      case 't': return this.#word('true', true)
      case 'f': return this.#word('false', false)
      case 'n': return this.#word('null', null)
      case undefined: throw this.#error('JSON ends early')
      default: return this.#number()
    }
  }

  #word(word: string, value: Json): Json {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error('invalid JSON')
    this.#at += word.length
    return value
  }

  #number(): Json {
    const pattern = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) throw this.#error('invalid JSON')
    this.#at = pattern.lastIndex
    return match[1] === undefined && match[2] === undefined ? BigInt(match[0]) : Number(match[0])
  }

  #string(): string {
    const pattern = /"((?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"/y
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) throw this.#error('invalid JSON string')
    this.#at = pattern.lastIndex
    const raw = match[1] ?? ''
    if (!raw.includes('\\')) return raw
    return raw.replace(/\\(u([0-9a-fA-F]{4})|.)/g, (_, letter: string, hex: string | undefined) => hex !== undefined ? String.fromCharCode(parseInt(hex, 16)) : ESCAPED[letter] ?? letter)
  }

  #array(depth: number): Json {
    const items: Json[] = []
    this.#at++
    this.#blank()
    if (this.#text[this.#at] === ']') { this.#at++; return items }
    for (;;) {
      items.push(this.#value(depth + 1))
      this.#blank()
      const c = this.#text[this.#at++]
      if (c === ']') return items
      if (c !== ',') throw this.#error('invalid JSON array')
    }
  }

  #object(depth: number): Json {
    const entries: [string, Json][] = []
    this.#at++
    this.#blank()
    if (this.#text[this.#at] === '}') { this.#at++; return {} }
    for (;;) {
      this.#blank()
      if (this.#text[this.#at] !== '"') throw this.#error('invalid JSON object')
      const key = this.#string()
      this.#blank()
      if (this.#text[this.#at++] !== ':') throw this.#error('invalid JSON object')
      entries.push([key, this.#value(depth + 1)])
      this.#blank()
      const c = this.#text[this.#at++]
      if (c === '}') return Object.fromEntries(entries) // defines own properties, `__proto__` included
      if (c !== ',') throw this.#error('invalid JSON object')
    }
  }
}

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** Prints on several lines as Java's Jackson does (`"key" : value`, arrays on one line), so that files look alike whoever wrote them. */
export function printJson(value: Json): string {
  return print(value, '\n')
}

/** Prints on one line without blanks. */
export function printJsonLine(value: Json): string {
  if (value === null) return 'null'
  if (typeof value === 'object') {
    if (isArray(value)) return `[${value.map(printJsonLine).join(',')}]`
    return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${printJsonLine(item)}`).join(',')}}`
  }
  return scalar(value)
}

function print(value: Json, newline: string): string {
  if (value === null) return 'null'
  if (typeof value !== 'object') return scalar(value)
  if (isArray(value)) return value.length === 0 ? '[ ]' : `[ ${value.map(item => print(item, newline)).join(', ')} ]`
  const entries = Object.entries(value)
  if (entries.length === 0) return '{ }'
  const deeper = `${newline}  `
  return `{${entries.map(([key, item]) => `${deeper}${JSON.stringify(key)} : ${print(item, deeper)}`).join(',')}${newline}}`
}

function scalar(value: boolean | number | bigint | string): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

/** A JSON object read key by key; each accessor says in its error which file and key is wrong. A key with value null counts as absent. */
export class JsonFields {
  readonly path: string
  readonly #object: JsonObject
  readonly #where: string

  constructor(path: string, value: Json | undefined, where = '') {
    if (value === undefined || value === null || typeof value !== 'object' || isArray(value)) throw corrupt(path, `${where === '' ? 'the document' : where} is not a JSON object`)
    this.path = path
    this.#object = value
    this.#where = where
  }

  get(key: string): Json | undefined {
    return Object.hasOwn(this.#object, key) ? this.#object[key] ?? undefined : undefined
  }

  keys(): readonly string[] { return Object.keys(this.#object) }

  text(key: string): string { return this.#need(key, this.optionalText(key)) }
  optionalText(key: string): string | undefined {
    const value = this.get(key)
    if (value !== undefined && typeof value !== 'string') throw this.#wrong(key, 'a string')
    return value
  }

  long(key: string): bigint { return this.#need(key, this.optionalLong(key)) }
  optionalLong(key: string): bigint | undefined {
    const value = this.get(key)
    if (value !== undefined && (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value)) throw this.#wrong(key, 'a 64-bit integer')
    return value
  }

  int(key: string): number { return this.#need(key, this.optionalInt(key)) }
  /** An integer that a number holds exactly. */
  optionalInt(key: string): number | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    const number = Number(value)
    if (typeof value !== 'bigint' || !Number.isSafeInteger(number)) throw this.#wrong(key, 'an integer')
    return number
  }

  list(key: string): readonly Json[] {
    const value = this.#need(key, this.get(key))
    if (!isArray(value)) throw this.#wrong(key, 'an array')
    return value
  }

  texts(key: string): readonly string[] {
    return this.list(key).map(item => {
      if (typeof item !== 'string') throw this.#wrong(key, 'an array of strings')
      return item
    })
  }

  /** An object whose values are strings. */
  textMap(key: string): Readonly<Record<string, string>> {
    const value = this.#need(key, this.get(key))
    if (value === null || typeof value !== 'object' || isArray(value)) throw this.#wrong(key, 'an object')
    return Object.fromEntries(Object.entries(value).map(([name, item]) => {
      if (typeof item !== 'string') throw this.#wrong(`${key}.${name}`, 'a string')
      return [name, item]
    }))
  }

  #need<T>(key: string, value: T | undefined): T {
    if (value === undefined) throw corrupt(this.path, `${this.#name(key)} is missing`)
    return value
  }
  #wrong(key: string, kind: string): Error { return corrupt(this.path, `${this.#name(key)} is not ${kind}`) }
  #name(key: string): string { return this.#where === '' ? key : `${this.#where}.${key}` }
}
