/** Errors as a person at a terminal reads them. */
import { SqlError } from '../error.ts'

/** The message, where it is (a line of the statement with a mark, when the statement is known), and what to do. */
export function errorText(error: unknown, sql?: string): string {
  if (!(error instanceof SqlError)) return `ERROR: ${error instanceof Error ? 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS') ? error.message : error.stack ?? error.message : String(error)}\n`
  const { detail, hint, position, where } = error.details
  const lines = [`ERROR:  ${error.code}: ${error.message}`]
  if (position !== undefined && sql !== undefined) {
    const before = [...sql].slice(0, position - 1).join(''), line = before.split('\n').length, start = before.lastIndexOf('\n') + 1
    lines.push(`LINE ${line}: ${sql.slice(start).split('\n')[0] ?? ''}`, `${' '.repeat(`LINE ${line}: `.length + [...before.slice(start)].length)}^`)
  }
  if (detail !== undefined) lines.push(`DETAIL:  ${detail}`)
  if (hint !== undefined) lines.push(`HINT:  ${hint}`)
  if (where !== undefined) lines.push(`WHERE:  ${where}`)
  return `${lines.join('\n')}\n`
}
