/** How columns of a file, written under an older schema, become columns of the newest one: by field id. */
import { unsupported } from '../../error.ts'
import type { Field, Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import type { SplitColumn } from '../table.ts'
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
  const what = `column "${field.name}" of table ${table}`
  checkChange(what, source.type, field.type)
  const as = renamed(source.type, field.type)
  return { kind: 'file', name: source.name, field: out, ...(as === undefined ? {} : { as }) }
}

/** A partition column: the same in all rows of a file, known without reading it. */
export function constantColumn(field: PaimonField, out: Field, value: Value): SplitColumn {
  return { kind: 'constant', value: field.type.kind === 'CHAR' && typeof value === 'string' ? value.replace(/ +$/, '') : value, field: out }
}

/** Refuses (0A000) type changes whose values our coarser types would cast otherwise than Java does. */
function checkChange(what: string, from: PaimonType, to: PaimonType): void {
  const refused = (): Error => unsupported(`reading ${what}, written as ${paimonTypeText(from)}, as ${paimonTypeText(to)}`)
  switch (to.kind) {
    case 'TINYINT': if (from.kind !== 'TINYINT') throw refused(); return
    case 'BINARY': case 'VARBINARY': if ((from.kind === 'VARCHAR' || from.kind === 'CHAR') && to.kind === 'VARBINARY' && to.length === 2147483647) return; if ((from.kind !== 'BINARY' && from.kind !== 'VARBINARY') || from.length > to.length || (to.kind === 'BINARY' && from.length !== to.length)) throw refused(); return
    case 'MULTISET': if (from.kind !== 'MULTISET') throw refused(); checkChange(`the elements of ${what}`, from.element, to.element); return
    case 'ARRAY': if (from.kind !== 'ARRAY') throw refused(); checkChange(`the elements of ${what}`, from.element, to.element); return
    case 'MAP':
      if (from.kind !== 'MAP') throw refused()
      checkChange(`the keys of ${what}`, from.key, to.key)
      checkChange(`the values of ${what}`, from.value, to.value)
      return
    case 'ROW':
      if (from.kind !== 'ROW') throw refused()
      for (const field of to.fields) {
        const source = from.fields.find(candidate => candidate.id === field.id)
        if (source !== undefined) checkChange(`field "${field.name}" of ${what}`, source.type, field.type)
      }
      return
    default: if ((from.kind === 'TIMESTAMP_LTZ') !== (to.kind === 'TIMESTAMP_LTZ')) throw refused()
  }
}

/** The old type with the names that nested fields of the same ids have now, a name of its own for each that is gone; undefined when no name changes. */
function renamed(from: PaimonType, to: PaimonType): Type | undefined {
  return hasRow(from) && paimonTypeText(from) !== paimonTypeText(to) ? withNames(from, to) : undefined
}

function hasRow(type: PaimonType): boolean {
  switch (type.kind) {
    case 'ROW': return true
    case 'ARRAY': case 'MULTISET': return hasRow(type.element)
    case 'MAP': return hasRow(type.key) || hasRow(type.value)
    default: return false
  }
}

function withNames(from: PaimonType, to: PaimonType): Type {
  if (from.kind === 'ROW' && to.kind === 'ROW') {
    return { kind: 'row', fields: from.fields.map(field => {
      const now = to.fields.find(candidate => candidate.id === field.id)
      return { name: now?.name ?? `dropped ${field.id}`, type: now === undefined ? toSqlType(field.type) : withNames(field.type, now.type), nullable: field.type.nullable }
    }) }
  }
  if (from.kind === 'ARRAY' && to.kind === 'ARRAY') return { kind: 'array', element: withNames(from.element, to.element) }
  if (from.kind === 'MAP' && to.kind === 'MAP') return { kind: 'map', key: withNames(from.key, to.key), value: withNames(from.value, to.value) }
  return toSqlType(from)
}
