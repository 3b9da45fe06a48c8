/**
 * The function table: the one place where a function is defined. Binder, compiler, constant folding, pg_proc and the documentation read it.
 * Operators are functions whose name is the operator's symbol; casts are functions named `cast`.
 */
import type { Type, TypeKind } from '../type.ts'
import type { Body } from './body.ts'

/** A parameter's type: a kind, or a polymorphic pseudo-type with PostgreSQL's meaning. */
export type ArgumentKind = TypeKind | 'any' | 'anyelement' | 'anyarray' | 'anynonarray' | 'anycompatible'

export type Volatility = 'immutable' | 'stable' | 'volatile'

export interface ScalarFunction {
  /** Unique, e.g. `+(int4,int4)`; what `Expr.fn` holds. */
  readonly id: string
  readonly name: string
  readonly args: readonly ArgumentKind[]
  /** Any number more of these may follow `args`. */
  readonly variadic?: ArgumentKind
  /** The result for arguments of exactly these types, modifiers included. */
  readonly result: (args: readonly Type[]) => Type
  /** NULL when any argument is. */
  readonly strict: boolean
  readonly volatility: Volatility
  readonly body: Body
  /** One line for the documentation. */
  readonly about: string
}

/** `implicit` happens anywhere, `assignment` when stored into a column, `explicit` only when written. */
export type CastContext = 'implicit' | 'assignment' | 'explicit'

export interface Cast {
  readonly from: TypeKind
  readonly to: TypeKind
  readonly context: CastContext
  /** Undefined: the bytes are the same, only the type changes. */
  readonly fn: ScalarFunction | undefined
}

/**
 * How the binder calls casts: `call(cast.fn.id, [value], target)`, and the call's `type` is the target with its modifiers, which the body obeys: `numeric(p,s)`
 * rounds and checks (22003), `timestamp(p)` rounds. A cast of a kind to itself (`cast(numeric,numeric)`, `cast(timestamp,timestamp)`, …) changes the
 * modifiers only. Lengths are functions of their own, also told by the call's type: `fit(varchar)` `fit(char)` cut (explicit casts), `store(varchar)` `store(char)`
 * raise 22001 unless only blanks are cut (assignment). `text` to and from every type goes by text input and output; an unknown literal 'x' of type t is bound
 * as the folded `cast(text,t)`. Where `fn` is undefined the binder changes the type of a column, literal or parameter in place and wraps anything else in the
 * special function `relabel` (one argument, the same bytes under the call's type).
 */

/** How an aggregate is accumulated; each is implemented once in exec/aggregate. */
export type Accumulator =
  | 'count' | 'sum' | 'avg' | 'min' | 'max' | 'any_value' | 'bool_and' | 'bool_or'
  /** All rows of the group are kept; what they give is in list-aggregate.ts, by name. */
  | 'list'

export interface AggregateFunction {
  readonly id: string
  readonly name: string
  readonly args: readonly ArgumentKind[]
  readonly result: (args: readonly Type[]) => Type
  readonly accumulator: Accumulator
  /** Called with WITHIN GROUP (ORDER BY …): the last of `args` is what is sorted. */
  readonly orderedSet?: boolean
  readonly about: string
}

/** A window function that is no aggregate; what it means is in exec/window-function.ts. */
export interface WindowFunction {
  readonly id: string
  readonly name: string
  readonly args: readonly ArgumentKind[]
  readonly result: (args: readonly Type[]) => Type
  readonly about: string
}

/**
 * Ids of the functions that the binder builds by itself and that are not strict; each is in the table like any other, with a body of kind 'special':
 * `and` `or` (two or more arguments) `not` · `is null` `is not null` `is true` `is not true` `is false` `is not false` · `is distinct from`
 * `is not distinct from` (two arguments of one type) · `coalesce` (arguments of one type, evaluated in turn) · `in` (first argument, then literals of the
 * same type: = ANY with SQL's NULL logic). `nullif(a, b)` is bound to CASE, `greatest`/`least` are functions.
 */
export type SpecialId = 'and' | 'or' | 'not' | 'is null' | 'is not null' | 'is true' | 'is not true' | 'is false' | 'is not false' | 'is distinct from' | 'is not distinct from' | 'coalesce' | 'in' | 'relabel'
