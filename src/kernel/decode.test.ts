/** Each decode kernel against what a plain encoder in JavaScript put in, and against garbage: it may refuse, it may not write outside. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Memory } from '../memory.ts'
import type { Address } from '../memory.ts'
import { loadKernel } from './kernel.ts'

const memory = Memory.create()
const kernel = loadKernel(memory)
const arena = memory.arena()
const input = arena.alloc(1 << 16), output = arena.alloc(1 << 18), more = arena.alloc(1 << 16), lengths = arena.alloc(1 << 14), otherLengths = arena.alloc(1 << 14)

/** Puts bytes where a kernel reads them, with other bytes behind that it must not take for input; the address behind them. */
function put(bytes: readonly number[] | Uint8Array, at: Address = input): Address {
  memory.u8.set(bytes, at)
  memory.u8.fill(0xa5, at + bytes.length, at + bytes.length + 32)
  return at + bytes.length
}

// ---------- encoders

function varint(value: bigint | number): number[] {
  const out: number[] = []
  let rest = BigInt(value)
  for (; rest >= 128n; rest >>= 7n) out.push(Number(rest & 127n) | 128)
  return [...out, Number(rest)]
}
const zigzag = (value: bigint): bigint => BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
function bits(values: readonly bigint[], width: number): number[] {
  let all = 0n
  values.forEach((value, i) => { all |= BigInt.asUintN(width, value) << BigInt(i * width) })
  const out: number[] = []
  for (let i = 0; i < Math.ceil(values.length * width / 8); i++) out.push(Number((all >> BigInt(8 * i)) & 255n))
  return out
}
type Run = { readonly kind: 'run'; readonly value: number; readonly count: number } | { readonly kind: 'packed'; readonly values: readonly number[] }
function hybrid(runs: readonly Run[], width: number): number[] {
  return runs.flatMap(run => {
    if (run.kind === 'run') return [...varint(run.count << 1), ...bits([BigInt(run.value)], Math.ceil(width / 8) * 8)]
    const padded = [...run.values, ...new Array<number>((8 - run.values.length % 8) % 8).fill(0)]
    return [...varint((padded.length / 8) << 1 | 1), ...bits(padded.map(BigInt), width)]
  })
}
/** All but the last packed run are whole groups of eight, as the format has it. */
const runs = (width: number): fc.Arbitrary<Run[]> => {
  const value = fc.integer({ min: 0, max: width === 32 ? 2 ** 32 - 1 : 2 ** width - 1 })
  return fc.array(fc.oneof(
    fc.record({ kind: fc.constant('run' as const), value, count: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ kind: fc.constant('packed' as const), values: fc.array(value, { minLength: 1, maxLength: 40 }) }),
  ), { minLength: 1, maxLength: 6 }).map(list => list.map((run, i): Run => run.kind === 'packed' && i < list.length - 1 ? { kind: 'packed', values: [...run.values, ...new Array<number>((8 - run.values.length % 8) % 8).fill(run.values[0] ?? 0)] } : run))
}
const valuesOf = (list: readonly Run[]): number[] => list.flatMap(run => run.kind === 'run' ? new Array<number>(run.count).fill(run.value) : [...run.values])

function delta(values: readonly bigint[], block: number, minis: number): number[] {
  const out = [...varint(block), ...varint(minis), ...varint(values.length), ...varint(zigzag(values[0] ?? 0n))], per = block / minis
  for (let at = 1; at < values.length; at += block) {
    const deltas: bigint[] = []
    for (let i = at; i < Math.min(values.length, at + block); i++) deltas.push(BigInt.asIntN(64, (values[i] ?? 0n) - (values[i - 1] ?? 0n)))
    const least = deltas.reduce((a, b) => a < b ? a : b)
    out.push(...varint(zigzag(least)))
    const parts: { width: number; bytes: number[] }[] = []
    for (let m = 0; m < minis; m++) {
      const part = deltas.slice(m * per, (m + 1) * per).map(d => BigInt.asUintN(64, d - least))
      const width = part.reduce((w, d) => Math.max(w, d.toString(2).length), part.some(d => d !== 0n) ? 1 : 0) * (part.some(d => d !== 0n) ? 1 : 0)
      while (part.length > 0 && part.length < per) part.push(0n)
      parts.push({ width, bytes: bits(part, width) })
    }
    out.push(...parts.map(part => part.width), ...parts.flatMap(part => part.bytes))
  }
  return out
}
const shape = fc.constantFrom([128, 4], [128, 1], [256, 8], [64, 8]).map(([block, minis]) => ({ block: block ?? 128, minis: minis ?? 4 }))
const anyInt64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -100n, max: 100n }), fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n))
const someBytes = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 60 })

const read64 = (n: number, at: Address = output): bigint[] => [...memory.i64.slice(at / 8, at / 8 + n)]
const read32 = (n: number, at: Address = output): number[] => [...memory.u32.slice(at / 4, at / 4 + n)]
const read8 = (n: number, at: Address = output): number[] => [...memory.u8.slice(at, at + n)]
const readVar = (n: number, offsets: Address, bytes: Address): number[][] => Array.from({ length: n }, (_, i) => read8((memory.u32[offsets / 4 + i + 1] ?? 0) - (memory.u32[offsets / 4 + i] ?? 0), bytes + (memory.u32[offsets / 4 + i] ?? 0)))

describe('what was encoded comes back', () => {
  test('RLE / bit-packed codes of every width, and through dictionaries', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 32 }).chain(width => fc.tuple(fc.constant(width), runs(width))), ([width, list]) => {
      const expected = valuesOf(list), end = put(hybrid(list, width)), n = expected.length, limit = 2 ** 32 - 1
      if (expected.includes(limit)) return
      expect(kernel.rle_u32(input, end, width, n, limit, output)).toBe(0)
      expect(read32(n)).toEqual(expected)
      expect(kernel.rle_u32(input, end, width, n, Math.max(...expected), output)).toBe(-1)
      if (width <= 8) {
        expect(kernel.rle_u8(input, end, width, n, 256, output)).toBe(0)
        expect(read8(n)).toEqual(expected)
        for (let i = 0; i < 512; i++) memory.u32[more / 4 + i] = i * 7
        expect(kernel.rle_gather4(input, end, width, n, more, 256, output)).toBe(0)
        expect(read32(n)).toEqual(expected.map(code => code * 7))
        expect(kernel.rle_gather8(input, end, width, n, more, 256, output)).toBe(0)
        expect(read32(2 * n)).toEqual(expected.flatMap(code => [code * 14, code * 14 + 7]))
        for (let i = 0; i < 1024; i++) memory.u32[more / 4 + i] = i * 7
        expect(kernel.rle_gather16(input, end, width, n, more, 256, output)).toBe(0)
        expect(read32(4 * n)).toEqual(expected.flatMap(code => [0, 1, 2, 3].map(k => (4 * code + k) * 7)))
      }
    }), { numRuns: 400 })
  })
  test('levels that are all the same', () => {
    put(hybrid([{ kind: 'run', value: 1, count: 9 }, { kind: 'run', value: 1, count: 3 }], 1))
    expect([12, 5].map(n => kernel.levels_all(input, input + 4, 1, n, 1))).toEqual([1, 1])
    expect(kernel.levels_all(input, input + 4, 1, 13, 1)).toBe(-1)
    expect(kernel.levels_all(input, input + 4, 1, 12, 2)).toBe(0)
  })
  test('bits, and how many levels are the highest', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 100 }), list => {
      const end = put(bits(list.map(bit => bit ? 1n : 0n), 1))
      expect(kernel.bits_to_bytes(input, end, list.length, output)).toBe(0)
      expect(read8(list.length)).toEqual(list.map(Number))
      expect(kernel.levels_count(output, list.length, 1)).toBe(list.filter(Boolean).length)
    }))
  })
  test('DELTA_BINARY_PACKED', () => {
    fc.assert(fc.property(fc.array(anyInt64, { minLength: 1, maxLength: 300 }), shape, (list, { block, minis }) => {
      const bytes = delta(list, block, minis), end = put(bytes)
      expect(kernel.delta64(input, end, list.length, output)).toBe(bytes.length)
      expect(read64(list.length)).toEqual(list)
      expect(kernel.delta32(input, end, list.length, output)).toBe(bytes.length)
      expect(read32(list.length)).toEqual(list.map(value => Number(BigInt.asUintN(32, value))))
      expect(kernel.delta64(input, end, list.length + 1, output)).toBe(-1)
    }), { numRuns: 300 })
  })
  test('PLAIN byte arrays, and gathered from a dictionary', () => {
    fc.assert(fc.property(someBytes, fc.array(fc.nat(1000), { maxLength: 50 }), (list, picks) => {
      const bytes = list.flatMap(item => [...bits([BigInt(item.length)], 32), ...item]), size = list.reduce((sum, item) => sum + item.length, 0)
      const end = put(bytes)
      memory.u32[output / 4] = 0
      expect(kernel.plain_var_size(input, end, list.length)).toBe(size)
      expect(kernel.plain_var(input, end, list.length, output, more, 0, size)).toBe(size)
      expect(readVar(list.length, output, more)).toEqual(list.map(item => [...item]))
      if (size > 0) expect(kernel.plain_var(input, end, list.length, output, more, 0, size - 1)).toBe(-1)
      expect(kernel.plain_var(input, end - 1, list.length, output, more, 0, size)).toBe(-1)
      const codes = picks.map(pick => pick % list.length), expected = codes.map(code => [...list[code] ?? []]), offsets = output + 4096, target = output + 8192
      memory.u32.set(codes, lengths / 4)
      memory.u32[offsets / 4] = 0
      const total = expected.reduce((sum, item) => sum + item.length, 0)
      expect(kernel.plain_var(input, end, list.length, output, more, 0, size)).toBe(size)
      expect(kernel.gather_var_size(lengths, codes.length, output)).toBe(total)
      expect(kernel.gather_var_append(lengths, codes.length, output, more, offsets, target, 0)).toBe(total)
      expect(readVar(codes.length, offsets, target)).toEqual(expected)
    }), { numRuns: 200 })
  })
  test('DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.constantFrom(97, 98), { maxLength: 20 }), { minLength: 1, maxLength: 60 }), list => {
      const n = list.length, head = delta(list.map(item => BigInt(item.length)), 128, 4)
      let end = put([...head, ...list.flat()])
      expect(kernel.delta32(input, end, n, lengths)).toBe(head.length)
      const sum = kernel.lengths_sum(lengths, n)
      expect(sum).toBe(list.flat().length)
      memory.u32[output / 4] = 0
      kernel.lengths_offsets(lengths, n, output, 0)
      expect(readVar(n, output, input + head.length)).toEqual(list)

      const prefixes = list.map((item, i) => { const before = list[i - 1] ?? []; let k = 0; while (k < item.length && item[k] === before[k]) k++; return k })
      const suffixes = list.map((item, i) => item.slice(prefixes[i]))
      const first = delta(prefixes.map(BigInt), 128, 4), second = delta(suffixes.map(item => BigInt(item.length)), 128, 4)
      end = put([...first, ...second, ...suffixes.flat()])
      expect(kernel.delta32(input, end, n, lengths)).toBe(first.length)
      expect(kernel.delta32(input + first.length, end, n, otherLengths)).toBe(second.length)
      const from = input + first.length + second.length
      expect(kernel.prefixed_size(lengths, otherLengths, n, end - from)).toBe(sum)
      if (suffixes.flat().length > 0) expect(kernel.prefixed_size(lengths, otherLengths, n, end - from - 1)).toBe(-1)
      expect(kernel.prefixed_append(lengths, otherLengths, n, from, output, more, 0)).toBe(sum)
      expect(readVar(n, output, more)).toEqual(list)
    }), { numRuns: 200 })
  })
  test('BYTE_STREAM_SPLIT of every width', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 17 }), fc.integer({ min: 0, max: 70 }), (width, n) => {
      const values = Array.from({ length: n * width }, (_, i) => (i * 37 + (i >> 3)) & 255)
      const end = put(Array.from({ length: n * width }, (_, i) => values[(i % n) * width + Math.floor(i / n)] ?? 0))
      expect(kernel.byte_stream_split(input, end, n, width, output)).toBe(0)
      expect(read8(n * width)).toEqual(values)
      if (n > 0) expect(kernel.byte_stream_split(input, end - 1, n, width, output)).toBe(-1)
    }))
  })
  test('values move to the rows that have one', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), valid => {
      const n = valid.length, present = valid.filter(Boolean).length
      memory.u8.set(valid.map(Number), input)
      for (const [width, spread] of [[1, kernel.spread1], [4, kernel.spread4], [8, kernel.spread8], [16, kernel.spread16]] as const) {
        for (let i = 0; i < present; i++) memory.u8.fill(i + 1, output + i * width, output + (i + 1) * width)
        spread(output, input, n, present)
        let next = 0
        expect(read8(n * width)).toEqual(valid.flatMap(is => new Array<number>(width).fill(is ? ++next : 0)))
      }
      for (let i = 0; i <= present; i++) memory.u32[output / 4 + i] = 3 * i
      kernel.spread_offsets(output, input, n, present)
      let at = 0
      expect(read32(n + 1)).toEqual([0, ...valid.map(is => at += is ? 3 : 0)])
    }))
  })
  test('decimals of every width, big-endian', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.bigInt({ min: -(2n ** 159n), max: 2n ** 159n - 1n }), { minLength: 1, maxLength: 20 }), (width, list) => {
      const values = list.map(value => BigInt.asIntN(8 * width, value)), n = values.length
      const end = put(values.flatMap(value => bits([value], 8 * width).reverse()))
      const fits = (size: number) => values.every(value => BigInt.asIntN(size, value) === value) ? 0 : -1
      expect(kernel.fixed_decimal64(input, n, width, output)).toBe(fits(64))
      if (fits(64) === 0) expect(read64(n)).toEqual(values)
      expect(kernel.fixed_decimal128(input, n, width, output)).toBe(fits(128))
      if (fits(128) === 0) expect(read64(2 * n)).toEqual(values.flatMap(value => [BigInt.asIntN(64, value), value >> 64n]))
      for (let i = 0; i <= n; i++) memory.u32[more / 4 + i] = i * width
      expect(kernel.var_decimal64(more, input, n, output)).toBe(fits(64))
      expect(kernel.var_decimal128(more, input, n, output)).toBe(fits(128))
      expect(end).toBe(input + n * width)
    }))
  })
  test('integers, times and floats', () => {
    memory.i32.set([-1, 5, -(2 ** 31)], output / 4 + 3)
    kernel.widen32(output + 12, 3, 1000n, output)
    expect(read64(3)).toEqual([-1000n, 5000n, -2147483648000n])
    memory.i32.set([-1, 5], output / 4 + 2)
    kernel.widen_u32(output + 8, 2, output)
    expect(read64(2)).toEqual([4294967295n, 5n])
    memory.i64.set([-1n, -1000n, 1999n], output / 8)
    kernel.nanos64(output, 3)
    expect(read64(3)).toEqual([-1n, -1n, 1n])
    memory.i64.set([-1n, 9223372036854775n], output / 8)
    expect(kernel.millis64(output, 2)).toBe(0)
    expect(read64(2)).toEqual([-1000n, 9223372036854775000n])
    memory.i64[output / 8] = 9223372036854776n
    expect(kernel.millis64(output, 1)).toBe(-1)
    memory.i64.set([-1n, 7n], output / 8)
    kernel.unsigned128(output, 2, output)
    expect(read64(4)).toEqual([-1n, 0n, 7n, 0n])
    // 1970-01-01 is Julian day 2440588.
    put([...bits([999n], 64), ...bits([2440588n], 32), ...bits([0n], 64), ...bits([2440587n], 32)])
    expect(kernel.int96(input, 2, output)).toBe(0)
    expect(read64(2)).toEqual([0n, -86400000000n])
    const halves: readonly (readonly [number, number])[] = [[0x3c00, 1], [0xc000, -2], [0x0001, 2 ** -24], [0x03ff, 1023 * 2 ** -24], [0x7bff, 65504], [0x7c00, Infinity], [0xfc00, -Infinity], [0x8000, -0], [0x3555, 0.333251953125]]
    put(halves.flatMap(([half]) => [half & 255, half >> 8]))
    kernel.float16(input, halves.length, output)
    expect([...memory.f32.slice(output / 4, output / 4 + halves.length)]).toEqual(halves.map(([, value]) => value))
  })
  test('what is UTF-8 is what TextDecoder says', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const isText = (bytes: Uint8Array): boolean => { try { decoder.decode(bytes); return true } catch { return false } }
    const piece = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }).map(text => new TextEncoder().encode(text)), fc.uint8Array({ maxLength: 4 }), fc.constantFrom('ed9fbf', 'eda080', 'f48fbfbf', 'f4908080', 'c080', 'e08080', 'f0808080', 'c3', 'e282').map(hex => Uint8Array.from(Buffer.from(hex, 'hex'))))
    fc.assert(fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), list => {
      let at = 0
      memory.u32.set([0, ...list.map(item => at += item.length)], output / 4)
      put(Uint8Array.from(list.flatMap(item => [...item])))
      expect(kernel.text_valid(output, list.length, input)).toBe(list.every(isText) ? 1 : 0)
    }), { numRuns: 2000 })
  })
})

describe('decompression', () => {
  type Step = { readonly literal: number[]; readonly distance: number; readonly length: number }
  const steps: fc.Arbitrary<Step[]> = fc.array(fc.record({ literal: fc.array(fc.nat(255), { minLength: 1, maxLength: 90 }), distance: fc.integer({ min: 1, max: 100 }), length: fc.integer({ min: 4, max: 64 }) }), { minLength: 1, maxLength: 20 })
  /** What the steps spell, with distances cut to what is there. */
  function spell(list: readonly Step[]): { bytes: number[]; steps: Step[] } {
    const bytes: number[] = [], done: Step[] = []
    for (const { literal, distance, length } of list) {
      bytes.push(...literal)
      const back = Math.min(distance, bytes.length)
      for (let i = 0; i < length; i++) bytes.push(bytes[bytes.length - back] ?? 0)
      done.push({ literal, distance: back, length })
    }
    return { bytes, steps: done }
  }
  test('Snappy', () => {
    fc.assert(fc.property(steps, list => {
      const { bytes, steps } = spell(list)
      const block = [...varint(bytes.length), ...steps.flatMap(({ literal, distance, length }) => [
        ...(literal.length <= 60 ? [(literal.length - 1) << 2] : [60 << 2, literal.length - 1]), ...literal,
        ...(length <= 11 ? [1 | (length - 4) << 2 | (distance >> 8) << 5, distance & 255] : length % 2 === 0 ? [2 | (length - 1) << 2, distance & 255, distance >> 8] : [3 | (length - 1) << 2, distance & 255, distance >> 8, 0, 0]),
      ])]
      const end = put(block)
      expect(kernel.snappy(input, end, output, bytes.length)).toBe(bytes.length)
      expect(read8(bytes.length)).toEqual(bytes)
      expect(kernel.snappy(input, end - 1, output, bytes.length)).toBe(-1)
      expect(kernel.snappy(input, end, output, bytes.length + 1)).toBe(-1)
    }))
  })
  test('LZ4', () => {
    const long = (n: number): number[] => n < 15 ? [] : [...new Array<number>(Math.floor((n - 15) / 255)).fill(255), (n - 15) % 255]
    fc.assert(fc.property(steps, list => {
      const { bytes, steps } = spell(list)
      const block = [...steps.flatMap(({ literal, distance, length }) => [Math.min(literal.length, 15) << 4 | Math.min(length - 4, 15), ...long(literal.length), ...literal, distance & 255, distance >> 8, ...long(length - 4)]), 0x10, 7]
      const end = put(block)
      expect(kernel.lz4(input, end, output, bytes.length + 1)).toBe(bytes.length + 1)
      expect(read8(bytes.length + 1)).toEqual([...bytes, 7])
      expect(kernel.lz4(input, end, output, bytes.length)).toBe(-1)
    }))
  })
})

test('garbage makes no kernel write outside of its output', () => {
  const canary = 0x5c, room = 4096
  /** Each with the bytes that it may write for n values. */
  const decoders: Readonly<Record<string, (from: Address, end: Address, n: number, out: Address) => number>> = {
    rle_u8: (from, end, n, out) => { kernel.rle_u8(from, end, 3, n, 8, out); return n },
    rle_u32: (from, end, n, out) => { kernel.rle_u32(from, end, 13, n, 5000, out); return 4 * n },
    rle_gather8: (from, end, n, out) => { kernel.rle_gather8(from, end, 7, n, more, 100, out); return 8 * n },
    rle_gather16: (from, end, n, out) => { kernel.rle_gather16(from, end, 9, n, more, 100, out); return 16 * n },
    bits: (from, end, n, out) => { kernel.bits_to_bytes(from, end, n, out); return n },
    delta32: (from, end, n, out) => { kernel.delta32(from, end, n, out); return 4 * n },
    delta64: (from, end, n, out) => { kernel.delta64(from, end, n, out); return 8 * n },
    byte_stream_split: (from, end, n, out) => { kernel.byte_stream_split(from, end, n, 4, out); return 4 * n },
    plain_var: (from, end, n, out) => { memory.u32[lengths / 4] = 0; kernel.plain_var(from, end, n, lengths, out, 0, 200); return 200 + 16 },
    snappy: (from, end, n, out) => { kernel.snappy(from, end, out, n); return n + 16 },
    lz4: (from, end, n, out) => { kernel.lz4(from, end, out, n); return n + 16 },
  }
  fc.assert(fc.property(fc.constantFrom(...Object.keys(decoders)), fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 200 }), fc.boolean(), (name, garbage, n, likely) => {
    // Headers that pass the first checks get further.
    const head = !likely ? [] : name === 'snappy' ? varint(n) : name.startsWith('delta') ? [...varint(128), 4, ...varint(n)] : []
    const end = put([...head, ...garbage]), out = output + room
    memory.u8.fill(canary, output, output + 3 * room)
    try {
      const may = decoders[name]?.(input, end, n, out) ?? 0
      expect(memory.u8.subarray(output, out).every(byte => byte === canary), `${name} wrote before its output`).toBe(true)
      expect(memory.u8.subarray(out + may, output + 3 * room).every(byte => byte === canary), `${name} wrote behind its output`).toBe(true)
    } catch (error) {
      // Reading far outside of the memory traps; the reader makes XX001 of it.
      if (!(error instanceof WebAssembly.RuntimeError)) throw error
    }
  }), { numRuns: 5000 })
})
