/** Calls of ordinary functions: one row's values at a time, or whole columns. */
import type { Column } from '../batch.ts'
import { columnFromValues, columnReader } from '../column.ts'
import { invariant } from '../error.ts'
import type { Environment } from '../function/body.ts'
import type { Address, Arena } from '../memory.ts'
import type { Value } from '../value.ts'
import type { Expr } from '../expr.ts'
import type { Type } from '../type.ts'
import type { Invocation } from './staging.ts'

/** Where arguments come from. */
export interface Arguments {
  plain(slot: number, type: Type, arena: Arena): Column
  constant(expr: Extract<Expr, { kind: 'literal' | 'param' }>, arena: Arena): Column
  /** The address of one byte a row: truth values without NULLs. */
  flags(slot: number): Address
}

/** The results for all rows (for those that are wanted, when somebody said which). */
export function callFunction(invocation: Invocation, slots: Arguments, length: number, arena: Arena, environment: Environment): Column {
  const { run, strict, site } = invocation, { memory } = arena
  const columns = invocation.args.map(arg => {
    if (arg.kind === 'column') return slots.plain(arg.index, arg.type, arena)
    invariant(arg.kind === 'literal' || arg.kind === 'param', 'an argument is a column or a value')
    return slots.constant(arg, arena)
  })
  const wanted = invocation.wanted === undefined ? undefined : slots.flags(invocation.wanted)
  if (strict && columns.some(column => isNullConst(column, memory.refresh().u8))) return nullColumn(site.result, length, arena)
  if (run.kind === 'column') {
    const result = run.run(columns, length, arena, environment, site, wanted)
    return strict ? withArgumentNulls(result, columns, arena) : result
  }
  const readers = columns.map(column => columnReader(column, memory)), results: Value[] = new Array(length)
  const flags = wanted === undefined ? undefined : memory.refresh().u8.subarray(wanted, wanted + length)
  const f = run.run, args: Value[] = new Array(readers.length)
  rows: for (let row = 0; row < length; row++) {
    results[row] = null
    if (flags !== undefined && flags[row] === 0) continue
    for (let i = 0; i < readers.length; i++) {
      const value = readers[i]?.(row) ?? null
      if (value === null && strict) continue rows
      args[i] = value
    }
    results[row] = f(args, environment, site)
  }
  return columnFromValues(results, site.result, arena)
}

const isNullConst = (column: Column, u8: Uint8Array): boolean => column.data.kind === 'const' && column.data.one.valid !== undefined && u8[column.data.one.valid] === 0

function nullColumn(type: Column['type'], length: number, arena: Arena): Column {
  return { type, length, valid: undefined, data: { kind: 'const', one: columnFromValues([null], type, arena) } }
}

/** A constant once for each row. */
function spread(column: Column, arena: Arena): Column {
  const value = columnReader(column, arena.memory)(0)
  return columnFromValues(Array.from({ length: column.length }, () => value), column.type, arena)
}

/** NULL, too, where an argument is. */
function withArgumentNulls(result: Column, args: readonly Column[], arena: Arena): Column {
  const masks = args.flatMap(arg => arg.valid === undefined ? [] : [arg.valid])
  if (masks.length === 0) return result
  const flat = result.data.kind === 'const' ? spread(result, arena) : result
  if (flat.valid !== undefined) masks.push(flat.valid)
  const valid = arena.alloc(flat.length), { u8 } = arena.memory.refresh()
  and(u8, masks, valid, flat.length)
  return { ...flat, valid }
}

function and(u8: Uint8Array, masks: readonly Address[], out: Address, length: number): void {
  u8.fill(1, out, out + length)
  for (const mask of masks) for (let i = 0; i < length; i++) u8[out + i] = (u8[out + i] ?? 0) & (u8[mask + i] ?? 0)
}
