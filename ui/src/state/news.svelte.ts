import type { CallView, Envelope, StreamView } from '../api/types'
import { t } from '../locales'
import type { Mirror } from './mirror'
import { NameBook } from './names'
import { isReaction } from './reactions'
import { newsOfRoom } from './roomNews'
import { remoteOf } from './words'

const NOBODY = new NameBook([])

/** What has just changed with a call, said for those who do not see it. Statuses of the call in front are said elsewhere. */
export function newsOfCall(before: CallView | undefined, after: CallView, inFront: boolean, book = NOBODY): string[] {
  if (!before) return []
  const name = book.nameOf(remoteOf(after), after.remoteName)
  const news: string[] = []
  const say = (changed: boolean, text: string): void => void (changed && news.push(text))
  if (!inFront && after.establishedAt !== null) {
    say(!before.hold.local && after.hold.local, t('news.held', { name }))
    say(!before.hold.remote && after.hold.remote, t('news.heldBy', { name }))
    say(before.status === 'HOLD' && after.status === 'ESTABLISHED', t('news.resumed', { name }))
  }
  say(!before.inConference && after.inConference, t('news.joined', { name }))
  say(before.inConference && !after.inConference, t('news.left', { name }))
  news.push(...newsOfRecording(before, after, name))
  if (after.problem && after.problem.kind !== before.problem?.kind) news.push(`${t(`problem.${after.problem.kind}`)}. ${after.problem.info}`)
  say(before.problem !== null && after.problem === null, t('news.problem.over', { name }))
  return news
}

function newsOfRecording(before: CallView, after: CallView, name: string): string[] {
  const [was, is] = [before.recording, after.recording]
  if (!was && is) return [t('news.recording.started', { name })]
  if (was && !is) return [t('news.recording.stopped', { name })]
  if (!was || !is) return []
  if (!was.problem && is.problem) return [t('news.recording.problem', { info: is.problem })]
  if (was.paused !== is.paused) return [t(is.paused ? 'news.recording.paused' : 'news.recording.resumed', { name })]
  return []
}

/** What a tile shows beside the status. */
function newsOfStream(before: StreamView, after: StreamView): string[] {
  const { name } = after
  const news: string[] = []
  const say = (changed: boolean, text: string): void => void (changed && news.push(text))
  if (after.direction === 'played') {
    say(!before.audioMuted && after.audioMuted, t('news.stream.silent', { name }))
    say(before.audioMuted && !after.audioMuted, t('news.stream.sound', { name }))
    say(!before.videoMuted && after.videoMuted, t('news.stream.dark', { name }))
    say(before.videoMuted && !after.videoMuted, t('news.stream.picture', { name }))
  }
  say(before.retryAt === null && after.retryAt !== null, t('news.stream.retry', { name }))
  say(!before.recording && after.recording !== null, t('news.recording.started', { name }))
  say(after.problem !== null && before.problem !== after.problem, `${name}: ${after.problem ?? ''}`)
  say(before.quality.level !== 'poor' && after.quality.level === 'poor' && after.problem === null, `${name}: ${after.quality.info}`)
  return news
}

const isOfRoom = ({ streams, rooms }: Mirror, streamId: string, name: string): boolean =>
  streams.some((stream) => stream.streamId === streamId && stream.roomId !== undefined) || rooms.some((room) => name.startsWith(`${room.name}-`))

function newsOfReaction(mirror: Mirror, from: string, reaction: string): string[] {
  const person = mirror.rooms.flatMap(({ participants }) => participants).find(({ participantId }) => participantId === from)
  return person && isReaction(reaction) ? [t('news.room.reacts', { name: person.login, reaction: t(`meeting.reaction.${reaction}`) })] : []
}

/** Of an event, seen against what was known before it. */
export function newsOf(mirror: Mirror, event: Envelope, inFront: string | null, book = NOBODY): string[] {
  switch (event.event) {
    case 'CallChanged':
      return newsOfCall(mirror.calls.find((call) => call.callId === event.call.callId), event.call, event.call.callId === inFront, book)
    case 'TransferStatusEvent':
      return [t(`news.transfer.${event.status}`, { target: book.nameOf(event.target), info: event.info })]
    case 'OnTransferEvent':
      return [t('news.transfer.asked', { by: book.nameOf(event.referredBy), target: book.nameOf(event.target) })]
    case 'OnDataEvent':
      return event.incoming ? [t('news.message', { name: book.nameOf(event.from) })] : []
    case 'StreamStatusEvent':
      // Of a meeting its people are news, not their streams.
      if (isOfRoom(mirror, event.streamId, event.name)) return []
      return [[t(`news.stream.${event.status}`, { name: event.name }), event.info].filter(Boolean).join(': ')]
    case 'StreamChanged': {
      const before = mirror.streams.find((stream) => stream.streamId === event.stream.streamId)
      return before && before.roomId === undefined ? newsOfStream(before, event.stream) : []
    }
    case 'RoomChanged':
      return newsOfRoom(mirror.rooms.find((room) => room.roomId === event.room.roomId), event.room)
    case 'RoomMessage':
      return mirror.rooms.some((room) => room.own === event.from) ? [] : [t(event.to === undefined ? 'news.room.message' : 'news.room.private', { name: event.login })]
    case 'RoomReaction':
      return newsOfReaction(mirror, event.from, event.reaction)
    case 'SnapshotTaken':
      return [event.file ? t('news.snapshot', { path: event.file.path }) : t('news.snapshot.failed', { info: event.info })]
    case 'SettingsChanged': {
      const on = event.settings.calls.doNotDisturb
      return on === mirror.settings.calls.doNotDisturb ? [] : [t(on ? 'news.dnd.on' : 'news.dnd.off')]
    }
    default:
      return []
  }
}

/** The text of the live region. A repeated sentence is made different, so that it is said again. */
export class News {
  text = $state('')
  private odd = false

  say(sentences: readonly string[]): void {
    if (sentences.length === 0) return
    this.odd = !this.odd
    this.text = sentences.join('. ') + (this.odd ? '' : '\u00a0')
  }
}
