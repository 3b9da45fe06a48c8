/** ORDER BY with LIMIT, OFFSET and WITH TIES as plan nodes. */
import { SqlError, unsupported } from '../error.ts'
import { call, column, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { Order, Plan, WindowCall, WindowFrame } from '../plan.ts'
import { BOOL, INT8 } from '../type.ts'
import { both, columnsFor, filter, pick, top, window } from './node.ts'

/** LIMIT and OFFSET, already constant. */
export interface Bounds {
  readonly limit: Expr | undefined
  readonly offset: Expr | undefined
  /** Rows that tie with the last one come too. Where WITH TIES is written. */
  readonly ties: number | undefined
}

const WHOLE: WindowFrame = { unit: 'range', start: { kind: 'unboundedPreceding' }, end: { kind: 'currentRow' }, exclude: 'none' }
const numbering = (fn: 'row_number()' | 'rank()'): WindowCall => ({ fn, args: [], frame: WHOLE, type: INT8 })

/** The rows in order, cut to the bounds. */
export function bounded(plan: Plan, order: readonly Order[], { limit, offset, ties }: Bounds): Plan {
  if (ties !== undefined) return withTies(plan, order, limit, offset, ties)
  return order.length > 0 || limit !== undefined || offset !== undefined ? top(plan, order, limit, offset) : plan
}

/** Rows behind the offset whose rank is within the limit. */
function withTies(plan: Plan, order: readonly Order[], limit: Expr | undefined, offset: Expr | undefined, at: number): Plan {
  if (order.length === 0) throw new SqlError('42601', 'WITH TIES cannot be specified without ORDER BY clause', { position: at })
  if (limit === undefined) throw new SqlError('2201W', 'row count cannot be null in FETCH FIRST ... WITH TIES clause')
  if (limit.kind !== 'literal' || typeof limit.value !== 'bigint' || (offset !== undefined && (offset.kind !== 'literal' || typeof offset.value !== 'bigint'))) throw unsupported('a parameter as the bound of WITH TIES', { position: at })
  if (limit.value === 0n) return top(plan, order, limit, undefined)
  const skipped = offset?.kind === 'literal' && typeof offset.value === 'bigint' ? offset.value : 0n, width = plan.schema.length
  const numbered = window(plan, [], order, skipped === 0n ? [numbering('rank()')] : [numbering('rank()'), numbering('row_number()')])
  const last = skipped + limit.value, most = 9_223_372_036_854_775_807n
  const within = call('<=(int8,int8)', [column(width, INT8), literal(last > most ? most : last, INT8)], BOOL)
  const behind = skipped === 0n ? undefined : call('>(int8,int8)', [column(width + 1, INT8), literal(skipped, INT8)], BOOL)
  return top(pick(filter(numbered, both(within, behind)), [...plan.schema.keys()]), order, undefined, undefined)
}

/** The first row of each group of rows that agree in `keys`, in the order given. */
export function firstOfEach(plan: Plan, keys: readonly Expr[], order: readonly Order[]): Plan {
  const width = plan.schema.length, numbered = window(plan, keys, order, [numbering('row_number()')])
  return pick(filter(numbered, call('=(int8,int8)', [column(width, INT8), literal(1n, INT8)], BOOL)), [...plan.schema.keys()])
}

/** Equal rows told apart by a number behind their columns: 1, 2, … */
export const numberedCopies = (plan: Plan): Plan => window(plan, columnsFor(plan.schema), [], [numbering('row_number()')])
