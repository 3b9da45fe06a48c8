/**
 * Generated loops: one WebAssembly function that goes over rows of columns and either stores expressions or collects the rows for which a condition
 * is true. A loop is made for one combination of encodings, so that nothing is decided per row.
 */
import { invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import { columnsOf, conjunction, conjuncts } from '../expr.ts'
import type { Operand } from '../function/body.ts'
import { externals } from '../function/float.ts'
import type { Layout, Type } from '../type.ts'
import { layoutOf, typeKey } from '../type.ts'
import type { Code, Fault, Func, Import, Surroundings, ValType } from '../wasm.ts'
import { Emitter, F32, F64, I32, I64, V128, block, f32, f64, get, i32, i64, leave, loop, moduleBytes, select, seq, set, v128, when } from '../wasm.ts'
import type { Encoding } from './encoding.ts'
import { Evaluator, keyOf, nullOperand } from './expression.ts'
import type { VectorTest } from './vector.ts'
import { vectorMask, vectorTest } from './vector.ts'

/** What a word of the parameter block holds: an address (or, for `nullCode`, a number). */
export type Source =
  | { readonly kind: 'values' | 'valid' | 'codes' | 'offsets' | 'bytes' | 'entryValid' | 'nullCode'; readonly column: number }
  | { readonly kind: 'out' | 'outValid'; readonly output: number }
  | { readonly kind: 'uniforms' | 'rows' | 'faults' }

export interface LoopOutput {
  readonly expr: Expr
  readonly guard: Expr | undefined
}

export interface LoopShape {
  /** `select` has one output, a condition, and stores row numbers. */
  readonly kind: 'project' | 'select'
  readonly outputs: readonly LoopOutput[]
  readonly encodings: ReadonlyMap<number, Encoding>
  readonly uniforms: readonly { readonly type: Type; readonly isNull: boolean }[]
}

/** A compiled loop. `run(block, from, to)` returns how many rows were selected. */
export class Loop {
  readonly module: WebAssembly.Module
  /** One word of the block each. */
  readonly sources: readonly Source[]
  /** Bit i of the word at `faults` stands for entry i. */
  readonly faults: readonly Fault[]
  /** Per output: whether validity bytes are written. */
  readonly nullable: readonly boolean[]
  readonly #instances = new WeakMap<WebAssembly.Memory, (block: number, from: number, to: number) => number>()

  constructor(bytes: Uint8Array, sources: readonly Source[], faults: readonly Fault[], nullable: readonly boolean[]) {
    this.module = new WebAssembly.Module(bytes)
    this.sources = sources
    this.faults = faults
    this.nullable = nullable
  }

  over(memory: WebAssembly.Memory): (block: number, from: number, to: number) => number {
    let run = this.#instances.get(memory)
    if (run === undefined) {
      const main = new WebAssembly.Instance(this.module, { env: { memory }, math: externals }).exports['run']
      invariant(typeof main === 'function', 'a loop exports run')
      run = (block, from, to) => Number(main(block, from, to))
      this.#instances.set(memory, run)
    }
    return run
  }
}

const cache = new Map<string, Loop>()
const CACHED = 300

/** The loop of a shape: made once, kept while it is among the last few hundred used. */
export function loopFor(shape: LoopShape): Loop {
  const key = [
    shape.kind, ...shape.outputs.map(o => `${keyOf(o.expr)}${o.guard === undefined ? '' : ` if ${keyOf(o.guard)}`}`), '|',
    ...[...shape.encodings].map(([i, e]) => `${i}${e.kind}${e.nullable ? '?' : ''}${e.rowsNullable ? '!' : ''}${typeKey(e.type)}`), '|', ...shape.uniforms.map(u => `${typeKey(u.type)}${u.isNull ? '∅' : ''}`),
  ].join('\n')
  let found = cache.get(key)
  if (found === undefined) found = build(shape)
  else cache.delete(key)
  cache.set(key, found)
  if (cache.size > CACHED) for (const oldest of cache.keys()) { cache.delete(oldest); break }
  return found
}

/** Helper functions and imports of one module. Numbers of imports come first, so emission is repeated once their count is known. */
class ModuleSurroundings implements Surroundings {
  readonly imports: Import[] = []
  readonly helpers: { name: string; func: Func | undefined }[] = []
  readonly #assumed: number
  constructor(assumed: number) { this.#assumed = assumed }
  helper(name: string, build: () => Func): number {
    let index = this.helpers.findIndex(h => h.name === name)
    if (index < 0) {
      index = this.helpers.push({ name, func: undefined }) - 1
      const entry = this.helpers[index]
      if (entry !== undefined) entry.func = build()
    }
    return this.#assumed + 1 + index
  }
  external(name: string, params: readonly ValType[], results: readonly ValType[]): number {
    const index = this.imports.findIndex(f => f.name === name)
    return index < 0 ? this.imports.push({ module: 'math', name, params, results }) - 1 : index
  }
}

function build(shape: LoopShape): Loop {
  let assumed = 0
  for (;;) {
    const surroundings = new ModuleSurroundings(assumed)
    const { main, sources, faults, nullable } = emitLoop(shape, surroundings)
    if (surroundings.imports.length === assumed) {
      const helpers = surroundings.helpers.flatMap(h => h.func === undefined ? [] : [h.func])
      return new Loop(moduleBytes({ imports: surroundings.imports, funcs: [main, ...helpers], globals: 0, exports: ['run'] }), sources, faults, nullable)
    }
    assumed = surroundings.imports.length
  }
}

const BLOCK = 0, FROM = 1, TO = 2

/** Loads a value of a fixed layout. */
export function loadFixed(layout: Layout, address: Code, offset = 0): Operand {
  switch (layout) {
    case 'u8': return { layout, value: i32.load8u(address, offset), valid: undefined }
    case 'i32': return { layout, value: i32.load(address, offset), valid: undefined }
    case 'i64': return { layout, value: i64.load(address, offset), valid: undefined }
    case 'f32': return { layout, value: f32.load(address, offset), valid: undefined }
    case 'f64': return { layout, value: f64.load(address, offset), valid: undefined }
    case 'i128': return { layout, low: i64.load(address, offset), high: i64.load(address, offset + 8), valid: undefined }
    case 'var': return { layout, address: i32.load(address, offset), length: i32.load(address, offset + 4), valid: undefined }
  }
}

const SHIFT: Readonly<Record<Layout, number>> = { u8: 0, i32: 2, f32: 2, i64: 3, f64: 3, i128: 4, var: 3 }
/** base + (index << shift) */
export const at = (base: Code, index: Code, shift: number): Code => i32.add(base, shift === 0 ? index : i32.shl(index, i32.const(shift)))

function emitLoop(shape: LoopShape, surroundings: Surroundings): { main: Func; sources: Source[]; faults: readonly Fault[]; nullable: boolean[] } {
  const e = new Emitter([I32, I32, I32], surroundings)
  const sources: Source[] = [], words = new Map<string, Code>(), prologue: Code[] = []
  const word = (source: Source): Code => {
    const key = JSON.stringify(source)
    let code = words.get(key)
    if (code === undefined) {
      const local = e.local(I32)
      prologue.push(set(local, i32.load(get(BLOCK), 4 * (sources.push(source) - 1))))
      words.set(key, code = get(local))
    }
    return code
  }
  /** A value loaded before the loop. */
  const ahead = (operand: Operand): Operand => {
    const keep = (type: ValType, code: Code): Code => { const local = e.local(type); prologue.push(set(local, code)); return get(local) }
    switch (operand.layout) {
      case 'u8': case 'i32': return { ...operand, value: keep(I32, operand.value) }
      case 'i64': return { ...operand, value: keep(I64, operand.value) }
      case 'f32': return { ...operand, value: keep(F32, operand.value) }
      case 'f64': return { ...operand, value: keep(F64, operand.value) }
      case 'i128': return { ...operand, low: keep(I64, operand.low), high: keep(I64, operand.high) }
      case 'var': return { ...operand, address: keep(I32, operand.address), length: keep(I32, operand.length) }
    }
  }
  const index = e.local(I32), count = e.local(I32)
  const hoisted = new Map<number, Operand>()

  const column = (i: number): Operand => {
    const encoding = shape.encodings.get(i)
    invariant(encoding !== undefined, `column ${i} is not there`)
    const layout = layoutOf(encoding.type)
    switch (encoding.kind) {
      case 'none': return nullOperand(layout)
      case 'const': {
        let operand = hoisted.get(i)
        if (operand === undefined) {
          if (layout === 'var') {
            const offsets = word({ kind: 'offsets', column: i }), bytes = word({ kind: 'bytes', column: i })
            operand = ahead({ layout, address: i32.add(bytes, i32.load(offsets)), length: i32.sub(i32.load(offsets, 4), i32.load(offsets)), valid: undefined })
          } else operand = ahead(loadFixed(layout, word({ kind: 'values', column: i })))
          hoisted.set(i, operand)
        }
        return operand
      }
      case 'flat': case 'var': case 'dict': case 'lookup': {
        let entry: Code = get(index), valid: Code | undefined
        if (encoding.kind === 'dict' || encoding.kind === 'lookup') entry = e.let(I32, i32.load(at(word({ kind: 'codes', column: i }), get(index), 2)))
        if (encoding.kind === 'lookup') {
          if (encoding.rowsNullable) entry = e.let(I32, select(entry, word({ kind: 'nullCode', column: i }), i32.load8u(at(word({ kind: 'valid', column: i }), get(index), 0))))
          if (encoding.nullable) valid = e.let(I32, i32.load8u(at(word({ kind: 'entryValid', column: i }), entry, 0)))
        } else if (encoding.nullable) valid = e.let(I32, i32.load8u(at(word({ kind: 'valid', column: i }), get(index), 0)))
        if (layout !== 'var') return { ...loadFixed(layout, e.let(I32, at(word({ kind: 'values', column: i }), entry, SHIFT[layout]))), valid }
        const offset = e.let(I32, at(word({ kind: 'offsets', column: i }), entry, 2)), start = e.let(I32, i32.load(offset))
        return { layout, address: i32.add(word({ kind: 'bytes', column: i }), start), length: i32.sub(i32.load(offset, 4), start), valid }
      }
    }
  }
  const uniform = (i: number): Operand => {
    const entry = shape.uniforms[i]
    invariant(entry !== undefined, `uniform ${i} is not there`)
    if (entry.isNull) return nullOperand(layoutOf(entry.type))
    let operand = hoisted.get(-1 - i)
    if (operand === undefined) hoisted.set(-1 - i, operand = ahead(loadFixed(layoutOf(entry.type), word({ kind: 'uniforms' }), 16 * i)))
    return operand
  }
  const setOf = (i: number): { address: Code; count: Code } => {
    const pair = ahead(loadFixed('var', word({ kind: 'uniforms' }), 16 * i))
    invariant(pair.layout === 'var', 'a set')
    return { address: pair.address, count: pair.length }
  }

  const outside = { column, uniform, set: setOf }, nullable: boolean[] = []
  const next = set(index, i32.add(get(index), i32.const(1)))
  const finish = (loops: Code): { main: Func; sources: Source[]; faults: readonly Fault[]; nullable: boolean[] } => {
    const faults = word({ kind: 'faults' })
    const body = seq(...prologue, set(index, get(FROM)), loops, i32.store(faults, e.collected), get(count))
    return { main: { name: 'run', params: [I32, I32, I32], results: [I32], locals: e.locals, body }, sources, faults: e.faults, nullable }
  }
  /** Rows up to the end, one by one. */
  const eachRow = (body: Code): Code => block(seq(leave(i32.geu(get(index), get(TO))), loop(seq(body, next), i32.ltu(get(index), get(TO)))))

  if (shape.kind === 'select') {
    const [output] = shape.outputs
    invariant(output !== undefined && shape.outputs.length === 1, 'a selection has one condition')
    const storeRow = (row: Code, wanted: Code): Code => seq(i32.store(at(word({ kind: 'rows' }), get(count), 2), row), set(count, i32.add(get(count), wanted)))
    const test = (condition: Expr | undefined): Code => e.capture(() => e.run(storeRow(get(index), condition === undefined ? i32.const(1) : new Evaluator(e, outside).isTrue(condition)))).code
    const parts = conjuncts(output.expr), tests: VectorTest[] = [], rest: Expr[] = []
    for (const part of parts) { const vector = vectorTest(part, shape.encodings, shape.uniforms); if (vector === undefined) rest.push(part); else tests.push(vector) }
    if (tests.length < 2) return finish(eachRow(test(output.expr)))

    // four rows at a time; what is left of the condition, for rows that passed
    const splats = new Map<VectorTest, Code>()
    const splat = (vector: VectorTest): Code => {
      let code = splats.get(vector)
      if (code === undefined && vector.other.kind === 'uniform') {
        const operand = uniform(vector.other.index), local = e.local(V128)
        invariant(operand.layout === vector.layout, 'a value in the column\'s layout')
        const { value } = operand
        prologue.push(set(local, vector.layout === 'i32' ? v128.i32x4.splat(value) : v128.i64x2.splat(vector.other.factor === 1n ? value : i64.mul(value, i64.const(vector.other.factor)))))
        splats.set(vector, code = get(local))
      }
      return code ?? []
    }
    const mask = e.local(I32), first = e.local(I32)
    const bits = vectorMask(tests, (i, layout) => at(word({ kind: 'values', column: i }), get(index), SHIFT[layout]), i => shape.encodings.get(i)?.nullable === true ? at(word({ kind: 'valid', column: i }), get(index), 0) : undefined, splat)
    const condition = conjunction(rest)
    const passed: Code = condition === undefined
      ? seq(...[0, 1, 2, 3].map(lane => storeRow(i32.add(get(index), i32.const(lane)), i32.and(i32.shru(get(mask), i32.const(lane)), i32.const(1)))))
      : seq(set(first, get(index)), loop(seq(set(index, i32.add(get(first), i32.ctz(get(mask)))), test(condition), set(mask, i32.and(get(mask), i32.sub(get(mask), i32.const(1))))), get(mask)), set(index, get(first)))
    const four = i32.add(get(index), i32.const(4))
    const fours = block(seq(leave(i32.gtu(four, get(TO))), loop(seq(set(mask, bits), when(get(mask), passed), set(index, four)), i32.leu(four, get(TO)))))
    return finish(seq(fours, eachRow(test(output.expr))))
  }

  const evaluator = new Evaluator(e, outside)
  shape.outputs.forEach(({ expr, guard }, i) => {
    const layout = layoutOf(expr.type), out = (): Code => e.let(I32, at(word({ kind: 'out', output: i }), get(index), SHIFT[layout]))
    const validAt = (): Code => at(word({ kind: 'outValid', output: i }), get(index), 0)
    const compute = (): void => {
      const operand = evaluator.evaluate(expr)
      invariant(operand.layout === layout, `a ${operand.layout} for ${typeKey(expr.type)}`)
      e.run(storeFixed(out(), operand))
      nullable[i] = operand.valid !== undefined
      if (operand.valid !== undefined) e.run(i32.store8(validAt(), operand.valid))
    }
    if (guard === undefined) { compute(); return }
    evaluator.only(evaluator.isTrue(guard), compute, () => {
      if (layout === 'var') e.run(i32.store(out(), i32.const(0), 4))
      if (nullable[i] === true) e.run(i32.store8(validAt(), i32.const(0)))
    })
  })
  return finish(eachRow(e.body))
}

/** Stores a value; of a var its address and length (nothing of a NULL). */
function storeFixed(address: Code, operand: Operand): Code {
  switch (operand.layout) {
    case 'u8': return i32.store8(address, operand.value)
    case 'i32': return i32.store(address, operand.value)
    case 'i64': return i64.store(address, operand.value)
    case 'f32': return f32.store(address, operand.value)
    case 'f64': return f64.store(address, operand.value)
    case 'i128': return seq(i64.store(address, operand.low), i64.store(address, operand.high, 8))
    case 'var': return seq(i32.store(address, operand.address), i32.store(address, operand.valid === undefined ? operand.length : select(operand.length, i32.const(0), operand.valid), 4))
  }
}

/** The columns that a loop reads. */
export const columnsRead = (outputs: readonly LoopOutput[]): readonly number[] => columnsOf(...outputs.flatMap(o => o.guard === undefined ? [o.expr] : [o.expr, o.guard]))

