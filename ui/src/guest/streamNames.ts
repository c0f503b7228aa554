/** As the Web SDK names streams of a room: the room, who, four digits; a screen says that it is one. */
export function streamName(room: string, login: string, screen: boolean): string {
  const who = login.normalize('NFKD').replace(/[^\p{L}\p{N}]+/gu, '').slice(0, 24) || 'guest'
  const digits = crypto.getRandomValues(new Uint16Array(1))[0]!.toString(16).padStart(4, '0')
  return `${room}-${who}-${digits}${screen ? '-screen' : ''}`
}
