/**
 * `npm run build`: what the package carries. TypeScript's compiler turns src/ into dist/ (JavaScript and declarations, imports of `./x.ts` rewritten to
 * `./x.js`), and the files that the code reads beside itself are copied. Node strips no types below node_modules, so the package must be JavaScript.
 *
 *     node build.ts [FOLDER]
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = dirname(fileURLToPath(import.meta.url)), source = join(root, 'src')

/** What the code opens by `new URL(…, import.meta.url)`. */
const BESIDE = ['kernel/kernel.wasm']

/** Compiles src/ into the folder; throws with the compiler's messages when it cannot. */
export function build(folder: string): void {
  const read = ts.readConfigFile(join(root, 'tsconfig.json'), path => ts.sys.readFile(path))
  const { options, errors } = ts.parseJsonConfigFileContent(read.config, ts.sys, root)
  check([...read.error === undefined ? [] : [read.error], ...errors])
  rmSync(folder, { recursive: true, force: true })
  const program = ts.createProgram(['main.ts', 'index.ts', 'exec/worker.ts', 'webassembly.d.ts'].map(name => join(source, name)), {
    ...options, noEmit: false, allowImportingTsExtensions: false, declaration: true, stripInternal: true, rootDir: source, outDir: folder,
    // `npm run types` is the check; here only what stands in the way of emitting counts
    noCheck: true,
  })
  const { diagnostics } = program.emit()
  check([...ts.getPreEmitDiagnostics(program), ...diagnostics])
  for (const name of BESIDE) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    copyFileSync(join(source, name), join(folder, name))
  }
}

function check(diagnostics: readonly ts.Diagnostic[]): void {
  const wrong = diagnostics.filter(each => each.category === ts.DiagnosticCategory.Error)
  if (wrong.length > 0) throw new Error(ts.formatDiagnostics(wrong, { getCurrentDirectory: () => root, getCanonicalFileName: name => name, getNewLine: () => '\n' }))
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(root, 'dist')
  build(folder)
  console.log(`${readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).length} files in ${folder}`)
}
