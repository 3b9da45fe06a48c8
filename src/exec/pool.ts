/** Worker threads for large scans. */
import type { Kernel } from '../kernel/kernel.ts'
import type { Memory } from '../memory.ts'

export interface PoolOptions {
  readonly memory: Memory
  readonly kernel: Kernel
  readonly threads?: number | undefined
  readonly morselRows?: number | undefined
}

export interface Pool {
  close(): Promise<void>
}

export function openPool(_options: PoolOptions): Pool {
  return { close: () => Promise.resolve() }
}
