/**
 * Asks a PostgreSQL 15 server again what the expressions of expression-answers.json.gz give, and rewrites the file: for new expressions, add
 * them to the file's list with any answer and run this. With PGHOST, PGPORT, PGUSER set: `node src/function/expression-answers.ts [more.json]`, where the
 * file holds an array of further expressions.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

/** An expression and the text of its value, NULL, or the error it raises. */
export type ExpressionAnswer = readonly [string, string | null | { readonly code: string; readonly message: string }]

const file = new URL('./expression-answers.json.gz', import.meta.url)

/** What PostgreSQL 15.18 answered, with TimeZone America/New_York. */
export function expressionAnswers(): readonly ExpressionAnswer[] {
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
}

const SETUP = `
set timezone = 'America/New_York';
create function pg_temp.ask(sql text) returns jsonb language plpgsql as $f$
declare answer text; code text; message text;
begin
  -- format's %s is the type's output, where a cast to text may differ (bool)
  execute format('select case when v is null then null else format(''%%s'', v) end from (select %s as v) q', sql) into answer;
  return jsonb_build_array(sql, answer);
exception when others then
  get stacked diagnostics code = returned_sqlstate, message = message_text;
  return jsonb_build_array(sql, jsonb_build_object('code', code, 'message', message));
end $f$;
`

function ask(expressions: readonly string[]): string[] {
  const script = SETUP + expressions.map(sql => `select pg_temp.ask('${sql.replaceAll("'", "''")}');`).join('\n')
  return execFileSync('psql', ['-X', '-q', '-A', '-t', '-d', 'postgres'], { input: script, encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n')
}

if (import.meta.filename === process.argv[1]) {
  const more: readonly string[] = process.argv[2] === undefined ? [] : JSON.parse(readFileSync(process.argv[2], 'utf8'))
  let known: readonly ExpressionAnswer[] = []
  try {
    known = expressionAnswers()
  } catch (error) {
    if (more.length === 0) throw error
  }
  const answers = ask([...new Set([...known.map(([sql]) => sql), ...more])])
  writeFileSync(file, gzipSync(`[\n${answers.join(',\n')}\n]\n`, { level: 9 }))
}
