/** Plans as text, one line a node with what it does behind it, and as plain data for EXPLAIN (FORMAT JSON). */
import { unreachable } from '../error.ts'
import type { Expr } from '../expr.ts'
import { inputsOf } from '../plan.ts'
import type { AsOf, Order, Plan, WindowBound, WindowFrame } from '../plan.ts'
import { typeName } from '../type.ts'
import type { Schema } from '../type.ts'
import type { ScanStats } from '../storage/table.ts'
import { callText, compound, valueText } from './explain-expression.ts'
import { estimate } from './facts.ts'
import type { Tables } from './facts.ts'

/** What EXPLAIN ANALYZE measured of a node. */
export interface Measured {
  /** Absent when the plan was not run. */
  readonly rows?: number
  readonly milliseconds?: number
  /** Of scans. */
  readonly stats?: ScanStats
}

export interface ExplainOptions {
  /** Adds estimated rows. */
  readonly tables?: Tables
  /** Adds what ANALYZE measured, by node. */
  readonly measured?: (node: Plan) => Measured | undefined
  /** The whole schema of a scan's table: its filter's columns are positions in it. */
  readonly tableSchema?: (scan: Extract<Plan, { kind: 'scan' }>) => Schema | undefined
  /** Adds the columns that each node gives. */
  readonly verbose?: boolean
}

/** A node as data: a title, and labelled details. */
export interface ExplainNode {
  readonly title: string
  readonly details: readonly (readonly [label: string, text: string])[]
  readonly inputs: readonly ExplainNode[]
}

/** The lines of a plan, as EXPLAIN shows them. */
export function explainPlan(plan: Plan, options: ExplainOptions = {}): string[] {
  const lines: string[] = []
  const write = (node: ExplainNode, depth: number): void => {
    const indent = depth === 0 ? '' : `${'      '.repeat(depth - 1)}  ->  `
    const inner = `${'      '.repeat(depth)}  `
    lines.push(indent + node.title)
    for (const [label, text] of node.details) lines.push(`${inner}${label}: ${text}`)
    for (const input of node.inputs) write(input, depth + 1)
  }
  write(explainNode(plan, options), 0)
  return lines
}

/** The plan as EXPLAIN (FORMAT JSON) gives it. */
export function explainJson(plan: Plan, options: ExplainOptions = {}): unknown {
  const convert = (node: ExplainNode): unknown => ({
    'Node Type': node.title, ...Object.fromEntries(node.details), ...(node.inputs.length === 0 ? {} : { Plans: node.inputs.map(convert) }),
  })
  return [{ Plan: convert(explainNode(plan, options)) }]
}

/** The plan as a tree of titles and details. */
export function explainNode(plan: Plan, options: ExplainOptions): ExplainNode {
  const details = [...detailsOf(plan, options)]
  if (options.verbose === true) details.unshift(['Output', plan.schema.map(field => `${field.name} ${typeName(field.type)}${field.nullable ? '' : ' not null'}`).join(', ')])
  const measured = options.measured?.(plan)
  if (measured?.stats !== undefined) details.push(...statsText(measured.stats))
  const rows = options.tables === undefined ? '' : `  (rows=${Math.round(estimate(plan, options.tables))})`
  const actual = measured?.rows === undefined ? '' : `  (actual rows=${measured.rows} time=${(measured.milliseconds ?? 0).toFixed(3)} ms)`
  return { title: titleOf(plan) + rows + actual, details, inputs: inputsOf(plan).map(input => explainNode(input, options)) }
}

function statsText(stats: ScanStats): [string, string][] {
  return [
    ['Pruned', `${stats.partitionsPruned} of ${stats.partitionsTotal} partitions, ${stats.filesPruned} of ${stats.filesTotal} files, ${stats.rowGroupsPruned} of ${stats.rowGroupsTotal} row groups`],
    ['Read', `${stats.bytesRead} bytes`],
  ]
}

const JOINS = { inner: 'Join', left: 'Left Join', right: 'Right Join', full: 'Full Join', semi: 'Semi Join', anti: 'Anti Join' } as const

function titleOf(plan: Plan): string {
  switch (plan.kind) {
    case 'scan': return `Scan ${plan.table.schema}.${plan.table.name}${plan.asOf === undefined ? '' : asOfText(plan.asOf)}`
    case 'values': return plan.rows.length === 0 ? 'Empty' : `Values (${plan.rows.length} ${plan.rows.length === 1 ? 'row' : 'rows'})`
    case 'filter': return 'Filter'
    case 'project': return 'Project'
    case 'join': return `${plan.keys.length > 0 ? 'Hash' : 'Nested Loop'} ${JOINS[plan.how]}`
    case 'aggregate': return `${plan.keys.length === 0 ? '' : plan.aggregates.length === 0 ? 'Distinct ' : 'Hash '}Aggregate`.trim() + (plan.stage === undefined || plan.stage === 'whole' ? '' : ` (${plan.stage})`)
    case 'window': return 'Window'
    case 'top': return plan.order.length === 0 ? 'Limit' : plan.limit === undefined && plan.offset === undefined ? 'Sort' : 'Top'
    case 'union': return 'Append'
    case 'negate': return 'Negate'
    default: return unreachable(plan)
  }
}

const asOfText = (asOf: AsOf): string => asOf.kind === 'version' ? ` as of version ${asOf.id}` : ` as of ${asOf.micros} µs`

function* detailsOf(plan: Plan, options: ExplainOptions): Iterable<readonly [string, string]> {
  switch (plan.kind) {
    case 'scan': {
      yield ['Columns', plan.schema.length === 0 ? '(none)' : plan.schema.map(field => field.name).join(', ')]
      if (plan.filter !== undefined) yield ['Filter', exprText(plan.filter, scanSchema(plan, options))]
      return
    }
    case 'values': {
      const shown = plan.rows.slice(0, 3).map(row => `(${row.map(expr => exprText(expr, [])).join(', ')})`)
      if (plan.rows.length > 0 && plan.schema.length > 0) yield ['Rows', shown.join(', ') + (plan.rows.length > 3 ? ', …' : '')]
      return
    }
    case 'filter': yield ['Condition', exprText(plan.condition, plan.input.schema)]; return
    case 'project': yield ['Output', plan.exprs.map((expr, i) => {
      const text = exprText(expr, plan.input.schema), name = plan.schema[i]?.name ?? ''
      return text === name || name === '?column?' ? text : `${text} AS ${name}`
    }).join(', ')]; return
    case 'join': {
      if (plan.keys.length > 0) yield ['Keys', plan.keys.map(key => `${exprText(key.left, plan.left.schema)} = ${exprText(key.right, plan.right.schema)}`).join(', ')]
      if (plan.residual !== undefined) yield ['Residual', exprText(plan.residual, [...plan.left.schema, ...plan.right.schema])]
      return
    }
    case 'aggregate': {
      if (plan.keys.length > 0) yield ['Keys', plan.keys.map(key => exprText(key, plan.input.schema)).join(', ')]
      if (plan.aggregates.length > 0) {
        yield ['Aggregates', plan.aggregates.map(each => {
          const name = each.fn.slice(0, each.fn.indexOf('(')), args = each.args.map(arg => exprText(arg, plan.input.schema)).join(', ')
          return `${name}(${each.distinct ? 'DISTINCT ' : ''}${each.args.length === 0 ? '*' : args})${each.filter === undefined ? '' : ` FILTER (${exprText(each.filter, plan.input.schema)})`}`
        }).join(', ')]
      }
      return
    }
    case 'window': {
      if (plan.partition.length > 0) yield ['Partition', plan.partition.map(key => exprText(key, plan.input.schema)).join(', ')]
      if (plan.order.length > 0) yield ['Order', orderText(plan.order, plan.input.schema)]
      yield ['Calls', plan.calls.map(each => {
        const name = each.fn.slice(0, each.fn.indexOf('(')), args = each.args.map(arg => exprText(arg, plan.input.schema)).join(', ')
        return `${name}(${each.fn === 'count(*)' ? '*' : args})${each.filter === undefined ? '' : ` FILTER (${exprText(each.filter, plan.input.schema)})`}${frameText(each.frame)}`
      }).join(', ')]
      return
    }
    case 'top': {
      if (plan.order.length > 0) yield ['Order', orderText(plan.order, plan.input.schema)]
      if (plan.limit !== undefined) yield ['Limit', exprText(plan.limit, [])]
      if (plan.offset !== undefined) yield ['Offset', exprText(plan.offset, [])]
      return
    }
    case 'union': case 'negate': return
    default: return unreachable(plan)
  }
}

function orderText(order: readonly Order[], schema: Schema): string {
  return order.map(each => `${exprText(each.expr, schema)}${each.descending ? ' DESC' : ''}${each.nullsFirst === each.descending ? '' : each.nullsFirst ? ' NULLS FIRST' : ' NULLS LAST'}`).join(', ')
}

/** A frame as SQL text; nothing for the usual one. */
function frameText({ unit, start, end, exclude }: WindowFrame): string {
  if (unit === 'range' && start.kind === 'unboundedPreceding' && end.kind === 'currentRow' && exclude === 'none') return ''
  const bound = (each: WindowBound): string => {
    switch (each.kind) {
      case 'unboundedPreceding': return 'UNBOUNDED PRECEDING'
      case 'unboundedFollowing': return 'UNBOUNDED FOLLOWING'
      case 'currentRow': return 'CURRENT ROW'
      case 'preceding': case 'following': return `${exprText(each.offset, [])} ${each.kind.toUpperCase()}`
    }
  }
  return ` ${unit.toUpperCase()} BETWEEN ${bound(start)} AND ${bound(end)}${exclude === 'none' ? '' : ` EXCLUDE ${exclude.toUpperCase()}`}`
}

/** Names for a scan's filter: the table's schema where it is known, else those of the columns that come out. */
function scanSchema(plan: Extract<Plan, { kind: 'scan' }>, options: ExplainOptions): Schema {
  const known = options.tableSchema?.(plan)
  if (known !== undefined) return known
  const schema: Schema[number][] = []
  plan.columns.forEach((index, i) => { const field = plan.schema[i]; if (field !== undefined) schema[index] = field })
  return schema
}

/** An expression as SQL text, columns by the names of the schema. */
export function exprText(expr: Expr, schema: Schema): string {
  const inner = (e: Expr): string => compound(e) ? `(${exprText(e, schema)})` : exprText(e, schema)
  switch (expr.kind) {
    case 'column': return schema[expr.index]?.name ?? `#${expr.index}`
    case 'literal': return valueText(expr.value, expr.type)
    case 'param': return `$${expr.index}`
    case 'case': return `CASE ${expr.arms.map(arm => `WHEN ${exprText(arm.when, schema)} THEN ${exprText(arm.then, schema)}`).join(' ')} ELSE ${exprText(expr.otherwise, schema)} END`
    case 'call': return callText(expr, inner, e => exprText(e, schema))
  }
}
