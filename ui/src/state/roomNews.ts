import type { ParticipantView, RoomView } from '../api/types'
import { t } from '../locales'

const sharing = (person: ParticipantView | undefined): boolean => person?.streams.some(({ screen }) => screen) === true

/** What has changed in a meeting, said for those who do not see it. */
export function newsOfRoom(before: RoomView | undefined, after: RoomView): string[] {
  const room = after.name
  const recorded = after.recording === null ? [] : [t('news.room.recorded')]
  if (after.status !== before?.status) return [[t(`news.room.${after.status}`, { room }), after.info].filter(Boolean).join(': '), ...(after.status === 'JOINED' ? recorded : [])]
  if (after.status !== 'JOINED') return []
  const news: string[] = []
  const say = (changed: boolean, text: string): void => void (changed && news.push(text))
  const was = new Map(before.participants.map((person) => [person.participantId, person]))
  for (const person of after.participants) {
    const old = was.get(person.participantId)
    const own = person.participantId === after.own
    const name = person.login
    if (own && old) news.push(...newsOfUs(old, person))
    else {
      say(!old, t('news.room.came', { name }))
      say(old !== undefined && old.hand === null && person.hand !== null, t('news.room.hand', { name, place: person.hand ?? 0 }))
      say(old !== undefined && !sharing(old) && sharing(person), t('news.room.shares', { name }))
      say(sharing(old) && !sharing(person), t('news.room.shared', { name }))
    }
  }
  const stays = new Set(after.participants.map(({ participantId }) => participantId))
  for (const { participantId, login: name } of before.participants) say(!stays.has(participantId), t('news.room.gone', { name }))
  const knocked = new Set(before.knocking.map(({ participantId }) => participantId))
  for (const { participantId, login: name } of after.knocking) say(!knocked.has(participantId), t('news.room.knocks', { name }))
  if (!before.recording) news.push(...recorded)
  say(before.recording !== null && !after.recording, t('news.room.recorded.not'))
  return news
}

function newsOfUs(before: ParticipantView, after: ParticipantView): string[] {
  const news: string[] = []
  const say = (changed: boolean, text: string): void => void (changed && news.push(text))
  say(!before.audioMuted && after.audioMuted, t('news.room.muted'))
  say(before.audioMuted && !after.audioMuted, t('news.room.unmuted'))
  say(before.heard !== false && after.heard === false, t('meeting.unheard'))
  say(before.hand === null && after.hand !== null, t('news.room.hand.own', { place: after.hand ?? 0 }))
  say(before.hand !== null && after.hand === null, t('news.room.hand.down'))
  say(!before.host && after.host, t('news.room.host'))
  return news
}
