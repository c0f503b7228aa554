export type TileKeys = Readonly<Record<string, () => unknown>>

/** An action: single letters work on the tile that has the focus. `null` where single letters are switched off. */
export function tileKeys(node: HTMLElement, keys: TileKeys | null): { update: (keys: TileKeys | null) => void; destroy: () => void } {
  let current = keys
  const handle = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || isText(event.target)) return
    const act = current?.[event.key.toLowerCase()]
    if (!act) return
    event.preventDefault()
    event.stopPropagation()
    act()
  }
  node.addEventListener('keydown', handle)
  return { update: (next) => void (current = next), destroy: () => node.removeEventListener('keydown', handle) }
}

const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('textarea, select, input:not([type="range"]):not([type="checkbox"])')
