// Parquet page bodies → columns. Every kernel is told where its input ends and how much room its output has, and answers a negative number
// instead of going beyond either; reads may be 16 bytes wide (every buffer has 16 readable and writable bytes behind its end).

// ---------- variable-length integers: one cursor, one flag, because AssemblyScript returns one value

let cursor: usize = 0
let broken: bool = false

@inline function varint(end: usize): u64 {
  let value: u64 = 0, shift: u64 = 0
  while (cursor < end && shift < 64) {
    const byte = <u64>load<u8>(cursor++)
    value |= (byte & 0x7f) << shift
    if (!(byte & 0x80)) return value
    shift += 7
  }
  broken = true
  return 0
}

@inline function zigzag(value: u64): i64 { return <i64>(value >> 1) ^ -(<i64>(value & 1)) }

// ---------- the RLE / bit-packed hybrid

// What becomes of a code: stored as u8 or u32, or replaced by its dictionary entry of 4, 8 or 16 bytes.
const BYTE = 0, CODE = 1, ENTRY4 = 2, ENTRY8 = 3, ENTRY16 = 4

@inline function put(what: i32, out: usize, i: usize, code: u32, dictionary: usize): void {
  if (what == BYTE) store<u8>(out + i, <u8>code)
  else if (what == CODE) store<u32>(out + (i << 2), code)
  else if (what == ENTRY4) store<u32>(out + (i << 2), load<u32>(dictionary + (<usize>code << 2)))
  else if (what == ENTRY8) store<u64>(out + (i << 3), load<u64>(dictionary + (<usize>code << 3)))
  else v128.store(out + (i << 4), v128.load(dictionary + (<usize>code << 4)))
}

/** n codes of `width` bits; -1 when the input ends early or a code is not below `limit`. */
@inline function hybrid(what: i32, from: usize, end: usize, width: i32, n: i32, dictionary: usize, limit: u32, out: usize): i32 {
  if (n <= 0) return 0
  if (limit == 0 || width < 0 || width > 32) return -1
  if (width == 0) {
    for (let i: usize = 0; i < <usize>n; i++) put(what, out, i, 0, dictionary)
    return 0
  }
  const mask: u64 = (<u64>1 << width) - 1
  let top: u32 = 0, done: usize = 0
  cursor = from
  broken = false
  while (done < <usize>n) {
    const header = varint(end), left = <usize>n - done
    if (broken) return -1
    let p = cursor
    if (header & 1) {
      const groups = header >> 1
      const count: usize = groups >= <u64>((left + 7) >> 3) ? left : <usize>(groups << 3)
      if (((<u64>count * width + 7) >> 3) > <u64>(end - p)) return -1
      const stop = done + count
      let i = done
      if (width <= 16) {
        // Eight codes are `width` bytes; four of them, with the bits before them, fit into one load.
        const half: usize = (4 * width) >> 3, rest: u64 = (4 * width) & 7
        const w = <u64>width
        for (; i + 8 <= stop; i += 8) {
          const a = load<u64>(p), b = load<u64>(p + half) >> rest
          const c0 = <u32>(a & mask), c1 = <u32>((a >> w) & mask), c2 = <u32>((a >> (2 * w)) & mask), c3 = <u32>((a >> (3 * w)) & mask)
          const c4 = <u32>(b & mask), c5 = <u32>((b >> w) & mask), c6 = <u32>((b >> (2 * w)) & mask), c7 = <u32>((b >> (3 * w)) & mask)
          top = max(max(max(top, c0), max(c1, c2)), max(max(c3, c4), max(max(c5, c6), c7)))
          put(what, out, i, c0, dictionary); put(what, out, i + 1, c1, dictionary); put(what, out, i + 2, c2, dictionary); put(what, out, i + 3, c3, dictionary)
          put(what, out, i + 4, c4, dictionary); put(what, out, i + 5, c5, dictionary); put(what, out, i + 6, c6, dictionary); put(what, out, i + 7, c7, dictionary)
          p += width
        }
      }
      for (let bit: u64 = 0; i < stop; i++, bit += width) {
        const code = <u32>((load<u64>(p + <usize>(bit >> 3)) >> (bit & 7)) & mask)
        top = max(top, code)
        put(what, out, i, code, dictionary)
      }
      const bytes = groups * width
      cursor = bytes > <u64>(end - cursor) ? end : cursor + <usize>bytes
      done = stop
    } else {
      const run = header >> 1, count: usize = run > <u64>left ? left : <usize>run, bytes: usize = (width + 7) >> 3
      if (bytes > end - p) return -1
      const code = <u32>(<u64>load<u32>(p) & (bytes == 4 ? 0xffffffff : (<u64>1 << (bytes << 3)) - 1))
      if (count > 0) top = max(top, code)
      cursor = p + bytes
      const stop = done + count
      if (what == BYTE) memory.fill(out + done, <u8>code, count)
      else if (what == CODE || what == ENTRY4) {
        const value = i32x4.splat(what == CODE ? code : load<u32>(dictionary + (<usize>code << 2)))
        let i = done
        for (; i + 4 <= stop; i += 4) v128.store(out + (i << 2), value)
        for (; i < stop; i++) store<u32>(out + (i << 2), i32x4.extract_lane(value, 0))
      } else for (let i = done; i < stop; i++) put(what, out, i, code, dictionary)
      done = stop
    }
    // Entries behind the dictionary were read, but nothing was written outside: stop at the end of the run that did so.
    if (top >= limit) return -1
  }
  return 0
}

export function rle_u8(from: usize, end: usize, width: i32, n: i32, limit: u32, out: usize): i32 { return hybrid(BYTE, from, end, width, n, 0, limit, out) }
export function rle_u32(from: usize, end: usize, width: i32, n: i32, limit: u32, out: usize): i32 { return hybrid(CODE, from, end, width, n, 0, limit, out) }
export function rle_gather4(from: usize, end: usize, width: i32, n: i32, dictionary: usize, limit: u32, out: usize): i32 { return hybrid(ENTRY4, from, end, width, n, dictionary, limit, out) }
export function rle_gather8(from: usize, end: usize, width: i32, n: i32, dictionary: usize, limit: u32, out: usize): i32 { return hybrid(ENTRY8, from, end, width, n, dictionary, limit, out) }
export function rle_gather16(from: usize, end: usize, width: i32, n: i32, dictionary: usize, limit: u32, out: usize): i32 { return hybrid(ENTRY16, from, end, width, n, dictionary, limit, out) }

// ---------- levels and booleans

/** 1 when the n levels are all `level`, 0 when not; decodes nothing. Only runs are looked at, a bit-packed run counts as "not". */
export function levels_all(from: usize, end: usize, width: i32, n: i32, level: u32): i32 {
  cursor = from
  broken = false
  let left = <u64>n
  const bytes: usize = (width + 7) >> 3
  while (left > 0) {
    const header = varint(end)
    if (broken) return -1
    if (header & 1) return 0
    if (bytes > end - cursor) return -1
    const run = header >> 1
    if (run > 0 && load<u8>(cursor) != level) return 0
    cursor += bytes
    if (run >= left) return 1
    left -= run
  }
  return 1
}

/** How many of n levels (a byte each) are `level`. */
export function levels_count(levels: usize, n: i32, level: u32): i32 {
  let count = 0, i: usize = 0
  const wanted = i8x16.splat(<i8>level)
  for (; i + 16 <= <usize>n; i += 16) count += popcnt<i32>(i8x16.bitmask(i8x16.eq(v128.load(levels + i), wanted)))
  for (; i < <usize>n; i++) count += <i32>(<u32>load<u8>(levels + i) == level)
  return count
}

/** n bits, the lowest of a byte first → a byte each. */
export function bits_to_bytes(from: usize, end: usize, n: i32, out: usize): i32 {
  if (<usize>((n + 7) >> 3) > end - from) return -1
  const spread = i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1), mask = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128)
  const one = i8x16.splat(1)
  let i: usize = 0
  for (; i + 16 <= <usize>n; i += 16) {
    const bits = v128.and(i8x16.swizzle(i16x8.splat(load<i16>(from + (i >> 3))), spread), mask)
    v128.store(out + i, v128.and(i8x16.eq(bits, mask), one))
  }
  for (; i < <usize>n; i++) store<u8>(out + i, (load<u8>(from + (i >> 3)) >> <u8>(i & 7)) & 1)
  return 0
}

// ---------- byte arrays: u32 offsets and bytes, appended. offsets[0] is the caller's and holds `at`, the bytes so far.

@inline function copy_wide(from: usize, to: usize, n: u32): void {
  if (n > 256) memory.copy(to, from, n)
  else {
    let k: u32 = 0
    do { v128.store(to + k, v128.load(from + k)); k += 16 } while (k < n)
  }
}

/** Bytes that n PLAIN byte arrays hold, lengths not counted; -1 when one goes beyond the end. */
export function plain_var_size(from: usize, end: usize, n: i32): f64 {
  let p = from, size: f64 = 0
  for (let i = 0; i < n; i++) {
    if (end - p < 4) return -1
    const length = load<u32>(p)
    p += 4
    if (length > <u32>(end - p)) return -1
    p += length
    size += length
  }
  return size
}

/** PLAIN byte arrays. `limit` is the room at `bytes`. Returns the new `at`. */
export function plain_var(from: usize, end: usize, n: i32, offsets: usize, bytes: usize, at: u32, limit: u32): f64 {
  let p = from, o = at
  for (let i: usize = 0; i < <usize>n; i++) {
    if (end - p < 4) return -1
    const length = load<u32>(p)
    p += 4
    if (length > <u32>(end - p) || length > limit - o) return -1
    copy_wide(p, bytes + o, length)
    p += length
    o += length
    store<u32>(offsets + (i << 2), o, 4)
  }
  return o
}

/** Bytes that the dictionary entries of n codes take together. */
export function gather_var_size(codes: usize, n: i32, entries: usize): f64 {
  let size: u64 = 0
  for (let q = codes, stop = codes + (<usize>n << 2); q < stop; q += 4) {
    const entry = entries + (<usize>load<u32>(q) << 2)
    size += load<u32>(entry, 4) - load<u32>(entry)
  }
  return <f64>size
}

/** Dictionary entries of n codes (which are known to be in range), appended; room was made by `gather_var_size`. */
export function gather_var_append(codes: usize, n: i32, entries: usize, entryBytes: usize, offsets: usize, bytes: usize, at: u32): f64 {
  let o = at
  for (let i: usize = 0; i < <usize>n; i++) {
    const entry = entries + (<usize>load<u32>(codes + (i << 2)) << 2), from = load<u32>(entry), length = load<u32>(entry, 4) - from
    copy_wide(entryBytes + from, bytes + o, length)
    o += length
    store<u32>(offsets + (i << 2), o, 4)
  }
  return o
}

/** n values of `width` bytes each follow each other: their offsets. */
export function fixed_offsets(width: u32, n: i32, offsets: usize, at: u32): void {
  let o = at
  for (let i: usize = 0; i < <usize>n; i++) { o += width; store<u32>(offsets + (i << 2), o, 4) }
}

/** 1 when the bytes are UTF-8 and no value begins inside of a character. */
export function text_valid(offsets: usize, n: i32, bytes: usize): i32 {
  const stop = bytes + load<u32>(offsets + (<usize>n << 2)), start = bytes + load<u32>(offsets)
  let p = start
  let ascii = true
  while (p < stop) {
    if (p + 16 <= stop && !i8x16.bitmask(v128.load(p))) { p += 16; continue }
    const a = <u32>load<u8>(p)
    if (a < 0x80) { p++; continue }
    ascii = false
    const left = stop - p
    if (a < 0xc2) return 0
    const b = <u32>load<u8>(p, 1)
    if (a < 0xe0) {
      if (left < 2 || (b & 0xc0) != 0x80) return 0
      p += 2
      continue
    }
    const c = <u32>load<u8>(p, 2)
    if (a < 0xf0) {
      if (left < 3 || (b & 0xc0) != 0x80 || (c & 0xc0) != 0x80 || (a == 0xe0 && b < 0xa0) || (a == 0xed && b > 0x9f)) return 0
      p += 3
      continue
    }
    const d = <u32>load<u8>(p, 3)
    if (a > 0xf4 || left < 4 || (b & 0xc0) != 0x80 || (c & 0xc0) != 0x80 || (d & 0xc0) != 0x80 || (a == 0xf0 && b < 0x90) || (a == 0xf4 && b > 0x8f)) return 0
    p += 4
  }
  if (!ascii) for (let i: usize = 0; i < <usize>n; i++) {
    const offset = load<u32>(offsets + (i << 2))
    if (offset < load<u32>(offsets + (i << 2), 4) && (load<u8>(bytes + offset) & 0xc0) == 0x80) return 0
  }
  return 1
}

// ---------- DELTA_BINARY_PACKED and what is built on it

/** n integers, stored as T (differences are 64 bits wide and wrap). Returns the bytes read, or -1. */
@inline function delta<T>(from: usize, end: usize, n: i32, out: usize): i32 {
  cursor = from
  broken = false
  const block = varint(end), minis = varint(end), count = varint(end)
  let value = zigzag(varint(end))
  if (broken || count != <u64>n || minis == 0 || minis > 4096 || block == 0 || block > 1 << 24 || block % minis != 0) return -1
  if (n == 0) return <i32>(cursor - from)
  const per = <i32>(block / minis)
  if (per & 7) return -1
  const size: usize = sizeof<T>()
  store<T>(out, <T>value)
  let i: i32 = 1
  while (i < n) {
    const least = zigzag(varint(end)), widths = cursor
    if (broken || <usize>minis > end - widths) return -1
    cursor += <usize>minis
    for (let k: usize = 0; k < <usize>minis && i < n; k++) {
      const width = <u64>load<u8>(widths + k), values = min<i32>(per, n - i)
      if (width > 64 || ((<u64>values * width + 7) >> 3) > <u64>(end - cursor)) return -1
      let q = out + <usize>i * size
      const stop = q + <usize>values * size
      if (width == 0) for (; q < stop; q += size) { value += least; store<T>(q, <T>value) }
      else if (width <= 56) {
        const mask: u64 = (<u64>1 << width) - 1
        for (let bit: u64 = 0; q < stop; q += size, bit += width) {
          value += least + <i64>((load<u64>(cursor + <usize>(bit >> 3)) >> (bit & 7)) & mask)
          store<T>(q, <T>value)
        }
      } else {
        const mask: u64 = width == 64 ? ~(<u64>0) : (<u64>1 << width) - 1
        for (let bit: u64 = 0; q < stop; q += size, bit += width) {
          const p = cursor + <usize>(bit >> 3), shift = bit & 7
          let x = load<u64>(p) >> shift
          if (shift) x |= load<u64>(p, 8) << (64 - shift)
          value += least + <i64>(x & mask)
          store<T>(q, <T>value)
        }
      }
      i += values
      const bytes = (<u64>per * width) >> 3
      cursor = bytes > <u64>(end - cursor) ? end : cursor + <usize>bytes
    }
  }
  return <i32>(cursor - from)
}
export function delta32(from: usize, end: usize, n: i32, out: usize): i32 { return delta<i32>(from, end, n, out) }
export function delta64(from: usize, end: usize, n: i32, out: usize): i32 { return delta<i64>(from, end, n, out) }

/** The sum of n lengths; -1 when one is negative. */
export function lengths_sum(lengths: usize, n: i32): f64 {
  let sum: u64 = 0, sign: i32 = 0
  for (let q = lengths, stop = lengths + (<usize>n << 2); q < stop; q += 4) { const length = load<i32>(q); sign |= length; sum += <u64><u32>length }
  return sign < 0 ? -1 : <f64>sum
}

/** Offsets of n values with these lengths; room and sum were checked. Returns the new `at`. */
export function lengths_offsets(lengths: usize, n: i32, offsets: usize, at: u32): f64 {
  let o = at
  for (let i: usize = 0; i < <usize>n; i++) { o += load<u32>(lengths + (i << 2)); store<u32>(offsets + (i << 2), o, 4) }
  return o
}

/** Bytes that n DELTA_BYTE_ARRAY values take; -1 when a prefix is longer than the value before it or a suffix goes beyond `room` bytes. */
export function prefixed_size(prefixes: usize, suffixes: usize, n: i32, room: u32): f64 {
  let size: u64 = 0, used: u64 = 0, before: u64 = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const prefix = load<i32>(prefixes + (i << 2)), suffix = load<i32>(suffixes + (i << 2))
    if (prefix < 0 || suffix < 0 || <u64>prefix > before) return -1
    before = <u64>prefix + <u64>suffix
    used += suffix
    size += before
  }
  return used > <u64>room ? -1 : <f64>size
}

/** DELTA_BYTE_ARRAY values put together; lengths and room were checked by `prefixed_size`. */
export function prefixed_append(prefixes: usize, suffixes: usize, n: i32, from: usize, offsets: usize, bytes: usize, at: u32): f64 {
  let o = at, before = at, p = from
  for (let i: usize = 0; i < <usize>n; i++) {
    const prefix = load<u32>(prefixes + (i << 2)), suffix = load<u32>(suffixes + (i << 2))
    copy_wide(bytes + before, bytes + o, prefix)
    copy_wide(p, bytes + o + prefix, suffix)
    before = o
    o += prefix + suffix
    p += suffix
    store<u32>(offsets + (i << 2), o, 4)
  }
  return o
}

// ---------- BYTE_STREAM_SPLIT

/** n values of `width` bytes, byte k of all of them side by side. */
export function byte_stream_split(from: usize, end: usize, n: i32, width: i32, out: usize): i32 {
  const count = <usize>n
  if (<u64>count * width > <u64>(end - from)) return -1
  if (width == 4) {
    let i: usize = 0
    for (; i + 16 <= count; i += 16) {
      const a = v128.load(from + i), b = v128.load(from + count + i), c = v128.load(from + 2 * count + i), d = v128.load(from + 3 * count + i)
      const ab = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), AB = v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
      const cd = v128.shuffle<i8>(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), CD = v128.shuffle<i8>(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
      const q = out + (i << 2)
      v128.store(q, v128.shuffle<i16>(ab, cd, 0, 8, 1, 9, 2, 10, 3, 11))
      v128.store(q, v128.shuffle<i16>(ab, cd, 4, 12, 5, 13, 6, 14, 7, 15), 16)
      v128.store(q, v128.shuffle<i16>(AB, CD, 0, 8, 1, 9, 2, 10, 3, 11), 32)
      v128.store(q, v128.shuffle<i16>(AB, CD, 4, 12, 5, 13, 6, 14, 7, 15), 48)
    }
    for (; i < count; i++) for (let k: usize = 0; k < 4; k++) store<u8>(out + (i << 2) + k, load<u8>(from + k * count + i))
  } else if (width == 8) {
    for (let i: usize = 0; i < count; i++) {
      let x: u64 = 0
      for (let k: usize = 0; k < 8; k++) x |= <u64>load<u8>(from + k * count + i) << (k << 3)
      store<u64>(out + (i << 3), x)
    }
  } else for (let k: usize = 0; k < <usize>width; k++) {
    let q = out + k
    for (let i: usize = 0; i < count; i++, q += width) store<u8>(q, load<u8>(from + k * count + i))
  }
  return 0
}

// ---------- making room for NULLs: the first `present` values move apart, backwards in place; what lies under a NULL is zero

@inline function spread<T>(values: usize, valid: usize, n: i32, present: i32): void {
  let j = <usize>present
  const size: usize = sizeof<T>()
  for (let i = <usize>n; i-- > 0;) {
    if (load<u8>(valid + i)) { j--; store<T>(values + i * size, load<T>(values + j * size)) }
    else store<T>(values + i * size, <T>0)
  }
}
export function spread1(values: usize, valid: usize, n: i32, present: i32): void { spread<u8>(values, valid, n, present) }
export function spread4(values: usize, valid: usize, n: i32, present: i32): void { spread<u32>(values, valid, n, present) }
export function spread8(values: usize, valid: usize, n: i32, present: i32): void { spread<u64>(values, valid, n, present) }
export function spread16(values: usize, valid: usize, n: i32, present: i32): void {
  let j = <usize>present
  for (let i = <usize>n; i-- > 0;) {
    if (load<u8>(valid + i)) { j--; v128.store(values + (i << 4), v128.load(values + (j << 4))) }
    else v128.store(values + (i << 4), i64x2.splat(0))
  }
}
/** Offsets of the present values → of all: a NULL is empty. */
export function spread_offsets(offsets: usize, valid: usize, n: i32, present: i32): void {
  let j = <usize>present
  for (let i = <usize>n; i-- > 0;) {
    store<u32>(offsets + (i << 2), load<u32>(offsets + (j << 2)), 4)
    if (load<u8>(valid + i)) j--
  }
}

// ---------- from physical values to ours. Input may lie in the second half of the output: these go forwards.

/** i32 × factor → i64. */
export function widen32(from: usize, n: i32, factor: i64, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<i64>(out + (i << 3), <i64>load<i32>(from + (i << 2)) * factor)
}
export function widen_u32(from: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u64>(out + (i << 3), load<u32>(from + (i << 2)))
}
/** i64 milliseconds → microseconds in place; -1 when one does not fit. */
export function millis64(values: usize, n: i32): i32 {
  let wrong = 0
  for (let q = values, stop = values + (<usize>n << 3); q < stop; q += 8) {
    const x = load<i64>(q)
    wrong |= <i32>(x > 9223372036854775) | <i32>(x < -9223372036854775)
    store<i64>(q, x * 1000)
  }
  return -wrong
}
/** i64 nanoseconds → microseconds in place, towards minus infinity. */
export function nanos64(values: usize, n: i32): void {
  for (let q = values, stop = values + (<usize>n << 3); q < stop; q += 8) {
    const x = load<i64>(q), y = x / 1000
    store<i64>(q, y - <i64>(y * 1000 > x))
  }
}
/** INT96 (nanoseconds of the day, Julian day) → microseconds since 1970; -1 when one does not fit. */
export function int96(from: usize, n: i32, out: usize): i32 {
  let wrong = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const p = from + i * 12, nanos = load<i64>(p), day = <i64>load<i32>(p, 8) - 2440588
    const micros = nanos / 1000
    wrong |= <i32>(day > 106751990) | <i32>(day < -106751990)
    store<i64>(out + (i << 3), day * 86400000000 + micros - <i64>(micros * 1000 > nanos))
  }
  return -wrong
}
/** Big-endian two's complement of `width` bytes → i64 or i128; -1 when one does not fit. */
export function fixed_decimal64(from: usize, n: i32, width: i32, out: usize): i32 {
  let wrong = 0
  for (let i: usize = 0; i < <usize>n; i++) wrong |= decimal64(from + i * <usize>width, width, out + (i << 3))
  return wrong
}
export function fixed_decimal128(from: usize, n: i32, width: i32, out: usize): i32 {
  let wrong = 0
  for (let i: usize = 0; i < <usize>n; i++) wrong |= decimal128(from + i * <usize>width, width, out + (i << 4))
  return wrong
}
export function var_decimal64(offsets: usize, bytes: usize, n: i32, out: usize): i32 {
  let wrong = 0
  for (let i: usize = 0; i < <usize>n; i++) { const from = load<u32>(offsets + (i << 2)); wrong |= decimal64(bytes + from, <i32>(load<u32>(offsets + (i << 2), 4) - from), out + (i << 3)) }
  return wrong
}
export function var_decimal128(offsets: usize, bytes: usize, n: i32, out: usize): i32 {
  let wrong = 0
  for (let i: usize = 0; i < <usize>n; i++) { const from = load<u32>(offsets + (i << 2)); wrong |= decimal128(bytes + from, <i32>(load<u32>(offsets + (i << 2), 4) - from), out + (i << 4)) }
  return wrong
}
@inline function decimal64(p: usize, width: i32, out: usize): i32 {
  if (width <= 0) { store<i64>(out, 0); return -1 }
  let value: i64 = <i64>load<i8>(p), wrong = 0
  for (let k: i32 = 1; k < width; k++) {
    wrong |= <i32>((value << 8) >> 8 != value)
    value = (value << 8) | <i64>load<u8>(p + <usize>k)
  }
  store<i64>(out, value)
  return -wrong
}
@inline function decimal128(p: usize, width: i32, out: usize): i32 {
  if (width <= 0) { store<i64>(out, 0); store<i64>(out, 0, 8); return -1 }
  let low: u64 = <u64><i64>load<i8>(p), high: i64 = <i64>load<i8>(p) >> 63, wrong = 0
  for (let k: i32 = 1; k < width; k++) {
    wrong |= <i32>((high << 8) >> 8 != high)
    high = (high << 8) | <i64>(low >> 56)
    low = (low << 8) | <u64>load<u8>(p + <usize>k)
  }
  store<u64>(out, low)
  store<i64>(out, high, 8)
  return -wrong
}
/** u64 → i128. Backwards, so that input and output may begin at one address. */
export function unsigned128(from: usize, n: i32, out: usize): void {
  for (let i = <usize>n; i-- > 0;) { const x = load<u64>(from + (i << 3)); store<u64>(out + (i << 4), x); store<u64>(out + (i << 4), 0, 8) }
}
/** Half floats → floats. */
export function float16(from: usize, n: i32, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const h = <u32>load<u16>(from + (i << 1)), sign = (h & 0x8000) << 16, magnitude = h & 0x7fff
    let bits: u32
    if (magnitude >= 0x7c00) bits = 0x7f800000 | ((magnitude & 0x3ff) << 13)
    else if (magnitude >= 0x400) bits = (magnitude << 13) + 0x38000000
    else bits = reinterpret<u32>(<f32>magnitude * <f32>5.960464477539063e-8)
    store<u32>(out + (i << 2), sign | bits)
  }
}
