/** Conditions as SIMD. */
import type { LoopShape, Source } from './loop.ts'

/** The loop with SIMD instructions, where the shape allows. */
export function vectorLoop(shape: LoopShape): { readonly bytes: Uint8Array; readonly sources: readonly Source[] } | undefined {
  void shape
  return undefined
}
