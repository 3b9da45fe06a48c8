import { expect, test } from 'vitest'
import { SqlError } from '../error.ts'
import { splitStatements, stringOf, tokenize } from './lexer.ts'

const texts = (sql: string): string[] => splitStatements(sql).map(each => each.text)
const kinds = (sql: string): string[] => tokenize(sql).slice(0, -1).map(token => `${token.kind}:${token.text}`)

test('statements end at semicolons outside of strings, names, comments and brackets', () => {
  expect(texts("select ';'; select \";\" ; ;; select $$;$$ /* ; */ -- ;\n; select 1")).toEqual(["select ';'", 'select ";"', 'select $$;$$', 'select 1'])
  expect(texts('')).toEqual([])
  expect(texts(' ; -- nothing\n /* at all */ ;')).toEqual([])
  expect(texts("select E'a\\';b', 'c\\'; select 2")).toEqual(["select E'a\\';b', 'c\\'", 'select 2'])
  expect(texts('select $a$ ; $b$ ; $a$; select 2')).toEqual(['select $a$ ; $b$ ; $a$', 'select 2'])
  expect(texts('/* a /* ; */ ; */ select 1; select 2')).toEqual(['select 1', 'select 2'])
  expect(texts('create rule r as on insert to t do (select 1; select 2); select 3')).toEqual(['create rule r as on insert to t do (select 1; select 2)', 'select 3'])
  expect(texts('create function f() returns int begin atomic select case when a then 1 end; select 2; end; select 3')).toHaveLength(2)
  expect(texts('begin; select 1; end; select 2')).toEqual(['begin', 'select 1', 'end', 'select 2'])
})

test('each statement knows the character it begins at', () => {
  expect(splitStatements("  select '😀';\n select 2").map(each => each.at)).toEqual([3, 16])
})

test("tokens are Postgres's", () => {
  expect(kinds('a.B "C""d" 1.5e-3 .5 1..2 $1 <=-1 a--b\n::int x!=y')).toEqual(['name:a', 'symbol:.', 'name:b', 'quoted:C"d', 'number:1.5e-3', 'number:.5', 'number:1', 'symbol:..', 'number:2', 'param:$1',
    'symbol:<=', 'symbol:-', 'number:1', 'name:a', 'symbol:::', 'name:int', 'name:x', 'symbol:<>', 'name:y'])
  expect(kinds('@-1 *-1')).toEqual(['symbol:@-', 'number:1', 'symbol:*', 'symbol:-', 'number:1'])
  expect(kinds('ÄB é$1 `p$x`')).toEqual(['name:Äb', 'name:é$1', 'quoted:p$x'])
  expect(kinds("/*+ A('b') */ /* no */ x")).toEqual(["hint:/*+ A('b') */", 'name:x'])
})

test('strings are decoded', () => {
  const value = (sql: string): string => { const [token] = tokenize(sql); return token === undefined ? '' : stringOf(sql, token) }
  expect(value("'it''s'")).toBe("it's")
  expect(value("'a\\b'")).toBe('a\\b')
  expect(value("E'a\\n\\x41\\101\\u00e9\\'\\q'")).toBe("a\nAAé'q")
  expect(value('$x$it\'s $$ here$x$')).toBe("it's $$ here")
  expect(value("'foo'\n  'bar'")).toBe('foobar')
})

test.each([["select 'abc", "unterminated quoted string at or near \"'abc\"", 8], ['select "abc', 'unterminated quoted identifier at or near ""abc"', 8], ['select $$abc', 'unterminated dollar-quoted string at or near "$$abc"', 8],
  ['select /* abc', 'unterminated /* comment at or near "/* abc"', 8], ['select ""', 'zero-length delimited identifier at or near """"', 8]])('%s is refused as PostgreSQL 15 refuses it', (sql, message, position) => {
  expect(() => splitStatements(sql)).toThrow(new SqlError('42601', message, { position }))
})
