/** Values of a fixed width: every encoding, and the way from the physical type to ours. */
import type { Column } from '../../batch.ts'
import { SqlError, corrupt, unreachable, unsupported } from '../../error.ts'
import type { Address } from '../../memory.ts'
import { widthOf } from '../../type.ts'
import type { ValueReader } from './chunk.ts'
import type { ChunkSource, Page, PageBody } from './page.ts'

/** Appends the values of pages to one flat buffer, dictionary codes replaced by their values. */
export class FixedValues implements ValueReader {
  readonly #source: ChunkSource
  readonly #out: Address
  /** Bytes of a value in our layout. */
  readonly #width: number
  #at: Address
  #dictionary: Address = 0
  #entries = 0
  #spare: Address = 0
  #spareRoom = -1

  constructor(source: ChunkSource, count: number) {
    this.#source = source
    this.#width = widthOf(source.leaf.layout)
    this.#out = this.#at = source.arena.alloc(count * this.#width)
  }

  dictionary(page: Page, body: PageBody): void {
    const { leaf, path, scratch } = this.#source
    if (leaf.conversion === 'nothing') return
    const per = leaf.width
    if (per === 0 || page.values * per > body.end - body.values) throw corrupt(path, `dictionary of column ${leaf.path} is broken`)
    this.#entries = page.values
    this.#dictionary = scratch.alloc(page.values * this.#width)
    this.#convert(body.values, page.values, this.#dictionary)
  }

  page(page: Page, body: PageBody, present: number): boolean {
    if (present === 0) return true
    if (!this.#values(page, body, present)) return false
    this.#at += present * this.#width
    return true
  }

  finish(count: number): Column {
    const { leaf } = this.#source
    if (leaf.conversion === 'nothing') return { type: leaf.type, length: count, valid: undefined, data: { kind: 'const', one: nothing(this.#source) } }
    return { type: leaf.type, length: count, valid: undefined, data: { kind: 'flat', values: this.#out } }
  }

  #values(page: Page, { values: from, end }: PageBody, n: number): boolean {
    const { leaf, kernel, memory, path } = this.#source
    if (leaf.conversion === 'nothing') return true
    const out = this.#at, { encoding } = page
    if (leaf.physical === 'BOOLEAN') {
      switch (encoding) {
        case 'PLAIN': return kernel.bits_to_bytes(from, end, n, out) >= 0
        case 'RLE': return end - from >= 4 && kernel.rle_u8(from + 4, end, 1, n, 2, out) >= 0
        default: throw unsupported(`Parquet encoding ${encoding} of column ${leaf.path}`, { where: path })
      }
    }
    switch (encoding) {
      case 'PLAIN':
        if (n * leaf.width > end - from) return false
        this.#convert(from, n, out)
        return true
      case 'PLAIN_DICTIONARY': case 'RLE_DICTIONARY': {
        if (end <= from) return false
        const bits = memory.u8[from] ?? 0
        switch (this.#width) {
          case 4: return kernel.rle_gather4(from + 1, end, bits, n, this.#dictionary, this.#entries, out) >= 0
          case 8: return kernel.rle_gather8(from + 1, end, bits, n, this.#dictionary, this.#entries, out) >= 0
          default: return kernel.rle_gather16(from + 1, end, bits, n, this.#dictionary, this.#entries, out) >= 0
        }
      }
      case 'DELTA_BINARY_PACKED': {
        if (leaf.physical !== 'INT32' && leaf.physical !== 'INT64') break
        const raw = this.#rawPlace(n)
        if ((leaf.physical === 'INT32' ? kernel.delta32(from, end, n, raw) : kernel.delta64(from, end, n, raw)) < 0) return false
        this.#convert(raw, n, out)
        return true
      }
      case 'BYTE_STREAM_SPLIT': {
        const raw = this.#rawPlace(n)
        if (kernel.byte_stream_split(from, end, n, leaf.width, raw) < 0) return false
        this.#convert(raw, n, out)
        return true
      }
      case 'DELTA_BYTE_ARRAY': {
        if (leaf.physical !== 'FIXED_LEN_BYTE_ARRAY') break
        const raw = this.#prefixed(from, end, n)
        if (raw === undefined) return false
        this.#convert(raw, n, out)
        return true
      }
      case 'RLE': case 'BIT_PACKED': case 'DELTA_LENGTH_BYTE_ARRAY': break
      default: unreachable(encoding)
    }
    throw unsupported(`Parquet encoding ${encoding} of column ${leaf.path}`, { where: path })
  }

  /** Room for n physical values: where they end up anyway, the second half of it when they are widened, or a spare place. */
  #rawPlace(n: number): Address {
    const { leaf: { conversion, width } } = this.#source
    if (width === this.#width && conversion !== 'decimal') return this.#at
    if (conversion === 'unsigned128') return this.#at
    if (width * 2 === this.#width && conversion !== 'decimal') return this.#at + n * width
    return this.#spareFor(n * width)
  }

  #spareFor(bytes: number): Address {
    if (bytes > this.#spareRoom) {
      this.#spareRoom = bytes
      this.#spare = this.#source.scratch.alloc(bytes)
    }
    return this.#spare
  }

  /** DELTA_BYTE_ARRAY of values that must all have the leaf's width. */
  #prefixed(from: Address, end: Address, n: number): Address | undefined {
    const { leaf, kernel, memory, scratch } = this.#source
    const prefixes = scratch.alloc(4 * n), suffixes = scratch.alloc(4 * n), offsets = scratch.alloc(4 * (n + 1))
    const first = kernel.delta32(from, end, n, prefixes)
    const second = first < 0 ? -1 : kernel.delta32(from + first, end, n, suffixes)
    if (second < 0) return undefined
    const suffix = from + first + second
    if (kernel.prefixed_size(prefixes, suffixes, n, end - suffix) !== n * leaf.width) return undefined
    const raw = this.#spareFor(n * leaf.width)
    memory.u32[offsets / 4] = 0
    kernel.prefixed_append(prefixes, suffixes, n, suffix, offsets, raw, 0)
    return raw
  }

  /** n physical values at `from` → our layout at `out`. */
  #convert(from: Address, n: number, out: Address): void {
    const { leaf, kernel, memory } = this.#source
    const { conversion } = leaf
    switch (conversion) {
      case 'nothing': return
      case 'same': case 'millis': case 'nanos':
        if (from !== out) memory.u8.copyWithin(out, from, from + n * leaf.width)
        if (conversion === 'nanos') kernel.nanos64(out, n)
        else if (conversion === 'millis' && kernel.millis64(out, n) < 0) this.#outOfRange()
        return
      case 'widen': kernel.widen32(from, n, 1n, out); return
      case 'widen1000': kernel.widen32(from, n, 1000n, out); return
      case 'widenUnsigned': kernel.widen_u32(from, n, out); return
      case 'unsigned128': kernel.unsigned128(from, n, out); return
      case 'float16': kernel.float16(from, n, out); return
      case 'int96': if (kernel.int96(from, n, out) < 0) this.#outOfRange(); return
      case 'decimal':
        if ((this.#width === 8 ? kernel.fixed_decimal64(from, n, leaf.width, out) : kernel.fixed_decimal128(from, n, leaf.width, out)) < 0) this.#outOfRange()
        return
      case 'bits': case 'bytes': case 'values': throw corrupt(this.#source.path, `column ${leaf.path} has a dictionary of ${conversion}`)
      default: unreachable(conversion)
    }
  }

  #outOfRange(): never {
    const { leaf, path } = this.#source
    throw leaf.conversion === 'decimal' ? corrupt(path, `column ${leaf.path} has a value of more digits than its type`)
      : new SqlError('22008', `timestamp out of range in column "${leaf.path}"`, { where: path })
  }
}

/** One NULL. */
function nothing({ leaf, arena }: ChunkSource): Column {
  const valid = arena.zeroed(1), offsets = arena.zeroed(8)
  return { type: leaf.type, length: 1, valid, data: { kind: 'var', offsets, bytes: offsets } }
}
