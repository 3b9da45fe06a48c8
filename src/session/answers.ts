/** Answers made of rows at hand, for statements that are not queries. */
import type { Batch } from '../batch.ts'
import { batchFromRows } from '../column.ts'
import type { Memory } from '../memory.ts'
import type { Schema } from '../type.ts'
import type { Value } from '../value.ts'
import type { Answer, AnswerField } from './face.ts'

async function* nothing(): AsyncGenerator<Batch, void, undefined> { /* no rows */ }

/** A statement without rows, done already. */
export function done(tag: string): Answer {
  return { fields: undefined, schema: [], batches: nothing(), tag: () => tag }
}

/** A statement without rows that does its work when it is read. `work` gives the tag. */
export function doing(work: () => Promise<string>): Answer {
  let tag = ''
  async function* run(): AsyncGenerator<Batch, void, undefined> { tag = await work() }
  return { fields: undefined, schema: [], batches: run(), tag: () => tag }
}

/** Rows at hand. */
export function rowsAnswer(schema: Schema, rows: readonly (readonly Value[])[], memory: Memory, tag: string | ((rows: number) => string)): Answer {
  async function* run(): AsyncGenerator<Batch, void, undefined> {
    using arena = memory.arena()
    if (rows.length > 0) yield batchFromRows(schema, rows, arena)
  }
  return { fields: fieldsOf(schema), schema, batches: run(), tag: typeof tag === 'string' ? () => tag : tag }
}

/** Columns that are no table's. */
export function fieldsOf(schema: Schema): AnswerField[] {
  return schema.map(field => ({ name: field.name, type: field.type, tableOid: 0, columnNumber: 0 }))
}
