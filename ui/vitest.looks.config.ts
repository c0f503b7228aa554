import { defineConfig } from 'vitest/config'

// In a browser, with the fake engine: what jsdom cannot tell.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['tests/looks/**/*.looks.ts'],
    globalSetup: ['tests/looks/pages.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'threads',
    maxConcurrency: 4,
  },
})
