/** The part of a plan that works on morsels independently: a scan, filters and projections over it, and perhaps an aggregate's partial stage on top. */
import type { Batch, Column } from '../batch.ts'
import { invariant } from '../error.ts'
import { childrenOf } from '../expr.ts'
import type { Expr } from '../expr.ts'
import { asksSession } from '../function/table.ts'
import type { Arena } from '../memory.ts'
import type { Plan, ScanPlan } from '../plan.ts'
import type { ScanStats, Split } from '../storage/table.ts'
import { layoutOf, widthOf } from '../type.ts'
import { canSplit } from './aggregate.ts'
import type { Node } from './build.ts'
import { build, closeNode } from './build.ts'
import type { Machine } from './gather.ts'
import { weighted } from './gather.ts'
import type { Context, Operator } from './operator.ts'
import type { Scan } from './scan.ts'

/** The scan at the bottom of a plan that can be a fragment; undefined when it cannot: fragments may run on any thread. */
export function fragmentScan(plan: Plan): ScanPlan | undefined {
  if (exprsIn(plan).some(asksSomewhere)) return undefined
  if (plan.kind === 'aggregate') return canSplit(plan) && (plan.stage ?? 'whole') === 'whole' ? chainScan(plan.input) : undefined
  return chainScan(plan)
}

function exprsIn(plan: Plan): readonly Expr[] {
  return plan.kind === 'filter' ? [plan.condition] : plan.kind === 'project' ? plan.exprs : plan.kind === 'aggregate' ? [...plan.keys, ...plan.aggregates.flatMap(each => [...each.args, ...each.filter === undefined ? [] : [each.filter]])] : []
}

/** Somewhere in the expression the session is asked. */
function asksSomewhere(expr: Expr): boolean {
  return (expr.kind === 'call' && asksSession(expr.fn)) || childrenOf(expr).some(asksSomewhere)
}

function chainScan(plan: Plan): ScanPlan | undefined {
  if (exprsIn(plan).some(asksSomewhere)) return undefined
  if (plan.kind === 'scan') return plan.filter !== undefined && asksSomewhere(plan.filter) ? undefined : plan
  return plan.kind === 'filter' || plan.kind === 'project' ? chainScan(plan.input) : undefined
}

export class Fragment {
  /** It keeps something from morsel to morsel. */
  readonly stateful: boolean
  readonly #root: Node
  readonly #scan: Scan
  readonly #operators: readonly Operator[]

  constructor(plan: Plan, context: Context, stats: ScanStats) {
    this.stateful = plan.kind === 'aggregate'
    this.#root = build(plan, 'one', context, stats)
    const operators: Operator[] = []
    let node = this.#root
    while (node.kind === 'operator') {
      operators.unshift(node.operator)
      const [input] = node.inputs
      invariant(input !== undefined, 'a fragment is a chain')
      node = input
    }
    invariant(node.kind === 'source', 'a fragment has a scan')
    this.#scan = node.scan
    this.#operators = operators
  }

  async *morsel(split: Split): AsyncGenerator<Batch, void, undefined> {
    for await (const batch of this.#scan.batches(split)) yield* this.#push(batch, 0)
  }

  *#push(batch: Batch, at: number): Iterable<Batch> {
    if (batch.length === 0) return
    const operator = this.#operators[at]
    if (operator === undefined) { yield batch; return }
    for (const out of operator.push(0, batch)) yield* this.#push(out, at + 1)
  }

  /** What was kept. */
  *flush(): Iterable<Batch> {
    for (const [at, operator] of this.#operators.entries()) for (const out of operator.flush()) yield* this.#push(out, at + 1)
  }

  close(): void { closeNode(this.#root) }
}

/** The same batch with everything it consists of in `arena`. */
export function copyBatch(batch: Batch, machine: Machine, arena: Arena): Batch {
  const columns = batch.columns.map(column => copyColumn(column, machine, arena))
  let weights: number | undefined
  if (batch.weights !== undefined) machine.kernel.move_bytes(weights = arena.alloc(4 * batch.length), batch.weights, 4 * batch.length)
  return weighted({ schema: batch.schema, length: batch.length, columns }, weights)
}

function copyColumn(column: Column, machine: Machine, arena: Arena): Column {
  const { kernel, memory } = machine, { type, length, data } = column
  const copy = (from: number, size: number): number => {
    const to = arena.alloc(size)
    kernel.move_bytes(to, from, size)
    return to
  }
  const valid = column.valid === undefined ? undefined : copy(column.valid, length)
  switch (data.kind) {
    case 'flat': return { type, length, valid, data: { kind: 'flat', values: copy(data.values, length * widthOf(layoutOf(type))) } }
    case 'var': {
      const { u32 } = memory.refresh(), first = u32[data.offsets / 4] ?? 0, size = (u32[data.offsets / 4 + length] ?? 0) - first
      const offsets = arena.alloc(4 * (length + 1))
      kernel.rebase_offsets(data.offsets, length, 0, offsets)
      return { type, length, valid, data: { kind: 'var', offsets, bytes: copy(data.bytes + first, size) } }
    }
    case 'dict': return { type, length, valid, data: { kind: 'dict', codes: copy(data.codes, 4 * length), dictionary: copyColumn(data.dictionary, machine, arena) } }
    case 'const': return { type, length, valid, data: { kind: 'const', one: copyColumn(data.one, machine, arena) } }
  }
}
