/**
 * Asks a PostgreSQL 15 server again what the texts of text-answers.json.gz mean under each group of settings, and rewrites the file. With PGHOST,
 * PGPORT, PGUSER set: `node src/text/text-answers.ts [more.json]`, where the file maps type names to further texts.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'

/** A text and what the type's output makes of its value, or the error of the type's input. */
export type TextAnswer = readonly [string, string | { readonly code: string; readonly message: string; readonly detail?: string }]

/** What PostgreSQL 15.18 answered to `SELECT 'text'::type` under some settings. */
export interface TextAnswers {
  readonly settings: Readonly<Record<string, string>>
  readonly cases: Readonly<Record<string, readonly TextAnswer[]>>
}

const file = new URL('./text-answers.json.gz', import.meta.url)

export function textAnswers(): readonly TextAnswers[] {
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8'))
}

const SETUP = `
create function pg_temp.ask(given text, type text) returns jsonb language plpgsql as $f$
declare answer text; code text; message text; detail text;
begin
  execute format('select format(''%%s'', %L::%s)', given, type) into answer;
  return jsonb_build_array(given, answer);
exception when others then
  get stacked diagnostics code = returned_sqlstate, message = message_text, detail = pg_exception_detail;
  return jsonb_build_array(given, jsonb_build_object('code', code, 'message', message) || case when detail = '' then '{}' else jsonb_build_object('detail', detail) end);
end $f$;
`
const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`

function ask({ settings, cases }: TextAnswers): string {
  const set = Object.entries({ TimeZone: 'UTC', ...settings }).map(([name, value]) => `set ${name} = ${name === 'DateStyle' ? value : quote(value)};`).join('\n')
  const types = Object.entries(cases).map(([type, rows]) => {
    const script = `${SETUP}${set}\n${rows.map(([text]) => `select pg_temp.ask(${quote(text)}, ${quote(type)});`).join('\n')}`
    const answers = execFileSync('psql', ['-X', '-q', '-A', '-t', '-d', 'postgres'], { input: script, encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n')
    return `${JSON.stringify(type)}:[\n${answers.join(',\n')}\n]`
  })
  return `{"settings":${JSON.stringify(settings)},"cases":{\n${types.join(',\n')}\n}}`
}

if (import.meta.filename === process.argv[1]) {
  const more: Readonly<Record<string, readonly string[]>> = process.argv[2] === undefined ? {} : JSON.parse(readFileSync(process.argv[2], 'utf8'))
  const groups = textAnswers().map(group => ({
    ...group,
    cases: Object.fromEntries(Object.entries(group.cases).map(([type, rows]) => [type, [...rows, ...(more[type] ?? []).filter(text => rows.every(([known]) => known !== text)).map((text): TextAnswer => [text, ''])]])),
  }))
  writeFileSync(file, gzipSync(`[\n${groups.map(ask).join(',\n')}\n]\n`, { level: 9 }))
}
