/**
 * Tables written by Java Paimon and Flink, read by us: every snapshot, and the change between any two, must be what Java reads; what we cannot read we
 * must refuse by name. Never a wrong row.
 */
import { describe, expect, test } from 'vitest'
import { SqlError } from '../../error.ts'
import { openLocalStore } from '../store-local.ts'
import type { Version } from '../table.ts'
import { openPaimonCatalog } from './catalog.ts'
import { CASES, GOLDEN, MAY_REFUSE, MUST, bagOf, bagOfJson, difference, expectedOf, ofJson, readRows, sorted } from './golden-rows.ts'
import type { Bag, Expected } from './golden-rows.ts'
import { PaimonTable } from './table.ts'

describe.skipIf(CASES.length === 0)('golden tables (skipped without ../shared/golden)', () => {
  test.each([...CASES])('$name $file', { timeout: 60_000 }, async ({ name, file }) => {
    const expected = expectedOf(name, file)
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
