/**
 * A lake as a catalog: Paimon tables, and folders of loose Parquet files beside them. A folder `x.db/t` without a Paimon schema, or a folder `t` at the top (which
 * is in schema `public`), is a table when there are Parquet files in it.
 */
import { SqlError, unsupported } from '../error.ts'
import type { TableName } from '../plan.ts'
import { compareText } from '../text/settings.ts'
import type { Catalog, LakeCatalog, Relation, RelationShape, TableDefinition, ViewDefinition } from './catalog.ts'
import { FolderHistory, isFolderTable, openFolderTable } from './folder.ts'
import { openPaimonCatalog } from './paimon/catalog.ts'
import { FooterCache } from './read.ts'
import type { ObjectStore } from './store.ts'
import type { Buffers, Table } from './table.ts'
import { readView, removeView, viewNames, writeView } from './view-file.ts'

/** The tables of the lake in this store. */
export async function openLake(store: ObjectStore, buffers?: Buffers): Promise<LakeCatalog> {
  return new Lake(store, openPaimonCatalog(store, buffers))
}

/** The schema of folders at the top of the lake. */
const TOP = 'public'

class Lake implements LakeCatalog {
  readonly #store: ObjectStore
  readonly #paimon: Catalog
  readonly #footers = new FooterCache(16_384) // all files of a folder are asked for their columns whenever it is opened
  /** What was seen of each folder, so that whoever follows it can be told what changed. */
  readonly #histories = new Map<string, FolderHistory>()

  constructor(store: ObjectStore, paimon: Catalog) {
    this.#store = store
    this.#paimon = paimon
  }

  async schemas(): Promise<readonly string[]> {
    const names = new Set(await this.#paimon.schemas())
    if (!names.has(TOP) && (await this.#folderTables(TOP)).length > 0) names.add(TOP)
    return [...names].sort(compareText)
  }

  async relations(schema: string): Promise<readonly Relation[]> {
    const relations = await this.#paimon.relations(schema)
    const known = new Set(relations.map(relation => relation.name.name))
    const folders = (await this.#folderTables(schema)).filter(name => !known.has(name))
    const views = isName(schema) ? await viewNames(this.#store, schema) : []
    return [...relations, ...folders.map((name): Relation => ({ name: { schema, name }, kind: 'table' })), ...views.map((name): Relation => ({ name: { schema, name }, kind: 'view' }))].sort((a, b) => compareText(a.name.name, b.name.name))
  }

  async table(name: TableName): Promise<Table | undefined> {
    return await this.#paimon.table(name) ?? await this.#folderTable(name)
  }

  async shape(name: TableName): Promise<RelationShape | undefined> {
    // a name is mostly looked up in a schema that the lake does not have, first
    if (!isName(name.schema) || await this.#store.stat(`${name.schema}.db/`) !== undefined) {
      const shape = await this.#paimon.shape(name)
      if (shape !== undefined) return shape
      if (!isName(name.schema) || !isViewName(name.name)) return undefined
      const view = await readView(this.#store, name)
      if (view !== undefined) return view
    }
    const table = await this.#folderTable(name)
    return table === undefined ? undefined : { name, kind: 'table', columns: table.schema, key: [], partitionedBy: [], options: {} }
  }

  createSchema(name: string): Promise<void> { return this.#paimon.createSchema(name) }
  dropSchema(name: string, cascade: boolean): Promise<void> { return this.#paimon.dropSchema(name, cascade) }

  async createTable(definition: TableDefinition): Promise<Table> {
    const { name } = definition
    if (await this.#folderOf(name) !== undefined || (isName(name.schema) && isViewName(name.name) && await readView(this.#store, name) !== undefined)) throw new SqlError('42P07', `relation "${name.name}" already exists`, { table: name.name, schema: name.schema })
    return this.#paimon.createTable(definition)
  }

  async dropTable(name: TableName): Promise<void> {
    if (await this.#paimon.shape(name) === undefined && await this.#folderOf(name) !== undefined) {
      throw unsupported(`dropping table "${name.name}", a folder of files that are not ours,`, { table: name.name, schema: name.schema, hint: 'Remove the folder.' })
    }
    return this.#paimon.dropTable(name)
  }

  async createView(definition: ViewDefinition, replace: boolean): Promise<void> {
    const { name } = definition
    if (!isViewName(name.name)) throw new SqlError('42602', `invalid name: "${name.name}"`, { detail: 'Names of views are names of files, without slashes and "$".' })
    // a folder that is no Paimon schema can have no views
    if (!(await this.#paimon.schemas()).includes(name.schema)) throw new SqlError('3F000', `schema "${name.schema}" does not exist`, { schema: name.schema })
    const shape = await this.shape(name)
    if ((shape !== undefined && (shape.kind !== 'view' || !replace)) || !await writeView(this.#store, definition, replace)) throw new SqlError('42P07', `relation "${name.name}" already exists`, { table: name.name, schema: name.schema })
  }

  async dropView(name: TableName): Promise<void> {
    if (!isName(name.schema) || !isViewName(name.name) || !await removeView(this.#store, name)) throw new SqlError('42P01', `view "${name.name}" does not exist`, { table: name.name, schema: name.schema })
  }

  async #folderTable(name: TableName): Promise<Table | undefined> {
    const folder = await this.#folderOf(name)
    if (folder === undefined) return undefined
    let history = this.#histories.get(folder)
    if (history === undefined) this.#histories.set(folder, history = new FolderHistory())
    return openFolderTable(this.#store, folder, name, this.#footers, history)
  }

  /** The folder of a folder table; undefined when there is none of this name. */
  async #folderOf({ schema, name }: TableName): Promise<string | undefined> {
    if (!isName(schema) || !isName(name)) return undefined
    for (const folder of [`${schema}.db/${name}/`, ...(schema === TOP && !name.endsWith('.db') ? [`${name}/`] : [])]) {
      if (await this.#isTable(folder)) return folder
    }
    return undefined
  }

  async #folderTables(schema: string): Promise<readonly string[]> {
    if (!isName(schema)) return []
    const names = new Set<string>()
    for (const parent of [`${schema}.db/`, ...(schema === TOP ? [''] : [])]) {
      for (const { path } of await this.#store.list(parent)) {
        if (!path.endsWith('/')) continue
        const name = path.slice(parent.length, -1)
        if (isName(name) && !(parent === '' && name.endsWith('.db')) && await this.#isTable(path)) names.add(name)
      }
    }
    return [...names]
  }

  /** A folder with Parquet files that no table format has put there. */
  async #isTable(folder: string): Promise<boolean> {
    if (await this.#store.stat(folder) === undefined) return false
    for (const mark of ['schema/', '_delta_log/', 'metadata/', '.hoodie/']) if (await this.#store.stat(folder + mark) !== undefined) return false
    return isFolderTable(this.#store, folder)
  }
}

/** Names of files that can be views. */
function isViewName(name: string): boolean {
  return name !== '' && !/[/\\$\0]/.test(name)
}

/** Names of folders that can be tables: not those that are hidden, nor those that lead elsewhere. */
function isName(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !name.startsWith('_') && !/[/\\$\0]/.test(name)
}
