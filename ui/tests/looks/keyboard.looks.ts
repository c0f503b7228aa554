import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openBrowser, show } from './browser'
import { LOOKS } from './states'

const path = inject('browser')
const address = inject('address')
let browser: Browser

const open = (name: string): Promise<Page> => show(browser, address, LOOKS.find((look) => look.name === name)!, 'light')

/** Goes once around by tab: which controls were never reached, and which of those that were show no focus. */
async function around(page: Page): Promise<{ missed: string[]; unseen: string[] }> {
  await page.evaluate(() => {
    const name = (element: Element): string => element.getAttribute('data-testid') ?? element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 40) ?? ''
    // Under a dialog nothing can be reached.
    const all = [...(document.querySelector('dialog[open]') ?? document).querySelectorAll('a[href], button, input, select, textarea, summary')].filter((element) => !element.matches(':disabled') && element.checkVisibility({ visibilityProperty: true }) && element.getAttribute('tabindex') !== '-1')
    const told = { left: new Set<Element>(all), unseen: [] as string[], name }
    Object.assign(window, { told })
    const took = ({ target }: FocusEvent): void => {
      if (!(target instanceof Element)) return
      // Radios and tabs are one stop, and the arrow keys go on from there.
      if (target instanceof HTMLInputElement && target.type === 'radio') for (const other of all) if (other instanceof HTMLInputElement && other.name === target.name) told.left.delete(other)
      if (!told.left.delete(target)) return
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(target)
      if ((outlineStyle === 'none' || parseFloat(outlineWidth) < 2) && boxShadow === 'none') told.unseen.push(name(target))
    }
    document.addEventListener('focusin', took)
  })
  const most = await page.evaluate(() => (window as unknown as { told: { left: Set<Element> } }).told.left.size + 10)
  for (let press = 0; press < most; press++) await page.keyboard.press('Tab')
  return page.evaluate(() => {
    const { left, unseen, name } = (window as unknown as { told: { left: Set<Element>; unseen: string[]; name: (element: Element) => string } }).told
    return { missed: [...left].map(name), unseen }
  })
}

/** What has the focus: its test id, its id, or what it is. */
const focused = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.getAttribute('data-testid') || document.activeElement?.id || document.activeElement?.tagName || '')

const soon = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 10_000 })

describe.skipIf(path === null)('the keyboard alone', () => {
  beforeAll(async () => {
    browser = await openBrowser(path!)
  })
  afterAll(() => browser?.close())

  it.each(['meeting', 'meeting-host person', 'meeting-host room-rules', 'meeting-chat room-chat', 'guest form', 'guest 5 guest-people'])('reaches all of %s, and shows where it is', async (name) => {
    const page = await open(name)
    expect(await around(page)).toEqual({ missed: [], unseen: [] })
    await page.close()
  })

  it('is not lost when somebody goes, a page of tiles turns, or a dialog closes', async () => {
    const page = await open('meeting-host person')
    await page.getByTestId('person-remove').focus()
    await page.keyboard.press('Enter')
    await soon(() => focused(page)).toBe('person-remove-no')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await page.getByTestId('person-actions').waitFor({ state: 'detached' })
    await soon(() => focused(page)).not.toBe('BODY')

    for (const left of [1, 0]) {
      await page.getByTestId('admit').first().focus()
      await page.keyboard.press('Enter')
      await soon(() => page.getByTestId('admit').count()).toBe(left)
    }
    await page.getByTestId('knocking').waitFor({ state: 'detached' })
    await soon(() => focused(page)).not.toBe('BODY')

    await page.getByTestId('room-rules').focus()
    await page.keyboard.press('Enter')
    await page.getByTestId('rules').waitFor()
    await page.keyboard.press('Escape')
    await soon(() => focused(page)).toBe('room-rules')
    await page.close()
  })

  it('stays on a tile that moves', async () => {
    const page = await open('meeting-16')
    const pin = page.locator('[data-seat="p4"] [data-testid="seat-pin"]')
    await pin.focus()
    await page.keyboard.press('w')
    await soon(() => page.getByTestId('room-stage').getAttribute('data-layout')).toBe('speaker')
    expect(await pin.evaluate((button) => button === document.activeElement)).toBe(true)
    await page.keyboard.press('Enter')
    expect(await pin.evaluate((button) => button === document.activeElement)).toBe(true)
    await page.close()
  })
})
