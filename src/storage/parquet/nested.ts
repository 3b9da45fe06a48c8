/** Lists, maps and structs: values put together from the levels of their leaves, row by row. */
import type { Column } from '../../batch.ts'
import { columnFromValues, columnReader } from '../../column.ts'
import { arrayOf } from '../../datum.ts'
import { corrupt } from '../../error.ts'
import type { Arena, Memory } from '../../memory.ts'
import type { Value } from '../../value.ts'
import type { Decoded } from './chunk.ts'
import type { Leaf, ParquetField, Shape } from './schema.ts'
import { leavesOf } from './schema.ts'

/** The column of a field that is not a leaf; `decoded` are its leaves, in the order of `leavesOf`. */
export function assemble(field: ParquetField, decoded: readonly Decoded[], rows: number, memory: Memory, arena: Arena, path: string): Column {
  const leaves = leavesOf(field.shape), cursors = new Map<Leaf, Cursor>()
  const broken = () => corrupt(path, `the levels of column ${field.name} do not fit each other`)
  leaves.forEach((leaf, i) => {
    const chunk = decoded[i]
    if (chunk !== undefined) cursors.set(leaf, new Cursor(leaf, chunk, memory, broken))
  })
  const all = [...cursors.values()], read = readerOf(field.shape, leaf => cursors.get(leaf) ?? fail(broken())), values: Value[] = []
  for (let row = 0; row < rows; row++) {
    for (const cursor of all) if (cursor.repetition() !== 0) throw broken()
    values.push(read())
  }
  for (const cursor of all) if (!cursor.done) throw broken()
  return columnFromValues(values, field.type, arena)
}

function fail(error: Error): never { throw error }

/** The levels and values of one leaf, read in order. */
class Cursor {
  readonly #count: number
  readonly #max: number
  readonly #present: number
  readonly #definitions: Uint8Array | undefined
  readonly #repetitions: Uint8Array | undefined
  readonly #value: (index: number) => Value
  readonly #broken: () => Error
  #at = 0
  #next = 0

  constructor(leaf: Leaf, { values, count, definitions, repetitions }: Decoded, memory: Memory, broken: () => Error) {
    this.#count = count
    this.#max = leaf.maxDefinition
    this.#present = values.length
    this.#definitions = definitions === undefined ? undefined : memory.u8.subarray(definitions, definitions + count)
    this.#repetitions = repetitions === undefined ? undefined : memory.u8.subarray(repetitions, repetitions + count)
    this.#value = values.length === 0 ? () => null : columnReader(values, memory)
    this.#broken = broken
  }

  get done(): boolean { return this.#at === this.#count }

  /** The level at which the next entry repeats; −1 at the end. */
  repetition(): number { return this.#at < this.#count ? this.#repetitions?.[this.#at] ?? 0 : -1 }

  definition(): number {
    if (this.#at >= this.#count) throw this.#broken()
    return this.#definitions?.[this.#at] ?? this.#max
  }

  /** Takes the next entry. */
  take(): Value {
    const present = this.definition() === this.#max
    this.#at++
    if (!present) return null
    if (this.#next >= this.#present) throw this.#broken()
    return this.#value(this.#next++)
  }
}

/** Reads the next value of a shape. */
function readerOf(shape: Shape, cursorOf: (leaf: Leaf) => Cursor): () => Value {
  if (shape.kind === 'leaf') {
    const cursor = cursorOf(shape.leaf)
    return () => cursor.take()
  }
  const cursors = leavesOf(shape).map(cursorOf), [first] = cursors
  const { definition } = shape
  const absent = (): Value => {
    for (const cursor of cursors) cursor.take()
    return null
  }
  if (first === undefined) return absent
  if (shape.kind === 'row') {
    const fields = shape.fields.map(field => readerOf(field, cursorOf))
    return () => first.definition() < definition ? absent() : fields.map(read => read())
  }
  const { repetition } = shape
  const key = readerOf(shape.kind === 'map' ? shape.key : shape.element, cursorOf)
  const value = shape.kind === 'map' ? readerOf(shape.value, cursorOf) : undefined
  return () => {
    const level = first.definition()
    if (level < definition) return absent()
    const elements: Value[] = []
    if (level === definition) absent()
    else do elements.push(value === undefined ? key() : [key(), value()]); while (first.repetition() >= repetition)
    return shape.kind === 'map' ? elements : arrayOf(elements)
  }
}
