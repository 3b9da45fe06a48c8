/**
 * Which type may stand for which, and the expression that converts it: PostgreSQL's rules of implicit, assignment and explicit casts, of
 * literals and parameters of unknown type, and of the common type of several expressions.
 */
import { SqlError, invariant, unsupported } from '../error.ts'
import { call, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { ArgumentKind, Cast, CastContext } from '../function/function.ts'
import { castBetween } from '../function/table.ts'
import { BOOL, TEXT, UNKNOWN, sameType, typeName } from '../type.ts'
import type { Type, TypeKind } from '../type.ts'
import type { Decimal, Value } from '../value.ts'

/** A bound expression and where its text begins: 1-based, in characters. */
export interface Term {
  readonly expr: Expr
  readonly at: number
}

/** What coercion needs of the statement being bound. */
export interface Coercion {
  /** The value of an expression without columns and parameters, by the compiled expression itself. */
  fold(expr: Expr): Value
  /** Types of $1, $2, … as far as they are known; inferred ones are put in. */
  readonly parameters: (Type | undefined)[]
}

export type Category = 'B' | 'N' | 'S' | 'D' | 'T' | 'U' | 'A' | 'C' | 'P' | 'X' | 'Z'

/** PostgreSQL's typcategory. */
export function categoryOf(kind: ArgumentKind): Category {
  switch (kind) {
    case 'bool': return 'B'
    case 'int2': case 'int4': case 'int8': case 'float4': case 'float8': case 'numeric': case 'oid': case 'regclass': case 'regtype': case 'regproc': case 'regnamespace': return 'N'
    case 'text': case 'varchar': case 'char': case 'name': return 'S'
    case 'date': case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return 'D'
    case 'interval': return 'T'
    case 'bytea': case 'uuid': case 'json': case 'jsonb': case 'map': return 'U'
    case 'array': return 'A'
    case 'row': return 'C'
    case '"char"': return 'Z'
    case 'unknown': return 'X'
    case 'record': case 'void': case 'any': case 'anyelement': case 'anyarray': case 'anynonarray': case 'anycompatible': return 'P'
  }
}

/** PostgreSQL's typispreferred. */
export function isPreferred(kind: ArgumentKind): boolean {
  return kind === 'bool' || kind === 'float8' || kind === 'oid' || kind === 'text' || kind === 'timestamptz' || kind === 'interval'
}

/** The type without its modifiers. */
export function bare(type: Type): Type {
  switch (type.kind) {
    case 'numeric': case 'varchar': case 'char': case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return { kind: type.kind }
    default: return type
  }
}

/** The type as PostgreSQL's messages call it: without modifiers. */
export function nameOf(type: Type): string {
  return type.kind === 'char' ? 'character' : type.kind === 'array' ? `${nameOf(type.element)}[]` : typeName(bare(type))
}

const stringLike = (kind: TypeKind): boolean => kind === 'text' || kind === 'varchar' || kind === 'char' || kind === 'name'
const RANK = { implicit: 0, assignment: 1, explicit: 2 } as const

/** One step of a conversion: a cast of the function table. */
interface Pathway {
  readonly steps: readonly Cast[]
  readonly context: CastContext
}

/** The casts that lead from a kind to another: the table's own, or text input and output where it has none (to strings on assignment, from strings explicitly). */
function pathway(from: TypeKind, to: TypeKind): Pathway | undefined {
  const direct = castBetween(from, to)
  if (direct !== undefined) return { steps: [direct], context: direct.context }
  if (stringLike(to) && from !== 'text') {
    const out = castBetween(from, 'text'), relabel = castBetween('text', to)
    if (out !== undefined && relabel !== undefined) return { steps: [out, relabel], context: 'assignment' }
  }
  if (stringLike(from) && from !== 'text') {
    const relabel = castBetween(from, 'text'), input = castBetween('text', to)
    if (input !== undefined && relabel !== undefined) return { steps: [relabel, input], context: 'explicit' }
  }
  return undefined
}

/** True when a value of the type may become one of the kind where the context allows. Unknown may become anything. */
export function canCoerce(from: Type, to: ArgumentKind, context: CastContext): boolean {
  if (from.kind === to || from.kind === 'unknown') return true
  switch (to) {
    case 'any': case 'anyelement': case 'anycompatible': return true
    case 'anyarray': return from.kind === 'array'
    case 'anynonarray': return from.kind !== 'array'
    case 'record': return from.kind === 'row'
    case 'unknown': return false
    default: {
      const path = pathway(from.kind, to)
      return path !== undefined && RANK[path.context] <= RANK[context]
    }
  }
}

/** `canCoerce` to a full type: elements of arrays count. */
export function canCoerceType(from: Type, to: Type, context: CastContext): boolean {
  if (from.kind === 'array' && to.kind === 'array') return sameType(from.element, to.element) || (context !== 'implicit' && castBetween('array', 'array') !== undefined)
  if ((from.kind === 'row' || from.kind === 'map') && from.kind === to.kind) return sameType(from, to)
  return canCoerce(from, to.kind, context)
}

/** The smallest numeric type that holds the value with its scale, so that literals compute in integers. */
function decimalType(value: Decimal): Type {
  if (value.special !== undefined) return { kind: 'numeric' }
  const digits = (value.unscaled < 0n ? -value.unscaled : value.unscaled).toString().length
  const precision = Math.max(digits, value.scale, 1)
  return precision > 38 ? { kind: 'numeric' } : { kind: 'numeric', precision, scale: value.scale }
}

const isDecimal = (value: Value): value is Decimal => typeof value === 'object' && value !== null && 'unscaled' in value

/** A literal of a known type; a numeric one without precision gets the precision that it needs. */
export function typedLiteral(value: Value, type: Type): Expr {
  return literal(value, type.kind === 'numeric' && type.precision === undefined && isDecimal(value) ? decimalType(value) : type)
}

/** What a cast to the bare kind gives: integers become numerics with a precision that suffices. */
function castTarget(from: Type, to: Type): Type {
  if (to.kind !== 'numeric' || to.precision !== undefined) return to
  switch (from.kind) {
    case 'int2': return { kind: 'numeric', precision: 5, scale: 0 }
    case 'int4': return { kind: 'numeric', precision: 10, scale: 0 }
    case 'int8': return { kind: 'numeric', precision: 19, scale: 0 }
    default: return to
  }
}

/** The same bytes under another type. */
function relabel(expr: Expr, type: Type): Expr {
  return expr.kind === 'call' || expr.kind === 'case' ? call('relabel', [expr], type) : { ...expr, type }
}

/** Folds what has no columns and no parameters; errors say where. */
function foldLiteral(coercion: Coercion, expr: Expr, at: number): Expr {
  try {
    return typedLiteral(coercion.fold(expr), expr.type)
  } catch (error) {
    throw error instanceof SqlError && at > 0 ? error.with({ position: at }) : error
  }
}

/** Brings an expression of the right kind to the modifiers of `to`. */
function coerceModifiers(coercion: Coercion, expr: Expr, to: Type, context: CastContext, at: number): Expr {
  const from = expr.type
  if (sameType(from, to)) return expr
  const fitted = expr.kind === 'literal' ? fitting(expr.value, to) : undefined
  if (fitted !== undefined) return fitted
  let result: Expr
  switch (to.kind) {
    case 'varchar': case 'char': {
      const have = from.kind === to.kind ? from.length : undefined
      if (to.length === undefined || (have !== undefined && have <= to.length)) return relabel(expr, to)
      result = call(`${context === 'assignment' ? 'store' : 'fit'}(${to.kind})`, [expr], to)
      break
    }
    case 'numeric': {
      const self = castBetween('numeric', 'numeric')
      invariant(self?.fn !== undefined, 'no cast of numeric to itself')
      result = call(self.fn.id, [expr], to)
      break
    }
    case 'time': case 'timetz': case 'timestamp': case 'timestamptz': {
      const have = from.kind === to.kind ? from.precision ?? 6 : 6
      if ((to.precision ?? 6) >= have) return relabel(expr, to)
      const self = castBetween(to.kind, to.kind)
      if (self?.fn === undefined) throw unsupported(`a cast to ${typeName(to)}`, { position: at })
      result = call(self.fn.id, [expr], to)
      break
    }
    case 'array': case 'row': case 'map': {
      if (to.kind === 'array' && from.kind === 'array' && sameType(bare(from.element), bare(to.element))) return relabel(expr, to)
      const self = castBetween(to.kind, to.kind)
      if (self?.fn === undefined) throw cannotCast(from, to, at)
      result = call(self.fn.id, [expr], to)
      break
    }
    default: return relabel(expr, to)
  }
  // what does not fit is an error of the run, without a place in the text
  return expr.kind === 'literal' ? foldQuietly(coercion, result) : result
}

/** A literal as a value of exactly the type, where it is one without loss; undefined otherwise. */
export function fittingLiteral(expr: Expr, to: Type): Expr | undefined {
  return expr.kind !== 'literal' ? undefined : sameType(expr.type, to) ? expr : expr.type.kind === to.kind ? fitting(expr.value, to) : undefined
}

/** A literal that already is what the modifiers ask for, under the new type; decimals are brought to the scale. */
function fitting(value: Value, to: Type): Expr | undefined {
  if (value === null) return literal(null, to)
  if (to.kind === 'varchar' && to.length !== undefined && typeof value === 'string' && value.length <= to.length) return literal(value, to)
  if (to.kind === 'numeric' && to.precision !== undefined && isDecimal(value) && value.special === undefined) {
    const scale = to.scale ?? 0
    if (value.scale > scale) return undefined
    const unscaled = value.unscaled * 10n ** BigInt(scale - value.scale)
    return (unscaled < 0n ? -unscaled : unscaled) < 10n ** BigInt(to.precision) ? literal({ unscaled, scale }, to) : undefined
  }
  return undefined
}

const cannotCast = (from: Type, to: Type, at: number): SqlError => new SqlError('42846', `cannot cast type ${nameOf(from)} to ${nameOf(to)}`, { position: at })

/**
 * The expression as a value of type `to`, modifiers included, where the context allows the cast (42846 otherwise). A literal of unknown type is read
 * by the type's input; a parameter of unknown type is of that type from then on.
 */
export function coerce(coercion: Coercion, term: Term, to: Type, context: CastContext): Expr {
  const { expr, at } = term, from = expr.type
  if (sameType(from, to)) return expr
  if (from.kind === 'unknown') {
    if (expr.kind === 'param') return coerceModifiers(coercion, typedParameter(coercion, expr.index, bare(to), at), to, context, at)
    if (expr.kind === 'literal') {
      if (expr.value === null) return literal(null, to)
      {
        const read = readLiteral(coercion, expr, to, at)
        return to.kind === 'numeric' && to.precision === undefined ? read : coerceModifiers(coercion, read, to, context, at)
      }
    }
    // an expression of unknown type is text in disguise: a column of a derived table that was not resolved
    return coerce(coercion, { expr: relabel(expr, TEXT), at }, to, 'explicit')
  }
  if (from.kind === to.kind) return expr.kind === 'literal' && to.kind === 'numeric' && to.precision === undefined ? expr : coerceModifiers(coercion, expr, to, context, at)
  const quick = expr.kind === 'literal' ? widened(expr.value, from, to) : undefined
  if (quick !== undefined) return coerceModifiers(coercion, quick, quick.type.kind === 'numeric' && to.kind === 'numeric' && to.precision === undefined ? quick.type : to, context, at)
  const path = pathway(from.kind, to.kind)
  if (path === undefined || RANK[path.context] > RANK[context]) throw cannotCast(from, to, at)
  let result = expr
  for (const [i, step] of path.steps.entries()) {
    const target = i === path.steps.length - 1 ? bare(to) : TEXT
    if (step.fn === undefined) result = relabel(result, target)
    else {
      const goal = step.to === 'numeric' && to.kind === 'numeric' && to.precision !== undefined ? to : castTarget(result.type, target)
      const cast = call(step.fn.id, [result], goal)
      result = result.kind === 'literal' && step.fn.volatility === 'immutable' ? foldQuietly(coercion, cast) : cast
    }
  }
  return coerceModifiers(coercion, result, result.type.kind === 'numeric' && to.kind === 'numeric' && to.precision === undefined ? result.type : to, context, at)
}

/** Integer literals as the wider types that hold them exactly, without a detour through the evaluator: INSERT has thousands of them. */
function widened(value: Value, from: Type, to: Type): Expr | undefined {
  if (from.kind !== 'int4' || typeof value !== 'number') return undefined
  switch (to.kind) {
    case 'int8': return literal(BigInt(value), to)
    case 'float8': return literal(value, to)
    case 'numeric': return typedLiteral({ unscaled: BigInt(value), scale: 0 }, { kind: 'numeric' })
    default: return undefined
  }
}

/** Folds a conversion of a known literal; what fails is left to fail at run time. */
function foldQuietly(coercion: Coercion, expr: Expr): Expr {
  try {
    return typedLiteral(coercion.fold(expr), expr.type)
  } catch (error) {
    if (error instanceof SqlError) return expr
    throw error
  }
}

/** What a literal of unknown type says as a value of type `to`, without modifiers. */
function readLiteral(coercion: Coercion, expr: Expr, to: Type, at: number): Expr {
  invariant(expr.kind === 'literal', 'a literal')
  const type = bare(to)
  if (type.kind === 'text' || type.kind === 'varchar' || type.kind === 'name') return literal(expr.value, type)
  const input = castBetween('text', type.kind)
  if (input === undefined) throw cannotCast(UNKNOWN, to, at)
  if (input.fn === undefined) return literal(expr.value, type)
  return foldLiteral(coercion, call(input.fn.id, [literal(expr.value, TEXT)], type), at)
}

/** Parameter $index, of the given type when it had none. 42P08 when it had another. */
export function typedParameter(coercion: Coercion, index: number, type: Type, at: number): Expr {
  const known = coercion.parameters[index - 1]
  if (known === undefined || known.kind === 'unknown') coercion.parameters[index - 1] = type
  else if (known.kind !== type.kind) {
    throw new SqlError('42P08', `inconsistent types deduced for parameter $${index}`, { position: at, detail: `${nameOf(known)} versus ${nameOf(type)}` })
  }
  return { kind: 'param', index, type }
}

/** A value of unknown type where nothing says what it should be is text. */
export function settle(coercion: Coercion, term: Term): Expr {
  return term.expr.type.kind === 'unknown' ? coerce(coercion, term, TEXT, 'implicit') : term.expr
}

/** As a condition: 42804 "argument of WHERE must be type boolean, not type integer". */
export function coerceToBool(coercion: Coercion, term: Term, construct: string): Expr {
  if (!canCoerce(term.expr.type, 'bool', 'assignment')) {
    throw new SqlError('42804', `argument of ${construct} must be type boolean, not type ${nameOf(term.expr.type)}`, { position: term.at })
  }
  return coerce(coercion, term, BOOL, 'assignment')
}

/**
 * The type that several expressions have in common, as UNION, CASE, VALUES and COALESCE need it (42804 "CASE types a and b cannot be matched");
 * undefined instead of the error when there is no `context`. Modifiers stay when all agree.
 */
export function commonType(terms: readonly Term[], context: string | undefined): Type | undefined {
  let type: Type = UNKNOWN
  for (const { expr, at } of terms) {
    const next = expr.type
    if (next.kind === 'unknown' || sameType(bare(next), bare(type))) continue
    if (type.kind === 'unknown') type = next
    else if (categoryOf(next.kind) !== categoryOf(type.kind)) {
      if (context === undefined) return undefined
      throw new SqlError('42804', `${context} types ${nameOf(type)} and ${nameOf(next)} cannot be matched`, { position: at })
    } else if (!isPreferred(type.kind) && canCoerceType(type, next, 'implicit') && !canCoerceType(next, type, 'implicit')) type = next
  }
  if (type.kind === 'unknown') return TEXT
  return commonModifiers(terms.map(term => term.expr), bare(type))
}

/** The kind with the modifiers that all share; numerics of one scale share the greatest precision. A literal of unknown type has none, NULL any. */
function commonModifiers(exprs: readonly Expr[], type: Type): Type {
  let result: Type | undefined
  for (const expr of exprs) {
    const next = expr.type
    if (next.kind === 'unknown') {
      if (expr.kind === 'literal' && expr.value === null) continue
      return type
    }
    const have = type.kind === 'numeric' && next.kind !== 'numeric' ? castTarget(next, type) : next
    if (have.kind !== type.kind) return type
    if (result === undefined || sameType(result, have)) result = have
    else if (result.kind === 'numeric' && have.kind === 'numeric' && result.scale === have.scale && result.precision !== undefined && have.precision !== undefined) {
      result = result.precision >= have.precision ? result : have
    } else return type
  }
  return result ?? type
}

/** Brings each term to the common type. 42846 "CASE could not convert type a to b". */
export function coerceToCommon(coercion: Coercion, terms: readonly Term[], type: Type, context: string): Expr[] {
  return terms.map(term => {
    if (!canCoerceType(term.expr.type, type, 'implicit')) {
      throw new SqlError('42846', `${context} could not convert type ${nameOf(term.expr.type)} to ${nameOf(type)}`, { position: term.at })
    }
    return exactly(coercion, { expr: coerce(coercion, term, type, 'implicit'), at: term.at }, type)
  })
}

/** Exactly the type, its modifiers too, where values of several expressions meet in one column: `coerce` may give a numeric a narrower one. */
export function exactly(coercion: Coercion, term: Term, type: Type): Expr {
  const { expr } = term
  if (sameType(expr.type, type)) return expr
  if (expr.kind === 'literal' && expr.type.kind === type.kind && type.kind === 'numeric' && type.precision === undefined) return literal(expr.value, type)
  return coerceModifiers(coercion, expr, type, 'implicit', term.at)
}

/** True when the types are the same but for modifiers. */
export const sameKind = (a: Type, b: Type): boolean => sameType(bare(a), bare(b))
