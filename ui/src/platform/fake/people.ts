import type { Contact, ContactState, HistoryEntry } from '../../api/types'

const OFFICE = 'voice.example.org'

const contact = (id: string, name: string, user: string, part: Partial<Contact> = {}): Contact => ({
  id,
  name,
  organisation: '',
  addresses: [{ address: `sip:${user}@${OFFICE}`, label: 'work' }],
  note: '',
  favourite: false,
  watch: false,
  ...part,
})

export const contacts = (): Contact[] => [
  contact('k1', 'Farah Siddiqui', '+442079460123', { organisation: 'Siddiqui & Partners', favourite: true }),
  contact('k2', 'Jonas Berg', 'jonas.berg', {
    organisation: 'Second line',
    favourite: true,
    watch: true,
    addresses: [
      { address: `sip:jonas.berg@${OFFICE}`, label: 'work' },
      { address: 'tel:+49-170-5550199', label: 'mobile' },
    ],
    note: 'Knows everything about invoices before 2024.',
  }),
  contact('k3', 'Marta Okonkwo', '2044', { organisation: 'Second line', watch: true }),
  contact('k4', 'Priya Raman', '2051', { organisation: 'Team lead', watch: true }),
  contact('k5', 'Reception', '2000', { watch: true }),
  contact('k6', 'Tomáš Dvořák', '+420255550142', { organisation: 'Dvořák Transport' }),
]

export const contactStates = (): ContactState[] => [
  { contactId: 'k2', line: 'idle', available: true, note: '' },
  { contactId: 'k3', line: 'busy', available: true, note: '' },
  { contactId: 'k4', line: 'ringing', available: false, note: 'In a meeting until three' },
  { contactId: 'k5', line: 'unknown', available: null, note: '489 Bad Event: this line cannot be watched' },
]

export function history(now: number): HistoryEntry[] {
  const entry = (minutes: number, part: Partial<HistoryEntry>): HistoryEntry => ({
    callId: `h${minutes}`,
    accountId: 'local',
    direction: 'outgoing',
    remote: 'sip:echo@127.0.0.1:5060',
    remoteName: '',
    status: 'FINISH',
    info: '200 OK',
    startedAt: now - minutes * 60_000,
    seconds: 42,
    missed: false,
    ...part,
  })
  const farah = { accountId: 'office', remote: `sip:+442079460123@${OFFICE}`, remoteName: 'Farah Siddiqui' }
  return [
    entry(3, {}),
    entry(16, { ...farah, direction: 'incoming', seconds: 754, recording: '/home/nadia/Music/Sidetone/2026-03-02 14.05 Farah Siddiqui.wav' }),
    entry(47, { ...farah, direction: 'incoming', info: '487 Request Terminated', seconds: null, missed: true }),
    entry(52, { remote: `sip:2044@${OFFICE}`, remoteName: '', accountId: 'office', status: 'BUSY', info: '486 Busy Here', seconds: null }),
    entry(95, { remote: `sip:4o4@${OFFICE}`, accountId: 'office', status: 'FAILED', info: '404 Not Found', seconds: null }),
  ]
}

/** What `getHistory` finds beyond the snapshot. */
export const olderHistory = (now: number, count = 120): HistoryEntry[] =>
  Array.from({ length: count }, (_, index) => {
    const [who] = history(now).slice(index % 2, (index % 2) + 1)
    const missed = index % 9 === 4
    return { ...who, callId: `o${index}`, direction: missed ? 'incoming' : 'outgoing', startedAt: now - (150 + index * 47) * 60_000, seconds: missed ? null : 30 + index, missed } as HistoryEntry
  })
