import type { ParticipantView, RoomStream, RoomView, ShownPicture } from '../../api/types'
import { fitting, gridOf, splitOf, stripOf, type Box, type Size } from './layout'

/** A place on the stage: somebody, or a screen that somebody shares. */
export type Seat = { key: string; person: ParticipantView; stream: RoomStream | null; screen: boolean; own: boolean }
export type Placed = { seat: Seat; box: Box; front: boolean }
export type Stage = { placed: Placed[]; page: number; pages: number }

/** Higher than this no shared screen is. */
const SCREEN = 4 / 3

/** In the order in which they came, ourselves last: nobody moves when somebody speaks. */
export function seatsOf({ participants, own }: Pick<RoomView, 'participants' | 'own'>): Seat[] {
  const ordered = [...participants.filter(({ participantId }) => participantId !== own), ...participants.filter(({ participantId }) => participantId === own)]
  return ordered.flatMap((person): Seat[] => {
    const mine = person.participantId === own
    const face = person.streams.find(({ screen, hasVideo }) => !screen && hasVideo) ?? person.streams.find(({ screen }) => !screen) ?? null
    const screens = person.streams.filter(({ screen }) => screen)
    return [
      ...screens.map((stream): Seat => ({ key: `${person.participantId}/${stream.name}`, person, stream, screen: true, own: mine })),
      { key: person.participantId, person, stream: face, screen: false, own: mine },
    ]
  })
}

/** Who is large: what was pinned, a shared screen, then whoever speaks. Our own picture only where there is no other. */
export function frontOf(seats: readonly Seat[], pinned: string | null, speaker: string | null): Seat | null {
  const find = (key: string | null): Seat | undefined => seats.find((seat) => seat.key === key)
  const others = seats.filter(({ own }) => !own)
  return find(pinned) ?? others.find(({ screen }) => screen) ?? find(speaker) ?? others[0] ?? seats[0] ?? null
}

/** Where everything is. With a screen beside them the speaker comes first in the strip. */
export function arrange(seats: readonly Seat[], room: Size, wanted: { layout: 'grid' | 'speaker'; pinned: string | null; speaker: string | null; page: number }): Stage {
  const { layout, pinned, speaker } = wanted
  const front = frontOf(seats, pinned, speaker)
  const split = front !== null && seats.length > 1 && (layout === 'speaker' || front.screen)
  if (!split || front === null) return paged(seats, room, wanted.page, gridOf)
  const others = seats.filter((seat) => seat !== front)
  const inOrder = front.screen && layout === 'speaker' ? [...others.filter(({ key }) => key === speaker), ...others.filter(({ key }) => key !== speaker)] : others
  const { front: place, strip } = splitOf(others.length, room, front.screen ? SCREEN : undefined)
  const stage = paged(inOrder, strip, wanted.page, (count) => stripOf(count, strip))
  const [large] = front.screen ? [place] : gridOf(1, place).map((box) => ({ ...box, x: box.x + place.x, y: box.y + place.y }))
  return { ...stage, placed: [{ seat: front, box: large ?? { ...place }, front: true }, ...stage.placed] }
}

function paged(seats: readonly Seat[], room: Size, wanted: number, boxes: (count: number, room: Size) => Box[]): Stage {
  const most = fitting(seats.length, room)
  const pages = Math.max(1, Math.ceil(seats.length / Math.max(1, most)))
  const page = Math.min(wanted, pages - 1)
  const shown = seats.slice(page * most, (page + 1) * most)
  const places = boxes(shown.length, room)
  return { page, pages, placed: shown.flatMap((seat, at) => (places[at] ? [{ seat, box: places[at], front: false }] : [])) }
}

/** What is seen of others, in device pixels. */
export function picturesOf(placed: readonly Placed[], scale: number): ShownPicture[] {
  return placed.flatMap(({ seat: { stream, own }, box }) =>
    own || !stream?.hasVideo || stream.videoMuted ? [] : [{ name: stream.name, width: Math.round(box.width * scale), height: Math.round(box.height * scale) }],
  )
}

/** Of a name: the first letters of its first and last word. */
export function initials(login: string): string {
  const words = login.trim().split(/\s+/u).filter(Boolean)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '')
  return letters.join('').toLocaleUpperCase() || '?'
}

/** One of six colours, always the same for a name. */
export function colourOf(login: string): number {
  let sum = 0
  for (const letter of login) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0
  return (sum % 6) + 1
}
