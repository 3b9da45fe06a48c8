/** One connection as a function: bytes of the client in, bytes of the server out. No sockets; nothing is computed ahead of who reads. */
import { randomBytes } from 'node:crypto'
import type { Batch } from '../batch.ts'
import { columnReader } from '../column.ts'
import { InternalError, SqlError } from '../error.ts'
import type { Memory } from '../memory.ts'
import { lengthOf, modifierOf, oidOf, typeOfOid } from '../oid.ts'
import type { Answer, AnswerField, CopyInput, Prepared, SessionFace } from '../session/face.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { FrontendMessage } from './codec.ts'
import { MessageReader, MessageWriter } from './codec.ts'
import { CopyWriter } from './copy.ts'
import { readParameter, valueWriter } from './types.ts'

/** What a connection needs of the server around it. */
export interface Surroundings {
  readonly memory: Memory
  /** Opens the session of a start-up packet. Throws FATAL errors: no such database, too many connections. */
  open(user: string, database: string, settings: Readonly<Record<string, string>>): Promise<Opened>
  /** A cancel request of another connection. Unknown keys are passed over in silence. */
  cancel(pid: number, key: Uint8Array): void
  /** Our own failures, with their stacks. */
  log(error: unknown): void
}

export interface Opened {
  readonly session: SessionFace
  readonly pid: number
  /** Makes `cancel` with this key reach the session. */
  key(key: Uint8Array): void
  close(): Promise<void>
}

/** A bound statement, and how far its rows were sent. */
interface Portal {
  readonly prepared: Prepared
  readonly values: readonly Value[]
  readonly formats: readonly number[]
  answer: Answer | undefined
  /** The batch whose rows are being sent, and the first that was not yet. */
  batch: Batch | undefined
  offset: number
  ended: boolean
}

/** What answers a message, suspended until more of the client's data comes. */
interface Copying {
  readonly work: AsyncGenerator<Uint8Array, void, undefined>
  /** It answers a simple query. */
  readonly simple: boolean
}

const FLUSH = 1 << 16
const NOTHING = new Uint8Array(0)

/** Serves one client to its end. Ending the iterator early frees everything. */
export async function* converse(input: AsyncIterable<Uint8Array>, surroundings: Surroundings): AsyncGenerator<Uint8Array, void, undefined> {
  const connection = new Connection(surroundings)
  try {
    const reader = new MessageReader()
    for await (const bytes of input) {
      reader.push(bytes)
      for (;;) {
        const message = reader.next()
        if (message === undefined) break
        yield* connection.take(message, reader.pending)
        if (connection.over) {
          if (connection.out.size > 0) yield connection.out.take()
          return
        }
      }
      if (connection.out.size > 0) yield connection.out.take()
    }
  } catch (error) {
    if (connection.out.size > 0) yield connection.out.take()
    const fatal = asSqlError(error, surroundings)
    connection.out.error(new SqlError(fatal.code, fatal.message, { ...fatal.details, severity: 'FATAL' }))
    yield connection.out.take()
  } finally {
    await connection.close()
  }
}

class Connection {
  readonly out = new MessageWriter()
  over = false
  readonly #around: Surroundings
  #opened: Opened | undefined
  #skipping = false
  readonly #portals = new Map<string, Portal>()
  /** A COPY FROM whose data is not all here: its work goes on when a message of the data comes. */
  #copying: Copying | undefined
  #wantsData = false
  #data: FrontendMessage | undefined

  constructor(surroundings: Surroundings) { this.#around = surroundings }

  async close(): Promise<void> {
    await this.#copying?.work.return()
    await this.#closePortals()
    await this.#opened?.close()
  }

  get #session(): SessionFace {
    if (this.#opened === undefined) throw new SqlError('08P01', 'no start-up packet', { severity: 'FATAL' })
    return this.#opened.session
  }

  /** Answers one message. `pending`: bytes that came behind it. */
  async *take(message: FrontendMessage, pending: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { out } = this
    switch (message.type) {
      case 'ssl': case 'gss':
        // what came behind the request in the clear may be anybody's: it must not be taken for the client's own words
        if (pending > 0) throw new SqlError('08P01', `received unencrypted data after ${message.type === 'ssl' ? 'SSL' : 'GSSAPI encryption'} request`, { detail: 'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.', severity: 'FATAL' })
        yield Uint8Array.of(78)
        return
      case 'cancel':
        this.#around.cancel(message.pid, message.key)
        this.over = true
        return
      case 'startup':
        await this.#start(message)
        yield out.take()
        return
      case 'terminate':
        this.over = true
        return
      default:
    }
    if (this.#copying !== undefined) { yield* this.#continueCopy(this.#copying, message); return }
    // a Sync ends the skipping even when its body is wrong
    const sync = message.type === 'sync' || (message.type === 'malformed' && message.kind === 'S')
    if (this.#skipping && !sync) return
    const simple = message.type === 'query' || message.type === 'function' || (message.type === 'malformed' && !'PBDECH'.includes(message.kind))
    try {
      switch (message.type) {
        case 'query': yield* this.#started(this.#query(message.sql), true); break
        case 'parse': await this.#parse(message.name, message.sql, message.types); break
        case 'bind': await this.#bind(message); break
        case 'describe': this.#describe(message.what, message.name); break
        case 'execute': yield* this.#started(this.#execute(message.portal, message.limit), false); break
        case 'close':
          if (message.what === 'statement') this.#session.statements.delete(message.name)
          else await this.#closePortal(message.name)
          out.empty('3')
          break
        case 'flush': break
        case 'sync': await this.#sync(); break
        case 'malformed':
          if (sync) { this.#skipping = false; await this.#session.sync(true) }
          throw message.error
        case 'function': throw new SqlError('0A000', 'function calls by the fast-path protocol are not supported', { hint: 'Call the function in a SELECT.' })
        // remains of a COPY that failed: the client could not know yet
        case 'copyData': case 'copyDone': case 'copyFail': break
        case 'password': throw new SqlError('08P01', 'invalid frontend message type 112', { severity: 'FATAL' })
      }
    } catch (error) {
      this.#fail(error, simple)
    }
    // one write for what came in one packet, unless it grows
    if (out.size > FLUSH || (out.size > 0 && (message.type === 'flush' || sync || simple))) yield out.take()
  }

  /** Works until it is done, or until a COPY FROM wants data that is not here yet. */
  async *#started(work: AsyncGenerator<Uint8Array, void, undefined>, simple: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    let waits = false
    try {
      for (;;) {
        const item = await work.next()
        if (item.done === true) return
        if (item.value.length > 0) yield item.value
        if (!this.#wantsData) continue
        waits = true
        this.#copying = { work, simple }
        return
      }
    } finally {
      if (!waits) await work.return()
    }
  }

  /** Hands a message to the COPY FROM that waits for it. */
  async *#continueCopy(copying: Copying, message: FrontendMessage): AsyncGenerator<Uint8Array, void, undefined> {
    // in the extended protocol these come before the client knows that it is to send data
    if (message.type === 'flush' || message.type === 'sync') return
    this.#copying = undefined
    this.#wantsData = false
    this.#data = message
    try {
      yield* this.#started(copying.work, copying.simple)
    } catch (error) {
      if (isData(message)) this.#fail(error, copying.simple)
      else {
        // as PostgreSQL: what the client meant by it cannot be known
        this.out.error(asSqlError(error, this.#around))
        this.out.error(new SqlError('08P01', 'terminating connection because protocol synchronization was lost', { severity: 'FATAL' }))
        this.over = true
      }
    }
    if (this.out.size > FLUSH || (this.out.size > 0 && this.#copying === undefined)) yield this.out.take()
  }

  /** COPY … FROM STDIN: asks for the data and takes it. */
  async *#receive(input: CopyInput): AsyncGenerator<Uint8Array, void, undefined> {
    const { out } = this
    out.begin('G').byte(0).int16(input.columns)
    for (let i = 0; i < input.columns; i++) out.int16(0)
    out.end()
    for (;;) {
      this.#wantsData = true
      yield out.size > 0 ? out.take() : NOTHING
      const message = this.#data
      this.#data = undefined
      switch (message?.type) {
        case 'copyData': await input.write(message.bytes); break
        case 'copyDone': await input.finish(); return
        case 'copyFail': throw new SqlError('57014', `COPY from stdin failed: ${message.reason}`, { where: input.place })
        default: throw new SqlError('08P01', `unexpected message type 0x${Buffer.from(codeOf(message)).toString('hex')} during COPY from stdin`, { where: input.place })
      }
    }
  }

  #fail(error: unknown, simple: boolean): void {
    const sql = asSqlError(error, this.#around)
    this.#session.fail()
    this.out.error(sql)
    if (sql.details.severity === 'FATAL') { this.over = true; return }
    if (simple) this.out.ready(this.#session.transaction)
    else this.#skipping = true
  }

  async #start(message: Extract<FrontendMessage, { type: 'startup' }>): Promise<void> {
    const { out } = this, user = message.parameters.get('user')
    if (user === undefined || user === '') throw new SqlError('28000', 'no PostgreSQL user name specified in startup packet', { severity: 'FATAL' })
    const settings: Record<string, string> = {}, unknown: string[] = []
    for (const [name, value] of message.parameters) {
      if (name.startsWith('_pq_.')) unknown.push(name)
      else if (name === 'options') Object.assign(settings, readOptions(value))
      else if (name === 'replication') { if (!/^(?:false|off|no|0)$/i.test(value)) throw new SqlError('0A000', 'replication connections are not supported', { severity: 'FATAL' }) }
      else if (name !== 'user' && name !== 'database') settings[name] = value
    }
    if (message.minor > 2 || unknown.length > 0) {
      out.begin('v').int32(message.major << 16 | Math.min(message.minor, 2)).int32(unknown.length)
      for (const name of unknown) out.string(name)
      out.end()
    }
    const opened = await this.#around.open(user, message.parameters.get('database') ?? user, settings)
    this.#opened = opened
    const { session } = opened
    session.onParameter = (name, value) => out.parameter(name, value)
    session.onNotice = notice => out.report('N', [['S', notice.severity], ['V', notice.severity], ['C', notice.code], ['M', notice.message], ['H', notice.hint]])
    out.authentication(0)
    for (const [name, value] of session.reported) out.parameter(name, value)
    const key = randomBytes(message.minor >= 2 ? 32 : 4)
    opened.key(key)
    out.backendKey(opened.pid, key).ready(session.transaction)
  }

  // ---- simple query --------------------------------------------------------------------------------------------------

  async *#query(sql: string): AsyncGenerator<Uint8Array, void, undefined> {
    const session = this.#session, { out } = this
    await this.#closePortal('')
    session.statements.delete('')
    let failed = false
    try {
      const parts = await session.split(sql)
      if (parts.length === 0) out.empty('I')
      for (const [i, part] of parts.entries()) {
        try {
          const answer = await session.execute(await session.prepare(part.text), [])
          yield* this.#send(answer, i === parts.length - 1)
        } catch (error) {
          throw shifted(error, part.at - 1)
        }
      }
    } catch (error) {
      failed = true
      throw error
    } finally {
      if (failed) await session.sync(true)
    }
    out.ready(session.transaction)
  }

  /** A whole answer, as text or as COPY data. The last one's changes are committed before its tag is sent. */
  async *#send(answer: Answer, last: boolean): AsyncGenerator<Uint8Array, void, undefined> {
    const { out } = this, session = this.#session
    const copy = answer.copy === undefined ? undefined : new CopyWriter(answer.copy, answer.schema, session.text, this.#around.memory)
    if (copy !== undefined) copy.start(out)
    else if (answer.fields !== undefined) describeRows(out, answer.fields, [])
    if (answer.live === true) yield out.take()
    if (answer.input !== undefined) yield* this.#receive(answer.input)
    let rows = 0
    const write = copy === undefined ? this.#rowWriter(answer.fields ?? [], []) : undefined
    for await (const batch of answer.batches) {
      for (let row = 0; row < batch.length;) {
        const to = Math.min(batch.length, row + 256)
        if (write !== undefined) write(batch, row, to)
        else copy?.rows(batch, out, row, to)
        row = to
        if (out.size > FLUSH) yield out.take()
      }
      rows += batch.length
      if (answer.live === true) yield out.take()
    }
    copy?.finish(out)
    if (last) await session.sync(false)
    const tag = answer.tag(rows)
    if (tag === '') out.empty('I')
    else out.complete(tag)
  }

  /** Writes rows [from, to) of a batch as DataRow messages. Readers are made once a batch. */
  #rowWriter(fields: readonly AnswerField[], formats: readonly number[]): (batch: Batch, from: number, to: number) => void {
    const { out } = this, { memory } = this.#around, settings = this.#session.text
    const writers = fields.map((field, i) => valueWriter(field.type, formatOf(formats, i), settings))
    let seen: Batch | undefined, readers: ((row: number) => Value)[] = []
    return (batch, from, to) => {
      if (batch !== seen) { seen = batch; readers = batch.columns.map(column => columnReader(column, memory)) }
      for (let row = from; row < to; row++) {
        out.begin('D').int16(fields.length)
        for (let i = 0; i < readers.length; i++) {
          const value = readers[i]?.(row) ?? null
          if (value === null) out.int32(-1)
          else writers[i]?.(out, value)
        }
        out.end()
      }
    }
  }

  // ---- extended query ------------------------------------------------------------------------------------------------

  async #parse(name: string, sql: string, types: readonly number[]): Promise<void> {
    const session = this.#session
    if (name === '') session.statements.delete('')
    else if (session.statements.has(name)) throw new SqlError('42P05', `prepared statement "${name}" already exists`)
    const parts = await session.split(sql)
    if (parts.length > 1) throw new SqlError('42601', 'cannot insert multiple commands into a prepared statement')
    const part = parts[0]
    try {
      session.statements.set(name, await session.prepare(part?.text ?? '', types.map(typeOfParameter)))
    } catch (error) {
      throw shifted(error, (part?.at ?? 1) - 1)
    }
    this.out.empty('1')
  }

  async #bind(message: Extract<FrontendMessage, { type: 'bind' }>): Promise<void> {
    const session = this.#session, prepared = this.#statement(message.statement)
    const { formats, values, resultFormats } = message, { parameters } = prepared
    if (values.length !== parameters.length) throw new SqlError('08P01', `bind message supplies ${values.length} parameters, but prepared statement "${message.statement}" requires ${parameters.length}`)
    if (formats.length > 1 && formats.length !== values.length) throw new SqlError('08P01', `bind message has ${formats.length} parameter formats but ${values.length} parameters`)
    const columns = prepared.fields?.length ?? 0
    if (resultFormats.length > 1 && resultFormats.length !== columns) throw new SqlError('08P01', `bind message has ${resultFormats.length} result formats but query has ${columns} columns`)
    if (resultFormats.some(format => format !== 0 && format !== 1)) throw new SqlError('22023', `unsupported format code: ${resultFormats.find(format => format !== 0 && format !== 1) ?? 0}`)
    if (message.portal !== '' && this.#portals.has(message.portal)) throw new SqlError('42P03', `cursor "${message.portal}" already exists`)
    await this.#closePortal(message.portal)
    const read = parameters.map((type, i) => readParameter(values[i] ?? null, type, formatOf(formats, i), session.text, i + 1))
    this.#portals.set(message.portal, { prepared, values: read, formats: resultFormats, answer: undefined, batch: undefined, offset: 0, ended: false })
    this.out.empty('2')
  }

  #describe(what: 'statement' | 'portal', name: string): void {
    const { out } = this
    if (what === 'statement') {
      const prepared = this.#statement(name)
      out.begin('t').int16(prepared.parameters.length)
      for (const type of prepared.parameters) out.int32(oidOf(type))
      out.end()
      if (prepared.fields === undefined || isCopy(prepared)) out.empty('n')
      else describeRows(out, prepared.fields, [])
      return
    }
    const cursor = this.#portals.has(name) ? undefined : this.#session.cursorFields(name)
    if (cursor !== undefined) { describeRows(out, cursor, []); return }
    const portal = this.#portal(name)
    if (portal.prepared.fields === undefined || isCopy(portal.prepared)) out.empty('n')
    else describeRows(out, portal.prepared.fields, portal.formats)
  }

  async *#execute(name: string, limit: number): AsyncGenerator<Uint8Array, void, undefined> {
    const portal = this.#portal(name), { out } = this, session = this.#session
    if (portal.answer !== undefined && session.transaction === 'failed') throw new SqlError('25P02', 'current transaction is aborted, commands ignored until end of transaction block')
    if (portal.ended && (portal.answer?.fields === undefined || portal.answer.copy !== undefined)) throw new SqlError('55000', `portal "${name}" cannot be run`)
    portal.answer ??= await session.execute(portal.prepared, portal.values)
    const { answer } = portal
    if (answer.copy !== undefined || answer.input !== undefined) {
      portal.ended = true
      yield* this.#send(answer, false)
      return
    }
    const write = this.#rowWriter(answer.fields ?? [], portal.formats)
    if (answer.live === true && out.size > 0) yield out.take()
    let left = limit > 0 ? limit : Infinity, sent = 0
    while (!portal.ended) {
      if (portal.batch === undefined || portal.offset >= portal.batch.length) {
        const next = await answer.batches.next()
        if (next.done === true) { portal.ended = true; portal.batch = undefined; break }
        portal.batch = next.value
        portal.offset = 0
        continue
      }
      const to = Math.min(portal.batch.length, portal.offset + Math.min(left, 256))
      write(portal.batch, portal.offset, to)
      left -= to - portal.offset
      sent += to - portal.offset
      portal.offset = to
      if (left === 0) {
        out.empty('s')
        return
      }
      if (out.size > FLUSH || (answer.live === true && to === portal.batch.length)) yield out.take()
    }
    // the rows of this Execute, as PostgreSQL counts them
    const tag = answer.tag(sent)
    if (tag === '') out.empty('I')
    else out.complete(tag)
  }

  async #sync(): Promise<void> {
    const session = this.#session, failed = this.#skipping
    this.#skipping = false
    if (session.transaction === 'idle') await this.#closePortals()
    try {
      await session.sync(failed)
    } catch (error) {
      this.out.error(asSqlError(error, this.#around))
    }
    this.out.ready(session.transaction)
  }

  #statement(name: string): Prepared {
    const prepared = this.#session.statements.get(name)
    if (prepared === undefined) throw new SqlError('26000', name === '' ? 'unnamed prepared statement does not exist' : `prepared statement "${name}" does not exist`)
    return prepared
  }

  #portal(name: string): Portal {
    const portal = this.#portals.get(name)
    if (portal === undefined) throw new SqlError('34000', `portal "${name}" does not exist`)
    return portal
  }

  async #closePortal(name: string): Promise<void> {
    const portal = this.#portals.get(name)
    this.#portals.delete(name)
    if (portal !== undefined) await portal.answer?.batches.return()
  }

  async #closePortals(): Promise<void> {
    for (const name of [...this.#portals.keys()]) await this.#closePortal(name)
  }
}

const isData = (message: FrontendMessage): boolean => message.type === 'copyData' || message.type === 'copyDone' || message.type === 'copyFail'

/** The letter of a message that has no place in a COPY. */
function codeOf(message: FrontendMessage | undefined): string {
  if (message?.type === 'malformed') return message.kind
  const letters: Readonly<Record<string, string>> = { query: 'Q', parse: 'P', bind: 'B', describe: 'D', execute: 'E', close: 'C', function: 'F', password: 'p' }
  return letters[message?.type ?? ''] ?? '?'
}

const isCopy = (prepared: Prepared): boolean => prepared.copies === true

function formatOf(formats: readonly number[], column: number): number {
  return formats.length === 1 ? formats[0] ?? 0 : formats[column] ?? 0
}

function typeOfParameter(oid: number): Type | undefined {
  if (oid === 0 || oid === 705) return undefined
  const type = typeOfOid(oid)
  if (type === undefined) throw new SqlError('42704', `type with OID ${oid} does not exist`)
  return type
}

function describeRows(out: MessageWriter, fields: readonly AnswerField[], formats: readonly number[]): void {
  // the protocol counts columns with 16 bits
  if (fields.length > 0x7fff) throw new SqlError('54011', `target lists can have at most ${0x7fff} entries`)
  out.begin('T').int16(fields.length)
  fields.forEach((field, i) => {
    // a literal that nobody gave a type leaves as text
    const type: Type = field.type.kind === 'unknown' ? { kind: 'text' } : field.type
    out.string(field.name).int32(field.tableOid).int16(field.columnNumber).int32(oidOf(type)).int16(lengthOf(type)).int32(modifierOf(type)).int16(formatOf(formats, i))
  })
  out.end()
}

/** `-c name=value` and `--name=value` of the start-up packet's options; backslashes protect blanks. */
function readOptions(text: string): Record<string, string> {
  const words = [...text.matchAll(/(?:\\.|\S)+/g)].map(match => match[0].replace(/\\(.)/g, '$1'))
  const settings: Record<string, string> = {}
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const setting = word === '-c' ? words[++i] ?? '' : word.startsWith('-c') ? word.slice(2) : word.startsWith('--') ? word.slice(2).replaceAll('-', '_') : undefined
    const at = setting?.indexOf('=') ?? -1
    if (setting === undefined || at < 1) throw new SqlError('42601', `invalid command-line argument for server process: ${word}`, { severity: 'FATAL' })
    settings[setting.slice(0, at)] = setting.slice(at + 1)
  }
  return settings
}

/** The error as the client sees it. Our own failures are logged and become XX000. */
function asSqlError(error: unknown, surroundings: Surroundings): SqlError {
  if (error instanceof SqlError) return error
  if (error instanceof RangeError && /call stack/i.test(error.message)) return new SqlError('54001', 'stack depth limit exceeded', { hint: 'Simplify the statement: it nests too deeply.' })
  surroundings.log(error)
  return new SqlError('XX000', error instanceof InternalError || error instanceof Error ? error.message : String(error))
}

/** Positions count from the start of the whole string. */
function shifted(error: unknown, by: number): unknown { return error instanceof SqlError ? error.moved(by) : error }
