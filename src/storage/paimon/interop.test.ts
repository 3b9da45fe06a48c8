import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { batchFromRows } from '../../column.ts'
import { loadKernel } from '../../kernel/kernel.ts'
import { Memory } from '../../memory.ts'
import { DATE, INT4, INT8, TEXT } from '../../type.ts'
import type { Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import type { Catalog, TableDefinition } from '../catalog.ts'
import { openLocalStore } from '../store-local.ts'
import { changeOf, linesOf, readingOf, showRow } from '../testing.ts'
import { openPaimonCatalog } from './catalog.ts'

/**
 * Tables that we write, read by Java Paimon and pypaimon. Needs the peers of ../shared, set up in the folder that SLUICE_PEERS names
 * (../shared/peers/paimon/setup.sh $SLUICE_PEERS java python).
 */
const scripts = fileURLToPath(new URL('../../../../shared/peers/paimon/', import.meta.url))
const peers = process.env['SLUICE_PEERS'] ?? ''
const missing = !existsSync(scripts) ? '../shared/peers is absent' : peers === '' || !existsSync(peers) ? 'SLUICE_PEERS names no folder' : undefined
const python = join(peers, 'venv/bin/python')

const memory = Memory.create(2 ** 28), buffers = { memory, kernel: loadKernel(memory) }
const columns: readonly (readonly [string, Type])[] = [['k', INT4], ['p', TEXT], ['v', TEXT], ['n', INT8], ['d', DATE], ['m', { kind: 'numeric', precision: 20, scale: 2 }], ['t', { kind: 'timestamp', precision: 3 }]]

type Shape = Pick<TableDefinition, 'primaryKey' | 'partitionedBy' | 'options'>
const shapes: Readonly<Record<string, Shape>> = {
  append: { primaryKey: [], partitionedBy: [], options: {} },
  partitioned: { primaryKey: [], partitionedBy: ['p', 'd'], options: {} },
  bucketed: { primaryKey: [], partitionedBy: [], options: { bucket: '3', 'bucket-key': 'v' } },
  keyed: { primaryKey: ['k'], partitionedBy: [], options: { bucket: '2' } },
  keyed_partitioned: { primaryKey: ['p', 'k'], partitionedBy: ['p'], options: { bucket: '2', 'metadata.stats-mode': 'full', 'file.compression': 'snappy' } },
  keyed_sequence: { primaryKey: ['k'], partitionedBy: [], options: { bucket: '1', 'sequence.field': 'n', 'changelog-producer': 'input', 'data-file.thin-mode': 'true' } },
}

const folders: string[] = []
afterAll(async () => { for (const folder of folders) await rm(folder, { recursive: true, force: true }) })

/** A pseudo-random number below `limit`, the same in every run. */
function randoms(seed: number): (limit: number) => number {
  let state = seed
  return limit => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % limit
  }
}

function randomRow(random: (limit: number) => number): Value[] {
  const nullable = <T extends Value>(value: T): Value => random(6) === 0 ? null : value
  return [random(25), ['a', 'b=c/d', 'é'][random(3)] ?? 'a', nullable(`value ${random(1000)} ${'long '.repeat(random(5))}😀`), BigInt(random(50)), 19000 + random(3), nullable({ unscaled: BigInt(random(100000)) - 50000n, scale: 2 }), nullable(BigInt(random(1000)) * -1000n)]
}

async function written(catalog: Catalog, name: string, shape: Shape, foreign: (commit: number) => Promise<void> = async () => undefined): Promise<void> {
  const table = await catalog.createTable({ name: { schema: 'default', name }, columns: columns.map(([column, type]) => ({ name: column, type, nullable: !shape.primaryKey.includes(column) && column !== 'n' })), ...shape })
  const random = randoms(name.length * 7919)
  for (let commit = 0; commit < 10; commit++) {
    const writer = table.writer?.()
    using arena = memory.arena()
    const rows = Array.from({ length: 12 }, () => randomRow(random)), weights = rows.map(() => 1)
    if (shape.primaryKey.length > 0 && commit > 0) {
      for (let i = 0; i < 4; i++) { rows.push(randomRow(random)); weights.push(-1) }
    }
    await writer?.write(batchFromRows(table.schema, rows, arena, weights))
    await writer?.commit({ commit: String(commit) })
    await foreign(commit)
  }
}

async function ours(catalog: Catalog, root: string, name: string): Promise<string[]> {
  const table = await catalog.table({ schema: 'default', name })
  if (table === undefined) throw new Error(`no table ${name}`)
  return linesOf(await changeOf(table, undefined, await table.latest(), readingOf(openLocalStore(root), memory)))
}

async function java(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(join(scripts, 'paimon-peer.sh'), [peers, ...args], { maxBuffer: 2 ** 26 })
  return stdout
}

/** JSON values of the peer as ours. */
function fromPeer(row: Readonly<Record<string, unknown>>): string {
  const day = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 86_400_000
  return showRow(columns.map(([column, type]): Value => {
    const value = row[column]
    if (value === null || value === undefined) return null
    switch (type.kind) {
      case 'int8': return BigInt(String(value))
      case 'date': return day(String(value))
      case 'numeric': return { unscaled: BigInt(String(value).replace('.', '')), scale: 2 }
      case 'timestamp': return BigInt(Date.parse(`${String(value).replace(' ', 'T')}Z`)) * 1000n
      default: return typeof value === 'number' || typeof value === 'string' ? value : String(value)
    }
  }))
}

async function javaRows(root: string, name: string): Promise<string[]> {
  const lines = (await java('read', root, `default.${name}`)).split('\n').filter(line => line.startsWith('{'))
  return counted(lines.map(line => fromPeer(JSON.parse(line) as Record<string, unknown>)))
}

function counted(rows: readonly string[]): string[] {
  return Object.entries(Object.groupBy(rows, row => row)).map(([row, all]) => `${all?.length ?? 0} × ${row}`).sort()
}

describe.skipIf(missing !== undefined)(`tables we write, read by others${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  test.each(Object.entries(shapes))('%s', async (name, shape) => {
    const root = await mkdtemp(join(tmpdir(), 'sluice-interop-'))
    folders.push(root)
    const catalog = openPaimonCatalog(openLocalStore(root), buffers)
    await catalog.createSchema('default')
    await written(catalog, name, shape)
    const before = await ours(catalog, root, name)
    expect(before.length).toBeGreaterThan(10)
    expect(await javaRows(root, name)).toEqual(before)
    if (existsSync(python)) {
      const { stdout } = await promisify(execFile)(python, [join(scripts, 'pypaimon-read.py'), root, `default.${name}`], { maxBuffer: 2 ** 26 })
      expect(counted(stdout.split('\n').filter(line => line.startsWith('{')).map(line => fromPeer(JSON.parse(line) as Record<string, unknown>)))).toEqual(before)
    }
    await java('compact', root, `default.${name}`, '--full')
    expect(await javaRows(root, name)).toEqual(before)
    expect(await ours(catalog, root, name)).toEqual(before)
    await java('expire', root, `default.${name}`, '--retain-max', '1', '--retain-min', '1')
    expect(await ours(catalog, root, name)).toEqual(before)
    // And we go on writing behind Java's compaction.
    const table = await catalog.table({ schema: 'default', name })
    const writer = table?.writer?.()
    using arena = memory.arena()
    await writer?.write(batchFromRows(table?.schema ?? [], [[1000, 'a', 'after', 99n, 19000, null, null]], arena))
    await writer?.commit()
    const after = await ours(catalog, root, name)
    expect(after).toHaveLength(before.length + 1)
    expect(await javaRows(root, name)).toEqual(after)
  }, 120_000)

  test('Java and we write in turns, and nothing is lost', async () => {
    const root = await mkdtemp(join(tmpdir(), 'sluice-interop-'))
    folders.push(root)
    const catalog = openPaimonCatalog(openLocalStore(root), buffers)
    await catalog.createSchema('default')
    const input = join(root, 'rows.json')
    await written(catalog, 'keyed', { primaryKey: ['k'], partitionedBy: [], options: { bucket: '2' } }, async commit => {
      if (commit % 4 !== 3) return
      const { writeFile } = await import('node:fs/promises')
      await writeFile(input, [{ k: 1, v: `java ${commit}` }, { k: 500 + commit, v: 'java' }].map(row => JSON.stringify({ p: 'j', n: '1', d: '2024-01-01', m: null, t: null, ...row })).join('\n'))
      await java('write', root, 'default.keyed', '--rows', input)
    })
    const rows = await ours(catalog, root, 'keyed')
    expect(await javaRows(root, 'keyed')).toEqual(rows)
    for (const commit of [3, 7]) expect(rows.some(row => row.startsWith(`1 × ${500 + commit} | "j" | "java"`))).toBe(true)
  }, 120_000)
})
