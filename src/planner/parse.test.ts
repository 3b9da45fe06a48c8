import { beforeAll, expect, test } from 'vitest'
import { SqlError } from '../error.ts'
import { loadParser } from './parse.ts'
import { parseExpression, parseStatementSync } from './statement.ts'
import { printSyntax } from './syntax-print.ts'

beforeAll(loadParser)

const failure = (sql: string): SqlError => {
  try { parseStatementSync(sql) } catch (error) { if (error instanceof SqlError) return error; throw error }
  throw new Error(`parsed: ${sql}`)
}

test.each([
  ['a or b and c', '(a or (b and c))'], ['not (a) = b', '(not (a = b))'], ['t.a-t.b', '(t.a - t.b)'], ["'a\\b'", "'a\\b'"], ['-9223372036854775808', '-9223372036854775808'],
  ['0.1000', '0.1000'], ['123456789012345678901234567890.5', '123456789012345678901234567890.5'], ['- a ^ 2', '((- a) ^ 2)'], ['a + b * c - d', '((a + (b * c)) - d)'], ['a < b = c', undefined],
  ['not a and b or c', '(((not a) and b) or c)'], ['a || b || c', '((a || b) || c)'], ['a = b is null', "(is what='null' arg=(a = b))"], ['a::int + 1', '(a::int4 + 1)'], ['-a::int', '(- a::int4)'],
  ['a between 1 and 2 and b', '((between arg=a low=1 high=2) and b)'], ['a -> b = c', '((a -> b) = c)'], ['a @> b and c', '((a @> b) and c)'], ['1 - -1', '(1 - -1)'],
  ["a at time zone 'utc' + b", "((call path=pg_catalog.timezone args=['utc', a] sqlSyntax) + b)"], ['a collate "C" < b', "((collate arg=a collation=C) < b)"],
])('precedence: %s', async (sql, tree) => {
  if (tree === undefined) await expect(parseExpression(sql)).rejects.toThrow('syntax error')
  else expect(printSyntax(await parseExpression(sql))).toBe(tree)
})

test.each([
  ["''", "''"], ['null', 'null'], ['true', 'true'], ['$2', '$2'], ["b'01'", "(bits digits='01')"], ["x'1F'", "(bits digits='1F' hex)"], ["date '2020-01-01'", "'2020-01-01'::date"], ["interval '1' day to second(3)", "'1'::interval day to second(3)"],
  ["interval(2) '1'", "'1'::interval(2)"], ['a::numeric(5,2)[][]', 'a::numeric(5, 2)[][]'], ['cast(a as timestamp(3) with time zone)', 'a::timestamptz(3)'], ['a::s.t', 'a::s.t'], ['a::double precision', 'a::float8'],
  ['s.t.a', 's.t.a'], ['(a).b.c', "(field of=(field of=a name='b') name='c')"], ['a[1][2:]', '(subscript of=(subscript of=a index=1) slice index=2)'],
  ['f(distinct a, b order by c desc nulls last) filter (where d)', "(call path=f args=[a, b] distinct orderBy=[(expression=c descending nulls='last')] filter=d)"], ['count(*)', '(call path=count star)'],
  ['f(a, b => 1)', "(call path=f args=[a, (name='b' value=1)])"], ['f(variadic a)', '(call path=f args=[a] variadic)'],
  ['percentile_cont(0.5) within group (order by a)', '(call path=percentile_cont args=[0.5] orderBy=[(expression=a)] withinGroup)'],
  ['sum(a) over (partition by b order by c rows between 1 preceding and unbounded following exclude ties)', "(call path=sum args=[a] over=(partitionBy=[b] orderBy=[(expression=c)] frame=(unit='rows' start=(preceding offset=1) end=(unboundedFollowing) exclude='ties')))"],
  ['rank() over w', "(call path=rank over=(name='w'))"], ['sum(a) over (w range unbounded preceding)', "(call path=sum args=[a] over=(base='w' frame=(unit='range' start=(unboundedPreceding) end=(currentRow) exclude='none')))"],
  ['case a when 1 then 2 else 3 end', '(case operand=a arms=[(when=1 then=2)] otherwise=3)'], ['case when a then b end', '(case arms=[(when=a then=b)])'],
  ['a in (1, 2)', '(inList arg=a list=[1, 2])'], ['a not in (select 1)', '(inQuery not left=a query=(query body=(select targets=[(expression=1)])))'], ['(a, b) in (select 1, 2)', '(inQuery left=row[a, b] query=(query body=(select targets=[(expression=1), (expression=2)])))'],
  ['a not between symmetric 1 and 2', '(between not symmetric arg=a low=1 high=2)'], ["a not like 'b' escape 'c'", "(like how='like' not arg=a pattern='b' escape='c')"], ["a ilike 'b'", "(like how='ilike' arg=a pattern='b')"],
  ["a similar to 'b' escape 'c'", "(like how='similar' arg=a pattern='b' escape='c')"], ['a is not distinct from b', '(isDistinct not left=a right=b)'], ['a is not true', "(is what='true' not arg=a)"], ['a is unknown', "(is what='unknown' arg=a)"],
  ['a = any (b)', "(quantified how='any' symbol='=' left=a array=b)"], ['a <> all (select 1)', "(quantifiedQuery how='all' symbol='<>' left=a query=(query body=(select targets=[(expression=1)])))"],
  ['exists (select 1)', "(subquery how='exists' query=(query body=(select targets=[(expression=1)])))"], ['array(select 1)', "(subquery how='array' query=(query body=(select targets=[(expression=1)])))"], ['array[1, array[2]]', 'array[1, array[2]]'],
  ['row(1, a)', 'row[1, a]'], ['coalesce(a, b)', '(coalesce args=[a, b])'], ['nullif(a, b)', '(nullif left=a right=b)'], ['greatest(a, b)', "(extreme how='greatest' args=[a, b])"], ['current_timestamp(3)', "(current what='current_timestamp' precision=3)"],
  ['current_date', "(current what='current_date')"], ['grouping(a, b)', '(grouping args=[a, b])'], ['a operator(pg_catalog.+) b', '(a + b)'], ['extract(year from a)', "(call path=pg_catalog.extract args=['year', a] sqlSyntax)"],
  ["substring(a from 2 for 3)", '(call path=pg_catalog.substring args=[a, 2, 3] sqlSyntax)'], ["position('a' in b)", "(call path=pg_catalog.position args=[b, 'a'] sqlSyntax)"], ["trim(leading 'x' from a)", "(call path=pg_catalog.ltrim args=[a, 'x'] sqlSyntax)"],
  ['a != b', '(a <> b)'], ["'foo'\n'bar'", "'foobar'"], ["E'\\u00e9'", "'é'"], ["U&'\\00e9'", "'é'"], ['a::map<int, text>', 'a::map<int4, text>'], ["interval '2' hours", "'2'::interval hour"], ['interval 2 hours ', "'2'::interval hour"],
])('expression: %s', async (sql, tree) => {
  expect(printSyntax(await parseExpression(sql))).toBe(tree)
})

test('an expression is no more than that', async () => {
  for (const sql of ['', '1, 2', '1 as a', '1 from t', '1; select 2', '1 where true', '*, 1', '1)', 'a) or (b']) await expect(parseExpression(sql), sql).rejects.toThrow(SqlError)
})

test("positions are characters of the user's text", () => {
  const column = parseStatementSync("select '😀', é from t where ü = 1")
  expect(JSON.stringify(column)).toContain('{"kind":"column","path":["é"],"at":13}')
  expect(JSON.stringify(column)).toContain('{"kind":"column","path":["ü"],"at":28}')
  expect(failure("select '😀é' from from").details.position).toBe(18)
})

// what PostgreSQL 15 answers
test.each<[string, string, number | undefined]>([
  ['selec 1', 'syntax error at or near "selec"', 1], ['select 1 from', 'syntax error at end of input', 14], ["select 'é' x y", 'syntax error at or near "y"', 14], ["select '日本' 😀 from t where", 'syntax error at end of input', 27],
  ['select * from t limit 1 limit 2', 'syntax error at or near "limit"', 25], ['select a from t join u', 'syntax error at end of input', 23], ['select sum(x) over (rows between unbounded following and current row) from t', 'frame start cannot be UNBOUNDED FOLLOWING', 34],
  ['insert into t values (1,)', 'syntax error at or near ")"', 25], ["insert into t values ('a', 'b' 'c')", 'syntax error at or near "\'c\'"', 32], ['insert into select values (1)', 'syntax error at or near "select"', 13], ['create table t (a int', 'syntax error at end of input', 22],
  ['create table t (a int) foo', 'syntax error at or near "foo"', 24], ['create table t', 'syntax error at end of input', 15], ['create view v as selec', 'syntax error at or near "selec"', 18], ['alter table t foo', 'syntax error at or near "foo"', 15],
  ['drop table t casc', 'syntax error at or near "casc"', 14], ['copy (select 1) from stdin', 'syntax error at or near "from"', 17], ['copy (select 1 from) to stdout', 'syntax error at or near ")"', 20], ['explain selec 1', 'syntax error at or near "selec"', 9],
  ['execute p()', 'syntax error at or near ")"', 11], ['set x to 1 2', 'syntax error at or near "2"', 12], ['set transaction isolation', 'syntax error at end of input', 26], ['begin foo', 'syntax error at or near "foo"', 7], ['fetch all', 'syntax error at end of input', 10],
  ['declare c cursor for selec', 'syntax error at or near "selec"', 22], ['show a b', 'syntax error at or near "b"', 8], ['select x[1', 'syntax error at end of input', 11],
])('error of %s', (sql, message, position) => {
  const error = failure(sql)
  expect({ message: error.message, position: error.details.position }).toEqual({ message, position })
})

test('a zero byte and half a surrogate pair are refused', () => {
  expect(failure('select \0 1')).toMatchObject({ code: '22021', message: 'invalid byte sequence for encoding "UTF8": 0x00' })
  expect(failure("select '\ud800'").code).toBe('22021')
})

test('what nests too deeply is refused, again and again, and the parser lives on', () => {
  const deep = (before: string, inside: string, after: string): string => `select ${before.repeat(10_000)}${inside}${after.repeat(10_000)}`
  const statements = [deep('(', '1', ')'), deep('not ', 'true', ''), deep('- ', 'a', ''), deep('', '1', '+1'), deep('f(', '1', ')'), deep('(select ', '1', ')'), deep('case when a then 1 else ', '1', ' end'),
    deep('', 'a', '::int'), `select 1${' union select 1'.repeat(10_000)}`, `select * from a${' join a on true'.repeat(10_000)}`, deep('', 'a', '[1]'), deep('', 'a', ' is null'), `select 1, 2${' union select 1, 2'.repeat(10_000)}`, `select * from a${' join a on x and y'.repeat(10_000)}`,
    deep('case when a and b then f(1, 2) else ', '1', ' end'), `select * from ${'('.repeat(10_000)}`]
  for (let round = 0; round < 3; round++) {
    for (const sql of statements) {
      let error: unknown
      try { parseStatementSync(sql) } catch (thrown) { error = thrown }
      // a[1][1]… is one flat node, and an unclosed bracket may be a syntax error first
      if (error !== undefined) expect(error, sql.slice(0, 40)).toMatchObject({ code: '54001', message: 'stack depth limit exceeded' })
      else expect(sql.slice(0, 20)).toBe(deep('', 'a', '[1]').slice(0, 20))
    }
  }
  expect(printSyntax(parseStatementSync('select 1'))).toBe('(select query=(query body=(select targets=[(expression=1)])))')
})

test('what is long but flat is not deep', () => {
  expect(parseStatementSync(`select * from t where a in (${'-1, '.repeat(20_000)}1)`).kind).toBe('select')
  expect(parseStatementSync(`select * from t where ${'a = 1 or b = 2 and c between 1 and 2 or '.repeat(3000)}b`).kind).toBe('select')
  expect(parseStatementSync(`select ${'case when a and b then 1 else 2 end, '.repeat(5000)}1`).kind).toBe('select')
  expect(parseStatementSync(`values ${'(1, -2, a + 1), '.repeat(5000)}(1, 2, 3)`).kind).toBe('select')
})
