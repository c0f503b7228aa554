/** A SIP URI in its parts; text that is none is all `user`. */
export type Address = { user: string; host: string }

export function parseAddress(uri: string): Address {
  const inner = /<([^>]*)>/.exec(uri)?.[1] ?? uri
  const bare = inner.replace(/^\s*(sips?|tel):/i, '').replace(/[;?].*$/s, '').trim()
  const at = bare.lastIndexOf('@')
  if (at < 0) return { user: decode(bare), host: '' }
  const user = bare.slice(0, at).replace(/:.*$/s, '')
  return { user: decode(user), host: bare.slice(at + 1) }
}

/** What to call someone in one line: the name they gave, else the number. */
export function partyName(name: string, uri: string): string {
  const given = name.trim()
  if (given !== '') return given
  const { user, host } = parseAddress(uri)
  return user || host || uri
}

/** `user@host`, without scheme and parameters. */
export function shortAddress(uri: string): string {
  const { user, host } = parseAddress(uri)
  return host === '' ? user : user === '' ? host : `${user}@${host}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
