import { vi } from 'vitest'
import type { Socket } from '../src/guest/wcs/session'

type Sent = { message: string; data: [Record<string, unknown>] }

/** A server that says what a test tells it to, and writes down what it hears. */
export class FakeServer implements Socket {
  readyState = 0
  readonly heard: Sent[] = []
  closed = false
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null

  send(line: string): void {
    this.heard.push(JSON.parse(line) as Sent)
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.readyState = 3
    this.onclose?.(new Event('close') as CloseEvent)
  }

  opens(): void {
    this.readyState = 1
    this.onopen?.(new Event('open'))
  }

  says(message: string, ...data: unknown[]): void {
    this.onmessage?.({ data: JSON.stringify({ message, data }) } as MessageEvent)
  }

  /** News of a room. */
  tells(roomName: string, name: string, info: unknown): void {
    this.says('OnDataEvent', { operationId: 'x', payload: { roomName, name, info } })
  }

  of(message: string): Record<string, unknown>[] {
    return this.heard.filter((sent) => sent.message === message).map(({ data }) => data[0])
  }

  /** Commands of rooms, without what says which room it is. */
  get commands(): unknown[] {
    return this.of('sendData').map(({ payload }) => payload)
  }

  /** Answers what was asked last. */
  answers(refused: string | null): void {
    const { operationId } = this.of('sendData').at(-1) ?? {}
    this.says('DataStatusEvent', { operationId, status: refused === null ? 'ACCEPTED' : 'FAILED', info: refused ?? '' })
  }
}

export class FakeTrack extends EventTarget {
  enabled = true
  stopped = false
  constructor(readonly kind: 'audio' | 'video') {
    super()
  }

  stop(): void {
    this.stopped = true
  }
}

export class FakeStream {
  constructor(private readonly tracks: FakeTrack[] = []) {}
  getTracks = (): FakeTrack[] => this.tracks
  getAudioTracks = (): FakeTrack[] => this.tracks.filter(({ kind }) => kind === 'audio')
  getVideoTracks = (): FakeTrack[] => this.tracks.filter(({ kind }) => kind === 'video')
  addTrack = (track: FakeTrack): void => void this.tracks.push(track)
}

export class FakePeer {
  static all: FakePeer[] = []
  ontrack: ((event: { track: FakeTrack }) => void) | null = null
  onconnectionstatechange: (() => void) | null = null
  connectionState = 'new'
  closed = false
  readonly transceivers: string[] = []
  remote = ''

  constructor() {
    FakePeer.all.push(this)
  }

  addTransceiver(what: string | FakeTrack, { direction }: { direction: string }): void {
    this.transceivers.push(`${typeof what === 'string' ? what : what.kind} ${direction}`)
  }

  createOffer = async (): Promise<{ sdp: string }> => ({ sdp: `offer of ${this.transceivers.join(', ')}` })
  setLocalDescription = async (): Promise<void> => {}
  setRemoteDescription = async ({ sdp }: { sdp: string }): Promise<void> => void (this.remote = sdp)
  getReceivers = (): unknown[] => []
  close = (): void => void (this.closed = true)
}

/** What a browser has and the tests' page has not. */
export function giveMedia(face = new FakeStream([new FakeTrack('audio'), new FakeTrack('video')])): FakeStream {
  FakePeer.all = []
  vi.stubGlobal('RTCPeerConnection', FakePeer)
  vi.stubGlobal('MediaStream', FakeStream)
  Object.defineProperty(window, 'isSecureContext', { configurable: true, value: true })
  const devices = { getUserMedia: async () => face, getDisplayMedia: async () => new FakeStream([new FakeTrack('video')]), enumerateDevices: async () => [] }
  Object.defineProperty(navigator, 'mediaDevices', { configurable: true, value: devices })
  HTMLMediaElement.prototype.play = async () => {}
  return face
}
