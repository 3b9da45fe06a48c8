/**
 * TPC-H questions 1 and 6 at scale factor 1, from a Parquet file, through the whole engine, beside DuckDB reading the same file with the same number of
 * threads: in turns, warm, the median of five. Both must give the same answer.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { open } from '../src/index.ts'
import { VERSION, openDuckdb } from './duckdb.ts'
import { costOf, data, medianCost, record, root, rounded } from './record.ts'
import type { Cost } from './record.ts'

const QUERIES: Readonly<Record<string, string>> = {
  q1: `SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,
      sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge,
      avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc, count(*) AS count_order
    FROM lineitem WHERE l_shipdate <= DATE '1998-12-01' - INTERVAL '90' DAY
    GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus`,
  q6: `SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem
    WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1994-01-01' + INTERVAL '1' YEAR AND l_discount BETWEEN 0.06 - 0.01 AND 0.06 + 0.01 AND l_quantity < 24`,
}
const THREADS = [1, 2], RUNS = 5, WARM = 3

type Ask = (sql: string) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** Arguments: the questions to ask; all of them when there are none. */
export async function run(args: readonly string[]): Promise<number> {
  const lake = join(data, 'lake'), file = join(lake, 'lineitem/lineitem.parquet')
  if (!existsSync(file)) makeData(lake)
  const results: object[] = []
  let different = false
  for (const threads of THREADS) {
    const ours = await open(lake, { threads }), sluice: Ask = sql => ours.query(sql).rows()
    const theirs = await openDuckdb(threads)
    await theirs.run(`CREATE VIEW lineitem AS FROM read_parquet('${file}')`)
    const duckdb: Ask = sql => theirs.rows(sql)
    try {
      for (const [name, sql] of Object.entries(QUERIES).filter(([name]) => args.length === 0 || args.includes(name))) {
        const wrong = difference(await sluice(sql), await duckdb(sql))
        if (wrong !== undefined) { console.log(`${name}: DIFFERENT ANSWERS: ${wrong}`); different = true }
        const a: Cost[] = [], b: Cost[] = []
        for (let i = -WARM; i < RUNS; i++) {
          const mine = await costOf(() => sluice(sql)), its = await costOf(() => duckdb(sql))
          if (i >= 0) { a.push(mine); b.push(its) }
        }
        const mine = medianCost(a), its = medianCost(b)
        console.log(`${name}, ${threads} thread${threads > 1 ? 's' : ''}: Sluice ${mine.wall.toFixed(0)} ms (CPU ${mine.cpu.toFixed(0)}), DuckDB ${its.wall.toFixed(0)} ms (CPU ${its.cpu.toFixed(0)}): ratio ${(mine.wall / its.wall).toFixed(2)} (CPU ${(mine.cpu / its.cpu).toFixed(2)})`)
        results.push({ query: name, threads, sluice: shown(mine), duckdb: shown(its), ratio: rounded(mine.wall / its.wall), cpuRatio: rounded(mine.cpu / its.cpu), equal: wrong === undefined })
      }
    } finally {
      await ours.close()
      theirs.close()
    }
  }
  record('scan', { peer: `duckdb (@duckdb/node-api ${VERSION})`, scale: 1, runs: RUNS, results })
  return different ? 1 : 0
}

const shown = ({ wall, cpu }: Cost): Cost => ({ wall: rounded(wall), cpu: rounded(cpu) })

/** How the answers differ. Averages are binary floats in DuckDB and exact here: equal to twelve digits is equal. */
function difference(a: Awaited<ReturnType<Ask>>, b: Awaited<ReturnType<Ask>>): string | undefined {
  if (a.length === 0 || a.length !== b.length) return `${a.length} and ${b.length} rows`
  for (const [i, row] of a.entries()) {
    for (const [name, value] of Object.entries(row)) {
      const mine = String(value), its = String(b[i]?.[name])
      if (name.startsWith('avg') ? Math.abs(Number(mine) / Number(its) - 1) > 1e-12 : mine !== its) return `row ${i + 1}, ${name}: ${mine} and ${its}`
    }
  }
  return undefined
}

function makeData(lake: string): void {
  const venv = join(data, 'venv'), python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  console.log('making the data with DuckDB (some minutes, once)')
  if (!existsSync(python)) {
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' })
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'duckdb==1.5.5', 'duckdb-extension-tpch==1.5.5'], { stdio: 'inherit' })
  }
  execFileSync(python, [join(root, 'bench/make-data.py'), lake, '1', 'lineitem'], { stdio: 'inherit' })
}
