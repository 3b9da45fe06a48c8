/** The catalog's objects by name and by object id, as they were when a statement began: what reg* values, `pg_get_indexdef` and `pg_table_is_visible` ask. */
import { formatType } from '../../function/system.ts'
import { allAggregates, allScalars, allWindowFunctions } from '../../function/table.ts'
import type { SessionInfo } from '../../function/body.ts'
import { TYPE_ENTRIES } from '../../oid.ts'
import type { TableName } from '../../plan.ts'
import { quoteIdentifier } from '../../text/quote.ts'
import type { ObjectKind, ObjectNames } from '../../text/settings.ts'
import type { RelationShape } from '../catalog.ts'
import { keyOid, relationOid, schemaOid } from './oids.ts'
import { allSchemas, allShapes, functionRows, keyName } from './pg-catalog.ts'
import type { SystemSession } from './system.ts'

/** A relation or the index of a primary key. */
interface Entry {
  readonly name: TableName
  readonly oid: number
  readonly shape: RelationShape
  readonly index: boolean
}

/** True when a statement may ask for the names of objects, so that they must be read before it runs: reading the whole catalog is not free. */
export function asksObjects(sql: string): boolean {
  return /reg(?:class|type|proc|namespace|oper|role)|pg_|(?:obj|col)_description|current_schema|format_type/i.test(sql)
}

export class Objects implements ObjectNames {
  readonly #entries = new Map<string, Entry>()
  readonly #byOid = new Map<bigint, Entry>()
  readonly #schemas = new Map<string, bigint>()
  readonly #path: readonly string[]
  /** Schemas of the search path that exist. */
  readonly searchPath: readonly string[]

  static async load(session: SystemSession): Promise<Objects> {
    return new Objects(await allSchemas(session), await allShapes(session), session.searchPath)
  }

  private constructor(schemas: readonly string[], shapes: readonly RelationShape[], searchPath: readonly string[]) {
    for (const schema of schemas) this.#schemas.set(schema, BigInt(schemaOid(schema)))
    this.searchPath = searchPath.filter(schema => this.#schemas.has(schema))
    this.#path = this.searchPath.includes('pg_catalog') ? this.searchPath : ['pg_catalog', ...this.searchPath]
    for (const shape of shapes) {
      this.#add({ name: shape.name, oid: relationOid(shape.name), shape, index: false })
      if (shape.key.length > 0) this.#add({ name: { schema: shape.name.schema, name: keyName(shape.name) }, oid: keyOid(shape.name), shape, index: true })
    }
  }

  #add(entry: Entry): void {
    const key = `${entry.name.schema}\0${entry.name.name}`
    if (!this.#entries.has(key)) this.#entries.set(key, entry)
    this.#byOid.set(BigInt(entry.oid), entry)
  }

  nameOf(kind: ObjectKind, oid: bigint): string | undefined {
    switch (kind) {
      case 'regclass': {
        const entry = this.#byOid.get(oid)
        return entry === undefined ? undefined : this.#shown(entry)
      }
      case 'regtype': {
        const name = formatType(oid, null)
        return name === '???' ? undefined : name
      }
      case 'regproc': return functions().names.get(oid)
      case 'regnamespace': {
        const found = [...this.#schemas].find(([, each]) => each === oid)
        return found === undefined ? undefined : quoteIdentifier(found[0])
      }
    }
  }

  oidOf(kind: ObjectKind, name: string): bigint | undefined {
    const path = partsOf(name), last = path?.at(-1)
    if (path === undefined || last === undefined) return undefined
    const schema = path.at(-2)
    switch (kind) {
      case 'regclass': {
        const entry = this.#find(schema, last)
        return entry === undefined ? undefined : BigInt(entry.oid)
      }
      case 'regtype': return schema === undefined || schema === 'pg_catalog' ? typeOids().get(name.toLowerCase().replace(/^pg_catalog\./, '')) ?? typeOids().get(last) : undefined
      case 'regproc': return schema === undefined || schema === 'pg_catalog' ? functions().oids.get(last) : undefined
      case 'regnamespace': return path.length === 1 ? this.#schemas.get(last) : undefined
    }
  }

  /** A relation's name, with its schema unless it is found without. */
  #shown({ name, oid }: Entry): string {
    return this.#find(undefined, name.name)?.oid === oid ? quoteIdentifier(name.name) : `${quoteIdentifier(name.schema)}.${quoteIdentifier(name.name)}`
  }

  #find(schema: string | undefined, name: string): Entry | undefined {
    for (const each of schema === undefined ? this.#path : [schema]) {
      const entry = this.#entries.get(`${each}\0${name}`)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  /** Undefined when it is no relation. */
  visible(oid: bigint): boolean | undefined {
    const entry = this.#byOid.get(oid)
    return entry === undefined ? undefined : this.#find(undefined, entry.name.name)?.oid === entry.oid
  }

  definition(what: string, oid: bigint, column: number): string | undefined {
    const entry = this.#byOid.get(oid)
    if (what === 'view') return entry?.shape.view === undefined ? undefined : `${entry.shape.view.sql};`
    if (entry === undefined || !entry.index) return undefined
    const { shape, name } = entry, columns = shape.key.map(quoteIdentifier)
    if (what === 'constraint') return `PRIMARY KEY (${columns.join(', ')})`
    if (what !== 'index') return undefined
    if (column > 0) return columns[column - 1] ?? ''
    return `CREATE UNIQUE INDEX ${quoteIdentifier(name.name)} ON ${quoteIdentifier(shape.name.schema)}.${quoteIdentifier(shape.name.name)} USING btree (${columns.join(', ')})`
  }

  comment(oid: bigint, column: number): string | undefined {
    const entry = this.#byOid.get(oid)
    return entry === undefined || entry.index || column !== 0 ? undefined : entry.shape.comment
  }
}

/** The session as functions see it. `set` is SET, as `set_config` does it. */
export function sessionInfo(session: SystemSession, objects: Objects | undefined, set: NonNullable<SessionInfo['set']>): SessionInfo {
  return {
    user: session.user, database: session.database, processId: session.backendPid, searchPath: objects?.searchPath ?? session.searchPath, setting: name => session.setting(name), set,
    ...(objects === undefined ? {} : { visible: (oid: bigint) => objects.visible(oid), definition: (what: string, oid: bigint, column: number) => objects.definition(what, oid, column), comment: (oid: bigint, column: number) => objects.comment(oid, column) }),
  }
}

/** The parts of a possibly qualified name, unquoted ones in lower case; undefined when it is none. */
function partsOf(text: string): string[] | undefined {
  const parts: string[] = [], pattern = /\s*(?:"((?:[^"]|"")+)"|([^\s".]+(?:\s+[^\s".]+)*))\s*(\.|$)/y
  while (pattern.lastIndex < text.length || parts.length === 0) {
    const match = pattern.exec(text)
    if (match === null) return undefined
    parts.push(match[1]?.replaceAll('""', '"') ?? (match[2] ?? '').toLowerCase())
    if (match[3] === '') return parts
  }
  return undefined
}

let types: ReadonlyMap<string, bigint> | undefined
/** Types by every name they have: `int4`, `integer`, `int`, and their arrays. */
function typeOids(): ReadonlyMap<string, bigint> {
  if (types !== undefined) return types
  const found = new Map<string, bigint>()
  for (let oid = 16n; oid < 4200n; oid++) {
    const name = formatType(oid, null)
    if (name !== '???' && !found.has(name)) found.set(name, oid)
  }
  for (const { name, oid, array } of TYPE_ENTRIES) {
    if (name !== 'char') found.set(name, BigInt(oid))
    if (array !== 0) { found.set(`_${name}`, BigInt(array)); found.set(`${name}[]`, BigInt(array)) }
  }
  for (const [alias, name] of Object.entries({ int: 'int4', float: 'float8', decimal: 'numeric', dec: 'numeric', char: 'bpchar', timestamp: 'timestamp', time: 'time' })) {
    for (const suffix of ['', '[]']) { const oid = found.get(name + suffix); if (oid !== undefined) found.set(alias + suffix, oid) }
  }
  return types = found
}

let procedures: { readonly names: ReadonlyMap<bigint, string>; readonly oids: ReadonlyMap<string, bigint> } | undefined
/** Functions by the object ids of pg_proc; a name of several functions means none of them. */
function functions(): NonNullable<typeof procedures> {
  if (procedures !== undefined) return procedures
  const names = new Map<bigint, string>(), oids = new Map<string, bigint | undefined>()
  for (const { oid, name } of functionRows(allScalars(), allAggregates(), allWindowFunctions())) {
    names.set(oid, quoteIdentifier(name))
    oids.set(name, oids.has(name) ? undefined : oid)
  }
  const single = new Map([...oids].flatMap(([name, oid]): [string, bigint][] => oid === undefined ? [] : [[name, oid]]))
  return procedures = { names, oids: single }
}
