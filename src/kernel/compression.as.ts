// Decompression of single blocks, straight in the shared memory. The output has 16 writable bytes behind its end.

/** Copies n bytes of the output from `distance` before its end; the two may overlap. */
@inline function repeat(q: usize, distance: usize, n: usize): void {
  if (distance >= 16) {
    let k: usize = 0
    do { v128.store(q + k, v128.load(q + k - distance)); k += 16 } while (k < n)
  } else if (distance == 1) memory.fill(q, load<u8>(q - 1), n)
  else if (distance >= 8) {
    let k: usize = 0
    do { store<u64>(q + k, load<u64>(q + k - distance)); k += 8 } while (k < n)
  } else {
    // Repeat the pattern byte by byte until it is eight bytes long or longer; then go on in steps of eight.
    let wide = distance
    while (wide < 8) wide += distance
    const first = min<usize>(n, wide - distance)
    let k: usize = 0
    for (; k < first; k++) store<u8>(q + k, load<u8>(q + k - distance))
    for (; k < n; k += 8) store<u64>(q + k, load<u64>(q + k - wide))
  }
}

@inline function literal(p: usize, q: usize, n: usize): void {
  if (n > 256) memory.copy(q, p, n)
  else {
    let k: usize = 0
    do { v128.store(q + k, v128.load(p + k)); k += 16 } while (k < n)
  }
}

/** One Snappy block. Returns the bytes written, or -1 when the block is broken or is not of exactly `size` bytes. */
export function snappy(from: usize, end: usize, out: usize, size: u32): i32 {
  let p = from, q = out, length: u64 = 0, shift: u64 = 0
  for (;;) {
    if (p >= end || shift > 28) return -1
    const byte = <u64>load<u8>(p++)
    length |= (byte & 0x7f) << shift
    if (!(byte & 0x80)) break
    shift += 7
  }
  if (length != <u64>size) return -1
  const stop = out + size
  while (p < end) {
    const tag = <u32>load<u8>(p++), kind = tag & 3
    if (kind == 0) {
      let n: usize = (tag >> 2) + 1
      if (n > 60) {
        const extra: usize = n - 60
        if (extra > end - p) return -1
        n = <usize>((load<u32>(p) & (0xffffffff >> ((4 - <u32>extra) << 3))))
        if (n == 0xffffffff) return -1
        n++
        p += extra
      }
      if (n > end - p || n > stop - q) return -1
      literal(p, q, n)
      p += n
      q += n
    } else {
      let n: usize, distance: usize
      if (kind == 1) {
        if (p >= end) return -1
        n = ((tag >> 2) & 7) + 4
        distance = ((tag >> 5) << 8) | load<u8>(p)
        p++
      } else if (kind == 2) {
        if (end - p < 2) return -1
        n = (tag >> 2) + 1
        distance = load<u16>(p)
        p += 2
      } else {
        if (end - p < 4) return -1
        n = (tag >> 2) + 1
        distance = load<u32>(p)
        p += 4
      }
      if (distance == 0 || distance > q - out || n > stop - q) return -1
      repeat(q, distance, n)
      q += n
    }
  }
  return q == stop ? <i32>size : -1
}

/** One LZ4 block (no frame). Returns the bytes written, at most `size`, or -1. */
export function lz4(from: usize, end: usize, out: usize, size: u32): i32 {
  let p = from, q = out
  const stop = out + size
  while (p < end) {
    const token = <usize>load<u8>(p++)
    let n = token >> 4
    if (n == 15) for (;;) {
      if (p >= end) return -1
      const byte = <usize>load<u8>(p++)
      n += byte
      if (n > size) return -1
      if (byte != 255) break
    }
    if (n > end - p || n > stop - q) return -1
    if (n > 0) {
      literal(p, q, n)
      p += n
      q += n
    }
    if (p >= end) break
    if (end - p < 2) return -1
    const distance = <usize>load<u16>(p)
    p += 2
    n = (token & 15) + 4
    if ((token & 15) == 15) for (;;) {
      if (p >= end) return -1
      const byte = <usize>load<u8>(p++)
      n += byte
      if (n > size) return -1
      if (byte != 255) break
    }
    if (distance == 0 || distance > q - out || n > stop - q) return -1
    repeat(q, distance, n)
    q += n
  }
  return <i32>(q - out)
}
