/** Statements about the session, read by hand: SET, SHOW, RESET, transactions, cursors, prepared statements, notices, maintenance. */
import { SqlError } from '../error.ts'
import { readArgumentRange } from './fragment.ts'
import { readOptions } from './statement-option.ts'
import { closing, reads, tokenAt } from './token-reader.ts'
import type { TokenReader } from './token-reader.ts'
import type { Close, Deallocate, Discard, Execute, Fetch, Listen, Maintenance, Notify, Other, ResetSetting, SetSetting, SetTransaction, ShowObjects, ShowSetting, Transaction, TransactionModes } from './statement-syntax.ts'
import type { Path } from './syntax.ts'

export function readSet(t: TokenReader): SetSetting | SetTransaction | Other {
  const at = t.at
  t.expect('set')
  if (t.accept('session', 'characteristics', 'as', 'transaction')) return ended(t, { kind: 'setTransaction', session: true, modes: readModes(t, true), at })
  if (t.is('transaction')) {
    t.next()
    if (t.accept('snapshot')) return ended(t, { kind: 'setTransaction', session: false, modes: {}, snapshot: t.string(), at })
    return ended(t, { kind: 'setTransaction', session: false, modes: readModes(t, true), at })
  }
  if (t.is('constraints')) return { kind: 'other', name: 'SET CONSTRAINTS', at }
  const set = (name: string, values: SetSetting['values'], local = false): SetSetting => ended(t, { kind: 'set', name, values, local, at })
  if (t.accept('session', 'authorization')) return set('session_authorization', t.accept('default') ? 'default' : [t.nameOrString()])
  let local = false
  if (!t.is('session', '=') && !t.is('session', 'to') && t.accept('session')) { /* the default */ }
  else if (!t.is('local', '=') && !t.is('local', 'to')) local = t.accept('local')
  if (t.accept('time', 'zone')) return set('timezone', readTimeZone(t), local)
  if (t.accept('role')) return set('role', [t.nameOrString()], local)
  if (t.accept('names')) return set('client_encoding', t.atEnd || t.accept('default') ? 'default' : [t.string()], local)
  if (t.accept('schema')) return set('search_path', [t.string()], local)
  if (t.accept('catalog')) return { kind: 'other', name: 'SET CATALOG', at }
  const name = t.token.kind === 'string' ? t.string() : t.path().join('.')
  if (!t.accept('to')) t.expect('=')
  if (t.accept('default')) return set(name.toLowerCase(), 'default', local)
  return set(name.toLowerCase(), t.separated(() => readValue(t)), local)
}

function readValue(t: TokenReader): string {
  if (t.token.kind === 'string') return t.string()
  if (t.isName) return t.next().text
  return t.number()
}

function readTimeZone(t: TokenReader): SetSetting['values'] {
  if (t.accept('local') || t.accept('default')) return 'default'
  if (t.accept('interval')) {
    if (t.is('(')) t.skipBracket()
    const value = t.string()
    if (t.accept('hour')) { if (t.accept('to')) t.expect('minute') }
    return [value]
  }
  return [readValue(t)]
}

/** The statement, when nothing follows it. */
export function ended<T>(t: TokenReader, statement: T): T {
  t.end()
  return statement
}

function readModes(t: TokenReader, required = false): TransactionModes {
  let modes: TransactionModes = {}, some = false
  for (;;) {
    if (t.accept('isolation')) {
      t.expect('level')
      if (t.accept('serializable')) modes = { ...modes, isolation: 'serializable' }
      else if (t.accept('repeatable', 'read')) modes = { ...modes, isolation: 'repeatable read' }
      else if (t.accept('read', 'committed')) modes = { ...modes, isolation: 'read committed' }
      else { t.expect('read', 'uncommitted'); modes = { ...modes, isolation: 'read uncommitted' } }
    } else if (t.accept('read', 'only')) modes = { ...modes, readOnly: true }
    else if (t.accept('read', 'write')) modes = { ...modes, readOnly: false }
    else if (t.accept('deferrable')) modes = { ...modes, deferrable: true }
    else if (t.accept('not', 'deferrable')) modes = { ...modes, deferrable: false }
    else if (required && !some) throw t.error()
    else return modes
    some = true
    required = t.accept(',')
    if (required) some = false
  }
}

/** What SHOW may list; anything else is a setting. */
const OBJECTS: readonly string[] = ['materialized views', 'materialized tables', 'subscription cursors', 'current catalog', 'current database', 'tables', 'views', 'columns', 'databases', 'schemas', 'sources', 'sinks',
  'subscriptions', 'connections', 'catalogs', 'jobs', 'indexes', 'functions', 'processlist', 'partitions', 'clusters', 'cursors', 'types', 'objects', 'secrets', 'roles', 'tblproperties']

export function readShow(t: TokenReader): ShowSetting | ShowObjects {
  const at = t.at
  t.expect('show')
  if (t.accept('create')) {
    const object = t.accept('materialized') ? 'materialized view' : undefined
    if (object !== undefined) { if (!t.accept('view')) t.expect('table') }
    return ended(t, { kind: 'showObjects', what: `create ${object ?? t.label()}`, from: t.path(), at })
  }
  for (const what of OBJECTS) {
    if (!t.accept(...what.split(' '))) continue
    let from: Path | undefined, like: string | undefined
    if (t.accept('from') || t.accept('in')) from = t.path()
    else if (t.isName && !t.is('like')) from = t.path()
    if (t.accept('like')) like = t.string()
    return ended(t, { kind: 'showObjects', what, ...(from === undefined ? {} : { from }), ...(like === undefined ? {} : { like }), at })
  }
  if (t.accept('all')) return ended(t, { kind: 'show', name: 'all', at })
  if (t.accept('time', 'zone')) return ended(t, { kind: 'show', name: 'timezone', at })
  if (t.accept('transaction', 'isolation', 'level')) return ended(t, { kind: 'show', name: 'transaction_isolation', at })
  if (t.accept('session', 'authorization')) return ended(t, { kind: 'show', name: 'session_authorization', at })
  const name = t.token.kind === 'string' ? t.string() : t.path().join('.')
  return ended(t, { kind: 'show', name: name.toLowerCase(), at })
}

/** DESCRIBE t, DESC t. */
export function readDescribe(t: TokenReader): ShowObjects {
  const at = t.at
  t.next()
  t.accept('table')
  t.accept('extended')
  return ended(t, { kind: 'showObjects', what: 'columns', from: t.path(), at })
}

export function readReset(t: TokenReader): ResetSetting {
  const at = t.at
  t.expect('reset')
  if (t.atEnd) throw t.error()
  if (t.accept('all')) return ended(t, { kind: 'reset', at })
  if (t.accept('time', 'zone')) return ended(t, { kind: 'reset', name: 'timezone', at })
  if (t.accept('transaction', 'isolation', 'level')) return ended(t, { kind: 'reset', name: 'transaction_isolation', at })
  if (t.accept('session', 'authorization')) return ended(t, { kind: 'reset', name: 'session_authorization', at })
  return ended(t, { kind: 'reset', name: (t.token.kind === 'string' ? t.string() : t.path().join('.')).toLowerCase(), at })
}

export function readDiscard(t: TokenReader): Discard {
  const at = t.at
  t.expect('discard')
  const what = t.acceptOne('all', 'plans', 'sequences', 'temp', 'temporary')
  if (what === undefined) throw t.error()
  return ended(t, { kind: 'discard', what: what === 'temporary' ? 'temp' : what, at })
}

export function readTransaction(t: TokenReader): Transaction {
  const at = t.at, word = t.next().text
  const made = (what: Transaction['what'], more: Partial<Pick<Transaction, 'name' | 'chain' | 'modes'>> = {}): Transaction => ended(t, { kind: 'transaction', what, chain: false, modes: {}, ...more, at })
  switch (word) {
    case 'start': t.expect('transaction'); return made('begin', { modes: readModes(t) })
    case 'begin': t.acceptOne('work', 'transaction'); return made('begin', { modes: readModes(t) })
    case 'savepoint': return made('savepoint', { name: t.name() })
    case 'release': if (!t.is('savepoint') || !tokenIsLast(t)) t.accept('savepoint'); return made('release', { name: t.name() })
    case 'prepare': t.expect('transaction'); return made('prepareTransaction', { name: t.string() })
    case 'commit': case 'end': {
      if (word === 'commit' && t.accept('prepared')) return made('commitPrepared', { name: t.string() })
      t.acceptOne('work', 'transaction')
      return made('commit', { chain: readChain(t) })
    }
    default: {
      if (word === 'rollback' && t.accept('prepared')) return made('rollbackPrepared', { name: t.string() })
      t.acceptOne('work', 'transaction')
      if (word === 'rollback' && t.accept('to')) {
        if (!tokenIsLast(t)) t.accept('savepoint')
        return made('rollbackTo', { name: t.name() })
      }
      return made('rollback', { chain: readChain(t) })
    }
  }
}

/** True when nothing follows the next token: a keyword there is a name. */
function tokenIsLast(t: TokenReader): boolean {
  return tokenAt(t.source, t.index + 1).kind === 'end'
}

function readChain(t: TokenReader): boolean {
  if (!t.accept('and')) return false
  const no = t.accept('no')
  t.expect('chain')
  return !no
}

export function readFetch(t: TokenReader): Fetch {
  const at = t.at, move = t.next().text === 'move'
  let direction: Fetch['direction'] = 'forward', count: number | 'all' = 1
  const following = tokenAt(t.source, t.index + 1)
  // a keyword that nothing follows is the cursor's name
  const named = !t.is('all') && (following.kind === 'end' || reads(following, 'with'))
  const word = named ? undefined : t.acceptOne('next', 'prior', 'first', 'last', 'absolute', 'relative', 'forward', 'backward', 'all')
  switch (word) {
    case 'next': case undefined: break
    case 'prior': direction = 'backward'; break
    case 'first': direction = 'absolute'; break
    case 'last': direction = 'absolute'; count = -1; break
    case 'absolute': case 'relative': direction = word; count = t.integer(); break
    case 'all': count = 'all'; break
    case 'forward': case 'backward':
      direction = word
      if (t.accept('all')) count = 'all'
      else if (t.token.kind === 'number' || t.is('-') || t.is('+')) count = t.integer()
  }
  if (word === undefined && !named && (t.token.kind === 'number' || t.is('-') || t.is('+'))) {
    count = t.integer()
    if (count < 0) { direction = 'backward'; count = -count }
  }
  if (!t.accept('from')) t.accept('in')
  const cursor = t.name()
  let timeout: string | undefined
  if (t.accept('with')) {
    for (const option of readOptions(t)) {
      if (option.key !== 'timeout') throw new SqlError('42601', `unrecognized FETCH option "${option.key}"`, { position: option.at })
      timeout = option.value
    }
  }
  return ended(t, { kind: 'fetch', move, cursor, direction, count, ...(timeout === undefined ? {} : { timeout }), at })
}

export function readClose(t: TokenReader): Close {
  const at = t.at
  t.expect('close')
  return t.accept('all') ? ended(t, { kind: 'close', at }) : ended(t, { kind: 'close', name: t.name(), at })
}

export function readExecute(t: TokenReader): Execute {
  const at = t.at
  t.expect('execute')
  const name = t.name()
  if (!t.is('(')) return ended(t, { kind: 'execute', name, args: [], at })
  const open = t.index, close = closing(t.source, open)
  if (close === open + 1) { t.next(); throw t.error() }
  const args = readArgumentRange(t.source, open + 1, close).map(argument => argument.value)
  t.moveTo(close + 1)
  return ended(t, { kind: 'execute', name, args, at })
}

export function readDeallocate(t: TokenReader): Deallocate {
  const at = t.at
  t.expect('deallocate')
  if (!tokenIsLast(t)) t.accept('prepare')
  return t.accept('all') ? ended(t, { kind: 'deallocate', at }) : ended(t, { kind: 'deallocate', name: t.name(), at })
}

export function readListen(t: TokenReader): Listen | Notify {
  const at = t.at, word = t.next().text
  if (word === 'listen') return ended(t, { kind: 'listen', channel: t.name(), at })
  if (word === 'unlisten') return t.accept('*') ? ended(t, { kind: 'unlisten', at }) : ended(t, { kind: 'unlisten', channel: t.name(), at })
  const channel = t.name()
  return t.accept(',') ? ended(t, { kind: 'notify', channel, payload: t.string(), at }) : ended(t, { kind: 'notify', channel, at })
}

/** VACUUM, ANALYZE, CHECKPOINT, LOCK, REFRESH, FLUSH, WAIT, RECOVER, CANCEL JOBS, KILL. */
export function readMaintenance(t: TokenReader): Maintenance {
  const at = t.at, word = t.next().text
  const made = (what: Maintenance['what'], tables: readonly Path[] = [], options: Maintenance['options'] = []): Maintenance => ended(t, { kind: 'maintenance', what, tables, options, at })
  switch (word) {
    case 'vacuum': case 'analyze': case 'analyse': {
      const options: Maintenance['options'][number][] = t.is('(') ? [...readOptions(t)] : []
      for (let here = t.at, key = t.acceptOne('full', 'freeze', 'verbose', 'analyze', 'analyse'); key !== undefined; here = t.at, key = t.acceptOne('full', 'freeze', 'verbose', 'analyze', 'analyse')) options.push({ key, value: 'true', at: here })
      const tables = t.atEnd ? [] : t.separated(() => { const path = t.path(); if (t.is('(')) t.skipBracket(); return path })
      return made(word === 'vacuum' ? 'vacuum' : 'analyze', tables, options)
    }
    case 'lock': {
      t.accept('table')
      const tables = t.separated(() => { t.accept('only'); const path = t.path(); t.accept('*'); return path })
      if (t.accept('in')) while (!t.accept('mode')) t.label()
      t.accept('nowait')
      return made('lock', tables)
    }
    case 'refresh': {
      if (t.accept('table')) return made('refresh', [t.path()])
      t.expect('materialized', 'view')
      t.accept('concurrently')
      const path = t.path()
      if (t.accept('with')) { t.accept('no'); t.expect('data') }
      return made('refresh materialized view', [path])
    }
    case 'cancel': {
      if (!t.accept('jobs')) t.expect('job')
      return made('cancel jobs', [], t.separated(() => ({ key: 'id', at: t.at, value: t.token.kind === 'string' ? t.string() : t.number() })))
    }
    case 'kill': return made('kill', [], [{ key: 'id', at: t.at, value: t.token.kind === 'string' ? t.string() : t.number() }])
    case 'checkpoint': return made('checkpoint')
    case 'flush': return made('flush')
    case 'wait': return made('wait')
    default: return made('recover')
  }
}
