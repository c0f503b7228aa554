import type { StreamSources } from '../../api/types'
import type { FrameListener, FrameSubscription, Room, Shown } from '../types'
import { Leaving } from './leaving'
import { readPicture } from './picture'
import { readTold, type Told } from './told'

type Channel = { shown: Shown; room: Room; listener: FrameListener }
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
  private readonly leaving = new Leaving(() => this.leaveIfIdle())

  constructor(
    private readonly place: () => Promise<string>,
    private readonly open: Open = (url) => new WebSocket(url),
  ) {}

  subscribe(shown: Shown, room: Room, listener: FrameListener): FrameSubscription {
    const channel = this.nextChannel++
    const entry = { shown, room, listener }
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
      change: (sources) => this.change(channel, entry, sources),
      close: () => this.close(channel),
    }
  }

  /** Resolves when what was open for sources is closed. */
  released(): Promise<void> {
    return this.leaving.done()
  }

  private change(channel: number, entry: Channel, sources: StreamSources): void {
    if ('streamId' in entry.shown || entry.shown.sources === sources) return
    entry.shown = { sources }
    if (this.channels.has(channel)) this.send({ ask: 'sources', channel, sources })
  }

  private close(channel: number): void {
    const entry = this.channels.get(channel)
    if (!entry) return
    this.channels.delete(channel)
    if ('sources' in entry.shown && this.isOpen()) this.leaving.add(channel)
    this.send({ ask: 'close', channel })
    this.leaveIfIdle()
  }

  private isOpen(): boolean {
    return this.socket?.readyState === OPEN
  }

  private ask(channel: number, { shown, room }: Channel): void {
    const what = 'streamId' in shown ? { ask: 'open', channel, stream: shown.streamId } : { ask: 'preview', channel, sources: shown.sources }
    this.send({ ...what, ...room, credits: CREDITS })
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
      this.leaveIfIdle()
      for (const [channel, entry] of this.channels) this.ask(channel, entry)
    }
    socket.onmessage = ({ data }: MessageEvent<unknown>) => (typeof data === 'string' ? this.hear(readTold(data)) : this.show(data))
    socket.onclose = () => {
      if (this.socket !== socket) return
      this.socket = null
      this.leaving.clear()
      if (this.channels.size > 0) this.retry()
    }
  }

  private retry(): void {
    this.timer = setTimeout(() => void this.connect(), Math.min(5000, 250 * 2 ** this.attempts++))
  }

  private leaveIfIdle(): void {
    if (this.channels.size > 0 || !this.leaving.isEmpty) return
    clearTimeout(this.timer)
    const socket = this.socket
    this.socket = null
    socket?.close()
  }

  private show(data: unknown): void {
    const read = data instanceof ArrayBuffer ? readPicture(data) : null
    if (read) this.channels.get(read.channel)?.listener.onPicture(read.picture)
  }

  private hear(told: Told | null): void {
    if (!told) return
    const listener = this.channels.get(told.channel)?.listener
    if (told.kind === 'levels') return listener?.onLevels?.(told.levels)
    if (told.kind === 'problem') return listener?.onProblem?.(told.problem)
    this.leaving.delete(told.channel)
    if (!this.channels.delete(told.channel)) return
    listener?.onEnd(told.reason)
    this.leaveIfIdle()
  }
}

const OPEN = 1
/** One picture is drawn while the next is on its way. */
const CREDITS = 2
