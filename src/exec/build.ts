/** From a plan to the operators that run it. */
import type { Batch } from '../batch.ts'
import { batchFromRows } from '../column.ts'
import { unreachable } from '../error.ts'
import type { Arena } from '../memory.ts'
import type { Plan, ValuesPlan } from '../plan.ts'
import { inputsOf } from '../plan.ts'
import type { ScanStats } from '../storage/table.ts'
import type { Schema } from '../type.ts'
import { Aggregate } from './aggregate.ts'
import { valueOf } from './constant.ts'
import { makeJoin } from './join.ts'
import { Filter, Negate, Project } from './linear.ts'
import type { Context, Life, Operator } from './operator.ts'
import { Scan } from './scan.ts'
import { makeTop } from './top.ts'
import { Union } from './union.ts'
import { makeWindow } from './window.ts'

/** A node of a running query. */
export type Node = SourceNode | ValuesNode | OperatorNode

export interface SourceNode {
  readonly kind: 'source'
  readonly scan: Scan
  readonly schema: Schema
  readonly appendOnly: boolean
}

export interface ValuesNode {
  readonly kind: 'values'
  readonly plan: ValuesPlan
  readonly schema: Schema
  readonly appendOnly: true
}

export interface OperatorNode {
  readonly kind: 'operator'
  readonly plan: Plan
  readonly operator: Operator
  readonly inputs: readonly Node[]
  /** The ports in the order in which a single epoch fills them. */
  readonly order: readonly number[]
  readonly schema: Schema
  /** No row that it gives has a negative weight. */
  readonly appendOnly: boolean
}

/** Wraps each operator as it is made; tests hold them to their promise with it. */
export type Wrap = (operator: Operator, plan: Plan, life: Life) => Operator

export function build(plan: Plan, epochs: Life['epochs'], context: Context, stats: ScanStats, wrap: Wrap = operator => operator): Node {
  // what was opened is closed again when a later part cannot be
  const made: { close(): void }[] = []
  try {
    return buildNode(plan, epochs, context, stats, wrap, made)
  } catch (error) {
    for (const part of made) part.close()
    throw error
  }
}

function buildNode(plan: Plan, epochs: Life['epochs'], context: Context, stats: ScanStats, wrap: Wrap, made: { close(): void }[]): Node {
  const { schema } = plan
  if (plan.kind === 'scan') {
    const scan = new Scan(plan, context, stats)
    made.push(scan)
    return { kind: 'source', scan, schema, appendOnly: epochs === 'one' }
  }
  if (plan.kind === 'values') return { kind: 'values', plan, schema, appendOnly: true }
  const inputs = inputsOf(plan).map(input => buildNode(input, epochs, context, stats, wrap, made))
  const life: Life = { epochs, appendOnly: inputs.map(input => input.appendOnly) }
  const operator = wrap(makeOperator(plan, life, context), plan, life)
  made.push(operator)
  return { kind: 'operator', plan, operator, inputs, order: plan.kind === 'join' ? [1, 0] : inputs.map((_, i) => i), schema, appendOnly: staysAppendOnly(plan, life) }
}

/** The operator of one node. */
export function makeOperator(plan: Exclude<Plan, { kind: 'scan' | 'values' }>, life: Life, context: Context): Operator {
  switch (plan.kind) {
    case 'filter': return new Filter(plan.condition, plan.schema, context)
    case 'project': return new Project(plan.exprs, plan.input.schema, plan.schema, context)
    case 'negate': return new Negate(plan.schema, context)
    case 'union': return new Union(plan.schema)
    case 'aggregate': return new Aggregate(plan, life, context)
    case 'join': return makeJoin(plan, life, context)
    case 'window': return makeWindow(plan, life, context)
    case 'top': return makeTop(plan, life, context)
    default: return unreachable(plan)
  }
}

function staysAppendOnly(plan: Exclude<Plan, { kind: 'scan' | 'values' }>, { epochs, appendOnly }: Life): boolean {
  const all = appendOnly.every(Boolean)
  switch (plan.kind) {
    case 'filter': case 'project': case 'union': return all
    case 'negate': return false
    case 'aggregate': case 'window': return epochs === 'one'
    case 'join': return all && (epochs === 'one' || plan.how === 'inner')
    case 'top': return epochs === 'one' || (all && plan.limit === undefined && plan.offset === undefined)
    default: return unreachable(plan)
  }
}

/** The rows of a VALUES node. */
export function valuesBatch(plan: ValuesPlan, context: Context, arena: Arena): Batch {
  return batchFromRows(plan.schema, plan.rows.map(row => row.map(expr => valueOf(expr, context))), arena)
}

/** Frees every operator of a tree. */
export function closeNode(node: Node): void {
  if (node.kind === 'source') node.scan.close()
  if (node.kind !== 'operator') return
  node.operator.close()
  node.inputs.forEach(closeNode)
}
