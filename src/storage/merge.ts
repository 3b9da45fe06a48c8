/**
 * Which rows of several sorted runs are in the table: of the rows with one key the last by sequence, unless it is a removal. First all keys are
 * added, file by file; then `winners` tells, as one bit a row, what to read. So only keys and sequences of a section are held at once.
 */
import type { Column } from '../batch.ts'
import { invariant } from '../error.ts'
import type { Memory } from '../memory.ts'
import { bytesOrder, layoutOf, tailOf } from '../type.ts'
import type { Type } from '../type.ts'
import { STRIDE, compareRows, fillRows, hashRows, isSame, rowValues } from './row-values.ts'
import type { RowValues } from './row-values.ts'

const KEY_ONLY = 2

export interface MergeOrder {
  readonly key: readonly Type[]
  readonly sequence: readonly { readonly type: Type; readonly descending: boolean }[]
  /** Removals are passed over. */
  readonly ignoreDelete: boolean
  /** Only keys that occur in rows added as marked come out. */
  readonly onlyMarked: boolean
}

/** Columns of one batch, for `KeyMerge.add`. */
export interface MergeColumns {
  readonly key: readonly Column[]
  readonly sequence: readonly Column[]
  /** The order in which the rows were written, int8. */
  readonly number: Column
  /** int2: 0 and 2 rows, 1 and 3 removals. */
  readonly kind: Column
}

export class KeyMerge {
  readonly #memory: Memory
  readonly #order: MergeOrder
  readonly #rows: number
  readonly #key: readonly RowValues[]
  readonly #sequence: readonly RowValues[]
  readonly #number: RowValues
  /** Per row: 0 a row, 1 a removal, or KEY_ONLY. */
  readonly #removal: Uint8Array
  readonly #hash: Uint32Array
  /** Per slot: 1 + the row that wins so far; 0: nothing there. */
  readonly #slots: Int32Array
  readonly #marks: Uint8Array
  #count = 0

  /** `rows` is how many rows will be added, at most. Column bytes stay where they are until `winners` returned. */
  constructor(memory: Memory, order: MergeOrder, rows: number) {
    this.#memory = memory
    this.#order = order
    this.#rows = rows
    this.#key = order.key.map(type => rowValues(type, rows))
    this.#sequence = order.sequence.map(({ type }) => {
      invariant(layoutOf(type) !== 'var' || (bytesOrder(type) && tailOf(type) === 0), `a sequence of type ${type.kind}`)
      return rowValues(type, rows)
    })
    this.#number = rowValues({ kind: 'int8' }, rows)
    this.#removal = new Uint8Array(rows)
    this.#hash = new Uint32Array(rows)
    let capacity = 16
    while (capacity < rows * 1.5) capacity *= 2
    this.#slots = new Int32Array(capacity)
    this.#marks = new Uint8Array(order.onlyMarked ? capacity : 0)
  }

  /**
   * Adds rows; they get numbers in the order in which they are added. `skip` has a 1 for rows that are not there (but get numbers). Rows added later
   * win over rows added earlier when nothing else tells them apart. `keysOnly` rows mark their keys and win over nothing.
   */
  add(columns: MergeColumns, length: number, marked: boolean, skip: Uint8Array | undefined, keysOnly = false): void {
    invariant(this.#count + length <= this.#rows, 'more rows than announced')
    const memory = this.#memory.refresh(), first = this.#count
    this.#key.forEach((values, i) => { fillRows(values, columnAt(columns.key, i), memory, first) })
    this.#sequence.forEach((values, i) => { fillRows(values, columnAt(columns.sequence, i), memory, first) })
    fillRows(this.#number, columns.number, memory, first)
    if (keysOnly) this.#removal.fill(KEY_ONLY, first, first + length)
    else fillRemovals(this.#removal, columns.kind, memory, first)
    this.#count += length
    for (let i = 0; i < length; i += STRIDE) {
      const start = first + i, end = first + Math.min(length, i + STRIDE)
      for (const values of this.#key) hashRows(values, memory, this.#hash, start, end)
      this.#insert(start, end, marked, skip === undefined ? undefined : skip.subarray(i))
    }
  }

  /** One byte a row: 1 when it is in the table. */
  winners(): Uint8Array {
    const won = new Uint8Array(this.#count), slots = this.#slots
    for (let i = 0; i < slots.length; i += STRIDE) this.#collect(won, i, Math.min(slots.length, i + STRIDE))
    return won
  }

  #collect(won: Uint8Array, start: number, end: number): void {
    const slots = this.#slots, removal = this.#removal, marks = this.#marks, { onlyMarked } = this.#order
    for (let slot = start; slot < end; slot++) {
      const row = (slots[slot] ?? 0) - 1
      if (row >= 0 && removal[row] === 0 && (!onlyMarked || marks[slot] === 1)) won[row] = 1
    }
  }

  #insert(start: number, end: number, marked: boolean, skip: Uint8Array | undefined): void {
    const slots = this.#slots, hash = this.#hash, removal = this.#removal, mask = slots.length - 1, { ignoreDelete, onlyMarked } = this.#order
    for (let row = start; row < end; row++) {
      if (skip !== undefined && skip[row - start] === 1) continue
      if (ignoreDelete && removal[row] === 1) continue
      const code = hash[row] ?? 0
      for (let slot = code & mask; ; slot = (slot + 1) & mask) {
        const other = (slots[slot] ?? 0) - 1
        if (other < 0) {
          slots[slot] = row + 1
        } else if (hash[other] !== code || !this.#sameKey(row, other)) {
          continue
        } else if (this.#isNewer(row, other)) {
          slots[slot] = row + 1
        }
        if (marked && onlyMarked) this.#marks[slot] = 1
        break
      }
    }
  }

  #sameKey(a: number, b: number): boolean {
    for (const values of this.#key) if (!isSame(values, this.#memory.u8, a, b)) return false
    return true
  }

  /** True unless row `b`, which was added before `a`, wins. */
  #isNewer(a: number, b: number): boolean {
    if (this.#removal[a] === KEY_ONLY || this.#removal[b] === KEY_ONLY) return this.#removal[a] !== KEY_ONLY
    for (let i = 0; i < this.#sequence.length; i++) {
      const values = this.#sequence[i]
      if (values === undefined) continue
      const order = compareRows(values, this.#memory.u8, a, b, this.#order.sequence[i]?.descending ?? false)
      if (order !== 0) return order > 0
    }
    const order = compareRows(this.#number, this.#memory.u8, a, b, false)
    if (order !== 0) return order > 0
    return (this.#removal[a] ?? 0) <= (this.#removal[b] ?? 0) // removals come before additions
  }
}

function columnAt(columns: readonly Column[], i: number): Column {
  const column = columns[i]
  invariant(column !== undefined, `no column ${i}`)
  return column
}

function fillRemovals(removal: Uint8Array, kind: Column, memory: Memory, first: number): void {
  const kinds = rowValues(kind.type, kind.length)
  fillRows(kinds, kind, memory, 0)
  for (let i = 0; i < kind.length; i++) removal[first + i] = (kinds.words[i] ?? 0) & 1
}
