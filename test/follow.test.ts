import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { open } from '../src/index.ts'
import { java, noPeers } from './peer.ts'

const folders: string[] = []
afterAll(async () => { for (const folder of folders) await rm(folder, { recursive: true, force: true }) })
const folder = async (): Promise<string> => { const made = await mkdtemp(join(tmpdir(), 'sluice-follow-')); folders.push(made); return made }

test('a subscription sees each commit of another process once, in order', async () => {
  // two engines on one lake stand for two processes: they share nothing but the files
  const lake = await folder(), ours = await open(lake), theirs = await open(lake)
  await theirs.query(`CREATE TABLE t (id int, v int, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1')`).done()
  await theirs.query('INSERT INTO t VALUES (1, 10), (2, 20)').done()
  const stop = new AbortController(), epochs: { timestamp: number; changes: string[] }[] = []
  const following = (async () => {
    for await (const epoch of ours.subscribe('SELECT id, v FROM t', { signal: stop.signal })) {
      epochs.push({ timestamp: epoch.timestamp, changes: epoch.changes.map(({ diff, row }) => `${diff} ${String(row['id'])} ${String(row['v'])}`).sort() })
      if (epochs.length === 4) stop.abort()
    }
  })()
  while (epochs.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  await theirs.query('INSERT INTO t VALUES (2, 21)').done()
  await theirs.query('INSERT INTO t VALUES (3, 30), (4, 40)').done()
  await theirs.query('INSERT INTO t VALUES (1, 10), (4, 41)').done()
  await following
  expect(epochs.map(epoch => epoch.changes)).toEqual([['1 1 10', '1 2 20'], ['-1 2 20', '1 2 21'], ['1 3 30', '1 4 40'], ['-1 4 40', '1 4 41']])
  expect(epochs.every((epoch, i) => i === 0 || epoch.timestamp > (epochs[i - 1]?.timestamp ?? 0))).toBe(true)
  expect(ours.engine.memory.used).toBe(0)
  await ours.close()
  await theirs.close()
}, 60_000)

test.skipIf(noPeers !== undefined)(`a subscription sees each commit of Java Paimon once, in order${noPeers === undefined ? '' : ` (skipped: ${noPeers})`}`, async () => {
  const lake = await folder(), ours = await open(lake)
  await ours.query(`CREATE TABLE t (id int, v text, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1')`).done()
  await ours.query(`INSERT INTO t VALUES (0, 'ours')`).done()
  const stop = new AbortController(), seen: string[][] = []
  const following = (async () => {
    for await (const epoch of ours.subscribe('SELECT id, v FROM t', { signal: stop.signal })) {
      seen.push(epoch.changes.map(({ diff, row }) => `${diff} ${String(row['id'])} ${String(row['v'])}`).sort())
      if (seen.length === 5) stop.abort()
    }
  })()
  while (seen.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
  const rows = join(lake, 'rows.jsonl')
  await writeFile(rows, ['{"id":1,"v":"a"}', '{"$commit":1}', '{"id":1,"v":"b"}', '{"id":2,"v":"c"}', '{"$commit":2}', '{"$kind":"-D","id":1,"v":"b"}', '{"$commit":3}', ''].join('\n'))
  await java('write', lake, 'default.t', '--rows', rows, '--commit-user', 'java')
  await ours.query(`INSERT INTO t VALUES (2, 'ours again')`).done()
  await following
  expect(seen).toEqual([['1 0 ours'], ['1 1 a'], ['-1 1 a', '1 1 b', '1 2 c'], ['-1 1 b'], ['-1 2 c', '1 2 ours again']])
  await ours.close()
}, 120_000)
