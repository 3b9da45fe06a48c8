/**
 * What a query says, before any name means anything: the syntax tree of expressions, FROM and SELECT (statements: `statement-syntax.ts`).
 * Plain readonly data, our own: no shape of the parser behind it leaks. `at` is the 1-based character position in the statement's
 * text, and every node that can be wrong carries it. Absent lists are empty, absent parts are absent.
 *
 * Names are folded as Postgres folds them (unquoted: lower case). A `Path` is a dotted name, outermost part first: ['schema', 'table'].
 */
import type { Delete, Insert, Merge, Update } from './statement-syntax.ts'

export type Path = readonly string[]

// ---------------------------------------------------------------------------------------------------------------- expressions

export type Expression =
  | LiteralExpression | ParamExpression | ColumnExpression | StarExpression | FieldExpression | SubscriptExpression | CallExpression
  | OperatorExpression | LogicExpression | NotExpression | IsExpression | IsDistinctExpression | InListExpression | BetweenExpression
  | LikeExpression | QuantifiedExpression | SubqueryExpression | InQueryExpression | QuantifiedQueryExpression | CaseExpression
  | CastExpression | ArrayExpression | RowExpression | CollateExpression | CoalesceExpression | NullifExpression | ExtremeExpression
  | CurrentExpression | GroupingExpression | DefaultExpression | TableArgumentExpression

/**
 * A constant. `number` keeps the text exactly (`1`, `0.1000`, `1e5`, `-9223372036854775808`: a minus directly before a number is
 * folded into it, as in Postgres; `0x1F`, `1_000` keep their spelling). `string` and `null` are of unknown type. `bits` is '1010' for
 * B'1010', and for X'1F' the hexadecimal digits with `hex` true.
 */
export type LiteralExpression =
  | { readonly kind: 'number'; readonly text: string; readonly at: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'bits'; readonly digits: string; readonly hex: boolean; readonly at: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly at: number }
  | { readonly kind: 'null'; readonly at: number }

/** $1 has index 1. */
export interface ParamExpression { readonly kind: 'param'; readonly index: number; readonly at: number }

/** `a`, `t.a`, `s.t.a`, `db.s.t.a`. */
export interface ColumnExpression { readonly kind: 'column'; readonly path: Path; readonly at: number }

/** `*` (empty path) or `t.*`: in a target list, as a whole row in other places. `count(*)` is not this: see `CallExpression.star`. */
export interface StarExpression { readonly kind: 'star'; readonly path: Path; readonly at: number }

/** `(e).name`; `name` is '*' with `star` true for `(e).*`. */
export interface FieldExpression { readonly kind: 'field'; readonly of: Expression; readonly name: string; readonly star: boolean; readonly at: number }

/** `e[i]`, or `e[lower:upper]` when `slice`; the bounds of a slice may be absent. */
export interface SubscriptExpression {
  readonly kind: 'subscript'
  readonly of: Expression
  readonly slice: boolean
  readonly index?: Expression
  readonly upper?: Expression
  readonly at: number
}

export interface Argument {
  /** `name => value` */
  readonly name?: string
  readonly value: Expression
}

/**
 * A function call. SQL's own spellings are calls of functions with `sqlSyntax` true and Postgres's argument order: `e AT TIME ZONE z` is
 * pg_catalog.timezone(z, e); EXTRACT(f FROM e) is pg_catalog.extract('f', e); SUBSTRING(e FROM a FOR b) is pg_catalog.substring(e, a, b);
 * POSITION(a IN b) is pg_catalog.position(b, a); TRIM is pg_catalog.btrim / ltrim / rtrim; OVERLAY is pg_catalog.overlay;
 * `(a, b) OVERLAPS (c, d)` is pg_catalog.overlaps(a, b, c, d).
 */
export interface CallExpression {
  readonly kind: 'call'
  readonly path: Path
  readonly args: readonly Argument[]
  /** `count(*)` */
  readonly star: boolean
  readonly distinct: boolean
  /** The last argument is an array of arguments. */
  readonly variadic: boolean
  readonly orderBy: readonly SortItem[]
  /** The ORDER BY was given as WITHIN GROUP (…): an ordered-set aggregate. */
  readonly withinGroup: boolean
  readonly filter?: Expression
  readonly over?: WindowSpecification
  readonly sqlSyntax: boolean
  readonly at: number
}

/** An operator by its symbol; `left` is absent for a prefix operator. `path` is the schema of OPERATOR(schema.op), else empty. `!=` reads as `<>`. */
export interface OperatorExpression {
  readonly kind: 'operator'
  readonly symbol: string
  readonly schema: Path
  readonly left?: Expression
  readonly right: Expression
  readonly at: number
}

export interface LogicExpression { readonly kind: 'and' | 'or'; readonly args: readonly Expression[]; readonly at: number }
export interface NotExpression { readonly kind: 'not'; readonly arg: Expression; readonly at: number }

/** `e IS [NOT] NULL | TRUE | FALSE | UNKNOWN`. */
export interface IsExpression {
  readonly kind: 'is'
  readonly what: 'null' | 'true' | 'false' | 'unknown'
  readonly not: boolean
  readonly arg: Expression
  readonly at: number
}

export interface IsDistinctExpression { readonly kind: 'isDistinct'; readonly not: boolean; readonly left: Expression; readonly right: Expression; readonly at: number }
export interface InListExpression { readonly kind: 'inList'; readonly not: boolean; readonly arg: Expression; readonly list: readonly Expression[]; readonly at: number }

export interface BetweenExpression {
  readonly kind: 'between'
  readonly not: boolean
  readonly symmetric: boolean
  readonly arg: Expression
  readonly low: Expression
  readonly high: Expression
  readonly at: number
}

/** LIKE, ILIKE, SIMILAR TO. `escape` is the expression after ESCAPE. (`~~` written as an operator is an OperatorExpression.) */
export interface LikeExpression {
  readonly kind: 'like'
  readonly how: 'like' | 'ilike' | 'similar'
  readonly not: boolean
  readonly arg: Expression
  readonly pattern: Expression
  readonly escape?: Expression
  readonly at: number
}

/** `left op ANY (array)` or `ALL (array)`; SOME is ANY. `symbol` may also be LIKE's `~~`, `!~~`, `~~*`, `!~~*`. */
export interface QuantifiedExpression {
  readonly kind: 'quantified'
  readonly how: 'any' | 'all'
  readonly symbol: string
  readonly left: Expression
  readonly array: Expression
  readonly at: number
}

/** `(query)` as a value, EXISTS (query), ARRAY(query). */
export interface SubqueryExpression { readonly kind: 'subquery'; readonly how: 'scalar' | 'exists' | 'array'; readonly query: Query; readonly at: number }

/** `left [NOT] IN (query)`; `left` is a row for `(a, b) IN (…)`. */
export interface InQueryExpression { readonly kind: 'inQuery'; readonly not: boolean; readonly left: Expression; readonly query: Query; readonly at: number }

/** `left op ANY (query)` or `ALL (query)`. */
export interface QuantifiedQueryExpression {
  readonly kind: 'quantifiedQuery'
  readonly how: 'any' | 'all'
  readonly symbol: string
  readonly left: Expression
  readonly query: Query
  readonly at: number
}

export interface CaseExpression {
  readonly kind: 'case'
  /** CASE operand WHEN value …; without it every `when` is a condition. */
  readonly operand?: Expression
  readonly arms: readonly { readonly when: Expression; readonly then: Expression; readonly at: number }[]
  readonly otherwise?: Expression
  readonly at: number
}

/** CAST(e AS t), `e::t`, and `t 'literal'`: Postgres gives the three the same meaning. */
export interface CastExpression { readonly kind: 'cast'; readonly arg: Expression; readonly type: TypeName; readonly at: number }

/** ARRAY[…]; nested brackets are nested nodes. */
export interface ArrayExpression { readonly kind: 'array'; readonly elements: readonly Expression[]; readonly at: number }

/** ROW(…) or (a, b). */
export interface RowExpression { readonly kind: 'row'; readonly fields: readonly Expression[]; readonly at: number }
export interface CollateExpression { readonly kind: 'collate'; readonly arg: Expression; readonly collation: Path; readonly at: number }
export interface CoalesceExpression { readonly kind: 'coalesce'; readonly args: readonly Expression[]; readonly at: number }
export interface NullifExpression { readonly kind: 'nullif'; readonly left: Expression; readonly right: Expression; readonly at: number }
export interface ExtremeExpression { readonly kind: 'extreme'; readonly how: 'greatest' | 'least'; readonly args: readonly Expression[]; readonly at: number }

/** Values without parentheses. `precision` is that of CURRENT_TIMESTAMP(3). */
export interface CurrentExpression {
  readonly kind: 'current'
  readonly what: 'current_date' | 'current_time' | 'current_timestamp' | 'localtime' | 'localtimestamp' | 'current_role' | 'current_user' | 'session_user' | 'user' | 'current_catalog' | 'current_schema'
  readonly precision?: number
  readonly at: number
}

export interface GroupingExpression { readonly kind: 'grouping'; readonly args: readonly Expression[]; readonly at: number }

/** DEFAULT, in INSERT … VALUES and UPDATE … SET only. */
export interface DefaultExpression { readonly kind: 'default'; readonly at: number }

/** `TABLE t [PARTITION BY …]` as an argument of a table function: TUMBLE(TABLE t, DESCRIPTOR(ts), …). */
export interface TableArgumentExpression { readonly kind: 'tableArgument'; readonly path: Path; readonly partitionBy: readonly Path[]; readonly at: number }

/**
 * A type by name. SQL's spellings are Postgres's names already: `int` → int4, `double precision` → float8, `varchar(10)` → varchar with
 * modifiers [10], `timestamp(3) with time zone` → timestamptz [3], `character` → bpchar. Flink's names are kept lower-case (`string`,
 * `bytes`, `tinyint`, `double`, `timestamp_ltz`; `timestamp(3) with local time zone` reads as timestamp_ltz). A schema in front is in `path`.
 */
export interface TypeName {
  readonly path: Path
  readonly modifiers: readonly Expression[]
  /** Number of array dimensions: `int[][]` has 2. Postgres ignores the sizes. */
  readonly dimensions: number
  /** The fields of `INTERVAL DAY TO SECOND`, as written: 'day to second'. Its precision is in `modifiers`. */
  readonly intervalFields?: string
  /** `SETOF t`; only in function definitions and column definition lists. */
  readonly setOf: boolean
  /** `ARRAY<T>`, `MAP<K, V>`, `MULTISET<T>`: path is ['array'], ['map'], ['multiset'], and these are T, or K and V. */
  readonly arguments?: readonly TypeName[]
  /** `ROW<a INT, b STRING>`: path is ['row']. */
  readonly fields?: readonly { readonly name: string; readonly type: TypeName; readonly notNull: boolean; readonly comment?: string }[]
  /** NOT NULL behind a type inside angle brackets. */
  readonly notNull?: boolean
  readonly at: number
}

// ---------------------------------------------------------------------------------------------------------------- queries

export interface Query {
  readonly kind: 'query'
  readonly with?: With
  readonly body: QueryBody
  readonly orderBy: readonly SortItem[]
  /** LIMIT e or FETCH FIRST e ROWS; absent also for LIMIT ALL. */
  readonly limit?: Expression
  /** FETCH FIRST … WITH TIES. */
  readonly withTies: boolean
  readonly offset?: Expression
  readonly locking: readonly Locking[]
  /** EMIT ON WINDOW CLOSE, EMIT CHANGES, … behind the query, in lower case: 'on window close'. */
  readonly emit?: string
  readonly at: number
}

export type QueryBody = Select | Values | SetOperation

export interface Select {
  readonly kind: 'select'
  /** SELECT DISTINCT; with `on`, DISTINCT ON (…). */
  readonly distinct?: { readonly on: readonly Expression[] }
  readonly targets: readonly Target[]
  /** Comma-separated: a cross join. */
  readonly from: readonly FromItem[]
  readonly where?: Expression
  readonly groupBy: readonly GroupItem[]
  /** GROUP BY DISTINCT: equal grouping sets count once. */
  readonly groupDistinct: boolean
  readonly having?: Expression
  readonly windows: readonly { readonly name: string; readonly window: WindowSpecification }[]
  /** SELECT … INTO t: CREATE TABLE AS in other words. */
  readonly into?: TableReference
  /** `SELECT /*+ BROADCAST(t) *\/ …`. */
  readonly hints: readonly Hint[]
  readonly at: number
}

export interface Target {
  readonly expression: Expression
  /** The alias, if one was written. */
  readonly alias?: string
  readonly at: number
}

/** VALUES (…), (…): every row of equal length (42601 otherwise is the binder's). */
export interface Values { readonly kind: 'values'; readonly rows: readonly (readonly Expression[])[]; readonly at: number }

export interface SetOperation {
  readonly kind: 'setOperation'
  readonly how: 'union' | 'intersect' | 'except'
  readonly all: boolean
  readonly left: Query
  readonly right: Query
  readonly at: number
}

export interface With { readonly recursive: boolean; readonly tables: readonly CommonTable[]; readonly at: number }

export interface CommonTable {
  readonly name: string
  readonly columns: readonly string[]
  readonly materialized: 'default' | 'always' | 'never'
  readonly statement: CommonTableBody
  /** SEARCH BREADTH|DEPTH FIRST BY … SET … or CYCLE …: named so that it can be refused. */
  readonly clause?: 'SEARCH' | 'CYCLE'
  readonly at: number
}

/** A query, or a data-changing statement, whose rows are those of its RETURNING. */
export type CommonTableBody = Query | Insert | Update | Delete | Merge

export interface SortItem {
  readonly expression: Expression
  readonly descending: boolean
  /** As written; absent: Postgres's default (last when ascending, first when descending). */
  readonly nulls?: 'first' | 'last'
  /** ORDER BY e USING <: the operator. */
  readonly using?: string
  readonly at: number
}

export type GroupItem =
  | { readonly kind: 'expression'; readonly expression: Expression; readonly at: number }
  /** GROUP BY () */
  | { readonly kind: 'empty'; readonly at: number }
  /** ROLLUP (…), CUBE (…): an item that is a row stands for several columns at once. */
  | { readonly kind: 'rollup' | 'cube'; readonly items: readonly Expression[]; readonly at: number }
  | { readonly kind: 'sets'; readonly sets: readonly GroupItem[]; readonly at: number }

/** OVER name, OVER (…), or an entry of WINDOW. */
export interface WindowSpecification {
  /** OVER w: the window itself. */
  readonly name?: string
  /** OVER (w ORDER BY …): the window that this one refines. */
  readonly base?: string
  readonly partitionBy: readonly Expression[]
  readonly orderBy: readonly SortItem[]
  /** Absent: RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW. */
  readonly frame?: WindowFrame
  readonly at: number
}

export interface WindowFrame {
  readonly unit: 'rows' | 'range' | 'groups'
  readonly start: FrameBound
  /** Absent in the source means CURRENT ROW, which is what stands here. */
  readonly end: FrameBound
  readonly exclude: 'none' | 'current row' | 'group' | 'ties'
}

export type FrameBound =
  | { readonly kind: 'unboundedPreceding' | 'currentRow' | 'unboundedFollowing' }
  | { readonly kind: 'preceding' | 'following'; readonly offset: Expression }

export interface Locking {
  readonly strength: 'update' | 'no key update' | 'share' | 'key share'
  readonly tables: readonly Path[]
  readonly wait: 'block' | 'nowait' | 'skip'
}

// ---------------------------------------------------------------------------------------------------------------- FROM

export type FromItem = TableFrom | QueryFrom | FunctionFrom | JoinFrom

export interface Alias {
  readonly name: string
  readonly columns: readonly string[]
}

/** A table, view or common table, with what FROM may say of it. */
export interface TableReference {
  readonly path: Path
  /** ONLY t. */
  readonly only: boolean
  readonly alias?: Alias
  readonly at: number
}

export interface TableFrom extends TableReference {
  readonly kind: 'table'
  readonly asOf?: AsOfClause
  readonly hints: readonly Hint[]
  readonly sample?: TableSample
}

/** FOR SYSTEM_VERSION AS OF e (also FOR VERSION AS OF) or FOR SYSTEM_TIME AS OF e (also FOR TIMESTAMP AS OF). */
export interface AsOfClause { readonly what: 'version' | 'time'; readonly value: Expression; readonly at: number }

/** `/*+ OPTIONS('k'='v') *\/`: name upper-case; an argument without `=` has no key. */
export interface Hint { readonly name: string; readonly arguments: readonly { readonly key?: string; readonly value: string }[]; readonly at: number }

export interface TableSample { readonly method: Path; readonly args: readonly Expression[]; readonly repeatable?: Expression; readonly at: number }

export interface QueryFrom { readonly kind: 'subquery'; readonly query: Query; readonly lateral: boolean; readonly alias?: Alias; readonly at: number }

/** f(…) or ROWS FROM (f(…), g(…)): several functions side by side. */
export interface FunctionFrom {
  readonly kind: 'function'
  readonly functions: readonly { readonly call: Expression; readonly columns: readonly ColumnDefinition[] }[]
  readonly ordinality: boolean
  readonly lateral: boolean
  /** ROWS FROM was written. */
  readonly rowsFrom: boolean
  readonly alias?: Alias
  /** f(…) AS (a int, b text). */
  readonly columns: readonly ColumnDefinition[]
  readonly at: number
}

export interface ColumnDefinition { readonly name: string; readonly type: TypeName; readonly at: number }

export interface JoinFrom {
  readonly kind: 'join'
  /** CROSS JOIN is `inner` without on, using and natural. */
  readonly how: 'inner' | 'left' | 'right' | 'full'
  readonly natural: boolean
  /** ASOF JOIN: the nearest row; the inequality is in `on`. */
  readonly asof: boolean
  readonly left: FromItem
  readonly right: FromItem
  readonly on?: Expression
  readonly using?: readonly string[]
  /** JOIN … USING (…) AS x. */
  readonly usingAlias?: string
  /** (a JOIN b …) AS x (…): hides the names inside. */
  readonly alias?: Alias
  readonly at: number
}
