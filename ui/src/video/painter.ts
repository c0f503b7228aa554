import type { AnyPicture, StreamPicture } from '../platform/types'
import { toRgba } from './rgba'
import { WebglPainter } from './webgl'

/** Draws pictures into a canvas, which gets the picture's size; the page letterboxes it. */
export type Painter = { draw(picture: AnyPicture): void }

/** It is not drawn: a newer one is there. */
export function discard(picture: AnyPicture): void {
  if ('frame' in picture) picture.frame.close()
}

/** `null` where this page cannot draw at all. */
export function painterFor(canvas: HTMLCanvasElement): Painter | null {
  if (typeof VideoFrame === 'undefined') {
    const painter = WebglPainter.of(canvas)
    if (painter) return painter
  }
  const context = canvas.getContext('2d', { alpha: false })
  return context && new FlatPainter(canvas, context)
}

/** Each picture becomes a `VideoFrame`; where the page has none, or not for this size, its pixels are worked out. */
class FlatPainter implements Painter {
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly context: CanvasRenderingContext2D,
  ) {}

  draw(picture: AnyPicture): void {
    const { width, height, quarterTurns } = picture
    const [wide, high] = quarterTurns % 2 === 0 ? [width, height] : [height, width]
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide
      this.canvas.height = high
    }
    const source = 'frame' in picture ? picture.frame : (frameOf(picture) ?? softly(picture))
    if (!source) return
    const { context } = this
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.translate(wide / 2, high / 2)
    context.rotate((quarterTurns * Math.PI) / 2)
    context.drawImage(source, -width / 2, -height / 2, width, height)
    if ('close' in source) source.close()
  }
}

/** Not every webview takes I420 of odd sizes. */
function frameOf({ data, width, height, capturedAt }: StreamPicture): VideoFrame | null {
  if (typeof VideoFrame === 'undefined' || width % 2 === 1 || height % 2 === 1) return null
  const colorSpace = { matrix: 'smpte170m', primaries: 'smpte170m', transfer: 'smpte170m', fullRange: false } as const
  try {
    const timestamp = Math.round(capturedAt * 1000)
    return new VideoFrame(data, { format: 'I420', codedWidth: width, codedHeight: height, timestamp, colorSpace })
  } catch {
    return null
  }
}

function softly(picture: StreamPicture): HTMLCanvasElement | null {
  const canvas = document.createElement('canvas')
  canvas.width = picture.width
  canvas.height = picture.height
  const context = canvas.getContext('2d')
  context?.putImageData(new ImageData(toRgba(picture), picture.width, picture.height), 0, 0)
  return context && canvas
}
