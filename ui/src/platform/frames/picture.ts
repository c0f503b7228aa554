import type { PictureFacts, StreamPicture } from '../types'

/** By the encoding names of RTP. */
export type Codec = 'H264' | 'VP8' | 'VP9'

/** H.264 in Annex B form, with its parameter sets before each key frame; VP8 and VP9 a frame. */
export type EncodedPicture = PictureFacts & { codec: Codec; key: boolean; data: Uint8Array<ArrayBuffer> }

export type OnTheWire = { channel: number; picture: StreamPicture } | { channel: number; encoded: EncodedPicture }

/** Bytes before the planes; the layout is that of the gateway's `frames`. */
export const HEADER = 40
const I420 = 1

const CODECS: Readonly<Record<number, Codec>> = { 2: 'H264', 3: 'VP8', 4: 'VP9' }

/** A picture of a channel; `null` for what is none. */
export function readPicture(buffer: ArrayBuffer): OnTheWire | null {
  if (buffer.byteLength <= HEADER) return null
  const view = new DataView(buffer)
  const facts: PictureFacts = {
    width: view.getUint32(8, true),
    height: view.getUint32(12, true),
    quarterTurns: view.getUint8(5) % 4,
    fullWidth: view.getUint32(16, true),
    fullHeight: view.getUint32(20, true),
    capturedAt: Number(view.getBigUint64(24, true)) / 1000,
    number: Number(view.getBigUint64(32, true)),
  }
  if (facts.width === 0 || facts.height === 0) return null
  const [channel, kind, data] = [view.getUint32(0, true), view.getUint8(4), new Uint8Array(buffer, HEADER)]
  const codec = CODECS[kind]
  if (codec) return { channel, encoded: { ...facts, codec, key: (view.getUint16(6, true) & 1) === 1, data } }
  if (kind !== I420 || data.length !== i420Length(facts.width, facts.height)) return null
  return { channel, picture: { ...facts, data } }
}

export function i420Length(width: number, height: number): number {
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2)
}
