/** Thrift's compact protocol, as Parquet's footer and page headers use it. */
import { corrupt } from '../../error.ts'

/** Wire types of the compact protocol. */
const TRUE = 1, FALSE = 2, BYTE = 3, I16 = 4, I32 = 5, I64 = 6, DOUBLE = 7, BINARY = 8, LIST = 9, SET = 10, MAP = 11, STRUCT = 12, UUID = 13

const DEPTH = 64

/** Reads one value after the other; never beyond `end`. What is not well formed ends in XX001 naming the file. */
export class ThriftReader {
  readonly bytes: Uint8Array
  at: number
  readonly end: number
  readonly #path: string
  readonly #what: string
  #type = 0
  #depth = 0

  /** `what` names the structure in messages: "footer". */
  constructor(bytes: Uint8Array, at: number, end: number, path: string, what: string) {
    this.bytes = bytes
    this.at = at
    this.end = end
    this.#path = path
    this.#what = what
  }

  /** Calls `visit` with the id of each field of a struct. It must read the field's value by the method of its type, or `skip` it. */
  struct(visit: (id: number) => void): void {
    if (++this.#depth > DEPTH) this.fail('nested too deeply')
    for (let id = 0; ;) {
      const head = this.#byte(), type = head & 15
      if (type === 0) break
      id = head >> 4 !== 0 ? id + (head >> 4) : this.#zigzag()
      this.#type = type
      visit(id)
    }
    this.#depth--
  }

  /** A field that is a struct. */
  field(visit: (id: number) => void): void {
    this.#expect(this.#type === STRUCT, 'a struct')
    this.struct(visit)
  }

  /** Calls `visit` for each element of a list; it must read the element by the method of its type. */
  list(visit: (index: number) => void): void {
    this.#expect(this.#type === LIST || this.#type === SET, 'a list')
    const [count, type] = this.#listHead()
    for (let i = 0; i < count; i++) {
      this.#type = type === TRUE || type === FALSE ? this.#byte() === TRUE ? TRUE : FALSE : type
      visit(i)
    }
  }

  /** An integer of any width; one that JavaScript's numbers do not hold is an error. */
  int(): number {
    this.#expect(this.#type >= BYTE && this.#type <= I64, 'an integer')
    return this.#type === BYTE ? (this.#byte() << 24) >> 24 : this.#zigzag()
  }

  bool(): boolean {
    this.#expect(this.#type === TRUE || this.#type === FALSE, 'a boolean')
    return this.#type === TRUE
  }

  /** A view of the bytes of a binary or string. */
  binary(): Uint8Array {
    this.#expect(this.#type === BINARY, 'a string')
    const length = this.#varint()
    if (length > this.end - this.at) this.fail('a string goes beyond the end')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  string(): string { return Buffer.from(this.binary()).toString('utf8') }

  skip(): void {
    switch (this.#type) {
      case TRUE: case FALSE: return
      case BYTE: this.#byte(); return
      case I16: case I32: case I64: this.#skipVarint(); return
      case DOUBLE: this.#advance(8); return
      case UUID: this.#advance(16); return
      case BINARY: this.#advance(this.#varint()); return
      case STRUCT: this.struct(() => this.skip()); return
      case LIST: case SET: {
        if (++this.#depth > DEPTH) this.fail('nested too deeply')
        const [count, type] = this.#listHead()
        for (let i = 0; i < count; i++) this.#skipElement(type)
        this.#depth--
        return
      }
      case MAP: {
        if (++this.#depth > DEPTH) this.fail('nested too deeply')
        const count = this.#varint()
        const types = count === 0 ? 0 : this.#byte()
        if (count > this.end - this.at) this.fail('a map is longer than the structure')
        for (let i = 0; i < count; i++) {
          this.#skipElement(types >> 4)
          this.#skipElement(types & 15)
        }
        this.#depth--
        return
      }
      default: this.fail(`unknown type ${this.#type}`)
    }
  }

  fail(why: string): never { throw corrupt(this.#path, `${this.#what} is not readable: ${why}`) }

  #expect(condition: boolean, what: string): void {
    if (!condition) this.fail(`${what} was expected at byte ${this.at}`)
  }

  /** Booleans take a byte each in collections. */
  #skipElement(type: number): void {
    this.#type = type === TRUE || type === FALSE ? BYTE : type
    this.skip()
  }

  #listHead(): [count: number, type: number] {
    const head = this.#byte(), count = head >> 4 === 15 ? this.#varint() : head >> 4
    // Every element takes at least a byte: a count beyond the end is not looped over.
    if (count > this.end - this.at) this.fail('a list is longer than the structure')
    return [count, head & 15]
  }

  #advance(count: number): void {
    if (count > this.end - this.at) this.fail('it goes beyond the end')
    this.at += count
  }

  #byte(): number {
    if (this.at >= this.end) this.fail('it ends early')
    return this.bytes[this.at++] ?? 0
  }

  #skipVarint(): void {
    let byte = this.#byte()
    while (byte >= 128) byte = this.#byte()
  }

  #varint(): number {
    let value = 0, factor = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte()
      value += (byte & 127) * factor
      if (byte < 128) return value
      factor *= 128
    }
    return this.fail('an integer is too long')
  }

  #zigzag(): number {
    const value = this.#varint()
    const result = value % 2 === 0 ? value / 2 : -(value + 1) / 2
    if (!Number.isSafeInteger(result)) this.fail('an integer is too large')
    return result
  }
}
