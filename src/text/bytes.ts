/** Text of bytea and uuid. */
import { SqlError } from '../error.ts'
import { asText } from '../datum.ts'
import type { Value } from '../value.ts'
import { invalidText, utf8 } from './settings.ts'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Two lower-case hexadecimal digits a byte. */
export function hexOf(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += HEX[byte] ?? ''
  return out
}

function hexDigit(code: number): number {
  return code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : code >= 65 && code <= 70 ? code - 55 : -1
}

/** The bytes of hexadecimal digits; blanks between pairs are skipped, 22023 for anything else. */
export function bytesOfHex(digits: string): Uint8Array {
  const out = new Uint8Array(digits.length >> 1)
  let size = 0
  for (let i = 0; i < digits.length;) {
    const code = digits.charCodeAt(i)
    if (code === 32 || code === 10 || code === 9 || code === 13) { i++; continue }
    const high = hexDigit(code)
    if (high < 0) throw new SqlError('22023', `invalid hexadecimal digit: "${String.fromCodePoint(digits.codePointAt(i) ?? 0)}"`)
    if (i + 1 >= digits.length) throw new SqlError('22023', 'invalid hexadecimal data: odd number of digits')
    const low = hexDigit(digits.charCodeAt(i + 1))
    if (low < 0) throw new SqlError('22023', `invalid hexadecimal digit: "${String.fromCodePoint(digits.codePointAt(i + 1) ?? 0)}"`)
    out[size++] = high * 16 + low
    i += 2
  }
  return out.subarray(0, size)
}

/** Reads a bytea in hex (`\x…`) or escape format. */
export function parseBytea(text: string): Uint8Array {
  if (text.startsWith('\\x')) return bytesOfHex(text.slice(2))
  return bytesOfEscape(text)
}

/** Reads the escape format: `\\` and `\ooo`. */
export function bytesOfEscape(text: string): Uint8Array {
  const source = utf8(text)
  const out = new Uint8Array(source.length)
  let size = 0
  for (let i = 0; i < source.length;) {
    const byte = source[i] ?? 0
    if (byte !== 92) { out[size++] = byte; i++; continue }
    const [a, b, c] = [source[i + 1] ?? 0, source[i + 2] ?? 0, source[i + 3] ?? 0]
    if (a === 92) { out[size++] = 92; i += 2; continue }
    if (a < 48 || a > 51 || b < 48 || b > 55 || c < 48 || c > 55) throw new SqlError('22P02', 'invalid input syntax for type bytea')
    out[size++] = (a - 48) * 64 + (b - 48) * 8 + (c - 48)
    i += 4
  }
  return out.subarray(0, size)
}

/** Writes a bytea as `\x…`, or in the escape format. */
export function formatBytea(bytes: Uint8Array, format: 'hex' | 'escape'): string {
  return format === 'hex' ? `\\x${hexOf(bytes)}` : escapeOf(bytes)
}

/** The escape format of bytea output: printable ASCII as it is, the rest as `\ooo`. */
export function escapeOf(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += byte === 92 ? '\\\\' : byte < 32 || byte > 126 ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte)
  return out
}

/** Reads a uuid: hexadecimal digits, upper or lower, a dash after any group of four, perhaps in braces. */
export function parseUuid(text: string): string {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)) return text
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text
  if (!/^([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}$/.test(inner)) throw invalidText('uuid', text)
  const digits = inner.replaceAll('-', '').toLowerCase()
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`
}

export function formatUuid(value: Value): string {
  return asText(value)
}
