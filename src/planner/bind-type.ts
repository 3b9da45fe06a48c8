/** Type names of SQL text as types. */
import { SqlError, unsupported } from '../error.ts'
import type { Field, Type } from '../type.ts'
import type { Expression, TypeName } from './syntax.ts'

const plain: Readonly<Record<string, Type>> = {
  bool: { kind: 'bool' }, boolean: { kind: 'bool' }, int2: { kind: 'int2' }, smallint: { kind: 'int2' }, tinyint: { kind: 'int2' }, int4: { kind: 'int4' }, int: { kind: 'int4' },
  integer: { kind: 'int4' }, int8: { kind: 'int8' }, bigint: { kind: 'int8' }, float4: { kind: 'float4' }, real: { kind: 'float4' }, float8: { kind: 'float8' },
  double: { kind: 'float8' }, text: { kind: 'text' }, string: { kind: 'text' }, bytea: { kind: 'bytea' }, bytes: { kind: 'bytea' }, date: { kind: 'date' }, uuid: { kind: 'uuid' },
  json: { kind: 'json' }, jsonb: { kind: 'jsonb' }, variant: { kind: 'jsonb' }, oid: { kind: 'oid' }, regclass: { kind: 'regclass' }, regtype: { kind: 'regtype' }, regproc: { kind: 'regproc' },
  regnamespace: { kind: 'regnamespace' }, name: { kind: 'name' }, char: { kind: '"char"' }, void: { kind: 'void' }, record: { kind: 'record' }, unknown: { kind: 'unknown' },
}

/** The modifiers of a type name: integer constants. */
function modifiersOf(name: TypeName): number[] {
  return name.modifiers.map((modifier: Expression) => {
    const value = modifier.kind === 'number' ? Number(modifier.text) : Number.NaN
    if (!Number.isInteger(value)) throw new SqlError('42601', 'type modifiers must be simple constants or identifiers', { position: name.at })
    return value
  })
}

function length(name: TypeName, what: 'varchar' | 'char'): Type {
  const [n, ...more] = modifiersOf(name)
  if (more.length > 0) throw new SqlError('22023', 'invalid type modifier', { position: name.at })
  if (n === undefined || n === 2147483647) return { kind: what }
  if (n < 1) throw new SqlError('22023', `length for type ${what === 'char' ? 'char' : 'varchar'} must be at least 1`, { position: name.at })
  if (n > 10485760) throw new SqlError('22023', `length for type ${what === 'char' ? 'char' : 'varchar'} cannot exceed 10485760`, { position: name.at })
  return { kind: what, length: n }
}

function numeric(name: TypeName): Type {
  const [precision, scale = 0, ...more] = modifiersOf(name)
  if (more.length > 0) throw new SqlError('22023', 'invalid NUMERIC type modifier', { position: name.at })
  if (precision === undefined) return { kind: 'numeric' }
  if (precision < 1 || precision > 1000) throw new SqlError('22023', `NUMERIC precision ${precision} must be between 1 and 1000`, { position: name.at })
  if (scale < -1000 || scale > 1000) throw new SqlError('22023', `NUMERIC scale ${scale} must be between -1000 and 1000`, { position: name.at })
  if (scale < 0 || scale > precision) throw unsupported(`a numeric type with scale ${scale} and precision ${precision}`, { position: name.at })
  return { kind: 'numeric', precision, scale }
}

function temporal(kind: 'time' | 'timetz' | 'timestamp' | 'timestamptz', name: TypeName): Type {
  const [precision] = modifiersOf(name)
  if (precision === undefined || precision >= 6) return { kind }
  if (precision < 0) throw new SqlError('22023', `${kind.toUpperCase()}(${precision}) precision must not be negative`, { position: name.at })
  return { kind, precision }
}

/** The type that a name means. 42704 when there is none. */
export function bindType(name: TypeName): Type {
  if (name.setOf) throw unsupported('SETOF', { position: name.at })
  let type = scalarType(name)
  for (let i = 0; i < name.dimensions; i++) if (i === 0) type = { kind: 'array', element: type }
  return type
}

function scalarType(name: TypeName): Type {
  const last = name.path[name.path.length - 1] ?? '', schema = name.path[name.path.length - 2]
  if (schema !== undefined && schema !== 'pg_catalog') throw noType(name)
  switch (last) {
    case 'numeric': case 'decimal': return numeric(name)
    case 'varchar': return length(name, 'varchar')
    case 'bpchar': return length(name, 'char')
    case 'time': case 'timetz': case 'timestamp': case 'timestamptz': return temporal(last, name)
    case 'timestamp_ltz': return temporal('timestamptz', name)
    case 'interval': {
      if (name.intervalFields !== undefined || name.modifiers.length > 0) throw unsupported(`the type interval ${name.intervalFields ?? 'with precision'}`, { position: name.at })
      return { kind: 'interval' }
    }
    case 'array': {
      const element = name.arguments?.[0]
      if (element !== undefined) return { kind: 'array', element: bindType(element) }
      break
    }
    case 'map': {
      const [key, value] = name.arguments ?? []
      if (key !== undefined && value !== undefined) return { kind: 'map', key: bindType(key), value: bindType(value) }
      break
    }
    case 'multiset': {
      const element = name.arguments?.[0]
      if (element !== undefined) return { kind: 'map', key: bindType(element), value: { kind: 'int4' } }
      break
    }
    case 'row': if (name.fields !== undefined) return { kind: 'row', fields: name.fields.map((field): Field => ({ name: field.name, type: bindType(field.type), nullable: !field.notNull })) }
  }
  const found = Object.hasOwn(plain, last) ? plain[last] : undefined
  if (found !== undefined) {
    if (name.modifiers.length > 0) throw new SqlError('42601', `type modifier is not allowed for type "${last}"`, { position: name.at })
    return found
  }
  if (last.startsWith('_') && Object.hasOwn(plain, last.slice(1))) return { kind: 'array', element: scalarType({ ...name, path: [last.slice(1)] }) }
  throw noType(name)
}

const noType = (name: TypeName): SqlError => new SqlError('42704', `type "${name.path.join('.')}" does not exist`, { position: name.at })
