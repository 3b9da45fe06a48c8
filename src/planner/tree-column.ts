/** The raw tree's columns and constraints of CREATE TABLE as our own syntax. */
import { as, child, flag, list, location, names, open, present, refuse, text, textOrNot } from './tree.ts'
import type { Reader, Tree } from './tree.ts'
import { readChild, readType } from './tree-expression.ts'
import { readTable } from './tree-query.ts'
import type { CreateTable, TableColumn, TableConstraint } from './statement-syntax.ts'

/** The parenthesised list of a CREATE TABLE. */
export interface TableElements {
  readonly columns: readonly TableColumn[]
  readonly constraints: readonly TableConstraint[]
  readonly like: CreateTable['like']
}

export function readElements(r: Reader, tree: Tree): TableElements {
  const columns: TableColumn[] = [], constraints: TableConstraint[] = [], like: CreateTable['like'][number][] = []
  for (const each of list(tree, 'tableElts')) {
    const { tag, tree: fields } = open(each)
    if (tag === 'ColumnDef') columns.push(readColumnDefinition(r, fields))
    else if (tag === 'Constraint') constraints.push(readConstraint(r, fields))
    else if (tag === 'TableLikeClause') {
      const table = readTable(r, child(fields, 'relation') ?? {})
      like.push({ path: table.path, including: fields['options'] === undefined ? [] : ['all'], at: table.at })
    } else throw refuse(r, fields, `${tag} in CREATE TABLE`)
  }
  return { columns, constraints, like }
}

function readColumnDefinition(r: Reader, tree: Tree): TableColumn {
  const type = child(tree, 'typeName'), collation = child(tree, 'collClause'), at = r.at(location(tree))
  let notNull = false, primaryKey = false, unique = false
  let more: Pick<TableColumn, 'default' | 'references' | 'computed' | 'identity'> = {}
  const check: { readonly name?: string; readonly expression: TableColumn['check'][number]['expression'] }[] = []
  for (const each of list(tree, 'constraints')) {
    const constraint = as(each, 'Constraint') ?? {}
    switch (text(constraint, 'contype')) {
      case 'CONSTR_NULL': break
      case 'CONSTR_NOTNULL': notNull = true; break
      case 'CONSTR_PRIMARY': primaryKey = true; break
      case 'CONSTR_UNIQUE': unique = true; break
      case 'CONSTR_DEFAULT': more = { ...more, default: readChild(r, constraint, 'raw_expr') }; break
      case 'CONSTR_CHECK': check.push({ ...present({ name: textOrNot(constraint, 'conname') }), expression: readChild(r, constraint, 'raw_expr') }); break
      case 'CONSTR_FOREIGN': more = { ...more, references: readTable(r, child(constraint, 'pktable') ?? {}).path }; break
      case 'CONSTR_GENERATED': more = { ...more, computed: readChild(r, constraint, 'raw_expr') }; break
      case 'CONSTR_IDENTITY': more = { ...more, identity: text(constraint, 'generated_when') === 'a' ? 'always' : 'by default' }; break
      case 'CONSTR_ATTR_DEFERRABLE': case 'CONSTR_ATTR_NOT_DEFERRABLE': case 'CONSTR_ATTR_DEFERRED': case 'CONSTR_ATTR_IMMEDIATE':
      case 'CONSTR_ATTR_ENFORCED': case 'CONSTR_ATTR_NOT_ENFORCED': break
      default: throw refuse(r, constraint, text(constraint, 'contype').replace('CONSTR_', ''))
    }
  }
  return {
    name: text(tree, 'colname'), ...present({ type: type === undefined ? undefined : readType(r, type) }), notNull, primaryKey, unique, check, ...more,
    ...present({ collation: collation === undefined ? undefined : names(collation, 'collname') }), at,
  }
}

function readConstraint(r: Reader, tree: Tree): TableConstraint {
  const at = r.at(location(tree)), name = textOrNot(tree, 'conname')
  const make = (kind: TableConstraint['kind'], columns: readonly string[], more: Pick<TableConstraint, 'expression' | 'references'> = {}): TableConstraint =>
    ({ kind, ...present({ name }), columns, ...more, notEnforced: flag(tree, 'skip_validation') && tree['is_enforced'] === undefined, at })
  switch (text(tree, 'contype')) {
    case 'CONSTR_PRIMARY': return make('primaryKey', names(tree, 'keys'))
    case 'CONSTR_UNIQUE': return make('unique', names(tree, 'keys'))
    case 'CONSTR_CHECK': return make('check', [], { expression: readChild(r, tree, 'raw_expr') })
    case 'CONSTR_FOREIGN': return make('foreignKey', names(tree, 'fk_attrs'), { references: readTable(r, child(tree, 'pktable') ?? {}).path })
    case 'CONSTR_EXCLUSION': return make('exclude', [])
    case 'CONSTR_NOTNULL': throw refuse(r, tree, 'NOT NULL as a table constraint')
    default: throw refuse(r, tree, text(tree, 'contype').replace('CONSTR_', ''))
  }
}
