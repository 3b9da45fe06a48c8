/**
 * WebAssembly as bytes. An instruction takes the code of its operands and returns code, so that generated loops read like the text format's
 * folded form: `i64.add(get(x), i64.load(get(p), 8))`. Nothing is optimised here; V8 does that.
 */
export type Code = readonly number[]
export type ValType = 0x7f | 0x7e | 0x7d | 0x7c | 0x7b
export const I32 = 0x7f, I64 = 0x7e, F32 = 0x7d, F64 = 0x7c, V128 = 0x7b
const VOID = 0x40

function signed(n: number | bigint): number[] {
  const out: number[] = []
  if (typeof n === 'number') {
    for (let v = n | 0; ;) {
      const byte = v & 0x7f
      v >>= 7
      if ((v === 0 && (byte & 0x40) === 0) || (v === -1 && (byte & 0x40) !== 0)) { out.push(byte); return out }
      out.push(byte | 0x80)
    }
  }
  for (let v = BigInt.asIntN(64, n); ;) {
    const byte = Number(v & 0x7fn)
    v >>= 7n
    if ((v === 0n && (byte & 0x40) === 0) || (v === -1n && (byte & 0x40) !== 0)) { out.push(byte); return out }
    out.push(byte | 0x80)
  }
}

function unsigned(n: number): number[] {
  const out: number[] = []
  let rest = n
  do {
    const byte = rest % 128
    rest = Math.floor(rest / 128)
    out.push(rest > 0 ? byte | 0x80 : byte)
  } while (rest > 0)
  return out
}

/** Code after code. */
export function seq(...parts: readonly Code[]): Code {
  const out: number[] = []
  for (const part of parts) for (const byte of part) out.push(byte)
  return out
}

type Op1 = (a: Code) => Code
type Op2 = (a: Code, b: Code) => Code
const op1 = (...bytes: number[]): Op1 => a => seq(a, bytes)
const op2 = (...bytes: number[]): Op2 => (a, b) => seq(a, b, bytes)
const load = (align: number, ...bytes: number[]) => (address: Code, offset = 0): Code => seq(address, bytes, [align], unsigned(offset))
const store = (align: number, ...bytes: number[]) => (address: Code, value: Code, offset = 0): Code => seq(address, value, bytes, [align], unsigned(offset))
const simd = (n: number): number[] => [0xfd, ...unsigned(n)]

export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number, value: Code): Code => seq(value, [0x21], unsigned(local))
export const tee = (local: number, value: Code): Code => seq(value, [0x22], unsigned(local))
export const globalGet = (global: number): Code => [0x23, ...unsigned(global)]
export const globalSet = (global: number, value: Code): Code => seq(value, [0x24], unsigned(global))
export const drop = op1(0x1a)
/** `a` when the condition is not zero, else `b`; both are computed. */
export const select = (a: Code, b: Code, condition: Code): Code => seq(a, b, condition, [0x1b])
export const when = (condition: Code, then: Code, otherwise?: Code): Code => seq(condition, [0x04, VOID], then, otherwise === undefined ? [] : [0x05, ...otherwise], [0x0b])
/** An `if` with a result. */
export const choose = (type: ValType, condition: Code, then: Code, otherwise: Code): Code => seq(condition, [0x04, type], then, [0x05], otherwise, [0x0b])
/** Runs the body, then again for as long as `again` is true. */
export const loop = (body: Code, again: Code): Code => seq([0x03, VOID], body, again, [0x0d, 0x00, 0x0b])
/** A block that `leave(0)` leaves. */
export const block = (body: Code): Code => seq([0x02, VOID], body, [0x0b])
/** Leaves the block that is `depth` blocks further out, or starts that loop again, when the condition holds. */
export const leave = (condition: Code, depth = 0): Code => seq(condition, [0x0d], unsigned(depth))
export const ret = (value: Code): Code => seq(value, [0x0f])
export const memoryCopy = (to: Code, from: Code, bytes: Code): Code => seq(to, from, bytes, [0xfc, 0x0a, 0, 0])

const floatBytes = (value: number, width: 4 | 8): number[] => {
  const view = new DataView(new ArrayBuffer(width))
  if (width === 4) view.setFloat32(0, value, true)
  else view.setFloat64(0, value, true)
  return [...new Uint8Array(view.buffer)]
}

export const i32 = {
  const: (n: number): Code => [0x41, ...signed(n)],
  load: load(2, 0x28), load8s: load(0, 0x2c), load8u: load(0, 0x2d), load16s: load(1, 0x2e), load16u: load(1, 0x2f),
  store: store(2, 0x36), store8: store(0, 0x3a), store16: store(1, 0x3b),
  eqz: op1(0x45), eq: op2(0x46), ne: op2(0x47), lt: op2(0x48), ltu: op2(0x49), gt: op2(0x4a), gtu: op2(0x4b), le: op2(0x4c), leu: op2(0x4d), ge: op2(0x4e), geu: op2(0x4f),
  clz: op1(0x67), ctz: op1(0x68), popcnt: op1(0x69), add: op2(0x6a), sub: op2(0x6b), mul: op2(0x6c), div: op2(0x6d), divu: op2(0x6e), rem: op2(0x6f), remu: op2(0x70),
  and: op2(0x71), or: op2(0x72), xor: op2(0x73), shl: op2(0x74), shr: op2(0x75), shru: op2(0x76),
  wrap: op1(0xa7), truncF64: op1(0xfc, 0x02), truncF32: op1(0xfc, 0x00), reinterpret: op1(0xbc), extend8: op1(0xc0), extend16: op1(0xc1),
}

export const i64 = {
  const: (n: number | bigint): Code => [0x42, ...signed(BigInt(n))],
  load: load(3, 0x29), load32s: load(2, 0x34), load32u: load(2, 0x35), store: store(3, 0x37),
  eqz: op1(0x50), eq: op2(0x51), ne: op2(0x52), lt: op2(0x53), ltu: op2(0x54), gt: op2(0x55), gtu: op2(0x56), le: op2(0x57), leu: op2(0x58), ge: op2(0x59), geu: op2(0x5a),
  clz: op1(0x79), ctz: op1(0x7a), popcnt: op1(0x7b), add: op2(0x7c), sub: op2(0x7d), mul: op2(0x7e), div: op2(0x7f), divu: op2(0x80), rem: op2(0x81), remu: op2(0x82),
  and: op2(0x83), or: op2(0x84), xor: op2(0x85), shl: op2(0x86), shr: op2(0x87), shru: op2(0x88),
  extend: op1(0xac), extendU: op1(0xad), truncF64: op1(0xfc, 0x06), truncF32: op1(0xfc, 0x04), reinterpret: op1(0xbd),
}

export const f32 = {
  const: (n: number): Code => [0x43, ...floatBytes(n, 4)], load: load(2, 0x2a), store: store(2, 0x38),
  eq: op2(0x5b), ne: op2(0x5c), lt: op2(0x5d), gt: op2(0x5e), le: op2(0x5f), ge: op2(0x60),
  abs: op1(0x8b), neg: op1(0x8c), ceil: op1(0x8d), floor: op1(0x8e), trunc: op1(0x8f), nearest: op1(0x90), sqrt: op1(0x91),
  add: op2(0x92), sub: op2(0x93), mul: op2(0x94), div: op2(0x95), min: op2(0x96), max: op2(0x97), copysign: op2(0x98),
  convertI32: op1(0xb2), convertI64: op1(0xb4), demote: op1(0xb6), reinterpret: op1(0xbe),
}

export const f64 = {
  const: (n: number): Code => [0x44, ...floatBytes(n, 8)], load: load(3, 0x2b), store: store(3, 0x39),
  eq: op2(0x61), ne: op2(0x62), lt: op2(0x63), gt: op2(0x64), le: op2(0x65), ge: op2(0x66),
  abs: op1(0x99), neg: op1(0x9a), ceil: op1(0x9b), floor: op1(0x9c), trunc: op1(0x9d), nearest: op1(0x9e), sqrt: op1(0x9f),
  add: op2(0xa0), sub: op2(0xa1), mul: op2(0xa2), div: op2(0xa3), min: op2(0xa4), max: op2(0xa5), copysign: op2(0xa6),
  convertI32: op1(0xb7), convertI64: op1(0xb9), convertI64U: op1(0xba), promote: op1(0xbb), reinterpret: op1(0xbf),
}

const lanes = (splat: number, eq: number, ne: number, lt: number, gt: number, le: number, ge: number, add: number, sub: number, mul: number) => ({
  splat: op1(...simd(splat)), eq: op2(...simd(eq)), ne: op2(...simd(ne)), lt: op2(...simd(lt)), gt: op2(...simd(gt)), le: op2(...simd(le)), ge: op2(...simd(ge)),
  add: op2(...simd(add)), sub: op2(...simd(sub)), mul: op2(...simd(mul)),
})

export const v128 = {
  const: (bytes: readonly number[]): Code => [...simd(12), ...bytes],
  load: load(0, ...simd(0)), load32zero: load(2, ...simd(92)), load64zero: load(3, ...simd(93)), store: store(0, ...simd(11)),
  not: op1(...simd(77)), and: op2(...simd(78)), andnot: op2(...simd(79)), or: op2(...simd(80)), xor: op2(...simd(81)), anyTrue: op1(...simd(83)),
  swizzle: op2(...simd(14)),
  shuffle: (a: Code, b: Code, from: readonly number[]): Code => seq(a, b, simd(13), from),
  i8x16: { eq: op2(...simd(35)), ne: op2(...simd(36)), bitmask: op1(...simd(100)) },
  i32x4: { ...lanes(17, 55, 56, 57, 59, 61, 63, 174, 177, 181), bitmask: op1(...simd(164)), extendLowI16: op1(...simd(167)) },
  i64x2: { ...lanes(18, 214, 215, 216, 217, 218, 219, 206, 209, 213), bitmask: op1(...simd(196)), extendLow: op1(...simd(199)), lane: (n: number, v: Code): Code => seq(v, simd(29), [n]) },
  f32x4: lanes(19, 65, 66, 67, 68, 69, 70, 228, 229, 230),
  f64x2: lanes(20, 71, 72, 73, 74, 75, 76, 240, 241, 242),
}

/** A function of a module. Locals are numbered after the parameters. */
export interface Func {
  readonly name: string
  readonly params: readonly ValType[]
  readonly results: readonly ValType[]
  readonly locals: readonly ValType[]
  readonly body: Code
}

/** A JavaScript function that a module calls; it is given at instantiation as `imports[module][name]`. */
export interface Import {
  readonly module: string
  readonly name: string
  readonly params: readonly ValType[]
  readonly results: readonly ValType[]
}

/** What a generated module is made of. Function numbers: imports first, then `funcs`. */
export interface ModuleParts {
  readonly imports: readonly Import[]
  readonly funcs: readonly Func[]
  /** Mutable i64 globals, zero at first. */
  readonly globals: number
  /** Names of functions to export. */
  readonly exports: readonly string[]
}

/** The bytes of a module that imports the shared memory as `env.memory`. */
export function moduleBytes(parts: ModuleParts): Uint8Array {
  const { imports, funcs } = parts
  const vector = (items: readonly Code[]): Code => seq(unsigned(items.length), ...items)
  const text = (s: string): Code => { const bytes = [...new TextEncoder().encode(s)]; return seq(unsigned(bytes.length), bytes) }
  const section = (id: number, body: Code): Code => seq([id], unsigned(body.length), body)
  const signature = (f: Func | Import): Code => seq([0x60], vector(f.params.map(t => [t])), vector(f.results.map(t => [t])))
  return Uint8Array.from(seq(
    [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, vector([...imports, ...funcs].map(signature))),
    section(2, vector([
      seq(text('env'), text('memory'), [0x02, 0x03], unsigned(1), unsigned(65536)),
      ...imports.map((f, i) => seq(text(f.module), text(f.name), [0x00], unsigned(i))),
    ])),
    section(3, vector(funcs.map((_, i) => unsigned(imports.length + i)))),
    parts.globals === 0 ? [] : section(6, vector(Array.from({ length: parts.globals }, () => [I64, 1, 0x42, 0, 0x0b]))),
    section(7, vector(parts.exports.map(name => seq(text(name), [0x00], unsigned(imports.length + funcs.findIndex(f => f.name === name)))))),
    section(10, vector(funcs.map(f => {
      const code = seq(vector(f.locals.map(t => [1, t])), f.body, [0x0b])
      return seq(unsigned(code.length), code)
    }))),
  ))
}

/** An error that generated code can notice. */
export interface Fault {
  readonly detail?: string
  readonly code: string
  readonly message: string
}

export const OUT_OF_RANGE = (what: string): Fault => ({ code: '22003', message: `${what} out of range` })
export const ZERO_DIVISION: Fault = { code: '22012', message: 'division by zero' }

/** How the emitter of one function is tied to its module: helper functions and imports by name. */
export interface Surroundings {
  /** The number of a helper function, which `build` makes when it is not there yet. */
  helper(name: string, build: () => Func): number
  /** The number of an imported JavaScript function of the name. */
  external(name: string, params: readonly ValType[], results: readonly ValType[]): number
}

/**
 * Writes one function, statement by statement. Values live in locals; what can go wrong is collected as bits of one local and looked at once,
 * after the loop, so that there is no branch in it.
 */
export class Emitter {
  readonly surroundings: Surroundings
  readonly locals: ValType[] = []
  /** What may be raised; bit i of the collected word stands for entry i. */
  readonly faults: Fault[] = []
  /** 1 for rows whose faults count; undefined: all. */
  guard: Code | undefined
  /** Counts what makes code not worth running for nothing: faults, calls, loops. */
  costs = 0
  #statements: number[] = []
  readonly #params: number
  readonly #collected: number

  constructor(params: readonly ValType[], surroundings: Surroundings) {
    this.surroundings = surroundings
    this.#params = params.length
    this.#collected = this.local(I32)
  }

  /** The bits collected so far. */
  get collected(): Code { return get(this.#collected) }

  /** A new local's number. */
  local(type: ValType): number {
    this.locals.push(type)
    return this.#params + this.locals.length - 1
  }

  /** Computes the value once, now; the answer is where it is. A local or constant stays what it is. */
  let(type: ValType, code: Code): Code {
    if (isSimple(code)) return code
    const local = this.local(type)
    this.run(set(local, code))
    return get(local)
  }

  /** Adds a statement. */
  run(code: Code): void {
    for (const byte of code) this.#statements.push(byte)
  }

  /** The statements that `f` adds, taken out; the caller decides where they go. */
  capture<T>(f: () => T): { readonly code: Code; readonly result: T; readonly costs: number } {
    const outer = this.#statements, before = this.costs
    this.#statements = []
    try {
      const result = f()
      const costs = this.costs - before
      this.costs = before
      return { code: this.#statements, result, costs }
    } finally {
      this.#statements = outer
    }
  }

  /** Puts captured statements here, with what they cost. */
  place(captured: { readonly code: Code; readonly costs: number }): void {
    this.run(captured.code)
    this.costs += captured.costs
  }

  /** All statements so far. */
  get body(): Code { return this.#statements }

  /** Notes a fault for this row when the condition is 1 (0 or 1 only), unless the row does not count. */
  raise(fault: Fault, condition: Code): void {
    let bit = this.faults.findIndex(f => f.code === fault.code && f.message === fault.message && f.detail === fault.detail)
    // the last kinds of very many share the wording of an earlier one
    if (bit < 0) bit = this.faults.length < 32 ? this.faults.push(fault) - 1 : Math.max(0, this.faults.findIndex(f => f.code === fault.code))
    const counted = this.guard === undefined ? condition : i32.and(condition, this.guard)
    this.costs++
    this.run(set(this.#collected, i32.or(get(this.#collected), bit === 0 ? counted : i32.shl(counted, i32.const(bit)))))
  }

  /** Calls a helper function of the module; see `Surroundings.helper`. */
  help(name: string, build: () => Func, ...args: readonly Code[]): Code {
    this.costs++
    return seq(...args, [0x10], unsigned(this.surroundings.helper(name, build)))
  }

  /** Calls a JavaScript function that the program provides under this name (`externals` of function/float.ts). */
  external(name: string, params: readonly ValType[], result: ValType, ...args: readonly Code[]): Code {
    this.costs++
    return seq(...args, [0x10], unsigned(this.surroundings.external(name, params, [result])))
  }
}

/** True when the code is one instruction that may be repeated: a local or a constant. */
export function isSimple(code: Code): boolean {
  switch (code[0]) {
    case 0x20: case 0x41: case 0x42: break
    case 0x43: return code.length === 5
    case 0x44: return code.length === 9
    default: return false
  }
  for (let i = 1; i < code.length; i++) if (((code[i] ?? 0) & 0x80) === 0) return i === code.length - 1
  return false
}

/** Calls function number `index`. */
export const callIndex = (index: number, ...args: readonly Code[]): Code => seq(...args, [0x10], unsigned(index))
