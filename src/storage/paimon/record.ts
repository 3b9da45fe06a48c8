/** An Avro record of a metadata file read field by field, by name; errors say which file and field is wrong. A missing nullable field is absent. */
import { corrupt } from '../../error.ts'
import { isList, isRecord } from '../avro/value.ts'
import type { AvroRecord, AvroValue } from '../avro/value.ts'

export class AvroFields {
  readonly #path: string
  readonly #record: AvroRecord

  constructor(path: string, record: AvroRecord) {
    this.#path = path
    this.#record = record
  }

  get(name: string): AvroValue {
    return Object.hasOwn(this.#record, name) ? this.#record[name] ?? null : null
  }

  int(name: string): number {
    const value = this.get(name)
    if (typeof value !== 'number') throw this.#wrong(name, 'an int')
    return value
  }
  long(name: string): bigint {
    const value = this.get(name)
    if (typeof value !== 'bigint') throw this.#wrong(name, 'a long')
    return value
  }
  text(name: string): string {
    const value = this.get(name)
    if (typeof value !== 'string') throw this.#wrong(name, 'a string')
    return value
  }
  bytes(name: string): Uint8Array {
    const value = this.get(name)
    if (!(value instanceof Uint8Array)) throw this.#wrong(name, 'bytes')
    return value
  }
  record(name: string): AvroRecord {
    const value = this.get(name)
    if (!isRecord(value)) throw this.#wrong(name, 'a record')
    return value
  }
  list(name: string): readonly AvroValue[] | undefined {
    const value = this.get(name)
    if (value === null) return undefined
    if (!isList(value)) throw this.#wrong(name, 'an array')
    return value
  }

  // These give an object of one key, or of none when the field is null or missing: to be spread into the object that is built.
  optionalInt<K extends string>(name: string, key: K): { readonly [P in K]?: number } {
    return this.#optional(name, key, () => this.int(name))
  }
  optionalLong<K extends string>(name: string, key: K): { readonly [P in K]?: bigint } {
    return this.#optional(name, key, () => this.long(name))
  }
  optionalText<K extends string>(name: string, key: K): { readonly [P in K]?: string } {
    return this.#optional(name, key, () => this.text(name))
  }
  optionalBytes<K extends string>(name: string, key: K): { readonly [P in K]?: Uint8Array } {
    return this.#optional(name, key, () => this.bytes(name))
  }
  texts<K extends string>(name: string, key: K): { readonly [P in K]?: readonly string[] } {
    return this.#optional(name, key, () => (this.list(name) ?? []).map(item => {
      if (typeof item !== 'string') throw this.#wrong(name, 'an array of strings')
      return item
    }))
  }

  #optional<K extends string, T>(name: string, key: K, read: () => T): { readonly [P in K]?: T } {
    const result: { [P in K]?: T } = {}
    if (this.get(name) !== null) result[key] = read()
    return result
  }

  #wrong(name: string, kind: string): Error {
    return corrupt(this.#path, `field ${name} is not ${kind}`)
  }
}
