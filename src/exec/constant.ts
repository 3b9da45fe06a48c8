/** Values of expressions without columns. */
import type { Expr } from '../expr.ts'
import type { Value } from '../value.ts'
import { evaluateConstant } from './compile.ts'
import type { Context } from './operator.ts'

/** The value of an expression without columns. */
export function valueOf(expr: Expr, context: Context): Value {
  switch (expr.kind) {
    case 'literal': return expr.value
    case 'param': return context.parameters.values[expr.index - 1] ?? null
    default: return evaluateConstant(expr, context.parameters, context)
  }
}
