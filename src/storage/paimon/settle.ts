/**
 * What a transaction leaves of each key. Its rows are a signed sum: an addition and a removal of the very same row cancel, in whatever order they came. Of
 * several additions the last one wins, by the sequence fields where the table has some; an addition replaces what the table has under its key, so a
 * removal beside it has nothing left to do; a removal alone removes the key.
 */
import type { Batch, Column } from '../../batch.ts'
import { invariant } from '../../error.ts'
import type { Memory } from '../../memory.ts'
import { compareRows, fillRows, isSame, rowValues } from '../row-values.ts'
import type { RowValues } from '../row-values.ts'
import { fieldsOf } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import type { WriteOptions } from './write-options.ts'

/** Rows by number, in the order of a file, and what each is: 0 +I, 1 −U, 2 +U, 3 −D. */
export interface Settled {
  readonly rows: Uint32Array
  readonly kinds: Uint8Array
}

const INSERT = 0, BEFORE = 1, AFTER = 2, DELETE = 3

/** Sorted by key: the one row that is left of each key; and the same as changes, an update as its old row and its new one. */
export function settleKeys(batch: Batch, schema: PaimonSchema, options: WriteOptions, memory: Memory): { readonly rows: Settled; readonly changes: Settled } {
  const { length } = batch
  const { u8, i32 } = memory.refresh()
  const key = valuesOf(batch, schema, options.key, memory)
  const order = Uint32Array.from({ length }, (_, row) => row)
  const byKey = (a: number, b: number): number => {
    for (const values of key) {
      const difference = compareRows(values, u8, a, b, false)
      if (difference !== 0) return difference
    }
    return 0
  }
  if (!isSorted(order, byKey)) order.sort((a, b) => byKey(a, b) || a - b)
  const sequence = valuesOf(batch, schema, options.sequence.map(({ column }) => column), memory)
  const isLater = (a: number, b: number): boolean => {
    for (let i = 0; i < sequence.length; i++) {
      const values = sequence[i]
      const difference = values === undefined ? 0 : compareRows(values, u8, a, b, options.sequence[i]?.descending ?? false)
      if (difference !== 0) return difference > 0
    }
    return a > b
  }
  let whole: readonly RowValues[] | undefined
  const isSameRow = (a: number, b: number): boolean => (whole ??= valuesOf(batch, schema, schema.fields.map(field => field.name), memory)).every(values => isSame(values, u8, a, b))
  const removes = (row: number): boolean => batch.weights !== undefined && (i32[batch.weights / 4 + row] ?? 1) < 0
  const rows = new Settling(length), changes = new Settling(options.changelog ? length : 0)
  for (let start = 0, end; start < length; start = end) {
    const first = order[start] ?? 0
    for (end = start + 1; end < length && byKey(first, order[end] ?? 0) === 0;) end++
    const { removal, addition } = end === start + 1 ? (removes(first) ? { removal: first, addition: undefined } : { removal: undefined, addition: first }) : settle(order.subarray(start, end), removes, isSameRow, isLater)
    if (addition !== undefined) rows.push(addition, INSERT)
    else if (removal !== undefined && !options.ignoreDelete) rows.push(removal, DELETE)
    if (!options.changelog) continue
    if (removal !== undefined && !(options.ignoreDelete && addition === undefined)) changes.push(removal, addition === undefined ? DELETE : BEFORE)
    if (addition !== undefined) changes.push(addition, removal === undefined ? INSERT : AFTER)
  }
  return { rows: rows.settled(), changes: changes.settled() }
}

/** The rows of one key, in the order in which they came. */
function settle(rows: Uint32Array, removes: (row: number) => boolean, isSameRow: (a: number, b: number) => boolean, isLater: (a: number, b: number) => boolean): { readonly removal: number | undefined; readonly addition: number | undefined } {
  const additions = [...rows].filter(row => !removes(row)), removals: number[] = []
  for (const row of rows) {
    if (!removes(row)) continue
    const same = additions.findIndex(addition => isSameRow(addition, row))
    if (same < 0) removals.push(row)
    else additions.splice(same, 1)
  }
  const addition = additions.reduce<number | undefined>((best, row) => best === undefined || isLater(row, best) ? row : best, undefined)
  if (addition !== undefined || removals.length > 0) return { removal: removals.at(-1), addition }
  // All cancelled: the table has that row if it had it before. Written again when an addition came last, so that it also is there for who meant that order.
  const last = rows[rows.length - 1]
  return { removal: undefined, addition: last !== undefined && !removes(last) ? last : undefined }
}

class Settling {
  readonly #rows: Uint32Array
  readonly #kinds: Uint8Array
  #count = 0
  constructor(length: number) {
    this.#rows = new Uint32Array(length)
    this.#kinds = new Uint8Array(length)
  }
  push(row: number, kind: number): void {
    this.#rows[this.#count] = row
    this.#kinds[this.#count++] = kind
  }
  settled(): Settled { return { rows: this.#rows.subarray(0, this.#count), kinds: this.#kinds.subarray(0, this.#count) } }
}

function isSorted(order: Uint32Array, compare: (a: number, b: number) => number): boolean {
  for (let i = 1; i < order.length; i++) if (compare(order[i - 1] ?? 0, order[i] ?? 0) > 0) return false
  return true
}

function valuesOf(batch: Batch, schema: PaimonSchema, names: readonly string[], memory: Memory): readonly RowValues[] {
  return fieldsOf(schema, names).map(field => {
    const column: Column | undefined = batch.columns[schema.fields.indexOf(field)]
    invariant(column !== undefined, `no column ${field.name}`)
    const values = rowValues(column.type, batch.length)
    fillRows(values, column, memory, 0)
    return values
  })
}
