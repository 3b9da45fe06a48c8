/** What the rules make of plans, as EXPLAIN text; that each may be switched off is held against the answers in `rows.test.ts`. */
import { expect, test } from 'vitest'
import { evaluateConstant } from '../exec/compile.ts'
import { Memory } from '../memory.ts'
import type { Parameters } from '../plan.ts'
import { bindQuery } from './bind.ts'
import { checkPlan } from './check-plan.ts'
import { explainJson, explainPlan } from './explain.ts'
import { RULE_NAMES, optimize } from './optimize.ts'
import { lake, table } from './sample-lake.ts'
import { parseQuery } from './statement.ts'

const memory = Memory.create(), parameters: Parameters = { values: [], now: 0n, timeZone: 'UTC' }
const { environment, tables } = lake([
  table('a', 'id int4!, x int4, y text, d date', ['id'], 1000), table('b', 'id int4!, a_id int4, z numeric(10,2)', ['id'], 100_000), table('c', 'k int8!, v text', ['k'], 10),
  ...Array.from({ length: 64 }, (_, i) => table(`t${i}`, `a${i} int4!, b${i} int4, x${i} text`, [`a${i}`], 10)),
], expr => evaluateConstant(expr, parameters, { memory, parameters }))

async function lines(sql: string, off: readonly string[] = []): Promise<string[]> {
  const { plan } = bindQuery(await parseQuery(sql), environment)
  const best = optimize(plan, { tables, fold: expr => environment.fold(expr), off: new Set(off) })
  checkPlan(best)
  return explainPlan(best)
}

test('filters and columns go to the scan', async () => {
  expect(await lines("select q.id from (select id, x + 1 as x1, y from a) q where q.x1 = 3 and q.y like 'a%' and 1 + 1 = 2")).toEqual([
    'Scan public.a', '  Columns: id', "  Filter: ((#1 + 1) = 3) AND (#2 LIKE 'a%')",
  ])
})

test('an outer join whose NULLs are thrown away is an inner one', async () => {
  expect(await lines('select a.id from a left join b on a.id = b.a_id where b.z > 1')).toEqual([
    'Project', '  Output: id', '  ->  Hash Join', '        Keys: a_id = id', '        ->  Scan public.b', '              Columns: a_id', '              Filter: #2 > 1',
    '        ->  Scan public.a', '              Columns: id',
  ])
  expect(await lines('select a.id, b.id from a left join b on a.id = b.a_id and b.z > 1 and a.x > 2')).toEqual([
    'Project', '  Output: id, id', '  ->  Hash Left Join', '        Keys: id = a_id', '        Residual: x > 2', '        ->  Scan public.a', '              Columns: id, x',
    '        ->  Scan public.b', '              Columns: id, a_id', '              Filter: #2 > 1',
  ])
})

test('conditions on keys go below an aggregate, others stay', async () => {
  expect(await lines('select x, n from (select x, count(*) as n from a group by x) q where x > 1 and n > 2')).toEqual([
    'Project', '  Output: x, count AS n', '  ->  Filter', '        Condition: count > 2', '        ->  Hash Aggregate', '              Keys: x', '              Aggregates: count(*)',
    '              ->  Scan public.a', '                    Columns: x', '                    Filter: x > 1',
  ])
})

test('LIMIT goes below a projection and into a union', async () => {
  expect(await lines('select id + 1 from a order by x limit 3')).toEqual([
    'Project', '  Output: id + 1', '  ->  Top', '        Order: x', '        Limit: 3', '        ->  Scan public.a', '              Columns: id, x',
  ])
  expect((await lines('select id from a union all select id from b order by 1 limit 2')).filter(line => line.includes('Limit'))).toHaveLength(3)
})

test('what cannot be has no plan', async () => {
  expect(await lines('select * from a where x = 1 and 1 = 0')).toEqual(['Empty'])
  expect(await lines('select * from a where x = null')).toEqual(['Empty'])
  expect(await lines('select count(*) from a join b on false')).toEqual(['Aggregate', '  Aggregates: count(*)', '  ->  Empty'])
  expect(await lines('select id from a where id is null')).toEqual(['Empty'])
})

test('an error in a constant stays where it would happen', async () => {
  expect((await lines('select case when x > 1 then 1 / 0 else 2 end from a')).join('\n')).toContain('CASE WHEN x > 1 THEN 1 / 0 ELSE 2 END')
  expect((await lines('select coalesce(1, 1 / 0)')).join('\n')).toContain('Rows: (1)')
})

test('what all arms of an OR share is a condition of its own, and a join key', async () => {
  expect(await lines("select 1 from a, b where (a.id = b.a_id and a.y = 'p' and b.z > 1) or (a.id = b.a_id and a.y = 'q' and b.z > 2)")).toEqual([
    'Project', '  Output: 1', '  ->  Hash Join', '        Keys: a_id = id', "        Residual: ((y = 'p') AND (z > 1)) OR ((y = 'q') AND (z > 2))",
    '        ->  Scan public.b', '              Columns: a_id, z', '              Filter: (z > 1) OR (z > 2)', '        ->  Scan public.a', '              Columns: id, y', "              Filter: (y = 'p') OR (y = 'q')",
  ])
})

test('a date compared with midnight is compared with a date', async () => {
  expect((await lines("select 1 from a where d < date '2020-01-01' + interval '1 month'")).join('\n')).toContain("Filter: #3 < '2020-02-01'")
  expect((await lines("select 1 from a where d < timestamp '2020-01-01 12:00'")).join('\n')).toContain("Filter: #3 < '2020-01-01 12:00:00'")
})

test('sixty-four tables joined by commas are ordered in no time, without a cross', async () => {
  const names = Array.from({ length: 64 }, (_, i) => i)
  const sql = `select ${names.map(i => `x${i}`).join(', ')} from ${[...names].sort((p, q) => (p * 37) % 64 - (q * 37) % 64).map(i => `t${i}`).join(', ')} where a0 = 5 and ${names.slice(1).map(i => `a${i} = b${i - 1}`).join(' and ')}`
  const start = performance.now()
  const plan = await lines(sql)
  expect(performance.now() - start).toBeLessThan(2000)
  expect([plan.filter(line => line.includes('Hash Join')).length, plan.filter(line => line.includes('Nested')).length]).toEqual([63, 0])
})

test('EXPLAIN as data', async () => {
  const { plan } = bindQuery(await parseQuery('select x from a limit 1'), environment)
  expect(explainJson(optimize(plan, { tables, fold: expr => environment.fold(expr) }), { tables, measured: node => node.kind === 'scan' ? { rows: 7, milliseconds: 1.5, stats: { partitionsTotal: 4, partitionsPruned: 3, filesTotal: 9, filesPruned: 8, rowGroupsTotal: 1, rowGroupsPruned: 0, bytesRead: 100 } } : undefined })).toEqual([{ Plan: {
    'Node Type': 'Limit  (rows=1)', Limit: '1', Plans: [{ 'Node Type': 'Scan public.a  (rows=1000)  (actual rows=7 time=1.500 ms)', Columns: 'x', Pruned: '3 of 4 partitions, 8 of 9 files, 0 of 1 row groups', Read: '100 bytes' }],
  } }])
})

test('every rule can be switched off', async () => {
  expect(RULE_NAMES).toEqual(['fold-constants', 'remove-empty', 'merge-projects', 'push-filters', 'outer-to-inner', 'split-sums', 'order-joins', 'join-keys', 'prune-columns', 'push-top'])
  for (const rule of RULE_NAMES) await lines('select a.y, sum(z) from a left join b on a.id = b.a_id, c where c.k = a.x and b.z > 1 + 1 group by a.y order by 1 limit 3', [rule])
  expect(await lines('select id from a where x = 1', ['push-filters', 'prune-columns'])).toEqual(['Project', '  Output: id', '  ->  Filter', '        Condition: x = 1', '        ->  Scan public.a', '              Columns: id, x, y, d'])
})
