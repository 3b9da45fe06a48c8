/** The system relations: pg_catalog, information_schema. Tables like any other, whose rows are made from the catalog when they are read. */
import { SqlError } from '../../error.ts'
import type { AsOf, TableName } from '../../plan.ts'
import type { Field, Schema } from '../../type.ts'
import type { Value } from '../../value.ts'
import type { Catalog, RelationShape } from '../catalog.ts'
import type { ScanStats, Split, Table, Version, Want } from '../table.ts'
import { INFORMATION_SCHEMA } from './information-schema.ts'
import { PG_CATALOG } from './pg-catalog.ts'

/** What the system relations show of a session. */
export interface SystemSession {
  readonly catalog: Catalog
  readonly database: string
  readonly user: string
  readonly backendPid: number
  readonly searchPath: readonly string[]
  settings(): readonly { readonly name: string; readonly value: string; readonly about: string }[]
  setting(name: string): string | undefined
}

/** A system relation: its columns, and its rows for a session. */
export interface SystemRelation {
  readonly columns: readonly Field[]
  rows(session: SystemSession): Promise<readonly (readonly Value[])[]> | readonly (readonly Value[])[]
}

const RELATIONS: Readonly<Record<string, ReadonlyMap<string, SystemRelation>>> = { pg_catalog: PG_CATALOG, information_schema: INFORMATION_SCHEMA }

export const SYSTEM_SCHEMAS: readonly string[] = Object.keys(RELATIONS)
export const isSystemSchema = (schema: string): boolean => SYSTEM_SCHEMAS.includes(schema)

/** The system relations, for pg_class. */
export function systemRelations(): readonly TableName[] {
  return SYSTEM_SCHEMAS.flatMap(schema => [...RELATIONS[schema]?.keys() ?? []].map(name => ({ schema, name })))
}

export function systemShape(name: TableName): RelationShape | undefined {
  const relation = RELATIONS[name.schema]?.get(name.name)
  return relation === undefined ? undefined : { name, kind: 'system', columns: relation.columns, key: [], partitionedBy: [], options: {} }
}

export function openSystemTable(name: TableName, session: SystemSession): Table | undefined {
  const relation = RELATIONS[name.schema]?.get(name.name)
  return relation === undefined ? undefined : new SystemTable(name, relation, session)
}

const NOW: Version = { id: 'now', time: 0 }

/** Has one version: as things are when it is read. */
class SystemTable implements Table {
  readonly name: TableName
  readonly schema: Schema
  readonly key: readonly number[] = []
  readonly appendOnly = false
  readonly #relation: SystemRelation
  readonly #session: SystemSession

  constructor(name: TableName, relation: SystemRelation, session: SystemSession) {
    this.name = name
    this.schema = relation.columns
    this.#relation = relation
    this.#session = session
  }

  async latest(): Promise<Version> { return NOW }
  async versionAt(_asOf: AsOf): Promise<Version> { throw new SqlError('0A000', `relation "${this.name.name}" has no older versions`) }
  async next(from: Version | undefined): Promise<Version | undefined> { return from === undefined ? NOW : undefined }
  async schemaAt(): Promise<Schema> { return this.schema }
  async estimate(): Promise<number> { return 100 }

  async *changes(from: Version | undefined, _to: Version, want: Want, _stats: ScanStats): AsyncGenerator<Split> {
    if (from !== undefined) return
    const rows = await this.#relation.rows(this.#session)
    const schema = want.columns.flatMap(column => this.schema[column] ?? [])
    yield { kind: 'rows', schema, rows: rows.map(row => want.columns.map(column => row[column] ?? null)), sign: 1, estimate: rows.length }
  }
}
