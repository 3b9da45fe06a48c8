/**
 * The package as a user gets it: packed by npm, unpacked into an empty folder beside exactly the dependencies that it declares (links to ours: no network),
 * and used there, with Node 24 and with whatever older Node this machine has.
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { VERSION } from '../src/version.ts'

const root = fileURLToPath(new URL('..', import.meta.url)), run = promisify(execFile)
const manifest: { readonly version: string; readonly dependencies: Readonly<Record<string, string>>; readonly devDependencies: Readonly<Record<string, string>> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

let folder = '', modules = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-package-'))
  modules = join(folder, 'node_modules')
  execFileSync('npm', ['pack', '--pack-destination', folder, '--loglevel', 'error'], { cwd: root, stdio: 'pipe' })
  const tarball = readdirSync(folder).find(name => name.endsWith('.tgz'))
  execFileSync('tar', ['-xzf', tarball ?? 'no tarball'], { cwd: folder })
  mkdirSync(join(modules, '.bin'), { recursive: true })
  renameSync(join(folder, 'package'), join(modules, 'sluice'))
  symlinkSync('../sluice/bin/sluice.js', join(modules, '.bin/sluice'))
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The command, run by this Node (24) or by another. */
async function sluice(args: readonly string[], node = process.execPath): Promise<string> {
  return (await run(node, [join(modules, '.bin/sluice'), ...args], { cwd: folder })).stdout
}

/** A Node older than 24 that is on the path, if there is one. */
const older = (process.env['PATH'] ?? '').split(delimiter).map(path => join(path, process.platform === 'win32' ? 'node.exe' : 'node')).filter(existsSync)
  .find(path => Number(/^v(\d+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1]) < 24)

test('the version in the code is the package\'s', () => {
  expect(VERSION).toBe(manifest.version)
})

test('versions of dependencies are exact', () => {
  expect(Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
})

test('it carries no tests, no sources and no scratch files', () => {
  const files = readdirSync(join(modules, 'sluice'), { recursive: true, encoding: 'utf8' })
  expect(files).toContain('dist/kernel/kernel.wasm')
  expect(files.filter(name => /\.(test|tmp)\.|(?<!\.d)\.ts$|postgres-answers/.test(name))).toEqual([])
})

test('the command answers', async () => {
  expect(await sluice(['--version'])).toBe(`${VERSION}\n`)
  expect(await sluice(['query', '--lake', 'x', '--format', 'csv', 'SELECT 1 AS one'])).toBe('one\n1\n')
})

test.skipIf(older === undefined)(`the command answers when started by an older Node (skipped where there is none; here ${older ?? 'none'})`, async () => {
  expect(await sluice(['query', '--lake', 'x', '--format', 'csv', 'SELECT 1 AS one'], older)).toBe('one\n1\n')
  await expect(sluice(['query', '--lake', 'x', 'SELECT nothing'], older)).rejects.toMatchObject({ code: 1 })
})

test.skipIf(older === undefined)('started by an older Node it serves until it is told to stop', async () => {
  const server = spawn(older ?? '', [join(modules, '.bin/sluice'), 'serve', '--lake', 'x', '--port', '0'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const port = await new Promise<number>((resolve, reject) => {
      let text = ''
      server.stdout.setEncoding('utf8').on('data', (part: string) => { const found = /-p (\d+)/.exec(text += part)?.[1]; if (found !== undefined) resolve(Number(found)) })
      server.once('exit', code => reject(new Error(`ended with ${code}: ${text}`)))
    })
    const { default: pg } = await import('pg')
    const client = new pg.Client({ host: 'localhost', port, user: 'someone' })
    await client.connect()
    expect((await client.query('SELECT 40 + 2 AS answer')).rows).toEqual([{ answer: 42 }])
    await client.end()
    const ended = new Promise(resolve => server.once('exit', resolve))
    server.kill('SIGTERM')
    expect(await ended).toBe(0)
  } finally {
    server.kill('SIGKILL')
  }
})

const PROGRAM = `
import { open, SqlError } from 'sluice'
import type { Row } from 'sluice'
const lake = await open('./library', { threads: 2, morselRows: 2 })
await lake.query('CREATE TABLE t (a int, b text)').done()
await lake.query('INSERT INTO t VALUES (1, $1), (2, $2), (3, NULL)', ['x', 'y']).done()
await lake.query("INSERT INTO t VALUES (4, 'z')").done()
const rows: Row[] = await lake.query('SELECT a, b FROM t ORDER BY a').rows()
// two pieces of work: what the threads get
await lake.query('CREATE TABLE big (n int)').done()
for (const from of ['1, 70000', '70001, 140000']) await lake.query('INSERT INTO big SELECT n FROM generate_series(' + from + ') AS s(n)').done()
const sums: Row[] = await lake.query('SELECT count(*), sum(n) FROM big').rows()
let batches = 0
for await (const batch of lake.query('SELECT a FROM t')) batches += batch.numRows
const counts: unknown[] = []
for await (const epoch of lake.subscribe('SELECT count(*) AS n FROM t')) { counts.push(String(epoch.changes[0]?.row['n'])); break }
let code = ''
try { await lake.query('SELECT nothing').rows() } catch (error) { if (error instanceof SqlError) code = error.code }
// @ts-expect-error a number is no SQL
const wrong = (): unknown => lake.query(1)
await lake.close()
console.log(JSON.stringify({ rows, sum: String(sums[0]?.['sum']), batches, counts, code, wrong: typeof wrong }))
`

test('the library is typed, and runs, also on its worker threads', async () => {
  writeFileSync(join(folder, 'program.mts'), PROGRAM)
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true, module: 'nodenext', target: 'es2024', lib: ['es2024', 'dom', 'esnext.disposable'], types: [], outDir: '.' }, files: ['program.mts'] }))
  const { stdout: messages } = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { maxBuffer: 2 ** 26 }).catch((error: { readonly stdout: string }) => error)
  // through the links apache-arrow finds two versions of Node's types; its own words about that are not ours
  expect(messages.split('\n').filter(line => /^(program|node_modules\/sluice|\S*\/sluice\/dist)/.test(line))).toEqual([])
  const { stdout } = await run(process.execPath, ['program.mjs'], { cwd: folder })
  expect(JSON.parse(stdout)).toEqual({ rows: [{ a: 1, b: 'x' }, { a: 2, b: 'y' }, { a: 3, b: null }, { a: 4, b: 'z' }], sum: String(140_000 * 140_001 / 2), batches: 4, counts: ['4'], code: '42703', wrong: 'function' })
})

test('the demo runs and agrees with itself', async () => {
  expect(await sluice(['demo'])).toMatch(/The continuous answer equals the ad-hoc one at the same versions: 5 rows/)
})
