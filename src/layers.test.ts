import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const src = dirname(fileURLToPath(import.meta.url))
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).map(name => name.replaceAll('\\', '/'))
  .filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.endsWith('.as.ts'))
const sources = files.filter(name => !name.endsWith('.test.ts'))

/** Lower rooms never import higher ones. A file directly in src/ that is not named here is vocabulary. */
const LEVELS: readonly (readonly string[])[] = [
  ['vocabulary', 'function', 'kernel', 'text'],
  ['storage'],
  ['planner', 'exec'],
  ['engine', 'view', 'session'],
  ['library', 'wire'],
  ['cli', 'main'],
]
const TOP: Readonly<Record<string, string>> = { 'engine.ts': 'engine', 'view.ts': 'view', 'index.ts': 'library', 'main.ts': 'main' }

function roomOf(file: string): string {
  const folder = file.includes('/') ? file.slice(0, file.indexOf('/')) : undefined
  return folder ?? TOP[file] ?? 'vocabulary'
}
function levelOf(room: string): number {
  const level = LEVELS.findIndex(rooms => rooms.includes(room))
  if (level < 0) throw new Error(`src/${room} is not in the layers: add it to LEVELS where it belongs`)
  return level
}
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), 'utf8')
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]/g), ...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g), ...text.matchAll(/(?:^|\n)import\s*['"]([^'"]+)['"]/g)]
    .map(match => match[1] ?? '')
}

test('no import goes upward', () => {
  const wrong: string[] = []
  for (const file of sources) {
    for (const name of importsOf(file).filter(name => name.startsWith('.'))) {
      const target = relative(src, resolve(src, dirname(file), name)).replaceAll('\\', '/')
      const from = roomOf(file), to = roomOf(target)
      if (target.startsWith('..')) { if (target !== '../package.json') wrong.push(`${file} → ${target}`) }
      else if (levelOf(to) > levelOf(from)) wrong.push(`${file} (${from}) → ${target} (${to})`)
      else if (from === 'planner' && to === 'exec') wrong.push(`${file} → ${target}: the planner never imports exec`)
    }
  }
  expect(wrong).toEqual([])
})

test('each third-party package is imported by exactly one file', () => {
  const doors = new Map<string, Set<string>>()
  for (const file of sources) {
    for (const name of importsOf(file).filter(name => !name.startsWith('.') && !name.startsWith('node:'))) {
      const parts = name.split('/'), pack = name.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0] ?? name
      doors.set(pack, (doors.get(pack) ?? new Set()).add(file))
    }
  }
  expect([...doors].filter(([, importers]) => importers.size > 1).map(([pack, importers]) => `${pack}: ${[...importers].join(', ')}`)).toEqual([])
})

test('every dependency of the package is imported, and nothing else is', () => {
  const manifest: { dependencies: Record<string, string> } = JSON.parse(readFileSync(join(src, '../package.json'), 'utf8'))
  const used = new Set(sources.flatMap(importsOf).filter(name => !name.startsWith('.') && !name.startsWith('node:')).map(name => name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : name.split('/')[0] ?? name))
  // `node` is the runtime itself: npm scripts run it
  expect([...used].sort()).toEqual(Object.keys(manifest.dependencies).filter(name => name !== 'node').sort())
})

test('no import cycle', () => {
  const edges = new Map(sources.map(file => {
    const text = readFileSync(join(src, file), 'utf8')
    const values = [...text.matchAll(/(?:^|\n)(?:import|export)\s(?!type\s)[^'"]*?from\s*['"](\.[^'"]+)['"]/g)].map(match => relative(src, resolve(src, dirname(file), match[1] ?? '')).replaceAll('\\', '/'))
    return [file, values] as const
  }))
  const state = new Map<string, 'open' | 'done'>(), cycles: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') { cycles.push([...path.slice(path.indexOf(file)), file].join(' → ')); return }
    state.set(file, 'open')
    for (const next of edges.get(file) ?? []) visit(next, [...path, file])
    state.set(file, 'done')
  }
  for (const file of sources) visit(file, [])
  expect(cycles).toEqual([])
})

test('no source file is longer than 600 lines', () => {
  const long = sources.map(file => [file, readFileSync(join(src, file), 'utf8').split('\n').length] as const).filter(([, lines]) => lines > 601)
  expect(long).toEqual([])
})

test('no room is named after nothing', () => {
  expect(files.filter(file => /(?:^|\/)(?:utils?|common|helpers?|misc|manager)\b/.test(file))).toEqual([])
})
