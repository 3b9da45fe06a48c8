/** Which rows each row's frame has, as positions in the partitions' order. */
import { asBigInt, asDecimal, asInterval, asNumber, asTimeTz } from '../datum.ts'
import { add, compare, negate, signOf } from '../decimal.ts'
import { SqlError, invariant, unsupported } from '../error.ts'
import { compareValues } from '../function/comparison.ts'
import { addIntervals, addToInstant, addToTimestamp, isInfiniteDate, negateInterval } from '../function/time-arithmetic.ts'
import type { Order, WindowBound, WindowFrame } from '../plan.ts'
import { INTERVAL, TIMESTAMP, typeName } from '../type.ts'
import type { Type } from '../type.ts'
import type { Interval, Value } from '../value.ts'
import { DATE_INFINITY, MICROS_PER_DAY, TIMESTAMP_INFINITY, TIMESTAMP_MINUS_INFINITY } from '../text/calendar.ts'
import type { Zone } from '../zone.ts'

/** Sorted rows: where partitions and groups of peers end. All arrays are by position. */
export interface Sorted {
  readonly n: number
  /** First positions of partitions, then `n`. */
  readonly partitions: readonly number[]
  readonly peerStart: Int32Array
  readonly peerEnd: Int32Array
}

/** Rows [start, end) of each row, before anything is excluded; `end` is never before `start`. */
export interface Frames {
  readonly start: Int32Array
  readonly end: Int32Array
}

/** What a range's offsets need. */
export interface RangeKey {
  readonly order: Order
  /** The order key's value at each position. */
  readonly values: readonly Value[]
  readonly zone: Zone
}

/** `offsets`: the values of the bounds' offsets. */
export function framesOf(frame: WindowFrame, offsets: { readonly start: Value; readonly end: Value }, rows: Sorted, key: RangeKey | undefined): Frames {
  const start = new Int32Array(rows.n), end = new Int32Array(rows.n)
  for (let p = 0; p + 1 < rows.partitions.length; p++) {
    const from = rows.partitions[p] ?? 0, to = rows.partitions[p + 1] ?? 0
    put(start, 'start', frame, frame.start, offsets.start, rows, key, from, to)
    put(end, 'end', frame, frame.end, offsets.end, rows, key, from, to)
    for (let i = from; i < to; i++) if ((end[i] ?? 0) < (start[i] ?? 0)) end[i] = start[i] ?? 0
  }
  return { start, end }
}

type Side = 'start' | 'end'

function put(out: Int32Array, side: Side, { unit }: WindowFrame, bound: WindowBound, offset: Value, rows: Sorted, key: RangeKey | undefined, from: number, to: number): void {
  switch (bound.kind) {
    case 'unboundedPreceding': out.fill(from, from, to); return
    case 'unboundedFollowing': out.fill(to, from, to); return
    case 'currentRow':
      if (unit === 'rows') for (let i = from; i < to; i++) out[i] = side === 'start' ? i : i + 1
      else out.set((side === 'start' ? rows.peerStart : rows.peerEnd).subarray(from, to), from)
      return
    case 'preceding': case 'following': {
      if (unit === 'range') {
        invariant(key !== undefined, 'a range with an offset has an order')
        putRange(out, side, bound.kind, offset, rows, key, from, to)
        return
      }
      const by = countOf(offset, side, to - from) * (bound.kind === 'preceding' ? -1 : 1)
      if (unit === 'rows') for (let i = from; i < to; i++) out[i] = Math.min(to, Math.max(from, (side === 'start' ? i : i + 1) + by))
      else putGroups(out, side, by, rows, from, to)
    }
  }
}

/** An offset in rows or groups, no greater than need be. */
function countOf(offset: Value, side: Side, most: number): number {
  missing(offset, side)
  const count = asBigInt(offset)
  if (count < 0n) throw new SqlError('22013', `frame ${side === 'start' ? 'starting' : 'ending'} offset must not be negative`)
  return count > BigInt(most) ? most : Number(count)
}

function missing(offset: Value, side: Side): void {
  if (offset === null) throw new SqlError('22004', `frame ${side === 'start' ? 'starting' : 'ending'} offset must not be null`)
}

function putGroups(out: Int32Array, side: Side, by: number, { peerStart, peerEnd }: Sorted, from: number, to: number): void {
  const starts: number[] = []
  for (let i = from; i < to; i = peerEnd[i] ?? to) starts.push(i)
  let group = -1
  for (let i = from; i < to; i++) {
    if (peerStart[i] === i) group++
    const other = group + by
    if (other < 0) out[i] = from
    else if (other >= starts.length) out[i] = to
    else out[i] = side === 'start' ? starts[other] ?? to : peerEnd[starts[other] ?? from] ?? to
  }
}

function putRange(out: Int32Array, side: Side, kind: 'preceding' | 'following', offset: Value, rows: Sorted, key: RangeKey, from: number, to: number): void {
  missing(offset, side)
  const { descending, expr } = key.order, { type } = expr, { values } = key
  checkSize(offset, type)
  const up = (kind === 'following') !== descending
  const limited = limiter(type, offset, up, key.zone)
  // rows with NULL are on one side, and only within reach of each other
  let first = from, last = to
  while (first < to && (values[first] ?? null) === null) first++
  while (last > first && (values[last - 1] ?? null) === null) last--
  for (let i = from; i < to; i++) if (i < first || i >= last) out[i] = (side === 'start' ? rows.peerStart[i] : rows.peerEnd[i]) ?? i
  let at = first
  for (let i = first; i < last; i = rows.peerEnd[i] ?? last) {
    const compareWith = limited(values[i] ?? null)
    for (; at < last; at++) {
      const c = compareWith(values[at] ?? null), order = descending ? -c : c
      if (side === 'start' ? order >= 0 : order > 0) break
    }
    out.fill(at, i, Math.min(last, rows.peerEnd[i] ?? last))
  }
}

/** 22013 for a negative offset. */
function checkSize(offset: Value, type: Type): void {
  let negative: boolean
  if (typeof offset === 'number') negative = offset < 0 || Number.isNaN(offset)
  else if (typeof offset === 'bigint') negative = offset < 0n
  else if (type.kind === 'numeric') { const d = asDecimal(offset); negative = d.special === 'NaN' || signOf(d) < 0 }
  else if (type.kind === 'time' || type.kind === 'timetz') negative = asInterval(offset).micros < 0n
  else negative = compareValues(offset, { months: 0, days: 0, micros: 0n }, INTERVAL) < 0
  if (negative) throw new SqlError('22013', 'invalid preceding or following size in window function')
}

/** Compares a value with the one that lies `offset` from a base: by −1, 0 or 1 as `compareValues`. */
type Compare = (value: Value) => number

function limiter(type: Type, offset: Value, up: boolean, zone: Zone): (base: Value) => Compare {
  switch (type.kind) {
    case 'int2': case 'int4': case 'int8': {
      const whole = (value: Value): bigint => typeof value === 'number' ? BigInt(value) : asBigInt(value), by = up ? whole(offset) : -whole(offset)
      return base => { const limit = whole(base) + by; return value => { const x = whole(value); return x < limit ? -1 : x > limit ? 1 : 0 } }
    }
    case 'float4': case 'float8': {
      const by = asNumber(offset)
      return base => {
        const b = asNumber(base), limit = up ? b + by : b - by
        // infinity moved by infinity the other way reaches everything
        if (Number.isNaN(limit) && !Number.isNaN(b)) return () => 0
        return value => compareValues(value, limit, { kind: 'float8' })
      }
    }
    case 'numeric': {
      const by = asDecimal(offset)
      return base => {
        const b = asDecimal(base), limit = add(b, up ? by : negate(by))
        if (limit.special === 'NaN' && b.special !== 'NaN') return () => 0
        return value => compare(asDecimal(value), limit)
      }
    }
    case 'date': {
      const by = offsetInterval(offset, up), micros = (value: Value): bigint => { const days = asNumber(value); return isInfiniteDate(days) ? days === DATE_INFINITY ? TIMESTAMP_INFINITY : TIMESTAMP_MINUS_INFINITY : BigInt(days) * MICROS_PER_DAY }
      return base => { const limit = addToTimestamp(micros(base), by); return value => compareValues(micros(value), limit, TIMESTAMP) }
    }
    case 'timestamp': { const by = offsetInterval(offset, up); return base => { const limit = addToTimestamp(asBigInt(base), by); return value => compareValues(value, limit, type) } }
    case 'timestamptz': { const by = offsetInterval(offset, up); return base => { const limit = addToInstant(asBigInt(base), by, zone); return value => compareValues(value, limit, type) } }
    case 'interval': { const by = offsetInterval(offset, up); return base => { const limit = addIntervals(asInterval(base), by); return value => compareValues(value, limit, type) } }
    case 'time': { const by = offsetInterval(offset, up).micros; return base => { const limit = asBigInt(base) + by; return value => { const x = asBigInt(value); return x < limit ? -1 : x > limit ? 1 : 0 } } }
    case 'timetz': {
      const by = offsetInterval(offset, up).micros
      return base => { const { micros, zone: west } = asTimeTz(base), limit = { micros: micros + by, zone: west }; return value => compareValues(value, limit, type) }
    }
    default: throw unsupported(`RANGE with an offset over ${typeName(type)}`)
  }
}

const offsetInterval = (offset: Value, up: boolean): Interval => up ? asInterval(offset) : negateInterval(asInterval(offset))

/** The stretches of a row's frame that are left after exclusion: pairs of start and end, in order. */
export function stretches(exclude: WindowFrame['exclude'], row: number, start: number, end: number, { peerStart, peerEnd }: Sorted): readonly (readonly [number, number])[] {
  if (exclude === 'none') return start < end ? [[start, end]] : []
  const first = peerStart[row] ?? row, last = peerEnd[row] ?? row + 1
  const holes: readonly (readonly [number, number])[] = exclude === 'current row' ? [[row, row + 1]] : exclude === 'group' ? [[first, last]] : [[first, row], [row + 1, last]]
  const kept: (readonly [number, number])[] = []
  let at = start
  for (const [from, to] of holes) {
    const stop = Math.min(from, end)
    if (at < stop) kept.push([at, stop])
    at = Math.max(at, to)
  }
  if (at < end) kept.push([at, end])
  return kept
}
