import { describe, expect, it } from 'vitest'
import type { DialRule } from '../src/api/types'
import { compile, preview, problemOf, splitNumbers } from '../src/screens/settings/calls/plan'
import { moved } from '../src/screens/settings/order'

const rule = (match: string, replace: string, part: Partial<DialRule> = {}): DialRule => ({ match, replace, refuse: false, ...part })

describe('the dial plan', () => {
  const rules = [rule('00(.+)', '+$1'), rule('0(.+)', '+49$1', { accountId: 'office' }), rule('\\+7.*', '', { refuse: true })]

  it('is decided by the first rule that matches', () => {
    expect(preview(rules, [], '0044207946')).toEqual({ kind: 'changed', number: '+44207946', rule: 0, accountId: null })
    expect(preview(rules, [], ' 030901820 ')).toEqual({ kind: 'changed', number: '+4930901820', rule: 1, accountId: 'office' })
    expect(preview(rules, [], '+7495')).toEqual({ kind: 'refused', rule: 2 })
    expect(preview(rules, [], '2044')).toEqual({ kind: 'unchanged', number: '2044' })
  })

  it('knows a number through what people put into it', () => {
    expect(preview(rules, [], '(030) 90-18/20').kind).toBe('changed')
    expect(preview(rules, [], 'tel:030901820;ext=12')).toMatchObject({ number: '+4930901820' })
    expect(preview(rules, [], '030901820,,4711#')).toMatchObject({ number: '+4930901820' })
    expect(preview(rules, ['19 222'], '19222').kind).toBe('emergency')
    expect(preview(rules, [], 'sip:0ada@example.org')).toEqual({ kind: 'unchanged', number: 'sip:0ada@example.org' })
  })

  it.each([
    [rule('', 'x'), 'empty'],
    [rule('0', ' '), 'empty'],
    [rule('0(', 'x'), 'pattern'],
    [rule('0(.)', '$2'), 'group'],
    [rule('0(.)', '$1a'), 'group'],
    [rule('0(?P<rest>.)', '$rest'), null],
    [rule('0(.)', '$$5${1}'), null],
    [rule('0(.)', '', { refuse: true }), null],
  ] as const)('names what the engine would have against %j: %s', (one, problem) => {
    expect(problemOf(one)).toBe(problem)
  })

  it('matches whole numbers alone', () => {
    expect(preview([rule('20', 'x')], [], '2044').kind).toBe('unchanged')
    expect(preview([rule('1|2', 'x')], [], '12').kind).toBe('unchanged')
  })

  it('lets emergency numbers pass every rule', () => {
    const all = [rule('.*', '', { refuse: true })]
    for (const number of ['112', '911', '110']) expect(preview(all, ['110'], number)).toEqual({ kind: 'emergency', number })
    expect(preview(all, [], '110').kind).toBe('refused')
  })

  it.each([
    ['$1', '44'],
    ['${1}0', '440'],
    ['$10', ''],
    ['$rest', '44'],
    ['$$1', '$1'],
    ['+$2', '+'],
  ])('replaces as the engine does: %j gives %j', (replace, number) => {
    expect(preview([rule('20(?P<rest>\\d+)', replace)], [], '2044')).toMatchObject({ number })
  })

  it.each(['(', '[', 'a(?=b)', '(?<!x)y', '(a)\\1'])('knows that %j is no pattern of the engine', (pattern) => {
    expect(compile(pattern)).toBeNull()
    expect(preview([rule(pattern, 'x')], [], 'a').kind).toBe('unchanged')
  })
})

it('a list of numbers is read with commas, each once', () => {
  expect(splitNumbers(' 110, 112,110;19 222, ')).toEqual(['110', '112', '19 222'])
})

it('an item moves by one place and not beyond the ends', () => {
  expect(moved(['a', 'b', 'c'], 1, -1)).toEqual(['b', 'a', 'c'])
  expect(moved(['a', 'b', 'c'], 1, 1)).toEqual(['a', 'c', 'b'])
  expect(moved(['a', 'b'], 0, -1)).toEqual(['a', 'b'])
  expect(moved(['a', 'b'], 1, 1)).toEqual(['a', 'b'])
})
