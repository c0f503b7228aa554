import { focusOf } from '../keyboard/map'
import type { GuestMeeting } from './meeting.svelte'
import type { GuestShow } from './show.svelte'

/** As in the window: single letters, but not where text is typed. */
export function guestKeys(event: KeyboardEvent, meeting: GuestMeeting, show: GuestShow): void {
  if (event.defaultPrevented || event.isComposing || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return
  if (event.key === 'Escape') {
    show.panel = null
    return
  }
  if (focusOf(document.activeElement) === 'text') return
  const { media } = meeting
  const acts: Readonly<Record<string, () => unknown>> = {
    m: () => meeting.mute('audio', !media.audioMuted),
    v: () => meeting.mute('video', !media.videoMuted),
    d: () => media.canShare && meeting.toggleShare(),
    r: () => meeting.ask({ ask: 'raiseHand', on: meeting.own?.hand == null }),
    w: () => show.changeLayout(),
    p: () => show.toggle('people'),
    c: () => show.toggle('chat'),
  }
  const act = acts[event.key.toLowerCase()]
  if (!act) return
  event.preventDefault()
  act()
}
