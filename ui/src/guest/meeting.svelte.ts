import type { ParticipantId, ParticipantView, RoomAsk, RoomView } from '../api/types'
import { t } from '../locales'
import { newsOfRoom } from '../state/roomNews'
import { GuestChat } from './chat.svelte'
import { Legs } from './legs.svelte'
import type { Link } from './link'
import { OwnMedia } from './media.svelte'
import { streamName } from './streamNames'
import type { Leg } from './wcs/leg'
import type { ServerMessage } from './wcs/messages'
import { readNews, roomCommands, type RoomNews } from './wcs/room'
import { Session, type Socket } from './wcs/session'

export type Phase = 'form' | 'joining' | 'lobby' | 'in' | 'back' | 'over'
export type Hearing = { volume: number; muted: boolean }

/** Waits between attempts after the connection was lost, milliseconds. */
const BACK_MS = [1000, 2000, 4000, 8000, 15_000] as const
const LEVELS_MS = 250
const SPEECH = 0.02

/** The meeting as a guest has it in a browser. */
export class GuestMeeting {
  phase = $state<Phase>('form')
  /** Of the link, or of the server by the invite; empty: not known yet. */
  name = $state('')
  login = $state('')
  password = $state('')
  /** Why we are not in. */
  info = $state('')
  news = $state('')
  asksPassword = $state(false)
  readonly media = new OwnMedia()
  readonly chat = new GuestChat(this)
  reacted = $state.raw<readonly { id: number; login: string; reaction: string }[]>([])
  hearing = $state.raw<ReadonlyMap<ParticipantId, Hearing>>(new Map())
  legs = $state.raw<Legs | null>(null)
  private told = $state.raw<RoomView | null>(null)
  private loud = $state.raw<ReadonlyMap<ParticipantId, number>>(new Map())
  readonly room = $derived(this.told && this.heard(this.told))
  private session: Session | null = null
  private face: Leg | null = null
  private screen: Leg | null = null
  private attempt = 0
  private joined = false
  private count = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private meter: ReturnType<typeof setInterval> | undefined

  constructor(
    readonly link: Link,
    private readonly open: (url: string) => Socket = (url) => new WebSocket(url),
  ) {
    this.login = link.login
    this.name = link.room
  }

  get own(): ParticipantView | null {
    return this.room?.participants.find(({ participantId }) => participantId === this.room?.own) ?? null
  }

  nameOf(participantId: ParticipantId): string {
    return this.room?.participants.find((person) => person.participantId === participantId)?.login ?? t('meeting.somebody')
  }

  join(): void {
    this.attempt = 0
    this.joined = false
    this.phase = 'joining'
    this.info = ''
    this.connect()
  }

  leave(): void {
    void this.commands?.leave()
    this.finish('form', '')
  }

  async ask(room: RoomAsk): Promise<void> {
    const refused = await (this.commands?.ask(room) ?? null)
    if (refused) this.news = refused
  }

  say(text: string, to: ParticipantId | null): Promise<string | null> {
    return this.commands?.say(text, to) ?? Promise.resolve(t('guest.lost'))
  }

  mute(kind: 'audio' | 'video', muted: boolean): void {
    this.media.mute(kind, muted)
    this.face?.mute(kind, muted)
  }

  hear(participantId: ParticipantId, part: Partial<Hearing>): void {
    this.hearing = new Map(this.hearing).set(participantId, { ...(this.hearing.get(participantId) ?? { volume: 1, muted: false }), ...part })
  }

  async toggleShare(): Promise<void> {
    if (this.media.screen) return this.endShare()
    const stream = await this.media.share()
    if (!stream || !this.legs) return
    stream.getVideoTracks()[0]?.addEventListener('ended', () => this.endShare())
    this.screen = this.legs.publish(streamName(this.name, this.login, true), stream, () => {}, () => this.endShare())
  }

  private get commands(): ReturnType<typeof roomCommands> | null {
    return this.session && roomCommands(this.session, this.name)
  }

  private connect(): void {
    const { login, link } = this
    const session: Session = new Session(this.open(link.server), { login: login.trim(), token: link.invite }, {
      onEstablished: (connection) => void this.enter(session, connection),
      onMessage: (message) => this.session === session && this.take(message),
      onEnd: (established, info) => this.session === session && this.lost(established, info),
    })
    this.session = session
  }

  private async enter(session: Session, connection: Record<string, unknown>): Promise<void> {
    const { room, iceServers: ice } = connection
    if (this.name === '' && typeof room === 'string') this.name = room
    if (this.name === '') return this.finish('form', t('guest.noRoom'))
    this.legs = new Legs(session, this.name, Array.isArray(ice) ? (ice as RTCIceServer[]) : [])
    const { password, link } = this
    const refused = await roomCommands(session, this.name).join({ ...(password === '' ? {} : { password }), ...(link.invite === '' ? {} : { invite: link.invite }) })
    if (this.session !== session) return
    if (refused !== null) {
      this.asksPassword ||= /password/i.test(refused)
      return this.finish('form', refused)
    }
    this.attempt = 0
    this.joined = true
    this.phase = 'in'
    this.meter = setInterval(() => this.measure(), LEVELS_MS)
    const { face } = this.media
    if (face && face.getTracks().length > 0) this.send(face)
    if (this.media.screen) this.screen = this.legs.publish(streamName(this.name, this.login, true), this.media.screen, () => {}, () => this.endShare())
  }

  private send(face: MediaStream): void {
    if (!this.legs) return
    const leg = this.legs.publish(streamName(this.name, this.login, false), face, () => this.media.mute('audio', true), (info) => (this.news = info))
    this.face = leg
    for (const kind of ['audio', 'video'] as const) if (kind === 'audio' ? this.media.audioMuted : this.media.videoMuted) leg.mute(kind, true)
  }

  private endShare(): void {
    if (this.screen) this.legs?.unpublish(this.screen)
    this.screen = null
    this.media.endShare()
  }

  private take(message: ServerMessage): void {
    if (message.message === 'OnDataEvent') {
      const news = readNews(message.payload, this.name)
      if (news) this.hearNews(news)
      return
    }
    this.legs?.take(message)
  }

  private hearNews(news: RoomNews): void {
    switch (news.name) {
      case 'LOBBY':
        this.phase = 'lobby'
        return
      case 'REMOVED':
        return this.finish('over', news.info)
      case 'ROOM': {
        const sentences = newsOfRoom(this.told ?? undefined, news.room)
        if (sentences.length > 0) this.news = sentences.join('. ')
        this.told = news.room
        this.legs?.follow(news.room)
        return
      }
      case 'MESSAGE':
        this.news = t(news.secret ? 'news.room.private' : 'news.room.message', { name: news.from })
        return this.chat.take(news.from, news.text, news.secret)
      case 'REACTION':
        return this.react(news.from, news.reaction)
    }
  }

  private react(login: string, reaction: string): void {
    const id = ++this.count
    this.reacted = [...this.reacted.slice(-4), { id, login, reaction }]
    setTimeout(() => (this.reacted = this.reacted.filter((other) => other.id !== id)), 6000)
  }

  /** Who was in comes back by itself for a while; who was refused does not. */
  private lost(established: boolean, info: string): void {
    const wait = BACK_MS[this.attempt]
    if (!this.joined || (info !== '' && !established) || wait === undefined) return this.finish(this.joined ? 'over' : 'form', info || t('guest.lost'))
    this.attempt++
    this.clear()
    this.phase = 'back'
    this.timer = setTimeout(() => this.connect(), wait)
  }

  private finish(phase: Phase, info: string): void {
    const { session } = this
    this.session = null
    clearTimeout(this.timer)
    this.endShare()
    this.clear()
    session?.close()
    this.told = null
    this.media.close()
    this.info = info
    this.phase = phase
  }

  private clear(): void {
    clearInterval(this.meter)
    this.legs?.end()
    this.legs = null
    this.face = null
    this.screen = null
  }

  private measure(): void {
    const { told, legs } = this
    if (!told || !legs) return
    this.loud = new Map(told.participants.map(({ participantId, streams }) => [participantId, Math.max(0, ...streams.map(({ name }) => legs.loudness(name)))]))
  }

  /** With what this browser hears, and how its user wants to hear it. */
  private heard(room: RoomView): RoomView {
    const loudest = [...this.loud].reduce((best, next) => (next[1] > best[1] ? next : best), ['', SPEECH] as [string, number])[0]
    const participants = room.participants.map((person) => {
      const hearing = this.hearing.get(person.participantId)
      const speaking = person.speaking || (this.loud.get(person.participantId) ?? 0) > SPEECH
      return { ...person, speaking, active: person.active || person.participantId === loudest, volume: hearing?.volume ?? 1, mutedHere: hearing?.muted ?? false }
    })
    return { ...room, participants }
  }
}
