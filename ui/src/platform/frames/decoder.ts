import type { DecodedPicture, PictureFacts } from '../types'
import type { Codec, EncodedPicture } from './picture'

/** What the page's decoder gives, and what becomes of it. */
export type DecoderListener = {
  onPicture: (picture: DecodedPicture) => void
  /** So many pictures were taken and will never be seen. */
  onSkipped: (pictures: number) => void
  /** It goes on at the next key frame. */
  onLost: () => void
  /** It is of no use for this stream. */
  onFailed: (reason: string) => void
}

/** One stream's encoded pictures, decoded by the page itself. */
export class PageDecoder {
  private decoder: VideoDecoder | null = null
  private config = ''
  /** Of what the decoder has and has not given yet, by its time. */
  private readonly inside = new Map<number, PictureFacts>()
  private lastTime = 0
  private errors = 0
  private good = 0
  private stall: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly listener: DecoderListener) {}

  take(picture: EncodedPicture): void {
    const config = picture.key ? configOf(picture) : this.config
    if (!this.decoder || config !== this.config) {
      if (!picture.key) return this.listener.onSkipped(1)
      this.begin(config)
    }
    const timestamp = Math.max(this.lastTime + 1, Math.round(picture.capturedAt * 1000))
    this.lastTime = timestamp
    const { data, codec: _codec, key, ...facts } = picture
    this.inside.set(timestamp, facts)
    try {
      this.decoder?.decode(new EncodedVideoChunk({ type: key ? 'key' : 'delta', timestamp, data }))
      this.stall ??= setTimeout(() => this.fail('it gives no pictures'), STALLED_MS)
    } catch (reason) {
      this.lose(String(reason))
    }
  }

  close(): void {
    clearTimeout(this.stall)
    this.stall = undefined
    const decoder = this.decoder
    this.decoder = null
    this.inside.clear()
    if (decoder && decoder.state !== 'closed') decoder.close()
  }

  private begin(config: string): void {
    this.giveUp()
    this.config = config
    const decoder: VideoDecoder = new VideoDecoder({
      output: (frame) => (this.decoder === decoder ? this.give(frame) : frame.close()),
      error: (reason) => this.decoder === decoder && this.lose(reason.message),
    })
    this.decoder = decoder
    try {
      decoder.configure({ codec: config, optimizeForLatency: true })
    } catch (reason) {
      this.lose(String(reason))
    }
  }

  private give(frame: VideoFrame): void {
    clearTimeout(this.stall)
    this.stall = undefined
    // Not every webview gives the time back as it was; the order is that of the stream, as there are no B-frames.
    const time = this.inside.has(frame.timestamp) ? frame.timestamp : this.inside.keys().next().value
    const facts = time === undefined ? undefined : this.inside.get(time)
    if (time === undefined || !facts) return frame.close()
    this.inside.delete(time)
    if (++this.good >= FORGIVEN) this.errors = 0
    const { displayWidth: width, displayHeight: height } = frame
    this.listener.onPicture({ ...facts, width, height, fullWidth: width, fullHeight: height, frame })
  }

  private lose(reason: string): void {
    this.good = 0
    if (++this.errors > MOST_ERRORS) return this.fail(reason)
    this.giveUp()
    this.listener.onLost()
  }

  private fail(reason: string): void {
    this.giveUp()
    this.listener.onFailed(reason)
  }

  private giveUp(): void {
    const lost = this.inside.size
    this.close()
    if (lost > 0) this.listener.onSkipped(lost)
  }
}

const PROBES: readonly (readonly [Codec, string])[] = [
  ['H264', 'avc1.42E01F'],
  ['VP8', 'vp8'],
  ['VP9', 'vp09.00.10.08'],
]

/** What this page decodes by itself; nothing where it does not say so soon. */
export async function decodable(): Promise<Codec[]> {
  if (typeof VideoDecoder === 'undefined' || typeof EncodedVideoChunk === 'undefined') return []
  const patience = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), PROBE_MS))
  const supports = async (codec: string): Promise<boolean> => {
    try {
      return (await VideoDecoder.isConfigSupported({ codec, optimizeForLatency: true })).supported === true
    } catch {
      return false
    }
  }
  const supported = await Promise.all(PROBES.map(([, codec]) => Promise.race([supports(codec), patience])))
  return PROBES.filter((_, index) => supported[index]).map(([name]) => name)
}

/** For `VideoDecoder`; of H.264 what the stream's own parameter set says. */
export function configOf({ codec, data }: Pick<EncodedPicture, 'codec' | 'data'>): string {
  if (codec === 'VP8') return 'vp8'
  if (codec === 'VP9') return 'vp09.00.10.08'
  for (let at = 0; at + 6 < data.length; at++) {
    const starts = data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 1
    if (!starts || (data[at + 3]! & 0x1f) !== SPS) continue
    return `avc1.${[...data.subarray(at + 4, at + 7)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
  }
  return 'avc1.42e01f'
}

const SPS = 7
const STALLED_MS = 2000
const PROBE_MS = 1000
/** Errors after which it is given up, unless so many good pictures came between. */
const MOST_ERRORS = 2
const FORGIVEN = 300
