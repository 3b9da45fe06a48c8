/** Types read by hand, from tokens: what Flink and Spark write and Postgres's grammar cannot, and what stands inside their angle brackets. */
import { reads, tokenAt } from './token-reader.ts'
import type { Source } from './token-reader.ts'
import { stringOf } from './lexer.ts'
import type { Expression, TypeName } from './syntax.ts'

/** Postgres's own names of SQL's spellings; other names stay as they are. */
const NAMES: Readonly<Record<string, string>> = {
  int: 'int4', integer: 'int4', smallint: 'int2', bigint: 'int8', boolean: 'bool', real: 'float4', float: 'float8', decimal: 'numeric', dec: 'numeric',
  'double precision': 'float8', character: 'bpchar', char: 'bpchar', 'character varying': 'varchar', 'char varying': 'varchar',
}

/** A type and the index of the token behind it. `pending` counts closing angle brackets that `>>` brought with it. */
interface Found { readonly type: TypeName; readonly next: number; readonly pending: number }

/** The type that begins at a token; undefined when none does. */
export function typeAt(source: Source, index: number): { readonly type: TypeName; readonly next: number } | undefined {
  const found = read(source, index)
  return found === undefined || found.pending !== 0 ? undefined : found
}

/** True when a type that only our dialect spells begins at this token: ARRAY<…>, MAP<…>, MULTISET<…>, ROW<…>, TIMESTAMP … WITH LOCAL TIME ZONE. */
export function foreignTypeAt(source: Source, index: number): boolean {
  const token = tokenAt(source, index)
  if (token.kind !== 'name') return false
  if (['array', 'map', 'multiset', 'row', 'struct'].includes(token.text)) return tokenAt(source, index + 1).text.startsWith('<') && tokenAt(source, index + 1).kind === 'symbol'
  if (token.text !== 'timestamp') return false
  const behind = reads(tokenAt(source, index + 1), '(') ? index + 4 : index + 1
  return reads(tokenAt(source, behind), 'with') && reads(tokenAt(source, behind + 1), 'local')
}

function read(source: Source, index: number): Found | undefined {
  const first = tokenAt(source, index), at = source.at(first.start)
  if (first.kind !== 'name' && first.kind !== 'quoted') return undefined
  const word = first.kind === 'name' ? first.text : ''
  const opening = tokenAt(source, index + 1)
  if ((word === 'array' || word === 'map' || word === 'multiset') && reads(opening, '<')) {
    const inner = read(source, index + 2)
    if (inner === undefined) return undefined
    const argument = nullability(source, inner)
    if (word !== 'map') return close(source, argument, { path: [word], modifiers: [], dimensions: 0, setOf: false, arguments: [argument.type], at })
    if (argument.pending !== 0 || !reads(tokenAt(source, argument.next), ',')) return undefined
    const value = read(source, argument.next + 1)
    if (value === undefined) return undefined
    const last = nullability(source, value)
    return close(source, last, { path: ['map'], modifiers: [], dimensions: 0, setOf: false, arguments: [argument.type, last.type], at })
  }
  if ((word === 'row' || word === 'struct') && reads(opening, '<')) return readRow(source, index + 2, at)
  return suffix(source, readPlain(source, index, at))
}

/** Takes one `>`: either the rest of a `>>`, or the next token's first. */
function close(source: Source, inner: Found, type: TypeName): Found | undefined {
  if (inner.pending > 0) return suffix(source, { type, next: inner.next, pending: inner.pending - 1 })
  const token = tokenAt(source, inner.next)
  if (token.kind !== 'symbol' || !/^>+$/.test(token.text)) return undefined
  return suffix(source, { type, next: inner.next + 1, pending: token.text.length - 1 })
}

/** `[]` behind a type. */
function suffix(source: Source, found: Found): Found {
  let { type, next } = found
  if (found.pending > 0) return found
  while (reads(tokenAt(source, next), '[') && reads(tokenAt(source, next + 1), ']')) { type = { ...type, dimensions: type.dimensions + 1 }; next += 2 }
  return { type, next, pending: 0 }
}

/** NOT NULL or NULL behind a type inside angle brackets. */
function nullability(source: Source, found: Found): Found {
  if (found.pending > 0) return found
  if (reads(tokenAt(source, found.next), 'not') && reads(tokenAt(source, found.next + 1), 'null')) return { type: { ...found.type, notNull: true }, next: found.next + 2, pending: 0 }
  return reads(tokenAt(source, found.next), 'null') ? { ...found, next: found.next + 1 } : found
}

function readRow(source: Source, index: number, at: number): Found | undefined {
  const fields: NonNullable<TypeName['fields']>[number][] = []
  for (;;) {
    const name = tokenAt(source, index)
    if (name.kind !== 'name' && name.kind !== 'quoted') return undefined
    const colon = reads(tokenAt(source, index + 1), ':') ? 1 : 0
    const inner = read(source, index + 1 + colon)
    if (inner === undefined) return undefined
    const found = nullability(source, inner)
    const { notNull, ...type } = found.type
    let next = found.next, comment: string | undefined
    if (found.pending === 0 && reads(tokenAt(source, next), 'comment') && tokenAt(source, next + 1).kind === 'string') {
      comment = stringOf(source.sql, tokenAt(source, next + 1))
      next += 2
    }
    fields.push({ name: name.text, type, notNull: notNull === true, ...(comment === undefined ? {} : { comment }) })
    if (found.pending === 0 && reads(tokenAt(source, next), ',')) { index = next + 1; continue }
    return close(source, { ...found, next }, { path: ['row'], modifiers: [], dimensions: 0, setOf: false, fields, at })
  }
}

function readPlain(source: Source, index: number, at: number): Found {
  const path: string[] = [tokenAt(source, index).text]
  const quoted = tokenAt(source, index).kind === 'quoted'
  let next = index + 1
  while (reads(tokenAt(source, next), '.')) { path.push(tokenAt(source, next + 1).text); next += 2 }
  let name = path[path.length - 1] ?? ''
  if (!quoted && path.length === 1) {
    const second = tokenAt(source, next)
    if ((name === 'double' && reads(second, 'precision')) || ((name === 'character' || name === 'char') && reads(second, 'varying'))) { name = `${name} ${second.text}`; next++ }
    path[0] = NAMES[name] ?? name
  }
  const modifiers: Expression[] = []
  if (reads(tokenAt(source, next), '(')) {
    next++
    while (tokenAt(source, next).kind === 'number') {
      modifiers.push({ kind: 'number', text: tokenAt(source, next).text, at: source.at(tokenAt(source, next).start) })
      next++
      if (reads(tokenAt(source, next), ',')) next++
    }
    if (reads(tokenAt(source, next), ')')) next++
  }
  if (name === 'timestamp' || name === 'time') {
    const zone = (from: number): boolean => reads(tokenAt(source, from), 'time') && reads(tokenAt(source, from + 1), 'zone')
    if (reads(tokenAt(source, next), 'with') && reads(tokenAt(source, next + 1), 'local') && zone(next + 2)) { path[0] = `${name}_ltz`; next += 4 }
    else if (reads(tokenAt(source, next), 'with') && zone(next + 1)) { path[0] = `${name}tz`; next += 3 }
    else if (reads(tokenAt(source, next), 'without') && zone(next + 1)) next += 3
  }
  return { type: { path, modifiers, dimensions: 0, setOf: false, at }, next, pending: 0 }
}
