/**
 * A folder of this machine as an object store. Objects appear whole or not at all: they are written aside, made durable, and then linked (create) or
 * renamed (replace) into place.
 */
import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SqlError, corrupt, invariant } from '../error.ts'
import { compareText } from '../text/settings.ts'
import type { ObjectInfo, ObjectStore, StoreSpec } from './store.ts'
import { checkedPath, isTemporary, missing } from './store-path.ts'

/** The store in folder `root`, which need not exist before something is written. */
export function openLocalStore(root: string): ObjectStore {
  return new LocalStore(resolve(root))
}

/** The store that `spec` names: how a worker gets at the store of the thread that posted it. */
export function openStore(spec: StoreSpec): ObjectStore {
  return new LocalStore(spec.root)
}

/** More files than this are not asked for their size at once. */
const STATS_AT_ONCE = 64

class LocalStore implements ObjectStore {
  readonly spec: StoreSpec
  readonly #root: string

  constructor(root: string) {
    this.#root = root
    this.spec = { kind: 'local', root }
  }

  async stat(path: string): Promise<ObjectInfo | undefined> {
    checkedPath(path, 'either')
    try {
      const info = await stat(this.#at(path))
      if (info.isDirectory() !== (path === '' || path.endsWith('/'))) return undefined
      return { path, size: info.isDirectory() ? 0 : info.size, modified: Math.floor(info.mtimeMs) }
    } catch (error) {
      if (isAbsence(error)) return undefined
      throw inputOutput(error, 'stat', path)
    }
  }

  async read(path: string, start = 0, end?: number, into?: Uint8Array): Promise<Uint8Array> {
    checkedPath(path, 'object')
    let file
    try {
      file = await open(this.#at(path), 'r')
    } catch (error) {
      if (isAbsence(error)) throw missing(path, error)
      throw inputOutput(error, 'open', path)
    }
    try {
      const stop = end ?? (await file.stat()).size
      invariant(start >= 0 && start <= stop, `range ${start}…${stop} of ${path}`)
      const length = stop - start
      invariant(into === undefined || into.byteLength >= length, `${into?.byteLength} bytes of room for ${length} of ${path}`)
      const target = into === undefined ? new Uint8Array(length) : into.subarray(0, length)
      for (let done = 0; done < length;) {
        const { bytesRead } = await file.read(target, done, Math.min(length - done, 2 ** 30), start + done)
        if (bytesRead === 0) throw corrupt(path, `ends at byte ${start + done}, expected ${stop} bytes`)
        done += bytesRead
      }
      return target
    } catch (error) {
      if (isCode(error, 'EISDIR')) throw missing(path, error)
      throw inputOutput(error, 'read', path)
    } finally {
      await file.close()
    }
  }

  async list(folder: string): Promise<readonly ObjectInfo[]> {
    const prefix = checkedPath(folder, 'folder')
    let names: readonly string[]
    try {
      names = await readdir(this.#at(prefix))
    } catch (error) {
      if (isAbsence(error)) return []
      throw inputOutput(error, 'list', folder)
    }
    const shown = names.filter(name => !isTemporary(name))
    const infos: ObjectInfo[] = []
    for (let i = 0; i < shown.length; i += STATS_AT_ONCE) {
      const some = await Promise.all(shown.slice(i, i + STATS_AT_ONCE).map(async name => {
        try {
          const info = await stat(this.#at(prefix + name))
          if (info.isDirectory()) return { path: `${prefix}${name}/`, size: 0, modified: Math.floor(info.mtimeMs) }
          return info.isFile() ? { path: prefix + name, size: info.size, modified: Math.floor(info.mtimeMs) } : undefined
        } catch (error) {
          if (isAbsence(error)) return undefined // removed since it was listed
          throw inputOutput(error, 'stat', prefix + name)
        }
      }))
      for (const info of some) if (info !== undefined) infos.push(info)
    }
    return infos.sort((a, b) => compareText(a.path, b.path))
  }

  async write(path: string, bytes: Uint8Array, mode: 'create' | 'replace'): Promise<boolean> {
    checkedPath(path, 'either')
    if (path === '' || path.endsWith('/')) return this.#createFolder(path, bytes)
    const target = this.#at(path)
    const folder = dirname(target)
    const aside = join(folder, `.${path.slice(path.lastIndexOf('/') + 1).slice(0, 100)}.${randomUUID()}.tmp`)
    try {
      // An early answer, which saves writing; only link(2) below decides.
      if (mode === 'create' && await stat(target).then(() => true, () => false)) return false
      await this.#makeFolder(folder)
      const file = await open(aside, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      if (mode === 'replace') {
        await rename(aside, target)
      } else {
        try {
          await link(aside, target)
        } catch (error) {
          if (!isCode(error, 'EEXIST')) throw error
          await unlink(aside)
          return false
        }
        await unlink(aside)
      }
      await syncFolder(folder)
      return true
    } catch (error) {
      await unlink(aside).catch(() => undefined) // what failed is told, not this
      throw inputOutput(error, 'write', path)
    }
  }

  async remove(path: string): Promise<void> {
    checkedPath(path, 'object')
    try {
      await unlink(this.#at(path))
    } catch (error) {
      if (!isAbsence(error)) throw inputOutput(error, 'remove', path)
    }
  }

  async removeFolder(folder: string): Promise<void> {
    checkedPath(folder, 'folder')
    try {
      await rm(this.#at(folder), { recursive: true, force: true })
    } catch (error) {
      throw inputOutput(error, 'remove', folder)
    }
  }

  /** A folder without objects: what a path ending in '/' stands for. */
  async #createFolder(path: string, bytes: Uint8Array): Promise<boolean> {
    invariant(bytes.byteLength === 0, `a folder holds no bytes: ${path}`)
    try {
      return await this.#makeFolder(this.#at(path).replace(/\/$/, ''))
    } catch (error) {
      throw inputOutput(error, 'create directory', path)
    }
  }

  /** False when it was there already. What is new is durable. */
  async #makeFolder(folder: string): Promise<boolean> {
    const first = await mkdir(folder, { recursive: true })
    if (first === undefined) return false
    for (let made = folder; ; made = dirname(made)) {
      await syncFolder(dirname(made))
      if (made === first) return true
    }
  }

  #at(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`
  }
}

async function syncFolder(folder: string): Promise<void> {
  const file = await open(folder, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

function isAbsence(error: unknown): boolean {
  return isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')
}

/** What the operating system said, as a `SqlError`: 53100 when there is no room, 58030 otherwise. */
function inputOutput(error: unknown, doing: string, path: string): Error {
  if (error instanceof SqlError || !(error instanceof Error) || !('code' in error)) return error instanceof Error ? error : new Error(String(error))
  const full = isCode(error, 'ENOSPC') || isCode(error, 'EDQUOT')
  return new SqlError(full ? '53100' : '58030', `could not ${doing} file "${path}": ${error.message}`, { where: path, cause: error })
}
