import { describe, expect, it } from 'vitest'
import type { Contact, HistoryEntry } from '../src/api/types'
import { contacts, contactStates, history } from '../src/platform/fake/people'
import { listContacts, presenceWords, problemsOf, tidy } from '../src/screens/contacts/contact'
import { isVcard, partsOf } from '../src/screens/contacts/vcards'
import { outcomeOf } from '../src/screens/recent/outcome'
import { matches, PAGE } from '../src/state/history.svelte'
import { fromSnapshot } from '../src/state/mirror'
import { snapshot } from '../src/platform/fake/data'
import { keyOf, suggest } from '../src/state/suggest'
import { bench } from './data'

const NOW = 1_700_000_000_000
const [entry] = history(NOW) as [HistoryEntry, ...HistoryEntry[]]

describe('history', () => {
  it('asks for what is older than the oldest shown, and knows its end', async () => {
    const desk = bench({ history: history(NOW) })
    const older = { ...entry, callId: 'old', startedAt: 5 }
    desk.replies.set('getHistory', () => ({ reply: 'history', entries: [older] }))
    await desk.app.history.more()
    const oldest = history(NOW).at(-1)?.startedAt
    expect(desk.commands).toEqual([{ command: 'getHistory', limit: PAGE, before: oldest }])
    expect(desk.app.history.entries.map(({ callId }) => callId)).toEqual(['h3', 'h16', 'h47', 'h52', 'h95', 'old'])
    expect(desk.app.history.exhausted).toBe(true)
  })

  it('searches at once in what is here, and asks the engine for the rest', async () => {
    const desk = bench({ history: history(NOW) })
    desk.replies.set('getHistory', () => ({ reply: 'history', entries: [] }))
    desk.app.history.setSearch('farah')
    expect(desk.app.history.entries.map(({ callId }) => callId)).toEqual(['h16', 'h47'])
    expect(desk.commands).toMatchObject([{ command: 'getHistory', search: 'farah' }])
  })

  it('shows missed calls alone', () => {
    const desk = bench({ history: history(NOW) })
    desk.app.history.setMissedOnly(true)
    expect(desk.app.history.entries.map(({ callId }) => callId)).toEqual(['h47'])
    expect(desk.commands).toMatchObject([{ command: 'getHistory', missed: true }])
  })

  it('drops an answer to a search that is no longer looked at', async () => {
    const desk = bench()
    desk.replies.set('getHistory', () => ({ reply: 'history', entries: [entry] }))
    desk.app.history.setSearch('echo')
    desk.app.history.setSearch('')
    await Promise.resolve()
    await Promise.resolve()
    expect(desk.app.history.entries).toEqual([])
    expect(desk.app.history.loading).toBe(false)
  })

  it('forgets what was deleted, fetched or not', async () => {
    const desk = bench({ history: history(NOW) })
    desk.replies.set('getHistory', () => ({ reply: 'history', entries: [{ ...entry, callId: 'old', startedAt: 5 }] }))
    await desk.app.history.more()
    desk.send({ event: 'HistoryRemoved', callId: 'old' })
    desk.send({ event: 'HistoryRemoved', callId: 'h3' })
    expect(desk.app.history.entries.map(({ callId }) => callId)).toEqual(['h16', 'h47', 'h52', 'h95'])
    desk.send({ event: 'HistoryCleared' })
    expect(desk.app.history.entries).toEqual([])
  })

  it('says a failure and can be asked again', async () => {
    const desk = bench()
    desk.refuse('getHistory', 'the disk cannot be read')
    await desk.app.history.more()
    expect(desk.app.history).toMatchObject({ failure: { message: 'the disk cannot be read' }, loading: false })
  })

  it('is searched by name and address', () => {
    expect(matches(entry, 'ECHO', false)).toBe(true)
    expect(matches(entry, 'echo', true)).toBe(false)
    expect(matches(entry, 'nobody', false)).toBe(false)
  })

  it('tells missed, declined, and not taken apart', () => {
    const incoming = { ...entry, direction: 'incoming', seconds: null } as const
    expect(outcomeOf({ ...incoming, missed: true }).words).toBe('Missed')
    expect(outcomeOf({ ...incoming, info: '603 Decline' }).words).toBe('Declined')
    expect(outcomeOf({ ...incoming, info: '302 Moved Temporarily' }).words).toBe('Not taken')
  })
})

describe('contacts', () => {
  it('come favourites first, then by name, and are found by any word', () => {
    expect(listContacts(contacts(), '').map(({ name }) => name)).toEqual([
      'Farah Siddiqui',
      'Jonas Berg',
      'Marta Okonkwo',
      'Priya Raman',
      'Reception',
      'Tomáš Dvořák',
    ])
    expect(listContacts(contacts(), 'second 2044').map(({ name }) => name)).toEqual(['Marta Okonkwo'])
    expect(listContacts(contacts(), 'invoices').map(({ name }) => name)).toEqual(['Jonas Berg'])
  })

  it('need a name and an address, and lose their empty lines', () => {
    const [first] = contacts() as [Contact]
    expect(Object.keys(problemsOf({ ...first, name: ' ', addresses: [{ address: ' ', label: 'work' }] }))).toEqual(['name', 'addresses'])
    const addresses = [{ address: ' 2044 ', label: ' work ' }, { address: '', label: 'home' }]
    expect(tidy({ ...first, addresses }).addresses).toEqual([{ address: '2044', label: 'work' }])
  })

  it('whose presence nobody knows are not called away', () => {
    const [jonas, , priya, reception] = contactStates()
    expect([jonas, priya, reception].map((state) => state && presenceWords(state))).toEqual(['Available', 'Away', ''])
  })

  it('of a large file are sent in parts, cut between cards and without their pictures', () => {
    const card = (name: string, more = ''): string => `BEGIN:VCARD\r\nVERSION:3.0\r\nFN:${name}\r\n${more}END:VCARD\r\n`
    const photo = `item1.PHOTO;ENCODING=b:${'A'.repeat(60)}\r\n ${'B'.repeat(60)}\r\n\t${'C'.repeat(9)}\r\n`
    const file = card('a', photo) + card('b') + card('c', `NOTE:PHOTO: none\r\n`) + card('d', `NOTE:${'x'.repeat(300)}\r\n`) + card('e')
    expect(partsOf(file, 10_000)).toEqual({ parts: [file], tooLarge: 0 })
    const { parts, tooLarge } = partsOf(file, 200)
    expect(parts.join('')).toBe(card('a') + card('b') + card('c', `NOTE:PHOTO: none\r\n`) + card('e'))
    expect(parts.every((part) => part.startsWith('BEGIN:VCARD') && JSON.stringify(part).length <= 200)).toBe(true)
    expect(parts.length).toBeGreaterThan(1)
    expect(tooLarge).toBe(1)
  })

  it('are told from other files', () => {
    expect(isVcard('BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nEND:VCARD')).toBe(true)
    expect(isVcard('name,number\nA,1')).toBe(false)
  })
})

describe('suggestions', () => {
  const mirror = fromSnapshot({ ...snapshot(NOW), contacts: contacts(), history: history(NOW) }, null)

  it('name contacts before past calls, favourites first, and nobody twice', () => {
    const all = suggest(mirror, '', 20)
    expect(all.map(({ name }) => name).slice(0, 3)).toEqual(['Farah Siddiqui', 'Jonas Berg', 'Jonas Berg'])
    expect(new Set(all.map(({ address }) => keyOf(address))).size).toBe(all.length)
    expect(all.at(-1)?.contactId).toBeNull()
  })

  it('match every word anywhere', () => {
    expect(suggest(mirror, 'berg mobile').map(({ address }) => address)).toEqual(['tel:+49-170-5550199'])
    expect(suggest(mirror, 'xyz')).toEqual([])
  })

  it('take different spellings of an address for one', () => {
    expect(keyOf('<SIP:Nadia@Example.org;transport=tls>')).toBe(keyOf('nadia@example.org'))
    expect(keyOf('2044')).toBe('2044')
  })
})
