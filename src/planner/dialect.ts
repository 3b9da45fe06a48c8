/**
 * What the streaming dialects say and Postgres's grammar does not, taken out of the text in place: every edit keeps the length, so positions go on
 * referring to what the user wrote, and what was taken out is kept as notes by position (see `Notes`).
 */
import { SqlError, unsupported } from '../error.ts'
import { stringOf } from './lexer.ts'
import type { Token } from './lexer.ts'
import { closing, errorAt, reads, sourceOf, tokenAt } from './token-reader.ts'
import type { Source } from './token-reader.ts'
import { foreignTypeAt, typeAt } from './type-text.ts'
import { noNotes } from './tree.ts'
import type { Notes } from './tree.ts'
import type { Expression, Hint, Path } from './syntax.ts'

/** A text that Postgres's grammar takes, of the same length as the range it stands for. */
export interface Edited { readonly text: string; readonly notes: Notes }

const TRIGGER = /\/\*\+|`|\bof\b|\basof\b|\btable\b|\binterval\b|\bmatch_recognize\b|\bmatch_condition\b|\bqualify\b|\blocal\b|\b(?:array|map|multiset|row|struct)\s*</i

/** Edits the tokens `from` to `to` (exclusive). `expression` reads a range of tokens: the value of an AS OF. */
export function edit(source: Source, from: number, to: number, expression: (from: number, to: number) => Expression): Edited {
  const start = tokenAt(source, from).start, end = to > from ? tokenAt(source, to - 1).end : start
  const text = source.sql.slice(start, end)
  if (source.patches.length === 0 && !TRIGGER.test(text)) return { text, notes: noNotes() }
  return new Editor(source, from, to, expression).run(text)
}

/** Words that end the value of an AS OF at its own level. */
const AFTER_VALUE: ReadonlySet<string> = new Set(['as', 'on', 'using', 'where', 'group', 'order', 'having', 'limit', 'join', 'left', 'right', 'inner', 'full', 'cross', 'natural', 'union', 'intersect',
  'except', 'window', 'fetch', 'offset', 'for', 'tablesample', 'emit', 'returning', 'set', 'asof', 'with', 'qualify', 'when', 'match_recognize', 'select', 'values', 'lateral'])
/** Words that go on with an expression where otherwise an alias would begin. */
const OPERATOR_WORDS: ReadonlySet<string> = new Set(['and', 'or', 'at', 'time', 'zone', 'is', 'not', 'null', 'between', 'in', 'like', 'collate', 'year', 'month', 'day', 'hour', 'minute', 'second', 'to',
  'years', 'months', 'days', 'hours', 'minutes', 'seconds', 'week', 'weeks'])
/** Words before a name that say a table follows, not that the name is an alias. */
const BEFORE_TABLE: ReadonlySet<string> = new Set(['from', 'join', 'into', 'update', 'using', 'table', 'only', 'lateral', 'view', 'overwrite', 'exists'])
const UNITS: Readonly<Record<string, string>> = { years: 'year', months: 'month', days: 'day', hours: 'hour', minutes: 'minute', seconds: 'second' }
const UNIT_NAMES: ReadonlySet<string> = new Set([...Object.keys(UNITS), ...Object.values(UNITS)])
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['tumble', 'hop', 'session', 'cumulate'])
/** Words after which `array <`, `row <` is a comparison of a column with such a name. */
const BEFORE_VALUE: ReadonlySet<string> = new Set(['where', 'and', 'or', 'not', 'select', 'on', 'having', 'when', 'then', 'else', 'by', 'case', 'distinct', 'all', 'in', 'between', 'like', 'set', 'returning'])

class Editor {
  readonly #source: Source
  readonly #from: number
  readonly #to: number
  readonly #expression: (from: number, to: number) => Expression
  readonly #notes = noNotes()
  readonly #changes: { readonly start: number; readonly end: number; readonly text: string }[] = []

  constructor(source: Source, from: number, to: number, expression: (from: number, to: number) => Expression) {
    this.#source = source
    this.#from = from
    this.#to = to
    this.#expression = expression
  }

  run(text: string): Edited {
    for (const patch of this.#source.patches) if (patch.from >= this.#from && patch.to <= this.#to) this.#replace(patch.from, patch.to, patch.text)
    for (let i = this.#from; i < this.#to; i++) i = this.#token(i)
    const base = this.#get(this.#from).start
    let edited = '', done = 0
    for (const change of this.#changes.sort((a, b) => a.start - b.start)) {
      if (change.start - base < done) continue // inside a larger one
      edited += text.slice(done, change.start - base) + change.text.padEnd(change.end - change.start)
      done = change.end - base
    }
    return { text: edited + text.slice(done), notes: this.#notes }
  }

  #get(index: number): Token { return tokenAt(this.#source, index) }
  #reads(index: number, text: string): boolean { return index >= this.#from && reads(this.#get(index), text) }
  #at(index: number): number { return this.#source.at(this.#get(index).start) }
  #isName(index: number): boolean { const kind = this.#get(index).kind; return index >= this.#from && (kind === 'name' || kind === 'quoted') }

  /** Replaces tokens `from` to `to` (exclusive), filling up with blanks. */
  #replace(from: number, to: number, text = ''): void {
    this.#changes.push({ start: this.#get(from).start, end: this.#get(to - 1).end, text })
  }

  /** Looks at one token; gives the index of the last one it dealt with. */
  #token(i: number): number {
    const token = this.#get(i)
    if (token.kind === 'hint') this.#hint(i)
    else if (token.kind === 'quoted' && this.#source.sql.charAt(token.start) === '`') this.#replace(i, i + 1, `"${token.text}"`)
    else if (token.kind === 'name') {
      switch (token.text) {
        case 'as': if (this.#reads(i + 1, 'of')) return this.#asOf(i); break
        case 'asof': if (!this.#reads(i - 1, 'as') && ['join', 'left', 'inner', 'right', 'full'].some(word => this.#reads(i + 1, word))) this.#asofJoin(i); break
        case 'table': this.#table(i); break
        case 'interval': this.#interval(i); break
        case 'match_recognize': case 'match_condition':
          if (this.#reads(i + 1, '(') && !this.#reads(i - 1, '.') && !this.#reads(i - 1, 'select')) throw unsupported(token.text.toUpperCase(), { position: this.#at(i) })
          break
        case 'qualify':
          if (!this.#reads(i - 1, 'as') && !this.#reads(i - 1, '.') && this.#get(i + 1).kind === 'name' && !this.#reads(i + 1, 'from') && !AFTER_VALUE.has(this.#get(i + 1).text) && this.#isName(i - 1)) {
            throw unsupported('QUALIFY', { position: this.#at(i) })
          }
          break
      }
      if (foreignTypeAt(this.#source, i) && !(this.#get(i - 1).kind === 'name' && BEFORE_VALUE.has(this.#get(i - 1).text)) && (this.#isName(i - 1) || this.#reads(i - 1, '::'))) return this.#type(i)
    }
    return i
  }

  #type(i: number): number {
    const found = typeAt(this.#source, i)
    if (found === undefined || found.next > this.#to) return i
    this.#notes.types.set(this.#at(i), found.type)
    this.#replace(i, found.next, 'text')
    return found.next - 1
  }

  /** The first token of the table name that ends right before `end`, looking through an alias. */
  #tableBefore(end: number): number | undefined {
    const chain = (last: number): number | undefined => {
      if (!this.#isName(last)) return undefined
      let first = last
      while (this.#reads(first - 1, '.') && this.#isName(first - 2)) first -= 2
      return first
    }
    const first = chain(end - 1)
    if (first === undefined) return undefined
    if (this.#reads(first - 1, 'as')) return chain(first - 2)
    const before = this.#get(first - 1)
    return this.#isName(first - 1) && !(before.kind === 'name' && BEFORE_TABLE.has(before.text)) ? chain(first - 1) : first
  }

  #hint(i: number): void {
    const hints = parseHints(this.#source.sql.slice(this.#get(i).start, this.#get(i).end), this.#at(i))
    if (hints.length === 0) return
    let key: number | undefined
    if (this.#reads(i - 1, 'select')) key = this.#at(this.#firstTarget(i + 1))
    else {
      const table = this.#tableBefore(i)
      if (table !== undefined) key = this.#at(table)
    }
    key ??= this.#at(i)
    this.#notes.hints.set(key, [...this.#notes.hints.get(key) ?? [], ...hints])
  }

  /** The first token of a SELECT's first target, from the token behind SELECT. */
  #firstTarget(i: number): number {
    for (;;) {
      if (this.#get(i).kind === 'hint' || this.#reads(i, 'all')) i++
      else if (this.#reads(i, 'distinct')) i = this.#reads(i + 1, 'on') && this.#reads(i + 2, '(') ? closing(this.#source, i + 2) + 1 : i + 1
      else return i
    }
  }

  /** `[FOR] SYSTEM_TIME | SYSTEM_VERSION | TIMESTAMP | VERSION AS OF e`, or `AS OF e` alone (a time). `i` is at AS. */
  #asOf(i: number): number {
    const word = this.#get(i - 1).kind === 'name' ? this.#get(i - 1).text : ''
    const what = word === 'system_time' || word === 'timestamp' ? 'time' : word === 'system_version' || word === 'version' ? 'version' : undefined
    let value = i + 2
    const after = this.#get(value)
    if (after.kind === 'end' || value >= this.#to || (after.kind === 'symbol' && after.text !== '(' && after.text !== '-') || (after.kind === 'name' && AFTER_VALUE.has(after.text))) return i
    let first = i
    if (what !== undefined) first = this.#reads(i - 2, 'for') ? i - 2 : i - 1
    const table = this.#tableBefore(first)
    if (table === undefined || table === first) return i
    if (what === undefined && after.text === '(') return i // an alias `of` with columns
    if (what === undefined && after.kind === 'name' && !(after.text === 'timestamp' || this.#reads(value + 1, '('))) return i
    if (reads(after, 'timestamp') && this.#get(value + 1).kind === 'number') value++
    const end = this.#valueEnd(value)
    this.#notes.asOf.set(this.#at(table), { what: what ?? 'time', value: this.#expression(value, end), at: this.#at(first) })
    this.#replace(first, end)
    return end - 1
  }

  #valueEnd(i: number): number {
    let operand = false
    const start = i
    for (; i < this.#to; i++) {
      const token = this.#get(i)
      if (token.kind === 'symbol') {
        if (token.text === '(' || token.text === '[') { i = closing(this.#source, i); operand = true; continue }
        if (token.text === ')' || token.text === ',' || token.text === ';' || token.text === ']') break
        operand = false
      } else if (token.kind === 'name' && i > start && AFTER_VALUE.has(token.text)) break
      else if (token.kind === 'hint') break
      else if (token.kind === 'name' && OPERATOR_WORDS.has(token.text)) operand = !['and', 'or', 'at', 'is', 'not', 'between', 'in', 'like', 'collate', 'to', 'time'].includes(token.text)
      else if (token.kind === 'name' || token.kind === 'quoted') {
        if (operand) break // an alias
        // a name before a string is a type: TIMESTAMP '…'
        operand = this.#get(i + 1).kind !== 'string'
      } else operand = true
    }
    return i
  }

  #asofJoin(i: number): void {
    let right = i + 1
    while (right < this.#to && !this.#reads(right, 'join')) right++
    right++
    while (this.#reads(right, '(') || this.#reads(right, 'lateral') || this.#reads(right, 'only')) right++
    if (this.#reads(right, 'select')) right = this.#firstTarget(right + 1)
    if (right >= this.#to) throw errorAt(this.#source, this.#get(right))
    this.#notes.asofJoins.add(this.#at(right))
    this.#replace(i, i + 1)
  }

  /** `TABLE ( f(…) )`, and `TABLE t [PARTITION BY …]` as an argument. */
  #table(i: number): void {
    if (this.#reads(i + 1, '(')) {
      if (!['from', 'join', ',', 'lateral'].some(text => this.#reads(i - 1, text))) return
      const close = closing(this.#source, i + 1)
      if (this.#isName(i + 2) && !this.#reads(i + 2, 'select')) { this.#replace(i, i + 2); this.#replace(close, close + 1) }
      return
    }
    const argument = this.#reads(i - 1, ',') || this.#reads(i - 1, '=>') || (this.#reads(i - 1, '(') && this.#get(i - 2).kind === 'name' && TABLE_FUNCTIONS.has(this.#get(i - 2).text))
    if (!argument || !this.#isName(i + 1)) return
    let end = i + 2
    while (this.#reads(end, '.')) end += 2
    const partitionBy: Path[] = []
    if (this.#reads(end, 'partition') && this.#reads(end + 1, 'by')) {
      const clause = end, brackets = this.#reads(end + 2, '(')
      end += brackets ? 3 : 2
      for (;;) {
        const path = [this.#get(end).text]
        for (end++; this.#reads(end, '.'); end += 2) path.push(this.#get(end + 1).text)
        partitionBy.push(path)
        if (this.#reads(end, ',') && this.#isName(end + 1) && !this.#reads(end + 2, '(') && !this.#reads(end + 2, '=>')) { end++; continue }
        break
      }
      if (brackets) { if (!this.#reads(end, ')')) throw errorAt(this.#source, this.#get(end)); end++ }
      this.#replace(clause, end)
    }
    this.#notes.tableArguments.set(this.#at(i + 1), partitionBy)
    this.#replace(i, i + 1)
  }

  /** `INTERVAL '10' MINUTES`, `INTERVAL 10 MINUTE`. */
  #interval(i: number): void {
    const amount = this.#get(i + 1), unit = this.#get(i + 2)
    if (unit.kind !== 'name' || !UNIT_NAMES.has(unit.text)) return
    const { sql } = this.#source
    if (amount.kind === 'number') {
      if (!/\s/.test(sql.charAt(amount.start - 1)) || !/\s/.test(sql.charAt(amount.end))) throw errorAt(this.#source, amount)
      this.#changes.push({ start: amount.start - 1, end: amount.end + 1, text: `'${amount.text}'` })
    } else if (amount.kind !== 'string') return
    const singular = UNITS[unit.text]
    if (singular !== undefined) this.#replace(i + 2, i + 3, singular)
  }
}

/** The hints of `/*+ A('k'='v', x) B(t) *\/`. What is not of this form is a comment. */
function parseHints(comment: string, at: number): Hint[] {
  const inner = sourceOf(comment.slice(3, -2))
  const hints: Hint[] = []
  let i = 0
  while (tokenAt(inner, i).kind === 'name') {
    const name = tokenAt(inner, i).text.toUpperCase()
    const args: { readonly key?: string; readonly value: string }[] = []
    i++
    if (reads(tokenAt(inner, i), '(')) {
      const close = closing(inner, i)
      for (i++; i < close;) {
        const [first, next] = readHintWord(inner, i, close)
        i = next
        if (reads(tokenAt(inner, i), '=')) {
          const [value, behind] = readHintWord(inner, i + 1, close)
          args.push({ key: first, value })
          i = behind
        } else args.push({ value: first })
        if (reads(tokenAt(inner, i), ',')) i++
      }
      i = close + 1
    }
    hints.push({ name, arguments: args, at })
    if (reads(tokenAt(inner, i), ',')) i++
  }
  return hints
}

/** A string, or words up to `=`, `,` or the end: `scan.mode`, `a`, `7`. */
function readHintWord(inner: Source, i: number, close: number): readonly [string, number] {
  const first = tokenAt(inner, i)
  if (first.kind === 'string') return [stringOf(inner.sql, first), i + 1]
  let end = i
  while (end < close && !reads(tokenAt(inner, end), '=') && !reads(tokenAt(inner, end), ',')) end++
  return end === i ? ['', i + 1] : [inner.sql.slice(first.start, tokenAt(inner, end - 1).end), end]
}

/** An OPTIONS hint, AS OF and the like that nothing took stood in a wrong place. */
export function refuseLeftovers(notes: Notes): void {
  for (const clause of notes.asOf.values()) throw new SqlError('42601', 'AS OF is allowed behind a table only', { position: clause.at })
  for (const at of notes.asofJoins) throw new SqlError('42601', 'syntax error at or near "ASOF"', { position: at })
  for (const at of notes.tableArguments.keys()) throw new SqlError('42601', 'syntax error at or near "TABLE"', { position: at })
  for (const type of notes.types.values()) throw new SqlError('42601', `syntax error at or near "${(type.path[0] ?? '').toUpperCase()}"`, { position: type.at })
  for (const hint of [...notes.hints.values()].flat()) {
    if (hint.name === 'OPTIONS') throw new SqlError('42601', 'an OPTIONS hint must stand directly behind a table name', { position: hint.at })
  }
}
