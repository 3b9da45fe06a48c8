/**
 * Three ways to count in one text: UTF-16 units (JavaScript), UTF-8 bytes (the trees of Postgres's grammar) and characters (what users are told).
 */

/** The 1-based character position of a UTF-16 offset. */
export function characterOf(text: string, unit: number): number {
  let position = unit + 1
  for (let i = 0; i < unit && i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0xd800 && code < 0xdc00) position--
  }
  return position
}

/** Maps the UTF-8 byte offsets of a text to UTF-16 offsets; the identity for ASCII text, which costs one look. */
export function unitsOfBytes(text: string): (byte: number) => number {
  if (!/[^\x00-\x7f]/.test(text)) return byte => byte
  const units = new Int32Array(Buffer.byteLength(text) + 1)
  let byte = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i) ?? 0
    const width = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    units.fill(i, byte, byte + width)
    byte += width
    if (width === 4) i++
  }
  units[byte] = text.length
  return offset => units[offset] ?? text.length
}

/** The UTF-16 offset of a 0-based character. */
export function unitOfCharacter(text: string, character: number): number {
  let unit = 0
  for (let seen = 0; seen < character && unit < text.length; seen++) unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1
  return unit
}

/** `characterOf` for many questions about one text. */
export function charactersOf(text: string): (unit: number) => number {
  if (!/[\ud800-\udbff]/.test(text)) return unit => unit + 1
  const positions = new Int32Array(text.length + 1)
  let position = 1
  for (let i = 0; i <= text.length; i++) {
    positions[i] = position
    const code = text.charCodeAt(i)
    if (code < 0xd800 || code >= 0xdc00) position++
  }
  return unit => positions[unit] ?? position
}
