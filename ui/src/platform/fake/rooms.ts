import type { Command, InviteView, ParticipantView, Reply, RoomAsk, RoomJoining, RoomView, Snapshot } from '../../api/types'
import { failure } from '../types'
import { DONE, type FakeEngine } from './engine'
import { face, OWN, people, room, screenOf, somebody, withRoom } from './roomPeople'
import type { Scenario } from './scenarios'

const QR =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h29v29H0z"/><path d="M4 4h7v7H4zM18 4h7v7h-7zM4 18h7v7H4z"/><path fill="#fff" d="M5 5h5v5H5zM19 5h5v5h-5zM5 19h5v5H5z"/><path d="M6 6h3v3H6zM20 6h3v3h-3zM6 20h3v3H6zM12 4h2v2h-2zM15 6h1v3h-1zM12 8h1v3h-1zM13 12h3v1h-3zM5 13h2v2H5zM9 13h1v3H9zM18 13h1v2h-1zM21 12h3v2h-3zM12 15h2v2h-2zM16 16h3v1h-3zM20 16h1v3h-1zM23 17h2v2h-2zM13 19h1v3h-1zM16 19h2v2h-2zM19 21h3v1h-3zM24 22h1v3h-1zM12 24h3v1h-3zM17 23h1v2h-1zM20 24h2v1h-2z"/></svg>'

/** States of meetings; `null` for a name that is none of them. `meeting-9-share`, `meeting-own-share`, `meeting-lobby`, … */
export function meetingScenario(name: string, now: number, base: Snapshot): Scenario | null {
  const of = (part: Partial<RoomView>, then?: (engine: FakeEngine) => void): Scenario => ({ snapshot: withRoom(base, now, room(now, part)), link: 'attached', ...(then ? { then } : {}) })
  const ends = (part: Partial<RoomView>, end: Partial<RoomView>): Scenario => of(part, (engine) => put(engine, { ...engine.state.rooms[0]!, ...end }))
  const counted = /^meeting-(\d+)(-share)?(-live)?$/.exec(name)
  if (counted) {
    const participants = people(Math.min(32, Number(counted[1])))
    const shared = counted[2] ? participants.map((person, at) => (at === 1 ? { ...person, streams: [...person.streams, screenOf('p2')] } : person)) : participants
    return of({ participants: shared }, (engine) => void (engine.lively = counted[3] !== undefined))
  }
  switch (name) {
    case 'meeting':
      return { snapshot: base, link: 'attached' }
    case 'meeting-joining':
      return of({ status: 'JOINING', joinedAt: null, participants: [] })
    case 'meeting-back':
      return of({ status: 'JOINING', participants: people(3), info: 'no answer from media.example.org for 10 s; next attempt in 4 s' })
    case 'meeting-lobby':
      return of({ status: 'LOBBY', joinedAt: null, participants: [somebody(1, { host: false })] })
    case 'meeting-both': {
      const both = of({ participants: people(3) })
      const other = room(now, { roomId: 'r2', name: 'design-review', participants: people(2) })
      return { ...both, snapshot: { ...both.snapshot, rooms: [...both.snapshot.rooms, other] } }
    }
    case 'meeting-guest':
      return of({ own: 'p3', participants: people(4) })
    case 'meeting-host':
      return of({ participants: people(6), hasPassword: true, settings: { locked: true, lobby: true, mostParticipants: 16, mutedOnEntry: true }, published: 'standup-live', knocking: knocking(now), recording: { path: '/home/nadia/Videos/Sidetone/2026-03-02 14.05 standup.mp4', paused: false, seconds: 318, problem: null } })
    case 'meeting-own-share':
      return of({ participants: people(4).map((person) => (person.participantId === OWN ? { ...person, streams: [...person.streams, screenOf(OWN)] } : person)) })
    case 'meeting-unheard':
      return of({ participants: people(4).map((person) => (person.participantId === OWN ? { ...person, heard: false, quality: { level: 'poor', info: 'your network loses 12 % of what you send' } } : person)) })
    case 'meeting-chat':
      return of({ participants: people(5) }, chatter)
    case 'meeting-refused':
      return ends({ status: 'LOBBY', joinedAt: null }, { status: 'FAILED', info: 'A host did not let you in' })
    case 'meeting-failed':
      return ends({ status: 'JOINING', joinedAt: null }, { status: 'FAILED', info: 'The room has as many participants as it may have' })
    case 'meeting-removed':
      return ends({}, { status: 'LEFT', info: 'Removed by Nadia Wolff' })
    case 'meeting-lost':
      return ends({}, { status: 'FAILED', info: 'The Web Call Server media.example.org does not answer any more' })
    case 'meeting-closed':
      return ends({}, { status: 'LEFT', info: 'The meeting was ended for all' })
    default:
      return null
  }
}

const knocking = (now: number): RoomView['knocking'] => [
  { participantId: 'k1', login: 'Rosa Lund', since: now - 40_000 },
  { participantId: 'k2', login: 'An old friend from the other office', since: now - 5000 },
]

function chatter(engine: FakeEngine): void {
  const say = (from: string, login: string, text: string, to?: string): void => engine.emit({ event: 'RoomMessage', roomId: 'r1', from, login, text, ...(to ? { to } : {}) })
  say('p2', 'Tomás Herrera', 'Good morning! The agenda is in https://example.org/standup/2026-03-02')
  say('p4', 'Liam Chen', 'I have two points for the end.')
  say('p2', 'Tomás Herrera', 'Can you take the minutes today?', OWN)
  engine.emit({ event: 'RoomReaction', roomId: 'r1', from: 'p4', reaction: '👏' })
  engine.emit({ event: 'RoomReaction', roomId: 'r1', from: 'p2', reaction: '🎉' })
}

/** Commands about rooms; `null` for all others. A room `secret` wants the password `open`, one with `full` in its name is full. */
export function roomCommand(engine: FakeEngine, command: Command): Reply | null {
  if (command.command === 'joinRoom') return join(engine, command)
  if (command.command !== 'askRoom') return null
  const found = engine.state.rooms.find(({ roomId }) => roomId === command.roomId)
  if (!found) throw failure('notFound', `there is no room "${command.roomId}"`)
  return ask(engine, found, command.room)
}

function join(engine: FakeEngine, { name, login, sources, audioMuted, videoMuted, password, settings }: RoomJoining): Reply {
  if (!/^[\w.-]{1,64}$/.test(name)) throw { ...failure('invalid', 'letters, digits, "-", "_" and "." alone, at most 64'), field: 'name' }
  if (name === 'secret' && password !== 'open') throw { ...failure('passwordNeeded', password ? 'The password is wrong' : 'This room wants a password'), field: 'password' }
  const roomId = engine.id('r')
  const streams = sources ? [face(OWN, { hasVideo: sources.video !== undefined, hasAudio: sources.audio.length > 0, videoMuted: videoMuted === true })] : []
  const us = somebody(1, { login, streams, audioMuted: audioMuted === true })
  const fresh = room(Date.now(), { roomId, name, status: 'JOINING', joinedAt: null, participants: [us], ...(settings ? { settings } : {}) })
  put(engine, fresh)
  engine.after(600, () => put(engine, name.includes('full') ? { ...fresh, status: 'FAILED', info: 'The room has as many participants as it may have' } : { ...fresh, status: 'JOINED', joinedAt: Date.now() }))
  return { reply: 'room', roomId }
}

function ask(engine: FakeEngine, found: RoomView, wish: RoomAsk): Reply {
  const change = (part: Partial<RoomView>): Reply => (put(engine, { ...found, ...part }), DONE)
  const one = (id: string, part: (person: ParticipantView) => Partial<ParticipantView>): Reply =>
    change({ participants: found.participants.map((person) => (person.participantId === id ? { ...person, ...part(person) } : person)) })
  const us = (part: (person: ParticipantView) => Partial<ParticipantView>): Reply => one(found.own, part)
  const without = (id: string): RoomView['knocking'] => found.knocking.filter(({ participantId }) => participantId !== id)
  switch (wish.ask) {
    case 'leave':
      return change({ status: 'LEFT', info: '' })
    case 'close':
      return change({ status: 'LEFT', info: 'The meeting was ended for all' })
    case 'mute':
      return us(({ audioMuted, streams }) => ({ audioMuted: wish.audio ?? audioMuted, streams: streams.map((sent) => (sent.screen ? sent : { ...sent, videoMuted: wish.video ?? sent.videoMuted })) }))
    case 'setSources':
      return us(({ streams }) => ({ streams: [...(wish.sources ? [face(OWN, { hasVideo: wish.sources.video !== undefined })] : []), ...streams.filter(({ screen }) => screen)] }))
    case 'shareScreen':
      return us(({ streams }) => ({ streams: [...streams.filter(({ screen }) => !screen), ...(wish.sources ? [screenOf(OWN)] : [])] }))
    case 'raiseHand':
      return us(() => ({ hand: wish.on ? 1 + Math.max(0, ...found.participants.map(({ hand }) => hand ?? 0)) : null }))
    case 'react':
      engine.emit({ event: 'RoomReaction', roomId: found.roomId, from: found.own, reaction: wish.reaction })
      return DONE
    case 'sendMessage':
      if (wish.text.includes('fail')) throw failure('network', 'It did not reach the room')
      return DONE
    case 'hear':
      return one(wish.participantId, ({ volume, mutedHere }) => ({ volume: wish.volume ?? volume, mutedHere: wish.muted ?? mutedHere }))
    case 'changeSettings':
      return change({ settings: wish.settings })
    case 'setPassword':
      return change({ hasPassword: wish.password !== null })
    case 'admit': {
      const login = found.knocking.find(({ participantId }) => participantId === wish.participantId)?.login ?? ''
      return change({ knocking: without(wish.participantId), participants: [...found.participants, somebody(20, { participantId: wish.participantId, login, guest: true, kind: 'web', streams: [] })] })
    }
    case 'refuse':
      return change({ knocking: without(wish.participantId) })
    case 'remove':
      return change({ participants: found.participants.filter(({ participantId }) => participantId !== wish.participantId) })
    case 'muteOther':
      return change({ participants: found.participants.map((person) => ((wish.participantId ?? person.participantId) === person.participantId && !person.host ? { ...person, audioMuted: true } : person)) })
    case 'makeHost':
      return one(wish.participantId, () => ({ host: true }))
    case 'invite':
      return { reply: 'invite', invite: invitation(wish.admitted === true) }
    case 'callIn':
      return change({ participants: [...found.participants, somebody(30, { login: wish.callee, kind: 'phone', guest: false, streams: [] })] })
    case 'addCall':
      return change({ participants: [...found.participants, somebody(31, { login: 'Call', kind: 'phone', guest: false, callId: wish.callId, streams: [] })] })
    case 'publish':
      return change({ published: wish.name })
    case 'playStream':
      return change({ played: wish.name })
    case 'record':
      return change({ recording: wish.on ? { path: '/home/nadia/Videos/Sidetone/2026-03-02 14.05 standup.mp4', paused: false, seconds: 0, problem: null } : null })
    default:
      return DONE
  }
}

const invitation = (admitted: boolean): InviteView => ({
  url: `https://192.168.1.20:8444/guest.html?room=standup&invite=${admitted ? 'q7Kd02mBvXe1RzYpT5aLwA' : 'Hs83jf0aPqLmZx6Tn1VbCw'}`,
  qr: QR,
  reach: 'network',
  info: 'Browsers in this network can follow it. For the whole world, enter a public address in Settings, Network.',
})

function put(engine: FakeEngine, changed: RoomView): void {
  const { roomId, status, name, info } = changed
  const before = engine.state.rooms.find((other) => other.roomId === roomId)
  const others = engine.state.rooms.filter((other) => other.roomId !== roomId)
  const rooms = status === 'LEFT' || status === 'FAILED' ? others : [...others, changed]
  engine.state = { ...engine.state, rooms }
  if (before?.status !== status) engine.emit({ event: 'RoomStatusEvent', status, roomId, name, info })
  engine.emit({ event: 'RoomChanged', room: changed })
}
