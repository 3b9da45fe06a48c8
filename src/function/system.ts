/** Functions that ask the session and its catalog: what psql, drivers and tools call. */
import { arrayOf, asBigInt, asNumber, asText } from '../datum.ts'
import { SqlError } from '../error.ts'
import { BOOL, INT4, INT8, NAME, OID, TEXT, TIMESTAMPTZ, typeName } from '../type.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import { value } from './body.ts'
import type { Environment, Run, SessionInfo } from './body.ts'
import { settingsOf, typeAt } from './environment.ts'
import type { ArgumentKind, ScalarFunction } from './function.ts'
import { scalar } from './signature.ts'

const STABLE = { volatility: 'stable' } as const
const VOLATILE = { volatility: 'volatile' } as const
const str = (v: Value | undefined): string => asText(v ?? null)
const oid = (v: Value | undefined): bigint => asBigInt(v ?? null)
const started = BigInt(Date.now()) * 1000n

/** What version() and server_version say we are compatible with. */
export const POSTGRES_VERSION = '15.18'

const NO_SESSION: SessionInfo = {}
const sessionOf = (environment: Environment): SessionInfo => environment.session ?? NO_SESSION
const userOf = (environment: Environment): string => sessionOf(environment).user ?? 'sluice'
const pathOf = (environment: Environment): readonly string[] => sessionOf(environment).searchPath ?? ['public']

/** The built-in types' object ids and names, for format_type. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  16: 'boolean', 17: 'bytea', 18: '"char"', 19: 'name', 20: 'bigint', 21: 'smallint', 22: 'int2vector', 23: 'integer', 24: 'regproc', 25: 'text', 26: 'oid', 27: 'tid', 28: 'xid', 29: 'cid',
  30: 'oidvector', 114: 'json', 142: 'xml', 194: 'pg_node_tree', 600: 'point', 601: 'lseg', 602: 'path', 603: 'box', 604: 'polygon', 628: 'line', 650: 'cidr', 700: 'real', 701: 'double precision',
  705: 'unknown', 718: 'circle', 774: 'macaddr8', 790: 'money', 829: 'macaddr', 869: 'inet', 1033: 'aclitem', 1042: 'character', 1043: 'character varying', 1082: 'date',
  1083: 'time without time zone', 1114: 'timestamp without time zone', 1184: 'timestamp with time zone', 1186: 'interval', 1266: 'time with time zone', 1560: 'bit', 1562: 'bit varying',
  1700: 'numeric', 1790: 'refcursor', 2202: 'regprocedure', 2203: 'regoper', 2204: 'regoperator', 2205: 'regclass', 2206: 'regtype', 2249: 'record', 2275: 'cstring', 2276: '"any"', 2277: 'anyarray',
  2278: 'void', 2279: 'trigger', 2283: 'anyelement', 2776: 'anynonarray', 2950: 'uuid', 3220: 'pg_lsn', 3500: 'anyenum', 3614: 'tsvector', 3615: 'tsquery', 3734: 'regconfig', 3769: 'regdictionary',
  3802: 'jsonb', 3904: 'int4range', 3906: 'numrange', 3908: 'tsrange', 3910: 'tstzrange', 3912: 'daterange', 3926: 'int8range', 4072: 'jsonpath', 4089: 'regnamespace', 4096: 'regrole',
}
const ARRAY_ELEMENTS: Readonly<Record<string, number>> = {
  143: 142, 199: 114, 1000: 16, 1001: 17, 1002: 18, 1003: 19, 1005: 21, 1006: 22, 1007: 23, 1008: 24, 1009: 25, 1010: 27, 1011: 28, 1012: 29, 1013: 30, 1014: 1042, 1015: 1043, 1016: 20, 1021: 700,
  1022: 701, 1028: 26, 1034: 1033, 1040: 829, 1041: 869, 651: 650, 791: 790, 1115: 1114, 1182: 1082, 1183: 1083, 1185: 1184, 1187: 1186, 1231: 1700, 1270: 1266, 1561: 1560, 1563: 1562, 2210: 2205, 2211: 2206,
  2287: 2249, 2951: 2950, 3807: 3802, 4090: 4089, 4097: 4096,
}

/** format_type: the name of a type by object id and modifier. */
export function formatType(type: bigint, modifier: number | null): string {
  if (type === 0n) return '-'
  const element = ARRAY_ELEMENTS[type.toString()]
  if (element !== undefined) return `${formatType(BigInt(element), modifier)}[]`
  const name = TYPE_NAMES[type.toString()]
  if (name === undefined) return '???'
  const m = modifier ?? -1
  if (type === 1042n) return modifier === null || (m >= 0 && m < 4) ? 'character' : m < 0 ? 'bpchar' : `character(${m - 4})`
  // Modifiers below 4 are none: the 4 bytes of a length come first.
  if (m < 0 || ((type === 1043n || type === 1700n) && m < 4)) return type === 1560n ? '"bit"' : name
  switch (type) {
    case 1043n: return `${name}(${m - 4})`
    case 1700n: {
      const packed = m - 4
      const scale = packed & 0x7ff
      return `${name}(${packed >> 16},${scale > 1023 ? scale - 2048 : scale})`
    }
    case 1083n: case 1114n: case 1184n: case 1266n: return name.replace(/^(timestamp|time)/, `$1(${m})`)
    case 1186n: return (m & 0xffff) === 0xffff ? name : `${name}(${m & 0xffff})`
    case 1560n: case 1562n: return `${name}(${m})`
    default: return name
  }
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** pg_size_pretty: the largest unit in which there are fewer than 10,240 (20,480 halves) of it. */
export function prettySize(size: bigint): string {
  let n = size
  const magnitude = (): bigint => n < 0n ? -n : n
  if (magnitude() < 10240n) return `${n} bytes`
  // Kept doubled, so that halves round away from zero.
  n = n / 512n
  for (let unit = 1; unit < UNITS.length; unit++) {
    if (magnitude() < 20480n - 1n || unit === UNITS.length - 1) {
      const rounded = n < 0n ? (n - 1n) / 2n : (n + 1n) / 2n
      return `${rounded} ${UNITS[unit]}`
    }
    n /= 1024n
  }
  return `${size} bytes`
}

const ENCODINGS: Readonly<Record<number, string>> = { 0: 'SQL_ASCII', 6: 'UTF8', 8: 'LATIN1', 24: 'WIN1252' }

const definition = (what: Parameters<NonNullable<SessionInfo['definition']>>[0]): Run => ([id, column], environment) =>
  sessionOf(environment).definition?.(what, oid(id), typeof column === 'number' ? column : 0) ?? null

/** Functions of one object id that look a definition up. */
const DEFINITIONS: readonly (readonly [string, Parameters<NonNullable<SessionInfo['definition']>>[0], readonly ArgumentKind[]])[] = [
  ['pg_get_indexdef', 'index', ['oid']], ['pg_get_indexdef', 'index', ['oid', 'int4', 'bool']], ['pg_get_constraintdef', 'constraint', ['oid']], ['pg_get_constraintdef', 'constraint', ['oid', 'bool']],
  ['pg_get_viewdef', 'view', ['oid']], ['pg_get_viewdef', 'view', ['oid', 'bool']], ['pg_get_ruledef', 'rule', ['oid']], ['pg_get_ruledef', 'rule', ['oid', 'bool']],
  ['pg_get_triggerdef', 'trigger', ['oid']], ['pg_get_triggerdef', 'trigger', ['oid', 'bool']], ['pg_get_functiondef', 'function', ['oid']], ['pg_get_partkeydef', 'partition key', ['oid']],
]
const definitions: readonly ScalarFunction[] = DEFINITIONS.map(([name, what, args]) =>
  scalar(name, args, TEXT, value(definition(what)), `the definition of a ${what}`, STABLE))

const VISIBLE = ['table', 'type', 'function', 'operator', 'opclass', 'opfamily', 'collation', 'conversion', 'statistics_obj', 'ts_parser', 'ts_dict', 'ts_template', 'ts_config'] as const

/** Functions that have no objects to speak of here: what they answer for any. */
const nothing = (name: string, args: readonly ArgumentKind[], result: Type, answer: Value, about: string): ScalarFunction => scalar(name, args, result, value(() => answer), about, STABLE)

const privileges: readonly ScalarFunction[] = ['table', 'schema', 'database', 'column', 'any_column', 'function', 'type', 'sequence', 'language', 'tablespace', 'foreign_data_wrapper', 'server'].flatMap(what => {
  const own: readonly ArgumentKind[] = what === 'column' ? ['any', 'any', 'text'] : ['any', 'text']
  return [
    nothing(`has_${what}_privilege`, own, BOOL, true, 'there is one role, which may do everything'),
    nothing(`has_${what}_privilege`, ['any', ...own], BOOL, true, 'there is one role, which may do everything'),
  ]
})

function setting(environment: Environment, name: string, missing: boolean): Value {
  const found = name.toLowerCase() === 'timezone' ? environment.timeZone : sessionOf(environment).setting?.(name)
  if (found === undefined && !missing) throw new SqlError('42704', `unrecognized configuration parameter "${name}"`)
  return found ?? null
}

export const systemFunctions: readonly ScalarFunction[] = [
  scalar('version', [], TEXT, value(() => `PostgreSQL ${POSTGRES_VERSION} (Sluice) on ${process.platform}`), 'the version of PostgreSQL this is compatible with', STABLE),
  scalar('current_database', [], NAME, value((_, environment) => sessionOf(environment).database ?? 'sluice'), 'the database of the session', STABLE),
  scalar('current_catalog', [], NAME, value((_, environment) => sessionOf(environment).database ?? 'sluice'), 'the database of the session', STABLE),
  scalar('current_schema', [], NAME, value((_, environment) => pathOf(environment)[0] ?? null), 'the first schema of the search path', STABLE),
  scalar('current_schemas', ['bool'], { kind: 'array', element: NAME }, value(([implicit], environment) =>
    arrayOf(implicit === true && !pathOf(environment).includes('pg_catalog') ? ['pg_catalog', ...pathOf(environment)] : pathOf(environment))), 'the schemas of the search path', STABLE),
  ...['current_user', 'session_user', 'current_role', 'user', 'getpgusername'].map(name => scalar(name, [], NAME, value((_, environment) => userOf(environment)), 'the user of the session', STABLE)),
  scalar('pg_backend_pid', [], INT4, value((_, environment) => sessionOf(environment).processId ?? process.pid), 'the number of the session\'s process', STABLE),
  scalar('current_setting', ['text'], TEXT, value(([name], environment) => setting(environment, str(name), false)), 'a setting', STABLE),
  scalar('current_setting', ['text', 'bool'], TEXT, value(([name, missing], environment) => setting(environment, str(name), missing === true)), 'a setting, or NULL', STABLE),
  scalar('set_config', ['text', 'text', 'bool'], TEXT, value(([name, given, local], environment) => {
    const set = environment.session?.set
    if (set === undefined) throw new SqlError('0A000', 'set_config is not supported here')
    return set(str(name), given === null || given === undefined ? '' : str(given), local === true)
  }), 'changes a setting', { ...VOLATILE, strict: false }),
  scalar('pg_typeof', ['any'], TEXT, value((_, __, site) => typeName(typeAt(site, 0)).replace(/\([^)]*\)/, '')), 'the type of the argument', { ...STABLE, strict: false }),
  scalar('format_type', ['oid', 'int4'], TEXT, value(([type = null, modifier = null]) => type === null ? null : formatType(asBigInt(type), modifier === null ? null : asNumber(modifier))), 'the name of a type', { ...STABLE, strict: false }),
  scalar('pg_get_userbyid', ['oid'], NAME, value((_, environment) => userOf(environment)), 'the name of a role', STABLE),
  scalar('pg_get_expr', ['text', 'oid'], TEXT, value(([text]) => str(text)), 'an expression kept in the catalog', STABLE),
  scalar('pg_get_expr', ['text', 'oid', 'bool'], TEXT, value(([text]) => str(text)), 'an expression kept in the catalog', STABLE),
  ...(['regclass', 'regtype', 'regproc', 'regnamespace'] as const).map(kind => scalar(`to_${kind}`, ['text'], { kind }, value(([name], environment) => settingsOf(environment).objects?.oidOf(kind, str(name)) ?? null), `the object of a name, or NULL`, STABLE)),
  ...definitions,
  ...VISIBLE.map(what => scalar(`pg_${what}_is_visible`, ['oid'], BOOL, value(([id], environment) => sessionOf(environment).visible?.(oid(id)) ?? (what !== 'table')), 'found without its schema', STABLE)),
  scalar('obj_description', ['oid'], TEXT, value(([id], environment) => sessionOf(environment).comment?.(oid(id), 0) ?? null), 'the comment on an object', STABLE),
  scalar('obj_description', ['oid', 'name'], TEXT, value(([id, catalog], environment) => str(catalog) === 'pg_class' ? sessionOf(environment).comment?.(oid(id), 0) ?? null : null), 'the comment on an object', STABLE),
  scalar('col_description', ['oid', 'int4'], TEXT, value(([id, column], environment) => sessionOf(environment).comment?.(oid(id), asNumber(column ?? null)) ?? null), 'the comment on a column', STABLE),
  nothing('shobj_description', ['oid', 'name'], TEXT, null, 'the comment on a shared object: there is none'),
  ...['pg_relation_size', 'pg_table_size', 'pg_total_relation_size'].map(name => scalar(name, ['regclass'], INT8, value(([id], environment) => sessionOf(environment).size?.(oid(id)) ?? null), 'bytes of a relation\'s files', VOLATILE)),
  nothing('pg_indexes_size', ['regclass'], INT8, 0n, 'there are no index files'),
  scalar('pg_size_pretty', ['int8'], TEXT, value(([size]) => prettySize(asBigInt(size ?? null))), 'a size with its unit'),
  scalar('pg_encoding_to_char', ['int4'], NAME, value(([code]) => ENCODINGS[asNumber(code ?? null)] ?? ''), 'the name of an encoding', STABLE),
  scalar('pg_char_to_encoding', ['name'], INT4, value(([name]) => Number(Object.entries(ENCODINGS).find(([, encoding]) => encoding === str(name).toUpperCase().replace('-', ''))?.[0] ?? -1)), 'the number of an encoding', STABLE),
  scalar('pg_client_encoding', [], NAME, value(() => 'UTF8'), 'the client\'s encoding', STABLE),
  scalar('getdatabaseencoding', [], NAME, value(() => 'UTF8'), 'the database\'s encoding', STABLE),
  scalar('pg_is_in_recovery', [], BOOL, value(() => false), 'not a standby', VOLATILE),
  scalar('pg_is_other_temp_schema', ['oid'], BOOL, value(() => false), 'there are no temporary schemas', STABLE),
  scalar('pg_my_temp_schema', [], OID, value(() => 0n), 'there are no temporary schemas', STABLE),
  scalar('pg_postmaster_start_time', [], TIMESTAMPTZ, value(() => started), 'when the server started', STABLE),
  scalar('pg_conf_load_time', [], TIMESTAMPTZ, value(() => started), 'when settings were read', STABLE),
  scalar('txid_current', [], INT8, value((_, environment) => environment.now / 1000n), 'a number for the transaction', STABLE),
  nothing('inet_server_addr', [], TEXT, null, 'the server\'s address is not told'),
  nothing('inet_client_addr', [], TEXT, null, 'the client\'s address is not told'),
  nothing('pg_get_serial_sequence', ['text', 'text'], TEXT, null, 'columns have no sequences'),
  nothing('pg_relation_is_publishable', ['regclass'], BOOL, false, 'there are no publications'),
  nothing('pg_database_size', ['name'], INT8, null, 'the size of a lake is not kept'),
  nothing('pg_database_size', ['oid'], INT8, null, 'the size of a lake is not kept'),
  nothing('pg_tablespace_size', ['name'], INT8, null, 'there are no tablespaces'),
  nothing('pg_tablespace_size', ['oid'], INT8, null, 'there are no tablespaces'),
  nothing('pg_describe_object', ['oid', 'oid', 'int4'], TEXT, null, 'dependencies are not kept'),
  nothing('pg_get_statisticsobjdef', ['oid'], TEXT, null, 'there are no statistics objects'),
  nothing('acldefault', ['"char"', 'oid'], { kind: 'array', element: TEXT }, null, 'privileges are not kept'),
  nothing('pg_tablespace_location', ['oid'], TEXT, '', 'there are no tablespaces'),
  nothing('pg_get_statisticsobjdef_columns', ['oid'], TEXT, null, 'there are no statistics objects'),
  nothing('pg_get_function_result', ['oid'], TEXT, null, 'functions are not described by object id'),
  nothing('pg_get_function_arguments', ['oid'], TEXT, null, 'functions are not described by object id'),
  nothing('pg_get_function_identity_arguments', ['oid'], TEXT, null, 'functions are not described by object id'),
  nothing('pg_get_function_sqlbody', ['oid'], TEXT, null, 'functions are not described by object id'),
  nothing('pg_get_partition_constraintdef', ['oid'], TEXT, null, 'partitions have no constraints'),
  ...privileges,
  nothing('pg_has_role', ['any', 'text'], BOOL, true, 'there is one role'),
  nothing('pg_has_role', ['any', 'any', 'text'], BOOL, true, 'there is one role'),
]
