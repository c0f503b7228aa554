import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openBrowser, picture, show } from './browser'
import { LOOKS, PICTURES } from './states'

const path = inject('browser')
const address = inject('address')
let browser: Browser

type Found = { impact: string; id: string; where: string[] }

/** What axe finds that keeps somebody out. */
async function faults(page: Page, rules: readonly string[] | null): Promise<Found[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(
    (only) => (window as unknown as { axe: typeof axe }).axe.run({ ...(only ? { runOnly: [...only] } : {}), resultTypes: ['violations'] }),
    rules,
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ impact, id, nodes }) => ({ impact: String(impact), id, where: nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.split('\n').at(1)?.trim()}`) }))
}

describe.skipIf(path === null)('nothing keeps anybody out', () => {
  beforeAll(async () => {
    browser = await openBrowser(path!)
  })
  afterAll(() => browser?.close())

  it.concurrent.each(LOOKS)('$name', async (look) => {
    const page = await show(browser, address, look, 'light')
    expect(await faults(page, null)).toEqual([])
    await picture(page, look.name)
    // The other theme has other colours and nothing else.
    if (look.dark) {
      await page.emulateMedia({ colorScheme: 'dark' })
      expect(await faults(page, ['color-contrast'])).toEqual([])
      await picture(page, `${look.name} dark`)
    }
    await page.close()
  })

  it.runIf(process.env['LOOKS']).concurrent.each(PICTURES)('picture of $name', async (look) => {
    const page = await show(browser, address, look, 'light')
    await picture(page, look.name)
    await page.emulateMedia({ colorScheme: 'dark' })
    await picture(page, `${look.name} dark`)
    await page.close()
  })
})
