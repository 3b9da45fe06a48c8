/** Every golden Parquet file: the rows that other readers agree on, or a clean refusal. Skipped when the golden files are not beside the repository. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { columnReader } from '../../column.ts'
import { SqlError } from '../../error.ts'
import { loadKernel } from '../../kernel/kernel.ts'
import { Memory } from '../../memory.ts'
import type { Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import { openLocalStore } from '../store-local.ts'
import { openParquet, readRowGroup } from './reader.ts'

const root = fileURLToPath(new URL('../../../../shared/golden/files', import.meta.url))
const absent = existsSync(root) ? false : 'no golden files beside the repository'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
interface Case {
  readonly groups: readonly { readonly files: readonly { readonly path: string }[]; readonly columns: readonly { readonly name: string; readonly type: string }[]; readonly rows: readonly (readonly Json[])[] }[]
  readonly errors?: readonly { readonly path: string; readonly expect: string }[]
}

const memory = Memory.create()
const kernel = loadKernel(memory)
const store = absent ? undefined : openLocalStore(root)

async function rowsOfFile(path: string): Promise<{ types: Type[]; rows: Value[][] }> {
  const info = await store?.stat(path)
  if (store === undefined || info === undefined) throw new Error(`no ${path}`)
  const file = await openParquet(store, path, info.size), rows: Value[][] = []
  for (let group = 0; group < file.rowGroups.length; group++) {
    using arena = memory.arena()
    // A name may occur twice in a file; here every column is read by its first name.
    const columns = await readRowGroup(file, store, group, file.schema.map(field => field.name), kernel, arena)
    const readers = columns.map(column => columnReader(column, memory))
    for (let row = 0; row < (file.rowGroups[group]?.rows ?? 0); row++) rows.push(readers.map(read => read(row)))
  }
  return { types: file.schema.map(field => field.type), rows }
}

// ---------- our values in the canonical form of the expected files

function pad(value: number | bigint, digits: number): string { return value.toString().padStart(digits, '0') }

function dateText(days: number): string {
  const date = new Date(days * 86_400_000), year = date.getUTCFullYear()
  return `${year >= 0 && year <= 9999 ? pad(year, 4) : `${year > 0 ? '+' : '-'}${pad(Math.abs(year), 6)}`}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`
}
function clockText(micros: bigint, digits: number): string {
  const seconds = Number(micros / 1_000_000n)
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}.${pad(micros % 1_000_000n, 6)}${digits === 9 ? '000' : ''}`
}
function decimalText(unscaled: bigint, scale: number): string {
  const digits = pad(unscaled < 0n ? -unscaled : unscaled, scale + 1), cut = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, cut)}${scale > 0 ? `.${digits.slice(cut)}` : ''}`
}
function canonical(value: Value, type: Type): Json {
  if (value === null) return null
  switch (type.kind) {
    case 'date': return typeof value === 'number' ? dateText(value) : 'wrong'
    case 'time': return typeof value === 'bigint' ? clockText(value, 6) : 'wrong'
    case 'timestamp': case 'timestamptz': {
      if (typeof value !== 'bigint') return 'wrong'
      const day = 86_400_000_000n, time = ((value % day) + day) % day
      return `${dateText(Number((value - time) / day))}T${clockText(time, 6)}${type.kind === 'timestamptz' ? 'Z' : ''}`
    }
    case 'int8': return String(value)
    case 'float4': case 'float8': return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value === Number(value) ? value : 'wrong'
    case 'numeric': return typeof value === 'object' && 'unscaled' in value ? decimalText(value.unscaled, value.scale) : 'wrong'
    case 'bytea': return value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : 'wrong'
    case 'interval': {
      if (typeof value !== 'object' || !('months' in value)) return 'wrong'
      return [value.months, value.days, String(value.micros * 1000n)]
    }
    case 'array': return typeof value === 'object' && 'dims' in value ? value.values.map(element => canonical(element, type.element)) : 'wrong'
    case 'row': return Array.isArray(value) ? Object.fromEntries(type.fields.map((field, i) => [field.name, canonical(value[i] ?? null, field.type)])) : 'wrong'
    case 'map': {
      if (!Array.isArray(value)) return 'wrong'
      const pairs: Json[][] = value.map((entry: Value) => Array.isArray(entry) ? [canonical(entry[0] ?? null, type.key), canonical(entry[1] ?? null, type.value)] : ['wrong'])
      return pairs.sort((a, b) => Buffer.compare(Buffer.from(JSON.stringify(a[0])), Buffer.from(JSON.stringify(b[0]))))
    }
    default: return typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string' ? value : 'wrong'
  }
}

/** The expected value as it must look in our types: microseconds instead of nanoseconds, uint32 in an int8, long strings by their hash. */
function expected(value: Json, ours: Json, type: string): Json {
  if (value === null) return null
  if (type.endsWith('(ns)') && typeof value === 'string') return value.replace(/(\.\d{6})\d{3}/, '$1')
  if (type === 'uint32') return String(value)
  if (type.startsWith('timestamptz') && typeof ours === 'string' && typeof value === 'string' && !ours.endsWith('Z')) return value.replace('Z', '')
  if (type === 'binary' && typeof ours === 'string' && !ours.startsWith('0x') && typeof value === 'string') return Buffer.from(value.slice(2), 'hex').toString()
  if (typeof value === 'object' && '$long' in value && typeof ours === 'string') {
    return createHash('sha256').update(ours).digest('hex') === value['sha256'] && [...ours].length === value['characters'] ? ours : value
  }
  return value
}

const cases = ['codecs', 'encodings', 'mr', 'nested', 'pruning', 'spark', 'structure', 'types']
/** What is refused, and by which words. */
const refused: Readonly<Record<string, RegExp>> = { 'parquet-types/duckdb_variant.parquet': /VARIANT of column v is not supported/ }

for (const name of cases) {
  describe.skipIf(absent)(`parquet-${name}`, () => {
    const folder = `parquet-${name}`
    const spec: Case = absent ? { groups: [] } : JSON.parse(readFileSync(`${root}/${folder}/expected.json`, 'utf8'))
    for (const group of spec.groups) {
      for (const { path } of group.files) {
        test(path, async () => {
          const refusal = refused[`${folder}/${path}`]
          if (refusal !== undefined) return expect(rowsOfFile(`${folder}/${path}`)).rejects.toThrow(refusal)
          const { types, rows } = await rowsOfFile(`${folder}/${path}`)
          expect(types.length).toBe(group.columns.length)
          const ours = rows.map(row => row.map((value, i) => canonical(value, types[i] ?? { kind: 'unknown' })))
          const theirs = group.rows.map((row, r) => row.map((value, i) => expected(value, ours[r]?.[i] ?? null, group.columns[i]?.type ?? '')))
          expect(ours.length).toBe(theirs.length)
          for (const [r, row] of theirs.entries()) expect(ours[r], `row ${r}`).toEqual(row)
        })
      }
    }
  })
}

describe.skipIf(absent)('parquet-corrupt', () => {
  const spec: Case = absent ? { groups: [] } : JSON.parse(readFileSync(`${root}/parquet-corrupt/expected.json`, 'utf8'))
  for (const { path, expect: about } of spec.errors ?? []) {
    test(`${path}: ${about}`, async () => {
      const error: unknown = await rowsOfFile(`parquet-corrupt/${path}`).then(() => undefined, (error: unknown) => error)
      // Nobody looks at the magic at the start.
      if (path === 'bad_magic_start.parquet') return expect(error).toBeUndefined()
      expect(error).toBeInstanceOf(SqlError)
      expect(error instanceof SqlError ? error.code : '').toBe(path === 'encrypted_footer.parquet' ? '0A000' : 'XX001')
      expect(error instanceof SqlError ? error.details.where : '').toBe(`parquet-corrupt/${path}`)
    })
  }
})
