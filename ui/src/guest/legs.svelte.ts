import type { RoomView } from '../api/types'
import { Leg } from './wcs/leg'
import type { ServerMessage } from './wcs/messages'
import type { Session } from './wcs/session'

/** Between two attempts to play what somebody sends. */
const AGAIN_MS = 2000

/** All that is received of a room, and what is sent to it. */
export class Legs {
  /** By the stream's name. */
  media = $state.raw<ReadonlyMap<string, MediaStream>>(new Map())
  private readonly played = new Map<string, Leg>()
  private readonly sent = new Map<string, Leg>()
  private readonly later = new Map<string, ReturnType<typeof setTimeout>>()
  private wanted: ReadonlySet<string> = new Set()

  constructor(
    private readonly session: Session,
    private readonly room: string,
    private readonly iceServers: RTCIceServer[],
  ) {}

  /** Everything that others send is played, and nothing else. */
  follow({ participants, own }: RoomView): void {
    const streams = participants.filter(({ participantId }) => participantId !== own).flatMap(({ streams }) => streams)
    this.wanted = new Set(streams.map(({ name }) => name))
    for (const [name, leg] of this.played) if (!this.wanted.has(name)) this.forget(name, leg)
    for (const name of this.wanted) if (!this.played.has(name) && !this.later.has(name)) this.play(name)
  }

  take(message: ServerMessage): void {
    if (message.message === 'setRemoteSDP') void this.find(message.id)?.answer(message.sdp)
    if (message.message === 'notifyStreamStatusEvent') this.find(message.id)?.status(message.status, message.info)
    if (message.message === 'notifyStreamEvent') this.find(message.id)?.event(message.type)
    if (message.message === 'fail' && message.id) this.find(message.id)?.status('FAILED', message.info)
  }

  publish(name: string, stream: MediaStream, onmuted: () => void, onend: (info: string) => void): Leg {
    const leg = Leg.publish(this.session, name, this.room, stream, { onLive: () => {}, onMuted: onmuted, onEnd: (info) => (this.sent.delete(name), onend(info)) }, this.iceServers)
    this.sent.set(name, leg)
    return leg
  }

  unpublish(leg: Leg): void {
    this.sent.delete(leg.name)
    leg.stop()
  }

  loudness(name: string): number {
    return this.played.get(name)?.loudness() ?? 0
  }

  end(): void {
    for (const timer of this.later.values()) clearTimeout(timer)
    this.later.clear()
    for (const leg of [...this.played.values(), ...this.sent.values()]) leg.stop()
    this.played.clear()
    this.sent.clear()
    this.media = new Map()
  }

  private play(name: string): void {
    const leg = Leg.play(
      this.session,
      name,
      this.room,
      {
        onMedia: (stream) => (this.media = new Map(this.media).set(name, stream)),
        onLive: () => {},
        onEnd: () => this.again(name, leg),
      },
      this.iceServers,
    )
    this.played.set(name, leg)
  }

  /** It may have been too early, or the network fails: while somebody sends, it is tried again. */
  private again(name: string, leg: Leg): void {
    if (this.played.get(name) !== leg) return
    this.forget(name, leg)
    const timer = setTimeout(() => {
      this.later.delete(name)
      if (this.wanted.has(name) && !this.played.has(name)) this.play(name)
    }, AGAIN_MS)
    this.later.set(name, timer)
  }

  private forget(name: string, leg: Leg): void {
    this.played.delete(name)
    leg.stop()
    const media = new Map(this.media)
    media.delete(name)
    this.media = media
  }

  private find(id: string): Leg | undefined {
    return [...this.played.values(), ...this.sent.values()].find((leg) => leg.id === id)
  }
}
