import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import type { Said } from './conversations.ts'
import { bind, CONVERSATIONS, execute, parse, query, said, sync, terminate, TYPED } from './conversations.ts'
import { emptyEngine, HELLO, talk } from './testing.ts'

const engine = await emptyEngine()
afterAll(() => engine.close())

const answers: Readonly<Record<string, readonly Said[]>> = JSON.parse(readFileSync(new URL('./postgres-answers.json', import.meta.url), 'utf8'))
/** What a conversation leaves behind must be nothing. */
const before = engine.memory.used

describe('PostgreSQL 15 says the same', () => {
  for (const { name, input } of CONVERSATIONS) {
    test(name, async () => {
      // a numeric literal is known here to its digits, which its modifier tells; PostgreSQL tells nothing
      const same = (answer: readonly Said[]): unknown => /of numeric$/.test(name) ? answer.map(each => each.map(part => String(part).replace(/ 1700 -1 -?\d+ /, ' 1700 '))) : answer
      const failures: unknown[] = [], whole = Buffer.concat([HELLO, input, terminate])
      const answer = said(await talk(engine, whole, Infinity, failures))
      expect(same(answer)).toEqual(same(answers[name] ?? []))
      expect(failures).toEqual([])
      expect(said(await talk(engine, whole, 1))).toEqual(answer)
      expect(engine.memory.used).toBe(before)
    })
  }
})

describe('parameters in binary are read as PostgreSQL writes them', () => {
  for (const type of Object.keys(TYPED)) {
    test(type, async () => {
      const data = answers[`binary of ${type}`]?.find(([kind]) => kind === 'D')?.slice(1) ?? []
      const values = data.map(text => { const value = String(text); return value === 'NULL' ? null : value.startsWith('\'\\x') ? Buffer.from(value.slice(3), 'hex') : Buffer.from(value.slice(1)) })
      expect(values.length).toBe((TYPED[type]?.length ?? 0) + 1)
      const sql = `SELECT ${values.map((_, i) => `$${i + 1}::${type}`).join(', ')}`
      const answer = said(await talk(engine, Buffer.concat([HELLO, parse(sql), bind(values, { formats: [1], results: [1] }), execute(), sync, terminate])))
      expect(answer.find(([kind]) => kind === 'D')).toEqual(['D', ...data])
    })
  }
})

describe('nesting', () => {
  const deep: Readonly<Record<string, string>> = {
    'parentheses': `SELECT ${'('.repeat(10_000)}1${')'.repeat(10_000)}`,
    'a sum': `SELECT ${Array.from({ length: 10_000 }, () => '1').join(' + ')}`,
    'a sum that the grammar takes': `SELECT ${Array.from({ length: 3_900 }, () => 'n').join(' + ')} FROM (VALUES (1), (2)) AS v(n)`,
    'NOT': `SELECT ${'NOT '.repeat(3_900)} true`,
    'functions': `SELECT ${'abs('.repeat(1_900)}n${')'.repeat(1_900)} FROM (VALUES (1), (2)) AS v(n)`,
    'CASE': `SELECT ${'CASE WHEN n = 1 THEN 1 ELSE '.repeat(900)}2${' END'.repeat(900)} FROM (VALUES (1), (2)) AS v(n)`,
    'subqueries': `SELECT * FROM ${'(SELECT * FROM '.repeat(500)}(VALUES (1)) AS v(n)${') AS s'.repeat(500)}`,
    'AND': `SELECT n FROM (VALUES (1), (2)) AS v(n) WHERE ${Array.from({ length: 5_000 }, (_, i) => `n <> ${i + 10}`).join(' AND ')}`,
    'OR in AND': `SELECT n FROM (VALUES (1), (2)) AS v(n) WHERE ${Array.from({ length: 500 }, (_, i) => `(n = 1 OR n <> ${i + 10})`).join(' AND ')}`,
    'UNION': Array.from({ length: 1_000 }, (_, i) => `SELECT ${i}`).join(' UNION ALL '),
  }
  for (const [name, sql] of Object.entries(deep)) {
    test(`${name}: an answer or 54001, and the connection goes on`, async () => {
      const answer = said(await talk(engine, Buffer.concat([HELLO, query(sql), parse(sql), bind(), execute(), sync, query('SELECT 7 AS seven'), terminate])))
      for (const [kind, ...fields] of answer) if (kind === 'E') expect(fields).toContain('C54001')
      expect(answer.slice(-4)).toEqual([['T', 'seven 23 4 -1 0'], ['D', '\'7'], ['C', 'SELECT 1'], ['Z', 'I']])
    })
  }
})

test('a value that cannot be written leaves no half message', async () => {
  // arrays of arrays that differ in length have no binary form
  const sql = 'SELECT n, CASE WHEN n = 2 THEN ARRAY[ARRAY[1], NULL] END AS a FROM (VALUES (1), (2)) AS v(n)'
  const answer = said(await talk(engine, Buffer.concat([HELLO, parse(sql), bind([], { results: [1] }), execute(), sync, query('SELECT 7 AS seven'), terminate])))
  expect(answer.at(-1)).toEqual(['Z', 'I'])
  expect(answer.filter(([kind]) => kind === 'T')).toEqual([['T', 'seven 23 4 -1 0']])
})
