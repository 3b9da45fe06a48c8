/** UNION ALL: what comes in on any port goes out. */
import type { Batch } from '../batch.ts'
import type { Schema } from '../type.ts'
import { weighted } from './gather.ts'
import type { Operator } from './operator.ts'

export class Union implements Operator {
  readonly schema: Schema

  constructor(schema: Schema) { this.schema = schema }

  *push(_port: number, delta: Batch): Iterable<Batch> {
    yield weighted({ schema: this.schema, length: delta.length, columns: delta.columns }, delta.weights)
  }

  flush(): Iterable<Batch> { return [] }
  close(): void { /* keeps nothing */ }
}
