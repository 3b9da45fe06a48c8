/**
 * Tables written by Java Paimon and Flink, read by us: every snapshot, and the change between any two, must be what Java reads; what we cannot read we
 * must refuse by name. Never a wrong row.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { SqlError } from '../../error.ts'
import { openLocalStore } from '../store-local.ts'
import type { Version } from '../table.ts'
import { openPaimonCatalog } from './catalog.ts'
import { GOLDEN, add, bagOf, difference, entries, readRows, sorted } from './golden-rows.ts'
import type { Bag } from './golden-rows.ts'
import { PaimonTable } from './table.ts'
import type { PaimonType } from './types.ts'

/** Cases that must be read; any other may be refused (0A000) instead. */
const MUST = new RegExp(`^(?:${[
  'append-.*', 'bucket-function-mod', 'changelog-none', 'changelog-input', 'changelog-lookup', 'compression-parquet', 'dv-append-.*', 'dv-pk-32', 'dv-pk-64', 'dv-pk-sequence', 'dynamic-bucket',
  'empty-tables', 'evolution-append', 'evolution-pk', 'evolution-default-null', 'evolution-option', 'expired', 'flink-pk-batch', 'manifest-formats', 'many-commits', 'many-commits-pk',
  'old-090-append', 'old-090-pk', 'old-090-dv', 'old-101-append', 'old-101-pk', 'old-101-dv', 'overwrite', 'path-directory', 'pk-dedup-.*', 'pk-ignore-delete', 'pk-ignore-update-before',
  'pk-key-types', 'pk-large', 'pk-partitioned', 'pk-rowkind-field', 'pk-sequence-.*', 'pk-write-only-compacted', 'rollback', 'stats-modes', 'tags-and-travel', 'thin-mode', 'types-parquet',
  'types-pk-parquet', 'types-nested-parquet', 'watermark-and-user', 'zone-shanghai',
].join('|')})$`)
/** Tables of such cases that hold what is refused all the same: manifests that are not Avro. */
const MAY_REFUSE = new Set(['manifest-formats/t_orc', 'manifest-formats/t_parquet'])

type Row = readonly unknown[]
interface Rows { readonly columns: readonly string[]; readonly rows: readonly Row[] }
interface Plans { readonly columns: readonly string[]; readonly plans: readonly { readonly snapshot: number; readonly rows: readonly Row[] }[] }
interface Expected {
  readonly table: string
  readonly schemas: Readonly<Record<string, readonly (readonly [number, string, string])[]>>
  readonly snapshots: Readonly<Record<string, { readonly schemaId: number; readonly columns?: readonly string[]; readonly rows?: readonly Row[]; readonly error?: string; readonly skipped?: boolean }>>
  readonly latest?: Rows & { readonly error?: string }
  readonly tags?: Readonly<Record<string, Rows>>
  readonly streamFromSnapshotFull?: Plans
}

/** A value of expected.json in the canonical form. */
function ofJson(json: unknown, type: PaimonType, old: PaimonType = type): unknown {
  if (json === null || json === undefined) return null
  switch (type.kind) {
    case 'FLOAT': return typeof json === 'number' ? String(Math.fround(json)) : json
    case 'CHAR': return String(json).replace(/ +$/, '')
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ': return String(json).replace(/^\+/, '').replace(/(\.\d{6})\d+/, '$1')
    case 'ARRAY': return list(json).map(item => ofJson(item, type.element))
    case 'MULTISET': return entries(list(json).map(entry => [ofJson(list(entry)[0], type.element), String(list(entry)[1])]))
    case 'MAP': return entries(list(json).map(entry => [ofJson(list(entry)[0], type.key), ofJson(list(entry)[1], type.value)]))
    case 'ROW': return type.fields.map(field => {
      const before = old.kind === 'ROW' ? old.fields.find(({ id }) => id === field.id) : undefined
      return before === undefined ? null : ofJson(new Map(Object.entries(json)).get(before.name), field.type, before.type)
    })
    case 'BOOLEAN': return json
    default: return String(json)
  }
}

function list(json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw new Error(`no list: ${JSON.stringify(json)}`)
  return json
}
/** Rows that Java read under an older schema, as they are under the newest: by field ids, new columns NULL. */
async function bagOfJson(table: PaimonTable, schemaId: number, rows: readonly Row[]): Promise<Bag> {
  const newest = table.context.schema.fields, old = (await table.context.files.schema(BigInt(schemaId))).fields
  const bag: Bag = new Map()
  for (const row of rows) add(bag, JSON.stringify(newest.map(field => {
    const at = old.findIndex(({ id }) => id === field.id)
    return at < 0 ? null : ofJson(row[at], field.type, old[at]?.type)
  })), 1)
  return bag
}

const cases = existsSync(GOLDEN) ? readdirSync(GOLDEN).flatMap(name => name.includes('.') ? [] : readdirSync(`${GOLDEN}${name}`).filter(file => /^expected.*\.json$/.test(file)).map(file => ({ name, file }))) : []

describe.skipIf(cases.length === 0)('golden tables (skipped without ../shared/golden)', () => {
  test.each(cases)('$name $file', { timeout: 60_000 }, async ({ name, file }) => {
    const expected: Expected = JSON.parse(readFileSync(`${GOLDEN}${name}/${file}`, 'utf8'))
    const [schema = '', tableName = ''] = expected.table.split('.')
    try {
      await checkTable(`${GOLDEN}${name}/warehouse`, schema, tableName, expected)
    } catch (error) {
      if (error instanceof SqlError && error.code === '0A000' && (!MUST.test(name) || MAY_REFUSE.has(`${name}/${tableName}`))) {
        expect(error.message).toMatch(/is not supported$/)
        return
      }
      throw error
    }
  })
})

async function checkTable(warehouse: string, schema: string, name: string, expected: Expected): Promise<void> {
  const table = await openPaimonCatalog(openLocalStore(warehouse)).table({ schema, name })
  if (!(table instanceof PaimonTable)) throw new Error('no table')
  const latest = await table.latest()
  if (expected.latest?.error !== undefined) {
    if (latest === undefined) throw new Error('no latest version')
    await expect(bagOf(table, undefined, latest)).rejects.toBeInstanceOf(SqlError)
    return
  }
  const states = new Map<string, { version: Version; bag: Bag }>()
  for (const [id, snapshot] of Object.entries(expected.snapshots)) {
    const version = await table.versionAt({ kind: 'version', id })
    if (version === undefined) throw new Error(`no version ${id}`)
    if (warehouse.includes('/evolution-casts/')) continue // Java's rows are of the old types there: only the newest schema's can be compared
    if (snapshot.rows === undefined) {
      if (snapshot.error !== undefined) await expect(bagOf(table, undefined, version)).rejects.toBeInstanceOf(SqlError)
      continue
    }
    const bag = await bagOf(table, undefined, version)
    expect(sorted(bag), `snapshot ${id}`).toEqual(sorted(await bagOfJson(table, snapshot.schemaId, snapshot.rows)))
    states.set(id, { version, bag })
  }
  if (expected.latest?.rows !== undefined) {
    const newest = Object.keys(expected.schemas).map(Number).toSorted((a, b) => b - a)[0] ?? 0
    const bag: Bag = latest === undefined ? new Map() : await bagOf(table, undefined, latest)
    expect(sorted(bag), 'latest').toEqual(sorted(await bagOfJson(table, newest, expected.latest.rows)))
  }
  await checkLaw(table, [...states.values()])
  await checkStream(table, expected, states)
}

/** Any snapshot and the change to any later one give the later one. */
async function checkLaw(table: PaimonTable, states: readonly { version: Version; bag: Bag }[]): Promise<void> {
  for (const [i, from] of states.entries()) {
    for (const to of states.slice(i + 1).filter((_, step) => states.length <= 20 || step === 0 || step === 7)) {
      expect(sorted(await bagOf(table, from.version, to.version)), `from ${from.version.id} to ${to.version.id}`).toEqual(sorted(difference(to.bag, from.bag)))
    }
  }
}

/** What Java's streaming reader of a table with a lookup changelog gets commit by commit, we give too: the very rows. */
async function checkStream(table: PaimonTable, expected: Expected, states: ReadonlyMap<string, { version: Version; bag: Bag }>): Promise<void> {
  if (table.context.options.changelogProducer !== 'lookup' || table.context.options.changelogIsPartial) return
  const plans = expected.streamFromSnapshotFull?.plans ?? []
  for (const [i, plan] of plans.entries()) {
    const from = states.get(String(plans[i - 1]?.snapshot)), to = states.get(String(plan.snapshot))
    if (i === 0 || from === undefined || to === undefined) continue
    const rows: string[] = []
    await readRows(table, from.version, to.version, (row, weight) => { rows.push(`${weight} ${row}`) })
    const wanted = plan.rows.map(([kind, ...row]) => `${kind === '+I' || kind === '+U' ? 1 : -1} ${JSON.stringify(table.context.schema.fields.map((field, j) => ofJson(row[j], field.type)))}`)
    expect(rows.toSorted(), `stream to ${plan.snapshot}`).toEqual(wanted.toSorted())
  }
}
