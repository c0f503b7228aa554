import type { CallView, Failure } from '../api/types'
import { toFailure } from '../platform/types'
import type { App } from './app.svelte'
import { isTalking } from './select'

/** A call that is being passed on: the panel that asks to whom, and consultations under way. */
export class TransferFlow {
  /** The call whose panel is open. */
  openFor = $state<string | null>(null)
  target = $state('')
  failure = $state.raw<Failure | null>(null)
  /** Consultation call, and the call that it is about. */
  private consultations = $state.raw<ReadonlyMap<string, string>>(new Map())

  constructor(private readonly app: App) {}

  toggle(call: CallView): void {
    this.openFor = this.openFor === call.callId ? null : call.callId
    this.set('')
  }

  close(): void {
    this.openFor = null
  }

  set(target: string): void {
    this.target = target
    this.failure = null
  }

  async blind(call: CallView, target = this.target.trim()): Promise<boolean> {
    return this.attempt({ command: 'transfer', callId: call.callId, target })
  }

  /** The two others are connected, and we leave. */
  async connect(call: CallView, other: CallView): Promise<boolean> {
    return this.attempt({ command: 'transferAttended', callId: call.callId, consultationCallId: other.callId })
  }

  /** A second call to the target; the engine holds the first one. */
  async consult(call: CallView, target = this.target.trim()): Promise<boolean> {
    try {
      const reply = await this.app.ask({ command: 'call', callee: target, sessionId: call.sessionId })
      if (reply.reply !== 'call') return false
      this.consultations = new Map(this.consultations).set(reply.callId, call.callId)
      this.app.chosenCall = reply.callId
      this.close()
      return true
    } catch (reason) {
      this.failure = toFailure(reason)
      return false
    }
  }

  /** The call that this one was placed about, while both live. */
  subjectOf(consultation: CallView): CallView | null {
    const subject = this.consultations.get(consultation.callId)
    return this.app.mirror?.calls.find((call) => call.callId === subject) ?? null
  }

  /** Why the transfer cannot be completed yet, as a key of the locale; `null` where it can. */
  notYet(consultation: CallView): 'consult.notYet' | null {
    return isTalking(consultation) ? null : 'consult.notYet'
  }

  async complete(consultation: CallView): Promise<boolean> {
    const subject = this.subjectOf(consultation)
    return subject !== null && this.connect(subject, consultation)
  }

  async backToCaller(consultation: CallView): Promise<void> {
    const subject = this.subjectOf(consultation)
    await this.app.hangUp(consultation)
    if (!subject) return
    this.app.chosenCall = subject.callId
    if (subject.hold.local) await this.app.perform({ command: 'unhold', callId: subject.callId })
  }

  async allThree(consultation: CallView): Promise<boolean> {
    const subject = this.subjectOf(consultation)
    return subject !== null && this.app.switchboard.merge([subject, consultation])
  }

  /** A consultation that has ended gives the caller back to the front. */
  ended(callId: string): void {
    const subject = this.consultations.get(callId)
    if (subject === undefined) return
    const rest = new Map(this.consultations)
    rest.delete(callId)
    this.consultations = rest
    if (this.app.mirror?.calls.some((call) => call.callId === subject)) this.app.chosenCall = subject
  }

  private async attempt(command: Parameters<App['ask']>[0]): Promise<boolean> {
    try {
      await this.app.ask(command)
      this.close()
      return true
    } catch (reason) {
      this.failure = toFailure(reason)
      return false
    }
  }
}
