import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Engine } from '../engine.ts'
import { openMemoryStore } from '../storage/store-memory.ts'
import type { Said } from './conversations.ts'
import { query, said, startup, terminate } from './conversations.ts'
import { listen } from './server.ts'
import type { WireServer } from './server.ts'
import { HELLO } from './testing.ts'

let engine: Engine, server: WireServer, failures: unknown[] = []
const clients: Client[] = []

beforeAll(async () => {
  engine = await Engine.open({ lake: openMemoryStore(), database: 'lake', threads: 1, memory: 512 * 2 ** 20 })
  server = await listen(engine, { host: '127.0.0.1', port: 0, log: error => { failures.push(error) } })
  const setup = await hello()
  setup.say(query('CREATE TABLE t (k int PRIMARY KEY, v text) WITH (bucket = 1); INSERT INTO t VALUES (1, \'one\')'))
  await setup.hears('Z', 2)
  expect(setup.said.filter(([kind]) => kind === 'E')).toEqual([])
  setup.socket.destroy()
})
afterAll(async () => { await server.close(); await engine.close() })
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy()
  await until(() => server.connections === 0)
  expect(failures).toEqual([])
  failures = []
})

/** A socket that keeps what it hears; it can stop reading. */
class Client {
  readonly socket: Socket
  #heard = Buffer.alloc(0)
  ended = false
  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => { this.#heard = Buffer.concat([this.#heard, chunk]) })
    socket.on('error', () => undefined)
    socket.on('close', () => { this.ended = true })
    socket.on('end', () => { this.ended = true })
    clients.push(this)
  }
  say(...messages: readonly Uint8Array[]): void { this.socket.write(Buffer.concat(messages)) }
  get bytes(): Buffer { return this.#heard }
  get said(): Said[] { return said(this.#whole) }
  /** Whole messages only: the last may still be on its way. */
  get #whole(): Buffer {
    let at = 0
    while (at + 5 <= this.#heard.length && at + 1 + this.#heard.readInt32BE(at + 1) <= this.#heard.length) at += 1 + this.#heard.readInt32BE(at + 1)
    return this.#heard.subarray(0, at)
  }
  hears(kind: string, times = 1): Promise<void> { return until(() => this.said.filter(each => each[0] === kind).length >= times) }
  /** BackendKeyData: process id, then the key. */
  get key(): Buffer {
    for (let at = 0; at < this.#heard.length; at += 1 + this.#heard.readInt32BE(at + 1)) if (this.#heard[at] === 75) return this.#heard.subarray(at + 5, at + 1 + this.#heard.readInt32BE(at + 1))
    throw new Error('no key')
  }
}

async function until(condition: () => boolean, milliseconds = 10_000): Promise<void> {
  const deadline = Date.now() + milliseconds
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${condition.toString()}`)
    await sleep(5)
  }
}
async function open(allowHalfOpen = false): Promise<Client> {
  const socket = connect({ port: server.port, host: '127.0.0.1', allowHalfOpen }), client = new Client(socket)
  await once(socket, 'connect')
  return client
}
async function hello(packet: Uint8Array = HELLO): Promise<Client> {
  const client = await open()
  client.say(packet)
  await client.hears('Z')
  return client
}
async function cancel(key: Uint8Array): Promise<void> {
  const client = await open(), packet = Buffer.alloc(8 + key.length)
  packet.writeInt32BE(packet.length)
  packet.writeInt32BE(80877102, 4)
  packet.set(key, 8)
  client.say(packet)
  await until(() => client.ended)
  expect(client.bytes.length).toBe(0)
}

const THOUSAND = `(VALUES ${Array.from({ length: 1000 }, (_, i) => `(${i})`).join(', ')})`
/** Minutes of work on little memory. */
const LONG = `SELECT count(*) FROM ${THOUSAND} a(x), ${THOUSAND} b(y), ${THOUSAND} c(z), ${THOUSAND} d(w) WHERE x + y + z + w = 7`
/** Half a gigabyte of rows, made as they are asked for. */
const LARGE = `SELECT x, y, z, repeat('x', 500) AS filler FROM ${THOUSAND} a(x), ${THOUSAND} b(y), ${THOUSAND} c(z)`
const running = (): Promise<void> => sleep(100)

test.each([3 << 16, 3 << 16 | 2])('cancel, protocol %i: only the right key stops a query', async version => {
  const client = await hello(startup(version, { user: 'me' })), { key } = client, held = engine.memory.used
  client.say(query(LONG))
  await running()
  const wrong = Buffer.from(key)
  wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1
  await cancel(wrong)
  await cancel(key.subarray(0, key.length - 1).length < 8 ? Buffer.concat([key, Buffer.from([0])]) : key.subarray(0, 8))
  await running()
  expect(client.said.map(([kind]) => kind)).not.toContain('E')
  await cancel(key)
  await client.hears('Z', 2)
  expect(client.said.at(-2)).toEqual(['E', 'SERROR', 'VERROR', 'C57014', 'Mcanceling statement due to user request'])
  expect(engine.memory.used).toBe(held)
  // a cancel between statements is lost, as it should be
  await cancel(key)
  client.say(query('SELECT 7'))
  await client.hears('Z', 3)
  expect(client.said.at(-2)).toEqual(['C', 'SELECT 1'])
})

test('cancel ends a SUBSCRIBE that waits, and one behind FETCH', async () => {
  const held = engine.memory.used, client = await hello()
  client.say(query('SUBSCRIBE t'))
  await client.hears('D')
  await running()
  await cancel(client.key)
  await client.hears('Z', 2)
  expect(client.said.at(-2)).toContain('C57014')
  expect(engine.memory.used).toBe(held)
  client.say(query('BEGIN; DECLARE c CURSOR FOR SUBSCRIBE t'), query('FETCH 1 FROM c'), query('FETCH ALL FROM c'))
  await client.hears('Z', 4)
  await running()
  await cancel(client.key)
  await client.hears('Z', 5)
  expect(client.said.at(-1)).toEqual(['Z', 'E'])
  client.say(query('ROLLBACK'))
  await client.hears('Z', 6)
  expect(engine.memory.used).toBe(held)
})

test('a subscription tells of a commit at once', async () => {
  const client = await hello(), writer = await hello()
  client.say(query('SUBSCRIBE (SELECT k FROM t WHERE k > 100)'))
  await client.hears('T')
  await running()
  writer.say(query('INSERT INTO t VALUES (101, \'x\')'))
  await client.hears('D')
  expect(client.said.find(([kind]) => kind === 'D')?.slice(2)).toEqual(['\'1', '\'101'])
})

test.each([['a query', LONG], ['a subscription', 'SUBSCRIBE t'], ['a large answer', LARGE], ['COPY', `COPY (${LARGE}) TO STDOUT`]])('a client that vanishes during %s leaves nothing', async (_, sql) => {
  const held = engine.memory.used, client = await hello()
  client.say(query(sql))
  await running()
  expect(server.connections).toBe(1)
  client.socket.resetAndDestroy()
  await until(() => server.connections === 0)
  await until(() => engine.memory.used === held)
})

test('a client that closes its sending side is answered, then let go', async () => {
  const held = engine.memory.used, client = await open(true)
  client.socket.end(Buffer.concat([HELLO, query('SELECT 7')]))
  await until(() => client.ended)
  expect(client.said.map(([kind]) => kind)).toEqual(['Z', 'T', 'D', 'C', 'Z'])
  const waiting = await open(true)
  waiting.socket.end(Buffer.concat([HELLO, query('SUBSCRIBE t')]))
  await until(() => waiting.ended)
  await until(() => server.connections === 0)
  expect(engine.memory.used).toBe(held)
})

test('a slow client makes its query wait; neither memory nor the process grows', async () => {
  const client = await hello(), other = await hello()
  client.socket.pause()
  client.say(query(LARGE))
  await sleep(500)
  const held = engine.memory.used, heap = process.memoryUsage().rss
  await sleep(500)
  expect(engine.memory.used).toBe(held)
  expect(process.memoryUsage().rss - heap).toBeLessThan(50 * 2 ** 20)
  // and the others are served meanwhile
  other.say(query('SELECT 7'))
  await other.hears('Z', 2)
  const before = client.bytes.length
  client.socket.resume()
  await until(() => client.bytes.length > before + 20_000_000)
  client.socket.pause()
})

test('statement_timeout', async () => {
  const client = await hello()
  client.say(query('SET statement_timeout = 100'), query(LONG), query(`PREPARE long AS ${LONG}`), query('EXECUTE long'))
  await client.hears('Z', 5)
  expect(client.said.filter(([kind]) => kind === 'E').map(each => each.slice(3))).toEqual([['C57014', 'Mcanceling statement due to statement timeout'], ['C57014', 'Mcanceling statement due to statement timeout']])
})

test('close ends every session with 57P01: idle, busy, waiting, and one that does not read', async () => {
  const own = await listen(engine, { host: '127.0.0.1', port: 0 }), held = engine.memory.used
  const begin = async (...messages: readonly Uint8Array[]): Promise<Client> => {
    const client = new Client(connect(own.port, '127.0.0.1'))
    client.say(HELLO)
    await client.hears('Z')
    client.say(...messages)
    return client
  }
  const idle = await begin(), busy = await begin(query(LONG)), waiting = await begin(query('SUBSCRIBE t')), block = await begin(query('BEGIN')), deaf = await begin(query(LARGE))
  deaf.socket.pause()
  const silent = new Client(connect(own.port, '127.0.0.1'))
  await running()
  const started = Date.now()
  await own.close()
  expect(Date.now() - started).toBeLessThan(3000)
  for (const client of [idle, busy, waiting, block]) {
    await until(() => client.ended)
    expect(client.said.at(-1)).toEqual(['E', 'SFATAL', 'VFATAL', 'C57P01', 'Mterminating connection due to administrator command'])
  }
  await until(() => silent.ended)
  expect(own.connections).toBe(0)
  expect(engine.memory.used).toBe(held)
})

test('it listens on loopback only', async () => {
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.0.0.1.example.org', '']) await expect(listen(engine, { host, port: 0 })).rejects.toMatchObject({ code: '0A000' })
  await expect(listen(engine, { host: '127.0.0.1', port: server.port })).rejects.toThrow('the port is in use')
})

test('which database, and how many connections', async () => {
  const refused = await open()
  refused.say(startup(3 << 16, { user: 'me', database: 'elsewhere' }))
  await refused.hears('E')
  expect(refused.said).toEqual([['E', 'SFATAL', 'VFATAL', 'C3D000', 'Mdatabase "elsewhere" does not exist', 'HThis server has the database "lake".']])
  const small = await listen(engine, { host: '127.0.0.1', port: 0, maxConnections: 1 })
  const one = new Client(connect(small.port, '127.0.0.1')), two = new Client(connect(small.port, '127.0.0.1'))
  one.say(HELLO)
  await one.hears('Z')
  two.say(HELLO)
  await two.hears('E')
  expect(two.said[0]).toContain('C53300')
  one.say(terminate)
  await until(() => one.ended)
  await small.close()
})
