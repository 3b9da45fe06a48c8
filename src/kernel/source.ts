/** What kernel.wasm was made of: run by build.sh to write kernel.sha256, asked by the test that says when the module is stale. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'

/** One hash over build.sh and every AssemblyScript source of this folder. */
export function sourceHash(): string {
  const folder = new URL('./', import.meta.url)
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).filter(name => name.endsWith('.as.ts') || name === 'build.sh').sort()) {
    hash.update(`${name}\n`).update(readFileSync(new URL(name, folder), 'utf8').replaceAll('\r\n', '\n'))
  }
  return hash.digest('hex')
}

if (import.meta.main) process.stdout.write(`${sourceHash()}\n`)
