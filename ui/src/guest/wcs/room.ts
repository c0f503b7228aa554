import type { ParticipantId, RoomAsk, RoomView } from '../../api/types'
import type { Session } from './session'

/** What a room tells of itself. */
export type RoomNews =
  | { name: 'ROOM'; room: RoomView }
  | { name: 'LOBBY' }
  | { name: 'REMOVED'; info: string }
  | { name: 'MESSAGE'; from: string; text: string; secret: boolean }
  | { name: 'REACTION'; from: string; reaction: string }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** `null` for what the whole view says already, and for what is about another room. */
export function readNews(payload: Record<string, unknown>, room: string): RoomNews | null {
  if (payload['roomName'] !== room) return null
  const { info } = payload
  const told = isObject(info) ? info : {}
  switch (payload['name']) {
    case 'ROOM':
      return Array.isArray(told['participants']) ? { name: 'ROOM', room: info as RoomView } : null
    case 'LOBBY':
      return { name: 'LOBBY' }
    case 'REMOVED':
      return { name: 'REMOVED', info: text(info) }
    case 'MESSAGE':
      return { name: 'MESSAGE', from: text(told['from']), text: text(told['text']), secret: told['private'] === true }
    case 'REACTION':
      return { name: 'REACTION', from: text(told['from']), reaction: text(told['reaction']) }
    default:
      return null
  }
}

/** The commands of a room; each gives why it was refused, or `null`. */
export const roomCommands = (session: Session, name: string) => ({
  /** Answered when we are in, which may take until a host has opened. */
  join: (options: { password?: string; invite?: string }): Promise<string | null> => session.sendData({ command: 'join', options: { name, view: true, ...options } }),
  leave: (): Promise<string | null> => session.sendData({ command: 'leave', options: { name } }),
  ask: (room: RoomAsk): Promise<string | null> => session.sendData({ command: 'ask', options: { name, room } }),
  say: (words: string, to: ParticipantId | null): Promise<string | null> =>
    session.sendData({ command: 'ask', options: { name, room: { ask: 'sendMessage', text: words, ...(to === null ? {} : { to }) } } }),
})
