/** The tables of a lake, by name. Formats implement it; the system relations are added in front of it. */
import type { TableName } from '../plan.ts'
import type { Field, Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { Table } from './table.ts'

export interface ColumnDefinition {
  readonly name: string
  readonly type: Type
  readonly nullable: boolean
  readonly comment?: string
  /** A constant, already of the column's type. */
  readonly default?: Value
}

/** What CREATE TABLE says. Options are the format's own, unchecked: the format refuses what it does not know. */
export interface TableDefinition {
  readonly name: TableName
  readonly columns: readonly ColumnDefinition[]
  readonly primaryKey: readonly string[]
  readonly partitionedBy: readonly string[]
  readonly options: Readonly<Record<string, string>>
  readonly comment?: string
}

export interface Relation {
  readonly name: TableName
  readonly kind: 'table' | 'view' | 'system'
}

/** What a relation looks like to the binder and to pg_catalog, without opening its snapshots. */
export interface RelationShape extends Relation {
  readonly columns: readonly Field[]
  readonly key: readonly string[]
  readonly partitionedBy: readonly string[]
  readonly options: Readonly<Record<string, string>>
  readonly comment?: string
  /** What INSERT puts into columns that it leaves out, by name; others get NULL. */
  readonly defaults?: ReadonlyMap<string, Value>
  /** Of a view. */
  readonly view?: ViewQuery
}

/** What a view stands for: the text of a query, and the search path that its names are looked up with. */
export interface ViewQuery {
  readonly sql: string
  readonly searchPath: readonly string[]
}

/** What CREATE VIEW says; the columns are those of the query under the view's names. */
export interface ViewDefinition {
  readonly name: TableName
  readonly columns: readonly Field[]
  readonly view: ViewQuery
  readonly comment?: string
}

export interface Catalog {
  schemas(): Promise<readonly string[]>
  relations(schema: string): Promise<readonly Relation[]>
  /** Undefined when there is no such table. Refuses (0A000, naming it) a table whose options or types it does not understand. */
  table(name: TableName): Promise<Table | undefined>
  /** The shape of a table; a table that `table` would refuse still has one when its schema file can be read at all. */
  shape(name: TableName): Promise<RelationShape | undefined>
  /** 42P06 when it exists. */
  createSchema(name: string): Promise<void>
  /** 2BP01 when it is not empty and not `cascade`; 3F000 when there is none. */
  dropSchema(name: string, cascade: boolean): Promise<void>
  /** 42P07 when it exists; 3F000 when the schema does not. */
  createTable(definition: TableDefinition): Promise<Table>
  /** 42P01 when there is none. */
  dropTable(name: TableName): Promise<void>
}

/** A catalog that keeps views beside the tables; `relations` and `shape` know them, too. */
export interface LakeCatalog extends Catalog {
  /** 42P07 when there is a relation of this name, unless it is a view and to be replaced; 3F000 when the schema does not exist. */
  createView(definition: ViewDefinition, replace: boolean): Promise<void>
  /** 42P01 when there is none. */
  dropView(name: TableName): Promise<void>
}
