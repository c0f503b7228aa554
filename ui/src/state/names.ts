import type { CallView, Contact } from '../api/types'
import { parseAddress, partyName } from '../format/uri'
import type { Mirror } from './mirror'
import { keyOf } from './suggest'

/** Whom the user knows an address as. What callers say of themselves is not to be trusted as much. */
export class NameBook {
  private readonly names = new Map<string, string>()

  constructor(contacts: readonly Contact[]) {
    for (const { name, addresses } of contacts) {
      for (const { address } of addresses) for (const key of keysOf(address)) if (!this.names.has(key)) this.names.set(key, name)
    }
  }

  find(address: string): string | null {
    for (const key of keysOf(address)) {
      const name = this.names.get(key)
      if (name !== undefined) return name
    }
    return null
  }

  /** The contact's name, else what the far end gave, else its number. */
  nameOf(address: string, given = ''): string {
    return partyName(this.find(address) ?? given, address)
  }
}

/** Telephone numbers are the same at every host; short ones are extensions and are not. */
function keysOf(address: string): string[] {
  const { user } = parseAddress(address)
  const number = /^\+?[\d\s().-]+$/.test(user) ? user.replace(/[^\d+]/g, '') : ''
  return number.length >= 7 ? [keyOf(address), `number:${number}`] : [keyOf(address)]
}

/** The mirror with calls under the names that the user gave. */
export function withNames(mirror: Mirror, book: NameBook): Mirror {
  const named = (call: CallView): CallView => {
    const name = book.find(call.direction === 'incoming' ? call.caller : call.callee)
    return name === null || name === call.remoteName ? call : { ...call, remoteName: name }
  }
  return { ...mirror, calls: mirror.calls.map(named), ended: mirror.ended && named(mirror.ended) }
}
