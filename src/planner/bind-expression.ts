/**
 * Expressions of the syntax tree as bound expressions: names, constants, logic, comparisons, CASE and casts. Calls are in `bind-call.ts`, queries inside
 * expressions stay placeholders (`call` of `subquery N`) until `subquery.ts` joins them to their rows.
 */
import { SqlError, invariant, unreachable, unsupported } from '../error.ts'
import { call, conjunction, literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { BOOL, INT4, INT8, NUMERIC, TEXT, UNKNOWN, typeName } from '../type.ts'
import type { Type } from '../type.ts'
import { bare, canCoerceType, coerce, coerceToBool, coerceToCommon, commonType, exactly, fittingLiteral, nameOf, sameKind, settle, typedLiteral } from './coerce.ts'
import type { Term } from './coerce.ts'
import { bindCall, bindCurrent, bindGrouping, callNamed, callOperator } from './bind-call.ts'
import { bindInterval } from './bind-interval.ts'
import { bindInQuery, bindQuantifiedQuery, bindSubquery } from './bind-subquery.ts'
import { bindTerm, equalTypes } from './bind-term.ts'
import { bindType } from './bind-type.ts'
import { findOperator, resolveOperator } from './resolve.ts'
import { resolveColumn } from './scope.ts'
import type { Binding, Frame } from './scope.ts'
import type { CastExpression, CaseExpression, Expression, InListExpression, LikeExpression, LiteralExpression, QuantifiedExpression } from './syntax.ts'

/** Binds an expression; its type may be unknown (a literal 'x', NULL, a parameter that nothing has told the type of). */
export function bindExpression(binding: Binding, frame: Frame, e: Expression): Expr {
  switch (e.kind) {
    case 'number': case 'string': case 'bits': case 'boolean': case 'null': return bindLiteral(binding, e)
    case 'param': return bindParameter(binding, e.index, e.at)
    case 'column': return resolveColumn(binding, frame, e.path, e.at)
    case 'star': throw e.path.length === 0 ? new SqlError('42601', 'row expansion via "*" is not supported here', { position: e.at }) : unsupported(`a whole row (${e.path.join('.')}.*) as a value`, { position: e.at })
    case 'field': throw unsupported('a field of a row', { position: e.at })
    case 'subscript': return bindSubscript(binding, frame, e)
    case 'call': return bindCall(binding, frame, e)
    case 'operator': {
      if (e.schema.length > 0 && e.schema[e.schema.length - 1] !== 'pg_catalog') throw new SqlError('42883', `operator does not exist: ${e.schema.join('.')}.${e.symbol}`, { position: e.at })
      if (e.left !== undefined && e.left.kind === 'row' && e.right.kind === 'row') return compareRows(binding, frame, e.symbol, e.left.fields, e.right.fields, e.at)
      if (e.left?.kind === 'row' && e.right.kind === 'subquery') throw unsupported('a comparison of a row with a subquery', { position: e.at })
      const right = bindTerm(binding, frame, e.right)
      return callOperator(binding, e.symbol, e.left === undefined ? [right] : [bindTerm(binding, frame, e.left), right], e.at)
    }
    case 'and': case 'or': return call(e.kind, e.args.map(arg => coerceToBool(binding, bindTerm(binding, frame, arg), e.kind.toUpperCase())), BOOL)
    case 'not': return call('not', [coerceToBool(binding, bindTerm(binding, frame, e.arg), 'NOT')], BOOL)
    case 'is': return bindIs(binding, frame, e)
    case 'isDistinct': {
      const left = bindTerm(binding, frame, e.left), right = bindTerm(binding, frame, e.right)
      return call(e.not ? 'is not distinct from' : 'is distinct from', equalTypes(binding, left, right, e.at), BOOL)
    }
    case 'inList': return bindInList(binding, frame, e)
    case 'between': {
      const arg = bindTerm(binding, frame, e.arg), low = bindTerm(binding, frame, e.low), high = bindTerm(binding, frame, e.high)
      const within = (a: Term, b: Term): Expr => e.not
        ? call('or', [callOperator(binding, '<', [arg, a], e.at), callOperator(binding, '>', [arg, b], e.at)], BOOL)
        : call('and', [callOperator(binding, '>=', [arg, a], e.at), callOperator(binding, '<=', [arg, b], e.at)], BOOL)
      return e.symmetric ? call(e.not ? 'and' : 'or', [within(low, high), within(high, low)], BOOL) : within(low, high)
    }
    case 'like': return bindLike(binding, frame, e)
    case 'quantified': return bindQuantified(binding, frame, e)
    case 'subquery': return bindSubquery(binding, frame, e)
    case 'inQuery': {
      const found = bindInQuery(binding, frame, e.left, e.query, e.at)
      return e.not ? call('not', [found], BOOL) : found
    }
    case 'quantifiedQuery': {
      if (e.how === 'any' && e.symbol === '=') return bindInQuery(binding, frame, e.left, e.query, e.at)
      if (e.how === 'all' && e.symbol === '<>') return call('not', [bindInQuery(binding, frame, e.left, e.query, e.at)], BOOL)
      return bindQuantifiedQuery(binding, frame, e)
    }
    case 'case': return bindCase(binding, frame, e)
    case 'cast': return bindCast(binding, frame, e)
    case 'array': return bindArray(binding, frame, e.elements, undefined, e.at)
    case 'row': throw unsupported('a row as a value', { position: e.at })
    case 'collate': {
      const collation = e.collation[e.collation.length - 1] ?? ''
      if (collation !== 'C' && collation !== 'POSIX' && collation !== 'default' && collation !== 'ucs_basic') {
        throw new SqlError('42704', `collation "${e.collation.join('.')}" for encoding "UTF8" does not exist`, { position: e.at })
      }
      return settle(binding, bindTerm(binding, frame, e.arg))
    }
    case 'coalesce': {
      const terms = e.args.map(arg => bindTerm(binding, frame, arg))
      const type = commonType(terms, 'COALESCE') ?? TEXT
      return call('coalesce', coerceToCommon(binding, terms, type, 'COALESCE'), type)
    }
    case 'nullif': {
      const left = bindTerm(binding, frame, e.left), right = bindTerm(binding, frame, e.right)
      const equal = callOperator(binding, '=', [left, right], e.at)
      const { args } = resolveOperator('=', [left.expr.type, right.expr.type], e.at)
      const value = coerce(binding, left, args[0] ?? left.expr.type, 'implicit')
      return { kind: 'case', arms: [{ when: equal, then: literal(null, value.type) }], otherwise: value, type: value.type }
    }
    case 'extreme': {
      const name = e.how.toUpperCase(), terms = e.args.map(arg => bindTerm(binding, frame, arg))
      const type = commonType(terms, name) ?? TEXT
      const args = coerceToCommon(binding, terms, type, name)
      return callNamed(binding, e.how, args.map((expr, i) => ({ expr, at: terms[i]?.at ?? e.at })), e.at)
    }
    case 'current': return bindCurrent(binding, e)
    case 'grouping': return bindGrouping(binding, frame, e.args, e.at)
    case 'default': throw new SqlError('42601', 'DEFAULT is not allowed in this context', { position: e.at })
    case 'tableArgument': throw unsupported('TABLE as an argument of this function', { position: e.at })
    default: return unreachable(e)
  }
}

function bindLiteral(binding: Binding, e: LiteralExpression): Expr {
  switch (e.kind) {
    case 'string': return literal(e.value, UNKNOWN)
    case 'null': return literal(null, UNKNOWN)
    case 'boolean': return literal(e.value, BOOL)
    case 'bits': throw unsupported('the type bit', { position: e.at })
    case 'number': {
      const text = e.text.replaceAll('_', '')
      if (/^-?(\d+|0[xob][0-9a-f]+)$/i.test(text)) {
        const value = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)
        if (value >= -2147483648n && value <= 2147483647n) return literal(Number(value), INT4)
        if (value >= -(2n ** 63n) && value < 2n ** 63n) return literal(value, INT8)
        return coerce(binding, { expr: literal(String(value), UNKNOWN), at: e.at }, NUMERIC, 'implicit')
      }
      const digits = /^(-?\d*)\.(\d*)$/.exec(text)
      if (digits !== null) return typedLiteral({ unscaled: BigInt(`${digits[1] ?? ''}${digits[2] ?? ''}`), scale: (digits[2] ?? '').length }, NUMERIC)
      return coerce(binding, { expr: literal(text, UNKNOWN), at: e.at }, NUMERIC, 'implicit')
    }
    default: return unreachable(e)
  }
}

function bindParameter(binding: Binding, index: number, at: number): Expr {
  if (index < 1 || index > 65535) throw new SqlError('42P02', `there is no parameter $${index}`, { position: at })
  while (binding.parameters.length < index) binding.parameters.push(undefined)
  return { kind: 'param', index, type: binding.parameters[index - 1] ?? UNKNOWN }
}

function bindIs(binding: Binding, frame: Frame, e: Extract<Expression, { kind: 'is' }>): Expr {
  if (e.what === 'null') {
    if (e.arg.kind === 'row') {
      return conjunction(e.arg.fields.map(field => call(e.not ? 'is not null' : 'is null', [settle(binding, bindTerm(binding, frame, field))], BOOL))) ?? literal(!e.not, BOOL)
    }
    // a parameter stays open: this place says nothing of its type
    const term = bindTerm(binding, frame, e.arg)
    return call(e.not ? 'is not null' : 'is null', [term.expr.kind === 'param' ? term.expr : settle(binding, term)], BOOL)
  }
  const construct = `IS ${e.not ? 'NOT ' : ''}${e.what.toUpperCase()}`
  const arg = coerceToBool(binding, bindTerm(binding, frame, e.arg), construct)
  if (e.what === 'unknown') return call(e.not ? 'is not null' : 'is null', [arg], BOOL)
  return call(e.what === 'true' ? (e.not ? 'is not true' : 'is true') : e.not ? 'is not false' : 'is false', [arg], BOOL)
}

/** `(a, b) op (c, d)`: pairwise for = and <>, in turn for the others. */
export function compareRows(binding: Binding, frame: Frame, symbol: string, left: readonly Expression[], right: readonly Expression[], at: number): Expr {
  if (left.length !== right.length) throw new SqlError('42601', 'unequal number of entries in row expressions', { position: at })
  if (left.length === 0) throw new SqlError('0A000', 'cannot compare rows of zero length', { position: at })
  const pairs = left.map((l, i) => {
    const r = right[i]
    invariant(r !== undefined, 'rows of one length')
    return [bindTerm(binding, frame, l), bindTerm(binding, frame, r)] as const
  })
  const each = (op: string): Expr[] => pairs.map(([l, r]) => callOperator(binding, op, [l, r], at))
  if (symbol === '=') return conjunction(each('=')) ?? literal(true, BOOL)
  if (symbol === '<>') {
    const parts = each('<>')
    return parts.length === 1 ? parts[0] ?? literal(false, BOOL) : call('or', parts, BOOL)
  }
  if (!['<', '<=', '>', '>='].includes(symbol)) throw unsupported(`${symbol} between rows`, { position: at })
  const strict = symbol.slice(0, 1)
  let result: Expr | undefined
  for (let i = pairs.length - 1; i >= 0; i--) {
    const pair = pairs[i]
    invariant(pair !== undefined, 'a pair')
    const [l, r] = pair
    result = result === undefined
      ? callOperator(binding, symbol, [l, r], at)
      : call('or', [callOperator(binding, strict, [l, r], at), call('and', [callOperator(binding, '=', [l, r], at), result], BOOL)], BOOL)
  }
  return result ?? literal(false, BOOL)
}

function bindInList(binding: Binding, frame: Frame, e: InListExpression): Expr {
  const negate = (expr: Expr): Expr => e.not ? call('not', [expr], BOOL) : expr
  if (e.arg.kind === 'row') {
    const { fields } = e.arg
    const each = e.list.map(item => {
      if (item.kind !== 'row') throw unsupported('IN between a row and a value', { position: item.at })
      return compareRows(binding, frame, '=', fields, item.fields, e.at)
    })
    return negate(each.length === 1 && each[0] !== undefined ? each[0] : call('or', each, BOOL))
  }
  return negate(anyEqual(binding, bindTerm(binding, frame, e.arg), e.list.map(item => bindTerm(binding, frame, item)), e.at))
}

/** `arg = ANY (items)`: constants by one `in`, the others by `=` each. */
function anyEqual(binding: Binding, arg: Term, items: readonly Term[], at: number): Expr {
  const constant = items.filter(item => item.expr.kind === 'literal'), other = items.filter(item => item.expr.kind !== 'literal')
  const parts: Expr[] = []
  const type = constant.length > 1 ? commonType([arg, ...constant], undefined) : undefined
  const element = type === undefined ? undefined : findOperator('=', [arg.expr.type.kind === 'unknown' ? type : arg.expr.type, type])
  if (type !== undefined && element !== undefined && typeof element === 'object') {
    const [a = type, b = type] = element.args
    const goal = bare(sameKind(a, b) ? b : type)
    const left = coerce(binding, arg, arg.expr.type.kind === goal.kind ? arg.expr.type : goal, 'implicit')
    const literals = constant.map(item => coerce(binding, item, goal, 'implicit'))
    const fitted = literals.flatMap(item => fittingLiteral(item, left.type) ?? [])
    if (fitted.length === literals.length) parts.push(call('in', [left, ...fitted], BOOL, at))
    else if (literals.every(item => item.kind === 'literal')) parts.push(call('in', [left, ...literals].map(item => exactly(binding, { expr: item, at }, goal)), BOOL, at))
  }
  const rest = parts.length > 0 ? other : items
  parts.push(...rest.map(item => callOperator(binding, '=', [arg, item], at)))
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : call('or', parts, BOOL)
}

function bindLike(binding: Binding, frame: Frame, e: LikeExpression): Expr {
  const arg = bindTerm(binding, frame, e.arg)
  let pattern = bindTerm(binding, frame, e.pattern)
  if (e.how === 'similar') {
    const args = e.escape === undefined ? [pattern] : [pattern, bindTerm(binding, frame, e.escape)]
    pattern = { expr: callNamed(binding, 'similar_to_escape', args, e.at), at: pattern.at }
    return callOperator(binding, e.not ? '!~' : '~', [arg, pattern], e.at)
  }
  if (e.escape !== undefined) pattern = { expr: callNamed(binding, 'like_escape', [pattern, bindTerm(binding, frame, e.escape)], e.at), at: pattern.at }
  return callOperator(binding, `${e.not ? '!' : ''}~~${e.how === 'ilike' ? '*' : ''}`, [arg, pattern], e.at)
}

/** `left op ANY (array)` where the array is a constant: the comparison with each of its elements. */
function bindQuantified(binding: Binding, frame: Frame, e: QuantifiedExpression): Expr {
  const left = bindTerm(binding, frame, e.left)
  let elements: Term[]
  if (e.array.kind === 'array' && e.array.elements.length > 0) {
    const terms = e.array.elements.map(element => bindTerm(binding, frame, element)), type = commonType(terms, 'ARRAY') ?? TEXT
    elements = coerceToCommon(binding, terms, type, 'ARRAY').map((expr, i) => ({ expr, at: terms[i]?.at ?? e.at }))
  } else {
    const array = bindTerm(binding, frame, e.array)
    const goal: Type = array.expr.type.kind === 'array' ? array.expr.type : { kind: 'array', element: left.expr.type.kind === 'unknown' ? TEXT : bare(left.expr.type) }
    if (array.expr.type.kind !== 'unknown' && array.expr.type.kind !== 'array') throw new SqlError('42809', `op ANY/ALL (array) requires array on right side`, { position: e.at })
    const value = coerce(binding, array, goal, 'implicit')
    if (value.kind !== 'literal' || goal.kind !== 'array') return quantifiedCall(binding, e, left, value)
    if (value.value === null) return literal(null, BOOL)
    invariant(typeof value.value === 'object' && 'dims' in value.value, 'an array')
    elements = value.value.values.map(item => ({ expr: literal(item, goal.element), at: array.at }))
  }
  if (elements.length === 0) return literal(e.how === 'all', BOOL)
  if (e.how === 'any' && e.symbol === '=') return anyEqual(binding, left, elements, e.at)
  if (e.how === 'all' && e.symbol === '<>') return call('not', [anyEqual(binding, left, elements, e.at)], BOOL)
  const each = elements.map(element => callOperator(binding, e.symbol, [left, element], e.at))
  return each.length === 1 && each[0] !== undefined ? each[0] : call(e.how === 'any' ? 'or' : 'and', each, BOOL)
}

/** The same with an array that is known only at run time: a function of the table, `any =` and the like. */
function quantifiedCall(binding: Binding, e: QuantifiedExpression, left: Term, array: Expr): Expr {
  const goal: Type = left.expr.type.kind === 'unknown' && array.type.kind === 'array' ? array.type.element : left.expr.type
  const args = [{ expr: coerce(binding, left, goal, 'implicit'), at: left.at }, { expr: array, at: e.array.at }]
  return callNamed(binding, `${e.symbol} ${e.how}`, args, e.at, () => unsupported(`${e.symbol} ${e.how.toUpperCase()} of an array that is not constant`, { position: e.at }))
}

function bindSubscript(binding: Binding, frame: Frame, e: Extract<Expression, { kind: 'subscript' }>): Expr {
  if (e.slice || e.index === undefined) throw unsupported('a slice of an array', { position: e.at })
  const array = bindTerm(binding, frame, e.of), index = bindTerm(binding, frame, e.index)
  if (array.expr.type.kind !== 'array') throw new SqlError('42804', `cannot subscript type ${nameOf(array.expr.type)} because it does not support subscripting`, { position: array.at })
  return callNamed(binding, 'subscript', [array, { expr: coerce(binding, index, INT4, 'assignment'), at: index.at }], e.at, () => unsupported('a subscript', { position: e.at }))
}

function bindCase(binding: Binding, frame: Frame, e: CaseExpression): Expr {
  const operand = e.operand === undefined ? undefined : bindTerm(binding, frame, e.operand)
  const test = operand === undefined ? undefined : { expr: settle(binding, operand), at: operand.at }
  const whens = e.arms.map(arm => test === undefined
    ? coerceToBool(binding, bindTerm(binding, frame, arm.when), 'CASE/WHEN')
    : callOperator(binding, '=', [test, bindTerm(binding, frame, arm.when)], arm.at))
  const thens = e.arms.map(arm => bindTerm(binding, frame, arm.then))
  const otherwise: Term = e.otherwise === undefined ? { expr: literal(null, UNKNOWN), at: e.at } : bindTerm(binding, frame, e.otherwise)
  const type = commonType([otherwise, ...thens], 'CASE') ?? TEXT
  const [last, ...values] = [...coerceToCommon(binding, [otherwise], type, 'CASE/ELSE'), ...coerceToCommon(binding, thens, type, 'CASE/WHEN')]
  return {
    kind: 'case', type, otherwise: last ?? literal(null, type),
    arms: whens.map((when, i) => ({ when, then: values[i] ?? literal(null, type) })),
  }
}

function bindCast(binding: Binding, frame: Frame, e: CastExpression): Expr {
  if (e.type.intervalFields !== undefined && e.type.modifiers.length === 0) return bindInterval(binding, e.arg, e.type.intervalFields, e.at)
  const type = bindType(e.type)
  if (e.arg.kind === 'array' && type.kind === 'array') return coerce(binding, { expr: bindArray(binding, frame, e.arg.elements, type.element, e.at), at: e.at }, type, 'explicit')
  const arg = bindTerm(binding, frame, e.arg)
  if (!canCoerceType(arg.expr.type, type, 'explicit')) throw new SqlError('42846', `cannot cast type ${nameOf(arg.expr.type)} to ${nameOf(type)}`, { position: e.at })
  return coerce(binding, arg, type, 'explicit')
}

/** ARRAY[…]: a constant when its elements are, else a call of the table's array constructor. */
function bindArray(binding: Binding, frame: Frame, elements: readonly Expression[], goal: Type | undefined, at: number): Expr {
  if (elements.length === 0 && goal === undefined) {
    throw new SqlError('42P18', 'cannot determine type of empty array', { position: at, hint: 'Explicitly cast to the desired type, for example ARRAY[]::integer[].' })
  }
  if (elements.some(element => element.kind === 'array')) throw unsupported('an array of several dimensions', { position: at })
  const terms = elements.map(element => bindTerm(binding, frame, element))
  const element = goal ?? bare(commonType(terms, 'ARRAY') ?? TEXT)
  const values = terms.map(term => coerce(binding, term, element, goal === undefined ? 'implicit' : 'explicit'))
  const type: Type = { kind: 'array', element }
  if (values.every(value => value.kind === 'literal')) {
    const items = values.map(value => value.kind === 'literal' ? value.value : null)
    return literal({ dims: items.length === 0 ? [] : [items.length], lower: items.length === 0 ? [] : [1], values: items }, type)
  }
  return callNamed(binding, 'array', values.map((expr, i) => ({ expr, at: terms[i]?.at ?? at })), at, () => unsupported(`an array of ${typeName(element)} that is not constant`, { position: at }))
}
