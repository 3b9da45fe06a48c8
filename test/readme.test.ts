/** README.md says what is true: its SQL runs, what it calls refused is refused, its map names what there is. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Engine } from '../src/engine.ts'
import { SqlError } from '../src/error.ts'
import { Session } from '../src/session/session.ts'

const root = fileURLToPath(new URL('..', import.meta.url)), text = readFileSync(join(root, 'README.md'), 'utf8')

/** Blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...text.matchAll(/^```(.*)\n([^]*?)^```/gm)].filter(match => match[1] === language).map(match => match[2] ?? '')
}

let folder = '', engine: Engine, session: Session

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-readme-'))
  engine = await Engine.open({ lake: folder, threads: 1 })
  session = new Session(engine, { user: 'reader' })
})
afterAll(async () => {
  await session.close()
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a statement to its end, or, of what has none, to its first batch; the SQLSTATE when it fails. */
async function outcome(sql: string): Promise<string> {
  try {
    const answer = await session.execute(await session.prepare(sql), [])
    for await (const _ of answer.batches) if (/SUBSCRIBE/.test(sql) && !/DECLARE/.test(sql)) break
    await session.sync(false)
    return 'done'
  } catch (error) {
    await session.sync(true)
    if (error instanceof SqlError) return `${error.code} ${error.message}`
    throw error
  }
}

test('its SQL runs', async () => {
  const statements = (await Promise.all(blocks('sql').map(block => session.split(block)))).flat()
  expect(statements.length).toBeGreaterThan(8)
  for (const statement of statements) expect([statement.text, await outcome(statement.text)]).toEqual([statement.text, 'done'])
})

test('what it says is refused is refused by name', async () => {
  const statements = await session.split(blocks('sql refused').join('\n'))
  expect(statements.length).toBeGreaterThan(20)
  const accepted: string[] = []
  for (const { text: sql } of statements) {
    const result = await outcome(sql)
    if (!result.startsWith('0A000')) accepted.push(`${sql.trim()}: ${result}`)
  }
  expect(accepted).toEqual([])
})

test('its map names what there is', () => {
  const map = blocks('').find(block => block.startsWith('src/')) ?? ''
  const names = [...map.matchAll(/^( *)([\w./]+\/|[\w.]+\.ts)/gm)].map(match => match[1] === '' ? match[2] ?? '' : `src/${match[2] ?? ''}`)
  expect(names.length).toBeGreaterThan(12)
  expect(names.filter(name => !existsSync(join(root, name)))).toEqual([])
})
