import { defineConfig } from 'vitest/config';

/** `npm run screenshots` takes the pictures in `docs/images` again. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['screenshots.ts'],
    testTimeout: 240_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000, interval: 100 } },
  },
});
