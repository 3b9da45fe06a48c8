/** INSERT: a plan whose rows go into a table's writer; visible when the transaction commits. */
import type { Batch } from '../batch.ts'
import type { Running } from '../engine.ts'
import type { Answer } from './face.ts'
import { planned } from './binding.ts'
import type { InsertBound } from './binding.ts'
import type { Session } from './session.ts'

export function insertAnswer(session: Session, bound: InsertBound, running: Running): Answer {
  let inserted = 0
  async function* work(): AsyncGenerator<Batch, void, undefined> { inserted = await insertRows(session, bound, running) }
  return { fields: undefined, schema: [], batches: work(), tag: () => `INSERT 0 ${inserted}` }
}

/** Writes the rows of a bound INSERT into its table, in the session's transaction; how many. */
export async function insertRows(session: Session, bound: InsertBound, running: Running): Promise<number> {
  const transaction = session.current
  transaction.mayWrite('INSERT')
  const plan = await planned(session, bound, running)
  const table = await session.engine.table(bound.table, running.session)
  const writer = transaction.writer(bound.table, table)
  let rows = 0
  for await (const batch of session.engine.run(plan, running)) {
    await writer.write(batch)
    rows += batch.length
  }
  return rows
}
