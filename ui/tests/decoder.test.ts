import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { configOf, decodable } from '../src/platform/frames/decoder'
import { HEADER, readPicture } from '../src/platform/frames/picture'
import { FrameSocket } from '../src/platform/frames/socket'
import type { AnyPicture } from '../src/platform/types'
import { discard } from '../src/video/painter'

const SPS = [0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda]
const [H264, VP8] = [2, 3]

function encoded(channel: number, number: number, key: boolean, kind = H264, data: readonly number[] = SPS): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER + data.length)
  const view = new DataView(buffer)
  view.setUint32(0, channel, true)
  view.setUint8(4, kind)
  view.setUint16(6, key ? 1 : 0, true)
  for (const [at, side] of [640, 360, 640, 360].entries()) view.setUint32(8 + 4 * at, side, true)
  view.setBigUint64(24, BigInt(1_700_000_000_000_000 + 1000 * number), true)
  view.setBigUint64(32, BigInt(number), true)
  new Uint8Array(buffer, HEADER).set(data)
  return buffer
}

/** A decoder that gives what the test tells it to. */
class Decoder {
  static all: Decoder[] = []
  state = 'unconfigured'
  config = ''
  chunks: { type: string; timestamp: number }[] = []

  constructor(private readonly on: { output: (frame: unknown) => void; error: (reason: Error) => void }) {
    Decoder.all.push(this)
  }

  static isConfigSupported = async ({ codec }: { codec: string }): Promise<{ supported: boolean }> => {
    if (codec.startsWith('vp09')) throw new TypeError('what is that?')
    return { supported: codec !== 'vp8' }
  }

  configure({ codec }: { codec: string }): void {
    this.config = codec
    this.state = 'configured'
  }

  decode(chunk: { type: string; timestamp: number }): void {
    this.chunks.push(chunk)
  }

  give(timestamp = this.chunks.at(-1)!.timestamp): { closed: boolean } {
    const frame = { timestamp, displayWidth: 640, displayHeight: 360, closed: false, close: () => void (frame.closed = true) }
    this.on.output(frame)
    return frame
  }

  fail(): void {
    this.state = 'closed'
    this.on.error(new Error('broken'))
  }

  close(): void {
    this.state = 'closed'
  }
}

class Wire {
  static last: Wire
  readyState = 0
  sent: Record<string, unknown>[] = []
  onopen: () => void = () => {}
  onmessage: (message: { data: unknown }) => void = () => {}
  onclose: () => void = () => {}

  constructor() {
    Wire.last = this
  }

  send = (text: string): void => void this.sent.push(JSON.parse(text))

  close = (): void => {
    this.readyState = 3
    this.onclose()
  }

  take(): Record<string, unknown>[] {
    return this.sent.splice(0)
  }
}

const ROOM = { width: 640, height: 360 }
let seen: AnyPicture[]
let socket: FrameSocket
let wire: Wire

async function watch(codecs?: readonly ('H264' | 'VP8')[]): Promise<() => void> {
  socket = new FrameSocket(async () => 'ws://127.0.0.1:1/', () => new Wire() as unknown as WebSocket, codecs && (async () => codecs))
  const { close } = socket.subscribe({ streamId: 'st1' }, ROOM, { onPicture: (picture) => seen.push(picture), onEnd: () => {} })
  await vi.advanceTimersByTimeAsync(0)
  wire = Wire.last
  wire.readyState = 1
  wire.onopen()
  return close
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('VideoDecoder', Decoder)
  vi.stubGlobal('EncodedVideoChunk', class { constructor(readonly init: object) { Object.assign(this, init) } })
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  Decoder.all = []
  seen = []
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('what a page decodes by itself', () => {
  it('is probed; what is refused or not known is left out, and a page without a decoder decodes nothing', async () => {
    expect(await decodable()).toEqual(['H264'])
    vi.stubGlobal('VideoDecoder', undefined)
    expect(await decodable()).toEqual([])
  })

  it('is not waited for without end', async () => {
    vi.stubGlobal('VideoDecoder', { isConfigSupported: () => new Promise(() => {}) })
    const found = decodable()
    await vi.advanceTimersByTimeAsync(1000)
    expect(await found).toEqual([])
  })

  it('is configured by what the stream says of itself', () => {
    expect(configOf({ codec: 'H264', data: new Uint8Array([0, 0, 0, 1, 0x09, 0x10, ...SPS]) })).toBe('avc1.42c01f')
    expect(configOf({ codec: 'H264', data: new Uint8Array([0, 0, 1]) })).toBe('avc1.42e01f')
    expect(configOf({ codec: 'VP8', data: new Uint8Array() })).toBe('vp8')
  })

  it('is told before streams are asked for', async () => {
    await watch()
    expect(wire.sent).toEqual([
      { ask: 'decoders', codecs: ['H264'] },
      { ask: 'open', channel: 1, stream: 'st1', ...ROOM, credits: 2 },
    ])
  })
})

describe('an encoded picture', () => {
  it('is read with its codec and whether it is a key frame; an empty one is none', () => {
    const read = readPicture(encoded(4, 7, true, VP8, [1, 2, 3]))
    expect(read).toMatchObject({ channel: 4, encoded: { codec: 'VP8', key: true, number: 7, width: 640, height: 360 } })
    expect(readPicture(encoded(4, 7, true, VP8, []))).toBeNull()
    expect(readPicture(encoded(4, 7, true, 9))).toBeNull()
  })

  it('is decoded from a key frame on and shown with its number and time', async () => {
    await watch(['H264'])
    wire.take()
    wire.onmessage({ data: encoded(1, 0, false) })
    // Room for what a decoder keeps, and the place of the one that cannot be shown.
    expect(wire.take()).toEqual([{ ask: 'credit', channel: 1, credits: 2 }, { ask: 'credit', channel: 1, credits: 1 }])
    wire.onmessage({ data: encoded(1, 1, true) })
    wire.onmessage({ data: encoded(1, 2, false) })
    const [decoder] = Decoder.all as [Decoder]
    expect([decoder.config, decoder.chunks.map(({ type }) => type)]).toEqual(['avc1.42c01f', ['key', 'delta']])
    for (const { timestamp } of decoder.chunks) decoder.give(timestamp)
    expect(seen).toMatchObject([{ number: 1, capturedAt: 1_700_000_000_001, width: 640 }, { number: 2, capturedAt: 1_700_000_000_002 }])
    expect(wire.take()).toEqual([])
    discard(seen[0]!)
    expect((seen[0] as unknown as { frame: { closed: boolean } }).frame.closed).toBe(true)
  })

  it('that cannot be decoded asks for a key frame; after the third error the engine decodes', async () => {
    await watch(['H264'])
    for (let error = 1; error <= 3; error++) {
      wire.onmessage({ data: encoded(1, error, true) })
      wire.take()
      Decoder.all.at(-1)!.fail()
      const skipped = { ask: 'credit', channel: 1, credits: 1 }
      const then =
        error < 3
          ? [skipped, { ask: 'key', channel: 1 }]
          : [skipped, { ask: 'close', channel: 1 }, { ask: 'open', channel: 2, stream: 'st1', ...ROOM, credits: 2, decoded: true }]
      expect(wire.take()).toEqual(then)
    }
    Decoder.all[0]!.give()
    expect(seen).toEqual([])
  })

  it('of which nothing comes out is decoded by the engine', async () => {
    await watch(['H264'])
    wire.onmessage({ data: encoded(1, 1, true) })
    Decoder.all[0]!.give()
    wire.onmessage({ data: encoded(1, 2, false) })
    wire.take()
    await vi.advanceTimersByTimeAsync(2000)
    expect(wire.take().map(({ ask, decoded }) => [ask, decoded])).toEqual([['credit', undefined], ['close', undefined], ['open', true]])
    expect(Decoder.all[0]!.state).toBe('closed')
  })

  it('of another kind gets another decoder, and a closed channel none', async () => {
    const close = await watch(['H264', 'VP8'])
    wire.onmessage({ data: encoded(1, 1, true) })
    wire.onmessage({ data: encoded(1, 2, true, VP8, [1, 2, 3]) })
    expect(Decoder.all.map(({ config, state }) => [config, state])).toEqual([
      ['avc1.42c01f', 'closed'],
      ['vp8', 'configured'],
    ])
    close()
    expect(Decoder.all[1]!.state).toBe('closed')
    expect(Decoder.all[1]!.give(0).closed).toBe(true)
    expect(seen).toEqual([])
  })

  it('waits for nobody who is gone: another socket begins anew', async () => {
    await watch(['H264'])
    wire.onmessage({ data: encoded(1, 1, true) })
    wire.close()
    await vi.advanceTimersByTimeAsync(250)
    expect(Decoder.all[0]!.state).toBe('closed')
    wire = Wire.last
    wire.readyState = 1
    wire.onopen()
    expect(wire.sent.map(({ ask }) => ask)).toEqual(['decoders', 'open'])
  })
})
