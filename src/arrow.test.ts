import { expect, test } from 'vitest'
import { tableFromIPC } from 'apache-arrow'
import { arrowStream, toArrow } from './arrow.ts'
import { batchFromRows } from './column.ts'
import { arrayOf } from './datum.ts'
import { loadKernel } from './kernel/kernel.ts'
import { Memory } from './memory.ts'
import type { Type } from './type.ts'
import type { Value } from './value.ts'

const memory = Memory.create(2 ** 26), kernel = loadKernel(memory)

const cases: readonly (readonly [Type, Value, unknown])[] = [
  [{ kind: 'bool' }, true, true], [{ kind: 'int2' }, -5, -5], [{ kind: 'int4' }, 7, 7], [{ kind: 'int8' }, 2n ** 60n, 2n ** 60n], [{ kind: 'oid' }, 4294967295n, 4294967295],
  [{ kind: 'float4' }, 1.5, 1.5], [{ kind: 'float8' }, 0.1, 0.1], [{ kind: 'text' }, 'é😀', 'é😀'], [{ kind: 'bytea' }, new Uint8Array([1, 255]), new Uint8Array([1, 255])],
  [{ kind: 'numeric' }, { unscaled: -12345n, scale: 3 }, '-12.345'], [{ kind: 'numeric' }, { unscaled: 0n, scale: 0, special: 'NaN' }, 'NaN'],
  [{ kind: 'uuid' }, '00112233-4455-6677-8899-aabbccddeeff', '00112233-4455-6677-8899-aabbccddeeff'],
  [{ kind: 'date' }, -1, -86_400_000], [{ kind: 'timestamp' }, 1_500_000n, 1500], [{ kind: 'time' }, 3_600_000_000n, 3_600_000_000n],
]

test('values come out as Arrow has them, and through its stream', () => {
  using arena = memory.arena()
  const schema = cases.map(([type], i) => ({ name: `c${i}`, type, nullable: true }))
  const record = toArrow(batchFromRows(schema, [cases.map(([, value]) => value), cases.map(() => null)], arena), memory, kernel)
  const table = tableFromIPC(arrowStream([record, record]))
  expect(table.numRows).toBe(4)
  for (const [i, [, , expected]] of cases.entries()) {
    const column = table.getChildAt(i)
    expect([column?.get(0), column?.get(1), column?.get(2)]).toEqual([expected, null, expected])
  }
})

test('decimals, intervals and nested values', () => {
  using arena = memory.arena()
  const row: Type = { kind: 'row', fields: [{ name: 'x', type: { kind: 'int4' }, nullable: true }] }
  const types: readonly Type[] = [{ kind: 'numeric', precision: 10, scale: 2 }, { kind: 'numeric', precision: 38, scale: 0 }, { kind: 'array', element: { kind: 'text' } }, { kind: 'map', key: { kind: 'text' }, value: { kind: 'int4' } }, row, { kind: 'interval' }]
  const values: readonly Value[] = [{ unscaled: -5n, scale: 2 }, { unscaled: -(10n ** 30n), scale: 0 }, arrayOf(['a', null]), [['k', 1]], [9], { months: 14, days: -3, micros: 5n }]
  const schema = types.map((type, i) => ({ name: `c${i}`, type, nullable: true }))
  const record = toArrow(batchFromRows(schema, [values, types.map(() => null)], arena), memory, kernel)
  expect(String(record.getChildAt(0)?.get(0))).toBe('-5')
  expect(String(record.getChildAt(1)?.get(0))).toBe(String(-(10n ** 30n)))
  expect(JSON.stringify(record.getChildAt(2)?.get(0))).toBe('["a",null]')
  expect(JSON.stringify(record.getChildAt(3)?.get(0))).toBe('{"k":1}')
  expect(JSON.stringify(record.getChildAt(4)?.get(0))).toBe('{"x":9}')
  expect([...(record.getChildAt(5)?.get(0) as Int32Array | undefined ?? [])].slice(0, 3)).toEqual([14, -3, 5000])
  for (let i = 0; i < types.length; i++) expect(record.getChildAt(i)?.get(1)).toBeNull()
})

test('a NULL where none may be is 23502', () => {
  using arena = memory.arena()
  const batch = batchFromRows([{ name: 'a', type: { kind: 'int4' }, nullable: false }], [[null]], arena)
  expect(() => toArrow(batch, memory, kernel)).toThrow(expect.objectContaining({ code: '23502' }))
})
