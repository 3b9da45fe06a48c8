/** Functions over bytea and uuid, hashes, and text encodings of bytes. */
import { createHash, randomUUID } from 'node:crypto'
import { asBigInt, asBytes, asNumber, asText } from '../datum.ts'
import { SqlError } from '../error.ts'
import { bytesOfEscape, bytesOfHex, hexOf } from '../text/bytes.ts'
import { utf8 } from '../text/settings.ts'
import { BYTEA, INT4, INT8, TEXT } from '../type.ts'
import type { Value } from '../value.ts'
import { value } from './body.ts'
import type { ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'

const raw = (v: Value | undefined): Uint8Array => asBytes(v ?? null)
const num = (v: Value | undefined): number => asNumber(v ?? null)

function hash(algorithm: string, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(algorithm).update(bytes).digest())
}

function slice(bytes: Uint8Array, start: number, length?: number): Uint8Array {
  if (length !== undefined && length < 0) throw new SqlError('22011', 'negative substring length not allowed')
  const from = Math.max(0, start - 1)
  return bytes.slice(from, length === undefined ? undefined : Math.max(from, start - 1 + length))
}

function encode(bytes: Uint8Array, format: string): string {
  switch (format.toLowerCase()) {
    case 'hex': return hexOf(bytes)
    case 'base64': return (Buffer.from(bytes).toString('base64').match(/.{1,76}/g) ?? []).join('\n')
    case 'escape': return Array.from(bytes, byte => byte === 0 || byte > 127 ? `\\${byte.toString(8).padStart(3, '0')}` : byte === 92 ? '\\\\' : String.fromCharCode(byte)).join('')
    default: throw new SqlError('22023', `unrecognized encoding: "${format}"`)
  }
}

function decode(text: string, format: string): Uint8Array {
  switch (format.toLowerCase()) {
    case 'hex': return bytesOfHex(text)
    case 'escape': return bytesOfEscape(text)
    case 'base64': {
      const digits = text.replace(/[ \t\n\r]/g, '')
      const wrong = /[^A-Za-z0-9+/=]/u.exec(digits)
      if (wrong !== null) throw new SqlError('22023', `invalid symbol "${wrong[0]}" found while decoding base64 sequence`)
      if (digits.length % 4 !== 0 || !/^[^=]*={0,2}$/.test(digits)) {
        throw new SqlError('22023', /^[^=]*={0,2}$/.test(digits) ? 'invalid base64 end sequence' : 'unexpected "=" while decoding base64 sequence', /^[^=]*={0,2}$/.test(digits) ? { hint: 'Input data is missing padding, is truncated, or is otherwise corrupted.' } : {})
      }
      return new Uint8Array(Buffer.from(digits, 'base64'))
    }
    default: throw new SqlError('22023', `unrecognized encoding: "${format}"`)
  }
}

function at(bytes: Uint8Array, index: number): number {
  if (index < 0 || index >= bytes.length) throw new SqlError('2202E', `index ${index} out of valid range, 0..${bytes.length - 1}`)
  return bytes[index] ?? 0
}

function position(bytes: Uint8Array, part: Uint8Array): number {
  return part.length === 0 ? 1 : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(part) + 1
}

function trim(bytes: Uint8Array, set: Uint8Array, left: boolean, right: boolean): Uint8Array {
  let start = 0
  let end = bytes.length
  while (left && start < end && set.includes(bytes[start] ?? 0)) start++
  while (right && end > start && set.includes(bytes[end - 1] ?? 0)) end--
  return bytes.slice(start, end)
}

export const bytesFunctions: readonly ScalarFunction[] = [
  scalar('||', ['bytea', 'bytea'], BYTEA, value(([a, b]) => {
    const out = new Uint8Array(raw(a).length + raw(b).length)
    out.set(raw(a))
    out.set(raw(b), raw(a).length)
    return out
  }), 'joins two byte strings'),
  ...['length', 'octet_length'].map(name => scalar(name, ['bytea'], INT4, value(([bytes]) => raw(bytes).length), 'the number of bytes')),
  scalar('bit_length', ['bytea'], INT4, value(([bytes]) => raw(bytes).length * 8), 'the number of bits'),
  ...['substring', 'substr'].flatMap(name => [
    scalar(name, ['bytea', 'int4'], BYTEA, value(([bytes, start]) => slice(raw(bytes), num(start))), 'the bytes from a position on'),
    scalar(name, ['bytea', 'int4', 'int4'], BYTEA, value(([bytes, start, length]) => slice(raw(bytes), num(start), num(length))), 'so many bytes from a position on'),
  ]),
  scalar('position', ['bytea', 'bytea'], INT4, value(([bytes, part]) => position(raw(bytes), raw(part))), 'where a part first occurs, 0 if nowhere'),
  ...([['btrim', true, true], ['ltrim', true, false], ['rtrim', false, true]] as const).map(([name, left, right]) =>
    scalar(name, ['bytea', 'bytea'], BYTEA, value(([bytes, set]) => trim(raw(bytes), raw(set), left, right)), 'removes bytes of a set from the ends')),
  scalar('get_byte', ['bytea', 'int4'], INT4, value(([bytes, index]) => at(raw(bytes), num(index))), 'one byte'),
  scalar('set_byte', ['bytea', 'int4', 'int4'], BYTEA, value(([bytes, index, byte]) => {
    at(raw(bytes), num(index))
    const out = raw(bytes).slice()
    out[num(index)] = num(byte)
    return out
  }), 'with one byte replaced'),
  scalar('get_bit', ['bytea', 'int8'], INT4, value(([bytes, index]) => {
    const n = Number(asBigInt(index ?? null))
    return (at(raw(bytes), n >> 3) >> (n & 7)) & 1
  }), 'one bit'),
  scalar('encode', ['bytea', 'text'], TEXT, value(([bytes, format]) => encode(raw(bytes), asText(format ?? null))), 'bytes as hex, base64 or escape text'),
  scalar('decode', ['text', 'text'], BYTEA, value(([text, format]) => decode(asText(text ?? null), asText(format ?? null))), 'the bytes of hex, base64 or escape text'),
  scalar('md5', ['text'], TEXT, value(([text]) => hexOf(hash('md5', utf8(asText(text ?? null))))), 'MD5 in hexadecimal'),
  scalar('md5', ['bytea'], TEXT, value(([bytes]) => hexOf(hash('md5', raw(bytes)))), 'MD5 in hexadecimal'),
  ...['sha224', 'sha256', 'sha384', 'sha512'].map(name => scalar(name, ['bytea'], BYTEA, value(([bytes]) => hash(name, raw(bytes))), 'the hash of bytes')),
  scalar('gen_random_uuid', [], { kind: 'uuid' }, value(() => randomUUID()), 'a random uuid, version 4', { volatility: 'volatile' }),
  scalar('bit_count', ['bytea'], INT8, value(([bytes]) => {
    let count = 0n
    for (let byte of raw(bytes)) for (; byte !== 0; byte &= byte - 1) count++
    return count
  }), 'the number of bits that are 1'),
]
