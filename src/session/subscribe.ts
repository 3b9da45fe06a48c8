/** SUBSCRIBE as rows: time, (progressed,) difference, then the columns of the query; the meaning is Materialize's. */
import type { Batch } from '../batch.ts'
import { columnFromValues, constColumn, weightsOf, batchFromRows } from '../column.ts'
import type { Arena, Memory } from '../memory.ts'
import type { Schema } from '../type.ts'
import { BOOL, INT8 } from '../type.ts'
import type { Epoch, Subscription } from '../view.ts'

/** The schema of a subscription's rows. `mz_timestamp` is in milliseconds since 1970; `mz_diff` how many times the row came (or went, when negative). */
export function subscribeSchema(columns: Schema, progress: boolean): Schema {
  return [
    { name: 'mz_timestamp', type: INT8, nullable: false },
    ...(progress ? [{ name: 'mz_progressed', type: BOOL, nullable: false }] : []),
    { name: 'mz_diff', type: INT8, nullable: progress },
    ...(progress ? columns.map(field => ({ ...field, nullable: true })) : columns),
  ]
}

/** The rows of an epoch. A batch is valid until the next is asked for. */
export async function* epochRows(epoch: Epoch, columns: Schema, progress: boolean, memory: Memory): AsyncGenerator<Batch, void, undefined> {
  const schema = subscribeSchema(columns, progress)
  for await (const batch of epoch.batches) {
    if (batch.length === 0) continue
    using arena = memory.arena()
    const weights = [...weightsOf(batch, memory)].map(BigInt)
    yield {
      schema, length: batch.length,
      columns: [
        constColumn(BigInt(epoch.timestamp), INT8, batch.length, arena),
        ...(progress ? [constColumn(false, BOOL, batch.length, arena)] : []),
        columnFromValues(weights, INT8, arena),
        ...batch.columns,
      ],
    }
  }
  if (progress) {
    using arena = memory.arena()
    yield progressRow(epoch.timestamp + 1, schema, arena)
  }
}

function progressRow(timestamp: number, schema: Schema, arena: Arena): Batch {
  return batchFromRows(schema, [[BigInt(timestamp), true, ...schema.slice(2).map(() => null)]], arena)
}

/** All rows of a subscription, waiting for each epoch; ends when the subscription does, and closes it when it is left. */
export async function* subscriptionRows(subscription: Subscription, columns: Schema, progress: boolean, memory: Memory): AsyncGenerator<Batch, void, undefined> {
  try {
    for (;;) {
      const epoch = await subscription.next(progress ? 1000 : undefined)
      if (epoch !== undefined) yield* epochRows(epoch, columns, progress, memory)
      else if (subscription.ended) return
      else {
        // idle: tell that time goes on, although nothing changes
        using arena = memory.arena()
        yield progressRow(subscription.idle(), subscribeSchema(columns, progress), arena)
      }
    }
  } finally {
    subscription.close()
  }
}
