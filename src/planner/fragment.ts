/** Parts of a statement that Postgres's grammar reads: a range of tokens becomes a query, an expression or a list of columns. */
import { SqlError, unsupported } from '../error.ts'
import { edit, refuseLeftovers } from './dialect.ts'
import { parseTree } from './parse.ts'
import { unitOfCharacter, unitsOfBytes } from './position.ts'
import type { Argument, Expression, Query, TypeName } from './syntax.ts'
import { errorAt, reads, tokenAt } from './token-reader.ts'
import type { Source } from './token-reader.ts'
import { as, child, list, open } from './tree.ts'
import type { Reader, Tree } from './tree.ts'
import { readChange } from './tree-change.ts'
import { readElements } from './tree-column.ts'
import type { TableElements } from './tree-column.ts'
import { readArgument, readExpression, readType } from './tree-expression.ts'
import { readQuery } from './tree-query.ts'

/** Reads the tokens `from` to `to` (exclusive) with `read`, put between `before` and `after`: the one statement that the whole then is. */
export function readRange<T>(source: Source, from: number, to: number, read: (r: Reader, tree: Tree) => T, before = '', after = ''): T {
  if (to <= from) throw errorAt(source, tokenAt(source, to))
  const start = tokenAt(source, from).start
  const { text, notes } = edit(source, from, to, (a, b) => readExpressionRange(source, a, b))
  const whole = before + text + after
  const unit = (offset: number): number => Math.min(Math.max(offset - before.length, 0), text.length) + start
  let trees: readonly Tree[]
  try {
    trees = parseTree(whole)
  } catch (error) {
    throw error instanceof SqlError ? replace(source, to, error, offset => unit(offset), whole) : error
  }
  const tree = trees[0]
  if (tree === undefined || trees.length !== 1) throw errorAt(source, tokenAt(source, to))
  const unitOfByte = unitsOfBytes(whole)
  const reader: Reader = {
    notes, at: location => source.at(location < 0 ? start : unit(unitOfByte(location))),
    query: wrapped => readQuery(reader, wrapped), change: wrapped => readChange(reader, wrapped),
  }
  const result = read(reader, tree)
  refuseLeftovers(notes)
  return result
}

/** The grammar's error in terms of the statement: its position, and the token as the user wrote it. */
function replace(source: Source, to: number, error: SqlError, unit: (offset: number) => number, whole: string): SqlError {
  const { position, ...details } = error.details
  if (position === undefined) return error
  const place = unit(unitOfCharacter(whole, position - 1)), next = tokenAt(source, to)
  if (!error.message.startsWith('syntax error')) return new SqlError(error.code, error.message, { ...details, position: source.at(place) })
  const last = tokenAt(source, to - 1)
  if (place >= last.end) return errorAt(source, next)
  const token = source.tokens.find(each => each.start <= place && place < each.end)
  return token === undefined ? new SqlError(error.code, error.message, { ...details, position: source.at(place) }) : errorAt(source, token.start === place ? token : { ...token, start: place })
}

export function readExpressionRange(source: Source, from: number, to: number): Expression {
  return readRange(source, from, to, (r, tree) => {
    const select = as(tree, 'SelectStmt') ?? {}, targets = list(select, 'targetList'), target = as(targets[0], 'ResTarget') ?? {}
    // anything but one target without a name would be more than an expression
    const extra = Object.keys(select).some(field => !['targetList', 'limitOption', 'op'].includes(field)) || targets.length !== 1 || target['name'] !== undefined
    if (extra || child(target, 'val') === undefined) throw errorAt(source, tokenAt(source, from))
    return readExpression(r, child(target, 'val') ?? {})
  }, 'SELECT ')
}

/** The arguments of a call: `a, b => c`. */
export function readArgumentRange(source: Source, from: number, to: number): Argument[] {
  if (to <= from) return []
  return readRange(source, from, to, (r, tree) => {
    const target = as(list(as(tree, 'SelectStmt') ?? {}, 'targetList')[0], 'ResTarget') ?? {}
    return list(as(child(target, 'val'), 'FuncCall') ?? {}, 'args').map(each => readArgument(r, each))
  }, 'SELECT f(', ')')
}

export function readTypeRange(source: Source, from: number, to: number): TypeName {
  return readRange(source, from, to, (r, tree) => {
    const target = as(list(as(tree, 'SelectStmt') ?? {}, 'targetList')[0], 'ResTarget') ?? {}
    return readType(r, child(as(child(target, 'val'), 'TypeCast') ?? {}, 'typeName') ?? {})
  }, 'SELECT NULL::')
}

/** The columns and constraints between the brackets of a CREATE TABLE; none when the range is empty. */
export function readElementRange(source: Source, from: number, to: number): TableElements {
  if (to <= from) return { columns: [], constraints: [], like: [] }
  return readRange(source, from, to, (r, tree) => readElements(r, as(tree, 'CreateStmt') ?? {}), 'CREATE TABLE t (', ')')
}

const EMIT_FORMS: readonly (readonly string[])[] = [['on', 'window', 'close'], ['on', 'update'], ['changes'], ['changelog'], ['final'], ['after', 'window', 'close'], ['periodic']]

/** True when an EMIT clause begins at the token: `emit` may also be somebody's name. */
export function emitAt(source: Source, index: number): boolean {
  return reads(tokenAt(source, index), 'emit') && !reads(tokenAt(source, index - 1), 'as') && !reads(tokenAt(source, index - 1), '.')
    && EMIT_FORMS.some(form => form.every((word, i) => reads(tokenAt(source, index + 1 + i), word)))
}

/** A query, with its EMIT clause if there is one. */
export function readQueryRange(source: Source, from: number, to: number): Query {
  let depth = 0, end = to, emit: string | undefined
  for (let i = from; i < to && emit === undefined; i++) {
    const token = tokenAt(source, i)
    if (token.kind === 'symbol') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0
    else if (token.text === 'emit' && emitAt(source, i)) {
      if (depth > 0) throw unsupported('EMIT inside a subquery', { position: source.at(token.start) })
      end = i
      emit = source.sql.slice(tokenAt(source, i + 1).start, tokenAt(source, to - 1).end).toLowerCase().replace(/\s+/g, ' ')
    }
  }
  const query = readRange(source, from, end, (r, tree) => {
    if (open(tree).tag !== 'SelectStmt') throw errorAt(source, tokenAt(source, from))
    return readQuery(r, tree)
  })
  return emit === undefined ? query : { ...query, emit }
}
