/**
 * The kernels of decode.as.ts as JavaScript sees them. `from … end` is the input, n the number of values; a negative answer means that the input
 * is broken (and that nothing was read or written outside of the buffers).
 */
import type { Address } from '../memory.ts'

export interface DecodeKernels {
  /** RLE / bit-packed hybrid of codes of `width` bits, each below `limit`: to bytes, to u32, or through a dictionary of 4-, 8- or 16-byte values. */
  rle_u8(from: Address, end: Address, width: number, n: number, limit: number, out: Address): number
  rle_u32(from: Address, end: Address, width: number, n: number, limit: number, out: Address): number
  rle_gather4(from: Address, end: Address, width: number, n: number, dictionary: Address, limit: number, out: Address): number
  rle_gather8(from: Address, end: Address, width: number, n: number, dictionary: Address, limit: number, out: Address): number
  rle_gather16(from: Address, end: Address, width: number, n: number, dictionary: Address, limit: number, out: Address): number

  /** 1 when the n levels are runs of `level` only, 0 when they may not be. */
  levels_all(from: Address, end: Address, width: number, n: number, level: number): number
  /** How many of n levels (a byte each) are `level`. */
  levels_count(levels: Address, n: number, level: number): number
  bits_to_bytes(from: Address, end: Address, n: number, out: Address): number

  /** Appending byte arrays: offsets[0] holds `at`, the bytes so far; the answer is the new `at`. Room at `bytes` is `limit`, or was made by the `_size` kernel. */
  plain_var_size(from: Address, end: Address, n: number): number
  plain_var(from: Address, end: Address, n: number, offsets: Address, bytes: Address, at: number, limit: number): number
  gather_var_size(codes: Address, n: number, entries: Address): number
  gather_var_append(codes: Address, n: number, entries: Address, entryBytes: Address, offsets: Address, bytes: Address, at: number): number
  fixed_offsets(width: number, n: number, offsets: Address, at: number): void
  lengths_sum(lengths: Address, n: number): number
  lengths_offsets(lengths: Address, n: number, offsets: Address, at: number): number
  prefixed_size(prefixes: Address, suffixes: Address, n: number, room: number): number
  prefixed_append(prefixes: Address, suffixes: Address, n: number, from: Address, offsets: Address, bytes: Address, at: number): number
  /** 1 when every value is UTF-8. */
  text_valid(offsets: Address, n: number, bytes: Address): number

  /** DELTA_BINARY_PACKED; the bytes read. */
  delta32(from: Address, end: Address, n: number, out: Address): number
  delta64(from: Address, end: Address, n: number, out: Address): number
  byte_stream_split(from: Address, end: Address, n: number, width: number, out: Address): number

  /** The first `present` values move apart in place, so that row i has its value, or zero where valid[i] is 0. */
  spread1(values: Address, valid: Address, n: number, present: number): void
  spread4(values: Address, valid: Address, n: number, present: number): void
  spread8(values: Address, valid: Address, n: number, present: number): void
  spread16(values: Address, valid: Address, n: number, present: number): void
  spread_offsets(offsets: Address, valid: Address, n: number, present: number): void

  /** Physical values → ours. The input may be the second half of the output. */
  widen32(from: Address, n: number, factor: bigint, out: Address): void
  widen_u32(from: Address, n: number, out: Address): void
  millis64(values: Address, n: number): number
  nanos64(values: Address, n: number): void
  int96(from: Address, n: number, out: Address): number
  fixed_decimal64(from: Address, n: number, width: number, out: Address): number
  fixed_decimal128(from: Address, n: number, width: number, out: Address): number
  var_decimal64(offsets: Address, bytes: Address, n: number, out: Address): number
  var_decimal128(offsets: Address, bytes: Address, n: number, out: Address): number
  unsigned128(from: Address, n: number, out: Address): void
  float16(from: Address, n: number, out: Address): void
}
