import { SvelteMap } from 'svelte/reactivity'
import type { Envelope, Failure, InviteView, Level, ParticipantId, ParticipantView, RoomAsk, RoomId, RoomJoining, RoomSettings, RoomView, StreamSources } from '../api/types'
import { t } from '../locales'
import { toFailure } from '../platform/types'
import type { App } from './app.svelte'
import { roomOfLink } from './inviteLink'
import { roomHasEnded } from './mirror'
import { RecentRooms } from './recentRooms.svelte'
import { RoomChat } from './roomChat.svelte'

export type RoomLayout = 'grid' | 'speaker'
export type RoomPanel = 'people' | 'chat'
export type RoomDialog = 'invite' | 'rules' | 'share' | 'leave'
/** The last room that we were in, and how far we had come. */
export type EndedRoom = { room: RoomView; before: RoomView['status'] }
/** What somebody has just expressed. */
export type Reacted = { id: number; from: ParticipantId; reaction: string }

/** Meetings: the one that we are in, how it is shown, and what the form for the next one says. */
export class Rooms {
  name = $state('')
  login = $state(remembered())
  password = $state('')
  /** Of pictures; empty: none. */
  camera = $state('default')
  microphone = $state('default')
  audioMuted = $state(false)
  videoMuted = $state(false)
  /** The session at whose Web Call Server it is; empty: here. */
  server = $state('')
  /** `null`: as the engine makes rooms. */
  rules = $state.raw<RoomSettings | null>(null)
  layout = $state<RoomLayout>('grid')
  panel = $state<RoomPanel | null>(null)
  dialog = $state<RoomDialog | null>(null)
  /** The reactions are open. */
  reacting = $state(false)
  /** What the user put in front, by its seat; `null`: whoever speaks. */
  pinned = $state<string | null>(null)
  ended = $state.raw<EndedRoom | null>(null)
  levels = $state.raw<ReadonlyMap<ParticipantId, Level>>(new Map())
  reacted = $state.raw<readonly Reacted[]>([])
  /** Of several meetings the one that is shown; `null`: the newest. */
  private chosen = $state<RoomId | null>(null)
  private readonly chats = new SvelteMap<RoomId, RoomChat>()
  private readonly noChat = new RoomChat(this, '')
  readonly recent = new RecentRooms()
  private readonly leaving = new Set<RoomId>()
  private reactions = 0

  constructor(private readonly app: App) {}

  /** That we are in or wait for. */
  get all(): readonly RoomView[] {
    return this.app.mirror?.rooms ?? []
  }

  /** The one that is shown. */
  get room(): RoomView | null {
    return this.all.find(({ roomId }) => roomId === this.chosen) ?? this.all.at(-1) ?? null
  }

  /** What was written in it. */
  get chat(): RoomChat {
    return this.chats.get(this.room?.roomId ?? '') ?? this.noChat
  }

  unreadOf(roomId: RoomId): number {
    return this.chats.get(roomId)?.unread ?? 0
  }

  /** Shows another of the meetings that we are in. */
  choose(roomId: RoomId): void {
    if (roomId === this.room?.roomId) return
    this.chosen = roomId
    this.rearrange()
  }

  /** In it, or on the way back into it. */
  get inside(): boolean {
    const { room } = this
    return room?.status === 'JOINED' || (room?.status === 'JOINING' && room.joinedAt !== null && room.participants.length > 0)
  }

  get own(): ParticipantView | null {
    const { room } = this
    return room?.participants.find(({ participantId }) => participantId === room.own) ?? null
  }

  get sources(): StreamSources {
    const { camera, microphone } = this
    return { ...(camera === '' ? {} : { video: camera }), audio: microphone === '' ? [] : [{ source: microphone, gain: 1 }] }
  }

  /** Rooms that are there when we come. */
  meet(rooms: readonly RoomView[]): void {
    for (const { roomId } of rooms) if (!this.chats.has(roomId)) this.chats.set(roomId, new RoomChat(this, roomId))
  }

  /** Before the mirror changes: what was is still to be seen there. */
  take(event: Envelope): void {
    if (event.event === 'RoomMeasured' && event.roomId === this.room?.roomId) this.levels = new Map(event.levels)
    if (event.event === 'RoomReaction' && event.roomId === this.room?.roomId) this.show(event.from, event.reaction)
    if (event.event === 'RoomMessage') this.chats.get(event.roomId)?.take(event)
    if (event.event === 'RoomChanged') this.change(event.room)
  }

  async join(): Promise<Failure | null> {
    const { name, login, password, sources, audioMuted, videoMuted, server, rules } = this
    if (name.trim() === '') return missing('name', t('meeting.name.missing'))
    if (login.trim() === '') return missing('login', t('meeting.login.missing'))
    const linked = roomOfLink(name.trim())
    const joining: RoomJoining = {
      name: linked ?? name.trim(),
      login: login.trim(),
      ...(sources.video === undefined && sources.audio.length === 0 ? {} : { sources }),
      audioMuted,
      videoMuted,
      ...(password === '' ? {} : { password }),
      ...(linked === null ? this.app.living(server || undefined) : { invite: name.trim() }),
      // Elsewhere its hosts make the rules.
      ...(rules && linked === null && server === '' ? { settings: rules } : {}),
    }
    try {
      await this.app.ask({ command: 'joinRoom', ...joining })
    } catch (reason) {
      return toFailure(reason)
    }
    this.password = ''
    this.ended = null
    remember(joining.login)
    // A link is good for a day.
    if (linked === null) this.recent.add(joining.name)
    return null
  }

  /** A failure becomes a message. */
  ask(room: RoomAsk): Promise<boolean> {
    return this.room ? this.app.perform({ command: 'askRoom', roomId: this.room.roomId, room }) : Promise.resolve(false)
  }

  /** For those that show a failure beside its field. */
  async tell(room: RoomAsk): Promise<Failure | null> {
    if (!this.room) return null
    try {
      await this.app.ask({ command: 'askRoom', roomId: this.room.roomId, room })
      return null
    } catch (reason) {
      return toFailure(reason)
    }
  }

  async invite(options: { login?: string; admitted?: boolean; once?: boolean }): Promise<InviteView> {
    const roomId = this.room?.roomId ?? ''
    const reply = await this.app.ask({ command: 'askRoom', roomId, room: { ask: 'invite', ...options } })
    if (reply.reply !== 'invite') throw new Error(t('meeting.invite.none'))
    return reply.invite
  }

  async leave(): Promise<void> {
    const { room } = this
    if (!room) return
    this.leaving.add(room.roomId)
    if (!(await this.ask({ ask: 'leave' }))) this.leaving.delete(room.roomId)
  }

  async close(): Promise<void> {
    const { room } = this
    if (!room) return
    this.leaving.add(room.roomId)
    if (!(await this.ask({ ask: 'close' }))) this.leaving.delete(room.roomId)
  }

  toggleSound(): Promise<boolean> {
    return this.ask({ ask: 'mute', audio: !(this.own?.audioMuted ?? false) })
  }

  /** Where no camera is sent yet, one is. */
  togglePicture(): Promise<boolean> {
    const face = this.own?.streams.find(({ screen }) => !screen)
    if (face?.hasVideo) return this.ask({ ask: 'mute', video: !face.videoMuted })
    if (this.camera === '') this.camera = 'default'
    return this.ask({ ask: 'setSources', sources: this.sources })
  }

  toggleHand(): Promise<boolean> {
    return this.ask({ ask: 'raiseHand', on: this.own?.hand == null })
  }

  /** A share that goes on ends; otherwise the user chooses what to share. */
  toggleShare(): void {
    if (this.own?.streams.some(({ screen }) => screen)) void this.ask({ ask: 'shareScreen', sources: null })
    else this.open('share')
  }

  /** Closed by being asked for again. */
  toggle(panel: RoomPanel): void {
    this.panel = this.panel === panel ? null : panel
  }

  open(dialog: RoomDialog): void {
    this.dialog = dialog
  }

  changeLayout(): void {
    this.layout = this.layout === 'grid' ? 'speaker' : 'grid'
    this.pinned = null
  }

  pin(seat: string): void {
    this.pinned = this.pinned === seat ? null : seat
    if (this.pinned !== null) this.layout = 'speaker'
  }

  nameOf(participantId: ParticipantId, room: RoomView | null = this.room): string {
    return room?.participants.find((person) => person.participantId === participantId)?.login ?? t('meeting.somebody')
  }

  private show(from: ParticipantId, reaction: string): void {
    const id = ++this.reactions
    this.reacted = [...this.reacted.slice(-11), { id, from, reaction }]
    setTimeout(() => (this.reacted = this.reacted.filter((other) => other.id !== id)), REACTION_MS)
  }

  private change(room: RoomView): void {
    const before = this.app.mirror?.rooms.find(({ roomId }) => roomId === room.roomId)
    if (!roomHasEnded(room)) {
      this.meet([room])
      if (!before) this.begin()
      return
    }
    this.levels = new Map()
    this.chats.delete(room.roomId)
    if (!this.leaving.delete(room.roomId)) this.ended = { room, before: before?.status ?? 'JOINING' }
  }

  private begin(): void {
    this.ended = null
    this.chosen = null
    this.rearrange()
  }

  private rearrange(): void {
    this.panel = null
    this.dialog = null
    this.reacting = false
    this.pinned = null
    this.reacted = []
    this.levels = new Map()
  }
}

const REACTION_MS = 6000
const KEY = 'sidetone.meeting.name'

const missing = (field: string, message: string): Failure => ({ code: 'invalid', field, message })

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? ''
  } catch {
    return ''
  }
}

function remember(login: string): void {
  try {
    localStorage.setItem(KEY, login)
  } catch {
    // A page without storage asks again.
  }
}
