/** What an invite says. */
export type Link = {
  /** Empty: the server says it, where there is an invite. */
  room: string
  /** The token of the invite; empty where there is none. */
  invite: string
  /** The name that the host has given; empty: asked for. */
  login: string
  /** Of the WebSocket. */
  server: string
}

/**
 * `join#INVITE`, or `guest.html#room=NAME&invite=TOKEN`, with `login=NAME` and `port=PORT` where they are wanted. Behind `#`, since that part of an
 * address goes to no server and into no log; the same behind `?` is understood too.
 */
export function linkOf({ hash, search, protocol, hostname, host }: Pick<Location, 'hash' | 'search' | 'protocol' | 'hostname' | 'host'>): Link {
  const behind = hash.replace(/^#/, '')
  const told = new URLSearchParams(/[=&]/.test(behind) ? behind : { invite: behind })
  const asked = new URLSearchParams(search)
  const find = (name: string): string => told.get(name) ?? asked.get(name) ?? ''
  const port = find('port')
  const at = /^\d{1,5}$/.test(port) ? `${hostname}:${port}` : host
  return { room: find('room'), invite: find('invite'), login: find('login'), server: `${protocol === 'https:' ? 'wss' : 'ws'}://${at}/` }
}
