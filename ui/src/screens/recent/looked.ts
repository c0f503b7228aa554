/** What a person does who looks at the window. */
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel'] as const

const LONG_ENOUGH_MS = 1500

/** A list that merely stands open on an empty desk has been seen by nobody. Calls back once, until the returned function is called. */
export function whenLookedAt(window: Window, seen: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const sign = (): void => {
    if (window.document.hidden || timer !== undefined) return
    for (const name of SIGNS) window.removeEventListener(name, sign)
    timer = setTimeout(seen, LONG_ENOUGH_MS)
  }
  for (const name of SIGNS) window.addEventListener(name, sign, { passive: true })
  return () => {
    clearTimeout(timer)
    for (const name of SIGNS) window.removeEventListener(name, sign)
  }
}
