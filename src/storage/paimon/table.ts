/** A Paimon table. Versions are its snapshots, by their decimal ids, and its tags, by their names. */
import { SqlError, invariant } from '../../error.ts'
import type { AsOf, TableName } from '../../plan.ts'
import type { Schema } from '../../type.ts'
import type { Buffers, FileSplit, ScanStats, Table, TableWriter, Version, Want } from '../table.ts'
import { changeSplits } from './changes.ts'
import { sqlField } from './evolution.ts'
import { tableOptions } from './options.ts'
import { Pruner } from './pruning.ts'
import { snapshotSplits } from './scan.ts'
import type { PaimonSchema } from './schema.ts'
import type { Snapshot } from './snapshot.ts'
import { SplitMaker } from './splits.ts'
import type { TableContext } from './splits.ts'
import type { TableFiles } from './state.ts'
import { requireUnderstood } from './types.ts'
import { openPaimonWriter } from './write.ts'

/** Opens a table with the schema that is the newest now; refuses (0A000) by name what its options ask for and is not supported. */
export function paimonTable(name: TableName, files: TableFiles, schema: PaimonSchema, buffers?: Buffers): PaimonTable {
  const shown = `${name.schema}.${name.name}`
  return new PaimonTable(name, { name: shown, files, schema, options: tableOptions(shown, schema) }, buffers)
}

export class PaimonTable implements Table {
  readonly name: TableName
  readonly schema: Schema
  readonly key: readonly number[]
  readonly appendOnly: boolean
  readonly context: TableContext
  readonly writer?: () => TableWriter
  /** What `latest` found: the statement that asked reads it. */
  #newest: Snapshot | undefined

  constructor(name: TableName, context: TableContext, buffers: Buffers | undefined) {
    const { schema } = context
    this.name = name
    this.context = context
    this.schema = schema.fields.map(field => sqlField(field, schema))
    this.key = schema.primaryKeys.map(column => schema.fields.findIndex(field => field.name === column))
    this.appendOnly = schema.primaryKeys.length === 0 && schema.options['deletion-vectors.enabled']?.toLowerCase() !== 'true'
    if (buffers !== undefined) this.writer = () => openPaimonWriter({ table: context.name, files: context.files, schema, columns: this.schema, ...buffers })
  }

  async latest(): Promise<Version | undefined> {
    this.#newest = await this.context.files.latest()
    return this.#newest === undefined ? undefined : versionOf(this.#newest)
  }

  async versionAt(asOf: AsOf): Promise<Version | undefined> {
    const { files } = this.context
    if (asOf.kind === 'version') {
      const snapshot = /^[0-9]{1,19}$/.test(asOf.id) ? await files.snapshot(BigInt(asOf.id)) : undefined
      if (snapshot !== undefined) return versionOf(snapshot)
      const tagged = await files.tag(asOf.id)
      if (tagged === undefined) throw new SqlError('22023', `table ${this.context.name} has no version "${asOf.id}"`, { table: this.context.name, hint: 'It may have expired. Versions are the ids of snapshots and the names of tags.' })
      return { id: asOf.id, time: Number(tagged.timeMillis) }
    }
    // clocks of committers are not monotonic, but the newest snapshot at or before the time counts, as everywhere
    const ids = await files.snapshotIds()
    for (const id of ids.toReversed()) {
      const snapshot = await files.snapshot(id)
      if (snapshot !== undefined && snapshot.timeMillis * 1000n <= asOf.micros) return versionOf(snapshot)
    }
    if (ids.length === 0) return undefined
    throw new SqlError('22023', `table ${this.context.name} has no version that old`, { table: this.context.name, hint: 'Older snapshots have expired, or the table is younger.' })
  }

  async next(from: Version | undefined): Promise<Version | undefined> {
    const { files } = this.context
    if (from === undefined) {
      const first = (await files.snapshotIds())[0]
      const snapshot = first === undefined ? undefined : await files.snapshot(first)
      return snapshot === undefined ? undefined : versionOf(snapshot)
    }
    const { id } = await this.#resolve(from)
    const snapshot = await files.snapshot(id + 1n)
    return snapshot === undefined ? undefined : versionOf(snapshot)
  }

  async schemaAt(version: Version | undefined): Promise<Schema> {
    if (version === undefined) return this.schema
    const { schemaId } = await this.#resolve(version)
    const schema = await this.context.files.schema(schemaId)
    return schema.fields.map(field => sqlField(field, schema))
  }

  async* changes(from: Version | undefined, to: Version, want: Want, stats: ScanStats): AsyncGenerator<FileSplit, void, undefined> {
    const { files, schema, name } = this.context
    for (const position of want.columns) {
      const field = schema.fields[position]
      invariant(field !== undefined, `no column ${position} in table ${name}`)
      requireUnderstood(name, field)
    }
    const pruner = new Pruner(name, schema, want.filter), maker = new SplitMaker(this.context, want)
    const target = from === undefined ? await this.#snapshotOf(to) : await this.#resolve(to)
    if (from === undefined) {
      yield* snapshotSplits(this.context, await files.state(target, meta => pruner.manifest(meta)), pruner, maker, stats)
      return
    }
    if (from.id === to.id && from.time === to.time) return
    const source = await this.#resolve(from)
    if (source.id > target.id) throw new SqlError('55000', `version ${to.id} of table ${name} is older than version ${from.id}`, { table: name })
    yield* changeSplits(this.context, source, target, pruner, maker, stats)
  }

  async estimate(version: Version | undefined): Promise<number> {
    if (version === undefined) return 0
    const snapshot = await this.#snapshotOf(version)
    if (snapshot.totalRecordCount !== undefined) return Number(snapshot.totalRecordCount)
    const { entries } = await this.context.files.state(snapshot)
    return entries.reduce((rows, entry) => rows + Number(entry.file.rowCount), 0)
  }

  /** The snapshot of a version, for who reads all of it; files that have expired are missed when they are read. */
  async #snapshotOf(version: Version): Promise<Snapshot> {
    const newest = this.#newest
    return newest !== undefined && String(newest.id) === version.id && Number(newest.timeMillis) === version.time ? newest : this.#resolve(version)
  }

  /** The snapshot of a version; 55000 when it is gone, or when its number was used again after a rollback. */
  async #resolve(version: Version): Promise<Snapshot> {
    const { files, name } = this.context
    const snapshot = /^[0-9]{1,19}$/.test(version.id) ? await files.snapshot(BigInt(version.id)) : undefined
    if (snapshot !== undefined && Number(snapshot.timeMillis) === version.time) return snapshot
    const tagged = await files.tag(version.id)
    if (tagged !== undefined && Number(tagged.timeMillis) === version.time) return tagged
    const [earliest] = await files.snapshotIds()
    if (snapshot === undefined && earliest !== undefined && /^[0-9]{1,19}$/.test(version.id) && BigInt(version.id) < earliest) {
      throw new SqlError('55000', `snapshot ${version.id} of table ${name} has expired`, { table: name, hint: `The oldest that is left is ${earliest}.` })
    }
    throw new SqlError('55000', `version ${version.id} of table ${name} is gone: the table was rolled back or made anew`, { table: name })
  }
}

function versionOf(snapshot: Snapshot): Version {
  return { id: String(snapshot.id), time: Number(snapshot.timeMillis) }
}
