/**
 * Shorthand for entries of the function table.
 */
import type { Type, TypeKind } from '../type.ts'
import type { Body } from './body.ts'
import type { ArgumentKind, Cast, CastContext, ScalarFunction, Volatility } from './function.ts'

export interface SignatureOptions {
  /** Default true: NULL when any argument is. */
  readonly strict?: boolean
  /** Default immutable. */
  readonly volatility?: Volatility
  readonly variadic?: ArgumentKind
}

/** The id of a function: `+(int4,int4)`, `concat(any...)`. */
export function idOf(name: string, args: readonly ArgumentKind[], variadic?: ArgumentKind): string {
  return `${name}(${[...args, ...(variadic === undefined ? [] : [`${variadic}...`])].join(',')})`
}

/** One scalar function. `result` is a type, or how it follows from the arguments' types. */
export function scalar(name: string, args: readonly ArgumentKind[], result: Type | ((args: readonly Type[]) => Type), body: Body, about: string, options: SignatureOptions = {}): ScalarFunction {
  return {
    id: idOf(name, args, options.variadic), name, args, result: typeof result === 'function' ? result : () => result, body, about,
    strict: options.strict ?? true, volatility: options.volatility ?? 'immutable', ...(options.variadic === undefined ? {} : { variadic: options.variadic }),
  }
}

/**
 * One cast. Without a body the bytes stay as they are. The function's id is `cast(from,to)`; its `result` is only the bare target: whoever binds
 * a cast puts the target type with its modifiers into the call's `type`, and the body finds it in `site.result`.
 */
export function cast(from: TypeKind, to: TypeKind, context: CastContext, target: Type, body: Body | undefined, volatility: Volatility = 'immutable'): Cast {
  return { from, to, context, fn: body === undefined ? undefined : { ...scalar('cast', [from], target, body, `${from} as ${to}`, { volatility }), id: `cast(${from},${to})` } }
}
