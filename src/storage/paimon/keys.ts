/** The order of keys inside a bucket, as Java has it, and the ranges of keys that files cover. */
import { corrupt } from '../../error.ts'
import { compareValues } from '../../function/comparison.ts'
import type { Type } from '../../type.ts'
import type { Value } from '../../value.ts'
import { parseRow } from './binaryrow.ts'
import type { ManifestEntry } from './manifest.ts'
import { toSqlType } from './types.ts'
import type { PaimonType } from './types.ts'

export interface KeyRange {
  readonly min: readonly Value[]
  readonly max: readonly Value[]
}

/** Compares keys and says which files may hold the same key. */
export class KeyOrder {
  readonly #types: readonly PaimonType[]
  readonly #sql: readonly Type[]
  /** False when ranges cannot be trusted: Java's order of floats is none. */
  readonly #ordered: boolean

  constructor(types: readonly PaimonType[]) {
    this.#types = types
    // texts compare by their bytes, without PostgreSQL's care for the blanks of char
    this.#sql = types.map(type => type.kind === 'CHAR' ? { kind: 'text' } : toSqlType(type))
    this.#ordered = types.every(type => type.kind !== 'FLOAT' && type.kind !== 'DOUBLE')
  }

  compare(a: readonly Value[], b: readonly Value[]): number {
    for (let i = 0; i < this.#sql.length; i++) {
      const type = this.#sql[i]
      if (type === undefined) continue
      const order = compareValues(a[i] ?? null, b[i] ?? null, type)
      if (order !== 0) return order
    }
    return 0
  }

  /** The keys of a file; undefined when its range cannot be trusted. */
  rangeOf(path: string, entry: ManifestEntry): KeyRange | undefined {
    if (!this.#ordered) return undefined
    const min = parseRow(path, entry.file.minKey, this.#types), max = parseRow(path, entry.file.maxKey, this.#types)
    // a wrong range would let one key come out of two files
    if (this.compare(min, max) > 0) throw corrupt(path, `the smallest key of data file ${entry.file.fileName} is greater than its greatest`)
    return { min, max }
  }

  /** True unless no key can be in both. */
  overlap(a: KeyRange | undefined, b: KeyRange | undefined): boolean {
    if (a === undefined || b === undefined) return true
    return this.compare(a.min, b.max) <= 0 && this.compare(b.min, a.max) <= 0
  }

  /**
   * The files in groups such that no key is in two of them (`sections`): sorted by their smallest keys and swept. A group of one file holds each key
   * once; in a larger group the files may share keys.
   */
  sections(path: string, entries: readonly ManifestEntry[]): readonly (readonly ManifestEntry[])[] {
    if (entries.length <= 1) return entries.length === 0 ? [] : [entries]
    const ranged: { entry: ManifestEntry; range: KeyRange }[] = []
    for (const entry of entries) {
      const range = this.rangeOf(path, entry)
      if (range === undefined) return [entries]
      ranged.push({ entry, range })
    }
    ranged.sort((a, b) => this.compare(a.range.min, b.range.min) || this.compare(a.range.max, b.range.max))
    const sections: ManifestEntry[][] = []
    let end: readonly Value[] | undefined
    for (const { entry, range } of ranged) {
      const last = sections.at(-1)
      if (last !== undefined && end !== undefined && this.compare(range.min, end) <= 0) last.push(entry)
      else sections.push([entry])
      if (end === undefined || this.compare(range.max, end) > 0) end = range.max
    }
    return sections
  }
}
