import { expect, test } from 'vitest'
import { decodeDeletionVector } from './deletion-vector.ts'

// Written by Java Paimon: the whole index file; offset and length as its index manifest has them.
const written: readonly (readonly [string, string, number, number, readonly number[]])[] = [
  ['{1,5,100} version 1', '010000001a5e43f2d03a300000010000000000020010000000010005006400aa1f94d1', 1, 26, [1, 5, 100]],
  ['{1,5,100} version 2', '0100000026d1d339640100000000000000000000003a30000001000000000002001000000001000500640003135803', 1, 46, [1, 5, 100]],
  ['{0..9} version 1', '01000000135e43f2d03b3000000100000900010000000900a34efa89', 1, 19, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ['{0..9} version 2', '010000001fd1d339640100000000000000000000003b30000001000009000100000009005605ea77', 1, 39, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
]

test.each(written)('%s', (_name, hex, offset, length, positions) => {
  const file = Buffer.from(hex, 'hex')
  // With size and checksum, up to the length of the manifest behind the size, and the bitmap alone.
  for (const bytes of [file.subarray(offset), file.subarray(offset, Math.min(file.length, offset + length + 4)), file.subarray(offset + 4, file.length - 4)]) {
    const vector = decodeDeletionVector(bytes, 'f')
    expect(vector.count).toBe(positions.length)
    const flags = new Uint8Array(101)
    vector.mark(flags, 0)
    expect([...flags.keys()].filter(i => flags[i] === 1)).toEqual(positions)
    const part = new Uint8Array(3)
    vector.mark(part, 4)
    expect([...part]).toEqual([4, 5, 6].map(i => positions.includes(i) ? 1 : 0))
  }
})

test('broken vectors are XX001', () => {
  const file = Buffer.from(written[0]?.[1] ?? '', 'hex').subarray(1)
  const wrongSum = Buffer.from(file)
  wrongSum[wrongSum.length - 1] = (wrongSum.at(-1) ?? 0) ^ 1
  expect(() => decodeDeletionVector(wrongSum, 'f')).toThrow('f: the checksum of a deletion vector is wrong')
  for (let length = 0; length < file.length - 4; length++) expect(() => decodeDeletionVector(file.subarray(0, length), 'f')).toThrow(/^f: /)
})
