// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { report } from '../src/platform/fake/reports'
import { path, timelines } from '../src/screens/reports/rates'
import { Page } from './page'

describe('timelines', () => {
  it('are packets a second of each subject, with what is not known left out', () => {
    const [line] = timelines(report())
    expect(line?.points.length).toBe(59)
    expect(line?.points[0]).toEqual({ at: line?.points[0]?.at, sent: 50, received: 50 })
    expect(line?.points.at(-1)?.received).toBe(0)
    expect(line?.marks.map((mark) => mark.kind)).toEqual(['CallStatusEvent', 'CallStatusEvent', 'CallProblem'])
    const gap = [
      { at: 0, sent: 1, received: null },
      { at: 1000, sent: 2, received: 4 },
      { at: 2000, sent: 0, received: null },
    ]
    expect(path(gap, 4, (point) => point.sent, 100, 8)).toBe('M0.0 6.0L50.0 4.0L100.0 8.0')
    expect(path(gap, 4, (point) => point.received, 100, 8)).toBe('M50.0 0.0')
  })
})

describe('bug reports', () => {
  let page: Page
  beforeEach(() => {
    vi.useFakeTimers()
    page = new Page('idle')
  })
  afterEach(() => {
    page.close()
    vi.useRealTimers()
  })

  it('are looked at, stored without what is kept back, read again and removed', async () => {
    await page.click('open-reports')
    expect(page.find('no-reports')).not.toBeNull()
    await page.click('report-prepare')
    expect(page.find('report-verdicts')?.textContent).toContain('no RTP from the far end after 11:03:07 UTC')
    const messages = page.all('ladder-message')
    expect(messages.length).toBe(11)
    expect(page.find('ladder-text')).toBeNull()
    messages[0]!.click()
    await page.settle()
    expect(page.find('ladder-text')?.textContent).toContain('INVITE sip:bob@pbx.example SIP/2.0')
    await page.click('report-part-settings')
    await page.click('report-store')
    const stored = page.commands.find((command) => command.command === 'submitBugReport')
    expect(stored).toMatchObject({ leaveOut: ['settings'], words: '' })
    expect(page.all('stored-report').length).toBe(1)
    await page.click('report-open')
    expect(page.find('report-store')).toBeNull()
    await page.click('report-back')
    await page.click('report-remove')
    await page.click('report-remove-yes')
    expect(page.find('no-reports')).not.toBeNull()
  })
})
