/**
 * Conversations that PostgreSQL 15 was taken through, byte for byte, so that our answers can be compared with its answers. Run with PGHOST, PGPORT and PGUSER
 * set, `node src/wire/conversations.ts` writes postgres-answers.json for session.test.ts.
 */
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'

export interface Conversation {
  readonly name: string
  /** Everything the client sends behind its start-up packet, but for Terminate. */
  readonly input: Uint8Array
}

// ---- what clients say ------------------------------------------------------------------------------------------------

const zero = (text: string): Buffer => Buffer.from(`${text}\0`)
const int16 = (...values: readonly number[]): Buffer => Buffer.from(values.flatMap(value => [value >> 8 & 255, value & 255]))
const int32 = (...values: readonly number[]): Buffer => Buffer.from(values.flatMap(value => [value >>> 24, value >> 16 & 255, value >> 8 & 255, value & 255]))

/** A message of any body, right or wrong. */
export function message(type: string, ...body: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(body)
  return Buffer.concat([Buffer.from(type), int32(bytes.length + 4), bytes])
}
export function startup(version: number, parameters: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.concat([int32(version), ...Object.entries(parameters).flatMap(([name, value]) => [zero(name), zero(value)]), Buffer.from([0])])
  return Buffer.concat([int32(body.length + 4), body])
}
export const query = (sql: string): Buffer => message('Q', zero(sql))
export const parse = (sql: string, name = '', types: readonly number[] = []): Buffer => message('P', zero(name), zero(sql), int16(types.length), ...types.map(type => int32(type)))
export const bind = (values: readonly (string | Uint8Array | null)[] = [], more: { readonly portal?: string; readonly statement?: string; readonly formats?: readonly number[]; readonly results?: readonly number[] } = {}): Buffer =>
  message('B', zero(more.portal ?? ''), zero(more.statement ?? ''), int16(more.formats?.length ?? 0, ...more.formats ?? []), int16(values.length),
    ...values.flatMap(value => { if (value === null) return [int32(-1)]; const bytes = Buffer.from(value); return [int32(bytes.length), bytes] }), int16(more.results?.length ?? 0, ...more.results ?? []))
export const describe = (what: 'S' | 'P', name = ''): Buffer => message('D', Buffer.from(what), zero(name))
export const execute = (portal = '', limit = 0): Buffer => message('E', zero(portal), int32(limit))
export const close = (what: 'S' | 'P', name = ''): Buffer => message('C', Buffer.from(what), zero(name))
export const sync = message('S'), flush = message('H'), terminate = message('X')

const all = (...messages: readonly Uint8Array[]): Buffer => Buffer.concat(messages)
/** One statement by the extended protocol. */
const extended = (sql: string, values: readonly (string | Uint8Array | null)[] = [], more: Parameters<typeof bind>[1] & { readonly types?: readonly number[] } = {}): Buffer =>
  all(parse(sql, '', more.types ?? []), bind(values, more), describe('P'), execute(), sync)

/** Values of every type that both have, as SQL. */
export const TYPED: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  int2: ['0', '-32768', '32767'],
  int4: ['0', '-2147483648', '2147483647'],
  int8: ['0', '-9223372036854775808', '9223372036854775807'],
  oid: ['0', '4294967295'],
  float4: ['0', '-0', '1.5', '3.4028235e38', '1e-45', 'NaN', 'Infinity', '-Infinity', '0.1'],
  float8: ['0', '-0', '1.5', '1.7976931348623157e308', '5e-324', 'NaN', 'Infinity', '-Infinity', '0.1'],
  numeric: ['0', '0.00', '-0.5', '1', '10000', '99999999', '100000000', '12345678901234567890.123456789', '0.0001', '0.00001000', '-123456', 'NaN', 'Infinity', '-Infinity', '1e30', '1e-30', '9999', '10000.0001'],
  'numeric(9,2)': ['0', '-1.5', '9999999.99', '100'],
  'numeric(18,4)': ['0', '99999999999999.9999', '-0.0001'],
  'numeric(38,10)': ['0', '9999999999999999999999999999.9999999999', '-1'],
  text: ['', 'a', 'é～😀', 'a\tb\nc\\d"e\'f,g', '\\.'],
  varchar: ['', 'ab'],
  'varchar(3)': ['abc'],
  'char(4)': ['ab', ''],
  name: ['pg_class'],
  bytea: ['', '\\x00ff10', '\\x5c2c22'],
  uuid: ['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  date: ['1970-01-01', '2000-01-01', '1999-12-31', 'infinity', '-infinity', '0001-01-01', '4713-01-01 BC', '9999-12-31'],
  time: ['00:00', '23:59:59.999999', '24:00'],
  timetz: ['00:00+00', '12:34:56.5-08', '23:59:59+05:30'],
  timestamp: ['1970-01-01 00:00', '2000-01-01 00:00', '1999-12-31 23:59:59.999999', 'infinity', '-infinity', '0044-03-15 12:00 BC'],
  timestamptz: ['1970-01-01 00:00+00', '2024-02-29 12:34:56.789+02', 'infinity', '-infinity'],
  interval: ['0', '1 month', '-1 day', '1 year 2 mons 3 days 04:05:06.7', '-00:00:01'],
  json: ['{"a": 1}', '[1, 2]', '"x"'],
  jsonb: ['{"b": 1, "a": [1, null]}', '[]', '1.50', '"x\\u00e9"'],
  'int4[]': ['{}', '{1,2,NULL}', '{{1,2},{3,4}}', '[2:3]={7,8}'],
  'text[]': ['{}', '{a,"b c",NULL,"NULL","","x\\"y"}'],
  'numeric[]': ['{1.5,NaN}'],
  'timestamp[]': ['{"2000-01-01 00:00:00",NULL}'],
}
const quoted = (text: string): string => text.includes('\\') ? `E'${text.replaceAll('\\', '\\\\').replaceAll('\'', '\'\'')}'` : `'${text.replaceAll('\'', '\'\'')}'`
const valuesOf = (type: string): string => `SELECT ${[...TYPED[type]?.map(quoted) ?? [], 'NULL'].map((text, i) => `${text}::${type} AS c${i}`).join(', ')}`
const ROWS = 'SELECT * FROM (VALUES (1, \'one\'), (2, \'two\'), (3, NULL), (4, E\'a\\tb\\nc\\\\d"e,f\'), (5, \'\')) AS v(n, t)'
/** Fails when it runs, not when it is planned. */
const FAILS = 'SELECT 1/n FROM (VALUES (0), (1)) AS v(n)'
const NUMBERS = 'SELECT n FROM (VALUES (1), (2), (3), (4), (5)) AS v(n)'

export const CONVERSATIONS: readonly Conversation[] = [
  ...Object.keys(TYPED).flatMap(type => [
    { name: `text of ${type}`, input: query(valuesOf(type)) },
    { name: `binary of ${type}`, input: extended(valuesOf(type), [], { results: [1] }) },
    { name: `copy binary of ${type}`, input: query(`COPY (${valuesOf(type)}) TO STDOUT (FORMAT binary)`) },
    { name: `copy text of ${type}`, input: query(`COPY (${valuesOf(type)}) TO STDOUT`) },
    { name: `copy csv of ${type}`, input: query(`COPY (${valuesOf(type)}) TO STDOUT (FORMAT csv)`) },
  ]),
  { name: 'simple', input: query('SELECT 1 AS a, \'x\' AS b') },
  { name: 'unknown literal, no name', input: query('SELECT \'x\', NULL, 1 + 1') },
  { name: 'empty', input: all(query(''), query(' ; ;'), query('-- nothing')) },
  { name: 'several', input: query('SELECT 1; SELECT 2 AS b; ;SELECT 3') },
  { name: 'several, the last does not parse', input: all(query('SELECT 1; SELECT é FROM WHERE'), query('SELECT 2')) },
  { name: 'several, one fails', input: query(`SELECT 1; ${FAILS}; SELECT 3`) },
  { name: 'position in a later statement', input: query('SELECT \'é\'; SELECT 2,  nosuch') },
  { name: 'syntax error', input: query('SELEC 1') },
  { name: 'no such table', input: query('SELECT *\n FROM nosuch') },
  { name: 'no such function', input: query('SELECT nosuch(1)') },
  { name: 'bad input', input: query('SELECT \'x\'::int4') },
  { name: 'unterminated', input: query('SELECT \'x') },
  { name: 'zero columns', input: query('SELECT') },
  { name: 'extended', input: extended(ROWS) },
  { name: 'extended, parameters', input: extended('SELECT $1::int4 + 1, $2::text, $3::bool', ['41', 'x', null]) },
  { name: 'extended, binary parameters', input: extended('SELECT $1::int4 + 1, $2::text', [int32(41), 'x'], { formats: [1, 0], results: [0, 1] }) },
  { name: 'extended, declared types', input: extended('SELECT $1, $2', ['1', '2'], { types: [23, 0] }) },
  { name: 'describe statement', input: all(parse('SELECT $1::int8 AS a, $2 || \'x\' AS b', 's'), describe('S', 's'), sync) },
  { name: 'describe without rows', input: all(parse('BEGIN', 's'), describe('S', 's'), bind([], { statement: 's' }), describe('P'), sync) },
  { name: 'empty statement', input: all(parse(''), describe('S'), bind(), describe('P'), execute(), sync) },
  { name: 'flush', input: all(parse('SELECT 1'), flush, bind(), flush, execute(), flush, sync) },
  { name: 'limit', input: all(parse(NUMBERS), bind([], { portal: 'p' }), describe('P', 'p'), execute('p', 2), execute('p', 2), execute('p', 2), execute('p', 2), sync) },
  { name: 'limit reached exactly', input: all(parse(NUMBERS), bind([], { portal: 'p' }), execute('p', 5), execute('p', 5), sync) },
  { name: 'limit, no more', input: all(parse(NUMBERS), bind([], { portal: 'p' }), execute('p', 3), execute('p'), execute('p'), sync) },
  { name: 'portal ends with its transaction', input: all(parse(NUMBERS), bind([], { portal: 'p' }), execute('p', 2), sync, execute('p', 2), sync) },
  { name: 'portal lives in a block', input: all(query('BEGIN'), parse(NUMBERS), bind([], { portal: 'p' }), execute('p', 2), sync, execute('p', 2), sync, query('SELECT 7'), execute('p', 9), sync, query('COMMIT')) },
  { name: 'two portals', input: all(query('BEGIN'), parse(NUMBERS, 's'), bind([], { portal: 'p', statement: 's' }), bind([], { portal: 'q', statement: 's' }), execute('p', 1), execute('q', 2), execute('p', 1), close('P', 'p'), execute('q', 1), execute('p', 1), sync, query('ROLLBACK')) },
  { name: 'prepared twice', input: all(parse('SELECT 1', 's'), sync, parse('SELECT 2', 's'), sync, bind([], { statement: 's' }), execute(), sync, close('S', 's'), parse('SELECT 3', 's'), bind([], { statement: 's' }), execute(), sync) },
  { name: 'unnamed twice', input: all(parse('SELECT 1'), parse('SELECT 2'), bind(), execute(), sync) },
  { name: 'a failed parse leaves no unnamed statement', input: all(parse('SELECT 1'), sync, parse('SELEC'), sync, bind(), execute(), sync) },
  { name: 'portal taken', input: all(parse('SELECT 1'), bind([], { portal: 'p' }), bind([], { portal: 'p' }), sync) },
  { name: 'nothing there', input: all(bind(), sync, describe('S', 'x'), sync, describe('P', 'x'), sync, execute('x'), sync, close('S', 'x'), close('P', 'x'), sync) },
  { name: 'skips to sync', input: all(parse('SELECT nosuch'), bind(), execute(), query('SELECT 1'), parse('SELECT 2'), sync, query('SELECT 3')) },
  { name: 'fails at run time', input: all(parse('SELECT 6/n/$1::int4 FROM (VALUES (1), (2)) AS v(n)', 's'), bind(['0'], { statement: 's' }), execute(), sync, bind(['1'], { statement: 's' }), execute(), sync) },
  { name: 'multiple commands', input: all(parse('SELECT 1; SELECT 2'), sync) },
  { name: 'wrong number of parameters', input: all(parse('SELECT $1::int4'), bind(['1', '2']), sync) },
  { name: 'wrong number of formats', input: all(parse('SELECT $1::int4'), bind(['1'], { formats: [0, 0] }), sync, parse('SELECT 1'), bind([], { results: [0, 0] }), sync) },
  { name: 'parameter without a type', input: all(parse('SELECT $1'), describe('S'), bind(['1']), execute(), sync) },
  { name: 'bad text parameter', input: all(parse('SELECT $1::int4'), bind(['x']), sync) },
  { name: 'bad binary parameter', input: all(parse('SELECT $1::int4'), bind([int16(1)], { formats: [1] }), sync, parse('SELECT 1, $1::int4'), bind([int16(1, 2, 3)], { formats: [1] }), sync) },
  { name: 'not UTF-8', input: all(parse('SELECT $1::text'), bind([Uint8Array.of(0xc3, 0x28)]), sync) },
  { name: 'block', input: all(query('BEGIN'), query('SELECT 1'), query('COMMIT'), query('BEGIN'), query('ROLLBACK')) },
  { name: 'failed block', input: all(query('BEGIN'), query(FAILS), query('SELECT 1'), parse('SELECT 1'), sync, query('COMMIT')) },
  { name: 'failed block, extended', input: all(parse('BEGIN'), bind(), execute(), sync, parse(FAILS), bind(), execute(), sync, parse('ROLLBACK'), bind(), execute(), sync) },
  { name: 'warnings', input: all(query('BEGIN; BEGIN'), query('ROLLBACK'), query('COMMIT'), query('ROLLBACK')) },
  { name: 'block in one string', input: all(query('BEGIN; SELECT 1; COMMIT; SELECT 2'), query(`BEGIN; ${FAILS}; COMMIT`), query('SELECT 1'), query('ROLLBACK')) },
  { name: 'savepoints', input: all(query('SAVEPOINT a'), query('BEGIN'), query('SAVEPOINT a'), query(FAILS), query('ROLLBACK TO a'), query('SELECT 1'), query('RELEASE a'), query('RELEASE a'), query('ROLLBACK')) },
  { name: 'prepare and execute', input: all(query('PREPARE s(int4) AS SELECT $1 + 1 AS a'), query('EXECUTE s(41)'), bind(['1'], { statement: 's' }), execute(), sync, query('DEALLOCATE s'), query('EXECUTE s(1)')) },
  { name: 'cursor', input: all(query('BEGIN'), query(`DECLARE c CURSOR FOR ${NUMBERS}`), query('FETCH 2 FROM c'), query('FETCH c'), query('MOVE 1 FROM c'), query('FETCH ALL FROM c'), query('FETCH c'), query('CLOSE c'), query('FETCH c'), query('ROLLBACK')) },
  { name: 'settings', input: all(query('SET extra_float_digits = 0'), query('SELECT 0.1::float8 + 0.2::float8'), query('SHOW extra_float_digits'), query('RESET extra_float_digits'), query('SELECT 0.1::float8 + 0.2::float8'), query('SHOW nosuch'), query('SET nosuch = 1'), query('SET extra_float_digits = 99')) },
  { name: 'transaction isolation', input: all(query('SHOW transaction isolation level'), query('SHOW transaction_isolation'), query('SHOW standard_conforming_strings'), query('SHOW DateStyle')) },
  { name: 'set local', input: all(query('SET LOCAL statement_timeout = 1000'), query('SHOW statement_timeout'), query('BEGIN'), query('SET LOCAL statement_timeout = 1000'), query('SHOW statement_timeout'), query('COMMIT'), query('SHOW statement_timeout'), query('BEGIN'), query('SET statement_timeout = 2000'), query('ROLLBACK'), query('SHOW statement_timeout')) },
  { name: 'discard', input: all(query('DISCARD ALL'), query('DEALLOCATE ALL'), query('BEGIN'), query('DISCARD ALL'), query('ROLLBACK')) },
  { name: 'copy text', input: query(`COPY (${ROWS}) TO STDOUT`) },
  { name: 'copy csv', input: query(`COPY (${ROWS}) TO STDOUT (FORMAT csv, HEADER)`) },
  { name: 'copy csv, options', input: query(`COPY (${ROWS}) TO STDOUT (FORMAT csv, DELIMITER ';', NULL 'nil', QUOTE '''', ESCAPE '\\', FORCE_QUOTE (t))`) },
  { name: 'copy csv, force all', input: query(`COPY (${ROWS}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)`) },
  { name: 'copy text, options', input: query(`COPY (${ROWS}) TO STDOUT (DELIMITER 'é')`) },
  { name: 'copy text, delimiter', input: query(`COPY (${ROWS}) TO STDOUT (DELIMITER '|', NULL '')`) },
  { name: 'copy text, header', input: query(`COPY (${ROWS}) TO STDOUT (HEADER)`) },
  { name: 'copy binary', input: query(`COPY (${ROWS}) TO STDOUT (FORMAT binary)`) },
  { name: 'copy, extended', input: all(parse(`COPY (${ROWS}) TO STDOUT`), describe('S'), bind(), describe('P'), execute(), sync) },
  { name: 'copy fails', input: all(query(`COPY (${FAILS}) TO STDOUT`), query('SELECT 1')) },
  { name: 'malformed query', input: all(message('Q', Buffer.from('SELECT 1')), query('SELECT 2')) },
  { name: 'malformed bind', input: all(message('B', Buffer.from([0])), parse('SELECT 1'), sync, query('SELECT 2')) },
  { name: 'more than a message', input: all(message('Q', zero('SELECT 1'), zero('x')), query('SELECT 2')) },
  { name: 'malformed describe', input: all(message('D', Buffer.from('Z'), zero('')), sync, query('SELECT 2')) },
  { name: 'malformed close', input: all(message('C', Buffer.from('Z'), zero('')), sync, query('SELECT 2')) },
  { name: 'malformed execute', input: all(message('E', zero('')), sync, query('SELECT 2')) },
  { name: 'malformed sync', input: all(message('S', Buffer.from([1])), query('SELECT 2')) },
  { name: 'malformed flush', input: all(message('H', Buffer.from([1])), query('SELECT 2'), sync, query('SELECT 3')) },
  { name: 'negative parameter length', input: all(parse('SELECT $1::text'), message('B', zero(''), zero(''), int16(0), int16(1), int32(-2), int16(0)), sync, query('SELECT 2')) },
  { name: 'unknown message', input: all(Buffer.from('!'), int32(4), query('SELECT 2')) },
  { name: 'stray copy data', input: all(message('d', Buffer.from('x')), message('c'), query('SELECT 2')) },
  { name: 'password out of turn', input: all(message('p', zero('x')), query('SELECT 2')) },
]

// ---- what the server says --------------------------------------------------------------------------------------------

/** A message of the server, readable: its type, and its body as far as two servers can agree on it. */
export type Said = readonly [string, ...(string | number)[]]

/** Cuts and reads all messages; numbers of tables and columns, process ids, places in the source code and settings are left out. */
export function said(bytes: Uint8Array, omitted = 'FLRW'): Said[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), found: Said[] = []
  for (let at = 0; at < buffer.length;) {
    const type = String.fromCharCode(buffer[at] ?? 0), end = at + 1 + buffer.readInt32BE(at + 1)
    if (end > buffer.length) throw new Error(`a message ${type} that does not end`)
    const one = readMessage(type, buffer.subarray(at + 5, end), omitted)
    if (one !== undefined) found.push(one)
    at = end
  }
  return found
}

function readMessage(type: string, body: Buffer, omitted: string): Said | undefined {
  switch (type) {
    case 'S': case 'K': case 'R': return undefined
    case 'E': case 'N': {
      const fields: string[] = []
      for (let at = 0; body[at] !== 0;) { const end = body.indexOf(0, at), field = body.toString('utf8', at, end); if (!omitted.includes(field.slice(0, 1))) fields.push(field); at = end + 1 }
      return [type, ...fields]
    }
    case 'T': {
      const fields: string[] = []
      let at = 2
      for (let i = 0; i < body.readInt16BE(0); i++) {
        const end = body.indexOf(0, at)
        fields.push(`${body.toString('utf8', at, end)} ${body.readUInt32BE(end + 7)} ${body.readInt16BE(end + 11)} ${body.readInt32BE(end + 13)} ${body.readInt16BE(end + 17)}`)
        at = end + 19
      }
      return [type, ...fields]
    }
    case 'C': return [type, body.toString('utf8', 0, body.length - 1)]
    case 'D': {
      const values: string[] = []
      let at = 2
      for (let i = 0; i < body.readInt16BE(0); i++) {
        const length = body.readInt32BE(at)
        at += 4
        values.push(length < 0 ? 'NULL' : `'${printable(body.subarray(at, at + length))}`)
        at += Math.max(0, length)
      }
      return [type, ...values]
    }
    default: return [type, printable(body)]
  }
}

/** Text if it is, otherwise hexadecimal. */
function printable(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) && !/[\0-\x08\x0e-\x1f]/.test(text) ? text : `\\x${bytes.toString('hex')}`
}

/** What a PostgreSQL says to this input. */
export async function ask(host: string, port: number, user: string, input: Uint8Array): Promise<Buffer> {
  const socket = connect(port, host), chunks: Buffer[] = []
  socket.write(Buffer.concat([startup(3 << 16, { user, database: 'postgres', TimeZone: 'UTC', DateStyle: 'ISO, MDY' }), input, terminate]))
  for await (const chunk of socket) chunks.push(chunk)
  return Buffer.concat(chunks)
}

if (process.argv[1] === import.meta.filename) {
  const answers: Record<string, readonly Said[]> = {}
  for (const { name, input } of CONVERSATIONS) answers[name] = said(await ask(process.env.PGHOST ?? 'localhost', Number(process.env.PGPORT ?? 5432), process.env.PGUSER ?? 'postgres', input))
  writeFileSync(new URL('./postgres-answers.json', import.meta.url), `{\n${Object.entries(answers).map(([name, answer]) => `${JSON.stringify(name)}: [\n${answer.map(each => `  ${JSON.stringify(each)}`).join(',\n')}\n]`).join(',\n')}\n}\n`)
}
