import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batchFromRows } from '../../column.ts'
import { SqlError } from '../../error.ts'
import { loadKernel } from '../../kernel/kernel.ts'
import { Memory } from '../../memory.ts'
import { DATE, INT4, INT8, TEXT } from '../../type.ts'
import type { Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import { faultStore } from '../store-fault.ts'
import { openMemoryStore } from '../store-memory.ts'
import type { ObjectStore } from '../store.ts'
import type { Table, Version } from '../table.ts'
import { changeOf, linesOf, readingOf, showRow, sumOf } from '../testing.ts'
import { openPaimonCatalog } from './catalog.ts'
import { MetadataCache, TableFiles } from './state.ts'

const memory = Memory.create(2 ** 29)
const buffers = { memory, kernel: loadKernel(memory) }
const name = { schema: 'default', name: 't' }

interface Columns { readonly columns: readonly (readonly [string, Type])[]; readonly primaryKey?: readonly string[]; readonly partitionedBy?: readonly string[]; readonly options?: Readonly<Record<string, string>> }

async function create(store: ObjectStore, { columns, primaryKey = [], partitionedBy = [], options = {} }: Columns): Promise<Table> {
  const catalog = openPaimonCatalog(store, buffers)
  await catalog.createSchema('default')
  return catalog.createTable({ name, columns: columns.map(([column, type]) => ({ name: column, type, nullable: !primaryKey.includes(column) })), primaryKey, partitionedBy, options })
}

/** The table as another process sees it. */
async function open(store: ObjectStore): Promise<Table> {
  const table = await openPaimonCatalog(store, buffers).table(name)
  if (table === undefined) throw new Error('no table')
  return table
}

async function write(table: Table, rows: readonly (readonly Value[])[], weights?: readonly number[], note?: Readonly<Record<string, string>>): Promise<Version | undefined> {
  const writer = table.writer?.()
  if (writer === undefined) throw new Error('no writer')
  using arena = memory.arena()
  await writer.write(batchFromRows(table.schema, rows, arena, weights))
  return writer.commit(note)
}

async function rowsAt(store: ObjectStore, version?: Version): Promise<string[]> {
  const table = await open(store)
  return linesOf(await changeOf(table, undefined, version ?? await table.latest(), readingOf(store, memory)))
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => promise.then(() => 'no error', (error: unknown) => error instanceof SqlError ? error.code : String(error))

const shapes: readonly (Columns & { readonly what: string })[] = [
  { what: 'append', columns: [['k', INT4], ['p', TEXT], ['v', TEXT]] },
  { what: 'append, partitioned', columns: [['k', INT4], ['p', TEXT], ['v', TEXT]], partitionedBy: ['p'] },
  { what: 'append, fixed buckets', columns: [['k', INT4], ['p', TEXT], ['v', TEXT]], options: { bucket: '3', 'bucket-key': 'k' } },
  { what: 'key', columns: [['k', INT4], ['p', TEXT], ['v', TEXT]], primaryKey: ['k'], options: { bucket: '1' } },
  { what: 'key, partitioned, buckets', columns: [['k', INT4], ['p', TEXT], ['v', TEXT]], primaryKey: ['p', 'k'], partitionedBy: ['p'], options: { bucket: '2' } },
  { what: 'key, small files', columns: [['k', INT4], ['p', TEXT], ['v', TEXT]], primaryKey: ['k'], options: { bucket: '2', 'target-file-size': '1 kb' } },
  { what: 'key, small buffer', columns: [['k', INT4], ['p', TEXT], ['v', TEXT]], primaryKey: ['k'], options: { bucket: '2', 'write-buffer-size': '1 b' } },
]

describe.each(shapes)('$what', shape => {
  test('random histories: every version is what was written, and every change leads from version to version', async () => {
    const keyed = shape.primaryKey !== undefined
    const keyOf = (row: readonly Value[]): string => showRow([row[0] ?? null, shape.primaryKey?.length === 2 ? row[1] ?? null : null])
    const row = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.constantFrom('a', 'b', ''), fc.option(fc.constantFrom('x', 'y', 'long text that is cut in statistics'), { nil: null }))
    const step = fc.record({ add: fc.array(row, { maxLength: 8 }), remove: fc.array(fc.nat(), { maxLength: keyed ? 3 : 0 }), transactions: fc.boolean() })
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async steps => {
      const store = openMemoryStore(), table = await create(store, shape)
      const rows = new Map<string, Value[]>()
      const states: { readonly version: Version; readonly lines: readonly string[] }[] = []
      let serial = 0
      for (const { add, remove } of steps) {
        const removed = [...new Set(remove)].map(i => [...rows.values()][i]).filter(value => value !== undefined)
        const written: Value[][] = [...removed, ...add]
        const weights = [...removed.map(() => -1), ...add.map(() => 1)]
        for (const value of removed) rows.delete(keyOf(value))
        for (const value of add) rows.set(keyed ? keyOf(value) : String(serial++), value)
        const version = await write(table, written, weights)
        expect(version === undefined).toBe(written.length === 0)
        if (version !== undefined) states.push({ version, lines: linesOf(new Map(Object.entries(Object.groupBy([...rows.values()].map(showRow), line => line)).map(([line, all]) => [line, all?.length ?? 0]))) })
      }
      const reader = await open(store), reading = readingOf(store, memory)
      for (const { version, lines } of states) expect(linesOf(await changeOf(reader, undefined, version, reading))).toEqual(lines)
      for (let i = 0; i < states.length; i++) {
        const j = Math.floor(i / 2), from = states[j], to = states[i]
        if (from === undefined || to === undefined) continue
        const before = await changeOf(reader, undefined, from.version, reading), change = await changeOf(reader, from.version, to.version, reading)
        expect(linesOf(sumOf(before, change))).toEqual(to.lines)
      }
    }), { numRuns: 25 })
  }, 60_000)
})

test('all types come back as they were', async () => {
  const store = openMemoryStore()
  const types: readonly Type[] = [
    { kind: 'bool' }, { kind: 'int2' }, INT4, INT8, { kind: 'float4' }, { kind: 'float8' }, { kind: 'numeric', precision: 5, scale: 2 }, { kind: 'numeric', precision: 15, scale: 3 }, { kind: 'numeric', precision: 38, scale: 10 },
    TEXT, { kind: 'varchar', length: 5 }, { kind: 'char', length: 4 }, { kind: 'bytea' }, DATE, { kind: 'time', precision: 3 }, { kind: 'timestamp' }, { kind: 'timestamp', precision: 3 }, { kind: 'timestamptz' },
    { kind: 'array', element: { kind: 'array', element: TEXT } }, { kind: 'map', key: TEXT, value: INT8 }, { kind: 'row', fields: [{ name: 'x', type: INT4, nullable: true }, { name: 'y', type: { kind: 'array', element: INT8 }, nullable: true }] },
  ]
  const array = (values: readonly Value[]): Value => ({ dims: values.length === 0 ? [] : [values.length], lower: values.length === 0 ? [] : [1], values })
  const rows: Value[][] = [
    [true, -32768, -(2 ** 31), -(2n ** 63n), -1.5, 1e300, { unscaled: -99999n, scale: 2 }, { unscaled: 10n ** 14n, scale: 3 }, { unscaled: -(10n ** 37n), scale: 10 },
      'é😀', 'abcde', 'ab', new Uint8Array([0, 255]), -719162, 86399999000n, -62135596800000000n, -1000n, 253402300799999999n, array([array(['a', null]), null, array([])]), [['k', 1n], ['l', null]], [7, array([1n, null])]],
    types.map(() => null),
    [false, 32767, 2 ** 31 - 1, 2n ** 63n - 1n, 0, -0.25, { unscaled: 0n, scale: 2 }, { unscaled: -1n, scale: 3 }, { unscaled: 1n, scale: 10 },
      '', '', '', new Uint8Array(0), 0, 0n, 0n, 0n, 0n, array([]), [], [null, null]],
  ]
  const table = await create(store, { columns: types.map((type, i) => [`c${i}`, type]) })
  await write(table, rows)
  expect(await rowsAt(store)).toEqual(rows.map(row => `1 × ${showRow(row)}`).sort())
})

describe('a transaction on a table with a key', () => {
  const shape: Columns = { columns: [['k', INT4], ['v', TEXT]], primaryKey: ['k'], options: { bucket: '1' } }

  test.each<[string, readonly (readonly [number, string | null, number])[], readonly string[]]>([
    ['adds and replaces', [[1, 'new', 1], [3, 'c', 1]], ['1 × 1 | "new"', '1 × 2 | "b"', '1 × 3 | "c"']],
    ['the last addition of a key wins', [[1, 'x', 1], [1, 'y', 1]], ['1 × 1 | "y"', '1 × 2 | "b"']],
    ['removes by key alone', [[1, null, -1]], ['1 × 2 | "b"']],
    ['an update, old row first', [[1, 'a', -1], [1, 'z', 1]], ['1 × 1 | "z"', '1 × 2 | "b"']],
    ['an update, new row first', [[1, 'z', 1], [1, 'a', -1]], ['1 × 1 | "z"', '1 × 2 | "b"']],
    ['what comes and goes again was never there', [[9, 'q', 1], [9, 'q', -1]], ['1 × 1 | "a"', '1 × 2 | "b"']],
    ['what goes and comes again stays', [[1, 'a', -1], [1, 'a', 1]], ['1 × 1 | "a"', '1 × 2 | "b"']],
    ['two updates in a row', [[1, 'a', -1], [1, 'm', 1], [1, 'm', -1], [1, 'z', 1]], ['1 × 1 | "z"', '1 × 2 | "b"']],
    ['an update and a removal', [[1, 'a', -1], [1, 'm', 1], [1, 'm', -1]], ['1 × 2 | "b"']],
    ['removing what is not there', [[7, null, -1]], ['1 × 1 | "a"', '1 × 2 | "b"']],
  ])('%s', async (_what, changes, expected) => {
    for (const batches of [1, 2]) {
      const store = openMemoryStore(), table = await create(store, shape)
      await write(table, [[1, 'a'], [2, 'b']])
      const writer = table.writer?.()
      using arena = memory.arena()
      for (let i = 0; i < changes.length; i += batches === 1 ? changes.length : 1) {
        const some = batches === 1 ? changes : changes.slice(i, i + 1)
        await writer?.write(batchFromRows(table.schema, some.map(([k, v]) => [k, v]), arena, some.map(([, , weight]) => weight)))
      }
      await writer?.commit()
      expect(await rowsAt(store)).toEqual(expected)
    }
  })

  test('a sequence field decides, also against what is there', async () => {
    const store = openMemoryStore()
    const table = await create(store, { columns: [['k', INT4], ['v', TEXT], ['s', INT8]], primaryKey: ['k'], options: { bucket: '1', 'sequence.field': 's' } })
    await write(table, [[1, 'late', 5n], [1, 'early', 3n], [2, 'null', null], [2, 'some', 0n]])
    await write(table, [[1, 'older', 4n], [2, 'newer', 1n]])
    expect(await rowsAt(store)).toEqual(['1 × 1 | "late" | "5n"', '1 × 2 | "newer" | "1n"'])
  })
})

test('rows that went into files early conflict with a commit that came between, and leave nothing', async () => {
  const store = openMemoryStore()
  const table = await create(store, { columns: [['k', INT4], ['v', TEXT]], primaryKey: ['k'], options: { bucket: '1', 'write-buffer-size': '1 b' } })
  const writer = table.writer?.()
  using arena = memory.arena()
  await writer?.write(batchFromRows(table.schema, [[1, 'a']], arena))
  await writer?.write(batchFromRows(table.schema, [[1, 'b'], [2, 'c']], arena))
  await write(table, [[1, 'other']])
  const before = (await paths(store)).filter(path => path.includes('manifest'))
  expect(await codeOf(writer?.commit() ?? Promise.resolve())).toBe('40001')
  expect(await rowsAt(store)).toEqual(['1 × 1 | "other"'])
  expect((await paths(store)).filter(path => path.includes('/data-'))).toHaveLength(1)
  expect((await paths(store)).filter(path => path.includes('manifest'))).toEqual(before)
  const again = table.writer?.()
  await again?.write(batchFromRows(table.schema, [[1, 'a'], [3, 'x']], arena))
  await again?.write(batchFromRows(table.schema, [[1, 'b']], arena))
  await again?.commit()
  expect(await rowsAt(store)).toEqual(['1 × 1 | "b"', '1 × 3 | "x"'])
})

test('what cannot be written is refused by name', async () => {
  const store = openMemoryStore()
  const append = await create(store, { columns: [['k', INT4], ['v', TEXT]] })
  expect(await codeOf(write(append, [[1, 'a']], [-1]))).toBe('0A000')
  const catalog = openPaimonCatalog(store, buffers)
  const definition = { name: { schema: 'default', name: 'u' }, columns: [{ name: 'k', type: INT4, nullable: false }], partitionedBy: [] }
  const refused: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{}, /dynamic buckets/], [{ bucket: '-2' }, /postponed buckets/], [{ bucket: '1', 'merge-engine': 'aggregation' }, /merge-engine = aggregation/],
    [{ bucket: '1', 'deletion-vectors.enabled': 'true' }, /deletion-vectors.enabled/], [{ bucket: '1', 'file.format': 'orc' }, /file.format = orc/], [{ bucket: '1', 'rowkind.field': 'k' }, /rowkind.field/],
  ]
  for (const [options, message] of refused) await expect(catalog.createTable({ ...definition, primaryKey: ['k'], options })).rejects.toThrow(message)
  await expect(catalog.createTable({ ...definition, primaryKey: [], options: { 'row-tracking.enabled': 'true' } })).rejects.toThrow(/row-tracking.enabled/)
  const keyed = await catalog.createTable({ ...definition, columns: [...definition.columns, { name: 'd', type: DATE, nullable: false }], primaryKey: ['k'], options: { bucket: '1' } })
  expect(await codeOf(write(keyed, [[null, 1]]))).toBe('23502')
  expect(await codeOf(write(keyed, [[1, null]]))).toBe('23502')
  expect(await codeOf(write(keyed, [[1, 2147483647]]))).toBe('22008')
  expect(await keyed.latest()).toBeUndefined()
})

test('weights above one repeat rows of an append table', async () => {
  const store = openMemoryStore(), table = await create(store, { columns: [['k', INT4]] })
  await write(table, [[1], [2], [3]], [1, 3, 2])
  expect(await rowsAt(store)).toEqual(['1 × 1', '2 × 3', '3 × 2'])
})

test('a note is kept with the commit, also when there are no rows; without either nothing is committed', async () => {
  const store = openMemoryStore(), table = await create(store, { columns: [['k', INT4]] })
  expect(await table.writer?.().commit()).toBeUndefined()
  const version = await table.writer?.().commit({ epoch: '7' })
  const files = new TableFiles(store, 'default.db/t', new MetadataCache())
  expect((await files.snapshot(BigInt(version?.id ?? '0')))?.properties).toEqual({ epoch: '7' })
  expect(await rowsAt(store)).toEqual([])
})

async function paths(store: ObjectStore, folder = ''): Promise<string[]> {
  const found: string[] = []
  for (const { path } of await store.list(folder)) found.push(...path.endsWith('/') ? await paths(store, path) : [path])
  return found
}

test('abort, and a commit that fails, leave no file behind', async () => {
  const store = openMemoryStore(), table = await create(store, { columns: [['k', INT4], ['p', TEXT]], partitionedBy: ['p'], options: { 'target-file-size': '1 b' } })
  await write(table, [[1, 'a'], [2, 'b']])
  const before = await paths(store)
  const writer = table.writer?.()
  using arena = memory.arena()
  await writer?.write(batchFromRows(table.schema, [[3, 'a'], [4, 'c']], arena))
  expect(await paths(store)).not.toEqual(before) // files of the target size are written at once
  await writer?.abort()
  expect(await paths(store)).toEqual(before)
  expect(await codeOf(writer?.commit() ?? Promise.resolve())).toBe('55000')
})

describe.each([['append', shapes[0]], ['key', shapes[4]]] as const)('two writers at once: %s', (_what, shape) => {
  test('lose nothing', async () => {
    if (shape === undefined) return
    const store = openMemoryStore(), table = await create(store, shape)
    const writers = 6, commits = 5
    await Promise.all(Array.from({ length: writers }, async (_, w) => {
      for (let c = 0; c < commits; c++) await write(await open(store), [[w * 100 + c, 'a', `w${w}`], [w * 100 + c, 'b', null]])
    }))
    expect((await table.latest())?.id).toBe(String(writers * commits))
    expect(await rowsAt(store)).toHaveLength(writers * commits * 2)
    const files = new TableFiles(store, 'default.db/t', new MetadataCache())
    const latest = await files.snapshot(BigInt(writers * commits))
    if (latest === undefined) throw new Error('no snapshot')
    const { entries } = await files.state(latest)
    expect(latest.totalRecordCount).toBe(BigInt(writers * commits * 2))
    // No data file, manifest or list of a lost race is left.
    expect((await paths(store)).filter(path => path.includes('/data-'))).toHaveLength(entries.length)
    if (shape.primaryKey === undefined) return
    const ranges = new Map<string, [bigint, bigint][]>()
    for (const { partition, bucket, file } of entries) {
      const key = `${Buffer.from(partition).toString('hex')}/${bucket}`
      ranges.set(key, [...ranges.get(key) ?? [], [file.minSequenceNumber, file.maxSequenceNumber]])
    }
    for (const all of ranges.values()) {
      const sorted = all.sort((a, b) => a[0] < b[0] ? -1 : 1)
      sorted.forEach(([low], i) => { if (i > 0) expect(low > (sorted[i - 1]?.[1] ?? 0n)).toBe(true) })
    }
  })
})

describe.each([['append', shapes[2]], ['key', shapes[4]]] as const)('a failure at any call of the store: %s', (_what, shape) => {
  test.each([['before', 'dead'], ['after', 'dead'], ['before', 'alive'], ['after', 'alive']] as const)('%s it happened, then %s', async (when, then) => {
    if (shape === undefined) return
    const first: Value[][] = [[1, 'a', 'one'], [2, 'b', 'two']], second: Value[][] = [[1, 'a', 'new'], [3, 'a', 'three']]
    const outcomes = new Set<string>()
    for (let at = 0; ; at++) {
      const inner = openMemoryStore()
      await write(await create(inner, shape), first)
      const before = await rowsAt(inner), filesBefore = await paths(inner)
      const { store, failed } = faultStore(inner, at, when, then)
      const error = await (async () => {
        try {
          await write(await open(store), second)
          return undefined
        } catch (caught) {
          return caught
        }
      })()
      const after = await rowsAt(inner)
      const expected = shape.primaryKey === undefined ? [...before, '1 × 1 | "a" | "new"', '1 × 3 | "a" | "three"'].sort() : ['1 × 1 | "a" | "new"', '1 × 2 | "b" | "two"', '1 × 3 | "a" | "three"']
      const state = JSON.stringify(after) === JSON.stringify(before) ? 'old' : JSON.stringify(after) === JSON.stringify(expected) ? 'new' : `neither: ${after.join(', ')}`
      expect(state).toMatch(/^(?:old|new)$/)
      // Who is told that it worked finds it; who is told that it failed finds nothing, or is told that nobody knows.
      if (error === undefined) expect(state).toBe('new')
      else if (!(error instanceof SqlError && error.code === '08007')) expect(state).toBe('old')
      if (then === 'alive' && state === 'old' && when === 'before' && error !== undefined) {
        const left = (await paths(inner)).filter(path => !filesBefore.includes(path))
        expect(left.length).toBeLessThanOrEqual(1) // at most what the failing call itself was about to remove
      }
      outcomes.add(`${error === undefined ? 'done' : 'failed'} ${state}`)
      // The next writer is not disturbed.
      await write(await open(inner), [[9, 'b', 'after']])
      expect(await rowsAt(inner)).toEqual([...after, '1 × 9 | "b" | "after"'].sort())
      if (!failed()) break
    }
    expect(outcomes).toContain('done new')
    expect(outcomes).toContain('failed old')
  }, 60_000)
})
