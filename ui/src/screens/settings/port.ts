/** `null` for what is no port. */
export function parsePort(text: string): number | null {
  if (!/^\d{1,5}$/.test(text.trim())) return null
  const port = Number(text)
  return port <= 65_535 ? port : null
}
