/**
 * Rows in columns, their buffers in the one shared memory (`memory.ts`). Plain data: a batch is posted to a worker as it is, and only
 * addresses travel. Whoever made the arena that the buffers are in decides how long they live.
 */
import type { Address } from './memory.ts'
import type { Schema, Type } from './type.ts'

/** One column. Immutable. */
export interface Column {
  readonly type: Type
  readonly length: number
  /** One byte a row: 1 a value, 0 NULL. Undefined when no row is NULL. What lies under a NULL is unspecified but readable. */
  readonly valid: Address | undefined
  readonly data: Data
}

export type Data =
  /** Values side by side in the layout of the type, aligned to its width. */
  | { readonly kind: 'flat'; readonly values: Address }
  /** Row i is bytes[offsets[i] … offsets[i+1]); offsets are u32, length + 1 of them, the first need not be zero. 16 readable bytes behind the end. */
  | { readonly kind: 'var'; readonly offsets: Address; readonly bytes: Address }
  /** u32 codes into a dictionary (flat or var, no NULLs, at least one entry; entries need not be distinct). A NULL row's code is in range, too. */
  | { readonly kind: 'dict'; readonly codes: Address; readonly dictionary: Column }
  /** Every row is the only row of `one` (flat or var, length 1), which may be NULL; then `valid` of this column is undefined and `one.valid` tells. */
  | { readonly kind: 'const'; readonly one: Column }

/** Rows, and how many times each occurs. Immutable. */
export interface Batch {
  readonly schema: Schema
  readonly length: number
  readonly columns: readonly Column[]
  /** Address of one i32 a row: +n added n times, −n removed n times, never 0. Undefined: each row occurs once. */
  readonly weights?: Address
}
