/** Bytes to messages and messages to bytes: PostgreSQL's frontend/backend protocol 3.0 and 3.2. No sockets, no meaning. */
import { SqlError } from '../error.ts'
import { fromUtf8 } from '../text/settings.ts'

/** A message of the client. */
export type FrontendMessage =
  | { readonly type: 'startup'; readonly major: number; readonly minor: number; readonly parameters: ReadonlyMap<string, string> }
  | { readonly type: 'ssl' | 'gss' }
  | { readonly type: 'cancel'; readonly pid: number; readonly key: Uint8Array }
  | { readonly type: 'query'; readonly sql: string }
  | { readonly type: 'parse'; readonly name: string; readonly sql: string; readonly types: readonly number[] }
  | { readonly type: 'bind'; readonly portal: string; readonly statement: string; readonly formats: readonly number[]; readonly values: readonly (Uint8Array | null)[]; readonly resultFormats: readonly number[] }
  | { readonly type: 'describe' | 'close'; readonly what: 'statement' | 'portal'; readonly name: string }
  | { readonly type: 'execute'; readonly portal: string; readonly limit: number }
  | { readonly type: 'sync' | 'flush' | 'terminate' | 'copyDone' }
  | { readonly type: 'copyData'; readonly bytes: Uint8Array }
  | { readonly type: 'copyFail'; readonly reason: string }
  | { readonly type: 'password'; readonly bytes: Uint8Array }
  | { readonly type: 'function' }
  /** The frame was whole, its body not: the session goes on after an error. */
  | { readonly type: 'malformed'; readonly error: SqlError; readonly kind: string }

/** Beyond this a length is no length: PostgreSQL's limits for messages and for the start-up packet. */
const MAX_MESSAGE = 0x3fffffff, MAX_SMALL = 30_000, MAX_STARTUP = 10_000

const SSL_REQUEST = 80877103, GSS_REQUEST = 80877104, CANCEL_REQUEST = 80877102

/** Cuts a stream of bytes, however it arrives, into messages. */
export class MessageReader {
  #buffer: Buffer = Buffer.alloc(0)
  /** What came behind `buffer` and is not joined to it yet: a large message in many pieces is copied once, not once a piece. */
  #more: Uint8Array[] = []
  #size = 0
  /** Bytes without which there is no next message. */
  #needed = 0
  #started = false

  /** Bytes that are not yet part of a message: must be 0 when SSL is answered, or they were slipped in before encryption. */
  get pending(): number { return this.#size }

  push(bytes: Uint8Array): void {
    this.#more.push(bytes)
    this.#size += bytes.length
  }

  /** The next whole message, if there is one. Throws (FATAL 08P01) when the framing itself is lost. */
  next(): FrontendMessage | undefined {
    if (this.#size < this.#needed) return undefined
    if (this.#more.length > 0) {
      this.#buffer = Buffer.concat([this.#buffer, ...this.#more])
      this.#more = []
    }
    this.#needed = 0
    return this.#started ? this.#message() : this.#startup()
  }

  /** Takes a whole message off the buffer; undefined, and nothing more to do until so many bytes are there, when it is not whole. */
  #cut(length: number): Buffer | undefined {
    if (this.#buffer.length < length) { this.#needed = length; return undefined }
    const message = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    this.#size -= length
    return message
  }

  #startup(): FrontendMessage | undefined {
    const buffer = this.#buffer
    if (buffer.length < 4) return undefined
    const length = buffer.readInt32BE(0)
    if (length < 8 || length > MAX_STARTUP) throw new SqlError('08P01', 'invalid length of startup packet', { severity: 'FATAL' })
    const packet = this.#cut(length)
    if (packet === undefined) return undefined
    const code = packet.readInt32BE(4), body = new Fields(packet.subarray(8))
    if (code === SSL_REQUEST) return { type: 'ssl' }
    if (code === GSS_REQUEST) return { type: 'gss' }
    if (code === CANCEL_REQUEST) {
      if (length < 16) throw new SqlError('08P01', 'invalid length of startup packet', { severity: 'FATAL' })
      return { type: 'cancel', pid: body.int32(), key: body.rest() }
    }
    const major = code >>> 16, minor = code & 0xffff
    if (major !== 3) throw new SqlError('0A000', `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.2`, { severity: 'FATAL' })
    const parameters = new Map<string, string>()
    try {
      for (;;) {
        const name = body.string()
        if (name === '') break
        parameters.set(name, body.string())
      }
      if (body.left !== 0) throw new SqlError('08P01', 'invalid startup packet layout: expected terminator as last byte')
    } catch (error) {
      throw error instanceof SqlError ? error.with({ severity: 'FATAL' }) : error
    }
    this.#started = true
    return { type: 'startup', major, minor, parameters }
  }

  #message(): FrontendMessage | undefined {
    const buffer = this.#buffer
    if (buffer.length < 5) return undefined
    const kind = String.fromCharCode(buffer[0] ?? 0), length = buffer.readInt32BE(1)
    const large = 'QPBdcfpF'.includes(kind)
    if (!large && !'DECSHX'.includes(kind)) throw new SqlError('08P01', `invalid frontend message type ${buffer[0] ?? 0}`, { severity: 'FATAL' })
    if (length < 4 || length > (large ? MAX_MESSAGE : MAX_SMALL)) throw new SqlError('08P01', 'invalid message length', { severity: 'FATAL' })
    const message = this.#cut(1 + length)
    if (message === undefined) return undefined
    try {
      return readMessage(kind, new Fields(message.subarray(5)))
    } catch (error) {
      if (!(error instanceof SqlError)) throw error
      return { type: 'malformed', error, kind }
    }
  }
}

function readMessage(kind: string, body: Fields): FrontendMessage {
  const message = ((): FrontendMessage => {
    switch (kind) {
      case 'Q': return { type: 'query', sql: body.string() }
      case 'P': {
        const name = body.string(), sql = body.string()
        return { type: 'parse', name, sql, types: body.list(() => body.int32() >>> 0) }
      }
      case 'B': {
        const portal = body.string(), statement = body.string()
        const formats = body.list(() => body.int16())
        const values = body.list(() => { const length = body.int32(); return length === -1 ? null : body.bytes(length) })
        return { type: 'bind', portal, statement, formats, values, resultFormats: body.list(() => body.int16()) }
      }
      case 'D': case 'C': {
        const what = String.fromCharCode(body.byte())
        if (what !== 'S' && what !== 'P') throw new SqlError('08P01', `invalid ${kind === 'D' ? 'DESCRIBE' : 'CLOSE'} message subtype ${what.charCodeAt(0)}`)
        return { type: kind === 'D' ? 'describe' : 'close', what: what === 'S' ? 'statement' : 'portal', name: body.string() }
      }
      case 'E': return { type: 'execute', portal: body.string(), limit: body.int32() }
      case 'S': return { type: 'sync' }
      case 'H': return { type: 'flush' }
      case 'X': body.rest(); return { type: 'terminate' }
      case 'd': return { type: 'copyData', bytes: body.rest() }
      case 'c': return { type: 'copyDone' }
      case 'f': return { type: 'copyFail', reason: body.string() }
      case 'p': return { type: 'password', bytes: body.rest() }
      default: body.rest(); return { type: 'function' }
    }
  })()
  if (body.left !== 0) throw new SqlError('08P01', 'invalid message format')
  return message
}

/** The fields of one message body. */
class Fields {
  readonly #buffer: Buffer
  #at = 0
  constructor(buffer: Buffer) { this.#buffer = buffer }
  get left(): number { return this.#buffer.length - this.#at }
  #need(bytes: number): number {
    if (bytes < 0 || this.left < bytes) throw new SqlError('08P01', 'insufficient data left in message')
    const at = this.#at
    this.#at += bytes
    return at
  }
  byte(): number { return this.#buffer[this.#need(1)] ?? 0 }
  int16(): number { return this.#buffer.readInt16BE(this.#need(2)) }
  int32(): number { return this.#buffer.readInt32BE(this.#need(4)) }
  bytes(length: number): Uint8Array { const at = this.#need(length); return this.#buffer.subarray(at, at + length) }
  rest(): Uint8Array { return this.bytes(this.left) }
  string(): string {
    const end = this.#buffer.indexOf(0, this.#at)
    if (end < 0) throw new SqlError('08P01', 'invalid string in message')
    const bytes = this.#buffer.subarray(this.#at, end)
    this.#at = end + 1
    return fromUtf8(bytes)
  }
  list<T>(read: () => T): T[] {
    const count = this.#buffer.readUInt16BE(this.#need(2))
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read())
    return items
  }
}

/** Backend messages put into a growing buffer; `take` gives what was written and begins anew. */
export class MessageWriter {
  #buffer = Buffer.allocUnsafe(8192)
  #at = 0
  #start = 0
  #open = false

  get size(): number { return this.#at }

  take(): Uint8Array {
    const bytes = this.#buffer.subarray(0, this.#at)
    this.#buffer = Buffer.allocUnsafe(Math.max(8192, Math.min(this.#buffer.length, 1 << 17)))
    this.#at = 0
    return bytes
  }

  #room(bytes: number): number {
    const at = this.#at
    if (at + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + bytes))
      this.#buffer.copy(larger, 0, 0, at)
      this.#buffer = larger
    }
    this.#at = at + bytes
    return at
  }

  /** Begins a message. One that was begun and not ended, because a value of it could not be written, is taken back. */
  begin(type: string): this {
    if (this.#open) this.#at = this.#start
    this.#open = true
    const at = this.#room(5)
    this.#buffer[at] = type.charCodeAt(0)
    this.#start = at
    return this
  }
  end(): this {
    this.#buffer.writeInt32BE(this.#at - this.#start - 1, this.#start + 1)
    this.#open = false
    return this
  }

  // the room comes first: it may put another buffer in the place of this one
  byte(value: number): this { const at = this.#room(1); this.#buffer[at] = value; return this }
  int16(value: number): this { const at = this.#room(2); this.#buffer.writeInt16BE(value << 16 >> 16, at); return this }
  int32(value: number): this { const at = this.#room(4); this.#buffer.writeInt32BE(value | 0, at); return this }
  int64(value: bigint): this { const at = this.#room(8); this.#buffer.writeBigInt64BE(BigInt.asIntN(64, value), at); return this }
  float32(value: number): this { const at = this.#room(4); this.#buffer.writeFloatBE(value, at); return this }
  float64(value: number): this { const at = this.#room(8); this.#buffer.writeDoubleBE(value, at); return this }
  bytes(value: Uint8Array): this { const at = this.#room(value.length); this.#buffer.set(value, at); return this }
  /** Text without a length and without a zero behind it. */
  text(value: string): this {
    if (value.length < 64) {
      // short and ASCII, as most values are: no second pass
      const at = this.#room(value.length), buffer = this.#buffer
      let i = 0
      for (; i < value.length; i++) { const unit = value.charCodeAt(i); if (unit > 127) break; buffer[at + i] = unit }
      if (i === value.length) return this
      this.#at = at
    }
    const length = Buffer.byteLength(value), at = this.#room(length)
    this.#buffer.write(value, at, length, 'utf8')
    return this
  }
  string(value: string): this { return this.text(value.replaceAll('\0', '')).byte(0) }
  /** A value with its length in front: whatever `write` puts. */
  sized(write: () => void): this {
    const at = this.#room(4)
    write()
    this.#buffer.writeInt32BE(this.#at - at - 4, at)
    return this
  }
  sizedText(value: string): this { return this.sized(() => this.text(value)) }

  /** A message without a body. */
  empty(type: string): this { return this.begin(type).end() }
  ready(status: 'idle' | 'open' | 'failed'): this { return this.begin('Z').byte(status === 'idle' ? 73 : status === 'open' ? 84 : 69).end() }
  parameter(name: string, value: string): this { return this.begin('S').string(name).string(value).end() }
  complete(tag: string): this { return this.begin('C').string(tag).end() }
  authentication(code: number): this { return this.begin('R').int32(code).end() }
  backendKey(pid: number, key: Uint8Array): this { return this.begin('K').int32(pid).bytes(key).end() }

  /** ErrorResponse or NoticeResponse: fields by their one-letter names; empty ones are left out. */
  report(type: 'E' | 'N', fields: readonly (readonly [string, string | undefined])[]): this {
    this.begin(type)
    for (const [name, value] of fields) if (value !== undefined) this.byte(name.charCodeAt(0)).string(value)
    return this.byte(0).end()
  }

  error(error: SqlError): this {
    const { details } = error, severity = details.severity ?? 'ERROR'
    return this.report('E', [['S', severity], ['V', severity], ['C', error.code], ['M', error.message], ['D', details.detail], ['H', details.hint], ['P', details.position === undefined ? undefined : String(details.position)], ['W', details.where], ['s', details.schema], ['t', details.table], ['c', details.column]])
  }
}
