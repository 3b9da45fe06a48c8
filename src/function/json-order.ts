/** The order of jsonb values: Object > Array > Boolean > Number > String > Null; the larger container is greater; then members in turn. */
import { compare, parse } from '../decimal.ts'

const encoder = new TextEncoder()
type Json = null | boolean | { readonly number: string } | string | readonly Json[] | ReadonlyMap<string, Json>

/** −1, 0 or 1. The texts are canonical jsonb; numbers compare as numerics, whatever their digits. */
export function compareJson(a: string, b: string): number {
  return a === b ? 0 : order(read(a), read(b))
}

function read(text: string): Json {
  // numbers keep all their digits: JSON.parse hands the source text to the reviver
  const box = (value: unknown): Json => {
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
    if (Array.isArray(value)) return value.map(box)
    if (value instanceof Numeral) return { number: value.text }
    // objects of JavaScript put keys that look like integers first
    return new Map(Object.entries(Object(value)).map(([key, member]): [string, Json] => [key, box(member)]).sort(([a], [b]) => byKey(a, b)))
  }
  const reviver = (_: string, value: unknown, context?: { source?: string }): unknown => typeof value === 'number' ? new Numeral(context?.source ?? String(value)) : value
  return box(JSON.parse(text, reviver))
}

class Numeral {
  readonly text: string
  constructor(text: string) { this.text = text }
}

function rank(value: Json): number {
  if (value === null) return 0
  if (typeof value === 'string') return 1
  if (typeof value === 'boolean') return 3
  if (value instanceof Map) return 5
  return Array.isArray(value) ? 4 : 2
}

function bytes(a: string, b: string): number {
  return Math.sign(Buffer.compare(encoder.encode(a), encoder.encode(b)))
}

/** Keys go by length, then bytes. */
function byKey(a: string, b: string): number {
  return Math.sign(encoder.encode(a).length - encoder.encode(b).length) || bytes(a, b)
}

function order(a: Json, b: Json): number {
  const byRank = rank(a) - rank(b)
  if (byRank !== 0) return Math.sign(byRank)
  if (typeof a === 'string' && typeof b === 'string') return bytes(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (a instanceof Map && b instanceof Map) {
    if (a.size !== b.size) return a.size < b.size ? -1 : 1
    const x = [...a], y = [...b]
    for (let i = 0; i < x.length; i++) {
      const [key = '', member = null] = x[i] ?? [], [otherKey = '', other = null] = y[i] ?? []
      const each = byKey(key, otherKey) || order(member, other)
      if (each !== 0) return each
    }
    return 0
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return a.length < b.length ? -1 : 1
    for (let i = 0; i < a.length; i++) { const each = order(a[i] ?? null, b[i] ?? null); if (each !== 0) return each }
    return 0
  }
  if (isNumeral(a) && isNumeral(b)) {
    const x = parse(a.number), y = parse(b.number)
    return x === undefined || y === undefined ? 0 : compare(x, y)
  }
  return 0
}

const isNumeral = (value: Json): value is { readonly number: string } => typeof value === 'object' && value !== null && 'number' in value
