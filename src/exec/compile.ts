/**
 * Expressions made into programs that run over batches. A program is opened on the thread that runs it; what travels between threads is its handle,
 * plain data. Compiled loops are kept by structure: literals and parameters are values, not text of the program.
 */
import type { Batch, Column } from '../batch.ts'
import { columnReader, columnFromValues } from '../column.ts'
import { encodeValue, setFixed } from '../datum.ts'
import { SqlError, invariant } from '../error.ts'
import type { Expr } from '../expr.ts'
import { column, columnsOf, mapExpr } from '../expr.ts'
import type { Address, Arena, Memory } from '../memory.ts'
import type { Parameters } from '../plan.ts'
import { layoutOf, sameType, widthOf } from '../type.ts'
import type { Type } from '../type.ts'
import type { Environment } from '../function/body.ts'
import type { Value } from '../value.ts'
import { keyOf } from './expression.ts'
import { callFunction } from './invocation.ts'
import type { Encoding } from './encoding.ts'
import type { Loop, LoopOutput, Source } from './loop.ts'
import { columnsRead, loopFor } from './loop.ts'
import { layPairs } from './pairs.ts'
import type { Normal, Output, Staged, Uniform } from './staging.ts'
import { isVolatile, normalize, overFirst, replaceParts, stage } from './staging.ts'

/** What a program needs; `Context` of operator.ts is one. */
export interface ProgramContext {
  readonly memory: Memory
  readonly parameters: Parameters
}

/** A program as plain data, for another thread to open. */
export interface ProgramHandle {
  readonly exprs: readonly Expr[]
}

/** Rows for which a condition is true: ascending numbers, u32 side by side; or every row. */
export type Selection = 'all' | { readonly count: number; readonly rows: Address }

/** V8 does not replace a running loop by its optimised version: a call handles no more rows than this. */
const STRIDE = 16384

/** A program for these expressions. How a batch's columns lie, and whether they have NULLs, is seen batch by batch. */
export const compile = (exprs: readonly Expr[], context: ProgramContext): Program => withinStack(() => new Program(exprs, context))

export const openProgram = (handle: ProgramHandle, context: ProgramContext): Program => compile(handle.exprs, context)

export const compilePredicate = (condition: Expr, context: ProgramContext): Predicate => new Predicate(compile([condition], context))

/** The value of an expression without columns: the very code that would run in a query, on one row. */
export function evaluateConstant(expr: Expr, parameters: Parameters, context: ProgramContext): Value {
  const arena = context.memory.arena()
  try {
    const [column] = withinStack(() => compile([expr], context).over([], 1, arena, parameters))
    invariant(column !== undefined, 'one expression, one column')
    return columnReader(column, context.memory)(0)
  } finally {
    arena.free()
  }
}

/** What is nested too deep is the user's failure, as in PostgreSQL. */
function withinStack<T>(f: () => T): T {
  try { return f() } catch (error) {
    if (error instanceof RangeError && error.message.includes('call stack')) throw new SqlError('54001', 'stack depth limit exceeded')
    throw error
  }
}

/** Over fewer rows making a loop costs more than running several. */
const FEW = 512

export class Program {
  readonly handle: ProgramHandle
  /** Its columns are numbered as they are read, so that the same expression has the same loop wherever its columns are. */
  readonly #normal: Normal
  /** Positions in the batch of the columns that are read. */
  readonly #read: readonly number[]
  readonly #context: ProgramContext
  /** By which input columns are dictionaries or constant. */
  readonly #plans = new Map<string, Prepared>()
  readonly #used: readonly number[]
  /** A program an expression: queries differ more than their expressions do, so that their loops are often there already. */
  #each: readonly Program[] | undefined
  #image: { readonly parameters: Parameters; readonly image: UniformImage } | undefined

  constructor(exprs: readonly Expr[], context: ProgramContext) {
    this.handle = { exprs }
    const { exprs: normal, uniforms } = normalize(exprs), read = columnsOf(...normal)
    this.#read = read
    this.#normal = { exprs: normal.map(expr => mapExpr(expr, node => node.kind === 'column' ? column(read.indexOf(node.index), node.type) : node)), uniforms }
    this.#context = context
    this.#used = read.map((_, i) => i)
  }

  /** The expressions' values, one column each. An expression that is a column gives that very column. What is new is in `arena`. */
  run(batch: Batch, arena: Arena, parameters = this.#context.parameters): Column[] {
    return withinStack(() => this.over(batch.columns, batch.length, arena, parameters))
  }

  /** The same over columns of `length` rows. */
  over(columns: readonly Column[], length: number, arena: Arena, parameters: Parameters): Column[] {
    if (length === 0) return this.#normal.exprs.map(expr => columnFromValues([], expr.type, arena))
    if (length <= FEW && this.handle.exprs.length > 1) {
      this.#each ??= this.handle.exprs.map(expr => new Program([expr], this.#context))
      return this.#each.flatMap(program => program.over(columns, length, arena, parameters))
    }
    const { finals, slots } = this.#evaluateAhead(columns, length, arena, parameters)
    const results = finals.map((expr): Column | undefined => {
      const column = columnOf(expr)
      if (column !== undefined) return slots.plain(column.index, column.type, arena)
      return expr.kind === 'literal' || expr.kind === 'param' ? slots.constant(expr, arena) : undefined
    })
    const rest = finals.flatMap((expr, i) => results[i] === undefined ? [{ expr, guard: undefined, slot: i }] : [])
    if (rest.length > 0) slots.compute(rest, arena).forEach((column, k) => { results[rest[k]?.slot ?? 0] = column })
    return results.map(column => { invariant(column !== undefined, 'a result'); return column })
  }

  /** Of a program of one condition: the rows for which it is true (not false, not NULL). */
  select(batch: Batch, arena: Arena, parameters = this.#context.parameters): Selection {
    if (batch.length === 0) return { count: 0, rows: arena.alloc(0) }
    return withinStack(() => {
      const { finals, slots } = this.#evaluateAhead(batch.columns, batch.length, arena, parameters)
      const [condition] = finals
      invariant(condition !== undefined, 'a condition')
      return slots.select(condition, arena)
    })
  }

  /** Runs everything up to the last pass. */
  #evaluateAhead(batch: readonly Column[], length: number, arena: Arena, parameters: Parameters): { finals: readonly Expr[]; slots: Slots } {
    const { memory } = this.#context, columns = this.#read.map(index => {
      const column = batch[index]
      invariant(column !== undefined, 'an expression reads columns of its input')
      return column
    })
    memory.refresh()
    const image = this.#uniforms(parameters)
    const slots = new Slots(columns, length, image, this.#context)
    let key = ''
    for (const i of this.#used) key += kindOf(columns[i], length)
    let plan = this.#plans.get(key)
    if (plan === undefined) this.#plans.set(key, plan = prepare(this.#normal, columns, key, this.#used))
    if (plan.parts.length > 0) {
      try {
        for (const part of plan.parts) slots.put(part.slot, this.#part(part, columns, arena, image, parameters))
      } catch (error) {
        // an entry or constant that no row needs may have raised: row by row tells
        if (!(error instanceof SqlError)) throw error
        const plain = 'o'.repeat(this.#used.length)
        plan = this.#plans.get(`plain ${plain}`) ?? prepare(this.#normal, columns, plain, this.#used, true)
        this.#plans.set(`plain ${plain}`, plan)
      }
    }
    slots.pass(plan.staged, arena, parameters)
    return { finals: plan.staged.finals, slots }
  }

  /** One part evaluated over a dictionary, or once for all rows. */
  #part(part: Part, columns: readonly Column[], arena: Arena, image: UniformImage, parameters: Parameters): Slot {
    const source = part.column === undefined ? undefined : columns[part.column]
    const evaluate = (input: readonly Column[], length: number): Column => {
      const slots = new Slots(input, length, image, this.#context)
      slots.pass(part.staged, arena, parameters)
      const [final] = part.staged.finals
      invariant(final !== undefined, 'a part is one expression')
      if (final.kind === 'column') return withoutDictionary(slots.plain(final.index, final.type, arena), arena)
      const [column] = slots.compute([{ expr: final, guard: undefined, slot: 0 }], arena)
      invariant(column !== undefined, 'one expression, one column')
      return column
    }
    if (source?.data.kind !== 'dict') {
      const one = evaluate(columns, 1)
      return { kind: 'column', column: { type: one.type, length: source?.length ?? 1, valid: undefined, data: one.data.kind === 'const' ? one.data : { kind: 'const', one } } }
    }
    const { dictionary, codes } = source.data, nullCode = source.valid === undefined ? undefined : dictionary.length
    const entries = evaluate([nullCode === undefined ? dictionary : withNull(dictionary, arena)], dictionary.length + (nullCode === undefined ? 0 : 1))
    return { kind: 'lookup', entries, codes, valid: source.valid, nullCode, length: source.length }
  }

  #uniforms(parameters: Parameters): UniformImage {
    if (this.#image?.parameters !== parameters) this.#image = { parameters, image: new UniformImage(this.#normal.uniforms, parameters) }
    return this.#image.image
  }
}

/** A function may give a dictionary of its results; the entries of another dictionary, and a constant's one value, are plain. */
function withoutDictionary(column: Column, arena: Arena): Column {
  if (column.data.kind !== 'dict') return column
  const read = columnReader(column, arena.memory)
  return columnFromValues(Array.from({ length: column.length }, (_, row) => read(row)), column.type, arena)
}

/** A condition over batches. */
export class Predicate {
  readonly program: Program
  constructor(program: Program) { this.program = program }
  get handle(): ProgramHandle { return this.program.handle }

  /** The rows of the batch for which the condition is true (not false, not NULL). */
  select(batch: Batch, arena: Arena): Selection { return this.program.select(batch, arena) }
}

// ---- parts that need not be computed for every row ------------------------------------------------------------------

/** A part of an expression that depends on one dictionary (`column`), or on constants only. */
interface Part {
  readonly staged: Staged
  readonly column: number | undefined
  readonly slot: number
}

interface Prepared {
  readonly staged: Staged
  readonly parts: readonly Part[]
}

/** o: one value a row · d: a dictionary smaller than the batch · c: constant */
function kindOf(column: Column | undefined, length: number): string {
  switch (column?.data.kind) {
    case 'dict': return column.data.dictionary.length < length ? 'd' : 'o'
    case 'const': return 'c'
    default: return 'o'
  }
}

function prepare(normal: Normal, columns: readonly Column[], kinds: string, used: readonly number[], plain = false): Prepared {
  const kindAt = new Map(used.map((column, i) => [column, kinds[i] ?? 'o']))
  const parts: Part[] = [], known = new Map<string, Expr>()
  let width = columns.length
  const exprs = plain ? normal.exprs : normal.exprs.map(expr => replaceParts(expr, node => {
    const read = columnsOf(node)
    return (read.every(c => kindAt.get(c) === 'c') || (read.length === 1 && kindAt.get(read[0] ?? -1) === 'd')) && !isVolatile(node)
  }, node => {
    const key = keyOf(node), found = known.get(key)
    if (found !== undefined) return found
    const read = columnsOf(node), dictionary = read.length === 1 && kindAt.get(read[0] ?? -1) === 'd' ? read[0] : undefined
    const slot = width++
    parts.push({ staged: dictionary === undefined ? stage([node], columns.length) : stage([overFirst(node)], 1), column: dictionary ?? read[0], slot })
    const column: Expr = { kind: 'column', index: slot, type: node.type }
    known.set(key, column)
    return column
  }))
  return { staged: stage(exprs, width), parts }
}

/** The dictionary with a NULL behind its last entry. */
function withNull(dictionary: Column, arena: Arena): Column {
  const { memory } = arena, { length, data, type } = dictionary, valid = arena.alloc(length + 1)
  memory.u8.fill(1, valid, valid + length)
  memory.u8[valid + length] = 0
  if (data.kind === 'flat') {
    const width = widthOf(layoutOf(type)), values = arena.alloc((length + 1) * width)
    memory.u8.copyWithin(values, data.values, data.values + length * width)
    memory.u8.fill(0, values + length * width, values + (length + 1) * width)
    return { type, length: length + 1, valid, data: { kind: 'flat', values } }
  }
  invariant(data.kind === 'var', 'a dictionary is flat or var')
  const offsets = arena.alloc(4 * (length + 2))
  memory.u8.copyWithin(offsets, data.offsets, data.offsets + 4 * (length + 1))
  memory.u32[offsets / 4 + length + 1] = memory.u32[offsets / 4 + length] ?? 0
  return { type, length: length + 1, valid, data: { kind: 'var', offsets, bytes: data.bytes } }
}

// ---- uniforms ---------------------------------------------------------------------------------------------------------

/** The uniforms' bytes: 16 each, then what var values and sets point to. Made once for the parameters, copied for each run. */
class UniformImage {
  readonly entries: readonly { readonly type: Type; readonly isNull: boolean; readonly value: Value }[]
  readonly #bytes: Uint8Array
  /** Where in the bytes an address stands that is relative to the bytes' start. */
  readonly #relative: readonly number[]

  constructor(uniforms: readonly Uniform[], parameters: Parameters) {
    const entries: { type: Type; isNull: boolean; value: Value }[] = [], relative: number[] = [], payload: { at: number; bytes: Uint8Array }[] = []
    let size = 16 * uniforms.length
    /** Room for bytes, with 16 readable ones behind them. */
    const place = (bytes: Uint8Array): number => {
      const at = size
      payload.push({ at, bytes })
      size += Math.ceil((bytes.length + 16) / 16) * 16
      return at
    }
    const heads: ((view: DataView) => void)[] = []
    uniforms.forEach((uniform, i) => {
      const at = 16 * i
      const pair = (address: number, length: number): void => {
        relative.push(at)
        heads.push(view => { view.setUint32(at, address, true); view.setUint32(at + 4, length, true) })
      }
      if (uniform.kind === 'set') {
        entries.push({ type: uniform.type, isNull: false, value: null })
        pair(setImage(uniform, place, relative), uniform.values.length)
        return
      }
      const value = uniform.kind === 'literal' ? uniform.value : parameters.values[uniform.index - 1] ?? null
      entries.push({ type: uniform.type, isNull: value === null, value })
      if (value === null) return
      if (layoutOf(uniform.type) === 'var') { const bytes = encodeValue(value, uniform.type); pair(place(bytes), bytes.length) }
      else heads.push(view => setFixed(view, at, value, uniform.type))
    })
    this.#bytes = new Uint8Array(size)
    const view = new DataView(this.#bytes.buffer)
    for (const head of heads) head(view)
    for (const { at, bytes } of payload) this.#bytes.set(bytes, at)
    this.#relative = relative
    this.entries = entries
  }

  put(arena: Arena): Address {
    const address = arena.alloc(this.#bytes.length), { memory } = arena
    memory.u8.set(this.#bytes, address)
    for (const at of this.#relative) memory.u32[(address + at) / 4] = (memory.u32[(address + at) / 4] ?? 0) + address
    return address
  }
}

/** A set's sorted values: i64s, or (address, length) pairs. */
function setImage(set: Extract<Uniform, { kind: 'set' }>, place: (bytes: Uint8Array) => number, relative: number[]): number {
  const n = set.values.length, bytes = new Uint8Array(8 * n), view = new DataView(bytes.buffer), layout = layoutOf(set.type)
  if (layout !== 'var') {
    set.values.forEach((value, i) => {
      if (value === null) return
      if (typeof value === 'number') view.setBigInt64(8 * i, BigInt(value), true)
      else setFixed(view, 8 * i, value, set.type)
    })
    return place(bytes)
  }
  const encoded = set.values.map(value => value === null ? new Uint8Array(0) : encodeValue(value, set.type)).map(part => ({ part, at: place(part) }))
  encoded.forEach(({ part, at }, i) => { view.setUint32(8 * i, at, true); view.setUint32(8 * i + 4, part.length, true) })
  const address = place(bytes)
  for (let i = 0; i < n; i++) relative.push(address + 8 * i)
  return address
}

// ---- columns and slots ------------------------------------------------------------------------------------------------

/** Results for the entries of a dictionary, and which entry each row has; NULL rows have entry `nullCode`. */
export interface Lookup {
  readonly kind: 'lookup'
  readonly entries: Column
  readonly codes: Address
  readonly valid: Address | undefined
  readonly nullCode: number | undefined
  readonly length: number
}

type Slot = { readonly kind: 'column'; readonly column: Column } | Lookup

/** The columns that one run works with: the input's, and what it has computed so far. */
export class Slots {
  readonly length: number
  readonly #slots: (Slot | undefined)[]
  readonly #image: UniformImage
  readonly #context: ProgramContext
  #uniforms: Address | undefined

  constructor(columns: readonly Column[], length: number, image: UniformImage, context: ProgramContext) {
    this.#slots = columns.map(column => ({ kind: 'column', column }))
    this.length = length
    this.#image = image
    this.#context = context
  }

  put(slot: number, value: Slot | Column): void {
    this.#slots[slot] = 'kind' in value ? value : { kind: 'column', column: value }
  }

  /** Runs the passes: generated code, then functions. */
  pass({ passes }: Staged, arena: Arena, environment: Environment): void {
    for (const pass of passes) {
      this.compute(pass.outputs, arena).forEach((column, i) => this.put(pass.outputs[i]?.slot ?? 0, column))
      for (const invocation of pass.invocations) this.put(invocation.slot, callFunction(invocation, this, this.length, arena, environment))
    }
  }

  #at(index: number): Slot {
    const slot = this.#slots[index]
    invariant(slot !== undefined, `slot ${index} is empty`)
    return slot
  }

  /** A slot as an ordinary column. `type` is what the expression says of it: the same layout under another name, perhaps. */
  plain(index: number, type: Type, arena: Arena): Column {
    const slot = this.#at(index)
    if (slot.kind === 'column') {
      const column = retyped(slot.column, type)
      return column.data.kind === 'const' && column.length !== this.length ? { ...column, length: this.length } : column
    }
    const { nullCode, codes, valid } = slot, entries = retyped(slot.entries, type), { memory } = arena
    // NULL only where the row is: still a dictionary
    const nulls = entries.valid
    if (entries.data.kind !== 'const' && (nullCode === undefined ? nulls === undefined : nulls !== undefined && nullCode > 0 && memory.u8[nulls + nullCode] === 0 && !memory.u8.subarray(nulls, nulls + nullCode).includes(0))) {
      return { type: entries.type, length: slot.length, valid, data: { kind: 'dict', codes, dictionary: { ...entries, length: nullCode ?? entries.length, valid: undefined } } }
    }
    const [column] = this.compute([{ expr: { kind: 'column', index, type }, guard: undefined, slot: 0 }], arena)
    invariant(column !== undefined, 'one expression, one column')
    return column
  }

  /** A literal or uniform as a column. */
  constant(expr: Extract<Expr, { kind: 'literal' | 'param' }>, arena: Arena): Column {
    const value = expr.kind === 'literal' ? expr.value : this.#image.entries[expr.index]?.value ?? null
    return { type: expr.type, length: this.length, valid: undefined, data: { kind: 'const', one: columnFromValues([value], expr.type, arena) } }
  }

  /** The address of a slot that holds truth values without NULLs. */
  flags(index: number): Address {
    const slot = this.#at(index)
    invariant(slot.kind === 'column' && slot.column.data.kind === 'flat', 'flags are flat')
    return slot.column.data.values
  }

  #encoding(index: number): Encoding {
    const slot = this.#at(index)
    if (slot.kind === 'lookup') {
      const { type, data, valid } = slot.entries
      if (data.kind !== 'const') return { kind: 'lookup', nullable: valid !== undefined, rowsNullable: slot.valid !== undefined, type }
      return constEncoding(data.one, this.#context.memory)
    }
    const { type, valid, data } = slot.column
    if (data.kind === 'const') return constEncoding(data.one, this.#context.memory)
    return { kind: data.kind, nullable: valid !== undefined, rowsNullable: false, type }
  }

  /** The expressions as columns, in one loop. */
  compute(outputs: readonly Output[], arena: Arena): Column[] {
    if (outputs.length === 0) return []
    const loop = this.#loop('project', outputs), n = this.length
    const outs = outputs.map(o => arena.alloc(n * (widthOf(layoutOf(o.expr.type)) || 8)))
    const valids = outputs.map((_, i) => loop.nullable[i] === true ? arena.alloc(n) : undefined)
    this.#runLoop(loop, arena, (kind, i) => kind === 'out' ? outs[i] : valids[i], undefined)
    return outputs.map(({ expr: { type } }, i) => {
      const values = outs[i] ?? 0, valid = valids[i]
      return { type, length: n, valid, data: layoutOf(type) === 'var' ? layPairs(values, n, arena) : { kind: 'flat', values } }
    })
  }

  /** The rows for which the condition is true. */
  select(condition: Expr, arena: Arena): Selection {
    const loop = this.#loop('select', [{ expr: condition, guard: undefined }]), rows = arena.alloc(4 * this.length + 64)
    const count = this.#runLoop(loop, arena, () => undefined, rows)
    return count === this.length ? 'all' : { count, rows }
  }

  #loop(kind: 'project' | 'select', outputs: readonly LoopOutput[]): Loop {
    const encodings = new Map(columnsRead(outputs).map(i => [i, this.#encoding(i)]))
    return loopFor({ kind, outputs, encodings, uniforms: this.#image.entries })
  }

  #runLoop(loop: Loop, arena: Arena, out: (kind: 'out' | 'outValid', output: number) => Address | undefined, rows: Address | undefined): number {
    const { sources } = loop, block = arena.alloc(4 * sources.length), faults = arena.alloc(4)
    if (this.#uniforms === undefined && sources.some(source => source.kind === 'uniforms')) this.#uniforms = this.#image.put(arena)
    const { memory } = arena
    sources.forEach((source, i) => { memory.u32[block / 4 + i] = this.#word(source, faults, out, rows) })
    const run = loop.over(memory.wasm)
    let count = 0
    for (let from = 0; from < this.length; from += STRIDE) {
      const got = run(block, from, Math.min(this.length, from + STRIDE))
      const bits = memory.i32[faults / 4] ?? 0
      if (bits !== 0) {
        const fault = loop.faults[31 - Math.clz32(bits & -bits)]
        throw new SqlError(fault?.code ?? 'XX000', fault?.message ?? 'fault', fault?.detail === undefined ? {} : { detail: fault.detail })
      }
      if (rows !== undefined) {
        count += got
        for (let i = 0; i < sources.length; i++) if (sources[i]?.kind === 'rows') memory.u32[block / 4 + i] = rows + 4 * count
      }
    }
    return count
  }

  #word(source: Source, faults: Address, out: (kind: 'out' | 'outValid', output: number) => Address | undefined, rows: Address | undefined): number {
    switch (source.kind) {
      case 'out': case 'outValid': return out(source.kind, source.output) ?? 0
      case 'uniforms': return this.#uniforms ?? 0
      case 'rows': return rows ?? 0
      case 'faults': return faults
      case 'values': case 'valid': case 'codes': case 'offsets': case 'bytes': case 'entryValid': case 'nullCode': return slotWord(this.#at(source.column), source.kind)
    }
  }
}

/** The column under another type of the same layout. */
function retyped(column: Column, type: Type): Column {
  if (column.type === type || sameType(column.type, type)) return column
  invariant(layoutOf(column.type) === layoutOf(type), 'a type of another layout')
  const { data } = column
  switch (data.kind) {
    case 'flat': case 'var': return { ...column, type }
    case 'dict': return { ...column, type, data: { ...data, dictionary: retyped(data.dictionary, type) } }
    case 'const': return { ...column, type, data: { ...data, one: retyped(data.one, type) } }
  }
}

/** The column that an expression is, if it is one; a relabelled column, too. */
function columnOf(expr: Expr): Extract<Expr, { kind: 'column' }> | undefined {
  if (expr.kind === 'column') return expr
  const [inner] = expr.kind === 'call' && expr.fn === 'relabel' ? expr.args : []
  const column = inner === undefined ? undefined : columnOf(inner)
  return column === undefined || layoutOf(column.type) !== layoutOf(expr.type) ? undefined : { ...column, type: expr.type }
}

function constEncoding(one: Column, memory: Memory): Encoding {
  const isNull = one.valid !== undefined && memory.u8[one.valid] === 0
  return { kind: isNull ? 'none' : 'const', nullable: false, rowsNullable: false, type: one.type }
}

type ColumnWord = Extract<Source, { readonly column: number }>['kind']

function slotWord(slot: Slot, kind: ColumnWord): number {
  const holder = slot.kind === 'lookup' ? slot.entries : slot.column
  const { data } = holder
  // where the values of rows or entries are
  const values = data.kind === 'dict' ? data.dictionary.data : data.kind === 'const' ? data.one.data : data
  switch (kind) {
    case 'values': return values.kind === 'flat' ? values.values : 0
    case 'offsets': return values.kind === 'var' ? values.offsets : 0
    case 'bytes': return values.kind === 'var' ? values.bytes : 0
    case 'codes': return slot.kind === 'lookup' ? slot.codes : data.kind === 'dict' ? data.codes : 0
    case 'valid': return (slot.kind === 'lookup' ? slot.valid : slot.column.valid) ?? 0
    case 'entryValid': return slot.kind === 'lookup' ? slot.entries.valid ?? 0 : 0
    case 'nullCode': return slot.kind === 'lookup' ? slot.nullCode ?? 0 : 0
  }
}
