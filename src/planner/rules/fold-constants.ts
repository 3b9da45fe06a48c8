/**
 * Computes what is constant, and simplifies what follows. What fails to compute stays as it is, to fail at run time if it is ever reached. Only immutable
 * functions are computed: `now()` and parameters have their values at execution.
 */
import { SqlError } from '../../error.ts'
import { call, conjuncts, literal, mapExpr } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import { scalarById, scalarsNamed } from '../../function/table.ts'
import { inputsOf } from '../../plan.ts'
import type { Plan } from '../../plan.ts'
import { BOOL, DATE } from '../../type.ts'
import type { Schema } from '../../type.ts'
import { typedLiteral } from '../coerce.ts'
import { exprKey } from '../equal.ts'
import { nullable, special } from '../facts.ts'
import { mapExprs, mapPlan } from '../node.ts'
import type { Rule, RuleContext } from './rule.ts'

export const foldConstants: Rule = {
  name: 'fold-constants',
  apply: (plan, context) => mapPlan(plan, node => {
    if (node.kind === 'values' && node.rows.length > 100) return node
    const schema = inputSchema(node)
    return mapExprs(node, expr => node.kind === 'scan' || node.kind === 'values' ? simplify(expr, undefined, context) : simplify(expr, schema, context))
  }),
}

const inputSchema = (plan: Plan): Schema => inputsOf(plan).flatMap(input => input.schema)

/** The simplified expression. Without a schema nothing is known of columns. */
export function simplify(expr: Expr, schema: Schema | undefined, context: RuleContext): Expr {
  return mapExpr(expr, node => {
    switch (node.kind) {
      case 'column': case 'literal': case 'param': return node
      case 'case': return simplifyCase(node)
      case 'call': return special(node.fn) ? simplifySpecial(node, schema, context) : foldCall(node, context)
    }
  })
}

type Call = Extract<Expr, { kind: 'call' }>

const isLiteral = (expr: Expr, value: boolean | null): boolean => expr.kind === 'literal' && expr.value === value

function compute(expr: Expr, context: RuleContext): Expr {
  try {
    const value = context.fold(expr)
    return expr.type.kind === 'numeric' && expr.type.precision === undefined ? typedLiteralAs(value, expr) : literal(value, expr.type)
  } catch (error) {
    if (error instanceof SqlError) return expr
    throw error
  }
}

/** A folded expression keeps its type, so that the schema around it does. */
function typedLiteralAs(value: ReturnType<RuleContext['fold']>, expr: Expr): Expr {
  return { ...typedLiteral(value, expr.type), type: expr.type }
}

function foldCall(expr: Call, context: RuleContext): Expr {
  const fn = scalarById(expr.fn)
  if (fn.volatility !== 'immutable') return expr
  if (fn.strict && expr.args.some(arg => isLiteral(arg, null))) return literal(null, expr.type)
  return expr.args.every(arg => arg.kind === 'literal') ? compute(expr, context) : asDates(expr)
}

const DAY = 86_400_000_000n

/** A date compared with midnight (`d < date '…' + interval '1 year'` is a timestamp) is compared with a date: files and row groups are pruned by it. */
function asDates(expr: Call): Expr {
  const match = /^(=|<>|<|<=|>|>=)\((date,timestamp|timestamp,date)\)$/.exec(expr.fn)
  if (match === null) return expr
  const args = expr.args.map(arg => arg.kind === 'literal' && arg.type.kind === 'timestamp' && typeof arg.value === 'bigint' && arg.value % DAY === 0n && arg.value > -MOST && arg.value < MOST
    ? literal(Number(arg.value / DAY), DATE) : arg)
  return args.every(arg => arg.type.kind === 'date') ? { ...expr, fn: `${match[1] ?? ''}(date,date)`, args } : expr
}
/** Well inside of what dates and timestamps hold; the infinities are outside. */
const MOST = 1_000_000n * DAY

function simplifyCase(expr: Extract<Expr, { kind: 'case' }>): Expr {
  const arms = []
  for (const arm of expr.arms) {
    if (isLiteral(arm.when, false) || isLiteral(arm.when, null)) continue
    if (isLiteral(arm.when, true)) return arms.length === 0 ? arm.then : { ...expr, arms, otherwise: arm.then }
    arms.push(arm)
  }
  return arms.length === 0 ? expr.otherwise : arms.length === expr.arms.length ? expr : { ...expr, arms }
}

const OPPOSITE: Readonly<Record<string, string>> = { '=': '<>', '<>': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' }
const TESTS: Readonly<Record<string, string>> = {
  'is null': 'is not null', 'is not null': 'is null', 'is true': 'is not true', 'is not true': 'is true', 'is false': 'is not false', 'is not false': 'is false',
  'is distinct from': 'is not distinct from', 'is not distinct from': 'is distinct from',
}

function simplifySpecial(expr: Call, schema: Schema | undefined, context: RuleContext): Expr {
  const [first] = expr.args
  switch (expr.fn) {
    case 'and': {
      const args = unique(expr.args.flatMap(arg => arg.kind === 'call' && arg.fn === 'and' ? arg.args : [arg]).filter(arg => !isLiteral(arg, true)))
      if (args.some(arg => isLiteral(arg, false))) return literal(false, BOOL)
      return rebuilt(expr, args, true)
    }
    case 'or': {
      const args = unique(expr.args.flatMap(arg => arg.kind === 'call' && arg.fn === 'or' ? arg.args : [arg]).filter(arg => !isLiteral(arg, false)))
      if (args.some(arg => isLiteral(arg, true))) return literal(true, BOOL)
      return factored(rebuilt(expr, args, false))
    }
    case 'not': {
      if (first === undefined) return expr
      if (first.kind === 'literal') return typeof first.value === 'boolean' ? literal(!first.value, BOOL) : first
      return first.kind === 'call' ? negated(first) ?? expr : expr
    }
    case 'is null': case 'is not null':
      if (first?.kind === 'literal') return literal((first.value === null) === (expr.fn === 'is null'), BOOL)
      return first !== undefined && schema !== undefined && !mayBeNull(first, schema) ? literal(expr.fn === 'is not null', BOOL) : expr
    case 'coalesce': {
      const args: Expr[] = []
      for (const arg of expr.args) {
        if (isLiteral(arg, null)) continue
        args.push(arg)
        if (arg.kind === 'literal') break
      }
      const [only] = args
      if (only === undefined) return literal(null, expr.type)
      return args.length === 1 ? only : args.length === expr.args.length ? expr : { ...expr, args }
    }
    case 'relabel': return first?.kind === 'literal' ? { ...first, type: expr.type } : expr
    default: return expr.args.every(arg => arg.kind === 'literal') ? compute(expr, context) : first !== undefined && expr.fn === 'in' && isLiteral(first, null) ? literal(null, BOOL) : expr
  }
}

/** A NULL test is decided only where nothing else can happen: a column, not a computation that may fail. */
const mayBeNull = (expr: Expr, schema: Schema): boolean => expr.kind !== 'column' || nullable(expr, schema)

function unique(args: readonly Expr[]): Expr[] {
  const seen = new Set<string>()
  return args.filter(arg => {
    const key = exprKey(arg)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

function rebuilt(expr: Call, args: readonly Expr[], empty: boolean): Expr {
  const [only] = args
  if (only === undefined) return literal(empty, BOOL)
  if (args.length === 1) return only
  return args.length === expr.args.length && args.every((arg, i) => arg === expr.args[i]) ? expr : { ...expr, args }
}

/** `(a AND b) OR (a AND c)` is `a AND (b OR c)`: what all arms share may become a join key or a scan's filter. */
function factored(expr: Expr): Expr {
  if (expr.kind !== 'call' || expr.fn !== 'or') return expr
  const arms = expr.args.map(arg => conjuncts(arg))
  const common = (arms[0] ?? []).filter(part => arms.every(arm => arm.some(other => exprKey(other) === exprKey(part))))
  if (common.length === 0) return expr
  const keys = new Set(common.map(exprKey))
  const rests = arms.map(arm => arm.filter(part => !keys.has(exprKey(part))))
  const shared = [...common]
  if (rests.every(rest => rest.length > 0)) shared.push(call('or', rests.map(rest => rest.length === 1 && rest[0] !== undefined ? rest[0] : call('and', rest, BOOL)), BOOL))
  return shared.length === 1 && shared[0] !== undefined ? shared[0] : call('and', shared, BOOL)
}

function negated(expr: Call): Expr | undefined {
  if (expr.fn === 'not') return expr.args[0]
  const test = TESTS[expr.fn]
  if (test !== undefined) return { ...expr, fn: test }
  if (special(expr.fn)) return undefined
  const symbol = expr.fn.slice(0, expr.fn.indexOf('(')), opposite = OPPOSITE[symbol]
  if (opposite === undefined) return undefined
  const id = opposite + expr.fn.slice(symbol.length)
  return scalarsNamed(opposite).some(fn => fn.id === id) ? { ...expr, fn: id } : undefined
}
