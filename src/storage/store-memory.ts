/** An object store in the process's memory: for tests, and as the reference of what a store does. */
import { corrupt, invariant } from '../error.ts'
import { compareText } from '../text/settings.ts'
import type { ObjectInfo, ObjectStore } from './store.ts'
import { checkedPath, missing } from './store-path.ts'

/** An empty store. It cannot be opened by another thread. */
export function openMemoryStore(): ObjectStore {
  return new MemoryStore()
}

class MemoryStore implements ObjectStore {
  readonly spec = undefined
  /** Folders stand here too, with a '/' behind, as long as nobody removed them. */
  readonly #objects = new Map<string, { readonly bytes: Uint8Array; readonly modified: number }>()
  /** Names directly below a folder, itself named with a '/' behind. */
  readonly #children = new Map<string, Set<string>>()

  async stat(path: string): Promise<ObjectInfo | undefined> {
    checkedPath(path, 'either')
    const object = this.#objects.get(path)
    return object === undefined ? undefined : { path, size: object.bytes.byteLength, modified: object.modified }
  }

  async read(path: string, start = 0, end?: number, into?: Uint8Array): Promise<Uint8Array> {
    checkedPath(path, 'object')
    const object = this.#objects.get(path)
    if (object === undefined) throw missing(path)
    const stop = end ?? object.bytes.byteLength
    invariant(start >= 0 && start <= stop, `range ${start}…${stop} of ${path}`)
    invariant(into === undefined || into.byteLength >= stop - start, `${into?.byteLength} bytes of room for ${stop - start} of ${path}`)
    if (stop > object.bytes.byteLength) throw corrupt(path, `ends at byte ${object.bytes.byteLength}, expected ${stop} bytes`)
    if (into === undefined) return object.bytes.slice(start, stop)
    into.set(object.bytes.subarray(start, stop))
    return into.subarray(0, stop - start)
  }

  async list(folder: string): Promise<readonly ObjectInfo[]> {
    const found: ObjectInfo[] = []
    for (const path of this.#children.get(checkedPath(folder, 'folder')) ?? []) {
      const object = this.#objects.get(path)
      if (object !== undefined) found.push({ path, size: object.bytes.byteLength, modified: object.modified })
    }
    return found.sort((a, b) => compareText(a.path, b.path))
  }

  async write(path: string, bytes: Uint8Array, mode: 'create' | 'replace'): Promise<boolean> {
    checkedPath(path, 'either')
    if (path === '' || (mode === 'create' || path.endsWith('/')) && this.#objects.has(path)) return false
    const modified = Date.now()
    for (let slash = path.indexOf('/'); slash >= 0 && slash < path.length - 1; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash + 1)
      if (!this.#objects.has(parent)) this.#put(parent, new Uint8Array(0), modified)
    }
    this.#put(path, bytes.slice(), modified)
    return true
  }

  #put(path: string, bytes: Uint8Array, modified: number): void {
    this.#objects.set(path, { bytes, modified })
    const folder = folderOf(path), children = this.#children.get(folder)
    if (children === undefined) this.#children.set(folder, new Set([path]))
    else children.add(path)
  }

  #delete(path: string): void {
    this.#objects.delete(path)
    this.#children.get(folderOf(path))?.delete(path)
  }

  async remove(path: string): Promise<void> {
    checkedPath(path, 'object')
    this.#delete(path)
  }

  async removeFolder(folder: string): Promise<void> {
    const prefix = checkedPath(folder, 'folder')
    for (const path of [...this.#objects.keys()]) if (path.startsWith(prefix)) { this.#delete(path); this.#children.delete(path) }
  }
}

/** The folder that an object or folder is directly in. */
function folderOf(path: string): string { return path.slice(0, path.lastIndexOf('/', path.length - 2) + 1) }
