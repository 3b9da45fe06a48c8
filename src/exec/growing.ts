/** Memory that grows: what operators keep from batch to batch. */
import type { Address, Arena, Memory } from '../memory.ts'

const SMALLEST = 65536 - 16

/** One stretch of memory of at least the size asked for. Growing moves it: take `address` anew after `ensure`. Bytes never written are zero if `zeroed`. */
export class Growing {
  address: Address = 0
  size = 0
  readonly #memory: Memory
  readonly #zeroed: boolean
  #arena: Arena

  constructor(memory: Memory, zeroed = false) {
    this.#memory = memory
    this.#zeroed = zeroed
    this.#arena = memory.arena()
  }

  /** Makes room for `bytes` bytes, keeping what is there. */
  ensure(bytes: number): Address {
    if (bytes <= this.size && this.address !== 0) return this.address
    const size = Math.max(bytes, this.size * 2, SMALLEST), arena = this.#memory.arena(), address = arena.alloc(size)
    const { u8 } = this.#memory
    if (this.size > 0) u8.copyWithin(address, this.address, this.address + this.size)
    if (this.#zeroed) u8.fill(0, address + this.size, address + size + 16)
    this.#arena.free()
    this.#arena = arena
    this.address = address
    this.size = size
    return address
  }

  /** Gives the memory back; it may be used again. */
  free(): void {
    this.#arena.free()
    this.address = 0
    this.size = 0
  }
}
