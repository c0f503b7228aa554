import type { StreamSources, StreamView } from '../../api/types'
import { i420Length } from '../frames/picture'
import { drawn, ROOM_STREAM } from './roomPictures'
import type { FrameListener, FrameSubscription, Shown, StreamPicture } from '../types'

/** Bars and a moving square, ten pictures a second while somebody draws them. A portrait stream comes lying on its side. */
export function fakePictures(shown: Shown, streams: readonly StreamView[], listener: FrameListener): FrameSubscription {
  let credits = 2
  let number = 0
  let sources = 'sources' in shown ? shown.sources : (streams.find((stream) => stream.streamId === shown.streamId)?.sources ?? null)
  const portrait = 'streamId' in shown && shown.streamId === 'st3'
  const person = 'streamId' in shown && shown.streamId.startsWith(ROOM_STREAM) ? shown.streamId : ''
  const timer = setInterval(() => {
    if (sources) listener.onLevels?.(levels(sources, number))
    number++
    if (credits <= 0 || isDark(sources)) return
    credits--
    listener.onPicture(person ? drawn(person, number - 1) : synthetic(portrait ? [180, 320] : [320, 180], number - 1))
  }, 100)
  const judge = (): void => listener.onProblem?.(isDark(sources) ? DARK : '')
  if ('sources' in shown) setTimeout(judge)
  const change = (changed: StreamSources): void => {
    sources = changed
    judge()
  }
  return { resize: () => {}, drawn: (pictures = 1) => void (credits += pictures), change, close: () => clearInterval(timer) }
}

/** The window of the fake list gives nothing. */
const isDark = (sources: StreamSources | null): boolean => sources?.video === 'window:7'
const DARK = 'window:7 gives no pictures: look whether another program uses it, or choose another one'

const levels = ({ audio }: StreamSources, number: number): { rms: number; peak: number }[] =>
  audio.map(({ gain }, at) => (gain === 0 ? { rms: -100, peak: -100 } : { rms: -30 + 8 * Math.sin(number / 3 + at), peak: -12 + at }))

/** Y, U, V of white, yellow, cyan, green, magenta, red, blue. */
const BARS = [[180, 128, 128], [162, 44, 142], [131, 156, 44], [112, 72, 58], [84, 184, 198], [65, 100, 212], [35, 212, 114]] as const

function synthetic([width, height]: readonly [number, number], number: number): StreamPicture {
  const data = new Uint8Array(i420Length(width, height))
  const [half, quarter] = [width / 2, (width / 2) * (height / 2)]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data[y * width + x] = luma(x, y, width, height, number)
  }
  const [u, v] = [width * height, width * height + quarter]
  for (let y = 0; y < height / 2; y++) {
    for (let x = 0; x < half; x++) {
      const bar = y < height / 3 ? BARS[Math.floor((x * 7) / half)]! : ([0, 128, 128] as const)
      data[u + y * half + x] = bar[1]
      data[v + y * half + x] = bar[2]
    }
  }
  return { width, height, fullWidth: width * 4, fullHeight: height * 4, quarterTurns: 0, capturedAt: Date.now(), number, data }
}

function luma(x: number, y: number, width: number, height: number, number: number): number {
  if (y < (height * 2) / 3) return BARS[Math.floor((x * 7) / width)]![0]
  const at = (number * 8) % width
  return Math.abs(x - at) < 8 ? 235 : 30
}
