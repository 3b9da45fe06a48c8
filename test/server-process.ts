/** Sluice as its users run it: a process of its own, that can be killed. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

export const repository = join(import.meta.dirname, '..')

/** Where the material beside the repository is; undefined when it is not there. */
export function shared(path: string): string | undefined {
  const full = join(repository, '../shared', path)
  return existsSync(full) ? full : undefined
}

export interface ServerProcess {
  readonly port: number
  readonly child: ChildProcess
  connect(): Promise<pg.Client>
  /** Ends it with a signal and waits until it is gone; the exit code, or the signal's name. */
  stop(signal: NodeJS.Signals): Promise<number | string>
}

export async function startServer(lake: string): Promise<ServerProcess> {
  const child = spawn(process.execPath, [join(repository, 'src/main.ts'), 'serve', '--lake', lake, '--port', '0', '--host', '127.0.0.1'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const port = await new Promise<number>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      output += chunk.toString()
      const match = /127\.0\.0\.1:(\d+)/.exec(output)
      if (match !== null) resolve(Number(match[1]))
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('exit', code => reject(new Error(`the server ended (${code}): ${output}`)))
  })
  return {
    port, child,
    async connect() {
      const client = new pg.Client({ host: '127.0.0.1', port, user: 'test', database: 'test' })
      client.on('error', () => undefined)
      await client.connect()
      return client
    },
    stop: signal => new Promise(resolve => {
      if (child.exitCode !== null || child.signalCode !== null) { resolve(child.exitCode ?? child.signalCode ?? 0); return }
      child.once('exit', (code, ended) => resolve(code ?? ended ?? 0))
      child.kill(signal)
    }),
  }
}
