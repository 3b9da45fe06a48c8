/** What is broken, foreign, too large or nonsense is refused with an error that says so: never a wrong answer, an internal error, a crash or a silence. */
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rowsOf } from '../src/column.ts'
import { Engine } from '../src/engine.ts'
import { SqlError } from '../src/error.ts'
import { Session } from '../src/session/session.ts'
import { openLocalStore } from '../src/storage/store-local.ts'
import { openMemoryStore } from '../src/storage/store-memory.ts'
import { showRow } from '../src/storage/testing.ts'
import { message, startup } from './frontend.ts'
import { shared, startServer } from './server-process.ts'
import type { ServerProcess } from './server-process.ts'

type Files = ReadonlyMap<string, Uint8Array>

const store = openMemoryStore()
let engine: Engine
beforeAll(async () => {
  engine = await Engine.open({ lake: store, threads: 1 })
  await run('CREATE TABLE a (id int, v text, d double precision)')
  await run('INSERT INTO a SELECT i, \'value \' || (i % 7), i / 2.0 FROM generate_series(1, 200) AS g(i)')
  await run('INSERT INTO a VALUES (7, NULL, NULL)')
  await run('CREATE TABLE k (id int, p int, v text, d numeric(10,2), PRIMARY KEY (id, p) NOT ENFORCED) PARTITIONED BY (p) WITH (\'bucket\' = \'2\')')
  await run('INSERT INTO k VALUES (1, 1, \'one\', 1.5), (2, 1, \'two\', 2.5), (3, 2, NULL, NULL), (4, 2, \'four\', 4)')
})
afterAll(() => engine.close())

/** A statement's rows as text, in order of the text. */
async function run(sql: string): Promise<string[]> {
  const session = new Session(engine, { user: 'test' })
  let failed = true
  try {
    const answer = await session.execute(await session.prepare(sql), []), all: string[] = []
    for await (const batch of answer.batches) all.push(...rowsOf(batch, engine.memory).map(showRow))
    failed = false
    return all.sort()
  } finally {
    await session.sync(failed)
    await session.close()
  }
}

/** The files of a table, by their paths inside it. */
async function filesOf(table: string): Promise<Files> {
  const files = new Map<string, Uint8Array>(), root = `default.db/${table}/`
  const walk = async (folder: string): Promise<void> => {
    for (const { path } of await store.list(folder)) {
      if (path.endsWith('/')) await walk(path)
      else files.set(path.slice(root.length), await store.read(path))
    }
  }
  await walk(root)
  return files
}

let copies = 0
/** What reading a table of these files gives: its rows, or the error. */
async function read(files: Files): Promise<readonly string[] | Error> {
  const name = `copy_${copies++}` // nothing of it is in any cache
  for (const [path, bytes] of files) await store.write(`default.db/${name}/${path}`, bytes, 'create')
  try {
    return await run(`SELECT * FROM ${name}`)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    await store.removeFolder(`default.db/${name}`)
  }
}

function isClear(answer: readonly string[] | Error): answer is SqlError {
  return answer instanceof SqlError && answer.code !== 'XX000' && answer.message !== ''
}

function changed(files: Files, path: string, change: (bytes: Uint8Array) => Uint8Array): Files {
  const bytes = files.get(path)
  if (bytes === undefined) throw new Error(`no ${path}`)
  return new Map([...files, [path, change(bytes)]])
}

function named(files: Files, pattern: RegExp): string {
  const path = [...files.keys()].sort().findLast(each => pattern.test(each))
  if (path === undefined) throw new Error(`nothing like ${String(pattern)}`)
  return path
}

const edited = (from: string | RegExp, to: string) => (bytes: Uint8Array): Uint8Array => {
  const text = new TextDecoder().decode(bytes), result = text.replace(from, to)
  expect(result).not.toBe(text)
  return new TextEncoder().encode(result)
}

describe.each(['a', 'k'])('files of table %s', table => {
  test.each(['manifest', 'list', 'snapshot', 'schema'])('a flipped byte in each place of its %s gives an error or the right rows', async kind => {
    const files = await filesOf(table), right = await run(`SELECT * FROM ${table}`), counts = { right: 0, error: 0 }
    const snapshot: { deltaManifestList: string } = JSON.parse(new TextDecoder().decode(files.get(named(files, /^snapshot\/snapshot-/))))
    // the one that holds what was committed last
    const path = kind === 'manifest' ? named(files, /^manifest\/manifest-[^l]/) : kind === 'list' ? `manifest/${snapshot.deltaManifestList}` : named(files, kind === 'snapshot' ? /^snapshot\/snapshot-/ : /^schema\/schema-/)
    const text = Buffer.from(files.get(path) ?? []).toString('latin1')
    for (let at = 0; at < text.length; at++) {
      // another name of a column is another table, and nobody can tell
      if (kind === 'schema' && /"name" : "\w*$/.test(text.slice(0, at + 1))) continue
      const answer = await read(changed(files, path, bytes => { const flipped = bytes.slice(); flipped[at] = (flipped[at] ?? 0) ^ (at % 3 === 0 ? 0xff : 1 << at % 8); return flipped }))
      if (isClear(answer)) counts.error++
      else {
        expect(answer, `byte ${at} of ${path}`).toEqual(right)
        counts.right++
      }
    }
    expect(counts.error).toBeGreaterThan(text.length / 4)
    expect(engine.memory.used).toBe(0)
  }, 120_000)

  test('a data file cut off anywhere is an error that names it', async () => {
    const files = await filesOf(table), path = named(files, /\.parquet$/), size = files.get(path)?.length ?? 0
    for (const length of [0, 1, 3, 4, 7, 8, 11, 12, 100, size >> 1, size - 100, size - 9, size - 8, size - 5, size - 4, size - 1]) {
      const answer = await read(changed(files, path, bytes => bytes.slice(0, length)))
      expect(isClear(answer), `${length} bytes: ${String(answer)}`).toBe(true)
      expect(answer).toMatchObject({ message: expect.stringContaining(path.slice(path.lastIndexOf('/') + 1)) })
    }
    expect(engine.memory.used).toBe(0)
  })

  test('a flipped byte in a data file is never a failure of ours', async () => {
    // values have no checksums: other rows may come out, but nothing else may happen
    const files = await filesOf(table), path = named(files, /\.parquet$/), size = files.get(path)?.length ?? 0
    let errors = 0
    for (let at = 0; at < size; at++) {
      const answer = await read(changed(files, path, bytes => { const flipped = bytes.slice(); flipped[at] = (flipped[at] ?? 0) ^ (at % 3 === 0 ? 0xff : 1 << at % 8); return flipped }))
      if (!(answer instanceof Error)) continue
      errors++
      expect(isClear(answer), `byte ${at}: ${String(answer)} ${answer.stack ?? ''}`).toBe(true)
    }
    expect(errors).toBeGreaterThan(50)
    expect(engine.memory.used).toBe(0)
    expect((await run(`SELECT * FROM ${table}`)).length).toBeGreaterThan(3)
  }, 120_000)

  test.each([
    ['data file', /\.parquet$/, '58P01'], ['manifest', /^manifest\/manifest-[^l]/, '55000'],
  ] as const)('a missing %s is an error', async (_, pattern, code) => {
    const files = new Map(await filesOf(table)), path = named(files, pattern)
    files.delete(path)
    expect(await read(files)).toMatchObject({ code, message: expect.stringMatching(/.+/) })
  })

})

const golden = shared('golden/paimon')
test.skipIf(golden === undefined).each(['dv-pk-64', 'dv-append-32', 'types-nested-parquet', 'evolution-pk', 'old-090-pk'])('flipped bytes in all files of Java\'s %s (skipped without ../shared/golden)', async name => {
  const theirs = openLocalStore(join(golden ?? '', name, 'warehouse')), files = new Map<string, Uint8Array>(), root = 'default.db/t/'
  const walk = async (folder: string): Promise<void> => {
    for (const { path } of await theirs.list(folder)) {
      if (path.endsWith('/')) await walk(path)
      else files.set(path.slice(root.length), await theirs.read(path))
    }
  }
  await walk(root)
  expect(await read(files)).not.toBeInstanceOf(Error)
  let errors = 0, place = 0
  for (const [path, bytes] of files) {
    for (let at = place++ % 97; at < bytes.length; at += 97) {
      const answer = await read(changed(files, path, () => { const flipped = bytes.slice(); flipped[at] = (flipped[at] ?? 0) ^ (at % 3 === 0 ? 0xff : 1 << at % 8); return flipped }))
      if (!(answer instanceof Error)) continue
      errors++
      expect(isClear(answer), `byte ${at} of ${path}: ${String(answer)} ${answer.stack ?? ''}`).toBe(true)
    }
  }
  expect(errors).toBeGreaterThan(20)
  expect(engine.memory.used).toBe(0)
}, 120_000)

describe('what is not understood is refused by name', () => {
  const schema = (from: string | RegExp, to: string) => async (table: string): Promise<Files> => { const files = await filesOf(table); return changed(files, 'schema/schema-0', edited(from, to)) }
  test.each([
    ['a schema of a future version', schema(/"version" : \d+/, '"version" : 4'), /version 4 of Paimon schema files/],
    ['a snapshot of a future version', async (table: string) => { const files = await filesOf(table); return changed(files, named(files, /^snapshot\/snapshot-/), edited(/"version" : \d+/, '"version" : 4')) }, /version 4 of Paimon snapshot files/],
    ['a commit kind', async (table: string) => { const files = await filesOf(table); return changed(files, named(files, /^snapshot\/snapshot-/), edited(/"commitKind" : "APPEND"/, '"commitKind" : "MIRROR"')) }, /commit kind MIRROR/],
    ['a merge engine', schema(/"options" : \{/, '"options" : {"merge-engine" : "quantum", '), /quantum/],
    ['a changelog producer', schema(/"options" : \{/, '"options" : {"changelog-producer" : "oracle", '), /oracle/],
    ['a file format', schema(/"options" : \{/, '"options" : {"file.format" : "papyrus", '), undefined],
    ['a type', schema(/"INT NOT NULL"/, '"GEOMETRY NOT NULL"'), /GEOMETRY/],
  ] as const)('%s', async (_, make, message) => {
    const answer = await read(await make('k'))
    if (message === undefined) { expect(answer instanceof Error ? isClear(answer) : answer).toBeTruthy(); return }
    expect(answer).toMatchObject({ code: '0A000', message: expect.stringMatching(message) })
  })

  test.each([
    ['CREATE TABLE n (id int) WITH (\'bukcet\' = \'4\')', '0A000', /bukcet/],
    ['CREATE TABLE n (id int, PRIMARY KEY (id) NOT ENFORCED) WITH (\'bucket\' = \'1\', \'merge-engine\' = \'quantum\')', '0A000', /quantum/],
    ['CREATE TABLE n (id int, PRIMARY KEY (id) NOT ENFORCED) WITH (\'bucket\' = \'many\')', '22023', /bucket/],
    ['CREATE TABLE n (id geometry)', '42704', /geometry/],
    ['CREATE TABLE n (id int, id text)', '42701', /id/],
    ['CREATE TABLE n (id int, PRIMARY KEY (nr) NOT ENFORCED) WITH (\'bucket\' = \'1\')', '42703', /nr/],
    ['CREATE TABLE "a/b" (id int)', '42602', /a\/b/],
    ['CREATE TABLE ".." (id int)', '42602', /\.\./],
    ['SELECT * FROM "../a"', '42P01', /\.\.\/a/],
    ['SELECT * FROM a FOR SYSTEM_VERSION AS OF 99', '22023', /99/],
    ['SELECT * FROM a FOR SYSTEM_TIME AS OF timestamp \'1999-01-01\'', '22023', /default\.a/],
  ])('%s', async (sql, code, message) => {
    const error: unknown = await run(sql).then(rows => { throw new Error(`it gave ${rows.join()}`) }, (thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a directory that is not a table', async () => {
    await store.write('default.db/junk/notes.txt', new TextEncoder().encode('nothing'), 'create')
    await store.write('default.db/half/schema/', new Uint8Array(0), 'create')
    for (const name of ['junk', 'half']) await expect(run(`SELECT * FROM ${name}`)).rejects.toMatchObject({ code: '42P01' })
    expect(await run('SELECT table_name FROM information_schema.tables WHERE table_schema = \'default\' ORDER BY 1')).toEqual(['"a"', '"k"'])
  })
})

describe('a server', () => {
  let folder = '', server: ServerProcess
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-bad-'))
    server = await startServer(folder)
  })
  afterAll(async () => {
    expect(await server.stop('SIGTERM')).toBe(0)
    await rm(folder, { recursive: true })
  })
  const alive = async (): Promise<void> => {
    const client = await server.connect()
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    await client.end()
  }

  const megabyte = `SELECT ${Array.from({ length: 100_000 }, (_, i) => `${i} + 1`).join(' + ')}`
  test.each([
    ['a syntax error', 'SELECT FROM WHERE', '42601'],
    ['nothing but an operator', '+', '42601'],
    ['an open string', 'SELECT \'abc', '42601'],
    ['an open comment', 'SELECT 1 /* abc', '42601'],
    ['10,000 parentheses', `SELECT ${'('.repeat(10_000)}1${')'.repeat(10_000)}`, '54001'],
    ['10,000 open parentheses', `SELECT ${'('.repeat(10_000)}`, undefined],
    ['10,000 NOTs', `SELECT ${'NOT '.repeat(10_000)}true`, undefined],
    ['10,000 minus signs', `SELECT ${'- '.repeat(10_000)}1`, undefined],
    ['10,000 nested subqueries', `${'SELECT * FROM ('.repeat(10_000)}SELECT 1${') AS x'.repeat(10_000)}`, undefined],
    ['10,000 nested CASEs', `SELECT ${'CASE WHEN true THEN '.repeat(10_000)}1${' END'.repeat(10_000)}`, undefined],
    ['10,000 nested arrays', `SELECT ${'ARRAY['.repeat(10_000)}1${']'.repeat(10_000)}`, undefined],
    ['10,000 ORs', `SELECT ${'1 = 2 OR '.repeat(10_000)}true`, undefined],
    ['10,000 UNIONs', `SELECT 1${' UNION ALL SELECT 1'.repeat(10_000)}`, undefined],
    ['a megabyte of additions', megabyte, undefined],
    ['a megabyte in one string', `SELECT length('${'x'.repeat(1 << 20)}')`, 'ok'],
    ['a megabyte in one name', `SELECT ${'x'.repeat(1 << 20)}`, '42703'],
    ['10,000 columns', `SELECT ${Array.from({ length: 10_000 }, (_, i) => `${i} AS c${i}`).join(', ')}`, undefined],
    ['100,000 columns', `SELECT ${Array.from({ length: 100_000 }, (_, i) => `${i} AS c${i}`).join(', ')}`, '54011'],
    ['a list of 100,000 values', `SELECT count(*) FROM (VALUES ${Array.from({ length: 100_000 }, (_, i) => `(${i})`).join(', ')}) AS t(x)`, undefined],
    ['IN of 50,000 values', `SELECT 49999 IN (${Array.from({ length: 50_000 }, (_, i) => i).join(', ')})`, undefined],
    ['a deep JSON', `SELECT '${'['.repeat(100_000)}'::json`, undefined],
    ['a deep pattern', `SELECT 'x' ~ '${'('.repeat(20_000)}x${')'.repeat(20_000)}'`, undefined],
    ['a number of 100,000 digits', `SELECT ${'9'.repeat(100_000)}`, undefined],
    ['a long repeat', 'SELECT length(repeat(\'x\', 2000000000))', undefined],
  ])('%s', async (_, sql, code) => {
    const client = await server.connect()
    const outcome: unknown = await client.query(sql).then(() => 'ok', (error: unknown) => error)
    if (code === 'ok') expect(outcome).toBe('ok')
    else if (code !== undefined) expect(outcome).toMatchObject({ code })
    else if (outcome !== 'ok') {
      expect(outcome).toMatchObject({ code: expect.stringMatching(/^(?!XX|08)\w{5}$/) })
    }
    // the same connection goes on, and so does a new one
    expect((await client.query('SELECT 2 AS two')).rows).toEqual([{ two: 2 }])
    await client.end()
    await alive()
  }, 120_000)

  test('zero bytes and bytes that are no UTF-8', async () => {
    // node-postgres cannot send them: by hand
    for (const body of [Buffer.from('SELECT \'a\0b\'\0'), Buffer.from('SELECT 1'), Buffer.concat([Buffer.from('SELECT \''), Buffer.of(0xff, 0xfe), Buffer.from('\'\0')])]) {
      const answer = await talk(server.port, [startup(), message('Q', body), message('Q', Buffer.from('SELECT 42\0')), message('X', Buffer.alloc(0))])
      expect(answer.toString('latin1')).toMatch(/C(?:08P01|22021)\0/)
      expect(answer.toString('latin1')).toContain('42')
    }
  })

  test('random bytes on the port', async () => {
    let seed = 7
    const random = (below: number): number => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed % below }
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.from(Array.from({ length: random(400) }, () => random(256)))
      if (i % 2 === 0 && bytes.length >= 4) bytes.writeUInt32BE(bytes.length) // a length that could be right
      // half of them behind a good start-up
      await talk(server.port, i % 4 < 2 ? [bytes] : [startup(), bytes], 300)
    }
    // a length that would be two gigabytes
    await talk(server.port, [startup(), Buffer.from('Q\x7f\xff\xff\xff', 'latin1')], 300)
    await talk(server.port, [Buffer.from('\x7f\xff\xff\xff\0\x03\0\0', 'latin1')], 300)
    await alive()
  }, 120_000)
})

/** Sends, and gives what came until the server closed or was silent for `patience` milliseconds. */
function talk(port: number, parts: readonly Buffer[], patience = 5000): Promise<Buffer> {
  return new Promise(resolve => {
    const chunks: Buffer[] = [], socket = connect(port, '127.0.0.1', () => { for (const part of parts) socket.write(part) })
    const finish = (): void => { socket.destroy(); resolve(Buffer.concat(chunks)) }
    socket.setTimeout(patience, finish)
    socket.on('data', chunk => chunks.push(chunk))
    socket.on('end', finish)
    socket.on('error', finish)
    socket.on('close', finish)
  })
}
