import { newId } from './id'
import type { Session } from './session'

export type LegListener = {
  onMedia?: (stream: MediaStream) => void
  /** The host has muted it. */
  onMuted?: () => void
  /** It flows. */
  onLive: () => void
  onEnd: (info: string) => void
}

/** A stream that is sent or received: one peer connection, one offer, one answer. */
export class Leg {
  readonly id = newId()
  ended = false
  private readonly peer: RTCPeerConnection

  private constructor(
    private readonly session: Session,
    readonly name: string,
    private readonly room: string,
    private readonly sent: MediaStream | null,
    private readonly listener: LegListener,
    iceServers: RTCIceServer[],
  ) {
    this.peer = new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' })
    this.peer.onconnectionstatechange = () => this.peer.connectionState === 'failed' && this.fail('Failed by ICE timeout')
  }

  static publish(session: Session, name: string, room: string, sent: MediaStream, listener: LegListener, iceServers: RTCIceServer[] = []): Leg {
    const leg = new Leg(session, name, room, sent, listener, iceServers)
    for (const track of sent.getTracks()) leg.peer.addTransceiver(track, { direction: 'sendonly', streams: [sent] })
    void leg.offer({ hasVideo: sent.getVideoTracks().length > 0, hasAudio: sent.getAudioTracks().length > 0 })
    return leg
  }

  static play(session: Session, name: string, room: string, listener: LegListener, iceServers: RTCIceServer[] = []): Leg {
    const leg = new Leg(session, name, room, null, listener, iceServers)
    const stream = new MediaStream()
    leg.peer.ontrack = ({ track }) => {
      stream.addTrack(track)
      listener.onMedia?.(stream)
    }
    for (const kind of ['audio', 'video']) leg.peer.addTransceiver(kind, { direction: 'recvonly' })
    void leg.offer({ hasVideo: true, hasAudio: true })
    return leg
  }

  /** The server's word about this stream. */
  async answer(sdp: string): Promise<void> {
    try {
      await this.peer.setRemoteDescription({ type: 'answer', sdp })
    } catch (reason) {
      this.fail(String(reason))
    }
  }

  status(status: string, info: string): void {
    if (status === 'PUBLISHING' || status === 'PLAYING') this.listener.onLive()
    if (['UNPUBLISHED', 'STOPPED', 'FAILED'].includes(status)) this.end(info)
  }

  event(type: string): void {
    if (type === 'audioMuted' && this.sent) this.listener.onMuted?.()
  }

  /** Silence goes on to be sent: the server is told why. */
  mute(kind: 'audio' | 'video', muted: boolean): void {
    for (const track of this.sent?.getTracks() ?? []) if (track.kind === kind) track.enabled = !muted
    this.session.send('sendStreamEvent', { mediaSessionId: this.id, type: `${kind}${muted ? 'Muted' : 'Unmuted'}` })
  }

  /** How loud what comes is, 0 to 1. */
  loudness(): number {
    const receiver = this.peer.getReceivers().find(({ track }) => track.kind === 'audio')
    return receiver?.getSynchronizationSources?.()[0]?.audioLevel ?? 0
  }

  stop(): void {
    if (this.ended) return
    this.session.send(this.sent ? 'unPublishStream' : 'stopStream', this.body({ hasVideo: true, hasAudio: true, status: this.sent ? 'PUBLISHING' : 'PLAYING' }))
    this.close()
  }

  private async offer(media: { hasVideo: boolean; hasAudio: boolean }): Promise<void> {
    try {
      const { sdp } = await this.peer.createOffer()
      await this.peer.setLocalDescription({ type: 'offer', sdp: sdp ?? '' })
      if (this.ended) return
      this.session.send(this.sent ? 'publishStream' : 'playStream', this.body({ ...media, status: 'PENDING', sdp }))
    } catch (reason) {
      this.end(String(reason))
    }
  }

  private body(part: Record<string, unknown>): Record<string, unknown> {
    return { mediaSessionId: this.id, name: this.name, published: this.sent !== null, record: false, mediaProvider: 'WebRTC', custom: { name: this.room }, ...part }
  }

  private fail(info: string): void {
    if (this.ended) return
    this.stop()
    this.listener.onEnd(info)
  }

  private end(info: string): void {
    if (this.ended) return
    this.close()
    this.listener.onEnd(info)
  }

  private close(): void {
    this.ended = true
    this.peer.close()
  }
}
