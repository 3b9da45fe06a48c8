/** A transaction whose table another session drops, and perhaps makes anew, before it commits: nothing of it may reach the other table. */
import { expect, test } from 'vitest'
import { rowsOf } from '../column.ts'
import { Engine } from '../engine.ts'
import { openMemoryStore } from '../storage/store-memory.ts'
import type { Value } from '../value.ts'
import { Session } from './session.ts'

async function run(session: Session, sql: string): Promise<Value[][]> {
  const rows: Value[][] = []
  for await (const batch of (await session.execute(await session.prepare(sql), [])).batches) rows.push(...rowsOf(batch, session.engine.memory))
  await session.sync(false)
  return rows
}

for (const again of ['CREATE TABLE t (s text)', 'CREATE TABLE t (x int)', undefined]) {
  test(`COMMIT after DROP TABLE${again === undefined ? '' : ` and ${again}`} is refused and leaves nothing`, async () => {
    const engine = await Engine.open({ lake: openMemoryStore(), threads: 1 }), one = new Session(engine, { user: 'one' }), two = new Session(engine, { user: 'two' })
    await run(one, 'CREATE TABLE t (x int)')
    await run(one, 'BEGIN')
    await run(one, 'INSERT INTO t VALUES (1)')
    await new Promise(resolve => setTimeout(resolve, 2)) // the other table is made at another millisecond
    await run(two, 'DROP TABLE t')
    if (again !== undefined) await run(two, again)
    await expect(run(one, 'COMMIT')).rejects.toMatchObject({ code: '40001' })
    if (again === undefined) await expect(run(two, 'SELECT * FROM t')).rejects.toMatchObject({ code: '42P01' })
    else expect(await run(two, 'SELECT * FROM t')).toEqual([])
    await Promise.all([one.close(), two.close()])
    await engine.close()
  })
}
