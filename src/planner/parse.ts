/**
 * The door of libpg-query, PostgreSQL's own grammar as WebAssembly: text in, raw tree out, errors as `SqlError`. What the tree means is read
 * at once by `tree*.ts`; nobody else sees it.
 */
import type * as LibPgQuery from 'libpg-query'
import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { SqlError } from '../error.ts'
import { Scanner } from './lexer.ts'
import { unitOfCharacter, characterOf } from './position.ts'
import type { Tree } from './tree.ts'

type Grammar = typeof LibPgQuery

const require = createRequire(import.meta.url)

let grammar: Grammar | undefined
let loading: Promise<Grammar> | undefined

/** Makes `parseTree` usable. Costs some milliseconds once, and again when a stack overflow hurt the grammar; nothing otherwise. */
export async function loadParser(): Promise<void> {
  loading ??= load()
  grammar = await loading
}

/** V8's own: so many bytes of code a function of WebAssembly executes before it is optimized. */
const TIERING_BUDGET = 13_000_000

async function load(): Promise<Grammar> {
  // The package keeps one instance for its module's life; without the cache's entry, `require` makes a new one.
  delete require.cache[require.resolve('libpg-query')]
  const loaded: Grammar = require('libpg-query')
  // One function of the grammar is so large that optimizing it takes half a second of CPU and 600 MB; V8 would do that in the first statement of every
  // process. With this budget, taken when a module is loaded, only functions that stay busy are optimized.
  setFlagsFromString(`--wasm-tiering-budget=${100 * TIERING_BUDGET}`)
  try {
    await loaded.loadModule()
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`)
  }
  return loaded
}

/**
 * How deeply one expression may hang on another. A stack overflow inside WebAssembly loses a piece of its stack for good, and some thirty of them
 * break the module; so what could overflow is refused before, by counting.
 */
const MAX_DEPTH = 4000

/** The raw tree of the statements in the text. Error positions are 1-based characters of this very text. */
export function parseTree(sql: string): readonly Tree[] {
  if (grammar === undefined) throw new SqlError('XX000', 'the SQL parser is not loaded yet')
  checkText(sql)
  checkDepth(sql)
  try {
    const result: unknown = grammar.parseSync(sql)
    return (result as { readonly stmts?: readonly { readonly stmt?: Tree }[] }).stmts?.flatMap(each => each.stmt === undefined ? [] : [each.stmt]) ?? []
  } catch (error) {
    if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError) {
      loading = undefined // hurt: the next `loadParser` makes a fresh instance
      throw tooDeep()
    }
    if (error instanceof Error && 'sqlDetails' in error) {
      const details = (error as InstanceType<Grammar['SqlError']>).sqlDetails
      throw postgresError(sql, error.message, details?.cursorPosition ?? 0)
    }
    throw error
  }
}

/** SQLSTATE 54001, in Postgres's words. */
export function tooDeep(position?: number): SqlError {
  return new SqlError('54001', 'stack depth limit exceeded', { position, hint: 'Simplify the statement: it nests too deeply.' })
}

/** Throws 22021 for what cannot be UTF-8 text without a zero byte. */
export function checkText(sql: string): void {
  const zero = sql.indexOf('\0')
  if (zero >= 0) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": 0x00', { position: characterOf(sql, zero) })
  if (!sql.isWellFormed()) throw new SqlError('22021', 'invalid byte sequence for encoding "UTF8": half of a surrogate pair')
}

/** Words that hang what follows on what stands before, as operators do. */
const CHAIN_WORDS: ReadonlySet<string> = new Set(['is', 'collate', 'at', 'not', 'in', 'like', 'ilike', 'between', 'similar', 'isnull', 'notnull'])
/** The same for words that neither a comma nor AND ends. */
const STEP_WORDS: ReadonlySet<string> = new Set(['join', 'union', 'intersect', 'except', 'case'])

/**
 * Bounds the depth of the tree from above: for each bracket that is open, its operators since the last comma, AND or OR (whose lists are flat), and its
 * joins, set operations and open CASEs.
 */
function checkDepth(sql: string): void {
  if (sql.length < MAX_DEPTH) return
  const scanner = new Scanner(sql), outside: number[] = []
  let chain = 0, steps = 0, outer = 0 // of this bracket; and the sum of those around it
  for (;;) {
    const kind = scanner.next()
    if (kind === 'end') return
    const c = sql.charCodeAt(scanner.start)
    if (kind === 'name') {
      const length = scanner.end - scanner.start
      if (length >= 2 && length <= 9) {
        const word = scanner.text()
        if (word === 'and' || word === 'or') chain = 0
        else if (CHAIN_WORDS.has(word)) chain += word === 'at' ? 2 : 1
        else if (STEP_WORDS.has(word)) steps += word === 'case' ? 2 : 1
        else if (word === 'select' && chain + steps === 0) steps = 2 // a subquery takes more stack than a bracket
        else if (word === 'end') steps = Math.max(0, steps - 2)
      }
    } else if (kind === 'symbol') {
      if (c === 40 || c === 91) { outside.push(chain, steps); outer += chain + steps + 2; chain = 0; steps = 0 }
      else if (c === 41 || c === 93) { steps = outside.pop() ?? 0; chain = outside.pop() ?? 0; outer = Math.max(0, outer - chain - steps - 2) }
      else if (c === 44) chain = 0
      else if (c !== 46 && c !== 59) chain++
    }
    if (outer + chain + steps > MAX_DEPTH) throw tooDeep(characterOf(sql, scanner.start))
  }
}

/** The grammar reports no SQLSTATE: it follows from the message. */
function postgresError(sql: string, message: string, character: number): SqlError {
  if (message.startsWith('memory exhausted') || message.startsWith('stack depth limit exceeded')) return tooDeep(character === 0 ? undefined : character + 1)
  const code = /not (yet )?(implemented|supported)|no longer supported|not implemented/.test(message) ? '0A000'
    : /^frame (start|end|starting)/.test(message) ? '42P20'
    : /Unicode (escape|surrogate)/.test(message) && !message.startsWith('syntax') ? '22025'
    : message.startsWith('unsafe use of') ? '22P06'
    : message.startsWith('invalid byte sequence') ? '22021'
    : /^precision for type/.test(message) ? '22023'
    : message.startsWith('parameter number too large') ? '22003'
    : '42601'
  const position = character > 0 || message.startsWith('syntax error') || message.startsWith('unterminated') || message.startsWith('zero-length')
    ? characterOf(sql, unitOfCharacter(sql, character)) : undefined
  return new SqlError(code, message, { position })
}
