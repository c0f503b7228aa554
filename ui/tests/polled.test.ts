import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HEADER, i420Length } from '../src/platform/frames/picture'
import type { Polled } from '../src/platform/frames/polled'
import { FrameSocket } from '../src/platform/frames/socket'
import { FrameWay } from '../src/platform/frames/way'
import type { AnyPicture } from '../src/platform/types'

/** A socket whose end the test decides. */
class Wire extends EventTarget {
  readyState = 0
  onopen: (() => void) | null = null
  onmessage: (() => void) | null = null
  onclose: (() => void) | null = null
  sent: string[] = []

  send = (text: string): void => void this.sent.push(text)

  open(): void {
    this.readyState = 1
    this.dispatchEvent(new Event('open'))
    this.onopen?.()
  }

  close(): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.dispatchEvent(new Event('close'))
    this.onclose?.()
  }
}

/** A host without a socket. */
class Host implements Polled {
  asked: string[] = []
  opened = 0
  closed = 0
  private give: ((content: ArrayBuffer) => void) | null = null
  private fail: ((reason: Error) => void) | null = null

  open = async (): Promise<void> => void this.opened++
  ask = async (request: string): Promise<void> => void this.asked.push(request)
  close = async (): Promise<void> => void this.closed++
  next = (): Promise<ArrayBuffer> =>
    new Promise((resolve, reject) => {
      this.give = resolve
      this.fail = reject
    })

  async answer(content: ArrayBuffer): Promise<void> {
    this.give?.(content)
    await settle()
  }

  async lose(): Promise<void> {
    this.fail?.(new Error('gone'))
    await settle()
  }
}

const settle = async (ms = 0): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms))
const ROOM = { width: 64, height: 36 }

let wires: Wire[]
let host: Host
let tickets: (() => Promise<string>) | null
let way: FrameWay
let seen: AnyPicture[]
let ends: string[]

beforeEach(() => {
  vi.useFakeTimers()
  wires = []
  host = new Host()
  tickets = null
  seen = []
  ends = []
  way = new FrameWay(
    () => tickets?.() ?? Promise.resolve('ws://127.0.0.1:1/frames/1'),
    host,
    () => {
      const wire = new Wire()
      wires.push(wire)
      return wire as unknown as WebSocket
    },
  )
})
afterEach(() => void vi.useRealTimers())

function watch(): { drawn: () => void; close: () => void } {
  const socket = new FrameSocket(() => way.place(), (url) => way.open(url), async () => [])
  return socket.subscribe({ streamId: 'st1' }, ROOM, { onPicture: (picture) => seen.push(picture), onEnd: (reason) => ends.push(reason) })
}

function picture(number: number): ArrayBuffer {
  const buffer = new ArrayBuffer(HEADER + i420Length(4, 4))
  const view = new DataView(buffer)
  view.setUint32(0, 1, true)
  view.setUint8(4, 1)
  for (const at of [8, 12, 16, 20]) view.setUint32(at, 4, true)
  view.setBigUint64(32, BigInt(number), true)
  return buffer
}

const text = (told: object): ArrayBuffer => new TextEncoder().encode(JSON.stringify(told)).buffer

describe('the way to pictures', () => {
  it('is a socket where the one that is tried at the start opens', async () => {
    void way.probe()
    await settle()
    wires[0]!.open()
    watch()
    await settle()
    expect([wires.length, wires[0]!.readyState, host.opened]).toEqual([2, 3, 0])
    wires[1]!.open()
    expect(JSON.parse(wires[1]!.sent[0]!)).toMatchObject({ ask: 'open', stream: 'st1' })
  })

  it.each([
    ['is refused', async (): Promise<void> => wires[0]!.close()],
    ['opens never', async (): Promise<void> => settle(4000)],
  ])('is the app’s own protocol where the socket %s', async (_, happens) => {
    const subscription = watch()
    await settle()
    await happens()
    await settle()
    expect([wires.length, host.opened, host.asked.map((request) => JSON.parse(request).ask)]).toEqual([1, 1, ['open']])
    await host.answer(picture(7))
    expect(seen).toMatchObject([{ number: 7, width: 4 }])
    subscription.drawn()
    await settle()
    expect(JSON.parse(host.asked.at(-1)!)).toEqual({ ask: 'credit', channel: 1, credits: 1 })

    await host.answer(new ArrayBuffer(0))
    await host.answer(picture(8))
    expect(seen).toHaveLength(2)
    await host.answer(text({ channel: 1, failure: { code: 'notFound', message: 'there is no stream' } }))
    expect([ends, host.closed]).toEqual([['there is no stream'], 1])
  })

  it('changes where a socket cannot be opened later on', async () => {
    void way.probe()
    await settle()
    wires[0]!.open()
    await settle()
    const subscription = watch()
    await settle()
    wires[1]!.close()
    await settle(250)
    expect([wires.length, host.opened]).toEqual([2, 1])
    subscription.close()
    await settle()
    expect(host.closed).toBe(1)
  })

  it('needs no port: where the engine gets none, its own protocol is used', async () => {
    tickets = () => Promise.reject({ code: 'network', message: 'no port is free' })
    watch()
    await settle()
    expect([wires.length, host.opened]).toEqual([0, 1])
  })

  it('waits for an engine that does not run yet', async () => {
    tickets = () => Promise.reject({ code: 'stopped', message: 'not yet' })
    watch()
    await settle()
    expect([wires.length, host.opened]).toEqual([0, 0])
    tickets = null
    await settle(250)
    expect(wires).toHaveLength(1)
  })

  it('is asked for again after it was lost', async () => {
    tickets = () => Promise.reject({ code: 'network', message: 'no port is free' })
    watch()
    await settle()
    await host.lose()
    await settle(250)
    expect(host.opened).toBe(2)
    expect(host.asked.map((request) => JSON.parse(request).ask)).toEqual(['open', 'open'])
  })
})
