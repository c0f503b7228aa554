import type { Envelope } from '../api/types'

/** One line of the event log. */
export type LogLine = {
  /** Unique on this page; the engine's numbers begin anew when it does. */
  key: number
  seq: number
  time: number
  event: Envelope['event']
  status: string
  id: string
  info: string
}

/** The latest events, oldest first. Measurements are no news and are left out. */
export class EventLog {
  lines = $state.raw<readonly LogLine[]>([])
  private nextKey = 1

  add(event: Envelope): void {
    if (event.event === 'CallMeasured' || event.event === 'MicrophoneLevel' || event.event === 'RoomMeasured') return
    const kept = this.lines.length >= MAX_LINES ? this.lines.slice(1 - MAX_LINES) : this.lines
    this.lines = [...kept, toLine(event, this.nextKey++)]
  }

  clear(): void {
    this.lines = []
  }
}

export const MAX_LINES = 1000

export function toLine(event: Envelope, key: number): LogLine {
  const { seq, time } = event
  return { key, seq, time, event: event.event, status: statusOf(event), id: idOf(event), info: infoOf(event) }
}

/** The contract's own: what integrators see too. The others only say that a view was replaced. */
export const isContract = (line: LogLine): boolean =>
  line.event.endsWith('StatusEvent') || line.event === 'ErrorEvent' || (line.event.startsWith('On') && line.event.endsWith('Event'))

export const lineText = (line: LogLine): string =>
  [new Date(line.time).toISOString(), line.event, line.status || '-', line.id || '-', line.info].join('  ').trimEnd()

function statusOf(event: Envelope): string {
  if ('status' in event) return event.status
  if (event.event === 'Notice') return event.level
  if (event.event === 'DtmfReceived') return event.digit
  if (event.event === 'OnStreamEvent') return event.kind
  if (event.event === 'ErrorEvent') return event.hook
  if (event.event === 'CallChanged') return event.call.status
  if (event.event === 'RoomChanged') return event.room.status
  return ''
}

function idOf(event: Envelope): string {
  if (event.event === 'DataStatusEvent') return event.dataId
  if (event.event === 'ErrorEvent') return event.callId ?? event.streamId ?? event.sessionId ?? ''
  if (event.event === 'ContactChanged') return event.contact.id
  if (event.event === 'OnStreamEvent') return event.streamId
  if ('callId' in event && event.callId !== undefined) return event.callId
  if ('roomId' in event) return event.roomId
  if (event.event === 'RoomChanged') return event.room.roomId
  if ('sessionId' in event) return event.sessionId
  if (event.event === 'SessionChanged') return event.session.sessionId
  if (event.event === 'CallChanged') return event.call.callId
  if (event.event === 'HistoryAdded') return event.entry.callId
  return ''
}

function infoOf(event: Envelope): string {
  if (event.event === 'OnCallEvent') return [`${event.caller} → ${event.callee}`, event.info].filter(Boolean).join(' · ')
  if (event.event === 'OnTransferEvent') return `${event.referredBy} → ${event.target}`
  if (event.event === 'OnDataEvent') return `${event.from} → ${event.to} · ${event.body.length} characters of ${event.contentType}`
  if (event.event === 'TransferStatusEvent') return `${event.target} · ${event.info}`
  if ('info' in event) return event.info
  if (event.event === 'GatewayChanged') return event.gateway.info
  if (event.event === 'CallChanged') return event.call.info
  return ''
}
