import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { columnReader } from '../column.ts'
import type { Expr } from '../expr.ts'
import { call, column, literal } from '../expr.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import type { Type } from '../type.ts'
import { BOOL, FLOAT8, INT4, INT8, TEXT, TIMESTAMP } from '../type.ts'
import type { Value } from '../value.ts'
import { openParquet, readRowGroup } from './parquet/reader.ts'
import type { ColumnStats, Stats } from './prune.ts'
import { mightMatch } from './prune.ts'
import { openLocalStore } from './store-local.ts'

const over = (stats: ColumnStats | undefined, rows = 100): Stats => ({ rows, column: index => index === 0 ? stats : undefined })
const compare = (op: string, type: Type, value: Value, of: Type = type): Expr => call(`${op}(${of.kind},${type.kind})`, [column(0, of), literal(value, type)], BOOL)

test('comparisons with a bound on each side', () => {
  const stats = over({ min: 10, max: 20, nulls: 0 })
  const kept = (op: string) => [9, 10, 15, 20, 21].filter(value => mightMatch(compare(op, INT4, value), stats))
  expect(kept('=')).toEqual([10, 15, 20])
  expect(kept('<')).toEqual([15, 20, 21])
  expect(kept('<=')).toEqual([10, 15, 20, 21])
  expect(kept('>')).toEqual([9, 10, 15])
  expect(kept('>=')).toEqual([9, 10, 15, 20])
  expect(kept('<>')).toEqual([9, 10, 15, 20, 21])
  expect(mightMatch(compare('<>', INT4, 7), over({ min: 7, max: 7 }))).toBe(false)
})

test('a comparison with NULL is never true, and neither is its negation', () => {
  const stats = over({ min: 1, max: 2 })
  expect(mightMatch(compare('=', INT4, null), stats)).toBe(false)
  expect(mightMatch(call('not', [compare('=', INT4, null)], BOOL), stats)).toBe(false)
  expect(mightMatch(call('not', [compare('=', INT4, 5)], BOOL), over({ nulls: 100 }))).toBe(false)
})

test('NaN is above every number and no bound tells of it', () => {
  const stats = over({ min: 1, max: 2 })
  expect(mightMatch(compare('>', FLOAT8, 5), stats)).toBe(true)
  expect(mightMatch(compare('=', FLOAT8, NaN), stats)).toBe(true)
  expect(mightMatch(compare('=', FLOAT8, 5), stats)).toBe(false)
  expect(mightMatch(compare('<', FLOAT8, 1), stats)).toBe(false)
  expect(mightMatch(compare('<>', FLOAT8, 1), over({ min: 1, max: 1 }))).toBe(true)
  expect(mightMatch(compare('>', FLOAT8, 5), over({ min: 1, max: 2, nans: false }))).toBe(false)
  expect(mightMatch(compare('<', FLOAT8, NaN), stats)).toBe(true)
})

test('text is compared by its UTF-8 bytes', () => {
  // In UTF-16 the emoji would be below U+FF5E.
  expect(mightMatch(compare('>', TEXT, '～'), over({ min: 'a', max: '😀' }))).toBe(true)
  expect(mightMatch(compare('<', TEXT, '～'), over({ min: '😀', max: '😀' }))).toBe(false)
})

test('LIKE with a prefix', () => {
  const stats = over({ min: 'mango', max: 'melon' })
  const kept = (pattern: string) => mightMatch(call('~~(text,text)', [column(0, TEXT), literal(pattern, TEXT)], BOOL), stats)
  expect(['m%', 'me%', 'mb%n', '%x', 'melon', 'melons%', 'mz%', 'l%', 'n%', 'a\\%%', '_x'].map(kept)).toEqual([true, true, true, true, true, false, false, false, false, false, true])
})

test('a char column is not pruned by bounds: its blanks do not count', () => {
  const char: Type = { kind: 'char', length: 5 }
  expect(mightMatch(compare('=', char, 'ab'), over({ min: 'ab   ', max: 'ab   ' }))).toBe(true)
})

test('casts that keep order are seen through, others are not', () => {
  const wide = call('cast(int4,int8)', [column(0, INT4)], INT8)
  expect(mightMatch(call('=(int8,int8)', [wide, literal(30n, INT8)], BOOL), over({ min: 1, max: 20 }))).toBe(false)
  const text = call('cast(int4,text)', [column(0, INT4)], TEXT)
  expect(mightMatch(call('=(text,text)', [text, literal('3', TEXT)], BOOL), over({ min: 10, max: 20 }))).toBe(true)
  const stamp = call('cast(date,timestamp)', [column(0, { kind: 'date' })], TIMESTAMP)
  expect(mightMatch(call('>(timestamp,timestamp)', [stamp, literal(86_400_000_000n * 20n, TIMESTAMP)], BOOL), over({ min: 1, max: 20 }))).toBe(false)
})

test('bounds of another type than the column are not used', () => {
  expect(mightMatch(compare('=', INT8, 5n), over({ min: 'a', max: 'b' }))).toBe(true)
  expect(mightMatch(compare('=', INT8, 5n), over({ min: 6, max: 7 }))).toBe(false)
})

// ---------- never prunes a row that matches: random rows, bounds made of them, and a plain evaluator

type Row = readonly [number | null, number | null]
const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(NaN))
const row = fc.tuple(fc.option(fc.integer({ min: -3, max: 3 })), fc.option(number))
const types: readonly Type[] = [INT4, FLOAT8]
const leaf = fc.integer({ min: 0, max: 1 }).chain(index => {
  const type = types[index] ?? INT4, value = fc.option(index === 0 ? fc.integer({ min: -4, max: 4 }) : fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constant(NaN)), { freq: 9 })
  const field = column(index, type)
  return fc.oneof(
    fc.tuple(fc.constantFrom('=', '<>', '<', '<=', '>', '>='), value, fc.boolean()).map(([op, v, flip]) => call(`${op}(${type.kind},${type.kind})`, flip ? [literal(v, type), field] : [field, literal(v, type)], BOOL)),
    fc.constantFrom('is null', 'is not null').map(fn => call(fn, [field], BOOL)),
    fc.tuple(fc.constantFrom('is distinct from', 'is not distinct from'), value).map(([fn, v]) => call(fn, [field, literal(v, type)], BOOL)),
    fc.array(value, { minLength: 1, maxLength: 3 }).map(list => call('in', [field, ...list.map(v => literal(v, type))], BOOL)),
  )
})
const filter = fc.letrec<{ filter: Expr }>(tie => ({
  filter: fc.oneof({ maxDepth: 3 }, leaf,
    fc.tuple(fc.constantFrom('and', 'or'), fc.array(tie('filter'), { minLength: 2, maxLength: 3 })).map(([fn, args]) => call(fn, args, BOOL)),
    fc.tuple(fc.constantFrom('not', 'is true', 'is not true', 'is false', 'is not false'), tie('filter')).map(([fn, arg]) => call(fn, [arg], BOOL))),
})).filter

function valueOf(expr: Expr, row: Row): number | null {
  if (expr.kind === 'column') return row[expr.index] ?? null
  return expr.kind === 'literal' && typeof expr.value === 'number' ? expr.value : null
}
function order(a: number, b: number): number { return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a - b }
function evaluate(expr: Expr, row: Row): boolean | null {
  if (expr.kind !== 'call') throw new Error(expr.kind)
  const { fn, args } = expr, [a, b] = args
  if (a === undefined) throw new Error(fn)
  const inner = () => args.map(arg => evaluate(arg, row))
  switch (fn) {
    case 'and': return inner().includes(false) ? false : inner().includes(null) ? null : true
    case 'or': return inner().includes(true) ? true : inner().includes(null) ? null : false
    case 'not': { const x = evaluate(a, row); return x === null ? null : !x }
    case 'is true': return evaluate(a, row) === true
    case 'is not true': return evaluate(a, row) !== true
    case 'is false': return evaluate(a, row) === false
    case 'is not false': return evaluate(a, row) !== false
    case 'is null': return valueOf(a, row) === null
    case 'is not null': return valueOf(a, row) !== null
    case 'in': {
      const x = valueOf(a, row), list = args.slice(1).map(arg => valueOf(arg, row))
      if (x === null) return null
      return list.some(item => item !== null && order(x, item) === 0) ? true : list.includes(null) ? null : false
    }
  }
  if (b === undefined) throw new Error(fn)
  const x = valueOf(a, row), y = valueOf(b, row)
  if (fn.endsWith('distinct from')) {
    const same = x === null || y === null ? x === y : order(x, y) === 0
    return fn === 'is not distinct from' ? same : !same
  }
  if (x === null || y === null) return null
  const sign = order(x, y)
  switch (fn.slice(0, fn.indexOf('('))) {
    case '=': return sign === 0
    case '<>': return sign !== 0
    case '<': return sign < 0
    case '<=': return sign <= 0
    case '>': return sign > 0
    case '>=': return sign >= 0
    default: throw new Error(fn)
  }
}
function statsOfRows(rows: readonly Row[], tellsNaN: boolean): Stats {
  return {
    rows: rows.length,
    column(index) {
      const present = rows.map(row => row[index] ?? null).filter(value => value !== null), numbers = present.filter(value => !Number.isNaN(value))
      const bounds = numbers.length === 0 ? {} : { min: Math.min(...numbers), max: Math.max(...numbers) }
      return { ...bounds, nulls: rows.length - present.length, ...(tellsNaN && numbers.length === present.length ? { nans: false as const } : {}) }
    },
  }
}

test('no row that matches is ever pruned', () => {
  let pruned = 0
  fc.assert(fc.property(fc.array(row, { maxLength: 4 }), filter, fc.boolean(), (rows, expr, tellsNaN) => {
    const might = mightMatch(expr, statsOfRows(rows, tellsNaN)), does = rows.some(row => evaluate(expr, row) === true)
    if (!might) pruned++
    return might || !does
  }), { numRuns: 20_000 })
  expect(pruned).toBeGreaterThan(2000)
})

// ---------- row groups of real files

const root = fileURLToPath(new URL('../../../shared/golden/files/parquet-pruning', import.meta.url))
describe.skipIf(!existsSync(root))('row groups of the golden files', () => {
  const ids: Readonly<Record<string, { filter: Expr; kept: number }>> = {
    'id = 300': { filter: call('=(int8,int8)', [column(0, INT8), literal(300n, INT8)], BOOL), kept: 1 },
    'id BETWEEN 600 AND 620': { filter: call('and', [call('>=(int8,int8)', [column(0, INT8), literal(600n, INT8)], BOOL), call('<=(int8,int8)', [column(0, INT8), literal(620n, INT8)], BOOL)], BOOL), kept: 1 },
    // Not sorted by s: every row group may have it.
    "s = 'k0500'": { filter: call('=(text,text)', [column(1, TEXT), literal('k0500', TEXT)], BOOL), kept: 10 },
    'd < -4.90': { filter: call('<(numeric,numeric)', [column(3, { kind: 'numeric', precision: 10, scale: 2 }), literal({ unscaled: -490n, scale: 2 }, { kind: 'numeric' })], BOOL), kept: 1 },
    'ns IS NULL': { filter: call('is null', [column(6, INT8)], BOOL), kept: 3 },
    'f > 124': { filter: call('>(float8,float8)', [column(5, FLOAT8), literal(124, FLOAT8)], BOOL), kept: 10 },
  }
  const spec: { predicates: { where: string; ids: string[] }[]; groups: { files: { path: string }[] }[] } = existsSync(root) ? JSON.parse(readFileSync(`${root}/expected.json`, 'utf8')) : { predicates: [], groups: [] }
  const memory = Memory.create(), kernel = loadKernel(memory)
  for (const { path } of spec.groups.flatMap(group => group.files)) {
    for (const { where, ids: expected } of spec.predicates) {
      const entry = ids[where]
      if (entry === undefined) continue
      test(`${path}: ${where}`, async () => {
        const store = openLocalStore(root), info = await store.stat(path)
        const file = await openParquet(store, path, info?.size ?? 0), found: string[] = []
        let kept = 0
        for (const [i, group] of file.rowGroups.entries()) {
          if (!mightMatch(entry.filter, group.stats)) continue
          kept++
          using arena = memory.arena()
          const [id] = await readRowGroup(file, store, i, ['id'], kernel, arena)
          if (id === undefined) continue
          const read = columnReader(id, memory)
          for (let row = 0; row < group.rows; row++) found.push(String(read(row)))
        }
        for (const id of expected) expect(found).toContain(id)
        expect(kept, `of ${file.rowGroups.length} row groups`).toBeLessThanOrEqual(entry.kept)
      })
    }
  }
})
