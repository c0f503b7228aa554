import type { Account, Transport } from '../../api/types'
import { t } from '../../locales'

/** The account form as it is typed. */
export type Draft = {
  name: string
  aor: string
  displayName: string
  user: string
  registrar: string
  outboundProxy: string
  transport: Transport | ''
  expires: string
  register: boolean
  enabled: boolean
}

export type DraftField = keyof Draft

export const FIELDS = ['name', 'aor', 'displayName', 'user', 'registrar', 'outboundProxy', 'transport', 'expires', 'password'] as const

export const toDraft = (account: Account | null): Draft => ({
  name: account?.name ?? '',
  aor: account?.aor.replace(/^sip:/i, '') ?? '',
  displayName: account?.displayName ?? '',
  user: account?.user ?? '',
  registrar: account?.registrar ?? '',
  outboundProxy: account?.outboundProxy ?? '',
  transport: account?.transport ?? '',
  expires: String(account?.expires ?? 600),
  register: account?.register ?? true,
  enabled: account?.enabled ?? true,
})

/** What is wrong, by field. The engine has the last word; this spares a round trip for what anyone can see. */
export function problemsOf(draft: Draft): Partial<Record<DraftField, string>> {
  const problems: Partial<Record<DraftField, string>> = {}
  if (draft.name.trim() === '') problems.name = t('account.invalid.name')
  if (!/^(sips?:)?[^@\s]+@[^@\s]+$/i.test(draft.aor.trim())) problems.aor = t('account.invalid.aor')
  if (!/^[1-9]\d{0,8}$/.test(draft.expires.trim())) problems.expires = t('account.invalid.expires')
  return problems
}

export function toAccount(draft: Draft, id: string): Account {
  const { displayName, user, registrar, outboundProxy } = draft
  return {
    id,
    name: draft.name.trim(),
    aor: withScheme(draft.aor),
    ...given({ displayName, user }),
    ...given({ registrar: withScheme(registrar), outboundProxy: withScheme(outboundProxy) }),
    ...(draft.transport === '' ? {} : { transport: draft.transport }),
    register: draft.register,
    expires: Number(draft.expires),
    enabled: draft.enabled,
  }
}

const withScheme = (text: string): string => {
  const trimmed = text.trim()
  return trimmed === '' || /^sips?:/i.test(trimmed) ? trimmed : `sip:${trimmed}`
}

/** Only what was typed: an absent key means "as the address says". */
function given<K extends string>(texts: Record<K, string>): Partial<Record<K, string>> {
  const kept: Partial<Record<K, string>> = {}
  for (const key in texts) {
    const text = texts[key].trim()
    if (text !== '') kept[key] = text
  }
  return kept
}

/** Stable over restarts and readable in logs: made from the name, and different from the others. */
export function newAccountId(name: string, taken: readonly string[]): string {
  const base = name.toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'account'
  let id = base
  for (let n = 2; taken.includes(id) || id === 'local'; n++) id = `${base}-${n}`
  return id
}
