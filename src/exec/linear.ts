/** Filter, project and negate: operators that look at each row alone and not at its weight. */
import type { Batch, Column } from '../batch.ts'
import { invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import type { Arena } from '../memory.ts'
import type { Schema } from '../type.ts'
import { sameType } from '../type.ts'
import type { Predicate, Program, Selection } from './compile.ts'
import { compile, compilePredicate } from './compile.ts'
import { gatherBatch, weighted } from './gather.ts'
import type { Context, Operator } from './operator.ts'

/** Expressions over batches of one schema. Those that only name a column are that column; the others are compiled. */
export class Expressions {
  readonly #plain: readonly (number | undefined)[]
  readonly #program: Program | undefined

  constructor(exprs: readonly Expr[], input: Schema, context: Context) {
    this.#plain = exprs.map(expr => expr.kind === 'column' && sameType(expr.type, input[expr.index]?.type ?? expr.type) ? expr.index : undefined)
    const others = exprs.filter((_, i) => this.#plain[i] === undefined)
    this.#program = others.length === 0 ? undefined : compile(others, context)
  }

  /** A column an expression, valid as long as the batch and the arena are. */
  run(batch: Batch, arena: Arena): Column[] {
    const computed = this.#program?.run(batch, arena) ?? []
    let next = 0
    return this.#plain.map(index => {
      const column = index === undefined ? computed[next++] : batch.columns[index]
      invariant(column !== undefined, 'an expression names a column of its input')
      return column
    })
  }
}

/** A condition over batches. */
export class Condition {
  readonly #predicate: Predicate
  readonly #context: Context

  constructor(condition: Expr, context: Context) {
    this.#context = context
    this.#predicate = compilePredicate(condition, context)
  }

  /** The rows for which it is true. */
  select(batch: Batch, arena: Arena): Selection { return this.#predicate.select(batch, arena) }

  /** The chosen rows of a batch; undefined when there is none. */
  pick(batch: Batch, selection: Selection, arena: Arena): Batch | undefined {
    if (selection === 'all' || selection.count === batch.length) return batch
    return selection.count === 0 ? undefined : gatherBatch(batch, selection.rows, selection.count, this.#context, arena)
  }

  /** The batch's rows for which it is true; undefined when there is none. */
  filter(batch: Batch, arena: Arena): Batch | undefined { return this.pick(batch, this.select(batch, arena), arena) }
}

/** Rows for which the condition is true. */
export class Filter implements Operator {
  readonly schema: Schema
  readonly #condition: Condition
  readonly #arena: Arena

  constructor(condition: Expr, schema: Schema, context: Context) {
    this.schema = schema
    this.#condition = new Condition(condition, context)
    this.#arena = context.arena()
  }

  *push(_port: number, delta: Batch): Iterable<Batch> {
    this.#arena.reset()
    const kept = this.#condition.filter(delta, this.#arena)
    if (kept !== undefined) yield kept
  }

  flush(): Iterable<Batch> { return [] }
  close(): void { this.#arena.free() }
}

/** Each row's expressions. */
export class Project implements Operator {
  readonly schema: Schema
  readonly #expressions: Expressions
  readonly #arena: Arena

  constructor(exprs: readonly Expr[], input: Schema, schema: Schema, context: Context) {
    this.schema = schema
    this.#expressions = new Expressions(exprs, input, context)
    this.#arena = context.arena()
  }

  *push(_port: number, delta: Batch): Iterable<Batch> {
    this.#arena.reset()
    yield weighted({ schema: this.schema, length: delta.length, columns: this.#expressions.run(delta, this.#arena) }, delta.weights)
  }

  flush(): Iterable<Batch> { return [] }
  close(): void { this.#arena.free() }
}

/** Every row with its weight negated. */
export class Negate implements Operator {
  readonly schema: Schema
  readonly #context: Context
  readonly #arena: Arena

  constructor(schema: Schema, context: Context) {
    this.schema = schema
    this.#context = context
    this.#arena = context.arena()
  }

  *push(_port: number, delta: Batch): Iterable<Batch> {
    this.#arena.reset()
    const { kernel } = this.#context, weights = this.#arena.alloc(4 * delta.length)
    if (delta.weights === undefined) kernel.fill_32(weights, delta.length, 0xffffffff)
    else kernel.negate_32(delta.weights, delta.length, weights)
    yield weighted({ ...delta, schema: this.schema }, weights)
  }

  flush(): Iterable<Batch> { return [] }
  close(): void { this.#arena.free() }
}
