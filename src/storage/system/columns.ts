/** Columns of the system relations, written as one line: `relname:name relkind:"char"? …`; `?` may be NULL, `[]` an array. */
import { InternalError } from '../../error.ts'
import type { Field, Type } from '../../type.ts'

const TYPES: Readonly<Record<string, Type>> = {
  oid: { kind: 'oid' }, name: { kind: 'name' }, char: { kind: '"char"' }, bool: { kind: 'bool' }, int2: { kind: 'int2' }, int4: { kind: 'int4' }, int8: { kind: 'int8' }, float4: { kind: 'float4' }, float8: { kind: 'float8' },
  text: { kind: 'text' }, regproc: { kind: 'regproc' }, timestamptz: { kind: 'timestamptz' }, varchar: { kind: 'varchar' }, interval: { kind: 'interval' },
}

export function columns(line: string): readonly Field[] {
  return line.split(/\s+/).filter(word => word !== '').map((word): Field => {
    const [, name = '', kind = '', array, open] = /^(\w+):(\w+)(\[\])?(\?)?$/.exec(word) ?? []
    const type = TYPES[kind]
    if (type === undefined) throw new InternalError(`no type ${word}`)
    return { name, type: array === undefined ? type : { kind: 'array', element: type }, nullable: open !== undefined }
  })
}
