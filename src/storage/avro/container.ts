/** Avro object container files: a header with the schema, then blocks of records. */
import { randomBytes } from 'node:crypto'
import { corrupt, invariant } from '../../error.ts'
import { parseJson, printJsonLine } from '../json.ts'
import type { JsonObject } from '../json.ts'
import { avroCodec, compressBlock, decompressBlock } from './codec.ts'
import type { AvroCodec } from './codec.ts'
import { parseAvroSchema } from './schema.ts'
import type { AvroType } from './schema.ts'
import { AvroDecoder, AvroEncoder, isRecord } from './value.ts'
import type { AvroRecord } from './value.ts'

const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01) // 'Obj' 1
/** Bytes of records before a block is closed. */
const BLOCK = 64 * 1024

/** Schemas read last, by their text: the files of a lake have few different ones. */
const schemas = new Map<string, AvroType>()
const SCHEMAS = 32

function schemaOf(path: string, text: string): AvroType {
  const known = schemas.get(text)
  if (known !== undefined) return known
  const schema = parseAvroSchema(path, parseJson(path, text))
  for (const oldest of schemas.keys()) if (schemas.size >= SCHEMAS) schemas.delete(oldest)
  schemas.set(text, schema)
  return schema
}

/** Schemas that are written, with their text. */
const written = new WeakMap<object, { readonly type: AvroType; readonly text: Uint8Array }>()

function writtenSchema(schema: JsonObject): { readonly type: AvroType; readonly text: Uint8Array } {
  let entry = written.get(schema)
  if (entry === undefined) written.set(schema, entry = { type: parseAvroSchema('schema', schema), text: new TextEncoder().encode(printJsonLine(schema)) })
  return entry
}

/** True when the bytes begin like an Avro container file. */
export function isAvro(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte)
}

export interface AvroFile {
  readonly schema: AvroType
  readonly metadata: ReadonlyMap<string, Uint8Array>
  /** Each iteration decodes the file anew, block by block. Throws XX001 at bytes that are wrong. */
  readonly records: Iterable<AvroRecord>
}

/** Reads the header of a container file whose top level is a record (or a union of null and a record). */
export function readAvro(path: string, bytes: Uint8Array): AvroFile {
  if (!isAvro(bytes)) throw corrupt(path, 'is not an Avro container file')
  const header = new AvroDecoder(path, bytes, MAGIC.length)
  const entries = header.value({ kind: 'map', values: { kind: 'bytes' } })
  invariant(entries instanceof Map, 'the metadata is a map')
  const metadata = new Map<string, Uint8Array>()
  for (const [key, value] of entries) if (value instanceof Uint8Array) metadata.set(String(key), value)
  const sync = header.fixed(16)
  const text = metadata.get('avro.schema')
  if (text === undefined) throw corrupt(path, 'an Avro file without a schema')
  const schema = schemaOf(path, new TextDecoder().decode(text))
  const codec = avroCodec(path, new TextDecoder().decode(metadata.get('avro.codec') ?? new TextEncoder().encode('null')))
  const start = header.at
  return { schema, metadata, records: { [Symbol.iterator]: () => blocks(path, bytes, start, sync, codec, schema) } }
}

function* blocks(path: string, bytes: Uint8Array, start: number, sync: Uint8Array, codec: AvroCodec, schema: AvroType): Generator<AvroRecord, void, undefined> {
  const file = new AvroDecoder(path, bytes, start)
  while (file.left > 0) {
    const count = file.long()
    const size = file.length()
    const block = new AvroDecoder(path, decompressBlock(path, codec, bytes.subarray(file.at, file.at + size)))
    file.at += size
    if (!file.fixed(16).every((byte, i) => byte === sync[i])) throw corrupt(path, `no sync marker at byte ${file.at - 16}`)
    if (count < 0n || (count > BigInt(block.left) && count > 65536n)) throw corrupt(path, `an Avro block of ${count} records in ${block.left} bytes`)
    for (let i = 0n; i < count; i++) {
      const value = block.value(schema)
      if (!isRecord(value)) throw corrupt(path, 'an Avro file whose values are not records')
      yield value
    }
    if (block.left > 0) throw corrupt(path, `${block.left} bytes are left in an Avro block`)
  }
}

/** A container file of these records, its schema in Avro's JSON form; compressed unless it is smaller than `small` bytes. Nullable unions have null first. */
export function writeAvro(schema: JsonObject, records: Iterable<AvroRecord>, codec: AvroCodec, small = 0): Uint8Array {
  const { type, text } = writtenSchema(schema), sync = randomBytes(16), file = new AvroEncoder(), block = new AvroEncoder()
  let count = 0n, used: AvroCodec | undefined
  const close = (): void => {
    if (used === undefined) {
      used = block.length < small ? 'null' : codec
      file.raw(MAGIC)
      file.value({ kind: 'map', values: { kind: 'bytes' } }, new Map([['avro.schema', text], ['avro.codec', new TextEncoder().encode(used)]]))
      file.raw(sync)
    }
    if (count === 0n) return
    file.long(count)
    file.bytes(compressBlock(used, block.take()))
    file.raw(sync)
    count = 0n
  }
  for (const record of records) {
    block.value(type, record)
    count++
    if (block.length >= BLOCK) close()
  }
  close()
  return file.take()
}
