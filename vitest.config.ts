import { defineConfig } from 'vitest/config';

const project = (name: string, extra: object = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], ...extra },
});

/** Unit mirrors src; e2e and memory work on dist/, so `npm test` builds first. */
export default defineConfig({
  test: {
    projects: [
      project('unit', { testTimeout: 20_000 }),
      project('integration', { testTimeout: 30_000, hookTimeout: 30_000 }),
      project('e2e', { testTimeout: 120_000, hookTimeout: 60_000, fileParallelism: false }),
      project('memory', {
        testTimeout: 300_000,
        fileParallelism: false,
        pool: 'forks',
        execArgv: ['--expose-gc'],
      }),
    ],
  },
});
