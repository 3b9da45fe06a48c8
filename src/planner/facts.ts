/** What is provable of a plan: nullability, uniqueness, row bounds, row estimates, and whether rows are ever taken back. */
import { visitExpr } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { conjuncts } from '../expr.ts'
import { scalarById } from '../function/table.ts'
import type { Plan, TableName } from '../plan.ts'
import type { Schema } from '../type.ts'

/** What the catalog tells the planner of a table. */
export interface TableFacts {
  /** Positions of the primary key. */
  readonly key: readonly number[]
  readonly appendOnly: boolean
  /** Rows, roughly; undefined: not known. */
  readonly rows?: number
}

export type Tables = (table: TableName) => TableFacts | undefined

/** Operators whose result is a value whenever their arguments are. */
const VALUED = new Set(['+', '-', '*', '/', '%', '=', '<>', '<', '<=', '>', '>=', '~~', '!~~', '~~*', '!~~*', '~', '!~', '~*', '!~*', '||', 'abs', 'upper', 'lower', 'length', 'extract', 'date_part', 'date_trunc', 'now'])

/** False only when the expression is never NULL over rows of the schema. */
export function nullable(expr: Expr, schema: Schema): boolean {
  switch (expr.kind) {
    case 'column': return schema[expr.index]?.nullable ?? true
    case 'literal': return expr.value === null
    case 'param': return true
    case 'case': return nullable(expr.otherwise, schema) || expr.arms.some(arm => nullable(arm.then, schema))
    case 'call': {
      switch (expr.fn) {
        case 'is null': case 'is not null': case 'is true': case 'is not true': case 'is false': case 'is not false': case 'is distinct from': case 'is not distinct from': return false
        case 'coalesce': return expr.args.every(arg => nullable(arg, schema))
        case 'and': case 'or': case 'not': case 'in': case 'relabel': return expr.args.some(arg => nullable(arg, schema))
      }
      if (placeholder(expr.fn)) return true
      const fn = scalarById(expr.fn)
      if (!fn.strict || !(VALUED.has(fn.name) || (fn.name === 'cast' && expr.type.kind !== 'json' && expr.type.kind !== 'jsonb' && expr.args[0]?.type.kind !== 'jsonb' && expr.args[0]?.type.kind !== 'json'))) return true
      if (expr.type.kind === 'jsonb' || expr.type.kind === 'json' || expr.type.kind === 'array') return true
      return expr.args.some(arg => nullable(arg, schema))
    }
  }
}

/** True when the expression is NULL (or not true, for a condition) whenever all the given columns are NULL: it rejects a row that an outer join made up. */
export function rejectsNulls(expr: Expr, columns: ReadonlySet<number>): boolean {
  return notTrueOnNull(expr, columns)
}

/** The condition cannot be true when the columns are NULL. */
function notTrueOnNull(expr: Expr, columns: ReadonlySet<number>): boolean {
  if (nullOnNull(expr, columns)) return true
  if (expr.kind === 'literal') return expr.value !== true
  if (expr.kind !== 'call') return false
  const [first] = expr.args
  switch (expr.fn) {
    case 'and': return expr.args.some(arg => notTrueOnNull(arg, columns))
    case 'or': return expr.args.every(arg => notTrueOnNull(arg, columns))
    case 'is not null': return first !== undefined && nullOnNull(first, columns)
    case 'is true': return first !== undefined && notTrueOnNull(first, columns)
    case 'is false': return first !== undefined && nullOnNull(first, columns)
    default: return false
  }
}

/** The value is NULL when the columns are. */
export function nullOnNull(expr: Expr, columns: ReadonlySet<number>): boolean {
  switch (expr.kind) {
    case 'column': return columns.has(expr.index)
    case 'literal': return expr.value === null
    case 'param': return false
    case 'case': return nullOnNull(expr.otherwise, columns) && expr.arms.every(arm => nullOnNull(arm.then, columns))
    case 'call': {
      switch (expr.fn) {
        case 'not': case 'relabel': return expr.args.some(arg => nullOnNull(arg, columns))
        case 'and': case 'or': case 'coalesce': return expr.args.every(arg => nullOnNull(arg, columns))
        case 'in': return expr.args[0] !== undefined && nullOnNull(expr.args[0], columns)
        case 'is null': case 'is not null': case 'is true': case 'is not true': case 'is false': case 'is not false': case 'is distinct from': case 'is not distinct from': return false
      }
      if (placeholder(expr.fn)) return false
      return scalarById(expr.fn).strict && expr.args.some(arg => nullOnNull(arg, columns))
    }
  }
}

/** What the binder leaves in expressions until it knows better. */
export const placeholder = (fn: string): boolean => /^(?:subquery|aggregate|window) /.test(fn)

/** Volatility of a whole expression: the least stable of its functions. */
export function volatilityOf(expr: Expr): 'immutable' | 'stable' | 'volatile' {
  let worst: 'immutable' | 'stable' | 'volatile' = 'immutable'
  visitExpr(expr, node => {
    if (node.kind !== 'call' || special(node.fn)) return
    const { volatility } = scalarById(node.fn)
    if (volatility === 'volatile' || (volatility === 'stable' && worst === 'immutable')) worst = volatility
  })
  return worst
}

const SPECIAL = new Set(['and', 'or', 'not', 'is null', 'is not null', 'is true', 'is not true', 'is false', 'is not false', 'is distinct from', 'is not distinct from', 'coalesce', 'in', 'relabel'])
/** Functions that the binder builds by itself, and its placeholders. */
export const special = (fn: string): boolean => SPECIAL.has(fn) || placeholder(fn)

/** The pair of an equality `a = b` between one type; undefined for anything else. */
export function equality(expr: Expr): readonly [Expr, Expr] | undefined {
  if (expr.kind !== 'call' || expr.args.length !== 2 || !expr.fn.startsWith('=(')) return undefined
  const [a, b] = expr.args
  return a === undefined || b === undefined ? undefined : [a, b]
}

/** Columns that have one value for all rows: equal to an expression without columns. */
export function constantColumns(plan: Plan): ReadonlySet<number> {
  const found = new Set<number>()
  const fromCondition = (condition: Expr | undefined, position: (index: number) => number): void => {
    for (const conjunct of conjuncts(condition)) {
      const pair = equality(conjunct)
      if (pair === undefined) continue
      for (const [a, b] of [pair, [pair[1], pair[0]] as const]) {
        if (a.kind === 'column' && !hasColumn(b) && volatilityOf(b) !== 'volatile' && position(a.index) >= 0) found.add(position(a.index))
      }
    }
  }
  switch (plan.kind) {
    case 'scan': fromCondition(plan.filter, index => plan.columns.indexOf(index)); break
    case 'filter': {
      for (const index of constantColumns(plan.input)) found.add(index)
      fromCondition(plan.condition, index => index)
      break
    }
    case 'project': {
      const below = constantColumns(plan.input)
      plan.exprs.forEach((expr, i) => { if (!hasColumn(expr) ? volatilityOf(expr) !== 'volatile' : expr.kind === 'column' && below.has(expr.index)) found.add(i) })
      break
    }
    case 'top': case 'window': case 'negate': return constantColumns(plan.input)
    case 'aggregate': {
      const below = constantColumns(plan.input)
      plan.keys.forEach((key, i) => { if (key.kind === 'column' && below.has(key.index)) found.add(i) })
      break
    }
    case 'join': {
      if (plan.how === 'inner' || plan.how === 'left' || plan.how === 'semi' || plan.how === 'anti') for (const index of constantColumns(plan.left)) found.add(index)
      if (plan.how === 'inner' || plan.how === 'right') for (const index of constantColumns(plan.right)) found.add(plan.left.schema.length + index)
      break
    }
    case 'values': case 'union': break
  }
  return found
}

const hasColumn = (expr: Expr): boolean => {
  let found = false
  visitExpr(expr, node => { if (node.kind === 'column') found = true })
  return found
}

/** Sets of columns in which no two rows agree (by SQL equality). The empty set: at most one row. */
export function uniqueSets(plan: Plan, tables: Tables): readonly (readonly number[])[] {
  const constant = constantColumns(plan)
  const sets = rawSets(plan, tables).map(set => set.filter(index => !constant.has(index)))
  return sets
}

function rawSets(plan: Plan, tables: Tables): readonly (readonly number[])[] {
  switch (plan.kind) {
    case 'scan': {
      const key = tables(plan.table)?.key ?? []
      const positions = key.map(k => plan.columns.indexOf(k))
      const constants = new Set(conjuncts(plan.filter).flatMap(conjunct => {
        const pair = equality(conjunct)
        return pair === undefined ? [] : pair[0].kind === 'column' && !hasColumn(pair[1]) ? [pair[0].index] : pair[1].kind === 'column' && !hasColumn(pair[0]) ? [pair[1].index] : []
      }))
      const needed = key.flatMap((k, i) => constants.has(k) ? [] : [positions[i] ?? -1])
      return key.length > 0 && needed.every(p => p >= 0) ? [needed] : []
    }
    case 'values': return plan.rows.length <= 1 ? [[]] : []
    case 'filter': case 'window': case 'negate': return uniqueSets(plan.input, tables)
    case 'top': return plan.limit?.kind === 'literal' && (plan.limit.value === 0n || plan.limit.value === 1n) ? [[]] : uniqueSets(plan.input, tables)
    case 'project': return uniqueSets(plan.input, tables).flatMap(set => {
      const positions = set.map(index => plan.exprs.findIndex(expr => expr.kind === 'column' && expr.index === index))
      return positions.every(p => p >= 0) ? [positions] : []
    })
    case 'aggregate': {
      if (plan.keys.length === 0) return [[]]
      const constant = constantColumns(plan.input)
      return [plan.keys.flatMap((key, i) => key.kind === 'column' && constant.has(key.index) || !hasColumn(key) ? [] : [i])]
    }
    case 'union': return []
    case 'join': {
      const left = uniqueSets(plan.left, tables)
      if (plan.how === 'semi' || plan.how === 'anti') return left
      const right = uniqueSets(plan.right, tables), width = plan.left.schema.length
      const sets: (readonly number[])[] = []
      if (plan.how !== 'full' && plan.how !== 'right' && matchesOne(plan, 'right', right)) sets.push(...left)
      if (plan.how !== 'full' && plan.how !== 'left' && matchesOne(plan, 'left', left)) sets.push(...right.map(set => set.map(index => index + width)))
      for (const a of left.slice(0, 2)) for (const b of right.slice(0, 2)) sets.push([...a, ...b.map(index => index + width)])
      return plan.how === 'full' ? sets.filter(set => set.length > 0) : sets
    }
  }
}

/** Each row meets at most one row of the side: the side is unique in columns that the join equates with the other side. */
function matchesOne(plan: Extract<Plan, { kind: 'join' }>, side: 'left' | 'right', sets: readonly (readonly number[])[]): boolean {
  const width = plan.left.schema.length
  const equated = new Set<number>()
  for (const key of plan.keys) {
    const expr = side === 'left' ? key.left : key.right
    if (expr.kind === 'column') equated.add(expr.index)
  }
  for (const conjunct of conjuncts(plan.residual)) {
    const pair = equality(conjunct)
    if (pair === undefined) continue
    for (const [a, b] of [pair, [pair[1], pair[0]] as const]) {
      if (a.kind !== 'column' || (a.index < width) !== (side === 'left')) continue
      let other = true
      visitExpr(b, node => { if (node.kind === 'column' && (node.index < width) === (side === 'left')) other = false })
      if (other) equated.add(side === 'left' ? a.index : a.index - width)
    }
  }
  return sets.some(set => set.every(index => equated.has(index)))
}

/** True when the plan never gives two rows. */
export const atMostOneRow = (plan: Plan, tables: Tables): boolean => uniqueSets(plan, tables).some(set => set.length === 0)

/** True when the plan always gives exactly one row. */
export function exactlyOneRow(plan: Plan): boolean {
  switch (plan.kind) {
    case 'aggregate': return plan.keys.length === 0
    case 'values': return plan.rows.length === 1
    case 'project': case 'window': return exactlyOneRow(plan.input)
    case 'top': return plan.limit === undefined && plan.offset === undefined && exactlyOneRow(plan.input)
    case 'join': return plan.how === 'inner' && plan.keys.length === 0 && plan.residual === undefined && exactlyOneRow(plan.left) && exactlyOneRow(plan.right)
    default: return false
  }
}

/** True when no row that the plan gave is ever taken back while its tables only grow. */
export function appendOnly(plan: Plan, tables: Tables): boolean {
  switch (plan.kind) {
    case 'scan': return tables(plan.table)?.appendOnly ?? false
    case 'values': return true
    case 'filter': case 'project': return appendOnly(plan.input, tables)
    case 'union': return plan.inputs.every(input => appendOnly(input, tables))
    case 'join': return (plan.how === 'inner' || plan.how === 'semi') && appendOnly(plan.left, tables) && appendOnly(plan.right, tables)
    case 'aggregate': return plan.aggregates.length === 0 && plan.keys.length > 0 && appendOnly(plan.input, tables)
    case 'top': return plan.limit === undefined && plan.offset === undefined && appendOnly(plan.input, tables)
    case 'window': case 'negate': return false
  }
}

const UNKNOWN_ROWS = 10_000

/** The share of rows that a condition keeps, roughly. */
export function selectivity(condition: Expr | undefined): number {
  let share = 1
  for (const conjunct of conjuncts(condition)) share *= shareOf(conjunct)
  return Math.max(share, 1e-9)
}

function shareOf(expr: Expr): number {
  if (expr.kind === 'literal') return expr.value === true ? 1 : 0
  if (expr.kind !== 'call') return 0.5
  const [first] = expr.args
  switch (expr.fn) {
    case 'and': return expr.args.reduce((share, arg) => share * shareOf(arg), 1)
    case 'or': return Math.min(1, expr.args.reduce((share, arg) => share + shareOf(arg), 0))
    case 'not': return first === undefined ? 0.5 : 1 - Math.min(0.9, shareOf(first))
    case 'is null': return 0.05
    case 'is not null': return 0.95
    case 'in': return Math.min(0.5, 0.02 * (expr.args.length - 1))
  }
  const symbol = expr.fn.split('(')[0]
  switch (symbol) {
    case '=': return 0.02
    case '<>': return 0.95
    case '<': case '<=': case '>': case '>=': return 0.33
    case '~~': case '~~*': case '~': return 0.1
    default: return 0.5
  }
}

/** Rows that a plan gives, roughly. Never 0. */
export function estimate(plan: Plan, tables: Tables): number {
  return Math.max(1, rawEstimate(plan, tables))
}

const estimates = new WeakMap<Tables, WeakMap<Plan, number>>()

function rawEstimate(plan: Plan, tables: Tables): number {
  let cache = estimates.get(tables)
  if (cache === undefined) estimates.set(tables, cache = new WeakMap())
  const known = cache.get(plan)
  if (known !== undefined) return known
  const rows = computeEstimate(plan, tables)
  cache.set(plan, rows)
  return rows
}

function computeEstimate(plan: Plan, tables: Tables): number {
  switch (plan.kind) {
    case 'scan': {
      const facts = tables(plan.table), rows = facts?.rows ?? UNKNOWN_ROWS
      const bound = new Set(conjuncts(plan.filter).flatMap(conjunct => { const pair = equality(conjunct); return pair?.[0].kind === 'column' && !hasColumn(pair[1]) ? [pair[0].index] : [] }))
      if (facts !== undefined && facts.key.length > 0 && facts.key.every(k => bound.has(k))) return 1
      return rows * selectivity(plan.filter)
    }
    case 'values': return plan.rows.length
    case 'filter': return rawEstimate(plan.input, tables) * selectivity(plan.condition)
    case 'project': case 'window': case 'negate': return rawEstimate(plan.input, tables)
    case 'top': {
      const rows = rawEstimate(plan.input, tables)
      return plan.limit?.kind === 'literal' && typeof plan.limit.value === 'bigint' ? Math.min(rows, Number(plan.limit.value)) : rows
    }
    case 'union': return plan.inputs.reduce((sum, input) => sum + rawEstimate(input, tables), 0)
    case 'aggregate': {
      if (plan.keys.length === 0) return 1
      const rows = rawEstimate(plan.input, tables)
      return Math.max(1, Math.min(rows, rows ** (plan.keys.length === 1 ? 0.75 : 0.9)))
    }
    case 'join': {
      const left = estimate(plan.left, tables), right = estimate(plan.right, tables)
      const rows = joinRows(left, right, plan.keys.length + conjuncts(plan.residual).filter(c => equality(c) !== undefined).length) * selectivity(conjunctionWithoutEqualities(plan.residual))
      switch (plan.how) {
        case 'inner': return rows
        case 'left': return Math.max(left, rows)
        case 'right': return Math.max(right, rows)
        case 'full': return Math.max(left + right, rows)
        case 'semi': case 'anti': return left * 0.5
      }
    }
  }
}

function conjunctionWithoutEqualities(expr: Expr | undefined): Expr | undefined {
  const rest = conjuncts(expr).filter(c => equality(c) === undefined)
  return rest.length === 0 ? undefined : { kind: 'call', fn: 'and', args: rest, type: { kind: 'bool' } }
}

/** Rows of an inner join on so many equalities: each row of the larger side meets one of the smaller. */
export function joinRows(left: number, right: number, equalities: number): number {
  if (equalities === 0) return left * right
  return (left * right) / Math.max(left, right)
}
