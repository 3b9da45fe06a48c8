/** A part of an expression with its place in the text: what every file of the expression binder is built on. */
import { unsupported } from '../error.ts'
import type { Expr } from '../expr.ts'
import { TEXT } from '../type.ts'
import { coerce, coerceToBool, commonType, exactly, nameOf } from './coerce.ts'
import type { Term } from './coerce.ts'
import { resolveOperator } from './resolve.ts'
import type { Binding, Frame } from './scope.ts'
import type { Expression } from './syntax.ts'

/** Where an expression's text begins: the least position in its leftmost branch. */
export function leftmost(e: Expression): number {
  switch (e.kind) {
    case 'operator': return e.left === undefined ? e.at : Math.min(e.at, leftmost(e.left))
    case 'and': case 'or': return e.args[0] === undefined ? e.at : Math.min(e.at, leftmost(e.args[0]))
    case 'is': case 'inList': case 'between': case 'like': case 'cast': case 'collate': return Math.min(e.at, leftmost(e.arg))
    case 'isDistinct': case 'quantified': case 'inQuery': case 'quantifiedQuery': return Math.min(e.at, leftmost(e.left))
    case 'field': case 'subscript': return Math.min(e.at, leftmost(e.of))
    default: return e.at
  }
}

/** The expression with the place where its text begins. */
export const bindTerm = (binding: Binding, frame: Frame, e: Expression): Term => ({ expr: binding.expression(frame, e), at: leftmost(e) })

/** The condition of FILTER: neither aggregates nor window functions stand in it. */
export function bindFilter(binding: Binding, frame: Frame, filter: Expression): Expr {
  const { aggregates, clause, insideAggregate, windows, insideWindow } = frame
  Object.assign(frame, { aggregates: undefined, clause: 'FILTER', insideAggregate: false, windows: undefined, insideWindow: undefined })
  try {
    return coerceToBool(binding, bindTerm(binding, frame, filter), 'FILTER')
  } finally {
    Object.assign(frame, { aggregates, clause, insideAggregate, windows, insideWindow })
  }
}

/** Both sides as one type that `=` is defined on. */
export function equalTypes(binding: Binding, left: Term, right: Term, at: number): [Expr, Expr] {
  const { args } = resolveOperator('=', [left.expr.type, right.expr.type], at)
  const [a = TEXT, b = TEXT] = args
  const l = coerce(binding, left, a, 'implicit'), r = coerce(binding, right, b, 'implicit')
  return sameEqual(binding, { expr: l, at: left.at }, { expr: r, at: right.at })
}

function sameEqual(binding: Binding, left: Term, right: Term): [Expr, Expr] {
  const type = commonType([left, right], undefined)
  if (type === undefined) throw unsupported(`= between ${nameOf(left.expr.type)} and ${nameOf(right.expr.type)}`, { position: left.at })
  const as = (term: Term): Expr => exactly(binding, { expr: coerce(binding, term, type, 'implicit'), at: term.at }, type)
  return [as(left), as(right)]
}
