/** What bodies of kind `value` need over and over: the session's text settings, and readers and writers made once a type. */
import { textReader, textWriter } from '../text.ts'
import type { Mode } from '../text.ts'
import { DEFAULT_SETTINGS } from '../text/settings.ts'
import type { TextSettings } from '../text/settings.ts'
import { UNKNOWN } from '../type.ts'
import type { Type } from '../type.ts'
import type { Value } from '../value.ts'
import type { Environment, Site } from './body.ts'

const settingsByEnvironment = new WeakMap<Environment, TextSettings>()

/** The text settings of a statement. */
export function settingsOf(environment: Environment): TextSettings {
  let settings = settingsByEnvironment.get(environment)
  if (settings === undefined) {
    settings = { ...DEFAULT_SETTINGS, ...environment.text, timeZone: environment.timeZone, now: environment.now }
    settingsByEnvironment.set(environment, settings)
  }
  return settings
}

interface Kept<T> {
  readonly settings: TextSettings
  readonly it: T
}
const writers = new WeakMap<Type, Kept<(value: Value) => string>>()
const readers = new WeakMap<Type, Kept<(text: string) => Value>>()

/** `textWriter` of a type under a statement's settings, made once. */
export function writerOf(type: Type, environment: Environment): (value: Value) => string {
  const settings = settingsOf(environment)
  const kept = writers.get(type)
  if (kept?.settings === settings) return kept.it
  const it = textWriter(type, settings)
  writers.set(type, { settings, it })
  return it
}

/** `textReader` of a type under a statement's settings, made once; modifiers are obeyed as an explicit cast does. */
export function readerOf(type: Type, environment: Environment, mode: Mode = 'explicit'): (text: string) => Value {
  const settings = settingsOf(environment)
  const kept = readers.get(type)
  if (kept?.settings === settings && mode === 'explicit') return kept.it
  const it = textReader(type, settings, mode)
  if (mode === 'explicit') readers.set(type, { settings, it })
  return it
}

/** The type of a call's i-th argument. */
export function typeAt(site: Site, i: number): Type {
  return site.args[i] ?? UNKNOWN
}
