/** ORDER BY as bytes: each row's keys become one byte string whose unsigned order is the order asked for. */
import type { Batch, Column } from '../batch.ts'
import { columnFromValues, columnReader } from '../column.ts'
import { compareValues } from '../function/comparison.ts'
import type { Address, Arena } from '../memory.ts'
import type { Order } from '../plan.ts'
import type { Schema, Type } from '../type.ts'
import { INT4, bytesOrder, layoutOf, tailOf } from '../type.ts'
import type { Value } from '../value.ts'
import type { Machine } from './gather.ts'
import { Expressions } from './linear.ts'
import type { Context } from './operator.ts'
import type { View } from './record.ts'
import { viewOf } from './record.ts'

/** Sort records of `n` rows; `ends` and `sizes` are 0 when each has `stride` bytes. */
export interface SortRecords {
  readonly n: number
  readonly bytes: Address
  readonly ends: Address
  readonly sizes: Address
  readonly stride: number
  readonly total: number
}

const KINDS = ['u8', 'i32', 'i64', 'f32', 'f64', 'i128']
const WIDTHS = [1, 4, 8, 8, 8, 16]

export class SortKeys {
  readonly order: readonly Order[]
  /** The keys' types, as a schema. */
  readonly schema: Schema
  /** Some key's bytes do not order (arrays, json): ranks stand for its values, and records of one `encode` compare with no others. */
  readonly ranked: boolean
  readonly #types: readonly Type[]
  readonly #expressions: Expressions
  readonly #nullable: readonly boolean[]

  constructor(order: readonly Order[], input: Schema, context: Context) {
    this.order = order
    this.schema = order.map(({ expr }, i) => ({ name: `key${i}`, type: expr.type, nullable: true }))
    this.ranked = order.some(({ expr }) => isRanked(expr.type))
    this.#types = order.map(({ expr }) => isRanked(expr.type) ? INT4 : expr.type)
    this.#expressions = new Expressions(order.map(({ expr }) => expr), input, context)
    this.#nullable = order.map(({ expr }) => expr.kind === 'column' ? input[expr.index]?.nullable ?? true : true)
  }

  /** The keys of a batch's rows. */
  of(batch: Batch, arena: Arena): Column[] { return this.#expressions.run(batch, arena) }

  encode(columns: readonly Column[], n: number, machine: Machine, arena: Arena): SortRecords {
    const { kernel } = machine, views = columns.map(column => viewOf(isRanked(column.type) ? ranksOf(column, machine, arena) : column, machine, arena))
    const layouts = this.#types.map(layoutOf), nulls = this.#nullable.filter(Boolean).length
    const fixed = layouts.reduce((sum, layout) => sum + (WIDTHS[KINDS.indexOf(layout)] ?? 0), nulls)
    if (!layouts.includes('var')) {
      const stride = Math.max(8, Math.ceil(fixed / 8) * 8), bytes = arena.zeroed(n * stride)
      this.#put(views, n, bytes, 0, stride, 0, kernel)
      return { n, bytes, ends: 0, sizes: 0, stride, total: n * stride }
    }
    const sizes = arena.alloc(4 * n), ends = arena.alloc(4 * (n + 1)), cursors = arena.zeroed(4 * n)
    kernel.fill_32(sizes, n, fixed)
    this.order.forEach(({ expr }, i) => {
      const view = views[i]
      if (layouts[i] === 'var' && view !== undefined) kernel.sort_lengths(view.offsets, view.bytes, view.codes, view.valid, n, tailOf(expr.type), sizes)
    })
    const total = kernel.sort_places(sizes, n, ends) >>> 0, bytes = arena.zeroed(total)
    this.#put(views, n, bytes, ends, 0, cursors, kernel)
    return { n, bytes, ends, sizes, stride: 0, total }
  }

  #put(views: readonly View[], n: number, bytes: Address, ends: Address, stride: number, cursors: Address, kernel: Machine['kernel']): void {
    let at = bytes
    this.order.forEach(({ expr, descending, nullsFirst }, i) => {
      const view = views[i], layout = layoutOf(this.#types[i] ?? expr.type), down = descending ? 1 : 0
      if (view === undefined) return
      if (this.#nullable[i] === true) {
        kernel.sort_put_null(view.valid, n, nullsFirst ? 0 : 2, at, ends, stride, cursors)
        if (cursors === 0) at++
      }
      if (layout === 'var') kernel.sort_put_var(view.offsets, view.bytes, view.codes, view.valid, n, tailOf(expr.type), down, at, ends, cursors)
      else {
        const kind = KINDS.indexOf(layout)
        kernel.sort_put_flat(kind, view.values, view.codes, view.valid, n, down, at, ends, stride, cursors)
        if (cursors === 0) at += WIDTHS[kind] ?? 0
      }
    })
  }
}

function isRanked(type: Type): boolean { return layoutOf(type) === 'var' && !bytesOrder(type) }

/** Each value's place among the different values of the column. */
function ranksOf(column: Column, { memory }: Machine, arena: Arena): Column {
  const read = columnReader(column, memory), values = Array.from({ length: column.length }, (_, row) => read(row)), rows = values.flatMap((value, row) => value === null ? [] : [row])
  const at = (row: number): Value => values[row] ?? null
  rows.sort((a, b) => compareValues(at(a), at(b), column.type))
  const ranks: (number | null)[] = values.map(() => null)
  let rank = 0
  rows.forEach((row, i) => {
    if (i > 0 && compareValues(at(rows[i - 1] ?? row), at(row), column.type) !== 0) rank++
    ranks[row] = rank
  })
  return columnFromValues(ranks, INT4, arena)
}

/** The numbers of rows (all `n`, or those listed at `rows`) in the order of their records. */
export function sortedRows(records: SortRecords, rows: Address, n: number, machine: Machine, arena: Arena): Address {
  const { kernel, memory } = machine, out = arena.alloc(4 * n)
  using scratch = memory.arena()
  const entries = scratch.alloc(16 * n), spare = scratch.alloc(16 * n), counts = scratch.alloc(4 * 2048)
  kernel.sort_entries(records.bytes, records.ends, records.stride, rows, n, entries)
  kernel.sort_all(entries, n, spare, counts, records.bytes, records.ends, records.sizes, records.stride, 0)
  kernel.sort_rows(entries, n, out)
  return out
}
