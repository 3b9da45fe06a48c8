/** information_schema: the standard's views of tables and columns. */
import { TYPE_ENTRIES } from '../../oid.ts'
import { typeName } from '../../type.ts'
import type { Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import { columns } from './columns.ts'
import { allSchemas, allShapes } from './pg-catalog.ts'
import type { SystemRelation } from './system.ts'

/** A type's name without its modifiers, as the standard's data_type. */
function dataType(type: Type): string {
  switch (type.kind) {
    case 'array': return 'ARRAY'
    case 'char': return 'character'
    case 'numeric': return 'numeric'
    case 'varchar': return 'character varying'
    case 'time': case 'timestamp': return `${type.kind} without time zone`
    case 'timetz': case 'timestamptz': return `${type.kind.slice(0, -2)} with time zone`
    default: return typeName(type)
  }
}

const udtName = (type: Type): string => type.kind === 'array' ? `_${udtName(type.element)}` : TYPE_ENTRIES.find(entry => entry.kind === type.kind)?.name ?? type.kind

function precision(type: Type): readonly [Value, Value, Value] {
  switch (type.kind) {
    case 'int2': return [16, 2, 0]
    case 'int4': return [32, 2, 0]
    case 'int8': return [64, 2, 0]
    case 'float4': return [24, 2, null]
    case 'float8': return [53, 2, null]
    case 'numeric': return [type.precision ?? null, 10, type.precision === undefined ? null : type.scale ?? 0]
    default: return [null, null, null]
  }
}

export const INFORMATION_SCHEMA: ReadonlyMap<string, SystemRelation> = new Map<string, SystemRelation>([
  ['schemata', {
    columns: columns('catalog_name:name schema_name:name schema_owner:name default_character_set_catalog:name? default_character_set_schema:name? default_character_set_name:name? sql_path:varchar?'),
    rows: async session => (await allSchemas(session)).map(schema => [session.database, schema, session.user, null, null, null, null]),
  }],
  ['tables', {
    columns: columns('table_catalog:name table_schema:name table_name:name table_type:varchar self_referencing_column_name:name? reference_generation:varchar? user_defined_type_catalog:name? user_defined_type_schema:name? user_defined_type_name:name? is_insertable_into:varchar is_typed:varchar commit_action:varchar?'),
    rows: async session => (await allShapes(session)).map(shape => [session.database, shape.name.schema, shape.name.name, shape.kind === 'view' ? 'VIEW' : 'BASE TABLE', null, null, null, null, null, shape.kind === 'table' ? 'YES' : 'NO', 'NO', null]),
  }],
  ['views', { columns: columns('table_catalog:name table_schema:name table_name:name view_definition:varchar? check_option:varchar is_updatable:varchar is_insertable_into:varchar'), rows: async session => (await allShapes(session)).flatMap(({ name, view }) => view === undefined ? [] : [[session.database, name.schema, name.name, `${view.sql};`, 'NONE', 'NO', 'NO']]) }],
  ['columns', {
    columns: columns(`table_catalog:name table_schema:name table_name:name column_name:name ordinal_position:int4 column_default:varchar? is_nullable:varchar data_type:varchar character_maximum_length:int4? character_octet_length:int4? numeric_precision:int4? numeric_precision_radix:int4?
      numeric_scale:int4? datetime_precision:int4? interval_type:varchar? udt_catalog:name udt_schema:name udt_name:name is_identity:varchar is_generated:varchar is_updatable:varchar`),
    rows: async session => (await allShapes(session)).flatMap(shape => shape.columns.map((field, i): Value[] => {
      const { type } = field, length = (type.kind === 'varchar' || type.kind === 'char') && type.length !== undefined ? type.length : null
      const time = type.kind === 'time' || type.kind === 'timetz' || type.kind === 'timestamp' || type.kind === 'timestamptz' ? type.precision ?? 6 : type.kind === 'date' ? 0 : null
      const fallback = shape.defaults?.get(field.name)
      return [session.database, shape.name.schema, shape.name.name, field.name, i + 1, fallback === undefined ? null : String(fallback), field.nullable ? 'YES' : 'NO', dataType(type), length, length === null ? null : Math.min(4 * length, 2 ** 31 - 1), ...precision(type), time, null, session.database, 'pg_catalog', udtName(type), 'NO', 'NEVER', shape.kind === 'table' ? 'YES' : 'NO']
    })),
  }],
  ['table_constraints', {
    columns: columns('constraint_catalog:name constraint_schema:name constraint_name:name table_catalog:name table_schema:name table_name:name constraint_type:varchar is_deferrable:varchar initially_deferred:varchar enforced:varchar'),
    rows: async session => (await allShapes(session)).filter(shape => shape.key.length > 0).map(shape => [session.database, shape.name.schema, `${shape.name.name}_pkey`, session.database, shape.name.schema, shape.name.name, 'PRIMARY KEY', 'NO', 'NO', 'YES']),
  }],
  ['key_column_usage', {
    columns: columns('constraint_catalog:name constraint_schema:name constraint_name:name table_catalog:name table_schema:name table_name:name column_name:name ordinal_position:int4 position_in_unique_constraint:int4?'),
    rows: async session => (await allShapes(session)).flatMap(shape => shape.key.map((column, i) => [session.database, shape.name.schema, `${shape.name.name}_pkey`, session.database, shape.name.schema, shape.name.name, column, i + 1, null])),
  }],
])
