// Sorting. The keys of a row are one byte string whose unsigned order is the order asked for ("sort record"): a byte for NULL, big-endian values with the
// sign flipped, var bytes with an end mark; bytes of descending keys are inverted. Records are `stride` apart, or begin at ends[i]; zeros follow each to
// a multiple of 8, and at least 8. An entry is 16 bytes: [eight bytes of the record at some depth, big-endian, u64][row u64].

@inline function place(out: usize, ends: usize, stride: usize, i: usize): usize { return out + (ends ? <usize>load<u32>(ends + (i << 2)) : i * stride) }
@inline function pick(codes: usize, i: usize): usize { return codes ? <usize>load<u32>(codes + (i << 2)) : i }
@inline function there(valid: usize, i: usize): bool { return valid == 0 || load<u8>(valid + i) != 0 }
@inline function spot(out: usize, ends: usize, stride: usize, cursors: usize, i: usize): usize { return place(out, ends, stride, i) + (cursors ? <usize>load<u32>(cursors + (i << 2)) : 0) }
@inline function step(cursors: usize, i: usize, by: u32): void { if (cursors) store<u32>(cursors + (i << 2), load<u32>(cursors + (i << 2)) + by) }

/** One byte: 1 for a value, `null_` (0 or 2) for NULL. `cursors` (0: none) says where in each record, and moves on. */
export function sort_put_null(valid: usize, n: i32, null_: u32, out: usize, ends: usize, stride: usize, cursors: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) { store<u8>(spot(out, ends, stride, cursors, i), there(valid, i) ? 1 : <u8>null_); step(cursors, i, 1) }
}
/** `kind`: 0 u8, 1 i32, 2 i64, 3 f32, 4 f64, 5 i128. */
export function sort_put_flat(kind: i32, values: usize, codes: usize, valid: usize, n: i32, down: i32, out: usize, ends: usize, stride: usize, cursors: usize): void {
  const flip: u64 = down ? ~(<u64>0) : 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const p = spot(out, ends, stride, cursors, i), r = pick(codes, i), yes = there(valid, i)
    if (kind == 1) { store<u32>(p, yes ? bswap(load<u32>(values + (r << 2)) ^ 0x80000000) ^ <u32>flip : 0); step(cursors, i, 4) }
    else if (kind == 2) { store<u64>(p, yes ? bswap(load<u64>(values + (r << 3)) ^ 0x8000000000000000) ^ flip : 0); step(cursors, i, 8) }
    else if (kind == 0) { store<u8>(p, yes ? load<u8>(values + r) ^ <u8>flip : 0); step(cursors, i, 1) }
    else if (kind == 5) {
      store<u64>(p, yes ? bswap(load<u64>(values + (r << 4), 8) ^ 0x8000000000000000) ^ flip : 0)
      store<u64>(p, yes ? bswap(load<u64>(values + (r << 4))) ^ flip : 0, 8)
      step(cursors, i, 16)
    } else {
      let x = yes ? (kind == 3 ? <f64>load<f32>(values + (r << 2)) : load<f64>(values + (r << 3))) : 0
      if (x == 0) x = 0
      const b = x != x ? <u64>0x7ff8000000000000 : reinterpret<u64>(x)
      store<u64>(p, yes ? bswap(<i64>b < 0 ? ~b : b | 0x8000000000000000) ^ flip : 0)
      step(cursors, i, 8)
    }
  }
}
/** sizes[i] += the bytes a var key takes: its bytes before the tail, one more for each zero byte, and two. */
export function sort_lengths(offsets: usize, bytes: usize, codes: usize, valid: usize, n: i32, tail: u32, sizes: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) {
    const o = offsets + (pick(codes, i) << 2), a = load<u32>(o), len = load<u32>(o, 4) - a - tail
    let size = len + 2
    for (let j: u32 = 0; j < len; j++) size += load<u8>(bytes + a + j) == 0 ? 1 : 0
    store<u32>(sizes + (i << 2), load<u32>(sizes + (i << 2)) + size)
  }
}
/** From each record's size to its place; sizes become multiples of 8. Returns the bytes of all. */
export function sort_places(sizes: usize, n: i32, ends: usize): u32 {
  let at: u32 = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const size = max<u32>((load<u32>(sizes + (i << 2)) + 7) & ~7, 8)
    store<u32>(sizes + (i << 2), size); store<u32>(ends + (i << 2), at)
    at += size
  }
  store<u32>(ends + (<usize>n << 2), at)
  return at
}
export function sort_put_var(offsets: usize, bytes: usize, codes: usize, valid: usize, n: i32, tail: u32, down: i32, out: usize, ends: usize, cursors: usize): void {
  const flip: u8 = down ? 255 : 0
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) {
    const o = offsets + (pick(codes, i) << 2), a = load<u32>(o), len = load<u32>(o, 4) - a - tail, p0 = spot(out, ends, 0, cursors, i)
    let p = p0
    for (let j: u32 = 0; j < len; j++) {
      const x = load<u8>(bytes + a + j)
      store<u8>(p++, x ^ flip)
      if (x == 0) store<u8>(p++, 255 ^ flip)
    }
    store<u8>(p++, flip); store<u8>(p++, flip)
    step(cursors, i, <u32>(p - p0))
  }
}
/** Entries of rows [0, n), or of the listed rows. */
export function sort_entries(records: usize, ends: usize, stride: usize, rows: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const r = rows ? <usize>load<u32>(rows + (i << 2)) : i
    store<u64>(out + (i << 4), bswap(load<u64>(place(records, ends, stride, r)))); store<u64>(out + (i << 4), <u64>r, 8)
  }
}
/** Rows whose record's first eight bytes are not above `limit` (given as they lie in a record). */
export function sort_rows_below(records: usize, ends: usize, stride: usize, n: i32, limitRecord: usize, out: usize): i32 {
  const limit = bswap(load<u64>(limitRecord))
  let c: usize = 0
  for (let i: usize = 0; i < <usize>n; i++) { store<u32>(out + (c << 2), <u32>i); c += bswap(load<u64>(place(records, ends, stride, i))) <= limit ? 1 : 0 }
  return <i32>c
}
@inline function sized(sizes: usize, stride: usize, row: usize): u32 { return sizes ? load<u32>(sizes + (row << 2)) : <u32>stride }

/** Sorts entries. `tmp` is as large as `e`; counts has 2048 u32. */
export function sort_all(e: usize, n: i32, tmp: usize, counts: usize, records: usize, ends: usize, sizes: usize, stride: usize, depth: u32): void {
  for (;;) {
    radix(e, n, tmp, counts)
    let whole = false
    let i: usize = 0
    while (i < <usize>n) {
      const k = load<u64>(e + (i << 4)); let j = i + 1
      while (j < <usize>n && load<u64>(e + (j << 4)) == k) j++
      if (j > i + 1) {
        let any = false
        for (let q = i; q < j; q++) any = any || sized(sizes, stride, <usize>load<u64>(e + (q << 4), 8)) > depth + 8
        if (any) {
          for (let q = i; q < j; q++) {
            const r = <usize>load<u64>(e + (q << 4), 8)
            store<u64>(e + (q << 4), sized(sizes, stride, r) > depth + 8 ? bswap(load<u64>(place(records, ends, stride, r) + depth + 8)) : 0)
          }
          if (i == 0 && j == <usize>n) whole = true
          else sort_all(e + (i << 4), <i32>(j - i), tmp, counts, records, ends, sizes, stride, depth + 8)
        }
      }
      i = j
    }
    if (!whole) return
    depth += 8
  }
}
/** The rows of entries, in their order. */
export function sort_rows(e: usize, n: i32, out: usize): void { for (let i: usize = 0; i < <usize>n; i++) store<u32>(out + (i << 2), <u32>load<u64>(e + (i << 4), 8)) }
/** Order of two records. */
@inline function compare_records(a: usize, aSize: u32, b: usize, bSize: u32): i32 {
  const n = min(aSize, bSize)
  for (let k: u32 = 0; k < n; k += 8) { const x = load<u64>(a + k), y = load<u64>(b + k); if (x != y) return bswap(x) < bswap(y) ? -1 : 1 }
  return aSize < bSize ? -1 : aSize > bSize ? 1 : 0
}
/** Merges two sorted lists of rows into one; both are rows of the same records. */
export function sort_merge(a: usize, an: i32, b: usize, bn: i32, records: usize, ends: usize, sizes: usize, stride: usize, out: usize): void {
  let i: usize = 0, j: usize = 0, o = out
  while (i < <usize>an && j < <usize>bn) {
    const x = load<u32>(a + (i << 2)), y = load<u32>(b + (j << 2))
    if (compare_records(place(records, ends, stride, x), sized(sizes, stride, x), place(records, ends, stride, y), sized(sizes, stride, y)) <= 0) { store<u32>(o, x); i++ } else { store<u32>(o, y); j++ }
    o += 4
  }
  memory.copy(o, a + (i << 2), (<usize>an - i) << 2)
  o += (<usize>an - i) << 2
  memory.copy(o, b + (j << 2), (<usize>bn - j) << 2)
}
function insertion(e: usize, n: i32): void {
  for (let i = e + 16, end = e + (<usize>n << 4); i < end; i += 16) {
    const k = load<u64>(i), r = load<u64>(i, 8)
    let j = i
    while (j > e && load<u64>(j - 16) > k) { v128.store(j, v128.load(j - 16)); j -= 16 }
    store<u64>(j, k); store<u64>(j, r, 8)
  }
}
/** Least-significant-digit radix sort, 11 bits a pass, only over bits that vary. The result is in `e`. */
function radix(e: usize, n: i32, tmp: usize, counts: usize): void {
  if (n <= 32) { insertion(e, n); return }
  const end: usize = <usize>n << 4, k0 = load<u64>(e)
  let vary: u64 = 0
  for (let i: usize = 0; i < end; i += 16) vary |= load<u64>(e + i) ^ k0
  if (vary == 0) return
  if (n <= 512) { quick(e, e + end - 16); return }
  let shift: u64 = ctz(vary), src = e, dst = tmp
  const top: u64 = 64 - clz(vary)
  while (shift < top) {
    const width = min<u64>(11, top - shift), m: u64 = (<u64>1 << width) - 1
    if (((vary >> shift) & m) == 0) { shift += width; continue }
    memory.fill(counts, 0, <usize>4 << <usize>width)
    for (let i: usize = 0; i < end; i += 16) { const c = counts + (<usize>((load<u64>(src + i) >> shift) & m) << 2); store<u32>(c, load<u32>(c) + 1) }
    let sum: u32 = 0
    for (let c = counts, last = counts + (<usize>4 << <usize>width); c < last; c += 4) { const x = load<u32>(c); store<u32>(c, sum); sum += x }
    for (let i: usize = 0; i < end; i += 16) {
      const k = load<u64>(src + i), c = counts + (<usize>((k >> shift) & m) << 2), at = load<u32>(c)
      store<u32>(c, at + 1); v128.store(dst + (<usize>at << 4), v128.load(src + i))
    }
    const t = src; src = dst; dst = t; shift += width
  }
  if (src != e) memory.copy(e, src, end)
}
function quick(lo: usize, hi: usize): void {
  while (hi > lo + 256) {
    const a = load<u64>(lo), b = load<u64>(lo + (((hi - lo) >> 5) << 4)), c = load<u64>(hi)
    const p = max(min(a, b), min(max(a, b), c))
    let i = lo, j = hi
    for (;;) {
      while (load<u64>(i) < p) i += 16
      while (load<u64>(j) > p) j -= 16
      if (i <= j) { const x = v128.load(i), y = v128.load(j); v128.store(i, y); v128.store(j, x); i += 16; j -= 16 }
      if (i > j) break
    }
    if (j - lo < hi - i) { if (j > lo) quick(lo, j); lo = i } else { if (hi > i) quick(i, hi); hi = j }
  }
  if (hi > lo) insertion(lo, <i32>((hi - lo) >> 4) + 1)
}
