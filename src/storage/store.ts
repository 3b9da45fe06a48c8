/**
 * An object store as Sluice needs it. Paths are relative to the store's root, parts separated by '/', never starting with one. Caching, retry,
 * range coalescing, fault injection and counting are stores that wrap a store.
 */

export interface ObjectInfo {
  readonly path: string
  readonly size: number
  /** Milliseconds since 1970. */
  readonly modified: number
}

export interface ObjectStore {
  /** How another thread opens the same store; undefined when it cannot. */
  readonly spec: StoreSpec | undefined
  /** Undefined when there is no such object. */
  stat(path: string): Promise<ObjectInfo | undefined>
  /**
   * Bytes [start, end) of the object, exactly; the whole object without a range. With `into` (which may be a view of shared memory) the bytes
   * are put there and the view is returned. Throws `SqlError` 58P01 when there is no such object, XX001 when it is shorter than `end`.
   */
  read(path: string, start?: number, end?: number, into?: Uint8Array): Promise<Uint8Array>
  /** Objects and common prefixes directly below a folder (`''` is the root); prefixes end in '/' and have size 0. Names in byte order. */
  list(folder: string): Promise<readonly ObjectInfo[]>
  /**
   * `create`: atomic; never shows a partial object and never overwrites; false when the object exists already. `replace`: atomic too, always true.
   * Durable when it returns. A path that ends in '/', without bytes, is a folder: it is listed though nothing is in it, and `stat` tells whether it is there.
   */
  write(path: string, bytes: Uint8Array, mode: 'create' | 'replace'): Promise<boolean>
  /** Removing what is not there is no error. */
  remove(path: string): Promise<void>
  /** Removes everything below a folder, and the folder. */
  removeFolder(folder: string): Promise<void>
}

/** Plain data, posted to workers. */
export type StoreSpec = { readonly kind: 'local'; readonly root: string }
