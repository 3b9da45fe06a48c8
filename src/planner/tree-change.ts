/** The raw tree's INSERT, UPDATE, DELETE and MERGE as our own syntax. */
import { as, child, list, location, number, open, present, syntaxError, take, text, textOrNot } from './tree.ts'
import type { Reader, Tree } from './tree.ts'
import { readChild, readExpression, readList, readOptional } from './tree-expression.ts'
import { readFrom, readQuery, readTable, readTargets, readWith } from './tree-query.ts'
import type { Assignment, Delete, Insert, Merge, MergeArm, OnConflict, Update } from './statement-syntax.ts'
import type { Target, With } from './syntax.ts'

/** A wrapped INSERT, UPDATE, DELETE or MERGE; undefined for anything else. */
export function readChange(r: Reader, wrapped: Tree): Insert | Update | Delete | Merge | undefined {
  const { tag, tree } = open(wrapped)
  switch (tag) {
    case 'InsertStmt': return readInsert(r, tree)
    case 'UpdateStmt': return readUpdate(r, tree)
    case 'DeleteStmt': return readDelete(r, tree)
    case 'MergeStmt': return readMerge(r, tree)
    default: return undefined
  }
}

function readInsert(r: Reader, tree: Tree): Insert {
  const table = readTable(r, child(tree, 'relation') ?? {}), source = child(tree, 'selectStmt'), conflict = child(tree, 'onConflictClause')
  return {
    kind: 'insert', ...readWithClause(r, tree), table,
    ...present({ columns: tree['cols'] === undefined ? undefined : list(tree, 'cols').map(each => readTargetColumn(r, each)) }),
    source: source === undefined ? 'default' : readQuery(r, source),
    ...present({ overriding: readOverriding(tree), onConflict: conflict === undefined ? undefined : readConflict(r, conflict), returning: readReturning(r, tree) }),
    overwrite: false, partition: [], upsert: false, hints: take(r.notes.hints, table.at) ?? [], at: table.at,
  }
}

function readTargetColumn(r: Reader, wrapped: Tree): { readonly name: string; readonly indirection: boolean; readonly at: number } {
  const tree = as(wrapped, 'ResTarget') ?? {}
  return { name: text(tree, 'name'), indirection: tree['indirection'] !== undefined, at: r.at(location(tree)) }
}

function readWithClause(r: Reader, tree: Tree): { readonly with?: With } {
  const found = child(tree, 'withClause')
  return found === undefined ? {} : { with: readWith(r, found) }
}

function readOverriding(tree: Tree): 'user' | 'system' | undefined {
  const override = text(tree, 'override')
  return override === 'OVERRIDING_USER_VALUE' ? 'user' : override === 'OVERRIDING_SYSTEM_VALUE' ? 'system' : undefined
}

function readReturning(r: Reader, tree: Tree): Target[] | undefined {
  const clause = child(tree, 'returningClause')
  if (clause === undefined) return undefined
  const options = list(clause, 'options')
  if (options.length > 0) throw syntaxError('syntax error at or near "WITH"', r.at(location(as(options[0], 'ReturningOption') ?? {})))
  return readTargets(r, clause, 'exprs')
}

function readConflict(r: Reader, tree: Tree): OnConflict {
  const infer = child(tree, 'infer') ?? {}, at = r.at(location(tree))
  return {
    action: text(tree, 'action') === 'ONCONFLICT_UPDATE' ? 'update' : 'nothing',
    columns: list(infer, 'indexElems').map(each => {
      const element = as(each, 'IndexElem') ?? {}, expression = readOptional(r, element, 'expr')
      return expression === undefined ? { expression: { kind: 'column', path: [text(element, 'name')], at: r.at(location(infer)) }, at: r.at(location(infer)) } : { expression, at: expression.at }
    }),
    ...present({ columnsWhere: readOptional(r, infer, 'whereClause'), constraint: textOrNot(infer, 'conname') }),
    set: readAssignments(r, tree), ...present({ where: readOptional(r, tree, 'whereClause') }), at,
  }
}

/** `(a, b) = source` comes as one target per column, each repeating the source. */
function readAssignments(r: Reader, tree: Tree): Assignment[] {
  const found: Assignment[] = [], targets = list(tree, 'targetList').map(each => as(each, 'ResTarget') ?? {})
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i] ?? {}, at = r.at(location(target)), several = as(child(target, 'val'), 'MultiAssignRef')
    if (several === undefined) {
      found.push({ kind: 'one', column: text(target, 'name'), indirection: target['indirection'] !== undefined, value: readChild(r, target, 'val'), at })
      continue
    }
    const columns = targets.slice(i, i + number(several, 'ncolumns')).map(each => ({ name: text(each, 'name'), at: r.at(location(each)) }))
    found.push({ kind: 'several', columns, value: readChild(r, several, 'source'), at })
    i += columns.length - 1
  }
  return found
}

/** WHERE, or WHERE CURRENT OF cursor. */
function readWhere(r: Reader, tree: Tree): Pick<Update, 'where' | 'currentOf'> {
  const where = child(tree, 'whereClause')
  if (where === undefined) return {}
  const { tag, tree: inner } = open(where)
  return tag === 'CurrentOfExpr' ? { currentOf: text(inner, 'cursor_name') } : { where: readExpression(r, where) }
}

function readUpdate(r: Reader, tree: Tree): Update {
  const table = readTable(r, child(tree, 'relation') ?? {})
  return {
    kind: 'update', ...readWithClause(r, tree), table, set: readAssignments(r, tree), from: list(tree, 'fromClause').map(each => readFrom(r, each)),
    ...readWhere(r, tree), ...present({ returning: readReturning(r, tree) }), at: table.at,
  }
}

function readDelete(r: Reader, tree: Tree): Delete {
  const table = readTable(r, child(tree, 'relation') ?? {})
  return {
    kind: 'delete', ...readWithClause(r, tree), table, using: list(tree, 'usingClause').map(each => readFrom(r, each)),
    ...readWhere(r, tree), ...present({ returning: readReturning(r, tree) }), at: table.at,
  }
}

function readMerge(r: Reader, tree: Tree): Merge {
  const table = readTable(r, child(tree, 'relation') ?? {})
  return {
    kind: 'merge', ...readWithClause(r, tree), table, source: readFrom(r, child(tree, 'sourceRelation') ?? {}), on: readChild(r, tree, 'joinCondition'),
    arms: list(tree, 'mergeWhenClauses').map(each => readArm(r, as(each, 'MergeWhenClause') ?? {}, table.at)),
    ...present({ returning: readReturning(r, tree) }), at: table.at,
  }
}

function readArm(r: Reader, tree: Tree, at: number): MergeArm {
  const match = text(tree, 'matchKind')
  return {
    when: match === 'MERGE_WHEN_MATCHED' ? 'matched' : match === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE' ? 'not matched by source' : 'not matched',
    ...present({ condition: readOptional(r, tree, 'condition') }), action: readAction(r, tree), at,
  }
}

function readAction(r: Reader, tree: Tree): MergeArm['action'] {
  switch (text(tree, 'commandType')) {
    case 'CMD_UPDATE': return { kind: 'update', set: readAssignments(r, tree) }
    case 'CMD_DELETE': return { kind: 'delete' }
    case 'CMD_INSERT': return {
      kind: 'insert',
      ...present({
        columns: tree['targetList'] === undefined ? undefined : list(tree, 'targetList').map(each => readTargetColumn(r, each)),
        values: tree['values'] === undefined ? undefined : readList(r, tree, 'values'), overriding: readOverriding(tree),
      }),
    }
    default: return { kind: 'nothing' }
  }
}
