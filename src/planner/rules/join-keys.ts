/** Equalities between the sides of a join become its keys, so that it can hash. Null-safe equalities become keys of values that are never NULL. */
import { call, columnsOf, conjunction, conjuncts, literal } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import { castBetween } from '../../function/table.ts'
import type { JoinPlan, Plan } from '../../plan.ts'
import { BOOL, NUMERIC, sameType } from '../../type.ts'
import type { Schema, Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import { bare } from '../coerce.ts'
import { equality, nullable, volatilityOf } from '../facts.ts'
import { mapPlan, shift } from '../node.ts'
import type { Rule } from './rule.ts'

export const joinKeys: Rule = { name: 'join-keys', apply: plan => mapPlan(plan, node => node.kind === 'join' ? extract(node) : node) }

interface Key {
  readonly left: Expr
  readonly right: Expr
}

function extract(plan: JoinPlan): Plan {
  const width = plan.left.schema.length
  const keys: Key[] = [], rest: Expr[] = []
  for (const part of conjuncts(plan.residual)) {
    const found = keysOf(part, width, plan.left.schema, plan.right.schema)
    if (found === undefined) rest.push(part)
    else keys.push(...found)
  }
  if (keys.length === 0) return plan
  const residual = conjunction(rest)
  const { residual: _, ...others } = plan
  return { ...others, keys: [...plan.keys, ...keys], ...(residual === undefined ? {} : { residual }) }
}

function keysOf(expr: Expr, width: number, left: Schema, right: Schema): Key[] | undefined {
  const pair = equality(expr)
  const nullSafe = expr.kind === 'call' && expr.fn === 'is not distinct from' ? [expr.args[0], expr.args[1]] as const : undefined
  const [a, b] = pair ?? nullSafe ?? []
  if (a === undefined || b === undefined || volatilityOf(expr) === 'volatile') return undefined
  const sides = sided(a, b, width) ?? sided(b, a, width)
  if (sides === undefined) return undefined
  const aligned = align(sides)
  if (aligned === undefined || pair !== undefined) return aligned === undefined ? undefined : [aligned]
  if (!nullable(aligned.left, left) && !nullable(aligned.right, right)) return [aligned]
  const zero = zeroOf(aligned.left.type)
  if (zero === undefined) return undefined
  const both = (f: (side: Expr) => Expr): Key => ({ left: f(aligned.left), right: f(aligned.right) })
  return [both(side => call('is null', [side], BOOL)), both(side => call('coalesce', [side, literal(zero, side.type)], side.type))]
}

/** The pair as expressions over the left and the right input alone. */
function sided(a: Expr, b: Expr, width: number): Key | undefined {
  const left = columnsOf(a), right = columnsOf(b)
  if (left.length === 0 || right.length === 0 || left.some(index => index >= width) || right.some(index => index < width)) return undefined
  return { left: a, right: shift(b, -width) }
}

/** Both sides in one type, as keys must be: equal values have equal bytes then. */
function align({ left, right }: Key): Key | undefined {
  if (sameType(left.type, right.type)) return { left, right }
  if (!sameType(bare(left.type), bare(right.type))) return undefined
  const { kind } = left.type
  const retyped = (expr: Expr, type: Type): Expr => expr.kind === 'call' || expr.kind === 'case' ? call('relabel', [expr], type) : { ...expr, type }
  if (kind === 'varchar' || kind === 'char' || kind === 'timestamp' || kind === 'timestamptz' || kind === 'time') {
    const type = bare(left.type)
    return { left: retyped(left, type), right: retyped(right, type) }
  }
  if (left.type.kind !== 'numeric' || right.type.kind !== 'numeric') return undefined
  const type = commonNumeric(left.type, right.type), cast = castBetween('numeric', 'numeric')
  if (cast?.fn === undefined) return undefined
  const { id } = cast.fn
  const as = (expr: Expr): Expr => sameType(expr.type, type) ? expr : call(id, [expr], type)
  return { left: as(left), right: as(right) }
}

function commonNumeric(a: Extract<Type, { kind: 'numeric' }>, b: Extract<Type, { kind: 'numeric' }>): Type {
  if (a.precision === undefined || b.precision === undefined) return NUMERIC
  const scale = Math.max(a.scale ?? 0, b.scale ?? 0), whole = Math.max(a.precision - (a.scale ?? 0), b.precision - (b.scale ?? 0))
  return whole + scale > 38 ? NUMERIC : { kind: 'numeric', precision: whole + scale, scale }
}

/** Any value of the type. */
function zeroOf(type: Type): Value | undefined {
  switch (type.kind) {
    case 'bool': return false
    case 'int2': case 'int4': case 'float4': case 'float8': case 'date': return 0
    case 'int8': case 'oid': case 'time': case 'timestamp': case 'timestamptz': return 0n
    case 'numeric': return { unscaled: 0n, scale: type.scale ?? 0 }
    case 'text': case 'varchar': case 'char': case 'name': return ''
    default: return undefined
  }
}
