/**
 * Latencies of short statements on a warm engine, in process: node bench/short.ts [--lake DIR] [--runs N]
 *
 * One JSON line a statement: p50 and mean of the wall clock, and the processor's time, in milliseconds a statement. Without --lake the lake is in memory.
 */
import { parseArgs } from 'node:util'
import { rowsOf } from '../src/column.ts'
import { Engine } from '../src/engine.ts'
import { Session } from '../src/session/session.ts'
import { openMemoryStore } from '../src/storage/store-memory.ts'

const { values } = parseArgs({ options: { lake: { type: 'string' }, runs: { type: 'string' } } })
const runs = Number(values.runs ?? 300)
const engine = await Engine.open({ lake: values.lake ?? openMemoryStore(), database: 'short', threads: 1 })
const session = new Session(engine, { user: 'bench' })

async function run(sql: string): Promise<unknown[][]> {
  const answer = await session.execute(await session.prepare(sql), [])
  const rows: unknown[][] = []
  for await (const batch of answer.batches) rows.push(...rowsOf(batch, engine.memory))
  await session.sync(false)
  return rows
}

const table = (name: string): string => `CREATE TABLE ${name} (a INTEGER, b INTEGER, c INTEGER, d TEXT, e DOUBLE PRECISION)`
const row = (i: number): string => `(${i}, ${i * 7 % 31}, ${i % 3}, 'text ${i}', ${i} / 3.0)`
for (const name of ['one', 'thirty', 'sink']) {
  await run(`DROP TABLE IF EXISTS ${name}`)
  await run(table(name))
}
await run(`INSERT INTO one VALUES ${Array.from({ length: 30 }, (_, i) => row(i)).join(', ')}`)
for (let i = 0; i < 30; i++) await run(`INSERT INTO thirty VALUES ${row(i)}`)

const statements: readonly (readonly [string, (i: number) => string, number])[] = [
  ['SELECT 1', () => 'SELECT 1', runs],
  ['SELECT of a new constant', i => `SELECT ${i} + 1`, runs],
  ['point filter, 1 file', i => `SELECT a, b, d FROM one WHERE a = ${i % 30}`, runs],
  ['point filter, 30 files', i => `SELECT a, b, d FROM thirty WHERE a = ${i % 30}`, runs],
  ['all rows, 30 files', () => 'SELECT * FROM thirty ORDER BY a', runs],
  ['sum by group, 30 files', () => 'SELECT c, sum(b), count(*) FROM thirty GROUP BY c', runs],
  ['correlated count, 30 files', i => `SELECT a FROM thirty t WHERE b > ${i % 30} AND EXISTS (SELECT 1 FROM thirty u WHERE u.b < t.b) ORDER BY 1`, runs],
  ['INSERT of one row', i => `INSERT INTO sink VALUES ${row(i)}`, runs],
]
for (const [name, sql, count] of statements) {
  for (let i = 0; i < 20; i++) await run(sql(i))
  const times: number[] = [], cpu = process.cpuUsage()
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    await run(sql(i))
    times.push(performance.now() - began)
  }
  const { user, system } = process.cpuUsage(cpu), ms = (x: number): number => Math.round(x * 1000) / 1000
  times.sort((a, b) => a - b)
  console.log(JSON.stringify({ statement: name, store: values.lake === undefined ? 'memory' : 'local', p50: ms(times[Math.floor(count / 2)] ?? 0), mean: ms(times.reduce((a, b) => a + b, 0) / count), cpu: ms((user + system) / 1000 / count), runs: count }))
}
console.log(JSON.stringify({ memory: engine.memory.used, peak: engine.memory.peak }))
await session.close()
await engine.close()
