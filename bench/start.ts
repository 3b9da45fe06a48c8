/** How long until the first answer: whole processes, from their start to their end, beside a Node that does nothing. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from '../build.ts'
import { open } from '../src/index.ts'
import { data, median, record, root, rounded } from './record.ts'

const RUNS = 9, TABLES = 100

export async function run(): Promise<number> {
  const dist = join(root, 'dist'), empty = mkdtempSync(join(tmpdir(), 'sluice-start-')), lake = join(data, `lake-${TABLES}-tables`)
  build(dist)
  if (!existsSync(lake)) await makeLake(lake)
  const commands: Readonly<Record<string, readonly string[]>> = {
    'node -e 0': ['-e', '0'],
    'dist: SELECT 1': [join(dist, 'main.js'), 'query', '--lake', empty, 'SELECT 1'],
    'src: SELECT 1': [join(root, 'src/main.ts'), 'query', '--lake', empty, 'SELECT 1'],
    [`dist: first query on a lake of ${TABLES} tables`]: [join(dist, 'main.js'), 'query', '--lake', lake, 'SELECT count(*), max(a) FROM t42'],
    [`dist: all tables of a lake of ${TABLES}, by information_schema`]: [join(dist, 'main.js'), 'query', '--lake', lake, 'SELECT count(*) FROM information_schema.tables'],
  }
  try {
    const walls = new Map<string, number[]>(Object.keys(commands).map(name => [name, []]))
    // in turns, so that what else the machine does meets all of them; the first round fills the compile cache
    for (let i = 0; i <= RUNS; i++) {
      for (const [name, args] of Object.entries(commands)) {
        const began = performance.now(), { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
        if (status !== 0) throw new Error(`${name}: ${stderr}`)
        if (i > 0) walls.get(name)?.push(performance.now() - began)
      }
    }
    const medians = Object.fromEntries([...walls].map(([name, times]) => [name, rounded(median(times))])), least = Object.fromEntries([...walls].map(([name, times]) => [name, rounded(Math.min(...times))]))
    for (const name of Object.keys(commands)) console.log(`${name.padEnd(60)} median ${String(medians[name]).padStart(5)} ms   least ${String(least[name]).padStart(5)} ms`)
    record('start', { milliseconds: medians, least, runs: RUNS })
    return 0
  } finally {
    rmSync(empty, { recursive: true, force: true })
  }
}

/** A lake of small Paimon tables. */
async function makeLake(folder: string): Promise<void> {
  const lake = await open(folder)
  for (let i = 0; i < TABLES; i++) {
    await lake.query(`CREATE TABLE t${i} (a int, b text, c timestamp)`).done()
    await lake.query(`INSERT INTO t${i} VALUES (1, 'one', now()), (2, 'two', now())`).done()
  }
  await lake.close()
}
