import type { Command, GatewayStream, Reply, Snapshot, StreamStatistics, StreamView } from '../../api/types'
import { failure } from '../types'
import { DONE, type FakeEngine } from './engine'
import type { Scenario } from './scenarios'

export const stream = (now: number, part: Partial<StreamView> = {}): StreamView => ({
  streamId: 'st1',
  direction: 'played',
  name: 'garden',
  status: 'PLAYING',
  info: '',
  startedAt: now - 61_000,
  liveAt: now - 60_000,
  sources: null,
  video: { codec: 'H264', width: 1280, height: 720 },
  audio: { name: 'opus', sampleRate: 48000 },
  audioMuted: false,
  videoMuted: false,
  volume: 1,
  quality: { level: 'good', info: '' },
  sessionId: null,
  retryAt: null,
  recording: null,
  players: null,
  problem: null,
  statistics: figures(),
  ...part,
})

const own = (now: number, part: Partial<StreamView> = {}): StreamView =>
  stream(now, {
    streamId: 'st2',
    direction: 'published',
    name: 'studio',
    status: 'PUBLISHING',
    sources: { video: 'bars', audio: [{ source: 'default', gain: 1 }] },
    players: 3,
    statistics: figures({ availableKbit: 4200, targetKbit: 1800 }),
    ...part,
  })

const portrait = (now: number): StreamView =>
  stream(now, {
    streamId: 'st3',
    name: 'https://media.example.org/whep/hallway-camera-on-the-second-floor',
    video: { codec: 'VP8', width: 720, height: 1280 },
    audioMuted: true,
    quality: { level: 'fair', info: '3 % of the packets are lost: what is lost is sent again, which takes time' },
  })

export const figures = (part: Partial<StreamStatistics> = {}): StreamStatistics => ({
  videoKbit: 1742,
  audioKbit: 41,
  framesPerSecond: 29.8,
  availableKbit: null,
  targetKbit: null,
  packets: 10_412,
  packetsLost: 31,
  packetsRepaired: 28,
  lossPercent: 0.3,
  roundTripMs: 24,
  jitterMs: 3.1,
  bufferMs: 48,
  skewMs: 6,
  frames: 1788,
  framesDropped: 2,
  keyFrames: 7,
  freezes: 0,
  frozenMs: 0,
  keyFrameRequests: 1,
  level: { rms: -22, peak: -9 },
  ...part,
})

const NINE = ['garden', 'gate', 'hall', 'yard', 'roof', 'lobby', 'kitchen', 'a-stream-with-a-rather-long-name'] as const

const listed = (now: number): GatewayStream[] => [
  { name: 'garden', videoCodec: 'H264', audioCodec: 'opus', players: 2, own: false, since: now - 600_000 },
  { name: 'studio', videoCodec: 'H264', audioCodec: 'opus', players: 3, own: true, since: now - 61_000 },
  { name: 'talk', videoCodec: null, audioCodec: 'opus', players: 0, own: false, since: now - 5_000 },
]

/** States of streams; `null` for a name that is none of them. */
export function streamScenario(name: string, now: number, base: Snapshot): Scenario | null {
  const of = (...streams: StreamView[]): Scenario => ({
    snapshot: { ...base, streams, gateway: { ...base.gateway, streams: listed(now) } },
    link: 'attached',
  })
  switch (name) {
    case 'streams-none':
      return of()
    case 'stream':
      return of(stream(now))
    case 'streams-two':
      return of(own(now), stream(now))
    case 'streams':
      return of(own(now), stream(now), portrait(now), stream(now, { streamId: 'st4', name: 'talk', video: null, volume: 0.6 }))
    case 'streams-nine':
      return of(own(now), ...NINE.map((name, at) => stream(now, { streamId: `st${at + 10}`, name })))
    case 'streams-trouble':
      return { ...of(...troubled(now)), then: (engine) => engine.emit({ event: 'StreamChanged', stream: stream(now, { streamId: 'st9', name: 'lobby', status: 'STOPPED', info: 'Stopped by publisher stop' }) }) }
    default:
      return null
  }
}

const troubled = (now: number): StreamView[] => [
  own(now, { videoMuted: true, audioMuted: true, players: 1, problem: 'the camera gives no pictures: look whether another program uses it, or choose another one', quality: { level: 'poor', info: 'the camera gives no pictures: look whether another program uses it, or choose another one' } }),
  stream(now, { status: 'PLAYING', retryAt: now + 8000, info: 'Failed by ICE timeout', quality: { level: 'poor', info: '' } }),
  stream(now, { streamId: 'st5', name: 'yard', status: 'PAUSED', recording: { path: '/home/nadia/Videos/Sidetone/2026-03-02 14.05 yard.mp4', paused: false, seconds: 318, problem: null } }),
]

/** Commands about streams; `null` for all others. */
export function streamCommand(engine: FakeEngine, command: Command): Reply | null {
  switch (command.command) {
    case 'getVideoSources':
      return {
        reply: 'videoSources',
        sources: [
          { selection: 'device:cam0', name: 'HD Webcam C920', kind: 'camera' },
          { selection: 'screen:0', name: 'Built-in display', kind: 'screen' },
          { selection: 'window:7', name: 'Slides', kind: 'window' },
        ],
      }
    case 'publishStream':
      return begin(engine, own(Date.now(), { name: command.name, sources: command.sources, players: 0, statistics: null }))
    case 'playStream':
      if (command.name === 'nobody') throw failure('notFound', 'Stream not found')
      return begin(engine, stream(Date.now(), { name: command.name, statistics: null }))
    case 'unPublishStream':
      return change(engine, command.streamId, { status: 'UNPUBLISHED', info: 'Stopped by user' })
    case 'stopStream':
      return change(engine, command.streamId, { status: 'STOPPED', info: 'Stopped by user' })
    case 'pauseStream':
      return change(engine, command.streamId, { status: command.paused ? 'PAUSED' : 'PLAYING' })
    case 'changeStream': {
      const { command: _name, streamId, ...part } = command
      return change(engine, streamId, part)
    }
    case 'snapshot': {
      const { streamId } = command
      engine.after(100, () => engine.emit({ event: 'SnapshotTaken', streamId, info: '', file: { path: '/home/nadia/Videos/Sidetone/2026-03-02 14.05.09 garden.png', width: 1280, height: 720 } }))
      return DONE
    }
    case 'recordStream':
      return change(engine, command.streamId, { recording: command.on ? { path: '/home/nadia/Videos/Sidetone/2026-03-02 14.05 garden.mp4', paused: false, seconds: 0, problem: null } : null })
    case 'retryStream':
      return change(engine, command.streamId, { retryAt: null, info: '', quality: { level: 'good', info: '' } })
    default:
      return null
  }
}

function begin(engine: FakeEngine, live: StreamView): Reply {
  const streamId = engine.id('st')
  put(engine, { ...live, streamId, status: null, liveAt: null, quality: { level: 'unknown', info: '' } })
  engine.after(500, () => change(engine, streamId, { status: live.status, liveAt: Date.now(), statistics: figures(), quality: { level: 'good', info: '' } }))
  return { reply: 'stream', streamId }
}

function change(engine: FakeEngine, streamId: string, part: Partial<StreamView>): Reply {
  const found = engine.state.streams.find((other) => other.streamId === streamId)
  if (!found) throw failure('notFound', `there is no stream "${streamId}"`)
  put(engine, { ...found, ...part })
  return DONE
}

function put(engine: FakeEngine, changed: StreamView): void {
  const { streamId, status, name, info } = changed
  const before = engine.state.streams.find((other) => other.streamId === streamId)
  const others = engine.state.streams.filter((other) => other.streamId !== streamId)
  const streams = status === 'STOPPED' || status === 'UNPUBLISHED' ? others : before ? engine.state.streams.map((other) => (other === before ? changed : other)) : [...others, changed]
  engine.state = { ...engine.state, streams }
  if (status !== null && before?.status !== status) engine.emit({ event: 'StreamStatusEvent', status, streamId, name, info })
  engine.emit({ event: 'StreamChanged', stream: changed })
}
