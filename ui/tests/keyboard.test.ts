// @vitest-environment jsdom
import { describe, expect, it } from 'vitest'
import { focusOf, interpret, type Press, type Situation } from '../src/keyboard/map'

const idle: Situation = { focus: 'page', overlay: false, panel: false, meeting: false, pad: 'dial', ringing: false, call: false, others: 0, letters: true, dialText: '' }
const press = (key: string, part: Partial<Press> = {}): Press => ({
  key,
  code: '',
  ctrl: false,
  alt: false,
  meta: false,
  repeat: false,
  ...part,
})
const meaning = (key: string, now: Partial<Situation> = {}, part: Partial<Press> = {}): string | undefined =>
  interpret(press(key, part), { ...idle, ...now })?.do

describe('keyboard', () => {
  it('digits, star, hash and plus dial while nothing is typed', () => {
    for (const digit of '0123456789*#+') {
      expect(interpret(press(digit), idle)).toEqual({ do: 'dial', digit })
    }
  })

  it('digits are tones in a call; plus is none, and a held key sends one', () => {
    const call: Partial<Situation> = { call: true, pad: 'tones' }
    expect(interpret(press('5'), { ...idle, ...call })).toEqual({ do: 'tone', digit: '5' })
    expect(meaning('+', call)).toBeUndefined()
    expect(meaning('5', call, { repeat: true })).toBeUndefined()
  })

  it('enter calls from the page and from the dial field, and is left to a focused button', () => {
    expect(meaning('Enter')).toBe('call')
    expect(meaning('Enter', { focus: 'dialField' })).toBe('call')
    expect(meaning('Enter', { focus: 'control' })).toBeUndefined()
    expect(meaning('Enter', { focus: 'text' })).toBeUndefined()
  })

  it('enter never answers', () => {
    expect(meaning('Enter', { ringing: true })).toBe('call')
    expect(meaning('a', { ringing: true })).toBeUndefined()
  })

  it('only alt and A answers, from anywhere, and only what rings', () => {
    const altA: Partial<Press> = { code: 'KeyA', alt: true }
    expect(meaning('a', { ringing: true }, altA)).toBe('answer')
    expect(meaning('å', { ringing: true, focus: 'text' }, altA)).toBe('answer')
    expect(meaning('a', {}, altA)).toBeUndefined()
  })

  it('escape ends the nearest thing first', () => {
    const all: Partial<Situation> = { overlay: true, ringing: true, call: true }
    expect(meaning('Escape', all)).toBe('close')
    expect(meaning('Escape', { ...all, overlay: false })).toBe('decline')
    expect(meaning('Escape', { call: true })).toBe('hangup')
    expect(meaning('Escape', { dialText: '12' })).toBe('clear')
    expect(meaning('Escape')).toBeUndefined()
  })

  it('escape leaves a text field before it touches a call', () => {
    expect(meaning('Escape', { focus: 'text', call: true, ringing: true })).toBe('leaveField')
    expect(meaning('Escape', { focus: 'dialField', dialText: '1', call: true })).toBe('clear')
    expect(meaning('Escape', { focus: 'dialField', call: true })).toBe('hangup')
  })

  it('escape closes what is open beside a call, and leaves the call', () => {
    expect(meaning('Escape', { call: true, panel: true })).toBe('closePanel')
    expect(meaning('Escape', { call: true, panel: true, ringing: true })).toBe('decline')
  })

  it('a held escape hangs up once', () => {
    expect(meaning('Escape', { call: true }, { repeat: true })).toBeUndefined()
  })

  it('single letters and digits are off while text is typed', () => {
    for (const key of ['m', '5', '?', 'Backspace']) {
      expect(meaning(key, { focus: 'text', call: true })).toBeUndefined()
      expect(meaning(key, { focus: 'dialField', call: true })).toBeUndefined()
    }
  })

  it('m mutes the call that there is', () => {
    expect(meaning('m', { call: true })).toBe('mute')
    expect(meaning('m')).toBeUndefined()
  })

  it('letters hold, transfer and record the call that there is', () => {
    for (const [key, action] of [['h', 'hold'], ['t', 'transfer'], ['R', 'record']] as const) {
      expect(meaning(key, { call: true })).toBe(action)
      expect(meaning(key)).toBeUndefined()
      expect(meaning(key, { call: true, focus: 'text' })).toBeUndefined()
    }
  })

  it('s and j need a second call', () => {
    expect(meaning('s', { call: true, others: 1 })).toBe('swap')
    expect(meaning('j', { call: true, others: 1 })).toBe('merge')
    expect(meaning('s', { call: true })).toBeUndefined()
    expect(meaning('j', { call: true })).toBeUndefined()
  })

  it('letters can be switched off, and digits cannot', () => {
    const off = { call: true, others: 1, letters: false, pad: 'tones' } as const
    for (const key of ['m', 'h', 's', 'j', 't', 'r']) expect(meaning(key, off)).toBeUndefined()
    expect(meaning('5', off)).toBe('tone')
    expect(meaning('?', off)).toBe('help')
  })

  it('a held letter acts once', () => {
    expect(meaning('h', { call: true }, { repeat: true })).toBeUndefined()
  })

  it('alt and D is do not disturb, from anywhere', () => {
    const altD: Partial<Press> = { code: 'KeyD', alt: true }
    expect(meaning('d', {}, altD)).toBe('quiet')
    expect(meaning('ð', { focus: 'text' }, altD)).toBe('quiet')
    expect(meaning('d', {}, { ...altD, repeat: true })).toBeUndefined()
    expect(meaning('d')).toBeUndefined()
  })

  it('leaves the shortcuts of the browser and the system alone', () => {
    expect(meaning('1', {}, { ctrl: true })).toBeUndefined()
    expect(meaning('m', { call: true }, { meta: true })).toBeUndefined()
    expect(meaning('Escape', { call: true }, { alt: true })).toBeUndefined()
  })

  it('does nothing behind the help', () => {
    expect(meaning('5', { overlay: true })).toBeUndefined()
    expect(meaning('Enter', { overlay: true })).toBeUndefined()
  })

  it('backspace erases while dialling, and a question mark shows the help', () => {
    expect(meaning('Backspace')).toBe('erase')
    expect(meaning('Backspace', { pad: 'tones', call: true })).toBeUndefined()
    expect(meaning('?')).toBe('help')
  })
})

describe('focus', () => {
  const of = (html: string): string => {
    document.body.innerHTML = html
    return focusOf(document.body.firstElementChild)
  }

  it('tells text from other controls', () => {
    expect(of('<input data-dial-field>')).toBe('dialField')
    expect(of('<input type="password">')).toBe('text')
    expect(of('<select></select>')).toBe('text')
    expect(of('<input type="checkbox">')).toBe('control')
    expect(of('<button></button>')).toBe('control')
    expect(of('<main tabindex="-1"></main>')).toBe('page')
    expect(focusOf(null)).toBe('page')
    expect(focusOf(document.body)).toBe('page')
  })
})
