import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'

// The fake engine is left out of the product: only `vite dev`, `--mode fake` and the tests have it.
export default defineConfig(({ command, mode }) => ({
  plugins: [svelte()],
  define: { __FAKE__: JSON.stringify(command === 'serve' || mode === 'fake') },
  base: './',
  build: {
    target: ['es2021', 'chrome105', 'safari15'],
    modulePreload: { polyfill: false },
    // No data: URLs, so that the content security policy needs none.
    assetsInlineLimit: 0,
    // The window, and the page of guests in a meeting.
    rollupOptions: { input: ['index.html', 'guest.html'] },
  },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  test: {
    environment: 'node',
    include: ['tests/**/*.test.ts'],
    restoreMocks: true,
    // The first page of a file waits for its modules: on a busy machine that is longer than the usual 5 s.
    testTimeout: 20_000,
    // One thread for all files: starting a page for each costs more than the tests.
    pool: 'threads',
    poolOptions: { threads: { singleThread: true, isolate: false } },
  },
}))
