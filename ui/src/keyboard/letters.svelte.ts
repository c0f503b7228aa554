/** Keys without a modifier can be switched off, for those who speak to their computer (WCAG 2.1.4). A matter of this window. */
export class Letters {
  on = $state(read())

  set(on: boolean): void {
    this.on = on
    try {
      localStorage.setItem(KEY, on ? 'on' : 'off')
    } catch {
      // A page without storage forgets it.
    }
  }
}

const KEY = 'sidetone.letters'

function read(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off'
  } catch {
    return true
  }
}
