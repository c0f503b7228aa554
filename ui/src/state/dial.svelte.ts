import type { Failure } from '../api/types'
import type { App } from './app.svelte'
import { isTalking, lastDialled } from './select'

type Pad = 'dial' | 'tones'

/** The dial field, and what the keys of the pad do. */
export class Dial {
  text = $state('')
  failure = $state.raw<Failure | null>(null)
  /** The account to call through; `null` leaves it to the engine. Its session changes at every connect. */
  accountId = $state<string | null>(null)
  /** With our picture; this and what follows for the next call only. */
  video = $state(false)
  anonymous = $state(false)
  callerName = $state('')
  /** The pad's last use chosen by hand, for one call. */
  private choice = $state.raw<{ callId: string; pad: Pad } | null>(null)

  constructor(private readonly app: App) {}

  /** While a call is up its keys are tones, unless the user wants to dial another number. */
  get pad(): Pad {
    const call = this.app.call
    if (!call || !isTalking(call)) return 'dial'
    return this.choice?.callId === call.callId ? this.choice.pad : 'tones'
  }

  get padCanSwitch(): boolean {
    const call = this.app.call
    return call !== null && isTalking(call)
  }

  usePadFor(pad: Pad): void {
    const call = this.app.call
    if (call) this.choice = { callId: call.callId, pad }
  }

  press(key: string): void {
    if (this.pad === 'tones') void this.sendTone(key)
    else this.append(key)
  }

  append(text: string): void {
    this.set(this.text + text)
  }

  erase(): void {
    this.set(this.text.slice(0, -1))
  }

  set(text: string): void {
    this.text = text
    this.failure = null
  }

  async sendTone(digit: string): Promise<void> {
    const call = this.app.call
    if (call) await this.app.perform({ command: 'sendDtmf', callId: call.callId, dtmf: digit })
  }

  /** Places the call; an empty field brings back the last number instead. True where a call began. */
  async call(): Promise<boolean> {
    const callee = this.text.trim()
    if (callee === '') {
      const last = this.app.mirror ? lastDialled(this.app.mirror) : null
      if (last !== null) this.set(last)
      return false
    }
    const callerName = this.callerName.trim()
    const options = { ...(this.video ? { video: true } : {}), ...(this.anonymous ? { anonymous: true } : {}), ...(callerName === '' ? {} : { callerName }) }
    this.failure = await this.app.place(callee, this.sessionOrNone(), options)
    if (this.failure) return false
    this.set('')
    this.video = false
    this.anonymous = false
    this.callerName = ''
    return true
  }

  async redial(): Promise<boolean> {
    this.failure = await this.app.redial()
    return this.failure === null
  }

  private sessionOrNone(): string | undefined {
    return this.app.mirror?.sessions.find((session) => session.accountId === this.accountId)?.sessionId
  }
}
