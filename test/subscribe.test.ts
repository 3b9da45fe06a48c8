/** SUBSCRIBE as Postgres clients use it: node-postgres over the wire, bytes on a socket where it is in the way. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Engine } from '../src/engine.ts'
import { open } from '../src/index.ts'
import { listen } from '../src/wire/server.ts'
import type { WireServer } from '../src/wire/server.ts'
import { message, startup } from './frontend.ts'
import { startServer } from './server-process.ts'

let folder = '', engine: Engine, server: WireServer, writer: pg.Client
const clients: pg.Client[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-subscribe-'))
  engine = await Engine.open({ lake: folder })
  server = await listen(engine, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close()
  await engine.close()
  await rm(folder, { recursive: true })
})
beforeEach(async () => {
  writer = await client()
  await writer.query('CREATE TABLE t (id int, v int, PRIMARY KEY (id) NOT ENFORCED) WITH (\'bucket\' = \'1\')')
})
afterEach(async () => {
  await writer.query('DROP TABLE t')
  for (const each of clients.splice(0)) await each.end()
  await until(() => server.connections === 0 && engine.memory.used === 0)
})

async function client(): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'test', database: 'test' })
  made.on('error', () => undefined)
  await made.connect()
  clients.push(made)
  return made
}

const sleep = (milliseconds: number): Promise<void> => new Promise(resolve => { setTimeout(resolve, milliseconds) })
async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); await sleep(5)) if (Date.now() > deadline) throw new Error(`waited in vain for ${condition.toString()}`)
}

/** A subscription as its rows come: arrays in the order of its columns, times as numbers. */
interface Live {
  readonly rows: (number | boolean | null)[][]
  readonly columns: () => readonly string[]
  /** The SQLSTATE that ended it, or its command tag. */
  readonly ended: Promise<string>
}
function live(on: pg.Client, text: string): Live {
  const rows: (number | boolean | null)[][] = []
  let columns: readonly string[] = []
  const asked: pg.QueryArrayConfig = { text, rowMode: 'array' }
  const query = on.query(new pg.Query(asked))
  query.on('row', (row: unknown, result?: { fields: readonly { name: string }[] }) => {
    columns = (result?.fields ?? []).map(field => field.name)
    if (Array.isArray(row)) rows.push(row.map((value: unknown) => value === null || typeof value === 'boolean' ? value : Number(value)))
  })
  const ended = new Promise<string>(resolve => {
    query.on('error', error => { resolve('code' in error ? String(error.code) : error.message) })
    query.on('end', result => { resolve(`${result.command} ${result.rowCount ?? ''}`.trim()) })
  })
  return { rows, columns: () => columns, ended }
}
const times = (rows: Live['rows']): number[] => [...new Set(rows.map(row => Number(row[0])))]
const changes = (rows: Live['rows'], from = 1): string[] => rows.map(row => row.slice(from).join(' ')).sort()

/** Stops what a client runs, as psql's Ctrl-C does. */
function cancel(target: pg.Client): Promise<void> {
  const key: unknown = Reflect.get(target, 'secretKey'), body = Buffer.alloc(16)
  body.writeInt32BE(16)
  body.writeInt32BE(80877102, 4)
  body.writeInt32BE(Number(Reflect.get(target, 'processID')), 8)
  body.writeInt32BE(Number(key), 12)
  return new Promise((resolve, reject) => { connect(server.port, '127.0.0.1', function (this: Socket) { this.end(body) }).on('close', () => resolve()).on('error', reject).resume() })
}

describe('SUBSCRIBE', () => {
  test('the answer, then its changes: at one time what one commit changed, at growing times', async () => {
    await writer.query('INSERT INTO t VALUES (1, 10), (2, 20)')
    const reader = await client(), began = Date.now(), seen = live(reader, 'SUBSCRIBE (SELECT id, v FROM t)')
    await until(() => seen.rows.length === 2)
    await writer.query('INSERT INTO t VALUES (2, 21), (3, 30)')
    await until(() => seen.rows.length === 5)
    await writer.query('INSERT INTO t VALUES (1, 10)') // changes nothing
    await writer.query('DELETE FROM t WHERE id = 3')
    await until(() => seen.rows.length === 6)
    expect(seen.columns()).toEqual(['mz_timestamp', 'mz_diff', 'id', 'v'])
    const at = times(seen.rows)
    expect(at).toEqual(at.toSorted((a, b) => a - b))
    expect(at.map(time => changes(seen.rows.filter(row => row[0] === time)))).toEqual([['1 1 10', '1 2 20'], ['-1 2 20', '1 2 21', '1 3 30'], ['-1 3 30']])
    expect(at[0]).toBeGreaterThanOrEqual(began - 5)
    expect(at[2]).toBeLessThanOrEqual(Date.now() + 5)
    await cancel(reader)
    expect(await seen.ended).toBe('57014')
    expect((await reader.query('SELECT count(*) AS n FROM t')).rows).toEqual([{ n: '2' }])
  })

  test('a whole table; without the snapshot; over an aggregate', async () => {
    await writer.query('INSERT INTO t VALUES (1, 10), (2, 20)')
    const table = live(await client(), 'SUBSCRIBE TO t'), after = live(await client(), 'SUBSCRIBE t WITH (SNAPSHOT = false, PROGRESS)'), sum = live(await client(), 'SUBSCRIBE (SELECT sum(v), count(*) FROM t) WITH (PROGRESS, SNAPSHOT false)')
    const told = (of: Live): Live['rows'] => of.rows.filter(row => row[1] === false)
    await until(() => table.rows.length === 2 && after.rows.length > 0 && sum.rows.length > 0)
    expect([told(after), told(sum)]).toEqual([[], []])
    await writer.query('INSERT INTO t VALUES (3, 30)')
    await until(() => table.rows.length === 3 && told(after).length === 1 && told(sum).length === 2)
    expect([changes(told(after), 2), changes(told(sum), 2)]).toEqual([['1 3 30'], ['-1 30 2', '1 60 3']])
    for (const each of clients.slice(1)) await cancel(each)
    expect(await Promise.all([table.ended, after.ended, sum.ended])).toEqual(['57014', '57014', '57014'])
  })

  test('PROGRESS: each time is closed, and time goes on when nothing changes', async () => {
    await writer.query('INSERT INTO t VALUES (1, 10)')
    const reader = await client(), seen = live(reader, 'SUBSCRIBE (SELECT id, v FROM t) WITH (PROGRESS)')
    await until(() => seen.rows.length >= 2)
    expect(seen.columns()).toEqual(['mz_timestamp', 'mz_progressed', 'mz_diff', 'id', 'v'])
    const start = Number(seen.rows[0]?.[0])
    expect(seen.rows.slice(0, 2)).toEqual([[start, false, 1, 1, 10], [start + 1, true, null, null, null]])
    await sleep(2500)
    const idle = seen.rows.slice(2)
    expect(idle.length).toBeGreaterThanOrEqual(1)
    expect(idle.every(row => row[1] === true)).toBe(true)
    await writer.query('INSERT INTO t VALUES (2, 20)')
    await until(() => seen.rows.some(row => row[3] === 2))
    const last = seen.rows.findIndex(row => row[3] === 2)
    await until(() => seen.rows.length > last + 1)
    // nothing comes at or after a time that was not yet closed, nor before one that was
    for (const [i, row] of seen.rows.entries()) if (row[1] === true) for (const later of seen.rows.slice(i + 1)) expect(Number(later[0])).toBeGreaterThanOrEqual(Number(row[0]))
    expect(seen.rows[last + 1]).toEqual([Number(seen.rows[last]?.[0]) + 1, true, null, null, null])
    await cancel(reader)
    await seen.ended
  })

  test('AS OF and UP TO: from any commit to any other, then it ends', async () => {
    const committed: number[] = []
    for (let i = 1; i <= 4; i++) {
      await writer.query(`INSERT INTO t VALUES (${i}, ${10 * i}), (1, ${i})`)
      const versions = await (await engine.catalog.table({ schema: 'default', name: 't' }))?.latest()
      committed.push(versions?.time ?? 0)
      await sleep(5)
    }
    const [first = 0, second = 0, third = 0, fourth = 0] = committed, reader = await client()
    const states = [['1 1 1'], ['-1 1 1', '1 1 2', '1 2 20'], ['-1 1 2', '1 1 3', '1 3 30'], ['-1 1 3', '1 1 4', '1 4 40']]
    const all = live(reader, `SUBSCRIBE (SELECT id, v FROM t) AS OF ${first} UP TO ${fourth + 1}`)
    expect(await all.ended).toBe(`SUBSCRIBE ${all.rows.length}`)
    expect(times(all.rows)).toEqual(committed)
    expect(committed.map(time => changes(all.rows.filter(row => row[0] === time)))).toEqual([['1 1 1'], ...states.slice(1)])
    // the bound itself is left out
    const some = live(reader, `SUBSCRIBE (SELECT id, v FROM t) AS OF ${second} UP TO ${fourth}`)
    await some.ended
    expect(times(some.rows)).toEqual([second, third])
    expect(changes(some.rows.filter(row => row[0] === second))).toEqual(['1 1 2', '1 2 20'])
    // a time between two commits, as a timestamp, with the zone of the session
    await reader.query('SET TimeZone = \'America/New_York\'')
    const text = new Date(third + 1).toISOString()
    const late = live(reader, `SUBSCRIBE (SELECT id, v FROM t) WITH (SNAPSHOT = false) AS OF timestamptz '${text}' UP TO timestamptz '${text}' + interval '1 day' - interval '23 hours 59 minutes 58 seconds'`)
    await late.ended
    expect(late.rows).toEqual(states[3]?.map(row => [fourth, ...row.split(' ').map(Number)]).toSorted((a, b) => (a[1] ?? 0) - (b[1] ?? 0)))
    // no commit is that old: the table was empty
    const empty = live(reader, `SUBSCRIBE (SELECT count(*) FROM t) AS OF ${first - 1000} UP TO ${first + 1}`)
    await empty.ended
    expect(empty.rows.map(row => row.slice(1))).toEqual([[1, 0], ...[[-1, 0], [1, 1]]])
    for (const [sql, code] of [
      [`SUBSCRIBE t AS OF ${second} UP TO ${second}`, '22023'], [`SUBSCRIBE t AS OF ${second} UP TO ${first}`, '22023'], ['SUBSCRIBE t AS OF NULL', '22004'], ['SUBSCRIBE t AS OF \'soon\'', '22007'],
      ['SUBSCRIBE nothing', '42P01'], ['SUBSCRIBE (SELECT x FROM t)', '42703'], ['SUBSCRIBE t WITH (SPEED = 9)', '22023'], ['SUBSCRIBE t ENVELOPE UPSERT (KEY (id))', '0A000'],
    ] as const) expect(await live(reader, sql).ended, sql).toBe(code)
  })

  test('UP TO a time to come ends the statement then', async () => {
    await writer.query('INSERT INTO t VALUES (1, 10)')
    const end = Date.now() + 700, seen = live(await client(), `SUBSCRIBE t UP TO ${end}`)
    expect(await seen.ended).toBe('SUBSCRIBE 1')
    expect(Date.now()).toBeGreaterThanOrEqual(end)
    expect(Date.now()).toBeLessThan(end + 2000)
  })

  test('an error amid ends it, and the connection goes on', async () => {
    const reader = await client(), seen = live(reader, 'SUBSCRIBE (SELECT 100 / v FROM t)')
    await sleep(300)
    await writer.query('INSERT INTO t VALUES (1, 5)')
    await until(() => seen.rows.length === 1)
    await writer.query('INSERT INTO t VALUES (2, 0)')
    expect(await seen.ended).toBe('22012')
    expect((await reader.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  test('another process\'s commits come at the interval of sluice.poll_interval', async () => {
    const lake = await open(folder), reader = await client()
    await reader.query('SET sluice.poll_interval = \'10ms\'')
    const quick = live(reader, 'SUBSCRIBE t'), slow = await client()
    await slow.query('SET sluice.poll_interval = \'1min\'')
    const patient = live(slow, 'SUBSCRIBE t')
    await sleep(300)
    await lake.query('INSERT INTO t VALUES (1, 1)').done()
    const at = Date.now()
    await until(() => quick.rows.length === 1)
    expect(Date.now() - at).toBeLessThan(1000)
    expect(patient.rows).toEqual([])
    await writer.query('INSERT INTO t VALUES (2, 2)') // a commit of this process wakes it at once
    await until(() => patient.rows.length === 2 && quick.rows.length === 2)
    for (const each of [reader, slow]) await cancel(each)
    expect(await Promise.all([quick.ended, patient.ended])).toEqual(['57014', '57014'])
    await lake.close()
  })
})

describe('COPY and cursors', () => {
  test('COPY (SUBSCRIBE …) TO STDOUT', async () => {
    await writer.query('INSERT INTO t VALUES (1, NULL)')
    const socket = connect(server.port, '127.0.0.1'), chunks: Buffer[] = []
    socket.on('data', chunk => chunks.push(chunk))
    const lines = (): string[] => copied(Buffer.concat(chunks)).map(line => line.replace(/^\d+/, 'T'))
    socket.write(Buffer.concat([startup(), message('Q', Buffer.from('COPY (SUBSCRIBE (SELECT id, v FROM t)) TO STDOUT\0'))]))
    await until(() => lines().length === 1)
    await writer.query('INSERT INTO t VALUES (1, 2)')
    await until(() => lines().length === 3)
    expect([lines()[0], ...lines().slice(1).sort()]).toEqual(['T\t1\t1\t\\N\n', 'T\t-1\t1\t\\N\n', 'T\t1\t1\t2\n'])
    socket.destroy()
    const whole = await client(), { rowCount } = await whole.query(`COPY (SUBSCRIBE t UP TO ${Date.now() + 300}) TO STDOUT (FORMAT csv, HEADER)`)
    expect(rowCount).toBe(1)
  })

  test('DECLARE, FETCH n, FETCH ALL, with and without a timeout', async () => {
    await writer.query('INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)')
    const reader = await client()
    const fetch = async (what: string): Promise<string[]> => {
      const { rows } = await reader.query<(string | boolean | null)[]>({ text: `FETCH ${what}`, rowMode: 'array' })
      return rows.map(row => row.slice(1).join(' '))
    }
    await reader.query('BEGIN')
    await reader.query('DECLARE c CURSOR FOR SUBSCRIBE (SELECT id, v FROM t)')
    expect(await fetch('2 c')).toHaveLength(2)
    expect(await fetch('ALL c')).toHaveLength(1) // what is ready
    let at = Date.now()
    expect(await fetch('ALL c WITH (timeout = \'300ms\')')).toEqual([])
    expect(Date.now() - at).toBeGreaterThanOrEqual(295)
    expect(await fetch('5 c WITH (timeout = \'0s\')')).toEqual([])
    await writer.query('INSERT INTO t VALUES (4, 4), (5, 5)')
    await writer.query('INSERT INTO t VALUES (6, 6)')
    expect((await fetch('ALL c WITH (timeout = \'1s\')')).sort()).toEqual(['1 4 4', '1 5 5', '1 6 6'])
    // without a timeout it waits for a row
    at = Date.now()
    setTimeout(() => { writer.query('DELETE FROM t WHERE id = 6').catch(() => undefined) }, 300)
    expect(await fetch('ALL c')).toEqual(['-1 6 6'])
    expect(Date.now() - at).toBeGreaterThanOrEqual(250)
    await expect(reader.query('FETCH BACKWARD 1 FROM c')).rejects.toMatchObject({ code: '55000' })
    await reader.query('ROLLBACK')
    await expect(reader.query('FETCH 1 FROM c')).rejects.toMatchObject({ code: '34000' })
    expect(engine.memory.used).toBe(0)
  })

  test('a cursor of a subscription outside of a transaction lives until it is closed', async () => {
    const reader = await client()
    await reader.query('DECLARE c CURSOR FOR SUBSCRIBE (SELECT sum(v) FROM t) WITH (PROGRESS)')
    for (let i = 1; i <= 3; i++) {
      await writer.query(`INSERT INTO t VALUES (${i}, ${i})`)
      const { rows } = await reader.query<{ mz_progressed: boolean; mz_diff: string | null; sum: string | null }>('FETCH ALL FROM c WITH (timeout = \'200ms\')')
      const now = rows.filter(row => !row.mz_progressed && row.mz_diff === '1').at(-1)
      expect(now?.sum).toBe(String(i * (i + 1) / 2))
    }
    await reader.query('CLOSE c')
    await expect(reader.query('FETCH 1 FROM c')).rejects.toMatchObject({ code: '34000' })
    await expect(reader.query('DECLARE d CURSOR FOR SUBSCRIBE (SELECT 1 / 0)').then(() => reader.query('FETCH 1 FROM d'))).rejects.toMatchObject({ code: '22012' })
    expect((await reader.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })
})

/** The lines of CopyData messages among those that came whole. */
function copied(bytes: Buffer): string[] {
  const lines: string[] = []
  for (let at = 0; at + 5 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 1)
    if (at + 1 + length > bytes.length) break
    if (bytes[at] === 100) lines.push(bytes.toString('utf8', at + 5, at + 1 + length))
    at += 1 + length
  }
  return lines
}

describe('what a reader holds', () => {
  test('a reader that disconnects amid anything leaves nothing', async () => {
    await writer.query('INSERT INTO t SELECT i, i FROM generate_series(1, 20000) AS g(i)')
    const sockets: Socket[] = []
    for (const sql of ['SUBSCRIBE t', 'SUBSCRIBE (SELECT v % 100, count(*), array_agg(id) FROM t GROUP BY 1)', 'SUBSCRIBE (SELECT a.id FROM t AS a JOIN t AS b ON a.id = b.v) WITH (PROGRESS)', 'DECLARE c CURSOR FOR SUBSCRIBE t; FETCH 5 FROM c', 'COPY (SUBSCRIBE t) TO STDOUT']) {
      for (const patience of [0, 30, 300]) {
        const socket = connect(server.port, '127.0.0.1')
        socket.on('error', () => undefined)
        socket.write(Buffer.concat([startup(), message('Q', Buffer.from(`${sql}\0`))]))
        if (patience === 30) socket.once('data', () => socket.pause())
        else socket.resume()
        sockets.push(socket)
        setTimeout(() => socket.resetAndDestroy(), 20 + patience)
      }
    }
    await sleep(500)
    await until(() => server.connections === 1)
    expect(engine.memory.used).toBe(0)
  })

  test('a reader that does not read makes no memory grow, and gets everything when it reads on', async () => {
    const lake = await mkdtemp(join(tmpdir(), 'sluice-slow-')), process = await startServer(lake)
    const resident = async (): Promise<number> => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${process.child.pid ?? 0}/status`, 'utf8'))?.[1] ?? 0) / 1024
    const feeder = await process.connect()
    await feeder.query('CREATE TABLE wide (id int, s text)')
    const insert = (part: number): Promise<unknown> => feeder.query(`INSERT INTO wide SELECT ${part} * 10000 + i, repeat('x', 500) FROM generate_series(0, 9999) AS g(i)`)
    for (let part = 0; part < 4; part++) await insert(part)
    const socket = connect(process.port, '127.0.0.1'), chunks: Buffer[] = []
    let bytes = 0
    socket.on('data', chunk => { bytes += chunk.length; if (bytes < 4096) chunks.push(chunk) })
    socket.write(Buffer.concat([startup(), message('Q', Buffer.from('SUBSCRIBE wide\0'))]))
    await until(() => bytes > 100_000)
    socket.pause()
    await sleep(200)
    const before = await resident()
    for (let part = 4; part < 16; part++) await insert(part) // 60 MB more for it
    const grown = await resident() - before
    expect(grown).toBeLessThan(150) // what the inserts themselves leave; 12 epochs held for the reader would be more
    socket.resume()
    await until(() => bytes >= 16 * 10_000 * 520).catch(() => undefined)
    expect(bytes).toBeGreaterThan(16 * 10_000 * 520)
    socket.destroy()
    await feeder.end()
    expect(await process.stop('SIGTERM')).toBe(0)
    await rm(lake, { recursive: true })
  }, 60_000)
})

test('200 random commits to two tables: the sum of what a subscription gave is the answer', async () => {
  const lake = await open(folder), reader = await open(folder)
  await lake.query('CREATE TABLE places (id int, region text, PRIMARY KEY (id) NOT ENFORCED) WITH (\'bucket\' = \'1\')').done()
  await lake.query('CREATE TABLE orders (id int, place int, amount int, PRIMARY KEY (id) NOT ENFORCED) WITH (\'bucket\' = \'2\')').done()
  const sql = 'SELECT p.region, count(*) AS n, sum(o.amount) AS total, min(o.amount) AS least, max(o.id) AS newest FROM orders AS o JOIN places AS p ON o.place = p.id GROUP BY p.region'
  const outer = 'SELECT p.id, o.id AS o FROM places AS p LEFT JOIN orders AS o ON o.place = p.id AND o.amount > 50'
  const sums = [new Map<string, number>(), new Map<string, number>()], stop = new AbortController()
  let last = 0
  const following = [sql, outer].map(async (query, i) => {
    for await (const epoch of reader.subscribe(query, { signal: stop.signal })) {
      for (const { diff, row } of epoch.changes) {
        const key = Object.values(row).join(' '), sum = (sums[i]?.get(key) ?? 0) + diff
        // no row is ever there less than no times
        expect(sum, `${key} in epoch ${epoch.timestamp}`).toBeGreaterThanOrEqual(0)
        if (sum === 0) sums[i]?.delete(key)
        else sums[i]?.set(key, sum)
      }
      last = Date.now()
    }
  })
  let seed = 20_240_229
  const random = (below: number): number => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor(seed / 65536) % below }
  // the tables as plain maps: what every answer is checked against
  const places = new Map<number, string>(), orders = new Map<number, { place: number; amount: number }>()
  for (let commit = 0; commit < 200; commit++) {
    const ids = [...new Set(Array.from({ length: 1 + random(5) }, () => random(40)))]
    switch (random(6)) {
      case 0: {
        const rows = ids.map(id => [id % 12, `r${random(4)}`] as const)
        for (const [id, region] of rows) places.set(id, region)
        await lake.query(`INSERT INTO places VALUES ${[...new Map(rows)].map(([id, region]) => `(${id}, '${region}')`).join(', ')}`).done()
        break
      }
      case 1:
        places.delete((ids[0] ?? 0) % 12)
        await lake.query(`DELETE FROM places WHERE id = ${(ids[0] ?? 0) % 12}`).done()
        break
      case 2:
        for (const id of ids) orders.delete(id)
        await lake.query(`DELETE FROM orders WHERE id IN (${ids.join(', ')})`).done()
        break
      case 3: {
        const place = random(12)
        for (const order of orders.values()) if (order.place === place) order.amount += 7
        await lake.query(`UPDATE orders SET amount = amount + 7 WHERE place = ${place}`).done()
        break
      }
      default: {
        const rows = ids.map(id => [id, { place: random(14), amount: random(100) }] as const)
        for (const [id, order] of rows) orders.set(id, { ...order })
        await lake.query(`INSERT INTO orders VALUES ${rows.map(([id, { place, amount }]) => `(${id}, ${place}, ${amount})`).join(', ')}`).done()
      }
    }
  }
  const groups = new Map<string, { n: number; total: number; least: number; newest: number }>(), pairs: string[] = []
  for (const [id, { place, amount }] of orders) {
    const region = places.get(place)
    if (region === undefined) continue
    const group = groups.get(region) ?? { n: 0, total: 0, least: Infinity, newest: -1 }
    groups.set(region, { n: group.n + 1, total: group.total + amount, least: Math.min(group.least, amount), newest: Math.max(group.newest, id) })
  }
  for (const id of places.keys()) {
    const matches = [...orders].filter(([, order]) => order.place === id && order.amount > 50)
    pairs.push(...matches.length === 0 ? [`${id} `] : matches.map(([order]) => `${id} ${order}`))
  }
  const wanted = [[...groups].map(([region, { n, total, least, newest }]) => `${region} ${n} ${total} ${least} ${newest}`).sort(), pairs.sort()]
  const answer = async (query: string): Promise<string[]> => (await lake.query(query).rows()).map(row => Object.values(row).join(' ')).sort()
  expect([await answer(sql), await answer(outer)]).toEqual(wanted)
  const folded = (): string[][] => sums.map(sum => [...sum].flatMap(([row, times]) => Array.from({ length: times }, () => row)).sort())
  for (const deadline = Date.now() + 30_000; JSON.stringify(folded()) !== JSON.stringify(wanted) && (Date.now() < deadline || Date.now() - last < 2000);) await sleep(50)
  expect(folded()).toEqual(wanted)
  stop.abort()
  await Promise.all(following)
  expect(reader.engine.memory.used).toBe(0)
  await reader.close()
  await lake.query('DROP TABLE orders').done()
  await lake.query('DROP TABLE places').done()
  await lake.close()
}, 180_000)
