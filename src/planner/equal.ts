/** Structural equality of expressions, without the places in the text they came from. */
import type { Expr } from '../expr.ts'

const keys = new WeakMap<Expr, string>()

/** A string that is equal for expressions that compute the same thing the same way. */
export function exprKey(expr: Expr): string {
  const known = keys.get(expr)
  if (known !== undefined) return known
  const key = JSON.stringify(expr, (name, value: unknown) => name === 'position' ? undefined : typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : typeof value === 'number' && !Number.isFinite(value) ? String(value) : value)
  keys.set(expr, key)
  return key
}

export const sameExpr = (a: Expr, b: Expr): boolean => a === b || exprKey(a) === exprKey(b)
