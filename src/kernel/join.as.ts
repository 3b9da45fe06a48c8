// Chains of rows with one key: heads[key id] is a row + 1, next[row] the following one + 1, 0 ends a chain.

/** Puts rows firstRow + i in front of the chains of their keys; a key id of −1 belongs to no chain. */
export function chain_rows(keys: usize, n: i32, firstRow: u32, heads: usize, next: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const k = load<u32>(keys + (i << 2)), row = firstRow + <u32>i
    if (k == <u32>-1) { store<u32>(next + (<usize>row << 2), 0); continue }
    const h = heads + (<usize>k << 2)
    store<u32>(next + (<usize>row << 2), load<u32>(h)); store<u32>(h, row + 1)
  }
}
/**
 * Pairs (row i, row of the chain of keys[i]) in order of i. At `cursor`: [row to go on with u32, its place in the chain + 1 u32 or 0 for its beginning].
 * Stops after `room` pairs or when all rows are through (cursor row = n). Returns how many pairs.
 */
export function chain_pairs(keys: usize, n: i32, heads: usize, next: usize, cursor: usize, room: i32, outRow: usize, outMatch: usize): i32 {
  let c: usize = 0, i: usize = load<u32>(cursor), e = load<u32>(cursor, 4)
  for (; i < <usize>n; i++, e = 0) {
    if (e == 0) {
      const k = load<u32>(keys + (i << 2))
      if (k == <u32>-1) continue
      e = load<u32>(heads + (<usize>k << 2))
    }
    while (e != 0) {
      if (c == <usize>room) { store<u32>(cursor, <u32>i); store<u32>(cursor, e, 4); return <i32>c }
      store<u32>(outRow + (c << 2), <u32>i); store<u32>(outMatch + (c << 2), e - 1); c++
      e = load<u32>(next + (<usize>(e - 1) << 2))
    }
  }
  store<u32>(cursor, <u32>n); store<u32>(cursor, 0, 4)
  return <i32>c
}
// ---- chains that shrink, too: rows are ids, linked both ways --------------------------------------------------------
// link of a row: [next + 1 u32, previous + 1 u32, key id u32 (−1: in no chain), 0]
/** Links rows that are not linked yet: their link's last word is 0; it becomes 1. fresh[i] (unless `fresh` is 0) tells whether row i was linked now. */
export function link_rows(rows: usize, keys: usize, n: i32, heads: usize, links: usize, fresh: usize): void {
  if (fresh) memory.fill(fresh, 0, n)
  for (let i: usize = 0; i < <usize>n; i++) {
    const row = load<u32>(rows + (i << 2)), k = load<u32>(keys + (i << 2)), l = links + (<usize>row << 4)
    if (load<u32>(l, 12)) continue
    if (fresh) store<u8>(fresh + i, 1)
    store<u32>(l, 1, 12); store<u32>(l, k, 8); store<u32>(l, 0, 4); store<u32>(l, 0)
    if (k == <u32>-1) continue
    const h = heads + (<usize>k << 2), first = load<u32>(h)
    store<u32>(l, first)
    if (first) store<u32>(links + (<usize>(first - 1) << 4), row + 1, 4)
    store<u32>(h, row + 1)
  }
}
export function unlink_rows(rows: usize, n: i32, heads: usize, links: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const l = links + (<usize>load<u32>(rows + (i << 2)) << 4), k = load<u32>(l, 8), after = load<u32>(l), before = load<u32>(l, 4)
    if (k != <u32>-1) {
      if (before) store<u32>(links + (<usize>(before - 1) << 4), after); else store<u32>(heads + (<usize>k << 2), after)
      if (after) store<u32>(links + (<usize>(after - 1) << 4), before, 4)
    }
    store<u32>(l, 0); store<u32>(l, 0, 4); store<u32>(l, 0, 8); store<u32>(l, 0, 12)
  }
}
/** chain_pairs over links. */
export function link_pairs(keys: usize, n: i32, heads: usize, links: usize, cursor: usize, room: i32, outRow: usize, outMatch: usize): i32 {
  let c: usize = 0, i: usize = load<u32>(cursor), e = load<u32>(cursor, 4)
  for (; i < <usize>n; i++, e = 0) {
    if (e == 0) {
      const k = load<u32>(keys + (i << 2))
      if (k == <u32>-1) continue
      e = load<u32>(heads + (<usize>k << 2))
    }
    while (e != 0) {
      if (c == <usize>room) { store<u32>(cursor, <u32>i); store<u32>(cursor, e, 4); return <i32>c }
      store<u32>(outRow + (c << 2), <u32>i); store<u32>(outMatch + (c << 2), e - 1); c++
      e = load<u32>(links + (<usize>(e - 1) << 4))
    }
  }
  store<u32>(cursor, <u32>n); store<u32>(cursor, 0, 4)
  return <i32>c
}
/** The key ids of linked rows. */
export function link_keys(rows: usize, n: i32, links: usize, out: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) store<u32>(out + (i << 2), load<u32>(links + (<usize>load<u32>(rows + (i << 2)) << 4), 8))
}
/** totals[rows[i]] += amounts[i] (i32 into i64); amounts 0: one each. */
export function add_amounts(rows: usize, amounts: usize, n: i32, totals: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) { const t = totals + (<usize>load<u32>(rows + (i << 2)) << 3); store<i64>(t, load<i64>(t) + (amounts ? <i64>load<i32>(amounts + (i << 2)) : 1)) }
}
/** out[i] = totals[rows[i]] as i32; returns 1 when one does not fit. */
export function get_amounts(rows: usize, n: i32, totals: usize, out: usize): i32 {
  let bad = false
  for (let i: usize = 0; i < <usize>n; i++) { const x = load<i64>(totals + (<usize>load<u32>(rows + (i << 2)) << 3)); bad = bad || x != <i64><i32>x; store<i32>(out + (i << 2), <i32>x) }
  return bad ? 1 : 0
}
/** rows of which totals is (want 1) or is not (want 0) zero. */
export function rows_of_zero(rows: usize, n: i32, totals: usize, want: i32, out: usize): i32 {
  let c: usize = 0
  for (let i: usize = 0; i < <usize>n; i++) { const r = load<u32>(rows + (i << 2)); store<u32>(out + (c << 2), r); c += <i32>(load<i64>(totals + (<usize>r << 3)) == 0) == want ? 1 : 0 }
  return <i32>c
}
/** Positions i for which flags[rows[i]] is `want`. */
export function places_where(rows: usize, n: i32, flags: usize, want: u32, out: usize): i32 {
  let c: usize = 0
  for (let i: usize = 0; i < <usize>n; i++) { store<u32>(out + (c << 2), <u32>i); c += load<u8>(flags + load<u32>(rows + (i << 2))) == want ? 1 : 0 }
  return <i32>c
}
/** Rows whose flag (does it have a match, as far as was emitted) no longer says totals > 0: they go to `out` and their flag is set right. */
export function rows_turned(rows: usize, n: i32, totals: usize, flags: usize, out: usize): i32 {
  let c: usize = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const r = load<u32>(rows + (i << 2)), now: u8 = load<i64>(totals + (<usize>r << 3)) > 0 ? 1 : 0
    store<u32>(out + (c << 2), r)
    if (load<u8>(flags + r) != now) { store<u8>(flags + r, now); c++ }
  }
  return <i32>c
}
