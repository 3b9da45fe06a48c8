/** Java Paimon and pypaimon, when they are on this machine: SLUICE_PEERS names the folder that ../shared/peers/paimon/setup.sh filled. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { shared } from './server-process.ts'

const run = promisify(execFile)
const folder = process.env['SLUICE_PEERS'], scripts = shared('peers/paimon')

/** Why the peers cannot be asked; undefined when they can. */
export const noPeers: string | undefined = scripts === undefined ? '../shared/peers/paimon is not here' : folder === undefined || !existsSync(join(folder, 'classes')) ? 'SLUICE_PEERS does not name a folder with the Java peer' : undefined

/** A command of the Java peer; its output. */
export async function java(command: string, warehouse: string, table: string, ...options: readonly string[]): Promise<string> {
  const { stdout } = await run('bash', [join(scripts ?? '', 'paimon-peer.sh'), folder ?? '', command, warehouse, table, ...options], { maxBuffer: 1 << 28 })
  return stdout
}

/** Rows as Java reads them. */
export async function javaRows(warehouse: string, table: string, ...options: readonly string[]): Promise<Record<string, unknown>[]> {
  const lines = (await java('read', warehouse, table, ...options)).split('\n').filter(line => line.startsWith('{'))
  return lines.map((line): Record<string, unknown> => JSON.parse(line))
}
