/** The kernels of gather.as.ts as JavaScript sees them: rows picked, copied and chosen. */
import type { Address } from '../memory.ts'

export interface GatherKernels {
  gather_8(from: Address, rows: Address, n: number, out: Address): void
  gather_32(from: Address, rows: Address, n: number, out: Address): void
  gather_64(from: Address, rows: Address, n: number, out: Address): void
  gather_128(from: Address, rows: Address, n: number, out: Address): void
  /** Offsets (n + 1, from zero) of the picked rows' bytes; returns how many bytes there are. */
  gather_offsets(offsets: Address, rows: Address, n: number, out: Address): number
  /** The picked rows' bytes, behind one another; `outOffsets` is what gather_offsets wrote. */
  gather_bytes(offsets: Address, bytes: Address, rows: Address, n: number, outOffsets: Address, out: Address): void
  /** Offsets moved so that the first is `base`. */
  rebase_offsets(offsets: Address, n: number, base: number, out: Address): void
  /** out[i] = from[i] + delta. */
  add_32(from: Address, n: number, delta: number, out: Address): void
  fill_32(out: Address, n: number, value: number): void
  fill_8(out: Address, n: number, value: number): void
  move_bytes(to: Address, from: Address, n: number): void
  /** out[i] = first + i. */
  count_up(out: Address, n: number, first: number): void
  negate_32(from: Address, n: number, out: Address): void
  /** out[i] = a[i] AND b[i], for bytes of 0 and 1. */
  and_8(a: Address, b: Address, n: number, out: Address): void
  /** The numbers of the rows whose byte is (want 1) or is not (want 0) 1; returns how many. */
  rows_where(flags: Address, n: number, want: number, out: Address): number
  /** The numbers of the rows that are 1 in `flags` and not NULL. */
  rows_where_valid(flags: Address, valid: Address, n: number, out: Address): number
  /** The numbers of the rows whose u32 is (want 1) or is not (want 0) `value`; returns how many. */
  rows_equal_32(from: Address, n: number, value: number, want: number, out: Address): number
  /** How many of the bytes are 0. */
  count_zero(flags: Address, n: number): number
  /** The weights' products of pairs (left row, right row); 0 for an address means that all weights are 1. Returns 1 when a product left 32 bits. */
  pair_weights(left: Address, right: Address, leftRows: Address, rightRows: Address, n: number, out: Address): number
}
