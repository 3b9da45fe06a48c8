import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { javaRows, noPeers } from './peer.ts'
import { startServer } from './server-process.ts'

const folders: string[] = []
afterAll(async () => { for (const folder of folders) await rm(folder, { recursive: true, force: true }) })

test('kill -9 in the middle of 200 commits loses nothing that was acknowledged', async () => {
  const lake = await mkdtemp(join(tmpdir(), 'sluice-crash-'))
  folders.push(lake)
  const acknowledged = new Set<number>()
  let next = 0
  for (let round = 0; acknowledged.size < 200; round++) {
    expect(round).toBeLessThan(12)
    const server = await startServer(lake)
    const clients = [await server.connect(), await server.connect()]
    if (round === 0) {
      await clients[0]?.query('CREATE TABLE a (id bigint, w int)')
      await clients[0]?.query(`CREATE TABLE k (id bigint, w int, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '2')`)
    }
    let stop = false
    // two writers at once, on the same tables
    const writers = clients.map(async (client, writer) => {
      while (!stop) {
        const id = next++
        try {
          await client.query(`INSERT INTO ${id % 2 === 0 ? 'a' : 'k'} VALUES (${id}, ${writer})`)
          acknowledged.add(id)
        } catch (error) {
          if (!stop) throw error
          return
        }
      }
    })
    const goal = Math.min(200, acknowledged.size + 40 + (round * 7) % 13)
    while (acknowledged.size < goal) await new Promise(resolve => setTimeout(resolve, 3))
    stop = true
    expect(await server.stop('SIGKILL')).toBe('SIGKILL')
    await Promise.allSettled(writers)
  }
  const server = await startServer(lake), client = await server.connect()
  const read = async (table: string): Promise<number[]> => (await client.query<{ id: string }>(`SELECT id FROM ${table}`)).rows.map(row => Number(row.id))
  const a = await read('a'), k = await read('k'), seen = new Set([...a, ...k])
  expect(a.length + k.length).toBe(seen.size) // nothing twice
  expect([...acknowledged].filter(id => !seen.has(id))).toEqual([])
  await client.end()
  expect(await server.stop('SIGTERM')).toBe(0)
  if (noPeers === undefined) {
    for (const [table, ids] of [['a', a], ['k', k]] as const) {
      expect((await javaRows(lake, `default.${table}`)).map(row => Number(row['id'])).sort((x, y) => x - y)).toEqual([...ids].sort((x, y) => x - y))
    }
  }
}, 180_000)
