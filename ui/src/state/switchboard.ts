import type { CallView } from '../api/types'
import type { App } from './app.svelte'
import { activeCalls, conferenceCalls, isRecording } from './select'

/** What is done to one call with regard to the others. */
export class Switchboard {
  constructor(private readonly app: App) {}

  get active(): CallView[] {
    return this.app.mirror ? activeCalls(this.app.mirror) : []
  }

  get conference(): CallView[] {
    return this.app.mirror ? conferenceCalls(this.app.mirror) : []
  }

  /** The call, or the whole conference that it is part of: in front they are one thing. */
  group(call: CallView): CallView[] {
    const { conference } = this
    return call.inConference && conference.length > 1 ? conference : [call]
  }

  async toggleMute(call: CallView): Promise<void> {
    const group = this.group(call)
    const muted = !group.every((other) => other.muted)
    await Promise.all(group.map(({ callId }) => this.app.perform({ command: 'muteAudio', callId, muted })))
  }

  async hangUp(call: CallView): Promise<void> {
    await Promise.all(this.group(call).map((other) => this.app.hangUp(other)))
  }

  /** The engine holds and resumes a conference as a whole, and whoever goes on holds the others. */
  async toggleHold(call: CallView): Promise<boolean> {
    const { callId } = call
    if (!call.hold.local) return this.app.perform({ command: 'hold', callId })
    this.app.chosenCall = callId
    return this.app.perform({ command: 'unhold', callId })
  }

  /** Our picture in the call: added, dropped, or the answer to the far end's. */
  setVideo({ callId }: CallView, on: boolean): Promise<boolean> {
    return this.app.perform({ command: 'setCallVideo', callId, on })
  }

  /** Everybody else waits. */
  async goOnWith(call: CallView): Promise<boolean> {
    this.app.chosenCall = call.callId
    return this.app.perform({ command: 'swap', callId: call.callId })
  }

  /** The call that was waiting and the one in front change places. */
  async swap(): Promise<boolean> {
    const other = this.app.otherCalls.find((call) => call.hold.local) ?? this.app.otherCalls.find((call) => call.establishedAt !== null)
    return other !== undefined && this.goOnWith(other)
  }

  /** An engine for many callers at once would hold nobody by itself; here it is promised. */
  async holdAndAnswer(call: CallView, video = false): Promise<boolean> {
    await Promise.all(this.active.map((other) => this.app.perform({ command: 'hold', callId: other.callId })))
    return this.app.answer(call, video)
  }

  async endAndAnswer(call: CallView): Promise<boolean> {
    await Promise.all(this.active.map((other) => this.app.hangUp(other)))
    return this.app.answer(call)
  }

  /** With the conference where there is one, else with every call that is up. */
  async merge(calls: readonly CallView[]): Promise<boolean> {
    const callIds = [...new Set([...this.conference, ...calls].map((call) => call.callId))]
    if (callIds.length < 2) return false
    return this.app.perform({ command: 'merge', callIds })
  }

  async split(call: CallView): Promise<boolean> {
    return this.app.perform({ command: 'split', callId: call.callId })
  }

  async toggleRecording(call: CallView): Promise<boolean> {
    const group = this.group(call)
    const all = group.every(isRecording)
    const wanted = group.filter((other) => isRecording(other) === all)
    const done = await Promise.all(
      wanted.map(({ callId }) => this.app.perform(all ? { command: 'stopRecording', callId } : { command: 'startRecording', callId })),
    )
    return done.every(Boolean)
  }
}
