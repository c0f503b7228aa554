import type { Command, Reply } from '../../api/types'
import { matches } from '../../state/history.svelte'
import { failure } from '../types'
import { DONE, type FakeEngine } from './engine'
import { olderHistory } from './people'

/** History, contacts and messages; `null` for all other commands. */
export function directoryCommand(engine: FakeEngine, command: Command): Reply | null {
  switch (command.command) {
    case 'getHistory':
      return getHistory(engine, command)
    case 'seeMissedCalls':
      engine.state = { ...engine.state, missedCalls: 0 }
      engine.emit({ event: 'MissedCallsChanged', missedCalls: 0 })
      return DONE
    case 'removeHistory':
      engine.state = { ...engine.state, history: engine.state.history.filter((entry) => entry.callId !== command.callId) }
      engine.emit({ event: 'HistoryRemoved', callId: command.callId })
      return DONE
    case 'clearHistory':
      engine.state = { ...engine.state, history: [] }
      engine.emit({ event: 'HistoryCleared' })
      return DONE
    case 'saveContact': {
      if (command.contact.name.trim() === '') throw { ...failure('invalid', 'a contact has a name'), field: 'contact.name' }
      const contact = { ...command.contact, id: command.contact.id || engine.id('k') }
      engine.state = { ...engine.state, contacts: [...engine.state.contacts.filter((other) => other.id !== contact.id), contact] }
      engine.emit({ event: 'ContactChanged', contact })
      return { reply: 'contact', contactId: contact.id }
    }
    case 'removeContact':
      engine.state = { ...engine.state, contacts: engine.state.contacts.filter((other) => other.id !== command.contactId) }
      engine.emit({ event: 'ContactRemoved', contactId: command.contactId })
      return DONE
    case 'importContacts':
      return { reply: 'imported', added: 12, changed: 3, refused: ['line 48: FN is missing'] }
    case 'exportContacts':
      return { reply: 'text', text: engine.state.contacts.map((contact) => `BEGIN:VCARD\r\nVERSION:4.0\r\nFN:${contact.name}\r\nEND:VCARD\r\n`).join('') }
    case 'sendData':
      return sendData(engine, command)
    default:
      return null
  }
}

function getHistory(engine: FakeEngine, asked: Extract<Command, { command: 'getHistory' }>): Reply {
  const all = [...engine.state.history, ...(engine.state.history.length > 0 ? olderHistory(Date.now()) : [])]
  const found = all.filter((entry) => entry.startedAt < (asked.before ?? Infinity) && matches(entry, asked.search ?? '', asked.missed ?? false))
  return { reply: 'history', entries: found.slice(0, asked.limit) }
}

/** A text with `fail` in it is refused; any other is answered. */
function sendData(engine: FakeEngine, { to, body, contentType = 'text/plain', sessionId = 's1' }: Extract<Command, { command: 'sendData' }>): Reply {
  const dataId = engine.id('d')
  const me = engine.state.sessions.find((session) => session.sessionId === sessionId)?.aor ?? ''
  const peer = to.includes('@') ? to : `sip:${to}@voice.example.org`
  engine.emit({ event: 'OnDataEvent', sessionId, incoming: false, from: me, to: peer, contentType, body })
  engine.after(500, () => {
    const refused = body.includes('fail')
    engine.emit({ event: 'DataStatusEvent', status: refused ? 'FAILED' : 'ACCEPTED', dataId, sessionId, info: refused ? '480 Temporarily Unavailable' : '200 OK' })
  })
  if (!body.includes('fail')) {
    engine.after(2500, () => engine.emit({ event: 'OnDataEvent', sessionId, incoming: true, from: peer, to: me, contentType, body: `Got it: ${body}` }))
  }
  return { reply: 'data', dataId }
}
