/** Byte strings that generated code points at, laid side by side. */
import type { Data } from '../batch.ts'
import { SqlError, invariant } from '../error.ts'
import type { Address, Arena } from '../memory.ts'
import type { Func } from '../wasm.ts'
import { I32, I64, block, get, i32, i64, leave, loop, moduleBytes, seq, set } from '../wasm.ts'

const STRIDE = 16384

/** measure(pairs, from, to, offsets, size): offsets of the strings behind one another from `size` on; returns where they end. */
const measure: Func = (() => {
  const [pairs, i, to, offsets, size] = [0, 1, 2, 3, 4]
  return {
    name: 'measure', params: [I32, I32, I32, I32, I64], results: [I64], locals: [],
    body: seq(
      block(seq(leave(i32.geu(get(i), get(to))), loop(seq(
        i32.store(i32.add(get(offsets), i32.shl(get(i), i32.const(2))), i32.wrap(get(size))),
        set(size, i64.add(get(size), i64.load32u(i32.add(get(pairs), i32.shl(get(i), i32.const(3))), 4))),
        set(i, i32.add(get(i), i32.const(1)))),
      i32.ltu(get(i), get(to))))),
      get(size)),
  }
})()

/** copy(pairs, from, to, bytes): eight bytes at a time, in order, so that what is written too much is overwritten by the next string. */
const copy: Func = (() => {
  const [pairs, i, to, bytes, from, length, done] = [0, 1, 2, 3, 4, 5, 6]
  return {
    name: 'copy', params: [I32, I32, I32, I32], results: [I32], locals: [I32, I32, I32],
    body: seq(
      block(seq(leave(i32.geu(get(i), get(to))), loop(seq(
        set(from, i32.load(i32.add(get(pairs), i32.shl(get(i), i32.const(3))))),
        set(length, i32.load(i32.add(get(pairs), i32.shl(get(i), i32.const(3))), 4)),
        set(done, i32.const(0)),
        block(seq(leave(i32.eqz(get(length))), loop(seq(
          i64.store(i32.add(get(bytes), get(done)), i64.load(i32.add(get(from), get(done)))),
          set(done, i32.add(get(done), i32.const(8)))),
        i32.ltu(get(done), get(length))))),
        set(bytes, i32.add(get(bytes), get(length))),
        set(i, i32.add(get(i), i32.const(1)))),
      i32.ltu(get(i), get(to))))),
      get(bytes)),
  }
})()

let module: WebAssembly.Module | undefined
const instances = new WeakMap<WebAssembly.Memory, WebAssembly.Exports>()

/** The strings of `length` (address, length) pairs as var data. */
export function layPairs(pairs: Address, length: number, arena: Arena): Data {
  const { memory } = arena
  let functions = instances.get(memory.wasm)
  if (functions === undefined) {
    module ??= new WebAssembly.Module(moduleBytes({ imports: [], funcs: [measure, copy], globals: 0, exports: ['measure', 'copy'] }))
    functions = new WebAssembly.Instance(module, { env: { memory: memory.wasm } }).exports
    instances.set(memory.wasm, functions)
  }
  const { measure: measureAll, copy: copyAll } = functions
  invariant(typeof measureAll === 'function' && typeof copyAll === 'function', 'exports of pairs')
  const offsets = arena.alloc(4 * (length + 1))
  let size = 0n
  for (let i = 0; i < length; i += STRIDE) size = BigInt(measureAll(pairs, i, Math.min(length, i + STRIDE), offsets, size) ?? 0)
  if (size >= 2n ** 32n) throw new SqlError('54000', 'the strings of one batch take more than 4 GiB')
  memory.refresh().u32[offsets / 4 + length] = Number(size)
  const bytes = arena.alloc(Number(size))
  let at = bytes
  for (let i = 0; i < length; i += STRIDE) at = Number(copyAll(pairs, i, Math.min(length, i + STRIDE), at)) >>> 0
  return { kind: 'var', offsets, bytes }
}
