/** placeholder while the file is written */
import type { Value } from '../value.ts'
export interface Stats { readonly rows: number; column(index: number): ColumnStats | undefined }
export interface ColumnStats { readonly min?: Value; readonly max?: Value; readonly nulls?: number; readonly nans?: false }
