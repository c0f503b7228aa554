import { newId } from './id'
import { readMessage, writeMessage, type ServerMessage } from './messages'

export type SessionListener = {
  onEstablished: (connection: Record<string, unknown>) => void
  onMessage: (message: ServerMessage) => void
  /** Once. `established`: it stood before; `info`: in the server's words, where it gave some. */
  onEnd: (established: boolean, info: string) => void
}

/** The least of a socket that is used here. */
export type Socket = Pick<WebSocket, 'send' | 'close' | 'readyState'> & {
  onopen: ((event: Event) => void) | null
  onmessage: ((event: MessageEvent) => void) | null
  onclose: ((event: CloseEvent) => void) | null
}

/** The server pings every 5 s: it is gone when it has said nothing for so long. */
const SILENCE_MS = 20_000
const OPEN = 1

/** One connection to a Web Call Server. */
export class Session {
  private established = false
  private ended = false
  private info = ''
  private watch: ReturnType<typeof setTimeout> | undefined
  private readonly waiting = new Map<string, (refused: string | null) => void>()

  constructor(
    private readonly socket: Socket,
    custom: Record<string, unknown>,
    private readonly listener: SessionListener,
  ) {
    socket.onopen = () => this.send('connection', { ...CLIENT, clientOSVersion: navigator.appVersion, clientBrowserVersion: navigator.userAgent, custom })
    socket.onmessage = ({ data }) => typeof data === 'string' && this.take(data)
    socket.onclose = () => this.end()
    this.heard()
  }

  send(message: string, data: unknown = null): void {
    if (this.socket.readyState === OPEN) this.socket.send(writeMessage(message, data))
  }

  /** `null` when it was accepted, else why not. */
  sendData(payload: Record<string, unknown>): Promise<string | null> {
    if (this.ended || this.socket.readyState !== OPEN) return Promise.resolve(LOST)
    const operationId = newId()
    return new Promise((resolve) => {
      this.waiting.set(operationId, resolve)
      this.send('sendData', { operationId, payload })
    })
  }

  close(): void {
    this.socket.close()
    this.end()
  }

  private take(line: string): void {
    this.heard()
    const message = readMessage(line)
    if (!message) return
    if (message.message === 'ping') return this.send('pong')
    if (message.message === 'getUserData' && !this.established) {
      this.established = true
      return this.listener.onEstablished(message.connection)
    }
    if (message.message === 'fail' && !this.established) this.info = message.info
    if (message.message === 'DataStatusEvent') {
      this.waiting.get(message.operationId)?.(message.accepted ? null : message.info || REFUSED)
      this.waiting.delete(message.operationId)
      return
    }
    this.listener.onMessage(message)
  }

  private heard(): void {
    clearTimeout(this.watch)
    this.watch = setTimeout(() => this.close(), SILENCE_MS)
  }

  private end(): void {
    if (this.ended) return
    this.ended = true
    clearTimeout(this.watch)
    for (const resolve of this.waiting.values()) resolve(LOST)
    this.waiting.clear()
    this.listener.onEnd(this.established, this.info)
  }
}

const CLIENT = { appKey: 'roomApp', mediaProviders: ['WebRTC'], clientVersion: '2.0' }
const LOST = 'The connection was lost'
const REFUSED = 'It was refused'
