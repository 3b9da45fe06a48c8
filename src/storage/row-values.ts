/** One column of many batches, so that rows can be hashed, compared and ordered: a fixed number of words a row, wherever the batches are. */
import type { Column } from '../batch.ts'
import { unreachable } from '../error.ts'
import type { Memory } from '../memory.ts'
import { layoutOf, tailOf, widthOf } from '../type.ts'
import type { Layout, Type } from '../type.ts'

/** V8 does not replace a running loop by its optimised version: a call handles no more rows than this. */
export const STRIDE = 16384

export interface RowValues {
  readonly layout: Layout
  readonly type: Type
  /** Undefined as long as no NULL was seen. */
  valid: Uint8Array | undefined
  /** Little-endian 32-bit words of the values, `per` a row; of var values: where the bytes are and how many. */
  readonly words: Int32Array
  readonly per: number
}

/** Room for `rows` values. */
export function rowValues(type: Type, rows: number): RowValues {
  const layout = layoutOf(type)
  const per = layout === 'var' ? 2 : Math.max(1, widthOf(layout) / 4)
  return { layout, type, valid: undefined, words: new Int32Array(rows * per), per }
}

/** Puts a column's values in rows `first` and on. Bytes of var values stay where they are: the column's memory must live on. */
export function fillRows(values: RowValues, column: Column, memory: Memory, first: number): void {
  const { data, length } = column
  const { words, per } = values
  if (column.valid !== undefined) {
    values.valid ??= new Uint8Array(words.length / per).fill(1)
    values.valid.set(memory.u8.subarray(column.valid, column.valid + length), first)
  }
  switch (data.kind) {
    case 'flat':
      if (values.layout === 'u8') fillBytes(words, memory.u8, data.values, first, length)
      else words.set(memory.i32.subarray(data.values / 4, data.values / 4 + length * per), first * per)
      return
    case 'var':
      for (let i = 0; i < length; i += STRIDE) fillPlaces(words, memory.u32, data.offsets / 4, data.bytes, first, i, Math.min(length, i + STRIDE), tailOf(values.type))
      return
    case 'dict': {
      const entries = rowValues(values.type, data.dictionary.length)
      fillRows(entries, data.dictionary, memory, 0)
      for (let i = 0; i < length; i += STRIDE) fillCoded(words, entries.words, per, memory.u32, data.codes / 4, first, i, Math.min(length, i + STRIDE))
      return
    }
    case 'const': {
      const one = rowValues(values.type, 1)
      fillRows(one, data.one, memory, 0)
      if (one.valid !== undefined && one.valid[0] === 0) {
        values.valid ??= new Uint8Array(words.length / per).fill(1)
        values.valid.fill(0, first, first + length)
      }
      for (let row = first; row < first + length; row++) words.set(one.words, row * per)
      return
    }
    default: return unreachable(data)
  }
}

function fillBytes(words: Int32Array, u8: Uint8Array, at: number, first: number, length: number): void {
  for (let i = 0; i < length; i++) words[first + i] = u8[at + i] ?? 0
}

function fillPlaces(words: Int32Array, u32: Uint32Array, offsets: number, bytes: number, first: number, start: number, end: number, tail: number): void {
  for (let i = start; i < end; i++) {
    const from = u32[offsets + i] ?? 0, to = u32[offsets + i + 1] ?? 0, at = 2 * (first + i)
    words[at] = bytes + from
    words[at + 1] = Math.max(0, to - from - tail)
  }
}

function fillCoded(words: Int32Array, entries: Int32Array, per: number, u32: Uint32Array, codes: number, first: number, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const from = (u32[codes + i] ?? 0) * per, to = (first + i) * per
    for (let word = 0; word < per; word++) words[to + word] = entries[from + word] ?? 0
  }
}

/** Mixes the values of rows into their hashes. */
export function hashRows(values: RowValues, memory: Memory, hash: Uint32Array, start: number, end: number): void {
  if (values.layout === 'var') hashPlaces(values.words, memory.u8, hash, start, end)
  else hashWords(values.words, values.per, hash, start, end)
  const { valid } = values
  if (valid !== undefined) for (let row = start; row < end; row++) if (valid[row] === 0) hash[row] = 0x9e3779b9
}

function hashWords(words: Int32Array, per: number, hash: Uint32Array, start: number, end: number): void {
  for (let row = start; row < end; row++) {
    let h = hash[row] ?? 0
    for (let i = row * per; i < row * per + per; i++) h = mix(h, words[i] ?? 0)
    hash[row] = h
  }
}

function hashPlaces(places: Int32Array, u8: Uint8Array, hash: Uint32Array, start: number, end: number): void {
  for (let row = start; row < end; row++) {
    const at = (places[2 * row] ?? 0) >>> 0, stop = at + (places[2 * row + 1] ?? 0)
    let h = (hash[row] ?? 0) ^ (stop - at)
    let i = at
    for (; i + 4 <= stop; i += 4) h = mix(h, (u8[i] ?? 0) | (u8[i + 1] ?? 0) << 8 | (u8[i + 2] ?? 0) << 16 | (u8[i + 3] ?? 0) << 24)
    for (; i < stop; i++) h = mix(h, u8[i] ?? 0)
    hash[row] = mix(h, 0)
  }
}

/** Mixes 32 bits into a hash; every bit of both moves every low bit of the result. */
function mix(hash: number, word: number): number {
  let h = Math.imul(hash ^ word, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35)
  return (h ^ (h >>> 13)) + 0x165667b1 | 0
}

/** NULL is the same as NULL. */
export function isSame(values: RowValues, u8: Uint8Array, a: number, b: number): boolean {
  const { valid, words, per } = values
  if (valid !== undefined && (valid[a] === 0 || valid[b] === 0)) return valid[a] === valid[b]
  if (values.layout === 'var') {
    const length = words[2 * a + 1] ?? 0
    if (length !== words[2 * b + 1]) return false
    const x = (words[2 * a] ?? 0) >>> 0, y = (words[2 * b] ?? 0) >>> 0
    for (let i = 0; i < length; i++) if (u8[x + i] !== u8[y + i]) return false
    return true
  }
  for (let word = 0; word < per; word++) if (words[a * per + word] !== words[b * per + word]) return false
  return true
}

const floats = new Float64Array(2), floatWords = new Int32Array(floats.buffer), singles = new Float32Array(floats.buffer)

/** Less than, equal to or greater than zero as row `a` comes before, with or after row `b`. NULL is smallest whatever the direction. */
export function compareRows(values: RowValues, u8: Uint8Array, a: number, b: number, descending: boolean): number {
  const { valid, words } = values
  if (valid !== undefined && (valid[a] === 0 || valid[b] === 0)) return (valid[a] ?? 0) - (valid[b] ?? 0)
  const order = compareValues(values.layout, words, u8, a, b)
  return descending ? -order : order
}

function compareValues(layout: Layout, words: Int32Array, u8: Uint8Array, a: number, b: number): number {
  switch (layout) {
    case 'u8': case 'i32': return order(words[a] ?? 0, words[b] ?? 0)
    case 'i64': return order(words[2 * a + 1] ?? 0, words[2 * b + 1] ?? 0) || order((words[2 * a] ?? 0) >>> 0, (words[2 * b] ?? 0) >>> 0)
    case 'i128':
      for (let word = 3; word >= 0; word--) {
        const x = words[4 * a + word] ?? 0, y = words[4 * b + word] ?? 0
        if (x !== y) return word === 3 ? order(x, y) : order(x >>> 0, y >>> 0)
      }
      return 0
    case 'f32':
      floatWords[0] = words[a] ?? 0
      floatWords[1] = words[b] ?? 0
      return orderFloats(singles[0] ?? 0, singles[1] ?? 0)
    case 'f64':
      floatWords[0] = words[2 * a] ?? 0
      floatWords[1] = words[2 * a + 1] ?? 0
      floatWords[2] = words[2 * b] ?? 0
      floatWords[3] = words[2 * b + 1] ?? 0
      return orderFloats(floats[0] ?? 0, floats[1] ?? 0)
    case 'var': {
      const x = (words[2 * a] ?? 0) >>> 0, y = (words[2 * b] ?? 0) >>> 0, m = words[2 * a + 1] ?? 0, n = words[2 * b + 1] ?? 0
      for (let i = 0; i < m && i < n; i++) {
        const difference = (u8[x + i] ?? 0) - (u8[y + i] ?? 0)
        if (difference !== 0) return difference
      }
      return m - n
    }
    default: return unreachable(layout)
  }
}

function order(x: number, y: number): number {
  return x < y ? -1 : x > y ? 1 : 0
}

/** NaN is largest and −0 below 0, as Java compares. */
function orderFloats(x: number, y: number): number {
  if (x < y) return -1
  if (x > y) return 1
  if (x === y) return x === 0 ? order(1 / x, 1 / y) : 0
  return order(Number.isNaN(x) ? 1 : 0, Number.isNaN(y) ? 1 : 0)
}
