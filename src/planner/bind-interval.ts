/** INTERVAL '90' DAY and INTERVAL '1-2' YEAR TO MONTH: constants with fields. A bare number counts the last field; what is smaller is cut off. */
import { unsupported } from '../error.ts'
import { literal } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { asInterval } from '../datum.ts'
import { INTERVAL, UNKNOWN } from '../type.ts'
import type { Interval } from '../value.ts'
import { coerce } from './coerce.ts'
import type { Coercion } from './coerce.ts'
import type { Expression } from './syntax.ts'

const HOUR = 3_600_000_000n, MINUTE = 60_000_000n

/** Binds the constant; anything but a constant is refused. */
export function bindInterval(coercion: Coercion, arg: Expression, fields: string, at: number): Expr {
  if (arg.kind !== 'string') throw unsupported(`a cast to interval ${fields} of anything but a constant`, { position: at })
  const last = fields.split(' to ').at(-1) ?? fields
  const text = /^\s*[-+]?\d+(\.\d*)?\s*$/.test(arg.value) ? `${arg.value} ${last}` : arg.value
  const value = coerce(coercion, { expr: literal(text, UNKNOWN), at: arg.at }, INTERVAL, 'explicit')
  return value.kind === 'literal' && value.value !== null ? literal(cut(asInterval(value.value), last), INTERVAL) : value
}

function cut(value: Interval, last: string): Interval {
  switch (last) {
    case 'year': return { months: value.months - value.months % 12, days: 0, micros: 0n }
    case 'month': return { months: value.months, days: 0, micros: 0n }
    case 'day': return { ...value, micros: 0n }
    case 'hour': return { ...value, micros: value.micros - value.micros % HOUR }
    case 'minute': return { ...value, micros: value.micros - value.micros % MINUTE }
    default: return value
  }
}
