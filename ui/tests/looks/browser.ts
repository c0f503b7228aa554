import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import type { Look } from './states'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--autoplay-policy=no-user-gesture-required', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream']
/** Where pictures go; empty: none are made. */
const FOLDER = process.env['LOOKS'] ?? ''

export const openBrowser = (executablePath: string): Promise<Browser> => chromium.launch({ executablePath, args: FLAGS })

/** A page in that state, when it has come to rest. */
export async function show(browser: Browser, address: string, look: Look, colorScheme: 'light' | 'dark'): Promise<Page> {
  const { width = 1280, height = 800, scale = 1 } = look
  const page = await browser.newPage({ viewport: { width, height }, deviceScaleFactor: scale, colorScheme, reducedMotion: 'reduce', baseURL: address, permissions: ['camera', 'microphone'] })
  await look.before?.(page)
  await page.goto(look.address)
  await page.locator('#app > *').first().waitFor({ state: 'attached' })
  await look.go?.(page)
  return page
}

export async function picture(page: Page, name: string): Promise<void> {
  if (FOLDER === '') return
  mkdirSync(FOLDER, { recursive: true })
  await page.waitForTimeout(400)
  await page.screenshot({ path: join(FOLDER, `${name.replaceAll(' ', '-')}.png`) })
}
