/** Statements that were prepared: what the client was told of their columns and parameters stays true. The errors are PostgreSQL's. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Engine } from '../engine.ts'
import { openMemoryStore } from '../storage/store-memory.ts'
import { Session } from './session.ts'

let engine: Engine
beforeAll(async () => { engine = await Engine.open({ lake: openMemoryStore(), threads: 1 }) })
afterAll(() => engine.close())

async function run(session: Session, sql: string): Promise<void> {
  for await (const _ of (await session.execute(await session.prepare(sql), [])).batches) { /* only its effect is wanted */ }
  await session.sync(false)
}

test('a statement whose columns became others is refused, since its client reads rows by what it was told', async () => {
  const session = new Session(engine, { user: 'one' }), other = new Session(engine, { user: 'two' })
  await run(session, 'CREATE TABLE p (a int, b text)')
  const prepared = await session.prepare('SELECT * FROM p')
  await run(other, 'DROP TABLE p')
  await run(other, 'CREATE TABLE p (a text)')
  await new Promise(resolve => setTimeout(resolve, 20))
  await expect(session.execute(prepared, [])).rejects.toMatchObject({ code: '0A000', message: 'cached plan must not change result type' })
  await run(other, 'DROP TABLE p')
  await run(other, 'CREATE TABLE p (a int, b text)')
  const answer = await session.execute(prepared, [])
  expect(answer.fields?.map(field => field.name)).toEqual(['a', 'b'])
  for await (const _ of answer.batches) expect.unreachable('the table is empty')
  await Promise.all([session.close(), other.close()])
})

test('a parameter without a value is an error, not NULL', async () => {
  const session = new Session(engine, { user: 'one' })
  const prepared = await session.prepare('SELECT $1::int + $2::int')
  await expect(session.execute(prepared, [1])).rejects.toMatchObject({ code: '42P02', message: 'there is no parameter $2' })
  await session.close()
})
