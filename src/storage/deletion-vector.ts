/** Deletion vectors as Paimon keeps them: roaring bitmaps of 32 bits (version 1) or of 64 bits (version 2, as in Iceberg). */
import { crc32 } from 'node:zlib'
import { corrupt } from '../error.ts'

const MAGIC_32 = 1581511376, MAGIC_64 = 1681511377
const WITH_RUNS = 12347, WITHOUT_RUNS = 12346

/** Positions of removed rows, in pieces of 65,536 positions. */
export class DeletionVector {
  readonly #containers: readonly Container[]
  /** How many rows are removed. */
  readonly count: number

  constructor(containers: readonly Container[]) {
    this.#containers = containers
    this.count = containers.reduce((sum, container) => sum + container.count, 0)
  }

  /** Sets a byte of `flags` to 1 for each removed row; `flags[0]` is the row at position `first`. */
  mark(flags: Uint8Array, first: number): void {
    const end = first + flags.length
    for (const { base, ranges } of this.#containers) {
      if (base >= end || base + 65536 <= first) continue
      for (let i = 0; i < ranges.length; i += 2) {
        const from = Math.max(first, base + (ranges[i] ?? 0)), to = Math.min(end, base + (ranges[i + 1] ?? 0) + 1)
        if (from < to) flags.fill(1, from - first, to - first)
      }
    }
  }
}

interface Container {
  readonly base: number
  /** Pairs: first and last position of a run, relative to the base. */
  readonly ranges: Uint16Array
  readonly count: number
}

/** Decodes a vector: its size, the bitmap, its checksum, as they stand in an index file; size and checksum may be left off. */
export function decodeDeletionVector(bytes: Uint8Array, path: string): DeletionVector {
  const whole = new Reader(bytes, path)
  const magicAt0 = whole.u32be(0)
  if (magicAt0 === MAGIC_32 || whole.u32(0) === MAGIC_64) return decodePayload(whole)
  const size = magicAt0
  if (size < 4 || size + 4 > bytes.length) throw corrupt(path, `a deletion vector of ${size} bytes in a range of ${bytes.length}`)
  const payload = bytes.subarray(4, 4 + size)
  if (bytes.length >= size + 8 && whole.u32be(4 + size) !== crc32(payload)) throw corrupt(path, 'the checksum of a deletion vector is wrong')
  return decodePayload(new Reader(payload, path))
}

function decodePayload(reader: Reader): DeletionVector {
  if (reader.u32be(0) === MAGIC_32) {
    reader.at = 4
    return new DeletionVector(bitmap(reader, 0))
  }
  if (reader.u32(0) !== MAGIC_64) throw reader.error('a deletion vector of an unknown form')
  const bitmaps = reader.u32(4)
  if (reader.u32(8) !== 0) throw reader.error('a deletion vector of too many bitmaps')
  reader.at = 12
  const containers: Container[] = []
  for (let i = 0; i < bitmaps; i++) {
    const high = reader.u32(reader.at)
    reader.at += 4
    containers.push(...bitmap(reader, high * 2 ** 32))
  }
  return new DeletionVector(containers)
}

/** A portable roaring bitmap at the reader's place. */
function bitmap(reader: Reader, base: number): Container[] {
  const cookie = reader.u32(reader.at)
  const runs = (cookie & 0xffff) === WITH_RUNS
  if (!runs && cookie !== WITHOUT_RUNS) throw reader.error('a deletion vector that is no roaring bitmap')
  const count = runs ? (cookie >>> 16) + 1 : reader.u32(reader.at + 4)
  if (count > 65536) throw reader.error(`a roaring bitmap of ${count} containers`)
  const runFlags = reader.at + 4
  const headers = runs ? runFlags + Math.ceil(count / 8) : reader.at + 8
  reader.at = headers + 4 * count + (!runs || count >= 4 ? 4 * count : 0)
  const containers: Container[] = []
  for (let i = 0; i < count; i++) {
    const start = base + reader.u16(headers + 4 * i) * 65536, size = reader.u16(headers + 4 * i + 2) + 1
    const isRun = runs && (reader.u8(runFlags + (i >> 3)) >> (i & 7) & 1) === 1
    containers.push({ base: start, ranges: isRun ? runRanges(reader) : size <= 4096 ? arrayRanges(reader, size) : bitRanges(reader), count: size })
  }
  return containers
}

function runRanges(reader: Reader): Uint16Array {
  const runs = reader.u16(reader.at), ranges = new Uint16Array(2 * runs)
  for (let i = 0; i < runs; i++) {
    const first = reader.u16(reader.at + 2 + 4 * i), last = first + reader.u16(reader.at + 4 + 4 * i)
    if (last > 65535) throw reader.error('a run that leaves its container')
    ranges[2 * i] = first
    ranges[2 * i + 1] = last
  }
  reader.at += 2 + 4 * runs
  return ranges
}

function arrayRanges(reader: Reader, size: number): Uint16Array {
  const ranges = new Uint16Array(2 * size)
  for (let i = 0; i < size; i++) ranges[2 * i] = ranges[2 * i + 1] = reader.u16(reader.at + 2 * i)
  reader.at += 2 * size
  return ranges
}

function bitRanges(reader: Reader): Uint16Array {
  const ranges: number[] = []
  for (let position = 0; position < 65536; position++) {
    if ((reader.u8(reader.at + (position >> 3)) >> (position & 7) & 1) === 0) continue
    if (ranges.length > 0 && ranges[ranges.length - 1] === position - 1) ranges[ranges.length - 1] = position
    else ranges.push(position, position)
  }
  reader.at += 8192
  return Uint16Array.from(ranges)
}

class Reader {
  at = 0
  readonly #view: DataView
  readonly #path: string

  constructor(bytes: Uint8Array, path: string) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#path = path
  }

  u8(at: number): number { this.#need(at, 1); return this.#view.getUint8(at) }
  u16(at: number): number { this.#need(at, 2); return this.#view.getUint16(at, true) }
  u32(at: number): number { this.#need(at, 4); return this.#view.getUint32(at, true) }
  u32be(at: number): number { this.#need(at, 4); return this.#view.getUint32(at) }
  error(what: string): Error { return corrupt(this.#path, what) }

  #need(at: number, bytes: number): void {
    if (at + bytes > this.#view.byteLength) throw this.error('a deletion vector ends too early')
  }
}
