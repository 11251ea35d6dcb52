import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['sdk/src/**/*.test.ts', 'player/src/**/*.test.ts', 'admin/src/**/*.test.ts'] },
});
