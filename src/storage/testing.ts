/** For tests: the rows of a table's versions and changes, as text that can be compared. */
import { rowsOf, weightsOf } from '../column.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import type { Value } from '../value.ts'
import { splitMorsels } from './morsel.ts'
import { FooterCache, readSplit } from './read.ts'
import type { ReadContext } from './read.ts'
import type { ObjectStore } from './store.ts'
import { emptyScanStats } from './table.ts'
import type { ScanStats, Table, Version, Want } from './table.ts'

export interface Reading extends ReadContext {
  readonly memory: Memory
}

/** What reading of this store needs, in a memory of its own. */
export function readingOf(store: ObjectStore, memory: Memory = Memory.create(2 ** 29)): Reading {
  return { memory, kernel: loadKernel(memory), store: () => store, footers: new FooterCache() }
}

/** Rows as text, with how often each occurs; rows that occur 0 times are left out. */
export type Bag = ReadonlyMap<string, number>

export function showValue(value: Value): string {
  return JSON.stringify(value, (_, v: unknown) => typeof v === 'bigint' ? `${v}n` : v instanceof Uint8Array ? `\\x${Buffer.from(v).toString('hex')}` : typeof v === 'number' && !Number.isFinite(v) ? String(v) : v)
}

export function showRow(row: readonly Value[]): string { return row.map(showValue).join(' | ') }

export function bagOf(rows: Iterable<readonly [string, number]>): Bag {
  const bag = new Map<string, number>()
  for (const [row, weight] of rows) {
    const sum = (bag.get(row) ?? 0) + weight
    if (sum === 0) bag.delete(row)
    else bag.set(row, sum)
  }
  return bag
}

/** The change of a table between two versions; all columns unless `want` says otherwise. */
export async function changeOf(table: Table, from: Version | undefined, to: Version | undefined, reading: Reading, want?: Want, stats: ScanStats = emptyScanStats()): Promise<Bag> {
  if (to === undefined) return new Map()
  const wanted = want ?? { columns: table.schema.map((_, i) => i) }
  const rows: [string, number][] = []
  for await (const split of table.changes(from, to, wanted, stats)) {
    for (const piece of await splitMorsels(structuredClone(split), wanted, reading, stats)) {
      for await (const batch of readSplit(piece, reading, stats)) {
        const weights = weightsOf(batch, reading.memory)
        rowsOf(batch, reading.memory).forEach((row, i) => { rows.push([showRow(row), weights[i] ?? 0]) })
      }
    }
  }
  return bagOf(rows)
}

export function sumOf(...bags: readonly Bag[]): Bag { return bagOf(bags.flatMap(bag => [...bag])) }

/** Sorted lines, for comparisons that show what differs. */
export function linesOf(bag: Bag): string[] { return [...bag].map(([row, weight]) => `${weight} × ${row}`).sort() }
