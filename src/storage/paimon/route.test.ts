import fc from 'fast-check'
import { expect, test } from 'vitest'
import { batchFromRows } from '../../column.ts'
import { Memory } from '../../memory.ts'
import type { Value } from '../../value.ts'
import { bucketFunction } from './bucket.ts'
import { Router } from './route.ts'
import type { PaimonSchema } from './schema.ts'
import { toSqlType } from './types.ts'
import type { PaimonType } from './types.ts'
import { writeOptions } from './write-options.ts'

const memory = Memory.create(2 ** 26)
const integer = (min: number, max: number): fc.Arbitrary<Value> => fc.integer({ min, max })
const kinds: readonly { readonly type: PaimonType; readonly values: fc.Arbitrary<Value> }[] = [
  { type: { kind: 'TINYINT', nullable: true }, values: integer(-128, 127) },
  { type: { kind: 'SMALLINT', nullable: true }, values: integer(-32768, 32767) },
  { type: { kind: 'INT', nullable: true }, values: integer(-(2 ** 31), 2 ** 31 - 1) },
  { type: { kind: 'DATE', nullable: true }, values: integer(-100000, 100000) },
  { type: { kind: 'BIGINT', nullable: true }, values: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { type: { kind: 'DECIMAL', nullable: true, precision: 18, scale: 3 }, values: fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }).map(unscaled => ({ unscaled, scale: 3 })) },
  { type: { kind: 'VARCHAR', nullable: true, length: 2147483647 }, values: fc.string() },
]

// `bucketFunction` is checked against Java's hashes in codecs.test.ts.
test('rows go to the buckets and partitions that their values say, whatever path computes it', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 3 }), fc.integer({ min: 2, max: 7 }), fc.boolean(), fc.gen(), (columns, buckets, nulls, g) => {
    const key = columns.map((_, i) => `c${i}`)
    const schema: PaimonSchema = {
      version: 3, id: 0n, highestFieldId: 9, primaryKeys: [], partitionKeys: ['p'], options: { bucket: String(buckets), 'bucket-key': key.join(',') }, timeMillis: 0n,
      fields: [...columns.map(({ type }, id) => ({ id, name: `c${id}`, type })), { id: 9, name: 'p', type: { kind: 'VARCHAR', nullable: true, length: 2147483647 } }],
    }
    const rows = Array.from({ length: 20 }, (): Value[] => [...columns.map(({ values }) => nulls && g(fc.nat, 9) === 0 ? null : g(() => values)), g(() => fc.constantFrom<Value>('', 'a', null))])
    using arena = memory.arena()
    const batch = batchFromRows(schema.fields.map(({ name, type }) => ({ name, type: toSqlType(type), nullable: true })), rows, arena)
    const routes = new Router(schema, writeOptions('t', schema), memory).routes(batch, Uint32Array.from(rows, (_, i) => i))
    const seen = new Set<number>(), bucketOf = bucketFunction(schema)
    for (const route of routes) {
      for (const row of route.rows) {
        seen.add(row)
        expect([route.partition, route.bucket]).toEqual([[rows[row]?.at(-1)], bucketOf(rows[row]?.slice(0, -1) ?? [], buckets)])
      }
    }
    expect(seen.size).toBe(rows.length)
    expect(new Set(routes.map(route => JSON.stringify([route.partition, route.bucket]))).size).toBe(routes.length)
  }))
})
