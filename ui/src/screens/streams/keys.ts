export type TileKeys = Readonly<Record<string, () => unknown>>

/** An action: these keys work on the tile that has the focus. One that gives `false` did nothing, and is left to the window. */
export function tileKeys(node: HTMLElement, keys: TileKeys): { update: (keys: TileKeys) => void; destroy: () => void } {
  let current = keys
  const handle = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || isText(event.target)) return
    const act = current[event.key.toLowerCase()]
    if (!act || act() === false) return
    event.preventDefault()
    event.stopPropagation()
  }
  node.addEventListener('keydown', handle)
  return { update: (next) => void (current = next), destroy: () => node.removeEventListener('keydown', handle) }
}

const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.matches('textarea, select, input:not([type="range"]):not([type="checkbox"])')
