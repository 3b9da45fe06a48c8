/**
 * The one shared memory of the process, and arenas in it. Reserved at 4 GiB, grown as needed, never given back to the system: a new page
 * costs more than the work done in it. Chunks are handed out under a lock that works across threads; an arena is freed whole.
 */
import { SqlError, invariant } from './error.ts'

/** A byte address in the shared memory, unsigned. `>>> 0` where it comes out of WebAssembly. */
export type Address = number

const PAGE = 65536
const CHUNK = 65536
const CHUNKS = 65536
/** What every worker needs to see the same memory. */
export interface MemoryHandle {
  readonly memory: WebAssembly.Memory
  /** [lock, next chunk to try, chunks in use, budget in chunks, peak], then one byte a chunk: 1 when in use. */
  readonly table: SharedArrayBuffer
}

const LOCK = 0, NEXT = 1, USED = 2, BUDGET = 3, PEAK = 4, HEADER = 64

export class Memory {
  readonly wasm: WebAssembly.Memory
  readonly handle: MemoryHandle
  readonly #words: Int32Array
  readonly #busy: Uint8Array
  #buffer: SharedArrayBuffer
  /** Views of the whole memory. They are replaced when it grows: never keep one across an allocation. */
  u8: Uint8Array
  i32: Int32Array
  u32: Uint32Array
  f32: Float32Array
  i64: BigInt64Array
  f64: Float64Array

  /** `budget` in bytes bounds what all arenas together may hold; beyond it allocation ends with 53200. */
  static create(budget = 3.5 * 2 ** 30): Memory {
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true })
    const table = new SharedArrayBuffer(HEADER + CHUNKS)
    const words = new Int32Array(table, 0, 16)
    words[BUDGET] = Math.min(Math.floor(budget / CHUNK), CHUNKS - 16)
    words[NEXT] = 1
    new Uint8Array(table, HEADER)[0] = 1 // address 0 is nobody's
    return new Memory({ memory, table })
  }

  constructor(handle: MemoryHandle) {
    this.handle = handle
    this.wasm = handle.memory
    this.#words = new Int32Array(handle.table, 0, 16)
    this.#busy = new Uint8Array(handle.table, HEADER)
    this.#buffer = this.wasm.buffer
    this.u8 = new Uint8Array(this.#buffer)
    this.i32 = new Int32Array(this.#buffer)
    this.u32 = new Uint32Array(this.#buffer)
    this.f32 = new Float32Array(this.#buffer)
    this.i64 = new BigInt64Array(this.#buffer)
    this.f64 = new Float64Array(this.#buffer)
  }

  /** Makes the views cover the memory as it is now. Cheap; call it before reading what another thread or a kernel wrote. */
  refresh(): this {
    const buffer = this.wasm.buffer
    if (buffer !== this.#buffer) {
      this.#buffer = buffer
      this.u8 = new Uint8Array(buffer)
      this.i32 = new Int32Array(buffer)
      this.u32 = new Uint32Array(buffer)
      this.f32 = new Float32Array(buffer)
      this.i64 = new BigInt64Array(buffer)
      this.f64 = new Float64Array(buffer)
    }
    return this
  }

  /** Bytes held by all arenas of all threads. */
  get used(): number { return Atomics.load(this.#words, USED) * CHUNK }
  /** What they may hold. */
  get budget(): number { return Atomics.load(this.#words, BUDGET) * CHUNK }
  /** The most that was ever held at once. */
  get peak(): number { return Atomics.load(this.#words, PEAK) * CHUNK }

  arena(): Arena { return new Arena(this) }

  /** Takes `count` chunks side by side; returns the first one's address. For arenas. */
  takeChunks(count: number): Address {
    this.#lock()
    try {
      const words = this.#words, used = words[USED] ?? 0
      if (used + count > (words[BUDGET] ?? 0)) throw new SqlError('53200', 'out of memory', { detail: `The query asked for ${count * CHUNK} bytes; ${used * CHUNK} of ${(words[BUDGET] ?? 0) * CHUNK} are in use.`, hint: 'Raise the memory budget (--memory) or ask for less at once.' })
      const first = this.#find(count)
      this.#busy.fill(1, first, first + count)
      words[NEXT] = first + count
      words[USED] = used + count
      if (used + count > (words[PEAK] ?? 0)) words[PEAK] = used + count
      const end = (first + count) * CHUNK
      const have = this.wasm.buffer.byteLength
      if (end > have) {
        const room = Math.min(4 * 2 ** 30, Math.max(end, Math.min(have * 2, have + 256 * 2 ** 20)))
        this.wasm.grow(Math.ceil((room - have) / PAGE))
      }
      return first * CHUNK
    } finally {
      this.#unlock()
      this.refresh()
    }
  }

  /** Gives chunks back. For arenas. */
  giveChunks(address: Address, count: number): void {
    this.#lock()
    try {
      const first = address / CHUNK
      this.#busy.fill(0, first, first + count)
      this.#words[USED] = (this.#words[USED] ?? 0) - count
      if (first < (this.#words[NEXT] ?? 0)) this.#words[NEXT] = first
    } finally {
      this.#unlock()
    }
  }

  #find(count: number): number {
    let run = 0
    for (let pass = 0; pass < 2; pass++) {
      run = 0
      for (let i = pass === 0 ? this.#words[NEXT] ?? 1 : 1; i < CHUNKS - 1; i++) {
        run = this.#busy[i] === 0 ? run + 1 : 0
        if (run === count) return i - count + 1
      }
    }
    throw new SqlError('53200', 'out of memory', { detail: `No ${count * CHUNK} bytes side by side are free in the engine's memory.` })
  }

  #lock(): void {
    while (Atomics.compareExchange(this.#words, LOCK, 0, 1) !== 0) Atomics.wait(this.#words, LOCK, 1, 1)
  }
  #unlock(): void {
    Atomics.store(this.#words, LOCK, 0)
    Atomics.notify(this.#words, LOCK, 1)
  }
}

/**
 * Memory for one query, operator or morsel: allocated piece by piece, freed whole. Not shared between threads (each thread makes its own),
 * but what is written in it may be read by any.
 */
export class Arena {
  readonly memory: Memory
  #chunks: { address: Address; count: number }[] = []
  #top = 0
  #end = 0
  #next = 1

  constructor(memory: Memory) { this.memory = memory }

  /** `bytes` bytes, aligned to 16, contents unspecified, with at least 16 readable bytes behind them. */
  alloc(bytes: number): Address {
    invariant(bytes >= 0, `allocation of ${bytes} bytes`)
    const size = Math.ceil((bytes + 16) / 16) * 16
    if (this.#top + size > this.#end) this.#more(size)
    const address = this.#top
    this.#top += size
    return address
  }

  /** The same, filled with zeros. */
  zeroed(bytes: number): Address {
    const address = this.alloc(bytes)
    this.memory.u8.fill(0, address, address + bytes + 16)
    return address
  }

  /** Bytes held. */
  get size(): number { return this.#chunks.reduce((sum, chunk) => sum + chunk.count * CHUNK, 0) }

  /** Gives everything back. Whatever pointed here is dead. The arena may be used again. */
  free(): void {
    for (const { address, count } of this.#chunks) this.memory.giveChunks(address, count)
    this.#chunks = []
    this.#top = this.#end = 0
    this.#next = 1
  }

  /** Keeps its first chunks for reuse but forgets what was allocated: for a loop that allocates the same again and again. */
  reset(): void {
    const first = this.#chunks.reduce<{ address: Address; count: number } | undefined>((a, b) => a === undefined || b.count > a.count ? b : a, undefined)
    for (const chunk of this.#chunks) if (chunk !== first) this.memory.giveChunks(chunk.address, chunk.count)
    this.#chunks = first === undefined ? [] : [first]
    this.#top = first?.address ?? 0
    this.#end = first === undefined ? 0 : first.address + first.count * CHUNK
  }

  /** Takes over everything `other` holds; `other` is empty then. */
  adopt(other: Arena): void {
    this.#chunks.unshift(...other.#chunks)
    other.#chunks = []
    other.#top = other.#end = 0
  }

  /** What the arena holds, as plain data, for another thread to adopt; this arena is empty then. */
  release(): readonly { readonly address: Address; readonly count: number }[] {
    const chunks = this.#chunks
    this.#chunks = []
    this.#top = this.#end = 0
    return chunks
  }

  /** Takes over what another thread's arena released. */
  claim(chunks: readonly { readonly address: Address; readonly count: number }[]): void {
    this.#chunks.unshift(...chunks)
    this.memory.refresh()
  }

  [Symbol.dispose](): void { this.free() }

  #more(size: number): void {
    const count = Math.max(Math.ceil(size / CHUNK), this.#next)
    this.#next = Math.min(this.#next * 2, 64)
    const address = this.memory.takeChunks(count)
    this.#chunks.push({ address, count })
    this.#top = address
    this.#end = address + count * CHUNK
  }
}
