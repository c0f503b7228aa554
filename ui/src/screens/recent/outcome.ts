import type { HistoryEntry } from '../../api/types'
import type { IconName } from '../../components/icons'
import { duration } from '../../format/time'
import { t } from '../../locales'

export type Outcome = { words: string; icon: IconName; good: boolean }

/** What we answered to a call that was declined here. */
const DECLINED = /^(486|603)\b/

/** How a call ended, as one would say it. */
export function outcomeOf({ direction, status, seconds, info, missed }: HistoryEntry): Outcome {
  const icon = direction === 'incoming' ? 'incoming' : 'outgoing'
  if (seconds !== null) return { words: t('recent.talked', { time: duration(seconds) }), icon, good: true }
  if (missed) return { words: t('recent.missed'), icon: 'missed', good: false }
  if (direction === 'incoming') {
    return DECLINED.test(info) ? { words: t('recent.declined'), icon, good: true } : { words: t('recent.notTaken'), icon, good: true }
  }
  if (status === 'BUSY') return { words: t('recent.busy'), icon, good: false }
  if (status === 'FAILED') return { words: t('recent.failed'), icon, good: false }
  return { words: t('recent.cancelled'), icon, good: true }
}
