/** Functions and operators over arrays and maps. */
import { arrayOf, asArray, asBigInt, asList, asNumber } from '../datum.ts'
import { SqlError, unsupported } from '../error.ts'
import { BOOL, INT4, TEXT } from '../type.ts'
import type { Type } from '../type.ts'
import type { ArrayValue, Value } from '../value.ts'
import { value } from './body.ts'
import type { Run } from './body.ts'
import { compareValues } from './comparison.ts'
import { typeAt } from './environment.ts'
import type { ScalarFunction } from './function.ts'
import { likeMatcher, regexOf } from './pattern.ts'
import { scalar } from './signature.ts'

const num = (v: Value | undefined): number => asNumber(v ?? null)
const list = (v: Value | undefined): ArrayValue => asArray(v ?? null)
const elementOf = (type: Type | undefined): Type => type?.kind === 'array' ? type.element : TEXT
const sameArray = (args: readonly Type[]): Type => args.find(type => type.kind === 'array') ?? { kind: 'array', element: args[0] ?? TEXT }
const arrayOfFirst = (args: readonly Type[]): Type => args[0]?.kind === 'array' ? args[0] : { kind: 'array', element: args[0] ?? TEXT }

/** How many rows a set-returning function over outer columns may give. */
export const MOST_ORDINALS = 1000
function ordinals(count: number): number {
  if (count > MOST_ORDINALS) throw unsupported(`a set of ${count} rows made of columns of an outer query`)
  return count
}

const notNull = (v: Value): v is Exclude<Value, null> => v !== null
/** Equal as IS NOT DISTINCT FROM has it. */
const same = (a: Value, b: Value, type: Type): boolean => a === null || b === null ? a === b : compareValues(a, b, type) === 0

/** `left op ANY (array)`: true if any comparison is, else NULL if any is, else false; ALL is the mirror. */
const quantified = (test: (left: Value, item: Value, type: Type) => boolean, any: boolean): Run => ([left, array], _, site) => {
  if (array === null || array === undefined) return null
  const { values } = list(array)
  if (values.length === 0) return !any
  if (left === null || left === undefined) return null
  let unknown = false
  for (const item of values) {
    if (item === null) unknown = true
    else if (test(left, item, typeAt(site, 0)) === any) return any
  }
  return unknown ? null : !any
}

const RELATIONS: readonly (readonly [string, (order: number) => boolean])[] = [
  ['=', order => order === 0], ['<>', order => order !== 0], ['<', order => order < 0], ['<=', order => order <= 0], ['>', order => order > 0], ['>=', order => order >= 0],
]
const PATTERNS: readonly (readonly [string, (text: string, pattern: string) => boolean])[] = [
  ['~~', (text, pattern) => likeMatcher(pattern)(text)], ['!~~', (text, pattern) => !likeMatcher(pattern)(text)],
  ['~~*', (text, pattern) => likeMatcher(pattern, true)(text)], ['!~~*', (text, pattern) => !likeMatcher(pattern, true)(text)],
  ['~', (text, pattern) => regexOf(pattern).test(text)], ['!~', (text, pattern) => !regexOf(pattern).test(text)],
  ['~*', (text, pattern) => regexOf(pattern, 'i').test(text)], ['!~*', (text, pattern) => !regexOf(pattern, 'i').test(text)],
]

const quantifiers: readonly ScalarFunction[] = [true, false].flatMap(any => {
  const word = any ? 'any' : 'all'
  return [
    ...RELATIONS.map(([symbol, holds]) => scalar(`${symbol} ${word}`, ['anyelement', 'anyarray'], BOOL, value(quantified((left, item, type) => holds(left === null || item === null ? 0 : compareValues(left, item, type)), any)),
      `${symbol} ${word.toUpperCase()} (array)`, { strict: false })),
    ...PATTERNS.map(([symbol, holds]) => scalar(`${symbol} ${word}`, ['text', 'array'], BOOL, value(quantified((left, item) => holds(String(left), String(item)), any)), `${symbol} ${word.toUpperCase()} (array)`, { strict: false })),
  ]
})

/** ARRAY[…]: of values, or of arrays, which must have one shape. */
const construct: Run = (args, _, site) => {
  if (typeAt(site, 0).kind !== 'array') return arrayOf(args)
  const inner = args.map(arg => arg === null ? arrayOf([]) : list(arg))
  const shape = inner[0]?.dims ?? []
  if (inner.some(({ dims }) => dims.length !== shape.length || dims.some((length, i) => length !== shape[i]))) {
    throw new SqlError('2202E', 'multidimensional arrays must have array expressions with matching dimensions')
  }
  if (shape.length === 0) return arrayOf([])
  if (shape.length >= 6) throw new SqlError('54000', 'number of array dimensions (7) exceeds the maximum allowed (6)')
  return { dims: [args.length, ...shape], lower: [1, ...(inner[0]?.lower ?? [])], values: inner.flatMap(({ values }) => values) }
}

function concat(a: ArrayValue, b: ArrayValue): ArrayValue {
  if (a.dims.length === 0) return b
  if (b.dims.length === 0) return a
  const mismatch = (detail: string): SqlError => new SqlError('2202E', 'cannot concatenate incompatible arrays', { detail })
  if (Math.abs(a.dims.length - b.dims.length) > 1) throw mismatch(`Arrays of ${a.dims.length} and ${b.dims.length} dimensions are not compatible for concatenation.`)
  const [first = 0, ...rest] = a.dims
  const [second = 0, ...others] = b.dims
  const equal = (x: readonly number[], y: readonly number[]): boolean => x.length === y.length && x.every((n, i) => n === y[i])
  if (a.dims.length === b.dims.length) {
    if (!equal(rest, others)) throw mismatch('Arrays with differing element dimensions are not compatible for concatenation.')
    return { dims: [first + second, ...rest], lower: a.lower, values: [...a.values, ...b.values] }
  }
  const [outer, inner] = a.dims.length > b.dims.length ? [a, b] : [b, a]
  if (!equal(outer.dims.slice(1), inner.dims)) throw mismatch('Arrays with differing dimensions are not compatible for concatenation.')
  return { dims: [(outer.dims[0] ?? 0) + 1, ...inner.dims], lower: outer.lower, values: [...a.values, ...b.values] }
}

const flat = (array: ArrayValue, what: string): ArrayValue => {
  if (array.dims.length > 1) throw new SqlError('0A000', what)
  return array
}

function append(array: Value, item: Value): Value {
  if (array === null) return arrayOf([item])
  const have = list(array)
  if (have.dims.length > 1) throw new SqlError('22000', 'argument must be empty or one-dimensional array')
  return { dims: [have.values.length + 1], lower: have.lower.length === 0 ? [1] : have.lower, values: [...have.values, item] }
}

function prepend(item: Value, array: Value): Value {
  if (array === null) return arrayOf([item])
  const have = list(array)
  if (have.dims.length > 1) throw new SqlError('22000', 'argument must be empty or one-dimensional array')
  return { dims: [have.values.length + 1], lower: have.lower.length === 0 ? [1] : have.lower, values: [item, ...have.values] }
}

const dimension = (array: ArrayValue, n: number): readonly [number, number] | undefined => {
  const length = array.dims[n - 1]
  return length === undefined ? undefined : [array.lower[n - 1] ?? 1, length]
}

/** Where a value is, as subscripts count. */
function positionOf(array: Value, item: Value, start: number, type: Type): Value {
  if (array === null) return null
  const have = flat(list(array), 'searching for elements in multidimensional arrays is not supported')
  const lower = have.lower[0] ?? 1
  const found = have.values.findIndex((candidate, i) => i + lower >= start && same(candidate, item, type))
  return found < 0 ? null : found + lower
}

/** Elements of `b` that are not NULL are all in `a`. */
const containsAll = (a: ArrayValue, b: ArrayValue, type: Type): boolean => b.values.every(wanted => wanted !== null && a.values.some(item => item !== null && compareValues(item, wanted, type) === 0))

const size = (args: readonly Value[]): Value => args.filter(notNull).length

export const arrayFunctions: readonly ScalarFunction[] = [
  ...quantifiers,
  scalar('array', [], arrayOfFirst, value(construct), 'an array of the arguments', { strict: false, variadic: 'anycompatible' }),
  scalar('subscript', ['anyarray', 'int4'], args => elementOf(args[0]), value(([array, index]) => {
    const have = list(array)
    if (have.dims.length !== 1) return null
    return have.values[num(index) - (have.lower[0] ?? 1)] ?? null
  }), 'the element at a subscript'),
  scalar('||', ['anyarray', 'anyarray'], sameArray, value(([a = null, b = null]) => a === null ? b : b === null ? a : concat(list(a), list(b))), 'joins two arrays', { strict: false }),
  scalar('||', ['anyarray', 'anyelement'], sameArray, value(([a = null, b = null]) => append(a, b)), 'with an element behind', { strict: false }),
  scalar('||', ['anyelement', 'anyarray'], sameArray, value(([a = null, b = null]) => prepend(a, b)), 'with an element in front', { strict: false }),
  scalar('array_cat', ['anyarray', 'anyarray'], sameArray, value(([a = null, b = null]) => a === null ? b : b === null ? a : concat(list(a), list(b))), 'joins two arrays', { strict: false }),
  scalar('array_append', ['anyarray', 'anyelement'], sameArray, value(([array = null, item = null]) => append(array, item)), 'with an element behind', { strict: false }),
  scalar('array_prepend', ['anyelement', 'anyarray'], sameArray, value(([item = null, array = null]) => prepend(item, array)), 'with an element in front', { strict: false }),
  scalar('array_length', ['anyarray', 'int4'], INT4, value(([array, n]) => dimension(list(array), num(n))?.[1] ?? null), 'the length of a dimension'),
  scalar('array_lower', ['anyarray', 'int4'], INT4, value(([array, n]) => dimension(list(array), num(n))?.[0] ?? null), 'the first subscript of a dimension'),
  scalar('array_upper', ['anyarray', 'int4'], INT4, value(([array, n]) => {
    const found = dimension(list(array), num(n))
    return found === undefined ? null : found[0] + found[1] - 1
  }), 'the last subscript of a dimension'),
  scalar('array_ndims', ['anyarray'], INT4, value(([array]) => list(array).dims.length || null), 'the number of dimensions'),
  scalar('array_dims', ['anyarray'], TEXT, value(([array]) => {
    const have = list(array)
    return have.dims.length === 0 ? null : have.dims.map((length, i) => `[${have.lower[i] ?? 1}:${(have.lower[i] ?? 1) + length - 1}]`).join('')
  }), 'the bounds as text'),
  scalar('array_sort', ['anyarray', 'bool', 'bool'], sameArray, value(([array, descending, nullsFirst], _, site) => {
    const { values } = list(array), type = elementOf(site.args[0]), nulls = values.filter(each => each === null), sign = descending === true ? -1 : 1
    const sorted = values.filter(notNull).sort((a, b) => sign * compareValues(a, b, type))
    return arrayOf(nullsFirst === true ? [...nulls, ...sorted] : [...sorted, ...nulls])
  }), 'the elements in order'),
  // what a set-returning function over columns of an outer query gives is picked out of a list of ordinals that has an end
  scalar('unnest count', ['anyarray'], INT4, value(([array]) => ordinals(list(array).values.length)), 'how many elements unnest gives'),
  scalar('unnest element', ['anyarray', 'int4'], args => elementOf(args[0]), value(([array, n]) => list(array).values[num(n) - 1] ?? null), 'the element that unnest gives at a place'),
  scalar('series count', ['int8', 'int8'], INT4, value(([start = null, stop = null]) => ordinals(Math.max(0, Number(asBigInt(stop) - asBigInt(start)) + 1))), 'how many numbers generate_series gives'),
  scalar('cardinality', ['anyarray'], INT4, value(([array]) => list(array).values.length), 'the number of elements'),
  scalar('cardinality', ['map'], INT4, value(([map]) => asList(map ?? null).length), 'the number of entries'),
  scalar('array_position', ['anyarray', 'anyelement'], INT4, value(([array = null, item = null], _, site) => positionOf(array, item, -2147483648, elementOf(site.args[0]))), 'where an element first is', { strict: false }),
  scalar('array_position', ['anyarray', 'anyelement', 'int4'], INT4, value(([array = null, item = null, start], _, site) => positionOf(array, item, num(start), elementOf(site.args[0]))), 'where an element first is, from a subscript on', { strict: false }),
  scalar('array_positions', ['anyarray', 'anyelement'], { kind: 'array', element: INT4 }, value(([array = null, item = null], _, site) => {
    if (array === null) return null
    const have = flat(list(array), 'searching for elements in multidimensional arrays is not supported')
    return arrayOf(have.values.flatMap((candidate, i) => same(candidate, item, elementOf(site.args[0])) ? [i + (have.lower[0] ?? 1)] : []))
  }), 'where an element is', { strict: false }),
  scalar('array_remove', ['anyarray', 'anyelement'], sameArray, value(([array = null, item = null], _, site) => {
    if (array === null) return null
    const have = flat(list(array), 'removing elements from multidimensional arrays is not supported')
    const values = have.values.filter(candidate => !same(candidate, item, elementOf(site.args[0])))
    return values.length === 0 ? arrayOf([]) : { dims: [values.length], lower: have.lower, values }
  }), 'without an element', { strict: false }),
  scalar('array_replace', ['anyarray', 'anyelement', 'anyelement'], sameArray, value(([array = null, from = null, to = null], _, site) => {
    if (array === null) return null
    const have = list(array)
    return { ...have, values: have.values.map(candidate => same(candidate, from, elementOf(site.args[0])) ? to : candidate) }
  }), 'with an element replaced', { strict: false }),
  scalar('array_fill', ['anyelement', 'array'], arrayOfFirst, value(([item = null, dims = null]) => {
    if (dims === null) throw new SqlError('22004', 'dimension array or low bound array cannot be null')
    const lengths = list(dims).values.map(asNumber)
    const total = lengths.reduce((product, n) => product * n, 1)
    if (total > 1e7) throw new SqlError('54000', 'array size exceeds the maximum allowed (134217727)')
    return lengths.length === 0 || total === 0 ? arrayOf([]) : { dims: lengths, lower: lengths.map(() => 1), values: Array.from({ length: total }, () => item) }
  }), 'an array of one value', { strict: false }),
  scalar('trim_array', ['anyarray', 'int4'], sameArray, value(([array, n]) => {
    const have = flat(list(array), 'trimming multidimensional arrays is not supported')
    if (num(n) < 0 || num(n) > have.values.length) throw new SqlError('2202E', `number of elements to trim must be between 0 and ${have.values.length}`)
    return arrayOf(have.values.slice(0, have.values.length - num(n)))
  }), 'without the last elements'),
  scalar('@>', ['anyarray', 'anyarray'], BOOL, value(([a, b], _, site) => containsAll(list(a), list(b), elementOf(site.args[0]))), 'contains'),
  scalar('<@', ['anyarray', 'anyarray'], BOOL, value(([a, b], _, site) => containsAll(list(b), list(a), elementOf(site.args[0]))), 'is contained in'),
  scalar('&&', ['anyarray', 'anyarray'], BOOL, value(([a, b], _, site) => list(b).values.some(wanted => wanted !== null && list(a).values.some(item => item !== null && compareValues(item, wanted, elementOf(site.args[0])) === 0))), 'have an element in common'),
  scalar('num_nulls', [], INT4, value(args => args.length - asNumber(size(args))), 'how many arguments are NULL', { strict: false, variadic: 'any' }),
  scalar('num_nonnulls', [], INT4, value(size), 'how many arguments are not NULL', { strict: false, variadic: 'any' }),
]
