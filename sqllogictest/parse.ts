/**
 * Test files of SQLite's sqllogictest dialect, and our records for subscriptions beside them:
 *
 *   statement ok | statement error [SQLSTATE]
 *   query TYPES [nosort|rowsort|valuesort] [label]      expected values one a line, or one row a line (values separated by blanks), or a hash
 *   subscribe NAME TYPES                                a query to follow
 *   changes NAME                                        what changed since: the difference, then the columns, a row a line, sorted
 *   skipif NAME / onlyif NAME, hash-threshold N, halt
 */

export type SortMode = 'nosort' | 'rowsort' | 'valuesort'

export type RecordBody =
  | { readonly kind: 'statement'; readonly sql: string; readonly expect: 'ok' | 'error'; readonly code: string | undefined }
  | { readonly kind: 'query'; readonly sql: string; readonly types: string; readonly sort: SortMode; readonly label: string | undefined; readonly expected: readonly string[] }
  | { readonly kind: 'subscribe'; readonly name: string; readonly sql: string; readonly types: string }
  | { readonly kind: 'changes'; readonly name: string; readonly expected: readonly string[] }
  | { readonly kind: 'halt' }

export type TestRecord = RecordBody & {
  /** 1-based line of the record's first word. */
  readonly line: number
  /** Lines [from, to) of the expected values, for filling them in. */
  readonly answer: readonly [number, number]
  readonly skipIf: readonly string[]
  readonly onlyIf: readonly string[]
}

/** The records of a file. Throws when a line is none of the dialect's. */
export function parseFile(text: string, file: string): TestRecord[] {
  const lines = text.replaceAll('\r', '').split('\n'), records: TestRecord[] = []
  let at = 0, skipIf: string[] = [], onlyIf: string[] = []
  const body = (stop: boolean): string => {
    const parts: string[] = []
    while (at < lines.length && lines[at] !== '' && !(stop && lines[at] === '----')) { const line = lines[at++] ?? ''; if (!line.startsWith('#')) parts.push(line) }
    return parts.join('\n')
  }
  while (at < lines.length) {
    const line = lines[at] ?? '', words = line.trim().split(/\s+/), number = at + 1
    if (line.trim() === '' || line.startsWith('#')) { at++; continue }
    at++
    if (words[0] === 'skipif') { skipIf.push(words[1] ?? ''); continue }
    if (words[0] === 'onlyif') { onlyIf.push(words[1] ?? ''); continue }
    if (words[0] === 'hash-threshold') { skipIf = []; onlyIf = []; continue }
    const record = ((): RecordBody & { readonly answer: readonly [number, number] } => {
      switch (words[0]) {
        case 'halt': return { kind: 'halt', answer: [at, at] }
        case 'statement': {
          const [, expect, code] = words
          if (expect !== 'ok' && expect !== 'error') throw new Error(`${file}:${number}: statement ok or error, not "${expect ?? ''}"`)
          return { kind: 'statement', expect, code, sql: body(false), answer: [at, at] }
        }
        case 'query': {
          const [, types = '', sort = 'nosort', label] = words
          if (sort !== 'nosort' && sort !== 'rowsort' && sort !== 'valuesort') throw new Error(`${file}:${number}: there is no sort mode "${sort}"`)
          const sql = body(true), from = lines[at] === '----' ? ++at : at
          const expected: string[] = []
          while (at < lines.length && lines[at] !== '') expected.push(lines[at++] ?? '')
          return { kind: 'query', sql, types, sort, label, expected, answer: [from, at] }
        }
        case 'subscribe': return { kind: 'subscribe', name: words[1] ?? '', types: words[2] ?? '', sql: body(false), answer: [at, at] }
        case 'changes': {
          const from = lines[at] === '----' ? ++at : at, expected: string[] = []
          while (at < lines.length && lines[at] !== '') expected.push(lines[at++] ?? '')
          return { kind: 'changes', name: words[1] ?? '', expected, answer: [from, at] }
        }
        default: throw new Error(`${file}:${number}: there is no record "${words[0] ?? ''}"`)
      }
    })()
    records.push({ ...record, line: number, skipIf, onlyIf })
    skipIf = []
    onlyIf = []
  }
  return records
}

/** True when the record is for an engine of this name. */
export function applies(record: TestRecord, engine: string): boolean {
  return !record.skipIf.includes(engine) && record.onlyIf.every(name => name === engine)
}
