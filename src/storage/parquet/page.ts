/** The pages of a column chunk: their headers, and their bodies unpacked. */
import { crc32 } from 'node:zlib'
import { corrupt, unsupported } from '../../error.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Address, Arena, Memory } from '../../memory.ts'
import { decompress } from './codec.ts'
import type { Chunk } from './footer.ts'
import type { Leaf } from './schema.ts'
import { ThriftReader } from './thrift.ts'

export type Encoding = 'PLAIN' | 'PLAIN_DICTIONARY' | 'RLE' | 'BIT_PACKED' | 'DELTA_BINARY_PACKED' | 'DELTA_LENGTH_BYTE_ARRAY' | 'DELTA_BYTE_ARRAY' | 'RLE_DICTIONARY' | 'BYTE_STREAM_SPLIT'
const ENCODINGS: readonly (Encoding | undefined)[] = ['PLAIN', undefined, 'PLAIN_DICTIONARY', 'RLE', 'BIT_PACKED', 'DELTA_BINARY_PACKED', 'DELTA_LENGTH_BYTE_ARRAY', 'DELTA_BYTE_ARRAY', 'RLE_DICTIONARY', 'BYTE_STREAM_SPLIT']

/** What a page header says, and where the page's bytes are. */
export interface Page {
  readonly kind: 'dictionary' | 'data' | 'data2'
  /** Values and NULLs. */
  readonly values: number
  readonly encoding: Encoding
  readonly at: Address
  readonly packed: number
  readonly size: number
  /** Bytes of levels before the values; version 2 only. */
  readonly definitionBytes: number
  readonly repetitionBytes: number
  readonly compressed: boolean
  /** Of the page's bytes as they are in the file. */
  readonly checksum: number | undefined
}

/** Everything a chunk's reader needs: where its bytes are, and where to put things. */
export interface ChunkSource {
  readonly path: string
  readonly leaf: Leaf
  readonly chunk: Chunk
  /** Address of the chunk's first byte. */
  readonly start: Address
  readonly memory: Memory
  readonly kernel: Kernel
  /** For what stays. */
  readonly arena: Arena
  /** For what is gone when the chunk was read. */
  readonly scratch: Arena
}

/** The headers of all pages that hold the chunk's values, in order; the dictionary, if any, comes first. */
export function pagesOf(source: ChunkSource): readonly Page[] {
  const { path, leaf, chunk, start, memory } = source
  const end = start + chunk.end - chunk.start, pages: Page[] = []
  let at = start, values = 0
  while (at < end && values < chunk.values) {
    const reader = new ThriftReader(memory.u8, at, end, path, `header of page ${pages.length} of column ${leaf.path}`)
    const header = pageHeader(reader)
    at = reader.at + header.packed
    if (header.packed < 0 || header.size < 0 || at > end) reader.fail('its page goes beyond the column')
    if (header.size > Math.max(chunk.uncompressed, 1 << 26)) reader.fail(`its page has ${header.size} bytes, the column ${chunk.uncompressed}`)
    if (header.kind === undefined) continue
    if (header.kind === 'dictionary') {
      if (pages.length > 0) reader.fail('a dictionary that is not the first page')
    } else values += header.values
    if (header.values < 0) reader.fail('a negative number of values')
    const encoding = ENCODINGS[header.encoding]
    if (encoding === undefined) throw unsupported(`Parquet encoding ${header.encoding} of column ${leaf.path}`, { where: path })
    if (header.kind === 'data' && (leaf.maxDefinition > 0 && header.definitionEncoding !== 3 || leaf.maxRepetition > 0 && header.repetitionEncoding !== 3)) {
      throw unsupported(`Parquet levels of column ${leaf.path} in another encoding than RLE`, { where: path })
    }
    pages.push({ ...header, kind: header.kind, encoding, at: reader.at })
  }
  if (values !== chunk.values) throw corrupt(path, `column ${leaf.path} has ${values} values in its pages, not ${chunk.values}`)
  return pages
}

interface PageHeader {
  kind: Page['kind'] | undefined
  size: number
  packed: number
  values: number
  encoding: number
  definitionEncoding: number
  repetitionEncoding: number
  definitionBytes: number
  repetitionBytes: number
  compressed: boolean
  checksum: number | undefined
}

function pageHeader(reader: ThriftReader): PageHeader {
  const header: PageHeader = { kind: undefined, size: -1, packed: -1, values: 0, encoding: 0, definitionEncoding: 3, repetitionEncoding: 3, definitionBytes: 0, repetitionBytes: 0, compressed: true, checksum: undefined }
  let type = -1
  reader.struct(id => {
    switch (id) {
      case 1: type = reader.int(); break
      case 2: header.size = reader.int(); break
      case 3: header.packed = reader.int(); break
      case 4: header.checksum = reader.int() >>> 0; break
      case 5:
        reader.field(id => {
          switch (id) {
            case 1: header.values = reader.int(); break
            case 2: header.encoding = reader.int(); break
            case 3: header.definitionEncoding = reader.int(); break
            case 4: header.repetitionEncoding = reader.int(); break
            default: reader.skip()
          }
        })
        break
      case 7:
        reader.field(id => {
          switch (id) {
            case 1: header.values = reader.int(); break
            case 2: header.encoding = reader.int(); break
            default: reader.skip()
          }
        })
        break
      case 8:
        reader.field(id => {
          switch (id) {
            case 1: header.values = reader.int(); break
            case 4: header.encoding = reader.int(); break
            case 5: header.definitionBytes = reader.int(); break
            case 6: header.repetitionBytes = reader.int(); break
            case 7: header.compressed = reader.bool(); break
            default: reader.skip()
          }
        })
        break
      default: reader.skip()
    }
  })
  // Other kinds (index pages) are passed over.
  header.kind = type === 0 ? 'data' : type === 2 ? 'dictionary' : type === 3 ? 'data2' : undefined
  return header
}

/** The levels and values of a page. Addresses are good until the next page is unpacked. */
export interface PageBody {
  readonly repetition: Address
  readonly repetitionEnd: Address
  readonly definition: Address
  readonly definitionEnd: Address
  readonly values: Address
  readonly end: Address
}

/** Unpacks pages one after the other, into the same place. */
export class PageUnpacker {
  readonly #source: ChunkSource
  #out: Address = 0
  #room = -1

  constructor(source: ChunkSource, pages: readonly Page[]) {
    this.#source = source
    for (const page of pages) if (page.size > this.#room) this.#room = page.size
  }

  unpack(page: Page, number: number): PageBody {
    const { leaf, memory } = this.#source
    const levels = page.definitionBytes + page.repetitionBytes
    if (page.definitionBytes < 0 || page.repetitionBytes < 0 || levels > page.packed || levels > page.size) this.#broken(number, 'its levels are longer than the page')
    if (page.checksum !== undefined && crc32(memory.u8.subarray(page.at, page.at + page.packed)) !== page.checksum) this.#broken(number, 'its checksum is wrong')
    const body = this.#body(page, levels, number)
    let at = body.start
    if (page.kind === 'data2') {
      return {
        repetition: page.at, repetitionEnd: page.at + page.repetitionBytes, definition: page.at + page.repetitionBytes, definitionEnd: page.at + levels, values: at, end: body.end,
      }
    }
    const prefixed = (present: boolean): [Address, Address] => {
      if (!present || page.kind === 'dictionary') return [at, at]
      if (body.end - at < 4) this.#broken(number, 'it ends inside of its levels')
      const { u8 } = memory, length = ((u8[at] ?? 0) | (u8[at + 1] ?? 0) << 8 | (u8[at + 2] ?? 0) << 16 | (u8[at + 3] ?? 0) << 24) >>> 0
      if (length > body.end - at - 4) this.#broken(number, 'its levels are longer than the page')
      at += 4 + length
      return [at - length, at]
    }
    const [repetition, repetitionEnd] = prefixed(leaf.maxRepetition > 0), [definition, definitionEnd] = prefixed(leaf.maxDefinition > 0)
    return { repetition, repetitionEnd, definition, definitionEnd, values: at, end: body.end }
  }

  /** The page without its version 2 levels. What is not compressed stays where it is. */
  #body(page: Page, levels: number, number: number): { start: Address; end: Address } {
    const { chunk, kernel, memory, path, scratch } = this.#source
    const from = page.at + levels, packed = page.packed - levels, size = page.size - levels
    if (chunk.codec === 'UNCOMPRESSED' || !page.compressed) {
      if (packed !== size) this.#broken(number, `${size} bytes are in ${packed}`)
      return { start: from, end: from + size }
    }
    if (size === 0) return { start: from, end: from }
    if (this.#out === 0) this.#out = scratch.alloc(this.#room + 16)
    decompress(chunk.codec, memory, kernel, from, packed, this.#out, size, path, this.#name(number))
    return { start: this.#out, end: this.#out + size }
  }

  #name(number: number): string { return `page ${number} of column ${this.#source.leaf.path}` }

  #broken(number: number, why: string): never { throw corrupt(this.#source.path, `${this.#name(number)} is broken: ${why}`) }
}
