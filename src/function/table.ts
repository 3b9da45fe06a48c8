/**
 * The function table, looked up by name or id.
 */
import { InternalError } from '../error.ts'
import type { TypeKind } from '../type.ts'
import { aggregates } from './aggregate.ts'
import { arrayFunctions } from './array.ts'
import { booleanFunctions } from './boolean.ts'
import { bytesFunctions } from './bytes.ts'
import { castFunctions as lengthFunctions, textCasts } from './cast.ts'
import { comparisonFunctions } from './comparison.ts'
import type { AggregateFunction, Cast, ScalarFunction, WindowFunction } from './function.ts'
import { jsonFunctions } from './json.ts'
import { numberCasts, numberFunctions } from './number.ts'
import { numberFormatFunctions } from './number-format.ts'
import { patternFunctions } from './pattern.ts'
import { singleRowFunctions } from './single-row.ts'
import { systemFunctions } from './system.ts'
import { textFunctions } from './text.ts'
import { timeFunctions } from './time.ts'
import { timeFormatFunctions } from './time-format.ts'
import { timeParseFunctions } from './time-parse.ts'
import { windowFunctions } from './window.ts'

const castLists: readonly (readonly Cast[])[] = [numberCasts, textCasts]
const scalarLists: readonly (readonly ScalarFunction[])[] = [
  booleanFunctions, comparisonFunctions, numberFunctions, singleRowFunctions, textFunctions, patternFunctions, bytesFunctions, timeFunctions, timeFormatFunctions, timeParseFunctions, numberFormatFunctions, jsonFunctions, arrayFunctions,
  systemFunctions, lengthFunctions,
]

function grouped<T extends { readonly name: string }>(entries: Iterable<T>): ReadonlyMap<string, readonly T[]> {
  const map = new Map<string, T[]>()
  for (const entry of entries) {
    const list = map.get(entry.name)
    if (list === undefined) map.set(entry.name, [entry])
    else list.push(entry)
  }
  return map
}

function byId<T extends { readonly id: string }>(entries: Iterable<T>): ReadonlyMap<string, T> {
  const map = new Map<string, T>()
  for (const entry of entries) {
    if (map.has(entry.id)) throw new InternalError(`two functions are called ${entry.id}`)
    map.set(entry.id, entry)
  }
  return map
}

const castMap: ReadonlyMap<string, Cast> = new Map(castLists.flat().map(entry => [`${entry.from},${entry.to}`, entry]))
const castBodies = [...castMap.values()].flatMap(entry => entry.fn === undefined ? [] : [entry.fn])
const scalarsById = byId([...scalarLists.flat(), ...castBodies])
const scalarsByName = grouped(scalarsById.values())
const aggregatesById = byId(aggregates)
const aggregatesByName = grouped(aggregates)
const windowsById = byId(windowFunctions)
const windowsByName = grouped(windowFunctions)

/** The functions and operators of a name (an operator's name is its symbol, a prefix operator has one argument); none: an empty list. */
export const scalarsNamed = (name: string): readonly ScalarFunction[] => scalarsByName.get(name) ?? []

/** The function that `Expr.fn` names. */
export function scalarById(id: string): ScalarFunction {
  const found = scalarsById.get(id)
  if (found === undefined) throw new InternalError(`no function has the id ${id}`)
  return found
}

const sessionIds = new Set(systemFunctions.map(fn => fn.id))

/** True when the function asks the session or its catalog, so that it can only be computed on the session's thread. */
export const asksSession = (id: string): boolean => sessionIds.has(id) || /reg(?:class|type|proc|namespace)/.test(id)

export const aggregatesNamed = (name: string): readonly AggregateFunction[] => aggregatesByName.get(name) ?? []

export function aggregateById(id: string): AggregateFunction {
  const found = aggregatesById.get(id)
  if (found === undefined) throw new InternalError(`no aggregate has the id ${id}`)
  return found
}

export const windowsNamed = (name: string): readonly WindowFunction[] => windowsByName.get(name) ?? []

/** The window function of an id, or the aggregate that is used as one. */
export function windowById(id: string): WindowFunction | AggregateFunction {
  return windowsById.get(id) ?? aggregateById(id)
}

/** The cast from one kind to another, also from a kind to itself when that can change a value (numeric → numeric(10,2)); undefined when there is none. */
export const castBetween = (from: TypeKind, to: TypeKind): Cast | undefined => castMap.get(`${from},${to}`)

/** Every entry, for pg_proc, pg_cast and the documentation. */
export const allScalars = (): Iterable<ScalarFunction> => scalarsById.values()
export const allAggregates = (): Iterable<AggregateFunction> => aggregatesById.values()
export const allWindowFunctions = (): Iterable<WindowFunction> => windowsById.values()
export const allCasts = (): Iterable<Cast> => castMap.values()
