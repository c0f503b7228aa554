import type { StreamPicture } from '../types'

/** Bytes before the planes; the layout is that of the gateway's `frames`. */
export const HEADER = 40
const I420 = 1

/** A picture of a channel; `null` for what is none. */
export function readPicture(buffer: ArrayBuffer): { channel: number; picture: StreamPicture } | null {
  if (buffer.byteLength < HEADER) return null
  const view = new DataView(buffer)
  const [width, height] = [view.getUint32(8, true), view.getUint32(12, true)]
  if (view.getUint8(4) !== I420 || width === 0 || height === 0) return null
  if (buffer.byteLength !== HEADER + i420Length(width, height)) return null
  const picture = {
    width,
    height,
    quarterTurns: view.getUint8(5) % 4,
    fullWidth: view.getUint32(16, true),
    fullHeight: view.getUint32(20, true),
    capturedAt: Number(view.getBigUint64(24, true)) / 1000,
    number: Number(view.getBigUint64(32, true)),
    data: new Uint8Array(buffer, HEADER),
  }
  return { channel: view.getUint32(0, true), picture }
}

export function i420Length(width: number, height: number): number {
  return width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2)
}
