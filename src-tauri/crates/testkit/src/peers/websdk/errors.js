'use strict'
// What goes wrong in the page, from its first script on, and which messages come.
const errors = []
const messages = []
const sockets = []
addEventListener('error', (event) => errors.push(`${event.message} (${event.filename}:${event.lineno})`))
addEventListener('unhandledrejection', (event) => errors.push(`unhandled: ${event.reason?.stack ?? event.reason}`))

window.WebSocket = class extends WebSocket {
  constructor(...options) {
    super(...options)
    sockets.push(this)
    this.addEventListener('message', (event) => messages.push(JSON.parse(event.data).message))
  }
}
