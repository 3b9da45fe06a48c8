/** Statistics of columns, as manifests hold them (`SimpleStats`): minima, maxima and counts of NULL. */
import { corrupt } from '../../error.ts'
import { isList } from '../avro/value.ts'
import type { AvroRecord, AvroValue } from '../avro/value.ts'
import { EMPTY_ROW } from './binaryrow.ts'

/** Minima and maxima as serialised rows; a column whose bound is unknown is NULL in them. Empty rows: nothing is known. */
export interface SimpleStats {
  readonly min: Uint8Array
  readonly max: Uint8Array
  /** Per column; null where unknown. */
  readonly nulls: readonly (bigint | null)[]
}

export const EMPTY_STATS: SimpleStats = { min: EMPTY_ROW, max: EMPTY_ROW, nulls: [] }

export function readStats(path: string, record: AvroRecord): SimpleStats {
  const min = record['_MIN_VALUES'], max = record['_MAX_VALUES'], nulls = record['_NULL_COUNTS'] ?? []
  if (!(min instanceof Uint8Array) || !(max instanceof Uint8Array) || !isList(nulls)) throw corrupt(path, 'statistics of another form')
  return { min, max, nulls: nulls.map((count: AvroValue) => {
    if (count !== null && typeof count !== 'bigint') throw corrupt(path, 'a count of NULLs that is no number')
    return count
  }) }
}

export function writeStats(stats: SimpleStats): AvroRecord {
  return { _MIN_VALUES: stats.min, _MAX_VALUES: stats.max, _NULL_COUNTS: stats.nulls }
}
