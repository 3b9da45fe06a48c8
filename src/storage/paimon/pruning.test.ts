/** Pruning over golden tables: whatever a filter asks for, no row that it wants is left out, neither of a snapshot nor of a change; and some files are. */
import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { SqlError } from '../../error.ts'
import { call, column, conjunction, literal } from '../../expr.ts'
import type { Expr } from '../../expr.ts'
import { compareValues } from '../../function/comparison.ts'
import { BOOL, typeKey } from '../../type.ts'
import type { Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import { openLocalStore } from '../store-local.ts'
import { emptyScanStats } from '../table.ts'
import type { Version } from '../table.ts'
import { openPaimonCatalog } from './catalog.ts'
import { GOLDEN, add, readRows, sorted } from './golden-rows.ts'
import type { Bag } from './golden-rows.ts'
import { PaimonTable } from './table.ts'

const CASES = ['append-fixed-bucket', 'append-partition-date', 'append-partition-escape', 'append-partition-multi', 'append-partition-types-legacy-true', 'dv-pk-64', 'dynamic-bucket', 'evolution-append', 'evolution-pk', 'evolution-option', 'evolution-bucket-mixed',
  'pk-dedup-levels', 'pk-key-types', 'pk-large', 'pk-partitioned', 'pk-sequence-compacted', 'changelog-lookup', 'stats-modes', 'types-parquet', 'overwrite', 'bucket-function-mod', 'flink-postpone', 'pk-first-row']

interface Condition { readonly expr: Expr; readonly holds: (row: readonly Value[]) => boolean }

/** Conditions on one column: equal to, below, above, among, NULL. The comparison itself is the engine's; what may not happen is that pruning loses a row. */
function conditions(index: number, type: Type, values: readonly Value[]): readonly Condition[] {
  const ref = column(index, type), at = (row: readonly Value[]): Value => row[index] ?? null
  const compare = (symbol: string, value: Value, ok: (order: number) => boolean): Condition => ({
    expr: call(`${symbol}(${type.kind},${type.kind})`, [ref, literal(value, type)], BOOL), holds: row => at(row) !== null && ok(compareValues(at(row), value, type)),
  })
  return [
    { expr: call('is null', [ref], BOOL), holds: row => at(row) === null }, { expr: call('is not null', [ref], BOOL), holds: row => at(row) !== null },
    ...values.flatMap(value => [compare('=', value, order => order === 0), compare('<', value, order => order < 0), compare('>=', value, order => order >= 0)]),
    { expr: call('in', [ref, ...values.map(value => literal(value, type))], BOOL), holds: row => values.some(value => at(row) !== null && compareValues(at(row), value, type) === 0) },
  ]
}

async function matching(table: PaimonTable, from: Version | undefined, to: Version, condition: Condition, filtered: boolean, stats = emptyScanStats()): Promise<Bag> {
  const bag: Bag = new Map()
  await readRows(table, from, to, (row, weight, values) => { if (condition.holds(values)) add(bag, row, weight) }, filtered ? condition.expr : undefined, stats)
  return bag
}

const tables = existsSync(GOLDEN) ? CASES.flatMap(name => readdirSync(`${GOLDEN}${name}/warehouse/default.db`).map(table => ({ name, table }))) : []

describe.skipIf(tables.length === 0)('pruning (skipped without ../shared/golden)', () => {
  const total = emptyScanStats()

  test.each(tables)('$name $table', { timeout: 120_000 }, async ({ name, table: tableName }) => {
    const table = await openPaimonCatalog(openLocalStore(`${GOLDEN}${name}/warehouse`)).table({ schema: 'default', name: tableName })
    if (!(table instanceof PaimonTable)) throw new Error('no table')
    const latest = await table.latest()
    if (latest === undefined) return
    const samples = new Map<number, Map<string, Value>>(table.schema.map((_, i) => [i, new Map()]))
    await readRows(table, undefined, latest, (_, __, values) => values.forEach((value, i) => { if (value !== null && (samples.get(i)?.size ?? 9) < 2) samples.get(i)?.set(String(value), value) }))
    const earlier = BigInt(latest.id) > 2n ? await table.versionAt({ kind: 'version', id: String(BigInt(latest.id) - 2n) }).catch((error: unknown) => { if (error instanceof SqlError) return undefined; throw error }) : undefined
    let previous: Condition | undefined
    for (const [i, field] of table.schema.entries()) {
      if (['array', 'row', 'map'].includes(field.type.kind)) continue
      for (const condition of conditions(i, field.type, [...samples.get(i)?.values() ?? []])) {
        const both: Condition[] = previous === undefined ? [condition] : [condition, { expr: conjunction([previous.expr, condition.expr]) ?? condition.expr, holds: (other => row => other.holds(row) && condition.holds(row))(previous) }]
        for (const one of both) {
          expect(sorted(await matching(table, undefined, latest, one, true, total)), `${field.name}: ${typeKey(field.type)} ${JSON.stringify(one.expr, (_, value: unknown) => typeof value === 'bigint' ? String(value) : value)}`).toEqual(sorted(await matching(table, undefined, latest, one, false)))
        }
        if (earlier !== undefined) expect(sorted(await matching(table, earlier, latest, condition, true)), `change, ${field.name}`).toEqual(sorted(await matching(table, earlier, latest, condition, false)))
        previous = condition
      }
    }
  })

  test('partitions, buckets and files are left out', async () => {
    expect(total.filesPruned).toBeGreaterThan(500)
    expect(total.partitionsPruned).toBeGreaterThan(100)
    expect(total.filesPruned).toBeLessThan(total.filesTotal)
    const table = await openPaimonCatalog(openLocalStore(`${GOLDEN}append-fixed-bucket/warehouse`)).table({ schema: 'default', name: 't' })
    if (!(table instanceof PaimonTable)) throw new Error('no table')
    const version = await table.latest()
    if (version === undefined) throw new Error('no version')
    // one key is in one of three buckets
    const index = table.context.schema.fields.findIndex(field => field.name === table.context.schema.options['bucket-key'])
    const type = table.schema[index]?.type ?? BOOL, all = emptyScanStats(), stats = emptyScanStats()
    let key: Value = null
    await readRows(table, undefined, version, (_, __, values) => { key = values[index] ?? key }, undefined, all)
    await readRows(table, undefined, version, () => undefined, call(`=(${type.kind},${type.kind})`, [column(index, type), literal(key, type)], BOOL), stats)
    expect(stats.filesTotal - stats.filesPruned).toBeLessThanOrEqual(all.filesTotal / 3)
    expect(stats.bytesRead).toBeLessThan(all.bytesRead)
  })
})
