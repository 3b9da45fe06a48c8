/** One column chunk → its values side by side, and the levels that say where they belong. */
import type { Column } from '../../batch.ts'
import { SqlError, corrupt } from '../../error.ts'
import type { Address } from '../../memory.ts'
import type { Page, PageBody, ChunkSource } from './page.ts'
import { PageUnpacker, pagesOf } from './page.ts'
import { FixedValues } from './fixed.ts'
import { VarValues } from './var.ts'
import { convertValues } from './convert.ts'

/** A chunk decoded: values without NULLs, and for each value or NULL its levels (a byte each; undefined: all are the highest definition, repetition 0). */
export interface Decoded {
  /** Its buffers (codes, offsets, flat values) have room for `count`. */
  readonly values: Column
  readonly count: number
  readonly definitions: Address | undefined
  readonly repetitions: Address | undefined
}

/** What turns the values of pages into a column without NULLs. */
export interface ValueReader {
  dictionary(page: Page, body: PageBody): void
  /** `present` values, appended. False when the page is broken. */
  page(page: Page, body: PageBody, present: number): boolean
  finish(count: number): Column
}

/** Decodes a chunk whose bytes are at `source.start`. Broken pages end in XX001. */
export function decodeChunk(source: ChunkSource): Decoded {
  try {
    return decode(source)
  } catch (error) {
    if (error instanceof SqlError || !(error instanceof WebAssembly.RuntimeError)) throw error
    throw corrupt(source.path, `column ${source.leaf.path} is broken`, error)
  }
}

function decode(source: ChunkSource): Decoded {
  const { leaf, chunk, path, kernel } = source
  const pages = pagesOf(source), count = chunk.values
  const reader: ValueReader = leaf.conversion === 'bytes' || leaf.conversion === 'values' || leaf.conversion === 'decimal' && leaf.physical === 'BYTE_ARRAY'
    ? new VarValues(source, pages, count) : new FixedValues(source, count)
  const unpacker = new PageUnpacker(source, pages), levels = new Levels(source, count)
  let done = 0, values = 0
  for (const [number, page] of pages.entries()) {
    const body = unpacker.unpack(page, number)
    if (page.kind === 'dictionary') { reader.dictionary(page, body); continue }
    const present = levels.page(page, body, done, number)
    if (!reader.page(page, body, present)) throw corrupt(path, `page ${number} of column ${leaf.path} is broken (${page.encoding})`)
    done += page.values
    values += present
  }
  const column = reader.finish(values)
  if (column.type.kind === 'text' || column.type.kind === 'json') {
    const text = column.data.kind === 'dict' ? column.data.dictionary : column
    if (text.data.kind === 'var' && kernel.text_valid(text.data.offsets, text.length, text.data.bytes) !== 1) throw corrupt(path, `column ${leaf.path} has text that is not UTF-8`)
  }
  return { values: convertValues(column, source), count, definitions: levels.definitions, repetitions: levels.repetitions }
}

/** Levels of all pages, one behind the other. */
class Levels {
  definitions: Address | undefined
  repetitions: Address | undefined
  readonly #source: ChunkSource
  readonly #count: number

  constructor(source: ChunkSource, count: number) {
    this.#source = source
    this.#count = count
    if (source.leaf.maxRepetition > 0) this.repetitions = source.scratch.alloc(count)
  }

  /** Decodes a page's levels; how many values are present. */
  page(page: Page, body: PageBody, done: number, number: number): number {
    const { leaf: { maxDefinition, maxRepetition }, kernel, memory } = this.#source
    const n = page.values
    if (this.repetitions !== undefined && kernel.rle_u8(body.repetition, body.repetitionEnd, bitWidth(maxRepetition), n, maxRepetition + 1, this.repetitions + done) < 0) this.#broken(number)
    if (maxDefinition === 0) return n
    const width = bitWidth(maxDefinition)
    const all = kernel.levels_all(body.definition, body.definitionEnd, width, n, maxDefinition)
    if (all < 0) this.#broken(number)
    if (all === 1) {
      if (this.definitions !== undefined) memory.u8.fill(maxDefinition, this.definitions + done, this.definitions + done + n)
      return n
    }
    if (this.definitions === undefined) {
      // The validity of a column, or levels that are gone when the nested values are put together.
      this.definitions = (maxRepetition === 0 && maxDefinition === 1 ? this.#source.arena : this.#source.scratch).alloc(this.#count)
      memory.u8.fill(maxDefinition, this.definitions, this.definitions + done)
    }
    if (kernel.rle_u8(body.definition, body.definitionEnd, width, n, maxDefinition + 1, this.definitions + done) < 0) this.#broken(number)
    return kernel.levels_count(this.definitions + done, n, maxDefinition)
  }

  #broken(number: number): never { throw corrupt(this.#source.path, `levels of page ${number} of column ${this.#source.leaf.path} are broken`) }
}

function bitWidth(level: number): number { return 32 - Math.clz32(level) }
