/** Where the files of a table are. All paths are relative to the store's root; `table` is the table's directory. */
import { invariant, unsupported } from '../../error.ts'
import type { Value } from '../../value.ts'
import type { ObjectInfo, ObjectStore, StoreSpec } from '../store.ts'
import { unscaledOf } from './binaryrow.ts'
import { fieldsOf } from './schema.ts'
import type { PaimonSchema } from './schema.ts'
import { paimonTypeText } from './types.ts'
import type { PaimonType } from './types.ts'

export const DEFAULT_PARTITION = '__DEFAULT_PARTITION__'
export const POSTPONE_BUCKET = -2

export function schemaPath(table: string, id: bigint): string { return `${table}/schema/schema-${id}` }
export function snapshotPath(table: string, id: bigint): string { return `${table}/snapshot/snapshot-${id}` }
export function manifestPath(table: string, name: string): string { return `${table}/manifest/${name}` }
export function tagPath(table: string, name: string): string { return `${table}/tag/tag-${name}` }
export function latestHintPath(table: string): string { return `${table}/snapshot/LATEST` }
export function earliestHintPath(table: string): string { return `${table}/snapshot/EARLIEST` }

/** The directory of a bucket. `values` are those of the partition columns, in the order of `partitionKeys`. */
export function bucketPath(table: string, schema: PaimonSchema, values: readonly Value[], bucket: number): string {
  const prefix = schema.options['data-file.path-directory']
  const directory = prefix === undefined || prefix === '' ? '' : `${prefix.replace(/^\/+|\/+$/g, '')}/`
  return `${table}/${directory}${partitionPath(schema, values)}${bucket === POSTPONE_BUCKET ? 'bucket-postpone' : `bucket-${bucket}`}`
}

/** `k1=v1/k2=v2/`, or nothing for a table without partitions. */
export function partitionPath(schema: PaimonSchema, values: readonly Value[]): string {
  const legacy = (schema.options['partition.legacy-name'] ?? 'true').toLowerCase() !== 'false'
  const fallback = schema.options['partition.default-name'] ?? DEFAULT_PARTITION
  return fieldsOf(schema, schema.partitionKeys).map((field, i) => {
    const value = values[i] ?? null
    const text = value === null ? '' : legacy ? legacyText(field.type, value) : sqlText(field.type, value)
    return `${escapeName(field.name)}=${escapeName(BLANK.test(text) ? fallback : text)}/`
  }).join('')
}

/** What Java's `Character.isWhitespace` takes for blank: NULL and blank values share a directory. */
const BLANK = /^[\t-\r\x1c-\x20\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]*$/

/** Escapes characters that a directory name must not have, as `%` and two upper-case hex digits. */
export function escapeName(text: string): string {
  return text.replace(/[\x00-\x1f\x7f"#%'*/:=?\\{}[\]^]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/** Java's `toString` of the value as Paimon holds it. */
function legacyText(type: PaimonType, value: Value): string {
  switch (type.kind) {
    case 'BOOLEAN': case 'TINYINT': case 'SMALLINT': case 'INT': case 'BIGINT': case 'DATE': case 'CHAR': case 'VARCHAR': return String(value)
    case 'TIME': return String(micros(value) / 1000n)
    case 'FLOAT': case 'DOUBLE': return javaFloat(Number(value), type.kind === 'FLOAT')
    case 'DECIMAL': return decimalText(unscaledOf(value, type.scale), type.scale)
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ': {
      if (type.precision > 6) throw partitionType(type)
      return isoDateTime(micros(value))
    }
    default: throw partitionType(type)
  }
}

/** The value cast to text as SQL does. */
function sqlText(type: PaimonType, value: Value): string {
  switch (type.kind) {
    case 'DATE': return dateText(BigInt(Number(value)))
    case 'TIMESTAMP': {
      if (type.precision > 6) throw partitionType(type)
      const { days, micros: rest } = splitDay(micros(value))
      const fraction = String(rest % 1000000n).padStart(6, '0').slice(0, type.precision)
      return `${dateText(days)} ${clockText(rest)}${fraction === '' ? '' : `.${fraction}`}`
    }
    // how Java prints these depends on its version or its time zone
    case 'TIME': case 'TIMESTAMP_LTZ': throw unsupported(`a partition column of type ${paimonTypeText(type)} with option partition.legacy-name = false`)
    default: return legacyText(type, value)
  }
}

function partitionType(type: PaimonType): Error {
  return unsupported(`a partition column of type ${paimonTypeText(type)}`)
}

function micros(value: Value): bigint {
  invariant(typeof value === 'bigint', 'a time as microseconds')
  return value
}

const DAY = 86400000000n

function splitDay(value: bigint): { days: bigint; micros: bigint } {
  const rest = ((value % DAY) + DAY) % DAY
  return { days: (value - rest) / DAY, micros: rest }
}

function clockText(value: bigint): string {
  const seconds = Number(value / 1000000n), two = (n: number): string => String(n).padStart(2, '0')
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** `LocalDateTime.toString`: seconds are dropped when zero, the fraction has 3 or 6 digits. */
function isoDateTime(value: bigint): string {
  const { days, micros: rest } = splitDay(value)
  const clock = clockText(rest), fraction = rest % 1000000n
  const seconds = fraction === 0n ? (clock.endsWith(':00') ? clock.slice(0, 5) : clock) : `${clock}.${fraction % 1000n === 0n ? String(fraction / 1000n).padStart(3, '0') : String(fraction).padStart(6, '0')}`
  return `${dateText(days, true)}T${seconds}`
}

/** The date of a day number, proleptic Gregorian. Java writes years above 9999 with a plus in ISO form. */
function dateText(days: bigint, iso = false): string {
  const z = Number(days) + 719468
  const era = Math.floor(z / 146097), doe = z - era * 146097
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365)
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100)), mp = Math.floor((5 * doy + 2) / 153)
  const day = doy - Math.floor((153 * mp + 2) / 5) + 1, month = mp < 10 ? mp + 3 : mp - 9, year = yoe + era * 400 + (month <= 2 ? 1 : 0)
  const sign = year < 0 ? '-' : iso && year > 9999 ? '+' : ''
  return `${sign}${String(Math.abs(year)).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`}`
}

/** Java's text of a float or double: plain between 10^-3 and 10^7, otherwise with an exponent; always a digit behind the point. */
export function javaFloat(value: number, single: boolean): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  let text = value.toExponential()
  if (single) for (let digits = 0; digits < 9; digits++) {
    text = value.toExponential(digits)
    if (Math.fround(Number(text)) === value) break
  }
  const [mantissa = '', exponentText = '0'] = text.split('e')
  const exponent = Number(exponentText)
  const magnitude = Math.abs(value)
  if (magnitude < 1e-3 || magnitude >= 1e7) return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${exponent}`
  const sign = mantissa.startsWith('-') ? '-' : '', digits = mantissa.replace(/[-.]/g, '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0'), rest = digits.slice(exponent + 1)
  return `${sign}${whole}.${rest === '' ? '0' : rest}`
}

/** The path within the store of a file that a manifest names absolutely. Refuses files outside of the store. */
export function externalToStore(spec: StoreSpec | undefined, path: string): string {
  const local = path.replace(/^file:(?:\/\/)?(?=\/)/, '')
  if (spec?.kind === 'local' && local.startsWith('/')) {
    const root = spec.root.replace(/\/+$/, '')
    if (local.startsWith(`${root}/`)) return local.slice(root.length + 1)
  }
  throw unsupported('a data file outside of the lake (option data-file.external-paths)', { where: path })
}

/** The files `prefix-N` in a directory, by their ids, ascending. */
export async function listNumbered(store: ObjectStore, directory: string, prefix: string): Promise<readonly { readonly id: bigint; readonly info: ObjectInfo }[]> {
  const files: { id: bigint; info: ObjectInfo }[] = [], pattern = new RegExp(`^${prefix}-([0-9]{1,19})$`)
  for (const info of await store.list(directory)) {
    const match = pattern.exec(info.path.slice(info.path.lastIndexOf('/') + 1))
    if (match !== null) files.push({ id: BigInt(match[1] ?? '0'), info })
  }
  return files.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}

/** The ids of the files `prefix-N` in a directory, ascending. */
export async function listIds(store: ObjectStore, directory: string, prefix: string): Promise<readonly bigint[]> {
  return (await listNumbered(store, directory, prefix)).map(({ id }) => id)
}

/** The number in a hint file (`LATEST`, `EARLIEST`); undefined when it is absent, empty or partial. Hints are never the truth. */
export async function readHint(store: ObjectStore, path: string): Promise<bigint | undefined> {
  try {
    const text = new TextDecoder().decode(await store.read(path)).trim()
    return /^[0-9]{1,19}$/.test(text) ? BigInt(text) : undefined
  } catch {
    return undefined // absent, or just being replaced: the directory is listed instead
  }
}
