/**
 * Programs over batches in every encoding against the same expressions on one row of literals, and SQL's logic against its truth tables.
 * (That one row's answers are right is the matter of function/postgres.test.ts.)
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Batch, Column } from '../batch.ts'
import { columnFromValues, columnReader, constColumn } from '../column.ts'
import { print } from '../decimal.ts'
import { SqlError } from '../error.ts'
import type { Expr } from '../expr.ts'
import { call, column, literal, mapExpr } from '../expr.ts'
import { scalarById } from '../function/table.ts'
import type { Arena } from '../memory.ts'
import { Memory } from '../memory.ts'
import type { Type } from '../type.ts'
import { BOOL, FLOAT8, INT4, INT8, NUMERIC, TEXT } from '../type.ts'
import type { Value } from '../value.ts'
import { compile, compilePredicate, evaluateConstant } from './compile.ts'

const memory = Memory.create(), parameters = { values: [], now: 0n, timeZone: 'UTC' }
const context = { memory, parameters }
const MONEY: Type = { kind: 'numeric', precision: 15, scale: 2 }
const TYPES: readonly Type[] = [INT4, INT4, INT8, FLOAT8, TEXT, TEXT, BOOL, MONEY, NUMERIC]

const f = (id: string, ...args: readonly Expr[]): Expr => call(id, args, scalarById(id).result(args.map(arg => arg.type)))
const col = (i: number): Expr => column(i, TYPES[i] ?? BOOL)

const POOLS: readonly (readonly Value[])[] = [
  [0, 1, -1, 2, 7, 2147483647, -2147483648], [0, 1, 3, 5], [0n, 1n, -5n, 9223372036854775807n], [0, 1.5, -2, Number.NaN, 1e300],
  ['', 'a', 'abcdefgh', 'abcdefghi', 'é', 'x'], ['a', 'abcdefghj', 'zz'], [true, false],
  [{ unscaled: 0n, scale: 2 }, { unscaled: 150n, scale: 2 }, { unscaled: -999999999999999n, scale: 2 }],
  [{ unscaled: 3n, scale: 0 }, { unscaled: 123456789012345678901234567890n, scale: 5 }, { unscaled: 0n, scale: 3 }],
]

/** Rows in one of the encodings. A dictionary holds entries that no row has, too. */
function encode(values: readonly Value[], type: Type, pool: readonly Value[], how: string, arena: Arena): Column {
  if (how === 'const') return constColumn(values[0] ?? null, type, values.length, arena)
  if (how !== 'dict') return columnFromValues(values, type, arena)
  const codes = arena.alloc(4 * values.length), dictionary = columnFromValues(pool, type, arena)
  values.forEach((value, i) => { memory.u32[codes / 4 + i] = Math.max(0, pool.indexOf(value)) })
  const flat = columnFromValues(values, type, arena)
  return { type, length: values.length, valid: flat.valid, data: { kind: 'dict', codes, dictionary } }
}

// ---- random expressions -------------------------------------------------------------------------------------------------

const SMALL = { depthSize: 'small', withCrossShrink: true } as const
interface Tied { int: Expr; bool: Expr; text: Expr; money: Expr }
const { int, bool, text, money } = fc.letrec((tie: fc.LetrecTypedTie<Tied>): fc.LetrecValue<Tied> => {
  const i = tie('int'), b = tie('bool'), t = tie('text'), m = tie('money')
  const arms = (x: fc.Arbitrary<Expr>, type: Type): fc.Arbitrary<Expr> => fc.tuple(b, x, b, x, x).map(([w1, t1, w2, t2, otherwise]): Expr => ({ kind: 'case', arms: [{ when: w1, then: t1 }, { when: w2, then: t2 }], otherwise, type }))
  const two = (id: string, x: fc.Arbitrary<Expr>, y = x): fc.Arbitrary<Expr> => fc.tuple(x, y).map(args => f(id, ...args))
  const special = (id: string, type: Type, ...args: readonly fc.Arbitrary<Expr>[]): fc.Arbitrary<Expr> => fc.tuple(...args).map(list => call(id, list, type))
  const nullOf = (type: Type): fc.Arbitrary<Expr> => fc.constant(literal(null, type))
  return {
    int: fc.oneof(SMALL, fc.constantFrom(col(0), col(1)), fc.constantFrom(...[0, 1, -3, 40].map(v => literal(v, INT4))), nullOf(INT4),
      two('+(int4,int4)', i), two('/(int4,int4)', i), two('*(int4,int4)', i), two('%(int4,int4)', i), i.map(x => f('abs(int4)', x)), arms(i, INT4), special('coalesce', INT4, i, i, i),
      two('gcd(int4,int4)', i), m.map(x => f('cast(numeric,int4)', x)), special('greatest(anycompatible,anycompatible...)', INT4, i, i)),
    bool: fc.oneof(SMALL, fc.constant(col(6)), fc.constantFrom(literal(true, BOOL), literal(false, BOOL), literal(null, BOOL)),
      two('<(int4,int4)', i), two('=(int4,int8)', i, fc.constantFrom(col(2))), two('=(text,text)', t), two('>=(text,text)', t), two('<(numeric,numeric)', m), two('>(float8,float8)', fc.constantFrom(col(3), literal(1.5, FLOAT8))),
      two('<(numeric,numeric)', fc.constantFrom(col(8)), m), special('and', BOOL, b, b, b), special('or', BOOL, b, b), special('not', BOOL, b), special('is null', BOOL, t), special('is not null', BOOL, i),
      special('is true', BOOL, b), special('is not false', BOOL, b), special('is distinct from', BOOL, i, i), special('is not distinct from', BOOL, t, t), special('in', BOOL, i, i, i, nullOf(INT4)),
      i.map(x => call('in', [x, ...[0, 1, 2, 3, 5, 8, 13, 21, 34, 55].map(v => literal(v, INT4))], BOOL)),
      t.map(x => call('in', [x, ...['', 'a', 'b', 'c', 'd', 'abcdefgh', 'e', 'zz', 'f'].map(v => literal(v, TEXT)), literal(null, TEXT)], BOOL)), arms(b, BOOL)),
    text: fc.oneof(SMALL, fc.constantFrom(col(4), col(5)), fc.constantFrom(literal('a', TEXT), literal('abcdefghj', TEXT), literal(null, TEXT)), arms(t, TEXT), special('coalesce', TEXT, t, t),
      special('greatest(anycompatible,anycompatible...)', TEXT, t, t)),
    money: fc.oneof(SMALL, fc.constantFrom(col(7), col(8)), fc.constant(literal({ unscaled: 15n, scale: 1 }, { kind: 'numeric', precision: 2, scale: 1 })),
      two('+(numeric,numeric)', m), two('*(numeric,numeric)', m), two('/(numeric,numeric)', m), i.map(x => call('cast(int4,numeric)', [x], { kind: 'numeric', precision: 10, scale: 0 })), m.map(x => f('-(numeric)', x))),
  }
})

const shown = (value: Value): string => value !== null && typeof value === 'object' && 'unscaled' in value ? print(value) : typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : String(value)

/** The expression with one row's values in the place of its columns. */
const onRow = (expr: Expr, row: readonly Value[]): Expr => mapExpr(expr, node => node.kind === 'column' ? literal(row[node.index] ?? null, node.type) : node)

function outcome(run: () => string): string {
  try { return run() } catch (error) {
    if (error instanceof SqlError) return `error ${error.code}`
    throw error
  }
}

const rowArbitrary = fc.tuple(...POOLS.map(pool => fc.constantFrom<Value>(...pool, null)))
const howArbitrary = fc.tuple(...POOLS.map(() => fc.constantFrom('flat', 'dict', 'const')))

function batchOf(rows: readonly (readonly Value[])[], how: readonly string[], arena: Arena): { batch: Batch; values: Value[][] } {
  const columns = TYPES.map((type, k) => encode(rows.map(row => row[k] ?? null), type, POOLS[k] ?? [], how[k] ?? 'flat', arena))
  const readers = columns.map(c => columnReader(c, memory))
  return { batch: { schema: TYPES.map((type, k) => ({ name: `c${k}`, type, nullable: true })), length: rows.length, columns }, values: rows.map((_, i) => readers.map(read => read(i))) }
}

test('a batch in any encoding answers as its rows do one by one', () => {
  fc.assert(fc.property(fc.array(rowArbitrary, { minLength: 1, maxLength: 12 }), howArbitrary, fc.tuple(int, bool, text, money, bool), (rows, how, exprs) => {
    const arena = memory.arena()
    try {
      const { batch, values } = batchOf(rows, how, arena)
      const single = exprs.map(expr => values.map(row => outcome(() => shown(evaluateConstant(onRow(expr, row), parameters, context)))))
      exprs.forEach((expr, k) => {
        const answers = single[k] ?? [], failed = answers.find(a => a.startsWith('error'))
        const got = outcome(() => {
          const [result] = compile([expr], context).run(batch, arena)
          if (result === undefined) throw new Error('no result')
          const read = columnReader(result, memory)
          return rows.map((_, i) => shown(read(i))).join('|')
        })
        if (failed === undefined) expect(got).toBe(answers.join('|'))
        // AND and OR look at their arguments in the order that suits them: a row's error may be one that a batch does not come across
        else if (!got.startsWith('error')) expect(got.split('|').map((answer, i) => answers[i]?.startsWith('error') === true ? answers[i] : answer)).toEqual(answers)
      })
      if (single.flat().some(a => a.startsWith('error'))) return
      // all in one loop, and the rows of a condition
      const together = compile(exprs, context).run(batch, arena).map(result => { const read = columnReader(result, memory); return rows.map((_, i) => shown(read(i))) })
      expect(together).toEqual(single)
      const condition = exprs[1]
      if (condition === undefined) return
      const selection = compilePredicate(condition, context).select(batch, arena)
      const chosen = selection === 'all' ? rows.map((_, i) => i) : [...memory.u32.slice(selection.rows / 4, selection.rows / 4 + selection.count)]
      expect(chosen).toEqual((single[1] ?? []).flatMap((answer, i) => answer === 'true' ? [i] : []))
    } finally { arena.free() }
  }), { numRuns: 100 })
}, 120_000)

test('four rows at a time choose what one row at a time chooses', () => {
  // an ordinary IF around the condition keeps it from being taken apart into vectors
  const scalar = (condition: Expr): Expr => ({ kind: 'case', arms: [{ when: condition, then: literal(true, BOOL) }], otherwise: literal(false, BOOL), type: BOOL })
  const types: readonly Type[] = [INT4, INT8, MONEY, MONEY]
  const values = fc.tuple(fc.option(fc.integer({ min: -3, max: 3 })), fc.option(fc.bigInt({ min: -3n, max: 3n })), fc.option(fc.bigInt({ min: -300n, max: 300n })), fc.option(fc.bigInt({ min: -300n, max: 300n })))
  const relation = fc.constantFrom('=', '<>', '<', '<=', '>', '>=')
  const at = (i: number): Expr => column(i, types[i] ?? BOOL)
  const test_ = fc.oneof(
    fc.tuple(relation, fc.integer({ min: -3, max: 3 }), fc.boolean()).map(([r, v, swap]) => swap ? f(`${r}(int4,int4)`, literal(v, INT4), at(0)) : f(`${r}(int4,int4)`, at(0), literal(v, INT4))),
    fc.tuple(relation, fc.bigInt({ min: -3n, max: 3n })).map(([r, v]) => f(`${r}(int8,int8)`, at(1), literal(v, INT8))),
    fc.tuple(relation, fc.bigInt({ min: -3n, max: 3n })).map(([r, v]) => f(`${r}(numeric,numeric)`, at(2), literal({ unscaled: v, scale: 0 }, { kind: 'numeric', precision: 1, scale: 0 }))),
    relation.map(r => f(`${r}(numeric,numeric)`, at(2), at(3))),
    relation.map(r => f(`${r}(int4,int8)`, at(0), at(1))),
    fc.constant(call('is not null', [at(3)], BOOL)))
  fc.assert(fc.property(fc.array(values, { minLength: 1, maxLength: 23 }), fc.array(test_, { minLength: 2, maxLength: 5 }), fc.boolean(), (rows, tests, full) => {
    const arena = memory.arena()
    const columns = types.map((type, k) => columnFromValues(rows.map((row): Value => { const v = row[k] ?? (full ? (k === 0 ? 0 : 0n) : null); return type.kind === 'numeric' && typeof v === 'bigint' ? { unscaled: v, scale: 2 } : v }), type, arena))
    const batch: Batch = { schema: types.map((type, k) => ({ name: `c${k}`, type, nullable: true })), length: rows.length, columns }, condition = call('and', tests, BOOL)
    const chosen = [condition, scalar(condition)].map(c => { const s = compilePredicate(c, context).select(batch, arena); return s === 'all' ? rows.map((_, i) => i) : [...memory.u32.slice(s.rows / 4, s.rows / 4 + s.count)] })
    expect(chosen[0]).toEqual(chosen[1])
    arena.free()
  }), { numRuns: 300 })
}, 60_000)

const T = literal(true, BOOL), F = literal(false, BOOL), N = literal(null, BOOL)
const letter = (value: Value): string => value === null ? 'n' : value === true ? 't' : 'f'

test('logic has three values', () => {
  const table = (id: string): string => [T, F, N].flatMap(a => [T, F, N].map(b => letter(evaluateConstant(call(id, [a, b], BOOL), parameters, context)))).join('')
  expect(table('and')).toBe('tfnfffnfn')
  expect(table('or')).toBe('ttttfntnn')
  expect(table('is distinct from')).toBe('fttt' + 'ft' + 'ttf')
  const one = (id: string): string => [T, F, N].map(a => letter(evaluateConstant(call(id, [a], BOOL), parameters, context))).join('')
  expect(['not', 'is null', 'is not null', 'is true', 'is not true', 'is false', 'is not false'].map(one)).toEqual(['ftn', 'fft', 'ttf', 'tff', 'ftt', 'ftf', 'tft'])
  const isIn = (x: Expr, ...list: readonly Expr[]): string => letter(evaluateConstant(call('in', [x, ...list], BOOL), parameters, context))
  expect([isIn(T, T, N), isIn(F, T, N), isIn(F, T), isIn(N, T)]).toEqual(['t', 'n', 'f', 'n'])
})

test('what is not needed does not raise', () => {
  const arena = memory.arena(), values: Value[] = [0, 1, 2, null]
  const batch: Batch = { schema: [{ name: 'a', type: INT4, nullable: true }], length: 4, columns: [columnFromValues(values, INT4, arena)] }
  const a = column(0, INT4), quotient = f('/(int4,int4)', literal(10, INT4), a), zero = f('=(int4,int4)', a, literal(0, INT4))
  const read = (expr: Expr): Value[] => { const [c] = compile([expr], context).run(batch, arena); if (c === undefined) return []; const r = columnReader(c, memory); return [0, 1, 2, 3].map(r) }
  expect(read({ kind: 'case', arms: [{ when: zero, then: literal(-1, INT4) }], otherwise: quotient, type: INT4 })).toEqual([-1, 10, 5, null])
  expect(read(call('coalesce', [literal(3, INT4), quotient], INT4))).toEqual([3, 3, 3, 3])
  expect(read(call('or', [zero, f('>(int4,int4)', quotient, literal(7, INT4))], BOOL))).toEqual([true, true, false, null])
  // the same through an ordinary function
  const slow = call('cast(int4,numeric)', [quotient], NUMERIC)
  const guarded = read({ kind: 'case', arms: [{ when: zero, then: literal({ unscaled: -1n, scale: 0 }, NUMERIC) }], otherwise: slow, type: NUMERIC })
  expect(guarded.map(shown)).toEqual(['-1', '10', '5', 'null'])
  expect(() => read(quotient)).toThrow('division by zero')
  arena.free()
})

test('parameters are values of a program, not its text', () => {
  const arena = memory.arena(), batch: Batch = { schema: [{ name: 'a', type: INT4, nullable: false }], length: 3, columns: [columnFromValues([1, 2, 3], INT4, arena)] }
  const program = compile([f('+(int4,int4)', column(0, INT4), { kind: 'param', index: 1, type: INT4 })], context)
  const run = (value: Value): Value[] => { const [c] = program.run(batch, arena, { ...parameters, values: [value] }); if (c === undefined) return []; const r = columnReader(c, memory); return [0, 1, 2].map(r) }
  expect([run(10), run(-1), run(null)]).toEqual([[11, 12, 13], [0, 1, 2], [null, null, null]])
  arena.free()
})
