/**
 * How a function of the table computes. Three ways, from fast to easy:
 *   wasm    emits code for one row; the compiler fuses it with its neighbours into one loop over the batch;
 *   column  an ordinary function over whole columns (a kernel call, a search over a byte buffer);
 *   value   an ordinary function of one row's values; the compiler decodes, calls, encodes, row by row.
 * A strict function's body never sees a NULL that matters: `value` is not called for such rows; `wasm` and `column` compute something for
 * them, which is thrown away, and must not raise for them (`Emitter.raise` looks after that; `column` is given `wanted`).
 */
import type { Column } from '../batch.ts'
import type { Address, Arena } from '../memory.ts'
import type { TextSettings } from '../text/settings.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { Code, Emitter } from '../wasm.ts'

/** The types at one call, modifiers included. */
export interface Site {
  readonly args: readonly Type[]
  readonly result: Type
}

/** What stays the same while a statement runs. `Parameters` of plan.ts is one. */
export interface Environment {
  /** Microseconds since 1970. */
  readonly now: bigint
  /** IANA name of the session's TimeZone. */
  readonly timeZone: string
  /** Settings of the session that change text input and output; absent: PostgreSQL's defaults. */
  readonly text?: Partial<TextSettings>
  /** What system functions ask of the session and its catalog; absent in workers, where they answer as for a session without objects. */
  readonly session?: SessionInfo
}

/** The session as functions like current_user and pg_get_indexdef see it. Every member may be missing. */
export interface SessionInfo {
  readonly user?: string
  readonly database?: string
  readonly processId?: number
  /** Schemas of the search path that exist, pg_catalog left out unless it is written. */
  readonly searchPath?: readonly string[]
  /** A setting as SHOW gives it. */
  setting?(name: string): string | undefined
  /** SET; gives the new value. */
  set?(name: string, value: string, local: boolean): string
  /** True when the object (a relation, type, function, …) is found without its schema; undefined when there is none. */
  visible?(oid: bigint): boolean | undefined
  /** Text of a definition: CREATE INDEX …, PRIMARY KEY (…), a view's query; column 0 is the whole object. */
  definition?(what: 'index' | 'constraint' | 'view' | 'rule' | 'trigger' | 'function' | 'partition key', oid: bigint, column: number): string | undefined
  /** A comment on an object, or on a column of it (0: the object). */
  comment?(oid: bigint, column: number): string | undefined
  /** Bytes of a relation's files. */
  size?(oid: bigint): bigint | undefined
}

/**
 * One row's value in generated code. The codes are cheap and without effect (a local, a constant): they may be repeated.
 * `valid` is an i32 that is 1 for a value, 0 for NULL; undefined when it cannot be NULL. What lies under a NULL is unspecified.
 */
export type Operand =
  | { readonly layout: 'u8' | 'i32' | 'i64' | 'f32' | 'f64'; readonly value: Code; readonly valid: Code | undefined }
  | { readonly layout: 'i128'; readonly low: Code; readonly high: Code; readonly valid: Code | undefined }
  | { readonly layout: 'var'; readonly address: Code; readonly length: Code; readonly valid: Code | undefined }

/** Emits the code for one row and tells where the result is. Of a strict function the result's `valid` may be left out: the compiler adds the arguments'. */
export type Emit = (e: Emitter, args: readonly Operand[], site: Site) => Operand

/** The result for one row's values. Throws `SqlError`. Of a strict function no argument is null. */
export type Run = (args: readonly Value[], environment: Environment, site: Site) => Value

/**
 * The results for `length` rows. The columns have that length, in any encoding; constants are `const` columns. Rows whose byte at `wanted` is 0
 * (undefined: none) are not looked at by anybody and must not raise. Of a strict function the result's `valid` may be left out.
 */
export type RunColumns = (columns: readonly Column[], length: number, arena: Arena, environment: Environment, site: Site, wanted: Address | undefined) => Column

export type Body =
  /** The compiler knows it: and, or, coalesce, … */
  | { readonly kind: 'special' }
  | { readonly kind: 'value'; readonly run: Run }
  | { readonly kind: 'column'; readonly run: RunColumns }
  /** `otherwise` computes where `accepts` says no (a numeric without precision, for instance); without `accepts` every site is emitted. */
  | { readonly kind: 'wasm'; readonly emit: Emit; readonly accepts?: (site: Site) => boolean; readonly otherwise?: Run }

export const SPECIAL: Body = { kind: 'special' }
export const value = (run: Run): Body => ({ kind: 'value', run })
export const columns = (run: RunColumns): Body => ({ kind: 'column', run })
export const wasm = (emit: Emit, accepts?: (site: Site) => boolean, otherwise?: Run): Body =>
  ({ kind: 'wasm', emit, ...(accepts === undefined ? {} : { accepts }), ...(otherwise === undefined ? {} : { otherwise }) })
