import { expect, test } from 'vitest'
import { rowsOf } from '../column.ts'
import { arrayOf } from '../datum.ts'
import { column, literal } from '../expr.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import type { Order, Plan } from '../plan.ts'
import { emptyScanStats } from '../storage/table.ts'
import type { Type } from '../type.ts'
import { FLOAT8, INT4, INT8, TEXT } from '../type.ts'
import type { Value } from '../value.ts'
import type { Context } from './operator.ts'
import { runPlan } from './run.ts'

const memory = Memory.create(), kernel = loadKernel(memory)
const context: Context = { memory, kernel, parameters: { values: [], now: 0n, timeZone: 'UTC' }, check: () => undefined, arena: () => memory.arena() }

/** The values in the order asked for, through a top node. */
async function sorted(values: readonly Value[], type: Type, how: Partial<Order> = {}, limit?: bigint): Promise<Value[]> {
  const schema = [{ name: 'v', type, nullable: true }]
  const input: Plan = { kind: 'values', rows: values.map(value => [literal(value, type)]), schema }
  const plan: Plan = { kind: 'top', input, schema, order: [{ expr: column(0, type), descending: false, nullsFirst: false, ...how }], ...(limit === undefined ? {} : { limit: literal(limit, INT8) }) }
  const unused = (): never => { throw new Error('no tables') }
  const out: Value[] = []
  for await (const batch of runPlan(plan, unused, context, { epochs: 'one', flag: new Int32Array(1), stats: emptyScanStats() })) out.push(...rowsOf(batch, memory).map(row => row[0] ?? null))
  return out
}

test('numbers, text and NULLs order as in PostgreSQL, both ways', async () => {
  expect(await sorted([3, null, -1, 2], INT4)).toEqual([-1, 2, 3, null])
  expect(await sorted([3, null, -1, 2], INT4, { descending: true, nullsFirst: true })).toEqual([null, 3, 2, -1])
  expect(await sorted([NaN, 1, -Infinity, Infinity], FLOAT8)).toEqual([-Infinity, 1, Infinity, NaN])
  // UTF-8 bytes, not UTF-16 units; a prefix first
  expect(await sorted(['😀', '～', 'ab', 'a', ''], TEXT)).toEqual(['', 'a', 'ab', '～', '😀'])
  expect(await sorted(['a', 'ab', ''], TEXT, { descending: true })).toEqual(['ab', 'a', ''])
})

test('arrays order element by element', async () => {
  const type: Type = { kind: 'array', element: INT4 }, a = arrayOf([1]), b = arrayOf([1, 2]), c = arrayOf([2]), d = arrayOf([-5, 9])
  expect(await sorted([c, b, null, a, d], type)).toEqual([d, a, b, c, null])
})

test('a limit far below the rows keeps the least of them', async () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => (i * 7919) % 200_000)
  expect(await sorted(rows, INT4, {}, 5n)).toEqual([0, 1, 2, 3, 4])
  expect(await sorted(rows.map(row => `key ${String(row).padStart(6, '0')}`), TEXT, { descending: true }, 2n)).toEqual(['key 199999', 'key 199998'])
})

test('a negative limit is an error', async () => {
  await expect(sorted([1], INT4, {}, -1n)).rejects.toMatchObject({ code: '2201W', message: 'LIMIT must not be negative' })
})
