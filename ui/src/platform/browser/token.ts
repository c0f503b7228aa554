/**
 * A link to the UI carries a one-time token. In the query the server has already exchanged it for a cookie; in the
 * fragment the server never saw it, so the first socket must bring it. Either way it leaves the address bar.
 */
export function takeToken(location: Location, history: History): string | null {
  const url = new URL(location.href)
  const fragment = new URLSearchParams(url.hash.replace(/^#/, ''))
  const token = fragment.get('token')
  if (token === null && !url.searchParams.has('token')) return null
  url.searchParams.delete('token')
  fragment.delete('token')
  url.hash = fragment.toString()
  history.replaceState(null, '', url.pathname + url.search + url.hash)
  return token
}

export function socketUrl(location: Location, token: string | null): string {
  const url = new URL('/ui/socket', location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  if (token !== null) url.searchParams.set('token', token)
  return url.href
}

/** Admitted by the cookie of this page's login. */
export function framesUrl(location: Location): string {
  const url = new URL('/frames', location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}
