/** The whole number that a field holds; `null` where it is none, or out of these bounds. */
export function whole(text: string, least: number, most: number): number | null {
  if (!/^\d{1,9}$/.test(text.trim())) return null
  const number = Number(text)
  return number < least || number > most ? null : number
}
