import type { Account, CallStatus, CallView, SessionView } from '../api/types'
import type { Tone } from '../components/Mark.svelte'
import { partyName } from '../format/uri'
import { t } from '../locales'
import { speaksOnlyInCalls } from './select'

/** A status in words and shape; the contract's own name stands beside it. */
export type Described = { tone: Tone; words: string; code: string | null; info: string }

export function describeConnection(session: SessionView | null, account: Account | null): Described {
  if (!session) return { tone: 'off', words: t('connection.off'), code: null, info: '' }
  const { connection: code, connectionInfo: info } = session
  if (code === null) {
    return speaksOnlyInCalls(account)
      ? { tone: 'off', words: t('connection.idle'), code, info }
      : { tone: 'waiting', words: t('connection.none'), code, info }
  }
  const tone = code === 'ESTABLISHED' ? 'good' : code === 'FAILED' ? 'bad' : 'warning'
  return { tone, words: t(`connection.${code}`), code, info }
}

export function describeRegistration(session: SessionView, account: Account | null): Described {
  const { registration: code, registrationInfo: info } = session
  if (session.passwordNeeded) return { tone: 'warning', words: t('registration.password'), code, info }
  if (code === null) {
    const words = speaksOnlyInCalls(account) ? t('registration.off') : t('registration.none')
    return { tone: 'off', words, code, info }
  }
  const tone = code === 'REGISTERED' ? 'good' : code === 'UNREGISTERED' ? 'warning' : 'bad'
  return { tone, words: t(`registration.${code}`), code, info }
}

const CALL_TONES: Readonly<Record<CallStatus, Tone>> = {
  TRYING: 'waiting',
  RING: 'waiting',
  SESSION_PROGRESS: 'waiting',
  ESTABLISHED: 'good',
  HOLD: 'warning',
  BUSY: 'warning',
  FINISH: 'off',
  FAILED: 'bad',
}

export function describeCall(call: CallView): Described {
  return { tone: CALL_TONES[call.status], words: wordsOf(call), code: call.status, info: call.info }
}

/** Who holds whom; the contract has one word for both. */
function wordsOf({ status, hold, inConference }: CallView): string {
  if (status === 'HOLD' && hold.local && hold.remote) return t('call.hold.both')
  if (status === 'HOLD' && hold.local) return t('call.hold.local')
  if (status === 'HOLD' && hold.remote) return t('call.hold.remote')
  if (status === 'ESTABLISHED' && inConference) return t('call.status.conference')
  return t(`call.status.${status}`)
}

/** The far end's URI. */
export const remoteOf = (call: CallView): string => (call.direction === 'incoming' ? call.caller : call.callee)

export const remoteName = (call: CallView): string => partyName(call.remoteName, remoteOf(call))
