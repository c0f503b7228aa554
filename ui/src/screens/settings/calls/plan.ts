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
  const number = dialled.trim()
  if ([...EMERGENCY, ...emergency].includes(number)) return { kind: 'emergency', number }
  for (const [index, rule] of rules.entries()) {
    const match = compile(rule.match)?.exec(number)
    if (!match) continue
    if (rule.refuse) return { kind: 'refused', rule: index }
    return { kind: 'changed', number: expand(rule.replace, match), rule: index, accountId: rule.accountId ?? null }
  }
  return { kind: 'unchanged', number }
}

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
  return template.replace(/\$(?:\$|(\w+)|\{([^}]*)\})/g, (whole: string, plain?: string, braced?: string) => {
    const name = plain ?? braced
    if (name === undefined) return whole === '$$' ? '$' : whole
    return (/^\d+$/.test(name) ? match[Number(name)] : match.groups?.[name]) ?? ''
  })
}

export const splitNumbers = (text: string): string[] => [...new Set(text.split(/[\s,;]+/).filter(Boolean))]

export const emptyRule = (): DialRule => ({ match: '', replace: '', refuse: false })
