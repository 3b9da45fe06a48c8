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

/** Orders strings by their UTF-8 bytes, which is their order by code points. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i)
    // Surrogates stand for code points above every other unit.
    if (x !== y) return (x >= 0xd800 && x < 0xe000) === (y >= 0xd800 && y < 0xe000) ? x - y : x >= 0xd800 && x < 0xe000 ? 1 : -1
  }
  return a.length - b.length
}

/** 58P01, as every store says it. */
export function missing(path: string, cause?: unknown): SqlError {
  return new SqlError('58P01', `could not open file "${path}": No such file or directory`, { where: path, cause })
}
