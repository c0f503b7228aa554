import { describe, expect, it } from 'vitest'
import { MOST_CONVERSATIONS, MOST_MESSAGES } from '../src/state/messages.svelte'
import { nameOf } from '../src/screens/messages/name'
import { contacts } from '../src/platform/fake/people'
import { bench, type Bench } from './data'

const JONAS = 'sip:jonas@example.org'
const came = (desk: Bench, from: string, body: string): void =>
  desk.send({ event: 'OnDataEvent', sessionId: 's1', incoming: true, from, to: 'sip:me@example.org', contentType: 'text/plain', body })
const went = (desk: Bench, to: string, body: string): void =>
  desk.send({ event: 'OnDataEvent', sessionId: 's1', incoming: false, from: 'sip:me@example.org', to, contentType: 'text/plain', body })
const settled = (desk: Bench, status: 'ACCEPTED' | 'FAILED', info = ''): void =>
  desk.send({ event: 'DataStatusEvent', status, dataId: 'd1', sessionId: 's1', info })
const states = (desk: Bench): string[] => desk.app.messages.open?.messages.map(({ state }) => state) ?? []

function writing(): Bench {
  const desk = bench()
  desk.replies.set('sendData', () => ({ reply: 'data', dataId: 'd1' }))
  desk.app.messages.show(JONAS, 's1')
  return desk
}

describe('messages', () => {
  it('that come are kept by whom they are from, newest conversation first, and counted until they are seen', () => {
    const desk = bench()
    came(desk, JONAS, 'one')
    came(desk, 'sip:marta@example.org', 'two')
    came(desk, '<SIP:jonas@EXAMPLE.org;ob>', 'three')
    const { messages } = desk.app
    expect(messages.conversations.map(({ key, unread }) => [key, unread])).toEqual([['jonas@example.org', 2], ['marta@example.org', 1]])
    expect(messages.unread).toBe(3)
    messages.see('jonas@example.org')
    expect(messages.unread).toBe(1)
  })

  it('open no conversation by themselves', () => {
    const desk = bench()
    came(desk, JONAS, 'one')
    expect(desk.app.messages.open).toBeNull()
    expect(desk.app.tab).toBe('recent')
  })

  it('that go out are sent, and are settled by their status', async () => {
    const desk = writing()
    const sent = desk.app.messages.send('jonas@example.org', 'hello')
    expect(states(desk)).toEqual(['sending'])
    await sent
    expect(desk.commands).toEqual([{ command: 'sendData', to: JONAS, body: 'hello', sessionId: 's1' }])
    settled(desk, 'ACCEPTED')
    expect(states(desk)).toEqual(['sent'])
  })

  it('whose status comes before the reply are settled all the same', async () => {
    const desk = writing()
    desk.replies.set('sendData', () => {
      settled(desk, 'FAILED', '404 Not Found')
      return { reply: 'data', dataId: 'd1' }
    })
    await desk.app.messages.send('jonas@example.org', 'hello')
    expect(desk.app.messages.open?.messages).toMatchObject([{ state: 'failed', info: '404 Not Found' }])
  })

  it('that are reported back are not shown twice', async () => {
    const desk = writing()
    const sent = desk.app.messages.send('jonas@example.org', 'hello')
    went(desk, JONAS, 'hello')
    await sent
    expect(states(desk)).toEqual(['sending'])
  })

  it('sent through another door are shown', () => {
    const desk = writing()
    went(desk, JONAS, 'from the command line')
    expect(states(desk)).toEqual(['sent'])
  })

  it('to a bare number are known again by the address that it became', async () => {
    const desk = writing()
    desk.app.messages.show('2044')
    const sent = desk.app.messages.send('2044', 'hi')
    went(desk, 'sip:2044@example.org', 'hi')
    await sent
    expect(desk.app.messages.conversations.flatMap(({ messages }) => messages)).toHaveLength(1)
    expect(desk.app.messages.open).toMatchObject({ key: '2044@example.org', address: 'sip:2044@example.org' })
    settled(desk, 'ACCEPTED')
    expect(states(desk)).toEqual(['sent'])
  })

  it('to a number that the dial plan changes join the conversation with whom they reached', async () => {
    const desk = writing()
    came(desk, 'sip:+4920@example.org', 'hello?')
    desk.app.messages.show('020')
    const sent = desk.app.messages.send('020', 'hi')
    went(desk, 'sip:+4920@example.org', 'hi')
    await sent
    expect(desk.app.messages.open?.messages.map(({ body }) => body)).toEqual(['hello?', 'hi'])
    expect(desk.app.messages.conversations.some(({ key }) => key === '020')).toBe(false)
  })

  it('that failed say why, and are sent again in their place', async () => {
    const desk = writing()
    await desk.app.messages.send('jonas@example.org', 'hello')
    settled(desk, 'FAILED', '480 Temporarily Unavailable')
    const [message] = desk.app.messages.open?.messages ?? []
    expect(message).toMatchObject({ state: 'failed', info: '480 Temporarily Unavailable' })
    await desk.app.messages.retry('jonas@example.org', message?.id ?? 0)
    expect(desk.names).toEqual(['sendData', 'sendData'])
    settled(desk, 'ACCEPTED')
    expect(states(desk)).toEqual(['sent'])
  })

  it('that the engine refuses are failed at once', async () => {
    const desk = writing()
    desk.refuse('sendData', 'no account is connected')
    await desk.app.messages.send('jonas@example.org', 'hello')
    expect(desk.app.messages.open?.messages).toMatchObject([{ state: 'failed', info: 'no account is connected' }])
  })

  it('are bounded, however many come', () => {
    const desk = bench()
    for (let n = 0; n < MOST_MESSAGES + 3; n++) came(desk, JONAS, String(n))
    expect(desk.app.messages.conversations[0]?.messages).toHaveLength(MOST_MESSAGES)
    for (let n = 0; n < MOST_CONVERSATIONS + 3; n++) came(desk, `sip:u${n}@example.org`, 'x')
    expect(desk.app.messages.conversations).toHaveLength(MOST_CONVERSATIONS)
  })

  it('carry the name from the contacts', () => {
    const desk = bench({ contacts: contacts() })
    expect(nameOf(desk.app.mirror, desk.app.names, 'SIP:2044@voice.example.org')).toBe('Marta Okonkwo')
    expect(nameOf(desk.app.mirror, desk.app.names, 'sip:unknown@voice.example.org')).toBe('unknown')
  })
})
