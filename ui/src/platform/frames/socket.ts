import type { StreamSources } from '../../api/types'
import type { FrameListener, FrameSubscription, Room, Shown } from '../types'
import { decodable, PageDecoder } from './decoder'
import { Leaving } from './leaving'
import { readPicture, type Codec } from './picture'
import { readTold, type Told } from './told'
import type { FrameWire } from './way'

type Channel = {
  /** By which the server knows it. */
  number: number
  shown: Shown
  room: Room
  listener: FrameListener
  decoder?: PageDecoder
  /** The page cannot decode this stream by itself. */
  decoded?: true
}
type Open = (url: string) => FrameWire

/**
 * All pictures that this page shows, over one WebSocket: it is opened with the first subscription and closed after the last. A
 * picture comes only for a credit, and a credit is given back when the picture has been drawn, so a slow page sees fewer
 * pictures and never old ones.
 */
export class FrameSocket {
  private socket: FrameWire | null = null
  private opening = false
  private attempts = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private nextChannel = 1
  private readonly channels = new Map<number, Channel>()
  private readonly leaving = new Leaving(() => this.leaveIfIdle())
  private codecs: Promise<readonly Codec[]> | undefined

  constructor(
    private readonly place: () => Promise<string>,
    private readonly open: Open = (url) => new WebSocket(url),
    private readonly probe: () => Promise<readonly Codec[]> = decodable,
  ) {}

  subscribe(shown: Shown, room: Room, listener: FrameListener): FrameSubscription {
    const entry: Channel = { number: this.nextChannel++, shown, room, listener }
    this.channels.set(entry.number, entry)
    if (this.isOpen()) this.ask(entry)
    else void this.connect()
    return {
      resize: (wanted) => {
        if (entry.room.width === wanted.width && entry.room.height === wanted.height) return
        entry.room = wanted
        this.tell(entry, { ask: 'size', ...wanted })
      },
      drawn: (pictures = 1) => this.tell(entry, { ask: 'credit', credits: pictures }),
      change: (sources) => this.change(entry, sources),
      close: () => this.close(entry),
    }
  }

  /** Resolves when what was open for sources is closed. */
  released(): Promise<void> {
    return this.leaving.done()
  }

  private change(entry: Channel, sources: StreamSources): void {
    if ('streamId' in entry.shown || entry.shown.sources === sources) return
    entry.shown = { sources }
    this.tell(entry, { ask: 'sources', sources })
  }

  private close(entry: Channel): void {
    entry.decoder?.close()
    if (!this.channels.delete(entry.number)) return
    if ('sources' in entry.shown && this.isOpen()) this.leaving.add(entry.number)
    this.send({ ask: 'close', channel: entry.number })
    this.leaveIfIdle()
  }

  private isOpen(): boolean {
    return this.socket?.readyState === OPEN
  }

  private ask({ number: channel, shown, room, decoded }: Channel): void {
    const what = 'streamId' in shown ? { ask: 'open', channel, stream: shown.streamId } : { ask: 'preview', channel, sources: shown.sources }
    this.send({ ...what, ...room, credits: CREDITS, ...(decoded && { decoded }) })
  }

  /** Of a channel that is open. */
  private tell(entry: Channel, { ask, ...more }: { ask: string } & Record<string, unknown>): void {
    if (this.channels.get(entry.number) === entry) this.send({ ask, channel: entry.number, ...more })
  }

  private send(request: object): void {
    if (this.isOpen()) this.socket?.send(JSON.stringify(request))
  }

  private async connect(): Promise<void> {
    if (this.socket || this.opening) return
    clearTimeout(this.timer)
    this.opening = true
    try {
      const codecs = await (this.codecs ??= this.probe())
      this.listen(this.open(await this.place()), codecs)
    } catch {
      this.retry()
    } finally {
      this.opening = false
    }
  }

  private listen(socket: FrameWire, codecs: readonly Codec[]): void {
    this.socket = socket
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      this.attempts = 0
      this.leaveIfIdle()
      if (codecs.length > 0) this.send({ ask: 'decoders', codecs })
      for (const entry of this.channels.values()) this.ask(entry)
    }
    socket.onmessage = ({ data }: MessageEvent<unknown>) => (typeof data === 'string' ? this.hear(readTold(data)) : this.show(data))
    socket.onclose = () => {
      if (this.socket !== socket) return
      this.socket = null
      this.leaving.clear()
      for (const entry of this.channels.values()) this.forgetDecoder(entry)
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
    const entry = read && this.channels.get(read.channel)
    if (!entry) return
    if ('picture' in read) return entry.listener.onPicture(read.picture)
    entry.decoder ??= this.decoder(entry)
    entry.decoder.take(read.encoded)
  }

  private decoder(entry: Channel): PageDecoder {
    // A decoder may keep some of them for a while.
    this.tell(entry, { ask: 'credit', credits: INSIDE })
    return new PageDecoder({
      onPicture: (picture) => entry.listener.onPicture(picture),
      onSkipped: (pictures) => this.tell(entry, { ask: 'credit', credits: pictures }),
      onLost: () => this.tell(entry, { ask: 'key' }),
      onFailed: (reason) => this.fallBack(entry, reason),
    })
  }

  /** From now on the engine decodes this stream. */
  private fallBack(entry: Channel, reason: string): void {
    console.warn(`this page does not decode the stream: ${reason}`)
    this.forgetDecoder(entry)
    if (this.channels.get(entry.number) !== entry) return
    this.channels.delete(entry.number)
    this.send({ ask: 'close', channel: entry.number })
    entry.number = this.nextChannel++
    entry.decoded = true
    this.channels.set(entry.number, entry)
    this.ask(entry)
  }

  private forgetDecoder(entry: Channel): void {
    entry.decoder?.close()
    delete entry.decoder
  }

  private hear(told: Told | null): void {
    if (!told) return
    const entry = this.channels.get(told.channel)
    const listener = entry?.listener
    if (told.kind === 'levels') return listener?.onLevels?.(told.levels)
    if (told.kind === 'problem') return listener?.onProblem?.(told.problem)
    this.leaving.delete(told.channel)
    if (!entry || !this.channels.delete(told.channel)) return
    entry.decoder?.close()
    listener?.onEnd(told.reason)
    this.leaveIfIdle()
  }
}

const OPEN = 1
/** One picture is drawn while the next is on its way. */
const CREDITS = 2
const INSIDE = 2
