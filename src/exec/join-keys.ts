/** What both kinds of join share: keys, the table of keys, and rows without a match. */
import type { Batch, Column } from '../batch.ts'
import type { Expr } from '../expr.ts'
import type { Arena } from '../memory.ts'
import type { JoinPlan } from '../plan.ts'
import type { Schema } from '../type.ts'
import { nullColumn, weighted } from './gather.ts'
import { HashTable } from './hash.ts'
import { Expressions } from './linear.ts'
import type { Context } from './operator.ts'

/** The keys of one side of a join, evaluated. */
export class JoinKeys {
  readonly #expressions: Expressions

  constructor(keys: readonly Expr[], input: Schema, context: Context) { this.#expressions = new Expressions(keys, input, context) }

  of(batch: Batch, arena: Arena): Column[] { return this.#expressions.run(batch, arena) }
}

/** The table of a join's keys, in which NULL matches nothing. */
export function keyTable(plan: JoinPlan, context: Context): HashTable {
  return new HashTable(plan.keys.map(({ left }) => ({ type: left.type, nullable: true })), context, { nullsMatchNothing: true })
}

/** Rows without a match on the other side: its columns are NULL. */
export function padded(batch: Batch, side: 0 | 1, other: Schema, schema: Schema, arena: Arena): Batch {
  const nulls = other.map(field => nullColumn(field.type, batch.length, arena))
  return weighted({ schema, length: batch.length, columns: side === 0 ? [...batch.columns, ...nulls] : [...nulls, ...batch.columns] }, batch.weights)
}
