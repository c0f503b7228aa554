/** Bytes of one command; a socket to the engine takes a megabyte. */
export const MOST_BYTES = 512 * 1024

/** Pictures and sounds: the greatest part of most files, and nothing that a contact here has. */
const MEDIA = /^(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND)[;:][^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n/gim

export const isVcard = (text: string): boolean => /^\s*BEGIN:VCARD\s*$/im.test(text)

/** A file in parts that can be sent, cut between cards; small ones stay as they are. `tooLarge` counts cards that no part can hold. */
export function partsOf(text: string, most = MOST_BYTES): { parts: string[]; tooLarge: number } {
  if (bytes(text) <= most) return { parts: [text], tooLarge: 0 }
  const parts: string[] = []
  let part = ''
  let size = 0
  let tooLarge = 0
  for (const card of cardsOf(text.replace(MEDIA, ''))) {
    const more = bytes(card)
    if (more > most) {
      tooLarge++
      continue
    }
    if (size + more > most) {
      parts.push(part)
      part = ''
      size = 0
    }
    part += card
    size += more
  }
  return { parts: part === '' ? parts : [...parts, part], tooLarge }
}

function* cardsOf(text: string): Generator<string> {
  const end = /^END:VCARD[ \t]*(?:\r?\n|$)/gim
  let from = 0
  for (const match of text.matchAll(end)) {
    const to = match.index + match[0].length
    yield text.slice(from, to)
    from = to
  }
  if (text.slice(from).trim() !== '') yield text.slice(from)
}

/** As it travels. */
const bytes = (text: string): number => new TextEncoder().encode(JSON.stringify(text)).length
