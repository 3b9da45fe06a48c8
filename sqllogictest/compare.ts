/** Values as sqllogictest renders them, sorted, hashed and compared. */
import { createHash } from 'node:crypto'
import type { SortMode } from './parse.ts'

/** A value by its PostgreSQL text (undefined: NULL) and its letter. */
export function render(text: string | undefined, letter: string): string {
  if (text === undefined) return 'NULL'
  switch (letter) {
    case 'I': {
      if (text === 't' || text === 'f') return text === 't' ? '1' : '0'
      const match = /^\s*[+-]?\d+/.exec(text)
      return match === null ? '0' : String(BigInt(match[0].trim()))
    }
    case 'R': { const value = text === 't' ? 1 : text === 'f' ? 0 : Number(text); return Number.isFinite(value) ? value.toFixed(3) : text }
    case 'T': {
      if (text === '') return '(empty)'
      let out = ''
      for (const byte of Buffer.from(text)) out += byte < 0x20 || byte > 0x7e ? '@' : String.fromCharCode(byte)
      return out
    }
    // ours: exactly what PostgreSQL shows, with nothing that breaks a line
    case 'X': return text === '' ? '(empty)' : text.replaceAll('\n', '⏎')
    default: throw new Error(`there is no column letter "${letter}"`)
  }
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** Values in order, row after row. */
export function sorted(rows: readonly (readonly string[])[], sort: SortMode): string[] {
  if (sort === 'valuesort') return rows.flat().sort(byBytes)
  if (sort === 'nosort') return rows.flat()
  return [...rows].sort((a, b) => { for (let i = 0; i < a.length; i++) { const order = byBytes(a[i] ?? '', b[i] ?? ''); if (order !== 0) return order } return 0 }).flat()
}

export function hash(values: readonly string[]): string {
  const md5 = createHash('md5')
  for (const value of values) md5.update(`${value}\n`)
  return md5.digest('hex')
}

/** Undefined when the values are as expected; else what differs. */
export function difference(values: readonly string[], expected: readonly string[], columns: number): string | undefined {
  const match = expected.length === 1 ? /^(\d+) values hashing to ([0-9a-f]{32})$/.exec(expected[0] ?? '') : null
  if (match !== null) {
    if (Number(match[1]) === values.length && match[2] === hash(values)) return undefined
    return `expected ${expected[0] ?? ''}, got ${values.length} values hashing to ${hash(values)}${values.length <= 40 ? `: ${values.join(' | ')}` : ''}`
  }
  if (same(values, expected)) return undefined
  // a row a line: values separated by tabs or blanks
  const rows: string[] = []
  for (let i = 0; i < values.length; i += columns) rows.push(values.slice(i, i + columns).join('\t'))
  if (same(rows, expected) || same(rows.map(row => row.replaceAll('\t', ' ')), expected.map(line => line.replaceAll('\t', ' ').replace(/ +/g, ' ').trim()))) return undefined
  return `expected ${preview(expected)}, got ${preview(rows)}`
}

const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((value, i) => value === b[i])
const preview = (lines: readonly string[]): string => `[${lines.slice(0, 12).join(' | ')}${lines.length > 12 ? ` … ${lines.length} in all` : ''}]`
