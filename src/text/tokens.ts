/** The words that date, time and interval input is made of, cut as PostgreSQL cuts them. */
import { isBlank } from './settings.ts'

export interface Token {
  /** number `12` `1.5` · date `1999-01-08` `8-Jan-1999` · time `04:05:06.7` · zone (a sign and digits) · word · special (a sign and letters) */
  readonly kind: 'number' | 'date' | 'time' | 'zone' | 'word' | 'special'
  /** Letters are in lower case. */
  readonly text: string
}

const digit = (c: string | undefined): boolean => c !== undefined && c >= '0' && c <= '9'
const letter = (c: string | undefined): boolean => c !== undefined && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
const alnum = (c: string | undefined): boolean => digit(c) || letter(c)

/** Words after which digits begin a new token: months, weekdays, eras. */
const DATE_WORDS = new Set(('epoch infinity now today tomorrow yesterday ad bc am pm at allballs d dow doy dst h j jd julian m mm on s t y z zulu '
  + 'january jan february feb march mar april apr may june jun july jul august aug september sep sept october oct november nov december dec '
  + 'sunday sun monday mon tuesday tue tues wednesday wed weds thursday thu thur thurs friday fri saturday sat').split(' '))

/** The tokens of a text; undefined when a character belongs to none. */
export function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const start = at
    const c = text[at] ?? ''
    if (isBlank(c.charCodeAt(0))) { at++; continue }
    if (digit(c)) {
      while (digit(text[at])) at++
      const mark = text[at]
      if (mark === ':') {
        while (digit(text[at]) || text[at] === ':' || text[at] === '.') at++
        tokens.push({ kind: 'time', text: text.slice(start, at) })
      } else if (mark === '-' || mark === '/' || mark === '.') {
        at++
        let kind: Token['kind'] = mark === '.' ? 'number' : 'date'
        if (digit(text[at])) {
          while (digit(text[at])) at++
          if (text[at] === mark) {
            kind = 'date'
            while (digit(text[at]) || text[at] === mark) at++
          }
        } else {
          // `1.` alone is a number; `8-jan-1999` and `1/jan/99` have the month as a word.
          if (mark !== '.' || alnum(text[at]) || text[at] === mark) kind = 'date'
          while (alnum(text[at]) || text[at] === mark) at++
        }
        tokens.push({ kind, text: text.slice(start, at).toLowerCase() })
      } else tokens.push({ kind: 'number', text: text.slice(start, at) })
    } else if (c === '.') {
      at++
      while (digit(text[at])) at++
      tokens.push({ kind: 'number', text: text.slice(start, at) })
    } else if (letter(c)) {
      while (letter(text[at])) at++
      const next = text[at]
      const dated = next === '-' || next === '/' || next === '.' || ((next === '+' || digit(next)) && !DATE_WORDS.has(text.slice(start, at).toLowerCase()))
      if (dated) {
        while (alnum(text[at]) || /^[-+/_.:]$/.test(text[at] ?? '')) at++
        tokens.push({ kind: 'date', text: text.slice(start, at).toLowerCase() })
      } else tokens.push({ kind: 'word', text: text.slice(start, at).toLowerCase() })
    } else if (c === '+' || c === '-') {
      at++
      while (isBlank(text.charCodeAt(at))) at++
      const from = at
      if (digit(text[at])) {
        while (digit(text[at]) || text[at] === ':' || text[at] === '.' || text[at] === '-') at++
        tokens.push({ kind: 'zone', text: c + text.slice(from, at) })
      } else if (letter(text[at])) {
        while (letter(text[at])) at++
        tokens.push({ kind: 'special', text: c + text.slice(from, at).toLowerCase() })
      } else return undefined
    } else if (/^[!-~]$/.test(c)) at++
    else return undefined
  }
  return tokens
}
