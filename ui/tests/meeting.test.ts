// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Page } from './page'

let page: Page
async function open(scenario: string): Promise<void> {
  page = new Page(scenario)
  await page.click('open-meeting')
}

beforeEach(() => {
  vi.useFakeTimers()
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 1000 })
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 600 })
})
afterEach(() => {
  page.close()
  localStorage.clear()
  Reflect.deleteProperty(HTMLElement.prototype, 'clientWidth')
  Reflect.deleteProperty(HTMLElement.prototype, 'clientHeight')
  vi.useRealTimers()
})

const asked = (): unknown[] => page.commands.flatMap((command) => (command.command === 'askRoom' && command.room.ask !== 'show' ? [command.room] : []))
const joined = (): unknown[] => page.commands.filter((command) => command.command === 'joinRoom')

const STATES = ['meeting', 'meeting-1', 'meeting-2', 'meeting-5', 'meeting-9', 'meeting-16', 'meeting-2-share', 'meeting-16-share', 'meeting-joining', 'meeting-back', 'meeting-lobby', 'meeting-guest', 'meeting-host', 'meeting-own-share', 'meeting-unheard', 'meeting-chat', 'meeting-refused', 'meeting-failed', 'meeting-removed', 'meeting-lost', 'meeting-closed']

function check(): void {
  for (const control of document.querySelectorAll('button, input:not([type="checkbox"]), select, textarea')) {
    const labelled = control.getAttribute('aria-label') ?? document.querySelector(`label[for="${control.id}"]`)?.textContent ?? control.closest('label')?.textContent
    expect(labelled || control.textContent?.trim(), control.outerHTML).toBeTruthy()
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id)
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
}

describe('every state of a meeting', () => {
  it.each(STATES)('%s can be drawn, every control has a name, and no id is used twice', async (scenario) => {
    await open(scenario)
    check()
    for (const panel of ['people', 'chat']) {
      if (!page.find(`room-${panel}`)) continue
      await page.click(`room-${panel}`)
      for (const more of page.all('person-more')) more.click()
      await page.settle()
      check()
    }
    for (const dialog of ['share', 'invite', 'rules']) {
      if (!page.find(`room-${dialog}`)) continue
      await page.click(`room-${dialog}`)
      if (!page.find(`${dialog}-close`)) continue
      await page.settle(100)
      check()
      await page.click(`${dialog}-close`)
    }
  })

  it.each([['meeting-refused', 'refused'], ['meeting-failed', 'failed'], ['meeting-removed', 'out'], ['meeting-lost', 'lost'], ['meeting-closed', 'out']])('%s says that it is over, and why', async (scenario, kind) => {
    await open(scenario)
    expect(page.get('meeting-ended').dataset['kind']).toBe(kind)
    expect(page.get('meeting-ended').querySelectorAll('p')).toHaveLength(1)
    await page.click('meeting-again')
    expect((page.get('meeting-name') as HTMLInputElement).value).toBe('standup')
  })
})

describe('joining', () => {
  it('takes a name and what was chosen, and keeps both for the next time', async () => {
    await open('meeting')
    await page.type('meeting-name', ' planning ')
    await page.type('meeting-login', 'Nadia')
    await page.choose('meeting-camera', 'bars')
    await page.click('entry-mute')
    await page.click('meeting-join')
    expect(joined()).toEqual([{ command: 'joinRoom', name: 'planning', login: 'Nadia', sources: { video: 'bars', audio: [{ source: 'default', gain: 1 }] }, audioMuted: true, videoMuted: false }])
    expect(page.get('meeting-waiting').dataset['status']).toBe('JOINING')
    await page.settle(700)
    expect(page.text('room-bar')).toContain('planning')
    expect(page.find('room-alone')).not.toBeNull()
    await page.click('room-leave')
    expect(page.text('recent-room')).toContain('planning')
    expect((page.get('meeting-login') as HTMLInputElement).value).toBe('Nadia')
  })

  it('says beside its field what is missing, and asks for a password where the room wants one', async () => {
    await open('meeting')
    await page.click('meeting-join')
    expect(document.activeElement).toBe(page.get('meeting-name'))
    await page.type('meeting-name', 'secret')
    await page.type('meeting-login', 'Nadia')
    await page.click('meeting-join')
    await page.settle()
    expect(document.activeElement).toBe(page.get('meeting-password'))
    expect(page.get('meeting-password').getAttribute('aria-invalid')).toBe('true')
    await page.type('meeting-password', 'open')
    await page.click('meeting-join')
    expect(joined().at(-1)).toMatchObject({ name: 'secret', password: 'open' })
    expect(page.find('meeting-waiting')).not.toBeNull()
    expect(page.app.rooms.password).toBe('')
  })

  it('opens camera and microphone only when it is asked to, and closes them before it joins', async () => {
    await open('meeting')
    expect(page.platform.previews).toBe(0)
    await page.choose('meeting-camera', '')
    await page.click('join-preview-toggle')
    expect(page.platform.previews).toBe(1)
    await page.type('meeting-name', 'a')
    await page.type('meeting-login', 'b')
    page.get('meeting-join').click()
    await page.settle()
    expect(page.platform.previews).toBe(0)
  })

  it('makes a name up that a room can have', async () => {
    await open('meeting')
    await page.click('meeting-fresh')
    expect((page.get('meeting-name') as HTMLInputElement).value).toMatch(/^[a-z]+-[a-z]+-\d{4}$/)
  })
})

describe('in the meeting', () => {
  it('is steered by keys, and escape closes what is open without ending a call', async () => {
    await open('meeting-5')
    for (const key of ['m', 'v', 'r', 'c']) await page.press(key)
    expect(asked()).toEqual([{ ask: 'mute', audio: true }, { ask: 'mute', video: true }, { ask: 'raiseHand', on: true }])
    expect(page.get('room-panel').dataset['panel']).toBe('chat')
    expect(document.activeElement).toBe(page.get('chat-text'))
    await page.press('m')
    expect(asked()).toHaveLength(3)
    await page.press('Escape')
    expect(page.find('room-panel')).toBeNull()
    expect(document.activeElement).toBe(page.get('room-chat'))
    await page.press('w')
    expect(page.get('room-stage').dataset['layout']).toBe('speaker')
    page.app.letters.set(false)
    await page.press('m')
    expect(asked()).toHaveLength(3)
  })

  it('tells what it shows when it has settled, and that it shows nothing when it is left', async () => {
    await open('meeting-5')
    await page.settle(300)
    const shows = (): unknown[] => page.commands.flatMap((command) => (command.command === 'askRoom' && command.room.ask === 'show' ? [command.room.pictures.map(({ name }) => name)] : []))
    expect(shows()).toEqual([['standup-p2', 'standup-p4']])
    await page.click('open-phone')
    await page.settle(300)
    expect(shows()).toEqual([['standup-p2', 'standup-p4'], []])
  })

  it('warns that nobody hears us, by banner, tile and voice', async () => {
    await open('meeting-unheard')
    expect(page.text('room-unheard')).toContain('Nobody hears you.')
    expect(page.all('seat-cause').map((cause) => cause.textContent?.trim())).toContain('Nobody hears you.')
    await page.click('room-mute')
    expect(page.find('room-unheard')).toBeNull()
  })

  it('says who came, left, raised a hand and knocks, and leaves the focus where it is', async () => {
    await open('meeting-5')
    page.get('room-hand').focus()
    const { engine } = page.platform
    const [room] = engine.state.rooms
    const changed = { ...room!, knocking: [{ participantId: 'k1', login: 'Rosa', since: 0 }], participants: room!.participants.filter(({ participantId }) => participantId !== 'p4').map((person) => (person.participantId === 'p2' ? { ...person, hand: 1 } : person)) }
    engine.emit({ event: 'RoomChanged', room: changed })
    await page.settle()
    expect(page.text('announce-news')).toBe('Tomás Herrera raised a hand, number 1 in line. Liam Chen left. Rosa waits in the lobby')
    expect(document.activeElement).toBe(page.get('room-hand'))
  })

  it('pins, silences and pops out from a tile', async () => {
    await open('meeting-5')
    await page.click('seat-pin', 1)
    expect(page.get('room-stage').dataset['layout']).toBe('speaker')
    await page.click('seat-hear')
    await page.click('seat-out')
    expect(asked()).toEqual([{ ask: 'hear', participantId: 'p2', muted: true }])
    expect(page.platform.poppedOut).toEqual(['room-p2'])
  })

  it('shows reactions with names, for a while', async () => {
    await open('meeting-5')
    await page.press('e')
    await page.settle()
    expect(document.activeElement).toBe(page.all('reaction')[0])
    await page.click('reaction', 2)
    expect(asked()).toEqual([{ ask: 'react', reaction: '❤️' }])
    expect(page.text('reactions-shown')).toBe('Nadia Wolff')
    expect(page.get('reactions-shown').querySelector('li')?.dataset['reaction']).toBe('❤️')
    await page.settle(7000)
    expect(page.text('reactions-shown')).toBe('')
  })

  it('shares what is chosen, and stops by the same key', async () => {
    await open('meeting-2')
    await page.press('d')
    await page.settle()
    await page.click('share-sound')
    await page.click('share-go')
    await page.settle()
    expect(asked()).toEqual([{ ask: 'shareScreen', sources: { video: 'screen:0', audio: [{ source: 'system', gain: 1 }] } }])
    expect(page.find('share')).toBeNull()
    await page.press('d')
    expect(asked().at(-1)).toEqual({ ask: 'shareScreen', sources: null })
  })
})

describe('streams of a meeting', () => {
  it('are shown by the meeting alone, and are no news', async () => {
    await open('meeting-5')
    await page.click('open-streams')
    expect(page.find('streams-none')).not.toBeNull()
    page.platform.engine.emit({ event: 'StreamStatusEvent', status: 'PLAYING', streamId: 'room-p2', name: 'standup-p2', info: '' })
    await page.settle()
    expect(page.text('announce-news')).toBe('')
  })
})

describe('people', () => {
  it('are heard as loud as we want, and hosts let in, mute, promote and remove', async () => {
    await open('meeting-host')
    await page.click('room-people')
    expect(page.all('person').map((row) => row.dataset['person'])).toEqual(['p4', 'p1', 'p2', 'p3', 'p5', 'p6'])
    await page.click('admit')
    await page.click('person-more', 1)
    await page.type('person-volume', '0.5')
    await page.click('person-hear')
    await page.click('person-mute')
    await page.click('person-host')
    await page.click('person-remove')
    await page.click('person-remove-yes')
    expect(asked()).toEqual([
      { ask: 'admit', participantId: 'k1' },
      { ask: 'hear', participantId: 'p2', volume: 0.5 },
      { ask: 'hear', participantId: 'p2', muted: true },
      { ask: 'muteOther', participantId: 'p2' },
      { ask: 'makeHost', participantId: 'p2' },
      { ask: 'remove', participantId: 'p2' },
    ])
  })

  it('who are no hosts see nothing that hosts alone do', async () => {
    await open('meeting-guest')
    await page.click('room-people')
    await page.click('person-more')
    for (const id of ['person-remove', 'person-mute', 'person-host', 'call-in', 'mute-all', 'room-invite', 'room-rules']) expect(page.find(id), id).toBeNull()
    await page.click('room-leave')
    expect(asked()).toEqual([{ ask: 'leave' }])
    expect(page.find('join-form')).not.toBeNull()
  })

  it('are called in by number', async () => {
    await open('meeting-2')
    await page.click('room-people')
    await page.type('call-in-target', '2044')
    await page.click('call-in-go')
    expect(asked()).toEqual([{ ask: 'callIn', callee: '2044' }])
    expect((page.get('call-in-target') as HTMLInputElement).value).toBe('')
  })
})

describe('two meetings at once', () => {
  it('shows the newest, and the other when it is chosen, each with its chat', async () => {
    await open('meeting-both')
    expect(page.text('room-bar')).toContain('design-review')
    page.platform.engine.emit({ event: 'RoomMessage', roomId: 'r1', from: 'p2', login: 'Tomás Herrera', text: 'over here' })
    await page.settle()
    expect(page.text('room-switch')).toContain('standup · 1 unread message')
    await page.choose('room-switch', 'r1')
    expect(page.text('room-count')).toContain('3 people')
    await page.click('room-chat')
    expect(page.text('chat-line')).toContain('over here')
    await page.click('room-leave')
    await page.click('leave-only')
    expect(asked().at(-1)).toEqual({ ask: 'leave' })
    expect(page.text('room-bar')).toContain('design-review')
    expect(page.find('room-switch')).toBeNull()
  })
})

describe('the chat', () => {
  it('counts what nobody has read, marks what is private, and is written to all or to one', async () => {
    await open('meeting-chat')
    expect(page.text('room-chat')).toContain('3 unread messages')
    await page.click('room-chat')
    expect(page.all('chat-line').map((line) => line.dataset['private'])).toEqual([undefined, undefined, 'true'])
    expect(page.text('room-chat')).not.toContain('unread')
    await page.type('chat-text', 'hello')
    await page.press('Enter')
    await page.choose('chat-to', 'p2')
    await page.type('chat-text', 'between us')
    await page.click('chat-send')
    expect(asked()).toEqual([{ ask: 'sendMessage', text: 'hello' }, { ask: 'sendMessage', text: 'between us', to: 'p2' }])
    expect(page.all('chat-line').at(-1)?.textContent).toContain('to Tomás Herrera alone')
  })

  it('says what did not go out, and sends it again', async () => {
    await open('meeting-2')
    await page.click('room-chat')
    await page.type('chat-text', 'fail')
    await page.press('Enter')
    expect(page.all('chat-line')[0]?.textContent).toContain('Not sent: It did not reach the room')
    await page.click('chat-retry')
    expect(asked()).toHaveLength(2)
  })
})

describe('an invite', () => {
  it('has a link, its QR code as an image, and says who can follow it; another option makes another', async () => {
    await open('meeting-2')
    await page.press('i')
    await page.settle()
    expect((page.get('invite-url') as HTMLInputElement).value).toContain('https://')
    expect(page.get('invite-qr').getAttribute('src')).toMatch(/^data:image\/svg\+xml/)
    expect(page.get('invite').querySelector('[data-testid="invite-qr"] svg')).toBeNull()
    expect(page.get('invite-reach').dataset['reach']).toBe('network')
    await page.click('invite-once')
    await page.settle(10)
    await page.type('invite-login', 'Rosa')
    await page.settle(1000)
    expect(asked()).toEqual([{ ask: 'invite', admitted: false, once: false }, { ask: 'invite', admitted: false, once: true }, { ask: 'invite', login: 'Rosa', admitted: false, once: true }])
    await page.click('invite-revoke')
    await page.click('invite-revoke-yes')
    await page.settle()
    expect(asked().slice(3)).toEqual([{ ask: 'revokeInvites' }, { ask: 'invite', login: 'Rosa', admitted: false, once: true }])
  })
})

describe('a host', () => {
  it('sets the rules, a password, records and publishes', async () => {
    await open('meeting-2')
    await page.click('room-rules')
    await page.click('rules-locked')
    await page.choose('rules-limit', '4')
    await page.type('rules-password', 'open')
    await page.click('rules-password-set')
    await page.click('room-record')
    await page.type('room-publish', 'live')
    await page.click('room-publish-go')
    expect(asked()).toMatchObject([{ ask: 'changeSettings', settings: { locked: true, lobby: true } }, { ask: 'changeSettings', settings: { locked: true, mostParticipants: 4 } }, { ask: 'setPassword', password: 'open' }, { ask: 'record', on: true }, { ask: 'publish', name: 'live' }])
    expect(page.text('room-published')).toContain('live')
  })

  it('leaves, or ends it for all', async () => {
    await open('meeting-5')
    await page.click('room-leave')
    await page.click('leave-all')
    expect(asked()).toEqual([{ ask: 'close' }])
    expect(page.find('join-form')).not.toBeNull()
    expect(page.find('meeting-ended')).toBeNull()
  })
})
