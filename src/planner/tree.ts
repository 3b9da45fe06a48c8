/**
 * Reading the raw tree of Postgres's grammar: JSON in which a node is `{ Tag: { fields } }`, and a field that is zero, false, empty or absent is
 * not there. Only `tree-*.ts` know its field names.
 */
import { SqlError, unsupported } from '../error.ts'
import type { Delete, Insert, Merge, Update } from './statement-syntax.ts'
import type { AsOfClause, Hint, Path, Query, TypeName } from './syntax.ts'

export type Json = string | number | boolean | null | readonly Json[] | Tree
export interface Tree { readonly [field: string]: Json }

/**
 * What Postgres's grammar could not carry: found by `dialect.ts` in the text, keyed by the 1-based character position of the token it
 * belongs to. Who reads one takes it away; one that stays stood in a place where it means nothing, which is an error.
 */
export interface Notes {
  /** By the first token of a table's name. */
  readonly asOf: Map<number, AsOfClause>
  /** By the first token of a table's name, or of the first target of a SELECT. */
  readonly hints: Map<number, readonly Hint[]>
  /** By the first token of a name: TABLE t as an argument, and its PARTITION BY. */
  readonly tableArguments: Map<number, readonly Path[]>
  /** By the first token of the right side of an ASOF JOIN. */
  readonly asofJoins: Set<number>
  /** By the first token of a type that Postgres cannot spell. */
  readonly types: Map<number, TypeName>
}

/** The tree's way back to the text: `at` turns a location of the tree into a 1-based character position of the statement. */
export interface Reader {
  readonly notes: Notes
  at(location: number): number
  /** Expressions hold queries, and queries hold changes: what reads those is handed down, because it stands above. */
  query(wrapped: Tree): Query
  change(wrapped: Tree): Insert | Update | Delete | Merge | undefined
}

export function noNotes(): Notes {
  return { asOf: new Map(), hints: new Map(), tableArguments: new Map(), asofJoins: new Set(), types: new Map() }
}

/** What stands under the key, which is then gone. */
export function take<T>(notes: Map<number, T>, key: number): T | undefined {
  if (notes.size === 0) return undefined
  const found = notes.get(key)
  notes.delete(key)
  return found
}

const EMPTY: Tree = {}

const isTree = (json: Json | undefined): json is Tree => typeof json === 'object' && json !== null && !Array.isArray(json)

export function child(tree: Tree, field: string): Tree | undefined {
  const value = tree[field]
  return isTree(value) ? value : undefined
}

export function list(tree: Tree, field: string): readonly Tree[] {
  const value = tree[field]
  return Array.isArray(value) ? value.map((each: Json) => isTree(each) ? each : EMPTY) : []
}

export function text(tree: Tree, field: string): string {
  const value = tree[field]
  return typeof value === 'string' ? value : ''
}

/** The text of a field, absent when the field is. */
export function textOrNot(tree: Tree, field: string): string | undefined {
  const value = tree[field]
  return typeof value === 'string' ? value : undefined
}

export function number(tree: Tree, field: string): number {
  const value = tree[field]
  return typeof value === 'number' ? value : 0
}

export function flag(tree: Tree, field: string): boolean {
  return tree[field] === true
}

/** The location of a node's fields; -1 when unknown. A location of 0 is not written, so absence means 0. */
export function location(tree: Tree): number {
  return number(tree, 'location')
}

/** A wrapped node's tag and fields: `{ ColumnRef: {…} }`. The tag of an absent node is ''. */
export function open(wrapped: Tree): { readonly tag: string; readonly tree: Tree } {
  for (const tag in wrapped) return { tag, tree: child(wrapped, tag) ?? EMPTY }
  return { tag: '', tree: EMPTY }
}

/** The fields of the wrapped node, if it has this tag. */
export function as(wrapped: Tree | undefined, tag: string): Tree | undefined {
  return wrapped === undefined ? undefined : child(wrapped, tag)
}

/** A list of `{ String: { sval } }`. */
export function names(tree: Tree, field: string): string[] {
  return list(tree, field).map(each => text(as(each, 'String') ?? EMPTY, 'sval'))
}

/** A feature with its position, refused. */
export function refuse(reader: Reader, tree: Tree, what: string): SqlError {
  const where = location(tree)
  return unsupported(what, { position: where < 0 ? undefined : reader.at(where) })
}

/** 42601 at a node. */
export function syntaxError(message: string, position: number | undefined): SqlError {
  return new SqlError('42601', message, { position })
}

/** The same fields without those that are undefined: what absent means in our own tree. */
export function present<T extends object>(fields: T): { [K in keyof T]?: T[K] & ({} | null) } {
  const kept: { [K in keyof T]?: T[K] & ({} | null) } = {}
  for (const key in fields) {
    const value = fields[key]
    if (value !== undefined) kept[key] = value
  }
  return kept
}
