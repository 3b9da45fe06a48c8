import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { INT4, INT8, TEXT } from '../../type.ts'
import type { Type } from '../../type.ts'
import type { Catalog, ColumnDefinition, TableDefinition } from '../catalog.ts'
import { openLocalStore } from '../store-local.ts'
import { openMemoryStore } from '../store-memory.ts'
import { emptyScanStats } from '../table.ts'
import type { Table, Version } from '../table.ts'
import { openPaimonCatalog } from './catalog.ts'
import { GOLDEN } from './golden-rows.ts'

const name = { schema: 'public', name: 't' }
const columns: readonly ColumnDefinition[] = [{ name: 'k', type: INT4, nullable: false }, { name: 'v', type: TEXT, nullable: true, comment: 'a value' }, { name: 'p', type: INT8, nullable: true }]
const definition = (more: Partial<TableDefinition> = {}): TableDefinition => ({ name, columns, primaryKey: ['k'], partitionedBy: [], options: { bucket: '2' }, ...more })

async function catalog(): Promise<Catalog> {
  const made = openPaimonCatalog(openMemoryStore())
  await made.createSchema('public')
  return made
}

test('schemas and tables are made, listed, shown and dropped', async () => {
  const lake = await catalog()
  await lake.createSchema('other')
  expect(await lake.schemas()).toEqual(['other', 'public'])
  await expect(lake.createSchema('public')).rejects.toMatchObject({ code: '42P06' })
  const table = await lake.createTable(definition({ comment: 'about it' }))
  expect(table.schema.map(field => [field.name, field.type.kind, field.nullable])).toEqual([['k', 'int4', false], ['v', 'text', true], ['p', 'int8', true]])
  expect(table.key).toEqual([0])
  expect(await table.latest()).toBeUndefined()
  expect(await table.next(undefined)).toBeUndefined()
  await expect(lake.createTable(definition())).rejects.toMatchObject({ code: '42P07' })
  expect(await lake.relations('public')).toEqual([{ name, kind: 'table' }])
  expect(await lake.shape(name)).toMatchObject({ key: ['k'], options: { bucket: '2' }, comment: 'about it' })
  expect(await lake.table({ schema: 'public', name: 'none' })).toBeUndefined()
  expect(await lake.table({ schema: '..', name: 't' })).toBeUndefined()
  expect(await lake.shape({ schema: 'public', name: 't$snapshots' })).toBeUndefined()
  await expect(lake.dropSchema('public', false)).rejects.toMatchObject({ code: '2BP01' })
  await lake.dropTable(name)
  await expect(lake.dropTable(name)).rejects.toMatchObject({ code: '42P01' })
  await lake.dropSchema('public', false)
  await expect(lake.dropSchema('public', true)).rejects.toMatchObject({ code: '3F000' })
  await expect(lake.createTable(definition())).rejects.toMatchObject({ code: '3F000' })
})

test('two who make one table at once: one wins', async () => {
  const lake = await catalog()
  const results = await Promise.allSettled([lake.createTable(definition()), lake.createTable(definition())])
  expect(results.map(result => result.status).toSorted()).toEqual(['fulfilled', 'rejected'])
})

test('fields of rows have ids of their own behind those of the columns', async () => {
  const store = openMemoryStore(), lake = openPaimonCatalog(store)
  await lake.createSchema('public')
  const row: Type = { kind: 'row', fields: [{ name: 'a', type: INT4, nullable: true }, { name: 'b', type: { kind: 'array', element: TEXT }, nullable: true }] }
  await lake.createTable({ name, columns: [{ name: 'r', type: row, nullable: true }, { name: 'n', type: { kind: 'numeric', precision: 12, scale: 2 }, nullable: true }], primaryKey: [], partitionedBy: [], options: {} })
  const schema: unknown = JSON.parse(new TextDecoder().decode(await store.read('public.db/t/schema/schema-0')))
  expect(schema).toMatchObject({ version: 3, id: 0, highestFieldId: 3, fields: [
    { id: 0, name: 'r', type: { type: 'ROW', fields: [{ id: 2, name: 'a', type: 'INT' }, { id: 3, name: 'b', type: { type: 'ARRAY', element: 'STRING' } }] } }, { id: 1, name: 'n', type: 'DECIMAL(12, 2)' },
  ] })
})

test.each<[string, Partial<TableDefinition>, string, RegExp]>([
  ['an option nobody knows', { options: { bucket: '1', 'does.not.exist': 'x' } }, '0A000', /does\.not\.exist/],
  ['another merge engine', { options: { bucket: '1', 'merge-engine': 'last-column' } }, '0A000', /merge-engine = last-column/],
  ['data evolution', { primaryKey: [], options: { 'data-evolution.enabled': 'true' } }, '0A000', /data-evolution\.enabled/],
  ['another branch', { options: { bucket: '1', branch: 'b' } }, '0A000', /branch = b/],
  ['a table that is not one', { options: { bucket: '1', type: 'format-table' } }, '0A000', /type = format-table/],
  ['a key that is no column', { primaryKey: ['x'] }, '42703', /"x"/],
  ['a column twice', { columns: [...columns, ...columns] }, '42701', /more than once/],
  ['numeric without precision', { columns: [...columns, { name: 'n', type: { kind: 'numeric' }, nullable: true }] }, '0A000', /numeric without precision/],
  ['a type Paimon has not', { columns: [...columns, { name: 'n', type: { kind: 'interval' }, nullable: true }] }, '0A000', /interval/],
  ['a name with a slash', { name: { schema: 'public', name: 'a/b' } }, '42602', /invalid name/],
  ['a reserved column', { columns: [...columns, { name: '_SEQUENCE_NUMBER', type: INT8, nullable: true }] }, '42939', /reserved/],
])('refuses %s, by name', async (_, more, code, message) => {
  const lake = await catalog()
  await expect(lake.createTable(definition(more))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  expect(await lake.relations('public')).toEqual([])
})

describe.skipIf(!existsSync(GOLDEN))('a golden table that is changed (skipped without ../shared/golden)', () => {
  const folders: string[] = []
  afterAll(() => { for (const folder of folders) rmSync(folder, { recursive: true }) })

  async function copy(golden: string): Promise<{ folder: string; table: Table }> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
    folders.push(folder)
    cpSync(`${GOLDEN}${golden}/warehouse`, folder, { recursive: true })
    const table = await openPaimonCatalog(openLocalStore(folder)).table({ schema: 'default', name: 't' })
    if (table === undefined) throw new Error('no table')
    return { folder: `${folder}/default.db/t`, table }
  }
  const at = async (table: Table, id: string): Promise<Version> => {
    const version = await table.versionAt({ kind: 'version', id })
    if (version === undefined) throw new Error('no version')
    return version
  }
  const plan = async (table: Table, from: Version | undefined, to: Version): Promise<number> => {
    let splits = 0
    for await (const _ of table.changes(from, to, { columns: [0] }, emptyScanStats())) splits++
    return splits
  }

  test('versions follow each other, by number and by time', async () => {
    const { table } = await copy('pk-dedup-l0')
    const seen: string[] = []
    for (let version = await table.next(undefined); version !== undefined; version = await table.next(version)) seen.push(version.id)
    expect(seen).toEqual(['1', '2', '3', '4', '5', '6'])
    const third = await at(table, '3')
    expect(await table.versionAt({ kind: 'timestamp', micros: BigInt(third.time) * 1000n })).toEqual(third)
    expect((await table.versionAt({ kind: 'timestamp', micros: BigInt(third.time) * 1000n - 1n }))?.id).toBe('2')
    await expect(table.versionAt({ kind: 'timestamp', micros: 0n })).rejects.toMatchObject({ code: '22023' })
    await expect(table.versionAt({ kind: 'version', id: '7' })).rejects.toMatchObject({ code: '22023' })
    await expect(plan(table, third, await at(table, '2'))).rejects.toMatchObject({ code: '55000' })
    expect(await plan(table, third, third)).toBe(0)
  })

  test('tags are versions, also of snapshots that have expired', async () => {
    const { table } = await copy('tags-and-travel')
    for (const name of readdirSync(`${GOLDEN}tags-and-travel/warehouse/default.db/t/tag`)) {
      const version = await at(table, name.slice(4))
      expect(await plan(table, undefined, version)).toBeGreaterThan(0)
      expect((await table.schemaAt(version)).length).toBeGreaterThan(1)
    }
  })

  test('what has expired is told from what was rolled back', async () => {
    const { folder, table } = await copy('pk-dedup-l0')
    const first = await at(table, '1'), fifth = await at(table, '5'), sixth = await at(table, '6')
    rmSync(`${folder}/snapshot/snapshot-1`)
    for (const attempt of [() => table.next(first), () => plan(table, first, sixth), () => plan(table, undefined, first)]) await expect(attempt()).rejects.toMatchObject({ code: '55000', message: expect.stringMatching(/expired/) })
    // rolled back to 4, then another commit
    rmSync(`${folder}/snapshot/snapshot-6`)
    writeFileSync(`${folder}/snapshot/snapshot-5`, readFileSync(`${folder}/snapshot/snapshot-4`, 'utf8').replace('"id" : 4', '"id" : 5'))
    const again = await at(table, '5')
    for (const attempt of [() => table.next(fifth), () => plan(table, fifth, again), () => table.next(sixth)]) await expect(attempt()).rejects.toMatchObject({ code: '55000', message: expect.stringMatching(/rolled back/) })
  })

  test.each(['', 'x', '99', '3'])('hint %j misleads nobody', async hint => {
    const { folder, table } = await copy('pk-dedup-l0')
    writeFileSync(`${folder}/snapshot/LATEST`, hint)
    expect((await table.latest())?.id).toBe('6')
    rmSync(`${folder}/snapshot/LATEST`)
    expect((await table.latest())?.id).toBe('6')
  })

  test('an unknown option or version in a schema file is refused when the table is opened, and its shape is still there', async () => {
    const { folder, table } = await copy('pk-dedup-l0')
    const path = `${folder}/schema/schema-0`, text = readFileSync(path, 'utf8'), lake = openPaimonCatalog(openLocalStore(join(folder, '../..')))
    writeFileSync(path, text.replace('"write-only"', '"scan.fallback-branch"'))
    await expect(lake.table(table.name)).rejects.toMatchObject({ code: '0A000', message: expect.stringMatching(/scan\.fallback-branch/) })
    expect((await lake.shape(table.name))?.columns.length).toBe(3)
    writeFileSync(path, text.replace('"STRING"', '"HOLOGRAM(3)"'))
    const strange = await lake.table(table.name)
    if (strange === undefined) throw new Error('no table')
    expect(await plan(strange, undefined, await at(strange, '6'))).toBeGreaterThan(0)
    const used = async (): Promise<void> => { for await (const _ of strange.changes(undefined, await at(strange, '6'), { columns: [1] }, emptyScanStats())) { /* nothing comes */ } }
    await expect(used()).rejects.toMatchObject({ code: '0A000', message: expect.stringMatching(/HOLOGRAM\(3\) of column "v"/) })
    writeFileSync(path, text.replace('"version" : 3', '"version" : 4'))
    await expect(lake.table(table.name)).rejects.toMatchObject({ code: '0A000', message: expect.stringMatching(/version 4/) })
  })

  test.each(['pk-dedup-l0', 'dv-pk-32'])('metadata of %s changed anywhere: an error with a code, or splits', { timeout: 60_000 }, async golden => {
    const { folder, table } = await copy(golden)
    const latest = await table.latest()
    if (latest === undefined) throw new Error('no version')
    const files = ['manifest', 'snapshot', 'schema'].flatMap(part => readdirSync(`${folder}/${part}`).map(file => `${folder}/${part}/${file}`))
    let failures = 0
    for (const path of files) {
      const bytes = readFileSync(path)
      for (let i = 0; i < 6; i++) {
        const changed = Buffer.from(bytes), where = (i * 7919 + bytes.length * 31) % bytes.length
        changed[where] = (changed[where] ?? 0) ^ (1 << i)
        writeFileSync(path, i === 5 ? bytes.subarray(0, where) : changed)
        try {
          const fresh = await openPaimonCatalog(openLocalStore(join(folder, '../..'))).table(table.name)
          if (fresh !== undefined) await plan(fresh, undefined, await fresh.latest() ?? latest)
        } catch (error) {
          failures++
          expect(error).toMatchObject({ code: expect.stringMatching(/^(?:XX001|0A000|55000|42703|22023|58P01)$/) })
        }
      }
      writeFileSync(path, bytes)
    }
    expect(failures).toBeGreaterThan(20)
  })
})
