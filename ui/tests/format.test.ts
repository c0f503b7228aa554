import { describe, expect, it } from 'vitest'
import { codecName, kilohertz, levelText, meterPosition, milliseconds, percent } from '../src/format/media'
import { dayAndClock, duration, isoDuration, preciseClock } from '../src/format/time'
import { parseAddress, partyName, shortAddress } from '../src/format/uri'
import { t } from '../src/locales'

describe('time', () => {
  it.each([[0, '0:00'], [7, '0:07'], [59.9, '0:59'], [754, '12:34'], [3723, '1:02:03'], [-5, '0:00']])('%d s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text)
  })

  it('has an ISO form for machines', () => {
    expect(isoDuration(754.2)).toBe('PT754S')
    expect(preciseClock(new Date(2026, 0, 2, 3, 4, 5, 6).getTime())).toBe('03:04:05.006')
  })
})

describe('addresses', () => {
  it.each([
    ['sip:echo@127.0.0.1:5060', 'echo@127.0.0.1:5060'],
    ['sips:nadia@example.org;transport=tls?subject=x', 'nadia@example.org'],
    ['"Nadia" <sip:nadia@[2001:db8::1]:5070>;tag=1', 'nadia@[2001:db8::1]:5070'],
    ['tel:+442079460123;ext=12', '+442079460123'],
    ['sip:example.org', 'example.org'],
    ['sip:user:secret@example.org', 'user@example.org'],
    ['sip:a%20b@example.org', 'a b@example.org'],
    ['sip:%zz@example.org', '%zz@example.org'],
    ['', ''],
  ])('%s is shown as %s', (uri, text) => expect(shortAddress(uri)).toBe(text))

  it('take the name that was given, else the number', () => {
    expect(partyName(' Farah ', 'sip:1@example.org')).toBe('Farah')
    expect(partyName('', 'sip:+4420@example.org')).toBe('+4420')
    expect(partyName('', 'sip:@example.org')).toBe('example.org')
  })

  it('split at the last at-sign', () => {
    expect(parseAddress('sip:a@b@c')).toEqual({ user: 'a@b', host: 'c' })
  })
})

describe('media', () => {
  it('knows the codecs by the names that people use', () => {
    expect(['opus', 'G722', 'PCMA', 'PCMU', 'speex'].map(codecName)).toEqual(['Opus', 'G.722', 'G.711 A-law', 'G.711 µ-law', 'speex'])
    expect(kilohertz(48000)).toBe('48 kHz')
  })

  it('gives no more digits than mean something', () => {
    expect([0, 0.04, 0.44, 12.4].map(percent)).toEqual(['0 %', '0 %', '0.4 %', '12 %'])
    expect([0, 2.44, 38.2].map(milliseconds)).toEqual(['0 ms', '2.4 ms', '38 ms'])
  })

  it('places levels between -60 dB and full scale, whatever comes', () => {
    expect([-100, -60, -30, 0, 6, Number.NaN, -Infinity].map(meterPosition)).toEqual([0, 0, 0.5, 1, 1, 0, 0])
    expect(levelText({ rms: -23.4, peak: -10 })).toBe('−23 dB')
    expect(levelText({ rms: -100, peak: -100 })).toBeNull()
  })
})

describe('texts', () => {
  it('fill their holes and choose the plural', () => {
    expect(t('call.via', { name: 'Office' })).toBe('via Office')
    expect(t('gateway.extensions', { count: 1 })).toBe('1 phone registered')
    expect(t('gateway.extensions', { count: 0 })).toBe('0 phones registered')
  })

  it('do not fill holes from what a caller calls himself', () => {
    expect(t('call.via', { name: '{name}' })).toBe('via {name}')
  })
})

describe('the time of a call in a list', () => {
  const now = new Date(2026, 2, 20, 15, 0).getTime()
  const at = (...parts: [number, number, number, number, number]): string => dayAndClock(new Date(...parts).getTime(), now, 'en-GB')

  it('is the clock today, the weekday this week, else the date', () => {
    expect(at(2026, 2, 20, 9, 5)).toBe('09:05')
    expect(at(2026, 2, 19, 9, 5)).toBe('Thu 09:05')
    expect(at(2026, 2, 14, 9, 5)).toBe('Sat 09:05')
    expect(at(2026, 2, 13, 9, 5)).toBe('13 Mar')
    expect(at(2025, 11, 31, 9, 5)).toBe('31 Dec 2025')
  })
})
