const MARK = '#stream='

/** What follows the page's address in a window for one stream. */
export const popOutHash = (streamId: string): string => `${MARK}${encodeURIComponent(streamId)}`

/** The stream that this page is for alone; `null` for the whole window. */
export function poppedOutStream({ hash }: Location): string | null {
  if (!hash.startsWith(MARK)) return null
  try {
    return decodeURIComponent(hash.slice(MARK.length)) || null
  } catch {
    return null
  }
}
