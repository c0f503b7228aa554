import { describe, expect, it } from 'vitest'
import type { CallView } from '../src/api/types'
import { call } from '../src/platform/fake/data'
import { bench, type Bench } from './data'

const up = (callId: string, part: Partial<CallView> = {}): CallView =>
  call(0, { callId, callee: `sip:${callId}@example.org`, status: 'ESTABLISHED', establishedAt: 1, ...part })
const held = { status: 'HOLD', hold: { local: true, remote: false } } as const
const caller = up('caller')

/** The caller waits, and the colleague has been asked for. */
async function consulting(established = true): Promise<Bench> {
  const desk = bench({ calls: [caller] })
  desk.replies.set('call', () => ({ reply: 'call', callId: 'colleague' }))
  await desk.app.transfer.consult(caller, '2044')
  desk.change({ ...caller, ...held })
  desk.change(established ? up('colleague') : call(0, { callId: 'colleague', status: 'RING' }))
  desk.commands.length = 0
  return desk
}

describe('a blind transfer', () => {
  it('asks for the target, and closes its panel', async () => {
    const desk = bench({ calls: [caller] })
    desk.app.transfer.toggle(caller)
    desk.app.transfer.set(' 2044 ')
    expect(await desk.app.transfer.blind(caller)).toBe(true)
    expect(desk.commands).toEqual([{ command: 'transfer', callId: 'caller', target: '2044' }])
    expect(desk.app.transfer.openFor).toBeNull()
  })

  it('that is refused keeps its panel and says why, until the target changes', async () => {
    const desk = bench({ calls: [caller] })
    desk.refuse('transfer', 'no such number')
    desk.app.transfer.toggle(caller)
    desk.app.transfer.set('x')
    expect(await desk.app.transfer.blind(caller)).toBe(false)
    expect(desk.app.transfer).toMatchObject({ openFor: 'caller', failure: { message: 'no such number' } })
    desk.app.transfer.set('xy')
    expect(desk.app.transfer.failure).toBeNull()
  })
})

describe('a consultation', () => {
  it('calls over the same account, and is in front', async () => {
    const desk = bench({ calls: [caller] })
    desk.replies.set('call', () => ({ reply: 'call', callId: 'colleague' }))
    await desk.app.transfer.consult(caller, '2044')
    expect(desk.commands).toEqual([{ command: 'call', callee: '2044', sessionId: 's1' }])
    expect(desk.app.chosenCall).toBe('colleague')
  })

  it('that cannot be placed leaves the caller where it was', async () => {
    const desk = bench({ calls: [caller] })
    desk.refuse('call', 'no such host')
    expect(await desk.app.transfer.consult(caller, 'x')).toBe(false)
    expect(desk.names).toEqual(['call'])
    expect(desk.app.transfer.failure?.message).toBe('no such host')
  })

  it('knows whom it is about while both live', async () => {
    const desk = await consulting()
    expect(desk.app.transfer.subjectOf(up('colleague'))?.callId).toBe('caller')
    expect(desk.app.transfer.subjectOf(caller)).toBeNull()
    desk.change({ ...caller, status: 'FINISH' })
    expect(desk.app.transfer.subjectOf(up('colleague'))).toBeNull()
  })

  it('is completed once it is answered', async () => {
    const early = await consulting(false)
    expect(early.app.transfer.notYet(early.app.call!)).toBe('consult.notYet')
    const desk = await consulting()
    expect(desk.app.transfer.notYet(up('colleague'))).toBeNull()
    await desk.app.transfer.complete(up('colleague'))
    expect(desk.commands).toEqual([{ command: 'transferAttended', callId: 'caller', consultationCallId: 'colleague' }])
  })

  it('goes back to the caller', async () => {
    const desk = await consulting()
    await desk.app.transfer.backToCaller(up('colleague'))
    expect(desk.commands).toEqual([{ command: 'hangup', callId: 'colleague' }, { command: 'unhold', callId: 'caller' }])
    expect(desk.app.chosenCall).toBe('caller')
  })

  it('becomes a warm introduction of all three', async () => {
    const desk = await consulting()
    await desk.app.transfer.allThree(up('colleague'))
    expect(desk.commands).toEqual([{ command: 'merge', callIds: ['caller', 'colleague'] }])
  })

  it('whose colleague hangs up puts the caller in front again', async () => {
    const desk = await consulting()
    desk.change({ ...up('colleague'), status: 'BUSY' })
    expect(desk.app.chosenCall).toBe('caller')
    expect(desk.app.call?.callId).toBe('caller')
  })
})
