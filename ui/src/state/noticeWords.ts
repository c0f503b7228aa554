import type { Envelope } from '../api/types'
import { t } from '../locales'
import type { Mirror } from './mirror'

type Notice = Extract<Envelope, { event: 'Notice' }>

/** A problem of a call stands in its panel, with what can be done about it; the same words over the screen say nothing more. */
export function isShownElsewhere({ callId, info }: Notice, mirror: Mirror | null): boolean {
  return mirror?.calls.some((call) => call.callId === callId && call.problem?.info === info) ?? false
}

/** The engine names a device by its part; people know it by what it does. */
export function noticeWords(info: string): string {
  const found = /^(microphone|speaker|ringer): (.*)$/s.exec(info)
  if (!found) return info
  const [, role, reason] = found as unknown as [string, 'microphone' | 'speaker' | 'ringer', string]
  if (/none is there|no audio (in|out)put/.test(reason)) return t(`notice.${role}.none`)
  return t(`notice.${role}.problem`, { reason })
}
