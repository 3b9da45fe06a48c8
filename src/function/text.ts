/** Functions over text. Positions and lengths count characters, not UTF-16 units. */
import { arrayOf, asArray, asBigInt, asNumber, asText } from '../datum.ts'
import { SqlError } from '../error.ts'
import { fromUtf8, utf8 } from '../text/settings.ts'
import { parseInteger } from '../text/number.ts'
import { quoteIdentifier, quoteLiteral } from '../text/quote.ts'
import { BOOL, INT4, TEXT } from '../type.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import { columns, value } from './body.ts'
import type { Body, Environment, Run } from './body.ts'
import { substringColumns } from './column-body.ts'
import { typeAt, writerOf } from './environment.ts'
import type { ArgumentKind, ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'

const TEXTS: Type = { kind: 'array', element: TEXT }
const str = (v: Value | undefined): string => asText(v ?? null)
const num = (v: Value | undefined): number => asNumber(v ?? null)

/** True when every character is one UTF-16 unit, so that positions are indexes. */
function flat(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xf800) === 0xd800) return false
  return true
}

/** The number of characters. */
export function lengthOf(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) count--
  return count
}

/** The characters from index `from` up to `to` (0-based). */
export function sliceOf(text: string, from: number, to?: number): string {
  return flat(text) ? text.slice(from, to) : [...text].slice(from, to).join('')
}

/** substring(text from start for length): positions before the first count. 22011 for a negative length. */
export function substringOf(text: string, start: number, length?: number): string {
  if (length === undefined) return sliceOf(text, Math.max(0, start - 1))
  if (length < 0) throw new SqlError('22011', 'negative substring length not allowed')
  const end = start - 1 + length
  return end <= 0 ? '' : sliceOf(text, Math.max(0, start - 1), end)
}

function leftOf(text: string, n: number): string {
  return n >= 0 ? sliceOf(text, 0, n) : sliceOf(text, 0, Math.max(0, lengthOf(text) + n))
}

function rightOf(text: string, n: number): string {
  return n >= 0 ? sliceOf(text, Math.max(0, lengthOf(text) - n)) : sliceOf(text, -n)
}

/** Removes characters of a set from the ends. */
function trim(text: string, set: string, left: boolean, right: boolean): string {
  const characters = flat(text) ? text : [...text]
  const unwanted = new Set(set)
  let start = 0
  let end = characters.length
  while (left && start < end && unwanted.has(characters[start] ?? '')) start++
  while (right && end > start && unwanted.has(characters[end - 1] ?? '')) end--
  return typeof characters === 'string' ? characters.slice(start, end) : characters.slice(start, end).join('')
}

const LONGEST = 0x3fffffff

function pad(text: string, length: number, fill: string, left: boolean): string {
  if (length > LONGEST / 4) throw new SqlError('54000', 'requested length too large')
  const have = lengthOf(text)
  if (have >= length) return sliceOf(text, 0, Math.max(0, length))
  const filler = [...fill]
  if (filler.length === 0) return text
  const missing = length - have
  const padding = filler.length === 1 ? fill.repeat(missing) : Array.from({ length: missing }, (_, i) => filler[i % filler.length]).join('')
  return left ? padding + text : text + padding
}

function repeat(text: string, count: number): string {
  if (count <= 0) return ''
  if (text.length * count > LONGEST) throw new SqlError('54000', 'requested length too large')
  return text.repeat(count)
}

function translate(text: string, from: string, to: string): string {
  const targets = [...to]
  const map = new Map<string, string>()
  for (const [i, c] of [...from].entries()) if (!map.has(c)) map.set(c, targets[i] ?? '')
  let out = ''
  for (const c of text) out += map.get(c) ?? c
  return out
}

/** The first letter of every word upper, the rest lower; words are runs of letters and digits. */
function capitalize(text: string): string {
  return text.toLowerCase().replace(/[\p{L}\p{N}]+/gu, word => {
    const first = String.fromCodePoint(word.codePointAt(0) ?? 0)
    const upper = first.toUpperCase()
    return (lengthOf(upper) === 1 ? upper : first) + word.slice(first.length)
  })
}

/** Case by character: what would become several characters stays. */
function changeCase(text: string, upper: boolean): string {
  const changed = upper ? text.toUpperCase() : text.toLowerCase()
  if (changed.length === text.length) return changed
  let out = ''
  for (const c of text) {
    const other = upper ? c.toUpperCase() : c.toLowerCase()
    out += lengthOf(other) === 1 ? other : c
  }
  return out
}

function positionOf(text: string, part: string): number {
  const at = text.indexOf(part)
  return at < 0 ? 0 : lengthOf(text.slice(0, at)) + 1
}

function splitPart(text: string, separator: string, n: number): string {
  if (n === 0) throw new SqlError('22023', 'field position must not be zero')
  const parts = separator === '' ? [text] : text.split(separator)
  return parts[n > 0 ? n - 1 : parts.length + n] ?? ''
}

function chr(code: number): string {
  if (code === 0) throw new SqlError('54000', 'null character not permitted')
  if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new SqlError(code < 0 ? '22023' : '54000', code < 0 ? 'character number must be positive' : `requested character ${code > 0x10ffff ? 'too large' : 'not valid'} for encoding: ${code}`)
  return String.fromCodePoint(code)
}

/** format(): %s %I %L %%, with positions `1$`, widths, `-` and `*`. */
const format: Run = (args, environment, site) => {
  if (args[0] === null) return null
  const template = str(args[0])
  let out = ''
  let next = 1
  const take = (position: number | undefined): { readonly given: Value; readonly i: number } => {
    if (position === 0) throw new SqlError('22023', 'format specifies argument 0, but arguments are numbered from 1')
    const i = position ?? next
    next = i + 1
    if (i >= args.length) throw new SqlError('22023', 'too few arguments for format()')
    return { given: args[i] ?? null, i }
  }
  for (let i = 0; i < template.length;) {
    const percent = template.indexOf('%', i)
    if (percent < 0) { out += template.slice(i); break }
    out += template.slice(i, percent)
    const parts = /^%(?:%|(?:([0-9]+)\$)?(-)?([0-9]+|\*(?:([0-9]+)\$)?)?(.)?)/su.exec(template.slice(percent))
    const whole = parts?.[0] ?? '%'
    i = percent + whole.length
    if (whole === '%%') { out += '%'; continue }
    const conversion = parts?.[5]
    if (conversion === undefined) throw new SqlError('22023', 'unterminated format() type specifier', { hint: 'For a single "%" use "%%".' })
    if (conversion !== 's' && conversion !== 'I' && conversion !== 'L') {
      throw new SqlError('22023', `unrecognized format() type specifier "${conversion}"`, { hint: 'For a single "%" use "%%".' })
    }
    let width = 0
    let left = parts?.[2] === '-'
    const written = parts?.[3]
    if (written?.startsWith('*')) {
      const { given } = take(parts?.[4] === undefined ? undefined : Number(parts[4]))
      width = given === null ? 0 : typeof given === 'number' ? given : parseInteger(String(given), INT4, -2147483648, 2147483647)
      if (width < 0) { left = true; width = -width }
    } else if (written !== undefined) width = Number(written)
    const { given, i: index } = take(parts?.[1] === undefined ? undefined : Number(parts[1]))
    let text: string
    if (given === null) {
      if (conversion === 'I') throw new SqlError('22004', 'null values cannot be formatted as an SQL identifier')
      text = conversion === 'L' ? 'NULL' : ''
    } else {
      const plain = writerOf(typeAt(site, index), environment)(given)
      text = conversion === 'I' ? quoteIdentifier(plain) : conversion === 'L' ? quoteLiteral(plain) : plain
    }
    out += left ? text.padEnd(width + text.length - lengthOf(text)) : text.padStart(width + text.length - lengthOf(text))
  }
  return out
}

function toArray(text: Value, separator: Value, nothing: Value): Value {
  if (text === null) return null
  const whole = str(text)
  if (whole === '') return arrayOf([])
  const parts = separator === null ? [...whole] : separator === '' ? [whole] : whole.split(str(separator))
  return arrayOf(parts.map(part => part === nothing ? null : part))
}

const joinArray: Run = ([given, separator, nothing], environment, site) => {
  if (given === null || given === undefined || separator === null || separator === undefined) return null
  const type = typeAt(site, 0)
  const write = writerOf(type.kind === 'array' ? type.element : TEXT, environment)
  const parts: string[] = []
  for (const item of asArray(given).values) {
    if (item !== null) parts.push(write(item))
    else if (nothing !== null && nothing !== undefined) parts.push(str(nothing))
  }
  return parts.join(str(separator))
}

/** Text of an argument as concat takes it: bools as t and f. */
const concat: Run = (args, environment, site) => args.map((arg, i) => arg === null ? '' : writerOf(typeAt(site, i), environment)(arg)).join('')

/** Text as a cast writes it: bools as true and false. */
const written = (v: Value, type: Type, environment: Environment): string => type.kind === 'bool' ? (v === true ? 'true' : 'false') : writerOf(type, environment)(v)

const one = (run: (text: string) => Value): Body => value(([text]) => run(str(text)))
const STRINGS: readonly ArgumentKind[] = ['text']
const lengths: readonly ScalarFunction[] = ['length', 'char_length', 'character_length'].flatMap(name => [
  scalar(name, ['text'], INT4, one(lengthOf), 'the number of characters'),
  scalar(name, ['char'], INT4, one(lengthOf), 'the number of characters without trailing blanks'),
])
const stripped = (name: string, left: boolean, right: boolean): readonly ScalarFunction[] => [
  scalar(name, STRINGS, TEXT, one(text => trim(text, ' ', left, right)), 'removes blanks from the ends'),
  scalar(name, ['text', 'text'], TEXT, value(([text, set]) => trim(str(text), str(set), left, right)), 'removes characters of a set from the ends'),
]

export const textFunctions: readonly ScalarFunction[] = [
  scalar('||', ['text', 'text'], TEXT, value(([a, b]) => str(a) + str(b)), 'joins two texts'),
  scalar('||', ['text', 'anynonarray'], TEXT, value(([a, b], environment, site) => str(a) + written(b ?? null, typeAt(site, 1), environment)), 'joins a text and the text of a value', { volatility: 'stable' }),
  scalar('||', ['anynonarray', 'text'], TEXT, value(([a, b], environment, site) => written(a ?? null, typeAt(site, 0), environment) + str(b)), 'joins the text of a value and a text', { volatility: 'stable' }),
  ...lengths,
  scalar('octet_length', ['char'], INT4, value(([text], environment, site) => utf8(writerOf(typeAt(site, 0), environment)(text ?? null)).length), 'the number of bytes with trailing blanks'),
  scalar('octet_length', ['text'], INT4, one(text => utf8(text).length), 'the number of bytes'),
  scalar('bit_length', ['text'], INT4, one(text => utf8(text).length * 8), 'the number of bits'),
  scalar('lower', STRINGS, TEXT, one(text => changeCase(text, false)), 'in lower case'),
  scalar('upper', STRINGS, TEXT, one(text => changeCase(text, true)), 'in upper case'),
  scalar('initcap', STRINGS, TEXT, one(capitalize), 'every word with a capital'),
  ...['substring', 'substr'].flatMap(name => [
    scalar(name, ['text', 'int4'], TEXT, columns(substringColumns(([text, start]) => substringOf(str(text), num(start)))), 'the text from a position on'),
    scalar(name, ['text', 'int4', 'int4'], TEXT, columns(substringColumns(([text, start, length]) => substringOf(str(text), num(start), num(length)))), 'so many characters from a position on'),
  ]),
  scalar('left', ['text', 'int4'], TEXT, value(([text, n]) => leftOf(str(text), num(n))), 'the first characters, or all but the last'),
  scalar('right', ['text', 'int4'], TEXT, value(([text, n]) => rightOf(str(text), num(n))), 'the last characters, or all but the first'),
  ...stripped('btrim', true, true), ...stripped('ltrim', true, false), ...stripped('rtrim', false, true),
  ...([['lpad', true], ['rpad', false]] as const).flatMap(([name, left]) => [
    scalar(name, ['text', 'int4'], TEXT, value(([text, length]) => pad(str(text), num(length), ' ', left)), 'fills or cuts to a length'),
    scalar(name, ['text', 'int4', 'text'], TEXT, value(([text, length, fill]) => pad(str(text), num(length), str(fill), left)), 'fills or cuts to a length'),
  ]),
  scalar('replace', ['text', 'text', 'text'], TEXT, value(([text, from, to]) => str(from) === '' ? str(text) : str(text).replaceAll(str(from), () => str(to))), 'replaces every occurrence'),
  scalar('translate', ['text', 'text', 'text'], TEXT, value(([text, from, to]) => translate(str(text), str(from), str(to))), 'replaces characters by others'),
  scalar('position', ['text', 'text'], INT4, value(([text, part]) => positionOf(str(text), str(part))), 'where a part first occurs, 0 if nowhere'),
  scalar('strpos', ['text', 'text'], INT4, value(([text, part]) => positionOf(str(text), str(part))), 'where a part first occurs, 0 if nowhere'),
  scalar('overlay', ['text', 'text', 'int4'], TEXT, value(([text, part, start]) => overlay(str(text), str(part), num(start), lengthOf(str(part)))), 'replaces a stretch'),
  scalar('overlay', ['text', 'text', 'int4', 'int4'], TEXT, value(([text, part, start, length]) => overlay(str(text), str(part), num(start), num(length))), 'replaces a stretch'),
  scalar('split_part', ['text', 'text', 'int4'], TEXT, value(([text, separator, n]) => splitPart(str(text), str(separator), num(n))), 'the n-th part between separators'),
  scalar('repeat', ['text', 'int4'], TEXT, value(([text, n]) => repeat(str(text), num(n))), 'the text so many times'),
  scalar('reverse', STRINGS, TEXT, one(text => [...text].reverse().join('')), 'the characters backwards'),
  scalar('concat', [], TEXT, value(concat), 'joins the arguments, without the NULLs', { strict: false, variadic: 'any', volatility: 'stable' }),
  scalar('concat_ws', ['text'], TEXT, value(([separator, ...args], environment, site) =>
    separator === null ? null : args.flatMap((arg, i) => arg === null ? [] : [writerOf(typeAt(site, i + 1), environment)(arg)]).join(str(separator))), 'joins the arguments with a separator', { strict: false, variadic: 'any', volatility: 'stable' }),
  scalar('starts_with', ['text', 'text'], BOOL, value(([text, part]) => str(text).startsWith(str(part))), 'begins with'),
  scalar('^@', ['text', 'text'], BOOL, value(([text, part]) => str(text).startsWith(str(part))), 'begins with'),
  scalar('ascii', STRINGS, INT4, one(text => text.codePointAt(0) ?? 0), 'the code of the first character'),
  scalar('chr', ['int4'], TEXT, value(([code]) => chr(num(code))), 'the character of a code'),
  scalar('to_hex', ['int4'], TEXT, value(([n]) => (num(n) >>> 0).toString(16)), 'in hexadecimal'),
  scalar('to_hex', ['int8'], TEXT, value(([n]) => BigInt.asUintN(64, asBigInt(n ?? null)).toString(16)), 'in hexadecimal'),
  scalar('quote_ident', STRINGS, TEXT, one(quoteIdentifier), 'as an identifier, quoted if needed'),
  scalar('quote_literal', STRINGS, TEXT, one(quoteLiteral), 'as a string constant'),
  scalar('quote_literal', ['anyelement'], TEXT, value(([given], environment, site) => quoteLiteral(writerOf(typeAt(site, 0), environment)(given ?? null))), 'as a string constant', { volatility: 'stable' }),
  scalar('quote_nullable', ['text'], TEXT, value(([text]) => text === null || text === undefined ? 'NULL' : quoteLiteral(str(text))), 'as a string constant, or NULL', { strict: false }),
  scalar('quote_nullable', ['anyelement'], TEXT, value(([given], environment, site) => given === null || given === undefined ? 'NULL' : quoteLiteral(writerOf(typeAt(site, 0), environment)(given))), 'as a string constant, or NULL', { strict: false, volatility: 'stable' }),
  scalar('format', ['text'], TEXT, value(format), 'a template filled in', { strict: false, variadic: 'any', volatility: 'stable' }),
  scalar('string_to_array', ['text', 'text'], TEXTS, value(([text, separator]) => toArray(text ?? null, separator ?? null, null)), 'the parts between separators', { strict: false }),
  scalar('string_to_array', ['text', 'text', 'text'], TEXTS, value(([text, separator, nothing]) => toArray(text ?? null, separator ?? null, nothing ?? null)), 'the parts between separators, one text standing for NULL', { strict: false }),
  scalar('array_to_string', ['anyarray', 'text'], TEXT, value(joinArray), 'joins the elements', { strict: false, volatility: 'stable' }),
  scalar('array_to_string', ['anyarray', 'text', 'text'], TEXT, value(joinArray), 'joins the elements, with a text for NULL', { strict: false, volatility: 'stable' }),
  scalar('unistr', STRINGS, TEXT, one(text => text.replace(/\\(?:\\|u?([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|U([0-9A-Fa-f]{8}))/g, (whole: string, a?: string, b?: string, c?: string) =>
    whole === '\\\\' ? '\\' : String.fromCodePoint(Number.parseInt(a ?? b ?? c ?? '0', 16)))), 'decodes Unicode escapes'),
  scalar('normalize', STRINGS, TEXT, one(text => text.normalize('NFC')), 'in Unicode normal form C'),
  scalar('normalize', ['text', 'text'], TEXT, value(([text, form]) => {
    if (!/^NFK?[CD]$/i.test(str(form))) throw new SqlError('22023', `invalid normalization form: ${str(form)}`)
    return str(text).normalize(str(form).toUpperCase())
  }), 'in a Unicode normal form'),
  scalar('convert_from', ['bytea', 'text'], TEXT, value(([bytes, encoding]) => {
    if (!/^utf-?8$/i.test(str(encoding))) throw new SqlError('0A000', `encoding "${str(encoding)}" is not supported`)
    return fromUtf8(bytes instanceof Uint8Array ? bytes : new Uint8Array())
  }), 'bytes as text'),
  scalar('convert_to', ['text', 'text'], { kind: 'bytea' }, value(([text, encoding]) => {
    if (!/^utf-?8$/i.test(str(encoding))) throw new SqlError('0A000', `encoding "${str(encoding)}" is not supported`)
    return utf8(str(text))
  }), 'text as bytes'),
]

function overlay(text: string, part: string, start: number, length: number): string {
  if (start <= 0) throw new SqlError('22011', 'negative substring length not allowed')
  return substringOf(text, 1, start - 1) + part + substringOf(text, start + length)
}
