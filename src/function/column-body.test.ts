import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columnFromValues, columnReader, constColumn } from '../column.ts'
import { compile } from '../exec/compile.ts'
import { call, column, literal } from '../expr.ts'
import { Memory } from '../memory.ts'
import { BOOL, DATE, INT4, NUMERIC, TEXT } from '../type.ts'
import { likeMatcher } from './pattern.ts'
import { scalarById } from './table.ts'

const memory = Memory.create()
const context = { memory, parameters: { values: [], now: 0n, timeZone: 'UTC' } }

// likeMatcher is held to PostgreSQL by expression.test.ts; here the search over all rows at once is held to it.
test('LIKE over a column gives for each row what the matcher gives', () => {
  const letters = fc.constantFrom('a', 'b', 'c', 'é', '😀', '%', '_')
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'é', '😀'), { maxLength: 8 }).map(parts => parts.join(''))
  fc.assert(fc.property(fc.array(fc.option(text), { minLength: 1, maxLength: 40 }), fc.array(fc.oneof({ weight: 3, arbitrary: letters }, fc.constant('%')), { maxLength: 6 }).map(parts => parts.join('')), fc.boolean(), (texts, pattern, positive) => {
    const arena = memory.arena()
    const input = columnFromValues(texts, TEXT, arena)
    const expr = call(positive ? '~~(text,text)' : '!~~(text,text)', [column(0, TEXT), literal(pattern, TEXT)], BOOL)
    const [result] = compile([expr], context).over([input], texts.length, arena, context.parameters)
    if (result === undefined) throw new Error('no column')
    const read = columnReader(result, memory)
    expect(texts.map((_, row) => read(row))).toEqual(texts.map(each => each === null ? null : likeMatcher(pattern)(each) === positive))
    arena.free()
  }), { numRuns: 2000 })
})

test('substring over a column gives for each row what JavaScript cuts from its characters', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'é', '～', '😀'), { maxLength: 8 }).map(parts => parts.join(''))
  fc.assert(fc.property(fc.array(fc.option(text), { minLength: 1, maxLength: 40 }), fc.integer({ min: -3, max: 9 }), fc.option(fc.integer({ min: 0, max: 9 })), (texts, start, count) => {
    const arena = memory.arena()
    const input = columnFromValues(texts, TEXT, arena)
    const expr = count === null
      ? call('substring(text,int4)', [column(0, TEXT), literal(start, INT4)], TEXT)
      : call('substring(text,int4,int4)', [column(0, TEXT), literal(start, INT4), literal(count, INT4)], TEXT)
    const [result] = compile([expr], context).over([input], texts.length, arena, context.parameters)
    if (result === undefined) throw new Error('no column')
    const read = columnReader(result, memory)
    const cut = (each: string): string => [...each].filter((_, i) => i + 1 >= start && (count === null || i + 1 < start + count)).join('')
    expect(texts.map((_, row) => read(row))).toEqual(texts.map(each => each === null ? null : cut(each)))
    arena.free()
  }), { numRuns: 1000 })
})

test('a field of a date column comes out as a small dictionary', () => {
  const arena = memory.arena(), { body } = scalarById('extract(text,date)')
  if (body.kind !== 'column') throw new Error(body.kind)
  const days = [0, 364, 365, null, 2147483647, 366, 0]
  const result = body.run([constColumn('year', TEXT, days.length, arena), columnFromValues(days, DATE, arena)], days.length, arena, context.parameters, { args: [TEXT, DATE], result: NUMERIC }, undefined)
  const read = columnReader(result, memory)
  const year = (n: bigint) => ({ unscaled: n, scale: 0 })
  expect(days.map((_, row) => read(row))).toEqual([year(1970n), year(1970n), year(1971n), null, { unscaled: 0n, scale: 0, special: 'Infinity' }, year(1971n), year(1970n)])
  expect(result.data.kind === 'dict' ? result.data.dictionary.length : 0).toBe(3)
  arena.free()
})
