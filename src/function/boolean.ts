/** Logic that knows NULL. The compiler computes these by itself; here are their signatures. */
import type { Type } from '../type.ts'
import { BOOL, UNKNOWN } from '../type.ts'
import { SPECIAL } from './body.ts'
import type { ArgumentKind, ScalarFunction, SpecialId } from './function.ts'

const special = (id: SpecialId, args: readonly ArgumentKind[], variadic: ArgumentKind | undefined, result: (args: readonly Type[]) => Type, about: string): ScalarFunction =>
  ({ id, name: id, args, result, strict: id === 'not', volatility: 'immutable', body: SPECIAL, about, ...(variadic === undefined ? {} : { variadic }) })

const bool = (): Type => BOOL

export const booleanFunctions: readonly ScalarFunction[] = [
  special('and', [], 'bool', bool, 'true when all are'),
  special('or', [], 'bool', bool, 'true when one is'),
  special('not', ['bool'], undefined, bool, 'the other truth value'),
  special('is null', ['any'], undefined, bool, 'whether it is NULL'),
  special('is not null', ['any'], undefined, bool, 'whether it is not NULL'),
  special('is true', ['bool'], undefined, bool, 'whether it is true'),
  special('is not true', ['bool'], undefined, bool, 'whether it is false or NULL'),
  special('is false', ['bool'], undefined, bool, 'whether it is false'),
  special('is not false', ['bool'], undefined, bool, 'whether it is true or NULL'),
  special('is distinct from', ['anyelement', 'anyelement'], undefined, bool, 'not equal, with NULL as a value like any other'),
  special('is not distinct from', ['anyelement', 'anyelement'], undefined, bool, 'equal, with NULL as a value like any other'),
  special('coalesce', ['anycompatible'], 'anycompatible', args => args[0] ?? UNKNOWN, 'the first that is not NULL'),
  special('in', ['anycompatible'], 'anycompatible', bool, 'whether it equals one of the others'),
  special('relabel', ['any'], undefined, args => args[0] ?? UNKNOWN, 'the same bytes under another type'),
]
