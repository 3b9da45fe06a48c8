/** How columns of a file, written under an older schema, become columns of the newest one: by field id. */
import { unsupported } from '../../error.ts'
import type { Field } from '../../type.ts'
import type { Value } from '../../value.ts'
import type { Reshape, SplitColumn } from '../table.ts'
import type { PaimonSchema } from './schema.ts'
import { paimonTypeText, requireUnderstood, toSqlType } from './types.ts'
import type { PaimonField, PaimonType } from './types.ts'

/** The column as SQL shows it. */
export function sqlField(field: PaimonField, schema: PaimonSchema): Field {
  // an option lets columns become NOT NULL over data that is not
  const promised = schema.options['alter-column-null-to-not-null.disabled']?.toLowerCase() !== 'false' && schema.options['disable-alter-column-null-to-not-null']?.toLowerCase() !== 'false'
  return { name: field.name, type: toSqlType(field.type), nullable: field.type.nullable || !promised }
}

/** Where a column of the table is in a file of the schema `file`. */
export function columnFrom(table: string, field: PaimonField, out: Field, file: PaimonSchema): SplitColumn {
  requireUnderstood(table, field)
  const source = file.fields.find(candidate => candidate.id === field.id)
  if (source === undefined) return { kind: 'constant', value: null, field: { ...out, nullable: true } }
  const change = reshape(`column "${field.name}" of table ${table}`, source.type, field.type)
  return { kind: 'file', name: source.name, field: out, ...(change.kind === 'same' ? {} : { reshape: change }) }
}

/** A partition column: the same in all rows of a file, known without reading it. */
export function constantColumn(field: PaimonField, out: Field, value: Value): SplitColumn {
  return { kind: 'constant', value: field.type.kind === 'CHAR' && typeof value === 'string' ? value.replace(/ +$/, '') : value, field: out }
}

/** Refuses (0A000) type changes that need a cast which may lose something: those are not decided as Java does. */
function reshape(what: string, from: PaimonType, to: PaimonType): Reshape {
  const types = { from: toSqlType(from), to: toSqlType(to) }
  if (samePaimonType(from, to)) return { kind: 'same', ...types }
  if (from.kind === 'ROW' && to.kind === 'ROW') {
    return { kind: 'row', ...types, fields: to.fields.map(field => {
      const at = from.fields.findIndex(candidate => candidate.id === field.id), source = from.fields[at]
      return source === undefined ? undefined : { at, reshape: reshape(`field "${field.name}" of ${what}`, source.type, field.type) }
    }) }
  }
  if (from.kind === 'ARRAY' && to.kind === 'ARRAY') return { kind: 'array', ...types, element: reshape(`the elements of ${what}`, from.element, to.element) }
  if (from.kind === 'MAP' && to.kind === 'MAP') return { kind: 'map', ...types, key: reshape(`the keys of ${what}`, from.key, to.key), value: reshape(`the values of ${what}`, from.value, to.value) }
  if (!widens(from, to)) throw unsupported(`reading ${what}, written as ${paimonTypeText(from)}, as ${paimonTypeText(to)}`)
  return { kind: 'cast', ...types }
}

/** Equal but for nullability; names of row fields count, ids too. */
function samePaimonType(a: PaimonType, b: PaimonType): boolean {
  switch (a.kind) {
    case 'ROW': return b.kind === 'ROW' && a.fields.length === b.fields.length && a.fields.every((field, i) => {
      const other = b.fields[i]
      return other !== undefined && field.id === other.id && field.name === other.name && samePaimonType(field.type, other.type)
    })
    case 'ARRAY': case 'MULTISET': return b.kind === a.kind && samePaimonType(a.element, b.element)
    case 'MAP': return b.kind === 'MAP' && samePaimonType(a.key, b.key) && samePaimonType(a.value, b.value)
    default: return paimonTypeText(a) === paimonTypeText(b)
  }
}

const INTEGERS: readonly string[] = ['TINYINT', 'SMALLINT', 'INT', 'BIGINT']

/** True for casts that keep every value as it is and that every engine does alike. */
function widens(from: PaimonType, to: PaimonType): boolean {
  const integer = INTEGERS.indexOf(from.kind)
  if (integer >= 0) {
    if (INTEGERS.indexOf(to.kind) >= integer) return true
    if (to.kind === 'DOUBLE') return from.kind !== 'BIGINT'
    if (to.kind === 'DECIMAL') return to.precision - to.scale >= ([3, 5, 10, 19][integer] ?? 38)
    return isUnboundedText(to)
  }
  switch (from.kind) {
    case 'FLOAT': return to.kind === 'DOUBLE'
    case 'DECIMAL': return (to.kind === 'DECIMAL' && to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale) || isUnboundedText(to)
    case 'CHAR': case 'VARCHAR': return to.kind === 'VARCHAR' && to.length >= from.length
    case 'BINARY': case 'VARBINARY': return to.kind === 'VARBINARY' && to.length >= from.length
    case 'TIMESTAMP': case 'TIMESTAMP_LTZ': return to.kind === from.kind && to.precision >= from.precision
    case 'TIME': return to.kind === 'TIME' && to.precision >= from.precision
    case 'DATE': return to.kind === 'TIMESTAMP'
    default: return false
  }
}

function isUnboundedText(type: PaimonType): boolean {
  return type.kind === 'VARCHAR' && type.length === 2147483647
}
