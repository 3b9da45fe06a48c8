/** Arithmetic and bits of the integers, and the lists of everything about numbers. */
import { InternalError } from '../error.ts'
import type { Type, TypeKind } from '../type.ts'
import { INT2, INT4, INT8 } from '../type.ts'
import type { Code, Emitter, Fault } from '../wasm.ts'
import { I32, I64, OUT_OF_RANGE, ZERO_DIVISION, block, f64, get, i32, i64, leave, loop, select, seq, set, when } from '../wasm.ts'
import type { Body, Emit, Operand } from './body.ts'
import { wasm } from './body.ts'
import { decimalFunctions } from './decimal.ts'
import { floatFunctions } from './float.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'
import { multiplyNarrow } from './wide.ts'

export { numberCasts } from './number-cast.ts'

type IntegerKind = 'int2' | 'int4' | 'int8'
const TYPES: Readonly<Record<IntegerKind, Type>> = { int2: INT2, int4: INT4, int8: INT8 }
export const INTEGER_FAULT: Readonly<Record<IntegerKind, Fault>> = { int2: OUT_OF_RANGE('smallint'), int4: OUT_OF_RANGE('integer'), int8: OUT_OF_RANGE('bigint') }
const MIN32 = i32.const(-0x80000000), MIN64 = i64.const(-0x8000000000000000n)

/** The single code of a fixed-width operand. */
export function codeOf(operand: Operand | undefined): Code {
  if (operand === undefined || operand.layout === 'var' || operand.layout === 'i128') throw new InternalError('a fixed-width operand was expected')
  return operand.value
}

/** An integer operand as i64. */
export const asLong = (operand: Operand | undefined): Code => operand?.layout === 'i64' ? operand.value : i64.extend(codeOf(operand))

const int = (value: Code): Operand => ({ layout: 'i32', value, valid: undefined })
const long = (value: Code): Operand => ({ layout: 'i64', value, valid: undefined })

/** The i32 as a smallint, noting when it is none. */
export function asSmall(e: Emitter, value: Code): Operand {
  const result = e.let(I32, value)
  e.raise(INTEGER_FAULT.int2, i32.ne(i32.extend16(result), result))
  return int(result)
}

/** The i64 as an integer, noting when it is none. */
export function asInteger(e: Emitter, value: Code): Operand {
  const wide = e.let(I64, value), result = e.let(I32, i32.wrap(wide))
  e.raise(INTEGER_FAULT.int4, i64.ne(i64.extend(result), wide))
  return int(result)
}

const sign64 = (value: Code): Code => i32.wrap(i64.shru(value, i64.const(63)))

type Arithmetic = '+' | '-' | '*' | '/' | '%'

/** Code for one operation whose result is of the kind; the operands may be of narrower kinds. */
function arithmetic(op: Arithmetic, kind: IntegerKind): Emit {
  if (kind === 'int8') return (e, [x, y]) => longArithmetic(e, op, e.let(I64, asLong(x)), e.let(I64, asLong(y)))
  return (e, [x, y]) => {
    const a = codeOf(x), b = codeOf(y)
    switch (op) {
      case '+':
      case '-': {
        const result = e.let(I32, op === '+' ? i32.add(a, b) : i32.sub(a, b))
        if (kind === 'int2') return asSmall(e, result)
        const flip = op === '+' ? i32.and(i32.xor(a, result), i32.xor(b, result)) : i32.and(i32.xor(a, b), i32.xor(a, result))
        e.raise(INTEGER_FAULT.int4, i32.shru(flip, i32.const(31)))
        return int(result)
      }
      case '*': return kind === 'int2' ? asSmall(e, i32.mul(a, b)) : asInteger(e, i64.mul(i64.extend(a), i64.extend(b)))
      case '/': {
        const divisor = notZero(e, b)
        return kind === 'int2' ? asSmall(e, i32.div(a, divisor)) : asInteger(e, i64.div(i64.extend(a), i64.extend(divisor)))
      }
      case '%': return int(i32.rem(a, notZero(e, b)))
    }
  }
}

/** The divisor, 1 instead of zero; zero is noted. */
function notZero(e: Emitter, divisor: Code): Code {
  const zero = e.let(I32, i32.eqz(divisor))
  e.raise(ZERO_DIVISION, zero)
  return e.let(I32, select(i32.const(1), divisor, zero))
}

function notZeroLong(e: Emitter, divisor: Code): Code {
  const zero = e.let(I32, i64.eqz(divisor))
  e.raise(ZERO_DIVISION, zero)
  return e.let(I64, select(i64.const(1), divisor, zero))
}

function longArithmetic(e: Emitter, op: Arithmetic, a: Code, b: Code): Operand {
  switch (op) {
    case '+':
    case '-': {
      const result = e.let(I64, op === '+' ? i64.add(a, b) : i64.sub(a, b))
      e.raise(INTEGER_FAULT.int8, sign64(op === '+' ? i64.and(i64.xor(a, result), i64.xor(b, result)) : i64.and(i64.xor(a, b), i64.xor(a, result))))
      return long(result)
    }
    case '*': {
      // floats tell cheaply that it certainly fits; only near the limit the exact product decides
      const near = f64.ge(f64.abs(f64.mul(f64.convertI64(a), f64.convertI64(b))), f64.const(9.2e18))
      const exact = e.capture(() => {
        const product = multiplyNarrow(e, a, b)
        e.raise(INTEGER_FAULT.int8, i64.ne(product.high, i64.shr(product.low, i64.const(63))))
      })
      e.costs++
      e.run(when(near, exact.code))
      return long(i64.mul(a, b))
    }
    case '/': {
      const overflow = e.let(I32, i32.and(i64.eq(a, MIN64), i64.eq(b, i64.const(-1))))
      e.raise(INTEGER_FAULT.int8, overflow)
      const divisor = notZeroLong(e, b)
      return long(i64.div(a, select(i64.const(1), divisor, overflow)))
    }
    case '%': return long(i64.rem(a, notZeroLong(e, b)))
  }
}

function negation(kind: IntegerKind): Emit {
  return (e, [x]) => {
    const a = codeOf(x)
    if (kind === 'int8') { e.raise(INTEGER_FAULT.int8, i64.eq(a, MIN64)); return long(i64.sub(i64.const(0), a)) }
    if (kind === 'int2') return asSmall(e, i32.sub(i32.const(0), a))
    e.raise(INTEGER_FAULT.int4, i32.eq(a, MIN32))
    return int(i32.sub(i32.const(0), a))
  }
}

function absolute(kind: IntegerKind): Emit {
  const negate = negation(kind)
  return (e, args, site) => {
    const a = codeOf(args[0]), outer = e.guard
    const negative = e.let(I32, kind === 'int8' ? i64.lt(a, i64.const(0)) : i32.lt(a, i32.const(0)))
    e.guard = outer === undefined ? negative : e.let(I32, i32.and(outer, negative))
    const opposite = codeOf(negate(e, args, site))
    e.guard = outer
    return kind === 'int8' ? long(select(opposite, a, negative)) : int(select(opposite, a, negative))
  }
}

/** gcd by Euclid on absolute values, as unsigned i64. */
function greatestDivisor(e: Emitter, a: Code, b: Code): Code {
  const magnitude = (v: Code): Code => select(i64.sub(i64.const(0), v), v, i64.lt(v, i64.const(0)))
  const x = e.local(I64), y = e.local(I64), rest = e.local(I64)
  e.costs++
  e.run(seq(
    set(x, magnitude(a)), set(y, magnitude(b)),
    block(seq(leave(i64.eqz(get(y))), loop(seq(set(rest, i64.remu(get(x), get(y))), set(x, get(y)), set(y, get(rest))), i32.eqz(i64.eqz(get(y))))))))
  return get(x)
}

function gcd(kind: 'int4' | 'int8'): Emit {
  return (e, [x, y]) => {
    const result = greatestDivisor(e, e.let(I64, asLong(x)), e.let(I64, asLong(y)))
    if (kind === 'int4') return asInteger(e, result)
    e.raise(INTEGER_FAULT.int8, i64.eq(result, MIN64))
    return long(result)
  }
}

function lcm(kind: 'int4' | 'int8'): Emit {
  return (e, [x, y]) => {
    const a = e.let(I64, asLong(x)), b = e.let(I64, asLong(y)), divisor = greatestDivisor(e, a, b)
    const part = e.let(I64, i64.div(a, select(i64.const(1), divisor, i32.or(i64.eqz(divisor), i64.eq(divisor, MIN64)))))
    const product = longArithmetic(e, '*', part, b)
    const value = codeOf(product), result = e.let(I64, select(i64.sub(i64.const(0), value), value, i64.lt(value, i64.const(0))))
    if (kind === 'int4') return asInteger(e, result)
    e.raise(INTEGER_FAULT.int8, i64.lt(result, i64.const(0)))
    return long(result)
  }
}

type Bits = '&' | '|' | '#'
function bits(op: Bits, kind: IntegerKind): Emit {
  const f = op === '&' ? 'and' : op === '|' ? 'or' : 'xor'
  return (_, [x, y]) => kind === 'int8' ? long(i64[f](codeOf(x), codeOf(y))) : int(i32[f](codeOf(x), codeOf(y)))
}

/** As C on the usual machines: the count is taken modulo the width of the machine word. */
function shift(op: '<<' | '>>', kind: IntegerKind): Emit {
  const f = op === '<<' ? 'shl' : 'shr'
  return (_, [x, y]) => kind === 'int8' ? long(i64[f](codeOf(x), i64.extend(codeOf(y)))) : kind === 'int2' ? int(i32.extend16(i32[f](codeOf(x), codeOf(y)))) : int(i32[f](codeOf(x), codeOf(y)))
}

const ABOUT: Readonly<Record<Arithmetic, string>> = { '+': 'sum', '-': 'difference', '*': 'product', '/': 'quotient without its fraction', '%': 'remainder, with the sign of the first' }
const KINDS: readonly IntegerKind[] = ['int2', 'int4', 'int8']
const wider = (a: IntegerKind, b: IntegerKind): IntegerKind => KINDS.indexOf(a) > KINDS.indexOf(b) ? a : b

const signOf: Emit = (_, [x]) => {
  const a = codeOf(x)
  return { layout: 'f64', value: select(f64.const(1), select(f64.const(-1), f64.const(0), f64.lt(a, f64.const(0))), f64.gt(a, f64.const(0))), valid: undefined }
}

const ARITHMETIC: readonly Arithmetic[] = ['+', '-', '*', '/', '%']
const BITS: readonly Bits[] = ['&', '|', '#']
const one = (name: string, kind: TypeKind, result: Type, body: Body, about: string): ScalarFunction => scalar(name, [kind], result, body, about)

const integerFunctions: readonly ScalarFunction[] = [
  ...ARITHMETIC.flatMap(op => KINDS.flatMap(a => KINDS.flatMap(b => {
    const kind = wider(a, b)
    // PostgreSQL has % only for equal kinds
    return op === '%' && a !== b ? [] : [scalar(op, [a, b], TYPES[kind], wasm(arithmetic(op, kind)), ABOUT[op])]
  }))),
  ...KINDS.flatMap(kind => [
    scalar('mod', [kind, kind], TYPES[kind], wasm(arithmetic('%', kind)), ABOUT['%']),
    one('-', kind, TYPES[kind], wasm(negation(kind)), 'negated'),
    one('+', kind, TYPES[kind], wasm((_, [x]) => x ?? int(i32.const(0))), 'itself'),
    one('abs', kind, TYPES[kind], wasm(absolute(kind)), 'absolute value'),
    one('@', kind, TYPES[kind], wasm(absolute(kind)), 'absolute value'),
    one('~', kind, TYPES[kind], wasm((_, [x]) => kind === 'int8' ? long(i64.xor(codeOf(x), i64.const(-1))) : int(i32.xor(codeOf(x), i32.const(-1)))), 'bits flipped'),
    ...BITS.map(op => scalar(op, [kind, kind], TYPES[kind], wasm(bits(op, kind)), op === '&' ? 'bits in both' : op === '|' ? 'bits in either' : 'bits in one of the two')),
    scalar('<<', [kind, 'int4'], TYPES[kind], wasm(shift('<<', kind)), 'bits shifted left'),
    scalar('>>', [kind, 'int4'], TYPES[kind], wasm(shift('>>', kind)), 'bits shifted right'),
  ]),
  ...(['int4', 'int8'] as const).flatMap(kind => [
    scalar('gcd', [kind, kind], TYPES[kind], wasm(gcd(kind)), 'greatest common divisor'),
    scalar('lcm', [kind, kind], TYPES[kind], wasm(lcm(kind)), 'least common multiple'),
  ]),
  one('sign', 'float8', { kind: 'float8' }, wasm(signOf), '−1, 0 or 1'),
]

export const numberFunctions: readonly ScalarFunction[] = [...integerFunctions, ...floatFunctions, ...decimalFunctions]
