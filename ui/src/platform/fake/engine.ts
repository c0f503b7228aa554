import type { CallStatus, CallView, Command, Envelope, HookEventView, Reply, ReportContents, Snapshot } from '../../api/types'
import { failure } from '../types'
import { callCommand } from './calls'
import { statistics } from './data'
import { directoryCommand } from './directory'
import { reportCommand } from './reports'
import { roomCommand } from './rooms'
import { measureRooms } from './roomLife'
import { settingsCommand } from './settings'
import { streamCommand } from './streams'

type Event = Envelope extends infer E ? (E extends Envelope ? Omit<E, 'seq' | 'time'> : never) : never
/** `Omit` over the union would lose its members. */
export type Body = Event

export const DONE: Reply = { reply: 'done' }

/** Just enough of an engine that every control of the UI does something. */
export class FakeEngine {
  afterAttach: () => void = () => {}
  state: Snapshot
  testing = false
  hookEvents: HookEventView[] = []
  reports: ReportContents[] = []
  /** In meetings they speak in turns. */
  lively = false
  private seq: number
  private nextId = 50
  private timer: ReturnType<typeof setInterval> | undefined
  private readonly timers = new Set<ReturnType<typeof setTimeout>>()

  constructor(
    state: Snapshot,
    private readonly send: (event: Envelope) => void,
  ) {
    this.state = state
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

  id(prefix: string): string {
    return `${prefix}${this.nextId++}`
  }

  emit(body: Body): void {
    this.send({ ...body, seq: ++this.seq, time: Date.now() } as Envelope)
  }

  async carryOut(command: Command): Promise<Reply> {
    if (command.command === 'getSnapshot') return { reply: 'snapshot', snapshot: this.snapshot() }
    return callCommand(this, command) ?? directoryCommand(this, command) ?? settingsCommand(this, command) ?? streamCommand(this, command) ?? roomCommand(this, command) ?? reportCommand(this, command) ?? DONE
  }

  /** While the call lives. */
  later(ms: number, callId: string, act: () => void): void {
    this.after(ms, () => this.state.calls.some((other) => other.callId === callId) && act())
  }

  after(ms: number, act: () => void): void {
    this.timers.add(setTimeout(act, ms))
  }

  end(ended: CallView): void {
    this.state = { ...this.state, calls: this.state.calls.filter((other) => other.callId !== ended.callId) }
    this.emit({ event: 'CallChanged', call: ended })
    this.statusEvent(ended)
  }

  finish(callId: string, part: Partial<CallView> = {}): Reply {
    const found = this.find(callId)
    const status: CallStatus = 'FINISH'
    this.end({ ...found, status, info: found.establishedAt === null ? '487 Request Terminated' : '200 OK', ...part })
    const seconds = found.establishedAt === null ? null : Math.round((Date.now() - found.establishedAt) / 1000)
    const remote = found.direction === 'incoming' ? found.caller : found.callee
    const { direction, remoteName, startedAt } = found
    const recording = found.recording ? { recording: found.recording.path } : {}
    const entry = { callId, accountId: this.accountOf(found), direction, remote, remoteName, status, info: '', startedAt, seconds, missed: false, ...recording }
    this.state = { ...this.state, history: [entry, ...this.state.history] }
    this.emit({ event: 'HistoryAdded', entry })
    return DONE
  }

  change(callId: string, part: Partial<CallView>): Reply {
    this.put({ ...this.find(callId), ...part })
    return DONE
  }

  put(changed: CallView): void {
    const before = this.state.calls.find((other) => other.callId === changed.callId)
    const calls = before ? this.state.calls.map((other) => (other === before ? changed : other)) : [...this.state.calls, changed]
    this.state = { ...this.state, calls }
    if (before?.status !== changed.status) this.statusEvent(changed)
    this.emit({ event: 'CallChanged', call: changed })
  }

  find(callId: string): CallView {
    const found = this.state.calls.find((other) => other.callId === callId)
    if (!found) throw failure('notFound', `there is no call "${callId}"`)
    return found
  }

  private accountOf(call: CallView): string {
    return this.state.sessions.find((session) => session.sessionId === call.sessionId)?.accountId ?? 'local'
  }

  private statusEvent({ status, callId, sessionId, info }: CallView): void {
    this.emit({ event: 'CallStatusEvent', status, callId, sessionId, info })
  }

  private measure(): void {
    const level = (): { rms: number; peak: number } => ({ rms: -30 + Math.random() * 12, peak: -14 + Math.random() * 6 })
    if (this.testing) this.emit({ event: 'MicrophoneLevel', level: level() })
    measureRooms(this)
    const quiet = { rms: -70, peak: -62 }
    for (const { callId, establishedAt, hold, problem, recording } of this.state.calls) {
      if (establishedAt === null) continue
      const silent = hold.local || hold.remote || problem?.kind === 'nothingReceived' || (Number(callId.slice(1)) + Math.floor(Date.now() / 4000)) % 2 === 1
      const speaker = silent ? quiet : level()
      const microphone = problem?.kind === 'silentMicrophone' ? { rms: -100, peak: -100 } : level()
      this.emit({ event: 'CallMeasured', callId, statistics: statistics({ microphone, speaker }) })
      if (recording && !recording.paused && !recording.problem) this.change(callId, { recording: { ...recording, seconds: recording.seconds + 0.5 } })
    }
  }
}
