/**
 * What a statement says, before any name means anything: everything that is not a query or expression (those: `syntax.ts`). Same rules:
 * plain readonly data, `at` is the 1-based character position in the statement's text.
 */
import type { Expression, FromItem, Hint, Path, Query, TableReference, Target, TypeName, With } from './syntax.ts'

export type Statement =
  | QueryStatement | Insert | Update | Delete | Merge
  | CreateTable | CreateView | CreateSchema | CreateDatabase | CreateStreaming | Drop | Alter | Truncate | CommentOn
  | Copy | Explain | Prepare | Execute | Deallocate
  | SetSetting | SetTransaction | ShowSetting | ShowObjects | ResetSetting | Discard
  | Transaction | Declare | Fetch | Close | Subscribe | Listen | Notify | Maintenance | UseSchema | Other | Empty

/** SELECT, VALUES, TABLE. A SELECT … INTO is one too: its `into` says so. */
export interface QueryStatement { readonly kind: 'select'; readonly query: Query; readonly at: number }

// ---------------------------------------------------------------------------------------------------------------- changes

export interface Insert {
  readonly kind: 'insert'
  readonly with?: With
  readonly table: TableReference
  /** Absent: all columns. */
  readonly columns?: readonly { readonly name: string; readonly indirection: boolean; readonly at: number }[]
  /** VALUES and SELECT alike; 'default' is DEFAULT VALUES. */
  readonly source: Query | 'default'
  readonly overriding?: 'user' | 'system'
  readonly onConflict?: OnConflict
  readonly returning?: readonly Target[]
  /** INSERT OVERWRITE: the written partitions' old rows go. `partition` is PARTITION (k = v, …). */
  readonly overwrite: boolean
  readonly partition: readonly { readonly name: string; readonly value: Expression }[]
  /** UPSERT INTO */
  readonly upsert: boolean
  readonly hints: readonly Hint[]
  readonly at: number
}

export interface OnConflict {
  readonly action: 'nothing' | 'update'
  readonly columns: readonly { readonly expression: Expression; readonly at: number }[]
  readonly columnsWhere?: Expression
  readonly constraint?: string
  readonly set: readonly Assignment[]
  readonly where?: Expression
  readonly at: number
}

/** `a = e`; or `(a, b) = source`, where the source is a row, or a subquery giving one. `indirection`: `a[1] = …`, `a.b = …`. */
export type Assignment =
  | { readonly kind: 'one'; readonly column: string; readonly indirection: boolean; readonly value: Expression; readonly at: number }
  | { readonly kind: 'several'; readonly columns: readonly { readonly name: string; readonly at: number }[]; readonly value: Expression; readonly at: number }

export interface Update {
  readonly kind: 'update'
  readonly with?: With
  readonly table: TableReference
  readonly set: readonly Assignment[]
  readonly from: readonly FromItem[]
  readonly where?: Expression
  /** WHERE CURRENT OF cursor. */
  readonly currentOf?: string
  readonly returning?: readonly Target[]
  readonly at: number
}

export interface Delete {
  readonly kind: 'delete'
  readonly with?: With
  readonly table: TableReference
  readonly using: readonly FromItem[]
  readonly where?: Expression
  readonly currentOf?: string
  readonly returning?: readonly Target[]
  readonly at: number
}

export interface Merge {
  readonly kind: 'merge'
  readonly with?: With
  readonly table: TableReference
  readonly source: FromItem
  readonly on: Expression
  readonly arms: readonly MergeArm[]
  readonly returning?: readonly Target[]
  readonly at: number
}

export interface MergeArm {
  readonly when: 'matched' | 'not matched' | 'not matched by source'
  readonly condition?: Expression
  readonly action:
    | { readonly kind: 'nothing' | 'delete' }
    | { readonly kind: 'update'; readonly set: readonly Assignment[] }
    /** No columns: all; `values` absent is DEFAULT VALUES. */
    | { readonly kind: 'insert'; readonly columns?: readonly { readonly name: string; readonly at: number }[]; readonly values?: readonly Expression[]; readonly overriding?: 'user' | 'system' }
  readonly at: number
}

// ---------------------------------------------------------------------------------------------------------------- definitions

/** `WITH ('k' = 'v', dotted.key = 4)`. Values are text: `true`, `4`, `latest`; a key alone has 'true'. Unquoted keys are folded to lower case. */
export interface Option { readonly key: string; readonly value: string; readonly at: number }

export interface CreateTable {
  readonly kind: 'createTable'
  readonly table: TableReference
  readonly ifNotExists: boolean
  readonly replace: boolean
  readonly persistence: 'permanent' | 'temporary' | 'unlogged'
  readonly columns: readonly TableColumn[]
  readonly constraints: readonly TableConstraint[]
  /** LIKE t [INCLUDING …]. */
  readonly like: readonly { readonly path: Path; readonly including: readonly string[]; readonly at: number }[]
  /** PARTITIONED BY (a, b) */
  readonly partitionedBy: readonly string[]
  readonly options: readonly Option[]
  readonly comment?: string
  readonly watermark?: Watermark
  /** CREATE TABLE … AS query; `columns` then carry names without a type. */
  readonly as?: { readonly query: Query; readonly columns: readonly string[]; readonly withData: boolean }
  /** APPEND ONLY */
  readonly appendOnly: boolean
  /** Clauses that have no node, by name ('INHERITS', 'PARTITION BY', 'ON COMMIT', 'FORMAT PLAIN ENCODE JSON', …): kept so that they can be refused by name. */
  readonly otherClauses: readonly { readonly name: string; readonly at: number }[]
  readonly at: number
}

export interface TableColumn {
  readonly name: string
  /** Absent for a computed column without a declared type. */
  readonly type?: TypeName
  /** NOT NULL written (a PRIMARY KEY also implies it; that is the binder's). */
  readonly notNull: boolean
  readonly primaryKey: boolean
  readonly unique: boolean
  readonly default?: Expression
  readonly check: readonly { readonly name?: string; readonly expression: Expression }[]
  readonly references?: Path
  readonly collation?: Path
  readonly comment?: string
  /** GENERATED ALWAYS AS (e) STORED, or Flink's `c AS e`. */
  readonly computed?: Expression
  /** GENERATED … AS IDENTITY, and the `serial` types are kept as types. */
  readonly identity?: 'always' | 'by default'
  /** METADATA [FROM 'key'] [VIRTUAL] of Flink; LATENESS e of Feldera. */
  readonly metadata?: string
  readonly lateness?: Expression
  readonly at: number
}

export interface TableConstraint {
  readonly kind: 'primaryKey' | 'unique' | 'check' | 'foreignKey' | 'exclude'
  readonly name?: string
  readonly columns: readonly string[]
  readonly expression?: Expression
  readonly references?: Path
  readonly notEnforced: boolean
  readonly at: number
}

/** WATERMARK FOR column AS expression */
export interface Watermark { readonly column: string; readonly expression: Expression; readonly at: number }

export interface CreateView {
  readonly kind: 'createView'
  readonly view: TableReference
  readonly columns: readonly string[]
  readonly query: Query
  /** The text of the query, exactly as written. */
  readonly sql: string
  readonly replace: boolean
  readonly ifNotExists: boolean
  readonly materialized: boolean
  readonly persistence: 'permanent' | 'temporary' | 'unlogged'
  readonly recursive: boolean
  readonly options: readonly Option[]
  /** WITH CHECK OPTION */
  readonly checkOption?: 'local' | 'cascaded'
  readonly withData: boolean
  readonly comment?: string
  readonly at: number
}

export interface CreateSchema { readonly kind: 'createSchema'; readonly name: string; readonly ifNotExists: boolean; readonly options: readonly Option[]; readonly comment?: string; readonly elements: number; readonly at: number }

/** CREATE DATABASE (a lake of Postgres; a schema of Flink and Spark). */
export interface CreateDatabase { readonly kind: 'createDatabase'; readonly name: string; readonly ifNotExists: boolean; readonly options: readonly Option[]; readonly comment?: string; readonly at: number }

/** CREATE SOURCE, SINK, SUBSCRIPTION, CONNECTION, CATALOG of the streaming dialects. */
export interface CreateStreaming {
  readonly kind: 'createStreaming'
  readonly object: 'source' | 'sink' | 'subscription' | 'connection' | 'catalog'
  readonly name: Path
  readonly ifNotExists: boolean
  /** CREATE SOURCE s (columns …). */
  readonly columns: readonly TableColumn[]
  readonly constraints: readonly TableConstraint[]
  readonly watermark?: Watermark
  /** FROM t */
  readonly from?: Path
  /** INTO t */
  readonly into?: Path
  /** AS query */
  readonly query?: Query
  readonly options: readonly Option[]
  readonly otherClauses: readonly { readonly name: string; readonly at: number }[]
  readonly at: number
}

/** `object` in lower case: 'table', 'view', 'materialized view', 'schema', 'database', 'source', 'index', 'function', … Names of functions come without their arguments. */
export interface Drop {
  readonly kind: 'drop'
  readonly object: string
  readonly names: readonly { readonly path: Path; readonly at: number }[]
  readonly ifExists: boolean
  readonly cascade: boolean
  readonly at: number
}

export interface Alter {
  readonly kind: 'alter'
  /** 'table', 'view', 'materialized view', 'schema', 'database', 'source', 'sink', 'sequence', 'index', … */
  readonly object: string
  readonly name: Path
  readonly ifExists: boolean
  readonly only: boolean
  readonly actions: readonly AlterAction[]
  readonly at: number
}

export type AlterAction =
  /** `position`: FIRST, or AFTER a column. */
  | { readonly kind: 'addColumn'; readonly column: TableColumn; readonly ifNotExists: boolean; readonly position?: { readonly after?: string }; readonly at: number }
  | { readonly kind: 'dropColumn'; readonly name: string; readonly ifExists: boolean; readonly cascade: boolean; readonly at: number }
  | { readonly kind: 'renameColumn'; readonly name: string; readonly to: string; readonly at: number }
  | { readonly kind: 'rename'; readonly to: string; readonly at: number }
  | { readonly kind: 'columnType'; readonly name: string; readonly type: TypeName; readonly using?: Expression; readonly at: number }
  | { readonly kind: 'setDefault'; readonly name: string; readonly value: Expression; readonly at: number }
  | { readonly kind: 'dropDefault' | 'setNotNull' | 'dropNotNull'; readonly name: string; readonly at: number }
  | { readonly kind: 'columnComment'; readonly name: string; readonly comment: string; readonly at: number }
  | { readonly kind: 'columnPosition'; readonly name: string; readonly position: { readonly after?: string }; readonly at: number }
  | { readonly kind: 'addConstraint'; readonly constraint: TableConstraint; readonly at: number }
  | { readonly kind: 'dropConstraint'; readonly name: string; readonly ifExists: boolean; readonly cascade: boolean; readonly at: number }
  | { readonly kind: 'setOptions'; readonly options: readonly Option[]; readonly at: number }
  | { readonly kind: 'resetOptions'; readonly keys: readonly string[]; readonly at: number }
  | { readonly kind: 'setSchema'; readonly schema: string; readonly at: number }
  /** ALTER TABLE t DROP PARTITION (dt = '…'), …; ADD PARTITION likewise. */
  | { readonly kind: 'addPartition' | 'dropPartition'; readonly partitions: readonly (readonly { readonly name: string; readonly value: Expression }[])[]; readonly ifExists: boolean; readonly at: number }
  /** What has no node, by name: 'OWNER TO', 'ENABLE TRIGGER', 'SWAP WITH', … */
  | { readonly kind: 'other'; readonly name: string; readonly at: number }

export interface Truncate { readonly kind: 'truncate'; readonly tables: readonly TableReference[]; readonly restartIdentity: boolean; readonly cascade: boolean; readonly at: number }

/** COMMENT ON TABLE t IS '…'; the path of a column ends in the column's name. */
export interface CommentOn { readonly kind: 'comment'; readonly object: string; readonly name: Path; readonly comment: string | undefined; readonly at: number }

// ---------------------------------------------------------------------------------------------------------------- COPY, EXPLAIN, prepared statements

export interface Copy {
  readonly kind: 'copy'
  readonly direction: 'from' | 'to'
  readonly what:
    | { readonly kind: 'table'; readonly table: TableReference; readonly columns?: readonly { readonly name: string; readonly at: number }[] }
    | { readonly kind: 'statement'; readonly statement: Statement }
  /** The client's stream, a file of the server, or a program. */
  readonly place: { readonly kind: 'client' } | { readonly kind: 'file' | 'program'; readonly path: string }
  readonly options: CopyOptions
  readonly where?: Expression
  readonly at: number
}

/** As written; defaults are Postgres's and the executor's. */
export interface CopyOptions {
  readonly format?: string
  readonly delimiter?: string
  readonly null?: string
  readonly default?: string
  readonly header?: 'true' | 'false' | 'match'
  readonly quote?: string
  readonly escape?: string
  readonly forceQuote?: readonly string[] | '*'
  readonly forceNotNull?: readonly string[] | '*'
  readonly forceNull?: readonly string[] | '*'
  readonly encoding?: string
  readonly freeze?: boolean
  /** Options that Postgres 15 does not have. */
  readonly others: readonly Option[]
}

export interface Explain {
  readonly kind: 'explain'
  readonly statement: Statement
  readonly analyze: boolean
  readonly verbose: boolean
  readonly format: 'text' | 'json' | 'xml' | 'yaml'
  /** Options besides ANALYZE, VERBOSE and FORMAT, in the order written: COSTS, BUFFERS, TIMING, SUMMARY, SETTINGS, WAL, and what Postgres does not know. */
  readonly options: readonly Option[]
  readonly at: number
}

export interface Prepare { readonly kind: 'prepare'; readonly name: string; readonly types: readonly TypeName[]; readonly statement: Statement; /** The statement's text. Its positions refer to the whole. */ readonly sql: string; readonly at: number }
export interface Execute { readonly kind: 'execute'; readonly name: string; readonly args: readonly Expression[]; readonly at: number }
/** Without a name: ALL. */
export interface Deallocate { readonly kind: 'deallocate'; readonly name?: string; readonly at: number }

// ---------------------------------------------------------------------------------------------------------------- settings, transactions

export interface SetSetting {
  readonly kind: 'set'
  /** Lower case: 'datestyle', 'timezone', 'search_path', 'table.exec.state.ttl'. SET NAMES is client_encoding, SET ROLE is role, SET SESSION AUTHORIZATION is session_authorization. */
  readonly name: string
  /** The values as text, one per comma; 'default' when `SET x TO DEFAULT`. */
  readonly values: readonly string[] | 'default'
  readonly local: boolean
  readonly at: number
}

export interface TransactionModes { readonly isolation?: 'serializable' | 'repeatable read' | 'read committed' | 'read uncommitted'; readonly readOnly?: boolean; readonly deferrable?: boolean }

/** SET TRANSACTION, or SET SESSION CHARACTERISTICS AS TRANSACTION. */
export interface SetTransaction { readonly kind: 'setTransaction'; readonly session: boolean; readonly modes: TransactionModes; /** SET TRANSACTION SNAPSHOT 'id' */ readonly snapshot?: string; readonly at: number }

/** SHOW name; 'all' for SHOW ALL; 'timezone' for SHOW TIME ZONE; 'transaction_isolation' for SHOW TRANSACTION ISOLATION LEVEL. */
export interface ShowSetting { readonly kind: 'show'; readonly name: string; readonly at: number }

/** SHOW TABLES and its like, DESCRIBE t. */
export interface ShowObjects {
  readonly kind: 'showObjects'
  /** Lower case: 'tables', 'views', 'materialized views', 'columns', 'databases', 'schemas', 'sources', 'create table', 'partitions', 'jobs', … DESCRIBE is 'columns'. */
  readonly what: string
  /** FROM or IN a schema or table, or the name behind (SHOW CREATE TABLE t, SHOW PARTITIONS t). */
  readonly from?: Path
  readonly like?: string
  readonly at: number
}

/** Without a name: RESET ALL. */
export interface ResetSetting { readonly kind: 'reset'; readonly name?: string; readonly at: number }
export interface Discard { readonly kind: 'discard'; readonly what: 'all' | 'plans' | 'sequences' | 'temp'; readonly at: number }

/** START TRANSACTION is begin, END is commit, ABORT is rollback. `chain`: AND CHAIN. `name` is the savepoint's, or the prepared transaction's id. */
export interface Transaction {
  readonly kind: 'transaction'
  readonly what: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollbackTo' | 'prepareTransaction' | 'commitPrepared' | 'rollbackPrepared'
  readonly name?: string
  readonly chain: boolean
  readonly modes: TransactionModes
  readonly at: number
}

// ---------------------------------------------------------------------------------------------------------------- cursors, subscriptions, notices

export interface Declare {
  readonly kind: 'declare'
  readonly name: string
  readonly binary: boolean
  readonly scroll?: boolean
  readonly hold: boolean
  readonly insensitive?: boolean
  readonly query: Query | Subscribe
  /** The query's text, as written. */
  readonly sql: string
  readonly at: number
}

/** FETCH and MOVE. `count` 'all' for ALL; negative: backward. `direction` 'absolute' and 'relative' go with a count. FETCH NEXT is forward 1, PRIOR backward 1, FIRST absolute 1, LAST absolute -1. */
export interface Fetch {
  readonly kind: 'fetch'
  readonly move: boolean
  readonly cursor: string
  readonly direction: 'forward' | 'backward' | 'absolute' | 'relative'
  readonly count: number | 'all'
  /** WITH (timeout = '1s'): the text. */
  readonly timeout?: string
  readonly at: number
}

/** Without a name: ALL. */
export interface Close { readonly kind: 'close'; readonly name?: string; readonly at: number }

export interface Subscribe {
  readonly kind: 'subscribe'
  readonly what: { readonly kind: 'table'; readonly table: TableReference } | { readonly kind: 'query'; readonly query: Query }
  /** The text of the query or table, as written. */
  readonly sql: string
  readonly snapshot?: boolean
  readonly progress?: boolean
  /** Options besides SNAPSHOT and PROGRESS. */
  readonly options: readonly Option[]
  readonly asOf?: { readonly value: Expression; readonly atLeast: boolean }
  readonly upTo?: Expression
  readonly envelope?: { readonly kind: 'upsert' | 'debezium'; readonly key: readonly string[]; readonly at: number }
  readonly at: number
}

/** LISTEN c; UNLISTEN c; UNLISTEN * has no channel. */
export interface Listen { readonly kind: 'listen' | 'unlisten'; readonly channel?: string; readonly at: number }
export interface Notify { readonly kind: 'notify'; readonly channel: string; readonly payload?: string; readonly at: number }

/** VACUUM, ANALYZE, CHECKPOINT, FLUSH, WAIT, RECOVER, REFRESH, … of tables. */
export interface Maintenance {
  readonly kind: 'maintenance'
  readonly what: 'vacuum' | 'analyze' | 'checkpoint' | 'flush' | 'wait' | 'recover' | 'refresh' | 'refresh materialized view' | 'cancel jobs' | 'kill' | 'lock'
  readonly tables: readonly Path[]
  readonly options: readonly Option[]
  readonly at: number
}

/** USE s */
export interface UseSchema { readonly kind: 'use'; readonly path: Path; readonly at: number }

/** A statement that is understood to be one, but has no node: `name` is its command ('CREATE TRIGGER', 'GRANT', 'CREATE FUNCTION'), for the error that refuses it. */
export interface Other { readonly kind: 'other'; readonly name: string; readonly at: number }

/** No statement at all: white space and comments. */
export interface Empty { readonly kind: 'empty'; readonly at: number }
