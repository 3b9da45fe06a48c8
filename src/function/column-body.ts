/** Bodies over whole columns, for functions that are worth it: LIKE searches the bytes of all rows at once, fields of dates are computed once a day. */
import type { Column } from '../batch.ts'
import { columnFromValues, columnReader } from '../column.ts'
import { InternalError } from '../error.ts'
import type { Arena } from '../memory.ts'
import { utf8 } from '../text/settings.ts'
import { BOOL } from '../type.ts'
import type { Decimal, Value } from '../value.ts'
import type { RunColumns } from './body.ts'

/** The only value of a constant column; undefined when the column is not constant. */
function constantOf(column: Column | undefined, arena: Arena): Value | undefined {
  return column?.data.kind === 'const' ? columnReader(column, arena.memory)(0) : undefined
}

/** A bool for each row, from a function of a text and a pattern; `wanted` rows only. */
function rowByRow(columns: readonly Column[], length: number, arena: Arena, wanted: number | undefined, test: (text: string, pattern: string) => boolean): Column {
  const [texts, patterns] = columns
  if (texts === undefined || patterns === undefined) throw new InternalError('LIKE without two arguments')
  const readText = columnReader(texts, arena.memory), readPattern = columnReader(patterns, arena.memory)
  const values = arena.zeroed(length), { u8 } = arena.memory
  for (let row = 0; row < length; row++) {
    if (wanted !== undefined && u8[wanted + row] === 0) continue
    const text = readText(row), pattern = readPattern(row)
    if (typeof text === 'string' && typeof pattern === 'string' && test(text, pattern)) u8[values + row] = 1
  }
  return { type: BOOL, length, valid: undefined, data: { kind: 'flat', values } }
}

/**
 * LIKE. `literals` cuts a pattern at its % signs, or gives undefined when that is not all there is to it; such patterns, and those that differ from row
 * to row, go by `test`.
 */
export function likeColumns(literals: (pattern: string) => readonly string[] | undefined, test: (text: string, pattern: string) => boolean, positive: boolean): RunColumns {
  return (columns, length, arena, _environment, _site, wanted) => {
    const [texts, patterns] = columns
    const pattern = constantOf(patterns, arena)
    const parts = typeof pattern === 'string' ? literals(pattern) : undefined
    if (parts === undefined || texts?.data.kind !== 'var') return rowByRow(columns, length, arena, wanted, (text, each) => test(text, each) === positive)
    const values = arena.zeroed(length), { memory } = arena
    const ends = memory.u32.subarray(texts.data.offsets / 4, texts.data.offsets / 4 + length + 1)
    const found = memory.u8.subarray(values, values + length)
    const base = texts.data.bytes + (ends[0] ?? 0)
    const bytes = Buffer.from(memory.u8.buffer, base, (ends[length] ?? 0) - (ends[0] ?? 0))
    search(bytes, ends, length, parts.map(part => Buffer.from(utf8(part))), found)
    if (!positive) for (let row = 0; row < length; row++) found[row] = (found[row] ?? 0) ^ 1
    return { type: BOOL, length, valid: undefined, data: { kind: 'flat', values } }
  }
}

/** Sets `found` for the rows that consist of the parts in order with anything between them. */
function search(bytes: Buffer, ends: Uint32Array, length: number, parts: readonly Buffer[], found: Uint8Array): void {
  const zero = ends[0] ?? 0
  const first = parts[0] ?? Buffer.alloc(0), last = parts[parts.length - 1] ?? first
  if (parts.length === 1) {
    for (let row = 0; row < length; row++) {
      const start = (ends[row] ?? 0) - zero
      if ((ends[row + 1] ?? 0) - zero - start === first.length && holds(bytes, start, first)) found[row] = 1
    }
    return
  }
  const middle = parts.slice(1, -1).filter(part => part.length > 0), [needle, ...rest] = middle
  const shortest = first.length + last.length
  if (needle === undefined || first.length > 0) {
    const cursors = new Cursors(bytes, middle)
    for (let row = 0; row < length; row++) {
      const start = (ends[row] ?? 0) - zero, end = (ends[row + 1] ?? 0) - zero
      if (end - start >= shortest && holds(bytes, start, first) && holds(bytes, end - last.length, last) && cursors.inOrder(start + first.length, end - last.length)) found[row] = 1
    }
    return
  }
  // One search for the first literal through all rows; only rows that have it are looked at.
  const cursors = new Cursors(bytes, rest)
  let row = 0
  for (let from = 0; row < length;) {
    const at = bytes.indexOf(needle, from)
    if (at < 0) return
    while (row < length && (ends[row + 1] ?? 0) - zero <= at) row++
    const end = (ends[row + 1] ?? 0) - zero
    if (at + needle.length > end) {
      // It reaches over the row's end: no occurrence in this row, perhaps one that begins later.
      from = at + 1
      continue
    }
    if (at + needle.length + last.length <= end && holds(bytes, end - last.length, last) && cursors.inOrder(at + needle.length, end - last.length)) found[row] = 1
    row++
    from = end
  }
}

function holds(bytes: Buffer, at: number, part: Buffer): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false
  return true
}

/** Where each of several literals next is. Asked with growing positions, all rows together cost one pass through the bytes for each literal. */
class Cursors {
  readonly #bytes: Buffer
  readonly #parts: readonly Buffer[]
  readonly #next: number[]

  constructor(bytes: Buffer, parts: readonly Buffer[]) {
    this.#bytes = bytes
    this.#parts = parts
    this.#next = parts.map(() => -1)
  }

  /** True when the literals come one behind the other between the positions. */
  inOrder(start: number, end: number): boolean {
    let at = start
    for (let i = 0; i < this.#parts.length; i++) {
      const part = this.#parts[i]
      if (part === undefined) break
      let next = this.#next[i] ?? -1
      if (next < at) {
        next = this.#bytes.indexOf(part, at)
        if (next < 0) next = Infinity
        this.#next[i] = next
      }
      if (next + part.length > end) return false
      at = next + part.length
    }
    return true
  }
}

/**
 * A numeric field of dates (or of the days of timestamps), computed once a day; the result is a dictionary of the few values there are. `field` may
 * give null. The first argument names the field.
 */
export function fieldColumns(dayOf: (value: Value) => number, field: (word: string, day: number) => Decimal | null, daily: (word: string) => boolean, otherwise: (word: string, value: Value) => Decimal | null): RunColumns {
  return (columns, length, arena, _environment, site, wanted) => {
    const [words, moments] = columns
    if (words === undefined || moments === undefined) throw new InternalError('a field without two arguments')
    const readWord = columnReader(words, arena.memory), read = columnReader(moments, arena.memory)
    const codes = arena.zeroed(4 * length), valid = arena.alloc(length)
    const { memory } = arena, entries: Decimal[] = []
    const byValue = new Map<string, number>(), byDay = new Map<number, number>()
    let lastWord = '', isDaily = false, nulls = false
    for (let row = 0; row < length; row++) {
      memory.u8[valid + row] = 1
      if (wanted !== undefined && memory.u8[wanted + row] === 0) continue
      const word = readWord(row), moment = read(row)
      if (typeof word !== 'string' || moment === null) { memory.u8[valid + row] = 0; nulls = true; continue }
      if (word !== lastWord) { lastWord = word; isDaily = daily(word); byDay.clear() }
      const day = isDaily ? dayOf(moment) : 0
      let code = isDaily ? byDay.get(day) : undefined
      if (code === undefined) {
        const result = isDaily ? field(word, day) : otherwise(word, moment)
        code = -1
        if (result !== null) {
          const key = `${result.special ?? result.unscaled}/${result.scale}`
          code = byValue.get(key) ?? -1
          if (code < 0) {
            byValue.set(key, code = entries.length)
            entries.push(result)
          }
        }
        if (isDaily) byDay.set(day, code)
      }
      if (code < 0) { memory.u8[valid + row] = 0; nulls = true } else memory.u32[codes / 4 + row] = code
    }
    if (entries.length === 0) entries.push({ unscaled: 0n, scale: 0 })
    const dictionary = columnFromValues(entries, site.result, arena)
    return { type: site.result, length, valid: nulls ? valid : undefined, data: { kind: 'dict', codes, dictionary } }
  }
}

/** substring(text from start for length): characters counted in the bytes and copied. `slice` does what is not constant. */
export function substringColumns(slice: (args: readonly Value[]) => string): RunColumns {
  return (columns, length, arena, _environment, site, wanted) => {
    const [texts, starts, counts] = columns
    const start = constantOf(starts, arena), count = counts === undefined ? Infinity : constantOf(counts, arena)
    if (texts?.data.kind !== 'var' || typeof start !== 'number' || typeof count !== 'number' || count < 0) {
      const readers = columns.map(column => columnReader(column, arena.memory))
      return columnFromValues(Array.from({ length }, (_, row) => {
        const args = wanted !== undefined && arena.memory.u8[wanted + row] === 0 ? [null] : readers.map(read => read(row))
        return args.includes(null) ? null : slice(args)
      }), site.result, arena)
    }
    // Positions before the first count.
    const skip = Math.max(0, start - 1), take = Math.max(0, Math.min(start - 1 + count, Infinity) - skip)
    const ends = arena.memory.u32.subarray(texts.data.offsets / 4, texts.data.offsets / 4 + length + 1)
    const offsets = arena.alloc(4 * (length + 1)), bytes = arena.alloc((ends[length] ?? 0) - (ends[0] ?? 0))
    const { u8, u32 } = arena.memory, source = texts.data.bytes, before = texts.data.offsets / 4
    let to = bytes
    for (let row = 0; row < length; row++) {
      u32[offsets / 4 + row] = to - bytes
      const end = source + (u32[before + row + 1] ?? 0)
      let at = source + (u32[before + row] ?? 0)
      for (let left = skip; at < end; at++) {
        // Every byte but those that continue a character begins one.
        if (((u8[at] ?? 0) & 0xc0) !== 0x80 && left-- === 0) break
      }
      for (let left = take; at < end; at++) {
        const byte = u8[at] ?? 0
        if ((byte & 0xc0) !== 0x80 && left-- === 0) break
        u8[to++] = byte
      }
    }
    u32[offsets / 4 + length] = to - bytes
    return { type: site.result, length, valid: undefined, data: { kind: 'var', offsets, bytes } }
  }
}
