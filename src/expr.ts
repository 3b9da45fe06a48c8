/**
 * A bound expression: names are resolved to positions, functions to entries of the function table, and every node knows its type. Plain data:
 * comparable, printable, cloneable to a worker.
 */
import type { Type } from './type.ts'
import type { Value } from './value.ts'

export type Expr =
  /** Column `index` of the input. */
  | { readonly kind: 'column'; readonly index: number; readonly type: Type }
  | { readonly kind: 'literal'; readonly value: Value; readonly type: Type }
  /** Parameter $index (1-based) of the statement; the value comes at execution. */
  | { readonly kind: 'param'; readonly index: number; readonly type: Type }
  /** `fn` is the id of an entry of the function table (operators, casts and AND/OR/NOT/IS NULL/COALESCE included). */
  | { readonly kind: 'call'; readonly fn: string; readonly args: readonly Expr[]; readonly type: Type; readonly position?: number }
  /** Arms are tried in order; an arm's result is evaluated only for rows whose condition is the first true one. */
  | { readonly kind: 'case'; readonly arms: readonly CaseArm[]; readonly otherwise: Expr; readonly type: Type }

export interface CaseArm {
  readonly when: Expr
  readonly then: Expr
}

export const column = (index: number, type: Type): Expr => ({ kind: 'column', index, type })
export const literal = (value: Value, type: Type): Expr => ({ kind: 'literal', value, type })
export const call = (fn: string, args: readonly Expr[], type: Type, position?: number): Expr =>
  position === undefined ? { kind: 'call', fn, args, type } : { kind: 'call', fn, args, type, position }

export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'column': case 'literal': case 'param': return []
    case 'call': return expr.args
    case 'case': return [...expr.arms.flatMap(arm => [arm.when, arm.then]), expr.otherwise]
  }
}

/** The same node over other children, given in the order of `childrenOf`; the same object when none differs. */
export function withChildren(expr: Expr, children: readonly Expr[]): Expr {
  const old = childrenOf(expr)
  if (children.length === old.length && children.every((child, i) => child === old[i])) return expr
  switch (expr.kind) {
    case 'column': case 'literal': case 'param': return expr
    case 'call': return { ...expr, args: children }
    case 'case': {
      const arms = expr.arms.map((arm, i) => ({ when: children[2 * i] ?? arm.when, then: children[2 * i + 1] ?? arm.then }))
      return { ...expr, arms, otherwise: children[children.length - 1] ?? expr.otherwise }
    }
  }
}

/** Rebuilds from the leaves up; `f` sees each node after its children were rebuilt. */
export function mapExpr(expr: Expr, f: (expr: Expr) => Expr): Expr {
  return f(withChildren(expr, childrenOf(expr).map(child => mapExpr(child, f))))
}

/** Visits every node, parents first. */
export function visitExpr(expr: Expr, f: (expr: Expr) => void): void {
  f(expr)
  for (const child of childrenOf(expr)) visitExpr(child, f)
}

/** The columns an expression reads, ascending, each once. */
export function columnsOf(...exprs: readonly Expr[]): number[] {
  const seen = new Set<number>()
  for (const expr of exprs) visitExpr(expr, node => { if (node.kind === 'column') seen.add(node.index) })
  return [...seen].sort((a, b) => a - b)
}

/** The conditions whose conjunction the expression is. */
export function conjuncts(expr: Expr | undefined): readonly Expr[] {
  if (expr === undefined) return []
  return expr.kind === 'call' && expr.fn === 'and' ? expr.args.flatMap(conjuncts) : [expr]
}

/** The conjunction of conditions; undefined for none. */
export function conjunction(exprs: readonly Expr[]): Expr | undefined {
  if (exprs.length <= 1) return exprs[0]
  return { kind: 'call', fn: 'and', args: exprs, type: { kind: 'bool' } }
}
