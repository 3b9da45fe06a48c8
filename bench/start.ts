/**
 * How long until the first answer: whole processes, from their start to their end, beside a Node that does nothing. CPU time is of all threads of the
 * process; on a machine that others use it is the number to look at.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from '../build.ts'
import { open } from '../src/index.ts'
import { data, medianCost, record, root, rounded } from './record.ts'
import type { Cost } from './record.ts'

const RUNS = 9, TABLES = 100
/** Makes a process tell its CPU time when it ends. */
const TELL = 'data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();process.stderr.write("\\ncpu "+(user+system)/1000)})'

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
    const costs = new Map<string, Cost[]>(Object.keys(commands).map(name => [name, []]))
    // in turns, so that what else the machine does meets all of them; the first round fills the compile cache
    for (let i = 0; i <= RUNS; i++) {
      for (const [name, args] of Object.entries(commands)) {
        const began = performance.now(), { status, stderr } = spawnSync(process.execPath, ['--import', TELL, ...args], { encoding: 'utf8' }), wall = performance.now() - began
        const cpu = Number(/\ncpu ([\d.]+)$/.exec(stderr)?.[1])
        if (status !== 0 || Number.isNaN(cpu)) throw new Error(`${name}: ${stderr}`)
        if (i > 0) costs.get(name)?.push({ wall, cpu })
      }
    }
    const milliseconds: Record<string, Cost> = {}
    for (const [name, all] of costs) {
      const { wall, cpu } = medianCost(all)
      console.log(`${name.padEnd(60)} ${wall.toFixed(0).padStart(5)} ms, CPU ${cpu.toFixed(0).padStart(4)} ms`)
      milliseconds[name] = { wall: rounded(wall), cpu: rounded(cpu) }
    }
    record('start', { runs: RUNS, milliseconds })
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
