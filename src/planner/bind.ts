/** From syntax to plans: the binder's face. Pure and synchronous; the shapes of tables are looked up by the caller before (`tablesNamed`). */
import { SqlError, invariant } from '../error.ts'
import { mapExpr } from '../expr.ts'
import type { Expr } from '../expr.ts'
import type { AsOf, Plan } from '../plan.ts'
import { TEXT } from '../type.ts'
import type { Type } from '../type.ts'
import { bindExpression as bindExpressionIn } from './bind-expression.ts'
import { bindTerm } from './bind-term.ts'
import { bindAsOf } from './bind-from.ts'
import { bindQueryIn, settleOutputs } from './bind-query.ts'
import { canCoerceType, coerce, nameOf, settle } from './coerce.ts'
import { placeholder } from './facts.ts'
import type { Tables } from './facts.ts'
import { mapExprs, mapPlan, planHas } from './node.ts'
import { newFrame } from './scope.ts'
import type { Binding, BoundRelation, Environment, Origin } from './scope.ts'
import type { AsOfClause, Expression, Path, Query } from './syntax.ts'

export type { Environment, FoundRelation, Origin } from './scope.ts'
export { bindType } from './bind-type.ts'

/** An output column of a bound query. */
export interface BoundField {
  readonly name: string
  readonly type: Type
  /** The table's column that it is, unchanged. */
  readonly origin?: Origin
}

export interface BoundQuery {
  readonly plan: Plan
  readonly fields: readonly BoundField[]
  /** Types of $1, $2, …: declared or inferred. */
  readonly parameters: readonly Type[]
}

/** The state of binding one statement, and what it knows of the tables that it met. */
export function newBinding(environment: Environment): { readonly binding: Binding; readonly tables: Tables } {
  const keys = new Map<string, readonly number[]>()
  const tables: Tables = name => {
    const key = keys.get(`${name.schema}\0${name.name}`)
    return key === undefined ? undefined : { key, appendOnly: false }
  }
  const watched: Environment = {
    ...environment,
    lookup: (path, searchPath) => {
      const found = environment.lookup(path, searchPath)
      if (found?.kind === 'table') keys.set(`${found.name.schema}\0${found.name.name}`, found.key)
      return found
    },
  }
  const views: Query[] = []
  const binding: Binding = {
    environment: watched, fold: expr => environment.fold(expr), parameters: [...environment.parameterTypes], subqueries: [], written: new WeakMap(), outerCount: 0,
    expression: (frame, e) => bindExpressionIn(binding, frame, e),
    query: (query, frame) => {
      if (views.includes(query)) throw new SqlError('42P17', 'infinite recursion detected in rules for a view')
      views.push(query)
      const relation = settleOutputs(binding, bindQueryIn(binding, frame, tables, query))
      views.pop()
      return relation
    },
  }
  return { binding, tables }
}

/** The parameters' types; what nothing told is text. */
export function settledParameters(binding: Binding): Type[] {
  return binding.parameters.map((type, i) => {
    if (type === undefined || type.kind === 'unknown') throw new SqlError('42P18', `could not determine data type of parameter $${i + 1}`)
    return type
  })
}

/** A parameter that was mentioned before anything told its type. */
const open = (expr: Expr): boolean => expr.kind === 'param' && expr.type.kind === 'unknown'

/** A bound relation as a query: nothing may be left that refers to an outer row. */
export function asQuery(binding: Binding, relation: BoundRelation): BoundQuery {
  const parameters = settledParameters(binding)
  const plan = planHas(relation.plan, open) ? mapPlan(relation.plan, node => mapExprs(node, expr => mapExpr(expr, each => each.kind === 'param' && open(each) ? { ...each, type: parameters[each.index - 1] ?? each.type } : each))) : relation.plan
  invariant(!planHas(plan, expr => (expr.kind === 'param' && expr.index < 0) || (expr.kind === 'call' && placeholder(expr.fn))), 'a plan without placeholders')
  return {
    plan, parameters,
    fields: relation.columns.map((each, i) => ({ name: each.name, type: plan.schema[i]?.type ?? TEXT, ...(each.origin === undefined ? {} : { origin: each.origin }) })),
  }
}

/** Binds a query. Errors are PostgreSQL's, with the position in the text that the tree came from. */
export function bindQuery(query: Query, environment: Environment): BoundQuery {
  const { binding } = newBinding(environment)
  return asQuery(binding, binding.query(query, newFrame(undefined, environment.searchPath)))
}

/** Binds a constant expression (DEFAULT, SET, EXECUTE's arguments, …): no columns, no subqueries. `to` is reached by an assignment. */
export function bindExpression(expression: Expression, environment: Environment, options: { readonly clause: string; readonly to?: Type }): Expr {
  const { binding } = newBinding(environment)
  const frame = { ...newFrame(undefined, environment.searchPath), clause: options.clause }
  const term = bindTerm(binding, frame, expression)
  if (binding.subqueries.length > 0) throw new SqlError('0A000', `cannot use subquery in ${options.clause}`, { position: term.at })
  const { to } = options
  if (to === undefined) return settle(binding, term)
  if (!canCoerceType(term.expr.type, to, 'assignment')) throw new SqlError('42804', `${options.clause} is of type ${nameOf(to)} but expression is of type ${nameOf(term.expr.type)}`, { position: term.at, hint: 'You will need to rewrite or cast the expression.' })
  return coerce(binding, term, to, 'assignment')
}

/** The value of a constant expression. */
export function constantValue(expression: Expression, environment: Environment, options: { readonly clause: string; readonly to?: Type }): { readonly value: ReturnType<Environment['fold']>; readonly type: Type } {
  const expr = bindExpression(expression, environment, options)
  return { value: expr.kind === 'literal' ? expr.value : environment.fold(expr), type: expr.type }
}

/** The version that an AS OF outside of a query names (SUBSCRIBE … AS OF). */
export function bindVersion(clause: AsOfClause, environment: Environment): AsOf {
  return bindAsOf(newBinding(environment).binding, clause)
}

/** Every relation that the tree may refer to, each once: what must be looked up before binding. Names of common tables may be among them. */
export function tablesNamed(syntax: unknown): readonly Path[] {
  const found = new Map<string, Path>()
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const each of node) visit(each)
      return
    }
    if (typeof node !== 'object' || node === null) return
    if ('path' in node && isPath(node.path) && (('kind' in node && (node.kind === 'table' || node.kind === 'tableArgument')) || 'only' in node)) found.set(node.path.join('\0'), node.path)
    for (const each of Object.values(node)) visit(each)
  }
  visit(syntax)
  return [...found.values()]
}

const isPath = (value: unknown): value is Path => Array.isArray(value) && value.every(part => typeof part === 'string')
