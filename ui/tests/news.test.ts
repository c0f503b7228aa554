import { describe, expect, it } from 'vitest'
import type { CallView, Encryption } from '../src/api/types'
import { call, TLS } from '../src/platform/fake/data'
import { describeMedia, describeSignalling } from '../src/screens/call/security'
import { News, newsOfCall } from '../src/state/news.svelte'
import { bench } from './data'

const jonas = call(0, { callId: 'j', remoteName: 'Jonas', status: 'ESTABLISHED', establishedAt: 1 })
const news = (before: Partial<CallView>, after: Partial<CallView>, inFront = false): string[] =>
  newsOfCall({ ...jonas, ...before }, { ...jonas, ...after }, inFront)
const recording = { path: '/x.wav', paused: false, seconds: 1, problem: null }

describe('what is said to those who do not see it', () => {
  it('names who is held and by whom, where it is not said as the status of the call in front', () => {
    const held = { status: 'HOLD', hold: { local: true, remote: false } } as const
    expect(news({}, held)).toEqual(['Jonas is on hold'])
    expect(news({}, { status: 'HOLD', hold: { local: false, remote: true } })).toEqual(['Jonas holds you'])
    expect(news(held, {})).toEqual(['The call with Jonas goes on'])
    expect(news({}, held, true)).toEqual([])
  })

  it('follows the conference', () => {
    expect(news({}, { inConference: true })).toEqual(['Jonas is in the conference'])
    expect(news({ inConference: true }, {})).toEqual(['Jonas is out of the conference'])
  })

  it('follows the recording, and why it ended', () => {
    expect(news({}, { recording }, true)).toEqual(['Recording the call with Jonas'])
    expect(news({ recording }, { recording: { ...recording, paused: true } })).toEqual(['Recording paused'])
    expect(news({ recording: { ...recording, paused: true } }, { recording })).toEqual(['Recording goes on'])
    expect(news({ recording }, { recording: { ...recording, problem: 'disk full' } })).toEqual(['Recording ended early: disk full'])
    expect(news({ recording }, {})).toEqual(['Recording of Jonas ended'])
    expect(news({ recording }, { recording: { ...recording, seconds: 9 } })).toEqual([])
  })

  it('says a problem once, with what to do, and when it is over', () => {
    const problem = { kind: 'speakingWhileMuted', info: 'Press M.' } as const
    expect(news({}, { problem })).toEqual(['You are muted. Press M.'])
    expect(news({ problem }, { problem: { ...problem } })).toEqual([])
    expect(news({ problem }, {})).toEqual(['The call with Jonas is all right again'])
  })

  it('tells what becomes of a transfer, with its cause', () => {
    const desk = bench({ calls: [jonas] })
    const tell = (status: string, info: string): void =>
      desk.send({ event: 'TransferStatusEvent', status, callId: 'j', sessionId: 's1', target: 'sip:2044@example.org', info })
    tell('TRYING', '180 Ringing')
    expect(desk.app.news.text.trim()).toBe('It is ringing at 2044')
    tell('FAILED', '486 Busy Here')
    expect(desk.app.news.text.trim()).toBe('Transfer to 2044 failed: 486 Busy Here')
    desk.send({ event: 'OnTransferEvent', callId: 'j', sessionId: 's1', target: 'sip:7@b', referredBy: 'sip:jonas@b' })
    expect(desk.app.news.text.trim()).toBe('jonas asks you to call 7 instead')
  })

  it('tells of do not disturb when it changes, and of no other setting', () => {
    const desk = bench()
    const settings = desk.app.mirror!.settings
    desk.send({ event: 'SettingsChanged', settings: { ...settings, ui: { theme: 'dark' } } })
    expect(desk.app.news.text).toBe('')
    desk.send({ event: 'SettingsChanged', settings: { ...settings, calls: { ...settings.calls, doNotDisturb: true } } })
    expect(desk.app.news.text.trim()).toBe('Do not disturb is on')
  })

  it('is said again where it happens again', () => {
    const live = new News()
    live.say(['Recording paused'])
    const first = live.text
    live.say(['Recording paused'])
    expect(live.text).not.toBe(first)
    expect(live.text.trim()).toBe(first.trim())
    live.say([])
    expect(live.text.trim()).toBe(first.trim())
  })
})

describe('encryption', () => {
  const of = (encryption: Encryption, part: Partial<CallView> = {}): CallView => call(0, { encryption, signalling: TLS, ...part })
  const open = { ...TLS, secure: false, transport: 'udp', info: 'not encrypted' } as const

  it('of sound is named with its suite, and its absence plainly', () => {
    expect(describeMedia(of('dtls', { suite: 'AEAD_AES_256_GCM' }))).toMatchObject({ words: 'Encrypted', detail: 'AEAD_AES_256_GCM', safe: true, icon: 'locked' })
    expect(describeMedia(of('none'))).toMatchObject({ words: 'Not encrypted', safe: false, icon: 'unlocked' })
    expect(describeMedia(of('loopback'))).toMatchObject({ words: 'Stays on this machine', icon: 'house' })
  })

  it('by a key that was sent in the open is not called encrypted and left at that', () => {
    const hop = describeMedia(of('sdes', { signalling: open, suite: 'AES_CM_128_HMAC_SHA1_80' }))
    expect(hop).toMatchObject({ words: 'Encrypted with an open key', safe: false, icon: 'unlocked' })
    expect(hop.detail).toContain('whoever saw it can listen')
    expect(describeMedia(of('sdes')).safe).toBe(true)
  })

  it('of call set-up is a fact of its own', () => {
    expect(describeSignalling(of('none'))).toMatchObject({ words: 'Encrypted', safe: true, detail: 'TLS 1.3, certificate of voice.example.org by Example Trust CA' })
    expect(describeSignalling(of('dtls', { signalling: open }))).toMatchObject({ words: 'Not encrypted', safe: false, detail: 'UDP' })
    expect(describeSignalling(of('none', { signalling: null }))).toBeNull()
    expect(describeSignalling(of('loopback'))).toBeNull()
  })
})
