/// <reference types="vitest/config" />
import { readFileSync } from 'node:fs';
import react from '@vitejs/plugin-react';
import { type Plugin, defineConfig } from 'vite';
import { mock } from './dev/mock';

/** qr-scanner starts its worker from a blob, which our policy (script-src 'self') forbids: give the worker a file of its own. */
function workerFile(): Plugin {
  const name = 'qr-scanner-worker.min.js';
  const mark = 'virtual:qr-worker';
  const code = () => {
    const text = readFileSync(new URL(`./node_modules/qr-scanner/${name}`, import.meta.url), 'utf8');
    const inner = /new Blob\(\[`([\s\S]*)`\]/.exec(text)?.[1];
    if (!inner) throw new Error('qr-scanner changed how it holds its worker');
    return new Function(`return \`${inner}\``)() as string;
  };
  let building = false;
  return {
    name: 'qr-worker-file',
    enforce: 'pre',
    configResolved: (config) => { building = config.command === 'build'; },
    resolveId: (id) => (id.endsWith(name) ? `\0${mark}` : undefined),
    load(id) {
      if (id !== `\0${mark}`) return undefined;
      if (!building) return `export const createWorker = () => new Worker('/@qr-worker.js');`;
      const file = this.emitFile({ type: 'asset', name: 'qr-worker.js', source: code() });
      return `export const createWorker = () => new Worker(import.meta.ROLLUP_FILE_URL_${file});`;
    },
    configureServer(server) {
      server.middlewares.use('/@qr-worker.js', (_, reply) => {
        reply.setHeader('Content-Type', 'text/javascript');
        reply.end(code());
      });
    },
  };
}

const real = process.env.FORMICARY; // e.g. http://127.0.0.1:8700 : develop against a running gateway instead of the mock

const PAGES = { wallet: 'index.html', till: 'till/index.html', operator: 'operator/index.html', explorer: 'explorer/index.html' };
const only = process.env.PAGES?.split(','); // build some of them only, while others are being written

export default defineConfig({
  plugins: [react(), workerFile(), ...(real ? [] : [mock()])],
  optimizeDeps: { exclude: ['qr-scanner'] },
  server: {
    host: '127.0.0.1',
    ...(real ? { proxy: Object.fromEntries(['/v1', '/oauth', '/.well-known', '/health', '/ready', '/metrics', '/openapi.json'].map((path) => [path, { target: real, changeOrigin: true, headers: { origin: real } }])) } : {}),
  },
  build: {
    outDir: '../src/formicary/web/static',
    emptyOutDir: true,
    target: ['chrome123', 'safari17.5', 'firefox121'],
    modulePreload: { polyfill: false },
    manifest: true,
    assetsInlineLimit: 0,
    rollupOptions: {
      input: Object.fromEntries(Object.entries(PAGES).filter(([name]) => only === undefined || only.includes(name))),
    },
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts', 'tests/**/*.test.tsx'], testTimeout: 60_000 },
});
