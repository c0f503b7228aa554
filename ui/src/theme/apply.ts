import type { Theme } from '../api/types'

const DARK = '(prefers-color-scheme: dark)'

export function effectiveTheme(theme: Theme, systemIsDark: boolean): 'light' | 'dark' {
  if (theme === 'system') return systemIsDark ? 'dark' : 'light'
  return theme
}

/** Puts the theme on the page and follows the system where it asks for that, until the returned function is called. */
export function applyTheme(theme: Theme, window: Window): () => void {
  const system = window.matchMedia(DARK)
  const show = (): void => {
    window.document.documentElement.dataset['theme'] = effectiveTheme(theme, system.matches)
  }
  show()
  system.addEventListener('change', show)
  return () => system.removeEventListener('change', show)
}
