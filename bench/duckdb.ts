/**
 * DuckDB, the peer: put into bench/data when a benchmark first asks for it. It is no dependency of the package, because its lock entries name binaries of
 * every platform, and not every registry has them.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { data } from './record.ts'

export const VERSION = '1.5.6-r.1'

/** The rows of an answer, values as JSON has them. */
export type Rows = readonly Readonly<Record<string, unknown>>[]

/** What the benchmarks use of DuckDB's Node interface. */
interface Connection {
  run(sql: string): Promise<unknown>
  runAndReadAll(sql: string): Promise<{ getRowObjectsJson(): Rows }>
  closeSync(): void
}
interface Instance { connect(): Promise<Connection>; closeSync(): void }
interface Duckdb { readonly DuckDBInstance: { create(path: string, options: Readonly<Record<string, string>>): Promise<Instance> } }

export interface Peer {
  run(sql: string): Promise<void>
  rows(sql: string): Promise<Rows>
  close(): void
}

/** A database in memory. */
export async function openDuckdb(threads: number): Promise<Peer> {
  const folder = join(data, 'duckdb'), manifest = join(folder, 'node_modules/@duckdb/node-api/package.json')
  if (!existsSync(manifest)) {
    mkdirSync(folder, { recursive: true })
    execFileSync('npm', ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', `@duckdb/node-api@${VERSION}`], { stdio: 'inherit' })
  }
  const { DuckDBInstance }: Duckdb = await import(pathToFileURL(createRequire(join(folder, 'x.js')).resolve('@duckdb/node-api')).href)
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) }), connection = await instance.connect()
  return {
    async run(sql) { await connection.run(sql) },
    rows: async sql => (await connection.runAndReadAll(sql)).getRowObjectsJson(),
    close() { connection.closeSync(); instance.closeSync() },
  }
}
