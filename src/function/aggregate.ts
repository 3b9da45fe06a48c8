/** The aggregates' signatures, with PostgreSQL's result types. */
import type { Type, TypeKind } from '../type.ts'
import { BOOL, FLOAT4, FLOAT8, INT8, INTERVAL, NUMERIC, TEXT, UNKNOWN, layoutOf } from '../type.ts'
import type { Accumulator, AggregateFunction, ArgumentKind } from './function.ts'

function aggregate(name: string, args: readonly ArgumentKind[], result: Type | ((args: readonly Type[]) => Type), accumulator: Accumulator, about: string): AggregateFunction {
  return { id: `${name}(${args.length === 0 ? '*' : args.join(',')})`, name, args, result: typeof result === 'function' ? result : () => result, accumulator, about }
}

/** Ten more digits than the summands have: room for ten thousand million rows. Past 38 digits the sum's type has 38, and more is 22003. */
const sumOfNumeric = ([a]: readonly Type[]): Type =>
  a?.kind === 'numeric' && layoutOf(a) !== 'var' ? { kind: 'numeric', precision: Math.min(38, (a.precision ?? 38) + 10), scale: a.scale ?? 0 } : NUMERIC

const first = ([a]: readonly Type[]): Type => a ?? UNKNOWN
/** min and max of varchar are text, as in PostgreSQL. */
const ORDERED: readonly TypeKind[] = ['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'char', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'oid']

export const aggregates: readonly AggregateFunction[] = [
  aggregate('count', [], INT8, 'count', 'number of rows'),
  aggregate('count', ['any'], INT8, 'count', 'number of rows whose value is not NULL'),
  aggregate('sum', ['int2'], INT8, 'sum', 'sum'),
  aggregate('sum', ['int4'], INT8, 'sum', 'sum'),
  aggregate('sum', ['int8'], { kind: 'numeric', precision: 38, scale: 0 }, 'sum', 'sum'),
  aggregate('sum', ['float4'], FLOAT4, 'sum', 'sum'),
  aggregate('sum', ['float8'], FLOAT8, 'sum', 'sum'),
  aggregate('sum', ['numeric'], sumOfNumeric, 'sum', 'sum'),
  aggregate('sum', ['interval'], INTERVAL, 'sum', 'sum'),
  ...(['int2', 'int4', 'int8', 'numeric'] as const).map(kind => aggregate('avg', [kind], NUMERIC, 'avg', 'mean')),
  aggregate('avg', ['float4'], FLOAT8, 'avg', 'mean'),
  aggregate('avg', ['float8'], FLOAT8, 'avg', 'mean'),
  aggregate('avg', ['interval'], INTERVAL, 'avg', 'mean'),
  ...(['min', 'max'] as const).flatMap(name => [
    ...ORDERED.map(kind => aggregate(name, [kind], first, name, name === 'min' ? 'the least value' : 'the greatest value')),
    aggregate(name, ['anyarray'], first, name, name === 'min' ? 'the least value' : 'the greatest value'),
  ]),
  aggregate('bool_and', ['bool'], BOOL, 'bool_and', 'whether all are true'),
  aggregate('every', ['bool'], BOOL, 'bool_and', 'whether all are true'),
  aggregate('bool_or', ['bool'], BOOL, 'bool_or', 'whether one is true'),
  aggregate('string_agg', ['text', 'text'], TEXT, 'list', 'values behind one another, separated'),
  aggregate('array_agg', ['anynonarray'], ([a]) => ({ kind: 'array', element: a ?? UNKNOWN }), 'list', 'an array of the values, NULLs too'),
  { ...aggregate('mode', ['anyelement'], first, 'list', 'the most frequent value'), orderedSet: true },
  { ...aggregate('percentile_disc', ['float8', 'anyelement'], ([, a]) => a ?? UNKNOWN, 'list', 'the first value at or behind the fraction'), orderedSet: true },
  { ...aggregate('percentile_cont', ['float8', 'float8'], FLOAT8, 'list', 'the value at the fraction, between two'), orderedSet: true },
  { ...aggregate('percentile_cont', ['float8', 'interval'], INTERVAL, 'list', 'the value at the fraction, between two'), orderedSet: true },
  ...(['bit_and', 'bit_or', 'bit_xor'] as const).flatMap(name => (['int2', 'int4', 'int8'] as const).map(kind => aggregate(name, [kind], first, 'list', `the bits of all values, by ${name.slice(4)}`))),
  ...['variance', 'var_samp', 'var_pop', 'stddev', 'stddev_samp', 'stddev_pop'].flatMap(name => [
    ...(['int2', 'int4', 'int8', 'numeric'] as const).map(kind => aggregate(name, [kind], NUMERIC, 'list', name.startsWith('v') ? 'variance' : 'standard deviation')),
    ...(['float4', 'float8'] as const).map(kind => aggregate(name, [kind], FLOAT8, 'list', name.startsWith('v') ? 'variance' : 'standard deviation')),
  ]),
  ...['corr', 'covar_pop', 'covar_samp', 'regr_avgx', 'regr_avgy', 'regr_count', 'regr_intercept', 'regr_r2', 'regr_slope', 'regr_sxx', 'regr_sxy', 'regr_syy'].map(name =>
    aggregate(name, ['float8', 'float8'], name === 'regr_count' ? INT8 : FLOAT8, 'list', 'a statistic of pairs')),
  aggregate('any_value', ['anyelement'], first, 'any_value', 'one of the values that are not NULL'),
]
