// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { mount, unmount } from 'svelte'
import { FakePlatform } from '../src/platform/fake'
import { popOutHash, poppedOutStream } from '../src/platform/popout'
import { problemWords } from '../src/screens/streams/words'
import PopOut from '../src/screens/streams/PopOut.svelte'
import { App } from '../src/state/app.svelte'
import { Page } from './page'

let page: Page
async function open(scenario: string): Promise<void> {
  page = new Page(scenario)
  await page.click('open-streams')
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  page.close()
  localStorage.clear()
  vi.useRealTimers()
})

const asked = (): unknown[] => page.commands.filter((command) => command.command !== 'getVideoSources')

describe('every state of the streams', () => {
  it.each(['streams-none', 'stream', 'streams', 'streams-nine', 'streams-trouble'])('%s can be drawn, every control has a name, and no id is used twice', async (scenario) => {
    await open(scenario)
    for (const name of ['facts', 'sources']) if (page.find(`stream-${name}`)) await page.click(`stream-${name}`)
    for (const control of document.querySelectorAll('button, input:not([type="checkbox"]), select')) {
      const labelled = control.getAttribute('aria-label') ?? document.querySelector(`label[for="${control.id}"]`)?.textContent
      expect(labelled || control.textContent?.trim(), control.outerHTML).toBeTruthy()
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })

  it.each([['stream', '1'], ['streams-two', '2'], ['streams', '2'], ['streams-nine', '3']])('%s is arranged %s across', async (scenario, across) => {
    await open(scenario)
    expect(page.get('tiles').dataset['across']).toBe(across)
  })
})

describe('publishing', () => {
  it('takes a name and the sources that were chosen', async () => {
    await open('streams-none')
    await page.type('publish-name', ' studio ')
    await page.choose('publish-video', 'screen:0')
    await page.choose('publish-inset', 'device:cam0')
    await page.choose('publish-corner', 'topLeft')
    await page.choose('publish-sound-0-source', 'tone')
    await page.type('publish-sound-0-gain', '0.5')
    expect(page.text('publish-preview')).toContain('Built-in display with HD Webcam C920 in a corner, with 1 sound.')
    await page.choose('quality-rate', '15')
    page.get('publish-button').click()
    await page.settle(600)
    expect(asked()).toMatchObject([
      {
        command: 'publishStream',
        name: 'studio',
        sources: { video: 'screen:0', inset: { source: 'device:cam0', corner: 'topLeft', size: 0.25 }, audio: [{ source: 'tone', gain: 0.5 }] },
        settings: { framesPerSecond: 15 },
      },
    ])
    expect(page.text('stream-status')).toBe('On air PUBLISHING')
    expect(page.text('announce-news')).toBe('studio is on air')
    expect((page.get('publish-name') as HTMLInputElement).value).toBe('')
  })

  it('names what is missing, and asks for a token only where there is a URL', async () => {
    await open('streams-none')
    page.get('publish-button').click()
    await page.settle()
    expect(page.get('publish-name').getAttribute('aria-invalid')).toBe('true')
    expect(asked()).toEqual([])
    expect(page.find('publish-token')).toBeNull()
    await page.type('publish-name', 'https://media.example.org/whip/a')
    await page.type('publish-token', 'secret')
    page.get('publish-button').click()
    await page.settle()
    expect(asked()).toMatchObject([{ name: 'https://media.example.org/whip/a', token: 'secret' }])
  })

  it('is changed while it is live', async () => {
    await open('streams-two')
    await page.click('stream-mute')
    await page.click('stream-dark')
    expect(page.text('stream-muted')).toBe('You are muted')
    await page.click('stream-sources')
    const picker = page.get('stream-tile').querySelector<HTMLSelectElement>('select')!
    picker.value = 'device:cam0'
    picker.dispatchEvent(new Event('change', { bubbles: true }))
    await page.settle()
    expect(asked()).toEqual([
      { command: 'changeStream', streamId: 'st2', audioMuted: true },
      { command: 'changeStream', streamId: 'st2', videoMuted: true },
      { command: 'changeStream', streamId: 'st2', sources: { video: 'device:cam0', audio: [{ source: 'default', gain: 1 }] } },
    ])
    await page.click('stream-stop')
    expect(page.text('ended-status')).toBe('Off air UNPUBLISHED')
  })
})

describe('the preview', () => {
  it('opens sources only when it is asked for, shows how loud they are and what is wrong, and follows every change', async () => {
    await open('streams-none')
    expect(page.platform.previews).toBe(0)
    expect(page.text('publish-preview')).toContain('Camera and microphone stay off until then.')
    await page.choose('publish-video', '')
    await page.click('preview-toggle')
    expect(page.platform.previews).toBe(1)
    await page.settle(200)
    expect(page.get('publish-sound-0-level').getAttribute('aria-valuetext')).toContain('dB')
    await page.type('publish-sound-0-gain', '0')
    await page.settle(200)
    expect(page.get('publish-sound-0-level').getAttribute('aria-valuetext')).toBe('Silent')
    await page.click('preview-toggle')
    expect(page.platform.previews).toBe(0)
    expect(page.find('publish-sound-0-level')).toBeNull()
  })

  it.each([
    ['another form is shown', () => page.click('tab-play')],
    ['another screen is shown', () => page.click('open-phone')],
    ['the stream is published', () => page.click('publish-button')],
  ])('is closed when %s', async (_what, act) => {
    await open('streams-none')
    await page.choose('publish-video', '')
    await page.type('publish-name', 'studio')
    await page.click('preview-toggle')
    expect(page.platform.previews).toBe(1)
    await act()
    await page.settle()
    expect(page.platform.previews).toBe(0)
  })

  it('names a source as the list of sources does when it gives nothing', async () => {
    await open('streams-none')
    expect(problemWords('window:7 gives no pictures', page.app.streams.found)).toBe('Slides gives no pictures')
  })

  it('comes back where publishing is refused', async () => {
    await open('streams-none')
    await page.choose('publish-video', '')
    await page.click('preview-toggle')
    await page.click('publish-button')
    await page.settle()
    expect(document.activeElement).toBe(page.get('publish-name'))
    expect(page.platform.previews).toBe(1)
  })
})

describe('a sound of a stream', () => {
  it('can be a file', async () => {
    await open('streams-none')
    await page.choose('publish-sound-0-source', 'file:')
    const field = page.get('publish-sound-0-path') as HTMLInputElement
    field.value = ' /home/nadia/jingle.wav '
    field.dispatchEvent(new Event('change', { bubbles: true }))
    await page.settle()
    expect(page.app.streams.sources.audio).toEqual([{ source: 'file:/home/nadia/jingle.wav', gain: 1 }])
  })
})

describe('playing', () => {
  it('takes a name, and says beside it why there is none', async () => {
    await open('streams-none')
    await page.click('tab-play')
    await page.type('play-name', 'nobody')
    page.get('play-button').click()
    await page.settle()
    expect(page.text('play-error')).toBe('Stream not found')
    await page.type('play-name', 'garden')
    page.get('play-button').click()
    await page.settle(600)
    expect(page.text('stream-status')).toBe('Playing PLAYING')
  })

  it('takes one of those at the gateway by a click', async () => {
    await open('streams-none')
    await page.click('tab-play')
    expect(page.all('gateway-stream')).toHaveLength(3)
    await page.click('gateway-stream', 2)
    expect(asked()).toEqual([{ command: 'playStream', name: 'talk' }])
  })

  it('is paused, made quieter, photographed and recorded by keys on its tile', async () => {
    await open('stream')
    page.get('stream-pause').focus()
    for (const key of ['p', 'm', 's', 'r']) await page.press(key)
    await page.settle(200)
    expect(page.names.filter((name) => name !== 'getVideoSources')).toEqual(['pauseStream', 'changeStream', 'snapshot', 'recordStream'])
    expect(page.text('stream-status')).toBe('Paused PAUSED')
    expect(page.text('stream-snapshot-file')).toContain('Snapshot, 1280 × 720 /home/nadia/Videos')
    expect(page.text('stream-recording')).toContain('Recording')
    page.app.letters.set(false)
    await page.settle()
    await page.press('p')
    expect(page.names.at(-1)).toBe('recordStream')
  })

  it('that waits for its next attempt can be tried at once', async () => {
    await open('streams-trouble')
    expect(page.text('stream-retrying')).toContain('Next attempt in 8 s')
    await page.settle(1000)
    expect(page.text('stream-countdown')).toBe('Next attempt in 7 s')
    await page.click('stream-retry')
    expect(asked()).toEqual([{ command: 'retryStream', streamId: 'st1' }])
    expect(page.find('stream-retrying')).toBeNull()
  })

  it('that ended says why, and is played again', async () => {
    await open('streams-trouble')
    expect(page.text('ended-stream')).toContain('Stopped by publisher stop')
    await page.click('play-again')
    expect(asked()).toEqual([{ command: 'playStream', name: 'lobby' }])
    expect(page.find('ended-stream')).toBeNull()
  })
})

describe('a tile', () => {
  it('says on the picture what stands still, and what comes no more', async () => {
    await open('streams-trouble')
    expect(page.all('stage-still').map((text) => text.textContent?.trim())).toEqual(['Reconnecting', 'Paused'])
    expect(page.text('stage-cover')).toBe('You hide your picture')
  })

  it('is silenced, and then as loud as before', async () => {
    await open('stream')
    await page.type('stream-volume', '0.6')
    await page.click('stream-silence')
    expect(page.get('stream-silence').getAttribute('aria-pressed')).toBe('true')
    await page.click('stream-silence')
    expect(asked().map((command) => (command as { volume: number }).volume)).toEqual([0.6, 0, 0.6])
  })

  it('shows its stream in a window of its own', async () => {
    await open('stream')
    page.get('stream-pause').focus()
    await page.press('o')
    await page.click('stream-out')
    expect(page.platform.poppedOut).toEqual(['st1', 'st1'])
  })

  it('closes what is open in it before escape means anything else', async () => {
    await open('streams-two')
    const tiles = page.all('stream-tile')
    await page.click('stream-sources')
    tiles[0]!.querySelector<HTMLElement>('[data-testid="stream-mute"]')!.focus()
    await page.press('Escape')
    expect(tiles[0]!.querySelector('fieldset')).toBeNull()
    expect(document.activeElement).toBe(page.get('stream-sources'))
  })

  it('shows how loud what we publish is', async () => {
    await open('streams-two')
    await page.settle(200)
    expect(page.all('stream-level')).toHaveLength(1)
    await page.click('stream-mute')
    expect(page.get('stream-level').getAttribute('aria-valuetext')).toBe('You are muted')
  })
})

describe('a window for one stream', () => {
  it('has the stream in its address', async () => {
    await open('streams-none')
    for (const id of ['st1', 'a b/c#d']) expect(poppedOutStream({ hash: popOutHash(id) } as Location)).toBe(id)
    for (const hash of ['', '#stage', '#stream=', '#stream=%']) expect(poppedOutStream({ hash } as Location)).toBeNull()
  })

  it('shows it, says how it is, and is closed by escape', async () => {
    const platform = new FakePlatform('streams-trouble')
    const closed = vi.fn(async () => {})
    const app = new App(Object.assign(platform, { closePopOut: closed }))
    page = new Page('streams-none')
    const root = mount(PopOut, { target: document.body, props: { app, streamId: 'st5' } })
    await page.settle()
    expect(page.text('pop-out-status')).toBe('Paused PAUSED')
    expect(document.title).toBe('yard')
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))
    expect(closed).toHaveBeenCalledOnce()
    await app.perform({ command: 'stopStream', streamId: 'st5' })
    await page.settle()
    expect(page.text('pop-out')).toContain('Stopped')
    await unmount(root)
  })
})

describe('what is wrong', () => {
  it('is said beside the quality light, once', async () => {
    await open('streams')
    const cause = page.all('stream-cause').map((text) => text.textContent)
    expect(cause).toEqual(['3 % of the packets are lost: what is lost is sent again, which takes time'])
    expect(page.all('stream-quality').map((light) => light.dataset['level'])).toEqual(['good', 'good', 'fair', 'good'])
  })
})

describe('notices', () => {
  it('are said for people, and not beside a banner that says the same', async () => {
    await open('problem-silentMicrophone')
    const { engine } = page.platform
    const [call] = engine.state.calls
    engine.emit({ event: 'Notice', level: 'warning', info: call!.problem!.info, callId: call!.callId })
    await page.settle()
    expect(page.all('toast')).toHaveLength(0)
    engine.emit({ event: 'Notice', level: 'error', info: 'speaker: no audio output: none is there' })
    await page.settle()
    expect(page.text('toast')).toContain('This machine has no speaker now')
    engine.emit({ event: 'Notice', level: 'error', info: 'microphone: talk.wav is damaged' })
    await page.settle()
    expect(page.all('toast').at(-1)?.textContent).toContain('The microphone cannot be used (talk.wav is damaged)')
  })
})
