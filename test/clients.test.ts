/** Real clients against a served lake. Each part skips itself when the client, or the lake of ../shared, is not on the machine. */
import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client, types } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Engine } from '../src/engine.ts'
import { listen } from '../src/wire/server.ts'
import type { WireServer } from '../src/wire/server.ts'

const run = promisify(execFile)
const golden = fileURLToPath(new URL('../../shared/golden/paimon/', import.meta.url)), source = join(golden, 'pk-dedup-levels/warehouse')
const scratch = mkdtempSync(join(tmpdir(), 'sluice-clients-')), lake = join(scratch, 'lake')
/** 277 rows: k int8, the key; v text; n int4. */
const ROWS = 277

let engine: Engine, server: WireServer
beforeAll(async () => {
  if (!existsSync(source)) return
  cpSync(source, lake, { recursive: true })
  engine = await Engine.open({ lake, database: 'lake', threads: 1 })
  server = await listen(engine, { host: 'localhost', port: 0 })
})
afterAll(async () => {
  await server?.close()
  await engine?.close()
  rmSync(scratch, { recursive: true, force: true })
})

const works = (command: string, ...args: readonly string[]): boolean => {
  try { execFileSync(command, args, { stdio: 'ignore' }); return true } catch { return false }
}
const missing = (what: string): string => existsSync(source) ? what : '../shared/golden is not here'
/** A suite, or the reason that it is skipped. */
const suite = (name: string, ready: boolean, why: string): typeof describe.skip => ready && existsSync(source) ? describe : ((_: string, body: () => void) => describe.skip(`${name}: ${missing(why)}`, body)) as typeof describe.skip

suite('psql', works('psql', '--version'), 'psql is not installed')('psql', () => {
  const psql = async (...commands: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await run('psql', ['-X', '-h', 'localhost', '-p', String(server.port), '-U', 'me', ...commands.flatMap(each => ['-c', each])], { env: { ...process.env, PGTZ: 'UTC' } })
    return stdout + stderr
  }
  test('lists', async () => {
    expect(await psql('\\l')).toMatch(/^ lake +\| me +\| UTF8/m)
    expect(await psql('\\dn')).toMatch(/^ default +\| me$/m)
    expect(await psql('\\dt')).toMatch(/^ default \| t +\| table \| me/m)
    expect(await psql('\\du')).toMatch(/^ me +\| Superuser/m)
    expect(await psql('\\di')).toMatch(/^ default \| t_pkey \| index \| me +\| t/m)
    expect(await psql('\\df version')).toMatch(/^ pg_catalog \| version \|/m)
  })
  test('describes', async () => {
    expect(await psql('\\d t')).toBe([
      '                 Table "default.t"', ' Column |  Type   | Collation | Nullable | Default ', '--------+---------+-----------+----------+---------',
      ' k      | bigint  |           | not null | ', ' v      | text    |           |          | ', ' n      | integer |           |          | ', 'Indexes:', '    "t_pkey" PRIMARY KEY, btree (k)', '', '',
    ].join('\n'))
    expect(await psql('\\d+ t')).toMatch(/^Access method: heap\nOptions: .*bucket=/m)
    expect(await psql('\\d pg_class')).toMatch(/^ relname +\| name +\|/m)
    await expect(psql('\\d nosuch')).rejects.toMatchObject({ stderr: 'Did not find any relation named "nosuch".\n' })
  })
  test('statements', async () => {
    expect(await psql('SELECT count(*) AS n FROM t')).toBe(`  n  \n-----\n ${ROWS}\n(1 row)\n\n`)
    expect(await psql('PREPARE s(int8) AS SELECT k FROM t WHERE k = $1', 'EXECUTE s(7)', 'DEALLOCATE s')).toBe('PREPARE\n k \n---\n 7\n(1 row)\n\nDEALLOCATE\n')
    await expect(psql('SELECT nosuch FROM t')).rejects.toMatchObject({ stderr: 'ERROR:  column "nosuch" does not exist\nLINE 1: SELECT nosuch FROM t\n               ^\n' })
  })
})

describe.skipIf(!existsSync(source))('node-postgres', () => {
  const connected = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ host: 'localhost', port: server.port, user: 'me', database: 'lake' })
    await client.connect()
    try { return await work(client) } finally { await client.end() }
  }
  test('parameters, named statements', () => connected(async client => {
    expect((await client.query('SELECT $1::int4 + 1 AS a, $2::text AS b, $3::numeric AS c, $4::int8[] AS d', [41, 'é', '1.50', [1, null]])).rows).toEqual([{ a: 42, b: 'é', c: '1.50', d: ['1', null] }])
    for (let i = 0; i < 5; i++) expect((await client.query({ name: 'one', text: 'SELECT k FROM t WHERE k = $1', values: [7] })).rows).toEqual([{ k: '7' }])
    expect((await client.query({ text: 'SELECT count(*) FROM t', rowMode: 'array' })).rows).toEqual([[String(ROWS)]])
    expect((await client.query('SELECT k FROM t LIMIT 0')).fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([['k', types.builtins.INT8]])
  }))
  test('an error with its code and place, then on', () => connected(async client => {
    await expect(client.query('SELECT  nosuch FROM t')).rejects.toMatchObject({ code: '42703', position: '9', severity: 'ERROR' })
    await expect(client.query('SELECT 1/n FROM (VALUES ($1::int4), (1)) AS v(n)', [0])).rejects.toMatchObject({ code: '22012' })
    expect((await client.query('SELECT 7 AS a')).rows).toEqual([{ a: 7 }])
  }))
  test('a subscription by cursor', () => connected(client => connected(async writer => {
    await writer.query('CREATE TABLE changing (k int8 PRIMARY KEY, v text) WITH (bucket = 1)')
    await writer.query('INSERT INTO changing VALUES (1, \'one\')')
    await client.query('BEGIN')
    await client.query('DECLARE c CURSOR FOR SUBSCRIBE (SELECT k, v FROM changing)')
    const fetch = async (): Promise<unknown[]> => (await client.query('FETCH ALL FROM c')).rows.map(({ mz_diff, k, v }) => [mz_diff, k, v])
    expect(await fetch()).toEqual([['1', '1', 'one']])
    const next = fetch()
    await writer.query('INSERT INTO changing VALUES (1, \'uno\'), (2, \'two\')')
    expect((await next).map(row => JSON.stringify(row)).sort()).toEqual(['["-1","1","one"]', '["1","1","uno"]', '["1","2","two"]'])
    await client.query('COMMIT')
    await writer.query('DROP TABLE changing')
  })))
  test('what drivers and SQLAlchemy ask first', () => connected(async client => {
    const first = async (sql: string): Promise<unknown> => Object.values((await client.query(sql)).rows[0] ?? {})[0]
    expect(await first('select pg_catalog.version()')).toMatch(/^PostgreSQL 15/)
    expect(await first('select current_schema()')).toBe('default')
    expect(await first('show transaction isolation level')).toBe('read committed')
    expect(await first('show standard_conforming_strings')).toBe('on')
    await client.query('SET extra_float_digits = 3; SET application_name = \'x\'')
    await client.query('DISCARD ALL')
    expect(await first('SHOW application_name')).toBe('')
    expect(await first('SELECT \'t\'::regclass::text')).toBe('t')
    expect(await first('SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = \'t\'::regclass')).toBe('CREATE UNIQUE INDEX t_pkey ON "default".t USING btree (k)')
  }))
})

const python = process.env.SLUICE_PYTHON ?? 'python3'
suite('psycopg 3', works(python, '-c', 'import psycopg'), 'psycopg is not installed (SLUICE_PYTHON names a Python that has it)')('psycopg 3', () => {
  test('everything it does', async () => {
    const { stdout } = await run(python, [fileURLToPath(new URL('./Psycopg.py', import.meta.url)), String(server.port), 't'])
    const values = ['42', '1.50', '2024-02-29', '[1, 2]', 'é', 'None', 'True', '0.1']
    expect(JSON.parse(stdout)).toEqual({
      'version': 15, 'text': values, 'binary': values, 'prepared': [1, 2, 3, 4, 5, 6, 7, 8], 'server-side cursor': [3, ROWS - 3], 'copy': 2, 'pipeline': [0, 1, 2, 3, 4],
      'pipeline with an error': ['42703', 7], 'error': ['42703', '9', 'ERROR', 7], 'stream': ROWS, 'type': 1007, 'autocommit': [7, 'IDLE'],
    })
  })
})

/** The driver's jar: SLUICE_PGJDBC, or what Maven has fetched. */
function jar(): string | undefined {
  if (process.env.SLUICE_PGJDBC !== undefined) return process.env.SLUICE_PGJDBC
  const folder = join(homedir(), '.m2/repository/org/postgresql/postgresql')
  if (!existsSync(folder)) return undefined
  return readdirSync(folder).map(version => join(folder, version, `postgresql-${version}.jar`)).filter(file => existsSync(file)).at(-1)
}
const driver = jar()
suite('pgjdbc', driver !== undefined && works('javac', '-version'), 'javac or the driver is missing (mvn dependency:get -Dartifact=org.postgresql:postgresql:42.7.4)')('pgjdbc', () => {
  test('everything it does', async () => {
    const classes = mkdtempSync(join(scratch, 'java-')), path = `${classes}:${driver ?? ''}`
    await run('javac', ['-cp', path, '-d', classes, fileURLToPath(new URL('./Jdbc.java', import.meta.url))])
    const { stdout } = await run('java', ['-Duser.timezone=UTC', '-cp', path, 'Jdbc', String(server.port), 't'])
    const said = Object.fromEntries(stdout.trim().split('\n').map(line => { const at = line.indexOf(': '); return [line.slice(0, at), line.slice(at + 2)] }))
    expect(said).toMatchObject({
      'prepared': '[1/1.50/é0/1099511627776/2024-02-29] 8/1.50/é7/1099511627776/2024-02-29',
      'types': 'true 1 1.5 1.5 2024-02-29 12:00:00.0 2 a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11 [1, 2] null 12:34:56',
      'fetchSize': `${ROWS} rows, sum ${sumOfKeys()}`,
      'error': '42703 at 9', 'after the error': '7', 'transaction': '22012 25P02 7', 'isolation': 'true', 'product': 'PostgreSQL 15',
      'schemas': '[default, information_schema, pg_catalog]', 'tables': '[default|t|TABLE]', 'result metadata': 't.k int8 0, text', 'timeout': '57014', 'after the timeout': '7',
    })
    expect(said['copy']).toMatch(/^2 \d+;\d+;$/)
  })
  /** From what the golden lake's maker wrote down, not from the engine. */
  function sumOfKeys(): number {
    const expected: { readonly latest: { readonly rows: readonly (readonly [string, string, number])[] } } = JSON.parse(readFileSync(join(golden, 'pk-dedup-levels/expected.json'), 'utf8'))
    return expected.latest.rows.reduce((sum, [k]) => sum + Number(k), 0)
  }
})
