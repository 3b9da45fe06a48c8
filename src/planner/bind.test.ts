import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { SqlError } from '../error.ts'
import { evaluateConstant } from '../exec/compile.ts'
import { Memory } from '../memory.ts'
import type { Parameters } from '../plan.ts'
import { typeKey } from '../type.ts'
import { bindInsert } from './bind-insert.ts'
import type { BoundInsert } from './bind-insert.ts'
import { bindQuery, constantValue, tablesNamed } from './bind.ts'
import type { BoundQuery } from './bind.ts'
import { checkPlan } from './check-plan.ts'
import { nameOf } from './coerce.ts'
import { explainPlan } from './explain.ts'
import { lake, table } from './sample-lake.ts'
import type { Environment } from './scope.ts'
import { parseExpression, parseQuery, parseStatement } from './statement.ts'

const memory = Memory.create(), parameters: Parameters = { values: [], now: 0n, timeZone: 'UTC' }
const { environment } = lake([
  table('t', 'a int4!, b int8, c text, d date, n numeric(10,2), f float8, v varchar(10), k bool, ts timestamp, tz timestamptz, s int2, r float4, ch char(5), iv interval, u uuid, j json, jb jsonb, ba bytea', ['a']),
  table('t2', 'a int4, b int8, e text'),
], expr => evaluateConstant(expr, parameters, { memory, parameters }))

async function bound(sql: string, env: Environment = environment): Promise<BoundQuery | BoundInsert> {
  const statement = await parseStatement(sql)
  if (statement.kind === 'insert') return bindInsert(statement, env, () => new Map([['e', 'none']]))
  if (statement.kind !== 'select') throw new Error(`${statement.kind} in a test of queries`)
  const result = bindQuery(statement.query, env)
  checkPlan(result.plan)
  return result
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return 'no error'
  } catch (error) {
    if (!(error instanceof SqlError)) throw error
    return `${error.code} ${error.message} @${error.details.position ?? '-'}`
  }
}

/** PostgreSQL 15's own, by pg_prepared_statements. */
const inferred: readonly { readonly sql: string; readonly types?: readonly string[]; readonly error?: string; readonly message?: string }[] =
  JSON.parse(readFileSync(new URL('./postgres-parameters.json', import.meta.url), 'utf8'))

for (const { sql, types, error, message } of inferred) {
  test(`parameters of ${sql}`, async () => {
    if (types === undefined) expect((await failure(bound(sql)))).toMatch(`${error} ${message} @`)
    else expect((await bound(sql)).parameters.map(nameOf)).toEqual(types)
  })
}

test('declared types of parameters hold', async () => {
  const { plan, parameters: types } = await bound('select $1 + 1', { ...environment, parameterTypes: [{ kind: 'int8' }] })
  expect([types.map(typeKey), plan.schema.map(field => typeKey(field.type))]).toEqual([['int8'], ['int8']])
})

test('a view is bound under its own search path', async () => {
  const query = await parseQuery('select a, c as z from t where a > 1')
  const seen: (readonly string[])[] = []
  const env: Environment = { ...environment, lookup: (path, searchPath) => {
    if (path[0] === 'v') return { kind: 'view', name: { schema: 'public', name: 'v' }, query, columns: ['p'], searchPath: ['other'] }
    seen.push(searchPath)
    return environment.lookup(path, searchPath)
  } }
  const outer = await bound('select * from v', env), fields = 'fields' in outer ? outer.fields : []
  expect([fields.map(field => field.name), seen]).toEqual([['p', 'z'], [['other']]])
  expect(fields[0]?.origin).toEqual({ table: { schema: 'public', name: 'v' }, column: 0 })
})

test('a view that reads itself is an error', async () => {
  const query = await parseQuery('select * from v')
  const env: Environment = { ...environment, lookup: () => ({ kind: 'view', name: { schema: 'public', name: 'v' }, query, columns: [], searchPath: ['public'] }) }
  expect(await failure(bound('select * from v', env))).toMatch(/^42P17 /)
})

test('names of relations are found wherever they stand', async () => {
  const names = async (sql: string): Promise<string[]> => tablesNamed(await parseStatement(sql)).map(path => path.join('.'))
  expect(await names('with w as (select * from a.b) select (select 1 from c), x in (table d) from w join e using (x) where exists (select * from f, lateral (select * from g) q)')).toEqual(['a.b', 'c', 'd', 'w', 'e', 'f', 'g'])
  expect(await names('insert into i select * from s')).toEqual(['i', 's'])
})

test('what is not supported is refused by name and position', async () => {
  const refused: Readonly<Record<string, string>> = {
    'with recursive w as (select 1 as x union all select x + 1 from w) select * from w': 'WITH RECURSIVE is not supported @64',
    'select * from t, lateral (select t.a) q': 'LATERAL is not supported @34',
    'select a from t for update': 'FOR UPDATE is not supported @8',
    'select (select b from t2 where t2.a = t.a order by b limit 1) from t': 'LIMIT in a correlated subquery is not supported @8',
    'select row(1, 2)': 'a row as a value is not supported @8',
    'insert overwrite t2 partition (a = 1) values (1)': 'INSERT … PARTITION (…) is not supported @1',
  }
  for (const [sql, message] of Object.entries(refused)) expect([sql, await failure(bound(sql))]).toEqual([sql, `0A000 ${message}`])
})

test('INSERT gives the columns of the table in order, missing ones by default', async () => {
  const plan = async (sql: string): Promise<string[]> => explainPlan((await bound(sql)).plan)
  expect(await plan("insert into t2 values (1, 2, 'x'), ('3', 4.4, default)")).toEqual(['Values (2 rows)', "  Rows: (1, 2, 'x'), (3, 4, 'none')"])
  expect(await plan('insert into t2 (b) values (1)')).toEqual(['Values (1 row)', "  Rows: (NULL, 1, 'none')"])
  expect(await plan('insert into t2 default values')).toEqual(['Values (1 row)', "  Rows: (NULL, NULL, 'none')"])
  expect((await bound("insert into t2 (e, a) select c, n from t")).plan.schema.map(field => `${field.name} ${typeKey(field.type)}`)).toEqual(['a int4', 'b int8', 'e text'])
})

test('assignments: what fits is cut or refused as PostgreSQL does', async () => {
  const errors: Readonly<Record<string, string>> = {
    "insert into t (a) values ('x')": '22P02 invalid input syntax for type integer: "x" @27',
    'insert into t (a) values (true)': '42804 column "a" is of type integer but expression is of type boolean @27',
    'insert into t (a, d) values (1, 2)': '42804 column "d" is of type date but expression is of type integer @33',
    'insert into t2 values (1, 2, 3, 4)': '42601 INSERT has more expressions than target columns @33',
    'insert into t2 (a, b) values (1)': '42601 INSERT has more target columns than expressions @20',
    'insert into t2 (a, a) values (1, 2)': '42701 column "a" specified more than once @20',
    'insert into t2 (q) values (1)': '42703 column "q" of relation "t2" does not exist @17',
    'insert into q values (1)': '42P01 relation "q" does not exist @13',
    'insert into t2 (a) select c from t': '42804 column "a" is of type integer but expression is of type text @27',
  }
  for (const [sql, message] of Object.entries(errors)) expect([sql, await failure(bound(sql))]).toEqual([sql, message])
})

test('a value too long for its column fails at run time, blanks are cut', async () => {
  expect(explainPlan((await bound("insert into t (a, v) values (1, '12345678901'), (2, '1234567890   ')")).plan).join('\n')).toMatch(/store\('12345678901'\).*'1234567890'/s)
  expect(explainPlan((await bound("select '12345678901'::varchar(10)")).plan).join('\n')).toContain("'1234567890'")
})

test('thousands of literal rows bind quickly', async () => {
  const rows = Array.from({ length: 5000 }, (_, i) => `(${i}, ${i * 7}, 'row ${i}')`).join(', ')
  const statement = await parseStatement(`insert into t2 values ${rows}`)
  if (statement.kind !== 'insert') throw new Error('an insert')
  const start = performance.now()
  const { plan } = bindInsert(statement, environment, () => new Map())
  expect(plan.kind === 'values' ? plan.rows.length : 0).toBe(5000)
  expect(performance.now() - start).toBeLessThan(1000)
})

test('constants of settings and options', async () => {
  const value = async (sql: string): Promise<unknown> => constantValue(await parseExpression(sql), environment, { clause: 'DEFAULT', to: { kind: 'int8' } }).value
  expect(await value('1 + 2')).toBe(3n)
  expect(await failure(value('a'))).toBe('42703 column "a" does not exist @1')
  expect(await failure(value('(select 1)'))).toBe('0A000 cannot use subquery in DEFAULT @1')
  expect(await failure(value('true'))).toBe('42804 DEFAULT is of type bigint but expression is of type boolean @1')
})
