// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import Guest from '../src/guest/Guest.svelte'
import { linkOf } from '../src/guest/link'
import { GuestMeeting } from '../src/guest/meeting.svelte'
import { streamName } from '../src/guest/streamNames'
import { newId } from '../src/guest/wcs/id'
import { readMessage } from '../src/guest/wcs/messages'
import { face, people, room } from '../src/platform/fake/roomPeople'
import { FakePeer, FakeServer, giveMedia, type FakeStream } from './guestPeer'

let servers: FakeServer[]
let meeting: GuestMeeting
let close = (): void => {}
const LINK = { room: 'standup', invite: 'tok3n', login: '', server: 'wss://host/' }
const server = (): FakeServer => servers.at(-1)!

const find = (testid: string): HTMLElement | null => document.querySelector(`[data-testid="${testid}"]`)
function get(testid: string): HTMLElement {
  const element = find(testid)
  if (!element) throw new Error(`no ${testid}`)
  return element
}
async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  flushSync()
}
async function click(testid: string): Promise<void> {
  get(testid).click()
  await settle()
}

beforeEach(() => {
  vi.useFakeTimers()
  servers = []
  window.matchMedia = () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }) as unknown as MediaQueryList
  globalThis.ResizeObserver = class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  }
  Object.defineProperty(HTMLElement.prototype, 'clientWidth', { configurable: true, get: () => 1000 })
  Object.defineProperty(HTMLElement.prototype, 'clientHeight', { configurable: true, get: () => 600 })
})
afterEach(() => {
  close()
  close = () => {}
  document.body.replaceChildren()
  Reflect.deleteProperty(HTMLElement.prototype, 'clientWidth')
  Reflect.deleteProperty(HTMLElement.prototype, 'clientHeight')
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

function open(link = LINK): FakeStream {
  const own = giveMedia()
  meeting = new GuestMeeting(link, () => {
    servers.push(new FakeServer())
    return server()
  })
  const page = mount(Guest, { target: document.body, props: { meeting } })
  close = () => void unmount(page)
  flushSync()
  return own
}

const view = (count = 3): ReturnType<typeof room> => room(0, { own: 'p3', participants: people(count).map((person) => (person.participantId === 'p3' ? { ...person, login: 'Rosa', streams: [], audioMuted: false } : person)) })

/** As far as the room's answer to `join`. */
async function knock(login = 'Rosa', media = true): Promise<void> {
  if (media) await click('guest-media')
  const field = get('guest-login') as HTMLInputElement
  field.value = login
  field.dispatchEvent(new Event('input', { bubbles: true }))
  await click('guest-join')
  server().opens()
  server().says('getUserData', { authToken: 'a' })
  await settle()
}

async function enter(): Promise<void> {
  await knock()
  server().answers(null)
  server().tells('standup', 'ROOM', view())
  await settle()
}

describe('a link', () => {
  const at = (hash: string, part = {}) => linkOf({ hash, search: '', protocol: 'https:', hostname: '10.0.0.1', host: '10.0.0.1:8444', ...part })

  it('names room, invite and server; what is behind # goes to no server', () => {
    expect(at('#room=standup&invite=tok3n')).toEqual({ room: 'standup', invite: 'tok3n', login: '', server: 'wss://10.0.0.1:8444/' })
    expect(at('', { search: '?room=a%20b&login=Rosa', protocol: 'http:' })).toMatchObject({ room: 'a b', login: 'Rosa', server: 'ws://10.0.0.1:8444/' })
    expect(at('#room=a&port=9000').server).toBe('wss://10.0.0.1:9000/')
    expect(at('#room=a&port=9000/evil').server).toBe('wss://10.0.0.1:8444/')
  })

  it('that is an invite alone has its room from the server', async () => {
    expect(at('#q7Kd-02_mB')).toMatchObject({ room: '', invite: 'q7Kd-02_mB' })
    open({ ...LINK, room: '' })
    expect(document.body.textContent).toContain('a meeting')
    await knock('Rosa', false)
    expect(get('guest-info').textContent).toContain('This link names no meeting')
    await click('guest-join')
    server().opens()
    server().says('getUserData', { room: 'standup' })
    await settle()
    expect(server().commands).toEqual([{ command: 'join', options: { name: 'standup', view: true, invite: 'tok3n' } }])
  })

  it('without a room says so and asks for nothing', async () => {
    open({ ...LINK, room: '', invite: '' })
    expect(document.body.textContent).toContain('This link names no meeting')
    expect(find('guest-join')).toBeNull()
  })
})

describe('on the wire', () => {
  it('introduces itself with name and invite, joins with the whole view, and sends what it has, sendonly', async () => {
    open()
    await enter()
    expect(server().of('connection')).toMatchObject([{ appKey: 'roomApp', clientVersion: '2.0', mediaProviders: ['WebRTC'], custom: { login: 'Rosa', token: 'tok3n' } }])
    expect(server().commands[0]).toEqual({ command: 'join', options: { name: 'standup', view: true, invite: 'tok3n' } })
    const [published] = server().of('publishStream')
    expect(published).toMatchObject({ published: true, hasAudio: true, hasVideo: true, status: 'PENDING', mediaProvider: 'WebRTC', custom: { name: 'standup' }, sdp: 'offer of audio sendonly, video sendonly' })
    expect(published?.['name']).toMatch(/^standup-Rosa-[0-9a-f]{4}$/)
    await settle()
    server().says('setRemoteSDP', published?.['mediaSessionId'], 'the answer', true)
    await settle()
    expect(FakePeer.all.find(({ transceivers }) => transceivers[0] === 'audio sendonly')?.remote).toBe('the answer')
  })

  it('plays what others send and not itself, again where it failed, and stops what has gone', async () => {
    open()
    await enter()
    const plays = () => server().of('playStream').map(({ name }) => name)
    expect(plays()).toEqual(['standup-p1', 'standup-p2'])
    expect(server().of('playStream')[0]).toMatchObject({ published: false, custom: { name: 'standup' }, sdp: 'offer of audio recvonly, video recvonly' })
    server().says('notifyStreamStatusEvent', { mediaSessionId: server().of('playStream')[0]?.['mediaSessionId'], status: 'FAILED', info: 'Stream not found' })
    await settle(2100)
    expect(plays()).toEqual(['standup-p1', 'standup-p2', 'standup-p1'])
    const left = view()
    server().tells('standup', 'ROOM', { ...left, participants: left.participants.filter(({ participantId }) => participantId !== 'p2') })
    await settle()
    expect(server().of('stopStream').map(({ name }) => name)).toContain('standup-p2')
    expect(plays()).toHaveLength(3)
  })

  it('answers pings, takes a server that is silent for gone, and comes back', async () => {
    open()
    await enter()
    server().says('ping')
    expect(server().heard.at(-1)).toEqual({ message: 'pong', data: [null] })
    await settle(20_001)
    expect(servers[0]?.closed).toBe(true)
    expect(find('guest-back')).not.toBeNull()
    await settle(1001)
    expect(servers).toHaveLength(2)
    server().opens()
    server().says('getUserData', {})
    await settle()
    server().answers(null)
    await settle()
    expect(find('guest-back')).toBeNull()
    expect(server().of('publishStream')).toHaveLength(1)
  })

  it('gives up after a while, and says so', async () => {
    open()
    await enter()
    for (let at = 0; at < 6; at++) {
      server().close()
      await settle(20_000)
    }
    expect(get('guest-wait').dataset['status']).toBe('over')
  })

  it.each(['', 'no json', '[]', '{"message":"ping"}', '{"message":"ping","data":null}', '{"message":"OnDataEvent","data":[{"payload":7}]}', '{"message":"unheardOf","data":[]}'])('overhears %j', (line) => {
    expect(readMessage(line)).toBeNull()
  })

  it('survives whatever a room says of itself', async () => {
    open()
    await enter()
    for (const info of [null, 7, 'x', [], {}, { participants: 'x' }]) for (const name of ['ROOM', 'MESSAGE', 'REACTION', 'STATE', 'other']) server().tells('standup', name, info)
    server().tells('another', 'REMOVED', 'no')
    for (const message of ['setRemoteSDP', 'notifyStreamStatusEvent', 'notifyStreamEvent', 'DataStatusEvent', 'fail']) server().says(message, null)
    await settle()
    expect(find('guest-room')).not.toBeNull()
  })
})

describe('at the door', () => {
  it('waits in the lobby, is let in, and is thrown out for good', async () => {
    open()
    await knock()
    server().tells('standup', 'LOBBY', null)
    await settle()
    expect(get('guest-wait').textContent).toContain('You are in the lobby of standup')
    server().answers(null)
    server().tells('standup', 'ROOM', view())
    await settle()
    expect(get('guest-room').textContent).toContain('3 people')
    server().tells('standup', 'REMOVED', 'a host has sent you out')
    await settle(60_000)
    expect(get('guest-wait').textContent).toContain('a host has sent you out')
    expect(servers).toHaveLength(1)
    expect(servers[0]?.closed).toBe(true)
    expect(FakePeer.all.every(({ closed }) => closed)).toBe(true)
  })

  it('says why it was refused, and asks for the password where one is wanted', async () => {
    open()
    await knock()
    server().answers('the room wants a password')
    await settle()
    expect(get('guest-info').textContent).toContain('the room wants a password')
    const field = get('guest-password') as HTMLInputElement
    field.value = 'open'
    field.dispatchEvent(new Event('input', { bubbles: true }))
    await click('guest-join')
    server().opens()
    server().says('getUserData', {})
    await settle()
    expect(server().commands).toEqual([{ command: 'join', options: { name: 'standup', view: true, password: 'open', invite: 'tok3n' } }])
  })

  it('passes on what the server has against its session', async () => {
    open()
    await click('guest-join')
    expect(servers).toHaveLength(0)
    meeting.login = 'Rosa'
    await click('guest-join')
    server().opens()
    server().says('fail', { status: 'FAILED', info: 'Restricted access', apiMethod: 'ConnectionStatusEvent' })
    server().close()
    await settle(60_000)
    expect(get('guest-info').textContent).toContain('Restricted access')
    expect(servers).toHaveLength(1)
  })

  it('comes without camera and microphone too', async () => {
    open()
    await knock('Rosa', false)
    server().answers(null)
    server().tells('standup', 'ROOM', view())
    await settle()
    expect(server().of('publishStream')).toEqual([])
    expect(find('guest-mute')).toBeNull()
    expect(find('guest-hand')).not.toBeNull()
  })
})

describe('in the meeting', () => {
  it('mutes at the track and tells the server, and is muted by a host', async () => {
    const own = open()
    await enter()
    await click('guest-mute')
    const id = server().of('publishStream')[0]?.['mediaSessionId']
    expect(own.getAudioTracks()[0]?.enabled).toBe(false)
    await click('guest-mute')
    server().says('notifyStreamEvent', { mediaSessionId: id, type: 'audioMuted', payload: {} })
    await settle()
    expect(own.getAudioTracks()[0]?.enabled).toBe(false)
    expect(get('guest-mute').getAttribute('aria-pressed')).toBe('true')
    await click('guest-dark')
    expect(server().of('sendStreamEvent')).toEqual(['audioMuted', 'audioUnmuted', 'videoMuted'].map((type) => ({ mediaSessionId: id, type })))
  })

  it('raises a hand, writes to all or to one, shares a screen, and leaves', async () => {
    const own = open()
    await enter()
    await click('guest-hand')
    await click('guest-chat')
    const field = get('chat-text') as HTMLTextAreaElement
    field.value = 'hello'
    field.dispatchEvent(new Event('input', { bubbles: true }))
    await settle()
    await click('chat-send')
    const ask = (wish: unknown): unknown => ({ command: 'ask', options: { name: 'standup', room: wish } })
    expect(server().commands.slice(1)).toEqual([ask({ ask: 'raiseHand', on: true }), ask({ ask: 'sendMessage', text: 'hello' })])
    server().answers('this is too much at once')
    await settle()
    expect(get('chat-line').textContent).toContain('this is too much at once')
    await click('guest-share')
    expect(server().of('publishStream')[1]?.['name']).toMatch(/^standup-Rosa-[0-9a-f]{4}-screen$/)
    await click('guest-share')
    expect(server().of('unPublishStream')).toHaveLength(1)
    await click('guest-leave')
    expect(server().commands.at(-1)).toEqual({ command: 'leave', options: { name: 'standup' } })
    expect(own.getTracks().every(({ stopped }) => stopped)).toBe(true)
    expect(find('guest-form')).not.toBeNull()
  })

  it('counts what nobody has read, and says who came', async () => {
    open()
    await enter()
    server().tells('standup', 'MESSAGE', { from: 'Nadia Wolff', text: 'hi' })
    await settle()
    expect(get('guest-chat').textContent).toContain('1 unread message')
    server().tells('standup', 'ROOM', { ...view(), participants: [...view().participants, { ...people(4)[3]!, hand: null, streams: [face('p4')] }] })
    await settle()
    expect(get('announce-news').textContent).toBe('Liam Chen came in')
  })

  it('mutes somebody for this guest alone', async () => {
    open()
    await enter()
    server().says('setRemoteSDP', 'x', 'y')
    for (const peer of FakePeer.all.filter(({ transceivers }) => transceivers[0] === 'audio recvonly')) peer.ontrack?.({ track: giveTrack() })
    await settle()
    expect(document.querySelectorAll('audio')).toHaveLength(2)
    await click('seat-hear')
    expect([...document.querySelectorAll('audio')].map(({ muted }) => muted)).toEqual([true, false])
    expect(server().commands).toHaveLength(1)
  })
})

const giveTrack = (): never => ({ kind: 'audio', enabled: true }) as never

describe('names', () => {
  it('of streams begin with the room, whoever sends them', () => {
    for (const login of ['Rosa Lund', '', '<script>', '李小龍', 'x'.repeat(200)]) expect(streamName('a.b', login, true)).toMatch(/^a\.b-[\p{L}\p{N}]{1,24}-[0-9a-f]{4}-screen$/u)
  })

  it('of operations are UUIDs, each another', () => {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(new Set(Array.from({ length: 100 }, newId)).size).toBe(100)
  })
})
