/**
 * The one hash table: records in, small dense numbers out. Grouping, DISTINCT, joins and the state of continuous queries are arrays indexed by these
 * numbers. It owns its memory.
 */
import type { Column } from '../batch.ts'
import { invariant } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { Field } from '../type.ts'
import { layoutOf } from '../type.ts'
import type { Machine } from './gather.ts'
import { gather, isNullConst } from './gather.ts'
import { Growing } from './growing.ts'
import type { Equality, Records } from './record.ts'
import { RecordFormat } from './record.ts'

/** Hashes differ from process to process, so that nobody can choose keys that collide. */
const SEED = BigInt.asUintN(64, crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n)

// the header's words, as kernel/hash.as.ts reads them
const SLOTS = 0, MASK = 1, USED = 2, LIMIT = 3, KEYS = 4, COUNT = 5, CAPACITY = 6, HASHES = 7, FREE = 8, FREE_COUNT = 9
const ENDS = 10, SIZES = 11, HEAP_TOP = 12, HEAP_END = 13, STRIDE = 14, EXTRA = 15, STATE = 16, DEAD_COUNT = 17, WORDS = 18

/** What a row gets when it was not found, or has a NULL where NULL matches nothing. */
export const NONE = 0xffffffff

export interface HashOptions {
  readonly equality?: Equality
  /** Rows with a NULL get `NONE`: SQL's equality, for joins. */
  readonly nullsMatchNothing?: boolean
}

export class HashTable {
  readonly format: RecordFormat
  readonly #machine: Machine
  readonly #nullsMatchNothing: boolean
  readonly #columns: number
  readonly #own: Arena
  readonly #header: number
  #slots: Arena
  readonly #keys: Growing
  readonly #hashes: Growing
  readonly #ends: Growing
  readonly #sizes: Growing
  readonly #free: Growing
  readonly #state: Growing

  constructor(fields: readonly Pick<Field, 'type' | 'nullable'>[], machine: Machine, options: HashOptions = {}) {
    const { memory } = machine
    this.#machine = machine
    this.#nullsMatchNothing = options.nullsMatchNothing ?? false
    this.#columns = fields.length
    this.format = new RecordFormat(fields, options.equality ?? 'equal')
    this.#own = memory.arena()
    this.#header = this.#own.zeroed(4 * WORDS) / 4
    this.#slots = memory.arena()
    this.#keys = new Growing(memory)
    this.#hashes = new Growing(memory)
    this.#ends = new Growing(memory)
    this.#sizes = new Growing(memory)
    this.#free = new Growing(memory)
    this.#state = new Growing(memory, true)
    this.#set(STRIDE, this.format.stride)
    this.#set(EXTRA, this.format.extra)
    this.#setSlots(10)
    this.#room()
  }

  #get(word: number): number { return this.#machine.memory.u32[this.#header + word] ?? 0 }
  #set(word: number, value: number): void { this.#machine.memory.u32[this.#header + word] = value }

  /** Every id is below this. */
  get end(): number { return this.#get(COUNT) }
  /** Ids in use. */
  get size(): number { return this.#get(COUNT) - this.#get(FREE_COUNT) - this.#get(DEAD_COUNT) }

  /** An id a row, new ones for rows not seen before. */
  find(columns: readonly Column[], n: number, arena: Arena): Address {
    return this.#coded(columns, n, arena, true) ?? this.#find(columns, n, arena)
  }

  /** An id a row, `NONE` for rows not seen before. */
  lookup(columns: readonly Column[], n: number, arena: Arena): Address {
    return this.#coded(columns, n, arena, false) ?? this.#lookup(columns, n, arena)
  }

  #find(columns: readonly Column[], n: number, arena: Arena): Address {
    const { kernel } = this.#machine, records = this.format.encode(columns, n, this.#machine, arena), hashes = this.#hash(records, arena)
    const ids = arena.alloc(4 * n), skip = this.#skip(columns, n, arena)
    const at = 4 * this.#header
    for (let from = 0; ;) {
      from = kernel.table_find(at, records.bytes, records.ends, records.sizes, hashes, skip, from, n, ids)
      if (from === n) return ids
      this.#grow(records.total)
    }
  }

  #lookup(columns: readonly Column[], n: number, arena: Arena): Address {
    const records = this.format.encode(columns, n, this.#machine, arena), hashes = this.#hash(records, arena), ids = arena.alloc(4 * n)
    this.#machine.kernel.table_lookup(4 * this.#header, records.bytes, records.ends, records.sizes, hashes, this.#skip(columns, n, arena), n, ids)
    return ids
  }

  #hash(records: Records, arena: Arena): Address {
    const hashes = arena.alloc(8 * records.n)
    this.#machine.kernel.record_hash(records.bytes, records.ends, records.sizes, this.format.stride, records.n, SEED, hashes)
    return hashes
  }

  /** Bytes that are 0 for rows with a NULL; 0 when no row has one or NULL is a key like any other. */
  #skip(columns: readonly Column[], n: number, arena: Arena): Address {
    if (!this.#nullsMatchNothing) return 0
    let skip = 0
    for (const column of columns) {
      const valid = isNullConst(column, this.#machine) ? arena.zeroed(n) : column.valid
      if (valid === undefined) continue
      if (skip === 0) { skip = valid; continue }
      const both = arena.alloc(n + 16)
      this.#machine.kernel.and_8(skip, valid, n, both)
      skip = both
    }
    return skip
  }

  /** When the columns are codes, bools and constants with few combinations: only those that occur are looked up. */
  #coded(columns: readonly Column[], n: number, arena: Arena, insert: boolean): Address | undefined {
    let product = 1
    for (const column of columns) {
      const { data } = column
      if (data.kind === 'const') continue
      if (data.kind === 'dict') product *= data.dictionary.length + 1
      else if (data.kind === 'flat' && layoutOf(column.type) === 'u8') product *= 3
      else return undefined
      if (product > 65536 || product * 2 > n) return undefined
    }
    if (n < 16) return undefined
    const { kernel } = this.#machine, codes = arena.zeroed(4 * n)
    for (const { data, valid } of columns) {
      const nulls = valid === undefined ? 0 : 1
      if (data.kind === 'dict') kernel.codes_combine(data.codes, 4, valid ?? 0, n, data.dictionary.length + nulls, codes)
      else if (data.kind === 'flat') kernel.codes_combine(data.values, 1, valid ?? 0, n, 2 + nulls, codes)
    }
    const table = arena.zeroed(4 * product), rows = arena.alloc(4 * product), count = kernel.codes_first(codes, n, table, rows)
    const few = columns.map(column => gather(column, rows, count, this.#machine, arena))
    const ids = insert ? this.#find(few, count, arena) : this.#lookup(few, count, arena), out = arena.alloc(4 * n)
    kernel.codes_ids(codes, n, table, ids, out)
    return out
  }

  /** The values of ids, column by column. */
  decode(ids: Address, n: number, arena: Arena): Column[] {
    const records = { bytes: this.#get(KEYS), ends: this.#get(ENDS), sizes: this.#get(SIZES) }
    return Array.from({ length: this.#columns }, (_, i) => this.format.decode(i, records, ids, n, this.#machine, arena))
  }

  /** The ids are no longer in use: they are given to other rows, sooner or later, unless their own row comes back first. Whatever is kept by id must be as for a new one. */
  release(ids: Address, n: number): void {
    if (n === 0) return
    this.#state.ensure(this.#get(CAPACITY))
    this.#free.ensure(4 * this.#get(CAPACITY))
    this.#set(STATE, this.#state.address)
    this.#set(FREE, this.#free.address)
    this.#machine.kernel.table_release(4 * this.#header, ids, n)
  }

  /** Forgets everything. */
  clear(): void {
    for (const word of [COUNT, USED, FREE_COUNT, DEAD_COUNT, HEAP_TOP]) this.#set(word, 0)
    if (this.#get(STATE) !== 0) this.#machine.memory.u8.fill(0, this.#get(STATE), this.#get(STATE) + this.#get(CAPACITY))
    this.#setSlots(10)
  }

  free(): void {
    for (const growing of [this.#keys, this.#hashes, this.#ends, this.#sizes, this.#free, this.#state]) growing.free()
    this.#slots.free()
    this.#own.free()
  }

  #grow(bytes: number): void {
    const used = this.#get(USED), dead = this.#get(DEAD_COUNT)
    if (used >= this.#get(LIMIT)) {
      const bits = Math.log2(this.#get(MASK) + 1)
      this.#setSlots(dead * 2 > used ? bits : bits < 16 ? bits + 2 : bits + 1)
    }
    if (this.#get(FREE_COUNT) === 0 && this.#get(COUNT) >= this.#get(CAPACITY)) this.#room()
    if (this.format.stride === 0 && this.#get(HEAP_TOP) + bytes > this.#get(HEAP_END)) this.#growHeap(bytes)
  }

  #setSlots(bits: number): void {
    const arena = this.#machine.memory.arena(), count = 2 ** bits
    invariant(bits <= 29, 'a hash table of half a billion rows')
    this.#set(SLOTS, arena.zeroed(8 * count))
    this.#set(MASK, count - 1)
    this.#set(LIMIT, Math.floor(count * 0.6))
    this.#slots.free()
    this.#slots = arena
    this.#machine.kernel.table_rebuild(4 * this.#header)
  }

  /** Room for twice as many ids. */
  #room(): void {
    const capacity = Math.max(1024, this.#get(CAPACITY) * 2), { stride } = this.format
    this.#set(HASHES, this.#hashes.ensure(8 * capacity))
    if (stride > 0) this.#set(KEYS, this.#keys.ensure(stride * capacity))
    else {
      this.#set(ENDS, this.#ends.ensure(4 * capacity))
      this.#set(SIZES, this.#sizes.ensure(4 * capacity))
      if (this.#get(KEYS) === 0) this.#growHeap(0)
    }
    if (this.#get(STATE) !== 0) {
      this.#set(STATE, this.#state.ensure(capacity))
      this.#set(FREE, this.#free.ensure(4 * capacity))
    }
    this.#set(CAPACITY, capacity)
  }

  #growHeap(bytes: number): void {
    const { memory, kernel } = this.#machine, top = this.#get(HEAP_TOP)
    if (this.#get(STATE) !== 0 && kernel.table_live_bytes(4 * this.#header) * 2 < top) {
      const to = memory.arena(), heap = to.alloc(top)
      kernel.table_compact(4 * this.#header, heap)
      memory.refresh()
      kernel.move_bytes(this.#get(KEYS), heap, this.#get(HEAP_TOP))
      to.free()
      if (this.#get(HEAP_TOP) + bytes <= this.#get(HEAP_END)) return
    }
    const address = this.#keys.ensure(this.#get(HEAP_TOP) + bytes)
    this.#set(KEYS, address)
    this.#set(HEAP_END, this.#keys.size)
  }
}
