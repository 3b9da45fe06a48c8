import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { SqlError } from '../error.ts'
import { countingStore, faultStore } from './store-fault.ts'
import { openLocalStore, openStore } from './store-local.ts'
import { openMemoryStore } from './store-memory.ts'
import type { ObjectStore } from './store.ts'

const text = (s: string): Uint8Array => new TextEncoder().encode(s)
const shown = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.slice())
const codeOf = async (promise: Promise<unknown>): Promise<string> => promise.then(() => 'no error', (error: unknown) => error instanceof SqlError ? error.code : String(error))

const folders: string[] = []
async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'sluice-store-'))
  folders.push(made)
  return made
}
afterEach(async () => { for (const made of folders.splice(0)) await rm(made, { recursive: true, force: true }) })

const stores: readonly (readonly [string, () => Promise<ObjectStore>])[] = [
  ['local', async () => openLocalStore(join(await folder(), 'not/yet/there'))],
  ['memory', async () => openMemoryStore()],
  ['counted local', async () => countingStore(openLocalStore(await folder())).store],
]

describe.each(stores)('%s store', (_name, open) => {
  test('what is written can be read, whole and in part', async () => {
    const store = await open()
    expect(await store.write('a/b/c', text('hello'), 'create')).toBe(true)
    expect(shown(await store.read('a/b/c'))).toBe('hello')
    expect(shown(await store.read('a/b/c', 1, 3))).toBe('el')
    expect(shown(await store.read('a/b/c', 2))).toBe('llo')
    expect(shown(await store.read('a/b/c', 5))).toBe('')
    expect(await store.stat('a/b/c')).toMatchObject({ path: 'a/b/c', size: 5 })
    expect(await store.stat('a/b')).toBeUndefined()
    expect(await store.stat('a/b/')).toMatchObject({ path: 'a/b/', size: 0 })
    expect(await store.stat('a/b/c/d')).toBeUndefined()
    expect(Math.abs(((await store.stat('a/b/c'))?.modified ?? 0) - Date.now())).toBeLessThan(60_000)
  })

  test('reads into a view of shared memory', async () => {
    const store = await open()
    await store.write('f', text('0123456789'), 'create')
    const shared = new Uint8Array(new SharedArrayBuffer(64))
    const view = await store.read('f', 2, 7, shared.subarray(8, 20))
    expect(shown(view)).toBe('23456')
    expect(view.buffer).toBe(shared.buffer)
    expect(shown(shared.subarray(6, 15))).toBe('\0\x0023456\0\0')
  })

  test('create never overwrites, replace always does', async () => {
    const store = await open()
    expect(await store.write('f', text('one'), 'create')).toBe(true)
    expect(await store.write('f', text('two'), 'create')).toBe(false)
    expect(shown(await store.read('f'))).toBe('one')
    expect(await store.write('f', text('three'), 'replace')).toBe(true)
    expect(await store.write('g', text('four'), 'replace')).toBe(true)
    expect(shown(await store.read('f')) + shown(await store.read('g'))).toBe('threefour')
  })

  test('of many who create one object exactly one succeeds, and its bytes stay', async () => {
    const store = await open()
    const won = await Promise.all(Array.from({ length: 20 }, (_, i) => store.write('race/snapshot-1', text(`writer ${i}`), 'create')))
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(shown(await store.read('race/snapshot-1'))).toBe(`writer ${won.indexOf(true)}`)
    expect((await store.list('race')).map(o => o.path)).toEqual(['race/snapshot-1'])
  })

  test('lists one level, in byte order, folders with a slash', async () => {
    const store = await open()
    for (const path of ['t/b', 't/a.x', 't/a/1', 't/a/2', 't/～', 't/😀', 't/Z', 'other']) await store.write(path, text(path), 'create')
    expect((await store.list('t')).map(o => o.path)).toEqual(['t/Z', 't/a.x', 't/a/', 't/b', 't/～', 't/😀'])
    expect(await store.list('t/')).toEqual(await store.list('t'))
    expect((await store.list('')).map(o => o.path)).toEqual(['other', 't/'])
    expect((await store.list('t')).map(o => o.size)).toEqual([3, 5, 0, 3, 5, 6])
    expect(await store.list('nowhere')).toEqual([])
  })

  test('folders can be empty', async () => {
    const store = await open()
    expect(await store.write('x.db/', text(''), 'create')).toBe(true)
    expect(await store.write('x.db/', text(''), 'create')).toBe(false)
    expect((await store.list('')).map(o => o.path)).toEqual(['x.db/'])
    await store.write('x.db/t/f', text('f'), 'create')
    await store.remove('x.db/t/f')
    expect((await store.list('x.db')).map(o => o.path)).toEqual(['x.db/t/'])
    await store.removeFolder('x.db')
    expect(await store.list('')).toEqual([])
  })

  test('removing', async () => {
    const store = await open()
    for (const path of ['a/1', 'a/b/2', 'ab']) await store.write(path, text(path), 'create')
    await store.remove('a/1')
    await store.remove('a/1')
    await store.remove('nowhere/at/all')
    expect(await store.stat('a/1')).toBeUndefined()
    await store.removeFolder('a')
    await store.removeFolder('a')
    expect((await store.list('')).map(o => o.path)).toEqual(['ab'])
  })

  test('errors have their codes and name the path', async () => {
    const store = await open()
    await store.write('d/f', text('abc'), 'create')
    expect(await codeOf(store.read('d/none'))).toBe('58P01')
    expect(await codeOf(store.read('d'))).toBe('58P01')
    expect(await codeOf(store.read('d/f', 1, 9))).toBe('XX001')
    await expect(store.read('d/none')).rejects.toThrow('d/none')
    await expect(store.read('d/f', 0, 4)).rejects.toThrow('d/f')
    for (const path of ['/etc/passwd', '../x', 'a/../../x', 'a//b', './a', 'a/.', 'a\0b', '..']) {
      expect(await codeOf(store.stat(path))).toBe('22023')
      expect(await codeOf(store.read(path))).toBe('22023')
      expect(await codeOf(store.write(path, text(''), 'create'))).toBe('22023')
      expect(await codeOf(store.remove(path))).toBe('22023')
      expect(await codeOf(store.list(path))).toBe('22023')
      expect(await codeOf(store.removeFolder(path))).toBe('22023')
    }
  })

  test('what a caller does to its bytes later changes nothing', async () => {
    const store = await open()
    const bytes = text('abc')
    await store.write('f', bytes, 'create')
    bytes.fill(0)
    const read = await store.read('f')
    expect(shown(read)).toBe('abc')
    read.fill(0)
    expect(shown(await store.read('f'))).toBe('abc')
  })
})

test('a local store leaves no temporary file, hides those of others, and follows its spec', async () => {
  const root = await folder()
  const store = openLocalStore(root)
  await store.write('s/a', text('1'), 'create')
  await store.write('s/a', text('2'), 'create')
  await store.write('s/a', text('3'), 'replace')
  expect(await readdir(join(root, 's'))).toEqual(['a'])
  await writeFile(join(root, 's/.snapshot-2.123.tmp'), 'half')
  await writeFile(join(root, 's/.hidden'), 'x')
  await symlink(join(root, 's/nowhere'), join(root, 's/dangling'))
  expect((await store.list('s')).map(o => o.path)).toEqual(['s/.hidden', 's/a'])
  if (store.spec === undefined) throw new Error('no spec')
  expect(shown(await openStore(store.spec).read('s/a'))).toBe('3')
})

test('I/O errors of the system are 58030 and name the path', async () => {
  const store = openLocalStore(await folder())
  await store.write('f', text('x'), 'create')
  expect(await codeOf(store.write('f/g', text('y'), 'create'))).toBe('58030') // below a file
  await expect(store.write('f/g', text('y'), 'replace')).rejects.toThrow('f/g')
  expect(await codeOf(store.write('d'.repeat(300), text('y'), 'create'))).toBe('58030')
})

test('a fault store fails at one call, before or after it happened', async () => {
  for (const when of ['before', 'after'] as const) {
    const inner = openMemoryStore()
    const { store, failed } = faultStore(inner, 1, when, 'dead')
    await store.write('a', text('a'), 'create')
    expect(failed()).toBe(false)
    expect(await codeOf(store.write('b', text('b'), 'create'))).toBe('58030')
    expect(failed()).toBe(true)
    expect((await inner.list('')).map(o => o.path)).toEqual(when === 'before' ? ['a'] : ['a', 'b'])
    expect(await codeOf(store.stat('a'))).toBe('58030')
  }
  const { store } = faultStore(openMemoryStore(), 0, 'before', 'alive')
  expect(await codeOf(store.stat('a'))).toBe('58030')
  expect(await store.stat('a')).toBeUndefined()
})
