/** For tests: rows of golden tables as text in one canonical form, and multisets of them. */
import { fileURLToPath } from 'node:url'
import { columnReader } from '../../column.ts'
import { asArray, asDecimal, asList } from '../../datum.ts'
import { compareTexts } from '../../function/comparison.ts'
import { loadKernel } from '../../kernel/kernel.ts'
import { Memory } from '../../memory.ts'
import { DEFAULT_SETTINGS } from '../../text.ts'
import { formatDecimal } from '../../text/number.ts'
import { formatDate, formatTime, formatTimestamp } from '../../text/time.ts'
import type { Value } from '../../value.ts'
import { FooterCache, readSplit } from '../read.ts'
import { emptyScanStats } from '../table.ts'
import type { ScanStats, Version, Want } from '../table.ts'
import type { PaimonTable } from './table.ts'
import type { PaimonType } from './types.ts'

/** Where the golden tables are, if they are. */
export const GOLDEN = fileURLToPath(new URL('../../../../shared/golden/paimon/', import.meta.url))

const memory = Memory.create(2 ** 30)
const kernel = loadKernel(memory)
const footers = new FooterCache()

/** A multiset of rows, by their canonical text. */
export type Bag = Map<string, number>

export function add(bag: Bag, row: string, times: number): void {
  const sum = (bag.get(row) ?? 0) + times
  if (sum === 0) bag.delete(row)
  else bag.set(row, sum)
}

/** Hands over each row of the change, its weight, and its canonical text. */
export async function readRows(table: PaimonTable, from: Version | undefined, to: Version, onRow: (row: string, weight: number, values: readonly Value[]) => void, filter?: Want['filter'], stats: ScanStats = emptyScanStats()): Promise<void> {
  const { fields } = table.context.schema
  const want: Want = { columns: fields.map((_, i) => i), ...(filter === undefined ? {} : { filter }) }
  const context = { memory, kernel, footers, store: () => table.context.files.store }
  for await (const split of table.changes(from, to, want, stats)) {
    for await (const batch of readSplit(split, context, stats)) {
      memory.refresh()
      const readers = batch.columns.map(column => columnReader(column, memory))
      for (let row = 0; row < batch.length; row++) {
        const values = readers.map(reader => reader(row))
        onRow(JSON.stringify(fields.map((field, i) => ofValue(values[i] ?? null, field.type))), batch.weights === undefined ? 1 : memory.i32[batch.weights / 4 + row] ?? 0, values)
      }
    }
  }
}

export async function bagOf(table: PaimonTable, from: Version | undefined, to: Version): Promise<Bag> {
  const bag: Bag = new Map()
  await readRows(table, from, to, (row, weight) => { add(bag, row, weight) })
  return bag
}

/** A value of ours in the canonical form. */
export function ofValue(value: Value, type: PaimonType): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'FLOAT': case 'DOUBLE': return Object.is(value, -0) ? '-0.0' : String(value)
    case 'DECIMAL': return formatDecimal(asDecimal(value))
    case 'DATE': return formatDate(Number(value), DEFAULT_SETTINGS)
    case 'TIME': return `${formatTime(BigInt(String(value)) / 1000000n * 1000000n)}.${String(BigInt(String(value)) / 1000n % 1000n).padStart(3, '0')}`
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ': {
      const micros = BigInt(String(value)), below = ((micros % 1000000n) + 1000000n) % 1000000n, digits = Math.min(type.precision, 6)
      const fraction = String(below).padStart(6, '0').slice(0, digits)
      return `${formatTimestamp(micros - below, DEFAULT_SETTINGS)}${fraction === '' ? '' : `.${fraction}`}${type.kind === 'TIMESTAMP_LTZ' ? 'Z' : ''}`
    }
    case 'BINARY': case 'VARBINARY': return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
    case 'ARRAY': return asArray(value).values.map(item => ofValue(item, type.element))
    case 'MULTISET': return entries(asList(value).map(entry => [ofValue(asList(entry)[0] ?? null, type.element), String(asList(entry)[1])]))
    case 'MAP': return entries(asList(value).map(entry => [ofValue(asList(entry)[0] ?? null, type.key), ofValue(asList(entry)[1] ?? null, type.value)]))
    case 'ROW': return type.fields.map((field, i) => ofValue(asList(value)[i] ?? null, field.type))
    case 'BOOLEAN': return value
    default: return String(value)
  }
}

export function difference(to: Bag, from: Bag): Bag {
  const bag: Bag = new Map(to)
  for (const [row, times] of from) add(bag, row, -times)
  return bag
}

export function sorted(bag: Bag): readonly string[] {
  return [...bag].map(([row, times]) => `${times} ${row}`).toSorted()
}

export function entries(pairs: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  return pairs.toSorted((a, b) => compareTexts(JSON.stringify(a), JSON.stringify(b)))
}

