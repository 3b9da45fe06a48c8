/** The kernels of join.as.ts as JavaScript sees them: chains of rows with one key. */
import type { Address } from '../memory.ts'

export interface JoinKernels {
  /** Puts rows firstRow + i in front of the chains of their keys; a key id of −1 belongs to no chain. */
  chain_rows(keys: Address, n: number, firstRow: number, heads: Address, next: Address): void
  chain_pairs(keys: Address, n: number, heads: Address, next: Address, cursor: Address, room: number, outRow: Address, outMatch: Address): number
  /** Links rows that are not linked yet: their link's last word is 0; it becomes 1. fresh[i] (unless `fresh` is 0) tells whether row i was linked now. */
  link_rows(rows: Address, keys: Address, n: number, heads: Address, links: Address, fresh: Address): void
  unlink_rows(rows: Address, n: number, heads: Address, links: Address): void
  /** chain_pairs over links. */
  link_pairs(keys: Address, n: number, heads: Address, links: Address, cursor: Address, room: number, outRow: Address, outMatch: Address): number
  /** The key ids of linked rows. */
  link_keys(rows: Address, n: number, links: Address, out: Address): void
  /** totals[rows[i]] += amounts[i] (i32 into i64); amounts 0: one each. */
  add_amounts(rows: Address, amounts: Address, n: number, totals: Address): void
  /** out[i] = totals[rows[i]] as i32; returns 1 when one does not fit. */
  get_amounts(rows: Address, n: number, totals: Address, out: Address): number
  /** rows of which totals is (want 1) or is not (want 0) zero. */
  rows_of_zero(rows: Address, n: number, totals: Address, want: number, out: Address): number
  /** Positions i for which flags[rows[i]] is `want`. */
  places_where(rows: Address, n: number, flags: Address, want: number, out: Address): number
  /** Rows whose flag (does it have a match, as far as was emitted) no longer says totals > 0: they go to `out` and their flag is set right. */
  rows_turned(rows: Address, n: number, totals: Address, flags: Address, out: Address): number
}
