import { partyName } from '../../format/uri'
import type { Mirror } from '../../state/mirror'
import { keyOf } from '../../state/suggest'

/** As the contacts call an address, else as calls with it did, else its user. */
export function nameOf(mirror: Mirror | null, address: string): string {
  const key = keyOf(address)
  const contact = mirror?.contacts.find(({ addresses }) => addresses.some((other) => keyOf(other.address) === key))
  const entry = mirror?.history.find(({ remote, remoteName }) => remoteName !== '' && keyOf(remote) === key)
  return partyName(contact?.name ?? entry?.remoteName ?? '', address)
}
