/** Sockets around `converse`: listens, feeds, waits for slow readers, and frees what a vanished client held. */
import { randomInt, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { SqlError } from '../error.ts'
import type { Engine } from '../engine.ts'
import { Session } from '../session/session.ts'
import { converse } from './session.ts'
import type { Opened, Surroundings } from './session.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Sessions at once; 53300 beyond. */
  readonly maxConnections?: number
  readonly log?: (error: unknown) => void
}

export interface WireServer {
  readonly host: string
  readonly port: number
  readonly connections: number
  /** Stops listening, ends every session (57P01) and returns when all are gone. */
  close(): Promise<void>
}

interface Client {
  readonly socket: Socket
  readonly input: Input
  /** The session is over, or never began. */
  readonly gone: Promise<void>
  session?: Session
  key?: Uint8Array
}

/** What a session is told that the server ends. */
const terminated = (): SqlError => new SqlError('57P01', 'terminating connection due to administrator command', { severity: 'FATAL' })
/** How long a client that does not read is waited for when the server ends. */
const FAREWELL_MILLISECONDS = 1000

/** How much of a client's input waits in memory before its socket is paused. */
const INPUT_LIMIT = 1 << 20
const STARTUP_MILLISECONDS = 60_000
/** A client that closed its sending side may still read what it asked for, but not forever. */
const HALF_CLOSED_MILLISECONDS = 1000

/** Starts to serve. Refuses to listen anywhere but on loopback: there is no authentication yet. */
export async function listen(engine: Engine, options: ListenOptions): Promise<WireServer> {
  if (!isLoopback(options.host)) throw new SqlError('0A000', `listening on ${options.host} needs authentication, which is not supported`, { hint: 'Listen on localhost and reach it through a tunnel.' })
  const clients = new Map<number, Client>(), log = options.log ?? (() => undefined)
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, socket => {
    serve(socket, engine, clients, options.maxConnections ?? 200, log).catch(log)
  })
  server.listen(options.port, options.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined, place = `${options.host}:${options.port}`
    if (code === 'EADDRINUSE') throw new SqlError('58030', `could not listen on ${place}: the port is in use`, { hint: 'Choose another with --port, or 0 for any that is free.' })
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') throw new SqlError('58030', `could not listen on ${place}: ${code}`)
    throw error
  }
  const address = server.address()
  return {
    host: options.host,
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    get connections() { return clients.size },
    close: () => closeServer(server, clients),
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

async function closeServer(server: Server, clients: Map<number, Client>): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  for (const client of clients.values()) {
    client.input.stop(terminated())
    client.session?.cancel(terminated())
  }
  const late = setTimeout(() => { for (const client of clients.values()) client.socket.destroy() }, FAREWELL_MILLISECONDS)
  await Promise.all([...clients.values()].map(client => client.gone))
  clearTimeout(late)
  await closed
}

async function serve(socket: Socket, engine: Engine, clients: Map<number, Client>, limit: number, log: (error: unknown) => void): Promise<void> {
  let pid = randomInt(1, 2 ** 31 - 1)
  while (clients.has(pid)) pid = randomInt(1, 2 ** 31 - 1)
  const input = new Input(socket), { promise: gone, resolve: leave } = Promise.withResolvers<void>()
  const client: Client = { socket, input, gone }
  clients.set(pid, client)
  const starting = setTimeout(() => socket.destroy(), STARTUP_MILLISECONDS)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => client.session?.cancel())
  socket.on('end', () => setTimeout(() => client.session?.cancel(), HALF_CLOSED_MILLISECONDS).unref())
  const surroundings: Surroundings = {
    memory: engine.memory,
    log,
    cancel(target, key) {
      const other = clients.get(target)
      if (other?.key !== undefined && other.key.length === key.length && timingSafeEqual(other.key, key)) other.session?.cancel()
    },
    async open(user, database, settings): Promise<Opened> {
      if ([...clients.values()].filter(each => each.session !== undefined).length >= limit) throw new SqlError('53300', 'sorry, too many clients already', { severity: 'FATAL' })
      // the only lake there is: psql without -d asks for a database named like the user
      if (database !== engine.database && database !== user && database !== 'postgres') throw new SqlError('3D000', `database "${database}" does not exist`, { severity: 'FATAL', hint: `This server has the database "${engine.database}".` })
      const session = new Session(engine, { user, settings, backendPid: pid })
      client.session = session
      clearTimeout(starting)
      return { session, pid, key: key => { client.key = key }, close: () => session.close() }
    },
  }
  try {
    for await (const bytes of converse(input, surroundings)) {
      if (socket.destroyed) break
      if (!socket.write(bytes) && !socket.destroyed) await drained(socket)
    }
  } finally {
    clearTimeout(starting)
    clients.delete(pid)
    socket.end(() => socket.destroy())
    await client.session?.close()
    leave()
  }
}

/** The socket takes more, or is gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const finish = (): void => {
      socket.off('drain', finish)
      socket.off('close', finish)
      resolve()
    }
    socket.on('drain', finish)
    socket.on('close', finish)
  })
}

/** A socket's bytes, taken when they are asked for; the socket is paused while too many wait. Ends when the client's side does. */
class Input implements AsyncIterable<Uint8Array> {
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #size = 0
  #ended = false
  #stopped: SqlError | undefined
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#size += chunk.length
      if (this.#size > INPUT_LIMIT) socket.pause()
      this.#wake?.()
    })
    const end = (): void => { this.#ended = true; this.#wake?.() }
    socket.on('end', end)
    socket.on('close', end)
  }

  /** Makes whoever asks for more input fail with this error. */
  stop(error: SqlError): void {
    this.#stopped = error
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (this.#stopped !== undefined) throw this.#stopped
      const chunks = this.#chunks
      if (chunks.length > 0) {
        this.#chunks = []
        this.#size = 0
        this.#socket.resume()
        const [only] = chunks
        yield chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)
      } else if (this.#ended) return
      else {
        await new Promise<void>(resolve => { this.#wake = resolve })
        this.#wake = undefined
      }
    }
  }
}
