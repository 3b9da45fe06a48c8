/** The check that a scalar subquery gave no more than one row. */
import { SqlError } from '../error.ts'
import { BOOL } from '../type.ts'
import { value } from './body.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'

/** True for a count of 0 or 1; 21000 for more. Volatile, so that it is computed where it stands and nowhere else. */
export const singleRowFunctions: readonly ScalarFunction[] = [
  scalar('single row', ['int8'], BOOL, value(([count]) => {
    if (typeof count === 'bigint' && count > 1n) throw new SqlError('21000', 'more than one row returned by a subquery used as an expression')
    return true
  }), 'true unless a subquery gave more than one row', { volatility: 'volatile' }),
]
