import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npm run dev:admin` finds the operators' listener. */
const server = process.env['DOPAMINE_HERO_ADMIN'] ?? 'http://127.0.0.1:3002';

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The listener's content security policy allows no data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { port: 5174, proxy: { '/v1': { target: server, changeOrigin: true } } },
});
