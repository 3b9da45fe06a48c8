/** EXPLAIN: the plan with what was pushed and pruned; ANALYZE runs it and says what it did. */
import type { Running } from '../engine.ts'
import { unsupported } from '../error.ts'
import type { Plan } from '../plan.ts'
import { inputsOf } from '../plan.ts'
import { explainJson, explainPlan } from '../planner/explain.ts'
import type { ExplainOptions, Measured } from '../planner/explain.ts'
import type { Explain } from '../planner/statement-syntax.ts'
import { wantOf } from '../exec/scan.ts'
import type { ScanStats } from '../storage/table.ts'
import { emptyScanStats } from '../storage/table.ts'
import type { Schema } from '../type.ts'
import { TEXT } from '../type.ts'
import { rowsAnswer } from './answers.ts'
import { planned } from './binding.ts'
import type { Bound } from './binding.ts'
import type { Answer } from './face.ts'
import type { Session } from './session.ts'

export const EXPLAIN_SCHEMA: Schema = [{ name: 'QUERY PLAN', type: TEXT, nullable: false }]

export async function explainAnswer(session: Session, statement: Explain, bound: Bound | undefined, running: Running): Promise<Answer> {
  if (bound === undefined) throw unsupported(`EXPLAIN of ${statement.statement.kind.toUpperCase()}`, { position: statement.at })
  if (statement.format !== 'text' && statement.format !== 'json') throw unsupported(`EXPLAIN (FORMAT ${statement.format.toUpperCase()})`, { position: statement.at })
  const plan = await planned(session, bound, running)
  const schemas = new Map<Plan, Schema>(), pruned = new Map<Plan, ScanStats>()
  await look(session, plan, running, schemas, pruned)
  const began = performance.now(), total = statement.analyze ? await runAll(session, plan, running) : undefined
  const milliseconds = performance.now() - began
  const options: ExplainOptions = {
    tableSchema: scan => schemas.get(scan),
    verbose: statement.verbose,
    measured: node => measuredOf(node, plan, pruned, total, milliseconds),
  }
  const lines = statement.format === 'json' ? [JSON.stringify(explainJson(plan, options), undefined, 2)] : explainPlan(plan, options)
  if (total !== undefined && statement.format === 'text') {
    const { stats } = running
    lines.push(`Read: ${stats.bytesRead} bytes; pruned ${stats.filesPruned} of ${stats.filesTotal} files, ${stats.rowGroupsPruned} of ${stats.rowGroupsTotal} row groups`, `Execution Time: ${milliseconds.toFixed(3)} ms`)
  }
  return rowsAnswer(EXPLAIN_SCHEMA, lines.map(line => [line]), session.engine.memory, 'EXPLAIN')
}

function measuredOf(node: Plan, root: Plan, pruned: ReadonlyMap<Plan, ScanStats>, total: number | undefined, milliseconds: number): Measured | undefined {
  const stats = pruned.get(node)
  if (node === root && total !== undefined) return { rows: total, milliseconds, ...(stats === undefined ? {} : { stats }) }
  return stats === undefined ? undefined : { stats }
}

/** Makes the splits of every scan, so that what the metadata pruned is known; reads no data. */
async function look(session: Session, plan: Plan, running: Running, schemas: Map<Plan, Schema>, pruned: Map<Plan, ScanStats>): Promise<void> {
  if (plan.kind === 'scan') {
    const { table, version } = await session.engine.source(plan.table, plan.asOf, running), stats = emptyScanStats()
    schemas.set(plan, table.schema)
    if (version !== undefined) for await (const _ of table.changes(undefined, version, wantOf(plan, running.parameters), stats)) running.check()
    pruned.set(plan, stats)
  }
  for (const input of inputsOf(plan)) await look(session, input, running, schemas, pruned)
}

async function runAll(session: Session, plan: Plan, running: Running): Promise<number> {
  let rows = 0
  for await (const batch of session.engine.run(plan, running)) rows += batch.length
  return rows
}
