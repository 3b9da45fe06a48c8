/** Parquet's schema tree → our types, and for each value the definition and repetition levels that say where it is. */
import { corrupt, unsupported } from '../../error.ts'
import type { Layout, Type } from '../../type.ts'
import { BOOL, BYTEA, DATE, FLOAT4, FLOAT8, INT2, INT4, INT8, INTERVAL, TEXT, layoutOf } from '../../type.ts'

export type Physical = 'BOOLEAN' | 'INT32' | 'INT64' | 'INT96' | 'FLOAT' | 'DOUBLE' | 'BYTE_ARRAY' | 'FIXED_LEN_BYTE_ARRAY'
export const PHYSICAL: readonly Physical[] = ['BOOLEAN', 'INT32', 'INT64', 'INT96', 'FLOAT', 'DOUBLE', 'BYTE_ARRAY', 'FIXED_LEN_BYTE_ARRAY']

/** An element of the footer's flat schema list. */
export interface SchemaElement {
  readonly name: string
  readonly physical: Physical | undefined
  readonly length: number
  readonly repetition: 'required' | 'optional' | 'repeated'
  readonly children: number
  readonly converted: Converted | undefined
  readonly logical: Logical | undefined
  readonly scale: number
  readonly precision: number
  readonly fieldId: number | undefined
}

export type Converted = 'UTF8' | 'MAP' | 'MAP_KEY_VALUE' | 'LIST' | 'ENUM' | 'DECIMAL' | 'DATE' | 'TIME_MILLIS' | 'TIME_MICROS' | 'TIMESTAMP_MILLIS' | 'TIMESTAMP_MICROS'
  | 'UINT_8' | 'UINT_16' | 'UINT_32' | 'UINT_64' | 'INT_8' | 'INT_16' | 'INT_32' | 'INT_64' | 'JSON' | 'BSON' | 'INTERVAL'
export const CONVERTED: readonly Converted[] = ['UTF8', 'MAP', 'MAP_KEY_VALUE', 'LIST', 'ENUM', 'DECIMAL', 'DATE', 'TIME_MILLIS', 'TIME_MICROS', 'TIMESTAMP_MILLIS', 'TIMESTAMP_MICROS',
  'UINT_8', 'UINT_16', 'UINT_32', 'UINT_64', 'INT_8', 'INT_16', 'INT_32', 'INT_64', 'JSON', 'BSON', 'INTERVAL']

export type TimeUnit = 'millis' | 'micros' | 'nanos'

export type Logical =
  | { readonly kind: 'STRING' | 'MAP' | 'LIST' | 'ENUM' | 'DATE' | 'UNKNOWN' | 'JSON' | 'BSON' | 'UUID' | 'FLOAT16' | 'VARIANT' | 'GEOMETRY' | 'GEOGRAPHY' }
  | { readonly kind: 'DECIMAL'; readonly scale: number; readonly precision: number }
  | { readonly kind: 'TIME' | 'TIMESTAMP'; readonly utc: boolean; readonly unit: TimeUnit }
  | { readonly kind: 'INTEGER'; readonly bits: number; readonly signed: boolean }
  /** An annotation of a later version of the format. */
  | { readonly kind: 'other'; readonly id: number }

/**
 * How a leaf's physical values become ours. `same`: the bits are equal · `bytes`: a byte array as it is · `values`: one by one in JavaScript ·
 * the others name the kernel that does it.
 */
export type Conversion = 'same' | 'bits' | 'bytes' | 'values' | 'nothing' | 'widen' | 'widen1000' | 'widenUnsigned' | 'millis' | 'nanos' | 'int96' | 'decimal' | 'unsigned128' | 'float16'

/** A column of the file: a leaf of the schema tree. */
export interface Leaf {
  /** Position among the column chunks of a row group. */
  readonly index: number
  /** The names from the root, joined by dots; for messages. */
  readonly path: string
  readonly physical: Physical
  /** Bytes of a physical value; 0 for BYTE_ARRAY and BOOLEAN. */
  readonly width: number
  readonly type: Type
  readonly layout: Layout
  readonly conversion: Conversion
  readonly maxDefinition: number
  readonly maxRepetition: number
  /** Statistics in signed order are right for this type. */
  readonly signed: boolean
}

/** A value's place in the tree. It is not NULL where the definition level is at least `definition`. */
export type Shape =
  | { readonly kind: 'leaf'; readonly type: Type; readonly nullable: boolean; readonly definition: number; readonly leaf: Leaf }
  /** Elements follow while the repetition level is `repetition`; there is one at all where the definition level is above `definition`. */
  | { readonly kind: 'list'; readonly type: Type; readonly nullable: boolean; readonly definition: number; readonly repetition: number; readonly element: Shape }
  | { readonly kind: 'map'; readonly type: Type; readonly nullable: boolean; readonly definition: number; readonly repetition: number; readonly key: Shape; readonly value: Shape }
  | { readonly kind: 'row'; readonly type: Type; readonly nullable: boolean; readonly definition: number; readonly fields: readonly Shape[] }

/** A column as SQL sees it: a child of the root. */
export interface ParquetField {
  readonly name: string
  readonly type: Type
  readonly nullable: boolean
  readonly fieldId: number | undefined
  readonly shape: Shape
}

const DEPTH = 60

/** The columns of the schema list. */
export function fieldsOf(elements: readonly SchemaElement[], path: string): readonly ParquetField[] {
  return new SchemaReader(elements, path).fields()
}

/** The leaves below a shape, in the order of the column chunks. */
export function leavesOf(shape: Shape): readonly Leaf[] {
  switch (shape.kind) {
    case 'leaf': return [shape.leaf]
    case 'list': return leavesOf(shape.element)
    case 'map': return [...leavesOf(shape.key), ...leavesOf(shape.value)]
    case 'row': return shape.fields.flatMap(leavesOf)
  }
}

interface Node {
  readonly element: SchemaElement
  readonly children: readonly Node[]
  readonly path: string
  readonly leaf: number
}

class SchemaReader {
  readonly #elements: readonly SchemaElement[]
  readonly #file: string
  #next = 0
  #leaves = 0

  constructor(elements: readonly SchemaElement[], file: string) {
    this.#elements = elements
    this.#file = file
  }

  fields(): readonly ParquetField[] {
    const root = this.#node('', 0)
    if (this.#next !== this.#elements.length) throw corrupt(this.#file, 'the schema has elements outside of its tree')
    return root.children.map(child => {
      const shape = this.#shape(child, 0, 0)
      return { name: child.element.name, type: shape.type, nullable: shape.nullable, fieldId: child.element.fieldId, shape }
    })
  }

  #node(prefix: string, depth: number): Node {
    const element = this.#elements[this.#next++]
    if (element === undefined) throw corrupt(this.#file, 'the schema ends early')
    if (depth > DEPTH) throw corrupt(this.#file, 'the schema is nested too deeply')
    const path = depth === 0 ? '' : prefix === '' ? element.name : `${prefix}.${element.name}`
    if (element.physical !== undefined && depth > 0) {
      if (element.children > 0) throw corrupt(this.#file, `column ${path} has both a type and fields`)
      return { element, children: [], path, leaf: this.#leaves++ }
    }
    if (element.children < 0 || element.children > this.#elements.length) throw corrupt(this.#file, `the schema's group ${path} has ${element.children} fields`)
    if (element.children === 0 && depth > 0) throw unsupported(`Parquet group ${path} without fields`, { where: this.#file })
    const children: Node[] = []
    for (let i = 0; i < element.children; i++) children.push(this.#node(path, depth + 1))
    return { element, children, path, leaf: -1 }
  }

  /** The shape of a child, seen from a parent at these levels. A repeated field outside of LIST and MAP is a list of required elements. */
  #shape(node: Node, definition: number, repetition: number): Shape {
    const { element } = node
    if (element.repetition === 'repeated') {
      const inner = this.#value(node, definition + 1, repetition + 1, false)
      return { kind: 'list', type: { kind: 'array', element: inner.type }, nullable: false, definition, repetition: repetition + 1, element: inner }
    }
    const nullable = element.repetition === 'optional'
    return this.#value(node, nullable ? definition + 1 : definition, repetition, nullable)
  }

  /** The same once its own repetition is dealt with: `definition` is the level from which on it is there. */
  #value(node: Node, definition: number, repetition: number, nullable: boolean): Shape {
    const { element, children } = node
    if (element.physical !== undefined) {
      const leaf = leafOf(node.leaf, node.path, element.physical, element, definition, repetition, this.#file)
      return { kind: 'leaf', type: leaf.type, nullable, definition, leaf }
    }
    const only = children[0], logical = element.logical?.kind
    if (logical === 'VARIANT') throw unsupported(`Parquet type VARIANT of column ${node.path}`, { where: this.#file })
    if (children.length === 1 && only !== undefined && only.element.repetition === 'repeated') {
      if (logical === 'LIST' || element.converted === 'LIST') return this.#list(node, only, definition, repetition, nullable)
      if (logical === 'MAP' || element.converted === 'MAP' || element.converted === 'MAP_KEY_VALUE') return this.#map(only, definition, repetition, nullable)
    }
    const fields = children.map(child => this.#shape(child, definition, repetition))
    const type: Type = { kind: 'row', fields: fields.map((field, i) => ({ name: children[i]?.element.name ?? '', type: field.type, nullable: field.nullable })) }
    return { kind: 'row', type, nullable, definition, fields }
  }

  /** The format's rules for telling which of the two levels below a LIST is the element, old writers' layouts included. */
  #list(node: Node, repeated: Node, definition: number, repetition: number, nullable: boolean): Shape {
    const [child] = repeated.children
    const isElement = repeated.element.physical !== undefined || repeated.children.length !== 1 || child === undefined || child.element.repetition === 'repeated'
      || repeated.element.name === 'array' || repeated.element.name === `${node.element.name}_tuple`
    const element = isElement ? this.#value(repeated, definition + 1, repetition + 1, false) : this.#shape(child, definition + 1, repetition + 1)
    return { kind: 'list', type: { kind: 'array', element: element.type }, nullable, definition, repetition: repetition + 1, element }
  }

  #map(entry: Node, definition: number, repetition: number, nullable: boolean): Shape {
    const [keyNode, valueNode] = entry.children
    if (keyNode === undefined || valueNode === undefined || entry.children.length !== 2) throw unsupported(`Parquet map ${entry.path} with ${entry.children.length} fields`, { where: this.#file })
    const key = this.#shape(keyNode, definition + 1, repetition + 1), value = this.#shape(valueNode, definition + 1, repetition + 1)
    return { kind: 'map', type: { kind: 'map', key: key.type, value: value.type }, nullable, definition, repetition: repetition + 1, key, value }
  }
}

function leafOf(index: number, path: string, physical: Physical, element: SchemaElement, maxDefinition: number, maxRepetition: number, file: string): Leaf {
  if (physical === 'FIXED_LEN_BYTE_ARRAY' && (element.length <= 0 || element.length > 1 << 24)) throw corrupt(file, `column ${path} has values of ${element.length} bytes`)
  const width = physical === 'FIXED_LEN_BYTE_ARRAY' ? element.length : widths[physical]
  const meaning = meaningOf(path, physical, width, element, file)
  return { index, path, physical, width, ...meaning, layout: layoutOf(meaning.type), maxDefinition, maxRepetition, signed: meaning.signed ?? true }
}

const widths: Readonly<Record<Exclude<Physical, 'FIXED_LEN_BYTE_ARRAY'>, number>> = { BOOLEAN: 0, INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8, BYTE_ARRAY: 0 }

interface Meaning { readonly type: Type; readonly conversion: Conversion; readonly signed?: boolean }

function meaningOf(path: string, physical: Physical, width: number, element: SchemaElement, file: string): Meaning {
  const logical = element.logical ?? fromConverted(element)
  const refuse = () => unsupported(`Parquet type ${physical}${logical === undefined ? '' : ` (${logical.kind === 'other' ? `logical type ${logical.id}` : logical.kind})`} of column ${path}`, { where: file })
  if (logical === undefined) return withoutAnnotation(physical, element)
  switch (logical.kind) {
    case 'UNKNOWN': return { type: TEXT, conversion: 'nothing' }
    case 'STRING': case 'ENUM': return bytesAs(TEXT, physical, refuse)
    case 'JSON': return bytesAs({ kind: 'json' }, physical, refuse)
    case 'BSON': case 'GEOMETRY': case 'GEOGRAPHY': return bytesAs(BYTEA, physical, refuse)
    case 'UUID':
      if (physical !== 'FIXED_LEN_BYTE_ARRAY' || width !== 16) throw refuse()
      return { type: { kind: 'uuid' }, conversion: 'bytes', signed: false }
    case 'FLOAT16':
      if (physical !== 'FIXED_LEN_BYTE_ARRAY' || width !== 2) throw refuse()
      return { type: FLOAT4, conversion: 'float16' }
    case 'DATE':
      if (physical !== 'INT32') throw refuse()
      return { type: DATE, conversion: 'same' }
    case 'TIME': {
      const type: Type = logical.unit === 'millis' ? { kind: 'time', precision: 3 } : { kind: 'time' }
      if (physical !== (logical.unit === 'millis' ? 'INT32' : 'INT64')) throw refuse()
      return { type, conversion: logical.unit === 'millis' ? 'widen1000' : logical.unit === 'micros' ? 'same' : 'nanos' }
    }
    case 'TIMESTAMP': {
      if (physical !== 'INT64') throw refuse()
      const kind = logical.utc ? 'timestamptz' : 'timestamp'
      const type: Type = logical.unit === 'millis' ? { kind, precision: 3 } : { kind }
      return { type, conversion: logical.unit === 'millis' ? 'millis' : logical.unit === 'micros' ? 'same' : 'nanos' }
    }
    case 'INTEGER': return integer(physical, logical.bits, logical.signed, refuse)
    case 'DECIMAL': return decimal(physical, logical.precision, logical.scale, refuse)
    case 'MAP': case 'LIST': case 'VARIANT': case 'other': throw refuse()
  }
}

function withoutAnnotation(physical: Physical, element: SchemaElement): Meaning {
  switch (physical) {
    case 'BOOLEAN': return { type: BOOL, conversion: 'bits' }
    case 'INT32': return { type: INT4, conversion: 'same' }
    case 'INT64': return { type: INT8, conversion: 'same' }
    case 'INT96': return { type: { kind: 'timestamp' }, conversion: 'int96' }
    case 'FLOAT': return { type: FLOAT4, conversion: 'same' }
    case 'DOUBLE': return { type: FLOAT8, conversion: 'same' }
    case 'BYTE_ARRAY': return { type: BYTEA, conversion: 'bytes', signed: false }
    case 'FIXED_LEN_BYTE_ARRAY': return element.converted === 'INTERVAL' && element.length === 12 ? { type: INTERVAL, conversion: 'values' } : { type: BYTEA, conversion: 'bytes', signed: false }
  }
}

function bytesAs(type: Type, physical: Physical, refuse: () => Error): Meaning {
  if (physical !== 'BYTE_ARRAY' && physical !== 'FIXED_LEN_BYTE_ARRAY') throw refuse()
  return { type, conversion: 'bytes', signed: false }
}

/** Unsigned integers take the next wider type that holds them all. */
function integer(physical: Physical, bits: number, signed: boolean, refuse: () => Error): Meaning {
  if (physical !== (bits === 64 ? 'INT64' : 'INT32')) throw refuse()
  switch (bits) {
    case 8: return { type: INT2, conversion: 'same', signed }
    case 16: return { type: signed ? INT2 : INT4, conversion: 'same', signed }
    case 32: return signed ? { type: INT4, conversion: 'same' } : { type: INT8, conversion: 'widenUnsigned', signed }
    case 64: return signed ? { type: INT8, conversion: 'same' } : { type: { kind: 'numeric', precision: 20, scale: 0 }, conversion: 'unsigned128', signed }
    default: throw refuse()
  }
}

function decimal(physical: Physical, precision: number, scale: number, refuse: () => Error): Meaning {
  if (precision < 1 || precision > 1000 || scale < 0 || scale > precision) throw refuse()
  const type: Type = { kind: 'numeric', precision, scale }, layout = layoutOf(type)
  switch (physical) {
    case 'INT32': if (layout !== 'i64') throw refuse(); return { type, conversion: 'widen' }
    case 'INT64': if (layout !== 'i64') throw refuse(); return { type, conversion: 'same' }
    case 'BYTE_ARRAY': case 'FIXED_LEN_BYTE_ARRAY': return { type, conversion: layout === 'var' ? 'values' : 'decimal', signed: false }
    default: throw refuse()
  }
}

function fromConverted(element: SchemaElement): Logical | undefined {
  switch (element.converted) {
    case undefined: case 'INTERVAL': return undefined
    case 'UTF8': return { kind: 'STRING' }
    case 'MAP': case 'MAP_KEY_VALUE': return { kind: 'MAP' }
    case 'LIST': case 'ENUM': case 'DATE': case 'JSON': case 'BSON': return { kind: element.converted }
    case 'DECIMAL': return { kind: 'DECIMAL', precision: element.precision, scale: element.scale }
    case 'TIME_MILLIS': return { kind: 'TIME', utc: true, unit: 'millis' }
    case 'TIME_MICROS': return { kind: 'TIME', utc: true, unit: 'micros' }
    case 'TIMESTAMP_MILLIS': return { kind: 'TIMESTAMP', utc: true, unit: 'millis' }
    case 'TIMESTAMP_MICROS': return { kind: 'TIMESTAMP', utc: true, unit: 'micros' }
    case 'UINT_8': case 'UINT_16': case 'UINT_32': case 'UINT_64': return { kind: 'INTEGER', bits: Number(element.converted.slice(5)), signed: false }
    case 'INT_8': case 'INT_16': case 'INT_32': case 'INT_64': return { kind: 'INTEGER', bits: Number(element.converted.slice(4)), signed: true }
  }
}
