/** Compression of Avro blocks: null, deflate, snappy, zstandard. */
import { constants, crc32, deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { corrupt, unsupported } from '../../error.ts'

export type AvroCodec = 'null' | 'deflate' | 'snappy' | 'zstandard'

/** No block of a sane file is bigger when decompressed. */
const MAX_BLOCK = 512 * 2 ** 20

/** The codec that a file names. */
export function avroCodec(path: string, name: string): AvroCodec {
  if (name === 'null' || name === 'deflate' || name === 'snappy' || name === 'zstandard') return name
  throw unsupported(`Avro codec ${name}`, { where: path })
}

export function decompressBlock(path: string, codec: AvroCodec, bytes: Uint8Array): Uint8Array {
  try {
    switch (codec) {
      case 'null': return bytes
      case 'deflate': return inflateRawSync(bytes, { maxOutputLength: MAX_BLOCK })
      case 'zstandard': return zstdDecompressSync(bytes, { maxOutputLength: MAX_BLOCK })
      case 'snappy': {
        if (bytes.length < 4) throw new RangeError('a snappy block without its checksum')
        const data = snappyDecompress(bytes.subarray(0, bytes.length - 4))
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        if (crc32(data) !== view.getUint32(bytes.length - 4)) throw new RangeError('the checksum of a snappy block is wrong')
        return data
      }
    }
  } catch (cause) {
    throw corrupt(path, `an Avro block does not decompress (${codec}: ${cause instanceof Error ? cause.message : String(cause)})`, cause)
  }
}

export function compressBlock(codec: AvroCodec, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case 'null': return bytes
    case 'deflate': return deflateRawSync(bytes)
    case 'zstandard': return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } })
    case 'snappy': {
      const data = snappyStore(bytes)
      const out = new Uint8Array(data.length + 4)
      out.set(data)
      new DataView(out.buffer).setUint32(data.length, crc32(bytes))
      return out
    }
  }
}

/** Raw snappy. Throws RangeError when the bytes are not that. */
export function snappyDecompress(bytes: Uint8Array): Uint8Array {
  let at = 0
  const next = (): number => {
    const byte = bytes[at++]
    if (byte === undefined) throw new RangeError('snappy data ends early')
    return byte
  }
  let size = 0
  for (let shift = 0; ; shift += 7) {
    const byte = next()
    if (shift > 28) throw new RangeError('the size of a snappy block is too big')
    size += (byte & 0x7f) * 2 ** shift
    if (byte < 0x80) break
  }
  // a byte of input gives at most 64/3 bytes of output: more is a lie, and must not be allocated
  if (size > MAX_BLOCK || size > bytes.length * 22) throw new RangeError(`a snappy block that claims ${size} bytes`)
  const out = new Uint8Array(size)
  let to = 0
  while (at < bytes.length) {
    const tag = next()
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1
      if (length > 60) {
        const extra = length - 60
        length = 1
        for (let i = 0; i < extra; i++) length += next() * 2 ** (8 * i)
      }
      if (at + length > bytes.length || to + length > size) throw new RangeError('a snappy literal beyond the end')
      out.set(bytes.subarray(at, at + length), to)
      at += length
      to += length
      continue
    }
    let length: number, offset: number
    if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4
      offset = ((tag >> 5) << 8) | next()
    } else {
      length = (tag >> 2) + 1
      offset = next() | (next() << 8)
      if ((tag & 3) === 3) offset += next() * 65536 + next() * 16777216
    }
    if (offset === 0 || offset > to || to + length > size) throw new RangeError('a snappy copy beyond the data')
    for (let i = 0; i < length; i++, to++) out[to] = out[to - offset] ?? 0
  }
  if (to !== size) throw new RangeError('snappy data is shorter than it claims')
  return out
}

/** Valid snappy that does not compress: one literal after another. */
function snappyStore(bytes: Uint8Array): Uint8Array {
  const out: number[] = []
  for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
    out.push(rest >= 128 ? (rest % 128) | 0x80 : rest)
    if (rest < 128) break
  }
  const parts: Uint8Array[] = [Uint8Array.from(out)]
  for (let at = 0; at < bytes.length; at += 65536) {
    const part = bytes.subarray(at, at + 65536), length = part.length - 1
    parts.push(Uint8Array.of(61 << 2, length & 0xff, length >> 8), part)
  }
  return Buffer.concat(parts)
}
