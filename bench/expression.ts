/** Nanoseconds a row of TPC-H's expressions, compiled: Q1's condition and products, Q6's condition and product. One thread; `node bench/expression.ts`. */
import type { Batch, Column } from '../src/batch.ts'
import { compile, compilePredicate, evaluateConstant } from '../src/exec/compile.ts'
import type { Expr } from '../src/expr.ts'
import { call, column, conjunction, literal } from '../src/expr.ts'
import { scalarById } from '../src/function/table.ts'
import { Memory } from '../src/memory.ts'
import type { Type } from '../src/type.ts'
import { BOOL, DATE, INT4, INT8, TEXT } from '../src/type.ts'
import { columnFromValues } from '../src/column.ts'

const ROWS = 122_880, memory = Memory.create(), arena = memory.arena(), parameters = { values: [], now: 0n, timeZone: 'UTC' }
const context = { memory, parameters }
const MONEY: Type = { kind: 'numeric', precision: 15, scale: 2 }
const f = (id: string, ...args: readonly Expr[]): Expr => call(id, args, scalarById(id).result(args.map(arg => arg.type)))

function flat(type: Type, width: 4 | 8, value: (row: number) => number): Column {
  const values = arena.alloc(width * ROWS)
  for (let i = 0; i < ROWS; i++) if (width === 4) memory.i32[values / 4 + i] = value(i); else memory.i64[values / 8 + i] = BigInt(value(i))
  return { type, length: ROWS, valid: undefined, data: { kind: 'flat', values } }
}
const random = (low: number, high: number) => (): number => low + Math.floor(Math.random() * (high - low + 1))
const withNulls = (column: Column): Column => { const valid = arena.alloc(ROWS); memory.u8.fill(1, valid, valid + ROWS); return { ...column, valid } }
const modes = columnFromValues(['AIR', 'FOB', 'MAIL', 'RAIL', 'REG AIR', 'SHIP', 'TRUCK'], TEXT, arena), codes = arena.alloc(4 * ROWS)
for (let i = 0; i < ROWS; i++) memory.u32[codes / 4 + i] = Math.floor(Math.random() * 7)
const texts = columnFromValues(Array.from({ length: ROWS }, (_, i) => `Clerk#00000${String(i % 1000).padStart(4, '0')}`), TEXT, arena)

const columns = [flat(DATE, 4, random(8036, 10561)), flat(MONEY, 8, random(0, 10)), flat(MONEY, 8, random(100, 5000)), flat(MONEY, 8, random(90_000, 10_000_000)), flat(MONEY, 8, random(0, 8)),
  flat(INT8, 8, random(0, 1e9)), flat(INT4, 4, random(-1e6, 1e6)), { type: TEXT, length: ROWS, valid: undefined, data: { kind: 'dict', codes, dictionary: modes } } satisfies Column, texts]
const schema = columns.map((c, i) => ({ name: `c${i}`, type: c.type, nullable: true }))
const batch: Batch = { schema, length: ROWS, columns }, nullable: Batch = { schema, length: ROWS, columns: columns.map((c, i) => i < 7 ? withNulls(c) : c) }
const [ship, discount, quantity, price, tax, big, int, mode, clerk] = columns.map((c, i) => column(i, c.type))
if (ship === undefined || discount === undefined || quantity === undefined || price === undefined || tax === undefined || big === undefined || int === undefined || mode === undefined || clerk === undefined) throw new Error('columns')
const numeric = (unscaled: bigint, precision: number, scale: number): Expr => literal({ unscaled, scale }, { kind: 'numeric', precision, scale })
const one = numeric(1n, 1, 0)

const q6 = conjunction([f('>=(date,date)', ship, literal(8766, DATE)), f('<(date,date)', ship, literal(9131, DATE)), f('>=(numeric,numeric)', discount, numeric(5n, 2, 2)), f('<=(numeric,numeric)', discount, numeric(7n, 2, 2)), f('<(numeric,numeric)', quantity, numeric(24n, 2, 0))])
const q1 = f('<=(date,date)', ship, literal(10471, DATE))
const discounted = f('*(numeric,numeric)', price, f('-(numeric,numeric)', one, discount))
const charge = f('*(numeric,numeric)', discounted, f('+(numeric,numeric)', one, tax))
if (q6 === undefined) throw new Error('q6')

function time(name: string, run: (arena: ReturnType<Memory['arena']>) => unknown): void {
  const scratch = memory.arena(), first = performance.now()
  run(scratch)
  const firstMs = performance.now() - first
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < 60; i++) {
    scratch.reset()
    const wall = performance.now()
    run(scratch)
    best = Math.min(best, performance.now() - wall)
  }
  scratch.free()
  console.log(JSON.stringify({ name, nsPerRow: Number((best * 1e6 / ROWS).toFixed(2)), firstMs: Number(firstMs.toFixed(2)) }))
}

const start = performance.now()
evaluateConstant(f('+(int4,int4)', literal(1, INT4), literal(2, INT4)), parameters, context)
console.log(JSON.stringify({ name: 'first constant ms', ms: Number((performance.now() - start).toFixed(2)) }))
const again = performance.now()
for (let i = 0; i < 100; i++) evaluateConstant(f('+(int4,int4)', literal(i, INT4), literal(2, INT4)), parameters, context)
console.log(JSON.stringify({ name: 'constant, warm, ms', ms: Number(((performance.now() - again) / 100).toFixed(3)) }))
for (const [name, b] of [['', batch], [', nullable', nullable]] as const) {
  const select = (what: string, condition: Expr): void => { const p = compilePredicate(condition, context); time(`${what}${name}`, a => p.select(b, a)) }
  const project = (what: string, ...exprs: readonly Expr[]): void => { const p = compile(exprs, context); time(`${what}${name}`, a => p.run(b, a)) }
  select('Q6 condition', q6)
  select('Q1 condition', q1)
  project('Q6 product', f('*(numeric,numeric)', price, discount))
  project('Q1 disc_price', discounted)
  project('Q1 disc_price, charge', discounted, charge)
  project('int8 + int8', f('+(int8,int8)', big, big))
  project('int8 * int8', f('*(int8,int8)', big, big))
  project('int4 / 7 + int4', f('+(int4,int4)', f('/(int4,int4)', int, literal(7, INT4)), int))
  select('dict text in (…)', call('in', [mode, literal('MAIL', TEXT), literal('SHIP', TEXT)], BOOL))
  select('text = constant', f('=(text,text)', clerk, literal('Clerk#000000042', TEXT)))
}
