/** The kernels of aggregate.as.ts as JavaScript sees them: accumulators. */
import type { Address } from '../memory.ts'

export interface AggregateKernels {
  /** counts[id] += weight of every row that is a value. */
  count_rows(ids: Address, valid: Address, weights: Address, n: number, counts: Address): void
  /** counts[id] += weight of every row that is NULL. */
  count_nulls(ids: Address, valid: Address, weights: Address, n: number, counts: Address): void
  /** counts[id] += weight of every row whose bool is `want`. */
  count_bools(ids: Address, values: Address, valid: Address, weights: Address, n: number, want: number, counts: Address): void
  /** counts[id] += amounts[i]. */
  add_counts(ids: Address, amounts: Address, n: number, counts: Address): void
  sum_i64(ids: Address, values: Address, valid: Address, weights: Address, n: number, sums: Address): void
  sum_i32(ids: Address, values: Address, valid: Address, weights: Address, n: number, sums: Address): void
  /** 128-bit values into 192 bits [low u64, middle u64, high i64]. */
  sum_i128(ids: Address, values: Address, valid: Address, weights: Address, n: number, sums: Address): void
  /** Adds states of `words` (2 or 3) u64 each, side by side at `states`, to sums. */
  merge_sums(ids: Address, states: Address, n: number, words: number, sums: Address): void
  /** The picked sums' low 64 bits; returns how many do not fit 64 bits. */
  sums_to_i64(sums: Address, stride: Address, ids: Address, n: number, out: Address): number
  /** The picked sums' low 128 bits; returns how many do not fit them. */
  sums_to_i128(sums: Address, stride: Address, ids: Address, n: number, out: Address): number
  /** Adds floats; stops when the heap [heap + *top, heap + end) is full. Returns the row it came to. `wide`: values are f64, else f32. */
  sum_float(ids: Address, values: Address, wide: number, valid: Address, weights: Address, from: number, n: number, sums: Address, heap: Address, top: Address, end: number): number
  /** Rounded sums of the picked groups, as f64. `scratch` has room for 71 digits. Returns how many overflowed. */
  sums_to_f64(sums: Address, ids: Address, n: number, heap: Address, scratch: Address, out: Address): number
  /** Offsets (n + 1) of the picked states' bytes: 24 of head and six or 70 digits. Returns the bytes of all. */
  float_state_offsets(sums: Address, ids: Address, n: number, out: Address): number
  float_state_bytes(sums: Address, ids: Address, n: number, heap: Address, offsets: Address, out: Address): void
  /** Adds states as float_state_bytes wrote them; stops when the heap is full. Returns the row it came to. */
  merge_floats(ids: Address, offsets: Address, bytes: Address, from: number, n: number, sums: Address, heap: Address, top: Address, end: number): number
  /** `kind`: 0 u8, 1 i32, 2 i64, 3 f32, 4 f64. */
  extreme_flat(kind: number, ids: Address, values: Address, valid: Address, n: number, most: number, states: Address): void
  extreme_i128(ids: Address, values: Address, valid: Address, n: number, most: number, states: Address): void
  /** The picked extremes as values of their layout, and validity; returns how many are NULL. */
  extremes_get(kind: number, states: Address, ids: Address, n: number, out: Address, valid: Address): number
  extremes_get_i128(states: Address, ids: Address, n: number, out: Address, valid: Address): number
  /** Extremes of var values by the bytes before the tail. States [place in heap u32, length + 1 u32 (0: none), room u32, 0]. Stops when the heap is full. */
  extreme_var(ids: Address, offsets: Address, bytes: Address, valid: Address, from: number, n: number, tail: number, most: number, states: Address, heap: Address, top: Address, end: number): number
  /** Offsets (n + 1) of the picked extremes, and validity; returns the bytes of all. */
  extremes_offsets(states: Address, ids: Address, n: number, out: Address, valid: Address): number
  extremes_bytes(states: Address, ids: Address, n: number, heap: Address, offsets: Address, out: Address): void
  /** Appends the ids not yet marked to `list` and marks them; returns the new length. Ids of −1 are passed over. */
  mark_ids(ids: Address, n: number, marks: Address, list: Address, length: number): number
  /** marks[id] = value for all ids. */
  put_marks(ids: Address, n: number, value: number, marks: Address): void
  /** Splits ids by counts[id] > 0: positive ones to `some` (their number is returned), the rest to `none`. */
  split_ids(ids: Address, n: number, counts: Address, some: Address, none: Address): number
  /** Zeroes the states of the ids. */
  clear_states(ids: Address, n: number, stride: Address, states: Address): void
  /** How many rows of the picked groups were values (all rows less the NULLs; `nulls` 0: none), and which groups have one; returns how many have none. */
  counts_get(totals: Address, nulls: Address, ids: Address, n: number, out: Address, valid: Address): number
  /** bool_and (`all` 1) or bool_or (0) of the picked groups, and validity; returns how many are NULL. */
  bools_get(trues: Address, falses: Address, ids: Address, n: number, all: number, out: Address, valid: Address): number
  /** values[i] /= counts[i]. */
  divide_floats(values: Address, counts: Address, n: number): void
}
