import { getContext, setContext } from 'svelte'
import type { CallView, Command, Failure, Reply, Theme } from '../api/types'
import { t } from '../locales'
import { toFailure, type Host, type LinkState, type Platform } from '../platform/types'
import { Dial } from './dial.svelte'
import { EventLog } from './log.svelte'
import { apply, fromSnapshot, type Mirror } from './mirror'
import { Notices } from './notices.svelte'
import { ownCalls, shownCall, waitingCalls } from './select'

export type Screen = 'phone' | 'settings'

/** What every screen reads, and the commands that they give. */
export class App {
  mirror = $state.raw<Mirror | null>(null)
  link = $state<LinkState>('connecting')
  linkReason = $state('')
  screen = $state<Screen>('phone')
  help = $state(false)
  /** The call that the user chose to see. */
  chosenCall = $state<string | null>(null)
  /** In settings: the account in the form, `null` for none, `''` for a new one. */
  editedAccount = $state<string | null>(null)
  readonly log = new EventLog()
  readonly notices = new Notices()
  readonly dial = new Dial(this)

  constructor(private readonly platform: Platform) {}

  get host(): Host {
    return this.platform.host
  }

  get call(): CallView | null {
    return this.mirror ? shownCall(this.mirror, this.chosenCall) : null
  }

  get waiting(): CallView[] {
    return this.mirror ? waitingCalls(this.mirror) : []
  }

  get otherCalls(): CallView[] {
    return this.mirror ? ownCalls(this.mirror).filter((call) => call.callId !== this.call?.callId) : []
  }

  get reachable(): boolean {
    return this.link === 'attached'
  }

  get theme(): Theme {
    return this.mirror?.settings.ui.theme ?? 'system'
  }

  start(): () => void {
    return this.platform.attach({
      onLink: (state, reason = '') => {
        this.link = state
        this.linkReason = reason
      },
      onSnapshot: (snapshot) => (this.mirror = fromSnapshot(snapshot, this.mirror)),
      onEvent: (event) => {
        if (this.mirror) this.mirror = apply(this.mirror, event, Date.now())
        this.log.add(event)
        if (event.event === 'Notice') this.notices.show(event.level, event.info)
      },
    })
  }

  retry(): void {
    this.platform.retry()
  }

  /** For callers that show a failure beside the field that it names. */
  async ask(command: Command): Promise<Reply> {
    try {
      return await this.platform.command(command)
    } catch (reason) {
      throw toFailure(reason)
    }
  }

  /** For all others: a failure becomes a message. True where the command was accepted. */
  async perform(command: Command): Promise<boolean> {
    try {
      await this.ask(command)
      return true
    } catch (reason) {
      this.notices.show('error', toFailure(reason).message)
      return false
    }
  }

  async place(callee: string, sessionId?: string): Promise<Failure | null> {
    try {
      const reply = await this.ask({ command: 'call', callee, ...(sessionId === undefined ? {} : { sessionId }) })
      if (reply.reply === 'call') this.chosenCall = reply.callId
      this.screen = 'phone'
      return null
    } catch (reason) {
      return toFailure(reason)
    }
  }

  async answer(call: CallView): Promise<boolean> {
    this.chosenCall = call.callId
    this.screen = 'phone'
    return this.perform({ command: 'answer', callId: call.callId })
  }

  async hangUp(call: CallView): Promise<void> {
    await this.perform({ command: 'hangup', callId: call.callId })
  }

  async toggleMute(call: CallView): Promise<void> {
    await this.perform({ command: 'muteAudio', callId: call.callId, muted: !call.muted })
  }

  dismissEnded(): void {
    if (this.mirror) this.mirror = { ...this.mirror, ended: null }
  }

  editAccount(accountId: string): void {
    this.editedAccount = accountId
    this.screen = 'settings'
  }

  complain(text = t('link.unreachable')): void {
    this.notices.show('error', text)
  }
}

const KEY = Symbol('app')

export const provideApp = (app: App): App => setContext(KEY, app)
export const useApp = (): App => getContext<App>(KEY)
