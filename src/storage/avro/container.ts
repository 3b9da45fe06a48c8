/** Avro object container files: a header with the schema, then blocks of records. */
import { randomBytes } from 'node:crypto'
import { corrupt, invariant } from '../../error.ts'
import { parseJson, printJsonLine } from '../json.ts'
import type { Json } from '../json.ts'
import { avroCodec, compressBlock, decompressBlock } from './codec.ts'
import type { AvroCodec } from './codec.ts'
import { parseAvroSchema } from './schema.ts'
import type { AvroType } from './schema.ts'
import { AvroDecoder, AvroEncoder, isRecord } from './value.ts'
import type { AvroRecord } from './value.ts'

const MAGIC = Uint8Array.of(0x4f, 0x62, 0x6a, 0x01) // 'Obj' 1
/** Bytes of records before a block is closed. */
const BLOCK = 64 * 1024

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
  const schema = parseAvroSchema(path, parseJson(path, new TextDecoder().decode(text)))
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

/** A container file of these records, its schema in Avro's JSON form. Nullable unions have null first. */
export function writeAvro(schema: Json, records: Iterable<AvroRecord>, codec: AvroCodec): Uint8Array {
  const type = parseAvroSchema('schema', schema)
  const sync = randomBytes(16)
  const header = new AvroEncoder()
  header.raw(MAGIC)
  header.value({ kind: 'map', values: { kind: 'bytes' } }, new Map([
    ['avro.schema', new TextEncoder().encode(printJsonLine(schema))],
    ['avro.codec', new TextEncoder().encode(codec)],
  ]))
  header.raw(sync)
  const block = new AvroEncoder()
  let count = 0n
  const close = (): void => {
    if (count === 0n) return
    header.long(count)
    header.bytes(compressBlock(codec, block.take()))
    header.raw(sync)
    count = 0n
  }
  for (const record of records) {
    block.value(type, record)
    count++
    if (block.length >= BLOCK) close()
  }
  close()
  return header.take()
}
