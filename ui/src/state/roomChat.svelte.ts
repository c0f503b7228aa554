import type { Envelope, Failure, ParticipantId, RoomId } from '../api/types'
import type { Rooms } from './rooms.svelte'

export type RoomLine = {
  key: number
  time: number
  /** `null`: ourselves. */
  from: ParticipantId | null
  login: string
  /** Whom alone it is for, by name; `null`: all. */
  to: string | null
  text: string
  /** Why it did not go out; empty where it did. */
  failed: string
  toId: ParticipantId | null
}

/** What was written in a meeting that we are in. */
export class RoomChat {
  lines = $state.raw<readonly RoomLine[]>([])
  unread = $state(0)
  /** `null`: all. */
  to = $state<ParticipantId | null>(null)
  text = $state('')
  private open = false
  private keys = 0

  constructor(
    private readonly rooms: Rooms,
    private readonly roomId: RoomId,
  ) {}

  take(event: Extract<Envelope, { event: 'RoomMessage' }>): void {
    const room = this.rooms.all.find(({ roomId }) => roomId === this.roomId)
    // Our own were shown when they were sent.
    if (!room || event.from === room.own) return
    const to = event.to === undefined ? null : this.rooms.nameOf(event.to, room)
    this.add({ time: event.time, from: event.from, login: event.login, to, toId: event.to ?? null, text: event.text, failed: '' })
    if (!this.open) this.unread++
  }

  /** Whether it is looked at. */
  look(open: boolean): void {
    this.open = open
    if (open) this.unread = 0
  }

  async send(text: string, to: ParticipantId | null): Promise<void> {
    const login = this.rooms.own?.login ?? ''
    const key = this.add({ time: Date.now(), from: null, login, to: to === null ? null : this.rooms.nameOf(to), toId: to, text, failed: '' })
    const failure: Failure | null = await this.rooms.tell({ ask: 'sendMessage', text, ...(to === null ? {} : { to }) })
    if (failure) this.lines = this.lines.map((line) => (line.key === key ? { ...line, failed: failure.message } : line))
  }

  again(line: RoomLine): void {
    this.lines = this.lines.filter((other) => other.key !== line.key)
    void this.send(line.text, line.toId)
  }

  private add(line: Omit<RoomLine, 'key'>): number {
    const key = ++this.keys
    this.lines = [...this.lines.slice(1 - MOST_LINES), { ...line, key }]
    return key
  }
}

const MOST_LINES = 1000
