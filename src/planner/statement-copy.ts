/** COPY, in the form of today and of old. */
import { SqlError } from '../error.ts'
import { readExpressionRange } from './fragment.ts'
import { readOptionValue } from './statement-option.ts'
import type { Copy, CopyOptions, Option, Statement } from './statement-syntax.ts'
import { closing, partOf } from './token-reader.ts'
import type { Source, TokenReader } from './token-reader.ts'

export function readCopy(t: TokenReader, statement: (source: Source) => Statement): Copy {
  const at = t.at
  t.expect('copy')
  const options = new OptionList()
  let what: Copy['what']
  if (t.is('(')) {
    const open = t.index, close = closing(t.source, open)
    what = { kind: 'statement', statement: statement(partOf(t.source, open + 1, close)) }
    t.moveTo(close + 1)
    if (!t.is('to')) throw t.error()
  } else {
    if (t.accept('binary')) options.add('format', 'binary', at)
    const tableAt = t.at, path = t.path()
    const columns = t.is('(') ? t.parenthesised(() => ({ at: t.at, name: t.name() })) : undefined
    what = { kind: 'table', table: { path, only: false, at: tableAt }, ...(columns === undefined ? {} : { columns }) }
  }
  const direction = t.acceptOne('from', 'to')
  if (direction === undefined) throw t.error()
  const place = readPlace(t)
  if (t.accept('using', 'delimiters') || t.accept('delimiters')) options.add('delimiter', t.string(), t.at)
  t.accept('with')
  if (t.is('(')) readModern(t, options)
  else readLegacy(t, options)
  let where: Copy['where']
  if (t.is('where')) {
    const position = t.at
    if (direction === 'to') throw new SqlError('0A000', 'WHERE clause not allowed with COPY TO', { position })
    t.next()
    where = readExpressionRange(t.source, t.index, t.source.tokens.length - 1)
    t.moveTo(t.source.tokens.length - 1)
  }
  t.end()
  return { kind: 'copy', direction, what, place, options: options.options, ...(where === undefined ? {} : { where }), at }
}

function readPlace(t: TokenReader): Copy['place'] {
  if (t.accept('stdin') || t.accept('stdout')) return { kind: 'client' }
  const kind = t.accept('program') ? 'program' : 'file'
  return { kind, path: t.string() }
}

/** Options as they come; each once. */
class OptionList {
  options: CopyOptions = { others: [] }
  readonly #seen = new Set<string>()

  add(key: string, value: string, at: number): void {
    if (this.#seen.has(key)) throw new SqlError('42601', 'conflicting or redundant options', { position: at })
    this.#seen.add(key)
    const set = (more: Partial<CopyOptions>): void => { this.options = { ...this.options, ...more } }
    switch (key) {
      case 'format': return set({ format: value.toLowerCase() })
      case 'delimiter': return set({ delimiter: value })
      case 'null': return set({ null: value })
      case 'default': return set({ default: value })
      case 'quote': return set({ quote: value })
      case 'escape': return set({ escape: value })
      case 'encoding': return set({ encoding: value })
      case 'freeze': return set({ freeze: boolean(key, value) === 'true' })
      case 'header': return set({ header: value.toLowerCase() === 'match' ? 'match' : boolean(key, value) })
      default: { const other: Option = { key, value, at }; return set({ others: [...this.options.others, other] }) }
    }
  }

  columns(key: 'forceQuote' | 'forceNotNull' | 'forceNull', columns: readonly string[] | '*', at: number): void {
    if (this.#seen.has(key)) throw new SqlError('42601', 'conflicting or redundant options', { position: at })
    this.#seen.add(key)
    this.options = { ...this.options, [key]: columns }
  }
}

function boolean(key: string, value: string): 'true' | 'false' {
  const text = value.toLowerCase()
  if (text === 'true' || text === 'on' || text === '1') return 'true'
  if (text === 'false' || text === 'off' || text === '0') return 'false'
  throw new SqlError('42601', `${key} requires a Boolean value${key === 'header' ? ' or "match"' : ''}`)
}

const COLUMN_OPTIONS = { force_quote: 'forceQuote', force_not_null: 'forceNotNull', force_null: 'forceNull' } as const

function readModern(t: TokenReader, options: OptionList): void {
  t.parenthesised(() => {
    const at = t.at, key = t.label()
    if (key === 'force_quote' || key === 'force_not_null' || key === 'force_null') options.columns(COLUMN_OPTIONS[key], readColumns(t), at)
    else options.add(key, t.is(',') || t.is(')') ? 'true' : readOptionValue(t), at)
  })
}

function readColumns(t: TokenReader): readonly string[] | '*' {
  if (t.accept('*')) return '*'
  return t.is('(') ? t.parenthesised(() => t.name()) : t.separated(() => t.name())
}

function readLegacy(t: TokenReader, options: OptionList): void {
  for (;;) {
    const at = t.at
    const word = t.acceptOne('binary', 'freeze', 'delimiter', 'null', 'csv', 'header', 'quote', 'escape', 'encoding', 'force')
    switch (word) {
      case undefined: return
      case 'binary': case 'csv': options.add('format', word, at); break
      case 'freeze': case 'header': options.add(word, 'true', at); break
      case 'encoding': options.add(word, t.string(), at); break
      case 'force':
        if (t.accept('quote')) options.columns('forceQuote', readColumns(t), at)
        else if (t.accept('not', 'null')) options.columns('forceNotNull', readColumns(t), at)
        else { t.expect('null'); options.columns('forceNull', readColumns(t), at) }
        break
      default: t.accept('as'); options.add(word, t.string(), at)
    }
  }
}
