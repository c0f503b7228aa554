import { parseAddress, partyName, shortAddress } from '../format/uri'
import type { Mirror } from './mirror'

/** Somebody who can be called, as the user knows them. */
export type Suggestion = { name: string; address: string; detail: string; contactId: string | null }

const MOST = 6

/** Contacts first, favourites before others, then whom one has talked to; every word must occur. No one twice. */
export function suggest(mirror: Mirror, text: string, most = MOST): Suggestion[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found: Suggestion[] = []
  const seen = new Set<string>()
  for (const candidate of candidates(mirror)) {
    const key = keyOf(candidate.address)
    const all = `${candidate.name} ${candidate.address} ${candidate.detail}`.toLowerCase()
    if (seen.has(key) || !words.every((word) => all.includes(word))) continue
    seen.add(key)
    found.push(candidate)
    if (found.length === most) break
  }
  return found
}

function* candidates(mirror: Mirror): Generator<Suggestion> {
  const contacts = [...mirror.contacts].sort((a, b) => Number(b.favourite) - Number(a.favourite) || a.name.localeCompare(b.name))
  for (const contact of contacts) {
    for (const { address, label } of contact.addresses) {
      const detail = [shortAddress(address), label].filter(Boolean).join(' · ')
      yield { name: contact.name, address, detail, contactId: contact.id }
    }
  }
  for (const { remote, remoteName } of mirror.history) {
    yield { name: partyName(remoteName, remote), address: remote, detail: shortAddress(remote), contactId: null }
  }
}

/** Two spellings of one address: scheme, case and parameters make no difference. */
export function keyOf(address: string): string {
  const { user, host } = parseAddress(address)
  return host === '' ? user.toLowerCase() : `${user.toLowerCase()}@${host.toLowerCase()}`
}
