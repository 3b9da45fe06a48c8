/** Rows picked out of columns, cut and put behind one another, in every layout. Dictionaries and constants stay what they are. */
import type { Batch, Column, Data } from '../batch.ts'
import { invariant } from '../error.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { Address, Arena, Memory } from '../memory.ts'
import type { Schema } from '../type.ts'
import { layoutOf, widthOf } from '../type.ts'
import { Growing } from './growing.ts'

/** What every operator works with: the shared memory and the kernels over it. */
export interface Machine {
  readonly memory: Memory
  readonly kernel: Kernel
}

/** The rows listed at `rows` (u32, `n` of them), in that order. */
export function gather(column: Column, rows: Address, n: number, machine: Machine, arena: Arena): Column {
  const { kernel } = machine, { type, data } = column
  if (data.kind === 'const') return { type, length: n, valid: undefined, data }
  let valid: Address | undefined
  if (column.valid !== undefined) kernel.gather_8(column.valid, rows, n, valid = arena.alloc(n))
  switch (data.kind) {
    case 'flat': {
      const width = widthOf(layoutOf(type)), values = arena.alloc(n * width)
      gatherFlat(data.values, width, rows, n, values, kernel)
      return { type, length: n, valid, data: { kind: 'flat', values } }
    }
    case 'var': {
      const offsets = arena.alloc(4 * (n + 1)), size = kernel.gather_offsets(data.offsets, rows, n, offsets) >>> 0, bytes = arena.alloc(size)
      kernel.gather_bytes(data.offsets, data.bytes, rows, n, offsets, bytes)
      return { type, length: n, valid, data: { kind: 'var', offsets, bytes } }
    }
    case 'dict': {
      const codes = arena.alloc(4 * n)
      kernel.gather_32(data.codes, rows, n, codes)
      return { type, length: n, valid, data: { kind: 'dict', codes, dictionary: data.dictionary } }
    }
  }
}

function gatherFlat(values: Address, width: number, rows: Address, n: number, out: Address, kernel: Kernel): void {
  switch (width) {
    case 1: kernel.gather_8(values, rows, n, out); return
    case 4: kernel.gather_32(values, rows, n, out); return
    case 8: kernel.gather_64(values, rows, n, out); return
    case 16: kernel.gather_128(values, rows, n, out); return
    default: invariant(false, `values of ${width} bytes`)
  }
}

/** The listed rows of a batch, weights included. */
export function gatherBatch(batch: Batch, rows: Address, n: number, machine: Machine, arena: Arena): Batch {
  const columns = batch.columns.map(column => gather(column, rows, n, machine, arena))
  return weighted({ schema: batch.schema, length: n, columns }, gatherWeights(batch.weights, rows, n, machine, arena))
}

/** The listed rows' weights; undefined when each is 1. */
export function gatherWeights(weights: Address | undefined, rows: Address, n: number, machine: Machine, arena: Arena): Address | undefined {
  if (weights === undefined) return undefined
  const out = arena.alloc(4 * n)
  machine.kernel.gather_32(weights, rows, n, out)
  return out
}

/** The same rows with these weights. */
export function weighted(batch: Batch, weights: Address | undefined): Batch {
  const { schema, length, columns } = batch
  return weights === undefined ? { schema, length, columns } : { schema, length, columns, weights }
}

/** The same values as a flat or var column. */
export function flatten(column: Column, machine: Machine, arena: Arena): Column {
  const { type, length, data } = column
  if (data.kind === 'flat' || data.kind === 'var') return column
  if (data.kind === 'dict') {
    const values = gather(data.dictionary, data.codes, length, machine, arena)
    return { ...values, valid: column.valid }
  }
  const rows = arena.zeroed(4 * length)
  const values = gather({ ...data.one, valid: undefined }, rows, length, machine, arena)
  return { type, length, valid: isNullConst(column, machine) ? arena.zeroed(length) : undefined, data: values.data }
}

/** True for a constant column of NULLs. */
export function isNullConst(column: Column, machine: Machine): boolean {
  return column.data.kind === 'const' && column.data.one.valid !== undefined && machine.memory.refresh().u8[column.data.one.valid] === 0
}

/** Rows [from, to) of a column, without copying. */
export function sliceColumn(column: Column, from: number, to: number): Column {
  const length = to - from, valid = column.valid === undefined ? undefined : column.valid + from
  return { type: column.type, length, valid, data: sliceData(column, from) }
}

function sliceData(column: Column, from: number): Data {
  const { data } = column
  switch (data.kind) {
    case 'flat': return { kind: 'flat', values: data.values + from * widthOf(layoutOf(column.type)) }
    case 'var': return { kind: 'var', offsets: data.offsets + 4 * from, bytes: data.bytes }
    case 'dict': return { kind: 'dict', codes: data.codes + 4 * from, dictionary: data.dictionary }
    case 'const': return data
  }
}

/** Rows [from, to) of a batch, without copying. */
export function sliceBatch(batch: Batch, from: number, to: number): Batch {
  if (from === 0 && to === batch.length) return batch
  const columns = batch.columns.map(column => sliceColumn(column, from, to))
  return weighted({ schema: batch.schema, length: to - from, columns }, batch.weights === undefined ? undefined : batch.weights + 4 * from)
}

/** The batch in pieces of at most `most` rows: a kernel's first calls are slow until the optimiser has replaced it, which happens between calls only. */
export function* cut(batch: Batch, most: number): Iterable<Batch> {
  for (let from = 0; from < batch.length; from += most) yield sliceBatch(batch, from, Math.min(batch.length, from + most))
}

/** A column of `n` NULLs. */
export function nullColumn(type: Column['type'], n: number, arena: Arena): Column {
  const valid = arena.zeroed(1), layout = layoutOf(type)
  const data: Data = layout === 'var' ? { kind: 'var', offsets: arena.zeroed(8), bytes: arena.zeroed(0) } : { kind: 'flat', values: arena.zeroed(widthOf(layout)) }
  return { type, length: n, valid: undefined, data: { kind: 'const', one: { type, length: 1, valid, data } } }
}

/** One column that rows are appended to. Dictionary codes are kept while every piece comes in codes and dictionaries stay small. */
class ColumnBuffer {
  readonly #machine: Machine
  readonly #type: Column['type']
  readonly #width: number
  readonly #values: Growing
  readonly #bytes: Growing
  #valid: Growing | undefined
  #dictionary: ColumnBuffer | undefined
  #lastDictionary: Column | undefined
  #base = 0
  #used = 0
  length = 0

  constructor(type: Column['type'], machine: Machine) {
    this.#machine = machine
    this.#type = type
    this.#width = widthOf(layoutOf(type))
    this.#values = new Growing(machine.memory)
    this.#bytes = new Growing(machine.memory)
  }

  append(column: Column, scratch: Arena): void {
    const { kernel } = this.#machine, n = column.length
    this.#appendValid(column)
    if (column.data.kind === 'dict' && column.data.dictionary.length * 2 <= n && (this.length === 0 || this.#dictionary !== undefined)) {
      const { dictionary, codes } = column.data
      this.#dictionary ??= new ColumnBuffer(this.#type, this.#machine)
      // the same object, not the same address: memory is reused, from row group to row group
      if (dictionary !== this.#lastDictionary) {
        this.#base = this.#dictionary.length
        this.#dictionary.append(dictionary, scratch)
        this.#lastDictionary = dictionary
      }
      kernel.add_32(codes, n, this.#base, this.#values.ensure(4 * (this.length + n)) + 4 * this.length)
    } else {
      if (this.#dictionary !== undefined) this.#forgetDictionary(scratch)
      this.#appendPlain(flatten(column, this.#machine, scratch))
    }
    this.length += n
  }

  #appendPlain(column: Column): void {
    const { kernel, memory } = this.#machine, n = column.length, { data } = column
    if (data.kind === 'flat') {
      const width = this.#width, to = this.#values.ensure(width * (this.length + n)) + width * this.length
      kernel.move_bytes(to, data.values, width * n)
      return
    }
    invariant(data.kind === 'var', 'a flattened column')
    memory.refresh()
    const first = memory.u32[data.offsets / 4] ?? 0, size = (memory.u32[data.offsets / 4 + n] ?? 0) - first
    const offsets = this.#values.ensure(4 * (this.length + n + 1)) + 4 * this.length
    kernel.rebase_offsets(data.offsets, n, this.#used, offsets)
    kernel.move_bytes(this.#bytes.ensure(this.#used + size + 16) + this.#used, data.bytes + first, size)
    this.#used += size
  }

  #appendValid(column: Column): void {
    const { kernel } = this.#machine, n = column.length, none = isNullConst(column, this.#machine)
    if (column.valid === undefined && !none && this.#valid === undefined) return
    if (this.#valid === undefined) {
      this.#valid = new Growing(this.#machine.memory)
      kernel.fill_8(this.#valid.ensure(this.length + n), this.length, 1)
    }
    const to = this.#valid.ensure(this.length + n) + this.length
    if (column.valid === undefined) kernel.fill_8(to, n, none ? 0 : 1)
    else kernel.move_bytes(to, column.valid, n)
  }

  #forgetDictionary(scratch: Arena): void {
    const column = flatten({ ...this.column(), valid: undefined }, this.#machine, scratch), length = this.length
    this.#dictionary?.free()
    this.#dictionary = this.#lastDictionary = undefined
    this.length = 0
    this.#appendPlain(column)
    this.length = length
  }

  column(): Column {
    const { length } = this, type = this.#type, valid = this.#valid?.address
    if (this.#dictionary !== undefined) return { type, length, valid, data: { kind: 'dict', codes: this.#values.ensure(0), dictionary: this.#dictionary.column() } }
    if (this.#width > 0) return { type, length, valid, data: { kind: 'flat', values: this.#values.ensure(0) } }
    if (length === 0) this.#machine.memory.u32[this.#values.ensure(4) / 4] = 0
    return { type, length, valid, data: { kind: 'var', offsets: this.#values.ensure(0), bytes: this.#bytes.ensure(16) } }
  }

  free(): void {
    this.#values.free()
    this.#bytes.free()
    this.#valid?.free()
    this.#dictionary?.free()
  }
}

/** Rows that are kept: batches are appended, and all of it is one batch. Row numbers are in the order of appending. */
export class RowBuffer {
  readonly schema: Schema
  readonly #machine: Machine
  readonly #columns: readonly ColumnBuffer[]
  #weights: Growing | undefined
  #scratch: Arena
  length = 0

  constructor(schema: Schema, machine: Machine) {
    this.schema = schema
    this.#machine = machine
    this.#columns = schema.map(field => new ColumnBuffer(field.type, machine))
    this.#scratch = machine.memory.arena()
  }

  append(batch: Batch): void {
    const { kernel, memory } = this.#machine, n = batch.length
    this.#columns.forEach((buffer, i) => {
      const column = batch.columns[i]
      invariant(column !== undefined, 'a batch has the columns of its schema')
      buffer.append(column, this.#scratch)
    })
    this.#scratch.reset()
    if (batch.weights !== undefined && this.#weights === undefined) kernel.fill_32((this.#weights = new Growing(memory)).ensure(4 * (this.length + n)), this.length, 1)
    if (this.#weights !== undefined) {
      const to = this.#weights.ensure(4 * (this.length + n)) + 4 * this.length
      if (batch.weights === undefined) kernel.fill_32(to, n, 1)
      else kernel.move_bytes(to, batch.weights, 4 * n)
    }
    this.length += n
  }

  /** All rows. Valid until the next `append`. */
  batch(): Batch {
    return weighted({ schema: this.schema, length: this.length, columns: this.#columns.map(column => column.column()) }, this.#weights?.address)
  }

  free(): void {
    for (const column of this.#columns) column.free()
    this.#weights?.free()
    this.#scratch.free()
  }
}
