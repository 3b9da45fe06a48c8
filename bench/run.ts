/** `npm run bench -- NAME [ARGUMENTS]`: each benchmark runs Sluice and a peer in the same run, and appends what it measured to results/NAME.jsonl. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: (args: readonly string[]) => Promise<number> }>>> = {
  start: () => import('./start.ts'),
  scan: () => import('./scan.ts'),
  tpch: () => import('./tpch.ts'),
}

const [name = '', ...rest] = process.argv.slice(2), bench = BENCHES[name]
if (bench === undefined) {
  console.error(`which benchmark? ${Object.keys(BENCHES).join(', ')}`)
  process.exitCode = 2
} else {
  process.exitCode = await (await bench()).run(rest)
}
