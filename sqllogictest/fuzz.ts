/**
 * Random queries to Sluice, in several modes, and to PostgreSQL: differences of rows and of SQLSTATE are printed, and the exit code is 1 when rows differ or
 * something broke. node sqllogictest/fuzz.ts FROM TO [QUERIES A SEED] [MODES,…] · PGURL names the PostgreSQL · ONLY=n asks one query of each seed
 *
 * Which of two errors is raised, and whether a row that something else drops raises one, depends on the order of the work: those are counted, not shown.
 */
import pg from 'pg'
import { MODES, openTested } from './engine.ts'
import type { Mode, Tested, TextRows } from './engine.ts'
import { RandomQueries } from './random-query.ts'

type Outcome = { readonly rows: TextRows } | { readonly code: string; readonly message: string }

const [from = '1', to = '10', queries = '60', modes = 'one,rules off,streamed'] = process.argv.slice(2)
const only = process.env['ONLY'] === undefined ? undefined : Number(process.env['ONLY'])
const client = new pg.Client({ connectionString: process.env['PGURL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres', types: { getTypeParser: () => (text: unknown) => text } })
await client.connect()
const space = `fuzz_${process.pid}`
const counts = new Map<string, number>()
let runs = 0, failures = 0
try {
  await client.query(`CREATE SCHEMA ${space}; SET search_path = ${space}; SET statement_timeout = '5s'`)
  for (let seed = Number(from); seed <= Number(to); seed++) await trySeed(seed)
} finally {
  await client.query(`DROP SCHEMA IF EXISTS ${space} CASCADE`)
  await client.end()
}
console.log(`${runs} runs, ${failures} failures`)
for (const [what, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`${String(count).padStart(6)} ${what}`)
process.exitCode = failures > 0 ? 1 : 0

async function trySeed(seed: number): Promise<void> {
  const random = new RandomQueries(seed), tested: { mode: Mode; it: Tested }[] = []
  await client.query(`DROP SCHEMA ${space} CASCADE; CREATE SCHEMA ${space}`)
  for (const mode of MODES) if (modes.split(',').includes(mode)) tested.push({ mode, it: await openTested(mode, seed) })
  try {
    for (const sql of random.schema()) {
      const want = await outcome(() => ofPostgres(sql))
      for (const { mode, it } of tested) {
        const got = await outcome(async () => (await it.run(sql)).rows)
        if (codeOf(want) !== codeOf(got)) report(`seed ${seed} [${mode}]`, sql, `${codeOf(want)}, here ${codeOf(got)}`)
      }
    }
    for (let number = 0; number < Number(queries); number++) {
      const { sql, ordered } = random.query()
      if (only !== undefined && number !== only) continue
      const want = await outcome(() => ofPostgres(sql))
      if (codeOf(want) === '57014') continue
      for (const { mode, it } of tested) {
        runs++
        judge(`seed ${seed} query ${number} [${mode}]`, sql, want, await outcome(async () => (await it.run(sql)).rows), ordered && mode !== 'streamed')
      }
    }
  } finally {
    for (const { it } of tested) await it.close()
  }
}

async function ofPostgres(sql: string): Promise<TextRows> {
  const { rows } = await client.query<(string | null)[]>({ text: sql, rowMode: 'array' })
  return rows.map(row => row.map(value => value ?? undefined))
}

async function outcome(run: () => Promise<TextRows>): Promise<Outcome> {
  try {
    return { rows: await run() }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'broken'
    return { code, message: error instanceof Error ? (code === 'broken' ? error.stack ?? error.message : error.message) : String(error) }
  }
}

function codeOf(outcome: Outcome): string { return 'code' in outcome ? outcome.code : 'done' }

function judge(where: string, sql: string, want: Outcome, got: Outcome, ordered: boolean): void {
  if ('rows' in want && 'rows' in got) {
    if (!same(want.rows, got.rows, ordered)) report(where, sql, difference(want.rows, got.rows))
    return
  }
  const [wanted, given] = [codeOf(want), codeOf(got)], message = 'message' in got ? got.message : ''
  if (wanted === given) return
  if (given === '0A000') count(`not supported: ${message}`)
  else if ([wanted, given].every(code => code === 'done' || code.startsWith('22'))) count(`in data: ${wanted}, here ${given}`)
  else report(where, sql, `${wanted}, here ${given}: ${message}`)
}

function count(what: string): void { counts.set(what, (counts.get(what) ?? 0) + 1) }

function report(where: string, sql: string, what: string): void {
  failures++
  console.log(`\n${where}\n${sql}\n   ${what.split('\n').slice(0, 6).join('\n   ')}`)
}

/** A row as text that is equal when the values are: minus zero is zero. */
function keyOf(row: readonly (string | undefined)[]): string { return JSON.stringify(row.map(value => value === '-0' ? '0' : value ?? null)) }

function same(want: TextRows, got: TextRows, ordered: boolean): boolean {
  const arranged = (rows: TextRows): TextRows => ordered ? rows : [...rows].sort((a, b) => Buffer.compare(Buffer.from(keyOf(a)), Buffer.from(keyOf(b))))
  const [a, b] = [arranged(want), arranged(got)]
  return a.length === b.length && a.every((row, i) => row.every((value, j) => close(value, b[i]?.[j])))
}

/** Sums of floats depend on the order of the summands: their last digits may differ. */
function close(want: string | undefined, got: string | undefined): boolean {
  if (want === got || (want === '-0' && got === '0') || (want === '0' && got === '-0')) return true
  const number = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/
  if (want === undefined || got === undefined || !number.test(want) || !number.test(got) || !/[e.]/.test(want + got) || Math.max(want.length, got.length) < 15) return false
  return Math.abs(Number(want) - Number(got)) <= 1e-11 * Math.max(Math.abs(Number(want)), Math.abs(Number(got)))
}

function difference(want: TextRows, got: TextRows): string {
  const missing = want.map(keyOf), extra: string[] = []
  for (const row of got) {
    const key = keyOf(row), at = missing.indexOf(key)
    if (at < 0) extra.push(key)
    else missing.splice(at, 1)
  }
  if (missing.length + extra.length === 0) return 'the same rows in another order'
  return `${want.length} rows, here ${got.length}; missing ${missing.slice(0, 4).join(' ')}; too many ${extra.slice(0, 4).join(' ')}`
}
