import type { App } from '../state/app.svelte'
import { isTalking } from '../state/select'
import { inMeeting } from './meeting'
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
  const call = app.call
  return {
    focus: focusOf(document.activeElement),
    overlay: app.help || app.rooms.dialog !== null || document.fullscreenElement != null,
    panel: call !== null && app.transfer.openFor === call.callId,
    meeting: app.screen === 'meeting' && app.rooms.room !== null,
    pad: app.dial.pad,
    ringing: app.waiting.length > 0,
    call: call !== null,
    others: app.otherCalls.length,
    letters: app.letters.on,
    dialText: app.dial.text,
  }
}

function carryOut(action: KeyAction, app: App, document: Document): void {
  const [ringing] = app.waiting
  const call = app.call
  const talking = call !== null && isTalking(call)
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
      return void (ringing && app.switchboard.holdAndAnswer(ringing))
    case 'decline':
      return void (ringing && app.hangUp(ringing))
    case 'hangup':
      return void (call && app.switchboard.hangUp(call))
    case 'mute':
      return void (call && talking && app.switchboard.toggleMute(call))
    case 'hold':
      return void (call && talking && app.switchboard.toggleHold(call))
    case 'swap':
      return void app.switchboard.swap()
    case 'merge':
      return void app.switchboard.merge([...(call ? [call] : []), ...app.otherCalls].filter(isTalking))
    case 'transfer':
      return void (call && talking && onScreen(app, () => app.transfer.toggle(call)))
    case 'record':
      return void (call && talking && app.switchboard.toggleRecording(call))
    case 'quiet':
      return void app.toggleDoNotDisturb()
    case 'help':
      app.help = true
      return
    case 'close':
      if (document.fullscreenElement) void document.exitFullscreen()
      app.help = false
      app.rooms.dialog = null
      return
    case 'meeting':
      return inMeeting(action.act, app, document)
    case 'closePanel':
      return app.transfer.close()
    case 'leaveField':
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
  }
}

/** What it opens is on the phone's screen. */
function onScreen(app: App, act: () => void): void {
  app.screen = 'phone'
  act()
}

/** Dialling from the settings would happen out of sight. */
function onPhone(app: App, act: () => void): void {
  if (app.screen === 'phone') act()
}

/** After the user has placed a call the digits typed next are for it, not for the dial field. */
export function focusStage(document: Document): void {
  document.getElementById('stage')?.focus({ preventScroll: true })
}
