/** SQL values as JSON. */
import { asArray, asBigInt, asList, asNumber } from '../datum.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import { zoneNamed } from '../zone.ts'
import type { Json } from './json.ts'
import type { TextSettings } from './settings.ts'
import { formatDate, formatTimestamp, formatTimestampTz } from './time.ts'

/** Writes a value as text; `text.ts` passes its own, which this file lies below. */
export type Write = (value: Value, type: Type, settings: TextSettings) => string

/** A value as to_json makes it: numbers and bools as themselves, arrays and rows by their parts, times in ISO 8601, everything else as its text. */
export function toJson(value: Value, type: Type, settings: TextSettings, write: Write): Json {
  if (value === null) return null
  switch (type.kind) {
    case 'bool': return value === true
    case 'int2': case 'int4': case 'int8': return { number: String(value) }
    case 'float4': case 'float8': case 'numeric': {
      const text = write(value, type, settings)
      return /^-?[0-9]/.test(text) ? { number: text } : text
    }
    case 'json': case 'jsonb': return { raw: String(value) }
    case 'date': return formatDate(asNumber(value), { ...settings, dateStyle: 'ISO' })
    case 'timestamp': return withT(formatTimestamp(asBigInt(value), { ...settings, dateStyle: 'ISO' }))
    // The zone always has its minutes here.
    case 'timestamptz': return withT(formatTimestampTz(asBigInt(value), zoneNamed(settings.timeZone), { ...settings, dateStyle: 'ISO' })).replace(/([+-]\d\d)(?=$| BC)/, '$1:00')
    case 'array': {
      const array = asArray(value)
      let next = 0
      const level = (depth: number): Json => {
        const out: Json[] = []
        for (let i = 0; i < (array.dims[depth] ?? 0); i++) out.push(depth < array.dims.length - 1 ? level(depth + 1) : toJson(array.values[next++] ?? null, type.element, settings, write))
        return out
      }
      return level(0)
    }
    case 'row': return new Map(asList(value).map((field, i): [string, Json] => {
      const of = type.fields[i]
      return [of?.name ?? `f${i + 1}`, of === undefined ? null : toJson(field, of.type, settings, write)]
    }))
    case 'map': return new Map(asList(value).map((entry): [string, Json] => {
      const [key, member] = asList(entry)
      return [write(key ?? null, type.key, settings), toJson(member ?? null, type.value, settings, write)]
    }))
    default: return write(value, type, settings)
  }
}

function withT(text: string): string {
  return text.replace(' ', 'T')
}
