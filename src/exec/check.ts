/**
 * For tests: wraps an operator and holds it to the promise of operator.ts. Changes reach it cut and encoded at random (dictionaries, constants, slices,
 * weights of 1 written out); after each flush the sum of what it gave must be its definition applied to the sum of what it got.
 */
import type { Batch, Column } from '../batch.ts'
import { rowsOf, weightsOf } from '../column.ts'
import { invariant } from '../error.ts'
import type { Arena } from '../memory.ts'
import type { Plan } from '../plan.ts'
import type { Type } from '../type.ts'
import { layoutOf, typeKey } from '../type.ts'
import type { Context, Life, Operator } from './operator.ts'
import { flatten, gather, sliceBatch, sliceColumn, weighted } from './gather.ts'
import type { Counted } from './reference.ts'
import { compareRows, definition, rowKey, total } from './reference.ts'

/** Numbers in [0, 1), the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** A wrapper of operators; give it to `build`. */
export function checking(random: () => number, context: Context): (operator: Operator, plan: Plan, life: Life) => Operator {
  return (operator, plan, life) => {
    invariant(plan.kind !== 'scan' && plan.kind !== 'values', 'an operator has inputs')
    return new Checked(operator, plan, life, random, context)
  }
}

class Checked implements Operator {
  readonly schema
  readonly #inner: Operator
  readonly #plan: Exclude<Plan, { kind: 'scan' | 'values' }>
  readonly #life: Life
  readonly #random: () => number
  readonly #context: Context
  readonly #arena: Arena
  readonly #in: Map<string, Counted>[] = []
  #out = new Map<string, Counted>()

  constructor(inner: Operator, plan: Exclude<Plan, { kind: 'scan' | 'values' }>, life: Life, random: () => number, context: Context) {
    this.schema = inner.schema
    this.#inner = inner
    this.#plan = plan
    this.#life = life
    this.#random = random
    this.#context = context
    this.#arena = context.arena()
  }

  get done(): boolean { return this.#inner.done ?? false }

  *push(port: number, delta: Batch): Iterable<Batch> {
    checkBatch(delta, this.#context)
    const types = delta.schema.map(field => field.type), { memory } = this.#context
    this.#in[port] = total([...this.#in[port]?.values() ?? [], ...counted(delta, this.#context)], types)
    if (this.#life.appendOnly[port] === true) invariant(!weightsOf(delta, memory).some(weight => weight < 0), 'an append-only input lost a row')
    for (let from = 0; from < delta.length;) {
      this.#arena.reset()
      const to = Math.min(delta.length, from + 1 + Math.floor(this.#random() * (this.#random() < 0.2 ? 3 : 60)))
      yield* this.#note(this.#inner.push(port, this.#encoded(sliceBatch(delta, from, to))))
      from = to
    }
  }

  *flush(): Iterable<Batch> {
    yield* this.#note(this.#inner.flush())
    this.#compare()
  }

  *#note(batches: Iterable<Batch>): Iterable<Batch> {
    for (const batch of batches) {
      checkBatch(batch, this.#context)
      this.#out = total([...this.#out.values(), ...counted(batch, this.#context)], this.schema.map(field => field.type))
      yield batch
    }
  }

  #compare(): void {
    const plan = this.#plan, types = plan.schema.map(field => field.type), ports = plan.kind === 'join' ? 2 : plan.kind === 'union' ? plan.inputs.length : 1
    const inputs = Array.from({ length: ports }, (_, port) => [...this.#in[port]?.values() ?? []])
    if (this.done) return
    const expected = total(definition(plan, inputs), types)
    if (plan.kind === 'top' && (this.#life.epochs === 'one' || plan.limit !== undefined || plan.offset !== undefined)) { this.#compareTop(plan, inputs[0] ?? [], expected); return }
    compareRowSets(expected, this.#out, plan)
  }

  /** Rows that tie may be chosen freely: the keys must be those of the definition, and every row one of the input. */
  #compareTop(plan: Extract<Plan, { kind: 'top' }>, input: readonly Counted[], expected: Map<string, Counted>): void {
    const types = plan.schema.map(field => field.type), rows = [...this.#out.values()], have = total(input, types)
    for (const { row, weight } of rows) invariant((have.get(rowKey(row, types))?.weight ?? 0) >= weight && weight > 0, `top gave a row that is not there: ${show(row)}`)
    const list = (counts: Iterable<Counted>): Counted['row'][] => [...counts].flatMap(({ row, weight }) => new Array<Counted['row']>(weight).fill(row)).sort((a, b) => compareRows(plan, a, b))
    const a = list(expected.values()), b = list(rows)
    invariant(a.length === b.length, `top gave ${b.length} rows, not ${a.length}`)
    a.forEach((row, i) => invariant(compareRows(plan, row, b[i] ?? []) === 0, `row ${i} of top has other keys: ${show(b[i] ?? [])}, not ${show(row)}`))
  }

  /** The same rows, otherwise encoded. */
  #encoded(batch: Batch): Batch {
    const arena = this.#arena, columns = batch.columns.map(column => this.#encodedColumn(column))
    let { weights } = batch
    if (weights === undefined && this.#random() < 0.3) this.#context.kernel.fill_32(weights = arena.alloc(4 * batch.length), batch.length, 1)
    return weighted({ schema: batch.schema, length: batch.length, columns }, weights)
  }

  #encodedColumn(column: Column): Column {
    const machine = this.#context, arena = this.#arena, n = column.length, plain = flatten(column, machine, arena), { memory } = machine
    const way = this.#random()
    if (way < 0.3) return column
    if (way < 0.45) { // a slice of more
      const rows = arena.alloc(4 * (n + 3))
      memory.u32.set([0, ...Array.from({ length: n }, (_, i) => i), 0, 0], rows / 4)
      return sliceColumn(gather(plain, rows, n + 3, machine, arena), 1, n + 1)
    }
    if (way < 0.6) { // a dictionary, with an entry twice and one that nobody uses
      const rows = arena.alloc(4 * (n + 1)), codes = arena.alloc(4 * n)
      memory.u32.set([...Array.from({ length: n }, (_, i) => i), 0], rows / 4)
      memory.u32.set(Array.from({ length: n }, (_, i) => i), codes / 4)
      const dictionary = gather({ ...plain, valid: undefined }, rows, n + 1, machine, arena)
      return { type: column.type, length: n, valid: plain.valid, data: { kind: 'dict', codes, dictionary } }
    }
    const rows = rowsOf({ schema: [{ name: '', type: column.type, nullable: true }], length: n, columns: [plain] }, memory)
    const different = [...new Set(rows.map(row => show(row)))]
    if (different.length > 1) { // a dictionary of each value once
      const names = rows.map(row => show(row)), firsts = arena.alloc(4 * different.length), codes = arena.alloc(4 * n)
      memory.u32.set(different.map(name => names.indexOf(name)), firsts / 4)
      memory.u32.set(names.map(name => different.indexOf(name)), codes / 4)
      return { type: column.type, length: n, valid: plain.valid, data: { kind: 'dict', codes, dictionary: gather({ ...plain, valid: undefined }, firsts, different.length, machine, arena) } }
    }
    return { type: column.type, length: n, valid: undefined, data: { kind: 'const', one: sliceColumn(plain, 0, 1) } }
  }

  close(): void {
    this.#inner.close()
    this.#arena.free()
  }
}

const show = (row: readonly unknown[]): string => JSON.stringify(row, (_, x: unknown) => typeof x === 'bigint' ? `${x}n` : typeof x === 'number' ? Object.is(x, -0) ? '-0' : String(x) : x instanceof Uint8Array ? [...x] : x)

function counted(batch: Batch, context: Context): Counted[] {
  const weights = weightsOf(batch, context.memory)
  return rowsOf(batch, context.memory).map((row, i) => ({ row, weight: weights[i] ?? 0 }))
}

/** Throws unless both are the same rows as often. */
export function compareRowSets(expected: ReadonlyMap<string, Counted>, given: ReadonlyMap<string, Counted>, plan: Plan): void {
  const wrong: string[] = []
  for (const [key, { row, weight }] of expected) if (given.get(key)?.weight !== weight) wrong.push(`${given.get(key)?.weight ?? 0} instead of ${weight} of ${show(row)}`)
  for (const [key, { row, weight }] of given) if (!expected.has(key)) wrong.push(`${weight} instead of 0 of ${show(row)}`)
  invariant(wrong.length === 0, `${plan.kind}${plan.kind === 'join' ? ` ${plan.how}` : ''} gave\n${wrong.slice(0, 6).join('\n')}\n(${wrong.length} rows differ)`)
}

/** What must be true of every batch. */
function checkBatch(batch: Batch, { memory }: Context): void {
  invariant(batch.columns.length === batch.schema.length, 'a batch has a column for each field')
  batch.columns.forEach((column, i) => {
    const field = batch.schema[i]
    invariant(column.length === batch.length, `column ${i} has ${column.length} rows, not ${batch.length}`)
    invariant(field !== undefined && sameLayout(column.type, field.type), `column ${i} is of type ${typeKey(column.type)}, not ${typeKey(field?.type ?? column.type)}`)
  })
  if (batch.weights !== undefined) invariant(!weightsOf(batch, memory).includes(0), 'no weight is 0')
}

const sameLayout = (a: Type, b: Type): boolean => layoutOf(a) === layoutOf(b) && (a.kind !== 'numeric' || b.kind !== 'numeric' || a.scale === b.scale)
