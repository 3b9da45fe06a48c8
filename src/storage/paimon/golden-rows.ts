/** For tests: rows of golden tables as text in one canonical form, and multisets of them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
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

/** Cases that must be read; any other may be refused (0A000) instead. */
export const MUST = new RegExp(`^(?:${[
  'append-.*', 'bucket-function-mod', 'changelog-none', 'changelog-input', 'changelog-lookup', 'compression-parquet', 'dv-append-.*', 'dv-pk-32', 'dv-pk-64', 'dv-pk-sequence', 'dynamic-bucket',
  'empty-tables', 'evolution-append', 'evolution-pk', 'evolution-default-null', 'evolution-option', 'expired', 'flink-pk-batch', 'manifest-formats', 'many-commits', 'many-commits-pk',
  'old-090-append', 'old-090-pk', 'old-090-dv', 'old-101-append', 'old-101-pk', 'old-101-dv', 'overwrite', 'path-directory', 'pk-dedup-.*', 'pk-ignore-delete', 'pk-ignore-update-before',
  'pk-key-types', 'pk-large', 'pk-partitioned', 'pk-rowkind-field', 'pk-sequence-.*', 'pk-write-only-compacted', 'rollback', 'stats-modes', 'tags-and-travel', 'thin-mode', 'types-parquet',
  'types-pk-parquet', 'types-nested-parquet', 'watermark-and-user', 'zone-shanghai',
].join('|')})$`)
/** Tables of such cases that hold what is refused all the same: manifests that are not Avro. */
export const MAY_REFUSE = new Set(['manifest-formats/t_orc', 'manifest-formats/t_parquet'])

/** The golden cases' files of answers; none without ../shared/golden. */
export const CASES: readonly { readonly name: string; readonly file: string }[] = existsSync(GOLDEN) ? readdirSync(GOLDEN).flatMap(name => name.includes('.') ? [] : readdirSync(`${GOLDEN}${name}`).filter(file => /^expected.*\.json$/.test(file)).map(file => ({ name, file }))) : []

export function expectedOf(name: string, file: string): Expected { return JSON.parse(readFileSync(`${GOLDEN}${name}/${file}`, 'utf8')) }

type Row = readonly unknown[]
interface Rows { readonly columns: readonly string[]; readonly rows: readonly Row[] }
interface Plans { readonly columns: readonly string[]; readonly plans: readonly { readonly snapshot: number; readonly rows: readonly Row[] }[] }
/** What an expected.json says; its README is in ../shared/peers/paimon. */
export interface Expected {
  readonly table: string
  readonly schemas: Readonly<Record<string, readonly (readonly [number, string, string])[]>>
  readonly snapshots: Readonly<Record<string, { readonly schemaId: number; readonly columns?: readonly string[]; readonly rows?: readonly Row[]; readonly error?: string; readonly skipped?: boolean }>>
  readonly latest?: Rows & { readonly error?: string }
  readonly tags?: Readonly<Record<string, Rows & { readonly snapshot: number }>>
  readonly streamFromSnapshotFull?: Plans
}

const memory = Memory.create(2 ** 30)
const kernel = loadKernel(memory)

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
  const context = { memory, kernel, footers: new FooterCache(), store: () => table.context.files.store }
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

/** A value of expected.json in the canonical form. */
export function ofJson(json: unknown, type: PaimonType, old: PaimonType = type): unknown {
  if (json === null || json === undefined) return null
  switch (type.kind) {
    case 'FLOAT': return typeof json === 'number' ? String(Math.fround(json)) : json
    case 'CHAR': return String(json).replace(/ +$/, '')
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ': return String(json).replace(/^\+/, '').replace(/(\.\d{6})\d+/, '$1')
    case 'ARRAY': return list(json).map(item => ofJson(item, type.element))
    case 'MULTISET': return entries(list(json).map(entry => [ofJson(list(entry)[0], type.element), String(list(entry)[1])]))
    case 'MAP': return entries(list(json).map(entry => [ofJson(list(entry)[0], type.key), ofJson(list(entry)[1], type.value)]))
    case 'ROW': return type.fields.map(field => {
      const before = old.kind === 'ROW' ? old.fields.find(({ id }) => id === field.id) : undefined
      return before === undefined ? null : ofJson(new Map(Object.entries(json)).get(before.name), field.type, before.type)
    })
    case 'BOOLEAN': return json
    default: return String(json)
  }
}

function list(json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw new Error(`no list: ${JSON.stringify(json)}`)
  return json
}

/** Rows that Java read under an older schema, as they are under the newest: by field ids, new columns NULL. */
export async function bagOfJson(table: PaimonTable, schemaId: number, rows: readonly Row[]): Promise<Bag> {
  const newest = table.context.schema.fields, old = (await table.context.files.schema(BigInt(schemaId))).fields
  const bag: Bag = new Map()
  for (const row of rows) add(bag, JSON.stringify(newest.map(field => {
    const at = old.findIndex(({ id }) => id === field.id)
    return at < 0 ? null : ofJson(row[at], field.type, old[at]?.type)
  })), 1)
  return bag
}
