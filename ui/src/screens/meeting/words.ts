import type { ParticipantView, Quality } from '../../api/types'
import type { IconName } from '../../components/icons'
import { t } from '../../locales'
import type { Seat } from './seats'

/** What stands for those who never have a picture. */
export const faceIcon = ({ kind }: ParticipantView): IconName | null => (kind === 'phone' ? 'phone' : kind === 'stream' ? 'air' : null)

/** The worse of its network and its picture's. */
export function qualityOf({ person, stream }: Seat): Quality {
  const both = [person.quality.level, person.heard === false ? 'poor' : 'unknown', stream?.level ?? 'unknown']
  return (['poor', 'fair', 'good'] as const).find((level) => both.includes(level)) ?? 'unknown'
}

/** What is not well with somebody, in words; empty where all is. */
export function causeOf({ person, stream, screen, own }: Seat): string {
  if (!screen && person.heard === false && !person.audioMuted) return own ? t('meeting.unheard') : t('meeting.silent')
  if (stream?.info && !own) return stream.info
  const { level, info } = person.quality
  return level === 'fair' || level === 'poor' ? info || t(`stream.quality.${level}`) : ''
}

/** What somebody is, apart from a name. */
export function rolesOf(person: ParticipantView, own: boolean): string[] {
  const roles: string[] = []
  if (own) roles.push(t('meeting.role.you'))
  if (person.host) roles.push(t('meeting.role.host'))
  if (person.guest) roles.push(t('meeting.role.guest'))
  if (person.kind === 'phone') roles.push(t('meeting.role.phone'))
  if (person.kind === 'stream') roles.push(t('meeting.role.stream'))
  return roles
}

/** Raised hands first, in their order; the others as they came. */
export const inOrder = (people: readonly ParticipantView[]): ParticipantView[] =>
  [...people].sort((one, other) => (one.hand ?? Infinity) - (other.hand ?? Infinity) || 0)
