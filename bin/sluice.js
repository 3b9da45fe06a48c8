#!/usr/bin/env node
// Sluice needs Node 24; an older one starts the one that came with the package.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = join(dirname(fileURLToPath(import.meta.url)), '../dist/main.js')
if (Number(process.versions.node.split('.')[0]) >= 24) await import(main)
else {
  const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'))
  const node = ['bin/node', 'bin/node.exe'].map(name => join(folder, name)).find(existsSync)
  if (node === undefined) {
    console.error(`sluice needs Node 24 or newer; this is ${process.version}, and the package "node" beside it was not installed whole (were install scripts switched off?)`)
    process.exit(1)
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  // a terminal sends Ctrl-C to both of us; a second one would end the other in the middle of its ending
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { if (signal !== 'SIGINT' || !terminal) child.kill(signal) })
  child.on('exit', (code, signal) => { process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0) })
}
