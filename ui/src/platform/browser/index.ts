import type { Command, Failure, Reply } from '../../api/types'
import { t } from '../../locales'
import { FrameSocket } from '../frames/socket'
import { popOutHash } from '../popout'
import { Sequence } from '../sequence'
import { failure, isSnapshot, type FrameListener, type FrameSubscription, type Listener, type Platform, type Room, type Shown } from '../types'
import { readFrame, type Request } from './frame'
import { framesUrl, socketUrl, takeToken } from './token'

type Pending = {
  resolve: (reply: Reply) => void
  reject: (failure: Failure) => void
  timer: ReturnType<typeof setTimeout>
}

type SocketFactory = (url: string) => WebSocket

/** An engine behind the gateway that served this page, over one WebSocket. */
export class BrowserPlatform implements Platform {
  readonly host = 'browser'
  private token = takeToken(window.location, window.history)
  private readonly pictures: FrameSocket
  private socket: WebSocket | null = null
  private listener: Listener | null = null
  private sequence: Sequence | null = null
  private readonly pending = new Map<number, Pending>()
  private nextId = 1
  private attempts = 0
  private everAttached = false
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly open: SocketFactory = (url) => new WebSocket(url)) {
    this.pictures = new FrameSocket(async () => framesUrl(window.location), open)
  }

  command(command: Command): Promise<Reply> {
    const socket = this.socket
    if (!socket || socket.readyState !== OPEN) return Promise.reject(unreachable())
    const request: Request = { id: this.nextId++, command }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.settle(request.id)?.reject(unreachable()), ANSWER_MS)
      this.pending.set(request.id, { resolve, reject, timer })
      socket.send(JSON.stringify(request))
    })
  }

  attach(listener: Listener): () => void {
    this.listener = listener
    this.connect()
    return () => {
      this.listener = null
      clearTimeout(this.timer)
      this.socket?.close()
    }
  }

  frames(shown: Shown, room: Room, listener: FrameListener): FrameSubscription {
    return this.pictures.subscribe(shown, room, listener)
  }

  released(): Promise<void> {
    return this.pictures.released()
  }

  /** For browsers without pictures in pictures. */
  async popOut(streamId: string): Promise<void> {
    const place = `${window.location.pathname}${popOutHash(streamId)}`
    if (!window.open(place, `sidetone-${streamId}`, 'popup,width=640,height=400')) throw failure('wrongState', t('stream.out.blocked'))
  }

  async closePopOut(): Promise<void> {
    window.close()
  }

  retry(): void {
    if (this.socket || !this.listener) return
    this.attempts = 0
    this.connect()
  }

  private connect(): void {
    const listener = this.listener
    if (!listener) return
    clearTimeout(this.timer)
    listener.onLink(this.attempts === 0 ? 'connecting' : this.lossState())
    this.sequence = new Sequence(listener, () => this.fetchSnapshot())
    const socket = this.open(socketUrl(window.location, this.token))
    this.socket = socket
    socket.onmessage = (message: MessageEvent<unknown>) => this.receive(message.data)
    socket.onclose = () => this.lose(socket)
  }

  private receive(text: unknown): void {
    const frame = readFrame(text)
    if (!frame) return
    if ('id' in frame) {
      const pending = this.settle(frame.id)
      if ('reply' in frame) pending?.resolve(frame.reply)
      else pending?.reject(frame.failure)
      return
    }
    if (isSnapshot(frame)) this.reached()
    this.sequence?.take(frame)
  }

  private reached(): void {
    this.attempts = 0
    this.everAttached = true
    this.token = null
    this.listener?.onLink('attached')
  }

  private fetchSnapshot(): void {
    const socket = this.socket
    const sequence = this.sequence
    this.command({ command: 'getSnapshot' }).then(
      (reply) => reply.reply === 'snapshot' && sequence?.take({ snapshot: reply.snapshot }),
      () => socket?.close(),
    )
  }

  private lose(socket: WebSocket): void {
    if (socket !== this.socket) return
    this.socket = null
    for (const id of [...this.pending.keys()]) this.settle(id)?.reject(unreachable())
    this.attempts++
    this.listener?.onLink(this.lossState())
    if (this.listener) this.timer = setTimeout(() => this.connect(), backOff(this.attempts))
  }

  private lossState(): 'offline' | 'refused' {
    return this.everAttached ? 'offline' : 'refused'
  }

  private settle(id: number): Pending | undefined {
    const pending = this.pending.get(id)
    this.pending.delete(id)
    clearTimeout(pending?.timer)
    return pending
  }
}

/** 0.5 s, doubling up to 8 s. */
export const backOff = (attempt: number): number => Math.min(8000, 500 * 2 ** Math.min(attempt - 1, 8))

const unreachable = (): Failure => failure('network', t('link.unreachable'))

const OPEN = 1
const ANSWER_MS = 10_000
