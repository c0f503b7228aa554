import type { StreamView } from '../api/types'
import { t } from '../locales'
import { toFailure } from '../platform/types'
import type { App } from '../state/app.svelte'

/** Whether this browser shows a video in a small window above all others. */
export const canFloat = (): boolean => document.pictureInPictureEnabled === true

/** Whether this page can show a picture in a small window above all others. */
const hasPictureInPicture = (): boolean => canFloat() && typeof HTMLCanvasElement.prototype.captureStream === 'function'

export const canPopOut = (app: App): boolean => app.windows.popOut !== undefined || hasPictureInPicture()

/** Shows a stream in a small window, which the app gives; in a browser that is its picture in picture, where it has one. */
export async function popOut(app: App, { streamId, name }: Pick<StreamView, 'streamId' | 'name'>, canvas: HTMLCanvasElement | null): Promise<void> {
  try {
    const floats = hasPictureInPicture() && (app.host === 'browser' || app.windows.popOut === undefined)
    if (canvas && floats) await floatAbove(canvas.captureStream())
    else await app.windows.popOut?.(streamId, name)
  } catch (reason) {
    app.complain(t('stream.out.failed', { info: toFailure(reason).message }))
  }
}

/** Until that window is closed. */
export async function floatAbove(stream: MediaStream): Promise<void> {
  const video = document.createElement('video')
  video.muted = true
  video.srcObject = stream
  await video.play()
  await video.requestPictureInPicture()
  video.addEventListener('leavepictureinpicture', () => {
    video.srcObject = null
  })
}
