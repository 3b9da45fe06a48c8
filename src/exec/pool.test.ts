import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toArrow } from '../arrow.ts'
import { batchFromRows, rowsOf } from '../column.ts'
import { SqlError } from '../error.ts'
import { call, column, literal } from '../expr.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import type { Plan, ScanPlan } from '../plan.ts'
import { writeParquetFile } from '../storage/parquet-write.ts'
import type { FileSplit, Table } from '../storage/table.ts'
import { emptyScanStats } from '../storage/table.ts'
import type { Schema } from '../type.ts'
import { BOOL, FLOAT8, INT4, INT8, NUMERIC, TEXT } from '../type.ts'
import type { Value } from '../value.ts'
import type { Context } from './operator.ts'
import { openPool } from './pool.ts'
import { Queue } from './queue.ts'
import { runPlan } from './run.ts'

const ROWS = 300_000
const schema: Schema = [{ name: 'id', type: INT8, nullable: true }, { name: 'k', type: TEXT, nullable: true }, { name: 'x', type: FLOAT8, nullable: true }, { name: 'n', type: INT4, nullable: true }]
const rowOf = (i: number): Value[] => [BigInt(i), `key ${i % 7}`, (i * 7919 % 1000) / 3, i % 11 === 0 ? null : i % 100]

const memory = Memory.create(), kernel = loadKernel(memory)
const pool = openPool({ memory, kernel, threads: 2, morselRows: 1 })
let folder = '', size = 0

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-pool-'))
  using arena = memory.arena()
  const batch = batchFromRows(schema, Array.from({ length: ROWS }, (_, i) => rowOf(i)), arena)
  const bytes = await writeParquetFile([toArrow(batch, memory, kernel)], { compression: 'zstd', rowGroupRows: 70_000 })
  writeFileSync(join(folder, 't.parquet'), bytes)
  size = bytes.length
})
afterAll(async () => {
  await pool.close()
  rmSync(folder, { recursive: true })
})

function table(path = 't.parquet'): Table {
  const unused = (): never => { throw new Error('not asked for') }
  return {
    name: { schema: 's', name: 't' }, schema, key: [], appendOnly: true, latest: unused, versionAt: unused, next: unused, schemaAt: unused, estimate: unused,
    changes: async function* (_from, _to, { columns }) {
      const fields = columns.map(index => schema[index] ?? { name: '', type: INT4, nullable: true })
      const split: FileSplit = {
        kind: 'files', store: { kind: 'local', root: folder }, schema: fields, sign: 1, estimate: ROWS,
        files: [{ path, format: 'parquet', size, rows: ROWS, columns: fields.map(field => ({ kind: 'file', name: field.name, field })) }],
      }
      yield split
    },
  }
}

const scan: ScanPlan = { kind: 'scan', table: { schema: 's', name: 't' }, columns: [0, 1, 2, 3], schema }
const context = (check: () => void = () => undefined): Context => ({ memory, kernel, parameters: { values: [], now: 0n, timeZone: 'UTC' }, check, arena: () => memory.arena() })

function run(plan: Plan, from = table(), around = context(), threads = true): ReturnType<typeof runPlan> {
  return runPlan(plan, () => Promise.resolve({ table: from, version: { id: '1', time: 0 } }), around, { epochs: 'one', pool: threads ? pool : undefined, flag: new Int32Array(1), stats: emptyScanStats() })
}

async function rowsFrom(plan: Plan, threads: boolean): Promise<Value[][]> {
  const rows: Value[][] = []
  for await (const batch of run(plan, table(), context(), threads)) rows.push(...rowsOf(batch, memory))
  return rows
}

const grouped: Plan = {
  kind: 'aggregate', input: { ...scan, filter: call('<(int4,int4)', [column(3, INT4), literal(50, INT4)], BOOL) }, keys: [column(1, TEXT)],
  aggregates: [
    { fn: 'sum(float8)', args: [column(2, FLOAT8)], distinct: false, type: FLOAT8 }, { fn: 'avg(int4)', args: [column(3, INT4)], distinct: false, type: NUMERIC },
    { fn: 'max(text)', args: [column(1, TEXT)], distinct: false, type: TEXT }, { fn: 'count(any)', args: [column(0, INT8)], distinct: false, type: INT8, filter: call('<(int4,int4)', [column(3, INT4), literal(10, INT4)], BOOL) },
  ],
  schema: [['k', TEXT], ['s', FLOAT8], ['a', NUMERIC], ['m', TEXT], ['c', INT8]].flatMap(([name, type]) => typeof name === 'string' && typeof type === 'object' ? [{ name, type, nullable: true }] : []),
}
const byKey = (a: Value[], b: Value[]): number => String(a[0]) < String(b[0]) ? -1 : 1

test('threads give what one thread gives, float sums to the last bit, and counts that are right', async () => {
  const before = memory.used
  const one = (await rowsFrom(grouped, false)).sort(byKey), many = (await rowsFrom(grouped, true)).sort(byKey)
  expect(many).toEqual(one)
  let count = 0n
  for (let i = 0; i < ROWS; i++) if (i % 7 === 3 && i % 11 !== 0 && i % 100 < 10) count++
  expect(many[3]?.[4]).toBe(count)
  expect(memory.used).toBe(before)
})

test('rows of a scan come through whole', async () => {
  let sum = 0n, rows = 0
  for await (const batch of run(scan)) for (const [id, k] of rowsOf(batch, memory)) { sum += typeof id === 'bigint' ? id : 0n; rows++; if (k !== `key ${Number(id) % 7}`) throw new Error(`row ${String(id)} has ${String(k)}`) }
  expect(rows).toBe(ROWS)
  expect(sum).toBe(BigInt(ROWS) * BigInt(ROWS - 1) / 2n)
})

test('a reader that stops early, a cancelled query and a failing one leave nothing behind', async () => {
  const before = memory.used
  for await (const batch of run(scan)) { expect(batch.length).toBeGreaterThan(0); break }
  expect(memory.used).toBe(before)
  let checks = 0
  const cancelled = run(grouped, table(), context(() => { if (++checks > 3) throw new SqlError('57014', 'canceling statement due to user request') }))
  await expect(cancelled.next()).rejects.toMatchObject({ code: '57014' })
  expect(memory.used).toBe(before)
  const divided: Plan = { kind: 'project', input: scan, exprs: [call('/(int4,int4)', [literal(1, INT4), column(3, INT4)], INT4)], schema: [{ name: 'q', type: INT4, nullable: true }] }
  await expect((async () => { for await (const batch of run(divided)) void batch })()).rejects.toMatchObject({ code: '22012' })
  expect(memory.used).toBe(before)
})

test('many queries at once, many times: memory stays flat', async () => {
  await Promise.all(Array.from({ length: 8 }, () => rowsFrom(grouped, true)))
  const { peak, used } = memory
  for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 8 }, () => rowsFrom(grouped, true)))
  expect(memory.used).toBe(used)
  expect(memory.peak).toBeLessThan(2 * peak)
})

test('a dead worker fails the queries it was at, and no others', () => {
  const queue = new Queue(memory), first = queue.add(0, 0, 2, 4, false) ?? -1, second = queue.add(0, 0, 2, 4, false) ?? -1
  const taken = queue.take(0), other = queue.take(1)
  expect([taken?.query, other?.query]).toEqual([first, first])
  queue.done(1, first, 1, false)
  expect(queue.take(1)?.query).toBe(second)
  queue.bury(0)
  expect([queue.state(first), queue.state(second)]).toEqual(['dead', 'working'])
})
