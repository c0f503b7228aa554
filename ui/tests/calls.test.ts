import { describe, expect, it } from 'vitest'
import type { CallView } from '../src/api/types'
import { call, statistics } from '../src/platform/fake/data'
import { isSpeaking } from '../src/state/select'
import { describeCall } from '../src/state/words'
import { bench } from './data'

const up = (callId: string, part: Partial<CallView> = {}): CallView =>
  call(0, { callId, callee: `sip:${callId}@example.org`, status: 'ESTABLISHED', establishedAt: 1, ...part })
const held = { status: 'HOLD', hold: { local: true, remote: false } } as const
const ringing = (callId: string): CallView => call(0, { callId, direction: 'incoming', status: 'RING' })

describe('the call in front', () => {
  it('is the one that is talked to, not the one that waits', () => {
    expect(bench({ calls: [up('a'), up('b', held)] }).app.call?.callId).toBe('a')
  })

  it('is the one chosen, even on hold', () => {
    const { app } = bench({ calls: [up('a'), up('b', held)] })
    app.chosenCall = 'b'
    expect(app.call?.callId).toBe('b')
  })
})

describe('hold', () => {
  it('holds the call that is talked to', async () => {
    const desk = bench({ calls: [up('a')] })
    await desk.app.switchboard.toggleHold(up('a'))
    expect(desk.commands).toEqual([{ command: 'hold', callId: 'a' }])
  })

  it('resumes and comes to the front; holding the others is the engine’s', async () => {
    const two = bench({ calls: [up('a', held), up('b')] })
    await two.app.switchboard.toggleHold(up('a', held))
    expect(two.commands).toEqual([{ command: 'unhold', callId: 'a' }])
    expect(two.app.call?.callId).toBe('a')
  })

  it('says who holds whom', () => {
    const words = (local: boolean, remote: boolean): string => describeCall(up('a', { status: 'HOLD', hold: { local, remote } })).words
    expect(words(true, false)).toBe('On hold by you')
    expect(words(false, true)).toBe('On hold by the other side')
    expect(words(true, true)).toBe('On hold by both sides')
  })
})

describe('several calls', () => {
  it('swap to the one that waits', async () => {
    const desk = bench({ calls: [up('a', held), up('b')] })
    expect(await desk.app.switchboard.swap()).toBe(true)
    expect(desk.commands).toEqual([{ command: 'swap', callId: 'a' }])
  })

  it('there is nobody to swap to in a single call', async () => {
    const desk = bench({ calls: [up('a')] })
    expect(await desk.app.switchboard.swap()).toBe(false)
    expect(desk.commands).toEqual([])
  })

  it('whoever is talked to is held before a second call is answered', async () => {
    const desk = bench({ calls: [up('a'), ringing('in')] })
    await desk.app.switchboard.holdAndAnswer(ringing('in'))
    expect(desk.commands).toEqual([{ command: 'hold', callId: 'a' }, { command: 'answer', callId: 'in' }])
    expect(desk.app.chosenCall).toBe('in')
  })

  it('one that is held already is not held again', async () => {
    const desk = bench({ calls: [up('a', held), ringing('in')] })
    await desk.app.switchboard.holdAndAnswer(ringing('in'))
    expect(desk.names).toEqual(['answer'])
  })

  it('end and answer ends what is talked to and leaves what waits', async () => {
    const desk = bench({ calls: [up('a', held), up('b'), ringing('in')] })
    await desk.app.switchboard.endAndAnswer(ringing('in'))
    expect(desk.commands).toEqual([{ command: 'hangup', callId: 'b' }, { command: 'answer', callId: 'in' }])
  })

  it('a number that cannot be called is a failure for its field', async () => {
    const desk = bench({ calls: [up('a')] })
    desk.refuse('call', 'no such host')
    expect((await desk.app.place('x'))?.message).toBe('no such host')
    expect(desk.app.call?.callId).toBe('a')
  })

  it('a call placed during another is in front', async () => {
    const desk = bench({ calls: [up('a')] })
    desk.replies.set('call', () => ({ reply: 'call', callId: 'new' }))
    expect(await desk.app.place('2044', undefined, { anonymous: true })).toBeNull()
    desk.change(call(0, { callId: 'new' }))
    desk.change(up('a', held))
    expect(desk.commands).toEqual([{ command: 'call', callee: '2044', anonymous: true }])
    expect(desk.app.call?.callId).toBe('new')
  })
})

describe('the conference', () => {
  it('is made of two calls, and takes in a third', async () => {
    const desk = bench({ calls: [up('a'), up('b', held)] })
    await desk.app.switchboard.merge([up('a'), up('b', held)])
    const three = bench({ calls: [up('a', { inConference: true }), up('b', { inConference: true }), up('c', held)] })
    await three.app.switchboard.merge([up('c', held)])
    expect(desk.commands).toEqual([{ command: 'merge', callIds: ['a', 'b'] }])
    expect(three.commands).toEqual([{ command: 'merge', callIds: ['a', 'b', 'c'] }])
  })

  it('needs two', async () => {
    const desk = bench({ calls: [up('a')] })
    expect(await desk.app.switchboard.merge([up('a')])).toBe(false)
    expect(desk.commands).toEqual([])
  })

  it('is gone back to through any of its calls', async () => {
    const a = up('a', { inConference: true, ...held })
    const desk = bench({ calls: [a, up('b', { inConference: true, ...held }), up('c')] })
    await desk.app.switchboard.goOnWith(a)
    expect(desk.commands).toEqual([{ command: 'swap', callId: 'a' }])
  })

  it('knows who speaks: loud, and not on hold', () => {
    const loud = statistics({ speaker: { rms: -20, peak: -10 } })
    const quiet = statistics({ speaker: { rms: -60, peak: -50 } })
    expect(isSpeaking(up('a', { statistics: loud }))).toBe(true)
    expect(isSpeaking(up('a', { statistics: quiet }))).toBe(false)
    expect(isSpeaking(up('a', { statistics: loud, ...held }))).toBe(false)
    expect(isSpeaking(up('a', { statistics: loud, hold: { local: false, remote: true } }))).toBe(false)
    expect(isSpeaking(up('a'))).toBe(false)
  })
})

describe('recording', () => {
  const recording = { path: '/x.wav', paused: false, seconds: 3, problem: null }

  it('starts, stops, and starts anew after a problem', async () => {
    const desk = bench()
    await desk.app.switchboard.toggleRecording(up('a'))
    await desk.app.switchboard.toggleRecording(up('a', { recording }))
    await desk.app.switchboard.toggleRecording(up('a', { recording: { ...recording, problem: 'disk full' } }))
    expect(desk.names).toEqual(['startRecording', 'stopRecording', 'startRecording'])
  })
})

describe('do not disturb', () => {
  it('changes with the engine alone, and keeps the other call settings', async () => {
    const desk = bench()
    await desk.app.toggleDoNotDisturb()
    expect(desk.commands).toMatchObject([{ command: 'changeSettings', calls: { doNotDisturb: true, callWaiting: true } }])
    expect(desk.app.mirror?.settings.calls.doNotDisturb).toBe(false)
  })
})

describe('what is done to a call of the conference', () => {
  const a = up('a', { inConference: true })
  const b = up('b', { inConference: true })

  it('is done to all of it', async () => {
    const desk = bench({ calls: [a, b, up('c', held)] })
    await desk.app.switchboard.toggleMute(a)
    await desk.app.switchboard.toggleRecording(a)
    await desk.app.switchboard.hangUp(a)
    const each = (command: string, more = {}): object[] => ['a', 'b'].map((callId) => ({ command, callId, ...more }))
    expect(desk.commands).toEqual([...each('muteAudio', { muted: true }), ...each('startRecording'), ...each('hangup')])
  })

  it('is held and resumed by the engine as a whole', async () => {
    const desk = bench({ calls: [a, b] })
    await desk.app.switchboard.toggleHold(a)
    await desk.app.switchboard.toggleHold({ ...a, ...held })
    expect(desk.commands).toEqual([{ command: 'hold', callId: 'a' }, { command: 'unhold', callId: 'a' }])
  })

  it('makes its parts alike: who is muted already stays so', async () => {
    const desk = bench({ calls: [{ ...a, muted: true }, b] })
    await desk.app.switchboard.toggleMute(a)
    expect(desk.commands).toMatchObject([{ muted: true }, { muted: true }])
  })
})

it('a session that is gone is not asked to place a call', async () => {
  const desk = bench()
  await desk.app.place('2044', 'closed')
  await desk.app.place('2044', 's1')
  expect(desk.commands).toEqual([{ command: 'call', callee: '2044' }, { command: 'call', callee: '2044', sessionId: 's1' }])
})
