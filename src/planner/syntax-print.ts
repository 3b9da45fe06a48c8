/** Syntax as text for people: tests, and debugging. Operators as they are written, everything else as `(kind field=value …)`; positions, false and empty fields are left out. */

export function printSyntax(node: unknown): string {
  if (typeof node === 'string') return `'${node.replaceAll("'", "''")}'`
  if (Array.isArray(node)) return isPath(node) ? node.map(String).join('.') : `[${node.map(each => printSyntax(each)).join(', ')}]`
  if (typeof node !== 'object' || node === null) return String(node)
  const fields = new Map<string, unknown>(Object.entries(node)), kind = fields.get('kind'), show = (name: string): string => printSyntax(fields.get(name))
  switch (kind) {
    case 'number': return String(fields.get('text'))
    case 'string': return show('value')
    case 'boolean': return String(fields.get('value'))
    case 'null': case 'default': return kind
    case 'param': return `$${String(fields.get('index'))}`
    case 'column': return show('path')
    case 'star': return Array.isArray(fields.get('path')) && show('path') !== '[]' ? `${show('path')}.*` : '*'
    case 'operator': return fields.get('left') === undefined ? `(${String(fields.get('symbol'))} ${show('right')})` : `(${show('left')} ${String(fields.get('symbol'))} ${show('right')})`
    case 'and': case 'or': { const args = fields.get('args'); return `(${(Array.isArray(args) ? args : []).map(each => printSyntax(each)).join(` ${kind} `)})` }
    case 'not': return `(not ${show('arg')})`
    case 'cast': return `${show('arg')}::${show('type')}`
    case 'array': case 'row': return `${kind}${show(kind === 'array' ? 'elements' : 'fields')}`
  }
  if (fields.has('setOf') && fields.has('modifiers')) return printType(fields)
  if (kind === undefined && fields.has('value') && [...fields.keys()].every(key => key === 'value' || key === 'name') && fields.get('name') === undefined) return show('value')
  const parts = [...fields].filter(([name, value]) => name !== 'kind' && name !== 'at' && value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => value === true ? name : `${name}=${printSyntax(value)}`)
  return `(${[...typeof kind === 'string' ? [kind] : [], ...parts].join(' ')})`
}

function printType(fields: ReadonlyMap<string, unknown>): string {
  const show = (name: string): string => printSyntax(fields.get(name))
  const modifiers = fields.get('modifiers'), dimensions = Number(fields.get('dimensions')), args = fields.get('arguments'), inner = fields.get('fields')
  const list = (items: unknown): string => (Array.isArray(items) ? items : []).map(each => printSyntax(each)).join(', ')
  return (fields.get('setOf') === true ? 'setof ' : '') + show('path')
    + (args === undefined ? '' : `<${list(args)}>`) + (inner === undefined ? '' : `<${list(inner)}>`)
    + (fields.get('intervalFields') === undefined ? '' : ` ${String(fields.get('intervalFields'))}`)
    + (Array.isArray(modifiers) && modifiers.length > 0 ? `(${list(modifiers)})` : '') + '[]'.repeat(dimensions)
    + (fields.get('notNull') === true ? ' not null' : '')
}

/** A dotted name rather than a list of strings: every part reads like a name. */
function isPath(node: readonly unknown[]): boolean {
  return node.length > 0 && node.every(part => typeof part === 'string')
}
