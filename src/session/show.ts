/** SHOW of settings and of objects. */
import { SqlError, unsupported } from '../error.ts'
import type { ShowObjects } from '../planner/statement-syntax.ts'
import type { Schema } from '../type.ts'
import { quoteIdentifier } from '../text/quote.ts'
import { TEXT, typeName } from '../type.ts'
import type { Value } from '../value.ts'
import { rowsAnswer } from './answers.ts'
import { shapeOf } from './binding.ts'
import type { Answer } from './face.ts'
import type { Session } from './session.ts'

const text = (name: string): Schema[number] => ({ name, type: TEXT, nullable: true })

/** The columns of SHOW name. */
export function showSchema(name: string): Schema {
  return name === 'all' ? [text('name'), text('setting'), text('description')] : [text(name)]
}

export function showSetting(session: Session, name: string): Answer {
  if (name === 'all') return rowsAnswer(showSchema(name), session.settings.all().map(({ name, value, about }) => [name, value, about]), session.engine.memory, 'SHOW')
  const value = session.settings.need(name)
  return rowsAnswer([text(session.settings.spelled(name))], [[value]], session.engine.memory, 'SHOW')
}

/** The columns of SHOW TABLES and its like. */
export function objectSchema(what: string): Schema {
  switch (what) {
    case 'tables': case 'views': return [text('schema'), text('name')]
    case 'schemas': case 'databases': return [text('name')]
    case 'columns': return [text('name'), text('type'), text('nullable'), text('key')]
    case 'create table': return [text('name'), text('create_sql')]
    default: throw unsupported(`SHOW ${what.toUpperCase()}`, { hint: 'SHOW TABLES, VIEWS, SCHEMAS, COLUMNS FROM t and CREATE TABLE t exist.' })
  }
}

export async function showObjects(session: Session, statement: ShowObjects): Promise<Answer> {
  const { catalog, memory } = session.engine, schema = objectSchema(statement.what)
  const rows = await (async (): Promise<Value[][]> => {
    switch (statement.what) {
      case 'tables': case 'views': {
        const from = statement.from?.at(-1)
        if (from !== undefined && !(await catalog.schemas()).includes(from)) throw new SqlError('3F000', `schema "${from}" does not exist`, { position: statement.at })
        const found: Value[][] = []
        for (const name of from === undefined ? await catalog.schemas() : [from]) for (const relation of await catalog.relations(name)) if (statement.what === 'tables' || relation.kind === 'view') found.push([name, relation.name.name])
        return found
      }
      case 'schemas': case 'databases': return (await catalog.schemas()).map(name => [name])
      case 'columns': {
        const shape = await relation(session, statement)
        return shape.columns.map(field => [field.name, typeName(field.type), field.nullable ? 'YES' : 'NO', shape.key.includes(field.name) ? 'PRI' : ''])
      }
      default: {
        const shape = await relation(session, statement), quoted = quoteIdentifier
        if (shape.view !== undefined) return [[shape.name.name, `CREATE VIEW ${quoted(shape.name.schema)}.${quoted(shape.name.name)} (${shape.columns.map(field => quoted(field.name)).join(', ')}) AS ${shape.view.sql}`]]
        const columns = shape.columns.map(field => `  ${quoted(field.name)} ${typeName(field.type)}${field.nullable ? '' : ' NOT NULL'}`)
        if (shape.key.length > 0) columns.push(`  PRIMARY KEY (${shape.key.map(quoted).join(', ')}) NOT ENFORCED`)
        const options = Object.entries(shape.options).map(([key, value]) => `  '${key}' = '${value.replaceAll('\'', '\'\'')}'`)
        return [[shape.name.name, `CREATE TABLE ${quoted(shape.name.schema)}.${quoted(shape.name.name)} (\n${columns.join(',\n')}\n)${shape.partitionedBy.length > 0 ? ` PARTITIONED BY (${shape.partitionedBy.map(quoted).join(', ')})` : ''}${options.length > 0 ? ` WITH (\n${options.join(',\n')}\n)` : ''}`]]
      }
    }
  })()
  const pattern = statement.like === undefined ? undefined : new RegExp(`^${statement.like.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('%', '.*').replaceAll('_', '.')}$`, 's')
  const named = statement.what === 'tables' ? 1 : 0
  return rowsAnswer(schema, rows.filter(row => pattern === undefined || pattern.test(String(row[named]))), memory, n => `SHOW ${n}`)
}

async function relation(session: Session, statement: ShowObjects): Promise<NonNullable<Awaited<ReturnType<typeof shapeOf>>>> {
  const path = statement.from
  if (path === undefined) throw new SqlError('42601', `SHOW ${statement.what.toUpperCase()} needs a table`, { position: statement.at })
  const shape = await shapeOf(session, path)
  if (shape === undefined) throw new SqlError('42P01', `relation "${path.join('.')}" does not exist`, { position: statement.at })
  return shape
}
