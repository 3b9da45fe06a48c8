/** Holds a plan against what every plan must be: columns in range and of the input's type, schemas that follow from the node, no placeholders. */
import { InternalError } from '../error.ts'
import { visitExpr } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { scalarById } from '../function/table.ts'
import { inputsOf } from '../plan.ts'
import type { Plan } from '../plan.ts'
import { layoutOf, typeKey } from '../type.ts'
import type { Schema, Type } from '../type.ts'
import { explainPlan } from './explain.ts'
import { placeholder } from './facts.ts'
import { joinSchema, partsOf } from './node.ts'

/** Throws `InternalError` where the plan is not well-formed. For tests and for the optimizer's own check. */
export function checkPlan(plan: Plan): void {
  for (const input of inputsOf(plan)) checkPlan(input)
  const where = (): string => explainPlan(plan).slice(0, 4).join('\n')
  const over = (exprs: readonly Expr[], schema: Schema): void => { for (const expr of exprs) checkExpr(expr, schema, where) }
  const gives = (types: readonly Type[]): void => {
    must(types.length === plan.schema.length, () => `${types.length} columns under a schema of ${plan.schema.length}: ${where()}`)
    types.forEach((type, i) => { const field = plan.schema[i]; must(field !== undefined && sameBytes(type, field.type), () => `column ${i} is ${typeKey(type)}, the schema says ${field === undefined ? '' : typeKey(field.type)}: ${where()}`) })
  }
  switch (plan.kind) {
    case 'scan': must(plan.columns.length === plan.schema.length, () => `a scan's columns: ${where()}`); break
    case 'values': for (const row of plan.rows.slice(0, 100)) { over(row, []); gives(row.map(expr => expr.type)) } break
    case 'filter': over([plan.condition], plan.input.schema); gives(types(plan.input.schema)); must(plan.condition.type.kind === 'bool', () => 'a condition is boolean'); break
    case 'project': over(plan.exprs, plan.input.schema); gives(plan.exprs.map(expr => expr.type)); break
    case 'join': {
      over(plan.keys.map(key => key.left), plan.left.schema)
      over(plan.keys.map(key => key.right), plan.right.schema)
      for (const key of plan.keys) must(typeKey(key.left.type) === typeKey(key.right.type), () => `keys of ${typeKey(key.left.type)} and ${typeKey(key.right.type)}`)
      if (plan.residual !== undefined) over([plan.residual], [...plan.left.schema, ...plan.right.schema])
      gives(types(joinSchema(plan.how, plan.left.schema, plan.right.schema)))
      break
    }
    case 'aggregate':
      over([...plan.keys, ...plan.aggregates.flatMap(each => each.filter === undefined ? each.args : [...each.args, each.filter])], plan.input.schema)
      gives([...plan.keys.map(key => key.type), ...plan.aggregates.map(each => each.type)])
      break
    case 'window':
      over([...plan.partition, ...plan.order.map(order => order.expr), ...plan.calls.flatMap(partsOf)], plan.input.schema)
      over(plan.calls.flatMap(({ frame }) => [frame.start, frame.end].flatMap(bound => 'offset' in bound ? [bound.offset] : [])), [])
      gives([...types(plan.input.schema), ...plan.calls.map(each => each.type)])
      break
    case 'top': over(plan.order.map(order => order.expr), plan.input.schema); over([plan.limit, plan.offset].flatMap(expr => expr ?? []), []); gives(types(plan.input.schema)); break
    case 'union': for (const input of plan.inputs) gives(types(input.schema)); break
    case 'negate': gives(types(plan.input.schema)); break
  }
}

function must(condition: boolean, why: () => string): void {
  if (!condition) throw new InternalError(why())
}

const types = (schema: Schema): Type[] => schema.map(field => field.type)

/** A varchar may be read as text: what must agree is how values lie in memory. */
const sameBytes = (a: Type, b: Type): boolean => typeKey(a) === typeKey(b) || (layoutOf(a) === layoutOf(b) && a.kind !== 'numeric' && b.kind !== 'numeric')

function checkExpr(expr: Expr, schema: Schema, where: () => string): void {
  visitExpr(expr, node => {
    if (node.kind === 'param') must(node.index > 0, () => `an outer column is left: ${where()}`)
    if (node.kind === 'call') {
      must(!placeholder(node.fn), () => `a placeholder is left: ${where()}`)
      scalarById(node.fn)
    }
    if (node.kind !== 'column') return
    const field = schema[node.index]
    if (field === undefined) throw new InternalError(`column ${node.index} of ${schema.length}: ${where()}`)
    must(sameBytes(field.type, node.type), () => `column ${node.index} is ${typeKey(field.type)}, read as ${typeKey(node.type)}: ${where()}`)
  })
}
