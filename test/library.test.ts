/** Sluice as a library: what its users' programs rely on. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SqlError, open } from '../src/index.ts'
import type { Lake, QueryResult, RecordBatch } from '../src/index.ts'

const folders: string[] = []
async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'sluice-library-'))
  folders.push(made)
  return made
}
let lake: Lake, place: string
beforeAll(async () => {
  place = await folder()
  lake = await open(place)
  await lake.query('CREATE TABLE big (id bigint, s text)').done()
  for (let part = 0; part < 3; part++) await lake.query(`INSERT INTO big SELECT ${part} * 100000 + i, 'row ' || i FROM generate_series(1, 100000) AS g(i)`).done()
})
afterAll(async () => {
  await lake.close()
  for (const each of folders) await rm(each, { recursive: true, force: true })
})

/** All batches of an answer as one Arrow table. */
async function arrow(result: QueryResult): Promise<Table> {
  const batches: RecordBatch[] = []
  for await (const batch of result) batches.push(batch)
  return new Table(batches)
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(value => { throw new Error(`it gave ${JSON.stringify(value)}`) }, (error: unknown) => error)
}

/** What Arrow has of each SQL type: its type, and the value as the Arrow library gives it. */
const TYPES: readonly (readonly [sql: string, type: string, value: unknown])[] = [
  ['true', 'Bool', true],
  ['(-32768)::int2', 'Int16', -32768],
  ['(-2147483648)::int4', 'Int32', -2147483648],
  ['9223372036854775807::int8', 'Int64', 9223372036854775807n],
  ['1.1::float4', 'Float32', Math.fround(1.1)],
  ['\'-Infinity\'::float8', 'Float64', -Infinity],
  ['(-123.45)::numeric(5,2)', 'Decimal[5e+2]', '-12345'],
  ['(-12345678901234567890.123456789)::numeric(38,9)', 'Decimal[38e+9]', '-12345678901234567890123456789'],
  ['(\'1.\' || repeat(\'0\', 40))::numeric', 'Utf8', `1.${'0'.repeat(40)}`],
  ['\'a😀\'::text', 'Utf8', 'a😀'],
  ['\'ab\'::varchar(5)', 'Utf8', 'ab'],
  ['\'\\x00ff\'::bytea', 'Binary', '00ff'],
  ['date \'1969-12-31\'', 'Date32<DAY>', -86_400_000],
  ['time \'01:02:03.123456\'', 'Time64<MICROSECOND>', 3_723_123_456n],
  ['timestamp \'1969-12-31 23:59:59.999\'', 'Timestamp<MICROSECOND>', -1],
  ['timestamptz \'2024-01-01 00:00:00+02\'', 'Timestamp<MICROSECOND, UTC>', Date.UTC(2023, 11, 31, 22)],
  ['interval \'1 mon 2 days 00:00:01\'', 'Interval<MONTH_DAY_NANO>', [1, 2, 1_000_000_000, 0]],
  ['\'{"a": 1}\'::jsonb', 'Utf8', '{"a": 1}'],
  ['\'00000000-0000-0000-0000-00000000000F\'::uuid', 'Utf8', '00000000-0000-0000-0000-00000000000f'],
  ['array[1,NULL,3]', 'List<Int32>', [1, null, 3]],
  ['array[\'x\',\'\']', 'List<Utf8>', ['x', '']],
  ['4294967295::oid', 'Uint32', 4294967295],
]

describe('query as Arrow', () => {
  test.each(TYPES)('%s is %s', async (sql, type, value) => {
    const table = await arrow(lake.query(`SELECT * FROM (SELECT ${sql} AS x, 1 AS n UNION ALL SELECT NULL, 2) AS s ORDER BY n`))
    // through Arrow's own file format: buffers whose lengths are wrong do not survive that
    const copy = tableFromIPC(tableToIPC(table, 'stream')), column = copy.getChild('x')
    expect(String(copy.schema.fields[0]?.type)).toBe(type)
    expect(column?.nullCount).toBe(1)
    expect([plain(column?.get(0)), column?.get(1)]).toEqual([value, null])
  })

  test('columns of a Paimon table: rows, maps, nothing but NULL, nothing at all', async () => {
    await lake.query('CREATE TABLE nested (id int NOT NULL, m map<text, int>, r row<a int, b text>, l array<row<c bigint>>)').done()
    await lake.query('INSERT INTO nested (id) VALUES (1)').done()
    const table = tableFromIPC(tableToIPC(await arrow(lake.query('SELECT * FROM nested')), 'stream'))
    expect(table.schema.fields.map(field => `${field.name} ${String(field.type)}`)).toEqual(['id Int32', 'm Map<{key:Utf8, value:Int32}>', 'r Struct<{a:Int32, b:Utf8}>', 'l List<Struct<{c:Int64}>>'])
    expect(table.toArray().map((row: { toJSON(): unknown }) => row.toJSON())).toEqual([{ id: 1, m: null, r: null, l: null }])
    const batches: RecordBatch[] = []
    for await (const batch of lake.query('SELECT id FROM nested WHERE id = 2')) batches.push(batch)
    expect(batches.reduce((rows, batch) => rows + batch.numRows, 0)).toBe(0)
  })

  test('many batches hold all rows, and are the reader\'s own', async () => {
    const table = await arrow(lake.query('SELECT id, \'as \' || s AS s FROM big'))
    expect(table.numRows).toBe(300_000)
    expect(table.batches.length).toBeGreaterThan(1)
    await lake.query('SELECT \'other\' || s FROM big').rows() // uses the same memory again
    const numbers = table.getChild('id'), texts = table.getChild('s'), seen = new Set<number>()
    for (let row = 0; row < table.numRows; row++) {
      const id = Number(numbers?.get(row))
      seen.add(id)
      if (row % 997 === 0) expect(texts?.get(row)).toBe(`as row ${(id - 1) % 100_000 + 1}`)
    }
    expect(seen.size).toBe(300_000)
    expect(lake.engine.memory.used).toBe(0)
  })
})

/** What the Arrow library gives, in JavaScript's own values. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Uint32Array) return String(value)
  if (value instanceof Int32Array) return [...value]
  return typeof value === 'object' && value !== null && Symbol.iterator in value ? [...value as Iterable<unknown>] : value
}

describe('rows', () => {
  test('values are JavaScript\'s', async () => {
    const [row] = await lake.query(`SELECT true AS b, 1::int2 AS i2, 2 AS i4, 3::int8 AS i8, 0.5::float4 AS f4, 'NaN'::float8 AS f8, 1.10 AS n, 'é' AS t, '\\x01'::bytea AS y,
      date '2024-02-29' AS d, timestamp '1969-12-31 23:59:59.9999' AS ts, timestamptz 'infinity' AS tz, time '01:02:03' AS ti, '{"a":1}'::jsonb AS j, array[1,NULL] AS a, NULL::int AS z`).rows()
    expect(row).toEqual({
      b: true, i2: 1, i4: 2, i8: 3n, f4: 0.5, f8: NaN, n: '1.10', t: 'é', y: Uint8Array.of(1),
      d: new Date('2024-02-29'), ts: new Date(-1), tz: 'infinity', ti: '01:02:03', j: '{"a": 1}', a: [1, null], z: null,
    })
  })
  test('fields are known before the rows', async () => {
    const query = lake.query('SELECT 1 AS a, \'x\'::text AS b, now() AS c')
    expect((await query.fields()).map(field => [field.name, field.type.kind])).toEqual([['a', 'int4'], ['b', 'text'], ['c', 'timestamptz']])
    expect(await query.rows()).toHaveLength(1)
  })
  test('an answer is read once', async () => {
    const query = lake.query('SELECT 1 AS a')
    expect(await query.rows()).toEqual([{ a: 1 }])
    expect(await failure(query.rows())).toMatchObject({ code: '55000' })
  })
  test('parameters of every kind', async () => {
    const [row] = await lake.query('SELECT $1::bool AS b, $2::int AS i, $3::bigint AS l, $4::float8 AS f, $5::text AS t, $6::bytea AS y, $7::timestamptz AS d, $8::int[] AS a, $9::text AS z, $10::numeric AS n', [
      true, 7, 2n ** 62n, 0.1, 'it\'s; -- "x"', Uint8Array.of(0, 255), new Date('2024-01-01T00:00:00.001Z'), [1, null, 3], null, '1.500',
    ]).rows()
    expect(row).toEqual({ b: true, i: 7, l: 2n ** 62n, f: 0.1, t: 'it\'s; -- "x"', y: Uint8Array.of(0, 255), d: new Date('2024-01-01T00:00:00.001Z'), a: [1, null, 3], z: null, n: '1.500' })
    expect(await lake.query('SELECT i FROM generate_series(1, 5) AS g(i) WHERE i > $1', [3]).rows()).toEqual([{ i: 4 }, { i: 5 }])
  })
})

describe('errors', () => {
  test.each([
    ['SELECT 1 FROM nothing', [], '42P01'], ['SELECT 1 +', [], '42601'], ['SELECT $1::int', [], '08P01'], ['SELECT 1', [1], '08P01'], ['SELECT $1::int', ['x'], '22P02'],
    ['SELECT $1::int', [2 ** 31], '22003'], ['SELECT $1::int', [1.5], '22P02'], ['SELECT $1::int', [[1]], '42804'], ['SELECT 1 / (i - 5) FROM generate_series(1, 9) AS g(i)', [], '22012'],
    ['SELECT \'\0\'', [], '22021'],
  ] as const)('%s with %j: %s', async (sql, parameters, code) => {
    const error = await failure(lake.query(sql, parameters).rows())
    expect(error).toBeInstanceOf(SqlError)
    expect(error).toMatchObject({ code })
    expect(lake.engine.memory.used).toBe(0)
  })
  test('an error amid the batches ends the loop and frees everything', async () => {
    let batches = 0
    const reading = async (): Promise<void> => { for await (const batch of lake.query('SELECT 1 / (id - 250000) AS x FROM big')) batches += batch.numRows > 0 ? 1 : 0 }
    expect(await failure(reading())).toMatchObject({ code: '22012' })
    expect(batches).toBeGreaterThan(0)
    expect(lake.engine.memory.used).toBe(0)
  })
  test('an INSERT that fails leaves nothing', async () => {
    await lake.query('CREATE TABLE whole (id int)').done()
    expect(await failure(lake.query('INSERT INTO whole SELECT 10 / (5 - i) FROM generate_series(1, 9) AS g(i)').done())).toMatchObject({ code: '22012' })
    expect(await lake.query('SELECT * FROM whole').rows()).toEqual([])
    expect(await lake.query('INSERT INTO whole VALUES (1), (2)').done()).toBe('INSERT 0 2')
    expect(await lake.query('SELECT id FROM whole ORDER BY id').rows()).toEqual([{ id: 1 }, { id: 2 }])
  })
})

test('leaving a loop early frees what the query held, with threads and without', async () => {
  const alone = await open(place, { threads: 1 })
  for (const each of [lake, alone]) {
    for (const sql of ['SELECT * FROM big', 'SELECT s, count(*) FROM big GROUP BY s', 'SELECT a.id FROM big AS a JOIN big AS b ON a.id = b.id', 'SELECT * FROM big ORDER BY s DESC', 'SELECT DISTINCT s FROM big']) {
      let rows = 0
      for await (const batch of each.query(sql)) { rows += batch.numRows; break }
      expect(rows, sql).toBeGreaterThan(0)
      expect(each.engine.memory.used, sql).toBe(0)
    }
    expect(await each.query('SELECT count(*) AS n, sum(id) AS s FROM big').rows()).toEqual([{ n: 300_000n, s: '45000150000' }])
  }
  await alone.close()
}, 60_000)

describe('subscribe', () => {
  test('an empty table\'s first answer is empty; then its changes, with parameters', async () => {
    await lake.query('CREATE TABLE live (id int, v int, PRIMARY KEY (id) NOT ENFORCED) WITH (\'bucket\' = \'1\')').done()
    const epochs = lake.subscribe('SELECT id, v FROM live WHERE v > $1', { parameters: [10] })[Symbol.asyncIterator]()
    const first = await epochs.next()
    expect(first.value).toMatchObject({ changes: [] })
    await lake.query('INSERT INTO live VALUES (1, 5), (2, 20)').done()
    const second = await epochs.next()
    expect(second.value).toMatchObject({ changes: [{ diff: 1, row: { id: 2, v: 20 } }] })
    await lake.query('INSERT INTO live VALUES (2, 7), (1, 11)').done()
    const third = await epochs.next()
    const changes: readonly { diff: number; row: unknown }[] = third.value?.changes ?? []
    expect(changes.toSorted((a, b) => a.diff - b.diff)).toEqual([{ diff: -1, row: { id: 2, v: 20 } }, { diff: 1, row: { id: 1, v: 11 } }])
    await epochs.return?.()
    expect(lake.engine.memory.used).toBe(0)
  })
  test('without the snapshot only what changes comes', async () => {
    const epochs = lake.subscribe('SELECT sum(v) AS s FROM live', { snapshot: false })[Symbol.asyncIterator](), next = epochs.next()
    await new Promise(resolve => setTimeout(resolve, 300))
    await lake.query('INSERT INTO live VALUES (3, 1)').done()
    expect((await next).value).toMatchObject({ changes: expect.arrayContaining([{ diff: -1, row: { s: 18n } }, { diff: 1, row: { s: 19n } }]) })
    await epochs.return?.()
  })
  test('abort ends it: while it waits, and before it began', async () => {
    const stop = new AbortController()
    let epochs = 0
    const following = (async () => { for await (const epoch of lake.subscribe('SELECT * FROM live', { signal: stop.signal })) epochs += epoch.changes.length > 0 ? 1 : 0 })()
    while (epochs === 0) await new Promise(resolve => setTimeout(resolve, 5))
    const at = Date.now()
    stop.abort()
    await following
    expect(Date.now() - at).toBeLessThan(500)
    for await (const epoch of lake.subscribe('SELECT * FROM live', { signal: AbortSignal.abort() })) throw new Error(`it gave ${JSON.stringify(epoch)}`)
    expect(lake.engine.memory.used).toBe(0)
  })
  test('errors: before the first epoch, and amid', async () => {
    const all = async (sql: string, parameters: readonly number[] = []): Promise<void> => { for await (const epoch of lake.subscribe(sql, { parameters })) if (epoch.timestamp < 0) return }
    expect(await failure(all('SELECT * FROM nothing'))).toMatchObject({ code: '42P01' })
    expect(await failure(all('SELECT * FROM live WHERE id = $1'))).toMatchObject({ code: '08P01' })
    const dividing = all('SELECT 1 / (v - 100) FROM live')
    setTimeout(() => { lake.query('INSERT INTO live VALUES (9, 100)').done().catch(() => undefined) }, 200)
    expect(await failure(dividing)).toMatchObject({ code: '22012' })
    expect(lake.engine.memory.used).toBe(0)
  })
})

test('two engines on one lake see each other\'s tables and rows, and one outlives the other', async () => {
  const other = await open(place)
  await other.query('CREATE TABLE theirs (id int)').done()
  await lake.query('INSERT INTO theirs VALUES (1)').done()
  await Promise.all([other.query('INSERT INTO theirs VALUES (2)').done(), lake.query('INSERT INTO theirs VALUES (3)').done()])
  const ids = async (each: Lake): Promise<unknown> => each.query('SELECT id FROM theirs ORDER BY id').rows()
  expect(await ids(lake)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
  expect(await ids(other)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }])
  await other.query('DROP TABLE theirs').done()
  await other.close()
  expect(await failure(ids(lake))).toMatchObject({ code: '42P01' })
})

test('many queries at once', async () => {
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => lake.query('SELECT count(*) AS n FROM big WHERE id % 60 = $1', [i]).rows()))
  expect(answers).toEqual(Array.from({ length: 60 }, () => [{ n: 5000n }]))
  expect(lake.engine.memory.used).toBe(0)
})
