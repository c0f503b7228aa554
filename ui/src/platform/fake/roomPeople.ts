import type { ParticipantView, RoomStream, RoomView, Snapshot, StreamView } from '../../api/types'
import { ROOM_STREAM } from './roomPictures'
import { stream } from './streams'

const NAMES = ['Nadia Wolff', 'Tomás Herrera', 'Ines Okafor', 'Liam Chen', 'Priya Raman', 'Jonas Berg', 'Aiko Tanaka', 'Maximiliane von Hohenberg-Brandis', 'Sam', 'Zoë Lindqvist', 'Omar Haddad', 'Elena Petrova', 'David Kim', 'Fatou Diallo', 'Grace Hopper', 'Marek Nowak'] as const

export const OWN = 'p1'

export const face = (id: string, part: Partial<RoomStream> = {}): RoomStream => ({
  name: `standup-${id}`,
  screen: false,
  hasVideo: true,
  hasAudio: true,
  videoMuted: false,
  streamId: `${ROOM_STREAM}${id}`,
  info: '',
  level: 'good',
  ...part,
})

export const screenOf = (id: string): RoomStream => face(id, { name: `standup-${id}-screen`, screen: true, hasAudio: false, streamId: `${ROOM_STREAM}${id}-screen` })

export const somebody = (number: number, part: Partial<ParticipantView> = {}): ParticipantView => ({
  participantId: `p${number}`,
  login: NAMES[(number - 1) % NAMES.length]!,
  kind: number % 3 === 0 ? 'web' : 'app',
  host: number === 1,
  guest: number % 3 === 0,
  callId: null,
  streams: [face(`p${number}`)],
  audioMuted: false,
  hand: null,
  speaking: false,
  active: false,
  heard: true,
  quality: { level: 'good', info: '' },
  volume: 1,
  mutedHere: false,
  ...part,
})

/** Everything that a tile can say stands on one of them. */
const DIFFER: Readonly<Record<number, Partial<ParticipantView>>> = {
  2: { speaking: true, active: true },
  3: { audioMuted: true, streams: [face('p3', { videoMuted: true })] },
  4: { hand: 1 },
  5: { kind: 'phone', guest: false, login: '+44 20 7946 0123', callId: 'c7', streams: [face('p5', { hasVideo: false })] },
  6: { quality: { level: 'poor', info: '9 % of its packets are lost: a weak wireless network, most likely' } },
  7: { audioMuted: true, hand: 2 },
  8: { heard: false },
  9: { mutedHere: true, streams: [face('p9', { info: 'too little bandwidth for this picture', level: 'poor' })], quality: { level: 'fair', info: 'round trips take 320 ms' } },
  11: { streams: [], audioMuted: true },
  14: { streams: [face('p14', { hasVideo: false })] },
}

export const people = (count: number): ParticipantView[] => Array.from({ length: count }, (_, at) => somebody(at + 1, DIFFER[at + 1]))

export const room = (now: number, part: Partial<RoomView> = {}): RoomView => ({
  roomId: 'r1',
  name: 'standup',
  sessionId: null,
  status: 'JOINED',
  info: '',
  own: OWN,
  settings: { locked: false, lobby: true, mostParticipants: 16, mutedOnEntry: false },
  hasPassword: false,
  participants: people(1),
  knocking: [],
  played: null,
  published: null,
  recording: null,
  joinedAt: now - 754_000,
  ...part,
})

/** The streams that the pictures of a room are drawn from. */
export function withRoom(base: Snapshot, now: number, shown: RoomView): Snapshot {
  const streams = shown.participants.flatMap(({ participantId, streams: sent }) =>
    sent.map((sent): StreamView => stream(now, { streamId: sent.streamId ?? '', name: sent.name, direction: participantId === shown.own ? 'published' : 'played', roomId: shown.roomId })),
  )
  return { ...base, rooms: [shown], streams }
}
