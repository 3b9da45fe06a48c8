/** CREATE VIEW: the text of a query under a name, kept in the lake. */
import { SqlError, unsupported } from '../error.ts'
import type { CreateView } from '../planner/statement-syntax.ts'
import type { RelationShape } from '../storage/catalog.ts'
import type { Field } from '../type.ts'
import { typeName } from '../type.ts'
import { bindQueryFor } from './binding.ts'
import { newName } from './define.ts'
import type { Session } from './session.ts'

/** Makes a view, to be taken back if the transaction rolls back; the tag. */
export async function createView(session: Session, statement: CreateView): Promise<string> {
  const { catalog } = session.engine
  refuse(statement)
  session.current.mayWrite('CREATE VIEW')
  const bound = await bindQueryFor(session, statement.query, [])
  if (bound.parameters.length > 0) throw new SqlError('42P02', 'there is no parameter $1')
  if (statement.columns.length > bound.fields.length) throw new SqlError('42601', 'CREATE VIEW specifies more column names than columns')
  const columns = bound.fields.map((field, i): Field => ({ name: statement.columns[i] ?? field.name, type: field.type.kind === 'unknown' ? { kind: 'text' } : field.type, nullable: true }))
  columns.forEach(({ name }, i) => { if (columns.findIndex(column => column.name === name) !== i) throw new SqlError('42701', `column "${name}" specified more than once`) })
  const name = await newName(session, statement.view), old = await catalog.shape(name)
  if (old !== undefined) {
    if (statement.replace) checkReplaced(old, columns)
    else if (statement.ifNotExists) {
      session.notice({ severity: 'NOTICE', code: '42P07', message: `relation "${name.name}" already exists, skipping` })
      return 'CREATE VIEW'
    } else throw new SqlError('42P07', `relation "${name.name}" already exists`)
  }
  for (const shape of bound.found.values()) {
    if (shape !== undefined && shape.name.schema === name.schema && shape.name.name === name.name) throw new SqlError('42P17', `infinite recursion detected in rules for relation "${name.name}"`)
  }
  await catalog.createView({ name, columns, view: { sql: statement.sql, searchPath: session.settings.searchPath }, ...(statement.comment === undefined ? {} : { comment: statement.comment }) }, statement.replace)
  session.current.defined(async () => {
    if (old?.view === undefined) await catalog.dropView(name)
    else await catalog.createView({ ...old, view: old.view }, true)
  })
  return 'CREATE VIEW'
}

function refuse(statement: CreateView): void {
  if (statement.materialized) throw unsupported('CREATE MATERIALIZED VIEW', { position: statement.at })
  if (statement.recursive) throw unsupported('CREATE RECURSIVE VIEW', { position: statement.at })
  if (statement.persistence !== 'permanent') throw unsupported(`CREATE ${statement.persistence.toUpperCase()} VIEW`, { position: statement.at })
  if (statement.checkOption !== undefined) throw unsupported('WITH CHECK OPTION', { position: statement.at })
  const [option] = statement.options
  if (option !== undefined) throw unsupported(`option ${option.key} of a view`, { position: option.at })
}

/** A view is replaced by one that has its columns, and perhaps more behind them: whoever reads it must not notice. */
function checkReplaced(old: RelationShape, columns: readonly Field[]): void {
  if (old.kind !== 'view') throw new SqlError('42809', `"${old.name.name}" is not a view`)
  if (columns.length < old.columns.length) throw new SqlError('42P16', 'cannot drop columns from view')
  old.columns.forEach((was, i) => {
    const is = columns[i] ?? was
    if (is.name !== was.name) throw new SqlError('42P16', `cannot change name of view column "${was.name}" to "${is.name}"`, { hint: 'Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.' })
    if (typeName(is.type) !== typeName(was.type)) throw new SqlError('42P16', `cannot change data type of view column "${was.name}" from ${typeName(was.type)} to ${typeName(is.type)}`)
  })
}
