/** Sluice under the runner: one engine and session a file, in one of the modes that every file must pass in. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Batch } from '../src/batch.ts'
import { columnReader, rowsOf, weightsOf } from '../src/column.ts'
import { Engine } from '../src/engine.ts'
import type { Running } from '../src/engine.ts'
import type { ScanPlan } from '../src/plan.ts'
import { tablesOf } from '../src/plan.ts'
import { parseStatement } from '../src/planner/statement.ts'
import { bindQueryFor, planned } from '../src/session/binding.ts'
import { Session } from '../src/session/session.ts'
import { openMemoryStore } from '../src/storage/store-memory.ts'
import { textWriter } from '../src/text.ts'
import type { Schema } from '../src/type.ts'
import type { Value } from '../src/value.ts'

/**
 * `one`: one thread · `threads`: several threads and morsels of three rows · `rules off`: plans as bound · `streamed`: every query is fed its tables in random epochs,
 * rows taken back and put in again on the way, and the changes of the answer are added up.
 */
export type Mode = 'one' | 'threads' | 'rules off' | 'streamed'
export const MODES: readonly Mode[] = ['one', 'threads', 'rules off', 'streamed']

/** Rows as PostgreSQL's text; undefined is NULL. */
export type TextRows = readonly (readonly (string | undefined)[])[]

export interface Tested {
  run(sql: string): Promise<{ readonly rows: TextRows; readonly columns: number; readonly ordered: boolean }>
  subscribe(name: string, sql: string): Promise<void>
  /** What changed since it was last asked, added up: difference, then columns. */
  changes(name: string): Promise<TextRows>
  close(): Promise<void>
}

export async function openTested(mode: Mode, seed: number): Promise<Tested> {
  // workers open a store by its description, which only one on disk has
  const folder = mode === 'threads' ? mkdtempSync(join(tmpdir(), 'sluice-slt-')) : undefined
  const engine = await Engine.open({ lake: folder ?? openMemoryStore(), database: 'test', threads: mode === 'threads' ? 3 : 1, ...(mode === 'threads' ? { morselRows: 3 } : {}) })
  const session = new Session(engine, { user: 'test' })
  if (mode === 'rules off') session.settings.set('sluice.rules', 'off')
  const random = randomizer(seed), subscriptions = new Map<string, string>()
  return {
    async run(sql) {
      const statement = mode === 'streamed' ? await parseStatement(sql) : undefined
      try {
        if (statement?.kind === 'select') return { ...await streamed(engine, session, sql, random), ordered: false }
        const prepared = await session.prepare(sql), answer = await session.execute(prepared, [])
        const rows = await collect(answer.batches, answer.schema, engine, session)
        await session.sync(false)
        return { rows, columns: answer.fields?.length ?? 0, ordered: true }
      } catch (error) {
        session.fail()
        await session.sync(true)
        throw error
      }
    },
    async subscribe(name, sql) {
      const cursor = `c${subscriptions.size}`
      subscriptions.set(name, cursor)
      const answer = await session.execute(await session.prepare(`DECLARE ${cursor} CURSOR FOR SUBSCRIBE (${sql})`), [])
      for await (const _ of answer.batches) { /* only its effect is wanted */ }
    },
    async changes(name) {
      const answer = await session.execute(await session.prepare(`FETCH ALL ${subscriptions.get(name) ?? ''} WITH (timeout = '0ms')`), [])
      const sums = new Map<string, { row: readonly (string | undefined)[]; diff: bigint }>()
      for (const [, diff = '0', ...row] of await collect(answer.batches, answer.schema, engine, session)) {
        const key = JSON.stringify(row.map(value => value ?? null)), entry = sums.get(key)
        if (entry === undefined) sums.set(key, { row, diff: BigInt(diff) })
        else entry.diff += BigInt(diff)
      }
      return [...sums.values()].filter(({ diff }) => diff !== 0n).map(({ row, diff }) => [String(diff), ...row])
    },
    async close() {
      await session.close()
      await engine.close()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function collect(batches: AsyncIterable<Batch>, schema: Schema, engine: Engine, session: Session): Promise<(string | undefined)[][]> {
  const texts = schema.map(field => textWriter(field.type, session.text)), rows: (string | undefined)[][] = []
  for await (const batch of batches) for (const row of rowsOf(batch, engine.memory)) rows.push(row.map((value, i) => value === null ? undefined : texts[i]?.(value) ?? ''))
  return rows
}

/** A small generator with a seed (mulberry32): 0 ≤ x < 1. */
function randomizer(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The query as a continuous one. */
async function streamed(engine: Engine, session: Session, sql: string, random: () => number): Promise<{ rows: TextRows; columns: number }> {
  const prepared = await session.prepare(sql), statement = await parseStatement(sql)
  if (statement.kind !== 'select') throw new Error('a query')
  const running = session.begin([]), plan = await planned(session, await bindQueryFor(session, statement.query, []), running)
  const flow = engine.dataflow(plan, running)
  try {
    const epochs = 1 + Math.floor(random() * 4)
    const histories = []
    for (const [port, scan] of tablesOf(plan).entries()) histories.push({ port, ...history(await rowsFor(engine, running, scan, flow.want(port).columns), epochs, random) })
    const texts = plan.schema.map(field => textWriter(field.type, session.text)), sums = new Map<string, { row: (string | undefined)[]; count: number }>()
    for (let epoch = 0; epoch < epochs; epoch++) {
      flow.begin(running.parameters.now)
      for (const { port, schema, changes } of histories) {
        const mine = changes.filter(change => change.epoch === epoch)
        for (const sign of [1, -1] as const) {
          const rows = mine.filter(change => change.sign === sign).map(change => change.row)
          if (rows.length > 0) await flow.push(port, { kind: 'rows', schema, rows, sign, estimate: rows.length })
        }
      }
      for (const batch of flow.flush()) {
        const weights = weightsOf(batch, engine.memory), readers = batch.columns.map(column => columnReader(column, engine.memory))
        for (let i = 0; i < batch.length; i++) {
          const row = readers.map((read, c) => { const value = read(i); return value === null ? undefined : texts[c]?.(value) ?? '' }), key = JSON.stringify(row.map(value => value ?? null))
          const entry = sums.get(key)
          if (entry === undefined) sums.set(key, { row, count: weights[i] ?? 0 })
          else entry.count += weights[i] ?? 0
        }
      }
    }
    const rows: (string | undefined)[][] = []
    for (const { row, count } of sums.values()) {
      if (count < 0) throw new Error(`the streamed answer holds a row ${count} times: ${JSON.stringify(row)}`)
      for (let i = 0; i < count; i++) rows.push(row)
    }
    return { rows, columns: prepared.fields?.length ?? 0 }
  } finally {
    flow.close()
  }
}

/** The rows of a scan's table, with these columns and without the filter. */
async function rowsFor(engine: Engine, running: Running, scan: ScanPlan, columns: readonly number[]): Promise<{ schema: Schema; rows: Value[][] }> {
  const { table } = await engine.source(scan.table, scan.asOf, running)
  const schema = columns.flatMap(column => table.schema[column] ?? [])
  const { filter: _, ...bare } = scan
  const rows: Value[][] = []
  for await (const batch of engine.run({ ...bare, columns, schema }, running)) {
    // a table's rows without columns still have a number
    rows.push(...(schema.length === 0 ? Array.from({ length: batch.length }, () => []) : rowsOf(batch, engine.memory)))
  }
  return { schema, rows }
}

/** A random history whose sum is the rows: some come, go and come again. */
function history({ schema, rows }: { schema: Schema; rows: Value[][] }, epochs: number, random: () => number): { schema: Schema; changes: { epoch: number; sign: 1 | -1; row: Value[] }[] } {
  const changes: { epoch: number; sign: 1 | -1; row: Value[] }[] = []
  for (const row of rows) {
    const at = Math.floor(random() * epochs)
    changes.push({ epoch: at, sign: 1, row })
    if (random() < 0.3) {
      const gone = at + Math.floor(random() * (epochs - at)), back = gone + Math.floor(random() * (epochs - gone))
      changes.push({ epoch: gone, sign: -1, row }, { epoch: back, sign: 1, row })
    }
  }
  return { schema, changes: changes.sort(() => random() - 0.5) }
}

