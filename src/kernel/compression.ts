/** The kernels of compression.as.ts as JavaScript sees them. */
import type { Address } from '../memory.ts'

/** One block → at most `size` bytes at `out`, behind which 16 bytes may be overwritten. The bytes written; negative when the block is broken. */
export interface CompressionKernels {
  /** Broken, too, when the block is not of exactly `size` bytes. */
  snappy(from: Address, end: Address, out: Address, size: number): number
  lz4(from: Address, end: Address, out: Address, size: number): number
}
