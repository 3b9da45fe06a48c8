import fc from 'fast-check'
import { existsSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { SqlError } from '../error.ts'
import { readLiteralInsert } from './literal-insert.ts'
import { loadParser } from './parse.ts'
import { parseStatementSync, splitStatements } from './statement.ts'
import { printSyntax } from './syntax-print.ts'

beforeAll(loadParser)

const show = (sql: string): string => printSyntax(parseStatementSync(sql))
const query = (sql: string): string => /^\(select query=\(query (.*)\)\)$/.exec(show(sql))?.[1] ?? show(sql)
const from = (sql: string): string => /from=\[(.*)\]\)$/.exec(query(sql))?.[1] ?? query(sql)

test.each([
  ['select distinct on (a) * from t', 'body=(select distinct=(on=[a]) targets=[(expression=*)] from=[(table path=t)])'],
  ['select distinct a as "B" from t', "body=(select distinct=() targets=[(expression=a alias='B')] from=[(table path=t)])"],
  ['table s.t', 'body=(select targets=[(expression=*)] from=[(table path=s.t)])'],
  ['values (1, default), (2, 3)', 'body=(values rows=[[1, default], [2, 3]])'],
  ['select 1 union all select 2 except select 3 intersect select 4', "body=(setOperation how='except' left=(query body=(setOperation how='union' all left=(query body=(select targets=[(expression=1)])) right=(query body=(select targets=[(expression=2)])))) right=(query body=(setOperation how='intersect' left=(query body=(select targets=[(expression=3)])) right=(query body=(select targets=[(expression=4)])))))"],
  ['select 1 order by a desc nulls first, b using > limit 1 offset 2', "body=(select targets=[(expression=1)]) orderBy=[(expression=a descending nulls='first'), (expression=b using='>')] limit=1 offset=2"],
  ['select a from t order by a fetch first 3 rows with ties', 'body=(select targets=[(expression=a)] from=[(table path=t)]) orderBy=[(expression=a)] limit=3 withTies'],
  ['select a from t for no key update of t skip locked', "body=(select targets=[(expression=a)] from=[(table path=t)]) locking=[(strength='no key update' tables=[t] wait='skip')]"],
  ['select 1 from t group by distinct a, rollup (a, (b, c)), cube (a), grouping sets ((a), (), rollup (b)) having x', 'body=(select targets=[(expression=1)] from=[(table path=t)] groupBy=[(expression expression=a), (rollup items=[a, row[b, c]]), (cube items=[a]), (sets sets=[(expression expression=a), (empty), (rollup items=[b])])] groupDistinct having=x)'],
  ['select 1 window w as (partition by a order by b)', "body=(select targets=[(expression=1)] windows=[(name='w' window=(partitionBy=[a] orderBy=[(expression=b)]))])"],
  ['with recursive a (x) as not materialized (select 1) select * from a', "with=(recursive tables=[(name='a' columns=x materialized='never' statement=(query body=(select targets=[(expression=1)])))]) body=(select targets=[(expression=*)] from=[(table path=a)])"],
  ['with a as (delete from t returning *) select 1', "with=(tables=[(name='a' materialized='default' statement=(delete table=(path=t) returning=[(expression=*)]))]) body=(select targets=[(expression=1)])"],
  ['select a from t emit on window close', "body=(select targets=[(expression=a)] from=[(table path=t)]) emit='on window close'"],
  ['select a into temp x from t', 'body=(select targets=[(expression=a)] from=[(table path=t)] into=(path=x))'],
])('query: %s', (sql, tree) => { expect(query(sql)).toBe(tree) })

test.each([
  ['select 1 from a as x (p, q), only s.b', "(table path=a alias=(name='x' columns=p.q)), (table path=s.b only)"],
  ['select 1 from a left join b using (x, y) as u natural full join c', "(join how='full' natural left=(join how='left' left=(table path=a) right=(table path=b) using=x.y usingAlias='u') right=(table path=c))"],
  ['select 1 from a cross join lateral (select 1) s', "(join how='inner' left=(table path=a) right=(subquery query=(query body=(select targets=[(expression=1)])) lateral alias=(name='s')))"],
  ['select 1 from (a join b on true) as x', "(join how='inner' left=(table path=a) right=(table path=b) on=true alias=(name='x'))"],
  ['select 1 from f(1) with ordinality as t (a, b)', "(function functions=[(call=(call path=f args=[1]))] ordinality alias=(name='t' columns=a.b))"],
  ['select 1 from rows from (f(1) as (a int), g(2))', "(function functions=[(call=(call path=f args=[1]) columns=[(name='a' type=int4)]), (call=(call path=g args=[2]))] rowsFrom)"],
  ['select 1 from f(x) as r (a int, b text)', "(function functions=[(call=(call path=f args=[x]))] alias=(name='r') columns=[(name='a' type=int4), (name='b' type=text)])"],
  ['select 1 from t tablesample bernoulli (1) repeatable (2)', '(table path=t sample=(method=bernoulli args=[1] repeatable=2))'],
  ['select 1 from t for system_version as of 7', "(table path=t asOf=(what='version' value=7))"],
  ["select 1 from t x version as of 'tag' join u on true", "(join how='inner' left=(table path=t alias=(name='x') asOf=(what='version' value='tag')) right=(table path=u) on=true)"],
  ["select 1 from s.t for system_time as of timestamp '2020-01-01 00:00:00' - interval '1' hour as x", "(table path=s.t alias=(name='x') asOf=(what='time' value=('2020-01-01 00:00:00'::timestamp - '1'::interval hour)))"],
  ['select 1 from t for system_time as of $1 x', "(table path=t alias=(name='x') asOf=(what='time' value=$1))"],
  ["select 1 from `t$files` /*+ OPTIONS('scan.mode'='latest', k=7) */ as x", "(table path=t$files alias=(name='x') hints=[(name='OPTIONS' arguments=[(key='scan.mode' value='latest'), (key='k' value='7')])])"],
  ['select 1 from f(1) as of (a int), t as of', "(function functions=[(call=(call path=f args=[1]))] alias=(name='of') columns=[(name='a' type=int4)]), (table path=t alias=(name='of'))"],
  ['select 1 from a asof left join b on a.t >= b.t', "(join how='left' asof left=(table path=a) right=(table path=b) on=(a.t >= b.t))"],
  ["select 1 from table(hop(table t partition by (a), descriptor(ts), interval '1' minutes))", "(function functions=[(call=(call path=hop args=[(tableArgument path=t partitionBy=[a]), (call path=descriptor args=[ts]), '1'::interval minute]))])"],
  ["select 1 from tumble(data => table t, size => interval '10' minutes)", "(function functions=[(call=(call path=tumble args=[(name='data' value=(tableArgument path=t)), (name='size' value='10'::interval minute)]))])"],
])('from: %s', (sql, tree) => { expect(from(sql)).toBe(tree) })

test.each([
  ['insert into s.t as x (a, b[1]) overriding user value select 1, 2 on conflict (a, lower(b)) where c do update set a = excluded.a where d returning *', "(insert table=(path=s.t alias=(name='x')) columns=[(name='a'), (name='b' indirection)] source=(query body=(select targets=[(expression=1), (expression=2)])) overriding='user' onConflict=(action='update' columns=[(expression=a), (expression=(call path=lower args=[b]))] columnsWhere=c set=[(one column='a' value=excluded.a)] where=d) returning=[(expression=*)])"],
  ['insert into t default values', "(insert table=(path=t) source='default')"],
  ["insert into t /*+ OPTIONS('a'='b') */ select 1", "(insert table=(path=t) source=(query body=(select targets=[(expression=1)])) hints=[(name='OPTIONS' arguments=[(key='a' value='b')])])"],
  ["insert overwrite table t partition (dt = '1', h = 2) select 1", "(insert table=(path=t) source=(query body=(select targets=[(expression=1)])) overwrite partition=[(name='dt' value='1'), (name='h' value=2)])"],
  ['upsert into t values (a)', '(insert table=(path=t) source=(query body=(values rows=[[a]])) upsert)'],
  ['update only t as x set a = default, (b, c) = (select 1, 2) from u where x.a = u.a returning a', "(update table=(path=t only alias=(name='x')) set=[(one column='a' value=default), (several columns=[(name='b'), (name='c')] value=(subquery how='scalar' query=(query body=(select targets=[(expression=1), (expression=2)]))))] from=[(table path=u)] where=(x.a = u.a) returning=[(expression=a)])"],
  ['delete from t using u where current of c', "(delete table=(path=t) using=[(table path=u)] currentOf='c')"],
  ['merge into t using s on a = b when matched and c then update set a = 1 when matched then delete when not matched then insert (a) values (default)', "(merge table=(path=t) source=(table path=s) on=(a = b) arms=[(when='matched' condition=c action=(update set=[(one column='a' value=1)])), (when='matched' action=(delete)), (when='not matched' action=(insert columns=[(name='a')] values=[default]))])"],
])('change: %s', (sql, tree) => { expect(show(sql)).toBe(tree) })

test.each([
  ['create temp table if not exists s.t (a int not null default 1 check (a > 0), b varchar(10) collate "C" primary key, c int generated always as (a) stored, d int references q, like z, constraint p unique (a, b), foreign key (a) references s.q) on commit drop',
    "(createTable table=(path=s.t) ifNotExists persistence='temporary' columns=[(name='a' type=int4 notNull check=[(expression=(a > 0))] default=1), (name='b' type=varchar(10) primaryKey collation=C), (name='c' type=int4 computed=a), (name='d' type=int4 references=q)] constraints=[(unique name='p' columns=a.b), (foreignKey columns=a references=s.q)] like=[(path=z)] otherClauses=[(name='ON COMMIT')])"],
  ["create table t (id bigint comment 'x' not null, v array<row<a int not null, b map<string, array<int>>>>, ts timestamp(3) with local time zone, p as f(id) comment 'pp', m string metadata from 'k' virtual, watermark for ts as ts - interval '5' second, primary key (id) not enforced) comment 'tt' partitioned by (dt, h) with ('bucket' = '4', merge-engine = x, a.b = 1)",
    "(createTable table=(path=t) persistence='permanent' columns=[(name='id' type=int8 notNull comment='x'), (name='v' type=array<row<(name='a' type=int4 notNull), (name='b' type=map<string, array<int4>>)>>), (name='ts' type=timestamp_ltz(3)), (name='p' comment='pp' computed=(call path=f args=[id])), (name='m' type=string metadata='k')] constraints=[(primaryKey columns=id notEnforced)] options=[(key='bucket' value='4'), (key='merge-engine' value='x'), (key='a.b' value='1')] partitionedBy=dt.h comment='tt' watermark=(column='ts' expression=(ts - '5'::interval second)))"],
  ['create table t (a tinyint, b double, c bytes, d timestamp_ltz(6), e decimal(38, 10), f float, g char(3), h varbinary(5))', "(createTable table=(path=t) persistence='permanent' columns=[(name='a' type=tinyint), (name='b' type=double), (name='c' type=bytes), (name='d' type=timestamp_ltz(6)), (name='e' type=numeric(38, 10)), (name='f' type=float8), (name='g' type=bpchar(3)), (name='h' type=varbinary(5))])"],
  ['create table t (watermark for ts as ts, ts timestamp)', "(createTable table=(path=t) persistence='permanent' columns=[(name='ts' type=timestamp)] watermark=(column='ts' expression=ts))"],
  ['create table t (a, b) as select 1, 2 with no data', "(createTable table=(path=t) persistence='permanent' as=(query=(query body=(select targets=[(expression=1), (expression=2)])) columns=a.b))"],
  ['create or replace table t (a int) with (x = y) as select 1', "(createTable table=(path=t) replace persistence='permanent' columns=[(name='a' type=int4)] options=[(key='x' value='y')] as=(query=(query body=(select targets=[(expression=1)])) withData))"],
  ['create table t like u', "(createTable table=(path=t) persistence='permanent' like=[(path=u including=all)])"],
  ['create or replace view s.v (a) as select 1 with local check option', "(createView view=(path=s.v) columns=a query=(query body=(select targets=[(expression=1)])) sql='select 1' replace persistence='permanent' checkOption='local' withData)"],
  ['create recursive view v (n) as values (1)', "(createView view=(path=v) columns=n query=(query with=(recursive tables=[(name='v' columns=n materialized='default' statement=(query body=(values rows=[[1]])))]) body=(select targets=[(expression=n)] from=[(table path=v)])) sql='values (1)' persistence='permanent' recursive withData)"],
  ["create materialized view v with ('a' = 'b') as select 1 emit changes", "(createView view=(path=v) query=(query body=(select targets=[(expression=1)]) emit='changes') sql='select 1' persistence='permanent' materialized options=[(key='a' value='b')] withData)"],
  ["create source s (a int, watermark for a as a) with (connector = 'kafka') format plain encode json", "(createStreaming object='source' name=s columns=[(name='a' type=int4)] watermark=(column='a' expression=a) options=[(key='connector' value='kafka')] otherClauses=[(name='FORMAT')])"],
  ["create sink k into t as select * from mv with (x = 'y')", "(createStreaming object='sink' name=k into=t query=(query body=(select targets=[(expression=*)] from=[(table path=mv)])) options=[(key='x' value='y')])"],
  ["create subscription s from mv with (retention = '1D')", "(createStreaming object='subscription' name=s from=mv options=[(key='retention' value='1D')])"],
  ['create schema if not exists s', "(createSchema name='s' ifNotExists elements=0)"],
  ['drop materialized view if exists a.b, c cascade', "(drop object='materialized view' names=[(path=a.b), (path=c)] ifExists cascade)"],
  ['truncate only a, b restart identity', '(truncate tables=[(path=a only), (path=b)] restartIdentity)'],
  ["comment on column s.t.c is 'x'", "(comment object='column' name=s.t.c comment='x')"],
  ["alter table only t add column if not exists a array<int> comment 'c' first, drop column if exists b cascade, alter c set data type int using c::int, rename d to e, alter f set default 1 + 1, alter g drop not null",
    "(alter object='table' name=t only actions=[(addColumn column=(name='a' type=array<int4> comment='c') ifNotExists position=()), (dropColumn name='b' ifExists cascade), (columnType name='c' type=int4 using=c::int4), (renameColumn name='d' to='e'), (setDefault name='f' value=(1 + 1)), (dropNotNull name='g')])"],
  ["alter table t set ('a' = 'b')", "(alter object='table' name=t actions=[(setOptions options=[(key='a' value='b')])])"], ["alter table t reset ('a', b.c)", "(alter object='table' name=t actions=[(resetOptions keys=a.b.c)])"],
  ['alter view v rename to w', "(alter object='view' name=v actions=[(rename to='w')])"], ['alter table t set schema s', "(alter object='table' name=t actions=[(setSchema schema='s')])"],
  ["alter table t modify a bigint comment 'n' after b", "(alter object='table' name=t actions=[(columnType name='a' type=int8), (columnComment name='a' comment='n'), (columnPosition name='a' position=(after='b'))])"],
  ["alter table t drop partition (dt = 'x', h = 1), partition (dt = 'y')", "(alter object='table' name=t actions=[(dropPartition partitions=[[(name='dt' value='x'), (name='h' value=1)], [(name='dt' value='y')]])])"],
  ['alter table t add primary key (a), drop constraint c', "(alter object='table' name=t actions=[(addConstraint constraint=(primaryKey columns=a)), (dropConstraint name='c')])"],
  ['alter table t owner to x', "(alter object='table' name=t actions=[(other name='OWNER TO')])"],
  ['create trigger a before insert on t execute function f()', "(other name='CREATE TRIGGER')"], ['create or replace function f() returns int language sql as $$ select 1; $$', "(other name='CREATE FUNCTION')"], ['grant select on t to u', "(other name='GRANT')"],
  ['drop trigger x on t', "(other name='DROP TRIGGER')"], ['alter default privileges grant select on tables to u', "(other name='ALTER DEFAULT PRIVILEGES')"], ['do $$ begin end $$', "(other name='DO')"], ['create unique index i on t (a)', "(other name='CREATE INDEX')"],
])('definition: %s', (sql, tree) => { expect(show(sql)).toBe(tree) })

test.each([
  ["subscribe to (select a from t) with (snapshot = false, progress) as of at least 5 up to now() + interval '1' hour envelope upsert (key (a))", "(subscribe what=(query query=(query body=(select targets=[(expression=a)] from=[(table path=t)]))) sql='select a from t' progress asOf=(value=5 atLeast) upTo=((call path=now) + '1'::interval hour) envelope=(upsert key=a))"],
  ['copy (subscribe t) to stdout', "(copy direction='to' what=(statement statement=(subscribe what=(table table=(path=t)) sql='t')) place=(client) options=())"],
  ['declare c no scroll cursor with hold for subscribe to t with (snapshot)', "(declare name='c' hold query=(subscribe what=(table table=(path=t)) sql='t' snapshot) sql='subscribe to t with (snapshot)')"],
  ['declare c binary cursor for select 1', "(declare name='c' binary query=(query body=(select targets=[(expression=1)])) sql='select 1')"],
  ["fetch forward all from c with (timeout = '1s')", "(fetch cursor='c' direction='forward' count='all' timeout='1s')"], ['fetch 3 c', "(fetch cursor='c' direction='forward' count=3)"], ['fetch -3 in c', "(fetch cursor='c' direction='backward' count=3)"],
  ['fetch last c', "(fetch cursor='c' direction='absolute' count=-1)"], ['fetch next', "(fetch cursor='next' direction='forward' count=1)"], ['move relative -2 c', "(fetch move cursor='c' direction='relative' count=-2)"], ['close all', '(close)'],
  ["copy t (a, b) from 'x' with delimiter '|' null as '' csv header quote 'q' force not null a, b where a > 1", "(copy direction='from' what=(table table=(path=t) columns=[(name='a'), (name='b')]) place=(file path='x') options=(delimiter='|' null='' format='csv' header='true' quote='q' forceNotNull=a.b) where=(a > 1))"],
  ["copy binary t to program 'x'", "(copy direction='to' what=(table table=(path=t)) place=(program path='x') options=(format='binary'))"],
  ['copy (select 1) to stdout (format csv, header match, force_quote (a), foo bar)', "(copy direction='to' what=(statement statement=(select query=(query body=(select targets=[(expression=1)])))) place=(client) options=(others=[(key='foo' value='bar')] format='csv' header='match' forceQuote=a))"],
  ['explain (analyze, verbose off, format json, costs off) select 1', "(explain statement=(select query=(query body=(select targets=[(expression=1)]))) analyze format='json' options=[(key='costs' value='off')])"],
  ['explain analyze verbose delete from t', "(explain statement=(delete table=(path=t)) analyze verbose format='text')"], ['explain (select 1)', "(explain statement=(select query=(query body=(select targets=[(expression=1)]))) format='text')"],
  ['prepare p (int, numeric(3, 2)[]) as select $1', "(prepare name='p' types=[int4, numeric(3, 2)[]] statement=(select query=(query body=(select targets=[(expression=$1)]))) sql='select $1')"], ["execute p (1, 'a'::text)", "(execute name='p' args=[1, 'a'::text])"],
  ['deallocate all', '(deallocate)'], ['deallocate prepare p', "(deallocate name='p')"],
  ["set session x.Y to 'a', b, -3", "(set name='x.y' values=a.b.-3)"], ["set 'x.y' = 'v'", "(set name='x.y' values=v)"], ['set local search_path to default', "(set name='search_path' values='default' local)"], ["set time zone interval '+01:00' hour to minute", "(set name='timezone' values=+01:00)"],
  ["set names 'utf8'", "(set name='client_encoding' values=utf8)"], ['set session characteristics as transaction read only', '(setTransaction session modes=(readOnly))'], ['set transaction isolation level repeatable read, not deferrable', "(setTransaction modes=(isolation='repeatable read'))"],
  ['begin isolation level serializable read write', "(transaction what='begin' modes=(isolation='serializable'))"], ['end work and chain', "(transaction what='commit' chain modes=())"], ['rollback to savepoint s', "(transaction what='rollbackTo' modes=() name='s')"], ['release s', "(transaction what='release' modes=() name='s')"],
  ['show transaction isolation level', "(show name='transaction_isolation')"], ['show all', "(show name='all')"], ['show DateStyle', "(show name='datestyle')"], ["show tables from s like 'a%'", "(showObjects what='tables' from=s like='a%')"], ['show create table a.b', "(showObjects what='create table' from=a.b)"],
  ['describe s.t', "(showObjects what='columns' from=s.t)"], ['reset all', '(reset)'], ['discard temporary', "(discard what='temp')"], ['listen "A"', "(listen channel='A')"], ["notify a, 'b'", "(notify channel='a' payload='b')"], ['unlisten *', '(unlisten)'],
  ['vacuum (full) a, b (c)', "(maintenance what='vacuum' tables=[a, b] options=[(key='full' value='true')])"], ['use s', '(use path=s)'], [' -- nothing\n;', '(empty)'],
])('session: %s', (sql, tree) => { expect(show(sql)).toBe(tree) })

describe('a bulk INSERT of literals reads as the grammar reads it', () => {
  test.each(["insert into t values (1, -2, 3.50, 1e5, .5, 'x''y', null, true, FALSE), (0, -0, 1., -1.5, 'a' , '' , NULL, false, 12345678901234567890)", 'INSERT INTO s."T" (a, "B") VALUES (1, \'é😀\'), (2, \'ü\')', "insert into t values ('a'\n'b')"])('%s', sql => {
    // behind EXPLAIN the grammar reads; eight blanks keep the positions
    expect(parseStatementSync(`explain ${sql}`)).toMatchObject({ kind: 'explain', statement: parseStatementSync(`        ${sql}`) })
    const explained = parseStatementSync(`explain ${sql}`)
    expect(explained.kind === 'explain' ? explained.statement : undefined).toEqual(parseStatementSync(`        ${sql}`))
  })

  test('the fast way is taken by literals only', () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => `(${i}, 'name ${i}', ${i}.25, null, true, '2020-01-01', -${i}, 'x''y')`).join(', ')
    const insert = readLiteralInsert(`insert into t values ${rows};`)
    expect(insert?.source !== 'default' && insert?.source.body.kind === 'values' ? insert.source.body.rows.length : 0).toBe(10_000)
    for (const sql of ['insert into t values (1 + 1)', 'insert into t values (1), (1, 2)', "insert into t values (E'a')", 'insert into t values (1) returning a', 'insert into t values (a)', 'insert into t select 1', 'insert into t values (007)',
      'insert into t values (1), ', 'insert into user values (1)', 'insert into t as x values (1)', 'insert into t values (1); select 2', "insert into t values (date '2020-01-01')", 'insert into t values (default)', 'insert into t values (- - 1)', "insert into t values (-'1')"]) {
      expect(readLiteralInsert(sql), sql).toBeUndefined()
    }
  })
})

const corpus = new URL('../../../shared/corpora/', import.meta.url)
const lines = (name: string): { readonly sql: string; readonly f?: string }[] => readFileSync(new URL(name, corpus), 'utf8').trim().split('\n').map(line => JSON.parse(line))

/** What of the streaming dialects is no part of ours, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  'SELECT * FROM t QUALIFY': 'QUALIFY: a subquery says the same', 'SELECT * EXCLUDE': 'star modifiers', 'SELECT * EXCEPT': 'star modifiers', 'SELECT * REPLACE': 'star modifiers', 'SELECT * FROM t MATCH_RECOGNIZE': 'row patterns',
  'FROM t SELECT': 'FROM first', 'SELECT a FROM t GROUP BY ALL': 'GROUP BY ALL', 'SELECT a FROM t LIMIT 5 BY': 'LIMIT BY of ClickHouse', "SELECT map['a',1]": 'map constructor of Flink', "CREATE FUNCTION f(int) RETURNS int AS 'x.y' USING LINK": 'user functions by link',
}

describe.skipIf(!existsSync(corpus))('corpora (skipped where ../shared is absent)', () => {
  test('every query that psql, pg_dump and SQLAlchemy send parses', () => {
    const queries = lines('client-queries.jsonl'), failed = queries.flatMap(({ sql }) => { try { parseStatementSync(sql); return [] } catch (error) { return [`${String(error)}: ${sql}`] } })
    expect({ count: queries.length, failed }).toEqual({ count: 1016, failed: [] })
  })

  test('the streaming dialects parse, but for what is listed', () => {
    const wrong: string[] = []
    for (const { sql } of lines('streaming-statements.jsonl')) {
      const refused = Object.keys(REFUSED).some(start => sql.startsWith(start))
      try { parseStatementSync(sql); if (refused) wrong.push(`parsed: ${sql}`) } catch (error) {
        if (!refused) wrong.push(`${String(error)}: ${sql}`)
        expect(error).toBeInstanceOf(SqlError)
      }
    }
    expect(wrong).toEqual([])
  })
})

const WORDS = ("select from where group by order limit with recursive as of ( ( ( ) ) ) , , . ; :: = <> + - * / || [ ] 1 2.5 'a' E'\\x' \"b\" `c` $1 a b t s.t count( sum( over ( partition by insert into values update set delete merge using on when matched then not and or is null in between like case "
  + "end exists any array[ row( cast( int text timestamp interval '1' minutes join left natural asof lateral table( table tumble( descriptor( for system_time system_version as of version emit on window close changes /*+ OPTIONS('k'='v') */ /*x*/ --y\n create table view materialized source sink if exists "
  + "primary key not enforced watermark partitioned comment 'x' alter add column drop rename to modify first after copy stdin stdout format csv explain analyze prepare execute subscribe snapshot up envelope upsert fetch all next close declare cursor set show reset begin commit rollback savepoint map< array< row< > >> < default "
  + "union except intersect distinct tablesample qualify match_recognize 😀 é \\ { @ ? $$ $a$ U&'\\0041' x'1f' 0x1 1e5 .5").split(' ')

describe('whatever comes in, a tree or an SqlError comes out', () => {
  const holds = (sql: string): void => {
    for (const read of [() => parseStatementSync(sql), () => splitStatements(sql)]) {
      try { read() } catch (error) { if (!(error instanceof SqlError)) throw new Error(`${String(error)} of ${JSON.stringify(sql)}`, { cause: error }) }
    }
  }
  const soup = fc.array(fc.constantFrom(...WORDS), { maxLength: 25 }).map(words => words.join(' '))
  const heads = ['', 'select * from', 'select', 'create table t (', 'create table t (a', 'alter table t', 'insert into t', 'subscribe to', 'copy t', 'create view v as', 'explain', 'select a from t for system_time as of', 'create source s', 'select 1 from table(tumble(table t', 'declare c cursor for', 'fetch', 'set x to']
  test('words', () => { fc.assert(fc.property(fc.constantFrom(...heads), soup, (head, tail) => { holds(`${head} ${tail}`) }), { numRuns: 3000 }) })
  test('characters', () => { fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), holds), { numRuns: 1000 }) })
  test('bytes', () => { fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), bytes => { holds(Buffer.from(bytes).toString('latin1')); holds(Buffer.from(bytes).toString('utf8')) }), { numRuns: 1000 }) })
  test('statements with a piece cut out or doubled', () => {
    const whole = fc.constantFrom('select a, count(*) over (partition by b) from t for system_time as of now() x join u using (a) where a in (select 1) group by a order by 1 limit 3',
      "create table t (a array<row<b int, c map<int, string>>> not null comment 'x', p as f(a), watermark for p as p - interval '5' seconds, primary key (a) not enforced) partitioned by (a) with ('k' = 'v')",
      "insert into t (a, b) values (1, 'x'), (-2.5, null)", "subscribe to (select a from t) with (snapshot = false) as of 5 up to 7 envelope upsert (key (a))", "copy t (a) from 'x' with (format csv, header, force_null (a)) where a > 1",
      "alter table t add column a array<int> comment 'c' first, alter b type int using b::int, drop partition (x = 1)", "select * from table(hop(table t partition by a, descriptor(ts), interval '10' minutes)) /*+ OPTIONS('a'='b') */")
    fc.assert(fc.property(whole, fc.nat(), fc.nat(20), fc.boolean(), (sql, start, length, twice) => {
      const at = start % sql.length
      holds(twice ? sql.slice(0, at + length) + sql.slice(at) : sql.slice(0, at) + sql.slice(at + length))
    }), { numRuns: 2000 })
  })
  test('the parser still works', () => { expect(show('select 1')).toBe('(select query=(query body=(select targets=[(expression=1)])))') })
})
