/** Patterns over text: LIKE, SIMILAR TO, and POSIX regular expressions as the runtime's. */
import { asText } from '../datum.ts'
import { SqlError } from '../error.ts'
import { arrayOf } from '../datum.ts'
import { BOOL, INT4, TEXT } from '../type.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import { columns, value } from './body.ts'
import type { Body } from './body.ts'
import { likeColumns } from './column-body.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'

/** A small cache of compiled patterns: the pattern is nearly always the same for all rows. */
class PatternCache<T> {
  readonly #make: (pattern: string, flags: string) => T
  readonly #kept = new Map<string, T>()
  constructor(make: (pattern: string, flags: string) => T) {
    this.#make = make
  }
  get(pattern: string, flags = ''): T {
    const key = `${flags}/${pattern}`
    let found = this.#kept.get(key)
    if (found === undefined) {
      found = this.#make(pattern, flags)
      if (this.#kept.size >= 200) this.#kept.clear()
      this.#kept.set(key, found)
    }
    return found
  }
}

type Matcher = (text: string) => boolean

const likeCache = new PatternCache<Matcher>((pattern, flags) => makeLike(pattern, flags === 'i'))

/** A LIKE pattern (escape: backslash) as a matcher. 22025 when it ends with the escape. */
export function likeMatcher(pattern: string, ignoreCase = false): Matcher {
  return likeCache.get(pattern, ignoreCase ? 'i' : '')
}

function makeLike(pattern: string, ignoreCase: boolean): Matcher {
  let source = '^'
  let plain = ''
  const parts: string[] = []
  // Only literals and % can be searched for without a regular expression.
  let simple = !ignoreCase
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? ''
    if (c === '%') {
      parts.push(plain)
      plain = ''
      source += '[^]*'
    } else if (c === '_') {
      simple = false
      source += '[^]'
    } else {
      let literal = c
      if (c === '\\') {
        i++
        if (i >= pattern.length) return endsInEscape(pattern, ignoreCase)
        literal = String.fromCodePoint(pattern.codePointAt(i) ?? 0)
        i += literal.length - 1
      }
      plain += literal
      source += quoteRegex(literal)
    }
  }
  parts.push(plain)
  if (!simple) {
    const regex = compiled(`${source}$`, ignoreCase ? 'iu' : 'u')
    return text => regex.test(text)
  }
  const first = parts[0] ?? ''
  if (parts.length === 1) return text => text === first
  const last = parts[parts.length - 1] ?? ''
  const middle = parts.slice(1, -1).filter(part => part !== '')
  return text => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    const end = text.length - last.length
    for (const part of middle) {
      const found = text.indexOf(part, at)
      if (found < 0 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

/** A pattern whose last character is a lone escape fails only where a text gets so far; else it does not match. */
function endsInEscape(pattern: string, ignoreCase: boolean): Matcher {
  const reaches = makeLike(`${pattern.slice(0, -1)}_%`, ignoreCase)
  return text => {
    if (reaches(text)) throw new SqlError('22025', 'LIKE pattern must not end with escape character')
    return false
  }
}

function quoteRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

const regexCache = new PatternCache<RegExp>(makeRegex)

/** A POSIX (advanced) regular expression as the runtime's. Flags are PostgreSQL's letters; `g` is left to the caller. 2201B when it is none. */
export function regexOf(pattern: string, flags = ''): RegExp {
  const regex = regexCache.get(pattern, flags)
  regex.lastIndex = 0
  return regex
}

const CLASSES: Readonly<Record<string, string>> = {
  alpha: '\\p{L}', digit: '0-9', alnum: '\\p{L}\\p{N}', upper: '\\p{Lu}', lower: '\\p{Ll}', space: '\\s', blank: ' \\t', punct: '!-\\/:-@\\[-`\\{-~', print: '\\x20-\\x7e\\u00a0-\\u{10ffff}',
  graph: '\\x21-\\x7e\\u00a1-\\u{10ffff}', cntrl: '\\x00-\\x1f\\x7f', xdigit: '0-9A-Fa-f', word: '\\w',
}

function makeRegex(given: string, flags: string): RegExp {
  let pattern = given
  let ignoreCase = false
  let dotAll = true
  let multiline = false
  let literal = false
  let expanded = false
  const set = (letter: string): void => {
    switch (letter) {
      case 'i': ignoreCase = true; break
      case 'c': ignoreCase = false; break
      case 'n': case 'm': dotAll = false; multiline = true; break
      case 'p': dotAll = false; multiline = false; break
      case 'w': dotAll = true; multiline = true; break
      case 's': dotAll = true; multiline = false; break
      case 'q': literal = true; break
      case 'x': expanded = true; break
      case 't': expanded = false; break
      case 'e': case 'b': case 'g': break
      default: throw new SqlError('22023', `invalid regular expression option: "${letter}"`)
    }
  }
  for (const letter of flags) set(letter)
  if (pattern.startsWith('***=')) { literal = true; pattern = pattern.slice(4) }
  else if (pattern.startsWith('***:')) pattern = pattern.slice(4)
  const embedded = /^\(\?([a-z]+)\)/.exec(pattern)
  if (embedded !== null && !literal) {
    for (const letter of embedded[1] ?? '') set(letter)
    pattern = pattern.slice(embedded[0].length)
  }
  const source = literal ? quoteRegex(pattern) : translate(pattern, expanded)
  try {
    return compiled(source, `u${ignoreCase ? 'i' : ''}${dotAll ? 's' : ''}${multiline ? 'm' : ''}`)
  } catch (error) {
    if (error instanceof SqlError) throw error
    throw new SqlError('2201B', `invalid regular expression: ${reasonOf(error, pattern)}`)
  }
}

/** A regular expression of the runtime. It compiles one when it is first used, for narrow and for wide text apart: one that is too large is to be noticed here. */
function compiled(source: string, flags: string): RegExp {
  const regex = new RegExp(source, flags)
  try {
    for (const text of ['', '\u0100']) regex.test(text)
  } catch {
    throw new SqlError('2201B', 'invalid regular expression: regular expression is too complex')
  }
  return regex
}

function reasonOf(error: unknown, pattern: string): string {
  const message = error instanceof Error ? error.message : ''
  if (/Unterminated group|Unmatched/.test(message)) return 'parentheses () not balanced'
  if (/character class|Lone quantifier brackets/.test(message)) return /[{}]/.test(pattern) && !pattern.includes('[') ? 'braces {} not balanced' : 'brackets [] not balanced'
  if (/Nothing to repeat/.test(message)) return 'quantifier operand invalid'
  if (/numbers out of order/.test(message)) return 'invalid repetition count(s)'
  if (/Range out of order/.test(message)) return 'invalid character range'
  if (/Invalid.*escape|\\ at end/.test(message)) return 'invalid escape \\ sequence'
  if (/stack/i.test(message)) return 'regular expression is too complex'
  return message === '' ? 'not understood' : message
}

/** The source of an advanced regular expression in the runtime's syntax. */
function translate(pattern: string, expanded: boolean): string {
  let out = ''
  for (let i = 0; i < pattern.length;) {
    const c = String.fromCodePoint(pattern.codePointAt(i) ?? 0)
    if (c === '[') {
      if (pattern.startsWith('[[:<:]]', i)) { out += '\\b(?=\\w)'; i += 7; continue }
      if (pattern.startsWith('[[:>:]]', i)) { out += '\\b(?<=\\w)'; i += 7; continue }
      const end = bracketEnd(pattern, i)
      out += bracket(pattern.slice(i + 1, end))
      i = end + 1
    } else if (c === '\\') {
      const [text, length] = escape(pattern, i)
      out += text
      i += length
    } else if (expanded && /\s/.test(c)) i++
    else if (expanded && c === '#') { while (i < pattern.length && pattern[i] !== '\n') i++ }
    else if (pattern.startsWith('(?#', i)) {
      const end = pattern.indexOf(')', i)
      i = end < 0 ? pattern.length : end + 1
    } else if (c === '{' && !/^\{[0-9]+(,[0-9]*)?\}/.test(pattern.slice(i))) {
      // A brace that begins no bound is itself.
      if (/^\{[0-9]/.test(pattern.slice(i))) throw new SqlError('2201B', 'invalid regular expression: braces {} not balanced')
      out += '\\{'
      i++
    } else if (c === '}' && !/\{[0-9]+(,[0-9]*)?$/.test(pattern.slice(0, i))) { out += '\\}'; i++ }
    else if (c === ']') { out += '\\]'; i++ }
    else if (c === '*' && (i === 0 || /[(|]$/.test(out) && !out.endsWith('\\(') && !out.endsWith('\\|'))) throw new SqlError('2201B', 'invalid regular expression: quantifier operand invalid')
    else if (c === '$') { out += '$'; i++ }
    else {
      out += c
      i += c.length
    }
  }
  return out
}

function bracketEnd(pattern: string, start: number): number {
  let i = start + 1
  if (pattern[i] === '^') i++
  if (pattern[i] === ']') i++
  for (; i < pattern.length; i++) {
    if (pattern[i] === '[' && /[:.=]/.test(pattern[i + 1] ?? '')) {
      const close = pattern.indexOf(`${pattern[i + 1]}]`, i + 2)
      if (close < 0) break
      i = close + 1
    } else if (pattern[i] === '\\') i++
    else if (pattern[i] === ']') return i
  }
  throw new SqlError('2201B', 'invalid regular expression: brackets [] not balanced')
}

function bracket(inner: string): string {
  let body = inner
  let out = '['
  if (body.startsWith('^')) { out += '^'; body = body.slice(1) }
  for (let i = 0; i < body.length;) {
    const named = /^\[([:.=])(.*?)\1\]/.exec(body.slice(i))
    if (named !== null) {
      const name = named[2] ?? ''
      if (named[1] === ':') {
        const set = CLASSES[name]
        if (set === undefined) throw new SqlError('2201B', 'invalid regular expression: invalid character class')
        out += set
      } else out += quoteInBracket(name)
      i += named[0].length
    } else if (body[i] === '\\') {
      const [text, length] = escape(body, i)
      out += text
      i += length
    } else {
      const c = String.fromCodePoint(body.codePointAt(i) ?? 0)
      // A dash is a range only between two characters.
      out += c === '-' && i > 0 && i < body.length - 1 ? '-' : quoteInBracket(c)
      i += c.length
    }
  }
  return `${out}]`
}

function quoteInBracket(c: string): string {
  return /[\\\]^[-]/.test(c) ? `\\${c}` : c
}

/** An escape sequence and its length in the source. */
function escape(pattern: string, at: number): readonly [string, number] {
  const c = pattern[at + 1]
  if (c === undefined) throw new SqlError('2201B', 'invalid regular expression: invalid escape \\ sequence')
  switch (c) {
    case 'A': return ['(?<![^])', 2]
    case 'Z': return ['(?![^])', 2]
    case 'm': return ['\\b(?=\\w)', 2]
    case 'M': return ['\\b(?<=\\w)', 2]
    case 'y': return ['\\b', 2]
    case 'Y': return ['\\B', 2]
    case 'a': return ['\\x07', 2]
    case 'b': return ['\\x08', 2]
    case 'B': return ['\\\\', 2]
    case 'e': return ['\\x1b', 2]
    case '0': return ['\\0', 2]
    case 'd': case 'D': case 's': case 'S': case 'w': case 'W': case 'n': case 'r': case 't': case 'f': case 'v': return [`\\${c}`, 2]
    case 'u': case 'U': case 'x': {
      const digits = new RegExp(c === 'u' ? '^[0-9a-fA-F]{4}' : c === 'U' ? '^[0-9a-fA-F]{8}' : '^[0-9a-fA-F]{1,255}').exec(pattern.slice(at + 2))?.[0]
      if (digits === undefined) throw new SqlError('2201B', 'invalid regular expression: invalid escape \\ sequence')
      return [`\\u{${Number.parseInt(digits, 16).toString(16)}}`, 2 + digits.length]
    }
    default: {
      if (/[1-9]/.test(c)) return [`\\${c}`, 2]
      if (/[A-Za-z]/.test(c)) throw new SqlError('2201B', 'invalid regular expression: invalid escape \\ sequence')
      const whole = String.fromCodePoint(pattern.codePointAt(at + 1) ?? 0)
      return [/[\\^$.*+?()[\]{}|/]/.test(whole) ? `\\${whole}` : quoteInBracketOrNot(whole), 1 + whole.length]
    }
  }
}

/** A character that stands for itself both inside and outside of brackets. */
function quoteInBracketOrNot(c: string): string {
  return c === '-' ? '\\-' : c
}

/** A SIMILAR TO pattern as a POSIX one: what `similar_to_escape` gives. */
export function similarPattern(pattern: string, escapeCharacter = '\\'): string {
  if ([...escapeCharacter].length > 1) throw new SqlError('22025', 'invalid escape string', { hint: 'Escape string must be empty or one character.' })
  let out = '^(?:'
  let inBracket = false
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? ''
    if (escapeCharacter !== '' && c === escapeCharacter) {
      i++
      const next = pattern[i]
      if (next === undefined) break
      if (next === '"') throw new SqlError('2200C', 'invalid use of escape character')
      out += `\\${next}`
    } else if (inBracket) {
      out += c === '\\' ? '\\\\' : c
      if (c === ']') inBracket = false
    } else if (c === '[') { out += c; inBracket = true }
    else if (c === '%') out += '.*'
    else if (c === '_') out += '.'
    else if (c === '(') out += '(?:'
    else if (c === '\\' || c === '.' || c === '^' || c === '$') out += `\\${c}`
    else out += c
  }
  return `${out})$`
}

/** The part between the `escape"` marks of a SIMILAR TO pattern, the part before it as short as can be. */
function similarSubstring(text: string, pattern: string, escapeCharacter: string): Value {
  const parts = pattern.split(`${escapeCharacter}"`)
  if (parts.length > 3) throw new SqlError('2200C', 'SQL regular expression may not contain more than two escape-double-quote separators')
  const [before = '', middle, after = ''] = parts
  const inner = (part: string): string => similarPattern(part, escapeCharacter).slice(1, -1)
  if (middle === undefined) {
    const match = regexOf(similarPattern(pattern, escapeCharacter)).exec(text)
    return match === null ? null : match[0]
  }
  return regexOf(`^${inner(before).replaceAll('.*', '.*?')}(${inner(middle)})${inner(after)}$`).exec(text)?.[1] ?? null
}

/** A LIKE pattern with another escape character as one with the backslash. */
function likeWithEscape(pattern: string, escapeCharacter: string): string {
  const characters = [...escapeCharacter]
  if (characters.length > 1) throw new SqlError('22025', 'invalid escape string', { hint: 'Escape string must be empty or one character.' })
  if (escapeCharacter === '\\') return pattern
  let out = ''
  let escaped = false
  for (const c of pattern) {
    if (c === characters[0] && !escaped) { out += '\\'; escaped = true }
    else {
      out += c === '\\' && !escaped ? '\\\\' : c
      escaped = false
    }
  }
  return out
}

/** The literals of a LIKE pattern between its % signs; undefined when there is a _ in it, or a lone escape at its end. */
function likeLiterals(pattern: string): readonly string[] | undefined {
  const parts: string[] = ['']
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i] ?? ''
    if (c === '_') return undefined
    if (c === '%') { parts.push(''); continue }
    if (c === '\\') i++
    if (i >= pattern.length) return undefined
    parts[parts.length - 1] += pattern[i] ?? ''
  }
  return parts
}

const like = (ignoreCase: boolean, wanted: boolean): Body => ignoreCase
  ? value(([text, pattern]) => likeMatcher(asText(pattern ?? null), true)(asText(text ?? null)) === wanted)
  : columns(likeColumns(likeLiterals, (text, pattern) => likeMatcher(pattern)(text), wanted))
const matches = (flags: string, wanted: boolean): Body => value(([text, pattern]) => regexOf(asText(pattern ?? null), flags).test(asText(text ?? null)) === wanted)

const TEXTS: Type = { kind: 'array', element: TEXT }

/** Texts of a match: the groups, or the whole when there are none. */
function groupsOf(match: RegExpExecArray): Value {
  return arrayOf(match.length > 1 ? match.slice(1).map(group => group ?? null) : [match[0]])
}

/** `\1`, `\&` and `\\` of a replacement, for one match. */
function expandReplacement(replacement: string, match: RegExpExecArray): string {
  return replacement.replace(/\\([0-9&\\])?/g, (whole: string, c: string | undefined) => c === '\\' ? '\\' : c === '&' ? match[0] : c === undefined ? whole : match[Number(c)] ?? '')
}

/** Replaces the n-th match from `start` on (1-based), or all of them when n is 0. */
function replaceMatches(text: string, pattern: string, replacement: string, start: number, n: number, flags: string): string {
  const regex = new RegExp(regexOf(pattern, flags), `${regexOf(pattern, flags).flags}g`)
  const skipped = [...text].slice(0, start - 1).join('').length
  regex.lastIndex = skipped
  let out = text.slice(0, skipped)
  let last = skipped
  for (let count = 1; ; count++) {
    const match = regex.exec(text)
    if (match === null) break
    if (n === 0 || count === n) {
      out += text.slice(last, match.index) + expandReplacement(replacement, match)
      last = match.index + match[0].length
      if (n !== 0) break
    }
    if (match[0] === '') step(regex, text)
  }
  return out + text.slice(last)
}

/** Moves past one whole character: in the middle of a surrogate pair the search would begin before it again. */
function step(regex: RegExp, text: string): void {
  regex.lastIndex += (text.codePointAt(regex.lastIndex) ?? 0) > 0xffff ? 2 : 1
}

/** The matches from `start` on, in order. */
function matchesFrom(text: string, pattern: string, start: number, flags: string, places = false): RegExpExecArray[] {
  const base = regexOf(pattern, flags)
  const regex = new RegExp(base, `${base.flags}g${places ? 'd' : ''}`)
  regex.lastIndex = [...text].slice(0, start - 1).join('').length
  const found: RegExpExecArray[] = []
  for (let match = regex.exec(text); match !== null; match = regex.exec(text)) {
    found.push(match)
    if (match[0] === '') step(regex, text)
  }
  return found
}

const str = (v: Value | undefined): string => asText(v ?? null)
const int = (v: Value | undefined, otherwise: number, name: string, least: number): number => {
  if (v === undefined) return otherwise
  if (typeof v !== 'number' || v < least) throw new SqlError('22023', `invalid value for parameter "${name}": ${String(v)}`)
  return v
}
const withoutGlobal = (flags: string, name: string): string => {
  if (flags.includes('g')) throw new SqlError('22023', `${name} does not support the "global" option`)
  return flags
}

/** The first parenthesised part of the first match, or the whole of it: substring(text from pattern). */
function substringOf(text: string, pattern: string): Value {
  const match = regexOf(pattern).exec(text)
  return match === null ? null : match.length > 1 ? match[1] ?? null : match[0]
}

export const patternFunctions: readonly ScalarFunction[] = [
  ...([['~~', false, true], ['!~~', false, false], ['~~*', true, true], ['!~~*', true, false]] as const).flatMap(([symbol, ignoreCase, wanted]) => [
    scalar(symbol, ['text', 'text'], BOOL, like(ignoreCase, wanted), `${wanted ? '' : 'NOT '}${ignoreCase ? 'ILIKE' : 'LIKE'}`),
    scalar(symbol, ['name', 'text'], BOOL, like(ignoreCase, wanted), `${wanted ? '' : 'NOT '}${ignoreCase ? 'ILIKE' : 'LIKE'}`),
    scalar(symbol, ['char', 'text'], BOOL, like(ignoreCase, wanted), `${wanted ? '' : 'NOT '}${ignoreCase ? 'ILIKE' : 'LIKE'}`),
  ]),
  ...([['~', '', true], ['!~', '', false], ['~*', 'i', true], ['!~*', 'i', false]] as const).flatMap(([symbol, flags, wanted]) => [
    scalar(symbol, ['text', 'text'], BOOL, matches(flags, wanted), `${wanted ? 'matches' : 'does not match'} the regular expression${flags === '' ? '' : ', in any case'}`),
    scalar(symbol, ['name', 'text'], BOOL, matches(flags, wanted), `${wanted ? 'matches' : 'does not match'} the regular expression${flags === '' ? '' : ', in any case'}`),
    scalar(symbol, ['char', 'text'], BOOL, matches(flags, wanted), `${wanted ? 'matches' : 'does not match'} the regular expression${flags === '' ? '' : ', in any case'}`),
  ]),
  scalar('like', ['text', 'text'], BOOL, like(false, true), 'LIKE as a function'),
  scalar('notlike', ['text', 'text'], BOOL, like(false, false), 'NOT LIKE as a function'),
  scalar('like_escape', ['text', 'text'], TEXT, value(([pattern, escape]) => likeWithEscape(str(pattern), str(escape))), 'a LIKE pattern with another escape character'),
  scalar('similar_to_escape', ['text', 'text'], TEXT, value(([pattern, escape]) => similarPattern(str(pattern), str(escape))), 'a SIMILAR TO pattern as a regular expression'),
  scalar('similar_to_escape', ['text'], TEXT, value(([pattern]) => similarPattern(str(pattern))), 'a SIMILAR TO pattern as a regular expression'),
  scalar('similar_escape', ['text', 'text'], TEXT, value(([pattern, escape]) => pattern === null || pattern === undefined ? null : similarPattern(str(pattern), escape === null || escape === undefined ? '\\' : str(escape))), 'a SIMILAR TO pattern as a regular expression', { strict: false }),
  scalar('substring', ['text', 'text'], TEXT, value(([text, pattern]) => substringOf(str(text), str(pattern))), 'the part that matches a regular expression'),
  scalar('substring', ['text', 'text', 'text'], TEXT, value(([text, pattern, escape]) => similarSubstring(str(text), str(pattern), str(escape))), 'the marked part of a SIMILAR TO pattern'),
  scalar('regexp_replace', ['text', 'text', 'text'], TEXT, value(([text, pattern, to]) => replaceMatches(str(text), str(pattern), str(to), 1, 1, '')), 'replaces the first match'),
  scalar('regexp_replace', ['text', 'text', 'text', 'text'], TEXT, value(([text, pattern, to, flags]) => {
    if (/^[0-9]/.test(str(flags))) throw new SqlError('22023', `invalid regular expression option: "${str(flags)[0] ?? ''}"`, { hint: 'If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.' })
    return replaceMatches(str(text), str(pattern), str(to), 1, str(flags).includes('g') ? 0 : 1, str(flags))
  }), 'replaces the first match, or all with flag g'),
  scalar('regexp_replace', ['text', 'text', 'text', 'int4'], TEXT, value(([text, pattern, to, start]) => replaceMatches(str(text), str(pattern), str(to), int(start, 1, 'start', 1), 1, '')), 'replaces the first match from a position on'),
  scalar('regexp_replace', ['text', 'text', 'text', 'int4', 'int4'], TEXT, value(([text, pattern, to, start, n]) => replaceMatches(str(text), str(pattern), str(to), int(start, 1, 'start', 1), int(n, 1, 'n', 0), '')), 'replaces the n-th match'),
  scalar('regexp_replace', ['text', 'text', 'text', 'int4', 'int4', 'text'], TEXT, value(([text, pattern, to, start, n, flags]) =>
    replaceMatches(str(text), str(pattern), str(to), int(start, 1, 'start', 1), int(n, 1, 'n', 0), str(flags))), 'replaces the n-th match'),
  ...[[], ['text']].map(more => scalar('regexp_match', ['text', 'text', ...more.map(() => 'text' as const)], TEXTS, value(([text, pattern, flags]) => {
    const match = regexOf(str(pattern), withoutGlobal(flags === undefined ? '' : str(flags), 'regexp_match()')).exec(str(text))
    return match === null ? null : groupsOf(match)
  }), 'the groups of the first match')),
  ...[[], ['text']].map(more => scalar('regexp_like', ['text', 'text', ...more.map(() => 'text' as const)], BOOL, value(([text, pattern, flags]) =>
    regexOf(str(pattern), withoutGlobal(flags === undefined ? '' : str(flags), 'regexp_like()')).test(str(text))), 'matches the regular expression')),
  ...([['text', 'text'], ['text', 'text', 'int4'], ['text', 'text', 'int4', 'text']] as const).map(args => scalar('regexp_count', args, INT4, value(([text, pattern, start, flags]) =>
    matchesFrom(str(text), str(pattern), int(start, 1, 'start', 1), withoutGlobal(flags === undefined ? '' : str(flags), 'regexp_count()')).length), 'the number of matches')),
  ...([['text', 'text'], ['text', 'text', 'int4'], ['text', 'text', 'int4', 'int4'], ['text', 'text', 'int4', 'int4', 'text'], ['text', 'text', 'int4', 'int4', 'text', 'int4']] as const).map(args =>
    scalar('regexp_substr', args, TEXT, value(([text, pattern, start, n, flags, group]) => {
      const match = matchesFrom(str(text), str(pattern), int(start, 1, 'start', 1), withoutGlobal(flags === undefined ? '' : str(flags), 'regexp_substr()'))[int(n, 1, 'n', 1) - 1]
      return match?.[int(group, 0, 'subexpr', 0)] ?? null
    }), 'the n-th match')),
  ...([['text', 'text'], ['text', 'text', 'int4'], ['text', 'text', 'int4', 'int4'], ['text', 'text', 'int4', 'int4', 'int4'], ['text', 'text', 'int4', 'int4', 'int4', 'text'],
    ['text', 'text', 'int4', 'int4', 'int4', 'text', 'int4']] as const).map(args => scalar('regexp_instr', args, INT4, value(([text, pattern, start, n, end, flags, group]) => {
    const options = withoutGlobal(flags === undefined ? '' : str(flags), 'regexp_instr()')
    const match = matchesFrom(str(text), str(pattern), int(start, 1, 'start', 1), options, true)[int(n, 1, 'n', 1) - 1]
    const stretch = match?.indices?.[int(group, 0, 'subexpr', 0)]
    return stretch === undefined ? 0 : [...str(text).slice(0, stretch[end === 1 ? 1 : 0])].length + 1
  }), 'where the n-th match begins, or ends')),
  ...[[], ['text']].map(more => scalar('regexp_split_to_array', ['text', 'text', ...more.map(() => 'text' as const)], TEXTS, value(([text, pattern, flags]) => {
    const whole = str(text)
    const parts: string[] = []
    let last = 0
    for (const match of matchesFrom(whole, str(pattern), 1, withoutGlobal(flags === undefined ? '' : str(flags), 'regexp_split_to_array()'))) {
      // An empty match at the beginning or right behind the last one splits nothing.
      if (match[0] === '' && (match.index === last || match.index >= whole.length)) {
        if (match.index >= whole.length || match.index === 0) continue
        if (match.index === last) continue
      }
      parts.push(whole.slice(last, match.index))
      last = match.index + match[0].length
    }
    parts.push(whole.slice(last))
    return arrayOf(parts)
  }), 'the text between the matches')),
]
