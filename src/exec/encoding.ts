import type { Type } from '../type.ts'

/**
 * How a column lies. `lookup`: codes into entries that may be NULL themselves; NULL rows have an entry of their own. `none`: every row is NULL.
 */
export interface Encoding {
  readonly kind: 'flat' | 'var' | 'dict' | 'const' | 'none' | 'lookup'
  /** There are validity bytes of rows (of entries, for a lookup). */
  readonly nullable: boolean
  /** A lookup whose codes need correcting: its rows have validity bytes. */
  readonly rowsNullable: boolean
  readonly type: Type
}
