import type { Contact, ContactState } from '../../api/types'
import { t } from '../../locales'

/** Favourites first, then by name; every word must occur somewhere. */
export function listContacts(contacts: readonly Contact[], search: string): Contact[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const text = ({ name, organisation, note, addresses }: Contact): string =>
    [name, organisation, note, ...addresses.map(({ address }) => address)].join('\n').toLowerCase()
  return contacts
    .filter((contact) => words.every((word) => text(contact).includes(word)))
    .sort((a, b) => Number(b.favourite) - Number(a.favourite) || a.name.localeCompare(b.name))
}

export const emptyContact = (): Contact => ({
  id: '',
  name: '',
  organisation: '',
  addresses: [{ address: '', label: 'work' }],
  note: '',
  favourite: false,
  watch: false,
})

export type ContactProblems = { name?: string; addresses?: string }

export function problemsOf(contact: Contact): ContactProblems {
  const problems: ContactProblems = {}
  if (contact.name.trim() === '') problems.name = t('contact.invalid.name')
  const given = contact.addresses.filter(({ address }) => address.trim() !== '')
  if (given.length === 0) problems.addresses = t('contact.invalid.addresses')
  return problems
}

/** As it is stored: without the lines that were left empty. */
export const tidy = (contact: Contact): Contact => ({
  ...contact,
  name: contact.name.trim(),
  organisation: contact.organisation.trim(),
  note: contact.note.trim(),
  addresses: contact.addresses
    .map(({ address, label }) => ({ address: address.trim(), label: label.trim() }))
    .filter(({ address }) => address !== ''),
})

/** What presence says, where it says anything. */
export const presenceWords = (state: ContactState): string =>
  state.available === null ? '' : t(state.available ? 'contacts.available' : 'contacts.away')
