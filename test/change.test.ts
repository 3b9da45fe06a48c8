/** Tables changed by UPDATE, DELETE, ON CONFLICT, INSERT OVERWRITE and TRUNCATE, as Java Paimon reads them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Engine } from '../src/engine.ts'
import { Session } from '../src/session/session.ts'
import { javaRows, noPeers } from './peer.ts'

test.skipIf(noPeers !== undefined)(`Java Paimon reads what changes left${noPeers === undefined ? '' : ` (${noPeers})`}`, { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-change-'))
  const engine = await Engine.open({ lake: folder, threads: 1 }), session = new Session(engine, { user: 'test' })
  const statement = async (sql: string): Promise<void> => {
    for await (const _ of (await session.execute(await session.prepare(sql), [])).batches) { /* only its effect is wanted */ }
    await session.sync(false)
  }
  try {
    for (const sql of [
      "CREATE TABLE t (id int, g text, v int, PRIMARY KEY (id, g) NOT ENFORCED) PARTITIONED BY (g) WITH ('bucket' = '2', 'changelog-producer' = 'input')",
      "INSERT INTO t VALUES (1, 'x', 1), (2, 'x', 2), (3, 'x', 3), (1, 'y', 4), (2, 'y', 5)",
      "UPDATE t SET v = v * 10 WHERE g = 'x'",
      'DELETE FROM t WHERE v = 20',
      "UPDATE t SET id = id + 10, g = 'z' WHERE g = 'y' AND id = 1",
      "INSERT INTO t VALUES (2, 'y', 1), (7, 'y', 7) ON CONFLICT (id, g) DO UPDATE SET v = t.v + excluded.v",
    ]) await statement(sql)
    const rows = await javaRows(folder, 'default.t')
    // worked out by hand
    expect(rows.map(({ id, g, v }) => [g, id, v].join(' ')).sort()).toEqual(['x 1 10', 'x 3 30', 'y 2 6', 'y 7 7', 'z 11 4'])
    for (const sql of ["INSERT OVERWRITE t VALUES (8, 'x', 8)", 'CREATE TABLE plain (id int)', 'INSERT INTO plain VALUES (1)', 'TRUNCATE plain', 'INSERT INTO plain VALUES (2), (2)']) await statement(sql)
    expect((await javaRows(folder, 'default.t')).map(({ g, id, v }) => [g, id, v].join(' ')).sort()).toEqual(['x 8 8', 'y 2 6', 'y 7 7', 'z 11 4'])
    expect((await javaRows(folder, 'default.plain')).map(({ id }) => id)).toEqual([2, 2])
  } finally {
    await session.close()
    await engine.close()
    await rm(folder, { recursive: true, force: true })
  }
})
