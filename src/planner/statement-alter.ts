/** ALTER TABLE and its like, in the words of Postgres, Flink and Spark. */
import { readExpressionRange, readTypeRange } from './fragment.ts'
import { readOptions } from './statement-option.ts'
import { ended } from './statement-session.ts'
import { readColumnList } from './statement-table.ts'
import type { Alter, AlterAction, TableColumn } from './statement-syntax.ts'
import type { Expression } from './syntax.ts'
import { closing, reads, tokenAt } from './token-reader.ts'
import type { TokenReader } from './token-reader.ts'
import { typeAt } from './type-text.ts'

const ALTERED: readonly string[] = ['materialized view', 'materialized table', 'foreign table', 'table', 'view', 'schema', 'database', 'source', 'sink', 'subscription', 'connection', 'sequence', 'index']
/** Objects that Postgres does not have, so that its grammar need not be asked about their actions. */
const FOREIGN: ReadonlySet<string> = new Set(['materialized table', 'source', 'sink', 'subscription', 'connection'])

/** ALTER of a relation or schema; undefined leaves the whole to Postgres's grammar. `checked` throws unless Postgres's grammar takes the statement. */
export function readAlter(t: TokenReader, checked: () => void): Alter | undefined {
  const at = t.at
  t.expect('alter')
  const object = ALTERED.find(name => t.is(...name.split(' ')))
  if (object === undefined) return undefined
  t.accept(...object.split(' '))
  if (t.is('all', 'in')) return undefined
  const ifExists = t.accept('if')
  if (ifExists) t.expect('exists')
  const only = t.accept('only'), name = t.path()
  t.accept('*')
  const made = (actions: readonly AlterAction[]): Alter => ended(t, { kind: 'alter', object, name, ifExists, only, actions, at })
  const actions: AlterAction[] = []
  do {
    const before = t.index, action = readAction(t)
    if (action === undefined) {
      t.moveTo(before)
      const where = t.at, words = otherName(t)
      if (!FOREIGN.has(object)) checked()
      t.moveTo(t.source.tokens.length - 1)
      return made([...actions, { kind: 'other', name: words, at: where }])
    }
    actions.push(...action)
  } while (t.accept(','))
  return made(actions)
}

/** The words an unknown action begins with: OWNER TO, SWAP WITH, ENABLE TRIGGER. */
function otherName(t: TokenReader): string {
  const words: string[] = []
  while (t.token.kind === 'name' && words.length < 2) words.push(t.next().text.toUpperCase())
  if (words.length === 0) throw t.error()
  return words.join(' ')
}

function readAction(t: TokenReader): readonly AlterAction[] | undefined {
  const at = t.at
  if (t.accept('rename')) {
    if (t.is('constraint') || t.is('attribute') || t.is('value')) return undefined
    if (t.accept('to')) return [{ kind: 'rename', to: readLast(t), at }]
    t.accept('column')
    const name = t.name()
    t.expect('to')
    return [{ kind: 'renameColumn', name, to: t.name(), at }]
  }
  if (t.accept('add')) return readAdd(t, at)
  if (t.accept('drop')) return readDrop(t, at)
  if (t.accept('alter')) return readAlterColumn(t, at)
  if (t.accept('modify')) return readModify(t, at)
  if (t.accept('set')) {
    if (t.accept('schema')) return [{ kind: 'setSchema', schema: t.name(), at }]
    if (t.is('(') || t.accept('tblproperties') || t.accept('properties') || t.accept('options')) return [{ kind: 'setOptions', options: readOptions(t), at }]
    return undefined
  }
  if ((t.is('reset') && reads(tokenAt(t.source, t.index + 1), '(')) || t.is('unset', 'tblproperties')) {
    if (t.next().text === 'unset') { t.next(); if (t.accept('if')) t.expect('exists') }
    return [{ kind: 'resetOptions', keys: readOptions(t).map(option => option.key), at }]
  }
  return undefined
}

/** The new name; a schema in front of it must not change, and is not looked at here. */
function readLast(t: TokenReader): string {
  const path = t.path()
  return path[path.length - 1] ?? ''
}

function readAdd(t: TokenReader, at: number): readonly AlterAction[] | undefined {
  if (['constraint', 'primary', 'unique', 'check', 'foreign', 'exclude'].some(word => t.is(word))) {
    const from = t.index, to = elementEnd(t), list = readColumnList(t.source, from, to)
    t.moveTo(to)
    return list.constraints.map(constraint => ({ kind: 'addConstraint', constraint, at }))
  }
  if (t.is('watermark') || t.is('distribution') || t.is('value')) return undefined
  const beforeColumn = acceptIfNotExists(t)
  if (t.is('partition')) return [readPartitions(t, 'addPartition', beforeColumn, at)]
  const several = t.accept('columns')
  if (several || t.is('(')) {
    const open = t.index, close = closing(t.source, open), list = readColumnList(t.source, open + 1, close)
    t.moveTo(close + 1)
    return [...list.columns.map((column): AlterAction => ({ kind: 'addColumn', column, ifNotExists: beforeColumn, at: column.at })),
      ...list.constraints.map((constraint): AlterAction => ({ kind: 'addConstraint', constraint, at: constraint.at }))]
  }
  t.accept('column')
  const ifNotExists = acceptIfNotExists(t)
  const { column, position } = readColumn(t)
  return [{ kind: 'addColumn', column, ifNotExists, ...(position === undefined ? {} : { position }), at }]
}

function acceptIfNotExists(t: TokenReader): boolean {
  return t.accept('if', 'not', 'exists')
}

/** The index of the comma or end behind this element. */
function elementEnd(t: TokenReader): number {
  let i = typeAt(t.source, t.index + 1)?.next ?? t.index
  for (; tokenAt(t.source, i).kind !== 'end' && !reads(tokenAt(t.source, i), ','); i++) if (reads(tokenAt(t.source, i), '(')) i = closing(t.source, i)
  return i
}

type Position = { readonly after?: string }

/** A column's definition, and FIRST or AFTER b behind it. */
function readColumn(t: TokenReader): { readonly column: TableColumn; readonly position?: Position } {
  const from = t.index, end = elementEnd(t)
  let to = end, position: Position | undefined
  if (reads(tokenAt(t.source, end - 1), 'first') && end - 1 > from + 1) { position = {}; to = end - 1 }
  else if (reads(tokenAt(t.source, end - 2), 'after') && end - 2 > from + 1) { position = { after: tokenAt(t.source, end - 1).text }; to = end - 2 }
  if (to <= from + 1) { t.moveTo(Math.max(to, from)); if (to > from) t.moveTo(to); throw t.error() }
  const column = readColumnList(t.source, from, to).columns[0]
  if (column === undefined) throw t.error()
  t.moveTo(end)
  return { column, ...(position === undefined ? {} : { position }) }
}

function readDrop(t: TokenReader, at: number): readonly AlterAction[] | undefined {
  const behaviour = (): boolean => { const cascade = t.accept('cascade'); if (!cascade) t.accept('restrict'); return cascade }
  if (t.accept('constraint')) {
    const ifExists = t.accept('if', 'exists'), name = t.name()
    return [{ kind: 'dropConstraint', name, ifExists, cascade: behaviour(), at }]
  }
  if (t.is('primary', 'key') || t.is('watermark') || t.is('distribution') || t.is('expression')) return undefined
  const beforeColumn = t.accept('if', 'exists')
  if (t.is('partition')) return [readPartitions(t, 'dropPartition', beforeColumn, at)]
  if (t.accept('columns') || t.is('(')) return t.parenthesised(() => ({ kind: 'dropColumn', name: t.name(), ifExists: beforeColumn, cascade: false, at }))
  t.accept('column')
  const ifExists = t.accept('if', 'exists') || beforeColumn, name = t.name()
  return [{ kind: 'dropColumn', name, ifExists, cascade: behaviour(), at }]
}

function readAlterColumn(t: TokenReader, at: number): readonly AlterAction[] | undefined {
  if (t.is('constraint')) return undefined
  t.accept('column')
  const name = t.name()
  if (t.accept('set', 'data', 'type') || t.accept('type')) {
    const from = t.index, to = elementEnd(t)
    let typeEnd = from
    while (typeEnd < to && !reads(tokenAt(t.source, typeEnd), 'using') && !reads(tokenAt(t.source, typeEnd), 'collate')) typeEnd++
    if (reads(tokenAt(t.source, typeEnd), 'collate')) return undefined
    const type = readTypeRange(t.source, from, typeEnd)
    const using = typeEnd < to ? readExpressionRange(t.source, typeEnd + 1, to) : undefined
    t.moveTo(to)
    return [{ kind: 'columnType', name, type, ...(using === undefined ? {} : { using }), at }]
  }
  if (t.accept('set', 'default')) return [{ kind: 'setDefault', name, value: readToEnd(t), at }]
  if (t.accept('drop', 'default')) return [{ kind: 'dropDefault', name, at }]
  if (t.accept('set', 'not', 'null')) return [{ kind: 'setNotNull', name, at }]
  if (t.accept('drop', 'not', 'null')) return [{ kind: 'dropNotNull', name, at }]
  if (t.accept('comment')) return [{ kind: 'columnComment', name, comment: t.string(), at }]
  const position = acceptPosition(t)
  return position === undefined ? undefined : [{ kind: 'columnPosition', name, position, at }]
}

function acceptPosition(t: TokenReader): Position | undefined {
  if (t.accept('first')) return {}
  return t.accept('after') ? { after: t.name() } : undefined
}

function readToEnd(t: TokenReader): Expression {
  const from = t.index, to = elementEnd(t), value = readExpressionRange(t.source, from, to)
  t.moveTo(to)
  return value
}

/** Flink's MODIFY c type [NOT NULL] [COMMENT '…'] [FIRST | AFTER b]: all of it that was said. */
function readModify(t: TokenReader, at: number): readonly AlterAction[] | undefined {
  if (t.is('watermark') || t.is('primary') || t.is('distribution')) return undefined
  if (t.is('(')) {
    const open = t.index, close = closing(t.source, open), list = readColumnList(t.source, open + 1, close)
    t.moveTo(close + 1)
    return list.columns.flatMap(column => modification(column, at))
  }
  t.accept('column')
  const { column, position } = readColumn(t)
  return [...modification(column, at), ...(position === undefined ? [] : [{ kind: 'columnPosition' as const, name: column.name, position, at }])]
}

function modification(column: TableColumn, at: number): AlterAction[] {
  const { name, type, comment } = column
  return [...(type === undefined ? [] : [{ kind: 'columnType' as const, name, type, at }]), ...(column.notNull ? [{ kind: 'setNotNull' as const, name, at }] : []),
    ...(comment === undefined ? [] : [{ kind: 'columnComment' as const, name, comment, at }])]
}

/** `PARTITION (dt = 'a', h = 1) [, PARTITION (…)]` */
function readPartitions(t: TokenReader, kind: 'addPartition' | 'dropPartition', ifExists: boolean, at: number): AlterAction {
  const partitions: (readonly { readonly name: string; readonly value: Expression }[])[] = []
  do {
    t.expect('partition')
    partitions.push(readPartition(t))
  } while (t.is(',', 'partition') ? t.accept(',') : t.is('partition'))
  return { kind, partitions, ifExists, at }
}

/** `(dt = '2024-01-01', h = 1)` */
export function readPartition(t: TokenReader): { readonly name: string; readonly value: Expression }[] {
  return t.parenthesised(() => {
    const name = t.name()
    t.expect('=')
    const from = t.index
    let to = from
    for (; !reads(tokenAt(t.source, to), ',') && !reads(tokenAt(t.source, to), ')') && tokenAt(t.source, to).kind !== 'end'; to++) if (reads(tokenAt(t.source, to), '(')) to = closing(t.source, to)
    const value = readExpressionRange(t.source, from, to)
    t.moveTo(to)
    return { name, value }
  })
}
