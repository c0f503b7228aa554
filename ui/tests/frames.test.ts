import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HEADER, i420Length, readPicture } from '../src/platform/frames/picture'
import { FrameSocket } from '../src/platform/frames/socket'
import type { AnyPicture } from '../src/platform/types'
import { toRgba } from '../src/video/rgba'

function frame(channel: number, width: number, height: number, number = 0): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER + i420Length(width, height))
  const view = new DataView(buffer)
  view.setUint32(0, channel, true)
  view.setUint8(4, 1)
  view.setUint8(5, 3)
  for (const [at, side] of [width, height, width * 2, height * 2].entries()) view.setUint32(8 + 4 * at, side, true)
  view.setBigUint64(24, 1_700_000_000_000_500n, true)
  view.setBigUint64(32, BigInt(number), true)
  return buffer
}

class Wire {
  readyState = 0
  binaryType = ''
  sent: { ask: string; channel: number }[] = []
  onopen: () => void = () => {}
  onmessage: (message: { data: unknown }) => void = () => {}
  onclose: () => void = () => {}

  constructor(readonly url: string) {}

  send = (text: string): void => void this.sent.push(JSON.parse(text))

  close = (): void => {
    this.readyState = 3
    this.onclose()
  }

  accept(): void {
    this.readyState = 1
    this.onopen()
  }

  get asked(): string[] {
    return this.sent.map(({ ask }) => ask)
  }
}

const ROOM = { width: 640, height: 360 }
let wires: Wire[]
let socket: FrameSocket
let tickets: number

beforeEach(() => {
  vi.useFakeTimers()
  wires = []
  tickets = 0
  const place = async (): Promise<string> => `ws://127.0.0.1:1/frames/${++tickets}`
  socket = new FrameSocket(place, (url) => {
    const wire = new Wire(url)
    wires.push(wire)
    return wire as unknown as WebSocket
  })
})
afterEach(() => void vi.useRealTimers())

const settle = async (ms = 0): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms))

describe('a picture on the wire', () => {
  it('is read with its size, turn, time and number', () => {
    const read = readPicture(frame(7, 5, 3, 9))
    if (!read || !('picture' in read)) throw new Error('no picture')
    expect(read.channel).toBe(7)
    expect(read.picture).toMatchObject({ width: 5, height: 3, fullWidth: 10, fullHeight: 6, quarterTurns: 3, number: 9 })
    expect(read.picture.capturedAt).toBe(1_700_000_000_000.5)
    expect(read.picture.data).toHaveLength(15 + 2 * 6)
  })

  it('that is cut off, empty or of another kind is none', () => {
    const other = frame(1, 4, 4)
    new DataView(other).setUint8(4, 9)
    for (const bad of [new ArrayBuffer(0), new ArrayBuffer(HEADER), frame(1, 4, 4).slice(0, -1), frame(1, 0, 4), other]) {
      expect(readPicture(bad)).toBeNull()
    }
  })

  it('has the colours that it was sent with', () => {
    expect([...toRgba({ data: new Uint8Array([235, 128, 128]), width: 1, height: 1 })]).toEqual([255, 255, 255, 255])
    const [red, green, blue] = toRgba({ data: new Uint8Array([81, 90, 240]), width: 1, height: 1 })
    expect([red! > 245, green! < 10, blue! < 10]).toEqual([true, true, true])
  })
})

describe('the socket for pictures', () => {
  it('is one for all streams, gives credit for what was drawn, and closes after the last', async () => {
    const seen: AnyPicture[] = []
    const first = socket.subscribe({ streamId: 'st1' }, ROOM, { onPicture: (picture) => seen.push(picture), onEnd: () => {} })
    const second = socket.subscribe({ streamId: 'st2' }, ROOM, { onPicture: () => {}, onEnd: () => {} })
    await settle()
    expect(wires).toHaveLength(1)
    const [wire] = wires as [Wire]
    wire.accept()
    expect(wire.sent).toEqual([
      { ask: 'open', channel: 1, stream: 'st1', ...ROOM, credits: 2 },
      { ask: 'open', channel: 2, stream: 'st2', ...ROOM, credits: 2 },
    ])
    wire.onmessage({ data: frame(1, 4, 4) })
    expect(seen).toHaveLength(1)
    first.drawn()
    first.resize(ROOM)
    first.resize({ width: 64, height: 36 })
    expect(wire.asked.slice(2)).toEqual(['credit', 'size'])
    first.close()
    expect(wire.readyState).toBe(1)
    second.close()
    expect(wire.readyState).toBe(3)
    await settle(60_000)
    expect(wires).toHaveLength(1)
  })

  it('comes back with another ticket and opens what was shown', async () => {
    socket.subscribe({ streamId: 'st1' }, ROOM, { onPicture: () => {}, onEnd: () => {} })
    await settle()
    wires[0]!.accept()
    wires[0]!.close()
    await settle(250)
    expect(wires.map((wire) => wire.url)).toEqual(['ws://127.0.0.1:1/frames/1', 'ws://127.0.0.1:1/frames/2'])
    wires[1]!.accept()
    expect(wires[1]!.sent).toMatchObject([{ ask: 'open', channel: 1 }])
  })

  it('tells of an end, and forgets the channel', async () => {
    const ends: string[] = []
    const subscription = socket.subscribe({ streamId: 'st1' }, ROOM, { onPicture: () => {}, onEnd: (reason) => ends.push(reason) })
    await settle()
    const [wire] = wires as [Wire]
    wire.accept()
    wire.onmessage({ data: 'nonsense' })
    wire.onmessage({ data: JSON.stringify({ channel: 9, ended: true }) })
    wire.onmessage({ data: JSON.stringify({ channel: 1, failure: { code: 'notFound', message: 'there is no stream' } }) })
    expect(ends).toEqual(['there is no stream'])
    subscription.close()
    subscription.drawn()
    expect(wire.asked).toEqual(['open'])
  })

  it('opens sources before they are published, changes them, and tells when they are closed', async () => {
    const [bars, camera] = [{ video: 'bars', audio: [] }, { video: 'device:cam0', audio: [] }]
    const problems: string[] = []
    const levels: unknown[] = []
    const listener = { onPicture: () => {}, onEnd: () => {}, onLevels: (told: unknown) => levels.push(told), onProblem: (told: string) => problems.push(told) }
    const preview = socket.subscribe({ sources: bars }, ROOM, listener)
    await settle()
    const [wire] = wires as [Wire]
    wire.accept()
    preview.change(bars)
    preview.change(camera)
    expect(wire.sent).toEqual([
      { ask: 'preview', channel: 1, sources: bars, ...ROOM, credits: 2 },
      { ask: 'sources', channel: 1, sources: camera },
    ])
    for (const told of [{ levels: [{ rms: -20, peak: -9 }] }, { levels: [{ rms: 'loud' }] }, { problem: 'it is taken' }, { problem: '' }]) {
      wire.onmessage({ data: JSON.stringify({ channel: 1, ...told }) })
    }
    expect([levels, problems]).toEqual([[[{ rms: -20, peak: -9 }]], ['it is taken', '']])

    let closed = false
    preview.close()
    void socket.released().then(() => (closed = true))
    await settle(100)
    expect([closed, wire.readyState, wire.asked.at(-1)]).toEqual([false, 1, 'close'])
    wire.onmessage({ data: JSON.stringify({ channel: 1, ended: true }) })
    await settle()
    expect([closed, wire.readyState]).toEqual([true, 3])
  })

  it('waits for no device that hangs while it closes', async () => {
    const preview = socket.subscribe({ sources: { video: 'default', audio: [] } }, ROOM, { onPicture: () => {}, onEnd: () => {} })
    await settle()
    wires[0]!.accept()
    preview.close()
    let closed = false
    void socket.released().then(() => (closed = true))
    await settle(3000)
    expect([closed, wires[0]!.readyState]).toEqual([true, 3])
  })
})
