// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { HookEventView } from '../src/api/types'
import { whole } from '../src/screens/settings/hooks/number'
import { Page } from './page'

let page: Page
async function backend(adapt?: ConstructorParameters<typeof Page>[1]): Promise<void> {
  page = new Page('registered', adapt)
  page.app.openSettings('hooks')
  await page.settle()
}

const button = (testid: string): HTMLButtonElement => page.get(testid) as HTMLButtonElement

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  page.close()
  vi.useRealTimers()
})

describe('the backend', () => {
  it('is saved before its secret, which belongs to it', async () => {
    await backend()
    await page.type('hooks-url', 'https://backend.example/hooks')
    await page.choose('hooks-auth', 'sha256')
    expect(page.find('hooks-user')).toBeNull()
    await page.type('hooks-secret', 'a long key')
    await page.click('hooks-save')
    expect(page.commands).toMatchObject([
      { command: 'changeSettings', hooks: { url: 'https://backend.example/hooks', authentication: 'sha256', timeoutMs: 2000 } },
      { command: 'setSecret', for: { of: 'hooks' }, secret: 'a long key', remember: true },
    ])
    expect((page.get('hooks-secret') as HTMLInputElement).value).toBe('')
  })

  it('is tried before it is saved, and shows the exchange', async () => {
    await backend()
    expect(button('hooks-test').disabled).toBe(true)
    await page.type('hooks-url', 'https://backend.example/hooks')
    await page.click('hooks-test')
    expect(page.names).toEqual(['testHook'])
    expect(page.text('hooks-outcome')).toBe('the backend took it (12 ms)')
    expect(page.text('hooks-exchange')).toContain('POST https://backend.example/hooks/ConnectionStatusEvent')
  })

  it('takes no time that the engine would refuse', async () => {
    await backend()
    await page.type('hooks-timeout', '20')
    expect(button('hooks-save').disabled).toBe(true)
    await page.type('hooks-timeout', '15000')
    expect(button('hooks-save').disabled).toBe(false)
    expect([whole('x', 0, 9), whole('1.5', 0, 9), whole('-1', 0, 9), whole('10', 0, 9), whole(' 9 ', 0, 9)]).toEqual([null, null, null, null, 9])
  })
})

describe('what the backend may refuse', () => {
  it('is set for each hook, and leaves what is typed and the other policies as they are', async () => {
    await backend((platform) => {
      const settings = platform.engine.state.settings
      const policies = { call: { restOnError: 'LOG', restPolicy: 'OVERWRITE', restOverwrite: 'callee', restExclude: '', clientExclude: '' } } as const
      platform.engine.state = { ...platform.engine.state, settings: { ...settings, hooks: { ...settings.hooks, policies } } }
    })
    await page.type('hooks-url', 'https://backend.example/hooks')
    await page.click('hooks-may-call')
    await page.click('hooks-may-hold')
    expect(page.commands.at(-1)).toMatchObject({
      command: 'changeSettings',
      hooks: { url: '', policies: { call: { restOnError: 'FAIL', restPolicy: 'OVERWRITE', restOverwrite: 'callee' }, hold: { restOnError: 'FAIL', restPolicy: 'NOTIFY' } } },
    })
    expect((page.get('hooks-url') as HTMLInputElement).value).toBe('https://backend.example/hooks')
    expect((page.get('hooks-may-hold') as HTMLInputElement).checked).toBe(true)
    await page.click('hooks-save')
    expect(page.commands.at(-1)).toMatchObject({ hooks: { url: 'https://backend.example/hooks', policies: { hold: { restOnError: 'FAIL' } } } })
    await page.click('hooks-may-hold')
    expect(page.commands.at(-1)).toMatchObject({ hooks: { policies: { hold: { restOnError: 'LOG' } } } })
  })
})

describe('events that the backend did not take', () => {
  const failed: HookEventView = {
    id: 'h1',
    hook: 'CallStatusEvent',
    object: 'c1',
    at: 0,
    attempts: 1,
    failed: true,
    info: '403 Forbidden',
  }

  it('are shown with the reason and sent again', async () => {
    await backend((platform) => {
      platform.engine.hookEvents = [failed, { ...failed, id: 'h2' }]
      platform.engine.state = { ...platform.engine.state, hooks: { waiting: 0, failed: 2, oldest: null, problem: null } }
    })
    expect(page.text('hook-counts')).toBe('0 wait, 2 were not taken.')
    expect(page.all('hook-event')).toHaveLength(2)
    expect(page.text('hook-event')).toContain('Attempts: 1. 403 Forbidden')
    await page.click('hook-again')
    expect(page.commands.at(-2)).toEqual({ command: 'sendHookAgain', id: 'h1' })
    expect(page.all('hook-event')).toHaveLength(1)
    await page.click('hooks-forget-all')
    expect(page.text('hook-counts')).toBe('Nothing waits.')
    expect(page.all('hook-event')).toHaveLength(0)
  })
})
