/** Statistics of the columns of a data file that is being written, as the table's options want them. */
import { SqlError, unsupported } from '../../error.ts'
import type { Value } from '../../value.ts'
import type { ColumnRange } from '../column-range.ts'
import { serializeRow } from './binaryrow.ts'
import type { PaimonSchema } from './schema.ts'
import type { SimpleStats } from './stats.ts'
import type { PaimonField, PaimonType } from './types.ts'

/** How much is kept of a column: nothing, the number of NULLs, bounds of at most so many characters, or all. */
export interface StatsMode {
  readonly kind: 'none' | 'counts' | 'full' | 'truncate'
  /** Characters that are kept: only of `truncate`. */
  readonly length: number
}

/** The mode of a column: its own option, else the table's, else truncate(16). */
export function statsMode(schema: PaimonSchema, column: string): StatsMode {
  const text = schema.options[`fields.${column}.stats-mode`] ?? schema.options['metadata.stats-mode'] ?? 'truncate(16)'
  const truncate = /^truncate\((\d+)\)$/i.exec(text.trim())
  if (truncate !== null) return { kind: 'truncate', length: Number(truncate[1]) }
  switch (text.trim().toLowerCase()) {
    case 'none': return { kind: 'none', length: 0 }
    case 'counts': return { kind: 'counts', length: 0 }
    case 'full': return { kind: 'full', length: 0 }
    default: throw new SqlError('22023', `"${text}" is not a mode of statistics`, { hint: 'Known modes are none, counts, truncate(n) and full.' })
  }
}

/** Statistics of columns, complete: for keys. */
export function fullStats(types: readonly PaimonType[], ranges: readonly ColumnRange[]): SimpleStats {
  return {
    min: serializeRow(types, ranges.map(range => range.min)),
    max: serializeRow(types, ranges.map(range => range.max)),
    nulls: ranges.map(range => BigInt(range.nulls)),
  }
}

/** Statistics of columns in the modes of the options, and the names of the columns that have any, when not all do. */
export function valueStats(schema: PaimonSchema, fields: readonly PaimonField[], ranges: readonly ColumnRange[]): { readonly stats: SimpleStats; readonly columns: readonly string[] | undefined } {
  const dense = (schema.options['metadata.stats-dense-store'] ?? 'true').toLowerCase() !== 'false'
  const all = fields.map((field, i) => ({ field, mode: statsMode(schema, field.name), range: ranges[i] ?? { min: null, max: null, nulls: 0 } }))
  const kept = dense ? all.filter(({ mode }) => mode.kind !== 'none') : all
  const bounds = kept.map(({ field, mode, range }) => boundsOf(field.type, mode, range))
  const types = kept.map(({ field }) => field.type)
  return {
    stats: {
      min: serializeRow(types, bounds.map(bound => bound.min)),
      max: serializeRow(types, bounds.map(bound => bound.max)),
      nulls: kept.map(({ mode, range }) => mode.kind === 'none' ? null : BigInt(range.nulls)),
    },
    columns: kept.length === all.length ? undefined : kept.map(({ field }) => field.name),
  }
}

interface Bounds { readonly min: Value; readonly max: Value }
const NO_BOUNDS: Bounds = { min: null, max: null }

function boundsOf(type: PaimonType, mode: StatsMode, range: ColumnRange): Bounds {
  if (mode.kind === 'none' || mode.kind === 'counts') return NO_BOUNDS
  switch (type.kind) {
    case 'BOOLEAN': case 'TINYINT': case 'SMALLINT': case 'INT': case 'BIGINT': case 'FLOAT': case 'DOUBLE': case 'DECIMAL': case 'DATE': case 'TIME': return range
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ': return type.precision <= 6 ? range : NO_BOUNDS
    case 'CHAR': case 'VARCHAR': {
      const { min, max } = range
      if (mode.kind === 'full' || typeof min !== 'string' || typeof max !== 'string') return range
      const upper = truncateUp(max, mode.length)
      return upper === undefined ? NO_BOUNDS : { min: [...min].slice(0, mode.length).join(''), max: upper }
    }
    case 'BINARY': case 'VARBINARY': case 'ARRAY': case 'MULTISET': case 'MAP': case 'ROW': return NO_BOUNDS
    case 'VARIANT': case 'OTHER': throw unsupported(`writing a column of Paimon type ${type.kind}`)
  }
}

/** A text of at most `length` characters that is not below `text`; undefined when there is none. */
export function truncateUp(text: string, length: number): string | undefined {
  const points = Array.from(text, character => character.codePointAt(0) ?? 0)
  if (points.length <= length) return text
  for (let i = length - 1; i >= 0; i--) {
    const point = (points[i] ?? 0) + 1
    if (point > 0x10ffff) continue
    // Half a surrogate pair cannot be encoded: behind U+D7FF comes U+E000.
    return String.fromCodePoint(...points.slice(0, i), point === 0xd800 ? 0xe000 : point)
  }
  return undefined
}
