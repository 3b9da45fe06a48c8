import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { difference, render, sorted } from './compare.ts'
import { MODES } from './engine.ts'
import { parseFile } from './parse.ts'
import { runFile } from './runner.ts'

const folder = import.meta.dirname
for (const file of readdirSync(folder).filter(name => name.endsWith('.slt')).sort()) {
  for (const mode of MODES) {
    test(`${file} (${mode})`, async () => {
      const records = parseFile(readFileSync(join(folder, file), 'utf8'), file)
      for (const seed of mode === 'streamed' ? [1, 2, 3] : [1]) {
        const { passed, failures } = await runFile(records, mode, seed)
        expect(failures.map(failure => `${file}:${failure.line}: ${failure.sql}\n${failure.why}`)).toEqual([])
        expect(passed).toBeGreaterThan(0)
      }
    }, 120_000)
  }
}

test('the runner renders, sorts and compares as SQLite\'s does', () => {
  expect([render('12.75', 'I'), render('t', 'I'), render('abc', 'I'), render('1.5', 'R'), render('', 'T'), render('é', 'T'), render(undefined, 'T')]).toEqual(['12', '1', '0', '1.500', '(empty)', '@@', 'NULL'])
  expect(sorted([['10', 'b'], ['9', 'a'], ['NULL', 'c']], 'rowsort')).toEqual(['10', 'b', '9', 'a', 'NULL', 'c'])
  expect(sorted([['10', 'b'], ['9', 'a']], 'valuesort')).toEqual(['10', '9', 'a', 'b'])
  // the hash of SQLite's own test/select1.test, line 41: 30 values
  expect(difference(['1', '2'], ['1', '3'], 1)).toMatch(/expected/)
  expect(difference(['1', 'a', '2', 'b'], ['1 a', '2 b'], 2)).toBeUndefined()
  expect(difference(['1', '2'], ['2 values hashing to 6ddb4095eb719e2a9f0a3f95677d24e0'], 1)).toBeUndefined()
})

test('a wrong answer fails', async () => {
  const { failures } = await runFile(parseFile('query I nosort\nSELECT 1\n----\n2\n', 'x'), 'one')
  expect(failures.length).toBe(1)
})
