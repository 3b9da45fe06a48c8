/** Which partition and bucket each row of a batch goes to. */
import type { Batch, Column } from '../../batch.ts'
import { columnReader } from '../../column.ts'
import { invariant } from '../../error.ts'
import type { Memory } from '../../memory.ts'
import type { Value } from '../../value.ts'
import { STRIDE, fillRows, hashRows, isSame, rowValues } from '../row-values.ts'
import type { RowValues } from '../row-values.ts'
import { bucketFunction, bucketOf } from './bucket.ts'
import type { BucketFunction } from './bucket.ts'
import { fieldsOf } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import type { PaimonType } from './types.ts'
import type { WriteOptions } from './write-options.ts'

export interface Route {
  readonly partition: readonly Value[]
  readonly bucket: number
  /** Rows of the batch that go there, in order. */
  readonly rows: Uint32Array
}

export class Router {
  readonly #memory: Memory
  readonly #buckets: number
  readonly #partition: readonly number[]
  readonly #key: readonly number[]
  readonly #keyTypes: readonly PaimonType[]
  readonly #function: BucketFunction
  /** Rows are hashed as words, without making values of them. */
  readonly #fast: boolean

  constructor(schema: PaimonSchema, options: WriteOptions, memory: Memory) {
    this.#memory = memory
    this.#buckets = options.buckets
    const positions = (names: readonly string[]): readonly number[] => fieldsOf(schema, names).map(field => schema.fields.indexOf(field))
    this.#partition = positions(schema.partitionKeys)
    this.#key = positions(options.bucketKey)
    this.#keyTypes = fieldsOf(schema, options.bucketKey).map(field => field.type)
    this.#function = bucketFunction(schema)
    this.#fast = (schema.options['bucket-function.type'] ?? 'default').toLowerCase() === 'default' && this.#keyTypes.length <= 56 && this.#keyTypes.every(isInteger)
  }

  /** The rows of a batch by where they go. `rows` are its row numbers, some of them perhaps repeated. */
  routes(batch: Batch, rows: Uint32Array): readonly Route[] {
    const bucketed = this.#buckets > 1 && this.#key.length > 0
    if (this.#partition.length === 0 && !bucketed) return [{ partition: [], bucket: 0, rows }]
    const partitions = this.#partitions(batch)
    const buckets = bucketed ? this.#bucketsOf(batch) : undefined
    const width = bucketed ? this.#buckets : 1
    const groups = new Map<number, number[]>()
    for (const row of rows) {
      const group = (partitions.ids[row] ?? 0) * width + (buckets?.[row] ?? 0)
      const found = groups.get(group)
      if (found === undefined) groups.set(group, [row])
      else found.push(row)
    }
    return [...groups].map(([group, members]) => ({ partition: partitions.values[Math.floor(group / width)] ?? [], bucket: group % width, rows: Uint32Array.from(members) }))
  }

  #partitions(batch: Batch): { readonly ids: Uint32Array; readonly values: readonly (readonly Value[])[] } {
    const ids = new Uint32Array(batch.length)
    if (this.#partition.length === 0) return { ids, values: [[]] }
    const columns = this.#partition.map(position => columnAt(batch, position)), memory = this.#memory.refresh()
    const keys = columns.map(column => filled(column, memory))
    const firsts = distinct(keys, batch.length, memory, ids)
    const readers = columns.map(column => columnReader(column, memory))
    return { ids, values: firsts.map(row => readers.map(read => read(row))) }
  }

  #bucketsOf(batch: Batch): Uint32Array {
    const buckets = new Uint32Array(batch.length), columns = this.#key.map(position => columnAt(batch, position)), memory = this.#memory.refresh()
    if (this.#fast) {
      const keys = columns.map(column => filled(column, memory))
      if (keys.every(key => key.valid === undefined)) {
        for (let i = 0; i < batch.length; i += STRIDE) hashIntegers(keys, this.#keyTypes.map(widthOf), this.#buckets, buckets, i, Math.min(batch.length, i + STRIDE))
        return buckets
      }
    }
    const readers = columns.map(column => columnReader(column, memory))
    for (let row = 0; row < batch.length; row++) buckets[row] = this.#function(readers.map(read => read(row)), this.#buckets)
    return buckets
  }
}

function columnAt(batch: Batch, position: number): Column {
  const column = batch.columns[position]
  invariant(column !== undefined, `no column ${position}`)
  return column
}

function filled(column: Column, memory: Memory): RowValues {
  const values = rowValues(column.type, column.length)
  fillRows(values, column, memory, 0)
  return values
}

/** Numbers the distinct keys; `ids` gets each row's number. The first row of each. */
function distinct(keys: readonly RowValues[], length: number, memory: Memory, ids: Uint32Array): readonly number[] {
  const hash = new Uint32Array(length), firsts: number[] = [], known = new Map<number, number[]>()
  for (const key of keys) hashRows(key, memory, hash, 0, length)
  for (let row = 0; row < length; row++) {
    const candidates = known.get(hash[row] ?? 0)
    let id = candidates?.find(candidate => keys.every(key => isSame(key, memory.u8, row, firsts[candidate] ?? 0)))
    if (id === undefined) {
      id = firsts.length
      firsts.push(row)
      if (candidates === undefined) known.set(hash[row] ?? 0, [id])
      else candidates.push(id)
    }
    ids[row] = id
  }
  return firsts
}

function isInteger(type: PaimonType): boolean {
  return type.kind === 'INT' || type.kind === 'DATE' || type.kind === 'BIGINT' || type.kind === 'SMALLINT' || type.kind === 'TINYINT' || (type.kind === 'DECIMAL' && type.precision <= 18)
}

/** Bytes of the value in its slot. */
function widthOf(type: PaimonType): number {
  switch (type.kind) {
    case 'TINYINT': return 1
    case 'SMALLINT': return 2
    case 'BIGINT': case 'DECIMAL': return 8
    default: return 4
  }
}

/** Murmur3 of each row's BinaryRow, which for integers without NULL is eight zero bytes and a slot of eight bytes a value; then the bucket. */
function hashIntegers(keys: readonly RowValues[], widths: readonly number[], count: number, buckets: Uint32Array, start: number, end: number): void {
  for (let row = start; row < end; row++) {
    let hash = round(round(42, 0), 0)
    for (let i = 0; i < keys.length; i++) {
      const words = keys[i]?.words, width = widths[i] ?? 4
      if (words === undefined) continue
      const low = words[width === 8 ? 2 * row : row] ?? 0
      hash = round(hash, width === 1 ? low & 0xff : width === 2 ? low & 0xffff : low)
      hash = round(hash, width === 8 ? words[2 * row + 1] ?? 0 : 0)
    }
    hash ^= 8 + 8 * keys.length
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    buckets[row] = bucketOf(hash ^ (hash >>> 16), count)
  }
}

function round(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51)
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  const h = hash ^ k
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
}
