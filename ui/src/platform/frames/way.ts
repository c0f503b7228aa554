import { toFailure } from '../types'
import { PolledFrames, type Polled } from './polled'

/** What the pictures' socket is used for of a `WebSocket`. */
export type FrameWire = Pick<WebSocket, 'readyState' | 'binaryType' | 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'>

/**
 * The app's two ways to pictures: a socket to this machine, and, where the webview lets none through, its own protocol. It is tried at
 * the start, and again whenever a socket is opened.
 */
export class FrameWay {
  private blocked = false
  private probed: Promise<void> | undefined

  constructor(
    private readonly ticket: () => Promise<string>,
    private readonly polled: Polled,
    private readonly socket: (url: string) => WebSocket = (url) => new WebSocket(url),
  ) {}

  /** Whether a socket can be opened. */
  probe(): Promise<void> {
    return (this.probed ??= this.tryOnce())
  }

  /** Where to open next. */
  async place(): Promise<string> {
    await this.probe()
    return this.blocked ? POLLED : this.address()
  }

  open(url: string): FrameWire {
    return url === POLLED ? new PolledFrames(this.polled) : this.watched(url)
  }

  /** A machine that gives the engine no port has no socket either. */
  private async address(): Promise<string> {
    try {
      return await this.ticket()
    } catch (reason) {
      if (toFailure(reason).code !== 'network') throw reason
      this.blocked = true
      return POLLED
    }
  }

  private async tryOnce(): Promise<void> {
    let url: string
    try {
      url = await this.address()
    } catch {
      // There is no engine yet.
      this.probed = undefined
      return
    }
    if (url === POLLED) return
    await new Promise<void>((resolve) => {
      try {
        const socket = this.watched(url)
        socket.addEventListener('open', () => socket.close())
        socket.addEventListener('close', () => resolve())
      } catch {
        resolve()
      }
    })
  }

  /** One that closes before it opens, or takes too long for that, is the last. */
  private watched(url: string): WebSocket {
    let reached = false
    const socket = this.made(url)
    const timer = setTimeout(() => socket.close(), PATIENCE_MS)
    socket.addEventListener('open', () => {
      reached = true
      clearTimeout(timer)
    })
    socket.addEventListener('close', () => {
      clearTimeout(timer)
      if (!reached) this.blocked = true
    })
    return socket
  }

  /** Where the page may open none, that is said at once. */
  private made(url: string): WebSocket {
    try {
      return this.socket(url)
    } catch (reason) {
      this.blocked = true
      throw reason
    }
  }
}

const POLLED = 'polled:'
const PATIENCE_MS = 4000
