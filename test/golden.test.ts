/**
 * The golden tables through SQL: the whole engine, from the statement's text to the rows. Each snapshot is what Java Paimon reads, and a subscription that begins at the
 * first snapshot stands, after every commit, at what Java reads there.
 */
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rowsOf } from '../src/column.ts'
import { Engine } from '../src/engine.ts'
import { Session } from '../src/session/session.ts'
import { CASES, GOLDEN, MAY_REFUSE, MUST, add, bagOfJson, expectedOf, ofJson, ofValue, sorted } from '../src/storage/paimon/golden-rows.ts'
import type { Bag, Expected } from '../src/storage/paimon/golden-rows.ts'
import { PaimonTable } from '../src/storage/paimon/table.ts'
import type { Version } from '../src/storage/table.ts'
import type { Value } from '../src/value.ts'

/** Snapshots of a case that are read one by one; the subscription goes through all of them. */
const MOST = 25

const cases = CASES.filter(({ name }) => MUST.test(name))

describe.skipIf(cases.length === 0)('golden tables through SQL (skipped without ../shared/golden)', () => {
  let folder = '', engine: Engine
  beforeAll(async () => {
    // one lake of all cases: a database a case
    folder = await mkdtemp(join(tmpdir(), 'sluice-golden-'))
    for (const name of new Set(cases.map(each => each.name))) await symlink(`${GOLDEN}${name}/warehouse/default.db`, join(folder, `${name}.db`))
    engine = await Engine.open({ lake: folder })
  })
  afterAll(async () => {
    await engine.close()
    await rm(folder, { recursive: true })
  })

  test.each(cases)('$name $file', async ({ name, file }) => {
    const expected = expectedOf(name, file), tableName = expected.table.split('.')[1] ?? ''
    const sql = `"${name}"."${tableName}"`
    if (MAY_REFUSE.has(`${name}/${tableName}`)) {
      const refusal: unknown = await rows(engine, `SELECT * FROM ${sql}`).catch((error: unknown) => error)
      expect(refusal).toMatchObject({ code: '0A000', message: expect.stringMatching(/manifest.*is not supported$/i) })
      return
    }
    const table = await engine.catalog.table({ schema: name, name: tableName })
    if (!(table instanceof PaimonTable)) throw new Error('no table')
    const states = new Map<string, Bag>()
    for (const [id, snapshot] of Object.entries(expected.snapshots)) if (snapshot.rows !== undefined) states.set(id, await bagOfJson(table, snapshot.schemaId, snapshot.rows))

    const newest = Math.max(0, ...Object.keys(expected.schemas).map(Number))
    expect(sorted(bagOf(table, await rows(engine, `SELECT * FROM ${sql}`))), 'latest').toEqual(sorted(await bagOfJson(table, newest, expected.latest?.rows ?? [])))
    const step = Math.ceil(states.size / MOST)
    for (const [i, [id, state]] of [...states].entries()) {
      if (i % step !== 0 && i !== states.size - 1) continue
      expect(sorted(bagOf(table, await rows(engine, `SELECT * FROM ${sql} FOR SYSTEM_VERSION AS OF ${id}`))), `snapshot ${id}`).toEqual(sorted(state))
    }
    for (const [tag, state] of Object.entries(expected.tags ?? {})) {
      const schemaId = Object.entries(expected.schemas).find(([, fields]) => JSON.stringify(fields.map(([, column]) => column)) === JSON.stringify(state.columns))?.[0]
      const wanted = sorted(await bagOfJson(table, Number(schemaId), state.rows)), time = (await table.versionAt({ kind: 'version', id: tag }))?.time ?? 0
      expect(sorted(bagOf(table, await rows(engine, `SELECT * FROM ${sql} FOR SYSTEM_VERSION AS OF '${tag}'`))), `tag ${tag}`).toEqual(wanted)
      // the tag's snapshot by its time, where it was not expired
      if (states.has(String(state.snapshot))) expect(sorted(bagOf(table, await rows(engine, `SELECT * FROM ${sql} FOR SYSTEM_TIME AS OF timestamptz '${new Date(time).toISOString()}'`))), `time of tag ${tag}`).toEqual(wanted)
    }
    await follow(engine, table, sql, expected, states)
    expect(engine.memory.used).toBe(0)
  }, 30_000)
})

/** All rows of a statement. */
async function rows(engine: Engine, sql: string): Promise<Value[][]> {
  const session = new Session(engine, { user: 'test' })
  try {
    const answer = await session.execute(await session.prepare(sql), []), all: Value[][] = []
    for await (const batch of answer.batches) all.push(...rowsOf(batch, engine.memory))
    return all
  } finally {
    await session.close()
  }
}

function show(table: PaimonTable, row: readonly Value[]): string {
  return JSON.stringify(table.context.schema.fields.map((field, i) => ofValue(row[i] ?? null, field.type)))
}

function bagOf(table: PaimonTable, all: readonly (readonly Value[])[]): Bag {
  const bag: Bag = new Map()
  for (const row of all) add(bag, show(table, row), 1)
  return bag
}

/** Subscribes as of the first snapshot, up to the last: after each commit the sum of what came is that snapshot. */
async function follow(engine: Engine, table: PaimonTable, sql: string, expected: Expected, states: ReadonlyMap<string, Bag>): Promise<void> {
  const first = await table.next(undefined)
  if (first === undefined) return
  // the newest version that is not younger than the first; an epoch's time is its commit's, or one more than that of the epoch before
  const begin = await table.versionAt({ kind: 'timestamp', micros: BigInt(first.time) * 1000n })
  const times = new Map<number, Version>()
  let time = first.time
  for (let version = begin; version !== undefined; version = await table.next(version)) {
    time = times.size === 0 ? first.time : Math.max(version.time, time + 1)
    times.set(time, version)
  }
  const statement = `SUBSCRIBE (SELECT * FROM ${sql}) WITH (PROGRESS) AS OF ${first.time} UP TO ${time + 1}`
  const sum: Bag = new Map(), changes = new Map<string, Bag>()
  let epoch: Bag = new Map()
  const reached: string[] = []
  for (const [at, progressed, diff, ...row] of await rows(engine, statement)) {
    if (progressed !== true) {
      add(epoch, show(table, row), Number(diff))
      continue
    }
    const version = times.get(Number(at) - 1)
    if (version === undefined) continue // it says that time went on
    for (const [text, times] of epoch) add(sum, text, times)
    reached.push(version.id)
    changes.set(version.id, epoch)
    epoch = new Map()
    const state = states.get(version.id)
    if (state !== undefined) expect(sorted(sum), `after snapshot ${version.id}`).toEqual(sorted(state))
  }
  expect(reached).toEqual([...times.values()].map(version => version.id))
  expect(epoch.size).toBe(0)
  if (table.context.options.changelogProducer === 'lookup' && !table.context.options.changelogIsPartial) checkChangelog(table, expected, changes)
}

/** What Java's streaming reader gets from a table whose changelog is complete. */
function checkChangelog(table: PaimonTable, expected: Expected, changes: ReadonlyMap<string, Bag>): void {
  const plans = expected.streamFromSnapshotFull?.plans ?? []
  for (const [i, plan] of plans.entries()) {
    const before = plans[i - 1]
    if (before === undefined) continue
    const ours: Bag = new Map(), javas: Bag = new Map()
    for (let id = before.snapshot + 1; id <= plan.snapshot; id++) for (const [row, times] of changes.get(String(id)) ?? []) add(ours, row, times)
    for (const [kind, ...row] of plan.rows) add(javas, JSON.stringify(table.context.schema.fields.map((field, j) => ofJson(row[j], field.type))), kind === '+I' || kind === '+U' ? 1 : -1)
    expect(sorted(ours), `stream to ${plan.snapshot}`).toEqual(sorted(javas))
  }
}
