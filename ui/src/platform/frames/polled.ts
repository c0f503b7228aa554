import type { FrameWire } from './way'

/** What a host offers that has no socket: the same requests, and what comes next for each question. */
export type Polled = {
  open(): Promise<void>
  ask(request: string): Promise<void>
  /** Empty where nothing came for long. */
  next(): Promise<ArrayBuffer>
  close(): Promise<void>
}

/** Looks like a socket. One question is always under way; credits and the newest picture are as there. */
export class PolledFrames implements FrameWire {
  readyState: number = CONNECTING
  binaryType: BinaryType = 'arraybuffer'
  onopen: FrameWire['onopen'] = null
  onmessage: FrameWire['onmessage'] = null
  onclose: FrameWire['onclose'] = null
  /** Requests go one after the other: some depend on those before. */
  private asked: Promise<unknown> = Promise.resolve()

  constructor(private readonly host: Polled) {
    void this.run()
  }

  send(request: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (this.readyState !== OPEN || typeof request !== 'string') return
    this.asked = this.asked.then(() => this.host.ask(request)).catch(() => this.end())
  }

  close(): void {
    if (this.readyState >= CLOSING) return
    this.readyState = CLOSING
    void this.asked.then(() => this.host.close()).catch(() => undefined)
    this.end()
  }

  private async run(): Promise<void> {
    try {
      await this.host.open()
      if (this.readyState !== CONNECTING) return
      this.readyState = OPEN
      this.onopen?.call(this as unknown as WebSocket, new Event('open'))
      while (this.isOpen()) this.take(await this.host.next())
    } catch {
      this.end()
    }
  }

  private isOpen(): boolean {
    return this.readyState === OPEN
  }

  /** A picture's fifth byte is less than 32, as no character of a text is. */
  private take(content: ArrayBuffer): void {
    if (!this.isOpen() || content.byteLength <= KIND) return
    const isPicture = new Uint8Array(content)[KIND]! < 32
    const data = isPicture ? content : new TextDecoder().decode(content)
    this.onmessage?.call(this as unknown as WebSocket, new MessageEvent('message', { data }))
  }

  private end(): void {
    if (this.readyState === CLOSED) return
    this.readyState = CLOSED
    this.onclose?.call(this as unknown as WebSocket, new Event('close') as CloseEvent)
  }
}

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3]
const KIND = 4
