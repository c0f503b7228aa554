import type { FrameListener, FrameSubscription, Room } from '../types'
import { readPicture } from './picture'

type Channel = { streamId: string; room: Room; listener: FrameListener }
type Open = (url: string) => WebSocket

/**
 * All pictures that this page shows, over one WebSocket: it is opened with the first subscription and closed after the last. A
 * picture comes only for a credit, and a credit is given back when the picture has been drawn, so a slow page sees fewer
 * pictures and never old ones.
 */
export class FrameSocket {
  private socket: WebSocket | null = null
  private opening = false
  private attempts = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private nextChannel = 1
  private readonly channels = new Map<number, Channel>()

  constructor(
    private readonly place: () => Promise<string>,
    private readonly open: Open = (url) => new WebSocket(url),
  ) {}

  subscribe(streamId: string, room: Room, listener: FrameListener): FrameSubscription {
    const channel = this.nextChannel++
    const entry = { streamId, room, listener }
    this.channels.set(channel, entry)
    if (this.isOpen()) this.ask(channel, entry)
    else void this.connect()
    return {
      resize: (wanted) => {
        if (entry.room.width === wanted.width && entry.room.height === wanted.height) return
        entry.room = wanted
        if (this.channels.has(channel)) this.send({ ask: 'size', channel, ...wanted })
      },
      drawn: () => {
        if (this.channels.has(channel)) this.send({ ask: 'credit', channel, credits: 1 })
      },
      close: () => {
        if (this.channels.delete(channel)) this.send({ ask: 'close', channel })
        if (this.channels.size === 0) this.leave()
      },
    }
  }

  private isOpen(): boolean {
    return this.socket?.readyState === OPEN
  }

  private ask(channel: number, { streamId, room }: Channel): void {
    this.send({ ask: 'open', channel, stream: streamId, ...room, credits: CREDITS })
  }

  private send(request: object): void {
    if (this.isOpen()) this.socket?.send(JSON.stringify(request))
  }

  private async connect(): Promise<void> {
    if (this.socket || this.opening) return
    clearTimeout(this.timer)
    this.opening = true
    try {
      this.listen(this.open(await this.place()))
    } catch {
      this.retry()
    } finally {
      this.opening = false
    }
  }

  private listen(socket: WebSocket): void {
    this.socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      this.attempts = 0
      if (this.channels.size === 0) this.leave()
      for (const [channel, entry] of this.channels) this.ask(channel, entry)
    }
    socket.onmessage = ({ data }: MessageEvent<unknown>) => (typeof data === 'string' ? this.hear(data) : this.show(data))
    socket.onclose = () => {
      if (this.socket !== socket) return
      this.socket = null
      if (this.channels.size > 0) this.retry()
    }
  }

  private retry(): void {
    this.timer = setTimeout(() => void this.connect(), Math.min(5000, 250 * 2 ** this.attempts++))
  }

  private leave(): void {
    clearTimeout(this.timer)
    const socket = this.socket
    this.socket = null
    socket?.close()
  }

  private show(data: unknown): void {
    const read = data instanceof ArrayBuffer ? readPicture(data) : null
    if (read) this.channels.get(read.channel)?.listener.onPicture(read.picture)
  }

  private hear(text: string): void {
    const told = readTold(text)
    const entry = told && this.channels.get(told.channel)
    if (!told || !entry) return
    this.channels.delete(told.channel)
    entry.listener.onEnd(told.failure?.message ?? '')
    if (this.channels.size === 0) this.leave()
  }
}

type Told = { channel: number; failure?: { message: string } }

function readTold(text: string): Told | null {
  try {
    const told = JSON.parse(text) as Partial<Told>
    return typeof told.channel === 'number' ? (told as Told) : null
  } catch {
    return null
  }
}

const OPEN = 1
/** One picture is drawn while the next is on its way. */
const CREDITS = 2
