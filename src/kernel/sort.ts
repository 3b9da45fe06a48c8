/** The kernels of sort.as.ts as JavaScript sees them: sorting by records whose bytes order. */
import type { Address } from '../memory.ts'

export interface SortKernels {
  /** One byte: 1 for a value, `null_` (0 or 2) for NULL. `cursors` (0: none) says where in each record, and moves on. */
  sort_put_null(valid: Address, n: number, null_: number, out: Address, ends: Address, stride: Address, cursors: Address): void
  /** `kind`: 0 u8, 1 i32, 2 i64, 3 f32, 4 f64, 5 i128. */
  sort_put_flat(kind: number, values: Address, codes: Address, valid: Address, n: number, down: number, out: Address, ends: Address, stride: Address, cursors: Address): void
  /** sizes[i] += the bytes a var key takes: its bytes before the tail, one more for each zero byte, and two. */
  sort_lengths(offsets: Address, bytes: Address, codes: Address, valid: Address, n: number, tail: number, sizes: Address): void
  /** From each record's size to its place; sizes become multiples of 8. Returns the bytes of all. */
  sort_places(sizes: Address, n: number, ends: Address): number
  sort_put_var(offsets: Address, bytes: Address, codes: Address, valid: Address, n: number, tail: number, down: number, out: Address, ends: Address, cursors: Address): void
  /** Entries of rows [0, n), or of the listed rows. */
  sort_entries(records: Address, ends: Address, stride: Address, rows: Address, n: number, out: Address): void
  /** Rows whose record's first eight bytes are not above `limit` (given as they lie in a record). */
  sort_rows_below(records: Address, ends: Address, stride: Address, n: number, limitRecord: Address, out: Address): number
  /** Sorts entries. `tmp` is as large as `e`; counts has 2048 u32. */
  sort_all(e: Address, n: number, tmp: Address, counts: Address, records: Address, ends: Address, sizes: Address, stride: Address, depth: number): void
  /** The rows of entries, in their order. */
  sort_rows(e: Address, n: number, out: Address): void
  /** Merges two sorted lists of rows into one; both are rows of the same records. */
  sort_merge(a: Address, an: number, b: Address, bn: number, records: Address, ends: Address, sizes: Address, stride: Address, out: Address): void
}
