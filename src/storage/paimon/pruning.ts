/** Which partitions, buckets and files can hold a row that a filter wants. Only what certainly cannot is left out. */
import type { Expr } from '../../expr.ts'
import { conjuncts } from '../../expr.ts'
import { typeKey } from '../../type.ts'
import type { Decimal, Value } from '../../value.ts'
import { mightMatch } from '../prune.ts'
import type { ColumnStats } from '../prune.ts'
import { parseColumn, rowArity } from './binaryrow.ts'
import { bucketFunction } from './bucket.ts'
import type { BucketFunction } from './bucket.ts'
import type { ManifestEntry, ManifestMeta } from './manifest.ts'
import { bucketKey, fieldsOf, trimmedPrimaryKey } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import type { SimpleStats } from './stats.ts'
import { toSqlType } from './types.ts'
import type { PaimonField, PaimonType } from './types.ts'

/** More combinations of key values than this are not tried. */
const MAX_KEYS = 64

export class Pruner {
  readonly #path: string
  readonly #schema: PaimonSchema
  readonly #filter: Expr | undefined
  /** Values the bucket key must have one of; undefined when the filter does not say. */
  readonly #keys: readonly (readonly Value[])[] | undefined
  readonly #bucketOf: BucketFunction | undefined
  readonly #buckets = new Map<number, ReadonlySet<number>>()

  /** `filter` is over positions of the schema's fields. `path` names the table in errors. */
  constructor(path: string, schema: PaimonSchema, filter: Expr | undefined) {
    this.#path = path
    this.#schema = schema
    this.#filter = filter
    this.#keys = filter === undefined ? undefined : keyValues(schema, filter)
    this.#bucketOf = this.#keys === undefined ? undefined : bucketFunction(schema)
  }

  /** False when no entry of the manifest is of a partition that matters. */
  manifest(meta: ManifestMeta): boolean {
    const { partitionKeys } = this.#schema, { min, max, nulls } = meta.partitionStats
    if (this.#filter === undefined || partitionKeys.length === 0 || rowArity(this.#path, min) !== partitionKeys.length) return true
    const fields = fieldsOf(this.#schema, partitionKeys)
    const rows = Number(meta.addedFiles + meta.deletedFiles)
    return this.#matches(rows, boundsOf(this.#path, fields, { min, max, nulls }, field => field.type))
  }

  /** False when no row of the partition matters. */
  partition(values: readonly Value[]): boolean {
    const known = new Map<number, ColumnStats>()
    this.#schema.partitionKeys.forEach((name, i) => {
      const value = values[i] ?? null, field = this.#schema.fields.findIndex(candidate => candidate.name === name)
      if (value === null) known.set(field, { nulls: 1 })
      else if (typeof value !== 'number' || !Number.isNaN(value)) known.set(field, { min: value, max: value, nulls: 0, nans: false })
    })
    return this.#matches(1, id => known.get(this.#schema.fields.findIndex(field => field.id === id)))
  }

  /** False when the bucket key's hash puts every row that matters elsewhere. */
  bucket(entry: ManifestEntry): boolean {
    const { totalBuckets } = entry
    if (this.#keys === undefined || this.#bucketOf === undefined || totalBuckets <= 0 || entry.bucket < 0) return true
    let buckets = this.#buckets.get(totalBuckets)
    if (buckets === undefined) {
      const bucketOf = this.#bucketOf
      buckets = new Set(this.#keys.map(key => bucketOf(key, totalBuckets)))
      this.#buckets.set(totalBuckets, buckets)
    }
    return buckets.has(entry.bucket)
  }

  /** False when no key of the file matters. Right even for files that are merged: every version of a row has the same key. */
  keys(entry: ManifestEntry): boolean {
    if (this.#filter === undefined || this.#schema.primaryKeys.length === 0) return true
    const fields = fieldsOf(this.#schema, trimmedPrimaryKey(this.#schema))
    return this.#matches(Number(entry.file.rowCount), boundsOf(this.#path, fields, entry.file.keyStats, field => field.type))
  }

  /** False when no row of the file matters, by the statistics of all its columns. `file` is the schema it was written with. */
  values(entry: ManifestEntry, file: PaimonSchema): boolean {
    if (this.#filter === undefined) return true
    const names = entry.file.valueStatsCols
    const fields = names === undefined ? file.fields : fieldsOf(file, names)
    const bounds = boundsOf(this.#path, fields, entry.file.valueStats, field => this.#schema.fields.find(candidate => candidate.id === field.id)?.type)
    const rows = Number(entry.file.rowCount)
    return this.#matches(rows, id => file.fields.some(field => field.id === id) ? bounds(id) : { nulls: rows })
  }

  #matches(rows: number, statsOf: (fieldId: number) => ColumnStats | undefined): boolean {
    if (this.#filter === undefined) return true
    return mightMatch(this.#filter, { rows, column: index => {
      const field = this.#schema.fields[index]
      return field === undefined ? undefined : statsOf(field.id)
    } })
  }
}

/** Statistics by field id, in the types that `wanted` gives (undefined: the field is not wanted). */
function boundsOf(path: string, fields: readonly PaimonField[], stats: SimpleStats, wanted: (field: PaimonField) => PaimonType | undefined): (fieldId: number) => ColumnStats | undefined {
  if (fields.length === 0 || rowArity(path, stats.min) !== fields.length || rowArity(path, stats.max) !== fields.length) return () => undefined
  return id => {
    const i = fields.findIndex(field => field.id === id), field = fields[i]
    const type = field === undefined ? undefined : wanted(field)
    if (field === undefined || type === undefined) return undefined
    const nulls = stats.nulls[i] ?? undefined, bound = (row: Uint8Array): Value | undefined => hasBounds(field.type) ? converted(parseColumn(path, row, fields.length, i, field.type), field.type, type) : undefined
    const low = bound(stats.min), high = bound(stats.max)
    return { ...(low === undefined ? {} : { min: low }), ...(high === undefined ? {} : { max: high }), ...(nulls === undefined ? {} : { nulls: Number(nulls) }), ...(isFloat(type) ? {} : { nans: false }) }
  }
}

/** False for types whose bounds are missing or not to be trusted: Java's bounds of floats leave out NaN and mistake zeros, char compares without its blanks. */
function hasBounds(type: PaimonType): boolean {
  switch (type.kind) {
    case 'BOOLEAN': case 'TINYINT': case 'SMALLINT': case 'INT': case 'BIGINT': case 'DECIMAL': case 'DATE': case 'TIME': case 'TIMESTAMP': case 'TIMESTAMP_LTZ': case 'VARCHAR': return true
    default: return false
  }
}

function isFloat(type: PaimonType): boolean {
  return type.kind === 'FLOAT' || type.kind === 'DOUBLE'
}

/** A bound in another type of the column; undefined when it is not known there. */
function converted(value: Value, from: PaimonType, to: PaimonType): Value | undefined {
  if (value === null) return undefined
  const a = toSqlType(from), b = toSqlType(to)
  if (typeKey(a) === typeKey(b)) return value
  const integer = a.kind === 'int2' || a.kind === 'int4'
  if (integer && b.kind === 'int4') return value
  if (integer && b.kind === 'int8') return BigInt(Number(value))
  if (a.kind === 'numeric' && b.kind === 'numeric' && (b.scale ?? 0) >= (a.scale ?? 0) && (b.precision ?? 0) - (b.scale ?? 0) >= (a.precision ?? 0) - (a.scale ?? 0)) return value
  if (from.kind === 'VARCHAR' && to.kind === 'VARCHAR' && to.length >= from.length) return value
  if (from.kind === to.kind && (from.kind === 'TIMESTAMP' || from.kind === 'TIMESTAMP_LTZ') && (to.kind === 'TIMESTAMP' || to.kind === 'TIMESTAMP_LTZ') && to.precision >= from.precision) return value
  return undefined
}

/** The values of the bucket key for which a filter can be true, when it says `=` or IN for each of its columns. */
function keyValues(schema: PaimonSchema, filter: Expr): readonly (readonly Value[])[] | undefined {
  const key = bucketKey(schema)
  if (key.length === 0) return undefined
  let combinations: readonly (readonly Value[])[] = [[]]
  for (const name of key) {
    const index = schema.fields.findIndex(field => field.name === name), type = schema.fields[index]?.type
    const values = type === undefined ? undefined : conjuncts(filter).map(condition => equalTo(condition, index, type)).find(found => found !== undefined)
    if (values === undefined || values.length * combinations.length > MAX_KEYS) return undefined
    combinations = combinations.flatMap(start => values.map(value => [...start, value]))
  }
  return combinations
}

/** The values that a condition allows for a column, or undefined when it does not limit it to some. */
function equalTo(condition: Expr, index: number, type: PaimonType): readonly Value[] | undefined {
  if (condition.kind !== 'call') return undefined
  const isColumn = (expr: Expr | undefined): boolean => expr?.kind === 'column' && expr.index === index
  const [first, second] = condition.args
  let literals: readonly Expr[]
  if (condition.fn.startsWith('=(') && condition.args.length === 2) {
    if (isColumn(first) && second !== undefined) literals = [second]
    else if (isColumn(second) && first !== undefined) literals = [first]
    else return undefined
  } else if (condition.fn === 'in' && isColumn(first)) literals = condition.args.slice(1)
  else return undefined
  const values: Value[] = []
  for (const literal of literals) {
    if (literal.kind !== 'literal') return undefined
    const value = literal.value === null ? null : exactly(literal.value, literal.type.kind, type)
    if (value === undefined) return undefined
    if (value !== null) values.push(value) // NULL equals nothing
  }
  return values
}

/** A literal as a value of the column's type, when equality of the two is equality of these values. */
function exactly(value: Value, kind: string, type: PaimonType): Value | undefined {
  const sql = toSqlType(type)
  switch (type.kind) {
    case 'BOOLEAN': case 'TINYINT': case 'SMALLINT': case 'INT': case 'BIGINT': case 'DATE': case 'BINARY': case 'VARBINARY': return kind === sql.kind ? value : undefined
    case 'VARCHAR': return kind === 'text' || kind === 'varchar' || kind === 'unknown' ? value : undefined
    case 'TIME': return kind === 'time' && typeof value === 'bigint' && value % 1000n === 0n ? value : undefined
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ':
      return kind === sql.kind && typeof value === 'bigint' && type.precision <= 6 && value % 10n ** BigInt(6 - type.precision) === 0n ? value : undefined
    case 'DECIMAL': {
      if (kind !== 'numeric' || value === null || typeof value !== 'object' || !('unscaled' in value)) return undefined
      const decimal: Decimal = value
      return decimal.special === undefined && decimal.scale <= type.scale && decimal.unscaled * 10n ** BigInt(type.scale - decimal.scale) < 10n ** BigInt(type.precision) ? value : undefined
    }
    default: return undefined
  }
}
