/**
 * Rows as records: the values of some columns of a row side by side, such that two rows are equal exactly when their compared bytes are. The
 * layout is described at the head of kernel/hash.as.ts.
 */
import type { Column } from '../batch.ts'
import { invariant } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { Field, Layout, Type } from '../type.ts'
import { layoutOf, tailOf, widthOf } from '../type.ts'
import type { Machine } from './gather.ts'
import { isNullConst } from './gather.ts'

/** `equal`: as GROUP BY and = see it (1.0 is 1.00, −0 is 0, NULL is NULL). `same`: to the last byte. */
export type Equality = 'equal' | 'same'

interface Place {
  readonly type: Type
  readonly layout: Layout
  /** Where the value is, or for var the u32 length. */
  readonly at: number
  /** Where the byte is that is 1 for NULL; −1 when the column has no NULLs. */
  readonly nullAt: number
  readonly tail: number
  readonly tailAt: number
  /** For var: how many var columns are before it. */
  readonly before: number
}

/** Records of `n` rows. `ends` and `sizes` are 0 when all have the format's stride. */
export interface Records {
  readonly n: number
  readonly bytes: Address
  readonly ends: Address
  readonly sizes: Address
  /** Bytes of all records together. */
  readonly total: number
}

/** A column's parts as kernels take them; 0 where there is none. */
export interface View {
  readonly values: Address
  readonly offsets: Address
  readonly bytes: Address
  readonly codes: Address
  readonly valid: Address
}

/** Dictionaries and constants become codes into their values. */
export function viewOf(column: Column, machine: Machine, arena: Arena): View {
  const { data } = column
  const inner = data.kind === 'dict' ? data.dictionary.data : data.kind === 'const' ? data.one.data : data
  const codes = data.kind === 'dict' ? data.codes : data.kind === 'const' ? arena.zeroed(4 * column.length) : 0
  const valid = isNullConst(column, machine) ? arena.zeroed(column.length) : column.valid ?? 0
  switch (inner.kind) {
    case 'flat': return { values: inner.values, offsets: 0, bytes: 0, codes, valid }
    case 'var': return { values: 0, offsets: inner.offsets, bytes: inner.bytes, codes, valid }
    default: invariant(false, 'a dictionary or constant is flat or var')
  }
}

export class RecordFormat {
  readonly places: readonly Place[]
  /** Bytes of a record without var columns; 0 with. */
  readonly stride: number
  /** Bytes of tails, a multiple of 8. */
  readonly extra: number
  readonly #fixed: number
  readonly #lengthsAt: number
  readonly #equality: Equality

  constructor(fields: readonly Pick<Field, 'type' | 'nullable'>[], equality: Equality) {
    this.#equality = equality
    const layouts = fields.map(field => layoutOf(field.type)), at = new Array<number>(fields.length).fill(0)
    let next = 0
    for (const width of [16, 8]) layouts.forEach((layout, i) => { if (widthOf(layout) === width) { at[i] = next; next += width } })
    this.#lengthsAt = next
    let vars = 0, tails = 0
    layouts.forEach((layout, i) => { if (layout === 'var') { at[i] = next; next += 4; vars++ } })
    for (const width of [4, 1]) layouts.forEach((layout, i) => { if (widthOf(layout) === width) { at[i] = next; next += width } })
    let before = 0
    this.places = fields.map((field, i) => {
      const layout = layouts[i] ?? 'u8', tail = layout === 'var' && equality === 'equal' ? tailOf(field.type) : 0
      const place: Place = { type: field.type, layout, at: at[i] ?? 0, nullAt: field.nullable ? next++ : -1, tail, tailAt: tails, before: layout === 'var' ? before++ : 0 }
      tails += tail
      return place
    })
    this.#fixed = next
    this.stride = vars === 0 ? Math.max(8, Math.ceil(next / 8) * 8) : 0
    this.extra = Math.ceil(tails / 8) * 8
  }

  /** Records of the columns' rows. */
  encode(columns: readonly Column[], n: number, machine: Machine, arena: Arena): Records {
    const { kernel } = machine, { stride } = this
    const views = this.places.map((place, i) => {
      const column = columns[i]
      invariant(column !== undefined, 'as many columns as the format has')
      return viewOf(column, machine, arena)
    })
    if (stride > 0) {
      const [place, view] = [this.places[0], views[0]]
      if (this.places.length === 1 && place?.layout === 'i64' && place.nullAt < 0 && view?.codes === 0 && view.valid === 0 && view.values % 8 === 0) {
        return { n, bytes: view.values, ends: 0, sizes: 0, total: 8 * n } // the column is its records
      }
      const bytes = arena.zeroed(n * stride)
      this.#putFixed(views, n, bytes, 0, machine)
      return { n, bytes, ends: 0, sizes: 0, total: n * stride }
    }
    const sizes = arena.zeroed(4 * n), ends = arena.alloc(4 * (n + 1)), cursors = arena.alloc(4 * n)
    this.places.forEach((place, i) => {
      const view = views[i]
      if (place.layout === 'var' && view !== undefined) kernel.record_lengths(view.offsets, view.codes, view.valid, n, place.tail, sizes)
    })
    const total = kernel.record_places(sizes, n, this.#fixed, this.extra, ends, cursors) >>> 0, bytes = arena.zeroed(total)
    this.#putFixed(views, n, bytes, ends, machine)
    this.places.forEach((place, i) => {
      const view = views[i]
      if (place.layout === 'var' && view !== undefined) kernel.record_put_var(view.offsets, view.bytes, view.codes, view.valid, n, bytes, ends, sizes, cursors, place.at, place.tail, place.tailAt)
    })
    return { n, bytes, ends, sizes, total }
  }

  #putFixed(views: readonly View[], n: number, bytes: Address, ends: Address, { kernel }: Machine): void {
    const { stride } = this, equal = this.#equality === 'equal'
    this.places.forEach((place, i) => {
      const view = views[i]
      if (view === undefined) return
      if (place.nullAt >= 0) { if (view.valid !== 0) kernel.record_put_null(view.valid, n, bytes + place.nullAt, ends, stride) }
      else invariant(view.valid === 0 || kernel.count_zero(view.valid, n) === 0, 'a column that promised no NULL has one')
      const at = bytes + place.at, { values, codes, valid } = view
      switch (place.layout) {
        case 'u8': kernel.record_put_8(values, codes, valid, n, at, ends, stride); break
        case 'i32': kernel.record_put_32(values, codes, valid, n, at, ends, stride); break
        case 'i64': kernel.record_put_64(values, codes, valid, n, at, ends, stride); break
        case 'i128': kernel.record_put_128(values, codes, valid, n, at, ends, stride); break
        case 'f32': if (equal) kernel.record_put_f32(values, codes, valid, n, at, ends, stride); else kernel.record_put_32(values, codes, valid, n, at, ends, stride); break
        case 'f64': if (equal) kernel.record_put_f64(values, codes, valid, n, at, ends, stride); else kernel.record_put_64(values, codes, valid, n, at, ends, stride); break
        case 'var': break
      }
    })
  }

  /** Column `index` of the records listed at `ids` (u32). */
  decode(index: number, records: Pick<Records, 'bytes' | 'ends' | 'sizes'>, ids: Address, n: number, machine: Machine, arena: Arena): Column {
    const { kernel } = machine, { stride } = this, place = this.places[index], { bytes, ends, sizes } = records
    invariant(place !== undefined, 'a column of the format')
    const { type, layout } = place, width = widthOf(layout), base = bytes + place.at
    let valid: Address | undefined
    if (place.nullAt >= 0) {
      valid = arena.alloc(n)
      if (kernel.record_get_valid(bytes + place.nullAt, ends, stride, ids, n, valid) === 0) valid = undefined
    }
    if (layout === 'var') {
      const offsets = arena.alloc(4 * (n + 1)), size = kernel.record_get_offsets(bytes, ends, ids, n, place.at, place.tail, offsets) >>> 0, out = arena.alloc(size)
      kernel.record_get_var(bytes, ends, sizes, ids, n, this.#fixed, this.#lengthsAt, place.before, place.tail, place.tailAt, offsets, out)
      return { type, length: n, valid, data: { kind: 'var', offsets, bytes: out } }
    }
    const values = arena.alloc(n * width)
    switch (width) {
      case 1: kernel.record_get_8(base, ends, stride, ids, n, values); break
      case 4: kernel.record_get_32(base, ends, stride, ids, n, values); break
      case 8: kernel.record_get_64(base, ends, stride, ids, n, values); break
      default: kernel.record_get_128(base, ends, stride, ids, n, values)
    }
    return { type, length: n, valid, data: { kind: 'flat', values } }
  }
}
