// @vitest-environment jsdom
import { clearMocks, mockIPC } from '@tauri-apps/api/mocks'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TauriPlatform, isTauri } from '../src/platform/tauri'
import { Witness, cleared, snapshot } from './socket'

type Internals = { runCallback: (id: number, message: { index: number; message: unknown }) => void }
type Attach = { channel: { id: number } }

/** A shell that remembers the channels that it was given. */
function shell(answer: (command: string, payload: unknown) => unknown): (message: unknown) => void {
  let channel = 0
  let index = 0
  mockIPC((name, payload) => {
    if (name === 'attach') {
      channel = (payload as unknown as Attach).channel.id
      index = 0
    }
    return answer(name, payload)
  })
  const { runCallback } = (window as unknown as { __TAURI_INTERNALS__: Internals }).__TAURI_INTERNALS__
  return (message) => runCallback(channel, { index: index++, message })
}

afterEach(clearMocks)

describe('the door to the shell', () => {
  it('is known by what the shell puts into the page', () => {
    shell(() => null)
    expect(isTauri()).toBe(true)
  })

  it('carries a command as it is, and its reply', async () => {
    const asked: unknown[] = []
    shell((name, payload) => {
      asked.push([name, payload])
      return { reply: 'done' }
    })
    expect(await new TauriPlatform().command({ command: 'testSpeaker' })).toEqual({ reply: 'done' })
    expect(asked).toEqual([['command', { command: { command: 'testSpeaker' } }]])
  })

  it('rejects with the failure of the engine, and makes one of anything else', async () => {
    const failure = { code: 'notFound', message: 'there is no call "x"' }
    shell(() => Promise.reject(failure))
    const platform = new TauriPlatform()
    await expect(platform.command({ command: 'answer', callId: 'x' })).rejects.toEqual(failure)
    shell(() => Promise.reject('command not found'))
    await expect(platform.command({ command: 'testSpeaker' })).rejects.toEqual({ code: 'stopped', message: 'command not found' })
  })

  it('shows a recording by its path, and says why it does not', async () => {
    const asked: unknown[] = []
    shell((name, payload) => void asked.push([name, payload]))
    await new TauriPlatform().showRecording('/music/Ada.wav')
    expect(asked).toEqual([['show_recording', { path: '/music/Ada.wav' }]])
    const gone = { code: 'invalid', message: '/music/Ada.wav is not there any more', field: 'path' }
    shell(() => Promise.reject(gone))
    await expect(new TauriPlatform().showRecording('/music/Ada.wav')).rejects.toEqual(gone)
  })

  it('attaches anew after a gap', async () => {
    let attached = 0
    const send = shell((name) => void (name === 'attach' && attached++))
    const witness = new Witness()
    const detach = new TauriPlatform().attach(witness)
    await Promise.resolve()
    send({ snapshot: snapshot(10) })
    send(cleared(11))
    send(cleared(15))
    await Promise.resolve()
    send({ snapshot: snapshot(15) })
    send(cleared(16))
    expect(attached).toBe(2)
    expect(witness.told).toEqual(['snapshot 10', 11, 'snapshot 15', 16])
    detach()
  })

  it('says why the engine does not run, and tries again', async () => {
    vi.useFakeTimers()
    let running = false
    const send = shell(() => (running ? null : Promise.reject({ code: 'storage', message: 'unknown key "mircophone"' })))
    const witness = new Witness()
    const detach = new TauriPlatform().attach(witness)
    await vi.advanceTimersByTimeAsync(0)
    expect(witness.reasons).toEqual(['unknown key "mircophone"'])
    running = true
    await vi.advanceTimersByTimeAsync(2000)
    send({ snapshot: snapshot(1) })
    expect(witness.links).toEqual(['connecting', 'failed', 'attached'])
    detach()
    vi.useRealTimers()
  })
})
