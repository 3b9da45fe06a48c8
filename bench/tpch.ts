/**
 * All 22 questions of TPC-H from Parquet files, beside DuckDB reading the same files with the same number of threads: in turns, warm, the median of five.
 * `npm run bench -- tpch [--scale 1] [--threads 2] [--runs 5] [Q…]`. Both must give the same answer.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { open } from '../src/index.ts'
import { VERSION, openDuckdb } from './duckdb.ts'
import type { Rows } from './duckdb.ts'
import { costOf, data, medianCost, record, root, rounded } from './record.ts'
import type { Cost } from './record.ts'

export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { scale: { type: 'string' }, threads: { type: 'string' }, runs: { type: 'string' } } })
  const scale = Number(values.scale ?? 1), threads = Number(values.threads ?? 2), runs = Number(values.runs ?? 5)
  const lake = join(data, `tpch-${scale}`)
  if (!existsSync(join(lake, 'questions.json'))) makeData(lake, scale)
  const questions: Readonly<Record<string, string>> = JSON.parse(readFileSync(join(lake, 'questions.json'), 'utf8'))
  const ours = await open(lake, { threads }), theirs = await openDuckdb(threads)
  for (const table of readdirSync(lake, { withFileTypes: true }).filter(entry => entry.isDirectory() && !entry.name.endsWith('.db'))) await theirs.run(`CREATE VIEW ${table.name} AS FROM read_parquet('${join(lake, table.name)}/*.parquet')`)
  const sluice = (sql: string): Promise<Rows> => ours.query(sql).rows(), duckdb = (sql: string): Promise<Rows> => theirs.rows(sql)
  const results: { query: string; ratio: number; cpuRatio: number }[] = []
  let wrong = 0
  try {
    for (const [number, text] of Object.entries(questions).filter(([number]) => positionals.length === 0 || positionals.includes(number))) {
      const sql = text.trim().replace(/;$/, '')
      let why: string | undefined
      try {
        why = difference(await sluice(sql), await duckdb(sql))
      } catch (error) {
        why = String(error)
      }
      if (why !== undefined) { console.log(`Q${number}: WRONG: ${why}`); wrong++; continue }
      const a: Cost[] = [], b: Cost[] = []
      for (let i = -1; i < runs; i++) {
        const mine = await costOf(() => sluice(sql)), its = await costOf(() => duckdb(sql))
        if (i >= 0) { a.push(mine); b.push(its) }
      }
      const mine = medianCost(a), its = medianCost(b)
      results.push({ query: `q${number}`, ratio: rounded(mine.wall / its.wall), cpuRatio: rounded(mine.cpu / its.cpu) })
      console.log(`Q${number.padEnd(2)} Sluice ${mine.wall.toFixed(0).padStart(5)} ms (CPU ${mine.cpu.toFixed(0)}), DuckDB ${its.wall.toFixed(0).padStart(5)} ms (CPU ${its.cpu.toFixed(0)}): ratio ${(mine.wall / its.wall).toFixed(2)} (CPU ${(mine.cpu / its.cpu).toFixed(2)})`)
    }
  } finally {
    await ours.close()
    theirs.close()
  }
  const mean = (values: readonly number[]): number => rounded(Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length))
  const ratio = mean(results.map(result => result.ratio)), cpuRatio = mean(results.map(result => result.cpuRatio))
  console.log(`${results.length} right, ${wrong} wrong; geometric mean ${ratio} (CPU ${cpuRatio}) of DuckDB's time with ${threads} threads`)
  record('tpch', { peer: `duckdb (@duckdb/node-api ${VERSION})`, scale, threads, runs, wrong, ratio, cpuRatio, results })
  return wrong === 0 ? 0 : 1
}

/** How the answers differ, row by row; numbers that agree to ten digits agree (DuckDB's averages are binary floats). */
function difference(a: Rows, b: Rows): string | undefined {
  if (a.length !== b.length) return `${a.length} and ${b.length} rows`
  for (const [i, row] of a.entries()) {
    const mine = Object.values(row).map(shown), its = Object.values(b[i] ?? {}).map(shown)
    const column = mine.findIndex((value, c) => value !== its[c] && !(Math.abs(Number(value) / Number(its[c]) - 1) < 1e-10))
    if (column >= 0) return `row ${i + 1}, column ${column + 1}: ${mine[column]} and ${its[column]}`
  }
  return undefined
}

const shown = (value: unknown): string => value instanceof Date ? value.toISOString().slice(0, 10) : String(value)

function makeData(lake: string, scale: number): void {
  const venv = join(data, 'venv'), python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python')
  console.log('making the data with DuckDB (some minutes, once)')
  if (!existsSync(python)) {
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' })
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'duckdb==1.5.5', 'duckdb-extension-tpch==1.5.5'], { stdio: 'inherit' })
  }
  execFileSync(python, [join(root, 'bench/make-tpch.py'), lake, String(scale)], { stdio: 'inherit' })
}
