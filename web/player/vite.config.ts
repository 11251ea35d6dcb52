import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';

/** Variables of `web/.env` and of the shell, which comes first: `web/.env.example` has them all. */
const FOLDER = resolve(import.meta.dirname, '..');

export default defineConfig(({ mode }) => {
  /** Where `npm run dev` finds the server. */
  const server = loadEnv(mode, FOLDER, 'DOPAMINE_HERO_')['DOPAMINE_HERO_SERVER'] ?? 'http://127.0.0.1:3001';
  return {
    root: import.meta.dirname,
    envDir: FOLDER,
    plugins: [react()],
    build: {
      outDir: 'dist',
      emptyOutDir: true,
      target: 'es2022',
      // The server's content security policy allows no data: fonts.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    server: { port: 5173, proxy: { '/v1': { target: server, ws: true, changeOrigin: true } } },
  };
});
