/** Rows as COPY … TO STDOUT sends them. */
import type { Batch } from '../batch.ts'
import { columnReader } from '../column.ts'
import type { Memory } from '../memory.ts'
import type { CopyFormat } from '../session/face.ts'
import type { TextSettings } from '../text.ts'
import { textWriter } from '../text.ts'
import type { Schema } from '../type.ts'
import type { MessageWriter } from './codec.ts'
import { valueWriter } from './types.ts'

const SIGNATURE = Uint8Array.of(0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00, 0, 0, 0, 0, 0, 0, 0, 0)

const NOTHING = new Uint8Array(0)

/** Turns rows into CopyData messages, one a row as PostgreSQL does. */
export class CopyWriter {
  readonly #format: CopyFormat
  readonly #schema: Schema
  readonly #settings: TextSettings
  readonly #memory: Memory
  #head = NOTHING

  constructor(format: CopyFormat, schema: Schema, settings: TextSettings, memory: Memory) {
    this.#format = format
    this.#schema = schema
    this.#settings = settings
    this.#memory = memory
  }

  start(out: MessageWriter): void {
    const binary = this.#format.format === 'binary' ? 1 : 0
    out.begin('H').byte(binary).int16(this.#schema.length)
    for (const _ of this.#schema) out.int16(binary)
    out.end()
    if (binary === 1) this.#head = SIGNATURE
    else if (this.#format.header) out.begin('d').text(this.#line(this.#schema.map(field => field.name), false)).end()
  }

  rows(batch: Batch, out: MessageWriter, from: number, to: number): void {
    const readers = batch.columns.map(column => columnReader(column, this.#memory))
    if (this.#format.format === 'binary') {
      const writers = this.#schema.map(field => valueWriter(field.type, 1, this.#settings))
      for (let row = from; row < to; row++) {
        this.#binary(out).int16(readers.length)
        readers.forEach((read, i) => { const value = read(row); if (value === null) out.int32(-1); else writers[i]?.(out, value) })
        out.end()
      }
      return
    }
    const texts = this.#schema.map(field => textWriter(field.type, this.#settings))
    for (let row = from; row < to; row++) {
      out.begin('d').text(this.#line(readers.map((read, i) => { const value = read(row); return value === null ? undefined : texts[i]?.(value) ?? '' }), true)).end()
    }
  }

  finish(out: MessageWriter): void {
    if (this.#format.format === 'binary') this.#binary(out).int16(-1).end()
    out.empty('c')
  }

  /** Begins a binary message; the first has the signature in front. */
  #binary(out: MessageWriter): MessageWriter {
    out.begin('d').bytes(this.#head)
    this.#head = NOTHING
    return out
  }

  #line(values: readonly (string | undefined)[], data: boolean): string {
    const { format, delimiter, null: nothing } = this.#format
    if (format === 'csv') return `${values.map((value, i) => value === undefined ? nothing : this.#csv(value, data && this.#forced(i), values.length === 1)).join(delimiter)}\n`
    return `${values.map(value => value === undefined ? nothing : escaped(value, delimiter)).join(delimiter)}\n`
  }

  #forced(column: number): boolean {
    const { forceQuote } = this.#format
    return forceQuote === '*' || (forceQuote?.includes(this.#schema[column]?.name ?? '') ?? false)
  }

  #csv(value: string, forced: boolean, alone: boolean): string {
    const { delimiter, quote, escape, null: nothing } = this.#format
    if (!forced && value !== nothing && !(alone && value === '\\.') && ![delimiter, quote, '\n', '\r'].some(mark => value.includes(mark))) return value
    let out = ''
    for (const character of value) out += character === quote || character === escape ? escape + character : character
    return quote + out + quote
  }
}

function escaped(value: string, delimiter: string): string {
  let out = ''
  for (const character of value) {
    switch (character) {
      case '\\': out += '\\\\'; break
      case '\n': out += '\\n'; break
      case '\r': out += '\\r'; break
      case '\t': out += '\\t'; break
      case '\b': out += '\\b'; break
      case '\f': out += '\\f'; break
      case '\v': out += '\\v'; break
      default: out += character === delimiter ? `\\${character}` : character
    }
  }
  return out
}
