/** Two processes write one lake at once: nothing that was acknowledged is lost, nothing is there twice, and Java Paimon reads the same. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { javaRows, noPeers } from './peer.ts'
import { startServer } from './server-process.ts'

const COMMITS = 60

test(`two processes write one append table and one table with a key${noPeers === undefined ? '' : ` (not read by Java: ${noPeers})`}`, async () => {
  const lake = await mkdtemp(join(tmpdir(), 'sluice-writers-'))
  const servers = await Promise.all([startServer(lake), startServer(lake)]), clients = await Promise.all(servers.map(server => server.connect()))
  await clients[0]?.query('CREATE TABLE a (id bigint, w int)')
  await clients[0]?.query('CREATE TABLE k (id bigint, w int, n int, PRIMARY KEY (id) NOT ENFORCED) WITH (\'bucket\' = \'2\')')
  await clients[0]?.query('INSERT INTO k VALUES (-1, -1, 0)')

  const appended: number[] = [], kept = new Map<number, string>()
  let counted = 0, contended: string[] = []
  await Promise.all(clients.map(async (client, w) => {
    const tries = async (sql: string): Promise<boolean> => {
      try {
        await client.query(sql)
        return true
      } catch (error) {
        // losing a race is an answer, too: then nothing was written
        expect(error).toMatchObject({ code: '40001' })
        return false
      }
    }
    for (let i = 0; i < COMMITS; i++) {
      const id = w * 1000 + i
      switch (i % 4) {
        case 0: case 1: if (await tries(`INSERT INTO a VALUES (${id}, ${w}), (${id + 500}, ${w})`)) appended.push(id, id + 500); break
        case 2: {
          // its own keys, over and over, and one that both write
          const own = w * 1000 + i % 8
          if (await tries(`INSERT INTO k VALUES (${own}, ${w}, ${i}), (7777, ${w}, ${i})`)) { kept.set(own, `${own} ${w} ${i}`); contended = [...contended, `7777 ${w} ${i}`] }
          break
        }
        default: if (await tries('UPDATE k SET n = n + 1 WHERE id = -1')) counted++
      }
    }
  }))
  expect(appended.length).toBeGreaterThan(COMMITS)
  expect(counted).toBeGreaterThan(0)

  const wanted = appended.toSorted((x, y) => x - y)
  const check = (a: readonly Record<string, unknown>[], k: readonly Record<string, unknown>[]): void => {
    expect(a.map(row => Number(row['id'])).sort((x, y) => x - y)).toEqual(wanted)
    const rows = k.map(row => `${String(row['id'])} ${String(row['w'])} ${String(row['n'])}`)
    expect(rows.filter(row => !row.startsWith('7777 ')).sort()).toEqual([...kept.values(), `-1 -1 ${counted}`].sort())
    // the last one of either writer
    const lasts = [0, 1].map(w => contended.findLast(row => row.startsWith(`7777 ${w} `)))
    expect(lasts).toContain(rows.find(row => row.startsWith('7777 ')))
  }
  const answers = await Promise.all(clients.map(async (client: pg.Client) => [(await client.query<Record<string, unknown>>('SELECT * FROM a')).rows, (await client.query<Record<string, unknown>>('SELECT * FROM k')).rows] as const))
  for (const [a, k] of answers) check(a, k)
  for (const client of clients) await client.end()
  for (const server of servers) expect(await server.stop('SIGTERM')).toBe(0)
  if (noPeers === undefined) check(await javaRows(lake, 'default.a'), await javaRows(lake, 'default.k'))
  await rm(lake, { recursive: true })
}, 180_000)
