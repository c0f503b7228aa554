import type {
  CallView,
  Contact,
  ContactState,
  DevicesView,
  Envelope,
  GatewayView,
  HistoryEntry,
  HooksView,
  Level,
  RoomView,
  SessionView,
  Settings,
  Snapshot,
  StreamView,
} from '../api/types'

/** A copy of the engine's state. Whole views are replaced by their id; nothing is worked out here. */
export type Mirror = {
  version: string
  sessions: readonly SessionView[]
  calls: readonly CallView[]
  /** The call that ended last, kept on the screen until another begins. */
  ended: CallView | null
  history: readonly HistoryEntry[]
  /** Missed calls that nobody has looked at. */
  missedCalls: number
  /** Published and played, until they end. */
  streams: readonly StreamView[]
  /** That we are in, or wait for. */
  rooms: readonly RoomView[]
  contacts: readonly Contact[]
  contactStates: readonly ContactState[]
  devices: DevicesView
  gateway: GatewayView
  /** What waits for the hooks' backend. */
  hooks: HooksView
  settings: Settings
  /** Of the microphone test; `null` while none has been measured. */
  microphoneLevel: Level | null
  /** The engine's wall clock less ours, milliseconds. */
  clockOffset: number
}

/** The end that the last call came to survives a new snapshot: the engine does not keep it. */
export function fromSnapshot(snapshot: Snapshot, previous: Mirror | null): Mirror {
  const { version, sessions, calls, history, missedCalls, streams, rooms, contacts, contactStates, devices, gateway, hooks, settings } = snapshot
  return {
    version,
    sessions,
    calls: calls.filter((call) => !hasEnded(call)),
    ended: previous?.ended ?? null,
    history,
    missedCalls,
    streams,
    rooms: rooms.filter((room) => !roomHasEnded(room)),
    contacts,
    contactStates,
    devices,
    gateway,
    hooks,
    settings,
    microphoneLevel: null,
    clockOffset: previous?.clockOffset ?? 0,
  }
}

export function apply(mirror: Mirror, event: Envelope, now: number): Mirror {
  const clockOffset = event.time - now
  return { ...mirror, clockOffset, ...change(mirror, event) }
}

function change(mirror: Mirror, event: Envelope): Partial<Mirror> {
  switch (event.event) {
    case 'SessionChanged':
      return { sessions: upsert(mirror.sessions, event.session, (session) => session.sessionId) }
    case 'SessionClosed':
      return { sessions: mirror.sessions.filter((session) => session.sessionId !== event.sessionId) }
    case 'CallChanged':
      return changeCall(mirror, event.call)
    case 'CallMeasured':
      return {
        calls: mirror.calls.map((call) =>
          call.callId === event.callId ? { ...call, statistics: event.statistics } : call,
        ),
      }
    case 'StreamChanged':
      return {
        streams: streamHasEnded(event.stream)
          ? mirror.streams.filter((stream) => stream.streamId !== event.stream.streamId)
          : upsert(mirror.streams, event.stream, (stream) => stream.streamId),
      }
    case 'StreamMeasured':
      return {
        streams: mirror.streams.map((stream) =>
          stream.streamId === event.streamId ? { ...stream, statistics: event.statistics } : stream,
        ),
      }
    case 'RoomChanged':
      return {
        rooms: roomHasEnded(event.room)
          ? mirror.rooms.filter((room) => room.roomId !== event.room.roomId)
          : upsert(mirror.rooms, event.room, (room) => room.roomId),
      }
    case 'HistoryAdded':
      return addHistory(mirror, event.entry)
    case 'HistoryCleared':
      return { history: [] }
    case 'HistoryRemoved':
      return { history: without(mirror.history, event.callId) }
    case 'MissedCallsChanged':
      return { missedCalls: event.missedCalls }
    case 'ContactChanged':
      return { contacts: upsert(mirror.contacts, event.contact, (contact) => contact.id) }
    case 'ContactRemoved':
      return {
        contacts: mirror.contacts.filter((contact) => contact.id !== event.contactId),
        contactStates: mirror.contactStates.filter((state) => state.contactId !== event.contactId),
      }
    case 'ContactStateChanged':
      return { contactStates: upsert(mirror.contactStates, event.state, (state) => state.contactId) }
    case 'MicrophoneLevel':
      return { microphoneLevel: event.level }
    case 'DevicesChanged':
      return { devices: event.devices }
    case 'GatewayChanged':
      return { gateway: event.gateway }
    case 'HooksChanged':
      return { hooks: event.hooks }
    case 'SettingsChanged':
      return { settings: event.settings }
    default:
      return {}
  }
}

function changeCall(mirror: Mirror, call: CallView): Partial<Mirror> {
  if (hasEnded(call)) return { calls: without(mirror.calls, call.callId), ended: call }
  const known = mirror.calls.some((other) => other.callId === call.callId)
  const calls = upsert(mirror.calls, call, (other) => other.callId)
  return known ? { calls } : { calls, ended: null }
}

function addHistory(mirror: Mirror, entry: HistoryEntry): Partial<Mirror> {
  const history = [entry, ...mirror.history.filter((other) => other.callId !== entry.callId)]
  const open = mirror.calls.find((call) => call.callId === entry.callId)
  if (!open) return { history }
  const ended = { ...open, status: entry.status, info: entry.info }
  return { history, calls: without(mirror.calls, entry.callId), ended }
}

export const hasEnded = (call: CallView): boolean =>
  call.status === 'FINISH' || call.status === 'BUSY' || call.status === 'FAILED'

export const streamHasEnded = ({ status, retryAt }: StreamView): boolean =>
  retryAt === null && (status === 'UNPUBLISHED' || status === 'STOPPED' || status === 'FAILED')

export const roomHasEnded = ({ status }: RoomView): boolean => status === 'LEFT' || status === 'FAILED'

const without = <T extends { callId: string }>(list: readonly T[], callId: string): T[] =>
  list.filter((item) => item.callId !== callId)

function upsert<T>(list: readonly T[], item: T, id: (item: T) => string): T[] {
  const at = list.findIndex((other) => id(other) === id(item))
  return at < 0 ? [...list, item] : list.map((other, index) => (index === at ? item : other))
}
