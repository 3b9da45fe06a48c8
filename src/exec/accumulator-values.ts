/** Sums whose values are looked at one by one in JavaScript: numeric without precision, and interval. Exact and invertible like the others. */
import type { Column } from '../batch.ts'
import { columnFromValues, columnReader } from '../column.ts'
import { asDecimal, asInterval } from '../datum.ts'
import { add, decimal, divide, fromInteger, INFINITY, MINUS_INFINITY, NAN, roundedQuotient } from '../decimal.ts'
import { SqlError, invariant } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { Type } from '../type.ts'
import { NUMERIC, TEXT, layoutOf } from '../type.ts'
import type { Decimal, Interval, Value } from '../value.ts'
import type { Accumulator, Groups, Input, Result } from './accumulator.ts'
import type { Machine } from './gather.ts'

/** What one group's values add up to. */
export interface Sum {
  add(value: Exclude<Value, null>, weight: bigint): void
  result(what: Result): Value
  /** As JSON, for another thread, which adds it with `load`. */
  save(): unknown
  load(saved: unknown): void
}

/** The states of all groups, each an object. */
export class ValueSums implements Accumulator {
  readonly partialTypes = [TEXT]
  readonly #machine: Machine
  readonly #make: () => Sum
  #sums: (Sum | undefined)[] = []

  constructor(argument: Type, machine: Machine) {
    this.#machine = machine
    this.#make = argument.kind === 'interval' ? () => new IntervalSum() : () => new NumericSum()
  }

  ensure(): void { /* states are made when they are first needed */ }

  update({ ids, n, column, weights }: Input): void {
    invariant(column !== undefined, 'a sum has an argument')
    const { memory } = this.#machine, read = columnReader(column, memory), { u32, i32 } = memory
    for (let i = 0; i < n; i++) {
      const value = read(i)
      if (value !== null) this.#sum(ids === 0 ? 0 : u32[ids / 4 + i] ?? 0).add(value, weights === 0 ? 1n : BigInt(i32[weights / 4 + i] ?? 0))
    }
  }

  #sum(id: number): Sum { return this.#sums[id] ??= this.#make() }

  #each({ ids, n }: Groups): (Sum | undefined)[] {
    const { u32 } = this.#machine.memory.refresh()
    return Array.from({ length: n }, (_, i) => this.#sums[ids === 0 ? 0 : u32[ids / 4 + i] ?? 0])
  }

  result(what: Result, type: Type, groups: Groups, arena: Arena): Column {
    invariant(layoutOf(type) === 'var', 'a sum of values of any scale has any scale')
    return columnFromValues(this.#each(groups).map(sum => sum?.result(what) ?? null), type, arena)
  }

  clear(ids: Address, n: number): void {
    const { u32 } = this.#machine.memory.refresh()
    for (let i = 0; i < n; i++) this.#sums[ids === 0 ? 0 : u32[ids / 4 + i] ?? 0] = undefined
  }

  partial(groups: Groups, arena: Arena): Column[] {
    return [columnFromValues(this.#each(groups).map(sum => sum === undefined ? null : JSON.stringify(sum.save())), TEXT, arena)]
  }

  merge(ids: Address, n: number, columns: readonly Column[]): void {
    const [column] = columns
    invariant(column !== undefined, 'the state of a sum')
    const { memory } = this.#machine, read = columnReader(column, memory), { u32 } = memory
    for (let i = 0; i < n; i++) {
      const text = read(i)
      if (typeof text !== 'string') continue
      const saved: unknown = JSON.parse(text), sum = this.#sum(ids === 0 ? 0 : u32[ids / 4 + i] ?? 0)
      sum.load(saved)
    }
  }

  free(): void { this.#sums = [] }
}

/** Sums by display scale, so that the scale of the whole is again that of what is left when values are removed. */
export class NumericSum implements Sum {
  readonly #finite = new Map<number, { unscaled: bigint; count: bigint }>()
  readonly #special = { NaN: 0n, Infinity: 0n, '-Infinity': 0n }

  add(value: Exclude<Value, null>, weight: bigint): void {
    const { unscaled, scale, special } = asDecimal(value)
    if (special !== undefined) this.#special[special] += weight
    else this.#put(scale, unscaled * weight, weight)
  }

  #put(scale: number, unscaled: bigint, count: bigint): void {
    const entry = this.#finite.get(scale)
    if (entry === undefined) { this.#finite.set(scale, { unscaled, count }); return }
    entry.unscaled += unscaled
    entry.count += count
    if (entry.count === 0n && entry.unscaled === 0n) this.#finite.delete(scale)
  }

  result(what: Result): Value {
    let total: Decimal = decimal(0n, 0), count = this.#special.NaN + this.#special.Infinity + this.#special['-Infinity']
    for (const [scale, entry] of this.#finite) {
      total = add(total, decimal(entry.unscaled, scale))
      count += entry.count
    }
    if (count <= 0n) return null
    const plus = this.#special.Infinity > 0n, minus = this.#special['-Infinity'] > 0n
    if (this.#special.NaN > 0n || (plus && minus)) return NAN
    if (plus) return INFINITY
    if (minus) return MINUS_INFINITY
    return what === 'avg' ? divide(total, fromInteger(count)) : total
  }

  save(): unknown {
    const { NaN: nan, Infinity: plus, '-Infinity': minus } = this.#special
    return [[nan, plus, minus].map(String), [...this.#finite].map(([scale, entry]) => [String(scale), String(entry.unscaled), String(entry.count)])]
  }

  load(saved: unknown): void {
    const [special, finite] = listsOf(saved)
    const [nan, plus, minus] = (special ?? []).map(bigintOf)
    this.#special.NaN += nan ?? 0n
    this.#special.Infinity += plus ?? 0n
    this.#special['-Infinity'] += minus ?? 0n
    for (const entry of finite ?? []) {
      const [scale, unscaled, count] = Array.isArray(entry) ? entry.map(bigintOf) : []
      this.#put(Number(scale ?? 0n), unscaled ?? 0n, count ?? 0n)
    }
  }
}

/** Months, days and microseconds are added each for itself, as PostgreSQL does. */
export class IntervalSum implements Sum {
  #months = 0n
  #days = 0n
  #micros = 0n
  #count = 0n

  add(value: Exclude<Value, null>, weight: bigint): void {
    const { months, days, micros } = asInterval(value)
    this.#months += BigInt(months) * weight
    this.#days += BigInt(days) * weight
    this.#micros += micros * weight
    this.#count += weight
  }

  result(what: Result): Value {
    if (this.#count <= 0n) return null
    return what === 'avg' ? this.#mean() : intervalOf(this.#months, this.#days, this.#micros)
  }

  /** The remainders of months go to days (30 a month), those of days to microseconds. */
  #mean(): Interval {
    const n = this.#count, months = this.#months / n, days = this.#days / n
    const restDays = (this.#months % n) * 30n, wholeDays = restDays / n
    const rest = ((restDays % n) + (this.#days % n)) * 86_400_000_000n + this.#micros
    return intervalOf(months, days + wholeDays, roundedQuotient(rest, n))
  }

  save(): unknown { return [[this.#months, this.#days, this.#micros, this.#count].map(String)] }

  load(saved: unknown): void {
    const [months, days, micros, count] = (listsOf(saved)[0] ?? []).map(bigintOf)
    this.#months += months ?? 0n
    this.#days += days ?? 0n
    this.#micros += micros ?? 0n
    this.#count += count ?? 0n
  }
}

function intervalOf(months: bigint, days: bigint, micros: bigint): Interval {
  const fits = (x: bigint, bits: number): boolean => BigInt.asIntN(bits, x) === x
  if (!fits(months, 32) || !fits(days, 32) || !fits(micros, 64)) throw new SqlError('22008', 'interval out of range')
  return { months: Number(months), days: Number(days), micros }
}

function listsOf(saved: unknown): unknown[][] {
  return Array.isArray(saved) ? saved.map(list => Array.isArray(list) ? list.map((x: unknown) => x) : []) : []
}

function bigintOf(text: unknown): bigint {
  return BigInt(typeof text === 'string' ? text : '0')
}

/** True for arguments whose sum is kept here. */
export function isValueSum(argument: Type): boolean {
  return argument.kind === 'interval' || (argument.kind === NUMERIC.kind && layoutOf(argument) === 'var')
}
