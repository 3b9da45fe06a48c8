import { expect, test } from 'vitest'
import fc from 'fast-check'
import { batchFromRows, constColumn, columnReader, rowsOf } from './column.ts'
import { arrayOf, decodeValue, encodeValue } from './datum.ts'
import { Memory } from './memory.ts'
import type { Type } from './type.ts'
import { INT4, INTERVAL, NUMERIC, TEXT, TIMESTAMP, layoutOf, tailOf } from './type.ts'
import type { Decimal, Value } from './value.ts'

const decimal = fc.record({ unscaled: fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }), scale: fc.integer({ min: 0, max: 40 }) })

function valueOf(a: Decimal, scale: number): bigint { return a.unscaled * 10n ** BigInt(scale - a.scale) }

test('numeric bytes come back, and order as the numbers do whatever the scales', () => {
  fc.assert(fc.property(decimal, decimal, (a, b) => {
    const x = encodeValue(a, NUMERIC), y = encodeValue(b, NUMERIC)
    expect(decodeValue(x, NUMERIC)).toEqual(a)
    const order = Buffer.compare(x.subarray(0, x.length - 2), y.subarray(0, y.length - 2))
    const scale = Math.max(a.scale, b.scale), p = valueOf(a, scale), q = valueOf(b, scale)
    expect(order).toBe(p < q ? -1 : p > q ? 1 : 0)
  }), { seed: 7, numRuns: 3000 })
  const ordered: Decimal[] = [{ unscaled: 0n, scale: 0, special: '-Infinity' }, { unscaled: -1000n, scale: 0 }, { unscaled: -999n, scale: 0 }, { unscaled: -1n, scale: 30 }, { unscaled: 0n, scale: 5 }, { unscaled: 1n, scale: 9 }, { unscaled: 10n ** 40n, scale: 0 }, { unscaled: 0n, scale: 0, special: 'Infinity' }, { unscaled: 0n, scale: 0, special: 'NaN' }]
  const keys = ordered.map(value => { const bytes = encodeValue(value, NUMERIC); return bytes.subarray(0, bytes.length - tailOf(NUMERIC)) })
  for (let i = 1; i < keys.length; i++) expect(Buffer.compare(keys[i - 1] ?? new Uint8Array(), keys[i] ?? new Uint8Array())).toBe(-1)
})

test('a month equals thirty days, and keeps being a month', () => {
  const month = encodeValue({ months: 1, days: 0, micros: 0n }, INTERVAL), days = encodeValue({ months: 0, days: 30, micros: 0n }, INTERVAL)
  expect(Buffer.compare(month.subarray(0, 16), days.subarray(0, 16))).toBe(0)
  expect(decodeValue(month, INTERVAL)).toEqual({ months: 1, days: 0, micros: 0n })
  const negative = encodeValue({ months: 0, days: 0, micros: -1n }, INTERVAL), zero = encodeValue({ months: 0, days: 0, micros: 0n }, INTERVAL)
  expect(Buffer.compare(negative.subarray(0, 16), zero.subarray(0, 16))).toBe(-1)
})

test('timetz and uuid come back', () => {
  for (const value of [{ micros: 0n, zone: 0 }, { micros: 86_399_999_999n, zone: 57_540 }, { micros: 1n, zone: -54_000 }]) {
    expect(decodeValue(encodeValue(value, { kind: 'timetz' }), { kind: 'timetz' })).toEqual(value)
  }
  expect(decodeValue(encodeValue('00112233-4455-6677-8899-aabbccddeeff', { kind: 'uuid' }), { kind: 'uuid' })).toBe('00112233-4455-6677-8899-aabbccddeeff')
})

test('batches of every layout, nested ones too, give back their rows', () => {
  const types: [Type, Value[]][] = [
    [{ kind: 'bool' }, [true, false, null]], [INT4, [1, -2147483648, null]], [{ kind: 'int8' }, [2n ** 63n - 1n, null, -1n]], [{ kind: 'float4' }, [1.5, Number.NaN, null]],
    [{ kind: 'float8' }, [0.1, null, -Infinity]], [{ kind: 'numeric', precision: 15, scale: 2 }, [{ unscaled: 12345n, scale: 2 }, null, { unscaled: -1n, scale: 2 }]],
    [{ kind: 'numeric', precision: 38, scale: 0 }, [{ unscaled: 10n ** 38n - 1n, scale: 0 }, { unscaled: -(10n ** 38n) + 1n, scale: 0 }, null]], [NUMERIC, [{ unscaled: 5n, scale: 1 }, null, { unscaled: 0n, scale: 0, special: 'NaN' }]],
    [TEXT, ['', null, 'é😀']], [{ kind: 'bytea' }, [Uint8Array.of(0, 255), new Uint8Array(0), null]], [TIMESTAMP, [0n, null, -1n]],
    [{ kind: 'array', element: INT4 }, [arrayOf([1, null, 3]), arrayOf([]), null]],
    [{ kind: 'array', element: { kind: 'array', element: TEXT } }, [arrayOf([arrayOf(['a', null]), null]), null, arrayOf([])]],
    [{ kind: 'row', fields: [{ name: 'a', type: INT4, nullable: true }, { name: 'b', type: TEXT, nullable: true }] }, [[1, 'x'], [null, null], null]],
    [{ kind: 'map', key: TEXT, value: NUMERIC }, [[['k', { unscaled: 1n, scale: 0 }], ['l', null]], [], null]],
  ]
  using arena = Memory.create().arena()
  const schema = types.map(([type], i) => ({ name: `c${i}`, type, nullable: true }))
  const rows = [0, 1, 2].map(row => types.map(([, values]) => values[row] ?? null))
  expect(rowsOf(batchFromRows(schema, rows, arena), arena.memory)).toEqual(rows)
  expect(types.map(([type]) => layoutOf(type))).toContain('i128')
  expect(columnReader(constColumn(null, TEXT, 3, arena), arena.memory)(2)).toBe(null)
})
