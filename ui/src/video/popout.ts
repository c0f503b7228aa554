/** Whether this page can show a picture in a small window above all others. */
export const canPopOut = (): boolean =>
  document.pictureInPictureEnabled === true && typeof HTMLCanvasElement.prototype.captureStream === 'function'

/** Until that window is closed. */
export async function popOut(canvas: HTMLCanvasElement): Promise<void> {
  const video = document.createElement('video')
  video.muted = true
  video.srcObject = canvas.captureStream()
  await video.play()
  await video.requestPictureInPicture()
  video.addEventListener('leavepictureinpicture', () => {
    video.srcObject = null
  })
}
