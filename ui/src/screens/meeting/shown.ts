import type { ShownPicture } from '../../api/types'

/** While a window is drawn larger a size a picture would be asked for. */
export const SETTLES_MS = 250

/** Tells what the screen shows when it has settled, and only what is new. */
export class Shown {
  private told = ''
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly tell: (pictures: ShownPicture[]) => void) {}

  now(pictures: ShownPicture[]): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.send(pictures), SETTLES_MS)
  }

  /** Nothing is shown any more. */
  end(tells: boolean): void {
    clearTimeout(this.timer)
    if (tells && this.told !== '') this.send([])
  }

  private send(pictures: ShownPicture[]): void {
    const text = JSON.stringify(pictures)
    if (text === this.told) return
    this.told = text
    this.tell(pictures)
  }
}
