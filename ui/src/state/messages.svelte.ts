import type { DataStatus, Envelope } from '../api/types'
import { toFailure } from '../platform/types'
import type { App } from './app.svelte'
import { keyOf } from './suggest'

export type MessageState = 'received' | 'sending' | 'sent' | 'failed'

export type Message = {
  id: number
  incoming: boolean
  body: string
  contentType: string
  time: number
  state: MessageState
  /** Why it failed. */
  info: string
}

export type Conversation = { key: string; address: string; sessionId: string; messages: readonly Message[]; unread: number }

/** Text that came and went, by whom it was with, newest conversation first. It lives as long as the window. */
export class Messages {
  conversations = $state.raw<readonly Conversation[]>([])
  /** The conversation on the screen. */
  openKey = $state<string | null>(null)
  private nextId = 1
  private readonly byDataId = new Map<string, number>()
  private readonly early = new Map<string, { status: DataStatus; info: string }>()
  /** Sent here, and not yet reported back as an event of its own. */
  private readonly unreported = new Set<number>()

  constructor(private readonly app: App) {}

  get unread(): number {
    return this.conversations.reduce((sum, conversation) => sum + conversation.unread, 0)
  }

  get open(): Conversation | null {
    return this.conversations.find((conversation) => conversation.key === this.openKey) ?? null
  }

  show(address: string, sessionId = ''): void {
    const key = keyOf(address)
    if (!this.find(key)) this.put({ key, address, sessionId, messages: [], unread: 0 })
    this.openKey = key
  }

  see(key: string): void {
    const conversation = this.find(key)
    if (conversation && conversation.unread > 0) this.replace({ ...conversation, unread: 0 })
  }

  async send(key: string, body: string): Promise<void> {
    const id = this.add(key, { incoming: false, body, contentType: 'text/plain', state: 'sending' })
    if (id !== null) await this.deliver(key, id)
  }

  async retry(key: string, id: number): Promise<void> {
    this.change(id, { state: 'sending', info: '' })
    await this.deliver(key, id)
  }

  take(event: Envelope): void {
    if (event.event === 'DataStatusEvent') this.settle(event.dataId, event.status, event.info)
    if (event.event === 'OnDataEvent') this.arrive(event)
  }

  private async deliver(key: string, id: number): Promise<void> {
    const conversation = this.find(key)
    const message = conversation?.messages.find((other) => other.id === id)
    if (!conversation || !message) return
    this.unreported.add(id)
    try {
      const reply = await this.app.ask({ command: 'sendData', to: conversation.address, body: message.body, ...this.app.living(conversation.sessionId) })
      if (reply.reply !== 'data') return
      this.byDataId.set(reply.dataId, id)
      const early = this.early.get(reply.dataId)
      if (early) this.settle(reply.dataId, early.status, early.info)
    } catch (reason) {
      this.unreported.delete(id)
      this.change(id, { state: 'failed', info: toFailure(reason).message })
    }
  }

  /** The status may come before the reply that names the message. */
  private settle(dataId: string, status: DataStatus, info: string): void {
    const id = this.byDataId.get(dataId)
    if (id === undefined) {
      if (this.early.size >= MOST_EARLY) this.early.clear()
      this.early.set(dataId, { status, info })
      return
    }
    this.byDataId.delete(dataId)
    this.early.delete(dataId)
    this.unreported.delete(id)
    this.change(id, status === 'ACCEPTED' ? { state: 'sent', info: '' } : { state: 'failed', info })
  }

  private arrive(event: Extract<Envelope, { event: 'OnDataEvent' }>): void {
    const { incoming, body, contentType, sessionId, time } = event
    const address = incoming ? event.from : event.to
    if (!incoming && this.isOurs(address, body)) return
    const key = keyOf(address)
    if (!this.find(key)) this.put({ key, address, sessionId, messages: [], unread: 0 })
    this.add(key, { incoming, body, contentType, state: incoming ? 'received' : 'sent', time })
    const conversation = this.find(key)
    if (incoming && conversation) this.replace({ ...conversation, sessionId, unread: conversation.unread + 1 })
  }

  /**
   * The engine reports what goes out too, from whatever door: our own lines are there already. It names the whole
   * address that a number has become.
   */
  private isOurs(to: string, body: string): boolean {
    const ownIn = ({ messages }: Conversation): Message | undefined =>
      messages.find((message) => this.unreported.has(message.id) && message.body === body)
    const holding = this.conversations.filter((conversation) => ownIn(conversation) !== undefined)
    const found = holding.find(({ key }) => key === keyOf(to)) ?? holding[0]
    const own = found && ownIn(found)
    if (!found || !own) return false
    this.unreported.delete(own.id)
    if (found.key !== keyOf(to)) this.rename(found, to)
    return true
  }

  private rename(conversation: Conversation, address: string): void {
    const key = keyOf(address)
    const known = this.find(key)
    const messages = [...(known?.messages ?? []), ...conversation.messages].sort((a, b) => a.time - b.time).slice(-MOST_MESSAGES)
    this.conversations = this.conversations.filter((other) => other.key !== conversation.key)
    this.put({ ...conversation, key, address, messages, unread: conversation.unread + (known?.unread ?? 0) })
    if (this.openKey === conversation.key) this.openKey = key
  }

  private add(key: string, part: Pick<Message, 'incoming' | 'body' | 'contentType' | 'state'> & { time?: number }): number | null {
    const conversation = this.find(key)
    if (!conversation) return null
    const id = this.nextId++
    const message = { id, time: Date.now(), info: '', ...part }
    this.put({ ...conversation, messages: [...conversation.messages, message].slice(-MOST_MESSAGES) })
    return id
  }

  private find = (key: string): Conversation | undefined => this.conversations.find((conversation) => conversation.key === key)

  /** In front of all others. */
  private put(conversation: Conversation): void {
    const others = this.conversations.filter((other) => other.key !== conversation.key)
    this.conversations = [conversation, ...others].slice(0, MOST_CONVERSATIONS)
  }

  private replace(conversation: Conversation): void {
    this.conversations = this.conversations.map((other) => (other.key === conversation.key ? conversation : other))
  }

  private change(id: number, part: Partial<Message>): void {
    this.conversations = this.conversations.map((conversation) => ({
      ...conversation,
      messages: conversation.messages.map((message) => (message.id === id ? { ...message, ...part } : message)),
    }))
  }
}

export const MOST_MESSAGES = 500
export const MOST_CONVERSATIONS = 200
const MOST_EARLY = 100
