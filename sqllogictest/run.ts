/**
 * npm run slt -- FILES [--mode one|threads|rules|streamed|all] [--seed N] [--verbose]
 * npm run slt -- --fill postgres://user@host:port/db FILES      writes PostgreSQL's answers into the files
 */
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fill } from './fill.ts'
import { MODES } from './engine.ts'
import type { Mode } from './engine.ts'
import { parseFile } from './parse.ts'
import { runFile } from './runner.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { mode: { type: 'string' }, seed: { type: 'string' }, fill: { type: 'string' }, verbose: { type: 'boolean' } } })
const files = (positionals.length > 0 ? positionals : [import.meta.dirname]).flatMap(path => statSync(path).isDirectory() ? readdirSync(path).filter(name => /\.(?:slt|test)$/.test(name)).sort().map(name => join(path, name)) : [path])

if (values.fill !== undefined) {
  for (const file of files) writeFileSync(file, await fill(readFileSync(file, 'utf8'), file, values.fill))
} else {
  const wanted = values.mode ?? 'one'
  const modes: readonly Mode[] = wanted === 'all' ? MODES : MODES.filter(mode => mode === wanted || (wanted === 'rules' && mode === 'rules off'))
  if (modes.length === 0) throw new Error(`there is no mode "${wanted}"`)
  let passed = 0, failed = 0
  const began = Date.now()
  for (const file of files) {
    for (const mode of modes) {
      const result = await runFile(parseFile(readFileSync(file, 'utf8'), file), mode, Number(values.seed ?? 1))
      passed += result.passed
      failed += result.failures.length
      console.log(`${file} (${mode}): ${result.passed} passed, ${result.failures.length} failed`)
      for (const failure of result.failures.slice(0, values.verbose === true ? Infinity : 10)) console.log(`  ${file}:${failure.line}: ${failure.sql.replaceAll('\n', ' ').slice(0, 200)}\n    ${failure.why.slice(0, 600)}`)
    }
  }
  console.log(`${((passed + failed) / Math.max(1, Date.now() - began) * 1000).toFixed(0)} records a second`)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}
