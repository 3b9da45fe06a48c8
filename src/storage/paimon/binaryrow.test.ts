import { expect, test } from 'vitest'
import type { Value } from '../../value.ts'
import { bigEndian, encodeRow, fromBigEndian, parseRow, serializeRow } from './binaryrow.ts'
import { bucketFunction, bucketOf, murmur } from './bucket.ts'
import type { PaimonSchema } from './schema.ts'
import { parsePaimonType } from './types.ts'
import { hex } from './manifest.ts'

const types = (...texts: string[]) => texts.map(text => parsePaimonType('test', text))
const decimal = (unscaled: bigint, scale: number): Value => ({ unscaled, scale })

// Rows, bytes and hashes that Java's classes gave: columns, values, serialised row, murmur hash, |hash % 5|, |hash % 16|.
const VECTORS: readonly [string[], Value[], string, number, number, number][] = [
  [[], [], '000000000000000000000000', -1670924195, 0, 3],
  [['INT'], [0], '0000000100000000000000000000000000000000', -300363099, 4, 11],
  [['INT'], [1], '0000000100000000000000000100000000000000', 1465514398, 3, 14],
  [['INT'], [-1], '000000010000000000000000ffffffff00000000', 1133687267, 2, 3],
  [['INT'], [null], '0000000100010000000000000000000000000000', -1748325344, 4, 0],
  [['BIGINT'], [1n], '0000000100000000000000000100000000000000', 1465514398, 3, 14],
  [['BIGINT'], [10000000000n], '00000001000000000000000000e40b5402000000', 1891290426, 1, 10],
  [['TINYINT'], [-1], '000000010000000000000000ff00000000000000', 2004758659, 4, 3],
  [['SMALLINT'], [-2], '000000010000000000000000feff000000000000', 557672611, 1, 3],
  [['FLOAT'], [1.5], '0000000100000000000000000000c03f00000000', -173842779, 4, 11],
  [['DOUBLE'], [1.5], '000000010000000000000000000000000000f83f', 1860889473, 3, 1],
  [['DATE'], [19723], '0000000100000000000000000b4d000000000000', -1439008885, 0, 5],
  [['STRING'], [''], '0000000100000000000000000000000000000080', 302122119, 4, 7],
  [['STRING'], ['abc'], '0000000100000000000000006162630000000083', -101922419, 4, 3],
  [['STRING'], ['1234567'], '0000000100000000000000003132333435363787', 199144172, 2, 12],
  [['STRING'], ['20240514'], '00000001000000000000000008000000100000003230323430353134', -1422800034, 4, 2],
  [['STRING'], ['hello world!'], '0000000100000000000000000c0000001000000068656c6c6f20776f726c642100000000', 609810467, 2, 3],
  [['BYTES'], [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)], '00000001000000000000000008000000100000000102030405060708', -703675362, 2, 2],
  [['DECIMAL(10, 2)'], [decimal(12345n, 2)], '0000000100000000000000003930000000000000', 767607022, 2, 14],
  [['DECIMAL(20, 2)'], [decimal(12345n, 2)], '000000010000000000000000020000001000000030390000000000000000000000000000', -118192725, 0, 5],
  [['DECIMAL(20, 2)'], [decimal(-12345n, 2)], '0000000100000000000000000200000010000000cfc70000000000000000000000000000', -605613085, 0, 13],
  [['DECIMAL(20, 2)'], [null], '000000010001000000000000000000001000000000000000000000000000000000000000', -1380280760, 0, 8],
  [['TIMESTAMP(3)'], [1700000000123000n], '0000000100000000000000007b68e5cf8b010000', -1285420957, 2, 13],
  [['TIMESTAMP(6)'], [1700000000123456n], '00000001000000000000000040f50600100000007b68e5cf8b010000', 1196670069, 4, 5],
  [['TIMESTAMP(6)'], [null], '00000001000100000000000000000000100000000000000000000000', -340882661, 1, 5],
  [['INT', 'STRING', 'BOOLEAN'], [7, 'a-long-string-value', true], '000000030000000000000000070000000000000013000000200000000100000000000000612d6c6f6e672d737472696e672d76616c75650000000000', -1299531815, 0, 7],
]

test.each(VECTORS)('%s, case %# is as Java writes it', (texts, values, serialised, hash, five, sixteen) => {
  const row = types(...texts)
  expect(hex(serializeRow(row, values))).toBe(serialised)
  expect(parseRow('test', serializeRow(row, values), row)).toEqual(values)
  const hashed = murmur(encodeRow(row, values))
  expect([hashed, bucketOf(hashed, 5), bucketOf(hashed, 16)]).toEqual([hash, five, sixteen])
})

test('nested values come back', () => {
  const row = [
    parsePaimonType('t', { type: 'ARRAY', element: 'STRING' }), parsePaimonType('t', { type: 'MAP', key: 'STRING', value: 'TIMESTAMP(6)' }),
    parsePaimonType('t', { type: 'ROW', fields: [{ id: 1n, name: 'a', type: 'INT' }, { id: 2n, name: 'b', type: { type: 'ARRAY', element: 'BIGINT' } }] }),
    parsePaimonType('t', { type: 'MULTISET', element: 'SMALLINT' }),
  ]
  const values: Value[] = [
    { dims: [3], lower: [1], values: ['a', null, 'something longer'] }, [['k', 5n], ['second key', null]],
    [null, { dims: [2], lower: [1], values: [1n, -1n] }], [[1, 2], [-3, 1]],
  ]
  expect(parseRow('t', serializeRow(row, values), row)).toEqual(values)
})

test('a row of sixty columns has sixteen bytes of null bits', () => {
  const row = types(...Array.from({ length: 60 }, () => 'INT')), values = Array.from({ length: 60 }, (_, i) => i % 3 === 0 ? null : i)
  const bytes = serializeRow(row, values)
  expect(bytes.length).toBe(4 + 16 + 60 * 8)
  expect(parseRow('t', bytes, row)).toEqual(values)
})

test('bytes cut or changed anywhere give an error that names the file, or a value, but never a crash', () => {
  const row = [...types('STRING', 'DECIMAL(38, 2)', 'TIMESTAMP(6)'), parsePaimonType('t', { type: 'ARRAY', element: 'STRING' })]
  const bytes = serializeRow(row, ['a long string value', decimal(1n, 2), 5n, { dims: [1], lower: [1], values: ['x'.repeat(20)] }])
  const attempt = (changed: Uint8Array): void => {
    try {
      parseRow('the/file', changed, row)
    } catch (error) {
      expect(error).toMatchObject({ code: 'XX001', details: { where: 'the/file' } })
    }
  }
  for (let i = 0; i < bytes.length; i++) {
    attempt(bytes.subarray(0, i))
    for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
      const changed = bytes.slice()
      changed[i] = byte
      attempt(changed)
    }
  }
})

test.each([0n, 1n, -1n, 127n, 128n, -128n, -129n, 10n ** 37n, -(10n ** 37n)])('%d is kept by its big-endian bytes', value => {
  expect(fromBigEndian(bigEndian(value))).toBe(value)
})

function keyed(type: string, option: string): PaimonSchema {
  const [parsed] = types(type)
  if (parsed === undefined) throw new Error('no type')
  return { version: 3, id: 0n, fields: [{ id: 0, name: 'k', type: parsed }], highestFieldId: 0, partitionKeys: [], primaryKeys: ['k'], options: { 'bucket-function.type': option }, timeMillis: 0n }
}

// floorMod, and Java's hashCode of the value: String.hashCode("hello") = 99162322, Long.hashCode(-1) = 0, BigDecimal("1.5").hashCode() = 466
test.each([
  ['INT', 'mod', 7, 5, 2], ['INT', 'mod', -1, 5, 4], ['BIGINT', 'mod', -10n, 4, 2],
  ['STRING', 'hive', 'hello', 1000, 322], ['BIGINT', 'hive', -1n, 7, 0], ['DECIMAL(10, 2)', 'hive', decimal(150n, 2), 1000, 466], ['INT', 'hive', -5, 10, 3],
  ['DOUBLE', 'hive', 1.5, 1000, 1073217536 % 1000], ['BOOLEAN', 'hive', true, 10, 1],
] as const)('a key of type %s by function %s: %s in %i buckets', (type, option, value, buckets, bucket) => {
  expect(bucketFunction(keyed(type, option))([value], buckets)).toBe(bucket)
})

test('what a bucket function cannot do is refused by name', () => {
  expect(() => bucketFunction(keyed('STRING', 'mod'))).toThrow(/mod/)
  expect(() => bucketFunction(keyed('STRING', 'zorder'))).toThrow(/bucket-function.type = zorder/)
})
