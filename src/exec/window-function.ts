/** What each window function and aggregate gives for sorted rows. */
import { SqlError, invariant } from '../error.ts'
import { asNumber } from '../datum.ts'
import type { AggregateFunction, WindowFunction } from '../function/function.ts'
import { listResult } from '../function/list-aggregate.ts'
import type { WindowFrame } from '../plan.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import { Listing, frameAggregate } from './frame-aggregate.ts'
import type { FrameAggregate } from './frame-aggregate.ts'
import type { Frames, Sorted } from './window-frame.ts'
import { stretches } from './window-frame.ts'

/** A call with its arguments' values by position. */
export interface Evaluated {
  readonly fn: WindowFunction | AggregateFunction
  readonly args: readonly (readonly Value[])[]
  /** Of the arguments. */
  readonly types: readonly Type[]
  readonly filter: readonly Value[] | undefined
  readonly type: Type
  readonly exclude: WindowFrame['exclude']
  /** Computed when it is asked for. */
  readonly frames: () => Frames
}

/** A value for each position. */
export function resultsOf(call: Evaluated, rows: Sorted): Value[] {
  const out = new Array<Value>(rows.n).fill(null)
  if ('accumulator' in call.fn) aggregateOver(call, call.fn, rows, out)
  else for (let p = 0; p + 1 < rows.partitions.length; p++) windowOver(call, rows, rows.partitions[p] ?? 0, rows.partitions[p + 1] ?? 0, out)
  return out
}

function windowOver(call: Evaluated, rows: Sorted, from: number, to: number, out: Value[]): void {
  const { peerStart, peerEnd } = rows, [values = [], second = []] = call.args
  switch (call.fn.name) {
    case 'row_number': for (let i = from; i < to; i++) out[i] = BigInt(i - from + 1); return
    case 'rank': for (let i = from; i < to; i++) out[i] = peerStart[i] === i ? BigInt(i - from + 1) : out[i - 1] ?? null; return
    case 'dense_rank': {
      let rank = 0n
      for (let i = from; i < to; i++) { if (peerStart[i] === i) rank++; out[i] = rank }
      return
    }
    case 'percent_rank': for (let i = from; i < to; i++) out[i] = to - from === 1 ? 0 : ((peerStart[i] ?? i) - from) / (to - from - 1); return
    case 'cume_dist': for (let i = from; i < to; i++) out[i] = ((peerEnd[i] ?? i + 1) - from) / (to - from); return
    case 'ntile': ntile(values[from] ?? null, from, to, out); return
    case 'lag': case 'lead': shifted(call, call.fn.name === 'lag' ? -1 : 1, from, to, out); return
    case 'first_value': case 'last_value': case 'nth_value': {
      const { start, end } = call.frames(), which = call.fn.name
      for (let i = from; i < to; i++) {
        const parts = stretches(call.exclude, i, start[i] ?? 0, end[i] ?? 0, rows)
        const row = which === 'first_value' ? parts[0]?.[0] : which === 'last_value' ? lastOf(parts) : nthOf(parts, second[i] ?? null)
        out[i] = row === undefined ? null : values[row] ?? null
      }
      return
    }
    default: invariant(false, `the window function ${call.fn.name}`)
  }
}

function ntile(parts: Value, from: number, to: number, out: Value[]): void {
  if (parts === null) return
  const count = asNumber(parts), n = to - from
  if (count <= 0) throw new SqlError('22014', 'argument of ntile must be greater than zero')
  const size = Math.floor(n / count), larger = n % count
  for (let i = 0; i < n; i++) out[from + i] = (i < larger * (size + 1) ? Math.floor(i / (size + 1)) : larger + Math.floor((i - larger * (size + 1)) / size)) + 1
}

function shifted({ args }: Evaluated, direction: 1 | -1, from: number, to: number, out: Value[]): void {
  const [values = [], offsets, otherwise] = args
  for (let i = from; i < to; i++) {
    const offset = offsets === undefined ? 1 : offsets[i] ?? null
    if (offset === null) continue
    const row = i + direction * asNumber(offset)
    out[i] = row >= from && row < to ? values[row] ?? null : otherwise?.[i] ?? null
  }
}

const lastOf = (parts: readonly (readonly [number, number])[]): number | undefined => { const last = parts[parts.length - 1]; return last === undefined ? undefined : last[1] - 1 }

function nthOf(parts: readonly (readonly [number, number])[], n: Value): number | undefined {
  if (n === null) return undefined
  let left = asNumber(n)
  if (left <= 0) throw new SqlError('22016', 'argument of nth_value must be greater than zero')
  for (const [from, to] of parts) {
    if (left <= to - from) return from + left - 1
    left -= to - from
  }
  return undefined
}

function aggregateOver(call: Evaluated, fn: AggregateFunction, rows: Sorted, out: Value[]): void {
  const { filter, exclude } = call, { start, end } = call.frames()
  const aggregate = fn.accumulator === 'list' ? new Listing(kept => listResult(fn.name, kept.map(row => call.args.map(values => values[row] ?? null)), call.types, call.type))
    : frameAggregate(fn.accumulator, call.args[0], call.types[0], call.type)
  const add = (from: number, to: number): void => { for (let row = from; row < to; row++) if (filter === undefined || filter[row] === true) aggregate.add(row) }
  const remove = (from: number, to: number): void => { for (let row = from; row < to; row++) if (filter === undefined || filter[row] === true) aggregate.remove(row) }
  // rows [low, high) are in
  let low = 0, high = 0
  const slide = (from: number, to: number): void => {
    if (from < low || to < high || from >= high) { aggregate.reset(); low = high = from }
    add(high, to)
    remove(low, from)
    low = from
    high = to
  }
  for (let i = 0; i < rows.n; i++) {
    const from = start[i] ?? 0, to = end[i] ?? 0
    if (exclude === 'none') {
      const same = i > 0 && from === low && to === high
      if (!same) slide(from, to)
      out[i] = same ? out[i - 1] ?? null : aggregate.result()
    } else if (aggregate.free) {
      slide(from, to)
      out[i] = without(aggregate, stretches(exclude, i, from, to, rows), from, to, add, remove)
    } else {
      aggregate.reset()
      for (const [a, b] of stretches(exclude, i, from, to, rows)) add(a, b)
      out[i] = aggregate.result()
    }
  }
}

/** The result with only these stretches of [from, to) in; what is between them is put back. */
function without(aggregate: FrameAggregate, parts: readonly (readonly [number, number])[], from: number, to: number, add: (from: number, to: number) => void, remove: (from: number, to: number) => void): Value {
  const holes: (readonly [number, number])[] = []
  let at = from
  for (const [a, b] of parts) {
    if (at < a) holes.push([at, a])
    at = b
  }
  if (at < to) holes.push([at, to])
  for (const [a, b] of holes) remove(a, b)
  const result = aggregate.result()
  for (const [a, b] of holes) add(a, b)
  return result
}
