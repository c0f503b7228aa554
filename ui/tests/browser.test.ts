// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BrowserPlatform, backOff } from '../src/platform/browser'
import { FakeSocket, Witness, cleared, snapshot } from './socket'

let witness: Witness
let platform: BrowserPlatform
let detach: () => void

function open(path = '/'): void {
  window.history.replaceState(null, '', path)
  platform = new BrowserPlatform((url) => new FakeSocket(url) as unknown as WebSocket)
  witness = new Witness()
  detach = platform.attach(witness)
}

beforeEach(() => {
  vi.useFakeTimers()
  FakeSocket.all = []
})

afterEach(() => {
  detach()
  vi.useRealTimers()
})

describe('the socket', () => {
  it('is opened at the gateway that served the page, with the cookie alone', () => {
    open('/?token=secret&fake=no')
    expect(FakeSocket.last.url).toBe('ws://localhost:3000/ui/socket')
  })

  it('brings a token that only the fragment has, until it has been let in once', () => {
    open('/#token=secret')
    expect(FakeSocket.last.url).toBe('ws://localhost:3000/ui/socket?token=secret')
    FakeSocket.last.accept()
    FakeSocket.last.close()
    vi.advanceTimersByTime(500)
    expect(FakeSocket.last.url).toBe('ws://localhost:3000/ui/socket')
  })

  it.each(['/?token=secret', '/#token=secret', '/?a=1&token=secret'])('leaves no token in the address bar: %s', (path) => {
    open(path)
    expect(window.location.href).not.toContain('secret')
    expect(window.location.href.includes('a=1')).toBe(path.includes('a=1'))
  })
})

describe('events', () => {
  beforeEach(() => {
    open()
    FakeSocket.last.accept(10)
  })

  it('follow the snapshot in order', () => {
    FakeSocket.last.receive(cleared(11))
    FakeSocket.last.receive(cleared(12))
    expect(witness.told).toEqual(['snapshot 10', 11, 12])
    expect(witness.links).toEqual(['connecting', 'attached'])
  })

  it('that the snapshot contains already are dropped', () => {
    FakeSocket.last.receive(cleared(9))
    FakeSocket.last.receive(cleared(10))
    expect(witness.told).toEqual(['snapshot 10'])
    expect(FakeSocket.last.sent).toEqual([])
  })

  it('after a gap wait for a new snapshot and go on from it', async () => {
    const socket = FakeSocket.last
    socket.receive(cleared(13))
    socket.receive(cleared(14))
    expect(socket.sent.map((request) => request.command.command)).toEqual(['getSnapshot'])
    socket.receive({ id: socket.sent[0]?.id, reply: { reply: 'snapshot', snapshot: snapshot(13) } })
    await vi.advanceTimersByTimeAsync(0)
    expect(witness.told).toEqual(['snapshot 10', 'snapshot 13', 14])
  })

  it('are asked for anew over a new socket where the snapshot is refused', async () => {
    const socket = FakeSocket.last
    socket.receive(cleared(13))
    socket.receive({ id: socket.sent[0]?.id, failure: { code: 'stopped', message: 'stopping' } })
    await vi.advanceTimersByTimeAsync(500)
    expect(FakeSocket.all).toHaveLength(2)
    FakeSocket.last.accept(20)
    expect(witness.told).toEqual(['snapshot 10', 'snapshot 20'])
  })

  it('survive a server that sends a snapshot by itself', () => {
    FakeSocket.last.receive({ snapshot: snapshot(30) })
    FakeSocket.last.receive(cleared(31))
    expect(witness.told).toEqual(['snapshot 10', 'snapshot 30', 31])
  })

  it('are not upset by frames that are none of ours', () => {
    for (const frame of ['{', 'null', '[]', '7', '{"id":"x"}', '{"id":99,"reply":{}}', '{"seq":"11","event":"HistoryCleared"}']) {
      FakeSocket.last.receive(frame)
    }
    FakeSocket.last.onmessage?.({ data: new ArrayBuffer(8) })
    FakeSocket.last.receive(cleared(11))
    expect(witness.told).toEqual(['snapshot 10', 11])
  })
})

describe('commands', () => {
  beforeEach(() => {
    open()
    FakeSocket.last.accept()
  })

  it('get the reply with their own number, in whatever order replies come', async () => {
    const first = platform.command({ command: 'call', callee: 'echo' })
    const second = platform.command({ command: 'testSpeaker' })
    const [one, two] = FakeSocket.last.sent
    FakeSocket.last.receive({ id: two?.id, reply: { reply: 'done' } })
    FakeSocket.last.receive({ id: one?.id, reply: { reply: 'call', callId: 'c1' } })
    expect(await second).toEqual({ reply: 'done' })
    expect(await first).toEqual({ reply: 'call', callId: 'c1' })
  })

  it('are rejected with the failure that the engine gives', async () => {
    const asked = platform.command({ command: 'call', callee: ' ' })
    const failure = { code: 'invalid', message: 'empty', field: 'callee' }
    FakeSocket.last.receive({ id: FakeSocket.last.sent[0]?.id, failure })
    await expect(asked).rejects.toEqual(failure)
  })

  it('under way when the socket is lost are rejected', async () => {
    const asked = platform.command({ command: 'testSpeaker' })
    FakeSocket.last.close()
    await expect(asked).rejects.toMatchObject({ code: 'network' })
  })

  it('without a socket are rejected at once', async () => {
    FakeSocket.last.close()
    await expect(platform.command({ command: 'testSpeaker' })).rejects.toMatchObject({ code: 'network' })
  })

  it('that are never answered are rejected in the end', async () => {
    const asked = platform.command({ command: 'testSpeaker' })
    const rejected = expect(asked).rejects.toMatchObject({ code: 'network' })
    await vi.advanceTimersByTimeAsync(10_000)
    await rejected
  })
})

describe('a lost engine', () => {
  it('is tried again at growing distances and found again', () => {
    open()
    FakeSocket.last.accept()
    FakeSocket.last.close()
    expect(witness.links.at(-1)).toBe('offline')
    vi.advanceTimersByTime(499)
    expect(FakeSocket.all).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(FakeSocket.all).toHaveLength(2)
    FakeSocket.last.close()
    vi.advanceTimersByTime(999)
    expect(FakeSocket.all).toHaveLength(2)
    vi.advanceTimersByTime(1)
    FakeSocket.last.accept(50)
    expect(witness.links.at(-1)).toBe('attached')
    expect(witness.told).toEqual(['snapshot 10', 'snapshot 50'])
  })

  it('that never let us in is told from one that was lost', () => {
    open()
    FakeSocket.last.close()
    expect(witness.links.at(-1)).toBe('refused')
  })

  it('is tried at once where the user asks', () => {
    open()
    FakeSocket.last.close()
    platform.retry()
    expect(FakeSocket.all).toHaveLength(2)
  })

  it('is left alone after detaching', () => {
    open()
    detach()
    vi.advanceTimersByTime(60_000)
    expect(FakeSocket.all).toHaveLength(1)
  })

  it('is asked every 8 seconds at the least', () => {
    expect([1, 2, 3, 4, 5, 6, 500].map(backOff)).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000])
  })
})
