/** The raw tree's SELECT and FROM as our own syntax. */
import { invariant } from '../error.ts'
import { as, child, flag, list, location, names, open, present, refuse, take, text, textOrNot } from './tree.ts'
import type { Reader, Tree } from './tree.ts'
import { readExpression, readList, readOptional, readSort, readType, readWindow } from './tree-expression.ts'
import type { Alias, ColumnDefinition, CommonTable, FromItem, FunctionFrom, GroupItem, JoinFrom, Locking, Path, Query, QueryBody, Select, TableFrom, TableReference, Target, With } from './syntax.ts'

/** A wrapped SELECT statement. */
export function readQuery(r: Reader, wrapped: Tree): Query {
  const tree = as(wrapped, 'SelectStmt')
  invariant(tree !== undefined, `a query is a SelectStmt, not ${open(wrapped).tag}`)
  return readSelectStatement(r, tree)
}

function readSelectStatement(r: Reader, tree: Tree): Query {
  const withTree = child(tree, 'withClause')
  const withClause = withTree === undefined ? undefined : readWith(r, withTree)
  const body = readBody(r, tree)
  const ties = text(tree, 'limitOption') === 'LIMIT_OPTION_WITH_TIES'
  return {
    kind: 'query', ...present({ with: withClause }), body,
    orderBy: list(tree, 'sortClause').map(each => readSort(r, each)),
    ...present({ limit: readOptional(r, tree, 'limitCount'), offset: readOptional(r, tree, 'limitOffset') }), withTies: ties,
    locking: list(tree, 'lockingClause').map(each => readLocking(as(each, 'LockingClause') ?? {})),
    at: body.at,
  }
}

function readBody(r: Reader, tree: Tree): QueryBody {
  const operation = text(tree, 'op')
  if (operation !== 'SETOP_NONE') {
    const left = readSelectStatement(r, child(tree, 'larg') ?? {}), right = readSelectStatement(r, child(tree, 'rarg') ?? {})
    const how = operation === 'SETOP_UNION' ? 'union' : operation === 'SETOP_INTERSECT' ? 'intersect' : 'except'
    return { kind: 'setOperation', how, all: flag(tree, 'all'), left, right, at: left.at }
  }
  const values = list(tree, 'valuesLists')
  if (values.length > 0) {
    const rows = values.map(each => readList(r, as(each, 'List') ?? {}, 'items'))
    return { kind: 'values', rows, at: rows[0]?.[0]?.at ?? 1 }
  }
  return readSelect(r, tree)
}

function readSelect(r: Reader, tree: Tree): Select {
  const targets = readTargets(r, tree, 'targetList'), from = list(tree, 'fromClause').map(each => readFrom(r, each))
  const distinct = tree['distinctClause'] === undefined ? undefined : list(tree, 'distinctClause')
  const into = child(child(tree, 'intoClause') ?? {}, 'rel')
  const at = targets[0]?.at ?? from[0]?.at ?? 1
  return {
    kind: 'select',
    // DISTINCT without ON is a list of one empty node
    ...present({ distinct: distinct === undefined ? undefined : { on: distinct.filter(each => open(each).tag !== '').map(each => readExpression(r, each)) } }),
    targets, from, ...present({ where: readOptional(r, tree, 'whereClause') }),
    groupBy: list(tree, 'groupClause').map(each => readGroup(r, each)), groupDistinct: flag(tree, 'groupDistinct'),
    ...present({ having: readOptional(r, tree, 'havingClause') }),
    windows: list(tree, 'windowClause').map(each => {
      const window = as(each, 'WindowDef') ?? {}
      const { name, ...specification } = readWindow(r, window)
      return { name: name ?? '', window: specification }
    }),
    ...present({ into: into === undefined ? undefined : readTable(r, into) }),
    hints: take(r.notes.hints, at) ?? [], at,
  }
}

/** A target list or RETURNING. */
export function readTargets(r: Reader, tree: Tree, field: string): Target[] {
  return list(tree, field).map(each => {
    const target = as(each, 'ResTarget') ?? {}
    return { expression: readExpression(r, child(target, 'val') ?? {}), ...present({ alias: textOrNot(target, 'name') }), at: r.at(location(target)) }
  })
}

function readGroup(r: Reader, wrapped: Tree): GroupItem {
  const set = as(wrapped, 'GroupingSet')
  if (set === undefined) {
    const expression = readExpression(r, wrapped)
    return { kind: 'expression', expression, at: expression.at }
  }
  const at = r.at(location(set))
  switch (text(set, 'kind')) {
    case 'GROUPING_SET_EMPTY': return { kind: 'empty', at }
    case 'GROUPING_SET_ROLLUP': return { kind: 'rollup', items: readList(r, set, 'content'), at }
    case 'GROUPING_SET_CUBE': return { kind: 'cube', items: readList(r, set, 'content'), at }
    case 'GROUPING_SET_SETS': return { kind: 'sets', sets: list(set, 'content').map(each => readGroup(r, each)), at }
    default: throw refuse(r, set, text(set, 'kind'))
  }
}

export function readWith(r: Reader, tree: Tree): With {
  return { recursive: flag(tree, 'recursive'), tables: list(tree, 'ctes').map(each => readCommonTable(r, as(each, 'CommonTableExpr') ?? {})), at: r.at(location(tree)) }
}

function readCommonTable(r: Reader, tree: Tree): CommonTable {
  const materialized = text(tree, 'ctematerialized'), query = child(tree, 'ctequery') ?? {}
  return {
    name: text(tree, 'ctename'), columns: names(tree, 'aliascolnames'),
    materialized: materialized === 'CTEMaterializeAlways' ? 'always' : materialized === 'CTEMaterializeNever' ? 'never' : 'default',
    statement: r.change(query) ?? r.query(query),
    ...present({ clause: tree['search_clause'] !== undefined ? 'SEARCH' as const : tree['cycle_clause'] !== undefined ? 'CYCLE' as const : undefined }),
    at: r.at(location(tree)),
  }
}

function readLocking(tree: Tree): Locking {
  const strength = text(tree, 'strength'), wait = text(tree, 'waitPolicy')
  return {
    strength: strength === 'LCS_FORUPDATE' ? 'update' : strength === 'LCS_FORNOKEYUPDATE' ? 'no key update' : strength === 'LCS_FORSHARE' ? 'share' : 'key share',
    tables: list(tree, 'lockedRels').map(each => pathOf(as(each, 'RangeVar') ?? {})),
    wait: wait === 'LockWaitError' ? 'nowait' : wait === 'LockWaitSkip' ? 'skip' : 'block',
  }
}

function pathOf(tree: Tree): Path {
  return [textOrNot(tree, 'catalogname'), textOrNot(tree, 'schemaname'), text(tree, 'relname')].filter(part => part !== undefined)
}

/** The fields of a RangeVar. */
export function readTable(r: Reader, tree: Tree): TableReference {
  return { path: pathOf(tree), only: !flag(tree, 'inh'), ...present({ alias: readAlias(child(tree, 'alias')) }), at: r.at(location(tree)) }
}

function readAlias(tree: Tree | undefined): Alias | undefined {
  return tree === undefined ? undefined : { name: text(tree, 'aliasname'), columns: names(tree, 'colnames') }
}

export function readFrom(r: Reader, wrapped: Tree): FromItem {
  const { tag, tree } = open(wrapped)
  switch (tag) {
    case 'RangeVar': return readTableFrom(r, tree)
    case 'RangeSubselect': {
      const query = readQuery(r, child(tree, 'subquery') ?? {})
      return { kind: 'subquery', query, lateral: flag(tree, 'lateral'), ...present({ alias: readAlias(child(tree, 'alias')) }), at: query.at }
    }
    case 'RangeFunction': return readFunction(r, tree)
    case 'RangeTableSample': {
      const table = readFrom(r, child(tree, 'relation') ?? {})
      if (table.kind !== 'table') throw refuse(r, tree, 'TABLESAMPLE of something that is not a table')
      return { ...table, sample: { method: names(tree, 'method'), args: readList(r, tree, 'args'), ...present({ repeatable: readOptional(r, tree, 'repeatable') }), at: r.at(location(tree)) } }
    }
    case 'JoinExpr': return readJoin(r, tree)
    case 'RangeTableFunc': throw refuse(r, tree, 'XMLTABLE')
    case 'JsonTable': throw refuse(r, tree, 'JSON_TABLE')
    default: throw refuse(r, tree, `${tag} in FROM`)
  }
}

function readTableFrom(r: Reader, tree: Tree): TableFrom {
  const table = readTable(r, tree)
  return { kind: 'table', ...table, ...present({ asOf: take(r.notes.asOf, table.at) }), hints: take(r.notes.hints, table.at) ?? [] }
}

function readFunction(r: Reader, tree: Tree): FunctionFrom {
  const functions = list(tree, 'functions').map(each => {
    const [call, columns] = list(as(each, 'List') ?? {}, 'items')
    return { call: readExpression(r, call ?? {}), columns: readDefinitions(r, as(columns, 'List') ?? {}, 'items') }
  })
  return {
    kind: 'function', functions, ordinality: flag(tree, 'ordinality'), lateral: flag(tree, 'lateral'), rowsFrom: flag(tree, 'is_rowsfrom'),
    ...present({ alias: readAlias(child(tree, 'alias')) }), columns: readDefinitions(r, tree, 'coldeflist'), at: functions[0]?.call.at ?? 1,
  }
}

function readDefinitions(r: Reader, tree: Tree, field: string): ColumnDefinition[] {
  return list(tree, field).map(each => {
    const column = as(each, 'ColumnDef') ?? {}
    return { name: text(column, 'colname'), type: readType(r, child(column, 'typeName') ?? {}), at: r.at(location(column)) }
  })
}

function readJoin(r: Reader, tree: Tree): JoinFrom {
  const left = readFrom(r, child(tree, 'larg') ?? {}), right = readFrom(r, child(tree, 'rarg') ?? {})
  const type = text(tree, 'jointype')
  return {
    kind: 'join', how: type === 'JOIN_LEFT' ? 'left' : type === 'JOIN_RIGHT' ? 'right' : type === 'JOIN_FULL' ? 'full' : 'inner',
    natural: flag(tree, 'isNatural'), asof: r.notes.asofJoins.delete(right.at), left, right,
    ...present({
      on: readOptional(r, tree, 'quals'), using: tree['usingClause'] === undefined ? undefined : names(tree, 'usingClause'),
      usingAlias: textOrNot(child(tree, 'join_using_alias') ?? {}, 'aliasname'), alias: readAlias(child(tree, 'alias')),
    }),
    at: right.at,
  }
}
