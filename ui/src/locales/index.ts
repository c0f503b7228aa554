import en from './en.json'

type Texts = typeof en
export type TextKey = keyof Texts
type Params = Readonly<Record<string, string | number>>

const rules = new Intl.PluralRules('en')

/** The text of a key; `{name}` is filled from `params`, and `count` chooses among plural forms. */
export function t(key: TextKey, params: Params = {}): string {
  const entry: string | { one: string; other: string } = en[key]
  const text = typeof entry === 'string' ? entry : plural(entry, params)
  return text.replace(/\{(\w+)\}/g, (hole, name: string) => String(params[name] ?? hole))
}

function plural(forms: { one: string; other: string }, params: Params): string {
  return rules.select(Number(params['count'] ?? 0)) === 'one' ? forms.one : forms.other
}
