/** Text of arrays, rows and maps. */
import { asList } from '../datum.ts'
import { SqlError } from '../error.ts'
import type { ArrayValue, Value } from '../value.ts'
import { formatJson, parseJson, quoteJson } from './json.ts'
import type { Json } from './json.ts'
import { isBlank, trimBlanks } from './settings.ts'

/** Writes an array: nested braces, elements quoted where they would read as something else, bounds where they do not begin at 1. */
export function formatArray(array: ArrayValue, element: (value: Value) => string): string {
  if (array.dims.length === 0 || array.values.length === 0) return '{}'
  const bounds = array.lower.some(bound => bound !== 1)
    ? `${array.dims.map((length, i) => `[${array.lower[i] ?? 1}:${(array.lower[i] ?? 1) + length - 1}]`).join('')}=`
    : ''
  let next = 0
  const level = (depth: number): string => {
    const parts: string[] = []
    for (let i = 0; i < (array.dims[depth] ?? 0); i++) {
      if (depth < array.dims.length - 1) parts.push(level(depth + 1))
      else {
        const value = array.values[next++] ?? null
        parts.push(value === null ? 'NULL' : quoteElement(element(value)))
      }
    }
    return `{${parts.join(',')}}`
  }
  return bounds + level(0)
}

function quoteElement(text: string): string {
  if (text !== '' && !/["\\{},\s\v]/.test(text) && text.toUpperCase() !== 'NULL') return text
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** Writes a row: parentheses, commas, nothing for NULL. Fields without a writer are written as what they look like. */
export function formatRow(values: readonly Value[], fields: readonly ((value: Value) => string)[]): string {
  const parts = values.map((value, i) => {
    if (value === null) return ''
    const text = (fields[i] ?? writeAnything)(value)
    if (text !== '' && !/["\\(),\s\v]/.test(text)) return text
    return `"${text.replace(/["\\]/g, '$&$&')}"`
  })
  return `(${parts.join(',')})`
}

function writeAnything(value: Value): string {
  return value === true ? 't' : value === false ? 'f' : String(value)
}

/** Writes a map as a JSON object in the map's order of entries. */
export function formatMap(entries: readonly Value[], key: (value: Value) => string, value: (value: Value) => Json): string {
  const parts = entries.map(entry => {
    const [k, v] = asList(entry)
    return `${quoteJson(k === undefined || k === null ? 'null' : key(k))}: ${formatJson(value(v ?? null), 'jsonb')}`
  })
  return `{${parts.join(', ')}}`
}

/** Reads a map from a JSON object; values that are not strings are read from their JSON text. */
export function parseMap(text: string, key: (text: string) => Value, value: (text: string) => Value): Value {
  const json = parseJson(text)
  if (!(json instanceof Map)) throw new SqlError('22P02', `malformed map literal: "${text}"`, { detail: 'A map is written as a JSON object.' })
  return [...json].map(([k, v]) => [key(k), v === null ? null : value(typeof v === 'string' ? v : formatJson(v, 'jsonb'))])
}

/** Reads a row literal. */
export function parseRow(text: string, fields: readonly ((text: string) => Value)[]): Value[] {
  const malformed = (detail: string): SqlError => new SqlError('22P02', `malformed record literal: "${text}"`, { detail })
  let at = 0
  while (isBlank(text.charCodeAt(at))) at++
  if (text[at] !== '(') throw malformed('Missing left parenthesis.')
  at++
  const values: Value[] = []
  for (let i = 0; i < fields.length; i++) {
    if (i > 0) {
      if (text[at] !== ',') throw malformed('Too few columns.')
      at++
    }
    if (text[at] === ',' || text[at] === ')') {
      values.push(null)
      continue
    }
    let part = ''
    let quoted = false
    for (;;) {
      const c = text[at]
      if (c === undefined) throw malformed('Unexpected end of input.')
      if (!quoted && (c === ',' || c === ')' || c === '(')) break
      at++
      if (c === '\\') {
        const escaped = text[at++]
        if (escaped === undefined) throw malformed('Unexpected end of input.')
        part += escaped
      } else if (c === '"') {
        if (quoted && text[at] === '"') { part += '"'; at++ }
        else quoted = !quoted
      } else part += c
    }
    values.push(fields[i]?.(part) ?? null)
  }
  if (text[at] === ',') throw malformed('Too many columns.')
  if (text[at] !== ')') throw malformed('Unexpected end of input.')
  if (trimBlanks(text.slice(at + 1)) !== '') throw malformed('Junk after right parenthesis.')
  return values
}

/** Reads an array literal, of any number of dimensions up to six, with or without bounds. */
export function parseArray(text: string, element: (text: string) => Value): ArrayValue {
  const malformed = (detail: string): SqlError => new SqlError('22P02', `malformed array literal: "${text}"`, { detail })
  let at = 0
  const skip = (): void => { while (isBlank(text.charCodeAt(at))) at++ }
  skip()
  const lower: number[] = []
  const lengths: number[] = []
  while (text[at] === '[') {
    const bound = /^\[\s*([+-]?[0-9]+)(?:\s*:\s*([+-]?[0-9]+))?\s*\]/.exec(text.slice(at))
    if (bound === null) throw malformed(/^\[\s*([+-]?[0-9]+)/.test(text.slice(at)) ? 'Missing "]" after array dimensions.' : '"[" must introduce explicitly-specified array dimensions.')
    const first = bound[2] === undefined ? 1 : Number(bound[1])
    const last = Number(bound[2] ?? bound[1])
    if (last < first) throw new SqlError('2202E', 'upper bound cannot be less than lower bound')
    lower.push(first)
    lengths.push(last - first + 1)
    at += bound[0].length
    skip()
  }
  if (lengths.length > 0) {
    if (text[at] !== '=') throw malformed('Missing "=" after array dimensions.')
    at++
    skip()
  }
  if (text[at] !== '{') throw malformed(lengths.length > 0 ? 'Array contents must start with "{".' : 'Array value must start with "{" or dimension information.')

  const values: Value[] = []
  const dims: (number | undefined)[] = []
  let leaf = -1
  const level = (depth: number): void => {
    if (depth >= 6) throw new SqlError('54000', `number of array dimensions (${depth + 1}) exceeds the maximum allowed (6)`)
    at++
    let count = 0
    skip()
    if (text[at] === '}' && depth === 0) {
      at++
      return
    }
    for (;;) {
      skip()
      if (text[at] === '{') {
        if (leaf >= 0 && leaf <= depth) throw malformed('Unexpected "{" character.')
        level(depth + 1)
      } else {
        if (leaf < 0) leaf = depth
        if (leaf !== depth) throw malformed(text[at] === undefined ? 'Unexpected end of input.' : 'Unexpected array element.')
        values.push(item())
      }
      count++
      skip()
      if (text[at] === ',') { at++; continue }
      if (text[at] === '}') { at++; break }
      if (text[at] === undefined) throw malformed('Unexpected end of input.')
      throw malformed(text[at] === '"' ? 'Unexpected array element.' : `Unexpected "${text[at]}" character.`)
    }
    dims[depth] ??= count
    if (dims[depth] !== count) throw malformed('Multidimensional arrays must have sub-arrays with matching dimensions.')
  }
  const item = (): Value => {
    let part = ''
    if (text[at] === '"') {
      at++
      for (;;) {
        const c = text[at++]
        if (c === undefined) throw malformed('Unexpected end of input.')
        if (c === '"') break
        if (c === '\\') part += text[at++] ?? ''
        else part += c
      }
      skip()
      if (text[at] !== ',' && text[at] !== '}') throw malformed(text[at] === undefined ? 'Unexpected end of input.' : 'Unexpected array element.')
      return element(part)
    }
    let escaped = false
    let end = 0
    for (;;) {
      const c = text[at]
      if (c === undefined) throw malformed('Unexpected end of input.')
      if (c === ',' || c === '}') break
      if (c === '{') throw malformed('Unexpected "{" character.')
      if (c === '"') throw malformed('Unexpected array element.')
      at++
      if (c === '\\') {
        part += text[at++] ?? ''
        escaped = true
        end = part.length
      } else {
        part += c
        if (!isBlank(c.charCodeAt(0))) end = part.length
      }
    }
    part = part.slice(0, end)
    if (part === '' && !escaped) throw malformed(`Unexpected "${text[at] ?? ''}" character.`)
    return !escaped && part.toUpperCase() === 'NULL' ? null : element(part)
  }
  level(0)
  if (trimBlanks(text.slice(at)) !== '') throw malformed('Junk after closing right brace.')
  if (values.length === 0) {
    return { dims: [], lower: [], values: [] }
  }
  const shape = dims.map(length => length ?? 0)
  if (lengths.length > 0 && (lengths.length !== shape.length || lengths.some((length, i) => length !== shape[i]))) {
    throw malformed('Specified array dimensions do not match array contents.')
  }
  return { dims: shape, lower: lengths.length > 0 ? lower : shape.map(() => 1), values }
}

