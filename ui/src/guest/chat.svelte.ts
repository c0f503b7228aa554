import type { ParticipantId } from '../api/types'
import type { RoomLine } from '../state/roomChat.svelte'

type Say = { nameOf: (to: ParticipantId) => string; say: (text: string, to: ParticipantId | null) => Promise<string | null> }

/** What was written while the guest is here. */
export class GuestChat {
  lines = $state.raw<readonly RoomLine[]>([])
  unread = $state(0)
  /** `null`: all. */
  to = $state<ParticipantId | null>(null)
  text = $state('')
  private open = false
  private keys = 0

  constructor(private readonly meeting: Say) {}

  take(login: string, text: string, secret: boolean): void {
    this.add({ time: Date.now(), from: login, login, to: secret ? '' : null, toId: null, text, failed: '' })
    if (!this.open) this.unread++
  }

  /** Whether it is looked at. */
  look(open: boolean): void {
    this.open = open
    if (open) this.unread = 0
  }

  async send(text: string, to: ParticipantId | null): Promise<void> {
    const name = to === null ? null : this.meeting.nameOf(to)
    const key = this.add({ time: Date.now(), from: null, login: '', to: name, toId: to, text, failed: '' })
    const failed = await this.meeting.say(text, to)
    if (failed) this.lines = this.lines.map((line) => (line.key === key ? { ...line, failed } : line))
  }

  again(line: RoomLine): void {
    this.lines = this.lines.filter((other) => other.key !== line.key)
    void this.send(line.text, line.toId)
  }

  private add(line: Omit<RoomLine, 'key'>): number {
    const key = ++this.keys
    this.lines = [...this.lines.slice(-499), { ...line, key }]
    return key
  }
}
