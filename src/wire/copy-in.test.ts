import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { COPY_IN, saidOfCopy } from './copy-in-conversations.ts'
import type { Said } from './conversations.ts'
import { message, query, said, terminate } from './conversations.ts'
import { emptyEngine, HELLO, talk } from './testing.ts'

const answers: Readonly<Record<string, readonly Said[]>> = JSON.parse(readFileSync(new URL('./copy-in-answers.json', import.meta.url), 'utf8'))

describe('PostgreSQL 15 says the same to COPY FROM', () => {
  for (const { name, input } of COPY_IN) {
    test(name, async () => {
      const engine = await emptyEngine()
      try {
        const failures: unknown[] = [], whole = Buffer.concat([HELLO, input, terminate]), before = engine.memory.used
        const answer = saidOfCopy(await talk(engine, whole, Infinity, failures))
        expect(answer).toEqual(answers[name])
        expect(failures).toEqual([])
        await talk(engine, Buffer.concat([HELLO, query('DROP TABLE IF EXISTS c'), terminate]))
        expect(saidOfCopy(await talk(engine, whole, 1))).toEqual(answer)
        expect(engine.memory.used).toBe(before)
      } finally {
        await engine.close()
      }
    })
  }
})

test('a client that vanishes amid its data leaves nothing', async () => {
  const engine = await emptyEngine(), before = engine.memory.used
  await talk(engine, Buffer.concat([HELLO, query('CREATE TABLE c (id int)'), query('COPY c FROM STDIN'), message('d', Buffer.from('1\n2\n'))]))
  expect(said(await talk(engine, Buffer.concat([HELLO, query('SELECT count(*) FROM c'), terminate]))).filter(([kind]) => kind === 'D')).toEqual([['D', '\'0']])
  expect(engine.memory.used).toBe(before)
  await engine.close()
})

test('rows of many batches arrive, the last of a key wins', async () => {
  const engine = await emptyEngine()
  const rows = Array.from({ length: 40_000 }, (_, i) => `${i % 30_000}\trow ${i}\n`).join('')
  const answer = said(await talk(engine, Buffer.concat([HELLO, query("CREATE TABLE c (id int, v text, PRIMARY KEY (id) NOT ENFORCED) WITH ('bucket' = '1')"), query('COPY c FROM STDIN'), message('d', Buffer.from(rows)), message('c'), query('SELECT count(*), min(v), max(id) FROM c WHERE id < 10000'), terminate]), 65_536))
  expect(answer.filter(([kind]) => kind === 'C').map(([, tag]) => tag)).toEqual(['CREATE TABLE', 'COPY 40000', 'SELECT 1'])
  expect(answer.find(([kind]) => kind === 'D')).toEqual(['D', '\'10000', '\'row 30000', '\'9999'])
  await engine.close()
})
