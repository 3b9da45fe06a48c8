/** COPY's text and CSV formats, read: bytes as they come, into lines, into fields. */
import { SqlError } from '../error.ts'
import type { CopyFormat } from './face.ts'

/** One row of the input: fields as text, undefined for NULL, and where it was. */
export interface CopyRow {
  readonly fields: readonly (string | undefined)[]
  /** 1-based: the line that it ends in. */
  readonly line: number
  readonly text: string
}

/** What COPY FROM needs of the options besides the format. */
export interface CopyInOptions extends Pick<CopyFormat, 'delimiter' | 'null' | 'quote' | 'escape'> {
  readonly format: 'text' | 'csv'
  /** The first line is no row; `match`: it must have the names of the columns. */
  readonly header: 'true' | 'false' | 'match'
  /** Positions of columns in which a value is never NULL; and of those in which even a quoted one may be. */
  readonly forceNotNull: ReadonlySet<number>
  readonly forceNull: ReadonlySet<number>
}

const LINE_END = /\n|\r(?!\n)/g
type Ending = '\n' | '\r\n' | '\r'

/** Cuts the input into rows. Quotes and backslashes may carry a row over line ends. */
export class CopyLines {
  readonly #options: CopyInOptions
  readonly #names: readonly string[]
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })
  #rest = ''
  #ending: Ending | undefined
  #line = 0
  #headerSeen: boolean
  /** `\.` was read: what follows is no data. */
  #ended = false

  constructor(options: CopyInOptions, names: readonly string[]) {
    this.#options = options
    this.#names = names
    this.#headerSeen = options.header === 'false'
  }

  /** The line that was read last. */
  get line(): number { return this.#line }

  /** The rows that are complete with these bytes; `last` says that no more come. */
  *push(bytes: Uint8Array, last = false): Generator<CopyRow, void, undefined> {
    if (this.#ended) return
    let text: string
    try {
      text = this.#rest + this.#decoder.decode(bytes, { stream: !last })
    } catch {
      throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8"', { where: `line ${this.#line + 1}` })
    }
    let from = 0
    // most input has nothing that could hide the end of a line
    const plain = this.#options.format === 'text' && (this.#ending ?? '\n') === '\n' && !/[\\\r]/.test(text)
    while (!this.#ended) {
      const end = this.#endOf(text, from, last, plain)
      if (end === undefined) break
      if (end.at === from && end.next === from) break
      const line = text.slice(from, end.at)
      from = end.next
      this.#line += 1 + (this.#options.format === 'csv' ? (line.match(LINE_END)?.length ?? 0) : 0)
      if (!this.#headerSeen) {
        this.#headerSeen = true
        if (this.#options.header === 'match') this.#matchHeader(line)
        continue
      }
      if (line === '\\.') { this.#ended = true; break }
      yield { fields: this.#options.format === 'csv' ? this.#csv(line) : this.#text(line), line: this.#line, text: line }
    }
    this.#rest = this.#ended ? '' : text.slice(from)
  }

  /** Where the line from here ends, and where the next begins; undefined when more must come first. */
  #endOf(text: string, from: number, last: boolean, plain: boolean): { readonly at: number; readonly next: number } | undefined {
    const { format, quote, escape } = this.#options
    if (plain) {
      const at = text.indexOf('\n', from)
      if (at < 0) return last ? { at: text.length, next: text.length } : undefined
      this.#ending = '\n'
      return { at, next: at + 1 }
    }
    let quoted = false
    for (let i = from; i < text.length; i++) {
      const c = text[i]
      if (format === 'csv') {
        if (quoted && c === escape && escape !== quote && i + 1 < text.length) { i++; continue }
        if (c === quote) { quoted = !quoted; continue }
        if (quoted) continue
      } else if (c === '\\') { i++; continue }
      if (c !== '\n' && c !== '\r') continue
      // a line end may be cut in two
      if (c === '\r' && i + 1 === text.length && !last && this.#ending !== '\r') return undefined
      const found: Ending = c === '\n' ? '\n' : text[i + 1] === '\n' && this.#ending !== '\r' ? '\r\n' : '\r'
      this.#ending ??= found
      if (found !== this.#ending) throw this.#literal(found)
      return { at: i, next: i + found.length }
    }
    if (!last) return undefined
    if (quoted) throw new SqlError('22P04', 'unterminated CSV quoted field', { where: `line ${this.#line + 1 + (text.slice(from).match(LINE_END)?.length ?? 0)}: "${shown(text.slice(from))}"` })
    return { at: text.length, next: text.length }
  }

  #literal(found: Ending): SqlError {
    const { format } = this.#options, isReturn = found !== '\n', what = isReturn ? 'carriage return' : 'newline'
    const hint = format === 'csv' ? `Use quoted CSV field to represent ${what}.` : `Use "${isReturn ? '\\r' : '\\n'}" to represent ${what}.`
    return new SqlError('22P04', `${format === 'csv' ? 'unquoted' : 'literal'} ${what} found in data`, { hint, where: `line ${this.#line + 1}` })
  }

  #matchHeader(line: string): void {
    const fields = this.#options.format === 'csv' ? this.#csv(line) : this.#text(line), names = this.#names
    if (fields.length !== names.length) throw new SqlError('22P04', `wrong number of fields in header line: got ${fields.length}, expected ${names.length}`, { where: `line 1: "${shown(line)}"` })
    fields.forEach((field, i) => {
      if (field === undefined) throw new SqlError('22P04', `column name mismatch in header line field ${i + 1}: got null value ("${this.#options.null}"), expected "${names[i] ?? ''}"`, { where: `line 1: "${shown(line)}"` })
      if (field !== names[i]) throw new SqlError('22P04', `column name mismatch in header line field ${i + 1}: got "${field}", expected "${names[i] ?? ''}"`, { where: `line 1: "${shown(line)}"` })
    })
  }

  #text(line: string): (string | undefined)[] {
    const { delimiter, null: nothing } = this.#options, raw: string[] = []
    if (!line.includes('\\')) return line.split(delimiter).map(field => field === nothing ? undefined : field)
    let start = 0
    for (let i = 0; i < line.length; i++) {
      if (line[i] === '\\') i++
      else if (line[i] === delimiter) { raw.push(line.slice(start, i)); start = i + 1 }
    }
    raw.push(line.slice(start))
    return raw.map(field => field === nothing ? undefined : field.includes('\\') ? unescaped(field) : field)
  }

  #csv(line: string): (string | undefined)[] {
    const { delimiter, null: nothing, quote, escape, forceNotNull, forceNull } = this.#options, fields: (string | undefined)[] = []
    let i = 0
    do {
      let value = '', wasQuoted = false
      for (let inside = false; i < line.length; i++) {
        const c = line[i] ?? ''
        if (inside) {
          const next = line[i + 1]
          if (c === escape && next !== undefined && (next === escape || next === quote)) { value += next; i++ }
          else if (c === quote) inside = false
          else value += c
        } else if (c === delimiter) break
        else if (c === quote) inside = wasQuoted = true
        else value += c
      }
      const at = fields.length
      fields.push(value === nothing && (wasQuoted ? forceNull.has(at) : !forceNotNull.has(at)) ? undefined : value)
    } while (i++ < line.length)
    return fields
  }
}

/** A field with its backslashes resolved. Bytes given by number are those of UTF-8. */
function unescaped(field: string): string {
  const bytes: number[] = []
  let out = ''
  const flush = (): void => {
    if (bytes.length === 0) return
    try {
      out += new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
    } catch {
      throw new SqlError('22021', `invalid byte sequence for encoding "UTF8": ${bytes.map(byte => `0x${byte.toString(16).padStart(2, '0')}`).join(' ')}`)
    }
    bytes.length = 0
  }
  for (const [part, code] of field.matchAll(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|[^]|$)|[^\\]+/gu)) {
    if (code !== undefined && /^(?:x[0-9a-fA-F]|[0-7])/.test(code)) { bytes.push(code.startsWith('x') ? parseInt(code.slice(1), 16) : parseInt(code, 8) & 255); continue }
    flush()
    out += code === undefined ? part : SPECIAL[code] ?? (code === '' ? '\\' : code)
  }
  flush()
  if (out.includes('\0')) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00')
  return out
}

const SPECIAL: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Bytes of data in a message. */
const SHOWN = 100

/** Data in a message: not more of it than PostgreSQL shows. */
export function shown(text: string): string {
  if (Buffer.byteLength(text) <= SHOWN) return text
  let bytes = 0, out = ''
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > SHOWN) break
    out += character
  }
  return `${out}...`
}
