import type { StreamPicture } from '../platform/types'

/** I420 of BT.601 in limited range as red, green, blue and opaque. */
export function toRgba({ data, width, height }: Pick<StreamPicture, 'data' | 'width' | 'height'>): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray(width * height * 4)
  const half = Math.ceil(width / 2)
  const [u, v] = [width * height, width * height + half * Math.ceil(height / 2)]
  for (let y = 0, to = 0; y < height; y++) {
    const row = (y >> 1) * half
    for (let x = 0; x < width; x++, to += 4) {
      const luma = 1.164 * (data[y * width + x]! - 16)
      const blue = data[u + row + (x >> 1)]! - 128
      const red = data[v + row + (x >> 1)]! - 128
      rgba[to] = luma + 1.596 * red
      rgba[to + 1] = luma - 0.813 * red - 0.392 * blue
      rgba[to + 2] = luma + 2.017 * blue
      rgba[to + 3] = 255
    }
  }
  return rgba
}
