/**
 * Which function or operator of the table a call means: PostgreSQL's algorithm (exact match, then the candidates that implicit casts reach, narrowed by
 * exact matches, preferred types and the categories that unknown arguments may have).
 */
import { SqlError } from '../error.ts'
import type { AggregateFunction, ArgumentKind, ScalarFunction, WindowFunction } from '../function/function.ts'
import { aggregatesNamed, scalarsNamed, windowsNamed } from '../function/table.ts'
import type { Type } from '../type.ts'
import { TEXT, UNKNOWN } from '../type.ts'
import { bare, canCoerce, canCoerceType, categoryOf, commonType, isPreferred, nameOf, sameKind } from './coerce.ts'
import { literal } from '../expr.ts'

type Entry = ScalarFunction | AggregateFunction | WindowFunction

/** A function of the table for a number of arguments. */
interface Candidate<F extends Entry> {
  readonly fn: F
  readonly args: readonly ArgumentKind[]
}

/** The function meant, and the types its arguments are to be brought to. A type that keeps the argument's kind keeps its modifiers. */
export interface Resolved<F extends Entry> {
  readonly fn: F
  readonly args: readonly Type[]
}

/** Types without parameters of their own, by kind; for the others the argument itself tells. */
function plain(kind: ArgumentKind, from: Type): Type {
  if (kind === from.kind) return from
  switch (kind) {
    case 'any': case 'anyelement': case 'anyarray': case 'anynonarray': case 'anycompatible': return from
    case 'array': return { kind: 'array', element: TEXT }
    case 'row': case 'map': return from
    case 'numeric': case 'varchar': case 'char': case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return { kind }
    default: return { kind }
  }
}

/** The functions of a name that take so many arguments; variadic ones once more for each length. */
function candidatesFor<F extends Entry>(entries: readonly F[], count: number): Candidate<F>[] {
  const result: Candidate<F>[] = []
  for (const fn of entries) {
    const variadic = 'variadic' in fn ? fn.variadic : undefined
    if (fn.args.length === count) result.push({ fn, args: fn.args })
    else if (variadic !== undefined && count > fn.args.length) result.push({ fn, args: [...fn.args, ...Array.from({ length: count - fn.args.length }, () => variadic)] })
  }
  return result
}

const polymorphic = (kind: ArgumentKind): boolean => kind === 'anyelement' || kind === 'anyarray' || kind === 'anynonarray' || kind === 'anycompatible'

/** The actual types of a candidate's arguments; undefined when they do not fit together (anyelement of two types). */
function actualTypes(args: readonly ArgumentKind[], types: readonly Type[]): readonly Type[] | undefined {
  let element: Type | undefined
  const compatible: Type[] = []
  for (const [i, kind] of args.entries()) {
    const type = types[i] ?? UNKNOWN
    if (kind === 'anycompatible') compatible.push(type)
    if (type.kind === 'unknown') continue
    const own = kind === 'anyelement' || kind === 'anynonarray' ? type : kind === 'anyarray' && type.kind === 'array' ? type.element : undefined
    if (own === undefined) continue
    if (element === undefined) element = own
    else if (!sameKind(element, own)) return undefined
  }
  const common = compatible.length === 0 ? undefined : commonType(compatible.map(type => ({ expr: literal(null, type), at: 0 })), undefined)
  if (compatible.length > 0 && common === undefined) return undefined
  return args.map((kind, i) => {
    const type = types[i] ?? UNKNOWN
    switch (kind) {
      case 'anyelement': case 'anynonarray': return type.kind === 'unknown' ? element ?? TEXT : type
      case 'anyarray': return type.kind === 'unknown' ? { kind: 'array', element: element ?? TEXT } : type
      case 'anycompatible': return common ?? type
      case 'any': return type
      default: return plain(kind, type)
    }
  })
}

function accepts(args: readonly ArgumentKind[], types: readonly Type[]): boolean {
  return args.every((kind, i) => {
    const type = types[i] ?? UNKNOWN
    if (type.kind !== kind) return canCoerce(type, kind, 'implicit')
    return type.kind !== 'array' || canCoerceType(type, type, 'implicit')
  }) && (!args.some(polymorphic) || actualTypes(args, types) !== undefined)
}

/** Those with the greatest score. */
function best<T>(items: readonly T[], score: (item: T) => number): T[] {
  const most = Math.max(...items.map(score))
  return items.filter(item => score(item) === most)
}

/** PostgreSQL's func_select_candidate: the one candidate that is meant, or undefined when none is better than the others. */
function select<F extends Entry>(all: readonly Candidate<F>[], types: readonly Type[]): Candidate<F> | undefined {
  const known = types.map(type => type.kind !== 'unknown')
  const exact = (candidate: Candidate<F>): number => candidate.args.filter((kind, i) => known[i] === true && kind === types[i]?.kind).length
  let candidates = best(all, exact)
  if (candidates.length === 1) return candidates[0]
  candidates = best(candidates, candidate => candidate.args.filter((kind, i) => {
    const type = types[i] ?? UNKNOWN
    return known[i] === true && (kind === type.kind || (isPreferred(kind) && categoryOf(kind) === categoryOf(type.kind)))
  }).length)
  if (candidates.length === 1) return candidates[0]
  const unknown = types.flatMap((type, i) => type.kind === 'unknown' ? [i] : [])
  if (unknown.length === 0) return undefined
  const narrowed = narrowUnknowns(candidates, unknown)
  if (narrowed.length === 1) return narrowed[0]
  candidates = narrowed.length > 0 ? narrowed : candidates
  // last: assume that unknown arguments are of the type that all known ones have
  const first = types.find(type => type.kind !== 'unknown')
  if (first !== undefined && types.every(type => type.kind === 'unknown' || sameKind(type, first))) {
    const fitting = candidates.filter(candidate => candidate.args.every(kind => canCoerce(first, kind, 'implicit')))
    if (fitting.length === 1) return fitting[0]
  }
  return undefined
}

/** Keeps the candidates that agree with the category chosen for each unknown argument (strings win a conflict); none when there is a conflict without strings. */
function narrowUnknowns<F extends Entry>(candidates: readonly Candidate<F>[], unknown: readonly number[]): Candidate<F>[] {
  const chosen = new Map<number, { readonly category: string; readonly preferred: boolean }>()
  for (const i of unknown) {
    const kinds = candidates.map(candidate => candidate.args[i] ?? 'any')
    const categories = new Set(kinds.map(categoryOf))
    const category = categories.size === 1 ? categoryOf(kinds[0] ?? 'any') : categories.has('S') ? 'S' : undefined
    if (category === undefined) return []
    chosen.set(i, { category, preferred: kinds.some(kind => categoryOf(kind) === category && isPreferred(kind)) })
  }
  return candidates.filter(candidate => [...chosen].every(([i, { category, preferred }]) => {
    const kind = candidate.args[i] ?? 'any'
    return categoryOf(kind) === category && (!preferred || isPreferred(kind))
  }))
}

/** The candidate meant; 'none' when no candidate takes the types, 'many' when several do equally well. */
function resolve<F extends Entry>(candidates: readonly Candidate<F>[], types: readonly Type[]): Resolved<F> | 'none' | 'many' {
  const found = candidates.find(candidate => candidate.args.every((kind, i) => kind === types[i]?.kind && kind !== 'unknown')) ?? (() => {
    const possible = candidates.filter(candidate => accepts(candidate.args, types))
    return possible.length === 0 ? 'none' : possible.length === 1 ? possible[0] : select(possible, types) ?? 'many'
  })()
  if (found === 'none' || found === 'many' || found === undefined) return found ?? 'none'
  const args = actualTypes(found.args, types)
  return args === undefined ? 'none' : { fn: found.fn, args }
}

const signature = (types: readonly Type[]): string => types.map(nameOf).join(', ')

/** The operator `symbol` means between the types; one type for a prefix operator. 42883 and 42725 as PostgreSQL words them. */
export function resolveOperator(symbol: string, types: readonly Type[], at: number): Resolved<ScalarFunction> {
  const found = findOperator(symbol, types)
  if (found !== 'none' && found !== 'many') return found
  const [left, right] = types
  const what = right === undefined ? `${symbol} ${nameOf(left ?? UNKNOWN)}` : `${nameOf(left ?? UNKNOWN)} ${symbol} ${nameOf(right)}`
  if (found === 'many') throw new SqlError('42725', `operator is not unique: ${what}`, { position: at, hint: `Could not choose a best candidate operator. You might need to add explicit type casts.` })
  throw new SqlError('42883', `operator does not exist: ${what}`, {
    position: at,
    hint: right === undefined ? 'No operator matches the given name and argument type. You might need to add an explicit type cast.' : 'No operator matches the given name and argument types. You might need to add explicit type casts.',
  })
}

/** The same, with 'none' and 'many' instead of the errors. */
export function findOperator(symbol: string, types: readonly Type[]): Resolved<ScalarFunction> | 'none' | 'many' {
  const candidates = candidatesFor(scalarsNamed(symbol).filter(fn => fn.variadic === undefined), types.length)
  const [left, right] = types
  if (left !== undefined && right !== undefined && (left.kind === 'unknown') !== (right.kind === 'unknown')) {
    // an unknown operand is first tried as the other's type
    const same = left.kind === 'unknown' ? right : left
    const exact = candidates.find(candidate => candidate.args.every(kind => kind === same.kind))
    if (exact !== undefined) return { fn: exact.fn, args: [bare(same), bare(same)].map((type, i) => types[i]?.kind === 'unknown' ? type : types[i] ?? type) }
  }
  return resolve(candidates, types)
}

/** The scalar function meant; undefined when the name has none. 42883 and 42725 as PostgreSQL words them. */
export function findScalar(name: string, types: readonly Type[]): Resolved<ScalarFunction> | 'none' | 'many' {
  return resolve(candidatesFor(scalarsNamed(name), types.length), types)
}

/** The aggregate meant. */
export function findAggregate(name: string, types: readonly Type[]): Resolved<AggregateFunction> | 'none' | 'many' {
  return resolve(candidatesFor(aggregatesNamed(name), types.length), types)
}

/** The window function meant. */
export function findWindow(name: string, types: readonly Type[]): Resolved<WindowFunction> | 'none' | 'many' {
  return resolve(candidatesFor(windowsNamed(name), types.length), types)
}

/** 42883 or 42725 for a call that could not be resolved. */
export function noFunction(name: string, types: readonly Type[], many: boolean, at: number): SqlError {
  const what = `function ${name}(${signature(types)})`
  return many
    ? new SqlError('42725', `${what} is not unique`, { position: at, hint: 'Could not choose a best candidate function. You might need to add explicit type casts.' })
    : new SqlError('42883', `${what} does not exist`, { position: at, hint: 'No function matches the given name and argument types. You might need to add explicit type casts.' })
}
