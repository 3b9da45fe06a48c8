/** Columns and batches made from values, and values read out of them: for the borders, where rows are looked at one by one. */
import type { Batch, Column } from './batch.ts'
import { decodeValue, encodeValue, setFixed, unscaledAt, asBigInt, asDecimal, asNumber } from './datum.ts'
import { invariant } from './error.ts'
import type { Address, Arena, Memory } from './memory.ts'
import type { Schema, Type } from './type.ts'
import { layoutOf, widthOf } from './type.ts'
import type { Value } from './value.ts'

/** Reads values of one column; what depends only on the column is done once, here. Valid as long as the column's memory is. */
export function columnReader(column: Column, memory: Memory): (row: number) => Value {
  const { data, valid } = column
  memory.refresh()
  if (data.kind === 'const') {
    const value = data.one.length === 0 ? null : columnReader(data.one, memory)(0)
    return () => value
  }
  const present = valid === undefined ? undefined : memory.u8.subarray(valid, valid + column.length)
  if (data.kind === 'dict') {
    const read = columnReader(data.dictionary, memory), codes = memory.u32.subarray(data.codes / 4, data.codes / 4 + column.length)
    const seen = new Map<number, Value>()
    return row => {
      if (present !== undefined && present[row] === 0) return null
      const code = codes[row] ?? 0
      let value = seen.get(code)
      if (value === undefined) seen.set(code, value = read(code))
      return value
    }
  }
  const read = data.kind === 'var' ? varReader(column, data.offsets, data.bytes, memory) : flatReader(column, data.values, memory)
  return present === undefined ? read : row => present[row] === 0 ? null : read(row)
}

function varReader(column: Column, offsets: Address, bytes: Address, memory: Memory): (row: number) => Value {
  const ends = memory.u32.subarray(offsets / 4, offsets / 4 + column.length + 1), { u8 } = memory, { type } = column
  if (isText(type)) {
    const buffer = Buffer.from(u8.buffer)
    return row => buffer.toString('utf8', bytes + (ends[row] ?? 0), bytes + (ends[row + 1] ?? 0))
  }
  return row => decodeValue(u8.subarray(bytes + (ends[row] ?? 0), bytes + (ends[row + 1] ?? 0)), type)
}

function flatReader(column: Column, at: Address, memory: Memory): (row: number) => Value {
  const { type, length } = column
  switch (layoutOf(type)) {
    case 'u8': { const values = memory.u8.subarray(at, at + length); return row => values[row] !== 0 }
    case 'i32': { const values = memory.i32.subarray(at / 4, at / 4 + length); return row => values[row] ?? 0 }
    case 'f32': { const values = memory.f32.subarray(at / 4, at / 4 + length); return row => values[row] ?? 0 }
    case 'f64': { const values = memory.f64.subarray(at / 8, at / 8 + length); return row => values[row] ?? 0 }
    case 'i64': {
      const values = memory.i64.subarray(at / 8, at / 8 + length)
      if (type.kind !== 'numeric') return row => values[row] ?? 0n
      const scale = type.scale ?? 0
      return row => ({ unscaled: values[row] ?? 0n, scale })
    }
    case 'i128': {
      const values = memory.i64.subarray(at / 8, at / 8 + 2 * length), scale = type.kind === 'numeric' ? type.scale ?? 0 : 0
      return row => ({ unscaled: ((values[2 * row + 1] ?? 0n) << 64n) | BigInt.asUintN(64, values[2 * row] ?? 0n), scale })
    }
    case 'var': invariant(false, 'a flat column of a var type')
  }
}

function isText(type: Type): boolean {
  switch (type.kind) {
    case 'text': case 'varchar': case 'char': case 'name': case '"char"': case 'json': case 'jsonb': case 'unknown': return true
    default: return false
  }
}

/** A flat or var column of these values. */
export function columnFromValues(values: readonly Value[], type: Type, arena: Arena): Column {
  const length = values.length, { memory } = arena
  let valid: Address | undefined
  if (values.includes(null)) {
    valid = arena.alloc(length)
    for (let i = 0; i < length; i++) memory.u8[valid + i] = values[i] === null ? 0 : 1
  }
  const layout = layoutOf(type)
  if (layout === 'var') return { type, length, valid, data: varData(values, type, arena) }
  const at = arena.zeroed(length * widthOf(layout))
  switch (layout) {
    case 'u8': for (let i = 0; i < length; i++) memory.u8[at + i] = values[i] === true ? 1 : 0; break
    case 'i32': for (let i = 0; i < length; i++) { const value = values[i] ?? null; if (value !== null) memory.i32[at / 4 + i] = asNumber(value) } break
    case 'f32': for (let i = 0; i < length; i++) { const value = values[i] ?? null; if (value !== null) memory.f32[at / 4 + i] = asNumber(value) } break
    case 'f64': for (let i = 0; i < length; i++) { const value = values[i] ?? null; if (value !== null) memory.f64[at / 8 + i] = asNumber(value) } break
    case 'i64':
      for (let i = 0; i < length; i++) {
        const value = values[i] ?? null
        if (value !== null) memory.i64[at / 8 + i] = type.kind === 'numeric' ? unscaledAt(asDecimal(value), type.scale ?? 0) : asBigInt(value)
      }
      break
    case 'i128': {
      const view = new DataView(memory.u8.buffer)
      for (let i = 0; i < length; i++) { const value = values[i] ?? null; if (value !== null) setFixed(view, at + 16 * i, value, type) }
    }
  }
  return { type, length, valid, data: { kind: 'flat', values: at } }
}

function varData(values: readonly Value[], type: Type, arena: Arena): Column['data'] {
  const { memory } = arena, length = values.length
  const parts = values.map(value => value === null ? undefined : encodeValue(value, type))
  let size = 0
  for (const part of parts) size += part?.length ?? 0
  invariant(size < 2 ** 32, 'a column of 4 GiB')
  const offsets = arena.alloc(4 * (length + 1)), bytes = arena.alloc(size)
  let at = 0
  for (let i = 0; i < length; i++) {
    memory.u32[offsets / 4 + i] = at
    const part = parts[i]
    if (part !== undefined) { memory.u8.set(part, bytes + at); at += part.length }
  }
  memory.u32[offsets / 4 + length] = at
  return { kind: 'var', offsets, bytes }
}

/** A column of one value, `length` times. */
export function constColumn(value: Value, type: Type, length: number, arena: Arena): Column {
  return { type, length, valid: undefined, data: { kind: 'const', one: columnFromValues([value], type, arena) } }
}

/** A batch of these rows; `weights`, when given, has one entry a row. */
export function batchFromRows(schema: Schema, rows: readonly (readonly Value[])[], arena: Arena, weights?: readonly number[]): Batch {
  const columns = schema.map((field, i) => columnFromValues(rows.map(row => row[i] ?? null), field.type, arena))
  const batch: Batch = { schema, length: rows.length, columns }
  if (weights === undefined) return batch
  const at = arena.alloc(4 * rows.length)
  arena.memory.i32.set(weights, at / 4)
  return { ...batch, weights: at }
}

/** All rows of a batch as values. */
export function rowsOf(batch: Batch, memory: Memory): Value[][] {
  const readers = batch.columns.map(column => columnReader(column, memory)), rows: Value[][] = []
  for (let row = 0; row < batch.length; row++) rows.push(readers.map(read => read(row)))
  return rows
}

/** The weight of each row of a batch. */
export function weightsOf(batch: Batch, memory: Memory): Int32Array {
  if (batch.weights === undefined) return new Int32Array(batch.length).fill(1)
  return memory.refresh().i32.slice(batch.weights / 4, batch.weights / 4 + batch.length)
}

/** Rows [from, to) of a batch, without copying anything. */
export function sliceBatch(batch: Batch, from: number, to: number): Batch {
  if (from === 0 && to === batch.length) return batch
  const sliced: Batch = { schema: batch.schema, length: to - from, columns: batch.columns.map(column => sliceColumn(column, from, to)) }
  return batch.weights === undefined ? sliced : { ...sliced, weights: batch.weights + 4 * from }
}

/** Rows [from, to) of a column, without copying anything. */
export function sliceColumn(column: Column, from: number, to: number): Column {
  const { type, valid, data } = column
  const base = { type, length: to - from, valid: valid === undefined ? undefined : valid + from }
  switch (data.kind) {
    case 'flat': return { ...base, data: { kind: 'flat', values: data.values + from * widthOf(layoutOf(type)) } }
    case 'var': return { ...base, data: { kind: 'var', offsets: data.offsets + 4 * from, bytes: data.bytes } }
    case 'dict': return { ...base, data: { kind: 'dict', codes: data.codes + 4 * from, dictionary: data.dictionary } }
    case 'const': return { ...base, data }
  }
}
