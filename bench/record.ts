/** What was measured, where and of which code: results are appended, never overwritten. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))
/** What benchmarks make and keep; not part of the repository. */
export const data = join(root, 'bench/data')

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b), middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] ?? NaN : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** Wall clock and CPU time of this process, all its threads, in milliseconds. */
export interface Cost { readonly wall: number; readonly cpu: number }

/** What running it costs. */
export async function costOf(run: () => Promise<unknown>): Promise<Cost> {
  const cpu = process.cpuUsage(), wall = performance.now()
  await run()
  const milliseconds = performance.now() - wall, used = process.cpuUsage(cpu)
  return { wall: milliseconds, cpu: (used.user + used.system) / 1000 }
}

/** The medians, each by itself. */
export function medianCost(costs: readonly Cost[]): Cost {
  return { wall: median(costs.map(({ wall }) => wall)), cpu: median(costs.map(({ cpu }) => cpu)) }
}

export const rounded = (value: number): number => Number(value.toPrecision(3))

/** Appends one line to results/NAME.jsonl. `load` is the machine's load average when it was written: above the number of cores, wall clock times say little. */
export function record(name: string, result: object): void {
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  const line = {
    at: new Date().toISOString(),
    commit: `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'src') === '' ? '' : '+'}`,
    machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version, load: rounded(loadavg()[0] ?? NaN) },
    ...result,
  }
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  appendFileSync(join(root, `bench/results/${name}.jsonl`), `${JSON.stringify(line)}\n`)
}
