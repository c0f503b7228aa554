import { describe, expect, it } from 'vitest'
import type { Envelope, Snapshot } from '../src/api/types'
import * as data from '../src/platform/fake/data'
import { contacts, contactStates, history } from '../src/platform/fake/people'
import { apply, fromSnapshot, type Mirror } from '../src/state/mirror'
import { accountRows, lastDialled, readySessions, sessionOf, shownCall, waitingCalls } from '../src/state/select'

const NOW = 1_000_000
const start = (part: Partial<Snapshot> = {}): Mirror => fromSnapshot({ ...data.snapshot(NOW), ...part }, null)
const event = (body: object, seq = 101): Envelope => ({ seq, time: NOW, ...body }) as Envelope
const after = (mirror: Mirror, ...bodies: object[]): Mirror =>
  bodies.reduce<Mirror>((state, body) => apply(state, event(body), NOW), mirror)

describe('mirror', () => {
  it('replaces a session by its id and keeps its place', () => {
    const mirror = start({ sessions: [data.local(), data.office()] })
    const changed = { ...data.local(), registration: 'UNREGISTERED' as const }
    const { sessions } = after(mirror, { event: 'SessionChanged', session: changed })
    expect(sessions).toEqual([changed, data.office()])
  })

  it('adds a session that it does not know and drops a closed one', () => {
    const mirror = after(
      start(),
      { event: 'SessionChanged', session: data.office() },
      { event: 'SessionClosed', sessionId: 's1' },
    )
    expect(mirror.sessions.map((session) => session.sessionId)).toEqual(['s2'])
  })

  it('replaces the whole call, so that nothing of the old view is left', () => {
    const mirror = start({ calls: [data.call(NOW, { dtmf: '12', muted: true })] })
    const changed = data.call(NOW, { status: 'RING' })
    expect(after(mirror, { event: 'CallChanged', call: changed }).calls).toEqual([changed])
  })

  it('takes an ended call from the list and shows how it ended', () => {
    const busy = data.call(NOW, { status: 'BUSY', info: '486 Busy Here' })
    const mirror = after(start({ calls: [data.call(NOW)] }), { event: 'CallChanged', call: busy })
    expect(mirror.calls).toEqual([])
    expect(mirror.ended).toEqual(busy)
  })

  it('learns of an end from the history where no view of it came', () => {
    const [entry] = history(NOW)
    const mirror = after(start({ calls: [data.call(NOW)] }), {
      event: 'HistoryAdded',
      entry: { ...entry, callId: 'c1', status: 'FAILED', info: '404 Not Found' },
    })
    expect(mirror.calls).toEqual([])
    expect(mirror.ended).toMatchObject({ callId: 'c1', status: 'FAILED', info: '404 Not Found' })
    expect(mirror.history).toHaveLength(1)
  })

  it('forgets the last end when a new call begins, and not when another call changes', () => {
    const ended = after(start({ calls: [data.call(NOW), data.call(NOW, { callId: 'c2' })] }), {
      event: 'CallChanged',
      call: data.call(NOW, { status: 'FINISH' }),
    })
    const changed = after(ended, { event: 'CallChanged', call: data.call(NOW, { callId: 'c2', status: 'RING' }) })
    expect(changed.ended?.callId).toBe('c1')
    expect(after(changed, { event: 'CallChanged', call: data.call(NOW, { callId: 'c3' }) }).ended).toBeNull()
  })

  it('puts measurements only on the call that they are of', () => {
    const statistics = data.statistics({ jitterMs: 7 })
    const mirror = after(start({ calls: [data.call(NOW), data.call(NOW, { callId: 'c2' })] }), {
      event: 'CallMeasured',
      callId: 'c2',
      statistics,
    })
    expect(mirror.calls.map((call) => call.statistics)).toEqual([null, statistics])
    expect(after(mirror, { event: 'CallMeasured', callId: 'gone', statistics }).calls).toHaveLength(2)
  })

  it('knows how far the clock of the engine is from ours', () => {
    expect(apply(start(), event({ event: 'HistoryCleared' }), NOW - 4000).clockOffset).toBe(4000)
  })

  it('keeps devices, gateway and settings as they were last told', () => {
    const gateway = { ...data.gateway(), running: false, info: 'stopped' }
    const devices = { ...data.devices(), machine: 'other' }
    const settings = { ...data.snapshot(NOW).settings, ui: { theme: 'dark' as const } }
    const mirror = after(
      start(),
      { event: 'GatewayChanged', gateway },
      { event: 'DevicesChanged', devices },
      { event: 'SettingsChanged', settings },
    )
    expect(mirror).toMatchObject({ gateway, devices, settings })
  })
})

describe('the mirror of the directory', () => {
  it('drops a deleted call and keeps the others', () => {
    const mirror = after(start({ history: history(NOW) }), { event: 'HistoryRemoved', callId: 'h16' })
    expect(mirror.history.map((entry) => entry.callId)).toEqual(['h3', 'h47', 'h52', 'h95'])
  })

  it('counts missed calls as it is told', () => {
    const mirror = start({ missedCalls: 2 })
    expect(mirror.missedCalls).toBe(2)
    expect(after(mirror, { event: 'MissedCallsChanged', missedCalls: 0 }).missedCalls).toBe(0)
  })

  it('adds and replaces contacts, and forgets the line of one that is gone', () => {
    const mirror = start({ contacts: contacts(), contactStates: contactStates() })
    const [first, ...others] = contacts()
    const changed = { ...first!, name: 'Farah S.' }
    expect(after(mirror, { event: 'ContactChanged', contact: changed }).contacts).toEqual([changed, ...others])
    expect(after(mirror, { event: 'ContactChanged', contact: { ...changed, id: 'new' } }).contacts).toHaveLength(7)
    const without = after(mirror, { event: 'ContactRemoved', contactId: 'k3' })
    expect(without.contacts.some((contact) => contact.id === 'k3')).toBe(false)
    expect(without.contactStates.some((state) => state.contactId === 'k3')).toBe(false)
  })

  it('replaces the state of a watched line', () => {
    const mirror = start({ contactStates: contactStates() })
    const state = { contactId: 'k2', line: 'busy' as const, available: true, note: '' }
    expect(after(mirror, { event: 'ContactStateChanged', state }).contactStates.find((other) => other.contactId === 'k2')).toEqual(state)
  })
})

describe('selectors', () => {
  it('keep a call that rings apart from calls of our own', () => {
    const ringing = data.call(NOW, { callId: 'in', direction: 'incoming', status: 'RING' })
    const mirror = start({ calls: [data.call(NOW), ringing] })
    expect(waitingCalls(mirror)).toEqual([ringing])
    expect(shownCall(mirror, 'in')?.callId).toBe('c1')
  })

  it('show the chosen call while it lives, else the newest', () => {
    const mirror = start({ calls: [data.call(NOW), data.call(NOW, { callId: 'c2' })] })
    expect(shownCall(mirror, null)?.callId).toBe('c2')
    expect(shownCall(mirror, 'c1')?.callId).toBe('c1')
    expect(shownCall(mirror, 'gone')?.callId).toBe('c2')
  })

  it('list accounts without a session after the sessions', () => {
    const mirror = start()
    const settings = { ...mirror.settings, accounts: [data.officeAccount(), data.localAccount()] }
    const rows = accountRows({ ...mirror, settings })
    expect(rows.map((row) => [row.accountId, row.session?.sessionId ?? null])).toEqual([['local', 's1'], ['office', null]])
  })

  it('count an account that does not register as ready before it has said anything', () => {
    const mirror = start({ sessions: [{ ...data.local(), connection: null }] })
    expect(readySessions(mirror)).toEqual([])
    const settings = { ...mirror.settings, accounts: [{ ...data.localAccount(), register: false }] }
    expect(readySessions({ ...mirror, settings })).toHaveLength(1)
  })

  it('call back through the account that the call came over', () => {
    const mirror = start({ sessions: [data.local(), data.office()], history: history(NOW) })
    const missed = mirror.history[2]
    expect(missed && sessionOf(mirror, missed)?.sessionId).toBe('s2')
    expect(lastDialled(mirror)).toBe('sip:echo@127.0.0.1:5060')
  })
})
