import type { ParticipantView } from '../../api/types'

/** Somebody who coughs does not change the picture: so long must one be the active speaker. */
export const SPEAKS_FOR_MS = 1200

/** Who speaks, as the stage shows it. */
export class Speaker {
  key = $state<string | null>(null)
  private next: string | null = null
  private timer: ReturnType<typeof setTimeout> | undefined

  /** Ourselves are never large by speaking. */
  follow(participants: readonly ParticipantView[], own: string): void {
    const active = participants.find((person) => person.active && person.participantId !== own)?.participantId ?? null
    if (this.key !== null && !participants.some(({ participantId }) => participantId === this.key)) this.key = null
    if (active === null || active === this.key) {
      this.stop()
      return
    }
    if (this.key === null) {
      this.stop()
      this.key = active
      return
    }
    if (active === this.next) return
    this.stop()
    this.next = active
    this.timer = setTimeout(() => {
      this.key = active
      this.next = null
    }, SPEAKS_FOR_MS)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.next = null
  }
}
