import { expect, test } from 'vitest'
import { toArrow } from '../arrow.ts'
import type { Column } from '../batch.ts'
import { batchFromRows, columnFromValues, columnReader, constColumn } from '../column.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import { FLOAT8, INT4, TEXT } from '../type.ts'
import type { Schema, Type } from '../type.ts'
import type { Value } from '../value.ts'
import { writeParquetFile } from './parquet-write.ts'
import { openParquet } from './parquet/reader.ts'
import { readSplit } from './read.ts'
import { KeptColumns, keepColumn, putBack } from './small-files.ts'
import type { KeptColumn } from './small-files.ts'
import { openMemoryStore } from './store-memory.ts'
import type { ObjectStore } from './store.ts'
import type { FileSplit, SplitColumn } from './table.ts'
import { emptyScanStats } from './table.ts'
import { readingOf, showRow } from './testing.ts'
import { rowsOf } from '../column.ts'

const memory = Memory.create(2 ** 28), kernel = loadKernel(memory)
const schema: Schema = [{ name: 'k', type: INT4, nullable: true }, { name: 'v', type: TEXT, nullable: true }]

async function put(store: ObjectStore, path: string, rows: readonly (readonly Value[])[], rowGroupRows = 1000): Promise<number> {
  using arena = memory.arena()
  const bytes = await writeParquetFile([toArrow(batchFromRows(schema, rows, arena), memory, kernel)], { compression: 'snappy', rowGroupRows })
  await store.write(path, bytes, 'replace')
  return bytes.length
}

const fileColumn = (name: string, type: Type): SplitColumn => ({ kind: 'file', name, field: { name, type, nullable: true } })
const columns = [fileColumn('k', INT4), fileColumn('v', TEXT)]

/** A store that counts reads. */
function counting(store: ObjectStore): { readonly store: ObjectStore; reads: number } {
  const counted = {
    reads: 0,
    store: new Proxy(store, { get: (target, key) => key === 'read'
      ? (...args: Parameters<ObjectStore['read']>) => { counted.reads++; return target.read(...args) }
      : key === 'spec' ? target.spec : target[key as keyof ObjectStore] }),
  }
  return counted
}

test('columns of every encoding come back as they were, one behind the other', () => {
  using arena = memory.arena()
  const dictionary = (values: readonly Value[], codes: readonly number[], valid: readonly number[] | undefined, type: Type): Column => {
    const at = arena.alloc(4 * codes.length), flags = valid === undefined ? undefined : arena.alloc(codes.length)
    arena.memory.u32.set(codes, at / 4)
    if (flags !== undefined && valid !== undefined) arena.memory.u8.set(valid, flags)
    return { type, length: codes.length, valid: flags, data: { kind: 'dict', codes: at, dictionary: columnFromValues(values, type, arena) } }
  }
  const cases: readonly (readonly [Type, readonly (readonly [Column, readonly Value[]])[]])[] = [
    [INT4, [[columnFromValues([1, null, 3], INT4, arena), [1, null, 3]], [constColumn(7, INT4, 2, arena), [7, 7]], [constColumn(null, INT4, 1, arena), [null]], [dictionary([5, 6], [1, 0, 1], [1, 0, 1], INT4), [6, null, 6]]]],
    [TEXT, [[columnFromValues(['a', '', null, 'ä😀'], TEXT, arena), ['a', '', null, 'ä😀']], [dictionary(['x', 'yy'], [1, 1, 0], undefined, TEXT), ['yy', 'yy', 'x']], [constColumn('c', TEXT, 2, arena), ['c', 'c']]]],
    [FLOAT8, [[columnFromValues([0.5, -0], FLOAT8, arena), [0.5, -0]], [columnFromValues([], FLOAT8, arena), []], [columnFromValues([NaN], FLOAT8, arena), [NaN]]]],
  ]
  for (const [, parts] of cases) {
    const kept = parts.flatMap(([column]) => keepColumn(column, kernel, arena) ?? [])
    expect(kept.length).toBe(parts.length)
    const column = putBack(kept, arena), read = columnReader(column, memory)
    expect(Array.from({ length: column.length }, (_, row) => read(row))).toEqual(parts.flatMap(([, values]) => values))
  }
})

test('a column that is large, or would be without its dictionary, is not kept', () => {
  using arena = memory.arena()
  expect(keepColumn(columnFromValues(Array.from({ length: 5000 }, (_, i) => i), INT4, arena), kernel, arena)).toBeUndefined()
  expect(keepColumn(constColumn('x'.repeat(1000), TEXT, 100, arena), kernel, arena)).toBeUndefined()
  expect(keepColumn(constColumn('x'.repeat(10), TEXT, 100, arena), kernel, arena)?.length).toBe(100)
})

test('what is kept is bounded, and the columns used longest ago go first', async () => {
  const store = openMemoryStore(), size = await put(store, 'f', [[1, 'a']])
  const files = await Promise.all([0, 1, 2].map(() => openParquet(store, 'f', size)))
  const column: KeptColumn = { type: INT4, length: 1000, valid: undefined, bytes: new Uint8Array(4000), offsets: undefined }
  const kept = new KeptColumns(20_000), [a, b, c] = files, [wanted] = columns
  if (a === undefined || b === undefined || c === undefined || wanted === undefined) throw new Error('three files')
  kept.add(a, wanted, column)
  kept.add(b, wanted, column)
  kept.touch(a)
  kept.add(c, wanted, column)
  expect([a, b, c].map(file => kept.get(file, wanted) !== undefined)).toEqual([true, false, true])
})

test('small files are read once, with one request each, and come as one batch', async () => {
  const store = openMemoryStore(), counted = counting(store), files: FileSplit['files'][number][] = [], expected: string[] = []
  for (let i = 0; i < 5; i++) {
    const rows: Value[][] = [[i, `text ${i}`], [null, i % 2 === 0 ? null : '']]
    files.push({ path: `f${i}`, format: 'parquet', size: await put(store, `f${i}`, rows), rows: 2, columns })
    expected.push(...rows.map(showRow))
  }
  const reading = readingOf(counted.store, memory), split: FileSplit = { kind: 'files', store: undefined, schema, files, sign: 1, estimate: 10 }
  for (const reads of [5, 5]) {
    const batches: string[][] = []
    for await (const batch of readSplit(split, reading, emptyScanStats())) batches.push(rowsOf(batch, memory).map(showRow))
    expect(batches).toEqual([expected])
    expect(counted.reads).toBe(reads)
  }
})

test('one of several row groups of a small file is not taken for the file', async () => {
  const store = openMemoryStore(), rows = Array.from({ length: 4 }, (_, i): Value[] => [i, `v${i}`]), size = await put(store, 'f', rows, 2)
  const reading = readingOf(store, memory)
  const read = async (rowGroups: readonly number[] | undefined): Promise<string[]> => {
    const file = { path: 'f', format: 'parquet' as const, size, rows: 4, columns, ...(rowGroups === undefined ? {} : { rowGroups }) }, found: string[] = []
    for await (const batch of readSplit({ kind: 'files', store: undefined, schema, files: [file], sign: 1, estimate: 4 }, reading, emptyScanStats())) found.push(...rowsOf(batch, memory).map(showRow))
    return found
  }
  expect(await read([1])).toEqual(rows.slice(2).map(showRow))
  expect(await read([0])).toEqual(rows.slice(0, 2).map(showRow))
  expect(await read(undefined)).toEqual(rows.map(showRow))
})
