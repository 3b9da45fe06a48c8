import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'sqllogictest/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // each file in a process of its own: the engine reserves a 4 GiB memory and starts workers
    pool: 'forks',
    maxWorkers: 2,
  },
})
