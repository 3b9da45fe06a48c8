/** Stores that wrap a store: one that counts its calls, one that fails at a chosen call. */
import { SqlError } from '../error.ts'
import type { ObjectInfo, ObjectStore, StoreSpec } from './store.ts'

/** One call of a store, as it was made. */
export interface StoreCall {
  readonly call: 'stat' | 'read' | 'list' | 'write' | 'remove' | 'removeFolder'
  readonly path: string
  /** Bytes asked for or written, where that is known. */
  readonly bytes: number
}

/** A store that calls `before` (which may throw) with every call it is about to pass on, and `after` when it succeeded. */
class WatchedStore implements ObjectStore {
  /** Another thread would go around the watch. */
  readonly spec: StoreSpec | undefined = undefined
  readonly #store: ObjectStore
  readonly #before: (call: StoreCall) => void
  readonly #after: (call: StoreCall) => void

  constructor(store: ObjectStore, before: (call: StoreCall) => void, after: (call: StoreCall) => void = () => undefined) {
    this.#store = store
    this.#before = before
    this.#after = after
  }

  stat(path: string): Promise<ObjectInfo | undefined> { return this.#watched({ call: 'stat', path, bytes: 0 }, () => this.#store.stat(path)) }
  read(path: string, start?: number, end?: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#watched({ call: 'read', path, bytes: end === undefined ? 0 : end - (start ?? 0) }, () => this.#store.read(path, start, end, into))
  }
  list(folder: string): Promise<readonly ObjectInfo[]> { return this.#watched({ call: 'list', path: folder, bytes: 0 }, () => this.#store.list(folder)) }
  write(path: string, bytes: Uint8Array, mode: 'create' | 'replace'): Promise<boolean> {
    return this.#watched({ call: 'write', path, bytes: bytes.byteLength }, () => this.#store.write(path, bytes, mode))
  }
  remove(path: string): Promise<void> { return this.#watched({ call: 'remove', path, bytes: 0 }, () => this.#store.remove(path)) }
  removeFolder(folder: string): Promise<void> { return this.#watched({ call: 'removeFolder', path: folder, bytes: 0 }, () => this.#store.removeFolder(folder)) }

  async #watched<T>(call: StoreCall, run: () => Promise<T>): Promise<T> {
    this.#before(call)
    const result = await run()
    this.#after(call)
    return result
  }
}

/** The store, and the list of the calls it gets. */
export function countingStore(store: ObjectStore): { readonly store: ObjectStore; readonly calls: StoreCall[] } {
  const calls: StoreCall[] = []
  return { store: new WatchedStore(store, call => calls.push(call)), calls }
}

/**
 * A store whose `at`-th call (from 0) ends with 58030. `when`: before anything happened, or after it did (an answer that was lost). `then`: `dead` lets no
 * later call through, like a process that was killed; `alive` fails that once.
 */
export function faultStore(store: ObjectStore, at: number, when: 'before' | 'after', then: 'dead' | 'alive'): { readonly store: ObjectStore; readonly failed: () => boolean } {
  let count = 0
  let failed = false
  const fail = (call: StoreCall): never => {
    failed = true
    throw new SqlError('58030', `could not ${call.call} file "${call.path}": injected failure`, { where: call.path })
  }
  const numbers = new WeakMap<StoreCall, number>()
  const watched = new WatchedStore(store, call => {
    const number = count++
    numbers.set(call, number)
    if (when === 'before' && number === at || then === 'dead' && number > at) fail(call)
  }, call => {
    if (when === 'after' && numbers.get(call) === at) fail(call)
  })
  return { store: watched, failed: () => failed }
}
