/**
 * Asks a PostgreSQL server what the functions of numbers, comparison and casts answer over extreme values, and writes postgres-answers.json.gz for
 * postgres.test.ts. Run with PGHOST, PGPORT, PGUSER set: `node src/function/postgres-answers.ts`.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import type { ScalarFunction } from './function.ts'
import { comparisonFunctions } from './comparison.ts'
import { numberCasts, numberFunctions } from './number.ts'

/** Values of each type, as text. Modifiers stand in the type's name. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  int2: ['0', '1', '-1', '7', '-5', '32767', '-32768', '181', '100'],
  int4: ['0', '1', '-1', '7', '-5', '2147483647', '-2147483648', '46341', '1000000', '31'],
  int8: ['0', '1', '-1', '7', '-5', '9223372036854775807', '-9223372036854775808', '3037000500', '4611686018427387904', '1000000000000', '2147483648'],
  float4: ['0', '-0', '1', '-1.5', '2.5', '3.5', '3.4028235e38', '1e-45', 'NaN', 'Infinity', '-Infinity', '32767.5', '2147483647', '0.1'],
  float8: ['0', '-0', '1', '-1.5', '2.5', '0.5', '-2.5', '1.7976931348623157e308', '5e-324', 'NaN', 'Infinity', '-Infinity', '9223372036854775807', '2147483647.5', '-32768.5', '0.1', '30', '1e10'],
  numeric: ['0', '0.00', '1', '-1.5', '2.5', '-2.50', '12345678901234567890123456789012345678.9', '0.000000000000000000000000000001', 'NaN', 'Infinity', '-Infinity', '99.99995', '10000', '9.995', '3', '7.25', '9223372036854775807', '0.9', '1.0500'],
  'numeric(9,2)': ['0', '1', '-1.5', '2.55', '9999999.99', '-9999999.99', '0.01', '3.33'],
  'numeric(18,4)': ['0', '1', '-2.5', '99999999999999.9999', '-99999999999999.9999', '0.0001', '7.1250', '0.5'],
  'numeric(38,10)': ['0', '1', '-2.5', '9999999999999999999999999999.9999999999', '-9999999999999999999999999999.9999999999', '0.0000000001', '1234567890123456789.5'],
  'numeric(38,0)': ['0', '1', '-3', '99999999999999999999999999999999999999', '-99999999999999999999999999999999999999', '18446744073709551616'],
  text: ['', 'a', 'A', 'ab', 'abcdefgh', 'abcdefghi', 'abcdefgi', '～', '😀', 'é'],
  date: ['1970-01-01', '2024-02-29', 'infinity', '-infinity', '0001-01-01'],
  timestamp: ['1970-01-01 00:00:00', '2024-02-29 00:00:00', '2024-02-29 12:34:56.789', 'infinity', '-infinity'],
  interval: ['1 month', '30 days', '720 hours', '29 days 24:00:01', '-1 day', '0'],
}
const KINDS = ['bool', 'int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'text', 'date', 'timestamp', 'interval']
const SKIPPED = new Set(['random', 'pi'])

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`
/** A value of the type, as Postgres writes it. */
const value = (text: string, type: string): string => `${quote(text)}::${type}`

function sqlOf(fn: ScalarFunction, args: readonly string[], target: string | undefined): string {
  const [a = '', b = ''] = args
  if (target !== undefined) return `(${a})::${target}`
  if (/^[a-z]/.test(fn.name)) return `${fn.name}(${args.join(', ')})`
  return args.length === 1 ? `${fn.name} (${a})` : `(${a}) ${fn.name} (${b})`
}

/** Types to try for a parameter of the kind. */
const typesOf = (kind: string): readonly string[] => Object.keys(VALUES).filter(type => type === kind || type.startsWith(`${kind}(`))

export interface AnswerSet {
  readonly id: string
  readonly types: readonly string[]
  readonly target?: string
  /** For every combination of values, the last argument's fastest: the text, null for NULL, or ! and the SQLSTATE. */
  readonly answers: readonly (string | null)[]
}

function questions(): { set: Omit<AnswerSet, 'answers'>; sql: string[] }[] {
  const all: { set: Omit<AnswerSet, 'answers'>; sql: string[] }[] = []
  for (const fn of [...comparisonFunctions, ...numberFunctions, ...numberCasts.flatMap(entry => entry.fn ?? [])]) {
    if (fn.body.kind === 'special' || fn.variadic !== undefined || SKIPPED.has(fn.name) || fn.args.length === 0 || fn.args.length > 2 || !fn.args.every(kind => KINDS.includes(kind))) continue
    const isCast = fn.id.startsWith('cast(')
    const to = /,(\w+)\)$/.exec(fn.id)?.[1]
    if (isCast && (to === undefined || !KINDS.slice(0, 7).includes(to) || !KINDS.slice(0, 7).includes(fn.args[0] ?? ''))) continue
    const targets: readonly (string | undefined)[] = !isCast ? [undefined] : to === 'numeric' ? ['numeric', 'numeric(9,2)', 'numeric(38,10)', 'numeric(5,0)'] : [to]
    if (!isCast && fn.args.some(kind => ['text', 'date', 'timestamp', 'interval'].includes(kind)) && !['=', '<>', '<', '<=', '>', '>='].includes(fn.name)) continue
    const combinations = fn.args.map(typesOf).reduce<string[][]>((lists, types) => lists.flatMap(list => types.map(type => [...list, type])), [[]])
    for (const types of combinations) for (const target of targets) {
      const values = types.map(type => (VALUES[type] ?? []).map(text => value(text, type)))
      const rows = values.reduce<string[][]>((lists, texts) => lists.flatMap(list => texts.map(text => [...list, text])), [[]])
      all.push({ set: { id: fn.id, types, ...(target === undefined ? {} : { target }) }, sql: rows.map(row => sqlOf(fn, row, target)) })
    }
  }
  return all
}

export const valuesOf = (type: string): readonly string[] => VALUES[type] ?? []

const ANSWER = `create or replace function pg_temp.answer(q text) returns text language plpgsql as $$
declare r text; begin execute 'select (' || q || ')::text' into r; return coalesce(r, '!null'); exception when others then return '!' || sqlstate; end $$;
set extra_float_digits = 1;`

if (import.meta.filename === process.argv[1]) {
  const asked = questions()
  const script = [ANSWER, ...asked.flatMap(({ sql }) => sql.map(q => `select to_json(pg_temp.answer(${quote(q)}));`))].join('\n')
  const lines = execFileSync('psql', ['-qAtX', '-d', 'postgres'], { input: script, maxBuffer: 2 ** 28 }).toString().trim().split('\n').map(line => String(JSON.parse(line)))
  let at = 0
  const sets = asked.map(({ set, sql }) => ({ ...set, answers: sql.map(() => { const line = lines[at++]; return line === '!null' ? null : line }) }))
  writeFileSync(new URL('./postgres-answers.json.gz', import.meta.url), gzipSync(`[\n${sets.map(set => JSON.stringify(set)).join(',\n')}\n]\n`, { level: 9 }))
  process.stdout.write(`${sets.length} functions and casts, ${lines.length} answers\n`)
}
