/** pg_catalog: as much as clients ask for. */
import { arrayOf } from '../../datum.ts'
import type { AggregateFunction, ArgumentKind, ScalarFunction, WindowFunction } from '../../function/function.ts'
import { allAggregates, allCasts, allScalars, allWindowFunctions } from '../../function/table.ts'
import { lengthOf, modifierOf, oidOf, TYPE_ENTRIES, typeOfOid } from '../../oid.ts'
import type { TableName } from '../../plan.ts'
import type { Field, Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import type { RelationShape } from '../catalog.ts'
import { columns } from './columns.ts'
import { EMPTY_RELATIONS } from './empty-relations.ts'
import { DATABASE_OID, USER_OID, defaultOid, keyOid, relationOid, schemaOid } from './oids.ts'
import type { SystemRelation, SystemSession } from './system.ts'

/** The lake's tables, then the system relations, in every schema. */
export async function allShapes(session: SystemSession): Promise<RelationShape[]> {
  const shapes: RelationShape[] = []
  for (const schema of await session.catalog.schemas()) {
    for (const relation of await session.catalog.relations(schema)) {
      const shape = await session.catalog.shape(relation.name)
      if (shape !== undefined) shapes.push(shape)
    }
  }
  for (const [name, relation] of PG_CATALOG) shapes.push({ name: { schema: 'pg_catalog', name }, kind: 'system', columns: relation.columns, key: [], partitionedBy: [], options: {} })
  return shapes
}

export async function allSchemas(session: SystemSession): Promise<string[]> {
  return [...new Set([...await session.catalog.schemas(), 'pg_catalog', 'information_schema'])]
}

/** The lake's tables that have a primary key. */
async function keyed(session: SystemSession): Promise<RelationShape[]> {
  return (await allShapes(session)).filter(shape => shape.key.length > 0)
}

const int2s = (numbers: readonly number[]): Value => arrayOf(numbers)
const positions = (shape: RelationShape): number[] => shape.key.map(name => shape.columns.findIndex(field => field.name === name) + 1)
/** The name of the index, and of the constraint, that stand for a primary key. */
export const keyName = (name: TableName): string => `${name.name}_pkey`
const HEAP = 2n, BTREE = 403n
const big = (oid: number): bigint => BigInt(oid)

const CLASS = columns(`oid:oid relname:name relnamespace:oid reltype:oid reloftype:oid relowner:oid relam:oid relfilenode:oid reltablespace:oid relpages:int4 reltuples:float4 relallvisible:int4 reltoastrelid:oid relhasindex:bool
  relisshared:bool relpersistence:char relkind:char relnatts:int2 relchecks:int2 relhasrules:bool relhastriggers:bool relhassubclass:bool relrowsecurity:bool relforcerowsecurity:bool relispopulated:bool relreplident:char relispartition:bool
  relrewrite:oid relacl:text[]? reloptions:text[]? relpartbound:text?`)

function classRow(oid: number, name: string, schema: string, kind: string, attributes: number, indexed: boolean, options: readonly string[]): Value[] {
  return [big(oid), name, big(schemaOid(schema)), 0n, 0n, big(USER_OID), kind === 'i' ? BTREE : kind === 'v' ? 0n : HEAP, kind === 'v' ? 0n : big(oid), 0n, 0, -1, 0, 0n, indexed, false, 'p', kind, attributes, 0, false, false, false, false, false, true, 'd', false, 0n, null, options.length === 0 ? null : arrayOf(options), null]
}

function attributeRow(relation: number, field: Field, number: number): Value[] {
  const { type } = field
  return [big(relation), field.name, big(oidOf(type)), -1, lengthOf(type), number, type.kind === 'array' ? 1 : 0, -1, modifierOf(type), lengthOf(type) > 0 && lengthOf(type) <= 8, 'i', lengthOf(type) < 0 ? 'x' : 'p', '', !field.nullable, false, false, '', '', false, true, 0, type.kind === 'text' || type.kind === 'varchar' || type.kind === 'char' ? 100n : 0n, null, null, null, null]
}

/** A function as pg_proc shows it. */
interface FunctionRow { readonly oid: bigint; readonly name: string; readonly args: readonly bigint[]; readonly kind: 'f' | 'a' | 'w'; readonly strict: boolean; readonly volatility: string; readonly result: bigint }

const kindOid = (kind: ArgumentKind): bigint => big(TYPE_ENTRIES.find(entry => entry.kind === kind)?.oid ?? { anyelement: 2283, anyarray: 2277, array: 2277, anynonarray: 2776, anycompatible: 5077 }[String(kind)] ?? 2276)

/** The functions that have a name, operators and casts aside; numbered in their order. */
export function functionRows(scalars: Iterable<ScalarFunction>, aggregates: Iterable<AggregateFunction>, windows: Iterable<WindowFunction>): readonly FunctionRow[] {
  const rows: FunctionRow[] = [], add = (fn: ScalarFunction | AggregateFunction | WindowFunction, kind: 'f' | 'a' | 'w', strict: boolean, volatility: string): void => {
    if (/^[a-z_]\w*$/.test(fn.name)) rows.push({ oid: 100_000n + big(rows.length), name: fn.name, args: fn.args.map(kindOid), kind, strict, volatility, result: resultOid(fn) })
  }
  for (const fn of scalars) add(fn, 'f', fn.strict, fn.volatility.slice(0, 1))
  for (const fn of aggregates) add(fn, 'a', false, 'i')
  for (const fn of windows) add(fn, 'w', false, 'i')
  return rows
}

/** What a function returns for arguments without modifiers; 0 when that depends on more. */
function resultOid(fn: ScalarFunction | AggregateFunction | WindowFunction): bigint {
  try {
    return big(oidOf(fn.result(fn.args.map((kind): Type => typeOfOid(Number(kindOid(kind))) ?? { kind: 'text' }))))
  } catch {
    return 0n
  }
}

export const PG_CATALOG: ReadonlyMap<string, SystemRelation> = new Map<string, SystemRelation>([
  ['pg_namespace', {
    columns: columns('oid:oid nspname:name nspowner:oid nspacl:text[]?'),
    rows: async session => (await allSchemas(session)).map(name => [big(schemaOid(name)), name, big(USER_OID), null]),
  }],
  ['pg_class', {
    columns: CLASS,
    rows: async session => (await allShapes(session)).flatMap(shape => {
      const oid = relationOid(shape.name), options = Object.entries(shape.options).map(([key, value]) => `${key}=${value}`)
      const row = classRow(oid, shape.name.name, shape.name.schema, shape.kind === 'view' ? 'v' : 'r', shape.columns.length, shape.key.length > 0, options)
      return shape.key.length === 0 ? [row] : [row, classRow(keyOid(shape.name), keyName(shape.name), shape.name.schema, 'i', shape.key.length, false, [])]
    }),
  }],
  ['pg_attribute', {
    columns: columns(`attrelid:oid attname:name atttypid:oid attstattarget:int4 attlen:int2 attnum:int2 attndims:int4 attcacheoff:int4 atttypmod:int4 attbyval:bool attalign:char attstorage:char attcompression:char attnotnull:bool atthasdef:bool
      atthasmissing:bool attidentity:char attgenerated:char attisdropped:bool attislocal:bool attinhcount:int4 attcollation:oid attacl:text[]? attoptions:text[]? attfdwoptions:text[]? attmissingval:text?`),
    rows: async session => (await allShapes(session)).flatMap(shape => [
      ...shape.columns.map((field, i) => attributeRow(relationOid(shape.name), field, i + 1)),
      ...shape.key.flatMap((name, i) => { const field = shape.columns.find(each => each.name === name); return field === undefined ? [] : [attributeRow(keyOid(shape.name), field, i + 1)] }),
    ]),
  }],
  ['pg_type', {
    columns: columns(`oid:oid typname:name typnamespace:oid typowner:oid typlen:int2 typbyval:bool typtype:char typcategory:char typispreferred:bool typisdefined:bool typdelim:char typrelid:oid typsubscript:text typelem:oid typarray:oid
      typinput:text typoutput:text typreceive:text typsend:text typmodin:text typmodout:text typanalyze:text typalign:char typstorage:char typnotnull:bool typbasetype:oid typtypmod:int4 typndims:int4 typcollation:oid typdefaultbin:text? typdefault:text? typacl:text[]?`),
    rows: () => TYPE_ENTRIES.flatMap(entry => {
      const row = (oid: number, name: string, length: number, category: string, element: number, array: number): Value[] => [big(oid), name, 11n, big(USER_OID), length, length > 0 && length <= 8, entry.category === 'P' || entry.category === 'X' ? 'p' : 'b', category, ['bool', 'float8', 'text', 'timestamptz', 'interval', 'oid'].includes(name), true, ',', 0n, element === 0 ? '-' : 'array_subscript_handler', big(element), big(array), `${name}in`, `${name}out`, element === 0 ? `${name}recv` : 'array_recv', element === 0 ? `${name}send` : 'array_send', '-', '-', '-', 'i', length < 0 ? 'x' : 'p', false, 0n, -1, 0, entry.category === 'S' ? 100n : 0n, null, null, null]
      const base = row(entry.oid, entry.name, entry.length, entry.category, 0, entry.array)
      return entry.array === 0 ? [base] : [base, row(entry.array, `_${entry.name}`, -1, 'A', entry.oid, 0)]
    }),
  }],
  ['pg_database', {
    columns: columns('oid:oid datname:name datdba:oid encoding:int4 datlocprovider:char datistemplate:bool datallowconn:bool datconnlimit:int4 datfrozenxid:int8 datminmxid:int8 dattablespace:oid datcollate:text datctype:text daticulocale:text? datcollversion:text? datacl:text[]?'),
    rows: session => [[big(DATABASE_OID), session.database, big(USER_OID), 6, 'c', false, true, -1, 0n, 0n, 1663n, 'C', 'C', null, null, null]],
  }],
  ['pg_roles', {
    columns: columns('rolname:name rolsuper:bool rolinherit:bool rolcreaterole:bool rolcreatedb:bool rolcanlogin:bool rolreplication:bool rolconnlimit:int4 rolpassword:text? rolvaliduntil:timestamptz? rolbypassrls:bool rolconfig:text[]? oid:oid'),
    rows: session => [[session.user, true, true, true, true, true, false, -1, '********', null, true, null, big(USER_OID)]],
  }],
  ['pg_user', {
    columns: columns('usename:name usesysid:oid usecreatedb:bool usesuper:bool userepl:bool usebypassrls:bool passwd:text? valuntil:timestamptz? useconfig:text[]?'),
    rows: session => [[session.user, big(USER_OID), true, true, false, true, '********', null, null]],
  }],
  ['pg_index', {
    columns: columns('indexrelid:oid indrelid:oid indnatts:int2 indnkeyatts:int2 indisunique:bool indnullsnotdistinct:bool indisprimary:bool indisexclusion:bool indimmediate:bool indisclustered:bool indisvalid:bool indcheckxmin:bool indisready:bool indislive:bool indisreplident:bool indkey:int2[] indcollation:oid[] indclass:oid[] indoption:int2[] indexprs:text? indpred:text?'),
    rows: async session => (await keyed(session)).map(shape => [big(keyOid(shape.name)), big(relationOid(shape.name)), shape.key.length, shape.key.length, true, false, true, false, true, false, true, false, true, true, false, int2s(positions(shape)), arrayOf(shape.key.map(() => 0n)), arrayOf(shape.key.map(() => 0n)), int2s(shape.key.map(() => 0)), null, null]),
  }],
  ['pg_constraint', {
    columns: columns(`oid:oid conname:name connamespace:oid contype:char condeferrable:bool condeferred:bool convalidated:bool conrelid:oid contypid:oid conindid:oid conparentid:oid confrelid:oid confupdtype:char confdeltype:char confmatchtype:char conislocal:bool coninhcount:int4
      connoinherit:bool conkey:int2[]? confkey:int2[]? conpfeqop:oid[]? conppeqop:oid[]? conffeqop:oid[]? confdelsetcols:int2[]? conexclop:oid[]? conbin:text?`),
    rows: async session => (await keyed(session)).map(shape => [big(keyOid(shape.name)), keyName(shape.name), big(schemaOid(shape.name.schema)), 'p', false, false, true, big(relationOid(shape.name)), 0n, big(keyOid(shape.name)), 0n, 0n, ' ', ' ', ' ', true, 0, true, int2s(positions(shape)), null, null, null, null, null, null, null]),
  }],
  ['pg_attrdef', {
    columns: columns('oid:oid adrelid:oid adnum:int2 adbin:text'),
    rows: async session => (await allShapes(session)).flatMap(shape => shape.columns.flatMap((field, i) => shape.defaults?.has(field.name) === true ? [[big(defaultOid(shape.name, field.name)), big(relationOid(shape.name)), i + 1, String(shape.defaults.get(field.name))]] : [])),
  }],
  ['pg_description', {
    columns: columns('objoid:oid classoid:oid objsubid:int4 description:text'),
    rows: async session => (await allShapes(session)).flatMap(shape => shape.comment === undefined ? [] : [[big(relationOid(shape.name)), 1259n, 0, shape.comment]]),
  }],
  ['pg_am', { columns: columns('oid:oid amname:name amhandler:text amtype:char'), rows: () => [[HEAP, 'heap', 'heap_tableam_handler', 't'], [BTREE, 'btree', 'bthandler', 'i']] }],
  ['pg_settings', {
    columns: columns('name:text setting:text unit:text? category:text short_desc:text extra_desc:text? context:text vartype:text source:text min_val:text? max_val:text? enumvals:text[]? boot_val:text? reset_val:text? sourcefile:text? sourceline:int4? pending_restart:bool'),
    rows: session => session.settings().map(({ name, value, about }) => [name, value, null, 'Sluice', about, null, 'user', 'string', 'default', null, null, null, value, value, null, null, false]),
  }],
  ['pg_proc', {
    columns: columns('oid:oid proname:name pronamespace:oid proowner:oid prolang:oid procost:float4 prorows:float4 provariadic:oid prosupport:text prokind:char prosecdef:bool proleakproof:bool proisstrict:bool proretset:bool provolatile:char proparallel:char pronargs:int2 pronargdefaults:int2 prorettype:oid proargtypes:oid[] proallargtypes:oid[]? proargmodes:text[]? proargnames:text[]? proargdefaults:text? protrftypes:oid[]? prosrc:text probin:text? prosqlbody:text? proconfig:text[]? proacl:text[]?'),
    rows: () => functionRows(allScalars(), allAggregates(), allWindowFunctions()).map(({ oid, name, args, kind, strict, volatility, result }): Value[] =>
      [oid, name, 11n, big(USER_OID), 12n, 1, 0, 0n, '-', kind, false, false, strict, false, volatility, 's', args.length, 0, result, arrayOf(args), null, null, null, null, null, name, null, null, null, null]),
  }],
  ['pg_tables', {
    columns: columns('schemaname:name tablename:name tableowner:name tablespace:name? hasindexes:bool hasrules:bool hastriggers:bool rowsecurity:bool'),
    rows: async session => (await allShapes(session)).filter(shape => shape.kind !== 'view').map(shape => [shape.name.schema, shape.name.name, session.user, null, shape.key.length > 0, false, false, false]),
  }],
  ['pg_collation', { columns: columns('oid:oid collname:name collnamespace:oid collowner:oid collprovider:char collisdeterministic:bool collencoding:int4 collcollate:text? collctype:text? colliculocale:text? collversion:text?'), rows: () => [[100n, 'default', 11n, 10n, 'd', true, -1, null, null, null, null], [950n, 'C', 11n, 10n, 'c', true, -1, 'C', 'C', null, null]] }],
  ['pg_tablespace', { columns: columns('oid:oid spcname:name spcowner:oid spcacl:text[]? spcoptions:text[]?'), rows: () => [[1663n, 'pg_default', 10n, null, null]] }],
  ['pg_language', { columns: columns('oid:oid lanname:name lanowner:oid lanispl:bool lanpltrusted:bool lanplcallfoid:oid laninline:oid lanvalidator:oid lanacl:text[]?'), rows: () => [[12n, 'internal', 10n, false, false, 0n, 0n, 0n, null]] }],
  ['pg_views', {
    columns: columns('schemaname:name viewname:name viewowner:name definition:text'),
    rows: async session => (await allShapes(session)).flatMap(({ name, view }) => view === undefined ? [] : [[name.schema, name.name, session.user, `${view.sql};`]]),
  }],
  ['pg_authid', {
    columns: columns('oid:oid rolname:name rolsuper:bool rolinherit:bool rolcreaterole:bool rolcreatedb:bool rolcanlogin:bool rolreplication:bool rolbypassrls:bool rolconnlimit:int4 rolpassword:text? rolvaliduntil:timestamptz?'),
    rows: session => [[big(USER_OID), session.user, true, true, true, true, true, false, true, -1, null, null]],
  }],
  ['pg_cast', {
    columns: columns('oid:oid castsource:oid casttarget:oid castfunc:oid castcontext:char castmethod:char'),
    rows: () => [...allCasts()].flatMap(({ from, to, context, fn }, i): Value[][] => {
      const source = TYPE_ENTRIES.find(entry => entry.kind === from)?.oid, target = TYPE_ENTRIES.find(entry => entry.kind === to)?.oid
      return source === undefined || target === undefined || source === target ? [] : [[200_000n + big(i), big(source), big(target), 0n, context.slice(0, 1), fn === undefined ? 'b' : 'f']]
    }),
  }],
  ['pg_operator', {
    columns: columns('oid:oid oprname:name oprnamespace:oid oprowner:oid oprkind:char oprcanmerge:bool oprcanhash:bool oprleft:oid oprright:oid oprresult:oid oprcom:oid oprnegate:oid oprcode:text oprrest:text oprjoin:text'),
    rows: () => [...allScalars()].filter(fn => /^[-+*\/<>=~!@#%^&|`?]+$/.test(fn.name)).map((fn, i): Value[] => {
      const [left, right] = fn.args.length === 1 ? [0n, kindOid(fn.args[0] ?? 'any')] : [kindOid(fn.args[0] ?? 'any'), kindOid(fn.args[1] ?? 'any')]
      return [300_000n + big(i), fn.name, 11n, big(USER_OID), fn.args.length === 1 ? 'l' : 'b', false, fn.name === '=', left, right, resultOid(fn), 0n, 0n, '-', '-', '-']
    }),
  }],
  ...EMPTY_RELATIONS,
])
