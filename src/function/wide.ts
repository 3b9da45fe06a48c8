/**
 * Code for 128-bit integers as two i64 halves. WebAssembly has no wide multiplication yet: it is four 32-bit ones, here and nowhere else.
 */
import type { Code, Emitter } from '../wasm.ts'
import { I32, I64, f64, get, i32, i64, select, seq, set, when } from '../wasm.ts'

/** A signed 128-bit integer in two locals or constants. */
export interface Wide {
  readonly low: Code
  readonly high: Code
}

const MASK = i64.const(0xffffffffn)

/** An i64 as a wide integer. */
export const widen = (e: Emitter, value: Code): Wide => {
  const low = e.let(I64, value)
  return { low, high: e.let(I64, i64.shr(low, i64.const(63))) }
}

export const wideConst = (value: bigint): Wide => ({ low: i64.const(BigInt.asIntN(64, value)), high: i64.const(value >> 64n) })

export function wideAdd(e: Emitter, a: Wide, b: Wide): Wide {
  const low = e.let(I64, i64.add(a.low, b.low))
  return { low, high: e.let(I64, i64.add(i64.add(a.high, b.high), i64.extendU(i64.ltu(low, a.low)))) }
}

export function wideSubtract(e: Emitter, a: Wide, b: Wide): Wide {
  const low = e.let(I64, i64.sub(a.low, b.low))
  return { low, high: e.let(I64, i64.sub(i64.sub(a.high, b.high), i64.extendU(i64.ltu(a.low, b.low)))) }
}

export const wideNegate = (e: Emitter, a: Wide): Wide => wideSubtract(e, wideConst(0n), a)

/** 1 when the sum overflowed 128 bits. */
export const sumOverflows = (a: Wide, b: Wide, sum: Wide): Code => i32.wrap(i64.shru(i64.and(i64.xor(a.high, sum.high), i64.xor(b.high, sum.high)), i64.const(63)))
/** 1 when the difference overflowed 128 bits. */
export const differenceOverflows = (a: Wide, b: Wide, difference: Wide): Code => i32.wrap(i64.shru(i64.and(i64.xor(a.high, b.high), i64.xor(a.high, difference.high)), i64.const(63)))

/** The unsigned 128-bit product of two unsigned i64. */
function multiplyUnsigned(e: Emitter, a: Code, b: Code): Wide {
  const al = e.let(I64, i64.and(a, MASK)), ah = e.let(I64, i64.shru(a, i64.const(32)))
  const bl = e.let(I64, i64.and(b, MASK)), bh = e.let(I64, i64.shru(b, i64.const(32)))
  const ll = e.let(I64, i64.mul(al, bl)), lh = e.let(I64, i64.mul(al, bh)), hl = e.let(I64, i64.mul(ah, bl))
  const middle = e.let(I64, i64.add(i64.add(i64.shru(ll, i64.const(32)), i64.and(lh, MASK)), i64.and(hl, MASK)))
  const low = e.let(I64, i64.mul(a, b))
  const high = e.let(I64, i64.add(i64.add(i64.mul(ah, bh), i64.shru(middle, i64.const(32))), i64.add(i64.shru(lh, i64.const(32)), i64.shru(hl, i64.const(32)))))
  return { low, high }
}

/**
 * The same by a plain 64-bit multiplication where a float tells that the product fits, which it nearly always does: `fits` says whether the operands
 * are 64-bit at all, `otherwise` computes when they or the product are not.
 */
export function multiplyEasily(e: Emitter, a: Code, b: Code, fits: Code | undefined, otherwise: () => Wide): Wide {
  const low = e.local(I64), high = e.local(I64)
  const small = f64.lt(f64.abs(f64.mul(f64.convertI64(a), f64.convertI64(b))), f64.const(9.2e18))
  const exact = e.capture(() => { const product = otherwise(); e.run(seq(set(low, product.low), set(high, product.high))) })
  e.costs += exact.costs + 1
  e.run(when(fits === undefined ? small : i32.and(fits, small), seq(set(low, i64.mul(a, b)), set(high, i64.shr(get(low), i64.const(63)))), exact.code))
  return { low: get(low), high: get(high) }
}

/** 1 when the value is that of its lower half. */
export const isNarrow = (a: Wide): Code => i64.eq(a.high, i64.shr(a.low, i64.const(63)))

/** The exact product of two signed i64. */
export function multiplyNarrow(e: Emitter, x: Code, y: Code): Wide {
  const a = e.let(I64, x), b = e.let(I64, y), product = multiplyUnsigned(e, a, b)
  const correction = i64.add(i64.and(i64.shr(a, i64.const(63)), b), i64.and(i64.shr(b, i64.const(63)), a))
  return { low: product.low, high: e.let(I64, i64.sub(product.high, correction)) }
}

/** The product modulo 2^128; `productOverflows` tells whether that is the product. */
export function wideMultiply(e: Emitter, a: Wide, b: Wide): Wide {
  const product = multiplyUnsigned(e, a.low, b.low)
  return { low: product.low, high: e.let(I64, i64.add(product.high, i64.add(i64.mul(a.high, b.low), i64.mul(a.low, b.high)))) }
}

/** The absolute value as a float8, give or take one unit in the last place: the halves' sum would cancel for small negative numbers. */
function magnitude(a: Wide): Code {
  const sign = i64.shr(a.high, i64.const(63))
  const complement = f64.add(f64.mul(f64.convertI64(i64.xor(a.high, sign)), f64.const(2 ** 64)), f64.convertI64U(i64.xor(a.low, sign)))
  return f64.add(complement, f64.convertI64(i64.sub(i64.const(0), sign)))
}

/** The absolute value of the product as a float8. */
export const roughProduct = (a: Wide, b: Wide): Code => f64.mul(magnitude(a), magnitude(b))

export type Relation = '=' | '<>' | '<' | '<=' | '>' | '>='

/** 1 or 0: how two wide integers compare. */
export function wideCompare(relation: Relation, a: Wide, b: Wide): Code {
  const same = i64.eq(a.high, b.high)
  switch (relation) {
    case '=': return i64.eqz(i64.or(i64.xor(a.low, b.low), i64.xor(a.high, b.high)))
    case '<>': return i32.eqz(i64.eqz(i64.or(i64.xor(a.low, b.low), i64.xor(a.high, b.high))))
    case '<': return select(i64.ltu(a.low, b.low), i64.lt(a.high, b.high), same)
    case '<=': return select(i64.leu(a.low, b.low), i64.lt(a.high, b.high), same)
    case '>': return select(i64.gtu(a.low, b.low), i64.gt(a.high, b.high), same)
    case '>=': return select(i64.geu(a.low, b.low), i64.gt(a.high, b.high), same)
  }
}

/** a × 10^places, for a value known to stay in 128 bits. */
export function wideScaleUp(e: Emitter, a: Wide, places: number): Wide {
  return places === 0 ? a : wideMultiply(e, a, wideConst(10n ** BigInt(places)))
}

/** 1 when the absolute value is `limit` or more. */
export function wideExceeds(e: Emitter, a: Wide, limit: bigint): Code {
  return e.let(I32, i32.or(wideCompare('>=', a, wideConst(limit)), wideCompare('<=', a, wideConst(-limit))))
}
