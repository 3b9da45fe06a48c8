/** WITH ( 'key' = 'value', dotted.key = 4, name ) and its like. */
import type { Option } from './statement-syntax.ts'
import type { TokenReader } from './token-reader.ts'

/** The bracket that opens here. Quoted and dotted keys, dashes, several words (RETAIN HISTORY FOR '1 hour'); a key alone is true. */
export function readOptions(t: TokenReader): Option[] {
  return t.parenthesised(() => readOption(t))
}

function readOption(t: TokenReader): Option {
  const at = t.at
  let key = t.nameOrString()
  for (;;) {
    if (t.accept('.')) key += `.${t.nameOrString()}`
    else if (t.accept('-')) key += `-${t.label()}`
    else if (t.isName && !['to', 'on', 'off', 'true', 'false'].some(word => t.is(word))) key += ` ${t.next().text}`
    else break
  }
  if (t.accept('=') || t.accept('=>') || t.accept('to')) return { key, value: readOptionValue(t), at }
  if (t.is(',') || t.is(')')) return { key, value: 'true', at }
  return { key, value: readOptionValue(t), at }
}

/** A string, number or word as text; `interval '1 day'` is the string; `(a, b)` and `a.b` keep their commas and dots. */
export function readOptionValue(t: TokenReader): string {
  if (t.token.kind === 'string') return t.string()
  if (t.is('(')) return t.parenthesised(() => readOptionValue(t)).join(',')
  if (t.accept('*')) return '*'
  if (!t.isName) return t.number()
  let words = t.label()
  while (t.accept('.')) words += `.${t.label()}`
  return t.isString() ? t.string() : words
}
