/** The room that the link of an invite of another Sidetone names; `null` where this is no such link. */
export function roomOfLink(text: string): string | null {
  if (!/^https?:\/\//i.test(text)) return null
  const hash = text.indexOf('#')
  const told = new URLSearchParams(hash < 0 ? '' : text.slice(hash + 1))
  return told.get('invite') ? told.get('room') : null
}
