import { expect, test } from 'vitest'
import { parseJson, printJson, printJsonLine } from '../json.ts'
import { snappyDecompress } from './codec.ts'
import { readAvro, writeAvro } from './container.ts'
import { AvroDecoder, AvroEncoder } from './value.ts'

test('integers of JSON are exact, in and out', () => {
  const text = '{"a":9223372036854775807,"b":-1,"c":1.5,"d":[true,false,null,"x\\n\\u00e4"],"__proto__":{}}'
  const json = parseJson('f', text)
  expect(json).toMatchObject({ a: 9223372036854775807n, b: -1n, c: 1.5, d: [true, false, null, 'x\nä'] })
  expect(parseJson('f', printJson(json))).toEqual(json)
  expect(printJsonLine(json)).toBe(text.replace('\\u00e4', 'ä'))
})

test.each(['', '{', '[1,]', '{"a":1,}', '01', '1 2', '"\n"', '{"a" 1}', 'nul', '['.repeat(1000), '"\\x"', '-'])('%j is no JSON, and the file is named', text => {
  expect(() => parseJson('the/file', text)).toThrow(expect.objectContaining({ code: 'XX001', message: expect.stringMatching(/^the\/file: /) }))
})

test.each([0n, -1n, 1n, 63n, 64n, -64n, -65n, 2n ** 31n, -(2n ** 31n), 2n ** 34n - 1n, 2n ** 34n, -(2n ** 34n), 2n ** 63n - 1n, -(2n ** 63n)])('long %d', value => {
  const encoder = new AvroEncoder()
  encoder.long(value)
  expect(new AvroDecoder('f', encoder.take()).long()).toBe(value)
})

test('the specification\'s examples of zigzag', () => {
  const bytes = (value: bigint): string => { const encoder = new AvroEncoder(); encoder.long(value); return Buffer.from(encoder.take()).toString('hex') }
  expect([0n, -1n, 1n, -2n, 2n, -64n, 64n].map(bytes)).toEqual(['00', '01', '02', '03', '04', '7f', '8001'])
})

const SCHEMA = { type: 'record', name: 'r', fields: [
  { name: 'i', type: 'int' }, { name: 'l', type: ['null', 'long'] }, { name: 's', type: 'string' }, { name: 'b', type: 'bytes' }, { name: 'f', type: 'float' }, { name: 'd', type: 'double' },
  { name: 't', type: 'boolean' }, { name: 'a', type: { type: 'array', items: ['null', 'string'] } }, { name: 'm', type: { type: 'map', values: 'long' } },
  { name: 'e', type: { type: 'enum', name: 'e', symbols: ['A', 'B'] } }, { name: 'x', type: { type: 'fixed', name: 'x', size: 3n } },
] }
const RECORDS = Array.from({ length: 3000 }, (_, i) => ({
  i, l: i % 3 === 0 ? null : BigInt(i) * 10n ** 15n, s: `text ${i} ü`, b: Uint8Array.of(i & 255, 1), f: i / 2, d: i / 3, t: i % 2 === 0,
  a: ['x', null, String(i)], m: new Map([['k', BigInt(i)]]), e: i % 2 === 0 ? 'A' : 'B', x: Uint8Array.of(1, 2, i & 255),
}))

test.each(['null', 'deflate', 'snappy', 'zstandard'] as const)('records come back through codec %s', codec => {
  const file = readAvro('f', writeAvro(SCHEMA, RECORDS, codec))
  expect([...file.records]).toEqual(RECORDS)
})

test('snappy with copies', () => {
  // "abcabcabcabc" as one literal and one copy of offset 3, as the format's description has it
  expect(Buffer.from(snappyDecompress(Uint8Array.of(12, 2 << 2, 97, 98, 99, (5 << 2) | 1, 3))).toString()).toBe('abcabcabcabc')
  expect(() => snappyDecompress(Uint8Array.of(12, 2 << 2, 97, 98, 99, (5 << 2) | 1, 4))).toThrow(RangeError)
  expect(() => snappyDecompress(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 7, 0))).toThrow(RangeError)
})

test.each(['null', 'deflate', 'snappy', 'zstandard'] as const)('a file cut or changed anywhere gives an error that names it, or records; codec %s', codec => {
  const bytes = writeAvro(SCHEMA, RECORDS.slice(0, 5), codec)
  const attempt = (changed: Uint8Array): void => {
    try {
      for (const record of readAvro('the/file', changed).records) expect(record).toBeTypeOf('object')
    } catch (error) {
      expect(error).toMatchObject({ details: { where: 'the/file' } })
    }
  }
  for (let i = 0; i < bytes.length; i++) {
    attempt(bytes.subarray(0, i))
    for (const byte of [0, 0x7f, 0xff, (bytes[i] ?? 0) ^ 1]) {
      const changed = bytes.slice()
      changed[i] = byte
      attempt(changed)
    }
  }
})
