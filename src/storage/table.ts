/**
 * A table is the sum of its changes: a snapshot is the change from nothing. Formats implement `Table`; everything above storage knows no more than
 * this file.
 */
import type { Kernel } from '../kernel/kernel.ts'
import type { Arena, Memory } from '../memory.ts'
import type { Batch } from '../batch.ts'
import type { Expr } from '../expr.ts'
import type { AsOf, TableName } from '../plan.ts'
import type { Field, Schema, Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { StoreSpec } from './store.ts'

/** Where batches are: what a writer needs to read them. */
export interface Buffers {
  readonly memory: Memory
  readonly kernel: Kernel
}

/** One state of a table. Plain data, equal when `id` is equal. */
export interface Version {
  /** The format's own name of it, e.g. the decimal snapshot id. */
  readonly id: string
  /** When it was committed, milliseconds since 1970, by the committer's clock. */
  readonly time: number
}

/** What a reader is after. Pruning by it may only drop what cannot match; whoever reads applies the filter again. */
export interface Want {
  /** Positions in the table's schema, in the order in which they come out. */
  readonly columns: readonly number[]
  /** Over positions of the table's schema; parameters are already replaced by literals. */
  readonly filter?: Expr
}

/** What pruning did, for EXPLAIN (ANALYZE) and tests. Filled in as splits are made and read. */
export interface ScanStats {
  partitionsTotal: number
  partitionsPruned: number
  filesTotal: number
  filesPruned: number
  rowGroupsTotal: number
  rowGroupsPruned: number
  bytesRead: number
}

export function emptyScanStats(): ScanStats {
  return { partitionsTotal: 0, partitionsPruned: 0, filesTotal: 0, filesPruned: 0, rowGroupsTotal: 0, rowGroupsPruned: 0, bytesRead: 0 }
}

export interface Table {
  readonly name: TableName
  /** The newest schema when the table was opened. */
  readonly schema: Schema
  /** Positions of the primary key's columns; empty when there is none. At most one row has a given key. */
  readonly key: readonly number[]
  /** True when no version ever loses a row of an earlier one (as far as the table's options promise). */
  readonly appendOnly: boolean
  /** The newest version; undefined while nothing was ever committed (the table is empty then). */
  latest(): Promise<Version | undefined>
  /** The version that AS OF names. `SqlError` 22023 when there is none. */
  versionAt(asOf: AsOf): Promise<Version | undefined>
  /** The next version after `from` (undefined: the first that is still there), or undefined when there is none yet. For followers: commit by commit. Throws 55000 when `from` has expired or was rolled back. */
  next(from: Version | undefined): Promise<Version | undefined>
  /** The schema of a version's rows. */
  schemaAt(version: Version | undefined): Promise<Schema>
  /**
   * Splits whose signed union is `to` minus `from`. From undefined: all rows of `to`, each with weight +1. The columns of `want` are positions in
   * `schema`; rows written under older schemas are brought to it.
   */
  changes(from: Version | undefined, to: Version, want: Want, stats: ScanStats): AsyncIterable<Split>
  /** Rows in `version`, roughly, without reading data files. */
  estimate(version: Version | undefined): Promise<number>
  /** Absent: the table cannot be written. */
  writer?(): TableWriter
}

/** One transaction of one writer. Rows go in as signed batches; nothing is visible before `commit` returns, all of it after. */
export interface TableWriter {
  /**
   * Rows to add (no weights, or positive ones) and, in tables with a key, to remove (negative weights; only key columns count). Columns are those of the
   * table's schema, in order. The batch is only read during the call.
   */
  write(batch: Batch): Promise<void>
  /** What is written follows from the rows of this version: `commit` throws 40001 when another writer has changed the table since. Absent where that cannot be told. */
  expect?(version: Version | undefined): void
  /**
   * The rows that the table has when this is committed go. `written`: only those of the partitions that rows are written to, where the table has partitions.
   * Absent where that cannot be done.
   */
  overwrite?(what: 'all' | 'written'): void
  /** Makes it visible, retrying against other writers; the version that holds it. `note` is kept with the commit where the format can. 40001 when it conflicts. */
  commit(note?: Readonly<Record<string, string>>): Promise<Version | undefined>
  /** Removes what was written and not committed. */
  abort(): Promise<void>
}

/** The smallest thing that can be read on its own. Plain data: it is posted to a worker. */
export type Split = FileSplit | RowsSplit

/** Rows that are at hand, e.g. of a system relation; in the order of the wanted columns. */
export interface RowsSplit {
  readonly kind: 'rows'
  readonly schema: Schema
  readonly rows: readonly (readonly Value[])[]
  readonly sign: 1 | -1
  /** Rows it will give, roughly. */
  readonly estimate: number
}

export interface FileSplit {
  readonly kind: 'files'
  readonly store: StoreSpec | undefined
  /** What comes out: the wanted columns. */
  readonly schema: Schema
  readonly files: readonly SplitFile[]
  /** How often each row occurs: as given, or told by the row kind (int2; 0 +I and 2 +U: 1, 1 −U and 3 −D: −1), which is then the first of `files[i].columns` behind the wanted ones. */
  readonly sign: 1 | -1 | 'column'
  /** When several rows may have one key and only the newest is in the table. Positions are in `files[i].columns`. */
  readonly merge?: Merge
  /** Rows it will give, roughly. */
  readonly estimate: number
}

/** Rows are equal when `key` is; the last by `sequence` (each compared NULL smallest, `descending` flips values but not NULLs), then by `number`, wins; if it is a removal there is no row. */
export interface Merge {
  readonly key: readonly number[]
  readonly sequence: readonly { readonly column: number; readonly descending: boolean }[]
  readonly number: number
  readonly kind: number
  /** Removals are passed over (ignore-delete). */
  readonly ignoreDelete: boolean
  /** Only keys that occur in files with `marks` come out; absent: all. */
  readonly onlyMarked?: boolean
}

export interface SplitFile {
  readonly path: string
  readonly format: 'parquet' | 'orc' | 'avro'
  readonly size: number
  /** Tells this file from others that had its name and size before; absent where names are never used again. */
  readonly stamp?: string
  readonly rows: number
  /** Row groups to read; absent: all. */
  readonly rowGroups?: readonly number[]
  /** Per column of the read (wanted columns first, then those the merge needs): where it comes from. */
  readonly columns: readonly SplitColumn[]
  /** Positions of removed rows: a deletion vector inside a file. */
  readonly deleted?: VectorPlace
  /** Rows at other positions than these are not read; what `deleted` removes is removed from these, too. */
  readonly only?: VectorPlace
  /** See `Merge.onlyMarked`. */
  readonly marks?: boolean
  /** With `marks`: its rows are in no version that is asked for. Its keys are marked, but none of its rows takes part in the merge. */
  readonly keysOnly?: boolean
}

/** Bytes [start, end) of a file, in which a deletion vector (with its size in front) begins at `start`; some bytes may follow it. */
export interface VectorPlace {
  readonly path: string
  readonly start: number
  readonly end: number
}

export type SplitColumn =
  /**
   * The file's column of this name (top level), cast to the field's type where they differ; NULL when the file lacks it. Fields of rows inside are found
   * by name; `as` is set when their names changed since: the file's type with the names of now, and a name of its own for each field that is gone.
   */
  | { readonly kind: 'file'; readonly name: string; readonly field: Field; readonly as?: Type }
  | { readonly kind: 'constant'; readonly value: Value; readonly field: Field }

/** Reads splits: one for the whole engine, in `read.ts`. Batches are valid until the iterator is advanced. */
export type ReadSplit = (split: Split, want: Want, arena: Arena, stats: ScanStats) => AsyncIterable<Batch>
