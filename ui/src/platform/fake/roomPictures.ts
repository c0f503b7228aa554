import { i420Length } from '../frames/picture'
import type { StreamPicture } from '../types'

/** Streams of a meeting begin so. */
export const ROOM_STREAM = 'room-'

/** U and V of six walls. */
const WALLS = [[118, 140], [140, 118], [108, 122], [136, 134], [122, 112], [128, 128]] as const

const hash = (text: string): number => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7)

/** Somebody in front of a wall, who moves a little; of a screen: a page with a chart. */
export function drawn(streamId: string, number: number): StreamPicture {
  const [width, height] = [640, 360]
  const data = new Uint8Array(i420Length(width, height)).fill(128)
  if (streamId.endsWith('screen')) page(data, width, height)
  else person(data, width, height, hash(streamId), number)
  return { width, height, fullWidth: width * 2, fullHeight: height * 2, quarterTurns: 0, capturedAt: Date.now(), number, data }
}

function person(data: Uint8Array, width: number, height: number, seed: number, number: number): void {
  const [u, v] = WALLS[seed % WALLS.length]!
  const sway = Math.round(6 * Math.sin(number / 9 + seed))
  const skin = 120 + (seed % 70)
  const middle = width / 2 + sway
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const wall = 96 + (seed % 60) + Math.round((60 * (height - y)) / height)
      const head = ((x - middle) / 58) ** 2 + ((y - 150) / 74) ** 2 < 1
      const hair = !head && ((x - middle) / 68) ** 2 + ((y - 132) / 82) ** 2 < 1
      const body = ((x - middle) / 150) ** 2 + ((y - 380) / 150) ** 2 < 1
      data[y * width + x] = head ? skin : body ? 70 + (seed % 90) : hair ? 36 + (seed % 40) : wall
      if (y % 2 === 1 || x % 2 === 1) continue
      const at = (y / 2) * (width / 2) + x / 2
      data[width * height + at] = head ? 112 : body ? 100 + (seed % 60) : hair ? 122 : u
      data[width * height * 1.25 + at] = head ? 148 : body ? 100 + ((seed >> 4) % 60) : hair ? 136 : v
    }
  }
}

function page(data: Uint8Array, width: number, height: number): void {
  const bars = [90, 130, 110, 170, 150, 200, 185]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const title = y > 30 && y < 48 && x > 40 && x < 300
      const text = x > 40 && x < 250 && y > 84 && y < 320 && y % 22 < 7 && x < 250 - ((y * 7) % 60)
      const bar = x > 300 && y < 320 && (x - 300) % 44 < 30 && y > 320 - (bars[Math.floor((x - 300) / 44)] ?? 0)
      data[y * width + x] = title ? 50 : text ? 150 : bar ? 110 : y < 12 ? 70 : 232
      if (!bar || y % 2 === 1 || x % 2 === 1) continue
      const at = (y / 2) * (width / 2) + x / 2
      data[width * height + at] = 150
      data[width * height * 1.25 + at] = 90
    }
  }
}
