import type { Envelope, Snapshot } from '../api/types'
import { isSnapshot, type Listener, type Up } from './types'

/**
 * Passes on events in order. After a gap in their numbers it asks for a snapshot, keeps what arrives meanwhile,
 * and goes on from the snapshot.
 */
export class Sequence {
  private last: number | null = null
  private waiting: Envelope[] | null = null

  constructor(
    private readonly listener: Pick<Listener, 'onSnapshot' | 'onEvent'>,
    private readonly fetchSnapshot: () => void,
  ) {}

  take(up: Up): void {
    if (isSnapshot(up)) this.restart(up.snapshot)
    else this.event(up)
  }

  private event(event: Envelope): void {
    if (this.waiting) {
      this.waiting.push(event)
      if (this.waiting.length > MAX_WAITING) this.waiting.shift()
    } else if (this.last !== null && event.seq === this.last + 1) {
      this.last = event.seq
      this.listener.onEvent(event)
    } else if (this.last === null || event.seq > this.last) {
      this.waiting = [event]
      this.fetchSnapshot()
    }
  }

  private restart(snapshot: Snapshot): void {
    const kept = this.waiting ?? []
    this.waiting = null
    this.last = snapshot.seq
    this.listener.onSnapshot(snapshot)
    for (const event of kept) this.event(event)
  }
}

const MAX_WAITING = 2000
