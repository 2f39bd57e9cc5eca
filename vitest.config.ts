import { defineConfig } from 'vitest/config';

/** One project per test folder, so that each can be run alone (`npm test`, `npm run test:kernel`, …). */
const project = (name: string, timeoutMs: number, serial = false) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    ...(serial ? { fileParallelism: false, pool: 'forks' as const } : {}),
  },
});

export default defineConfig({
  test: {
    projects: [
      project('unit', 10_000),
      project('golden', 10_000),
      project('fuzz', 120_000),
      project('kernel', 60_000, true),
      project('e2e', 300_000, true),
    ],
  },
});
