import { PassThrough } from 'node:stream'
import { parse as readBackend } from 'pg-protocol'
import { afterAll, expect, test } from 'vitest'
import { message, query, said, startup, sync, terminate } from './conversations.ts'
import { emptyEngine, HELLO, surroundingsOf, talk } from './testing.ts'
import { converse } from './session.ts'

const engine = await emptyEngine()
afterAll(() => engine.close())

const int32 = (value: number): Buffer => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value >>> 0); return bytes }
const SSL = Buffer.concat([int32(8), int32(80877103)]), GSS = Buffer.concat([int32(8), int32(80877104)])

/** What a client that hands over each part when the one before was answered is told, part by part. */
async function turns(...parts: readonly Uint8Array[]): Promise<Buffer[]> {
  const heard: Buffer[] = []
  let turn = -1
  async function* input(): AsyncGenerator<Uint8Array, void, undefined> { for (const part of parts) { turn++; heard.push(Buffer.alloc(0)); yield part } }
  for await (const bytes of converse(input(), surroundingsOf(engine, []))) heard[turn] = Buffer.concat([heard[turn] ?? Buffer.alloc(0), bytes])
  return heard
}

test('SSL and GSS are answered, then the session begins', async () => {
  const [gss, ssl, hello] = await turns(GSS, SSL, HELLO)
  expect([gss?.toString(), ssl?.toString()]).toEqual(['N', 'N'])
  expect(said(hello ?? Buffer.alloc(0)).at(-1)).toEqual(['Z', 'I'])
})

test('bytes stuffed behind an SSL request are refused', async () => {
  const answer = await talk(engine, Buffer.concat([SSL, HELLO]))
  expect(said(answer)).toEqual([['E', 'SFATAL', 'VFATAL', 'C08P01', 'Mreceived unencrypted data after SSL request', 'DThis could be either a client-software bug or evidence of an attempted man-in-the-middle attack.']])
  expect(said(await talk(engine, Buffer.concat([GSS, HELLO])))[0]).toContain('Mreceived unencrypted data after GSSAPI encryption request')
})

test('what a session begins with, as pg-protocol reads it', async () => {
  const stream = new PassThrough(), names: string[] = [], parameters = new Map<string, string>()
  const reading = readBackend(stream, each => { names.push(each.name); if ('parameterName' in each && 'parameterValue' in each) parameters.set(String(each.parameterName), String(each.parameterValue)) })
  stream.end(await talk(engine, Buffer.concat([HELLO, terminate])))
  await reading
  expect(names.filter(name => name !== 'parameterStatus')).toEqual(['authenticationOk', 'backendKeyData', 'readyForQuery'])
  // the list of PostgreSQL 15
  expect([...parameters.keys()].sort()).toEqual(['DateStyle', 'IntervalStyle', 'TimeZone', 'application_name', 'client_encoding', 'default_transaction_read_only', 'in_hot_standby', 'integer_datetimes', 'is_superuser', 'server_encoding', 'server_version', 'session_authorization', 'standard_conforming_strings'])
  expect(parameters.get('server_version')).toMatch(/^15\./)
  expect(parameters.get('session_authorization')).toBe('postgres')
})

test('protocol 3.2 has long keys, 3.5 and unknown options are negotiated', async () => {
  const key = (answer: Buffer): number => { const at = answer.indexOf(Buffer.concat([Buffer.from('K')])); return answer.readInt32BE(at + 1) - 8 }
  const begin = (version: number, more: Readonly<Record<string, string>> = {}): Promise<Buffer> => talk(engine, startup(version, { user: 'postgres', ...more }))
  expect(key(await begin(3 << 16))).toBe(4)
  const newest = await begin(3 << 16 | 2)
  expect(key(newest)).toBe(32)
  expect(said(newest).map(([kind]) => kind)).not.toContain('v')
  // PostgreSQL answers with its whole version number, not with the minor one alone
  expect(said(await begin(3 << 16 | 5))[0]).toEqual(['v', `\\x0003000200000000`])
  expect(said(await begin(3 << 16, { '_pq_.wonder': 'on' }))[0]).toEqual(['v', `\\x0003000000000001${Buffer.from('_pq_.wonder\0').toString('hex')}`])
  expect(said(await begin(2 << 16))[0]).toContain('C0A000')
})

test('start-up packets that are none', async () => {
  for (const bytes of [int32(0), int32(7), int32(0x7fffffff), Buffer.concat([int32(9), int32(3 << 16), Buffer.from('u')]), Buffer.concat([int32(12), int32(3 << 16), Buffer.from('u\0\0\0')]), Buffer.from('GET / HTTP/1.1\r\n\r\n')]) {
    const answer = said(await talk(engine, Buffer.concat([bytes, query('SELECT 1')])))
    expect(answer.map(each => each.slice(0, 3))).toEqual([['E', 'SFATAL', 'VFATAL']])
  }
  expect(said(await talk(engine, startup(3 << 16, { database: 'x' })))[0]).toContain('C28000')
  expect(said(await talk(engine, startup(3 << 16, { user: 'postgres', nosuch: 'x' })))[0]).toContain('Munrecognized configuration parameter "nosuch"')
  expect(said(await talk(engine, startup(3 << 16, { user: 'postgres', TimeZone: 'Mars/Base' })))[0]).toContain('C22023')
  expect(await talk(engine, Buffer.alloc(0))).toEqual(Buffer.alloc(0))
})

test('options of the start-up packet are settings', async () => {
  const answer = said(await talk(engine, Buffer.concat([startup(3 << 16, { user: 'postgres', options: '-c statement_timeout=5s --search-path=a,b -cTimeZone=Europe/Berlin' }), query('SHOW statement_timeout; SHOW search_path; SHOW TimeZone'), terminate])))
  expect(answer.filter(([kind]) => kind === 'D').map(each => each[1])).toEqual(['\'5s', '\'a,b', '\'Europe/Berlin'])
})

test('lengths that are none end the connection', async () => {
  for (const bytes of [Buffer.concat([Buffer.from('Q'), int32(0x7fffffff)]), Buffer.concat([Buffer.from('Q'), int32(3)]), Buffer.concat([Buffer.from('S'), int32(100_000)]), Buffer.concat([Buffer.from('Q'), int32(-1)])]) {
    const answer = said(await talk(engine, Buffer.concat([HELLO, bytes, query('SELECT 1')])))
    expect(answer).toEqual([['Z', 'I'], ['E', 'SFATAL', 'VFATAL', 'C08P01', 'Minvalid message length']])
  }
})

test('function calls by protocol are refused, and the session goes on', async () => {
  const answer = said(await talk(engine, Buffer.concat([HELLO, message('F', int32(1), Buffer.alloc(6)), query('SELECT 1'), sync, terminate])))
  expect(answer.map(([kind]) => kind)).toEqual(['Z', 'E', 'Z', 'T', 'D', 'C', 'Z', 'Z'])
})

test('a large message in small pieces is put together once', async () => {
  const text = 'x'.repeat(4_000_000), begin = performance.now()
  const answer = said(await talk(engine, Buffer.concat([HELLO, query(`SELECT length('${text}')`), terminate]), 500))
  expect(answer.find(([kind]) => kind === 'D')).toEqual(['D', '\'4000000'])
  // 8,000 pieces: copying all for each would be 16 GB
  expect(performance.now() - begin).toBeLessThan(5000)
})
