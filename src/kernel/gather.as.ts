// Rows picked, copied and chosen. Every address is a parameter; nothing allocates. Buffers have 16 readable bytes behind their end.

export function gather_8(from: usize, rows: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u8>(out + i, load<u8>(from + load<u32>(rows + (i << 2))))
}
export function gather_32(from: usize, rows: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(out + (i << 2), load<u32>(from + (<usize>load<u32>(rows + (i << 2)) << 2)))
}
export function gather_64(from: usize, rows: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u64>(out + (i << 3), load<u64>(from + (<usize>load<u32>(rows + (i << 2)) << 3)))
}
export function gather_128(from: usize, rows: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) v128.store(out + (i << 4), v128.load(from + (<usize>load<u32>(rows + (i << 2)) << 4)))
}
/** Offsets (n + 1, from zero) of the picked rows' bytes; returns how many bytes there are. */
export function gather_offsets(offsets: usize, rows: usize, n: i32, out: usize): u32 {
  let total: u32 = 0
  store<u32>(out, 0)
  for (let i: usize = 0; i < <usize>n; i++) {
    const o = offsets + (<usize>load<u32>(rows + (i << 2)) << 2)
    total += load<u32>(o, 4) - load<u32>(o)
    store<u32>(out + (i << 2), total, 4)
  }
  return total
}
/** The picked rows' bytes, behind one another; `outOffsets` is what gather_offsets wrote. */
export function gather_bytes(offsets: usize, bytes: usize, rows: usize, n: i32, outOffsets: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const at = load<u32>(outOffsets + (i << 2)), len = load<u32>(outOffsets + (i << 2), 4) - at
    copy(out + at, bytes + load<u32>(offsets + (<usize>load<u32>(rows + (i << 2)) << 2)), len)
  }
}
/** Short copies in words of eight: may write up to seven bytes too many, which the next copy (or the padding) covers. */
@inline export function copy(to: usize, from: usize, len: u32): void {
  if (len > 64) { memory.copy(to, from, len); return }
  for (let j: u32 = 0; j < len; j += 8) store<u64>(to + j, load<u64>(from + j))
}
/** Offsets moved so that the first is `base`. */
export function rebase_offsets(offsets: usize, n: i32, base: u32, out: usize): void {
  const delta = base - load<u32>(offsets)
  for (let i: usize = 0; i <= <usize>n; i++) store<u32>(out + (i << 2), load<u32>(offsets + (i << 2)) + delta)
}
/** out[i] = from[i] + delta. */
export function add_32(from: usize, n: i32, delta: u32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(out + (i << 2), load<u32>(from + (i << 2)) + delta)
}
export function fill_32(out: usize, n: i32, value: u32): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(out + (i << 2), value)
}
export function fill_8(out: usize, n: i32, value: u32): void { memory.fill(out, <u8>value, n) }
export function move_bytes(to: usize, from: usize, n: u32): void { memory.copy(to, from, n) }
/** out[i] = first + i. */
export function count_up(out: usize, n: i32, first: u32): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(out + (i << 2), first + <u32>i)
}
export function negate_32(from: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<i32>(out + (i << 2), -load<i32>(from + (i << 2)))
}
/** out[i] = a[i] AND b[i], for bytes of 0 and 1. */
export function and_8(a: usize, b: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i += 16) v128.store(out + i, v128.and(v128.load(a + i), v128.load(b + i)))
}
/** The numbers of the rows whose byte is (want 1) or is not (want 0) 1; returns how many. */
export function rows_where(flags: usize, n: i32, want: u32, out: usize): i32 {
  let c: usize = 0
  for (let i: usize = 0; i < <usize>n; i++) { store<u32>(out + (c << 2), <u32>i); c += load<u8>(flags + i) == want ? 1 : 0 }
  return <i32>c
}
/** The numbers of the rows that are 1 in `flags` and not NULL. */
export function rows_where_valid(flags: usize, valid: usize, n: i32, out: usize): i32 {
  let c: usize = 0
  for (let i: usize = 0; i < <usize>n; i++) { store<u32>(out + (c << 2), <u32>i); c += load<u8>(flags + i) & load<u8>(valid + i) }
  return <i32>c
}
/** The numbers of the rows whose u32 is (want 1) or is not (want 0) `value`; returns how many. */
export function rows_equal_32(from: usize, n: i32, value: u32, want: i32, out: usize): i32 {
  let c: usize = 0
  for (let i: usize = 0; i < <usize>n; i++) { store<u32>(out + (c << 2), <u32>i); c += <i32>(load<u32>(from + (i << 2)) == value) == want ? 1 : 0 }
  return <i32>c
}
/** How many of the bytes are 0. */
export function count_zero(flags: usize, n: i32): i32 {
  let c: i32 = 0
  for (let i: usize = 0; i < <usize>n; i++) c += load<u8>(flags + i) == 0 ? 1 : 0
  return c
}
/** The weights' products of pairs (left row, right row); 0 for an address means that all weights are 1. Returns 1 when a product left 32 bits. */
export function pair_weights(left: usize, right: usize, leftRows: usize, rightRows: usize, n: i32, out: usize): i32 {
  let bad = false
  for (let i: usize = 0; i < <usize>n; i++) {
    const a: i64 = left ? load<i32>(left + (<usize>load<u32>(leftRows + (i << 2)) << 2)) : 1
    const b: i64 = right ? load<i32>(right + (<usize>load<u32>(rightRows + (i << 2)) << 2)) : 1
    const w = a * b
    bad = bad || w != <i64><i32>w
    store<i32>(out + (i << 2), <i32>w)
  }
  return bad ? 1 : 0
}
