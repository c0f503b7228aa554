// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Page } from './page'

let page: Page
async function settings(tab: 'general' | 'calls' | 'audio' | 'network'): Promise<void> {
  page = new Page('registered')
  page.app.openSettings(tab)
  await page.settle()
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  page.close()
  vi.useRealTimers()
})

describe('the dial plan', () => {
  it('is tried before it is saved', async () => {
    await settings('calls')
    expect((page.get('plan-save') as HTMLButtonElement).disabled).toBe(true)
    await page.click('rule-add')
    await page.type('rule-match-0', '0(')
    expect(page.text('rule')).toContain('This is no regular expression')
    expect((page.get('plan-save') as HTMLButtonElement).disabled).toBe(true)
    await page.type('rule-match-0', '0(.+)')
    await page.type('rule-replace-0', '+49$1')
    await page.type('plan-test', '030901820')
    expect(page.text('plan-result')).toBe('Rule 1: +4930901820 is called.')
    expect(page.commands).toEqual([])
    await page.click('plan-save')
    expect(page.commands).toMatchObject([
      { command: 'changeSettings', calls: { dialPlan: [{ match: '0(.+)', replace: '+49$1', refuse: false }], callWaiting: true } },
    ])
  })

  it('refuses, and lets emergency numbers pass', async () => {
    await settings('calls')
    await page.click('rule-add')
    await page.type('rule-match-0', '.*')
    page.get('rule-refuse-0').click()
    await page.type('plan-test', '0900')
    expect(page.text('plan-result')).toBe('Rule 1 refuses it.')
    await page.type('plan-test', '112')
    expect(page.text('plan-result')).toBe('Emergency number: 112 goes out as it is.')
  })
})

describe('call settings', () => {
  it('keep recordings, retention and emergency numbers', async () => {
    await settings('calls')
    page.get('recording-tone').click()
    await page.type('keep-history', '90')
    await page.click('recordings-save')
    expect(page.commands.at(-1)).toMatchObject({ calls: { recordingTone: true, keepHistoryDays: 90 } })
    await page.type('emergency-numbers', '110, x')
    expect((page.get('emergency-save') as HTMLButtonElement).disabled).toBe(true)
    await page.type('emergency-numbers', '110, 19222')
    await page.click('emergency-save')
    expect(page.commands.at(-1)).toMatchObject({ calls: { emergencyNumbers: ['110', '19222'], keepHistoryDays: 90 } })
  })

  it('play silence, a tune or a file to who is held', async () => {
    await settings('calls')
    await page.choose('hold-music', 'silence')
    expect(page.commands.at(-1)).toMatchObject({ calls: { holdMusic: 'silence' } })
    await page.choose('hold-music', 'file')
    expect(page.commands).toHaveLength(1)
    await page.type('hold-file', '/srv/hold.wav')
    page.get('hold-file').closest('form')?.requestSubmit()
    await page.settle()
    expect(page.commands.at(-1)).toMatchObject({ calls: { holdMusic: { file: { path: '/srv/hold.wav' } } } })
  })
})

describe('sound', () => {
  it('is switched at once', async () => {
    await settings('audio')
    page.get('switch-noiseSuppression').click()
    await page.settle()
    expect(page.commands).toMatchObject([{ command: 'changeSettings', audio: { noiseSuppression: false, echoCancellation: true } }])
  })

  it('orders preferred devices by buttons', async () => {
    await settings('audio')
    const list = page.get('preferred-microphones')
    const select = list.querySelector('select') as HTMLSelectElement
    for (const device of ['device:alsa_input.jabra', 'device:alsa_input.pci']) {
      select.value = device
      select.dispatchEvent(new Event('change', { bubbles: true }))
      await page.settle()
    }
    list.querySelector<HTMLElement>('[aria-label="Prefer Built-in Audio Analogue Stereo"]')?.click()
    await page.settle(50)
    expect(page.commands.at(-1)).toMatchObject({ audio: { preferredMicrophones: ['device:alsa_input.pci', 'device:alsa_input.jabra'] } })
    expect(select.disabled).toBe(true)
  })

  it('rings elsewhere', async () => {
    await settings('audio')
    page.app.showTab('sound')
    await page.settle()
    await page.choose('ringer-select', 'device:alsa_output.pci')
    expect(page.commands).toEqual([{ command: 'selectDevices', ringer: 'device:alsa_output.pci' }])
  })
})

describe('network', () => {
  it('keeps a TLS port only where there is one, and checks DNS servers', async () => {
    await settings('network')
    await page.click('network-save')
    expect(page.commands.at(-1)).toEqual({ command: 'changeSettings', network: { sipPort: 0, rtpPort: 0, dns: [] } })
    await page.type('tls-port', '5061')
    await page.type('dns', 'ns.example.org')
    expect((page.get('network-save') as HTMLButtonElement).disabled).toBe(true)
    await page.type('dns', '192.0.2.53:53, [2001:db8::53]:53')
    await page.click('network-save')
    expect(page.commands.at(-1)).toMatchObject({ network: { sipTlsPort: 5061, dns: ['192.0.2.53:53', '[2001:db8::53]:53'] } })
  })
})

describe('the account form', () => {
  it('warns where SDES keys would be readable, and not where call set-up is encrypted', async () => {
    await settings('general')
    page.app.editAccount('office')
    await page.settle()
    page.get('account-sdes-plain').click()
    await page.settle()
    expect(page.find('sdes-warning')).toBeNull()
    await page.choose('account-transport', 'udp')
    expect(page.text('sdes-warning')).toContain('Whoever can see call set-up can listen')
  })

  it('opens the part that is wrong, and saves own headers', async () => {
    await settings('general')
    page.app.editAccount('office')
    await page.settle()
    await page.click('header-add')
    await page.type('header-name-0', 'X Team')
    await page.type('header-value-0', 'billing')
    await page.click('account-save')
    expect(page.get('header-name-0').closest('details')?.open).toBe(true)
    expect(page.commands).toEqual([])
    await page.type('header-name-0', 'X-Team')
    await page.click('account-save')
    expect(page.commands).toMatchObject([{ command: 'saveAccount', account: { id: 'office', headers: [{ name: 'X-Team', value: 'billing' }] } }])
  })

  it('asks for a WebSocket address only where it is used', async () => {
    await settings('general')
    page.app.editAccount('office')
    await page.settle()
    expect(page.find('account-websocket')).toBeNull()
    await page.choose('account-transport', 'wss')
    expect(page.find('account-websocket')).not.toBeNull()
  })
})

describe('deleting everything', () => {
  it('says first what goes and what stays', async () => {
    await settings('general')
    await page.click('delete-everything')
    const text = page.text('delete-everything-sure')
    for (const part of ['The list of calls', '6 contacts', '2 accounts with their passwords', 'All settings', 'Recordings stay']) expect(text).toContain(part)
    await page.settle(50)
    expect(document.activeElement).toBe(page.get('delete-everything-no'))
    expect(page.commands).toEqual([])
    await page.click('delete-everything-yes')
    expect(page.commands).toEqual([{ command: 'deleteEverything' }])
  })
})

describe('a form that is being filled in', () => {
  it('loses nothing when another setting changes meanwhile', async () => {
    await settings('calls')
    await page.click('rule-add')
    await page.type('rule-match-0', '0(.+)')
    await page.type('recordings-folder', '/srv/recordings')
    await page.type('emergency-numbers', '110')
    await page.choose('hold-music', 'file')
    await page.click('dnd')
    expect((page.get('rule-match-0') as HTMLInputElement).value).toBe('0(.+)')
    expect((page.get('recordings-folder') as HTMLInputElement).value).toBe('/srv/recordings')
    expect((page.get('emergency-numbers') as HTMLInputElement).value).toBe('110')
    expect(page.find('hold-file')).not.toBeNull()
  })

  it('keeps its ports too', async () => {
    await settings('network')
    await page.type('sip-port', '5070')
    await page.type('gateway-http-port', '9000')
    await page.click('dnd')
    expect((page.get('sip-port') as HTMLInputElement).value).toBe('5070')
    expect((page.get('gateway-http-port') as HTMLInputElement).value).toBe('9000')
  })
})

describe('the ways of streams', () => {
  it('are servers with passwords that go to the key store alone', async () => {
    await settings('network')
    await page.click('ice-add')
    await page.type('ice-url-0', 'http://relay')
    expect((page.get('ways-save') as HTMLButtonElement).disabled).toBe(true)
    await page.type('ice-url-0', 'turn:relay.example.com?transport=tcp')
    expect(page.text('ways')).toContain('wants a user name')
    await page.type('ice-user-0', 'mara')
    await page.type('ice-password-0', 'hunter2')
    page.get('relay-only').click()
    await page.click('ways-save')
    expect(page.commands).toMatchObject([
      {
        command: 'changeSettings',
        video: { iceServers: [{ url: 'turn:relay.example.com?transport=tcp', user: 'mara', passwordKept: false }], relayOnly: true },
      },
      { command: 'setSecret', for: { of: 'iceServer', url: 'turn:relay.example.com?transport=tcp', user: 'mara' }, secret: 'hunter2', remember: true },
    ])
    expect(JSON.stringify(page.commands[0])).not.toContain('hunter2')
    expect((page.get('ice-password-0') as HTMLInputElement).value).toBe('')
  })

  it('take a certificate and no key', async () => {
    await settings('network')
    await page.type('streams-ca', '-----BEGIN PRIVATE KEY-----')
    expect((page.get('ways-save') as HTMLButtonElement).disabled).toBe(true)
    await page.type('streams-ca', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----')
    await page.click('ways-save')
    expect(page.commands.at(-1)).toMatchObject({ video: { trustedCa: expect.stringContaining('MIIB') } })
  })
})

describe('the token of streams', () => {
  it('is given before it is asked for, and never shown', async () => {
    await settings('network')
    page.get('token-needed').click()
    await page.settle()
    expect((page.get('token-save') as HTMLButtonElement).disabled).toBe(true)
    await page.type('token-value', 'short')
    expect((page.get('token-save') as HTMLButtonElement).disabled).toBe(true)
    await page.type('token-value', 'long-enough')
    await page.click('token-save')
    expect(page.commands).toMatchObject([
      { command: 'setSecret', for: { of: 'streamToken' }, secret: 'long-enough', remember: true },
      { command: 'changeSettings', gateway: { streamToken: true, enabled: true } },
    ])
    expect((page.get('token-value') as HTMLInputElement).value).toBe('')
  })
})

describe('guests from the network', () => {
  it('come in where the user lets them, and nothing else of the gateway changes', async () => {
    await settings('network')
    await page.click('sharing-on')
    await page.type('sharing-public', ' meet.example:8443 ')
    await page.click('sharing-save')
    expect(page.commands.at(-1)).toMatchObject({
      command: 'changeSettings',
      gateway: { httpPort: 8088, sharing: { on: true, port: 8443, public: 'meet.example:8443', certificate: '', key: '' } },
    })
  })
})
