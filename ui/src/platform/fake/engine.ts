import type { CallStatus, CallView, Command, Envelope, Reply, Snapshot } from '../../api/types'
import { failure } from '../types'
import { call, statistics } from './data'

type Event = Envelope extends infer E ? (E extends Envelope ? Omit<E, 'seq' | 'time'> : never) : never
/** `Omit` over the union would lose its members. */
type Body = Event

/** Just enough of an engine that every control of the UI does something. */
export class FakeEngine {
  afterAttach: () => void = () => {}
  private seq: number
  private nextCall = 50
  private testing = false
  private timer: ReturnType<typeof setInterval> | undefined
  private readonly timers = new Set<ReturnType<typeof setTimeout>>()

  constructor(
    private state: Snapshot,
    private readonly send: (event: Envelope) => void,
  ) {
    this.seq = state.seq
  }

  snapshot(): Snapshot {
    return { ...this.state, seq: this.seq }
  }

  start(): void {
    this.afterAttach()
    this.timer = setInterval(() => this.measure(), 500)
  }

  stop(): void {
    clearInterval(this.timer)
    for (const timer of this.timers) clearTimeout(timer)
  }

  emit(body: Body): void {
    this.send({ ...body, seq: ++this.seq, time: Date.now() } as Envelope)
  }

  end(ended: CallView): void {
    this.state = { ...this.state, calls: this.state.calls.filter((other) => other.callId !== ended.callId) }
    this.emit({ event: 'CallChanged', call: ended })
    this.statusEvent(ended)
  }

  async carryOut(command: Command): Promise<Reply> {
    switch (command.command) {
      case 'call':
        return this.place(command.callee, command.sessionId)
      case 'answer':
        return this.change(command.callId, { status: 'ESTABLISHED', info: '200 OK', establishedAt: Date.now(), codec: OPUS })
      case 'hangup':
        return this.finish(command.callId)
      case 'muteAudio':
        return this.change(command.callId, { muted: command.muted })
      case 'sendDtmf':
        return this.change(command.callId, { dtmf: this.find(command.callId).dtmf + command.dtmf })
      case 'changeSettings':
        this.state = { ...this.state, settings: { ...this.state.settings, ...withoutName(command) } }
        this.emit({ event: 'SettingsChanged', settings: this.state.settings })
        return DONE
      case 'selectDevices':
        return this.select(command.microphone, command.speaker)
      case 'testMicrophone':
        this.testing = command.on
        return DONE
      case 'clearHistory':
        this.emit({ event: 'HistoryCleared' })
        return DONE
      case 'saveAccount':
        if (!command.account.aor.includes('@')) throw { ...failure('invalid', 'an address is user@domain'), field: 'account.aor' }
        return { reply: 'account', accountId: command.account.id }
      case 'getSnapshot':
        return { reply: 'snapshot', snapshot: this.snapshot() }
      default:
        return DONE
    }
  }

  private place(callee: string, sessionId = 's1'): Reply {
    if (/\s/.test(callee)) throw { ...failure('invalid', 'a number or address has no spaces'), field: 'callee' }
    const callId = `c${this.nextCall++}`
    const placed = call(Date.now(), { callId, sessionId, callee: `sip:${callee}@127.0.0.1:5060` })
    this.put(placed)
    this.later(600, callId, () => this.change(callId, { status: 'RING', info: '180 Ringing' }))
    this.later(1600, callId, () => this.change(callId, { status: 'ESTABLISHED', info: '200 OK', establishedAt: Date.now(), codec: OPUS }))
    return { reply: 'call', callId }
  }

  private later(ms: number, callId: string, act: () => void): void {
    this.timers.add(setTimeout(() => this.state.calls.some((other) => other.callId === callId) && act(), ms))
  }

  private finish(callId: string): Reply {
    const found = this.find(callId)
    const status: CallStatus = 'FINISH'
    this.end({ ...found, status, info: found.establishedAt === null ? '487 Request Terminated' : '200 OK' })
    const seconds = found.establishedAt === null ? null : Math.round((Date.now() - found.establishedAt) / 1000)
    const remote = found.direction === 'incoming' ? found.caller : found.callee
    const { direction, remoteName, startedAt } = found
    this.emit({ event: 'HistoryAdded', entry: { callId, accountId: 'local', direction, remote, remoteName, status, info: '', startedAt, seconds } })
    return DONE
  }

  private change(callId: string, part: Partial<CallView>): Reply {
    this.put({ ...this.find(callId), ...part })
    return DONE
  }

  private put(changed: CallView): void {
    const before = this.state.calls.find((other) => other.callId === changed.callId)
    this.state = { ...this.state, calls: [...this.state.calls.filter((other) => other !== before), changed] }
    if (before?.status !== changed.status) this.statusEvent(changed)
    this.emit({ event: 'CallChanged', call: changed })
  }

  private statusEvent({ status, callId, sessionId, info }: CallView): void {
    this.emit({ event: 'CallStatusEvent', status, callId, sessionId, info })
  }

  private find(callId: string): CallView {
    const found = this.state.calls.find((other) => other.callId === callId)
    if (!found) throw failure('notFound', `there is no call "${callId}"`)
    return found
  }

  private select(microphone?: string, speaker?: string): Reply {
    const devices = this.state.devices
    const name = (list: typeof devices.microphones, selection: string): string | null =>
      list.find((device) => (selection === 'default' ? device.isDefault : device.selection === selection))?.name ?? null
    const next = { ...devices }
    if (microphone !== undefined) next.microphone = { selection: microphone, effective: name(devices.microphones, microphone), problem: null }
    if (speaker !== undefined) next.speaker = { selection: speaker, effective: name(devices.speakers, speaker), problem: null }
    this.state = { ...this.state, devices: next }
    this.emit({ event: 'DevicesChanged', devices: next })
    return DONE
  }

  private measure(): void {
    const level = (): { rms: number; peak: number } => ({ rms: -30 + Math.random() * 12, peak: -14 + Math.random() * 6 })
    if (this.testing) this.emit({ event: 'MicrophoneLevel', level: level() })
    for (const { callId, establishedAt } of this.state.calls) {
      if (establishedAt === null) continue
      this.emit({ event: 'CallMeasured', callId, statistics: statistics({ microphone: level(), speaker: level() }) })
    }
  }
}

const DONE: Reply = { reply: 'done' }
const OPUS = { name: 'opus', sampleRate: 48000 }

function withoutName<T extends { command: string }>(command: T): Omit<T, 'command'> {
  const { command: _name, ...rest } = command
  return rest
}
