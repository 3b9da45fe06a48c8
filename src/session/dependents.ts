/** What would break when a relation is dropped: the views whose queries name it. */
import { SqlError } from '../error.ts'
import type { TableName } from '../plan.ts'
import type { RelationShape } from '../storage/catalog.ts'
import { relationsOfView } from './binding.ts'
import type { Session } from './session.ts'

const same = (a: TableName, b: TableName): boolean => a.schema === b.schema && a.name === b.name

/** A view, and what its query names. */
interface Use {
  readonly view: TableName
  readonly uses: readonly TableName[]
}

async function allUses(session: Session): Promise<readonly Use[]> {
  const { catalog } = session.engine, found: Use[] = []
  for (const schema of await catalog.schemas()) {
    for (const { name, kind } of await catalog.relations(schema)) {
      if (kind !== 'view' || session.current.isDropped(name)) continue
      const shape = await catalog.shape(name)
      if (shape?.view !== undefined) found.push({ view: name, uses: await relationsOfView(session, shape.view) })
    }
  }
  return found
}

/** Views that name one of the relations, or a view that does, and are not among them. Nearest first, with what each depends on. */
async function dependencies(session: Session, names: readonly TableName[]): Promise<readonly { readonly view: TableName; readonly on: TableName }[]> {
  const uses = await allUses(session), found: { view: TableName; on: TableName }[] = []
  const known = [...names]
  for (const name of known) {
    for (const { view, uses: named } of uses) {
      if (!named.some(each => same(each, name)) || known.some(each => same(each, view))) continue
      found.push({ view, on: name })
      known.push(view)
    }
  }
  return found
}

/** The views that cannot be without these relations. */
export async function dependents(session: Session, names: readonly TableName[]): Promise<readonly TableName[]> {
  return (await dependencies(session, names)).map(({ view }) => view)
}

/** Drops the views that depend on what is dropped, with a notice; without `cascade`, 2BP01 when there is any. */
export async function dropWithDependents(session: Session, shapes: readonly RelationShape[], cascade: boolean): Promise<void> {
  if (shapes.length === 0) return
  const found = await dependencies(session, shapes.map(shape => shape.name))
  const [first] = found
  if (first === undefined) return
  const kindOf = (name: TableName): string => shapes.find(shape => same(shape.name, name))?.kind ?? 'view'
  if (!cascade) {
    const [only, ...more] = shapes
    throw new SqlError('2BP01', more.length > 0 ? 'cannot drop desired object(s) because other objects depend on them' : `cannot drop ${only?.kind ?? 'table'} ${only?.name.name ?? ''} because other objects depend on it`, {
      detail: found.map(({ view, on }) => `view ${view.name} depends on ${kindOf(on)} ${on.name}`).join('\n'), hint: 'Use DROP ... CASCADE to drop the dependent objects too.',
    })
  }
  session.notice({ severity: 'NOTICE', code: '00000', message: found.length === 1 ? `drop cascades to view ${first.view.name}` : `drop cascades to ${found.length} other objects` })
  for (const { view } of found) dropView(session, view)
}

/** Drops a view at COMMIT; for this transaction it is gone already. */
export function dropView(session: Session, name: TableName): void {
  session.current.drop(name, () => session.engine.catalog.dropView(name))
}
