/** Comparisons of flat columns, four rows at a time. */
import type { Expr } from '../expr.ts'
import type { Relation } from '../function/wide.ts'
import type { Type } from '../type.ts'
import { layoutOf } from '../type.ts'
import type { Code } from '../wasm.ts'
import { i32, v128 } from '../wasm.ts'
import type { Encoding } from './encoding.ts'

/** column ⋈ other, in lanes of the layout. */
export interface VectorTest {
  readonly relation: Relation
  readonly layout: 'i32' | 'i64'
  readonly column: number
  /** Another column, or a value that is multiplied by a factor to have the column's scale. */
  readonly other: { readonly kind: 'column'; readonly column: number } | { readonly kind: 'uniform'; readonly index: number; readonly factor: bigint }
}

const MIRROR: Readonly<Record<string, Relation>> = { '=': '=', '<>': '<>', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }

/** The comparison as a vector test, when it is one. */
export function vectorTest(expr: Expr, encodings: ReadonlyMap<number, Encoding>, uniforms: readonly { readonly isNull: boolean }[]): VectorTest | undefined {
  if (expr.kind !== 'call' || expr.args.length !== 2) return undefined
  const name = expr.fn.slice(0, expr.fn.indexOf('('))
  const mirrored = MIRROR[name], [a, b] = expr.args
  if (mirrored === undefined || a === undefined || b === undefined) return undefined
  if (a.kind === 'param' && b.kind === 'column') return testOf(mirrored, b, a, encodings, uniforms)
  // the mirror image's mirror image is the relation itself
  return testOf(MIRROR[mirrored] ?? mirrored, a, b, encodings, uniforms)
}

function testOf(relation: Relation, a: Expr, b: Expr, encodings: ReadonlyMap<number, Encoding>, uniforms: readonly { readonly isNull: boolean }[]): VectorTest | undefined {
  const layout = layoutOf(a.type)
  if (a.kind !== 'column' || (layout !== 'i32' && layout !== 'i64') || layoutOf(b.type) !== layout || (a.type.kind === 'numeric') !== (b.type.kind === 'numeric')) return undefined
  const flat = (index: number): boolean => { const encoding = encodings.get(index); return encoding?.kind === 'flat' }
  if (!flat(a.index)) return undefined
  const places = scale(a.type) - scale(b.type)
  if (b.kind === 'column') return flat(b.index) && places === 0 ? { relation, layout, column: a.index, other: { kind: 'column', column: b.index } } : undefined
  if (b.kind !== 'param' || uniforms[b.index]?.isNull !== false || places < 0 || (b.type.kind === 'numeric' && (b.type.precision ?? 0) + places > 18)) return undefined
  return { relation, layout, column: a.index, other: { kind: 'uniform', index: b.index, factor: 10n ** BigInt(places) } }
}

const scale = (type: Type): number => type.kind === 'numeric' ? type.scale ?? 0 : 0
/** The lower halves of the lanes of two vectors of 64-bit lanes. */
const NARROW = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]
const OPERATION: Readonly<Record<Relation, 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'>> = { '=': 'eq', '<>': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' }

/** Bytes of 0 and 1, as the four lowest bits: the product moves each byte's bit to its place in the top byte, and no two meet. */
const gatherBits = (bytes: Code): Code => i32.shru(i32.mul(bytes, i32.const(0x01020408)), i32.const(24))

/**
 * Four bits: which of the four rows pass all tests. `address` is where the first row's value of a column lies, `valid` its validity byte (undefined: no
 * row is NULL); `splat` a vector of a test's value.
 */
export function vectorMask(tests: readonly VectorTest[], address: (column: number, layout: 'i32' | 'i64') => Code, valid: (column: number) => Code | undefined, splat: (test: VectorTest) => Code): Code {
  const masks = tests.map(test => {
    const operation = OPERATION[test.relation], { other } = test
    const part = (offset: number): readonly [Code, Code] => [
      v128.load(address(test.column, test.layout), offset), other.kind === 'column' ? v128.load(address(other.column, test.layout), offset) : splat(test)]
    if (test.layout === 'i32') return v128.i32x4[operation](...part(0))
    return v128.shuffle(v128.i64x2[operation](...part(0)), v128.i64x2[operation](...part(16)), NARROW)
  })
  let mask = v128.i32x4.bitmask(masks.reduce((a, b) => v128.and(a, b)))
  for (const column of new Set(tests.flatMap(test => test.other.kind === 'column' ? [test.column, test.other.column] : [test.column]))) {
    const bytes = valid(column)
    if (bytes !== undefined) mask = i32.and(mask, gatherBits(i32.load(bytes)))
  }
  return mask
}
