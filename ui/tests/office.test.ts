// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Page } from './page'

let page: Page
const open = (scenario: string): Page => (page = new Page(scenario))

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  page.close()
  vi.useRealTimers()
})

describe('do not disturb', () => {
  it('is switched from every screen, and shows what the engine says', async () => {
    open('registered')
    await page.click('open-settings')
    await page.click('dnd')
    expect(page.commands).toMatchObject([{ command: 'changeSettings', calls: { doNotDisturb: true } }])
    expect(page.get('dnd').getAttribute('aria-pressed')).toBe('true')
    expect(page.text('announce-news')).toBe('Do not disturb is on')
    await page.press('d', { code: 'KeyD', altKey: true })
    expect(page.text('dnd')).toBe('Do not disturbOff')
  })

  it('that the engine refuses stays off', async () => {
    open('registered')
    page.platform.engine.carryOut = () => Promise.reject({ code: 'storage', message: 'the disk is full' })
    await page.click('dnd')
    expect(page.get('dnd').getAttribute('aria-pressed')).toBe('false')
    expect(page.text('toast')).toContain('the disk is full')
  })

  it('is what an idle phone says first', () => {
    open('dnd')
    expect(page.get('idle').dataset['state']).toBe('quiet')
  })
})

describe('the mailbox', () => {
  it('says what waits, and is called', async () => {
    open('mwi')
    expect(page.text('mailbox')).toContain('3 new voice messages')
    await page.click('mailbox-call')
    expect(page.commands).toMatchObject([{ command: 'call', callee: '*97', sessionId: 's2' }])
  })
})

describe('the list of calls', () => {
  it('keeps its badge until somebody looks', async () => {
    open('mwi')
    expect(page.text('missed-badge')).toBe('2')
    expect(document.title).toBe('(2) Sidetone')
    await page.settle(60_000)
    expect(page.commands).toEqual([])
    window.dispatchEvent(new Event('pointermove'))
    await page.settle(2000)
    expect(page.commands).toEqual([{ command: 'seeMissedCalls' }])
    expect(page.find('missed-badge')).toBeNull()
  })

  it('is searched, goes further back, and loses one call', async () => {
    open('registered')
    await page.type('history-search', 'farah')
    expect(page.all('history-item').every((item) => item.textContent?.includes('Farah'))).toBe(true)
    await page.type('history-search', '')
    expect(page.all('history-item')).toHaveLength(5)
    await page.click('history-more')
    expect(page.all('history-item')).toHaveLength(55)
    await page.click('history-actions', 1)
    expect(page.text('history-recording')).toContain('Farah Siddiqui.wav')
    await page.click('history-show')
    expect(page.platform.shown).toEqual([page.text('history-recording')])
    await page.click('history-remove')
    expect(page.commands.at(-1)).toEqual({ command: 'removeHistory', callId: 'h16' })
    expect(page.all('history-item')).toHaveLength(54)
  })

  it('says why a recording is not shown, and offers that only where the host can', async () => {
    open('registered')
    page.platform.showRecording = () => Promise.reject({ code: 'invalid', message: 'it is not there any more' })
    await page.click('history-actions', 1)
    await page.click('history-show')
    expect(page.text('toast')).toContain('it is not there any more')
    page.close()
    page = new Page('registered', (platform) => Object.assign(platform, { showRecording: undefined }))
    await page.click('history-actions', 1)
    expect(page.find('history-show')).toBeNull()
    expect(page.get('history-copy')).not.toBeNull()
  })

  it('is not cleared without being asked twice', async () => {
    open('registered')
    await page.click('clear-history')
    expect(page.commands).toEqual([])
    await page.click('clear-history-no')
    await page.click('clear-history')
    await page.click('clear-history-yes')
    expect(page.commands).toEqual([{ command: 'clearHistory' }])
    expect(page.all('history-item')).toHaveLength(0)
  })

  it('calls whom we called last', async () => {
    open('registered')
    expect(page.get('redial-button').getAttribute('aria-label')).toBe('Call echo again')
    await page.click('redial-button')
    expect(page.commands).toEqual([{ command: 'redial' }])
    expect(page.find('call-panel')).not.toBeNull()
  })
})

describe('contacts', () => {
  it('show unknown and free lines as different things, in words and in shape', () => {
    open('registered')
    const lines = page.all('line-state').map((line) => [line.dataset['state'], line.textContent?.trim(), line.querySelector('svg')?.innerHTML])
    const of = (state: string) => lines.find(([other]) => other === state)
    expect(of('idle')?.[1]).toBe('Free')
    expect(of('unknown')?.[1]).toBe('Line unknown')
    expect(new Set(lines.map(([, , shape]) => shape)).size).toBe(4)
  })

  it('are added with what was typed, and named as wrong without', async () => {
    open('registered')
    await page.click('contact-new')
    await page.click('contact-save')
    expect(page.get('contact-name').getAttribute('aria-invalid')).toBe('true')
    expect(page.commands).toEqual([])
    await page.type('contact-name', 'Ada')
    await page.type('contact-address-0', '2077')
    await page.click('contact-save')
    expect(page.commands).toMatchObject([{ command: 'saveContact', contact: { id: '', name: 'Ada', addresses: [{ address: '2077', label: 'work' }] } }])
    expect(page.find('contact-form')).toBeNull()
  })

  it('are watched, called and written to', async () => {
    open('registered')
    await page.click('contact-watch')
    expect(page.commands.at(-1)).toMatchObject({ command: 'saveContact', contact: { id: 'k1', watch: true } })
    await page.click('contact-message')
    expect(page.app.tab).toBe('messages')
    await page.click('contact-call')
    expect(page.commands.at(-1)).toMatchObject({ command: 'call', callee: 'sip:+442079460123@voice.example.org' })
  })

  it('are read from a file, and what was not understood is said', async () => {
    open('registered')
    await page.click('contact-exchange')
    const field = page.get('import-file') as HTMLInputElement
    const choose = async (text: string): Promise<void> => {
      const file = new File([text], 'people.vcf')
      file.text = () => Promise.resolve(text)
      Object.defineProperty(field, 'files', { value: [file], configurable: true })
      field.dispatchEvent(new Event('change', { bubbles: true }))
      await page.settle()
    }
    await choose('a,b')
    expect(page.text('exchange')).toContain('people.vcf is no vCard file.')
    await choose('BEGIN:VCARD\nFN:A\nEND:VCARD')
    expect(page.text('import-result')).toBe('12 added, 3 changed.')
    expect(page.text('exchange')).toContain('line 48: FN is missing')
    await page.click('export')
    expect((page.get('export-text') as HTMLTextAreaElement).value).toContain('FN:Jonas Berg')
  })
})

describe('messages', () => {
  it('are answered by enter, and a failed one is sent again', async () => {
    open('messages')
    expect(page.text('tab-messages')).toContain('3 unread messages')
    await page.click('tab-messages')
    await page.click('conversation', 1)
    expect(page.text('tab-messages')).toContain('1 unread message')
    await page.type('message-text', 'this will fail')
    await page.press('Enter', { shiftKey: true })
    expect(page.commands).toEqual([])
    await page.press('Enter')
    await page.settle(600)
    const failed = page.all('message').at(-1)
    expect(failed?.dataset['state']).toBe('failed')
    expect(failed?.textContent).toContain('480 Temporarily Unavailable')
    await page.click('message-retry')
    expect(page.names).toEqual(['sendData', 'sendData'])
  })

  it('that come take no focus', async () => {
    open('registered')
    page.get('dial-field').focus()
    const message = { sessionId: 's2', incoming: true, from: 'sip:ada@b', to: 'sip:me@b', contentType: 'text/plain', body: 'hi' }
    page.platform.engine.emit({ event: 'OnDataEvent', ...message })
    await page.settle()
    expect(document.activeElement).toBe(page.get('dial-field'))
    expect(page.text('announce-news')).toBe('Message from ada')
  })
})

describe('the next call', () => {
  it('can hide who calls, and only the next one', async () => {
    open('registered')
    page.get('call-anonymous').click()
    await page.type('dial-field', '2044')
    await page.click('call-button')
    expect(page.commands).toEqual([{ command: 'call', callee: '2044', anonymous: true }])
    expect((page.get('call-anonymous') as HTMLInputElement).checked).toBe(false)
  })

  it('can show our picture, and only the next one', async () => {
    open('registered')
    page.get('call-video-wish').click()
    await page.type('dial-field', '2044')
    await page.click('call-button')
    expect(page.commands).toEqual([{ command: 'call', callee: '2044', video: true }])
    expect((page.get('call-video-wish') as HTMLInputElement).checked).toBe(false)
  })

  it('can show another name', async () => {
    open('registered')
    await page.type('call-name', 'Support')
    await page.type('dial-field', '2044')
    await page.click('call-button')
    expect(page.commands).toEqual([{ command: 'call', callee: '2044', callerName: 'Support' }])
  })
})

describe('an account', () => {
  it('says how it speaks to its server, and where its calls go by themselves', async () => {
    open('registered')
    expect(page.all('account-signalling').map((fact) => fact.textContent?.replace(/\s+/g, ' ').trim())).toEqual(['Encrypted TLS'])
    const settings = page.platform.engine.state.settings
    const accounts = settings.accounts.map((account) => ({ ...account, forwardAlways: 'sip:2000@voice.example.org', autoAnswer: 3 }))
    page.platform.engine.emit({ event: 'SettingsChanged', settings: { ...settings, accounts } })
    await page.settle()
    expect(page.text('account-forward')).toBe('Every call goes on to 2000')
    expect(page.text('account-auto')).toBe('Answers by itself after 3 s')
  })
})

describe('a contact with several numbers', () => {
  it('is called at any of them', async () => {
    open('registered')
    await page.click('contact-open', 1)
    expect(page.get('contact-open').getAttribute('aria-expanded')).toBe('false')
    await page.click('address-call', 1)
    expect(page.commands).toMatchObject([{ command: 'call', callee: 'tel:+49-170-5550199' }])
  })
})
