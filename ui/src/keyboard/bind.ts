import type { App } from '../state/app.svelte'
import { focusOf, interpret, type KeyAction, type Situation } from './map'

/** Listens on the window until the returned function is called. */
export function bindKeyboard(app: App, window: Window): () => void {
  const handle = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return
    const press = {
      key: event.key,
      code: event.code,
      ctrl: event.ctrlKey,
      alt: event.altKey,
      meta: event.metaKey,
      repeat: event.repeat,
    }
    const action = interpret(press, situation(app, window.document))
    if (!action) return
    event.preventDefault()
    carryOut(action, app, window.document)
  }
  window.addEventListener('keydown', handle)
  return () => window.removeEventListener('keydown', handle)
}

function situation(app: App, document: Document): Situation {
  return {
    focus: focusOf(document.activeElement),
    overlay: app.help,
    pad: app.dial.pad,
    ringing: app.waiting.length > 0,
    call: app.call !== null,
    dialText: app.dial.text,
  }
}

function carryOut(action: KeyAction, app: App, document: Document): void {
  const [ringing] = app.waiting
  const call = app.call
  switch (action.do) {
    case 'dial':
      return onPhone(app, () => app.dial.append(action.digit))
    case 'tone':
      return void app.dial.sendTone(action.digit)
    case 'erase':
      return app.dial.erase()
    case 'clear':
      return app.dial.set('')
    case 'call':
      return onPhone(app, () => void app.dial.call().then((began) => began && focusStage(document)))
    case 'answer':
      return void (ringing && app.answer(ringing))
    case 'decline':
      return void (ringing && app.hangUp(ringing))
    case 'hangup':
      return void (call && app.hangUp(call))
    case 'mute':
      return void (call && app.toggleMute(call))
    case 'help':
      app.help = true
      return
    case 'close':
      app.help = false
      return
    case 'leaveField':
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
  }
}

/** Dialling from the settings would happen out of sight. */
function onPhone(app: App, act: () => void): void {
  if (app.screen === 'phone') act()
}

/** After the user has placed a call the digits typed next are for it, not for the dial field. */
export function focusStage(document: Document): void {
  document.getElementById('stage')?.focus({ preventScroll: true })
}
