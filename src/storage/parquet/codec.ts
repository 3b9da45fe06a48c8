/** Page compression: from one place of the shared memory to another. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { corrupt, unsupported } from '../../error.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { Address, Memory } from '../../memory.ts'
import type { Codec } from './footer.ts'

/**
 * Decompresses [from, from + packed) to exactly `size` bytes at `out`, behind which 16 bytes may be overwritten. `what` names the page in messages.
 */
export function decompress(codec: Codec, memory: Memory, kernel: Kernel, from: Address, packed: number, out: Address, size: number, path: string, what: string): void {
  const wrote = write(codec, memory, kernel, from, packed, out, size, path, what)
  if (wrote !== size) throw corrupt(path, `${what}: its ${codec} data is broken`)
}

function write(codec: Codec, memory: Memory, kernel: Kernel, from: Address, packed: number, out: Address, size: number, path: string, what: string): number {
  switch (codec) {
    case 'UNCOMPRESSED':
      if (packed !== size) return -1
      memory.u8.copyWithin(out, from, from + size)
      return size
    case 'SNAPPY': return kernel.snappy(from, from + packed, out, size)
    case 'LZ4_RAW': return kernel.lz4(from, from + packed, out, size)
    case 'LZ4': {
      const framed = hadoopLz4(memory, kernel, from, packed, out, size)
      return framed === size ? size : kernel.lz4(from, from + packed, out, size)
    }
    case 'ZSTD': case 'GZIP': case 'BROTLI': {
      const input = memory.u8.subarray(from, from + packed)
      // An output chunk of the very size is filled in one go; one byte more shows that the data goes on.
      const options = { chunkSize: Math.max(64, size + 64), maxOutputLength: size + 1 }
      let bytes: Uint8Array
      try {
        bytes = codec === 'ZSTD' ? zstdDecompressSync(input, options) : codec === 'GZIP' ? gunzipSync(input, options) : brotliDecompressSync(input, options)
      } catch (error) {
        throw corrupt(path, `${what}: its ${codec} data is broken`, error)
      }
      if (bytes.length === size) memory.u8.set(bytes, out)
      return bytes.length
    }
    case 'LZO': throw unsupported('Parquet codec LZO', { where: path })
  }
}

/** Hadoop's framing: big-endian sizes of the output and of each block before it. -1 when it is not that. */
function hadoopLz4(memory: Memory, kernel: Kernel, from: Address, packed: number, out: Address, size: number): number {
  const view = new DataView(memory.u8.buffer, from, packed)
  let at = 0, wrote = 0
  while (at + 8 <= packed) {
    const whole = view.getUint32(at), target = wrote + whole
    if (target > size) return -1
    at += 4
    while (wrote < target) {
      if (at + 4 > packed) return -1
      const block = view.getUint32(at)
      at += 4
      if (block > packed - at) return -1
      const count = kernel.lz4(from + at, from + at + block, out + wrote, target - wrote)
      if (count <= 0) return -1
      wrote += count
      at += block
    }
  }
  return at === packed ? wrote : -1
}
