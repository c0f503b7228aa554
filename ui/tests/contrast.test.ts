import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync(new URL('../src/theme/tokens.css', import.meta.url), 'utf8')

function palette(theme: string): Map<string, string> {
  const block = new RegExp(`data-theme='${theme}'\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? ''
  return new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name ?? '', hex ?? '']))
}

/** Relative luminance, WCAG 2.2. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

const GROUNDS = ['canvas', 'surface', 'raised']

/** Text on what it stands on: 4.5. */
const TEXT: readonly (readonly [string, readonly string[]])[] = [
  ['text', [...GROUNDS, 'sunken', 'accent-soft', 'danger-soft', 'warn-soft']],
  ['text-muted', [...GROUNDS, 'sunken', 'accent-soft', 'warn-soft']],
  ['accent-text', [...GROUNDS, 'accent-soft']],
  ['danger-text', [...GROUNDS, 'danger-soft', 'accent-soft']],
  ['warn-text', [...GROUNDS, 'warn-soft']],
  ['on-accent', ['accent', 'accent-hover']],
  ['on-danger', ['danger', 'danger-hover']],
  ['on-stage', ['stage']],
  ['on-person', [1, 2, 3, 4, 5, 6].map((number) => `person-${number}`)],
  ['text', ['tile']],
  ['text-muted', ['tile']],
]

/** Edges of controls, marks and the focus ring: 3. */
const SHAPES: readonly (readonly [string, readonly string[]])[] = [
  ['line-strong', GROUNDS],
  ['accent', [...GROUNDS, 'sunken']],
  ['danger', [...GROUNDS, 'danger-soft']],
  ['warn', [...GROUNDS, 'warn-soft']],
  ['focus', [...GROUNDS, 'accent-soft', 'warn-soft', 'danger-soft']],
]

describe.each(['light', 'dark'])('the %s theme', (theme) => {
  const colours = palette(theme)
  const cases = (pairs: typeof TEXT, least: number): [string, string, number][] =>
    pairs.flatMap(([ink, grounds]) => grounds.map((ground): [string, string, number] => [ink, ground, least]))

  it.each([...cases(TEXT, 4.5), ...cases(SHAPES, 3)])('%s on %s has a contrast of at least %d', (ink, ground, least) => {
    const [one, other] = [colours.get(ink), colours.get(ground)]
    if (!one || !other) throw new Error(`no colour ${ink} or ${ground}`)
    expect(contrast(one, other)).toBeGreaterThanOrEqual(least)
  })

  it('defines every colour that the other one does', () => {
    expect([...colours.keys()].sort()).toEqual([...palette(theme === 'light' ? 'dark' : 'light').keys()].sort())
  })
})
