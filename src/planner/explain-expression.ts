/** Calls and constants as SQL text, for EXPLAIN. */
import type { Expr } from '../expr.ts'
import { typeName } from '../type.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'

type Show = (expr: Expr) => string

const POSTFIX: Readonly<Record<string, string>> = {
  'is null': 'IS NULL', 'is not null': 'IS NOT NULL', 'is true': 'IS TRUE', 'is not true': 'IS NOT TRUE', 'is false': 'IS FALSE', 'is not false': 'IS NOT FALSE',
}
const LIKE: Readonly<Record<string, string>> = { '~~': 'LIKE', '!~~': 'NOT LIKE', '~~*': 'ILIKE', '!~~*': 'NOT ILIKE' }

/** A call as it would be written; `inner` shows an operand in parentheses where they are needed, `whole` without. */
export function callText(expr: Extract<Expr, { kind: 'call' }>, inner: Show, whole: Show): string {
  const { fn, args } = expr, [first, second] = args
  if (fn === 'and' || fn === 'or') return args.map(inner).join(fn === 'and' ? ' AND ' : ' OR ')
  if (first !== undefined) {
    if (fn === 'not') return `NOT (${whole(first)})`
    if (fn === 'relabel') return whole(first)
    const postfix = POSTFIX[fn]
    if (postfix !== undefined) return `${inner(first)} ${postfix}`
    if (fn === 'in') return `${inner(first)} IN (${args.slice(1).map(whole).join(', ')})`
    if (second !== undefined && (fn === 'is distinct from' || fn === 'is not distinct from')) return `${inner(first)} ${fn.toUpperCase()} ${inner(second)}`
  }
  const name = fn.includes('(') ? fn.slice(0, fn.indexOf('(')) : fn
  if (name === 'cast' && first !== undefined) return `${inner(first)}::${typeName(expr.type)}`
  if (/^[^a-z_"]/i.test(name)) {
    const symbol = LIKE[name] ?? name
    if (first !== undefined && second !== undefined) return `${inner(first)} ${symbol} ${inner(second)}`
    if (first !== undefined) return `${symbol}${inner(first)}`
  }
  return `${name}(${args.map(whole).join(', ')})`
}

/** True when the expression is shown as several words and needs parentheses as an operand. */
export function compound(expr: Expr): boolean {
  if (expr.kind !== 'call') return false
  if (expr.fn === 'relabel') return expr.args[0] !== undefined && compound(expr.args[0])
  return expr.fn === 'and' || expr.fn === 'or' || expr.fn === 'in' || expr.fn.startsWith('is ') || /^[^a-z_"]/i.test(expr.fn)
}

/** A constant as a literal. */
export function valueText(value: Value, type: Type): string {
  if (value === null) return 'NULL'
  const text = plainText(value, type)
  return typeof value === 'boolean' || typeof value === 'number' && type.kind !== 'date' || typeof value === 'bigint' && type.kind === 'int8' || type.kind === 'numeric' ? text : `'${text.replaceAll("'", "''")}'`
}

const DAY = 86_400_000

function plainText(value: Exclude<Value, null>, type: Type): string {
  if (typeof value === 'number' && type.kind === 'date') return new Date(value * DAY).toISOString().slice(0, 10)
  if (typeof value === 'bigint' && (type.kind === 'timestamp' || type.kind === 'timestamptz') && value > -62135596800000000n && value < 253402300800000000n) {
    const whole = value / 1000n, rest = value % 1000n
    return new Date(Number(whole)).toISOString().replace('T', ' ').replace('Z', '').replace(/\.000$/, rest === 0n ? '' : '.000')
  }
  if (typeof value === 'object') {
    if ('unscaled' in value) return value.special ?? decimalText(value.unscaled, value.scale)
    if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
    if ('months' in value) return `${value.months} months ${value.days} days ${value.micros} µs`
    if ('dims' in value) return `{${value.values.map(each => each === null ? 'NULL' : plainText(each, type.kind === 'array' ? type.element : type)).join(',')}}`
    if ('zone' in value) return `${value.micros} µs zone ${value.zone}`
    return `(${value.map(each => each === null ? '' : String(each)).join(',')})`
  }
  return String(value)
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale), fraction = digits.slice(digits.length - scale)
  return `${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${fraction}`}`
}
