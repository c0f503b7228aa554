import type { DialRule } from '../../../api/types'

/** Numbers that every rule lets pass, besides those in the settings. */
const EMERGENCY = ['112', '911']

export type Preview =
  | { kind: 'emergency'; number: string }
  | { kind: 'unchanged'; number: string }
  | { kind: 'changed'; number: string; rule: number; accountId: string | null }
  | { kind: 'refused'; rule: number }

/** What would become of a number: the first rule that matches it whole decides. */
export function preview(rules: readonly DialRule[], emergency: readonly string[], dialled: string): Preview {
  const number = plain(dialled)
  if ([...EMERGENCY, ...emergency.map(plain)].includes(number)) return { kind: 'emergency', number }
  for (const [index, rule] of rules.entries()) {
    const match = compile(rule.match)?.exec(number)
    if (!match) continue
    if (rule.refuse) return { kind: 'refused', rule: index }
    return { kind: 'changed', number: expand(rule.replace, match), rule: index, accountId: rule.accountId ?? null }
  }
  return { kind: 'unchanged', number }
}

/** A number without the marks that people put into it, nor what is dialled after a pause; a name or address as it is. */
export function plain(dialled: string): string {
  const text = dialled.trim()
  const number = /^(?:tel:)?([+0-9*#()\s./-]+?)(?:[,;pw].*)?$/i.exec(text)?.[1]
  return number === undefined ? text : number.replace(/[()\s./-]/g, '')
}

export type RuleProblem = 'pattern' | 'empty' | 'group'

/** What the engine would have against a rule, as far as can be seen here. */
export function problemOf(rule: DialRule): RuleProblem | null {
  if (rule.match === '') return 'empty'
  const pattern = compile(rule.match)
  if (pattern === null) return 'pattern'
  if (rule.refuse) return null
  if (rule.replace.trim() === '') return 'empty'
  // An alternative that matches nothing has every group of the pattern.
  const groups = new RegExp(`${pattern.source}|`, 'u').exec('')
  const known = (name: string): boolean => (/^\d+$/.test(name) ? Number(name) < (groups?.length ?? 0) : name in (groups?.groups ?? {}))
  return [...rule.replace.matchAll(NAMES)].some(([, word, braced]) => !known(word ?? braced ?? '0')) ? 'group' : null
}

const NAMES = /\$(?:\$|(\w+)|\{([^}]*)\})/g

/** `null` for what is no regular expression of the engine: it knows neither look-around nor back references. */
export function compile(pattern: string): RegExp | null {
  if (/\(\?<?[=!]|\\[1-9]|\\k</.test(pattern)) return null
  try {
    return new RegExp(`^(?:${pattern.replace(/\(\?P</g, '(?<')})$`, 'u')
  } catch {
    return null
  }
}

/** `$1`, `$name`, `${name}`, and `$$` for a dollar, as the engine reads them: the longest name counts. */
export function expand(template: string, match: RegExpExecArray): string {
  return template.replace(NAMES, (whole: string, plain?: string, braced?: string) => {
    const name = plain ?? braced
    if (name === undefined) return whole === '$$' ? '$' : whole
    return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? ''
  })
}

/** Separated by commas; a number may have spaces in it. */
export const splitNumbers = (text: string): string[] => [...new Set(text.split(/[,;\n]+/).map((number) => number.trim()).filter(Boolean))]

export const emptyRule = (): DialRule => ({ match: '', replace: '', refuse: false })
