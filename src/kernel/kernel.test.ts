import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Memory } from '../memory.ts'
import { loadKernel } from './kernel.ts'
import { sourceHash } from './source.ts'

test('kernel.wasm was built from the sources beside it (npm run kernel)', () => {
  expect(readFileSync(new URL('./kernel.sha256', import.meta.url), 'utf8').trim()).toBe(sourceHash())
})

test('kernels see the shared memory, also after it has grown', () => {
  const memory = Memory.create()
  const kernel = loadKernel(memory)
  using arena = memory.arena()
  const address = arena.alloc(40 * 2 ** 20)
  memory.i64[address / 8 + 5_000_000] = -3n
  kernel.nanos64(address, 5_000_001)
  expect(memory.i64[address / 8 + 5_000_000]).toBe(-1n)
})
