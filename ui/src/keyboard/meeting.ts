import { t } from '../locales'
import type { App } from '../state/app.svelte'
import type { MeetingAct } from './map'

/** What a key does in the meeting. */
export function inMeeting(act: MeetingAct, app: App, document: Document): void {
  const { rooms } = app
  if (act === 'close') {
    if (rooms.reacting) rooms.reacting = false
    else rooms.panel = null
    return
  }
  if (rooms.room?.status !== 'JOINED') return
  switch (act) {
    case 'sound':
      return void rooms.toggleSound()
    case 'picture':
      return void rooms.togglePicture()
    case 'share':
      return rooms.toggleShare()
    case 'hand':
      return void rooms.toggleHand()
    case 'react':
      rooms.reacting = !rooms.reacting
      return
    case 'layout':
      return rooms.changeLayout()
    case 'people':
    case 'chat':
      return rooms.toggle(act)
    case 'invite':
      return rooms.open('invite')
    case 'full':
      return void fullScreen(app, document)
  }
}

export async function fullScreen(app: App, document: Document): Promise<void> {
  if (document.fullscreenElement) return document.exitFullscreen()
  await document.getElementById('meeting')?.requestFullscreen?.().catch(() => app.complain(t('stream.full.failed')))
}
