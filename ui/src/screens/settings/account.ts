import type { Account, DtmfMode, IncomingTransfer, MediaEncryption, Prack, SipHeader, Transport } from '../../api/types'
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
  websocketUrl: string
  expires: string
  register: boolean
  enabled: boolean
  trustedCa: string
  mediaEncryption: MediaEncryption
  sdesOverPlain: boolean
  ice: boolean
  stun: string
  rtcpMux: boolean
  outbound: boolean
  dtmf: DtmfMode
  prack: Prack
  sessionExpires: string
  incomingTransfer: IncomingTransfer
  anonymous: boolean
  headers: SipHeader[]
  mwi: boolean
  voicemail: string
  publishPresence: boolean
  autoAnswer: string
  autoAnswerByHeader: boolean
  forwardAlways: string
  forwardBusy: string
  forwardNoAnswer: string
  noAnswerSeconds: string
  /** Of a Web Call Server, with what it and its backend want to know. */
  url: string
  appKey: string
  custom: string
}

export type DraftField = keyof Draft
export type Problems = Partial<Record<DraftField, string>>

export const SECTIONS = {
  wcs: ['url', 'appKey', 'custom'],
  server: ['user', 'registrar', 'outboundProxy', 'transport', 'websocketUrl', 'expires', 'outbound', 'ice', 'stun', 'rtcpMux'],
  security: ['mediaEncryption', 'sdesOverPlain', 'trustedCa'],
  calls: ['dtmf', 'prack', 'sessionExpires', 'incomingTransfer', 'anonymous', 'headers'],
  answering: ['autoAnswer', 'autoAnswerByHeader', 'forwardAlways', 'forwardBusy', 'forwardNoAnswer', 'noAnswerSeconds'],
  services: ['mwi', 'voicemail', 'publishPresence'],
} as const satisfies Record<string, readonly DraftField[]>

export const FIELDS: readonly string[] = ['name', 'aor', 'displayName', 'password', ...Object.values(SECTIONS).flat()]

export const toDraft = (account: Account | null): Draft => ({
  name: account?.name ?? '',
  aor: account?.aor.replace(/^sip:/i, '') ?? '',
  displayName: account?.displayName ?? '',
  user: account?.user ?? '',
  registrar: account?.registrar ?? '',
  outboundProxy: account?.outboundProxy ?? '',
  transport: account?.transport ?? '',
  websocketUrl: account?.websocketUrl ?? '',
  expires: String(account?.expires ?? 600),
  register: account?.register ?? true,
  enabled: account?.enabled ?? true,
  trustedCa: account?.trustedCa ?? '',
  mediaEncryption: account?.mediaEncryption ?? 'automatic',
  sdesOverPlain: account?.sdesOverPlain ?? false,
  ice: account?.ice ?? false,
  stun: account?.stun ?? '',
  rtcpMux: account?.rtcpMux ?? false,
  outbound: account?.outbound ?? true,
  dtmf: account?.dtmf ?? 'automatic',
  prack: account?.prack ?? 'supported',
  sessionExpires: String(account?.sessionExpires ?? 1800),
  incomingTransfer: account?.incomingTransfer ?? 'ask',
  anonymous: account?.anonymous ?? false,
  headers: account?.headers.map((header) => ({ ...header })) ?? [],
  mwi: account?.mwi ?? true,
  voicemail: account?.voicemail ?? '',
  publishPresence: account?.publishPresence ?? false,
  autoAnswer: account?.autoAnswer === undefined ? '' : String(account.autoAnswer),
  autoAnswerByHeader: account?.autoAnswerByHeader ?? false,
  forwardAlways: account?.forwardAlways ?? '',
  forwardBusy: account?.forwardBusy ?? '',
  forwardNoAnswer: account?.forwardNoAnswer ?? '',
  noAnswerSeconds: String(account?.noAnswerSeconds ?? 20),
  url: account?.wcs?.url ?? '',
  appKey: account?.wcs?.appKey ?? '',
  custom: account?.wcs?.custom ?? '',
})

/** What is wrong, by field. The engine has the last word; this spares a round trip for what anyone can see. */
export function problemsOf(draft: Draft): Problems {
  const problems: Problems = {}
  const check = (field: DraftField, good: boolean, text: string): void => void (good || (problems[field] = text))
  const whole = (field: 'expires' | 'sessionExpires' | 'autoAnswer' | 'noAnswerSeconds'): number =>
    /^\d{1,9}$/.test(draft[field].trim()) ? Number(draft[field]) : NaN
  check('name', draft.name.trim() !== '', t('account.invalid.name'))
  const nobody = draft.aor.trim() === '' && draft.url.trim() !== ''
  check('aor', nobody || /^(sips?:)?[^@\s]+@[^@\s]+$/i.test(draft.aor.trim()), t('account.invalid.aor'))
  check('expires', whole('expires') >= 1, t('account.invalid.expires'))
  check('websocketUrl', draft.websocketUrl.trim() === '' || /^wss?:\/\/\S+$/i.test(draft.websocketUrl.trim()), t('account.invalid.websocketUrl'))
  check('url', draft.url.trim() === '' || /^wss?:\/\/[^\s/]+\/?$/i.test(draft.url.trim()), t('account.invalid.wcs.url'))
  check('custom', draft.custom.trim() === '' || isObject(draft.custom), t('account.invalid.wcs.custom'))
  check('stun', draft.stun.trim() === '' || /^[^\s/]+:\d{1,5}$/.test(draft.stun.trim()), t('account.invalid.stun'))
  check('sessionExpires', whole('sessionExpires') === 0 || whole('sessionExpires') >= 90, t('account.invalid.sessionExpires'))
  check('autoAnswer', draft.autoAnswer.trim() === '' || whole('autoAnswer') <= 3600, t('account.invalid.autoAnswer'))
  check('noAnswerSeconds', whole('noAnswerSeconds') >= 1, t('account.invalid.noAnswerSeconds'))
  check('trustedCa', draft.trustedCa.trim() === '' || /-----BEGIN CERTIFICATE-----/.test(draft.trustedCa), t('account.invalid.trustedCa'))
  if (/PRIVATE KEY-----/.test(draft.trustedCa)) problems.trustedCa = t('account.invalid.trustedCa.key')
  check('headers', given(draft.headers).every(({ name }) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)), t('account.invalid.headers'))
  return problems
}

export function toAccount(draft: Draft, id: string): Account {
  const { displayName, user, stun, voicemail, websocketUrl, trustedCa, forwardAlways, forwardBusy, forwardNoAnswer } = draft
  const { register, enabled, mediaEncryption, sdesOverPlain, ice, rtcpMux, dtmf, prack, outbound, mwi } = draft
  const { publishPresence, autoAnswerByHeader, incomingTransfer, anonymous } = draft
  return {
    id,
    name: draft.name.trim(),
    aor: withScheme(draft.aor),
    ...typed({ displayName, user, stun, voicemail, websocketUrl, trustedCa, forwardAlways, forwardBusy, forwardNoAnswer }),
    ...typed({ registrar: withScheme(draft.registrar), outboundProxy: withScheme(draft.outboundProxy) }),
    ...(draft.transport === '' ? {} : { transport: draft.transport }),
    ...(draft.autoAnswer.trim() === '' ? {} : { autoAnswer: Number(draft.autoAnswer) }),
    ...{ register, enabled, mediaEncryption, sdesOverPlain, ice, rtcpMux, dtmf, prack, outbound, mwi },
    ...{ publishPresence, autoAnswerByHeader, incomingTransfer, anonymous },
    expires: Number(draft.expires),
    sessionExpires: Number(draft.sessionExpires),
    noAnswerSeconds: Number(draft.noAnswerSeconds),
    headers: given(draft.headers),
    ...(draft.url.trim() === '' ? {} : { wcs: { url: draft.url.trim(), ...typed({ appKey: draft.appKey, custom: draft.custom }) } }),
  }
}

function isObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

/** Without the lines that were left empty. */
const given = (headers: readonly SipHeader[]): SipHeader[] =>
  headers.map(({ name, value }) => ({ name: name.trim(), value: value.trim() })).filter(({ name, value }) => name !== '' || value !== '')

const withScheme = (text: string): string => {
  const trimmed = text.trim()
  return trimmed === '' || /^sips?:/i.test(trimmed) ? trimmed : `sip:${trimmed}`
}

/** Only what was typed: an absent key means "as the address says". */
function typed<K extends string>(texts: Record<K, string>): Partial<Record<K, string>> {
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
