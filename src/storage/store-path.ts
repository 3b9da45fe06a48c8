/** Paths in an object store: relative, parts separated by '/', never leaving the root. A path that ends in '/' names a folder. */
import { SqlError } from '../error.ts'

/** The path itself when it is one; `SqlError` 22023 when it could lead out of the root or has parts without a name. `''` is the root, for folders only. */
export function checkedPath(path: string, what: 'object' | 'folder' | 'either'): string {
  const folder = path === '' || path.endsWith('/')
  const parts = (path.endsWith('/') ? path.slice(0, -1) : path).split('/')
  const wrong = path.includes('\0') || (path !== '' && parts.some(part => part === '' || part === '.' || part === '..')) || (what === 'object' && folder)
  if (wrong) throw new SqlError('22023', `${JSON.stringify(path)} is not a path in the store`, { where: path })
  return what === 'folder' && path !== '' && !folder ? `${path}/` : path
}

/** What a store gives while it writes aside; such names are never listed. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp')
}

/** 58P01, as every store says it. */
export function missing(path: string, cause?: unknown): SqlError {
  return new SqlError('58P01', `could not open file "${path}": No such file or directory`, { where: path, cause })
}
