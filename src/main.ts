/** The command line: `serve`, `query`, `demo`. Each command is imported when it is asked for: the first answer must not wait for the others. */
import { enableCompileCache } from 'node:module'
import { parseArgs } from 'node:util'
import { errorText } from './cli/error-text.ts'
import { SqlError } from './error.ts'
import { VERSION } from './version.ts'

enableCompileCache()

const USAGE = `Sluice ${VERSION}: SQL over the streaming lakehouse

  sluice serve --lake DIR [--port 5433] [--host localhost]   serve a lake (created if absent) to Postgres clients
  sluice query --lake DIR [--format table|csv|json|arrow] [SQL]   run SQL (standard input when none is given)
  sluice demo [--forever]                                    the main job on an embedded lake, drawn in the terminal

  --threads N   worker threads (the number of cores)      --memory MIB   what all queries together may hold (3584)
`

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  const { values, positionals } = parseArgs({
    args: rest, allowPositionals: true,
    options: { lake: { type: 'string' }, port: { type: 'string' }, host: { type: 'string' }, format: { type: 'string' }, threads: { type: 'string' }, memory: { type: 'string' }, forever: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  if (command === undefined || command === 'help' || command === '--help' || command === '-h' || values.help === true) {
    process.stdout.write(USAGE)
    return command === undefined ? 2 : 0
  }
  if (command === '--version' || command === 'version') { process.stdout.write(`${VERSION}\n`); return 0 }
  const engine = {
    ...(values.threads === undefined ? {} : { threads: whole(values.threads, 'threads', 1, 256) }),
    ...(values.memory === undefined ? {} : { memory: whole(values.memory, 'memory', 16, 3584) * 2 ** 20 }),
  }
  const lake = (): string => {
    if (values.lake === undefined) throw new SqlError('22023', `${command} needs --lake DIR`)
    return values.lake
  }
  switch (command) {
    case 'serve': return (await import('./cli/serve.ts')).serve({ ...engine, lake: lake(), host: values.host ?? 'localhost', port: whole(values.port ?? '5433', 'port', 0, 65535) })
    case 'query': return (await import('./cli/query.ts')).query({ ...engine, lake: lake(), format: values.format ?? 'table', sql: positionals.length > 0 ? positionals.join(' ') : undefined })
    case 'demo': return (await import('./cli/demo.ts')).demo({ forever: values.forever ?? false })
    default:
      process.stderr.write(`sluice: there is no command "${command}"\n\n${USAGE}`)
      return 2
  }
}

function whole(text: string, name: string, low: number, high: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < low || value > high) throw new SqlError('22023', `--${name} takes a whole number from ${low} to ${high}, not "${text}"`)
  return value
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(errorText(error))
  process.exitCode = 1
}
