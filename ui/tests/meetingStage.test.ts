import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { people, room, screenOf } from '../src/platform/fake/roomPeople'
import { fitting, gridOf, splitOf, type Box, type Size } from '../src/screens/meeting/layout'
import { arrange, colourOf, initials, picturesOf, seatsOf } from '../src/screens/meeting/seats'
import { SETTLES_MS, Shown } from '../src/screens/meeting/shown'
import { SPEAKS_FOR_MS, Speaker } from '../src/screens/meeting/speaker.svelte'
import { inOrder } from '../src/screens/meeting/words'

const ROOMS: readonly Size[] = [{ width: 344, height: 420 }, { width: 620, height: 200 }, { width: 1000, height: 600 }, { width: 3800, height: 2000 }]
const overlap = (one: Box, other: Box): boolean => one.x < other.x + other.width - 0.1 && other.x < one.x + one.width - 0.1 && one.y < other.y + other.height - 0.1 && other.y < one.y + one.height - 0.1
const inside = ({ x, y, width, height }: Box, room: Size): boolean => x >= -0.1 && y >= -0.1 && x + width <= room.width + 0.1 && y + height <= room.height + 0.1

const shared = (count: number): ReturnType<typeof people> => people(count).map((person, at) => (at === 1 ? { ...person, streams: [...person.streams, screenOf('p2')] } : person))
const wanted = { layout: 'grid', pinned: null, speaker: 'p2', page: 0 } as const

describe('the stage', () => {
  it.each([1, 2, 5, 9, 16, 32].flatMap((count) => ROOMS.flatMap((space) => (['grid', 'speaker'] as const).flatMap((layout) => [false, true].map((share) => [count, space, layout, share] as const)))))(
    'keeps %i people apart and inside of %j in the %s layout, share: %s',
    (count, space, layout, share) => {
      const seats = seatsOf({ participants: share ? shared(count) : people(count), own: 'p1' })
      const seen = new Set<string>()
      const { pages } = arrange(seats, space, { ...wanted, layout })
      for (let page = 0; page < pages; page++) {
        const { placed } = arrange(seats, space, { ...wanted, layout, page })
        for (const [at, { box, seat }] of placed.entries()) {
          seen.add(seat.key)
          expect(inside(box, space), `${seat.key} ${JSON.stringify(box)}`).toBe(true)
          expect(placed.slice(at + 1).some((other) => overlap(box, other.box))).toBe(false)
        }
      }
      expect(seen.size).toBe(seats.length)
    },
  )

  it('uses most of the window for as many as are there', () => {
    const used = (count: number, space: Size): number => gridOf(count, space).reduce((sum, { width, height }) => sum + width * height, 0) / (space.width * space.height)
    for (const count of [1, 2, 4, 5, 9, 16]) expect(used(count, { width: 1280, height: 640 }), String(count)).toBeGreaterThan(0.55)
  })

  it('puts on other pages what would be too small', () => {
    expect(fitting(16, { width: 344, height: 420 })).toBeLessThan(16)
    expect(fitting(16, { width: 1280, height: 640 })).toBe(16)
    expect(fitting(3, { width: 40, height: 40 })).toBe(1)
    expect(arrange(seatsOf({ participants: people(16), own: 'p1' }), { width: 344, height: 420 }, { ...wanted, page: 99 }).page).toBe(1)
  })

  it('is nothing before it has a size', () => {
    for (const { box } of arrange(seatsOf({ participants: people(4), own: 'p1' }), { width: 0, height: 0 }, wanted).placed) for (const side of Object.values(box)) expect(Number.isFinite(side)).toBe(true)
  })

  it('moves nobody in the grid when another speaks, and ourselves are last', () => {
    const seats = seatsOf({ participants: people(9), own: 'p1' })
    const order = (speaker: string): string[] => arrange(seats, ROOMS[2]!, { ...wanted, speaker }).placed.map(({ seat }) => seat.key)
    expect(order('p2')).toEqual(order('p7'))
    expect(order('p2').at(-1)).toBe('p1')
  })

  it('has a shared screen in front with the speaker first beside it, and what was pinned before all', () => {
    const seats = seatsOf({ participants: shared(9), own: 'p1' })
    const stage = arrange(seats, ROOMS[2]!, { ...wanted, layout: 'speaker', speaker: 'p6' })
    expect(stage.placed.slice(0, 2).map(({ seat, front }) => [seat.key, front])).toEqual([['p2/standup-p2-screen', true], ['p6', false]])
    expect(arrange(seats, ROOMS[2]!, { ...wanted, layout: 'speaker', pinned: 'p4' }).placed[0]?.seat.key).toBe('p4')
  })

  it('does not put our own screen in front of us', () => {
    const participants = people(3).map((person) => (person.participantId === 'p1' ? { ...person, streams: [...person.streams, screenOf('p1')] } : person))
    expect(arrange(seatsOf({ participants, own: 'p1' }), ROOMS[2]!, wanted).placed.every(({ front }) => !front)).toBe(true)
  })

  it('lies its strip beside the large picture in a wide window, and below it in a high one', () => {
    expect(splitOf(5, { width: 1000, height: 600 }).strip.y).toBe(0)
    expect(splitOf(5, { width: 400, height: 700 }).strip.x).toBe(0)
  })

  it('asks for pictures of others alone, as large as they are drawn', () => {
    const { placed } = arrange(seatsOf({ participants: people(5), own: 'p1' }), ROOMS[2]!, wanted)
    const pictures = picturesOf(placed, 2)
    // One hides its picture, one is a telephone, one are we.
    expect(pictures.map(({ name }) => name)).toEqual(['standup-p2', 'standup-p4'])
    expect(pictures[0]?.width).toBe(Math.round((placed[0]?.box.width ?? 0) * 2))
  })
})

describe('a name', () => {
  it('gives letters and a colour, whatever is written in it', () => {
    expect(['Nadia Wolff', 'sam', '  ', '李 小龍', 'a b c', '🎉 party'].map(initials)).toEqual(['NW', 'S', '?', '李小', 'AC', '🎉P'])
    for (const name of ['', 'x', 'Zoë Lindqvist']) expect([1, 2, 3, 4, 5, 6]).toContain(colourOf(name))
  })
})

describe('raised hands', () => {
  it('come first, in their order', () => {
    expect(inOrder(people(8)).map(({ participantId }) => participantId)).toEqual(['p4', 'p7', 'p1', 'p2', 'p3', 'p5', 'p6', 'p8'])
  })
})

describe('time', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('lets one speak for a while before the picture changes', () => {
    const speaker = new Speaker()
    const saying = (id: string) => people(6).map((person) => ({ ...person, active: person.participantId === id }))
    speaker.follow(saying('p2'), 'p1')
    expect(speaker.key).toBe('p2')
    speaker.follow(saying('p4'), 'p1')
    vi.advanceTimersByTime(SPEAKS_FOR_MS - 1)
    expect(speaker.key).toBe('p2')
    speaker.follow(saying('p2'), 'p1')
    vi.advanceTimersByTime(SPEAKS_FOR_MS * 2)
    expect(speaker.key).toBe('p2')
    speaker.follow(saying('p6'), 'p1')
    vi.advanceTimersByTime(SPEAKS_FOR_MS)
    expect(speaker.key).toBe('p6')
    speaker.follow(saying('p1'), 'p1')
    vi.advanceTimersByTime(SPEAKS_FOR_MS)
    expect(speaker.key).toBe('p6')
    speaker.follow(people(4).map((person) => ({ ...person, active: false })), room(0).own)
    expect(speaker.key).toBeNull()
  })

  it('tells what is shown when it has settled, once, and that nothing is at the end', () => {
    const told: number[] = []
    const shown = new Shown((pictures) => told.push(pictures.length))
    const one = [{ name: 'a', width: 10, height: 10 }]
    for (let at = 0; at < 20; at++) shown.now([{ name: 'a', width: at, height: 10 }])
    shown.now(one)
    vi.advanceTimersByTime(SETTLES_MS)
    shown.now(one)
    vi.advanceTimersByTime(SETTLES_MS)
    expect(told).toEqual([1])
    shown.end(true)
    vi.advanceTimersByTime(SETTLES_MS)
    expect(told).toEqual([1, 0])
  })
})
