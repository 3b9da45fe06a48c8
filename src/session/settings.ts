/** What SET, SHOW and the start-up packet can set: names, defaults, what is allowed, and which are reported to the client. */
import { SqlError } from '../error.ts'
import { VERSION } from '../version.ts'

interface Definition {
  readonly name: string
  readonly initial: string
  /** What the client is told at start-up and whenever it changes. */
  readonly report?: boolean
  /** Cannot be set: 55P02. */
  readonly fixed?: boolean
  readonly about: string
  /** The least and the greatest whole number. */
  readonly range?: readonly [number, number]
  /** The canonical value, or undefined when the text is no value of the setting. */
  readonly check?: (text: string) => string | undefined
}

const anything = (text: string): string => text
const bool = (text: string): string | undefined => {
  const word = text.toLowerCase()
  if (['on', 'true', 'yes', '1', 't', 'y'].includes(word)) return 'on'
  return ['off', 'false', 'no', '0', 'f', 'n'].includes(word) ? 'off' : undefined
}
const oneOf = (...words: readonly string[]) => (text: string): string | undefined => words.find(word => word === text.toLowerCase())
const integer = (low: number, high: number) => (text: string): string | undefined => /^[+-]?\d+$/.test(text.trim()) && Number(text) >= low && Number(text) <= high ? String(Number(text)) : undefined
/** Milliseconds with a unit, or 0. */
const duration = (text: string): string | undefined => {
  const ms = milliseconds(text)
  if (ms === undefined) return undefined
  if (ms === 0) return '0'
  return ms % 60_000 === 0 ? `${ms / 60_000}min` : ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

/** A duration as settings write it (`250`, `250ms`, `1.5s`, `2min`, `1h`, `1d`) in milliseconds; undefined when it is none. */
export function milliseconds(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*$/.exec(text)
  if (match === null) return undefined
  const unit = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] ?? 'ms'] ?? 1
  return Math.round(Number(match[1]) * unit)
}

function zone(text: string): string | undefined {
  const name = /^utc$|^gmt$|^z$/i.test(text) ? 'UTC' : text
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone === 'UTC' ? (/^etc\//i.test(name) ? name : 'UTC') : canonicalZone(name)
  } catch {
    return undefined
  }
}
/** The zone's name spelled as the database spells it: SHOW gives `Europe/Berlin` for `europe/berlin`. */
function canonicalZone(name: string): string {
  return Intl.supportedValuesOf('timeZone').find(known => known.toLowerCase() === name.toLowerCase()) ?? name
}

function dateStyle(text: string): string | undefined {
  let order = 'MDY'
  for (const part of text.split(',').map(word => word.trim().toUpperCase())) {
    if (part === 'ISO' || part === 'DEFAULT') continue
    if (part === 'MDY' || part === 'US' || part === 'NONEURO' || part === 'NONEUROPEAN') order = 'MDY'
    else if (part === 'DMY' || part === 'EURO' || part === 'EUROPEAN') order = 'DMY'
    else if (part === 'YMD') order = 'YMD'
    else return undefined
  }
  return `ISO, ${order}`
}
const encoding = (text: string): string | undefined => /^(?:utf-?8|unicode)$/i.test(text) ? 'UTF8' : undefined
const isolation = oneOf('serializable', 'repeatable read', 'read committed', 'read uncommitted')

const DEFINITIONS: readonly Definition[] = [
  { name: 'application_name', initial: '', report: true, about: 'Sets the application name to be reported in statistics and logs.', check: anything },
  { name: 'bytea_output', initial: 'hex', about: 'Sets the output format for bytea.', check: oneOf('hex') },
  { name: 'check_function_bodies', initial: 'on', about: 'Accepted and ignored.', check: bool },
  { name: 'client_encoding', initial: 'UTF8', report: true, about: 'Sets the client\'s character set encoding; only UTF8.', check: encoding },
  { name: 'client_min_messages', initial: 'notice', about: 'Sets the message levels that are sent to the client.', check: oneOf('debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'log', 'notice', 'warning', 'error') },
  { name: 'DateStyle', initial: 'ISO, MDY', report: true, about: 'Sets the display format for date and time values; only ISO.', check: dateStyle },
  { name: 'default_transaction_isolation', initial: 'read committed', about: 'Sets the isolation level of each new transaction.', check: isolation },
  { name: 'default_transaction_read_only', initial: 'off', report: true, about: 'Sets the read-only status of each new transaction.', check: bool },
  { name: 'extra_float_digits', initial: '1', about: 'Sets the number of digits displayed for floating-point values.', range: [-15, 3], check: integer(-15, 3) },
  { name: 'idle_in_transaction_session_timeout', initial: '0', about: 'Accepted and ignored.', check: duration },
  { name: 'in_hot_standby', initial: 'off', report: true, fixed: true, about: 'Shows whether hot standby is currently active.' },
  { name: 'insert_conflict', initial: 'replace', about: 'What a plain INSERT does with a row whose key the table has: replace the row of the table, or error.', check: oneOf('replace', 'error') },
  { name: 'integer_datetimes', initial: 'on', report: true, fixed: true, about: 'Shows whether datetimes are integer based.' },
  { name: 'IntervalStyle', initial: 'postgres', report: true, about: 'Sets the display format for interval values.', check: oneOf('postgres') },
  { name: 'is_superuser', initial: 'on', report: true, fixed: true, about: 'Shows whether the current user is a superuser.' },
  { name: 'jit', initial: 'off', about: 'Accepted and ignored.', check: bool },
  { name: 'lc_collate', initial: 'C', fixed: true, about: 'Shows the collation order locale.' },
  { name: 'lc_ctype', initial: 'C.UTF-8', fixed: true, about: 'Shows the character classification and case conversion locale.' },
  { name: 'lc_messages', initial: 'C', about: 'Sets the language in which messages are displayed; only C.', check: anything },
  { name: 'lc_monetary', initial: 'C', about: 'Accepted and ignored.', check: anything },
  { name: 'lc_numeric', initial: 'C', about: 'Accepted and ignored.', check: anything },
  { name: 'lc_time', initial: 'C', about: 'Accepted and ignored.', check: anything },
  { name: 'lock_timeout', initial: '0', about: 'Accepted and ignored: there are no locks to wait for.', check: duration },
  { name: 'max_identifier_length', initial: '63', fixed: true, about: 'Shows the maximum identifier length.' },
  { name: 'row_security', initial: 'on', about: 'Accepted and ignored.', check: bool },
  { name: 'search_path', initial: 'public, default', about: 'Sets the schema search order for names that are not schema-qualified.', check: anything },
  { name: 'server_encoding', initial: 'UTF8', report: true, fixed: true, about: 'Shows the server (database) character set encoding.' },
  { name: 'server_version', initial: `15.0 (Sluice ${VERSION})`, report: true, fixed: true, about: 'Shows the server version.' },
  { name: 'server_version_num', initial: '150000', fixed: true, about: 'Shows the server version as an integer.' },
  { name: 'session_authorization', initial: 'sluice', report: true, about: 'Shows the session\'s user name.', fixed: true },
  { name: 'role', initial: 'none', about: 'Accepted and ignored.', check: anything },
  { name: 'sluice.poll_interval', initial: '200ms', about: 'How often subscriptions look for commits of other writers.', check: duration },
  { name: 'sluice.rules', initial: 'on', about: 'Off: queries are planned without any optimizer rule.', check: bool },
  { name: 'standard_conforming_strings', initial: 'on', report: true, about: 'Causes \'...\' strings to treat backslashes literally; only on.', check: text => bool(text) === 'on' ? 'on' : undefined },
  { name: 'statement_timeout', initial: '0', about: 'Sets the maximum allowed duration of any statement.', check: duration },
  { name: 'synchronous_commit', initial: 'on', about: 'Accepted and ignored: every commit is durable.', check: anything },
  { name: 'TimeZone', initial: 'UTC', report: true, about: 'Sets the time zone for displaying and interpreting time stamps.', check: zone },
  { name: 'transaction_isolation', initial: 'read committed', about: 'Sets the current transaction\'s isolation level.', check: isolation },
  { name: 'transaction_read_only', initial: 'off', about: 'Sets the current transaction\'s read-only status.', check: bool },
  { name: 'transaction_deferrable', initial: 'off', about: 'Accepted and ignored.', check: bool },
  { name: 'xmloption', initial: 'content', about: 'Accepted and ignored.', check: anything },
]

const BY_NAME = new Map(DEFINITIONS.map(definition => [definition.name.toLowerCase(), definition]))

/** One session's settings. Names are looked up without regard to case. */
export class Settings {
  readonly #values = new Map<string, string>()
  readonly #initial = new Map<string, string>()
  /** What SET LOCAL hid, by name. */
  readonly #beforeLocal = new Map<string, string | undefined>()
  /** The search path as it was worked out last. */
  #path: { readonly text: string; readonly user: string; readonly names: readonly string[] } | undefined
  /** Called when a reported setting changes. */
  onReport: ((name: string, value: string) => void) | undefined

  /** The value as SHOW gives it; undefined when there is no such setting. Names with a dot are the user's own and exist once set. */
  get(name: string): string | undefined {
    const key = name.toLowerCase()
    return this.#values.get(key) ?? this.#initial.get(key) ?? BY_NAME.get(key)?.initial
  }

  /** The name as SHOW heads its column. */
  spelled(name: string): string { return BY_NAME.get(name.toLowerCase())?.name ?? name }

  /** The same as `get`, for a setting that must exist: 42704. */
  need(name: string): string {
    const value = this.get(name)
    if (value === undefined) throw new SqlError('42704', `unrecognized configuration parameter "${name}"`)
    return value
  }

  /** Sets it; undefined goes back to the initial value. 42704 no such setting, 55P02 fixed, 22023 no value of it. */
  set(name: string, value: string | undefined): void {
    const key = name.toLowerCase(), definition = BY_NAME.get(key)
    this.#beforeLocal.delete(key)
    if (definition === undefined) {
      if (!key.includes('.')) throw new SqlError('42704', `unrecognized configuration parameter "${name}"`)
      if (value === undefined) this.#values.delete(key)
      else this.#values.set(key, value)
      return
    }
    if (definition.fixed === true) {
      if (value === undefined || value === this.get(name)) return
      throw new SqlError('55P02', `parameter "${definition.name}" cannot be changed`)
    }
    const before = this.get(name)
    if (value === undefined) this.#values.delete(key)
    else {
      const canonical = definition.check?.(value)
      if (canonical === undefined && definition.range !== undefined && /^[+-]?\d+$/.test(value.trim())) throw new SqlError('22023', `${value.trim()} is outside the valid range for parameter "${definition.name}" (${definition.range.join(' .. ')})`)
      if (canonical === undefined) throw new SqlError('22023', `invalid value for parameter "${definition.name}": "${value}"`)
      this.#values.set(key, canonical)
    }
    const after = this.get(name)
    if (definition.report === true && after !== undefined && after !== before) this.onReport?.(definition.name, after)
  }

  /** SET LOCAL: the value until the transaction ends. */
  setLocal(name: string, value: string | undefined): void {
    const key = name.toLowerCase(), before = this.#beforeLocal.has(key) ? this.#beforeLocal.get(key) : this.#values.get(key)
    this.set(name, value)
    this.#beforeLocal.set(key, before)
  }

  /** The transaction is over: what was set for it alone goes back. */
  endLocal(): void {
    const before = [...this.#beforeLocal]
    this.#beforeLocal.clear()
    for (const [key, value] of before) this.set(key, value)
  }

  /** The value that RESET goes back to: what the start-up packet asked for. */
  start(name: string, value: string): void {
    const key = name.toLowerCase(), definition = BY_NAME.get(key)
    if (definition === undefined && !key.includes('.')) throw new SqlError('42704', `unrecognized configuration parameter "${name}"`, { severity: 'FATAL' })
    const canonical = definition === undefined ? value : definition.fixed === true ? undefined : definition.check?.(value)
    if (canonical === undefined) throw new SqlError('22023', `invalid value for parameter "${name}": "${value}"`, { severity: 'FATAL' })
    this.#initial.set(key, canonical)
  }

  /** Who is connected: known from the start-up packet, never changed. */
  startUser(user: string): void { this.#initial.set('session_authorization', user) }

  resetAll(): void {
    for (const key of [...this.#values.keys()]) if (!key.startsWith('transaction_')) this.set(key, undefined)
  }

  /** A copy to go back to when a transaction rolls back. */
  save(): ReadonlyMap<string, string> { return new Map(this.#values) }
  restore(saved: ReadonlyMap<string, string>): void {
    for (const key of new Set([...this.#values.keys(), ...saved.keys()])) if (this.#values.get(key) !== saved.get(key)) this.set(key, saved.get(key))
  }

  get reported(): ReadonlyMap<string, string> {
    return new Map(DEFINITIONS.filter(definition => definition.report === true).map(definition => [definition.name, this.need(definition.name)]))
  }

  /** All settings in order, for SHOW ALL and pg_settings. */
  all(): readonly { readonly name: string; readonly value: string; readonly about: string }[] {
    return DEFINITIONS.map(definition => ({ name: definition.name, value: this.need(definition.name), about: definition.about }))
  }

  /** The schemas of search_path, in order; "$user" is the session's user. */
  get searchPath(): readonly string[] {
    const text = this.need('search_path'), user = this.need('session_authorization')
    if (this.#path?.text !== text || this.#path.user !== user) this.#path = { text, user, names: splitList(text).map(name => name === '$user' ? user : name) }
    return this.#path.names
  }
}

/** Names of a comma-separated list, unquoted ones folded to lower case. */
function splitList(text: string): string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"|([^",\s]+)/g)].map(match => match[1]?.replaceAll('""', '"') ?? (match[2] ?? '').toLowerCase())
}
