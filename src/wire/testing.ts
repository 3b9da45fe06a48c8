/** A connection without sockets, for tests: bytes in, bytes out. */
import { Engine } from '../engine.ts'
import { Session } from '../session/session.ts'
import { openMemoryStore } from '../storage/store-memory.ts'
import { startup } from './conversations.ts'
import type { Surroundings } from './session.ts'
import { converse } from './session.ts'

/** An engine over an empty lake in memory. */
export function emptyEngine(): Promise<Engine> { return Engine.open({ lake: openMemoryStore(), database: 'postgres', threads: 1, memory: 256 * 2 ** 20 }) }

export const HELLO = startup(3 << 16, { user: 'postgres', database: 'postgres', TimeZone: 'UTC', DateStyle: 'ISO, MDY' })

/** What a connection is surrounded by; `failures` takes our own errors. */
export function surroundingsOf(engine: Engine, failures: unknown[]): Surroundings {
  return {
    memory: engine.memory,
    cancel: () => undefined,
    log: error => { failures.push(error) },
    async open(user, _database, settings) {
      const session = new Session(engine, { user, settings })
      return { session, pid: 7, key: () => undefined, close: () => session.close() }
    },
  }
}

/** Everything the server says to this input, handed over in pieces of `size` bytes. */
export async function talk(engine: Engine, input: Uint8Array, size = Infinity, failures: unknown[] = []): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for (let at = 0; at < input.length; at += size) yield input.subarray(at, Math.min(input.length, at + size))
  }
  const out: Uint8Array[] = []
  for await (const bytes of converse(pieces(), surroundingsOf(engine, failures))) out.push(Buffer.from(bytes))
  return Buffer.concat(out)
}
