import fc from 'fast-check'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { toArrow } from '../arrow.ts'
import { batchFromRows } from '../column.ts'
import { SqlError } from '../error.ts'
import { call, column, literal } from '../expr.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import { BOOL, DATE, FLOAT8, INT4, INT8, TEXT } from '../type.ts'
import type { Schema } from '../type.ts'
import type { Value } from '../value.ts'
import { FolderHistory, isFolderTable, openFolderTable } from './folder.ts'
import { openLake } from './lake.ts'
import { writeParquetFile } from './parquet-write.ts'
import { FooterCache } from './read.ts'
import { openLocalStore } from './store-local.ts'
import { openMemoryStore } from './store-memory.ts'
import type { ObjectStore } from './store.ts'
import { emptyScanStats } from './table.ts'
import type { Table, Version } from './table.ts'
import { changeOf, linesOf, readingOf, sumOf } from './testing.ts'
import type { Bag } from './testing.ts'

const memory = Memory.create(2 ** 28), kernel = loadKernel(memory)
const name = { schema: 'public', name: 't' }
const plain: Schema = [{ name: 'k', type: INT4, nullable: true }, { name: 'v', type: TEXT, nullable: true }]

async function parquet(schema: Schema, rows: readonly (readonly Value[])[], rowGroupRows = 1000): Promise<Uint8Array> {
  using arena = memory.arena()
  return writeParquetFile([toArrow(batchFromRows(schema, rows, arena), memory, kernel)], { compression: 'snappy', rowGroupRows })
}

async function put(store: ObjectStore, path: string, rows: readonly (readonly Value[])[], schema: Schema = plain): Promise<void> {
  await store.write(path, await parquet(schema, rows), 'replace')
}

async function open(store: ObjectStore): Promise<Table> {
  return openFolderTable(store, 't/', name, new FooterCache())
}

async function lines(store: ObjectStore): Promise<string[]> {
  const table = await open(store)
  return linesOf(await changeOf(table, undefined, await table.latest(), readingOf(store, memory)))
}

test('all Parquet files below a folder are its rows; marks of other programs are not', async () => {
  const store = openMemoryStore()
  await put(store, 't/a.parquet', [[1, 'a']])
  await put(store, 't/deep/er/b.parquet', [[2, null]])
  for (const path of ['t/_SUCCESS', 't/_temporary/c.parquet', 't/.hidden.parquet', 't/readme.txt']) await put(store, path, [[9, 'no']])
  await store.write('t/empty.parquet', new Uint8Array(0), 'create')
  expect(await lines(store)).toEqual(['1 × 1 | "a"', '1 × 2 | null'])
  expect((await open(store)).schema).toEqual(plain)
})

test('parts of paths are columns, of the type that all their values have', async () => {
  const store = openMemoryStore()
  await put(store, 't/year=2024/day=2024-02-29/name=a%2Fb/x=01/f.parquet', [[1, 'a']])
  await put(store, 't/year=-5/day=1999-12-31/name=__HIVE_DEFAULT_PARTITION__/x=2/f.parquet', [[2, 'b']])
  const table = await open(store)
  expect(table.schema.slice(2).map(field => [field.name, field.type])).toEqual([['year', INT8], ['day', DATE], ['name', TEXT], ['x', TEXT]])
  expect(await lines(store)).toEqual(['1 × 1 | "a" | "2024n" | 19782 | "a/b" | "01"', '1 × 2 | "b" | "-5n" | 10956 | null | "2"'])
  const stats = emptyScanStats()
  const filter = call('=', [column(2, INT8), literal(2024n, INT8)], BOOL)
  expect(linesOf(await changeOf(table, undefined, await table.latest(), readingOf(store, memory), { columns: [0, 2], filter }, stats))).toEqual(['1 × 1 | "2024n"'])
  expect(stats).toMatchObject({ filesTotal: 2, filesPruned: 1 })
})

test('a column in the path wins over the same column in the file', async () => {
  const store = openMemoryStore()
  await put(store, 't/k=7/f.parquet', [[1, 'a']])
  expect((await open(store)).schema.map(field => [field.name, field.type])).toEqual([['k', INT8], ['v', TEXT]])
  expect(await lines(store)).toEqual(['1 × "7n" | "a"'])
})

test('files may lack columns and have narrower types; types that do not go together are refused', async () => {
  const store = openMemoryStore()
  await put(store, 't/1.parquet', [[1, 'a']])
  await put(store, 't/2.parquet', [[2n ** 40n, 0.5]], [{ name: 'k', type: INT8, nullable: false }, { name: 'w', type: FLOAT8, nullable: true }])
  expect((await open(store)).schema.map(field => [field.name, field.type.kind, field.nullable])).toEqual([['k', 'int8', true], ['v', 'text', true], ['w', 'float8', true]])
  expect(await lines(store)).toEqual([`1 × "${2n ** 40n}n" | null | 0.5`, '1 × "1n" | "a" | null'])
  await put(store, 't/3.parquet', [[3, 4]], [{ name: 'k', type: INT4, nullable: true }, { name: 'v', type: INT4, nullable: true }])
  await expect(open(store)).rejects.toThrow('table t, whose column "v" is text in t/1.parquet and integer in t/3.parquet, is not supported')
})

test('random histories: files come, and each change leads from version to version', async () => {
  const step = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.option(fc.constantFrom('x', 'y'), { nil: null })), { minLength: 1, maxLength: 4 })), { maxLength: 3 })
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async steps => {
    const store = openMemoryStore(), reading = readingOf(store, memory)
    await put(store, 't/first.parquet', [[0, 'first']])
    const table = await open(store)
    const states: { readonly version: Version; readonly bag: Bag }[] = []
    let file = 0
    for (const files of steps) {
      const before = states.at(-1)
      for (const [folder, rows] of files) await put(store, `t/p=${folder}/${file++}.parquet`, rows)
      const version = await table.next(before?.version)
      expect(version === undefined).toBe(before !== undefined && files.length === 0)
      if (version === undefined) continue
      states.push({ version, bag: await changeOf(table, undefined, version, reading) })
    }
    for (const [i, to] of states.entries()) {
      for (const from of states.slice(0, i + 1)) expect(linesOf(sumOf(from.bag, await changeOf(table, from.version, to.version, reading)))).toEqual(linesOf(to.bag))
    }
    const newest = states.at(-1)
    // Columns that paths tell exist for whoever opens the table later; rows are as many.
    const rows = steps.flat().flatMap(([, rows]) => rows).length + 1
    expect([...newest?.bag.values() ?? []].reduce((sum, weight) => sum + weight, 0)).toBe(rows)
  }), { numRuns: 20 })
})

test('a file that was removed or replaced ends what follows the table, and a new reader sees what is there', async () => {
  const store = openMemoryStore(), reading = readingOf(store, memory)
  await put(store, 't/1.parquet', [[1, 'a']])
  await put(store, 't/2.parquet', [[2, 'b']])
  const history = new FolderHistory(), table = await openFolderTable(store, 't/', name, new FooterCache(), history)
  const from = await table.latest()
  await store.remove('t/2.parquet')
  const to = await table.next(from)
  const code = await changeOf(table, from, to, reading).then(() => 'no error', (error: unknown) => error instanceof SqlError ? error.code : String(error))
  expect(code).toBe('55000')
  expect(linesOf(await changeOf(table, undefined, to, reading))).toEqual(['1 × 1 | "a"'])
})

test('a file that is replaced by one of its size is read anew', async () => {
  const store = openMemoryStore(), footers = new FooterCache()
  const read = async (): Promise<string[]> => {
    const table = await openFolderTable(store, 't/', name, footers)
    return linesOf(await changeOf(table, undefined, await table.latest(), { ...readingOf(store, memory), footers }))
  }
  await put(store, 't/f.parquet', [[1, 'a'], [2, 'b']])
  const size = (await store.stat('t/f.parquet'))?.size
  expect(await read()).toEqual(['1 × 1 | "a"', '1 × 2 | "b"'])
  await new Promise(resolve => { setTimeout(resolve, 5) })
  await put(store, 't/f.parquet', [[3, 'c'], [4, 'd']])
  expect((await store.stat('t/f.parquet'))?.size).toBe(size)
  expect(await read()).toEqual(['1 × 3 | "c"', '1 × 4 | "d"'])
})

test('a lake shows Paimon tables and folders side by side', async () => {
  const store = openMemoryStore()
  await put(store, 'loose/f.parquet', [[1, 'a']])
  await put(store, 'default.db/near/x=1/f.parquet', [[2, 'b']])
  await put(store, 'delta/f.parquet', [[3, 'c']])
  await store.write('delta/_delta_log/00000000000000000000.json', new Uint8Array(1), 'create')
  const lake = await openLake(store, { memory, kernel })
  await lake.createTable({ name: { schema: 'default', name: 'ours' }, columns: [{ name: 'a', type: INT4, nullable: true }], primaryKey: [], partitionedBy: [], options: {} })
  expect(await lake.schemas()).toEqual(['default', 'public'])
  expect((await lake.relations('default')).map(relation => relation.name.name)).toEqual(['near', 'ours'])
  expect((await lake.relations('public')).map(relation => relation.name.name)).toEqual(['loose'])
  const table = await lake.table({ schema: 'public', name: 'loose' })
  expect(table?.writer).toBeUndefined()
  expect((await lake.shape({ schema: 'default', name: 'near' }))?.columns.map(field => field.name)).toEqual(['k', 'v', 'x'])
  expect(await lake.table({ schema: 'public', name: 'nothing' })).toBeUndefined()
  expect(await lake.table({ schema: 'public', name: '..' })).toBeUndefined()
  await expect(lake.createTable({ name: { schema: 'default', name: 'near' }, columns: [{ name: 'a', type: INT4, nullable: true }], primaryKey: [], partitionedBy: [], options: {} })).rejects.toThrow('already exists')
  await expect(lake.dropTable({ schema: 'public', name: 'loose' })).rejects.toThrow('not ours')
  expect(await isFolderTable(store, 'default.db/ours/')).toBe(false)
  // A process that opens the table again can tell what came since.
  const from = await table?.latest()
  await put(store, 'loose/g.parquet', [[5, 'e']])
  const again = await lake.table({ schema: 'public', name: 'loose' })
  if (again === undefined) throw new Error('no table')
  expect(linesOf(await changeOf(again, from, await again.latest(), readingOf(store, memory)))).toEqual(['1 × 5 | "e"'])
})

test('row groups that cannot match are not read', async () => {
  const store = openMemoryStore()
  const rows = Array.from({ length: 1000 }, (_, i): Value[] => [i, `v${i}`])
  await store.write('t/f.parquet', await parquet(plain, rows, 100), 'create')
  const table = await open(store), stats = emptyScanStats()
  const filter = call('=', [column(0, INT4), literal(250, INT4)], BOOL)
  const bag = await changeOf(table, undefined, await table.latest(), readingOf(store, memory), { columns: [0, 1], filter }, stats)
  expect(linesOf(bag).length).toBe(100)
  expect(stats).toMatchObject({ rowGroupsTotal: 10, rowGroupsPruned: 9 })
  expect(stats.bytesRead).toBeGreaterThan(0)
  expect(stats.bytesRead).toBeLessThan(3000)
})

const made: string[] = []
afterAll(async () => { for (const folder of made) await rm(folder, { recursive: true, force: true }) })

test('a folder on disk', async () => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-folder-'))
  made.push(root)
  const path = join(root, 't/year=2024/f.parquet')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, await parquet(plain, [[1, 'a']]))
  expect(await lines(openLocalStore(root))).toEqual(['1 × 1 | "a" | "2024n"'])
})
