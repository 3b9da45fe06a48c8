/**
 * One row's expressions as code. Common subexpressions are computed once; arms of CASE, COALESCE, AND and OR that could raise or are costly
 * are computed only for rows that need them, the others are computed for all rows and chosen without a branch.
 */
import { InternalError, invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import type { Operand, Site } from '../function/body.ts'
import { comparable, compareBytesCode, compareCode } from '../function/comparison.ts'
import { scalarById } from '../function/table.ts'
import { widen } from '../function/wide.ts'
import type { Layout, Type } from '../type.ts'
import { layoutOf, typeKey } from '../type.ts'
import type { Code, Emitter, Func, ValType } from '../wasm.ts'
import { F32, F64, I32, I64, block, f32, f64, get, i32, i64, leave, loop, ret, select, seq, set, when } from '../wasm.ts'

/** What stands outside of the expressions: columns of the row and values that are the same for all rows. */
export interface Surround {
  column(index: number): Operand
  /** A `param` of the expressions; see `normalize`. */
  uniform(index: number): Operand
  /** Address and number of the sorted values of a set. */
  set(index: number): { readonly address: Code; readonly count: Code }
}

type Call = Extract<Expr, { kind: 'call' }>
type Case = Extract<Expr, { kind: 'case' }>

const YES = i32.const(1), NO = i32.const(0)
const isNo = (code: Code | undefined): boolean => code !== undefined && code[0] === 0x41 && code[1] === 0 && code.length === 2

/** Ids of the compiler's own functions: IN over a set of sorted values. */
const IN_SET = 'in set', IN_SET_OR_NULL = 'in set or null'
const isVolatileCall = (fn: string): boolean => fn !== IN_SET && fn !== IN_SET_OR_NULL && scalarById(fn).volatility === 'volatile'
let unique = 0

const keys = new WeakMap<Expr, string>()

/** Equal for expressions that compute the same; two calls of a volatile function never do. */
export function keyOf(expr: Expr): string {
  let key = keys.get(expr)
  if (key === undefined) {
    switch (expr.kind) {
      case 'column': key = `c${expr.index}`; break
      case 'param': key = `p${expr.index}`; break
      case 'literal': key = `l${expr.value === null ? 'null' : String(expr.value)}:${typeKey(expr.type)}`; break
      case 'call': key = `${JSON.stringify(expr.fn)}[${expr.args.map(keyOf).join(' ')}]:${typeKey(expr.type)}${isVolatileCall(expr.fn) ? `#${unique++}` : ''}`; break
      case 'case': key = `case[${expr.arms.map(arm => `${keyOf(arm.when)} ${keyOf(arm.then)}`).join(' ')} ${keyOf(expr.otherwise)}]:${typeKey(expr.type)}`; break
    }
    keys.set(expr, key)
  }
  return key
}

/** A NULL of a layout. */
export function nullOperand(layout: Layout): Operand {
  switch (layout) {
    case 'u8': case 'i32': return { layout, value: NO, valid: NO }
    case 'i64': return { layout, value: i64.const(0), valid: NO }
    case 'f32': return { layout, value: f32.const(0), valid: NO }
    case 'f64': return { layout, value: f64.const(0), valid: NO }
    case 'i128': return { layout, low: i64.const(0), high: i64.const(0), valid: NO }
    case 'var': return { layout, address: NO, length: NO, valid: NO }
  }
}

/** The parts of an operand besides its validity, and their types. */
export function partsOf(operand: Operand): readonly { readonly type: ValType; readonly code: Code }[] {
  switch (operand.layout) {
    case 'u8': case 'i32': return [{ type: I32, code: operand.value }]
    case 'i64': return [{ type: I64, code: operand.value }]
    case 'f32': return [{ type: F32, code: operand.value }]
    case 'f64': return [{ type: F64, code: operand.value }]
    case 'i128': return [{ type: I64, code: operand.low }, { type: I64, code: operand.high }]
    case 'var': return [{ type: I32, code: operand.address }, { type: I32, code: operand.length }]
  }
}

/** The operand with other parts, in the order of `partsOf`. */
function withParts(operand: Operand, parts: readonly Code[], valid: Code | undefined): Operand {
  const [a = NO, b = NO] = parts
  switch (operand.layout) {
    case 'i128': return { layout: 'i128', low: a, high: b, valid }
    case 'var': return { layout: 'var', address: a, length: b, valid }
    default: return { layout: operand.layout, value: a, valid }
  }
}

export const siteOf = (expr: Call): Site => ({ args: expr.args.map(arg => arg.type), result: expr.type })

export class Evaluator {
  readonly #e: Emitter
  readonly #surround: Surround
  #known: Map<string, Operand>[] = [new Map()]

  constructor(e: Emitter, surround: Surround) {
    this.#e = e
    this.#surround = surround
  }

  /** Emits the expression, unless it is known already, and tells where its value is. */
  evaluate(expr: Expr): Operand {
    const key = keyOf(expr)
    for (let i = this.#known.length - 1; i >= 0; i--) {
      const known = this.#known[i]?.get(key)
      if (known !== undefined) return known
    }
    const operand = this.#settle(this.#compute(expr))
    this.#known.at(-1)?.set(key, operand)
    return operand
  }

  /** 1 where the condition is true, 0 where it is false or NULL. */
  isTrue(expr: Expr): Code {
    const operand = this.evaluate(expr)
    return this.#e.let(I32, both(bool(operand), operand.valid))
  }

  /** Emits what `f` evaluates, for rows where the condition is 1 only; nothing of it is known afterwards. */
  only(condition: Code, f: () => void, otherwise: () => void): void {
    const then = this.#arm(f), or = this.#arm(otherwise)
    this.#e.costs += then.costs + or.costs
    this.#e.run(when(condition, then.code, or.code.length === 0 ? undefined : or.code))
  }

  /** Statements of an arm, captured; what they make known stays inside. */
  #arm<T>(f: () => T): { readonly code: Code; readonly result: T; readonly costs: number; readonly known: Map<string, Operand> } {
    const known = new Map<string, Operand>()
    this.#known.push(known)
    try {
      return { ...this.#e.capture(f), known }
    } finally {
      this.#known.pop()
    }
  }

  /** Puts an arm here for every row: what it made known is known. */
  #inline(arm: { readonly code: Code; readonly costs: number; readonly known: Map<string, Operand> }): void {
    this.#e.place(arm)
    for (const [key, operand] of arm.known) this.#known.at(-1)?.set(key, operand)
  }

  #settle(operand: Operand): Operand {
    const valid = operand.valid === undefined ? undefined : this.#e.let(I32, operand.valid)
    return withParts(operand, partsOf(operand).map(part => this.#e.let(part.type, part.code)), valid)
  }

  #compute(expr: Expr): Operand {
    switch (expr.kind) {
      case 'column': return this.#surround.column(expr.index)
      case 'param': return this.#surround.uniform(expr.index)
      case 'literal':
        if (expr.value === null) return nullOperand(layoutOf(expr.type))
        invariant(typeof expr.value === 'boolean', 'literals other than NULL and truth values are parameters')
        return { layout: 'u8', value: i32.const(expr.value ? 1 : 0), valid: undefined }
      case 'case': return this.#case(expr, 0)
      case 'call': return this.#call(expr)
    }
  }

  #call(expr: Call): Operand {
    if (expr.fn === IN_SET || expr.fn === IN_SET_OR_NULL) return this.#inSet(expr)
    const fn = scalarById(expr.fn), { body } = fn
    if (body.kind === 'special') return this.#special(expr)
    invariant(body.kind === 'wasm', `${expr.fn} has no code`)
    const args = expr.args.map(arg => this.evaluate(arg))
    if (fn.strict && args.some(arg => isNo(arg.valid))) return nullOperand(layoutOf(expr.type))
    const e = this.#e, valid = fn.strict ? this.#all(args) : undefined, outer = e.guard
    e.guard = valid
    const result = body.emit(e, args, siteOf(expr))
    e.guard = outer
    invariant(result.layout === layoutOf(expr.type), `${expr.fn} gave ${result.layout} for ${typeKey(expr.type)}`)
    if (!fn.strict || valid === undefined) return result
    return withParts(result, partsOf(result).map(part => part.code), result.valid === undefined ? valid : i32.and(valid, result.valid))
  }

  /** 1 when all are values; undefined when none can be NULL. */
  #all(args: readonly Operand[]): Code | undefined {
    let valid: Code | undefined
    const seen = new Set<string>()
    for (const arg of args) {
      if (arg.valid === undefined || seen.has(arg.valid.join())) continue
      seen.add(arg.valid.join())
      valid = valid === undefined ? arg.valid : i32.and(valid, arg.valid)
    }
    return valid === undefined ? undefined : this.#e.let(I32, valid)
  }

  #special(expr: Call): Operand {
    const [first, second] = expr.args
    invariant(first !== undefined, `${expr.fn} without arguments`)
    const truth = (value: Code): Operand => ({ layout: 'u8', value, valid: undefined })
    switch (expr.fn) {
      case 'and': return this.#junction(expr.args, true)
      case 'or': return this.#junction(expr.args, false)
      case 'not': { const a = this.evaluate(first); return { layout: 'u8', value: i32.eqz(bool(a)), valid: a.valid } }
      case 'is null': { const { valid } = this.evaluate(first); return truth(valid === undefined ? NO : i32.eqz(valid)) }
      case 'is not null': return truth(this.evaluate(first).valid ?? YES)
      case 'is true': return truth(this.isTrue(first))
      case 'is not true': return truth(i32.eqz(this.isTrue(first)))
      case 'is false': { const a = this.evaluate(first); return truth(both(i32.eqz(bool(a)), a.valid)) }
      case 'is not false': { const a = this.evaluate(first); return truth(i32.eqz(both(i32.eqz(bool(a)), a.valid))) }
      case 'is distinct from': return truth(this.#distinct(first, second ?? first))
      case 'is not distinct from': return truth(i32.eqz(this.#distinct(first, second ?? first)))
      case 'coalesce': return this.#coalesce(expr.args, expr.type)
      case 'in': return this.#in(first, expr.args.slice(1))
      case 'relabel': return conform(this.#e, this.evaluate(first), expr.type)
      default: throw new InternalError(`unknown special function ${expr.fn}`)
    }
  }

  /**
   * AND: the value is 0 when one is false; it is NULL when none is false and one is NULL. OR is the mirror image. First what costs nothing, for
   * every row; then the rest in its order, while the answer is open.
   */
  #junction(args: readonly Expr[], isAnd: boolean): Operand {
    const e = this.#e
    const later: { readonly code: Code; readonly result: Operand; readonly costs: number }[] = []
    let value: Code = isAnd ? YES : NO, valid: Code | undefined, started = false
    /** The argument with NULL as what does not decide. */
    const open = (a: Operand): Code => isAnd ? (a.valid === undefined ? bool(a) : i32.or(bool(a), i32.eqz(a.valid))) : both(bool(a), a.valid)
    for (const arg of args) {
      const arm = this.#arm(() => this.evaluate(arg))
      if (arm.costs > 0) { later.push(arm); continue }
      this.#inline(arm)
      value = started ? (isAnd ? i32.and(value, open(arm.result)) : i32.or(value, open(arm.result))) : open(arm.result)
      if (arm.result.valid !== undefined) valid = valid === undefined ? arm.result.valid : i32.and(valid, arm.result.valid)
      started = true
    }
    if (later.length > 0) {
      const answer = e.local(I32), known = later.some(arm => arm.result.valid !== undefined) || valid !== undefined ? e.local(I32) : undefined
      e.run(set(answer, value))
      if (known !== undefined) e.run(set(known, valid ?? YES))
      let at = 0
      for (const arm of later) {
        const body = seq(arm.code, set(answer, open(arm.result)), known === undefined || arm.result.valid === undefined ? [] : set(known, i32.and(get(known), arm.result.valid)))
        e.costs += arm.costs
        e.run(at === 0 && !started ? body : when(isAnd ? get(answer) : i32.eqz(get(answer)), body))
        at++
      }
      value = get(answer)
      valid = known === undefined ? undefined : get(known)
    }
    value = e.let(I32, value)
    if (valid === undefined) return { layout: 'u8', value, valid: undefined }
    return { layout: 'u8', value, valid: i32.or(isAnd ? i32.eqz(value) : value, valid) }
  }

  #case(expr: Case, at: number): Operand {
    const arm = expr.arms[at]
    if (arm === undefined) return conform(this.#e, this.evaluate(expr.otherwise), expr.type)
    const condition = this.isTrue(arm.when)
    return this.#choose(condition, () => conform(this.#e, this.evaluate(arm.then), expr.type), () => this.#case(expr, at + 1))
  }

  #coalesce(args: readonly Expr[], type: Type): Operand {
    const [first, ...rest] = args
    if (first === undefined) return nullOperand(layoutOf(type))
    const a = conform(this.#e, this.evaluate(first), type)
    if (a.valid === undefined || rest.length === 0) return a
    if (isNo(a.valid)) return this.#coalesce(rest, type)
    return this.#choose(a.valid, () => ({ ...a, valid: undefined }), () => this.#coalesce(rest, type))
  }

  /** One of two operands: by a branch when one of them costs something, else without. */
  #choose(condition: Code, then: () => Operand, otherwise: () => Operand): Operand {
    const e = this.#e, a = this.#arm(() => this.#settle(then())), b = this.#arm(() => this.#settle(otherwise()))
    const x = partsOf(a.result), y = partsOf(b.result), nullable = a.result.valid !== undefined || b.result.valid !== undefined
    invariant(a.result.layout === b.result.layout, 'arms of different layouts')
    if (a.costs === 0 && b.costs === 0) {
      this.#inline(a)
      this.#inline(b)
      const chosen = x.map((part, i) => select(part.code, y[i]?.code ?? part.code, condition))
      return withParts(a.result, chosen, nullable ? select(a.result.valid ?? YES, b.result.valid ?? YES, condition) : undefined)
    }
    const locals = x.map(part => e.local(part.type)), valid = nullable ? e.local(I32) : undefined
    const assign = (parts: typeof x, result: Operand): Code => seq(
      ...parts.map((part, i) => set(locals[i] ?? 0, part.code)), valid === undefined ? [] : set(valid, result.valid ?? YES))
    e.costs += a.costs + b.costs
    e.run(when(condition, seq(a.code, assign(x, a.result)), seq(b.code, assign(y, b.result))))
    return withParts(a.result, locals.map(get), valid === undefined ? undefined : get(valid))
  }

  #equal(a: Operand, b: Operand, aType: Type, bType: Type): Code {
    invariant(comparable(aType, bType), 'operands that code cannot compare')
    return this.#e.let(I32, compareCode(this.#e, '=', a, b, aType, bType))
  }

  #distinct(first: Expr, second: Expr): Code {
    const a = this.evaluate(first), b = this.evaluate(second)
    if (isNo(a.valid)) return b.valid ?? YES
    if (isNo(b.valid)) return a.valid ?? YES
    const different = i32.eqz(this.#equal(a, b, first.type, second.type))
    if (a.valid === undefined && b.valid === undefined) return different
    const ka = a.valid ?? YES, kb = b.valid ?? YES
    return i32.or(i32.xor(ka, kb), i32.and(i32.and(ka, kb), different))
  }

  #in(first: Expr, list: readonly Expr[]): Operand {
    const e = this.#e, x = this.evaluate(first), found = e.local(I32)
    e.run(set(found, NO))
    let valid = x.valid
    for (const member of list) {
      const m = this.evaluate(member)
      if (m.valid !== undefined) valid = valid === undefined ? m.valid : i32.and(valid, m.valid)
      if (isNo(m.valid)) continue
      const test = e.capture(() => both(both(this.#equal(x, m, first.type, member.type), x.valid), m.valid))
      e.costs += test.costs
      if (test.costs > 0) e.run(when(i32.eqz(get(found)), seq(test.code, set(found, test.result))))
      else e.run(seq(test.code, set(found, i32.or(get(found), test.result))))
    }
    return { layout: 'u8', value: get(found), valid: valid === undefined ? undefined : i32.or(get(found), valid) }
  }

  #inSet(expr: Call): Operand {
    const [first, members] = expr.args
    invariant(first !== undefined && members?.kind === 'param', 'a set is a parameter')
    const e = this.#e, x = this.evaluate(first), { address, count } = this.#surround.set(members.index)
    if (isNo(x.valid)) return nullOperand('u8')
    let found: Code
    if (x.layout === 'var') found = e.help('findBytes', () => findBytes((a, al, b, bl) => compareBytesCode(e, a, al, b, bl)), address, count, x.address, x.length)
    else if (x.layout === 'i64' || x.layout === 'i32') found = e.help('findLong', findLong, address, count, x.layout === 'i64' ? x.value : i64.extend(x.value))
    else throw new InternalError(`a set of ${x.layout}`)
    // NULL has nothing to look up; it may be garbage
    const value = e.let(I32, x.layout === 'var' && x.valid !== undefined ? seq(x.valid, [0x04, I32], found, [0x05], NO, [0x0b]) : both(found, x.valid))
    if (expr.fn === IN_SET_OR_NULL) return { layout: 'u8', value, valid: value }
    return { layout: 'u8', value, valid: x.valid }
  }
}

/** find(sorted i64s, count, x): 1 when x is among them. */
function findLong(): Func {
  const [base, count, x, low, middle] = [0, 1, 2, 3, 4]
  return {
    name: 'findLong', params: [I32, I32, I64], results: [I32], locals: [I32, I32],
    body: seq(
      // low: how many are certainly below x; count: how many more may be
      block(loop(seq(
        leave(i32.eqz(get(count)), 1),
        set(middle, i32.shru(get(count), i32.const(1))),
        when(i64.lt(i64.load(i32.add(get(base), i32.shl(i32.add(get(low), get(middle)), i32.const(3)))), get(x)),
          seq(set(low, i32.add(i32.add(get(low), get(middle)), i32.const(1))), set(count, i32.sub(i32.sub(get(count), get(middle)), i32.const(1)))),
          seq(when(i64.eq(i64.load(i32.add(get(base), i32.shl(i32.add(get(low), get(middle)), i32.const(3)))), get(x)), ret(YES)), set(count, get(middle))))),
      YES)),
      NO),
  }
}

/** The same over (address, length) pairs of byte strings. */
function findBytes(compare: (a: Code, al: Code, b: Code, bl: Code) => Code): Func {
  const [base, count, x, length, low, middle, entry, order] = [0, 1, 2, 3, 4, 5, 6, 7]
  return {
    name: 'findBytes', params: [I32, I32, I32, I32], results: [I32], locals: [I32, I32, I32, I32],
    body: seq(
      block(loop(seq(
        leave(i32.eqz(get(count)), 1),
        set(middle, i32.shru(get(count), i32.const(1))),
        set(entry, i32.add(get(base), i32.shl(i32.add(get(low), get(middle)), i32.const(3)))),
        set(order, compare(i32.load(get(entry)), i32.load(get(entry), 4), get(x), get(length))),
        when(i32.eqz(get(order)), ret(YES)),
        when(i32.lt(get(order), NO),
          seq(set(low, i32.add(i32.add(get(low), get(middle)), i32.const(1))), set(count, i32.sub(i32.sub(get(count), get(middle)), i32.const(1)))),
          set(count, get(middle)))),
      YES)),
      NO),
  }
}

/** The same value in the layout of the type: a numeric of more digits. */
function conform(e: Emitter, operand: Operand, type: Type): Operand {
  const layout = layoutOf(type)
  if (operand.layout === layout) return operand
  if (isNo(operand.valid)) return nullOperand(layout)
  if (operand.layout === 'i64' && layout === 'i128') return { layout, ...widen(e, operand.value), valid: operand.valid }
  throw new InternalError(`a ${operand.layout} where ${typeKey(type)} belongs`)
}

function bool(operand: Operand): Code {
  if (operand.layout !== 'u8') throw new InternalError('a truth value was expected')
  return operand.value
}

const both = (value: Code, valid: Code | undefined): Code => valid === undefined ? value : i32.and(value, valid)

