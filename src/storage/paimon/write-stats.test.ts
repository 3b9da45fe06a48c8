import fc from 'fast-check'
import { expect, test } from 'vitest'
import { columnFromValues } from '../../column.ts'
import { SqlError } from '../../error.ts'
import { Memory } from '../../memory.ts'
import { FLOAT8, TEXT, typeKey } from '../../type.ts'
import type { Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import { columnRange } from '../column-range.ts'
import { parseRow } from './binaryrow.ts'
import type { PaimonSchema } from './schema.ts'
import type { PaimonField, PaimonType } from './types.ts'
import { statsMode, truncateUp, valueStats } from './write-stats.ts'

const memory = Memory.create(2 ** 26)

test.each<[string, number, string | undefined]>([
  ['short', 16, 'short'], ['abc', 3, 'abc'], ['abcd', 3, 'abd'], ['ab\u{10ffff}x', 3, 'ac'], ['\u{10ffff}\u{10ffff}', 1, undefined], ['\ud7ffx', 1, '\ue000'], ['a😀b', 2, 'a😁'],
])('truncating %j to %i characters upwards', (text, length, expected) => {
  expect(truncateUp(text, length)).toBe(expected)
})

test('bounds hold all values, in the order of their bytes', () => {
  const bytes = (text: string): Buffer => Buffer.from(text)
  fc.assert(fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 6 }), { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 4 }), (texts, length) => {
    using arena = memory.arena()
    const { stats } = valueStats(schemaOf({ 'metadata.stats-mode': `truncate(${length})` }), [text], [columnRange(columnFromValues(texts, TEXT, arena), memory)])
    const [min] = parseRow('', stats.min, [text.type]), [max] = parseRow('', stats.max, [text.type])
    if (typeof min !== 'string' || typeof max !== 'string') return // no such bound
    for (const value of texts) {
      expect(Buffer.compare(bytes(min), bytes(value))).toBeLessThanOrEqual(0)
      expect(Buffer.compare(bytes(value), bytes(max))).toBeLessThanOrEqual(0)
    }
    expect([...min].length).toBeLessThanOrEqual(length)
    expect([...max].length).toBeLessThanOrEqual(length)
  }))
})

test.each<[Type, readonly Value[], Value, Value, number]>([
  [{ kind: 'int8' }, [5n, null, -(2n ** 63n), 2n ** 63n - 1n], -(2n ** 63n), 2n ** 63n - 1n, 1],
  [{ kind: 'int4' }, [null, null], null, null, 2],
  [{ kind: 'bool' }, [true, false], false, true, 0],
  [FLOAT8, [1.5, -0.5], -0.5, 1.5, 0],
  [FLOAT8, [1.5, NaN], null, null, 0],
  [{ kind: 'numeric', precision: 30, scale: 1 }, [{ unscaled: -(2n ** 70n), scale: 1 }, { unscaled: 2n ** 64n, scale: 1 }], { unscaled: -(2n ** 70n), scale: 1 }, { unscaled: 2n ** 64n, scale: 1 }, 0],
  [TEXT, ['～', '😀', ''], '', '😀', 0],
])('range of %j', (type, values, min, max, nulls) => {
  using arena = memory.arena()
  expect({ type: typeKey(type), ...columnRange(columnFromValues(values, type, arena), memory) }).toEqual({ type: typeKey(type), min, max, nulls })
})

const text: PaimonField = { id: 0, name: 'a', type: { kind: 'VARCHAR', nullable: true, length: 2147483647 } }
const int: PaimonField = { id: 1, name: 'b', type: { kind: 'INT', nullable: true } }
const INT: PaimonType = int.type

function schemaOf(options: Readonly<Record<string, string>>): PaimonSchema {
  return { version: 3, id: 0n, fields: [text, int], highestFieldId: 1, partitionKeys: [], primaryKeys: [], options, timeMillis: 0n }
}

test('columns of mode none are left out and the others named', () => {
  const ranges = [{ min: 'x', max: 'y', nulls: 1 }, { min: 1, max: 2, nulls: 3 }]
  const dense = valueStats(schemaOf({ 'fields.a.stats-mode': 'none' }), [text, int], ranges)
  expect(dense.columns).toEqual(['b'])
  expect([parseRow('', dense.stats.min, [INT]), parseRow('', dense.stats.max, [INT]), dense.stats.nulls]).toEqual([[1], [2], [3n]])
  const counts = valueStats(schemaOf({ 'metadata.stats-mode': 'counts' }), [text, int], ranges)
  expect(counts.columns).toBeUndefined()
  expect([parseRow('', counts.stats.min, [text.type, INT]), counts.stats.nulls]).toEqual([[null, null], [1n, 3n]])
  expect(() => statsMode(schemaOf({ 'metadata.stats-mode': 'some' }), 'a')).toThrow(SqlError)
})
