/** The raw tree's expressions, types and windows as our own syntax. */
import { unsupported } from '../error.ts'
import { as, child, flag, list, location, names, number, open, present, refuse, syntaxError, take, text, textOrNot } from './tree.ts'
import type { Reader, Tree } from './tree.ts'
import type { Argument, CallExpression, CaseExpression, CurrentExpression, Expression, FrameBound, LiteralExpression, Path, SortItem, TypeName, WindowFrame, WindowSpecification } from './syntax.ts'

export function readExpression(r: Reader, wrapped: Tree): Expression {
  const { tag, tree } = open(wrapped)
  const at = r.at(location(tree))
  switch (tag) {
    case 'A_Const': return readConstant(r, tree)
    case 'ParamRef': return { kind: 'param', index: number(tree, 'number'), at }
    case 'ColumnRef': return readColumn(r, tree)
    case 'A_Indirection': return readIndirection(r, tree)
    case 'FuncCall': return readCall(r, tree)
    case 'A_Expr': return readOperator(r, tree)
    case 'BoolExpr': return readLogic(r, tree)
    case 'NullTest': return { kind: 'is', what: 'null', not: text(tree, 'nulltesttype') === 'IS_NOT_NULL', arg: readChild(r, tree, 'arg'), at }
    case 'BooleanTest': {
      const test = text(tree, 'booltesttype'), what = test.endsWith('TRUE') ? 'true' : test.endsWith('FALSE') ? 'false' : 'unknown'
      return { kind: 'is', what, not: test.startsWith('IS_NOT'), arg: readChild(r, tree, 'arg'), at }
    }
    case 'SubLink': return readSubLink(r, tree, false)
    case 'CaseExpr': return readCase(r, tree)
    case 'TypeCast': {
      const arg = readChild(r, tree, 'arg'), type = readType(r, child(tree, 'typeName') ?? {})
      // true and false are casts in the grammar of old; `t 'literal'` has no location of its own
      return { kind: 'cast', arg, type, at: location(tree) < 0 ? type.at : at }
    }
    case 'A_ArrayExpr': return { kind: 'array', elements: readList(r, tree, 'elements'), at }
    case 'RowExpr': return { kind: 'row', fields: readList(r, tree, 'args'), at }
    case 'CollateClause': return { kind: 'collate', arg: readChild(r, tree, 'arg'), collation: names(tree, 'collname'), at }
    case 'CoalesceExpr': return { kind: 'coalesce', args: readList(r, tree, 'args'), at }
    case 'MinMaxExpr': return { kind: 'extreme', how: text(tree, 'op') === 'IS_LEAST' ? 'least' : 'greatest', args: readList(r, tree, 'args'), at }
    case 'SQLValueFunction': return readCurrent(r, tree)
    case 'GroupingFunc': return { kind: 'grouping', args: readList(r, tree, 'args'), at }
    case 'SetToDefault': return { kind: 'default', at }
    case 'CurrentOfExpr': throw unsupported('WHERE CURRENT OF in this place')
    case 'NamedArgExpr': throw syntaxError('a named argument must stand directly in a call', at)
    case 'XmlExpr': throw refuse(r, tree, text(tree, 'op') === 'IS_DOCUMENT' ? 'IS DOCUMENT' : text(tree, 'op').slice(3))
    case 'XmlSerialize': throw refuse(r, tree, 'XMLSERIALIZE')
    case 'MergeSupportFunc': throw refuse(r, tree, 'MERGE_ACTION')
    case 'JsonIsPredicate': throw refuse(r, tree, 'IS JSON')
    case 'JsonObjectConstructor': throw refuse(r, tree, 'JSON_OBJECT with keys')
    case 'JsonArrayConstructor': case 'JsonArrayQueryConstructor': throw refuse(r, tree, 'JSON_ARRAY')
    case 'JsonObjectAgg': throw refuse(r, tree, 'JSON_OBJECTAGG')
    case 'JsonArrayAgg': throw refuse(r, tree, 'JSON_ARRAYAGG')
    case 'JsonFuncExpr': throw refuse(r, tree, `JSON_${text(tree, 'op').replace(/^JSON_|_OP$/g, '')}`)
    case 'JsonParseExpr': case 'JsonScalarExpr': case 'JsonSerializeExpr': throw refuse(r, tree, tag.slice(0, -4).replace(/(?<=.)(?=[A-Z])/g, '_').toUpperCase())
    default: throw refuse(r, tree, `the expression ${tag}`)
  }
}

/** The expression in a field that must be there. */
export function readChild(r: Reader, tree: Tree, field: string): Expression {
  return readExpression(r, child(tree, field) ?? {})
}

export function readOptional(r: Reader, tree: Tree, field: string): Expression | undefined {
  const found = child(tree, field)
  return found === undefined ? undefined : readExpression(r, found)
}

export function readList(r: Reader, tree: Tree, field: string): Expression[] {
  return list(tree, field).map(each => readExpression(r, each))
}

function readConstant(r: Reader, tree: Tree): LiteralExpression {
  const at = r.at(location(tree))
  if (flag(tree, 'isnull')) return { kind: 'null', at }
  const integer = child(tree, 'ival')
  if (integer !== undefined) return { kind: 'number', text: String(number(integer, 'ival')), at }
  const decimal = child(tree, 'fval')
  if (decimal !== undefined) return { kind: 'number', text: text(decimal, 'fval'), at }
  const string = child(tree, 'sval')
  if (string !== undefined) return { kind: 'string', value: text(string, 'sval'), at }
  const boolean = child(tree, 'boolval')
  if (boolean !== undefined) return { kind: 'boolean', value: flag(boolean, 'boolval'), at }
  const bits = text(child(tree, 'bsval') ?? {}, 'bsval')
  return { kind: 'bits', digits: bits.slice(1), hex: bits.startsWith('x'), at }
}

function readColumn(r: Reader, tree: Tree): Expression {
  const at = r.at(location(tree)), fields = list(tree, 'fields')
  const last = fields[fields.length - 1]
  const path = names(tree, 'fields')
  if (last !== undefined && open(last).tag === 'A_Star') return { kind: 'star', path: path.slice(0, -1), at }
  const partitionBy = take(r.notes.tableArguments, at)
  return partitionBy === undefined ? { kind: 'column', path, at } : { kind: 'tableArgument', path, partitionBy, at }
}

function readIndirection(r: Reader, tree: Tree): Expression {
  let of = readChild(r, tree, 'arg')
  for (const step of list(tree, 'indirection')) {
    const { tag, tree: fields } = open(step)
    if (tag === 'A_Indices') {
      const slice = flag(fields, 'is_slice'), lower = readOptional(r, fields, 'lidx'), upper = readOptional(r, fields, 'uidx')
      of = slice ? { kind: 'subscript', of, slice, ...present({ index: lower, upper }), at: of.at } : { kind: 'subscript', of, slice, ...present({ index: upper }), at: of.at }
    } else {
      const star = tag === 'A_Star'
      of = { kind: 'field', of, name: star ? '*' : text(fields, 'sval'), star, at: of.at }
    }
  }
  return of
}

function readCall(r: Reader, tree: Tree): CallExpression {
  const over = child(tree, 'over')
  return {
    kind: 'call', path: names(tree, 'funcname'),
    args: list(tree, 'args').map(each => readArgument(r, each)),
    star: flag(tree, 'agg_star'), distinct: flag(tree, 'agg_distinct'), variadic: flag(tree, 'func_variadic'),
    orderBy: list(tree, 'agg_order').map(each => readSort(r, each)), withinGroup: flag(tree, 'agg_within_group'),
    ...present({ filter: readOptional(r, tree, 'agg_filter'), over: over === undefined ? undefined : readWindow(r, over) }),
    sqlSyntax: text(tree, 'funcformat') === 'COERCE_SQL_SYNTAX', at: r.at(location(tree)),
  }
}

export function readArgument(r: Reader, wrapped: Tree): Argument {
  const named = as(wrapped, 'NamedArgExpr')
  return named === undefined ? { value: readExpression(r, wrapped) } : { name: text(named, 'name'), value: readChild(r, named, 'arg') }
}

function readOperator(r: Reader, tree: Tree): Expression {
  const at = r.at(location(tree)), path = names(tree, 'name'), symbol = path[path.length - 1] ?? ''
  switch (text(tree, 'kind')) {
    case 'AEXPR_OP': return { kind: 'operator', symbol, schema: path.slice(0, -1), ...present({ left: readOptional(r, tree, 'lexpr') }), right: readChild(r, tree, 'rexpr'), at }
    case 'AEXPR_OP_ANY': return { kind: 'quantified', how: 'any', symbol, left: readChild(r, tree, 'lexpr'), array: readChild(r, tree, 'rexpr'), at }
    case 'AEXPR_OP_ALL': return { kind: 'quantified', how: 'all', symbol, left: readChild(r, tree, 'lexpr'), array: readChild(r, tree, 'rexpr'), at }
    case 'AEXPR_DISTINCT': return { kind: 'isDistinct', not: false, left: readChild(r, tree, 'lexpr'), right: readChild(r, tree, 'rexpr'), at }
    case 'AEXPR_NOT_DISTINCT': return { kind: 'isDistinct', not: true, left: readChild(r, tree, 'lexpr'), right: readChild(r, tree, 'rexpr'), at }
    case 'AEXPR_NULLIF': return { kind: 'nullif', left: readChild(r, tree, 'lexpr'), right: readChild(r, tree, 'rexpr'), at }
    case 'AEXPR_IN': return { kind: 'inList', not: symbol === '<>', arg: readChild(r, tree, 'lexpr'), list: readItems(r, tree, 'rexpr'), at }
    case 'AEXPR_LIKE': return readLike(r, tree, 'like', symbol)
    case 'AEXPR_ILIKE': return readLike(r, tree, 'ilike', symbol)
    case 'AEXPR_SIMILAR': return readLike(r, tree, 'similar', symbol)
    case 'AEXPR_BETWEEN': case 'AEXPR_NOT_BETWEEN': case 'AEXPR_BETWEEN_SYM': case 'AEXPR_NOT_BETWEEN_SYM': {
      const kind = text(tree, 'kind'), [low, high] = readItems(r, tree, 'rexpr')
      if (low === undefined || high === undefined) throw refuse(r, tree, 'BETWEEN without bounds')
      return { kind: 'between', not: kind.startsWith('AEXPR_NOT'), symmetric: kind.endsWith('SYM'), arg: readChild(r, tree, 'lexpr'), low, high, at }
    }
    default: throw refuse(r, tree, `the operator ${symbol}`)
  }
}

function readItems(r: Reader, tree: Tree, field: string): Expression[] {
  return readList(r, as(child(tree, field), 'List') ?? {}, 'items')
}

/** The grammar turns ESCAPE into a call around the pattern. */
function readLike(r: Reader, tree: Tree, how: 'like' | 'ilike' | 'similar', symbol: string): Expression {
  const at = r.at(location(tree)), not = symbol.startsWith('!'), arg = readChild(r, tree, 'lexpr')
  const call = as(child(tree, 'rexpr'), 'FuncCall')
  const wrapper = call === undefined ? '' : names(call, 'funcname').join('.')
  if (call === undefined || wrapper !== (how === 'similar' ? 'pg_catalog.similar_to_escape' : 'pg_catalog.like_escape')) {
    return { kind: 'like', how, not, arg, pattern: readChild(r, tree, 'rexpr'), at }
  }
  const [pattern, escape] = readList(r, call, 'args')
  if (pattern === undefined) throw refuse(r, tree, `${how} without a pattern`)
  return { kind: 'like', how, not, arg, pattern, ...present({ escape }), at }
}

function readLogic(r: Reader, tree: Tree): Expression {
  const at = r.at(location(tree)), operator = text(tree, 'boolop')
  if (operator !== 'NOT_EXPR') return { kind: operator === 'OR_EXPR' ? 'or' : 'and', args: readList(r, tree, 'args'), at }
  const inner = list(tree, 'args')[0] ?? {}
  const sublink = as(inner, 'SubLink')
  if (sublink !== undefined && text(sublink, 'subLinkType') === 'ANY_SUBLINK' && sublink['operName'] === undefined) return readSubLink(r, sublink, true)
  return { kind: 'not', arg: readExpression(r, inner), at }
}

function readSubLink(r: Reader, tree: Tree, not: boolean): Expression {
  const at = r.at(location(tree)), query = r.query(child(tree, 'subselect') ?? {})
  switch (text(tree, 'subLinkType')) {
    case 'EXISTS_SUBLINK': return { kind: 'subquery', how: 'exists', query, at }
    case 'EXPR_SUBLINK': return { kind: 'subquery', how: 'scalar', query, at }
    case 'ARRAY_SUBLINK': return { kind: 'subquery', how: 'array', query, at }
    case 'ANY_SUBLINK': case 'ALL_SUBLINK': {
      const left = readChild(r, tree, 'testexpr'), symbol = names(tree, 'operName').at(-1)
      if (symbol === undefined) return { kind: 'inQuery', not, left, query, at }
      return { kind: 'quantifiedQuery', how: text(tree, 'subLinkType') === 'ANY_SUBLINK' ? 'any' : 'all', symbol, left, query, at }
    }
    default: throw refuse(r, tree, 'this kind of subquery')
  }
}

function readCase(r: Reader, tree: Tree): CaseExpression {
  return {
    kind: 'case',
    ...present({ operand: readOptional(r, tree, 'arg') }),
    arms: list(tree, 'args').map(each => {
      const arm = as(each, 'CaseWhen') ?? {}
      return { when: readChild(r, arm, 'expr'), then: readChild(r, arm, 'result'), at: r.at(location(arm)) }
    }),
    ...present({ otherwise: readOptional(r, tree, 'defresult') }),
    at: r.at(location(tree)),
  }
}

const CURRENT: Readonly<Record<string, CurrentExpression['what']>> = {
  SVFOP_CURRENT_DATE: 'current_date', SVFOP_CURRENT_TIME: 'current_time', SVFOP_CURRENT_TIME_N: 'current_time', SVFOP_CURRENT_TIMESTAMP: 'current_timestamp',
  SVFOP_CURRENT_TIMESTAMP_N: 'current_timestamp', SVFOP_LOCALTIME: 'localtime', SVFOP_LOCALTIME_N: 'localtime', SVFOP_LOCALTIMESTAMP: 'localtimestamp',
  SVFOP_LOCALTIMESTAMP_N: 'localtimestamp', SVFOP_CURRENT_ROLE: 'current_role', SVFOP_CURRENT_USER: 'current_user', SVFOP_USER: 'user',
  SVFOP_SESSION_USER: 'session_user', SVFOP_CURRENT_CATALOG: 'current_catalog', SVFOP_CURRENT_SCHEMA: 'current_schema',
}

function readCurrent(r: Reader, tree: Tree): Expression {
  const op = text(tree, 'op'), what = CURRENT[op]
  if (what === undefined) throw refuse(r, tree, op)
  return { kind: 'current', what, ...present({ precision: op.endsWith('_N') ? number(tree, 'typmod') : undefined }), at: r.at(location(tree)) }
}

const INTERVAL_FIELDS: readonly (readonly [number, string])[] = [[1 << 2, 'year'], [1 << 1, 'month'], [1 << 3, 'day'], [1 << 10, 'hour'], [1 << 11, 'minute'], [1 << 12, 'second']]
const INTERVAL_ANY = 0x7fff

export function readType(r: Reader, tree: Tree): TypeName {
  const at = r.at(location(tree)), noted = take(r.notes.types, at)
  if (noted !== undefined) return noted
  const full = names(tree, 'names'), path: Path = full.length === 2 && full[0] === 'pg_catalog' ? full.slice(1) : full
  if (flag(tree, 'pct_type')) throw refuse(r, tree, '%TYPE')
  let typmods = list(tree, 'typmods'), intervalFields: string | undefined
  if (path.length === 1 && path[0] === 'interval' && typmods.length > 0) {
    const range = number(child(as(typmods[0], 'A_Const') ?? {}, 'ival') ?? {}, 'ival')
    const parts = INTERVAL_FIELDS.filter(([bit]) => range !== INTERVAL_ANY && (range & bit) !== 0).map(([, name]) => name)
    if (parts.length > 0) intervalFields = parts.length === 1 ? parts[0] : `${parts[0] ?? ''} to ${parts[parts.length - 1] ?? ''}`
    typmods = typmods.slice(1)
  }
  return {
    path, modifiers: typmods.map(each => readExpression(r, each)), dimensions: list(tree, 'arrayBounds').length,
    ...present({ intervalFields }), setOf: flag(tree, 'setof'), at,
  }
}

export function readSort(r: Reader, wrapped: Tree): SortItem {
  const tree = as(wrapped, 'SortBy') ?? {}
  const expression = readChild(r, tree, 'node'), direction = text(tree, 'sortby_dir'), nulls = text(tree, 'sortby_nulls')
  return {
    expression, descending: direction === 'SORTBY_DESC',
    ...present({
      nulls: nulls === 'SORTBY_NULLS_FIRST' ? 'first' as const : nulls === 'SORTBY_NULLS_LAST' ? 'last' as const : undefined,
      using: direction === 'SORTBY_USING' ? names(tree, 'useOp').at(-1) : undefined,
    }),
    at: expression.at,
  }
}

export function readWindow(r: Reader, tree: Tree): WindowSpecification {
  return {
    ...present({ name: textOrNot(tree, 'name'), base: textOrNot(tree, 'refname') }),
    partitionBy: readList(r, tree, 'partitionClause'), orderBy: list(tree, 'orderClause').map(each => readSort(r, each)),
    ...present({ frame: readFrame(r, tree) }), at: r.at(location(tree)),
  }
}

/** The bits of Postgres's frameOptions. */
function readFrame(r: Reader, tree: Tree): WindowFrame | undefined {
  const bits = number(tree, 'frameOptions')
  if ((bits & 1) === 0) return undefined
  const start = readOptional(r, tree, 'startOffset'), end = readOptional(r, tree, 'endOffset')
  return {
    unit: (bits & 4) !== 0 ? 'rows' : (bits & 8) !== 0 ? 'groups' : 'range',
    start: bound(bits, 0x20, 0x80, 0x800, start),
    end: bound(bits, 0x40, 0x100, 0x1000, end),
    exclude: (bits & 0x8000) !== 0 ? 'current row' : (bits & 0x10000) !== 0 ? 'group' : (bits & 0x20000) !== 0 ? 'ties' : 'none',
  }
}

function bound(bits: number, unboundedPreceding: number, unboundedFollowing: number, preceding: number, offset: Expression | undefined): FrameBound {
  if ((bits & unboundedPreceding) !== 0) return { kind: 'unboundedPreceding' }
  if ((bits & unboundedFollowing) !== 0) return { kind: 'unboundedFollowing' }
  if (offset === undefined) return { kind: 'currentRow' }
  return { kind: (bits & preceding) !== 0 ? 'preceding' : 'following', offset }
}
