import type { Command, VideoSettings } from '../../../api/types'

/** A STUN or TURN server as it is edited; the password is on its way to the key store alone. */
export type ServerDraft = { url: string; user: string; password: string; passwordKept: boolean }

export const serverDrafts = (video: VideoSettings): ServerDraft[] =>
  video.iceServers.map(({ url, user, passwordKept }) => ({ url, user, passwordKept, password: '' }))

export const freshServer = (): ServerDraft => ({ url: '', user: '', password: '', passwordKept: false })

export const isTurn = (url: string): boolean => /^turns?:/i.test(url.trim())

const FORM = /^(stun:|turns?:)([A-Za-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?(\?transport=(udp|tcp))?$/i

/** The first server that cannot be meant, and why not. */
export function wrongServer(drafts: readonly ServerDraft[]): 'url' | 'user' | null {
  for (const { url, user } of drafts) {
    if (!FORM.test(url.trim())) return 'url'
    if (isTurn(url) && user.trim() === '') return 'user'
  }
  return null
}

/** The settings, and the passwords that were typed, each for its server. */
export function toCommands(video: VideoSettings, drafts: readonly ServerDraft[], relayOnly: boolean, trustedCa: string, remember: boolean): Command[] {
  const servers = drafts.map((draft) => ({ ...draft, url: draft.url.trim(), user: isTurn(draft.url) ? draft.user.trim() : '' }))
  const { trustedCa: _before, ...rest } = video
  const iceServers = servers.map(({ url, user, passwordKept }) => ({ url, user, passwordKept }))
  const ca = trustedCa.trim() === '' ? {} : { trustedCa }
  const change: Command = { command: 'changeSettings', video: { ...rest, iceServers, relayOnly, ...ca } }
  const secrets = servers
    .filter(({ url, password }) => isTurn(url) && password !== '')
    .map(({ url, user, password }): Command => ({ command: 'setSecret', for: { of: 'iceServer', url, user }, secret: password, remember }))
  return [change, ...secrets]
}
