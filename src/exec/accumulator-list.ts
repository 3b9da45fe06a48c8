/** Aggregates that need all values of a group at once, in an order: the rows' arguments are kept, with how often each occurs. */
import type { Column } from '../batch.ts'
import { columnFromValues, columnReader } from '../column.ts'
import { invariant } from '../error.ts'
import { listResult } from '../function/list-aggregate.ts'
import { aggregateById } from '../function/table.ts'
import { compareValues } from '../function/comparison.ts'
import type { Address, Arena } from '../memory.ts'
import type { AggregateCall } from '../plan.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { Accumulator, Groups, Input, Result } from './accumulator.ts'
import type { Machine } from './gather.ts'

interface Kept {
  readonly values: readonly Value[]
  count: number
}

/** The states of all groups of one call. */
export class ListStates implements Accumulator {
  readonly partialTypes: readonly Type[] = []
  readonly #call: AggregateCall
  readonly #machine: Machine
  /** Rows stay in the order in which they came: none is ever removed. */
  readonly #arrival: boolean
  #next = 0
  #groups: (Map<string, Kept> | undefined)[] = []

  constructor(call: AggregateCall, removal: boolean, machine: Machine) {
    this.#call = call
    this.#arrival = !removal && !call.distinct
    this.#machine = machine
  }

  ensure(): void { /* states are made when they are first needed */ }

  update({ ids, n, column, others = [], weights }: Input): void {
    invariant(column !== undefined, 'a list has values')
    const { memory } = this.#machine, readers = [column, ...others].map(each => columnReader(each, memory)), { u32, i32 } = memory
    for (let i = 0; i < n; i++) {
      const values = readers.map(read => read(i)), id = ids === 0 ? 0 : u32[ids / 4 + i] ?? 0, key = this.#arrival ? String(this.#next++) : keyOf(values)
      const group = this.#groups[id] ??= new Map<string, Kept>(), kept = group.get(key), weight = weights === 0 ? 1 : i32[weights / 4 + i] ?? 0
      if (kept === undefined) group.set(key, { values, count: weight })
      else if ((kept.count += weight) === 0) group.delete(key)
    }
  }

  result(_what: Result, type: Type, { ids, n }: Groups, arena: Arena): Column {
    const { u32 } = this.#machine.memory.refresh()
    const groups = Array.from({ length: n }, (_, i) => this.#groups[ids === 0 ? 0 : u32[ids / 4 + i] ?? 0])
    return columnFromValues(groups.map(group => listValue(this.#call, [...group?.values() ?? []].filter(({ count }) => count > 0), this.#arrival)), type, arena)
  }

  clear(ids: Address, n: number): void {
    const { u32 } = this.#machine.memory.refresh()
    for (let i = 0; i < n; i++) this.#groups[ids === 0 ? 0 : u32[ids / 4 + i] ?? 0] = undefined
  }

  partial(): Column[] { invariant(false, 'a list is not spread over threads') }
  merge(): void { invariant(false, 'a list is not spread over threads') }
  free(): void { this.#groups = [] }
}

/** A text that is equal only for the same values, to the last digit shown. */
export function keyOf(values: readonly Value[]): string {
  return JSON.stringify(values, (_, x: unknown) => typeof x === 'bigint' ? `${x}n` : typeof x === 'number' && !Number.isInteger(x) ? String(x) : Object.is(x, -0) ? '-0' : x instanceof Uint8Array ? [...x] : x)
}

/** The call's result for rows of its arguments, sorted as it asks; rows that tie are ordered by their values, or left as they came. */
export function listValue(call: AggregateCall, rows: readonly { readonly values: readonly Value[]; readonly count: number }[], arrival = false): Value {
  const order = call.order ?? [], types = call.args.map(arg => arg.type), first = types.length - order.length
  const sorted = [...rows].sort((a, b) => {
    for (const [i, { descending, nullsFirst }] of order.entries()) {
      const x = a.values[first + i] ?? null, y = b.values[first + i] ?? null
      if (x === null && y === null) continue
      if (x === null || y === null) return (x === null) === nullsFirst ? -1 : 1
      const c = compareValues(x, y, types[first + i] ?? { kind: 'text' })
      if (c !== 0) return descending ? -c : c
    }
    if (arrival) return 0
    for (const [i, type] of types.entries()) {
      if (type.kind === 'json' || type.kind === 'map') continue
      const c = compareValues(a.values[i] ?? null, b.values[i] ?? null, type)
      if (c !== 0) return c
    }
    return 0
  })
  const equal = (a: Kept, b: Kept | undefined): boolean => b !== undefined && types.slice(0, first).every((type, i) => compareValues(a.values[i] ?? null, b.values[i] ?? null, type) === 0)
  const list = call.distinct ? sorted.flatMap((row, i) => equal(row, sorted[i - 1]) ? [] : [row.values]) : sorted.flatMap(({ values, count }) => new Array<readonly Value[]>(count).fill(values))
  return listResult(aggregateById(call.fn).name, list, types, call.type)
}
