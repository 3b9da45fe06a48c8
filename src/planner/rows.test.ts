/** What queries give over small tables with NULLs, held against PostgreSQL 15's answers: with all rules, and with none. The answers in `postgres-rows.json` are PostgreSQL's own. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { columnReader } from '../column.ts'
import { InternalError } from '../error.ts'
import { evaluateConstant } from '../exec/compile.ts'
import type { Context } from '../exec/operator.ts'
import { runPlan } from '../exec/run.ts'
import { literal } from '../expr.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import type { Parameters, Plan } from '../plan.ts'
import { emptyScanStats } from '../storage/table.ts'
import { formatValue, parseValue } from '../text.ts'
import { bindQuery } from './bind.ts'
import { checkPlan } from './check-plan.ts'
import { filter, mapPlan, project } from './node.ts'
import { RULE_NAMES, optimize } from './optimize.ts'
import { lake, table } from './sample-lake.ts'
import { parseQuery } from './statement.ts'

interface Answers {
  readonly tables: Readonly<Record<string, { readonly columns: string; readonly key: readonly string[]; readonly rows: readonly (readonly (string | number | null)[])[] }>>
  readonly queries: readonly { readonly sql: string; readonly rows?: readonly (readonly (string | null)[])[]; readonly error?: string }[]
}

const answers: Answers = JSON.parse(readFileSync(new URL('./postgres-rows.json', import.meta.url), 'utf8'))
const memory = Memory.create(), parameters: Parameters = { values: [], now: 0n, timeZone: 'UTC' }
const context: Context = { memory, kernel: loadKernel(memory), parameters, check: () => {}, arena: () => memory.arena() }
const samples = Object.entries(answers.tables).map(([name, { columns, key, rows }]) => table(name, columns, key, rows.length))
const { environment, tables } = lake(samples, expr => evaluateConstant(expr, parameters, context))

/** Scans become the rows themselves. */
function withRows(plan: Plan): Plan {
  return mapPlan(plan, node => {
    if (node.kind !== 'scan') return node
    const sample = samples.find(each => each.name === node.table.name), rows = answers.tables[node.table.name]?.rows
    if (sample === undefined || rows === undefined) throw new InternalError('no such sample')
    const values: Plan = {
      kind: 'values', schema: sample.schema,
      rows: rows.map(row => sample.schema.map((field, i) => { const value = row[i] ?? null; return literal(value === null ? null : parseValue(String(value), field.type), field.type) })),
    }
    const kept = node.filter === undefined ? values : filter(values, node.filter)
    return project(kept, node.columns.map((index, i) => ({ kind: 'column', index, type: node.schema[i]?.type ?? { kind: 'text' } })), node.schema.map(field => field.name))
  })
}

async function rowsOf(plan: Plan): Promise<(string | null)[][]> {
  const rows: (string | null)[][] = []
  for await (const batch of runPlan(plan, () => { throw new InternalError('no tables here') }, context, { epochs: 'one', flag: new Int32Array(1), stats: emptyScanStats() })) {
    const readers = batch.columns.map(column => columnReader(column, memory))
    for (let i = 0; i < batch.length; i++) rows.push(readers.map((read, c) => { const value = read(i), type = batch.schema[c]?.type; return value === null || type === undefined ? null : formatValue(value, type) }))
  }
  return rows
}

const sorted = (rows: readonly (readonly (string | null)[])[]): string[] => rows.map(row => JSON.stringify(row)).sort()

async function hold({ sql, rows, error }: Answers['queries'][number], off: ReadonlySet<string> | 'all' | undefined): Promise<void> {
  const { plan } = bindQuery(await parseQuery(sql), environment)
  checkPlan(plan)
  const best = optimize(plan, { tables, fold: expr => environment.fold(expr), ...(off === undefined ? {} : { off }) })
  checkPlan(best)
  const run = rowsOf(withRows(best))
  if (rows === undefined) await expect(run, sql).rejects.toMatchObject({ code: error })
  else if (/order by [^)]*$/.test(sql)) expect(await run, sql).toEqual(rows)
  else expect(sorted(await run), sql).toEqual(sorted(rows))
}

for (const query of answers.queries) {
  test(query.sql, () => hold(query, undefined))
  test(`rules off: ${query.sql}`, () => hold(query, 'all'))
}

for (const rule of RULE_NAMES) {
  test(`without ${rule} all answers are the same`, async () => { for (const query of answers.queries) await hold(query, new Set([rule])) })
}
