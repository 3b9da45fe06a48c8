/**
 * `npm run demo`: the main job. A lake in a temporary folder is served on a free port; clicks and orders keep being committed to Paimon tables; a real
 * Postgres driver asks an ad-hoc question and follows a continuous one, whose changing answer is drawn. At the end both must agree.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { Engine } from '../engine.ts'
import { listen } from '../wire/server.ts'

const PAGES = ['home', 'search', 'cart', 'newsletter', 'partner'] as const
const QUESTION = `SELECT c.page, count(*) AS orders, sum(o.amount) AS revenue, max(o.amount) AS largest
FROM orders o JOIN clicks c ON c.click_id = o.click_id
GROUP BY c.page`
const ROUNDS = 40

interface Answer { readonly orders: string; readonly revenue: string; readonly largest: string }

/** Exit status: 0 when the continuous answer and the ad-hoc one agree. */
export async function demo(options: { readonly forever: boolean }): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'))
  const engine = await Engine.open({ lake: folder, database: 'demo' })
  const server = await listen(engine, { host: '127.0.0.1', port: 0, log: error => console.error(error) })
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ host: server.host, port: server.port, user: 'demo', database: 'demo' })
    await client.connect()
    return client
  }
  let stop = false
  process.once('SIGINT', () => { stop = true })
  const writer = await connect(), asker = await connect(), follower = await connect()
  try {
    console.log(`A lake in ${folder}, served on ${server.host}:${server.port}. Connect:\n\n  psql -h ${server.host} -p ${server.port}\n`)
    await writer.query(`CREATE TABLE clicks (click_id bigint, page text, clicked_at timestamp(3))`)
    await writer.query(`CREATE TABLE orders (order_id bigint, click_id bigint, amount numeric(12,2), placed_at timestamp(3), PRIMARY KEY (order_id) NOT ENFORCED) WITH ('bucket' = '2')`)
    console.log(`The continuous query, followed through the wire (SUBSCRIBE):\n\n${QUESTION.replace(/^/gm, '  ')}\n`)
    await follower.query(`DECLARE answer CURSOR FOR SUBSCRIBE (${QUESTION})`)
    const screen = new Screen(process.stdout.isTTY)
    const answer = new Map<string, Answer>()
    let commits = 0, rows = 0, changes = 0, freshness = 0
    const follow = async (timeout: string): Promise<number> => {
      const result = await follower.query(`FETCH ALL answer WITH (timeout = '${timeout}')`)
      for (const row of result.rows) {
        if (row.mz_diff === '-1') answer.delete(row.page)
        changes++
      }
      for (const row of result.rows) {
        if (row.mz_diff === '1') answer.set(row.page, { orders: row.orders, revenue: row.revenue, largest: row.largest })
        freshness = Date.now() - Number(row.mz_timestamp)
      }
      return result.rows.length
    }
    const began = Date.now()
    for (let round = 0; !stop && (options.forever || round < ROUNDS); round++) {
      const writes = writeRound(writer, round)
      await follow('80ms')
      const written = await writes
      commits += written.commits
      rows += written.rows
      while (await follow('0ms') > 0) { /* all that is ready */ }
      screen.draw(answer, { round, commits, rows, changes, freshness, seconds: (Date.now() - began) / 1000 })
      if (screen.slow) await new Promise(resolve => setTimeout(resolve, 60))
    }
    while (await follow('300ms') > 0) { /* until nothing more comes */ }
    const asked = await asker.query(`${QUESTION} ORDER BY page`)
    const wanted = new Map<string, Answer>(asked.rows.map(row => [row.page, { orders: row.orders, revenue: row.revenue, largest: row.largest }]))
    const equal = wanted.size === answer.size && wanted.size > 0 && [...wanted].every(([page, row]) => JSON.stringify(row) === JSON.stringify(answer.get(page)))
    console.log(equal
      ? `\nThe continuous answer equals the ad-hoc one at the same versions: ${wanted.size} rows after ${commits} commits (${rows} rows written).`
      : `\nDIFFERENT: continuous ${JSON.stringify([...answer])}, ad-hoc ${JSON.stringify([...wanted])}`)
    console.log('The tables are Apache Paimon tables: Flink, Spark and Trino read and write the same files.\nServe a lake of your own:  npm start -- --lake DIR --port 5433    and then:  psql -h localhost -p 5433')
    return equal ? 0 : 1
  } finally {
    for (const client of [writer, asker, follower]) await client.end()
    await server.close()
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Some clicks, some orders, some orders again with another amount: a commit each. */
async function writeRound(client: pg.Client, round: number): Promise<{ commits: number; rows: number }> {
  const clicks = 20, orders = 8, base = round * clicks
  const at = new Date(Date.now()).toISOString().slice(0, -1)
  await client.query(`INSERT INTO clicks VALUES ${Array.from({ length: clicks }, (_, i) => `(${base + i}, '${PAGES[(base + i * 7) % PAGES.length] ?? 'home'}', '${at}')`).join(', ')}`)
  await client.query(`INSERT INTO orders VALUES ${Array.from({ length: orders }, (_, i) => `(${round * orders + i}, ${base + i * 2}, ${((round * 37 + i * 101) % 500) + 0.99}, '${at}')`).join(', ')}`)
  if (round % 4 !== 3) return { commits: 2, rows: clicks + orders }
  // a correction: the same keys once more
  const corrected = Array.from({ length: 3 }, (_, i) => (round - 2) * orders + i)
  await client.query(`INSERT INTO orders VALUES ${corrected.map((id, i) => `(${id}, ${(round - 2) * clicks + i * 2}, 19.95, '${at}')`).join(', ')}`)
  return { commits: 3, rows: clicks + orders + corrected.length }
}

interface Progress { readonly round: number; readonly commits: number; readonly rows: number; readonly changes: number; readonly freshness: number; readonly seconds: number }

/** Draws over itself on a terminal; plain lines now and then otherwise. */
class Screen {
  readonly slow: boolean
  #lines = 0
  constructor(terminal: boolean) { this.slow = terminal }

  draw(answer: ReadonlyMap<string, Answer>, progress: Progress): void {
    const state = `${progress.commits} commits · ${progress.rows} rows · ${progress.changes} changes of the answer · fresh within ${progress.freshness} ms · ${progress.seconds.toFixed(1)} s`
    if (!this.slow) {
      if (progress.round % 10 === 9) console.log(`${state} · ${[...answer].sort(([a], [b]) => a < b ? -1 : 1).map(([page, row]) => `${page} ${row.orders}/${row.revenue}`).join(', ')}`)
      return
    }
    const most = Math.max(1, ...[...answer.values()].map(row => Number(row.revenue)))
    const lines = [state, '', ...PAGES.map(page => {
      const row = answer.get(page)
      return row === undefined ? `  ${page}` : `  ${page.padEnd(11)} ${row.orders.padStart(5)} orders ${row.revenue.padStart(12)}  largest ${row.largest.padStart(7)}  ${'█'.repeat(Math.round(Number(row.revenue) / most * 24))}`
    })]
    process.stdout.write(`${this.#lines > 0 ? `\x1b[${this.#lines}A` : ''}${lines.map(line => `\x1b[2K${line}\n`).join('')}`)
    this.#lines = lines.length
  }
}
