/** Snapshot files (`snapshot/snapshot-N`), tags and long-lived changelogs: the same JSON. */
import { corrupt, unsupported } from '../../error.ts'
import { JsonFields, parseJsonBytes, printJson } from '../json.ts'
import type { Json, JsonObject } from '../json.ts'

export type CommitKind = 'APPEND' | 'COMPACT' | 'OVERWRITE' | 'ANALYZE'

export interface Snapshot {
  readonly version: number
  readonly id: bigint
  /** The latest schema at commit time, not necessarily that of the files. */
  readonly schemaId: bigint
  /** Names of files in `manifest/`: the state before this commit, and what it changed. */
  readonly baseManifestList: string
  readonly baseManifestListSize?: bigint
  readonly deltaManifestList: string
  readonly deltaManifestListSize?: bigint
  readonly changelogManifestList?: string
  readonly changelogManifestListSize?: bigint
  /** The complete state of deletion vectors and hash indexes. */
  readonly indexManifest?: string
  readonly commitUser: string
  /** The checkpoint of a stream; 9223372036854775807 for a batch commit. */
  readonly commitIdentifier: bigint
  readonly commitKind: CommitKind
  /** The committer's clock, milliseconds since 1970. */
  readonly timeMillis: bigint
  readonly totalRecordCount?: bigint
  readonly deltaRecordCount?: bigint
  readonly changelogRecordCount?: bigint
  readonly watermark?: bigint
  /** Name of a file in `statistics/`. */
  readonly statistics?: string
  readonly properties?: Readonly<Record<string, string>>
  readonly nextRowId?: bigint
  readonly uuid?: string
  readonly operation?: string
}

const NEWEST = 3

function commitKind(path: string, text: string): CommitKind {
  if (text === 'APPEND' || text === 'COMPACT' || text === 'OVERWRITE' || text === 'ANALYZE') return text
  throw unsupported(`commit kind ${text}`, { where: path })
}

export function parseSnapshot(path: string, bytes: Uint8Array): Snapshot {
  const object = new JsonFields(path, parseJsonBytes(path, bytes))
  const version = object.optionalInt('version') ?? 1
  if (version < 1 || version > NEWEST) throw unsupported(`version ${version} of Paimon snapshot files`, { where: path })
  const id = object.long('id')
  if (id < 1n) throw corrupt(path, `snapshot id ${id}`)
  return {
    version,
    id,
    schemaId: object.long('schemaId'),
    baseManifestList: object.text('baseManifestList'),
    deltaManifestList: object.text('deltaManifestList'),
    commitUser: object.text('commitUser'),
    commitIdentifier: object.long('commitIdentifier'),
    commitKind: commitKind(path, object.text('commitKind')),
    timeMillis: object.long('timeMillis'),
    ...present({
      baseManifestListSize: object.optionalLong('baseManifestListSize'),
      deltaManifestListSize: object.optionalLong('deltaManifestListSize'),
      changelogManifestList: object.optionalText('changelogManifestList'),
      changelogManifestListSize: object.optionalLong('changelogManifestListSize'),
      indexManifest: object.optionalText('indexManifest'),
      totalRecordCount: object.optionalLong('totalRecordCount'),
      deltaRecordCount: object.optionalLong('deltaRecordCount'),
      changelogRecordCount: object.optionalLong('changelogRecordCount'),
      watermark: object.optionalLong('watermark'),
      statistics: object.optionalText('statistics'),
      properties: object.get('properties') === undefined ? undefined : object.textMap('properties'),
      nextRowId: object.optionalLong('nextRowId'),
      uuid: object.optionalText('uuid'),
      operation: object.optionalText('operation'),
    }),
  }
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

/** The object without keys whose value is undefined. */
function present<T extends object>(object: T): Present<T> {
  const result: Present<T> = {}
  for (const key of keysOf(object)) {
    const value = object[key]
    if (isDefined(value)) result[key] = value
  }
  return result
}

function keysOf<T extends object>(object: T): (keyof T)[] {
  const keys: (keyof T)[] = []
  for (const key in object) keys.push(key)
  return keys
}

function isDefined<T>(value: T): value is Exclude<T, undefined> {
  return value !== undefined
}

/** The file's bytes, as version 3. `changelogManifestList` is written even when it is null, as released versions of Java do. */
export function printSnapshot(snapshot: Snapshot): Uint8Array {
  const optional = (key: string, value: Json | undefined): JsonObject => value === undefined ? {} : { [key]: value }
  const json: Json = {
    version: BigInt(NEWEST),
    ...optional('uuid', snapshot.uuid),
    id: snapshot.id,
    schemaId: snapshot.schemaId,
    baseManifestList: snapshot.baseManifestList,
    ...optional('baseManifestListSize', snapshot.baseManifestListSize),
    deltaManifestList: snapshot.deltaManifestList,
    ...optional('deltaManifestListSize', snapshot.deltaManifestListSize),
    changelogManifestList: snapshot.changelogManifestList ?? null,
    ...optional('changelogManifestListSize', snapshot.changelogManifestListSize),
    ...optional('indexManifest', snapshot.indexManifest),
    commitUser: snapshot.commitUser,
    commitIdentifier: snapshot.commitIdentifier,
    commitKind: snapshot.commitKind,
    timeMillis: snapshot.timeMillis,
    ...optional('totalRecordCount', snapshot.totalRecordCount),
    ...optional('deltaRecordCount', snapshot.deltaRecordCount),
    ...optional('changelogRecordCount', snapshot.changelogRecordCount),
    ...optional('watermark', snapshot.watermark),
    ...optional('statistics', snapshot.statistics),
    ...optional('properties', snapshot.properties),
    ...optional('nextRowId', snapshot.nextRowId),
    ...optional('operation', snapshot.operation),
  }
  return new TextEncoder().encode(printJson(json))
}
