// Accumulators: one plain loop an aggregate over the groups' ids. `ids` 0 means that every row belongs to group 0; `weights` 0 that every row counts once;
// `valid` 0 that no row is NULL. States are dense arrays by id.
import { copy } from './gather.as'

@inline function group(ids: usize, i: usize): usize { return ids ? <usize>load<u32>(ids + (i << 2)) : 0 }
@inline function weight(weights: usize, i: usize): i64 { return weights ? <i64>load<i32>(weights + (i << 2)) : 1 }
@inline function there(valid: usize, i: usize): bool { return valid == 0 || load<u8>(valid + i) != 0 }

/** counts[id] += weight of every row that is a value. */
export function count_rows(ids: usize, valid: usize, weights: usize, n: i32, counts: usize): void {
  if (ids == 0) {
    let sum: i64 = 0
    for (let i: usize = 0; i < <usize>n; i++) sum += there(valid, i) ? weight(weights, i) : 0
    store<i64>(counts, load<i64>(counts) + sum)
    return
  }
  if (valid == 0 && weights == 0) {
    for (let i: usize = 0; i < <usize>n; i++) { const c = counts + (group(ids, i) << 3); store<i64>(c, load<i64>(c) + 1) }
    return
  }
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) { const c = counts + (group(ids, i) << 3); store<i64>(c, load<i64>(c) + weight(weights, i)) }
}
/** counts[id] += weight of every row that is NULL. */
export function count_nulls(ids: usize, valid: usize, weights: usize, n: i32, counts: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) if (load<u8>(valid + i) == 0) { const c = counts + (group(ids, i) << 3); store<i64>(c, load<i64>(c) + weight(weights, i)) }
}
/** counts[id] += weight of every row whose bool is `want`. */
export function count_bools(ids: usize, values: usize, valid: usize, weights: usize, n: i32, want: u32, counts: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i) && load<u8>(values + i) == want) { const c = counts + (group(ids, i) << 3); store<i64>(c, load<i64>(c) + weight(weights, i)) }
}
/** counts[id] += amounts[i]. */
export function add_counts(ids: usize, amounts: usize, n: i32, counts: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) { const c = counts + (group(ids, i) << 3); store<i64>(c, load<i64>(c) + load<i64>(amounts + (i << 3))) }
}

// ---- sums of integers: 128 bits [low u64, high i64] ----------------------------------------------------------------
@inline function add128(s: usize, x: i64): void {
  const low = load<u64>(s) + <u64>x
  store<u64>(s, low)
  store<i64>(s, load<i64>(s, 8) + (x >> 63) + (low < <u64>x ? 1 : 0), 8)
}
/** x · w as 96 bits, added. */
@inline function add128w(s: usize, x: i64, w: i64): void {
  const low = (x & 0xffffffff) * w, high = (x >> 32) * w             // x·w = high·2³² + low; both fit
  add128(s, low)
  const shifted = high << 32, sum = load<u64>(s) + <u64>shifted
  store<u64>(s, sum)
  store<i64>(s, load<i64>(s, 8) + (high >> 32) + (sum < <u64>shifted ? 1 : 0), 8)
}
export function sum_i64(ids: usize, values: usize, valid: usize, weights: usize, n: i32, sums: usize): void {
  if (ids == 0 && weights == 0) {
    let low: i64 = 0, high: i64 = 0                                  // halves cannot overflow in 2³¹ rows
    if (valid == 0) for (let i: usize = 0; i < <usize>n; i++) { const x = load<i64>(values + (i << 3)); low += x & 0xffffffff; high += x >> 32 }
    else for (let i: usize = 0; i < <usize>n; i++) { const x = load<i64>(values + (i << 3)) & -<i64>load<u8>(valid + i); low += x & 0xffffffff; high += x >> 32 }
    add128(sums, low)
    add128s(sums, high)
    return
  }
  if (valid == 0 && weights == 0) { for (let i: usize = 0; i < <usize>n; i++) add128(sums + (group(ids, i) << 4), load<i64>(values + (i << 3))); return }
  if (weights == 0) { for (let i: usize = 0; i < <usize>n; i++) add128(sums + (group(ids, i) << 4), load<i64>(values + (i << 3)) & -<i64>load<u8>(valid + i)); return }
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) add128w(sums + (group(ids, i) << 4), load<i64>(values + (i << 3)), weight(weights, i))
}
/** high · 2³², added. */
@inline function add128s(s: usize, high: i64): void {
  const shifted = high << 32, sum = load<u64>(s) + <u64>shifted
  store<u64>(s, sum)
  store<i64>(s, load<i64>(s, 8) + (high >> 32) + (sum < <u64>shifted ? 1 : 0), 8)
}
export function sum_i32(ids: usize, values: usize, valid: usize, weights: usize, n: i32, sums: usize): void {
  if (ids == 0) {
    let sum: i64 = 0
    for (let i: usize = 0; i < <usize>n; i++) sum += there(valid, i) ? <i64>load<i32>(values + (i << 2)) * weight(weights, i) : 0
    add128(sums, sum)
    return
  }
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) add128(sums + (group(ids, i) << 4), <i64>load<i32>(values + (i << 2)) * weight(weights, i))
}
/** 128-bit values into 192 bits [low u64, middle u64, high i64]. */
export function sum_i128(ids: usize, values: usize, valid: usize, weights: usize, n: i32, sums: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) {
    const s = sums + group(ids, i) * 24, v = values + (i << 4), low = load<u64>(v), high = load<i64>(v, 8)
    if (weights == 0) { add192(s, low, high, high >> 63); continue }
    // value = h·2⁹⁶ + m·2⁶⁴ + b·2³² + a, each digit times w fits 64 bits
    const w = weight(weights, i)
    shift192(s, <i64>(low & 0xffffffff) * w, 0)
    shift192(s, <i64>(low >> 32) * w, 32)
    shift192(s, (high & 0xffffffff) * w, 64)
    shift192(s, (high >> 32) * w, 96)
  }
}
@inline function add192(s: usize, low: u64, middle: i64, high: i64): void {
  const a = load<u64>(s) + low, carry: u64 = a < low ? 1 : 0
  const b = load<u64>(s, 8) + <u64>middle, c1: i64 = b < <u64>middle ? 1 : 0
  const b2 = b + carry, c2: i64 = b2 < carry ? 1 : 0
  store<u64>(s, a); store<u64>(s, b2, 8); store<i64>(s, load<i64>(s, 16) + high + c1 + c2, 16)
}
function shift192(s: usize, x: i64, bits: i32): void {
  if (bits == 0) add192(s, <u64>x, x >> 63, x >> 63)
  else if (bits == 32) add192(s, <u64>(x << 32), x >> 32, x >> 63)
  else if (bits == 64) add192(s, 0, x, x >> 63)
  else add192(s, 0, x << 32, x >> 32)
}
/** Adds states of `words` (2 or 3) u64 each, side by side at `states`, to sums. */
export function merge_sums(ids: usize, states: usize, n: i32, words: i32, sums: usize): void {
  if (words == 2) {
    for (let i: usize = 0; i < <usize>n; i++) {
      const s = sums + (group(ids, i) << 4), x = states + (i << 4), a = load<u64>(x), low = load<u64>(s) + a
      store<u64>(s, low); store<i64>(s, load<i64>(s, 8) + load<i64>(x, 8) + (low < a ? 1 : 0), 8)
    }
    return
  }
  for (let i: usize = 0; i < <usize>n; i++) { const x = states + i * 24; add192(sums + group(ids, i) * 24, load<u64>(x), load<i64>(x, 8), load<i64>(x, 16)) }
}
/** The picked sums' low 64 bits; returns how many do not fit 64 bits. */
export function sums_to_i64(sums: usize, stride: usize, ids: usize, n: i32, out: usize): i32 {
  let bad = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const s = sums + group(ids, i) * stride, low = load<i64>(s), high = load<i64>(s, 8)
    bad += high == low >> 63 && (stride == 16 || load<i64>(s, 16) == high) ? 0 : 1
    store<i64>(out + (i << 3), low)
  }
  return bad
}
/** The picked sums' low 128 bits; returns how many do not fit them. */
export function sums_to_i128(sums: usize, stride: usize, ids: usize, n: i32, out: usize): i32 {
  let bad = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const s = sums + group(ids, i) * stride
    bad += stride == 24 && load<i64>(s, 16) != load<i64>(s, 8) >> 63 ? 1 : 0
    store<u64>(out + (i << 4), load<u64>(s)); store<u64>(out + (i << 4), load<u64>(s, 8), 8)
  }
  return bad
}

// ---- exact sums of floats ------------------------------------------------------------------------------------------
// The sum is an integer times 2⁻¹⁰⁷⁴, kept in digits of 32 bits, each in an i64 so that carries wait. A state is 72 bytes: a window of six digits
// beginning at digit `BASE`, which is enough when the values are within some 90 powers of two; else 70 digits in the heap.
const FULL = 0, BASE = 4, ADDS = 8, NANS = 12, PLUS = 16, MINUS = 20, WINDOW = 24, STATE: usize = 72, DIGITS: usize = 70
const CARRY: u32 = 1 << 29

/** Adds floats; stops when the heap [heap + *top, heap + end) is full. Returns the row it came to. `wide`: values are f64, else f32. */
export function sum_float(ids: usize, values: usize, wide: i32, valid: usize, weights: usize, from: i32, n: i32, sums: usize, heap: usize, top: usize, end: u32): i32 {
  for (let i: usize = from; i < <usize>n; i++) {
    if (!there(valid, i)) continue
    const x = wide ? load<f64>(values + (i << 3)) : <f64>load<f32>(values + (i << 2)), w = weight(weights, i)
    if (!add_float(sums + group(ids, i) * STATE, x, w, heap, top, end)) return <i32>i
  }
  return n
}
@inline function add_float(s: usize, x: f64, w: i64, heap: usize, top: usize, end: u32): bool {
  const bits = reinterpret<u64>(x), exponent = <i32>(bits >> 52) & 0x7ff
  let m = bits & 0xfffffffffffff
  if (exponent == 0x7ff) {
    const at = s + (m ? NANS : <i64>bits < 0 ? MINUS : PLUS)
    store<i32>(at, load<i32>(at) + <i32>w)
    return true
  }
  if (exponent) m |= 0x10000000000000
  if (m == 0) return true
  const off = exponent ? exponent - 1 : 0, digit = off >> 5, shift = <u64>(off & 31)
  let p = room(s, digit, heap, top, end)
  if (p == 0) return false
  const sign: i64 = <i64>bits < 0 ? -w : w
  // 53 bits shifted by up to 31 lie in three digits
  const low = m << shift, high = shift ? m >> (64 - shift) : 0
  store<i64>(p, load<i64>(p) + <i64>(low & 0xffffffff) * sign)
  store<i64>(p, load<i64>(p, 8) + <i64>(low >> 32) * sign, 8)
  store<i64>(p, load<i64>(p, 16) + <i64>high * sign, 16)
  const adds = load<u32>(s, ADDS) + <u32>(w < 0 ? -w : w)
  store<u32>(s, adds, ADDS)
  if (adds > CARRY) carry(s, heap)
  return true
}
/** Where digits `digit`, +1, +2 of the state are; 0 when the heap is full. */
function room(s: usize, digit: i32, heap: usize, top: usize, end: u32): usize {
  const full = load<u32>(s, FULL)
  if (full) return heap + (full - 1) + (<usize>digit << 3)
  if (load<u32>(s, ADDS) == 0) store<i32>(s, max(digit - 1, 0), BASE)
  const base = load<i32>(s, BASE), d = digit - base
  if (d >= 0 && d <= 3) return s + WINDOW + (<usize>d << 3)
  const at = load<u32>(top)
  if (at + <u32>(DIGITS << 3) > end) return 0
  store<u32>(top, at + <u32>(DIGITS << 3))
  memory.fill(heap + at, 0, DIGITS << 3)
  memory.copy(heap + at + (<usize>base << 3), s + WINDOW, 48)
  store<u32>(s, at + 1, FULL)
  return heap + at + (<usize>digit << 3)
}
/** Moves what is above 32 bits of each digit to the next one; the last keeps the sign. */
function carry(s: usize, heap: usize): void {
  const full = load<u32>(s, FULL)
  if (full) carry_digits(heap + (full - 1), DIGITS); else carry_digits(s + WINDOW, 6)
  store<u32>(s, 1, ADDS)
}
function carry_digits(p: usize, count: usize): void {
  let c: i64 = 0
  for (let j: usize = 0; j + 1 < count; j++) { const x = load<i64>(p + (j << 3)) + c; c = x >> 32; store<i64>(p + (j << 3), x & 0xffffffff) }
  const last = p + ((count - 1) << 3)
  store<i64>(last, load<i64>(last) + c)
}
/** Rounded sums of the picked groups, as f64. `scratch` has room for 71 digits. Returns how many overflowed. */
export function sums_to_f64(sums: usize, ids: usize, n: i32, heap: usize, scratch: usize, out: usize): i32 {
  let bad = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const x = rounded(sums + group(ids, i) * STATE, heap, scratch)
    const s = sums + group(ids, i) * STATE
    bad += (x == Infinity || x == -Infinity) && load<i32>(s, PLUS) <= 0 && load<i32>(s, MINUS) <= 0 ? 1 : 0
    store<f64>(out + (i << 3), x)
  }
  return bad
}
function rounded(s: usize, heap: usize, d: usize): f64 {
  const plus = load<i32>(s, PLUS) > 0, minus = load<i32>(s, MINUS) > 0
  if (load<i32>(s, NANS) > 0 || (plus && minus)) return NaN
  if (plus) return Infinity
  if (minus) return -Infinity
  const full = load<u32>(s, FULL)
  memory.fill(d, 0, (DIGITS + 1) << 3)
  if (full) memory.copy(d, heap + (full - 1), DIGITS << 3); else memory.copy(d + (<usize>load<i32>(s, BASE) << 3), s + WINDOW, 48)
  const last = d + (DIGITS << 3)
  carry_digits(d, DIGITS + 1)
  const negative = load<i64>(last) < 0
  if (negative) {
    for (let j: usize = 0; j <= DIGITS; j++) store<i64>(d + (j << 3), -load<i64>(d + (j << 3)))
    carry_digits(d, DIGITS + 1)
  }
  let t: i32 = <i32>DIGITS
  while (t >= 0 && load<u64>(d + (<usize>t << 3)) == 0) t--
  if (t < 0) return 0
  const top = (t << 5) + 31 - <i32>clz<u32>(<u32>load<u64>(d + (<usize>t << 3)))
  let bits: u64
  if (top <= 52) bits = load<u64>(d) | (load<u64>(d, 8) << 32)
  else {
    let low = top - 52                                               // the lowest kept bit
    let m = bits_at(d, low)
    const half = low - 1, h = load<u64>(d + (<usize>(half >> 5) << 3)) >> <u64>(half & 31) & 1
    if (h) {
      let sticky = (load<u64>(d + (<usize>(half >> 5) << 3)) & (((<u64>1) << <u64>(half & 31)) - 1)) != 0
      for (let j = (half >> 5) - 1; j >= 0 && !sticky; j--) sticky = load<u64>(d + (<usize>j << 3)) != 0
      if (sticky || (m & 1)) m++
    }
    if (m == 0x20000000000000) { m >>= 1; low++ }
    const exponent = low + 1
    bits = exponent > 2046 ? 0x7ff0000000000000 : (<u64>exponent << 52) | (m & 0xfffffffffffff)
  }
  return reinterpret<f64>(bits | (negative ? 0x8000000000000000 : 0))
}
/** 53 bits beginning at bit `low`. */
function bits_at(d: usize, low: i32): u64 {
  const j = <usize>(low >> 5), shift = <u64>(low & 31)
  const a = load<u64>(d + (j << 3)) | (load<u64>(d + ((j + 1) << 3)) << 32), b = load<u64>(d + ((j + 2) << 3))
  return ((a >> shift) | (shift ? b << (64 - shift) : 0)) & 0x1fffffffffffff
}
/** Offsets (n + 1) of the picked states' bytes: 24 of head and six or 70 digits. Returns the bytes of all. */
export function float_state_offsets(sums: usize, ids: usize, n: i32, out: usize): u32 {
  let at: u32 = 0
  store<u32>(out, 0)
  for (let i: usize = 0; i < <usize>n; i++) { at += load<u32>(sums + group(ids, i) * STATE, FULL) ? 24 + <u32>(DIGITS << 3) : 72; store<u32>(out + (i << 2), at, 4) }
  return at
}
export function float_state_bytes(sums: usize, ids: usize, n: i32, heap: usize, offsets: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const s = sums + group(ids, i) * STATE, o = out + load<u32>(offsets + (i << 2)), full = load<u32>(s, FULL)
    if (load<u32>(s, ADDS) > 1) carry(s, heap)
    memory.copy(o, s, 24)
    if (full) memory.copy(o + 24, heap + (full - 1), DIGITS << 3); else memory.copy(o + 24, s + WINDOW, 48)
  }
}
/** Adds states as float_state_bytes wrote them; stops when the heap is full. Returns the row it came to. */
export function merge_floats(ids: usize, offsets: usize, bytes: usize, from: i32, n: i32, sums: usize, heap: usize, top: usize, end: u32): i32 {
  for (let i: usize = from; i < <usize>n; i++) {
    const s = sums + group(ids, i) * STATE, x = bytes + load<u32>(offsets + (i << 2))
    if (load<u32>(x, ADDS)) {
      const full = load<u32>(x, FULL) != 0, base = load<i32>(x, BASE)
      if (!full && load<u32>(s, ADDS) == 0 && load<u32>(s, FULL) == 0) { memory.copy(s + WINDOW, x + 24, 48); store<i32>(s, base, BASE) }
      else if (!full && load<u32>(s, FULL) == 0 && load<i32>(s, BASE) == base) add_digits(s + WINDOW, x + 24, 6)
      else {
        if (load<u32>(s, FULL) == 0) { if (load<u32>(s, ADDS) == 0) store<u32>(s, 1, ADDS); if (room(s, load<i32>(s, BASE) + 4, heap, top, end) == 0) return <i32>i }
        const p = heap + (load<u32>(s, FULL) - 1)
        if (full) add_digits(p, x + 24, DIGITS); else add_digits(p + (<usize>base << 3), x + 24, 6)
      }
      store<u32>(s, load<u32>(s, ADDS) + load<u32>(x, ADDS), ADDS)
      if (load<u32>(s, ADDS) > CARRY) carry(s, heap)
    }
    store<i32>(s, load<i32>(s, NANS) + load<i32>(x, NANS), NANS)
    store<i32>(s, load<i32>(s, PLUS) + load<i32>(x, PLUS), PLUS)
    store<i32>(s, load<i32>(s, MINUS) + load<i32>(x, MINUS), MINUS)
  }
  return n
}
function add_digits(p: usize, x: usize, count: usize): void {
  for (let j: usize = 0; j < count; j++) store<i64>(p + (j << 3), load<i64>(p + (j << 3)) + load<i64>(x + (j << 3)))
}

// ---- extremes: states [value i64 in an order-preserving form, has u64]; i128: [value, has u64, 0] ---------------------
@inline function order_f64(x: f64): i64 { if (x != x) return i64.MAX_VALUE; const b = reinterpret<i64>(x); return b ^ <i64>(<u64>(b >> 63) >> 1) }
@inline function extreme(s: usize, x: i64, most: i32): void {
  if (load<u64>(s, 8) == 0) { store<i64>(s, x); store<u64>(s, 1, 8) }
  else { const y = load<i64>(s); store<i64>(s, most ? max(x, y) : min(x, y)) }
}
/** `kind`: 0 u8, 1 i32, 2 i64, 3 f32, 4 f64. */
export function extreme_flat(kind: i32, ids: usize, values: usize, valid: usize, n: i32, most: i32, states: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) {
    const x = kind == 2 ? load<i64>(values + (i << 3)) : kind == 1 ? <i64>load<i32>(values + (i << 2)) : kind == 0 ? <i64>load<u8>(values + i)
      : order_f64(kind == 3 ? <f64>load<f32>(values + (i << 2)) : load<f64>(values + (i << 3)))
    extreme(states + (group(ids, i) << 4), x, most)
  }
}
export function extreme_i128(ids: usize, values: usize, valid: usize, n: i32, most: i32, states: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) {
    const s = states + (group(ids, i) << 5), v = values + (i << 4), low = load<u64>(v), high = load<i64>(v, 8)
    const high0 = load<i64>(s, 8), less = high < high0 || (high == high0 && low < load<u64>(s)), more = high > high0 || (high == high0 && low > load<u64>(s))
    if (load<u64>(s, 16) == 0 || (most ? more : less)) { store<u64>(s, low); store<i64>(s, high, 8); store<u64>(s, 1, 16) }
  }
}
/** The picked extremes as values of their layout, and validity; returns how many are NULL. */
export function extremes_get(kind: i32, states: usize, ids: usize, n: i32, out: usize, valid: usize): i32 {
  let nulls = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const s = states + (group(ids, i) << 4), x = load<i64>(s), has = load<u64>(s, 8) != 0
    if (kind == 2) store<i64>(out + (i << 3), x)
    else if (kind == 1) store<i32>(out + (i << 2), <i32>x)
    else if (kind == 0) store<u8>(out + i, <u8>x)
    else {
      const f = x == i64.MAX_VALUE ? NaN : reinterpret<f64>(x ^ <i64>(<u64>(x >> 63) >> 1))
      if (kind == 3) store<f32>(out + (i << 2), <f32>f); else store<f64>(out + (i << 3), f)
    }
    store<u8>(valid + i, has ? 1 : 0); nulls += has ? 0 : 1
  }
  return nulls
}
export function extremes_get_i128(states: usize, ids: usize, n: i32, out: usize, valid: usize): i32 {
  let nulls = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const s = states + (group(ids, i) << 5), has = load<u64>(s, 16) != 0
    v128.store(out + (i << 4), v128.load(s))
    store<u8>(valid + i, has ? 1 : 0); nulls += has ? 0 : 1
  }
  return nulls
}
/** Order of two byte strings, unsigned, shorter first. */
@inline export function compare_bytes(p: usize, pn: u32, q: usize, qn: u32): i32 {
  const n = min(pn, qn)
  let k: u32 = 0
  while (k + 8 <= n) { const a = load<u64>(p + k), b = load<u64>(q + k); if (a != b) return bswap(a) < bswap(b) ? -1 : 1; k += 8 }
  while (k < n) { const a = load<u8>(p + k), b = load<u8>(q + k); if (a != b) return a < b ? -1 : 1; k++ }
  return pn < qn ? -1 : pn > qn ? 1 : 0
}
/** Extremes of var values by the bytes before the tail. States [place in heap u32, length + 1 u32 (0: none), room u32, 0]. Stops when the heap is full. */
export function extreme_var(ids: usize, offsets: usize, bytes: usize, valid: usize, from: i32, n: i32, tail: u32, most: i32, states: usize, heap: usize, top: usize, end: u32): i32 {
  for (let i: usize = from; i < <usize>n; i++) if (there(valid, i)) {
    const s = states + (group(ids, i) << 4), o = offsets + (i << 2), a = load<u32>(o), len = load<u32>(o, 4) - a, has = load<u32>(s, 4)
    if (has) {
      const c = compare_bytes(bytes + a, len - tail, heap + load<u32>(s), has - 1 - tail)
      if (most ? c <= 0 : c >= 0) continue
    }
    if (has == 0 || len > load<u32>(s, 8)) {
      const at = load<u32>(top), room = (len + 15) & ~7
      if (at + room > end) return <i32>i
      store<u32>(top, at + room); store<u32>(s, at); store<u32>(s, room - 8, 8)
    }
    store<u32>(s, len + 1, 4)
    copy(heap + load<u32>(s), bytes + a, len)
  }
  return n
}
/** Offsets (n + 1) of the picked extremes, and validity; returns the bytes of all. */
export function extremes_offsets(states: usize, ids: usize, n: i32, out: usize, valid: usize): u32 {
  let at: u32 = 0
  store<u32>(out, 0)
  for (let i: usize = 0; i < <usize>n; i++) {
    const has = load<u32>(states + (group(ids, i) << 4), 4)
    at += has ? has - 1 : 0
    store<u8>(valid + i, has ? 1 : 0); store<u32>(out + (i << 2), at, 4)
  }
  return at
}
export function extremes_bytes(states: usize, ids: usize, n: i32, heap: usize, offsets: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const at = load<u32>(offsets + (i << 2)), len = load<u32>(offsets + (i << 2), 4) - at
    memory.copy(out + at, heap + load<u32>(states + (group(ids, i) << 4)), len)
  }
}

// ---- bookkeeping ---------------------------------------------------------------------------------------------------
/** Appends the ids not yet marked to `list` and marks them; returns the new length. Ids of −1 are passed over. */
export function mark_ids(ids: usize, n: i32, marks: usize, list: usize, length: i32): i32 {
  let c: usize = length
  for (let i: usize = 0; i < <usize>n; i++) {
    const id: usize = load<u32>(ids + (i << 2))
    if (id == <usize>(<u32>-1) || load<u8>(marks + id)) continue
    store<u8>(marks + id, 1); store<u32>(list + (c << 2), <u32>id); c++
  }
  return <i32>c
}
/** marks[id] = value for all ids. */
export function put_marks(ids: usize, n: i32, value: u32, marks: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u8>(marks + load<u32>(ids + (i << 2)), <u8>value)
}
/** Splits ids by counts[id] > 0: positive ones to `some` (their number is returned), the rest to `none`. */
export function split_ids(ids: usize, n: i32, counts: usize, some: usize, none: usize): i32 {
  let a: usize = 0, b: usize = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const id = load<u32>(ids + (i << 2)), yes = load<i64>(counts + (<usize>id << 3)) > 0 ? 1 : 0
    store<u32>(some + (a << 2), id); store<u32>(none + (b << 2), id)
    a += yes; b += 1 - yes
  }
  return <i32>a
}
/** Zeroes the states of the ids. */
export function clear_states(ids: usize, n: i32, stride: usize, states: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) memory.fill(states + <usize>load<u32>(ids + (i << 2)) * stride, 0, stride)
}
/** How many rows of the picked groups were values (all rows less the NULLs; `nulls` 0: none), and which groups have one; returns how many have none. */
export function counts_get(totals: usize, nulls: usize, ids: usize, n: i32, out: usize, valid: usize): i32 {
  let none = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const g = group(ids, i) << 3, x = load<i64>(totals + g) - (nulls ? load<i64>(nulls + g) : 0)
    store<i64>(out + (i << 3), x); store<u8>(valid + i, x > 0 ? 1 : 0); none += x > 0 ? 0 : 1
  }
  return none
}
/** bool_and (`all` 1) or bool_or (0) of the picked groups, and validity; returns how many are NULL. */
export function bools_get(trues: usize, falses: usize, ids: usize, n: i32, all: i32, out: usize, valid: usize): i32 {
  let none = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const g = group(ids, i) << 3, t = load<i64>(trues + g), f = load<i64>(falses + g), some = t > 0 || f > 0
    store<u8>(out + i, (all ? f <= 0 : t > 0) ? 1 : 0); store<u8>(valid + i, some ? 1 : 0); none += some ? 0 : 1
  }
  return none
}
/** values[i] /= counts[i]. */
export function divide_floats(values: usize, counts: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n; i++) store<f64>(values + (i << 3), load<f64>(values + (i << 3)) / <f64>load<i64>(counts + (i << 3)))
}
