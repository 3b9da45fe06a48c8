/**
 * What PostgreSQL 15 answers to a list of queries before it runs them: column names and types, or the error with its code, message, hint and position. The
 * answers in `postgres-answers.json` are PostgreSQL's own, never ours.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SqlError } from '../error.ts'
import { evaluateConstant } from '../exec/compile.ts'
import { Memory } from '../memory.ts'
import type { Parameters } from '../plan.ts'
import { bindQuery } from './bind.ts'
import { checkPlan } from './check-plan.ts'
import { nameOf } from './coerce.ts'
import { optimize } from './optimize.ts'
import { lake, table } from './sample-lake.ts'
import { parseQuery } from './statement.ts'

interface Answer {
  readonly sql: string
  readonly columns?: readonly (readonly [string, string])[]
  readonly error?: { readonly code: string; readonly message: string; readonly position?: number; readonly hint?: string }
}

const memory = Memory.create(), parameters: Parameters = { values: [], now: 0n, timeZone: 'UTC' }
const { environment, tables } = lake([
  table('t', 'a int4!, b int8, c text, d date, n numeric(10,2), f float8, v varchar(10), k bool, ts timestamp, tz timestamptz, s int2, r float4, ch char(5), iv interval, u uuid, j json, jb jsonb, ba bytea', ['a']),
  table('t2', 'a int4, b int8, e text'),
], expr => evaluateConstant(expr, parameters, { memory, parameters }))

async function ours(sql: string): Promise<unknown> {
  try {
    const { plan, fields } = bindQuery(await parseQuery(sql), environment)
    checkPlan(plan)
    checkPlan(optimize(plan, { tables, fold: expr => environment.fold(expr) }))
    return { columns: fields.map(field => [field.name, nameOf(field.type)]) }
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    const { position, hint } = error.details
    return { error: { code: error.code, message: error.message, ...(position === undefined ? {} : { position }), ...(hint === undefined ? {} : { hint }) } }
  }
}

const answers: readonly Answer[] = JSON.parse(readFileSync(new URL('./postgres-answers.json', import.meta.url), 'utf8'))

/** Refused by name so far: PostgreSQL has an answer, we say 0A000. */
const REFUSED = new Set([
  'select a from t order by a limit (select 1)', 'select (select sum(t2.a)) from t2', "select (a, c) = (select 1, 'x') from t",
])

for (const { sql, columns, error } of answers) {
  if (REFUSED.has(sql)) test(`refused: ${sql}`, async () => { expect(await ours(sql)).toMatchObject({ error: { code: '0A000' } }) })
  else test(sql, async () => { expect(await ours(sql)).toEqual(columns === undefined ? { error } : { columns }) })
}
