/**
 * One value outside of a column: what literals, parameters, statistics and ordinary (not compiled) functions work with.
 *
 *   bool boolean · int2 int4 float4 float8 number · int8 oid reg* bigint · numeric Decimal · text varchar char name json unknown string ·
 *   jsonb string (canonical text: keys sorted by length, then bytes; PostgreSQL's spacing) · bytea Uint8Array · uuid string (lower case, dashes) ·
 *   date number (days since 1970-01-01; ±infinity are the int32 extremes) · time timestamp timestamptz bigint (microseconds; ±infinity the int64 extremes) ·
 *   timetz { micros, zone } · interval Interval · array ArrayValue · row record Value[] · map [Value, Value][]
 *
 * Bytes of a var value: text-like UTF-8 · bytea as it is · uuid 16 bytes · numeric, interval, timetz: an order-preserving prefix, then
 * the tail of `tailOf` · array, row, map: `datum.ts`.
 */

/** unscaled × 10^−scale. `scale` is the display scale, ≥ 0. */
export interface Decimal {
  readonly unscaled: bigint
  readonly scale: number
  /** Absent for an ordinary number. */
  readonly special?: 'NaN' | 'Infinity' | '-Infinity'
}

export interface Interval {
  readonly months: number
  readonly days: number
  readonly micros: bigint
}

export interface TimeTz {
  readonly micros: bigint
  /** Seconds west of Greenwich, as PostgreSQL keeps it. */
  readonly zone: number
}

/** An SQL array. `dims` are the lengths (empty for an empty array), `lower` the lower bounds, `values` in row-major order. */
export interface ArrayValue {
  readonly dims: readonly number[]
  readonly lower: readonly number[]
  readonly values: readonly Value[]
}

/** `null` is SQL NULL; nothing else is ever null. */
export type Value = null | boolean | number | bigint | string | Uint8Array | Decimal | Interval | TimeTz | ArrayValue | readonly Value[]
