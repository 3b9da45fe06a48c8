/** `sluice query`: statements in, rows out. */
import { text } from 'node:stream/consumers'
import { rowsOf } from '../column.ts'
import { Engine } from '../engine.ts'
import type { EngineOptions } from '../engine.ts'
import { SqlError } from '../error.ts'
import type { Answer } from '../session/face.ts'
import { Session } from '../session/session.ts'
import { textWriter } from '../text.ts'
import type { Value } from '../value.ts'
import { errorText } from './error-text.ts'

export async function query(options: EngineOptions & { readonly lake: string; readonly format: string; readonly sql: string | undefined }): Promise<number> {
  const { format } = options
  if (!['table', 'csv', 'json', 'arrow'].includes(format)) throw new SqlError('22023', `--format takes table, csv, json or arrow, not "${format}"`)
  const sql = options.sql ?? await text(process.stdin)
  const engine = await Engine.open(options), session = new Session(engine, { user: 'sluice' })
  session.onNotice = notice => process.stderr.write(`${notice.severity}:  ${notice.message}\n`)
  process.once('SIGINT', () => session.cancel())
  // the reader has seen enough (`| head`): ends as SIGPIPE would
  process.stdout.on('error', error => { if ('code' in error && error.code === 'EPIPE') process.exit(141); else throw error })
  try {
    for (const part of await session.split(sql)) {
      try {
        const answer = await session.execute(await session.prepare(part.text), [])
        await print(answer, format, engine, session)
        await session.sync(false)
      } catch (error) {
        await session.sync(true)
        process.stderr.write(errorText(error, part.text))
        return 1
      }
    }
    return 0
  } finally {
    await session.close()
    await engine.close()
  }
}

/** Writes and waits when the reader is slow. */
async function write(bytes: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await new Promise(resolve => process.stdout.once('drain', resolve))
}

async function print(answer: Answer, format: string, engine: Engine, session: Session): Promise<void> {
  const { fields } = answer, texts = (fields ?? []).map(field => textWriter(field.type, session.text))
  const shown = (value: Value, i: number): string | undefined => value === null ? undefined : texts[i]?.(value) ?? ''
  if (format === 'arrow' && fields !== undefined) {
    const { arrowColumn, arrowStream, toArrow } = await import('../arrow.ts')
    const columns = answer.schema.map(arrowColumn), batches = []
    for await (const batch of answer.batches) batches.push(toArrow(batch, engine.memory, engine.kernel, columns))
    await write(arrowStream(batches))
    return
  }
  if (format === 'csv' && fields !== undefined) await write(`${fields.map(field => csv(field.name)).join(',')}\n`)
  const table: (string | undefined)[][] = []
  let rows = 0
  for await (const batch of answer.batches) {
    rows += batch.length
    if (fields === undefined) continue
    const values = rowsOf(batch, engine.memory)
    if (format === 'csv') await write(values.map(row => `${row.map((value, i) => csv(shown(value, i))).join(',')}\n`).join(''))
    else if (format === 'json') await write(values.map(row => `${JSON.stringify(Object.fromEntries(fields.map((field, i) => [field.name, jsonOf(row[i] ?? null, shown(row[i] ?? null, i))])))}\n`).join(''))
    else for (const row of values) table.push(row.map(shown))
  }
  if (fields === undefined) {
    await session.sync(false) // INSERT 0 1 is said of what was committed
    if (format === 'table') await write(`${answer.tag(rows)}\n`)
  }
  else if (format === 'table') await write(aligned(fields.map(field => field.name), table, fields.map(field => ['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid'].includes(field.type.kind))))
}

function csv(value: string | undefined): string {
  return value === undefined ? '' : value === '' || /[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

/** Numbers that JSON holds exactly as numbers, everything else as PostgreSQL's text. */
function jsonOf(value: Value, shown: string | undefined): unknown {
  if (value === null || typeof value === 'boolean') return value
  return typeof value === 'number' && Number.isFinite(value) && shown !== undefined && String(value) === shown ? value : shown
}

/** Columns wide enough for their longest value; numbers to the right. */
function aligned(names: readonly string[], rows: readonly (readonly (string | undefined)[])[], right: readonly boolean[]): string {
  const cells = rows.map(row => row.map(value => (value ?? '').replaceAll('\n', '⏎'))), width = (value: string): number => [...value].length
  const widths = names.map((name, i) => cells.reduce((most, row) => Math.max(most, width(row[i] ?? '')), width(name)))
  const pad = (value: string, i: number, toRight: boolean): string => { const blanks = ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(value))); return toRight ? blanks + value : value + blanks }
  const center = (value: string, i: number): string => { const room = (widths[i] ?? 0) - width(value); return ' '.repeat(room >> 1) + value + ' '.repeat(room - (room >> 1)) }
  const lines = [names.map((name, i) => ` ${center(name, i)} `).join('|'), widths.map(n => '-'.repeat(n + 2)).join('+'), ...cells.map(row => names.map((_, i) => ` ${pad(row[i] ?? '', i, right[i] ?? false)} `).join('|').trimEnd())]
  return `${lines.join('\n')}\n(${rows.length} row${rows.length === 1 ? '' : 's'})\n\n`
}
