/** The smallest and largest value of columns, for the statistics of files that are written. */
import type { Column } from '../batch.ts'
import { columnReader } from '../column.ts'
import type { Memory } from '../memory.ts'
import { bytesOrder, layoutOf } from '../type.ts'
import type { Value } from '../value.ts'
import { STRIDE, compareRows, fillRows, rowValues } from './row-values.ts'
import type { RowValues } from './row-values.ts'

export interface ColumnRange {
  /** `null`: no value, or none that may be told. */
  readonly min: Value
  readonly max: Value
  readonly nulls: number
}

/** Minimum, maximum and NULLs of a column. Types without a byte order, and floats with a NaN among them, have no bounds. */
export function columnRange(column: Column, memory: Memory): ColumnRange {
  const { length, type } = column
  const values = rowValues(type, length)
  fillRows(values, column, memory.refresh(), 0)
  const nulls = values.valid === undefined ? 0 : countZeros(values.valid)
  if (nulls === length || (layoutOf(type) === 'var' && !bytesOrder(type))) return { min: null, max: null, nulls }
  let [low, high] = [-1, -1]
  for (let i = 0; i < length; i += STRIDE) [low, high] = extremes(values, memory.u8, i, Math.min(length, i + STRIDE), low, high)
  const read = columnReader(column, memory), max = read(high)
  if (typeof max === 'number' && Number.isNaN(max)) return { min: null, max: null, nulls } // NaN is the largest of all
  return { min: read(low), max, nulls }
}

function extremes(values: RowValues, u8: Uint8Array, start: number, end: number, low: number, high: number): [number, number] {
  const { valid } = values
  for (let row = start; row < end; row++) {
    if (valid !== undefined && valid[row] === 0) continue
    if (low < 0) low = high = row
    else if (compareRows(values, u8, row, low, false) < 0) low = row
    else if (compareRows(values, u8, row, high, false) > 0) high = row
  }
  return [low, high]
}

function countZeros(bytes: Uint8Array): number {
  let zeros = 0
  for (const byte of bytes) zeros += 1 - byte
  return zeros
}
