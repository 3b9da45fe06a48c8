/**
 * The table of running queries that all threads see: which pieces of work (morsels) are left, who works, what came out. A worker takes the next morsel
 * of the query that was served least. Every change is made under one lock, held for a few instructions.
 */
import type { Address, Memory } from '../memory.ts'

const HEADER = 16, WORDS = 16, QUERIES = 64
const LOCK = 0, NAME = 1
/** Words of a query. `STATE` is its name, never used twice, or 0 when the entry is free. */
const STATE = 0, NEXT = 1, TOTAL = 2, ENDED = 3, SERVED = 4, HOLD = 5, OUT = 6, WINDOW = 7, TASK = 8, SIZE = 9, EVENT = 10, HEAD = 11, DEAD = 12, STATEFUL = 13, WORKED = 14

/** A morsel that was taken. */
export interface Taken {
  readonly query: number
  readonly name: number
  readonly morsel: number
}

/** Bytes of each message before its text: address of the next one, length. */
const MESSAGE_HEAD = 8

export class Queue {
  readonly buffer: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #memory: Memory

  constructor(memory: Memory, buffer = new SharedArrayBuffer(4 * (HEADER + WORDS * QUERIES))) {
    this.buffer = buffer
    this.#memory = memory
    this.#words = new Int32Array(buffer)
  }

  #at(query: number, word: number): number { return HEADER + query * WORDS + word }
  #get(query: number, word: number): number { return Atomics.load(this.#words, this.#at(query, word)) }
  #set(query: number, word: number, value: number): void { Atomics.store(this.#words, this.#at(query, word), value) }

  #locked<T>(f: () => T): T {
    while (Atomics.compareExchange(this.#words, LOCK, 0, 1) !== 0) Atomics.wait(this.#words, LOCK, 1, 1)
    try {
      return f()
    } finally {
      Atomics.store(this.#words, LOCK, 0)
      Atomics.notify(this.#words, LOCK, 1)
    }
  }

  #wake(query: number): void {
    Atomics.add(this.#words, this.#at(query, EVENT), 1)
    Atomics.notify(this.#words, this.#at(query, EVENT))
  }

  // ---- the thread that asks ----------------------------------------------------------------------------------------

  /** Adds a query whose task (plain text bytes) lies at an address; undefined when the table is full. `window`: messages that may wait to be read. */
  add(task: Address, size: number, morsels: number, window: number, stateful: boolean): number | undefined {
    return this.#locked(() => {
      for (let query = 0; query < QUERIES; query++) {
        if (this.#get(query, STATE) !== 0) continue
        for (let word = 0; word < WORDS; word++) if (word !== EVENT) this.#set(query, word, 0)
        this.#set(query, TOTAL, morsels)
        this.#set(query, WINDOW, window)
        this.#set(query, TASK, task | 0)
        this.#set(query, SIZE, size)
        this.#set(query, STATEFUL, stateful ? 1 : 0)
        this.#set(query, SERVED, this.#leastServed())
        this.#set(query, STATE, Atomics.add(this.#words, NAME, 1) + 1)
        return query
      }
      return undefined
    })
  }

  /** A new query begins where the least served one is, or it would be served alone until it had caught up. */
  #leastServed(): number {
    let least: number | undefined
    for (let query = 0; query < QUERIES; query++) if (this.#get(query, STATE) !== 0) least = Math.min(least ?? Infinity, this.#get(query, SERVED))
    return least ?? 0
  }

  /** The text of a message, oldest of those waiting last; undefined when none waits. */
  receive(query: number): Buffer | undefined {
    return this.#locked(() => {
      const head = this.#get(query, HEAD) >>> 0
      if (head === 0) return undefined
      const { u32, u8 } = this.#memory.refresh(), size = u32[head / 4 + 1] ?? 0
      this.#set(query, HEAD, (u32[head / 4] ?? 0) | 0)
      this.#set(query, OUT, this.#get(query, OUT) - 1)
      return Buffer.from(u8.slice(head + MESSAGE_HEAD, head + MESSAGE_HEAD + size))
    })
  }

  /** What to hand to `wait`, taken before looking for messages. */
  event(query: number): number { return this.#get(query, EVENT) }

  /** Returns when something happened to the query since `event`, or after some milliseconds. */
  async wait(query: number, event: number, milliseconds: number): Promise<void> {
    const waiting = Atomics.waitAsync(this.#words, this.#at(query, EVENT), event, milliseconds)
    if (waiting.async) await waiting.value
  }

  /** `working` until every morsel is through and nobody holds anything; a dead worker's query is `dead`. */
  state(query: number): 'working' | 'through' | 'dead' {
    return this.#locked(() => this.#get(query, DEAD) !== 0 ? 'dead' : this.#get(query, HOLD) === 0 && (this.#get(query, ENDED) !== 0 || this.#get(query, NEXT) >= this.#get(query, TOTAL)) ? 'through' : 'working')
  }

  /** No more morsels are taken. */
  end(query: number): void { this.#set(query, ENDED, 1) }
  busy(query: number): boolean { return this.#get(query, HOLD) !== 0 }
  remove(query: number): void { this.#set(query, STATE, 0) }

  /** Some query has a morsel that may be taken. */
  get hasWork(): boolean { return this.#locked(() => this.#best() !== undefined) }

  /** A worker with this ticket is dead: its queries fail. */
  bury(ticket: number): void {
    this.#locked(() => {
      for (let query = 0; query < QUERIES; query++) {
        if (this.#get(query, STATE) === 0 || (this.#get(query, HOLD) & (1 << ticket)) === 0) continue
        this.#set(query, HOLD, this.#get(query, HOLD) & ~(1 << ticket))
        this.#set(query, ENDED, 1)
        this.#set(query, DEAD, 1)
      }
    })
    for (let query = 0; query < QUERIES; query++) this.#wake(query)
  }

  // ---- workers -----------------------------------------------------------------------------------------------------

  #best(): number | undefined {
    let best: number | undefined
    for (let query = 0; query < QUERIES; query++) {
      if (this.#get(query, STATE) === 0 || this.#get(query, ENDED) !== 0 || this.#get(query, NEXT) >= this.#get(query, TOTAL)) continue
      if (this.#get(query, STATEFUL) === 0 && this.#get(query, OUT) + this.#get(query, WORKED) >= this.#get(query, WINDOW)) continue
      if (best === undefined || this.#get(query, SERVED) < this.#get(best, SERVED)) best = query
    }
    return best
  }

  /** The next morsel of the query that was served least. The worker holds the query then, until `done` or `finished`. */
  take(ticket: number): Taken | undefined {
    return this.#locked(() => {
      const query = this.#best()
      if (query === undefined) return undefined
      const morsel = this.#get(query, NEXT)
      this.#set(query, NEXT, morsel + 1)
      this.#set(query, HOLD, this.#get(query, HOLD) | (1 << ticket))
      this.#set(query, WORKED, this.#get(query, WORKED) + 1)
      return { query, name: this.#get(query, STATE), morsel }
    })
  }

  /** The morsel is through, in so many milliseconds. What is kept of it (`held`) is given later. */
  done(ticket: number, query: number, milliseconds: number, held: boolean): void {
    this.#locked(() => {
      this.#set(query, SERVED, this.#get(query, SERVED) + Math.ceil(10 * milliseconds))
      this.#set(query, WORKED, this.#get(query, WORKED) - 1)
      if (!held) this.#set(query, HOLD, this.#get(query, HOLD) & ~(1 << ticket))
    })
    if (!held) this.#wake(query)
  }

  /** Everything that was held is given. */
  finished(ticket: number, query: number): void {
    this.#locked(() => this.#set(query, HOLD, this.#get(query, HOLD) & ~(1 << ticket)))
    this.#wake(query)
  }

  ended(query: number): boolean { return this.#get(query, ENDED) !== 0 }
  exhausted(query: number): boolean { return this.ended(query) || this.#get(query, NEXT) >= this.#get(query, TOTAL) }

  task(query: number): Buffer {
    const { u8 } = this.#memory.refresh(), at = this.#get(query, TASK) >>> 0
    return Buffer.from(u8.slice(at, at + this.#get(query, SIZE)))
  }

  /** Gives a message to the query's reader. `place` has room for its text and 8 bytes; it is the reader's from now on. */
  send(query: number, text: Uint8Array, place: Address): void {
    const { u32, u8 } = this.#memory.refresh()
    u8.set(text, place + MESSAGE_HEAD)
    u32[place / 4 + 1] = text.length
    this.#locked(() => {
      // at the end of the list, so that batches come in the order in which they were made
      u32[place / 4] = 0
      let at = this.#get(query, HEAD) >>> 0
      if (at === 0) this.#set(query, HEAD, place | 0)
      else {
        while ((u32[at / 4] ?? 0) !== 0) at = u32[at / 4] ?? 0
        u32[at / 4] = place
      }
      this.#set(query, OUT, this.#get(query, OUT) + 1)
    })
    this.#wake(query)
  }
}
