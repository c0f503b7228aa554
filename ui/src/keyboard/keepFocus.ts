/**
 * An action for what changes under its user: where the control that has the focus goes away, or cannot be used any more, the focus goes to the
 * panel that it was in, or to the node itself. Both take it with `tabindex="-1"`.
 */
export function keepsFocus(node: HTMLElement): { destroy: () => void } {
  let homes: HTMLElement[] = []
  let last: Element | null = null

  const remember = ({ target }: FocusEvent): void => {
    last = target instanceof Element ? target : null
    const inner = last?.closest<HTMLElement>('aside')?.querySelector<HTMLElement>('[tabindex="-1"]')
    homes = inner ? [inner, node] : [node]
  }
  const look = (): void => {
    const { activeElement, body } = node.ownerDocument
    if (!last || (activeElement !== null && activeElement !== body)) return
    // It was left on purpose, by a click beside it.
    if (last.isConnected && !last.matches(':disabled')) return
    last = null
    homes.find(({ isConnected }) => isConnected)?.focus({ preventScroll: true })
  }
  const watch = new MutationObserver(() => requestAnimationFrame(look))
  watch.observe(node, { subtree: true, childList: true, attributeFilter: ['disabled'] })
  node.addEventListener('focusin', remember)
  return {
    destroy: () => {
      watch.disconnect()
      node.removeEventListener('focusin', remember)
    },
  }
}
