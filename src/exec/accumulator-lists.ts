/** array_agg: every value of a group, NULLs too, in the order in which they came. */
import type { Column } from '../batch.ts'
import { columnFromValues, columnReader } from '../column.ts'
import { arrayOf } from '../datum.ts'
import { InternalError, invariant } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { Accumulator, Groups, Input, Result } from './accumulator.ts'
import type { Machine } from './gather.ts'

/** Rows are never removed from it, and its work is not spread over threads: both would lose the order. */
export class Lists implements Accumulator {
  readonly partialTypes = []
  readonly #machine: Machine
  #lists: (Value[] | undefined)[] = []

  constructor(machine: Machine) { this.#machine = machine }

  ensure(): void { /* lists are made when they are first needed */ }

  update({ ids, n, column, weights }: Input): void {
    invariant(column !== undefined, 'array_agg has an argument')
    const { memory } = this.#machine, read = columnReader(column, memory), { u32, i32 } = memory.refresh()
    for (let i = 0; i < n; i++) {
      const list = this.#lists[ids === 0 ? 0 : u32[ids / 4 + i] ?? 0] ??= [], times = weights === 0 ? 1 : i32[weights / 4 + i] ?? 0
      invariant(times >= 0, 'rows of array_agg are not removed')
      const value = read(i)
      for (let k = 0; k < times; k++) list.push(value)
    }
  }

  result(_what: Result, type: Type, { ids, n }: Groups, arena: Arena): Column {
    const { u32 } = this.#machine.memory.refresh(), places = Array.from({ length: n }, (_, i) => ids === 0 ? 0 : u32[ids / 4 + i] ?? 0)
    return columnFromValues(places.map(place => { const list = this.#lists[place]; return list === undefined ? null : arrayOf(list) }), type, arena)
  }

  clear(ids: Address, n: number): void {
    const { u32 } = this.#machine.memory.refresh()
    for (let i = 0; i < n; i++) this.#lists[ids === 0 ? 0 : u32[ids / 4 + i] ?? 0] = undefined
  }

  partial(): Column[] { throw new InternalError('array_agg is not split') }
  merge(): void { throw new InternalError('array_agg is not split') }
  free(): void { this.#lists = [] }
}
