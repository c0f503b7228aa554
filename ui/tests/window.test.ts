// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import Root from '../src/Root.svelte'
import type { Command } from '../src/api/types'
import { FakePlatform } from '../src/platform/fake'
import { call } from '../src/platform/fake/data'
import { App } from '../src/state/app.svelte'

let platform: FakePlatform
let app: App
let close: () => void = () => {}

function open(scenario: string): void {
  platform = new FakePlatform(scenario)
  app = new App(platform)
  const root = mount(Root, { target: document.body, props: { app } })
  close = () => void unmount(root)
  flushSync()
}

const find = (testid: string): HTMLElement | null => document.querySelector(`[data-testid="${testid}"]`)
function get(testid: string): HTMLElement {
  const element = find(testid)
  if (!element) throw new Error(`no ${testid}`)
  return element
}
const text = (testid: string): string => get(testid).textContent?.replace(/\s+/g, ' ').trim() ?? ''
const commands = (): Command[] => platform.commands

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
  flushSync()
}

async function press(...keys: string[]): Promise<void> {
  for (const key of keys) {
    const target = document.activeElement ?? document.body
    target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
    await settle()
  }
}

async function click(testid: string): Promise<void> {
  get(testid).click()
  await settle()
}

function type(testid: string, value: string): void {
  const field = get(testid) as HTMLInputElement
  field.focus()
  field.value = value
  field.dispatchEvent(new Event('input', { bubbles: true }))
  flushSync()
}

beforeAll(() => {
  const matches = { matches: false, addEventListener: () => {}, removeEventListener: () => {} }
  window.matchMedia = () => matches as unknown as MediaQueryList
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true
  }
  HTMLDialogElement.prototype.close = function () {
    this.open = false
  }
})

beforeEach(() => void vi.useFakeTimers())

afterEach(() => {
  close()
  document.body.replaceChildren()
  vi.useRealTimers()
})

describe('every state', () => {
  const STATES = ['first', 'idle', 'registered', 'ringing', 'incoming', 'incall', 'echo', 'several', 'busy', 'failed', 'offline', 'connecting', 'refused', 'stopped', 'password', 'trouble']
  it.each(STATES)('%s can be drawn, and every control has a name', (scenario) => {
    open(scenario)
    expect(document.querySelector('main')).not.toBeNull()
    for (const control of document.querySelectorAll('button, input:not([type="checkbox"]), select')) {
      const labelled = control.getAttribute('aria-label') ?? document.querySelector(`label[for="${control.id}"]`)?.textContent ?? control.closest('label')?.textContent
      expect(labelled || control.textContent?.trim(), control.outerHTML).toBeTruthy()
    }
  })
})

describe('dialling', () => {
  it('typed digits reach the field and enter calls', async () => {
    open('idle')
    await press('1', '2', '*', '#', 'Backspace', 'Enter')
    expect(commands()).toEqual([{ command: 'call', callee: '12*' }])
    expect(find('call-panel')).not.toBeNull()
    expect((get('dial-field') as HTMLInputElement).value).toBe('')
  })

  it('the pad dials and the button calls through the chosen account', async () => {
    open('registered')
    await click('pad-1')
    await click('pad-star')
    app.dial.accountId = 'office'
    await click('call-button')
    expect(commands()).toEqual([{ command: 'call', callee: '1*', sessionId: 's2' }])
  })

  it('a refused number is explained at the field and can be corrected', async () => {
    open('idle')
    type('dial-field', 'a b')
    await click('call-button')
    expect(text('dial-error')).toBe('a number or address has no spaces')
    expect(get('dial-field').getAttribute('aria-invalid')).toBe('true')
    type('dial-field', 'ab')
    expect(find('dial-error')).toBeNull()
  })

  it('enter in an empty field brings back the last number and does not call it', async () => {
    open('registered')
    await press('Enter')
    expect((get('dial-field') as HTMLInputElement).value).toBe('sip:echo@127.0.0.1:5060')
    expect(commands()).toEqual([])
  })

  it('after a call from the field the digits typed next are tones', async () => {
    open('idle')
    type('dial-field', 'echo')
    await press('Enter')
    await vi.advanceTimersByTimeAsync(2000)
    flushSync()
    await press('4')
    expect(commands().at(-1)).toMatchObject({ command: 'sendDtmf', dtmf: '4' })
  })

  it('holding zero gives a plus', async () => {
    open('idle')
    get('pad-0').dispatchEvent(new Event('pointerdown', { bubbles: true, cancelable: true }))
    await vi.advanceTimersByTimeAsync(600)
    await click('pad-0')
    expect((get('dial-field') as HTMLInputElement).value).toBe('+')
  })

  it('a quick entry calls through the local gateway', async () => {
    open('registered')
    await click('quick-echo')
    expect(commands()).toEqual([{ command: 'call', callee: 'echo', sessionId: 's1' }])
  })

  it('an entry of the history is called through the account that it came over', async () => {
    open('registered')
    const missed = document.querySelectorAll<HTMLElement>('[data-testid="history-item"]')[2]
    missed?.click()
    await settle()
    expect(commands()).toMatchObject([{ command: 'call', sessionId: 's2' }])
  })
})

describe('a call', () => {
  it('says who, how long, how well, and that it is not encrypted', () => {
    open('incall')
    expect(text('call-panel')).toContain('Farah Siddiqui')
    expect(text('call-status')).toBe('In call ESTABLISHED')
    expect(text('call-time')).toBe('12:34')
    expect(text('codec')).toBe('G.722 16 kHz')
    expect(text('stat-loss')).toBe('0.1 % far end 0 %')
    expect(text('stat-jitter')).toBe('2.4 ms')
    expect(text('stat-delay')).toBe('38 ms')
    expect(text('encryption')).toContain('Not encrypted')
    expect(get('meter-mic').getAttribute('aria-valuenow')).toBe('-24')
  })

  it('counts on by the clock of the engine', async () => {
    open('incall')
    await vi.advanceTimersByTimeAsync(3000)
    flushSync()
    expect(text('call-time')).toBe('12:37')
  })

  it('m mutes, digits are tones, escape hangs up', async () => {
    open('echo')
    await press('m', '5')
    expect(get('mute-button').getAttribute('aria-pressed')).toBe('true')
    expect(text('dtmf-sent')).toContain('5')
    await press('Escape')
    expect(commands().map((command) => command.command)).toEqual(['muteAudio', 'sendDtmf', 'hangup'])
    expect(find('call-panel')).toBeNull()
    expect(text('call-status')).toBe('Ended FINISH')
  })

  it('lets the pad dial another number', async () => {
    open('echo')
    await click('pad-use-dial')
    await press('7')
    await click('pad-8')
    expect((get('dial-field') as HTMLInputElement).value).toBe('78')
  })

  it('that failed says why until it is dismissed', async () => {
    open('busy')
    expect(text('ended-panel')).toContain('486 Busy Here')
    expect(text('call-status')).toBe('Line busy BUSY')
    await vi.advanceTimersByTimeAsync(60_000)
    flushSync()
    await click('dismiss-ended')
    expect(find('ended-panel')).toBeNull()
  })
})

describe('a call that comes in', () => {
  const ring = call(0, { callId: 'in', direction: 'incoming', caller: 'sip:jonas@example.org', status: 'RING' })

  it('is announced and takes no focus from what is being typed', () => {
    open('idle')
    get('dial-field').focus()
    platform.engine.emit({ event: 'CallChanged', call: ring })
    flushSync()
    expect(document.activeElement).toBe(get('dial-field'))
    expect(text('announce-incoming')).toBe('Incoming call from jonas')
    expect(document.title).toBe('Incoming call from jonas')
  })

  it('is answered and declined by its buttons', async () => {
    open('incoming')
    await click('answer-button')
    expect(commands()).toEqual([{ command: 'answer', callId: 'c4' }])
    expect(find('call-panel')).not.toBeNull()
    close()
    open('incoming')
    await click('decline-button')
    expect(commands()).toEqual([{ command: 'hangup', callId: 'c4' }])
  })

  it('is what escape declines first, before the call that is up', async () => {
    open('several')
    await press('Escape')
    expect(commands()).toEqual([{ command: 'hangup', callId: 'c4' }])
    await press('Escape')
    expect(commands().at(-1)).toEqual({ command: 'hangup', callId: 'c3' })
  })

  it('is shown beside the settings too', async () => {
    open('incoming')
    await click('open-settings')
    expect(find('answer-button')).not.toBeNull()
  })
})

describe('the engine', () => {
  it('that is away is said to be away, and nothing can be called', async () => {
    open('offline')
    expect(get('link-banner').getAttribute('data-link')).toBe('offline')
    expect((get('call-button') as HTMLButtonElement).disabled).toBe(true)
    expect(get('idle').dataset['state']).toBe('offline')
    await click('retry')
    expect(find('link-banner')).toBeNull()
  })

  it('tells what happens: notices as messages, errors as alerts, statuses in the log', () => {
    open('idle')
    platform.engine.emit({ event: 'Notice', level: 'warning', info: 'the microphone was unplugged' })
    platform.engine.emit({ event: 'Notice', level: 'error', info: 'no speaker' })
    platform.engine.emit({ event: 'RegistrationStatusEvent', status: 'UNREGISTERED', sessionId: 's1', info: '503' })
    flushSync()
    const roles = [...document.querySelectorAll('[data-testid="toast"]')].map((toast) => toast.getAttribute('role'))
    expect(roles).toEqual(['status', 'alert'])
    expect(text('event-log')).toContain('RegistrationStatusEvent UNREGISTERED')
  })

  it('that asks for a password gets it from a prompt', async () => {
    open('password')
    type('password-field', 'hunter2')
    await click('password-submit')
    expect(commands()).toMatchObject([{ command: 'saveAccount', password: 'hunter2', remember: true }])
    expect(document.body.innerHTML).not.toContain('hunter2')
  })
})

describe('an account', () => {
  it('that wants a password before it connects is asked for it', async () => {
    open('registered')
    platform.engine.emit({ event: 'SessionClosed', sessionId: 's2' })
    flushSync()
    const carryOut = platform.engine.carryOut.bind(platform.engine)
    platform.engine.carryOut = (command) =>
      command.command === 'connect' && command.password === undefined
        ? Promise.reject({ code: 'passwordNeeded', message: 'no password is stored' })
        : carryOut(command)
    document.querySelector<HTMLElement>('[data-account="office"] [data-testid="account-actions"]')?.click()
    flushSync()
    await click('account-connect')
    type('password-field', 'hunter2')
    get('password-remember').click()
    await click('password-submit')
    expect(commands().at(-1)).toEqual({ command: 'connect', accountId: 'office', password: 'hunter2' })
    expect(find('password-prompt')).toBeNull()
  })

  it('whose password was refused can be given another', () => {
    open('trouble')
    expect(get('password-prompt').closest('[data-account]')?.getAttribute('data-account')).toBe('office')
  })
})

describe('settings', () => {
  it('save the theme with the engine and show it', async () => {
    open('idle')
    await click('open-settings')
    const select = get('theme-select') as HTMLSelectElement
    select.value = 'dark'
    select.dispatchEvent(new Event('change', { bubbles: true }))
    await settle()
    expect(commands()).toEqual([{ command: 'changeSettings', ui: { theme: 'dark' } }])
    expect(document.documentElement.dataset['theme']).toBe('dark')
  })

  it('name the field that is wrong, ours and the engine’s findings alike', async () => {
    open('idle')
    await click('add-account')
    await click('account-save')
    expect(get('account-name').getAttribute('aria-invalid')).toBe('true')
    expect(commands()).toEqual([])
    type('account-name', 'Office')
    type('account-aor', 'nadia@example.org')
    platform.engine.carryOut = () =>
      Promise.reject({ code: 'invalid', message: 'no such host', field: 'account.registrar' })
    await click('account-save')
    expect(get('account-registrar').getAttribute('aria-invalid')).toBe('true')
    expect(document.getElementById('account-registrar-error')?.textContent).toBe('no such host')
  })

  it('choose a microphone and say what is asked for and what is in use', async () => {
    open('idle')
    const select = get('mic-select') as HTMLSelectElement
    select.value = 'silence'
    select.dispatchEvent(new Event('change', { bubbles: true }))
    await settle()
    expect(commands()).toEqual([{ command: 'selectDevices', microphone: 'silence' }])
    expect(text('device-note')).toBe('Devices of studio-nuc.')
  })

  it('in a browser say whose devices these are', () => {
    const host = vi.spyOn(FakePlatform.prototype, 'host' as never, 'get' as never)
    host.mockReturnValue('browser' as never)
    open('idle')
    expect(text('device-note')).toBe('Microphone and speaker are those of studio-nuc, not of this browser.')
  })
})
