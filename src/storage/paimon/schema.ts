/** Schema files (`schema/schema-N`): never rewritten, one per change of a table's columns or options. */
import { corrupt, unsupported } from '../../error.ts'
import { JsonFields, parseJsonBytes, printJson } from '../json.ts'
import type { Json } from '../json.ts'
import { fieldNamed, parsePaimonField, printPaimonField } from './types.ts'
import type { PaimonField } from './types.ts'

export interface PaimonSchema {
  /** 1 up to Paimon 0.7, 2 in 0.8, 3 since. */
  readonly version: number
  readonly id: bigint
  readonly fields: readonly PaimonField[]
  /** The highest id ever handed out, nested fields included. */
  readonly highestFieldId: number
  readonly partitionKeys: readonly string[]
  /** Empty: an append table. */
  readonly primaryKeys: readonly string[]
  readonly options: Readonly<Record<string, string>>
  readonly comment?: string
  readonly timeMillis: bigint
}

/** The newest version of schema files that we understand. */
const NEWEST = 3

export function parseSchema(path: string, bytes: Uint8Array): PaimonSchema {
  const object = new JsonFields(path, parseJsonBytes(path, bytes))
  const version = object.optionalInt('version') ?? 1
  if (version < 1 || version > NEWEST) throw unsupported(`version ${version} of Paimon schema files`, { where: path })
  const fields = object.list('fields').map(field => parsePaimonField(path, field))
  const names = new Set<string>()
  const ids = new Set<number>()
  for (const field of fields) {
    if (names.has(field.name)) throw corrupt(path, `column "${field.name}" occurs twice`)
    if (ids.has(field.id)) throw corrupt(path, `field id ${field.id} occurs twice`)
    names.add(field.name)
    ids.add(field.id)
  }
  const options = object.textMap('options')
  const comment = object.optionalText('comment')
  const schema: PaimonSchema = {
    version,
    id: object.long('id'),
    fields,
    highestFieldId: object.int('highestFieldId'),
    partitionKeys: object.texts('partitionKeys'),
    primaryKeys: object.texts('primaryKeys'),
    // older writers had other defaults, and said so by the version only
    options: { ...(version === 1 ? { bucket: '1' } : {}), ...(version <= 2 ? { 'file.format': 'orc' } : {}), ...options },
    ...(comment === undefined ? {} : { comment }),
    timeMillis: object.optionalLong('timeMillis') ?? 0n,
  }
  for (const name of [...schema.partitionKeys, ...schema.primaryKeys]) fieldNamed(path, fields, name)
  return schema
}

/** The file's bytes. Always written as version 3. */
export function printSchema(schema: PaimonSchema): Uint8Array {
  const json: Json = {
    version: BigInt(NEWEST),
    id: schema.id,
    fields: schema.fields.map(printPaimonField),
    highestFieldId: BigInt(schema.highestFieldId),
    partitionKeys: schema.partitionKeys,
    primaryKeys: schema.primaryKeys,
    options: schema.options,
    ...(schema.comment === undefined ? {} : { comment: schema.comment }),
    timeMillis: schema.timeMillis,
  }
  return new TextEncoder().encode(printJson(json))
}

/** The fields of these columns, in the order of the names. */
export function fieldsOf(schema: PaimonSchema, names: readonly string[]): readonly PaimonField[] {
  return names.map(name => fieldNamed(`schema-${schema.id}`, schema.fields, name))
}

/** The primary key without partition columns: what files of a bucket are sorted by. The whole key when nothing is left. */
export function trimmedPrimaryKey(schema: PaimonSchema): readonly string[] {
  const trimmed = schema.primaryKeys.filter(name => !schema.partitionKeys.includes(name))
  return trimmed.length > 0 ? trimmed : schema.primaryKeys
}

/** The columns whose hash tells the bucket: option `bucket-key`, else the trimmed primary key; empty when there are none. */
export function bucketKey(schema: PaimonSchema): readonly string[] {
  const option = schema.options['bucket-key']
  if (option !== undefined && option.trim() !== '') return option.split(',').map(name => name.trim())
  return trimmedPrimaryKey(schema)
}
