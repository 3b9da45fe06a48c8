/** The functions of numbers, comparison and casts against what PostgreSQL answered (postgres-answers.ts asked). */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { columnFromValues, columnReader } from '../column.ts'
import { fit, parse, print } from '../decimal.ts'
import { SqlError } from '../error.ts'
import { compile } from '../exec/compile.ts'
import { call, column, literal } from '../expr.ts'
import { Memory } from '../memory.ts'
import type { Type } from '../type.ts'
import { layoutOf } from '../type.ts'
import type { Decimal, Value } from '../value.ts'
import type { AnswerSet } from './postgres-answers.ts'
import { valuesOf } from './postgres-answers.ts'
import { scalarById } from './table.ts'

const memory = Memory.create(), parameters = { values: [], now: 0n, timeZone: 'UTC' }
const context = { memory, parameters }

function typeOf(name: string): Type {
  const match = /^numeric\((\d+),(\d+)\)$/.exec(name)
  if (match !== null) return { kind: 'numeric', precision: Number(match[1]), scale: Number(match[2]) }
  switch (name) {
    case 'bool': case 'int2': case 'int4': case 'int8': case 'float4': case 'float8': case 'numeric': case 'text': case 'date': case 'timestamp': case 'interval': return { kind: name }
    default: throw new Error(name)
  }
}

const INTERVALS: Readonly<Record<string, Value>> = {
  '1 month': { months: 1, days: 0, micros: 0n }, '30 days': { months: 0, days: 30, micros: 0n }, '720 hours': { months: 0, days: 0, micros: 2_592_000_000_000n },
  '29 days 24:00:01': { months: 0, days: 29, micros: 86_401_000_000n }, '-1 day': { months: 0, days: -1, micros: 0n }, '0': { months: 0, days: 0, micros: 0n },
}

function numeric(text: string): Decimal {
  const value = parse(text)
  if (value === undefined) throw new Error(text)
  return value
}

function valueOf(text: string, type: Type): Value {
  switch (type.kind) {
    case 'bool': return text === 'true'
    case 'int2': case 'int4': return Number(text)
    case 'int8': return BigInt(text)
    case 'float4': return Math.fround(Number(text))
    case 'float8': return Number(text)
    case 'numeric': return type.precision === undefined ? numeric(text) : fit(numeric(text), type.precision, type.scale ?? 0)
    case 'text': return text
    case 'date': return text === 'infinity' ? 0x7fffffff : text === '-infinity' ? -0x80000000 : Date.parse(`${text}T00:00:00Z`) / 86_400_000
    case 'timestamp': return text === 'infinity' ? 0x7fffffffffffffffn : text === '-infinity' ? -0x8000000000000000n : BigInt(Date.parse(`${text.replace(' ', 'T')}Z`)) * 1000n
    case 'interval': return INTERVALS[text] ?? null
    default: throw new Error(type.kind)
  }
}

/** What C's library and V8's compute to within a few units in the last place of each other. */
const TRANSCENDENTAL = /^(cbrt|exp|ln|log|log10|sin|cos|tan|cot|asin|acos|atan|atan2|sind|cosd|tand|cotd|asind|acosd|atand|atan2d|sinh|cosh|tanh|asinh|acosh|atanh|degrees|radians|power|pow|\^|\|\|\/)\(/

function same(id: string, got: Value, want: string | null, type: Type): boolean {
  if (got === null || want === null) return got === want
  switch (type.kind) {
    case 'bool': return String(got) === want
    case 'float4': return typeof got === 'number' && Object.is(got, Math.fround(Number(want)))
    case 'float8': {
      const wanted = Number(want)
      if (typeof got !== 'number') return false
      return Object.is(got, wanted) || (TRANSCENDENTAL.test(id) && Math.abs(got - wanted) <= 8 * Number.EPSILON * Math.max(Math.abs(wanted), 1e-15))
    }
    case 'numeric': return typeof got === 'object' && 'unscaled' in got && print(got) === want
    default: return String(got) === want
  }
}

const path = new URL('./postgres-answers.json.gz', import.meta.url)
const sets: readonly AnswerSet[] = JSON.parse(gunzipSync(readFileSync(path)).toString())

/** Numerics with precision hold neither of these; see `fit`. */
const isSpecial = (text: string | undefined, type: Type): boolean => type.kind === 'numeric' && layoutOf(type) !== 'var' && (text === 'NaN' || text === 'Infinity' || text === '-Infinity')

/** A numeric of 38 digits is as wide as a fixed one gets; PostgreSQL goes on. */
const isTooWide = (answer: string | null | undefined, type: Type): boolean => type.kind === 'numeric' && type.precision === 38 && (answer ?? '').replace(/[-.]/g, '').replace(/^0+/, '').length > 38

test('functions answer as PostgreSQL does', () => {
  const wrong: string[] = []
  for (const set of sets) {
    const arena = memory.arena(), fn = scalarById(set.id), types = set.types.map(typeOf)
    const result = set.target === undefined ? fn.result(types) : typeOf(set.target)
    const rows = set.types.map(valuesOf).reduce<string[][]>((lists, texts) => lists.flatMap(list => texts.map(text => [...list, text])), [[]])
    const values = rows.map(row => row.map((text, i) => valueOf(text, types[i] ?? { kind: 'unknown' })))
    const good = rows.flatMap((_, i) => set.answers[i]?.startsWith('!') === true || isSpecial(set.answers[i] ?? undefined, result) || isTooWide(set.answers[i], result) ? [] : [i])
    const columns = types.map((type, k) => columnFromValues(good.map(i => values[i]?.[k] ?? null), type, arena))
    const describe = (i: number): string => `${set.id} of ${(rows[i] ?? []).map((text, k) => `${text}::${set.types[k]}`).join(', ')}${set.target === undefined ? '' : ` as ${set.target}`}`
    try {
      const program = compile([call(set.id, types.map((type, i) => column(i, type)), result)], context)
      const [answers] = program.run({ schema: [], length: good.length, columns }, arena)
      if (answers === undefined) throw new Error('no answer')
      const read = columnReader(answers, memory)
      good.forEach((i, row) => {
        const got = read(row), want = set.answers[i] ?? null
        if (!same(set.id, got, want, result)) wrong.push(`${describe(i)}: ${got !== null && typeof got === 'object' && 'unscaled' in got ? print(got) : String(got)}, not ${want}`)
      })
    } catch (error) {
      wrong.push(`${set.id} of ${set.types.join()}: ${String(error)} ${error instanceof SqlError ? '' : String((error as Error).stack).split('\n').slice(1, 4).join(' | ')}`)
    }
    rows.forEach((_, i) => {
      const want = isTooWide(set.answers[i], result) ? '!22003' : set.answers[i]
      if (want?.startsWith('!') !== true) return
      let got = 'no error'
      try {
        compile([call(set.id, types.map((type, k) => literal(values[i]?.[k] ?? null, type)), result)], context).over([], 1, arena, parameters)
      } catch (error) {
        got = error instanceof SqlError ? `!${error.code}` : String(error)
      }
      if (got !== want) wrong.push(`${describe(i)}: ${got}, not ${want}`)
    })
    arena.free()
  }
  expect(wrong).toEqual([])
}, 120_000)
