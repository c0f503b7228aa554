import { describe, expect, it } from 'vitest'
import { call } from '../src/platform/fake/data'
import { contacts } from '../src/platform/fake/people'
import { NameBook } from '../src/state/names'
import { bench } from './data'

const book = new NameBook(contacts())

describe('names', () => {
  it('are those of the contacts, else what the far end says, else its number', () => {
    expect(book.nameOf('sip:2044@voice.example.org', 'Anybody')).toBe('Marta Okonkwo')
    expect(book.nameOf('sip:9@voice.example.org', 'Nine')).toBe('Nine')
    expect(book.nameOf('sip:9@voice.example.org')).toBe('9')
  })

  it('of telephone numbers are known at every host and in every spelling, those of extensions are not', () => {
    expect(book.nameOf('sip:+491705550199@trunk.example.net;user=phone')).toBe('Jonas Berg')
    expect(book.nameOf('tel:+44(20)7946-0123')).toBe('Farah Siddiqui')
    expect(book.nameOf('sip:2044@elsewhere.example')).toBe('2044')
  })

  it('stand on calls, and follow the contacts', () => {
    const ringing = call(0, { callId: 'in', direction: 'incoming', caller: 'sip:2044@voice.example.org', status: 'RING', remoteName: 'CALL CENTRE' })
    const desk = bench({ calls: [ringing], contacts: contacts() })
    expect(desk.app.waiting[0]?.remoteName).toBe('Marta Okonkwo')
    desk.send({ event: 'ContactRemoved', contactId: 'k3' })
    expect(desk.app.waiting[0]?.remoteName).toBe('CALL CENTRE')
  })
})
