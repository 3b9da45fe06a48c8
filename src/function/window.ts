/** The window functions that are not aggregates. Every aggregate is a window function too. */
import type { Type } from '../type.ts'
import { FLOAT8, INT4, INT8, UNKNOWN } from '../type.ts'
import type { ArgumentKind, WindowFunction } from './function.ts'

function windowFunction(name: string, args: readonly ArgumentKind[], result: Type | ((args: readonly Type[]) => Type), about: string): WindowFunction {
  return { id: `${name}(${args.join(',')})`, name, args, result: typeof result === 'function' ? result : () => result, about }
}

const first = ([a]: readonly Type[]): Type => a ?? UNKNOWN

export const windowFunctions: readonly WindowFunction[] = [
  windowFunction('row_number', [], INT8, 'number of the row within its partition, from 1'),
  windowFunction('rank', [], INT8, 'number of the first row of its peers'),
  windowFunction('dense_rank', [], INT8, 'number of its group of peers'),
  windowFunction('percent_rank', [], FLOAT8, 'rank from 0 to 1'),
  windowFunction('cume_dist', [], FLOAT8, 'share of rows up to its peers'),
  windowFunction('ntile', ['int4'], INT4, 'number of one of so many parts of equal size'),
  ...(['lag', 'lead'] as const).flatMap(name => {
    const about = name === 'lag' ? 'value some rows before' : 'value some rows behind'
    return [windowFunction(name, ['anyelement'], first, about), windowFunction(name, ['anyelement', 'int4'], first, about), windowFunction(name, ['anycompatible', 'int4', 'anycompatible'], first, about)]
  }),
  windowFunction('first_value', ['anyelement'], first, 'value of the first row of the frame'),
  windowFunction('last_value', ['anyelement'], first, 'value of the last row of the frame'),
  windowFunction('nth_value', ['anyelement', 'int4'], first, 'value of the n-th row of the frame'),
]
