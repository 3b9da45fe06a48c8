import { expect, test } from 'vitest'
import { rowsOf } from '../column.ts'
import { Engine } from '../engine.ts'
import { SqlError } from '../error.ts'
import { openMemoryStore } from '../storage/store-memory.ts'
import type { Value } from '../value.ts'
import { Session } from './session.ts'

async function opened(): Promise<{ engine: Engine; session: () => Session }> {
  const engine = await Engine.open({ lake: openMemoryStore(), database: 'test', threads: 1 })
  return { engine, session: () => new Session(engine, { user: 'test' }) }
}

/** The tag and the rows of a statement; with `more`, it is not the last of its simple query. */
async function run(session: Session, sql: string, more = false): Promise<{ tag: string; rows: Value[][] }> {
  try {
    const answer = await session.execute(await session.prepare(sql), []), rows: Value[][] = []
    for await (const batch of answer.batches) rows.push(...rowsOf(batch, session.engine.memory))
    if (!more) await session.sync(false)
    return { tag: answer.tag(rows.length), rows }
  } catch (error) {
    session.fail()
    await session.sync(true)
    throw error
  }
}

const failure = async (work: Promise<unknown>): Promise<string> => work.then(() => 'no error', (error: unknown) => error instanceof SqlError ? `${error.code} ${error.message}${error.details.detail === undefined ? '' : ` | ${error.details.detail}`}` : String(error))

const TABLE = "CREATE TABLE t (id int, v text, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1'"

test('command tags count the rows that were changed', async () => {
  const { engine, session } = await opened(), one = session()
  await run(one, `${TABLE})`)
  expect((await run(one, "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')")).tag).toBe('INSERT 0 3')
  expect((await run(one, "INSERT INTO t VALUES (3, 'x'), (4, 'd') ON CONFLICT DO NOTHING")).tag).toBe('INSERT 0 1')
  expect((await run(one, "UPDATE t SET v = v || '!' WHERE id <> 2")).tag).toBe('UPDATE 3')
  expect((await run(one, 'UPDATE t SET v = NULL WHERE id > 9')).tag).toBe('UPDATE 0')
  const deleted = await run(one, 'DELETE FROM t WHERE id < 3 RETURNING v')
  expect([deleted.tag, deleted.rows.flat().sort()]).toEqual(['DELETE 2', ['a!', 'b']])
  expect((await run(one, 'DELETE FROM t a USING t b')).tag).toBe('DELETE 2')
  expect((await run(one, 'DELETE FROM t')).tag).toBe('DELETE 0')
  await engine.close()
})

test('a change of rows that another session has changed since they were read fails with 40001', async () => {
  const { engine, session } = await opened(), one = session(), other = session()
  await run(one, `${TABLE})`)
  await run(one, "INSERT INTO t VALUES (1, 'a')")
  await run(one, 'BEGIN')
  await run(one, "UPDATE t SET v = v || 'one'")
  await run(other, "UPDATE t SET v = v || 'other'")
  expect(await failure(run(one, 'COMMIT'))).toMatch(/^40001 could not serialize access due to concurrent update/)
  expect((await run(one, 'SELECT v FROM t')).rows).toEqual([['aother']])
  // a plain INSERT follows from nothing that was read
  await run(one, 'BEGIN')
  await run(one, "INSERT INTO t VALUES (1, 'mine')")
  await run(other, "UPDATE t SET v = 'theirs'")
  await run(one, 'COMMIT')
  expect((await run(one, 'SELECT v FROM t')).rows).toEqual([['mine']])
  await engine.close()
})

test('reading what the transaction itself has written is refused', async () => {
  const { engine, session } = await opened(), one = session()
  await run(one, `${TABLE})`)
  await run(one, 'BEGIN')
  await run(one, "INSERT INTO t VALUES (1, 'a')")
  for (const sql of ['SELECT * FROM t', "UPDATE t SET v = 'b'", 'DELETE FROM t', "INSERT INTO t VALUES (1, 'a') ON CONFLICT DO NOTHING"]) {
    const inner = session()
    await run(inner, 'BEGIN')
    await run(inner, "INSERT INTO t VALUES (1, 'a')")
    expect(await failure(run(inner, sql)), sql).toMatch(/^0A000 reading table "t" after writing it in the same transaction/)
    await run(inner, 'ROLLBACK')
    // the statements of one simple query are a transaction, too
    await run(inner, "INSERT INTO t VALUES (1, 'a')", true)
    expect(await failure(run(inner, sql)), sql).toMatch(/^0A000 reading table "t"/)
  }
  await run(one, 'ROLLBACK')
  expect((await run(one, 'SELECT * FROM t')).rows).toEqual([])
  await engine.close()
})

test('insert_conflict = error tells the key, for statements prepared before, too', async () => {
  const { engine, session } = await opened(), one = session()
  await run(one, "CREATE TABLE k (g text, id int, v int, PRIMARY KEY (g, id) NOT ENFORCED) WITH ('bucket' = '1')")
  await run(one, "INSERT INTO k VALUES ('x y', 1, 1)")
  await run(one, "PREPARE again AS INSERT INTO k VALUES ('x y', 1, 2)")
  expect((await run(one, 'EXECUTE again')).tag).toBe('INSERT 0 1')
  await run(one, "SET insert_conflict = 'error'")
  // PostgreSQL's own words
  expect(await failure(run(one, 'EXECUTE again'))).toBe('23505 duplicate key value violates unique constraint "k_pkey" | Key (g, id)=(x y, 1) already exists.')
  expect((await run(one, 'SELECT v FROM k')).rows).toEqual([[2]])
  await engine.close()
})

test('options that would make a change something else are refused', async () => {
  const { engine, session } = await opened(), one = session()
  await run(one, `${TABLE}, 'ignore-delete' = 'true')`)
  expect(await failure(run(one, 'DELETE FROM t'))).toMatch(/^0A000 removing rows of table "t" with option ignore-delete/)
  await run(one, "CREATE TABLE s (id int, n int, v int, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1', 'sequence.field' = 'n')")
  await run(one, 'INSERT INTO s VALUES (1, 5, 5)')
  expect(await failure(run(one, 'UPDATE s SET n = 1'))).toMatch(/^0A000 assigning column "n", which is the sequence.field/)
  expect((await run(one, 'UPDATE s SET v = 6 RETURNING *')).rows).toEqual([[1, 5, 6]])
  await run(one, 'DELETE FROM s WHERE v = 6')
  expect((await run(one, 'SELECT * FROM s')).rows).toEqual([])
  await engine.close()
})

test('parameters take the types of the columns that they are assigned to', async () => {
  const { engine, session } = await opened(), one = session()
  await run(one, `${TABLE})`)
  const kinds = async (sql: string): Promise<string[]> => (await one.prepare(sql)).parameters.map(type => type.kind)
  expect(await kinds('UPDATE t SET v = $1 WHERE id = $2 RETURNING $3::int8')).toEqual(['text', 'int4', 'int8'])
  expect(await kinds('DELETE FROM t WHERE id = $1')).toEqual(['int4'])
  expect(await kinds('INSERT INTO t VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = excluded.v || $3')).toEqual(['int4', 'text', 'text'])
  await engine.close()
})

test('the history of a table with a changelog has the old rows and the new ones', async () => {
  const { engine, session } = await opened(), one = session()
  await run(one, `${TABLE}, 'changelog-producer' = 'input')`)
  await run(one, "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
  await run(one, 'DECLARE c CURSOR FOR SUBSCRIBE (SELECT id, v FROM t) WITH (snapshot = false)')
  const changes = async (): Promise<Value[][]> => (await run(one, "FETCH ALL c WITH (timeout = '0ms')")).rows.map(row => row.slice(1)).sort()
  await changes()
  await run(one, "UPDATE t SET v = 'c' WHERE id = 1")
  expect(await changes()).toEqual([[-1n, 1, 'a'], [1n, 1, 'c']])
  await run(one, 'DELETE FROM t WHERE id = 2')
  expect(await changes()).toEqual([[-1n, 2, 'b']])
  await engine.close()
})

test('who follows a table sees its rows go when it is truncated or overwritten', async () => {
  const { engine, session } = await opened(), one = session()
  for (const [name, definition] of [['keyed', TABLE.replace(' t ', ' keyed ') + ')'], ['plain', 'CREATE TABLE plain (id int, v text)']] as const) {
    await run(one, definition)
    await run(one, `INSERT INTO ${name} VALUES (1, 'a'), (2, 'b')`)
    await run(one, `DECLARE ${name} CURSOR FOR SUBSCRIBE (SELECT count(*), max(v) FROM ${name}) WITH (snapshot = false)`)
    await run(one, `DECLARE ${name}_rows CURSOR FOR SUBSCRIBE (SELECT v FROM ${name}) WITH (snapshot = false)`)
    const changes = async (cursor: string): Promise<Value[][]> => (await run(one, `FETCH ALL ${cursor} WITH (timeout = '0ms')`)).rows.map(row => row.slice(1)).sort()
    await changes(name)
    await changes(`${name}_rows`)
    await run(one, `INSERT OVERWRITE ${name} VALUES (2, 'b'), (3, 'c'), (4, 'd')`)
    expect(await changes(name)).toEqual([[-1n, 2n, 'b'], [1n, 3n, 'd']])
    expect(await changes(`${name}_rows`)).toEqual([[-1n, 'a'], [1n, 'c'], [1n, 'd']])
    await run(one, `TRUNCATE ${name}`)
    expect(await changes(name)).toEqual([[-1n, 3n, 'd'], [1n, 0n, null]])
    expect(await changes(`${name}_rows`)).toEqual([[-1n, 'b'], [-1n, 'c'], [-1n, 'd']])
  }
  await engine.close()
})
