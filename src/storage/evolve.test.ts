import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { columnReader } from '../column.ts'
import { columnFromValues } from '../column.ts'
import { loadKernel } from '../kernel/kernel.ts'
import { Memory } from '../memory.ts'
import { formatValue } from '../text.ts'
import type { Value } from '../value.ts'
import { INT4, TEXT } from '../type.ts'
import { evolveColumn } from './evolve.ts'
import { MetadataCache, TableFiles } from './paimon/state.ts'
import { toSqlType } from './paimon/types.ts'
import { openParquet, readRowGroup } from './parquet/reader.ts'
import { openLocalStore } from './store-local.ts'

const golden = fileURLToPath(new URL('../../../shared/golden/paimon/evolution-casts/', import.meta.url))
const present = existsSync(golden)

interface Expected { readonly latest: { readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] } }

/** As the golden files show values. */
function shown(value: Value, type: ReturnType<typeof toSqlType>): unknown {
  if (value === null) return null
  switch (type.kind) {
    case 'bool': case 'int2': case 'int4': return value
    case 'float4': case 'float8': return typeof value === 'number' && !Number.isFinite(value) ? String(value) : type.kind === 'float4' ? Number(formatValue(value, type)) : value
    case 'bytea': return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
    case 'timestamp': return padded(formatValue(value, type), type.precision ?? 6)
    default: return formatValue(value, type)
  }
}

/** Golden timestamps have all digits of their precision. */
function padded(text: string, digits: number): string {
  const [whole = '', fraction = ''] = text.split('.')
  return digits === 0 ? whole : `${whole}.${fraction.padEnd(digits, '0')}`
}

test.skipIf(!present)('casts on read are those of Java Paimon (skipped without ../shared/golden)', async () => {
  const memory = Memory.create(2 ** 26), kernel = loadKernel(memory), store = openLocalStore(`${golden}warehouse`)
  const files = new TableFiles(store, 'default.db/t', new MetadataCache())
  const old = await files.schema(0n), now = await files.latestSchema()
  const data = readdirSync(`${golden}warehouse/default.db/t/bucket-0`).filter(file => file.endsWith('.parquet'))
  const expected = JSON.parse(readFileSync(`${golden}expected.json`, 'utf8')) as Expected
  if (now === undefined) throw new Error('no schema')
  const rows: unknown[][] = []
  for (const file of data) {
    const path = `default.db/t/bucket-0/${file}`
    const parquet = await openParquet(store, path, (await store.stat(path))?.size ?? 0)
    using arena = memory.arena()
    const columns = await readRowGroup(parquet, store, 0, old.fields.map(field => field.name), kernel, arena)
    const evolved = now.fields.map(field => {
      const column = columns[old.fields.findIndex(source => source.id === field.id)]
      if (column === undefined) throw new Error(`no column ${field.name}`)
      return { type: toSqlType(field.type), read: columnReader(evolveColumn(column, toSqlType(field.type), arena, field.name), memory) }
    })
    for (let row = 0; row < (parquet.rowGroups[0]?.rows ?? 0); row++) rows.push(evolved.map(({ type, read }) => shown(read(row), type)))
  }
  expect(now.fields.map(field => field.name)).toEqual(expected.latest.columns)
  const sorted = (all: readonly (readonly unknown[])[]): string[] => all.map(row => JSON.stringify(row)).sort()
  expect(sorted(rows)).toEqual(sorted(expected.latest.rows))
})

test('text that is no number fails, naming the column', () => {
  const memory = Memory.create(2 ** 26)
  using arena = memory.arena()
  for (const text of ['x', ' 7 ', '']) {
    expect(() => evolveColumn(columnFromValues([text], TEXT, arena), INT4, arena, 'f: column "c"')).toThrow(expect.objectContaining({ code: '22P02', details: expect.objectContaining({ where: 'f: column "c"' }) }))
  }
})

test('a cast that is not known is refused by name', () => {
  const memory = Memory.create(2 ** 26)
  using arena = memory.arena()
  expect(() => evolveColumn(columnFromValues([1], INT4, arena), { kind: 'uuid' }, arena, 'f')).toThrow('reading a column of type integer as uuid is not supported')
})
