// Rows as records, and the hash table over them.
//
// A record holds the values of some columns of one row, side by side, so that equal rows are equal words. Without var columns every record has the
// same width (`stride`, a multiple of 8). With var columns record i begins at ends[i], its first sizes[i] bytes (a multiple of 8) are compared:
// fixed values, then one u32 length a var column, then their bytes, then zeros; behind that come the tails, which are kept but not compared.
import { copy } from './gather.as'

@inline function place(out: usize, ends: usize, stride: usize, i: usize): usize {
  return out + (ends ? <usize>load<u32>(ends + (i << 2)) : i * stride)
}
@inline function pick(codes: usize, i: usize): usize { return codes ? <usize>load<u32>(codes + (i << 2)) : i }
@inline function there(valid: usize, i: usize): bool { return valid == 0 || load<u8>(valid + i) != 0 }

// ---- columns into records: `out` already points at the field ------------------------------------------------------
export function record_put_8(values: usize, codes: usize, valid: usize, n: i32, out: usize, ends: usize, stride: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u8>(place(out, ends, stride, i), there(valid, i) ? load<u8>(values + pick(codes, i)) : 0)
}
export function record_put_32(values: usize, codes: usize, valid: usize, n: i32, out: usize, ends: usize, stride: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(place(out, ends, stride, i), there(valid, i) ? load<u32>(values + (pick(codes, i) << 2)) : 0)
}
export function record_put_64(values: usize, codes: usize, valid: usize, n: i32, out: usize, ends: usize, stride: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u64>(place(out, ends, stride, i), there(valid, i) ? load<u64>(values + (pick(codes, i) << 3)) : 0)
}
export function record_put_128(values: usize, codes: usize, valid: usize, n: i32, out: usize, ends: usize, stride: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) v128.store(place(out, ends, stride, i), there(valid, i) ? v128.load(values + (pick(codes, i) << 4)) : i64x2.splat(0))
}
/** Floats that SQL calls equal become the same bits: −0 is 0, every NaN is one NaN. */
export function record_put_f32(values: usize, codes: usize, valid: usize, n: i32, out: usize, ends: usize, stride: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const x = there(valid, i) ? load<f32>(values + (pick(codes, i) << 2)) : 0
    store<u32>(place(out, ends, stride, i), x != x ? 0x7fc00000 : x == 0 ? 0 : reinterpret<u32>(x))
  }
}
export function record_put_f64(values: usize, codes: usize, valid: usize, n: i32, out: usize, ends: usize, stride: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const x = there(valid, i) ? load<f64>(values + (pick(codes, i) << 3)) : 0
    store<u64>(place(out, ends, stride, i), x != x ? 0x7ff8000000000000 : x == 0 ? 0 : reinterpret<u64>(x))
  }
}
/** One byte: 1 for NULL. */
export function record_put_null(valid: usize, n: i32, out: usize, ends: usize, stride: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u8>(place(out, ends, stride, i), 1 - load<u8>(valid + i))
}
/** sizes[i] += the compared bytes of a var value. */
export function record_lengths(offsets: usize, codes: usize, valid: usize, n: i32, tail: u32, sizes: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) if (there(valid, i)) {
    const o = offsets + (pick(codes, i) << 2), s = sizes + (i << 2)
    store<u32>(s, load<u32>(s) + load<u32>(o, 4) - load<u32>(o) - tail)
  }
}
/** From the var bytes of each record to its compared size and its place; returns the bytes of all. `extra`: bytes of tails, a multiple of 8. */
export function record_places(sizes: usize, n: i32, fixed: u32, extra: u32, ends: usize, cursors: usize): u32 {
  let at: u32 = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const size = (load<u32>(sizes + (i << 2)) + fixed + 7) & ~7
    store<u32>(sizes + (i << 2), size); store<u32>(ends + (i << 2), at); store<u32>(cursors + (i << 2), fixed)
    at += size + extra
  }
  store<u32>(ends + (<usize>n << 2), at)
  return at
}
export function record_put_var(offsets: usize, bytes: usize, codes: usize, valid: usize, n: i32, out: usize, ends: usize, sizes: usize, cursors: usize, lengthAt: u32, tail: u32, tailAt: u32): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const r = out + load<u32>(ends + (i << 2))
    if (!there(valid, i)) { store<u32>(r + lengthAt, 0); continue }
    const o = offsets + (pick(codes, i) << 2), a = load<u32>(o), len = load<u32>(o, 4) - a - tail, c = cursors + (i << 2), at = load<u32>(c)
    store<u32>(r + lengthAt, len)
    memory.copy(r + at, bytes + a, len)
    store<u32>(c, at + len)
    if (tail) memory.copy(r + load<u32>(sizes + (i << 2)) + tailAt, bytes + a + len, tail)
  }
}

// ---- records back into columns: `base` already points at the field ------------------------------------------------
export function record_get_8(base: usize, ends: usize, stride: usize, ids: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u8>(out + i, load<u8>(place(base, ends, stride, load<u32>(ids + (i << 2)))))
}
export function record_get_32(base: usize, ends: usize, stride: usize, ids: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(out + (i << 2), load<u32>(place(base, ends, stride, load<u32>(ids + (i << 2)))))
}
export function record_get_64(base: usize, ends: usize, stride: usize, ids: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u64>(out + (i << 3), load<u64>(place(base, ends, stride, load<u32>(ids + (i << 2)))))
}
export function record_get_128(base: usize, ends: usize, stride: usize, ids: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) v128.store(out + (i << 4), v128.load(place(base, ends, stride, load<u32>(ids + (i << 2)))))
}
/** Validity bytes; returns how many are NULL. */
export function record_get_valid(base: usize, ends: usize, stride: usize, ids: usize, n: i32, out: usize): i32 {
  let nulls: i32 = 0
  for (let i: usize = 0; i < <usize>n; i++) { const x = load<u8>(place(base, ends, stride, load<u32>(ids + (i << 2)))); nulls += x; store<u8>(out + i, 1 - x) }
  return nulls
}
/** Offsets (n + 1) of a var column, tails included; returns the bytes of all. */
export function record_get_offsets(base: usize, ends: usize, ids: usize, n: i32, lengthAt: u32, tail: u32, out: usize): u32 {
  let at: u32 = 0
  store<u32>(out, 0)
  for (let i: usize = 0; i < <usize>n; i++) {
    at += load<u32>(place(base, ends, 0, load<u32>(ids + (i << 2))) + lengthAt) + tail
    store<u32>(out + (i << 2), at, 4)
  }
  return at
}
/** Bytes of the var column that `before` others precede; their lengths begin at `lengthsAt`, all bytes at `fixed`. */
export function record_get_var(base: usize, ends: usize, sizes: usize, ids: usize, n: i32, fixed: u32, lengthsAt: u32, before: u32, tail: u32, tailAt: u32, outOffsets: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const id: usize = load<u32>(ids + (i << 2)), r = place(base, ends, 0, id)
    let at = fixed
    for (let j: u32 = 0; j < before; j++) at += load<u32>(r + lengthsAt + (j << 2))
    const to = out + load<u32>(outOffsets + (i << 2)), len = load<u32>(r + lengthsAt + (before << 2))
    memory.copy(to, r + at, len)
    if (tail) memory.copy(to + len, r + load<u32>(sizes + (id << 2)) + tailAt, tail)
  }
}

// ---- hashing ------------------------------------------------------------------------------------------------------
/** A 64-bit finaliser: sequential and clustered keys spread evenly. */
@inline export function mix(x: u64): u64 { x ^= x >> 32; x *= 0xd6e8feb86659fd93; x ^= x >> 29; x *= 0x9e3779b97f4a7c15; return x ^ (x >> 32) }

/** Hashes of records: over `stride` bytes each, or over sizes[i] bytes at ends[i]. */
export function record_hash(records: usize, ends: usize, sizes: usize, stride: usize, n: i32, seed: u64, out: usize): void {
  if (ends == 0 && stride == 8) { for (let i: usize = 0; i < <usize>n; i++) store<u64>(out + (i << 3), mix(load<u64>(records + (i << 3)) ^ seed)); return }
  for (let i: usize = 0; i < <usize>n; i++) {
    let p = place(records, ends, stride, i)
    const end = p + (ends ? <usize>load<u32>(sizes + (i << 2)) : stride)
    let h = seed
    while (p < end) { h = (h ^ load<u64>(p)) * 0xd6e8feb86659fd93; h ^= h >> 32; p += 8 }
    store<u64>(out + (i << 3), mix(h))
  }
}

// ---- the table ----------------------------------------------------------------------------------------------------
// A header of u32 words at `t` (see hash.ts); slots are u64: the hash's high half | id + 1, a power of two of them, 0 is empty.
const SLOTS = 0, MASK = 4, USED = 8, LIMIT = 12, KEYS = 16, COUNT = 20, CAPACITY = 24, HASHES = 28, FREE = 32, FREE_COUNT = 36
const ENDS = 40, SIZES = 44, HEAP_TOP = 48, HEAP_END = 52, STRIDE = 56, EXTRA = 60, STATE = 64, DEAD_COUNT = 68
const LIVE: u8 = 0, DEAD: u8 = 1, UNUSED: u8 = 2
const HIGH: u64 = 0xffffffff00000000

@inline function same_words(p: usize, q: usize, len: usize): bool {
  for (let k: usize = 0; k < len; k += 8) if (load<u64>(p + k) != load<u64>(q + k)) return false
  return true
}
/** Ids of records, new ones for records not seen before. Rows whose byte in `skip` (0: none) is 0 get id −1. Stops when something is full; returns the row it came to. */
export function table_find(t: usize, records: usize, ends: usize, sizes: usize, hashes: usize, skip: usize, from: i32, n: i32, ids: usize): i32 {
  const slots: usize = load<u32>(t, SLOTS), mask: u64 = load<u32>(t, MASK), keys: usize = load<u32>(t, KEYS), stride: usize = load<u32>(t, STRIDE)
  const keyEnds: usize = load<u32>(t, ENDS), keySizes: usize = load<u32>(t, SIZES), state: usize = load<u32>(t, STATE), extra = load<u32>(t, EXTRA)
  const one = ends == 0 && stride == 8
  for (let i: usize = from; i < <usize>n; i++) {
    if (skip && load<u8>(skip + i) == 0) { store<u32>(ids + (i << 2), -1); continue }
    const h = load<u64>(hashes + (i << 3)), r = place(records, ends, stride, i), size: usize = ends ? <usize>load<u32>(sizes + (i << 2)) : stride
    const first = one ? load<u64>(r) : 0
    let s = h & mask
    for (;;) {
      const e = load<u64>(slots + (<usize>s << 3))
      if (e == 0) {
        const id = insert(t, h, s)
        if (id == <u32>-1) return <i32>i
        if (ends) {
          const top = load<u32>(t, HEAP_TOP), bytes = <u32>size + extra
          if (top + bytes > load<u32>(t, HEAP_END)) { uninsert(t, s, id); return <i32>i }
          memory.copy(keys + top, r, bytes)
          store<u32>(keyEnds + (<usize>id << 2), top); store<u32>(keySizes + (<usize>id << 2), <u32>size)
          store<u32>(t, top + bytes, HEAP_TOP)
        } else if (one) store<u64>(keys + (<usize>id << 3), first)
        else memory.copy(keys + <usize>id * stride, r, stride)
        store<u32>(ids + (i << 2), id)
        break
      }
      if ((e & HIGH) == (h & HIGH)) {
        const id = <u32>e - 1
        const same = one ? load<u64>(keys + (<usize>id << 3)) == first
          : ends ? load<u32>(keySizes + (<usize>id << 2)) == <u32>size && same_words(keys + load<u32>(keyEnds + (<usize>id << 2)), r, size)
          : same_words(keys + <usize>id * stride, r, stride)
        if (same) {
          if (state && load<u8>(state + id) == DEAD) { store<u8>(state + id, LIVE); store<u32>(t, load<u32>(t, DEAD_COUNT) - 1, DEAD_COUNT) }
          store<u32>(ids + (i << 2), id)
          break
        }
      }
      s = (s + 1) & mask
    }
  }
  return n
}
/** Takes an id and the slot for it; −1 when there is no room. */
function insert(t: usize, h: u64, s: u64): u32 {
  const used = load<u32>(t, USED), free = load<u32>(t, FREE_COUNT)
  if (used >= load<u32>(t, LIMIT)) return -1
  let id: u32
  if (free) { id = load<u32>(<usize>load<u32>(t, FREE) + (<usize>(free - 1) << 2)); store<u32>(t, free - 1, FREE_COUNT) }
  else {
    id = load<u32>(t, COUNT)
    if (id >= load<u32>(t, CAPACITY)) return -1
    store<u32>(t, id + 1, COUNT)
  }
  const state: usize = load<u32>(t, STATE)
  if (state) store<u8>(state + id, LIVE)
  store<u32>(t, used + 1, USED)
  store<u64>(<usize>load<u32>(t, HASHES) + (<usize>id << 3), h)
  store<u64>(<usize>load<u32>(t, SLOTS) + (<usize>s << 3), (h & HIGH) | <u64>(id + 1))
  return id
}
/** Undoes the last `insert`. */
function uninsert(t: usize, s: u64, id: u32): void {
  store<u64>(<usize>load<u32>(t, SLOTS) + (<usize>s << 3), 0)
  store<u32>(t, load<u32>(t, USED) - 1, USED)
  if (id + 1 == load<u32>(t, COUNT)) { store<u32>(t, id, COUNT); return }
  const free = load<u32>(t, FREE_COUNT)
  store<u32>(<usize>load<u32>(t, FREE) + (<usize>free << 2), id)
  store<u32>(t, free + 1, FREE_COUNT)
  store<u8>(<usize>load<u32>(t, STATE) + id, UNUSED)
}
/** Ids of records, −1 for those that are not there and for rows whose byte in `skip` is 0. */
export function table_lookup(t: usize, records: usize, ends: usize, sizes: usize, hashes: usize, skip: usize, n: i32, ids: usize): void {
  const slots: usize = load<u32>(t, SLOTS), mask: u64 = load<u32>(t, MASK), keys: usize = load<u32>(t, KEYS), stride: usize = load<u32>(t, STRIDE)
  const keyEnds: usize = load<u32>(t, ENDS), keySizes: usize = load<u32>(t, SIZES)
  const one = ends == 0 && stride == 8
  // first the low half of every row's first slot, branch-free, so that the cache misses overlap; then the rows one by one
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(ids + (i << 2), load<u32>(slots + (<usize>(load<u64>(hashes + (i << 3)) & mask) << 3)))
  for (let i: usize = 0; i < <usize>n; i++) {
    if (load<u32>(ids + (i << 2)) == 0 || (skip && load<u8>(skip + i) == 0)) { store<u32>(ids + (i << 2), -1); continue }
    const h = load<u64>(hashes + (i << 3)), r = place(records, ends, stride, i), size: usize = ends ? <usize>load<u32>(sizes + (i << 2)) : stride
    let s = h & mask, found: u32 = -1
    for (;;) {
      const e = load<u64>(slots + (<usize>s << 3))
      if (e == 0) break
      if ((e & HIGH) == (h & HIGH)) {
        const id = <u32>e - 1
        const same = one ? load<u64>(keys + (<usize>id << 3)) == load<u64>(r)
          : ends ? load<u32>(keySizes + (<usize>id << 2)) == <u32>size && same_words(keys + load<u32>(keyEnds + (<usize>id << 2)), r, size)
          : same_words(keys + <usize>id * stride, r, stride)
        if (same) { found = id; break }
      }
      s = (s + 1) & mask
    }
    store<u32>(ids + (i << 2), found)
  }
}
/** Marks ids dead: their slots stay until the next rebuild, and the record's coming back revives them. */
export function table_release(t: usize, ids: usize, n: i32): void {
  const state: usize = load<u32>(t, STATE)
  for (let i: usize = 0; i < <usize>n; i++) store<u8>(state + load<u32>(ids + (i << 2)), DEAD)
  store<u32>(t, load<u32>(t, DEAD_COUNT) + n, DEAD_COUNT)
}
/** Fills new, empty slots from the hashes of all ids; dead ids become free. The header has the new slots already. */
export function table_rebuild(t: usize): void {
  const slots: usize = load<u32>(t, SLOTS), mask: u64 = load<u32>(t, MASK), hashes: usize = load<u32>(t, HASHES), count = load<u32>(t, COUNT), state: usize = load<u32>(t, STATE)
  let used: u32 = 0, free = load<u32>(t, FREE_COUNT)
  for (let id: u32 = 0; id < count; id++) {
    if (state) {
      const x = load<u8>(state + id)
      if (x == DEAD) { store<u8>(state + id, UNUSED); store<u32>(<usize>load<u32>(t, FREE) + (<usize>free << 2), id); free++ }
      if (x != LIVE) continue
    }
    const h = load<u64>(hashes + (<usize>id << 3))
    let s = h & mask
    while (load<u64>(slots + (<usize>s << 3)) != 0) s = (s + 1) & mask
    store<u64>(slots + (<usize>s << 3), (h & HIGH) | <u64>(id + 1))
    used++
  }
  store<u32>(t, used, USED); store<u32>(t, free, FREE_COUNT); store<u32>(t, 0, DEAD_COUNT)
}
/** Bytes of the records that are not free. */
export function table_live_bytes(t: usize): u32 {
  const count = load<u32>(t, COUNT), state: usize = load<u32>(t, STATE), sizes: usize = load<u32>(t, SIZES), extra = load<u32>(t, EXTRA)
  let sum: u32 = 0
  for (let id: usize = 0; id < <usize>count; id++) if (!state || load<u8>(state + id) != UNUSED) sum += load<u32>(sizes + (id << 2)) + extra
  return sum
}
/** Copies the records that are not free to a new heap, behind one another. */
export function table_compact(t: usize, heap: usize): void {
  const count = load<u32>(t, COUNT), state: usize = load<u32>(t, STATE), sizes: usize = load<u32>(t, SIZES), ends: usize = load<u32>(t, ENDS), extra = load<u32>(t, EXTRA), keys: usize = load<u32>(t, KEYS)
  let top: u32 = 0
  for (let id: usize = 0; id < <usize>count; id++) if (!state || load<u8>(state + id) != UNUSED) {
    const bytes = load<u32>(sizes + (id << 2)) + extra
    memory.copy(heap + top, keys + load<u32>(ends + (id << 2)), bytes)
    store<u32>(ends + (id << 2), top)
    top += bytes
  }
  store<u32>(t, top, HEAP_TOP)
}

// ---- few possible keys: the table is an array ---------------------------------------------------------------------
/** out[i] = out[i] · size + code; NULLs have code size − 1. Codes are u32, or bytes. */
export function codes_combine(codes: usize, width: i32, valid: usize, n: i32, size: u32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const c: u32 = there(valid, i) ? (width == 4 ? load<u32>(codes + (i << 2)) : <u32>load<u8>(codes + i)) : size - 1
    store<u32>(out + (i << 2), load<u32>(out + (i << 2)) * size + c)
  }
}
/** The first row of each code that occurs; table[code] = its number + 1. The table comes zeroed. Returns how many. */
export function codes_first(codes: usize, n: i32, table: usize, rows: usize): i32 {
  let c: u32 = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const t = table + (<usize>load<u32>(codes + (i << 2)) << 2)
    if (load<u32>(t) == 0) { store<u32>(rows + (<usize>c << 2), <u32>i); c++; store<u32>(t, c) }
  }
  return <i32>c
}
/** out[i] = ids[table[codes[i]] − 1]. */
export function codes_ids(codes: usize, n: i32, table: usize, ids: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(out + (i << 2), load<u32>(ids + (<usize>(load<u32>(table + (<usize>load<u32>(codes + (i << 2)) << 2)) - 1) << 2)))
}
