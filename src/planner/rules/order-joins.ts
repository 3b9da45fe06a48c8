/**
 * Orders inner joins: the relations and conditions of a region of inner joins are collected, and the two parts whose join is smallest are joined again and
 * again. Parts that a condition connects come before those that would only be crossed. The larger side is on the left.
 */
import { call, columnsOf, conjunction, conjuncts, mapExpr, column } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import { inputsOf, withInputs } from '../../plan.ts'
import type { JoinPlan, Plan } from '../../plan.ts'
import { BOOL } from '../../type.ts'
import { equality, estimate, selectivity } from '../facts.ts'
import type { Tables } from '../facts.ts'
import { filter, join, project, shift } from '../node.ts'
import { exprKey } from '../equal.ts'
import type { Rule } from './rule.ts'

export const orderJoins: Rule = { name: 'order-joins', apply: (plan, context) => visit(plan, context.tables) }

const region = (plan: Plan): plan is JoinPlan => plan.kind === 'join' && plan.how === 'inner'

function visit(plan: Plan, tables: Tables): Plan {
  if (!region(plan)) return withInputs(plan, inputsOf(plan).map(input => visit(input, tables)))
  const leaves: Plan[] = [], conditions: Expr[] = []
  collect(plan, 0, leaves, conditions)
  return order(plan, leaves.map(leaf => visit(leaf, tables)), conditions, tables)
}

/** Flattens a region: leaves from left to right, conditions over their concatenated columns. */
function collect(plan: Plan, offset: number, leaves: Plan[], conditions: Expr[]): void {
  if (plan.kind === 'filter' && region(plan.input)) {
    collect(plan.input, offset, leaves, conditions)
    conditions.push(...conjuncts(plan.condition).map(expr => shift(expr, offset)))
    return
  }
  if (!region(plan)) {
    leaves.push(plan)
    return
  }
  const width = plan.left.schema.length
  collect(plan.left, offset, leaves, conditions)
  collect(plan.right, offset + width, leaves, conditions)
  for (const key of plan.keys) {
    conditions.push(call(`=(${key.left.type.kind},${key.left.type.kind})`, [shift(key.left, offset), shift(key.right, offset + width)], BOOL))
  }
  conditions.push(...conjuncts(plan.residual).map(expr => shift(expr, offset)))
}

interface Part {
  readonly plan: Plan
  /** Where each column of the region is in the plan. */
  readonly at: ReadonlyMap<number, number>
  readonly leaves: bigint
  readonly rows: number
}

/** Two parts that may be joined next. */
interface Pair {
  readonly a: Part
  readonly b: Part
  readonly rows: number
  readonly connected: boolean
}

interface Condition {
  readonly expr: Expr
  readonly leaves: bigint
  /** The share of pairs that it keeps. */
  readonly share: number
  /** It may become a join key. */
  readonly equates: boolean
}

function order(plan: JoinPlan, leaves: readonly Plan[], exprs: readonly Expr[], tables: Tables): Plan {
  const owner: number[] = []
  const starts = leaves.map((leaf, i) => {
    const start = owner.length
    for (let c = 0; c < leaf.schema.length; c++) owner.push(i)
    return start
  })
  const maskOf = (expr: Expr): bigint => columnsOf(expr).reduce((mask, index) => mask | (1n << BigInt(owner[index] ?? 0)), 0n)
  const implied = exprs.flatMap(expr => impliedByOr(expr, maskOf))
  const classes = classesOf(exprs, leaves, starts, owner, tables)
  let conditions = [...exprs].map((expr): Condition => {
    const leavesOf = maskOf(expr)
    return { expr, leaves: leavesOf, share: shareOf(expr, classes), equates: equality(expr) !== undefined }
  })
  let parts = leaves.map((leaf, i): Part => {
    const start = starts[i] ?? 0, bit = 1n << BigInt(i)
    const own = implied.filter(each => each.leaves === bit).map(each => shift(each.expr, -start))
    const filtered = filter(leaf, conjunction(own))
    return { plan: filtered, at: new Map(leaf.schema.map((_, c) => [start + c, c])), leaves: bit, rows: estimate(filtered, tables) }
  })
  // what joining two parts gives stays true until one of them is joined
  const pairs = new Map<Part, Map<Part, Pair>>()
  const pairOf = (a: Part, b: Part): Pair => {
    const known = pairs.get(a)?.get(b)
    if (known !== undefined) return known
    const both = a.leaves | b.leaves, between = conditions.filter(each => (each.leaves & ~both) === 0n)
    const pair = { a, b, rows: joined(a, b, between), connected: between.some(each => each.equates && (each.leaves & a.leaves) !== 0n && (each.leaves & b.leaves) !== 0n) }
    const row = pairs.get(a) ?? new Map<Part, Pair>()
    pairs.set(a, row.set(b, pair))
    return pair
  }
  while (parts.length > 1) {
    let best: Pair | undefined
    for (const [i, a] of parts.entries()) {
      for (let j = i + 1; j < parts.length; j++) {
        const b = parts[j]
        if (b === undefined) continue
        const pair = pairOf(a, b)
        if (best === undefined || (pair.connected === best.connected ? pair.rows < best.rows : pair.connected)) best = pair
      }
    }
    if (best === undefined) break
    const { a, b, rows } = best
    const [left, right] = a.rows >= b.rows ? [a, b] : [b, a]
    const both = left.leaves | right.leaves
    const usable = conditions.filter(each => (each.leaves & ~both) === 0n && each.leaves !== 0n)
    conditions = conditions.filter(each => !usable.includes(each))
    const width = left.plan.schema.length
    const at = new Map([...left.at, ...[...right.at].map(([global, local]) => [global, local + width] as const)])
    const on = conjunction(usable.map(each => moved(each.expr, at)))
    parts = [...parts.filter(part => part !== a && part !== b), { plan: join('inner', left.plan, right.plan, on), at, leaves: both, rows: Math.max(1, rows) }]
  }
  const [whole] = parts
  if (whole === undefined) return plan
  const result = filter(whole.plan, conjunction(conditions.map(each => moved(each.expr, whole.at))))
  const positions = plan.schema.map((_, i) => whole.at.get(i) ?? i)
  if (positions.every((position, i) => position === i)) return result
  return project(result, plan.schema.map((field, i) => column(positions[i] ?? i, field.type)), plan.schema.map(field => field.name))
}

const moved = (expr: Expr, at: ReadonlyMap<number, number>): Expr => mapExpr(expr, node => node.kind === 'column' ? column(at.get(node.index) ?? node.index, node.type) : node)

/** Rows of the join: the product, reduced by each condition; several equalities between two leaves never keep fewer than one match a row of the larger. */
function joined(a: Part, b: Part, between: readonly Condition[]): number {
  const byLeaves = new Map<bigint, number>()
  for (const each of between) byLeaves.set(each.leaves, (byLeaves.get(each.leaves) ?? 1) * each.share)
  let share = 1
  for (const each of byLeaves.values()) share *= Math.max(each, 1 / Math.max(a.rows, b.rows, 1e3))
  return a.rows * b.rows * share
}

/** The share of pairs that a condition keeps. Of an equality: one in as many as there are different values. */
function shareOf(expr: Expr, classes: Classes): number {
  const pair = equality(expr)
  if (pair === undefined) return selectivity(expr)
  return 1 / Math.max(1, ...pair.map(side => side.kind === 'column' ? classes(side.index) : columnsOf(side).length === 0 ? 1 : 100))
}

/** Different values of a column of the region. */
type Classes = (index: number) => number

/**
 * Columns that are equated have the same values: as many as the smallest key among them has rows, so that two foreign keys of one small table are known to have
 * few. Without a known key the smallest relation among them is taken for the one that the others refer to: most equalities follow a reference.
 */
function classesOf(exprs: readonly Expr[], leaves: readonly Plan[], starts: readonly number[], owner: readonly number[], tables: Tables): Classes {
  const parent = owner.map((_, i) => i)
  const root = (i: number): number => { const up = parent[i] ?? i; return up === i ? i : root(up) }
  for (const expr of exprs) {
    const [a, b] = equality(expr) ?? []
    if (a?.kind === 'column' && b?.kind === 'column') parent[root(a.index)] = root(b.index)
  }
  const known = new Map<number, { key: number | undefined; least: number }>()
  owner.forEach((leaf, index) => {
    const plan = leaves[leaf]
    if (plan === undefined) return
    const { values, unique } = different(plan, index - (starts[leaf] ?? 0), tables), top = root(index)
    const entry = known.get(top) ?? { key: undefined, least: Infinity }
    known.set(top, { key: unique ? Math.min(entry.key ?? values, values) : entry.key, least: Math.min(entry.least, values) })
  })
  return index => { const entry = known.get(root(index)); return entry?.key ?? entry?.least ?? 1 }
}

/** Different values that a column may have, before conditions; `unique`: of a key, as many as rows. */
function different(plan: Plan, index: number, tables: Tables): { readonly values: number; readonly unique: boolean } {
  const guess = (rows: number): { values: number; unique: boolean } => ({ values: Math.max(1, rows), unique: false })
  switch (plan.kind) {
    case 'scan': {
      const facts = tables(plan.table), rows = facts?.rows ?? 10_000
      return facts?.key.length === 1 && facts.key[0] === plan.columns[index] ? { values: rows, unique: true } : guess(rows)
    }
    case 'filter': case 'top': return different(plan.input, index, tables)
    case 'window': return index < plan.input.schema.length ? different(plan.input, index, tables) : guess(estimate(plan, tables))
    case 'project': {
      const expr = plan.exprs[index]
      return expr?.kind === 'column' ? different(plan.input, expr.index, tables) : guess(estimate(plan, tables))
    }
    case 'aggregate': return plan.keys.length === 1 && index === 0 ? { values: estimate(plan, tables), unique: true } : guess(estimate(plan, tables))
    case 'join': return index < plan.left.schema.length && (plan.how === 'semi' || plan.how === 'anti') ? different(plan.left, index, tables) : guess(estimate(plan, tables))
    default: return guess(estimate(plan, tables))
  }
}

/** What `(a1 AND b1) OR (a2 AND b2)` says of each relation alone: `a1 OR a2`. Conditions that it implies, to be checked early; the whole stays. */
function impliedByOr(expr: Expr, maskOf: (expr: Expr) => bigint): { readonly expr: Expr; readonly leaves: bigint }[] {
  if (expr.kind !== 'call' || expr.fn !== 'or') return []
  const arms = expr.args.map(arg => conjuncts(arg).map(part => ({ part, leaves: maskOf(part) })))
  const whole = maskOf(expr), found: { expr: Expr; leaves: bigint }[] = []
  for (let bit = 1n; bit <= whole; bit <<= 1n) {
    if ((whole & bit) === 0n || whole === bit) continue
    const own = arms.map(arm => arm.filter(each => each.leaves === bit).map(each => each.part))
    if (own.some(parts => parts.length === 0)) continue
    const each = own.flatMap(parts => conjunction(parts) ?? [])
    const different = each.filter((part, i) => each.findIndex(other => exprKey(other) === exprKey(part)) === i)
    found.push({ expr: different.length === 1 && different[0] !== undefined ? different[0] : call('or', different, BOOL), leaves: bit })
  }
  return found
}
