import { describe, expect, it } from 'vitest'
import { newAccountId, problemsOf, toAccount, toDraft } from '../src/screens/settings/account'
import { parsePort } from '../src/screens/settings/port'
import { account, officeAccount } from '../src/platform/fake/data'

describe('the account form', () => {
  it('gives back the account that it was given', () => {
    const full = { ...officeAccount(), outboundProxy: 'sip:proxy.example.org', user: 'nadia' }
    expect(toAccount(toDraft(full), full.id)).toEqual(full)
  })

  it('leaves out what was not typed, so that the address says it', () => {
    const draft = { ...toDraft(null), name: ' Office ', aor: 'nadia@example.org' }
    expect(toAccount(draft, 'office')).toEqual(account({ id: 'office', name: 'Office', aor: 'sip:nadia@example.org' }))
  })

  it('completes addresses of servers and keeps those that are complete', () => {
    const draft = { ...toDraft(null), name: 'a', aor: 'SIP:a@b', registrar: 'b:5070', outboundProxy: 'sips:c' }
    expect(toAccount(draft, 'a')).toMatchObject({ aor: 'SIP:a@b', registrar: 'sip:b:5070', outboundProxy: 'sips:c' })
  })

  it.each(['', 'nadia', '@example.org', 'nadia@', 'na dia@example.org', 'a@b@c'])('names the address as wrong: %j', (aor) => {
    expect(Object.keys(problemsOf({ ...toDraft(null), name: 'x', aor }))).toEqual(['aor'])
  })

  it.each(['', '0', '-1', '1.5', 'ten', '99999999999'])('names the lifetime as wrong: %j', (expires) => {
    expect(Object.keys(problemsOf({ ...toDraft(officeAccount()), expires }))).toEqual(['expires'])
  })

  it('makes ids that can be read and are not taken', () => {
    expect(newAccountId('Büro Köln!', [])).toBe('buro-koln')
    expect(newAccountId('Office', ['office', 'office-2'])).toBe('office-3')
    expect(newAccountId('Local', [])).toBe('local-2')
    expect(newAccountId('电话', [])).toBe('account')
  })
})

it.each([['5060', 5060], ['0', 0], ['65535', 65535], ['65536', null], ['', null], ['-1', null], ['50 60', null], ['1e3', null]])(
  'the port %j is read as %s',
  (text, port) => expect(parsePort(text)).toBe(port),
)
