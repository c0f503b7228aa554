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

  it('gives back every setting that it was given', () => {
    const full = account({
      id: 'all',
      name: 'All',
      aor: 'sip:a@b',
      transport: 'wss',
      websocketUrl: 'wss://pbx.example.org:8089/ws',
      trustedCa: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
      mediaEncryption: 'sdes',
      sdesOverPlain: true,
      ice: true,
      stun: 'stun.example.org:3478',
      rtcpMux: true,
      dtmf: 'info',
      prack: 'required',
      sessionExpires: 0,
      outbound: false,
      mwi: false,
      voicemail: '*97',
      publishPresence: true,
      autoAnswer: 0,
      autoAnswerByHeader: true,
      incomingTransfer: 'refuse',
      forwardAlways: '2000',
      forwardBusy: '2001',
      forwardNoAnswer: '2002',
      noAnswerSeconds: 5,
      anonymous: true,
      headers: [{ name: 'X-Team', value: 'billing' }],
    })
    expect(toAccount(toDraft(full), 'all')).toEqual(full)
    expect(problemsOf(toDraft(full))).toEqual({})
  })

  it.each([
    ['websocketUrl', 'https://pbx.example.org'],
    ['stun', 'stun.example.org'],
    ['sessionExpires', '89'],
    ['autoAnswer', '-1'],
    ['autoAnswer', '3601'],
    ['noAnswerSeconds', '0'],
    ['trustedCa', 'my certificate'],
    ['trustedCa', '-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----'],
  ] as const)('names %s as wrong: %j', (field, text) => {
    expect(Object.keys(problemsOf({ ...toDraft(officeAccount()), [field]: text }))).toEqual([field])
  })

  it('keeps private keys out of the place for certificates', () => {
    const problems = problemsOf({ ...toDraft(officeAccount()), trustedCa: '-----BEGIN PRIVATE KEY-----' })
    expect(problems.trustedCa).toContain('private key')
  })

  it('leaves out headers without a word, and names one that has no name', () => {
    const draft = { ...toDraft(officeAccount()), headers: [{ name: ' ', value: '' }, { name: 'X-A ', value: ' 1' }] }
    expect(problemsOf(draft)).toEqual({})
    expect(toAccount(draft, 'office').headers).toEqual([{ name: 'X-A', value: '1' }])
    expect(Object.keys(problemsOf({ ...draft, headers: [{ name: 'X A', value: '1' }] }))).toEqual(['headers'])
    expect(Object.keys(problemsOf({ ...draft, headers: [{ name: '', value: '1' }] }))).toEqual(['headers'])
  })

  it('names a Web Call Server, at which nobody needs an address', () => {
    const wcs = { url: 'wss://wcs.example.org:8443', custom: '{"login":"nadia"}' }
    const draft = { ...toDraft(null), name: 'Server', aor: ' ', url: ` ${wcs.url} `, custom: wcs.custom }
    expect(problemsOf(draft)).toEqual({})
    expect(toAccount(draft, 'server')).toMatchObject({ aor: '', wcs })
    expect(toDraft(toAccount(draft, 'server'))).toMatchObject(wcs)
    expect(Object.keys(problemsOf({ ...draft, url: 'https://wcs.example.org', custom: '[1]' }))).toEqual(['url', 'custom'])
    expect(toAccount({ ...toDraft(null), name: 'x', aor: 'a@b' }, 'x')).not.toHaveProperty('wcs')
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
