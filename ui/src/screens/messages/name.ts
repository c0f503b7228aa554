import type { Mirror } from '../../state/mirror'
import type { NameBook } from '../../state/names'
import { keyOf } from '../../state/suggest'

/** As the contacts call an address, else as calls with it did, else its user. */
export function nameOf(mirror: Mirror | null, book: NameBook, address: string): string {
  const key = keyOf(address)
  const entry = mirror?.history.find(({ remote, remoteName }) => remoteName !== '' && keyOf(remote) === key)
  return book.nameOf(address, entry?.remoteName ?? '')
}
