import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { bind, close, CONVERSATIONS, describe, execute, flush, message, parse, query, said, sync, terminate } from './conversations.ts'
import { emptyEngine, HELLO, talk } from './testing.ts'

const engine = await emptyEngine()
afterAll(() => engine.close())
const before = engine.memory.used
/** Deterministic: a failure that was found stays found. */
const RUNS = { seed: 20_261_124, numRuns: 300, endOnFailure: true }

const name = fc.constantFrom('', 'a', 'b')
const sql = fc.constantFrom('SELECT 1', 'SELECT $1::int4', 'SELECT n FROM (VALUES (1), (2), (3)) AS v(n)', 'SELECT 1/n FROM (VALUES (0), (1)) AS v(n)', 'SELEC', '', 'BEGIN', 'COMMIT', 'ROLLBACK', 'SET DateStyle = DMY', 'COPY (SELECT 1) TO STDOUT', 'SELECT 1; SELECT 2', 'DISCARD ALL', 'SAVEPOINT s', 'ROLLBACK TO s')
const good = fc.oneof(
  sql.map(query), fc.tuple(sql, name).map(([text, to]) => parse(text, to)), fc.tuple(name, name).map(([portal, statement]) => bind([], { portal, statement })), fc.tuple(name, name).map(([portal, statement]) => bind(['1'], { portal, statement })),
  name.map(each => describe('S', each)), name.map(each => describe('P', each)), fc.tuple(name, fc.integer({ min: 0, max: 3 })).map(([portal, limit]) => execute(portal, limit)),
  name.map(each => close('S', each)), name.map(each => close('P', each)), fc.constant(sync), fc.constant(flush),
)
const bad = fc.tuple(fc.constantFrom(...'QPBDECSHdcfpFX!'), fc.uint8Array({ maxLength: 40 })).map(([type, body]) => message(type, body))

/** The last words are whole messages; nothing of ours failed; nothing is held. */
async function holds(input: Uint8Array, pieces: number): Promise<ReturnType<typeof said>> {
  const failures: unknown[] = []
  const answer = said(await talk(engine, input, pieces, failures))
  expect(failures).toEqual([])
  expect(engine.memory.used).toBe(before)
  return answer
}

test('any messages in any order: each Sync and each query is answered once', async () => {
  await fc.assert(fc.asyncProperty(fc.array(good, { maxLength: 25 }), fc.integer({ min: 1, max: 50 }), async (messages, pieces) => {
    const input = Buffer.concat([HELLO, ...messages, sync, terminate]), answer = await holds(input, pieces)
    expect(answer).toEqual(await holds(input, Infinity))
    // what is between an error of the extended protocol and Sync is skipped, queries too
    const syncs = messages.filter(each => each === sync).length + 1, queries = messages.filter(each => each[0] === 81).length
    const ready = answer.filter(([kind]) => kind === 'Z').length - 1
    expect(ready).toBeGreaterThanOrEqual(syncs)
    expect(ready).toBeLessThanOrEqual(syncs + queries)
  }), RUNS)
})

test('messages with wrong bodies between right ones: no crash, and a session that was not ended still answers', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.oneof(good, bad), { maxLength: 15 }), fc.integer({ min: 1, max: 50 }), async (messages, pieces) => {
    const answer = await holds(Buffer.concat([HELLO, ...messages, sync, query('ROLLBACK'), query('SELECT 7 AS seven'), terminate]), pieces)
    const ended = messages.some(each => each[0] === 88) || answer.some(each => each.includes('SFATAL'))
    if (!ended) expect(answer.at(-1)).toEqual(['Z', 'I'])
  }), RUNS)
})

test('random bytes', async () => {
  await fc.assert(fc.asyncProperty(fc.boolean(), fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), async (hello, bytes, pieces) => {
    await holds(Buffer.concat([...hello ? [HELLO] : [], bytes]), pieces)
  }), RUNS)
})

test('right conversations with a byte changed', async () => {
  const whole = CONVERSATIONS.map(({ input }) => input)
  await fc.assert(fc.asyncProperty(fc.constantFrom(...whole), fc.nat(), fc.integer({ min: 0, max: 255 }), async (input, at, byte) => {
    const changed = Buffer.from(input)
    changed[at % changed.length] = byte
    await holds(Buffer.concat([HELLO, changed, terminate]), Infinity)
  }), RUNS)
})
