/** Aggregates over a whole list of rows: strings and arrays put together, percentiles, and statistics computed exactly and rounded once. */
import { arrayOf, asDecimal, asInterval, asNumber, asText } from '../datum.ts'
import { divide, fromInteger, multiply, subtract, add } from '../decimal.ts'
import { SqlError, invariant } from '../error.ts'
import type { Type } from '../type.ts'
import { layoutOf } from '../type.ts'
import type { Decimal, Value } from '../value.ts'
import { compareValues } from './comparison.ts'
import { addIntervals, multiplyInterval, negateInterval } from './time-arithmetic.ts'

type Row = readonly Value[]

/** What the aggregate of this name gives for rows of its arguments, in their order. */
export function listResult(name: string, rows: readonly Row[], types: readonly Type[], result: Type): Value {
  switch (name) {
    case 'string_agg': {
      const parts = rows.filter(row => (row[0] ?? null) !== null)
      return parts.length === 0 ? null : parts.map((row, i) => (i === 0 || (row[1] ?? null) === null ? '' : asText(row[1] ?? null)) + asText(row[0] ?? null)).join('')
    }
    case 'array_agg': return rows.length === 0 ? null : arrayOf(rows.map(row => row[0] ?? null))
    case 'mode': return mode(rows.map(row => row[0] ?? null), types[0] ?? { kind: 'text' })
    case 'percentile_cont': case 'percentile_disc': {
      const fraction = rows[0]?.[0] ?? null
      if (fraction === null) return null
      const values = rows.map(row => row[1] ?? null).filter(value => value !== null), p = asNumber(fraction)
      if (!(p >= 0 && p <= 1)) throw new SqlError('22003', `percentile value ${p} is not between 0 and 1`)
      if (values.length === 0) return null
      return name === 'percentile_disc' ? values[Math.max(0, Math.ceil(p * values.length) - 1)] ?? null : continuous(values, p)
    }
    case 'bit_and': case 'bit_or': case 'bit_xor': return bits(name, rows, result)
    default: return /^(?:corr|covar|regr)/.test(name) ? pairStatistic(name, rows) : statistic(name, rows, types[0] ?? result)
  }
}

/** The most frequent value, the first of several. */
function mode(values: readonly Value[], type: Type): Value {
  let best: Value = null, most = 0
  for (let i = 0; i < values.length;) {
    const value = values[i] ?? null
    let end = i + 1
    while (end < values.length && compareValues(values[end] ?? null, value, type) === 0) end++
    if (value !== null && end - i > most) { best = value; most = end - i }
    i = end
  }
  return best
}

function continuous(values: readonly Value[], p: number): Value {
  const place = p * (values.length - 1), low = values[Math.floor(place)] ?? null, high = values[Math.ceil(place)] ?? null, share = place - Math.floor(place)
  if (typeof low === 'number') return low === asNumber(high) ? low : low + share * (asNumber(high) - low)
  const from = asInterval(low)
  return addIntervals(from, multiplyInterval(addIntervals(asInterval(high), negateInterval(from)), share))
}

function bits(name: string, rows: readonly Row[], type: Type): Value {
  let all: bigint | undefined
  for (const [value = null] of rows) {
    if (value === null) continue
    const x = typeof value === 'bigint' ? value : BigInt(asNumber(value))
    all = all === undefined ? x : name === 'bit_and' ? all & x : name === 'bit_or' ? all | x : all ^ x
  }
  return all === undefined ? null : layoutOf(type) === 'i64' ? all : Number(all)
}

function statistic(name: string, rows: readonly Row[], type: Type): Value {
  const values = rows.flatMap(([value = null]) => value === null ? [] : [value]), n = BigInt(values.length), sample = !name.endsWith('_pop'), root = name.startsWith('stddev')
  if (values.length === 0 || (sample && values.length === 1)) return null
  if (type.kind === 'float8' || type.kind === 'float4') {
    const numbers = values.map(asNumber)
    if (!numbers.every(Number.isFinite)) return NaN
    const x = exactSums(numbers, numbers), spread = n * x.products - x.first * x.second
    const variance = quotient(spread, n * (sample ? n - 1n : n), 2 * x.exponent)
    return root ? Math.sqrt(variance) : variance
  }
  const decimals = values.map((value): Decimal => typeof value === 'number' || typeof value === 'bigint' ? fromInteger(value) : asDecimal(value))
  if (decimals.some(each => each.special !== undefined)) return { unscaled: 0n, scale: 0, special: 'NaN' }
  let sum = fromInteger(0), squares = fromInteger(0)
  for (const each of decimals) { sum = add(sum, each); squares = add(squares, multiply(each, each)) }
  const spread = subtract(multiply(fromInteger(n), squares), multiply(sum, sum))
  if (spread.unscaled <= 0n) return fromInteger(0)
  const variance = divide(spread, fromInteger(n * (sample ? n - 1n : n)))
  return root ? squareRoot(variance) : variance
}

/** Rounded at the scale of the value. */
function squareRoot({ unscaled, scale }: Decimal): Decimal {
  // one more bit than the result has, to round by
  const target = unscaled * 10n ** BigInt(scale) * 4n
  let x = 1n << BigInt(Math.ceil(target.toString(2).length / 2))
  for (;;) {
    const next = (x + target / x) >> 1n
    if (next >= x) break
    x = next
  }
  return { unscaled: (x + 1n) >> 1n, scale }
}

/** corr, covar_* and regr_* of (y, x). */
function pairStatistic(name: string, rows: readonly Row[]): Value {
  const pairs = rows.flatMap(([y = null, x = null]) => y === null || x === null ? [] : [[asNumber(y), asNumber(x)] as const]), n = BigInt(pairs.length)
  if (name === 'regr_count') return n
  if (n === 0n || (name === 'covar_samp' && n === 1n)) return null
  const ys = pairs.map(([y]) => y), xs = pairs.map(([, x]) => x)
  if (![...ys, ...xs].every(Number.isFinite)) return NaN
  const xy = exactSums(ys, xs), xx = exactSums(xs, xs), yy = exactSums(ys, ys)
  const spread = (s: ExactSums): bigint => n * s.products - s.first * s.second
  const sxy = spread(xy), sxx = spread(xx), syy = spread(yy)
  const ratio = (a: bigint, ae: number, b: bigint, be: number): number => quotient(a, b, ae - be)
  switch (name) {
    case 'covar_pop': return quotient(sxy, n * n, 2 * xy.exponent)
    case 'covar_samp': return quotient(sxy, n * (n - 1n), 2 * xy.exponent)
    case 'corr': return sxx === 0n || syy === 0n ? null : Math.max(-1, Math.min(1, (sxy < 0n ? -1 : 1) * Math.sqrt(ratio(sxy * sxy, 4 * xy.exponent, sxx * syy, 2 * (xx.exponent + yy.exponent)))))
    case 'regr_avgx': return quotient(xx.first, n, xx.exponent)
    case 'regr_avgy': return quotient(yy.first, n, yy.exponent)
    case 'regr_sxx': return quotient(sxx, n, 2 * xx.exponent)
    case 'regr_syy': return quotient(syy, n, 2 * yy.exponent)
    case 'regr_sxy': return quotient(sxy, n, 2 * xy.exponent)
    case 'regr_slope': return sxx === 0n ? null : ratio(sxy, 2 * xy.exponent, sxx, 2 * xx.exponent)
    case 'regr_r2': return sxx === 0n ? null : syy === 0n ? 1 : ratio(sxy * sxy, 4 * xy.exponent, sxx * syy, 2 * (xx.exponent + yy.exponent))
    case 'regr_intercept': {
      if (sxx === 0n) return null
      // (Σy·Sxx − Σx·Sxy) ⁄ (n·Sxx), all in units of their exponents
      const least = Math.min(yy.exponent + 2 * xx.exponent, xx.exponent + 2 * xy.exponent)
      const a = (yy.first * sxx) << BigInt(yy.exponent + 2 * xx.exponent - least), b = (xx.first * sxy) << BigInt(xx.exponent + 2 * xy.exponent - least)
      return ratio(a - b, least, n * sxx, 2 * xx.exponent)
    }
    default: invariant(false, `the aggregate ${name}`)
  }
}

interface ExactSums {
  /** Sums in units of 2^exponent; of products in its square. */
  readonly first: bigint
  readonly second: bigint
  readonly products: bigint
  readonly exponent: number
}

const view = new DataView(new ArrayBuffer(8))

function parts(value: number): { readonly digits: bigint; readonly exponent: number } {
  view.setFloat64(0, value)
  const word = view.getBigUint64(0), biased = Number((word >> 52n) & 0x7ffn), digits = word & 0xfffffffffffffn
  const size = biased === 0 ? digits : digits | 0x10000000000000n
  return { digits: value < 0 ? -size : size, exponent: Math.max(biased, 1) - 1075 }
}

function exactSums(a: readonly number[], b: readonly number[]): ExactSums {
  const as = a.map(parts), bs = b.map(parts), exponent = Math.min(...[as, bs].map(list => list.reduce((least, each) => each.digits === 0n ? least : Math.min(least, each.exponent), 0)))
  let first = 0n, second = 0n, products = 0n
  as.forEach((x, i) => {
    const y = bs[i] ?? x, p = x.digits === 0n ? 0n : x.digits << BigInt(x.exponent - exponent), q = y.digits === 0n ? 0n : y.digits << BigInt(y.exponent - exponent)
    first += p
    second += q
    products += p * q
  })
  return { first, second, products, exponent }
}

/** a ⁄ b · 2^exponent, rounded once. */
function quotient(a: bigint, b: bigint, exponent: number): number {
  if (a === 0n) return 0
  const negative = (a < 0n) !== (b < 0n), x = a < 0n ? -a : a, y = b < 0n ? -b : b
  const shift = Math.max(0, 66 - (x.toString(2).length - y.toString(2).length)), scaled = x << BigInt(shift)
  let q = scaled / y
  if (scaled % y !== 0n) q |= 1n
  const extra = Math.max(0, q.toString(2).length - 64), top = (q >> BigInt(extra)) | (extra > 0 && q % (1n << BigInt(extra)) !== 0n ? 1n : 0n)
  let result = Number(top)
  for (let e = exponent - shift + extra; e !== 0;) { const step = Math.max(-500, Math.min(500, e)); result *= 2 ** step; e -= step }
  return negative ? -result : result
}
