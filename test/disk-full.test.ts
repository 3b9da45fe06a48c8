/** A lake on a disk that is full: nothing that was committed is lost, and when there is room again all goes on. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { open } from '../src/index.ts'

const disk = mkdtempSync(join(tmpdir(), 'sluice-full-'))
const mounted = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status === 0
afterAll(async () => {
  if (mounted) spawnSync('umount', ['-l', disk])
  await rm(disk, { recursive: true, force: true })
})

const files = async (): Promise<string[]> => (await readdir(disk, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name)).sort()

test.skipIf(!mounted)(`INSERT into a full disk fails with 53100 and leaves nothing behind${mounted ? '' : ' (skipped: a small file system cannot be mounted here)'}`, async () => {
  const lake = await open(disk)
  const count = async (): Promise<unknown> => lake.query('SELECT (SELECT count(*) FROM a) AS a, (SELECT count(*) FROM k) AS k').rows()
  await lake.query('CREATE TABLE a (id int, s text)').done()
  await lake.query('CREATE TABLE k (id int, s text, PRIMARY KEY (id) NOT ENFORCED) WITH (\'bucket\' = \'1\')').done()
  for (const table of ['a', 'k']) await lake.query(`INSERT INTO ${table} VALUES (1, 'one'), (2, 'two')`).done()
  // rows that do not fit, and rows that would, but for their metadata
  const large = (table: string): string => `INSERT INTO ${table} SELECT i, md5(i::text) || md5((-i)::text) || md5(i || 'x') || md5(i || 'y') FROM generate_series(1, 20000) AS g(i)`
  const full = join(disk, 'filler'), before = await files()
  for (const table of ['a', 'k']) {
    await expect(lake.query(large(table)).done()).rejects.toMatchObject({ code: '53100', message: expect.stringContaining(`default.db/${table}/`) })
    expect(await files()).toEqual(before)
    expect(await count()).toEqual([{ a: 2n, k: 2n }])
  }
  await writeFile(full, new Uint8Array(2 << 20)).catch(() => undefined)
  for (const table of ['a', 'k']) {
    await expect(lake.query(`INSERT INTO ${table} VALUES (3, 'three')`).done()).rejects.toMatchObject({ code: '53100' })
    expect((await files()).filter(path => path !== full)).toEqual(before)
    expect(await count()).toEqual([{ a: 2n, k: 2n }])
  }
  await expect(lake.query('CREATE TABLE more (id int)').done()).rejects.toMatchObject({ code: '53100' })
  await rm(full)
  for (const table of ['a', 'k']) await lake.query(`INSERT INTO ${table} VALUES (3, 'three')`).done()
  await lake.query('CREATE TABLE more (id int)').done()
  expect(await count()).toEqual([{ a: 3n, k: 3n }])
  expect(lake.engine.memory.used).toBe(0)
  await lake.close()
})
