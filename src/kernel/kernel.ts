/** The door to the fixed kernels: AssemblyScript compiled at build time (`npm run kernel`) to one checked-in module over the shared memory. */
import { readFileSync } from 'node:fs'
import type { Memory } from '../memory.ts'
import type { CompressionKernels } from './compression.ts'
import type { DecodeKernels } from './decode.ts'
import type { AggregateKernels } from './aggregate.ts'
import type { GatherKernels } from './gather.ts'
import type { HashKernels } from './hash.ts'
import type { JoinKernels } from './join.ts'
import type { SortKernels } from './sort.ts'

/**
 * Every fixed kernel. Addresses that a kernel returns are signed: `>>> 0` where they enter JavaScript. No kernel keeps state between calls,
 * so an instance may serve any number of queries of its thread.
 */
export interface Kernel extends DecodeKernels, CompressionKernels, AggregateKernels, GatherKernels, HashKernels, JoinKernels, SortKernels {}

let compiled: WebAssembly.Module | undefined

/** The compiled module: post it to workers (`workerData`, `postMessage`) so that each need not compile it again. */
export function kernelModule(): WebAssembly.Module {
  return compiled ??= new WebAssembly.Module(readFileSync(new URL('./kernel.wasm', import.meta.url)))
}

/** The kernels over this memory, on this thread. Synchronous; about a millisecond with a compiled module. */
export function loadKernel(memory: Memory, module: WebAssembly.Module = kernelModule()): Kernel {
  compiled = module
  const instance = new WebAssembly.Instance(module, { env: { memory: memory.wasm } })
  return instance.exports as unknown as Kernel
}
