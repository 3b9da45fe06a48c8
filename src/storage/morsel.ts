/** Splits cut into pieces that threads can share, each of some row groups; row groups that cannot match the filter are left out. */
import { typeKey } from '../type.ts'
import { mightMatch } from './prune.ts'
import type { Stats } from './prune.ts'
import type { ParquetFile, RowGroup } from './parquet/reader.ts'
import type { ReadContext } from './read.ts'
import { isSmall } from './small-files.ts'
import type { FileSplit, ScanStats, Split, SplitFile, Want } from './table.ts'

/** A piece has at least this many rows, as long as there are more. */
const ROWS = 65_536

/** Pieces whose rows are together those of the split, without row groups that `want.filter` rules out. A split that merges files stays whole. */
export async function splitMorsels(split: Split, want: Want, context: Pick<ReadContext, 'store' | 'footers'>, stats: ScanStats): Promise<readonly Split[]> {
  if (split.kind === 'rows' || split.merge !== undefined) return [split]
  const store = context.store(split.store)
  const pieces: FileSplit[] = []
  let files: SplitFile[] = [], rows = 0
  const close = (): void => {
    if (files.length > 0) pieces.push({ ...split, files, estimate: rows })
    files = []
    rows = 0
  }
  for (const file of split.files) {
    if (file.format !== 'parquet') { files.push(file); continue } // whoever reads it refuses it
    if (isSmall(file) && want.filter === undefined) { // nothing to be known of it that is worth a look
      files.push(file)
      rows += file.rows
      stats.rowGroupsTotal++
      if (rows >= ROWS) close()
      continue
    }
    const parquet = await context.footers.open(store, file.path, file.size, file.stamp)
    const columns = new FileColumns(file, parquet, want)
    let groups: number[] = []
    const add = (): void => { if (groups.length > 0) files.push({ ...file, rowGroups: groups }); groups = [] }
    for (const number of file.rowGroups ?? parquet.rowGroups.map((_, i) => i)) {
      const group = parquet.rowGroups[number]
      stats.rowGroupsTotal++
      if (group === undefined || group.rows === 0 || (want.filter !== undefined && !mightMatch(want.filter, columns.stats(group)))) { stats.rowGroupsPruned++; continue }
      groups.push(number)
      rows += group.rows
      if (rows >= ROWS) { add(); close() }
    }
    add()
    if (rows >= ROWS) close()
  }
  close()
  return pieces
}

/** The statistics of a file's row groups under the positions of the table's columns. */
class FileColumns {
  readonly #file: SplitFile
  readonly #parquet: ParquetFile
  readonly #want: Want

  constructor(file: SplitFile, parquet: ParquetFile, want: Want) {
    this.#file = file
    this.#parquet = parquet
    this.#want = want
  }

  stats(group: RowGroup): Stats {
    return { rows: group.rows, column: index => {
      const column = this.#file.columns[this.#want.columns.indexOf(index)]
      if (column === undefined) return undefined
      if (column.kind === 'constant') return column.value === null ? { nulls: group.rows } : { min: column.value, max: column.value, nulls: 0 }
      const position = this.#parquet.schema.findIndex(field => field.name === column.name), field = this.#parquet.schema[position]
      if (field === undefined) return { nulls: group.rows } // the file is older than the column
      // A cast may change the order of values, and cut ones that are too long.
      return typeKey(field.type) === typeKey(column.field.type) || isWider(field.type.kind, column.field.type.kind) ? group.stats.column(position) : undefined
    } }
  }
}

/** Types whose values stand for themselves in both. */
function isWider(from: string, to: string): boolean {
  return from === 'int2' && to === 'int4'
}
