/** Runs the records of a file on an engine, and says which fail. */
import { SqlError } from '../src/error.ts'
import { difference, hash, render, sorted } from './compare.ts'
import { openTested } from './engine.ts'
import type { Mode } from './engine.ts'
import type { TestRecord } from './parse.ts'

export interface Failure {
  readonly line: number
  readonly sql: string
  readonly why: string
}

export interface FileResult {
  readonly passed: number
  readonly failures: readonly Failure[]
}

/** The name that skipif and onlyif mean us by. */
const NAME = 'postgresql'

/** Runs a file in a mode (`skipif streamed` leaves a record out of that one); the seed makes the streamed epochs what they are. A failed record does not stop the file. */
export async function runFile(records: readonly TestRecord[], mode: Mode, seed = 1, names: readonly string[] = [NAME, 'sluice']): Promise<FileResult> {
  const tested = await openTested(mode, seed), failures: Failure[] = [], labels = new Map<string, string>()
  const types = new Map<string, string>()
  let passed = 0
  try {
    for (const record of records) {
      const skipped = [...names, mode].some(name => record.skipIf.includes(name)) || !record.onlyIf.every(name => names.includes(name))
      if (skipped) continue
      if (record.kind === 'halt') break
      const why = await runRecord(record)
      if (why === undefined) passed++
      else failures.push({ line: record.line, sql: 'sql' in record ? record.sql : '', why })
    }
  } finally {
    await tested.close()
  }
  return { passed, failures }

  async function runRecord(record: TestRecord): Promise<string | undefined> {
    try {
      switch (record.kind) {
        case 'statement': {
          try {
            await tested.run(record.sql)
          } catch (error) {
            if (record.expect === 'ok') throw error
            if (!(error instanceof SqlError) || error.code === 'XX000') throw error
            return record.code === undefined || record.code === error.code ? undefined : `expected SQLSTATE ${record.code}, got ${error.code}: ${error.message}`
          }
          return record.expect === 'ok' ? undefined : 'expected an error'
        }
        case 'query': {
          const { rows, columns, ordered } = await tested.run(record.sql)
          if (columns !== record.types.length) return `expected ${record.types.length} columns, got ${columns}`
          const rendered = rows.map(row => row.map((value, i) => render(value, record.types[i] ?? 'T')))
          // a stream has no order: then both sides are sorted
          const sort = !ordered && record.sort === 'nosort' ? 'rowsort' : record.sort
          const values = sorted(rendered, sort)
          if (sort !== record.sort && record.expected.length === 1 && / values hashing to /.test(record.expected[0] ?? '')) return undefined
          const why = difference(values, sort === record.sort ? record.expected : resorted(record.expected, columns), columns)
          if (why !== undefined || record.label === undefined) return why
          const key = record.label.slice(0, 20), own = hash(values), known = labels.get(key) ?? own
          labels.set(key, known)
          return own === known ? undefined : `differs from the others labelled ${record.label}`
        }
        case 'subscribe':
          types.set(record.name, record.types)
          await tested.subscribe(record.name, record.sql)
          return undefined
        case 'changes': {
          const letters = types.get(record.name) ?? ''
          const rows = (await tested.changes(record.name)).map(([diff, ...row]) => [diff ?? '', ...row.map((value, i) => render(value, letters[i] ?? 'T'))])
          return difference(sorted(rows, 'rowsort'), record.expected, letters.length + 1)
        }
        case 'halt': return undefined
      }
    } catch (error) {
      return error instanceof SqlError ? `${error.code}: ${error.message}` : error instanceof Error ? error.stack ?? error.message : String(error)
    }
  }
}

/** Expected rows, sorted. */
function resorted(expected: readonly string[], columns: number): string[] {
  if (columns <= 1) return sorted(expected.map(line => [line]), 'rowsort')
  const perLine = expected.some(line => /[\t ]/.test(line)) && expected.every(line => line.split(/\t| +/).length >= columns)
  if (perLine) return sorted(expected.map(line => [line.replaceAll('\t', ' ')]), 'rowsort')
  const rows: string[][] = []
  for (let i = 0; i < expected.length; i += columns) rows.push(expected.slice(i, i + columns))
  return sorted(rows, 'rowsort')
}

