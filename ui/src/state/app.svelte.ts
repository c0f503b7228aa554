import { getContext, setContext } from 'svelte'
import type { CallView, Command, Failure, Reply, SipHeader, Theme } from '../api/types'
import { Letters } from '../keyboard/letters.svelte'
import { t } from '../locales'
import { toFailure, type FrameListener, type FrameSubscription, type Host, type LinkState, type Platform, type Room, type Shown } from '../platform/types'
import { Dial } from './dial.svelte'
import { History } from './history.svelte'
import { EventLog } from './log.svelte'
import { Messages } from './messages.svelte'
import { apply, fromSnapshot, hasEnded, type Mirror } from './mirror'
import { NameBook, withNames } from './names'
import { News, newsOf } from './news.svelte'
import { isShownElsewhere, noticeWords } from './noticeWords'
import { Notices } from './notices.svelte'
import { ownCalls, shownCall, waitingCalls } from './select'
import { Rooms } from './rooms.svelte'
import { Streams } from './streams.svelte'
import { Switchboard } from './switchboard'
import { TransferFlow } from './transfer.svelte'

export type Screen = 'phone' | 'meeting' | 'streams' | 'reports' | 'settings'
export type SettingsTab = 'general' | 'calls' | 'audio' | 'network' | 'hooks'
export type MoreTab = 'recent' | 'contacts' | 'messages' | 'sound' | 'events'

/** How one call differs from what its account says. */
export type CallOptions = { video?: boolean; callerName?: string; anonymous?: boolean; headers?: SipHeader[] }

/** What every screen reads, and the commands that they give. */
export class App {
  /** As the engine tells it. */
  private told = $state.raw<Mirror | null>(null)
  private readonly contacts = $derived(this.told?.contacts ?? [])
  readonly names = $derived(new NameBook(this.contacts))
  readonly mirror = $derived(this.told && withNames(this.told, this.names))
  link = $state<LinkState>('connecting')
  linkReason = $state('')
  screen = $state<Screen>('phone')
  /** A bug report is wanted: its screen begins with one. */
  reportsNow = false
  tab = $state<MoreTab>('recent')
  /** How often something asked for a tab to be seen. */
  tabAsked = $state(0)
  settingsTab = $state<SettingsTab>('general')
  help = $state(false)
  /** The call that the user chose to see. */
  chosenCall = $state<string | null>(null)
  /** In settings: the account in the form, `null` for none, `''` for a new one. */
  editedAccount = $state<string | null>(null)
  readonly letters = new Letters()
  readonly log = new EventLog()
  readonly notices = new Notices()
  readonly news = new News()
  readonly dial = new Dial(this)
  readonly switchboard = new Switchboard(this)
  readonly transfer = new TransferFlow(this)
  readonly messages = new Messages(this)
  readonly history = new History(this)
  readonly streams = new Streams(this)
  readonly rooms = new Rooms(this)

  constructor(private readonly platform: Platform) {}

  get host(): Host {
    return this.platform.host
  }

  get showsRecordings(): boolean {
    return this.platform.showRecording !== undefined
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
      onSnapshot: (snapshot) => {
        this.told = fromSnapshot(snapshot, this.told)
        this.rooms.meet(snapshot.rooms)
      },
      onEvent: (event) => {
        this.rooms.take(event)
        if (this.told) {
          this.news.say(newsOf(this.told, event, this.call?.callId ?? null, this.names))
          this.told = apply(this.told, event, Date.now())
        }
        this.log.add(event)
        this.messages.take(event)
        this.history.take(event)
        this.streams.take(event)
        if (event.event === 'CallChanged' && hasEnded(event.call)) this.transfer.ended(event.call.callId)
        if (event.event === 'ErrorEvent') this.notices.show('warning', t('hooks.error', { hook: event.hook, info: event.info }))
        if (event.event === 'Notice' && !isShownElsewhere(event, this.told)) this.notices.show(event.level, noticeWords(event.info))
      },
    })
  }

  retry(): void {
    this.platform.retry()
  }

  frames(shown: Shown, room: Room, listener: FrameListener): FrameSubscription {
    return this.platform.frames(shown, room, listener)
  }

  released(): Promise<void> {
    return this.platform.released()
  }

  /** A window of its own for one stream; absent where the host has none. */
  get windows(): Pick<Platform, 'popOut' | 'closePopOut'> {
    return this.platform
  }

  /** For callers that show a failure beside the field that it names. */
  async ask(command: Command): Promise<Reply> {
    try {
      return await this.platform.command(command)
    } catch (reason) {
      throw toFailure(reason)
    }
  }

  /** In one click, from wherever something went wrong. */
  reportProblem(): void {
    this.reportsNow = true
    this.screen = 'reports'
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

  /** The engine holds whoever is talked to meanwhile. */
  async place(callee: string, sessionId?: string, options: CallOptions = {}): Promise<Failure | null> {
    return this.begin({ command: 'call', callee, ...this.living(sessionId), ...options })
  }

  async redial(): Promise<Failure | null> {
    return this.begin({ command: 'redial' })
  }

  async answer(call: CallView, video = false): Promise<boolean> {
    this.chosenCall = call.callId
    this.screen = 'phone'
    return this.perform({ command: 'answer', callId: call.callId, ...(video ? { video } : {}) })
  }

  async hangUp(call: CallView): Promise<void> {
    await this.perform({ command: 'hangup', callId: call.callId })
  }

  async toggleMute(call: CallView): Promise<void> {
    await this.perform({ command: 'muteAudio', callId: call.callId, muted: !call.muted })
  }

  async showRecording(path: string): Promise<void> {
    try {
      await this.platform.showRecording?.(path)
    } catch (reason) {
      this.complain(toFailure(reason).message)
    }
  }

  async toggleDoNotDisturb(): Promise<void> {
    const calls = this.mirror?.settings.calls
    if (calls) await this.perform({ command: 'changeSettings', calls: { ...calls, doNotDisturb: !calls.doNotDisturb } })
  }

  dismissEnded(): void {
    if (this.told) this.told = { ...this.told, ended: null }
  }

  editAccount(accountId: string): void {
    this.editedAccount = accountId
    this.openSettings('general')
  }

  openSettings(tab: SettingsTab): void {
    this.settingsTab = tab
    this.screen = 'settings'
  }

  showTab(tab: MoreTab): void {
    this.screen = 'phone'
    this.tab = tab
    this.tabAsked++
  }

  showMessages(address: string, sessionId?: string): void {
    this.messages.show(address, sessionId)
    this.showTab('messages')
  }

  complain(text = t('link.unreachable')): void {
    this.notices.show('error', text)
  }

  /** A session has a new id at every connect: one that is gone says nothing about whom to call through. */
  living(sessionId: string | undefined): { sessionId?: string } {
    const lives = this.mirror?.sessions.some((session) => session.sessionId === sessionId)
    return sessionId !== undefined && lives ? { sessionId } : {}
  }

  private async begin(command: Command): Promise<Failure | null> {
    try {
      const reply = await this.ask(command)
      this.screen = 'phone'
      if (reply.reply === 'call') this.chosenCall = reply.callId
      return null
    } catch (reason) {
      return toFailure(reason)
    }
  }
}

const KEY = Symbol('app')

export const provideApp = (app: App): App => setContext(KEY, app)
export const useApp = (): App => getContext<App>(KEY)
