import type { ParticipantId, ShownPicture } from '../api/types'
import { Shown } from '../screens/meeting/shown'

/** Tells the server which pictures a guest sees, and how large: the others are not sent. */
export class Looking {
  private shown: Shown | null = null
  private own: ParticipantId | null = null

  constructor(private readonly tell: (pictures: ShownPicture[]) => void) {}

  /** Who came back is somebody else: what was told before is forgotten. */
  now(own: ParticipantId, pictures: ShownPicture[]): void {
    if (own !== this.own) {
      this.end()
      this.own = own
      this.shown = new Shown(this.tell)
    }
    this.shown?.now(pictures)
  }

  end(): void {
    this.shown?.end(false)
    this.shown = null
    this.own = null
  }
}
