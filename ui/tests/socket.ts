import type { Envelope, Snapshot } from '../src/api/types'
import * as data from '../src/platform/fake/data'
import type { Listener, LinkState } from '../src/platform/types'

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  static all: FakeSocket[] = []
  static get last(): FakeSocket {
    const last = FakeSocket.all.at(-1)
    if (!last) throw new Error('no socket was opened')
    return last
  }

  readyState = 0
  sent: { id: number; command: { command: string } }[] = []
  onmessage: ((message: { data: unknown }) => void) | null = null
  onclose: (() => void) | null = null

  constructor(readonly url: string) {
    FakeSocket.all.push(this)
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    this.readyState = 3
    this.onclose?.()
  }

  /** The server accepts and sends its first frame. */
  accept(seq = 10): void {
    this.readyState = 1
    this.receive({ snapshot: snapshot(seq) })
  }

  receive(frame: unknown): void {
    this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) })
  }
}

export const snapshot = (seq: number): Snapshot => ({ ...data.snapshot(0), seq })

export const cleared = (seq: number): Envelope => ({ seq, time: 0, event: 'HistoryCleared' })

/** Writes down what an engine tells. */
export class Witness implements Listener {
  readonly told: (string | number)[] = []
  readonly links: LinkState[] = []
  onSnapshot = (state: Snapshot): void => void this.told.push(`snapshot ${state.seq}`)
  onEvent = (event: Envelope): void => void this.told.push(event.seq)
  readonly reasons: string[] = []
  onLink = (state: LinkState, reason?: string): void => {
    this.links.push(state)
    if (reason !== undefined) this.reasons.push(reason)
  }
}
