/** Byte arrays: dictionary codes as long as every page has them, offsets and bytes otherwise. */
import type { Column } from '../../batch.ts'
import { SqlError, corrupt, unreachable, unsupported } from '../../error.ts'
import type { Address } from '../../memory.ts'
import { BYTEA } from '../../type.ts'
import type { ValueReader } from './chunk.ts'
import type { ChunkSource, Page, PageBody } from './page.ts'

interface Dictionary { readonly offsets: Address; readonly bytes: Address; readonly entries: number }

const NO_DICTIONARY: Dictionary = { offsets: 0, bytes: 0, entries: 0 }

/** Appends the values of pages. The column is of the leaf's type when its bytes are what the file holds, of bytea when they are still to be converted. */
export class VarValues implements ValueReader {
  readonly #source: ChunkSource
  /** u32 codes: of all values, or of one page. */
  readonly #coded: boolean
  readonly #offsets: Address
  #codes: Address = 0
  #codesRoom = 0
  #bytes: Address = 0
  #room = 0
  #used = 0
  #done = 0
  #dictionary = NO_DICTIONARY
  #lengths: [Address, Address] = [0, 0]
  #lengthsRoom = -1

  constructor(source: ChunkSource, pages: readonly Page[], count: number) {
    this.#source = source
    const data = pages.filter(page => page.kind !== 'dictionary')
    // BYTE_ARRAY decimals go through a kernel that wants them expanded.
    this.#coded = data.length > 0 && source.leaf.conversion !== 'decimal' && data.every(page => isCoded(page))
    if (this.#coded) {
      this.#codes = source.arena.alloc(4 * count)
      this.#offsets = 0
    } else {
      this.#offsets = source.arena.alloc(4 * (count + 1))
      source.memory.u32[this.#offsets / 4] = 0
      this.#grow(data.reduce((sum, page) => sum + (isCoded(page) ? 0 : page.size), 0))
    }
  }

  dictionary(page: Page, body: PageBody): void {
    const { leaf, arena, kernel, memory, path } = this.#source
    const n = page.values, { values: from, end } = body
    const broken = () => corrupt(path, `dictionary of column ${leaf.path} is broken`)
    if (leaf.width > 0 ? n * leaf.width > end - from : n * 4 > end - from) throw broken()
    // A dictionary has at least one entry, so that the codes under NULLs mean something.
    const offsets = arena.zeroed(4 * (Math.max(n, 1) + 1)), bytes = arena.alloc(end - from)
    if (leaf.width > 0) {
      memory.u8.copyWithin(bytes, from, from + n * leaf.width)
      kernel.fixed_offsets(leaf.width, n, offsets, 0)
    } else if (kernel.plain_var(from, end, n, offsets, bytes, 0, end - from) < 0) throw broken()
    this.#dictionary = { offsets, bytes, entries: n }
  }

  page(page: Page, body: PageBody, present: number): boolean {
    if (present === 0) return true
    const used = this.#append(page, body, present)
    if (used < 0) return false
    this.#used = used
    this.#done += present
    return true
  }

  finish(count: number): Column {
    const { leaf, arena } = this.#source
    const type = leaf.conversion === 'bytes' ? leaf.type : BYTEA
    if (!this.#coded) return { type, length: count, valid: undefined, data: { kind: 'var', offsets: this.#offsets, bytes: this.#bytes } }
    const { entries } = this.#dictionary
    const { offsets, bytes } = entries > 0 ? this.#dictionary : { offsets: arena.zeroed(8), bytes: arena.zeroed(0) }
    return { type, length: count, valid: undefined, data: { kind: 'dict', codes: this.#codes, dictionary: { type, length: Math.max(entries, 1), valid: undefined, data: { kind: 'var', offsets, bytes } } } }
  }

  /** The bytes used afterwards; negative when the page is broken. */
  #append(page: Page, { values: from, end }: PageBody, n: number): number {
    const { leaf, kernel, memory, path } = this.#source
    const offsets = this.#offsets + 4 * this.#done, at = this.#used, { encoding } = page
    switch (encoding) {
      case 'PLAIN':
        if (leaf.width > 0) return this.#fixed(from, end, n, offsets)
        this.#grow(end - from)
        return kernel.plain_var(from, end, n, offsets, this.#bytes, at, this.#room)
      case 'PLAIN_DICTIONARY': case 'RLE_DICTIONARY': {
        if (end <= from) return -1
        const { offsets: entries, bytes, entries: limit } = this.#dictionary, bits = memory.u8[from] ?? 0
        if (this.#coded) return kernel.rle_u32(from + 1, end, bits, n, limit, this.#codes + 4 * this.#done) < 0 ? -1 : 0
        if (n > this.#codesRoom) {
          this.#codesRoom = n
          this.#codes = this.#source.scratch.alloc(4 * n)
        }
        if (kernel.rle_u32(from + 1, end, bits, n, limit, this.#codes) < 0) return -1
        this.#grow(kernel.gather_var_size(this.#codes, n, entries))
        return kernel.gather_var_append(this.#codes, n, entries, bytes, offsets, this.#bytes, at)
      }
      case 'DELTA_LENGTH_BYTE_ARRAY': {
        if (leaf.width > 0) break
        const [lengths] = this.#lengthsFor(n), read = kernel.delta32(from, end, n, lengths)
        const sum = read < 0 ? -1 : kernel.lengths_sum(lengths, n)
        if (sum < 0 || sum > end - from - read) return -1
        this.#grow(sum)
        this.#source.memory.u8.copyWithin(this.#bytes + at, from + read, from + read + sum)
        return kernel.lengths_offsets(lengths, n, offsets, at)
      }
      case 'DELTA_BYTE_ARRAY': {
        const [prefixes, suffixes] = this.#lengthsFor(n)
        const first = kernel.delta32(from, end, n, prefixes), second = first < 0 ? -1 : kernel.delta32(from + first, end, n, suffixes)
        if (second < 0) return -1
        const suffix = from + first + second, size = kernel.prefixed_size(prefixes, suffixes, n, end - suffix)
        if (size < 0 || leaf.width > 0 && size !== n * leaf.width) return -1
        this.#grow(size)
        return kernel.prefixed_append(prefixes, suffixes, n, suffix, offsets, this.#bytes, at)
      }
      case 'BYTE_STREAM_SPLIT':
        if (leaf.width === 0) break
        this.#grow(n * leaf.width)
        if (kernel.byte_stream_split(from, end, n, leaf.width, this.#bytes + at) < 0) return -1
        kernel.fixed_offsets(leaf.width, n, offsets, at)
        return at + n * leaf.width
      case 'RLE': case 'BIT_PACKED': case 'DELTA_BINARY_PACKED': break
      default: unreachable(encoding)
    }
    throw unsupported(`Parquet encoding ${encoding} of column ${leaf.path}`, { where: path })
  }

  #fixed(from: Address, end: Address, n: number, offsets: Address): number {
    const { leaf: { width }, kernel, memory } = this.#source
    if (n * width > end - from) return -1
    this.#grow(n * width)
    memory.u8.copyWithin(this.#bytes + this.#used, from, from + n * width)
    kernel.fixed_offsets(width, n, offsets, this.#used)
    return this.#used + n * width
  }

  #lengthsFor(n: number): [Address, Address] {
    if (n > this.#lengthsRoom) {
      const { scratch } = this.#source
      this.#lengthsRoom = n
      this.#lengths = [scratch.alloc(4 * n), scratch.alloc(4 * n)]
    }
    return this.#lengths
  }

  /** Makes room for so many bytes more; doubles, so that appending stays linear. */
  #grow(more: number): void {
    const need = this.#used + more
    if (this.#bytes !== 0 && need <= this.#room) return
    const { arena, leaf, memory, path } = this.#source
    if (need >= 2 ** 32 - 64) throw new SqlError('54000', `column "${leaf.path}" has more than 4 GiB in one row group`, { where: path })
    const room = this.#bytes === 0 ? need : Math.max(need, Math.min(2 * this.#room, 2 ** 32 - 64))
    const bytes = arena.alloc(room)
    memory.u8.copyWithin(bytes, this.#bytes, this.#bytes + this.#used)
    this.#bytes = bytes
    this.#room = room
  }
}

function isCoded(page: Page): boolean { return page.encoding === 'PLAIN_DICTIONARY' || page.encoding === 'RLE_DICTIONARY' }
