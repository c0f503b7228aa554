/** An action for what opens beside a call: escape closes it, and does nothing to the call. */
export function escapes(node: HTMLElement, close: () => void): { destroy: () => void } {
  const handle = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.isComposing) return
    event.preventDefault()
    event.stopPropagation()
    close()
  }
  node.addEventListener('keydown', handle)
  return { destroy: () => node.removeEventListener('keydown', handle) }
}
