// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Page } from './page'

let page: Page
const open = (scenario: string): Page => (page = new Page(scenario))

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  page.close()
  localStorage.clear()
  vi.useRealTimers()
})

const SCENARIOS = [
  'waiting', 'held', 'held-by-them', 'held-by-both', 'two', 'several', 'conference', 'conference-held', 'transferring', 'transfer-failed',
  'transfer-asked', 'video', 'video-asked', 'video-problem', 'video-incoming', 'recording', 'recording-problem', 'secure', 'early', 'emergency', 'auto-answer', 'dnd', 'mwi', 'messages',
  'problem-silentMicrophone', 'problem-speakingWhileMuted', 'problem-nothingReceived', 'problem-nothingArrives', 'problem-reconnecting', 'problem-peerGone',
]

describe('every state of a busy phone', () => {
  it.each(SCENARIOS)('%s can be drawn, every control has a name, and no id is used twice', (scenario) => {
    open(scenario)
    page.app.openSettings('calls')
    page.app.screen = 'phone'
    for (const control of document.querySelectorAll('button, input:not([type="checkbox"]):not([type="file"]), select, textarea')) {
      const labelled = control.getAttribute('aria-label') ?? document.querySelector(`label[for="${control.id}"]`)?.textContent ?? control.closest('label')?.textContent
      expect(labelled || control.textContent?.trim(), control.outerHTML).toBeTruthy()
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })
})

describe('hold', () => {
  it('is said in words, and resumed by the same tile', async () => {
    open('incall')
    await page.click('hold-button')
    expect(page.text('call-status')).toBe('On hold by you HOLD')
    await page.click('hold-button')
    expect(page.text('call-status')).toBe('In call ESTABLISHED')
    expect(page.names).toEqual(['hold', 'unhold'])
  })

  it('by the other side is not ours to resume', () => {
    open('held-by-them')
    expect(page.text('call-status')).toBe('On hold by the other side HOLD')
    expect(page.get('hold-button').getAttribute('aria-label')).toBe('Hold Farah Siddiqui')
  })

  it('cannot be used before anybody has answered, and says so', async () => {
    open('ringing')
    const tile = page.get('hold-button')
    expect(tile.getAttribute('aria-disabled')).toBe('true')
    expect(document.getElementById(tile.getAttribute('aria-describedby') ?? '')?.textContent).toBe('Possible once somebody has answered.')
    await page.click('hold-button')
    await page.press('h')
    expect(page.commands).toEqual([])
  })
})

describe('video', () => {
  it('is added and dropped by one tile', async () => {
    open('incall')
    expect(page.find('call-video')).toBeNull()
    await page.click('video-button')
    expect(page.get('call-video').querySelectorAll('canvas')).toHaveLength(2)
    expect(page.get('video-button').getAttribute('aria-pressed')).toBe('true')
    await page.click('video-button')
    expect(page.find('call-video')).toBeNull()
    expect(page.commands.map((command) => ('on' in command ? command.on : null))).toEqual([true, false])
  })

  it('of the far end is seen and answered by the user alone', async () => {
    open('video-asked')
    expect(page.find('call-video-own')).toBeNull()
    expect(page.text('call-video-asked')).toContain('Farah Siddiqui shows you video.')
    await page.click('call-video-yes')
    expect(page.find('call-video-own')).not.toBeNull()
    expect(page.find('call-video-asked')).toBeNull()
  })

  it('is declined without the call', async () => {
    open('video-asked')
    await page.click('call-video-no')
    expect(page.find('call-video')).toBeNull()
    expect(page.commands).toEqual([expect.objectContaining({ command: 'setCallVideo', on: false })])
  })

  it('of a caller is answered with ours only where the user says so', async () => {
    open('video-incoming')
    await page.click('video-answer-button')
    expect(page.commands).toEqual([expect.objectContaining({ command: 'answer', video: true })])
    page.close()
    open('video-incoming')
    await page.click('answer-button')
    expect(page.commands[0]).not.toHaveProperty('video')
  })

  it('keeps its place while the call is held, and says why there is none', async () => {
    open('video')
    await page.click('hold-button')
    expect(page.text('call-video-none')).toBe('No video while the call is on hold.')
    await page.click('hold-button')
    expect(page.get('call-video').querySelectorAll('canvas')).toHaveLength(2)
  })

  it('says what is wrong with it', () => {
    open('video-problem')
    expect(page.text('call-video-problem')).toContain('the camera gives no pictures')
    expect(page.text('call-video-none')).toBe('Farah Siddiqui shows no picture.')
  })
})

describe('several calls', () => {
  it('swap and merge by their rows', async () => {
    open('two')
    expect(page.text('call-panel')).toContain('Marta Okonkwo')
    await page.click('row-swap')
    expect(page.commands).toEqual([{ command: 'swap', callId: 'c2' }])
    expect(page.text('call-panel')).toContain('Farah Siddiqui')
    await page.click('row-merge')
    expect(page.commands.at(-1)).toEqual({ command: 'merge', callIds: ['c2', 'c3'] })
    expect(page.text('conference')).toContain('3 people, you included')
  })

  it('swap, merge, hold and record by letters', async () => {
    open('two')
    await page.press('s')
    await page.press('r')
    await page.press('h')
    await page.press('j')
    expect(page.names).toEqual(['swap', 'startRecording', 'hold', 'merge'])
  })

  it('letters do nothing once they are switched off', async () => {
    open('two')
    await page.press('?')
    page.get('letters').click()
    await page.press('Escape')
    await page.press('s')
    expect(page.commands).toEqual([])
  })

  it('a second call that comes can be held for, ended for, declined or sent on', async () => {
    open('waiting')
    await page.click('answer-button')
    expect(page.names).toEqual(['hold', 'answer'])
    page.close()
    open('waiting')
    await page.click('end-answer-button')
    expect(page.names).toEqual(['hangup', 'answer'])
    page.close()
    open('waiting')
    await page.click('redirect-button')
    await page.type('redirect-target', '2044')
    await page.click('redirect-send')
    expect(page.commands).toEqual([{ command: 'redirect', callId: 'c4', target: '2044' }])
    expect(page.find('incoming-panel')).toBeNull()
  })

  it('alt and A holds the one and answers the other', async () => {
    open('waiting')
    await page.press('a', { code: 'KeyA', altKey: true })
    expect(page.names).toEqual(['hold', 'answer'])
  })
})

describe('the conference', () => {
  it('says who is held, and gives one party back', async () => {
    open('conference-held')
    expect(page.all('party')).toHaveLength(2)
    expect(page.text('conference')).toContain('On hold by the other side')
    await page.click('split')
    expect(page.commands).toEqual([{ command: 'split', callId: 'c2' }])
  })

  it('is left to the two others', async () => {
    open('conference')
    await page.click('conference-leave')
    expect(page.commands).toEqual([{ command: 'transferAttended', callId: 'c2', consultationCallId: 'c3' }])
  })

  it('is muted as a whole', async () => {
    open('conference')
    await page.click('conference-mute')
    expect(page.commands.map((command) => 'callId' in command && command.callId)).toEqual(['c2', 'c3'])
    expect(page.get('conference-mute').getAttribute('aria-pressed')).toBe('true')
  })
})

describe('a transfer', () => {
  it('is asked for by T, goes to whom was chosen, and tells how far it is', async () => {
    open('incall')
    await page.press('t')
    expect(document.activeElement).toBe(page.get('transfer-target'))
    expect((page.get('transfer-now') as HTMLButtonElement).disabled).toBe(true)
    expect(page.all('suggestion').some((one) => one.textContent?.includes('Farah'))).toBe(false)
    await page.type('transfer-target', 'marta')
    await page.click('suggestion')
    await page.click('transfer-now')
    expect(page.commands).toEqual([{ command: 'transfer', callId: 'c2', target: 'sip:2044@voice.example.org' }])
    await page.settle(1000)
    expect(page.get('transfer-state').dataset['state']).toBe('TRYING')
    await page.settle(1500)
    expect(page.text('ended-panel')).toContain('Farah Siddiqui talks to Marta Okonkwo now.')
  })

  it('is chosen among suggestions by arrows, and given up by escape without ending the call', async () => {
    open('incall')
    await page.press('t')
    await page.press('ArrowDown')
    expect(document.activeElement).toBe(page.all('suggestion')[0])
    await page.press('ArrowDown')
    await page.press('ArrowUp')
    await page.press('ArrowUp')
    expect(document.activeElement).toBe(page.get('transfer-target'))
    await page.press('Escape')
    expect(page.find('transfer-panel')).toBeNull()
    expect(document.activeElement).toBe(page.get('transfer-button'))
    await page.press('t')
    ;(document.activeElement as HTMLElement).blur()
    await page.press('Escape')
    expect(page.find('transfer-panel')).toBeNull()
    expect(page.commands).toEqual([])
  })

  it('that fails says why, and the call is back', async () => {
    open('incall')
    await page.click('transfer-button')
    await page.type('transfer-target', 'busy')
    await page.click('transfer-now')
    await page.settle(2500)
    expect(page.text('transfer-state')).toContain('The transfer to busy failed. 486 Busy Here. The call is back with you.')
    await page.click('transfer-again')
    expect((page.get('transfer-target') as HTMLInputElement).value).toBe('busy')
  })

  it('is talked over first, and completed', async () => {
    open('incall')
    await page.click('transfer-button')
    await page.type('transfer-target', '2044')
    await page.click('transfer-consult')
    expect(page.text('consult-bar')).toContain('You are asking about Farah Siddiqui, who is on hold.')
    expect((page.get('consult-complete') as HTMLButtonElement).disabled).toBe(true)
    await page.settle(1700)
    await page.click('consult-complete')
    expect(page.commands.at(-1)).toMatchObject({ command: 'transferAttended', callId: 'c2' })
  })

  it('that the other side asks for is ours to accept or refuse', async () => {
    open('transfer-asked')
    expect(page.text('transfer-request')).toContain('Farah Siddiqui asks you to call +442079460177 instead.')
    await page.click('transfer-refuse')
    expect(page.commands).toEqual([{ command: 'refuseTransfer', callId: 'c2' }])
    expect(page.find('transfer-request')).toBeNull()
  })
})

describe('what is wrong with a call', () => {
  it('comes with its fix', async () => {
    open('problem-speakingWhileMuted')
    await page.click('fix-unmute')
    expect(page.commands).toEqual([{ command: 'muteAudio', callId: 'c2', muted: false }])
    expect(page.find('problem')).toBeNull()
  })

  it('leads to the microphones', async () => {
    open('problem-silentMicrophone')
    await page.click('fix-microphone')
    expect(page.app.tab).toBe('sound')
    await page.settle(50)
    expect(document.activeElement).toBe(document.getElementById('microphone'))
  })

  it('offers to call again where the other side is gone', async () => {
    open('problem-peerGone')
    await page.click('fix-again')
    expect(page.names).toEqual(['hangup', 'call'])
  })
})

describe('recording', () => {
  it('pauses, goes on and stops', async () => {
    open('incall')
    await page.click('record-button')
    expect(page.text('recording')).toContain('Recording')
    await page.click('recording-pause')
    expect(page.get('recording').dataset['state']).toBe('paused')
    await page.click('recording-stop')
    expect(page.find('recording')).toBeNull()
  })

  it('that broke off says why', () => {
    open('recording-problem')
    expect(page.text('recording')).toContain('the disk is full')
    expect(page.get('record-button').getAttribute('aria-pressed')).toBe('false')
  })
})

describe('facts of a call', () => {
  it('emergency, early sound, who sent it on, and when it answers itself', async () => {
    open('emergency')
    expect(page.text('emergency')).toBe('Emergency call')
    page.close()
    open('early')
    expect(page.text('early-media')).toContain('before anybody answers')
    page.close()
    open('auto-answer')
    expect(page.text('diverted')).toBe('Sent on by Reception')
    expect(page.text('auto-answer')).toBe('Answers by itself in 9 s')
    await page.settle(4000)
    expect(page.text('auto-answer')).toBe('Answers by itself in 5 s')
  })

  it('encryption by hop', () => {
    open('secure')
    expect(page.text('encryption')).toBe('Sound: Encrypted AEAD_AES_256_GCM')
    expect(page.text('signalling')).toContain('Call set-up: Encrypted TLS 1.3')
    expect(page.text('security')).toContain('what lies beyond is not known')
  })
})
