/** Writes PostgreSQL's answers into a test file: whoever writes a test writes only the questions. */
import pg from 'pg'
import { render, sorted } from './compare.ts'
import { parseFile } from './parse.ts'
import type { TestRecord } from './parse.ts'

/** What Sluice writes that PostgreSQL does not read. */
const forPostgres = (sql: string): string => sql.replace(/\)\s*WITH\s*\([^)]*\)\s*$/i, ')').replace(/\)\s*PARTITIONED BY\s*\([^)]*\)/i, ')').replace(/\s+NOT ENFORCED/gi, '')

/** The file with the answers of a PostgreSQL reached by this address, in a schema made for it. */
export async function fill(text: string, file: string, address: string): Promise<string> {
  const lines = text.replaceAll('\r', '').split('\n')
  const client = new pg.Client({ connectionString: address, types: { getTypeParser: () => (value: string) => value } })
  await client.connect()
  const edits: { readonly record: TestRecord; readonly answer: readonly string[]; readonly head?: string }[] = []
  try {
    await client.query('DROP SCHEMA IF EXISTS slt CASCADE; CREATE SCHEMA slt; SET search_path = slt')
    for (const record of parseFile(text, file)) {
      if (record.skipIf.includes('postgresql') || record.onlyIf.some(name => name !== 'postgresql')) continue
      if (record.kind === 'statement') {
        try {
          await client.query(forPostgres(record.sql))
          if (record.expect === 'error') throw new Error(`${file}:${record.line}: PostgreSQL takes this`)
        } catch (error) {
          const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
          if (code === undefined || record.expect === 'ok') throw error
          edits.push({ record, answer: [], head: `statement error ${code}` })
        }
      } else if (record.kind === 'query') {
        const result = await client.query<(string | null)[]>({ text: record.sql, rowMode: 'array' })
        if (result.fields.length !== record.types.length) throw new Error(`${file}:${record.line}: PostgreSQL gives ${result.fields.length} columns`)
        const rows = result.rows.map(row => row.map((value, i) => render(value ?? undefined, record.types[i] ?? 'X')))
        const perRow = record.sort !== 'valuesort' && rows.flat().every(value => !/[\t]/.test(value))
        const values = sorted(rows, record.sort), answer: string[] = []
        if (!perRow) answer.push(...values)
        else for (let i = 0; i < values.length; i += record.types.length) answer.push(values.slice(i, i + record.types.length).join('\t'))
        edits.push({ record, answer })
      }
    }
  } finally {
    await client.end()
  }
  for (const { record, answer, head } of edits.reverse()) {
    const [from, to] = record.answer
    if (head !== undefined) { lines[record.line - 1] = head; continue }
    const marked = lines[from - 1] === '----'
    lines.splice(from, to - from, ...(marked || answer.length === 0 ? answer : ['----', ...answer]))
  }
  return lines.join('\n')
}
