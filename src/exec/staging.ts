/**
 * How expressions are cut into generated code and ordinary functions. A function that has no code is a call of its own between two passes of
 * generated code: the first computes its arguments (and for which rows it is wanted at all), the next one reads its result as a column.
 */
import { InternalError, invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import { columnsOf, mapExpr, visitExpr } from '../expr.ts'
import { comparable, compareValues } from '../function/comparison.ts'
import type { Run, RunColumns, Site } from '../function/body.ts'
import { scalarById } from '../function/table.ts'
import type { Type } from '../type.ts'
import { BOOL, bytesOrder, layoutOf, sameType, tailOf } from '../type.ts'
import type { Value } from '../value.ts'
import { keyOf, siteOf } from './expression.ts'

/** A value that is the same for all rows: a literal, a parameter of the statement, or the members of a long IN list. */
export type Uniform =
  | { readonly kind: 'literal'; readonly value: Value; readonly type: Type }
  | { readonly kind: 'param'; readonly index: number; readonly type: Type }
  | { readonly kind: 'set'; readonly values: readonly Value[]; readonly type: Type }

/** Expressions whose literals and parameters are uniforms: `param` node i is uniform i. Only NULLs and truth values stay literals. */
export interface Normal {
  readonly exprs: readonly Expr[]
  readonly uniforms: readonly Uniform[]
}

/** An IN list longer than this is searched by halving. */
const LONG_LIST = 8

/** Takes the values out, so that expressions that differ in them only are one program. */
export function normalize(exprs: readonly Expr[]): Normal {
  const uniforms: Uniform[] = [], known = new Map<string, number>()
  const uniform = (entry: Uniform, key: string | undefined): number => {
    const found = key === undefined ? undefined : known.get(key)
    if (found !== undefined) return found
    const index = uniforms.push(entry) - 1
    if (key !== undefined) known.set(key, index)
    return index
  }
  const rewrite = (expr: Expr): Expr => {
    switch (expr.kind) {
      case 'literal': {
        if (expr.value === null || typeof expr.value === 'boolean') return expr
        return { kind: 'param', index: uniform({ kind: 'literal', value: expr.value, type: expr.type }, undefined), type: expr.type }
      }
      case 'param': return { kind: 'param', index: uniform({ kind: 'param', index: expr.index, type: expr.type }, `${expr.index} ${JSON.stringify(expr.type)}`), type: expr.type }
      case 'column': return expr
      case 'case': return { ...expr, arms: expr.arms.map(arm => ({ when: rewrite(arm.when), then: rewrite(arm.then) })), otherwise: rewrite(expr.otherwise) }
      case 'call': {
        if (expr.fn === 'and' || expr.fn === 'or') return { ...expr, args: flattened(expr.fn, expr.args).map(rewrite) }
        const set = expr.fn === 'in' ? setOf(expr.args) : undefined
        if (set === undefined) return { ...expr, args: expr.args.map(rewrite) }
        const first = rewrite(set.first), index = uniform({ kind: 'set', values: set.values, type: first.type }, undefined)
        return { kind: 'call', fn: set.hasNull ? 'in set or null' : 'in set', args: [first, { kind: 'param', index, type: first.type }], type: BOOL }
      }
    }
  }
  return { exprs: exprs.map(rewrite), uniforms }
}

/** The arguments of nested ANDs (ORs) side by side, however deep they are nested. */
function flattened(fn: 'and' | 'or', args: readonly Expr[]): readonly Expr[] {
  const out: Expr[] = [], open = [...args].reverse()
  for (let expr = open.pop(); expr !== undefined; expr = open.pop()) {
    if (expr.kind === 'call' && expr.fn === fn) for (let i = expr.args.length - 1; i >= 0; i--) { const arg = expr.args[i]; if (arg !== undefined) open.push(arg) }
    else out.push(expr)
  }
  return out
}

function setOf([first, ...list]: readonly Expr[]): { first: Expr; values: readonly Value[]; hasNull: boolean } | undefined {
  if (first === undefined || list.length <= LONG_LIST) return undefined
  const layout = layoutOf(first.type)
  if (layout !== 'i32' && layout !== 'i64' && !(layout === 'var' && bytesOrder(first.type) && tailOf(first.type) === 0)) return undefined
  const values: Value[] = []
  let hasNull = false
  for (const member of list) {
    if (member.kind !== 'literal' || (member.value !== null && layoutOf(member.type) !== layout) || (first.type.kind === 'numeric' && !sameScale(first.type, member.type))) return undefined
    if (member.value === null) hasNull = true
    else values.push(member.value)
  }
  return { first, values: values.sort((a, b) => compareValues(a, b, first.type)), hasNull }
}

const sameScale = (a: Type, b: Type): boolean => sameType(a, b) || (a.kind === 'numeric' && b.kind === 'numeric' && (a.scale ?? 0) === (b.scale ?? 0))

/** A function without code, called between two passes. Its arguments are slots or uniforms. */
export interface Invocation {
  readonly run: { readonly kind: 'value'; readonly run: Run } | { readonly kind: 'column'; readonly run: RunColumns }
  readonly strict: boolean
  readonly args: readonly Expr[]
  readonly site: Site
  /** Slot of a bool column: 1 for the rows that need the result. */
  readonly wanted: number | undefined
  readonly slot: number
}

/** Generated code computes `outputs`, then the functions are called; results land in slots. */
export interface Pass {
  readonly outputs: readonly Output[]
  readonly invocations: readonly Invocation[]
}

export interface Output {
  readonly expr: Expr
  /** Computed only for rows where this is true. */
  readonly guard: Expr | undefined
  readonly slot: number
}

export interface Staged {
  /** In order. */
  readonly passes: readonly Pass[]
  /** What is left of the expressions: over input columns and slots, with code for everything. */
  readonly finals: readonly Expr[]
  /** Number of columns: the input's, then the slots. */
  readonly width: number
}

/** The ordinary function for a call, when it has no code. */
function functionOf(expr: Extract<Expr, { kind: 'call' }>): Invocation['run'] | undefined {
  if (expr.fn === 'in set' || expr.fn === 'in set or null') return undefined
  const { body } = scalarById(expr.fn), site = siteOf(expr)
  switch (body.kind) {
    case 'value': case 'column': return body
    case 'wasm':
      if (body.accepts === undefined || body.accepts(site)) return undefined
      if (body.otherwise === undefined) throw new InternalError(`${expr.fn} cannot be computed for ${JSON.stringify(site)}`)
      return { kind: 'value', run: body.otherwise }
    case 'special': {
      const [first, ...rest] = expr.args
      if (first === undefined || !['is distinct from', 'is not distinct from', 'in'].includes(expr.fn) || rest.every(arg => comparable(first.type, arg.type))) return undefined
      return { kind: 'value', run: expr.fn === 'in' ? isIn(first.type) : distinct(first.type, expr.fn === 'is distinct from') }
    }
  }
}

const distinct = (type: Type, want: boolean): Run => ([a, b]) => (compareValues(a ?? null, b ?? null, type) !== 0) === want
const isIn = (type: Type): Run => ([x, ...list]) => {
  if (x === undefined || x === null) return null
  if (list.some(member => member !== null && compareValues(x, member, type) === 0)) return true
  return list.includes(null) ? null : false
}

/** True when the same arguments may give different results in one statement. */
export function isVolatile(expr: Expr): boolean {
  let found = false
  visitExpr(expr, node => { if (node.kind === 'call' && node.fn !== 'in set' && node.fn !== 'in set or null' && scalarById(node.fn).volatility === 'volatile') found = true })
  return found
}

/** Cuts expressions over `inputs` columns. */
export function stage(exprs: readonly Expr[], inputs: number): Staged {
  const levels = new Map<number, number>(), passes: { outputs: Output[]; invocations: Invocation[] }[] = []
  const known = new Map<string, Expr>()
  let width = inputs
  const passAt = (level: number): { outputs: Output[]; invocations: Invocation[] } => {
    while (passes.length <= level) passes.push({ outputs: [], invocations: [] })
    const pass = passes[level]
    invariant(pass !== undefined, 'a pass')
    return pass
  }
  const levelOf = (expr: Expr): number => columnsOf(expr).reduce((most, index) => Math.max(most, levels.get(index) ?? 0), 0)
  const and = (guard: Expr | undefined, condition: Expr): Expr => guard === undefined ? condition : { kind: 'call', fn: 'and', args: [guard, condition], type: BOOL }
  const test = (fn: string, arg: Expr): Expr => ({ kind: 'call', fn, args: [arg], type: BOOL })

  /** The slot of a value that generated code computes as soon as it can. */
  const computed = (expr: Expr, guard: Expr | undefined): Expr => {
    if (expr.kind !== 'call' && expr.kind !== 'case') return expr
    const key = `${keyOf(expr)} if ${guard === undefined ? '' : keyOf(guard)}`, found = known.get(key)
    if (found !== undefined) return found
    const slot = width++, level = Math.max(levelOf(expr), guard === undefined ? 0 : levelOf(guard))
    passAt(level).outputs.push({ expr, guard, slot })
    levels.set(slot, level)
    const column: Expr = { kind: 'column', index: slot, type: expr.type }
    known.set(key, column)
    return column
  }

  const lower = (expr: Expr, guard: Expr | undefined): Expr => {
    switch (expr.kind) {
      case 'column': case 'literal': case 'param': return expr
      case 'case': {
        let open = guard
        const arms = expr.arms.map(arm => {
          const when = lower(arm.when, open), then = lower(arm.then, and(open, test('is true', when)))
          open = and(open, test('is not true', when))
          return { when, then }
        })
        return { ...expr, arms, otherwise: lower(expr.otherwise, open) }
      }
      case 'call': {
        const run = functionOf(expr)
        if (run === undefined) {
          if (expr.fn === 'and' || expr.fn === 'or' || expr.fn === 'coalesce') {
            let open = guard
            const args = expr.args.map(arg => {
              const lowered = lower(arg, open)
              open = and(open, test(expr.fn === 'and' ? 'is not false' : expr.fn === 'or' ? 'is not true' : 'is null', lowered))
              return lowered
            })
            return { ...expr, args }
          }
          return { ...expr, args: expr.args.map(arg => lower(arg, guard)) }
        }
        const key = `${keyOf(expr)} when ${guard === undefined ? '' : keyOf(guard)}`, found = known.get(key) ?? known.get(`${keyOf(expr)} when `)
        if (found !== undefined && !isVolatile(expr)) return found
        const lowered = expr.args.map(arg => lower(arg, guard))
        const level = Math.max(0, ...lowered.map(levelOf), guard === undefined ? 0 : levelOf(guard))
        const args = lowered.map(arg => computed(arg, guard))
        const wanted = guard === undefined ? undefined : computed(test('is true', guard), undefined)
        const slot = width++, fn = scalarById(expr.fn)
        passAt(level).invocations.push({ run, strict: fn.strict, args, site: siteOf(expr), wanted: wanted?.kind === 'column' ? wanted.index : undefined, slot })
        levels.set(slot, level + 1)
        const column: Expr = { kind: 'column', index: slot, type: expr.type }
        known.set(key, column)
        return column
      }
    }
  }
  const finals = exprs.map(expr => lower(expr, undefined))
  return { passes, finals, width }
}

/** The largest parts of an expression, more than a column or a value, for which the condition holds; each replaced by what `replace` gives. */
export function replaceParts(expr: Expr, fits: (expr: Expr) => boolean, replace: (expr: Expr) => Expr): Expr {
  if (expr.kind !== 'call' && expr.kind !== 'case') return expr
  if (fits(expr)) return replace(expr)
  if (expr.kind === 'call') return { ...expr, args: expr.args.map(arg => replaceParts(arg, fits, replace)) }
  return {
    ...expr, arms: expr.arms.map(arm => ({ when: replaceParts(arm.when, fits, replace), then: replaceParts(arm.then, fits, replace) })),
    otherwise: replaceParts(expr.otherwise, fits, replace),
  }
}

/** The expression with column `from` as column 0. */
export const overFirst = (expr: Expr): Expr => mapExpr(expr, node => node.kind === 'column' ? { ...node, index: 0 } : node)
