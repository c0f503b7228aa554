import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { build, preview } from 'vite'
import type { TestProject } from 'vitest/node'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'] as const

/** The browser of this machine; `CHROMIUM` names another. */
function chromium(): string | null {
  const { CHROMIUM, PATH = '' } = process.env
  if (CHROMIUM) return CHROMIUM
  return PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path)) ?? null
}

/** Builds the pages with the fake engine, and serves them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const browser = chromium()
  project.provide('browser', browser)
  if (browser === null) {
    if (process.env['CI'] === 'true' && process.platform === 'linux') throw new Error('Chromium is not installed')
    console.warn('Skipped: Chromium is not installed, so nobody looks at the pages.')
    project.provide('address', '')
    return async () => {}
  }
  const outDir = 'node_modules/.looks'
  await build({ mode: 'fake', logLevel: 'warn', build: { outDir, emptyOutDir: true } })
  const server = await preview({ logLevel: 'warn', build: { outDir }, preview: { host: '127.0.0.1', port: 0 } })
  const at = server.httpServer.address()
  project.provide('address', typeof at === 'object' && at ? `http://127.0.0.1:${at.port}/` : '')
  return async () => {
    await server.close()
  }
}

declare module 'vitest' {
  export interface ProvidedContext {
    browser: string | null
    address: string
  }
}
