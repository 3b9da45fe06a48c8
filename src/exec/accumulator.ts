/** What an aggregate keeps of each group, as arrays indexed by the group's number. Sums are exact, so results depend on neither order nor history. */
import type { Column } from '../batch.ts'
import { SqlError, invariant, unsupported } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { Type } from '../type.ts'
import { BOOL, BYTEA, INT8, bytesOrder, layoutOf, tailOf, typeName } from '../type.ts'
import { columnFromValues } from '../column.ts'
import { divide } from '../decimal.ts'
import type { Decimal } from '../value.ts'
import type { Machine } from './gather.ts'
import { Growing } from './growing.ts'

/** Rows for an accumulator. */
export interface Input {
  /** The group of each row; 0 means that all are of group 0. */
  readonly ids: Address
  readonly n: number
  /** The argument, flat or var; undefined for count(*). */
  readonly column: Column | undefined
  /** Further arguments, of those that take several. */
  readonly others?: readonly Column[]
  /** 0: each row counts once. */
  readonly weights: Address
}

/** Groups that are asked for, and where it is counted how many rows each has. */
export interface Groups {
  readonly ids: Address
  readonly n: number
  readonly totals: Address
}

export type Family = 'list' | 'count' | 'sum' | 'min' | 'max' | 'any' | 'bool'
export type Result = 'list' | 'count' | 'sum' | 'avg' | 'min' | 'max' | 'any_value' | 'bool_and' | 'bool_or'

export interface Accumulator {
  /** Makes states for all ids below `end`. A new state is that of no rows. */
  ensure(end: number): void
  update(input: Input): void
  /** Called once before `result` when rows may have been removed. */
  settle?(): void
  result(what: Result, type: Type, groups: Groups, arena: Arena): Column
  /** Makes the states of these ids new. */
  clear(ids: Address, n: number): void
  /** The state as columns of these types, for `merge` on another thread. */
  readonly partialTypes: readonly Type[]
  partial(groups: Groups, arena: Arena): Column[]
  merge(ids: Address, n: number, columns: readonly Column[]): void
  free(): void
}

export const flat = (type: Type, length: number, valid: Address | undefined, values: Address): Column => ({ type, length, valid, data: { kind: 'flat', values } })

/** The values of a flat column. */
export function valuesOf(column: Column): Address {
  invariant(column.data.kind === 'flat', 'a flat column')
  return column.data.values
}

/** How many rows of each group were NULL. Nothing is kept until the first NULL. */
class Nulls {
  readonly #machine: Machine
  #counts: Growing | undefined
  #end = 0

  constructor(machine: Machine) { this.#machine = machine }

  ensure(end: number): void {
    this.#end = end
    this.#counts?.ensure(8 * end)
  }

  update({ ids, n, column, weights }: Input): void {
    if (column?.valid !== undefined) this.#machine.kernel.count_nulls(ids, column.valid, weights, n, this.#open())
  }

  merge(ids: Address, n: number, column: Column): void {
    this.#machine.kernel.add_counts(ids, valuesOf(column), n, this.#open())
  }

  #open(): Address {
    this.#counts ??= new Growing(this.#machine.memory, true)
    return this.#counts.ensure(8 * this.#end)
  }

  /** How many rows of each group were values; `valid` where there is one. */
  seen({ ids, n, totals }: Groups, arena: Arena): { counts: Address; valid: Address | undefined } {
    const counts = arena.alloc(8 * n), valid = arena.alloc(n)
    const none = this.#machine.kernel.counts_get(totals, this.#counts?.address ?? 0, ids, n, counts, valid)
    return { counts, valid: none === 0 ? undefined : valid }
  }

  /** The NULLs themselves. */
  column({ ids, n }: Groups, arena: Arena): Column {
    const counts = arena.zeroed(8 * n)
    if (this.#counts !== undefined) this.#machine.kernel.counts_get(this.#counts.address, 0, ids, n, counts, arena.alloc(n))
    return flat(INT8, n, undefined, counts)
  }

  clear(ids: Address, n: number): void {
    if (this.#counts !== undefined) this.#machine.kernel.clear_states(ids, n, 8, this.#counts.address)
  }

  free(): void { this.#counts?.free() }
}

/** count(*) and count(x). */
export class Count implements Accumulator {
  readonly partialTypes = [INT8]
  readonly #nulls: Nulls

  constructor(machine: Machine) { this.#nulls = new Nulls(machine) }
  ensure(end: number): void { this.#nulls.ensure(end) }
  update(input: Input): void { this.#nulls.update(input) }
  result(_what: Result, type: Type, groups: Groups, arena: Arena): Column {
    return flat(type, groups.n, undefined, this.#nulls.seen(groups, arena).counts)
  }
  clear(ids: Address, n: number): void { this.#nulls.clear(ids, n) }
  partial(groups: Groups, arena: Arena): Column[] { return [this.#nulls.column(groups, arena)] }
  merge(ids: Address, n: number, columns: readonly Column[]): void {
    const [nulls] = columns
    invariant(nulls !== undefined, 'the state of a count')
    this.#nulls.merge(ids, n, nulls)
  }
  free(): void { this.#nulls.free() }
}

/** sum and avg of integers and of numerics with a precision: 128 bits for 32- and 64-bit values, 192 bits for 128-bit ones. */
export class IntegerSum implements Accumulator {
  readonly partialTypes = [BYTEA, INT8]
  readonly #machine: Machine
  readonly #nulls: Nulls
  readonly #sums: Growing
  readonly #layout: 'i32' | 'i64' | 'i128'
  readonly #scale: number
  readonly #width: number

  constructor(argument: Type, layout: 'i32' | 'i64' | 'i128', machine: Machine) {
    this.#machine = machine
    this.#nulls = new Nulls(machine)
    this.#sums = new Growing(machine.memory, true)
    this.#layout = layout
    this.#scale = argument.kind === 'numeric' ? argument.scale ?? 0 : 0
    this.#width = layout === 'i128' ? 24 : 16
  }

  ensure(end: number): void {
    this.#nulls.ensure(end)
    this.#sums.ensure(this.#width * end)
  }

  update(input: Input): void {
    const { kernel } = this.#machine, { ids, n, column, weights } = input
    invariant(column !== undefined, 'a sum has an argument')
    this.#nulls.update(input)
    const values = valuesOf(column), valid = column.valid ?? 0, sums = this.#sums.address
    switch (this.#layout) {
      case 'i32': kernel.sum_i32(ids, values, valid, weights, n, sums); break
      case 'i64': kernel.sum_i64(ids, values, valid, weights, n, sums); break
      case 'i128': kernel.sum_i128(ids, values, valid, weights, n, sums); break
    }
  }

  result(what: Result, type: Type, groups: Groups, arena: Arena): Column {
    const { kernel } = this.#machine, { ids, n } = groups, layout = layoutOf(type), { counts, valid } = this.#nulls.seen(groups, arena)
    const sameScale = type.kind !== 'numeric' || (type.scale ?? 0) === this.#scale
    if (what === 'sum' && sameScale && (layout === 'i64' || layout === 'i128')) {
      const out = arena.alloc(n * (layout === 'i64' ? 8 : 16))
      const bad = layout === 'i64' ? kernel.sums_to_i64(this.#sums.address, this.#width, ids, n, out) : kernel.sums_to_i128(this.#sums.address, this.#width, ids, n, out)
      if (bad > 0) throw new SqlError('22003', type.kind === 'int8' ? 'bigint out of range' : 'numeric field overflow')
      return flat(type, n, valid, out)
    }
    invariant(layout === 'var', `${what} as ${typeName(type)}`)
    const { memory } = this.#machine, { i64, u8 } = memory.refresh(), values: (Decimal | null)[] = []
    const words = this.#width / 8
    for (let i = 0; i < n; i++) {
      if (valid !== undefined && u8[valid + i] === 0) { values.push(null); continue }
      const id = ids === 0 ? 0 : memory.u32[ids / 4 + i] ?? 0, at = (this.#sums.address + this.#width * id) / 8
      let unscaled = i64[at + words - 1] ?? 0n
      for (let word = words - 2; word >= 0; word--) unscaled = (unscaled << 64n) | BigInt.asUintN(64, i64[at + word] ?? 0n)
      const sum: Decimal = { unscaled, scale: this.#scale }
      values.push(what === 'sum' ? sum : divide(sum, { unscaled: i64[counts / 8 + i] ?? 0n, scale: 0 }))
    }
    return columnFromValues(values, type, arena)
  }

  clear(ids: Address, n: number): void {
    this.#nulls.clear(ids, n)
    this.#machine.kernel.clear_states(ids, n, this.#width, this.#sums.address)
  }

  partial(groups: Groups, arena: Arena): Column[] {
    const { ids, n } = groups, { kernel, memory } = this.#machine, width = this.#width
    const offsets = arena.alloc(4 * (n + 1)), bytes = arena.alloc(width * n)
    for (let i = 0; i <= n; i++) memory.u32[offsets / 4 + i] = i * width
    for (let i = 0; i < n; i++) kernel.move_bytes(bytes + width * i, this.#sums.address + width * (ids === 0 ? 0 : memory.u32[ids / 4 + i] ?? 0), width)
    return [{ type: BYTEA, length: n, valid: undefined, data: { kind: 'var', offsets, bytes } }, this.#nulls.column(groups, arena)]
  }

  merge(ids: Address, n: number, columns: readonly Column[]): void {
    const [sums, nulls] = columns, { kernel, memory } = this.#machine
    invariant(sums?.data.kind === 'var' && nulls !== undefined, 'the state of a sum')
    const first = memory.refresh().u32[sums.data.offsets / 4] ?? 0
    kernel.merge_sums(ids, sums.data.bytes + first, n, this.#width / 8, this.#sums.address)
    this.#nulls.merge(ids, n, nulls)
  }

  free(): void {
    this.#nulls.free()
    this.#sums.free()
  }
}

/** sum and avg of floats: the exact sum, rounded once. */
export class FloatSum implements Accumulator {
  readonly partialTypes = [BYTEA, INT8]
  readonly #machine: Machine
  readonly #nulls: Nulls
  readonly #sums: Growing
  readonly #heap: Growing
  readonly #top: Growing
  readonly #wide: boolean

  constructor(wide: boolean, machine: Machine) {
    this.#machine = machine
    this.#nulls = new Nulls(machine)
    this.#sums = new Growing(machine.memory, true)
    this.#heap = new Growing(machine.memory)
    this.#top = new Growing(machine.memory, true)
    this.#wide = wide
  }

  ensure(end: number): void {
    this.#nulls.ensure(end)
    this.#sums.ensure(72 * end)
    this.#heap.ensure(0)
    this.#top.ensure(4)
  }

  update(input: Input): void {
    const { kernel } = this.#machine, { ids, n, column, weights } = input
    invariant(column !== undefined, 'a sum has an argument')
    this.#nulls.update(input)
    const values = valuesOf(column)
    for (let from = 0; ;) {
      from = kernel.sum_float(ids, values, this.#wide ? 1 : 0, column.valid ?? 0, weights, from, n, this.#sums.address, this.#heap.address, this.#top.address, this.#heap.size)
      if (from === n) return
      this.#heap.ensure(this.#heap.size + 560)
    }
  }

  result(what: Result, type: Type, groups: Groups, arena: Arena): Column {
    const { kernel, memory } = this.#machine, { ids, n } = groups, { counts, valid } = this.#nulls.seen(groups, arena), out = arena.alloc(8 * n)
    if (kernel.sums_to_f64(this.#sums.address, ids, n, this.#heap.address, arena.alloc(8 * 72), out) > 0) throw new SqlError('22003', 'value out of range: overflow')
    if (what === 'avg') kernel.divide_floats(out, counts, n)
    if (layoutOf(type) === 'f64') return flat(type, n, valid, out)
    const narrow = arena.alloc(4 * n), { f32, f64 } = memory.refresh()
    for (let i = 0; i < n; i++) {
      const x = f64[out / 8 + i] ?? 0, y = Math.fround(x)
      if (Number.isFinite(x) && !Number.isFinite(y)) throw new SqlError('22003', 'value out of range: overflow')
      f32[narrow / 4 + i] = y
    }
    return flat(type, n, valid, narrow)
  }

  clear(ids: Address, n: number): void {
    this.#nulls.clear(ids, n)
    this.#machine.kernel.clear_states(ids, n, 72, this.#sums.address)
  }

  partial(groups: Groups, arena: Arena): Column[] {
    const { ids, n } = groups, { kernel } = this.#machine
    const offsets = arena.alloc(4 * (n + 1)), bytes = arena.alloc(kernel.float_state_offsets(this.#sums.address, ids, n, offsets) >>> 0)
    kernel.float_state_bytes(this.#sums.address, ids, n, this.#heap.address, offsets, bytes)
    return [{ type: BYTEA, length: n, valid: undefined, data: { kind: 'var', offsets, bytes } }, this.#nulls.column(groups, arena)]
  }

  merge(ids: Address, n: number, columns: readonly Column[]): void {
    const [sums, nulls] = columns, { kernel } = this.#machine
    invariant(sums?.data.kind === 'var' && nulls !== undefined, 'the state of a sum')
    for (let from = 0; ;) {
      from = kernel.merge_floats(ids, sums.data.offsets, sums.data.bytes, from, n, this.#sums.address, this.#heap.address, this.#top.address, this.#heap.size)
      if (from === n) break
      this.#heap.ensure(this.#heap.size + 560)
    }
    this.#nulls.merge(ids, n, nulls)
  }

  free(): void {
    this.#nulls.free()
    for (const growing of [this.#sums, this.#heap, this.#top]) growing.free()
  }
}

/** bool_and and bool_or. */
export class Bools implements Accumulator {
  readonly partialTypes = [INT8, INT8]
  readonly #machine: Machine
  readonly #trues: Growing
  readonly #falses: Growing

  constructor(machine: Machine) {
    this.#machine = machine
    this.#trues = new Growing(machine.memory, true)
    this.#falses = new Growing(machine.memory, true)
  }

  ensure(end: number): void {
    this.#trues.ensure(8 * end)
    this.#falses.ensure(8 * end)
  }

  update({ ids, n, column, weights }: Input): void {
    invariant(column !== undefined, 'an aggregate of bools has an argument')
    const { kernel } = this.#machine, values = valuesOf(column), valid = column.valid ?? 0
    kernel.count_bools(ids, values, valid, weights, n, 1, this.#trues.address)
    kernel.count_bools(ids, values, valid, weights, n, 0, this.#falses.address)
  }

  result(what: Result, _type: Type, { ids, n }: Groups, arena: Arena): Column {
    const out = arena.alloc(n), valid = arena.alloc(n)
    const nulls = this.#machine.kernel.bools_get(this.#trues.address, this.#falses.address, ids, n, what === 'bool_and' ? 1 : 0, out, valid)
    return flat(BOOL, n, nulls === 0 ? undefined : valid, out)
  }

  clear(ids: Address, n: number): void {
    this.#machine.kernel.clear_states(ids, n, 8, this.#trues.address)
    this.#machine.kernel.clear_states(ids, n, 8, this.#falses.address)
  }

  partial({ ids, n }: Groups, arena: Arena): Column[] {
    return [this.#trues, this.#falses].map(counts => {
      const out = arena.alloc(8 * n)
      this.#machine.kernel.counts_get(counts.address, 0, ids, n, out, arena.alloc(n))
      return flat(INT8, n, undefined, out)
    })
  }

  merge(ids: Address, n: number, columns: readonly Column[]): void {
    const [trues, falses] = columns
    invariant(trues !== undefined && falses !== undefined, 'the state of an aggregate of bools')
    this.#machine.kernel.add_counts(ids, valuesOf(trues), n, this.#trues.address)
    this.#machine.kernel.add_counts(ids, valuesOf(falses), n, this.#falses.address)
  }

  free(): void {
    this.#trues.free()
    this.#falses.free()
  }
}

/** min, max and any_value (the least one, so that the answer does not depend on order) of rows that are never removed. */
export class Extreme implements Accumulator {
  readonly partialTypes: readonly Type[]
  readonly #machine: Machine
  readonly #type: Type
  readonly #most: number
  readonly #states: Growing
  readonly #heap: Growing
  readonly #top: Growing
  readonly #width: number

  constructor(argument: Type, most: boolean, machine: Machine) {
    this.#machine = machine
    this.#type = argument
    this.partialTypes = [argument]
    this.#most = most ? 1 : 0
    this.#states = new Growing(machine.memory, true)
    this.#heap = new Growing(machine.memory)
    this.#top = new Growing(machine.memory, true)
    this.#width = layoutOf(argument) === 'i128' ? 32 : 16
  }

  ensure(end: number): void {
    this.#states.ensure(this.#width * end)
    this.#heap.ensure(0)
    this.#top.ensure(4)
  }

  update({ ids, n, column }: Input): void {
    invariant(column !== undefined, 'min and max have an argument')
    const { kernel } = this.#machine, valid = column.valid ?? 0, { data } = column
    if (data.kind === 'var') {
      const tail = tailOf(this.#type), longest = 64
      for (let from = 0; ;) {
        from = kernel.extreme_var(ids, data.offsets, data.bytes, valid, from, n, tail, this.#most, this.#states.address, this.#heap.address, this.#top.address, this.#heap.size)
        if (from === n) return
        const { u32 } = this.#machine.memory.refresh()
        this.#heap.ensure(this.#heap.size + longest + (u32[data.offsets / 4 + from + 1] ?? 0) - (u32[data.offsets / 4 + from] ?? 0))
      }
    }
    if (this.#width === 32) kernel.extreme_i128(ids, valuesOf(column), valid, n, this.#most, this.#states.address)
    else kernel.extreme_flat(this.#kind(), ids, valuesOf(column), valid, n, this.#most, this.#states.address)
  }

  #kind(): number { return ['u8', 'i32', 'i64', 'f32', 'f64'].indexOf(layoutOf(this.#type)) }

  result(_what: Result, type: Type, { ids, n }: Groups, arena: Arena): Column {
    const { kernel } = this.#machine, valid = arena.alloc(n), layout = layoutOf(this.#type), states = this.#states.address
    if (layout === 'var') {
      const offsets = arena.alloc(4 * (n + 1)), bytes = arena.alloc(kernel.extremes_offsets(states, ids, n, offsets, valid) >>> 0)
      kernel.extremes_bytes(states, ids, n, this.#heap.address, offsets, bytes)
      return { type, length: n, valid, data: { kind: 'var', offsets, bytes } }
    }
    const out = arena.alloc(16 * n)
    const nulls = layout === 'i128' ? kernel.extremes_get_i128(states, ids, n, out, valid) : kernel.extremes_get(this.#kind(), states, ids, n, out, valid)
    return flat(type, n, nulls === 0 ? undefined : valid, out)
  }

  clear(ids: Address, n: number): void { this.#machine.kernel.clear_states(ids, n, this.#width, this.#states.address) }
  partial(groups: Groups, arena: Arena): Column[] { return [this.result('min', this.#type, groups, arena)] }
  merge(ids: Address, n: number, columns: readonly Column[]): void { this.update({ ids, n, column: columns[0], weights: 0 }) }

  free(): void {
    for (const growing of [this.#states, this.#heap, this.#top]) growing.free()
  }
}

/** True when `Extreme` can order values of this type. */
export function ordersByBytes(type: Type): boolean {
  return layoutOf(type) !== 'var' || bytesOrder(type)
}

/** 0A000 for an aggregate of a type that it is not made for. */
export function noAggregate(what: string, type: Type): SqlError {
  return unsupported(`${what}(${typeName(type)})`)
}
