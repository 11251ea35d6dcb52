import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['*.test.ts'],
    // Real time, a real server and a real browser: one after the other, so that a busy machine does not fail them.
    fileParallelism: false,
    testTimeout: 150_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000, interval: 50 } },
  },
});
