/** What of a session changes how values read and write as text. Plain data. */
import { SqlError } from '../error.ts'
import { typeName } from '../type.ts'
import type { Type } from '../type.ts'

export interface TextSettings {
  /** An IANA name, an offset like `+05:30`, or a POSIX name like `UTC-3`. */
  readonly timeZone: string
  readonly dateStyle: 'ISO' | 'SQL' | 'Postgres' | 'German'
  readonly dateOrder: 'MDY' | 'DMY' | 'YMD'
  readonly intervalStyle: 'postgres' | 'postgres_verbose' | 'sql_standard' | 'iso_8601'
  readonly extraFloatDigits: number
  readonly byteaOutput: 'hex' | 'escape'
  /** What 'now' and 'today' mean: microseconds since 1970-01-01 at the transaction's start. Undefined: the clock. */
  readonly now?: bigint | undefined
  /** Names of catalog objects, for the reg* types; without it they read and write as numbers. */
  readonly objects?: ObjectNames | undefined
}

export type ObjectKind = 'regclass' | 'regtype' | 'regproc' | 'regnamespace'

/** The catalog as reg* values see it. */
export interface ObjectNames {
  /** The name as PostgreSQL shows it (qualified unless visible, quoted where needed). */
  nameOf(kind: ObjectKind, oid: bigint): string | undefined
  /** The object a possibly qualified name means. */
  oidOf(kind: ObjectKind, name: string): bigint | undefined
}

/** PostgreSQL's defaults, in UTC. */
export const DEFAULT_SETTINGS: TextSettings = {
  timeZone: 'UTC', dateStyle: 'ISO', dateOrder: 'MDY', intervalStyle: 'postgres', extraFloatDigits: 1, byteaOutput: 'hex',
}

/** Microseconds since 1970-01-01 that 'now' means. */
export function nowOf(settings: TextSettings): bigint {
  return settings.now ?? BigInt(Date.now()) * 1000n
}

/** `explicit`: a written cast, which cuts text that is too long; `assignment`: anything else, which refuses it. */
export type Mode = 'explicit' | 'assignment'

/** 22P02 as PostgreSQL words it. `name` overrides the type's name. */
export function invalidText(name: string | Type, text: string, detail?: string): SqlError {
  return new SqlError('22P02', `invalid input syntax for type ${typeof name === 'string' ? name : typeName(name)}: "${text}"`, { detail })
}

/** Removes the blanks that PostgreSQL's number and date inputs skip. */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return start === 0 && end === text.length ? text : text.slice(start, end)
}

/** isspace() of the C locale. */
export function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13)
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Text of UTF-8 bytes; 22021 when they are not. */
export function fromUtf8(bytes: Uint8Array): string {
  let zero = bytes.indexOf(0)
  if (zero < 0) {
    try {
      return decoder.decode(bytes)
    } catch {
      zero = firstInvalid(bytes)
    }
  }
  throw new SqlError('22021', `invalid byte sequence for encoding "UTF8": ${sequenceAt(bytes, zero)}`)
}

function firstInvalid(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length;) {
    const width = widthOfLead(bytes[at] ?? 0)
    try {
      decoder.decode(bytes.subarray(at, at + width))
    } catch {
      return at
    }
    at += width
  }
  return 0
}

function widthOfLead(lead: number): number {
  return lead < 0x80 ? 1 : (lead & 0xe0) === 0xc0 ? 2 : (lead & 0xf0) === 0xe0 ? 3 : (lead & 0xf8) === 0xf0 ? 4 : 1
}

function sequenceAt(bytes: Uint8Array, at: number): string {
  return Array.from(bytes.subarray(at, at + widthOfLead(bytes[at] ?? 0)), byte => `0x${byte.toString(16).padStart(2, '0')}`).join(' ')
}

/** Unsigned comparison of the UTF-8 bytes of two texts: SQL's order of text here. */
export function compareText(a: string, b: string): number {
  const n = Math.min(a.length, b.length)
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) {
      // Surrogates stand for code points above every other unit.
      const high = (unit: number) => unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
      return high(x) - high(y)
    }
  }
  return a.length - b.length
}
