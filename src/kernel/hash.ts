/** The kernels of hash.as.ts as JavaScript sees them: rows as records, and the hash table over them. */
import type { Address } from '../memory.ts'

export interface HashKernels {
  record_put_8(values: Address, codes: Address, valid: Address, n: number, out: Address, ends: Address, stride: Address): void
  record_put_32(values: Address, codes: Address, valid: Address, n: number, out: Address, ends: Address, stride: Address): void
  record_put_64(values: Address, codes: Address, valid: Address, n: number, out: Address, ends: Address, stride: Address): void
  record_put_128(values: Address, codes: Address, valid: Address, n: number, out: Address, ends: Address, stride: Address): void
  /** Floats that SQL calls equal become the same bits: −0 is 0, every NaN is one NaN. */
  record_put_f32(values: Address, codes: Address, valid: Address, n: number, out: Address, ends: Address, stride: Address): void
  record_put_f64(values: Address, codes: Address, valid: Address, n: number, out: Address, ends: Address, stride: Address): void
  /** One byte: 1 for NULL. */
  record_put_null(valid: Address, n: number, out: Address, ends: Address, stride: Address): void
  /** sizes[i] += the compared bytes of a var value. */
  record_lengths(offsets: Address, codes: Address, valid: Address, n: number, tail: number, sizes: Address): void
  /** From the var bytes of each record to its compared size and its place; returns the bytes of all. `extra`: bytes of tails, a multiple of 8. */
  record_places(sizes: Address, n: number, fixed: number, extra: number, ends: Address, cursors: Address): number
  record_put_var(offsets: Address, bytes: Address, codes: Address, valid: Address, n: number, out: Address, ends: Address, sizes: Address, cursors: Address, lengthAt: number, tail: number, tailAt: number): void
  record_get_8(base: Address, ends: Address, stride: Address, ids: Address, n: number, out: Address): void
  record_get_32(base: Address, ends: Address, stride: Address, ids: Address, n: number, out: Address): void
  record_get_64(base: Address, ends: Address, stride: Address, ids: Address, n: number, out: Address): void
  record_get_128(base: Address, ends: Address, stride: Address, ids: Address, n: number, out: Address): void
  /** Validity bytes; returns how many are NULL. */
  record_get_valid(base: Address, ends: Address, stride: Address, ids: Address, n: number, out: Address): number
  /** Offsets (n + 1) of a var column, tails included; returns the bytes of all. */
  record_get_offsets(base: Address, ends: Address, ids: Address, n: number, lengthAt: number, tail: number, out: Address): number
  /** Bytes of the var column that `before` others precede; their lengths begin at `lengthsAt`, all bytes at `fixed`. */
  record_get_var(base: Address, ends: Address, sizes: Address, ids: Address, n: number, fixed: number, lengthsAt: number, before: number, tail: number, tailAt: number, outOffsets: Address, out: Address): void
  /** Hashes of records: over `stride` bytes each, or over sizes[i] bytes at ends[i]. */
  record_hash(records: Address, ends: Address, sizes: Address, stride: Address, n: number, seed: bigint, out: Address): void
  /** Ids of records, new ones for records not seen before. Rows whose byte in `skip` (0: none) is 0 get id −1. Stops when something is full; returns the row it came to. */
  table_find(t: Address, records: Address, ends: Address, sizes: Address, hashes: Address, skip: Address, from: number, n: number, ids: Address): number
  /** Ids of records, −1 for those that are not there and for rows whose byte in `skip` is 0. */
  table_lookup(t: Address, records: Address, ends: Address, sizes: Address, hashes: Address, skip: Address, n: number, ids: Address): void
  /** Marks ids dead: their slots stay until the next rebuild, and the record's coming back revives them. */
  table_release(t: Address, ids: Address, n: number): void
  /** Fills new, empty slots from the hashes of all ids; dead ids become free. The header has the new slots already. */
  table_rebuild(t: Address): void
  /** Bytes of the records that are not free. */
  table_live_bytes(t: Address): number
  /** Copies the records that are not free to a new heap, behind one another. */
  table_compact(t: Address, heap: Address): void
  /** out[i] = out[i] · size + code; NULLs have code size − 1. Codes are u32, or bytes. */
  codes_combine(codes: Address, width: number, valid: Address, n: number, size: number, out: Address): void
  /** The first row of each code that occurs; table[code] = its number + 1. The table comes zeroed. Returns how many. */
  codes_first(codes: Address, n: number, table: Address, rows: Address): number
  /** out[i] = ids[table[codes[i]] − 1]. */
  codes_ids(codes: Address, n: number, table: Address, ids: Address, out: Address): void
}
