import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Column } from '../batch.ts'
import { columnFromValues, constColumn } from '../column.ts'
import { gatherColumn, rowsFrom } from '../gather.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import type { Arena } from '../memory.ts'
import { INT2, INT8, TEXT } from '../type.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import { KeyMerge } from './merge.ts'

const memory = Memory.create(2 ** 28)
const kernel = loadKernel(memory)

interface Row { readonly key: readonly Value[]; readonly sequence: readonly Value[]; readonly number: bigint; readonly kind: number; readonly skip: boolean }

/** The rule, row by row, on values. */
function model(files: readonly { readonly rows: readonly Row[]; readonly marked: boolean }[], descending: readonly boolean[], ignoreDelete: boolean, onlyMarked: boolean): number[] {
  const numbered = files.flatMap(file => file.rows.map(row => ({ ...row, marked: file.marked }))).map((row, id) => ({ ...row, id }))
  const keys = new Map<string, typeof numbered>()
  for (const row of numbered) {
    if (row.skip || (ignoreDelete && row.kind % 2 === 1)) continue
    const key = JSON.stringify(row.key, (_, v: unknown) => typeof v === 'bigint' || typeof v === 'number' ? `${typeof v} ${v}` : v)
    keys.set(key, [...keys.get(key) ?? [], row])
  }
  const won: number[] = []
  for (const rows of keys.values()) {
    if (onlyMarked && !rows.some(row => row.marked)) continue
    const last = [...rows].sort((a, b) => {
      for (let i = 0; i < descending.length; i++) {
        const x = a.sequence[i] ?? null, y = b.sequence[i] ?? null
        if (x === null || y === null) { if (x !== y) return x === null ? -1 : 1; continue }
        const order = typeof x === 'string' && typeof y === 'string' ? Buffer.compare(Buffer.from(x), Buffer.from(y)) : x < y ? -1 : x > y ? 1 : 0
        if (order !== 0) return descending[i] === true ? -order : order
      }
      if (a.number !== b.number) return a.number < b.number ? -1 : 1
      if (a.kind % 2 !== b.kind % 2) return a.kind % 2 === 1 ? -1 : 1
      return a.id - b.id
    }).at(-1)
    if (last !== undefined && last.kind % 2 === 0) won.push(last.id)
  }
  return won.sort((a, b) => a - b)
}

/** The same column as a dictionary. */
function dictionary(column: Column, arena: Arena): Column {
  const codes = arena.alloc(4 * column.length)
  for (let i = 0; i < column.length; i++) memory.u32[codes / 4 + i] = i
  return { ...column, data: { kind: 'dict', codes, dictionary: { ...column, valid: undefined } } }
}

const few = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const decimal = (unscaled: bigint): Value => ({ unscaled, scale: 2 })
const kinds: readonly { readonly type: Type; readonly values: fc.Arbitrary<Value> }[] = [
  { type: INT8, values: few<Value>(0n, 1n, -1n, 2n ** 40n, 2n ** 40n + 1n, -(2n ** 63n)) },
  { type: { kind: 'int4' }, values: few<Value>(0, 1, -1, 5) },
  { type: TEXT, values: few<Value>('', 'a', 'ab', 'abcdefgh', 'abcdefgi', '～', '😀') },
  { type: { kind: 'float8' }, values: few<Value>(0, 1.5, -1.5, Infinity, -Infinity) },
  { type: { kind: 'float4' }, values: few<Value>(0, 1.5, -1.5, 2) },
  { type: { kind: 'bool' }, values: few<Value>(true, false) },
  { type: { kind: 'numeric', precision: 30, scale: 2 }, values: few<Value>(decimal(0n), decimal(-(10n ** 20n)), decimal(10n ** 20n), decimal(2n ** 64n), decimal(-1n)) },
]

test('winners are those of the rule, whatever the types and encodings', () => {
  fc.assert(fc.property(
    fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 2 }), fc.array(fc.record({ kind: fc.constantFrom(...kinds.filter(k => k.type.kind !== 'numeric')), descending: fc.boolean() }), { maxLength: 2 }),
    fc.boolean(), fc.boolean(), fc.array(fc.record({ marked: fc.boolean(), encoding: few('flat', 'dict', 'gathered'), count: fc.nat(12) }), { maxLength: 4 }), fc.gen(),
    (keyKinds, sequenceKinds, ignoreDelete, onlyMarked, shapes, g) => {
      const files = shapes.map(shape => ({
        ...shape,
        rows: Array.from({ length: shape.count }, (): Row => ({
          key: keyKinds.map(kind => g(() => kind.values)),
          sequence: sequenceKinds.map(({ kind }) => g(() => fc.option(kind.values, { nil: null }))),
          number: BigInt(g(fc.nat, 5)) - 2n, kind: g(fc.nat, 3), skip: g(fc.nat, 9) === 0,
        })),
      }))
      using arena = memory.arena()
      const order = { key: keyKinds.map(kind => kind.type), sequence: sequenceKinds.map(({ kind, descending }) => ({ type: kind.type, descending })), ignoreDelete, onlyMarked }
      const merge = new KeyMerge(memory, order, files.reduce((sum, file) => sum + file.rows.length, 0))
      for (const { rows, marked, encoding } of files) {
        const make = (values: readonly Value[], type: Type): Column => {
          const column = columnFromValues(values, type, arena)
          if (encoding === 'dict' && rows.length > 0) return dictionary(column, arena)
          return encoding === 'gathered' ? gatherColumn(column, rowsFrom(Uint32Array.from(rows, (_, i) => i), arena), kernel, arena) : column
        }
        merge.add({
          key: keyKinds.map((kind, i) => make(rows.map(row => row.key[i] ?? null), kind.type)),
          sequence: sequenceKinds.map(({ kind }, i) => make(rows.map(row => row.sequence[i] ?? null), kind.type)),
          number: make(rows.map(row => row.number), INT8),
          kind: make(rows.map(row => row.kind), INT2),
        }, rows.length, marked, Uint8Array.from(rows, row => row.skip ? 1 : 0))
      }
      const won = merge.winners()
      expect([...won.keys()].filter(row => won[row] === 1)).toEqual(model(files, sequenceKinds.map(({ descending }) => descending), ignoreDelete, onlyMarked))
    }), { numRuns: 300 })
})

test('constant columns and many rows', () => {
  using arena = memory.arena()
  const rows = 100_000
  const merge = new KeyMerge(memory, { key: [INT8], sequence: [], ignoreDelete: false, onlyMarked: false }, 2 * rows)
  const key = columnFromValues(Array.from({ length: rows }, (_, i) => BigInt(i * 7)), INT8, arena)
  merge.add({ key: [key], sequence: [], number: constColumn(1n, INT8, rows, arena), kind: constColumn(0, INT2, rows, arena) }, rows, false, undefined)
  const removed = columnFromValues(Array.from({ length: rows }, (_, i) => i % 3 === 0 ? 3 : 0), INT2, arena)
  merge.add({ key: [key], sequence: [], number: constColumn(2n, INT8, rows, arena), kind: removed }, rows, false, undefined)
  const won = merge.winners()
  expect(won.subarray(0, rows).every(w => w === 0)).toBe(true)
  expect(won.subarray(rows).every((w, i) => w === (i % 3 === 0 ? 0 : 1))).toBe(true)
})
