import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { columnReader } from '../../column.ts'
import { SqlError } from '../../error.ts'
import { loadKernel } from '../../kernel/kernel.ts'
import { Memory } from '../../memory.ts'
import { formatValue } from '../../text.ts'
import type { ObjectStore } from '../store.ts'
import { openMemoryStore } from '../store-memory.ts'
import { openParquet, readRowGroup } from './reader.ts'

const bytesOf = (name: string): Uint8Array => readFileSync(new URL(`./testdata/${name}`, import.meta.url))
const spec: { columns: string[]; rows: (string | null)[][] } = JSON.parse(bytesOf('expected.json').toString())
const names = ['plain.parquet', 'dictionary.parquet', 'delta.parquet']

const memory = Memory.create(512 * 2 ** 20)
const kernel = loadKernel(memory)

async function textOf(store: ObjectStore, path: string, size: number, columns?: readonly string[]): Promise<(string | null)[][]> {
  const file = await openParquet(store, path, size), rows: (string | null)[][] = []
  for (const [i, group] of file.rowGroups.entries()) {
    using arena = memory.arena()
    const read = (await readRowGroup(file, store, i, columns ?? file.schema.map(field => field.name), kernel, arena)).map(column => ({ type: column.type, at: columnReader(column, memory) }))
    for (let row = 0; row < group.rows; row++) rows.push(read.map(({ type, at }) => { const value = at(row); return value === null ? null : formatValue(value, type) }))
  }
  return rows
}

/** DuckDB's text of a value as ours prints it: bool, bytea and arrays look different. */
function ours(text: string | null, column: string): string | null {
  if (text === null) return null
  switch (column) {
    case 'b': return text === 'true' ? 't' : 'f'
    case 'x': return `\\x${text.replaceAll(/\\x(..)|(.)/g, (_, hex: string | undefined, char: string | undefined) => hex?.toLowerCase() ?? Buffer.from(char ?? '').toString('hex'))}`
    case 'a': return text.replace('[', '{').replace(']', '}').replaceAll('null', 'NULL')
    case 'f': case 'd': return text.replace(/\.0$/, '')
    default: return text
  }
}

async function storeOf(bytes: Uint8Array): Promise<ObjectStore> {
  const store = openMemoryStore()
  await store.write('file', bytes, 'create')
  return store
}

describe('files by pyarrow, as DuckDB reads them', () => {
  const expected = spec.rows.map(row => row.map((text, i) => ours(text, spec.columns[i] ?? '')))
  for (const name of names) {
    test(name, async () => {
      const bytes = bytesOf(name)
      expect(await textOf(await storeOf(bytes), 'file', bytes.length)).toEqual(expected)
    })
    test(`${name}: some columns, in another order, one twice`, async () => {
      const bytes = bytesOf(name)
      expect(await textOf(await storeOf(bytes), 'file', bytes.length, ['s', 'a', 'b', 's'])).toEqual(expected.map(row => [row[6], row[10], row[0], row[6]]))
    })
  }
})

test('strings stay codes where every page has a dictionary', async () => {
  const bytes = bytesOf('dictionary.parquet'), store = await storeOf(bytes), file = await openParquet(store, 'file', bytes.length)
  using arena = memory.arena()
  const columns = await readRowGroup(file, store, 0, ['w', 'i'], kernel, arena)
  expect(columns.map(column => column.data.kind)).toEqual(['dict', 'flat'])
})

test('one request for neighbouring columns', async () => {
  const bytes = bytesOf('plain.parquet'), inner = await storeOf(bytes), reads: number[] = []
  const store: ObjectStore = { ...inner, spec: undefined, read: (path, start, end, into) => { reads.push((end ?? 0) - (start ?? 0)); return inner.read(path, start, end, into) } }
  const file = await openParquet(store, 'file', bytes.length)
  expect(reads).toEqual([bytes.length])
  using arena = memory.arena()
  await readRowGroup(file, store, 0, ['b', 'i', 'l'], kernel, arena)
  expect(reads.length).toBe(2)
})

test('a column that the file lacks is named', async () => {
  const bytes = bytesOf('plain.parquet'), store = await storeOf(bytes), file = await openParquet(store, 'file', bytes.length)
  using arena = memory.arena()
  await expect(readRowGroup(file, store, 0, ['nope'], kernel, arena)).rejects.toThrow('file: it has no column "nope"')
})

/** Numbers from 0 to 2^32, the same ones each time. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return (x ^ (x >>> 14)) >>> 0
  }
}

describe('a damaged file is read or refused, and gives its memory back', () => {
  for (const name of names) {
    const original = bytesOf(name), footer = original.length - 8 - new DataView(original.buffer, original.byteOffset).getUint32(original.length - 8, true)
    const random = randomFrom(name.length)
    const damages: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
      'flipped bits in pages': bytes => { for (let i = random() % 3; i >= 0; i--) { const at = 4 + random() % (footer - 4); bytes[at] = (bytes[at] ?? 0) ^ (1 << (random() % 8)) } return bytes },
      'flipped bits in the footer': bytes => { for (let i = random() % 2; i >= 0; i--) { const at = footer + random() % (bytes.length - footer); bytes[at] = (bytes[at] ?? 0) ^ (1 << (random() % 8)) } return bytes },
      'random bytes': bytes => { const at = random() % bytes.length; for (let i = at; i < Math.min(bytes.length, at + 1 + random() % 40); i++) bytes[i] = random(); return bytes },
      'ends early': bytes => bytes.subarray(0, random() % bytes.length),
      'a hole': bytes => { const at = 4 + random() % (footer - 4), length = 1 + random() % 200; return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]) },
    }
    for (const [damage, apply] of Object.entries(damages)) {
      test(`${name}: ${damage}`, async () => {
        let refused = 0, slowest = 0
        for (let run = 0; run < 150; run++) {
          const bytes = apply(Uint8Array.from(original)), store = await storeOf(bytes), before = memory.used, started = performance.now()
          try {
            await textOf(store, 'file', bytes.length)
          } catch (error) {
            if (!(error instanceof SqlError)) throw error
            expect(['XX001', '0A000', '22008', '53200', '54000', '58P01'], error.message).toContain(error.code)
            refused++
          }
          slowest = Math.max(slowest, performance.now() - started)
          expect(memory.used).toBe(before)
        }
        expect(refused).toBeGreaterThan(damage === 'ends early' ? 149 : 20)
        expect(slowest).toBeLessThan(2000)
      })
    }
  }
})
