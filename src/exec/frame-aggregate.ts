/** Aggregates over a frame that slides: rows are added behind the last and taken away in front of the first; most can give up any row. */
import { asDecimal } from '../datum.ts'
import { divide, fromInteger } from '../decimal.ts'
import { SqlError, invariant } from '../error.ts'
import { compareValues } from '../function/comparison.ts'
import type { Type } from '../type.ts'
import { layoutOf } from '../type.ts'
import type { Value } from '../value.ts'
import type { Result } from './accumulator.ts'
import { IntervalSum, NumericSum } from './accumulator-values.ts'
import type { Sum } from './accumulator-values.ts'

export interface FrameAggregate {
  /** Any row may be taken away, not only the first. */
  readonly free: boolean
  add(row: number): void
  remove(row: number): void
  result(): Value
  /** Forgets all rows. */
  reset(): void
}

/** The aggregate over rows whose argument is at their number in `values`; `values` undefined: count(*). */
export function frameAggregate(what: Exclude<Result, 'list'>, values: readonly Value[] | undefined, argument: Type | undefined, type: Type): FrameAggregate {
  if (what === 'count') return new Counting(values)
  invariant(values !== undefined && argument !== undefined, `${what} has an argument`)
  switch (what) {
    case 'sum': case 'avg': return new Summing(what, values, argument, type)
    case 'min': case 'any_value': return new Extremes(values, argument, 1)
    case 'max': return new Extremes(values, argument, -1)
    case 'bool_and': case 'bool_or': return new Bools(what === 'bool_and', values)
  }
}

/** Aggregates that need all rows of the frame at once, in their order. */
export class Listing implements FrameAggregate {
  readonly free = false
  readonly #result: (rows: readonly number[]) => Value
  #rows: number[] = []
  #first = 0

  constructor(result: (rows: readonly number[]) => Value) { this.#result = result }
  add(row: number): void { this.#rows.push(row) }
  remove(row: number): void { if (this.#rows[this.#first] === row) this.#first++ }
  result(): Value { return this.#result(this.#rows.slice(this.#first)) }
  reset(): void { this.#rows = []; this.#first = 0 }
}

class Counting implements FrameAggregate {
  readonly free = true
  readonly #values: readonly Value[] | undefined
  #count = 0

  constructor(values: readonly Value[] | undefined) { this.#values = values }
  add(row: number): void { if (this.#values === undefined || this.#values[row] !== null) this.#count++ }
  remove(row: number): void { if (this.#values === undefined || this.#values[row] !== null) this.#count-- }
  result(): Value { return BigInt(this.#count) }
  reset(): void { this.#count = 0 }
}

class Summing implements FrameAggregate {
  readonly free = true
  readonly #what: 'sum' | 'avg'
  readonly #values: readonly Value[]
  readonly #make: () => Sum
  #sum: Sum

  constructor(what: 'sum' | 'avg', values: readonly Value[], argument: Type, type: Type) {
    const layout = layoutOf(argument)
    this.#what = what
    this.#values = values
    this.#make = argument.kind === 'interval' ? () => new IntervalSum() : argument.kind === 'numeric' ? () => new TypedSum(type)
      : layout === 'f32' || layout === 'f64' ? () => new ExactFloatSum(layout === 'f32' && what === 'sum') : () => new WholeSum(type)
    this.#sum = this.#make()
  }

  add(row: number): void { this.#put(row, 1n) }
  remove(row: number): void { this.#put(row, -1n) }
  #put(row: number, weight: bigint): void {
    const value = this.#values[row] ?? null
    if (value !== null) this.#sum.add(value, weight)
  }
  result(): Value { return this.#sum.result(this.#what) }
  reset(): void { this.#sum = this.#make() }
}

/** What a sum that is only kept here does not need. */
abstract class LocalSum implements Sum {
  abstract add(value: Exclude<Value, null>, weight: bigint): void
  abstract result(what: Result): Value
  save(): unknown { return undefined }
  load(): void { invariant(false, 'a frame stays on its thread') }
}

/** Integers. */
class WholeSum extends LocalSum {
  readonly #type: Type
  #sum = 0n
  #count = 0n

  constructor(type: Type) { super(); this.#type = type }
  add(value: Exclude<Value, null>, weight: bigint): void {
    invariant(typeof value === 'number' || typeof value === 'bigint', 'an integer')
    this.#sum += BigInt(value) * weight
    this.#count += weight
  }
  result(what: Result): Value {
    if (this.#count === 0n) return null
    if (what === 'avg') return divide(fromInteger(this.#sum), fromInteger(this.#count))
    if (this.#type.kind !== 'int8') return fromInteger(this.#sum)
    if (BigInt.asIntN(64, this.#sum) !== this.#sum) throw new SqlError('22003', 'bigint out of range')
    return this.#sum
  }
}

/** Numerics, within the digits of the sum's type. */
class TypedSum extends LocalSum {
  readonly #sum = new NumericSum()
  readonly #most: bigint | undefined

  constructor(type: Type) {
    super()
    this.#most = type.kind === 'numeric' && type.precision !== undefined ? 10n ** BigInt(type.precision) : undefined
  }
  add(value: Exclude<Value, null>, weight: bigint): void { this.#sum.add(value, weight) }
  result(what: Result): Value {
    const result = this.#sum.result(what)
    if (result === null || what === 'avg' || this.#most === undefined) return result
    const { unscaled } = asDecimal(result)
    if (unscaled >= this.#most || unscaled <= -this.#most) throw new SqlError('22003', 'numeric field overflow')
    return result
  }
}

const view = new DataView(new ArrayBuffer(8))

/** Floats without any error: integers of 2⁻¹⁰⁷⁴, in parts of 64 bits, rounded once. */
class ExactFloatSum extends LocalSum {
  readonly #single: boolean
  readonly #parts = new Map<number, bigint>()
  #count = 0n
  #nan = 0n
  #plus = 0n
  #minus = 0n

  constructor(single: boolean) { super(); this.#single = single }

  add(value: Exclude<Value, null>, weight: bigint): void {
    invariant(typeof value === 'number', 'a float')
    this.#count += weight
    if (Number.isNaN(value)) { this.#nan += weight; return }
    if (value === Infinity) { this.#plus += weight; return }
    if (value === -Infinity) { this.#minus += weight; return }
    view.setFloat64(0, value)
    const bits = view.getBigUint64(0), exponent = Number((bits >> 52n) & 0x7ffn), digits = bits & 0xfffffffffffffn
    const units = exponent === 0 ? digits : digits | 0x10000000000000n, shift = exponent === 0 ? 0 : exponent - 1, part = Math.floor(shift / 64)
    const moved = (units << BigInt(shift - 64 * part)) * weight
    this.#parts.set(part, (this.#parts.get(part) ?? 0n) + (value < 0 ? -moved : moved))
  }

  result(what: Result): Value {
    if (this.#count === 0n) return null
    const sum = this.#sum()
    if (what === 'avg') return sum / Number(this.#count)
    const rounded = this.#single ? Math.fround(sum) : sum
    if (!Number.isFinite(rounded) && this.#nan === 0n && this.#plus === 0n && this.#minus === 0n) throw new SqlError('22003', 'value out of range: overflow')
    return rounded
  }

  #sum(): number {
    if (this.#nan > 0n || (this.#plus > 0n && this.#minus > 0n)) return NaN
    if (this.#plus > 0n) return Infinity
    if (this.#minus > 0n) return -Infinity
    let sum = 0n
    for (const [part, units] of this.#parts) sum += units << BigInt(64 * part)
    return rounded(sum)
  }
}

/** `sum` units of 2⁻¹⁰⁷⁴ as the nearest float. */
function rounded(sum: bigint): number {
  if (sum === 0n) return 0
  // cut to 64 bits, the last of them sticky: Number() then rounds to even
  const negative = sum < 0n, size = negative ? -sum : sum, length = size.toString(16).length * 4
  const shift = BigInt(Math.max(0, length - 64)), top = (size >> shift) | (shift > 0n && size % (1n << shift) !== 0n ? 1n : 0n)
  let result = Number(top)
  for (let e = Number(shift) - 1074; e !== 0;) { const step = Math.max(-500, Math.min(500, e)); result *= 2 ** step; e -= step }
  return negative ? -result : result
}

/** The least (or greatest) value: the rows that may still become it, in order. */
class Extremes implements FrameAggregate {
  readonly free = false
  readonly #values: readonly Value[]
  readonly #type: Type
  readonly #sign: 1 | -1
  #rows: number[] = []
  #first = 0

  constructor(values: readonly Value[], type: Type, sign: 1 | -1) {
    this.#values = values
    this.#type = type
    this.#sign = sign
  }

  add(row: number): void {
    const value = this.#values[row] ?? null
    if (value === null) return
    while (this.#rows.length > this.#first && compareValues(this.#values[this.#rows[this.#rows.length - 1] ?? 0] ?? null, value, this.#type) * this.#sign > 0) this.#rows.pop()
    this.#rows.push(row)
  }

  remove(row: number): void { if (this.#rows[this.#first] === row) this.#first++ }
  result(): Value { return this.#first < this.#rows.length ? this.#values[this.#rows[this.#first] ?? 0] ?? null : null }
  reset(): void { this.#rows = []; this.#first = 0 }
}

class Bools implements FrameAggregate {
  readonly free = true
  readonly #every: boolean
  readonly #values: readonly Value[]
  #yes = 0
  #no = 0

  constructor(every: boolean, values: readonly Value[]) {
    this.#every = every
    this.#values = values
  }

  add(row: number): void { this.#put(row, 1) }
  remove(row: number): void { this.#put(row, -1) }
  #put(row: number, by: number): void {
    const value = this.#values[row]
    if (value === true) this.#yes += by
    else if (value === false) this.#no += by
  }
  result(): Value { return this.#yes + this.#no === 0 ? null : this.#every ? this.#no === 0 : this.#yes > 0 }
  reset(): void { this.#yes = this.#no = 0 }
}
