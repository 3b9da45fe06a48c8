/** `sluice serve`: a lake on a port, until it is told to stop. */
import { Engine } from '../engine.ts'
import type { EngineOptions } from '../engine.ts'
import { listen } from '../wire/server.ts'

export async function serve(options: EngineOptions & { readonly lake: string; readonly host: string; readonly port: number }): Promise<number> {
  const engine = await Engine.open(options)
  const server = await listen(engine, { host: options.host, port: options.port, log: error => console.error(error) })
  console.log(`sluice serves ${options.lake} (database "${engine.database}") on ${server.host}:${server.port}\n  psql -h ${server.host} -p ${server.port}`)
  await new Promise<void>(resolve => { for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve()) })
  console.log('stopping')
  await server.close()
  await engine.close()
  return 0
}
