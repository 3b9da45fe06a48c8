/** Conversations with COPY … FROM STDIN, as `conversations.ts` has others: with PGHOST, PGPORT and PGUSER set, `node src/wire/copy-in-conversations.ts` writes copy-in-answers.json. */
import { writeFileSync } from 'node:fs'
import type { Conversation, Said } from './conversations.ts'
import { ask, bind, describe, execute, flush, message, parse, query, said, sync } from './conversations.ts'

const data = (text: string | Uint8Array): Buffer => message('d', Buffer.from(text)), done = message('c'), fail = message('f', Buffer.from('no more\0'))
const TABLE = 'CREATE TABLE c (id int NOT NULL, v text, n numeric(8,2) DEFAULT 7, d date)'

function around(name: string, ...messages: readonly Uint8Array[]): Conversation {
  return { name, input: Buffer.concat([query(TABLE), ...messages, query('SELECT * FROM c ORDER BY id'), query('DROP TABLE c')]) }
}

/** One COPY of this text, in one piece. */
const copied = (name: string, sql: string, text: string | Uint8Array): Conversation => around(name, query(sql), data(text), done)

export const COPY_IN: readonly Conversation[] = [
  copied('text', 'COPY c FROM STDIN', '1\ta\\tb\\\\\t2.555\t2024-01-01\n2\t\\N\t\\N\t\\N\n'),
  copied('text, CRLF', 'COPY c FROM STDIN', '1\ta\t2.5\t2024-01-01\r\n2\tb\t1\t2024-01-02\r\n'),
  copied('text, CR', 'COPY c (id, v) FROM STDIN', '1\ta\r2\tb\r'),
  copied('text, columns and escapes', 'COPY c (v, id) FROM STDIN', 'a\\x41\\102\\\\\\n\\é\t1\n\\.\nrubbish\n'),
  copied('text, a line over two', 'COPY c (id, v) FROM STDIN', '1\ta\\\nb\n'),
  copied('text, no last line end', 'COPY c (id) FROM STDIN', '1\n2\n3'),
  copied('text, nothing', 'COPY c FROM STDIN', ''),
  copied('text, options', "COPY c (id, v) FROM STDIN (DELIMITER '|', NULL '')", '1|a\\|b\n2|\n'),
  copied('text, header', 'COPY c (id, v) FROM STDIN (HEADER)', 'whatever\n2\tb\n'),
  copied('csv', 'COPY c (id, v) FROM STDIN (FORMAT csv, HEADER)', 'id,v\n1,"a ""q"" \n two"\n2,\n3,""\n4, b \n5,"q"z"y"\n'),
  copied('csv, options', "COPY c (id, v) FROM STDIN (FORMAT csv, DELIMITER ';', QUOTE '~', ESCAPE '!', NULL 'nil')", '1;~a!~b!!~\n2;nil\n3;~nil~\n'),
  copied('csv, force not null', 'COPY c (id, v) FROM STDIN (FORMAT csv, FORCE_NOT_NULL (v))', '1,\n2,""\n'),
  copied('csv, force null', 'COPY c (id, v) FROM STDIN (FORMAT csv, FORCE_NULL (v))', '1,\n2,""\n'),
  copied('csv, header match', 'COPY c (id, v) FROM STDIN (FORMAT csv, HEADER match)', 'id,v\n1,2\n'),
  copied('csv, header of other columns', 'COPY c (id, v) FROM STDIN (FORMAT csv, HEADER match)', 'id,w\n1,2\n'),
  copied('csv, header of fewer columns', 'COPY c (id, v) FROM STDIN (FORMAT csv, HEADER match)', 'id\n1,2\n'),
  copied('csv, a quote left open', 'COPY c (id, v) FROM STDIN (FORMAT csv)', '0,a\n1,"open\n'),
  copied('a bad number', 'COPY c FROM STDIN', '1\ta\t2\t2024-01-01\nx\tb\t1\t2024-01-02\n'),
  copied('a bad date', 'COPY c FROM STDIN', '1\ta\t2\t2024-13-01\n'),
  copied('a number too large', 'COPY c FROM STDIN', '1\ta\t2222222\t2024-01-01\n'),
  copied('a long bad number', 'COPY c (id) FROM STDIN', `${'x'.repeat(200)}\n`),
  copied('missing data', 'COPY c FROM STDIN', '1\ta\t2\t2024-01-01\n2\tb\n'),
  copied('missing data, long', 'COPY c FROM STDIN', `1\t${'é'.repeat(30)}${'x'.repeat(200)}\n`),
  copied('extra data', 'COPY c FROM STDIN', '1\ta\t2\t2024-01-01\textra\n'),
  copied('null', 'COPY c FROM STDIN', '\\N\ta\t2\t2024-11-01\n'),
  copied('line ends of two kinds', 'COPY c (id) FROM STDIN', '1\r\n2\n'),
  copied('a lone CR', 'COPY c (id) FROM STDIN', '1\n2\r\n'),
  copied('no such column', 'COPY c (id, nothing) FROM STDIN', ''),
  copied('a column twice', 'COPY c (id, id) FROM STDIN', ''),
  copied('no such table', 'COPY nowhere FROM STDIN', '1\n'),
  copied('force quote', 'COPY c FROM STDIN (FORMAT csv, FORCE_QUOTE *)', ''),
  copied('force null in text', 'COPY c FROM STDIN (FORCE_NULL (v))', ''),
  copied('force null of another column', 'COPY c (id) FROM STDIN (FORMAT csv, FORCE_NULL (v))', ''),
  around('in pieces', query('COPY c (id, v) FROM STDIN'), data('1'), data('0\ta'), data(''), data('\n1'), data('1\tb\\'), data('nc\n'), done),
  around('the client fails', query('COPY c (id) FROM STDIN'), data('1\n'), fail),
  around('flush and sync are passed over', query('COPY c (id) FROM STDIN'), flush, sync, data('1\n'), done),
  around('two in one query', query('COPY c (id) FROM STDIN; COPY c (v, id) FROM STDIN; SELECT 1 AS one'), data('1\n'), done, data('a\t2\n'), done),
  around('the second of two fails', query('COPY c (id) FROM STDIN; COPY c (v, id) FROM STDIN; SELECT 1 AS one'), data('1\n'), done, data('a\tb\n'), done),
  around('extended', parse('COPY c (id) FROM STDIN'), describe('S'), bind(), describe('P'), execute(), sync, data('1\n'), done, sync),
  around('extended, fails', parse('COPY c (id) FROM STDIN'), bind(), execute(), sync, data('x\n'), data('2\n'), done, sync),
  around('extended, the client fails', parse('COPY c (id) FROM STDIN'), bind(), execute(), data('1\n'), fail, sync),
  around('in a transaction', query('BEGIN'), query('COPY c (id) FROM STDIN'), data('1\n'), done, query('COPY c (id) FROM STDIN'), data('2\n'), done, query('COMMIT')),
  around('in a transaction that rolls back', query('BEGIN'), query('COPY c (id) FROM STDIN'), data('1\n'), done, query('ROLLBACK')),
  around('in a transaction that fails', query('BEGIN'), query('COPY c (id) FROM STDIN'), data('x\n'), done, query('COMMIT')),
  // the table stays: the last
  around('another statement in between', query('COPY c (id) FROM STDIN'), data('1\n'), query('SELECT 1')),
]

/** The server's words, with where an error was. Schemas have other names there. */
export const saidOfCopy = (bytes: Uint8Array): Said[] => said(bytes, 'FLRs')

if (process.argv[1] === import.meta.filename) {
  const answers: Record<string, readonly Said[]> = {}
  for (const { name, input } of COPY_IN) answers[name] = saidOfCopy(await ask(process.env.PGHOST ?? 'localhost', Number(process.env.PGPORT ?? 5432), process.env.PGUSER ?? 'postgres', input))
  writeFileSync(new URL('./copy-in-answers.json', import.meta.url), `{\n${Object.entries(answers).map(([name, answer]) => `${JSON.stringify(name)}: [\n${answer.map(each => `  ${JSON.stringify(each)}`).join(',\n')}\n]`).join(',\n')}\n}\n`)
}
