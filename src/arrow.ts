/** The door to apache-arrow: batches as Arrow record batches, for the library's results and for the Parquet writer. */
import { Binary, Bool, Data, DateDay, Decimal, Field as ArrowField, Float32, Float64, Int16, Int32, Int64, Int8, IntervalMonthDayNano, List, Map_, Null, RecordBatch, RecordBatchStreamWriter, Schema as ArrowSchema, Struct, TimeMicrosecond, TimeMillisecond, TimeUnit, Timestamp, Uint32, Utf8 } from 'apache-arrow'
import type { DataType } from 'apache-arrow'
import type { Batch, Column } from './batch.ts'
import { columnFromValues, columnReader } from './column.ts'
import { asArray, asDecimal, asList, asText, asTimeTz } from './datum.ts'
import { SqlError, invariant, unsupported } from './error.ts'
import { flattenColumn } from './gather.ts'
import type { Kernel } from './kernel/kernel.ts'
import type { Arena, Memory } from './memory.ts'
import { formatDecimal } from './text/number.ts'
import { formatTimeTz } from './text/time.ts'
import { layoutOf, typeName } from './type.ts'
import type { Field, Type } from './type.ts'
import type { Value } from './value.ts'

/** A column as Arrow is to hold it, where its SQL type leaves a choice. */
export interface ArrowColumn {
  readonly name: string
  readonly type: Type
  readonly nullable: boolean
  /** The field's id in a Parquet file. */
  readonly id?: number
  /** Narrower than the SQL type says: one byte for an int2, milliseconds for a time or timestamp. */
  readonly as?: 'int8' | 'milliseconds'
  /** Of an array its element; of a map its key and value; of a row its fields. */
  readonly children?: readonly ArrowColumn[]
}

/** How a column of a result is held. */
export function arrowColumn(field: Field): ArrowColumn {
  const { type } = field
  const child = (name: string, type: Type, nullable: boolean): ArrowColumn => arrowColumn({ name, type, nullable })
  switch (type.kind) {
    case 'array': return { ...field, children: [child('element', type.element, true)] }
    case 'map': return { ...field, children: [child('key', type.key, false), child('value', type.value, true)] }
    case 'row': return { ...field, children: type.fields.map(arrowColumn) }
    default: return field
  }
}

/** A copy of the batch outside of the engine's memory. Weights are left out: whoever has some repeats or refuses rows first. */
export function toArrow(batch: Batch, memory: Memory, kernel: Kernel, columns: readonly ArrowColumn[] = batch.schema.map(arrowColumn)): RecordBatch {
  using arena = memory.arena()
  const fields = columns.map(arrowField)
  const children = columns.map((column, i) => {
    const source = batch.columns[i]
    invariant(source !== undefined, `batch without column ${i}`)
    return dataOf(source, column, kernel, arena)
  })
  const schema = new ArrowSchema(fields)
  return new RecordBatch(schema, new Data(new Struct(fields), 0, batch.length, 0, {}, children))
}

/** Record batches of one schema as an Arrow IPC stream. */
export function arrowStream(batches: readonly RecordBatch[]): Uint8Array {
  return RecordBatchStreamWriter.writeAll(batches).toUint8Array(true)
}

export type { RecordBatch } from 'apache-arrow'

function arrowField(column: ArrowColumn): ArrowField {
  const metadata = new Map<string, string>()
  if (column.id !== undefined) metadata.set('PARQUET:field_id', String(column.id))
  return new ArrowField(column.name, arrowType(column), column.nullable, metadata)
}

function childrenOf(column: ArrowColumn, count: number): readonly ArrowColumn[] {
  invariant(column.children?.length === count, `${column.name} needs ${count} children`)
  return column.children
}

function arrowType(column: ArrowColumn): DataType {
  const { type } = column
  switch (type.kind) {
    case 'bool': return new Bool()
    case 'int2': return column.as === 'int8' ? new Int8() : new Int16()
    case 'int4': return new Int32()
    case 'int8': return new Int64()
    case 'oid': case 'regclass': case 'regtype': case 'regproc': case 'regnamespace': return new Uint32()
    case 'float4': return new Float32()
    case 'float8': return new Float64()
    case 'numeric': return type.precision === undefined || type.precision > 38 ? new Utf8() : new Decimal(type.scale ?? 0, type.precision, 128)
    case 'date': return new DateDay()
    case 'time': return column.as === 'milliseconds' ? new TimeMillisecond() : new TimeMicrosecond()
    case 'timestamp': return new Timestamp(column.as === 'milliseconds' ? TimeUnit.MILLISECOND : TimeUnit.MICROSECOND, null)
    case 'timestamptz': return new Timestamp(column.as === 'milliseconds' ? TimeUnit.MILLISECOND : TimeUnit.MICROSECOND, 'UTC')
    case 'interval': return new IntervalMonthDayNano()
    case 'bytea': return new Binary()
    case 'array': return new List(arrowField(childrenOf(column, 1)[0] ?? column))
    case 'map': {
      const entries: ArrowField<Struct> = new ArrowField('key_value', new Struct(childrenOf(column, 2).map(arrowField)), false)
      return new Map_(entries as unknown as ConstructorParameters<typeof Map_>[0])
    }
    case 'row': return new Struct(childrenOf(column, type.fields.length).map(arrowField))
    case 'void': return new Null()
    case 'text': case 'varchar': case 'char': case 'name': case '"char"': case 'json': case 'jsonb': case 'uuid': case 'timetz': case 'unknown': return new Utf8()
    case 'record': throw unsupported('an anonymous row in an Arrow result')
  }
}

function dataOf(source: Column, as: ArrowColumn, kernel: Kernel, arena: Arena): Data {
  const column = flattenColumn(source, kernel, arena), { memory } = arena, { length } = column, type = arrowType(as)
  memory.refresh()
  const { nullCount, bits } = validity(column, memory)
  if (nullCount > 0 && !as.nullable) throw new SqlError('23502', `null value in column "${as.name}" violates not-null constraint`, { column: as.name })
  const make = (buffers: { offsets?: Int32Array; data?: unknown }, children: Data[] = []): Data =>
    new Data(type, 0, length, nullCount, { 0: buffers.offsets, 1: buffers.data, 2: bits } as object, children)
  const { data } = column
  if (data.kind === 'flat') return make({ data: flatBuffer(column, data.values, as, memory) })
  invariant(data.kind === 'var', 'a flattened column')
  switch (as.type.kind) {
    case 'void': return make({})
    case 'interval': return make({ data: intervalBuffer(column, data.offsets, data.bytes, memory) })
    case 'array': case 'row': case 'map': return nestedData(column, as, make, kernel, arena)
    case 'numeric': return dataOf(textColumn(column, value => formatDecimal(asDecimal(value)), arena), { name: as.name, nullable: as.nullable, type: { kind: 'text' } }, kernel, arena)
    case 'timetz': return dataOf(textColumn(column, value => { const { micros, zone } = asTimeTz(value); return formatTimeTz(micros, zone) }, arena), { name: as.name, nullable: as.nullable, type: { kind: 'text' } }, kernel, arena)
    case 'uuid': return dataOf(textColumn(column, asText, arena), { name: as.name, nullable: as.nullable, type: { kind: 'text' } }, kernel, arena)
    default: {
      const first = memory.u32[data.offsets / 4] ?? 0, last = memory.u32[data.offsets / 4 + length] ?? 0
      if (last - first > 0x7fffffff) throw new SqlError('54000', `column "${as.name}" has more than 2 GiB in one batch`, { column: as.name })
      const offsets = new Int32Array(length + 1)
      for (let i = 0; i <= length; i++) offsets[i] = (memory.u32[data.offsets / 4 + i] ?? 0) - first
      return make({ offsets, data: memory.u8.slice(data.bytes + first, data.bytes + last) })
    }
  }
}

/** The same rows as text, value by value. */
function textColumn(column: Column, show: (value: Exclude<Value, null>) => string, arena: Arena): Column {
  return columnFromValues(valuesOf(column, arena.memory).map(value => value === null ? null : show(value)), { kind: 'text' }, arena)
}

function valuesOf(column: Column, memory: Memory): readonly Value[] {
  const read = columnReader(column, memory)
  return Array.from({ length: column.length }, (_, row) => read(row))
}

function validity(column: Column, memory: Memory): { readonly nullCount: number; readonly bits: Uint8Array | undefined } {
  const { valid, length } = column
  if (valid === undefined) return { nullCount: 0, bits: undefined }
  const bits = packBits(memory.u8, valid, length)
  let values = 0
  for (let i = 0; i < length; i++) values += memory.u8[valid + i] ?? 0
  return values === length ? { nullCount: 0, bits: undefined } : { nullCount: length - values, bits }
}

/** One bit a byte, lowest first. Bytes are 0 or 1. */
function packBits(u8: Uint8Array, at: number, length: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(length / 64) * 8)
  for (let i = 0; i < length; i++) bits[i >> 3] = (bits[i >> 3] ?? 0) | (u8[at + i] ?? 0) << (i & 7)
  return bits
}

function flatBuffer(column: Column, at: number, as: ArrowColumn, memory: Memory): unknown {
  const { length } = column
  const layout = layoutOf(column.type)
  switch (layout) {
    case 'u8': return packBits(memory.u8, at, length)
    case 'i32': {
      const values = memory.i32.slice(at / 4, at / 4 + length)
      return column.type.kind !== 'int2' ? values : as.as === 'int8' ? Int8Array.from(values) : Int16Array.from(values)
    }
    case 'f32': return memory.f32.slice(at / 4, at / 4 + length)
    case 'f64': return memory.f64.slice(at / 8, at / 8 + length)
    case 'i128': return memory.u32.slice(at / 4, at / 4 + 4 * length)
    case 'i64': {
      if (as.type.kind === 'numeric') return widened(memory.i32, at / 4, length)
      if (isOid(as.type)) return Uint32Array.from({ length }, (_, i) => memory.u32[at / 4 + 2 * i] ?? 0)
      const values = memory.i64.slice(at / 8, at / 8 + length)
      if (as.as !== 'milliseconds') return values
      const millis = values.map(micros => micros >= 0n ? micros / 1000n : -((999n - micros) / 1000n))
      return as.type.kind === 'time' ? Int32Array.from(millis, Number) : millis
    }
    case 'var': throw unsupported(`a flat ${typeName(column.type)}`)
  }
}

function isOid(type: Type): boolean {
  return type.kind === 'oid' || type.kind === 'regclass' || type.kind === 'regtype' || type.kind === 'regproc' || type.kind === 'regnamespace'
}

/** int64 → int128, as words. */
function widened(i32: Int32Array, at: number, length: number): Uint32Array {
  const words = new Uint32Array(4 * length)
  for (let i = 0; i < length; i++) {
    const high = i32[at + 2 * i + 1] ?? 0
    words[4 * i] = i32[at + 2 * i] ?? 0
    words[4 * i + 1] = high
    words[4 * i + 2] = words[4 * i + 3] = high >> 31
  }
  return words
}

/** Months, days, nanoseconds, from the tail of each value. */
function intervalBuffer(column: Column, offsets: number, bytes: number, memory: Memory): Int32Array {
  const words = new Int32Array(4 * column.length), out = new DataView(words.buffer), view = new DataView(memory.u8.buffer)
  for (let i = 0; i < column.length; i++) {
    if (column.valid !== undefined && memory.u8[column.valid + i] === 0) continue
    const tail = bytes + (memory.u32[offsets / 4 + i + 1] ?? 0) - 16
    out.setInt32(16 * i, view.getInt32(tail, true), true)
    out.setInt32(16 * i + 4, view.getInt32(tail + 4, true), true)
    out.setBigInt64(16 * i + 8, view.getBigInt64(tail + 8, true) * 1000n, true)
  }
  return words
}

function nestedData(column: Column, as: ArrowColumn, make: (buffers: { offsets?: Int32Array }, children: Data[]) => Data, kernel: Kernel, arena: Arena): Data {
  const { type } = as
  const values = valuesOf(column, arena.memory)
  if (type.kind === 'row') {
    return make({}, childrenOf(as, type.fields.length).map((child, i) =>
      // Below a NULL row there is no value; Arrow wants its fields nullable there.
      dataOf(columnFromValues(values.map(value => value === null ? null : asList(value)[i] ?? null), child.type, arena), { ...child, nullable: true }, kernel, arena)))
  }
  const offsets = new Int32Array(column.length + 1)
  const items: Value[] = []
  values.forEach((value, i) => {
    if (value !== null) {
      if (type.kind === 'array') {
        const array = asArray(value)
        if (array.dims.length > 1) throw unsupported('an array of several dimensions in Arrow', { column: as.name })
        items.push(...array.values)
      } else {
        items.push(...asList(value))
      }
    }
    offsets[i + 1] = items.length
  })
  if (type.kind === 'array') {
    const element = childrenOf(as, 1)[0] ?? as
    return make({ offsets }, [dataOf(columnFromValues(items, type.element, arena), element, kernel, arena)])
  }
  const children = childrenOf(as, 2)
  const parts = children.map((child, i) => dataOf(columnFromValues(items.map(item => asList(item)[i] ?? null), child.type, arena), child, kernel, arena))
  return make({ offsets }, [new Data(new Struct(children.map(arrowField)), 0, items.length, 0, {}, parts)])
}
