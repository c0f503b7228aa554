/** `null` for what is no whole number from 0 to `most`. */
export function parseWhole(text: string, most: number): number | null {
  if (!/^\d{1,9}$/.test(text.trim())) return null
  const number = Number(text)
  return number <= most ? number : null
}

/** `null` for what is no port. */
export const parsePort = (text: string): number | null => (/^\s*\d{1,5}\s*$/.test(text) ? parseWhole(text, 65_535) : null)
